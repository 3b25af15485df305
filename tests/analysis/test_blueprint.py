"""The blueprint: every act of every vibe in whole beats, on bar lines, rising."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import accumulate, groupby
from pathlib import Path

import pytest

from cinecut.analysis.edit.blueprint import Plan, Slot, Want, draw, trailer_length
from cinecut.analysis.story.arc import Zone
from cinecut.cli.films.options import FilmOptions
from cinecut.diagnostics import Stop
from cinecut.vibes import load_vibe, names
from cinecut.vibes.skeleton import TEASER, load_skeleton, skeleton_names

LENGTHS = (20, 45, 60, 90, 120, 180)


TEXTS = {"title": "A", "tagline": "One place. One night. No way back.", "release": "In June", "credits": "By nobody"}


def _drawn(
    name: str, length: int, metre: int = 4, talks: bool = True, tempo: int = 0, texts: Mapping[str, str] = TEXTS
) -> list[Slot]:
    vibe = load_vibe(name)
    speed = Fraction(tempo or vibe.likely_tempo)
    return draw(Plan(load_skeleton(vibe.skeleton), vibe, Fraction(length), speed, metre, talks, texts))


def _beats(slots: list[Slot], act: str) -> list[int]:
    return [slot.beats for slot in slots if slot.act == act and slot.want.shows]


@pytest.mark.matrix(100)
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("metre", [3, 4, 7])
def test_acts_start_on_bar_lines_and_the_length_is_met(name: str, length: int, metre: int) -> None:
    slots = _drawn(name, length, metre)
    beat = Fraction(60, load_vibe(name).likely_tempo)
    assert all(slot.beats >= 1 for slot in slots)
    assert abs(sum(slot.beats for slot in slots) * beat - length) <= metre * beat
    starts = [0, *accumulate(slot.beats for slot in slots)]
    for act, group in groupby(enumerate(slots), key=lambda pair: pair[1].act):
        places = [place for place, slot in group if slot.want.shows or slot.text == "A"]
        if places and act != "button":
            assert starts[places[0]] % metre == 0, act


@pytest.mark.matrix(20)
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("texts", [{}, {"title": "A"}, TEXTS], ids=["none", "title", "all"])
def test_black_and_cards_never_take_more_than_an_eighth(name: str, texts: dict[str, str]) -> None:
    for length in (20, 30, 60, 90, 120, 180):
        for tempo in load_vibe(name).tempo:
            slots = _drawn(name, length, tempo=tempo, texts=texts)
            dark = sum(slot.beats for slot in slots if not slot.want.shows)
            assert dark <= 0.12 * sum(slot.beats for slot in slots), length
            assert sum(slot.text == "A" for slot in slots) <= 1
            assert any(slot.text.startswith("A") for slot in slots) == ("title" in texts)


@pytest.mark.parametrize("length", [60, 75, 90, 180])
def test_nearly_every_trailer_ends_on_the_first_beat_at_or_after_its_length(length: int) -> None:
    """Its last card can be read all the same, though it ends with the trailer; and it is within the limit of black."""
    late = list[bool]()
    for name in names():
        tempo = load_vibe(name).likely_tempo + 7
        for metre in (3, 4, 7):
            slots = _drawn(name, length, metre, tempo=tempo, texts={"title": "A", "release": "In June"})
            over = sum(slot.beats for slot in slots) * Fraction(60, tempo) - length
            late.append(not 0 <= over < Fraction(60, tempo))
            assert late[-1] or slots[-1].beats * Fraction(60, tempo) - over >= 1
            assert sum(slot.beats for slot in slots if not slot.want.shows) <= 0.12 * sum(s.beats for s in slots)
    assert sum(late) <= 0.1 * len(late)


@pytest.mark.parametrize("name", names())
def test_the_pace_rises_from_act_to_act(name: str) -> None:
    slots = _drawn(name, 90)
    first, second, third = (_beats(slots, act) for act in ("act 1", "act 2", "act 3"))
    assert sum(first) / len(first) > sum(second) / len(second) > sum(third) / len(third)
    assert third[0] <= sum(second) / len(second)
    least, most = load_vibe(name).shots
    assert 0.7 * least <= sum(slot.want.shows for slot in slots) <= 1.5 * most


@pytest.mark.parametrize("name", names())
def test_act_1_is_hardly_slower_than_the_genres_pace_says(name: str) -> None:
    for length in (*LENGTHS[1:], 75, 105, 150):
        for talks in (False, True):
            shots = _beats(_drawn(name, length, talks=talks), "act 1")
            assert max(shots) <= 1.25 * load_vibe(name).pace[0], length
            assert sum(shots) <= 1.12 * load_vibe(name).pace[0] * len(shots), length


def test_there_are_many_skeletons_and_every_one_is_some_vibes() -> None:
    used = {load_vibe(name).skeleton for name in names()}
    assert used == set(skeleton_names()) - {TEASER}
    shapes = {tuple((part.act, part.kind) for part in load_skeleton(name).parts) for name in used}
    assert len(shapes) == len(used) >= 6


@pytest.mark.parametrize("name", names())
def test_the_drop_and_the_last_shot_before_the_title_get_the_best(name: str) -> None:
    slots = _drawn(name, 90)
    best = [slot for slot in slots if slot.best]
    assert best[0].act == "beat drop"
    assert slots[slots.index(best[-1]) + 1 :][0].want in (Want.CARD, Want.BLACK)
    assert len(best) == 2


def test_the_sentences_of_a_tagline_are_divided_among_its_cards() -> None:
    texts = [slot.text for slot in _drawn("thriller", 120) if slot.text]
    assert texts[:2] == ["One place. One night.", "No way back."]
    assert [slot.text for slot in _drawn("comedy", 90) if "One" in slot.text] == [TEXTS["tagline"]]


def test_a_short_trailer_is_a_montage_with_its_title() -> None:
    slots = _drawn("action", 5)
    assert {slot.act for slot in slots} == {"act 1", "title card"}


def test_a_skeleton_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text(
        "skeleton: 1\nabout: mine\nparts:\n  - {act: act 3, share: 0.9, shape: one, want: threat, zones: [climax]}\n"
        "  - {act: title card, card: title, share: 0.1}\n"
    )
    plan = Plan(load_skeleton(str(own)), load_vibe("action"), Fraction(30), Fraction(120), 4, False, {"title": "A"})
    shown, card = draw(plan)
    assert (shown.want, shown.zones, card.text) == (Want.THREAT, (Zone.CLIMAX,), "A")
    assert load_skeleton(str(own)).name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("skeleton: 1\nabout: x\nparts: [{act: act 9, share: 0.5}, {act: act 1, share: 0.5}]\n", "act 9"),
        ("skeleton: 1\nabout: x\nparts: [{act: act 1, black: 0.5}, {act: act 1, share: 0.5}]\n", "black"),
        ("skeleton: 1\nabout: x\nparts: [{act: act 1, black: 0.1}, {act: act 2, black: 0.1}]\n", "no shots"),
        ("", "empty"),
    ],
)
def test_a_bad_skeleton_is_refused_with_the_place(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(Stop) as stop:
        load_skeleton(str(tmp_path / "bad.yaml"))
    assert said in str(stop.value.diagnostics)


def test_a_skeleton_that_there_is_not() -> None:
    with pytest.raises(Stop) as stop:
        load_skeleton("slow-born")
    assert "slow-burn" in str(stop.value.diagnostics[0].hints)


def test_lines_take_the_vibes_share_only_where_somebody_speaks() -> None:
    silent, spoken = (_drawn("documentary", 90, talks=talks) for talks in (False, True))
    assert not any(slot.want is Want.LINE for slot in silent)
    acts = [slot for slot in spoken if slot.act in ("act 1", "act 2") and slot.want.shows]
    share = sum(slot.want is Want.LINE for slot in acts) / len(acts)
    assert abs(share - float(load_vibe("documentary").dialogue)) <= 0.15


@pytest.mark.parametrize(
    ("film", "material", "expected"),
    [
        (3, 3, 3),
        (10, 10, 6),
        (52, 52, 15),
        (52, 15, 9),
        (596, 500, Fraction(596 * 15, 100)),
        (596, 50, 30),
        (5400, 5000, 120),
    ],
)
def test_a_short_film_gets_a_short_trailer(film: int, material: int, expected: Fraction) -> None:
    assert trailer_length(Fraction(film), Fraction(material)) == expected


@pytest.mark.parametrize(
    "text", ["\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}", "نمی\N{ZERO WIDTH NON-JOINER}دانم", "\N{RIGHT-TO-LEFT MARK}שלום!"]
)
def test_signs_that_join_or_turn_others_are_text(text: str) -> None:
    assert FilmOptions(films=[], title=text).texts() == {"title": text}


@pytest.mark.parametrize("text", ["a\x07b", "a\x00b", "\x1b[1mfat"])
def test_signs_that_no_font_shows_are_refused(text: str) -> None:
    with pytest.raises(Stop, match=r"--tagline is .* U\+00"):
        FilmOptions(films=[], tagline=text).texts()
