"""A trailer of everything, as each target writes it and a reader of its own reads it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from compiling import FILM, measured, read_text
from editors import Cut, read_edl, read_fcpxml, read_mlt, read_otio, read_xmeml

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report
from cinecut.interchange.build import ExportOptions, sequence_of
from cinecut.interchange.fidelity import TARGETS
from cinecut.interchange.model import EditSequence, Written
from cinecut.interchange.writers import edl, fcpxml, kdenlive, otio_file, xmeml
from cinecut.language.facts import FilmFacts
from cinecut.render.check import layout_of

TIMECODED = replace(FILM, timecode="01:02:03:04")
WHOLE = """
cinecut: 1
film: "films/The Film #1 100%.mov"
rating: {still: card.png, for: 2s}
vibe: thriller
music: {file: song.wav, beats: {tempo: 120, first: 0}, parts: [{in: 0:10, out: 0:18}, {in: 0:26, out: 2:00}]}
anchors: {climax: {at: 0:31}, begin: {at: 1:40:00}}
timeline:
  - act: one
  - shot: 0:10 - 0:12
    titles: [{text: "One & <last>", at: 12f, for: 1s, fade: 6f, position: lower}]
    gain: -6
    why: it opens
    sound_trail: 6f
  - shot: 0:30 - 0:32
    beat_type: money shot
    zone: climax
    score: 0.75
    sound_fade: {in: 6f, out: 12f}
  - shot: {in: 0:20, for: 2s}
    from: crossfade 1s
    speed: 0.5
    grade: {exposure: -0.5}
  - shot: {in: 0:40, for: 1s}
    mute: true
    reframe: {x: 0.2}
  - shot: {in: 0:44, for: 1s}
    from: dip to black 1s
    sound_lead: 4f
    sound: [whoosh]
  - shot: {in: 0:50, for: 1s}
    from: dip to white 0.5s
    to: fade out 0.5s
    sound_in: 1:04
    voice: [{take: 0:55 - 0:55.5, at: 0.1s}]
  - act: two
  - black: 1s
  - card: THE END
    for: 1s
    from: fade in 0.25s
  - still: logo.png
    for: 1s
    cue: other.wav
"""


def layout(text: str = WHOLE, film: FilmFacts = TIMECODED) -> Layout:
    report = Report()
    found = layout_of(measured(read_text(text), film), report)
    assert report.ok, list(report)
    return found


def sequence(text: str = WHOLE, film: FilmFacts = TIMECODED, **wishes: object) -> EditSequence:
    return sequence_of(layout(text, film), "cut", ExportOptions(Path("/work/specs"), **wishes))  # type: ignore[arg-type]


WRITERS: dict[str, tuple[Callable[[EditSequence], Written], str]] = {
    "fcp": (fcpxml.write, ".fcpxml"),
    "resolve": (fcpxml.write_for_resolve, ".fcpxml"),
    "premiere": (xmeml.write, ".xml"),
    "kdenlive": (kdenlive.write, ".kdenlive"),
    "otio": (otio_file.write, ".otio"),
    "edl": (edl.write, ".edl"),
}
assert set(WRITERS) == set(TARGETS)


def read(target: str, made: EditSequence) -> Cut:
    write, end = WRITERS[target]
    files = write(made).files
    data = files[end]
    match target:
        case "fcp" | "resolve":
            return read_fcpxml(data)
        case "premiere":
            return read_xmeml(data)
        case "kdenlive":
            return read_mlt(data)
        case "otio":
            return read_otio(data)
    cut = read_edl(data, made.rate, made.timecode(0))
    for name, more in files.items():
        if name != end:
            further = read_edl(more, made.rate, made.timecode(0))
            cut.clips, cut.reels = cut.clips + further.clips, cut.reels | further.reels
            cut.faded |= further.faded
    return cut


every_target = pytest.mark.parametrize("target", TARGETS)
