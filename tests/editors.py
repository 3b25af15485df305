"""Exports as editing programs read them: each format by a reader that shares no code with its writer.

Positions are frames of the sequence from 0; sources are seconds of the medium's own timecode.
"""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal
from xml.etree import ElementTree as ET

import opentimelineio as otio
import pycmx

from cinecut.language.timebase import Timecodes


@dataclass(frozen=True)
class Clip:
    kind: Literal["picture", "sound"]
    start: Fraction
    end: Fraction
    medium: str  # the file's name; empty: black
    source: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    gain: float = 0.0
    ramps: int = 0  # corners of its level
    fades: tuple[int, int] = (0, 0)
    looks: int = 0


@dataclass(frozen=True)
class Joined:
    """A transition: where it starts and ends, and what it passes through."""

    kind: str  # crossfade, black, white
    start: int
    end: int


@dataclass
class Cut:
    rate: Fraction
    start: str = ""
    drop: bool = False
    clips: list[Clip] = field(default_factory=list)
    joints: list[Joined] = field(default_factory=list)
    texts: list[tuple[str, int, int]] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)
    reels: set[str] = field(default_factory=set)
    urls: set[str] = field(default_factory=set)
    faded: set[tuple[int, int]] = field(default_factory=set)  # where sounds fade in, from and to

    def pictures(self) -> list[Clip]:
        return [clip for clip in self.clips if clip.kind == "picture"]

    def sounds(self) -> list[Clip]:
        return [clip for clip in self.clips if clip.kind == "sound"]


# FCPXML


def seconds(text: str | None, default: str = "0s") -> Fraction:
    return Fraction((text or default).removesuffix("s"))


def read_fcpxml(data: bytes) -> Cut:
    root = ET.fromstring(data)
    by_id = {item.get("id", ""): item for item in root.iter() if item.get("id")}
    sequence = root.find(".//sequence")
    assert sequence is not None
    rate = 1 / seconds(by_id[sequence.get("format", "")].get("frameDuration"))
    first = seconds(sequence.get("tcStart"))
    drop = sequence.get("tcFormat") == "DF"
    cut = Cut(rate, Timecodes(rate, 0, drop).of(first), drop)
    cut.urls = {item.get("src", "") for item in root.iter("media-rep")}
    cut.reels = {item.get("value", "") for item in root.iter("md")}
    spine = sequence.find("spine")
    assert spine is not None
    for item in spine:
        start = (seconds(item.get("offset")) - first) * rate
        end = start + seconds(item.get("duration")) * rate
        if item.tag == "transition":
            cut.joints.append(Joined("crossfade", int(start), int(end)))
            continue
        _fcp_item(cut, item, start, end, by_id)
        for inner in item:
            if inner.get("lane"):
                shift = seconds(inner.get("offset")) - seconds(item.get("start"))
                begin = start + shift * rate
                _fcp_item(cut, inner, begin, begin + seconds(inner.get("duration")) * rate, by_id)
            if inner.tag == "marker":
                at = start + (seconds(inner.get("start")) - seconds(item.get("start"))) * rate
                cut.marks.append((int(at), f"{inner.get('value')} {inner.get('note') or ''}".strip()))
    return cut


def _fcp_item(cut: Cut, item: ET.Element, start: Fraction, end: Fraction, by_id: dict[str, ET.Element]) -> None:
    if item.tag == "title":
        cut.texts.append(("".join(item.itertext()).strip(), int(start), int(end)))
    if item.tag in ("gap", "title"):
        if item.get("lane") is None:
            cut.clips.append(Clip("picture", start, end, ""))
        return
    asset = by_id[item.get("ref", "")]
    local, speed = seconds(item.get("start")), Fraction(1)
    source = local
    points = [(seconds(p.get("time")), seconds(p.get("value"))) for p in item.iter("timept")]
    if points:
        (low, value), (high, last) = points
        speed = (last - value) / (high - low)
        source = value + (local - low) * speed
    blend = item.find("adjust-blend/param")
    fades = tuple(int(_fade(blend, name) * cut.rate) for name in ("fadeIn", "fadeOut"))
    wanted = item.get("srcEnable", "all")
    name = asset.get("name", "")
    if asset.get("hasVideo") == "1" and wanted != "audio":
        cut.clips.append(Clip("picture", start, end, name, source, speed, fades=(fades[0], fades[1])))
        cut.joints += [Joined("black", int(start), int(start) + fades[0])] * bool(fades[0])
        cut.joints += [Joined("black", int(end) - fades[1], int(end))] * bool(fades[1])
    if asset.get("hasAudio") == "1" and wanted != "video":
        begin = seconds(item.get("audioStart"), item.get("start") or "0s")
        length = seconds(item.get("audioDuration"), item.get("duration") or "0s")
        head = start + (begin - local) * cut.rate
        volume = item.find("adjust-volume")
        gain = (volume.get("amount") if volume is not None else None) or "0"
        ramps = len(list(item.iterfind("adjust-volume/param/keyframeAnimation/keyframe")))
        param = item.find("adjust-volume/param")
        heard = tuple(int(_fade(param, name) * cut.rate) for name in ("fadeIn", "fadeOut"))
        cut.faded |= {(int(head), int(head) + heard[0])} if heard[0] else set()
        cut.clips.append(
            Clip(
                "sound", head, head + length * cut.rate, name, source + (begin - local) * speed, speed,
                float(gain.removesuffix("dB")), ramps, (heard[0], heard[1]),
            )
        )  # fmt: skip


