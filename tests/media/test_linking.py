"""Facts are written into a spec of any layout, and nothing else of it changes."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from effort import rounds
from hypothesis import given, settings
from hypothesis import strategies as st

from cinecut.diagnostics import Report, Stop, as_text
from cinecut.language.document import Document, NodePath, parse_document
from cinecut.language.events import Still
from cinecut.language.facts import AudioFacts, Color, FilmFacts, SongFacts, StillFacts
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec
from cinecut.media.link import named_from, write_facts

FILM = FilmFacts(
    "4-0011223344556677",
    (1280, 720),
    Fraction(24),
    Fraction(600),
    time_base=Fraction(1, 12288),
    color=Color("tv", "bt709", "bt709", "bt709"),
    audio=(AudioFacts(48000, 6, "5.1", Fraction(-1, 100), "eng"), AudioFacts(44100, 2, "stereo")),
)
SONG = SongFacts("5-0011223344556677", Fraction(240), 44100, 2)
LOGO = StillFacts("6-0011223344556677", (640, 480), alpha=True)


def load(text: str) -> tuple[Document, Spec]:
    report = Report()
    document = parse_document(Path("spec.yaml"), text, report)
    spec = fill_spec(document, report)
    assert report.ok, "\n".join(as_text(d, text.splitlines()) for d in report) + "\n" + text
    assert spec is not None
    return document, spec


QUOTES = st.sampled_from(["{}", "'{}'", '"{}"'])
COMMENT = st.sampled_from(["", "  # a comment: {with} [signs]", " #"])


@st.composite
def asset(draw: st.DrawFn, key: str, file: str, indent: str, inside_flow: bool) -> str:
    """`key` and its file in one of the layouts that people use, as rows below `indent`."""
    name, comment = draw(QUOTES).format(file), draw(COMMENT)
    more = {"film": "audio: 2", "music": "gain: -3"}.get(key)
    flow = [f"{key}: {name}", f"{key}: {{file: {name}}}", f"{key}: {{ file: {name} , }}"]
    if more:
        flow.append(f"{key}: {{{more}, file: {name}}}")
    if inside_flow:
        return draw(st.sampled_from(flow))
    step = indent + " " * draw(st.integers(1, 5))
    block = [
        *flow,
        f"{key}:\n{step}&below {name}",
        f"{key}:   {name}",
        f"{key}: &there {name}",
        f"{key}:\n{step}{name}",
        f"{key}: >-\n{step}{file}",
    ]
    block.append(f"{key}:{comment}\n{step}file: {name}")
    block.append(f"{key}:\n\n{step}# before\n{step}file:   {name}")
    block.append(f"{key}: &here\n{step}file: {name}")
    if more:
        block.append(f"{key}:\n{step}{more}{comment}\n{step}file: {name}")
        block.append(f"{key}:\n{step}file: {name}\n\n{step}# between\n{step}{more}")
    chosen = draw(st.sampled_from(block))
    return chosen if ">-" in chosen else chosen + comment


@st.composite
def layouts(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 4)) == 0:
        parts = [draw(asset(key, file, "", True)) for key, file in (("film", "film.mp4"), ("music", "a song.ogg"))]
        logo = draw(asset("still", "logo.png", "", True))
        text = f"{{cinecut: 1, {parts[0]},\n {parts[1]}, timeline: [shot: 0:16 - 0:20, {{{logo}, for: 1s}}]}}"
    else:
        film = draw(asset("film", "film.mp4", "", False))
        music = draw(asset("music", "a song.ogg", "", False)) + "\n"
        dash = draw(st.sampled_from(["- ", "  - ", "     -   "]))
        logo = draw(asset("still", "logo.png", " " * len(dash), False))
        timeline = f"timeline:\n{dash}shot: 0:16 - 0:20\n# here\n{dash}{logo}\n{' ' * len(dash)}for: 1s\n"
        blocks = draw(st.permutations(["cinecut: 1\n", f"{film}\n", music, timeline, "# alone\n\n"]))
        text = "".join(blocks)
        if text.count("&there") > 1 or text.count("&here") > 1:
            text = re.sub(r"&\w+ ?", "", text)
        text = draw(st.sampled_from(["", "# on top\n---\n", "\n\n"])) + text
    if draw(st.booleans()):
        text = text.rstrip("\n")
    if draw(st.integers(0, 3)) == 0:
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from(["", "\ufeff"])) + text


def facts_for(spec: Spec) -> tuple[dict[NodePath, FilmFacts | SongFacts | StillFacts], Spec]:
    """Facts for every asset, and the spec as it is with them."""
    found: dict[NodePath, FilmFacts | SongFacts | StillFacts] = {("film",): FILM}
    wanted = replace(spec, film=replace(spec.main_film, facts=FILM))
    if spec.music is not None and spec.music.file is not None:
        found["music",] = SONG
        wanted = replace(wanted, music=replace(spec.music, facts=SONG))
    timeline = []
    for index, entry in enumerate(spec.timeline):
        if isinstance(entry, Still):
            found["timeline", index, "still"] = LOGO
            entry = replace(entry, still=replace(entry.still, facts=LOGO))
        timeline.append(entry)
    return found, replace(wanted, timeline=tuple(timeline))


@rounds
@given(layouts())
@settings(max_examples=40)
def test_linking_keeps_every_other_byte(go: int, text: str) -> None:
    document, spec = load(text)
    facts, wanted = facts_for(spec)
    written = write_facts(document, facts, {})
    again, found = load(written)
    assert found == wanted
    assert _is_within(re.sub(r">-\s+", "", text), written), written  # a folded name is written anew
    assert re.findall(r"#[^\r\n]*", text) == re.findall(r"#[^\r\n]*", written)
    assert text.startswith("\ufeff") == written.startswith("\ufeff")
    assert ("\r\n" in text) == ("\r\n" in written)
    assert "\r\n" not in text or "\n" not in written.replace("\r\n", "")
    assert write_facts(again, facts, {}) == written


def _is_within(text: str, longer: str) -> bool:
    """All signs of a text stand in the longer one, in the same order: nothing was taken away."""
    signs = iter(longer)
    return all(sign in signs for sign in text)


names = st.text(st.sampled_from("ab/.'\"\\:#, -~%{}[]é日\t\n"), min_size=1) | st.text(
    st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20
)


@rounds
@given(layouts(), names)
@settings(max_examples=25)
def test_a_moved_film_is_named_whatever_its_name(go: int, text: str, name: str) -> None:
    document, spec = load(text)
    facts, wanted = facts_for(spec)
    _, found = load(write_facts(document, facts, {("film",): name}))
    assert found == replace(wanted, film=replace(wanted.main_film, file=name))


def test_a_repeated_logo_is_measured_once() -> None:
    """An alias repeats what its anchor holds: the facts too."""
    text = """
