"""EditSequence → FCPXML 1.11, for Final Cut Pro and, with its own ways, for DaVinci Resolve.

The pictures and cards are the primary storyline; the film's sound stays with its picture, longer than it where it is
heard before or after (audioStart); titles, voices and songs are connected clips. Dips and fades are fades of opacity,
which show the black behind. Every time is an exact fraction of seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from fractions import Fraction
from xml.etree import ElementTree as ET

from cinecut.compiler.layout.timeline import Joint
from cinecut.interchange.locate import file_url
from cinecut.interchange.model import EditSequence, Mark, Medium, PictureClip, SoundClip, TextClip, Written
from cinecut.interchange.writers.edl import uneven, write_markers
from cinecut.interchange.writers.lines import checkered, lines_of
from cinecut.interchange.writers.xml_text import document, plain
from cinecut.language.timebase import nearest

VERSION = "1.11"
_EFFECTS = {
    "Cross Dissolve": "FxPlug:4731E73A-8DAC-4113-9A30-AE85B1761265",
    "Audio Crossfade": "FFAudioTransition",
    "Basic Title": ".../Titles.localized/Bumper:Opener.localized/Basic Title.localized/Basic Title.moti",
}
_FIELDS = {"tff": "upper first", "bff": "lower first"}
_STILL_START = Fraction(3600)  # seconds: where pictures, titles and gaps begin in their own time
_HEIGHTS = {"upper": 400, "middle": 0, "lower": -400, "card": 0}  # of titles, from the middle of 1080 lines
_CONFORMED = ("23.98", "24", "25", "29.97", "30", "60", "47.95", "48", "50", "59.94")


def write(sequence: EditSequence) -> Written:
    return Written({".fcpxml": _document(sequence, "dB")}, tuple(uneven(sequence)))


def write_for_resolve(sequence: EditSequence) -> Written:
    """Resolve reads gains without a unit, and coloured timeline markers only from an EDL."""
    markers = {"_markers.edl": write_markers(sequence).files[".edl"]} if sequence.marks else {}
    return Written({".fcpxml": _document(sequence, ""), **markers}, tuple(uneven(sequence)))


@dataclass(slots=True)
class _Resources:
    """The resources of a document, each with its id."""

    element: ET.Element
    ids: dict[object, str] = field(default_factory=dict)

    def of(self, key: object, tag: str, **attributes: str) -> tuple[str, ET.Element | None]:
        """The id of a resource, and its element where it is new."""
        if key in self.ids:
            return self.ids[key], None
        self.ids[key] = f"r{len(self.ids) + 1}"
        return self.ids[key], ET.SubElement(self.element, tag, {"id": self.ids[key], **attributes})

    def effect(self, name: str) -> str:
        return self.of(name, "effect", name=name, uid=_EFFECTS[name])[0]

    def format(self, rate: Fraction | None, size: tuple[int, int], fields: str = "progressive") -> str:
        about = {"frameDuration": _time(1 / rate)} if rate is not None else {"name": "FFVideoFormatRateUndefined"}
        about |= {"fieldOrder": _FIELDS[fields]} if fields in _FIELDS else {}
        return self.of((rate, size, fields), "format", **about, width=str(size[0]), height=str(size[1]))[0]

    def asset(self, medium: Medium) -> str:
        if medium in self.ids:
            return self.ids[medium]
        about = {"name": plain(medium.name), "start": _time(_zero(medium)), "duration": _time(_lasting(medium))}
        if medium.size is not None:
            rate = None if medium.kind == "still" else medium.rate
            about |= {"hasVideo": "1", "videoSources": "1", "format": self.format(rate, medium.size, medium.fields)}
        if medium.channels:
            about |= {"hasAudio": "1", "audioSources": str(medium.streams)}
            about["audioChannels"] = str(medium.channels // medium.streams)  # of each
            about["audioRate"] = str(medium.sample_rate)
        key, asset = self.of(medium, "asset", **about)
        assert asset is not None  # it is new
        ET.SubElement(asset, "media-rep", kind="original-media", src=file_url(medium.path))
        metadata = ET.SubElement(asset, "metadata")
        ET.SubElement(metadata, "md", key="com.apple.proapps.studio.reel", value=medium.reel)
        return key


def _apart(sound: SoundClip, shown: PictureClip) -> SoundClip:
    """A picture's sound without what its cross dissolves do to it: they fade both."""
    if shown.head.kind == "crossfade":
        sound = replace(sound, start=Fraction(shown.start), fade_in=Fraction(0))
    if shown.tail.kind == "crossfade":
        sound = replace(sound, end=Fraction(shown.end), fade_out=Fraction(0))
    return sound