def _fade(param: ET.Element | None, name: str) -> Fraction:
    found = param.find(name) if param is not None else None
    return seconds(found.get("duration")) if found is not None else Fraction(0)


# xmeml


def read_xmeml(data: bytes) -> Cut:
    sequence = ET.fromstring(data).find("sequence")
    assert sequence is not None
    rate = _xmeml_rate(sequence)
    code = sequence.find("timecode")
    assert code is not None
    cut = Cut(rate, code.findtext("string", ""), code.findtext("displayformat") == "DF")
    files = {item.get("id"): item for item in sequence.iter("file") if item.find("name") is not None}
    cut.urls = {item.findtext("pathurl", "") for item in files.values()}
    cut.reels = {item.findtext("timecode/reel/name", "") for item in files.values()} - {""}
    for media in ("video", "audio"):
        for track in sequence.iterfind(f"media/{media}/track"):
            if media == "audio" and track.findtext("outputchannelindex") == "2":
                continue  # the other side of a stereo pair
            _xmeml_track(cut, track, media, files)
    for mark in sequence.iterfind("marker"):
        text = f"{mark.findtext('name')} {mark.findtext('comment') or ''}".strip()
        cut.marks.append((int(mark.findtext("in", "0")), text))
    return cut


def _xmeml_rate(item: ET.Element) -> Fraction:
    base = Fraction(item.findtext("rate/timebase", "0"))
    return base * Fraction(1000, 1001) if item.findtext("rate/ntsc") == "TRUE" else base


def _xmeml_track(cut: Cut, track: ET.Element, media: str, files: dict[str | None, ET.Element]) -> None:
    items = [item for item in track if item.tag in ("clipitem", "generatoritem", "transitionitem")]
    for number, item in enumerate(items):
        if item.tag == "transitionitem":
            if media == "audio" and item.findtext("alignment") == "start-black":
                cut.faded.add((int(item.findtext("start", "")), int(item.findtext("end", ""))))
            if media == "video":
                color = item.find("effect/parameter/value/red")
                single = item.findtext("alignment") in ("start-black", "end-black")
                kind = "black" if single else "crossfade"
                kind = kind if color is None else "white" if color.text == "255" else "black"
                cut.joints.append(Joined(kind, int(item.findtext("start", "")), int(item.findtext("end", ""))))
            continue
        start, end = int(item.findtext("start", "")), int(item.findtext("end", ""))
        first, last = int(item.findtext("in", "")), int(item.findtext("out", ""))
        if start < 0:
            start = int(items[number - 1].findtext("start", ""))
        if end < 0:
            end = int(items[number + 1].findtext("end", ""))
        assert end - start == last - first, ET.tostring(item)
        if item.tag == "generatoritem":
            texts = {p.findtext("parameterid"): p.findtext("value") for p in item.iter("parameter")}
            cut.texts.append((texts["str"] or "", start, end))
            continue
        cut.clips.append(_xmeml_clip(cut, item, media, files, start, end))


