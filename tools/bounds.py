"""Does the wheel work where people install it? With the lowest and the newest dependencies, on every Python there is.

    source ─ build ─► wheel ─ for each Python × (lowest, newest) ─► clean environment ─ smoke test ─► a table

Run with `make test-bounds`; needs uv, which resolves to the lowest versions as well as to the newest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
SHOWN = ("av", "numpy", "opencv-python-headless", "typer")  # where the versions differ most


def main() -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        uv("build", "--wheel", "--quiet", "--out-dir", str(base), str(ROOT))
        (wheel,) = base.glob("*.whl")
        for version, python in pythons():
            for name, resolution in RESOLUTIONS.items():
                place = base / f"{version}-{name}"
                trouble = install(place, python, resolution, wheel) or smoke(place)
                failed += bool(trouble)
                print(f"Python {version}, {name}: {trouble or 'passed'} ({versions(place)})", flush=True)
    return 1 if failed else 0


def pythons() -> Iterator[tuple[str, Path]]:
    """Each release of Python from 3.11 on that is on PATH or among pyenv's, once: ("3.12", its program)."""
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for minor in range(11, 20):
        version = f"3.{minor}"
        own = sorted(home.glob(f"versions/{version}.*/bin/python"))
        found = own[-1:] or [Path(path) for path in [shutil.which(f"python{version}")] if path]
        yield from ((version, python) for python in found)


def install(place: Path, python: Path, resolution: str, wheel: Path) -> str:
    """A clean environment with the wheel; what went wrong, in a line."""
    target = ["--quiet", "--python", str(place / "bin/python")]
    try:
        uv("venv", "--quiet", "--python", str(python), str(place))
        # From the source's own list, since "lowest-direct" would take what a wheel asks for as indirect.
        uv("pip", "install", *target, "--no-build", "--resolution", resolution, "-r", str(ROOT / "pyproject.toml"))
        uv("pip", "install", *target, "--no-deps", str(wheel))
    except subprocess.CalledProcessError as error:
        return f"cannot be installed: {_last(error.stderr)}"
    return ""


def smoke(place: Path) -> str:
    """The commands of a first afternoon, far from the source; the first that fails, in a line."""
    folder = place / "work"
    folder.mkdir()
    film, vibe = str(folder / "film.mp4"), str(folder / "my.yaml")
    Path(vibe).write_text("{vibe: 1, base: thriller, grade: {saturation: 0.6}}\n", encoding="utf-8")
    steps = [
        [str(place / "bin/python"), "-c", MAKE_FILM],
        ["doctor"],
        ["analyze", "--help"],
        ["beats", "song.wav", "--click", "clicks.wav"],
        ["analyze", film, "--vibe", vibe, "--music", "song.wav", "--length", "20"],
        ["link", "specs/film.yaml"],
        ["check", "specs/film.yaml"],
        ["compile", "specs/film.yaml", "-o", "compiled"],
        ["vibes", "thriller", "--still", "film.mp4@0:05", "-o", "still.png"],
        ["render", "specs/film.yaml", "--draft", "-o", "trailer.mp4"],
        ["pack", "specs/film.yaml", "-o", "packed"],
        [str(place / "bin/python"), "-m", "cinecut", "--version"],
    ]
    own = {"CINECUT_CACHE_DIR": str(place / "cache"), "CINECUT_RUNTIME_DIR": str(place / "runtime")}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    for step in steps:
        command = step if step[0].startswith("/") else [str(place / "bin/cinecut"), *step]
        done = subprocess.run(
            command, cwd=folder, env={**kept, **own}, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if done.returncode:
            return f"`{' '.join(step[:2])[:40]}` fails: {_last(done.stderr or done.stdout)}"
    return "" if (folder / "trailer.mp4").stat().st_size > 10_000 else "the trailer is empty"


MAKE_FILM = """
import subprocess, imageio_ffmpeg
scenes = ["testsrc2", "smptehdbars", "mandelbrot", "rgbtestsrc", "life=mold=9:ratio=0.3", "testsrc", "yuvtestsrc"]
args = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
for scene in scenes:
    args += ["-f", "lavfi", "-t", "6", "-i", scene + (":" if "=" in scene else "=") + "size=320x180:rate=24"]
beat = "0.5*sin(2*PI*70*t)*exp(-20*mod(t,0.5))+0.1*sin(2*PI*440*t)"
joined = "".join(f"[{n}:v]format=yuv420p,setsar=1[v{n}];" for n in range(len(scenes)))
joined += "".join(f"[v{n}]" for n in range(len(scenes))) + f"concat=n={len(scenes)}[v]"
sound = ["-f", "lavfi", "-t", "42", "-i", f"aevalsrc='{beat}':s=48000"]
subprocess.run([*args, *sound, "-filter_complex", joined, "-map", "[v]", "-map", f"{len(scenes)}:a", "-metadata",
    "title=A film", "film.mp4"], check=True)
subprocess.run([*args[:4], *sound, "song.wav"], check=True)
open("film.srt", "w").write("1\\n00:00:08,000 --> 00:00:10,000\\nThis is where it ends.\\n")
"""


def versions(place: Path) -> str:
    done = uv("pip", "list", "--quiet", "--python", str(place / "bin/python"))
    rows = dict(line.split()[:2] for line in done.splitlines()[2:])
    return ", ".join(f"{name} {rows[name]}" for name in SHOWN if name in rows)


def uv(*arguments: str) -> str:
    return subprocess.run(["uv", *arguments], capture_output=True, text=True, check=True).stdout


def _last(stderr: bytes | str) -> str:
    text = stderr.decode(errors="replace") if isinstance(stderr, bytes) else stderr
    return " / ".join(text.strip().splitlines()[-3:])


if __name__ == "__main__":
    sys.exit(main())
