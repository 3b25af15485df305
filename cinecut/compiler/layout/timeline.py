"""Trailer → Timeline: every event at its exact place, in whole trailer frames, with its film material and its joints.

Events are walked once, from an exact position to an exact position; each boundary is rounded to a frame by itself, so
nothing drifts. A transition straddles its cut: the timeline never gets shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeGuard

from cinecut.compiler.layout.clockwork import GRID_HINT, Clockwork
from cinecut.compiler.layout.material import film_range, heard_range, shot_length, sound_fades, sound_over
from cinecut.compiler.names import labels_of
from cinecut.compiler.resolve import Trailer
from cinecut.diagnostics import Report, Span
from cinecut.language.events import Black, Card, Event, Shot, Still, Title
from cinecut.language.grid import LONGEST, Grid
from cinecut.language.timebase import FilmRange, TrailerFrame, TrailerRange, clock, nearest, seconds_text
from cinecut.language.translation import Translation

Kind = Literal["cut", "crossfade", "dip to black", "dip to white", "fade in", "fade out"]


@dataclass(frozen=True, slots=True)
class Joint:
    """A transition at a boundary: how many frames of it lie before and after the boundary."""

    kind: Kind = "cut"
    before: int = 0
    after: int = 0

    @property
    def crossed(self) -> tuple[int, int]:
        """The frames before and after the boundary that show both events."""
        return (self.before, self.after) if self.kind == "crossfade" else (0, 0)

    @property
    def faded(self) -> tuple[int, int]:
        """The frames before and after the boundary in which a picture goes to one colour, or comes from it."""
        return (0, 0) if self.kind in ("cut", "crossfade") else (self.before, self.after)


@dataclass(frozen=True, slots=True)
class Placed:
    """An event on the trailer's clock. `start` and `end` are exact seconds, `range` their nearest frames."""

    event: Event
    number: int  # its place among the events, from 1: as `explain` and the contact sheets count
    act: str | None
    start: Fraction
    end: Fraction
    range: TrailerRange
    label: str  # in the graph: by what it is, not by where it stands
    head: Joint = Joint()
    tail: Joint = Joint()

    @property
    def lead(self) -> int:
        """Frames of material needed before its range."""
        return self.head.crossed[0]

    @property
    def lag(self) -> int:
        """Frames of material needed after its range."""
        return self.tail.crossed[1]

    @property
    def extent(self) -> TrailerRange:
        """Its range with the handles that its crossfades need."""
        return TrailerRange(self.range.start - self.lead, self.range.end + self.lag)

    @property
    def middle(self) -> int:
        """The trailer frame in its middle."""
        return (self.range.start.index + self.range.end.index) // 2

    @property
    def name(self) -> str:
        """The name that people use: `shot 12`."""
        return f"{type(self.event).__name__.lower()} {self.number}"


@dataclass(frozen=True, slots=True)
class PlacedShot(Placed):
    """A shot, with the range of the film that it shows."""

    event: Shot
    _: KW_ONLY
    film: FilmRange  # what it shows, without handles
    heard: FilmRange  # what is heard with it, as long: the same, unless the spec says `sound_in`
    sound_fade: tuple[int, int]  # frames of fade at head and tail of its sound alone
    sound_over: tuple[int, int]  # frames by which its sound comes before its picture and stays after it


