"""What a shot takes of the film: how long it runs, which range it shows, and what is heard before and after it.

Mistakes go into the clockwork's report; what is returned then is only there for its neighbours' sake.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from cinecut.compiler.layout.clockwork import GRID_HINT, Clockwork
from cinecut.language.events import Shot
from cinecut.language.timebase import FilmRange, FilmTime, Length, TrailerRange, clock


def shot_length(shot: Shot, position: Fraction, clockwork: Clockwork) -> Fraction:
    """Trailer seconds of a shot from two of in, out and for; a wrong number of them is reported."""
    clip, place = shot.shot, shot.shot.place
    given = [name for name, value in (("in", clip.in_), ("out", clip.out), ("for", clip.for_)) if value is not None]
    if clip.in_ is not None and clip.out is not None:
        length = (clip.out - clip.in_) / shot.speed
        if clip.for_ is not None:
            wanted = clockwork.seconds(clip.for_, position, place.of("for"))
            message = (
                f"`in` and `out` make {clock(length)} of trailer, `for` says {clock(wanted)}: give two of the three"
            )
            clockwork.report.add("over-determined", message, place.of("for"), "remove `for`, or remove `out`")
        if length <= 0:
            message = f"the out point {clock(clip.out.seconds)} is not after the in point {clock(clip.in_.seconds)}"
            clockwork.report.add("order", message, place.of("out"))
            return Fraction(2)
        return length
    if len(given) < 2:
        message = f"`{given[0]}` alone is no shot" if given else "this shot has no times"
        clockwork.report.add("under-determined", message, place.span, "give two of in, out and for")
        return Fraction(2)
    return clockwork.seconds(clip.for_ or _USUAL, position, place.of("for"))


_USUAL = Length(Fraction(2), "s")  # of what has no length, which is reported


def film_range(shot: Shot, start: Fraction, end: Fraction, frames: TrailerRange, clockwork: Clockwork) -> FilmRange:
    """The range of the film that a shot shows, moved to its sync point."""
    clip, length = shot.shot, (end - start) * shot.speed
    film = clockwork.trailer.spec.key_of(clip.film)
    if clip.in_ is not None:
        in_ = clip.in_
    elif clip.out is not None:
        in_ = clip.out - length
    else:
        return FilmRange(FilmTime(Fraction(0)), FilmTime(length), film)  # it has no times: reported
    in_ = _synced(shot, in_, start, frames, clockwork)
    shown = FilmRange(in_, in_ + length, film)
    _check_bounds(shot, shown, frames, clockwork)
    return shown


def _synced(shot: Shot, in_: FilmTime, start: Fraction, frames: TrailerRange, clockwork: Clockwork) -> FilmTime:
    """The in point for which the moment `sync.at` is first shown on the frame nearest to a beat."""
    if shot.sync is None:
        return in_
    place = shot.sync.place
    if clockwork.grid is None:
        clockwork.report.add("no-grid", "`sync` needs a beat grid", place.span, GRID_HINT)
        return in_
    at = start + (shot.sync.at - in_) / shot.speed
    if not frames.start <= clockwork.frame(at) < frames.end:
        message = f"the moment {clock(shot.sync.at.seconds)} is not inside this shot"
        clockwork.report.add("sync", message, place.of("at"))
        return in_
    line = clockwork.frame(clockwork.grid.nearest_line(at, shot.sync.to))
    if not frames.start <= line < frames.end:
        message = f"no {shot.sync.to} falls inside this shot, so its moment cannot land on one"
        clockwork.report.add("sync", message, place.span, "make the shot longer, or remove `sync`")
        return in_
    return shot.sync.at - (line - frames.start) * shot.speed / clockwork.rate


def _check_bounds(shot: Shot, shown: FilmRange, frames: TrailerRange, clockwork: Clockwork) -> None:
    place, film_end = shot.shot.place, clockwork.film_end(shown)
    if shown.start.seconds < 0:
        early = clock(-shown.start.seconds)
        where = "after its sync " if shot.sync else ""
        clockwork.report.add("past-end", f"this shot {where}begins {early} before the film does", place.span)
    last = shown.start.seconds + (frames.length - 1) * shot.speed / clockwork.rate
    clip_out = shot.shot.out.seconds if shot.shot.out else Fraction(0)
    if last >= film_end or clip_out > film_end:
        message = f"this shot runs to {clock(max(shown.end.seconds, clip_out))}, the film ends at "
        key = "out" if "out" in place.given else "for"
        clockwork.report.add("past-end", message + clock(film_end), place.of(key))


def heard_range(shot: Shot, shown: FilmRange, clockwork: Clockwork) -> FilmRange:
    """The range of the film that is heard with what a shot shows: the same one, or another that is as long."""
    if shot.sound_in is None:
        return shown
    span, heard = shot.place.of("sound_in"), replace(shown, start=shot.sound_in, end=shot.sound_in + shown.duration)
    if shot.mute:
        clockwork.report.add("over-determined", "a muted shot has no sound for `sound_in`", span)
    if heard.end.seconds > clockwork.film_end(heard):
        message = f"this shot's sound runs to {clock(heard.end.seconds)}, the film ends at "
        clockwork.report.add("past-end", message + clock(clockwork.film_end(heard)), span, "choose an earlier moment")
    return heard


def sound_fades(
    shot: Shot, start: Fraction, end: Fraction, frames: TrailerRange, clockwork: Clockwork
) -> tuple[int, int]:
    """Frames of fade at the head and at the tail of a shot's sound."""
    if shot.sound_fade is None:
        return (0, 0)
    place, fade = shot.sound_fade.place, shot.sound_fade
    head = clockwork.frames(fade.in_, start, place.of("in")) if fade.in_ else 0
    tail = clockwork.frames(fade.out, end, place.of("out")) if fade.out else 0
    if head + tail > frames.length:
        message = f"this shot has {frames.length} frames, but the fades of its sound take {head + tail}"
        clockwork.report.add("transition", message, place.span, "shorten them")
    return head, tail


def sound_over(shot: Shot, start: Fraction, end: Fraction, heard: FilmRange, clockwork: Clockwork) -> tuple[int, int]:
    """Frames by which the sound starts before the picture and ends after it (J- and L-cut)."""
    lengths, film_end = [], clockwork.film_end(heard)
    for key, length, at in (("sound_lead", shot.sound_lead, start), ("sound_trail", shot.sound_trail, end)):
        frames = clockwork.frames(length, at, shot.place.of(key)) if length else 0
        if frames:
            over = frames * shot.speed / clockwork.rate
            early, late = heard.start.seconds - over, heard.end.seconds + over
            if key == "sound_lead" and (early < 0 or start * clockwork.rate < frames):
                whose = "film" if early < 0 else "trailer"
                message = f"this shot's sound begins before the {whose} does"
                clockwork.report.add("past-end", message, shot.place.of(key), "shorten the lead")
            if key == "sound_trail" and late > film_end:
                message = f"this shot's sound runs to {clock(late)}, the film ends at {clock(film_end)}"
                clockwork.report.add("past-end", message, shot.place.of(key), "shorten the trail")
        if frames and shot.mute:
            clockwork.report.add("over-determined", f"a muted shot has no sound for `{key}`", shot.place.of(key))
        lengths.append(frames)
    return lengths[0], lengths[1]
