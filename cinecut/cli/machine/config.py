"""The command about defaults of one's own: config."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.parameters import JsonOption, argument
from cinecut.cli.terminal import print_json, print_table, show

app = typer.Typer()


@app.command()
def config(
    spec: Annotated[
        Path | None,
        argument(
            "[SPEC|FOLDER]", "The defaults for this spec, or for specs in this folder. Default: the current folder."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the defaults that are set (vibe, output, music, jobs, language, ffmpeg, models), each with its file.

    In order of precedence: an option; the environment; cinecut.toml, or the table tool.cinecut of pyproject.toml,
    in the spec's folder or one above it; the user's own file.

    Example: cinecut config specs/film.yaml
    """
    from cinecut.config import KEYS, defaults, file_beside, user_file

    folder = Path() if spec is None else spec if spec.is_dir() else spec.parent
    own = defaults(folder)
    files = [user_file(), *([file] if (file := file_beside(folder)) else [])]
    if as_json:
        values = {name: {"value": own[name].value, "where": own[name].where} if name in own else None for name in KEYS}
        print_json({"files": [str(file) for file in files if file.is_file()], "defaults": values})
        return
    rows = []
    for name, key in KEYS.items():
        value, where = (own[name].shown, own[name].where) if name in own else ("", "not set")
        rows.append([name, value, where, key.variable, key.about])
    print_table(["default", "value", "set in", "environment", "what it is"], rows)
    show(f"your file: {files[0]}" + ("" if files[0].is_file() else " (not there)"))
