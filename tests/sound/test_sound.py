"""What is heard, sample by sample: levels, fades, crossfades, mute, speed, the film's sound and the music's."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from compiling import compiled
from correlation import sound_offset
from numpy.typing import NDArray
from oracle import Film, Samples, Sound
from rendering import render_text, spec_text

from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.graph.plan import Target
from cinecut.machine.gpu import gpu_lock

Films = Callable[[Film], Film]
FRAME = 2000  # samples of a frame at 24 frames/s


@pytest.fixture
def film(films: Films) -> Film:
    sound = Sound(codec="pcm_s16le")
    return films(Film(Path("a.mov"), Fraction(24), 120, (160, 90), gop=24, sound=sound))


def heard(film: Film, events: list[str], folder: Path, ffmpeg: Path, head: str = "") -> Samples:
    return render_text(spec_text(film, events, head + "output: {codec: ffv1}"), folder, ffmpeg).sound


def difference(found: Samples, wanted: NDArray[np.floating]) -> float:
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max())


def ramp(samples: int) -> NDArray[np.float64]:
    return (np.arange(samples) / samples)[:, np.newaxis]


def test_gain_and_mute(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    events = [
        "{shot: {in: 1s, for: 6f}, gain: -6}",
        "{shot: {in: 2s, for: 6f}, mute: true}",
        "{shot: {in: 3s, for: 6f}, gain: 3.5}",
    ]
    found, source = heard(film, events, tmp_path, ffmpeg), film.heard()
    assert difference(found[:12_000], source[48_000:60_000] * 10 ** (-6 / 20)) < 1e-4
    assert not found[12_000:24_000].any()
    assert difference(found[24_000:], source[144_000:156_000] * 10 ** (3.5 / 20)) < 1e-4


def test_sound_fades_inside_the_shot_alone(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    events = ["{shot: {in: 1s, for: 12f}, sound_fade: {in: 3f, out: 0.25s}}", "{shot: {in: 3s, for: 2f}}"]
    rendered = render_text(spec_text(film, events), tmp_path, ffmpeg)
    wanted = film.heard()[48_000:72_000].astype(np.float64)
    wanted[: 3 * FRAME] *= ramp(3 * FRAME)
    wanted[-12_000:] *= 1 - ramp(12_000)
    assert difference(rendered.sound[:24_000], wanted) < 1e-3
    assert difference(rendered.sound[24_000:], film.heard()[144_000:148_000]) < 1e-4
    assert rendered.numbers == [*range(24, 36), 72, 73]  # the picture does not fade


def test_a_splice_keeps_hard_cuts_from_clicking(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    events = ["{shot: {in: 1s, for: 12f}}", "{shot: {in: 3s, for: 12f}}"]
    text = spec_text(film, events, "mix: {splice: 0.005s}\noutput: {codec: ffv1}")
    found, source = render_text(text, tmp_path, ffmpeg).sound, film.heard()
    assert abs(found[[23_999, 24_000]]).max() < 0.01 * abs(source).max()
    assert difference(found[240:23_760], source[48_240:71_760]) < 1e-4
    assert difference(found[24_240:47_760], source[144_240:167_760]) < 1e-4


def test_sound_follows_the_picture_into_fades_and_dips(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    events = [
        "{shot: {in: 0.5s, for: 12f}, from: fade in 4f}",
        "{shot: {in: 2s, for: 12f}, from: dip to black 6f, to: fade out 5f}",
    ]
    source = film.heard().astype(np.float64)
    wanted = np.concatenate([source[24_000:48_000], source[96_000:120_000]])
    wanted[: 4 * FRAME] *= ramp(4 * FRAME)
    wanted[9 * FRAME : 12 * FRAME] *= 1 - ramp(3 * FRAME)
    wanted[12 * FRAME : 15 * FRAME] *= ramp(3 * FRAME)
    wanted[-5 * FRAME :] *= 1 - ramp(5 * FRAME)
    assert difference(heard(film, events, tmp_path, ffmpeg), wanted) < 1e-3


@pytest.mark.parametrize("over", [6, 7])
def test_a_crossfade_of_sound_keeps_its_power(film: Film, ffmpeg: Path, tmp_path: Path, over: int) -> None:
    events = ["{shot: {in: 1s, for: 12f}}", f"{{shot: {{in: 3s, for: 12f}}, from: crossfade {over}f}}"]
    source, half = film.heard().astype(np.float64), over // 2
    angle = ramp(over * FRAME) * np.pi / 2
    start = (12 - half) * FRAME
    wanted = np.concatenate([source[48_000:72_000], source[144_000:168_000]])
    left = source[48_000 + start :][: over * FRAME]
    right = source[144_000 - half * FRAME :][: over * FRAME]
    wanted[start : start + over * FRAME] = left * np.cos(angle) + right * np.sin(angle)
    assert difference(heard(film, events, tmp_path, ffmpeg), wanted) < 1e-3


@pytest.mark.matrix(2)
@pytest.mark.parametrize("speed", ["0.5", "2", "0.8", "4"])
def test_another_speed_stretches_the_sound_and_keeps_its_pitch(
    film: Film, ffmpeg: Path, tmp_path: Path, speed: str
) -> None:
    frames = 24 if float(speed) > 1 else 48
    found = heard(film, [f"{{shot: {{in: 0.5s, for: {frames}f}}, speed: {speed}}}"], tmp_path, ffmpeg)
    assert len(found) == frames * FRAME
    for at in range(FRAME, len(found) - 2 * FRAME, 4 * FRAME):
        # The sound is laid together from pieces of the film's: each lies near its place.
        place = sound_offset(found, film.heard(), at, window=512)
        assert abs(place - (24_000 + at * float(speed))) < 0.06 * 48_000
    band = np.abs(np.fft.rfft(found[:, 0])) ** 2
    hertz = np.fft.rfftfreq(len(found), 1 / 48_000)
    assert band[(hertz > 100) & (hertz < 4200)].sum() > 0.97 * band.sum()
    assert band[(hertz > 3300) & (hertz < 4000)].sum() > 0.1 * band.sum()  # the film's band reaches 4 kHz


@pytest.mark.matrix
@pytest.mark.parametrize("start", [Fraction(1, 2), Fraction(-1, 4)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_starts_with_another_moment(
    films: Films, ffmpeg: Path, tmp_path: Path, suffix: str, start: Fraction
) -> None:
    sound = Sound(codec="flac", start=start)
    film = films(Film(Path("a" + suffix), Fraction(24), 72, (160, 90), gop=24, sound=sound, start=Fraction(1, 2)))
    found = heard(film, ["{shot: {in: 0s, for: 24f}}", "{shot: {in: 0.25s, for: 24f}}"], tmp_path, ffmpeg)
    slack = 0 if suffix == ".mp4" else 48
    for piece, in_ in ((found[:48_000], 0), (found[48_000:], 12_000)):
        silent = max(0, 24_000 - in_) if start > 0 else 0
        assert not piece[: silent - slack].any() if silent else piece[:100].any()
        place = sound_offset(piece, film.heard(), silent + 1000)
        assert place == pytest.approx(silent + 1000 + in_ - float(start) * 48_000, abs=slack + 0.1)


def test_no_sound_at_all(films: Films, ffmpeg: Path, tmp_path: Path) -> None:
    film = films(Film(Path("a.mkv"), Fraction(30000, 1001), 48, (160, 90)))
    found = heard(film, ["{shot: {in: 0s, for: 7f}}", "{black: 4f}"], tmp_path, ffmpeg)
    assert found.shape == (round(11 * 1601.6), 2)
    assert not found.any()


@pytest.mark.parametrize("second", [1, 2])
def test_the_audio_stream_that_is_asked_for(film: Film, ffmpeg: Path, tmp_path: Path, second: int) -> None:
    """A film of two languages: silence and the oracle's sound."""
    both = tmp_path / "both.mkv"
    quiet = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo:d=5"]
    maps = ["-map", "0:v", "-map", "1:a", "-map", "0:a", "-disposition:a", "0", "-c:v", "copy", "-c:a", "pcm_s16le"]
    subprocess.run([ffmpeg, "-v", "error", "-i", film.path, *quiet, *maps, both], check=True)
    text = spec_text(film, ["{shot: {in: 1s, for: 6f}}"]).replace(
        f"film: {film.path}", f"film: {{file: {both}, audio: {second}}}"
    )
    assert render_text(text, tmp_path, ffmpeg).sound.any() == (second == 2)


