"""Whole films for `analyze`: known cuts, sound that swells towards the climax, a spoken line here and there; songs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import soundfile
from numpy.typing import NDArray

from cinecut.analysis.dialogue.lines import Dialogue, Hearing, read_dialogue
from cinecut.analysis.dialogue.timing import Timing
from cinecut.analysis.dialogue.voice_activity import Voices, find_voices
from cinecut.analysis.episodes import Episode, Watched
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.screen import NO_BARS
from cinecut.analysis.story.scenes import NOTHING
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.language.facts import FilmFacts
from cinecut.media.probe import film_facts

Frames = NDArray[np.uint8]  # [n, height, width, 3], RGB

WIDTH, HEIGHT = 256, 144
RATE = Fraction(25)
X264 = "-c:v libx264 -preset superfast -pix_fmt yuv420p"
KEPT: Path | None = None  # where films lie that were made for other tests and workers of the session
_SOUND_RATE = 16_000
_HEAD, _TAIL = 25, 50  # black frames before and after

LINES = (
    "You have no idea what is coming for us.",
    "They took everything we had.",
    "I will find him, whatever it costs.",
    "Nobody leaves this valley alive!",
    "I love you. I always have.",
    "What did you do?",
    "This is where it ends.",
    "Run!",
    "There is no going back now.",
    "Then we fight together.",
    "It was never about the money.",
    "Tell her I kept my promise.",
)


@dataclass(frozen=True)
class Footage:
    """A film with what is known of it: the first frames of its shots, the end of the last one, and its lines."""

    path: Path
    edges: tuple[int, ...]  # frames: k-th shot from edges[k] to edges[k + 1]; black outside
    lines: tuple[tuple[float, float, str], ...] = ()  # seconds from, to, text
    rate: Fraction = RATE

    def holds(self, start: Fraction, end: Fraction) -> bool:
        """Whether a stretch in seconds lies inside one shot."""
        return any(a <= start * self.rate and end * self.rate <= b for a, b in pairwise(self.edges))


def make_film(path: Path, count: int = 24, options: str = X264, bars: int = 0, spoken: bool = True) -> Footage:
    """A film of `count` shots of 1 to 4 seconds between black, with sound, and subtitles beside it if `spoken`.

    A trailer of half its length is quickly cut; one that is hardly shorter than the film takes ten times the work.
    """
    dice = np.random.default_rng(count)
    lengths = dice.integers(25, 100, count).tolist()
    edges = (_HEAD + np.cumsum([0, *lengths])).tolist()
    lines = _lines(edges) if spoken else ()
    if lines:
        path.with_suffix(".srt").write_text(srt(lines), encoding="utf-8")
    if KEPT is None:
        _encode_shots(path, edges, options, bars)
    else:
        KEPT.mkdir(exist_ok=True)
        recipe = hashlib.sha256(repr((count, options, bars)).encode()).hexdigest()[:16]
        kept = KEPT / f"{recipe}{path.suffix}"
        if not kept.exists():
            made = KEPT / f"{os.getpid()}-{kept.name}"
            _encode_shots(made, edges, options, bars)
            made.replace(kept)  # whole at once: another worker may be looking
        shutil.copyfile(kept, path)
    return Footage(path, tuple(edges), lines)


def _encode_shots(path: Path, edges: list[int], options: str, bars: int) -> None:
    frames = np.zeros((edges[-1] + _TAIL, HEIGHT, WIDTH, 3), np.uint8)
    for seed, (start, end) in enumerate(pairwise(edges)):
        frames[start:end] = scene(seed, end - start, speed=0.2 + seed % 5)
    if bars:
        frames[:, :bars] = frames[:, -bars:] = 0
    encode(path, frames, swelling(len(frames) / float(RATE)), options)


def scene(seed: int, length: int, speed: float = 1.0) -> Frames:
    """A window that pans to and fro over a picture of soft random shapes in colours of its own."""
    dice = np.random.default_rng(seed)
    tint = dice.integers(30, 226, 3)
    coarse = np.clip(tint + dice.normal(0, 55, (5, 16, 3)), 0, 255).astype(np.uint8)
    wide = cv2.resize(coarse, (WIDTH * 2, HEIGHT), interpolation=cv2.INTER_CUBIC)
    to_and_fro = np.abs((np.arange(length) * speed + WIDTH) % (2 * WIDTH) - WIDTH)
    return np.stack([wide[:, int(x) : int(x) + WIDTH] for x in to_and_fro])


def swelling(seconds: float) -> NDArray[np.float32]:
    """Noise that gets louder up to nine tenths of the film, and fades after that."""
    t = np.arange(int(seconds * _SOUND_RATE)) / _SOUND_RATE / seconds
    loud = np.interp(t, [0, 0.5, 0.6, 0.9, 1], [0.01, 0.03, 0.1, 0.5, 0.01])
    return (loud * np.random.default_rng(0).uniform(-1, 1, t.size)).astype(np.float32)


def encode(path: Path, frames: Frames, sound: NDArray[np.float32] | None = None, options: str = X264) -> Path:
    """A film of RGB frames, with sound [shape=(samples,)] or without."""
    height, width = frames.shape[1:3]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", str(RATE), "-i", "-"]
    if sound is not None:
        wav = path.with_suffix(".sound.wav")
        soundfile.write(wav, sound, _SOUND_RATE)
        command += ["-i", str(wav), "-c:a", "aac"]
    subprocess.run([*command, *options.split(), f"file:{path}"], input=np.ascontiguousarray(frames).data, check=True)
    path.with_suffix(".sound.wav").unlink(missing_ok=True)
    return path


def _lines(edges: list[int]) -> tuple[tuple[float, float, str], ...]:
    """Each line in the middle of a shot that is long enough for it, every few shots."""
    roomy = [(a, b) for a, b in pairwise(edges) if b - a >= 60]
    chosen = roomy[:: max(1, len(roomy) // len(LINES))][: len(LINES)]
    return tuple(
        ((a + b) / 2 / 25 - 0.8, (a + b) / 2 / 25 + 0.8, text) for (a, b), text in zip(chosen, LINES, strict=False)
    )


def srt(lines: tuple[tuple[float, float, str], ...]) -> str:
    """SubRip text of (seconds from, seconds to, text)."""
    return "\n".join(f"{n}\n{_stamp(a)} --> {_stamp(b)}\n{text}\n" for n, (a, b, text) in enumerate(lines, 1))


def _stamp(seconds: float) -> str:
    sign, millis = "-" if seconds < 0 else "", abs(round(seconds * 1000))
    return f"{sign}{millis // 3600000:02d}:{millis // 60000 % 60:02d}:{millis // 1000 % 60:02d},{millis % 1000:03d}"


def song(path: Path, beats: NDArray[np.float64], metre: int = 4) -> Path:
    """Drums on every beat (seconds), a kick and a low chord on the first of each bar, hats in eighths."""
    rate, dice = 22_050, np.random.default_rng(1)
    t = np.arange(rate // 4) / rate
    kick = np.sin(2 * np.pi * (50 * t + 1 - np.exp(-t * 40))) * np.exp(-t * 18)
    snare = 0.5 * dice.standard_normal(t.size) * np.exp(-t * 22)
    hat = 0.15 * np.diff(dice.standard_normal(t.size + 1)) * np.exp(-t * 70)
    sound = np.zeros(int((beats[-1] + 3) * rate))
    for index, (beat, end) in enumerate(pairwise(beats)):
        accent = index % metre == 0
        for seconds, drum in ((beat, kick if accent else snare), (beat, hat), ((beat + end) / 2, hat)):
            sound[round(seconds * rate) :][: t.size] += drum
        if accent:
            held = np.arange(int(metre * (end - beat) * rate)) / rate
            root = (110.0, 87.31, 130.81, 98.0)[index // metre % 4]
            chord = np.sum([np.sin(2 * np.pi * root * ratio * held) for ratio in (1, 2, 2.52, 3)], axis=0)
            bar = sound[round(beat * rate) :][: held.size]
            bar += 0.06 * chord[: bar.size] * np.minimum(1, 50 * held[: bar.size])
    soundfile.write(path, 0.6 * sound[: int((beats[-1] + 1) * rate)], rate)
    return path


def unseen(film: Path, facts: FilmFacts) -> Watched:
    """A film of which nothing was measured."""
    quiet = LoudnessCurve(np.zeros(0, np.float32))
    return Watched((Episode(film, facts, NO_BARS, (1, "")),), Dialogue(), (), quiet, quiet, {}, {}, NOTHING, {}, ())


def dialogue_in(
    film: Path, duration: Fraction, start: Fraction, subtitles: Path | None, language: str | None
) -> tuple[Dialogue, list[Diagnostic]]:
    """The dialogue of a film whose sound is heard first; where it cannot be opened, of the files beside it."""
    try:
        hearing = Hearing(find_voices(film, film_facts(film), 0, lambda done: None))
    except Stop:
        hearing = Hearing(Voices((), (), np.zeros(0, np.bool_)), Timing())
    return read_dialogue(film, duration, start, subtitles, language, hearing)
