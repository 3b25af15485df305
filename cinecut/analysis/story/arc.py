"""The story: its turning points, and each shot's zone and role.

Without a model the turning points are derived from the film's intensity (the density of cuts, the loudness and the
amount of dialogue), near their usual places: after the TRIPOD corpus of screenplays, the first turn at about 15 %, the
point of no return at about 55 %, the climax at about 90 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import Line, Spoken
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Signals
from cinecut.language.timebase import FilmRange, FilmTime

SIGNALS = "signals"  # for `by:` in the spec


class Zone(StrEnum):
    BEGIN = "begin"
    ESCALATION = "escalation"
    CLIMAX = "climax"


class BeatType(StrEnum):
    """The role of a shot in the story."""

    INCITING = "inciting incident"
    CHARACTER = "character introduction"
    ESCALATION = "escalation beat"
    RELATIONSHIP = "relationship beat"
    MONEY = "money shot"
    CLIMAX = "climax peak"
    BREATH = "breath"


@dataclass(frozen=True, slots=True)
class TurningPoint:
    at: FilmTime
    why: str
    by: str
    line: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Three turning points in the order of the film, and the end of its story (before the credits)."""

    begin: TurningPoint
    escalation: TurningPoint
    climax: TurningPoint
    end: FilmTime

    def later(self, seconds: Fraction) -> Story:
        """The same on a clock on which the film begins so much later."""
        begin, escalation, climax = (replace(p, at=p.at + seconds) for p in (self.begin, self.escalation, self.climax))
        return Story(begin, escalation, climax, self.end + seconds)

    def zone(self, time: FilmTime) -> Zone:
        """BEGIN before the point of no return, CLIMAX from the run-up to the climax on, else ESCALATION."""
        if time < self.escalation.at:
            return Zone.BEGIN
        run_up = (self.climax.at - self.escalation.at) / 3
        return Zone.ESCALATION if time < self.climax.at - run_up else Zone.CLIMAX


_WINDOWS = {"begin": (0.08, 0.22), "escalation": (0.45, 0.65), "climax": (0.82, 0.97)}
_STEP = 1.0  # seconds between two points of the intensity


def find_story(
    shots: Sequence[FilmShot],
    loudness: LoudnessCurve,
    lines: Sequence[Line],
    drama: Mapping[int, float] | None = None,
) -> Story:
    """The story of a film from signals, and from the `drama` of the shots that a model described, by their index.
    `shots` are all shots, at least one of them usable."""
    whole, shots = shots[-1].range.end, _before_credits(shots)
    start, end = shots[0].range.start, shots[-1].range.end
    length = float(end - start)
    curve = _intensity(shots, loudness, lines, start, length) + _dramatic(shots, drama or {}, start, length)
    begin = _rise(curve, *_WINDOWS["begin"])
    escalation = _rise(curve, *_WINDOWS["escalation"])
    climax = _peak(curve, *_WINDOWS["climax"])

    def anchor(share: float, words: str) -> TurningPoint:
        at = _shot_start(shots, start + Fraction(round(share * length * 1000), 1000))
        line = next((line.text for line in lines if line.text and at <= line.range.start < at + Fraction(10)), None)
        return TurningPoint(at, f"{words}, {float(at.seconds / whole.seconds):.0%} into the film", SIGNALS, line)

    return Story(
        anchor(begin, "the film quickens"),
        anchor(escalation, "the sharpest rise around the middle"),
        anchor(climax, "cuts, loudness and dialogue peak"),
        end,
    )


_CREDITS_FROM = Fraction(6, 10)  # of the film: earlier credits are opening credits


def _before_credits(shots: Sequence[FilmShot]) -> list[FilmShot]:
    """The usable shots before the closing credits; later ones are not part of the story."""
    late = shots[-1].range.end.seconds * _CREDITS_FROM
    rolls = [shot.range.start for shot in shots if shot.why_not == "credits" and shot.range.start.seconds > late]
    usable = [shot for shot in shots if shot.usable]
    return [shot for shot in usable if not rolls or shot.range.start < rolls[0]] or usable


def _intensity(
    shots: Sequence[FilmShot], loudness: LoudnessCurve, lines: Sequence[Line], start: FilmTime, length: float
) -> NDArray[np.float64]:
    """The intensity at each share of the film: the sum of the smoothed standard scores of cuts, words and loudness."""
    count = max(64, int(length / _STEP))
    edges = np.linspace(0, length, count + 1)
    first = float(start.seconds)
    cuts = np.histogram([float(shot.range.start.seconds) - first for shot in shots], edges)[0].astype(float)
    words = np.histogram([float(line.range.start.seconds) - first for line in lines if line.text], edges)[0].astype(
        float
    )
    curve = _standard(_smooth(cuts, count)) + 0.5 * _standard(_smooth(words, count))
    if not loudness.silent:
        at = np.clip(((edges[:-1] + first) * 10).astype(int), 0, len(loudness.levels) - 1)
        curve = curve + _standard(_smooth(loudness.levels[at].astype(float), count))
    return curve


_DRAMA = 6.0  # weight of the descriptions: they outweigh cuts, words and loudness


def _dramatic(
    shots: Sequence[FilmShot], drama: Mapping[int, float], start: FilmTime, length: float
) -> NDArray[np.float64]:
    """The drama of the descriptions as a part of the intensity; zero without descriptions."""
    count = max(64, int(length / _STEP))
    known = [shot for shot in shots if shot.index in drama]
    if len(known) < 2:
        return np.zeros(count)
    middles = [float((shot.range.start - start) + (shot.range.end - start)) / 2 for shot in known]
    at = (np.arange(count) + 0.5) * length / count
    curve = np.interp(at, middles, [drama[shot.index] for shot in known])
    return _DRAMA * _standard(_smooth(curve, count))


