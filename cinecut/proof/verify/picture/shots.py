"""Whether each event of a file shows what the spec says: another shot, a shift, a look, a crop, single frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from cinecut.compiler.layout.timeline import Placed
from cinecut.proof.verify.findings import Events, Finding, frames_text
from cinecut.proof.verify.picture.alignment import Alignment
from cinecut.proof.verify.picture.likeness import FLAT, Likeness, correlate, likeness, signatures, zoomed
from cinecut.proof.verify.picture.strip import Planes, Thumbnails

_BLACK = 26.0  # levels of luma: no picture is darker
_LOOKS = 7  # frames of an event that are looked at closely
_LIKE = 0.9  # correlation of what is the same picture
_LIGHT, _COLOR, _CONTRAST = 3.0, 2.5, 0.1  # levels, levels and share by which a look differs visibly
_BLIP = 2  # frames: a shift of no more is a fault of single frames
_FROZEN = 2.5  # levels by which the reference moves on while a picture stands still
_TRANSITION = 0.25  # of its frames are something else: it is another one
_SLOPE = 0.08  # by which a speed differs


@dataclass(frozen=True)
class PicturePair:
    """A file's pictures and the reference's."""

    file: Thumbnails
    reference: Thumbnails
    alignment: Alignment
    events: Events

    @cached_property
    def likeness(self) -> Likeness:
        return likeness(self.file, self.reference, self.alignment)

    def findings(self) -> list[Finding]:
        wrong = {placed.number: self._name(placed) for placed in self._wholly_wrong()}
        wrong |= {placed.number: found for placed, found in self._paces(set(wrong))}
        shifts = dict(self._shifts(set(wrong)))
        looks = list(self._looks(set(wrong)))
        single = list(self._single(set(wrong) | {number for numbers in shifts for number in numbers}, set(wrong)))
        return [*wrong.values(), *shifts.values(), *looks, *single, *self._length()]

    def rows(self, start: int, end: int) -> NDArray[np.int64]:
        """The file's frames that should show the reference's frames [start, end)."""
        base = self.alignment.base
        return np.flatnonzero((base >= start) & (base < end))

    def _inside(self, placed: Placed, start: int, end: int) -> NDArray[np.int64]:
        """The file's frames of an event without its transitions."""
        head = placed.head.after if placed.head.kind != "cut" else 0
        tail = placed.tail.before if placed.tail.kind != "cut" else 0
        return self.rows(start + head, end - tail)

    # Events that show something else from end to end

    def _wholly_wrong(self) -> list[Placed]:
        found = []
        for start, end, placed in self.events.ranges():
            rows = self._inside(placed, start, end)
            if len(rows) > 1 and self.likeness.alike[rows].mean() < 0.6:
                found.append(placed)
        return found

    def _name(self, placed: Placed) -> Finding:
        """What an event shows instead."""
        start, end = placed.range.start.index + self.events.opening, placed.range.end.index + self.events.opening
        rows = self._inside(placed, start, end)
        bad = rows[~self.likeness.alike[rows]]
        look = bad[np.linspace(0, len(bad) - 1, min(_LOOKS, len(bad))).round().astype(int)]
        code, message, *hints = self._what(placed, look, rows, (start, end))
        return self.events.finding(code, message, (start, end), *hints, frame=int(look[len(look) // 2]))

    def _what(
        self, placed: Placed, look: NDArray[np.int64], rows: NDArray[np.int64], bounds: tuple[int, int]
    ) -> tuple[str, ...]:
        shown = [self.file.luma[row] for row in look]
        wanted = [self.reference.luma[self.alignment.shown[row]] for row in look]
        if np.median(self.likeness.deviation[look]) < FLAT:
            dark = np.median(self.likeness.level[look]) < _BLACK
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
        found = []
        for row, like in zip(rows, likes, strict=True):
            candidates = start + np.argsort(-like)[:5]
            best = max(candidates, key=lambda at: _closeness(self.file.luma[row], self.reference.luma[at]))
            found.append((int(row), int(best), correlate(self.file.luma[row], self.reference.luma[best])))
        return found

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
            found = self._speed(rows, (start, end))
            if found is None or found[0] != "wrong-speed":
                continue
            yield placed, self.events.finding(found[0], found[1], (start, end), frame=int(rows[-1]))

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
                frame = int(self.rows(several[0][0], several[0][1])[0])
                message = f"{names}: {_shift_text(shift)}"
                bounds = several[0][0], several[-1][1]
                numbers = tuple(placed.number for _, _, placed, _ in several)
                yield numbers, self.events.finding("shifted-shot", message, bounds, frame=frame)

    # Looks

    def _looks(self, wrong: set[int]) -> Iterator[Finding]:
        found = []
        for start, end, placed in self.events.ranges():
            rows = self._inside(placed, start, end)
            rows = rows[self.likeness.alike[rows] & ~self.likeness.flat[rows]]
            if placed.number not in wrong and len(rows) > 2 and (words := self._look(rows)):
                found.append((placed, (start, end), words, int(rows[len(rows) // 2])))
        shots = sum(not self.likeness.flat[self.rows(a, b)].all() for a, b, _ in self.events.ranges())
        if len(found) > 3 and len(found) > 0.6 * shots:
            _, (start, _), words, frame = found[0]
            end = found[-1][1][1]
            message = f"the look of {len(found)} shots is another: {words}"
            hint = "is the LUT, the vibe or the colour matrix another?"
            yield self.events.finding("wrong-look", message, (start, end), hint, frame=frame)
            return
        for _, bounds, words, frame in found:
            yield self.events.finding("wrong-look", f"the look is another: {words}", bounds, frame=frame)

    def _look(self, rows: NDArray[np.int64]) -> str:
        like = self.likeness
        light, contrast = float(np.median(like.light[rows])), float(np.median(like.contrast[rows]))
        blue, red = (float(each) for each in np.median(like.color[rows], 0))
        words = []
        if abs(light) > _LIGHT:
            words.append(f"{'brighter' if light > 0 else 'darker'} by {abs(light):.0f} levels")
        if abs(contrast - 1) > _CONTRAST:
            words.append(f"contrast {contrast:.2f} times as high")
        if max(abs(blue), abs(red)) > _COLOR:
            words.append(f"colours shifted by {blue:+.0f} (blue) and {red:+.0f} (red) levels")
        return ", ".join(words)

    # Single frames

    def _single(self, elsewhere: set[int], wrong: set[int]) -> Iterator[Finding]:
        """`elsewhere`: the numbers of wrong or shifted events, whose single frames are not checked."""
        judged, present = np.ones(self.file.frames, bool), np.ones(self.file.frames, bool)
        for start, end, placed in self.events.ranges():
            if placed.number in elsewhere:
                judged[self.rows(start - placed.lead, end + placed.lag)] = False
            if placed.number in wrong:
                present[self.rows(start - placed.lead, end + placed.lag)] = False
        strange = ~self.likeness.alike & present & (self.alignment.base < self.reference.frames)
        for start, end, placed in self.events.joints():
            rows = self.rows(start, end)
            if len(rows) > 2 and strange[rows].mean() > _TRANSITION:
                strange[rows] = judged[rows] = False
                message = f"this is no {placed.head.kind} as the spec has it"
                yield self.events.finding("wrong-transition", message, (start, end), frame=int(rows[len(rows) // 2]))
        doubled = self._doubled() & judged
        for value, run in _runs(np.where(strange, 1, np.where(doubled, 2, 0))):
            yield self._stray(run) if value == 1 else self._repeated(run)
        yield from self._steps(present & ~strange & ~doubled)

    def _stray(self, run: NDArray[np.int64]) -> Finding:
        """Some frames of another picture within an event."""
        first, last = int(self.alignment.base[run[0]]), int(self.alignment.base[run[-1]])
        count = frames_text(len(run))
        level = float(np.median(self.likeness.level[run]))
        if np.median(self.likeness.deviation[run]) < FLAT:
            kind = "black" if level < _BLACK else "white" if level > 200 else "one colour"
            code, message = "black-frame" if level < _BLACK else "stray-frame", f"{count} of {kind} in the picture"
        else:
            code, message = "stray-frame", f"{count} of something else in the picture"
        return self.events.finding(code, message, (first, last + 1), frame=int(run[0]))

    def _repeated(self, run: NDArray[np.int64]) -> Finding:
        first, last = int(self.alignment.base[run[0]]), int(self.alignment.base[run[-1]])
        if len(run) > _BLIP:
            seconds = len(run) / float(self.events.timeline.rate)
            return self.events.finding("frozen", f"the picture stands still for {seconds:.2f} s", (first, last + 1),
                                       frame=int(run[0]))  # fmt: skip
        message = f"{frames_text(len(run))} shown twice"
        return self.events.finding("doubled-frame", message, (first, last + 1), frame=int(run[0]))

    def _doubled(self) -> NDArray[np.bool_]:
        """Repeated frames where the reference moves on."""
        luma, shown = self.file.luma.astype(np.int16), self.alignment.base
        found = np.zeros(len(luma), bool)
        if not self.alignment.same_rate or len(luma) < 3:
            return found
        noise = float(np.median(self.alignment.at(0)))
        wanted = self.reference.luma.astype(np.int16)
        inside = np.flatnonzero((shown > 0) & (shown < len(wanted)))[1:]
        at = np.clip(shown[inside] + self.alignment.offset[inside - 1], 1, len(wanted) - 1)
        moved, expected = _apart(luma[inside], luma[inside - 1]), _apart(wanted[at], wanted[at - 1])
        before, own = _apart(luma[inside], wanted[at - 1]), _apart(luma[inside], wanted[at])
        still = (expected > 0.5 + 1.5 * noise) & (moved < 0.3 * expected) & (before < 0.5 * own)
        found[inside[still]] = True
        for _, run in _runs((moved < np.maximum(0.2 * expected, 0.05)).astype(np.int64)):
            lost = own[run].max() > 2 * noise + 0.5
            found[inside[run]] |= len(run) > _BLIP and lost and expected[run].sum() > _FROZEN
        return found

    def _steps(self, judged: NDArray[np.bool_]) -> Iterator[Finding]:
        """Where within an event the file takes on the offset of the following events: frames were lost or repeated
        there."""
        offset, base, usual = self.alignment.offset, self.alignment.base, self._usual_offsets()
        for row in np.flatnonzero(np.diff(offset)) + 1:
            step, at = int(offset[row] - offset[row - 1]), int(base[row])
            placed, before = self.events.at(at), self.events.at(int(base[row - 1]))
            if placed is None or before is None or placed.number != before.number or not judged[row]:
                continue
            first, last = usual.get(placed.number - 1, 0), usual.get(placed.number + 1, int(offset[row]))
            if (first, last) == (offset[row - 1], offset[row]):
                code = "lost-frame" if step > 0 else "doubled-frame"
                message = f"{frames_text(step)} {'missing' if step > 0 else 'too many'}: all that follows is shifted"
                yield self.events.finding(code, message, (at, at + 1), frame=int(row))

    def _usual_offsets(self) -> dict[int, int]:
        """The offset of most frames of each event, by event number."""
        found = {}
        for start, end, placed in self.events.ranges():
            values, counts = np.unique(self.alignment.offset[self.rows(start, end)], return_counts=True)
            found[placed.number] = int(values[counts.argmax()]) if len(values) else 0
        return found

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


def _apart(some: NDArray[np.int16], others: NDArray[np.int16]) -> NDArray[np.float64]:
    """Mean levels between pictures, pair by pair."""
    return np.array([np.abs(one - other).mean() for one, other in zip(some, others, strict=True)])


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


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Stretches of equal values other than 0."""
    bounds = np.flatnonzero(np.diff(values)) + 1
    for part in np.split(np.arange(len(values)), bounds):
        if len(part) and values[part[0]]:
            yield int(values[part[0]]), part
