"""What editing programs open: every target is read back by a reader of its own, and compared with the layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from compiling import FILM, measured, read_text
from editors import Clip, Cut, read_edl, read_fcpxml, read_mlt, read_otio, read_xmeml

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report, Stop
from cinecut.interchange.build import ExportOptions, sequence_of
from cinecut.interchange.fidelity import ROWS, TARGETS, unsupported
from cinecut.interchange.model import EditSequence, Written
from cinecut.interchange.tracks import Stems
from cinecut.interchange.writers import edl, fcpxml, kdenlive, otio_file, xmeml
from cinecut.language.facts import FilmFacts
from cinecut.render.check import layout_of

TIMECODED = replace(FILM, timecode="01:02:03:04")
WHOLE = """
cinecut: 1
film: "films/The Film #1 100%.mov"
rating: {still: card.png, for: 2s}
vibe: thriller
music: {file: song.wav, beats: {tempo: 120, first: 0}, parts: [{in: 0:10, out: 0:18}, {in: 0:26, out: 2:00}]}
anchors: {climax: {at: 0:31}, begin: {at: 1:40:00}}
timeline:
  - act: one
  - shot: 0:10 - 0:12
    titles: [{text: "One & <last>", at: 12f, for: 1s, fade: 6f, position: lower}]
    gain: -6
    why: it opens
    sound_trail: 6f
  - shot: 0:30 - 0:32
    beat_type: money shot
    zone: climax
    score: 0.75
    sound_fade: {in: 6f, out: 12f}
  - shot: {in: 0:20, for: 2s}
    from: crossfade 1s
    speed: 0.5
    grade: {exposure: -0.5}
  - shot: {in: 0:40, for: 1s}
    mute: true
    reframe: {x: 0.2}
  - shot: {in: 0:44, for: 1s}
    from: dip to black 1s
    sound_lead: 4f
    sound: [whoosh]
  - shot: {in: 0:50, for: 1s}
    from: dip to white 0.5s
    to: fade out 0.5s
    sound_in: 1:04
    voice: [{take: 0:55 - 0:55.5, at: 0.1s}]
  - act: two
  - black: 1s
  - card: THE END
    for: 1s
    from: fade in 0.25s
  - still: logo.png
    for: 1s
    cue: other.wav
"""


def layout(text: str = WHOLE, film: FilmFacts = TIMECODED) -> Layout:
    report = Report()
    found = layout_of(measured(read_text(text), film), report)
    assert report.ok, list(report)
    return found


def sequence(text: str = WHOLE, film: FilmFacts = TIMECODED, **wishes: object) -> EditSequence:
    return sequence_of(layout(text, film), "cut", ExportOptions(Path("/work/specs"), **wishes))  # type: ignore[arg-type]


WRITERS: dict[str, tuple[Callable[[EditSequence], Written], str]] = {
    "fcp": (fcpxml.write, ".fcpxml"),
    "resolve": (fcpxml.write_for_resolve, ".fcpxml"),
    "premiere": (xmeml.write, ".xml"),
    "kdenlive": (kdenlive.write, ".kdenlive"),
    "otio": (otio_file.write, ".otio"),
    "edl": (edl.write, ".edl"),
}
assert set(WRITERS) == set(TARGETS)


def read(target: str, made: EditSequence) -> Cut:
    write, end = WRITERS[target]
    files = write(made).files
    data = files[end]
    match target:
        case "fcp" | "resolve":
            return read_fcpxml(data)
        case "premiere":
            return read_xmeml(data)
        case "kdenlive":
            return read_mlt(data)
        case "otio":
            return read_otio(data)
    cut = read_edl(data, made.rate, made.timecode(0))
    for name, more in files.items():
        if name != end:
            further = read_edl(more, made.rate, made.timecode(0))
            cut.clips, cut.reels = cut.clips + further.clips, cut.reels | further.reels
            cut.faded |= further.faded
    return cut


GOLDEN = Path(__file__).parents[1] / "golden"
every_target = pytest.mark.parametrize("target", TARGETS)
LATER = 48  # frames of the rating card
SHOTS = [(48, 96, "0:10", "1"), (96, 144, "0:30", "1"), (144, 192, "0:20", "1/2"), (192, 216, "0:40", "1")]
SHOTS += [(216, 240, "0:44", "1"), (240, 264, "0:50", "1")]
ZERO = Fraction(1 * 3600 + 2 * 60 + 3) + Fraction(4, 24)  # the film's first timecode


def plain(clips: list[Clip], made: EditSequence, kind: str) -> dict[int, tuple[int, Fraction, Fraction]]:
    """Clips of the film by their starts: end, source from the film's first picture, speed."""
    return {
        int(c.start): (int(c.end), c.source, c.speed)
        for c in clips
        if c.kind == kind and c.medium == "The Film #1 100%.mov"
    }


