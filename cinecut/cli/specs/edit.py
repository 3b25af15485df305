"""The commands that compare specs, and change one: diff."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinecut.cli.terminal import JsonOption, say
from cinecut.diagnostics import Report, harmless

if TYPE_CHECKING:
    from cinecut.compiler.layout import Layout

app = typer.Typer()


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="A spec; - is stdin.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another spec, or the same one later.")],
    as_json: JsonOption = False,
) -> None:
    """Say in the trailer's words what B shows and says otherwise than A: trimmed, slipped, moved, removed, retitled, …

    Needs neither film nor FFmpeg. Spaces, comments and the order of keys are no difference.

    Examples: cinecut diff film.yaml film_v2.yaml    |    git show HEAD:film.yaml | cinecut diff - film.yaml
    """
    from cinecut.changes.compare import differences

    found = differences(_layout(before), _layout(after))
    if as_json:
        print(json.dumps({"differences": [each.as_json() for each in found]}, ensure_ascii=False, indent=2))
        return
    for each in found:
        print(harmless(each.text))
    if not found:
        say("they show the same")


def _layout(spec: Path) -> Layout:
    """Where everything of a spec falls. Raises Stop."""
    from cinecut.render.check import examine

    report = Report()
    layout = examine(spec, report)
    report.stop_on_error()
    assert layout is not None  # or there was an error
    return layout
