"""The functions for programs. Each raises `Stop`, whose `diagnostics` list all mistakes.

>>> import cinecut
>>> spec = cinecut.load("specs/big_buck_bunny.yaml")
>>> cinecut.compile(spec).frames
1288
>>> [finding.code for finding in cinecut.check("specs/nowhere.yaml")]
['missing-file']
>>> change = cinecut.edit("specs/big_buck_bunny.yaml", "trim", 3, out="0:50", dry_run=True)
>>> change.said
['trailer: 1288 → 1168 frames (0:53.667 → 0:48.667)', 'shot 3: trimmed, 432 → 312 frames']
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinecut.diagnostics import Diagnostic, Report, Stop

if TYPE_CHECKING:
    from cinecut.analysis.analyze import Analysis
    from cinecut.compiler.plan import RenderPlan
    from cinecut.edits.revise import Edit
    from cinecut.language.spec import Spec

AnyPath = str | os.PathLike[str]


def load(path: AnyPath) -> Spec:
    """A spec from its file.

    >>> load("specs/big_buck_bunny.yaml").timeline[0].act
    'opening'
    """
    from cinecut.language.read import load_spec

    report = Report()
    return report.require(load_spec(Path(path), report)[1])


def check(path: AnyPath) -> list[Diagnostic]:
    """All mistakes in a spec and the files that it names, and warnings.

    >>> for finding in check("tests/bad_specs/no_handle.yaml"):
    ...     print(finding.severity, finding.code, finding.span.line + 1)
    error missing-file 4
    error no-handle 14
    error no-handle 17
    """
    from cinecut.render.check import check_spec

    return list(check_spec(Path(path)))


def compile(spec: Spec) -> RenderPlan:
    """The graph of a spec whose media are measured (`cinecut link`), and the command that runs it. Opens no file.

    >>> plan = compile(load("specs/beats.yaml"))
    >>> plan.timeline.events[0].name, sorted(plan.render.filters & {"concat", "xfade"})
    ('shot 1', ['concat'])
    """
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
    """Render a spec; returns the files by the names of their deliverables. `force` replaces existing files. If a file
    misses its kit, it stays and Stop says what it misses."""
    from cinecut.delivery.deliver import deliver
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.render.job import SILENT, prepare

    job = prepare(Path(path), size=size, small=draft, only=only)
    target = Path(output) if output is not None else Path(job.default_name)
    delivered = deliver(job, target, find_ffmpeg(), SILENT, force=force)
    if delivered.missed:
        raise Stop("kit", delivered.missed[0], *delivered.missed[1:])
    return delivered.rendered.files


def edit(
    path: AnyPath,
    verb: str,
    /,
    event: int | str | None = None,
    *,
    revision: str | None = None,
    dry_run: bool = False,
    **values: Any,
) -> Edit:
    """Change a spec's file by one verb, every other byte as it is; or raise `Stop`, and leave it as it was.

    The verbs are those of `cinecut edit`, their values by name, with a `_` after those that are words of Python:
    `trim` (in_, out, for_), `slip` (by), `replace` (with_), `swap` (number), `move` (to), `insert` (what), `remove`,
    `duplicate`, `retitle` (text, title), `retime` (speed), `sync` (at), `set` (path, value: `edit(file, "set",
    path="mix.music", value=-3)`). An event is its number, its id, or "act 2/3". What came of it: `said` in words,
    `differences`, the states `before` and `after`. `dry_run` writes nothing.

    >>> edit("specs/big_buck_bunny.yaml", "retitle", "act 2/1", text="A bird", dry_run=True).said
    ["shot 2: 'An unlucky bird' → 'A bird'"]
    >>> edit("specs/big_buck_bunny.yaml", "set", path="output.crf", value=20, dry_run=True).said
    ['output: crf none → 20']
    """
    from cinecut.edits.revise import EditOptions
    from cinecut.edits.revise import edit as run

    named = {name.rstrip("_"): value for name, value in values.items()}
    return run(Path(path), {"do": verb, "event": event, **named}, EditOptions(revision, dry_run))


def analyze(
    film: AnyPath,
    *others: AnyPath,
    vibe: str = "drama",
    structure: str | None = None,
    title: str | None = None,
    blocks: bool = False,
    music: AnyPath | None = None,
    tempo: Fraction | float | str | None = None,
    subtitles: AnyPath | None = None,
    length: Fraction | float | str | None = None,
    spoilers: bool = False,
) -> Analysis:
    """Look at a film, by what can be measured: its `spec`, and `text`, the file that says why. Nothing is written.

    Of several films, such as a series, it chooses over all of them, as if one followed the other; with `blocks` each
    has a part of its own after its title. `vibe` and `structure` are a genre and a skeleton, or files of one's own;
    `tempo` is in beats a minute, of the song or of a trailer without one; `length` is in seconds, or a text such as
    1:30; `subtitles` are of a single film. The spec names its files as one beside the first film.

    An example is in docs/llms.md.
    """
    from cinecut.analysis.analyze import analyze as run
    from cinecut.analysis.request import Request, music_tempo, trailer_length
    from cinecut.vibes import load_vibe
    from cinecut.vibes.skeleton import load_skeleton

    path = Path(film)
    if others and subtitles is not None:
        raise Stop(
            "option", "subtitles are of one film, and there are several", "they are found beside each by its name"
        )
    if blocks and (not others or structure is not None):
        raise Stop("option", "blocks are of several films, and have no other structure")
    request = Request(
        path,
        path.with_suffix(".yaml"),
        load_vibe(vibe),
        Path(subtitles) if subtitles is not None else None,
        music=Path(music) if music is not None else None,
        tempo=music_tempo(tempo, "`tempo`") if tempo is not None else None,
        length=trailer_length(length, "`length`") if length is not None else None,
        spoilers=spoilers,
        structure=load_skeleton(structure) if structure is not None else None,
        texts={"title": title} if title is not None else {},
        others=tuple(map(Path, others)),
        blocks=blocks,
    )
    return run(request, lambda stage, done: None)
