"""The commands that look at a film: analyze, trailer, beats."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.film_report import review as pause
from cinecut.cli.film_report import tell
from cinecut.cli.music_commands import JamendoIdOption, MusicChoice, MusicOption
from cinecut.cli.render_commands import render_spec
from cinecut.cli.speech_commands import LanguageOption, RateOption, ShiftOption, SubtitleChoice, SubtitlesOption
from cinecut.cli.terminal import (
    FFmpegOption,
    ForceOption,
    JsonOption,
    completing,
    may_replace,
    print_diagnostics,
    watch,
)
from cinecut.diagnostics import Stop, excerpt

if TYPE_CHECKING:
    from cinecut.analysis import Analysis, Request
    from cinecut.inference.server import Models

app = typer.Typer()

FilmArgument = Annotated[Path, typer.Argument(metavar="FILM", help="The film: mkv, mp4, mov, avi, webm, ts, …")]


def vibe_names() -> list[str]:
    from cinecut.vibes import names

    return names()


VibeOption = Annotated[
    str | None,
    typer.Option(
        "--vibe",
        metavar="NAME",
        autocompletion=completing(vibe_names),
        help="The genre to cut for (`cinecut vibes` lists them), or a file of your own. "
        "Default: a terminal asks, a script gets drama.",
    ),
]
AudioOption = Annotated[
    int | None,
    typer.Option(
        "--audio",
        metavar="N",
        min=1,
        help="Which of the film's sounds is heard, as the spec counts them: its own is 1, a commentary comes after it.",
    ),
]
LengthOption = Annotated[
    str | None,
    typer.Option(
        "--length", metavar="TIME", help="Of the trailer: 90s, 1:30. Default: 15 % of the film, 2 minutes at most."
    ),
]
SpoilersOption = Annotated[bool, typer.Option("--spoilers", help="Also show what comes after the climax.")]
LightOption = Annotated[
    bool, typer.Option("--match-light", help="Bring shots from very different light to the others of their act.")
]
ServerOption = Annotated[
    str | None,
    typer.Option("--llama-server", metavar="PATH", help="llama.cpp's server. Default: the one on PATH or installed."),
]
UrlOption = Annotated[
    str | None,
    typer.Option("--llm-url", metavar="URL", help="An OpenAI-compatible server that runs already, to ask instead."),
]


def _plugin_option(group: str, what: str) -> Any:
    """The option that has a plug-in do a part of the analysis."""

    def names() -> list[str]:
        from cinecut import plugins

        return plugins.names(group)

    about = f"{what} by a plug-in: an entry point of cinecut.{group}."
    return typer.Option(f"--{group}", metavar="NAME", help=about, autocompletion=completing(names))


ShotsOption = Annotated[str | None, _plugin_option("shots", "Find the shots")]
TranscribeOption = Annotated[str | None, _plugin_option("transcribe", "Hear the dialogue")]
DescribeOption = Annotated[str | None, _plugin_option("describe", "Describe the scenes")]
BeatsOption = Annotated[str | None, _plugin_option("beats", "Find the song's beats")]
NoModelsOption = Annotated[bool, typer.Option("--no-models", help="Measure only, also where there are models.")]


@app.command()
def analyze(
    film: FilmArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="SPEC", help="Default: specs/FILM.yaml.")
    ] = None,
    vibe: VibeOption = None,
    subtitles: SubtitlesOption = None,
    subtitles_shift: ShiftOption = None,
    subtitles_rate: RateOption = None,
    language: LanguageOption = None,
    audio: AudioOption = None,
    music: MusicOption = None,
    jamendo_id: JamendoIdOption = None,
    length: LengthOption = None,
    spoilers: SpoilersOption = False,
    match_light: LightOption = False,
    llama_server: ServerOption = None,
    llm_url: UrlOption = None,
    no_models: NoModelsOption = False,
    shots: ShotsOption = None,
    transcribe: TranscribeOption = None,
    describe: DescribeOption = None,
    beats: BeatsOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at a film and write a trailer of it as a spec to edit, and a contact sheet beside it.

    Needs no model, no GPU and no network. Where `cinecut models list` shows models, they describe the scenes and choose
    the turning points; what they cannot do is measured. A second run takes what the first one found out.

    Example: cinecut analyze film.mkv --vibe thriller --music song.ogg --length 90s -o specs/film.yaml
    """
    target = output or Path("specs") / f"{film.stem}.yaml"
    models = _Choice(llama_server, llm_url, no_models)
    named = {"shots": shots, "transcribe": transcribe, "describe": describe, "beats": beats}
    song = MusicChoice(music, jamendo_id)
    words = SubtitleChoice(subtitles, language, subtitles_shift, subtitles_rate)
    found = _analyze(film, target, vibe, words, audio, song, length, spoilers, match_light, models, named, force)
    tell(found, target, as_json, True)


