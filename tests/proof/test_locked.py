"""A lock says what a trailer was made of: the same is rendered again, anything else is refused, and `why` names it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from commandline import cinecut, needs_name
from oracle import Film, Sound

SPEC = """cinecut: 1
film: film.mp4
output: {size: 160x90, preset: ultrafast}
timeline:
  - shot: {in: 1s, for: 30f}
  - shot: {in: 4s, for: 30f}
    titles: [Soon]
  - shot: {in: 7s, for: 30f}
    gain: -3
"""


@pytest.fixture(scope="module")
def locked(films: Callable[[Film], Film], once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    film = films(Film(Path("a.mp4"), Fraction(24), 240, (160, 90), gop=12, sound=Sound()))

    def make(folder: Path) -> None:
        (folder / "film.mp4").write_bytes(film.path.read_bytes())
        (folder / "a.yaml").write_text(SPEC, encoding="utf-8")
        assert cinecut("lock", "a.yaml", cwd=folder).returncode == 0

    return once("locked", make)


@pytest.fixture
def folder(locked: Path, tmp_path: Path) -> Path:
    """A copy of each test's own: a lock holds wherever the same files lie."""
    return shutil.copytree(locked, tmp_path, dirs_exist_ok=True)


def why(folder: Path, *words: str) -> list[tuple[str, list[str]]]:
    """Each part that would be rendered anew, its events or `sound`, and the causes, with their lines."""
    found = json.loads(cinecut("why", *(words or ("a.yaml",)), "--json", cwd=folder).stdout)["anew"]
    return [
        (
            ", ".join(each.get("events", [each["part"]])),
            [
                f"{cause['what']}" + (f" @{cause['place']['line']}" if cause["place"] else "")
                for cause in each["because"]
            ],
        )
        for each in found
    ]


def change(folder: Path, old: str, new: str) -> None:
    text = (folder / "a.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "a.yaml").write_text(text.replace(old, new), encoding="utf-8")


def test_the_same_is_rendered_and_locked_again(folder: Path) -> None:
    before = (folder / "a.yaml.lock").read_bytes()
    done = cinecut("render", "a.yaml", "--locked", "-o", "a.mp4", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert why(folder) == []
    change(folder, "timeline:", "# a remark\ntimeline:")
    assert cinecut("render", "a.yaml", "--locked", "-f", "-o", "a.mp4", cwd=folder).returncode == 0
    assert cinecut("lock", "a.yaml", cwd=folder).returncode == 0
    assert (folder / "a.yaml.lock").read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "anew"),
    [
        ("{in: 4s, for: 30f}", "{in: 5s, for: 30f}", [("shot 2", "slipped, in 0:04.000 → 0:05.000 @6"), ("sound", "")]),
        ("[Soon]", "[Now]", [("shot 2", "shot 2: 'Soon' → 'Now' @7")]),
        ("gain: -3", "gain: -6", [("sound", "shot 3: gain -3 → -6 dB @9")]),
        (
            "ultrafast",
            "superfast",
            [(f"shot {n}", "output: preset ultrafast → superfast @3") for n in (1, 2, 3)],
        ),
        ("  - shot: {in: 7s, for: 30f}\n    gain: -3\n", "", [("sound", "shot 3 is gone")]),
        ("ultrafast", "ultrafast, title: A trailer", [("tags", "output: title none → A trailer @3")]),
    ],
    ids=["shot", "title", "gain", "output", "gone", "tags"],
)
def test_what_an_edit_changes_is_refused_and_named(
    folder: Path, old: str, new: str, anew: list[tuple[str, str]]
) -> None:
    change(folder, old, new)
    refused = cinecut("render", "a.yaml", "--locked", "-o", "a.mp4", cwd=folder)
    assert refused.returncode == 1
    assert "[locked]" in refused.stderr
    assert not (folder / "a.mp4").exists()
    found = why(folder)
    for part, cause in anew:
        assert any(part in name and cause in " ".join(causes) for name, causes in found), found
    kinds = {name in ("sound", "tags") and name for name, _ in found}
    assert kinds == {part in ("sound", "tags") and part for part, _ in anew}, found


def test_another_medium_and_another_build(folder: Path, ffmpeg: Path) -> None:
    """The medium's bytes are others where no fingerprint looks, too."""
    done = cinecut("render", "a.yaml", "--locked", "-o", "a.mp4", "--ffmpeg", str(ffmpeg), cwd=folder)
    other_build = "FFmpeg's version" in done.stderr
    assert done.returncode == int(other_build)
    with (folder / "film.mp4").open("ab") as film:
        film.write(b"\0" * 9)
    refused = cinecut("render", "a.yaml", "--locked", "-o", "b.mp4", cwd=folder)
    assert "the medium film.mp4 is another" in refused.stderr
    assert any("film.mp4 is another file @2" in cause for _, causes in why(folder) for cause in causes)


def test_two_locks(folder: Path) -> None:
    (folder / "old.lock").write_bytes((folder / "a.yaml.lock").read_bytes())
    change(folder, "[Soon]", "[Now]")
    assert cinecut("lock", "a.yaml", "-o", "a.mp4", cwd=folder).returncode == 0
    assert (folder / "a.mp4").exists()
    [(part, causes)] = why(folder, "old.lock", "a.yaml.lock")
    assert "shot 2" in part
    assert "shot 2: 'Soon' → 'Now'" in causes[0]


def test_a_lock_names_any_file(folder: Path) -> None:
    name = "a\x7f\x85\u2028\ufeff\U0001f3ac'b"
    needs_name(name)
    (folder / "film.mp4").rename(folder / f"{name}.mp4")
    (folder / "a.yaml").rename(folder / f"{name}.yaml")
    (folder / f"{name}.yaml").write_text(SPEC.replace("film.mp4", json.dumps(f"{name}.mp4")), encoding="utf-8")
    assert cinecut("lock", f"{name}.yaml", cwd=folder).returncode == 0
    assert why(folder, f"{name}.yaml") == []


@pytest.mark.parametrize("text", ["", "lock: 2\n", "lock: 1\n", "[", "lock: 1\ncinecut: 3\nspec: 4\n"])
def test_what_is_no_lock(folder: Path, text: str) -> None:
    (folder / "a.yaml.lock").write_text(text, encoding="utf-8")
    for command in (("why", "a.yaml"), ("render", "a.yaml", "--locked", "-o", "a.mp4")):
        done = cinecut(*command, cwd=folder)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr


def test_a_lock_alone_is_compared_with_nothing(folder: Path) -> None:
    done = cinecut("why", "a.yaml.lock", cwd=folder)
    assert (done.returncode, "[option]" in done.stderr) == (1, True)


def test_no_lock_yet(folder: Path) -> None:
    (folder / "a.yaml.lock").unlink()
    for command in (("why", "a.yaml"), ("render", "a.yaml", "--locked", "-o", "a.mp4")):
        done = cinecut(*command, cwd=folder)
        assert done.returncode == 1
        assert done.stderr.startswith("error: a.yaml has no lock [missing-file]\n  hint: cinecut lock a.yaml writes it")