def _lasting(medium: Medium) -> Fraction:
    if medium.kind == "still":
        return Fraction(0)
    return medium.frames / medium.rate if medium.kind == "film" else medium.duration


def _zero(medium: Medium) -> Fraction:
    """A medium's first moment, in its own time."""
    return medium.numbered.first / medium.rate


def _time(seconds: Fraction) -> str:
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"


def _document(sequence: EditSequence, unit: str) -> bytes:
    root = ET.Element("fcpxml", version=VERSION)
    resources = _Resources(ET.SubElement(root, "resources"))
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name=plain(sequence.name))
    cut = ET.SubElement(
        ET.SubElement(event, "project", name=plain(sequence.name)),
        "sequence",
        format=resources.format(sequence.rate, sequence.size),
        duration=_time(sequence.frames / sequence.rate),
        tcStart=_time(sequence.numbered.first / sequence.rate),
        tcFormat="DF" if sequence.numbered.drop else "NDF",
        audioLayout="stereo",
        audioRate="48k",
    )
    starts = [shown.start for shown in sequence.pictures]
    _Spine(sequence, resources, ET.SubElement(cut, "spine"), unit, starts).fill()
    return document(root, "fcpxml")


@dataclass(slots=True)
class _Spine:
    """The primary storyline, written event by event."""

    sequence: EditSequence
    resources: _Resources
    spine: ET.Element
    unit: str  # after gains
    starts: list[int]  # of the pictures
    titles: int = 0  # written so far

    def fill(self) -> None:
        sequence = self.sequence
        cards = {words.event: words for words in sequence.words if words.card}
        hung, marks = self._hung(), dict[int, list[Mark]]()
        for mark in sequence.marks:
            marks.setdefault(self._host(mark.frame), []).append(mark)
        own = self._own()
        for number, shown in enumerate(sequence.pictures):
            if shown.head.kind == "crossfade":
                self._transition(shown.head, shown.start)
            sound = own.get(shown.label)
            item, start = self._item(shown, cards.get(shown.event), sound)
            for each in hung.get(number, ()):
                self._connect(item, each, start - self._seconds(shown.start))
            for mark in marks.get(number, ()):
                self._mark(item, mark, start + self._seconds(mark.frame - shown.start))

    def _own(self) -> dict[str, SoundClip]:
        """The sound of each picture that is heard in sync with it."""
        seen = {shown.label: shown for shown in self.sequence.pictures}
        sounds = (clip for track in self.sequence.tracks if track.name.startswith("film") for clip in track.clips)
        return {clip.label: clip for clip in sounds if self._in_sync(seen[clip.label], clip)}

    def _in_sync(self, shown: PictureClip, clip: SoundClip) -> bool:
        there = clip.source + self._seconds(shown.start - clip.start) * clip.speed
        return abs(there - shown.source) * self.sequence.rate <= 2

    def _host(self, frame: Fraction | int) -> int:
        """The number of the picture that is seen at a frame."""
        return max(0, bisect_right(self.starts, nearest(Fraction(frame))) - 1)

    def _hung(self) -> dict[int, list[tuple[int, TextClip | SoundClip, str]]]:
        """The clips connected to each picture, each with lane and role: texts above it, sounds below."""
        hung: dict[int, list[tuple[int, TextClip | SoundClip, str]]] = {}
        for lane, line in enumerate(lines_of(tuple(w for w in self.sequence.words if not w.card)), 1):
            for words in line:
                hung.setdefault(self._host(words.start), []).append((lane, words, ""))
        lane, own = 0, self._own()
        for track in self.sequence.tracks:
            apart = replace(track, clips=tuple(clip for clip in track.clips if own.get(clip.label) is not clip))
            for clips in checkered(apart):
                lane -= 1
                for clip in clips:
                    hung.setdefault(self._host(clip.start), []).append((lane, clip, track.role))
        return hung

    def _seconds(self, frames: Fraction | int) -> Fraction:
        return Fraction(frames) / self.sequence.rate

    def _offset(self, frame: int) -> str:
        return _time(self._seconds(self.sequence.numbered.first + frame))

    def _transition(self, joint: Joint, cut: int) -> None:
        length = _time(self._seconds(joint.before + joint.after))
        offset = self._offset(cut - joint.before)
        transition = ET.SubElement(self.spine, "transition", name="Cross Dissolve", offset=offset, duration=length)
        for tag, name in (("filter-video", "Cross Dissolve"), ("filter-audio", "Audio Crossfade")):
            ET.SubElement(transition, tag, ref=self.resources.effect(name), name=name)

    def _item(self, shown: PictureClip, card: TextClip | None, sound: SoundClip | None) -> tuple[ET.Element, Fraction]:
        """An event in the storyline, and its start in its own time."""
        place = {"offset": self._offset(shown.start), "name": plain(shown.name)}
        place["duration"] = _time(self._seconds(shown.length))
        medium = shown.medium
        if card is not None:
            item = self._title(self.spine, card, shown.end - shown.start, place)
            self._opacity(item, shown)
            return item, _STILL_START
        if medium is None:
            return ET.SubElement(self.spine, "gap", {**place, "start": _time(_STILL_START)}), _STILL_START
        if medium.kind == "still":
            about = {"ref": self.resources.asset(medium), **place, "start": _time(_STILL_START)}
            item = ET.SubElement(self.spine, "video", about)
            self._opacity(item, shown)
            return item, _STILL_START
        start = self._start(shown.source, shown.speed, medium)
        item = self._clip(self.spine, medium, start, place, shown.speed)
        if shown.fills:
            ET.SubElement(item, "adjust-conform", type="fill")
        self._opacity(item, shown)
        if sound is None:
            item.set("srcEnable", "video")
        else:
            sound = _apart(sound, shown)
            item.set("audioRole", "dialogue")
            over = (shown.start - sound.start, sound.end - shown.end)
            if any(over):
                item.set("audioStart", _time(start - self._seconds(over[0])))
                item.set("audioDuration", _time(self._seconds(sound.end - sound.start)))
            self._volume(item, sound, start - self._seconds(shown.start))
        return item, start

    def _start(self, source: Fraction, speed: Fraction, medium: Medium) -> Fraction:
        """Where a clip begins in its medium at the clip's speed; at the sequence's own rate, on a whole picture."""
        if speed == 1 and medium.rate == self.sequence.rate:
            return _zero(medium) + medium.picture(source) / medium.rate
        return _zero(medium) + source / speed

    def _clip(
        self, parent: ET.Element, medium: Medium, start: Fraction, place: dict[str, str], speed: Fraction
    ) -> ET.Element:
        about = {"ref": self.resources.asset(medium), **place, "start": _time(start)}
        about["tcFormat"] = "DF" if medium.numbered.drop else "NDF"
        item = ET.SubElement(parent, "asset-clip", about)
        if medium.kind == "film" and medium.rate != self.sequence.rate:
            rate = f"{float(medium.rate):.2f}".removesuffix(".00")
            known = {"srcFrameRate": rate} if rate in _CONFORMED else {}
            ET.SubElement(item, "conform-rate", {"scaleEnabled": "0", **known})
        if speed != 1:
            remap, zero, length = ET.SubElement(item, "timeMap"), _zero(medium), _lasting(medium)
            for time, value in ((zero, zero), (zero + length / speed, zero + length)):
                ET.SubElement(remap, "timept", time=_time(time), value=_time(value), interp="linear")
        return item

    def _opacity(self, item: ET.Element, shown: PictureClip) -> None:
        """The fades of a picture from and to black."""
        if (head := shown.head.faded[1]) + (tail := shown.tail.faded[0]):
            self._fades(ET.SubElement(item, "adjust-blend"), head, tail)

    def _fades(self, adjust: ET.Element, head: Fraction | int, tail: Fraction | int) -> ET.Element | None:
        if not head and not tail:
            return None
        param = ET.SubElement(adjust, "param", name="amount")
        for name, frames in (("fadeIn", head), ("fadeOut", tail)):
            if frames:
                ET.SubElement(param, name, type="linear", duration=_time(self._seconds(frames)))
        return param

    def _volume(self, item: ET.Element, clip: SoundClip, shift: Fraction) -> None:
        """Gain, fades and ramps. `shift` converts seconds of the sequence to the clip's own time."""
        if not (clip.levels or clip.gain or clip.fade_in or clip.fade_out):
            return
        volume = ET.SubElement(item, "adjust-volume")
        param = self._fades(volume, clip.fade_in, clip.fade_out)
        if clip.levels:
            param = ET.SubElement(volume, "param", name="amount") if param is None else param
            keys = ET.SubElement(param, "keyframeAnimation")
            for at, level in clip.levels:
                time = _time(self._seconds(at) + shift)
                ET.SubElement(keys, "keyframe", time=time, value=self._gain(clip.gain + level))
        elif clip.gain:
            volume.set("amount", self._gain(clip.gain))

    def _gain(self, level: Fraction) -> str:
        return f"{float(level):g}{self.unit}"

    # What is connected to an event

    def _connect(self, item: ET.Element, hung: tuple[int, TextClip | SoundClip, str], shift: Fraction) -> None:
        """`shift` converts seconds of the sequence to the host clip's own time."""
        lane, what, role = hung
        if isinstance(what, SoundClip):
            self._connected(item, what, lane, role, shift)
            return
        place = {"lane": str(lane), "name": plain(what.text)[:80], "offset": _time(self._seconds(what.start) + shift)}
        title = self._title(item, what, what.end - what.start, place)
        if what.fade_in or what.fade_out:
            self._fades(ET.SubElement(title, "adjust-blend"), what.fade_in, what.fade_out)

    def _connected(self, item: ET.Element, clip: SoundClip, lane: int, role: str, shift: Fraction) -> None:
        """A sound, moved to a frame with its content. `shift` converts to the host clip's own time."""
        first, last = clip.frames
        source = max(Fraction(0), clip.source + self._seconds(first - clip.start) * clip.speed)
        start = _zero(clip.medium) + source / clip.speed
        place = {"lane": str(lane), "offset": _time(self._seconds(first) + shift), "name": plain(clip.name)}
        place["duration"] = _time(self._seconds(last - first))
        connected = self._clip(item, clip.medium, start, place, clip.speed)
        if clip.medium.kind == "film":
            connected.set("srcEnable", "audio")
        connected.set("audioRole", role)
        fades = min(clip.fade_in, Fraction(last - first)), clip.fade_out
        moved = replace(clip, fade_in=fades[0], fade_out=min(fades[1], last - first - fades[0]))
        self._volume(connected, moved, start - self._seconds(first))

    def _title(self, parent: ET.Element, words: TextClip, frames: int, place: dict[str, str]) -> ET.Element:
        about = {"ref": self.resources.effect("Basic Title"), **place, "start": _time(_STILL_START)}
        title = ET.SubElement(parent, "title", {**about, "duration": _time(self._seconds(frames))})
        height = str(_HEIGHTS.get(words.position, 0))
        key = "9999/999166631/999166633/1/100/101"
        ET.SubElement(title, "param", name="Position", key=key, value=f"0 {height}")
        self.titles += 1
        style = f"ts{self.titles}"
        ET.SubElement(ET.SubElement(title, "text"), "text-style", ref=style).text = plain(words.text, lines=True)
        face = self.sequence.face
        red, green, blue = (int(face.color[at : at + 2], 16) / 255 for at in (1, 3, 5))
        known = {"font": face.family, "fontSize": str(nearest(face.size * 1080)), "alignment": "center"}
        known["fontColor"] = f"{red:.4g} {green:.4g} {blue:.4g} 1"
        ET.SubElement(ET.SubElement(title, "text-style-def", id=style), "text-style", known)
        return title

    def _mark(self, item: ET.Element, mark: Mark, at: Fraction) -> None:
        length = _time(self._seconds(1))
        marker = ET.SubElement(item, "marker", start=_time(at), duration=length, value=plain(mark.name))
        if mark.note:
            marker.set("note", plain(mark.note))
