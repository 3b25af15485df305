"""The one door of media: what may come in, by what name, and what is never opened."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from footage import encode, scene, swelling
from numpy.typing import NDArray
from oracle import BUNDLED

from cinecut.analysis.dialogue.subtitles.tracks import find_tracks
from cinecut.analysis.film.gops import open_video
from cinecut.analysis.report.credits import own_credit
from cinecut.analysis.song.onsets import listen
from cinecut.diagnostics import Stop
from cinecut.files import write_beside
from cinecut.media.open import open_media, packets_of, tags
from cinecut.media.probe import film_facts, song_facts
from cinecut.media.sound.samples import channels_of, counted, mono, song_frames

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
READERS: dict[str, Callable[[Path], object]] = {
    "film": film_facts,
    "song": song_facts,
    "shots": open_video,
    "beats": listen,
    "credits": lambda path: own_credit(path, "song"),
}


def tone(path: Path, *options: str) -> Path:
    source = ["-f", "lavfi", "-i", "sine=d=2:f=300"]
    subprocess.run([FFMPEG, "-v", "error", "-y", *source, *options, f"file:{path}"], check=True)
    return path


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("song.ogg", "ffconcat version 1.0\nfile secret.wav\n"),
        ("film.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.wav\n#EXT-X-ENDLIST\n"),
        ("song.mp3", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n"),
    ],
)
def test_a_playlist_opens_no_other_file(tmp_path: Path, reader: str, name: str, text: str) -> None:
    tone(tmp_path / "secret.wav")
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(Stop) as stop:
        READERS[reader](tmp_path / name)
    assert stop.value.diagnostics[0].code == "unreadable"


@pytest.mark.parametrize(
    "name", ["Alien: Covenant.mp4", "concat:a|b.mp4", "%03d.mp4", "http:x.mp4", "-i.mp4", "ü 100%.mp4"]
)
def test_any_name_is_a_file_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Also by its name alone, as it is typed in its own folder."""
    encode(tmp_path / "film.mp4", scene(1, 30), swelling(1.2))
    (tmp_path / "film.mp4").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert film_facts(Path(name)).frames == 30
    open_video(Path(name))[0].close()
    assert len(listen(Path(name)).level)
    assert find_tracks(Path(name)).container_start is not None


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".mka", ".avi", ".mkv", ".m4a"])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1251", "utf-8"])
def test_tags_in_any_encoding(tmp_path: Path, suffix: str, encoding: str) -> None:
    """Western European is read; of others the medium is read all the same."""
    title = {"latin-1": "Les Misérables", "cp1251": "Солярис-123456", "utf-8": "Solaris Солярис"}[encoding]
    placeholder = "X" * len(title.encode(encoding))
    path = tone(tmp_path / f"a{suffix}", "-metadata", f"title={placeholder}", "-metadata", f"artist={placeholder}")
    data = path.read_bytes()
    assert placeholder.encode() in data
    path.write_bytes(data.replace(placeholder.encode(), title.encode(encoding)))
    assert song_facts(path).duration >= 1
    listen(path)
    with open_media(path, "song") as media:
        said = {**tags(media), **tags(media.streams.audio[0])}
    if encoding != "cp1251":
        assert said["title"] == title
    said["title"].encode("utf-8")


def test_nothing_is_written_over_what_is_read(tmp_path: Path) -> None:
    """By its own name, another, a symbolic link or a hard one."""
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    (tmp_path / "link.yaml").symlink_to(film)
    (tmp_path / "hard.yaml").hardlink_to(film)
    for name in ("film.mp4", "../" + tmp_path.name + "/film.mp4", "link.yaml", "hard.yaml"):
        with pytest.raises(Stop, match="itself"):
            write_beside(tmp_path / name, "spec", [film])
    assert film.read_bytes() == b"film"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "hard.yaml", "link.yaml"]


def test_a_writer_keeps_links_and_modes_and_sweeps_what_the_dead_left(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "spec.yaml"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o640)
    (tmp_path / "spec.yaml").symlink_to(real)
    left = tmp_path / "real" / f".cinecut-{os.getpid()}-0123abcd.part"
    left.write_text("half", encoding="utf-8")
    write_beside(tmp_path / "spec.yaml", "new")
    assert (tmp_path / "spec.yaml").is_symlink()
    assert real.read_text(encoding="utf-8") == "new"
    assert real.stat().st_mode & 0o777 == 0o640
    assert not left.exists()


def test_a_writer_names_the_target_in_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "folder", tmp_path / "none" / "spec.yaml"):
        with pytest.raises(Stop) as stop:
            write_beside(target, "new")
        assert str(target.parent) in stop.value.diagnostics[0].message
    assert [*tmp_path.rglob("*.part")] == []


