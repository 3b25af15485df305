"""The measured signals of every shot, and the money-shot score made from them.

Every signal is a shot's rank among the film's usable shots,
0 to 1, so that dark and bright films get similar scores. A signal that a film lacks (dialogue, faces, descriptions) is
neutral: 0.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import Line, Spoken
from cinecut.analysis.film.faces import Size, faces, size_of
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.pictures import KeyPicture
from cinecut.analysis.film.shots import FilmShot

NEUTRAL = 0.5
_LAYOUT = (9, 16)  # rows and columns
_COARSE = (64, 36)  # width and height in pixels at which grain and texture are gone
_HUES, _LIGHTS = 9, 2  # steps of each of a colour's two differences (Lab; odd, so that grey is one), of its lightness
_COLOURS = _HUES * _HUES * _LIGHTS
WEIGHTS = {
    "motion": 0.20,
    "emotion": 0.20,
    "contrast": 0.15,
    "uniqueness": 0.15,
    "drama": 0.15,
    "face": 0.10,
    "saturation": 0.05,
}


@dataclass(frozen=True, slots=True)
class Signals:
    """A shot's ranks within its film, 0 to 1; those from `place` on are not part of the score."""

    motion: float
    emotion: float  # of the strongest line spoken in it
    contrast: float
    uniqueness: float  # how different it looks from the other shots
    face: float
    drama: float  # how much more its description speaks of a climax than of a beginning
    saturation: float
    place: float  # its position in the film; later is higher
    sharpness: float
    rise: float  # of the loudness
    brightness: float = NEUTRAL
    loud: float = NEUTRAL  # mean level of its sound

    @property
    def score(self) -> float:
        """The money-shot score, 0 to 1."""
        return sum(weight * float(getattr(self, name)) for name, weight in WEIGHTS.items())


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """The measurements of one picture of a shot."""

    shot: int
    colors: NDArray[np.float32]  # [512] histogram of hue, saturation and value; its sum is 1
    layout: NDArray[np.float32]  # [9 x 16] luma, with mean 0 and deviation 1
    contrast: float  # deviation of the luma
    saturation: float  # mean
    sharpness: float  # variance of the Laplacian
    face: float  # share of the picture that the largest face covers
    light: NDArray[np.float32]  # [3] mean red, green and blue, 0 to 1
    size: Size | None = None  # of the shot, by its largest face: close, medium, wide; None without a face
    eye: tuple[float, float] = (0.5, 0.5)  # where the eye goes: from the left and from the top, 0 to 1
    structure: float = 1.0  # share of the picture's inner part that has edges; texture is none
    gray: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(_COARSE[::-1], np.uint8))  # [36 x 64] luma
    # [2 x 162] histograms of colours, each with the sum 1: of what stands before its ground, and of the picture's edges
    subject: NDArray[np.float32] = field(default_factory=lambda: np.zeros((2, _COLOURS), np.float32))

    @property
    def is_blank(self) -> bool:
        """Whether it shows nothing: only asphalt, a wall, the sky, fog."""
        return self.structure < _BLANK and not self.face


