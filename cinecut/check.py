"""Checking: everything that can be said about a spec without rendering it."""

from __future__ import annotations

from pathlib import Path

from cinecut.compiler.timeline import build_timeline
from cinecut.diagnostics import Report, Stop
from cinecut.link import check_files
from cinecut.reading import load_spec


def check_spec(path: Path) -> Report:
    """All findings about a spec and the files that it names. A spec that cannot be read is a finding too."""
    report = Report()
    try:
        _, spec = load_spec(path, report)
        if spec is not None:
            build_timeline(spec, report)
            check_files(spec, path.parent, report)
            if report.ok and spec.film.facts is None:
                hint = f"cinecut link {path} measures it and writes the facts into the spec"
                message = "the film has not been measured: its end and its handles are unchecked"
                report.add("no-facts", message, spec.film.place.of("file"), hint)
    except Stop as stop:
        report.found += stop.diagnostics
    return report
