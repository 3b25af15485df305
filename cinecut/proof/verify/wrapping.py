"""The shape, subtitles, title and chapters of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cinecut.compiler.picture.captions import Caption, captions
from cinecut.delivery.meters import Measured
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.machine.child import run_watched
from cinecut.media.open import open_media, tags
from cinecut.proof.verify.findings import Events, Finding
from cinecut.proof.verify.picture.framing import SHAPE
from cinecut.render.job import Job
from cinecut.render.outputs import captions_beside

_NAMELESS = {"mpegts", "mpeg", "h264", "hevc", "ivf", "yuv4mpegpipe"}  # containers that hold no title
_NEAR = 0.15  # seconds by which a line of subtitles may


def wrapping(job: Job, file: Path, measured: Measured, barred: bool) -> Iterator[Finding]:
    """Findings about a file's shape, its tags and its subtitles; `barred`: its picture lies between bars, as it shall
    be."""
    plan = job.plan
    name, output = next(iter(plan.layout.trailer.outputs.items()))
    size = measured.picture.size if measured.picture is not None else output.size
    wanted, shape = output.size[0] / output.size[1], size[0] / size[1]
    if abs(shape / wanted - 1) > SHAPE and not barred:
        message = f"the picture is {size[0]}x{size[1]}: another shape than {output.size[0]}x{output.size[1]}"
        yield Finding("file-shape", message, 0, plan.frames)
    yield from _tags(job, file, name)
    translation = plan.layout.trailer.translation(output)
    if output.subtitles in ("soft", "file"):
        said = _subtitles(captions_beside(file) if output.subtitles == "file" else file)
        yield from _captions(job, said, captions(plan.timeline, plan.layout.track, translation))


def _tags(job: Job, file: Path, name: str) -> Iterator[Finding]:
    about = job.plan.about[name]
    with open_media(file) as media:
        title, chapters = tags(media).get("title", ""), len(media.chapters())
        if media.format.name in _NAMELESS:
            return
    if about.title and title != about.title:
        yield Finding("file-tags", f"its title is {title!r}, not {about.title!r}", 0, job.plan.frames)
    if len(about.chapters) > chapters:
        yield Finding("file-tags", f"it has {chapters} chapters, not {len(about.chapters)}", 0, job.plan.frames)


@dataclass(frozen=True, slots=True)
class _Line:
    start: float
    text: str


def _subtitles(file: Path) -> list[_Line]:
    """The lines of a file's first subtitle track, or of a subtitle file; empty if there is none."""
    if not file.is_file():
        return []
    command = [find_ffmpeg().path, "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"]
    command += ["-i", f"file:{file.absolute()}", "-map", "0:s:0", "-f", "srt", "-"]
    done = run_watched(command, str(file))
    stamp = r"(\d+):(\d\d):(\d\d)[,.](\d{3}) --> [^\n]*\n(.*?)(?:\n\n|\Z)"
    return [
        _Line(int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000, _plain(text))
        for h, m, s, ms, text in re.findall(stamp, done.stdout.decode(errors="replace"), re.S)
    ]


def _plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>|\{[^}]*\}", "", text).split())


def _captions(job: Job, said: Sequence[_Line], wanted: Sequence[Caption]) -> Iterator[Finding]:
    plan = job.plan
    events, opening = Events(plan.timeline, plan.opening), float(plan.opening / plan.rate)
    if wanted and not said:
        message = f"the file has no subtitles: {len(wanted)} lines are missing"
        yield Finding("caption-missing", message, 0, plan.frames)
        return
    for line in wanted:
        start = float(line.start) + opening
        same = [each for each in said if each.text == _plain(line.text)]
        frame = int(start * float(plan.rate))
        if not same:
            message = f"the caption “{_plain(line.text)[:40]}” is not in the subtitles"
            yield events.finding("caption-missing", message, (frame, frame + 1))
        elif (away := min((each.start - start for each in same), key=abs)) and abs(away) > _NEAR:
            word = "late" if away > 0 else "early"
            message = f"the caption “{_plain(line.text)[:40]}” comes {abs(away):.2f} s too {word}"
            yield events.finding("title-time", message, (frame, frame + 1))
