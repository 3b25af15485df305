"""The command about deliveries: kits."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.parameters import FFmpegOption, JsonOption, argument, completing
from cinecut.cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from cinecut.kits import Kit


app = typer.Typer()


@app.command()
def kits(
    name: Annotated[
        str | None, argument("[KIT]", "A kit's name, or a file of your own.", autocompletion=completing("kits:names"))
    ] = None,
    file: Annotated[Path | None, argument("[FILE]", "A finished trailer to measure.")] = None,
    ffmpeg: FFmpegOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the delivery kits: the requirements of studios, channels and cinemas; or test a file against one.

    The status is 1 if the file does not meet the kit. A kit of your own: {kit: 1, about: my channel, sound: {peak:
    -3}}.

    Examples: cinecut kits    |    cinecut kits cinema    |    cinecut kits broadcast-r128-s1 trailer.mp4
    """
    from cinecut.kits import load_kit, names

    if name is None:
        rows = [[kit.name, kit.about] for kit in map(load_kit, names())]
        print_json(dict(rows)) if as_json else print_table(["kit", ""], rows)
        return
    kit = load_kit(name)
    if file is None:
        shown = _figures(kit)
        if as_json:
            print_json(shown)
        else:
            print_table(["", kit.name], [[key, _text(value)] for key, value in shown.items() if key != "name"])
        return
    from cinecut.delivery.judge import judged
    from cinecut.delivery.meters import measure
    from cinecut.ffmpeg.builds import find_ffmpeg

    verdicts = list(judged(kit, measure(file, find_ffmpeg(ffmpeg), leq=kit.leq_m is not None)))
    if as_json:
        print_json([asdict(each) for each in verdicts])
    else:
        print_table(
            ["figure", "asked", "found", ""],
            [[v.figure, v.asked, v.found, "kept" if v.kept else "missed"] for v in verdicts],
        )
    if not all(each.kept for each in verdicts):
        raise typer.Exit(1)


def _figures(kit: Kit) -> dict[str, Any]:
    """What a kit asks for, plain: without what it leaves open."""
    asked = {item.name: getattr(kit, item.name) for item in fields(kit) if getattr(kit, item.name) not in (None, ())}
    return {
        key: [_plain(each) for each in value] if isinstance(value, tuple) else value for key, value in asked.items()
    }


def _plain(value: object) -> Any:
    if is_dataclass(value):
        given = {item.name: getattr(value, item.name) for item in fields(value) if item.name != "place"}
        return {key: _plain(each) for key, each in given.items() if each is not None}
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return str(value) if isinstance(value, Fraction) else value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):
        return " ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
