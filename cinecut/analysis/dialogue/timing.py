"""Whether subtitles match their film's speech: another frame rate or offset is recognised and corrected.

cues, voices ─ correlation over every offset, for each pair of frame rates ─► Timing, and its certainty
cues, words that were heard ─ pairs of words that both have ─ offset of most of them, for each pair of rates ─► Timing
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.subtitles.cues import SubtitleCue
from cinecut.analysis.dialogue.voice_activity import Voices
from cinecut.analysis.dialogue.voice_networks import STEPS
from cinecut.language.timebase import clock

_STEP = 5  # hundredths of a second
_FARTHEST = 300  # seconds of offset that are tried
_SLOW = 20  # seconds: slower changes are ignored
_LIKE, _CLEAR = 0.25, 8.0  # least correlation at the best offset, and its distance from the others in deviations
_BETTER = 1.06  # factor by which another frame rate must fit better than the film's own
_IN_TIME = Fraction(6, 10)  # seconds of offset that are not corrected
_FEWEST = 12  # cues; fewer would fit anywhere
_SUPPORTED = 0.75  # share of fewer cues that begin with a phrase
_ELSEWHERE = 1.5  # seconds between a part and the others that tell another cut
_PARTS, _AROUND = 6, 120  # most parts that are looked for on their own; seconds around each where it may be
_NTSC = Fraction(24000, 1001)
_RATES = ((_NTSC, 25), (25, _NTSC), (24, 25), (25, 24), (_NTSC, 24), (24, _NTSC))  # of the subtitles, of the film


_MAY = "may have another frame rate or be late or early:"


@dataclass(frozen=True, slots=True)
class Timing:
    """The correction of subtitles to their film: times are multiplied by `scale`, then moved by `shift` seconds."""

    scale: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)

    def of(self, cues: Sequence[SubtitleCue]) -> list[SubtitleCue]:
        """The corrected cues."""
        a, b = self.scale, self.shift
        return [replace(cue, start=cue.start * a + b, end=cue.end * a + b) for cue in cues]


@dataclass(frozen=True, slots=True)
class Correction:
    """The correction that subtitles need, and a message for the user, empty if their times are right. `foreign`: their
    words belong to another film. `doubtful`: whether it is unknown if the times are right."""

    timing: Timing
    message: str = ""
    foreign: bool = False
    doubtful: bool = False


def judge(cues: Sequence[SubtitleCue], voices: Voices) -> Correction:
    """The timing that fits the film's voices; no correction if none is certain."""
    if len(cues) < _FEWEST:
        return _few(cues, voices)
    speech = np.zeros(len(voices.loud), np.bool_)
    for phrase in voices.phrases:
        speech[round(phrase.start.seconds * STEPS) : round(phrase.end.seconds * STEPS)] = True
    for evidence in (speech, voices.loud):
        fits = [_fit(cues, evidence, scale) for scale in (Fraction(1), *(Fraction(a) / b for a, b in _RATES))]
        best = max(fits, key=lambda fit: fit.likeness)
        if best.likeness < _BETTER * fits[0].likeness:
            best = fits[0]
        if best.sure:
            return _of_one_cut(_corrected(cues, evidence, best), cues, evidence)
        if best.scale == 1 and abs(best.offset) <= _IN_TIME and best.likeness >= _LIKE:
            return _of_one_cut(Correction(Timing()), cues, evidence)
    reason = "does not match them" if len(voices.phrases) >= _FEWEST else "has too little speech to check them"
    return Correction(Timing(), f"{_MAY} the film's sound {reason}", doubtful=True)


def _few(cues: Sequence[SubtitleCue], voices: Voices) -> Correction:
    """Cues that are too few to be moved: they are in time if most begin with a phrase."""
    starts = [phrase.start.seconds for phrase in voices.phrases]
    supported = sum(any(abs(cue.start - start) <= _IN_TIME for start in starts) for cue in cues)
    if supported >= _SUPPORTED * len(cues):
        return Correction(Timing())
    return Correction(Timing(), f"{_MAY} it has too few lines to check them by the film's sound", doubtful=True)


