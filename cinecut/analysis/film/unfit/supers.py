"""Supers: small type that is laid over moving pictures, such as credits.

Its strokes stay where they are while what is around them changes; and over a picture that rests, they appear and vanish
while what is around them stays. Type in the scene does neither. So pictures half a second apart are compared:

    luma plane ─ seen ─► Sample, Sample, … ─ Supers.add ─► strokes in two of them ─ in rows, like type? ─► Super

A mark in a corner of the whole film is no such type: its strokes are in many pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

TALLEST = 720  # rows of a picture that is looked at, in whose pixels the next sizes are
_STROKE = np.ones((9, 9), np.uint8)  # more than the width of a stroke
_INK = 32  # levels by which a stroke is brighter than its ground
_HALVED = 2
_CELL = 1 << _HALVED  # rows and columns of a cell, in which strokes and movement are looked for at first
_AROUND = (7, 21)  # cells across and down around a stroke: mostly ground, even in a line of type
_CHANGED = 10  # levels by which a cell changes
_MOVES, _RESTS = 0.2, 0.6  # least and greatest share of cells around a stroke that change
_GONE = 0.4  # greatest ink of a cell, relative to that before or after, where strokes vanish or appear
_INKED = 20  # least ink of a cell with a stroke, of 255
_GAP = np.ones((1, 5), np.uint8)  # cells: more than the distance between two words
_LINE_CELLS = (2, 10)  # height of a line of type
_SHARE = (0.1, 0.85)  # of a line's box that is ink
_CROSSED = 7.0  # least strokes that a row of points crosses: about five letters
_DENSE = 1.1  # and in as much of the row as the line is high
_KEPT = 0.5  # least part of the strokes in and beside the box that is the same
_ROOM = 0.5  # least ink above and below a line, relative to its own, of a pattern that goes on
_SLIDE = 80  # pixels by which type in the scene may move, to be told from what stays
_MARK = 0.3  # least share of all pictures in which the strokes of a mark are
_MARK_FROM = 20  # pictures

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture as strokes.

    strokes : [rows x columns / 8] a bit for each pixel that is part of a thin bright stroke
    ink, luma : [rows / 4 x columns / 4] how much of each cell is strokes, of 255; its mean luma
    """

    rank: int
    strokes: Plane
    ink: Plane
    luma: Plane


@dataclass(frozen=True, slots=True, eq=False)
class Super:
    """A line of type in two pictures, by their ranks: its first row and column, and its strokes [rows x columns]."""

    first: int
    last: int
    at: tuple[int, int]
    strokes: NDArray[np.bool_]


