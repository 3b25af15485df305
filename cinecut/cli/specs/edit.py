"""The commands that compare specs and change one: diff, edit, log, undo, redo, swap."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.parameters import JsonOption, SpecArgument, argument, completing, flag, option
from cinecut.cli.terminal import SPECS, print_diagnostics, print_json, remark, say, show
from cinecut.diagnostics import Stop
from cinecut.edits.verbs.takes import WORDS

if TYPE_CHECKING:
    from cinecut.edits.anew import NewSegments
    from cinecut.edits.revise import Edit

app = typer.Typer()

RevisionOption = Annotated[
    str | None, option("--revision", "DIGEST", "Refuse if the spec has changed since this version.")
]
DryOption = Annotated[
    bool, flag("--dry-run", "Write nothing; list what would change and what would be rendered again.")
]


@app.command()
def diff(
    before: Annotated[Path, argument("A|-", "A spec; - is stdin.")],
    after: Annotated[Path, argument("B", "Another spec, or a later version of the same one.")],
    as_json: JsonOption = False,
) -> None:
    """Describe how B differs from A in an editor's terms: trimmed, slipped, moved, removed, retitled, …

    Needs neither film nor FFmpeg. Spaces, comments and the order of keys are ignored.

    Examples: cinecut diff film.yaml film_v2.yaml    |    git show HEAD:film.yaml | cinecut diff - film.yaml
    """
    from cinecut.edits.changes.compare import differences
    from cinecut.render.check import layout_at

    changed = differences(layout_at(before), layout_at(after))
    if as_json:
        print_json({"differences": [each.as_json() for each in changed]})
        return
    for each in changed:
        show(each.text)
    if not changed:
        say("they show the same")


@app.command(context_settings={"ignore_unknown_options": True})
def edit(
    spec: SpecArgument,
    verb: Annotated[str, argument("VERB", "The kind of edit.", autocompletion=completing(WORDS))],
    words: Annotated[list[str] | None, argument("[WORDS]...", "The event, and the values of the edit.")] = None,
    in_: Annotated[str | None, option("--in", "TIME", "trim: its in point in the film.")] = None,
    out: Annotated[str | None, option("--out", "TIME", "trim: its out point.")] = None,
    for_: Annotated[str | None, option("--for", "LENGTH", "trim: its length, 1.5s or 4 beats.")] = None,
    revision: RevisionOption = None,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make one edit in a spec and leave every other byte, comments too, as it is; or change nothing at all.

    An EVENT is a number (12, or shot 12), an id, or a place in an act: "act 2/3" is the third event of act 2.
    `explain` shows them all.

    trim EVENT --in TIME      new ends: --in, --out, --for; the others stay
    slip EVENT BY             a later part, of the same length: 1.5s, -12f
    replace EVENT WITH        another part: 0:40 (same length), or 0:40 - 0:42
    swap EVENT [N]            by one of its alternatives
    move EVENT TO             to the place of another event
    remove EVENT              (or duplicate EVENT)
    insert EVENT|end WHAT     a new event before it: "shot: 0:16 - 0:20"
    retitle EVENT TEXT [N]    a card's text, or that of an event's title N
    retime EVENT SPEED        0.5 is slow motion
    sync EVENT TIME           put this moment of the film on a beat
    set PATH [VALUE]          any key: mix.music -3; without VALUE it is removed

    An edit that would make the spec invalid is refused. `cinecut undo SPEC` undoes the last one.

    Examples: cinecut edit film.yaml trim 3 --out 0:19.5    |    cinecut edit film.yaml slip "act 2/3" -12f --dry-run
    """
    from cinecut.edits.revise import EditOptions
    from cinecut.edits.revise import edit as run

    _check_order([str(spec), verb, *(words or ())])
    action = {"do": verb, **_named(verb, words or ()), "in": in_, "out": out, "for": for_}
    _tell(run(spec, action, EditOptions(revision, dry_run)), dry_run, as_json)


def _check_order(words: list[str]) -> None:
    """Raise Stop where the spec or the verb stands in another's place, and say the command as it should be."""
    specs = [word for word in words if word.endswith(SPECS)]
    verbs = [word for word in words if word in WORDS]
    if len(specs) == len(verbs) == 1 and words[:2] != (right := specs + verbs):
        rest = [word for word in words if word not in right]
        raise Stop("option", "the spec comes first, then the verb", shlex.join(["cinecut", "edit", *right, *rest]))


