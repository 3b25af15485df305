"""All pictures of the timeline, one after another: the picture half of the graph.

Where two events cross-fade, the end of one and the start of the next are mixed; in a dip to white, each of them with
white.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cinecut.compiler.layout.timeline import Joint, Placed, PlacedShot, Timeline
from cinecut.compiler.picture.canvas import Canvas, lower_still, plain
from cinecut.compiler.picture.film_frames import film_frames
from cinecut.compiler.picture.shots import lower_shot
from cinecut.compiler.resolve import Trailer
from cinecut.graph import filters
from cinecut.graph.nodes import Pad, split
from cinecut.language.events import Still

Source = Callable[[Placed], Pad]  # where an event's pictures come from
Stretches = dict[int, list[Pad]]
"""Pictures in their order, parted wherever no crossfade is: by the frame, counted from the first event's, at which each
stretch begins."""


def lower_pictures(
    trailer: Trailer, timeline: Timeline, canvases: Mapping[str, Canvas], source: Source
) -> dict[str, Stretches]:
    """The pictures of each output, by name. Decoding is shared: the outputs split before scaling."""
    copies: dict[int, list[Pad]] = {}
    for placed in timeline.events:
        if isinstance(placed, PlacedShot) or isinstance(placed.event, Still):
            pad = source(placed)
            if isinstance(placed, PlacedShot):
                pad = film_frames(placed, trailer, pad)
            copies[placed.number] = split(pad, len(canvases), placed.label)
    return {
        name: _lower_picture(trailer, timeline, canvas, {number: pads[index] for number, pads in copies.items()})
        for index, (name, canvas) in enumerate(canvases.items())
    }


def label_of(kind: str, name: str) -> str:
    """The label of one of the graph's outputs."""
    return f"{kind}_{name}" if name else kind


def _lower_picture(trailer: Trailer, timeline: Timeline, canvas: Canvas, sources: Mapping[int, Pad]) -> Stretches:
    """All events on one canvas, in order."""
    stretches = Stretches()
    stretch: list[Pad] = []
    leaving: Pad | None = None
    for placed in timeline.events:
        pad, label = _lower_event(trailer, placed, canvas, sources), placed.label
        head, tail = _mixed(placed.head, placed.head.after), _mixed(placed.tail, placed.tail.before)
        entering, body, left = _cut_up(pad, head, tail, placed)
        if placed.head.kind != "crossfade":
            stretch = stretches[placed.range.start.index] = []
        if entering is not None:
            before = leaving if placed.head.kind == "crossfade" else None
            before = before or plain("white", head, canvas, label)
            stretch.append(filters.crossfade(before, entering, head, label))
        if body is not None:
            stretch.append(body)
        if left is not None and placed.tail.kind == "dip to white":
            stretch.append(filters.crossfade(left, plain("white", tail, canvas, label), tail, label))
        leaving = left
    return stretches


def _mixed(joint: Joint, own: int) -> int:
    """How many frames at a joint are mixed with another picture; `own` of them are on this side of it."""
    return {"crossfade": joint.before + joint.after, "dip to white": own}.get(joint.kind, 0)


def _cut_up(pad: Pad, head: int, tail: int, placed: Placed) -> tuple[Pad | None, Pad | None, Pad | None]:
    """An event's first `head` frames, the middle, and its last `tail` frames; None for a part without frames."""
    length = placed.extent.length
    bounds = [(0, head), (head, length - tail), (length - tail, length)]
    wanted = [start < end for start, end in bounds]
    if wanted == [False, True, False]:
        return None, pad, None
    copies = iter(split(pad, sum(wanted), placed.label))
    parts = [filters.part(next(copies), start, end, placed.label) if start < end else None for start, end in bounds]
    return parts[0], parts[1], parts[2]


def _lower_event(trailer: Trailer, placed: Placed, canvas: Canvas, sources: Mapping[int, Pad]) -> Pad:
    """One event at its full extent; of its neighbours only the joints matter."""
    event = placed.event
    if isinstance(placed, PlacedShot):
        pad = lower_shot(placed, canvas, trailer.footage[placed.film.film], sources[placed.number])
    elif isinstance(event, Still):
        pad = lower_still(placed, trailer.picture_of(event.still), event.scale, canvas, sources[placed.number])
    else:
        pad = plain("black", placed.extent.length, canvas, placed.label)
    return _apply_joints(pad, placed)


def _apply_joints(pad: Pad, placed: Placed) -> Pad:
    """Fades from and to black, and the two halves of dips to black."""
    if placed.head.kind in _FADES and placed.head.after:
        pad = filters.fade(pad, "in", 0, placed.head.after, placed.label)
    if placed.tail.kind in _FADES and placed.tail.before:
        start = placed.extent.length - placed.tail.before
        pad = filters.fade(pad, "out", start, placed.tail.before, placed.label)
    return pad


_FADES = ("fade in", "fade out", "dip to black")
