"""The program maps of a transport stream: which codec each of its streams has, from where in the file on.

Recordings put one after another, and broadcasts, may change the codec of a stream midway. Libraries go by the first map
alone: of what comes after the change nothing decodes, and nobody says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cinecut.diagnostics import Stop
from cinecut.language.timebase import clock
from cinecut.media.open import open_container, packets_of

_SYNC, _PACKET = 0x47, 188  # ISO/IEC 13818-1, 2.4.3.2
_BLOCK = 1 << 20  # bytes: of a broadcast of 20 Mbit/s more than 0.4 s, in which a map comes several times
_READ_WHOLE = 3000  # blocks, a third of a second for each thousand; of larger files some, evenly spread
_SPREAD = 256  # blocks of a larger file

Map = tuple[int, dict[int, str]]
"""Where in the file a map stands (the table of programs before it, where there is one), and the codecs of its streams
by their PIDs."""


def check_codecs(media: Any, path: Path, streams: dict[int, str]) -> None:
    """Raise Stop where the codec of a stream changes midway; `streams`: what each is called, by its number."""
    if media.format.name != "mpegts":
        return
    names = {media.streams[index].id: (media.streams[index], name) for index, name in streams.items()}
    first = dict[int, str]()
    for place, codecs in _program_maps(path, names.keys()):
        for pid in names.keys() & codecs.keys():
            was, now = first.setdefault(pid, codecs[pid]), codecs[pid]
            if was != now:
                stream, name = names[pid]
                at = clock(_seconds_before(path, stream.index, place))
                message = f"{path}: {name} changes from {was} to {now} at {at}; what comes after it cannot be decoded"
                first_part, second_part = f"head -c {place} FILM > 1.ts", f"tail -c +{place + 1} FILM > 2.ts"
                hint = f"divide it there ({first_part}; {second_part}): a spec takes both as its films"
                raise Stop("unreadable", message, hint)


def _seconds_before(path: Path, index: int, place: int) -> Fraction:
    """How long a stream lasts before a place in the file."""
    stamps = list[int]()
    with open_container(path, decodes=False) as media:
        for packet in packets_of(media, stream := media.streams[index]):
            if packet.pos is not None and packet.pos >= place:
                break
            stamps += [] if packet.pts is None else [packet.pts, packet.pts + (packet.duration or 0)]
        return (max(stamps) - min(stamps)) * Fraction(stream.time_base or 1) if stamps else Fraction(0)


def _program_maps(path: Path, pids: Set[int]) -> Iterator[Map]:
    """The maps of a file in order: of a very large one those of some of its blocks, and where these differ in what they
    say of the streams `pids`, those between them too."""
    with path.open("rb") as file:
        blocks, of_programs = -(-path.stat().st_size // _BLOCK), set[int]()
        step = 1 if blocks <= _READ_WHOLE else blocks // _SPREAD
        known = dict[int, str]()
        for block in range(0, blocks, step):
            maps = list(_maps_in(file, block * _BLOCK, of_programs))
            said = {pid: name for _, codecs in maps for pid, name in codecs.items() if pid in pids}
            if any(known.get(pid, name) != name for pid, name in said.items()):
                for between in range(block - step + 1, block):
                    yield from _maps_in(file, between * _BLOCK, of_programs)
            yield from maps
            known |= said


def _maps_in(file: BinaryIO, start: int, of_programs: set[int]) -> Iterator[Map]:
    """The maps of one block; `of_programs` gathers the PIDs on which maps come."""
    file.seek(start)
    data = file.read(_BLOCK + 5 * 204)
    aligned = _aligned(data)
    if aligned is None:
        return
    offset, length = aligned
    rows = np.frombuffer(data, np.uint8, (len(data) - offset) // length * length, offset).reshape(-1, length)
    pids = (rows[:, 1].astype(int) & 0x1F) << 8 | rows[:, 2]
    begins = (rows[:, 0] == _SYNC) & (rows[:, 1] & 0x40 != 0) & (rows[:, 1] & 0x80 == 0)
    table = None
    for n in np.flatnonzero(begins & np.isin(pids, [0, *of_programs] if of_programs else pids)):
        section = _section(rows[n, :_PACKET].tobytes())
        place = start + offset + int(n) * length - (length - _PACKET if length == 192 else 0)
        if pids[n] == 0 and section[:1] == b"\0":
            table = place
            entries = [section[at : at + 4] for at in range(8, _end(section), 4)]
            of_programs |= {_pid(entry[2:]) for entry in entries if len(entry) == 4 and any(entry[:2])}
        elif section[:1] == b"\2" and pids[n] in of_programs:
            yield place if table is None else table, _codecs(section)


def _aligned(data: bytes) -> tuple[int, int] | None:
    """Where the first packet begins, and the bytes from one to the next: some have a time before them, or checks after
    them."""
    for length in (_PACKET, 192, 204):
        for offset in range(min(length, len(data))):
            marks = data[offset : offset + 5 * length : length]
            if marks == bytes([_SYNC]) * len(marks) and len(marks) > 2:
                return offset, length
    return None


def _section(packet: bytes) -> bytes:
    """What a packet holds of the table that begins in it. Longer tables are read as far as that."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    return packet[at + 1 + packet[at] :] if at < len(packet) else b""


def _end(section: bytes) -> int:
    return 3 + (int.from_bytes(section[1:3], "big") & 0xFFF) - 4


def _pid(two: bytes) -> int:
    return int.from_bytes(two[:2], "big") & 0x1FFF


def _codecs(section: bytes) -> dict[int, str]:
    """Codecs by PID, of those that are known."""
    codecs = dict[int, str]()
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    while at + 5 <= min(_end(section), len(section)):
        end = at + 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
        if name := _CODECS.get(section[at]) or _private(section[at + 5 : end]):
            codecs[_pid(section[at + 1 : at + 3])] = name
        at = end
    return codecs


def _private(descriptors: bytes) -> str | None:
    """The codec of a stream that only its descriptors name (ETSI EN 300 468, table 12; SMPTE's registrations)."""
    at = 0
    while at + 2 <= len(descriptors):
        kind, length = descriptors[at], descriptors[at + 1]
        said = _REGISTERED.get(descriptors[at + 2 : at + 6]) if kind == 5 else _DESCRIBED.get(kind)
        if said:
            return said
        at += 2 + length
    return None


# One decoder takes those of one name.
_CODECS = {
    0x01: "MPEG-2", 0x02: "MPEG-2", 0x10: "MPEG-4", 0x1B: "H.264", 0x24: "HEVC", 0xEA: "VC-1",
    0x03: "MPEG audio", 0x04: "MPEG audio", 0x0F: "AAC", 0x11: "AAC in LATM", 0x81: "AC-3", 0x87: "AC-3",
}  # fmt: skip
_DESCRIBED = {0x6A: "AC-3", 0x7A: "AC-3", 0x7B: "DTS"}
_REGISTERED = {b"AC-3": "AC-3", b"EAC3": "AC-3", b"HEVC": "HEVC", b"Opus": "Opus", b"VC-1": "VC-1"}
