"""What a trailer must reach as a whole: it is measured on the sequence, and what is lacking gets dearer."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from effort import mostly_slow
from footage import RATE, X264, encode, scene
from test_arrange import RATES, _film, _slots, _tempo

from cinecut.analysis.dialogue.lines import Line
from cinecut.analysis.edit.arrange import arrange
from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.cuts import LAST, Cut
from cinecut.analysis.edit.pairs import Shortlist
from cinecut.analysis.edit.parts import line_worth
from cinecut.analysis.edit.promises import Lacks, Prices, continuity
from cinecut.analysis.edit.sequence import _Search
from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.movement.activity import Activity, activities
from cinecut.analysis.film.movement.course import MOVE
from cinecut.analysis.film.shots import FilmShot
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts
from cinecut.vibes import load_vibe, names

_THIRD = Fraction(1, 3)


def _options(light: float, mute: bool = False) -> Shortlist:
    """A slot with one candidate, whose pictures are all as light."""
    sight = np.array([[light, light, 0.5]])
    one, number = np.zeros(1), np.zeros(1, int)
    return Shortlist(number, number, one, one, np.array([light]), sight, sight, np.array([mute]), {(0, 0, 0): 0})


def test_a_row_that_gets_lighter_is_smoother_than_its_shuffles_and_one_that_jumps_is_not() -> None:
    rising = [(_options(n / 12), 0) for n in range(12)]
    jumping = [rising[n] for n in (0, 11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6)]
    assert continuity(rising) == 1
    assert continuity(jumping) < 0.1


def test_only_what_is_lacking_gets_dearer() -> None:
    smooth = [(_options(n / 12, mute=n < 3), 0) for n in range(12)]
    lacks = Lacks.of(smooth, rise=2.0)
    assert lacks.mute == pytest.approx(0.15)
    assert lacks.eye == lacks.rise == 0
    dearer = Prices().raised(lacks)
    assert dearer.mute > 1 == dearer.eye == dearer.rise
    assert Lacks.of(smooth[3:], rise=0.5).rise > 0


def test_the_movement_of_a_part_is_that_of_what_it_shows() -> None:
    """A jerk just before a part begins, or just after it ends, is none of it."""
    take = _film(random.Random(1), Fraction(24), shots=1, spoken=0.0)[0]
    curve = np.array([0, 8, 0, 0], np.float32)
    take = replace(
        take, range=FilmRange(FilmTime(Fraction(0)), FilmTime(4 * MOVE)), activity=Activity(2.0, None, curve)
    )
    half, zero = MOVE / 2, Fraction(0)
    assert take.motion(FilmTime(zero), 2 * MOVE + LAST) == pytest.approx(4)
    assert take.motion(FilmTime(half), MOVE + LAST) == pytest.approx(4)  # half of it is still
    assert take.motion(FilmTime(2 * MOVE), half + LAST) == 0
    assert take.motion(FilmTime(zero), MOVE + half + LAST) == pytest.approx(8 / 3)
    assert take.motion(FilmTime(zero), MOVE + LAST) == 0  # the picture that the jerk leads to is not shown
    assert take.motion(FilmTime(3 * MOVE), 9 * MOVE) == 0  # what is behind its end is not known
    later = replace(take, range=FilmRange(FilmTime(half), FilmTime(4 * MOVE)), begin=FilmTime(zero))
    assert later.motion(FilmTime(half), MOVE + LAST) == pytest.approx(4)  # its steps are still those of its shot


@pytest.mark.parametrize("options", ["-bf 3", "-bf 0", "-bf 3 -preset veryfast -crf 30"])
def test_a_part_moves_as_much_as_its_own_pictures(options: str, tmp_path: Path) -> None:
    """Jerks and pauses of a few pictures: a part of half a second has none of its neighbours'."""
    dice = np.random.default_rng(1)
    speeds = np.repeat(dice.choice([0, 0, 2, 9], 50), dice.integers(1, 9, 50))[:100]
    frames = scene(4, int(speeds.sum()) + 1)[np.cumsum(speeds)]
    film = encode(tmp_path / "film.mkv", frames, options=f"{X264} {options}")
    facts, whole = film_facts(film), FilmRange(FilmTime(Fraction(0)), FilmTime(100 / Fraction(RATE)))
    found = activities(film, facts, [FilmShot(0, whole, GradualCut.CUT)], lambda share: None)
    take = replace(_film(random.Random(1), Fraction(24), shots=1, spoken=0.0)[0], range=whole, activity=found[0])
    with av.open(str(film)) as media:
        pictures = [frame.to_ndarray(format="gray") for frame in media.decode(video=0)]
    small = [cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA) for picture in pictures]
    changes = np.abs(np.diff(np.array(small, float), axis=0)).mean(axis=(1, 2))
    for first in range(0, 88, 4):
        told = take.motion(FilmTime(first / Fraction(RATE)), 12 / Fraction(RATE))
        assert told == pytest.approx(changes[first : first + 11].mean(), rel=0.2, abs=0.1)


