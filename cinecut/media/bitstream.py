"""What the head of a packet tells without decoding it: gradual refresh, and the shape of the pictures.

Some packets of H.264 and HEVC are marked as key frames, but do not decode to a whole picture. Screen capture and streaming spread the renewal of the picture over many pictures. A message in the stream, the recovery
point (H.264 D.2.8, HEVC D.3.8), says how many pictures it takes from there until all of one is right.
"""

from __future__ import annotations

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


def _head(packet: Any) -> bytes:
    return bytes(memoryview(packet)[:_LOOKED_AT])


def _units(packet: Any, codec: str) -> list[tuple[int, bytes]]:
    """Type and bytes of the NAL units in the head of a packet: after start codes, or after lengths of four bytes."""
    data, units = _head(packet), list[bytes]()
    if data[:3] == b"\0\0\1" or data[:4] == b"\0\0\0\1":
        units = [unit.rstrip(b"\0") for unit in data.split(b"\0\0\1")]
        data = b""
    while len(data) > 4 and (length := int.from_bytes(data[:4], "big")):
        units.append(data[4 : 4 + length])
        data = data[4 + length :]
    return [(unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63, unit) for unit in units if unit]


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
