"""Levels: what is measured is what is rendered, and everything stands where it belongs beside the dialogue."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from footage import X264, encode
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import Line
from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.cuts import Cut, Tempo
from cinecut.analysis.edit.score.ducks import depth, song_levels, under_voices
from cinecut.analysis.edit.score.voices import VoiceOver
from cinecut.analysis.film.loudness import LoudnessCurve, listen
from cinecut.analysis.song.levels import (
    SongLevels,
    as_rendered,
    balance,
    effect_gain,
    gated,
    level_within,
    line_gain,
    measure_song,
    rendered,
)
from cinecut.diagnostics import Stop
from cinecut.language.grid import Grid
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts
from cinecut.vibes import load_vibe, names

RATE = 22_050


def tone(seconds: float, amplitude: float = 0.1) -> NDArray[np.float64]:
    return np.asarray(amplitude * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE))


def film(*levels: float) -> LoudnessCurve:
    """A film of a second for each level."""
    return LoudnessCurve(np.repeat(np.array(levels, np.float32), 10))


def piece(start: float, end: float) -> FilmRange:
    return FilmRange(FilmTime(Fraction(start)), FilmTime(Fraction(end)))


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_songs_level_is_that_of_its_sound_in_the_trailer(channels: int, tmp_path: Path) -> None:
    """There the same tone in all channels is that tone in both speakers, of mono, stereo and 5.1 alike."""
    soundfile.write(tmp_path / "song.wav", np.stack([tone(3)] * channels, axis=1), RATE, format="WAVEX")
    levels = measure_song(tmp_path / "song.wav", lambda done: None)
    assert len(levels.levels) == 300
    level = gated(levels.loudness(Fraction(1, 2), Fraction(5, 2)))
    assert level is not None
    assert abs(level - -20) < 0.2


def test_a_steady_offset_is_no_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", 0.3 + np.concatenate([np.zeros(RATE), tone(2)]), RATE, subtype="FLOAT")
    levels = measure_song(tmp_path / "song.wav", lambda done: None).levels
    assert levels[:98].max() < -60
    assert abs(levels[110:290].mean() - -20) < 0.2


def test_a_steady_offset_of_a_film_is_no_sound_but_a_rumble_is(tmp_path: Path) -> None:
    rumble = 0.2 * np.sin(2 * np.pi * 30 * np.arange(32_000) / 16_000)
    sound = 0.2 + np.concatenate([np.zeros(32_000), rumble])
    black = np.zeros((100, 36, 64, 3), np.uint8)
    path = encode(tmp_path / "film.mkv", black, sound.astype(np.float32), f"{X264} -c:a pcm_s16le")
    levels = listen(path, film_facts(path), 0, lambda done: None).levels
    assert levels[3:18].max() < -55
    assert abs(levels[22:38].mean() - 10 * np.log10(0.02)) < 0.3


def test_outside_a_song_is_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", tone(1), RATE)
    levels = measure_song(tmp_path / "song.wav", lambda done: None)
    before, after = (Fraction(-1), Fraction(0)), (Fraction(5), Fraction(6))
    assert levels.between(*before).max() == levels.between(*after).max() == -70
    assert len(levels.between(Fraction(-1), Fraction(2))) == 300
    assert gated(levels.loudness(*after)) is None


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(b"<html>" * 1000)
    with pytest.raises(Stop) as stop:
        measure_song(tmp_path / "song.mp3", lambda done: None)
    assert stop.value.diagnostics[0].code == "unreadable"


def test_pauses_count_for_nothing() -> None:
    assert level_within(film(-20, -70, -70, -45), [piece(0, 4)]) == pytest.approx(-20, abs=0.01)
    assert level_within(film(-70, -70), [piece(0, 2)]) is None
    assert level_within(film(-20), []) is None


def test_a_mono_film_sounds_from_two_speakers() -> None:
    assert rendered("stereo") == 0
    assert rendered("mono") == pytest.approx(3, abs=0.02)
    assert rendered("5.1") == pytest.approx(-7.66, abs=0.01)
    loud, silent = as_rendered(film(-30, -70), "mono").levels[[0, 10]]
    assert (loud, silent) == (-27, -70)


@pytest.mark.parametrize("name", names())
def test_the_music_is_brought_to_the_dialogue_and_the_effects_lie_below(name: str) -> None:
    vibe = load_vibe(name)
    spoken = balance(film(-25, -40), [piece(0, 1)], [piece(0, 2)], vibe, -9.0)
    assert (spoken.anchor, spoken.spoken, spoken.gain, spoken.film) == (-25, True, -16, 0)
    assert -2 <= spoken.music <= 3
    silent = balance(film(-25, -40), [], [piece(0, 2)], vibe, -9.0)
    assert not silent.spoken
    pulsing = balance(film(-25, -40), [], [piece(0, 2)], vibe, None)
    assert pulsing.music < silent.music, "a pulse does not drown the film"


def test_the_more_a_genre_talks_the_quieter_its_music() -> None:
    music = {n: balance(film(-25), [piece(0, 1)], [], load_vibe(n), -9.0).music for n in names()}
    talk = {n: load_vibe(n).dialogue for n in names()}
    ordered = [music[n] for n in sorted(talk, key=lambda n: talk[n])]
    assert ordered == sorted(ordered, reverse=True)
    assert ordered[0] > ordered[-1]


def test_a_loud_film_is_turned_down_and_a_silent_one_is_no_anchor() -> None:
    vibe = load_vibe("drama")
    loud = balance(film(-9), [piece(0, 1)], [], vibe, -9.0)
    assert (loud.film, loud.gain) == (-11, -11), "both come to -20 dB"
    assert balance(film(-70), [], [piece(0, 1)], vibe, -9.0).anchor == -24
    assert balance(LoudnessCurve(np.zeros(0, np.float32)), [], [], vibe, -9.0).anchor == -24


def test_a_line_is_brought_to_the_dialogue_within_bounds() -> None:
    levels = film(-30, -60, -20, -70)
    gains = [line_gain(levels, [piece(k, k + 1)], -24, 12) for k in range(4)]
    assert gains == [6, 12, -4, 0]


def test_a_quiet_scene_has_quiet_effects() -> None:
    levels = film(-20, -28, -36, -60, -10)
    gains = [effect_gain(levels, FilmTime(Fraction(k)), -22.0) for k in range(5)]
    assert gains == [0, 0, -4, -12, 0]
    assert effect_gain(levels, FilmTime(Fraction(3)), None) == 0


def test_the_music_goes_down_as_far_as_the_words_need() -> None:
    mix = balance(film(-25), [piece(0, 1)], [], load_vibe("drama"), -9.0)
    usual, loud = -9.0 - mix.music, -9.0  # of the music at a place
    assert depth(usual, -25, mix) == 12
    assert depth(usual - 10, -25, mix) == 12, "no less than usual"
    assert depth(None, -25, mix) == depth(usual, None, mix) == 12
    assert depth(loud + 4, -25, mix) == 16 + mix.music
    assert depth(loud, -29, mix) == 16 + mix.music, "a line that is soft still"
    assert depth(loud + 20, -25, mix) == 20, "at most"


def test_how_loud_a_song_is_under_each_cut() -> None:
    """Its parts lie one behind the other; where a line leads or trails, its music is under it too."""
    song = SongLevels(np.repeat(np.array([-30, -10, -20], np.float32), 200))
    tempo = Tempo(Grid(4, Fraction(0), Fraction(1)), Fraction(24), Fraction(24), Fraction(0))
    cuts = [Cut(Slot("act 1", 1, Want.SHOT), trail=trail) for trail in (Fraction(0), Fraction(1), Fraction(0))]
    parts = [(Fraction(0), Fraction(1)), (Fraction(4), Fraction(5)), (Fraction(2), Fraction(3))]
    soft, both, loud = song_levels(cuts, tempo, song, parts)
    assert (soft, loud) == (-30, -10)
    assert both == pytest.approx(-12.6, abs=0.1)  # the mean of both powers
    assert [*song_levels(cuts, tempo, song, parts[:1])] == [-30, None, None]


def test_the_music_goes_down_further_for_a_voice_over_loud_music() -> None:
    """As far as the loudest of what it lies over needs."""
    mix = balance(film(-25), [piece(0, 1)], [], load_vibe("drama"), -9.0)
    line = Line(0, piece(0, 2), "Run!", None, "neutral", 0.5, 0.5, 0.5)
    voices = [VoiceOver(event, Fraction(1, 2), piece(0, 2), line, "") for event in (0, 2)]
    spans = [(Fraction(k), Fraction(k + 1)) for k in range(6)]
    usual, loud = -9.0 - mix.music, -5.0
    found = under_voices(voices, spans, [usual, usual, usual, usual, loud, loud], mix)
    assert found == {2: (16 + mix.music, "the music is loud under the voice")}
