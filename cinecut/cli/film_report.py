"""What analyze tells of its work: a line and what to do next for people, everything for programs."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinecut.cli.terminal import say

if TYPE_CHECKING:
    from cinecut.analysis import Analysis
    from cinecut.language.timebase import FilmTime


def _facts(found: Analysis) -> dict[str, Any]:
    """What was found in the film, and what was chosen of it; times are seconds."""
    from cinecut.language.document import plain
    from cinecut.language.write import spec_tree

    def seconds(time: FilmTime) -> float:
        return round(float(time.seconds), 6)

    shots = [
        {"start": seconds(shot.range.start), "end": seconds(shot.range.end), "unusable": shot.why_not}
        for shot in found.shots
    ]
    story = {name: getattr(found.story, name) for name in ("begin", "escalation", "climax")}
    anchors = {n: {"at": seconds(p.at), "why": p.why, "by": p.by, "line": p.line} for n, p in story.items()}
    beats = found.beats and {
        "tempo": None if found.beats.tempo is None else float(found.beats.tempo),
        "first": float(found.beats.first),
        "metre": found.beats.metre,
        "confidence": found.beats.confidence,
        "times": [float(time) for time in found.beats.times],
    }
    timeline = json.loads(json.dumps(plain(spec_tree(found.spec, {}))["timeline"], default=float))
    return {"film": {"shots": shots, "anchors": anchors}, "beats": beats, "timeline": timeline}


def tell(found: Analysis, target: Path, as_json: bool, following: bool) -> None:
    """Print where the spec lies and, where it is the `following` step, how to render it; as JSON all that was found."""
    seconds = float(found.seconds)
    shots = sum(cut.take is not None for cut in found.cuts)
    named = f"{shots} shot{'s' if shots != 1 else ''}"
    sheet = target.with_suffix(".html")
    if as_json:
        warnings = [diagnostic.as_json() for diagnostic in found.diagnostics]
        result = {"spec": str(target), "sheet": str(sheet), "shots": shots, "seconds": round(seconds, 3)}
        print(json.dumps({**result, "warnings": warnings, **_facts(found)}, ensure_ascii=False))
    else:
        say(f"{target}: {named}, {seconds:.1f} s; the contact sheet is {sheet}")
        if following:
            say(f"next: cinecut render {shlex.quote(str(target))}")
