"""Stretches of a film whose packets are there but show nothing: damaged, scrambled, or of another codec than the rest.

A decoder passes over them, and the picture before them stays on screen. For a moment that is what every player does;
for longer, nobody meant it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

import av.error

from cinecut.diagnostics import Stop
from cinecut.language.timebase import FilmRange, clock
from cinecut.media.open import open_media, packets_of, picture_stream

_HELD = Fraction(1)  # seconds for which one picture may stand in the place of others


def check_pictures(film: Path, seen: FilmRange, packets: Iterable[Fraction], pictures: Iterable[Fraction]) -> None:
    """Raise Stop where what is seen of a film has packets but no picture for longer than a moment; the times of both
    are seconds of the film."""
    start, end = seen.start.seconds, seen.end.seconds
    packet_times = sorted(packets)
    for before, after in pairwise([start, *sorted(at for at in pictures if start < at < end), end]):
        between = [at for at in packet_times if before < at < after]
        if between and between[-1] - before > _HELD:
            message = f"{film} holds nothing that can be decoded from {clock(between[0])} to {clock(after)}"
            hint = f"the shot of {clock(start)} to {clock(end)} would show one picture all the while: take another one"
            raise Stop("unreadable", message, hint, "the film may be damaged there, or of another codec: does it play?")


def check_reel(reel: Path, epoch: Fraction, film: Path, seen: FilmRange) -> None:
    """Raise Stop where a reel that was written does not decode as a whole; a film's first picture is at `epoch`."""
    packets, pictures = list[Fraction](), list[Fraction]()
    with open_media(reel) as media:
        video = picture_stream(media, reel)
        base = Fraction(video.time_base or 1)
        for packet in chain(packets_of(media, video), [None]):
            packets += [packet.pts * base - epoch] if packet is not None and packet.pts is not None else []
            try:
                frames = video.codec_context.decode(packet)
            except av.error.FFmpegError:
                continue
            pictures += [frame.pts * base - epoch for frame in frames if frame.pts is not None]
    check_pictures(film, seen, packets, pictures)
