"""What comes back from an editing program: nothing where nobody changed anything, else just what was changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import cinecut, names
from compiling import FILM, measured, read_text
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from oracle import Film, make_film

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report, Stop
from cinecut.interchange.back.begin import begin
from cinecut.interchange.back.bring import bring, compared, today
from cinecut.interchange.build import ExportOptions, sequence_of
from cinecut.interchange.export import layout_for
from cinecut.interchange.tracks import Stems
from cinecut.interchange.writers import edl, fcpxml, otio_file, xmeml
from cinecut.render.check import layout_of

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.yaml"))
FORMATS: dict[str, tuple[str, Callable[..., object]]] = {
    "otio": (".otio", otio_file.write),
    "fcp": (".fcpxml", fcpxml.write),
    "premiere": (".xml", xmeml.write),
    "edl": (".edl", edl.write),
}
every_format = pytest.mark.parametrize("kind", FORMATS)
FACTS = "facts: {fingerprint: 1-0, size: 1920x1080, rate: 24, duration: 7200, timecode: '01:00:00:00', "
FACTS += "audio: [{rate: 48000, channels: 2, layout: stereo}]}"
BEFORE = f"""cinecut: 1
film:
  file: film.mov
  {FACTS}
music: {{beats: {{tempo: 120, first: 0}}}}
timeline:
  # the opening
  - act: one
  - shot: 0:10 - 0:12   # it begins here
    why: quiet
    titles: [One last chance]
  - shot: {{in: 0:20, for: 4 beats}}
    score: 0.8
  # this one is the best
  - shot: {{in: 0:30, for: 2s}}
    from: crossfade 0.5s
  - black: 1s
  - act: two
  - shot: {{in: 0:40, for: 2s}}
    speed: 0.5
    mute: true
  - shot: {{in: 0:50, for: 2s}}
    gain: -3
    by: someone
