"""What a file's own bytes say that libraries do not: the boxes of an MP4, Dolby Vision's profiles, and where another
recording begins that was put behind the first one (`cat 1.flv 2.flv`), which nobody reads and nobody mentions.

Streaming services use some whose colours mean nothing to whoever reads them as they are. PyAV does not show the record
that says so (`dvcC`), so it is looked for in the film's header.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.files import open_file

_HEADER = 16 << 20  # bytes of a header that are searched
_MOST_BOXES = 100_000  # that are looked at: two for each fragment
_SEARCHED = 3_000_000_000  # bytes of a file that are searched for another head: these kinds of files are smaller

_INITIAL = b"".join(b"\\x%02x" % byte for byte in range(256) if byte & 8)  # the block is the first of its moment

# The heads of containers of which libraries read the first recording alone.
_HEADS = tuple(
    re.compile(head, re.DOTALL)
    for head in (
        rb"FLV\x01[\x01\x04\x05]\0\0\0\x09\0{4}",
        rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",  # ASF
        rb"\xb7\xd8\x00\x20\x37\x49\xda\x11\xa6\x4e\x00\x07\xe9\x5e\xad\x8d",  # WTV
        rb"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02",  # MXF
        rb"YUV4MPEG2 ",
        rb"DKIF\0\0 \0",  # IVF
        rb"nut/multimedia container\0",
        rb"\.RMF\0\0\0",
        rb"wvpk.{4}.\x04\0.{5}\0{4}(?!\0{4}).{4}.[" + _INITIAL + rb"]",  # WavPack's first block with samples
        rb"\x89PNG\r\n\x1a\n",
        rb"(?:RIFF|RF64|BW64).{4}WAVE",
        rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0",  # Wave64
        rb"FORM.{4}AIF[FC]",
        rb"caff\0\x01\0\0desc",
        rb"TTA1[\x01-\x03]\0",
        rb"Creative Voice File\x1a",
    )
)


def check_single(path: Path) -> None:
    """Raise Stop where another recording stands behind the first one."""
    if (place := _second(path)) is not None:
        raise several(path, place)


def several(path: Path, place: int) -> Stop:
    """What is said where another recording stands at a place of a file, which is not read."""
    name = path.suffix or ".part"
    message = f"{path} holds several recordings one behind the other, of which the first alone can be read"
    parts = f"head -c {place} FILE > 1{name}; tail -c +{place + 1} FILE > 2{name}"
    return Stop("unreadable", message, f"divide it: {parts}")


def matroska_behind(path: Path) -> Iterator[int]:
    """Where further recordings begin in a Matroska file. These are read, with what the first one's head says."""
    with open_file(path) as file:
        if not 0 < file.seek(0, 2) <= _SEARCHED:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[: len(_EBML)] != _EBML:
                return
            place = 0
            while (place := data.find(_EBML, place + 1)) >= 0:
                if any(kind in data[place : place + _EBML_HEAD] for kind in (b"matroska", b"webm")):
                    yield place


_EBML, _EBML_HEAD = b"\x1a\x45\xdf\xa3", 64  # bytes


def check_no_zeros(path: Path) -> None:
    """Raise Stop where zeros stand before the head of a file that nothing could be read of."""
    with open_file(path) as file:
        zeros = 0
        while (block := file.read(_BLOCK)) and not (kept := block.lstrip(b"\0")):
            zeros += len(block)
        if block:  # a box's length begins with zeros itself, and so does a start code
            zeros += len(block) - len(kept) - (3 if kept[1:5] in _FIRST else 2 if kept.startswith(b"\1") else 0)
    if not block and zeros:
        raise Stop("unreadable", f"{path} holds nothing but zeros", "a copy or a download of it failed: get it again")
    if zeros >= _FEW:
        hint = f"without them it may be read: tail -c +{zeros + 1} FILE > whole{path.suffix}"
        raise Stop("unreadable", f"{path} begins with {zeros} zeros, before its head", hint)


_BLOCK = 1 << 20
_FEW = 64  # bytes: as many may be part of a head


def _second(path: Path) -> int | None:
    """Where the second head of a file stands."""
    if found := boxes(path):  # of one in fragments, libraries leave out some where they meet
        return next((place for kind, place in found[1:] if kind == b"ftyp"), None)
    with open_file(path) as file:
        if not 0 < file.seek(0, 2) <= _SEARCHED:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:3] in _FLASH:
                length = int.from_bytes(data[4:8], "little")
                return length if data[length : length + 3] in _FLASH else None
            head = next((head for head in _HEADS if head.match(data)), None)
            other = head.search(data, 1) if head is not None else None
            return other.start() if other is not None else None


_FLASH = (b"FWS", b"CWS", b"ZWS")  # followed by a version and the length


def boxes(path: Path) -> list[tuple[bytes, int]]:
    """The kinds and places of the boxes of an MP4 or QuickTime file (ISO 14496-12, 4.2); none of any other file."""
    found = list[tuple[bytes, int]]()
    with open_file(path) as file:
        while len(found) < _MOST_BOXES and len(head := file.read(16)) >= 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if not found and kind not in _FIRST:
                return []
            place = file.tell() - len(head)
            found.append((kind, place))
            size = int.from_bytes(head[8:16], "big") if size == 1 else size
            if size < 8:
                break  # to the end of the file
            file.seek(place + size)
    return found


_FIRST = (b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"mdat", b"wide", b"free", b"skip", b"uuid", b"pnot")


def colours_are_dolbys_own(film: Path) -> bool:
    """Whether a film's header names a profile of Dolby Vision whose colours nothing else can read: 5 of HEVC, 10.0 of
    AV1. Of the others the picture without Dolby's part is one of HDR10, HLG or SDR, and a number says which."""
    with open_file(film) as file:
        file.seek(next((place for kind, place in boxes(film) if kind == b"moov"), 0))
        header = file.read(_HEADER)
    ends = [at + len(mark) for mark in _DOLBY if (at := header.find(mark)) >= 0]
    record = header[ends[0] :][:12] if ends else b""
    if record.startswith(b"\x41\xed"):  # Matroska's own frame around it
        record = record[3:]
    return len(record) > 4 and record[2] >> 1 in (5, 10) and not record[4] >> 4


# What stands before the record: a box's name, or in a transport stream the descriptors of whose it is and how long.
_DOLBY = (b"dvcC", b"dvvC", b"DOVI\xb0\x05", b"DOVI\xb0\x07")
