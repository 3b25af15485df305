"""Edit lists written into mp4 and mov files, as editors and phones write them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from making import Step

Piece = tuple[Fraction | None, str]
"""From a moment of the medium (None: nothing is shown), for so many seconds."""


def edited(*pieces: Piece) -> Step:
    """The picture's edit list, written anew. The film's index must stand behind its media, as FFmpeg puts it."""

    def step(film: Path, out: Path) -> None:
        data = bytearray(film.read_bytes())
        moov = _find(data, 0, len(data), b"moov")
        (movie_scale,) = struct.unpack_from(">I", data, _find(data, *_inside(data, moov), b"mvhd") + 20)
        track = next(t for t in _all(data, *_inside(data, moov), b"trak") if _is_picture(data, t))
        media = _find(data, *_inside(data, track), b"mdia")
        (scale,) = struct.unpack_from(">I", data, _find(data, *_inside(data, media), b"mdhd") + 20)
        rows = b"".join(
            struct.pack(">IiI", int(Fraction(length) * movie_scale), -1 if at is None else int(at * scale), 1 << 16)
            for at, length in pieces
        )
        elst = struct.pack(">I4sII", 16 + len(rows), b"elst", 0, len(pieces)) + rows
        edts = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
        old = _find(data, *_inside(data, track), b"edts")
        size = _size(data, old)
        data[old : old + size] = edts
        for box in (track, moov):
            struct.pack_into(">I", data, box, _size(data, box) + len(edts) - size)
        out.write_bytes(data)

    return step


def _size(data: bytearray, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])


def _inside(data: bytearray, at: int) -> tuple[int, int]:
    return at + 8, at + _size(data, at)


def _all(data: bytearray, start: int, end: int, name: bytes) -> Iterator[int]:
    at = start
    while at + 8 <= end:
        if data[at + 4 : at + 8] == name:
            yield at
        at += _size(data, at)


def _find(data: bytearray, start: int, end: int, name: bytes) -> int:
    return next(_all(data, start, end, name))


def _is_picture(data: bytearray, track: int) -> bool:
    media = _find(data, *_inside(data, track), b"mdia")
    handler = _find(data, *_inside(data, media), b"hdlr")
    return data[handler + 16 : handler + 20] == b"vide"
