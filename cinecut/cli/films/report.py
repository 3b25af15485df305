"""The result of analyze: a line and the next step for people, everything for programs; and the pause in which a user
edits the spec before it is rendered."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cinecut.cli.terminal import print_diagnostics, print_json, say
from cinecut.diagnostics import as_word

if TYPE_CHECKING:
    from cinecut.analysis.analyze import Analysis
    from cinecut.language.timebase import FilmTime


def _facts(analysis: Analysis) -> dict[str, Any]:
    """What was found in the film, and what was chosen; times in seconds."""
    from cinecut.language.document import plain
    from cinecut.language.write import spec_tree

    def seconds(time: FilmTime) -> float:
        return round(float(time.seconds), 6)

    shots: list[dict[str, Any]] = [
        {"start": seconds(shot.range.start), "end": seconds(shot.range.end), "unusable": shot.why_not}
        for shot in analysis.shots
    ]
    spec = analysis.spec
    if spec.films is not None:  # each time is its own film's
        for record, shot in zip(shots, analysis.shots, strict=True):
            record["film"] = spec.name_of(shot.range.film)
    story = {name: getattr(analysis.story, name) for name in ("begin", "escalation", "climax")}
    anchors = {n: {"at": seconds(p.at), "why": p.why, "by": p.by, "line": p.line} for n, p in story.items()}
    for name in anchors if spec.films is not None else ():
        anchor = getattr(spec.anchors, name)
        anchors[name] |= {"at": seconds(anchor.at), "film": anchor.film}
    beats = analysis.beats and {
        "tempo": None if analysis.beats.tempo is None else float(analysis.beats.tempo),
        "first": float(analysis.beats.first),
        "metre": analysis.beats.metre,
        "confidence": analysis.beats.confidence,
        "times": [float(time) for time in analysis.beats.times],
    }
    timeline = json.loads(json.dumps(plain(spec_tree(analysis.spec, {}))["timeline"], default=float))
    film = {"shots": shots, "anchors": anchors, "speakers": _speakers(analysis)}
    return {"film": film, "beats": beats, "timeline": timeline}


def _speakers(analysis: Analysis) -> list[dict[str, Any]]:
    """The speakers of the film, the one who talks most first: a name, or a voice's number."""
    dialogue = analysis.dialogue
    leads = {line.said_by for line in dialogue.lines if line.lead}
    return [
        {"name": name, "seconds": round(float(seconds), 3), "protagonist": name in leads}
        for name, seconds in dialogue.cast
    ]


def tell(analysis: Analysis, target: Path, as_json: bool, following: bool) -> None:
    """Print the spec's path and, if `following`, the next command; as JSON everything that was found."""
    from cinecut.analysis.report.credits import is_ours

    seconds = float(analysis.seconds)
    shots = sum(cut.take is not None for cut in analysis.cuts)
    named = f"{shots} shot{'s' if shots != 1 else ''}"
    sheet, credits = target.with_suffix(".html"), target.with_suffix(".credits.txt")
    owed = is_ours(credits)
    if as_json:
        warnings = [diagnostic.as_json() for diagnostic in analysis.diagnostics]
        result = {"spec": str(target), "sheet": str(sheet), "credits": str(credits) if owed else None}
        print_json({**result, "shots": shots, "seconds": round(seconds, 3), "warnings": warnings} | _facts(analysis))
    else:
        say(f"{target}: {named}, {seconds:.1f} s; the contact sheet is {sheet}")
        if owed:
            say(f"{credits}: whom the licences of film and music want named")
        if following:
            say(f"next: cinecut render {as_word(target)}")


def review(spec: Path) -> None:
    """Show the contact sheet, and wait until the user's edits have no mistakes."""
    from cinecut.render.check import check_spec

    show_page(spec.with_suffix(".html").absolute().as_uri())
    question = f"Edit {spec}, then press Enter to render"
    while True:
        typer.prompt(question, default="", show_default=False, err=True)
        report = check_spec(spec)
        if report.ok:
            return
        print_diagnostics(list(report))
        question = f"Nothing is rendered yet. Mend {spec}, then press Enter"


def show_page(address: str) -> None:
    """Open a page in the user's browser, where there is a screen to show it."""
    if sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        import webbrowser

        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(address)
