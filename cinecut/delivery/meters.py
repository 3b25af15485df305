"""Measuring a finished file: its picture by its packets, its sound by meters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.meter import Level, level_of
from cinecut.media.open import open_media
from cinecut.media.probe import film_facts, song_facts


@dataclass(frozen=True, slots=True)
class PictureFigures:
    """What a file shows: frames a second, pixels, and the codec as FFmpeg calls it."""

    rate: Fraction
    size: tuple[int, int]
    codec: str


@dataclass(frozen=True, slots=True)
class SoundFigures:
    """What a file sounds like: samples a second, channels, and how loud it is."""

    rate: int
    channels: int
    level: Level


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished file. It has no picture where it is a stem, and may be silent."""

    seconds: Fraction
    picture: PictureFigures | None
    sound: SoundFigures | None

    @property
    def level(self) -> Level:
        """How loud it is; without a sound it is silent."""
        return self.sound.level if self.sound is not None else Level(None, -math.inf)


def measure(file: Path, ffmpeg: FFmpeg, *, leq: bool = True) -> Measured:
    """A film, or a WAV. Without `leq`, Leq(m) is not measured. Raises Stop where it is neither, or cannot be read."""
    if file.suffix.lower() == ".wav":
        return _sound_alone(file, ffmpeg, leq)
    facts = film_facts(file)
    with open_media(file) as media:
        codec = media.streams.video[0].codec_context.codec.name
    sound = None
    if facts.audio:
        rate, channels = facts.audio[0].rate, facts.audio[0].channels
        sound = SoundFigures(rate, channels, level_of(file, ffmpeg, leq=channels if leq else 0))
    return Measured(facts.duration, PictureFigures(facts.rate, facts.display_size, codec), sound)


def _sound_alone(file: Path, ffmpeg: FFmpeg, leq: bool) -> Measured:
    facts = song_facts(file)
    level = level_of(file, ffmpeg, leq=facts.channels if leq else 0)
    return Measured(facts.duration, None, SoundFigures(facts.rate, facts.channels, level))
