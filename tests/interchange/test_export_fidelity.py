"""What a target cannot hold is listed, and what it is said to hold is in its files: the table of fidelity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from compiling import FILM
from editors import Clip, Cut
from exported import WRITERS, every_target, read, sequence

from cinecut.interchange.fidelity import ROWS, TARGETS, unsupported
from cinecut.interchange.model import EditSequence
from cinecut.interchange.tracks import Stems
from cinecut.interchange.writers import fcpxml
from cinecut.language.facts import Color, FilmFacts

GOLDEN = Path(__file__).parents[1] / "golden"


def test_the_table_has_a_row_for_every_feature_and_every_event_is_listed() -> None:
    made = sequence()
    kinds = {feature.kind for feature in made.features}
    assert kinds <= set(ROWS)
    wanted = {"start timecode", "reel", "exact rate", "retime", "crossfade", "dip to black", "dip to white", "fade"}
    wanted |= {
        "J/L cut",
        "sound of another moment",
        "gain",
        "mute",
        "title",
        "card",
        "still",
        "black",
        "rating",
        "music cue",
        "music edit",
    }
    wanted |= {"voice", "effect", "marker", "grade", "reframe", "duck", "sound fade", "turning point"}
    assert wanted <= kinds
    for target in TARGETS:
        lost = list(unsupported(made, target))
        assert ("shot 5", "the effect whoosh") in [(each.event, each.what) for each in lost], target
        assert all(each.instead for each in lost)
    shots = [f.event for f in made.features if f.kind == "reframe"]
    assert shots == ["shot 4"]


FILM_NAME = "The Film #1 100%.mov"


def _film(cut: Cut, kind: str) -> list[Clip]:
    return [clip for clip in cut.clips if clip.kind == kind and clip.medium == FILM_NAME]


def _within(clip: Clip) -> Fraction:
    """The second of the film with which a clip begins; some formats count from the film's own timecode."""
    return clip.source % Fraction(3723 * 24 + 4, 24)


def _near(found: Fraction, wanted: int) -> bool:
    return abs(found - wanted) <= 12  # an EDL's clips begin where their dissolves do


# What proves that a cut of WHOLE, read back, has a feature.
EVIDENCE: dict[str, Callable[[Cut], object]] = {
    "start timecode": lambda cut: cut.start == "01:00:00:00",
    "reel": lambda cut: "THEFILM1" in cut.reels,
    "exact rate": lambda cut: cut.rate == 24,
    "retime": lambda cut: any(clip.speed == Fraction(1, 2) for clip in _film(cut, "picture")),
    "crossfade": lambda cut: any((j.kind, j.start, j.end) == ("crossfade", 132, 156) for j in cut.joints),
    "dip to black": lambda cut: any(j.kind == "black" and j.start in (204, 216) for j in cut.joints),
    "dip to white": lambda cut: any(j.kind == "white" and j.start == 234 for j in cut.joints),
    "fade": lambda cut: any(j.kind == "black" and j.end == 264 for j in cut.joints),
    "J/L cut": lambda cut: {int(clip.end) for clip in _film(cut, "sound")} & {102},
    "sound of another moment": lambda cut: any(abs(_within(clip) - 64) < 0.1 for clip in _film(cut, "sound")),
    "gain": lambda cut: any(abs(clip.gain + 6) < 0.01 for clip in _film(cut, "sound")),
    "mute": lambda cut: not any(int(clip.start) == 192 for clip in _film(cut, "sound")),
    "title": lambda cut: ("ONE & <LAST>", 60, 84) in cut.texts,
    "card": lambda cut: ("THE END", 288, 312) in cut.texts,
    "still": lambda cut: any((c.medium, int(c.start)) == ("logo.png", 312) for c in cut.pictures()),
    "black": lambda cut: not any(c.medium and c.start < 288 and c.end > 265 for c in cut.pictures()),
    "rating": lambda cut: any((c.medium, int(c.start), int(c.end)) == ("card.png", 0, 48) for c in cut.pictures()),
    "music": lambda cut: any(c.medium == "song.wav" for c in cut.sounds()),
    "music cue": lambda cut: any((c.medium, int(c.start)) == ("other.wav", 312) for c in cut.sounds()),
    "music edit": lambda cut: sum(c.medium == "song.wav" for c in cut.sounds()) == 2,
    "voice": lambda cut: any(_near(c.start, 242) and c.end - c.start == 12 for c in _film(cut, "sound")),
    "duck": lambda cut: any(c.ramps >= 4 for c in cut.sounds() if c.medium == "song.wav"),
    "marker": lambda cut: any("it opens" in text for _, text in cut.marks),
    "act": lambda cut: any(text.startswith("two") for _, text in cut.marks),
    "sound fade": lambda cut: (96, 102) in cut.faded,
    "grade": lambda cut: all(clip.looks for clip in _film(cut, "picture")),
}