def seen(rank: int, luma: Plane) -> Sample:
    """A sample of a picture, by its luma."""
    scale = max(1.0, luma.shape[0] / TALLEST)
    rows, columns = (max(8, int(length / scale) // 8 * 8) for length in luma.shape)
    if scale > 1:
        luma = np.asarray(cv2.resize(luma, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    luma = np.ascontiguousarray(luma[:rows, :columns])
    ground = cv2.morphologyEx(luma, cv2.MORPH_OPEN, _STROKE)
    strokes = _above(cv2.subtract(luma, ground), _INK)
    return Sample(rank, np.packbits(strokes, axis=1), _cells(strokes), _cells(luma))


def _above(plane: MatLike, level: int) -> Plane:
    return np.asarray(cv2.threshold(plane, level, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _cells(plane: Plane) -> Plane:
    for _ in range(_HALVED):  # OpenCV halves both sides twice in an eighth of the time that a quarter takes it at once
        plane = np.asarray(cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    return plane


class Supers:
    """The search for type over moving pictures, among samples that come in order.

    nearest : least number of pictures from one sample to the next; one that is nearer is left out
    """

    def __init__(self, nearest: int = 1) -> None:
        self._nearest = nearest
        self._near: deque[Sample] = deque(maxlen=4)
        self._movement: deque[Plane] = deque(maxlen=3)  # from each of these to the next
        self._found: list[Super] = []
        self._count = 0
        self._times = np.zeros((0, 0), np.float32)  # for each pixel, in how many pictures it is part of a stroke

    def add(self, sample: Sample) -> None:
        """Look at one more sample."""
        near, bits = self._near, np.unpackbits(sample.strokes, axis=1)
        if near and sample.rank < near[-1].rank + self._nearest:
            return
        if bits.shape != self._times.shape:  # the first one, or the film changes its size
            near.clear()
            self._movement.clear()
            self._count, self._times = 0, np.zeros(bits.shape, np.float32)
        if near:
            self._movement.append(_movement(near[-1].luma, sample.luma))
        near.append(sample)
        self._count += 1
        cv2.accumulate(bits, self._times)
        if len(near) == 2:
            self._found += _between(near[0], near[1], self._movement[0], [])
        if len(near) > 2:
            *before, one, other, after = near
            *earlier, between, later = self._movement
            if self._found and self._found[-1].last == other.rank:  # more is known of these two now
                self._found = [each for each in self._found if each.last != other.rank]
            self._found += _between(one, other, between, [*zip(before, earlier, strict=True), (after, later)])

    def found(self) -> list[Super]:
        """What was found, but for marks that many pictures have."""
        return [each for each in self._found if not self._is_mark(each)]

    def _is_mark(self, each: Super) -> bool:
        (row, column), (rows, columns) = each.at, each.strokes.shape
        times = self._times[row : row + rows, column : column + columns]
        if self._count < _MARK_FROM or times.shape != each.strokes.shape:
            return False
        return float(times[each.strokes].mean()) > _MARK * self._count


def _movement(one: Plane, other: Plane) -> Plane:
    """For each cell, how many around it change, of 255."""
    return np.asarray(cv2.blur(_above(cv2.absdiff(one, other), _CHANGED), _AROUND), np.uint8)


@dataclass(frozen=True, slots=True)
class _Box:
    """Rows and columns, half-open, in pixels of a sample."""

    top: int
    bottom: int
    left: int
    right: int

    def strokes(self, *samples: Sample) -> Plane:
        """The pixels [rows x columns] that are strokes in all of one or two samples: 1, others 0."""
        rows, first = slice(max(0, self.top), max(0, self.bottom)), max(0, self.left) // 8
        parts = [each.strokes[rows, first : (self.right + 7) // 8] for each in samples]
        bits = np.unpackbits(parts[0] & parts[-1], axis=1)
        return bits[:, max(0, self.left) - 8 * first : self.right - 8 * first]

    def wider(self, down: int, across: int) -> _Box:
        return _Box(self.top - down, self.bottom + down, self.left - across, self.right + across)


def _between(one: Sample, other: Sample, movement: Plane, beside: Sequence[tuple[Sample, Plane]]) -> Iterator[Super]:
    """The lines of type in both of two samples.

    beside : the samples before and after both, each with the movement from it or to it
    """
    ink = np.minimum(one.ink, other.ink)
    over = movement > _MOVES * 255
    for sample, moved in beside:
        over |= (moved < _RESTS * 255) & (sample.ink < _GONE * ink)
    joined = cv2.morphologyEx(((ink >= _INKED) & over).view(np.uint8), cv2.MORPH_CLOSE, _GAP)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined, ltype=cv2.CV_16U)
    wide, tall, filled = boxes[1:, 2:].T
    low, high = _LINE_CELLS
    line = (tall >= low) & (tall <= high) & (wide >= np.maximum(8, 2.5 * tall)) & (filled >= 0.45 * wide * tall)
    for left, top, across, down in (_CELL * boxes[1:][line, :4]).tolist():
        box = _Box(top, top + down, left, left + across)
        if _is_type(box.strokes(one, other)) and _stays(one, other, box):
            around = box.wider(0, down)
            yield Super(one.rank, other.rank, (top, max(0, around.left)), around.strokes(one, other).astype(np.bool_))


def _is_type(strokes: Plane) -> bool:
    """Whether strokes in a box are as many and as close to each other as those of letters."""
    inked = np.flatnonzero(strokes.any(1))
    if not len(inked):
        return False
    line = strokes[inked[0] : inked[-1] + 1]
    height, length = line.shape
    middle = line[height // 6 : height - height // 6]
    crossed = float((middle[:, 1:] > middle[:, :-1]).sum(1).mean())
    return bool(_SHARE[0] <= line.mean() <= _SHARE[1]) and crossed >= max(_CROSSED, _DENSE * length / height)


def _stays(one: Sample, other: Sample, box: _Box) -> bool:
    """Whether the strokes in a box are the same, are no part of a pattern, and do not slide."""
    tall = box.bottom - box.top
    around = box.wider(0, tall)
    if around.strokes(one, other).sum() < _KEPT * max(around.strokes(one).sum(), around.strokes(other).sum()):
        return False
    beyond = max(_CELL, tall // 3)
    beside = (
        replace(box, top=box.top - beyond, bottom=box.top),
        replace(box, top=box.bottom, bottom=box.bottom + beyond),
    )
    inked = [float(each.strokes(one, other).sum()) / beyond for each in beside]
    if min(inked) > _ROOM * float(box.strokes(one, other).sum()) / tall:
        return False
    return not _slides(one, other, box)


def _slides(one: Sample, other: Sample, box: _Box) -> bool:
    """Whether the strokes of one sample are found better elsewhere in the other: moving type meets its own letters."""
    around = box.wider(box.bottom - box.top, _SLIDE)
    match = cv2.matchTemplate(255 * around.strokes(other), 255 * box.strokes(one), cv2.TM_CCORR_NORMED)
    row, column = np.unravel_index(int(match.argmax()), match.shape)
    down, across = int(row) + max(0, around.top) - box.top, int(column) + max(0, around.left) - box.left
    return max(abs(down), abs(across)) > 1
