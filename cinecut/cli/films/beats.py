"""The command about a song's beats: beats."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.films.music import TempoOption
from cinecut.cli.films.options import music_tempo
from cinecut.cli.parameters import ForceOption, JsonOption, argument, completing, option
from cinecut.cli.terminal import check_free, print_diagnostics, print_json, show, watch
from cinecut.diagnostics import Stop

app = typer.Typer()


@app.command()
def beats(
    song: Annotated[Path, argument("SONG", "A song, or a film with sound.")],
    click: Annotated[Path | None, option("--click", "FILE", "Write the song with clicks: .wav or .flac.")] = None,
    vibe: Annotated[
        str | None,
        option(
            "--vibe",
            "NAME",
            "The vibe (a genre, or a file of your own) whose tempo range decides between half and double tempo.",
            autocompletion=completing("vibes:names"),
        ),
    ] = None,
    tempo: TempoOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the beat grid of a song, or write the song with clicks to check it by ear.

    The vibe's tempo range decides between half and double tempo, or --tempo; else it is 60 to 160 beats a minute.

    Example: cinecut beats song.ogg --vibe action --click clicks.wav
    """
    from cinecut.analysis.song.beats import analyse_music, octave_of
    from cinecut.analysis.song.clicks import write_clicks
    from cinecut.language.timebase import clock
    from cinecut.vibes import load_vibe

    chosen = load_vibe(vibe) if vibe else None
    check_free(click, force)
    known = music_tempo(tempo)
    if known is not None and vibe is not None:
        raise Stop("option", "--tempo, and --vibe with a range of tempi: choose one of them")
    expected, likely = (chosen.tempo, chosen.likely_tempo) if chosen else ((60.0, 160.0), 110.0)
    if known is not None:
        expected, likely = octave_of(known)
    with watch("Listening") as watching:
        result, warnings = analyse_music(song, expected, likely, lambda done: watching.share("music", done))
    print_diagnostics(warnings)
    if click is not None:
        write_clicks(song, result, click)
    rate = None if result.tempo is None else float(result.tempo)
    others = [{"tempo": float(other), "evidence": round(evidence, 3)} for other, evidence in result.octaves]
    if as_json:
        from cinecut.analysis.song.sections import sections_of

        grid = {"tempo": rate, "first": float(result.first), "metre": result.metre, "confidence": result.confidence}
        parts = [{**asdict(part), "start": float(part.start)} for part in sections_of(song, result)]
        times = [float(time) for time in result.times]
        print_json({**grid, "octaves": others, "sections": parts, "times": times})
        return
    show(f"tempo\t{'changes' if rate is None else f'{rate:g}'}\nfirst downbeat\t{clock(result.first)}")
    show(f"metre\t{result.metre}\nconfidence\t{result.confidence:.0%}")
    if others:  # their evidence beside that of the tempo that was taken
        show("or\t" + ", ".join(f"{other['tempo']:g} ({other['evidence']:.0%} of its evidence)" for other in others))
    for phrase in result.phrases:
        bars = f"{phrase.bars} bar{'s' * (phrase.bars > 1)}"
        show(f"bar {phrase.bar + 1}\t{clock(phrase.start)}\t{bars}\tenergy {phrase.energy:.0%}")
