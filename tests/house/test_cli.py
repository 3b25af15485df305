"""The commands as a person or a program calls them: what they print, where, and with which status."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from oracle import Film, Sound
from typer.core import TyperGroup
from typer.main import get_group
from typer.testing import CliRunner

from cinecut import __version__
from cinecut.cli import _MODULES, command_line
from cinecut.diagnostics import Stop, as_text

ROOT = Path(__file__).parents[2]
BUNNY = ROOT / "specs" / "big_buck_bunny.yaml"
BEATS = ROOT / "specs" / "beats.yaml"

GOOD = "cinecut: 1\nfilm: film.mkv   # the whole of it\ntimeline:\n  - shot: 0:00.5 - 0:01\n"
BAD = "cinecut: 1\nfilm: film.mkv\ntimeline:\n  - shot: 0:20 - 0:16\n    spede: 2\n"


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


def cinecut(*arguments: str | Path) -> Done:
    """A command in this process; a Stop is printed as `main` prints it."""
    done = CliRunner().invoke(command_line(), [str(argument) for argument in arguments])
    if isinstance(done.exception, Stop):
        return Done(1, done.stdout, done.stderr + "\n".join(as_text(d) for d in done.exception.diagnostics))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def test_a_command_alone_is_the_one_of_all_commands() -> None:
    """Only the module of the command that is asked for is loaded: none may be missing from the list of modules."""
    everything = get_group(command_line()).commands
    assert set(everything) == {name for names in _MODULES.values() for name in names}
    for name, command in everything.items():
        alone = get_group(command_line(name)).commands[name]
        assert (alone.help, [p.name for p in alone.params]) == (command.help, [p.name for p in command.params])


def helped() -> dict[str, str]:
    """Every command's help, those of groups too."""
    groups = [("", get_group(command_line()))]
    found: dict[str, str] = {}
    for before, group in groups:
        for name, each in group.commands.items():
            if isinstance(each, TyperGroup):
                groups.append((f"{name} ", each))
            else:
                found[before + name] = each.help or ""
    return found


def test_help_fits_a_terminal() -> None:
    """Prose fills the lines of any terminal; what has lines of its own fits into one of 80 columns."""
    for name, text in helped().items():
        *prose, examples = text.split("\n\n")
        assert examples.startswith(("Example:\n  ", "Examples:\n  ")), name
        assert all("cinecut " in line for line in examples.splitlines()[1:]), name
        for block in prose:
            lines = block.split("\n")
            assert len(lines) == 1 or max(map(len, lines)) <= 78, name


