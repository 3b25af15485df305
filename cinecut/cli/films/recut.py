"""The command that makes a new cut and keeps the user's edits."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.films.analyze import SHARES, is_sheet, leave_out
from cinecut.cli.films.music import MusicOption, TempoOption, find_song
from cinecut.cli.films.options import NoModelsOption, cut_checks, music_tempo, open_models, trailer_length
from cinecut.cli.films.speech import SubtitlesOption
from cinecut.cli.parameters import ForceOption, JsonOption, SpecArgument, completing, flag, option
from cinecut.cli.terminal import check_free, print_diagnostics, print_json, remark, say, watch
from cinecut.diagnostics import Diagnostic, Report, Stop, all_at_once, harmless

if TYPE_CHECKING:
    from cinecut.analysis.analyze import Analysis
    from cinecut.analysis.request import Request
    from cinecut.edits.recut.merging import Recut, RecutOptions, Version
    from cinecut.known.record import Known
    from cinecut.language.document import Document
    from cinecut.language.spec import Spec

app = typer.Typer()


@app.command()
def recut(
    spec: SpecArgument,
    music: MusicOption = None,
    tempo: TempoOption = None,
    length: Annotated[str | None, option("--length", "TIME", "The length of the new trailer: 60s, 1:30.")] = None,
    vibe: Annotated[
        str | None,
        option(
            "--vibe",
            "NAME",
            "Another genre (`cinecut vibes` lists them), or a file of your own. Default: the present one.",
            autocompletion=completing("vibes:names"),
        ),
    ] = None,
    structure: Annotated[
        str | None, option("--structure", "NAME", "Another skeleton. Default: the present one.")
    ] = None,
    subtitles: SubtitlesOption = None,
    act: Annotated[str | None, option("--act", "NAME", "Recut only this act.")] = None,
    only_kept: Annotated[
        bool, flag("--only-kept", "Keep only events with `keep: true`, not every event that you edited.")
    ] = False,
    output: Annotated[Path | None, option("-o --output", "SPEC", "Write a new spec. Default: change SPEC.")] = None,
    dry_run: Annotated[bool, flag("--dry-run", "Change nothing; list the changes.")] = False,
    no_models: NoModelsOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Cut a trailer again, with another song, length or genre, and keep every event that you edited, comments too.

    Your edits are found by comparing the spec with what analyze wrote; `keep: true` keeps an unedited event too. In
    a conflict your version stays.

    Example: cinecut recut specs/film.yaml --music other.ogg --length 60s --dry-run
    """
    from cinecut.analysis.report.credits import credit_beside
    from cinecut.edits.changes.compare import differences
    from cinecut.edits.recut.merging import RecutOptions
    from cinecut.edits.revise import rewrite
    from cinecut.files import check_writable, real_path, write_beside
    from cinecut.known.record import keep
    from cinecut.render.check import check_spec, files_of
    from cinecut.vibes import load_vibe
    from cinecut.vibes.skeleton import load_skeleton

    named = ((load_vibe, vibe), (load_skeleton, structure))
    checks = [partial(load, name) for load, name in named if name is not None]
    free = partial(check_free, output, force or dry_run, "--force replaces it, -o names another")
    all_at_once([*cut_checks(music, tempo, length, subtitles), *checks, free])
    wanted, target = trailer_length(length), output or spec
    if not dry_run:
        check_writable(target)
    document = _document(spec)
    ours, base, known = _versions(document, only_kept)
    choice = _Choice(music, music_tempo(tempo), wanted, vibe, subtitles, structure, no_models)
    if act is not None and choice.tempo is not None:
        raise Stop("option", "--tempo, and an act to recut alone: choose one of them", "all acts have one tempo")
    stays = _own_tempo(ours, base) if act is None else _own_tempo(ours, None)
    analysis, now, sources = _analyzed(spec, ours, known, choice, stays)
    wish = RecutOptions(act, choice.paths, only_kept, known.timeline if base is not None and known is not None else "")
    result = _merged(spec, (base, ours), analysis, wish)
    if not dry_run:
        if real_path(target) == real_path(spec):
            rewrite(spec, document.mark + document.text, result.text)
        else:
            result = _elsewhere(result, spec, target)
            write_beside(target, result.text, [spec, *sources, *files_of(ours.spec, spec.parent)])
        print_diagnostics(credit_beside(target, result.layout.trailer.spec, spec.parent))
        keep(replace(now, wrote=result.wrote, text=result.text))
        _page_anew(target, analysis, now)
    changed = differences(ours.layout, result.layout)
    if as_json:
        record: dict[str, Any] = {"spec": str(target), "written": not dry_run, "seconds": _seconds(result)}
        record |= {"kept": result.kept, "conflicts": result.conflicts, "differences": [d.as_json() for d in changed]}
        print_json(record)
        return
    _tell(target, result, [each.text for each in changed], dry_run)
    _tell_length(result, wanted)
    if not dry_run:
        print_diagnostics(list(check_spec(target)))  # what was kept may not fit the new beats


