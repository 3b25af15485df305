"""EditSequence → xmeml 5, the XML of Final Cut Pro 7, which Premiere Pro and Resolve read.

It counts in frames. A clip at a transition has -1 for that end: the transition says where. Of a retimed clip `in` and
`out` count frames as it runs, and the graph of its time remap says which picture each is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from typing import Literal
from xml.etree import ElementTree as ET

from cinecut.diagnostics import Stop
from cinecut.interchange.locate import file_url
from cinecut.interchange.model import (
    EditSequence,
    Medium,
    PictureClip,
    SoundClip,
    SoundTrack,
    TextClip,
    Unsupported,
    Written,
    counts_frames,
)
from cinecut.interchange.writers.edl import uncounted, uneven
from cinecut.interchange.writers.lines import lines_of
from cinecut.interchange.writers.xml_text import add, document, fill, plain
from cinecut.language.timebase import Timecodes, nearest, rate_text

_TICKS = 254016000000  # Premiere's own clock: ticks a second
_LOUDEST = Fraction(12)  # dB
_DIPS = {"dip to black": "#000000", "dip to white": "#ffffff"}
_SIDES = {"in": "start-black", "out": "end-black", "both": "center"}
Media = Literal["video", "audio"]


def write(sequence: EditSequence) -> Written:
    """Raises Stop where xmeml cannot express the sequence's rate."""
    rate = sequence.rate
    if not counts_frames(rate):
        message = f"xmeml counts whole frames a second, or 1000/1001 of them; this trailer has {rate_text(rate)}"
        raise Stop("option", f"--to premiere: {message}", "set output: {rate: …} to the nearest standard rate")
    return Written(
        {".xml": _Document(sequence).text()}, (*uncounted(sequence), *uneven(sequence), *_too_loud(sequence))
    )


def _too_loud(sequence: EditSequence) -> Iterator[Unsupported]:
    for track in sequence.tracks:
        for clip in track.clips:
            if clip.gain > _LOUDEST:
                yield Unsupported(clip.event, f"gain {float(clip.gain):g} dB", f"{_LOUDEST} dB, the most there is")


@dataclass(frozen=True, slots=True)
class _Used:
    """What a clip plays of a medium, with its transitions: from second `source` on, `length` frames of the sequence."""

    medium: Medium
    source: Fraction
    speed: Fraction
    length: int