@every_target
@pytest.mark.parametrize("row", EVIDENCE)
def test_each_cell_of_the_table_is_so(row: str, target: str) -> None:
    """Kept, and there to be read; or listed, with what is seen instead."""
    made = sequence()
    if target in ROWS[row]:
        lost = [(each.what, each.instead) for each in unsupported(made, target)]
        whats = {feature.detail for feature in made.features if feature.kind == row}
        assert whats
        assert {(what, ROWS[row][target]) for what in whats} <= set(lost)
    else:
        assert EVIDENCE[row](read(target, made)), row


def test_the_rows_without_evidence_are_listed_everywhere_or_looked_at_elsewhere() -> None:
    elsewhere = {"drop frame", "other rate", "surround", "marker color", "filled frame", "reframe"}
    elsewhere |= {"handles", "interlaced", "sound in streams", "sound in step"}
    for row in set(ROWS) - set(EVIDENCE) - elsewhere:
        assert set(ROWS[row]) == set(TARGETS), row


def test_rendered_stems_stand_in_for_what_no_editor_makes() -> None:
    stems = Stems({"effects": Path("/tmp/stems/effects.wav")}, 48000 * 20)
    for target in TARGETS:
        made = sequence(stems=stems)
        assert not any("the effect" in lost.what for lost in unsupported(made, target))
        cut = read(target, made)
        found = [clip for clip in cut.sounds() if clip.medium == "effects.wav"]
        assert [[clip.start, clip.source] for clip in found] == [[0, 0]]


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_feature_of_the_language_is_known(golden: Path) -> None:
    film = FILM if golden.stem != "deinterlace" else replace(FILM, field_order="tff")
    made = sequence(golden.read_text(), film)
    assert {feature.kind for feature in made.features} <= set(ROWS)
    shown = {int(shown.start) for shown in made.pictures if shown.medium is not None}
    for target in TARGETS:
        cut = read(target, made)
        leads = 24 if target in ("premiere", "kdenlive", "edl") else 0
        found = {int(clip.start) for clip in cut.pictures() if clip.medium}
        assert all(any(0 <= start - at <= leads for at in found) for start in shown), target


# What of a film or of the trailer no picture of the timeline tells: the facts, or lines of the spec, and what is said.
STEREO = FILM.audio[0]
UNSEEN: dict[str, tuple[FilmFacts, str, str, set[str]]] = {
    "times that start again": (replace(FILM, joined=True), "", "the film has times that start again", set(TARGETS)),
    "interlaced": (replace(FILM, field_order="bff"), "", "the film is interlaced", {"otio", "edl"}),
    "HDR": (replace(FILM, color=Color(transfer="smpte2084")), "", "the film's HDR colours, brought", set(TARGETS)),
    "its second stream is its own": (replace(FILM, audio=(replace(STEREO, stream=2),)), "", "sound 1", set(TARGETS)),
    "a stream a channel": (
        replace(FILM, audio=(replace(STEREO, channels=6, parts=6, stream=1),)), "", "sound of 6 streams", {"kdenlive"}
    ),
    "it starts late": (replace(FILM, start=Fraction(1, 2)), "", "begins at 0:00.500 of the file", {"kdenlive"}),
    "a trailer of 5.1": (FILM, "output: {channels: 6}", "its sound of 6 channels", set(TARGETS)),
    "several files": (FILM, "deliverables: [{name: web}, {name: tall, size: 1080x1920}]", "its shape", set(TARGETS)),
    "no texts": (FILM, "output: {texts: false}", "texts: false", set(TARGETS)),
    "letters": (FILM, "vibe: {base: comedy, titles: {animation: rise, tracking: 0.2}}", "tracking 0.2", set(TARGETS)),
    "an edge": (FILM, "", "the texts' outline", set(TARGETS)),
}  # fmt: skip


