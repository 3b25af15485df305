"""Stretches of a film whose packets are there but show nothing: damaged, scrambled, or of another codec than the rest.

A decoder passes over them, and the picture before them stays on screen. For a moment that is what every player does;
for longer, nobody meant it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av.error
from av.video.frame import VideoFrame

from cinecut.diagnostics import Stop
from cinecut.language.timebase import FilmRange, clock
from cinecut.media.open import open_media, packets_of, picture_stream

_MOMENT = Fraction(1)  # seconds; of shorter shots three quarters
_SHOWN = Fraction(1, 4)  # of a moment's packets show a picture, at least: two fields make one, and decoders guess some


def pictures_of(packet: Any, decoder: Any) -> list[VideoFrame]:
    """What a packet, or with None what is left, decodes to; nothing where it is damaged."""
    for _ in range(2):
        try:
            return list(decoder.decode(packet))
        except av.error.BlockingIOError:  # VP9: it takes no other packet after some that did not decode
            decoder.flush_buffers()
        except (av.error.FFmpegError, ValueError):
            break
    return []


def check_pictures(film: Path, seen: FilmRange, packets: Iterable[Fraction], pictures: Iterable[Fraction]) -> None:
    """Raise Stop where what is seen of a film has packets but next to no pictures for longer than a moment; the times
    of both are seconds of the film."""
    start, end = seen.start.seconds, seen.end.seconds
    stamps, shown = sorted(packets), sorted(pictures)
    lost, moment = {*stamps} - {*shown}, min(_MOMENT, (end - start) * 3 / 4)
    bad = [at for at in stamps if at in lost and start <= at <= end - moment and _is_bad(stamps, shown, at, moment)]
    if bad:
        message = f"{film} holds next to nothing that can be decoded from {clock(bad[0])} to {clock(bad[-1] + moment)}"
        hint = f"the shot of {clock(start)} to {clock(end)} would show a picture that stands: take another one"
        raise Stop("unreadable", message, hint, "the film may be damaged there, or of another codec: does it play?")


def _is_bad(stamps: list[Fraction], shown: list[Fraction], at: Fraction, moment: Fraction) -> bool:
    """Whether next to no packets of the moment that begins at one show a picture; both lists rise."""
    read, seen = (bisect_left(times, at + moment) - bisect_left(times, at) for times in (stamps, shown))
    return seen < _SHOWN * read


def check_reel(reel: Path, epoch: Fraction, film: Path, seen: FilmRange) -> None:
    """Raise Stop where a reel that was written does not decode as a whole; a film's first picture is at `epoch`."""
    packets, pictures = list[Fraction](), list[Fraction]()
    with open_media(reel) as media:
        video = picture_stream(media, reel)
        base = Fraction(video.time_base or 1)
        for packet in chain(packets_of(media, video), [None]):
            packets += [packet.pts * base - epoch] if packet is not None and packet.pts is not None else []
            frames = pictures_of(packet, video.codec_context)
            pictures += [frame.pts * base - epoch for frame in frames if frame.pts is not None]
    check_pictures(film, seen, packets, pictures)
