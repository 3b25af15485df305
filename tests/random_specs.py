"""Random specs for hypothesis, over every field of every record, made from the schema; and a printer of bad manners."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from fractions import Fraction
from typing import Any
from unicodedata import category

from hypothesis import strategies as st

from cinecut.language.document import MapNode, Node, Scalar, children
from cinecut.language.document.layout import number_text, scalar_text
from cinecut.language.events import Alternative, Clip, Transition
from cinecut.language.formats import resolved, schema_of
from cinecut.language.read import defaults_of
from cinecut.language.spec import Anchor, Film, Spec
from cinecut.language.timebase import FilmTime, Length

WORDS = st.text(st.sampled_from("ab/.'\"\\:#, -~%{}[]()é日🎬\u00a0\t\n|>?&*!0159"), min_size=1, max_size=12) | st.text(
    st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20
)
DECIMALS = st.decimals(0, 5000, places=3).map(Fraction)
EXACT = st.fractions(0, 5000, max_denominator=1001)


def lengths(least: bool, shift: bool) -> st.SearchStrategy[Length]:
    amounts = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(4, 3)]) | DECIMALS
    amounts = amounts.filter(bool) if least else amounts
    amounts = st.builds(Fraction.__mul__, amounts, st.sampled_from([1, -1])) if shift else amounts
    return st.builds(Length, amounts, st.sampled_from(["s", "f", "beats", "bars"]))


def transitions(*kinds: str) -> st.SearchStrategy[Transition]:
    cut = st.just(Transition.parse("cut"))
    return cut | st.builds(Transition, kind=st.sampled_from(kinds), length=lengths(True, False))


FORMATS: dict[str, st.SearchStrategy[Any]] = {
    "film-time": st.builds(FilmTime, DECIMALS | EXACT),
    "trailer-length": lengths(True, False),
    "trailer-offset": lengths(False, False),
    "trailer-shift": lengths(False, True),
    "transition-from": transitions("crossfade", "dip to black", "dip to white", "fade in"),
    "transition-to": transitions("fade out"),
    "positive": EXACT.filter(bool),
    "exact": st.fractions(-100, 100, max_denominator=90000),
    "size": st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
    "frame-size": st.tuples(st.integers(8, 8000), st.integers(8, 8000)).map(lambda s: (2 * s[0], 2 * s[1])),
    "frame-rate": st.sampled_from([Fraction(24), Fraction(30000, 1001), Fraction(60)]),
    "file-name": WORDS.filter(str.strip),
    "shown-text": WORDS.filter(
        lambda text: not any(category(sign) == "Cc" for sign in text if sign not in "\t\n\r\x85")
    ),
}


def numbers(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    low, high = part.get("minimum", part.get("exclusiveMinimum", -1000)), part.get("maximum", 1000)
    high = part.get("exclusiveMaximum", high)
    if part["type"] == "integer":
        return st.integers(low, high)
    found = st.decimals(number_text(Fraction(low)), number_text(Fraction(high)), places=2).map(Fraction)
    return found.filter(lambda x: x != part.get("exclusiveMinimum") and x != part.get("exclusiveMaximum"))


def values(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What the schema takes at a place, as a Spec holds it."""
    if "const" in part:
        return st.just(part["const"])
    if "enum" in part:
        return st.sampled_from(part["enum"])
    if part.get("format") in FORMATS:
        return FORMATS[part["format"]]
    if part["type"] == "boolean":
        return st.booleans()
    if part["type"] in ("number", "integer"):
        return numbers(part)
    if "pattern" in part:
        return st.from_regex(part["pattern"].replace("$", r"\Z"), fullmatch=False)
    return WORDS.filter(lambda text: len(text) <= part.get("maxLength", 99))


@st.composite
def records(draw: st.DrawFn, cls: type) -> Any:
    """A record: what it must have, and some of what it may have."""
    schema, hints, defaults = schema_of(cls), typing.get_type_hints(cls), defaults_of(typing.cast(typing.Hashable, cls))
    found: dict[str, Any] = {}
    for item in dataclasses.fields(cls):
        key = item.name.rstrip("_")
        if key != "place":
            absent = key not in schema.get("required", ()) and draw(st.integers(0, 2)) > 0
            part = resolved(schema["properties"][key])
            if key == "film" and cls in (Clip, Alternative, Anchor):
                found[item.name] = draw(st.sampled_from([None, *FILM_NAMES]))
            elif key not in ("film", "films") or cls is not Spec:
                found[item.name] = defaults.get(key) if absent else draw(of_hint(hints[item.name], part))
    return with_films(draw, found) if cls is Spec else cls(**found)


FILM_NAMES = ("main", "making-of", "Größe_2.b")


