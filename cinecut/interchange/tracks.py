"""Soundtrack → the sound tracks of an export: each clip with its place, gain, fades and ramps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.recordings import PlacedSong
from cinecut.compiler.layout.ruler import Sounding
from cinecut.compiler.layout.timeline import is_heard
from cinecut.compiler.sound.ducking import TAIL, corners
from cinecut.compiler.sound.stems import under_voices, under_words
from cinecut.interchange.model import Medium, Role, SoundClip, SoundTrack
from cinecut.language.timebase import SAMPLE_RATE

Ramps = Sequence[tuple[tuple[int, Fraction], ...]]
"""Envelopes: of each its corners, (sample, dB)."""

SoundFile = Callable[[str, Fraction, int, int], Medium]
"""A sound file as a medium: its name, its length in seconds, its channels, its sample rate."""


@dataclass(frozen=True, slots=True)
class Stems:
    """The rendered stems by their names, and how long they are, in samples."""

    files: dict[str, Path]
    samples: int


def sound_tracks(
    layout: Layout, films: Mapping[str, Medium], sound: SoundFile, stems: Stems | None, later: int
) -> Iterator[SoundTrack]:
    """The film's own sound, voices and songs as editable clips; of rendered stems the effects and the pulse, which no
    editor makes. `later`: frames before the trailer's first."""
    track, mix, rate = layout.track, layout.trailer.spec.mix, layout.timeline.rate
    parts: list[tuple[str, Role, Fraction, list[SoundClip], Ramps]] = [
        ("film", "dialogue", mix.film, [*_film(layout, films)], corners(under_voices(track))),
        ("voice", "dialogue", mix.voice, [*_voices(layout, films), *_recordings(layout, sound, "voice")], ()),
        (
            "effects",
            "effects",
            mix.effects,
            [] if stems else [*_recordings(layout, sound, "effects")],
            corners(under_words(track)),
        ),
        ("music", "music", mix.music, [*_songs(layout, sound)], corners(track.ducks)),
    ]
    for name, role, gain, whole, ramps in parts:
        clips = whole if name != "music" else [c for clip in whole for c in _hushed(clip, track.silences, rate)]
        clips = [_ducked(_fitting(replace(clip, gain=clip.gain + gain)), ramps, rate) for clip in clips]
        for number, line in enumerate(_lines(clips), 1):
            moved = tuple(_later(clip, later) for clip in line)
            yield SoundTrack(name if number == 1 else f"{name} {number}", role, rate, moved)
    yield from _rendered(layout, sound, stems)


def _frames(samples: int, rate: Fraction) -> Fraction:
    return Fraction(samples, SAMPLE_RATE) * rate


def _film(layout: Layout, films: Mapping[str, Medium]) -> Iterator[SoundClip]:
    """The sound of each shot, including what is heard before and after its picture. Where a crossfade has no other
    sound, it fades in or out through all of it."""
    rate, events = layout.timeline.rate, layout.timeline.events
    for before, placed, following in zip((None, *events), events, (*events[1:], None), strict=False):
        if not is_heard(placed, layout.trailer):
            continue
        shot, (lead, trail) = placed.event, placed.sound_over
        over = trail if trail and not shot.sound_trail else 0  # it dies away into a silence
        joined, follows = (each is not None and is_heard(each, layout.trailer) for each in (before, following))
        head, tail = (0 if met else sum(joint.crossed)
                      for met, joint in ((joined, placed.head), (follows, placed.tail)))  # fmt: skip
        lead, trail = lead + (placed.lead if head else 0), trail + (placed.lag if tail else 0)
        crossed = joined and placed.head.kind == "crossfade"
        yield SoundClip(
            event=placed.name,
            label=placed.label,
            name=placed.name,
            start=Fraction(placed.range.start.index - lead),
            end=Fraction(placed.range.end.index + trail),
            medium=films[placed.film.film],
            source=placed.heard.start.seconds - lead * shot.speed / rate,
            speed=shot.speed,
            gain=shot.gain,
            fade_in=Fraction(max(placed.head.faded[1], placed.sound_fade[0], head)),
            fade_out=Fraction(max(placed.tail.faded[0], placed.sound_fade[1], over, tail)),
            head=(Fraction(placed.head.before), Fraction(placed.head.after)) if crossed else None,
        )


def _voices(layout: Layout, films: Mapping[str, Medium]) -> Iterator[SoundClip]:
    rate = layout.timeline.rate
    names = {placed.label: placed.name for placed in layout.timeline.events}
    for voice in layout.track.voices:
        if layout.trailer.footage[voice.film.film].audio is None:
            continue
        film = films[voice.film.film]
        start, end = _frames(voice.place.start, rate), _frames(voice.place.end, rate)
        name = (voice.line or "voice")[:80]
        yield SoundClip(
            names[voice.owner], voice.label, name, start, end, film, voice.film.start.seconds, gain=voice.gain
        )


def _recordings(layout: Layout, sound: SoundFile, stem: str) -> Iterator[SoundClip]:
    """The voices, or the effects, from files."""
    names = {placed.label: placed.name for placed in layout.timeline.events}
    for song in (each.song for each in layout.track.recordings if each.stem == stem):
        medium = sound(song.file, song.facts.duration, song.facts.channels, song.facts.rate)
        yield from _parts(song, medium, names[song.owner], layout.timeline.rate)


