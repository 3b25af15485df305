"""What must be rendered again, and why: a lock compared with what its spec says now, or with another lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report, Span
from cinecut.edits.changes.compare import differences
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.language.timebase import clock
from cinecut.proof.lock import LockedOutput, LockedSegment, TrailerLock, made_of, own_lock, read_lock, spec_of
from cinecut.render.check import layout_of
from cinecut.render.job import prepare

_MOVED = "a cut beside it is another"
_NOTHING_ELSE = ("trailer", "anchors", "protagonist")  # what these say follows from the rest, or is a note
_TAGS = {"title", "chapters", "acts"}  # what a file carries beside its pictures and its sound
# Keys that change nothing but the sound, and nothing but the pictures.
_SOUND = {"gain", "mute", "duck", "sound", "voice", "cue", "sound_in", "sound_lead", "sound_trail", "sound_fade"}
_SOUND |= {"channels", "music", "effects", "mix", "loudness", "audio", "audio_bitrate"}
_PICTURE = {"titles", "grade", "crop", "reframe", "lut", "size", "fit", "codec", "crf", "preset", "card", "still"}
_PICTURE |= {"mirror", "scale", "hardware", "subtitles"}


Part = Literal["pictures", "sound", "tags"]
_EVERYTHING = frozenset[str](get_args(Part))


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something would be rendered again, in words. `event`: its name in the newer spec (empty: the whole trailer).
    `span`: None if the newer spec does not write it."""

    words: str
    event: str = ""
    span: Span | None = None
    changes: frozenset[str] = _EVERYTHING  # the parts that it can change


@dataclass(frozen=True, slots=True)
class Anew:
    """A part of an output that would be made anew: its pictures from `start` to `end` (frames) with the events there,
    its sound, or its tags: title, chapters and subtitles."""

    output: str
    part: Part
    causes: tuple[Cause, ...]
    rate: Fraction
    start: int = 0
    end: int = 0
    events: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        name = f"{self.output}: " if self.output else ""
        if self.part != "pictures":
            return f"{name}the sound" if self.part == "sound" else f"{name}title, chapters or subtitles"
        span = f"{clock(self.start / self.rate, 2)} – {clock(self.end / self.rate, 2)}"
        return f"{name}{_listed(self.events)} ({span})"

    def as_json(self) -> dict[str, object]:
        because = [{"what": c.words, "event": c.event or None, "place": _place(c.span)} for c in self.causes]
        pictures = {"start": self.start, "end": self.end, "events": list(self.events)}
        return {"output": self.output, "part": self.part, **(pictures if self.events else {}), "because": because}


def _listed(events: Sequence[str]) -> str:
    return ", ".join(events) if len(events) < 4 else f"{events[0]} to {events[-1]}"


def _place(span: Span | None) -> dict[str, object] | None:
    return None if span is None else {"file": span.file, "line": span.line + 1, "column": span.column + 1}


@dataclass(frozen=True, slots=True)
class TrailerState:
    """A trailer as described by a lock or a spec."""

    lock: TrailerLock
    layout: Layout


def state_of(path: Path, ffmpeg: FFmpeg) -> TrailerState:
    """The state of a spec or of a lock. Raises Stop."""
    if path.suffix == ".lock":
        return _locked(path)
    job = prepare(path)
    return TrailerState(made_of(job, ffmpeg), job.plan.layout)


def _locked(path: Path) -> TrailerState:
    lock, report = read_lock(path), Report()
    return TrailerState(lock, layout_of(spec_of(lock, path), report))


def locked_state(spec: Path) -> TrailerState:
    """The state of a spec's own lock. Raises Stop if there is none."""
    return _locked(own_lock(spec))


def why(old: TrailerState, new: TrailerState) -> list[Anew]:
    """The parts of the newer trailer that the older one lacks, and why."""
    causes = [*_surroundings(old.lock, new.lock), *_causes(old.layout, new.layout)]
    known = {output.name: output for output in old.lock.outputs}
    kept = _keys(old.lock) & _keys(new.lock)  # where most is as it was, nothing of the whole explains one part
    rate, runs = new.layout.timeline.rate, list[Anew]()
    for output in new.lock.outputs:
        was = known.get(output.name)
        for segment in _new_segments(was, output):
            own = [cause for cause in causes if "pictures" in cause.changes and cause.event in ("", *segment.events)]
            if not any(cause.event for cause in own) and kept:
                own.append(Cause(_MOVED))
            place = segment.start, segment.end, segment.events
            runs.append(Anew(output.name, "pictures", tuple(own), rate, *place))
        parts: dict[Part, bool] = {
            "sound": was is None or was.sound != output.sound,
            "tags": was is not None and was.about != output.about,
        }
        for part in (part for part, anew in parts.items() if anew):
            own = [cause for cause in causes if part in cause.changes]
            runs.append(Anew(output.name, part, tuple(own), rate))
    return runs


def _causes(old: Layout, new: Layout) -> Iterator[Cause]:
    """All differences between the trailers, as `diff` words them, each with its place."""
    events = new.timeline.events
    for difference in differences(old, new):
        if difference.what in _NOTHING_ELSE:
            continue
        event = events[difference.now - 1] if difference.now is not None else None
        name, place = (event.name, event.event.place.span) if event is not None else ("", None)
        replaced = any(said.key.rpartition(".")[2] == "file" for said in difference.said)
        for said in difference.said:
            last = said.key.rpartition(".")[2]
            if said.kind == "noted" or (replaced and last == "facts"):  # another file has other facts
                continue
            keys = {difference.what, *said.key.replace("[", ".").split(".")}
            text = replace(difference, said=(said,)).text
            yield Cause(text, name, said.span or place, _changes(keys, said.kind))
        if event is not None and difference.was is not None:
            was, line = old.timeline.events[difference.was - 1].event.line, event.event.line
            if was != line:  # it is a note, but what subtitles show, too
                words = f"{name}: line {was or 'none'} → {line or 'none'}"
                yield Cause(words, name, event.event.place.of("line"), _EVERYTHING)


def _changes(keys: set[str], kind: str) -> frozenset[str]:
    """What a change of some keys can change."""
    if keys & _PICTURE or kind == "retitled":
        return frozenset({"pictures"})
    if keys & _SOUND:
        return frozenset({"sound", "tags"})
    return frozenset({"tags"}) if keys & _TAGS else _EVERYTHING


def _keys(lock: TrailerLock) -> set[str]:
    return {segment.key for output in lock.outputs for segment in output.segments}


def _new_segments(was: LockedOutput | None, now: LockedOutput) -> list[LockedSegment]:
    keys = {segment.key for segment in was.segments} if was is not None else set()
    return [segment for segment in now.segments if segment.key not in keys]


def _surroundings(old: TrailerLock, new: TrailerLock) -> Iterator[Cause]:
    """Differences outside the spec: FFmpeg, cinecut, fonts."""
    if old.ffmpeg["sha256"] != new.ffmpeg["sha256"]:
        yield Cause(f"FFmpeg is another build: {new.ffmpeg['version']}")
    if (old.cinecut, old.code) != (new.cinecut, new.code):
        yield Cause(f"cinecut's code is another: {old.cinecut} made it, this is {new.cinecut}")
    for face, was in old.fonts.items():
        if new.fonts.get(face, was) != was:
            yield Cause(f"the font {face} is another file")