@dataclass(slots=True)
class _Document:
    sequence: EditSequence
    files: dict[Medium, str] = field(default_factory=dict)
    clips: int = 0
    links: dict[str, list[tuple[ET.Element, str, Media, int, int]]] = field(default_factory=dict)

    def text(self) -> bytes:
        sequence, root = self.sequence, ET.Element("xmeml", version="5")
        cut = add(root, "sequence", id="sequence-1")
        fill(cut, name=plain(sequence.name), duration=sequence.frames)
        _rate(cut, sequence.rate)
        _timecode(cut, sequence.numbered, sequence.timecode(0))
        media = add(cut, "media")
        self._video(add(media, "video"))
        self._audio(add(media, "audio"))
        for mark in sequence.marks:
            fill(add(cut, "marker"), name=plain(mark.name), comment=plain(mark.note), in_=mark.frame, out=-1)
        self._link()
        return document(root, "xmeml")

    # Pictures

    def _video(self, video: ET.Element) -> None:
        about = add(add(video, "format"), "samplecharacteristics")
        _rate(about, self.sequence.rate)
        _size(about, self.sequence.size)
        track, clips, pictures = add(video, "track"), 0, self.sequence.pictures
        for before, shown, following in zip((None, *pictures), pictures, (*pictures[1:], None), strict=False):
            crossed = (self._crossed(before, shown), self._crossed(shown, following))
            self._joint(track, before, shown, crossed[0])
            if shown.medium is not None:
                clips += 1
                self._shown(track, shown, shown.medium, crossed, clips)
            if shown.medium is not None and shown.tail.faded[0] and not any(crossed[1]):
                self._transition(track, (shown.end - shown.tail.before, shown.end), "out", "video", shown.tail.kind)
        _switches(track)
        for line in lines_of(self.sequence.words):
            self._words(add(video, "track"), line)

    def _crossed(self, before: PictureClip | None, shown: PictureClip | None) -> tuple[int, int]:
        """Frames before and after a cut in which both sides run. A dip that lacks material for it is a fade on each
        side."""
        if before is None or shown is None:
            return 0, 0
        head = shown.head
        if head.kind.startswith("dip") and self._reaches(before, tail=head.after) and self._reaches(shown, head.before):
            return head.before, head.after
        return head.crossed

    def _reaches(self, shown: PictureClip, head: int = 0, tail: int = 0) -> bool:
        """Whether a medium has so many frames more before and after what is shown of it."""
        if shown.medium is None or shown.medium.kind == "still":
            return shown.medium is not None
        step = shown.speed / self.sequence.rate
        return shown.source >= head * step and shown.source + (shown.length + tail) * step <= shown.medium.duration

    def _joint(
        self, track: ET.Element, before: PictureClip | None, shown: PictureClip, crossed: tuple[int, int]
    ) -> None:
        """The transition at the start of a picture."""
        alone, (lead, lag) = before is None or before.medium is None, crossed
        if any(crossed) and not (alone and shown.medium is None):
            side = "in" if alone else "out" if shown.medium is None else "both"
            self._transition(track, (shown.start - lead, shown.start + lag), side, "video", shown.head.kind)
        elif shown.medium is not None and (fade := shown.head.faded[1]):
            self._transition(track, (shown.start, shown.start + fade), "in", "video", shown.head.kind)

    def _shown(
        self,
        track: ET.Element,
        shown: PictureClip,
        medium: Medium,
        crossed: tuple[tuple[int, int], tuple[int, int]],
        number: int,
    ) -> None:
        head, tail = crossed
        item = self._item(track, shown.name)
        ends = (any(head) or shown.head.faded[1] > 0, any(tail) or shown.tail.faded[0] > 0)
        source = shown.source - head[0] * shown.speed / self.sequence.rate
        used = _Used(medium, source, shown.speed, shown.length + head[0] + tail[1])
        self._range(item, (shown.start, shown.end), ends, used)
        self._file(item, medium)
        if shown.speed != 1:
            _remap(item, used, self.sequence.rate, "video")
        if medium.size is not None and medium.size != self.sequence.size:
            _scale(item, medium.size, self.sequence.size, shown.fills)
        self.links.setdefault(shown.label, []).append((item, item.get("id", ""), "video", 1, number))

    def _transition(
        self, track: ET.Element, place: tuple[int, int], side: str, media: Media, kind: str = "crossfade"
    ) -> None:
        transition = fill(add(track, "transitionitem"), start=place[0], end=place[1], alignment=_SIDES[side])
        _rate(transition, self.sequence.rate)
        if media == "audio":
            _effect(transition, "Cross Fade (+3dB)", "KGAudioTransCrossFade3dB", "", "transition", "audio")
        elif (color := _DIPS.get(kind)) is None:
            _effect(transition, "Cross Dissolve", "Cross Dissolve", "Dissolve", "transition", "video")
        else:
            effect = _effect(
                transition, "Dip to Color Dissolve", "Dip to Color Dissolve", "Dissolve", "transition", "video"
            )
            _color(effect, "dipcolor", "Color", color)

    def _item(self, track: ET.Element, name: str) -> ET.Element:
        self.clips += 1
        return fill(add(track, "clipitem", id=f"clipitem-{self.clips}"), name=plain(name), enabled="TRUE")

    def _range(self, item: ET.Element, place: tuple[int, int], joined: tuple[bool, bool], used: _Used) -> None:
        """Where a clip lies, in the sequence's frames at the clip's speed."""
        rate, first = self.sequence.rate, self._first(used)
        add(item, "duration", nearest(used.medium.duration / used.speed * rate))
        _rate(item, rate)
        start, end = (-1 if met else frame for met, frame in zip(joined, place, strict=True))
        fill(item, start=start, end=end, in_=first, out=first + used.length)
        begin, length = max(Fraction(0), used.source / used.speed), used.length / rate
        fill(item, pproTicksIn=nearest(begin * _TICKS), pproTicksOut=nearest((begin + length) * _TICKS))

    def _first(self, used: _Used) -> int:
        exact = max(Fraction(0), used.source / used.speed * self.sequence.rate)
        return exact // 1 if used.speed == 1 and used.medium.kind == "film" else nearest(exact)

    def _file(self, item: ET.Element, medium: Medium) -> None:
        if medium in self.files:
            add(item, "file", id=self.files[medium])
            return
        self.files[medium] = f"file-{len(self.files) + 1}"
        file = add(item, "file", id=self.files[medium])
        url = file_url(medium.path).replace("file:///", "file://localhost/", 1)
        fill(file, name=plain(medium.name), pathurl=url)
        _rate(file, medium.rate)
        add(file, "duration", medium.frames)
        if medium.kind != "still":
            add(add(_timecode(file, medium.numbered, medium.numbered.of(Fraction(0))), "reel"), "name", medium.reel)
        media = add(file, "media")
        if medium.size is not None:
            about = add(add(media, "video"), "samplecharacteristics")
            _rate(about, medium.rate)
            _size(about, medium.size, {"tff": "upper", "bff": "lower"}.get(medium.fields, "none"))
        if medium.channels:
            sound = add(media, "audio")
            fill(add(sound, "samplecharacteristics"), depth=16, samplerate=medium.sample_rate)
            add(sound, "channelcount", medium.channels)

    def _words(self, track: ET.Element, line: list[TextClip]) -> None:
        for words in line:
            if words.fade_in:
                self._transition(track, (words.start, words.start + words.fade_in), "in", "video")
            self.clips += 1
            item = add(track, "generatoritem", id=f"clipitem-{self.clips}")
            frames = words.end - words.start
            _rate(fill(item, name=plain(words.text)[:80], enabled="TRUE", duration=frames), self.sequence.rate)
            start, end = -1 if words.fade_in else words.start, -1 if words.fade_out else words.end
            fill(item, start=start, end=end, in_=0, out=frames)
            self._text(item, words)
            if words.fade_out:
                self._transition(track, (words.end - words.fade_out, words.end), "out", "video")
        _switches(track)

    def _text(self, item: ET.Element, words: TextClip) -> None:
        effect = _effect(item, "Text", "Text", "Text", "generator", "video")
        face = self.sequence.face
        _parameter(effect, "str", "Text", plain(words.text, lines=True))
        _parameter(effect, "fontname", "Font", face.family)
        _parameter(effect, "fontsize", "Size", nearest(face.size * self.sequence.size[1]))
        _parameter(effect, "fontalign", "Alignment", 2)
        _color(effect, "fontcolor", "Font Color", face.color)
        origin = add(_parameter(effect, "origin", "Origin"), "value")
        fill(origin, horiz=0, vert={"upper": -0.37, "lower": 0.37}.get(words.position, 0))

    # Sounds

    def _audio(self, audio: ET.Element) -> None:
        add(audio, "numOutputChannels", 2)
        fill(add(add(audio, "format"), "samplecharacteristics"), depth=16, samplerate=48000)
        index = 0
        for track in self.sequence.tracks:
            channels = min(2, max(clip.medium.channels for clip in track.clips)) if track.clips else 0
            for channel in range(1, channels + 1):
                index += 1
                kind = {"premiereTrackType": "Stereo", "totalExplodedTrackCount": "2"} if channels == 2 else {}
                kind |= {"currentExplodedTrackIndex": str(channel - 1)} if channels == 2 else {}
                self._track(ET.SubElement(audio, "track", kind), track, channel, index)

    def _track(self, element: ET.Element, track: SoundTrack, channel: int, index: int) -> None:
        for number, (clip, following) in enumerate(zip_longest(track.clips, track.clips[1:]), 1):
            self._heard(element, clip, following, channel, (index, number))
        _switches(element)
        add(element, "outputchannelindex", channel)

    def _heard(
        self, track: ET.Element, clip: SoundClip, following: SoundClip | None, channel: int, at: tuple[int, int]
    ) -> None:
        """A clip on its nearest frames, its content moved with it; its fades are transitions."""
        rate = self.sequence.rate
        start, end = clip.frames
        lead, after = (nearest(part) for part in clip.head or (Fraction(0), Fraction(0)))
        lag = nearest(following.head[1]) if following is not None and following.head is not None else 0
        if clip.head is not None and lead + after:
            self._transition(track, (start - lead, start + after), "both", "audio")
        elif fade := nearest(clip.fade_in):
            self._transition(track, (start, start + fade), "in", "audio")
        out = 0 if following is not None and following.head is not None else nearest(clip.fade_out)
        item = self._item(track, clip.name)
        source = clip.source + (start - lead - clip.start) * clip.speed / rate
        ends = (bool(lead + after or nearest(clip.fade_in)), bool(out or (following and following.head)))
        used = _Used(clip.medium, source, clip.speed, end - start + lead + lag)
        self._range(item, (start, end), ends, used)
        self._file(item, clip.medium)
        fill(add(item, "sourcetrack"), mediatype="audio", trackindex=channel)
        if clip.speed != 1:
            _remap(item, used, rate, "audio")
        _levels(item, clip, self._first(used) - start + lead)
        self.links.setdefault(clip.label, []).append((item, item.get("id", ""), "audio", *at))
        if out:
            self._transition(track, (end - out, end), "out", "audio")

    def _link(self) -> None:
        """Link each picture with the channels of its sound."""
        for group in self.links.values():
            for item, _, _, _, _ in group if len(group) > 1 else ():
                for _, name, media, track, clip in group:
                    fill(add(item, "link"), linkclipref=name, mediatype=media, trackindex=track, clipindex=clip)