def _xmeml_clip(
    cut: Cut, item: ET.Element, media: str, files: dict[str | None, ET.Element], start: int, end: int
) -> Clip:
    file = item.find("file")
    assert file is not None
    file = files[file.get("id")]
    zero = Fraction(file.findtext("timecode/frame", "0")) / _xmeml_rate(file)
    speed, source = Fraction(1), Fraction(item.findtext("in", "")) / cut.rate
    gain, ramps = 0.0, 0
    for effect in item.iterfind("filter/effect"):
        about = {p.findtext("parameterid"): p for p in effect.iter("parameter")}
        if effect.findtext("effectid") == "timeremap":
            speed = Fraction(about["speed"].findtext("value", "")) / 100
            keys = {k.findtext("when"): Fraction(k.findtext("value", "")) for k in about["graphdict"].iter("keyframe")}
            source = keys[item.findtext("in")] / _xmeml_rate(file)
        elif effect.findtext("effectid") != "basic":
            gain, ramps = float(about["level"].findtext("value", "")), len(list(about["level"].iter("keyframe")))
            gain = 20 * math.log10(gain)
    kind: Literal["picture", "sound"] = "picture" if media == "video" else "sound"
    return Clip(
        kind, Fraction(start), Fraction(end), file.findtext("name", ""), zero + source, speed, round(gain, 3), ramps
    )


# MLT


def read_mlt(data: bytes) -> Cut:
    root = ET.fromstring(data)
    profile = root.find("profile")
    assert profile is not None
    cut = Cut(Fraction(int(profile.get("frame_rate_num", "")), int(profile.get("frame_rate_den", ""))))
    producers = {item.get("id"): _properties(item) for item in root.iter("producer")}
    lists = {item.get("id"): item for item in root.iter("playlist")}
    for mark in json.loads(_properties(lists["main_bin"])["kdenlive:docproperties.guides"]):
        cut.marks.append((mark["pos"], mark["comment"]))
    for tractor in root.iter("tractor"):
        for track in tractor.iterfind("track"):
            if track.get("producer") in lists:
                _mlt_list(cut, lists[track.get("producer")], track.get("hide"), producers)
        for mix in tractor.iterfind("transition"):
            if mix.get("in"):
                cut.joints.append(Joined("crossfade", int(mix.get("in", "")), int(mix.get("out", "")) + 1))
    cut.clips.sort(key=lambda clip: (clip.kind, clip.start))
    return cut


def _properties(item: ET.Element) -> dict[str, str]:
    return {p.get("name", ""): p.text or "" for p in item.iterfind("property")}


def _mlt_list(cut: Cut, playlist: ET.Element, hide: str | None, producers: dict[str | None, dict[str, str]]) -> None:
    at = 0
    for item in playlist:
        if item.tag == "blank":
            at += int(item.get("length", ""))
        if item.tag != "entry":
            continue
        about = producers[item.get("producer")]
        first = int(item.get("in", ""))
        length = int(item.get("out", "")) + 1 - first
        filters = [(inner, _properties(inner)) for inner in item.iterfind("filter")]
        if about["mlt_service"] == "kdenlivetitle":
            text = "".join(ET.fromstring(about["xmldata"]).itertext())
            cut.texts.append((re.sub(r"1,0,0,0,1,0,0,0,1", "", text), at, at + length))
        elif about["mlt_service"] != "color":
            _mlt_clip(cut, about, filters, first, at, length, hide)
        elif hide == "audio":
            cut.clips.append(Clip("picture", Fraction(at), Fraction(at + length), ""))
        at += length


def _mlt_clip(
    cut: Cut, about: dict[str, str], filters: list[tuple[ET.Element, dict[str, str]]], first: int, at: int,
    length: int, hide: str | None,
) -> None:  # fmt: skip
    speed = Fraction(about.get("warp_speed", "1"))
    path = about.get("warp_resource", about["resource"])
    cut.urls.add(path)
    gain, ramps, looks = 0.0, 0, 0
    for item, filter_ in filters:
        start = int(item.get("in", "")) - first
        span = int(item.get("out", "")) - int(item.get("in", "")) + 1
        if "level" in filter_ and filter_["mlt_service"] == "volume":
            keys = filter_["level"].split(";")
            gain, ramps = float(keys[0].partition("=")[2]), len(keys) * (len(keys) > 1)
        if filter_.get("kdenlive_id") == "fadein":
            cut.faded.add((at + start, at + start + span))
        if filter_["mlt_service"] == "brightness":
            cut.joints.append(Joined("black", at + start, at + start + span))
        looks += filter_["mlt_service"].startswith("avfilter.lut")
    kind: Literal["picture", "sound"] = "picture" if hide == "audio" else "sound"
    source = first * speed / cut.rate
    name = path.rpartition("/")[2]
    cut.clips.append(Clip(kind, Fraction(at), Fraction(at + length), name, source, speed, gain, ramps, looks=looks))


# OpenTimelineIO


