"""From a film to a spec to a trailer: what `analyze` promises, measured on films and songs that are known exactly."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut, names, on_a_terminal, start
from footage import Footage, make_film, song
from oracle import read_pictures

from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.cache import Cache
from cinecut.analysis.request import Request
from cinecut.compiler.layout.timeline import PlacedShot, Timeline
from cinecut.diagnostics import Report
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.events import Shot
from cinecut.language.read import load_spec
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmTime
from cinecut.render.check import check_spec, layout_of
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render
from cinecut.vibes import DEFAULT, load_vibe
from cinecut.vibes import names as vibe_names

TEMPO, FIRST = 120, 0.4  # of the song: beats a minute, seconds of its first downbeat


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, analyses: Path) -> Iterator[Path]:
    """A folder with the films and the song."""
    folder = tmp_path_factory.mktemp("studio")
    song(folder / "song.wav", np.arange(FIRST, 100, 60 / TEMPO))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        yield folder


@pytest.fixture(scope="module")
def film(studio: Path) -> Footage:
    """Key frames at its cuts, and between them."""
    return make_film(studio / "film.mkv")


def analysed(
    film: Path,
    target: Path,
    vibe: str = DEFAULT,
    length: int | None = 40,
    music: Path | None = None,
    spoilers: bool = False,
) -> Analysis:
    """Analyze, and lay the spec at its target."""
    wanted = None if length is None else Fraction(length)
    request = Request(film, target, load_vibe(vibe), music=music, length=wanted, spoilers=spoilers)
    found = analyze(request, lambda stage, done: None)
    target.write_text(found.text, encoding="utf-8")
    return found


def read(path: Path) -> tuple[Spec, Timeline]:
    report = Report()
    _, spec = load_spec(path, report)
    assert spec is not None
    return spec, layout_of(spec, report).timeline


# --- what the spec promises ------------------------------------------------------------------------------------------


@pytest.mark.matrix(3)
@pytest.mark.parametrize(
    ("vibe", "music", "length"),
    [
        ("action", True, 40),
        ("drama", False, 60),
        ("documentary", True, 50),
        ("thriller", False, 30),
        ("family", False, 20),
    ],
)
def test_a_spec_keeps_what_analyze_promises(
    vibe: str, music: bool, length: int, film: Footage, studio: Path, tmp_path: Path
) -> None:
    target = tmp_path / "trailer.yaml"
    found = analysed(film.path, target, vibe, length, music=studio / "song.wav" if music else None)
    assert list(check_spec(target)) == []
    spec, timeline = read(target)
    _check_shots(film, timeline)
    assert timeline.frames == length * timeline.rate
    assert found.seconds == timeline.events[-1].end
    assert spec.anchors is not None
    anchors = [spec.anchors.begin, spec.anchors.escalation, spec.anchors.climax]
    assert all(anchor is not None and anchor.by == "signals" for anchor in anchors)
    times = [anchor.at.seconds for anchor in anchors if anchor is not None and anchor.at is not None]
    assert times == sorted(times)
    assert all(int(at * 25) in film.edges for at in times), "an anchor stands on a cut"


def _check_shots(footage: Footage, timeline: Timeline) -> None:
    """No shot crosses a cut of the film or chops a line; neighbours are other shots; each says who decided."""
    last = None
    for placed in timeline.events:
        shot = placed.event
        if not isinstance(placed, PlacedShot) or not isinstance(shot, Shot):
            last = None
            continue
        start = placed.film.start.seconds - placed.lead / timeline.rate
        end = placed.film.end.seconds + placed.lag / timeline.rate
        assert footage.holds(start, end), f"{placed.label} crosses a cut"
        lead, trail = max(placed.sound_over[0], placed.lead), max(placed.sound_over[1], placed.lag)
        first, until = (
            placed.heard.start.seconds - lead / timeline.rate,
            placed.heard.end.seconds + trail / timeline.rate,
        )
        for begins, ends, text in footage.lines:
            whole = until <= begins or ends <= first or (first <= begins and ends <= until)
            assert shot.mute or whole, f"{placed.label} chops {text!r}"
        here = next(edge for edge in reversed(footage.edges) if edge <= start * 25)
        assert here != last, "two neighbours show the same shot"
        last = here
        assert None not in (shot.zone, shot.score)
        assert shot.by is None, "nothing described it"


def test_lines_that_stand_alone_are_heard(film: Footage, tmp_path: Path) -> None:
    analysed(film.path, tmp_path / "spec.yaml", "documentary", 60)
    spec, _ = read(tmp_path / "spec.yaml")
    spoken = [shot.line for shot in spec.timeline if isinstance(shot, Shot) and shot.line]
    assert spoken
    assert len(set(spoken)) == len(spoken)
    assert set(spoken) <= {text for _, _, text in film.lines}


def test_the_length_follows_the_film_where_nobody_asks(film: Footage, tmp_path: Path) -> None:
    found = analysed(film.path, tmp_path / "spec.yaml", "action", None)
    assert abs(found.seconds - Fraction(15, 100) * found.facts.duration) <= 4 * Fraction(60, 128)


def test_what_comes_after_the_climax_is_shown_only_to_who_asks(film: Footage, tmp_path: Path) -> None:
    def ends(spoilers: bool) -> tuple[str, list[FilmTime], FilmTime]:
        found = analysed(film.path, tmp_path / "spec.yaml", "action", 60, spoilers=spoilers)
        _, timeline = read(tmp_path / "spec.yaml")
        climax = found.story.climax.at + Fraction(3, 100) * found.story.end.seconds
        return found.text, [placed.film.end for placed in timeline.shots], climax

    guarded, shown, climax = ends(spoilers=False)
    assert max(shown) <= climax
    assert "what resolves the climax stays out" in guarded
    told, shown, climax = ends(spoilers=True)
    assert max(shown) > climax
    assert "stays out" not in told


def test_the_songs_tempo_is_exact_and_its_bars_are_the_trailers(film: Footage, studio: Path, tmp_path: Path) -> None:
    analysed(film.path, tmp_path / "spec.yaml", "action", music=studio / "song.wav")
    spec, _ = read(tmp_path / "spec.yaml")
    assert spec.music is not None
    assert spec.music.beats is not None
    assert spec.music.beats.tempo == TEMPO
    assert spec.music.beats.metre == 4
    assert abs(float(spec.music.beats.first.seconds) - FIRST) < 0.005
    parts = spec.music.parts
    start = parts[0].in_ if parts else spec.music.start
    whole = [start.seconds - spec.music.beats.first.seconds]
    whole += [after.in_.seconds - before.out.seconds for before, after in pairwise(parts)]  # the bars go on at a joint
    for seconds in whole:
        bars = seconds * TEMPO / 60 / 4
        assert abs(bars - round(bars)) < Fraction(1, 10_000)


@pytest.mark.parametrize("tempo", [(92, 126), (126, 92)])
def test_the_length_is_met_where_the_tempo_changes(tempo: tuple[int, int], film: Footage, tmp_path: Path) -> None:
    slow, fast = (np.arange(0.3, 40, 60 / each) for each in tempo)
    beats = np.concatenate([slow, slow[-1] + 60 / tempo[0] + fast - 0.3])
    found = analysed(film.path, tmp_path / "spec.yaml", "action", 60, music=song(tmp_path / "song.wav", beats))
    assert found.beats is not None
    assert found.beats.tempo is None
    assert list(check_spec(tmp_path / "spec.yaml")) == []
    assert abs(found.seconds - 60) <= 4 * Fraction(60, 92)


# --- what is rendered -------------------------------------------------------------------------------------------------


def test_the_rendered_cuts_lie_on_the_songs_beats(film: Footage, studio: Path, tmp_path: Path) -> None:
    """Re-measured from the file: pictures change exactly where the spec says, half a frame at most from a beat."""
    analysed(film.path, tmp_path / "spec.yaml", "action", 25, music=studio / "song.wav")
    spec, timeline = read(tmp_path / "spec.yaml")
    assert spec.music is not None
    job = prepare(tmp_path / "spec.yaml", small=True)
    render(job, tmp_path / "trailer.mp4", find_ffmpeg(None), SILENT)
    frames = [luma.astype(np.int16) for luma in read_pictures(tmp_path / "trailer.mp4")]
    assert len(frames) == timeline.frames == job.plan.frames
    changes = [k for k, (a, b) in enumerate(pairwise(frames), 1) if np.abs(b - a).mean() > 8]
    starts = [placed.range.start.index for placed in timeline.events[1:]]
    faded = timeline.frames - 13  # the last beat fades out
    assert [frame for frame in changes if frame < faded] == starts
    assert len(starts) >= 10
    start = spec.music.parts[0].in_ if spec.music.parts else spec.music.start
    for frame in starts:
        beat = (frame / timeline.rate + start.seconds - Fraction(FIRST).limit_denominator(10)) * TEMPO / 60
        off = abs(beat - round(beat)) * 60 / TEMPO
        assert off <= Fraction(1, 2) / timeline.rate + Fraction(2, 1000), "the song's beats are found to 2 ms"


# --- again, and after a crash -----------------------------------------------------------------------------------------


def test_a_second_run_measures_nothing(
    film: Footage, studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = analysed(film.path, tmp_path / "spec.yaml", "action", music=studio / "song.wav")

    def refuse(*_: object) -> None:
        raise AssertionError("a stage ran again")

    real = Cache.kept
    monkeypatch.setattr(Cache, "kept", lambda cache, name, key, kind, work: real(cache, name, key, kind, refuse))
    assert analysed(film.path, tmp_path / "spec.yaml", "action", music=studio / "song.wav").text == first.text
    assert analysed(film.path, tmp_path / "spec.yaml", "comedy", 20).text != first.text


def test_a_changed_film_is_looked_at_anew(film: Footage, tmp_path: Path) -> None:
    moving = tmp_path / "film.mkv"
    shutil.copy(film.path, moving)
    before = analysed(moving, tmp_path / "spec.yaml")
    other = make_film(tmp_path / "other.mkv", 8, spoken=False)
    other.path.replace(moving)
    after = analysed(moving, tmp_path / "spec.yaml")
    assert len(before.shots) == len(film.edges) + 1
    assert len(after.shots) == len(other.edges) + 1
    assert before.facts.fingerprint != after.facts.fingerprint


@pytest.mark.slow
def test_a_killed_run_goes_on(film: Footage, tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    arguments = ("analyze", str(film.path), "--length", "30", "--json")

    def caches(name: str) -> dict[str, str]:
        return {"CINECUT_CACHE_DIR": str(tmp_path / name / "cache")}

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    begun = time.monotonic()
    assert cinecut(*arguments, cwd=whole, **caches("whole")).returncode == 0
    took = time.monotonic() - begun
    for share in (0.5, 0.7, 0.9):
        run = start(*arguments, cwd=killed, changes=caches("killed"))
        time.sleep(share * took)
        run.kill()
        run.wait()
    assert cinecut(*arguments, "--force", cwd=killed, **caches("killed")).returncode == 0
    spec = Path("specs") / "film.yaml"
    assert (killed / spec).read_bytes() == (whole / spec).read_bytes()
    assert names(killed / "specs") == ["film.html", "film.yaml"]


# --- the commands -----------------------------------------------------------------------------------------------------


def test_analyze_writes_a_spec_and_a_sheet_and_never_over_them(studio: Path, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", 8)
    arguments = ("analyze", str(film.path), "--length", "8", "-o", "deep/down/mine.yaml", "--json")
    run = cinecut(*arguments, cwd=tmp_path, CINECUT_CACHE_DIR=str(tmp_path / "cache"))
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert {"spec", "sheet", "shots", "seconds", "warnings", "film", "beats", "timeline"} == set(said)
    assert set(said["film"]["anchors"]) == {"begin", "escalation", "climax"}
    assert all(set(each) == {"name", "seconds", "protagonist"} for each in said["film"]["speakers"])
    assert len([event for event in said["timeline"] if "shot" in event]) == said["shots"] < len(said["film"]["shots"])
    spec, sheet = tmp_path / said["spec"], tmp_path / said["sheet"]
    assert names(spec.parent) == ["mine.html", "mine.yaml"]
    assert any((tmp_path / "cache").rglob("shots-*")), "the cache lies where CINECUT_CACHE_DIR says"
    assert f"vibe: {DEFAULT}\n" in spec.read_text(encoding="utf-8"), "nobody is asked where nobody can answer"
    spec.write_text("# my own edit\n", encoding="utf-8")
    page = sheet.read_bytes()
    refused = cinecut(*arguments, cwd=tmp_path)
    assert refused.returncode == 1
    assert "may have been edited" in refused.stderr
    assert spec.read_text(encoding="utf-8") == "# my own edit\n"
    assert sheet.read_bytes() == page
    assert cinecut(*arguments, "--force", cwd=tmp_path).returncode == 0
    assert list(check_spec(spec)) == []


def test_programs_are_told_of_music_that_could_not_be_fetched(film: Footage, tmp_path: Path) -> None:
    arguments = ("--length", "15", "--music", "jamendo", "-o", "mine.yaml", "--json")
    run = cinecut("analyze", str(film.path), *arguments, cwd=tmp_path, JAMENDO_CLIENT_ID="")
    assert run.returncode == 0, run.stderr
    (warning,) = [each for each in json.loads(run.stdout)["warnings"] if each["code"] == "music"]
    assert "no music from Jamendo" in warning["message"]
    assert run.stderr.count(warning["message"]) == 1


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("film.mkv", "no name for a spec"),
        ("folder.yaml", "is a folder"),
        ("film.mkv/spec.yaml", "no folder"),
        ("page.yaml", "no contact sheet"),
        ("/proc/none/spec.yaml", "/proc"),
        ("x" * 251 + ".yaml", "File name too long"),
    ],
)
def test_no_file_of_the_users_is_replaced(output: str, words: str, film: Footage, tmp_path: Path) -> None:
    shutil.copy(film.path, tmp_path / "film.mkv")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "page.html").write_text("<p>mine</p>", encoding="utf-8")
    before = _stamps(tmp_path)
    force = [] if output == "page.yaml" else ["--force"]
    run = cinecut("analyze", "film.mkv", "--length", "15", "-o", output, *force, cwd=tmp_path)
    assert run.returncode == 1
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert _stamps(tmp_path) == before


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {name: (found.st_size, found.st_mtime_ns) for name in names(folder) if (found := (folder / name).stat())}


def test_trailer_analyzes_and_renders(film: Footage, tmp_path: Path) -> None:
    arguments = ("trailer", str(film.path), "--draft", "--length", "15", "--vibe", "action")
    review = cinecut(*arguments, "--review", cwd=tmp_path)
    assert review.returncode == 0, review.stderr
    assert "cinecut render --draft -- specs/film.yaml" in review.stdout
    assert names(tmp_path) == ["specs"]
    run = cinecut(*arguments, "--force", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert names(tmp_path) == ["film_trailer_action_draft.mp4", "specs"]
    _, timeline = read(tmp_path / "specs" / "film.yaml")
    assert len(list(read_pictures(tmp_path / "film_trailer_action_draft.mp4"))) == timeline.frames


def test_review_shows_the_page_and_waits_for_a_spec_without_mistakes(film: Footage, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened\n', encoding="utf-8")
    browser.chmod(0o755)
    spec = tmp_path / "specs" / "film.yaml"

    def edit(old: str, new: str) -> Callable[[], str]:
        def answer() -> str:
            assert not list(tmp_path.glob("*.mp4"))
            text = spec.read_text(encoding="utf-8")
            assert old in text
            spec.write_text(text.replace(old, new, 1), encoding="utf-8")
            return "\n"

        return answer

    arguments = ("trailer", str(film.path), "--draft", "--length", "15", "--vibe", "action", "--review")
    asked = [
        ("then press Enter to render", edit("timeline:", "timelin:")),
        ("Nothing is rendered yet. Mend specs/film.yaml", edit("timelin:", "timeline: :")),
        ("Nothing is rendered yet. Mend specs/film.yaml", edit("timeline: :", "timeline:")),
    ]
    said = on_a_terminal(tmp_path, *arguments, answers=asked, BROWSER=str(browser), NO_COLOR="1")
    assert (tmp_path / "opened").read_text(encoding="utf-8").strip() == (tmp_path / "specs/film.html").as_uri()
    assert "did you mean `timeline`?" in said
    assert said.count("\x1b[1A") <= 2, "one bar, of one line: only its end goes up a line"
    for title in ("Analyzing", "Rendering"):
        assert re.search(rf"{title} .* \d+% ", said)
    assert said.count("press Enter") == 3
    assert names(tmp_path) == ["browser", "film_trailer_action_draft.mp4", "opened", "specs"]


def test_trailer_says_what_would_end_the_render_before_the_long_work(film: Footage, tmp_path: Path) -> None:
    (tmp_path / "mine.mp4").write_text("mine", encoding="utf-8")
    taken = cinecut("trailer", str(film.path), "-o", "mine.mp4", cwd=tmp_path)
    assert (taken.returncode, "mine.mp4 is there already" in taken.stderr) == (1, True)
    absent = cinecut("trailer", str(film.path), "--ffmpeg", "/no/such", cwd=tmp_path)
    assert (absent.returncode, "there is no FFmpeg at" in absent.stderr) == (1, True)
    assert names(tmp_path) == ["mine.mp4"]
    assert (tmp_path / "mine.mp4").read_text(encoding="utf-8") == "mine"


def test_vibes_are_shown(tmp_path: Path) -> None:
    listed = cinecut("vibes", cwd=tmp_path)
    assert [row.split("\t")[0] for row in listed.stdout.splitlines()[1:]] == vibe_names()
    one = cinecut("vibes", "thriller", "--json", cwd=tmp_path)
    assert tuple(json.loads(one.stdout)[0]["pace"].values()) == load_vibe("thriller").pace
    helped = " ".join(cinecut("analyze", "--help", cwd=tmp_path, COLUMNS="200").stdout.split())
    assert f"a script gets {DEFAULT}" in helped
    none = cinecut("vibes", "thriler", cwd=tmp_path)
    assert none.returncode == 1
    assert "did you mean thriller?" in none.stderr


def test_beats_prints_the_grid_and_renders_clicks(studio: Path, tmp_path: Path) -> None:
    run = cinecut("beats", str(studio / "song.wav"), "--click", "clicks.wav", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert (said["tempo"], said["metre"]) == (TEMPO, 4)
    assert abs(said["first"] - FIRST) < 0.005
    assert names(tmp_path) == ["clicks.wav"]
    again = cinecut("beats", str(studio / "song.wav"), "--click", "clicks.wav", cwd=tmp_path)
    assert again.returncode == 1
    assert "--force" in again.stderr