@pytest.mark.matrix(3)
@pytest.mark.parametrize("name", names())
def test_every_genre_is_smooth_and_rises_on_a_film_that_can(name: str) -> None:
    """Whatever the genre likes: of enough takes some row of shots keeps all promises."""
    dice = random.Random(f"promise {name}")
    rate = RATES[0]
    takes = []
    for take in _film(dice, rate, shots=150, spoken=0.0):
        steps = int(take.range.duration / MOVE) + 1
        active = Activity(
            1.0,
            None,
            np.full(steps, dice.random(), np.float32),
            np.full(steps, dice.random(), np.float32),
            np.full((steps, 2), dice.random(), np.float32),
        )
        takes.append(replace(take, activity=active))
    vibe = load_vibe(name)
    speed = Fraction(vibe.likely_tempo)
    tempo = _tempo(vibe, speed, rate)
    cuts = [cut for cut in arrange(_slots(vibe, Fraction(90), speed, False), takes, vibe, tempo) if cut.take]
    row = [(_shown(cut, tempo.grid.seconds_at(Fraction(cut.slot.beats))), 0) for cut in cuts]
    assert continuity(row) > 0.8
    moves = {act: [cut.motion for cut in cuts if cut.slot.act == act] for act in ("act 2", "act 3")}
    assert all(third.mean() > np.mean(moves["act 2"]) for third in np.array_split(moves["act 3"], 3))


def test_the_last_exchanges_bring_a_sequence_nearer_to_what_it_must_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """In films with few takes, where no prices were found that are right for all that is lacking."""
    lacking = list[tuple[float, float]]()
    mended = _Search.mended

    def recorded(search: _Search, places: list[int]) -> list[int]:
        found = mended(search, list(places))
        lacking.append((search.lacks(places).total, search.lacks(found).total))
        assert found.count(-1) == places.count(-1)
        return found

    monkeypatch.setattr(_Search, "mended", recorded)
    vibe, speed = load_vibe("comedy"), Fraction(100)
    for seed in range(3):
        takes = _film(random.Random(f"few {seed}"), RATES[0], shots=40, spoken=0.3)
        arrange(_slots(vibe, Fraction(40), speed, True), takes, vibe, _tempo(vibe, speed, RATES[0]))
    assert all(after <= before for before, after in lacking)
    assert sum(after < before - 0.02 for before, after in lacking) >= len(lacking) / 3


