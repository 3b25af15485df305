"""The small files that cases start from, made once by the bundled FFmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=8")
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=300:duration=8:sample_rate=44100")
_BEATS = ("-f", "lavfi", "-i", "aevalsrc='0.6*sin(2*PI*90*t)*exp(-18*mod(t,0.5))':duration=12:sample_rate=22050")
_FAST = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25")
FILMS: dict[str, tuple[str, ...]] = {
    "film.mp4": (*_FAST, "-c:a", "aac"),
    "film.mkv": (*_FAST, "-c:a", "flac"),
    "film.ts": (*_FAST, "-c:a", "aac"),
    "film.avi": ("-c:v", "mpeg4", "-c:a", "mp3"),
    "film.mpg": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "film.mov": ("-c:v", "prores_ks", "-c:a", "pcm_s16le"),
    "film.webm": ("-c:v", "libvpx", "-c:a", "libvorbis"),
    "film.ogv": ("-c:v", "libtheora", "-c:a", "libvorbis"),
    "film.flv": ("-c:v", "flv", "-c:a", "mp3", "-ar", "44100"),
    "film.nut": ("-c:v", "ffv1", "-c:a", "pcm_s16le"),
    "film.mxf": ("-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"),
}
SONGS: dict[str, tuple[str, ...]] = {
    "song.wav": (),
    "song.ogg": ("-c:a", "libvorbis"),
    "song.mp3": ("-c:a", "libmp3lame"),
    "song.flac": (),
    "song.m4a": ("-c:a", "aac"),
}
SUBTITLES = """1
00:00:00,500 --> 00:00:02,000
ANNA: Where were you last night?

2
00:00:02,200 --> 00:00:04,000
- Nowhere.
- <i>Do not lie to me!</i>

3
00:00:05,000 --> 00:00:07,500
I will never forgive you.
"""
CUBE = "TITLE x\nLUT_3D_SIZE 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n"
VIBE = "vibe: 1\nbase: thriller\ngrade: {saturation: 0.6}\n"


def make_media(folder: Path) -> None:
    """Write every film, song and picture into a folder that keeps what is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, arguments in FILMS.items():
        _encode(folder / name, (*_PICTURE, *_SOUND), arguments)
    for name, arguments in SONGS.items():
        _encode(folder / name, _BEATS, arguments)
    _encode(folder / "logo.png", ("-f", "lavfi", "-i", "color=red:size=64x32"), ("-frames:v", "1"))
    for name, text in (("subs.srt", SUBTITLES), ("look.cube", CUBE), ("vibe.yaml", VIBE)):
        (folder / name).write_text(text, encoding="utf-8")


def _encode(path: Path, inputs: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    if not path.exists():
        part = path.with_name("making-" + path.name)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *inputs, *arguments, str(part)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        part.replace(path)
