"""The vibes: 18 genres, each a data file on how a trailer of it is cut; and the user's own vibes, files that name what
differs from one of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

from cinecut.diagnostics import Report
from cinecut.grade import Grade
from cinecut.language.document import MapNode, Node, Scalar, plain, read_document
from cinecut.language.schema import VIBE, check_document, chosen_file, names_in, root_of
from cinecut.language.spec import VibeChoice

DEFAULT = "drama"  # if the user chose none: the genre whose pace and levels suit any film
_FOLDER = Path(__file__).resolve().parent


Animation = Literal["none", "fade", "track-out", "rise", "flicker"]


@dataclass(frozen=True, slots=True)
class TitleStyle:
    """The look of a trailer's texts. The defaults are those of schemas/vibe-1.schema.json."""

    face: str = "Open Sans Semibold"  # full name of a face that comes with cinecut
    size: Fraction = Fraction(1)  # a factor, since some faces look larger than others of the same height
    tracking: Fraction = Fraction(0)  # between letters, in em
    color: str = "#FFFFFF"
    case: Literal["as written", "capitals"] = "as written"
    edge: Literal["outline", "shadow"] = "outline"  # what separates the letters from the picture behind them
    animation: Animation = "none"

    def cased(self, text: str) -> str:
        """The text in the style's letter case."""
        return text.upper() if self.case == "capitals" else text

    def merged(self, over: Mapping[str, Any]) -> TitleStyle:
        """This style with the values of `over`, which the schema has checked, in place of its own."""
        exact = {key: Fraction(str(over[key])) for key in ("size", "tracking") if key in over}
        return replace(self, **{**over, **exact})


PLAIN = TitleStyle()


@dataclass(frozen=True, slots=True)
class Vibe:
    """How a genre is cut. Pace in beats a shot, tempo in beats a minute, loudness in LUFS."""

    name: str
    base: str  # the genre that a spec names; a genre's own name
    about: str
    pace: tuple[int, int, int]  # acts 1, 2, 3
    shots: tuple[int, int]  # least and most in 90 seconds
    dialogue: Fraction  # share of acts 1 and 2
    taste: Mapping[str, Fraction]  # which shots it prefers: a weight for each signal
    lines: Mapping[str, Fraction]  # which lines it prefers: a weight for each emotion
    skeleton: str  # the name of the one that it usually has
    usual: str  # transition between the shots of acts 1 and 2
    acts: str  # transition between acts
    tempo: tuple[int, int]  # least and most
    likely_tempo: int
    loudness: int
    music: tuple[str, ...]
    grade: Grade
    effects: Mapping[str, str]  # the sound effect of each kind of cut
    pulse: str
    titles: TitleStyle


def names() -> list[str]:
    return names_in(_FOLDER)


def load_vibe(choice: str) -> Vibe:
    """A genre by its name, or the user's own vibe by its file, NAME.yaml. Raises Stop with the nearest name if there is
    none."""
    file = chosen_file(choice, VIBE, _FOLDER, Path(choice))
    return _genre(file) if file.parent == _FOLDER else read_vibe(file)


@cache
def usual_taste() -> Mapping[str, Fraction]:
    """The mean of all genres' tastes."""
    usual: dict[str, Fraction] = {}
    for taste in (load_vibe(name).taste for name in names()):
        for signal, liking in taste.items():
            usual[signal] = usual.get(signal, Fraction(0)) + liking / len(names())
    return usual


def vibe_of(choice: VibeChoice | None) -> Vibe | None:
    """The vibe that a spec chooses, with the spec's own changes; None if it chooses none."""
    if choice is None:
        return None
    vibe = load_vibe(choice.base)
    return replace(
        vibe,
        grade=vibe.grade.merged(choice.grade or {}),
        titles=vibe.titles.merged(choice.titles or {}),
        loudness=vibe.loudness if choice.loudness is None else choice.loudness,
    )


def differences(vibe: Vibe) -> dict[str, Any]:
    """What a spec must state besides the vibe's base to give the trailer this vibe's look and sound: plain values of
    `grade`, `titles`, `loudness` and `effects`."""
    base = load_vibe(vibe.base)
    differing = {
        "grade": changes(vibe.grade, base.grade),
        "titles": changes(vibe.titles, base.titles),
        "loudness": vibe.loudness if vibe.loudness != base.loudness else None,
        "effects": {kind: effect for kind, effect in vibe.effects.items() if effect != base.effects[kind]},
    }
    return {key: value for key, value in differing.items() if value}


