"""Spec → RenderPlan. Pure: no file, no process, no clock; the spec carries every fact of the media.

Spec ─ build_timeline ─► Timeline ─ place_sounds ─► Soundtrack ─ lower_picture + lower_texts + lower_stems ─► Graph
     ─ verify ─► RenderPlan
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from cinecut.compiler import texts
from cinecut.compiler.captions import Caption, caption_text, captions, captions_text
from cinecut.compiler.encode import Encoding, choose_encoding, float_sound, pcm_sound
from cinecut.compiler.geometry import shown_size
from cinecut.compiler.look import OWN, Look, look_of, lut_name
from cinecut.compiler.picture import Canvas, lower_pictures, shot_frames, source_format, trailer_color
from cinecut.compiler.rating import lower_rating, rating_asset, rating_frames, rating_source
from cinecut.compiler.sound import Master, is_heard, loudness_of, lower_masters, lower_stems
from cinecut.compiler.soundtrack import PlacedSong, PlacedVoice, Soundtrack, place_sounds, sample_at, song_name
from cinecut.compiler.timeline import Placed, Text, Timeline, build_timeline
from cinecut.diagnostics import Report, Span
from cinecut.facts import AudioFacts, FilmFacts
from cinecut.ffmpeg import filters
from cinecut.ffmpeg.graph import Audio, Format, Pad, Video
from cinecut.ffmpeg.plan import (
    CAPTIONS,
    MEDIA_FORMATS,
    PICTURE,
    PICTURE_FORMATS,
    SCRIPT,
    SOUND,
    STEMS,
    Asset,
    Input,
    LutFile,
    Reel,
    RenderPlan,
    Target,
    assemble,
)
from cinecut.spec import ActMarker, Output, Rating, Shot, Spec, Still
from cinecut.timebase import FilmRange, FilmTime, TrailerFrame
from cinecut.vibes import Vibe, vibe_of
from cinecut.vibes.titles import PLAIN, TitleStyle

_PREROLL = Fraction(1, 2)  # seconds of sound before a shot: decoders of AAC, MP3 and Opus need a run-up
_MARGIN = Fraction(1, 10)  # seconds after it, for stamps that jitter


def compile_spec(spec: Spec, report: Report, masters: Mapping[str, Master] | None = None) -> RenderPlan | None:
    """The plan of a spec, or None and a report of what is wrong with it. Without `masters`, which only the measured
    mix can tell, its outputs sound as they are mixed."""
    facts = _linked_facts(spec, report)
    timeline, vibe = build_timeline(spec, report), vibe_of(spec.vibe)
    track = place_sounds(spec, timeline, vibe, report)
    if facts is None or not report.ok:
        return None
    outputs, color = spec.outputs, trailer_color(facts)
    encodings = {name: choose_encoding(output, facts, color, timeline.rate) for name, output in outputs.items()}
    inputs = _Inputs(spec, timeline, track, facts)
    look = look_of(spec, vibe)
    canvases = {name: _canvas(spec, output, encodings[name], timeline, facts, look) for name, output in outputs.items()}
    opening = rating_frames(spec.rating, timeline.rate)
    pictures = lower_pictures(timeline, canvases, facts, inputs.picture, _openings(spec.rating, opening, canvases))
    style = vibe.titles if vibe is not None else PLAIN
    heard = captions(timeline, track)
    pictures, files = _overlay_texts(pictures, style, _shown(outputs, timeline, heard, opening), canvases)
    if any(output.subtitles in ("soft", "file") for output in outputs.values()):
        files[CAPTIONS] = captions_text(heard, opening / timeline.rate)
    stems = lower_stems(timeline, track, spec.mix, inputs.audio, inputs)
    samples = sample_at(TrailerFrame(timeline.frames + opening), timeline.rate)
    if opening:
        laid = {name: filters.Laid(samples - track.samples, track.samples, pad) for name, pad in stems.items()}
        stems = {name: filters.lay([piece], samples, name) for name, piece in laid.items()}
    mixed = filters.mix(list(stems.values()), "mix")
    sounds = lower_masters(mixed, {name: (masters or {}).get(name) for name in outputs}, samples)
    targets = [_target(name, output, encodings[name], vibe) for name, output in outputs.items()]
    both = {"picture": pictures, "sound": sounds}
    sinks = {_label(kind, name): pads[name] for name in outputs for kind, pads in both.items()}
    return RenderPlan(
        inputs=tuple(inputs.items.values()),
        render=assemble(SCRIPT, sinks, targets, inputs.items),
        picture=assemble(
            PICTURE,
            {_label("picture", name): pad for name, pad in pictures.items()},
            [replace(target, maps=target.maps[:1]) for target in targets],
            inputs.items,
        ),
        sound=assemble(SOUND, {"sound": mixed}, [float_sound("sound")], inputs.items),
        stems=assemble(STEMS, stems, [pcm_sound(name) for name in stems], inputs.items),
        stem_names=tuple(stems),
        files=files,
        luts={lut_name(number): grade for number, grade in enumerate(look.files)},
        frames=timeline.frames + opening,
        samples=samples,
        rate=timeline.rate,
        places=_places(timeline, track),
    )


def _openings(rating: Rating | None, frames: int, canvases: Mapping[str, Canvas]) -> dict[str, Pad]:
    """The rating card on each canvas."""
    if rating is None:
        return {}
    copies = filters.split(rating_source(rating), len(canvases), "rating")
    pads = zip(canvases.items(), copies, strict=True)
    return {name: lower_rating(rating, pad, frames, canvas) for (name, canvas), pad in pads}


def _label(kind: str, name: str) -> str:
    """Of one of the graph's outputs."""
    return f"{kind}_{name}" if name else kind


