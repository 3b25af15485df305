"""The schema's formats, and the schema's part for each record: shared by reading and writing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

from cinecut.diagnostics import excerpt
from cinecut.language import schema as schemas
from cinecut.language.events import Transition
from cinecut.language.facts import AudioFacts, Color, FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.language.timebase import (
    SPAN_SIGN,
    BadTimeError,
    Length,
    Timecodes,
    parse_length,
    parse_seconds,
    parse_span,
    parse_times,
)

_BEYOND = re.compile(r"[eE][-+]?0*[1-9][0-9_]{3}")  # an exponent of four digits


def exact(value: object) -> Fraction:
    """An exact number: `24`, `24000/1001`, `62.5`. Raises BadTimeError."""
    try:
        if _BEYOND.search(text := str(value)):  # Fraction would count for hours, and fill the memory
            raise ValueError
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise BadTimeError(f"{excerpt(value)} is no number such as 24, 62.5 or 24000/1001") from None


def positive(value: object) -> Fraction:
    number = exact(value)
    if number <= 0:
        raise BadTimeError(f"{excerpt(value)} is not above zero")
    return number


def parse_size(value: object) -> tuple[int, int]:
    """Width and height in pixels: `1920x1080`. Raises BadTimeError."""
    match = re.fullmatch(r"([1-9]\d{0,4})\s*[xX×]\s*([1-9]\d{0,4})", str(value))
    if match is None:
        raise BadTimeError(f"{excerpt(value)} is no size such as 1920x1080")
    return int(match[1]), int(match[2])


def parse_frame_size(value: object) -> tuple[int, int]:
    """The size of a trailer, within what every encoder takes. Raises BadTimeError."""
    width, height = parse_size(value)
    if width % 2 or height % 2 or not (16 <= width <= 16384 and 16 <= height <= 16384):
        raise BadTimeError(f"both sides of {excerpt(value)} must be even, from 16 to 16384")
    return width, height


def _frame_rate(value: object) -> Fraction:
    rate = positive(value)
    if not 1 <= rate <= 240:
        raise BadTimeError(f"{excerpt(value)} is not from 1 to 240 frames/s")
    return rate


def _file_name(value: object) -> str:
    name = str(value)
    if "\0" in name:
        raise BadTimeError("a file name cannot hold a NUL character")
    if name and not name.strip():
        raise BadTimeError("a file name cannot be blank")
    return name


def shown_text(value: object) -> str:
    """A text for the screen: its only control characters are tabs and line ends. Raises BadTimeError."""
    text = str(value)
    unseen = next((sign for sign in text if sign not in "\t\n\r\x85" and unicodedata.category(sign) == "Cc"), None)
    if unseen is not None:
        raise BadTimeError(f"it holds the control character U+{ord(unseen):04X}, which no font shows")
    return text


def _transition(*kinds: str) -> Callable[[str | int | Fraction], Transition]:
    def parse(value: str | int | Fraction) -> Transition:
        transition = Transition.parse(str(value))
        if transition.kind not in kinds:
            raise BadTimeError(f"{transition.kind} stands in `{'to' if 'fade in' in kinds else 'from'}`, not here")
        return transition

    return parse


@cache
def formats(numbered: Timecodes | None) -> schemas.Formats:
    """The parsers of the schema's formats, for a film with this numbering (None: not measured yet)."""
    return {
        "film-time": lambda value: parse_seconds(str(value), numbered) if isinstance(value, str) else value,
        "film-span": lambda value: parse_span(str(value), numbered),
        "song-span": lambda value: parse_times(SPAN_SIGN.split(str(value).strip()), str(value)),
        "trailer-length": lambda value: _length(value, least=True),
        "trailer-offset": lambda value: _length(value, least=False),
        "trailer-shift": parse_shift,
        "transition-from": _transition("cut", "crossfade", "dip to black", "dip to white", "fade in"),
        "transition-to": _transition("cut", "fade out"),
        "positive": positive,
        "exact": exact,
        "size": parse_size,
        "frame-size": parse_frame_size,
        "frame-rate": _frame_rate,
        "file-name": _file_name,
        "shown-text": shown_text,
    }


def _length(value: str | int | Fraction, least: bool) -> Length:
    length = parse_length(value) if isinstance(value, str) else Length(Fraction(value), "s")
    if length.amount < 0:
        raise BadTimeError(f"{excerpt(value)} is less than no time")
    if least and length.amount == 0:
        raise BadTimeError(f"{excerpt(value)} is no time at all")
    return length


def parse_shift(value: str | int | Fraction) -> Length:
    """A length that may be negative."""
    if not isinstance(value, str):
        return Length(Fraction(value), "s")
    text = value.strip()
    length = parse_length(text.removeprefix("-"))
    return Length(-length.amount, length.unit) if text.startswith("-") else length


def properties_of(cls: type) -> dict[str, Any]:
    """The schema's properties of a Spec dataclass."""
    properties: dict[str, Any] = schema_of(cls)["properties"]
    return properties


def is_described(cls: type) -> bool:
    """Whether it is a Spec dataclass that the schema describes, and not one of its values, such as a time."""
    return cls in _FACTS or hasattr(cls, "schema")


def schema_of(cls: type) -> dict[str, Any]:
    """The part of the schema that describes a Spec dataclass."""
    name = _FACTS.get(cls) or cls.schema  # type: ignore[attr-defined]
    head, _, inner = name.partition(".")
    part = schemas.definition(schemas.TRAILER, head)
    for step in inner.split(".") if inner else ():
        part = resolved(part["properties"][step])
        part = resolved(part["items"]) if part.get("type") == "array" else part
    return part


_FACTS: dict[type, str] = {
    FilmFacts: "film_facts",
    SongFacts: "song_facts",
    StillFacts: "picture.facts",
    LutFacts: ".lut.facts",
    AudioFacts: "film_facts.audio",
    Color: "film_facts.color",
}


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("$ref", "").startswith("#"):
        return {**schemas.definition(schemas.TRAILER, part["$ref"].rsplit("/", 1)[1]), **part}
    return part
