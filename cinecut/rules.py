"""What the schema cannot say of a spec: values that contradict each other or the facts of the media.

What depends on where events fall in the trailer is the timeline's to judge.
"""

from __future__ import annotations

from itertools import pairwise

from cinecut.diagnostics import Report
from cinecut.spec import BeatGrid, Crop, Film, Music, Shot, Spec
from cinecut.timebase import clock


def check_rules(spec: Spec, report: Report) -> None:
    _check_film(spec.film, report)
    if spec.music is not None:
        _check_music(spec.music, report)
    for entry in spec.timeline:
        if isinstance(entry, Shot) and entry.crop is not None:
            _check_crop(entry.crop, report)


def _check_film(film: Film, report: Report) -> None:
    """A chosen audio stream must be there; a film without any sound is simply silent."""
    if film.crop is not None:
        _check_crop(film.crop, report)
    streams = len(film.facts.audio) if film.facts is not None else 0
    if streams and film.audio > streams:
        message = f"the film has {streams} audio stream{'s' if streams > 1 else ''}; there is no stream {film.audio}"
        report.add("no-audio", message, film.place.of("audio"), "the spec's facts list the streams, in order from 1")


def _check_music(music: Music, report: Report) -> None:
    place = music.place
    if music.beats is not None:
        _check_beats(music.beats, report)
    if music.file is None:
        if music.beats is None:
            report.add(
                "missing-key", "this music has neither a file nor beats", place.span, "name a song: file: song.ogg"
            )
        for key in ("gain", "fade_out"):
            if key in place.given:
                report.add("missing-key", f"`{key}` needs a song: there is no `file` here", place.of(key))
    elif music.facts is not None and music.start.seconds >= music.facts.duration:
        message = f"the trailer begins {clock(music.start.seconds)} into a song of {clock(music.facts.duration)}"
        report.add("past-end", message, place.of("start"))


def _check_beats(beats: BeatGrid, report: Report) -> None:
    place = beats.place
    if not beats.times:
        if beats.tempo is None:
            hint = "give the tempo: {tempo: 120, first: 0.5}, or each beat in times"
            report.add("under-determined", "these beats have no tempo", place.span, hint)
        return
    for key in ("tempo", "first"):
        if key in place.given:
            message = f"`times` lists every beat already, so `{key}` says it twice"
            report.add("over-determined", message, place.of(key), f"remove `{key}`, or `times`")
    for number, (left, right) in enumerate(pairwise(beats.times), 2):
        if right <= left:
            message = f"beat {number} at {float(right):g} s does not come after beat {number - 1} at {float(left):g} s"
            report.add("wrong-value", message, place.of("times"), "the times of the beats rise")
            return


def _check_crop(crop: Crop, report: Report) -> None:
    """The window lies inside the picture."""
    for edge, side, start, length in (("x", "w", crop.x, crop.w), ("y", "h", crop.y, crop.h)):
        if start + length > 1:
            span = crop.place.of(side if side in crop.place.given else edge)
            message = (
                f"this crop leaves the picture: {edge} {float(start):g} and {side} {float(length):g} make more than 1"
            )
            most = f"with {edge}: {float(start):g}, `{side}` is at most {float(1 - start):g}"
            report.add("outside-frame", message, span, most)
