"""Every mistake that a spec can hold is found, at its place and beside all others of the same file.

A file of bad_specs/ says itself what is to be found: a line `# expect: 6:11 bad-time` for each finding, in order.
Where what analysis knows of the film matters, that lies beside it.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cinecut.diagnostics import CODES, Diagnostic, as_text
from cinecut.language.schema import TRAILER, _close, read_schema
from cinecut.render.check import check_spec

FOLDER = Path(__file__).parents[1] / "bad_specs"
SPECS = sorted(FOLDER.glob("*.yaml"))

# What the text of a spec cannot cause: it comes from the media, from the machine or from the command.
FILE_CODES = {  # about files, not specs: tests/proof
    *("title-wrong", "sound-extra"),
    *[
        "shifted-shot",
        "swapped-shot",
        "wrong-picture",
        "wrong-look",
        "wrong-crop",
        "wrong-speed",
        "wrong-transition",
        "flipped",
    ],
    *["black-frame", "stray-frame", "doubled-frame", "lost-frame", "frozen", "flashing", "flashes"],
    *["title-missing", "title-time", "title-short", "title-unsafe", "caption-missing"],
    *[
        "sound-late",
        "line-missing",
        "effect-missing",
        "music-missing",
        "shot-silent",
        "stem-gain",
        "silent",
        "no-sound",
        "one-sided",
    ],
    *["loudness", "true-peak", "clipped", "file-length", "file-shape", "file-tags"],
}
ELSEWHERE = {
    *("not-linked", "unreadable", "no-video", "no-material", "subtitles", "music", "film", "model"),
    *("output", "disk-full", "no-ffmpeg", "ffmpeg", "option", "download", "plugin"),
    *("store", "segments", "locked", "loud-seconds"),
    *FILE_CODES,
}

Finding = tuple[int, int, str]  # line and column from 1, code


def expected(spec: Path) -> list[Finding]:
    text = spec.read_bytes().replace(b"\0", b"").decode("latin-1")  # one of them is UTF-16
    return [
        (int(line), int(column), code) for line, column, code in re.findall(r"# expect: (\d+):(\d+) ([\w-]+)", text)
    ]


def place(diagnostic: Diagnostic) -> Finding:
    assert diagnostic.span is not None, f"no place: {diagnostic}"
    return diagnostic.span.line + 1, diagnostic.span.column + 1, diagnostic.code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the film and the song that the specs name, of which only the bytes matter here, and the
    words of another language."""
    (tmp_path / "film.mp4").write_bytes(b"film")
    (tmp_path / "song.ogg").write_bytes(b"song")
    (tmp_path / "titles.fr.yaml").write_text("NEVER: JAMAIS\nALWAYS: TOUJOURS\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_all_mistakes_are_found(spec: Path, folder: Path) -> None:
    shutil.copy(spec, folder)
    if (known := spec.with_suffix(".known.json")).exists():
        shutil.copy(known, folder)
    found = list(check_spec(Path(spec.name)))
    assert [place(d) for d in found] == expected(spec), "\n".join(as_text(d) for d in found)
    assert found, "a bad spec without a finding"


def test_the_names_say_the_codes() -> None:
    """One file for each code, and more where a code has many causes: `bad_time_timecode.yaml`."""
    codes = {spec.stem.replace("_", "-"): {code for _, _, code in expected(spec)} for spec in SPECS}
    del codes["several"]
    assert [name for name, found in codes.items() if not name.startswith(tuple(found))] == []


def test_every_code_has_a_file() -> None:
    covered = {code for spec in SPECS for _, _, code in expected(spec)}
    assert covered == set(CODES) - ELSEWHERE


def test_a_file_without_a_byte(folder: Path) -> None:
    (folder / "empty.yaml").write_bytes(b"")
    assert [place(d) for d in check_spec(Path("empty.yaml"))] == [(1, 1, "missing-key")]


def test_an_event_of_two_kinds_is_told_both(folder: Path) -> None:
    shutil.copy(FOLDER / "over_determined_event.yaml", folder)
    found = list(check_spec(Path("over_determined_event.yaml")))
    kinds = [set(re.findall("`(.+?)`", each.message)) for each in found]
    assert kinds == [{"shot", "black"}]


def test_no_spec_at_all(folder: Path) -> None:
    (folder / "film.yaml").write_text("cinecut: 1\n", encoding="utf-8")
    missing, directory = list(check_spec(Path("flim.yaml"))), list(check_spec(folder))
    assert [(d.code, d.hints) for d in missing] == [("missing-file", ("did you mean film.yaml?",))]
    assert [d.code for d in directory] == ["unreadable"]


def test_carets_stand_under_the_mistake(folder: Path) -> None:
    """Columns count characters; on a terminal a wide one takes two."""
    text = "cinecut: 1\nfilm: film.mp4\ntimeline:\n  - {card: 日本, snap: beet}\n"
    (folder / "wide.yaml").write_text(text, encoding="utf-8")
    [finding] = check_spec(Path("wide.yaml"))
    assert as_text(finding, text.splitlines()) == (
        "wide.yaml:4:22: error: `snap` cannot be 'beet' [wrong-value]\n"
        "    4 |   - {card: 日本, snap: beet}\n"
        "      |                        ^~~~\n"
        "  hint: did you mean beat?"
    )


def test_a_key_with_two_letters_swapped_is_known() -> None:
    """`form` is `from`, and not `for`."""
    for part in (read_schema(TRAILER), *read_schema(TRAILER)["$defs"].values()):
        keys = list(part.get("properties", {}))
        for key in keys:
            swapped = {key[:at] + key[at + 1] + key[at] + key[at + 2 :] for at in range(len(key) - 1)} - {*keys}
            assert all(_close(each, keys) == [key] for each in swapped), key
