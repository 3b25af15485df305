"""The song's edit: whole bars, the grid that the trailer was cut to, and a hit on the title card's first frame."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from footage import unseen

from cinecut.analysis.decisions import Decisions
from cinecut.analysis.edit.blueprint import Plan, Slot, Want, draw
from cinecut.analysis.edit.score.song_edit import SongEdit, bar_hits, beat_of, edit_song
from cinecut.analysis.edit.score.song_path import SongBars, TrailerBars, worth
from cinecut.analysis.edit.score.sound import CutSong, Score
from cinecut.analysis.song.beats import Beats, Phrase
from cinecut.analysis.song.levels import Balance, SongLevels, measure_song
from cinecut.analysis.story.arc import Story, TurningPoint
from cinecut.analysis.to_spec import to_spec
from cinecut.diagnostics import Report
from cinecut.language.document import parse_document
from cinecut.language.facts import FilmFacts, SongFacts
from cinecut.language.grid import grid_of, heard_parts
from cinecut.language.read import fill_spec
from cinecut.language.spec import Music
from cinecut.language.timebase import FilmTime
from cinecut.language.write import write_spec
from cinecut.vibes import load_vibe
from cinecut.vibes.skeleton import load_skeleton

TEMPO = Fraction(120)
BAR = Fraction(2)  # seconds


def beats(bars: int, tempo: Fraction = TEMPO, first: Fraction = Fraction(1, 5), seed: int = 0) -> Beats:
    """A song of constant tempo with phrases of eight bars."""
    dice = random.Random(seed)
    period = 60 / tempo
    times = tuple(round(1000 * (first + k * period)) / Fraction(1000) for k in range(4 * bars))
    energy = tuple(round(dice.uniform(0.5, 1), 2) for _ in range(bars))
    phrases = tuple(Phrase(times[4 * b], b, min(8, bars - b), round(dice.random(), 2), 0.8) for b in range(0, bars, 8))
    return Beats(tempo, first, 4, times, 0.9, (), phrases, energy)


def steady(seconds: float) -> SongLevels:
    return SongLevels(np.full(int(seconds * 100), -12, np.float32))


def struck(levels: SongLevels, at: Fraction) -> SongLevels:
    """With a hit that rings for three seconds, and nothing after it."""
    hit = round(at * 100)
    tail = np.interp(np.arange(len(levels.levels) - hit), [0, 300], [-9, -65]).astype(np.float32)
    return SongLevels(np.concatenate([levels.levels[:hit], tail]))


def slots_of(length: int = 90, vibe: str = "action", tempo: Fraction = TEMPO) -> list[Slot]:
    genre = load_vibe(vibe)
    return draw(Plan(load_skeleton(genre.skeleton), genre, Fraction(length), tempo, 4, False, {"title": "A"}))


def written(song: Beats, edit: SongEdit, seconds: Fraction) -> Music:
    """The edit as a spec has it."""
    facts = SongFacts("1-0", seconds, 44100, 2)
    known = CutSong(Path("/nowhere/song.ogg"), facts, song, steady(float(seconds)))
    score = Score(known, edit, Balance(-24, True, -9, 0, 0, -9), "soft", Fraction(120), ())
    film = unseen(Path("/nowhere/a.mp4"), FilmFacts("1-0", (64, 36), Fraction(24), seconds))
    point = TurningPoint(FilmTime(Fraction(0)), "why", "signals")
    story = Story(point, point, point, FilmTime(seconds))
    text = write_spec(*to_spec(Decisions(film, Path("/nowhere/spec.yaml"), load_vibe("action"), story, (), score)))
    report = Report()
    text = text.replace("timeline: []", "timeline: [black: 1s]")
    spec = fill_spec(parse_document(Path("/nowhere/spec.yaml"), text, report), report)
    assert [str(d) for d in report] == []
    assert spec is not None
    assert spec.music is not None
    return spec.music


def song_time(music: Music, at: Fraction) -> Fraction:
    """What of the song is heard at a moment of the trailer."""
    for begin, end in heard_parts(music, Fraction(600)):
        if at < end - begin:
            return begin + at
        at -= end - begin
    raise AssertionError("the music is over")


@pytest.mark.parametrize("hit_bar", [40, 57, 70])
def test_the_songs_last_hit_falls_on_the_title_card(hit_bar: int) -> None:
    song, slots = beats(75), slots_of()
    hit = song.first + hit_bar * BAR
    edit = edit_song(song, slots, struck(steady(151), hit), Fraction(151), Fraction(0))
    assert edit.ending == "hit"
    card = (beat_of(slots, "title card", {Want.CARD}) or 0) * 60 / TEMPO
    assert abs(song_time(written(song, edit, Fraction(151)), card) - hit) < Fraction(1, 1000)


def test_a_song_that_fits_as_it_is_needs_no_edit() -> None:
    slots = slots_of()
    card = (beat_of(slots, "title card", {Want.CARD}) or 0) // 4
    song = beats(card + 3)
    song = replace(song, energy=(0.8,) * len(song.energy), phrases=(replace(song.phrases[0], bars=card + 3),))
    end = song.first + (card + 4) * BAR
    edit = edit_song(song, slots, struck(steady(float(end)), song.first + card * BAR), end, Fraction(0))
    assert (edit.start, edit.parts, edit.ending) == (song.first, (), "hit")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("vibe", ["action", "adventure", "horror", "romance"])
def test_joints_lie_where_the_trailer_turns_or_phrases_end(vibe: str, seed: int) -> None:
    """Where an act begins, at the breath's two ends, or from the end of a phrase to the start of one."""
    song, slots = beats(75, seed=seed), slots_of(vibe=vibe)
    edit = edit_song(song, slots, struck(steady(151), song.first + 70 * BAR), Fraction(151), Fraction(0))
    begins = [0, *accumulate(slot.beats for slot in slots)]
    turns = {at for at, slot in zip(begins, slots, strict=False) if slot.act in ("beat drop", "act 3", "title card")}
    turns |= {at for slot, at, end in zip(slots, begins, begins[1:], strict=False) if slot.act == "breath"}
    phrases = {phrase.start for phrase in song.phrases}
    position = Fraction(0)
    for (begin, end), (after, _) in pairwise(edit.parts):
        position += end - begin
        at_turn = any(abs(position - turn * 60 / TEMPO) < Fraction(1, 100_000) for turn in turns)
        assert at_turn or (end in phrases and after in phrases), (position, edit.parts)


