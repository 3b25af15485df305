"""Media, texts and names as bad as people and strangers make them: a trailer or one message, and no other file read."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut, names, needs_name
from oracle import Film, Sound, read_frames, read_pictures
from rendering import write_spec

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.document.layout import scalar_text
from cinecut.media.link import relink
from cinecut.media.probe import film_facts
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

_FRAMES = 144


@pytest.fixture(scope="session")
def film(films: Callable[[Film], Film]) -> Film:
    return films(Film(Path("a.mkv"), Fraction(24), _FRAMES, (320, 180), gop=24, sound=Sound()))


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory, film: Film, films: Callable[[Film], Film], bundled: Path) -> Path:
    """A folder of good files and of bad ones."""
    place = tmp_path_factory.mktemp("media")
    shutil.copyfile(film.path, place / "film.mkv")
    shutil.copyfile(films(replace(film, path=Path("a.mp4"))).path, place / "film.mp4")

    def make(*arguments: str) -> None:
        subprocess.run([str(bundled), "-v", "error", *arguments], cwd=place, check=True)

    make("-f", "lavfi", "-i", "sine=300:duration=4", "song.mp3")
    make("-f", "lavfi", "-i", "testsrc=size=64x48", "-frames:v", "1", "-c:v", "png", "-f", "image2", "logo.png")
    make("-i", "song.mp3", "-i", "logo.png", "-map", "0", "-map", "1", "-c", "copy", "covered.mp3")
    for name in ("film.mkv", "film.mp4", "song.mp3", "logo.png"):
        data = (place / name).read_bytes()
        (place / f"cut_{name}").write_bytes(data[: len(data) * 6 // 10])
    damaged = bytearray((place / "film.mp4").read_bytes())
    start = len(damaged) * 2 // 10
    damaged[start : start + 8000] = np.random.default_rng(7).bytes(8000)
    (place / "damaged.mp4").write_bytes(damaged)
    (place / "folder.mkv").mkdir()
    (place / "empty.mkv").touch()
    (place / "text.mp4").write_text("a film about a bird\n" * 100, encoding="utf-8")
    (place / "noise.mkv").write_bytes(np.random.default_rng(8).bytes(50_000))
    for name, text in _LISTS.items():
        for suffix in (name, "mkv", "png", "mp3"):
            (place / f"{name}.{suffix}").write_text(text, encoding="utf-8")
    return place


# Texts that make a reader open further files: here one that could be read.
_LISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nfilm.mkv\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile film.mkv\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 33\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><image href="film.mkv"/></svg>\n',
}


def refusal(work: Callable[[], object]) -> str:
    """The one diagnostic that some work ends in: its code and message."""
    with pytest.raises(Stop) as stop:
        work()
    assert len(stop.value.diagnostics) == 1
    found = stop.value.diagnostics[0]
    return f"{found.code}: {found.message}"


class Opened:
    """Whether a file was opened by anybody since this was made (inotify)."""

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "inotify_init1"):
            pytest.skip("opened files are watched through inotify")
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.descriptor, os.fsencode(path), 0x20) > 0  # IN_OPEN

    def __bool__(self) -> bool:
        try:
            return len(os.read(self.descriptor, 4096)) >= struct.calcsize("iIII")
        except BlockingIOError:
            return False


def test_watch_of_opened_files_sees_one(tmp_path: Path) -> None:
    (tmp_path / "canary").touch()
    opened = Opened(tmp_path / "canary")
    assert not opened
    (tmp_path / "canary").read_bytes()
    assert opened


# Codecs


def renamed(source: Path, target: Path, old: bytes, new: bytes) -> Path:
    """A film that names another codec than it has."""
    data = source.read_bytes()
    assert old in data
    target.write_bytes(data.replace(old, new))
    return target


def test_a_picture_that_nobody_can_decode_is_refused(media: Path, tmp_path: Path) -> None:
    film = renamed(media / "film.mkv", tmp_path / "film.mkv", b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ")
    found = refusal(lambda: prepare(write_spec(tmp_path, "shot: 1 - 2", film=str(film))))
    assert found == f"unreadable: the picture of {film} is in a codec that cannot be decoded here"


def test_a_sound_that_nobody_can_decode_is_none(film: Film, bundled: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.mkv"
    streams = ["-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", "-c:a:0", "ac3"]
    subprocess.run([bundled, "-v", "error", "-i", film.path, *streams, mixed], check=True)
    known = film_facts(mixed).audio
    unknown = film_facts(renamed(mixed, tmp_path / "unknown.mkv", b"A_AC3", b"A_XYZ")).audio
    assert len(known) == 2
    assert unknown == known[1:]


def test_a_codec_that_no_reel_has_a_name_for_is_rendered_all_the_same(
    film: Film, bundled: Path, tmp_path: Path
) -> None:
    other = tmp_path / "lossless.mov"
    subprocess.run([bundled, "-v", "error", "-i", film.path, "-c:v", "qtrle", "-c:a", "pcm_s16le", other], check=True)
    write_spec(tmp_path, "shot: 1 - 2", film=str(other))
    done = cinecut("render", "spec.yaml", "-o", "out.mp4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert names(tmp_path) == ["lossless.mov", "out.mp4", "spec.yaml"]
    assert len(read_frames(tmp_path / "out.mp4")) == 24


# Films


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("folder.mkv", r"is a folder"),
        ("empty.mkv", "unreadable: {} is no film that can be read: Invalid data found when processing input"),
        ("text.mp4", "unreadable: {} is no film that can be read: Invalid data found when processing input"),
        ("noise.mkv", "unreadable: {} is no film that can be read: Invalid data found when processing input"),
        ("cut_film.mp4", "unreadable: {} is no film that can be read: the part (moov) is missing"),
        ("song.mp3", "no-video: {} has no picture"),
        ("covered.mp3", "no-video: {} has no picture"),
        ("nowhere.mkv", "missing-file: "),
        ("film.mkv/inside", "missing-file: "),
        ("concat:film.mkv", "missing-file: "),
        ("subfile,,start,0,end,0,,:film.mkv", "missing-file: "),
        ("file:film.mkv", "missing-file: "),
        ("http://127.0.0.1:9/film.mkv", "missing-file: "),
        ("pipe:0", "missing-file: "),
        ("-", "missing-file: "),
        ("~nobody-of-that-name/film.mkv", "missing-file: "),
        ("n" * 300, "missing-file: "),
    ],
)
def test_film_that_is_none(media: Path, name: str, expected: str) -> None:
    spec = write_spec(media, "shot: 0:00 - 0:01", film=name)
    before = spec.read_bytes()
    found = refusal(lambda: prepare(spec))
    assert expected.format(media / name) in found
    with pytest.raises(Stop):
        relink(spec, None)
    assert spec.read_bytes() == before


@pytest.mark.parametrize("kind", _LISTS)
@pytest.mark.parametrize("disguise", ["", "mkv", "png", "mp3"])
def test_lists_of_other_files_are_not_followed(media: Path, kind: str, disguise: str) -> None:
    name = f"{kind}.{disguise or kind}"
    opened = Opened(media / "film.mkv")
    write_spec(media, "shot: 0:00 - 0:01", film=name)
    assert f"unreadable: {media / name} is no film that can be read" in refusal(lambda: prepare(media / "spec.yaml"))
    assert not opened

    write_spec(media, "shot: 0:00 - 0:01", film="film.mp4", head=f"music: {name}")
    assert f"unreadable: {media / name} is no song that can be read" in refusal(lambda: prepare(media / "spec.yaml"))
    write_spec(media, f"{{still: {name}, for: 4f}}", film="film.mp4")
    assert f"{media / name} is no picture that can be read" in refusal(lambda: prepare(media / "spec.yaml"))
    assert not opened


@pytest.mark.parametrize("kind", ["m3u8", "ffconcat"])
def test_ffmpeg_follows_no_list_either(
    media: Path, tmp_path: Path, ffmpeg: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was good when it was measured and checked, and is another when FFmpeg opens it."""
    monkeypatch.setattr("cinecut.media.link.check_facts", lambda file, facts: None)
    for name in ("film.mkv", "logo.png", "song.mp3"):
        shutil.copyfile(media / name, tmp_path / name)
    for name in ("logo.png", "song.mp3"):
        shutil.copyfile(media / name, tmp_path / name)
        spec = write_spec(
            tmp_path, "{still: logo.png, for: 4f}", "shot: 0:00 - 0:01", film="film.mkv", head="music: song.mp3"
        )
        job = prepare(spec)
        (tmp_path / name).write_text(_LISTS[kind].replace("film.mkv", "canary.mkv"), encoding="utf-8")
        # Beside the list, and where FFmpeg runs, by a link of our own name.
        shutil.copyfile(media / "film.mkv", tmp_path / "canary.mkv")
        opened = Opened(tmp_path / "canary.mkv")
        found = refusal(lambda job=job: render(job, tmp_path / "out.mp4", find_ffmpeg(str(ffmpeg)), SILENT))  # type: ignore[misc]
        assert found.startswith("ffmpeg: FFmpeg ended with status ")
        assert not opened
        shutil.copyfile(media / name, tmp_path / name)
    assert not (tmp_path / "out.mp4").exists()


