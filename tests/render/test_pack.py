"""A packed folder renders the same trailer anywhere, with sh and FFmpeg alone: no film, no cinecut, no spec."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import cinecut, names
from effort import GIVE_UP
from oracle import Film, Sound, read_frames

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.render.job import SILENT, prepare
from cinecut.render.pack import pack
from cinecut.render.trailer import render

_SPEC = """\
cinecut: 1
film: film{suffix}
music: song.wav
output: {{codec: ffv1}}
timeline:
  - shot: 0:01 - 0:02
    titles: ["It's \\"packed\\" $HOME `id`"]
  - still: "logo's %d.png"
    for: 6f
  - shot: 0:00.5 - 0:01
    from: crossfade 4f
"""


@pytest.fixture(params=[".mkv", ".avi"])
def folder(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    films: Callable[[Film], Film],
    bundled: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A film (with stamps, and without useful ones), a song and a still, under names that a shell
    could trip over."""
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))
    suffix: str = request.param
    size, sound = (320, 180), Sound(codec="pcm_s16le")
    wanted = Film(Path("a" + suffix), Fraction(24), 72, size, gop=12, sound=sound)
    film = films(wanted if suffix == ".mkv" else replace(wanted, codec="mpeg4", bframes=0))
    work = tmp_path / "it's work"
    work.mkdir()
    shutil.copyfile(film.path, work / f"film{suffix}")
    for source, name in (("sine=300:duration=3", "song.wav"), ("testsrc=size=80x60:duration=0.04", "logo.png")):
        subprocess.run([bundled, "-v", "error", "-f", "lavfi", "-i", source, str(work / name)], check=True)
    (work / "logo.png").rename(work / "logo's %d.png")
    (work / "spec.yaml").write_text(_SPEC.format(suffix=suffix), encoding="utf-8")
    return work


def run_script(script: Path, output: str | None, ffmpeg: Path | str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(script), *([output] if output else [])]
    env = {"PATH": os.environ["PATH"], "FFMPEG": str(ffmpeg), "CDPATH": "/"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=GIVE_UP, check=False)


def content(file: Path, ffmpeg: Path) -> str:
    """Every frame with its time, and all samples of a file, decoded."""
    command: list[str | Path] = [ffmpeg, "-v", "error", "-i", file, "-map", "0:v", "-f", "framehash", "-"]
    command += ["-map", "0:a", "-f", "streamhash", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_packed_folder_renders_the_same_frames_and_samples(folder: Path, ffmpeg: Path) -> None:
    """By one graph, as it is printed; `render` makes segments."""
    render(prepare(folder / "spec.yaml"), folder / "direct.mkv", find_ffmpeg(str(ffmpeg)), SILENT)
    direct = content(folder / "direct.mkv", ffmpeg)
    assert len(read_frames(folder / "direct.mkv")) == 42

    done = cinecut("pack", "spec.yaml", "-o", "the pack", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "the pack: sh 'the pack/render.sh' renders it\n"), done.stderr
    moved = folder.parent / '-moved & "far" away'
    (folder / "the pack").rename(moved)
    shutil.rmtree(folder)  # film, song, still, spec: all gone
    before = names(moved)
    assert not any(entry.is_symlink() for entry in moved.rglob("*"))

    elsewhere = moved.parent / "else where"
    elsewhere.mkdir()
    done = run_script(moved / "render.sh", "it's mine.mkv", ffmpeg, elsewhere)
    assert done.returncode == 0, done.stderr
    assert names(elsewhere) == ["it's mine.mkv"]
    assert content(elsewhere / "it's mine.mkv", ffmpeg) == direct
    first = (elsewhere / "it's mine.mkv").read_bytes()
    assert names(moved) == before

    (elsewhere / "mine").symlink_to(ffmpeg)  # FFmpeg by a relative path, the script too, no output named
    (elsewhere / "pack").symlink_to(moved)
    done = run_script(Path("pack/render.sh"), None, "./mine", elsewhere)
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "trailer.mkv").read_bytes() == first


def test_several_files_of_one_pack_are_the_rendered_ones(folder: Path, bundled: Path, tmp_path: Path) -> None:
    head = "deliverables: [{name: web}, {name: square, size: 90x90, fit: blur, loudness: web}]\n"
    (folder / "spec.yaml").write_text((folder / "spec.yaml").read_text(encoding="utf-8") + head, encoding="utf-8")
    job = prepare(folder / "spec.yaml")
    build = find_ffmpeg(str(bundled))
    pack(job, tmp_path / "packed", build, SILENT)
    done = run_script(tmp_path / "packed" / "render.sh", str(tmp_path / "again.mkv"), bundled, tmp_path)
    assert done.returncode == 0, done.stderr
    files = render(job, tmp_path / "out.mkv", build, SILENT).files
    assert sorted(files) == ["square", "web"]
    for name, file in files.items():
        assert content(tmp_path / f"again_{name}.mkv", bundled) == content(file, bundled)


def test_script_leaves_nothing_half_written(folder: Path, tmp_path: Path) -> None:
    pack(prepare(folder / "spec.yaml"), tmp_path / "pack", find_ffmpeg(), SILENT)
    broken = tmp_path / "broken"
    broken.write_text(
        '#!/bin/sh\ncase "$*" in *"-h full"*) exit 0 ;; esac\nfor last; do :; done\necho half > "$last"\nexit 3\n',
        encoding="utf-8",
    )
    broken.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.mkv").write_text("mine", encoding="utf-8")
    done = run_script(tmp_path / "pack" / "render.sh", "mine.mkv", broken, out)
    assert done.returncode == 3
    assert names(out) == ["mine.mkv"]
    assert (out / "mine.mkv").read_text(encoding="utf-8") == "mine"


def test_pack_refuses_a_folder_that_holds_something(folder: Path) -> None:
    job = prepare(folder / "spec.yaml")
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    (folder / "file").write_text("mine", encoding="utf-8")
    before = names(folder)
    for place in (folder / "full", folder / "file", folder):
        with pytest.raises(Stop, match="is there already"):
            pack(job, place, find_ffmpeg(), SILENT)
    with pytest.raises(Stop) as stop:
        pack(job, folder / "nowhere" / "pack", find_ffmpeg(), SILENT)
    assert stop.value.diagnostics[0].code == "output"
    assert names(folder) == before
    assert names(folder / "full") == ["mine.txt"]

    (folder / "empty").mkdir()
    pack(job, folder / "empty", find_ffmpeg(), SILENT)
    assert "render.sh" in names(folder / "empty")


def test_failed_pack_leaves_nothing(folder: Path) -> None:
    job = prepare(folder / "spec.yaml")
    (folder / "song.wav").unlink()
    before = names(folder)
    with pytest.raises(Stop) as stop:
        pack(job, folder / "pack", find_ffmpeg(), SILENT)
    assert stop.value.diagnostics[0].message == f"there is no file {folder / 'song.wav'}"
    assert names(folder) == before
