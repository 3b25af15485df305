"""Films full of speech, by recipe: pieces of a film in another order, mirrored, with sentences spoken over them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from bench.figures import NotMeasuredError
from bench.film import FFMPEG
from tools.spoken import RATE, Floats, has_espeak, say

_SENTENCES = (
    "Nobody told me what was waiting in that forest.",
    "I came here to find my brother.",
    "You should have stayed at home.",
    "They took everything that we had.",
    "What are you looking for?",
    "There is something in the dark, and it knows my name.",
    "I will never leave you.",
    "Then we fight together.",
    "It was the best summer of our lives, and we did not even know it yet.",
    "Run! Run as fast as you can!",
    "My father built this house with his own hands.",
    "If we go back now, all of it was for nothing.",
    "Have you ever been in love?",
    "The river took the bridge, the road, and half of the town.",
    "This is where it ends.",
    "Please, do not open that door.",
)
_VOICES = ("en-us", "en-gb", "en-gb-scotland")
_PAUSE = (0.4, 3.5)  # seconds between two sentences


def talkie(path: Path, pieces: Sequence[tuple[Path, float, float]], seed: int, subtitled: bool) -> Path:
    """Write a film of (film, start, seconds) in this order, spoken over most of the time; kept if it is there already.
    Raises NotMeasuredError without espeak-ng."""
    if not has_espeak():
        raise NotMeasuredError("espeak-ng is not installed")
    subtitles = path.with_suffix(".srt")
    if path.exists() and subtitles.exists() == subtitled:
        return path
    seconds = sum(length for _, _, length in pieces)
    voice, lines = _speech(seconds, seed)
    sound = path.with_suffix(".wav")
    soundfile.write(sound, voice, RATE)
    inputs = [part for film, at, length in pieces for part in ("-ss", str(at), "-t", str(length), "-i", str(film))]
    count = len(pieces)
    scaled = "".join(
        f"[{n}:v:0]hflip,scale=640:360:force_original_aspect_ratio=increase,crop=640:360,fps=24,setsar=1,format=yuv420p[v{n}];"
        f"[{n}:a:0]aresample=44100,aformat=channel_layouts=stereo[a{n}];"
        for n in range(count)
    )
    joined = "".join(f"[v{n}][a{n}]" for n in range(count)) + f"concat=n={count}:v=1:a=1[v][bed];"
    mixed = (
        f"[bed]volume=0.4[low];[{count}:a]aresample=44100[said];[low][said]amix=inputs=2:normalize=0:duration=first[a]"
    )
    argv = [FFMPEG, "-nostdin", "-v", "error", "-y", *inputs, "-i", str(sound)]
    argv += ["-filter_complex", scaled + joined + mixed, "-map", "[v]", "-map", "[a]", "-c:v", "libx264"]
    argv += ["-preset", "veryfast", "-c:a", "aac", str(path)]
    subprocess.run(argv, check=True)
    sound.unlink()
    if subtitled:
        subtitles.write_text("\n".join(lines), encoding="utf-8")
    return path


def _speech(seconds: float, seed: int) -> tuple[Floats, list[str]]:
    """Sentences with pauses [shape=(samples,)], and the rows of their subtitles."""
    dice = np.random.default_rng(seed)
    sound, lines, at = np.zeros(round(seconds * RATE), np.float32), [], 1.0
    for number in range(1000):
        words = _SENTENCES[int(dice.integers(len(_SENTENCES)))]
        said = say(words, _VOICES[number % len(_VOICES)]).sound
        first = round(at * RATE)
        if first + len(said) > len(sound):
            break
        sound[first : first + len(said)] = said
        end = at + len(said) / RATE
        lines.append(f"{number + 1}\n{_stamp(at)} --> {_stamp(end)}\n{words}\n")
        at = end + float(dice.uniform(*_PAUSE))
    return sound, lines


def _stamp(seconds: float) -> str:
    millis = round(seconds * 1000)
    return f"{millis // 3600000:02d}:{millis // 60000 % 60:02d}:{millis // 1000 % 60:02d},{millis % 1000:03d}"
