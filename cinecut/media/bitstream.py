"""What a packet tells without decoding it: gradual refresh, the shape of the pictures, and whether others need it.

Some packets of H.264 and HEVC are marked as key frames, but do not decode to a whole picture. Screen capture and
streaming spread the renewal of the picture over many pictures. A message in the stream, the recovery point (H.264
D.2.8, HEVC D.3.8), says how many pictures it takes from there until all of one is right.
"""

from __future__ import annotations

import re
from typing import Any

_SEI = {"h264": 6, "hevc": 39}  # NAL unit types of the messages
_SPS = {"h264": 7, "hevc": 33}  # and of what tells the size and the format of the pictures
_RECOVERY_POINT = 6
_LOOKED_AT = 4096  # bytes: messages stand before the picture


def pictures_to_recover(packet: Any, codec: str) -> int:
    """How many pictures after this one the decoder has a whole one; 0 where this is one."""
    if codec not in _SEI:
        return 0
    for kind, unit in _units(packet, codec):
        if kind == _SEI[codec]:
            for message, payload in _messages(unit[1 if codec == "h264" else 2 :]):
                if message == _RECOVERY_POINT:
                    return max(0, _exp_golomb(payload, signed=codec == "hevc"))
    return 0


def referenced(packet: Any, codec: str) -> tuple[bool, int]:
    """Whether pictures of the same temporal layer, or of a lower one, may be predicted from that of a packet, and its
    layer (H.264 7.4.1: nal_ref_idc; HEVC 7.4.2.2: sub-layer non-reference pictures). Where that is not known, they
    may."""
    data = bytes(packet) if codec in _SPS else b""
    heads = [data[start : start + 2] for start, end in _places(data) if end > start + 1]
    if codec == "h264":
        slices = [head[0] for head in heads if head[0] & 31 in (1, 2, 3, 4, 5, 20, 21)]
        return not slices or any(byte >> 5 & 3 for byte in slices), 0
    pictures = [(kind, head) for head in heads if (kind := head[0] >> 1 & 63) < 32]
    alone = pictures and all(kind < 16 and kind % 2 == 0 and head[1] < 8 for kind, head in pictures)
    return not alone, (pictures[0][1][1] & 7) - 1 if pictures else 0


def shows_nothing(packet: Any, codec: str) -> bool:
    """Whether a packet seems to hold no picture of its codec: damaged, scrambled, or of another codec. False where that
    is not known."""
    data = bytes(packet)
    if codec in _PICTURE_AFTER:
        return _PICTURE_AFTER[codec] not in data
    if codec not in _SPS:
        return False
    heads = [data[start] for start, end in _places(data) if end > start]
    pictures = (head & 31 in (1, 5) if codec == "h264" else head >> 1 & 63 < 32 for head in heads)
    return any(head & 0x80 for head in heads) or not any(pictures)  # the first bit of a unit is never set


def may_be_key(packet: Any, codec: str) -> bool:
    """Whether a packet that is marked as a key frame may be one. Some writers mark what repeats the picture before, or
    what paints with colours that were named in one before (SMC)."""
    if codec == "smc":
        return False
    if codec == "gif":
        return bytes(memoryview(packet)[:3]) == b"GIF"
    return codec != "mpeg4" or _kind_of_mpeg4(packet) in (None, _I)


def is_leading(packet: Any, codec: str) -> bool:
    """Whether a packet right after the first key frame holds what is shown before that one, of MPEG-4: it needs what is
    not there, and a decoder that meets it first leaves out all pictures of its kind that are stored in two fields."""
    return codec == "mpeg4" and _kind_of_mpeg4(packet) == _B


_I, _B = 0, 2  # kinds of pictures (ISO 14496-2, table 6-20)


def _kind_of_mpeg4(packet: Any) -> int | None:
    data = bytes(packet)
    at = data.find(_PICTURE_AFTER["mpeg4"]) + 4
    return None if at < 4 or not data[at : at + 1] else data[at] >> 6


