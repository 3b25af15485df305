"""The music as it is edited: parts, loops, joins and cues to the sample, without a click; the beats after the edit;
songs of every shape and length.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from oracle import Film, Samples, Sound
from rendering import spec_text, stems_of

from cinecut.diagnostics import Stop
from cinecut.render.job import prepare

Films = Callable[[Film], Film]
RATE = 48_000
JOIN = 1920  # samples: 0.04 s


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mp4"), Fraction(24), 48, (160, 90), gop=24))


def noise(seconds: float, seed: int = 0, rate: int = RATE) -> Samples:
    """Stereo, no stretch like another."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), 2)).astype(np.float32)


def tone(hertz: float, seconds: float) -> Samples:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def write(folder: Path, song: Samples, name: str = "song.wav", rate: int = RATE) -> None:
    soundfile.write(folder / name, song, rate, subtype="FLOAT")


def music(film: Film, music: str, events: Sequence[str], folder: Path, ffmpeg: Path) -> Samples:
    text = spec_text(film, events, f"music: {{{music}}}\noutput: {{codec: ffv1}}")
    return stems_of(text, folder, ffmpeg)["music"]


def joined(parts: Sequence[Samples], heads: Sequence[Samples]) -> Samples:
    """Parts one after another; each but the first comes in at equal power over the end of the one before, with what
    the song has before it (`heads`)."""
    wanted = list(parts)
    for index, head in enumerate(heads):
        rise = np.sin(np.arange(len(head)) / len(head) * np.pi / 2)[:, np.newaxis]
        before = wanted[index].copy()
        before[-len(head) :] = before[-len(head) :] * rise[::-1] + head * rise
        wanted[index] = before.astype(np.float32)
    return np.concatenate(wanted)


def far(found: Samples, wanted: Samples) -> float:
    """The greatest difference of two samples."""
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max())


FOUR = ["{black: 4s}"]
PLAIN = "gain: 0, fade_out: 1f"
FADED = 4 * RATE - 2000  # the first sample of the fade out


# Parts and joins


def test_parts_come_one_after_another(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, song := noise(8))
    found = music(film, f"file: song.wav, parts: [5 - 6.5, 1 - 2, 6 - 8], {PLAIN}", FOUR, tmp_path, ffmpeg)
    cuts = [(5, 6.5), (1, 2), (6, 7.5)]
    parts = [song[round(a * RATE) : round(b * RATE)] for a, b in cuts]
    heads = [song[round(a * RATE) - JOIN : round(a * RATE)] for a, _ in cuts[1:]]
    assert far(found[:FADED], joined(parts, heads)[:FADED]) < 1e-5


def test_a_hard_join(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, song := noise(8))
    found = music(film, f"file: song.wav, parts: [5 - 6, 1 - 4], join: 0, {PLAIN}", FOUR, tmp_path, ffmpeg)
    assert far(found[:FADED], np.concatenate([song[5 * RATE : 6 * RATE], song[RATE : 4 * RATE]])[:FADED]) < 1e-6


NOTHING = np.zeros((JOIN, 2), np.float32)


