"""A measured file beside a kit: each figure that is asked for, what was found, and whether it is so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cinecut.delivery.meters import Measured
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


def judged(kit: Kit, file: Measured) -> Iterator[Verdict]:
    """Every figure that the kit asks for."""
    yield from _among("frames a second", [rate_text(rate) for rate in kit.rates], rate_text(file.rate))
    yield from _among("codec", list(kit.codecs), file.codec)
    yield from _among("size", [f"{w}x{h}" for w, h in kit.sizes], f"{file.size[0]}x{file.size[1]}")
    yield from _among("sample rate", [str(kit.sample_rate)] * bool(kit.sample_rate), str(file.sample_rate or "none"))
    yield from _among("channels", [str(count) for count in kit.channels], str(file.channels or "none"))
    if kit.loudness is not None:
        target, within = kit.loudness
        kept = file.loudness is not None and abs(file.loudness - target) <= within + _ROUNDED
        yield Verdict("loudness, LUFS", f"{target:g} ± {within:g}", _level(file.loudness), kept)
    yield from _most("true peak, dBTP", kit.peak, file.peak)
    yield from _most("short-term maximum, LUFS", kit.short_term, file.short_term)
    yield from _most("momentary maximum, LUFS", kit.momentary, file.momentary)
    yield from _most("Leq(m), dB", kit.leq_m, file.leq_m)
    yield from _most("seconds", kit.seconds, file.seconds)


def _among(figure: str, asked: list[str], found: str) -> Iterator[Verdict]:
    if asked:
        yield Verdict(figure, " or ".join(asked), found, found in asked)


def _most(figure: str, most: float | None, found: float | None) -> Iterator[Verdict]:
    if most is not None:
        yield Verdict(figure, f"at most {most:g}", _level(found), found is None or found <= most + _ROUNDED)


def _level(value: float | None) -> str:
    return "silence" if value is None else f"{value:.1f}"
