"""Shots found in films whose cuts are known because they are made here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.cuts import FoundCuts, judge, merge
from cinecut.analysis.film.gops import PacketIndex, small_planes, survey
from cinecut.analysis.film.screen import Bars, glance, is_text, letterbox
from cinecut.analysis.film.search import _calm, _chosen, examine, plan
from cinecut.analysis.film.shots import ShotList, find_shots
from cinecut.analysis.film.strips import GroupReader, Strip
from cinecut.diagnostics import Stop
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmTime
from cinecut.media.probe import film_facts

WIDTH, HEIGHT = 320, 180
NTSC = Fraction(24000, 1001)
Frames = NDArray[np.uint8]  # [n, 180, 320, 3], RGB

LENGTHS = (40, 31, 12, 55, 48, 25, 9, 60, 33, 47)  # frames of the shots of the test film; 48 falls on a fixed GOP
CUTS = np.cumsum(LENGTHS)[:-1].tolist()


def scene(seed: int, length: int, speed: float = 1.0) -> Frames:
    """A window that pans over a picture of soft random shapes."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 236, (9, 24, 3), dtype=np.uint8)
    wide = cv2.resize(coarse, (WIDTH * 2, HEIGHT), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(rng.integers(0, 40, (90, 320, 3), dtype=np.uint8), (WIDTH * 2, HEIGHT))
    picture = cv2.add(cv2.subtract(wide, np.full_like(wide, 20)), fine)
    return np.stack([picture[:, int(x) : int(x) + WIDTH] for x in np.arange(length) * speed % WIDTH])


def mix(one: Frames, other: Frames) -> Frames:
    """A linear dissolve over all of two equally long pieces."""
    share = ((np.arange(len(one)) + 1) / (len(one) + 1))[:, None, None, None]
    return np.asarray(one * (1 - share) + other * share, np.uint8)


def plain(length: int, level: int = 0) -> Frames:
    return np.full((length, HEIGHT, WIDTH, 3), level, np.uint8)


def lettering(length: int, lines: Sequence[str], roll: float = 0.0) -> Frames:
    """White lines of text on black, optionally rolling upwards."""
    page = np.zeros((HEIGHT * 4, WIDTH, 3), np.uint8)
    for row, line in enumerate(lines):
        cv2.putText(page, line, (60, 40 + 22 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (240, 240, 240), 1, cv2.LINE_AA)
    return np.stack([page[int(y) : int(y) + HEIGHT] for y in np.arange(length) * roll])


def encode(path: Path, frames: Frames, rate: Fraction = Fraction(25), options: str = "-c:v libx264") -> Path:
    size = f"{WIDTH}x{HEIGHT}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", size, "-r", str(rate), "-i", "-", *options.split(), str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)
    return path


def shots_of(film: Path, rate: Fraction = Fraction(25)) -> ShotList:
    facts = film_facts(film)
    assert facts.rate == rate
    return find_shots(film, facts, lambda share: None)


def first_frames(found: ShotList, rate: Fraction = Fraction(25)) -> list[Fraction]:
    return [shot.range.start.seconds * rate for shot in found.shots[1:]]


def is_tiled(found: ShotList) -> bool:
    edges = [shot.range.start for shot in found.shots[1:]]
    return all(shot.range.end <= start for shot, start in zip(found.shots, edges, strict=False))


@pytest.fixture(scope="module")
def cut_film() -> Frames:
    return np.concatenate([scene(seed, length) for seed, length in enumerate(LENGTHS)])


ENCODINGS = {
    "x264.mp4": (Fraction(24), "-c:v libx264 -preset veryfast -pix_fmt yuv420p"),
    "fixed.mp4": (Fraction(25), "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 48 -keyint_min 48 -sc_threshold 0"),
    "pyramid.mp4": (Fraction(25), "-c:v libx264 -bf 8 -refs 6 -pix_fmt yuv420p -g 96 -sc_threshold 0"),
    "open.mkv": (NTSC, "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 24 -x264-params open-gop=1:scenecut=0"),
    "deep.mkv": (Fraction(25), "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none"),
    "one.mp4": (Fraction(25), "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 9999 -sc_threshold 0"),
    "stream.ts": (Fraction(25), "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 50 -sc_threshold 0"),
    "mpeg2.ts": (Fraction(25), "-c:v mpeg2video -g 15 -bf 2 -q:v 4 -pix_fmt yuv420p"),
    "mpeg4.avi": (Fraction(25), "-c:v mpeg4 -bf 2 -q:v 4"),
    "x264.avi": (NTSC, "-c:v libx264 -preset veryfast -pix_fmt yuv420p"),
    "intra.mov": (Fraction(25), "-c:v mjpeg -q:v 4 -pix_fmt yuvj422p"),
    "prores.mov": (Fraction(25), "-c:v prores_ks -pix_fmt yuv422p10le"),
    "rgb.mkv": (Fraction(25), "-c:v ffv1 -pix_fmt bgr0"),
    "late.mkv": (Fraction(24), "-c:v libx264 -preset veryfast -pix_fmt yuv420p -output_ts_offset 7.5"),
}


@pytest.mark.matrix(4)
@pytest.mark.parametrize("name", ENCODINGS)
def test_cuts_are_exact(name: str, cut_film: Frames, tmp_path: Path) -> None:
    rate, options = ENCODINGS[name]
    found = shots_of(encode(tmp_path / name, cut_film, rate, options), rate)
    assert first_frames(found, rate) == CUTS
    assert all(shot.begins is GradualCut.CUT and shot.usable for shot in found.shots)
    assert found.shots[-1].range.end.seconds == len(cut_film) / rate
    assert not found.bars


def test_variable_rate_keeps_the_stamps(cut_film: Frames, tmp_path: Path) -> None:
    options = "-vf settb=1/1000,setpts=N*40+mod(N*7\\,11) -fps_mode vfr -enc_time_base 1/1000 -pix_fmt yuv420p"
    film = encode(tmp_path / "vfr.mkv", cut_film, Fraction(25), options)
    facts = film_facts(film)
    assert facts.variable
    found = find_shots(film, facts, lambda share: None)
    assert [shot.range.start.seconds for shot in found.shots[1:]] == [
        Fraction(40 * cut + 7 * cut % 11, 1000) for cut in CUTS
    ]


@pytest.mark.parametrize("options", ["", "-g 48 -keyint_min 48 -sc_threshold 0"])
def test_fades_and_dissolves_have_ranges(options: str, tmp_path: Path) -> None:
    a, b, c = scene(1, 90, 0.3), scene(2, 100, 0.3), scene(3, 80, 0.3)
    frames = np.concatenate(
        [a[:60], mix(a[60:90], b[:30]), b[30:80], mix(b[80:100], plain(20)), plain(30), mix(plain(20), c[:20]), c[20:]]
    )
    found = shots_of(encode(tmp_path / "blends.mp4", frames, options=f"-preset veryfast -pix_fmt yuv420p {options}"))
    assert [shot.begins for shot in found.shots] == ["cut", "dissolve", "fade", "fade"]
    assert [shot.why_not for shot in found.shots] == [None, None, "black", None]
    expected = [(0, 60), (90, 140), (160, 190), (210, 270)]
    measured = [(shot.range.start.seconds * 25, shot.range.end.seconds * 25) for shot in found.shots]
    assert np.abs(np.array(measured, float) - np.array(expected)).max() <= 4
    assert is_tiled(found)


def test_the_shot_after_a_title_in_the_opening_belongs_to_it(tmp_path: Path) -> None:
    """Somebody presents, and over the next shot comes the film's name."""
    card, name = lettering(25, ["", "", "", "Nobody presents"]), scene(2, 50)
    frames = np.concatenate([card, name, scene(3, 400, 0.5), scene(2, 425), card, scene(3, 400, 0.5)])
    found = shots_of(encode(tmp_path / "opening.mp4", frames, options="-preset veryfast -pix_fmt yuv420p"))
    reasons = {int(shot.range.start.seconds * 25): shot.why_not for shot in found.shots}
    assert {start for start, reason in reasons.items() if reason == "title"} == {0, 25, 900}
    assert {75, 925} <= set(reasons)


def test_credits_and_titles_are_kept_out(tmp_path: Path) -> None:
    names = ["Directed by", "Sacha Goedegebure", "Written by", "Nathan Vegdahl", "Edited by", "Enrico Valenza"] * 4
    frames = np.concatenate(
        [
            scene(1, 75),
            lettering(50, ["", "", "", "A film by nobody"]),
            scene(2, 400, 0.5),
            lettering(100, names, roll=1.0),
        ]
    )
    found = shots_of(encode(tmp_path / "credits.mp4", frames, options="-pix_fmt yuv420p"))
    assert [shot.why_not for shot in found.shots] == [None, "title", None, "credits"]
    assert first_frames(found) == [75, 125, 525]


def test_letterbox_is_measured_through_dark_scenes(tmp_path: Path) -> None:
    frames = np.concatenate([scene(seed, 30) // dim for seed, dim in enumerate([8, 1, 6, 1, 1, 8, 1])])
    frames[:, :22] = 0
    frames[:, -22:] = 0
    found = shots_of(encode(tmp_path / "bars.mp4", frames, options="-preset veryfast -pix_fmt yuv420p -g 25"))
    assert found.bars.left == found.bars.right == 0
    assert abs(found.bars.top - Fraction(22, HEIGHT)) <= Fraction(1, HEIGHT)
    assert abs(found.bars.bottom - Fraction(22, HEIGHT)) <= Fraction(1, HEIGHT)
    assert first_frames(found) == [30, 60, 90, 120, 150, 180]


@pytest.mark.parametrize("make", [lambda: scene(1, 75), lambda: plain(75), lambda: scene(1, 1)])
def test_one_shot_films(make: Callable[[], Frames], tmp_path: Path) -> None:
    frames = make()
    found = shots_of(encode(tmp_path / "short.mp4", frames, options="-preset veryfast -pix_fmt yuv420p"))
    assert len(found.shots) == 1
    assert found.shots[0].range.start == FilmTime(Fraction(0))
    assert found.shots[0].range.end.seconds == Fraction(len(frames), 25)
    assert found.shots[0].usable == bool(frames.max() > 0)


def test_a_flash_is_no_cut(tmp_path: Path) -> None:
    frames = scene(1, 100, 0.3)
    frames[50:52] = 250
    assert len(shots_of(encode(tmp_path / "flash.mp4", frames, options="-preset veryfast -pix_fmt yuv420p")).shots) == 1


def test_a_truncated_film_gives_what_is_there(cut_film: Frames, tmp_path: Path) -> None:
    whole = encode(tmp_path / "whole.ts", cut_film, options="-preset veryfast -pix_fmt yuv420p -g 25")
    facts = film_facts(whole)
    torn = tmp_path / "torn.ts"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = find_shots(torn, facts, lambda share: None)
    starts = first_frames(found)
    assert starts
    assert starts == CUTS[: len(starts)]
    assert found.shots[-1].range.end.seconds < facts.duration
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["film"]


def test_unusable_films_stop(tmp_path: Path) -> None:
    facts = FilmFacts("", (16, 16), Fraction(25), Fraction(1))
    sound = tmp_path / "sound.m4a"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "sine=d=1", str(sound)]
    subprocess.run(command, check=True)
    text = tmp_path / "text.mp4"
    text.write_text("no film", encoding="utf-8")
    for film, code in [(sound, "no-video"), (text, "unreadable"), (tmp_path / "none.mp4", "missing-file")]:
        with pytest.raises(Stop) as stopped:
            find_shots(film, facts, lambda share: None)
        assert stopped.value.diagnostics[0].code == code


def test_progress_rises_to_one(cut_film: Frames, tmp_path: Path) -> None:
    film = encode(tmp_path / "progress.mp4", cut_film, options="-preset veryfast -pix_fmt yuv420p")
    heard: list[float] = []
    find_shots(film, film_facts(film), heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_key_frames_due_by_count_are_not_taken_for_chosen() -> None:
    starts = np.array([0, 100, 140, 200, 300, 400, 430, 470, 530, 570, 670])
    chosen = [False, True, False, False, False, True, True, False, False, False]
    assert _chosen(starts) == chosen  # 200, 530 and 570 come 100 after a key frame before the last
    assert _chosen(np.arange(0, 1000, 48)) == [None] * 20


@pytest.mark.parametrize("swell", [range(0), range(20, 28), range(30, 60)])
def test_a_group_is_calm_after_what_may_be_a_dissolve(swell: range) -> None:
    """A dissolve takes a tenth of a key picture's bytes for each picture, and few of them in all if it is short."""
    sizes = [1000, *(100 if at in swell else 20 for at in range(1, 80)), 1000]
    key = [size == 1000 for size in sizes]
    index = PacketIndex.of([40 * at for at in range(81)], sizes, key, [0, 80])
    assert _calm(index, 0, 80, 250, 0.5 * 1000) == (
        swell.stop + 8 if swell else 0
    )  # two pictures, and then a quarter of a second


def test_a_key_picture_settles_the_end_of_its_group(cut_film: Frames, tmp_path: Path) -> None:
    film = encode(
        tmp_path / "ends.mp4", cut_film[:100], options="-preset veryfast -pix_fmt yuv420p -g 40 -sc_threshold 0"
    )
    found = survey(film, film_facts(film), 1, lambda share: None)
    with GroupReader(film, found.index, found.inside) as reader:
        verdict, strip = examine(reader, found, next(plan(found)))
    assert [rank for rank, _ in verdict.cuts] == [40]
    assert strip is not None
    assert strip.ranks[-1] == 39  # nothing of the next group was decoded


def test_judge_asks_for_a_finer_look_at_gaps() -> None:
    thumbs = np.full((5, 3, 45, 80), 128, np.uint8)
    thumbs[:3, 0] = np.random.default_rng(0).integers(0, 255, (45, 80))
    thumbs[3:, 0] = np.random.default_rng(1).integers(0, 255, (45, 80))
    assert judge(Strip(np.array([0, 4, 8, 12, 16]), thumbs)) == FoundCuts(gaps=((8, 12),))
    verdict = judge(Strip(np.arange(5), thumbs))
    assert [rank for rank, _ in verdict.cuts] == [3]
    assert not verdict.gaps


@pytest.mark.parametrize("light", ["coloured", "jumps"])
def test_another_light_is_no_cut_and_hides_none(light: str) -> None:
    dice = np.random.default_rng(0)
    pieces = np.concatenate([scene(seed, 24, speed=0.5) for seed in (1, 2)]).astype(np.float32)
    lamps = dice.uniform(0.5, 1, (len(pieces), 3)) if light == "coloured" else dice.uniform(0.4, 1, (len(pieces), 1))
    shown = (pieces * np.repeat(lamps[::6], 6, 0)[:, None, None]).astype(np.uint8)
    small = (cv2.resize(each, (80, 45), interpolation=cv2.INTER_AREA) for each in shown)
    thumbs = np.stack([cv2.cvtColor(each, cv2.COLOR_RGB2YUV).transpose(2, 0, 1) for each in small])
    assert [rank for rank, _ in judge(Strip(np.arange(len(thumbs)), thumbs)).cuts] == [24]


def test_merge_keeps_the_clearer_of_close_cuts_and_drops_flashes() -> None:
    verdicts = [FoundCuts(cuts=((50, 9.0), (10, 5.0), (12, 8.0)), flashes=((88, 91),)), FoundCuts(cuts=((90, 6.0),))]
    assert merge(verdicts) == [12, 50]


@pytest.mark.parametrize("kind", ["yuv420p", "yuv422p10le", "yuv444p12le", "nv12", "rgb24"])
def test_a_thumbnail_is_that_of_the_picture_whatever_its_size_and_depth(kind: str) -> None:
    whole = VideoFrame.from_ndarray(scene(3, 1)[0], format="rgb24")
    true = small_planes(whole.reformat(format="yuv444p"), 80, 45).astype(int)
    for size in ((320, 180), (1280, 720), (1920, 800), (1920, 1080), (854, 480), (720, 576), (608, 1080), (160, 90)):
        frame = whole.reformat(*size, format=kind, interpolation="BICUBIC")
        apart = np.abs(small_planes(frame, 80, 45) - true)
        assert apart.mean() < 3
        assert apart.mean((1, 2)).max() < 6


def test_lettering_is_told_from_texture() -> None:
    text = cv2.cvtColor(lettering(1, ["Some words", "and others"])[0], cv2.COLOR_RGB2GRAY)
    grass = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH), dtype=np.uint8)
    assert is_text(glance(np.asarray(text, np.uint8), 0))
    assert not is_text(glance(grass, 0))


def test_no_bars_where_any_picture_fills_the_frame() -> None:
    boxed = np.full((HEIGHT, WIDTH), 120, np.uint8)
    boxed[:22] = boxed[-22:] = 16
    full = np.full((HEIGHT, WIDTH), 120, np.uint8)
    assert letterbox([glance(boxed, 16)] * 20, 16) == Bars(top=Fraction(22, HEIGHT), bottom=Fraction(22, HEIGHT))
    assert letterbox([glance(boxed, 16)] * 20 + [glance(full, 16)] * 5, 16) == Bars()
    traces = [glance(boxed, 16)] * 20 + [glance(full, 16)] * 2
    assert letterbox(traces, 16, share=0.85) == Bars(top=Fraction(22, HEIGHT), bottom=Fraction(22, HEIGHT))