_PICTURE_AFTER = {"mpeg1video": b"\0\0\1\0", "mpeg2video": b"\0\0\1\0", "mpeg4": b"\0\0\1\xb6"}


class Mpeg4Clock:
    """Whether packets of MPEG-4 count time in another number of bits than their stream's header says: these are of
    another recording, whose header is lost, and only a decoder that has guessed the number reads them (ISO 14496-2,
    6.2.5)."""

    def __init__(self, header: bytes) -> None:
        self._size = _clock_bits(header)
        self._before = 0  # pictures before the first strange one
        self._since = 0  # that one and all later
        self._strange = 0

    def is_lost(self, packet: Any) -> bool:
        data = _head(packet)
        if _VOL.search(data):
            self._size = _clock_bits(data)
        at = data.find(_PICTURE_AFTER["mpeg4"]) + 4
        bits = bits_of(data[at : at + 24]).ljust(256, "1")
        if self._size is None or at < 4:
            return False
        marker = bits.find("0", 2) + 1  # after as many ones as seconds have passed
        last = marker + self._size  # bit of the time, before another marker
        # Of one bit fewer: the marker, that it is coded, what follows.
        fewer = bits[last : last + 3] == "110" and len(data) > at + _COPY
        kept = bits[marker] + bits[last + 1] == "11" and not fewer
        self._strange += not kept
        self._before, self._since = self._before + (not self._strange), self._since + bool(self._strange)
        return self._before > _SURE and self._strange > _SURE and self._strange > _SHARE * self._since


def _clock_bits(header: bytes) -> int | None:
    """The bits in which a header of MPEG-4 lets pictures count time within a second; None if it does not say it."""
    found = _VOL.search(header)
    if found is None:
        return None
    bits, at = bits_of(header[found.end() : found.end() + 24]).ljust(192, "0"), 9
    at += 8 if bits[at] == "1" else 1  # version and priority
    at += 20 if bits[at : at + 4] == "1111" else 4  # the pixels' aspect
    if bits[at] == "1":  # how it is sent
        at += 4 + (79 if bits[at + 4] == "1" else 0)
    resolution = int(bits[at + 4 : at + 20], 2)  # after the shape and a marker
    return max(1, (resolution - 1).bit_length()) if resolution else None


def bits_of(data: bytes) -> str:
    return f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else ""


_COPY = 16  # bytes of a packet without a picture, which is that before
_SURE = 10  # pictures that count as the header says, and others that do not
_SHARE = 0.2  # of pictures that do not: of other bits some look right, and damage is rare
_VOL = re.compile(b"\0\0\1[\x20-\x2f]")


def shape_of(packet: Any, codec: str) -> bytes | None:
    """What a key frame's packet says of the size and the format of its pictures; None where it says nothing."""
    if codec in _SPS:
        return next((unit for kind, unit in _units(packet, codec) if kind == _SPS[codec]), None)
    data = _head(packet)
    if codec in _SHAPE_AFTER:
        mark, start, end = _SHAPE_AFTER[codec]
        at = data.find(mark)
        return data[at + start : at + end] if at >= 0 else None
    if codec == "vp9":
        return _shape_of_vp9(data)
    if codec == "vvc":  # the last one holds: some writers repeat the film's first one before it
        units = (
            data[at:end] for at, end in reversed(_places(data)) if end > at + 1 and data[at + 1] >> 3 == _SPS_OF_VVC
        )
        return next(units, None)
    if codec == "flv1":
        return _shape_of_flv1(data)
    if codec == "av1" and data.removeprefix(b"\x12\0")[:1] == b"\x0a":  # a sequence header, after a delimiter
        data = data.removeprefix(b"\x12\0")
        return data[2 : 2 + data[1]]
    return None


