"""The cache of fetched songs: a folder for each vibe, with `tracks.json`, which records title, artist and licence. The
last song of this list is in use. The replaced ones before it are kept, because specs may name them.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Stop
from cinecut.download import sha256
from cinecut.files import beside, cache_folder, content_of, json_of
from cinecut.language.timebase import seconds_text

_INDEX = "tracks.json"


@dataclass(frozen=True, slots=True)
class Credit:
    """Title, artist and licence of a song; `note` is what the licence demands besides the credit, often nothing."""

    title: str
    artist: str
    licence: str  # CC BY-SA 3.0
    licence_url: str
    url: str  # of the track
    note: str

    @property
    def noncommercial(self) -> bool:
        return "-NC" in self.licence

    def __str__(self) -> str:
        line = f"“{self.title}” by {self.artist} ({self.url}), {self.licence} ({self.licence_url})"
        return f"{line}; {self.note}" if self.note else line


@dataclass(frozen=True, slots=True)
class SongMatch:
    """A song in the cache. `seconds` is its decoded length, `sha256` the file's checksum."""

    vibe: str
    track: str  # Jamendo's number for it
    file: Path
    sha256: str
    seconds: Fraction
    credit: Credit


def cached(vibe: str) -> SongMatch | None:
    """The song in use for a vibe, if its file is there and has not changed."""
    kept = _read_index(place_of(vibe))
    return kept[-1] if kept and _unchanged(kept[-1]) else None


def songs() -> list[SongMatch]:
    """Every song in the cache, sorted by vibe; the last one of each vibe is in use."""
    return [song for vibe in _vibes() for song in _read_index(vibe) if song.file.is_file()]


def clear(vibe: str | None = None) -> list[SongMatch]:
    """Delete the songs of a vibe, or all, and return them. Raises Stop (`output`) if they cannot be deleted."""
    gone = [song for song in songs() if vibe in (None, song.vibe)]
    for place in _vibes():
        if vibe in (None, place.name):
            try:
                shutil.rmtree(place)
            except OSError as error:
                raise Stop("output", f"{place} cannot be deleted: {error.strerror or error}") from None
    return gone


def place_of(vibe: str) -> Path:
    """The folder of a vibe's songs."""
    return _music() / vibe


def unchanged(place: Path) -> list[SongMatch]:
    """The songs of a folder whose files are unchanged, oldest first."""
    return [song for song in _read_index(place) if _unchanged(song)]


def write_index(place: Path, kept: list[SongMatch]) -> None:
    """Write the list of a folder's songs. Raises OSError."""
    records = [{**asdict(song), "file": song.file.name, "seconds": seconds_text(song.seconds)} for song in kept]
    with beside(place / _INDEX) as part:
        part.write_text(json.dumps(records, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _music() -> Path:
    return cache_folder() / "music"


def _vibes() -> list[Path]:
    """The folders of the vibes that have or had a song."""
    return sorted(place for place in _music().glob("*") if place.is_dir())


def _read_index(folder: Path) -> list[SongMatch]:
    """The songs of one vibe, oldest first; none if the index is missing or damaged."""
    try:
        records = json_of(content_of(folder / _INDEX))
        return [_song(folder, record) for record in records]
    except (OSError, ValueError, TypeError, KeyError, ArithmeticError):
        return []


def _song(folder: Path, record: dict[str, Any]) -> SongMatch:
    credit = Credit(**record["credit"])
    texts = [record["track"], record["file"], record["sha256"], record["seconds"], *asdict(credit).values()]
    if not all(isinstance(text, str) for text in texts) or Path(record["file"]).name != record["file"]:
        raise ValueError("not one of our records")
    file, seconds = folder / record["file"], Fraction(record["seconds"])
    return SongMatch(folder.name, record["track"], file, record["sha256"], seconds, credit)


def _unchanged(song: SongMatch) -> bool:
    try:
        return sha256(song.file) == song.sha256
    except OSError:
        return False
