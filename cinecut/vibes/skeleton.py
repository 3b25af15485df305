"""The skeletons: the order of a trailer's parts, each a data file that a vibe chooses; and the user's own, by files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

from cinecut.diagnostics import Report, Stop
from cinecut.language.document import plain
from cinecut.language.schema import SKELETON, check_document, chosen_file, names_in, root_of

TEASER = "teaser"  # for a trailer that is too short for acts
_FOLDER = Path(__file__).resolve().parent / "skeletons"


@dataclass(frozen=True, slots=True)
class SkeletonPart:
    """A part of a trailer: shots, a black, or a card. Shares are of the trailer's length."""

    act: str
    share: Fraction  # of a black too
    kind: Literal["shots", "black", "card"]
    text: str = ""  # of a card: title, tagline, release or credits
    words: str = ""  # of the same, once they are known
    over: bool = False  # whether they stand over a picture
    silent: bool = False  # whether the music stops during this black
    pace: int = 0  # which of the vibe's three paces
    shape: Literal["even", "quickening", "one"] = "even"
    wants: tuple[str, ...] = ("shot",)
    zones: tuple[str, ...] = ("begin", "escalation")
    lines: Fraction = Fraction(0)  # a factor on the vibe's share of spoken shots
    level: int = 0  # dB of the film's own sound


@dataclass(frozen=True, slots=True)
class Skeleton:
    """`order` is how much the shots of an act keep the order of the film, 0 to 1; `file` is where it is read from."""

    name: str
    about: str
    order: Fraction
    parts: tuple[SkeletonPart, ...]
    file: Path

    @property
    def choice(self) -> str:
        """What `load_skeleton` takes for it, from whatever folder."""
        return self.file.stem if self.file.parent == _FOLDER else str(self.file.absolute())


def skeleton_names() -> list[str]:
    return names_in(_FOLDER)


@cache
def load_skeleton(choice: str) -> Skeleton:
    """A skeleton by its name, or the user's own by its file, NAME.yaml. Raises Stop with the nearest name if there is
    none."""
    return read_skeleton(chosen_file(choice, SKELETON, _FOLDER, Path(choice)))


def read_skeleton(path: Path) -> Skeleton:
    """A skeleton from a file, checked by schemas/skeleton-1.schema.json. Raises Stop with everything that is wrong."""
    report = Report()
    root = root_of(path, SKELETON, "{skeleton: 1, parts: …}", report)
    check_document(root, SKELETON, {}, report)
    report.stop_on_error()
    data = plain(root)
    parts = tuple(_part(entry) for entry in data["parts"])
    if not any(part.kind == "shots" for part in parts):
        raise Stop("option", f"{path} has no shots", "give one of its parts a `share` alone")
    return Skeleton(data.get("name") or path.stem, data["about"], Fraction(data.get("order", "1/2")), parts, path)


def _part(entry: Mapping[str, Any]) -> SkeletonPart:
    wants = entry.get("want", "shot")
    kind: Literal["shots", "black", "card"] = "black" if "black" in entry else "card" if "card" in entry else "shots"
    return SkeletonPart(
        act=entry["act"],
        share=Fraction(entry.get("black", entry.get("share", "1/20"))),
        kind=kind,
        text=entry.get("card", ""),
        over=entry.get("over", False),
        silent=entry.get("silent", False),
        pace=int(entry.get("pace", "act_1")[-1]) - 1,
        shape=entry.get("shape", "even"),
        wants=(wants,) if isinstance(wants, str) else tuple(wants),
        zones=tuple(entry.get("zones", ("begin", "escalation"))),
        lines=Fraction(entry.get("lines", 0)),
        level=int(entry.get("level", 0)),
    )