@every_target
@pytest.mark.parametrize("what", UNSEEN)
def test_what_no_clip_tells_is_said(what: str, target: str) -> None:
    film, lines, told, where = UNSEEN[what]
    body = '- {shot: {in: 0:10, for: 2s}, titles: ["a"]}\n'
    made = sequence(f"cinecut: 1\nfilm: film.mov\n{lines}\ntimeline:\n{body}", film)
    assert any(told in lost.what for lost in unsupported(made, target)) == (target in where)
    plain = sequence(f"cinecut: 1\nfilm: film.mov\ntimeline:\n{body}".replace(', titles: ["a"]', ""))
    assert not any(told in lost.what for lost in unsupported(plain, target))


@every_target
def test_handles_are_kept_or_said(target: str) -> None:
    said = [lost.what for lost in unsupported(sequence(handles=10), target)]
    assert ("handles of 10 frames" in said) == (target != "otio")
    assert not any("handles" in lost.what for lost in unsupported(sequence(), target))


@pytest.mark.parametrize(
    ("order", "fcp", "premiere"), [("tff", "upper first", "upper"), ("bff", "lower first", "lower")]
)
def test_the_fields_of_a_film_are_named(order: str, fcp: str, premiere: str) -> None:
    made = sequence(film=replace(FILM, field_order=order))
    root = ET.fromstring(WRITERS["fcp"][0](made).files[".fcpxml"])
    fields = {item.get("id"): item.get("fieldOrder") for item in root.iter("format")}
    found = {fields[item.get("format")] for item in root.iter("asset") if item.get("name") == FILM_NAME}
    assert (found, fields[root.find(".//sequence").get("format")]) == ({fcp}, None)  # type: ignore[union-attr]
    root = ET.fromstring(WRITERS["premiere"][0](made).files[".xml"])
    files = [item for item in root.iter("file") if item.findtext("name") == FILM_NAME]
    assert files[0].findtext("media/video/samplecharacteristics/fielddominance") == premiere


@pytest.mark.parametrize(("name", "said"), [("f.mkv", True), ("f.WEBM", True), ("f.mov", False), ("f.ts", False)])
def test_sound_out_of_step_in_matroska_is_said(name: str, said: bool) -> None:
    start = Fraction(3, 2) if name == "f.ts" else Fraction(0)
    text = f"cinecut: 1\nfilm: {name}\ntimeline:\n- shot: 0:10 - 0:12\n"
    made = sequence(text, replace(FILM, start=start))
    told = [lost.what for lost in unsupported(made, "kdenlive") if "in step with" in lost.what]
    assert told == ["the film's sound in step with its pictures"] * said


FADED = """cinecut: 1
film: film.mov
timeline:
- shot: 0:10 - 0:12
- {shot: 0:30 - 0:32, sound_fade: {in: 6f, out: 12f}, sound_lead: 4f}
- {shot: 0:40 - 0:42, sound_fade: {in: 8f, out: 3f}, sound_lead: 6f}
- {shot: 0:50 - 0:52, sound_fade: {in: 5f, out: 9f}, sound_in: 1:00}
- black: 1s
"""


@pytest.mark.parametrize("target", ["fcp", "resolve"])
def test_each_end_of_a_sound_fades_as_long_as_it_should(target: str) -> None:
    fades = [clip.fades for clip in read(target, sequence(FADED)).sounds()]
    assert fades == [(0, 0), (6, 12), (8, 3), (5, 9)]


@pytest.mark.parametrize("target", ["fcp", "resolve"])
def test_the_level_of_a_sound_moves_where_it_should(target: str) -> None:
    """Told from each clip's end, since its times are of its own clock."""
    made = sequence()
    wanted = {(clip.name, clip.end - at) for track in made.tracks for clip in track.clips for at, _ in clip.levels}
    write, end = WRITERS[target]
    found = set()
    for clip in ET.fromstring(write(made).files[end]).iter("asset-clip"):
        last = seconds(clip.get("start", "0s")) + seconds(clip.get("duration", ""))
        for key in clip.iterfind("adjust-volume/param/keyframeAnimation/keyframe"):
            found.add((clip.get("name"), (last - seconds(key.get("time", ""))) * made.rate))
    assert found == wanted
    assert len(found) >= 4