def _named(verb: str, words: Sequence[str]) -> dict[str, str]:
    """The words of a verb by the names of its values."""
    if verb not in WORDS:
        raise Stop("option", f"there is no verb {verb!r}", f"one of: {', '.join(WORDS)}")
    names = [name.strip("[]") for name in WORDS[verb]]
    least = sum(not name.startswith("[") for name in WORDS[verb])
    if not least <= len(words) <= len(names) or any(word.startswith("--") for word in words):
        shown = " ".join(name.upper() for name in WORDS[verb])
        raise Stop("option", f"{verb} takes {shown}, not {' '.join(words) or 'nothing'}", "cinecut edit --help")
    return dict(zip(names, words, strict=False))


@app.command()
def undo(
    spec: SpecArgument, revision: RevisionOption = None, dry_run: DryOption = False, as_json: JsonOption = False
) -> None:
    """Undo the last edit by `edit`, `swap`, `recut`, `import` or the page of `watch`. Changes made since then stay.

    Example: cinecut undo specs/film.yaml
    """
    from cinecut.edits import revise

    done = revise.undo(spec, revise.EditOptions(revision, dry_run))
    _credit(done, dry_run)
    _tell(done, dry_run, as_json)


@app.command()
def redo(
    spec: SpecArgument, revision: RevisionOption = None, dry_run: DryOption = False, as_json: JsonOption = False
) -> None:
    """Redo the edit that was undone last, if no other edit was made since.

    Example: cinecut redo specs/film.yaml
    """
    from cinecut.edits import revise

    done = revise.redo(spec, revise.EditOptions(revision, dry_run))
    _credit(done, dry_run)
    _tell(done, dry_run, as_json)


def _credit(done: Edit, dry_run: bool) -> None:
    """Where another song came back, its credits do."""
    was, now = (state.layout.trailer.spec for state in (done.before, done.after))
    credits = [each.music.credit if each.music is not None else None for each in (was, now)]
    if credits[0] != credits[1] and not dry_run:
        from cinecut.analysis.report.credits import credit_beside

        try:
            print_diagnostics(credit_beside(done.spec, now, done.spec.parent))
        except Stop as stop:  # the film need not be here
            remark(f"the credits beside {done.spec} stay those of the other song: {stop.diagnostics[0].message}")


@app.command()
def log(spec: SpecArgument, as_json: JsonOption = False) -> None:
    """List the edits of a spec that can be undone, the last one first.

    Example: cinecut log specs/film.yaml
    """
    import time

    from cinecut.edits.revise import log as entries
    from cinecut.edits.revise import revision_of

    newest = entries(spec)[::-1]
    if as_json:
        records = [
            {"when": each.when, "said": each.said, "before": revision_of(each.before), "after": revision_of(each.after)}
            for each in newest
        ]
        print_json({"edits": records})
        return
    for each in newest:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.when))
        show(f"{when}  " + f"\n{' ' * len(when)}  ".join(each.said))
    if not newest:
        say("no edit is kept")


def _tell(done: Edit, dry_run: bool, as_json: bool) -> None:
    anew = _anew(done) if dry_run else None
    if as_json:
        record: dict[str, Any] = done.as_json()
        if dry_run:
            record["anew"] = None if anew is None else [list(each) for each in anew.segments]
        print_json(record)
        return
    print_diagnostics(list(done.after.found))
    for text in done.said:
        show(text)
    if not done.said:
        say("nothing that is seen or heard is other")
    if dry_run:
        say(str(anew) if anew is not None else "what would be rendered again is known when the film is measured")


def _anew(done: Edit) -> NewSegments | None:
    from cinecut.edits.anew import new_segments  # loads the compiler

    return new_segments(done.before.layout, done.after.layout)


@app.command()
def swap(
    spec: SpecArgument,
    event: Annotated[str, argument("EVENT", "Its number, id, or act 2/3, as in `cinecut edit`.")],
    number: Annotated[int, argument("[N]", "The number of the alternative.", min=1)] = 1,
    as_json: JsonOption = False,
) -> None:
    """Replace a shot by one of its `alternatives`; the shot becomes an alternative, so a second swap undoes the first.

    Example: cinecut swap specs/film.yaml 12 2
    """
    from cinecut.edits.revise import edit as run

    _tell(run(spec, {"do": "swap", "event": event, "number": number}), False, as_json)
