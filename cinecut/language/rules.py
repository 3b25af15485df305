"""What the schema cannot say of a spec: values that contradict each other or the facts of the media.

What depends on where events fall in the trailer is the timeline's to judge.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from itertools import pairwise

from cinecut.diagnostics import Report
from cinecut.language.events import ActMarker, Crop, Shot
from cinecut.language.spec import ABSENT, BeatGrid, Deliverable, Film, Music, Output, Spec
from cinecut.language.timebase import clock


def check_rules(spec: Spec, report: Report) -> None:
    for film in spec.every_film.values():
        _check_film(film, report)
    _check_twice(spec, report)
    if spec.music is not None:
        _check_music(spec.music, report)
    if spec.rating is not None and (spec.rating.still is None) == (spec.rating.clip is None):
        code = "under-determined" if spec.rating.still is None else "over-determined"
        report.add(code, "a rating card is a `still` or a `clip`", spec.rating.place.span, "rating: {still: card.png}")
    if spec.rating is not None and spec.rating.for_ is not None and spec.rating.for_.unit in ("beats", "bars"):
        message = "the rating card comes before the music, so it has no beats"
        report.add("no-grid", message, spec.rating.place.of("for"), "give seconds or frames: 5s")
    if spec.mix.splice.unit in ("beats", "bars"):
        report.add("no-grid", "a splice has no beats", spec.mix.place.of("splice"), "give seconds: 0.005s")
    elif spec.mix.splice.amount > _LONGEST_SPLICE[spec.mix.splice.unit]:
        message = "a splice takes the click from a cut: it is no longer than a second"
        report.add("wrong-value", message, spec.mix.place.of("splice"), "0.005s is usual; a shot's own fade is `from`")
    check_names(spec.deliverables, report)
    _check_chapters(spec, report)
    _check_ids(spec, report)
    for entry in spec.timeline:
        if isinstance(entry, Shot) and entry.crop is not None:
            _check_crop(entry.crop, report)


_LONGEST_SPLICE = {"s": 1, "f": 24}


def _check_ids(spec: Spec, report: Report) -> None:
    known: dict[str, int] = {}
    for entry in spec.timeline:
        if isinstance(entry, ActMarker) or entry.id is None:
            continue
        line = entry.place.of("id").line + 1
        if entry.id in known:
            message = f"two events have the id {entry.id} (the other in line {known[entry.id]})"
            report.add("wrong-value", message, entry.place.of("id"), "an id names one event: give this one another")
        known.setdefault(entry.id, line)


def check_names(deliverables: Sequence[Deliverable], report: Report) -> None:
    """Each deliverable has a name of its own, or its kit's."""
    names = list[str]()
    for item in deliverables:
        name = item.name or item.kit
        if name is None:
            report.add("missing-key", "`name` is missing in this entry", item.place.span, "name it, or its `kit`")
        elif name in names:
            place = item.place.of("name" if item.name else "kit")
            report.add("wrong-value", f"two deliverables are named {name}", place, "give one another `name`")
        names += [name] if name else []


def _check_chapters(spec: Spec, report: Report) -> None:
    """Chapters are acts, so there must be acts."""
    if any(entry.act for entry in spec.timeline):
        return
    files: tuple[Output | Deliverable, ...] = (spec.output, *spec.deliverables)
    for item in files:
        if item.chapters:
            message = "chapters are the acts of the trailer, and this one has none"
            report.add("missing-key", message, item.place.of("chapters"), "mark where one begins: - act: cold open")


def _check_film(film: Film, report: Report) -> None:
    """The chosen audio stream must exist; a film without sound is simply silent."""
    if film.crop is not None:
        _check_crop(film.crop, report)
    streams = len(film.facts.audio) if film.facts is not None else 0
    if streams and film.audio > streams:
        message = f"the film has {streams} audio stream{'s' if streams > 1 else ''}; there is no stream {film.audio}"
        report.add("no-audio", message, film.place.of("audio"), "the spec's facts list the streams, in order from 1")


def _check_twice(spec: Spec, report: Report) -> None:
    """A film may have two names only for different audio streams or crops."""
    names: dict[object, str] = {}
    for name, film in (spec.films or {}).items():
        content = film.facts.fingerprint if film.facts is not None and film.facts.fingerprint else None
        for same in filter(None, (posixpath.normpath(film.file.replace("\\", "/")), content)):
            other = names.setdefault((same, film.audio, film.crop), name)
            if other != name and film.file != ABSENT:
                message = f"{name} is the same film as {other}"
                report.add("wrong-value", message, film.place.of("file"), "take one of the names out")
                break


def _check_music(music: Music, report: Report) -> None:
    place = music.place
    if music.beats is not None:
        _check_beats(music.beats, report)
    if music.file is None:
        if music.pulse != "none" and (music.beats is None or music.beats.tempo is None):
            hint = "add `beats: {tempo: 120}`"
            report.add("no-grid", "a pulse needs a constant tempo", place.of("pulse"), hint)
        elif music.beats is None:
            report.add(
                "missing-key", "this music has neither a file nor beats", place.span, "name a song: file: song.ogg"
            )
        for key in _OF_SONGS if music.pulse != "none" else (*_OF_SONGS, "gain", "fade_out", "duck"):
            if key in place.given:
                report.add("missing-key", f"`{key}` needs a song: there is no `file` here", place.of(key))
        return
    if music.pulse != "none":
        report.add("over-determined", "there is a song, so there is no pulse", place.of("pulse"), "remove one of them")
    if music.parts and "start" in place.given:
        message = "the song's parts define where it begins, so `start` is one too many"
        report.add("over-determined", message, place.of("start"), "remove `start`, or `parts`")
    for part in music.parts:
        if part.out <= part.in_:
            report.add("order", "this part of the song ends before it begins", part.place.span)
        elif music.facts is not None and part.out.seconds > music.facts.duration:
            message = f"this part runs to {clock(part.out.seconds)}, the song ends at {clock(music.facts.duration)}"
            report.add("past-end", message, part.place.span)
    if music.facts is not None and music.start.seconds >= music.facts.duration:
        message = f"the trailer begins {clock(music.start.seconds)} into a song of {clock(music.facts.duration)}"
        report.add("past-end", message, place.of("start"))


_OF_SONGS = ("start", "parts", "loop", "join", "credit")


def _check_beats(beats: BeatGrid, report: Report) -> None:
    place = beats.place
    if not beats.times:
        if beats.tempo is None:
            hint = "give the tempo: {tempo: 120, first: 0.5}, or each beat in times"
            report.add("under-determined", "these beats have no tempo", place.span, hint)
        return
    for key in ("tempo", "first"):
        if key in place.given:
            message = f"`times` lists every beat already, so `{key}` is one too many"
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
