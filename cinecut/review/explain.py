"""Explaining a spec: who set every value, and where every event falls on both clocks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cinecut.compiler.picture.geometry import shown_size
from cinecut.compiler.soundtrack import Soundtrack, place_sounds
from cinecut.compiler.timeline import Placed, Timeline
from cinecut.diagnostics import Report
from cinecut.grade import NEUTRAL
from cinecut.language.events import NOWHERE, Place, Transition
from cinecut.language.grid import Grid
from cinecut.language.spec import Film, Spec
from cinecut.language.timebase import FilmTime, Length, clock, rate_text, timecode
from cinecut.vibes import vibe_of
from cinecut.vibes.titles import PLAIN


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of the spec and who set it: user, vibe, film, or schema (the language's default)."""

    path: str
    value: str
    by: str


def settings(spec: Spec) -> list[Setting]:
    """Every value in the order of the spec, and what the vibe adds; the film's facts are left out: they are
    measurements, not settings."""
    return [*(_from_film(setting, spec.film) for setting in _walk(spec, "")), *_from_vibe(spec)]


def _walk(record: Any, path: str) -> Iterator[Setting]:
    place: Place = getattr(record, "place", NOWHERE)
    for item in dataclasses.fields(record):
        if item.name in ("place", "facts"):
            continue
        key, value = item.name.rstrip("_"), getattr(record, item.name)
        name = f"{path}.{key}" if path else key
        by = "user" if key in place.given else "schema"
        if dataclasses.is_dataclass(value) and not isinstance(value, FilmTime | Length | Transition):
            yield from _walk(value, name)
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            for number, entry in enumerate(value, 1):
                yield from _walk(entry, f"{name}[{number}]")
        elif isinstance(value, Mapping):
            yield from (Setting(f"{name}.{part}", shown(figure), "user") for part, figure in value.items())
        elif value is not None and (value != () or by == "user"):
            yield Setting(name, shown(value), by)
        elif name in ("output.size", "output.rate"):
            yield Setting(name, "", "film")


def _from_vibe(spec: Spec) -> Iterator[Setting]:
    """What the vibe says where the spec leaves it open: the effects, the loudness, the look."""
    vibe, choice = vibe_of(spec.vibe), spec.vibe
    if vibe is None or choice is None:
        return
    for kind, effect in vibe.effects.items():
        if getattr(spec.effects, kind) is None and spec.effects.usual == "vibe":
            yield Setting(f"effects.{kind}", effect, "vibe")
    if choice.loudness is None:
        yield Setting("vibe.loudness", f"{vibe.loudness}", "vibe")
    for part, own, plain in (("titles", choice.titles, PLAIN), ("grade", choice.grade, NEUTRAL)):
        look: Any = getattr(vibe, part)
        for item in dataclasses.fields(look):
            value = getattr(look, item.name)
            if item.name not in (own or {}) and value != getattr(plain, item.name):
                yield Setting(f"vibe.{part}.{item.name}", _figure(value), "vibe")


def _figure(value: Any) -> str:
    """A figure of a look as a spec would say it."""
    if dataclasses.is_dataclass(value):
        inner = ", ".join(f"{i.name}: {_figure(getattr(value, i.name))}" for i in dataclasses.fields(value))
        return "{" + inner + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_figure(item) for item in value) + "]"
    return shown(value)


def _from_film(setting: Setting, film: Film) -> Setting:
    if setting.by != "film":
        return setting
    facts = film.facts
    if facts is None:
        return Setting(setting.path, "the film's own, not measured yet", "film")
    width, height = shown_size(film, facts)
    value = f"{width}x{height}" if setting.path == "output.size" else rate_text(facts.rate)
    return Setting(setting.path, value, "film")


def shown(value: Any) -> str:
    """A value as a person would write it in the spec."""
    match value:
        case FilmTime():
            return clock(value.seconds)
        case Length():
            unit = {"beats": " beat", "bars": " bar"}.get(value.unit)
            return _number(value.amount) + (value.unit if unit is None else unit + "s" * (value.amount > 1))
        case Transition():
            return value.kind if value.kind == "cut" else f"{value.kind} {shown(value.length)}"
        case bool():
            return "true" if value else "false"
        case Fraction():
            return _number(value)
        case (int(width), int(height)):
            return f"{width}x{height}"
        case tuple():
            return f"{len(value)} entries"
        case _:
            return str(value)


def _number(value: Fraction) -> str:
    return rate_text(value) if value.denominator > 10**6 else f"{float(value):g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the timeline. Beats count from 1, as `bar:beat` with the share of a beat that is over."""

    number: int
    event: str
    act: str
    film_in: str
    film_in_timecode: str
    film_out: str
    film_out_timecode: str
    trailer_in: str
    trailer_in_timecode: str
    trailer_out: str
    trailer_out_timecode: str
    frames: int
    beat: str
    offset_ms: float | None  # of the first frame from the nearest beat
    enters: str
    sounds: str  # effects and voices that hang on it, and a new song


def rows(spec: Spec, timeline: Timeline) -> list[Row]:
    film_rate = spec.film.facts.rate if spec.film.facts else timeline.rate
    track = place_sounds(spec, timeline, vibe_of(spec.vibe), Report())
    return [_row(placed, timeline, film_rate, _sounds(placed, track)) for placed in timeline.events]


def _sounds(placed: Placed, track: Soundtrack) -> str:
    owned = f"{placed.label}_"
    effects = [effect.name for effect in track.effects if effect.label.startswith(owned)]
    voices = ["voice" for voice in track.voices if voice.label.startswith(owned)]
    cue = placed.event.cue
    return ", ".join([*effects, *voices, *([f"music: {cue.file}"] if cue is not None else [])])


def _row(placed: Placed, timeline: Timeline, film_rate: Fraction, sounds: str) -> Row:
    start, end = (Fraction(frame.index) / timeline.rate for frame in (placed.range.start, placed.range.end))
    film = placed.film
    beat, offset = _beat(start, timeline.grid)
    return Row(
        number=placed.number,
        event=placed.label,
        act=placed.act or "",
        film_in=clock(film.start.seconds) if film else "",
        film_in_timecode=timecode(film.start.seconds, film_rate) if film else "",
        film_out=clock(film.end.seconds) if film else "",
        film_out_timecode=timecode(film.end.seconds, film_rate) if film else "",
        trailer_in=clock(start),
        trailer_in_timecode=timecode(start, timeline.rate),
        trailer_out=clock(end),
        trailer_out_timecode=timecode(end, timeline.rate),
        frames=placed.range.length,
        beat=beat,
        offset_ms=offset,
        enters=shown(placed.event.from_) if placed.head.kind != "cut" else "cut",
        sounds=sounds,
    )


def _beat(seconds: Fraction, grid: Grid | None) -> tuple[str, float | None]:
    if grid is None:
        return "", None
    beat = grid.beat_at(seconds)
    near = grid.nearest_line(seconds, "beat")
    nearest_beat = math.floor(beat + Fraction(1, 2))
    bar, in_bar = divmod(nearest_beat, grid.metre)
    return f"{bar + 1}:{in_bar + 1}", round(float((seconds - near) * 1000), 3)
