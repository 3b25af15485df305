"""Measuring a finished file: its picture by its packets, its sound by FFmpeg's EBU R 128 meter and our own Leq(m)."""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from cinecut.delivery.leq import Samples, leq_m
from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.media.open import open_media
from cinecut.media.probe import film_facts

_BYTES = 1 << 20
_SILENCE = -70.0  # LUFS: the meter's gate


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished file. Levels are None where it has no sound, or is silent."""

    rate: Fraction
    size: tuple[int, int]
    codec: str
    seconds: float
    sample_rate: int | None
    channels: int | None
    loudness: float | None
    peak: float | None
    short_term: float | None
    momentary: float | None
    leq_m: float | None


def measure(file: Path, ffmpeg: FFmpeg, *, leq: bool = True) -> Measured:
    """Raises Stop where it is no film, or FFmpeg cannot read it."""
    facts = film_facts(file)
    with open_media(file) as media:
        codec = media.streams.video[0].codec_context.codec.name
    audio = facts.audio[0] if facts.audio else None
    levels = _levels(file, ffmpeg) if audio is not None else {}
    weighted = leq_m(_samples(file, ffmpeg, audio.channels), 48000) if audio is not None and leq else None
    return Measured(
        rate=facts.rate,
        size=facts.display_size,
        codec=codec,
        seconds=float(facts.duration),
        sample_rate=audio.rate if audio else None,
        channels=audio.channels if audio else None,
        loudness=levels.get("I"),
        peak=levels.get("peak"),
        short_term=levels.get("S"),
        momentary=levels.get("M"),
        leq_m=round(weighted, 2) if weighted is not None else None,
    )


def _command(file: Path, ffmpeg: FFmpeg, *more: str) -> list[str]:
    return [ffmpeg.path, "-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file,pipe",
            "-i", f"file:{file.absolute()}", "-map", "0:a:0", *more]  # fmt: skip


def _levels(file: Path, ffmpeg: FFmpeg) -> dict[str, float]:
    """Integrated loudness at the end, and the highest of what is measured ten times a second."""
    meter = "ebur128=peak=true:metadata=1,ametadata=mode=print:file=-"
    done = subprocess.run(
        [*_command(file, ffmpeg), "-af", meter, "-f", "null", "-"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Stop("ffmpeg", f"{file} cannot be measured", *done.stderr.decode(errors="replace").splitlines()[-2:])
    found: dict[str, float] = {}
    for name, text in re.findall(r"lavfi\.r128\.(I|S|M|true_peak)=(\S+)", done.stdout.decode(errors="replace")):
        value = float(text)
        if name == "I":
            found["I"] = value
        elif name == "true_peak":
            found["peak"] = max(found.get("peak", -math.inf), 20 * math.log10(value) if value > 0 else -math.inf)
        else:
            found[name] = max(found.get(name, -math.inf), value)
    return {name: round(value, 2) for name, value in found.items() if value > _SILENCE}


def _samples(file: Path, ffmpeg: FFmpeg, channels: int) -> Iterator[Samples]:
    """The file's sound at 48 kHz, a block at a time."""
    command = _command(file, ffmpeg, "-ar", "48000", "-f", "f32le", "-")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        whole = 4 * channels
        while data := run.stdout.read(_BYTES - _BYTES % whole):
            yield np.frombuffer(data[: len(data) - len(data) % whole], np.float32).reshape(-1, channels)