# Music


@pytest.fixture
def song(films: Films) -> Film:
    return films(Film(Path("song.mkv"), Fraction(24), 24 * 7, (32, 32), sound=Sound(codec="pcm_s16le")))


def extract(song: Film, name: str, folder: Path, ffmpeg: Path, *options: str) -> Path:
    path = folder / name
    subprocess.run([ffmpeg, "-v", "error", "-y", "-i", song.path, "-vn", *options, path], check=True)
    return path


MUTED = "{shot: {in: 0s, for: 48f}, mute: true}"


def test_music_starts_at_its_place_with_its_level_and_fades(
    film: Film, song: Film, ffmpeg: Path, tmp_path: Path
) -> None:
    path = extract(song, "song.wav", tmp_path, ffmpeg)
    music = f"music: {{file: {path.name}, start: 1.5s, gain: -12, fade_out: 0.5s}}\n"
    wanted = song.heard()[72_000:168_000] * 10 ** (-12 / 20)
    wanted[-24_000:] *= 1 - ramp(24_000).astype(np.float32)
    assert difference(heard(film, [MUTED], tmp_path, ffmpeg, music), wanted) < 1e-4


def test_music_lies_under_the_film(film: Film, song: Film, ffmpeg: Path, tmp_path: Path) -> None:
    path = extract(song, "song.wav", tmp_path, ffmpeg)
    events = ["{shot: {in: 1s, for: 24f}}", "{black: 24f}"]
    found = heard(film, events, tmp_path, ffmpeg, f"music: {{file: {path.name}, gain: 0, fade_out: 1f}}\n")
    wanted = song.heard()[:96_000].copy()
    wanted[:48_000] += film.heard()[48_000:96_000]
    assert difference(found[:94_000], wanted[:94_000]) < 1e-4


