"""The commands about a film's shots: shots, scenes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinecut.cli.films.options import NoModelsOption, ServerOption, UrlOption, open_models
from cinecut.cli.films.speech import LanguageOption, RateOption, ShiftOption, SubtitlesOption, rate_of, shift_of
from cinecut.cli.parameters import ForceOption, JsonOption, argument, option
from cinecut.cli.terminal import check_ending, check_free, print_diagnostics, print_json, print_table, show, watch
from cinecut.diagnostics import Stop

if TYPE_CHECKING:
    from cinecut.interchange.shot_list import Row

app = typer.Typer()

FilmArgument = Annotated[Path, argument("FILM", "The film: mkv, mp4, mov, avi, webm, ts, …")]


@app.command()
def shots(
    film: FilmArgument,
    output: Annotated[Path | None, option("-o --output", "FILE", "Write the list: .csv, .json or .otio.")] = None,
    stills: Annotated[
        Path | None, option("--stills", "FOLDER", "Write a thumbnail of each shot into this folder.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """List every shot of a film: its times and frames, how it begins, and why no trailer should use it, if so.

    A shot begins with a cut, a dissolve (or wipe) or a fade; the pictures of a gradual cut belong to no shot. Black,
    blank pictures, titles and credits are named.

    Example: cinecut shots film.mkv -o film.otio --stills stills
    """
    check_ending(output, "a list of shots", ".csv", ".json", ".otio")
    check_free(output, force, "--force replaces it, -o names another")
    if stills is not None and os.path.lexists(stills) and any(stills.iterdir()) and not force:
        raise Stop("output", f"{stills} is there already", "--force replaces it")
    from cinecut.analysis.cache import Cache
    from cinecut.analysis.facts import FACTS
    from cinecut.analysis.film.shots import SHOTS
    from cinecut.analysis.stage import StageRunner
    from cinecut.files import check_writable, fingerprint
    from cinecut.interchange import shot_list

    if stills is not None:
        check_writable(stills / "shot_001.jpg")
    with watch("Looking") as watching:
        line = StageRunner(Cache(fingerprint(film)), watching.share)
        facts = line.run(FACTS, film)
        detected = line.run(SHOTS, film, facts)
        if stills is not None:
            shot_list.write_stills(film, facts, detected.shots, stills, lambda done: line.progress("stills", done))
    listed = shot_list.rows(detected.shots, facts)
    print_diagnostics(list(detected.diagnostics))
    _hand_over(listed, film, output, as_json, lambda: shot_list.as_otio(film, facts, detected.shots))


@app.command()
def scenes(
    film: FilmArgument,
    output: Annotated[Path | None, option("-o --output", "FILE", "Write the list: .csv or .json.")] = None,
    subtitles: SubtitlesOption = None,
    subtitles_shift: ShiftOption = None,
    subtitles_rate: RateOption = None,
    language: LanguageOption = None,
    llama_server: ServerOption = None,
    llm_url: UrlOption = None,
    no_models: NoModelsOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """List every usable shot of a film with its look, its lines, and a description if a model is installed.

    Light, faces, movement, loudness, length and speech are measured. Results are cached.

    Example: cinecut scenes film.mkv -o film.csv
    """
    check_ending(output, "a list of scenes", ".csv", ".json")
    check_free(output, force, "--force replaces it, -o names another")
    from cinecut.catalogue.look import LookOptions, look_at, rows

    wish = LookOptions(language, not no_models, subtitles, shift_of(subtitles_shift), rate_of(subtitles_rate))
    with watch("Looking") as watching:
        models = open_models(llama_server, llm_url, no_models, watching.waiting)
        looked = look_at(film, wish, models, watching.share)
    listed = rows(looked)
    print_diagnostics(list(looked.warnings))
    _hand_over(listed, film, output, as_json)


def _hand_over(
    listed: Sequence[Row], film: Path, output: Path | None, as_json: bool, as_otio: Callable[[], bytes] = bytes
) -> None:
    """Write a list into the file that was asked for, or print it."""
    from cinecut.files import write_beside
    from cinecut.interchange.shot_list import as_csv

    if output is not None:
        end = output.suffix.lower()
        content = (
            as_otio()
            if end == ".otio"
            else as_csv(listed)
            if end == ".csv"
            else json.dumps(listed, ensure_ascii=False) + "\n"
        )
        write_beside(output, content, [film])
    if as_json:
        print_json(listed)
    elif output is None:
        print_table(list(listed[0]), [[str(cell) for cell in row.values()] for row in listed])
    else:
        show(f"{output}: {len(listed)} shots")
