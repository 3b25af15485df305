"""Beats against songs whose beats are known: made here from kicks, snares, hats and chords."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from footage import song as footage_song
from numpy.typing import NDArray

from cinecut.analysis.song import onsets
from cinecut.analysis.song.beats import Beats, analyse_music, beats_in, counted
from cinecut.analysis.song.clicks import write_clicks
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.media.probe import song_facts

Array = NDArray[np.float64]

RATE = 22_050
SCI_FI = (90.0, 150.0)


def steady(tempo: float, first: float, seconds: float) -> Array:
    return np.arange(first, seconds, 60 / tempo)


def drum(kind: str) -> Array:
    """A quarter of a second whose attack is its first sample."""
    rng = np.random.default_rng(7)
    t = np.arange(RATE // 4) / RATE
    if kind == "kick":
        return np.asarray(0.9 * np.sin(2 * np.pi * (50 * t + 1 - np.exp(-t * 40))) * np.exp(-t * 18))
    if kind == "snare":
        noise = 0.4 * rng.standard_normal(t.size)
        return np.asarray((noise + 0.4 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 22))
    return np.asarray(0.18 * np.diff(rng.standard_normal(t.size + 1)) * np.exp(-t * 70))


def band(beats: Array, metre: int = 4, swing: float = 0.5, snare_gain: float = 0.6) -> Array:
    """A song over `beats` (seconds; the first is a downbeat): kicks, snares, hats in eighths, a chord for each bar."""
    sound = np.zeros(int((beats[-1] + 3) * RATE))
    ends = np.append(beats[1:], 2 * beats[-1] - beats[-2])

    def put(what: Array, seconds: float, gain: float) -> None:
        start = round(seconds * RATE)
        sound[start : start + what.size] += gain * what

    kick, snare, hat = drum("kick"), drum("snare"), drum("hat")
    for index, (beat, end) in enumerate(zip(beats, ends, strict=True)):
        place = index % metre
        kicks = place == 0 or (metre == 4 and place == 2)
        put(kick if kicks else snare, beat, 1.0 if place == 0 else 0.8 if kicks else snare_gain)
        put(hat, beat, 1.0)
        put(hat, beat + swing * (end - beat), 1.0)
        if place == 0:
            put(chord(index // metre, ends[min(index + metre, ends.size) - 1] - beat), beat, 1.0)
    return sound[: int((beats[-1] + 1) * RATE)]


def chord(bar: int, seconds: float) -> Array:
    t = np.arange(int(seconds * RATE)) / RATE
    root = (110.0, 87.31, 130.81, 98.0)[bar % 4]
    tones = np.sum([np.sin(2 * np.pi * root * ratio * t) for ratio in (1, 2, 2.52, 3)], axis=0)
    return np.asarray(0.05 * tones * np.minimum(1, 50 * t) * np.minimum(1, 50 * (seconds - t)))


def speech(seconds: float) -> Array:
    """Noise in syllables of uneven length, as a voice without a metre has them."""
    rng = np.random.default_rng(1)
    loudness, now = np.zeros(int(seconds * RATE)), 0.3
    while now < seconds - 0.5:
        size = int(rng.uniform(0.08, 0.35) * RATE)
        start = int(now * RATE)
        loudness[start : start + size] += np.hanning(size) * rng.uniform(0.3, 1)
        now += size / RATE * rng.uniform(0.8, 1.2) + (rng.uniform(0.2, 0.9) if rng.random() < 0.15 else 0)
    return np.asarray(0.1 * loudness * rng.standard_normal(loudness.size))


def write(folder: Path, sound: Array, name: str = "song.wav", rate: int = RATE) -> Path:
    path = folder / name
    soundfile.write(path, sound, rate)
    return path


def analysed(folder: Path, sound: Array, likely: float = 115.0) -> tuple[Beats, list[Diagnostic]]:
    return analyse_music(write(folder, sound), SCI_FI, likely)


def errors(beats: Beats, truth: Array) -> Array:
    """Seconds from every true beat to the nearest found one."""
    times = np.array([float(time) for time in beats.times])
    return np.asarray([times[np.argmin(np.abs(times - moment))] - moment for moment in truth])


def agree(beats: Beats, truth: Array, tolerance: float = 0.07) -> float:
    """F-measure of the found beats among the true ones' span."""
    times = np.array([float(time) for time in beats.times])
    times = times[(times > truth[0] - 0.1) & (times < truth[-1] + 0.1)]
    recall = np.mean(np.abs(errors(beats, truth)) <= tolerance)
    precision = np.mean([np.min(np.abs(truth - time)) <= tolerance for time in times])
    return float(2 * precision * recall / max(precision + recall, 1e-9))


