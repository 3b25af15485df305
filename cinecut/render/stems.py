"""The stems of the mix as files for a mixing desk."""

from __future__ import annotations

from pathlib import Path

from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.files import disk_errors, new_folder, put, together, working_folder
from cinecut.machine.gpu import gpu_lock
from cinecut.render.folder import Materials
from cinecut.render.job import Job, Watch
from cinecut.render.outputs import check_filters, check_stems
from cinecut.render.store import Store


def render_stems(job: Job, folder: Path, ffmpeg: FFmpeg, watch: Watch, *, force: bool = False) -> list[Path]:
    """Write each stem of the mix, before the master, as a file; their sum is the mix."""
    files = check_stems(job, folder, force)
    check_filters(job.plan, ffmpeg)
    with (
        gpu_lock(f"rendering the stems in {folder}", watch.waiting) as lock,
        disk_errors(folder.parent),
        working_folder(folder) as work,
    ):
        Materials(job, work, watch, Store(None)).bring(job.plan.stems.reads)
        names = [file.name for file in files]
        run_graph(job.plan.stems, names, Workplace(ffmpeg, work, lock, job.plan.places))
        with new_folder(folder), together():
            for file in files:
                put(work / file.name, file)
    return files
