"""Names come from what an event is: one that nobody touched keeps its frames, its samples and its lines of the graph
when another is inserted before it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from compiling import compiled
from oracle import Film, Sound
from rendering import render_text, spec_text, stems_of

from cinecut.compiler.names import labels_of

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
Films = Callable[[Film], Film]


def inserted(text: str, event: str) -> str:
    head, _, tail = text.partition("\ntimeline:\n")
    return f"{head}\ntimeline:\n{event}\n{tail}"


def changed_lines(before: str, after: str) -> int:
    """Lines of `after` that `before` has not, or the other way round, whichever are more."""
    rows = [row[0] for row in difflib.ndiff(before.splitlines(), after.splitlines())]
    return max(rows.count("+"), rows.count("-"))


@pytest.mark.parametrize("event", ["  - black: {}", "  - shot: {{in: 5:00, for: {}}}"], ids=["black", "shot"])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_one_event_more_is_that_event_s_lines_more(path: Path, event: str) -> None:
    text = path.read_text(encoding="utf-8")
    event = event.format("1 bar" if "beats:" in text else "2s")
    before, after = compiled(text), compiled(inserted(text, event))
    scripts = [(plan.render.script, plan.sound.script) for plan in (before, after)]
    total = sum(script.count("\n") for script in scripts[1])
    changed = sum(changed_lines(*pair) for pair in zip(*scripts, strict=True))
    assert changed <= 0.15 * total


EVENTS = (
    "{shot: {in: 0.5s, for: 24f}, sound: [sweep, {effect: whoosh, gain: -3}], grade: {saturation: 0.5}}",
    "{shot: {in: 2s, for: 36f}, speed: 0.5, sound_fade: {in: 6f}}",
    "{shot: {in: 1s, for: 24f}, from: crossfade 8f, voice: {take: 0.5s - 1.5s, at: 6f}}",
    "{card: A card, for: 12f, sound: exhale}",
    "{shot: {in: 3s, for: 24f}, sound_lead: 6f, sound: [{effect: riser, for: 12f}]}",
    "{black: 24f, silent: true}",
    "{shot: {in: 0.5s, for: 24f}, from: dip to white 8f, gain: -6}",
)


@pytest.mark.parametrize(
    "new",
    [
        pytest.param("{black: 24f}", marks=pytest.mark.slow),
        "{shot: {in: 4s, for: 48f}, sound: [sweep], line: Hear!}",
    ],
)
def test_untouched_events_keep_their_frames_and_samples(films: Films, bundled: Path, tmp_path: Path, new: str) -> None:
    film = films(Film(Path("a.mp4"), Fraction(24), 144, size=(320, 180), gop=24, sound=Sound()))
    before, after = spec_text(film, EVENTS), spec_text(film, [new, *EVENTS])
    late = 48 if "48f" in new else 24
    old, now = (render_text(text, tmp_path, bundled, name) for text, name in ((before, "old"), (after, "new")))
    assert len(now.pictures) == len(old.pictures) + late
    assert all(np.array_equal(*pair) for pair in zip(old.pictures, now.pictures[late:], strict=True))
    stems = [stems_of(text, tmp_path, bundled, name) for text, name in ((before, "old_stems"), (after, "new_stems"))]
    assert set(stems[0]) == {"film", "effects", "voice"}
    for name, was in stems[0].items():
        assert np.array_equal(was, stems[1][name][late * 2000 :]), name


def test_labels_are_made_of_what_an_event_says_of_itself() -> None:
    facts = "{fingerprint: 4-0, size: 640x360, rate: 24, duration: 600}"
    head = f"cinecut: 1\nfilm: {{file: film.mp4, facts: {facts}}}\ntimeline:\n"
    rows = [
        "shot: 0:16 - 0:20",
        "shot: 1:02:11.5 - 1:02:14",
        "{shot: 0:16 - 0:20, gain: 3}",
        "black: 2s",
        "black: 2s",
        "{card: 'Ünder the BIG, big top of a very long tent', for: 2s}",
        "{shot: 0:16 - 0:20, why: because, score: 0.5, sound: [punch], titles: [A]}",
    ]
    facts_of_long = head.replace("duration: 600", "duration: 6000")
    placed = compiled(facts_of_long + "".join(f"  - {row}\n" for row in rows)).timeline.events
    labels = [each.label for each in placed]
    assert [label.rpartition("_")[0] for label in labels[:3]] == ["shot_0m16s", "shot_62m11s500", "shot_0m16s"]
    assert labels[0] != labels[2]
    assert labels[4] == labels[3] + "_2"  # the same again
    assert labels[5].startswith("card_under_the_big_big_")
    assert labels[6] == labels[0] + "_2"  # what hangs on it and what is noted beside it is not the event itself
    assert labels_of(each.event for each in reversed(placed))[-1] == labels[0] + "_2"


def test_shots_that_show_the_same_share_a_reel() -> None:
    facts = "{fingerprint: 4-0, size: 640x360, rate: 24, duration: 600}"
    events = "[shot: 0:16 - 0:20, {shot: 0:16 - 0:20, grade: {saturation: 0}}]"
    text = f"cinecut: 1\nfilm: {{file: film.mp4, facts: {facts}}}\ntimeline: {events}\n"
    plan = compiled(text)
    assert len(plan.inputs) == 1
    assert len(plan.render.inputs) == 2  # opened twice all the same: each shot is decoded by itself
