"""What does not decode is said, never shown as one picture that stands or as silence."""

from __future__ import annotations

import subprocess
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import pytest
from commandline import cinecut
from effort import mostly_slow
from oracle import BUNDLED

from cinecut.diagnostics import Stop
from cinecut.graph.plan import Reel
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media import program_map
from cinecut.media.open import open_container
from cinecut.media.probe import film_facts
from cinecut.media.reels import Reels

H264, MPEG2 = "-c:v libx264 -preset ultrafast -g 25 -bf 2", "-c:v mpeg2video -q:v 4 -g 12 -bf 2"
M2TS = "-mpegts_m2ts_mode 1"


def recording(path: Path, picture: str, sound: str = "-c:a ac3", more: str = "") -> bytes:
    """Four seconds of a film."""
    source = "-f lavfi -i testsrc2=s=192x108:r=25:d=4 -f lavfi -i sine=r=48000:d=4"
    command = f"{BUNDLED} -v error -y {source} {picture} {sound} {more}".split()
    subprocess.run([*command, str(path)], check=True, capture_output=True)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        ((H264,), (MPEG2,), "its picture changes from H.264 to MPEG-2 at 0:04"),
        ((H264, "-c:a ac3", M2TS), (MPEG2, "-c:a ac3", M2TS), "its picture changes from H.264 to MPEG-2 at 0:04"),
        ((MPEG2,), (H264,), "its picture changes from MPEG-2 to H.264 at 0:04"),
        ((H264,), (H264, "-c:a mp2"), "its sound changes from AC-3 to MPEG audio at 0:03.9"),
        ((H264, "-c:a mp2"), (H264, "-c:a aac"), "its sound changes from MPEG audio to AAC at 0:04"),
        ((H264, "-c:a ac3"), (H264, "-c:a eac3"), None),  # one decoder takes both
    ],
)
def test_a_codec_that_changes_midway_is_named(
    first: tuple[str, ...], then: tuple[str, ...], why: str | None, tmp_path: Path
) -> None:
    one = recording(tmp_path / "1.ts", *first)
    two = recording(tmp_path / "2.ts", then[0], " ".join(then[1:]) or "-c:a ac3", "-output_ts_offset 4")
    (film := tmp_path / "film.ts").write_bytes(one + two)
    if why is None:
        assert film_facts(film).duration > 7
        return
    with pytest.raises(Stop, match=why) as stop:
        film_facts(film)
    place = int(stop.value.diagnostics[0].hints[0].partition("head -c ")[2].partition(" ")[0])
    assert 0 <= place - len(one) < 3000  # a few packets of other tables may come first


