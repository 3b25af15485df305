"""`cinecut render` as a process: what it writes and where, what it prints, how it refuses."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import COMMAND, cinecut, environment, names, start
from effort import GIVE_UP
from oracle import Film, Sound, read_frames

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

_SPEC = """\
cinecut: 1
film: film.mkv
timeline:
  - shot: 0:01 - 0:02
    titles: [One]
  - black: 12f
  - shot: 0:00.5 - 0:01
    from: crossfade 4f
"""


@pytest.fixture(scope="session")
def film(films: Callable[[Film], Film]) -> Film:
    """Three seconds of picture and sound."""
    return films(Film(Path("a.mkv"), rate=Fraction(24), frames=72, size=(320, 180), gop=12, sound=Sound()))


@pytest.fixture
def folder(tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a film and a spec, and its own GPU lock."""
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "runtime"))
    shutil.copyfile(film.path, tmp_path / "film.mkv")
    (tmp_path / "spec.yaml").write_text(_SPEC, encoding="utf-8")
    return tmp_path


# What appears, and what stays


def test_output_is_the_only_thing_left(folder: Path) -> None:
    done = cinecut("render", "spec.yaml", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "film_trailer.mp4: 48 frames, 2.000 s\n", "")
    assert names(folder) == ["film.mkv", "film_trailer.mp4", "spec.yaml"]
    assert len(read_frames(folder / "film_trailer.mp4")) == 48


def test_json_is_all_of_the_output(folder: Path) -> None:
    done = cinecut("render", "spec.yaml", "-o", "a b.mp4", "--json", cwd=folder)
    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "spec": "spec.yaml",
        "output": "a b.mp4",
        "frames": 48,
        "seconds": 2.0,
        "files": [{"name": "", "file": "a b.mp4"}],
        "stems": [],
        "papers": [],
        "kits": [],
        "new": [{"name": "", "start": 0, "end": 24}, {"name": "", "start": 24, "end": 48}],
    }


@pytest.mark.parametrize("name", ["x" * 250, "é" * 125, "字" * 83])
def test_a_film_with_the_longest_name_has_a_trailer_and_its_parts(folder: Path, name: str) -> None:
    (folder / "film.mkv").rename(folder / f"{name}.mkv")
    spec = folder / "spec.yaml"
    text = spec.read_text(encoding="utf-8").replace("film.mkv", f"{name}.mkv")
    spec.write_text(f"{text}deliverables: [{{name: vertical, size: 90x160}}, {{name: small}}]\n", encoding="utf-8")
    done = cinecut("render", "spec.yaml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    made = [each for each in names(folder) if each.endswith(".mp4")]
    assert len(made) == 2
    assert all(name.startswith(each.partition("_trailer")[0]) for each in made)


def test_existing_output_is_kept_without_force(folder: Path) -> None:
    (folder / "out.mp4").write_text("mine", encoding="utf-8")
    refused = cinecut("render", "spec.yaml", "-o", "out.mp4", cwd=folder)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "error: out.mp4 is there already [output]\n  hint: --force replaces it, -o names another\n"
    )
    assert (folder / "out.mp4").read_text(encoding="utf-8") == "mine"

    assert cinecut("render", "spec.yaml", "-o", "out.mp4", "--force", cwd=folder).returncode == 0
    assert len(read_frames(folder / "out.mp4")) == 48
    assert names(folder) == ["film.mkv", "out.mp4", "spec.yaml"]


def test_failed_render_keeps_what_force_would_have_replaced(folder: Path, bundled: Path) -> None:
    """An FFmpeg that gives up in the middle of the trailer."""
    (folder / "out.mp4").write_text("mine", encoding="utf-8")
    broken = folder / "broken"
    broken.write_text(
        f"""#!/bin/sh
case "$*" in *segment_*) for last; do :; done; echo half > "$last"; echo "no luck today" >&2; exit 3 ;; esac
exec '{bundled}' "$@"
""",
        encoding="utf-8",
    )
    broken.chmod(0o755)
    with pytest.raises(Stop) as stop:
        render(prepare(folder / "spec.yaml"), folder / "out.mp4", find_ffmpeg(str(broken)), SILENT, force=True)
    assert stop.value.diagnostics[0].code == "ffmpeg"
    assert "no luck today" in stop.value.diagnostics[0].message
    assert (folder / "out.mp4").read_text(encoding="utf-8") == "mine"
    assert names(folder) == ["broken", "film.mkv", "out.mp4", "spec.yaml"]


def test_wrong_number_of_frames_is_no_success(folder: Path, ffmpeg: Path) -> None:
    """Whatever FFmpeg's status says."""
    job = prepare(folder / "spec.yaml")
    pictures = {"": replace(job.plan.pictures[""], frames=job.plan.frames + 1)}
    longer = replace(job, plan=replace(job.plan, pictures=pictures))
    with pytest.raises(Stop, match="FFmpeg wrote 24 frames, not the 25 of this trailer from 24 on"):
        render(longer, folder / "out.mp4", find_ffmpeg(str(ffmpeg)), SILENT)
    assert not (folder / "out.mp4").exists()


