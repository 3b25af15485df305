"""FCPXML's `clip`, with its picture and its sound inside, as Final Cut Pro and Resolve write it beside `asset-clip`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from compiling import FILM
from exported import WHOLE, layout, sequence
from test_import import GOLDEN

from cinecut.interchange.back.amendments import Changes
from cinecut.interchange.back.bring import compared, read_cut, today
from cinecut.interchange.readers.cut import EditorCut, Media
from cinecut.interchange.writers import fcpxml

ADJUSTED = ("conform-rate", "timeMap", "adjust-conform", "adjust-blend", "adjust-volume")


def written_as_clips(data: bytes) -> bytes:
    """An export with each `asset-clip` as a `clip`, which is longer inside than what is seen of it."""
    root = ET.fromstring(data)
    assets = {asset.get("id"): asset for asset in root.iter("asset")}
    for item in root.iter("asset-clip"):
        asset, kinds = assets[item.attrib.pop("ref")], item.attrib.pop("srcEnable", "all")
        inside = {"ref": asset.get("id", ""), "offset": asset.get("start", ""), "duration": asset.get("duration", "")}
        item.attrib.pop("audioRole", "")
        item.tag = "clip"
        seen, heard = (asset.get(has) == "1" for has in ("hasVideo", "hasAudio"))
        held = ET.Element("video" if seen and kinds != "audio" else "audio", inside)
        if held.tag == "video" and heard and kinds != "video":
            ET.SubElement(held, "audio", {"lane": "-1", "srcCh": "1, 2", "role": "dialogue", **inside})
        item.insert(sum(part.tag in ADJUSTED for part in item), held)
    return ET.tostring(root)


def changes_of(text: str) -> Changes:
    film = replace(FILM, timecode="01:02:03:04")
    found, folder = layout(text, film), Path("/work/specs")
    data = written_as_clips(fcpxml.write(sequence(text, film)).files[".fcpxml"])
    assert b"<asset-clip" not in data
    before = today(found, folder, "fcp")
    after = read_cut("cut.fcpxml", data, found.timeline.rate, before.known)
    assert after.odd == []
    return compared(found, folder, before, after)


@pytest.mark.parametrize("golden", [None, *GOLDEN], ids=lambda path: path.stem if path else "whole")
def test_clips_come_back_like_asset_clips(golden: Path | None) -> None:
    text = golden.read_text() if golden is not None else WHOLE
    if "field_order" in text or (golden is not None and golden.stem == "deinterlace"):
        return
    changes = changes_of(text)
    assert (changes.said, changes.by_hand) == ([], [])


HEAD = """<fcpxml version="1.10"><resources>
<format id="r1" frameDuration="1/24s" width="640" height="360"/>
<asset id="r2" name="film" start="3600s" duration="100s" hasVideo="1" hasAudio="1" format="r1">
<media-rep kind="original-media" src="file:///v/film.mov"/></asset><effect id="r3" name="Shapes" uid="x"/>
</resources><library><event><project><sequence format="r1" tcStart="0s"><spine>"""
TAIL = "</spine></sequence></project></event></library></fcpxml>"
SOUND = '<audio lane="-1" ref="r2" offset="3600s" duration="100s"/>'


OFF = SOUND.replace("<audio", '<audio enabled="0"')


def read(clip: str) -> EditorCut:
    return read_cut("cut.fcpxml", f"{HEAD}{clip}{TAIL}".encode(), Fraction(24), Media())


# A clip of 2 seconds: its attributes and what is in it; the source, the speed and the gain of what is read.
CASES: dict[str, tuple[str, str, tuple[Fraction | int, Fraction | int, float | None]]] = {
    "its own time is the medium's": (
        'start="3610s"', f'<video ref="r2" offset="3600s" start="3600s">{SOUND}</video>', (3610, 1, 0.0)),
    "its own time begins at 0": ('start="5s"', f'<video ref="r2" start="3610s">{SOUND}</video>', (3615, 1, 0.0)),
    "no time but the asset's": ("", f'<video ref="r2">{SOUND}</video>', (3600, 1, 0.0)),
    "without sound": ('start="5s"', '<video ref="r2"/>', (3605, 1, None)),
    "its sound is off": (
        'start="5s"', f'<video ref="r2">{OFF}</video>', (3605, 1, None)),
    "its sound beside its picture": (
        'start="5s"', '<video ref="r2"/><audio lane="-1" ref="r2" offset="5s" start="3605s" duration="2s"/>',
        (3605, 1, 0.0)),
    "retimed": (
        'start="20s"',
        '<timeMap><timept time="0s" value="0s"/><timept time="200s" value="100s"/></timeMap>'
        f'<video ref="r2">{SOUND}</video>', (3610, Fraction(1, 2), 0.0)),
    "softer": (
        'start="5s"', f'<adjust-volume amount="-6dB"/><video ref="r2">{SOUND}</video>', (3605, 1, -6.0)),
    "softer inside": (
        'start="5s"', f'<video ref="r2">{SOUND[:-2]}><adjust-volume amount="-6dB"/></audio></video>',
        (3605, 1, -6.0)),
}  # fmt: skip


def test_a_sound_shorter_than_its_picture_ends_where_it_says() -> None:
    for length, end in (("", 48), ('audioDuration="1/2s"', 12), ('audioDuration="3s"', 72)):
        cut = read(f'<asset-clip ref="r2" offset="0s" duration="2s" start="3605s" audioStart="3605s" {length}/>')
        assert [(sound.start, sound.end, sound.source) for sound in cut.sounds] == [(0, end, Fraction(3605))]


@pytest.mark.parametrize("case", CASES)
def test_a_clips_picture_and_sound_are_read(case: str) -> None:
    about, inside, (source, speed, gain) = CASES[case]
    cut = read(f'<clip name="c" offset="0s" duration="2s" {about}>{inside}</clip>')
    [piece] = cut.pieces
    assert (piece.medium, piece.start, piece.end) == ("film.mov", 0, 48)
    assert [piece.source, piece.speed, piece.gain] == [source, speed, gain]
    assert (cut.odd, cut.loose()) == ([], [])


@pytest.mark.parametrize(
    "inside",
    [
        "",
        '<video ref="r3"/>',
        '<video ref="gone"/>',
        '<spine><asset-clip ref="r2" duration="2s"/></spine>',
        '<video ref="r2"/><video ref="r2"/>',
        '<gap duration="2s"/>',
    ],
)
def test_a_clip_of_anything_else_is_listed(inside: str) -> None:
    cut = read(f'<clip name="c" offset="0s" duration="2s">{inside}</clip>')
    assert cut.pieces == []
    assert any("what is in it is not read" in each for each in cut.odd)
    assert cut.unread == [(0, 48)]


def test_effects_in_a_clip_are_listed() -> None:
    effects = '<filter-video ref="r3" name="Blur"/>'
    [piece] = read(f'<clip duration="2s"><video ref="r2">{effects}</video></clip>').pieces
    assert piece.effects == ("Blur",)