"""

# What is done to the text, as an editor would do it to the timeline; and the words in which it comes back.
CHANGES: dict[str, tuple[list[tuple[str, str]], str]] = {
    "trimmed at its head": (
        [("0:10 - 0:12 ", "0:10.5 - 0:12 ")],
        "shot 1: trimmed, in 0:10.000 → 0:10.500, 48 → 36 frames",
    ),
    "trimmed at its tail": ([("0:10 - 0:12 ", "0:10 - 0:11 ")], "shot 1: trimmed, 48 → 24 frames"),
    "slipped": ([("in: 0:20, ", "in: 0:21, ")], "shot 2: slipped, in 0:20.000 → 0:21.000"),
    "longer by beats": ([("for: 4 beats", "for: 6 beats")], "shot 2: longer, 48 → 72 frames"),
    "removed": ([("  - shot: {in: 0:50, for: 2s}\n    gain: -3\n    by: someone\n", "")], "shot 6 is gone"),
    "black removed": ([("  - black: 1s\n", "")], "black 4 is gone"),
    "black longer": ([("black: 1s", "black: 30f")], "black 4: longer, 24 → 30 frames"),
    "another speed": ([("speed: 0.5", "speed: 0.25")], "shot 5: speed 0.5 → 0.25"),
    "a speed without an end of decimals": ([("speed: 0.5", "speed: 0.666667")], "shot 5: speed 0.5 → 0.666667"),
    "a longer crossfade": ([("crossfade 0.5s", "crossfade 1s")], "shot 3: crossfade of 12 → 24 frames"),
    "a cut": ([("    from: crossfade 0.5s\n", "")], "shot 3: crossfade of 12 → 0 frames"),
    "a new crossfade": (
        [("    score: 0.8\n", "    score: 0.8\n    from: crossfade 12f\n")],
        "shot 2: crossfade of 0 → 12",
    ),
    "new": (
        [("  - black: 1s\n", "  - shot: {in: 1:00, for: 1s}\n  - black: 1s\n")],
        "a shot from 1:00.000 for 24 frames",
    ),
    "new black": ([("    mute: true\n", "    mute: true\n  - black: 10f\n")], "black of 10 frames is new"),
    "moved": (
        [
            ("  - shot: {in: 0:50, for: 2s}\n    gain: -3\n    by: someone\n", ""),
            ("  # this one", "  - shot: {in: 0:50, for: 2s}\n    gain: -3\n    by: someone\n  # this one"),
        ],
        "the events stand in another order",
    ),
    "several": (
        [("0:10 - 0:12 ", "0:10 - 0:11 "), ("speed: 0.5", "speed: 0.25"), ("in: 0:20, ", "in: 0:21, ")],
        "shot 1: trimmed, 48 → 24 frames",
    ),
}
GAINS = {
    "louder": ([("gain: -3", "gain: 2")], "shot 6: gain -3 → 2 dB"),
    "another title": ([("One last chance", "Run")], "shot 1: 'One last chance' → 'Run'"),
    "no title": ([("    titles: [One last chance]\n", "")], "shot 1: the title 'One last chance' is gone"),
    "a later title": (
        [("[One last chance]", "[{text: One last chance, at: 6f}]")],
        "the title 'One last chance' from frame 6 to 48",
    ),
    "a new title": (
        [("    score: 0.8\n", "    score: 0.8\n    titles: [{text: Now, at: 3f, for: 20f}]\n")],
        "'Now' is new",
    ),
    "a trimmed shot and its title": (
        [("0:10 - 0:12 ", "0:10 - 0:11 "), ("One last chance", "Run")],
        "shot 1: 'One last chance' → 'Run'",
    ),
}


def export(text: str, path: Path, kind: str) -> None:
    spec = path.with_name("other.yaml")
    spec.write_text(text)
    end, write = FORMATS[kind]
    made = write(sequence_of(layout_for(spec), "cut", ExportOptions(path.parent)))
    path.with_suffix(end).write_bytes(made.files[end])  # type: ignore[attr-defined]
    spec.unlink()


def cut_of(layout: Layout) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for placed in layout.timeline.events:
        film = getattr(placed, "film", None)
        found.append((placed.range.start.index, placed.range.end.index, film and film.start.seconds, placed.head))
    return found


def changed(text: str, edits: list[tuple[str, str]]) -> str:
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@every_format
@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_comes_back(name: str, kind: str, tmp_path: Path) -> None:
    edits, said = CHANGES[name]
    _brought(edits, said, kind, tmp_path)


@pytest.mark.parametrize("kind", ["fcp", "premiere"])
@pytest.mark.parametrize("name", GAINS)
def test_levels_and_titles_come_back_where_a_format_has_them(name: str, kind: str, tmp_path: Path) -> None:
    _brought(*GAINS[name], kind, tmp_path)


def _brought(edits: list[tuple[str, str]], said: str, kind: str, folder: Path) -> None:
    spec, wanted = folder / "spec.yaml", changed(BEFORE, edits)
    spec.write_text(BEFORE)
    export(wanted, folder / "cut", kind)
    found = bring(spec, folder / f"cut{FORMATS[kind][0]}")
    assert any(said in each for each in found.said), found.said
    assert not found.by_hand
    spec.write_text(found.text)
    other = folder / "wanted.yaml"
    other.write_text(wanted)
    assert cut_of(layout_for(spec)) == cut_of(layout_for(other)), found.text
    if kind != "edl":
        texts = [[(t.text, t.range) for t in layout_for(path).timeline.texts] for path in (spec, other)]
        assert texts[0] == texts[1], found.text
    for comment in re.findall(r"#.*", BEFORE):
        if "is gone" not in said:
            assert comment in found.text
    for kept in ("why: quiet", "score: 0.8", "act: two"):
        assert kept in found.text
    if "beats" in wanted and "6 beats" in wanted:
        assert "6 beats" in found.text


@every_format
def test_what_nobody_touched_keeps_every_byte(kind: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(BEFORE)
    export(BEFORE, tmp_path / "cut", kind)
    found = bring(spec, tmp_path / f"cut{FORMATS[kind][0]}")
    assert (found.text, found.said, found.by_hand) == (BEFORE, [], [])


@every_format
@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_an_unchanged_export_is_no_change(golden: Path, kind: str) -> None:
    _unchanged(golden.read_text(), kind)


@every_format
@pytest.mark.parametrize("spec", sorted((Path(__file__).parents[2] / "specs").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_shipped_spec_comes_back_unchanged(spec: Path, kind: str) -> None:
    layout = layout_for(spec)
    changes = compared(layout, spec.parent, today(layout, spec.parent, kind), today(layout, spec.parent, kind))
    assert (changes.none, changes.said, changes.by_hand) == (True, [], [])


def _unchanged(text: str, kind: str, rate: Fraction = Fraction(24), random: bool = False) -> None:
    report = Report()
    layout = layout_of(measured(read_text(text), replace(FILM, rate=rate, timecode="01:00:00:00")), report)
    if random:
        assume(report.ok)  # random parts may not fit each other; the golden ones do
    assert report.ok, list(report)
    changes = compared(layout, Path("/work"), today(layout, Path("/work"), kind), today(layout, Path("/work"), kind))
    assert changes.none, changes.said
    assert (changes.said, changes.by_hand) == ([], [])
    assert [each.placed.number for each in changes.order] == [p.number for p in layout.timeline.events]  # type: ignore[union-attr]


TIMES = st.integers(0, 6000)
SHOTS = st.builds(
    lambda at, frames, speed, head, more: (
        f"- shot: {{in: {at}, for: {frames}f}}\n  speed: {speed}\n" + (f"  from: {head}\n" if head else "") + more
    ),
    st.integers(10, 7000), st.integers(24, 90), st.sampled_from(["1", "0.5", "2", "0.75"]),
    st.sampled_from(["", "crossfade 7f", "dip to black 8f", "dip to white 5f", "fade in 6f"]),
    st.sampled_from(["", "  mute: true\n", "  gain: -7.5\n", "  sound_trail: 3f\n", "  titles: [a b]\n"]),
)  # fmt: skip
OTHERS = st.sampled_from(
    ["- black: 13f\n", "- card: THE END\n  for: 30f\n", "- still: a.png\n  for: 20f\n", "- act: x\n"]
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(SHOTS | OTHERS, min_size=1, max_size=8), st.sampled_from([24, Fraction(30000, 1001), 25]))
def test_random_trailers_come_back_unchanged(parts: list[str], rate: Fraction) -> None:
    first = "- shot: {in: 5, for: 40f}\n"
    last = "- shot: {in: 9, for: 40f}\n"
    text = "cinecut: 1\nfilm: film.mov\ntimeline:\n" + first + "".join(parts) + last
    for kind in FORMATS:
        _unchanged(text, kind, Fraction(rate), random=True)


# A spec that begins as an editor's timeline


@every_format
def test_a_spec_begins_from_a_timeline(kind: str, tmp_path: Path) -> None:
    export(BEFORE, tmp_path / "cut", kind)
    (tmp_path / "spec.yaml").write_text(BEFORE)
    wanted = layout_for(tmp_path / "spec.yaml")
    end = FORMATS[kind][0]
    begun = begin(f"cut{end}", (tmp_path / f"cut{end}").read_bytes(), tmp_path, [("film.mov", wanted.trailer.film)])
    (tmp_path / "new.yaml").write_text(begun.text)
    found = layout_for(tmp_path / "new.yaml")
    assert cut_of(found) == cut_of(wanted)
    assert [s.event.speed for s in found.timeline.shots] == [s.event.speed for s in wanted.timeline.shots]
    assert [s.event.mute for s in found.timeline.shots] == [s.event.mute for s in wanted.timeline.shots]
    assert begun.by_hand == []
    assert "# one" in begun.text
    if kind in ("fcp", "premiere"):
        assert found.timeline.shots[-1].event.gain == -3
        assert [text.text for text in found.timeline.texts] == ["One last chance"]


@pytest.mark.parametrize("kind", ["otio", "fcp", "premiere"])
def test_sounds_of_other_moments_are_kept_or_listed(kind: str, tmp_path: Path) -> None:
    """An EDL of the pictures has none of them."""
    spec = f"""cinecut: 1
