"""What would be rendered anew, and because of what: a lock beside what its spec says now, or beside another lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report, Span
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.language.timebase import clock
from cinecut.proof.changes import Change, changes
from cinecut.proof.lock import Lock, LockedOutput, LockedSegment, lock_file, made_of, read_lock, spec_of
from cinecut.render.check import layout_of
from cinecut.render.job import prepare

_MOVED = "a cut beside it is another"


@dataclass(frozen=True, slots=True)
class Anew:
    """A part of an output that would be rendered: its pictures from `start` to `end` (frames), or its sound."""

    output: str
    start: int
    end: int
    events: tuple[str, ...]  # none: it is the sound
    causes: tuple[Change, ...]
    rate: Fraction

    @property
    def what(self) -> str:
        name = f"{self.output}: " if self.output else ""
        if not self.events:
            return f"{name}the sound"
        span = f"{clock(self.start / self.rate, 2)} – {clock(self.end / self.rate, 2)}"
        return f"{name}{_listed(self.events)} ({span})"

    def as_json(self) -> dict[str, object]:
        because = [{"what": c.words, "event": c.event or None, "place": _place(c.span)} for c in self.causes]
        part = {"start": self.start, "end": self.end, "events": list(self.events)} if self.events else {}
        return {"output": self.output, "part": "pictures" if self.events else "sound", **part, "because": because}


def _listed(events: Sequence[str]) -> str:
    return ", ".join(events) if len(events) < 4 else f"{events[0]} to {events[-1]}"


def _place(span: Span | None) -> dict[str, object] | None:
    return None if span is None else {"file": span.file, "line": span.line + 1, "column": span.column + 1}


@dataclass(frozen=True, slots=True)
class State:
    """A trailer as a lock or a spec has it."""

    lock: Lock
    layout: Layout


def state_of(path: Path, ffmpeg: FFmpeg) -> State:
    """Of a spec or of a lock. Raises Stop."""
    if path.suffix == ".lock":
        return _locked(path)
    job = prepare(path)
    return State(made_of(job, ffmpeg), job.plan.layout)


def _locked(path: Path) -> State:
    lock, report = read_lock(path), Report()
    return State(lock, layout_of(spec_of(lock, path), report))


def locked_state(spec: Path) -> State:
    """Of a spec's own lock. Raises Stop where it has none."""
    return _locked(lock_file(spec))


def why(old: State, new: State) -> list[Anew]:
    """What of the newer trailer the older one has not, and why."""
    said = changes(old.layout.trailer, new.layout.trailer)
    build = list(_surroundings(old.lock, new.lock))
    known = {output.name: output for output in old.lock.outputs}
    kept = _keys(old.lock) & _keys(new.lock)  # where most is as it was, nothing of the whole explains one part
    rate, found = new.layout.timeline.rate, list[Anew]()
    for output in new.lock.outputs:
        was = known.get(output.name)
        for segment in _new_segments(was, output):
            causes = build + [c for c in said if c.concerns[0] and c.event in ("", *segment.events)]
            if not any(cause.event for cause in causes) and kept:
                causes = [*causes, Change(_MOVED, "", "", "", None)]
            found.append(Anew(output.name, segment.start, segment.end, segment.events, tuple(causes), rate))
        if was is None or was.sound != output.sound:
            causes = build + [change for change in said if change.concerns[1]]
            found.append(Anew(output.name, 0, 0, (), tuple(causes), rate))
    return found


def _keys(lock: Lock) -> set[str]:
    return {segment.key for output in lock.outputs for segment in output.segments}


def _new_segments(was: LockedOutput | None, now: LockedOutput) -> list[LockedSegment]:
    keys = {segment.key for segment in was.segments} if was is not None else set()
    return [segment for segment in now.segments if segment.key not in keys]


def _surroundings(old: Lock, new: Lock) -> Iterator[Change]:
    """What is not in a spec: FFmpeg, cinecut, fonts."""
    if old.ffmpeg["sha256"] != new.ffmpeg["sha256"]:
        yield Change("FFmpeg is another build:", "", new.ffmpeg["version"], "", None)
    if (old.cinecut, old.code) != (new.cinecut, new.code):
        yield Change(f"cinecut's code is another: {old.cinecut} made it, this is {new.cinecut}", "", "", "", None)
    for face, was in old.fonts.items():
        if new.fonts.get(face, was) != was:
            yield Change(f"the font {face} is another file", "", "", "", None)
