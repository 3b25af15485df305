"""Reels and LUTs are written by a process of its own where that spares memory: its words arrive, its libraries stay
there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from compiling import FILM
from oracle import Film, Sound

from cinecut.diagnostics import Stop
from cinecut.grade import Grade
from cinecut.graph.plan import Reel, SoundReel
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.link import relink
from cinecut.media.probe import film_facts
from cinecut.render.pull import Pull, pull, pull_apart

Films = Callable[[Film], Film]
SMALL = Film(Path("a.mp4"), Fraction(24), 48, size=(160, 90), gop=24, sound=Sound())


def span(start: int, end: int) -> FilmRange:
    return FilmRange(FilmTime(Fraction(start)), FilmTime(Fraction(end)))


@pytest.mark.parametrize("way", [pull, pull_apart])
def test_all_is_written_and_told(films: Films, tmp_path: Path, way: Callable[..., None]) -> None:
    film = films(SMALL).path
    (tmp_path / "mine").write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    reels: list[Reel | SoundReel] = [Reel("reels/0.nut", span(0, 1)), SoundReel("reels/1.nut", span(1, 2), 0)]
    told: list[int] = []
    luts = {"grade.cube": Grade(saturation=Fraction(0))}
    way(Pull(tmp_path, film, film_facts(film), reels, luts, {"look": tmp_path / "mine"}), told.append)
    assert told == [1, 2]
    assert {"0.nut", "1.nut"} <= {file.name for file in tmp_path.rglob("*.nut")}
    assert (tmp_path / "grade.cube").stat().st_size > 10_000
    assert (tmp_path / "look.1d.cube").exists()


@pytest.mark.parametrize("way", [pull, pull_apart])
def test_what_goes_wrong_there_is_said_here(films: Films, tmp_path: Path, way: Callable[..., None]) -> None:
    film = films(SMALL).path
    reels = [Reel("a.nut", span(1, 9))]
    with pytest.raises(Stop, match="breaks off at") as stop:
        way(Pull(tmp_path, film, film_facts(film), reels, {}, {}), lambda _: None)
    assert stop.value.diagnostics[0].code == "unreadable"


def test_a_process_that_is_killed_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(Stop, match="without a word"):
        pull_apart(Pull(tmp_path, tmp_path / "film.mkv", FILM, [], {}, {}), lambda _: None)


def test_no_decoder_stays_while_ffmpeg_runs(films: Films, bundled: Path, tmp_path: Path) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(f"cinecut: 1\nfilm: {films(SMALL).path}\nvibe: drama\ntimeline: [shot: 0:00 - 0:01]\n")
    relink(spec, None)
    program = (
        "import json, sys\nfrom pathlib import Path\nfrom dataclasses import replace\n"
        "from cinecut.ffmpeg.builds import find_ffmpeg\nfrom cinecut.render.job import SILENT, prepare, render\n"
        "told = {}\n"
        "def stage(name, *figures):\n    told.setdefault(name, sorted(sys.modules))\n"
        "spec, ffmpeg = sys.argv[1:]\n"
        "render(prepare(Path(spec)), Path(spec).with_suffix('.mp4'), find_ffmpeg(ffmpeg),\n"
        "       replace(SILENT, stage=stage))\n"
        "print(json.dumps(told['render']))\n"
    )
    command = [sys.executable, "-c", program, str(spec), str(bundled)]
    environment = {**os.environ, "CINECUT_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    loaded = set(json.loads(done.stdout))
    assert "cinecut.render.job" in loaded
    assert not loaded & {"av", "cv2", "numpy", "soundfile", "jinja2", "requests", "scipy"}


@pytest.mark.parametrize("codec", ["aac", "ac3", "eac3", "libopus"])
def test_a_shots_sound_is_the_same_whatever_was_read_before(bundled: Path, tmp_path: Path, codec: str) -> None:
    """Decoders put noise where a codec left something out; it must not go on from one shot to the next."""
    film = tmp_path / "film.mkv"
    source = ["-f", "lavfi", "-i", "testsrc=s=64x36:d=12:r=24", "-f", "lavfi", "-i", "anoisesrc=d=12:r=48000:seed=1"]
    encode = ["-ac", "2", "-c:a", codec, "-b:a", "48k" if codec != "ac3" else "96k", str(film)]
    subprocess.run([bundled, "-v", "error", *source, *encode], check=True)
    facts = film_facts(film)
    reels = [SoundReel(f"{k}.nut", span(k, k + 2), 0) for k in (1, 3, 7, 9)]
    pull(Pull(tmp_path, film, facts, reels, {}, {}), lambda _: None)
    for reel in reels:
        alone = tmp_path / f"alone{reel.name}"
        alone.mkdir()
        pull(Pull(alone, film, facts, [reel], {}, {}), lambda _: None)
        assert (alone / reel.name).read_bytes() == (tmp_path / reel.name).read_bytes()


def test_a_layout_that_there_is_not_is_one_message(films: Films, tmp_path: Path) -> None:
    """Facts may be edited by hand."""
    film = films(SMALL).path
    facts = film_facts(film)
    facts = replace(facts, audio=tuple(replace(sound, layout="1x1") for sound in facts.audio))
    with pytest.raises(Stop, match="no layout of channels"):
        pull(Pull(tmp_path, film, facts, [SoundReel("a.nut", span(0, 1), 0)], {}, {}), lambda _: None)