def command(*arguments: str | Path) -> list[str]:
    """The same command as a process of its own."""
    return [sys.executable, "-c", "from cinecut.cli import main; main()", *map(str, arguments)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def film(films: Callable[[Film], Film]) -> Path:
    """Two seconds of film with sound."""
    return films(Film(Path("film.mkv"), Fraction(24), 48, size=(320, 180), sound=Sound())).path


# check


def test_check_of_a_good_spec(folder: Path, film: Path) -> None:
    shutil.copy(film, "film.mkv")
    Path("good.yaml").write_text(GOOD, encoding="utf-8")
    done = cinecut("check", "good.yaml")
    assert done.status == 0
    assert done.out == "good.yaml: no mistakes\n"
    assert "note: the film has not been measured" in done.err


def test_check_prints_places_and_hints(folder: Path) -> None:
    Path("bad.yaml").write_text(BAD, encoding="utf-8")
    done = cinecut("check", "bad.yaml")
    assert done.status == 1
    assert done.out == ""
    assert "bad.yaml:5:5: error: `spede` is not known here [unknown-key]\n    5 |     spede: 2\n" in done.err
    assert "      |     ^~~~~\n  hint: did you mean `speed`?\n" in done.err


def test_no_spec_drives_the_terminal(folder: Path) -> None:
    Path("bad.yaml").write_text(
        'cinecut: 1\nfilm: "a\\e[2Jb.mkv"\ntimeline:\n  - {shot: 0 - 1, act: "\\e[1mloud"}\n', encoding="utf-8"
    )
    done = cinecut("check", "bad.yaml")
    assert "a\ufffd[2Jb.mkv is not there" in done.err
    assert "\x1b" not in done.err + cinecut("explain", "bad.yaml").out


def test_check_for_programs(folder: Path) -> None:
    Path("bad.yaml").write_text(BAD, encoding="utf-8")
    done = cinecut("check", "bad.yaml", "--format", "json")
    found = json.loads(done.out)["diagnostics"]
    assert done.status == 1
    assert done.err == ""
    assert [(d["code"], d["severity"], d["place"]["line"], d["place"]["column"]) for d in found] == [
        ("missing-file", "error", 2, 7),
        ("unknown-key", "error", 5, 5),
    ]
    assert found[1]["hints"] == ["did you mean `speed`?"]
    assert found[1]["place"]["file"] == "bad.yaml"


def test_check_of_no_file(folder: Path) -> None:
    done = cinecut("check", "none.yaml")
    assert done.status == 1
    assert done.err == "error: there is no file none.yaml [missing-file]\n"
    assert cinecut("check", "none.yaml", "--format", "xml").err.startswith("error: --format cannot be 'xml'")


# explain


def test_explain_says_who_set_each_value(folder: Path) -> None:
    text = BEATS.read_text(encoding="utf-8").replace("vibe: comedy", "vibe: comedy\noutput: {crf: 20}")
    Path("spec.yaml").write_text(text, encoding="utf-8")
    found = json.loads(cinecut("explain", "spec.yaml", "--json").out)
    by = {row["path"]: (row["value"], row["by"]) for row in found["settings"]}
    assert by["output.crf"] == ("20", "user")
    assert by["output.preset"] == ("medium", "schema")
    assert by["output.size"] == ("1280x720", "film")
    assert by["output.rate"] == ("24", "film")
    assert by["timeline[2].from"] == ("fade in 1 beat", "user")
    assert by["timeline[2].speed"] == ("1", "schema")
    assert by["effects.beat_cut"] == ("tick", "vibe")
    assert {who for _, who in by.values()} == {"user", "vibe", "film", "schema"}


def test_explain_gives_the_timeline_of_both_clocks() -> None:
    rows = json.loads(cinecut("explain", BEATS, "--json").out)["timeline"]
    bird, spring = rows[0], rows[1]
    assert bird["film_in"] == "0:16.000"
    assert bird["film_in_timecode"] == "00:00:16:00"
    assert (bird["trailer_in"], bird["trailer_out_timecode"]) == ("0:00.000", "00:00:03:00")
    assert bird["act"] == "cold open"
    assert (spring["event"][:6], spring["film_in"], spring["beat"]) == ("black_", "", "2:1")
    # 0.48 s and one bar of 4·60/95 s; the frame nearest to it is the 72nd.
    assert spring["offset_ms"] == pytest.approx((3 - (0.48 + 240 / 95)) * 1000, abs=0.001)
    ends = [row["trailer_out"] for row in rows]
    assert ends[:-1] == [row["trailer_in"] for row in rows[1:]]


def test_explain_to_another_program() -> None:
    """One row a line, tabs between, nothing cut off or decorated."""
    lines = cinecut("explain", BUNNY, "--timeline").out.splitlines()
    assert lines[0].split("\t")[:3] == ["number", "event", "act"]
    events = [line.split("\t")[1].rpartition("_")[0] for line in lines[1:]]
    assert events[:3] == ["shot_0m01s", "shot_0m16s", "shot_0m37s"]
    assert len({line.count("\t") for line in lines}) == 1
    values = cinecut("explain", BUNNY, "--values").out.splitlines()
    assert "timeline[9].speed\t0.5\tuser" in values


def test_explain_of_a_bad_spec(folder: Path) -> None:
    Path("bad.yaml").write_text(BAD, encoding="utf-8")
    done = cinecut("explain", "bad.yaml")
    assert (done.status, done.out) == (1, "")
    assert "[unknown-key]" in done.err


# compile


def test_compile_needs_neither_film_nor_ffmpeg(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(BUNNY, "spec.yaml")
    monkeypatch.setenv("CINECUT_FFMPEG", "/nowhere/ffmpeg")
    assert cinecut("compile", "spec.yaml").status == 0
    assert cinecut("compile", "spec.yaml", "-o", "classic", "--syntax", "classic").status == 0
    modern, classic = Path("spec.graph"), Path("classic")
    assert (modern / "trailer.graph").read_bytes() == (classic / "trailer.graph").read_bytes()
    assert " -/filter_complex trailer.graph " in (modern / "command.sh").read_text(encoding="utf-8")
    assert " -filter_complex_script trailer.graph " in (classic / "command.sh").read_text(encoding="utf-8")
    assert len(list(modern.glob("titles_*.ass"))) == 1
    assert {path.suffix for path in (modern / "fonts").iterdir()} == {".ttf"}


def test_compile_replaces_only_what_it_wrote(folder: Path) -> None:
    shutil.copy(BUNNY, "spec.yaml")
    Path("mine").mkdir()
    Path("mine/command.sh").write_text("mine\n", encoding="utf-8")
    assert "mine is there already, and holds no compiled trailer" in cinecut("compile", "spec.yaml", "-o", "mine").err
    assert [(path.name, path.read_text(encoding="utf-8")) for path in Path("mine").iterdir()] == [
        ("command.sh", "mine\n")
    ]
    assert [cinecut("compile", "spec.yaml").status for _ in range(2)] == [0, 0]


def test_compile_refuses(folder: Path) -> None:
    Path("good.yaml").write_text(GOOD, encoding="utf-8")
    done = cinecut("compile", "good.yaml")
    assert done.status == 1
    assert "[not-linked]" in done.err
    assert "cinecut link good.yaml" in done.err
    assert "--syntax cannot be 'old'" in cinecut("compile", "good.yaml", "--syntax", "old").err
    assert [path.name for path in folder.iterdir()] == ["good.yaml"]


# link


def test_link_measures_and_keeps_every_comment(folder: Path, film: Path) -> None:
    shutil.copy(film, "film.mkv")
    text = (
        "# A trailer\ncinecut: 1\nfilm: film.mkv   # the whole of it\ntimeline:   \n\n  - shot: 0:00.5 - 0:01 # short\n"
    )
    Path("spec.yaml").write_text(text, encoding="utf-8")
    done = cinecut("link", "spec.yaml")
    assert (done.status, done.out) == (0, "spec.yaml: 1 file measured\n")
    linked = Path("spec.yaml").read_text(encoding="utf-8")
    head, _, tail = linked.partition("film:\n  file: film.mkv   # the whole of it\n  facts:\n")
    assert (head, tail[tail.index("timeline:") :]) == (text[: text.index("film:")], text[text.index("timeline:") :])
    assert "    size: 320x180\n    rate: 24\n    duration: 2\n" in tail
    assert cinecut("check", "spec.yaml").err == ""
    cinecut("link", "spec.yaml")
    assert Path("spec.yaml").read_text(encoding="utf-8") == linked


def test_link_follows_a_film_that_moved(folder: Path, film: Path) -> None:
    shutil.copy(film, "film.mkv")
    Path("spec.yaml").write_text(GOOD, encoding="utf-8")
    cinecut("link", "spec.yaml")
    Path("the archive").mkdir()
    Path("film.mkv").rename("the archive/it's: a #1.mkv")
    assert "film.mkv is not there" in cinecut("check", "spec.yaml").err
    assert cinecut("link", "spec.yaml", "the archive/it's: a #1.mkv").status == 0
    assert cinecut("check", "spec.yaml").status == 0
    assert "the whole of it" in Path("spec.yaml").read_text(encoding="utf-8")


def test_link_refuses_another_film(folder: Path, film: Path, bundled: Path) -> None:
    """Its times would mean nothing in it."""
    shutil.copy(film, "film.mkv")
    Path("spec.yaml").write_text(GOOD, encoding="utf-8")
    cinecut("link", "spec.yaml")
    before = Path("spec.yaml").read_bytes()
    other = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=9", "other.mkv"]
    subprocess.run([str(bundled), "-v", "error", *other], check=True)
    refused = cinecut("link", "spec.yaml", "other.mkv")
    assert (refused.status, "it is 0:09.000 at 25 frames/s" in refused.err) == (1, True)
    assert Path("spec.yaml").read_bytes() == before
    assert cinecut("link", "spec.yaml", "other.mkv", "--force").status == 0
    assert "other.mkv" in Path("spec.yaml").read_text(encoding="utf-8")


def test_link_reads_timecodes_before_the_rate_is_known(folder: Path, film: Path) -> None:
    """They need the rate that only linking can tell."""
    shutil.copy(film, "film.mkv")
    Path("spec.yaml").write_text(GOOD.replace("0:00.5 - 0:01", "00:00:00:12 - 00:00:01:00"), encoding="utf-8")
    assert "needs the film's rate" in cinecut("check", "spec.yaml").err
    assert cinecut("link", "spec.yaml").status == 0
    assert cinecut("check", "spec.yaml").err == ""


def test_link_keeps_a_symbolic_link_and_the_mode(folder: Path, film: Path) -> None:
    shutil.copy(film, "film.mkv")
    Path("real.yaml").write_text(GOOD, encoding="utf-8")
    Path("real.yaml").chmod(0o640)
    Path("spec.yaml").symlink_to("real.yaml")
    assert cinecut("link", "spec.yaml").status == 0
    assert Path("spec.yaml").is_symlink()
    assert "fingerprint" in Path("real.yaml").read_text(encoding="utf-8")
    assert Path("real.yaml").stat().st_mode & 0o777 == 0o640


def test_link_where_nothing_can_be_written(folder: Path, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only folder; for root, to whom no folder is, a name that is taken."""
    shutil.copy(film, "film.mkv")
    Path("spec.yaml").write_text(GOOD, encoding="utf-8")
    if os.geteuid() == 0:
        monkeypatch.setattr(os, "urandom", bytes)
        Path(f".cinecut-{os.getpid()}-00000000.part").symlink_to("nowhere")
    else:
        folder.chmod(0o555)
    done = cinecut("link", "spec.yaml")
    folder.chmod(0o755)
    assert done.status == 1
    assert "error: spec.yaml cannot be written" in done.err
    assert Path("spec.yaml").read_text(encoding="utf-8") == GOOD


def test_link_to_no_film(folder: Path) -> None:
    Path("spec.yaml").write_text(GOOD, encoding="utf-8")
    Path("film.mkv").write_text("no film at all", encoding="utf-8")
    assert cinecut("link", "spec.yaml").status == 1
    assert "there is no file none.mkv" in cinecut("link", "spec.yaml", "none.mkv").err
    assert cinecut("link", "spec.yaml", folder).status == 1
    assert Path("spec.yaml").read_text(encoding="utf-8") == GOOD


# The program


def test_version_help_and_typing_errors() -> None:
    assert cinecut("--version").out == f"cinecut {__version__}\n"
    help_text = cinecut("--help")
    assert help_text.status == 0
    assert all(name in help_text.out for name in ("check", "explain", "compile", "render", "link", "pack"))
    assert cinecut("--help", "check").out == help_text.out, "of all commands"
    done = cinecut("chek", BUNNY)
    assert done.status == 2
    assert "Did you mean 'check'" in done.err


def test_every_command_has_an_example() -> None:
    for name in ("check", "explain", "compile", "render", "link", "pack"):
        assert f"cinecut {name} " in cinecut(name, "--help").out, name


def test_the_shell_completes_commands() -> None:
    """As bash asks for it, whatever shell runs the tests."""
    asked = {"_CINECUT_COMPLETE": "complete_bash", "COMP_WORDS": "cinecut com", "COMP_CWORD": "1"}
    program = [sys.executable, "-c", "import sys; sys.argv[0] = 'cinecut'; from cinecut.cli import main; main()"]
    done = subprocess.run(program, env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["compile"]


def test_a_failure_is_a_message_and_a_status(folder: Path) -> None:
    """The whole program: no traceback, nothing on the standard output."""
    done = subprocess.run(command("explain", "none.yaml"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: there is no file none.yaml [missing-file]\n"


@pytest.mark.parametrize("words", [f"explain {BUNNY} --json", "vibes", "config", "schema", "--help", "--version"])
def test_a_reader_that_goes_away_is_no_error(words: str) -> None:
    """`cinecut explain SPEC | head -1` says nothing about a broken pipe; its status says it, however short the text."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(command(*words.split()), stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")
