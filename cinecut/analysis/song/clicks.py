"""A song with clicks on its beats, to audition a beat grid by ear: high on downbeats, low on the other beats."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from cinecut.analysis.song.beats import Beats
from cinecut.diagnostics import Stop
from cinecut.files import beside, disk_errors
from cinecut.media.sound.samples import song_frames

_LENGTH = Fraction(3, 100)  # seconds of a click
_SONG_GAIN = 0.6  # leaves room for the clicks
_FORMATS = {".wav": "WAV", ".flac": "FLAC"}


def write_clicks(song: Path, beats: Beats, out: Path) -> None:
    """Write the song with its clicks to `out` (.wav or .flac), which exists only once it is complete.

    Raises Stop: missing-file, unreadable, no-audio (the song); output (another suffix, or it cannot be written).
    """
    if out.suffix.lower() not in _FORMATS:
        raise Stop("output", f"{out}: clicks are written as .wav or .flac", f"try {out.with_suffix('.wav').name}")
    with disk_errors(out), beside(out, [song]) as part, _Sink(part, "w+") as file:
        try:
            _write(song, beats, file, _FORMATS[out.suffix.lower()])
        except soundfile.SoundFileError as error:
            raise Stop("output", f"{out} cannot be written: {error}", "try the other of .wav and .flac") from None
        if file.failed is not None:
            raise file.failed


class _Sink(io.FileIO):
    """A file that keeps its disk's first error, which libsndfile does not pass on, and takes the rest for written."""

    failed: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            if self.failed is None and super().write(data) < len(data):
                super().write(data[-1:])  # a disk that has room for a part says why only when it is asked again
        except OSError as error:
            self.failed = error
        return len(data)


def _write(song: Path, beats: Beats, file: _Sink, kind: str) -> None:
    """Write frame by frame, so that a song of any length fits into memory."""
    sink: soundfile.SoundFile | None = None
    as_floats: av.AudioResampler | None = None
    plan: list[tuple[int, NDArray[np.float32]]] = []
    position, rate, channels = 0, 0, 0
    try:
        for frame in song_frames(song, []):
            if sink is None:
                rate, channels = frame.sample_rate, frame.layout.nb_channels
                sink = soundfile.SoundFile(file, "w", rate, channels, subtype="PCM_16", format=kind)
                as_floats = av.AudioResampler("flt", frame.layout, rate)
                plan = _plan(beats, rate)
            assert as_floats is not None
            if (frame.sample_rate, frame.layout.nb_channels) != (rate, channels):
                break  # a chained stream in another format: the beat grid ends here too
            if file.failed is not None:
                break
            frame.pts = None
            for floats in as_floats.resample(frame):
                sound = _SONG_GAIN * np.nan_to_num(floats.to_ndarray().astype(np.float32)).reshape(-1, channels)
                plan = _mix(sound, position, plan)
                sink.write(np.clip(sound, -1.0, 1.0))
                position += len(sound)
    finally:
        if sink is not None:
            sink.close()


def _plan(beats: Beats, rate: int) -> list[tuple[int, NDArray[np.float32]]]:
    """The first sample and the sound of every click."""
    down, other = _click(1760.0, 0.4, rate), _click(880.0, 0.3, rate)
    downbeats = set(beats.downbeats)
    return [(round(time * rate), down if time in downbeats else other) for time in beats.times]


def _click(hertz: float, gain: float, rate: int) -> NDArray[np.float32]:
    moments = np.arange(int(_LENGTH * rate)) / rate
    return np.asarray(gain * np.cos(2 * np.pi * hertz * moments) * np.exp(-moments * 150), np.float32)


def _mix(
    sound: NDArray[np.float32], position: int, plan: list[tuple[int, NDArray[np.float32]]]
) -> list[tuple[int, NDArray[np.float32]]]:
    """Add the clicks to `sound` [samples, channels], which begins at `position`; returns the unfinished ones."""
    end = position + len(sound)
    for start, click in plan:
        if start >= end:
            break
        left, right = max(start, position), min(start + click.size, end)
        if left < right:
            sound[left - position : right - position] += click[left - start : right - start, None]
    return [(start, click) for start, click in plan if start + click.size > end]