def is_heard(placed: Placed, trailer: Trailer) -> TypeGuard[PlacedShot]:
    """Whether this is a shot with sound."""
    if not isinstance(placed, PlacedShot) or placed.event.mute:
        return False
    return trailer.footage[placed.film.film].audio is not None


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A text on the screen: a title over the picture, or a card. Fades are in frames."""

    text: str
    range: TrailerRange
    fade_in: int
    fade_out: int
    position: Literal["lower", "middle", "upper", "card", "caption"]
    span: Span
    event: str = ""  # the id or the name of the one that shows it, and no other text


@dataclass(frozen=True, slots=True)
class Timeline:
    rate: Fraction
    events: tuple[Placed, ...]
    texts: tuple[PlacedText, ...]
    grid: Grid | None

    @property
    def shots(self) -> list[PlacedShot]:
        return [placed for placed in self.events if isinstance(placed, PlacedShot)]

    @property
    def frames(self) -> int:
        return self.events[-1].range.end.index if self.events else 0


def translated(texts: Sequence[PlacedText], translation: Translation | None) -> list[PlacedText]:
    """Texts in another language; texts without a translation stay as they are."""
    placed = list[PlacedText]()
    for text in texts:
        words = translation.of(text.text, text.event) if translation is not None else None
        placed.append(text if words is None else replace(text, text=words.text, span=words.span))
    return placed


def build_timeline(trailer: Trailer, report: Report) -> Timeline:
    """Place every event. Mistakes go into the report; only a timeline without mistakes is used further."""
    clockwork = Clockwork(trailer, report)
    events = _join(_place(trailer, clockwork), clockwork)
    if trailer.spec.timeline and not events:  # without any entry it has been refused already
        span = trailer.spec.place.of("timeline")
        report.add("empty-event", "the timeline shows nothing", span, "add a shot: 0:16 - 0:20")
    elif events and events[-1].end > LONGEST:
        message = f"this trailer runs for {clock(events[-1].end)}; an hour is the most"
        report.add("wrong-value", message, events[-1].event.place.span, "is a length in the wrong unit?")
    if (rating := trailer.spec.rating) is not None and trailer.opening is not None:
        shown = trailer.opening.frames / trailer.rate
        if shown > LONGEST:
            message = f"this rating card is shown for {clock(shown)}; an hour is the most"
            place = rating.place.of("for") if rating.for_ is not None else rating.place.span
            report.add("wrong-value", message, place, "rating: {still: card.png, for: 5s}")
    texts = tuple(text for placed in events for text in _texts(placed, clockwork, events[-1].range.end))
    return Timeline(trailer.rate, events, texts, trailer.grid)


def _place(trailer: Trailer, clockwork: Clockwork) -> list[Placed]:
    placed: list[Placed] = []
    position = Fraction(0)
    labels = labels_of((entry for _, _, entry in trailer.events), trailer.spec.name_of(""))
    for (number, act, entry), label in zip(trailer.events, labels, strict=True):
        end = _end(entry, position, clockwork)
        frames = TrailerRange(clockwork.frame(position), clockwork.frame(end))
        if frames.length < 1:
            message = f"this event is shorter than one frame ({seconds_text(end - position)} s)"
            clockwork.report.add("empty-event", message, entry.place.span)
            frames = TrailerRange(frames.start, frames.start + 1)
        where = (number, act, position, end, frames, label)
        if isinstance(entry, Shot):
            film = film_range(entry, position, end, frames, clockwork)
            fades = sound_fades(entry, position, end, frames, clockwork)
            heard = heard_range(entry, film, clockwork)
            over = sound_over(entry, position, end, heard, clockwork)
            placed.append(PlacedShot(entry, *where, film=film, heard=heard, sound_fade=fades, sound_over=over))
        else:
            placed.append(Placed(entry, *where))
        position = end
    return placed


def _end(event: Event, position: Fraction, clockwork: Clockwork) -> Fraction:
    """Where an event ends: after its own length, or at the grid line that it snaps to."""
    match event:
        case Shot():
            length = shot_length(event, position, clockwork)
        case Black():
            length = clockwork.seconds(event.black, position, event.place.of("black"))
        case Card() | Still():
            length = clockwork.seconds(event.for_, position, event.place.of("for"))
    end = position + length
    if event.snap is None:
        return end
    if clockwork.grid is None:
        clockwork.report.add("no-grid", "`snap` needs a beat grid", event.place.of("snap"), GRID_HINT)
        return end
    line = clockwork.grid.nearest_line(end, event.snap)
    return line if clockwork.frame(line) > clockwork.frame(position) else clockwork.grid.next_line(position, event.snap)


def _join(placed: list[Placed], clockwork: Clockwork) -> tuple[Placed, ...]:
    """Give every event the joints at its head and its tail, and check that there is material for them."""
    joined: list[Placed] = []
    for current in placed:
        head = _head_joint(joined[-1] if joined else None, current, clockwork)
        if joined and head.kind in ("crossfade", "dip to black", "dip to white"):
            joined[-1] = replace(joined[-1], tail=head)
        tail = _tail_joint(current, clockwork)
        joined.append(replace(current, head=head, tail=tail))
    joined = _breathe(joined, clockwork)
    for index, current in enumerate(joined):
        _check_room(current, clockwork)
        if isinstance(current, PlacedShot):
            _check_sound_over(current, clockwork)
            _check_sound_in(current, clockwork)
        if current.head.kind == "crossfade":
            _check_handles(joined[index - 1], current, clockwork)
    return tuple(joined)


def _check_sound_over(shot: PlacedShot, clockwork: Clockwork) -> None:
    joints = zip(("sound_lead", "sound_trail"), (shot.head, shot.tail), shot.sound_over, strict=True)
    for key, joint, over in joints:
        if over and joint.kind == "crossfade":
            message = f"the sound cross-fades here with the picture, so `{key}` is not possible here"
            clockwork.report.add("transition", message, shot.event.place.of(key), "make it a cut")


def _check_sound_in(shot: PlacedShot, clockwork: Clockwork) -> None:
    """A crossfade needs sound before and after what is heard with the picture."""
    step, span = shot.event.speed / clockwork.rate, shot.event.place.of("sound_in")
    before, after = shot.lead * step, clockwork.film_end(shot.heard) - shot.heard.end.seconds
    if shot.event.sound_in is not None and before > shot.heard.start.seconds:
        message = f"this crossfade needs {clock(before)} of sound before `sound_in`"
        clockwork.report.add("no-handle", message, span, "choose a later moment")
    if shot.event.sound_in is not None and 0 <= after < shot.lag * step:
        message = f"this crossfade needs {clock(shot.lag * step - after)} more sound than the film has"
        clockwork.report.add("no-handle", message, span, "choose an earlier moment")


_TAIL = Fraction(4, 10)  # seconds of a shot's sound that are heard into the silence after it


def _breathe(joined: list[Placed], clockwork: Clockwork) -> list[Placed]:
    """Let a shot's sound fade into the silence after it, if the film has more of that sound."""
    softened = list(joined)
    for index, (placed, following) in enumerate(pairwise(joined)):
        silent = isinstance(following.event, Black) and following.event.silent and following.head.kind == "cut"
        if silent and isinstance(placed, PlacedShot) and not placed.event.mute and not placed.sound_over[1]:
            frames = min(nearest(_TAIL * clockwork.rate), following.range.length)
            end = placed.heard.end.seconds + frames * placed.event.speed / clockwork.rate
            if end <= clockwork.film_end(placed.heard):
                softened[index] = replace(placed, sound_over=(placed.sound_over[0], frames))
    return softened


