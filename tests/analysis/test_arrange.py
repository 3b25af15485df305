"""Select and arrange, on made-up films: nothing crosses a cut, chops a line, repeats itself, or leaves the grid."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from effort import mostly_slow
from footage import unseen

from cinecut.analysis.decisions import Decisions
from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.analysis.edit.arrange import arrange
from cinecut.analysis.edit.blueprint import Plan, Slot, Want, draw
from cinecut.analysis.edit.cuts import Cut, Take, Tempo
from cinecut.analysis.edit.score.sound import compose
from cinecut.analysis.edit.score.voices import SpokenSound
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.signals import Appearance, Signals, likeness
from cinecut.analysis.story.arc import BeatType, Story, TurningPoint, Zone
from cinecut.analysis.to_spec import to_spec
from cinecut.compiler.layout.timeline import PlacedShot
from cinecut.diagnostics import Report
from cinecut.language.document import parse_document
from cinecut.language.events import Shot as SpecShot
from cinecut.language.facts import FilmFacts
from cinecut.language.grid import Grid
from cinecut.language.read import fill_spec
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.language.write import write_spec
from cinecut.render.check import layout_of
from cinecut.vibes import Vibe, load_vibe, names
from cinecut.vibes.skeleton import load_skeleton

RATES = (Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001))


def _film(dice: random.Random, rate: Fraction, shots: int, spoken: float) -> list[Take]:
    """Shots of random length, one after another, on the film's frames; some with a line, some near-duplicates."""
    takes, position = [], Fraction(0)
    looks = [_look(dice, i) for i in range(max(3, shots // 3))]
    for index in range(shots):
        length = Fraction(dice.randint(12, 300)) / rate
        piece = FilmRange(FilmTime(position), FilmTime(position + length))
        lines: tuple[Line, ...] = ()
        if dice.random() < spoken and length > 2:
            start = FilmTime(position + length * dice.randint(0, 40) / 100)
            end = start + min(length * Fraction(7, 10), Fraction(dice.randint(8, 40), 10))
            lines = (Line(index, FilmRange(start, end), f"Line {index}.", None, "intense", 0.8, dice.random(), 0.0),)
        values = [round(dice.random(), 3) for _ in Signals.__dataclass_fields__]
        zone = list(Zone)[min(2, index * 3 // shots)]
        peak = FilmTime(position + round(length * rate / 2) / rate) if dice.random() < 0.3 else None
        takes.append(
            Take(index, piece, Signals(*values), dice.choice(looks), zone, dice.choice(list(BeatType)), lines, peak)
        )
        position += length
    return takes


def _look(dice: random.Random, shot: int) -> Appearance:
    noise = np.random.default_rng(dice.randint(0, 2**32))
    colors = noise.dirichlet(np.full(512, 0.02)).astype(np.float32)
    layout = noise.standard_normal((9, 16)).astype(np.float32)
    return Appearance(
        shot, colors, (layout - layout.mean()) / layout.std(), 1.0, 1.0, 1.0, 0.0, np.full(3, 0.4, np.float32)
    )


def _slots(vibe: Vibe, length: Fraction, speed: Fraction, talks: bool) -> list[Slot]:
    return draw(Plan(load_skeleton(vibe.skeleton), vibe, length, speed, 4, talks, {"title": 'A "B": C'}))


def _tempo(vibe: Vibe, tempo: Fraction, rate: Fraction) -> Tempo:
    beat = 60 / tempo
    fades = "crossfade" in (vibe.usual, vibe.acts)
    return Tempo(Grid(4, Fraction(0), beat), rate, rate, beat / 2 + 2 / rate if fades else Fraction(0))


@pytest.mark.matrix(4)
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("seed", range(3))
def test_what_is_arranged_holds_every_promise(name: str, seed: int) -> None:
    dice = random.Random(f"{name}{seed}")
    vibe, rate = load_vibe(name), dice.choice(RATES)
    speed = Fraction(dice.randint(*vibe.tempo))
    takes = _film(dice, rate, shots=120, spoken=0.5)
    tempo = _tempo(vibe, speed, rate)
    slots = _slots(vibe, Fraction(90), speed, True)
    cuts = arrange(slots, takes, vibe, tempo)

    assert abs(sum(cut.slot.beats for cut in cuts) - sum(slot.beats for slot in slots)) <= 2
    shown = [cut for cut in cuts if cut.take is not None]
    pieces = [(cut.take.shot, cut.take.range.start) for cut in shown if cut.take]
    assert len(set(pieces)) == len(pieces)
    for left, right in pairwise(cuts):
        if left.take and right.take:
            assert likeness(left.take.look, right.take.look) <= 0.72
    beat = 0
    for cut in cuts:
        if cut.take is not None:
            _check_inside(cut, tempo, beat)
            assert len(cut.others) <= 5
            others = {other.take.shot for other in cut.others}
            assert len(others) == len(cut.others)
            assert cut.take.shot not in others
            for other in cut.others:
                assert (other.take.shot, other.take.range.start) not in pieces
                _check_inside(replace(cut, take=other.take, in_=other.in_, mute=False, line=None), tempo, beat)
        beat += cut.slot.beats
    assert any(cut.others for cut in cuts)
    _check_compiles(cuts, vibe, rate, speed, takes)


def _check_inside(cut: Cut, tempo: Tempo, beat: int) -> None:
    assert cut.take is not None
    end = cut.in_ + tempo.frames(beat, cut.slot.beats) / tempo.rate
    head = tempo.handle if cut.enters.startswith("crossfade") else Fraction(0)
    assert cut.take.range.start <= cut.in_ - head
    assert end <= cut.take.range.end
    if not cut.mute:
        for line in cut.take.lines:
            outside = line.range.end <= cut.in_ or line.range.start >= end
            assert outside or (cut.in_ <= line.range.start and line.range.end <= end), "a line is chopped"
    if cut.line is not None:
        assert cut.slot.want is Want.LINE
        assert cut.in_ < cut.line.range.start
        assert cut.line.range.end < end


def _check_compiles(cuts: list[Cut], vibe: Vibe, rate: Fraction, speed: Fraction, takes: list[Take]) -> None:
    """What is written is a spec without a mistake whose cuts lie on the frames nearest to their beats."""
    end = takes[-1].range.end
    facts = FilmFacts("1-0", (640, 360), rate, end.seconds)
    anchors = [
        TurningPoint(FilmTime(end.seconds * k / 4), "because: of #this", "signals", 'he said "no": x')
        for k in (1, 2, 3)
    ]
    story = Story(anchors[0], anchors[1], anchors[2], end)
    path = Path("/nowhere/specs/film.yaml")
    tempo = Tempo(Grid(4, Fraction(0), 60 / speed), rate, rate, Fraction(0))
    quiet = LoudnessCurve(np.zeros(0, np.float32))
    score = compose(cuts, tempo, vibe, None, SpokenSound(quiet, Dialogue(), end, story.climax.at), story)
    watched = unseen(Path("/nowhere/film.mkv"), facts)
    text = write_spec(*to_spec(Decisions(watched, path, vibe, story, cuts, score)))
    report = Report()
    spec = fill_spec(parse_document(path, text, report), report)
    assert spec is not None
    timeline = layout_of(spec, report).timeline
    assert [str(d) for d in report] == []
    beat = 0
    for cut, placed in zip(cuts, timeline.events, strict=True):
        exact = beat * 60 / speed
        assert abs(placed.range.start.index / rate - exact) <= 1 / rate / 2
        if cut.take is not None and isinstance(placed.event, SpecShot):
            assert isinstance(placed, PlacedShot)
            assert abs(placed.film.start - cut.in_) < 1 / rate / 2
            assert placed.film.end <= cut.take.range.end + 1 / rate
        beat += cut.slot.beats


def test_a_film_of_few_short_shots_still_gives_something() -> None:
    dice = random.Random(5)
    vibe = load_vibe("action")
    tempo = _tempo(vibe, Fraction(128), Fraction(24))
    takes = _film(dice, Fraction(24), shots=4, spoken=0.0)
    cuts = arrange(_slots(vibe, Fraction(30), Fraction(128), False), takes, vibe, tempo)
    assert any(cut.take is not None for cut in cuts)


def test_a_line_that_stands_alone_is_said_whole() -> None:
    dice = random.Random(1)
    vibe = load_vibe("documentary")
    takes = _film(dice, Fraction(25), shots=100, spoken=0.9)
    tempo = _tempo(vibe, Fraction(75), Fraction(25))
    cuts = arrange(_slots(vibe, Fraction(60), Fraction(75), True), takes, vibe, tempo)
    spoken = [cut.line.index for cut in cuts if cut.line is not None]
    assert len(spoken) >= 3
    assert len(set(spoken)) == len(spoken)


@pytest.mark.parametrize("name", ["drama", "thriller", "comedy"])
def test_no_two_lines_say_the_same(name: str) -> None:
    dice, vibe = random.Random(name), load_vibe(name)
    takes = _film(dice, RATES[0], shots=120, spoken=0.5)
    words = ("Have you ever been in love?", "have you ever been in love", "Run!", "RUN …")
    said = [
        tuple(replace(line, text=words[line.index % 8]) if line.index % 8 < 4 else line for line in t.lines)
        for t in takes
    ]
    repeated = [replace(take, lines=lines) for take, lines in zip(takes, said, strict=True)]
    tempo = _tempo(vibe, Fraction(120), RATES[0])
    cuts = arrange(_slots(vibe, Fraction(90), Fraction(120), True), repeated, vibe, tempo)
    chosen = [cut.line.words for cut in cuts if cut.line is not None]
    assert len(chosen) > 1
    assert len(set(chosen)) == len(chosen)


def test_no_part_is_shown_twice_however_long_the_trailer_is() -> None:
    dice = random.Random(2)
    vibe = load_vibe("action")
    tempo = _tempo(vibe, Fraction(128), Fraction(24))
    takes = _film(dice, Fraction(24), shots=8, spoken=0.0)
    cuts = arrange(_slots(vibe, Fraction(60), Fraction(128), False), takes, vibe, tempo)
    shown = [cut.in_ for cut in cuts if cut.take is not None]
    assert len(set(shown)) == len(shown) <= 8


@pytest.mark.parametrize("name", ["action", "comedy", "drama"])
def test_subjects_alternate(name: str) -> None:
    """Of three subjects, each in a third of the film, shots within three places rarely show one; by chance a third."""
    dice, vibe, rate = random.Random(name), load_vibe(name), Fraction(24)
    signs = [np.eye(2, 162, 40 * n, dtype=np.float32) for n in range(3)]
    film = _film(dice, rate, shots=120, spoken=0.0)
    takes = [replace(take, look=replace(take.look, subject=dice.choice(signs))) for take in film]
    cuts = arrange(_slots(vibe, Fraction(90), Fraction(120), False), takes, vibe, _tempo(vibe, Fraction(120), rate))
    shown = [int(cut.take.look.subject[0].argmax()) for cut in cuts if cut.take]
    near = [one == other for at, one in enumerate(shown) for other in shown[at + 1 : at + 4]]
    assert np.mean(near) < 0.25


@pytest.mark.parametrize(
    "name", mostly_slow(["action", "comedy", "family", "horror", "sci-fi", "western"], ("action", "family", "western"))
)
def test_main_subjects_are_introduced_and_none_fills_a_long_row(name: str) -> None:
    """Of two subjects the rarer one is what no genre wants; still act 1 shows both, and no row is longer than three."""
    dice, vibe, rate = random.Random(name), load_vibe(name), Fraction(24)
    signs = [np.eye(2, 162, 40 * n, dtype=np.float32) for n in range(2)]
    takes = []
    for at, take in enumerate(_film(dice, rate, shots=120, spoken=0.0)):
        rare = at % 4 == 0
        worst = {key: 0.4 if liking > 0 else 0.6 for key, liking in vibe.taste.items()} if rare else {}
        signals = replace(take.signals, **worst)
        takes.append(replace(take, signals=signals, look=replace(take.look, subject=signs[rare])))
    cuts = arrange(_slots(vibe, Fraction(90), Fraction(120), False), takes, vibe, _tempo(vibe, Fraction(120), rate))
    shown = [(cut.slot.act, int(cut.take.look.subject[0].argmax())) for cut in cuts if cut.take]
    assert {subject for act, subject in shown if act in ("cold open", "act 1")} == {0, 40}
    assert max(len(list(row)) for _, row in groupby(subject for _, subject in shown)) <= 3


def test_a_film_of_one_subject_fills_every_slot() -> None:
    dice, vibe, rate = random.Random(1), load_vibe("comedy"), Fraction(24)
    sign = np.eye(2, 162, dtype=np.float32)
    takes = [replace(t, look=replace(t.look, subject=sign)) for t in _film(dice, rate, shots=120, spoken=0.0)]
    slots = _slots(vibe, Fraction(90), Fraction(120), False)
    cuts = arrange(slots, takes, vibe, _tempo(vibe, Fraction(120), rate))
    assert sum(cut.slot.beats for cut in cuts) == sum(slot.beats for slot in slots)


def test_a_slot_for_a_line_that_one_shot_fills_is_split() -> None:
    """Else each genre would show that shot: the only one of more than two seconds, or with a line."""
    vibe, rate, takes = load_vibe("history"), Fraction(24), []
    for number, take in enumerate(_film(random.Random("history"), rate, shots=90, spoken=0.0)):
        start = take.range.start
        if number == 9:
            line = Line(
                9, FilmRange(start + Fraction(2), start + Fraction(4)), "It is here.", None, "intense", 0.8, 0.9, 0.0
            )
            takes.append(replace(take, range=FilmRange(start, start + Fraction(9)), lines=(line,)))
        else:
            takes.append(replace(take, range=FilmRange(start, min(take.range.end, start + Fraction(2)))))
    speed = Fraction(vibe.likely_tempo)
    cuts = arrange(_slots(vibe, Fraction(26), speed, True), takes, vibe, _tempo(vibe, speed, rate))
    opening = [cut.slot.beats * 60 / speed for cut in cuts if cut.take and cut.slot.act == "act 1"]
    assert len(opening) > 3
    assert max(opening) <= 2


@pytest.mark.parametrize("name", ["action", "comedy", "horror"])
def test_alternatives_say_how_they_differ_from_the_chosen_shot(name: str) -> None:
    """Each one is truly as it says, and hardly two of a slot say the same."""
    dice, vibe, rate = random.Random(name), load_vibe(name), Fraction(24)
    takes = _film(dice, rate, shots=120, spoken=0.0)
    cuts = arrange(_slots(vibe, Fraction(90), Fraction(120), False), takes, vibe, _tempo(vibe, Fraction(120), rate))
    said = [[other.why for other in cut.others] for cut in cuts if cut.others]
    assert sum(len(set(each)) for each in said) > 0.95 * sum(map(len, said))
    for cut in cuts:
        for other in cut.others:
            assert cut.take is not None
            more = other.take.signals.motion - cut.take.signals.motion
            assert more > 0 or "moves more" not in other.why
            assert more < 0 or "stiller" not in other.why


@pytest.mark.parametrize("name", ["action", "comedy", "horror"])
def test_reasons_tell_the_shots_apart(name: str) -> None:
    """No phrase is said of a third of the shots; the most of all is said of the most of all only."""
    dice, vibe, rate = random.Random(name), load_vibe(name), Fraction(24)
    takes = _film(dice, rate, shots=120, spoken=0.0)
    cuts = arrange(_slots(vibe, Fraction(90), Fraction(120), False), takes, vibe, _tempo(vibe, Fraction(120), rate))
    shown = [cut for cut in cuts if cut.take]
    phrases = Counter(phrase for cut in shown for phrase in cut.why.rpartition(": ")[2].split(", "))
    assert all(cut.why for cut in shown)
    assert phrases.most_common(1)[0][1] < len(shown) / 3
    moving = [cut for cut in shown if "moves most" in cut.why]
    for cut in moving:
        assert all(cut.take.signals.motion >= other.take.signals.motion for other in cut.others if cut.take)
    quiet = [cut for cut in shown if cut.slot.want is Want.CALM]
    assert not any("moves most" in cut.why or "much moves" in cut.why for cut in quiet)
    still = [cut for cut in shown if "hardly a movement" in cut.why or "the stillest" in cut.why]
    assert not any(cut.slot.want in (Want.STRONG, Want.THREAT, Want.GAG, Want.STING) or cut.sync for cut in still)
