"""Compiling in tests: a spec's text or a read spec becomes a timeline, a plan, or findings."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from cinecut.compiler.compile import compile_layout
from cinecut.compiler.layout import Layout
from cinecut.compiler.plan import RenderPlan
from cinecut.compiler.resolve import check_linked
from cinecut.diagnostics import Report, as_text
from cinecut.language.document import parse_document
from cinecut.language.events import ActMarker, Entry, Recorded, Still
from cinecut.language.facts import AudioFacts, FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec
from cinecut.render.check import layout_of

STEREO = AudioFacts(48000, 2, "stereo")
FILM = FilmFacts("1-00", (1920, 1080), Fraction(24), Fraction(7200), audio=(STEREO, STEREO))
SONG = SongFacts("2-00", Fraction(200), 44100, 2)
RECORDING = SongFacts("4-00", Fraction(1), 44100, 1)  # a voice or an effect
STILL = StillFacts("3-00", (400, 200), alpha=True)


def read_text(text: str) -> Spec:
    """A spec that must have no mistakes."""
    report = Report()
    spec = fill_spec(parse_document(Path("spec.yaml"), text, report), report)
    assert report.ok, "\n".join(as_text(d, text.splitlines()) for d in report)
    assert spec is not None
    return spec


def laid_out(text: str) -> Layout:
    """The layout of a spec's text, which must have no mistakes."""
    report = Report()
    layout = layout_of(read_text(text), report)
    assert report.ok, "\n".join(as_text(d, text.splitlines()) for d in report)
    return layout


def plan_of(spec: Spec, report: Report) -> RenderPlan | None:
    """The plan of a spec; None where it has mistakes, which are in the report."""
    layout = layout_of(spec, report)
    check_linked(spec, report)
    return compile_layout(layout, tuple(report)) if report.ok else None


def compiled(text: str) -> RenderPlan:
    """The plan of a spec's text, which must have no mistakes."""
    return compile_layout(laid_out(text))


def measured(spec: Spec, film: FilmFacts = FILM) -> Spec:
    """The spec as `link` leaves it beside media of usual kinds."""
    music = replace(spec.music, facts=SONG if spec.music.file else None) if spec.music else None
    rating = spec.rating
    if rating is not None:
        still = rating.still and replace(rating.still, facts=STILL)
        clip = replace(film, duration=min(film.duration, Fraction(10)))
        rating = replace(rating, still=still, clip=rating.clip and replace(rating.clip, facts=clip))
    films = {
        name: replace(each, facts=replace(film, fingerprint=f"{n}-{film.fingerprint}"))
        for n, (name, each) in enumerate((spec.films or {}).items())
    }
    return replace(
        spec,
        film=replace(spec.film, facts=film) if spec.film is not None else None,
        films=films or None,
        music=music,
        rating=rating,
        lut=replace(spec.lut, facts=LutFacts("4-00", "3d")) if spec.lut else None,
        timeline=tuple(_measured_entry(entry) for entry in spec.timeline),
    )


_Recorded = TypeVar("_Recorded", bound=Recorded)


def _measured_entry(entry: Entry) -> Entry:
    entry = replace(entry, sound=tuple(_measured_recording(each) for each in entry.sound))
    if isinstance(entry, ActMarker):
        return entry
    entry = replace(entry, voice=tuple(_measured_recording(each) for each in entry.voice))
    if isinstance(entry, Still):
        entry = replace(entry, still=replace(entry.still, facts=STILL))
    if entry.cue is not None and not entry.cue.stops:
        entry = replace(entry, cue=replace(entry.cue, facts=SONG))
    return entry


def _measured_recording(sound: _Recorded) -> _Recorded:
    return replace(sound, facts=RECORDING) if sound.file is not None else sound
