"""The loudness of a file, measured as recipients do: EBU R 128 by FFmpeg's meter, Leq(m) by our own."""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.machine.child import run_watched

if TYPE_CHECKING:
    from cinecut.media.sound.leq import Samples

_BYTES = 1 << 20
_RATE = 48000
SILENCE = -70.0  # LUFS: the meter's gate


@dataclass(frozen=True, slots=True)
class Level:
    """Integrated loudness in LUFS and true peak in dBTP; if measured, the loudest 3 s and 0.4 s in LUFS, and Leq(m) in
    dB. None: silence, or not measured."""

    loudness: float | None
    peak: float
    short_term: float | None = None
    momentary: float | None = None
    leq_m: float | None = None

    @property
    def lufs(self) -> float:
        """The loudness as a number, also for silence."""
        return SILENCE if self.loudness is None else self.loudness

    def __str__(self) -> str:
        if self.loudness is None:
            return "silence"
        more = f", {self.leq_m:.1f} dB Leq(m)" if self.leq_m is not None else ""
        return f"{self.loudness:.1f} LUFS, {self.peak:.1f} dBTP{more}"


def level_of(file: Path, ffmpeg: FFmpeg, *, leq: int = 0) -> Level:
    """The level of a file's first sound, with Leq(m) of that many channels. Raises Stop if FFmpeg cannot read it."""
    levels = _levels(file, ffmpeg)
    weighted = None
    if leq:
        from cinecut.media.sound.leq import leq_m

        weighted = leq_m(_samples(file, ffmpeg, leq), _RATE)
    return Level(
        loudness=levels.get("I"),
        peak=levels.get("peak", -math.inf),
        short_term=levels.get("S"),
        momentary=levels.get("M"),
        leq_m=round(weighted, 2) if weighted is not None else None,
    )


def _command(file: Path, ffmpeg: FFmpeg, *more: str) -> list[str]:
    return [ffmpeg.path, "-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file,pipe",
            "-i", f"file:{file.absolute()}", "-map", "0:a:0", *more]  # fmt: skip


def _levels(file: Path, ffmpeg: FFmpeg) -> dict[str, float]:
    """Integrated loudness at the end, and the maximum of the values measured ten times a second."""
    meter = "ebur128=peak=true:metadata=1,ametadata=mode=print:file=-"
    done = run_watched([*_command(file, ffmpeg), "-af", meter, "-f", "null", "-"], str(file))
    if done.returncode:
        raise Stop("ffmpeg", f"{file} cannot be measured", *done.stderr.decode(errors="replace").splitlines()[-2:])
    levels: dict[str, float] = {}
    for name, text in re.findall(r"lavfi\.r128\.(I|S|M|true_peak)=(\S+)", done.stdout.decode(errors="replace")):
        value = float(text)
        if name == "I":
            levels["I"] = value
        elif name == "true_peak":
            levels["peak"] = max(levels.get("peak", -math.inf), 20 * math.log10(value) if value > 0 else -math.inf)
        else:
            levels[name] = max(levels.get(name, -math.inf), value)
    return {name: round(value, 2) for name, value in levels.items() if value > SILENCE}


def _samples(file: Path, ffmpeg: FFmpeg, channels: int) -> Iterator[Samples]:
    """The file's sound at 48 kHz, a block at a time."""
    import numpy as np

    command = _command(file, ffmpeg, "-ar", str(_RATE), "-f", "f32le", "-")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        whole = 4 * channels
        while data := run.stdout.read(_BYTES - _BYTES % whole):
            yield np.frombuffer(data[: len(data) - len(data) % whole], np.float32).reshape(-1, channels)
