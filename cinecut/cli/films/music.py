"""The commands about the music that was fetched: music list, music replace, music clear."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinecut.cli.parameters import JsonOption, argument, option
from cinecut.cli.terminal import print_diagnostics, print_json, print_table, show, watch
from cinecut.language.timebase import clock

if TYPE_CHECKING:
    from cinecut.diagnostics import Diagnostic
    from cinecut.library.songs import SongMatch
    from cinecut.render.job import Watch
    from cinecut.vibes import Vibe

app = typer.Typer(name="music", no_args_is_help=True, help="Free music that was downloaded, one song for each vibe.")

JamendoIdOption = Annotated[
    str | None,
    option(
        "--jamendo-id",
        "ID",
        "Your client id of the Jamendo API; https://devportal.jamendo.com gives one for free.",
        envvar="JAMENDO_CLIENT_ID",
    ),
]

MusicOption = Annotated[
    str | None,
    option(
        "--music",
        "FILE|jamendo",
        "The song to cut to; `jamendo` fetches a free one for the vibe, once.",
        autocompletion=lambda incomplete: [JAMENDO] if incomplete and JAMENDO.startswith(incomplete) else [],
    ),
]
TempoOption = Annotated[
    str | None,
    option(
        "--tempo",
        "BPM",
        "Beats a minute: which of a song's tempi to count, itself, half or double; or of a trailer without music. "
        "Default: what the vibe expects.",
    ),
]
JAMENDO = "jamendo"  # `./jamendo` names a file


def find_song(
    wanted: str | None, client_id: str | None, vibe: Vibe, watching: Watch
) -> tuple[Path | None, str | None, list[Diagnostic]]:
    """The song to use, and its credit if it was fetched from Jamendo with this client id. If nothing could be fetched,
    a warning says why."""
    if wanted != JAMENDO:
        return (None if wanted is None else Path(wanted)), None, []
    from cinecut.library.jamendo import try_fetch

    fetched, warnings = try_fetch(vibe, client_id, progress=lambda what, done, of: watching.stage(what, done, of, None))
    return (fetched.file, str(fetched.credit), warnings) if fetched is not None else (None, None, warnings)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the songs in the cache, with their artists and licences.

    Example: cinecut music list
    """
    from cinecut.library.songs import songs

    kept = songs()
    used = {song.vibe: song for song in kept}  # the last of each vibe
    if as_json:
        print_json([_record(song, song is used[song.vibe]) for song in kept])
    elif kept:
        head = ["vibe", "", "title", "artist", "licence", "length", "file"]
        print_table(head, [_row(song, song is used[song.vibe]) for song in kept])
    else:
        print("no music is kept")


def _row(song: SongMatch, used: bool) -> list[str]:
    credit, length = song.credit, clock(song.seconds, 0)
    state = "in use" if used else "replaced"
    return [song.vibe, state, credit.title, credit.artist, credit.licence, length, str(song.file)]


def _record(song: SongMatch, used: bool) -> dict[str, Any]:
    about = {"vibe": song.vibe, "in use": used, **asdict(song.credit), "seconds": round(float(song.seconds), 3)}
    return {**about, "file": str(song.file), "sha256": song.sha256}


@app.command()
def replace(
    vibe: Annotated[str, argument("VIBE", "The vibe that gets another song.")],
    jamendo_id: JamendoIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download another song for a vibe, one that it has not had before.

    The previous song stays in the cache, because specs may use it.

    Example: cinecut music replace thriller
    """
    from cinecut.library.jamendo import cautions, fetch
    from cinecut.vibes import load_vibe

    chosen = load_vibe(vibe)
    with watch("Fetching") as watching:
        fetched = fetch(
            chosen, jamendo_id, progress=lambda what, done, total: watching.stage(what, done, total, None), another=True
        )
    print_diagnostics(cautions(fetched))
    if as_json:
        print_json(_record(fetched, True))
    else:
        show(f"{fetched.file}: {fetched.credit}")


@app.command()
def clear(
    vibe: Annotated[str | None, argument("[VIBE]", "Only this vibe's songs.")] = None,
) -> None:
    """Delete the songs in the cache. A spec that uses one of them cannot be rendered without it.

    Examples: cinecut music clear    |    cinecut music clear horror
    """
    from cinecut.library.songs import clear
    from cinecut.vibes import load_vibe

    gone = clear(load_vibe(vibe).name if vibe else None)
    show(f"{len(gone)} song{'s' if len(gone) != 1 else ''} deleted")