def _rate(parent: ET.Element, rate: Fraction) -> None:
    fill(add(parent, "rate"), timebase=-(-rate // 1), ntsc="TRUE" if rate.denominator == 1001 else "FALSE")


def _size(parent: ET.Element, size: tuple[int, int], fields: str = "none") -> None:
    fill(parent, width=size[0], height=size[1], pixelaspectratio="square", fielddominance=fields)


def _timecode(parent: ET.Element, numbered: Timecodes, first: str) -> ET.Element:
    timecode = add(parent, "timecode")
    _rate(timecode, numbered.rate)
    return fill(timecode, string=first, frame=numbered.first, displayformat="DF" if numbered.drop else "NDF")


def _switches(track: ET.Element) -> None:
    fill(track, enabled="TRUE", locked="FALSE")


def _effect(parent: ET.Element, name: str, id_: str, category: str, kind: str, media: Media) -> ET.Element:
    effect = fill(add(parent, "effect"), name=name, effectid=id_)
    if category:
        add(effect, "effectcategory", category)
    return fill(effect, effecttype=kind, mediatype=media)


def _parameter(effect: ET.Element, id_: str, name: str, value: object = None) -> ET.Element:
    parameter = fill(add(effect, "parameter"), parameterid=id_, name=name)
    if value is not None:
        add(parameter, "value", value)
    return parameter


def _scale(item: ET.Element, have: tuple[int, int], frame: tuple[int, int], fills: bool) -> None:
    """Scale a picture of another size to the frame: Premiere shows each pixel as one."""
    shares = [100 * Fraction(wanted, size) for wanted, size in zip(frame, have, strict=True)]
    effect = _effect(add(item, "filter"), "Basic Motion", "basic", "motion", "motion", "video")
    _parameter(effect, "scale", "Scale", _number(max(shares) if fills else min(shares)))


def _color(effect: ET.Element, id_: str, name: str, color: str) -> None:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    fill(add(_parameter(effect, id_, name), "value"), alpha=255, red=red, green=green, blue=blue)


def _remap(item: ET.Element, used: _Used, rate: Fraction, media: Media) -> None:
    """A constant speed. The graph holds the exact picture of each frame, also where `in` had to be rounded."""
    effect = _effect(add(item, "filter"), "Time Remap", "timeremap", "motion", "motion", media)
    _parameter(effect, "variablespeed", "variablespeed", 0)
    _parameter(effect, "speed", "speed", _number(used.speed * 100))
    _parameter(effect, "reverse", "reverse", "FALSE")
    _parameter(effect, "frameblending", "frameblending", "FALSE")
    graph = _parameter(effect, "graphdict", "graphdict")
    first = nearest(max(Fraction(0), used.source / used.speed * rate))
    end, whole = used.source + used.length * used.speed / rate, used.medium.duration
    keys = {"start": (0, Fraction(0)), "in": (first, used.source), "out": (first + used.length, end)}
    keys |= {"end": (nearest(whole / used.speed * rate), whole)}
    for name, (when, moment) in keys.items():
        value = _number(moment * used.medium.rate)
        key = fill(add(graph, "keyframe"), when=when, value=value, speedvirtualkf="TRUE")
        add(key, f"speedkf{name}", "TRUE")
    add(add(graph, "interpolation"), "name", "FCPCurve")


def _number(value: Fraction) -> str:
    return f"{float(value):.6f}".rstrip("0").rstrip(".")


def _levels(item: ET.Element, clip: SoundClip, shift: int) -> None:
    """Gain and ramps, as factors. `shift` converts frames of the sequence to the clip's own."""
    if not clip.gain and not clip.levels:
        return
    effect = _effect(add(item, "filter"), "Audio Levels", "audiolevels", "audiolevels", "audiolevels", "audio")
    level = _parameter(effect, "level", "Level", _number(_factor(clip.gain)))
    for at, change in clip.levels:
        when, factor = max(0, nearest(at) + shift), _factor(clip.gain + change)
        fill(add(level, "keyframe"), when=when, value=_number(factor))


def _factor(gain: Fraction) -> Fraction:
    return Fraction(10 ** (float(min(gain, _LOUDEST)) / 20))
