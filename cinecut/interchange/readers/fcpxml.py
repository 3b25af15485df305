"""FCPXML, of any version that holds a project's storyline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from xml.etree import ElementTree as ET

from cinecut.diagnostics import Stop
from cinecut.interchange.locate import path_of
from cinecut.interchange.readers.cut import (
    EditorCut,
    EditorMarker,
    EditorPicture,
    EditorSound,
    EditorText,
    Media,
    dissolved,
    step_of,
)
from cinecut.interchange.readers.xml_tree import root_of
from cinecut.language.formats import exact
from cinecut.language.timebase import BadTimeError, nearest

_NESTED = ("ref-clip", "mc-clip", "sync-clip", "clip", "audition")
_PLACED = ("asset-clip", "video", "audio", "title", "gap", *_NESTED)


def read(data: bytes, name: str, rate: Fraction, known: Media) -> EditorCut:
    """The first project of a document. Raises Stop where there is none."""
    root = root_of(data, name)
    sequence = root.find(".//project/sequence")
    if sequence is None:
        raise Stop("unreadable", f"{name} holds no project", "export the project, not a clip")
    by_id = {item.get("id", ""): item for item in root.iterfind("resources/*")}
    return _Reading(sequence, by_id, EditorCut(rate, known)).cut()


@dataclass(slots=True)
class _Reading:
    sequence: ET.Element
    by_id: dict[str, ET.Element]
    found: EditorCut

    def cut(self) -> EditorCut:
        own = self.by_id.get(self.sequence.get("format", ""))
        length = _seconds(own, "frameDuration") if own is not None else Fraction(0)
        self.found.rate = 1 / length if length else self.found.rate
        first, spine = _seconds(self.sequence, "tcStart"), self.sequence.find("spine")
        crossed: tuple[int, int] | None = None
        for item in spine if spine is not None else ():
            start = self._frame(_seconds(item, "offset") - first)
            if item.tag == "transition":
                crossed = start, start + self._frame(_seconds(item, "duration"))
                kind = item.get("name") or "Cross Dissolve"
                self.found.odd += [] if kind == "Cross Dissolve" else [dissolved(kind, start)]
                continue
            joint = (
                (start - crossed[0], crossed[1] - start) if crossed and crossed[0] <= start <= crossed[1] else (0, 0)
            )
            crossed = None
            self._item(item, start, joint, 0)
        return self.found.sorted()

    def _frame(self, seconds: Fraction) -> int:
        return nearest(seconds * self.found.rate)

    def _item(self, item: ET.Element, start: int, joint: tuple[int, int], lane: int) -> None:
        """An item of the storyline, or connected to it, and what is connected to it in turn."""
        own = _seconds(item, "start", default=self._begin(item))
        end = start + self._frame(_seconds(item, "duration"))
        if item.get("enabled") == "0":
            pass  # neither seen nor heard; what is connected to it is
        elif item.tag == "title":
            text = "".join("".join(part.itertext()) for part in item.iterfind("text")).strip()
            self.found.lines.append(EditorText(text, start, end))
        elif item.tag in _NESTED and self._held(item) is None:
            self.found.odd.append(f"{item.tag} {item.get('name', '')!r} at frame {start}: what is in it is not read")
            self.found.unread += [] if lane else [(start, end)]
        elif item.tag != "gap":
            self._clip(item, start, end, joint, lane, own)
        for inner in item:
            if inner.tag == "marker" or inner.tag == "chapter-marker":
                at = start + self._frame(_seconds(inner, "start") - own)
                text = " ".join(filter(None, (inner.get("value"), inner.get("note"))))
                self.found.marks.append(EditorMarker(at, text))
            elif inner.tag in _PLACED and (inner.get("lane") or "0") != "0":
                at = start + self._frame(_seconds(inner, "offset") - own)
                self._item(inner, at, (0, 0), int(inner.get("lane") or 0))
            elif inner.tag == "spine":
                self.found.odd.append(f"a connected storyline at frame {start}: what is in it is not read")

    def _held(self, item: ET.Element) -> ET.Element | None:
        """The picture, or the sound, in a `clip` of one medium; programs write it so where an `asset-clip` says too
        little. None: it is something else."""
        held = [inner for inner in item if inner.tag in (*_PLACED, "spine") and (inner.get("lane") or "0") == "0"]
        if item.tag != "clip" or [inner.tag for inner in held] not in (["video"], ["audio"]):
            return None
        return held[0] if self.by_id.get(held[0].get("ref", ""), item).tag == "asset" else None

    def _begin(self, item: ET.Element) -> Fraction:
        asset = self.by_id.get(item.get("ref", ""))
        return _seconds(asset, "start") if asset is not None else Fraction(0)

    def _clip(self, item: ET.Element, start: int, end: int, joint: tuple[int, int], lane: int, own: Fraction) -> None:
        held = self._held(item)
        medium = item if held is None else held
        asset = self.by_id.get(medium.get("ref", ""), ET.Element("none"))
        points = [(_seconds(point, "time"), _seconds(point, "value")) for point in item.iterfind("timeMap/timept")]
        speed = step_of(points) if points else Fraction(1)
        name = self.found.known.called(_file_of(asset))
        if speed is None:
            self.found.odd.append(f"{name} at frame {start}: its speed changes within it")
            speed = Fraction(1)
        source = points[0][1] + (own - points[0][0]) * speed if points else own
        kinds = item.tag if item.tag in ("audio", "video") else item.get("srcEnable", "all")
        if held is not None:
            source += _seconds(held, "start", default=self._begin(held)) - _seconds(held, "offset")
            kinds = _kinds(held)
        if kinds in ("all", "video") and asset.get("hasVideo") == "1":
            if lane:
                self.found.odd.append(f"{name} at frame {start} lies over the pictures")
                return
            fades = (self._fade(item, "fadeIn"), self._fade(item, "fadeOut"))
            still = asset.get("duration", "0s") in ("0s", "0/1s")
            piece = EditorPicture(start, end, name, Fraction(0) if still else source, speed, joint, fades)
            effects = [*_effects(item), *(_effects(held) if held is not None else ())]
            self.found.pieces.append(replace(piece, effects=tuple(effects)))
        if kinds in ("all", "audio") and asset.get("hasAudio") == "1":
            begin, length = (
                _seconds(item, "audioStart", default=own),
                _seconds(item, "audioDuration", default=Fraction(-1)),
            )
            first = start + self._frame(begin - own)
            last = first + self._frame(length) if length >= 0 else end
            inner = held.find(".//adjust-volume") if held is not None else None
            volume = inner if inner is not None else item.find("adjust-volume")
            gain = (volume.get("amount") if volume is not None else None) or "0"
            heard = source + (begin - own) * speed
            self.found.sounds.append(EditorSound(first, last, name, heard, _figure(gain)))

    def _fade(self, item: ET.Element, name: str) -> int:
        fade = item.find(f"adjust-blend/param/{name}")
        return self._frame(_seconds(fade, "duration")) if fade is not None else 0


def _kinds(held: ET.Element) -> str:
    """What of a medium a clip with this inside shows and plays, in the words of `srcEnable`."""
    on = [inner for inner in (held, *held.iterfind("audio")) if inner.get("enabled") != "0"]
    seen, heard = (any(inner.tag == tag for inner in on) for tag in ("video", "audio"))
    return "all" if seen and heard else "video" if seen else "audio" if heard else "none"


def _effects(item: ET.Element) -> Iterator[str]:
    """The effects on a clip, and the adjustments of its picture that are not the usual ones."""
    for part in item:
        if part.get("enabled") == "0":
            continue
        if part.tag.startswith("filter-"):
            yield part.get("name") or part.tag
        elif part.tag.startswith("adjust-") and part.tag not in _READ:
            values = [f"{key} {value}" for key, value in part.items() if _USUAL.get(key) != value]
            if values or len(part):
                yield " ".join([part.tag.removeprefix("adjust-"), *values])


_READ = ("adjust-volume", "adjust-blend")
_USUAL = {"scale": "1 1", "position": "0 0", "anchor": "0 0", "rotation": "0", "type": "fit"}  # of a picture as it is


def _figure(text: str) -> float:
    try:
        return float(exact(text.removesuffix("dB")))
    except (BadTimeError, OverflowError):
        return 0.0


def _file_of(asset: ET.Element) -> str:
    """The path of an asset, or its name if it has no path."""
    media = asset.find("media-rep")
    url = media.get("src") if media is not None else asset.get("src")
    return path_of(url) if url else asset.get("name", "")


def _seconds(item: ET.Element, key: str, default: Fraction = Fraction(0)) -> Fraction:
    """A time such as `1001/24000s`. Raises Stop where it cannot be read."""
    text = item.get(key)
    if text is None:
        return default
    try:
        return exact(text.removesuffix("s"))
    except BadTimeError:
        raise Stop("unreadable", f"{key}={text[:40]!r} is no time of FCPXML") from None