@pytest.mark.parametrize(
    ("tempo", "first", "swing"), [(120.0, 0.5, 0.5), (97.3, 1.234, 0.5), (143.21, 0.0, 0.5), (110.0, 0.7, 0.66)]
)
def test_steady_song(tmp_path: Path, tempo: float, first: float, swing: float) -> None:
    truth = steady(tempo, first, 45)
    beats, found = analysed(tmp_path, band(truth, swing=swing))
    assert beats.tempo is not None
    assert float(beats.tempo) == pytest.approx(tempo, rel=1e-4)
    assert np.abs(errors(beats, truth)).max() < 0.005
    assert float(beats.first) == pytest.approx(first % (240 / tempo), abs=0.005)
    assert beats.metre == 4
    assert beats.confidence > 0.5
    assert not found


def test_whole_tempo_is_written_whole(tmp_path: Path) -> None:
    beats, _ = analysed(tmp_path, band(steady(128, 0.3, 40)))
    assert beats.tempo == 128
    assert all((time * 1000).denominator == 1 for time in beats.times)


def test_range_settles_the_octave(tmp_path: Path) -> None:
    song = write(tmp_path, band(steady(140, 0.2, 40)))
    found = counted(onsets.listen(song))
    slow, fast = (beats_in(found, *expected) for expected in (((55.0, 110.0), 75.0), ((100.0, 160.0), 128.0)))
    assert slow.tempo == 70
    assert fast.tempo == 140
    assert Fraction(70) in [tempo for tempo, _ in fast.octaves]
    assert Fraction(140) in [tempo for tempo, _ in slow.octaves]


def test_range_does_not_bend_the_tempo(tmp_path: Path) -> None:
    """A song just outside the range keeps its tempo, with a warning; it is not forced to a wrong one inside."""
    beats, found = analyse_music(write(tmp_path, band(steady(95, 0.2, 40))), (100.0, 160.0), 128.0)
    assert beats.tempo == 95
    assert [d.code for d in found] == ["music"]
    assert "95" in found[0].message


def test_rival_inside_the_range_is_told(tmp_path: Path) -> None:
    beats, found = analyse_music(write(tmp_path, band(steady(66, 0.2, 40))), (60.0, 135.0), 75.0)
    assert beats.tempo in (66, 132)
    assert [d for d in found if f"{198 - int(beats.tempo or 0)} is possible too" in d.message]


def test_waltz(tmp_path: Path) -> None:
    truth = steady(110, 0.7, 45)
    beats, _ = analysed(tmp_path, band(truth, metre=3))
    assert beats.metre == 3
    assert float(beats.downbeats[1] - beats.downbeats[0]) == pytest.approx(180 / 110, abs=0.002)
    assert float(beats.first) == pytest.approx(0.7, abs=0.005)


