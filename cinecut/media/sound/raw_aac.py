"""AAC whose header is right for a part of it only: films joined without encoding keep the header of the first of them.

MP4, Matroska, FLV and others say once for all how many channels a stream of AAC has, and at what rate. What comes after
a joint may have others. A decoder takes it for what the header says: a channel that is not there stands still and
buzzes, other bands are silent. The first element of a packet tells mono from stereo, the time from one packet to the
next tells the rate (ISO 14496-3, 1.6.2.1 and 4.4.2.1).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import av.error

from cinecut.media.bitstream import bits_of

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_SINGLE, _PAIR, _DATA, _FILL = 0, 1, 4, 6  # elements
_SURROUND = range(3, 8)  # ways to set up channels of which the first one is the centre
_LENGTH = Fraction(1024)  # samples
_AHEAD = 32  # packets by whose times a rate is known
_MOST = 28  # of them that are as long as it says: others may be lost, or stamped by a clock that trembles
_NEAR = Fraction(1, 24)  # by which one may be off, half of the way from 44100 to 48000 Hz
_SURE = Fraction(1, 100)  # by which their mean may be


def raw_aac(stream: Any, own: Any) -> RawAac | None:
    """What decodes a stream whose header is stored once; None for any other one."""
    context = stream.codec_context
    plain = context.name == "aac" and len(bytes(context.extradata or b"")) >= 2
    header = RawAac(stream, context if own is None else own) if plain else None
    return header if header is not None and header.known else None


class RawAac:
    """Decodes the packets of `read`, each as it is by itself; `own` decodes those that the header is right for."""

    def __init__(self, stream: Any, own: Any) -> None:
        self._own, self._header = own, bytes(stream.codec_context.extradata)
        bits = f"{int.from_bytes(self._header[:2], 'big'):016b}"
        self._rate, self._channels = int(bits[5:9], 2), int(bits[9:13], 2)  # by their numbers
        self.known = int(bits[:5], 2) == _LOW_COMPLEXITY and self._rate < len(_RATES)
        self._now = self._rate
        self._tick = Fraction(stream.time_base)
        self._lengths = [_LENGTH / rate / self._tick for rate in _RATES]  # of packets, in ticks
        self._usual = [
            (math.ceil(2 * (1 - _NEAR) * each), math.floor(2 * (1 + _NEAR) * each)) for each in self._lengths
        ]
        self._rounded = int(self._tick > _FINE)
        self._others = dict[tuple[int, int], Any]()

    def read(self, packets: Iterator[Any]) -> Iterator[Any]:
        """The packets, each to be decoded before the next one is read."""
        ahead = deque[Any]()
        for packet in packets:
            ahead.append(packet)
            if len(ahead) > _AHEAD:
                if not self._goes_on(ahead[0].pts, ahead[2].pts):
                    self._now = self._rate_of([each.pts for each in ahead])
                yield ahead.popleft()
        yield from ahead

    def decode(self, packet: Any) -> list[av.AudioFrame]:
        """Raises av.error.FFmpegError where a packet is damaged."""
        for channels in self._fitting(packet):
            try:
                return list(self._other(channels).decode(packet))
            except av.error.FFmpegError:  # it holds other elements
                continue
        return list(self._own.decode(packet))

    def _fitting(self, packet: Any) -> tuple[int, ...]:
        """The ways to set up channels that a packet may have, if not the header's: of two single ones it is that."""
        first = _first_element(packet) if packet.size else None
        if self._channels == _STEREO and first == _SINGLE:
            return (_MONO, *_SURROUND)
        if self._channels in (_MONO, *_SURROUND) and first == _PAIR:
            return (_STEREO,)
        return (self._channels,) if self._now != self._rate else ()

    def _other(self, channels: int) -> Any:
        """A decoder for other channels than the header's, or for another rate."""
        if (self._now, channels) not in self._others:
            decoder: Any = av.CodecContext.create("aac", "r")
            head = int.from_bytes(self._header[:2], "big") & ~0x7F8
            decoder.extradata = (head | self._now << 7 | channels << 3).to_bytes(2, "big")
            self._others[self._now, channels] = decoder
        return self._others[self._now, channels]

    def _goes_on(self, start: int | None, end: int | None) -> bool:
        """Whether two packets between these stamps are as long as those before, as nearly all are."""
        first, last = self._usual[self._now]
        return start is not None and end is not None and first <= end - start <= last

    def _rate_of(self, stamps: list[int | None]) -> int:
        """The rate of the first of some packets, by when the next ones come; as before where that is not sure."""
        known = [stamp for stamp in stamps if stamp is not None]
        if len(known) < len(stamps) or self._tick > _ROUGH:
            return self._now
        one = Fraction(known[2] - known[0], 2)
        nearest = min(range(len(_RATES)), key=lambda number: abs(one - self._lengths[number]))
        length = self._lengths[nearest]
        slack = _NEAR * length + self._rounded
        like = [each for at, after in pairwise(known) if abs((each := after - at) - length) <= slack]
        sure = len(like) >= _MOST and abs(sum(like) - len(like) * length) <= _SURE * len(like) * length
        return nearest if sure else self._now


_MONO, _STEREO, _LOW_COMPLEXITY = 1, 2, 2
_FINE = Fraction(1, 8000)  # seconds: a clock with longer ticks does not tell one sample from the next
_ROUGH = Fraction(1, 1000)  # and one with longer ones than this, which AVI has, does not tell one rate from another


def _first_element(packet: Any) -> int:
    """The kind of the first element of a packet that holds sound."""
    kind = memoryview(packet)[0] >> 5
    if kind not in (_DATA, _FILL):
        return kind
    bits, at = bits_of(bytes(memoryview(packet)[:_LOOKED_AT])), 0
    while at + 24 < len(bits):
        kind = int(bits[at : at + 3], 2)
        if kind == _FILL:
            count = int(bits[at + 3 : at + 7], 2)
            at += 7
            if count == 15:
                count += int(bits[at : at + 8], 2) - 1
                at += 8
            at += 8 * count
        elif kind == _DATA:
            aligned, count = bits[at + 7] == "1", int(bits[at + 8 : at + 16], 2)
            at += 16
            if count == 255:
                count += int(bits[at : at + 8], 2)
                at += 8
            at = (-(-at // 8) * 8 if aligned else at) + 8 * count
        else:
            return kind
    return _END


_END = 7
_LOOKED_AT = 320  # bytes: what encoders say of themselves comes first
