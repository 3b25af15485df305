"""Checking: everything that can be said about a spec without rendering it."""

from __future__ import annotations

from pathlib import Path

from cinecut.compiler.soundtrack import place_sounds
from cinecut.compiler.timeline import Timeline, build_timeline
from cinecut.diagnostics import Report, Stop
from cinecut.fonts.glyphs import check_glyphs
from cinecut.language.read import load_spec
from cinecut.media.link import check_files
from cinecut.vibes import Vibe, vibe_of
from cinecut.vibes.titles import PLAIN


def check_spec(path: Path) -> Report:
    """All findings about a spec and the files that it names. A spec that cannot be read is a finding too."""
    report = Report()
    try:
        _, spec = load_spec(path, report)
        if spec is not None:
            timeline, vibe = build_timeline(spec, report), vibe_of(spec.vibe)
            place_sounds(spec, timeline, vibe, report)
            check_texts(timeline, vibe, report)
            check_files(spec, path.parent, report)
            if report.ok and spec.film.facts is None:
                hint = f"cinecut link {path} measures it and writes the facts into the spec"
                message = "the film has not been measured: its end and its handles are unchecked"
                report.add("no-facts", message, spec.film.place.of("file"), hint)
    except Stop as stop:
        report.found += stop.diagnostics
    return report


def check_texts(timeline: Timeline, vibe: Vibe | None, report: Report) -> None:
    """Warn of every text that its face cannot write."""
    style = vibe.titles if vibe is not None else PLAIN
    check_glyphs(((style.cased(text.text), text.span) for text in timeline.texts), style.face, report)
