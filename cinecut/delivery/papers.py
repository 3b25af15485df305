"""The papers beside a kit's files: the list of lines that are heard, and the cut against the full film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.compiler.picture.captions import captions
from cinecut.language.timebase import nearest
from cinecut.render.job import Job

if TYPE_CHECKING:
    from cinecut.interchange.model import EditSequence

_ENDS = {"dialogue list": "_dialogue_list.txt", "edl": ".edl"}


def papers_of(job: Job, output: Path) -> dict[Path, str]:
    """The papers that the trailer's kits ask for, by their files."""
    papers = dict[Path, str]()
    for file in job.plan.layout.trailer.outputs.values():
        for paper in file.kit.papers if file.kit is not None else ():
            papers[output.with_name(f"{output.stem}_{file.group}{_ENDS[paper]}")] = paper
    return papers


def paper(job: Job, kind: str, name: str) -> bytes:
    """The text of a paper of this kind."""
    from cinecut.interchange.build import ExportOptions, sequence_of
    from cinecut.interchange.writers import edl

    sequence = sequence_of(job.plan.layout, name, ExportOptions(job.folder))
    if kind == "edl":
        return edl.write(sequence).files[".edl"]
    return _dialogue_list(job, sequence)


def _dialogue_list(job: Job, sequence: EditSequence) -> bytes:
    """A line for each spoken line: number, in and out in the trailer, in and out in the film, words. Separated by tabs;
    times are timecodes."""
    from cinecut.interchange.model import timecode

    layout, opening = job.plan.layout, job.plan.opening
    films = {name: each.facts for name, each in layout.trailer.footage.items()}
    rows = [f"Dialogue list: {sequence.name}", "", "\t".join(("no.", "in", "out", "film in", "film out", "line"))]
    for number, line in enumerate(captions(layout.timeline, layout.track), 1):
        own = [sequence.timecode(opening + nearest(at * layout.timeline.rate)) for at in (line.start, line.end)]
        film = ["", ""]  # of a line from another file
        if line.film is not None:
            facts, name = films[line.film.film], layout.trailer.spec.name_of(line.film.film)
            ends = (line.film.start, line.film.end)
            film = [timecode(facts.timecodes, nearest(at.seconds * facts.rate)) for at in ends]
            film = [f"{name} {at}" if name is not None else at for at in film]
        rows.append("\t".join((str(number), *own, *film, line.text)))
    return ("\r\n".join(rows) + "\r\n").encode()
