"""Delivery kits: what studios, channels and cinemas require of a trailer's files. Each is a data file checked by a
schema; users can add their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Report, Stop
from cinecut.language.document import MapNode, plain
from cinecut.language.formats import formats, parse_size
from cinecut.language.read import fill_list, inside
from cinecut.language.rules import check_names
from cinecut.language.schema import KIT, check_document, chosen_file, names_in, root_of
from cinecut.language.spec import Deliverable

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Kit:
    """The requirements; None and () require nothing. Levels are in LUFS, dBTP and dB, lengths in seconds. `outputs`:
    the files of the kit (none: one, as in the spec). `papers`: the documents beside them."""

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
    outputs: tuple[Deliverable, ...]
    papers: tuple[str, ...]

    @property
    def levels(self) -> bool:
        """Whether it requires any loudness."""
        asked = (self.loudness, self.peak, self.short_term, self.momentary, self.leq_m)
        return any(level is not None for level in asked)


def names() -> list[str]:
    return names_in(_FOLDER)


def load_kit(choice: str, folder: Path = Path()) -> Kit:
    """A kit by its name, or a user's own by its file, NAME.yaml, relative to `folder`. Raises Stop with the nearest
    name if there is none."""
    return read_kit(chosen_file(choice, KIT, _FOLDER, inside(folder, choice)))


def kits_of(deliverables: tuple[Deliverable, ...], folder: Path, report: Report) -> dict[str, Kit]:
    """The kits that deliverables name, by name; mistakes in one go into the report."""
    kits = dict[str, Kit]()
    for item in deliverables:
        if item.kit is not None and item.kit not in kits:
            try:
                kits[item.kit] = load_kit(item.kit, folder)
            except Stop as stop:
                place = item.place.of("kit")
                for each in stop.diagnostics:
                    code = "wrong-value" if each.code == "option" else each.code
                    report.found.append(replace(each, code=code, span=each.span or place))
    return kits


def read_kit(path: Path) -> Kit:
    """A kit from a file, checked by schemas/kit-1.schema.json. Raises Stop with everything that is wrong."""
    report = Report()
    root = root_of(path, KIT, "{kit: 1, about: …}", report)
    check_document(root, KIT, formats(None), report)
    report.stop_on_error()
    assert isinstance(root, MapNode)
    outputs = fill_list(Deliverable, root.entries["outputs"]) if "outputs" in root.entries else ()
    _check_outputs(outputs, report)
    return _filled(plain(root), path.stem, outputs)


def _check_outputs(outputs: tuple[Deliverable, ...], report: Report) -> None:
    """Report outputs without names where there are several, and outputs that are kits themselves."""
    if len(outputs) > 1:
        check_names(outputs, report)
    for item in outputs:
        if item.kit is not None:
            report.add("wrong-value", "a kit consists of files, not of other kits", item.place.of("kit"))
    report.stop_on_error()


def _filled(data: Mapping[str, Any], name: str, outputs: tuple[Deliverable, ...]) -> Kit:
    picture, sound = data.get("picture", {}), data.get("sound", {})
    loudness = sound.get("loudness")

    def level(key: str) -> float | None:
        return float(sound[key]) if key in sound else None

    return Kit(
        name=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "kit",
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
        outputs=outputs,
        papers=tuple(data.get("papers", ())),
    )
