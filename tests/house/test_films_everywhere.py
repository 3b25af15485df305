"""A spec of several films through the commands: whatever knows a film knows which one it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from commandline import cinecut
from oracle import Film, Sound

from cinecut.diagnostics import Report
from cinecut.known.record import Known, KnownLine, KnownShot, keep
from cinecut.language.read import load_spec
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts
from cinecut.render.check import check_spec, examine
from cinecut.watch.describe import description

MAIN = Film(Path("a.mp4"), Fraction(24), 96, size=(160, 90), gop=24, sound=Sound())
EXTRA = Film(Path("b.mkv"), Fraction(25), 200, size=(128, 72), gop=25)
SPEC = """cinecut: 1
films: {main: film.mp4, making-of: extra.mkv}   # both of them
timeline:
  - shot: 0:01 - 0:02
  - shot: making-of 0:04 - 0:05   # the crew
    alternatives: [{in: 0:06}, {film: main, in: 0:02}]
  - {shot: main 0:03 - 0:03.5, from: crossfade 0.2s}
"""


@pytest.fixture
def folder(tmp_path: Path, films: Callable[[Film], Film], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "film.mp4").symlink_to(films(MAIN).path)
    (tmp_path / "extra.mkv").symlink_to(films(EXTRA).path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    done = cinecut(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_linked_explained_and_locked(folder: Path) -> None:
    assert "2 files measured" in run(folder, "link", "spec.yaml")
    text = (folder / "spec.yaml").read_text()
    assert text.count("fingerprint:") == 2
    assert "# both of them" in text
    assert "shot: making-of 0:04 - 0:05   # the crew" in text
    spec = load_spec(folder / "spec.yaml", Report())[1]
    assert spec is not None
    assert [film.facts and film.facts.rate for film in spec.every_film.values()] == [24, 25]
    rows = json.loads(run(folder, "explain", "spec.yaml", "--json"))["timeline"]
    assert [(row["film"], row["film_in_timecode"]) for row in rows] == [
        ("main", "00:00:01:00"), ("making-of", "00:00:04:00"), ("main", "00:00:03:00")]  # fmt: skip
    run(folder, "lock", "spec.yaml")
    lock = (folder / "spec.yaml.lock").read_text()
    assert 'file: "film.mp4"' in lock
    assert 'file: "extra.mkv"' in lock
    (folder / "spec.yaml").write_text(text.replace("making-of 0:04", "making-of 0:04.5"))
    assert "shot 2" in run(folder, "why", "spec.yaml")


def test_a_film_that_moved_is_named(folder: Path) -> None:
    run(folder, "link", "spec.yaml")
    wrong = cinecut("link", "spec.yaml", "extra.mkv", "--name", "main", cwd=folder)
    assert "is not the film that this spec was made for" in wrong.stderr
    (folder / "extra.mkv").rename(folder / "moved.mkv")
    missing = cinecut("check", "spec.yaml", cwd=folder)
    assert "--name making-of" in missing.stderr
    assert "which of them is moved.mkv?" in cinecut("link", "spec.yaml", "moved.mkv", cwd=folder).stderr
    assert "it has main, making-of" in cinecut("link", "spec.yaml", "moved.mkv", "--name", "extra", cwd=folder).stderr
    run(folder, "link", "spec.yaml", "moved.mkv", "--name", "making-of")
    assert "moved.mkv" in (folder / "spec.yaml").read_text()
    run(folder, "check", "spec.yaml")


def test_editing_programs_get_both(folder: Path) -> None:
    run(folder, "link", "spec.yaml")
    run(folder, "export", "spec.yaml", "--to", "edl")
    edl = (folder / "spec.edl").read_text()
    reels = re.findall(r"^\d{3}  (\w+) +V ", edl, re.M)
    assert list(dict.fromkeys(reels)) == ["FILM", "EXTRA"]
    assert re.search(r"  EXTRA +V .* 00:00:04:00 00:00:0", edl)


def test_edits_take_from_either(folder: Path) -> None:
    run(folder, "link", "spec.yaml")
    run(folder, "edit", "spec.yaml", "swap", "2", "2")
    text = (folder / "spec.yaml").read_text()
    assert "shot: main 0:02 - 0:03   # the crew" in text
    others = re.search(r"alternatives: \[(.*)\]", text)
    assert others is not None
    assert others[1] == "{in: 0:06, film: making-of}, {film: making-of, in: 00:00:04:00}"
    run(folder, "edit", "spec.yaml", "replace", "1", "making-of 0:05")
    assert "shot: making-of 0:05 - 0:06" in (folder / "spec.yaml").read_text()
    run(folder, "edit", "spec.yaml", "slip", "1", "5f")
    spec = load_spec(folder / "spec.yaml", Report())[1]
    assert spec is not None
    assert spec.timeline[0].shot.in_ == FilmTime(Fraction(26, 5)), "of the film's own frames"  # type: ignore[union-attr]
    unknown = cinecut("edit", "spec.yaml", "replace", "1", "extra 0:05", cwd=folder)
    assert "there are main, making-of" in unknown.stderr


def test_the_page_and_the_sheet_show_both(folder: Path) -> None:
    run(folder, "link", "spec.yaml")
    layout = examine(folder / "spec.yaml", Report())
    assert layout is not None
    page = description(layout, 0)
    assert [film["name"] for film in page["films"]] == ["main", "making-of"]
    assert [film["frames"] for film in page["films"]] == [96, 200]
    assert [(event["film"], event["in"]) for event in page["events"]] == [(0, 24), (1, 100), (0, 72)]
    assert [(each["film"], each["in"]) for each in page["events"][1]["alternatives"]] == [(1, 150), (0, 48)]
    run(folder, "sheet", "spec.yaml")
    html = (folder / "spec.html").read_text()
    assert html.count('<img src="data:image/jpeg') == 5
    assert "could not be decoded" not in html
    assert "00:00:04:00" in html
    assert "making-of" in html


def test_what_is_known_of_each_film_judges_its_shots(folder: Path) -> None:
    """A cut of the one is none of the other."""
    run(folder, "link", "spec.yaml")
    for file, cut in (("film.mp4", "1.9"), ("extra.mkv", "4.3")):
        ends = [FilmTime(Fraction(each)) for each in ("0", cut, "10")]
        shots = tuple(KnownShot(FilmRange(a, b)) for a, b in pairwise(ends))
        lines = (KnownLine(FilmRange(FilmTime(Fraction("0.5")), FilmTime(Fraction("1.5"))), "Now!"),)
        keep(Known(film_facts(folder / file).fingerprint, shots, lines, None, (), False, "", "", {}))
    found = sorted((d.code, d.message) for d in check_spec(folder / "spec.yaml"))
    assert [code for code, _ in found] == ["chopped-line", "film-cut", "film-cut"]
    assert "shot 1 crosses the film's cut at 0:01.900" in found[1][1]
    assert "shot 2 crosses the film's cut at 0:04.300" in found[2][1]
    assert "shot 1 begins inside 'Now!'" in found[0][1]


def exported(folder: Path, name: str, kind: str, text: str) -> str:
    """The file of an editing program with the cut of another text."""
    (folder / f"{name}.yaml").write_text(text)
    run(folder, "export", f"{name}.yaml", "--to", kind)
    return next(each.name for each in folder.glob(f"{name}.*") if each.suffix in (".edl", ".fcpxml", ".xml", ".otio"))


@pytest.mark.parametrize("kind", ["edl", "fcp", "premiere", "otio"])
def test_an_editing_program_brings_back_clips_of_either(kind: str, folder: Path) -> None:
    """A slip in the second film, and a shot of it put in; its name is the spec's."""
    run(folder, "link", "spec.yaml")
    before = (folder / "spec.yaml").read_text()
    assert (
        run(folder, "import", exported(folder, "same", kind, before), "--into", "spec.yaml") == "nothing was changed\n"
    )
    other = before.replace("making-of 0:04 - 0:05", "making-of 0:05 - 0:06")
    other += "  - shot: {film: making-of, in: 0:01, for: 12f}\n"
    file = exported(folder, "other", kind, other)
    record = json.loads(run(folder, "import", file, "--into", "spec.yaml", "--json"))
    assert "shot 2: slipped, in 0:04.000 → 0:05.000" in record["changed"]
    assert any("a shot from making-of 0:01.000 for 12 frames" in each for each in record["changed"])
    assert record["by_hand"] == []
    after = (folder / "spec.yaml").read_text()
    assert "# the crew" in after
    assert "# both of them" in after
    spec = load_spec(folder / "spec.yaml", Report())[1]
    assert spec is not None
    shots = [entry.shot for entry in spec.timeline[1::2]]  # type: ignore[union-attr]
    assert [(shot.film, shot.in_ and shot.in_.seconds) for shot in shots] == [
        ("making-of", 5), ("making-of", 1)]  # fmt: skip
    run(folder, "import", file, "--new", "new.yaml", "--film", "film.mp4", "--film", "extra.mkv")
    begun = load_spec(folder / "new.yaml", Report())[1]
    assert begun is not None
    assert [(entry.shot.film, entry.shot.in_.seconds) for entry in begun.timeline] == [  # type: ignore[union-attr]
        ("film", 1), ("extra", 5), ("film", 3), ("extra", 1)]  # fmt: skip
    alone = json.loads(run(folder, "import", file, "--new", "one.yaml", "--film", "film.mp4", "--json"))
    assert any("extra.mkv at frame 24 is not film.mp4" in each for each in alone["by_hand"])