def test_film_cut_short_is_measured_as_it_is(media: Path, ffmpeg: Path) -> None:
    spec = write_spec(media, "shot: 0:00 - 0:01", film="cut_film.mkv")
    job = prepare(spec)
    assert job.spec.main_film.facts is not None
    length = job.spec.main_film.facts.duration
    assert 3 < length < 4
    out = media / f"cut_{ffmpeg.parent.name}.mp4"
    render(job, out, find_ffmpeg(str(ffmpeg)), SILENT)
    assert read_frames(out) == list(range(24))
    write_spec(media, "shot: 0:04 - 0:05", film="cut_film.mkv")
    assert refusal(lambda: prepare(spec)).startswith("past-end: ")


def test_film_cut_short_after_it_was_linked(media: Path, tmp_path: Path) -> None:
    shutil.copyfile(media / "film.mkv", tmp_path / "film.mkv")
    spec = write_spec(tmp_path, "shot: 0:04 - 0:05", film="film.mkv")
    relink(spec, None)
    prepare(spec)
    whole, short = (media / "film.mkv").stat().st_size, (media / "cut_film.mkv").stat().st_size
    shutil.copyfile(media / "cut_film.mkv", tmp_path / "film.mkv")
    done = cinecut("render", spec, cwd=tmp_path)
    assert done.returncode == 1
    assert f"it has {short} bytes, not {whole} [other-file]" in done.stderr
    assert names(tmp_path) == ["film.mkv", "spec.yaml"]

    other = bytearray((media / "film.mkv").read_bytes())
    other[len(other) // 2] ^= 1
    (tmp_path / "film.mkv").write_bytes(other)
    assert "the same size, other content" in refusal(lambda: prepare(spec))


def test_film_damaged_in_the_middle(media: Path, tmp_path: Path, ffmpeg: Path) -> None:
    """It renders, every frame in its place but those that are lost, and it says so."""
    shutil.copyfile(media / "damaged.mp4", tmp_path / "film.mp4")
    spec = write_spec(tmp_path, "shot: 0:00 - 0:06", film="film.mp4")
    done = cinecut("render", spec, "-o", "out.mp4", "--ffmpeg", ffmpeg, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "out.mp4: 144 frames, 6.000 s\n")
    assert done.stderr.startswith("warning: a part of the film that this trailer shows is damaged")
    shown = read_frames(tmp_path / "out.mp4")
    assert len(shown) == _FRAMES
    right = [number for number, seen in enumerate(shown) if number == seen]
    assert _FRAMES // 2 < len(right) < _FRAMES
    assert right[-_FRAMES // 2 :] == list(range(_FRAMES // 2, _FRAMES))


def test_sound_film_makes_no_warning(media: Path, tmp_path: Path, films: Callable[[Film], Film], ffmpeg: Path) -> None:
    """Not even where shots begin in the middle of open GOPs."""
    film = films(Film(Path("a.mkv"), Fraction(24), _FRAMES, gop=24, open_gop=True, bframes=4, sound=Sound()))
    shots = (f"shot: {{in: {frame / 24:.3f}s, for: 12f}}" for frame in range(5, 130, 9))
    spec = write_spec(tmp_path, *shots, film=str(film.path))
    assert render(prepare(spec), tmp_path / "out.mp4", find_ffmpeg(str(ffmpeg)), SILENT).warnings == []


# Sound and stills


@pytest.mark.parametrize(
    ("event", "head", "expected"),
    [
        ("shot: 0:00 - 0:01", "music: nowhere.mp3", "missing-file: "),
        ("shot: 0:00 - 0:01", "music: folder.mkv", "is a folder"),
        ("shot: 0:00 - 0:01", "music: empty.mkv", "is no song that can be read"),
        ("shot: 0:00 - 0:01", "music: text.mp4", "is no song that can be read"),
        ("shot: 0:00 - 0:01", "music: logo.png", "is no song that can be read"),
        ("{still: nowhere.png, for: 4f}", "", "missing-file: "),
        ("{still: folder.mkv, for: 4f}", "", "is a folder"),
        ("{still: empty.mkv, for: 4f}", "", "is no picture that can be read"),
        ("{still: text.mp4, for: 4f}", "", "is no picture that can be read"),
        ("{still: song.mp3, for: 4f}", "", "is no picture that can be read"),
        ("{still: cut_logo.png, for: 4f}", "", "is no picture that can be read"),
        ("{still: logo%d.png, for: 4f}", "", "missing-file: "),
    ],
)
def test_sound_or_still_that_is_none(media: Path, event: str, head: str, expected: str) -> None:
    spec = write_spec(media, event, film="film.mkv", head=head)
    assert expected in refusal(lambda: prepare(spec))


def test_audio_stream_that_the_film_has_not(media: Path) -> None:
    spec = write_spec(media, "shot: 0:00 - 0:01", film="film.mkv")
    spec.write_text(
        spec.read_text(encoding="utf-8").replace("film: film.mkv", "film: {file: film.mkv, audio: 3}"), encoding="utf-8"
    )
    assert refusal(lambda: prepare(spec)) == "no-audio: the film has 1 audio stream; there is no stream 3"


# Names


@pytest.mark.matrix(3)
@pytest.mark.parametrize(
    "name",
    [
        'it\'s "a" b; $(touch pwned) `touch pwned` & [x], 100%d %03d é文😀',
        "-o",
        "new\nline: x #y \\z",
        " a:b|c*?{d} ",
        "concat:film.mkv|film.mkv",
    ],
)
def test_any_name_is_just_a_name(media: Path, tmp_path: Path, name: str) -> None:
    needs_name(name)
    folder = tmp_path / name
    folder.mkdir()
    for source, suffix in (("film.mkv", ".mkv"), ("song.mp3", ".mp3"), ("logo.png", ".png")):
        shutil.copyfile(media / source, folder / f"{name}{suffix}")
    rows = ("shot: 0:00 - 0:01", f"{{still: {scalar_text(name + '.png', flow=True)}, for: 4f}}")
    spec = write_spec(folder, *rows, film="to be named.mkv", head=f"music: {scalar_text(name + '.mp3', flow=True)}")
    spec.rename(folder / f"{name}.yaml")

    linked = cinecut("link", "--", f"{name}.yaml", f"{name}.mkv", cwd=folder)
    assert linked.returncode == 0, linked.stderr
    done = cinecut("render", "-o", f"{name}.mp4", "--", f"{name}.yaml", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{name}.mp4: 28 frames, 1.167 s\n", "")
    assert len(list(read_pictures(folder / f"{name}.mp4"))) == 28
    assert names(folder) == sorted(f"{name}{suffix}" for suffix in (".mkv", ".mp3", ".png", ".yaml", ".mp4"))

    away = cinecut("render", "--json", f"./{name}/{name}.yaml", cwd=tmp_path)
    assert away.returncode == 0, away.stderr
    assert json.loads(away.stdout)["output"] == f"{name}_trailer.mp4"
    assert names(tmp_path) == sorted([name, f"{name}_trailer.mp4"])


def test_name_that_is_no_unicode(media: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    try:
        (tmp_path / name).mkdir()
    except OSError:
        pytest.skip("this disk takes only Unicode names")
    spec = write_spec(tmp_path / name, "shot: 0:00 - 0:01", film=str(media / "film.mkv"))
    done = cinecut("render", spec, "-o", f"{name}.mp4", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "caf\\udce9.mp4: 24 frames, 1.000 s\n"
    assert len(read_frames(tmp_path / f"{name}.mp4")) == 24
    spec.write_text("cinecut: 1\nfilm: nowhere.mkv\ntimeline: [shot: 0:00 - 0:01]\n", encoding="utf-8")
    done = cinecut("check", spec, "--format", "json", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["diagnostics"][0]["code"] == "missing-file"
    assert "Traceback" not in done.stderr
