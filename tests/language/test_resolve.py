"""The compiler's first pass decides what a spec leaves open; and the whole compiler opens nothing."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from compiling import compiled, laid_out, read_text

from cinecut.compiler.compile import compile_layout
from cinecut.compiler.layout import lay_out
from cinecut.compiler.resolve import Trailer, faces_of, resolve
from cinecut.compiler.sound.master import Master
from cinecut.diagnostics import Report, Stop
from cinecut.language.facts import LoudnessTarget
from cinecut.render.check import layout_of, plan_of
from cinecut.vibes import vibe_of

ROOT = Path(__file__).parents[2]
FACTS = "{fingerprint: 4-0, size: 640x360, rate: 24, duration: 60, audio: [{rate: 48000, channels: 2, layout: stereo}]}"
HEAD = f"cinecut: 1\nfilm: {{file: film.mp4, facts: {FACTS}}}\n"
SHOT = "timeline: [shot: 0:01 - 0:03]\n"

_COMPILE = """
import sys
from pathlib import Path

from cinecut.compiler.compile import compile_layout
from cinecut.compiler.layout import lay_out
from cinecut.compiler.resolve import faces_of, resolve
from cinecut.diagnostics import Report, Stop
from cinecut.fonts.glyphs import load_face
from cinecut.language.read import load_spec
from cinecut.vibes import vibe_of

spec = load_spec(Path(sys.argv[1]), Report())[1]
vibe = vibe_of(spec.vibe)
faces = {name: load_face(name) for name in faces_of(spec, vibe, {})}
opened = []
sys.addaudithook(lambda event, args: opened.append((event, args)) if event in WATCHED else None)
plan = compile_layout(lay_out(resolve(spec, vibe, {}, faces), Report()))
said = [run.script for run in (plan.render, plan.sound, plan.stems)]
assert all(said) and plan.render.inputs
print(opened)
"""
WATCHED = {"open", "os.listdir", "os.scandir", "subprocess.Popen", "socket.connect", "import"}


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_compiler_opens_nothing(path: Path) -> None:
    """Neither a vibe, nor a font, nor a schema, nor a module: all is read before, and handed in."""
    program = f"WATCHED = {WATCHED!r}\n" + _COMPILE
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def trailer_of(text: str) -> Trailer:
    return laid_out(text).trailer


def test_what_the_spec_says_holds_then_the_vibe_then_the_film() -> None:
    plain = trailer_of(HEAD + SHOT)
    assert plain.outputs[""].size == (640, 360)
    assert plain.rate == 24
    assert plain.outputs[""].loudness is None
    assert set(plain.effects.values()) == {"none"}
    dark = trailer_of(HEAD + "vibe: thriller\neffects: {cut: punch}\noutput: {rate: 25, size: 320x180}\n" + SHOT)
    assert dark.outputs[""].size == (320, 180)
    assert dark.rate == 25
    vibe = vibe_of(dark.spec.vibe)
    assert vibe is not None
    assert dark.outputs[""].loudness == LoudnessTarget(Fraction(vibe.loudness), Fraction(-1))
    assert dark.effects == {**vibe.effects, "cut": "punch"}
    assert dark.style == vibe.titles


def test_what_is_not_measured_is_checked_with_facts_that_stand_in() -> None:
    """Every pass up to the layout works without the film; no mistake is found that is none."""
    late = "{shot: {in: 1:00:00, for: 2s}, from: crossfade 1s}"
    trailer = trailer_of(f"cinecut: 1\nfilm: film.mp4\ntimeline: [shot: 0:01 - 0:03, {late}]\n")
    assert not trailer.measured
    assert trailer.film.duration > 3602


def test_what_is_not_measured_is_never_compiled() -> None:
    report = Report()
    layout = layout_of(read_text("cinecut: 1\nfilm: film.mp4\nlut: my.cube\ntimeline: [shot: 0:01 - 0:03]\n"), report)
    with pytest.raises(Stop) as stop:
        plan_of(layout, report)
    assert [finding.code for finding in stop.value.diagnostics] == ["not-linked", "not-linked"]


def test_faces_are_those_of_the_texts() -> None:
    assert faces_of(read_text(HEAD + SHOT), None, {}) == set()
    assert faces_of(read_text(HEAD + "timeline: [{card: A, for: 1s}]\n"), None, {}) == {"Open Sans Semibold"}
    spoken = HEAD + "vibe: horror\noutput: {subtitles: burned}\ntimeline: [{shot: 0:01 - 0:03, titles: [A]}]\n"
    spec = read_text(spoken)
    vibe = vibe_of(spec.vibe)
    assert vibe is not None
    assert faces_of(spec, vibe, {}) == {vibe.titles.face, "Open Sans Semibold"}


def test_a_plan_knows_its_timeline_and_what_was_said() -> None:
    report = Report()
    text = HEAD + 'timeline: [{card: "\\U00012000", for: 1s}]\n'  # a sign of cuneiform, which no face has
    layout = layout_of(read_text(text), report)
    plan = compile_layout(layout, tuple(report))
    assert [finding.code for finding in plan.diagnostics] == ["title-glyphs"]
    assert plan.timeline is layout.timeline


# The master is a hole


def test_a_master_is_filled_in_when_it_is_known() -> None:
    plan = compiled(HEAD + "output: {loudness: web}\n" + SHOT)
    assert "anull@master" in plan.render.script
    assert "anull" not in plan.sound.script
    soft = plan.mastered({"": Master(Fraction(-3), None)})
    assert "volume@master=volume=-3dB" in soft.render.script
    assert "alimiter" not in soft.render.script
    loud = plan.mastered({"": Master(Fraction(3), Fraction(-1))})
    assert "alimiter@master" in loud.render.script
    assert "anull@master" in plan.render.script


def test_outputs_of_one_loudness_share_a_master() -> None:
    three = "deliverables: [{name: a, loudness: web}, {name: b, loudness: web}, {name: c, loudness: r128}]\n"
    plan = compiled(HEAD + three + SHOT)
    masters = {name: Master(Fraction(gain), None) for name, gain in (("a", 1), ("b", 1), ("c", 2))}
    script = plan.mastered(masters).render.script
    assert (script.count("volume=1dB"), script.count("volume=2dB")) == (1, 1)


def test_nothing_is_mastered_that_stays_as_it_is_mixed() -> None:
    assert "anull" not in compiled(HEAD + SHOT).render.script


def test_resolving_twice_is_the_same() -> None:
    spec = read_text(HEAD + SHOT)
    assert lay_out(resolve(spec, None, {}, {}), Report()) == lay_out(resolve(spec, None, {}, {}), Report())