def test_what_the_trailer_is_made_from_is_never_replaced(folder: Path, bundled: Path) -> None:
    remux = [str(bundled), "-v", "error", "-i", str(folder / "film.mkv"), "-c", "copy", str(folder / "film.mp4")]
    subprocess.run(remux, check=True)
    shutil.copyfile(folder / "film.mp4", folder / "song.mp4")
    shutil.copyfile(folder / "film.mp4", folder / "logo.mp4")
    (folder / "link.mp4").hardlink_to(folder / "film.mp4")
    (folder / "spec.yaml").write_text(
        "cinecut: 1\nfilm: film.mp4\nmusic: {file: song.mp4}\n"
        "timeline: [shot: 0:00 - 0:01, {still: logo.mp4, for: 4f}]\n",
        encoding="utf-8",
    )
    job = prepare(folder / "spec.yaml")
    for name in ("film.mp4", "song.mp4", "logo.mp4", "link.mp4", f"../{folder.name}/film.mp4"):
        before = (folder / name).read_bytes()
        with pytest.raises(Stop, match="itself, which is read"):
            render(job, folder / name, find_ffmpeg(), SILENT, force=True)
        assert (folder / name).read_bytes() == before


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("nowhere/out.mp4", "there is no folder nowhere"),
        ("film.mkv/out.mp4", "there is no folder film.mkv"),
        ("taken.mp4", "taken.mp4 is a folder"),
        ("pipe.mp4", "pipe.mp4 is a device or a pipe"),
        ("out.avi", "this trailer is a .mp4 file"),
        ("out", "this trailer is a .mp4 file"),
        ("n" * 252 + ".mp4", "File name too long"),
        ("blocked.mp4", "blocked.mp4.part cannot be written"),
        ("led_away.mp4", "led_away.mp4.part cannot be written"),
    ],
)
def test_output_that_cannot_be(folder: Path, output: str, words: str) -> None:
    (folder / "taken.mp4").mkdir()
    os.mkfifo(folder / "pipe.mp4")
    (folder / ".blocked.mp4.part").write_text("mine", encoding="utf-8")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "mine.txt").write_text("mine", encoding="utf-8")
    (folder / ".led_away.mp4.part").symlink_to("elsewhere")
    before = names(folder)
    done = cinecut("render", "spec.yaml", "-o", output, "--force", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert words in done.stderr
    assert names(folder) == before
    assert (folder / "elsewhere" / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_folder_that_cannot_be_written(folder: Path) -> None:
    locked = folder / "locked"
    locked.mkdir(mode=0o555)
    mounted = False
    if os.access(locked, os.W_OK):  # root may write anywhere but on a read-only disk
        mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(locked)]
        mounted = shutil.which("mount") is not None and not subprocess.run(mount, capture_output=True).returncode
        if not mounted:
            pytest.skip("nothing here keeps this user from writing")
    try:
        done = cinecut("render", "spec.yaml", "-o", "locked/out.mp4", cwd=folder)
        packed = cinecut("pack", "spec.yaml", "-o", "locked/out.pack", cwd=folder)
    finally:
        if mounted:
            subprocess.run(["umount", locked], check=True)
        locked.chmod(0o755)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(r"error: .*locked.* cannot be written", done.stderr)
    assert re.match(r"error: .*locked(/out.pack)? cannot be written", packed.stderr)
    assert names(locked) == []


def test_two_cannot_write_one_output(folder: Path) -> None:
    """Not even where they do not share a lock."""
    seen: list[str] = []
    job = prepare(folder / "spec.yaml")

    def stage(name: str, done: int, total: int, speed: float | None) -> None:
        if name == "reels" and not seen:
            other = cinecut("render", "spec.yaml", "-o", "out.mp4", cwd=folder, CINECUT_RUNTIME_DIR=str(folder / "own"))
            seen.append(other.stderr)
            assert other.returncode == 1

    render(job, folder / "out.mp4", find_ffmpeg(), replace(SILENT, stage=stage))
    assert "another cinecut is writing out.mp4" in seen[0]
    assert len(read_frames(folder / "out.mp4")) == 48


def test_full_disk(folder: Path, small_disk: Callable[[int], Path], ffmpeg: Path) -> None:
    """Wherever the disk becomes full: at the fonts, at the reels, at FFmpeg's file, at its very end."""
    whole = cinecut("render", "spec.yaml", "-o", "whole.mp4", "--ffmpeg", ffmpeg, cwd=folder)
    assert whole.returncode == 0
    ended_by = set()
    for kilobytes in (60, 212, 244, 300, 340):
        disk = small_disk(kilobytes)
        done = cinecut("render", "spec.yaml", "-o", disk / "out.mp4", "--ffmpeg", ffmpeg, cwd=folder)
        ended_by.add(done.returncode)
        if done.returncode:
            assert re.match(r"error: the disk is full: \S+ has 0 MB left \[disk-full\]\n  hint: ", done.stderr), (
                kilobytes
            )
            assert ".part" not in done.stderr, "a temporary folder is nobody's"
            assert done.stdout == ""
            assert list(disk.iterdir()) == []
        else:
            assert (disk / "out.mp4").read_bytes() == (folder / "whole.mp4").read_bytes()
    assert 1 in ended_by


def test_full_disk_for_facts(folder: Path, small_disk: Callable[[int], Path]) -> None:
    disk = small_disk(8)
    spec = disk / "spec.yaml"
    spec.write_text(_SPEC.replace("film.mkv", str(folder / "film.mkv")), encoding="utf-8")
    before = spec.read_bytes()
    (disk / "filler").write_bytes(bytes(4096))
    done = cinecut("link", spec, cwd=folder)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: the disk is full: {spec} has 0 MB left [disk-full]\n  hint: ")
    assert spec.read_bytes() == before
    assert names(disk) == ["filler", "spec.yaml"]


# What it says while it runs


def on_terminal(folder: Path, *words: str) -> tuple[int, str]:
    """Run a command on a terminal of 100 columns; its status and all that was shown."""
    master, slave = pty.openpty()
    screen = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    with start(*words, cwd=folder, terminal=slave, changes=screen) as process:
        os.close(slave)
        shown = bytearray()

        def read() -> None:
            while True:
                try:
                    part = os.read(master, 4096)
                except OSError:  # the terminal's other side is closed
                    return
                shown.extend(part)

        reader = threading.Thread(target=read)
        reader.start()
        status = process.wait(timeout=GIVE_UP)
        reader.join(GIVE_UP)
    os.close(master)
    return status, shown.decode()


def test_terminal_shows_progress_and_is_left_clean(folder: Path) -> None:
    head = "cinecut: 1\nfilm: film.mkv\noutput: {size: 640x360, preset: veryslow}\n"
    (folder / "spec.yaml").write_text(head + "timeline: [shot: 0:00 - 0:01, black: 40s]\n", encoding="utf-8")
    status, shown = on_terminal(folder, "render", "spec.yaml")
    assert status == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert re.search(r"Rendering +\S+ +\d+% 0:00:\d\d render, \d+\.\dx", plain), plain  # bar, share, ETA, speed
    assert re.search(r"Rendering +\S+ +\d+% +\S+ reels", plain)
    assert plain.rstrip().endswith("film_trailer.mp4: 984 frames, 41.000 s")
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") > 0  # the cursor is back
    last_erase = shown.rindex("\x1b[2K")
    assert "100%" not in shown[last_erase:]  # the bar is gone


def test_terminal_asks_before_it_replaces(folder: Path) -> None:
    (folder / "film_trailer.mp4").write_text("mine", encoding="utf-8")
    master, slave = pty.openpty()
    os.write(master, b"n\n")
    with start("render", "spec.yaml", cwd=folder, terminal=slave) as process:
        status = process.wait(timeout=GIVE_UP)
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: all has been read; the kernel hands it over in pieces
        while part := os.read(master, 4096):
            shown += part
    os.close(master)
    assert status == 1
    assert b"Replace it?" in shown
    assert (folder / "film_trailer.mp4").read_text(encoding="utf-8") == "mine"


def test_reader_that_goes_away(folder: Path) -> None:
    command = [*COMMAND, "explain", "spec.yaml"]  # unforked: it is about what Python does at its end
    with subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert b"Traceback" not in said
    assert b"Exception" not in said


# The same bytes again


def test_same_spec_same_bytes(folder: Path, ffmpeg: Path) -> None:
    """Whatever order Python's sets have in a run."""
    for name, seed in (("one.mp4", "1"), ("two.mp4", "2")):
        done = cinecut("render", "spec.yaml", "-o", name, "--ffmpeg", ffmpeg, cwd=folder, PYTHONHASHSEED=seed)
        assert done.returncode == 0
    (folder / "elsewhere").mkdir()
    for name in ("film.mkv", "spec.yaml"):
        shutil.copyfile(folder / name, folder / "elsewhere" / name)
    third = cinecut("render", "spec.yaml", "-o", "b.mp4", "--ffmpeg", ffmpeg, cwd=folder / "elsewhere")
    assert third.returncode == 0
    one = (folder / "one.mp4").read_bytes()
    assert (folder / "two.mp4").read_bytes() == one
    assert (folder / "elsewhere" / "b.mp4").read_bytes() == one