@app.command()
def trailer(
    film: FilmArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: FILM_trailer_VIBE.mp4, here.")
    ] = None,
    vibe: VibeOption = None,
    subtitles: SubtitlesOption = None,
    subtitles_shift: ShiftOption = None,
    subtitles_rate: RateOption = None,
    language: LanguageOption = None,
    audio: AudioOption = None,
    music: MusicOption = None,
    jamendo_id: JamendoIdOption = None,
    length: LengthOption = None,
    spoilers: SpoilersOption = False,
    match_light: LightOption = False,
    llama_server: ServerOption = None,
    llm_url: UrlOption = None,
    no_models: NoModelsOption = False,
    shots: ShotsOption = None,
    transcribe: TranscribeOption = None,
    describe: DescribeOption = None,
    beats: BeatsOption = None,
    review: Annotated[bool, typer.Option("--review", help="Show the contact sheet; wait for your edit.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Small and fast, for looking at the cut.")] = False,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Analyze a film and render its trailer in one go. The spec stays, to be edited and rendered again.

    Example: cinecut trailer film.mkv --vibe comedy --review
    """
    from cinecut.ffmpeg.builds import find_ffmpeg

    if review and as_json:
        raise Stop("option", "--review, and --json for programs: choose one of them")
    find_ffmpeg(ffmpeg)  # what would end the render is said before the long work
    replacing = force
    if output is not None and os.path.lexists(output) and not force:
        replacing = may_replace(output)
        if not replacing:
            raise Stop("output", f"{output} is there already", "--force replaces it, -o names another")
    target = Path("specs") / f"{film.stem}.yaml"
    models = _Choice(llama_server, llm_url, no_models)
    named = {"shots": shots, "transcribe": transcribe, "describe": describe, "beats": beats}
    song = MusicChoice(music, jamendo_id)
    words = SubtitleChoice(subtitles, language, subtitles_shift, subtitles_rate)
    found = _analyze(film, target, vibe, words, audio, song, length, spoilers, match_light, models, named, force)
    if not as_json:
        tell(found, target, False, False)
    if review:
        if not sys.stdin.isatty():
            command = ["cinecut", "render", *(["--draft"] if draft else []), "--", str(target)]
            print(f"edit {target}, then: {shlex.join(command)}")
            return
        pause(target)
    render_spec(target, output, None, draft, replacing, ffmpeg, as_json)


# What the stages of an analysis take: about so many seconds of two cores for ten minutes of film.
_SHARES = {"song": 5, "voices": 10, "words": 150, "beats": 5, "shots": 20, "loudness": 2, "looks": 20}
_SHARES |= {"scenes": 600, "story": 60, "sheet": 4}
_OF_MODELS = ("scenes", "story")


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which models the user wants."""

    llama_server: str | None
    llm_url: str | None
    none: bool

    def open(self, waiting: Callable[[str], None]) -> Models | None:
        """Raises Stop("option") where those that the user named are not there: that is no matter of taste."""
        named = self.llama_server is not None or self.llm_url is not None
        if self.none:
            if named:
                raise Stop("option", "--no-models, and a server to ask: choose one of them")
            return None
        from cinecut.inference.server import choose_models

        try:
            found = choose_models(self.llama_server, self.llm_url, waiting)
            if named and found is not None and not (found.identity("vision") or found.identity("text")):
                raise Stop("option", "there is no model for that server", "cinecut models pull fetches one")
            return found
        except Stop as stop:
            if not named:
                return None
            first = stop.diagnostics[0]
            raise Stop("option", first.message, *first.hints) from None


