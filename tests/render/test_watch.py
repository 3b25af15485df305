"""Watching a spec: the page's edits, and the session that renders what they change."""

from __future__ import annotations

import difflib
import hashlib
import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from commandline import cinecut
from compiling import laid_out
from effort import GIVE_UP
from watching import SMALL, TEXT, Films, wait_for, written

from cinecut.api import load
from cinecut.diagnostics import Report, Stop, as_text
from cinecut.edits.revise import undo
from cinecut.edits.verbs.actions import edited
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.known.record import Known, KnownShot
from cinecut.known.record import as_json as known_json
from cinecut.language.document import parse_document
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.render.check import check_spec
from cinecut.watch.session import Session

# Edits

FACTS = """{file: film.mp4, facts: {fingerprint: 1-00, size: 160x90, rate: 24, duration: 10, audio: [{rate: 48000,
  channels: 2, layout: stereo}]}}"""


DEEP: list[Any] = []
for _ in range(5000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("action", "taken", "put"),
    [
        (
            {"do": "trim", "entry": 1, "in": 30},
            ["  - shot: 0:01 - 0:02   # the hole"],
            ["  - shot: 0:01.25 - 0:02   # the hole"],
        ),
        (
            {"do": "trim", "entry": 1, "out": 60},
            ["  - shot: 0:01 - 0:02   # the hole"],
            ["  - shot: 0:01 - 0:02.5   # the hole"],
        ),
        ({"do": "trim", "entry": 2, "in": 75}, ["      in: 3s   # a note"], ["      in: 3.125s   # a note"]),
        (
            {"do": "trim", "entry": 2, "for": "3 beats"},
            ["      for: 1 bar"],
            ["      for: 3 beats"],
        ),
        ({"do": "trim", "entry": 3, "for": "2 bars"}, ["  - black: 12f"], ["  - black: 2 bars"]),
        ({"do": "trim", "entry": 4, "for": "9 frames"}, ["    for: 1 bar"], ["    for: 9f"]),
        ({"do": "remove", "entry": 3}, ["  - black: 12f"], []),
        ({"do": "duplicate", "entry": 3}, [], ["  - black: 12f"]),
        ({"do": "move", "entry": 3, "to": 5}, ["  - black: 12f"], ["  - black: 12f"]),
        (
            {"do": "retitle", "entry": 4, "text": "#1: {end}"},
            ["  - card: The End   # at last"],
            ['  - card: "#1: {end}"   # at last'],
        ),
        (
            {"do": "retitle", "entry": 1, "title": 1, "text": "May"},
            ["    titles: [{text: Spring}, Summer]"],
            ["    titles: [{text: May}, Summer]"],
        ),
        (
            {"do": "retitle", "entry": 1, "title": 2, "text": "May"},
            ["    titles: [{text: Spring}, Summer]"],
            ["    titles: [{text: Spring}, May]"],
        ),
        ({"do": "sync", "entry": 5, "at": 126}, [], ["    sync: {at: 00:00:05:06}"]),
        (
            {"do": "swap", "entry": 5, "number": 1},
            [
                "  - shot: {in: 5s, for: 2 beats}",
                "    line: It was you.",
                "      - {in: 6s, score: 0.5, why: a face}   # the other one",
            ],
            [
                "  - shot: {in: 6s, for: 2 beats}   # the other one",
                "      - {in: 00:00:05:00}",
                "    score: 0.5",
                "    why: a face",
                "    by: user",
            ],
        ),
        ({"do": "set", "path": "mix.music", "value": -6}, [], ["mix: {music: -6}"]),
    ],
    ids=lambda value: value["do"] if isinstance(value, dict) else "",
)
def test_an_action_is_one_edit(action: dict[str, Any], taken: list[str], put: list[str]) -> None:
    """Rows with comments keep them, and all others stay as they are."""
    text = TEXT.format(film=FACTS)
    after = edited(parse_document(Path("a.yaml"), text, Report()), laid_out(text), action)
    rows = list(difflib.ndiff(text.splitlines(), after.splitlines()))
    assert [row[2:] for row in rows if row.startswith("- ")] == taken
    assert [row[2:] for row in rows if row.startswith("+ ")] == put
    laid_out(after)


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"do": "rm"},
        {"do": ["trim"]},
        {"do": "trim", "entry": 0, "in": 3},
        {"do": "trim", "entry": 99, "in": 3},
        {"do": "trim", "entry": True, "in": 3},
        {"do": "trim", "entry": 1, "in": 100},
        {"do": "trim", "entry": 1, "in": -1},
        {"do": "trim", "entry": 1, "in": 10**9},
        {"do": "trim", "entry": 0, "for": "1 beats"},
        {"do": "trim", "entry": 1, "for": "1 miles"},
        {"do": "retitle", "entry": 2, "text": "x"},
        {"do": "swap", "entry": 1, "number": 1},
        {"do": "swap", "entry": 5, "number": 3},
        {"do": "retitle", "entry": 4, "text": ""},
        {"do": "retitle", "entry": 4, "text": "x" * 501},
        {"do": "set", "path": "mix.film: rm.x", "value": 1},
        {"do": "set", "path": "", "value": 1000},
        {"do": "set", "path": "mix.music", "value": float("-inf")},
        {"do": "set", "path": f"timeline[{'9' * 5000}].gain", "value": 1},
        {"do": "remove", "event": "9" * 5000},
        {"do": "remove", "entry": "9" * 5000},
        {"do": "move", "entry": 3, "to": f"shot {'9' * 5000}"},
        {"do": "set", "path": "mix.music", "value": DEEP},
    ],
    ids=lambda action: str(action.get("do")),
)
def test_what_makes_no_sense_is_refused(action: dict[str, Any]) -> None:
    text = TEXT.format(film=FACTS)
    with pytest.raises(Stop):
        edited(parse_document(Path("a.yaml"), text, Report()), laid_out(text), action)


