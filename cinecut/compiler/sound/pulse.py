"""The synthesized pulse, for a trailer without a song: a drone, a kick and ticks on the beat, growing from act to act.

Its beats fall where the cuts do: each on the first sample of the frame that is nearest to the exact beat.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from cinecut.compiler.layout.ruler import sample_at
from cinecut.compiler.layout.soundtrack import PlacedPulse
from cinecut.compiler.layout.timeline import Placed, Timeline
from cinecut.graph import sounds
from cinecut.graph.nodes import Pad
from cinecut.graph.sounds import Laid
from cinecut.language.events import Black
from cinecut.language.grid import Grid
from cinecut.language.timebase import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class _Layer:
    """The level of the drone, and level and interval of the kick and the ticks."""

    drone: float
    kick: float = 0
    kick_beats: Fraction = Fraction(1)
    tick: float = 0
    tick_beats: Fraction = Fraction(1, 2)


_BAR = Fraction(0)  # of the grid's metre
_STAGES = (  # how a trailer grows
    _Layer(0.5),
    _Layer(0.7, 0.5, _BAR),
    _Layer(0.8, 0.8, Fraction(1), 0.3, Fraction(1)),
    _Layer(1.0, 1.0, Fraction(1), 0.6, Fraction(1, 2)),
)
_STYLES = {"soft": 0, "steady": 1, "driving": 2}  # how many stages ahead of the softest
_KICK, _DRONE, _TICK = 0.5, 0.16, 0.12  # loudest samples
_ROOT = 55.0  # Hz: A1, the drone's lowest note
_LOW_RATE = 8000  # samples a second that are enough for the drone and the kick
_RAMP = SAMPLE_RATE // 50  # samples in which a stage of the drone starts and ends


def lower_pulse(pulse: PlacedPulse, timeline: Timeline) -> Pad:
    """The pulse as a stem of music, from the trailer's start to where it ends."""
    grid, samples = pulse.grid, pulse.place.length
    pieces = [piece for act, stage in _stages(timeline, pulse.style) for piece in _act(act, stage, timeline, grid)]
    heard = [_cut_off(piece, samples) for piece in pieces if piece.start < samples]
    pad = sounds.volume(sounds.lay(heard, samples, "pulse"), pulse.gain, "pulse")
    return sounds.sound_fade(pad, "out", samples - pulse.fade, pulse.fade, "pulse") if pulse.fade else pad


def _cut_off(piece: Laid, end: int) -> Laid:
    """The piece, cut at the sample at which the pulse ends."""
    length = end - piece.start
    if piece.samples <= length:
        return piece
    return Laid(piece.start, length, sounds.exact_length(piece.pad, length, "pulse"))


def _stages(timeline: Timeline, style: str) -> Iterator[tuple[list[Placed], _Layer]]:
    """The events act by act, each act with its stage; a trailer without acts has one stage. Events before the first act
    belong to it."""
    first = next((placed.act for placed in timeline.events if placed.act is not None), None)
    acts = [list(events) for _, events in groupby(timeline.events, key=lambda placed: placed.act or first)]
    for index, events in enumerate(acts):
        yield events, _STAGES[stage_of(index, len(acts), style)]


def stage_of(act: int, acts: int, style: str) -> int:
    """How far the pulse has grown in an act, counted from 0: 0 to 3."""
    share = act / (acts - 1) if acts > 1 else 0.5
    return min(len(_STAGES) - 1, int(share * 2) + _STYLES[style])


def _act(events: list[Placed], layer: _Layer, timeline: Timeline, grid: Grid) -> Iterator[Laid]:
    """One act; in its black events only the drone plays."""
    start, end = (sample_at(frame, timeline.rate) for frame in (events[0].range.start, events[-1].range.end))
    drone = sounds.synthesis(_drone(layer.drone), end - start, "pulse", _LOW_RATE)
    drone = sounds.sound_fade(drone, "in", 0, min(_RAMP, end - start), "pulse")
    yield Laid(start, end - start, sounds.sound_fade(drone, "out", max(0, end - start - _RAMP), _RAMP, "pulse"))
    for black, run in groupby(events, key=lambda placed: isinstance(placed.event, Black)):
        if black:
            continue
        seen = list(run)
        begin, until = (sample_at(frame, timeline.rate) for frame in (seen[0].range.start, seen[-1].range.end))
        if layer.kick:
            step = layer.kick_beats or Fraction(grid.metre)
            beat = _age(begin, step, timeline.rate, grid, _LOW_RATE)
            kick = sounds.synthesis(f"{layer.kick * _KICK:g}*{_kick(beat)}", until - begin, "pulse", _LOW_RATE)
            yield Laid(begin, until - begin, kick)
        if layer.tick:
            beat = _age(begin, layer.tick_beats, timeline.rate, grid, SAMPLE_RATE)
            yield Laid(begin, until - begin, sounds.synthesis(_tick(layer.tick, beat), until - begin, "pulse"))


def _age(start: int, step: Fraction, rate: Fraction, grid: Grid, samples: int) -> str:
    """An expression that stores the seconds since the last beat in register 0; each beat starts on its frame."""
    period = step * grid.period
    offset = Fraction(start, SAMPLE_RATE) - grid.first  # of the piece's start after beat 0
    # Beats on whole frames come round again: where the piece starts in that round is all that its sound hangs on.
    offset %= period * (period * rate).denominator
    now = f"(t+{float(offset):.12g})"
    # Half a frame ahead, so that a beat which is rounded down is not missed; a thousandth of a sample for the floats.
    early = float(Fraction(1, 2) / rate) + 0.001 / samples
    number = f"floor(({now}+{early:.12g})/{float(period):.15g})"
    first = float(grid.first * rate)
    frame = f"floor({float(period * rate):.15g}*ld(1)+{first:.12g}+0.5)"
    return f"st(1,{number})*0+st(0,{now}+{float(grid.first):.12g}-{frame}/{float(rate):.15g}+1e-9)*0"


def _kick(age: str) -> str:
    """A thump that falls from 110 to 45 Hz."""
    phase = f"{2 * math.pi:.9g}*(45*ld(0)+{65 / 30:.9g}*(1-exp(-30*ld(0))))"
    return f"({age}+gte(ld(0),0)*sin({phase})*exp(-9*ld(0))*min(1,ld(0)/0.0005+0.05))"


def _tick(level: float, age: str) -> str:
    """A short breath of high noise."""
    return f"{level * _TICK:g}*({age}+gte(ld(0),0)*lt(ld(0),0.06)*(2*random(9)-1)*exp(-90*max(0,ld(0))))"


def _drone(level: float) -> str:
    """A low fifth that beats slowly against itself."""
    partials = ((1, 1.0), (1.004, 0.8), (1.5, 0.35), (2.003, 0.25))
    voices = "+".join(f"{share:g}*sin({2 * math.pi * _ROOT * ratio:.9g}*t)" for ratio, share in partials)
    return f"{level * _DRONE:g}*({voices})"