def _analyze(
    film: Path,
    target: Path,
    vibe: str | None,
    words: SubtitleChoice,
    audio: int | None,
    music: MusicChoice,
    length: str | None,
    spoilers: bool,
    match_light: bool,
    models: _Choice,
    named: dict[str, str | None],
    force: bool,
) -> Analysis:
    from cinecut.files import check_no_source, disk_errors
    from cinecut.plugins import find as plugin
    from cinecut.vibes import load_vibe

    if film.suffix.lower() in _SPECS and film.is_file():
        again = f"cinecut render {shlex.quote(str(film))} renders it"
        raise Stop("unreadable", f"{film} is a spec, and no film", again)
    sheet = target.with_suffix(".html")
    with disk_errors(target):
        _check_target(target, sheet, force)
    sources = [Path(file) for file in (film, words.file, music.wanted) if file is not None]
    for file in (target, sheet):
        check_no_source(file, sources)
    seconds, shift, rate = _length(length), words.seconds, words.frame_rate
    plugins = {group: plugin(group, name) for group, name in named.items() if name is not None}
    if "transcribe" in plugins and words.file is not None:
        raise Stop("option", "--transcribe, and subtitles to read: choose one of them")
    chosen = load_vibe(_ask_vibe() if vibe is None else vibe)
    from cinecut.analysis import Request, analyze
    from cinecut.analysis.dialogue.transcribe import usable_whisper
    from cinecut.analysis.report.credits import write_credits

    shares = dict(_SHARES)
    with watch("Analyzing", shares) as watching:
        helped = models.open(watching.waiting)
        absent = _OF_MODELS if helped is None else ()
        for stage in (*absent, *(() if usable_whisper() and not models.none else ("words",))):
            del shares[stage]
        song, credit, warnings = music.find(chosen, lambda what, done, of: watching.stage(what, done, of, None))
        request = Request(
            film,
            target,
            chosen,
            words.file,
            words.language,
            shift,
            rate,
            not models.none,
            audio,
            song,
            credit=credit,
            length=seconds,
            spoilers=spoilers,
            match_light=match_light,
            models=helped,
            plugins=plugins,
        )

        def progress(stage: str, done: float) -> None:
            watching.stage(stage, round(100 * done), 100, None)

        found = analyze(request, progress)
        if found.seen.note:
            print(found.seen.note, file=sys.stderr)
        _make_folder(target.parent)
        warnings += write_credits(target.with_suffix(".credits.txt"), found.credits)
        found = replace(found, diagnostics=(*warnings, *found.diagnostics))
        print_diagnostics(list(found.diagnostics))
        _keep(found, request, sources, lambda done: progress("sheet", done))
    return found


def _keep(found: Analysis, request: Request, sources: list[Path], progress: Callable[[float], None]) -> None:
    """Write the sheet, the schema and the spec: the spec last, so that a run that ended before can be repeated."""
    from cinecut.analysis.report.sheet import write_sheet
    from cinecut.files import write_beside
    from cinecut.language.schema import TRAILER

    write_sheet(found, request.film, request.target.with_suffix(".html"), progress)
    _write_schema(request.target.parent / f"{TRAILER}.schema.json")
    write_beside(request.target, found.text, sources)


def _write_schema(file: Path) -> None:
    """What the spec's first line names; a file of that name that is not the schema stays."""
    from cinecut.files import write_beside
    from cinecut.language.schema import bundled

    with contextlib.suppress(OSError):
        known = file.read_text(encoding="utf-8", errors="replace") if os.path.lexists(file) else None
        if known is None or ("cinecut trailer spec" in known and known != bundled()):
            write_beside(file, bundled())


_SPECS = (".yaml", ".yml")


def _check_target(target: Path, sheet: Path, force: bool) -> None:
    """Before any work: an existing spec is somebody's edit, and a page that is no contact sheet is somebody's too."""
    if target.is_dir():
        raise Stop("output", f"{target} is a folder", "name a file with -o")
    if target.suffix.lower() not in _SPECS:
        raise Stop("output", f"{target} is no name for a spec: it ends with .yaml", "name another with -o")
    folder = next(folder for folder in target.absolute().parents if os.path.lexists(folder))
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise Stop("output", f"{folder} is no folder that can be written", "choose another with -o")
    with contextlib.suppress(FileNotFoundError):
        target.with_name(f"{target.stem}.credits.txt").lstat()  # of what will be written the longest name
    if target.exists() and not force and not may_replace(target):
        again = f"cinecut render {shlex.quote(str(target))} renders it as it is"
        hints = (again, "-o SPEC writes another beside it", "--force replaces it")
        raise Stop("output", f"{target} is there already, and may have been edited", *hints)
    if sheet.exists() and not force and not target.exists() and not _is_sheet(sheet):
        raise Stop("output", f"{sheet} is there already, and is no contact sheet", "--force replaces it")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Stop("output", f"the folder {folder} cannot be made: {error.strerror}", "choose another") from None


def _is_sheet(page: Path) -> bool:
    with contextlib.suppress(OSError), page.open("rb") as file:
        return b'name="generator" content="cinecut' in file.read(2000)
    return False


def _ask_vibe() -> str:
    """On a terminal a choice; for a script the default."""
    from cinecut.vibes import DEFAULT, names

    if not sys.stdin.isatty() or not sys.stderr.isatty():
        return DEFAULT
    listed = names()
    print("  ".join(listed), file=sys.stderr)
    return str(typer.prompt("Vibe", default=DEFAULT, err=True)).strip()


def _length(text: str | None) -> Fraction | None:
    from cinecut.language.timebase import BadTimeError, parse_seconds

    if text is None:
        return None
    try:
        seconds = parse_seconds(text)
    except BadTimeError:
        raise Stop("option", f"--length cannot be {excerpt(text)}", "write 90s, 1:30 or 1m30s") from None
    if not 3 <= seconds <= 600:
        raise Stop("option", f"--length {excerpt(text)[1:-1]}: a trailer takes 3 seconds to 10 minutes")
    return seconds