def test_what_is_no_file_is_said_at_once(tmp_path: Path) -> None:

    os.mkfifo(tmp_path / "pipe.mp4")
    for reader in READERS.values():
        with pytest.raises(Stop, match="a device or a pipe"):
            reader(tmp_path / "pipe.mp4")


def test_out_of_phase_sound_is_heard(tmp_path: Path) -> None:
    """Right is left turned over: a mix of both to one channel holds nothing."""
    tone(tmp_path / "in.wav", "-af", "pan=stereo|c0=c0|c1=c0")
    tone(tmp_path / "out.wav", "-af", "pan=stereo|c0=c0|c1=-1*c0")
    inside, outside = listen(tmp_path / "in.wav").level, listen(tmp_path / "out.wav").level
    np.testing.assert_allclose(outside, inside, rtol=0.05, atol=1e-4)


@pytest.mark.parametrize("before", ["silence", "dither"])
@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_out_of_phase_sound_is_heard_from_its_first_sample(before: str, rate: int, tmp_path: Path) -> None:
    """After a second of nothing, and wherever a frame of the file begins; one channel stands for both all along."""
    dice = np.random.default_rng(1)
    sound = np.concatenate([np.zeros(rate), dice.uniform(-0.5, 0.5, 2 * rate)])
    noise = dice.uniform(-1e-4, 1e-4, (3 * rate, 2)) * (before == "dither")

    def heard(right: int) -> NDArray[np.float32]:
        soundfile.write(tmp_path / "a.wav", np.stack([sound, right * sound], 1) + noise, rate)
        return np.concatenate(list(mono(counted(song_frames(tmp_path / "a.wav", [])), rate)))

    inside, outside = heard(1), heard(-1)
    assert inside.shape == outside.shape == sound.shape
    assert min(np.abs(outside - sign * inside).max() for sign in (1, -1)) < 1e-3


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1", "7.1", "hexadecagonal"])
@pytest.mark.parametrize("codec", ["aac", "flac", "pcm_s16le"])
def test_any_number_of_channels(tmp_path: Path, layout: str, codec: str) -> None:
    """Each has its own level, and comes out at its place."""
    count = av.AudioLayout(layout).nb_channels
    levels = [(n + 1) / 20 for n in range(count)]
    if count > 8 and codec != "pcm_s16le":
        pytest.skip("these have no more than eight")
    source = ["-f", "lavfi", "-i", "aevalsrc=" + "|".join(map(str, levels)) + f":c={layout}:s=48000:d=1"]
    subprocess.run([FFMPEG, "-v", "error", *source, "-c:a", codec, str(tmp_path / "a.mkv")], check=True)
    with open_media(tmp_path / "a.mkv") as media:
        sounds = [channels_of(frame).astype(float) for frame in media.decode(media.streams.audio[0])]
    found = np.concatenate(sounds, 1)[:, 24000]
    assert found.size == count
    if codec != "aac":  # which orders and filters them
        np.testing.assert_allclose(found / found[-1], np.array(levels) / levels[-1], rtol=0.01)


@pytest.mark.parametrize("reader", ["song", "beats"])
@pytest.mark.parametrize(
    ("rate", "channels"), [(1, 1), (999, 2), (768_001, 1), (2_000_000_000, 1), (48_000, 65), (48_000, 255)]
)
def test_sound_that_cannot_be_meant_so(tmp_path: Path, reader: str, rate: int, channels: int) -> None:
    """A header may say anything: it is one message, whatever the resampler thinks of it."""
    data = bytes(range(256)) * 2 * channels
    shape = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2 % 2**32, channels * 2, 16)
    parts = b"WAVEfmt " + shape + b"data" + struct.pack("<I", len(data)) + data
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(parts)) + parts)
    with pytest.raises(Stop, match=f"has {rate} samples a second in {channels} channels") as stopped:
        READERS[reader](tmp_path / "a.wav")
    assert stopped.value.diagnostics[0].code == "unreadable"


@pytest.mark.parametrize("suffix", [".flv", ".ts"])
def test_a_stream_that_begins_midway_is_none_of_the_films(tmp_path: Path, suffix: str) -> None:
    silent = encode(tmp_path / f"silent{suffix}", scene(1, 250))
    heard = encode(tmp_path / f"heard{suffix}", scene(2, 50), swelling(2))
    head = 13 if suffix == ".flv" else 0  # bytes before the first packet
    (tmp_path / f"film{suffix}").write_bytes(silent.read_bytes() + heard.read_bytes()[head:])
    with open_media(tmp_path / f"film{suffix}") as media:
        packets = list(packets_of(media, media.streams.video[0]))
    assert sum(packet.size > 0 for packet in packets) == 300
    assert film_facts(tmp_path / f"film{suffix}").size == (256, 144)