@pytest.mark.parametrize("kind", ["edl", "fcp", "premiere", "otio"])
def test_films_with_one_file_name_are_told_apart(kind: str, folder: Path) -> None:
    """As episodes in folders of their own are: by the folders, and in an EDL by the reels."""
    for number, film in enumerate(("film.mp4", "extra.mkv"), 1):
        (folder / str(number)).mkdir()
        (folder / str(number) / "film.mkv").symlink_to((folder / film).resolve())
    text = SPEC.replace("film.mp4", "1/film.mkv").replace("extra.mkv", "2/film.mkv")
    (folder / "spec.yaml").write_text(text)
    run(folder, "link", "spec.yaml")
    before = (folder / "spec.yaml").read_text()
    other = before.replace("making-of 0:04 - 0:05", "main 0:00.5 - 0:01.5") + "  - shot: making-of 0:06 - 0:07\n"
    file = exported(folder, "other", kind, other)
    record = json.loads(run(folder, "import", file, "--into", "spec.yaml", "--json"))
    assert record["by_hand"] == []
    spec = load_spec(folder / "spec.yaml", Report())[1]
    assert spec is not None
    assert [entry.shot.film or "main" for entry in spec.timeline] == [  # type: ignore[union-attr]
        "main", "main", "main", "making-of"]  # fmt: skip


def test_a_medium_that_the_spec_does_not_have_is_said(folder: Path) -> None:
    run(folder, "link", "spec.yaml")
    before = (folder / "spec.yaml").read_text()
    file = exported(folder, "other", "fcp", before)
    (folder / file).write_text((folder / file).read_text().replace("extra.mkv", "stranger.mkv"))
    record = json.loads(run(folder, "import", file, "--into", "spec.yaml", "--dry-run", "--json"))
    assert any("stranger.mkv at frame 24 is no film of this spec" in each for each in record["by_hand"])
    (folder / file).write_text((folder / file).read_text().replace("film.mp4", "other.mp4"))
    none = cinecut("import", file, "--into", "spec.yaml", cwd=folder)
    assert "and nothing of film.mp4 or extra.mkv" in none.stderr
