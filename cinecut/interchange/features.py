"""What a trailer has that some editing programs cannot hold, by event, so that an export can report every loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.compiler.picture.color import HDR
from cinecut.compiler.picture.geometry import frame_shot
from cinecut.compiler.resolve import Footage, Trailer
from cinecut.interchange.marks import lost_turns
from cinecut.interchange.model import EditSequence, Feature
from cinecut.language.events import Black, Card, Shot, Still
from cinecut.language.facts import LoudnessTarget
from cinecut.language.spec import Fit
from cinecut.language.timebase import clock, rate_text
from cinecut.language.write import exact_text, transition_text


def features_of(layout: Layout, sequence: EditSequence, *, rendered: bool) -> Iterator[Feature]:
    """Every feature of a trailer, those of the whole first. `rendered`: the sounds that no editor makes are a file."""
    yield from _of_the_whole(layout, sequence, rendered)
    for placed in layout.timeline.events:
        for kind, detail in [*_of_picture(placed, layout), *_of_sound(placed, layout, rendered)]:
            yield Feature(kind, placed.name, detail)


def _of_the_whole(layout: Layout, sequence: EditSequence, rendered: bool) -> Iterator[Feature]:
    trailer = layout.trailer
    yield Feature("start timecode", "trailer", f"it begins at {sequence.timecode(0)}")
    yield Feature("reel", "trailer", "reels: " + ", ".join(medium.reel for medium in sequence.media))
    if sequence.handles is not None:
        yield Feature("handles", "trailer", f"handles of {sequence.handles} frames")
    yield Feature("exact rate", "trailer", f"{rate_text(sequence.rate)} frames a second")
    if sequence.numbered.drop or any(each.facts.timecodes.drop for each in trailer.footage.values()):
        yield Feature("drop frame", "trailer", "drop-frame timecode")
    for key, each in trailer.footage.items():
        yield from _of_film(each, "the film" if len(trailer.footage) == 1 else str(trailer.spec.name_of(key)), trailer)
    if trailer.opening is not None:
        yield Feature("rating", "rating", "the rating card before the trailer")
    if any(shown.label == "rating_hold" for shown in sequence.pictures):
        yield Feature("held picture", "rating", "the clip's last picture stays on screen")
    if sequence.marks:
        yield Feature("marker", "trailer", f"{len(sequence.marks)} markers")
        yield Feature("marker color", "trailer", "markers coloured by act")
    for name in lost_turns(layout):
        yield Feature("turning point", "trailer", f"the film's turning point {name} is in no shot")
    if sequence.words:
        style = trailer.style
        spaced = f", tracking {exact_text(style.tracking)}" if style.tracking else ""
        moving = f", the animation {style.animation}" if style.animation != "none" else ""
        yield Feature("title style", "trailer", f"the texts' {style.edge}{spaced}{moving}")
        if not next(iter(trailer.outputs.values())).texts:
            yield Feature("textless", "trailer", "texts: false")
    if trailer.lut is not None:
        yield Feature("grade", "trailer", f"the look of {trailer.lut.file}")
    yield from _of_the_mix(layout, rendered)


def _of_film(footage: Footage, name: str, trailer: Trailer) -> Iterator[Feature]:
    facts, audio = footage.facts, footage.audio
    if facts.joined:
        yield Feature("joined times", "trailer", f"{name} has times that start again")
    if facts.field_order != "progressive":
        yield Feature("interlaced", "trailer", f"{name} is interlaced")
    if facts.color.transfer in HDR:
        yield Feature("HDR", "trailer", f"{name}'s HDR colours, brought to BT.709")
    if facts.variable:
        yield Feature("variable rate", "trailer", f"{name} has pictures at irregular times")
    elif facts.rate != trailer.rate:
        yield Feature("other rate", "trailer", f"{name} has {rate_text(facts.rate)} pictures a second")
    if audio is None:
        return
    if audio.channels > 2:
        yield Feature("surround", "trailer", f"{name}'s sound of {audio.channels} channels, mixed to two")
    if (audio.stream or footage.film.audio) > 1:
        yield Feature("other sound", "trailer", f"{name}'s sound {footage.film.audio}")
    if audio.parts > 1:
        yield Feature("sound in streams", "trailer", f"{name}'s sound of {audio.parts} streams")
    end = PurePath(footage.film.file).suffix.lower()
    if end in _MATROSKA or (facts.start and end not in _TRANSPORT):
        late = "" if end in _MATROSKA else f", which begins at {clock(facts.start)} of the file's clock"
        yield Feature("sound in step", "trailer", f"{name}'s sound in step with its pictures{late}")


# Containers in which MLT's seeking is up to 51 ms off, and in which it is right. In others a film's sound is as much
# early as its file begins late.
_MATROSKA, _TRANSPORT = (".mkv", ".webm"), (".ts", ".m2ts", ".mts", ".m2t")


def _of_the_mix(layout: Layout, rendered: bool) -> Iterator[Feature]:
    trailer, music = layout.trailer, layout.trailer.music
    if layout.track.songs:
        looped = any(len(song.parts) > 1 for song in layout.track.songs)
        yield Feature("music", "music", "the song")
        if looped:
            yield Feature("music edit", "music", "its parts, joined")
    if layout.track.ducks and (layout.track.songs or layout.track.pulse):
        yield Feature("duck", "music", f"it goes down {len(layout.track.ducks)} times under speech")
    if layout.track.pulse is not None and music is not None and not rendered:
        yield Feature("pulse", "music", f"the synthesized music {music.pulse!r}")
    if trailer.splice:
        yield Feature("splice", "trailer", f"its sound's hard cuts are softened by {exact_text(trailer.splice)} s")
    first = next(iter(trailer.outputs))
    for name, file in trailer.outputs.items():
        if name != first:
            yield Feature("deliverable", name, "its shape and its words")
        if file.channels > 2:
            yield Feature("surround mix", name or "trailer", f"its sound of {file.channels} channels")
        if file.loudness is not None:
            yield Feature("loudness", name or "trailer", _level(file.loudness))
        if file.subtitles != "none":
            yield Feature("subtitles", name or "trailer", f"subtitles: {file.subtitles}")


def _level(goal: LoudnessTarget) -> str:
    if goal.target is not None:
        return f"{exact_text(goal.target)} LUFS"
    return f"{exact_text(goal.leq_m)} dB Leq(m)" if goal.leq_m is not None else f"{exact_text(goal.peak)} dBTP at most"


def _of_picture(placed: Placed, layout: Layout) -> Iterator[tuple[str, str]]:
    event = placed.event
    if placed.head.kind != "cut":
        kind = {"fade in": "fade"}.get(placed.head.kind, placed.head.kind)
        yield kind, transition_text(event.from_)
    if placed.tail.kind == "fade out":
        yield "fade", transition_text(event.to)
    match event:
        case Black():
            yield "black", "black"
        case Card():
            yield "card", f"the card {event.card!r}"
        case Still():
            yield "still", event.still.file
            if event.scale != 1:
                yield "still size", f"{event.still.file} at {exact_text(event.scale)}"
        case Shot():
            yield from _of_shot(placed, event, layout)
    if not isinstance(event, Card):
        yield from (("title", f"the title {title.text!r}") for title in event.titles)


def frame_of(placed: Placed, trailer: Trailer) -> Fit:
    """How a shot fills the first output's frame; `letterbox` where film and frame have the same shape."""
    file = next(iter(trailer.outputs.values()))
    if not isinstance(placed, PlacedShot) or (file.fit == "letterbox" and placed.event.reframe is None):
        return "letterbox"
    shot, footage = placed.event, trailer.footage[placed.film.film]
    bare, whole = replace(shot, reframe=None), footage.film.crop
    between, filled = (frame_shot(bare, whole, footage.facts, *file.size, fit) for fit in _SHAPES)
    if between.scaled == filled.scaled:
        return "letterbox"
    return "crop" if shot.reframe is not None else file.fit