@pytest.mark.parametrize("parts", ["112222222222", "1111111222222", "1111111111121"])
def test_where_a_very_large_film_changes_its_codec_is_exact(
    parts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only some of its blocks are read, until two of them differ."""
    each = {"1": recording(tmp_path / "1.ts", H264), "2": recording(tmp_path / "2.ts", MPEG2)}
    (film := tmp_path / "film.ts").write_bytes(b"".join(each[part] for part in parts))
    monkeypatch.setattr(program_map, "_BLOCK", 1 << 15)
    monkeypatch.setattr(program_map, "_READ_WHOLE", 0 if parts.endswith("2") else 1 << 20)
    monkeypatch.setattr(program_map, "_SPREAD", 5)
    with open_container(film) as media, pytest.raises(Stop, match=r"changes from H\.264 to MPEG-2") as stop:
        program_map.check_codecs(media, film, {media.streams.video[0].index: "its picture"})
    place = int(stop.value.diagnostics[0].hints[0].partition("head -c ")[2].partition(" ")[0])
    assert 0 <= place - parts.index("2") * len(each["1"]) < 3000


def scrambled(source: Path, target: Path, start: int, end: int) -> None:
    """The film, the packets of its picture from one second to another overwritten."""
    with av.open(str(source)) as film, av.open(str(target), "w") as out:
        video = film.streams.video[0]
        stream = out.add_stream_from_template(video)
        for packet in film.demux(video):
            if packet.size:
                at = ((packet.pts or 0) - (video.start_time or 0)) * Fraction(video.time_base or 1)
                if start <= at < end:
                    memoryview(packet)[:] = bytes(n * 37 & 0x7F | 0x10 for n in range(packet.size))
                packet.stream = stream
                out.mux(packet)


@pytest.mark.parametrize(("picture", "kind"), [(H264, "mp4"), (H264, "mkv"), (MPEG2, "mkv"), (f"{H264} -bf 0", "avi")])
def test_packets_of_which_nothing_decodes_are_no_picture_that_stands(picture: str, kind: str, tmp_path: Path) -> None:
    recording(tmp_path / f"1.{kind}", picture)
    scrambled(tmp_path / f"1.{kind}", film := tmp_path / f"film.{kind}", 1, 3)
    facts = film_facts(film)

    def write(start: str, end: str) -> None:
        seen = FilmRange(FilmTime(Fraction(start)), FilmTime(Fraction(end)))
        with closing(Reels(film, facts)) as reels:
            reels.write([Reel("r.nut", seen)], tmp_path, lambda done: None)

    write("0", "1.5")  # a moment of it
    for shot in (("0.5", "2.5"), ("1", "2.4"), ("1", "3.5"), ("1", "1.6")):
        with pytest.raises(Stop, match=r"holds next to nothing that can be decoded from 0:0(1|0\.96)"):
            write(*shot)
    write("3", "3.8")


DV = "-c:v dvvideo -s 720x576 -pix_fmt yuv420p"


def test_zeros_behind_a_dv_stream_are_no_pictures(tmp_path: Path) -> None:
    """Libraries take them for pictures of the other system of television, which are shorter."""
    one = recording(film := tmp_path / "film.dv", DV, "-ac 2")
    film.write_bytes(one + bytes(500_000))
    facts = film_facts(film)
    assert facts.duration == 4
    assert facts.rate == 25
    assert not facts.variable


@pytest.mark.parametrize("between", [bytes(300_000), b"anything " * 20_000])
def test_what_stands_between_the_pictures_of_a_dv_stream_is_said(between: bytes, tmp_path: Path) -> None:
    one = recording(film := tmp_path / "film.dv", DV, "-ac 2")
    film.write_bytes(one[:7_200_000] + between + one[7_200_000:])
    with pytest.raises(Stop, match=r"damaged at 0:02[.\d]*: the pictures after it are not found"):
        film_facts(film)


SOUNDS = [f"mkv {codec}" for codec in ("aac", "ac3", "libmp3lame", "flac", "dca -strict -2")]
SOUNDS += [f"mp4 {codec}" for codec in ("aac", "libmp3lame", "flac")]


def spoil_sound(film: Path, start: float, end: float) -> Path:
    """The film with other bytes for the packets of sound between two times, in seconds."""
    spoilt = film.with_stem("spoilt")
    with av.open(str(film)) as media, av.open(str(spoilt), "w") as out:
        to = {stream.index: out.add_stream_from_template(stream, opaque=True) for stream in media.streams}
        for packet in (packet for packet in media.demux() if packet.size):
            if packet.stream.type == "audio" and start <= float((packet.pts or 0) * packet.time_base) < end:
                other = av.Packet(b"\x2a" * packet.size)
                other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
                other.time_base, other.stream = packet.time_base, packet.stream
                packet = other
            packet.stream = to[packet.stream.index]
            out.mux(packet)
    return spoilt


@pytest.mark.parametrize("film", mostly_slow(SOUNDS, ["mkv aac", "mkv ac3", "mp4 libmp3lame"]))
def test_sound_that_does_not_decode_is_said_each_time(film: str, tmp_path: Path) -> None:
    """Also where the next render takes all that it can from the store; and only of a shot that plays it."""
    kind, _, sound = film.partition(" ")
    recording(tmp_path / f"film.{kind}", H264, f"-c:a {sound}")
    spoil_sound(tmp_path / f"film.{kind}", 1.5, 2.5)
    head = f"cinecut: 1\nfilm: spoilt.{kind}\neffects: none\nmix: {{splice: 0s}}\n"
    for name, shot in (("hit", "1.2s - 2.1s"), ("missed", "2.7s - 3.5s")):
        (tmp_path / f"{name}.yaml").write_text(f"{head}timeline:\n  - shot: {shot}\n", encoding="utf-8")
    store = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for _ in range(2):
        done = cinecut("render", "hit.yaml", "-f", cwd=tmp_path, **store)
        assert done.returncode == 0, done.stderr
        assert f"some of the sound of spoilt.{kind} cannot be decoded: in what plays of 0:01.200 to" in done.stderr
    done = cinecut("render", "missed.yaml", "-f", cwd=tmp_path, **store)
    assert done.returncode == 0
    assert "warning" not in done.stderr


def test_sound_that_decodes_from_the_start_alone_is_not_said_to_be_damaged(tmp_path: Path) -> None:
    """The first packet of AAC of four channels says which they are; the others do not, so that a seek finds nothing."""
    recording(tmp_path / "film.ts", H264, "-af pan=quad|FL=c0|FR=c0|BL=c0|BR=c0 -c:a aac")
    (tmp_path / "spec.yaml").write_text("cinecut: 1\nfilm: film.ts\ntimeline:\n  - shot: 2.5s - 3s\n", encoding="utf-8")
    done = cinecut("render", "spec.yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert "cannot be decoded" not in done.stderr
