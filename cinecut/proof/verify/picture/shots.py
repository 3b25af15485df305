"""Whether each event of a file shows what the spec says: another shot, a shift, a look, a crop, single frames.

Alignment + Looks ─ by event ─► wrong as a whole: named by what it resembles
                  ─ by frame ─► shifts here; doubled and lost frames, frames of something else in frames.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from cinecut.compiler.layout.timeline import Placed
from cinecut.language.events import Shot, Still
from cinecut.proof.verify.findings import Finding, frames_text
from cinecut.proof.verify.picture.frames import SingleFrames
from cinecut.proof.verify.picture.likeness import (
    BLACK,
    FLAT,
    correlate,
    is_writing,
    signatures,
    zoomed,
)
from cinecut.proof.verify.picture.looks import LOOKS, some
from cinecut.proof.verify.picture.strip import Planes

_LIKE = 0.9  # correlation of what is the same picture
_SLOPE = 0.08  # by which a speed differs


@dataclass(frozen=True)
class PicturePair(SingleFrames):
    """A file's pictures beside the reference's, one event at a time."""

    def findings(self) -> list[Finding]:
        others = self._wholly_others()
        rewritten = {placed.number for placed in others if self._reads_otherwise(placed)}
        wrong = {placed.number: self._name(placed) for placed in others if placed.number not in rewritten}
        wrong |= {placed.number: finding for placed, finding in self._paces(set(wrong))}
        wrong |= {placed.number: finding for placed, finding in self._framings(set(wrong))}
        shifts = dict(self._shifts(set(wrong)))
        looks = list(self._looks(set(wrong)))
        elsewhere = {number for each in looks for number in self._numbers(each)}
        elsewhere |= {number for numbers in shifts for number in numbers}
        single = self.strays(set(wrong) | rewritten | elsewhere, set(wrong) | rewritten)
        return [*wrong.values(), *shifts.values(), *looks, *single, *self._length()]

    def _numbers(self, finding: Finding) -> set[int]:
        """The numbers of the events that a finding is about."""
        return {placed.number for _, _, placed in self.events.ranges() if placed.name in finding.events}

    def _inside(self, placed: Placed, start: int, end: int) -> NDArray[np.int64]:
        """The file's frames of an event without its transitions."""
        head = placed.head.after if placed.head.kind != "cut" else 0
        tail = placed.tail.before if placed.tail.kind != "cut" else 0
        return self.alignment.rows(start + head, end - tail)

    # Events that show something else from end to end

    def _wholly_others(self) -> list[Placed]:
        others = []
        for start, end, placed in self.events.ranges():
            rows = self._inside(placed, start, end)
            if len(rows) > 1 and self.likeness.alike[rows].mean() < 0.6:
                others.append(placed)
        return others

    def _reads_otherwise(self, placed: Placed) -> bool:
        """Whether an event is writing on one colour, as it shall be: what is written `Texts` judges."""
        rows = self._inside(
            placed, *(frame.index + self.events.opening for frame in (placed.range.start, placed.range.end))
        )
        shown = [(self.file.luma[row], self.reference.luma[self.alignment.shown[row]]) for row in some(rows, LOOKS)]
        return all(is_writing(own) and is_writing(wanted) for own, wanted in shown)

    def _name(self, placed: Placed) -> Finding:
        """What an event shows instead."""
        start, end = placed.range.start.index + self.events.opening, placed.range.end.index + self.events.opening
        rows = self._inside(placed, start, end)
        bad = rows[~self.likeness.alike[rows]]
        look = some(bad, LOOKS)
        code, message, *hints = self._what(placed, look, rows, (start, end))
        return self.events.finding(code, message, (start, end), *hints, frame=int(look[len(look) // 2]))

    def _what(
        self, placed: Placed, look: NDArray[np.int64], rows: NDArray[np.int64], bounds: tuple[int, int]
    ) -> tuple[str, ...]:
        shown = [self.file.luma[row] for row in look]
        wanted = [self.reference.luma[self.alignment.shown[row]] for row in look]
        if np.median(self.likeness.deviation[look]) < FLAT:
            dark = np.median(self.likeness.level[look]) < BLACK
            return ("black-frame", "this is black") if dark else ("stray-frame", "much of this is of one colour")
        for name, axis in (("left and right are", 1), ("upside and down are", 0)):
            turned = [correlate(a, np.flip(b, axis)) for a, b in zip(shown, wanted, strict=True)]
            if np.median(turned) > _LIKE:
                return "flipped", f"{name} exchanged", "`mirror` says whether a shot is mirrored"
        speed = self._speed(rows, bounds)
        if speed is not None:
            return speed
        other = self._other_event(look, placed)
        if other is not None:
            return "swapped-shot", f"this shows {other.name} instead", f"the spec has {placed.name} here"
        zooms = [zoomed(a, b) for a, b in zip(shown, wanted, strict=True)]
        if np.median([like for _, like in zooms]) > _LIKE and np.median([zoom for zoom, _ in zooms]) != 1:
            percent = round(100 * float(np.median([zoom for zoom, _ in zooms])))
            return (
                "wrong-crop",
                f"the picture is cropped or scaled otherwise: about {percent} % as large as it shall be",
            )
        if np.median([like for _, like in zooms]) > _LIKE:
            return "wrong-crop", "the picture is framed otherwise: it lies elsewhere in the frame"
        return "wrong-picture", "this shows something that the spec does not have"

    @cached_property
    def _signatures(self) -> NDArray[np.float32]:
        return signatures(self.reference.luma)

    def _matches(self, rows: Sequence[int] | NDArray[np.int64], start: int, end: int) -> list[tuple[int, int, float]]:
        """For each file frame the most similar reference frame in [start, end), and how similar: (row, frame, r)."""
        likes = signatures(self.file.luma[rows]) @ self._signatures[start:end].T
        matches = []
        for row, like in zip(rows, likes, strict=True):
            candidates = start + np.argsort(-like)[:5]
            best = max(candidates, key=lambda at: _closeness(self.file.luma[row], self.reference.luma[at]))
            matches.append((int(row), int(best), correlate(self.file.luma[row], self.reference.luma[best])))
        return matches

    def _other_event(self, look: NDArray[np.int64], placed: Placed) -> Placed | None:
        """Another event that most of these frames are from, if any."""
        matches = [at for _, at, like in self._matches(look, 0, self.reference.frames) if like > _LIKE]
        events = [event for at in matches if (event := self.events.at(at)) is not None]
        counts = {event.number: sum(e.number == event.number for e in events) for event in events}
        best = max(events, key=lambda event: counts[event.number], default=None)
        if best is None or best.number == placed.number or counts[best.number] < len(look) / 2:
            return None
        return best

    def _speed(self, rows: NDArray[np.int64], bounds: tuple[int, int]) -> tuple[str, ...] | None:
        """Whether an event's frames pass at another speed, possibly from some frame on."""
        start, end = bounds
        matches = [(row, at) for row, at, like in self._matches(rows, start, end) if like > 0.95]
        if len(matches) < max(4, 0.3 * len(rows)) or len({at for _, at in matches}) < 4:
            return None
        here = self.alignment.base[[row for row, _ in matches]]
        slope, at = _line(here, np.array([at for _, at in matches]))
        if abs(slope - 1) > _SLOPE:
            return "wrong-speed", f"this runs at {slope:.2f} times the speed that it shall have"
        shift = round(at - float(here[0]))
        return None if not shift else ("shifted-shot", _shift_text(shift))

    def _paces(self, wrong: set[int]) -> Iterator[tuple[Placed, Finding]]:
        """Events in which the file runs ahead of or behind the spec more and more: their speed differs."""
        for start, end, placed in self.events.ranges():
            rows = self._inside(placed, start, end)
            if placed.number in wrong or not len(rows) or np.ptp(self.alignment.offset[rows]) < 2:
                continue
            pace = self._speed(rows, (start, end))
            if pace is None or pace[0] != "wrong-speed":
                continue
            yield placed, self.events.finding(pace[0], pace[1], (start, end), frame=int(rows[-1]))

    # Shifts

    def _shifts(self, wrong: set[int]) -> Iterator[tuple[tuple[int, ...], Finding]]:
        """Events that begin too early or too late in the film; consecutive ones with equal shifts are one finding."""
        shifted = []
        for start, end, placed in self.events.ranges():
            rows = self._inside(placed, start, end)
            values, counts = np.unique(self.alignment.offset[rows], return_counts=True)
            shift = int(values[counts.argmax()]) if len(rows) and counts.max() >= 0.6 * len(rows) else 0
            shifted.append((start, end, placed, 0 if placed.number in wrong else shift))
        for shift, group in groupby(shifted, key=lambda each: each[3]):
            several = list(group)
            if shift:
                names = several[0][2].name if len(several) == 1 else f"{several[0][2].name} to {several[-1][2].name}"
                frame = int(self.alignment.rows(several[0][0], several[0][1])[0])
                message = f"{names}: {_shift_text(shift)}"
                bounds = several[0][0], several[-1][1]
                numbers = tuple(placed.number for _, _, placed, _ in several)
                yield numbers, self.events.finding("shifted-shot", message, bounds, frame=frame)

    # Looks

    def _looks(self, wrong: set[int]) -> Iterator[Finding]:
        other = []
        for start, end, placed in self.events.ranges():
            rows = self._inside(placed, start, end)
            rows = rows[self.likeness.alike[rows] & ~self.likeness.flat[rows]]
            if (
                isinstance(placed.event, Shot | Still)
                and placed.number not in wrong
                and len(rows) > 2
                and (words := self.look(rows))
            ):
                other.append((placed, (start, end), words, int(rows[len(rows) // 2])))
        shots = sum(not self.likeness.flat[self.alignment.rows(a, b)].all() for a, b, _ in self.events.ranges())
        if len(other) > 3 and len(other) > 0.6 * shots:
            _, (start, _), words, frame = other[0]
            end = other[-1][1][1]
            message = f"the look of {len(other)} shots is another: {words}"
            hint = "is the LUT, the vibe or the colour matrix another?"
            yield self.events.finding("wrong-look", message, (start, end), hint, frame=frame)
            return
        for _, bounds, words, frame in other:
            yield self.events.finding("wrong-look", f"the look is another: {words}", bounds, frame=frame)
        rows = np.flatnonzero(self.likeness.alike & ~self.likeness.flat)
        if not other and not wrong and len(rows) and self.other_matrix(rows):
            message = "the colours are others: they are coded by another matrix than they are taken for"
            hint = "BT.601 for BT.709, or the other way round"
            yield self.events.finding("wrong-look", message, (0, self.reference.frames), hint, frame=int(rows[0]))

    def _framings(self, wrong: set[int]) -> Iterator[tuple[Placed, Finding]]:
        """Events whose pictures lie elsewhere in the frame, or are of another size, by little."""
        for start, end, placed in self.events.ranges():
            rows = self._inside(placed, start, end)
            rows = rows[self.likeness.alike[rows] & ~self.likeness.flat[rows]]
            if placed.number not in wrong and len(rows) > 2 and (words := self.moved(rows)):
                frame = int(rows[len(rows) // 2])
                yield placed, self.events.finding("wrong-crop", words, (start, end), frame=frame)

    # The whole

    def _length(self) -> Iterator[Finding]:
        """A file that ends too early or too late."""
        frames, rate = self.reference.frames, float(self.events.timeline.rate)
        end = int(self.alignment.base[-1] + 1) if self.file.frames else 0
        shown = int(self.alignment.base[-1] + self.alignment.offset[-1]) + 1 if self.file.frames else 0
        allowed = 0 if self.alignment.same_rate else 1 + round(rate / 12)
        if end < frames - allowed and shown < frames - allowed:
            message = f"the file ends {(frames - end) / rate:.2f} s ({frames_text(frames - end)}) too early"
            yield self.events.finding("file-length", message, (end, frames))
        elif end > frames + allowed and self.alignment.offset[-1] == 0:
            message = f"the file goes on for {(end - frames) / rate:.2f} s after the end of the trailer"
            yield self.events.finding("file-length", message, (frames - 1, frames), frame=self.file.frames - 1)


def _closeness(one: Planes, other: Planes) -> float:
    return -float(np.abs(one.astype(np.int16) - other).mean())


def _line(x: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[float, float]:
    """The slope through most of the points (the median of all slopes between them, Theil and Sen), and its value at the
    first x."""
    a, b = np.triu_indices(len(x), 1)
    apart = x[b] != x[a]
    slope = float(np.median((y[b] - y[a])[apart] / (x[b] - x[a])[apart])) if apart.any() else 1.0
    return slope, float(np.median(y - slope * (x - x[0])))


def _shift_text(shift: int) -> str:
    return f"{frames_text(shift)} too {'late' if shift > 0 else 'early'} in the film"
