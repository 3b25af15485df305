"""The lines that are heard, as subtitles: a track, a file beside the trailer, or burned in; and only when asked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from commandline import cinecut, names
from oracle import Film, Sound
from rendering import Rendered, render_text

RATE = Fraction(24)


class Line(NamedTuple):
    start: Fraction  # seconds of the trailer
    end: Fraction
    text: str


@pytest.fixture(scope="module")
def film(films: Callable[[Film], Film]) -> Film:
    return films(Film(Path("a.mp4"), RATE, 120, (320, 180), gop=24, sound=Sound()))


EVENTS = """
  - {shot: {in: 0s, for: 24f}, line: "You came, café."}
  - {black: 12f}
  - {shot: {in: 1s, for: 12f}, line: Nobody hears this., mute: true}
  - {shot: {in: 2s, for: 24f}, mute: true, voice: {take: 3s - 3.75s, at: 3f, line: From elsewhere.}}
  - {shot: {in: 4s, for: 12f}}
"""
LINES = [
    Line(Fraction(0), Fraction(1), "You came, café."),
    Line(Fraction(51, 24), Fraction(69, 24), "From elsewhere."),
]


def text_of(film: Film, output: str, events: str = EVENTS, head: str = "") -> str:
    return f"cinecut: 1\nfilm: {film.path}\n{head}output: {{preset: ultrafast, {output}}}\ntimeline:{events}"


def read_srt(path: Path) -> list[Line]:
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    found = []
    for number, block in enumerate(blocks, 1):
        first, times, text = block.split("\n")
        assert first == str(number)
        start, end = times.split(" --> ")
        found.append(Line(seconds(start), seconds(end), text))
    return found


def seconds(clock: str) -> Fraction:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(rest.replace(",", "."))


def same(found: list[Line], wanted: list[Line]) -> bool:
    """To the millisecond."""
    near = all(
        max(abs(a.start - b.start), abs(a.end - b.end)) <= Fraction(1, 1000)
        for a, b in zip(found, wanted, strict=False)
    )
    return near and [line.text for line in found] == [line.text for line in wanted]


def read_track(trailer: Path, ffmpeg: Path) -> list[Line]:
    """The track of subtitles, as FFmpeg shows it."""
    srt = trailer.with_suffix(".track.srt")
    subprocess.run([ffmpeg, "-v", "error", "-y", "-i", trailer, "-map", "0:s:0", srt], check=True)
    return read_srt(srt)


def test_none_by_default(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    plain = render_text(text_of(film, "codec: ffv1"), tmp_path, ffmpeg)
    with av.open(str(plain.path)) as media:
        assert len(media.streams.subtitles) == 0
    assert plain.numbers[:3] == [0, 1, 2]
    assert list(tmp_path.glob("*.srt")) == []


@pytest.mark.parametrize("codec", ["h264", "prores", "ffv1"])
def test_a_track_in_every_container(film: Film, ffmpeg: Path, tmp_path: Path, codec: str) -> None:
    rendered = render_text(text_of(film, f"codec: {codec}, subtitles: soft"), tmp_path, ffmpeg)
    with av.open(str(rendered.path)) as media:
        [track] = media.streams.subtitles
        assert track.codec_context.name == ("srt" if codec == "ffv1" else "mov_text")
    assert same(read_track(rendered.path, ffmpeg), LINES)
    assert len(rendered.pictures) == 84
    assert rendered.numbers[:3] == [0, 1, 2]  # nothing is drawn


def test_a_file_beside_the_trailer(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    rendered = render_text(text_of(film, "codec: h264, subtitles: file"), tmp_path, ffmpeg, "mine")
    assert same(read_srt(tmp_path / "mine.srt"), LINES)
    with av.open(str(rendered.path)) as media:
        assert len(media.streams.subtitles) == 0


def test_the_time_is_the_trailers_own(film: Film, bundled: Path, tmp_path: Path) -> None:
    """After a rating card everything is later."""
    card = f"color=gray:s=64x36:d=0.04,format=rgb24 -frames:v 1 {tmp_path / 'card.png'}"
    subprocess.run([bundled, "-v", "error", "-f", "lavfi", "-i", *card.split()], check=True)
    head = "rating: {still: card.png, for: 30f}\n"
    later = [Line(line.start + Fraction(30, 24), line.end + Fraction(30, 24), line.text) for line in LINES]
    render_text(text_of(film, "subtitles: file", head=head), tmp_path, bundled, "beside")
    assert same(read_srt(tmp_path / "beside.srt"), later)
    soft = render_text(text_of(film, "subtitles: soft", head=head), tmp_path, bundled, "soft")
    assert same(read_track(soft.path, bundled), later)
    burned = changed(film, bundled, tmp_path, head)
    assert burned == [*range(30, 54), *range(81, 99)]


def changed(film: Film, ffmpeg: Path, folder: Path, head: str = "", events: str = EVENTS) -> list[int]:
    """The frames that burning in changes."""
    plain, burned = (
        render_text(text_of(film, f"codec: ffv1, subtitles: {kind}", events, head), folder, ffmpeg, kind).pictures
        for kind in ("none", "burned")
    )
    return [k for k, (a, b) in enumerate(zip(plain, burned, strict=True)) if not np.array_equal(a, b)]


def test_burned_in_on_exactly_their_frames(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    assert changed(film, ffmpeg, tmp_path) == [*range(24), *range(51, 69)]


@pytest.mark.parametrize("vibe", ["", "vibe: western\n"])
def test_burned_in_where_one_reads_them(film: Film, ffmpeg: Path, tmp_path: Path, vibe: str) -> None:
    """In the lower third, in the middle, inside the safe area; plain, in whatever genre."""
    events = "\n  - {shot: {in: 0s, for: 2f}, gain: 0, line: WHO ARE YOU?, grade: {strength: 0}}\n"
    plain, burned = (
        render_text(
            text_of(film, f"codec: ffv1, loudness: as mixed, subtitles: {kind}", events, vibe), tmp_path, ffmpeg, kind
        )
        for kind in ("none", "burned")
    )
    rows, columns = np.nonzero(np.abs(plain.pictures[1].astype(int) - burned.pictures[1]) > 60)
    assert rows.min() > 0.75 * 180
    assert rows.max() < 0.9 * 180 + 2
    assert abs((columns.min() + columns.max()) / 2 - 160) <= 3
    assert burned.pictures[1].max() > 230


# Text is text


FOREIGN = {  # as a spec has it in quotes, and as it is read
    "<i>lean</i> <b>in</b>": "‹i›lean‹/i› ‹b›in‹/b›",
    r"{\\an8}up here": "(/an8)up here",
    "00:00:00,100 --> 00:00:00,900 now": "00:00:00,100 --› 00:00:00,900 now",
    r"one\n\n2\n00:00:00,100 --> 00:00:00,900\nfake": "one 2 00:00:00,100 --› 00:00:00,900 fake",
    r"a\\Nb\\hc": "a/Nb/hc",
    "42": "42",
    r"a\u2028b\u2029c\u0085d\te": "a b c d e",
    "Next.": "Next.",
}


def test_a_line_is_only_a_line(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """In the track and in the file: each is one line at its own time, whatever it holds."""
    rows = [f'\n  - {{shot: {{in: 0s, for: 12f}}, line: "{written}"}}' for written in FOREIGN]
    wanted = [Line(Fraction(k, 2), Fraction(k + 1, 2), read) for k, read in enumerate(FOREIGN.values())]
    soft = render_text(text_of(film, "subtitles: soft", "".join(rows)), tmp_path, ffmpeg, "soft")
    assert same(read_track(soft.path, ffmpeg), wanted)
    render_text(text_of(film, "subtitles: file", "".join(rows)), tmp_path, ffmpeg, "beside")
    assert same(read_srt(tmp_path / "beside.srt"), wanted)


def test_a_burned_line_is_only_a_line(film: Film, ffmpeg: Path, tmp_path: Path) -> None:
    """Neither its place nor its time is the text's to say."""
    text = r"{\\an8}{\\pos(10,10)}<i>x</i>\\N\nDialogue: 0,0:00:00.00,0:00:09.00,card,,0,0,0,,BIG"
    events = f'\n  - {{shot: {{in: 0s, for: 6f}}, line: "{text}"}}\n  - {{shot: {{in: 1s, for: 6f}}}}\n'
    plain, burned = (
        render_text(text_of(film, f"codec: ffv1, subtitles: {kind}", events), tmp_path, ffmpeg, kind).pictures
        for kind in ("none", "burned")
    )
    assert [np.any(a != b) for a, b in zip(plain, burned, strict=True)] == [True] * 6 + [False] * 6
    assert np.any(plain[1] != burned[1], axis=1).nonzero()[0].min() > 0.65 * 180


