"""`python -m bench.rivals.ancestor TASK.json`: a trailer by the way of the tool before, one FFmpeg after another.

    each shot ─ seek, lut3d, x264, AAC ─► clip ┐
    two sweeps ─ aevalsrc ─► wav               ├─ concat ─► film ─ loudnorm, two passes ─► stem ┐
    effects: a delay and an amix over all cuts ─ wav ─────── loudnorm, two passes ─► stem       ├─ amix ─► trailer
    music, the whole song ───────────────────────────────── loudnorm, two passes ─► stem       ┘

Settings are those of that tool: FFmpeg's own number of threads, 8-bit `lut3d`, shots under three seconds without a
loudness pass of their own, sound encoded three times. There is no voice here, so its stem is a tenth of a second of
silence, which is also the key that the music ducks under.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.film import FFMPEG, Film
from bench.measure import Command
from bench.rendering.cutlist import Shot

_SWEEP = "aevalsrc=0.6*exp(-3*t)*sin(2*PI*(3000-3375*t)*t):s=48000:d=0.4:c=stereo"
_EARLY = 0.1  # seconds that a sweep begins before its cut
_LOUDNORM = "loudnorm=I=-16:LRA=7:tp=-2"
_MEASURED = {"measured_I": "input_i", "measured_LRA": "input_lra", "measured_tp": "input_tp"}
_MEASURED |= {"measured_thresh": "input_thresh", "offset": "target_offset"}
_AAC = ("-c:a", "aac", "-ar", "48000", "-ac", "2")
_STEM = "aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo"
_DUCK = "sidechaincompress=threshold=0.025:ratio=6:attack=100:release=600:makeup=1"


def ancestor(film: Film, shots: Sequence[Shot], lut: Path, song: Path, output: Path) -> Command:
    """The cut list graded by a .cube file, over a song, with a sweep at every cut."""
    seconds = [(float(shot.start / film.rate), float(shot.frames / film.rate)) for shot in shots]
    task = {"film": str(film.path), "shots": seconds, "lut": str(lut), "song": str(song), "output": str(output)}
    path = output.with_suffix(".json")
    path.write_text(json.dumps(task))
    return Command((sys.executable, "-m", "bench.rivals.ancestor", str(path)), output)


def main(task: Path) -> None:
    words = json.loads(task.read_text(encoding="utf-8"))
    output = Path(words["output"])
    folder = output.with_suffix(".clips")
    folder.mkdir(exist_ok=True)
    shots = words["shots"]
    clips = [_clip(words, index, shot, folder) for index, shot in enumerate(shots)]
    joined, effects, silence = folder / "joined.mp4", folder / "effects.wav", folder / "voice.m4a"
    playlist = folder / "clips.txt"
    playlist.write_text("".join(f"file '{clip.name}'\n" for clip in clips))
    _ffmpeg("-f", "concat", "-safe", "0", "-i", str(playlist), "-c", "copy", str(joined))
    _lay_effects([length for _, length in shots], folder, effects)
    _ffmpeg("-i", str(joined), "-vn", *_AAC, str(folder / "film.m4a"))
    film = _level(folder / "film.m4a", folder / "film_level.m4a")
    sweeps = _level(effects, folder / "effects_level.m4a")
    song = _level(Path(words["song"]), folder / "song_level.m4a")
    _ffmpeg("-f", "lavfi", "-i", "aevalsrc=0:s=48000:d=0.1:c=stereo", *_AAC, str(silence))
    picture = folder / "picture.mp4"
    _ffmpeg("-i", str(joined), "-an", "-c:v", "copy", str(picture))
    _mix(picture, [film, song, sweeps, silence], output)


def _clip(words: dict[str, str], index: int, shot: tuple[float, float], folder: Path) -> Path:
    clip = folder / f"clip_{index:04d}.mp4"
    picture = ("-vf", f"lut3d=file={words['lut']}", "-c:v", "libx264", "-crf", "18", "-preset", "veryfast")
    sound = ("-af", "volume=0dB", "-c:a", "aac", "-ar", "48000", "-avoid_negative_ts", "make_zero")
    _ffmpeg("-ss", str(shot[0]), "-i", words["film"], "-t", str(shot[1]), *picture, *sound, str(clip))
    return clip


def _lay_effects(lengths: Sequence[float], folder: Path, output: Path) -> None:
    """A sweep a little before every cut but the first."""
    sweep = folder / "sweep.wav"
    _ffmpeg("-f", "lavfi", "-i", _SWEEP, "-c:a", "pcm_s16le", str(sweep))
    cuts = [sum(lengths[: index + 1]) for index in range(len(lengths) - 1)]
    inputs = [word for _ in cuts for word in ("-i", str(sweep))]
    delays = [round(1000 * max(0.0, cut - _EARLY)) for cut in cuts]
    graph = [f"[{index}:a]adelay={delay}|{delay}[e{index}]" for index, delay in enumerate(delays)]
    pads = "".join(f"[e{index}]" for index in range(len(cuts)))
    graph.append(f"{pads}amix=inputs={len(cuts)}:normalize=0[all]")
    _ffmpeg(*inputs, "-filter_complex", ";".join(graph), "-map", "[all]", "-c:a", "pcm_s16le", str(output))


def _level(sound: Path, output: Path) -> Path:
    said = _ffmpeg("-i", str(sound), "-vn", "-af", f"{_LOUDNORM}:print_format=json", "-f", "null", "-")
    found = re.search(r"\{[^}]+\}", said)
    assert found is not None, said
    stats = json.loads(found.group())
    measured = "".join(f":{option}={stats[key]}" for option, key in _MEASURED.items())
    _ffmpeg("-i", str(sound), "-vn", "-af", f"{_LOUDNORM}{measured}:linear=true", *_AAC, str(output))
    return output


def _mix(picture: Path, stems: Sequence[Path], output: Path) -> None:
    graph = [f"[{index}:a]{_STEM}[s{index}]" for index in range(1, len(stems) + 1)]
    graph += ["[s4]asplit=2[voice][key]", f"[s2][key]{_DUCK}[music]"]
    graph.append("[s1][music][s3][voice]amix=inputs=4:normalize=0:weights='1.0 0.7 0.8 1.0'[mix]")
    inputs = [word for stem in stems for word in ("-i", str(stem))]
    maps = ("-map", "0:v", "-map", "[mix]", "-c:v", "copy", *_AAC)
    _ffmpeg("-i", str(picture), *inputs, "-filter_complex", ";".join(graph), *maps, str(output))


def _ffmpeg(*arguments: str) -> str:
    """Run FFmpeg; returns what it said."""
    done = subprocess.run([FFMPEG, "-nostdin", "-y", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-600:])
    return done.stderr


if __name__ == "__main__":
    main(Path(sys.argv[1]))
