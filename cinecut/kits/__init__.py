"""Delivery kits: what studios, channels and cinemas ask of a trailer's file, each a data file checked by a schema; and
kits of one's own, by their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Report, Span, Stop
from cinecut.language.document import plain, read_document
from cinecut.language.formats import formats, parse_size
from cinecut.language.schema import KIT, check_document

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Kit:
    """What is asked; None and () ask for nothing. Levels are in LUFS, dBTP and dB, lengths in seconds."""

    name: str
    about: str
    rates: tuple[Fraction, ...]
    codecs: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    sample_rate: int | None
    channels: tuple[int, ...]
    loudness: tuple[float, float] | None  # the target, and how far off it may be
    peak: float | None
    short_term: float | None
    momentary: float | None
    leq_m: float | None
    seconds: float | None


def names() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.yaml"))


def load_kit(choice: str) -> Kit:
    """A kit by its name, or one's own by its file, NAME.yaml. Raises Stop with the nearest name if there is none."""
    if choice in names():
        return read_kit(_FOLDER / f"{choice}.yaml")
    if choice.lower().endswith((".yaml", ".yml")):
        return read_kit(Path(choice))
    close = get_close_matches(choice.lower(), names(), n=1)
    hint = f"did you mean {close[0]}?" if close else "`cinecut kits` lists them; a file of your own ends with .yaml"
    raise Stop("option", f"there is no kit {choice!r}", hint)


def read_kit(path: Path) -> Kit:
    """A kit from a file, checked by schemas/kit-1.schema.json. Raises Stop with everything that is wrong."""
    report = Report()
    root = read_document(path, report).root
    if root is None and report.ok:
        report.add("missing-key", "the kit is empty", Span(str(path), 0, 0, 0, 1), "{kit: 1, about: …}")
    if root is not None:
        check_document(root, KIT, formats(None), report)
    report.stop_on_error()
    return _filled(plain(root), path.stem)


def _filled(data: Mapping[str, Any], name: str) -> Kit:
    picture, sound = data.get("picture", {}), data.get("sound", {})
    loudness = sound.get("loudness")

    def level(key: str) -> float | None:
        return float(sound[key]) if key in sound else None

    return Kit(
        name=name,
        about=data["about"],
        rates=tuple(Fraction(rate) for rate in picture.get("rates", ())),
        codecs=tuple(picture.get("codecs", ())),
        sizes=tuple(parse_size(size) for size in picture.get("sizes", ())),
        sample_rate=sound.get("rate"),
        channels=tuple(sound.get("channels", ())),
        loudness=(float(loudness["target"]), float(loudness["within"])) if loudness else None,
        peak=level("peak"),
        short_term=level("short_term"),
        momentary=level("momentary"),
        leq_m=level("leq_m"),
        seconds=float(data["seconds"]) if "seconds" in data else None,
    )
