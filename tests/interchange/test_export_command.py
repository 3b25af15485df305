"""`cinecut export`: its files, what it says and refuses, a package's own exporter, and melt, which plays a project."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import termios
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
import soundfile
from commandline import cinecut, names
from effort import GIVE_UP
from oracle import Film, Sound, make_film, number_of, read_pictures, read_sound

ROOT = Path(__file__).parents[2]
BUNNY = ROOT / "specs" / "big_buck_bunny.yaml"


@pytest.mark.parametrize("target", ["resolve", "premiere", "fcp", "kdenlive", "otio", "edl", "markers"])
def test_every_target_writes_its_files_and_lists_what_is_lost(target: str, tmp_path: Path) -> None:
    done = cinecut("export", BUNNY, "--to", target, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["to"], told["frames"], told["rate"], told["start"]) == (target, 1288, "24", "01:00:00:00")
    assert sorted(told["files"]) == names(tmp_path)
    assert all(set(lost) == {"event", "what", "instead"} for lost in told["unsupported"])
    for file in told["files"]:
        text = (tmp_path / file).read_bytes()
        assert text
        if file.endswith((".fcpxml", ".xml", ".kdenlive")):
            ET.fromstring(text)
    again = cinecut("export", BUNNY, "--to", target, cwd=tmp_path)
    assert again.returncode == 1
    assert "is there already [output]\n  hint: --force replaces it, -o names another\n" in again.stderr
    told_again = cinecut("export", BUNNY, "--to", target, "-f", cwd=tmp_path)
    assert told_again.returncode == 0
    for lost in told["unsupported"]:
        assert lost["what"] in told_again.stdout


def test_another_program_takes_the_same_looks(tmp_path: Path) -> None:
    """They lie there from the first export, by a name of what they hold; only another file is in the way."""
    spec = tmp_path / "horror.yaml"
    spec.write_text(BUNNY.read_text(encoding="utf-8") + "vibe: horror\n", encoding="utf-8")
    told = cinecut("export", spec, "--to", "edl", cwd=tmp_path)
    assert told.returncode == 0
    assert re.search(r"shot \d+ to \d+.*\tthe trailer.s grade", told.stdout)  # what is lost of many shots is one row
    assert cinecut("export", spec, "--to", "fcp", cwd=tmp_path).returncode == 0
    look = next(tmp_path.glob("*.cube"))
    look.write_text("mine", encoding="utf-8")
    refused = cinecut("export", spec, "--to", "otio", cwd=tmp_path)
    assert f"{look.name} is there already" in refused.stderr
    assert look.read_text(encoding="utf-8") == "mine"


def test_what_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    for arguments, word in [
        (("--to", "avid"), "AAF"),
        (("--to", "word"), "cannot be 'word'"),
        (("--to", "edl", "--start", "25 o'clock"), "--start: "),
        (("--to", "edl", "--start", "01:00:00;00"), "drop-frame"),
        (("--to", "edl", "--start", "24:00:00:00"), "a day has 24 hours"),
        (("--to", "edl", "-o", str(tmp_path / "nowhere" / "cut.edl")), "nowhere"),
    ]:
        done = cinecut("export", BUNNY, *arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, ""), arguments
        assert word in done.stderr
        assert "Traceback" not in done.stderr
    assert names(tmp_path) == []


def test_a_mistake_in_the_spec_is_told_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("cinecut: 1\nfilm: f.mkv\ntimeline:\n- shot: 0:20 - 0:10\n")
    done = cinecut("export", "bad.yaml", "--to", "edl", cwd=tmp_path)
    assert done.returncode == 1
    assert "not after the in point" in done.stderr
    (tmp_path / "bad.yaml").write_text("cinecut: 1\nfilm: f.mkv\ntimeline:\n- shot: 0:20 - 0:21\n")
    assert "not been measured" in cinecut("export", "bad.yaml", "--to", "edl", cwd=tmp_path).stderr
    assert names(tmp_path) == ["bad.yaml"]


def test_looks_lie_beside_and_the_output_is_where_it_is_asked(tmp_path: Path) -> None:
    done = cinecut("export", ROOT / "specs/sound_and_look.yaml", "--to", "kdenlive", "-o", "cut.xml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = names(tmp_path)
    assert "cut.xml" in made
    cubes = {name for name in made if name.endswith(".cube")}
    assert cubes
    text = (tmp_path / "cut.xml").read_text()
    assert all(str(tmp_path / cube) in text for cube in cubes)


NOTES = '''
def notes(sequence, target):
    """The shots of a trailer, one a line."""
    target.write_text("".join(f"{s.event} {sequence.timecode(s.start)}\\n" for s in sequence.pictures))
    return [("trailer", "everything else", "words")]


def broken(sequence, target):
    target.write_text("half")
    raise RuntimeError("out of ink")


def lazy(sequence, target):
    pass


def odd(sequence, target):
    target.write_text("x")
    return [7]
'''


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    (folder / "notes.py").write_text(NOTES)
    info = folder / "notes-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: notes\nVersion: 2.1\n")
    entries = "".join(f"{name} = notes:{name}\n" for name in ("notes", "broken", "lazy", "odd"))
    (info / "entry_points.txt").write_text(f"[cinecut.exporters]\n{entries}")
    return folder


def test_a_package_brings_an_exporter_of_its_own(packages: Path, tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH", ""), str(packages))))
    done = cinecut("export", BUNNY, "--to", "notes", "--json", cwd=tmp_path, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["files"] == ["big_buck_bunny.notes"]
    assert told["unsupported"] == [{"event": "trailer", "what": "everything else", "instead": "words"}]
    assert (tmp_path / "big_buck_bunny.notes").read_text().splitlines()[0] == "shot 1 01:00:00:00"
    for name, why in (("broken", "out of ink"), ("lazy", "it wrote nothing"), ("odd", "no list of")):
        done = cinecut("export", BUNNY, "--to", name, cwd=tmp_path, PYTHONPATH=path)
        assert done.returncode == 1
        assert f"the plug-in {name} 2.1 of cinecut.exporters failed: " in done.stderr
        assert why in done.stderr
    assert names(tmp_path) == ["big_buck_bunny.notes"]
    assert "notes" not in cinecut("export", BUNNY, "--to", "x", cwd=tmp_path).stderr
    assert "notes" in cinecut("export", BUNNY, "--to", "x", cwd=tmp_path, PYTHONPATH=path).stderr


def test_an_export_of_a_thousand_events_is_quick_enough_to_be_usual(tmp_path: Path) -> None:
    sound = "[{rate: 48000, channels: 2, layout: stereo}]"
    facts = f"{{fingerprint: 1-0, size: 1920x1080, rate: 24, duration: 7200, audio: {sound}}}"
    shots = "".join(f"- {{shot: {{in: {k % 7000}, for: 1s}}, titles: [t{k}], why: w}}\n" for k in range(1000))
    spec = f"cinecut: 1\nfilm: {{file: f.mkv, facts: {facts}}}\ntimeline:\n{shots}"
    (tmp_path / "long.yaml").write_text(spec)
    done = cinecut("export", "long.yaml", "--to", "fcp", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "long.fcpxml").read_text().count("<asset-clip ") == 1000


CUTS = """
cinecut: 1
film: film.mov
timeline:
  - shot: 0:02 - 0:03
  - shot: {in: 0:06, for: 1s}
    speed: 0.5
    mute: true
  - shot: {in: 0:05, for: 1s}
    gain: -6
  - black: 0.5s
  - shot: {in: 0:12, for: 1s}
    speed: 2
    mute: true
    sound: [whoosh]
