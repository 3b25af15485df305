"""The command that plays a draft while its spec is edited: watch."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cinecut.cli.films.report import show_page
from cinecut.cli.parameters import FFmpegOption, SpecArgument, flag, option
from cinecut.cli.terminal import show
from cinecut.diagnostics import Report

app = typer.Typer()


@app.command()
def watch(
    spec: SpecArgument,
    port: Annotated[int, option("--port", "N", "Default: any free port.", min=0, max=65535)] = 0,
    browser: Annotated[bool, flag("--browser/--no-browser", "Open the page, where there is a desktop.")] = True,
    ffmpeg: FFmpegOption = None,
) -> None:
    """Play a draft of the trailer on a web page, updated whenever the spec, the film, the song or a LUT changes.

    The page can also edit the spec: in and out points, order, lengths, titles, levels. Only this machine can open
    it. Ctrl-C ends it.

    Example: cinecut watch specs/film.yaml
    """
    from cinecut.ffmpeg.builds import find_ffmpeg
    from cinecut.language.document import read_document
    from cinecut.watch.server import serve

    read_document(spec, Report())  # what is missing, or no text, is said at once

    def ready(address: str) -> None:
        show(address)
        sys.stdout.flush()
        if browser:
            show_page(address)

    serve(spec, find_ffmpeg(ffmpeg), port, ready)