film:
  file: film.mov
  {FACTS}
timeline:
  - shot: 0:10 - 0:12
  - {{shot: 0:20 - 0:22, sound_in: 0:30, sound_lead: 6f, gain: -3}}
  - {{shot: 0:25 - 0:27, speed: 0.5, sound_in: 0:40}}
  - {{shot: 0:50 - 0:52, mute: true, voice: [{{take: 1:00 - 1:01, at: 6f}}]}}
  - {{shot: 0:55 - 0:57, voice: [1:10 - 1:11]}}
"""
    export(spec, tmp_path / "cut", kind)
    (tmp_path / "spec.yaml").write_text(spec)
    wanted = layout_for(tmp_path / "spec.yaml")
    end = FORMATS[kind][0]
    begun = begin(f"cut{end}", (tmp_path / f"cut{end}").read_bytes(), tmp_path, [("film.mov", wanted.trailer.film)])
    (tmp_path / "new.yaml").write_text(begun.text)
    found = layout_for(tmp_path / "new.yaml")
    for shot, was in zip(found.timeline.shots, wanted.timeline.shots, strict=True):
        assert (shot.event.mute, shot.event.sound_in) == (was.event.mute, was.event.sound_in)
        assert shot.sound_over[0] == was.sound_over[0]
        assert kind == "otio" or shot.event.gain == was.event.gain  # an OTIO timeline has no gain
    assert begun.by_hand == [
        "film.mov from 1:00.000 is heard at frame 198, for 24 frames",
        "film.mov from 1:10.000 is heard at frame 240, for 24 frames",
    ]


def test_a_spec_begins_on_the_command_line(tmp_path: Path) -> None:
    make_film(Film(tmp_path / "film.mov", Fraction(24), 120, (160, 96)))
    spec = "cinecut: 1\nfilm: film.mov\ntimeline:\n- shot: 0:01 - 0:02\n- black: 6f\n- shot: {in: 0:03, for: 20f}\n"
    (tmp_path / "spec.yaml").write_text(spec)
    for arguments in (
        ("link", "spec.yaml"),
        ("export", "spec.yaml", "--to", "premiere", "-o", "cut.xml"),
        ("import", "cut.xml", "--new", "new.yaml", "--film", "film.mov"),
        ("check", "new.yaml"),
    ):
        done = cinecut(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "for: 20f" in (tmp_path / "new.yaml").read_text()
    again = cinecut("import", "cut.xml", "--new", "new.yaml", "--film", "film.mov", cwd=tmp_path)
    assert "is there already" in again.stderr
    both = cinecut("import", "new.yaml", "cut.xml", "--new", "x.yaml", "--film", "film.mov", cwd=tmp_path)
    assert "beside new.yaml: choose one of them" in both.stderr
    for wrong in (("import", "cut.xml"), ("import", "cut.xml", "--new", "x.yaml")):
        assert cinecut(*wrong, cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("kind", ["otio", "fcp", "premiere"])
def test_rendered_stems_come_back_as_no_change(kind: str, tmp_path: Path) -> None:
    """What `export --stems` put there itself; another sound is listed, each for what it is."""
    (spec := tmp_path / "spec.yaml").write_text(BEFORE)
    end, write = FORMATS[kind]
    stems = Stems({"effects": tmp_path / "cut_stems" / "effects.wav"}, 48000 * 12)
    made = write(sequence_of(layout_for(spec), "cut", ExportOptions(tmp_path, stems=stems)))
    (file := tmp_path / f"cut{end}").write_bytes(data := made.files[end])  # type: ignore[attr-defined]
    assert b"effects.wav" in data
    found = bring(spec, file)
    assert (found.said, found.by_hand) == ([], [])
    file.write_bytes(data.replace(b"effects.wav", b"sirens.wav"))
    assert bring(spec, file).by_hand == ["sirens.wav is heard in it, and is not in the spec"]


def test_comments_of_a_shot_that_is_gone_are_said(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(BEFORE)
    export(BEFORE.replace("  - shot: {in: 0:30, for: 2s}\n    from: crossfade 0.5s\n", ""), tmp_path / "cut", "fcp")
    found = bring(tmp_path / "spec.yaml", tmp_path / "cut.fcpxml")
    assert found.said == ["shot 3 is gone", "comment gone with it: '# this one is the best'"]


def test_another_film_at_the_end_becomes_black(tmp_path: Path) -> None:
    """Nothing of the right film at all is a mistake."""
    (tmp_path / "spec.yaml").write_text(BEFORE)
    film = layout_for(tmp_path / "spec.yaml").trailer.film
    export(BEFORE, tmp_path / "cut", "edl")
    text = (tmp_path / "cut.edl").read_text()
    other = "other.mov".join(text.rsplit("film.mov", 2))  # its picture and its sound
    begun = begin("cut.edl", other.encode(), tmp_path, [("film.mov", film)])
    assert begun.text.endswith("  - black: 48f\n")
    assert [each for each in begun.by_hand if "black stands in its place" in each]
    with pytest.raises(Stop, match=r"shows film\.mov, and nothing of another\.mov"):
        begin("cut.edl", text.encode(), tmp_path, [("another.mov", film)])


def test_markers_come_back_as_comments(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(BEFORE)
    export(BEFORE, tmp_path / "cut", "fcp")
    text = (tmp_path / "cut.fcpxml").read_text()
    text = text.replace("</asset-clip>", '<marker start="3610.5s" duration="1/24s" value="too dark?"/></asset-clip>', 1)
    (tmp_path / "cut.fcpxml").write_text(text.replace("3610.5s", "7221/2s"))
    found = bring(tmp_path / "spec.yaml", tmp_path / "cut.fcpxml")
    assert "  # too dark?\n  - shot: 0:10 - 0:12   # it begins here\n" in found.text


def test_the_command_shows_first_and_writes_then(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(BEFORE)
    export(changed(BEFORE, CHANGES["slipped"][0]), tmp_path / "cut", "premiere")
    done = cinecut("import", "cut.xml", "--into", "spec.yaml", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "shot 2: slipped, in 0:20.000 → 0:21.000\n"
    assert spec.read_text() == BEFORE
    for both in (("spec.yaml", "cut.xml"), ("cut.xml", "spec.yaml")):
        assert cinecut("import", *both, "--dry-run", cwd=tmp_path).stdout == done.stdout
    for wrong in (["spec.yaml"], ["cut.xml"], ["cut.xml", "cut.xml"], ["spec.yaml", "cut.xml", "--into", "spec.yaml"]):
        assert "cinecut import SPEC FILE" in (refused := cinecut("import", *wrong, cwd=tmp_path)).stderr
        assert refused.returncode == 1
    assert cinecut("import", "spec.yaml", "cut.xml", cwd=tmp_path).returncode == 0
    assert "in: 0:21" in spec.read_text().replace('"', "")
    again = cinecut("import", "cut.xml", "--into", "spec.yaml", cwd=tmp_path)
    assert again.stdout == "nothing was changed\n"
    assert cinecut("undo", "spec.yaml", cwd=tmp_path).returncode == 0
    assert spec.read_text() == BEFORE
    assert cinecut("redo", "spec.yaml", cwd=tmp_path).returncode == 0
    assert names(tmp_path) == ["cut.xml", "spec.yaml"]
