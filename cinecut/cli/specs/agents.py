"""The command for programs that edit: mcp."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.parameters import argument, flag
from cinecut.diagnostics import Stop

app = typer.Typer()


@app.command()
def mcp(
    places: Annotated[list[Path], argument("SPEC|FOLDER...", "The specs that may be used, or folders with them.")],
    allow_edits: Annotated[
        bool, flag("--allow-edits", "Also offer the tools that change specs. Default: read-only.")
    ] = False,
) -> None:
    """Serve specs to a program or a model over the Model Context Protocol, on standard input and output.

    It offers the verbs of `cinecut edit`, the timeline, the findings of `check`, pictures of cuts, and drafts.
    Apart from the media that a spec uses, no other file is read or written. Needs the extra `mcp`.

    Example: cinecut mcp specs --allow-edits
    """
    try:
        from cinecut.agents.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise Stop("option", "the Model Context Protocol needs a package", "pip install 'cinecut[mcp]'") from None
    serve(places, allow_edits)
