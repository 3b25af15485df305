"""One watched spec: its file's current state, its last good draft, and the page's edits."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cinecut.diagnostics import LINE_BREAK, Diagnostic, Report, Severity, Stop, as_text, condensed
from cinecut.edits import revise
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.run import Running
from cinecut.files import open_file
from cinecut.render.check import files_of, warn
from cinecut.render.job import Job, Watch, prepare_live
from cinecut.render.trailer import Effort, render
from cinecut.watch.describe import description, stills_of

_KEPT = 2  # drafts: the one that plays, and the next
Contents = dict[Path, tuple[int, int, int] | None]


@dataclass(frozen=True, slots=True)
class PageState:
    """What the page shows. `trailer` describes the last text without mistakes, revision `described`; `revision` is the
    current text's; a higher `number` means a later state. `draft` is the name of the playing file, `drafted` the
    revision that it was rendered from, and `stills` the names of a picture of each of its events."""

    spec: str = ""  # the file's name
    number: int = 0
    revision: str = ""
    trailer: dict[str, Any] = field(default_factory=dict)
    described: str = ""
    mistakes: tuple[str, ...] = ()
    broken: bool = False  # the text cannot be rendered
    draft: str = ""
    drafted: str = ""
    stills: tuple[str, ...] = ()
    progress: str = ""  # what is under way, and how much of it is done
    percent: int = 0


class Session:
    """Reads, renders and edits one spec; drafts are in `folder`. `changed` is called, from any thread, when the state
    changes."""

    def __init__(self, spec: Path, folder: Path, ffmpeg: FFmpeg, changed: Callable[[], None]) -> None:
        self.spec, self.folder, self.ffmpeg, self._changed = spec, folder, ffmpeg, changed
        self.state = PageState(spec.name)
        self.job: Job | None = None  # of the last text without mistakes
        self.stills: dict[str, tuple[str, int]] = {}  # by their names which frame of which draft each is
        self._guard = threading.Lock()  # of the state
        self._drafts = 0  # begun
        self._dirty = threading.Event()
        self._ended = False
        self._running = Running()  # the FFmpegs of the draft under way
        self._looked: Contents = {}  # what it is made of

    def as_json(self) -> dict[str, Any]:
        return asdict(self.state)

    # Reading and rendering

    def run(self) -> None:
        """Render a draft after every change, until `end` is called."""
        while not self._ended:
            self._dirty.clear()
            self._running = Running()
            job = self._look()
            if job is not None:
                self._render(job, self._running)
            self._dirty.wait()

    def touch(self) -> None:
        """Check whether something that the spec is made of has changed. If so, a running draft is given up; its
        finished parts stay in the store."""
        if self._contents() != self._looked:
            self._dirty.set()
            self._running.end()

    def end(self) -> None:
        self._ended = True
        self._dirty.set()
        self._running.end()

    def _contents(self) -> Contents:
        """A value that changes with the spec and its media."""
        contents = Contents()
        for file in (self.spec, *self.media):
            contents[file] = None
            with contextlib.suppress(OSError):
                status = file.stat()
                contents[file] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return contents

    @property
    def media(self) -> list[Path]:
        """The files that the last good spec names."""
        return files_of(self.job.spec, self.job.folder) if self.job is not None else []

    def _look(self) -> Job | None:
        """The file's current state; None if it has mistakes. Then the last good trailer stays on the page."""
        text, mistakes = "", list[Diagnostic]()
        job: Job | None = None
        self._looked = before = self._contents()
        try:
            with open_file(self.spec) as file:
                text = file.read().decode("utf-8", "replace")
            job = prepare_live(self.spec)
            report = Report(list(job.plan.diagnostics))
            warn(job.plan.layout, self.spec, report)
            mistakes = list(report)
        except Stop as stop:
            mistakes = stop.diagnostics
        changes: dict[str, Any] = {
            "revision": revise.revision_of(text),
            "mistakes": _shown(mistakes, text),
            "broken": job is None,
        }
        if job is not None:
            self.job = job
            changes["trailer"] = description(job.plan.layout, job.plan.opening)
            changes["described"] = changes["revision"]
        self._looked = {file: before.get(file, stamp) for file, stamp in self._contents().items()}
        self._tell(**changes)
        return job

    def _render(self, job: Job, running: Running) -> None:
        """Render a draft; failures are shown on the page, unless it was given up."""
        revision = self.state.revision
        self._drafts += 1  # another song or film under the same words is another draft
        target = self.folder / f"draft-{revision}-{self._drafts}.mp4"
        try:
            watch = Watch(self._stage, self._waiting)
            done = render(job, target, self.ffmpeg, watch, force=True, effort=Effort(running=running))
            warnings = [*self.state.mistakes, *_shown(done.warnings, "")]
            stills = stills_of(job.plan.timeline, job.plan.opening, done.parts)
            self.stills = {name: (target.name, frame) for name, frame in stills}
            self._tell(
                draft=target.name,
                drafted=revision,
                stills=tuple(name for name, _ in stills),
                progress="",
                mistakes=tuple(dict.fromkeys(warnings)),
            )
        except Stop as stop:
            if not running.ended:
                self._tell(mistakes=_shown(stop.diagnostics, ""), progress="", broken=True)
        drafts = sorted(self.folder.glob("draft-*.mp4"), key=lambda file: file.stat().st_mtime)
        for file in drafts[:-_KEPT]:
            file.unlink(missing_ok=True)

    def _stage(self, name: str, done: int, total: int, speed: float | None) -> None:
        percent = 100 * done // max(total, 1)
        progress = "reading the film" if name == "reels" else "rendering"
        if (progress, percent) != (self.state.progress, self.state.percent):
            self._tell(progress=progress, percent=percent)

    def _waiting(self, holder: str) -> None:
        self._tell(progress=f"waiting for the GPU lock, held by {holder}")

    def _tell(self, **changes: Any) -> None:
        with self._guard:  # drafts and edits are made by threads of their own
            self.state = replace(self.state, number=self.state.number + 1, **changes)
        self._changed()

    # Editing: `revise` checks, writes and keeps the journal

    def edit(self, action: dict[str, Any], revision: str) -> None:
        """Do an action and write the spec. Raises Stop if it cannot be done, or the file has changed."""
        if self.job is None or self.state.broken:
            raise Stop("option", "correct the mistakes in the file first")
        self._revise(lambda terms: revise.edit(self.spec, action, terms), revision)

    def undo(self, revision: str) -> None:
        """Undo the last edit. Raises Stop as `edit` does."""
        self._revise(lambda terms: revise.undo(self.spec, terms), revision)

    def redo(self, revision: str) -> None:
        """Redo the edit that was undone last. Raises Stop as `edit` does."""
        self._revise(lambda terms: revise.redo(self.spec, terms), revision)

    def _revise(self, change: Callable[[revise.EditOptions], revise.Edit], revision: str) -> None:
        try:
            done = change(revise.EditOptions(revision, measure=True))
            self._tell(revision=done.after.revision)
        finally:
            self.touch()  # the file is another: by this change or, where it was refused, by somebody else's


def _shown(mistakes: list[Diagnostic], text: str) -> tuple[str, ...]:
    """Findings as `cinecut check` prints them."""
    lines = LINE_BREAK.split(text)
    told = condensed([item for item in mistakes if item.severity is not Severity.NOTE])
    return tuple(as_text(item, lines if item.span else None) for item in told)
