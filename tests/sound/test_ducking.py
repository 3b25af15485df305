"""Where the music goes down and how fast, where it comes back, and silences that are silent."""

from __future__ import annotations

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

Films = Callable[[Film], Film]
RATE = 48_000
SECONDS = 10


@pytest.fixture
def film(films: Films) -> Film:
    sound = Sound(codec="pcm_s16le")
    return films(Film(Path("a.mov"), Fraction(24), 24 * SECONDS, (160, 90), gop=24, sound=sound))


@pytest.fixture
def song(tmp_path: Path) -> Samples:
    """Constant, so that every sample tells its level."""
    samples = np.full((SECONDS * RATE, 2), 0.25, np.float32)
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype="FLOAT")
    return samples


def stems(film: Film, events: Sequence[str], folder: Path, ffmpeg: Path, more: str = "") -> dict[str, Samples]:
    head = f"music: {{file: song.wav, gain: 0, fade_out: 1f{more}}}\noutput: {{codec: ffv1}}"
    return stems_of(spec_text(film, events, head), folder, ffmpeg)


def level(music: Samples) -> NDArray[np.float64]:
    """dB of the constant song at every sample, [shape=(samples,)]."""
    return np.asarray(20 * np.log10(np.maximum(music[:, 0], 1e-9) / 0.25), np.float64)


def at(seconds: float) -> int:
    return round(seconds * RATE)


# Under voices and lines

VOICED = ["{shot: {in: 0s, for: 2s}, mute: true, voice: {take: 3 - 5.5, at: 1.5s}}", "{black: 4s}"]


