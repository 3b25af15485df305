"""EditSequence → .otio: an OpenTimelineIO timeline, which that library writes.

Every number of it is a whole count at a rate, so that its doubles hold them exactly. What it has no word for (gains,
fades, ramps, words' styles) is in the metadata under `cinecut`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from cinecut.diagnostics import Stop
from cinecut.interchange.locate import file_url
from cinecut.interchange.model import CUT, EditSequence, Medium, PictureClip, SoundClip, TextClip, Written
from cinecut.interchange.writers.lines import lines_of
from cinecut.language.timebase import SAMPLE_RATE, nearest, rate_text

try:
    import opentimelineio as otio
except ImportError:  # an extra
    otio = None


def write(sequence: EditSequence) -> Written:
    """Raises Stop where the library is not installed."""
    if otio is None:
        raise Stop("option", "--to otio needs the package opentimelineio", "install cinecut[export]")
    return Written({".otio": otio.adapters.write_to_string(timeline_of(sequence), "otio_json").encode()})


def timeline_of(sequence: EditSequence) -> Any:
    """The sequence as an opentimelineio Timeline."""
    rate = sequence.rate
    timeline = otio.schema.Timeline(name=sequence.name, global_start_time=_time(sequence.numbered.first, rate))
    about = {"rate": rate_text(rate), "drop": sequence.numbered.drop, "start": sequence.timecode(0)}
    timeline.metadata["cinecut"] = about
    picture = otio.schema.Track("picture", kind=otio.schema.TrackKind.Video)
    before: PictureClip | None = None
    for shown in sequence.pictures:
        picture.extend([*_transition(before, shown, rate), _shown(shown, sequence)])
        before = shown
    picture.extend(_transition(before, None, rate))
    for mark in sequence.marks:
        span = otio.opentime.TimeRange(_time(mark.frame, rate), _time(1, rate))
        color = mark.color.upper()
        marker = otio.schema.Marker(name=mark.name, marked_range=span, color=color)
        marker.metadata["cinecut"] = {"note": mark.note}
        timeline.tracks.markers.append(marker)
    timeline.tracks.append(picture)
    for number, line in enumerate(lines_of(sequence.words), 1):
        timeline.tracks.append(_words_track(line, number, rate))
    for sound in sequence.tracks:
        timeline.tracks.append(_sound_track(sound.name, sound.clips, sequence))
    return timeline


def _time(value: int, rate: Fraction) -> Any:
    return otio.opentime.RationalTime(value, float(rate))


def _length(frames: Fraction, rate: Fraction) -> Any:
    """Frames of the sequence, or samples where it is no whole number of frames."""
    if frames.denominator == 1:
        return _time(int(frames), rate)
    return otio.opentime.RationalTime(nearest(frames / rate * SAMPLE_RATE), SAMPLE_RATE)


def _reference(medium: Medium, sequence: EditSequence, used: tuple[Fraction, Fraction]) -> Any:
    """A medium and its available range: all of it, or the used part with handles."""
    low, high = 0, medium.frames
    if sequence.handles is not None:
        low = max(0, medium.picture(used[0]) - sequence.handles)
        high = min(high, medium.picture(used[1]) + sequence.handles)
    first = medium.numbered.first
    available = otio.opentime.TimeRange(_time(first + low, medium.rate), _time(high - low, medium.rate))
    reference = otio.schema.ExternalReference(file_url(medium.path), available)
    reference.name = medium.name
    reference.metadata["cinecut"] = {"reel": medium.reel, "rate": rate_text(medium.rate)}
    return reference


def _clip(name: str, start: Any, frames: Fraction, rate: Fraction) -> Any:
    return otio.schema.Clip(name=name, source_range=otio.opentime.TimeRange(start, _length(frames, rate)))


def _shown(shown: PictureClip, sequence: EditSequence) -> Any:
    rate, about = sequence.rate, {"event": shown.event, "label": shown.label}
    if shown.medium is None:
        item = otio.schema.Gap(source_range=otio.opentime.TimeRange(_time(0, rate), _time(shown.length, rate)))
        item.name = shown.name
        item.metadata["cinecut"] = about
        return item
    medium = shown.medium
    start = _time(medium.numbered.first + medium.picture(shown.source), medium.rate)
    item = _clip(shown.name, start, Fraction(shown.length), rate)
    lead, lag = shown.head.crossed[0], shown.tail.crossed[1]
    step = shown.speed / rate
    used = (shown.source - lead * step, shown.source + (shown.length + lag) * step)
    item.media_reference = _reference(medium, sequence, used)
    item.metadata["cinecut"] = {**about, "source": str(shown.source), "looks": [name for _, name in shown.looks]}
    if shown.speed != 1:
        item.effects.append(_retime(shown.speed))
    return item


def _retime(speed: Fraction) -> Any:
    return otio.schema.LinearTimeWarp(
        name="retime", time_scalar=float(speed), metadata={"cinecut": {"speed": rate_text(speed)}}
    )


def _transition(before: PictureClip | None, shown: PictureClip | None, rate: Fraction) -> list[Any]:
    """The transition between two pictures. A fade out that meets a fade in is one transition, since two cannot be
    neighbours."""
    tail = before.tail if before is not None and before.tail.kind == "fade out" else CUT
    head = shown.head if shown is not None else CUT
    kinds = [joint.kind for joint in (tail, head) if joint.kind != "cut"]
    if not kinds:
        return []
    kind = "SMPTE_Dissolve" if kinds == ["crossfade"] else "Custom_Transition"
    return [_joint(", ".join(kinds), kind, _time(tail.before or head.before, rate), _time(head.after, rate))]


def _joint(name: str, kind: str, before: Any, after: Any) -> Any:
    return otio.schema.Transition(name=name, transition_type=kind, in_offset=before, out_offset=after)


def _words_track(line: list[TextClip], number: int, rate: Fraction) -> Any:
    track = otio.schema.Track("titles" if number == 1 else f"titles {number}", kind=otio.schema.TrackKind.Video)
    at = 0
    for text in line:
        if text.start > at:
            track.append(_gap(Fraction(text.start - at), rate))
        span = otio.opentime.TimeRange(_time(0, rate), _time(text.end - text.start, rate))
        words = {"text": text.text, "position": text.position, "fade_in": text.fade_in, "fade_out": text.fade_out}
        made = otio.schema.GeneratorReference(
            name=text.text, generator_kind="Text", available_range=span, parameters=words
        )
        clip = otio.schema.Clip(name=text.text, media_reference=made, source_range=span)
        clip.metadata["cinecut"] = {"event": text.event, **words}
        track.append(clip)
        at = text.end
    return track


def _gap(frames: Fraction, rate: Fraction) -> Any:
    return otio.schema.Gap(source_range=otio.opentime.TimeRange(_time(0, rate), _length(frames, rate)))


def _sound_track(name: str, clips: tuple[SoundClip, ...], sequence: EditSequence) -> Any:
    track, at, rate = otio.schema.Track(name, kind=otio.schema.TrackKind.Audio), Fraction(0), sequence.rate
    for clip in clips:
        if clip.start > at:
            track.append(_gap(clip.start - at, rate))
        elif clip.head is not None:
            before, after = (_length(frames, rate) for frames in clip.head)
            track.append(_joint("crossfade", "SMPTE_Dissolve", before, after))
        track.append(_heard(clip, sequence))
        at = clip.end
    return track


def _heard(clip: SoundClip, sequence: EditSequence) -> Any:
    """The clip's start is counted in samples, since sounds begin anywhere."""
    medium = clip.medium
    first = medium.numbered.first / medium.rate
    start = otio.opentime.RationalTime(nearest((first + clip.source) * SAMPLE_RATE), SAMPLE_RATE)
    item = _clip(clip.name, start, clip.end - clip.start, sequence.rate)
    lead = clip.head[0] if clip.head is not None else Fraction(0)
    step = clip.speed / sequence.rate
    used = (clip.source - lead * step, clip.source + (clip.end - clip.start) * step)
    item.media_reference = _reference(medium, sequence, used)
    fades = {"fade_in": str(clip.fade_in), "fade_out": str(clip.fade_out)}
    levels = [[str(at), str(level)] for at, level in clip.levels]
    about = {"event": clip.event, "label": clip.label, "gain": str(clip.gain), **fades, "levels": levels}
    item.metadata["cinecut"] = about
    if clip.speed != 1:
        item.effects.append(_retime(clip.speed))
    return item