def seconds(time: str) -> Fraction:
    return Fraction(time.removesuffix("s"))


def test_the_samples_of_a_films_sound_are_counted_as_its_file_has_them() -> None:
    made = sequence(film=replace(FILM, audio=(replace(STEREO, rate=44100),)))
    root = ET.fromstring(WRITERS["fcp"][0](made).files[".fcpxml"])
    assert {each.get("audioRate") for each in root.iter("asset") if each.get("name") == FILM_NAME} == {"44100"}
    root = ET.fromstring(WRITERS["premiere"][0](made).files[".xml"])
    files = [each for each in root.iter("file") if each.findtext("name") == FILM_NAME]
    assert files[0].findtext("media/audio/samplecharacteristics/samplerate") == "44100"


SQUARE = """cinecut: 1
film: The Film.mov
output: {size: 1080x1080, fit: FIT}
timeline:
  - shot: 0:10 - 0:12
  - {shot: 0:20 - 0:22, reframe: {x: 0}}
  - {still: logo.png, for: 1s}
"""


KEEP = ("fcp", "resolve", "premiere", "kdenlive")


@every_target
@pytest.mark.parametrize("fit", ["letterbox", "crop", "blur"])
def test_how_the_frame_is_filled_is_kept_or_listed(target: str, fit: str) -> None:
    """The second shot has a window of its own: it fills the frame, but where it looks is nowhere kept."""
    made = sequence(SQUARE.replace("FIT", fit))
    lost = [(each.event, each.what) for each in unsupported(made, target)]
    assert ("shot 2", "its framing") in lost
    unkept = fit == "blur" or (fit == "crop" and target not in KEEP)
    assert ([each for each in lost if each[1].startswith("fit: ")] == [("shot 1", f"fit: {fit}")]) == unkept
    if target in KEEP:
        assert filled(target, made) == [fit == "crop", True]


def filled(target: str, made: EditSequence) -> list[bool]:
    """Whether each shot is written as one that fills the frame; the film is 1920x1080."""
    write, end = WRITERS[target]
    root = ET.fromstring(write(made).files[end])
    if target == "premiere":
        found = [each.findtext("value") for each in root.iter("parameter") if each.findtext("parameterid") == "scale"]
        assert set(found[:2]) <= {"56.25", "100"}
        return [scale == "100" for scale in found[:2]]
    if target == "kdenlive":
        cuts = [entry for playlist in root.iter("playlist") for entry in playlist if playlist.get("id") != "main_bin"]
        return [item.find("filter/property[@name='center']") is not None for item in cuts if item.tag == "entry"][-3:-1]
    return [item.find("adjust-conform") is not None for item in root.iter("asset-clip")][:2]


# What FCPXML's DTD says of the order of children; those of one group may come in any.
ANCHORED = ("title", "asset-clip", "video")
ORDER: dict[str, list[tuple[str, ...]]] = {
    "asset-clip": [
        ("conform-rate",),
        ("timeMap",),
        ("adjust-conform",),
        ("adjust-blend",),
        ("adjust-volume",),
        ANCHORED,
        ("marker",),
    ],
    "video": [("adjust-blend",), ANCHORED, ("marker",)],
    "gap": [ANCHORED, ("marker",)],
    "title": [("param",), ("text",), ("text-style-def",), ("adjust-blend",), ANCHORED, ("marker",)],
    "param": [("fadeIn",), ("fadeOut",), ("keyframeAnimation",)],
    "transition": [("filter-video",), ("filter-audio",)],
    "spine": [("asset-clip", "video", "gap", "title", "transition")],
    "asset": [("media-rep",), ("metadata",)],
    "fcpxml": [("resources",), ("library",)],
}


def test_fcpxml_keeps_the_order_of_its_definition() -> None:
    root = ET.fromstring(fcpxml.write(sequence()).files[".fcpxml"])
    ids = [item.get("id") for item in root.iter() if item.get("id")]
    assert len(ids) == len(set(ids))
    assert {item.get("ref") for item in root.iter() if item.get("ref")} <= set(ids)
    for item in root.iter():
        groups = ORDER.get(item.tag)
        if groups is not None:
            ranks = [next(rank for rank, group in enumerate(groups) if inner.tag in group) for inner in item]
            assert ranks == sorted(ranks), ET.tostring(item)[:300]