"""


@pytest.mark.skipif(shutil.which("melt") is None, reason="melt plays MLT projects")
def test_melt_plays_the_project_as_cinecut_renders_it(tmp_path: Path) -> None:
    make_film(Film(tmp_path / "film.mov", Fraction(24), 360, (160, 96), sound=Sound(codec="pcm_s16le")))
    (tmp_path / "cut.yaml").write_text(CUTS)
    for arguments in (
        ("link", "cut.yaml"),
        ("export", "cut.yaml", "--to", "kdenlive", "--stems"),
        ("render", "cut.yaml", "-o", "ours.mp4"),
    ):
        done = cinecut(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    played = _play(tmp_path, "acodec=pcm_s16le", "ar=48000")
    theirs, ours = ([number_of(p) for p in read_pictures(file)] for file in (played, tmp_path / "ours.mp4"))
    assert theirs == ours
    heard, stems = read_sound(played), tmp_path / "cut_stems"
    mix = sum(soundfile.read(stems / f"{name}.wav")[0] for name in ("film", "effects"))
    assert heard.shape == mix.shape
    errors = [np.abs(np.roll(heard, by, axis=0) - mix).mean() for by in (-1, 0, 1)]
    assert int(np.argmin(errors)) == 1, errors
    assert errors[1] < 0.001


MIXED = """
cinecut: 1
film: film.mov
timeline:
  - still: 100%d.png
    for: 10f
  - shot: {in: 0:03, for: 20f}
    from: crossfade 7f
  - shot: {in: 0, for: 20f}
    speed: 0.5
    from: dip to black 2f
    gain: -3
  - still: 100%d.png
    for: 12f
    from: crossfade 6f
  - shot: {in: 0:02, for: 20f}