def test_what_an_mp4_lacks_is_named(tmp_path: Path) -> None:
    whole = tmp_path / "film.mp4"
    source = "-f lavfi -i testsrc2=s=64x36:r=25:d=2 -c:v libx264 -preset ultrafast -g 12"
    for options in (["-movflags", "frag_keyframe+empty_moov+default_base_moof"], []):
        subprocess.run([BUNDLED, "-v", "error", "-y", *source.split(), *options, whole], check=True)
        data = whole.read_bytes()
        if options:  # segments of a stream, with and without its head
            (segments := tmp_path / "segments.m4s").write_bytes(data[data.index(b"moof") - 4 :])
            with pytest.raises(Stop, match=r"a segment of a stream, without the stream's head"):
                film_facts(segments)
            assert film_facts(whole).duration == 2
        else:
            (broken := tmp_path / "broken.mp4").write_bytes(data[: data.index(b"moov") - 4])
            with pytest.raises(Stop, match=r"the part \(moov\) is missing"):
                film_facts(broken)


def test_a_stream_that_lost_its_head_is_no_sound(tmp_path: Path) -> None:
    picture = ["-f", "lavfi", "-i", "testsrc2=s=256x144:d=6", "-c:v", "mpeg4", "-bf", "2"]
    subprocess.run([FFMPEG, "-v", "error", *picture, tmp_path / "whole.m4v"], check=True)
    data = (tmp_path / "whole.m4v").read_bytes()
    (tmp_path / "tail.m4v").write_bytes(data[len(data) * 37 // 100 :])
    with pytest.raises(Stop, match="does not say how large its picture is"):
        film_facts(tmp_path / "tail.m4v")


ZEROS = ["-c:v mpeg2video -f mpegts", "-c:v mpeg4 -f mp4", "-c:v mpeg4 -f matroska", "-c:v mpeg2video -f mpeg"]


@pytest.mark.parametrize("options", ZEROS)
def test_zeros_before_a_film_are_named_with_what_leaves_them_out(options: str, tmp_path: Path) -> None:
    film = tmp_path / "film.mpg"
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1"]
    subprocess.run([BUNDLED, "-v", "error", *source, *options.split(), film], check=True)
    whole = film.read_bytes()
    film.write_bytes(bytes(6_000_000) + whole)
    with pytest.raises(Stop, match="begins with 6000000 zeros") as stop:
        film_facts(film)
    command = stop.value.diagnostics[0].hints[0].partition(": ")[2].replace("FILE", film.name)
    subprocess.run(["sh", "-c", command], check=True, cwd=tmp_path)
    assert (tmp_path / "whole.mpg").read_bytes() == whole


def test_nothing_but_zeros(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(bytes(5000))
    with pytest.raises(Stop, match="nothing but zeros"):
        film_facts(tmp_path / "film.mp4")


@pytest.mark.parametrize("codec", ["png", "mjpeg"])
def test_a_picture_on_the_cover_that_nobody_marked_is_no_film(codec: str, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2", "-f", "lavfi", "-i", "color=red:s=300x400:r=25:d=0.04"]
    maps = ["-map", "1:v", "-map", "0:v", "-c:v:0", codec, "-c:v:1", "mpeg4"]
    subprocess.run([FFMPEG, "-v", "error", *source, *maps, tmp_path / "film.mkv"], check=True)
    facts = film_facts(tmp_path / "film.mkv")
    assert facts.duration == 2
    assert facts.size == (64, 48)


@pytest.mark.parametrize("kind", ["mp4 libx265", "mp4 libsvtav1", "ts libx265"])
@pytest.mark.parametrize(("profile", "like", "read"), [(5, 0, False), (10, 0, False), (8, 1, True), (10, 4, True)])
def test_colours_that_only_dolby_vision_reads(kind: str, profile: int, like: int, read: bool, tmp_path: Path) -> None:
    """The record stands in a box or a packet of its own here, wherever in its header a film has it."""
    suffix, codec = kind.split()
    source = ["-v", "error", "-f", "lavfi", "-i", "color=gray:s=64x64:d=0.2", "-pix_fmt", "yuv420p10le"]
    film = tmp_path / f"film.{suffix}"
    subprocess.run([BUNDLED, *source, "-c:v", codec, film], check=True, capture_output=True)
    record = bytes([1, 0, profile << 1, 5 << 3 | 5, like << 4]) + bytes(19)
    box = (8 + len(record)).to_bytes(4, "big") + b"dvcC" + record
    free = (8 + len(box)).to_bytes(4, "big") + b"free" + box
    packet = (b"\x47\x1f\xff\x10" + b"\5\4DOVI\xb0\5" + record[:5]).ljust(188, b"\xff")
    film.write_bytes(film.read_bytes() + (free if suffix == "mp4" else packet))
    if read:
        assert film_facts(film).pix_fmt == "yuv420p10le"
    else:
        with pytest.raises(Stop, match="Dolby Vision"):
            film_facts(film)
