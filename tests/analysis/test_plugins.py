"""Plug-ins: a package beside cinecut finds shots, hears, describes and counts instead; one that fails is named."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut, names
from footage import Footage, make_film, song

from cinecut import plugins
from cinecut.diagnostics import Report, Stop
from cinecut.language.events import Shot
from cinecut.language.read import load_spec

CRISP = '''
"""A tiny package with a plug-in for each part of the analysis."""
from fractions import Fraction

from cinecut.analysis.song.beats import Beats


def shots(film, facts, progress):
    """A shot every two seconds."""
    progress(1.0)
    return range(2, int(facts.duration), 2)


def transcribe(film, facts, progress):
    return [(10, 12.5, "You have no idea what is coming for us."), (Fraction(41, 2), 22, "Nobody leaves alive!")]


def describe(picture):
    assert picture.startswith(b"\\xff\\xd8")
    return {"visual_content": "A field of noise", "mood": "calm", "action": "it flickers", "setting": "nowhere"}


def beats(song, progress):
    times = tuple(Fraction(k, 2) for k in range(160))
    return Beats(Fraction(120), Fraction(0), 4, times, 0.9, (), (), (0.5,) * 40)


def failing(*given):
    raise RuntimeError("out of\\n\\x1b[31mcheese")


def nonsense(*given):
    return 7
'''
ENTRIES = "".join(
    f"[cinecut.{group}]\ncrisp = crisp:{group}\nbroken = crisp:failing\nodd = crisp:nonsense\nlost = crisp:absent\n"
    for group in ("shots", "transcribe", "describe", "beats")
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for sys.path with the package and what an installer leaves beside it."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "crisp.py").write_text(CRISP)
    info = folder / "crisp-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crisp\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    return folder


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Footage]:
    folder = tmp_path_factory.mktemp("studio")
    song(folder / "song.wav", np.arange(0, 80, 0.5))
    return folder, make_film(folder / "film.mkv", count=12, spoken=False)


def analyze(packages: Path, folder: Path, *arguments: str) -> tuple[int, str, str]:
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH", ""), str(packages))))
    done = cinecut(
        "analyze", "film.mkv", "-f", *arguments, cwd=folder, PYTHONPATH=path, CINECUT_CACHE_DIR=str(folder / "c")
    )
    return done.returncode, done.stdout, done.stderr


def test_a_package_does_what_it_says_it_does(packages: Path, studio: tuple[Path, Footage]) -> None:
    folder, _ = studio
    chosen = [word for group in ("shots", "transcribe", "describe", "beats") for word in (f"--{group}", "crisp")]
    status, out, err = analyze(packages, folder, "--music", "song.wav", "--length", "8", "-o", "by.yaml", *chosen)
    assert status == 0, out + err
    assert "plug-in" not in err
    report = Report()
    document, spec = load_spec(folder / "by.yaml", report)
    assert report.ok
    assert spec is not None
    shots = [event for event in spec.timeline if isinstance(event, Shot)]
    assert shots
    for event in shots:
        assert event.by == "crisp 1.5"
        assert event.scene is not None
        assert event.scene.startswith("A field of noise")
        assert event.shot.in_ is not None
        assert event.shot.in_.seconds % 2 != 0, "the first picture of a shot is left to the film's own cut"
    assert "subtitles" not in err, "the lines were heard"
    assert spec.music is not None
    assert spec.music.beats is not None
    assert (spec.music.beats.tempo, spec.music.beats.first.seconds) == (Fraction(120), Fraction(0))
    assert "# Found by plug-ins: shots by crisp 1.5, transcribe by crisp 1.5," in document.text


@pytest.mark.matrix
@pytest.mark.parametrize(("name", "why"), [("broken", "RuntimeError: out of"), ("odd", ""), ("lost", "AttributeError")])
@pytest.mark.parametrize("group", ["shots", "transcribe", "describe", "beats"])
def test_one_that_fails_ends_in_a_message_that_names_it(
    group: str, name: str, why: str, packages: Path, studio: tuple[Path, Footage]
) -> None:
    folder, _ = studio
    music = ["--music", "song.wav"] if group == "beats" else []
    before = names(folder)
    status, out, err = analyze(packages, folder, "--length", "8", "-o", "never.yaml", f"--{group}", name, *music)
    assert (status, out) == (1, "")
    message = next(line for line in err.splitlines() if line.startswith("error: "))
    assert message.startswith(f"error: the plug-in {name} 1.5 of cinecut.{group} failed: ")
    assert why in message
    assert "Traceback" not in err
    assert "\x1b" not in err
    assert names(folder) in (before, [*before, "c"], sorted([*before, "c"]))


@pytest.mark.parametrize("group", ["shots", "transcribe", "describe", "beats"])
def test_one_that_is_not_there_is_refused_before_any_work(group: str, packages: Path, tmp_path: Path) -> None:
    (tmp_path / "film.mkv").write_bytes(b"never opened")
    status, _, err = analyze(packages, tmp_path, f"--{group}", "crips")
    assert status == 1
    assert err.startswith(f"error: there is no plug-in 'crips' for {group} [option]\n  hint: installed: broken, crisp")
    assert analyze(tmp_path, tmp_path, f"--{group}", "crisp")[2].startswith("error: there is no plug-in 'crisp'")


def test_every_group_of_entry_points_is_known(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(packages)
    assert all(
        plugins.names(group) == ["broken", "crisp", "lost", "odd"]
        for group in ("shots", "transcribe", "describe", "beats")
    )
    assert json.dumps(plugins.names("exporters")) == "[]"
    with pytest.raises(Stop):
        plugins.find("exporters", "edl")
