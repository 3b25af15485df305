"""The credits that a trailer must show: the music's, and those in the tags of film and song.

Tags are foreign text: each is shown on one line, without control characters.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cinecut.diagnostics import Diagnostic
from cinecut.files import content_of, disk_errors, remove, write_beside
from cinecut.inference.chat import printable
from cinecut.language.read import inside
from cinecut.language.spec import Spec
from cinecut.media.open import open_media, tags

_MARK = "Credits of a trailer, written by cinecut."
_LONGEST = 300  # characters of one tag


def own_credit(file: Path, what: str) -> str | None:
    """The title, artist and licence in a file's tags; None if they name neither artist nor licence."""
    with open_media(file, what) as media:
        sources = [*map(tags, media.streams.audio[:1]), tags(media)]  # Ogg stores them in the stream
    values = {key: printable(value)[:_LONGEST] for source in sources for key, value in source.items()}
    artist = values.get("artist") or values.get("album_artist")
    rights = [values[key] for key in ("license", "copyright") if values.get(key)]
    if not artist and not rights:
        return None
    title = values.get("title") or file.stem
    return ", ".join([f"“{title}” by {artist}" if artist else f"“{title}”", *dict.fromkeys(rights)])


def credits_text(films: Sequence[Path], music: str | None) -> str | None:
    """The text of a trailer's credits file; None if no credit is needed."""
    own = [f"Film: {credit}" for film in films if (credit := own_credit(film, "film"))]
    lines = own + [f"Music: {music}"] * bool(music)
    return "\n".join([_MARK, "", *lines]) + "\n" if lines else None


def credit_beside(path: Path, spec: Spec, folder: Path) -> list[Diagnostic]:
    """Write the credits of the films and of the song of a spec beside `path`; its films are named from `folder`. Raises
    Stop where one cannot be read."""
    films = [inside(folder, film.file) for film in spec.every_film.values()]
    text = credits_text(films, spec.music.credit if spec.music is not None else None)
    with disk_errors(file := path.with_suffix(".credits.txt")):
        return write_credits(file, text)


def write_credits(file: Path, text: str | None) -> list[Diagnostic]:
    """Write the credits, or delete those of an earlier trailer if none are needed. A file that cinecut did not write is
    kept, with a warning."""
    if text is None:
        if is_ours(file):
            remove(file)
        return []
    if os.path.lexists(file) and not is_ours(file):
        hint = "rename it, and analyze again"
        message = f"{file} is there already, and is not ours: the credits are not written"
        return [Diagnostic("music", message, None, (hint,))]
    write_beside(file, text)
    return []


def is_ours(file: Path) -> bool:
    try:
        return content_of(file, len(_MARK)) == _MARK.encode()
    except OSError:
        return False
