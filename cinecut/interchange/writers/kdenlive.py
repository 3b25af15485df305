"""EditSequence → an MLT project as Kdenlive writes it, which Shotcut opens and melt plays.

Each track is a tractor of two playlists: where two clips cross-fade, both run through the joint, each on its own, and a
mix of the tractor leads from one to the other. Sounds that cross-fade stand on two tracks and fade there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree import ElementTree as ET

from cinecut.diagnostics import excerpt
from cinecut.interchange.model import (
    COLORS,
    EditSequence,
    Medium,
    PictureClip,
    SoundClip,
    TextClip,
    Unsupported,
    Written,
)
from cinecut.interchange.writers.edl import uneven
from cinecut.interchange.writers.lines import checkered, lines_of
from cinecut.interchange.writers.xml_text import add, document, plain
from cinecut.language.timebase import nearest

_AS_MIXED = {1: Fraction("3.01"), 6: Fraction("-7.66")}
"""dB by channels: what makes MLT's stereo as loud as a render's. It splits one channel at -3 dB each, and adds up 5.1
without lowering it, once a clip has a filter of its own."""
_FONT_SHARE = Fraction(3, 4)  # Qt's points of a picture's lines


def write(sequence: EditSequence) -> Written:
    project = _Project(sequence)
    return Written({".kdenlive": project.text()}, (*uneven(sequence), *project.lost))


@dataclass(slots=True)
class _Project:
    sequence: EditSequence
    root: ET.Element = field(default_factory=lambda: ET.Element("mlt", LC_NUMERIC="C", version="7.12.0"))
    producers: dict[object, str] = field(default_factory=dict)
    tracks: list[str] = field(default_factory=list)
    clips: int = 0
    lost: list[Unsupported] = field(default_factory=list)

    def text(self) -> bytes:
        sequence = self.sequence
        self.root.set("producer", "main_bin")
        self._profile()
        main_bin = ET.Element("playlist", id="main_bin")
        black = self._producer("black", "color", "black", sequence.frames)
        body: list[ET.Element] = []
        for track in sequence.tracks:
            body += [self._sound_track(track.name, line) for line in checkered(track)]
        body.append(self._picture_track())
        body += [self._words_track(line, number) for number, line in enumerate(lines_of(sequence.words), 1)]
        self._bin(main_bin)
        self.root.append(main_bin)
        self.root.extend(body)
        self._main(black)
        return document(self.root)

    def _profile(self) -> None:
        rate, (width, height) = self.sequence.rate, self.sequence.size
        shape = Fraction(width, height)
        about = {"width": width, "height": height, "progressive": 1, "colorspace": 709 if height > 576 else 601}
        about |= {"frame_rate_num": rate.numerator, "frame_rate_den": rate.denominator}
        about |= {"sample_aspect_num": 1, "sample_aspect_den": 1}
        about |= {"display_aspect_num": shape.numerator, "display_aspect_den": shape.denominator}
        ET.SubElement(self.root, "profile", {key: str(value) for key, value in about.items()})

    # Media

    def _producer(self, key: object, service: str, resource: str, frames: int, **more: str) -> str:
        if key not in self.producers:
            self.producers[key] = f"producer{len(self.producers)}"
            place = {"id": self.producers[key], "in": "0", "out": str(frames - 1)}
            producer = ET.SubElement(self.root, "producer", place)
            about = {"length": str(frames), "eof": "pause", "resource": resource, "mlt_service": service}
            _properties(producer, {**about, **more, "kdenlive:id": str(len(self.producers) + 1)})
        return self.producers[key]

    def _medium(self, medium: Medium, speed: Fraction) -> str:
        frames = max(1, nearest(medium.duration / speed * self.sequence.rate))
        path = plain(medium.path, lines=True)
        if path != medium.path:
            lost = Unsupported("trailer", f"the name {excerpt(medium.name)}", "a file that is not found: rename it")
            self.lost += [lost] if lost not in self.lost else []
        if speed != 1:
            factor = f"{float(speed):.12g}"
            more = {"warp_speed": factor, "warp_resource": path, "warp_pitch": "1"}
            return self._producer((medium, speed), "timewarp", f"{factor}:{path}", frames, **more)
        service = "qimage" if medium.kind == "still" else "avformat"
        return self._producer((medium, speed), service, path, frames)

    def _bin(self, main_bin: ET.Element) -> None:
        marks = [
            {"comment": ": ".join(filter(None, (m.name, m.note))), "pos": m.frame, "type": COLORS.index(m.color)}
            for m in self.sequence.marks
        ]
        about = {"kdenlive:docproperties.version": "1.04", "kdenlive:docproperties.kdenliveversion": "22.12.3"}
        about["kdenlive:docproperties.guides"] = json.dumps(marks)
        _properties(main_bin, {**about, "xml_retain": "1"})
        for key, name in self.producers.items():
            if isinstance(key, tuple):
                ET.SubElement(main_bin, "entry", producer=name)

    # Tracks

    def _picture_track(self) -> ET.Element:
        """Both playlists, and the mixes between them."""
        lists, ends = (ET.Element("playlist"), ET.Element("playlist")), [0, 0]
        side, mixes = 0, list[ET.Element]()
        for shown in self.sequence.pictures:
            lead, lag = shown.head.crossed[0], shown.tail.after if shown.tail.crossed[0] else 0
            if lead:
                side = 1 - side
                start, length = shown.start - lead, lead + shown.head.after
                mixes.append(_mix(start, length, lead, reverse=side == 0))
            if shown.medium is None and not (lead or lag):
                continue
            self._blank(lists[side], ends, side, shown.start - lead)
            self._shown(lists[side], shown, lead, lag)
            ends[side] = shown.end + lag
        return self._track("picture", lists, mixes, hide="audio")

    def _shown(self, playlist: ET.Element, shown: PictureClip, lead: int, lag: int) -> None:
        length = shown.length + lead + lag
        if shown.medium is None:
            name, first = self._producer("dark", "color", "black", self.sequence.frames), 0
        else:
            name = self._medium(shown.medium, shown.speed)
            first = self._first(shown, lead)
        entry = self._entry(playlist, name, first, length)
        if shown.fills:
            _filter(entry, "crop", first, length, "crop", {"center": "1"})
        for filter_name, file in shown.looks:
            kind = f"avfilter.{filter_name}"
            _filter(entry, kind, first, length, kind, {"av.file": plain(self.sequence.beside + file, lines=True)})
        head, tail = shown.head.faded[1], shown.tail.faded[0]
        if head:
            level = {"level": f"0=0;{head}=1", "start": "1"}
            _filter(entry, "brightness", first, head, "fade_from_black", level)
        if tail:
            level = {"level": f"0=1;{tail}=0", "start": "1"}
            _filter(entry, "brightness", first + length - tail, tail, "fade_to_black", level)

    def _first(self, shown: PictureClip, lead: int) -> int:
        """The first frame that is read of a medium as it runs at the sequence's rate.

        MLT shows the picture nearest to a frame's time, cinecut the one on screen at it: the best start is found by
        comparing them."""
        assert shown.medium is not None
        step = shown.speed * shown.medium.rate / self.sequence.rate
        if shown.medium.kind == "still":
            return 0
        if step == 1:
            return shown.medium.picture(shown.source) - lead
        begin = shown.source * shown.medium.rate - lead * step
        frames = range(shown.length + lead)
        wanted = [begin + k * step for k in frames]
        guess = nearest(begin / step)
        best, fewest = guess, len(wanted) + 1
        for first in range(guess, max(-1, guess - nearest(1 / step) - 2), -1):
            wrong = sum(nearest((first + k) * step) != wanted[k] // 1 for k in frames)
            if wrong < fewest:
                best, fewest = first, wrong
            if not wrong:
                break
        if fewest:
            moved = f"{fewest} of {len(wanted)} pictures are their neighbours"
            self.lost.append(Unsupported(shown.event, "its pictures lie between two frames", moved))
        return best

    def _words_track(self, line: list[TextClip], number: int) -> ET.Element:
        playlist, ends = ET.Element("playlist"), [0]
        for words in line:
            length = words.end - words.start
            self._blank(playlist, ends, 0, words.start)
            name = f"title{self.clips}"
            data = {"xmldata": _title(words, self.sequence), "kdenlive:clipname": plain(words.text)[:60]}
            producer = self._producer(name, "kdenlivetitle", "", length, **data)
            entry = self._entry(playlist, producer, 0, length)
            for frames, level, at in ((words.fade_in, "0=0;{}=1", 0), (words.fade_out, "0=1;{}=0", length)):
                if frames:
                    kind = "fade_from_black" if at == 0 else "fade_to_black"
                    alpha = {"alpha": level.format(frames), "level": "1"}
                    _filter(entry, "brightness", at if at == 0 else at - frames, frames, kind, alpha)
            ends[0] = words.end
        return self._track(f"titles {number}", (playlist, ET.Element("playlist")), [], hide="audio")

    def _sound_track(self, name: str, line: list[SoundClip]) -> ET.Element:
        playlist, ends, rate = ET.Element("playlist"), [0], self.sequence.rate
        for clip in line:
            start, end = clip.frames
            source = max(Fraction(0), clip.source + (start - clip.start) * clip.speed / rate)
            first = nearest(source / clip.speed * rate)
            whole = clip.medium.kind == "film" and clip.speed == 1 and clip.medium.rate == rate
            first = clip.medium.picture(source) if whole else first
            self._blank(playlist, ends, 0, start)
            if end - start == 1:
                self.lost.append(Unsupported(clip.event, "its sound, of one frame", "silence, as MLT 7.12 plays it"))
            entry = self._entry(playlist, self._medium(clip.medium, clip.speed), first, end - start)
            self._levels(entry, clip, first, start, end)
            ends[0] = end
        return self._track(name, (playlist, ET.Element("playlist")), [], hide="video")

    def _levels(self, entry: ET.Element, clip: SoundClip, first: int, start: int, end: int) -> None:
        """Gain and ramps as one filter, fades as others."""
        length, gain = end - start, clip.gain + _AS_MIXED.get(clip.medium.channels, 0)
        if gain or clip.levels:
            keys = [(nearest(at) - start, gain + level) for at, level in clip.levels] or [(0, gain)]
            levels = ";".join(f"{max(0, at)}={float(level):g}" for at, level in keys)
            _filter(entry, "volume", first, length, "volume", {"level": levels})
        if fade := nearest(clip.fade_in):
            _filter(entry, "volume", first, fade, "fadein", {"gain": "0", "end": "1"})
        if fade := nearest(clip.fade_out):
            _filter(entry, "volume", first + length - fade, fade, "fadeout", {"gain": "1", "end": "0"})

    def _entry(self, playlist: ET.Element, producer: str, first: int, length: int) -> ET.Element:
        """A stretch of a producer. MLT shortens what goes on beyond a producer's length, and all that follows begins
        earlier: so that is made longer, by the fraction of a frame by which roundings differ."""
        self.clips += 1
        made = next(each for each in self.root.iterfind("producer") if each.get("id") == producer)
        if first + length > int(made.get("out", "")) + 1:
            made.set("out", str(first + length - 1))
            made[0].text = str(first + length)  # its length
        return ET.SubElement(
            playlist, "entry", {"producer": producer, "in": str(first), "out": str(first + length - 1)}
        )

    def _blank(self, playlist: ET.Element, ends: list[int], side: int, start: int) -> None:
        if start > ends[side]:
            ET.SubElement(playlist, "blank", length=str(start - ends[side]))

    def _track(self, name: str, lists: tuple[ET.Element, ET.Element], mixes: list[ET.Element], hide: str) -> ET.Element:
        number = len(self.tracks)
        self.tracks.append(hide)
        tractor = ET.Element("tractor", {"id": f"tractor{number}", "in": "0", "out": str(self.sequence.frames - 1)})
        kind = {"kdenlive:audio_track": "1"} if hide == "video" else {}
        _properties(tractor, {**kind, "kdenlive:track_name": name})
        for part, playlist in enumerate(lists):
            playlist.set("id", f"playlist{number}_{part}")
            self.root.append(playlist)
            ET.SubElement(tractor, "track", producer=f"playlist{number}_{part}", hide=hide)
        tractor.extend(mixes)
        return tractor

    def _main(self, black: str) -> None:
        """All tracks over black: sounds are summed, pictures laid over one another."""
        tractor = add(self.root, "tractor", id="timeline")
        ET.SubElement(tractor, "track", producer=black)
        for number in range(len(self.tracks)):
            ET.SubElement(tractor, "track", producer=f"tractor{number}")
        for number, hide in enumerate(self.tracks, 1):
            mix = ET.SubElement(tractor, "transition")
            mixed = {"mlt_service": "mix", "sum": "1"} if hide == "video" else {"mlt_service": "qtblend"}
            about = {"a_track": "0", "b_track": str(number), **mixed, "always_active": "1", "internal_added": "237"}
            _properties(mix, about)


def _properties(parent: ET.Element, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        ET.SubElement(parent, "property", name=name).text = value


def _filter(entry: ET.Element, service: str, first: int, length: int, id_: str, values: Mapping[str, str]) -> None:
    last = max(1, first + length - 1)  # MLT takes from 0 to 0 for the whole
    effect = ET.SubElement(entry, "filter", {"in": str(first), "out": str(last)})
    _properties(effect, {"mlt_service": service, "kdenlive_id": id_, **values})


def _mix(start: int, length: int, before: int, reverse: bool) -> ET.Element:
    """A cross-fade from one playlist of a track to the other."""
    transition = ET.Element("transition", {"in": str(start), "out": str(start + length - 1)})
    about = {"a_track": "0", "b_track": "1", "mlt_service": "luma", "kdenlive_id": "luma"}
    _properties(transition, {**about, "reverse": str(int(reverse)), "kdenlive:mixcut": str(before)})
    return transition


def _title(words: TextClip, sequence: EditSequence) -> str:
    """A title as Kdenlive's own titler writes it."""
    width, height = sequence.size
    root = ET.Element("kdenlivetitle", LC_NUMERIC="C", width=str(width), height=str(height), out="100", duration="100")
    item = ET.SubElement(root, "item", {"z-index": "0", "type": "QGraphicsTextItem"})
    size = nearest(sequence.face.size * height * _FONT_SHARE)
    at = {"upper": Fraction(1, 10), "lower": Fraction(8, 10)}.get(words.position, Fraction(45, 100))
    place = ET.SubElement(item, "position", x="0", y=str(nearest(height * at)))
    add(place, "transform", "1,0,0,0,1,0,0,0,1")
    color = ",".join(str(int(sequence.face.color[part : part + 2], 16)) for part in (1, 3, 5)) + ",255"
    about = {"font": sequence.face.family, "font-pixel-size": str(size), "font-color": color, "alignment": "4"}
    about |= {"font-weight": "50", "font-italic": "0", "font-underline": "0", "box-width": str(width)}
    content = ET.SubElement(item, "content", about)
    content.text = plain(words.text, lines=True)
    ET.SubElement(root, "startviewport", rect=f"0,0,{width},{height}")
    ET.SubElement(root, "endviewport", rect=f"0,0,{width},{height}")
    ET.SubElement(root, "background", color="0,0,0,0")
    return ET.tostring(root, encoding="unicode")
