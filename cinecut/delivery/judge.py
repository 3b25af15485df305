"""Comparing a measured file with a kit: each required figure, the measured one, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cinecut.delivery.meters import Measured, PictureFigures, SoundFigures
from cinecut.ffmpeg.meter import Level
from cinecut.kits import Kit
from cinecut.language.timebase import rate_text

_ROUNDED = 0.05  # dB that a meter's tenths may hide


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure of a kit."""

    figure: str
    asked: str
    found: str
    kept: bool


def judged(kit: Kit, file: Measured, *, levels: bool = True) -> Iterator[Verdict]:
    """Every figure of the kit; without `levels` none about loudness, as for a part of the sound. Files of sound alone
    have no figures about pictures."""
    if file.picture is not None:
        yield from _of_picture(kit, file.picture)
    yield from _of_sound(kit, file.sound)
    if levels:
        yield from _of_level(kit, file.level)
    yield from _most("seconds", kit.seconds, float(file.seconds))


def _of_picture(kit: Kit, figures: PictureFigures) -> Iterator[Verdict]:
    yield from _among("frames a second", [rate_text(rate) for rate in kit.rates], rate_text(figures.rate))
    yield from _among("codec", list(kit.codecs), figures.codec)
    yield from _among("size", [f"{w}x{h}" for w, h in kit.sizes], f"{figures.size[0]}x{figures.size[1]}")


def _of_sound(kit: Kit, figures: SoundFigures | None) -> Iterator[Verdict]:
    rates = [str(kit.sample_rate)] if kit.sample_rate else []
    yield from _among("sample rate", rates, str(figures.rate) if figures is not None else "none")
    channels = [str(count) for count in kit.channels]
    yield from _among("channels", channels, str(figures.channels) if figures is not None else "none")


def _of_level(kit: Kit, level: Level) -> Iterator[Verdict]:
    if kit.loudness is not None:
        target, within = kit.loudness
        kept = level.loudness is not None and abs(level.loudness - target) <= within + _ROUNDED
        yield Verdict("loudness, LUFS", f"{target:g} ± {within:g}", _text(level.loudness), kept)
    yield from _most("true peak, dBTP", kit.peak, level.peak)
    yield from _most("short-term maximum, LUFS", kit.short_term, level.short_term)
    yield from _most("momentary maximum, LUFS", kit.momentary, level.momentary)
    yield from _most("Leq(m), dB", kit.leq_m, level.leq_m)


def _among(figure: str, asked: list[str], own: str) -> Iterator[Verdict]:
    if asked:
        yield Verdict(figure, " or ".join(asked), own, own in asked)


def _most(figure: str, most: float | None, own: float | None) -> Iterator[Verdict]:
    if most is not None:
        yield Verdict(figure, f"at most {most:g}", _text(own), own is None or own <= most + _ROUNDED)


def _text(value: float | None) -> str:
    return "silence" if value is None or value == float("-inf") else f"{value:.1f}"
