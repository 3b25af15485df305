"""Checking edits against what the analysis knows of the film and its song: warnings, each with its place and a cure.

An event that says `keep: true` is as somebody wants it, and is not judged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.ruler import sample_at
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.diagnostics import Diagnostic, Report, Span, as_word, excerpt
from cinecut.known.record import Known, KnownLine, shots_with_music, was_analysed
from cinecut.language.events import Black, Card, Event, Shot, Still, written_length
from cinecut.language.grid import Grid
from cinecut.language.timebase import SAMPLE_RATE, FilmRange, FilmTime, clock

_INSIDE = Fraction(1, 10)  # seconds of a line that may be missing: subtitles are no more exact
_TWICE = 2  # frames that two shots may share
_DIVISIONS = 12  # of a beat: halves, thirds and quarters are on the grid if they are exact
_EARLY = 1  # seconds of silence at the end of the music that nobody minds


def judge(layout: Layout, known: Known | None, report: Report) -> None:
    """Add the warnings to the report. Without `known`, only specs written by an analysis are checked, by themselves."""
    if known is None and not was_analysed(layout.trailer.spec):
        return
    _same_shots(layout, report)
    _off_grid(layout, report)
    if known is not None:
        _film_cuts(layout, known, report)
        for _, chopped in chopped_lines(layout, known.lines):
            report.add(chopped.code, chopped.message, chopped.span, *chopped.hints)
        _no_music(layout, known, report)
        _other_beats(layout, known, report)


def _shots(layout: Layout) -> list[PlacedShot]:
    return [placed for placed in layout.timeline.shots if not placed.event.keep]


def _written(layout: Layout, time: FilmTime, of: str) -> str:
    """A time of a film as a user writes it into the spec."""
    film = layout.trailer.footage[of].facts
    whole = not film.variable and (time.seconds * film.rate).denominator == 1
    return film.timecodes.of(time.seconds) if whole else clock(time.seconds)


def _end_of(shot: Shot) -> Span:
    """The place in the spec that sets a shot's end."""
    place = shot.shot.place
    return place.of("out") if "out" in place.given else place.of("for")


# The film's own cuts


def _film_cuts(layout: Layout, known: Known, report: Report) -> None:
    for film, footage in layout.trailer.footage.items():
        own = (shot for shot in known.shots if shot.range.film == film)
        joints = [(left.range.end, right.range.start) for left, right in pairwise(own)]
        _crossed(layout, film, joints, Fraction(1, 2) / footage.facts.rate, report)


def _crossed(
    layout: Layout, film: str, joints: Sequence[tuple[FilmTime, FilmTime]], half: Fraction, report: Report
) -> None:
    """Shots of a film that cross one of its cuts by more than `half` a frame."""
    ends = [begin for begin, _ in joints]
    for placed in _shots(layout):
        shown = _with_handles(placed, layout.timeline.rate)
        if shown.film != film:
            continue
        last = bisect_right(ends, shown.end - half)
        inside = list[tuple[FilmTime, FilmTime]]()
        for begin, end in reversed(joints[:last]):
            if end <= shown.start + half:
                break
            inside.insert(0, (begin, end))
        if inside:
            _film_cut(layout, placed, shown, inside, report)


def _with_handles(placed: PlacedShot, rate: Fraction) -> FilmRange:
    """The whole range of the film that is shown, including crossfades."""
    step = placed.event.speed / rate
    return replace(placed.film, start=placed.film.start - placed.lead * step, end=placed.film.end + placed.lag * step)


