"""The pulse of a song: one constant tempo, that of several pieces, or turns that follow a player.

    onset envelopes ─ tempogram and autocorrelation ─ candidates ─┬─ constant grid ─┬─ which folds the onsets sharper?
                                                                  └─ path, phases ──┘

The tempogram (Grosche and Müller, 2011) is strong at a tempo and its multiples, the autocorrelation at a tempo and its
fractions; their product (after Peeters, 2006) is strong at the beat and its octaves. Which of them is the beat, and
where it begins, is decided in `counting`. All floats are seconds, Hz or frames inside one computation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.song import tempogram
from cinecut.analysis.song.onsets import FPS
from cinecut.analysis.song.splices import spliced
from cinecut.analysis.song.tempogram import Envelopes, SteadyBeat, Tempogram

Array = NDArray[np.float64]

_USUAL = 2.0  # Hz, and an octave from it a candidate counts for 0.6
_CANDIDATES = 4
_SAME = 0.03  # share by which two candidates differ at least
_INCOHERENT = 0.2  # worth of a candidate without any coherence, against 1 for one that holds over the whole song
_SLOWEST = 80 / 60  # Hz: turns are counted in the octave above it
_REACH = 1.35  # times the tempo, both ways: how far a changing tempo is followed, less than half an octave
_SHARPER = 1.7  # times as sharp a fold shows a changing tempo: a player's misses reach 1.5, slow drifts begin at 1.9
_BARELY = 1.15  # times as sharp shows it where a part of the song has another tempo
_WANDERS = 0.015  # a window's tempo that is this far from the grid's is another tempo
_WANDERING = 0.05  # of the windows
_FOLLOWED, _FREE = 0.01, 0.03  # change of tempo a second: drifts stay under half the first, rubato is above the second
_DOUBTED = 0.7  # share of its standing that a tempo loses which is that free
_AS_SHARP = 0.9  # of that of a changing tempo, the least sharpness of pieces: drifts leave them under 0.6
_JOINED = 0.5  # share of its standing that the pulse of pieces keeps: their bars may not meet where their beats do
_FOLDED = 24  # bins of a turn for that fold
_WINDOWS = (8.0, 4.0)  # seconds over which the phase of a changing tempo is measured, first coarsely
_PULSE, _CLEAR = 2.0, 3.0  # times the median of the tempogram: speech stays under the first, songs reach the second
_FLAT, _SHARP = 0.025, 0.05  # sharpness of a constant pulse: noise and speech stay under the first
_EVEN = 1e-9


@dataclass(frozen=True, slots=True)
class Pulse:
    """`turns` [frames at FPS] grows by one each period; `hertz` is its constant rate, None where it changes or the
    song was cut; `standing`
    (0..1) is how far the pulse stands above noise; `alike` [frames] is the autocorrelation of the onsets."""

    turns: Array
    hertz: float | None
    standing: float
    gram: Tempogram
    alike: Array


def find_pulse(env: Envelopes) -> Pulse | None:
    """The pulse of a song's onsets, between 80 and 160 turns a minute; None without one."""
    gram = tempogram.tempogram(env.all)
    hertz, scores = tempogram.tempo_scores(gram)
    alike = autocorrelation(env.all)
    rates = candidates(hertz, scores.mean(axis=0), alike)
    floor = float(np.median(scores))
    if not rates or floor <= 0:
        return None
    grids = [(weight, tempogram.constant_grid(env, rate)) for rate, weight in rates]
    _, grid = max(grids, key=lambda pair: pair[0] * (_INCOHERENT + pair[1].coherence))
    constant = np.arange(env.all.size) / FPS * grid.hertz
    near = (hertz > grid.hertz / _REACH) & (hertz < grid.hertz * _REACH)
    path = tempogram.tempo_path(hertz[near], scores[:, near])
    changing = _follow(env, gram, path)
    sharp, follows = _sharpness(env, constant), _sharpness(env, changing)
    gain = follows / (sharp + 1e-9)
    cut = spliced(env, grid.hertz)
    if cut and (joined := _sharpness(env, cut.turns)) > max(sharp, _AS_SHARP * follows):
        standing = _between(joined * cut.coherence, _FLAT, _SHARP) * cut.coherence * _JOINED
        return Pulse(cut.turns, None, standing, gram, alike) if standing else None
    if gain < _SHARPER and not (gain > _BARELY and _wanders(gram, scores, path, grid)):
        standing = _between(sharp * grid.coherence, _FLAT, _SHARP) * grid.coherence
        return Pulse(constant, grid.hertz, standing, gram, alike) if standing else None
    along = [np.interp(rate, hertz, row) for rate, row in zip(path, scores, strict=True)]
    standing = _between(float(np.median(along)) / floor, _PULSE, _CLEAR)
    standing *= 1 - _DOUBTED * _between(_freedom(changing), _FOLLOWED, _FREE)
    return Pulse(changing, None, standing, gram, alike) if standing else None