# Where width and height stand: after these bytes, from here to there.
_SHAPE_AFTER = {
    "mpeg1video": (b"\0\0\1\xb3", 4, 7),
    "mpeg2video": (b"\0\0\1\xb3", 4, 7),
    "mpeg4": (b"\0\0\1\x20", 4, 20),
    "mjpeg": (b"\xff\xc0\0\x11", 5, 9),
    "vp8": (b"\x9d\1\x2a", 3, 7),
    "png": (b"IHDR", 4, 14),
    "jpeg2000": (b"\xff\x4f\xff\x51", 8, 24),
    "jpegls": (b"\xff\xf7\0", 5, 9),
    "prores": (b"icpf", 12, 16),
    "dnxhd": (b"\0\0", 24, 28),
}


def _shape_of_vp9(data: bytes) -> bytes:
    """The first bits of a key frame's header up to its width and height (VP9 bitstream specification, 6.2)."""
    bits = f"{int.from_bytes(data[:16], 'big'):0128b}"
    profile = int(bits[3] + bits[2], 2)
    at = (9 if profile == 3 else 8) + 24  # marker, profile, flags; synchronisation
    at += 1 if profile >= 2 else 0  # ten or twelve bits
    rgb, subsampled = bits[at : at + 3] == "111", profile in (1, 3)
    at += 3 + (3 if subsampled else 0) + (1 if not rgb else 0) - (2 if rgb and subsampled else 0)
    return bits[: at + 32].encode()


_SPS_OF_VVC = 15


def _shape_of_flv1(data: bytes) -> bytes:
    """The size in the header of a picture of Sorenson's H.263: one of some, or in one or two bytes a side."""
    bits = f"{int.from_bytes(data[:9], 'big'):072b}"[30:]
    return bits[: 3 + {0: 16, 1: 32}.get(int(bits[:3], 2), 0)].encode()


def _head(packet: Any) -> bytes:
    return bytes(memoryview(packet)[:_LOOKED_AT])


def _units(packet: Any, codec: str) -> list[tuple[int, bytes]]:
    """Type and bytes of the NAL units of a packet, of long ones the beginning."""
    data = bytes(packet)
    units = [data[start : min(end, start + _LOOKED_AT)].rstrip(b"\0") for start, end in _places(data)]
    return [(unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63, unit) for unit in units if unit]


def _places(data: bytes) -> list[tuple[int, int]]:
    """Where the NAL units of a packet begin and end: after lengths of four bytes, where these add up to the packet, or
    else after start codes. A length of 256 to 511 looks like a start code."""
    places, at = list[tuple[int, int]](), 0
    while at + 4 < len(data):
        start = at + 4
        at = start + int.from_bytes(data[at:start], "big")
        places.append((start, at))
    if at == len(data):
        return places
    marks, at = list[int](), 0
    while (at := data.find(b"\0\0\1", at) + 3) > 2:
        marks.append(at)
    return list(zip(marks, [mark - 3 for mark in marks[1:]] + [len(data)], strict=True)) if marks else []


def _messages(data: bytes) -> list[tuple[int, bytes]]:
    """Type and payload of the messages in a unit."""
    data = data.replace(b"\0\0\3", b"\0\0")
    units: list[tuple[int, bytes]] = []
    at = 0
    while at + 2 < len(data) and data[at] != 0x80:
        figures = []
        for _ in range(2):
            figure = 0
            while at < len(data) and data[at] == 255:
                figure, at = figure + 255, at + 1
            if at >= len(data):
                return units
            figures.append(figure + data[at])
            at += 1
        units.append((figures[0], data[at : at + figures[1]]))
        at += figures[1]
    return units


def _exp_golomb(payload: bytes, signed: bool) -> int:
    bits = "".join(f"{byte:08b}" for byte in payload[:8])
    zeros = len(bits) - len(bits.lstrip("0"))
    if 2 * zeros + 1 > len(bits):
        return 0
    figure = int(bits[zeros : 2 * zeros + 1], 2) - 1
    return figure if not signed else (figure + 1) // 2 * (1 if figure % 2 else -1)