def _head_joint(previous: Placed | None, current: Placed, clockwork: Clockwork) -> Joint:
    transition, span = current.event.from_, current.event.place.of("from")
    if transition.kind == "cut":
        return Joint()
    frames = clockwork.frames(transition.length, current.start, span)
    if transition.kind == "fade in":
        return Joint("fade in", 0, frames)
    if previous is None:
        message = f"nothing comes before the first event, so it cannot begin with a {transition.kind}"
        clockwork.report.add("transition", message, span, "`from: fade in 1s` fades up from black")
        return Joint()
    if previous.tail.kind == "fade out":
        message = f"the event before fades out, so this one cannot also enter with a {transition.kind}"
        clockwork.report.add("transition", message, span, "remove the `to` before it, or make this `fade in`")
        return Joint()
    return Joint(transition.kind, frames // 2, frames - frames // 2)


def _tail_joint(current: Placed, clockwork: Clockwork) -> Joint:
    transition = current.event.to
    if transition.kind == "cut":
        return Joint()
    return Joint("fade out", clockwork.frames(transition.length, current.end, current.event.place.of("to")), 0)


def _check_room(placed: Placed, clockwork: Clockwork) -> None:
    taken = placed.head.after + placed.tail.before
    if taken > placed.range.length:
        longest, key = (placed.head, "from") if placed.head.after >= placed.tail.before else (placed.tail, "to")
        message = (
            f"this event has {placed.range.length} frames, but the transitions at its ends take {taken} "
            f"(the {longest.kind} {max(placed.head.after, placed.tail.before)})"
        )
        clockwork.report.add("transition", message, placed.event.place.of(key), "shorten the transition")


def _check_handles(left: Placed, right: Placed, clockwork: Clockwork) -> None:
    """A crossfade shows both shots: the left one past its out point, the right one before its in point."""
    span = right.event.place.of("from")
    if isinstance(right, PlacedShot):
        room = right.film.start.seconds
        need = right.lead * right.event.speed / clockwork.rate
        if need > room >= 0:
            message = f"this crossfade needs {clock(need)} of film before the in point; there are {clock(room)}"
            clockwork.report.add("no-handle", message, span, "shorten the crossfade, or move the in point")
    if isinstance(left, PlacedShot):
        step = left.event.speed / clockwork.rate
        last = left.film.start.seconds + (left.range.length - 1 + left.lag) * step
        film_end = clockwork.film_end(left.film)
        if last >= film_end > last - left.lag * step:
            over = clock(last - film_end + step)
            message = f"this crossfade needs {over} more of the shot before it than the film has"
            clockwork.report.add("no-handle", message, span, "shorten the crossfade, or move the out point")


def _texts(placed: Placed, clockwork: Clockwork, trailer_end: TrailerFrame) -> list[PlacedText]:
    event = placed.event
    if isinstance(event, Card):
        fade_in, fade_out = placed.lead + placed.head.after, placed.lag + placed.tail.before
        owner = event.id or placed.name
        return [PlacedText(event.card, placed.extent, fade_in, fade_out, "card", event.place.of("card"), owner)]
    titles = [_title(title, placed, clockwork, trailer_end) for title in event.titles]
    return titles if len(titles) > 1 else [replace(title, event=event.id or placed.name) for title in titles]


def _title(title: Title, placed: Placed, clockwork: Clockwork, trailer_end: TrailerFrame) -> PlacedText:
    place = title.place
    start = placed.start + clockwork.seconds(title.at, placed.start, place.of("at"))
    end = placed.end
    if title.for_ is not None:
        end = start + clockwork.seconds(title.for_, start, place.of("for"))
    shown = TrailerRange(clockwork.frame(start), clockwork.frame(end))
    if shown.start >= placed.range.end:
        clockwork.report.add("title-outside", "this title begins after its event has ended", place.of("at"))
    elif shown.end > trailer_end:
        clockwork.report.add("title-outside", "this title outlasts the trailer", place.of("for"))
    elif shown.length < 1:
        clockwork.report.add("empty-event", "this title is shorter than one frame", place.span)
    fade = clockwork.frames(title.fade, start, place.of("fade")) if title.fade else 0
    if 2 * fade > max(shown.length, 1):
        message = f"this title is seen for {shown.length} frames, but its two fades take {2 * fade}"
        clockwork.report.add("transition", message, place.of("fade"))
    return PlacedText(title.text, shown, fade, fade, title.position, place.of("text"))
