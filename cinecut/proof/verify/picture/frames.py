"""Whether a file's frames are, one by one, what its spec has there: black or foreign ones, doubled and lost ones, cuts
and transitions that come otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.proof.verify.findings import Events, Finding, frames_text
from cinecut.proof.verify.picture.alignment import REACH
from cinecut.proof.verify.picture.likeness import BLACK, FLAT, coarse
from cinecut.proof.verify.picture.looks import Looks
from cinecut.proof.verify.picture.strip import Planes

_BLIP = 2  # frames: a shift of no more is a fault of single frames
_FROZEN = 2.5  # levels by which the reference moves on while a picture stands still
_TRANSITION = 0.2  # of its frames are something else: it is another one
_BESIDE, _FADED = 12, 8.0  # frames around a transition, and levels by which it lies further from the spec's than they
_AROUND, _MIXED = 3, 5.0  # frames around a cut that another rate may mix there, and levels by which a mix differs


@dataclass(frozen=True)
class SingleFrames(Looks):
    """A file's pictures beside the reference's, one frame at a time; `events` is what the spec has there."""

    events: Events

    def strays(self, elsewhere: set[int], wrong: set[int]) -> Iterator[Finding]:
        """`elsewhere` are the numbers of the events that are wrong or shifted, whose frames are not judged singly."""
        judged, present = np.ones(self.file.frames, bool), np.ones(self.file.frames, bool)
        for start, end, placed in self.events.ranges():
            if placed.number in elsewhere:
                judged[self.alignment.rows(start - placed.lead, end + placed.lag)] = False
            if placed.number in wrong:
                present[self.alignment.rows(start - placed.lead, end + placed.lag)] = False
        strange = ~self.likeness.alike & present & (self.alignment.base < self.reference.frames)
        if not self.alignment.same_rate:
            strange[[row for row in np.flatnonzero(strange) if self._mixed(int(row))]] = False
        for start, end, _, kind in self.events.joints():
            rows = self.alignment.rows(start, end)
            if len(rows) < 3:
                continue
            if strange[rows].mean() > _TRANSITION or (judged[rows].all() and self._fades_otherwise(rows)):
                strange[rows] = judged[rows] = False
                message = f"this is no {kind} as the spec has it"
                yield self.events.finding("wrong-transition", message, (start, end), frame=int(rows[len(rows) // 2]))
        late = self._late_cuts(judged)
        judged[[row for _, rows in late for row in rows]] = False
        yield from (finding for finding, _ in late)
        doubled = self._doubled() & judged
        for value, run in _runs(np.where(strange, 1, np.where(doubled, 2, 0))):
            yield self._stray(run) if value == 1 else self._repeated(run)
        yield from self._steps(judged & present & ~strange & ~doubled)

    def _fades_otherwise(self, rows: NDArray[np.int64]) -> bool:
        """Whether a transition goes on at another pace: its frames are further from the reference's than those around
        it."""
        beside = np.r_[np.arange(rows[0] - _BESIDE, rows[0]), np.arange(rows[-1] + 1, rows[-1] + 1 + _BESIDE)]
        beside = beside[(beside >= 0) & (beside < self.file.frames)]
        usual = float(np.median(self.likeness.distance[beside])) if len(beside) else 0.0
        far = [row for row in rows if self.likeness.distance[row] > _FADED + 2 * usual]
        if not self.alignment.same_rate:
            far = [row for row in far if not self._mixed(int(row))]
        return len(far) > _TRANSITION * len(rows)

    def _late_cuts(self, judged: NDArray[np.bool_]) -> list[tuple[Finding, NDArray[np.int64]]]:
        """Cuts that come some frames too late, or too early, and the file's frames there: they show the event on the
        other side, which stands still, or goes on as it did before."""
        cuts, shown = list[tuple[Finding, NDArray[np.int64]]](), self.alignment.base + self.alignment.offset
        for start, _, placed in self.events.ranges()[1:] if self.alignment.same_rate else ():
            if placed.head.kind != "cut":
                continue
            after, before = self.alignment.rows(start, start + REACH), self.alignment.rows(start - REACH, start)
            late, early = after[shown[after] < start], before[shown[before] >= start]
            rows, word = (late, "late") if len(late) else (early, "early")
            if len(rows) and judged[rows].all() and 0 < len(rows) < REACH:
                bounds = int(self.alignment.base[rows[0]]), int(self.alignment.base[rows[-1]]) + 1
                message = f"the cut to {placed.name} comes {frames_text(len(rows))} too {word}"
                cuts.append((self.events.finding("stray-frame", message, bounds, frame=int(rows[0])), rows))
        return cuts

    def _mixed(self, row: int) -> bool:
        """Whether a frame is near ones of the reference, or two of them over each other, or in alternate lines
        (telecine): what a conversion of the rate makes of a cut."""
        near = range(self.alignment.base[row] - _AROUND, self.alignment.base[row] + _AROUND + 1)
        shown = coarse(self.file.luma[row]).astype(np.float32)
        frames = [coarse(self.reference.luma[at]).astype(np.float32) for at in near if 0 <= at < self.reference.frames]
        return any(_mix_apart(shown, one, other) < _MIXED for n, one in enumerate(frames) for other in frames[n:])

    def _stray(self, run: NDArray[np.int64]) -> Finding:
        """Some frames in an event that are another picture."""
        first, last = int(self.alignment.base[run[0]]), int(self.alignment.base[run[-1]])
        count = frames_text(len(run))
        level = float(np.median(self.likeness.level[run]))
        if np.median(self.likeness.deviation[run]) < FLAT:
            kind = "black" if level < BLACK else "white" if level > 200 else "one colour"
            code, message = "black-frame" if level < BLACK else "stray-frame", f"{count} of {kind} in the picture"
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
        """Frames that are the one before once more, where the reference moves on."""
        luma, shown = self.file.luma, self.alignment.base
        doubled = np.zeros(len(luma), bool)
        if not self.alignment.same_rate or len(luma) < 3:
            return doubled
        noise = float(np.median(self.alignment.at(0)))
        wanted = self.reference.luma
        inside = np.flatnonzero((shown > 0) & (shown < len(wanted)))[1:]
        at = np.clip(shown[inside] + self.alignment.offset[inside - 1], 1, len(wanted) - 1)
        moved, expected = _apart(luma, inside, luma, inside - 1), _apart(wanted, at, wanted, at - 1)
        before, own = _apart(luma, inside, wanted, at - 1), _apart(luma, inside, wanted, at)
        still = (expected > 0.5 + 1.5 * noise) & (moved < 0.3 * expected) & (before < 0.5 * own)
        doubled[inside[still]] = True
        for _, run in _runs((moved < np.maximum(0.2 * expected, 0.05)).astype(np.int64)):
            lost = own[run].max() > 2 * noise + 0.5
            doubled[inside[run]] |= len(run) > _BLIP and lost and expected[run].sum() > _FROZEN
        return doubled

    def _steps(self, judged: NDArray[np.bool_]) -> Iterator[Finding]:
        """Where within an event the file goes on as far behind or ahead as the events after it: frames were lost there,
        or shown twice."""
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
        """The offset of most frames of each event, by the events' numbers."""
        usual = {}
        for start, end, placed in self.events.ranges():
            values, counts = np.unique(self.alignment.offset[self.alignment.rows(start, end)], return_counts=True)
            usual[placed.number] = int(values[counts.argmax()]) if len(values) else 0
        return usual


def _apart(some: Planes, rows: NDArray[np.int64], others: Planes, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean levels between pictures, pair by pair."""
    sums = [cv2.norm(some[one], others[other], cv2.NORM_L1) for one, other in zip(rows, at, strict=True)]
    return np.asarray(np.array(sums) / some[0].size)


def _mix_apart(shown: NDArray[np.float32], one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Mean levels between a picture and the best mix of two others."""
    step = other - one
    share = float(np.clip(((shown - one) * step).sum() / max(1.0, float(np.square(step).sum())), 0, 1))
    return float(np.abs(one + share * step - shown).mean())


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Stretches of equal values other than 0."""
    bounds = np.flatnonzero(np.diff(values)) + 1
    for part in np.split(np.arange(len(values)), bounds):
        if len(part) and values[part[0]]:
            yield int(values[part[0]]), part
