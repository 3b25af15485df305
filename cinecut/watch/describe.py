"""The page's data about a trailer: its events, acts, beats and sounds, in frames from its start."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.ruler import Sounding
from cinecut.compiler.layout.timeline import Placed, PlacedShot, Timeline
from cinecut.edits.verbs.actions import STEMS
from cinecut.edits.verbs.entries import entries_of, id_of
from cinecut.language.events import Card
from cinecut.language.timebase import SAMPLE_RATE, nearest


def description(layout: Layout, opening: int) -> dict[str, Any]:
    """`opening`: the file's frames before the timeline, those of a rating card."""
    timeline, trailer = layout.timeline, layout.trailer
    films = [*trailer.footage]
    return {
        "rate": [timeline.rate.numerator, timeline.rate.denominator],
        "frames": timeline.frames,
        "opening": opening,
        "films": [_film(name, layout) for name in films],
        "mix": {stem: float(getattr(trailer.spec.mix, stem)) for stem in STEMS},
        "events": [
            _event(placed, entry, layout) for placed, entry in zip(timeline.events, entries_of(layout), strict=True)
        ],
        "acts": _acts(timeline),
        "beats": _beats(timeline),
        "titles": [
            {"name": text.text, "start": text.range.start.index, "end": text.range.end.index} for text in timeline.texts
        ],
        **_sounds(layout),
    }


def stills_of(timeline: Timeline, opening: int, parts: Sequence[tuple[str, int, int, str]]) -> list[tuple[str, int]]:
    """The middle picture of each event: a name that changes with its content, and its frame in the file. `parts`: those
    of `Rendered`, for one output."""
    stills = []
    for placed in timeline.events:
        frame = opening + placed.middle
        stills += [(f"{key[:16]}_{frame - start}", frame) for _, start, end, key in parts if start <= frame < end]
    return stills


def _film(name: str, layout: Layout) -> dict[str, Any]:
    facts = layout.trailer.footage[name].facts
    rate = [facts.rate.numerator, facts.rate.denominator]
    return {
        "name": layout.trailer.spec.name_of(name) or "film",
        "fingerprint": facts.fingerprint,
        "rate": rate,
        "frames": math.floor(facts.duration * facts.rate),
    }


def _event(placed: Placed, entry: int, layout: Layout) -> dict[str, Any]:
    event = placed.event
    record: dict[str, Any] = {
        "entry": entry,
        "id": id_of(placed),
        "kind": type(event).__name__.lower(),
        "name": placed.name,
        "start": placed.range.start.index,
        "end": placed.range.end.index,
        "line": event.place.span.line + 1,
        "joint": placed.head.kind,
        "why": event.why or "",
        "titles": [title.text for title in getattr(event, "titles", ())],
    }
    if isinstance(event, Card):
        record["card"] = event.card
    if isinstance(placed, PlacedShot):
        footage, spec = layout.trailer.footage, layout.trailer.spec
        numbers = {name: number for number, name in enumerate(footage)}
        rate = footage[placed.film.film].facts.rate
        record["film"] = numbers[placed.film.film]
        record["in"], record["out"] = (nearest(time.seconds * rate) for time in (placed.film.start, placed.film.end))
        record["scene"] = placed.event.scene or ""
        record["spoken"] = event.line or ""
        record["alternatives"] = [
            {"film": numbers[name], "in": nearest(other.in_.seconds * footage[name].facts.rate), "why": other.why or ""}
            for other in placed.event.alternatives
            for name in [spec.key_of(other.film) if other.film is not None else placed.film.film]
        ]
    return record


def _acts(timeline: Timeline) -> list[dict[str, Any]]:
    """The ranges of the acts, in order; events before the first act belong to none."""
    runs = [(act, list(run)) for act, run in groupby(timeline.events, lambda placed: placed.act)]
    return [
        {"name": act, "start": run[0].range.start.index, "end": run[-1].range.end.index}
        for act, run in runs
        if act is not None
    ]


def _beats(timeline: Timeline) -> list[dict[str, Any]]:
    """The beats inside the trailer, each on its nearest frame; `bar` if a bar starts there."""
    lines = timeline.grid.lines(timeline.frames / timeline.rate) if timeline.grid is not None else ()
    return [{"frame": nearest(at * timeline.rate), "bar": bar} for at, bar in lines]


def _sounds(layout: Layout) -> dict[str, Any]:
    track, rate = layout.track, layout.timeline.rate

    def frames(place: Sounding) -> dict[str, int]:
        return {"start": nearest(place.start * rate / SAMPLE_RATE), "end": nearest(place.end * rate / SAMPLE_RATE)}

    def effects() -> Iterator[dict[str, Any]]:
        for effect in track.effects:
            length = effect.length or SAMPLE_RATE
            yield {"name": effect.name, **frames(Sounding(effect.anchor, effect.anchor + length))}

    songs = [{"name": song.file.rpartition("/")[2], **frames(song.place)} for song in track.songs]
    if track.pulse is not None:
        songs.append({"name": f"{track.pulse.style} pulse", **frames(track.pulse.place)})
    voices = [{"name": voice.line or "voice", **frames(voice.place)} for voice in track.voices]
    made = list(effects())
    for each in track.recordings:
        kind, name = (voices, each.line or each.name) if each.stem == "voice" else (made, each.name)
        kind.append({"name": name, **frames(each.song.place)})
    return {"effects": made, "voices": voices, "songs": songs}
