"""Many films looked at: which, what is kept of them, and that nothing but the machine ends the run."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import cinecut
from footage import make_film
from many import ASKED, TITLE, indexed, make_folder

from cinecut.catalogue.index import films_in
from cinecut.catalogue.page import write_report
from cinecut.catalogue.store import Catalogue, begun, locked
from cinecut.catalogue.task import look_into
from cinecut.catalogue.workers.here import Here
from cinecut.diagnostics import Stop


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("many") / "films")


@pytest.fixture(scope="module")
def catalogue(films: Path) -> Path:
    indexed(films, films.parent / "catalogue")
    return films.parent / "catalogue"


def test_one_bad_film_has_its_reason_and_ends_nothing(catalogue: Path) -> None:
    by_name = {Path(path).name: entry for path, entry in Catalogue.load(catalogue).films.items()}
    assert sorted(by_name) == ["broken.mkv", "mute.mp4", "spoken.mkv"]
    assert "no film that can be read" in by_name["broken.mkv"].failed
    assert by_name["mute.mp4"].shots > 3
    assert by_name["spoken.mkv"].texts > 0


def test_a_second_run_does_nothing_again(films: Path, catalogue: Path) -> None:
    def results() -> dict[Path, int]:
        return {file: file.stat().st_mtime_ns for file in catalogue.glob("*/*/*.msgpack")}

    before = results()
    done, looked_at = indexed(films, catalogue)
    assert looked_at == ["broken.mkv"]  # what failed may be whole by now
    assert len(done.films) == 3
    assert results() == before
    assert len(before) == 4


def test_films_of_one_content_have_their_own_names(tmp_path: Path) -> None:
    """The results are kept by content, and hold no name of a film, its song or its subtitles: no other file's is shown
    in its place."""
    (tmp_path / "films").mkdir()
    for name in ("First", "Second"):
        made = make_film(tmp_path / "films" / f"{name}.mkv", 6)
        late = f"\n90\n01:00:00,000 --> 01:00:01,000\n{name}\n"
        made.path.with_suffix(".en.srt").write_text(made.path.with_suffix(".srt").read_text() + late)
        make_film(tmp_path / "films" / f"Silent {name}.mkv", 6, spoken=False)
    done, _ = indexed(tmp_path / "films", tmp_path / "catalogue")
    for film in done.films:
        name = Path(film.path).stem
        assert film.title == name.upper()
        said = " ".join(film.warnings)
        assert f"{name}.en.srt fits" in said or "the film has no subtitles" in said
    silent = [film for film in done.films if "SILENT" in film.title]
    assert len({film.key for film in silent}) == 1  # looked at once


def test_a_damaged_result_is_made_anew(films: Path, catalogue: Path) -> None:
    entry = next(each for each in Catalogue.load(catalogue).whole if each.path.endswith("mute.mp4"))
    file = next(catalogue.glob(f"analysis/*/film-{entry.key}.msgpack"))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(LookupError):
        Catalogue.load(catalogue).result(entry)
    held = Catalogue.load(catalogue)
    held.index = ""
    held.write()
    for folder in catalogue.glob("index-*"):
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()
    done, _ = indexed(films, catalogue)
    assert any("damaged" in each.failed for each in done.films)
    done, _ = indexed(films, catalogue)
    assert [Path(each.path).name for each in done.failed] == ["broken.mkv"]
    assert len(Catalogue.load(catalogue).result(entry).shots) == entry.shots


def test_a_subtitle_file_that_changes_has_its_film_looked_at_again(films: Path, catalogue: Path) -> None:
    subtitles = films / "spoken.srt"
    subtitles.write_text(subtitles.read_text().replace("valley", "village"))
    _, looked_at = indexed(films, catalogue)
    assert sorted(looked_at) == ["broken.mkv", "spoken.mkv"]
    assert len(list(catalogue.glob("analysis/*/*.msgpack"))) == 4  # older results are not kept


def test_a_film_that_is_gone_leaves_the_catalogue(films: Path, catalogue: Path) -> None:
    film = films / "below" / "broken.mkv"
    film.rename(film.with_suffix(".away"))
    try:
        indexed(films, catalogue)
        assert not any("broken" in path for path in Catalogue.load(catalogue).films)
    finally:
        film.with_suffix(".away").rename(film)
        indexed(films, catalogue)


def test_names_that_are_left_out_leave_the_catalogue_until_they_are_not(films: Path, catalogue: Path) -> None:
    done, looked_at = indexed(films, catalogue, "BROKEN", "*/mute.*")
    assert ([Path(each.path).name for each in done.films], looked_at) == (["spoken.mkv"], [])
    assert [Path(path).name for path in Catalogue.load(catalogue).films] == ["spoken.mkv"]
    assert len(indexed(films, catalogue)[0].films) == 3


def test_nothing_outside_the_named_folders_is_a_film(films: Path, tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "leads_out.mkv").symlink_to(films / "spoken.mkv")
    (tmp_path / "named" / "folder_out").symlink_to(films, target_is_directory=True)
    (tmp_path / "named" / "real.mkv").write_bytes(b"")
    (tmp_path / "named" / "inside.mkv").symlink_to(tmp_path / "named" / "real.mkv")
    assert [film.name for film in films_in([tmp_path / "named"])] == ["inside.mkv", "real.mkv"]
    with pytest.raises(Stop):
        list(films_in([tmp_path / "nowhere"]))


def test_folders_without_a_film_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "notes.txt").write_text("none yet")
    done = cinecut("index", "films", "--no-models", cwd=tmp_path)
    assert done.returncode == 0
    assert "there is no film in these folders" in done.stderr


def test_a_run_in_which_every_film_failed_has_failed(tmp_path: Path) -> None:
    for name in ("a.mkv", "b.mkv"):
        (tmp_path / name).write_bytes(b"no film")
    done = cinecut("-q", "index", ".", "--no-models", "-C", "all", cwd=tmp_path)
    assert done.returncode == 1
    assert "error: no film could be indexed" in done.stderr
    told = cinecut("index", ".", "--no-models", "-C", "all", "--json", cwd=tmp_path)
    assert told.returncode == 1
    assert [Path(each["path"]).name for each in json.loads(told.stdout)["films"]] == ["a.mkv", "b.mkv"]


def test_a_folder_that_cannot_be_read_is_in_the_report(tmp_path: Path) -> None:
    entry = look_into(tmp_path, tmp_path / "catalogue", ASKED, lambda stage, share: None)
    assert entry.failed == f"the folder {tmp_path} cannot be read"


def test_a_title_is_only_text_on_the_page(catalogue: Path) -> None:
    page = write_report(Catalogue.load(catalogue)).read_text()
    assert TITLE.upper() not in page
    assert "&lt;SCRIPT&gt;" in page
    assert "no film that can be read" in page
    assert "data:image/jpeg" in page


def test_foreign_folders_are_no_catalogues(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(Stop, match="is no catalogue"), begun(tmp_path):
        pass
    (tmp_path / "catalogue.json").write_text("[1]")
    with pytest.raises(Stop, match="damaged, or of another program"):
        Catalogue.load(tmp_path)


def test_two_runs_do_not_write_one_catalogue(catalogue: Path, films: Path) -> None:
    with locked(catalogue), pytest.raises(Stop, match="another cinecut indexes"):
        indexed(films, catalogue)


class Dying(Here):
    """Its process ends by a signal at a film that is called so."""

    def _start(self) -> subprocess.Popen[bytes]:
        answer = "print(json.dumps({'entry': {'path': task['film'], 'warnings': []}}), flush=True)"
        program = (
            "import json, os, sys\n"
            "for line in sys.stdin:\n"
            "    task = json.loads(line)\n"
            "    if 'too' in task['film']: print('{\"entry\": {', end='', flush=True)\n"
            "    if 'deadly' in task['film']: os.kill(os.getpid(), 11)\n"
            f"    {answer}\n"
        )
        return subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )


def test_a_film_at_which_the_process_dies_costs_only_itself(tmp_path: Path) -> None:
    films = [Path(name) for name in ("first.mkv", "deadly.mkv", "deadly_too.mkv", "last.mkv")]
    entries = list(Dying(tmp_path, ASKED, lambda stage, share: None).each(films))
    assert [entry.path for entry in entries] == [str(film) for film in films]
    assert ["SIGSEGV" in entry.failed for entry in entries] == [False, True, True, False]


def test_the_command_looks_and_finds(films: Path, tmp_path: Path) -> None:
    film = films / "below" / "mute.mp4"
    done = cinecut("index", film, "-C", "all", "--no-models", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["new"] == 1
    assert [Path(each["path"]).name for each in answer["films"]] == ["mute.mp4"]
    assert (tmp_path / "all" / "report.html").is_file()
    found = cinecut("find", "still, bright", "-C", "all", "-n", "2", "--json", cwd=tmp_path)
    hits = json.loads(found.stdout)
    assert len(hits) == 2
    assert hits[0]["score"] >= hits[1]["score"]
    assert {reason["by"] for reason in hits[0]["reasons"]} == {"signals"}
    for words, said in {
        "still, zebra": "none of these shots fits zebra [film]\n  hint: these films have neither lines",
        "still, birght": "none of these shots fits birght [film]\n  hint: did you mean bright?",
        "bright zebra": 'no shot fits bright zebra [no-material]\n  hint: commas part what is looked for: "bright, z',
    }.items():
        assert said in cinecut("find", words, "-C", "all", cwd=tmp_path).stderr
    assert found.stderr == ""
    assert "no shot fits well: the best by 28%" in cinecut("find", "short", "-C", "all", cwd=tmp_path).stderr
    nothing = cinecut("find", "-C", "all", cwd=tmp_path)
    assert nothing.returncode == 1
    assert "nothing is looked for" in nothing.stderr


def test_the_scenes_of_a_film_are_listed(films: Path, tmp_path: Path) -> None:
    done = cinecut("scenes", films / "spoken.mkv", "-o", "list.csv", "--no-models", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    with (tmp_path / "list.csv").open() as file:
        assert [row["lines"] for row in csv.DictReader(file)] == [row["lines"] for row in listed]
    assert sum(bool(row["lines"]) for row in listed) == 4
    unsaid = cinecut("scenes", films / "below" / "mute.mp4", "--no-models", cwd=tmp_path)
    assert "[subtitles]\n  hint: put text subtitles beside the film" in unsaid.stderr
    (tmp_path / "mine.srt").write_text('1\n00:00:01,000 --> 00:00:02,000\n=1+1, "said" he\n')
    mine = ("--subtitles", "mine.srt", "--subtitles-shift", "1", "-o", "mine.csv")
    assert cinecut("scenes", films / "below" / "mute.mp4", "--no-models", *mine, cwd=tmp_path).returncode == 0
    with (tmp_path / "mine.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["lines"], row["in"] < "0:02.5" < row["out"]) for row in rows if row["lines"]] == [
        ('=1+1, "said" he', True)
    ]
    assert all(row["looks"] and not row["scene"] for row in listed)