def test_music_is_down_under_a_voice_and_back_after_it(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    """From 1.5 s to 4 s: down 9 dB within 150 ms, back within 600 ms, and not touched elsewhere."""
    found = level(stems(film, VOICED, tmp_path, ffmpeg)["music"])
    down = found[at(1.5 + 0.15) : at(4)]
    assert down.max() < -9
    assert down.min() == pytest.approx(-12, abs=0.05)
    assert np.abs(found[: at(1.5 - 0.1)]).max() < 0.01
    assert np.abs(found[at(4 + 0.6) : at(5.9)]).max() < 0.01


def test_it_goes_down_without_a_step(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    music = stems(film, VOICED, tmp_path, ffmpeg)["music"][: at(5.9)]
    assert np.abs(np.diff(music[:, 0])).max() < 0.25 / 1000


@pytest.mark.parametrize("depth", [6, 20])
def test_how_far_it_goes_down(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path, depth: int) -> None:
    found = level(stems(film, VOICED, tmp_path, ffmpeg, f", duck: {depth}")["music"])
    assert found[at(2) : at(4)] == pytest.approx(-depth, abs=0.05)


def test_no_duck_at_all(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    found = level(stems(film, VOICED, tmp_path, ffmpeg, ", duck: 0")["music"])
    assert np.abs(found[: at(5.9)]).max() < 0.01


def test_between_two_lines_that_are_close_it_stays_down(
    film: Film, song: Samples, ffmpeg: Path, tmp_path: Path
) -> None:
    events = ["{black: 6s, voice: [{take: 3 - 4, at: 1s}, {take: 5 - 6, at: 2.3s}, {take: 7 - 8, at: 4.5s}]}"]
    found = level(stems(film, events, tmp_path, ffmpeg)["music"])
    assert found[at(1.15) : at(3.3)].max() < -9
    assert np.abs(found[at(3.9) : at(4.4)]).max() < 0.01  # the third one comes later
    assert found[at(4.65) : at(5.5)].max() < -9


def test_the_films_own_sound_makes_room_for_a_voice(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    events = ["{shot: {in: 0s, for: 4s}, voice: {take: 6 - 7, at: 1s}}"]
    found, own = stems(film, events, tmp_path, ffmpeg)["film"], film.heard()
    assert np.abs(found[: at(0.9)] - own[: at(0.9)]).max() < 1e-4
    assert np.abs(found[at(1.2) : at(1.9)] - own[at(1.2) : at(1.9)] * 10 ** (-9 / 20)).max() < 1e-4
    assert np.abs(found[at(2.6) : at(4)] - own[at(2.6) : at(4)]).max() < 1e-4


@pytest.mark.matrix(4)
@pytest.mark.parametrize(
    ("shot", "depth"),
    [
        ("", 0),
        (", line: Run!", 12),
        (", line: Run!, mute: true", 0),
        (", duck: 6", 6),
        (", duck: 18, line: Run!", 18),
        (", duck: 0, line: Run!", 0),
    ],
)
def test_shots_in_which_somebody_speaks(
    film: Film, song: Samples, bundled: Path, tmp_path: Path, shot: str, depth: int
) -> None:
    events = ["{black: 1s}", f"{{shot: {{in: 3s, for: 2s}}{shot}}}", "{black: 1s}"]
    found = level(stems(film, events, tmp_path, bundled)["music"])
    assert found[at(1.15) : at(3)] == pytest.approx(-depth, abs=max(0.05, 0.25 * depth))
    assert found[at(2) : at(3)] == pytest.approx(-depth, abs=0.05)
    assert np.abs(found[: at(0.9)]).max() < 0.01
    assert np.abs(found[at(3.6) : at(3.9)]).max() < 0.01


def test_what_is_louder_still_ducks_the_whole_line(film: Film, song: Samples, bundled: Path, tmp_path: Path) -> None:
    """Where two reasons to go down meet, the deeper one holds for both."""
    events = ["{black: 1s}", "{shot: {in: 3s, for: 2s}, duck: 6, voice: 6 - 6.5}", "{black: 2s}"]
    found = level(stems(film, events, tmp_path, bundled)["music"])
    assert found[at(1.2) : at(1.5)].max() < -11


def test_a_sound_that_runs_on_ducks_as_long_as_it_is_heard(
    film: Film, song: Samples, bundled: Path, tmp_path: Path
) -> None:
    shot = "{shot: {in: 3s, for: 1s}, line: Run!, sound_lead: 0.5s, sound_trail: 0.5s}"
    found = level(stems(film, ["{black: 2s}", shot, "{black: 2s}"], tmp_path, bundled)["music"])
    assert found[at(1.65) : at(3.5)].max() < -9
    assert np.abs(found[: at(1.4)]).max() < 0.01
    assert np.abs(found[at(4.1) : at(4.9)]).max() < 0.01


# Effects


def effects_of(film: Film, events: Sequence[str], folder: Path, ffmpeg: Path, more: str = "") -> NDArray[np.float64]:
    """dB of an effect that is as long as the trailer and constant, so that every sample tells its level."""
    soundfile.write(folder / "hit.wav", np.full((SECONDS * RATE, 2), 0.25, np.float32), RATE, subtype="FLOAT")
    first = f"{events[0][:-1]}, sound: {{file: hit.wav, for: {SECONDS}s}}}}"
    return level(stems(film, [first, *events[1:]], folder, ffmpeg, more)["effects"])


def test_effects_make_room_for_a_voice(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    found = effects_of(film, ["{black: 6s, voice: {take: 3 - 5.5, at: 1.5s}}"], tmp_path, ffmpeg)
    assert np.abs(found[at(0.1) : at(1.4)]).max() < 0.01
    assert found[at(1.65) : at(4)].max() < -6
    assert found[at(1.7) : at(4)].min() == pytest.approx(-9, abs=0.05)
    assert np.abs(found[at(4.6) : at(5.9)]).max() < 0.01


def test_effects_make_room_for_a_narrator(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "told.wav", np.full((2 * RATE, 1), 0.1, np.float32), RATE)
    found = effects_of(film, ["{black: 6s, voice: {file: told.wav, at: 2s}}"], tmp_path, ffmpeg)
    assert found[at(2.2) : at(4)] == pytest.approx(-9, abs=0.05)
    assert np.abs(found[at(4.6) : at(5.9)]).max() < 0.01


@pytest.mark.matrix(3)
@pytest.mark.parametrize(
    ("shot", "deep"),
    [
        ("", 0),
        (", line: Run!", 6),
        (", line: Run!, mute: true", 0),
        (", duck: 20", 10),
        (", duck: 0, line: Run!", 0),
    ],
)
def test_what_is_said_in_a_shot_is_heard_over_effects(
    film: Film, song: Samples, bundled: Path, tmp_path: Path, shot: str, deep: int
) -> None:
    """They go down half as far as the music, but the hit on the shot's cut is what it is."""
    events = ["{black: 1s}", f"{{shot: {{in: 3s, for: 2s}}{shot}}}", "{black: 1s}"]
    found = effects_of(film, events, tmp_path, bundled)
    assert np.abs(found[at(0.1) : at(1.05)]).max() < 0.01
    assert found[at(1.25) : at(3)] == pytest.approx(-deep, abs=0.05)
    assert np.abs(found[at(3.6) : at(3.9)]).max() < 0.01


def test_where_a_line_comes_before_its_picture_the_hit_on_the_cut_is_under_it(
    film: Film, song: Samples, bundled: Path, tmp_path: Path
) -> None:
    shot = "{shot: {in: 3s, for: 1s}, line: Run!, sound_lead: 0.5s}"
    found = effects_of(film, ["{black: 2s}", shot, "{black: 2s}"], tmp_path, bundled)
    assert found[at(1.8) : at(3)] == pytest.approx(-6, abs=0.05)


def test_effects_go_down_beside_no_music(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """A voice needs no music to be heard over."""
    soundfile.write(tmp_path / "hit.wav", np.full((SECONDS * RATE, 2), 0.25, np.float32), RATE, subtype="FLOAT")
    event = "{black: 6s, sound: {file: hit.wav, for: 6s}, voice: {take: 3 - 5, at: 1.5s}}"
    found = level(stems_of(spec_text(film, [event]), tmp_path, ffmpeg)["effects"])
    assert found[at(1.8) : at(3.4)] == pytest.approx(-9, abs=0.05)


# Silences


def test_a_silence_is_silent_in_every_stem(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    """Digital zero after half a second at most, whatever sounded before it."""
    events = [
        "{shot: {in: 1s, for: 2s}, voice: {take: 6 - 8, at: 1s}, sound: [{effect: braam, at: 1.5s}, tick]}",
        "{black: 1.5s, silent: true}",
        "{shot: {in: 4s, for: 1s}}",
    ]
    found = stems(film, events, tmp_path, ffmpeg)
    assert set(found) == {"film", "music", "effects", "voice"}
    for name, stem in found.items():
        assert not stem[at(2.5) : at(3.5)].any(), name
        assert stem[at(2) - 100 : at(2)].any(), name
        assert stem[at(2) : at(2.1)].any(), f"{name} is chopped off"


def test_what_comes_after_a_silence_is_itself_at_once(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    events = ["{shot: {in: 1s, for: 2s}}", "{black: 1.5s, silent: true}", "{shot: {in: 4s, for: 1s}}"]
    found = stems(film, events, tmp_path, ffmpeg)
    assert np.abs(found["film"][at(3.5) :] - film.heard()[at(4) : at(5)]).max() < 1e-4
    assert found["music"][at(3.5) : at(4.4)] == pytest.approx(0.25, abs=1e-6)  # the song went on, unheard


def test_stems_never_replace_the_song(film: Film, song: Samples, bundled: Path, tmp_path: Path) -> None:
    """Not even where it is called as the stem is, and whoever asks says --force."""
    (tmp_path / "stems").mkdir()
    (tmp_path / "song.wav").rename(tmp_path / "stems" / "music.wav")
    with pytest.raises(Stop, match=r"music\.wav itself, which is read"):
        stems_of(spec_text(film, ["{black: 1s}"], "music: {file: stems/music.wav}"), tmp_path, bundled)
    assert soundfile.info(tmp_path / "stems" / "music.wav").frames == len(song)


def test_what_died_in_a_silence_does_not_come_back(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    events = [
        "{shot: {in: 1s, for: 2s}, voice: {take: 5 - 8, at: 1s}, sound: {effect: braam, at: 1.5s, for: 4s}}",
        "{black: 1s, silent: true}",
        "{shot: {in: 4s, for: 2s}}",
    ]
    found = stems(film, events, tmp_path, ffmpeg)
    for name in ("effects", "voice"):
        assert found[name][at(1.6) : at(2)].any()
        assert not found[name][at(2.5) :].any()


def test_what_is_put_into_a_silence_by_hand_is_heard(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    events = ["{shot: {in: 1s, for: 1s}}", "{black: 3s, silent: true, sound: {effect: heartbeat, at: 1.5s}}"]
    found = stems(film, events, tmp_path, ffmpeg)
    assert found["effects"][at(2.5) : at(2.6)].any()
    assert not found["effects"][: at(2.5)].any()
    assert not found["music"][at(1.5) :].any()


def test_the_tails_breathe(film: Film, song: Samples, ffmpeg: Path, tmp_path: Path) -> None:
    """What sounds before it dies away into it instead of stopping: the film goes on too, where it has more."""
    events = ["{shot: {in: 1s, for: 2s}}", "{black: 1.5s, silent: true}", "{shot: {in: 4s, for: 1s}}"]
    found = stems(film, events, tmp_path, ffmpeg)
    music = found["music"][at(1.9) : at(2.5), 0]
    assert (np.diff(music) < 1e-6).all()
    assert np.abs(np.diff(music)).max() < 0.25 / 1000
    tail, own = found["film"][at(2) : at(2.2)], film.heard()[at(3) : at(3.2)]
    assert np.corrcoef(tail[:, 0], own[:, 0])[0, 1] > 0.98
    assert 0.2 < np.abs(tail).mean() / np.abs(own).mean() < 0.9


def test_a_black_that_is_not_silent_keeps_its_music(film: Film, song: Samples, bundled: Path, tmp_path: Path) -> None:
    found = stems(film, ["{shot: {in: 1s, for: 1s}}", "{black: 1s}", "{shot: {in: 4s, for: 1s}}"], tmp_path, bundled)
    assert np.abs(level(found["music"])[: at(2.9)]).max() < 0.01


@pytest.mark.parametrize("events", [
    ["{black: 1s, silent: true}", "{shot: {in: 1s, for: 1s}}"],
    ["{shot: {in: 1s, for: 1s}}", "{black: 1s, silent: true}"],
    ["{shot: {in: 1s, for: 1s}}", "{black: 1f, silent: true}", "{shot: {in: 3s, for: 1s}}"],
    ["{shot: {in: 1s, for: 1s}}", "{black: 1s, silent: true}", "{black: 1s, silent: true}", "{black: 1s}"],
])  # fmt: skip
def test_silences_anywhere(film: Film, song: Samples, bundled: Path, tmp_path: Path, events: list[str]) -> None:
    found = stems(film, events, tmp_path, bundled)
    assert len({len(stem) for stem in found.values()}) == 1
    position = 0.0
    for event in events:
        length = 1 / 24 if "1f" in event else 1.0
        if "silent" in event:
            for name, stem in found.items():
                assert not stem[at(position + 0.5) : at(position + length)].any(), name
        position += length
    assert len(found["film"]) == at(position)
