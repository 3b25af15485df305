"""What each feature of the language compiles to, and that FFmpeg runs it.

Beside every spec of golden/, each about one thing, lies its compiled text: a change of the compiler shows as a diff of
them. `pytest tests/compiler/test_golden.py --update-goldens` writes them anew.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from compiling import FILM, measured, plan_of
from effort import as_few_as_hold_all, mostly_slow
from oracle import Film, Sound, make_film, read_pictures, read_sound

from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Report, as_text
from cinecut.ffmpeg.builds import FFmpeg, find_ffmpeg
from cinecut.grade import Grade
from cinecut.grade.cube import cube_text
from cinecut.grade.formula import lut
from cinecut.graph.script import SCRIPT_OPTIONS
from cinecut.language.facts import Color
from cinecut.language.read import load_spec
from cinecut.language.timebase import Timecodes
from cinecut.render.check import check_spec
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
GOLDEN = Path(__file__).parents[1] / "golden"
FEATURES = sorted(GOLDEN.glob("*.yaml"))
SMALL = Film(Path("film.mp4"), Fraction(24), 240, size=(320, 180), gop=24, sound=Sound())
FACTS = replace(FILM, size=SMALL.size, duration=Fraction(10), time_base=Fraction(1, 12288), color=Color())


def plan_at(path: Path) -> RenderPlan:
    report = Report()
    _, spec = load_spec(path, report, unmeasured=Timecodes(SMALL.rate))
    assert spec is not None, "\n".join(as_text(d) for d in report)
    plan = plan_of(spec if spec.main_film.facts is not None else measured(spec, FACTS), report)
    assert plan is not None, "\n".join(as_text(d) for d in report)
    return plan


def text_of(plan: RenderPlan) -> str:
    """The trailer's graph, FFmpeg's arguments, and what is generated beside them, one after another."""
    outputs = [f"trailer{target.name}{target.suffix}" for target in plan.targets]
    arguments = " ".join(plan.render.arguments(SCRIPT_OPTIONS["modern"], outputs))
    for option in (" -threads 1 ", " -/filter_complex ", " -map ", " -f srt "):
        arguments = arguments.replace(option, "\n" + option[1:])
    texts = {plan.render.name: plan.render.script, "arguments": arguments + "\n"}
    texts |= {name: data.decode() for name, data in plan.files.items()}
    return "\n".join(f"== {name}\n{text}" for name, text in texts.items())


@pytest.mark.parametrize("path", FEATURES, ids=lambda path: path.stem)
def test_golden(path: Path, request: pytest.FixtureRequest) -> None:
    kept, text = path.with_suffix(".txt"), text_of(plan_at(path))
    if request.config.getoption("--update-goldens"):
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8")


def test_every_golden_has_a_spec() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {path.stem for path in FEATURES}


# What FFmpeg makes of them

UNHEARD = {"audio"}  # the oracle's films have one stream of sound


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the film and all that the goldens name beside it."""
    folder = tmp_path_factory.mktemp("media")
    make_film(replace(SMALL, path=folder / "film.mp4"))
    make_film(replace(SMALL, path=folder / "band.mp4", frames=24, sound=None))
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (8 * 48000, 2))
    for name in ("song.wav", "other.wav"):
        soundfile.write(folder / name, noise, 48000)
    logo = ["-f", "lavfi", "-i", "color=red@0.5:s=64x36,format=rgba", "-frames:v", "1", str(folder / "logo.png")]
    subprocess.run([find_ffmpeg().path, "-v", "error", *logo], check=True)
    (folder / "look.cube").write_bytes(cube_text(lut([Grade(saturation=Fraction(0))])))
    return folder


RUN = [path for path in FEATURES if path.stem not in UNHEARD]


def used(path: Path) -> set[object]:
    """The words that a golden says to FFmpeg: its options and encoders, its filters and what they are told."""
    graph, _, rest = path.with_suffix(".txt").read_text(encoding="utf-8").partition("== arguments")
    words = set[object](re.findall(r"(?<!\S)-[a-z]\S+|(?<=-c:[avs] )\S+", rest.partition("\n==")[0]))
    for name, told in re.findall(r"(\w+)@[\w.]+=([^\[;\n]*)", graph):
        words |= {(name, word) for word in ("", *re.findall(r"\b[a-z][a-z0-9_]+\b", told)) if not _OWN.search(word)}
    return words


