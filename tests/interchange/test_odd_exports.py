"""Exports of odd trailers: each frame shows what a render shows, and what is exported comes back as it was."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from compiling import FILM
from exported import WRITERS, every_target, layout, sequence
from played import differences

from cinecut.diagnostics import Stop
from cinecut.interchange.back.begin import begin
from cinecut.interchange.back.bring import compared, today
from cinecut.interchange.model import EditSequence, SoundClip

# Events between two shots of 2 seconds, or at the ends.
EVENTS: dict[str, str] = {
    "a dip from black": "- black: 1s\n- {shot: {in: 0:20, for: 1s}, from: dip to black 8f}",
    "a dip into black": "- {black: 1s, from: dip to black 8f}",
    "a dip to white into a card": "- {card: THE END, for: 1s, from: dip to white 8f}",
    "a dip of one frame": "- {shot: {in: 0:20, for: 1s}, from: dip to black 1f}",
    "an uneven dip": "- {shot: {in: 0:20, for: 1s}, from: dip to white 5f}",
    "a dip at the film's start": "- {shot: {in: 0, for: 1s}, from: dip to black 8f}",
    "a dip at the film's end": ("- {shot: {in: 1:59:59, for: 1s}}\n"
        "- {shot: {in: 0:30, for: 1s}, from: dip to black 8f}"),
    "a dip of a retimed shot": "- {shot: {in: 0, for: 1s}, speed: 0.5, from: dip to black 8f}",
    "a dip of stills": ("- {still: a.png, for: 1s, from: dip to black 8f}\n"
        "- {still: b.png, for: 1s, from: dip to black 8f}"),
    "a crossfade of a still": ("- {still: a.png, for: 1s, from: crossfade 7f}\n"
        "- {shot: {in: 0:20, for: 1s}, from: crossfade 6f}"),
    "a crossfade with black": "- {black: 1s, from: crossfade 7f}\n- {shot: {in: 0:20, for: 1s}, from: crossfade 6f}",
    "a crossfade with a card": "- {card: THE END, for: 1s, from: crossfade 7f}",
    "a crossfade as long as a shot": "- {shot: {in: 0:20, for: 3f}}\n- {card: x, for: 1s, from: crossfade 6f}",
    "a retimed shot that is all crossfade": ("- {shot: {in: 0:20, for: 3f}, speed: 2}\n"
        "- {still: a.png, for: 1s, from: crossfade 6f}"),
    "a fade from black after a shot": "- {shot: {in: 0:20, for: 1s}, from: fade in 6f}",
    "a fade to black before a shot": "- {shot: {in: 0:20, for: 1s}, to: fade out 6f}",
    "shots of one frame": ("- {shot: {in: 0:20, for: 1f}}\n- {shot: {in: 0:10, for: 1f}}\n- {still: a.png, for: 1f}\n"
        "- {black: 1f}"),
}  # fmt: skip
every_event = pytest.mark.parametrize("events", EVENTS)


def spec(events: str, **more: str) -> str:
    ends = "".join(f"{key}: {value}\n" for key, value in more.items())
    shot = "- {shot: {in: 1:00, for: 2s}}\n"
    return f'cinecut: 1\nfilm: "a & b.mov"\n{ends}timeline:\n{shot}{EVENTS[events]}\n{shot}'


FILMS = {
    "24": replace(FILM, timecode="01:00:12:05"),
    "29.97 drop": replace(FILM, rate=Fraction(30000, 1001), timecode="23:59:50;02"),
    "50": replace(FILM, rate=Fraction(50), timecode="23:59:59:49"),
}


@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize("target", ["premiere", "edl"])
@every_event
def test_each_frame_is_the_renders(events: str, target: str, film: str) -> None:
    made = sequence(spec(events), FILMS[film])
    write, end = WRITERS[target]
    assert [*differences(target, write(made).files[end], made, slack=made.rate != 24)] == []


@pytest.mark.parametrize("target", ["fcp", "premiere", "otio", "edl"])
@every_event
def test_it_comes_back_as_it_was(events: str, target: str) -> None:
    found = layout(spec(events, rating="{still: card.png, for: 1s}"), FILMS["24"])
    cuts = [today(found, Path("/work"), target) for _ in range(2)]
    changes = compared(found, Path("/work"), *cuts)
    assert (changes.said, changes.by_hand, cuts[0].odd) == ([], [], [])


# Trailers of which a new spec begins, as they are exported.
BEGUN: dict[str, str] = {
    "a marker that YAML cannot hold": '- {shot: {in: 0:20, for: 2s}, why: "a\\u0007b\\u0085c\\u2028d\\x7f"}',
    "sounds of other moments that cross-fade": (
        "- {shot: {in: 0:20, for: 2s}, sound_in: 0:40}\n- {shot: {in: 0:30, for: 2s}, from: crossfade 7f}"
    ),
    "a sound that cross-fades with silence": (
        "- {shot: {in: 0:20, for: 2s}}\n- {shot: {in: 0:30, for: 2s}, mute: true, from: crossfade 7f}"
    ),
    "a sound that dies away at the end": "- {shot: {in: 0:20, for: 2s}}\n- {black: 1s, silent: true}",
    "beyond midnight": "- {shot: {in: 0:02, for: 2s}}\n- {shot: {in: 0:20, for: 2s}}",
}


@pytest.mark.parametrize("target", ["fcp", "premiere", "otio", "edl"])
@pytest.mark.parametrize("events", BEGUN)
def test_a_new_spec_of_an_export_is_that_cut(events: str, target: str) -> None:
    film = replace(FILM, timecode="23:59:50:00")
    text = f"cinecut: 1\nfilm: film.mov\ntimeline:\n{BEGUN[events]}\n"
    write, end = WRITERS[target]
    made = sequence(text, film)
    begun = begin(f"cut{end}", write(made).files[end], Path("/work/specs"), [("film.mov", film)])
    again = sequence(begun.text, film)
    shots = [
        [(shown.start, shown.end, shown.source) for shown in each.pictures if shown.medium is not None]
        for each in (made, again)
    ]
    assert shots[0] == shots[1]


@every_event
def test_mlt_is_asked_for_frames_that_there_are(events: str) -> None:
    """It shortens an entry that begins before its producer or ends after it, and all that follows is early."""
    for film in (FILMS["24"], replace(FILM, duration=Fraction(60) + Fraction(1, 48))):
        if "end" not in events:
            _entries_fit(sequence(spec(events).replace("1:00", "0:57.2"), film))


def test_mlt_is_asked_for_sounds_that_there_are() -> None:
    voices = "voice: {file: say.wav, at: 1/48s}"
    shot = f"- {{shot: {{in: 1:00, for: 2s}}, {voices}}}\n"
    _entries_fit(sequence(f"cinecut: 1\nfilm: film.mov\ntimeline:\n{shot}{shot}"))
    slow = "- {shot: {in: 1:59:50, for: 30s}, speed: 0.333}\n"
    _entries_fit(sequence(f"cinecut: 1\nfilm: film.mov\ntimeline:\n{slow}{shot}"))


def test_mlt_is_told_where_a_fade_of_one_frame_ends() -> None:
    """It takes a filter from 0 to 0 for one of the whole clip."""
    fade = "- {shot: {in: 0, for: 2s}, from: fade in 1f}\n"
    root = ET.fromstring(
        WRITERS["kdenlive"][0](sequence(f"cinecut: 1\nfilm: f.mov\ntimeline:\n{fade}")).files[".kdenlive"]
    )
    ranges = {(item.get("in"), item.get("out")) for item in root.iterfind("playlist/entry/filter")}
    assert ranges == {("0", "1")}


def test_a_sound_of_one_frame_is_said() -> None:
    text = "cinecut: 1\nfilm: f.mov\ntimeline:\n- {shot: {in: 0:10, for: 1f}}\n- {shot: {in: 0:20, for: 2f}}\n"
    lost = WRITERS["kdenlive"][0](sequence(text)).unsupported
    assert [each.event for each in lost if "of one frame" in each.what] == ["shot 1"]


def _entries_fit(made: EditSequence) -> None:
    root = ET.fromstring(WRITERS["kdenlive"][0](made).files[".kdenlive"])
    lengths = {item.get("id"): int(item.findtext("property[@name='length']", "")) for item in root.iter("producer")}
    for entry in root.iterfind("playlist/entry[@in]"):
        first, last = int(entry.get("in", "")), int(entry.get("out", ""))
        assert 0 <= first <= last < lengths[entry.get("producer")], ET.tostring(entry)


# A crossfade with an event that has no sound: the shot's is heard through all of it.


def film_sounds(made: EditSequence) -> list[SoundClip]:
    return [clip for track in made.tracks for clip in track.clips if clip.medium.kind == "film"]


@pytest.mark.parametrize(
    "silent", ["black: 1s", "card: x, for: 1s", "still: a.png, for: 1s", "shot: {in: 0:20, for: 1s}, mute: true"]
)
def test_a_sound_fades_through_a_crossfade_with_silence(silent: str) -> None:
    shot = "shot: {in: 1:00, for: 2s}"
    text = f"- {{{shot}}}\n- {{{silent}, from: crossfade 7f}}\n- {{{shot}, from: crossfade 6f}}\n"
    one, two = film_sounds(made := sequence(f"cinecut: 1\nfilm: film.mov\ntimeline:\n{text}"))
    before, after = made.pictures[0].tail.crossed
    assert [one.start, one.end, one.fade_in, one.fade_out] == [0, 48 + after, 0, before + after]
    assert [two.start, two.end, two.fade_in, two.fade_out] == [72 - 3, 120, 6, 0]
    assert two.source == 60 - Fraction(3, 24)
    fcp = ET.fromstring(WRITERS["fcp"][0](made).files[".fcpxml"])
    assert not [clip for clip in fcp.iter("asset-clip") if clip.get("audioStart")], "its transition does that"


# Names and words


ODD = ["a\u00a0b", "a\u200db", "שלום\u200f NASA", "a\u3000b", "日本 🎬"]


@pytest.mark.parametrize("text", ODD)
@every_target
def test_signs_of_every_script_stay(target: str, text: str) -> None:
    body = f'- {{shot: {{in: 1:00, for: 2s}}, titles: ["{text}"]}}\n'
    files = WRITERS[target][0](sequence(f'cinecut: 1\nfilm: "{text}.mov"\ntimeline:\n{body}')).files
    data = next(iter(files.values())).decode()
    found: Any = data.replace("\\u", "\\u")
    if target == "otio":
        found = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), data)
    assert found.count(text) >= 2, "a title's and a file's name"


@pytest.mark.parametrize("name", ["bell\\u0007.mov", "new\\nline.mov", "re\\rturn.mov", "tab\\t.mov", "\\ufffe.mov"])
@every_target
def test_a_name_that_no_xml_holds_is_said(target: str, name: str) -> None:
    write, end = WRITERS[target]
    made = write(sequence(f'cinecut: 1\nfilm: "{name}"\ntimeline:\n- shot: 1:00 - 1:02\n'))
    if end in (".fcpxml", ".xml", ".kdenlive"):
        ET.fromstring(made.files[end])
    held = re.search(r"\\[nt]", name) is not None
    assert [lost.instead for lost in made.unsupported if "the name" in lost.what] == (
        ["a file that is not found: rename it"] if target == "kdenlive" and not held else []
    )


@pytest.mark.parametrize("files", [("a/film.mov", "b/film.mov"), ("a/x.png", "b/x.png")], ids=str)
def test_media_of_one_name_are_not_moved_into_one_folder(files: tuple[str, str]) -> None:
    one, two = files
    if one.endswith("mov"):
        text = f"films: {{one: {one}, two: {two}}}\ntimeline:\n- shot: one 0:10 - 0:12\n- shot: two 0:10 - 0:12\n"
    else:
        text = f"film: film.mov\ntimeline:\n- {{still: {one}, for: 1s}}\n- {{still: {two}, for: 1s}}\n"
    assert len({medium.path for medium in sequence(f"cinecut: 1\n{text}").media}) == 2
    with pytest.raises(Stop, match="would both be"):
        sequence(f"cinecut: 1\n{text}", media_root="D:/films")
    assert sequence(f"cinecut: 1\n{text}".replace("b/", "b/other "), media_root="D:/films")


# What is said of a film's rate, in a trailer of 24: in xmeml, and in an EDL.
RATES = {"24": False, "24000/1001": False, "30000/1001": False, "60": False, "25/2": True, "1000/33": True}


@pytest.mark.parametrize("target", ["premiere", "edl"])
@pytest.mark.parametrize("rate", RATES)
def test_a_rate_that_no_timecode_counts_is_said(rate: str, target: str) -> None:
    film = replace(FILM, rate=Fraction(rate))
    made = sequence("cinecut: 1\nfilm: film.mov\noutput: {rate: 24}\ntimeline:\n- shot: 0:10 - 0:12\n", film)
    said = [lost.instead for lost in WRITERS[target][0](made).unsupported if "frames a second of film" in lost.what]
    assert said == [f"timecode of {-(-Fraction(rate) // 1)} a second"] * RATES[rate]


def test_a_rate_that_xmeml_cannot_say_comes_back() -> None:
    film = replace(FILM, rate=Fraction(1000, 33), timecode="10:00:00:00")
    shots = "- shot: 0:10 - 0:12\n- {shot: {in: 0:30, for: 2s}, speed: 0.5}\n"
    made = sequence(f"cinecut: 1\nfilm: film.mov\noutput: {{rate: 24}}\ntimeline:\n{shots}", film)
    begun = begin("cut.xml", WRITERS["premiere"][0](made).files[".xml"], Path("/work/specs"), [("film.mov", film)])
    sources = [shown.source for shown in sequence(begun.text, film).pictures]
    assert [float(source) for source in sources] == pytest.approx([10, 30], abs=1 / 24)


def test_frames_of_three_digits_are_said() -> None:
    for rate, said in ((50, 0), (120, 1)):
        made = sequence("cinecut: 1\nfilm: f.mov\ntimeline:\n- shot: 0:10 - 0:12\n", replace(FILM, rate=Fraction(rate)))
        assert sum("three digits" in lost.instead for lost in WRITERS["edl"][0](made).unsupported) == said


@pytest.mark.parametrize(("length", "said"), [("10s", False), ("11s", True)])
def test_a_dissolve_longer_than_an_edl_counts_is_said(length: str, said: bool) -> None:
    shot = "shot: {in: 0:30, for: 20s}"
    made = sequence(f"cinecut: 1\nfilm: f.mov\ntimeline:\n- {{{shot}}}\n- {{{shot}, from: crossfade {length}}}\n")
    assert any("a dissolve of" in lost.what for lost in WRITERS["edl"][0](made).unsupported) == said