def _canvas(spec: Spec, output: Output, encoding: Encoding, timeline: Timeline, facts: FilmFacts, look: Look) -> Canvas:
    width, height = output.size or shown_size(spec.film, facts)
    color = trailer_color(facts)
    return Canvas(width, height, timeline.rate, encoding.pix_fmt, color, output.fit, spec.film.crop, look)


def _target(name: str, output: Output, encoding: Encoding, vibe: Vibe | None) -> Target:
    return Target(
        maps=(_label("picture", name), _label("sound", name)),
        encode=encoding.arguments,
        suffix=encoding.suffix,
        name=name,
        loudness=loudness_of(output, vibe),
        sound=encoding.sound,
        encoders=encoding.encoders,
        captions=encoding.captions if output.subtitles == "soft" else None,
        captions_file=output.subtitles == "file",
    )


def _places(timeline: Timeline, track: Soundtrack) -> dict[str, Span]:
    """Where in the spec what FFmpeg complains of was asked for, by the graph's labels."""
    events = {placed.label: placed.event.place.span for placed in timeline.events}
    owned = [item.label for items in (track.effects, track.voices, track.songs) for item in items]
    sounds = {label: events[owner] for label in owned if (owner := label.partition("_")[0]) in events}
    return {**events, **sounds}


def _linked_facts(spec: Spec, report: Report) -> FilmFacts | None:
    """The film's facts; reports every asset that has none."""
    hint = f"run `cinecut link {spec.place.span.file}`"
    facts = spec.film.facts
    if facts is None:
        report.add("not-linked", "the film has not been measured yet", spec.film.place.span, hint)
    if spec.music is not None and spec.music.file is not None and spec.music.facts is None:
        report.add("not-linked", "the song has not been measured yet", spec.music.place.of("file"), hint)
    if spec.lut is not None and spec.lut.facts is None:
        report.add("not-linked", "the LUT has not been measured yet", spec.lut.place.span, hint)
    card = (spec.rating.still or spec.rating.clip) if spec.rating is not None else None
    if card is not None and card.facts is None:
        report.add("not-linked", "the rating card has not been measured yet", card.place.span, hint)
    for entry in spec.timeline:
        cue = None if isinstance(entry, ActMarker) else entry.cue
        if cue is not None and not cue.stops and cue.facts is None:
            report.add("not-linked", "this song has not been measured yet", cue.place.span, hint)
        if isinstance(entry, Still) and entry.still.facts is None:
            report.add("not-linked", "this picture has not been measured yet", entry.still.place.span, hint)
    return facts


