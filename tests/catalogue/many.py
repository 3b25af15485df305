"""A folder of small films, and looking at them in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from footage import X264, make_film

from cinecut.analysis.stage import Progress
from cinecut.catalogue.index import Indexed, Named, index
from cinecut.catalogue.look import LookOptions
from cinecut.catalogue.store import CatalogueEntry
from cinecut.catalogue.task import Asked, look_into

ASKED = Asked(LookOptions(None, False), no_models=True)
TITLE = "<script>alert(1)</script>"


class InProcess:
    """Looks at the films one after another, here."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder, self.progress = folder, progress
        self.done: list[Path] = []

    def each(self, films: Sequence[Path]) -> Iterator[CatalogueEntry]:
        for film in films:
            self.done.append(film)
            yield look_into(film, self.folder, ASKED, self.progress)


def make_folder(folder: Path) -> Path:
    """Two films, one of them with lines and a title that would be a script on a page; one that is none; one hidden."""
    (folder / "below" / ".hidden").mkdir(parents=True)
    make_film(folder / "spoken.mkv", 8, f"{X264} -metadata title={TITLE}")
    make_film(folder / "below" / "mute.mp4", 6, spoken=False)
    (folder / "below" / "broken.mkv").write_bytes(b"no film")
    (folder / "below" / ".hidden" / "secret.mp4").write_bytes(b"no film")
    return folder


def indexed(films: Path, catalogue: Path, *without: str) -> tuple[Indexed, list[str]]:
    """What a run did, and the names of the films that it looked at."""
    made = list[InProcess]()

    def workers(progress: Progress) -> InProcess:
        made.append(InProcess(catalogue, progress))
        return made[-1]

    done = index(Named([films], without), catalogue, ASKED, workers, lambda stage, share: None)
    return done, [film.name for each in made for film in each.done]