def _of_one_cut(found: Correction, cues: Sequence[SubtitleCue], evidence: NDArray[np.bool_]) -> Correction:
    """The correction, with a word where a part of the cues clearly lies elsewhere, as with a scene more."""
    ordered = sorted(cues, key=lambda cue: cue.start)
    size = max(_FEWEST, -(-len(ordered) // _PARTS))
    for first in range(0, len(ordered) - size + 1, size):
        part = ordered[first : first + size]
        placed = found.timing.of(part)
        begin = max(Fraction(0), placed[0].start - _AROUND)
        window = evidence[int(begin * STEPS) : int((placed[-1].end + _AROUND) * STEPS)]
        fit = _fit(Timing(shift=-begin).of(placed), window, Fraction(1))
        if fit.clearness >= _CLEAR and abs(fit.offset) > _ELSEWHERE:
            by = f"{float(abs(fit.offset)):.0f} s {'early' if fit.offset > 0 else 'late'}"
            span = f"what stands at {clock(part[0].start, 0)} to {clock(part[-1].end, 0)} is {by}"
            message = f"{found.message}, but {span}" if found.message else f"fits in parts: {span}"
            return replace(found, message=f"{message}: it is of another cut of the film")
    return found


@dataclass(frozen=True, slots=True)
class _Fit:
    scale: Fraction
    offset: Fraction
    likeness: float
    clearness: float

    @property
    def sure(self) -> bool:
        return self.likeness >= _LIKE and self.clearness >= _CLEAR


def _fit(cues: Sequence[SubtitleCue], evidence: NDArray[np.bool_], scale: Fraction) -> _Fit:
    spoken = evidence[: len(evidence) // _STEP * _STEP].reshape(-1, _STEP).mean(axis=1)
    shown = np.zeros(len(spoken))
    steps = scale * STEPS / _STEP
    for cue in cues:
        shown[max(0, round(cue.start * steps)) : max(0, round(cue.end * steps))] = 1
    a, b = _quick_changes(spoken), _quick_changes(shown)
    scatter = float(np.linalg.norm(a) * np.linalg.norm(b))
    if scatter == 0:
        return _Fit(scale, Fraction(0), 0.0, 0.0)
    size = 1 << (2 * len(a)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size) / scatter
    reach = min(_FARTHEST * STEPS // _STEP, len(a))
    correlation = np.concatenate([correlation[-reach:], correlation[: reach + 1]])
    best = int(correlation.argmax())
    others = np.delete(correlation, slice(max(0, best - 60), best + 60))
    clear = float(correlation[best] / others.std()) if others.size and others.std() > 0 else 0.0
    return _Fit(scale, Fraction((best - reach) * _STEP, STEPS), float(correlation[best]), clear)


def _quick_changes(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """A curve without its slow changes, such as between scenes with much and little speech."""
    size = min(2 * _SLOW * STEPS // _STEP, len(curve))
    return curve - np.convolve(curve, np.ones(size) / size, "same") if size else curve


def _corrected(cues: Sequence[SubtitleCue], evidence: NDArray[np.bool_], fit: _Fit) -> Correction:
    """The exact correction, measured at the starts of the cues, since captions stay longer than the speech."""
    starts = np.flatnonzero(np.diff(np.concatenate([[False], evidence]).astype(np.int8)) == 1) / STEPS
    placed = np.array([float(cue.start * fit.scale + fit.offset) for cue in cues])
    nearest = starts[np.clip(np.searchsorted(starts, placed), 0, len(starts) - 1)]
    before = starts[np.clip(np.searchsorted(starts, placed) - 1, 0, len(starts) - 1)]
    gaps = np.where(np.abs(before - placed) < np.abs(nearest - placed), before, nearest) - placed
    close = gaps[np.abs(gaps) < 1]
    shift = fit.offset + (Fraction(round(float(np.median(close)) * STEPS), STEPS) if len(close) else 0)
    return _verdict(Timing(fit.scale, shift), "the film's sound")


def _verdict(timing: Timing, witness: str) -> Correction:
    shift = timing.shift
    if timing.scale == 1 and abs(shift) <= _IN_TIME:
        return Correction(Timing())
    faults = [] if abs(shift) <= _IN_TIME else [f"{float(abs(shift)):.1f} s {'early' if shift > 0 else 'late'}"]
    for own, film in _RATES:
        if Fraction(own) / film == timing.scale:
            faults.insert(0, f"made for a frame rate of {float(own):.5g} and not {float(film):.5g}")
    return Correction(timing, f"is {' and '.join(faults)}, as {witness} tells: put right")


# --- by words ---------------------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_RARE = 4  # times at most that a pair of words occurs in each, to tell a place
_NEAR = 0.75  # seconds of a pair's offset from the others'
_PLACED, _OTHERS = 0.2, 0.04  # least share of the rare pairs at one offset, and greatest one of another film's
_LEAST_PAIRS = 40  # rare ones that are heard
_SHARED = 0.3  # least share of the heard words that are in the subtitles: else they are in another language


def judge_by_words(cues: Sequence[SubtitleCue], heard: Sequence[SubtitleCue]) -> Correction | None:
    """The timing by the recognised words; None if there are too few, or they are in another language."""
    shown, spoken = _pairs(cues), _pairs(heard)
    rare = {pair: times for pair, times in spoken.items() if len(times) <= _RARE}
    if len(cues) < _FEWEST or len(rare) < _LEAST_PAIRS or not _one_language(shown, spoken):
        return None
    common = [pair for pair in rare if 0 < len(shown.get(pair, ())) <= _RARE]
    fits = []
    for scale in (Fraction(1), *(Fraction(a) / b for a, b in _RATES)):
        fits.append(
            _Placed.of(scale, [b - a * float(scale) for pair in common for a in shown[pair] for b in spoken[pair]])
        )
    best = max(fits, key=lambda fit: fit.closeness)
    if best.closeness < _BETTER * fits[0].closeness:
        best = fits[0]
    if best.count >= _PLACED * len(rare):
        return _verdict(Timing(best.scale, best.offset), "what is said in the film")
    if best.count <= _OTHERS * len(rare):
        return Correction(Timing(), "has other words than the film: another film's", foreign=True)
    return None


@dataclass(frozen=True, slots=True)
class _Placed:
    """The offset at which most pairs lie, how many, and how close to it: each counts up to 1."""

    scale: Fraction
    offset: Fraction = Fraction(0)
    count: int = 0
    closeness: float = 0.0

    @classmethod
    def of(cls, scale: Fraction, offsets: Sequence[float]) -> _Placed:
        if not offsets:
            return cls(scale)
        ordered = np.sort(offsets)
        counts = np.searchsorted(ordered, ordered + 2 * _NEAR, "right") - np.arange(len(ordered))
        inside = ordered[counts.argmax() :][: counts.max()]
        middle = float(np.median(inside))
        closeness = float(np.maximum(0, 1 - np.abs(inside - middle) / _NEAR).sum())
        return cls(scale, Fraction(round(middle * STEPS), STEPS), len(inside), closeness)


def _pairs(cues: Sequence[SubtitleCue]) -> dict[tuple[str, str], list[float]]:
    """The seconds of each pair of neighbouring words; those of a cue are spread over it evenly."""
    places: dict[tuple[str, str], list[float]] = {}
    for cue in cues:
        words = _PLAIN.findall(cue.text.casefold())
        step = float(cue.end - cue.start) / max(1, len(words))
        for number, pair in enumerate(pairwise(words)):
            places.setdefault(pair, []).append(float(cue.start) + step * number)
    return places


def _one_language(one: Collection[tuple[str, str]], other: Collection[tuple[str, str]]) -> bool:
    words, others = ({word for pair in each for word in pair} for each in (one, other))
    return len(words & others) >= _SHARED * len(others)