def test_loud_snares_between_the_beats(tmp_path: Path) -> None:
    """Kick on the beat, a louder snare on every off-beat: the kick and the harmony keep the beat."""
    truth = steady(150, 0.4, 45)
    sound = band(truth, snare_gain=0.0)
    for moment in truth:
        start = round((moment + 0.2) * RATE)
        sound[start : start + RATE // 4] += 1.5 * drum("snare")[: sound.size - start]
    beats, _ = analyse_music(write(tmp_path, 0.4 * sound), (100.0, 160.0), 128.0)
    assert beats.tempo == 150
    assert np.abs(errors(beats, truth)).max() < 0.02
    assert float(beats.first) == pytest.approx(0.4, abs=0.02)


def test_tempo_steps(tmp_path: Path) -> None:
    truth = np.concatenate([steady(100, 0.5, 40), steady(120, 40.1, 75)])
    beats, found = analysed(tmp_path, band(truth))
    assert beats.tempo is None
    assert agree(beats, truth) > 0.95
    assert any("tempo changes" in d.message for d in found)


def test_small_step_is_not_averaged_away(tmp_path: Path) -> None:
    truth = np.concatenate([steady(120, 0.5, 60), steady(126, 60, 80)])
    beats, _ = analysed(tmp_path, band(truth))
    assert beats.tempo is None
    assert agree(beats, truth) > 0.95


def test_tempo_ramps(tmp_path: Path) -> None:
    truth = 0.5 + np.concatenate([[0.0], np.cumsum(60 / np.linspace(100, 130, 120))])
    beats, _ = analysed(tmp_path, band(truth))
    assert beats.tempo is None
    assert agree(beats, truth) > 0.95
    assert abs(errors(beats, truth).mean()) < 0.005


def test_human_drummer_gets_a_grid(tmp_path: Path) -> None:
    truth = steady(104, 0.5, 60)
    played = truth + np.random.default_rng(2).normal(0, 0.010, truth.size)
    beats, _ = analysed(tmp_path, band(played))
    assert beats.tempo is not None
    assert float(beats.tempo) == pytest.approx(104, rel=1e-3)
    assert abs(errors(beats, truth).mean()) < 0.010


def test_phrases_and_energy_follow_the_song(tmp_path: Path) -> None:
    """Eight bars of chords alone, sixteen with drums, eight alone: the turns and the loud part are found."""
    truth = steady(120, 0.0, 64)  # 32 bars of 2 s
    sound = band(truth)
    quiet = np.zeros(sound.size)
    for bar in range(32):
        part = chord(bar, 2.0)
        quiet[bar * 2 * RATE :][: part.size] += part
    sound[: 16 * RATE] = quiet[: 16 * RATE]
    sound[48 * RATE : 64 * RATE] = quiet[48 * RATE : 64 * RATE]
    beats, _ = analysed(tmp_path, sound[: 64 * RATE])
    starts = {phrase.bar: phrase for phrase in beats.phrases}
    assert {0, 8, 24} <= starts.keys()
    assert starts[8].strength > 0.5
    assert starts[24].strength > 0.5
    assert starts[8].energy > starts[0].energy + 0.1
    assert sum(phrase.bars for phrase in beats.phrases) == len(beats.energy)
    assert float(starts[8].start) == pytest.approx(16.0, abs=0.005)
    assert max(beats.energy) == 1.0
    assert int(np.argmax(beats.energy)) in range(8, 24)


@pytest.mark.parametrize("kind", ["silence", "speech", "noise"])
def test_no_pulse_takes_the_expected_tempo(tmp_path: Path, kind: str) -> None:
    noise = 0.1 * np.random.default_rng(3).standard_normal(30 * RATE)
    sound = {"silence": np.zeros(20 * RATE), "speech": speech(40), "noise": noise}[kind]
    beats, found = analysed(tmp_path, sound, likely=112.5)
    assert beats.tempo == Fraction("112.5")
    assert beats.first == 0
    assert beats.confidence == 0
    assert [d.code for d in found] == ["music"]
    assert found[0].message.startswith("the song ")  # kept by content: another file's name would be a wrong one
    assert ("silent" in found[0].message) == (kind == "silence")
    assert (max(beats.energy) == 0) == (kind == "silence")


@pytest.mark.parametrize("seconds", [0.01, 0.4, 1.5])
def test_fragment(tmp_path: Path, seconds: float) -> None:
    beats, found = analysed(tmp_path, band(steady(120, 0.0, 4))[: int(seconds * RATE)])
    assert beats.tempo == 115
    assert beats.times[0] == 0
    assert len(found) == 1


def test_five_seconds(tmp_path: Path) -> None:
    truth = steady(128, 0.25, 5)
    beats, found = analysed(tmp_path, band(truth)[: 5 * RATE])
    assert beats.tempo is not None
    assert float(beats.tempo) == pytest.approx(128, rel=0.01)
    assert np.abs(errors(beats, truth)).max() < 0.03
    assert any("short" in d.message for d in found)


def test_same_beats_from_any_container(tmp_path: Path) -> None:
    """8 kHz mono, 5.1, a lossy codec and the sound of a video all keep the clock of the first decoded sample."""
    truth = steady(120, 0.5, 20)
    sound = band(truth) * 0.5
    surround = np.zeros((sound.size, 6))
    surround[:, :3] = sound[:, None] * 0.6
    songs = [
        write(tmp_path, np.interp(np.arange(0, sound.size, RATE / 8000), np.arange(sound.size), sound), "8k.wav", 8000),
        write(tmp_path, surround, "surround.wav"),
        write(tmp_path, sound, "song.ogg"),
        write(tmp_path, sound, "song.mp3"),
        as_video(tmp_path / "video.mov", sound),
    ]
    for song in songs:
        beats, _ = analyse_music(song, SCI_FI, 115.0)
        assert beats.tempo == 120, song
        assert np.abs(errors(beats, truth)).max() < 0.03, song


def as_video(path: Path, sound: Array) -> Path:
    with av.open(str(path), "w") as sink:
        picture = sink.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        voice = sink.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for _ in range(5):
            sink.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        sink.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray((sound[None] * 32_000).astype(np.int16), "s16", "mono")
        frame.sample_rate = RATE
        sink.mux(voice.encode(frame))
        sink.mux(voice.encode(None))
    return path


def test_damaged_in_the_middle(tmp_path: Path) -> None:
    truth = steady(120, 0.5, 30)
    song = write(tmp_path, band(truth) * 0.5, "song.mp3")
    content = bytearray(song.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = bytes(3000)
    song.write_bytes(content)
    beats, _ = analyse_music(song, SCI_FI, 115.0)
    assert agree(beats, truth) > 0.4  # what comes before the damage at least


def test_cut_off(tmp_path: Path) -> None:
    song = write(tmp_path, band(steady(120, 0.5, 30)) * 0.5, "song.ogg")
    song.write_bytes(song.read_bytes()[: song.stat().st_size // 2])
    beats, _ = analyse_music(song, SCI_FI, 115.0)
    assert beats.tempo == 120


def test_unusable_songs(tmp_path: Path) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("no sound in here\n" * 100, encoding="utf-8")
    empty = tmp_path / "empty.wav"
    empty.touch()
    mute = tmp_path / "mute.mkv"
    with av.open(str(mute), "w") as sink:
        picture = sink.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        sink.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        sink.mux(picture.encode(None))
    expected = {
        tmp_path / "absent.ogg": "missing-file",
        tmp_path: "unreadable",
        text: "unreadable",
        empty: "unreadable",
        mute: "no-audio",
    }
    for song, code in expected.items():
        with pytest.raises(Stop) as stop:
            analyse_music(song, SCI_FI, 115.0)
        assert [d.code for d in stop.value.diagnostics] == [code], song


def test_long_recording_is_heard_in_part(tmp_path: Path) -> None:
    song = write(tmp_path, np.zeros(30 * RATE))
    shares: list[float] = []
    sound = onsets.listen(song, shares.append, limit=12)
    assert sound.duration == 12
    assert len(sound.bands) == 12 * onsets.FPS
    assert shares[-1] == 1.0
    assert len(sound.warnings) == 1


def test_blocks_leave_no_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = write(tmp_path, band(steady(120, 0.5, 25)))
    usual = onsets.listen(song)
    monkeypatch.setattr(onsets, "_BLOCK", 1 << 40)
    at_once = onsets.listen(song)
    for name in ("bands", "chroma", "fine", "level"):
        np.testing.assert_allclose(getattr(usual, name), getattr(at_once, name), rtol=1e-4, atol=1e-6)
    assert len(usual.fine) >= float(usual.duration) * onsets.FINE_FPS > len(usual.fine) - 101


def test_song_facts(tmp_path: Path) -> None:
    song = write(tmp_path, np.zeros((RATE * 3 // 2, 2)), "song.flac")
    facts = song_facts(song)
    assert (facts.duration, facts.rate, facts.channels, facts.layout) == (Fraction(3, 2), RATE, 2, "stereo")


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_clicks_lie_on_the_beats(tmp_path: Path, suffix: str) -> None:
    song = write(tmp_path, np.zeros((4 * RATE, 2)))
    times = tuple(Fraction(n, 2) for n in range(8))
    beats = Beats(Fraction(120), Fraction(1, 2), 4, times, 1.0, (), (), ())
    out = tmp_path / f"out{suffix}"
    write_clicks(song, beats, out)
    sound, rate = soundfile.read(out)
    assert (rate, sound.shape) == (RATE, (4 * RATE, 2))
    loud = np.abs(sound).max(axis=1)
    starts = [n for n in np.flatnonzero(loud > 0.2) if loud[max(0, n - 1000) : n].max(initial=0.0) < 0.2]
    assert starts == [RATE * n // 2 for n in range(8)]
    heights = [loud[start] for start in starts]
    assert [n for n in range(8) if heights[n] > 0.35] == [1, 5]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([song.name, out.name])


def test_clicks_refused(tmp_path: Path) -> None:
    song = write(tmp_path, np.zeros(RATE))
    beats = Beats(Fraction(120), Fraction(0), 4, (Fraction(0),), 1.0, (), (), ())
    nowhere = tmp_path / "no folder" / "out.wav"
    for out, code in ((tmp_path / "out.mp3", "output"), (song, "output"), (nowhere, "missing-file")):
        with pytest.raises(Stop) as stop:
            write_clicks(song, beats, out)
        assert stop.value.diagnostics[0].code == code
    with pytest.raises(Stop):
        write_clicks(tmp_path / "absent.wav", beats, tmp_path / "out.wav")
    assert [p.name for p in tmp_path.iterdir()] == [song.name]


@pytest.mark.parametrize(
    ("metre", "tempo"),
    [(5, 130), (7, 140), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((6, 150), (3, 120), (4, 120)))],
)
def test_bars_of_any_length(tmp_path: Path, metre: int, tempo: int) -> None:
    """A kick and another chord on the first beat of each bar."""
    times = 0.4 + np.arange(0, 50, 60 / tempo)
    beats, _ = analyse_music(footage_song(tmp_path / "a.wav", times, metre), (60, 200), 110)
    assert beats.metre == metre
