"""Recordings put one behind the other by their bytes: where libraries read the first alone, this is said."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from oracle import BUNDLED

from cinecut.diagnostics import Stop
from cinecut.media.frames import open_film
from cinecut.media.open import packets_of, picture_stream, whole_packets
from cinecut.media.probe import film_facts, song_facts
from cinecut.media.sound.film_samples import film_sounds, stretch

FILMS = {
    "flv": "-c:v flv -c:a libmp3lame -ar 44100", "wmv": "-c:v wmv2 -c:a wmav2", "mp4": "-c:v mpeg4 -c:a aac",
    "m4v": "-c:v mpeg4 -an -f mp4 -movflags faststart",
    "f.mp4": "-c:v mpeg4 -c:a aac -movflags frag_keyframe+empty_moov",
    "mov": "-c:v mjpeg -c:a pcm_s16le", "wtv": "-c:v mpeg4 -c:a mp2",
    "mxf": "-c:v mpeg2video -c:a pcm_s16le -ar 48000", "swf": "-c:v flv -an", "apng": "-an -f apng", "y4m": "-an",
    "ivf": "-c:v libvpx -deadline realtime -an", "nut": "-c:v mjpeg -c:a mp2", "rm": "-c:v rv10 -c:a ac3",
}  # fmt: skip
SONGS = {
    "wav": "", "w64": "", "rf64": "-f wav -rf64 always", "aiff": "", "caf": "-c:a pcm_s16le", "m4a": "-c:a aac",
    "wma": "-c:a wmav2", "tta": "", "voc": "", "wv": "", "6.wv": "-ac 6",
}  # fmt: skip
RATE = 44100  # of the sine
INPUTS = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1")


def made(path: Path, options: str, inputs: tuple[str, ...] = INPUTS) -> bytes:
    subprocess.run([BUNDLED, "-v", "error", *inputs, *options.split(), path], check=True)
    return path.read_bytes()


@pytest.mark.parametrize("kind", [*FILMS, *SONGS])
def test_the_second_one_is_mentioned_with_what_divides_them(kind: str, tmp_path: Path) -> None:
    film = kind in FILMS
    one = made(tmp_path / f"one.{kind}", (FILMS | SONGS)[kind], INPUTS if film else INPUTS[4:])
    (tmp_path / f"both.{kind}").write_bytes(one + one)
    with pytest.raises(Stop, match="several recordings one behind the other") as stop:
        (film_facts if film else song_facts)(tmp_path / f"both.{kind}")
    commands = stop.value.diagnostics[0].hints[0].partition(": ")[2].replace("FILE", f"both.{kind}")
    subprocess.run(["sh", "-c", commands], check=True, cwd=tmp_path)
    assert [(tmp_path / f"{n}.{kind.rpartition('.')[2]}").read_bytes() for n in (1, 2)] == [one, one]


@pytest.mark.parametrize("kind", ["flv", "mp4", "mov", "wmv", "mxf", "wav", "m4a"])
@pytest.mark.parametrize("more", [b"\0" * 5000, b"\0\0\1\0free" + b"ftyp" * 62, b"TAG" + b" " * 125])
def test_what_is_no_recording_is_not_mentioned(kind: str, more: bytes, tmp_path: Path) -> None:
    """Padding, free space and tags."""
    film = kind in FILMS
    one = made(tmp_path / f"one.{kind}", (FILMS | SONGS)[kind], INPUTS if film else INPUTS[4:])
    (tmp_path / f"more.{kind}").write_bytes(one + more)
    measure = film_facts if film else song_facts
    assert measure(tmp_path / f"more.{kind}").duration == measure(tmp_path / f"one.{kind}").duration


H264 = "-c:v libx264 -preset ultrafast"
UNLIKE = {  # in Matroska: libraries read the second one by the head of the first
    "another way of coding": (f"{H264} -an", f"{H264} -bf 2 -coder 1 -an"),
    "another size": ("-c:v mpeg4 -an", "-c:v mpeg4 -s 128x96 -an"),
    "another size, lossless": ("-c:v ffv1 -an", "-c:v ffv1 -s 128x96 -an"),
    "another codec": (f"{H264} -an", "-c:v mpeg4 -an"),
    "another rate of samples": (f"{H264} -c:a aac -ar 48000", f"{H264} -c:a aac -ar 44100"),
    "other channels": (f"{H264} -c:a pcm_s16le -ac 2", f"{H264} -c:a pcm_s16le -ac 1"),
    "another quality of Vorbis": (f"{H264} -c:a libvorbis -q:a 2", f"{H264} -c:a libvorbis -q:a 8"),
    "a sound": (f"{H264} -an", f"{H264} -c:a aac"),
}
ALIKE = {
    "the same": (f"{H264} -c:a aac", f"{H264} -c:a aac"),
    "another rate of bits": ("-c:v mpeg2video -b:v 1M -c:a mp2", "-c:v mpeg2video -b:v 2M -c:a mp2 -b:a 128k"),
    "another song": (f"{H264} -c:a flac", f"{H264} -c:a flac -af volume=0.3"),
    "an encoder that says what it did": (
        "-c:v libx265 -preset ultrafast -x265-params log-level=none -an",
        "-c:v libx265 -preset ultrafast -x265-params log-level=none:rd=2 -an",
    ),
}


def two_in_one(options: tuple[str, str], folder: Path) -> Path:
    parts = [made(folder / f"{number}.mkv", each) for number, each in enumerate(options, 1)]
    (folder / "both.mkv").write_bytes(b"".join(parts))
    return folder / "both.mkv"


@pytest.mark.parametrize("what", UNLIKE)
def test_one_that_needs_a_head_of_its_own_is_mentioned(what: str, tmp_path: Path) -> None:
    film = two_in_one(UNLIKE[what], tmp_path)
    with pytest.raises(Stop, match="several recordings one behind the other") as stop:
        film_facts(film)
    commands = stop.value.diagnostics[0].hints[0].partition(": ")[2].replace("FILE", film.name)
    kept = [(tmp_path / f"{n}.mkv").read_bytes() for n in (1, 2)]
    subprocess.run(["sh", "-c", commands], check=True, cwd=tmp_path)
    assert [(tmp_path / f"{n}.mkv").read_bytes() for n in (1, 2)] == kept


@pytest.mark.parametrize("what", ALIKE)
def test_one_that_does_not_is_read(what: str, tmp_path: Path) -> None:
    assert film_facts(two_in_one(ALIKE[what], tmp_path)).duration == 2


@pytest.mark.parametrize("kind", ["ts", "m2ts", "mpg", "vob", "avi", "dv"])
def test_short_ones_are_read_one_after_another(kind: str, tmp_path: Path) -> None:
    """Their times fall by less than pictures that are stored out of order may."""
    coded = "-c:v dvvideo -s 720x576 -pix_fmt yuv420p -ar 48000 -ac 2" if kind == "dv" else "-c:v mpeg2video -c:a mp2"
    one = made(tmp_path / f"one.{kind}", coded)
    (tmp_path / f"three.{kind}").write_bytes(one * 3)
    assert film_facts(tmp_path / f"three.{kind}").duration == 3


def test_of_three_in_matroska_two_would_be_read(tmp_path: Path) -> None:
    one = made(tmp_path / "one.mkv", f"{H264} -c:a aac")
    (tmp_path / "three.mkv").write_bytes(one * 3)
    with pytest.raises(Stop, match="several recordings one behind the other"):
        film_facts(tmp_path / "three.mkv")
    song = made(tmp_path / "one.mka", "-c:a flac", INPUTS[4:])
    (tmp_path / "three.mka").write_bytes(song * 3)
    with pytest.raises(Stop, match="several recordings one behind the other"):
        song_facts(tmp_path / "three.mka")


@pytest.mark.parametrize("kind", ["ts", "mpg", "vob"])
@pytest.mark.parametrize(
    "order", ["silent heard", "silent silent heard", "heard silent heard", "heard heard silent heard"]
)
def test_sound_that_is_missing_in_a_recording_stays_with_its_pictures(order: str, kind: str, tmp_path: Path) -> None:
    coded = "-c:v mpeg2video -bf 2 -c:a mp2"
    one = {"heard": made(tmp_path / f"heard.{kind}", coded), "silent": made(tmp_path / f"s.{kind}", f"{coded} -an")}
    (tmp_path / f"all.{kind}").write_bytes(b"".join(one[each] for each in order.split()))
    (begin, *rest), (first, *_) = (_places(tmp_path / f"{name}.{kind}") for name in ("all", "heard"))
    late = [(place - first) / RATE for place in (begin, *rest)][:: len(rest) // order.count("heard") + 1]
    seconds = [n for n, each in enumerate(order.split()) if each == "heard"]
    assert [round(each) for each in late] == seconds
    assert max(abs(each - n) for each, n in zip(late, seconds, strict=True)) < 0.05


def _places(film: Path) -> list[int]:
    facts = film_facts(film)
    with film_sounds(film, facts, 0) as sounds:
        return [place for place, _ in sounds.parts[0].all()]


LONG = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=50:d=3", "-f", "lavfi", "-i", "sine=d=2:r=48000")


@pytest.mark.parametrize("kind", ["vob", "mpg", "ts"])
@pytest.mark.parametrize("rates", ["25 30", "25 50", "50 25", "25 24000/1001"])
def test_the_second_one_follows_whatever_their_rates(rates: str, kind: str, tmp_path: Path) -> None:
    """What comes first of a recording is decoded a picture before it is shown, and pictures differ in length."""
    codec = "mpeg1video" if kind == "mpg" else "mpeg2video"
    parts = [
        made(tmp_path / f"{n}.{kind}", f"-r {rate} -frames:v 50 -c:v {codec} -bf 2 -q:v 3 -c:a mp2", LONG)
        for n, rate in enumerate(rates.split())
    ]
    (both := tmp_path / f"both.{kind}").write_bytes(b"".join(parts))
    facts = film_facts(both)
    with open_film(both, facts) as media:
        video = picture_stream(media, both)
        stamps = sorted(packet.pts for packet in whole_packets(packets_of(media, video)) if packet.pts is not None)
    first, second = map(Fraction, rates.split())
    wanted = [*(n / first for n in range(50)), *(50 / first + n / second for n in range(50))]
    shown = [(stamp - stamps[0]) * facts.time_base for stamp in stamps]
    assert len(shown) == len(wanted)
    assert max(abs(time - right) for time, right in zip(shown, wanted, strict=True)) <= Fraction(1, 30000)


def test_a_film_that_begins_before_zero_where_nothing_can_is_refused(tmp_path: Path) -> None:
    made(
        film := tmp_path / "film.ogv",
        "-c:v libtheora -c:a libvorbis -output_ts_offset -0.2 -avoid_negative_ts disabled",
    )
    with pytest.raises(Stop, match=r"would begin on day 133,\d+,\d+,\d+ "):
        film_facts(film)


@pytest.mark.parametrize("codec", ["libmp3lame", "ac3", "mp2"])
def test_in_avi_sound_of_another_rate_has_no_time(codec: str, tmp_path: Path) -> None:
    """It has one rate for all, by which the place of each packet is counted."""
    for n, rate in enumerate((48000, 44100)):
        made(tmp_path / f"{n}.avi", f"-c:v mjpeg -c:a {codec} -ar {rate}")
    (tmp_path / "list").write_text("file 0.avi\n" * 6 + "file 1.avi\n", encoding="utf-8")
    made(film := tmp_path / "film.avi", "-c copy", ("-f", "concat", "-i", str(tmp_path / "list")))
    facts = film_facts(film)
    with film_sounds(film, facts, 0) as sounds:
        assert list(sounds.parts[0].between(Fraction(0), Fraction(1, 2)))
    with film_sounds(film, facts, 0) as sounds, pytest.raises(Stop, match="changes to 44100 samples a second"):
        list(sounds.parts[0].between(Fraction(13, 2), Fraction(7)))


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize(
    ("rates", "lost"),
    [
        ("24 60", True), ("25 50", True), ("60 24", True), ("50 25", True), ("60 12", True), ("30000/1001 25", True),
        ("24 30", False), ("30 24", False), ("25 25", False), ("60 50", False),
    ],
)  # fmt: skip
def test_a_recording_of_another_rate_whose_header_is_lost(rates: str, lost: bool, suffix: str, tmp_path: Path) -> None:
    """MPEG-4 counts time in as many bits as its header says: 24 and 30 take five, 60 takes six."""
    for number, rate in enumerate(rates.split()):
        inputs = ("-f", "lavfi", "-i", f"testsrc2=s=64x48:r={rate}:d=2")
        made(tmp_path / f"{number}.{suffix}", "-c:v mpeg4 -bf 2", inputs)
    (tmp_path / "parts.txt").write_text(f"file 0.{suffix}\nfile 1.{suffix}\n", encoding="utf-8")
    made(film := tmp_path / f"film.{suffix}", "-c copy", ("-f", "concat", "-i", str(tmp_path / "parts.txt")))
    if not lost:
        assert film_facts(film).size == (64, 48)
        return
    with pytest.raises(Stop, match="was joined of recordings of two rates"):
        film_facts(film)


def test_a_damaged_picture_here_and_there_is_no_other_recording(tmp_path: Path) -> None:
    made(film := tmp_path / "film.mkv", "-c:v mpeg4 -bf 2", ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=8"))
    data = bytearray(film.read_bytes())
    pictures = [match.end() for match in re.finditer(b"\0\0\1\xb6", data)]
    for place in pictures[20::10]:  # the bit before its time
        data[place] ^= 0x10
    film.write_bytes(data)
    assert film_facts(film).rate == 25


@pytest.mark.parametrize("channels", ["2 6", "6 2"])
def test_sound_of_other_rates_of_bits_in_avi_follows_what_came_before(channels: str, tmp_path: Path) -> None:
    """AVI counts the bytes of E-AC-3, which take another time in the second recording."""
    for number, count in enumerate(channels.split()):
        tone = ("-f", "lavfi", "-i", f"sine={400 * (number + 1)}:r=48000:d=2")
        picture = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2")
        made(tmp_path / f"{number}.avi", f"-c:v mjpeg -c:a eac3 -ac {count}", (*picture, *tone))
    (tmp_path / "list").write_text("file 0.avi\nfile 1.avi\n", encoding="utf-8")
    made(film := tmp_path / "film.avi", "-c copy", ("-f", "concat", "-i", str(tmp_path / "list")))
    facts = film_facts(film)
    for start, hertz in ((0.5, 400), (2.5, 800), (1.2, 400), (3.2, 800)):
        with film_sounds(film, facts, 0) as sounds:
            parts = stretch(sounds, facts.audio[0], Fraction(start), Fraction(start) + Fraction(1, 2))
            heard = np.concatenate(list(parts), 1).astype(float)
        heard = heard[np.argmax(heard.std(1))]
        assert abs(np.abs(np.fft.rfft(heard)).argmax() * 2 - hertz) <= 4