@every_target
def test_every_picture_lies_where_the_layout_says(target: str) -> None:
    cut = read(target, sequence())
    zero = Fraction(0) if target == "kdenlive" else ZERO
    found = {}
    for clip in cut.pictures():
        if clip.medium.startswith("The Film"):
            found[int(clip.start)] = clip
    for start, end, at, speed in SHOTS:
        minutes, seconds = map(int, at.split(":"))
        lead = 0
        if target in ("premiere", "kdenlive", "edl"):  # whose clips run through their transitions
            lead = {144: 12, 216: 12, 240: 6}.get(start, 0)
            lead = lead if target == "premiere" or start == 144 else 0
        clip = found[start - lead]
        assert clip.speed == Fraction(speed)
        off = clip.source - zero - (minutes * 60 + seconds - Fraction(lead, 24) * Fraction(speed))
        assert abs(off) < Fraction(1, 24) if clip.speed != 1 else off == 0, (start, float(off))
        assert clip.end >= end - 12 - 12 * (target == "edl")


@every_target
def test_transitions_texts_and_marks_are_where_they_were(target: str) -> None:
    cut = read(target, sequence())
    whole = {(joint.kind, joint.start, joint.end) for joint in cut.joints}
    assert ("crossfade", 132, 156) in whole
    if target == "edl":
        assert {("black", 204, 216), ("black", 216, 228)} <= whole
    elif target in ("premiere", "otio"):
        assert {("black", 204, 228), ("white", 234, 246)} <= whole
    else:
        assert {("black", 204, 216), ("black", 216, 228), ("black", 234, 240), ("black", 240, 246)} <= whole
    assert ("black", 252, 264) in whole
    texts = {text: (start, end) for text, start, end in cut.texts}
    assert set(texts) == {"ONE & <LAST>", "THE END"}
    if target != "edl":
        assert texts["ONE & <LAST>"] == (60, 84)
        assert texts["THE END"] == (288, 312)
    marks = dict(cut.marks)
    assert marks[48].startswith("one")
    assert "it opens" in marks[48]
    assert "turning point: climax" in marks[96]
    assert {"climax", "0.75", "money"} <= set(marks[96].replace(";", " ").replace(":", " ").split())
    assert 264 in marks
    assert "two" in marks[264]


@every_target
def test_sounds_run_over_their_pictures_and_keep_their_gains(target: str) -> None:
    cut = read(target, sequence())
    film = plain(cut.sounds(), sequence(), "sound")
    zero = Fraction(0) if target == "kdenlive" else ZERO
    assert film[48][:2] == (102, zero + 10), "an L-cut"
    assert film[212][1] == zero + 44 - Fraction(4, 24), "a J-cut"
    assert 192 not in film, "the muted shot"
    gains = {int(clip.start): clip.gain for clip in cut.sounds() if clip.medium.startswith("The Film")}
    kept = ROWS["gain"].get(target) is None
    assert gains[48] == pytest.approx(-6 if kept else 0, abs=0.01)
    songs = {clip.medium: clip for clip in cut.sounds() if clip.medium.endswith(".wav")}
    assert set(songs) == {"song.wav", "other.wav"}
    assert int(songs["other.wav"].start) == 312
    first = next(clip for clip in cut.sounds() if clip.medium == "song.wav")
    assert [first.start, first.source] == [48, 10]
    if ROWS["duck"].get(target) is None:
        assert max(clip.ramps for clip in cut.sounds() if clip.medium == "song.wav") >= 4


