"""Lines of the film over other pictures, and sounds that come before their picture or outlast it: to the sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from correlation import sound_offset
from oracle import Film, Samples, Sound
from rendering import nearest_sample, render_text, spec_text, stems_of

from cinecut.diagnostics import Stop
from cinecut.render.job import prepare

Films = Callable[[Film], Film]
RATE = 48_000
SOFT = 480  # samples in which a voice begins and ends


@pytest.fixture
def film(films: Films) -> Film:
    sound = Sound(codec="pcm_s16le")
    return films(Film(Path("a.mov"), Fraction(24), 240, (160, 90), gop=24, sound=sound))


def stems(film: Film, events: Sequence[str], folder: Path, ffmpeg: Path, rate: str = "24") -> dict[str, Samples]:
    return stems_of(spec_text(film, events, f"output: {{codec: ffv1, rate: {rate}}}"), folder, ffmpeg)


def far(found: Samples, wanted: Samples) -> float:
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max())


# Voices


@pytest.mark.matrix
@pytest.mark.parametrize("rate", ["24", "30000/1001"])
@pytest.mark.parametrize(
    ("voice", "event", "after"),
    [
        ("1.25 - 3.5", 1, Fraction(0)),
        ("{take: 7.3 - 8.1, at: 0.7s}", 1, Fraction(7, 10)),
        ("{take: 7.3 - 8.1, at: -11f}", 2, Fraction(-11)),
        ("{take: {in: 4.041667, out: 6}, at: 0.013s}", 0, Fraction(13, 1000)),
    ],
)
def test_a_voice_is_the_films_sound_at_its_exact_place(
    film: Film, bundled: Path, tmp_path: Path, rate: str, voice: str, event: int, after: Fraction
) -> None:
    """It may run on over the cuts that follow it; nothing is heard beside it."""
    events = ["{shot: {in: 0s, for: 37f}}", "{black: 41f}", "{shot: {in: 2s, for: 97f}}"]
    events[event] = events[event][:-1] + f", voice: {voice}}}"
    stem = stems(film, events, tmp_path, bundled, rate)["voice"]
    take = voice.removeprefix("{take: ").removeprefix("{in: ").partition("}")[0].partition(", at")[0]
    first, last = (Fraction(t) for t in take.replace(", out:", " -").split(" - "))
    event_start = nearest_sample((0, 37, 78)[event] / Fraction(rate))
    after = after / Fraction(rate) if abs(after) > 1 else after
    start, length = event_start + nearest_sample(after), nearest_sample(last - first)
    source = film.heard()[nearest_sample(first) :][:length]
    assert far(stem[start + SOFT : start + length - SOFT], source[SOFT:-SOFT]) < 1e-4
    assert not stem[:start].any()
    assert not stem[start + length :].any()
    edges = np.abs(stem[[start, start + length - 1]])
    assert edges.max() < 0.01  # it begins and ends softly


def test_a_voice_from_a_film_with_aac(films: Films, ffmpeg: Path, tmp_path: Path) -> None:
    """Also one whose sound starts with another moment than its picture."""
    film = films(Film(Path("a.mp4"), Fraction(24), 240, (160, 90), gop=24, sound=Sound(start=Fraction(1, 10))))
    stem = stems(film, ["{black: 1s}", "{black: 2s, voice: 5 - 6.5}"], tmp_path, ffmpeg)["voice"]
    heard = film.heard()
    for place in (RATE + SOFT, 2 * RATE):
        wanted = place - RATE + 5 * RATE - RATE / 10
        assert sound_offset(stem, heard, place) == pytest.approx(wanted, abs=1)


def test_gain_of_a_voice_and_of_its_stem(film: Film, bundled: Path, tmp_path: Path) -> None:
    events = ["{black: 3s, voice: {take: 5 - 6.5, gain: -4}}"]
    text = spec_text(film, events, "mix: {voice: 7}\noutput: {codec: ffv1}")
    stem = stems_of(text, tmp_path, bundled)["voice"]
    wanted = film.heard()[5 * RATE + SOFT : 6 * RATE] * 10 ** (3 / 20)
    assert far(stem[SOFT:RATE], wanted.astype(np.float32)) < 1e-4


def test_two_voices_at_once(film: Film, bundled: Path, tmp_path: Path) -> None:
    events = ["{black: 3s, voice: [{take: 5 - 6}, {take: 8 - 9, at: 0.5s}]}"]
    stem, source = stems(film, events, tmp_path, bundled)["voice"], film.heard()
    both = source[5 * RATE + 26_000 : 6 * RATE - SOFT] + source[8 * RATE + 2000 : 8 * RATE + 24_000 - SOFT]
    assert far(stem[26_000 : RATE - SOFT], both) < 1e-4


def test_the_trailer_holds_what_the_stems_hold(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    events = ["{shot: {in: 0s, for: 1s}, mute: true}", "{black: 1s, voice: 5 - 6}"]
    found = render_text(spec_text(film, events), tmp_path, ffmpeg).sound
    assert far(found[RATE + SOFT : -SOFT], film.heard()[5 * RATE + SOFT : 6 * RATE - SOFT]) < 1e-4
    assert not found[:RATE].any()


@pytest.mark.parametrize(
    ("event", "code", "words"),
    [
        ("{black: 2s, voice: 9 - 10.5}", "past-end", "this voice runs to 0:10.500, the film ends at 0:10.000"),
        ("{black: 2s, voice: 3 - 2}", "order", "the out point of this voice is not after its in point"),
        ("{black: 2s, voice: {take: 3 - 4, at: 1.5s}}", "sound-outside", "this voice outlasts the trailer"),
        ("{black: 2s, voice: {take: 3 - 4, at: -0.1s}}", "sound-outside", "this voice begins before the trailer does"),
        ("{black: 2s, voice: {take: {in: 3, for: 1s}}}", "under-determined", "a voice needs the times of its line"),
        ("{black: 2s, voice: {take: 3 - 4, at: 1 beat}}", "no-grid", "a length in beats needs a beat grid"),
    ],
)
def test_a_voice_that_cannot_be(film: Film, tmp_path: Path, event: str, code: str, words: str) -> None:
    found = _findings(spec_text(film, [event]), tmp_path)
    assert [c for c, _ in found] == [code]
    assert found[0][1].startswith(words)


def test_a_film_without_sound_has_no_voices(films: Films, tmp_path: Path) -> None:
    film = films(Film(Path("a.mp4"), Fraction(24), 48, (160, 90), gop=24))
    found = _findings(spec_text(film, ["{black: 2s, voice: 0 - 1}"]), tmp_path)
    assert found == [("no-audio", "the film has no sound, so no voice either")]


def _findings(text: str, folder: Path) -> list[tuple[str, str]]:
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Stop) as stop:
        prepare(folder / "spec.yaml")
    return [(d.code, d.message) for d in stop.value.diagnostics]


# J- and L-cuts


@pytest.mark.matrix
@pytest.mark.parametrize("rate", ["24", "30000/1001"])
@pytest.mark.parametrize(("lead", "trail"), [(9, 0), (0, 14), (9, 14)])
def test_sound_before_and_after_its_picture(
    film: Film, bundled: Path, tmp_path: Path, rate: str, lead: int, trail: int
) -> None:
    """One piece from where it comes in to where it goes: the film's sound without a gap at the cuts, to the sample."""
    over = "".join(f", {key}: {n}f" for key, n in (("sound_lead", lead), ("sound_trail", trail)) if n)
    events = ["{black: 31f}", f"{{shot: {{in: 4s, for: 43f}}{over}}}", "{black: 29f}"]
    found, clock = stems(film, events, tmp_path, bundled, rate)["film"], Fraction(rate)
    start, end = nearest_sample((31 - lead) / clock), nearest_sample((74 + trail) / clock)
    in_ = nearest_sample(4 - lead / clock)
    source = film.heard()[in_ : in_ + end - start]
    soft = 960
    assert far(found[start + soft : end - soft], source[soft:-soft]) < 1e-4
    assert not found[:start].any()
    assert not found[end:].any()


