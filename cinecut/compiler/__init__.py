"""Spec → RenderPlan. Pure: no file, no process, no clock; the spec carries every fact of the media.

Spec ─ build_timeline ─► Timeline ─ lower_picture + lower_sound + lower_texts ─► Graph ─ verify ─► RenderPlan
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import PurePosixPath

from cinecut.compiler import texts
from cinecut.compiler.encode import choose_encoding
from cinecut.compiler.geometry import shown_size
from cinecut.compiler.picture import Canvas, lower_picture, shot_frames, source_format
from cinecut.compiler.sound import is_heard, lower_film_sound, lower_music, sample_at
from cinecut.compiler.timeline import Placed, Timeline, build_timeline
from cinecut.diagnostics import Report
from cinecut.facts import AudioFacts, Color, FilmFacts
from cinecut.ffmpeg import filters
from cinecut.ffmpeg.graph import Audio, Format, Pad, Video, verify
from cinecut.ffmpeg.plan import MEDIA_FORMATS, PICTURE_FORMATS, Asset, Input, Reel, RenderPlan
from cinecut.ffmpeg.script import print_script
from cinecut.grid import measure
from cinecut.spec import Shot, Spec, Still
from cinecut.timebase import FilmRange, FilmTime, TrailerFrame, nearest

_PREROLL = Fraction(1, 2)  # seconds of sound before a shot: decoders of AAC, MP3 and Opus need a run-up
_MARGIN = Fraction(1, 10)  # seconds after it, for stamps that jitter


def compile_spec(spec: Spec, report: Report) -> RenderPlan | None:
    """The plan of a spec, or None and a report of what is wrong with it."""
    facts = _linked_facts(spec, report)
    timeline = build_timeline(spec, report)
    if facts is None or not report.ok:
        return None
    encoding = choose_encoding(spec.output, facts, timeline.rate)
    width, height = spec.output.size or shown_size(spec.film, facts)
    canvas = Canvas(width, height, timeline.rate, encoding.pix_fmt, _limited(facts.color), spec.film.crop)
    inputs = _Inputs(spec, timeline, facts)
    picture = lower_picture(timeline, canvas, facts, inputs.stream)
    picture, files = _overlay_texts(picture, timeline, canvas)
    sound = _lower_sound(spec, timeline, inputs)
    sinks = [picture, sound]
    verify(sinks)
    return RenderPlan(
        inputs=tuple(inputs.found),
        script=print_script(sinks, ["picture", "sound"]),
        maps=("picture", "sound"),
        encode=encoding.arguments,
        files=files,
        frames=timeline.frames,
        samples=sample_at(TrailerFrame(timeline.frames), timeline.rate),
        rate=timeline.rate,
        suffix=encoding.suffix,
        places={placed.label: placed.event.place.span for placed in timeline.events},
    )


def _linked_facts(spec: Spec, report: Report) -> FilmFacts | None:
    """The film's facts; reports every asset that has none."""
    hint = f"run `cinecut link {spec.place.span.file}`"
    facts = spec.film.facts
    if facts is None:
        report.add("not-linked", "the film has not been measured yet", spec.film.place.span, hint)
    if spec.music is not None and spec.music.file is not None and spec.music.facts is None:
        report.add("not-linked", "the song has not been measured yet", spec.music.place.of("file"), hint)
    for entry in spec.timeline:
        if isinstance(entry, Still) and entry.still.facts is None:
            report.add("not-linked", "this picture has not been measured yet", entry.still.place.span, hint)
    return facts


def _limited(color: Color) -> Color:
    """The trailer's tags: the film's, in limited range. That is what an untagged film is taken for, too."""
    return replace(color, range="tv")


class _Inputs:
    """FFmpeg's inputs in the order of the timeline. An event's picture and sound come from one input."""

    def __init__(self, spec: Spec, timeline: Timeline, facts: FilmFacts) -> None:
        self.spec = spec
        self.facts = facts
        self.audio: AudioFacts | None = facts.audio[spec.film.audio - 1] if facts.audio else None
        self.rate = timeline.rate
        self.found: list[Input] = []
        self.index: dict[int, int] = {}
        for placed in timeline.events:
            if isinstance(placed.event, Shot | Still):
                self.index[placed.number] = self._add(self._input(placed))
        self.song: int | None = None
        if spec.music is not None and spec.music.file is not None:
            self.song = self._add(Asset("music" + _suffix(spec.music.file), spec.music.file, MEDIA_FORMATS))

    def _add(self, item: Input) -> int:
        """The number of the item's first input, as FFmpeg counts them."""
        number = sum(known.inputs if isinstance(known, Reel) else 1 for known in self.found)
        self.found.append(item)
        return number

    def _input(self, placed: Placed) -> Input:
        event, number = placed.event, len(self.found) + 1
        if isinstance(event, Still):
            # Without a suffix, so that its bytes alone tell FFmpeg what it is.
            return Asset(f"still{number:04d}", event.still.file, PICTURE_FORMATS)
        seen = shot_frames(placed, self.facts, self.rate).seen
        heard = is_heard(placed, self.audio)
        assert isinstance(event, Shot)
        assert placed.film is not None
        in_ = placed.film.start.seconds - placed.lead * event.speed / self.rate
        out = in_ + placed.extent.length * event.speed / self.rate
        span = FilmRange(FilmTime(in_ - _PREROLL), FilmTime(out + _MARGIN))
        return Reel(f"reels/{number:04d}.nut", seen, span, self.spec.film.audio - 1 if heard else None)

    def stream(self, placed: Placed, kind: str = "v") -> Pad:
        label, index = placed.label, self.index[placed.number]
        format: Format
        if kind == "a":
            assert self.audio is not None
            index += 1
            format = Audio(self.audio.rate, self.audio.layout)
        elif isinstance(placed.event, Still):
            assert placed.event.still.facts is not None
            format = Video(*placed.event.still.facts.size, "rgba")
        else:
            format = source_format(self.facts)
        return filters.source(index, kind, format, label)

    def sound(self, placed: Placed) -> Pad:
        return self.stream(placed, "a")


def _suffix(file: str) -> str:
    """A file's suffix when it is a plain one: names of ours take nothing else from the user's."""
    suffix = PurePosixPath(file).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 6 else ""


def _overlay_texts(picture: Pad, timeline: Timeline, canvas: Canvas) -> tuple[Pad, dict[str, bytes]]:
    if not timeline.texts:
        return picture, {}
    written = texts.lower_texts(timeline.texts, timeline.rate, canvas.width, canvas.height)
    return filters.subtitles(picture, texts.FILE, texts.FONTS, "titles"), {texts.FILE: written}


def _lower_sound(spec: Spec, timeline: Timeline, inputs: _Inputs) -> Pad:
    stems = [lower_film_sound(timeline, inputs.audio, inputs.sound)]
    music = spec.music
    if music is not None and inputs.song is not None:
        assert music.facts is not None
        song = filters.source(inputs.song, "a", Audio(music.facts.rate, music.facts.layout), "music")
        samples = sample_at(TrailerFrame(timeline.frames), timeline.rate)
        end = timeline.frames / timeline.rate
        fade = measure(music.fade_out, end, timeline.rate, timeline.grid) or Fraction(0)
        fade_out = min(nearest(fade * filters.SAMPLE_RATE), samples)
        stems.append(lower_music(music, song, samples, fade_out))
    return filters.mix(stems, "mix")