def test_what_act_3_lacks_in_movement_changes_what_the_beam_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only the exchanges after it, which keep the beats at which its shots meet."""
    beam, searches = _Search.beam, list[_Search]()

    def recorded(search: _Search) -> list[int]:
        searches.append(search)
        return beam(search)

    monkeypatch.setattr(_Search, "beam", recorded)
    vibe, speed, rises = load_vibe("drama"), Fraction(80), list[tuple[float, float]]()
    for seed in range(4):
        takes = _film(random.Random(f"rise {seed}"), RATES[0], shots=60, spoken=0.0)
        arrange(_slots(vibe, Fraction(60), speed, False), takes, vibe, _tempo(vibe, speed, RATES[0]))
        first = searches[0]
        dear = _Search(first.gaps, first.options, first.pairs, Prices(rise=8), lambda _, n, __: searches[0].steps[n])
        rises.append((first.rise.least(beam(first)), dear.rise.least(beam(dear))))
        searches.clear()
    assert all(dear > cheap for cheap, dear in rises), rises


def _shown(cut: Cut, length: Fraction) -> Shortlist:
    assert cut.take is not None
    seen = [np.array([cut.take.sight(time)]) for time in (cut.in_, cut.in_ + length)]
    one, number = np.zeros(1), np.zeros(1, int)
    return Shortlist(
        number, number, one, one, np.array([cut.motion]), seen[0], seen[1], np.zeros(1, bool), {(0, 0, 0): 0}
    )


def test_a_genre_says_what_it_likes_to_hear() -> None:
    """Of two lines that are as strong, horror has the fear and romance the love."""
    spoken = FilmRange(FilmTime(Fraction(1)), FilmTime(Fraction(2)))
    fear, love = (Line(n, spoken, "…", None, kind, 0.8, 0.9, 0.0) for n, kind in enumerate(("negative", "romantic")))
    liked = {name: line_worth(love, load_vibe(name)) - line_worth(fear, load_vibe(name)) for name in names()}
    assert liked["romance"] > 0 > liked["horror"]
    assert all(load_vibe(name).lines for name in names())


def test_the_protagonist_is_introduced_in_act_1() -> None:
    """There a line of the one who speaks most counts more than a better one of somebody else, later it does not."""
    spoken = FilmRange(FilmTime(Fraction(1)), FilmTime(Fraction(2)))
    own, better = (Line(n, spoken, "…", None, "neutral", 0.3 + 0.4 * n, 1.0, 0.0, lead=not n) for n in (0, 1))
    vibe = load_vibe("drama")
    assert line_worth(own, vibe, "act 1") > line_worth(better, vibe, "act 1")
    assert line_worth(own, vibe, "act 2") < line_worth(better, vibe, "act 2")


def test_a_best_slot_that_none_of_the_strongest_fits_gets_the_next_that_does() -> None:
    """Not the one that its genre likes most: the strongest of those that are long enough."""
    takes = _film(random.Random(5), Fraction(24), shots=60, spoken=0.0)
    ranked = sorted(takes, key=lambda take: -take.score)
    brief = {take.shot for take in ranked[:20]}
    takes = [
        replace(t, range=FilmRange(t.range.start, t.range.start + _THIRD)) if t.shot in brief else t for t in takes
    ]
    vibe, speed = load_vibe("action"), Fraction(120)
    slots = [Slot("act 1", 2, Want.SHOT), Slot("beat drop", 2, Want.STRONG, best=True)]
    drop = next(c for c in arrange(slots, takes, vibe, _tempo(vibe, speed, Fraction(24))) if c.slot.act == "beat drop")
    long_enough = [take.shot for take in ranked if take.shot not in brief and take.range.duration >= 1]
    assert drop.take is not None
    assert drop.take.shot in long_enough[:3]


def test_the_drop_and_the_last_shot_share_the_strongest_that_fit() -> None:
    """Where two of the top tenth are long enough, each gets one of them: neither keeps both for itself."""
    for seed in (0, 1):
        takes = _film(random.Random(seed), Fraction(24), shots=60, spoken=0.0)
        ranked = sorted(takes, key=lambda take: -take.score)
        brief = {take.shot for take in ranked[2:7]}
        takes = [
            replace(t, range=FilmRange(t.range.start, t.range.start + _THIRD)) if t.shot in brief else t for t in takes
        ]
        slots = [
            *[Slot("act 1", 2, Want.SHOT)] * 4,
            Slot("beat drop", 1, Want.STRONG, best=True),
            *[Slot("act 3", 2, Want.SHOT)] * 4,
            Slot("act 3", 1, Want.STRONG, best=True),
        ]
        cuts = arrange(slots, takes, load_vibe("action"), _tempo(load_vibe("action"), Fraction(120), Fraction(24)))
        assert {cut.take.shot for cut in cuts if cut.slot.best and cut.take} == {take.shot for take in ranked[:2]}


@pytest.mark.parametrize("name", mostly_slow(["crime", "documentary", "western"], ["crime"]))
def test_a_film_of_few_short_shots_gets_no_dark_trailer(name: str) -> None:
    """Slots that nothing fills are left out, and with them all cards but the title's; their texts stand over shots."""
    vibe, speed = load_vibe(name), Fraction(load_vibe(name).likely_tempo)
    takes = _film(random.Random(f"{name}24"), RATE, shots=12, spoken=0.3)
    takes = [
        replace(t, range=FilmRange(t.range.start, t.range.start + min(t.range.duration, Fraction(1)))) for t in takes
    ]
    cuts = arrange(_slots(vibe, Fraction(24), speed, True), takes, vibe, _tempo(vibe, speed, RATE))
    dark = [cut.slot.beats for cut in cuts if cut.take is None]
    assert sum(dark) <= 0.12 * sum(cut.slot.beats for cut in cuts) or len(dark) == 1
    assert any('A "B": C' in cut.slot.text for cut in cuts)