def _songs(layout: Layout, sound: SoundFile) -> Iterator[SoundClip]:
    """Each part of each song. Two parts cross-fade just before the bar line at which they meet."""
    rate, trailer = layout.timeline.rate, layout.trailer
    cues = {placed.label: placed for placed in layout.timeline.events if placed.event.cue is not None}
    for song in layout.track.songs:
        owner = cues.get(song.owner)
        cue = owner.event.cue if owner is not None else None
        file = cue.file if cue is not None else trailer.song.file if trailer.song is not None else ""
        medium = sound(file, song.facts.duration, song.facts.channels, song.facts.rate)
        event = owner.name if owner is not None else "music"
        yield from _parts(song, medium, event, rate)


def _parts(song: PlacedSong, medium: Medium, event: str, rate: Fraction) -> Iterator[SoundClip]:
    heard, until = Fraction(song.place.start, SAMPLE_RATE), Fraction(song.place.end, SAMPLE_RATE)
    parts = [part for part in song.parts if part[0] < song.facts.duration]
    for number, (begin, end) in enumerate(parts):
        length = min(end, song.facts.duration) - begin
        stop = min(heard + length, until)
        join = min(Fraction(song.join, SAMPLE_RATE), begin, heard) * rate if number else Fraction(0)
        last = number == len(parts) - 1
        fade = _frames(song.fade, rate) - (until - stop) * rate if last else Fraction(0)
        label = song.label + (f"_{number + 1}" if number else "")
        yield SoundClip(
            event, label, medium.name, heard * rate, stop * rate, medium, begin,
            gain=song.gain, fade_out=max(Fraction(0), fade), head=(join, Fraction(0)) if join else None,
        )  # fmt: skip
        heard += end - begin
        if heard >= until:
            return


def _hushed(clip: SoundClip, silences: Iterable[Sounding], rate: Fraction) -> Iterator[SoundClip]:
    """A clip without what falls into a silence; it fades out at the silence's start."""
    for silence in silences:
        start, end = _frames(silence.start, rate), _frames(silence.end, rate)
        if clip.end <= start or clip.start >= end:
            continue
        if clip.start < start:
            tail = min(_frames(TAIL, rate), end - start, clip.end - start)
            yield replace(clip, end=start + tail, fade_out=tail)
        if clip.end <= end:
            return
        skipped = end - clip.start
        source = clip.source + skipped * clip.speed / rate
        clip = replace(clip, label=f"{clip.label}_on", start=end, source=source, fade_in=Fraction(0), head=None)
    yield clip


def _fitting(clip: SoundClip) -> SoundClip:
    """A clip whose fades are no longer than it: a song's end may fade from before its last part on."""
    length = clip.end - clip.start
    fade_in = min(clip.fade_in, length)
    return replace(clip, fade_in=fade_in, fade_out=min(clip.fade_out, length - fade_in))


def _ducked(clip: SoundClip, ramps: Ramps, rate: Fraction) -> SoundClip:
    """A clip with the volume ramps that reach into it, in frames of the sequence."""
    levels: list[tuple[Fraction, Fraction]] = []
    for ramp in ramps:
        points = [(_frames(sample, rate), level) for sample, level in ramp]
        if points[-1][0] > clip.start and points[0][0] < clip.end:
            levels += points
    return replace(clip, levels=tuple(levels))


def _lines(clips: Iterable[SoundClip]) -> list[list[SoundClip]]:
    """The clips on as many lines as needed so that none overlap; a clip that cross-fades follows its partner."""
    lines: list[list[SoundClip]] = []
    for clip in sorted(clips, key=lambda clip: clip.start):
        free = [line for line in lines if line[-1].end <= clip.start]
        met = [line for line in free if clip.head is not None and line[-1].end == clip.start]
        if clip.head is not None and not met:
            clip = replace(clip, head=None, fade_in=max(clip.fade_in, clip.head[1]))
        if met or free:
            (met or free)[0].append(clip)
        else:
            lines.append([clip])
    return lines


def _later(clip: SoundClip, frames: int) -> SoundClip:
    levels = tuple((at + frames, level) for at, level in clip.levels)
    return replace(clip, start=clip.start + frames, end=clip.end + frames, levels=levels)


def _rendered(layout: Layout, sound: SoundFile, stems: Stems | None) -> Iterator[SoundTrack]:
    """The stems that no editor can make: the effects, and the music if it is synthesized."""
    if stems is None:
        return
    roles: dict[str, Role] = {"effects": "effects", "music": "music"}
    for name, role in roles.items():
        if name in stems.files and (name == "effects" or layout.track.pulse is not None):
            seconds = Fraction(stems.samples, SAMPLE_RATE)
            medium = sound(str(stems.files[name].absolute()), seconds, 2, SAMPLE_RATE)
            end = seconds * layout.timeline.rate
            clip = SoundClip(name, name, medium.name, Fraction(0), end, medium, Fraction(0))
            yield SoundTrack(name, role, layout.timeline.rate, (clip,))