class _Inputs:
    """The files of the working folder that the graph reads, by their names, and the streams in them."""

    def __init__(self, spec: Spec, timeline: Timeline, track: Soundtrack, facts: FilmFacts) -> None:
        self.spec = spec
        self.facts = facts
        self.audio: AudioFacts | None = facts.audio[spec.film.audio - 1] if facts.audio else None
        self.rate = timeline.rate
        self.items: dict[str, Input] = {}
        for placed in timeline.events:
            if isinstance(placed.event, Shot):
                self._add(self._reel(placed))
            elif isinstance(placed.event, Still):
                self._add(Asset(_name(placed), placed.event.still.file, PICTURE_FORMATS))
            if placed.event.cue is not None and not placed.event.cue.stops:
                file = placed.event.cue.file
                self._add(Asset(song_name(placed.number, file), file, MEDIA_FORMATS))
        for voice in track.voices:
            self._add(Reel(_voice_name(voice), voice.film, _heard(voice.film), spec.film.audio - 1))
        if spec.lut is not None:
            self._add(LutFile(OWN, spec.lut.file))
        if spec.rating is not None:
            self._add(rating_asset(spec.rating))
        if spec.music is not None and spec.music.file is not None:
            self._add(Asset(song_name(0, spec.music.file), spec.music.file, MEDIA_FORMATS))

    def _add(self, item: Input) -> None:
        self.items[item.name] = item

    def _reel(self, placed: Placed) -> Reel:
        assert isinstance(placed.event, Shot)
        assert placed.film is not None
        speed, (lead, trail) = placed.event.speed, placed.sound_over
        in_ = placed.film.start.seconds - max(placed.lead, lead) * speed / self.rate
        frames = placed.range.length + max(placed.lead, lead) + max(placed.lag, trail)
        heard = _heard(FilmRange(FilmTime(in_), FilmTime(in_ + frames * speed / self.rate)))
        audio = self.spec.film.audio - 1 if is_heard(placed, self.audio) else None
        return Reel(_name(placed), shot_frames(placed, self.facts, self.rate).seen, heard, audio)

    def picture(self, placed: Placed) -> Pad:
        format: Format = source_format(self.facts)
        if isinstance(placed.event, Still):
            assert placed.event.still.facts is not None
            format = Video(*placed.event.still.facts.size, "rgba")
        return filters.source(_name(placed), "v", format, placed.label)

    def sound(self, placed: Placed) -> Pad:
        return filters.source(_name(placed), "a", self._film_sound(), placed.label)

    def voice(self, voice: PlacedVoice) -> Pad:
        return filters.source(_voice_name(voice), "a", self._film_sound(), voice.label)

    def song(self, song: PlacedSong, use: int) -> Pad:
        return filters.source(song.name, "a", Audio(song.facts.rate, song.facts.layout), song.label, use)

    def _film_sound(self) -> Audio:
        assert self.audio is not None
        return Audio(self.audio.rate, self.audio.layout)


def _name(placed: Placed) -> str:
    """Of an event's file. A still's has no suffix, so that its bytes alone tell FFmpeg what it is."""
    return f"reels/{placed.number:04d}.nut" if isinstance(placed.event, Shot) else f"still{placed.number:04d}"


def _voice_name(voice: PlacedVoice) -> str:
    return f"reels/{voice.label}.nut"


def _heard(film: FilmRange) -> FilmRange:
    """What a reel holds of the sound, for hearing a range of it."""
    return FilmRange(FilmTime(film.start.seconds - _PREROLL), FilmTime(film.end.seconds + _MARGIN))


def _shown(
    outputs: Mapping[str, Output], timeline: Timeline, heard: Sequence[Caption], opening: int
) -> dict[str, list[Text]]:
    """What is written on each output: titles and cards, and the lines that are heard where they shall be burned in."""
    read = [caption_text(line, timeline.rate) for line in heard]
    found = {}
    for name, output in outputs.items():
        texts = [*timeline.texts, *(read if output.subtitles == "burned" else [])]
        found[name] = [replace(text, range=text.range.later(opening)) for text in texts]
    return found


def _overlay_texts(
    pictures: dict[str, Pad], style: TitleStyle, shown: Mapping[str, Sequence[Text]], canvases: Mapping[str, Canvas]
) -> tuple[dict[str, Pad], dict[str, bytes]]:
    """The texts over each output, laid out for its shape; and their files."""
    found, files = dict(pictures), dict[str, bytes]()
    for name, written in shown.items():
        if written:
            canvas, file = canvases[name], f"{name}.ass" if name else texts.FILE
            files[file] = texts.lower_texts(written, canvas.rate, canvas.width, canvas.height, style)
            found[name] = filters.subtitles(pictures[name], file, texts.FONTS, "titles")
    return found, files
