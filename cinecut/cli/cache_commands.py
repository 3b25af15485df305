"""The command that shows what is kept on disk, and clears it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cinecut.cli.terminal import JsonOption, print_table, say
from cinecut.files import cache_folder

app = typer.Typer()

_KEPT = {
    "render": "segments, sounds and shots of trailers, so that an edit renders what is new",
    "analysis": "what was found in films",
    "music": "fetched songs",
}


@app.command()
def cache(
    clear: Annotated[
        list[str] | None, typer.Option("--clear", metavar="NAME", help=f"Remove one: {', '.join(_KEPT)}. Repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is kept to save work, and how much room it takes; or clear it. All of it can be made again.

    Example: cinecut cache --clear render
    """
    from cinecut.diagnostics import Stop
    from cinecut.render.store import room_of

    for name in clear or ():
        if name not in _KEPT:
            raise Stop("option", f"--clear {name}: there is no such cache", f"there are {', '.join(_KEPT)}")
    for name in clear or ():
        shutil.rmtree(cache_folder() / name)