FORM = ((0.45, 8), (0.6, 8), (0.92, 16), (0.5, 8), (0.97, 16), (0.35, 8))
"""A song's intro, build, drop, break, second drop and end: energy and bars."""


@pytest.mark.parametrize("length", [30, 60, 90])
@pytest.mark.parametrize("vibe", ["action", "adventure", "horror", "music", "romance", "war"])
def test_the_songs_form_is_the_trailers(vibe: str, length: int) -> None:
    """Its drop on the trailer's, its break in the breath, its climax in act 3, a hit under the title."""
    ends = list(accumulate(bars for _, bars in FORM))
    energy = tuple(level for level, bars in FORM for _ in range(bars))
    song = beats(len(energy))
    phrases = (Phrase(song.times[4 * (e - n)], e - n, n, 0.9, level) for e, (level, n) in zip(ends, FORM, strict=True))
    song = replace(song, energy=energy, phrases=tuple(phrases))
    end = song.first + len(energy) * BAR
    slots = slots_of(length, vibe)
    edit = edit_song(song, slots, struck(steady(float(end)), song.first + ends[4] * BAR), end, Fraction(0))
    music = written(song, edit, end)
    played: dict[str, list[int]] = {}
    for slot, at in zip(slots, accumulate((slot.beats for slot in slots), initial=0), strict=False):
        if slot.act == "title card":
            break
        if slot.act == "breath" or slot.want.shows:
            bar = (song_time(music, at * 60 / TEMPO + Fraction(1, 1000)) - song.first) / BAR
            played.setdefault(slot.act, []).append(int(bar))
    assert played["beat drop"][0] in (ends[1], ends[3])
    assert all(ends[2] <= bar < ends[3] for bar in played.get("breath", []))
    assert all(ends[3] <= bar < ends[4] for bar in played["act 3"])
    assert edit.ending == "hit"


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_edit_the_beats_are_those_that_the_trailer_was_cut_to(seed: int) -> None:
    """Songs shorter and longer than the trailer, of any tempo: each beat within a microsecond, and bars on bars."""
    dice = random.Random(seed)
    tempo = Fraction(dice.randint(70_000, 170_000), 1000)
    song = beats(dice.choice([3, 9, 17, 30, 60]), tempo, Fraction(dice.randint(0, 2000), 1000), seed)
    seconds = Fraction(song.times[-1]) + 60 / tempo + Fraction(1, 3)
    levels = steady(float(seconds))
    if seed % 2:
        levels = struck(levels, song.first + (len(song.energy) - 1) * 240 / tempo)
    slots = slots_of(60, tempo=tempo)
    edit = edit_song(song, slots, levels, seconds, Fraction(0))
    music = written(song, edit, seconds)
    grid = grid_of(music)
    assert grid is not None
    for beat in range(sum(slot.beats for slot in slots) + 1):
        exact = beat * 60 / tempo
        line = grid.nearest_line(exact, "bar" if beat % 4 == 0 else "beat")
        assert abs(line - exact) < Fraction(2, 1_000_000), beat
    line = song.first
    for begin, end in edit.parts:
        assert 0 <= begin < end <= seconds
        assert abs((begin - line) * tempo / 240 - round((begin - line) * tempo / 240)) < Fraction(1, 100_000)
        line = end