def test_before_a_song_there_is_silence(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """A part that begins with the song has nothing to fade in from; the one before fades out all the same."""
    write(tmp_path, song := noise(8))
    found = music(film, f"file: song.wav, parts: [5 - 6, 0 - 3], {PLAIN}", FOUR, tmp_path, ffmpeg)
    wanted = joined([song[5 * RATE : 6 * RATE], song[: 3 * RATE]], [NOTHING])
    assert far(found[:FADED], wanted[:FADED]) < 1e-5


def test_parts_that_are_shorter_than_the_trailer(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """The music ends softly where the last one does."""
    write(tmp_path, song := noise(8))
    found = music(film, f"file: song.wav, parts: [5 - 6], {PLAIN}", FOUR, tmp_path, ffmpeg)
    wanted = song[5 * RATE : 6 * RATE].copy()
    wanted[-JOIN:] *= (1 - np.arange(JOIN, dtype=np.float32) / JOIN)[:, np.newaxis]
    assert far(found[:RATE], wanted) < 1e-5
    assert not found[RATE:].any()


def test_a_part_that_is_shorter_than_its_join(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, song := noise(8))
    found = music(film, f"file: song.wav, parts: [5 - 5.01, 1 - 1.02, 2 - 7], {PLAIN}", FOUR, tmp_path, ffmpeg)
    assert len(found) == 4 * RATE
    assert far(found[1440:FADED], song[2 * RATE :][: FADED - 1440]) < 1e-5


def test_music_ends_with_its_fade(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, song := noise(8))
    found = music(film, "file: song.wav, gain: -12, fade_out: 1s", FOUR, tmp_path, ffmpeg)
    wanted = song[: 4 * RATE] * 10 ** (-12 / 20)
    wanted[3 * RATE :] *= (1 - np.arange(RATE) / RATE)[:, np.newaxis]
    assert far(found, wanted.astype(np.float32)) < 1e-5


# Loops


def test_a_song_of_three_seconds_fills_a_trailer(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """From its last bar line back to its first: at 120 beats a minute from 0.25 s every two."""
    write(tmp_path, song := noise(3))
    beats = "beats: {tempo: 120, first: 0.25}"
    found = music(film, f"file: song.wav, {beats}, {PLAIN}", ["{black: 9s}"], tmp_path, ffmpeg)
    back, turn = 12_000, 108_000
    head = song[back - JOIN : back]
    rounds = [song[:turn], *[song[back:turn]] * 4]
    wanted = joined(rounds, [head] * 4)[: len(found) - 2000]
    assert far(found[: len(wanted)], wanted) < 1e-5


def test_without_beats_it_loops_as_a_whole(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, song := noise(3))
    found = music(film, f"file: song.wav, start: 1s, {PLAIN}", ["{black: 9s}"], tmp_path, ffmpeg)
    assert len(found) == 9 * RATE
    wanted = joined([song[RATE:], song, song, song], [NOTHING] * 3)[: len(found) - 2000]
    assert far(found[: len(wanted)], wanted) < 1e-5


def test_no_loop_leaves_silence(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, song := noise(3))
    found = music(film, f"file: song.wav, loop: false, {PLAIN}", FOUR, tmp_path, ffmpeg)
    assert far(found[: 3 * RATE], song) < 1e-6
    assert not found[3 * RATE :].any()


# Clicks


def steps(sound: Samples) -> float:
    """The greatest step from one sample to the next."""
    return float(np.abs(np.diff(sound, axis=0)).max())


@pytest.mark.matrix
@pytest.mark.parametrize("hertz", [110.0, 441.3, 1999.7])
@pytest.mark.parametrize(
    "edit",
    [
        "parts: [1.013 - 2.5171, 0.5 - 1.003, 3.3333 - 6]",
        "parts: [1.013 - 2.5171, 0.5 - 1.003]",
        "start: 5.31",
        "start: 5.31, beats: {tempo: 131.7}",
        "start: 5.31, beats: {tempo: 131.7, first: 0.3}",
    ],
)
def test_no_join_clicks(film: Film, bundled: Path, tmp_path: Path, hertz: float, edit: str) -> None:
    """No sample step beyond what both sides together have."""
    write(tmp_path, song := tone(hertz, 7))
    found = music(film, f"file: song.wav, {edit}, gain: 0", FOUR, tmp_path, bundled)
    assert np.abs(found).max() > 0.4
    assert steps(found) <= 2 * steps(song)


def test_no_cue_clicks(film: Film, bundled: Path, tmp_path: Path) -> None:
    write(tmp_path, song := tone(110, 7))
    events = [
        "{black: 1.01s}",
        "{black: 1s, cue: {file: song.wav, start: 1.003, fade: 0.1s}}",
        "{black: 1s, cue: stop}",
    ]
    found = music(film, "file: song.wav, gain: 0", events, tmp_path, bundled)
    assert steps(found) <= 2 * steps(song)


def test_a_hard_join_does_click(film: Film, bundled: Path, tmp_path: Path) -> None:
    """So that the test before is known to be able to fail."""
    write(tmp_path, song := tone(110, 7))
    found = music(film, "file: song.wav, parts: [1.01 - 2.517, 0.5 - 4], join: 0, gain: 0", FOUR, tmp_path, bundled)
    assert steps(found) > 2 * steps(song)


# Cues


def test_a_cue_takes_over(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """It begins on its event's sample; the song before fades out under it."""
    write(tmp_path, song := noise(8))
    write(tmp_path, other := noise(8, seed=1), "other.wav")
    events = ["{black: 2s}", "{black: 2s, cue: {file: other.wav, start: 1.5s, gain: -6, fade: 0.25s}}"]
    found = music(film, f"file: song.wav, {PLAIN}", events, tmp_path, ffmpeg)
    wanted = np.zeros((4 * RATE, 2))
    wanted[: 2 * RATE + 12_000] = song[: 2 * RATE + 12_000]
    wanted[2 * RATE :][:12_000] *= (1 - np.arange(12_000) / 12_000)[:, np.newaxis]
    onset = np.minimum(1, np.arange(2 * RATE) / 96)[:, np.newaxis]  # 2 ms: it begins in the midst of its song
    wanted[2 * RATE :] += other[72_000 : 72_000 + 2 * RATE] * 10 ** (-6 / 20) * onset
    assert far(found[:FADED], wanted[:FADED].astype(np.float32)) < 1e-5


def test_cues_follow_each_other_and_may_come_back(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    songs = {name: noise(8, seed) for seed, name in enumerate(("song.wav", "b.wav", "c.wav"))}
    for name, samples in songs.items():
        write(tmp_path, samples, name)
    events = ["{black: 1s}", *(f"{{black: 1s, cue: {{file: {n}, fade: 0}}}}" for n in ("b.wav", "c.wav", "b.wav"))]
    found = music(film, f"file: song.wav, {PLAIN}", events, tmp_path, ffmpeg)
    heard = np.concatenate([songs[name][:RATE] for name in ("song.wav", "b.wav", "c.wav", "b.wav")])
    assert far(found[:FADED], heard[:FADED]) < 1e-6


def test_stop_ends_the_music(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, song := noise(8))
    events = ["{black: 2s}", "{black: 2s, cue: stop}"]
    found = music(film, f"file: song.wav, {PLAIN}", events, tmp_path, ffmpeg)
    assert far(found[: 2 * RATE], song[: 2 * RATE]) < 1e-6
    assert found[2 * RATE : 2 * RATE + 20_000].any()
    assert not found[2 * RATE + 24_000 :].any()


def test_a_cue_at_once_is_all_there_is(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, noise(8))
    write(tmp_path, other := noise(8, seed=1), "other.wav")
    events = ["{black: 4s, cue: {file: other.wav, fade: 0}}"]
    assert far(music(film, f"file: song.wav, {PLAIN}", events, tmp_path, ffmpeg)[:FADED], other[:FADED]) < 1e-6
    none = spec_text(film, ["{black: 1s, cue: {file: stop, fade: 0}}"], "music: song.wav")
    assert "music" not in stems_of(none, tmp_path, ffmpeg)


def test_a_cue_without_music_before_it(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, song := noise(8))
    text = spec_text(film, ["{black: 1s}", "{black: 1s, cue: song.wav}"])
    found = stems_of(text, tmp_path, ffmpeg)["music"]
    assert not found[:RATE].any()
    assert far(found[RATE:], song[:RATE]) < 1e-6


def test_a_song_under_the_last_cue_ends_the_trailer(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """The fade out is the trailer's, whichever song it meets."""
    write(tmp_path, song := noise(8))
    events = ["{black: 1s}", "{black: 2s, cue: song.wav}"]
    found = music(film, "file: song.wav, gain: 0, fade_out: 1s", events, tmp_path, ffmpeg)
    wanted = song[: 2 * RATE] * np.minimum(1, 2 - np.arange(2 * RATE) / RATE)[:, np.newaxis]
    assert far(found[RATE + 24_000 :], wanted[24_000:].astype(np.float32)) < 1e-5


# Beats after the edit


@pytest.mark.parametrize(
    ("edit", "beats"),
    [
        ("start: 1.2", "{tempo: 96, first: 0.7}"),
        ("start: 6.1", "{tempo: 96, first: 0.7}"),
        ("parts: [0.7 - 3.2, 5.7 - 8.2]", "{tempo: 96, first: 0.7}"),
        ("parts: [1.1 - 3.3, 0.2 - 1.9, 4.7 - 7.9]", "{tempo: 96, first: 0.7}"),
        ("parts: [1.1 - 3.3, 0.2 - 1.9, 4.7 - 7.9]", "{times: [0.7, 1.3, 1.95, 2.6, 3.2, 3.9, 4.7, 5.4, 6, 6.8, 7.5]}"),
        ("start: 5", "{times: [0.7, 1.3, 1.95, 2.6, 3.2, 3.9, 4.7, 5.4, 6, 6.8, 7.5], metre: 3}"),
    ],
)
def test_the_grid_follows_the_edit(film: Film, bundled: Path, tmp_path: Path, edit: str, beats: str) -> None:
    """Every beat that is heard is a line of the trailer's grid; the song is silent but for its beats."""
    period, first = 60 * RATE / 96, 0.7 * RATE
    listed = [round(float(t) * RATE) for t in re.findall(r"[\d.]+", beats.partition("[")[2].partition("]")[0])]
    clicks = listed or [round(first + k * period) for k in range(12)]
    song = np.zeros((9 * RATE, 2), np.float32)
    song[clicks] = 0.9
    write(tmp_path, song)
    head = f"file: song.wav, {edit}, beats: {beats}, gain: 0, join: 0, fade_out: 1f"
    found = music(film, head, ["{black: 6s}"], tmp_path, bundled)
    heard = np.flatnonzero(found[:, 0] > 0.5)
    assert len(heard) > 5
    job = prepare(tmp_path / "stems.yaml")
    grid = job.plan.timeline.grid
    assert grid is not None
    off = [float(grid.nearest_line(Fraction(int(n), RATE), "beat") * RATE - int(n)) for n in heard]
    assert np.abs(off).max() <= 1


# Songs of every shape


def loudest(sound: Samples, rate: int = RATE) -> float:
    """The frequency of the strongest part, Hz."""
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound))))
    return float(np.argmax(spectrum)) * rate / len(sound)


@pytest.mark.matrix
@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_songs_of_other_rates_and_of_one_channel(
    film: Film, ffmpeg: Path, tmp_path: Path, rate: int, channels: int
) -> None:
    t = np.arange(5 * rate) / rate
    wave = 0.25 * np.sin(2 * np.pi * 440 * t)
    soundfile.write(tmp_path / "song.wav", np.stack([wave] * channels, axis=1), rate)
    found = music(film, f"file: song.wav, {PLAIN}", FOUR, tmp_path, ffmpeg)
    assert loudest(found[:FADED]) == pytest.approx(440, abs=0.5)
    wanted = 0.25 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)
    assert np.abs(found[1000:FADED] - wanted[1000:FADED, np.newaxis]).max() < 0.01


def test_six_channels_become_two(films: Films, film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    song = films(Film(Path("a.mkv"), Fraction(24), 120, (32, 32), sound=Sound(channels=6, codec="pcm_s16le")))
    to_wav: list[str | Path] = [ffmpeg, "-v", "error", "-i", song.path, "-vn", tmp_path / "song.wav"]
    subprocess.run(to_wav, check=True)
    found = music(film, f"file: song.wav, {PLAIN}", FOUR, tmp_path, ffmpeg)[:FADED]
    left, right, centre, _, back_left, back_right = song.heard(RATE)[:FADED].T.astype(np.float64)
    share = 1 / (1 + 2 * 0.7071)
    sides = [share * (left + 0.7071 * (centre + back_left)), share * (right + 0.7071 * (centre + back_right))]
    assert np.abs(found - np.stack(sides, axis=1)).max() < 1e-3


def long_song(path: Path, seconds: int, noise_at: int, rate: int = 8000) -> NDArray[np.int16]:
    """A song that takes no room on disk: silent but for ten seconds of noise, which are returned."""
    noise = (np.random.default_rng(0).uniform(-0.5, 0.5, 10 * rate) * 32767).astype("<i2")
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
        file.write(np.zeros(1, np.int16))
    header, size = bytearray(path.read_bytes()[:44]), seconds * rate * 2
    header[4:8], header[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
    with path.open("wb") as sparse:
        sparse.write(header)
        sparse.seek(44 + noise_at * rate * 2)
        sparse.write(noise.tobytes())
        sparse.truncate(44 + size)
    return noise


@pytest.mark.parametrize(
    ("seconds", "noise_at"), [(1200, 600), *(pytest.param(10800, at, marks=pytest.mark.slow) for at in (0, 10790))]
)
def test_a_long_song(film: Film, bundled: Path, tmp_path: Path, seconds: int, noise_at: int) -> None:
    """From its middle, its start, or four seconds into its last ten."""
    noise = long_song(tmp_path / "song.wav", seconds, noise_at)
    found = music(film, f"file: song.wav, start: {noise_at + 4}, {PLAIN}", FOUR, tmp_path, bundled)
    wanted = noise[4 * 8000 : 8 * 8000] / 32768
    at_its_own_rate = found[: len(wanted) * 6 : 6, 0]  # band-limited: every sixth sample is one of the song's
    assert np.corrcoef(at_its_own_rate[100:-900], wanted[100:-900])[0, 1] > 0.99


@pytest.mark.parametrize(
    ("name", "code"),
    [("nowhere.mp3", "missing-file"), ("video.mp4", "no-audio"), ("half.mp3", ""), ("rubbish.mp3", "unreadable")],
)
def test_a_song_that_is_none(film: Film, bundled: Path, tmp_path: Path, name: str, code: str) -> None:
    """It is refused in words, by the same rules for a cue; one that was cut short is as long as it is."""
    (tmp_path / "video.mp4").write_bytes(film.path.read_bytes())
    (tmp_path / "rubbish.mp3").write_bytes(np.random.default_rng(0).bytes(50_000))
    write(tmp_path, noise(3), "whole.wav")
    subprocess.run([bundled, "-v", "error", "-i", tmp_path / "whole.wav", tmp_path / "whole.mp3"], check=True)
    whole = (tmp_path / "whole.mp3").read_bytes()
    (tmp_path / "half.mp3").write_bytes(whole[: len(whole) // 2])
    for head, events in ((f"music: {name}", FOUR), ("", [f"{{black: 4s, cue: {name}}}"])):
        text = spec_text(film, events, f"{head}\noutput: {{codec: ffv1}}")
        if not code:
            assert stems_of(text, tmp_path, bundled)["music"][:RATE].any()
            continue
        with pytest.raises(Stop) as stop:
            stems_of(text, tmp_path, bundled)
        assert [d.code for d in stop.value.diagnostics] == [code]


def test_a_song_with_rubbish_inside_still_plays(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    write(tmp_path, noise(6), "whole.wav")
    subprocess.run([ffmpeg, "-v", "error", "-i", tmp_path / "whole.wav", tmp_path / "song.mp3"], check=True)
    damaged = bytearray((tmp_path / "song.mp3").read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    (tmp_path / "song.mp3").write_bytes(damaged)
    found = music(film, f"file: song.mp3, {PLAIN}", FOUR, tmp_path, ffmpeg)
    assert len(found) == 4 * RATE
    assert found[:RATE].any()
    assert found[3 * RATE : FADED].any()