cinecut: 1
film: film.mp4
timeline:
  - still: &logo logo.png   # ours
    for: 1s
  - shot: 0:16 - 0:20
  - still: *logo
"""
    document, spec = load(text)
    facts, wanted = facts_for(spec)
    written = write_facts(document, facts, {})
    _, found = load(written)
    assert found == wanted
    assert written.count("fingerprint: 6-") == 1
    assert "still: &logo\n      file: logo.png   # ours\n" in written
    assert "  - still: *logo\n" in written


@pytest.mark.parametrize(
    "text",
    [
        "cinecut: 1\nfilm: &here film.mp4\nmusic: *here\ntimeline: [shot: 0:16 - 0:20]\n",
        "cinecut: 1\nvibe: drama\ntimeline: [{shot: 0:16 - 0:20, why: &name film.mp4}]\nfilm: *name\n",
        "cinecut: 1\nvibe: drama\ntimeline: [{shot: 0:16 - 0:20, why: &name film.mp4}]\nfilm: {file: *name}\n",
    ],
)
def test_facts_without_a_place_are_refused(text: str) -> None:
    document, spec = load(text)
    with pytest.raises(Stop, match="write it out"):
        write_facts(document, facts_for(spec)[0], {("film",): "moved.mp4"})


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("deliverables: [kit: ours.yaml]", "deliverables: [kit: ../ours.yaml]"),
        (
            "deliverables:\n  - {kit: 'k/ours.YML', name: tv}\n  - kit: social  # one that comes along",
            "deliverables:\n  - {kit: ../k/ours.YML, name: tv}\n  - kit: social  # one that comes along",
        ),
        ("languages: {fr: fr.yaml, de: /all/de.yaml}", "languages: {fr: ../fr.yaml, de: /all/de.yaml}"),
        ("languages:\n  fr: fr.yaml  # hers", "languages:\n  fr: ../fr.yaml  # hers"),
    ],
)
def test_files_of_ones_own_are_named_from_another_folder(here: str, there: str, tmp_path: Path) -> None:
    head, rest = "cinecut: 1\nfilm: {file: %sa.mkv}\n", "\ntimeline: [shot: 0:16 - 0:20]\n"
    document, spec = load(head % "" + here + rest)
    assert named_from(document, spec, tmp_path, tmp_path / "sub") == head % "../" + there + rest