def test_a_short_song_is_heard_until_the_title_card() -> None:
    song, slots = beats(12), slots_of(60)
    edit = edit_song(song, slots, steady(24.5), Fraction(49, 2), Fraction(0))
    card = (beat_of(slots, "title card", {Want.CARD}) or 0) * 60 / TEMPO
    assert sum(end - begin for begin, end in heard_parts(written(song, edit, Fraction(49, 2)), Fraction(300))) >= card
    assert len(edit.parts) > 2


def test_a_hit_off_the_bar_lines_is_laid_under_the_card() -> None:
    song = beats(75)
    hit = song.first + 70 * BAR + Fraction(1)  # the third beat of a bar
    edit = edit_song(song, slots_of(), struck(steady(151), hit), Fraction(151), Fraction(0))
    assert edit.ending == "cue"
    assert abs(edit.cue - hit) < Fraction(2, 100)


def test_without_a_hit_the_music_just_stops() -> None:
    song = beats(75)
    assert edit_song(song, slots_of(), steady(151), Fraction(151), Fraction(0)).ending == "stop"
    assert max(bar_hits(song, steady(151)).values()) == 0


def test_a_song_whose_tempo_changes_is_heard_as_it_was_cut_to() -> None:
    song = replace(beats(75), tempo=None)
    edit = edit_song(song, slots_of(), struck(steady(151), song.first + 70 * BAR), Fraction(151), song.times[8])
    assert (edit.start, edit.parts) == (song.times[8], ())
    music = written(song, edit, Fraction(151))
    assert not music.loop
    assert music.beats is not None
    assert music.beats.times[0] == song.first


def test_a_hit_is_found_where_it_sounds(tmp_path: Path) -> None:
    """Measured from sound: drums on every beat, at last a hit that rings."""
    rate, song = 22_050, beats(24)
    sound = np.zeros(55 * rate)
    noise, fade = np.random.default_rng(1).uniform(-1, 1, 3 * rate), np.exp(-np.arange(3 * rate) / rate * 2.5)
    hit = song.first + 20 * BAR
    for time in song.times:
        if time <= hit:
            start, long = round(time * rate), 3 * rate if time == hit else rate // 4
            sound[start : start + long] += (noise * fade)[:long] * (0.5 if time == hit else 0.3)
    soundfile.write(tmp_path / "song.wav", sound, rate)
    levels = measure_song(tmp_path / "song.wav", lambda done: None)
    hits = bar_hits(song, levels)
    assert max(hits, key=lambda bar: hits[bar]) == 20
    assert hits[20] >= 0.9
    assert max(strike for bar, strike in hits.items() if bar < 19) < 0.2
    assert edit_song(song, slots_of(30), levels, Fraction(55), Fraction(0)).ending == "hit"


def test_a_song_of_hardly_a_bar_is_played_as_it_is() -> None:
    song = beats(1)
    edit = edit_song(song, slots_of(), steady(2.2), Fraction(11, 5), Fraction(0))
    assert (edit.start, edit.parts) == (song.first, ())


def test_a_last_act_that_begins_with_the_title_card_wants_nothing_of_the_song() -> None:
    song = SongBars(np.linspace(0, 1, 20), np.ones(20), np.ones(20, np.bool_), np.zeros(21))
    table = worth(song, TrailerBars(9, range(0), True, third=18, card=18))
    assert table.shape == (18, 20)
    assert np.isfinite(table).all()
