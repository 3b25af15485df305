"""What editing programs open: every target is read back by a reader of its own, and compared with the layout."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from compiling import FILM
from editors import Clip
from exported import every_target, read, sequence

from cinecut.diagnostics import Stop
from cinecut.interchange.fidelity import ROWS, TARGETS, unsupported
from cinecut.interchange.model import EditSequence
from cinecut.interchange.writers import edl, fcpxml, otio_file, xmeml

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


def test_an_effect_of_a_file_goes_down_under_a_voice_as_in_the_mix() -> None:
    shot = "{shot: {in: 0:04, for: 8s}, sound: {file: hit.wav, at: 3s}, voice: {take: 0:20 - 0:22, at: 2s}}"
    made = sequence(f"cinecut: 1\nfilm: film.mov\ntimeline:\n- {shot}\n")
    clips = [clip for track in made.tracks for clip in track.clips if clip.medium.name == "hit.wav"]
    assert [level for clip in clips for _, level in clip.levels] == [0, -9, -9, 0]


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
