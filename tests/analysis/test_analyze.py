"""From a film to a spec to a trailer: what `analyze` promises, measured on films and songs that are known exactly."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut, names, start
from footage import Footage, make_film, song
from oracle import read_pictures

from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.cache import Cache
from cinecut.analysis.edit.blueprint import trailer_length
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
    length: int | None = 20,
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
        ("action", True, 20),
        ("drama", False, 30),
        ("documentary", True, 20),
        ("thriller", False, 15),
        ("comedy", False, 15),
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
        assert shot.by == "signals"
        assert None not in (shot.zone, shot.score)


def test_lines_that_stand_alone_are_heard(film: Footage, tmp_path: Path) -> None:
    analysed(film.path, tmp_path / "spec.yaml", "romance", 30)
    spec, _ = read(tmp_path / "spec.yaml")
    spoken = [shot.line for shot in spec.timeline if isinstance(shot, Shot) and shot.line]
    assert spoken
    assert len(set(spoken)) == len(spoken)
    assert set(spoken) <= {text for _, _, text in film.lines}


def test_the_length_follows_the_film_where_nobody_asks(film: Footage, tmp_path: Path) -> None:
    found = analysed(film.path, tmp_path / "spec.yaml", "action", None)
    wanted = trailer_length(found.facts.duration, found.facts.duration)
    assert abs(found.seconds - wanted) <= 4 * Fraction(60, 128)


def test_what_comes_after_the_climax_is_shown_only_to_who_asks(film: Footage, tmp_path: Path) -> None:
    def ends(spoilers: bool) -> tuple[str, list[FilmTime], FilmTime]:
        found = analysed(film.path, tmp_path / "spec.yaml", "thriller", 20, spoilers=spoilers)
        _, timeline = read(tmp_path / "spec.yaml")
        climax = next(edge for edge in film.edges if edge > found.story.climax.at.seconds * film.rate)
        return found.text, [placed.film.end for placed in timeline.shots], FilmTime(climax / film.rate)

    guarded, shown, climax = ends(spoilers=False)
    assert max(shown) <= climax
    assert "what resolves the climax stays out" in guarded
    told, shown, climax = ends(spoilers=True)
    assert max(shown) > climax
    assert "stays out" not in told


def test_the_songs_tempo_is_exact_and_its_bars_are_the_trailers(film: Footage, studio: Path, tmp_path: Path) -> None:
    analysed(film.path, tmp_path / "spec.yaml", "thriller", music=studio / "song.wav")
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


@pytest.mark.parametrize("tempo", [(92, 126), pytest.param((126, 92), marks=pytest.mark.slow)])
def test_the_length_and_the_bars_are_met_where_the_tempo_changes(
    tempo: tuple[int, int], film: Footage, tmp_path: Path
) -> None:
    slow, fast = (np.arange(0.3, 40, 60 / each) for each in tempo)
    beats = np.concatenate([slow, slow[-1] + 60 / tempo[0] + fast - 0.3])
    found = analysed(film.path, tmp_path / "spec.yaml", "action", 20, music=song(tmp_path / "song.wav", beats, 3))
    assert found.beats is not None
    assert (found.beats.tempo, found.beats.metre) == (None, 3)
    assert list(check_spec(tmp_path / "spec.yaml")) == []
    assert abs(found.seconds - 20) <= 4 * Fraction(60, 92)
    _, timeline = read(tmp_path / "spec.yaml")
    assert timeline.grid is not None
    begins = {placed.act: timeline.grid.beat_at(placed.start) for placed in reversed(timeline.events)}
    assert begins["act 3"] % 3 == begins["title card"] % 3 == 0, begins


# --- what is rendered -------------------------------------------------------------------------------------------------


def test_the_rendered_cuts_lie_on_the_songs_beats(film: Footage, studio: Path, tmp_path: Path) -> None:
    """Re-measured from the file: pictures change exactly where the spec says, half a frame at most from a beat."""
    analysed(film.path, tmp_path / "spec.yaml", "action", 20, music=studio / "song.wav")
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
    first = analysed(film.path, tmp_path / "spec.yaml", "thriller", 12, music=studio / "song.wav")

    def refuse(*_: object) -> None:
        raise AssertionError("a stage ran again")

    real = Cache.kept
    monkeypatch.setattr(Cache, "kept", lambda cache, name, key, kind, work: real(cache, name, key, kind, refuse))
    assert analysed(film.path, tmp_path / "spec.yaml", "thriller", 12, music=studio / "song.wav").text == first.text
    assert analysed(film.path, tmp_path / "spec.yaml", "comedy", 12).text != first.text


def test_a_changed_film_is_looked_at_anew(film: Footage, tmp_path: Path) -> None:
    moving = tmp_path / "film.mkv"
    shutil.copy(film.path, moving)
    before = analysed(moving, tmp_path / "spec.yaml", length=12)
    other = make_film(tmp_path / "other.mkv", 8, spoken=False)
    other.path.replace(moving)
    after = analysed(moving, tmp_path / "spec.yaml", length=8)
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
