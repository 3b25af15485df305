"""The contact sheet: one HTML page of a spec: what its trailer shows, from where in the film, why, and what else it
could show; and every shot of the film, with its times to be copied.

    spec ─ events ─ stills ─► Event ─ plot ─► Curve ─ sheet.html.j2 ─► one file without anything beside it

The page needs no network. Its one handler copies times; nothing else runs, whatever a title or a name holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import jinja2

from cinecut import __version__
from cinecut.analysis.title import film_title
from cinecut.compiler.layout import Layout
from cinecut.compiler.resolve import Trailer
from cinecut.diagnostics import Diagnostic
from cinecut.files import write_beside
from cinecut.known.record import Known, KnownShot
from cinecut.language.document import Document
from cinecut.language.document.comments import remarks_of
from cinecut.language.timebase import FilmTime, clock
from cinecut.review.page import COPYING, environment
from cinecut.review.sheet.events import Event, acts_of, events_of
from cinecut.review.sheet.plot import WIDTH, plot
from cinecut.review.sheet.stills import Wanted, stills_of

_MOST_STILLS = 300  # of the film's shots


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sheet is of: a spec laid out, its document with the remarks, its films by the names that
    a `FilmRange` has for them, what is known of them, and what is to be said of it all."""

    layout: Layout
    document: Document
    films: Mapping[str, Path]
    known: Known | None
    warnings: Sequence[Diagnostic] = ()


def write_sheet(subject: Subject, target: Path, progress: Callable[[float], None]) -> None:
    """Write the contact sheet of a spec to `target`, whole or not at all.

    `progress` hears the share done, 0..1. Raises Stop: missing-file, unreadable, output, disk-full.
    """
    shots, trailer = subject.known.shots if subject.known is not None else (), subject.layout.trailer
    events = list(events_of(subject.layout, remarks_of(subject.document), shots))
    wanted = [each for event in events for each in _of_event(event)]
    wanted += [_of_shot(shot) for shot in shots[:_MOST_STILLS]]
    stills = dict[Wanted, str | None]()
    for number, (name, each) in enumerate(trailer.footage.items()):
        own = [one for one in wanted if one.range.film == name]
        done = number / len(trailer.footage)
        tell = lambda share, done=done: progress(done + share / len(trailer.footage))  # noqa: E731
        stills |= stills_of(subject.films[name], each.facts, each.film.crop, own, tell) if own else {}
    write_beside(target, _page(subject, [_with_stills(event, stills) for event in events], stills))
    progress(1.0)


def _of_shot(shot: KnownShot) -> Wanted:
    return Wanted(shot.range, small=True, rough=True)


def _of_event(event: Event) -> list[Wanted]:
    """The stills of an event's own picture, if it is of the film, and of each of its alternatives."""
    own = [Wanted(event.film, mirrored=event.mirrored)] if event.film is not None else []
    return own + [Wanted(other.film, small=True, mirrored=event.mirrored) for other in event.others]


def _with_stills(event: Event, stills: Mapping[Wanted, str | None]) -> Event:
    shown = [stills[each] for each in _of_event(event)]
    still = shown.pop(0) if event.film is not None else None
    others = tuple(replace(other, still=each) for other, each in zip(event.others, shown, strict=True))
    return replace(event, still=still, others=others)


def _page(subject: Subject, events: Sequence[Event], stills: Mapping[Wanted, str | None]) -> str:
    trailer, grid = subject.layout.trailer, subject.layout.timeline.grid
    known, anchors = subject.known, trailer.spec.anchors
    film_shots = known.shots if known is not None else ()
    acts, shots = list(acts_of(events)), [event for event in events if event.film]
    points = {name: getattr(anchors, name) for name in ("begin", "escalation", "climax")} if anchors is not None else {}
    return template().render(
        warnings=subject.warnings,
        films={trailer.spec.name_of(key): file for key, file in subject.films.items()},
        title=film_title(subject.films[""]),
        facts={trailer.spec.name_of(key): each.facts for key, each in trailer.footage.items()},
        music=trailer.spec.music,
        grid=grid,
        anchors={name: anchor for name, anchor in points.items() if anchor is not None},
        anchor_films={name: trailer.spec.key_of(anchor.film) for name, anchor in points.items() if anchor is not None},
        film_shots=[(shot, stills.get(_of_shot(shot))) for shot in film_shots],
        shown={event.shot: event.number for event in shots},
        known=known is not None,
        acts=acts,
        colors={event.number: act.color for act in acts for event in act.events},
        shots=shots,
        length=events[-1].end,
        mean=sum((event.seconds for event in shots), Fraction(0)) / max(1, len(shots)),
        tempo=_mean_tempo(subject.layout, events[-1].end),
        plot=plot(events, film_shots, trailer, grid),
        width=WIDTH,
        ratio=_shape(subject.layout),
        written=lambda range, end: _written(range.end if end else range.start, range.film, trailer),
        film_of=lambda range: trailer.spec.name_of(range.film) or "",
        **COPYING,
        version=__version__,
    )


def template() -> jinja2.Template:
    """The page without what it shows, compiled once."""
    return environment(Path(__file__).parent).get_template("sheet.html.j2")


def _shape(layout: Layout) -> str:
    """Width / height of what is shown of the film, for the page."""
    (width, height), crop = layout.trailer.film.display_size, layout.trailer.spec.main_film.crop
    shown = (width * crop.w, height * crop.h) if crop is not None else (width, height)
    return " / ".join(f"{float(side):g}" for side in shown)


def _written(time: FilmTime, film: str, trailer: Trailer) -> str:
    """A time of a film as one writes it into a spec."""
    facts = trailer.footage[film].facts
    return clock(time.seconds) if facts.variable else facts.timecodes.of(time.seconds)


def _mean_tempo(layout: Layout, end: Fraction) -> Fraction | None:
    """Beats a minute; of a changing tempo the mean over the trailer."""
    grid = layout.timeline.grid
    return None if grid is None else 60 * (grid.beat_at(end) - grid.beat_at(Fraction(0))) / end