_SHAPES: tuple[Fit, Fit] = ("letterbox", "crop")


def _of_shot(placed: Placed, shot: Shot, layout: Layout) -> Iterator[tuple[str, str]]:
    if shot.speed != 1:
        yield "retime", f"speed {exact_text(shot.speed)}"
    if shot.grade or not layout.trailer.grade.neutral:
        yield "grade", "its grade" if shot.grade else "the trailer's grade"
    if shot.reframe is not None:
        yield "reframe", "its framing"
    elif (fit := frame_of(placed, layout.trailer)) != "letterbox":
        yield "filled frame" if fit == "crop" else "blurred bars", f"fit: {fit}"
    whole = layout.trailer.footage[layout.trailer.spec.key_of(shot.shot.film)].film.crop
    if shot.crop is not None or whole is not None:
        yield "crop", "its crop"
    if shot.mirror:
        yield "mirror", "mirrored"


def _of_sound(placed: Placed, layout: Layout, rendered: bool) -> Iterator[tuple[str, str]]:
    shot, track = placed.event, layout.track
    if isinstance(placed, PlacedShot) and isinstance(shot, Shot):
        if shot.mute:
            yield "mute", "muted"
        elif shot.gain:
            yield "gain", f"gain {exact_text(shot.gain)} dB"
        if shot.sound_in is not None:
            yield "sound of another moment", f"its sound begins at {clock(shot.sound_in.seconds)} of the film"
        if any(placed.sound_over):
            lead, trail = placed.sound_over
            yield "J/L cut", f"its sound begins {lead} frames before its picture and ends {trail} after it"
        if any(placed.sound_fade):
            yield "sound fade", "its sound fades"
    if shot.cue is not None:
        yield "music cue", "the music ends" if shot.cue.stops else f"the song {shot.cue.file}"
    for voice in track.voices:
        if voice.owner == placed.label:
            yield "voice", f"the voice {voice.line!r}" if voice.line else "a voice"
    for each in track.recordings:
        if each.song.owner == placed.label:
            yield "voice", f"the sound file {each.name}"
    for effect in track.effects if not rendered else ():
        if effect.owner == placed.label:
            yield "effect", f"the effect {effect.name}"
