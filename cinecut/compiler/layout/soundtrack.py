"""Trailer + Timeline → Soundtrack: every sound beside the film's own, each at its exact sample of the trailer.

Effects hang on the first frame of their event, voices and cues on their event's start; what is left to the vibe is
decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.compiler.layout.recordings import FROM_FILE, PlacedRecording, PlacedSong, recordings_of, song_name
from cinecut.compiler.layout.ruler import Ruler, Sounding, label_ending, sample_at
from cinecut.compiler.layout.timeline import Placed, PlacedShot, Timeline
from cinecut.compiler.names import labels_of
from cinecut.compiler.resolve import Trailer, cue_song
from cinecut.diagnostics import Report
from cinecut.language.events import Black, Card, Effect, Event, Shot, Voice
from cinecut.language.grid import Grid, heard_parts
from cinecut.language.timebase import SAMPLE_RATE, FilmRange, FilmTime, TrailerFrame, clock, nearest


@dataclass(frozen=True, slots=True)
class PlacedEffect:
    """An effect at its place. `anchor`: the sample at which it starts, or ends if it rises to its cut. `length` in
    samples and the pitches are None for the effect's own."""

    name: str
    anchor: int
    length: int | None
    gain: Fraction
    pitches: tuple[Fraction | None, Fraction | None]
    label: str
    owner: str  # the label of the event that it hangs on
    seed: str  # of its noise: its event in rough, that event's length, and which of the effects there it is


@dataclass(frozen=True, slots=True)
class PlacedVoice:
    """A line of the film at its place: `film` has exactly the length of `place`."""

    film: FilmRange
    place: Sounding
    gain: Fraction
    line: str | None
    label: str
    owner: str


@dataclass(frozen=True, slots=True)
class PlacedPulse:
    """The synthesized music: its style, its place, and its fade-out at the end in samples."""

    style: str
    place: Sounding
    gain: Fraction
    fade: int
    grid: Grid


@dataclass(frozen=True, slots=True)
class Duck:
    """Where the music is lowered, and by how many dB."""

    place: Sounding
    depth: Fraction


@dataclass(frozen=True, slots=True)
class Soundtrack:
    samples: int  # of the whole trailer
    effects: tuple[PlacedEffect, ...]
    voices: tuple[PlacedVoice, ...]
    songs: tuple[PlacedSong, ...]
    pulse: PlacedPulse | None
    ducks: tuple[Duck, ...]
    silences: tuple[Sounding, ...]
    recordings: tuple[PlacedRecording, ...] = ()

    @property
    def spoken(self) -> list[Sounding]:
        """Where a voice is heard."""
        return _spoken(self.voices, self.recordings)


def _spoken(voices: Sequence[PlacedVoice], recordings: Sequence[PlacedRecording]) -> list[Sounding]:
    files = [each.song.place for each in recordings if each.stem == "voice"]
    return [*(voice.place for voice in voices), *files]


RISING = ("riser", "reverse swell")  # the effects that end on their cut
_NEAR = 5  # seconds of the film


def place_sounds(trailer: Trailer, timeline: Timeline, report: Report) -> Soundtrack:
    """Every sound besides the shots' own. Mistakes go into the report."""
    samples = sample_at(TrailerFrame(timeline.frames), timeline.rate)
    ruler = Ruler(timeline, samples, report)
    for placed in timeline.events:
        if isinstance(placed, PlacedShot) and placed.range.end.index + placed.sound_over[1] > timeline.frames:
            span = placed.event.place.of("sound_trail")
            report.add("sound-outside", "this shot's sound outlasts the trailer", span, "shorten the trail")
    voices = tuple(voice for placed in timeline.events for voice in _voices(placed, trailer, ruler))
    songs, pulse = _music(trailer, ruler)
    recordings = tuple(each for placed in timeline.events for each in recordings_of(placed, ruler))
    silences = tuple(ruler.span(p) for p in timeline.events if isinstance(p.event, Black) and p.event.silent)
    return Soundtrack(
        samples,
        tuple(_effects(trailer, timeline, ruler)),
        voices,
        songs,
        pulse,
        tuple(_ducks(trailer, timeline, _spoken(voices, recordings), ruler)),
        silences,
        recordings,
    )


# Effects


def _effects(trailer: Trailer, timeline: Timeline, ruler: Ruler) -> Iterator[PlacedEffect]:
    wanted = [
        _wanted(placed, [trailer.effects[kind] for kind in _kinds(previous, placed, timeline)])
        for previous, placed in zip([None, *timeline.events], timeline.events, strict=False)
    ]
    if not any(wanted):
        return
    roughly = labels_of((_in_rough(event) for _, _, event in trailer.events), trailer.spec.name_of(""))
    for placed, rough, effects in zip(timeline.events, roughly, wanted, strict=True):
        counted: Counter[str] = Counter()
        for effect, name in effects:
            counted[name] += 1
            suffix = label_ending(name.replace(" ", "_"), counted[name])
            seed = f"{rough}_{placed.range.length}{suffix}"
            yield replace(_effect(effect, name, placed, ruler, suffix), seed=seed)


