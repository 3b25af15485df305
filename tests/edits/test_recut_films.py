"""A new cut of a spec of several films: over all of them, with the names that the spec has for them."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commandline import cinecut
from footage import Footage, make_film

from cinecut.diagnostics import Report
from cinecut.edits.recut.items import named_as
from cinecut.edits.recut.settings import MergedValue, merged
from cinecut.language.events import Shot
from cinecut.language.read import load_spec
from cinecut.language.spec import Spec
from cinecut.render.check import examine

COUNTS = {"pilot": 8, "second": 10, "third": 8}  # as of other tests: each is looked at once
NAMES = {"pilot": "eins", "second": "zwei"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, analyses: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("films")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        yield folder


@pytest.fixture(scope="module")
def films(folder: Path) -> dict[str, Footage]:
    return {name: make_film(folder / f"{name}.mkv", count) for name, count in COUNTS.items()}


def run(folder: Path, *arguments: str) -> str:
    done = cinecut(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def analysed(folder: Path, films: dict[str, Footage]) -> Callable[[Path, str], Path]:
    """The spec of a trailer of some films, laid at a path; each is analysed once, and known by its text."""
    made = dict[str, str]()

    def lay(path: Path, names: str) -> Path:
        if names not in made:
            words = [*(f"{name}.mkv" for name in names.split()), "--no-models", "--length", "18s"]
            run(folder, "analyze", *words, "-o", "analysed.yaml", "--force")
            made[names] = (folder / "analysed.yaml").read_text()
        path.write_text(made[names])
        return path

    return lay


Analysed = Callable[[Path, str], Path]


def spec_of(path: Path) -> Spec:
    spec = load_spec(path, Report())[1]
    assert spec is not None
    return spec


def shown(path: Path, films: dict[str, Footage]) -> set[str | None]:
    """The films of which the spec shows something, by their names there; each piece lies in one shot of its film."""
    layout = examine(path, Report())
    assert layout is not None
    spec = layout.trailer.spec
    for placed in layout.timeline.shots:
        footage = films[Path(spec.every_film[placed.film.film].file).stem]
        assert footage.holds(placed.film.start.seconds, placed.film.end.seconds), placed
    return {spec.name_of(placed.film.film) for placed in layout.timeline.shots}


def touched(text: str) -> tuple[str, str]:
    """The spec with a comment and a title of mine on its second shot; and those rows."""
    row = re.findall(r"(?m)^  - shot: .*\n", text)[1]
    mine = f"  # mine\n{row}    titles: [Mine]\n"
    return text.replace(row, mine, 1), mine


def test_a_new_cut_is_of_all_films_and_keeps_what_a_hand_did(
    folder: Path, films: dict[str, Footage], analysed: Analysed
) -> None:
    path = analysed(folder / "two.yaml", "pilot second")
    text, mine = touched(path.read_text())
    for name, other in NAMES.items():  # another name for a film is no edit
        text, mine = (re.sub(rf"\b{name}\b(?!\.)", other, each) for each in (text, mine))
    path.write_text(text)
    record = json.loads(run(folder, "recut", "two.yaml", "--no-models", "--length", "12s", "--json"))
    assert [each.partition(" (")[0] for each in record["kept"]] == ["shot 2"]
    assert not any(each.startswith("films") for each in record["conflicts"])
    assert mine in path.read_text()
    assert shown(path, films) == set(NAMES.values())
    assert 9 <= record["seconds"] <= 16
    again = cinecut("recut", "two.yaml", "--subtitles", "pilot.srt", cwd=folder)
    assert "needs a spec of one film" in again.stderr


def test_a_new_cut_into_another_folder_names_the_same_media(folder: Path, analysed: Analysed) -> None:
    analysed(folder / "here.yaml", "pilot second")
    (folder / "sub").mkdir()
    run(folder, "recut", "here.yaml", "--no-models", "--length", "12s", "-o", "sub/there.yaml")
    assert "no mistakes" in run(folder, "check", "sub/there.yaml")
    path = folder / "sub" / "there.yaml"
    text, mine = touched(path.read_text())
    path.write_text(text)
    record = json.loads(run(folder, "recut", "sub/there.yaml", "--no-models", "--length", "15s", "--json"))
    assert len(record["kept"]) == 1, "only what a hand touched"
    assert mine in path.read_text()


def test_a_new_cut_onto_a_link_to_the_spec_can_be_undone(folder: Path, analysed: Analysed) -> None:
    analysed(folder / "linked.yaml", "pilot")
    before = (folder / "linked.yaml").read_text()
    (folder / "link.yaml").symlink_to("linked.yaml")
    run(folder, "recut", "linked.yaml", "--no-models", "--length", "10s", "-f", "-o", "link.yaml")
    assert (folder / "linked.yaml").read_text() != before
    run(folder, "undo", "linked.yaml")
    assert (folder / "linked.yaml").read_text() == before
    (folder / "hard.yaml").hardlink_to(folder / "linked.yaml")
    done = cinecut("recut", "linked.yaml", "--no-models", "--length", "10s", "-f", "-o", "hard.yaml", cwd=folder)
    assert (done.returncode, "which is read" in done.stderr) == (1, True), done.stderr


def test_a_film_that_is_added_is_cut_in_and_names_of_ones_own_stay(
    folder: Path, films: dict[str, Footage], analysed: Analysed
) -> None:
    """A spec of one film, to which others are written: what analyze wrote of the first is still known."""
    path = analysed(folder / "one.yaml", "pilot")
    text, mine = touched(path.read_text())
    found = re.search(r"(?ms)^film:\n(.*?)^(?=\S)", text)
    assert found is not None
    before = (
        "films:\n  first:\n" + re.sub("(?m)^", "  ", found[1].rstrip()) + "\n  last: second.mkv   # the new one\n\n"
    )
    path.write_text(text.replace(found[0], before))
    run(folder, "link", "one.yaml")
    record = json.loads(run(folder, "recut", "one.yaml", "--no-models", "--length", "15s", "--json"))
    assert len(record["kept"]) == 1, "only what a hand touched"
    after = path.read_text()
    assert mine in after
    assert "# the new one" in after
    assert list(spec_of(path).films or {}) == ["first", "last"]
    assert shown(path, films) == {"first", "last"}
    assert run(folder, "check", "one.yaml")


def test_a_film_by_name_alone_is_cut_anew_too(folder: Path, films: dict[str, Footage]) -> None:
    run(folder, "analyze", "third.mkv", "--no-models", "--length", "12s", "--title", "Mine", "-o", "named.yaml")
    path = folder / "named.yaml"
    text = re.sub(
        r"(?ms)^film:\n(.*?)^(?=\S)",
        lambda found: "films:\n  only:\n" + re.sub("(?m)^", "  ", found[1].rstrip()) + "\n",
        path.read_text(),
    )
    path.write_text(text)
    run(folder, "recut", "named.yaml", "--no-models", "--length", "10s", "--structure", "teaser")
    spec = spec_of(path)
    assert list(spec.films or {}) == ["only"]
    assert shown(path, films) == {"only"}
    assert "Mine" in path.read_text(), "the title that analyze was given"
    assert any(isinstance(entry, Shot) for entry in spec.timeline)


def test_what_analyze_wrote_of_films_is_known_by_their_new_names(tmp_path: Path) -> None:
    """Each place that names a film: its own entry, a shot, another take for it, a voice, an anchor."""
    rows = """
        cinecut: 1
        films: {one: a.mkv, two: b.mkv}
        anchors: {begin: {film: two, at: 3s}, climax: 9s}
        timeline:
          - {shot: {film: two, in: 1s, for: 2s}, voice: two 4s - 5s, alternatives: [{film: one, in: 2s}]}
          - {shot: {in: 7s, for: 1s}, alternatives: [{film: two, in: 8s}]}
    """
    written = textwrap.dedent(rows)
    documents = []
    for text in (written, re.sub("two", "zwei", re.sub("one", "eins", written))):
        (tmp_path / "spec.yaml").write_text(text)
        documents.append(load_spec(tmp_path / "spec.yaml", Report()))
    (document, spec), (_, ours) = documents
    assert spec is not None
    assert ours is not None
    (tmp_path / "spec.yaml").write_text(named_as(document, spec, ours))
    assert spec_of(tmp_path / "spec.yaml") == ours
    assert ours != spec


def test_a_film_of_one_is_known_as_the_first_of_several(tmp_path: Path) -> None:
    """A crop that analyze wrote and a hand took away stays away, whatever name the film has now."""
    cropped = "{file: a.mkv, crop: {x: 0, y: 0.1, w: 1, h: 0.8}}"
    specs = []
    for films in (
        f"film: {cropped}",
        "films: {mine: {file: a.mkv}, more: b.mkv}",
        f"films: {{mine: {cropped}, more: b.mkv}}",
    ):
        (tmp_path / "spec.yaml").write_text(f"cinecut: 1\n{films}\ntimeline: [shot: 1s - 2s]\n")
        specs.append(spec_of(tmp_path / "spec.yaml"))
    base, ours, theirs = specs
    assert merged(base, ours, theirs, ()) == ([], [])
    assert merged(base, theirs, ours, ()) == ([MergedValue(("films", "mine", "crop"), None)], [])


def test_a_film_that_is_not_there_is_named(folder: Path, analysed: Analysed) -> None:
    path = analysed(folder / "gone.yaml", "pilot second")
    path.write_text(path.read_text().replace("file: second.mkv", "file: moved.mkv"))
    refused = cinecut("recut", "gone.yaml", "--no-models", cwd=folder)
    assert refused.returncode == 1
    assert "moved.mkv is not there" in refused.stderr
    assert "cinecut link SPEC FILM --name second" in refused.stderr