"""


@pytest.mark.skipif(shutil.which("melt") is None, reason="melt plays MLT projects")
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_melt_keeps_the_places_and_the_levels_of_odd_cuts(channels: Literal[1, 2, 6], tmp_path: Path) -> None:
    sound = Sound(codec="pcm_s16le", channels=channels)
    make_film(Film(tmp_path / "film.mov", Fraction(24), 120, (160, 96), sound=sound))
    cv2.imwrite(str(tmp_path / "100%d.png"), np.zeros((96, 160, 3), np.uint8))
    (tmp_path / "cut.yaml").write_text(MIXED)
    for arguments in (
        ("link", "cut.yaml"),
        ("export", "cut.yaml", "--to", "kdenlive"),
        ("render", "cut.yaml", "-o", "ours.mp4"),
    ):
        done = cinecut(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    played = _play(tmp_path, "acodec=pcm_s16le", "ar=48000")
    theirs, ours = ([number_of(p) for p in read_pictures(file)] for file in (played, tmp_path / "ours.mp4"))
    assert len(theirs) == len(ours)
    for start, end in ((14, 29), (61, 82)):  # MLT's nearest pictures are others where a shot is slow
        assert theirs[start:end] == ours[start:end]
    heard, mix = (read_sound(file)[:, 0] for file in (played, tmp_path / "ours.mp4"))
    for start in (14, 64):
        one, other = (sound[start * 2000 : (start + 14) * 2000].std() for sound in (heard, mix))
        assert one == pytest.approx(other, rel=0.06), start


def _play(folder: Path, *settings: str) -> Path:
    """Let melt play cut.kdenlive into melt.mkv; returns that file.

    melt 7.12 starts the thread that writes before it marks itself as running. If the thread is the faster one, it finds
    nothing running and ends; melt then writes nothing, or sleeps for ever. So the thread is held back: it writes to a
    pipe, which opens only when somebody reads, and nobody reads before melt, which runs by then, has taken a key.
    """
    pipe, film = folder / "pipe.mkv", folder / "melt.mkv"
    os.mkfifo(pipe)
    target = ["-consumer", f"avformat:{pipe.name}", "vcodec=ffv1", "real_time=-1", *settings]
    with (
        film.open("wb") as written,
        (folder / "melt.txt").open("wb") as said,
        _process("melt", "-getc", "cut.kdenlive", *target, cwd=folder, stdin=subprocess.PIPE, stderr=said) as player,
    ):
        assert player.stdin
        player.stdin.write(b"\n")
        player.stdin.flush()
        while player.poll() is None and int.from_bytes(fcntl.ioctl(player.stdin, termios.FIONREAD, bytes(4)), "little"):
            time.sleep(0.01)
        with _process("cat", pipe, stdout=written) as reader:
            assert reader.wait(GIVE_UP) == 0
        player.stdin.close()
        assert player.wait(GIVE_UP) == 0
    return film


@contextmanager
def _process(*command: str | Path, **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block."""
    with subprocess.Popen(command, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


FILLED = """cinecut: 1
film: film.mov
output: {size: 96x96, fit: crop, codec: ffv1}
timeline:
  - shot: {in: 0:01, for: 12f}
"""


@pytest.mark.skipif(shutil.which("melt") is None, reason="melt plays MLT projects")
def test_melt_fills_the_frame_as_cinecut_does(tmp_path: Path) -> None:
    """To the pixel: the picture is cut at the same columns."""
    make_film(Film(tmp_path / "film.mov", Fraction(24), 60, (160, 96)))
    (tmp_path / "cut.yaml").write_text(FILLED)
    for arguments in (("link", "cut.yaml"), ("export", "cut.yaml", "--to", "kdenlive")):
        assert cinecut(*arguments, cwd=tmp_path).returncode == 0
    assert cinecut("render", "cut.yaml", "-o", "ours.mkv", cwd=tmp_path).returncode == 0
    theirs, ours = (list(read_pictures(file)) for file in (_play(tmp_path, "an=1"), tmp_path / "ours.mkv"))
    assert len(theirs) == len(ours) == 12
    assert all(np.array_equal(*pair) for pair in zip(theirs, ours, strict=True))