def _wanted(placed: Placed, usual: Sequence[str]) -> list[tuple[Effect | None, str]]:
    """The effects of an event by their names, with what the spec says of each; `usual`: where it says nothing."""
    pairs: list[tuple[Effect | None, str]] = [(None, name) for name in usual]
    if placed.event.sound:
        made = [effect for effect in placed.event.sound if effect.file is None]
        pairs = [(effect, name) for effect in made for name in (usual if effect.effect == "usual" else [effect.effect])]
    return [(effect, name) for effect, name in pairs if name != "none"]


def _in_rough(event: Event) -> Event:
    """An event without its text, and with its in point rounded down to five seconds: the seed of its effects' noise. So
    a new text or a small slip keeps the noise, while two shots still sound different."""
    match event:
        case Card():
            return replace(event, card="")
        case Shot(shot=clip) if moment := clip.in_ or clip.out:
            near = FilmTime(Fraction(moment.seconds // _NEAR * _NEAR))
            return replace(event, shot=replace(clip, in_=near, out=None, for_=None))
    return event


def _effect(effect: Effect | None, name: str, placed: Placed, ruler: Ruler, suffix: str) -> PlacedEffect:
    label, start = placed.label + suffix, ruler.start(placed)
    if effect is None:
        return PlacedEffect(name, start, None, Fraction(0), (None, None), label, placed.label, label)
    for key, length in (("at", effect.at), ("for", effect.for_)):
        ruler.need_grid(length, effect.place.of(key))
    anchor = start + ruler.count(effect.at, placed.start)
    if not 0 <= anchor < ruler.samples:
        ruler.report.add("sound-outside", "this effect lies outside the trailer", effect.place.of("at"))
    elif anchor == 0 and name in RISING:
        message = f"a {name} ends on its cut, and nothing comes before this one"
        ruler.report.add("sound-outside", message, effect.place.of("effect"), "give it to a later event")
    lasts = ruler.count(effect.for_, placed.start) if effect.for_ else None
    return PlacedEffect(name, anchor, lasts, effect.gain, (effect.from_hz, effect.to_hz), label, placed.label, label)


def _kinds(previous: Placed | None, placed: Placed, timeline: Timeline) -> list[str]:
    """The kinds of cut that lead into an event. The first has none, nor a silence, since nothing sounds in it."""
    if previous is None or (isinstance(placed.event, Black) and placed.event.silent):
        return []
    kinds = [] if placed.head.kind == "fade in" else [_cut_kind(previous, placed, timeline)]
    return kinds + ["act"] * (placed.act != previous.act)


def _cut_kind(previous: Placed, placed: Placed, timeline: Timeline) -> str:
    if placed.head.kind != "cut":
        return placed.head.kind.replace(" ", "_")
    if isinstance(placed.event, Black):
        return "dip_to_black"
    grid, half = timeline.grid, Fraction(1, 2) / timeline.rate
    if grid is None or abs(grid.nearest_line(placed.start, "beat") - placed.start) > half:
        return "cut"
    short = placed.end <= grid.after(placed.start, Fraction(2)) + half
    silence = isinstance(previous.event, Black) and previous.event.silent
    return "beat_cut" if short or silence else "cut"


# Voices


def _voices(placed: Placed, trailer: Trailer, ruler: Ruler) -> Iterator[PlacedVoice]:
    for index, voice in enumerate(placed.event.voice, 1):
        if voice.take is not None and voice.file is not None:
            message = "a voice is a line of the film or a file, and this one is both"
            ruler.report.add("over-determined", message, voice.place.of("file"), "remove `take` or `file`")
        if voice.file is None and (line := _voice(voice, index, placed, trailer, ruler)) is not None:
            yield line


def _voice(voice: Voice, index: int, placed: Placed, trailer: Trailer, ruler: Ruler) -> PlacedVoice | None:
    clip = voice.take
    if clip is None:
        message = "a voice needs the times of its line in the film, or a file"
        ruler.report.add("under-determined", message, voice.place.span, "voice: 1:02:11.5 - 1:02:14", FROM_FILE)
        return None
    for key in ("start", "for"):
        if key in voice.place.given:
            message = f"`{key}` is of a file, and this is a line of the film"
            ruler.report.add("over-determined", message, voice.place.of(key), "change the times of `take`")
    where, film = clip.place, trailer.spec.key_of(clip.film)
    footage = trailer.footage[film]
    ruler.need_grid(voice.at, voice.place.of("at"))
    if clip.in_ is None or clip.out is None:
        message = "a voice needs the times of its line in the film"
        ruler.report.add("under-determined", message, where.span, "voice: 1:02:11.5 - 1:02:14")
        return None
    if clip.out <= clip.in_:
        ruler.report.add("order", "the out point of this voice is not after its in point", where.of("out"))
        return None
    if footage.audio is None:
        ruler.report.add("no-audio", "the film has no sound, so no voice either", voice.place.span)
    if clip.out.seconds > footage.facts.duration:
        message = f"this voice runs to {clock(clip.out.seconds)}, the film ends at {clock(footage.facts.duration)}"
        ruler.report.add("past-end", message, where.of("out"))
    length = nearest((clip.out - clip.in_) * SAMPLE_RATE)
    start = ruler.start(placed) + ruler.count(voice.at, placed.start)
    if start < 0 or start + length > ruler.samples:
        what = "begins before the trailer does" if start < 0 else "outlasts the trailer"
        ruler.report.add("sound-outside", f"this voice {what}", voice.place.span, "move it with `at`")
    taken = FilmRange(clip.in_, FilmTime(clip.in_.seconds + Fraction(length, SAMPLE_RATE)), film)
    place, label = Sounding(start, start + length), placed.label + label_ending("voice", index)
    return PlacedVoice(taken, place, voice.gain, voice.line, label, placed.label)


# Music


def _music(trailer: Trailer, ruler: Ruler) -> tuple[tuple[PlacedSong, ...], PlacedPulse | None]:
    """The song or pulse that starts with the trailer, and the cues after it, each until the next one has faded in."""
    cues = [(placed, placed.event.cue) for placed in ruler.timeline.events if placed.event.cue is not None]
    fades = [ruler.count(cue.fade, placed.start) for placed, cue in cues]
    ends = [(min(ruler.start(p) + fade, ruler.samples), fade) for (p, _), fade in zip(cues, fades, strict=True)]
    music, end = trailer.music, Fraction(ruler.timeline.frames) / ruler.timeline.rate
    last_fade = ruler.count(music.fade_out, end) if music is not None else 0
    ends.append((ruler.samples, last_fade))
    if music is not None:
        ruler.need_grid(music.join, music.place.of("join"))
        ruler.need_grid(music.fade_out, music.place.of("fade_out"))
    songs, pulse = list[PlacedSong](), None
    place, fade = Sounding(0, ends[0][0]), min(ends[0])
    if not place.length:
        pass  # a cue takes over at once
    elif music is not None and trailer.song is not None:
        parts = tuple(heard_parts(music, Fraction(place.length, SAMPLE_RATE)))
        join = ruler.count(music.join, Fraction(0))
        name, facts = song_name(trailer.song), trailer.song.facts
        songs.append(PlacedSong(name, trailer.song.file, facts, parts, place, join, music.gain, fade, "music", ""))
    elif music is not None and music.pulse != "none" and trailer.grid is not None:
        pulse = PlacedPulse(music.pulse, place, music.gain, fade, trailer.grid)
    for (placed, cue), (until, fade) in zip(cues, ends[1:], strict=True):
        ruler.need_grid(cue.fade, cue.place.of("fade"))
        song = cue_song(placed.event)
        if song is None:
            continue
        if cue.start.seconds >= song.facts.duration:
            message = f"this cue begins {clock(cue.start.seconds)} into a song of {clock(song.facts.duration)}"
            ruler.report.add("past-end", message, cue.place.of("start"))
        place, name = Sounding(ruler.start(placed), until), song_name(song)
        part = (cue.start.seconds, cue.start.seconds + Fraction(place.length, SAMPLE_RATE))
        label, fade = placed.label + label_ending("cue", 1), min(fade, place.length)
        songs.append(PlacedSong(name, song.file, song.facts, (part,), place, 0, cue.gain, fade, label, placed.label))
    return tuple(songs), pulse


# Ducking


def _ducks(trailer: Trailer, timeline: Timeline, voices: Sequence[Sounding], ruler: Ruler) -> Iterator[Duck]:
    """Under every voice, and under the shots with speech."""
    depth = trailer.music.duck if trailer.music is not None else Fraction(0)
    yield from [Duck(place, depth) for place in voices if depth]
    for placed in timeline.events:
        if not isinstance(placed, PlacedShot):
            continue
        shot = placed.event
        audio = trailer.footage[placed.film.film].audio
        spoken = shot.line is not None and audio is not None and not shot.mute
        wanted = shot.duck if shot.duck is not None else depth if spoken else Fraction(0)
        if wanted:
            lead, trail = (nearest(frames * SAMPLE_RATE / timeline.rate) for frames in placed.sound_over)
            span = ruler.span(placed)
            yield Duck(replace(span, start=span.start - lead, end=span.end + trail), wanted)
