"""What programs ask of cinecut. Every function raises `Stop`, whose `diagnostics` say all that is wrong.

>>> import cinecut
>>> [finding.code for finding in cinecut.check("specs/nowhere.yaml")]
['missing-file']
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.diagnostics import Diagnostic, Report, Stop

if TYPE_CHECKING:
    from cinecut.analysis import Analysis
    from cinecut.compiler.plan import RenderPlan
    from cinecut.language.spec import Spec

AnyPath = str | os.PathLike[str]


def load(path: AnyPath) -> Spec:
    """A spec from its file."""
    from cinecut.language.read import load_spec

    report = Report()
    _, spec = load_spec(Path(path), report)
    report.stop_on_error()
    assert spec is not None  # or there was an error
    return spec


def check(path: AnyPath) -> list[Diagnostic]:
    """All that is wrong with a spec and the files that it names, and what is worth a word."""
    from cinecut.render.check import check_spec

    return list(check_spec(Path(path)))


def compile(spec: Spec) -> RenderPlan:
    """The graph of a spec whose media are measured (`cinecut link`), and the command that runs it. Opens nothing."""
    from cinecut.language.rules import check_rules
    from cinecut.render.check import layout_of, plan_of

    report = Report()
    check_rules(spec, report)
    return plan_of(layout_of(spec, report), report)


def render(
    path: AnyPath,
    output: AnyPath | None = None,
    *,
    size: tuple[int, int] | None = None,
    draft: bool = False,
    only: Sequence[str] = (),
    force: bool = False,
) -> dict[str, Path]:
    """Render a spec; the files by the names of their deliverables. `force` replaces what is there. Where a file is not
    as its kit asks, it is there all the same, and Stop says what it misses."""
    from cinecut.delivery.deliver import deliver
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.render.job import SILENT, prepare

    job = prepare(Path(path), size=size, small=draft, only=only)
    target = Path(output) if output is not None else Path(job.default_name)
    delivered = deliver(job, target, find_ffmpeg(), SILENT, force=force)
    if delivered.missed:
        raise Stop("kit", delivered.missed[0], *delivered.missed[1:])
    return delivered.rendered.files


def analyze(
    film: AnyPath,
    *,
    vibe: str = "drama",
    music: AnyPath | None = None,
    subtitles: AnyPath | None = None,
    length: Fraction | int | None = None,
    spoilers: bool = False,
) -> Analysis:
    """Look at a film, by what can be measured: its `spec`, and `text`, the file that says why. Nothing is written.

    `vibe` is a genre or a file of one's own; `length` is in seconds. The spec names its files as one beside the film.
    """
    from cinecut.analysis import Request
    from cinecut.analysis import analyze as run
    from cinecut.vibes import load_vibe

    path = Path(film)
    request = Request(
        path,
        path.with_suffix(".yaml"),
        load_vibe(vibe),
        Path(subtitles) if subtitles is not None else None,
        music=Path(music) if music is not None else None,
        length=Fraction(length) if length is not None else None,
        spoilers=spoilers,
    )
    return run(request, lambda stage, done: None)
