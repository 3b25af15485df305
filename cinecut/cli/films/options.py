"""The options that analyze and trailer share, and what is made of them."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.films.music import JAMENDO, JamendoIdOption, MusicOption, TempoOption
from cinecut.cli.films.speech import LanguageOption, RateOption, ShiftOption, SubtitlesOption, rate_of, shift_of
from cinecut.cli.parameters import argument, completing, flag, option
from cinecut.cli.terminal import remark
from cinecut.diagnostics import Stop, excerpt

if TYPE_CHECKING:
    from cinecut.inference.server import Models
    from cinecut.plugins import Plugin
    from cinecut.vibes import Vibe
    from cinecut.vibes.skeleton import Skeleton

VibeOption = Annotated[
    str | None,
    option(
        "--vibe",
        "NAME",
        "The genre to cut for (`cinecut vibes` lists them), or a file of your own. "
        "Default: a terminal asks, a script gets drama.",
        autocompletion=completing("vibes:names"),
    ),
]
ServerOption = Annotated[
    str | None, option("--llama-server", "PATH", "llama.cpp's server. Default: the one on PATH or installed.")
]
UrlOption = Annotated[
    str | None, option("--llm-url", "URL", "The URL of a running OpenAI-compatible server to use instead.")
]


NoModelsOption = Annotated[bool, flag("--no-models", "Use measurements only, even if models are installed.")]


def _plugin_option(group: str, what: str) -> Any:
    """The option that has a plug-in do a part of the analysis."""
    about = f"{what} by a plug-in: an entry point of cinecut.{group}."
    return typer.Option(f"--{group}", metavar="NAME", help=about, autocompletion=completing("plugins:names", group))


def open_models(
    llama_server: str | None, llm_url: str | None, none: bool, waiting: Callable[[str], None]
) -> Models | None:
    """The models to use. Raises Stop("option") if named ones do not exist."""
    named = llama_server is not None or llm_url is not None
    if none:
        if named:
            raise Stop("option", "--no-models, and a server to ask: choose one of them")
        return None
    from cinecut.inference.server import choose_models

    try:
        chosen = choose_models(llama_server, llm_url, waiting)
        if named and chosen is not None and not (chosen.identity("vision") or chosen.identity("text")):
            raise Stop("option", "there is no model for that server", "cinecut models pull fetches one")
        return chosen
    except Stop as stop:
        if not named:
            return None
        first = stop.diagnostics[0]
        raise Stop("option", first.message, *first.hints) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmOptions:
    """The film and the options that both commands take."""

    films: Annotated[
        list[Path],
        argument("FILM", "The film: mkv, mp4, mov, avi, webm, ts, … Several, such as a series, in their order."),
    ]
    vibe: VibeOption = None
    structure: Annotated[
        str | None,
        option(
            "--structure",
            "NAME",
            "The skeleton, with the acts of the trailer and the purpose of their shots; or a file of your own. "
            "Default: the vibe's.",
            autocompletion=completing("vibes.skeleton:skeleton_names"),
        ),
    ] = None
    blocks: Annotated[
        bool, flag("--blocks", "For several films: a part for each film, after its title, as at a festival.")
    ] = False
    title: Annotated[
        str | None, option("--title", "TEXT", "The text of the title card. Default: the film's title.")
    ] = None
    tagline: Annotated[
        str | None,
        option(
            "--tagline", "TEXT", "Text for the cards between the acts, one card for each sentence if there is room."
        ),
    ] = None
    release: Annotated[
        str | None,
        option("--release", "TEXT", "Text after the title: “In cinemas this summer”."),
    ] = None
    credits: Annotated[Path | None, option("--credits", "FILE", "Text for the last card, up to 500 characters.")] = None
    subtitles: SubtitlesOption = None
    subtitles_shift: ShiftOption = None
    subtitles_rate: RateOption = None
    language: LanguageOption = None
    audio: Annotated[
        int | None,
        option(
            "--audio",
            "N",
            "Which of the film's sounds to use, numbered as in the spec: the main one is 1, a commentary comes later.",
            min=1,
        ),
    ] = None
    music: MusicOption = None
    tempo: TempoOption = None
    jamendo_id: JamendoIdOption = None
    length: Annotated[
        str | None,
        option(
            "--length",
            "TIME",
            "The trailer's length: 90s, 1:30. Default: 15 % of the film, at most 2 minutes; less of a film with "
            "little to show.",
        ),
    ] = None
    spoilers: Annotated[
        bool, flag("--spoilers", "Allow shots from the end of the film and from the resolution of its climax.")
    ] = False
    match_light: Annotated[
        bool, flag("--match-light", "Grade shots whose light differs much from the rest of their act.")
    ] = False
    llama_server: ServerOption = None
    llm_url: UrlOption = None
    no_models: NoModelsOption = False
    shots: Annotated[str | None, _plugin_option("shots", "Find the shots")] = None
    transcribe: Annotated[str | None, _plugin_option("transcribe", "Hear the dialogue")] = None
    describe: Annotated[str | None, _plugin_option("describe", "Describe the scenes")] = None
    beats: Annotated[str | None, _plugin_option("beats", "Find the song's beats")] = None

    @property
    def film(self) -> Path:
        """The first one."""
        return self.films[0]

    @property
    def spec(self) -> Path:
        """The default path of the spec."""
        from cinecut.files import short_stem

        return Path("specs") / f"{short_stem(self.film)}.yaml"

    def with_defaults(self) -> FilmOptions:
        """The options with the user's defaults and those beside the spec filled in. Raises Stop."""
        from cinecut.config import defaults, song_file

        folder = self.spec.parent
        own = {key: default.value for key, default in defaults(folder).items() if key in ("vibe", "language")}
        filled: dict[str, Any] = {key: value for key, value in own.items() if getattr(self, key) is None}
        if self.music not in (None, JAMENDO):
            filled["music"] = str(song_file(Path(self.music), folder))
        return replace(self, **filled)

    @property
    def sources(self) -> list[Path]:
        """The user's files that are read, and must not be overwritten."""
        return [Path(file) for file in (*self.films, self.subtitles, self.music, self.credits) if file is not None]

    def checks(self) -> list[Callable[[], object]]:
        """What each raises Stop if an option is wrong, or names what is not there; nothing is asked or measured."""
        return [
            *(partial(can_be_read, film) for film in self.films),
            *cut_checks(self.music, self.tempo, self.length, self.subtitles),
            lambda: shift_of(self.subtitles_shift),
            lambda: rate_of(self.subtitles_rate),
            self.plugins,
            self.skeleton,
            self.texts,
            *([self.genre] if self.vibe is not None else []),
        ]

    def skeleton(self) -> Skeleton | None:
        """The chosen skeleton. Raises Stop."""
        from cinecut.vibes.skeleton import load_skeleton

        return None if self.structure is None else load_skeleton(self.structure)

    def texts(self) -> dict[str, str]:
        """The texts of the cards, by what they are. Raises Stop."""
        from cinecut.language.formats import shown_text
        from cinecut.language.timebase import BadTimeError

        written = {"title": self.title, "tagline": self.tagline, "release": self.release}
        texts = {name: " ".join(text.split()) for name, text in written.items() if text is not None}
        if self.credits is not None:
            texts["credits"] = _text_of(self.credits)
        for name, text in texts.items():
            if len(text) > _LONGEST_TEXT:
                message = f"--{name} has {len(text)} characters, and a card takes {_LONGEST_TEXT}"
                raise Stop("option", message, "shorten it, or split it over cards in the spec")
            try:
                shown_text(text)
            except BadTimeError as error:
                raise Stop("option", f"--{name} is {excerpt(text)}: {error}") from None
        return texts

    def plugins(self) -> dict[str, Plugin]:
        """The chosen plug-ins, by their group. Raises Stop."""
        from cinecut.plugins import find

        named = {"shots": self.shots, "transcribe": self.transcribe, "describe": self.describe, "beats": self.beats}
        if self.transcribe is not None and self.subtitles is not None:
            raise Stop("option", "--transcribe, and subtitles to read: choose one of them")
        if self.beats is not None and self.tempo is not None:
            raise Stop("option", "--tempo, and a plug-in that finds the beats: choose one of them")
        return {group: find(group, name) for group, name in named.items() if name is not None}

    def genre(self) -> Vibe:
        """The chosen vibe, or the answer to a question. Raises Stop."""
        from cinecut.vibes import load_vibe

        return load_vibe(_ask_vibe() if self.vibe is None else self.vibe)


