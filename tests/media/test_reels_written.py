"""Reels and tables, written one after another while what uses the first ones runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from oracle import Film, Sound
from rendering import render_text

from cinecut.diagnostics import Stop
from cinecut.graph.plan import REEL_EPOCH, Reel, SoundReel
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.bitstream import pictures_to_recover, referenced
from cinecut.media.probe import film_facts
from cinecut.media.reels import Reels
from cinecut.render.folder import Materials
from cinecut.render.job import SILENT, prepare
from cinecut.render.store import Store

Films = Callable[[Film], Film]
SMALL = Film(Path("a.mp4"), Fraction(24), 48, size=(160, 90), gop=24, sound=Sound())


def span(start: int, end: int) -> FilmRange:
    return FilmRange(FilmTime(Fraction(start)), FilmTime(Fraction(end)))


def write(film: Path, facts: FilmFacts, reels: Sequence[Reel | SoundReel], folder: Path) -> None:
    with closing(Reels(film, facts)) as made:
        made.write(reels, folder, lambda done: None)


def test_what_uses_the_first_reels_begins_while_others_are_made(films: Films, tmp_path: Path) -> None:
    film, told = films(SMALL).path, list[tuple[str, int, int]]()
    spec, folder = tmp_path / "a.yaml", tmp_path / "work"
    folder.mkdir()
    (tmp_path / "mine.cube").write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    spec.write_text(f"cinecut: 1\nfilm: {film}\nlut: mine.cube\ntimeline: [shot: 0:00 - 0:01, shot: 0:01 - 0:02]\n")
    watch = replace(SILENT, stage=lambda name, done, total, speed: told.append((name, done, total)))
    job = prepare(spec)
    materials = Materials(job, folder, watch, Store(None))
    reels = sorted(item.name for item in job.plan.inputs if isinstance(item, Reel | SoundReel))
    tables = {name for name in job.plan.render.reads if name.endswith(".cube")}
    turns = materials.in_turn([{reels[0]}, {*reels[1:], *tables}])
    next(turns)
    assert [name for name in reels if (folder / name).exists()] == reels[:1]
    assert [*turns] == [None]
    assert all((folder / name).exists() for name in (*reels, *tables))
    assert tables == {"look.1d.cube"}
    assert told == [("reels", done, len(reels)) for done in range(1, len(reels) + 1)]


def test_a_film_that_breaks_off_is_one_message(films: Films, tmp_path: Path) -> None:
    film = films(SMALL).path
    with pytest.raises(Stop, match="breaks off at") as stop:
        write(film, film_facts(film), [Reel("a.nut", span(1, 9))], tmp_path)
    assert stop.value.diagnostics[0].code == "unreadable"


def pictures(file: Path, start: float, end: float, epoch: int = 0) -> list[bytes]:
    """Those between two seconds, as bytes."""
    with av.open(str(file)) as media:
        shown = [
            frame for frame in media.decode(media.streams.video[0]) if start <= (frame.time or 0) - epoch + 0.01 < end
        ]
        return [bytes(frame.to_ndarray(format="yuv420p")) for frame in shown]


@pytest.mark.parametrize(
    ("encode", "end"),
    [
        (("libx264", "-x264-params", "keyint=250:scenecut=0:bframes=3:b-pyramid=none"), ".mp4"),
        (("libx264", "-x264-params", "keyint=250:scenecut=0:bframes=5:b-pyramid=normal"), ".ts"),
        (("libx264", "-x264-params", "keyint=250:scenecut=0:bframes=0"), ".mkv"),
        (("libx265", "-x265-params", "keyint=250:scenecut=0:bframes=4:log-level=none"), ".mkv"),
        (("libx265", "-x265-params", "keyint=250:scenecut=0:bframes=4:temporal-layers=3:log-level=none"), ".mp4"),
    ],
)
def test_pictures_that_no_other_needs_are_left_out_before_a_shot(
    bundled: Path, tmp_path: Path, encode: tuple[str, ...], end: str
) -> None:
    """What the shot shows stays the same, where the film's only key frame is long before it."""
    film, reel = tmp_path / f"film{end}", Reel("a.nut", span(8, 9))
    source = ["-f", "lavfi", "-i", "testsrc2=s=128x72:d=10:r=24"]
    subprocess.run([bundled, "-v", "error", *source, "-pix_fmt", "yuv420p", "-c:v", *encode, str(film)], check=True)
    facts = film_facts(film)
    write(film, facts, [reel], tmp_path)
    shown = pictures(tmp_path / "a.nut", 8, 9, REEL_EPOCH)
    assert len(shown) == 24
    first = float(facts.start)
    assert shown == pictures(film, first + 8, first + 9)
    with av.open(str(tmp_path / "a.nut")) as media:
        packets = sum(packet.size > 0 for packet in media.demux())
    assert packets < 190 if "bframes=0" not in "".join(encode) else packets >= 216


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("b_pictures", [0, 3])
def test_a_picture_is_whole_once_the_refresh_before_it_has_passed(
    bundled: Path, tmp_path: Path, b_pictures: int, joined: bool
) -> None:
    """H.264 counts a refresh in pictures that others need, so that with B pictures it takes longer."""
    film, length = tmp_path / "film.ts", 5 if joined else 10
    source = ["-f", "lavfi", "-i", f"smptebars=s=320x48:d={length}:r=25,rotate=t/9"]
    encode = ["-c:v", "libx264", "-g", "50", "-x264-params", f"intra-refresh=1:bframes={b_pictures}"]
    subprocess.run([bundled, "-v", "error", *source, "-pix_fmt", "yuv420p", *encode, str(film)], check=True)
    whole = pictures(film, 0, 99)
    if joined:
        film.write_bytes(2 * film.read_bytes())
        whole += whole
    facts = film_facts(film)
    assert facts.joined == joined
    for start in (3, 7, 8):
        write(film, facts, [Reel(f"{start}.nut", span(start, start + 1))], tmp_path)
        shown = pictures(tmp_path / f"{start}.nut", start, start + 1, REEL_EPOCH)
        assert shown == whole[25 * start : 25 * start + 25]