# The session


class Watched:
    """A session that runs, and waiting for what it comes to."""

    def __init__(self, spec: Path, folder: Path, ffmpeg: str | None = None) -> None:
        self.changed = threading.Condition()
        self.session = Session(spec, folder, find_ffmpeg(ffmpeg), self.wake)
        self.thread = threading.Thread(target=self.session.run, daemon=True)

    def wake(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def until(self, wanted: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(wanted, timeout=GIVE_UP), self.session.state

    def __enter__(self) -> Watched:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.end()
        self.thread.join(60)


def test_a_session_renders_edits_and_undoes(films: Films, tmp_path: Path) -> None:
    spec, drafts = written(tmp_path, films(SMALL).path), tmp_path / "drafts"
    drafts.mkdir()
    before = spec.read_text()
    with Watched(spec, drafts) as watched:
        session = watched.session
        watched.until(lambda: bool(session.state.drafted))
        first = session.state
        assert [event["kind"] for event in first.trailer["events"]] == ["shot", "shot", "black", "card", "shot"]
        assert (drafts / first.draft).is_file()

        session.edit({"do": "remove", "entry": 3}, first.revision)
        assert spec.read_text() == before.replace("  - black: 12f\n", "")
        watched.until(lambda: session.state.drafted not in ("", first.drafted))
        assert len(session.state.trailer["events"]) == 4

        session.undo(session.state.revision)
        assert spec.read_text() == before
        session.redo(session.state.revision)
        assert "black" not in spec.read_text()
        session.undo(session.state.revision)
        watched.until(lambda: session.state.drafted == first.drafted)
        with pytest.raises(Stop, match="no edit"):
            session.undo(session.state.revision)

        # `cinecut undo` and the page take back the same edits
        session.edit({"do": "remove", "entry": 3}, session.state.revision)
        undo(spec)
        assert spec.read_text() == before
        session.touch()
        watched.until(lambda: session.state.revision == first.revision)
        session.redo(session.state.revision)
        undo(spec)
        session.touch()
        watched.until(lambda: session.state.revision == session.state.drafted == first.drafted)

        # What would make the spec wrong is refused
        with pytest.raises(Stop, match="would leave mistakes"):
            session.edit({"do": "set", "path": "mix.music", "value": 1000}, session.state.revision)
        assert spec.read_text() == before

        # Never over what somebody else wrote meanwhile
        spec.write_text(before.replace("12f", "24f"))
        with pytest.raises(Stop, match="changed meanwhile"):
            session.edit({"do": "remove", "entry": 3}, session.state.revision)
        assert "24f" in spec.read_text()
        watched.until(lambda: session.state.trailer["frames"] == first.trailer["frames"] + 12)

        # The last good draft plays on while there are mistakes
        spec.write_text(before.replace("12f", "12 parsecs"))
        session.touch()
        watched.until(lambda: session.state.broken)
        assert session.state.draft
        assert "bad-time" in "".join(session.state.mistakes)
        assert "^" in "".join(session.state.mistakes)
        with pytest.raises(Stop, match="mistakes"):
            session.edit({"do": "remove", "entry": 3}, session.state.revision)
        spec.unlink()
        session.touch()
        watched.until(lambda: "no file" in "".join(session.state.mistakes))


def test_a_still_has_another_name_when_it_shows_anything_else(films: Films, tmp_path: Path) -> None:
    """So the page fetches of a new draft what is new."""
    spec, drafts = written(tmp_path, films(SMALL).path), tmp_path / "drafts"
    drafts.mkdir()
    with Watched(spec, drafts) as watched:
        session = watched.session
        watched.until(lambda: bool(session.state.drafted))
        first = session.state
        spec.write_text(spec.read_text().replace("0:02", "0:03", 1))
        session.touch()
        watched.until(lambda: session.state.drafted not in ("", first.drafted))
        changed = [index for index, name in enumerate(session.state.stills) if name not in first.stills]
        assert 0 < len(changed) < len(first.stills)
        assert set(session.stills) == set(session.state.stills)
        spec.write_text(spec.read_text().replace("0:03", "0:02", 1))
        session.touch()
        watched.until(lambda: session.state.stills == first.stills)


def test_another_medium_under_the_same_words_is_another_draft(films: Films, tmp_path: Path) -> None:
    """The page takes a draft by its name."""
    film, drafts = tmp_path / "own.mp4", tmp_path / "drafts"
    shutil.copy(films(SMALL).path, film)
    spec = written(tmp_path, film)
    drafts.mkdir()
    with Watched(spec, drafts) as watched:
        session = watched.session
        watched.until(lambda: bool(session.state.drafted))
        first = session.state
        assert first.described == first.revision
        shutil.copy(films(replace(SMALL, path=Path("b.mp4"), gop=12)).path, film)
        session.touch()
        watched.until(lambda: session.state.draft != first.draft)
        assert session.state.revision == first.revision


def test_a_newer_edit_gives_up_the_draft_under_way(films: Films, bundled: Path, tmp_path: Path) -> None:
    """The FFmpeg of the first draft never ends by itself."""
    spec, drafts, stuck = written(tmp_path, films(SMALL).path), tmp_path / "drafts", tmp_path / "stuck"
    drafts.mkdir()
    slow = tmp_path / "slow"
    slow.write_text(
        f'#!/bin/bash\ncase "$*" in *segment_*) mkdir {stuck} && exec sleep 600 ;; esac\nexec {bundled} "$@"\n'
    )
    slow.chmod(0o755)
    with Watched(spec, drafts, str(slow)) as watched:
        wait_for(stuck.is_dir)
        watched.session.touch()  # nothing changed: the draft goes on
        assert not watched.session.state.drafted
        spec.write_text(spec.read_text().replace("12f", "24f"))
        watched.session.touch()
        watched.until(lambda: bool(watched.session.state.drafted))
        state = watched.session.state
        assert state.drafted == state.revision == hashlib.sha256(spec.read_bytes()).hexdigest()[:16]
        assert not state.broken
        assert state.mistakes == ()


def test_the_page_warns_as_check_does(films: Films, tmp_path: Path) -> None:
    spec, drafts = written(tmp_path, films(SMALL).path), tmp_path / "drafts"
    drafts.mkdir()
    assert cinecut("link", "a.yaml", cwd=tmp_path).returncode == 0
    facts = load(spec).main_film.facts
    assert facts is not None
    ends = [FilmTime(Fraction(seconds)) for seconds in (0, 4, 10)]
    shots = tuple(KnownShot(FilmRange(*pair)) for pair in pairwise(ends))
    known = Known(facts.fingerprint, shots, (), None, (), False, "", "", {})
    spec.with_suffix(".known.json").write_text(known_json(known), encoding="utf-8")
    wanted = [finding for finding in check_spec(spec) if finding.code == "film-cut"]
    assert wanted
    with Watched(spec, drafts) as watched:
        watched.until(lambda: bool(watched.session.state.drafted))
        mistakes = watched.session.state.mistakes
        assert [each for each in mistakes if "[film-cut]" in each] == [
            as_text(each, spec.read_text().splitlines()) for each in wanted
        ]


def test_a_swap_on_the_command_line_is_undone_by_another(films: Films, tmp_path: Path) -> None:
    spec = written(tmp_path, films(SMALL).path)
    before = spec.read_text()
    said = json.loads(cinecut("swap", "a.yaml", "5", "2", "--json", cwd=tmp_path).stdout)
    assert said["spec"] == "a.yaml"
    assert said["changed"]
    assert said["differences"]
    assert "- shot: {in: 7s, for: 2 beats}" in spec.read_text()
    assert "{in: 5s}" in spec.read_text()
    assert cinecut("swap", "a.yaml", "5", "2", cwd=tmp_path).returncode == 0
    after = spec.read_text()
    assert [row for row in difflib.ndiff(before.splitlines(), after.splitlines()) if row[0] != " "] == [
        "-     line: It was you.",
        "+     by: user",
    ]
    for words, message in (
        (("1",), "no alternatives"),
        (("99",), "no event 99"),
        (("5", "3"), "1 to 2"),
    ):
        done = cinecut("swap", "a.yaml", *words, cwd=tmp_path)
        assert done.returncode == 1
        assert message in done.stderr
    assert spec.read_text() == after
