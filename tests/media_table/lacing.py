"""Matroska as others than FFmpeg write it: several packets of sound in one block, of which it says one time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_SEGMENT, _CLUSTER, _SIMPLE_BLOCK, _GROUP = 0x18538067, 0x1F43B675, 0xA3, 0xA0
_PLACES = (0x114D9B74, 0x1C53BB6B)  # SeekHead and Cues, which would be wrong
_TRACK = 0x82  # the second one
_XIPH = 0x82  # flags of a block: a key frame, its packets' lengths before them
_IN_BLOCK = 6


class _Element(NamedTuple):
    kind: int
    start: int
    body: int
    end: int


def laced(film: Path, out: Path) -> None:
    """The second track, its packets six to a block, but for the last one, which has a length of its own."""
    data = film.read_bytes()
    head, segment = _elements(data, 0, len(data))
    parts = list[bytes]()
    for part in _elements(data, segment.body, segment.end):
        if part.kind == _CLUSTER:
            parts.append(_element(_CLUSTER, b"".join(_cluster(data, part))))
        elif part.kind not in _PLACES:
            parts.append(data[part.start : part.end])
    out.write_bytes(data[head.start : head.end] + _element(_SEGMENT, b"".join(parts)))


def _cluster(data: bytes, cluster: _Element) -> Iterator[bytes]:
    held = list[bytes]()
    for element in _elements(data, cluster.body, cluster.end):
        fits = element.kind == _SIMPLE_BLOCK and data[element.body] == _TRACK
        if held and (len(held) == _IN_BLOCK or element.kind == _GROUP):
            yield _block(held)
            held = []
        if fits:
            held.append(data[element.body : element.end])
        else:
            yield data[element.start : element.end]
    yield from [_block(held)] if held else []


def _block(blocks: list[bytes]) -> bytes:
    packets = [block[4:] for block in blocks]  # after the track, the time and the flags
    lengths = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets[:-1])
    return _element(_SIMPLE_BLOCK, blocks[0][:3] + bytes([_XIPH, len(packets) - 1]) + lengths + b"".join(packets))


def _elements(data: bytes, at: int, end: int) -> Iterator[_Element]:
    while at < end:
        kind, first = _number(data, at)
        size, second = _number(data, at + first)
        body = at + first + second
        size &= (1 << 7 * second) - 1
        yield _Element(kind, at, body, body + size)
        at = body + size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of as many bytes as its first one says, and how many they are."""
    count = 9 - data[at].bit_length()
    return int.from_bytes(data[at : at + count], "big"), count


def _element(kind: int, body: bytes) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + (len(body) | 1 << 56).to_bytes(8, "big") + body