def _elsewhere(result: Recut, spec: Path, target: Path) -> Recut:
    """The new spec as it names its media from another folder."""
    from cinecut.language.document import parse_document
    from cinecut.language.read import fill_spec
    from cinecut.media.link import named_from

    if target.parent.absolute() == spec.parent.absolute():
        return result

    def moved(text: str) -> str:
        document = parse_document(target, text, report := Report())
        return named_from(document, report.require(fill_spec(document, report)), spec.parent, target.parent)

    return replace(result, text=moved(result.text), wrote=moved(result.wrote))


def _page_anew(target: Path, analysis: Analysis, now: Known) -> None:
    """Write the contact sheet beside a spec again, if there is one."""
    from cinecut.language.document import read_document
    from cinecut.language.read import film_files
    from cinecut.render.check import laid_out
    from cinecut.review.sheet import Subject, write_sheet

    page = target.with_suffix(".html")
    if is_sheet(page):
        layout = laid_out(document := read_document(target, Report()))
        films = film_files(layout.trailer.spec, target.parent)
        write_sheet(Subject(layout, document, films, now, analysis.diagnostics), page, lambda done: None)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the new cut changes."""

    music: str | None
    tempo: Fraction | None
    length: Fraction | None
    vibe: str | None
    subtitles: Path | None
    structure: str | None
    no_models: bool

    @property
    def paths(self) -> set[tuple[str, ...]]:
        """The parts of the spec that the command changes."""
        from cinecut.edits.recut.settings import SONG

        paths: set[tuple[str, ...]] = {("vibe", "base")} if self.vibe is not None else set()
        paths |= {("music",), ("music", "beats")} if self.tempo is not None else set()
        return paths | ({("music",), *(("music", key) for key in SONG)} if self.music is not None else set())


def _document(spec: Path) -> Document:
    from cinecut.language.document import read_document

    document = read_document(spec, report := Report())
    report.stop_on_error()
    return document


def _versions(document: Document, only_kept: bool) -> tuple[Version, Version | None, Known | None]:
    """The spec, what analyze wrote, and what it knew; the last two only if they are known."""
    from cinecut.edits.recut.merging import Version
    from cinecut.known.record import written_before

    ours, spec = Version.of(document), document.path
    known, base = written_before(ours.spec, document.text, spec), None
    if known is not None:
        with contextlib.suppress(Stop):
            base = _written_by(known, spec, ours)
    standing = {item.key for item in ours.items if not item.marker}
    if base is not None and not standing & {item.key for item in base.items}:
        base = None  # of another spec of these films
    if base is None and not only_kept:
        message = "the spec as analyze wrote it is missing, so every event counts as edited and is kept"
        hint = "--only-kept keeps only events with `keep: true`, and cuts the rest again"
        print_diagnostics([Diagnostic("no-side-file", message, None, (hint,))])
    return ours, base, known


def _written_by(known: Known, spec: Path, ours: Version) -> Version:
    """The spec as analyze wrote it, with the films' present names. Raises Stop if it cannot be read."""
    from cinecut.edits.recut.items import named_as
    from cinecut.edits.recut.merging import Version
    from cinecut.language.document import parse_document

    base = Version.of(parse_document(spec, known.wrote, Report()), whole=False)
    text = named_as(base.document, base.spec, ours.spec)
    return base if text == known.wrote else Version.of(parse_document(spec, text, Report()), whole=False)


def _own_tempo(ours: Version, base: Version | None) -> Fraction | None:
    """The tempo that stays in the spec, since not all is cut again (`base` None) or a hand changed it."""
    music, was = ours.spec.music, base.spec.music if base is not None else None
    beats = music.beats if music is not None else None
    return beats.tempo if beats is not None and (was is None or was.beats != beats) else None


def _analyzed(
    spec: Path, ours: Version, known: Known | None, choice: _Choice, stays: Fraction | None
) -> tuple[Analysis, Known, list[Path]]:
    """A new analysis with the former options, except those that change; what it knows; and the files that it read.
    `stays`: the tempo of music that stays, on whose beats the new cuts have to fall, whatever a vibe expects."""
    from cinecut.analysis.analyze import analyze, known_about
    from cinecut.vibes import DEFAULT, load_vibe, vibe_of

    asked = dict(known.asked) if known is not None else {}
    vibe = load_vibe(choice.vibe) if choice.vibe is not None else vibe_of(ours.spec.vibe) or load_vibe(DEFAULT)
    measured = choice.no_models or "measured" in asked
    with watch("Analyzing", shares := dict(SHARES)) as watching:
        models = open_models(None, None, measured, watching.waiting)
        leave_out(shares, models, measured)
        request = _request(spec, ours, asked, choice)
        request = replace(request, tempo=choice.tempo or stays or request.tempo)
        song, credit, warnings = find_song(choice.music, os.environ.get("JAMENDO_CLIENT_ID"), vibe, watching)
        request = replace(request, vibe=vibe, models=models, transcribes=not measured)
        if choice.music is not None:
            request = replace(request, music=song, credit=credit, tempo=choice.tempo)
        analysis = analyze(request, watching.share)
    print_diagnostics([*warnings, *analysis.diagnostics])
    files = [*request.films, request.music, request.subtitles]
    return analysis, known_about(analysis, request), [file for file in files if file is not None]


