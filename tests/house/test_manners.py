"""Manners: what shells complete, terminals show, and programs and code hosts read."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.core
from commandline import COMMAND, cinecut, environment, names, on_a_terminal
from effort import GIVE_UP, effort
from typer.main import get_command

from cinecut.cli import command_line
from cinecut.cli.specs.check import explanations
from cinecut.cli.terminal import Whole
from cinecut.diagnostics import CODES, Report, Stop
from cinecut.language.document import read_document
from cinecut.render.check import check_spec, examine
from cinecut.review.explain import rows

SPECS = Path(__file__).parents[2] / "specs"
BEATS = SPECS / "beats.yaml"
BAD = "cinecut: 1\nfilm: film.mkv\ntimeline:\n  - shot: 0:20 - 0:16\n    spede: 2\n"


# completion


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("cinecut analyze film.mp4 --vibe th", ["thriller"]),
        ("cinecut beats song.ogg --vibe rom", ["romance"]),
        ("cinecut vibes sci", ["sci-fi"]),
        ("cinecut check --format s", ["sarif"]),
        ("cinecut check --explain no-f", ["no-facts", "no-ffmpeg"]),
        (f"cinecut render {SPECS}/sound_and_look.yaml --only v", ["vertical"]),
        ("cinecut models pull m", ["minilm", "mistral"]),
        ("cinecut compile spec.yaml --syntax c", ["classic"]),
        ("cinecut analyze film.mp4 --music jam", ["jamendo"]),
    ],
)
def test_values_complete_in_the_shell(words: str, offered: list[str], tmp_path: Path) -> None:
    def answer(shell: str, **changes: str) -> str:
        return cinecut(cwd=tmp_path, _CINECUT_COMPLETE=f"complete_{shell}", **changes).stdout

    assert sorted(answer("bash", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1)).split()) == offered
    assert sorted(re.findall(r'"([^"]+)"', answer("zsh", _TYPER_COMPLETE_ARGS=words))) == offered


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_what_is_offered(tmp_path: Path) -> None:
    command = f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n'
    (tmp_path / "cinecut").write_text(command, encoding="utf-8")
    (tmp_path / "cinecut").chmod(0o755)
    script = """
        zmodload zsh/zpty; zpty t zsh -f -i; zpty -w t "PS1=; cd $PWD; PATH=$PWD:$PATH"
        zpty -w t 'autoload -U compinit; compinit -u -d ./dump; eval "$(cinecut --show-completion zsh)"; echo ready'
        while zpty -r t line && [[ $line != ready* ]]; do :; done
        zpty -w -n t $'cinecut analyze x --vibe th\\t'; zpty -w -n t $' #\\n'
        while zpty -r t line; do print -r -- $line; [[ $line == *thriller* ]] && break; done
    """
    env = environment(tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}", TERM="dumb")
    done = subprocess.run(
        ["zsh", "-f", "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=GIVE_UP, check=False
    )
    assert "--vibe thriller" in done.stdout, done.stdout + done.stderr


# check of several


def test_check_of_several_specs_of_folders_and_of_stdin(tmp_path: Path) -> None:
    (tmp_path / "specs/deep").mkdir(parents=True)
    good = "cinecut: 1\nfilm: film.mp4\ntimeline: [shot: 0 - 1]\n"
    for name, text in (("a.yaml", good), ("deep/b.yml", BAD), ("other.yaml", "vibe: 1\n"), ("c.txt", BAD)):
        (tmp_path / "specs" / name).write_text(text, encoding="utf-8")
    done = cinecut("check", "specs", "none.yaml", cwd=tmp_path)
    assert done.returncode == 1
    places = [line.partition(" ")[0] for line in done.stderr.splitlines() if line.startswith("specs")]
    assert places == ["specs/a.yaml:2:7:", "specs/deep/b.yml:2:7:", "specs/deep/b.yml:5:5:"]
    assert "error: there is no file none.yaml" in done.stderr
    read = subprocess.run(
        [*COMMAND, "check", "-"], input=BAD, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert read.returncode == 1
    assert "-:5:5: error:" in read.stderr
    assert cinecut("check", tmp_path / "specs" / "deep" / "..", cwd=tmp_path).returncode == 1
    assert cinecut("check", cwd=tmp_path).stderr.startswith("error: there is no spec to check")


@pytest.mark.parametrize(
    "event",
    [
        "  - {shot: 1 - 3, from: crossfade 0.2s, sound: riser, titles: [Words]}   # why\n",
        "  - {act: a, why: b}\n  - {shot: {in: 2, for: 2 beats}, snap: beat, sync: {at: 2.4}, voice: 1 - 2}\n",
        "  - {shot: {in: 1, for: 2x}, spede: 2}\n",
    ],
    ids=["cuts", "beats", "mistakes"],
)
def test_ten_times_the_events_take_ten_times_the_work(event: str, tmp_path: Path) -> None:
    def work(events: int) -> None:
        spec = tmp_path / f"{events}.yaml"
        facts = "{fingerprint: 1-a, size: 64x64, rate: 24, duration: 90}"
        head = f"cinecut: 1\nfilm: {{file: film.mp4, facts: {facts}}}\nmusic: {{beats: {{tempo: 90}}}}\ntimeline:\n"
        spec.write_text(head + events * event, encoding="utf-8")
        assert len(list(check_spec(spec))) >= 1  # there is no film

    work(1)  # what is loaded and kept
    assert effort(lambda: work(300)) < 11 * effort(lambda: work(30))


def test_findings_for_code_hosts(tmp_path: Path) -> None:
    (tmp_path / "bad, one.yaml").write_text(BAD, encoding="utf-8")
    done = cinecut("check", "bad, one.yaml", "--format", "github", cwd=tmp_path)
    first = done.stdout.splitlines()[0]
    assert first.startswith("::error file=bad%2C one.yaml,line=2,col=7,title=cinecut%3A missing-file::")
    assert "%0A" in done.stdout.splitlines()[1]
    sarif = json.loads(cinecut("check", "bad, one.yaml", "--format", "sarif", cwd=tmp_path).stdout)
    (run,) = sarif["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["missing-file", "unknown-key"]
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("bad%2C%20one.yaml", 5)


def test_every_code_has_a_cause_and_a_cure(tmp_path: Path) -> None:
    about = explanations()
    assert list(about) == list(CODES)
    assert {tuple(each) for each in about.values()} == {("cause", "cure")}
    assert all(part.endswith(".") for each in about.values() for part in each.values())
    done = cinecut("check", "--explain", "no-handle", cwd=tmp_path)
    assert done.stdout.startswith("no-handle (error)\n\nA crossfade needs")
    assert cinecut("check", "--explain", "no-handel", cwd=tmp_path).stderr.endswith("hint: did you mean no-handle?\n")


# manners


def test_quiet_leaves_errors_and_results(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BAD, encoding="utf-8")
    for words in (("check", "a.yaml", "-q"), ("-q", "check", "a.yaml"), ("check", "--quiet", "a.yaml")):
        done = cinecut(*words, cwd=tmp_path)
        assert done.returncode == 1
        assert "error:" in done.stderr
    shutil.copy(BEATS, tmp_path / "b.yaml")
    assert cinecut("explain", "b.yaml", "-q", "--values", cwd=tmp_path).stdout != ""
    assert cinecut("check", "a.yaml", "--", "-q", cwd=tmp_path).stderr.count("-q") == 1, "after -- it is a name"


def test_explain_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    """Each event is one row, with its number, its line in the spec and whole times."""
    out = on_a_terminal(tmp_path, "explain", str(BEATS), "--timeline")
    rows = [line for line in out.splitlines() if re.match(r" *\d", line)]
    assert len(rows) == 17
    assert max(map(len, out.splitlines())) <= 80
    assert rows[0].split()[:4] == ["1", "25", "shot", "0:00.000"]


def test_events_have_one_number_wherever_they_are_named() -> None:
    layout = examine(SPECS / "sound_and_look.yaml", Report())
    assert layout is not None
    named = [f"{row.kind} {row.number}" for row in rows(layout)]
    assert named == [placed.name for placed in layout.timeline.events]
    assert [placed.number for placed in layout.timeline.events] == list(range(1, len(named) + 1))
    assert len(named) < len(layout.trailer.spec.timeline), "act markers are no events"


def test_findings_are_coloured_on_a_terminal_alone(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    assert "\x1b[1;31merror:\x1b[0m" in on_a_terminal(tmp_path, "check", "bad.yaml")
    assert "\x1b[" not in on_a_terminal(tmp_path, "check", "bad.yaml", NO_COLOR="1")
    assert "\x1b[" not in cinecut("check", "bad.yaml", cwd=tmp_path).stderr


def test_a_film_in_a_specs_place_is_told_from_it(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    assert "cinecut trailer film.mp4" in cinecut("render", "film.mp4", cwd=tmp_path).stderr


@pytest.mark.matrix
@pytest.mark.parametrize("words", [["check", "bad.yaml"], ["check", "good.yaml"], ["--help"], ["schema"]], ids=" ".join)
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_nothing_else(words: list[str], closed: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    (tmp_path / "good.yaml").write_text("cinecut: 1\nfilm: bad.yaml\ntimeline: [shot: 0 - 1]\n", encoding="utf-8")
    usual = cinecut(*words, cwd=tmp_path)
    line = f"exec {shlex.join([*COMMAND, *words])} {closed}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == usual.returncode
    assert done.stdout == ("" if ">&-" in closed.split() else usual.stdout)
    assert done.stderr == ("" if "2>&-" in closed else usual.stderr)


def test_a_spec_in_a_films_place_is_told_from_it(tmp_path: Path) -> None:
    shutil.copy(BEATS, tmp_path / "spec.yaml")
    for command in ("analyze", "trailer"):
        assert "cinecut render spec.yaml renders it" in cinecut(command, "spec.yaml", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("watch film.mp4", "cinecut trailer film.mp4 cuts a trailer of it"),
        ("analyze fil.mp4", "did you mean film.mp4?"),
        ("beats sing.wav", "did you mean song.wav?"),
        ("shots s.yaml", "cinecut render s.yaml renders it"),
        ("conform s.yaml film.mp4", "cinecut render s.yaml renders it"),
        ("analyze card.png", "it is a picture: in a spec's timeline, `still: FILE` shows one"),
        ("analyze notes.txt", "it is a text"),
        ("beats notes.txt", "it is a text"),
        ("kits film.mp4", "cinecut kits KIT FILE tests a file against a kit"),
        ("vibes film.mp4", "cinecut vibes VIBE --still FILM@TIME shows a frame"),
        ("analyze https://example.org/film.mp4", "this is an address"),
        ("fmt other.yaml", "a spec begins with cinecut: 1"),
        ("edit s.yaml trim 1", "cinecut edit SPEC trim EVENT --out 0:19.5"),
        ("edit slip s.yaml 1 12f", "hint: cinecut edit s.yaml slip 1 12f\n"),
        ("edit 1 slip s.yaml 12f", "hint: cinecut edit s.yaml slip 1 12f\n"),
        ("edit s.yaml 1 slip 12f", "hint: cinecut edit s.yaml slip 1 12f\n"),
    ],
)
def test_one_thing_in_anothers_place_is_told_from_it(words: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("cinecut: 1\nfilm: film.mp4\ntimeline:\n  - shot: 0:01 - 0:02\n")
    for name in ("film.mp4", "song.wav"):
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftypisom")
    (tmp_path / "notes.txt").write_text("Très long notes on the film. " * 50, encoding="utf-8")
    (tmp_path / "card.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "other.yaml").write_text('services:\n    web: {ports: [ "80:80" ]}\n', encoding="utf-8")
    before = names(tmp_path)
    done = cinecut(*words.split(), cwd=tmp_path)
    assert (done.returncode, said in done.stderr, names(tmp_path)) == (1, True, before), done.stderr


def test_a_film_that_moved_is_said_alike_and_no_other_kind_of_file_is_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("cinecut: 1\nfilm: film.mp4\ntimeline:\n  - shot: 0:01 - 0:02\n")
    for name in ("film.xml", "film.otio", "film.edl", "film.fcpxml", "film.html"):
        (tmp_path / name).write_text("as export writes it beside the film")
    (tmp_path / "film.pack").mkdir()
    for command in ("check", "link", "sheet", "render"):
        said = cinecut(command, "s.yaml", cwd=tmp_path).stderr
        assert "film.mp4 is not there [missing-file]" in said, said
        assert "relink a film that moved: cinecut link SPEC FILM" in said, said
        assert "did you mean" not in said, said
    (tmp_path / "film.mkv").write_bytes(b"\x1a\x45\xdf\xa3")
    assert "did you mean film.mkv?" in cinecut("link", "s.yaml", cwd=tmp_path).stderr


@pytest.mark.skipif(not hasattr(typer.core, "build_runtime_param"), reason="a Typer that reads words by itself")
@pytest.mark.parametrize(
    "words",
    [
        *("link -", "edit - set mix.music -3", "swap - 1", "undo -", "log -", "recut -", "watch -", "lock -", "why -"),
        *("pack -", "compile -", "export - --to otio", "sheet -", "analyze -", "trailer -", "schema -o -", "index -"),
        *("analyze film.mp4 --music -", "verify s.yaml -", "mcp -", "config -"),
    ],
)
def test_what_reads_no_pipe_says_so(words: str, tmp_path: Path) -> None:
    """Nor is an empty word a name, as a variable without a value leaves it."""
    shutil.copy(BEATS, tmp_path / "s.yaml")
    for word, said in (("-", "- is no file"), ("", "the name of the file is empty")):
        done = cinecut(*(word if each == "-" else each for each in words.split()), cwd=tmp_path)
        assert (done.returncode, said in done.stderr, names(tmp_path)) == (2, True, ["s.yaml"]), done.stderr


def test_a_pipe_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with BEATS.open(encoding="utf-8") as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert read_document(Path("-"), Report()).root is not None
        with pytest.raises(Stop, match="has been read: this needs a file"):
            read_document(Path("-"), Report())


def test_what_reads_a_pipe_does(tmp_path: Path) -> None:
    for words in ("fmt -", f"diff - {BEATS}", "explain -"):
        done = subprocess.run([*COMMAND, *words.split()], input=BEATS.read_bytes(), capture_output=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_no_help_loses_what_stands_in_brackets() -> None:
    commands = [get_command(command_line())]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        texts = [command.help, *(getattr(each, "help", None) for each in command.params)]
        styles = [text for text in texts if text and re.search(r"\[[a-z#/@]", text)]
        assert styles == [], "the printer of help takes these for styles"


@pytest.mark.parametrize("length", ["", "abc", "-5", "1e309", "nan", "36f", "1/0", "0x10", "²", "9" * 5000])
def test_a_length_that_is_none_is_said_briefly(length: str, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    said = cinecut("analyze", "film.mp4", f"--length={length}", cwd=tmp_path).stderr
    assert said.startswith("error: --length ")
    assert len(said) < 200


def test_all_that_is_wrong_with_the_options_is_said_at_once(tmp_path: Path) -> None:
    """So is a spec that is there already."""
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    shutil.copy(BEATS, tmp_path / "s.yaml")
    wrong = {"--length": "-5", "--tempo": "x", "--vibe": "horor", "--structure": "no", "--subtitles-shift": "a"}
    wrong |= {"--subtitles-rate": "0", "--credits": "no.txt", "--music": "no.ogg"}
    done = cinecut(*sum(wrong.items(), ("analyze", "film.mp4", "--subtitles", "no.srt", "-o", "s.yaml")), cwd=tmp_path)
    assert done.stderr.count("error: ") == len(wrong) + 2, done.stderr
    for said in ("--length", "--tempo", "horor", "'no'", "-shift a", "-rate 0", "no.txt", "no.ogg", "no.srt"):
        assert said in done.stderr
    assert "s.yaml is there already" in done.stderr
    for option in ("--subtitles-shift", "--subtitles-rate", "--credits"):
        del wrong[option]
    done = cinecut(*sum(wrong.items(), ("recut", "s.yaml", "--subtitles", "no.srt", "-o", "s.yaml")), cwd=tmp_path)
    assert done.stderr.count("error: ") == len(wrong) + 2, done.stderr
    assert names(tmp_path) == ["film.mp4", "s.yaml"]


@pytest.mark.parametrize(
    "words",
    [
        "analyze film.mp4 -o",
        "sheet s.yaml -o",
        "conform film.mp4 film.mp4 -o",
        "schema -o",
        "export s.yaml --to otio -o",
    ],
)
def test_a_folder_in_a_files_place_is_one_though_it_is_not_there(words: str, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    shutil.copy(BEATS, tmp_path / "s.yaml")
    done = cinecut(*words.split(), "new/", cwd=tmp_path)
    assert (done.returncode, names(tmp_path)) == (2, ["film.mp4", "s.yaml"])
    assert "'new/' is a folder, not a file" in done.stderr


@pytest.mark.parametrize("command", ["schema", "compile spec.yaml", "explain spec.yaml"])
def test_a_full_stdout_and_an_absent_folder_are_said(command: str, tmp_path: Path) -> None:
    shutil.copy(BEATS, tmp_path / "spec.yaml")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *command.split()], cwd=tmp_path, env=environment(tmp_path), stdout=full, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (1, b"error: No space left on device [output]\n")
    absent = cinecut("schema", "-o", "none/here.json", cwd=tmp_path).stderr
    assert absent.startswith(f"error: there is no folder {tmp_path / 'none'} [missing-file]\n")
    for words in ("shots no.mkv -o none/a.csv", "beats no.wav --click none/a.wav", "recut no.yaml -o none/a.yaml"):
        assert cinecut(*words.split(), cwd=tmp_path).stderr.startswith(absent.splitlines()[0])  # before all else


@pytest.mark.parametrize("digits", ["9" * 5000, "²", "0"])
def test_a_terminal_of_no_size_is_one_of_the_usual(digits: str, tmp_path: Path) -> None:
    wide, usual = (cinecut("vibes", cwd=tmp_path, COLUMNS=columns) for columns in (digits, "80"))
    assert (wide.returncode, wide.stdout) == (0, usual.stdout)


def test_a_schema_is_written_over_nothing_but_a_schema(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").write_bytes(b"mine")
    assert "is there already" in cinecut("schema", "-o", "film.mkv", cwd=tmp_path).stderr
    assert (tmp_path / "film.mkv").read_bytes() == b"mine"
    assert not any(cinecut("schema", "-o", "a.json", cwd=tmp_path).returncode for _ in range(2))


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("check", {"diagnostics"}),
        ("explain", {"settings", "timeline"}),
        ("compile", {"folder", "frames", "seconds", "inputs"}),
    ],
)
def test_programs_read_json(words: str, keys: set[str], tmp_path: Path) -> None:
    shutil.copy(BEATS, tmp_path / "spec.yaml")
    assert json.loads(cinecut(words, "spec.yaml", "--json", cwd=tmp_path).stdout).keys() == keys


@pytest.mark.parametrize(
    "words",
    ["explain bad.yaml", "render none.yaml", "edit bad.yaml slip 1 1s", "find day", "analyze none.mp4", "why bad.yaml"],
)
def test_programs_read_why_a_command_failed(words: str, tmp_path: Path) -> None:
    """One JSON value, as check prints it, and for people the same as ever."""
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    usual, done = (cinecut(*words.split(), *more, cwd=tmp_path) for more in ((), ("--json",)))
    assert (done.returncode, done.stderr, usual.stdout) == (1, usual.stderr, "")
    found = json.loads(done.stdout)["diagnostics"]
    assert [f"[{each['code']}]" for each in found] == re.findall(r"(?<= )\[[\w-]+\]$", done.stderr, re.M)
    assert all(each["message"] in done.stderr and each["severity"] == "error" for each in found)


def test_the_whole_goes_on_by_its_stages_shares_and_never_back() -> None:
    whole = Whole({"first": 10, "second": 30, "third": 60})
    steps = [("first", 0.5), ("third", 0), ("second", 1), ("unforeseen", 1), ("third", 0.5), ("first", 1), ("third", 1)]
    assert [whole.after(*step) for step in steps] == [0.05, 0.4, 0.4, 0.4, 0.7, 0.7, 1]
    alone = Whole({})
    assert [alone.after("this", 1), alone.after("that", 0.5)] == [1, 0.5]
