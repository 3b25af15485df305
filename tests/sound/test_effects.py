"""The synthesized effects as they are heard: each begins, or ends, on its cut's frame, and does what it is told."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from compiling import laid_out
from numpy.typing import NDArray
from oracle import Film, Samples
from rendering import nearest_sample, spec_text, stems_of

from cinecut.compiler.sound.effects import RECIPES
from cinecut.diagnostics import Report
from cinecut.language.document import parse_document
from cinecut.language.read import fill_spec
from cinecut.render.check import layout_of

Films = Callable[[Film], Film]
RATE = 48_000
MILLISECOND = RATE // 1000
RISING = {"riser", "reverse swell"}


@pytest.fixture
def film(films: Films) -> Film:
    return films(Film(Path("a.mp4"), Fraction(24), 48, (160, 90), gop=24))


def effects(film: Film, events: list[str], folder: Path, ffmpeg: Path, rate: str = "24", name: str = "a") -> Samples:
    head = f"output: {{codec: ffv1, rate: {rate}}}"
    return stems_of(spec_text(film, events, head), folder, ffmpeg, name)["effects"]


def one(film: Film, effect: str, folder: Path, ffmpeg: Path, name: str = "a") -> Samples:
    """The stem of one effect at second 3 of 6."""
    return effects(film, ["{black: 3s}", f"{{black: 3s, sound: {effect}}}"], folder, ffmpeg, name=name)


def sounding(stem: Samples) -> tuple[int, int]:
    """The first sample that is not silent, and the one after the last."""
    heard = np.flatnonzero(np.abs(stem).max(axis=1))
    assert heard.size, "nothing is heard"
    return int(heard[0]), int(heard[-1]) + 1


def pitch(sound: Samples) -> float:
    """The frequency below which half of a sound's energy lies, Hz."""
    energy = np.cumsum(np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)))) ** 2)
    return float(np.searchsorted(energy, energy[-1] / 2)) * RATE / len(sound)


# On the frame


@pytest.mark.matrix(2)
@pytest.mark.parametrize("rate", ["24", "25", "30000/1001"])
def test_every_effect_is_on_its_cuts_frame(film: Film, ffmpeg: Path, tmp_path: Path, rate: str) -> None:
    """All in one trailer, each with silence around it. One that rises comes out of nothing and ends on its cut."""
    length, names = 161, list(RECIPES)
    events = [f"{{black: {length}f}}", *(f"{{black: {length}f, sound: {name}}}" for name in names)]
    stem = effects(film, events, tmp_path, ffmpeg, rate)
    cuts = [nearest_sample(k * length / Fraction(rate)) for k in range(len(names) + 2)]
    assert len(stem) == cuts[-1]
    expected = np.zeros(len(stem), bool)
    for name, cut in zip(names, cuts[1:], strict=False):
        usual = round(RECIPES[name].seconds * RATE)
        begin, end = (cut - usual, cut) if name in RISING else (cut, cut + usual)
        expected[begin:end] = True
        start, stop = sounding(stem[begin:end])
        assert start <= MILLISECOND or name in RISING, name
        assert usual - stop <= MILLISECOND, name
        assert 0.1 < np.abs(stem[begin:end]).max() < 1, name
        assert np.abs(stem[begin + stop - 2 : end]).max() < 0.01, f"{name} ends with a click"
    assert not stem[~expected].any()


def test_the_left_is_the_right(film: Film, bundled: Path, tmp_path: Path) -> None:
    stem = one(film, "whoosh", tmp_path, bundled)
    assert np.array_equal(stem[:, 0], stem[:, 1])


# What can be set


