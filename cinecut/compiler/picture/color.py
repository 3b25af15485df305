"""Colour tags: the film's, the trailer's, and the light of HDR brought to a screen's."""

from __future__ import annotations

from dataclasses import replace

from cinecut.graph import filters
from cinecut.graph.nodes import Pad, Video
from cinecut.language.facts import Color, FilmFacts

HDR = ("smpte2084", "arib-std-b67")  # PQ and HLG


def to_sdr(pad: Pad, facts: FilmFacts, label: str) -> Pad:
    """An HDR film's pictures in the light of a BT.709 screen. Tags that only the film's container has are lost on the
    way through a reel, so they are put back first; where there are none, it is BT.2020, as HDR is."""
    known = facts.color
    space = "bt2020nc" if known.space == "unknown" else known.space
    primaries = "bt2020" if known.primaries == "unknown" else known.primaries
    full = Color("pc" if known.range == "pc" else "tv", space, primaries, known.transfer)
    return filters.tone_map(filters.tag_color(pad, full, label), label)


_MATRICES = ("bt709", "smpte170m", "bt470bg", "smpte240m", "fcc", "bt2020nc")


def matrix_of(color: Color, size: tuple[int, int]) -> str:
    """The tagged one. What is not tagged players take for BT.601 up to standard definition and for BT.709 above."""
    if color.space in _MATRICES:
        return color.space
    return "bt709" if size[0] >= 1280 or size[1] > 576 else "smpte170m"


def trailer_color(facts: FilmFacts) -> Color:
    """The trailer's tags: the film's, in limited range (what an untagged film is taken for, too); of an HDR film those
    of SDR, which it is brought to; of one in RGB the matrix that it gets."""
    if facts.color.transfer in HDR:
        return Color("tv", "bt709", "bt709", "bt709")
    return replace(facts.color, range="tv", space="bt709" if is_rgb(facts) else facts.color.space)


def is_rgb(facts: FilmFacts) -> bool:
    """The film is stored as red, green and blue, as screen recordings and animations often are."""
    return facts.color.space == "gbr" or facts.pix_fmt.startswith(_RGB)


_RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8")


def source_format(facts: FilmFacts) -> Video:
    width, height = facts.size
    return Video(width, height, facts.pix_fmt, None, None, facts.sar)