def observe(picture: KeyPicture) -> Appearance:
    hsv = cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2HSV)
    gray = cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2GRAY)
    colors = cv2.calcHist([hsv], [0, 1, 2], None, [8, 8, 8], [0, 180, 0, 256, 0, 256]).ravel()
    layout = cv2.resize(gray, _LAYOUT[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    boxes = faces(picture.bgr)
    return Appearance(
        shot=picture.shot,
        colors=(colors / colors.sum()).astype(np.float32),
        layout=(layout - layout.mean()) / max(float(layout.std()), 1.0),
        contrast=float(gray.std()),
        saturation=float(hsv[:, :, 1].mean()),
        sharpness=float(cv2.Laplacian(gray, cv2.CV_32F).var()),
        face=max((min(1.0, width * height / gray.size) for _, _, width, height in boxes), default=0.0),
        size=size_of(boxes, gray.shape[0]),
        light=(picture.bgr.mean(axis=(0, 1))[::-1] / 255).astype(np.float32),
        eye=eye_of(np.asarray(gray, np.uint8)),
        structure=structure_of(picture.bgr),
        gray=np.asarray(cv2.resize(gray, _COARSE, interpolation=cv2.INTER_AREA), np.uint8),
        subject=subject_of(picture.bgr),
    )


_BLANK = 0.015  # share of edges below which a picture shows nothing; a figure in the snow has more
_STEP, _STEP_SHARE = 5.0, 0.12  # an edge is a step of so many levels, and of this share of the brightness around it
_BAR = 32  # levels that a black bar does not reach, as an encoder leaves it
_RIM = (3, 5)  # rows and columns at each side of the coarse picture in which something only looks in


def structure_of(bgr: NDArray[np.uint8]) -> float:
    """The share of a picture with edges: steps between neighbours in any colour, at a size where the grain of a
    surface has become even. A dark picture needs smaller steps than a bright one."""
    coarse = cv2.resize(_between_bars(bgr), _COARSE, interpolation=cv2.INTER_AREA).astype(np.float32)
    coarse = np.asarray(cv2.GaussianBlur(coarse, (0, 0), 0.8), np.float32)
    around = np.ones((3, 3), np.uint8)
    steps = (cv2.dilate(coarse, around) - cv2.erode(coarse, around)).max(axis=2)
    least = np.maximum(_STEP, _STEP_SHARE * cv2.GaussianBlur(coarse.max(axis=2), (0, 0), 3))
    rows, columns = _RIM
    return float((steps > least)[rows:-rows, columns:-columns].mean())


def _between_bars(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture without black bars, which are equal at both sides and take half of it at most."""
    lit = bgr.max(axis=2) > _BAR
    (top, height), (left, width) = (_bar(lit.any(axis=axis)) for axis in (1, 0))
    return bgr[top : height - top, left : width - left]


def _bar(lit: NDArray[np.bool_]) -> tuple[int, int]:
    """The width of the bars at both ends of a side, and its length."""
    return min(int(lit.argmax()), int(lit[::-1].argmax()), len(lit) // 4), len(lit)


_SALIENT = (36, 64)  # height and width in pixels at which the spectral residual shows objects rather than texture
_LEAST_SALIENT = 0.85  # of all pixels so many are less salient than any of the area


def eye_of(gray: NDArray[np.uint8]) -> tuple[float, float]:
    """The centre of the salient area of a picture, by its spectral residual (Hou and Zhang, 2007)."""
    small = cv2.resize(gray, _SALIENT[::-1], interpolation=cv2.INTER_AREA).astype(np.float64)
    spectrum = np.fft.fft2(small)
    residual = spectrum * np.exp(-cv2.blur(np.log(np.abs(spectrum) + 1e-9), (3, 3)))  # in the spectrum's own phases
    salient = np.abs(np.fft.ifft2(residual)) ** 2
    salient = cv2.GaussianBlur(salient, (0, 0), 2.5)
    place = int(_LEAST_SALIENT * salient.size)
    weights = np.maximum(0, salient - np.partition(salient, place, axis=None)[place])
    total = float(weights.sum())
    if total < 1e-12:
        return 0.5, 0.5
    rows, columns = weights.sum(axis=1), weights.sum(axis=0)
    across = float(columns @ (np.arange(len(columns)) + 0.5)) / len(columns) / total
    down = float(rows @ (np.arange(len(rows)) + 0.5)) / len(rows) / total
    return round(across, 4), round(down, 4)


_EDGE = (5, 7)  # rows and columns of the coarse picture at each side that are its ground
_AMID = (11, 18)  # the same from the middle, where a subject is likely (a Gaussian's)


def subject_of(bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The colours of what stands before its ground, and of the ground, as in Appearance: near the middle, of a colour
    that the picture's edges lack, and with more of that kind around it."""
    coarse = cv2.resize(_between_bars(bgr), _COARSE, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(coarse, cv2.COLOR_BGR2LAB).astype(int)
    hues = np.clip((lab[:, :, 1:] - 72) * _HUES // 112, 0, _HUES - 1)
    colours = (hues[:, :, 0] * _HUES + hues[:, :, 1]) * _LIGHTS + lab[:, :, 0] * _LIGHTS // 256
    amid, edge = _amid()
    ground, within = _histogram(colours, edge), _histogram(colours, amid)
    stands = (within / np.maximum(1e-9, within + ground))[colours]
    stands = stands * cv2.GaussianBlur(stands, (0, 0), 2)
    return np.stack([_histogram(colours, stands * amid), ground])


@cache
def _amid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How near the middle each pixel of the coarse picture is, and 1 for those of its edges."""
    columns, rows = (np.arange(side) - (side - 1) / 2 for side in _COARSE)
    amid = np.exp(-((rows / _AMID[0])[:, None] ** 2) - (columns / _AMID[1]) ** 2)
    edge = np.ones_like(amid)
    edge[_EDGE[0] : -_EDGE[0], _EDGE[1] : -_EDGE[1]] = 0
    return amid, edge


def _histogram(colours: NDArray[np.int_], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    counts = np.bincount(colours.ravel(), weights.ravel(), _COLOURS)
    return np.asarray(counts / max(1e-9, float(counts.sum())), np.float32)


def combined(looks: Sequence[Appearance]) -> Appearance:
    """The measurements of several pictures of one shot: the layout of the middle one, the largest face, the most
    structure, else means."""
    middle, count = looks[len(looks) // 2], len(looks)
    return Appearance(
        shot=middle.shot,
        colors=np.mean([look.colors for look in looks], axis=0, dtype=np.float32),
        layout=middle.layout,
        contrast=sum(look.contrast for look in looks) / count,
        saturation=sum(look.saturation for look in looks) / count,
        sharpness=sum(look.sharpness for look in looks) / count,
        face=max(look.face for look in looks),
        size=max(looks, key=lambda look: look.face).size,
        light=np.mean([look.light for look in looks], axis=0, dtype=np.float32),
        eye=middle.eye,
        structure=max(look.structure for look in looks),
        gray=middle.gray,
        subject=np.mean([look.subject for look in looks], axis=0, dtype=np.float32),
    )


def likeness(one: Appearance, other: Appearance) -> float:
    """As `likenesses`, of two looks."""
    return float(likenesses([one, other])[0, 1])


def likenesses(looks: Sequence[Appearance]) -> NDArray[np.float32]:
    """1 for the same picture, about 0 for unrelated ones [n x n]: the mean of common colours and correlation of
    layouts, or of a part of one picture with the other if that is higher, so that a set-up is recognised at any
    distance or focal length."""
    colors = np.stack([look.colors for look in looks])
    layouts = np.stack([look.layout.ravel() for look in looks])
    alike = layouts @ layouts.T
    for part in _parts(np.stack([look.gray for look in looks])):
        zoomed = part @ layouts.T
        np.maximum(alike, np.maximum(zoomed, zoomed.T), out=alike)
    shared = np.stack([np.minimum(row, colors).sum(axis=1) for row in colors])
    return np.asarray((shared + np.maximum(0, alike / layouts.shape[1])) / 2, np.float32)


_ZOOMS, _ROWS, _COLUMNS = (1.2, 1.4, 1.65, 1.9), 3, 5  # of the parts of a picture, and how many of each


def _parts(grays: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """The layouts [n x 144] of parts of n pictures, one part of all pictures after another."""
    for zoom in _ZOOMS:
        rows, columns = (
            _areas(length, cells, zoom, places)
            for length, cells, places in zip(grays.shape[1:], _LAYOUT, (_ROWS, _COLUMNS), strict=True)
        )
        for row in rows:
            strips = row @ grays
            for column in columns:
                part = (strips @ column.T).reshape(len(grays), -1)
                part -= part.mean(axis=1, keepdims=True)
                yield part / np.maximum(part.std(axis=1, keepdims=True), 1.0)


def _areas(length: int, cells: int, zoom: float, places: int) -> NDArray[np.float32]:
    """For parts at some places along a side: the share that each pixel has in each cell [places x cells x length]."""
    size = length / zoom
    starts = np.linspace(0, length - size, places)[:, None] + np.arange(cells) * size / cells
    pixels = np.arange(length)
    inside = np.minimum(starts[..., None] + size / cells, pixels + 1) - np.maximum(starts[..., None], pixels)
    return np.asarray(np.maximum(0, inside) * cells / size, np.float32)


class Moving(Protocol):
    """The fields of a shot that its activity is measured from."""

    @property
    def motion(self) -> float: ...
    @property
    def light(self) -> NDArray[np.float32]: ...


def measure(
    shots: Sequence[FilmShot],
    looks: Mapping[int, Appearance],
    activities: Mapping[int, Moving],
    loudness: LoudnessCurve,
    lines: Sequence[Line],
    drama: Mapping[int, float] | None = None,
) -> dict[int, Signals]:
    """The signals of every shot with an appearance, by the shot's index; `drama` is known of described shots, in any
    unit."""
    drama = drama or {}
    measured = [shot for shot in shots if shot.index in looks]
    appearances, spoken = [looks[shot.index] for shot in measured], Spoken(lines)
    worded = any(line.text for line in lines)
    columns = {
        "motion": _ranks([activities[shot.index].motion if shot.index in activities else None for shot in measured]),
        "emotion": _ranks([_emotion(spoken.within(shot.range)) if worded else None for shot in measured]),
        "contrast": _ranks([look.contrast for look in appearances]),
        "uniqueness": _ranks(_unlikeness(appearances)),
        "face": _faces([look.face for look in appearances]),
        "drama": _ranks([drama.get(shot.index) for shot in measured]),
        "saturation": _ranks([look.saturation for look in appearances]),
        "place": _ranks([float(shot.range.start.seconds) for shot in measured]),
        "sharpness": _ranks([look.sharpness for look in appearances]),
        "brightness": _ranks([_brightness(look, activities.get(look.shot)) for look in appearances]),
        "rise": _ranks([loudness.rise(shot.range) if not loudness.silent else None for shot in measured]),
        "loud": _ranks([_level(loudness, shot) for shot in measured]),
    }
    return {shot.index: Signals(**{k: round(v[i], 4) for k, v in columns.items()}) for i, shot in enumerate(measured)}


def _ranks(values: Sequence[float | None]) -> list[float]:
    """Each value's rank among all that are not None, 0 to 1; equal values get the same one. None is neutral."""
    known = np.array(sorted(value for value in values if value is not None))
    if len(known) < 2 or known[0] == known[-1]:
        return [NEUTRAL] * len(values)

    def rank(value: float | None) -> float:
        if value is None:
            return NEUTRAL
        low, high = np.searchsorted(known, value, "left"), np.searchsorted(known, value, "right") - 1
        return float(low + high) / 2 / (len(known) - 1)

    return [rank(value) for value in values]


def _level(loudness: LoudnessCurve, shot: FilmShot) -> float | None:
    return None if loudness.silent else float(loudness.within(shot.range).mean())


def _brightness(look: Appearance, activity: Moving | None) -> float:
    """The mean of all of a shot's pictures, if they are known."""
    return float(activity.light.mean()) if activity and len(activity.light) else float(look.light.mean())


def _emotion(lines: Sequence[Line]) -> float:
    return max((line.strength for line in lines if line.emotion != "neutral"), default=0.0)


def _faces(shares: list[float]) -> list[float]:
    """1 for a face of a twentieth of the picture or more; neutral for all if the film has no faces."""
    if not any(shares):
        return [NEUTRAL] * len(shares)
    return [min(1.0, share / 0.05) for share in shares]


def _unlikeness(looks: Sequence[Appearance]) -> list[float | None]:
    """One minus the mean likeness to the three most similar shots."""
    if len(looks) < 4:
        return [None] * len(looks)
    colors = np.stack([look.colors for look in looks])
    layouts = np.stack([look.layout.ravel() for look in looks])
    correlated = np.maximum(0, layouts @ layouts.T / layouts.shape[1])
    unlikeness: list[float | None] = []
    for i in range(len(looks)):
        alike = (np.minimum(colors[i], colors).sum(axis=1) + correlated[i]) / 2
        alike[i] = -1
        unlikeness.append(1 - float(np.sort(alike)[-3:].mean()))
    return unlikeness