def test_the_same_spec_has_the_same_samples(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    events = [f"{{black: 3s, sound: {name}}}" for name in RECIPES]
    first = effects(film, events, tmp_path, ffmpeg, name="first")
    again = effects(film, events, tmp_path, ffmpeg, name="again")
    assert np.array_equal(first, again)
    assert (tmp_path / "first" / "effects.wav").read_bytes() == (tmp_path / "again" / "effects.wav").read_bytes()


def test_two_of_a_kind_are_not_copies(film: Film, bundled: Path, tmp_path: Path) -> None:
    """Each has its own noise, else a row of them would ring."""
    stem = effects(film, ["{black: 1s, sound: whoosh}"] * 2, tmp_path, bundled)
    assert not np.array_equal(stem[:30_000], stem[RATE : RATE + 30_000])


def test_gain(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    usual = one(film, "whoosh", tmp_path, ffmpeg)
    soft = one(film, "{effect: whoosh, gain: -9}", tmp_path, ffmpeg, "soft")
    assert np.abs(soft - usual * 10 ** (-9 / 20)).max() < 1e-6


@pytest.mark.parametrize("name", ["whoosh", "riser"])
def test_at_moves_it_and_changes_nothing_else(film: Film, ffmpeg: Path, tmp_path: Path, name: str) -> None:
    usual = one(film, name, tmp_path, ffmpeg)
    for at, moved in (("12f", 24_000), ("-0.25s", -12_000)):
        assert np.array_equal(one(film, f"{{effect: {name}, at: {at}}}", tmp_path, ffmpeg), np.roll(usual, moved, 0))


@pytest.mark.parametrize(("length", "samples"), [("0.5s", 24_000), ("36f", 72_000)])
def test_for_is_how_long_it_lasts(film: Film, ffmpeg: Path, tmp_path: Path, length: str, samples: int) -> None:
    for name in ("sub drop", "exhale", "braam"):
        start, end = sounding(one(film, f"{{effect: {name}, for: {length}}}", tmp_path, ffmpeg))
        assert 0 <= start - 3 * RATE <= MILLISECOND
        assert 0 <= 3 * RATE + samples - end <= MILLISECOND
    start, end = sounding(one(film, f"{{effect: riser, for: {length}}}", tmp_path, ffmpeg))
    assert 0 <= start - (3 * RATE - samples) <= 3 * MILLISECOND, "it rises from nothing"
    assert 0 <= 3 * RATE - end <= MILLISECOND


def test_it_glides_from_one_pitch_to_the_other(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    effect = "{effect: punch, for: 2s, from_hz: 300, to_hz: 1200}"
    stem = one(film, effect, tmp_path, ffmpeg)[3 * RATE : 5 * RATE]
    found = [pitch(stem[at : at + 9600]) for at in (0, 43_200, 86_400)]
    assert found == pytest.approx([300 * 4 ** (share / 20) for share in (1, 10, 19)], rel=0.05)


@pytest.mark.parametrize(("name", "rises"), [("whoosh", True), ("whoosh back", False)])
def test_a_whoosh_goes_its_way(film: Film, ffmpeg: Path, tmp_path: Path, name: str, rises: bool) -> None:
    """80 to 1200 Hz, or back."""
    stem = one(film, name, tmp_path, ffmpeg)[3 * RATE :]
    early, late = pitch(stem[4800:9600]), pitch(stem[24_000:28_800])
    low, high = (early, late) if rises else (late, early)
    assert low * 2 < high < 1200


def test_a_riser_at_the_trailers_start_has_less_time(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    stem = effects(film, ["{black: 1s}", "{black: 1s, sound: riser}"], tmp_path, ffmpeg)
    start, end = sounding(stem)
    assert start <= MILLISECOND
    assert RATE - MILLISECOND <= end <= RATE


def test_the_trailers_end_cuts_it_off(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    stem = effects(film, ["{black: 1s}", "{black: 1s, sound: braam}"], tmp_path, ffmpeg)
    assert len(stem) == 2 * RATE
    assert np.abs(stem[-2400:]).max() > 0.01


def test_several_at_once_are_summed(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    both = one(film, "[punch, {effect: tick, at: 2f}]", tmp_path, ffmpeg)
    punch = one(film, "punch", tmp_path, ffmpeg)
    tick = one(film, "{effect: tick, at: 2f}", tmp_path, ffmpeg)
    assert np.abs(both - punch - tick).max() < 1e-6


# Which effect goes with which cut

KINDS = "cut: tick, beat_cut: punch, crossfade: exhale, dip_to_black: rumble, dip_to_white: flash, act: slow sweep"
EVENTS = """
  - shot: {in: 1, for: 3s}
  - shot: {in: 2, for: 3s}                         # 3 s, on a beat, long
  - shot: {in: 3, for: 1s}                         # 6 s, on a beat, two beats long
  - shot: {in: 3, for: 1.2s}                       # 7 s, on a beat, longer
  - shot: {in: 3, for: 0.8s}                       # 8.2 s, off the beat
  - {shot: {in: 3, for: 3s}, from: crossfade 4f}   # 9 s
  - {shot: {in: 3, for: 3s}, from: dip to black 4f}
  - {shot: {in: 3, for: 3s}, from: dip to white 4f}
  - black: 1s                                      # 18 s
  - {shot: {in: 3, for: 3s}, from: fade in 4f}     # 19 s
  - {black: 2s, silent: true}                      # 22 s
  - shot: {in: 3, for: 3s}                         # 24 s, out of a silence, on a beat
  - act: last
  - shot: {in: 3, for: 3s}                         # 27 s
  - {shot: {in: 3, for: 3s}, sound: none}
  - {shot: {in: 3, for: 3s}, sound: braam}         # 33 s
  - {shot: {in: 3, for: 3s}, sound: [{gain: -6}, {effect: riser, at: -1s}]}
"""


def placed(effects: str, vibe: str = "") -> list[tuple[str, Fraction | int]]:
    """The effects of EVENTS and the seconds they hang on."""
    facts = "{fingerprint: 4-0, size: 640x480, rate: 24, duration: 60}"
    text = f"cinecut: 1\nfilm: {{file: film.mp4, facts: {facts}}}\n{vibe}effects: {effects}\n"
    text += f"music: {{beats: {{tempo: 120}}}}\ntimeline:{EVENTS}"
    report = Report()
    spec = fill_spec(parse_document(Path("spec.yaml"), text, report), report)
    assert spec is not None, list(report)
    track = layout_of(spec, report).track
    assert report.ok, list(report)
    return [(effect.name, Fraction(effect.anchor, RATE)) for effect in track.effects]


def test_every_kind_of_cut_has_its_effect() -> None:
    assert placed(f"{{{KINDS}}}") == [
        ("tick", 3),
        ("punch", 6),
        ("tick", 7),
        ("tick", Fraction(197, 24)),
        ("exhale", 9),
        ("rumble", 12),
        ("flash", 15),
        ("rumble", 18),
        ("punch", 24),
        ("tick", 27),
        ("slow sweep", 27),
        ("braam", 33),
        ("tick", 36),
        ("riser", 35),
    ]


def test_the_vibe_fills_in_what_the_spec_leaves_open() -> None:
    usual = placed("vibe", "vibe: war\n")
    assert [name for name, _ in usual].count("punch") == 2
    assert placed("none", "vibe: war\n") == placed("vibe") == [("braam", 33), ("riser", 35)]
    mine = placed("{beat_cut: tick}", "vibe: war\n")
    assert mine == [("tick" if name == "punch" else name, at) for name, at in usual]
    assert placed("{usual: none, beat_cut: tick}", "vibe: war\n") == [
        ("tick", 6), ("tick", 24), ("braam", 33), ("riser", 35)
    ]  # fmt: skip


def levels(stem: Samples, window: int = 480) -> NDArray[np.float64]:
    """The loudest sample of every 10 ms."""
    peaks: NDArray[np.float64] = np.abs(stem[: len(stem) // window * window]).reshape(-1, 2 * window).max(axis=1)
    return peaks


def test_what_decays_decays_and_what_rises_rises(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    for name, rises in (("riser", True), ("reverse swell", True), ("rumble", False), ("sub drop", False)):
        start, end = sounding(stem := one(film, name, tmp_path, ffmpeg))
        first, last = np.array_split(levels(stem[start:end]), 2)
        assert (last.max() > 2 * first.max()) == rises
        assert (first.max() > 2 * last.max()) != rises


@pytest.mark.parametrize(
    "rows",
    [
        ["{shot: {in: 1, for: 2s}, sound: tick}", "{shot: {in: 3, for: 2s}}"],
        ["{shot: {in: 3, for: 2s}}", "{shot: {in: 1, for: 2s}, sound: tick}"],
        ["{shot: {in: 3, for: 2s}}"],
        ["{card: NOW, for: 2s}", "{shot: {in: 3, for: 2s}}"],
    ],
)
def test_the_sounds_of_an_act_are_where_it_begins_whatever_stands_there(rows: list[str]) -> None:
    acts = ["{shot: {in: 0, for: 2s}}", "{act: beat drop, sound: [{effect: riser, for: 1s}, punch]}", *rows,
            "{act: end, sound: braam}", "{black: 2s}"]  # fmt: skip
    head = "cinecut: 1\nvibe: war\nfilm: {file: f.mp4, facts: {fingerprint: 4-0, size: 64x64, rate: 24, duration: 9}}\n"
    layout = laid_out(head + "timeline:\n" + "".join(f"  - {row}\n" for row in acts))
    at = {effect.name: effect.anchor / 48_000 for effect in layout.track.effects}
    assert (at["riser"], at["punch"], at["braam"]) == (2, 2, 2 + 2 * len(rows))
    own = [row for row in rows if "tick" in row]
    assert ("tick" in at) == bool(own)


def test_an_act_without_events_leaves_no_sound() -> None:
    head = "cinecut: 1\nfilm: {file: f.mp4, facts: {fingerprint: 4-0, size: 64x64, rate: 24, duration: 9}}\n"
    rows = "  - shot: {in: 0, for: 2s}\n  - {act: gone, sound: braam}\n  - act: end\n  - black: 2s\n"
    assert laid_out(f"{head}timeline:\n{rows}").track.effects == ()
