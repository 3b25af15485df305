"""Colour tags of film and trailer, and HDR converted to SDR."""

from __future__ import annotations

from dataclasses import replace

from cinecut.graph import filters
from cinecut.graph.nodes import Pad, Video
from cinecut.language.facts import Color, FilmFacts

HDR = ("smpte2084", "arib-std-b67")  # PQ and HLG


def to_sdr(pad: Pad, facts: FilmFacts, label: str) -> Pad:
    """Convert an HDR film's pictures to BT.709. A reel loses tags that only the film's container has, so they are set
    again first; BT.2020 is assumed where there are none."""
    known = facts.color
    space = "bt2020nc" if known.space == "unknown" else known.space
    primaries = "bt2020" if known.primaries == "unknown" else known.primaries
    full = Color("pc" if known.range == "pc" else "tv", space, primaries, known.transfer)
    return filters.tone_map(filters.tag_color(pad, full, label), label)


_MATRICES = ("bt709", "smpte170m", "bt470bg", "smpte240m", "fcc", "bt2020nc")


def matrix_of(color: Color, size: tuple[int, int]) -> str:
    """The tagged matrix; for untagged video what players assume: BT.601 up to standard definition, BT.709 above."""
    if color.space in _MATRICES:
        return color.space
    return "bt709" if size[0] >= 1280 or size[1] > 576 else "smpte170m"


def trailer_color(facts: FilmFacts) -> Color:
    """The trailer's tags: the film's in limited range; SDR's for an HDR film; for RGB the matrix it is converted
    with."""
    if facts.color.transfer in HDR:
        return Color("tv", "bt709", "bt709", "bt709")
    return replace(facts.color, range="tv", space="bt709" if is_rgb(facts) else facts.color.space)


def is_rgb(facts: FilmFacts) -> bool:
    """Whether the film is stored as red, green and blue, as screen recordings and animations often are."""
    return facts.color.space == "gbr" or facts.pix_fmt.startswith(_RGB)


_RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8")


def source_format(facts: FilmFacts) -> Video:
    width, height = facts.size
    return Video(width, height, facts.pix_fmt, None, None, facts.sar)
