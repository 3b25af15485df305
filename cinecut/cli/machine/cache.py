"""The command that shows what is kept on disk to save work, and clears it."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.parameters import JsonOption, completing, option
from cinecut.cli.terminal import print_json, print_table
from cinecut.diagnostics import Stop

app = typer.Typer()

_KEPT = {
    "render": "segments, sounds and shots of trailers: an edit renders what is new",
    "analysis": "what was found in films",
    "known": "what check, sheet and recut know of films, and the specs that analyze wrote",
    "music": "fetched songs",
}


@app.command()
def cache(
    clear: Annotated[
        list[str] | None,
        option("--clear", "NAME", f"Empty one: {', '.join(_KEPT)}. Repeatable.", autocompletion=completing(_KEPT)),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the caches and their sizes, or clear them. Everything in them can be made again.

    Example: cinecut cache --clear render
    """
    import shutil

    from cinecut.files import cache_folder, disk_errors

    for name in clear or ():
        if name not in _KEPT:
            raise Stop("option", f"--clear {name}: there is no such cache", f"there are {', '.join(_KEPT)}")
    for name in clear or ():
        if (folder := cache_folder() / name).is_dir():
            with disk_errors(folder):
                shutil.rmtree(folder)
    kinds = {name: _sizes(cache_folder() / name) for name in _KEPT}
    if as_json:
        records = {name: {"files": len(sizes), "bytes": sum(sizes)} for name, sizes in kinds.items()}
        print_json({"folder": str(cache_folder()), **records})
        return
    rows = [[name, f"{sum(sizes) / 1e6:.1f} MB", str(len(sizes)), _KEPT[name]] for name, sizes in kinds.items()]
    print_table(["cache", "size", "files", "holds"], rows)


def _sizes(folder: Path) -> list[int]:
    """The sizes of all files below a folder. Others come and go meanwhile."""
    sizes = list[int]()
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if stat.S_ISREG((status := file.lstat()).st_mode):
                sizes.append(status.st_size)
    return sizes
