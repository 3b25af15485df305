"""Fitting a new timeline: cues at their places, entries of the analysis on the beats, no transitions that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from math import floor

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed
from cinecut.diagnostics import Diagnostic, Report, Severity, Span, Stop, as_text, excerpt
from cinecut.edits.recut.arrange import NewEntry
from cinecut.language.document import Document, parse_document
from cinecut.language.document.edit import Edits
from cinecut.language.events import Black, Entry, Event, Shot, written_length
from cinecut.language.grid import Grid
from cinecut.language.read import fill_spec
from cinecut.language.timebase import Length, rounded
from cinecut.language.write import length_text, numbering_of, set_clip, value_tree
from cinecut.render.check import layout_of

_ROUNDS = 60  # of corrections
_EXACT = Fraction(1, 10_000)  # seconds


@dataclass(slots=True)
class Fitted:
    """The document, its layout, and the keys that had to be removed, by entry number."""

    document: Document
    layout: Layout
    taken: list[tuple[int, str]] = field(default_factory=list)


def parsed(document: Document, text: str) -> Document:
    report = Report()
    parsed = parse_document(document.path, text, report)
    if not report.ok:
        hint = "an entry that is repeated by * may be gone: write it out, and try again"
        raise Stop("yaml", "the new timeline would not be valid YAML: nothing was written", hint)
    return parsed


def fitted(document: Document, places: Sequence[NewEntry]) -> Fitted:
    """Raises Stop if mistakes remain that no correction removes."""
    document, taken = _with_cues(document, places), list[tuple[int, str]]()
    for _ in range(_ROUNDS):
        report = Report()
        spec = fill_spec(document, report)
        layout = None if spec is None else layout_of(spec, report)
        if layout is None or not report.ok:
            mistakes = [finding for finding in report if finding.severity is Severity.ERROR]
            joint = None if layout is None else _wrong_joint(layout, places, mistakes)
            if joint is None:
                texts = [as_text(replace(each, span=None)) for each in mistakes[:5]]
                raise Stop("option", "the new cut would have mistakes: nothing was written", *texts)
            taken.append(joint)
            edits = Edits(document)
            edits.remove(("timeline", *joint))
            document = parsed(document, edits.text())
            continue
        change = _off_beat(layout, places)
        if change is None:
            result = Fitted(document, layout, taken)
            _check_kept(places, result)
            return result
        document = _with_length(document, layout, change)
    raise Stop("option", "the new cut would not be on the beats: nothing was written")


def _with_cues(document: Document, places: Sequence[NewEntry]) -> Document:
    edits, changed = Edits(document), False
    for number, place in enumerate(places):
        if place.by_hand and place.cue != place.item.cue:
            changed = True
            path = ("timeline", number, "cue")
            if place.cue is None:
                edits.remove(path)
            else:
                edits.set(path, value_tree(place.cue))
    return parsed(document, edits.text()) if changed else document


_JOINTS = {"transition": ("from", "to"), "no-handle": ("from",), "sync": ("sync",), "past-end": ("sync",),
           "sound-outside": ("sound", "sound_trail", "sound_lead")}  # fmt: skip
_REMOVABLE = ("from", "to", "sync", "sound", "sound_in", "sound_lead", "sound_trail", "sound_fade")


def _wrong_joint(layout: Layout, places: Sequence[NewEntry], mistakes: Sequence[Diagnostic]) -> tuple[int, str] | None:
    """A key of an entry that does not fit its new neighbours; preferably one that the user did not write."""
    timeline = layout.trailer.spec.timeline
    wrong = list[tuple[int, str]]()
    for finding in (each for each in mistakes if each.code in _JOINTS and each.span is not None):
        for number, entry in enumerate(timeline):
            named = [key for key in _REMOVABLE if key in entry.place.given and _is_at(finding, entry.place.of(key))]
            usual = [key for key in _JOINTS[finding.code] if key in entry.place.given and _stands_in(finding, entry)]
            wrong += [(number, key) for key in dict.fromkeys([*named, *usual])]
            after = next((n for n in range(number + 1, len(timeline)) if not places[n].item.marker), None)
            if "sound_trail" in named and after is not None and "from" in timeline[after].place.given:
                wrong.append((after, "from"))  # a crossfade is of the later event
    return min(wrong, key=lambda joint: (places[joint[0]].owns(joint[1]), places[joint[0]].by_hand), default=None)


def _is_at(finding: Diagnostic, place: Span) -> bool:
    """Whether a finding is about the value at a place."""
    at = (finding.span.line, finding.span.column) if finding.span is not None else (-1, -1)
    return (place.line, place.column) <= at <= (place.end_line, place.end_column)


def _stands_in(finding: Diagnostic, entry: Entry) -> bool:
    rows = [entry.place.span.line, *(span.line for span in entry.place.given.values())]
    return finding.span is not None and min(rows) <= finding.span.line <= max(rows)


@dataclass(frozen=True, slots=True)
class _Length:
    """A new length for an entry; `snaps`: it ends on the nearest beat."""

    number: int
    length: Length
    snaps: bool


def _off_beat(layout: Layout, places: Sequence[NewEntry]) -> _Length | None:
    """The change that puts the first off-beat entry after a user's entry back onto a beat: the entry before the user's
    gets shorter, or else the entry itself ends on a beat."""
    grid = layout.timeline.grid
    if grid is None:
        return None
    numbers = [number for number, place in enumerate(places) if not place.item.marker]
    events = list(zip(numbers, layout.timeline.events, strict=True))
    for at, (number, placed) in enumerate(events[1:], 1):
        free = not places[number].by_hand and places[numbers[at - 1]].by_hand and placed.event.snap is None
        if not free or abs(grid.nearest_line(placed.start, "beat") - placed.start) <= _EXACT:
            continue
        late = placed.start - grid.seconds_at(Fraction(floor(grid.beat_at(placed.start))))
        before = next((each for each in reversed(events[:at]) if not places[each[0]].by_hand), None)
        if before is not None and (length := _sooner(before[1], late, grid)) is not None:
            return _Length(before[0], length, False)
        shorter = _shorter(placed.event)
        if shorter is not None and abs(grid.nearest_line(placed.end, "beat") - placed.end) > _EXACT:
            return _Length(number, shorter, True)
    return None


def _sooner(placed: Placed, late: Fraction, grid: Grid) -> Length | None:
    """The length of an event that ends `late` seconds earlier; None if too little is left, or it has a line."""
    event = placed.event
    left, beat = placed.end - placed.start - late, grid.after(placed.start, Fraction(1)) - placed.start
    if event.snap is not None or event.line is not None or event.voice or left < beat / 2:
        return None
    return Length(rounded(left), "s")


def _with_length(document: Document, layout: Layout, change: _Length) -> Document:
    edits = Edits(document)
    number, entry = change.number, layout.trailer.spec.timeline[change.number]
    if isinstance(entry, Shot):
        clip = replace(entry.shot, for_=change.length, out=None)
        set_clip(edits, ("timeline", number, "shot"), clip, numbering_of(layout.trailer.spec))
    else:
        key = "black" if isinstance(entry, Black) else "for"
        edits.set(("timeline", number, key), value_tree(length_text(change.length)))
    if change.snaps:
        edits.set(("timeline", number, "snap"), value_tree("beat"))
    return parsed(document, edits.text())


def _shorter(event: Event) -> Length | None:
    """One beat less than its length, or half of a single beat, since the film may have no more of the shot."""
    length = written_length(event)
    if length is None or length.unit != "beats":
        return length
    return Length(length.amount - 1 if length.amount > 1 else length.amount / 2, "beats")


def _check_kept(places: Sequence[NewEntry], result: Fitted) -> None:
    """Everything that the user edited must be there, except cues of the old song and removed keys."""
    for number, (place, entry) in enumerate(zip(places, result.layout.trailer.spec.timeline, strict=True)):
        taken = {key for at, key in result.taken if at == number} | {"cue"}
        if place.by_hand and (changed := _changed(place.item.entry, entry, taken)):
            message = f"`{changed}` of an edited entry would change: nothing was written"
            raise Stop("option", message, excerpt(place.item.key))


def _changed(was: Entry, now: Entry, taken: set[str]) -> str | None:
    """The first field in which two entries differ."""
    if type(was) is not type(now):
        return "kind"
    names = (item.name for item in fields(was) if item.name != "place" and item.name.rstrip("_") not in taken)
    return next((name for name in names if getattr(was, name) != getattr(now, name)), None)
