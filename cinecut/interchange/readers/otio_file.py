""".otio, read by the library that owns the format."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

from cinecut.diagnostics import Stop, excerpt
from cinecut.interchange.locate import path_of
from cinecut.interchange.readers.cut import (
    EditorCut,
    EditorMarker,
    EditorPicture,
    EditorSound,
    EditorText,
    Media,
    utf_8,
)
from cinecut.language.timebase import nearest

try:
    import opentimelineio as otio
except ImportError:  # an extra
    otio = None


def read(data: bytes, name: str, rate: Fraction, known: Media) -> EditorCut:
    """Raises Stop where the library is not installed, or the file holds no timeline."""
    if otio is None:
        raise Stop("option", f"{name}: reading .otio needs the package opentimelineio", "install cinecut[export]")
    text = utf_8(data, name)
    try:
        _check(json.loads(text), name)
        timeline: Any = otio.adapters.read_from_string(text, "otio_json")
        if not isinstance(timeline, otio.schema.Timeline):
            raise Stop("unreadable", f"{name} holds no timeline")
        return _cut(timeline, rate, known)
    except json.JSONDecodeError as error:
        raise _refused(name, f"{error.msg}, line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise Stop("unreadable", f"{name} is nested more deeply than any timeline") from None
    except otio.exceptions.OTIOError as error:
        raise _refused(name, " ".join(str(error).split())[:120]) from None
    except _OF_ODD_VALUES:
        raise _refused(name, "it holds a time or a rate that is none, or a value of another kind") from None


def _refused(name: str, why: str) -> Stop:
    return Stop("unreadable", f"{name} is no OpenTimelineIO file: {why}", "export it again")


_SCHEMA = re.compile(r"\w+\.[1-9][0-9]{0,3}")


def _check(tree: Any, name: str) -> None:
    """Raise Stop for a tree by which the library may end the process, as it may by a text that is no JSON: one with a
    schema without a version."""
    if isinstance(tree, dict):
        if not _SCHEMA.fullmatch(schema := str(tree.get("OTIO_SCHEMA", "X.1"))):
            raise _refused(name, f"{excerpt(schema)} is no schema")
        for value in tree.values():
            _check(value, name)
    elif isinstance(tree, list):
        for value in tree:
            _check(value, name)


# What the library, and we, meet in a file whose values are of other kinds than the schema's.
_OF_ODD_VALUES = (ValueError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError)


def _cut(timeline: Any, rate: Fraction, known: Media) -> EditorCut:
    tracks = [track for track in timeline.tracks if track.enabled]
    pictures = [track for track in tracks if track.kind == otio.schema.TrackKind.Video]
    own = timeline.global_start_time.rate if timeline.global_start_time is not None else float(rate)
    cut = EditorCut(_exact(own), known)
    for mark in timeline.tracks.markers:
        note = str(dict(mark.metadata.get("cinecut", {})).get("note", "") or getattr(mark, "comment", "") or "")
        cut.marks.append(
            EditorMarker(_frames(mark.marked_range.start_time, cut.rate), " ".join(filter(None, (mark.name, note))))
        )
    for number, track in enumerate(pictures):
        _track(cut, track, number, True)
    for track in tracks:
        if track.kind == otio.schema.TrackKind.Audio:
            _track(cut, track, 0, False)
    return cut.sorted()


def _track(cut: EditorCut, track: Any, number: int, shown: bool) -> None:
    joint, fade, begun = (0, 0), 0, False
    for child in track:
        if isinstance(child, otio.schema.Transition):
            lengths = (_frames(child.in_offset, cut.rate), _frames(child.out_offset, cut.rate))
            if child.transition_type == "SMPTE_Dissolve":
                joint = lengths
            else:
                fade = lengths[1]
                if begun and cut.pieces and shown and lengths[0]:
                    last = cut.pieces[-1]
                    cut.pieces[-1] = replace(last, fades=(last.fades[0], lengths[0]))
            continue
        placed = track.range_of_child(child)
        start, end = _frames(placed.start_time, cut.rate), _frames(placed.end_time_exclusive(), cut.rate)
        clip = isinstance(child, otio.schema.Clip)
        if clip and child.enabled:
            _clip(cut, child, (start, end), (joint, fade), number, shown)
        elif not clip and not isinstance(child, otio.schema.Gap) and child.enabled:
            cut.odd.append(f"{child.name!r} at frame {start} is a nested sequence: what is in it is not read")
            cut.unread += [(start, end)] if shown and not number else []
        begun = clip and child.enabled
        joint, fade = (0, 0), 0


def _clip(
    cut: EditorCut, clip: Any, place: tuple[int, int], joined: tuple[tuple[int, int], int], number: int, shown: bool
) -> None:
    reference, (start, end) = clip.media_reference, place
    if isinstance(reference, otio.schema.GeneratorReference):
        text = dict(reference.parameters).get("text", clip.name)
        cut.lines.append(EditorText(str(text).strip(), start, end))
        return
    url = getattr(reference, "target_url", "") or ""
    name = cut.known.called(path_of(url) or clip.name)
    speed = Fraction(1)
    effects = list[str]()
    for effect in clip.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):
            speed = Fraction(effect.time_scalar).limit_denominator(1000)
        elif isinstance(effect, otio.schema.TimeEffect):
            cut.odd.append(f"{name} at frame {start}: its speed changes within it")
        elif effect.enabled:
            effects.append(effect.name or effect.effect_name)
    begin = clip.trimmed_range().start_time
    source = Fraction(begin.value).limit_denominator(1_000_000) / _exact(begin.rate)
    if not shown:
        cut.sounds.append(EditorSound(start, end, name, source))
    elif number:
        cut.odd.append(f"{name} at frame {start} lies over the pictures")
    else:
        piece = EditorPicture(start, end, name, source, speed, joined[0], (joined[1], 0), effects=tuple(effects))
        cut.pieces.append(piece)


def _exact(rate: float) -> Fraction:
    """The standard frame rate that a floating-point number stands for."""
    whole = Fraction(nearest(Fraction(rate)))
    if not whole:
        return Fraction(rate).limit_denominator(1001)
    near = min((whole, whole * Fraction(1000, 1001)), key=lambda exact: abs(exact - Fraction(rate)))
    return near if abs(near - Fraction(rate)) < Fraction(1, 1000) else Fraction(rate).limit_denominator(1001)


def _frames(time: Any, rate: Fraction) -> int:
    return nearest(Fraction(time.value).limit_denominator(1_000_000) / _exact(time.rate) * rate)