def test_a_length_that_looks_like_a_start_code_is_a_length() -> None:
    """A packet whose first unit has 283 bytes: after words of the encoder it says that it takes five pictures."""
    words, recovery = bytes((5, 255, 20)) + b"x" * 275, bytes((6, 1, 0b00110100))
    unit = bytes([6]) + words + recovery + b"\x80"
    packet = av.Packet(len(unit).to_bytes(4, "big") + unit + bytes((0, 0, 0, 3, 0x41, 0, 0)))
    assert pictures_to_recover(packet, "h264") == 5
    assert referenced(packet, "h264") == (True, 0)


@pytest.mark.parametrize("codec", ["aac", "ac3", "eac3", "libopus"])
def test_a_shots_sound_is_the_same_whatever_was_read_before(bundled: Path, tmp_path: Path, codec: str) -> None:
    """Decoders put noise where a codec left something out; it must not go on from one shot to the next."""
    film = tmp_path / "film.mkv"
    source = ["-f", "lavfi", "-i", "testsrc=s=64x36:d=12:r=24", "-f", "lavfi", "-i", "anoisesrc=d=12:r=48000:seed=1"]
    encode = ["-ac", "2", "-c:a", codec, "-b:a", "48k" if codec != "ac3" else "96k", str(film)]
    subprocess.run([bundled, "-v", "error", *source, *encode], check=True)
    facts = film_facts(film)
    reels = [SoundReel(f"{k}.nut", span(k, k + 2), 0) for k in (1, 3, 7, 9)]
    write(film, facts, reels, tmp_path)
    for reel in reels:
        alone = tmp_path / f"alone{reel.name}"
        alone.mkdir()
        write(film, facts, [reel], alone)
        assert (alone / reel.name).read_bytes() == (tmp_path / reel.name).read_bytes()


def test_a_layout_that_there_is_not_is_one_message(films: Films, tmp_path: Path) -> None:
    """Facts may be edited by hand."""
    film = films(SMALL).path
    facts = film_facts(film)
    facts = replace(facts, audio=tuple(replace(sound, layout="1x1") for sound in facts.audio))
    with pytest.raises(Stop, match="no layout of channels"):
        write(film, facts, [SoundReel("a.nut", span(0, 1), 0)], tmp_path)


@pytest.mark.parametrize("size", ["1x1", "2x1", "3x3", "5x7", "1x200", "17x5"])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv410p"])
def test_odd_pictures_of_a_few_pixels(bundled: Path, tmp_path: Path, size: str, pixels: str) -> None:
    """Their rows are stored in a way of AVI's own, so that each is decoded into its reel."""
    film = tmp_path / "film.avi"
    source = ["-f", "lavfi", "-i", f"color=white:s=64x64:r=24:d=1,scale={size.replace('x', ':')}"]
    subprocess.run(
        [str(bundled), "-v", "error", *source, "-c:v", "rawvideo", "-pix_fmt", pixels, str(film)], check=True
    )
    text = f"cinecut: 1\nfilm: {film.name}\ntimeline:\n  - shot: {{in: 0s, for: 2f}}\n"
    pictures = render_text(text, tmp_path, bundled).pictures
    assert [picture.max() > 200 for picture in pictures] == [True, True]
