"""Delivering a trailer: its files are rendered, measured against their kits, and accompanied by papers.

Job ─ render ─► files ─ measure ─ judged ─► Delivered
    └ papers ─► lists
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.delivery.papers import paper, papers_of
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.files import together, write_beside
from cinecut.render.job import Job, Watch
from cinecut.render.outputs import check_beside, check_output
from cinecut.render.trailer import USUAL, Effort, Rendered, render

if TYPE_CHECKING:
    from cinecut.delivery.judge import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """A file, the kit that asked for it, and a verdict for each figure of the kit."""

    file: Path
    kit: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Delivered:
    """The result of a delivery. Drafts are not checked against kits."""

    rendered: Rendered
    papers: list[Path]
    judged: list[Judged]

    @property
    def missed(self) -> list[str]:
        """A line for each figure that misses its kit's requirement."""
        each = ((judged.file, verdict) for judged in self.judged for verdict in judged.verdicts if not verdict.kept)
        return [f"{file}: {verdict.figure}: {verdict.found}, asked {verdict.asked}" for file, verdict in each]


def check_delivery(job: Job, output: Path, force: bool) -> None:
    """Raise Stop where a file or a paper cannot be written."""
    check_output(job, output, force)
    check_beside(job, papers_of(job, output), force)


def deliver(
    job: Job, output: Path, ffmpeg: FFmpeg, watch: Watch, *, force: bool = False, effort: Effort = USUAL
) -> Delivered:
    """Render a trailer, write its papers, and measure its files. Raises Stop where it cannot be rendered; a file that
    misses its kit stays, and is listed in `missed`."""
    check_delivery(job, output, force)
    rendered = render(job, output, ffmpeg, watch, force=force, effort=effort)
    papers = papers_of(job, output)
    with together():
        for file, kind in papers.items():
            write_beside(file, paper(job, kind, file.stem))
    return Delivered(rendered, list(papers), _judged(job, rendered, ffmpeg, watch))


def _judged(job: Job, rendered: Rendered, ffmpeg: FFmpeg, watch: Watch) -> list[Judged]:
    outputs = job.plan.layout.trailer.outputs
    asked = {name: file for name, file in outputs.items() if file.kit is not None and not job.small}
    if not asked:
        return []
    from cinecut.delivery.judge import judged  # these load decoders
    from cinecut.delivery.meters import measure

    judgements = list[Judged]()
    for done, (name, file) in enumerate(asked.items()):
        assert file.kit is not None
        measured = measure(rendered.files[name], ffmpeg, leq=file.kit.leq_m is not None)
        whole = file.stem in (None, "printmaster")
        judgements.append(Judged(rendered.files[name], file.kit.name, tuple(judged(file.kit, measured, levels=whole))))
        watch.stage("measure", done + 1, len(asked), None)
    return judgements