def _film_cut(
    layout: Layout,
    placed: PlacedShot,
    shown: FilmRange,
    inside: Sequence[tuple[FilmTime, FilmTime]],
    report: Report,
) -> None:
    # Between the cuts lie the parts of it that are one shot of the film each: the longest is what it could be cut to.
    starts, ends = [shown.start, *(end for _, end in inside)], [*(begin for begin, _ in inside), shown.end]
    kept = max(range(len(starts)), key=lambda part: (ends[part] - starts[part], part))
    begin, end = inside[max(0, kept - 1)]
    what = f"cut at {clock(begin.seconds)}" if begin == end else f"change of shots, {_span_of(begin, end)}"
    others = f", and {len(inside) - 1} more" if len(inside) > 1 else ""
    frames = layout.trailer.footage[shown.film].facts.rate * (end - shown.start if kept else shown.end - begin)
    count = -(-frames // 1)
    where = f"{count} frame{'s' * (count != 1)} {'after it begins' if kept else 'before it ends'}"
    cures = [f"begin at {_written(layout, starts[kept], shown.film)} or later"] if kept else []
    cures += [f"end at {_written(layout, ends[kept], shown.film)} or earlier"] if kept < len(inside) else []
    cure = " and ".join(cures) if ends[kept] > starts[kept] else "choose another moment"
    span = placed.event.shot.place.of("in") if kept else _end_of(placed.event)
    message = f"{placed.name} crosses the film's {what}, {where}{others}"
    report.add("film-cut", message, span, cure, "`keep: true` if it is meant")


def _span_of(start: FilmTime, end: FilmTime) -> str:
    return f"{clock(start.seconds)} - {clock(end.seconds)}"


# Lines


def heard_edges(layout: Layout) -> Iterator[tuple[PlacedShot, FilmTime, bool]]:
    """Where the sound of each shot begins and ends in its film, and whether it begins there; without edges where the
    sound continues in the next shot."""
    for placed, goes_on, went_on in _heard(layout):
        if layout.trailer.footage[placed.film.film].audio is None:
            continue
        heard = _heard_range(placed, layout.timeline.rate)
        for edge, joined, begins in ((heard.start, went_on, True), (heard.end, goes_on, False)):
            if not joined:
                yield placed, edge, begins


def chopped_lines(layout: Layout, lines: Sequence[KnownLine]) -> Iterator[tuple[PlacedShot, Diagnostic]]:
    """Shots whose sound begins or ends inside a line; if both, only the first is reported."""
    longest = max((line.range.duration for line in lines), default=Fraction(0))
    spoken, starts = dict[str, list[KnownLine]](), dict[str, list[FilmTime]]()
    for line in sorted(lines, key=lambda line: line.range.start):
        spoken.setdefault(line.range.film, []).append(line)
        starts.setdefault(line.range.film, []).append(line.range.start)

    def cut_by(film: str, edge: FilmTime) -> KnownLine | None:
        times = starts.get(film, [])
        near = spoken.get(film, [])[bisect_right(times, edge - longest) : bisect_right(times, edge)]
        inside = (line for line in near if line.range.start + _INSIDE < edge < line.range.end - _INSIDE)
        return next(inside, None)

    done = set[int]()
    for placed, edge, begins in heard_edges(layout):
        cut = cut_by(placed.film.film, edge)
        if cut is not None and id(placed) not in done:
            done.add(id(placed))
            yield placed, _chopped(placed, cut, begins)


def _heard(layout: Layout) -> Iterator[tuple[PlacedShot, bool, bool]]:
    """Each shot with sound, whether its sound continues in the next shot, and whether it continues from the one
    before."""
    events: list[Placed | None] = [None, *layout.timeline.events, None]
    frames = {film: 2 / footage.facts.rate for film, footage in layout.trailer.footage.items()}

    def joined(left: Placed | None, right: Placed | None) -> bool:
        if not isinstance(left, PlacedShot) or not isinstance(right, PlacedShot):
            return False
        if left.event.mute or right.event.mute or left.film.film != right.film.film:
            return False
        return abs(right.heard.start - left.heard.end) <= frames[left.film.film]

    for before, placed, after in zip(events, events[1:], events[2:], strict=False):
        if isinstance(placed, PlacedShot) and not placed.event.mute and not placed.event.keep:
            yield placed, joined(placed, after), joined(before, placed)


def _heard_range(placed: PlacedShot, rate: Fraction) -> FilmRange:
    """The range of the film that is heard, including crossfades and the sound's own lead and trail."""
    shot, step = placed.event, placed.event.speed / rate
    lead = placed.sound_over[0] if shot.sound_lead else placed.lead
    trail = placed.sound_over[1] if shot.sound_trail else placed.lag
    return replace(placed.heard, start=placed.heard.start - lead * step, end=placed.heard.end + trail * step)


def _chopped(placed: PlacedShot, line: KnownLine, begins: bool) -> Diagnostic:
    words = excerpt(line.text, 40) if line.text else "a phrase that somebody speaks"
    where = _span_of(line.range.start, line.range.end)
    if begins:
        span, key = placed.event.shot.place.of("in"), "sound_lead"
        cure = f"begin before {clock(line.range.start.seconds)}, or at {clock(line.range.end.seconds)}"
    else:
        span, key = _end_of(placed.event), "sound_trail"
        cure = f"end after {clock(line.range.end.seconds)}, or at {clock(line.range.start.seconds)}"
    message = f"{placed.name} {'begins' if begins else 'ends'} inside {words} ({where} of the film)"
    return Diagnostic("chopped-line", message, span, (cure, f"`{key}` lets it be heard whole, `mute: true` not at all"))


# Beats


def _off_grid(layout: Layout, report: Report) -> None:
    """Report events that end off the beats while the trailer's own music plays; later events at the same offset are not
    reported again. A trailer that is not cut on beats is not checked."""
    timeline, grid, track = layout.timeline, layout.timeline.grid, layout.track
    own = [song.place for song in track.songs if not song.owner]
    own += [track.pulse.place] if track.pulse is not None else []
    if grid is None or not own or not any(map(_in_beats, (placed.event for placed in timeline.events))):
        return
    ended, judged, before = list[Placed](), 0, grid.beat_at(Fraction(0))
    for placed in timeline.events[:-1]:
        sample = sample_at(placed.range.end, timeline.rate)
        if not any(place.start <= sample < place.end for place in own):
            continue
        judged += 1
        beat, slack = grid.beat_at(placed.end), _slack(grid, placed.end, timeline.rate)
        off = not _on_line(beat, slack) and not _on_line(beat - before, slack)
        ended += [placed] if off else []
        before = beat
    if 2 * len(ended) <= judged + 1:
        for placed in ended:
            _off(placed, grid, report)


def _in_beats(event: Event) -> bool:
    length = written_length(event)
    return event.snap is not None or (length is not None and length.unit in ("beats", "bars"))


def _slack(grid: Grid, at: Fraction, rate: Fraction) -> Fraction:
    """Half a frame, in beats."""
    beat = grid.after(at, Fraction(1)) - at
    return Fraction(1, 2) / rate / beat


def _on_line(beat: Fraction, slack: Fraction) -> bool:
    away = beat % 1
    return min(away, 1 - away) <= slack or (beat * _DIVISIONS).denominator == 1


def _off(placed: Placed, grid: Grid, report: Report) -> None:
    event = placed.event
    if event.keep:
        return
    late = float(placed.end - grid.nearest_line(placed.end, "beat"))
    side = "after" if late > 0 else "before"
    message = f"{placed.name} ends {abs(late):.2f} s {side} a beat, and the cuts after it with it"
    match event:
        case Shot():
            span = _end_of(event)
        case Black():
            span = event.place.of("black")
        case Card() | Still():
            span = event.place.of("for")
    beats = max(1, round(float(grid.beat_at(placed.end) - grid.beat_at(placed.start))))
    key = "black" if isinstance(event, Black) else "for"
    cure = f"{key}: {beats} beat{'s' if beats > 1 else ''}"
    report.add("off-grid", message, span, f"`{cure}`, or `snap: beat`", "`keep: true` if it is meant")


def _other_beats(layout: Layout, known: Known, report: Report) -> None:
    """Warn where the spec has another song but still the old song's beats."""
    music, song = layout.trailer.music, known.song
    if music is None or music.beats is None or music.facts is None or song is None:
        return
    if music.facts.fingerprint != song.fingerprint and song.has(music.beats):
        message = "these are the beats of the song that was here before"
        cure = f"cinecut beats {as_word(music.file)} finds its own, and cinecut recut SPEC --music with it cuts to them"
        report.add("off-grid", message, music.place.of("beats"), cure)


# Music


def _no_music(layout: Layout, known: Known, report: Report) -> None:
    spec, said = layout.trailer.spec, set[str]()
    if spec.music is None:
        return
    for act, number, playing in shots_with_music(spec):
        entry = spec.timeline[number]
        if not playing and act in known.scored and act not in said and isinstance(entry, Shot) and not entry.keep:
            said.add(act)
            stops = [each for each in spec.timeline[:number] if getattr(each, "cue", None) is not None]
            line = f" (line {stops[-1].place.span.line + 1})" if stops else ""
            message = f"no music plays from here on in {excerpt(act)}: it ended with the `cue` before{line}"
            cure = "move the event with the `cue` behind this act, or give an event here a `cue` with a song"
            report.add("no-music", message, entry.shot.place.span, cure)
    for song in layout.track.songs:
        heard = sum((end - begin for begin, end in song.parts), Fraction(0))
        missing = Fraction(song.place.length - song.fade, SAMPLE_RATE) - heard
        if not song.owner and missing > _EARLY and not known.short:
            message = f"the song ends {float(missing):.1f} s before its music should"
            cure = "let it `loop: true`, list more `parts`, or let a `cue: stop` end the music sooner"
            report.add("no-music", message, spec.music.place.of("parts" if spec.music.parts else "file"), cure)


# The same moment


def _same_shots(layout: Layout, report: Report) -> None:
    for film, footage in layout.trailer.footage.items():
        shots = [placed for placed in layout.timeline.shots if placed.film.film == film]
        _same_shots_of(shots, footage.facts.rate, report)


def _same_shots_of(shots: Sequence[PlacedShot], rate: Fraction, report: Report) -> None:
    """Shots of one film."""
    shots = sorted(shots, key=lambda placed: placed.film.start)
    if not shots:
        return
    longest = shots[0]  # of those before the one that ends last
    for placed in shots[1:]:
        shared = min(longest.film.end, placed.film.end) - placed.film.start
        if shared * rate > _TWICE and not placed.event.keep and not longest.event.keep:
            before, after = sorted((longest, placed), key=lambda each: each.number)
            line = before.event.place.span.line + 1
            message = f"{after.name} shows {float(shared):.2f} s that {before.name} (line {line}) shows too"
            span = after.event.shot.place.of("in")
            report.add("same-shot", message, span, "choose another moment", "`keep: true` if it is meant")
        longest = max(longest, placed, key=lambda each: each.film.end)
