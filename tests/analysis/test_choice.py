"""What a trailer is called and chosen by: titles that are none, the best shots in their places, an act 3 that rises."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from effort import mostly_slow
from test_arrange import _film, _look, _slots, _tempo

from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.analysis.edit.arrange import arrange
from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.candidates import Market
from cinecut.analysis.edit.cuts import Cut, Take
from cinecut.analysis.edit.score.sound import _duck, _gain, compose
from cinecut.analysis.edit.score.voices import SpokenSound
from cinecut.analysis.edit.weights import read_weights
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.signals import likeness
from cinecut.analysis.story.arc import Story, TurningPoint, Zone
from cinecut.analysis.story.meaning import DRAMA, meanings
from cinecut.analysis.title import is_doubtful
from cinecut.inference.models import minilm_engine
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.vibes import load_vibe, names
from cinecut.vibes.skeleton import load_skeleton, skeleton_names

RATE = Fraction(24)


@pytest.mark.parametrize(
    "name",
    ["VTS_01_1", "FINAL_v3", "2024-05-01", "IMG_0042", "final cut 2", "a3f9c2e1b4d8", "20240501", "GX010042", "7"],
)
def test_a_files_name_is_no_title(name: str) -> None:
    assert is_doubtful(name)


@pytest.mark.parametrize(
    "name",
    ["FINAL DESTINATION", "THE CUT", "BIG BUCK BUNNY", "film", "ALIENS 2", "SE7EN", "七人の侍", "DEADBEEF", "UP"],
)
def test_a_films_name_is_one(name: str) -> None:
    assert not is_doubtful(name)


@pytest.mark.parametrize("name", ["documentary", "romance", "western"])
def test_a_genre_that_likes_it_quiet_shows_no_still_picture_for_long(name: str) -> None:
    speed = Fraction(load_vibe(name).likely_tempo)
    _, cuts = _silent_film(name)
    long = [cut for cut in cuts if cut.take and cut.slot.beats * 60 / speed > 4]
    assert len(long) > 5
    assert sum(cut.motion < 0.2 for cut in long) < len(long) / 5


@pytest.mark.matrix(3)
@pytest.mark.parametrize("name", names())
def test_the_drop_and_the_last_shot_are_among_the_best_and_act_3_moves_most(name: str) -> None:
    takes, cuts = _silent_film(name)
    scores = sorted((take.score for take in takes), reverse=True)
    for cut in (cut for cut in cuts if cut.slot.best and cut.take):
        assert cut.take is not None
        assert scores.index(cut.take.score) < len(takes) / 10, cut.slot.act
    motion = {act: [cut.motion for cut in cuts if cut.take and cut.slot.act == act] for act in ("act 2", "act 3")}
    usual = np.mean(motion["act 2"])
    assert all(third.mean() > usual for third in np.array_split(motion["act 3"], 3))


def test_the_same_film_is_cut_the_same_way_and_otherwise_by_another_genre() -> None:
    takes = _film(random.Random(7), RATE, shots=120, spoken=0.3)
    shots: dict[str, list[int]] = {}
    for name in ("drama", "romance", "western", "drama"):
        vibe = load_vibe(name)
        slots = _slots(vibe, Fraction(90), Fraction(80), True)
        found = [cut.take.shot for cut in arrange(slots, takes, vibe, _tempo(vibe, Fraction(80), RATE)) if cut.take]
        assert shots.setdefault(name, found) == found
    assert len({tuple(found) for found in shots.values()}) == 3
    common = set(shots["drama"]) & set(shots["romance"])
    assert len(common) < 0.6 * len(shots["drama"])


@pytest.mark.parametrize("act", ["act 1", "act 2"])
def test_what_all_genres_like_tells_none_apart(act: str) -> None:
    takes, slot = _film(random.Random(7), RATE, shots=60, spoken=0.3), Slot(act, 2, Want.SHOT)
    vibes = [load_vibe(name) for name in names()]
    liked = [Market(takes, each, _tempo(each, Fraction(80), RATE), read_weights())._tasted(slot) for each in vibes]
    alike = np.asarray(np.corrcoef(liked))[np.triu_indices(len(vibes), 1)]
    assert alike.mean() < 0
    assert np.std(liked, axis=1) == pytest.approx(read_weights().taste)


@pytest.mark.parametrize("name", ["drama", "history", "comedy"])
def test_where_few_shots_are_long_the_pace_stays_near_the_genres(name: str) -> None:
    """Two shots of three last at most two seconds: slots that a handful of others fill are not split."""
    vibe, speed, takes = load_vibe(name), Fraction(load_vibe(name).likely_tempo), []
    for take in _film(random.Random(name), RATE, shots=50, spoken=0.0):
        short = FilmRange(take.range.start, min(take.range.end, take.range.start + Fraction(2)))
        takes.append(replace(take, range=short) if take.shot % 3 else take)
    cuts = arrange(_slots(vibe, Fraction(27), speed, True), takes, vibe, _tempo(vibe, speed, RATE))
    assert sum(cut.take is not None for cut in cuts) < 1.8 * float(vibe.shots[1]) * 27 / 90


def test_every_want_and_act_has_its_weights() -> None:
    weights = read_weights()
    assert {"strong", "introduce", "question", "threat", "release", "calm"} <= set(weights.want)
    assert weights.act["act 3"]["motion"] > 0 > weights.act["act 2"]["motion"]


@pytest.mark.skipif(minilm_engine() is None, reason="needs MiniLM")
def test_descriptions_mean_something() -> None:
    found = meanings(
        {
            0: "A violent battle with fire, soldiers charge with weapons. furious.",
            1: "A calm meadow in the morning, a deer among flowers. peaceful.",
            2: "Close portrait of a young woman who looks at the camera. calm.",
        }
    )
    assert found[0][DRAMA] > max(found[1][DRAMA], found[2][DRAMA])
    assert max(found, key=lambda shot: found[shot]["introduce"]) == 2
    assert max(found, key=lambda shot: found[shot]["release"]) == 1
    assert meanings({}) == {}


def _cut(name: str, takes: list[Take], length: int = 90, talks: bool = False) -> list[Cut]:
    vibe = load_vibe(name)
    speed = Fraction(vibe.likely_tempo)
    order = float(load_skeleton(vibe.skeleton).order)
    return arrange(_slots(vibe, Fraction(length), speed, talks), takes, vibe, _tempo(vibe, speed, RATE), order)


@cache
def _silent_film(name: str) -> tuple[list[Take], list[Cut]]:
    """A film of many shots without speech, three takes of each set-up; and a genre's trailer of it, asked much."""
    takes = _film(random.Random(f"silent {name}"), RATE, shots=240, spoken=0.0)
    return takes, _cut(name, takes)


