"""The onsets of a song, and the evidence of every tempo in them.

Evidence: Fourier tempogram of the onset envelope (Grosche and Müller, 2011); a tempo has the sum of its own line and
the lines of its eighths and sixteenths. Constant grid: the windows of the tempogram are summed with their phases. This
gives the tempo of the whole song to about 0.001 %, and how well the song keeps it (`coherence`). Changing tempo: the
best path through the tempogram. All floats are seconds, Hz or frames inside one computation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.song.onsets import FINE_FPS, FPS, HIGH_BANDS, LOW_BANDS, SongSound

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

TEMPO_FPS = 50  # frames per second of the tempogram's envelope
WINDOW = 10.0  # seconds of a tempogram window
_PAD = 8192  # points of its transform: steps of 0.37 beats per minute
_SLOWEST, _FASTEST = 30.0, 300.0  # beats per minute
_MISSED = 0.06  # seconds by which a player misses a beat at most
_SUPPORT = {1: 1.0, 2: 0.5, 4: 0.25}  # weights of the lines of the beat, its half and its quarter


@dataclass(frozen=True, slots=True)
class Envelopes:
    """Onset strength at FPS, of all bands and of three groups (kick and bass; voices and snare; hats), normalised so
    that soft passages count fully."""

    all: Array
    low: Array
    mid: Array
    high: Array


@dataclass(frozen=True, slots=True)
class Tempogram:
    """Strength of every tempo in every window: `magnitude` [windows, lines], `hertz` [lines], `centers` [windows] s."""

    magnitude: Array
    hertz: Array
    centers: Array


@dataclass(frozen=True, slots=True)
class SteadyBeat:
    """A constant pulse.

    coherence   0..1, how well the phases of all windows agree with one tempo over the whole song
    centers     [windows] s
    agreement   [windows] -1..1, the coherence of every window
    """

    hertz: float
    coherence: float
    centers: Array
    agreement: Array


def envelopes(sound: SongSound) -> Envelopes:
    """Log-compressed spectral flux over 10 ms (Böck's SuperFlux without its maximum filter)."""
    loud = float(np.percentile(sound.bands.max(axis=1), 95)) + 1e-9
    level = np.log1p(sound.bands * np.float32(300.0 / loud))
    rise = np.zeros_like(level)
    rise[1:-1] = np.maximum(level[2:] - level[:-2], 0.0)
    groups = (slice(None), slice(LOW_BANDS), slice(LOW_BANDS, HIGH_BANDS), slice(HIGH_BANDS, None))
    return Envelopes(*(_levelled(rise[:, group].mean(axis=1)) for group in groups))


def tempogram(envelope: Array) -> Tempogram:
    """The tempogram in windows of WINDOW seconds (or a shorter song's length), one each second."""
    group = FPS // TEMPO_FPS
    slow = envelope[: envelope.size // group * group].reshape(-1, group).mean(axis=1)
    size = min(int(WINDOW * TEMPO_FPS), slow.size)
    windows = np.lib.stride_tricks.sliding_window_view(slow, size)[::TEMPO_FPS]
    windows = windows - windows.mean(axis=1, keepdims=True)
    energy = np.linalg.norm(windows, axis=1, keepdims=True)
    lines = np.abs(np.fft.rfft(windows * np.hanning(size), _PAD, axis=1)) / (energy + 1e-9)
    centers = np.arange(len(windows)) + size / TEMPO_FPS / 2
    return Tempogram(lines, np.arange(lines.shape[1]) * TEMPO_FPS / _PAD, centers)


def tempo_scores(gram: Tempogram) -> tuple[Array, Array]:
    """Every considered tempo in Hz [n], and its evidence in every window [windows, n]."""
    step = gram.hertz[1]
    index = np.arange(int(_SLOWEST / 60 / step), int(_FASTEST / 60 / step))
    scores = sum(weight * gram.magnitude[:, index * factor] for factor, weight in _SUPPORT.items())
    return gram.hertz[index], np.asarray(scores)


def constant_grid(env: Envelopes, hertz: float) -> SteadyBeat:
    """The constant pulse within 1.5 % of `hertz` that fits the whole song best."""
    centers, parts = demodulated(env.all, hertz)
    span = env.all.size / FPS
    reach = 0.01 * hertz + 0.3 / span  # the uncertainty of the tempogram
    shifts = np.linspace(-reach, reach, 2 * int(np.ceil(reach * span * 16)) + 1)
    score = np.zeros(shifts.size)
    for factor, part in parts.items():
        score += np.abs(np.exp(-2j * np.pi * factor * np.outer(shifts, centers)) @ part) ** 2
    best = _peak(score)
    exact = hertz + float(np.interp(best, np.arange(shifts.size), shifts))
    centers, parts = demodulated(env.all, exact)
    agreement, weight = np.zeros(centers.size), np.zeros(centers.size)
    for part in parts.values():
        whole = part.sum()
        agreement += np.real(part * np.conj(whole)) / (abs(whole) + 1e-12)
        weight += np.abs(part)
    coherence = float(agreement.sum() / (weight.sum() + 1e-12))
    return SteadyBeat(exact, coherence, centers, agreement / (weight + 1e-12))


def misses(env: Envelopes, beats: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Seconds from each beat to the onset that a player made of it [beats], 0 without one; and which beats have one."""
    period = float(np.median(np.diff(beats)))
    reach = int(min(_MISSED, period / 8) * FPS)
    blur = np.hanning(7) / np.hanning(7).sum()
    strength = np.convolve(env.all + 1.5 * env.low, blur, "same")
    around = np.clip(np.round(beats * FPS).astype(int)[:, None] + np.arange(-reach, reach + 1), 0, strength.size - 1)
    near = strength[around]
    peak = near.argmax(axis=1)
    struck = near.max(axis=1) > 0.5 * np.median(near.max(axis=1))
    struck &= (peak > 0) & (peak < 2 * reach)
    onsets = (np.round(beats * FPS) + peak - reach) / FPS
    return np.where(struck, onsets - beats, 0.0), struck


def attack_offset(sound: SongSound, beats: Array) -> float:
    """Seconds from tracked beats to their attacks: of the mean attack over all beats, at a resolution of 1 ms.

    Window and smoothing move the peaks of onset envelopes some milliseconds off the attack; the fine loudness curve is
    exact.
    """
    reach = FINE_FPS // 25
    level = np.log(sound.fine / (np.percentile(sound.fine, 99.5) + 1e-20) + 1e-4)
    centers = np.round(beats * FINE_FPS).astype(int)
    centers = centers[(centers > 2 * reach) & (centers < level.size - 2 * reach)]
    if centers.size < 4:
        return 0.0
    around = np.arange(-reach - 12, reach + 13)
    mean = level[centers[:, None] + around].mean(axis=0)
    rise = mean[4:] - mean[:-4]  # over 4 ms
    rise = np.convolve(rise, np.hanning(17), "same")
    peak = int(np.argmax(rise))
    return float(around[peak] + 2) / FINE_FPS


def _levelled(flux: Array) -> Array:
    """The flux above its mean of one second, divided by its strength over eight seconds."""
    above = np.maximum(flux - _smooth(flux, FPS), 0.0)
    strength = np.sqrt(_smooth(np.square(above), 8 * FPS))
    return np.asarray(above / np.maximum(strength, 0.1 * strength.max() + 1e-9), np.float64)


def _smooth(signal: Array, size: int) -> Array:
    """The running mean over `size` frames, fewer at the ends."""
    total = np.concatenate([[0.0], np.cumsum(signal, dtype=np.float64)])
    position = np.arange(signal.size)
    left, right = np.maximum(position - size // 2, 0), np.minimum(position + size // 2 + 1, signal.size)
    return np.asarray((total[right] - total[left]) / (right - left))


def demodulated(envelope: Array, hertz: float) -> tuple[Array, dict[int, Complex]]:
    """Centers of the windows [windows] s, and by factor the complex lines at 1, 2 and 4 times `hertz` [windows]."""
    size = max(1, min(int(WINDOW * FPS), envelope.size // 4))
    hop = max(1, size // 10)
    taper = np.hanning(size)
    moments = np.arange(envelope.size) / FPS
    centers = (np.arange((envelope.size - size) // hop + 1) * hop + size / 2) / FPS
    flat = envelope - envelope.mean()
    parts: dict[int, Complex] = {}
    for factor in _SUPPORT:
        turned = flat * np.exp(-2j * np.pi * factor * hertz * moments)
        parts[factor] = np.asarray(np.lib.stride_tricks.sliding_window_view(turned, size)[::hop] @ taper, np.complex128)
    return centers, parts


def _peak(score: Array) -> float:
    """The index of the maximum, interpolated by a parabola."""
    top = int(np.argmax(score))
    if not 0 < top < score.size - 1:
        return float(top)
    left, middle, right = score[top - 1 : top + 2]
    bend = left - 2 * middle + right
    return top + (0.5 * float((left - right) / bend) if bend else 0.0)


def tempo_path(hertz: Array, scores: Array) -> Array:
    """The tempo of every window in Hz, with most evidence and few jumps (Viterbi over 96 tempi an octave)."""
    octaves = np.log2(hertz)
    steps = np.arange(octaves[0], octaves[-1], 1 / 96)
    table = np.array([np.interp(steps, octaves, row) for row in scores])
    jump = np.minimum(np.abs(steps[:, None] - steps[None, :]) * 24, 1.5)  # a jump of any size costs at most 1.5
    total, back = table[0], np.zeros((len(table), steps.size), int)
    for row in range(1, len(table)):
        options = total[:, None] - jump
        back[row] = np.argmax(options, axis=0)
        total = options[back[row], np.arange(steps.size)] + table[row]
    path = [int(np.argmax(total))]
    for row in range(len(table) - 1, 0, -1):
        path.append(int(back[row][path[-1]]))
    return np.asarray(2.0 ** steps[path[::-1]])
