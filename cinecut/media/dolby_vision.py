"""Dolby Vision's profile 5, as streaming services use it: its colours mean nothing to whoever reads them as they are.

PyAV does not show the record that says so (`dvcC`), so it is looked for in the film's header.
"""

from __future__ import annotations

from pathlib import Path

from cinecut.files import open_file

_HEADER = 16 << 20  # bytes of a header that are searched


def profile_of(film: Path) -> int | None:
    """The profile of Dolby Vision that a film's header names; None for a film without."""
    header = _header(film)
    for name in (b"dvcC", b"dvvC"):
        at = header.find(name)
        if at >= 0:
            record = header[at + 4 : at + 16]
            if record[:2] == b"\x41\xed":  # Matroska's own frame around it
                record = record[3:]
            return record[2] >> 1 if len(record) > 2 else None
    return None


def _header(film: Path) -> bytes:
    """The box `moov` of an MP4, wherever it stands; of other containers the first bytes."""
    with open_file(film) as file:
        head = file.read(12)
        at = 0
        while head[4:8] in (b"ftyp", b"mdat", b"free", b"skip", b"wide", b"uuid", b"styp", b"pnot"):
            file.seek(at)
            first = file.read(16)
            size = int.from_bytes(first[:4], "big")
            if size == 1:
                size = int.from_bytes(first[8:16], "big")
            if size < 8:
                break
            at += size
            file.seek(at)
            head = file.read(8)
        file.seek(at if head[4:8] == b"moov" else 0)
        return file.read(_HEADER)