def joints(path: Path) -> set[object]:
    """The pairs of filters that a golden puts one behind the other, and at which input."""
    graphs = path.with_suffix(".txt").read_text(encoding="utf-8").partition("== arguments")[0]
    found, last = set[object](), dict[str, str]()
    for chain in re.split(r"(?m);\n|^== .*\n", graphs):
        filters = re.findall(r"(\w+)@", chain)
        ins, outs = re.match(r"(\[[^]]+])*", chain), re.search(r"(\[[^]]+])*\s*$", chain)
        if filters and ins and outs:
            found.update(pairwise(filters))
            pads = enumerate(re.findall(r"\[(.+?)]", ins[0]))
            found.update((last.get(pad, "a file"), filters[0], number) for number, pad in pads)
            last |= dict.fromkeys(re.findall(r"\[(.+?)]", outs[0]), filters[-1])
    return found


_OWN = re.compile("_[0-9a-f]{10}")  # the name of a file, by its content
SYSTEM = as_few_as_hold_all({path: used(path) for path in RUN})
JOINED = as_few_as_hold_all({path: used(path) | joints(path) for path in RUN})


def assert_runs(path: Path, media: Path, folder: Path, build: FFmpeg) -> None:
    """Every frame and every sample is there."""
    spec = media / path.name
    spec.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    job = prepare(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder))
        files = render(job, folder / f"out{job.plan.suffix}", build, SILENT).files
    for file in files.values():
        assert sum(1 for _ in read_pictures(file)) == job.plan.frames
        assert abs(len(read_sound(file)) - job.plan.samples) <= (1024 if file.suffix == ".mp4" else 0)


@pytest.mark.parametrize("path", mostly_slow(RUN, SYSTEM), ids=lambda path: path.stem)
def test_the_systems_ffmpeg_runs_it(media: Path, path: Path, tmp_path: Path, system: Path) -> None:
    assert_runs(path, media, tmp_path, find_ffmpeg(str(system)))


@pytest.mark.parametrize("path", mostly_slow(RUN, JOINED), ids=lambda path: path.stem)
def test_ffmpeg_runs_it_and_converts_nothing_by_itself(media: Path, path: Path, tmp_path: Path) -> None:
    """Between no two filters FFmpeg had to put one of its own."""
    build, told = find_ffmpeg(), tmp_path / "told"
    told.mkdir()
    telling = tmp_path / "ffmpeg"
    telling.write_text(f'#!/bin/sh\nexec {build.path} -print_graphs_format json -print_graphs_file {told}/$$ "$@"\n')
    telling.chmod(0o755)
    assert_runs(path, media, tmp_path, replace(build, path=str(telling)))
    graphs = [graph.read_text() for graph in told.iterdir()]
    assert any("overlay" in graph or "concat" in graph or "fps" in graph for graph in graphs)
    assert [line for graph in graphs for line in graph.splitlines() if "_auto_" in line] == []


# The specs that people learn from


@pytest.mark.parametrize("path", [*SPECS, *FEATURES], ids=lambda path: path.stem)
def test_no_paths(path: Path) -> None:
    """A plan names its files in its own folder only: it renders on any machine."""
    text = text_of(plan_at(path))
    assert str(ROOT) not in text
    assert "../" not in text
    assert not [line for line in text.splitlines() if line.startswith("/")]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs_have_no_mistakes(path: Path) -> None:
    """Nothing to say about the specs that people learn from, but that the film may not be fetched yet."""
    film_is_here = (ROOT / "media" / "big_buck_bunny_720p24.mp4").exists()
    absent = {"no-side-file"} if film_is_here else {"no-side-file", "missing-file"}
    found = [d for d in check_spec(path) if d.code not in absent]
    assert not found, "\n".join(as_text(d) for d in found)
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../schemas/")
