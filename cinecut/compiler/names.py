"""Names of events in the graph and in the working folder: made from their content, never from their position.

An event that nobody touched keeps its names, its reels and its seeds when another is inserted before it. A name is
readable in front (a shot's in point, a card's first words) and ends in a digest of what the event says of itself; those
that say the very same are counted.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from fractions import Fraction

from cinecut.language.events import Black, Card, Event, Shot, Still
from cinecut.language.timebase import nearest

# What changes nothing of what is rendered.
_NOTES = {"place", "id", "act", "keep", "zone", "beat_type", "score", "why", "by", "scene", "alternatives"}
_HUNG_ON = {"sound", "voice", "cue", "titles"}  # have names of their own, after their event's
_IF_SO = {"mirror"}  # said only where it is so: what came after the first version leaves all other names as they are


def digest(*parts: object) -> str:
    """Ten hexadecimal digits of the values; equal values give the same digits on every machine."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:10]


def labels_of(events: Iterable[Event], first: str | None = None) -> list[str]:
    """A label for each of a trailer's events: letters, digits and underscores. `first`: the first film's name, which a
    shot may name or leave out."""
    times: Counter[str] = Counter()
    labels = []
    for event in events:
        values = [(name, value) for name in _SAID[type(event)] if (value := getattr(event, name)) not in (None, ())]
        if isinstance(event, Shot) and event.shot.film not in (None, first):
            values.append(("film", event.shot.film))
        if isinstance(event, Shot) and event.mirror:
            values.append(("mirror", True))
        label = f"{_readable(event)}_{digest(values)[:4]}"
        times[label] += 1
        labels.append(label if times[label] == 1 else f"{label}_{times[label]}")
    return labels


_KINDS = (Shot, Black, Card, Still)
_SAID = {
    kind: tuple(item.name for item in fields(kind) if item.name not in _NOTES | _HUNG_ON | _IF_SO) for kind in _KINDS
}


def _readable(event: Event) -> str:
    match event:
        case Shot():
            moment = event.shot.in_ or event.shot.out
            return "shot" if moment is None else f"shot_{clock_name(moment.seconds)}"
        case Card():
            return _joined("card", event.card)
        case Still():
            return _joined("still", event.still.file.rpartition("/")[2].rpartition(".")[0])
        case _:
            return "black"


def clock_name(seconds: Fraction) -> str:
    """A time as a part of a name: `0m48s500`, `72m03s`."""
    minutes, thousandths = divmod(max(0, nearest(seconds * 1000)), 60_000)
    whole, rest = divmod(thousandths, 1000)
    return f"{minutes}m{whole:02d}s" + (f"{rest:03d}" if rest else "")


def _joined(kind: str, text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "_".join([kind, *re.findall(r"[a-z0-9]+", plain)])[:24].rstrip("_")


def on_one_line(text: str) -> str:
    """A text without control characters and line ends."""
    return " ".join("".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text).split())


def suffix_of(file: str) -> str:
    """The suffix of a user's file name, if it is a plain one."""
    end = file.rpartition(".")[2].lower() if "." in file else ""
    return f".{end}" if end.isascii() and end.isalnum() and len(end) <= 6 else ""