def test_nothing_to_say_is_no_line(film: Film, bundled: Path, tmp_path: Path) -> None:
    events = '\n  - {shot: {in: 0s, for: 2f}, line: "  \\n "}\n  - {shot: {in: 1s, for: 2f}, line: Next.}\n'
    render_text(text_of(film, "subtitles: file", events), tmp_path, bundled, "beside")
    assert same(read_srt(tmp_path / "beside.srt"), [Line(Fraction(2, 24), Fraction(4, 24), "Next.")])


# The file beside is a file like others


def test_a_file_that_is_there_is_not_replaced(film: Film, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(text_of(film, "subtitles: file"), encoding="utf-8")
    (tmp_path / "out.srt").write_text("precious", encoding="utf-8")
    refused = cinecut("render", "spec.yaml", "-o", "out.mp4", cwd=tmp_path)
    assert refused.returncode != 0
    assert re.search(r"out\.srt is there already", refused.stderr)
    assert names(tmp_path) == ["out.srt", "spec.yaml"]
    assert (tmp_path / "out.srt").read_text(encoding="utf-8") == "precious"


def test_a_packed_folder_has_its_track(film: Film, bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(text_of(film, "subtitles: soft"), encoding="utf-8")
    assert cinecut("pack", "spec.yaml", "-o", "pack", cwd=tmp_path).returncode == 0
    done = subprocess.run(
        ["sh", tmp_path / "pack/render.sh", tmp_path / "out.mp4"],
        env={"FFMPEG": str(bundled), "PATH": "/usr/bin:/bin"},
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert same(read_track(tmp_path / "out.mp4", bundled), LINES)
    assert len(Rendered(tmp_path / "out.mp4").pictures) == 84
