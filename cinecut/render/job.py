"""From a spec to a job: a checked, linked and compiled trailer that is ready to be rendered.

file ─ check ─ link ─ lay out ─ compile ─► Job
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cinecut.compiler.deliveries import Delivery
from cinecut.compiler.encode import draft
from cinecut.compiler.layout import Layout
from cinecut.compiler.plan import RenderPlan
from cinecut.compiler.resolve import Trailer
from cinecut.diagnostics import Report, Stop
from cinecut.files import short_stem
from cinecut.language.read import film_files
from cinecut.language.spec import Spec
from cinecut.render.check import examine, plan_of


@dataclass(frozen=True, slots=True)
class Watch:
    """Callbacks for progress: `stage` gets a stage's name, how much is done, how much there is, and FFmpeg's speed;
    `waiting` gets the holder of the GPU lock."""

    stage: Callable[[str, int, int, float | None], None]
    waiting: Callable[[str], None]

    def share(self, stage: str, done: float) -> None:
        """For a stage without a count: the share that is done, 0 to 1."""
        self.stage(stage, round(1000 * done), 1000, None)


SILENT = Watch(lambda name, done, total, speed: None, lambda holder: None)


@dataclass(frozen=True, slots=True)
class Job:
    """A trailer that is ready to be rendered: its media exist and are the expected ones."""

    plan: RenderPlan
    folder: Path  # of the spec: its file names are relative to it
    small: bool = False  # a draft: its file has a name of its own

    @property
    def spec(self) -> Spec:
        return self.plan.layout.trailer.spec

    @property
    def films(self) -> dict[str, Path]:
        """The films' files, by their names in a `FilmRange`."""
        return film_files(self.spec, self.folder)

    @property
    def film(self) -> Path:
        """The first film."""
        return self.films[""]

    @property
    def default_name(self) -> str:
        vibe = f"_{self.spec.vibe.base}" if self.spec.vibe else ""
        name = f"_{self.plan.targets[0].name}" if self._alone and self.plan.targets[0].name else ""
        return f"{short_stem(self.film)}_trailer{vibe}{name}{'_draft' if self.small else ''}{self.plan.suffix}"

    @property
    def _alone(self) -> bool:
        return len(self.plan.targets) == 1

    def files(self, output: Path) -> dict[str, Path]:
        """The path of each of the trailer's files, by name; several files have their names at the end."""
        if self._alone:
            return {self.plan.targets[0].name: output}
        ends = {target.name: f"_{target.name}" if target.name else "" for target in self.plan.targets}
        return {t.name: output.with_name(f"{output.stem}{ends[t.name]}{t.suffix}") for t in self.plan.targets}


def prepare(path: Path, *, size: tuple[int, int] | None = None, small: bool = False, only: Sequence[str] = ()) -> Job:
    """Check, link and compile a spec; `only` names the wanted deliverables. Raises Stop with all mistakes."""
    layout, report = _examined(path)
    trailer = _only(layout.trailer, only)
    outputs = {name: replace(file, size=size or file.size) for name, file in trailer.outputs.items()}
    if small:
        outputs = {name: draft(file) for name, file in outputs.items()}
    return _job(layout, outputs, path, report, small=small)


def prepare_live(path: Path) -> Job:
    """A live draft of a spec's first file with pictures. Raises Stop with all mistakes."""
    layout, report = _examined(path)
    files = layout.trailer.outputs
    name, file = next((each for each in files.items() if each[1].stem is None), next(iter(files.items())))
    return _job(layout, {name: draft(file, live=True)}, path, report, small=True)


def _examined(path: Path) -> tuple[Layout, Report]:
    report = Report()
    return report.require(examine(path, report, files=True, link=True)), report


def _job(layout: Layout, outputs: Mapping[str, Delivery], path: Path, report: Report, *, small: bool) -> Job:
    layout = replace(layout, trailer=replace(layout.trailer, outputs=outputs))
    return Job(plan_of(layout, report), path.parent, small)


def alone(job: Job, name: str) -> Job:
    """The job reduced to one of its files."""
    layout = job.plan.layout
    trailer = replace(layout.trailer, outputs={name: layout.trailer.outputs[name]})
    return replace(job, plan=plan_of(replace(layout, trailer=trailer), Report()))


def _only(trailer: Trailer, names: Sequence[str]) -> Trailer:
    """The trailer reduced to the named files, by their own names or their deliverables'."""
    known = {name: {name, file.group, file.language} for name, file in trailer.outputs.items()}
    for name in names:
        if not any(name in words for words in known.values()):
            hint = f"it has {', '.join(filter(None, known))}" if any(known) else "it has no `deliverables`"
            raise Stop("option", f"--only {name}: the spec has no deliverable of this name", hint)
    wanted = {name for name, words in known.items() if words & {*names}}
    return replace(trailer, outputs={n: f for n, f in trailer.outputs.items() if n in wanted}) if names else trailer
