"""MoviePy, MLT's melt and GStreamer Editing Services rendering the same cut list with the same encoder settings."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.figures import NotMeasuredError, work_folder
from bench.film import FFMPEG, Film
from bench.measure import Command
from bench.rendering.cutlist import Shot

HERE = Path(__file__).resolve().parent
MOVIEPY = "moviepy==2.2.1"

Rival = Callable[[Film, Sequence[Shot], Path], Command]


def moviepy(film: Film, shots: Sequence[Shot], output: Path) -> Command:
    """MoviePy in an environment of its own, made on the first use. Raises NotMeasuredError where pip cannot get it."""
    python = work_folder() / "moviepy" / "bin" / "python"
    if not _runs([str(python), "-c", "import moviepy"]):
        made = _runs([sys.executable, "-m", "venv", "--clear", str(python.parent.parent)])
        if not made or not _runs([str(python), "-m", "pip", "install", "-q", MOVIEPY]):
            raise NotMeasuredError("not installed: pip cannot get it")
    argv = (str(python), str(HERE / "moviepy_render.py"), str(_task(film, shots, output)), str(output))
    return Command(argv, output, {"IMAGEIO_FFMPEG_EXE": FFMPEG})


def ges(film: Film, shots: Sequence[Shot], output: Path) -> Command:
    """GES by its Python binding, which the system's Python has. Raises NotMeasuredError without it."""
    needs = "import gi; gi.require_version('GES', '1.0'); from gi.repository import GES"
    for python in (sys.executable, "/usr/bin/python3"):
        if _runs([python, "-c", needs]):
            return Command((python, str(HERE / "ges_render.py"), str(_task(film, shots, output)), str(output)), output)
    raise NotMeasuredError("not installed: needs ges1.0-tools, gir1.2-ges-1.0 and python3-gst-1.0")


def melt(film: Film, shots: Sequence[Shot], output: Path) -> Command:
    """MLT by its command line, with a profile of the film's own shape. Raises NotMeasuredError without melt."""
    program = shutil.which("melt")
    if program is None:
        raise NotMeasuredError("not installed: no melt on the PATH")
    width, height = film.size
    profile = output.with_suffix(".profile")
    values: dict[str, object] = {
        "description": "the film's own",
        "frame_rate_num": film.rate.numerator,
        "frame_rate_den": film.rate.denominator,
        "width": width,
        "height": height,
        "progressive": 1,
        "sample_aspect_num": 1,
        "sample_aspect_den": 1,
        "display_aspect_num": width,
        "display_aspect_den": height,
        "colorspace": 709,
    }
    profile.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
    clips = [word for s in shots for word in (str(film.path), f"in={s.start}", f"out={s.start + s.frames - 1}")]
    encode = ("vcodec=libx264", "preset=veryfast", "crf=18", "acodec=aac", "ab=192k", "ar=48000", "channels=2")
    argv = (program, "-silent", "-profile", str(profile), *clips, "-consumer", f"avformat:{output}", *encode)
    return Command((*argv, "real_time=-2"), output)


RIVALS: dict[str, Rival] = {"moviepy 2.2.1": moviepy, "melt": melt, "ges": ges}


def _task(film: Film, shots: Sequence[Shot], output: Path) -> Path:
    """The cut list as JSON: whole frames, and seconds for those who count in seconds."""
    ends = [(shot.start, shot.start + shot.frames) for shot in shots]
    task = {
        "film": str(film.path),
        "size": film.size,
        "rate": [film.rate.numerator, film.rate.denominator],
        "frames": [(shot.start, shot.frames) for shot in shots],
        "seconds": [(float(start / film.rate), float(end / film.rate)) for start, end in ends],
    }
    path = output.with_suffix(".json")
    path.write_text(json.dumps(task))
    return path


def _runs(argv: Sequence[str]) -> bool:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return done.returncode == 0
