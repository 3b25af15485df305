"""The commands about a film's shots: shots, scenes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.films.options import ModelChoice, NoModelsOption, ServerOption, UrlOption
from cinecut.cli.films.speech import LanguageOption
from cinecut.cli.terminal import ForceOption, JsonOption, may_replace, print_diagnostics, print_table, watch
from cinecut.diagnostics import Stop

app = typer.Typer()


@app.command()
def shots(
    film: Annotated[Path, typer.Argument(metavar="FILM", help="The film: mkv, mp4, mov, avi, webm, ts, …")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the list: .csv, .json or .otio.")
    ] = None,
    stills: Annotated[
        Path | None, typer.Option("--stills", metavar="FOLDER", help="Write a small picture of each shot into it.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print every shot of a film: its times and frames, how it begins, and what no trailer should use.

    A shot begins with a cut, a dissolve (or wipe) or a fade; the pictures of a gradual cut belong to no shot. Black,
    blank pictures, titles and credits are named.

    Example: cinecut shots film.mkv -o film.otio --stills stills
    """
    if output is not None and output.suffix.lower() not in (".csv", ".json", ".otio"):
        raise Stop("output", f"{output} is no name for a list of shots: it ends with .csv, .json or .otio")
    for target in (output, stills):
        occupied = target is not None and os.path.lexists(target) and (target is output or any(target.iterdir()))
        if occupied and not force and not may_replace(Path(str(target))):
            raise Stop("output", f"{target} is there already", "--force replaces it")
    from cinecut.analysis.cache import Cache
    from cinecut.analysis.facts import FACTS
    from cinecut.analysis.film.shots import SHOTS
    from cinecut.analysis.stage import Line
    from cinecut.files import fingerprint
    from cinecut.interchange import shot_list

    with watch("Looking") as watching:
        line = Line(Cache(fingerprint(film)), lambda stage, done: watching.stage(stage, round(100 * done), 100, None))
        facts = line.run(FACTS, film)
        found = line.run(SHOTS, film, facts)
        if stills is not None:
            shot_list.write_stills(film, facts, found.shots, stills, lambda done: line.progress("stills", done))
    listed = shot_list.rows(found.shots, facts)
    print_diagnostics(list(found.diagnostics))
    text = json.dumps(listed, ensure_ascii=False)
    if output is not None:
        written = {".csv": lambda: shot_list.as_csv(listed), ".json": lambda: text + "\n"}
        end = output.suffix.lower()
        content = shot_list.as_otio(film, facts, found.shots) if end == ".otio" else written[end]()
        shot_list.write_file(output, content, film)
    if as_json:
        print(text)
    elif output is None:
        print_table(list(listed[0]), [[str(cell) for cell in row.values()] for row in listed])
    else:
        print(f"{output}: {len(listed)} shots")


@app.command()
def scenes(
    film: Annotated[Path, typer.Argument(metavar="FILM", help="The film: mkv, mp4, mov, avi, webm, ts, …")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the list: .csv or .json.")
    ] = None,
    language: LanguageOption = None,
    llama_server: ServerOption = None,
    llm_url: UrlOption = None,
    no_models: NoModelsOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print what every usable shot of a film shows: how it looks, its lines, and its scene where a model describes it.

    Looks are measured: light, faces, movement, loudness, length, speech. What was found out once is not done again.

    Example: cinecut scenes film.mkv -o film.csv
    """
    if output is not None and output.suffix.lower() not in (".csv", ".json"):
        raise Stop("output", f"{output} is no name for a list of scenes: it ends with .csv or .json")
    if output is not None and os.path.lexists(output) and not force and not may_replace(output):
        raise Stop("output", f"{output} is there already", "--force replaces it")
    from cinecut.catalogue.listing import rows
    from cinecut.catalogue.look import Wish, look_at
    from cinecut.diagnostics import Diagnostic
    from cinecut.interchange import shot_list

    with watch("Looking") as watching:
        models = ModelChoice(llama_server, llm_url, no_models).open(watching.waiting)
        found = look_at(
            film,
            Wish(language, not no_models),
            models,
            lambda stage, done: watching.stage(stage, round(100 * done), 100, None),
        )
    listed = rows(found)
    print_diagnostics([Diagnostic("film", warning) for warning in found.warnings])
    text = json.dumps(listed, ensure_ascii=False)
    if output is not None:
        content = shot_list.as_csv(listed) if output.suffix.lower() == ".csv" else text + "\n"
        shot_list.write_file(output, content, film)
    if as_json:
        print(text)
    elif output is None:
        print_table(list(listed[0]), [[str(cell) for cell in row.values()] for row in listed])
    else:
        print(f"{output}: {len(listed)} shots")
