"""xmeml, the XML of Final Cut Pro 7, as Premiere Pro and Resolve write it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from xml.etree import ElementTree as ET

from cinecut.diagnostics import Stop
from cinecut.interchange.locate import path_of
from cinecut.interchange.model import counts_frames
from cinecut.interchange.readers.cut import (
    EditorCut,
    EditorMarker,
    EditorPicture,
    EditorSound,
    EditorText,
    Media,
    dissolved,
)
from cinecut.interchange.readers.xml_tree import root_of
from cinecut.language.formats import exact
from cinecut.language.timebase import BadTimeError, nearest


def read(data: bytes, name: str, rate: Fraction, known: Media) -> EditorCut:
    """The first sequence of a document. Raises Stop where there is none."""
    sequence = root_of(data, name).find(".//sequence[media]")
    if sequence is None:
        raise Stop("unreadable", f"{name} holds no sequence", "export the sequence, not a clip")
    return _Reading(sequence, EditorCut(_rate(sequence, rate), known)).cut()


@dataclass(slots=True)
class _Reading:
    sequence: ET.Element
    found: EditorCut
    files: dict[str, ET.Element] = field(default_factory=dict)

    def cut(self) -> EditorCut:
        for file in self.sequence.iter("file"):
            if len(file):
                self.files[file.get("id", "")] = file
        for number, track in enumerate(self.sequence.iterfind("media/video/track")):
            self._track(track, number, "video")
        for track in self.sequence.iterfind("media/audio/track"):
            if track.get("currentExplodedTrackIndex", "0") == "0":  # the other half of a pair says the same
                self._track(track, 0, "audio")
        for mark in self.sequence.iterfind("marker"):
            text = " ".join(filter(None, (mark.findtext("name"), mark.findtext("comment"))))
            self.found.marks.append(EditorMarker(_whole(mark, "in"), text))
        return self.found.sorted()

    def _track(self, track: ET.Element, number: int, media: str) -> None:
        if track.findtext("enabled", "TRUE").upper() == "FALSE":
            return
        items = [item for item in track if item.tag in ("clipitem", "generatoritem", "transitionitem")]
        for at, item in enumerate(items):
            if item.tag == "transitionitem" or item.findtext("enabled", "TRUE").upper() == "FALSE":
                continue
            before = items[at - 1] if at and items[at - 1].tag == "transitionitem" else None
            after = items[at + 1] if at + 1 < len(items) and items[at + 1].tag == "transitionitem" else None
            self._item(item, before, after, number, media)

    def _item(
        self, item: ET.Element, before: ET.Element | None, after: ET.Element | None, number: int, media: str
    ) -> None:
        start, end = _whole(item, "start"), _whole(item, "end")
        reads = start  # where `in` lies
        head, tail = (0, 0), 0
        fades = [0, 0]
        if start < 0 and before is not None:
            reads, start = _whole(before, "start"), _cut_of(before)
            length = _whole(before, "end") - start
            if before.findtext("alignment") == "start-black":
                fades[0] = length
            else:
                head = (start - reads, length)
        if end < 0 and after is not None:
            end = _cut_of(after)
            tail = end - _whole(after, "start")
            fades[1] = tail if after.findtext("alignment") == "end-black" else 0
        if item.tag == "generatoritem":
            text = next(
                (p.findtext("value") for p in item.iter("parameter") if p.findtext("parameterid") == "str"), None
            )
            self.found.lines.append(EditorText((text or item.findtext("name") or "").strip(), start, end))
            return
        file = item.find("file")
        if file is None or item.find("sequence") is not None:
            what = item.findtext("name") or "a clip"
            self.found.odd.append(f"{what!r} at frame {start} is a nested sequence: what is in it is not read")
            self.found.unread += [(start, end)] if media == "video" and not number else []
            return
        file = self.files.get(file.get("id", ""), file)
        name = self.found.known.called(path_of(file.findtext("pathurl") or "") or file.findtext("name") or "")
        speed, source = self._time(item, file, name, start)
        source += (start - reads) * speed / self.found.rate
        if media == "audio":
            self.found.sounds.append(EditorSound(start, end, name, source, _gain(item)))
        elif number:
            self.found.odd.append(f"{name} at frame {start} lies over the pictures")
        else:
            kind = before.findtext("effect/effectid", _CROSSED) if before is not None else _CROSSED
            self.found.odd += [] if kind in (_CROSSED, _DIPPED) else [dissolved(kind, start)]
            dip = kind == _DIPPED
            joint = (0, 0) if dip else head
            still = file.find("timecode") is None
            piece = EditorPicture(
                start, end, name, Fraction(0) if still else source, speed, joint, (fades[0], fades[1])
            )
            self.found.pieces.append(replace(piece, effects=tuple(_effects(item, self._fits(file)))))

    def _fits(self, file: ET.Element) -> set[int]:
        """The scales in per cent at which a file is as large as the frame, or fills it, to the whole per cent."""
        frame, own = (_size(part) for part in (self.sequence.find("media/video/format"), file.find("media/video")))
        shares = [100 * wanted / size for wanted, size in zip(frame, own, strict=True) if size]
        return {100, *map(nearest, shares)}

    def _rate_of(self, part: ET.Element, name: str) -> Fraction:
        """A medium's rate as the file says it, or the known one's where xmeml has no number for that."""
        medium = self.found.known.by_name(name)
        return _rate(part, self.found.rate) if medium is None or counts_frames(medium.rate) else medium.rate

    def _time(self, item: ET.Element, file: ET.Element, name: str, start: int) -> tuple[Fraction, Fraction]:
        """A clip's speed, and the source of its `in`."""
        rate = self.found.rate
        own = _rate(item, rate)
        timed = file.find("timecode")
        zero = Fraction(_whole(file, "timecode/frame")) / self._rate_of(timed if timed is not None else file, name)
        first = _whole(item, "in")
        for effect in item.iterfind("filter/effect"):
            if effect.findtext("effectid") != "timeremap":
                continue
            about = {p.findtext("parameterid"): p for p in effect.iterfind("parameter")}
            speed = _fraction(about["speed"].findtext("value", "100")) / 100 if "speed" in about else Fraction(1)
            if "reverse" in about and about["reverse"].findtext("value", "").strip().upper() == "TRUE":
                speed = -abs(speed)
            if "variablespeed" in about and about["variablespeed"].findtext("value", "0").strip() not in ("0", "0.0"):
                self.found.odd.append(f"{name} at frame {start}: its speed changes within it")
            graph = about.get("graphdict")
            keys = (
                {_whole(k, "when"): k.findtext("value", "") for k in graph.iterfind("keyframe")}
                if graph is not None
                else {}
            )
            if first in keys:
                return speed, zero + _fraction(keys[first]) / self._rate_of(file, name)
            return speed, zero + first / own * speed
        return Fraction(1), zero + first / own