def test_the_picture_stays_where_it_is(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    events = ["{shot: {in: 0s, for: 12f}, mute: true}", "{shot: {in: 4s, for: 12f}, sound_lead: 6f}"]
    rendered = render_text(spec_text(film, events), tmp_path, ffmpeg)
    assert rendered.numbers == [*range(12), *range(96, 108)]
    assert not rendered.sound[: 6 * 2000].any()
    assert far(rendered.sound[6 * 2000 + 960 : -960], film.heard()[90 * 2000 + 960 : 108 * 2000 - 960]) < 1e-4


def test_a_lead_lies_over_the_shot_before(film: Film, bundled: Path, tmp_path: Path) -> None:
    events = ["{shot: {in: 0s, for: 24f}}", "{shot: {in: 4s, for: 24f}, sound_lead: 12f}"]
    found, source = stems(film, events, tmp_path, bundled)["film"], film.heard()
    assert far(found[:24_000], source[:24_000]) < 1e-4
    assert far(found[24_960:47_999], source[24_960:47_999] + source[168_960:191_999]) < 1e-4
    assert far(found[48_000:-960], source[192_000 : 240_000 - 960]) < 1e-4


def test_a_lead_at_half_speed(film: Film, bundled: Path, tmp_path: Path) -> None:
    """A frame of lead takes half a frame of the film."""
    events = ["{black: 1s}", "{shot: {in: 4s, for: 24f}, speed: 0.5, sound_lead: 12f}"]
    found = stems(film, events, tmp_path, bundled)["film"]
    assert not found[:24_000].any()
    assert found[24_100:26_000].any()
    for at in range(28_000, 90_000, 10_000):
        place = sound_offset(found, film.heard(), at, window=512)
        assert abs(place - (192_000 + (at - 48_000) / 2)) < 0.06 * RATE


@pytest.mark.parametrize("rate", ["24", "30000/1001"])
def test_the_sound_of_another_moment_is_heard_in_its_place(
    film: Film, bundled: Path, tmp_path: Path, rate: str
) -> None:
    """To the sample, also where it begins before its picture, and the picture is what it was."""
    events = ["{shot: {in: 1s, for: 31f}}", "{shot: {in: 4s, for: 43f}, sound_in: 6s, sound_lead: 9f}"]
    found, clock = stems(film, events, tmp_path, bundled, rate)["film"], Fraction(rate)
    start, middle, end = (nearest_sample(frames / clock) for frames in (31 - 9, 31, 74))
    source, other = film.heard(), nearest_sample(6 - 9 / clock)
    part, soft = source[other : other + end - start], 960
    assert far(found[middle + 1 : end - soft], part[middle + 1 - start : -soft]) < 1e-4
    over = source[RATE + start + soft : RATE + middle - 1] + part[soft : middle - 1 - start]
    assert far(found[start + soft : middle - 1], over) < 1e-4
    (tmp_path / "pictures").mkdir()
    rendered = render_text(
        spec_text(film, ["{shot: {in: 4s, for: 12f}, sound_in: 6s}"]), tmp_path / "pictures", bundled
    )
    assert rendered.numbers == [*range(96, 108)]


def test_the_sound_of_another_moment_at_half_speed_and_in_a_crossfade(
    film: Film, bundled: Path, tmp_path: Path
) -> None:
    events = ["{shot: {in: 1s, for: 24f}}", "{shot: {in: 4s, for: 24f}, from: crossfade 12f, sound_in: 6s, speed: 0.5}"]
    found = stems(film, events, tmp_path, bundled)["film"]
    for at in range(56_000, 90_000, 10_000):
        place = sound_offset(found, film.heard(), at, window=512)
        assert abs(place - (288_000 + (at - 48_000) / 2)) < 0.06 * RATE


@pytest.mark.parametrize(
    ("events", "code", "words"),
    [
        (["{shot: {in: 4s, for: 1s}, sound_lead: 0.5s}"], "past-end", "this shot's sound begins before the trailer"),
        (["{black: 1s}", "{shot: {in: 0.2s, for: 1s}, sound_lead: 0.5s}"], "past-end", "begins before the film does"),
        (["{shot: {in: 8.7s, for: 1s}, sound_trail: 0.5s}", "{black: 1s}"], "past-end", "the film ends at 0:10.000"),
        (["{black: 1s}", "{shot: {in: 4s, for: 1s}, mute: true, sound_lead: 3f}"], "over-determined", "a muted shot"),
        (
            ["{shot: {in: 1s, for: 1s}}", "{shot: {in: 4s, for: 1s}, from: crossfade 6f, sound_lead: 3f}"],
            "transition",
            "the sound cross-fades here with the picture, so `sound_lead` is not possible here",
        ),
        (["{shot: {in: 4s, for: 1s}, sound_trail: 0.5s}"], "sound-outside", "this shot's sound outlasts the trailer"),
    ],
)
def test_a_lead_that_cannot_be(film: Film, tmp_path: Path, events: list[str], code: str, words: str) -> None:
    found = _findings(spec_text(film, events), tmp_path)
    assert [c for c, _ in found] == [code]
    assert words in found[0][1]