@pytest.mark.parametrize("skeleton", skeleton_names())
def test_no_act_but_the_last_names_the_climax(skeleton: str) -> None:
    """What a part's zones are, it may show: act 1 nothing from behind the escalation, act 2 not the climax."""
    parts = [part for part in load_skeleton(skeleton).parts if part.kind == "shots"]
    if any(part.act == "act 2" for part in parts):
        assert all(set(part.zones) == {"begin"} for part in parts if part.act == "act 1")
        assert all("climax" not in part.zones for part in parts if part.act in ("cold open", "act 2"))


@pytest.mark.matrix(3)
@pytest.mark.parametrize("name", names())
def test_no_slot_shows_or_offers_what_comes_later_in_the_film(name: str) -> None:
    """However a take is described: it is its time that spoils."""
    takes = _film(random.Random(f"late {name}"), RATE, shots=160, spoken=0.3)
    order = list(Zone)
    liar = random.Random(name)
    takes = [replace(take, since=take.zone, zone=liar.choice(order)) for take in takes]
    for cut in _cut(name, takes, talks=True):
        latest = max((order.index(zone) for zone in cut.slot.zones), default=len(order))
        for take in ([cut.take] if cut.take else []) + [other.take for other in cut.others]:
            assert take.since is not None
            assert order.index(take.since) <= latest, (cut.slot.act, cut.slot.zones)


@pytest.mark.matrix(3)
@pytest.mark.parametrize("name", names())
def test_neighbours_and_the_trailer_itself_share_no_alternatives(name: str) -> None:
    _, cuts = _silent_film(name)
    shown = {cut.take.shot for cut in cuts if cut.take}
    others = [{other.take.shot for other in cut.others} for cut in cuts]
    assert sum(map(len, others)) >= 3.5 * len(shown)
    for at, mine in enumerate(others):
        assert not mine & shown
        assert len(mine) <= 2 or not any(mine & near for near in others[at + 1 : at + 3] if len(near) > 2)


ENDINGS = ["animation", "comedy", "family", "horror", "music", "mystery", "thriller"]  # with a fright or a joke


@pytest.mark.parametrize("name", mostly_slow(ENDINGS, ("comedy", "horror", "music")))
def test_a_last_fright_is_dark_and_a_last_joke_is_not(name: str) -> None:
    _, cuts = _silent_film(name)
    last = [cut for cut in cuts if cut.take and cut.slot.want in (Want.STING, Want.GAG)]
    assert last
    for cut in last:
        assert cut.take is not None
        brightness = cut.take.signals.brightness  # as a rank in the film
        assert brightness < 0.5 if cut.slot.want is Want.STING else brightness > 0.4