@pytest.mark.matrix(3)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("song.flac", ("-ar", "44100")),
        ("song.ogg", ("-c:a", "libvorbis", "-b:a", "192k")),
        ("song.mp3", ("-c:a", "libmp3lame", "-b:a", "192k")),
        ("song.m4a", ("-c:a", "aac", "-b:a", "192k")),
        ("song.opus", ("-c:a", "libopus", "-b:a", "192k")),
    ],
)
def test_songs_of_every_kind_keep_their_time(
    film: Film, song: Film, bundled: Path, ffmpeg: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    path = extract(song, name, tmp_path, bundled, *options)
    found = heard(film, [MUTED], tmp_path, ffmpeg, f"music: {{file: {path.name}, start: 2s, gain: 0}}\n")
    for at in (0, 30_000):
        assert sound_offset(found, song.heard(), at) == pytest.approx(96_000 + at, abs=1)


def test_a_short_song_is_followed_by_silence(film: Film, song: Film, ffmpeg: Path, tmp_path: Path) -> None:
    path = extract(song, "song.wav", tmp_path, ffmpeg, "-af", "atrim=end_sample=48000")
    found = heard(film, [MUTED], tmp_path, ffmpeg, f"music: {{file: {path.name}, gain: 0, loop: false}}\n")
    assert len(found) == 96_000
    assert difference(found[:48_000], song.heard()[:48_000]) < 1e-4
    assert not found[48_000:].any()


# The delivered file


@pytest.mark.parametrize("rate", ["24", "30000/1001"])
def test_picture_and_sound_of_an_mp4_end_together(film: Film, ffmpeg: Path, tmp_path: Path, rate: str) -> None:
    events = ["{shot: {in: 0.5s, for: 29f}}", "{shot: {in: 2s, for: 30f}}"]
    head = f"output: {{preset: ultrafast, rate: {rate}, audio_bitrate: 192k}}"
    rendered = render_text(spec_text(film, events, head), tmp_path, ffmpeg)
    assert len(rendered.pictures) == 59
    assert rendered.stamps == [k / Fraction(rate) for k in range(59)]
    end = round(59 * 48_000 / Fraction(rate))
    assert abs(sound_offset(rendered.sound, film.heard(), 20_000) - 24_000 - 20_000) < 0.1
    assert 0 <= len(rendered.sound) - end < 1024 or abs(len(rendered.sound) - end) <= 1


def test_every_sample_of_a_long_mix_has_its_place(ffmpeg: Path, tmp_path: Path) -> None:
    """Filters that count microseconds put samples one off after a minute, and AAC then ended a sample late."""
    events = "".join(f"  - black: {13 + number % 5}f\n" for number in range(200))
    head = "cinecut: 1\nfilm: film.mkv\noutput: {rate: 30000/1001}\n"
    plan = compiled(f"{head}timeline:\n  - {{shot: {{in: 1s, for: 1s}}, mute: true}}\n{events}")
    hashed = Target(plan.sound.targets[0].maps, ("-c:a", "pcm_s16le", "-f", "framecrc"), "")
    with gpu_lock("a test", lambda holder: None) as lock:
        place = Workplace(find_ffmpeg(str(ffmpeg)), tmp_path, lock, {})
        run_graph(replace(plan.sound, targets=(hashed,)), ["stamps.txt"], place)
    rows = [row.split(",") for row in (tmp_path / "stamps.txt").read_text().splitlines() if not row.startswith("#")]
    places = [(int(row[2]), int(row[3])) for row in rows]
    assert [stamp for stamp, _ in places] == list(accumulate((length for _, length in places[:-1]), initial=0))
    assert sum(length for _, length in places) == plan.samples
