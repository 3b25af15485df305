"""The vibes: 18 genres, each a data file that says how a trailer of it is cut."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Report, Stop
from cinecut.document import plain, read_document
from cinecut.schema import check_document

DEFAULT = "drama"  # where nobody chose: the genre whose pace and levels offend no film
_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Vibe:
    """How a genre is cut. Pace in beats a shot, tempo in beats a minute, loudness in LUFS."""

    name: str
    about: str
    pace: tuple[int, int, int]  # acts 1, 2, 3
    shots: tuple[int, int]  # least and most in 90 seconds
    dialogue: Fraction  # share of acts 1 and 2
    usual: str  # transition between the shots of acts 1 and 2
    acts: str  # transition between acts
    tempo: tuple[int, int]  # least and most
    likely_tempo: int
    loudness: int
    music: tuple[str, ...]


def names() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.yaml"))


@cache
def load_vibe(name: str) -> Vibe:
    """A vibe by its name. Raises Stop with the nearest name when there is none."""
    if name not in names():
        close = get_close_matches(name.lower(), names(), n=1)
        hint = f"did you mean {close[0]}?" if close else "`cinecut vibes` lists them"
        raise Stop("option", f"there is no vibe {name!r}", hint)
    return read_vibe(_FOLDER / f"{name}.yaml")


def read_vibe(path: Path) -> Vibe:
    """A vibe from a file, checked by schemas/vibe-1.schema.json. Raises Stop with everything that is wrong."""
    report = Report()
    document = read_document(path, report)
    if document.root is not None:
        check_document(document.root, "vibe-1", {}, report)
    report.stop_on_error()
    data: dict[str, Any] = plain(document.root)
    pace, shots, tempo = data["pace"], data["shots"], data["tempo"]
    return Vibe(
        name=data["name"],
        about=data["about"],
        pace=(pace["act_1"], pace["act_2"], pace["act_3"]),
        shots=(shots["least"], shots["most"]),
        dialogue=Fraction(data["dialogue"]),
        usual=data["transitions"]["usual"],
        acts=data["transitions"]["acts"],
        tempo=(tempo["least"], tempo["most"]),
        likely_tempo=tempo["likely"],
        loudness=data["loudness"],
        music=tuple(data["music"]),
    )