def _smooth(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The values smoothed over a window of 4 % of the film; the first and last value are repeated beyond the ends."""
    width = max(3, count // 25)
    window = np.hanning(width + 2)[1:-1]
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, window / window.sum(), "valid")


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


def _rise(curve: NDArray[np.float64], low: float, high: float) -> float:
    """The share between `low` and `high` at which the curve rises most: the 3 % after it minus the 3 % before it."""
    n, reach = len(curve), max(1, len(curve) * 3 // 100)
    places = range(max(reach, int(low * n)), min(n - reach, int(high * n)))
    rises = [float(curve[i : i + reach].mean() - curve[i - reach : i].mean()) for i in places]
    if not rises or max(rises) <= 0:
        return (low + high) / 2
    return places[int(np.argmax(rises))] / n


def _peak(curve: NDArray[np.float64], low: float, high: float) -> float:
    first, last = int(low * len(curve)), max(int(low * len(curve)) + 1, int(high * len(curve)))
    return (first + int(np.argmax(curve[first:last]))) / len(curve)


def _shot_start(shots: Sequence[FilmShot], time: FilmTime) -> FilmTime:
    """The start of the shot at a time, so that an anchor is on a cut."""
    return max((shot.range.start for shot in shots if shot.range.start <= time), default=shots[0].range.start)


def beat_types(
    shots: Sequence[FilmShot],
    signals: Mapping[int, Signals],
    story: Story,
    lines: Sequence[Line],
    zones: Mapping[int, Zone] | None = None,
    meanings: Mapping[int, Mapping[str, float]] | None = None,
) -> dict[int, BeatType]:
    """The role of each shot by its index, from its signals, its zone, its dialogue and its description. `zones` are
    those known from descriptions; other shots' zones depend on their time. `meanings` has, for each shot with a
    description, how well that fits each purpose, as a rank among all described shots, 0 to 1."""
    known = [shot for shot in shots if shot.index in signals]
    ranked = sorted((shot.index for shot in known), key=lambda index: (-signals[index].score, index))
    strongest = set(ranked[: max(1, len(known) // 10)])
    turn = min(known, key=lambda shot: abs(shot.range.start - story.begin.at), default=None)
    introduced, spoken = set[str](), Spoken(lines)
    types = {}
    for shot in known:
        lines_of_shot = [line for line in spoken.within(shot.range) if line.range.start >= shot.range.start]
        speakers = {line.said_by for line in lines_of_shot if line.said_by}
        new = speakers - introduced
        introduced |= speakers
        zone = (zones or {}).get(shot.index) or story.zone(shot.range.start)
        role = _Role(shot is turn, shot.index in strongest, bool(new), (meanings or {}).get(shot.index, {}))
        types[shot.index] = _beat_type(signals[shot.index], zone, lines_of_shot, role)
    return types


@dataclass(frozen=True, slots=True)
class _Role:
    """What is special about a shot: it is at the first turning point, one of the strongest, has a new speaker; and its
    description's rank for each purpose (empty without one)."""

    turn: bool
    strong: bool
    new: bool
    meaning: Mapping[str, float]

    def described_as(self, *purposes: str) -> bool:
        """Whether the description is among the best fifth for one of these."""
        return any(self.meaning.get(purpose, 0.0) >= 0.8 for purpose in purposes)


def _beat_type(signals: Signals, zone: Zone, lines: list[Line], role: _Role) -> BeatType:
    if role.turn:
        return BeatType.INCITING
    struck = role.described_as("strong")
    if zone is Zone.CLIMAX and (role.strong or struck or signals.motion + signals.rise > 1.6):
        return BeatType.CLIMAX
    if role.strong or (struck and role.described_as("drama")):
        return BeatType.MONEY
    portrait = role.described_as("introduce") or signals.face > 0.5
    if zone is Zone.BEGIN and (role.new or (portrait and signals.motion < 0.6)):
        return BeatType.CHARACTER
    if any(line.emotion in ("romantic", "positive") for line in lines) or len({line.said_by for line in lines}) > 1:
        return BeatType.RELATIONSHIP
    still = signals.motion < 0.25 and signals.rise < 0.5
    rest = role.described_as("calm", "release") and signals.motion < 0.5
    if (still or rest) and not role.described_as("threat") and not struck:
        return BeatType.BREATH
    return BeatType.ESCALATION


_RESOLVED = Fraction(8, 100)  # of the story: what follows the climax's first shot resolves it
_LAST_STAGE = Fraction(945, 1000)  # of the story: from here on it ends


def without_the_end(shots: Sequence[FilmShot], story: Story) -> list[FilmShot]:
    """The protection from spoilers: the shots without those that resolve the climax, and without the story's last
    stage. The shot with which the climax begins may be shown."""
    first = min((shot.range.start for shot in shots), default=story.end)
    length = story.end - first
    resolved, last = story.climax.at + length * _RESOLVED, first + length * _LAST_STAGE
    return [
        shot
        for shot in shots
        if shot.range.start <= story.climax.at or (resolved <= shot.range.start and shot.range.end <= last)
    ]


def clean_range(shot: FilmShot, rate: Fraction) -> FilmRange:
    """The part of a shot that may be shown: without a frame at each end, which the film's cut may have damaged."""
    return FilmRange(shot.range.start + 1 / rate, shot.range.end - 1 / rate)