@every_target
def test_the_head_of_a_sequence_is_the_one_asked_for(target: str) -> None:
    cut = read(target, sequence())
    assert cut.rate == 24
    if target != "kdenlive":
        assert cut.start == "01:00:00:00"
        assert read(target, sequence(start="10:00:00:00")).start == "10:00:00:00"
    if ROWS["reel"].get(target) is None:
        assert cut.reels >= {"THEFILM1", "SONG", "OTHER"}
        assert all(len(reel) <= 8 and reel.isalnum() for reel in cut.reels)


@every_target
def test_media_are_absolute_urls_that_can_be_moved(target: str) -> None:
    cut = read(target, sequence())
    if target == "kdenlive":
        assert "/work/specs/films/The Film #1 100%.mov" in cut.urls
    elif target != "edl":
        assert any(url.endswith("/work/specs/films/The%20Film%20%231%20100%25.mov") for url in cut.urls)
        assert all(url.startswith("file://") for url in cut.urls)
        moved = read(target, sequence(media_root="D:\\films")).urls
        assert any(url.endswith("/D:/films/The%20Film%20%231%20100%25.mov") for url in moved), moved


@every_target
@pytest.mark.parametrize(
    ("rate", "timecode", "first"),
    [
        (Fraction(24000, 1001), "23:59:59:00", "01:00:00:00"),
        (Fraction(30000, 1001), "00:59:58;28", "01:00:00;00"),
        (Fraction(60000, 1001), "01:00:00;04", "01:00:00;00"),
        (Fraction(25), None, "01:00:00:00"),
    ],
)
def test_rates_are_exact_and_timecode_drops_where_the_film_does(
    target: str, rate: Fraction, timecode: str | None, first: str
) -> None:
    film = replace(FILM, rate=rate, timecode=timecode)
    text = "cinecut: 1\nfilm: film.mov\ntimeline:\n- {shot: {in: 48f, for: 48f}}\n- {shot: {in: 0:10, for: 48f}}\n"
    text = text.replace("in: 48f", "in: 0:03")
    cut = read(target, sequence(text, film))
    assert cut.rate == rate
    shots = cut.pictures()
    assert [[c.start, c.end] for c in shots] == [[0, 48], [48, 96]]
    if target == "kdenlive":
        return
    assert cut.start == first
    assert cut.drop == (";" in first)
    zero = film.timecodes.first / rate
    wanted = [zero + (seconds * rate // 1) / rate for seconds in (3, 10)]
    day = 86400 * Fraction(-(-rate // 1)) / rate
    assert [clip.source % day for clip in shots] == [time % day for time in wanted]


def test_timecode_starts_again_after_a_day() -> None:
    film = replace(FILM, timecode="23:59:59:00")
    text = "cinecut: 1\nfilm: film.mov\ntimeline:\n- {shot: {in: 0:03, for: 1s}}\n"
    assert b"00:00:02:00 00:00:03:00" in edl.write(sequence(text, film)).files[".edl"]


@every_target
def test_a_film_of_another_rate_keeps_its_time(target: str) -> None:
    text = "cinecut: 1\nfilm: film.mov\noutput: {rate: 24}\ntimeline:\n- {shot: {in: 0:04, for: 2s}}\n"
    text += "- {shot: {in: 0:10, for: 2s}}\n"
    made = sequence(text, replace(FILM, rate=Fraction(25), timecode="10:00:00:00"))
    cut = read(target, made)
    zero = 0 if target == "kdenlive" else 36000
    wanted = [Fraction(4), Fraction(10)]
    found = [clip.source - zero for clip in cut.pictures()]
    if target == "edl":
        assert [round(float(f), 3) for f in found] == [4.0, 10.0]
        assert [clip.speed for clip in cut.pictures()] == [Fraction(25, 24)] * 2
    else:
        assert [abs(f - w) <= Fraction(1, 24) for f, w in zip(found, wanted, strict=True)] == [True, True]
    assert any(lost.what.startswith("the film has 25") for lost in unsupported(made, target)) == (
        target in ROWS["other rate"]
    )


def test_variable_rate_is_said() -> None:
    film = replace(FILM, variable=True, rate=Fraction(30), time_base=Fraction(1, 1000))
    made = sequence("cinecut: 1\nfilm: film.mov\ntimeline:\n- {shot: {in: 0:04, for: 2s}}\n", film)
    for target in TARGETS:
        assert any("irregular" in lost.what for lost in unsupported(made, target))
        assert read(target, made).rate == 30


def test_an_odd_rate_is_refused_where_frames_are_counted() -> None:
    text = "cinecut: 1\nfilm: film.mov\noutput: {rate: 25/2}\ntimeline:\n- {shot: {in: 0:04, for: 2s}}\n"
    with pytest.raises(Stop, match="25/2"):
        xmeml.write(sequence(text))
    assert read("fcp", sequence(text)).rate == Fraction(25, 2)


def test_reels_are_unique() -> None:
    text = "cinecut: 1\nfilm: long_film_name_a.mov\nmusic: long_film_name_b.wav\ntimeline:\n"
    text += "- {shot: {in: 0:04, for: 2s}}\n- {still: long_film_name_c.png, for: 1s}\n- {still: BL.png, for: 1s}\n"
    reels = [medium.reel for medium in sequence(text).media]
    assert sorted(reels) == sorted({"LONGFILM", "LONGFIL2", "LONGFIL3", "BLX"})


def test_markers_on_one_frame_are_one_and_at_zero_survive() -> None:
    text = "cinecut: 1\nfilm: film.mov\ntimeline:\n- act: opening\n"
    text += "- {shot: {in: 0:04, for: 2s}, beat_type: money shot, why: x}\n"
    made = sequence(text)
    assert [(mark.frame, mark.name, mark.note) for mark in made.marks] == [(0, "opening · money shot", "why: x")]
    rows = edl.write_markers(made).files[".edl"].decode().splitlines()
    assert "001  001      V     C        01:00:00:00 01:00:00:01 01:00:00:00 01:00:00:01  " in rows
    assert "why: x |C:ResolveColorRed |M:opening · money shot |D:1" in rows


def test_a_marker_cannot_break_its_row() -> None:
    text = 'cinecut: 1\nfilm: f.mov\ntimeline:\n- {shot: {in: 0:04, for: 2s}, why: "a|M:b\\nTITLE: x\\u0007"}\n'
    made = sequence(text)
    assert "a/M:b TITLE: x |C:" in edl.write_markers(made).files[".edl"].decode()
    for target in TARGETS:
        assert read(target, made).marks


def test_resolve_reads_gain_as_bare_figures() -> None:
    assert b'amount="-6dB"' in fcpxml.write(sequence()).files[".fcpxml"]
    files = fcpxml.write_for_resolve(sequence()).files
    assert b'amount="-6"' in files[".fcpxml"]
    assert b"ResolveColorRed" in files["_markers.edl"]


def test_handles_bound_what_is_offered() -> None:
    import opentimelineio as otio

    for handles in (None, 10):
        made = sequence(handles=handles)
        timeline = otio_file.timeline_of(made)
        for clip in timeline.find_clips():
            reference = clip.media_reference
            assert reference.available_range is not None
            if isinstance(reference, otio.schema.ExternalReference) and handles is not None:
                spare = clip.source_range.start_time - reference.available_range.start_time
                assert 0 <= spare.to_seconds() <= (10 + 13) / 24


def test_looks_are_applied_where_they_can_be() -> None:
    clips = [clip for clip in read("kdenlive", sequence()).pictures() if clip.medium.startswith("The Film")]
    assert [clip.looks for clip in clips] == [1] * 6
    assert any(lost.what == "its grade" for lost in unsupported(sequence(), "fcp"))


# Nothing is dropped unsaid


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