def _cut_of(transition: ET.Element) -> int:
    """The frame of the cut that a transition covers."""
    start, end = _whole(transition, "start"), _whole(transition, "end")
    match transition.findtext("alignment"):
        case "start" | "start-black":
            return start
        case "end" | "end-black":
            return end
    return start + (end - start) // 2


def _size(part: ET.Element | None) -> tuple[Fraction, Fraction]:
    """Width and height; 0 where they are not said."""
    width, height = (
        _fraction(part.findtext(f"samplecharacteristics/{side}", "0")) if part is not None else Fraction(0)
        for side in ("width", "height")
    )
    return width, height


def _effects(item: ET.Element, fits: set[int]) -> Iterator[str]:
    """The effects on a clip's picture that are not read, and what is turned, transparent or scaled by more than `fits`
    says."""
    for part in item.iterfind("filter"):
        effect, name = part.find("effect"), part.findtext("effect/name") or "an effect"
        if effect is None or part.findtext("enabled", "TRUE").upper() == "FALSE":
            continue
        if effect.findtext("effectid") in _FIGURES:
            usual = {"scale": fits, "rotation": {0}, "opacity": {100}}
            read = {p.findtext("parameterid", ""): p.findtext("value") or "" for p in effect.iterfind("parameter")}
            figures = {key: _fraction(read[key]) for key in usual if read.get(key)}
            values = [f"{key} {float(value):.4g}" for key, value in figures.items() if nearest(value) not in usual[key]]
            if values:
                yield " ".join([name, *values])
        elif effect.findtext("mediatype") != "audio" and effect.findtext("effectid") not in _READ:
            yield name


_READ = ("timeremap", "audiolevels")
_FIGURES = ("basic", "opacity")
_CROSSED, _DIPPED = "Cross Dissolve", "Dip to Color Dissolve"


def _gain(item: ET.Element) -> float:
    for effect in item.iterfind("filter/effect"):
        if effect.findtext("effectid") == "audiolevels":
            for parameter in effect.iterfind("parameter"):
                factor = float(_fraction(parameter.findtext("value", "1")))
                return 20 * math.log10(factor) if factor > 0 else -96.0
    return 0.0


def _fraction(text: str) -> Fraction:
    try:
        return exact(text).limit_denominator(1_000_000)
    except BadTimeError:
        raise Stop("unreadable", f"{text[:40]!r} is no number of xmeml") from None


def _whole(item: ET.Element, path: str) -> int:
    return int(_fraction(item.findtext(path) or "0"))


def _rate(item: ET.Element, default: Fraction) -> Fraction:
    base = _fraction(item.findtext("rate/timebase") or "0")
    if not base:
        return default
    return base * Fraction(1000, 1001) if (item.findtext("rate/ntsc") or "").upper() == "TRUE" else base
