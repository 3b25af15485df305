"""Who has to be named: the music's credit, and what film and song say of themselves.

A file's own words are other people's text: they are shown on one line each, without control characters.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cinecut.diagnostics import Diagnostic
from cinecut.files import write_beside
from cinecut.media.open import open_media, tags

_MARK = "Credits of a trailer, written by cinecut."
_LONGEST = 300  # characters of one tag


def own_credit(file: Path, what: str) -> str | None:
    """The title, the artist and the licence in a file's tags; None where it names neither artist nor licence."""
    with open_media(file, what) as media:
        found = [*map(tags, media.streams.audio[:1]), tags(media)]  # Ogg keeps them at the stream
    said = {key: _plain(value) for each in found for key, value in each.items()}
    artist = said.get("artist") or said.get("album_artist")
    rights = [said[key] for key in ("license", "copyright") if said.get(key)]
    if not artist and not rights:
        return None
    title = said.get("title") or file.stem
    return ", ".join([f"“{title}” by {artist}" if artist else f"“{title}”", *dict.fromkeys(rights)])


def _plain(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:_LONGEST]


def credits_text(film: str | None, music: str | None) -> str | None:
    """The credits file of a trailer; None where nobody has to be named."""
    lines: Sequence[str] = [f"Film: {film}"] * bool(film) + [f"Music: {music}"] * bool(music)
    return "\n".join([_MARK, "", *lines]) + "\n" if lines else None


def write_credits(file: Path, text: str | None) -> list[Diagnostic]:
    """Write the credits where there are some, and take away those of an earlier trailer where there are none. A file
    that is somebody else's stays, and a warning says so."""
    if text is None:
        if _is_ours(file):
            file.unlink()
        return []
    if os.path.lexists(file) and not _is_ours(file):
        hint = "rename it, and analyze again"
        return [
            Diagnostic("music", f"{file} is there already, and is not ours: the credits are not written", None, (hint,))
        ]
    write_beside(file, text)
    return []


def _is_ours(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(_MARK)) == _MARK.encode()
    except OSError:
        return False
