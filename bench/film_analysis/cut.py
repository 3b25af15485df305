"""The cut: what the trailers of one film, one for each vibe, have in common, how they rise, and how their shots follow
each other. Films: the bench's own, or CINECUT_FILM; and two full of speech, by recipe.

Movement, light and the place of the eye are measured in the film's own pictures, 64 x 36, which nothing in the analysis
uses.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import Film
from bench.film_analysis.described import of_descriptions, trailer
from bench.film_analysis.talkie import talkie
from cinecut.analysis.analyze import Analysis
from cinecut.analysis.edit.cuts import Cut
from cinecut.analysis.edit.score.voices import placed
from cinecut.analysis.film.signals import eye_of
from cinecut.language.timebase import FilmRange
from cinecut.vibes import names

SHUFFLES = 1000
LENGTHS = (20, 30, 60, 90, 120)
LOUD_KINDS = ("action", "adventure", "sci-fi", "thriller", "war", "horror")
_SMALL = (36, 64)

Pictures = NDArray[np.uint8]  # [frames, 36, 64], luma


def table(film: Film, runs: int) -> list[Figure]:
    figures = [*of_film(film.path, "the film"), *of_descriptions(film.path, "the film")]
    try:
        figures += [figure for path in talkies(film.path) for figure in of_speech(path)]
    except NotMeasuredError as error:
        figures.append(Figure("films of speech", None, 0, reason=str(error), needed=False))
    return figures


def talkies(film: Path) -> list[Path]:
    """Two films of speech, with and without subtitles."""
    folder = work_folder() / "cut"
    folder.mkdir(exist_ok=True)
    pieces = [(film, start, 13.0) for start in (210, 62, 420, 120, 300, 25, 350, 160, 90, 250, 390, 330, 450, 480)]
    return [
        talkie(folder / "subtitled.mkv", pieces, 1, True),
        talkie(folder / "heard.mkv", pieces[::-1], 2, False),
    ]


def of_speech(path: Path) -> list[Figure]:
    """What a film full of speech adds."""
    trailers = {vibe: trailer(path, vibe) for vibe in names()}
    talks = [_muted(found.cuts) for found in trailers.values()]
    lines = [sum(cut.line is not None for cut in found.cuts) for found in trailers.values()]
    shown = [[cut for cut in found.cuts if cut.take is not None] for found in trailers.values()]
    own, over = (
        float(np.mean([sum(map(has, cuts)) / len(cuts) for cuts in shown]))
        for has in (lambda cut: not cut.own_sound, lambda cut: bool(cut.lead or cut.trail))
    )
    said = f"mute while somebody talks {np.mean(talks):.1%}; mute or with room tone {own:.1%}"
    print(
        f"{path.name}: shots {said}; with a line over a neighbour {over:.1%}; lines in a trailer {np.mean(lines):.1f}"
    )
    return [
        Figure(
            f"{path.stem}: shots mute while somebody talks, mean of the vibes", 100 * float(np.mean(talks)), 10, " %"
        ),
        *_alike(trailers, path.stem),
        *_rising(trailers, path),
    ]


def _rising(trailers: dict[str, Analysis], path: Path) -> list[Figure]:
    """How the trailers of a film full of speech rise, and how their shots follow each other."""
    pictures, name = pictures_of(path), path.stem
    rises = [Rise.of(found, pictures) for found in trailers.values()]
    thirds = [min(rise.thirds) for rise in rises]
    smooth = [rise.continuity for rise in rises]
    still, rough = sum(third < 1 for third in thirds), sum(each < 80 for each in smooth)
    print(f"{name}: vibes of 18 below 1 in a third of act 3: {still}; below the 80th percentile of continuity: {rough}")
    return [
        Figure(f"{name}: movement of act 3's thirds / act 2, least", min(thirds), 1, "", True),
        Figure(f"{name}: movement of act 3's thirds / act 2, median", float(np.median(thirds)), 1, "", True),
        Figure(f"{name}: continuity, percentile, least", min(smooth), 80, "", True),
        Figure(f"{name}: continuity, percentile, mean", float(np.mean(smooth)), 80, "", True),
    ]


def of_film(path: Path, name: str) -> list[Figure]:
    trailers = {vibe: trailer(path, vibe) for vibe in names()}
    pictures = pictures_of(path)
    rows, figures = [], _alike(trailers, name)
    measured = {vibe: Rise.of(found, pictures) for vibe, found in trailers.items()}
    for vibe, rise in measured.items():
        thirds = " ".join(f"{third:.2f}" for third in rise.thirds)
        numbers = (
            f"{rise.drop:.2f}",
            f"{rise.last:.2f}",
            f"{rise.first:.2f}",
            f"{rise.continuity:.0f}",
            f"{rise.heard:.1f}",
        )
        rows.append((vibe, str(rise.shots), f"{rise.seconds:.2f}", thirds, *numbers))
    head = ("vibe", "shots", "s a shot", "act 3 / act 2: movement", "drop", "last", "first", "continuity", "rise dB")
    print_rows(head, rows)
    each = list(measured.values())
    loud = [measured[vibe].heard for vibe in LOUD_KINDS]
    return [
        *figures,
        Figure(f"{name}: movement of act 3's thirds / act 2, least", min(min(r.thirds) for r in each), 1, "", True),
        Figure(f"{name}: rank of the drop, worst", max(r.drop for r in each), 0.1),
        Figure(f"{name}: rank of the last shot before the title, worst", max(r.last for r in each), 0.1),
        Figure(f"{name}: first shot of act 3 / act 2's mean, longest", max(r.first for r in each), 1),
        Figure(f"{name}: continuity, percentile, least", min(r.continuity for r in each), 80, "", True),
        Figure(f"{name}: continuity, percentile, mean", float(np.mean([r.continuity for r in each])), 80, "", True),
        Figure(f"{name}: film's sound, act 1 to act 3, loud kinds, least", min(loud), 4, " dB", True),
        *_dark(path, name),
    ]


def _alike(trailers: dict[str, Analysis], name: str) -> list[Figure]:
    """How much the trailers of all vibes share."""
    shown = {vibe: [(cut.take.shot, cut.in_) for cut in found.cuts if cut.take] for vibe, found in trailers.items()}
    shots = {vibe: [shot for shot, _ in pairs] for vibe, pairs in shown.items()}
    jaccards, orders = [], []
    for one, other in combinations(shots.values(), 2):
        common = set(one) & set(other)
        jaccards.append(len(common) / len(set(one) | set(other)))
        if len(common) >= 4:
            places = [[each.index(shot) for shot in sorted(common)] for each in (one, other)]
            orders.append(float(np.asarray(np.corrcoef(np.argsort(np.argsort(places)))).flat[1]))
    skeletons = {
        tuple((act, kind) for (act, kind), _ in groupby((c.slot.act, c.slot.want.shows) for c in found.cuts))
        for found in trailers.values()
    }
    equal = sum(one == other for one, other in combinations(shots.values(), 2))
    return [
        Figure(f"{name}: chosen shots in common (Jaccard), mean of all pairs", float(np.mean(jaccards)), 0.35),
        Figure(f"{name}: order of common shots, correlation", float(np.mean(orders)) if orders else None, 0.6),
        Figure(f"{name}: skeletons", len(skeletons), 6, "", True),
        Figure(f"{name}: equal pairs", equal, 0),
    ]


def _dark(path: Path, name: str) -> list[Figure]:
    worst = 0.0
    for vibe in names():
        for length in LENGTHS:
            found = trailer(path, vibe, length)
            beats = sum(cut.slot.beats for cut in found.cuts)
            worst = max(worst, sum(cut.slot.beats for cut in found.cuts if cut.take is None) / beats)
    return [Figure(f"{name}: black and cards at {LENGTHS} s, worst", 100 * worst, 12, " %")]


def _muted(cuts: Sequence[Cut]) -> float:
    """The share of shots in which somebody talks in vain: without any of the film's sound, or with room tone while a
    face is large."""
    shown = [cut for cut in cuts if cut.take is not None]
    return sum(cut.silenced for cut in shown) / len(shown)


# --- in the film's own pictures --------------------------------------------------------------------------------------


def pictures_of(path: Path) -> Pictures:
    """All pictures of a film, small; kept."""
    kept = work_folder() / f"{path.stem}-{path.stat().st_size}.pictures.npy"
    if not kept.exists():
        with av.open(str(path)) as media:
            media.streams.video[0].thread_type = "AUTO"
            frames = [_small(frame) for frame in media.decode(video=0)]
        part = kept.with_suffix(".part.npy")
        np.save(part, np.stack(frames))
        part.replace(kept)
    return np.asarray(np.load(kept, mmap_mode="r"))


def _small(frame: av.VideoFrame) -> NDArray[np.uint8]:
    gray = frame.to_ndarray(format="gray")
    return np.asarray(cv2.resize(gray, _SMALL[::-1], interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True, slots=True)
class Rise:
    """One trailer's figures. Ranks are shares of the takes that score more."""

    shots: int
    seconds: float
    thirds: tuple[float, ...]
    drop: float
    last: float
    first: float
    continuity: float
    heard: float

    @classmethod
    def of(cls, found: Analysis, pictures: Pictures) -> Rise:
        shown = list(shown_spans(found))
        moves = {id(cut): _movement(pictures, _frames(part, found)) for cut, part in shown}
        acts = {act: [cut for cut, _ in group] for act, group in groupby(shown, key=lambda pair: pair[0].slot.act)}
        second = float(np.mean([moves[id(cut)] for cut in acts["act 2"]])) if "act 2" in acts else 1.0
        third = acts.get("act 3", [shown[-1][0]])
        parts = [each for each in np.array_split(np.array([moves[id(cut)] for cut in third]), 3) if len(each)]
        lengths = [cut.slot.beats for cut in acts.get("act 2", third)]
        scores = sorted((take.score for take in found.takes), reverse=True)
        before = [cut for cut, _ in shown if cut.slot.act not in ("button",)]
        drops = acts.get("beat drop", [before[-1]])
        return cls(
            len(shown),
            float(found.seconds) / len(shown),
            tuple(float(each.mean()) / second for each in parts),
            _rank(drops[0], scores),
            _rank(before[-1], scores),
            third[0].slot.beats / float(np.mean(lengths)),
            _continuity([_frames(part, found) for _, part in shown], pictures),
            _level(found, "act 3") - _level(found, "act 1"),
        )


