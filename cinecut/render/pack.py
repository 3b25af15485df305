"""A folder that renders its trailer anywhere with nothing but FFmpeg, without the film."""

from __future__ import annotations

import shlex
from pathlib import Path

from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.run import Workplace
from cinecut.files import disk_errors, working_folder
from cinecut.graph.script import SCRIPT_OPTIONS
from cinecut.machine.gpu import gpu_lock
from cinecut.render.folder import fill, write_script
from cinecut.render.job import Job, Watch
from cinecut.render.master import make_sounds, masters_of, sounds_of
from cinecut.render.outputs import check_filters


def pack(job: Job, folder: Path, ffmpeg: FFmpeg, watch: Watch) -> None:
    """Write the folder, with its sound measured and its media copied. Raises Stop where it cannot be written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Stop("output", f"{folder} is there already", "name a new folder with -o")
    if not folder.parent.is_dir():
        raise Stop("output", f"there is no folder {folder.parent}", "create it first, or choose another with -o")
    check_filters(job.plan, ffmpeg)
    with (
        gpu_lock(f"packing {folder.name}", watch.waiting) as lock,
        disk_errors(folder),
        working_folder(folder) as work,
    ):
        fill(job, work, watch)
        before = set(work.iterdir())
        place = Workplace(ffmpeg, work, lock, job.plan.places)
        sounds = [sound for sound in sounds_of(job.plan) if sound.target.loudness is not None]
        told = lambda done: watch.share("mix", done)  # noqa: E731
        mastered = make_sounds(job.plan, sounds, place, told)
        for measured in set(work.iterdir()) - before:
            measured.unlink()
        write_script(job.plan.mastered(masters_of(mastered)), work)
        script = work / "render.sh"
        script.write_text(shell_script(job.plan), encoding="utf-8")
        script.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        work.replace(folder)


def shell_script(plan: RenderPlan) -> str:
    """The command as a POSIX shell script that adapts to the FFmpeg it finds."""
    mark, several = "GRAPH_OPTION", len(plan.targets) > 1
    marks = [f"OUTPUT_FILE_{number}_" for number in range(len(plan.targets))]
    arguments = shlex.join(plan.render.arguments(mark, marks)).replace(mark, '"$graph"')
    names = [f"_{t.name}{t.suffix}" if several and t.name else t.suffix for t in plan.targets]
    for each, name in zip(marks, names, strict=True):
        arguments = arguments.replace(each, f'"$base.part{name}"')
    parts = " ".join(f'"$base.part{name}"' for name in names)
    moves = " && ".join(
        f'mv -f -- "$base.part{name}" ' + (f'"${{base}}{name}"' if several else '"$output"') for name in names
    )
    classic, modern = SCRIPT_OPTIONS["classic"], SCRIPT_OPTIONS["modern"]
    return f"""#!/bin/sh
# Renders this trailer: sh render.sh [OUTPUT]. Nothing but FFmpeg is needed; FFMPEG names another than the one on PATH.
output=${{1:-trailer{plan.suffix}}}
case $output in /*) ;; *) output=$PWD/$output ;; esac
base=${{output%.*}}
ffmpeg=${{FFMPEG:-ffmpeg}}
case $ffmpeg in /*) ;; */*) ffmpeg=$PWD/$ffmpeg ;; esac
CDPATH= cd -- "$(dirname -- "$0")" || exit 1
trap 'rm -f -- {parts}' EXIT
trap 'exit 130' HUP INT TERM
if "$ffmpeg" -hide_banner -h long 2>/dev/null | grep -q -e {classic}; then graph={classic}; else graph={modern}; fi
"$ffmpeg" -v warning -stats {arguments} && {moves}
"""