def with_films(draw: st.DrawFn, found: dict[str, Any]) -> Spec:
    """A spec of one film, which no event names, or of several."""
    films = {name: draw(records(Film)) for name in (FILM_NAMES if draw(st.booleans()) else FILM_NAMES[:1])}
    if len(films) == 1:
        return typing.cast(Spec, nameless(Spec(**found, film=films["main"], films=None)))
    films = {name: dataclasses.replace(film, file=f"{film.file}.{name}") for name, film in films.items()}
    return Spec(**found, film=None, films=films)


def nameless(value: Any) -> Any:
    """A value without the names of films."""
    if isinstance(value, tuple):
        return tuple(map(nameless, value))
    if not dataclasses.is_dataclass(value) or isinstance(value, type | FilmTime | Length | Transition):
        return value
    inner = {item.name: nameless(getattr(value, item.name)) for item in dataclasses.fields(value)}
    names = {"film": None} if isinstance(value, Clip | Alternative | Anchor) else {}
    return dataclasses.replace(value, **{**inner, **names})


def of_hint(hint: Any, part: dict[str, Any]) -> st.SearchStrategy[Any]:
    inner = [option for option in typing.get_args(hint) if option is not type(None)]
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return st.one_of(*map(records, inner)) if len(inner) > 1 else of_hint(inner[0], part)
    if typing.get_origin(hint) is tuple and inner[1:] == [...]:
        least = max(1, part.get("minItems", 0))
        return st.lists(of_hint(inner[0], part.get("items", {})), min_size=least, max_size=least + 2).map(tuple)
    if typing.get_origin(hint) is collections.abc.Mapping and "$ref" not in part:
        return st.dictionaries(st.sampled_from(["fr", "pt-BR"]), values(part["additionalProperties"]), min_size=1)
    if typing.get_origin(hint) is collections.abc.Mapping:
        return st.sampled_from(GRADES if "grade" in part["$ref"] else TITLES)
    if dataclasses.is_dataclass(hint) and hint not in (FilmTime, Length, Transition):
        return records(typing.cast(type, hint))
    return DECIMALS if hint is Fraction and not part else values(part)


GRADES = [{"exposure": Fraction(-2, 5)}, {"saturation": 0, "strength": 1}, {"gain": [Fraction(9, 10), 1, 1]}]
TITLES = [{"face": "Roboto Mono", "color": "#FFD23F"}, {"size": Fraction(3, 2)}]


class Messy:
    """Prints a tree as nobody should: any order, any quotes, any breaks, comments wherever YAML takes them."""

    def __init__(self, random: Any) -> None:
        self.random = random
        self.count = 0

    def text(self, root: MapNode) -> str:
        return self.block(root, 0).lstrip("\n") + self.rows("a", 0)

    def rows(self, kind: str, indent: int) -> str:
        found = ""
        for _ in range(self.random.choice([0, 0, 0, 1, 2])):
            self.count += 1
            found += self.random.choice(["", "\n", "\n\n"]) + f"\n{' ' * indent}# {kind}{self.count};"
        return found

    def beside(self) -> str:
        if self.random.random() > 0.15:
            return ""
        self.count += 1
        return f"{self.random.choice([' ', '     '])}# b{self.count};"

    def block(self, node: Node, indent: int) -> str:
        found, steps = "", children(node)
        if isinstance(node, MapNode):
            self.random.shuffle(steps)
        for step, child in steps:
            found += self.rows("a", indent)
            head = f"{step}:" if isinstance(step, str) else "-"
            found += f"\n{' ' * indent}{head}{self.value(child, indent)}"
            found += self.rows("a", indent + self.random.choice([0, 2]))
        return found

    def value(self, node: Node, indent: int) -> str:
        if isinstance(node, Scalar):
            return f"{self.random.choice([' ', '  '])}{self.scalar(node)}{self.beside()}"
        if not children(node) or self.random.random() < 0.3:
            return f" {self.flow(node, indent)}{self.beside()}"
        return self.beside() + self.block(node, indent + self.random.choice([1, 2, 5]))

    def flow(self, node: Node, indent: int) -> str:
        if isinstance(node, Scalar):
            return self.scalar(node)
        gap = self.random.choice(["", " ", f"\n{' ' * (indent + 3)}", "# \n"])
        gap = f"{self.beside()}\n{' ' * (indent + 3)}" if gap == "# \n" else gap
        parts = [f"{step}: {self.flow(child, indent + 2)}" if isinstance(step, str) else self.flow(child, indent + 2)
                 for step, child in children(node)]  # fmt: skip
        inside = f",{gap} ".join(parts)
        return f"{{{gap}{inside}{gap}}}" if isinstance(node, MapNode) else f"[{gap}{inside}{gap}]"

    def scalar(self, node: Scalar) -> str:
        text: str = scalar_text(node.value, flow=True)
        if isinstance(node.value, str) and text == node.value and self.random.random() < 0.3:
            return f'"{text}"' if not set(text) & set('"\\') else f"'{text}'" if "'" not in text else text
        return text