def shown_spans(found: Analysis) -> Iterator[tuple[Cut, FilmRange]]:
    """The shots of a trailer, each with its range of the film."""
    for cut, start, end in placed(found.cuts, found.tempo):
        if cut.take is not None:
            yield cut, FilmRange(cut.in_, cut.in_ + (end - start))


def _frames(part: FilmRange, found: Analysis) -> slice:
    return slice(round(part.start.seconds * found.facts.rate), max(2, round(part.end.seconds * found.facts.rate)))


def _movement(pictures: Pictures, frames: slice) -> float:
    part = pictures[frames].astype(np.int16)
    return float(np.abs(np.diff(part, axis=0)).mean()) if len(part) > 1 else 0.0


def _rank(cut: Cut, scores: Sequence[float]) -> float:
    assert cut.take is not None
    return sum(score > cut.take.score for score in scores) / len(scores)


def _level(found: Analysis, act: str) -> float:
    """The level of the film's own sound in an act, dB, by its shots' gains, without those that are mute."""
    assert found.score is not None
    assert found.levels is not None
    powers, seconds = 0.0, 0.0
    gains = [sounds.gain for cut, sounds in zip(found.cuts, found.score.events, strict=True) if cut.take]
    for (cut, part), gain in zip(shown_spans(found), gains, strict=True):
        heard = cut.heard(part.duration)
        if cut.slot.act == act and heard is not None:
            levels = found.levels.within(heard) + gain
            powers += float((10 ** (levels / 10)).sum())
            seconds += len(levels)
    return float(10 * np.log10(powers / seconds)) if seconds and powers else 0.0


def _continuity(parts: Sequence[slice], pictures: Pictures) -> float:
    """The percentile of the arranged order among shuffles of the same shots: how little movement, light and the place
    of the eye change at its cuts."""
    ends = [(pictures[part.start], pictures[min(part.stop, len(pictures)) - 1]) for part in parts]
    light = np.array([[float(first.mean()), float(last.mean())] for first, last in ends])
    eye = np.array([[eye_of(np.ascontiguousarray(each)) for each in pair] for pair in ends])
    motion = np.array([_movement(pictures, part) for part in parts])
    costs = []
    for steps in (
        np.abs(light[:, 1][:, None] - light[:, 0][None]),
        np.hypot(*np.moveaxis(eye[:, 1][:, None] - eye[:, 0][None], 2, 0)),
        np.abs(motion[:, None] - motion[None]),
    ):
        costs.append(steps / steps.mean())
    cost = np.sum(costs, axis=0)
    dice, order = random.Random(1), list(range(len(parts)))

    def total(path: Sequence[int]) -> float:
        return float(sum(cost[a, b] for a, b in pairwise(path)))

    arranged = total(order)
    worse = sum(total(dice.sample(order, len(order))) > arranged for _ in range(SHUFFLES))
    return 100 * worse / SHUFFLES