def autocorrelation(envelope: Array) -> Array:
    """The autocorrelation of an envelope [frames], 1 at no lag, smoothed over 30 ms."""
    flat = envelope - envelope.mean()
    products = np.fft.irfft(np.abs(np.fft.rfft(flat, 2 * flat.size)) ** 2)[: flat.size]
    window = np.hanning(11)
    return np.convolve(products / (products[0] + 1e-9), window / window.sum(), "same")


def candidates(hertz: Array, evidence: Array, alike: Array) -> list[tuple[float, float]]:
    """The most evident rates of a pulse in Hz, all in the octave from 80 a minute on, with their weights."""
    lags = np.interp(FPS / hertz, np.arange(alike.size), alike, right=0.0)
    weight = evidence * np.maximum(lags, 0.0) * np.exp(-0.5 * np.log2(hertz / _USUAL) ** 2)
    inner = weight[1:-1]
    peaks = 1 + np.flatnonzero((inner > weight[:-2]) & (inner >= weight[2:]))
    best: list[tuple[float, float]] = []
    for peak in peaks[np.argsort(-weight[peaks])]:
        rate = hertz[peak] * _octave_of(hertz[peak])
        if all(abs(rate / other - 1) > _SAME for other, _ in best):
            best.append((float(rate), float(weight[peak])))
    return best[:_CANDIDATES]


def _octave_of(hertz: float) -> float:
    """The power of two by which a rate comes into the octave from 80 a minute on."""
    return float(2.0 ** np.ceil(np.log2(_SLOWEST / hertz)))


def _follow(env: Envelopes, gram: Tempogram, path: Array) -> Array:
    """The turns of a tempo that follows `path` [windows] Hz: its integral, then the phases of the onsets against it."""
    frames = np.arange(env.all.size)
    turns = np.cumsum(np.interp(frames / FPS, gram.centers, path)) / FPS
    flat = env.all - env.all.mean()
    for seconds in _WINDOWS:
        size, hop = int(seconds * FPS), FPS // 2
        if size > frames.size:
            break
        taper, starts = np.hanning(size), np.arange(0, frames.size - size + 1, hop)
        lines = {}
        for factor in (1, 2, 4):  # the beat, its half, its quarter: whichever is played
            turned = flat * np.exp(-2j * np.pi * factor * turns)
            lines[factor] = np.array([taper @ turned[start : start + size] for start in starts])
        factor = max(lines, key=lambda one: float(np.abs(lines[one]).sum()))
        phase = np.unwrap(np.angle(lines[factor])) / (2 * np.pi * factor)
        turns = turns + np.interp(frames, starts + size / 2, phase)
    return np.asarray(np.maximum.accumulate(turns) + frames * _EVEN)


def _wanders(gram: Tempogram, scores: Array, path: Array, grid: SteadyBeat) -> bool:
    """Whether a part of the song has another tempo: its windows are off the grid in tempo and in phase."""
    hertz, _ = tempogram.tempo_scores(gram)
    along = np.array([np.interp(rate, hertz, row) for rate, row in zip(path, scores, strict=True)])
    clear = along > _PULSE * float(np.median(scores))
    agreement = np.interp(gram.centers, grid.centers, grid.agreement)
    wandering = (agreement < 0.5) & (np.abs(path / grid.hertz - 1) > _WANDERS)
    return bool(clear.any() and wandering[clear].mean() > _WANDERING)


def _freedom(turns: Array) -> float:
    """The share by which the tempo of `turns` [frames] changes in a second, on average."""
    rate = np.diff(turns[::FPS])
    return float(np.abs(np.diff(np.log(np.maximum(rate, _EVEN)))).mean()) if rate.size > 1 else 0.0


def _sharpness(env: Envelopes, turns: Array) -> float:
    """The variance of the onsets, folded over two turns, against that of all, 0..1."""
    bins = 2 * _FOLDED
    place = np.floor(turns * _FOLDED).astype(int) % bins
    folded = np.bincount(place, env.all, bins) / (np.bincount(place, minlength=bins) + 1e-9)
    ring = np.convolve(np.concatenate([folded[-2:], folded, folded[:2]]), [0.25, 0.5, 0.25], "same")[2:-2]
    return float(ring.var() / (env.all.var() + 1e-9))


def _between(value: float, none: float, full: float) -> float:
    return float(np.clip((value - none) / (full - none), 0.0, 1.0))
