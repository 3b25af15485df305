"""The task for one film: write its result into the catalogue, and return its entry in the list.

A task never raises: whatever is wrong with a film is the reason in its entry. What is there already is not done again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from cinecut.analysis.cache import Cache
from cinecut.analysis.dialogue.subtitles.tracks import find_tracks
from cinecut.analysis.dialogue.transcribe import usable_whisper
from cinecut.analysis.film.faces import by as faces_by
from cinecut.analysis.stage import Progress, Stage
from cinecut.analysis.title import film_title
from cinecut.catalogue.look import FilmContents, LookOptions, look_at, pictures_of
from cinecut.catalogue.store import Catalogue, CatalogueEntry
from cinecut.catalogue.words import MEASURES
from cinecut.diagnostics import Stop
from cinecut.files import fingerprint
from cinecut.inference.models import minilm_engine
from cinecut.inference.server import Models, choose_models

_LOOK = Stage("film", FilmContents, look_at)


@dataclass(frozen=True, slots=True)
class Asked:
    """How all films of a run are looked at."""

    wish: LookOptions = field(default_factory=LookOptions)
    llama_server: str | None = None
    llm_url: str | None = None
    no_models: bool = False

    def models(self) -> Models | None:
        """Raises Stop where a server that was named does not answer."""
        if self.no_models:
            return None
        return choose_models(self.llama_server, self.llm_url, lambda holder: None)


def look_into(path: Path, folder: Path, asked: Asked, progress: Progress) -> CatalogueEntry:
    """Look at a film, unless its result lies in the catalogue's `folder` already."""
    if path.is_dir():  # which the search for films could not enter
        return CatalogueEntry(str(path), failed=f"the folder {path} cannot be read")
    try:
        return _look_into(path, folder, asked, progress)
    except Stop as stop:
        return CatalogueEntry(str(path), failed="; ".join(each.message for each in stop.diagnostics))
    except OSError as error:
        return CatalogueEntry(str(path), failed=f"{error.filename or path}: {error.strerror or error}")
    except Exception as error:  # a fault of this program's must not end the run of a thousand films
        return CatalogueEntry(str(path), failed=f"cinecut failed with {type(error).__name__}: {str(error)[:300]}")


def _look_into(path: Path, folder: Path, asked: Asked, progress: Progress) -> CatalogueEntry:
    began, identity, models = time.monotonic(), fingerprint(path), asked.models()
    key = key_of(path, asked.wish, models)
    cache = Cache(identity, folder)
    fresh = not Catalogue(folder).has(identity, key)
    film = cache.kept("film", key, FilmContents, lambda: look_at(path, asked.wish, models, progress))
    if fresh:
        cache.kept("pictures", key, list[str | None], lambda: pictures_of(path, film.facts, film.shots, progress))
    entry = entry_of(path, film, key)
    return replace(entry, worked=round(time.monotonic() - began, 2)) if fresh else entry


def entry_of(path: Path, film: FilmContents, key: str) -> CatalogueEntry:
    """The entry of a film with a result."""
    return CatalogueEntry(
        str(path),
        film.facts.fingerprint,
        key,
        title=film_title(path),
        seconds=round(float(film.facts.duration), 3),
        shots=len(film.shots),
        texts=len(film.texts),
        described_by=film.described_by,
        warnings=tuple(each.message for each in film.warnings),
    )


def key_of(path: Path, wish: LookOptions, models: Models | None) -> str:
    """A key made of everything that a film's result depends on. Raises Stop if the film cannot be read."""
    whisper = usable_whisper() if wish.transcribes else None
    tracks = [track for track in find_tracks(path).tracks if track.path is not None]
    beside = [part for track in tracks for part in (track.source, track.path)]  # its name says in which language it is
    helpers = (minilm_engine(), faces_by(), whisper and whisper.identity, _vision(models))
    return _LOOK.key([path, *beside, wish, helpers, MEASURES])


def _vision(models: Models | None) -> str | None:
    try:
        return models.identity("vision") if models is not None else None
    except Stop:
        return None