@pytest.mark.parametrize("name", mostly_slow(["action", "drama", "horror", "romance"], ("action", "romance")))
def test_a_shot_of_nothing_is_not_shown_unless_something_passes_through_it(name: str) -> None:
    takes = _film(random.Random(f"blank {name}"), RATE, shots=200, spoken=0.3)
    takes = [replace(t, look=replace(t.look, structure=0.0)) if n % 3 == 0 else t for n, t in enumerate(takes)]
    shown = [cut.take for cut in _cut(name, takes, talks=True) if cut.take]
    assert not [take.shot for take in shown if take.look.is_blank and take.signals.motion <= 0.5]
    assert [take.shot for take in shown if take.look.is_blank]


@pytest.mark.parametrize("name", mostly_slow(["action", "drama", "horror", "romance"], ("action", "romance")))
def test_no_shot_comes_twice_where_there_are_enough_others(name: str) -> None:
    takes = _film(random.Random(f"again {name}"), RATE, shots=200, spoken=0.0)
    favourites = [replace(take, shot=take.shot // 4) for take in takes]  # four takes of each shot, some liked very much
    shown = [cut.take.shot for cut in _cut(name, favourites) if cut.take]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("name", mostly_slow(names(), ("action",)))
def test_no_set_up_comes_again_within_three_shots_where_there_are_enough_others(name: str) -> None:
    """However much a genre likes it: a third of the takes show the one that it likes best."""
    dice, best = random.Random(name), {key: float(liking > 0) for key, liking in load_vibe(name).taste.items()}
    takes = [replace(take, look=_look(dice, n)) for n, take in enumerate(_film(dice, RATE, shots=80, spoken=0.0))]
    liked = [replace(take, look=takes[0].look, signals=replace(take.signals, **best)) for take in takes[::3]]
    takes[::3] = liked
    shown = [cut.take for cut in _cut(name, takes, 40) if cut.take]
    near = [(one, other) for n, one in enumerate(shown) for other in shown[n + 1 : n + 4]]
    assert not [(one.shot, other.shot) for one, other in near if likeness(one.look, other.look) > 0.72]


@pytest.mark.parametrize("name", mostly_slow(names(), ("action", "music")))
def test_no_set_up_stands_more_often_than_its_share_of_the_film(name: str) -> None:
    """However much a genre likes it: one in nine takes shows the one that it likes best. Twice it may always stand."""
    dice, best = random.Random(name), {key: float(liking > 0) for key, liking in load_vibe(name).taste.items()}
    takes = [replace(take, look=_look(dice, n)) for n, take in enumerate(_film(dice, RATE, shots=120, spoken=0.0))]
    takes[::9] = [replace(t, look=takes[0].look, signals=replace(t.signals, **best)) for t in takes[::9]]
    shown = [cut.take for cut in _cut(name, takes, 60) if cut.take]
    share = sum(take.range.duration for take in takes[::9]) / sum(take.range.duration for take in takes)
    assert sum(take.look is takes[0].look for take in shown) <= max(2, ceil(share * len(shown)))


@pytest.mark.parametrize("name", mostly_slow(names(), ("action",)))
def test_neighbours_never_show_one_set_up_though_the_film_has_only_two(name: str) -> None:
    dice = random.Random(name)
    looks = [_look(dice, n) for n in range(2)]
    takes = [replace(take, look=dice.choice(looks)) for take in _film(dice, RATE, shots=80, spoken=0.0)]
    for one, other in pairwise(_cut(name, takes, 40)):
        assert not (one.take and other.take) or likeness(one.take.look, other.take.look) <= 0.72


@pytest.mark.matrix(3)
@pytest.mark.parametrize("name", names())
def test_the_last_shot_of_all_is_a_strong_one_that_does_what_it_is_for(name: str) -> None:
    takes, cuts = _silent_film(name)
    last = [cut for cut in cuts if cut.take][-1]
    scores = sorted((take.score for take in takes), reverse=True)
    assert last.take is not None
    assert scores.index(last.take.score) < len(takes) / (4 if last.slot.act == "button" else 10)
    part = [part for part in load_skeleton(load_vibe(name).skeleton).parts if part.kind == "shots"][-1]
    assert last.slot.want == part.wants[-1]


def test_a_film_whose_shots_are_short_gets_shorter_slots() -> None:
    """A slot that only few shots are long enough for would show the same ones in every trailer."""
    takes = _film(random.Random(3), RATE, shots=60, spoken=0.0)
    three = Fraction(3)
    short = [replace(t, range=FilmRange(t.range.start, min(t.range.end, t.range.start + three))) for t in takes]
    short[5], short[9] = takes[5], takes[9]
    cuts = [cut for cut in _cut("drama", short, length=30) if cut.take]
    beat = Fraction(60, load_vibe("drama").likely_tempo)
    assert all(cut.slot.beats * beat <= 3 for cut in cuts if not cut.slot.best)


def test_a_gain_says_what_it_is_for() -> None:
    """Only where somebody speaks, a level is that of speech."""
    curve = LoudnessCurve(np.full(100, -26, np.float32))
    phrase = FilmRange(FilmTime(Fraction(1)), FilmTime(Fraction(2)))
    soft, loud = (Cut(Slot("act 1", 4, Want.SHOT, level=level)) for level in (-4, 4))
    assert _gain(soft, [], curve, -20, phrase)[0] == -4
    assert _gain(loud, [], curve, -20, phrase)[0] == 4
    for cut in (soft, loud):
        assert "dialogue" not in _gain(cut, [], curve, -20, phrase)[1]
        assert _gain(cut, [phrase], curve, -20, phrase) == (6, "what is said to the level of the dialogue")


@pytest.mark.parametrize(("beside", "gain"), [(-40, 12), (-20, 8), (-6, 6)])
def test_a_soft_line_is_raised_as_far_as_its_scene_lets_it(beside: int, gain: int) -> None:
    """A crash in the same shot is not raised with a whisper."""
    levels = np.full(100, -34, np.float32)
    levels[15:] = beside
    cut, phrase = Cut(Slot("act 1", 4, Want.SHOT)), FilmRange(FilmTime(Fraction(0)), FilmTime(Fraction(1)))
    whole = FilmRange(FilmTime(Fraction(0)), FilmTime(Fraction(2)))
    assert _gain(cut, [phrase], LoudnessCurve(levels), -20, whole)[0] == gain
    assert _gain(cut, [phrase], LoudnessCurve(levels), -44, whole)[0] == -10, "a loud one goes down"


def test_the_music_stays_where_nobody_surely_speaks_in_all_of_the_film() -> None:
    """A bird deceives one network now and then, a film full of speech both."""
    lines = list[Line]()  # of a film whose phrases have no words
    takes = _film(random.Random(7), RATE, shots=60, spoken=0.8)
    for number, take in enumerate(takes):
        takes[number] = replace(
            take, lines=tuple(replace(line, text="", emotion="neutral", strength=0.0) for line in take.lines)
        )
        lines += takes[number].lines
    cuts, every = _cut("drama", takes, 60), {line.index for line in lines}
    assert _ducks(cuts, lines, set()) == {(None, "")}
    assert (6, "somebody may speak") in _ducks(cuts, lines, {next(iter(every))})
    deep = {depth or 0 for depth, why in _ducks(cuts, lines, every) if why.startswith("somebody speaks")}
    assert min(deep) == 12
    assert max(deep) > 12  # in the last act, in which the music has grown


def _ducks(cuts: list[Cut], lines: list[Line], sure: set[int]) -> set[tuple[int | None, str]]:
    """How the music is lowered where so many of the phrases are sure."""
    known = {line.index: replace(line, sure=line.index in sure) for line in lines}

    def heard(cut: Cut) -> Cut:
        take = cut.take and replace(cut.take, lines=tuple(known[line.index] for line in cut.take.lines))
        return replace(cut, take=take, line=cut.line and known[cut.line.index])

    vibe, end = load_vibe("drama"), max(line.range.end for line in lines)
    begin, escalation, climax = (TurningPoint(FilmTime(end.seconds * k / 4), "", "signals") for k in (1, 2, 3))
    sound = SpokenSound(LoudnessCurve(np.zeros(0, np.float32)), Dialogue(tuple(known.values())), end, end)
    tempo = _tempo(vibe, Fraction(vibe.likely_tempo), RATE)
    score = compose([heard(cut) for cut in cuts], tempo, vibe, None, sound, Story(begin, escalation, climax, end))
    return {(event.duck, event.why_duck) for event in score.events}


def test_the_music_goes_down_by_less_where_a_film_hardly_speaks() -> None:
    """There a phrase may as well be a bird."""
    takes = _film(random.Random(3), RATE, shots=60, spoken=0.0)
    cut = next(cut for cut in _cut("drama", takes, length=30) if cut.take and not cut.mute and cut.line is None)
    assert _duck(cut, speaks=True, sure=True, deep=12) == (12, "somebody speaks")
    assert _duck(cut, speaks=True, sure=False, deep=12) == (6, "somebody may speak")