def _request(spec: Path, ours: Version, asked: dict[str, str], choice: _Choice) -> Request:
    """The request of the former analysis, as far as it is known."""
    from cinecut.analysis.request import Request
    from cinecut.language.read import inside
    from cinecut.vibes import DEFAULT, load_vibe
    from cinecut.vibes.skeleton import load_skeleton

    music, films = ours.spec.music, _films(spec, ours.spec)
    subtitles = choice.subtitles
    if subtitles is not None and len(films) > 1:
        hint = "leave it out: subtitles are found beside each film by its name"
        raise Stop("option", "--subtitles needs a spec of one film, and this one has several", hint)
    if subtitles is None and "subtitles" in asked and Path(asked["subtitles"]).is_file():
        subtitles = Path(asked["subtitles"])
    seconds = choice.length
    if seconds is None:
        seconds = Fraction(asked["length"]) if "length" in asked else ours.layout.timeline.events[-1].end
    structure = choice.structure or asked.get("structure")
    return Request(
        films[0][1],
        spec,
        load_vibe(DEFAULT),
        subtitles,
        asked.get("language"),
        _fraction(asked, "shift") if choice.subtitles is None else None,
        _fraction(asked, "rate") if choice.subtitles is None else None,
        music=inside(spec.parent, music.file) if music is not None and music.file is not None else None,
        credit=music.credit if music is not None else None,
        tempo=_fraction(asked, "tempo"),
        length=seconds,
        spoilers="spoilers" in asked,
        match_light="match_light" in asked,
        blocks="blocks" in asked and choice.structure is None,
        structure=load_skeleton(structure) if structure is not None else None,
        texts={key.removeprefix("text."): text for key, text in asked.items() if key.startswith("text.")},
        others=tuple(path for _, path, _ in films[1:]),
        names=tuple(name for name, _, _ in films if name is not None),
        audios=tuple(audio if audio > 1 else None for _, _, audio in films),
    )


def _films(spec: Path, ours: Spec) -> list[tuple[str | None, Path, int]]:
    """The films of a spec, each once: its name there, its file, and the audio stream used. Raises Stop, with the place,
    if one is missing or changed."""
    from cinecut.files import real_path
    from cinecut.language.read import inside
    from cinecut.media.link import check_files

    check_files(replace(ours, timeline=(), music=None, lut=None, rating=None), spec.parent, report := Report())
    report.stop_on_error()
    films = dict[Path, tuple[str | None, Path, int]]()
    for key, film in ours.every_film.items():
        path = inside(spec.parent, film.file)
        films.setdefault(real_path(path), (ours.name_of(key), path, film.audio))
    return list(films.values())


def _fraction(asked: dict[str, str], key: str) -> Fraction | None:
    return Fraction(asked[key]) if key in asked else None


def _merged(spec: Path, known: tuple[Version | None, Version], analysis: Analysis, wish: RecutOptions) -> Recut:
    from cinecut.edits.recut.merging import Version, recut
    from cinecut.language.document import parse_document

    theirs = Version.of(parse_document(spec, analysis.text, Report()))
    return recut(*known, theirs, wish)


def _tell(target: Path, result: Recut, said: list[str], dry_run: bool) -> None:
    for each in [*result.kept, *said] or ["nothing was changed"]:
        say(harmless(each))
    for each in result.conflicts:
        remark(f"conflict: {each}")
    if not dry_run:
        say(f"{target}: {len(result.kept)} of your edits kept, {_seconds(result):.1f} s")


def _tell_length(result: Recut, wanted: Fraction | None) -> None:
    """Warn if the new trailer is not as long as requested."""
    if wanted is not None and abs(_seconds(result) - float(wanted)) > max(1.0, float(wanted) / 20):
        why = ": events that you edited keep their length" if result.kept else ""
        print_diagnostics([Diagnostic("film", f"it lasts {_seconds(result):.1f} s, and not {float(wanted):g} s{why}")])


def _seconds(result: Recut) -> float:
    """Of the trailer."""
    return round(float(result.layout.timeline.events[-1].end), 3)
