"""The command about genres: vibes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.parameters import FFmpegOption, ForceOption, JsonOption, argument, completing, option
from cinecut.cli.terminal import check_ending, check_free, print_json, print_table, show, watch
from cinecut.diagnostics import Stop

if TYPE_CHECKING:
    from cinecut.vibes import Vibe

app = typer.Typer()


@app.command()
def vibes(
    name: Annotated[
        str | None,
        argument(
            "[NAME]", "A vibe's name, or a file of your own, to show in full.", autocompletion=completing("vibes:names")
        ),
    ] = None,
    still: Annotated[
        str | None, option("--still", "FILM@TIME", "Draw a frame of the film before and after the vibe's look.")
    ] = None,
    output: Annotated[
        Path | None, option("-o --output", "FILE", "The picture's file: .png or .jpg. Default: FILM_NAME_TIME.png.")
    ] = None,
    force: ForceOption = False,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the vibes (genres that a trailer can be cut for), or how a frame of a film looks in one.

    A file of your own contains only the differences: {vibe: 1, base: thriller, grade: {saturation: 0.6}}.

    Examples: cinecut vibes    |    cinecut vibes thriller    |    cinecut vibes mine.yaml --still film.mkv@1:02:11
    """
    from cinecut.vibes import load_vibe, names

    listed = [load_vibe(name)] if name else [load_vibe(known) for known in names()]
    if still is not None:
        target = output or Path(_still_name(still, listed[0].name if name else "vibes"))
        _draw(listed, still, target, force, ffmpeg)
        if as_json:
            print_json({"still": str(target)})
        else:
            show(str(target))
    elif output is not None:
        raise Stop("option", "-o is the file of a still, which needs --still", "--still FILM@TIME asks for one")
    elif as_json:
        print_json([_record(vibe) for vibe in listed], default=float)
    elif name:
        print_table(["", listed[0].name], [[k, _words(v)] for k, v in _record(listed[0]).items() if k != "name" and v])
    else:
        rows = [
            [v.name, "/".join(map(str, v.pace)), str(v.likely_tempo), f"{float(v.dialogue):.0%}", v.about]
            for v in listed
        ]
        print_table(["vibe", "beats a shot", "tempo", "spoken", ""], rows)


def _record(vibe: Vibe) -> dict[str, Any]:
    from cinecut.grade import NEUTRAL
    from cinecut.vibes import changes

    base = {"base": vibe.base} if vibe.base != vibe.name else {}
    return {
        "name": vibe.name,
        **base,
        "about": vibe.about,
        "pace": dict(zip(("act 1", "act 2", "act 3"), vibe.pace, strict=True)),
        "shots in 90 s": dict(zip(("least", "most"), vibe.shots, strict=True)),
        "dialogue": vibe.dialogue,
        "taste": vibe.taste,
        "lines": vibe.lines,
        "transitions": {"usual": vibe.usual, "acts": vibe.acts},
        "tempo": {"likely": vibe.likely_tempo, "least": vibe.tempo[0], "most": vibe.tempo[1]},
        "loudness": vibe.loudness,
        "music": list(vibe.music),
        "effects": dict(vibe.effects),
        "pulse": vibe.pulse,
        "titles": asdict(vibe.titles),
        "grade": changes(vibe.grade, NEUTRAL),
    }


def _words(value: Any) -> str:
    match value:
        case dict():
            parts = [f"{k} ({_words(v)})" if isinstance(v, dict) else f"{k} {_words(v)}" for k, v in value.items()]
            return ", ".join(parts)
        case list():
            return " ".join(map(_words, value))
        case float() | Fraction():
            return f"{float(value):g}"
        case _:
            return str(value)


def _still_name(still: str, name: str) -> str:
    film, _, at = still.rpartition("@")
    return f"{Path(film).stem}_{name}_{at.strip().replace(':', '.')}.png"


def _draw(vibes: Sequence[Vibe], still: str, target: Path, force: bool, ffmpeg: str | None) -> None:
    film, _, at = still.rpartition("@")
    if not film or not at:
        raise Stop("option", f"--still {still}: it takes a film and a time", "--still film.mkv@1:02:11.5")
    check_ending(target, "a picture", ".png", ".jpg", ".jpeg")
    if not target.parent.is_dir():
        raise Stop("output", f"there is no folder {target.parent}", "create it first, or choose another with -o")
    check_free(target, force, "--force replaces it, -o names another")
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.review.still import draw_still

    build = find_ffmpeg(ffmpeg)
    with watch("Drawing") as watching:
        draw_still(Path(film), at, {vibe.name: vibe.grade for vibe in vibes}, target, build, watching.waiting)