def read_otio(data: bytes) -> Cut:
    timeline: Any = otio.adapters.read_from_string(data.decode(), "otio_json")
    start = timeline.global_start_time
    rate = exact_rate(start.rate)
    about = timeline.metadata["cinecut"]
    cut = Cut(rate, start.to_timecode(start.rate, about["drop"]), about["drop"])
    cut.marks = [
        (int(mark.marked_range.start_time.value), f"{mark.name} {mark.metadata['cinecut']['note']}".strip())
        for mark in timeline.tracks.markers
    ]
    for track in timeline.tracks:
        kind: Literal["picture", "sound"] = "picture" if track.kind == "Video" else "sound"
        for child in track:
            placed = track.range_of_child(child)
            begin, end = (_frames(at, rate) for at in (placed.start_time, placed.end_time_exclusive()))
            if isinstance(child, otio.schema.Transition):
                name = {"crossfade": "crossfade", "dip to white": "white"}.get(child.name, "black")
                if kind == "picture":
                    cut.joints.append(Joined(name, int(begin), int(end)))
            elif isinstance(child, otio.schema.Gap):
                if track.name == "picture":
                    cut.clips.append(Clip(kind, begin, end, ""))
            elif isinstance(child.media_reference, otio.schema.GeneratorReference):
                cut.texts.append((child.media_reference.parameters["text"], int(begin), int(end)))
            else:
                cut.clips.append(_otio_clip(cut, child, kind, begin, end))
    return cut


def exact_rate(rate: float) -> Fraction:
    return min((Fraction(round(rate)), Fraction(round(rate) * 1000, 1001)), key=lambda exact: abs(exact - rate))


def _frames(time: Any, rate: Fraction) -> Fraction:
    own = Fraction(48000) if time.rate == 48000 else exact_rate(time.rate)
    return Fraction(time.value).limit_denominator(100000) / own * rate


def _otio_clip(cut: Cut, clip: Any, kind: Literal["picture", "sound"], begin: Fraction, end: Fraction) -> Clip:
    reference = clip.media_reference
    assert reference.available_range is not None
    used = clip.source_range
    assert reference.available_range.contains(used.start_time), clip.name
    cut.urls.add(reference.target_url)
    cut.reels.add(reference.metadata["cinecut"]["reel"])
    speeds = [Fraction(effect.metadata["cinecut"]["speed"]) for effect in clip.effects]
    assert [float(speed) for speed in speeds] == [effect.time_scalar for effect in clip.effects]
    source = _frames(used.start_time, Fraction(1))
    return Clip(kind, begin, end, reference.name, source, speeds[0] if speeds else Fraction(1))


# CMX 3600, by pycmx


def read_edl(data: bytes, rate: Fraction, first: str) -> Cut:
    text = data.decode()
    edl = pycmx.parse_cmx3600(io.StringIO(text))
    record = Timecodes.starting(rate, first)
    cut = Cut(rate, first, "FCM: DROP FRAME" in text)
    for event in edl.events:
        for edit in event.edits:
            start, end = (record.seconds(code) * rate for code in (edit.record_in, edit.record_out))
            cut.reels |= {edit.source} - {"BL"}
            if start == end:
                continue
            if edit.transition.dissolve and not edit.channels.video and event.edits[0].source == "BL":
                cut.faded.add((int(start), int(start) + int(edit.transition.operand)))
            if edit.transition.dissolve and edit.channels.video:
                length = int(edit.transition.operand)
                from_black = event.edits[0].source == "BL" or edit.source == "BL"
                cut.joints.append(Joined("black" if from_black else "crossfade", int(start), int(start) + length))
            source = Timecodes(rate).seconds(edit.source_in)
            kind: Literal["picture", "sound"] = "picture" if edit.channels.video else "sound"
            name = edit.clip_name or ""
            cut.clips.append(Clip(kind, start, end, "" if edit.source == "BL" else name, source))
    speeds = re.findall(r"^\d{3,} +\S+ +V .* (\S+) \S+\r?\nM2 +\S+ +([\d.]+) ", text, re.M)
    at = {record.seconds(code) * rate: Fraction(speed) / rate for code, speed in speeds}
    cut.clips = [replace(c, speed=at[c.start]) if c.kind == "picture" and c.start in at else c for c in cut.clips]
    cut.texts = [(t, 0, 0) for t in re.findall(r"^\* (?:CARD|TITLE): (.*?)\r?$", text, re.M)]
    for code, label in re.findall(r"^\* LOC: (\S+) \S+ +(.*?)\r?$", text, re.M):
        cut.marks.append((int(record.seconds(code) * rate), label))
    return cut