def with_film_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose first parameter is `FilmOptions`, as one with an option for each of its fields."""
    shared = inspect.signature(FilmOptions).parameters
    own = list(inspect.signature(command).parameters.values())[1:]
    hints = {
        name: hint
        for source in (FilmOptions, command)
        for name, hint in typing.get_type_hints(source, include_extras=True).items()
    }

    def run(**values: Any) -> None:
        options = FilmOptions(**{name: values.pop(name) for name in shared})
        command(options.with_defaults(), **values)

    parameters = [
        each.replace(annotation=hints[each.name], kind=each.KEYWORD_ONLY) for each in (*shared.values(), *own)
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def _ask_vibe() -> str:
    """A choice on a terminal; the default for a script."""
    from cinecut.vibes import DEFAULT, names

    if not sys.stdin.isatty() or not sys.stderr.isatty():
        return DEFAULT
    listed = names()
    remark("  ".join(listed))
    return str(typer.prompt("Vibe", default=DEFAULT, err=True)).strip()


_LONGEST_TEXT = 500  # letters of a card
_LARGEST_TEXT = 100_000  # bytes of a file with one


def _text_of(file: Path) -> str:
    """The text of a file, without empty lines. Raises Stop."""
    from cinecut.files import open_file

    try:
        with open_file(file) as opened:
            data = opened.read(_LARGEST_TEXT + 1)
        if len(data) > _LARGEST_TEXT:
            raise Stop("unreadable", f"{file} is too large: a card takes {_LONGEST_TEXT} characters", "shorten it")
        rows = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Stop("unreadable", f"{file} is no text in UTF-8", "save it as UTF-8") from None
    return "\n".join(" ".join(row.split()) for row in rows if row.strip())


def cut_checks(
    music: str | None, tempo: str | None, length: str | None, subtitles: Path | None
) -> list[Callable[[], object]]:
    """What each raises Stop if one of the options of a cut is wrong, or names what is not there."""
    read = [subtitles, Path(music) if music not in (None, JAMENDO) else None]
    return [
        *(partial(can_be_read, file) for file in read if file is not None),
        lambda: trailer_length(length),
        lambda: music_tempo(tempo),
    ]


def can_be_read(file: Path) -> None:
    from cinecut.files import open_file

    with open_file(file):
        pass


def trailer_length(text: str | None) -> Fraction | None:
    from cinecut.analysis import request

    return None if text is None else request.trailer_length(text, "--length")


def music_tempo(text: str | None) -> Fraction | None:
    from cinecut.analysis import request

    return None if text is None else request.music_tempo(text.strip(), "--tempo")
