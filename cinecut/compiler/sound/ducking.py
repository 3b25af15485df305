"""Lowering sounds: music under voices and lines, the film under voices, everything in a silence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from cinecut.compiler.layout.ruler import Sounding
from cinecut.compiler.layout.soundtrack import Duck, Soundtrack
from cinecut.graph import sounds
from cinecut.graph.nodes import Pad, split
from cinecut.graph.sounds import Laid
from cinecut.language.timebase import SAMPLE_RATE

_ATTACK, _RELEASE = Fraction(15, 100), Fraction(40, 100)  # seconds
_AHEAD, _HOLD = Fraction(5, 100), Fraction(5, 100)  # seconds: before a voice it is going down, after it still down
TAIL = SAMPLE_RATE * 4 // 10  # samples in which what sounds before a silence dies away


def duck(pad: Pad, ducks: Iterable[Duck], samples: int, label: str) -> Pad:
    """Lower a sound by the ducks' depths, with an envelope computed from their known places instead of the signal. Each
    duck has its own clock, so its place affects only the gap before it."""
    pieces = [_piece(each, samples, f"{label}_duck") for each in _merged(ducks)]
    if not pieces:
        return pad
    return sounds.multiply(pad, sounds.lay(pieces, samples, f"{label}_duck", sounds.ones), label)


def _piece(duck: Duck, samples: int, label: str) -> Laid:
    start = duck.place.start - round(_AHEAD * SAMPLE_RATE)
    end = duck.place.end + round((_HOLD + _RELEASE) * SAMPLE_RATE)
    begin = max(0, start)
    heard = min(end, samples) - begin
    share = 1 - 10 ** (-float(duck.depth) / 20)
    gone = f"(t+{(begin - start) / SAMPLE_RATE:.9g})" if begin > start else "t"
    ramps = f"min({gone}/{float(_ATTACK):g},({(end - begin) / SAMPLE_RATE:.9g}-t)/{float(_RELEASE):g})"
    return Laid(begin, heard, sounds.synthesis(f"1-{share:.6f}*clip({ramps},0,1)", heard, label))


def corners(ducks: Iterable[Duck]) -> list[tuple[tuple[int, Fraction], ...]]:
    """Each duck's envelope as (sample, dB) corners, for programs that draw it themselves."""
    corners: list[tuple[tuple[int, Fraction], ...]] = []
    for duck in _merged(ducks):
        start = duck.place.start - round(_AHEAD * SAMPLE_RATE)
        end = duck.place.end + round((_HOLD + _RELEASE) * SAMPLE_RATE)
        down, up = start + round(_ATTACK * SAMPLE_RATE), end - round(_RELEASE * SAMPLE_RATE)
        level, whole = -duck.depth, Fraction(0)
        corners.append(((start, whole), (down, level), (max(down, up), level), (end, whole)))
    return corners


def _merged(ducks: Iterable[Duck]) -> list[Duck]:
    """Ducks that touch, including their ramps, joined into one as deep as the deepest."""
    room = round((_AHEAD + _HOLD + _RELEASE) * SAMPLE_RATE)
    merged: list[Duck] = []
    for duck in sorted(ducks, key=lambda duck: duck.place.start):
        if merged and duck.place.start <= merged[-1].place.end + room:
            last = merged.pop()
            place = Sounding(last.place.start, max(last.place.end, duck.place.end))
            duck = Duck(place, max(last.depth, duck.depth))
        merged.append(duck)
    return merged


def hush(pad: Pad, track: Soundtrack, label: str) -> Pad:
    """Silence where the spec asks for it: sound before it fades into it, and returns in full right after it."""
    if not track.silences:
        return pad
    bounds = [0, *[edge for silence in track.silences for edge in (silence.start, silence.end)], track.samples]
    heard = [(start, end) for start, end in list(pairwise(bounds))[::2] if end > start]
    rooms = {silence.start: min(TAIL, silence.length) for silence in track.silences}
    laid = []
    for (start, end), copy in zip(heard, split(pad, len(heard), label), strict=True):
        tail = rooms.get(end, 0)
        length = end + tail - start
        part = sounds.exact_length(sounds.trim_samples(copy, start, end + tail, label), length, label)
        laid.append(Laid(start, length, sounds.sound_fade(part, "out", end - start, tail, label) if tail else part))
    return sounds.lay(laid, track.samples, label)


def lay_into_silences(pieces: Sequence[Laid], track: Soundtrack, label: str) -> Pad:
    """Effects or voices as a stem. A sound that runs into a silence fades out there; a sound placed inside a silence on
    purpose is heard."""
    laid = list(pieces)
    for silence in track.silences:
        tail = min(TAIL, silence.length)
        for index, piece in enumerate(laid):
            if piece.start < silence.start < piece.start + piece.samples - tail:
                length = silence.start + tail - piece.start
                pad = sounds.exact_length(piece.pad, length, label)
                laid[index] = Laid(piece.start, length, sounds.sound_fade(pad, "out", length - tail, tail, label))
    return sounds.lay(laid, track.samples, label)
