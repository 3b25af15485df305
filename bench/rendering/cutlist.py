"""The cut list that everybody renders: for cinecut as a spec, and as the FFmpeg graph that a person would write for it.

45 shots of 24, 36, 48 or 60 frames at random places of the film, 1752 frames together, straight cuts, no music.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from bench.film import FFMPEG, Film
from bench.measure import Command, run
from cinecut.language.timebase import nearest, seconds_text, timecode

LENGTHS = (24, 36, 48, 60)
SHOTS = 45
FRAMES = 1752
SAMPLE_RATE = 48_000
SEED = 45
CINECUT = str(Path(sys.executable).with_name("cinecut"))
COLD = {"CINECUT_FFMPEG": FFMPEG, "CINECUT_STORE_GB": "0"}  # for a render that finds nothing of earlier ones


@dataclass(frozen=True, slots=True)
class Shot:
    """`frames` frames of the film from its frame `start` on."""

    start: int
    frames: int


def cut_list(film: Film) -> list[Shot]:
    """The same list for the same film, always."""
    dice = random.Random(SEED)
    lengths = [0]
    while sum(lengths) != FRAMES:
        lengths = dice.choices(LENGTHS, k=SHOTS)
    return [Shot(dice.randrange(1, film.frames - max(LENGTHS) - 1), length) for length in lengths]


DRESSED = ("vibe: thriller", "music: {file: song.wav, beats: {tempo: 120, first: 0}}")
"""A grade, effects at the cuts and a song that ducks, brought to a loudness."""
_SONG = "aevalsrc=0.7*exp(-12*mod(t\\,0.5))*sin(2*PI*60*t)+0.1*sin(2*PI*220*t):s=44100:d=120:c=stereo"


def write_song(folder: Path) -> None:
    """The song of DRESSED."""
    argv = (FFMPEG, "-v", "error", "-y", "-f", "lavfi", "-i", _SONG, str(folder / "song.wav"))
    subprocess.run(argv, check=True)


def write_spec(film: Film, shots: Sequence[Shot], path: Path, head: Sequence[str] = ()) -> Path:
    """The cut list as a cinecut spec, with the rows `head`; in points are timecode, which counts the film's frames
    exactly."""
    lines = [
        "cinecut: 1",
        f'film: "{film.path}"',
        "output: {crf: 18, preset: veryfast, audio_bitrate: 192k}",
        *head,
        "timeline:",
        *(f'  - shot: {{in: "{timecode(shot.start / film.rate, film.rate)}", for: {shot.frames}f}}' for shot in shots),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def cinecut_render(film: Film, shots: Sequence[Shot], output: Path) -> Command:
    """`cinecut render` of the cut list; the film's facts are measured into the spec beforehand, once."""
    spec = write_spec(film, shots, output.with_suffix(".yaml"))
    run(Command((CINECUT, "link", str(spec))))
    return Command((CINECUT, "render", str(spec), "-o", str(output)), output, COLD)


def hand_graph(film: Film, shots: Sequence[Shot], output: Path) -> Command:
    """One FFmpeg process, one seek for each shot.

    Each seek aims half a frame early, so that no rounding loses the first frame; that half frame is dropped from the
    sound again. Joins fall on whole samples of the whole timeline. One thread for each decoder and for the filters is
    the quicker and smaller way on every machine tried: 45 decoders of many threads each are in each other's way.
    """
    inputs: list[str] = []
    branches: list[str] = []
    half = nearest(Fraction(SAMPLE_RATE, 2) / film.rate)
    position = 0
    for i, shot in enumerate(shots):
        early = (shot.start - Fraction(1, 2)) / film.rate
        long = (shot.frames + 1) / film.rate
        inputs += ["-threads", "1", "-ss", seconds_text(early), "-t", seconds_text(long), "-i", str(film.path)]
        first, last = (nearest(frame * SAMPLE_RATE / film.rate) for frame in (position, position + shot.frames))
        position += shot.frames
        branches += [
            f"[{i}:v]trim=end_frame={shot.frames},setpts=N/({film.rate})/TB[v{i}]",
            f"[{i}:a]aresample={SAMPLE_RATE},aformat=channel_layouts=stereo,apad,"
            f"atrim=start_sample={half}:end_sample={half + last - first},asetpts=N/SR/TB[a{i}]",
        ]
    pads = "".join(f"[v{i}][a{i}]" for i in range(len(shots)))
    graph = ";\n".join([*branches, f"{pads}concat=n={len(shots)}:v=1:a=1[v][a]"])
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p", "-r", str(film.rate)]
    sound = ["-c:a", "aac", "-b:a", "192k"]
    argv = [FFMPEG, "-nostdin", "-v", "error", "-y", *inputs, "-filter_complex_threads", "1", "-filter_complex", graph]
    return Command((*argv, "-map", "[v]", "-map", "[a]", *encode, *sound, str(output)), output)