def changes(record: Any, base: Any) -> dict[str, Any]:
    """The fields of a record that differ from the base's, as a file writes them."""
    differing: dict[str, Any] = {}
    for item in fields(record):
        value, other = getattr(record, item.name), getattr(base, item.name)
        if value == other:
            continue
        if is_dataclass(value):
            differing[item.name] = changes(value, other)
        elif isinstance(value, tuple):
            differing[item.name] = value[0] if len(set(value)) == 1 else list(value)
        else:
            differing[item.name] = value
    return differing


def read_vibe(path: Path) -> Vibe:
    """A vibe from a file, checked by schemas/vibe-1.schema.json. Raises Stop with everything that is wrong."""
    report = Report()
    root = _with_base(root_of(path, VIBE, "{vibe: 1, base: thriller, …}", report))
    check_document(root, VIBE, {}, report)
    if report.ok:
        _check_order(root, report)
    report.stop_on_error()
    return _filled(plain(root), path)


_genre = cache(read_vibe)


def _with_base(root: Node) -> Node:
    """The file's tree, completed from the genre that it names as its base."""
    base = root.get("base") if isinstance(root, MapNode) else None
    if not isinstance(root, MapNode) or not isinstance(base, Scalar) or base.value not in names():
        return root
    below = read_document(_FOLDER / f"{base.value}.yaml", Report()).root
    assert isinstance(below, MapNode)
    own = {key: node for key, node in below.entries.items() if key not in ("vibe", "name")}
    return _merged(root, replace(below, entries=own))


def _merged(over: MapNode, below: MapNode) -> MapNode:
    """Two trees as one: mappings are merged key by key; anything else, and every position, is taken from `over`."""
    entries = dict(below.entries)
    for key, node in over.entries.items():
        under = below.get(key)
        if isinstance(node, MapNode) and isinstance(under, MapNode):
            node = _merged(node, under)
        entries[key] = node
    return replace(over, entries=entries, keys={**over.keys, **below.keys, **over.keys})


_RISING = {"tempo": ("least", "likely", "most"), "shots": ("least", "most")}


def _check_order(root: Node, report: Report) -> None:
    assert isinstance(root, MapNode)
    for key, steps in _RISING.items():
        record = plain(root.entries[key])
        figures = [record[step] for step in steps]
        if figures != sorted(figures):
            listed = ", ".join(f"{step} {figure}" for step, figure in zip(steps, figures, strict=True))
            report.add("wrong-value", f"`{key}` must not fall: {listed}", root.keys[key])


def _filled(data: Mapping[str, Any], path: Path) -> Vibe:
    pace, shots, tempo = data["pace"], data["shots"], data["tempo"]
    name, base = data.get("name") or _name_of(path), data.get("base")
    return Vibe(
        name=name or str(base),
        base=base or (name if name in names() else DEFAULT),
        about=data["about"],
        pace=(pace["act_1"], pace["act_2"], pace["act_3"]),
        shots=(shots["least"], shots["most"]),
        dialogue=Fraction(data["dialogue"]),
        taste={name: Fraction(str(weight)) for name, weight in data.get("taste", {}).items()},
        lines={name: Fraction(str(weight)) for name, weight in data.get("lines", {}).items()},
        skeleton=data.get("skeleton", "cold-open"),
        usual=data["transitions"]["usual"],
        acts=data["transitions"]["acts"],
        tempo=(tempo["least"], tempo["most"]),
        likely_tempo=tempo["likely"],
        loudness=data["loudness"],
        music=tuple(data["music"]),
        grade=Grade.of(data.get("grade", {})),
        effects=data["effects"],
        pulse=data["pulse"],
        titles=PLAIN.merged(data.get("titles", {})),
    )


def _name_of(path: Path) -> str:
    """A vibe's name made from its file's name; empty if that has too few letters."""
    name = re.sub(r"[^a-z]+", "-", path.stem.lower()).strip("-")[:31]
    return name if len(name) > 1 else ""
