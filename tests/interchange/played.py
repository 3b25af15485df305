"""What an editing program shows at each frame of the sequence: of xmeml's first track of pictures, and of an EDL.

A picture is the medium's name, its number in the medium (None of a still), and whether it is opaque there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from xml.etree import ElementTree as ET

from cinecut.interchange.model import EditSequence, Medium
from cinecut.interchange.writers.xml_text import plain
from cinecut.language.timebase import Timecodes, nearest

Picture = tuple[Fraction | None, bool]
Frames = dict[int, dict[str, Picture]]
_TICKS = 254016000000


def wanted(sequence: EditSequence) -> Frames:
    """What a render shows."""
    frames: Frames = defaultdict(dict)
    for shown in sequence.pictures:
        if shown.medium is None:
            continue
        head, tail = shown.head, shown.tail
        for at in range(shown.start - head.crossed[0], shown.end + tail.crossed[1]):
            mixed = at < shown.start + head.after * (head.kind != "cut")
            mixed |= at >= shown.end - tail.before * (tail.kind != "cut")
            number = (shown.source + (at - shown.start) * shown.speed / sequence.rate) * shown.medium.rate
            frames[at][plain(shown.medium.name)] = (number if shown.medium.kind == "film" else None, not mixed)
    return frames


def differences(target: str, data: bytes, sequence: EditSequence, slack: int = 0) -> Iterator[str]:
    """Where a file shows something else than a render does; `slack`: pictures by which it may be off."""
    frames, must = READERS[target](data, sequence), wanted(sequence)
    if outside := [at for at in frames if not 0 <= at < sequence.frames]:
        yield f"shows frames {outside}"
    for at in range(sequence.frames):
        there, here = must.get(at, {}), frames.get(at, {})
        opaque = {name for name, (_, whole) in there.items() if whole}
        if not opaque <= set(here) <= set(there):
            yield f"frame {at}: {sorted(here)}, not {sorted(there)}"
            continue
        for name, (number, whole) in here.items():
            right = there[name]
            if whole != right[1]:
                yield f"frame {at}: {name} is {'opaque' if whole else 'mixed'}"
            if number is not None and right[0] is not None and abs(floor(number) - floor(right[0])) > slack:
                yield f"frame {at}: picture {float(number):.2f} of {name}, not {float(right[0]):.2f}"


# xmeml


def _xmeml(data: bytes, sequence: EditSequence) -> Frames:
    root = ET.fromstring(data)
    files = {file.get("id"): file for file in root.iter("file") if file.find("name") is not None}
    track = root.find("sequence/media/video/track")
    assert track is not None
    items = [None, *(item for item in track if item.tag in ("clipitem", "transitionitem")), None]
    frames: Frames = defaultdict(dict)
    for before, item, after in zip(items, items[1:], items[2:], strict=False):
        if item is not None and item.tag == "clipitem":
            file = files[item.find("file").get("id")]  # type: ignore[union-attr]
            medium = next(medium for medium in sequence.media if plain(medium.name) == file.findtext("name"))
            _xmeml_clip(frames, item, medium, (before, after), sequence.rate)
    return frames


def _xmeml_clip(
    frames: Frames, item: ET.Element, medium: Medium, beside: tuple[ET.Element | None, ET.Element | None],
    rate: Fraction,
) -> None:  # fmt: skip
    joints = [each if each is not None and each.tag == "transitionitem" else None for each in beside]
    start, end, first, last = (_number(item, key) for key in ("start", "end", "in", "out"))
    if start < 0:
        assert joints[0] is not None, "no transition says where it starts"
        start = _number(joints[0], "start")
    if end < 0:
        assert joints[1] is not None, "no transition says where it ends"
        end = _number(joints[1], "end")
    assert end - start == last - first > 0
    source, speed = Fraction(_number(item, "pproTicksIn"), _TICKS), Fraction(1)
    for effect in item.iterfind("filter/effect"):
        about = {part.findtext("parameterid"): part for part in effect.iterfind("parameter")}
        if effect.findtext("effectid") == "timeremap":
            speed = Fraction(about["speed"].findtext("value", "")) / 100
            keys = {key.findtext("when"): key.findtext("value", "") for key in about["graphdict"].iter("keyframe")}
            source = Fraction(keys[str(first)]) / medium.rate
    for at in range(start, end):
        opacity = [_side(joint, at, late == 1) for late, joint in enumerate(joints) if joint is not None]
        if None not in opacity:
            number = (source + (at - start) * speed / rate) * medium.rate + Fraction(1, 10**6)
            frames[at][plain(medium.name)] = (number if medium.kind == "film" else None, all(opacity))


def _side(joint: ET.Element, at: int, late: bool) -> bool | None:
    """Whether a clip beside a transition is opaque at a frame; None: it is not seen."""
    start, end = _number(joint, "start"), _number(joint, "end")
    assert 0 <= start < end
    if not start <= at < end:
        return True
    dips = joint.findtext("effect/effectid") == "Dip to Color Dissolve" and joint.findtext("alignment") == "center"
    middle = start + (end - start) // 2
    return None if dips and (at >= middle if late else at < middle) else False


def _number(item: ET.Element, key: str) -> int:
    return int(item.findtext(key, ""))


# EDL

_ROW = re.compile(r"(\d{3})  (\S{1,8}) +(V|AA) +(C|D) +(\d{3}|) +(\S+) (\S+) (\S+) (\S+)")


@dataclass
class _Row:
    number: str
    reel: str
    dissolve: int
    source: tuple[str, str]
    start: int
    end: int
    speed: Fraction


def _edl(data: bytes, sequence: EditSequence) -> Frames:
    rows = [*_edl_rows(data.decode(), sequence)]
    frames: Frames = defaultdict(dict)
    media = {medium.reel: medium for medium in sequence.media}
    at = 0
    for before, row in pairwise([None, *rows]):
        assert row is not None
        assert row.start == at, f"{at} is followed by {row.start}"
        at = row.end
        if row.start == row.end:
            continue
        assert 0 <= row.dissolve <= row.end - row.start
        if row.dissolve:
            assert before is not None
            assert (before.number, before.end) == (row.number, row.start), "a dissolve needs two rows"
            _edl_shown(frames, before, media, (row.start, row.start + row.dissolve), sequence.rate, dissolve=True)
        _edl_shown(frames, row, media, (row.start, row.end), sequence.rate)
    return frames


def _edl_rows(text: str, sequence: EditSequence) -> Iterator[_Row]:
    rows: list[_Row] = []
    zero = sequence.numbered.first
    for line in text.split("\r\n"):
        match = _ROW.fullmatch(line)
        if match and match[3] == "V":
            start, end = (_count(code, sequence.numbered) - zero for code in match.group(8, 9))
            row = _Row(match[1], match[2], int(match[5] or 0), (match[6], match[7]), start, end, sequence.rate)
            if row.dissolve and rows[-1].start == rows[-1].end and len(rows) > 1 and rows[-2].reel == rows[-1].reel:
                rows[-1].speed = rows[-2].speed  # it runs on
            rows.append(row)
        elif speed := re.match(r"M2   (\S+) +(\S+) +(\S+)$", line):
            for row in rows[-2:]:
                if (row.reel, row.source[0]) == speed.group(1, 3):
                    row.speed = Fraction(speed[2])
        assert match or not re.match(r"\d{3}", line), line
    yield from rows


def _edl_shown(
    frames: Frames, row: _Row, media: dict[str, Medium], place: tuple[int, int], rate: Fraction, dissolve: bool = False
) -> None:
    if row.reel == "BL":
        return
    medium = media[row.reel]
    first, last = ((_count(code, medium.numbered) - medium.numbered.first) % _day(medium) for code in row.source)
    assert abs(last - first - (row.end - row.start) * row.speed / rate) <= 1, row
    for at in range(*place):
        number = first + (at - place[0]) * row.speed / rate if medium.kind == "film" else None
        frames[at][plain(medium.name)] = (number, not dissolve and at >= row.start + row.dissolve)


def _count(code: str, numbered: Timecodes) -> int:
    zero = replace(numbered, first=0, drop=";" in code)
    return nearest(zero.seconds(code) * zero.rate)


def _day(medium: Medium) -> int:
    nominal = ceil(medium.rate)
    return 86_400 * nominal - (nominal // 15 * 24 * 54 if medium.numbered.drop else 0)


READERS: dict[str, Callable[[bytes, EditSequence], Frames]] = {"premiere": _xmeml, "edl": _edl}
