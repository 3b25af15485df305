"""A new cut keeps what a hand did, to the byte, and lies on the new song's beats."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut
from footage import make_film, song
from oracle import BUNDLED

from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.request import Request
from cinecut.diagnostics import Report, Stop
from cinecut.edits.recut.merging import Recut, RecutOptions, Version, recut
from cinecut.known.record import timeline_digest
from cinecut.language.document import parse_document, plain
from cinecut.language.events import ActMarker, Card, Shot
from cinecut.vibes import load_vibe

LONG, SHORT = Fraction(25), Fraction(16)


def version(text: str) -> Version:
    return Version.of(parse_document(Path("spec.yaml"), text, Report()))


def is_right(text: str) -> bool:
    try:
        version(text)
    except Stop:
        return False
    return True


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, analyses: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("studio")
    make_film(folder / "film.mkv")
    for name, tempo, metre in (("slow", 96, 4), ("fast", 141, 3)):
        song(folder / f"{name}.wav", np.arange(0.4, 60, 60 / tempo), metre)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        yield folder


@pytest.fixture(scope="module")
def made(studio: Path) -> Callable[[str, str, Fraction], Analysis]:
    """An analysis of the film with a song, in a vibe, of a length; each is made once."""
    kept: dict[tuple[str, str, Fraction], Analysis] = {}

    def analysis(tune: str, vibe: str, length: Fraction) -> Analysis:
        if (tune, vibe, length) not in kept:
            file = studio / f"{tune}.wav"
            request = Request(studio / "film.mkv", studio / "spec.yaml", load_vibe(vibe), music=file, length=length)
            kept[tune, vibe, length] = analyze(request, lambda stage, done: None)
        return kept[tune, vibe, length]

    return analysis


Made = Callable[[str, str, Fraction], Analysis]


def blocks(text: str) -> list[str]:
    """The entries of a timeline that analyze wrote, each with its rows."""
    timeline = text[text.index("\ntimeline:\n") + 11 :]
    return [block for block in re.split(r"(?m)^(?=  - |  #)", timeline) if block.strip()]


def touch(block: str, number: int, dice: random.Random) -> str:
    kind = dice.randrange(5)
    if kind == 0:
        return f"  # a remark of mine, number {number}\n{block}"
    if kind == 1 and "for: " in block and "sync: " not in block:
        return re.sub(r"for: [\d.]+ beats?", f"for: {dice.randrange(1, 9)} beats", block, count=1).rstrip() + (
            f"   # longer {number}\n"
        )
    if kind == 2 and "- shot" in block:
        return block.rstrip("\n") + f"\n    titles: [Title {number}]\n"
    if kind == 3 and "- shot" in block and "sync: " not in block:
        return re.sub(r"for: [\d.]+ beats?", "for: 1.37s", block, count=1)
    return block.rstrip("\n") + f"\n    why: 'because {number}'\n"


@pytest.mark.matrix(2)
@pytest.mark.parametrize("seed", range(12))
def test_every_touched_entry_is_kept_to_the_byte_and_all_others_are_on_the_beats(
    seed: int, studio: Path, made: Made
) -> None:
    dice = random.Random(seed)
    base = made("slow", dice.choice(["thriller", "drama"]), LONG)
    text = base.text
    entries = [block for block in blocks(text) if "- act" not in block]
    chosen = dice.sample(range(len(entries)), dice.randrange(1, max(2, len(entries) // 2)))
    hands = dict[int, str]()
    for number in chosen:
        block = touch(entries[number].rstrip("\n") + "\n", number, dice)
        touched = text.replace(entries[number].rstrip("\n") + "\n", block, 1)
        if touched != text and is_right(touched):  # a length may be too short for the transitions at its ends
            hands[number], text = block, touched
    assert hands
    theirs = made("fast", dice.choice(["thriller", "action"]), dice.choice([LONG, SHORT]))
    result = recut(version(base.text), version(text), version(theirs.text), RecutOptions())
    for block in hands.values():
        assert _without_joints(_without_cue(block)) in _without_joints(_without_cue(result.text))
    _check_beats(result.text, list(hands.values()))
    order = [result.text.index(_own_row(block)) for _, block in sorted(hands.items())]
    assert order == sorted(order)


def _own_row(block: str) -> str:
    return next((row for row in block.splitlines() if "remark of mine" in row), block.splitlines()[0])


def _check_beats(text: str, by_hand: list[str]) -> None:
    """Every event begins on a beat, but a hand's; and one that follows a hand's, if no event before that can give way:
    then it ends on one."""
    found = version(text)
    grid, after_hand = found.layout.timeline.grid, False
    assert grid is not None
    for item in found.items:
        if item.placed is not None:
            start = item.placed.start
            mine = any(_without_cue(item.rows) in _without_cue(block) for block in map(textwrap.dedent, by_hand))
            on_beat = abs(grid.nearest_line(start, "beat") - start) < Fraction(1, 10_000)
            assert mine or on_beat or (after_hand and "snap: beat" in item.rows), item.rows
            after_hand = mine


def _without_joints(text: str) -> str:
    """Without the transitions: no hand wrote one here, and one that its new neighbours do not allow is taken out."""
    return re.sub(r"(?m)^ +(?:from|to): .*\n", "", text)


def _without_cue(rows: str) -> str:
    return "\n".join(row for row in rows.strip().splitlines() if "cue:" not in row)


def test_a_new_analysis_that_finds_the_same_changes_no_byte(made: Made) -> None:
    text = made("slow", "thriller", LONG).text.replace("card: FILM", "card: MINE   # of mine")
    text = text.replace("zone: begin\n", "zone: begin\n\n    # a remark\n", 1).replace("\n", "\r\n")
    base = version(made("slow", "thriller", LONG).text)
    wish = RecutOptions(before=timeline_digest(base.spec.timeline))
    assert recut(base, version(text), base, wish).text == text


def as_json(text: str) -> str:
    """A spec as programs write it: YAML in brackets, all on one line."""
    tree = plain(parse_document(Path("spec.yaml"), text, Report()).root)
    return json.dumps(tree, default=float)


def indented(text: str, by: int) -> str:
    """With its timeline further in, or not at all."""
    head, timeline = text.split("\ntimeline:\n")
    rows = [" " * (2 + by) + row.removeprefix("  ") if row.strip() else row for row in timeline.splitlines()]
    return f"{head}\ntimeline:\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize("form", [as_json, lambda text: indented(text, 2), lambda text: indented(text, -2)])
def test_a_spec_keeps_its_form(form: Callable[[str], str], made: Made) -> None:
    base, theirs = made("slow", "thriller", LONG), made("fast", "action", SHORT)
    text = form(base.text.replace("card: FILM", "card: MINE"))
    result = recut(version(base.text), version(text), version(theirs.text), RecutOptions())
    assert len(result.kept) == 1
    found, wanted = version(result.text).spec, theirs.spec
    assert found.music == wanted.music
    assert [entry.card for entry in found.timeline if isinstance(entry, Card)] == ["MINE"]
    assert len(found.timeline) == len(wanted.timeline)
    assert ("\n" in result.text.split("timeline")[0]) == ("\n" in text.split("timeline")[0])


def test_what_a_hand_took_out_does_not_come_back(made: Made) -> None:
    base = made("slow", "thriller", LONG)
    shots = [item for item in version(base.text).items if item.kind == "shot"]
    gone = shots[2]
    text = base.text.replace("\n".join(f"  {row}" for row in gone.rows.splitlines()) + "\n", "")
    assert text != base.text
    result = recut(version(base.text), version(text), version(made("fast", "thriller", LONG).text), RecutOptions())
    assert gone.film is not None
    for item in version(result.text).items:
        if item.film is not None:
            assert min(item.film.end, gone.film.end) - max(item.film.start, gone.film.start) <= Fraction(1, 10)
    again = recut(version(result.wrote), version(result.text), version(base.text), RecutOptions())
    assert not [i for i in version(again.text).items if i.film is not None and i.film.start == gone.film.start]


def test_settings_are_merged_and_a_conflict_is_said(made: Made) -> None:
    base, theirs = made("slow", "thriller", LONG), made("fast", "action", LONG)
    mix = re.search(r"(?m)^mix: .*$", base.text)
    assert mix is not None
    text = base.text.replace(mix[0], mix[0].replace("splice: 0.005s", "splice: 0.02s"))
    text = text.replace("\nvibe: thriller", "\nvibe: horror   # mine")
    result = recut(version(base.text), version(text), version(theirs.text), RecutOptions())
    new, wanted = version(result.text).spec, theirs.spec
    assert new.music == wanted.music
    assert new.vibe is not None
    assert new.vibe.base == "horror"
    assert (new.mix.splice, new.mix.music) == (version(text).spec.mix.splice, wanted.mix.music)
    assert "vibe.base: yours is 'horror', the new analysis says 'action': yours stays" in result.conflicts
    asked = recut(version(base.text), version(text), version(theirs.text), RecutOptions(asked={("vibe", "base")}))
    assert "\nvibe: action   # mine\n" in asked.text


def test_one_act_alone(made: Made) -> None:
    base, theirs = made("slow", "thriller", LONG), made("slow", "action", LONG)
    result = recut(version(base.text), version(base.text), version(theirs.text), RecutOptions(act="act 3"))
    before, after = (
        [item.rows for item in version(text).items if item.act != "act 3"] for text in (base.text, result.text)
    )
    assert before == after
    assert version(result.text).spec.music == base.spec.music
    with pytest.raises(Stop, match="no act 'act 9'"):
        recut(version(base.text), version(base.text), version(theirs.text), RecutOptions(act="act 9"))


def test_without_what_analyze_wrote_everything_is_kept(made: Made) -> None:
    text, theirs = made("slow", "thriller", LONG).text, made("fast", "action", LONG)
    result = recut(None, version(text), version(theirs.text), RecutOptions())
    kept = {item.key for item in version(text).items if not isinstance(item.entry, ActMarker) and not _cue(item.entry)}
    assert kept <= {item.key for item in version(result.text).items}
    marked = text.replace("zone: begin\n", "zone: begin\n    keep: true\n", 1)
    only = recut(None, version(marked), version(theirs.text), RecutOptions(only_kept=True))
    assert _by_keep(only) == 1
    assert len(only.kept) == 1


def _cue(entry: object) -> bool:
    return getattr(entry, "cue", None) is not None


def _by_keep(result: Recut) -> int:
    return sum(isinstance(each, Shot) and each.keep for each in version(result.text).spec.timeline)


def test_the_music_ends_where_the_new_cut_has_its_title(made: Made) -> None:
    """The card's words are the hand's, the cue of the old song is not."""
    base, theirs = made("slow", "thriller", LONG), made("fast", "thriller", LONG)
    text = base.text.replace("card: FILM", "card: MINE")
    result = recut(version(base.text), version(text), version(theirs.text), RecutOptions())
    [mine] = [entry for entry in version(result.text).spec.timeline if isinstance(entry, Card)]
    [new] = [entry for entry in theirs.spec.timeline if isinstance(entry, Card)]
    assert mine.card == "MINE"
    assert mine.cue is not None
    assert new.cue is not None
    assert replace(mine.cue, facts=None) == replace(new.cue, facts=None)


def test_the_command(studio: Path, own_analyses: Path, tmp_path: Path) -> None:
    for name in ("film.mkv", "film.srt", "slow.wav", "fast.wav"):
        shutil.copy(studio / name, tmp_path)
    cache = {"CINECUT_CACHE_DIR": str(own_analyses)}  # of its own, since a part of it is cleared
    spec, options = tmp_path / "spec.yaml", ("--no-models", "--vibe", "thriller", "--length", "25s")
    done = cinecut("analyze", "film.mkv", "--music", "slow.wav", *options, "-o", "spec.yaml", cwd=tmp_path, **cache)
    assert done.returncode == 0, done.stderr
    before = spec.read_text(encoding="utf-8").replace("card: FILM", "card: MINE   # my film")
    spec.write_text(before, encoding="utf-8")
    asked = ("recut", "spec.yaml", "--music", "fast.wav", "--length", "16s", "--no-models")
    dry = cinecut(*asked, "--dry-run", "--json", cwd=tmp_path, **cache)
    assert dry.returncode == 0, dry.stderr
    said = json.loads(dry.stdout)
    assert (said["written"], len(said["kept"])) == (False, 1)
    assert spec.read_text(encoding="utf-8") == before
    done = cinecut(*asked, cwd=tmp_path, **cache)
    assert done.returncode == 0, done.stderr
    assert "'MINE'" in done.stdout
    assert cinecut("undo", "spec.yaml", cwd=tmp_path, **cache).returncode == 0
    assert spec.read_text(encoding="utf-8") == before
    assert cinecut("redo", "spec.yaml", cwd=tmp_path, **cache).returncode == 0
    text = spec.read_text(encoding="utf-8")
    assert "card: MINE   # my film" in text
    assert "fast.wav" in text
    assert cinecut("check", "--strict", "spec.yaml", cwd=tmp_path, **cache).returncode == 0
    cinecut("cache", "--clear", "known", cwd=tmp_path, **cache)
    blind = cinecut("recut", "spec.yaml", "--length", "40s", "--no-models", cwd=tmp_path, **cache)
    assert "the spec as analyze wrote it is missing" in blind.stderr
    assert "and not 40 s: events that you edited keep" in blind.stderr


@pytest.mark.parametrize(
    ("music", "vibes"), [([], ("drama", "action")), (["--music", "fast.wav"], ("thriller", "drama"))]
)
def test_an_act_in_another_vibe_is_cut_on_the_beats_that_stay(
    music: list[str], vibes: tuple[str, str], studio: Path, analyses: Path, tmp_path: Path
) -> None:
    """A vibe expects another tempo of a pulse, or octave of a song's; what is heard is the spec's own."""
    for name in ("film.mkv", "film.srt", "fast.wav"):
        shutil.copy(studio / name, tmp_path)
    cache, spec = {"CINECUT_CACHE_DIR": str(analyses)}, tmp_path / "spec.yaml"
    asked = ("film.mkv", *music, "--vibe", vibes[0], "--length", "25s", "--no-models", "-o", "spec.yaml")
    assert cinecut("analyze", *asked, cwd=tmp_path, **cache).returncode == 0
    before = version(spec.read_text(encoding="utf-8"))
    done = cinecut("recut", "spec.yaml", "--act", "act 3", "--vibe", vibes[1], "--no-models", cwd=tmp_path, **cache)
    after = version(spec.read_text(encoding="utf-8"))
    assert done.returncode == 0, done.stderr
    assert after.spec.music == before.spec.music
    ends = [each.layout.timeline.events[-1].end for each in (before, after)]
    assert abs(ends[1] - ends[0]) < 4  # seconds: acts of two vibes are not as long
    said = cinecut("check", "spec.yaml", cwd=tmp_path, **cache).stderr
    assert not any(code in said for code in ("film-cut", "same-shot", "chopped-line")), said


@pytest.mark.parametrize(("music", "told", "then"), [([], (90, 90), (62, 62)), (["fast.wav"], (70, 70.5), (141, 141))])
def test_a_tempo_is_told_and_stays(
    music: list[str], told: tuple[int, float], then: tuple[int, float], studio: Path, analyses: Path, tmp_path: Path
) -> None:
    """Of a song it names the octave; its exact tempo is measured."""
    for name in ("film.mkv", "film.srt", "fast.wav"):
        shutil.copy(studio / name, tmp_path)
    cache, spec = {"CINECUT_CACHE_DIR": str(analyses)}, tmp_path / "spec.yaml"

    def tempo(*words: str) -> float:
        done = cinecut(*words, "--no-models", cwd=tmp_path, **cache)
        assert done.returncode == 0, done.stderr
        assert cinecut("check", "spec.yaml", cwd=tmp_path, **cache).returncode == 0
        music = version(spec.read_text(encoding="utf-8")).spec.music
        assert music is not None
        assert music.beats is not None
        assert music.beats.tempo is not None
        return float(music.beats.tempo)

    song = ("--music", *music) if music else ()
    assert tempo("analyze", "film.mkv", *song, "--tempo", str(told[0]), "--length", "25s", "-o", "spec.yaml") == told[1]
    assert tempo("recut", "spec.yaml", "--length", "20s") == told[1]
    assert tempo("recut", "spec.yaml", "--tempo", str(then[0])) == then[1]
    assert tempo("recut", "spec.yaml", "--length", "25s") == then[1]
    if music:
        odd = cinecut("recut", "spec.yaml", "--tempo", "100", "--dry-run", "--no-models", cwd=tmp_path, **cache)
        assert "the song has 141 beats a minute, outside the expected 96.15 to 104" in odd.stderr
    act = cinecut("recut", "spec.yaml", "--tempo", "90", "--act", "act 3", cwd=tmp_path, **cache)
    assert act.returncode == 1
    assert "all acts have one tempo" in act.stderr


def test_the_credits_are_those_of_the_song_that_there_is(studio: Path, own_analyses: Path, tmp_path: Path) -> None:
    """Another song's file names that one, one that wants nobody named leaves none."""
    for name, artist in (("one", "Somebody"), ("two", "Another"), ("three", "")):
        tags = ("-metadata", f"artist={artist}")  # an empty one is none
        command = [str(BUNDLED), "-v", "error", "-i", str(studio / "slow.wav"), *tags, str(tmp_path / f"{name}.flac")]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def named(*words: str | Path) -> str:
        options = ("--no-models", "--length", "12s")
        done = cinecut(*words, *options, cwd=tmp_path, CINECUT_CACHE_DIR=str(own_analyses))
        assert done.returncode == 0, done.stderr
        file = tmp_path / "spec.credits.txt"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    shutil.copy(studio / "film.srt", tmp_path)
    film = Path(shutil.copy(studio / "film.mkv", tmp_path))
    assert "Somebody" in named("analyze", film, "--music", "one.flac", "-o", "spec.yaml")
    credit = named("recut", "spec.yaml", "--music", "two.flac")
    assert ("Another" in credit, "Somebody" in credit) == (True, False)
    assert named("recut", "spec.yaml", "--music", "three.flac") == ""
    (tmp_path / "other").mkdir()
    named("recut", "spec.yaml", "--music", "two.flac", "-o", "other/spec.yaml")
    assert "Another" in (tmp_path / "other" / "spec.credits.txt").read_text(encoding="utf-8")
    for verb, name in (("undo", "Another"), ("undo", "Somebody"), ("redo", "Another")):
        done = cinecut(verb, "spec.yaml", cwd=tmp_path, CINECUT_CACHE_DIR=str(own_analyses))
        assert done.returncode == 0, done.stderr
        assert name in (tmp_path / "spec.credits.txt").read_text(encoding="utf-8")
    film.unlink()
    done = cinecut("undo", "spec.yaml", cwd=tmp_path, CINECUT_CACHE_DIR=str(own_analyses))
    assert (done.returncode, "stay those of the other song" in done.stderr) == (0, True), done.stderr
