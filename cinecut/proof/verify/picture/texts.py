"""Whether titles, cards and captions are present, and at the right times.

A text alone, over black and over white, tells its cover: where it hides the picture, and with what. Of each frame two
things can then be true: it looks as with the text, or as without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.compiler.layout.timeline import PlacedText
from cinecut.proof.verify.findings import Events, Finding
from cinecut.proof.verify.picture.alignment import Alignment
from cinecut.proof.verify.picture.likeness import FLAT
from cinecut.proof.verify.picture.strip import Thumbnails

AROUND = 24  # frames before and after a text in which it is looked for
_TOLD = 1.5  # levels by which a text changes its picture at least, to be judged
_SEEN = 0.25  # cover from which on a text is seen
_BARE = 0.02  # below it nothing is hidden
_PIXELS = 6  # of a thumbnail that are covered at least
_BLUR = 1.5  # pixels of a thumbnail
_DOUBT = 1.4  # how much better the other explanation must be
_OTHER = 12.0  # levels
_SHARE = 0.15  # of its frames: a text that is seen in fewer is missing
_READS = 0.88  # correlation: one letter of eleven makes 0.80, scaling a picture to a width of 160 pixels 0.94
_READS_SMALL = (
    0.75  # in a file of fewer pixels than the trailer: captions of some pixels make 0.86 there, other words less
)
_LEAST, _PACE = 0.3, 24.0  # seconds to find a text, and signs a second: faster nobody reads
_SAFE = 0.05  # of each side: outside of it some screens cut off (SMPTE ST 2046-1, safe title area)


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Texts over black and over white, as luma [frames, height, width], from the reference's frame `start` on."""

    start: int
    black: NDArray[np.uint8]
    white: NDArray[np.uint8]
    area: NDArray[np.bool_] | None = None  # [height, width]: what is beside it is not looked at

    def of(self, frames: Sequence[int]) -> Cover:
        """The cover with no more than what is written in some of its frames, and a rim around that."""
        hidden = [self.at(frame)[0] for frame in frames]
        if not hidden:
            return self
        written = (np.max(hidden, 0) > _BARE).astype(np.uint8)
        return replace(self, area=cv2.dilate(written, np.ones((5, 5), np.uint8)) > 0)

    def at(self, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How much of each pixel the texts hide, and the light that they add."""
        number = min(max(frame - self.start, 0), len(self.black) - 1)
        black, white = self.black[number].astype(np.float32), self.white[number].astype(np.float32)
        hidden = np.clip(1 - (white - black) / 219, 0, 1)
        light = black - 16 * (1 - hidden)
        return (hidden, light) if self.area is None else (hidden * self.area, light * self.area)


@dataclass(frozen=True)
class Texts:
    """The texts of a trailer, their covers, and a file with its reference."""

    texts: Sequence[PlacedText]
    covers: Sequence[Cover]
    file: Thumbnails
    reference: Thumbnails
    alignment: Alignment
    events: Events
    rows: int  # of the file's pictures
    wanted_rows: int  # of the trailer's

    def findings(self, wrong: set[str]) -> list[Finding]:
        """`wrong`: the events that show something else entirely."""
        findings = list[Finding]()
        for text in self.texts:
            placed = self.events.at(text.range.start.index)
            if placed is None or placed.name not in wrong:
                findings += self._judge(text)
        return findings

    def _judge(self, text: PlacedText) -> Iterator[Finding]:
        start, end = text.range.start.index, text.range.end.index
        cover = next((each for each in self.covers if each.start <= start < each.start + len(each.black)), None)
        cover = cover and cover.of(self._alone(text))
        full = self._fullest(text, cover) if cover is not None else None
        if cover is None or full is None:
            return
        yield from self._readable(text, cover, full)
        inside = {frame: seen for frame in range(start, end) if (seen := self._seen(cover, frame, frame)) is not None}
        if not inside:
            return
        row = self._row(full)
        if np.mean(list(inside.values())) < _SHARE:
            code = "caption-missing" if text.position == "caption" else "title-missing"
            yield self._finding(code, f"{_quoted(text)} is not there", text, row)
            return
        alike = self._reads_alike(text, cover, [n for n, there in inside.items() if there])
        if alike is not None and alike < (_READS if self.rows >= self.wanted_rows else _READS_SMALL):
            message = f"something else is written where {_quoted(text)} shall be"
            yield self._finding("title-wrong", message, text, row)
            return
        yield from self._ends(text, cover, full, inside)

    def _reads_alike(self, text: PlacedText, cover: Cover, frames: Sequence[int]) -> float | None:
        """Correlation of what is written in the file with what shall be, the picture under it taken away, over some
        frames; None where nothing is to be compared, or the file is too small to be read."""
        if self.rows < self.file.luma.shape[1]:
            return None
        own, wanted, box = (np.zeros(cover.black.shape[1:], np.float32) for _ in range(3))
        for frame in frames:
            row = self._row(frame)
            exact = frame if self.alignment.same_rate or row is None else int(self.alignment.shown[row])
            if row is None or not 0 <= exact < self.reference.frames:
                continue
            hidden, _ = cover.at(exact)
            reference = self.reference.luma[exact].astype(np.float32)
            under = _under(reference, hidden)
            own += _as_light(self.file.luma[row].astype(np.float32), reference, hidden < _BARE) - under
            wanted += reference - under
            box = np.maximum(box, hidden)
        near = cv2.dilate((box > _SEEN).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        if near.sum() < _PIXELS or not np.ptp(wanted[near]) or not np.ptp(own[near]):
            return None
        return float(np.corrcoef(own[near], wanted[near])[0, 1])

    def _alone(self, text: PlacedText) -> list[int]:
        """The frames of a text in which no other one is seen; none where there is no other at all."""
        start, end = text.range.start.index, text.range.end.index
        others = [(each.range.start.index, each.range.end.index) for each in self.texts if each is not text]
        near = [(a, b) for a, b in others if a < end + AROUND and start - AROUND < b]
        return [f for f in range(start, end) if not any(a <= f < b for a, b in near)] if near else []

    def _ends(self, text: PlacedText, cover: Cover, full: int, inside: dict[int, bool]) -> Iterator[Finding]:
        """Whether a text comes and goes at its frames."""
        start, end = text.range.start.index, text.range.end.index
        allowed = 1 if self.alignment.same_rate else 4
        frames, row = list(inside), self._row(full)
        late = next((n for n, frame in enumerate(frames) if inside[frame]), 0)
        soon = next((n for n, frame in enumerate(reversed(frames)) if inside[frame]), 0)
        before = self._extra(cover, full, range(start - 1, start - 1 - AROUND, -1))
        after = self._extra(cover, full, range(end, end + AROUND))
        if max(late, before) > allowed and (moved := self._moved(text, cover)):
            late, before = max(moved, 0), max(-moved, 0)
        for count, words in ((late, "comes {} too late"), (before, "comes {} too early"),
                             (soon, "goes {} too early"), (after, "stays {} too long")):  # fmt: skip
            if count > allowed:
                yield self._finding("title-time", f"{_quoted(text)} {words.format(f'{count} frames')}", text, row)

    def _moved(self, text: PlacedText, cover: Cover) -> int:
        """The delay in frames at which a text fits best; the reference shows what is behind it where that is
        visible."""
        middle = (text.range.start.index + text.range.end.index) // 2
        frames = [f for f in range(text.range.start.index - 2, middle) if self._row(f) is not None and f >= 0]
        costs = dict.fromkeys(range(-AROUND, AROUND + 1), 0.0)
        for frame in frames:
            hidden, light = cover.at(frame)
            reference = self.reference.luma[frame].astype(np.float32)
            bare = (reference - light) / np.maximum(1 - hidden, 0.1)
            shown = _as_light(self.file.luma[self._row(frame)].astype(np.float32), reference, hidden < _BARE)
            for shift in costs:
                other, added = cover.at(frame - shift)
                mask = (np.maximum(hidden, other) > 0.1) & (hidden < 0.8)
                costs[shift] += float(np.abs(added + (1 - other) * bare - shown)[mask].sum())
        best = min(costs, key=lambda shift: (costs[shift], abs(shift)))
        return best if costs[best] < 0.8 * costs[0] else 0

    def _extra(self, cover: Cover, full: int, frames: range) -> int:
        """In how many frames, from the first on, a text is visible that should not be."""
        count = 0
        for frame in frames:
            if not self._seen(cover, frame, full, shall=False):
                break
            count += 1
        return count

    def _seen(self, cover: Cover, frame: int, template: int, shall: bool = True) -> bool | None:
        """Whether the text of a template frame is visible in a frame of the file; None if that is unclear."""
        row = self._row(frame)
        if row is None or not 0 <= frame < self.reference.frames:
            return None
        exact = frame if self.alignment.same_rate else int(self.alignment.shown[row])
        hidden, light = cover.at(exact if shall else template)
        mask = hidden > _SEEN
        if mask.sum() < _PIXELS:
            return None
        wanted = self.reference.luma[exact if shall else self.alignment.shown[row]].astype(np.float32)
        picture = _as_light(self.file.luma[row].astype(np.float32), wanted, hidden < _BARE)
        bare = picture if shall else wanted
        with_text = light + (1 - hidden) * bare
        present = _apart(picture, wanted if shall else with_text)
        absent = _apart(with_text if shall else picture, wanted)
        if _apart(with_text, bare)[mask].mean() < max(_TOLD, 3 * self._noise):  # as light as the picture under it
            return None
        if np.abs(picture - wanted)[hidden < _BARE].mean() > _OTHER:  # another picture altogether
            return None
        own = present[mask].mean(), absent[mask].mean()
        return bool(own[0] < _DOUBT * own[1]) if shall else bool(_DOUBT * own[0] < own[1])

    @cached_property
    def _noise(self) -> float:
        """Levels by which encoding alone changed the picture."""
        return float(np.median(self.alignment.at(0)))

    def _row(self, frame: int) -> int | None:
        """The file's frame that should show a frame of the reference."""
        at = int(np.searchsorted(self.alignment.base, frame))
        if at >= len(self.alignment.base) or abs(int(self.alignment.base[at]) - frame) > 1:
            return None
        return at

    def _fullest(self, text: PlacedText, cover: Cover) -> int | None:
        """The frame that shows most of a text."""
        frames = range(text.range.start.index, text.range.end.index)
        sums = [float(cover.at(frame)[0].sum()) for frame in frames]
        return frames[int(np.argmax(sums))] if sums and max(sums) > _PIXELS else None

    def _readable(self, text: PlacedText, cover: Cover, full: int) -> Iterator[Finding]:
        """Whether a text stays long enough to be read, inside the safe area."""
        seconds = text.range.length / float(self.events.timeline.rate)
        need = _LEAST + len(text.text.strip()) / _PACE
        if seconds < need:
            message = f"{_quoted(text)} is seen for {seconds:.2f} s; to be read it needs {need:.1f} s"
            yield self._finding("title-short", message, text, self._row(full))
        hidden = cover.at(full)[0] > _SEEN
        height, width = hidden.shape
        inner = np.zeros_like(hidden)
        top, left = int(height * _SAFE), int(width * _SAFE)
        inner[top : height - top, left : width - left] = True
        if (hidden & ~inner).sum() >= _PIXELS / 2:
            message = f"{_quoted(text)} leaves the safe area: some screens cut it off"
            yield self._finding("title-unsafe", message, text, self._row(full))

    def _finding(self, code: str, message: str, text: PlacedText, row: int | None) -> Finding:
        frames = text.range.start.index, text.range.end.index
        placed = self.events.at(frames[0])
        return Finding(code, message, *frames, placed.name if placed else "", text.span, (), row)


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Levels between two pictures, with fine lines blurred, which a smaller size loses."""
    return np.abs(cv2.GaussianBlur(one - other, (0, 0), _BLUR), dtype=np.float32)


def _under(picture: NDArray[np.float32], hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    """A picture without the texts in it, filled in from around them."""
    bare = np.where(hidden < _SEEN, 1, 0).astype(np.float32)
    share = cv2.GaussianBlur(bare, (0, 0), 3)
    return np.asarray(cv2.GaussianBlur(picture * bare, (0, 0), 3) / np.maximum(share, 1e-3), np.float32)


def _as_light(
    picture: NDArray[np.float32], wanted: NDArray[np.float32], where: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """A picture in the light and contrast of a wanted one, as they differ where no text is: another look is no missing
    text."""
    own, other = picture[where], wanted[where]
    if own.size < _PIXELS or own.std() < FLAT or other.std() < FLAT:
        return picture
    contrast = float(np.clip(((own - own.mean()) * (other - other.mean())).mean() / own.var(), 0.7, 1.4))
    return np.asarray((picture - own.mean()) * contrast + other.mean(), np.float32)


def _quoted(text: PlacedText) -> str:
    words = " ".join(text.text.split())
    kind = {"card": "the card", "caption": "the caption"}.get(text.position, "the title")
    return f"{kind} “{words if len(words) < 40 else words[:38] + '…'}”"
