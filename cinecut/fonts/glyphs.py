"""The font faces that come with cinecut: the characters of each and their widths, as the layout of titles needs them,
read from the font files.

Only the tables that measure a title are read: `head`, `OS/2`, `hmtx` and the Unicode part of `cmap` (ISO/IEC 14496-22).
"""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from struct import unpack_from

from cinecut.diagnostics import Report, Span

FOLDER = Path(__file__).resolve().parent
FACES = {
    "Amatic SC Bold": "AmaticSC-Bold.ttf",
    "Caladea Bold": "Caladea-Bold.ttf",
    "Fredoka One": "FredokaOne-Regular.ttf",
    "League Gothic Regular": "LeagueGothic-Regular.ttf",
    "Manrope ExtraBold": "Manrope-ExtraBold.ttf",
    "Manrope Light": "Manrope-Light.ttf",
    "Open Sans Semibold": "OpenSans-Semibold.ttf",
    "Roboto Mono": "RobotoMono-Regular.ttf",
    "Roboto Slab Bold": "RobotoSlab-Bold.ttf",
    "Source Serif Pro": "SourceSerifPro-Regular.ttf",
    "Source Serif Pro Italic": "SourceSerifPro-It.ttf",
}


@cache
def load_face(name: str) -> Face:
    """A face by its full name, one of FACES."""
    data = (FOLDER / FACES[name]).read_bytes()
    (count,) = unpack_from(">H", data, 4)
    at = {data[row : row + 4]: unpack_from(">I", data, row + 8)[0] for row in range(12, 12 + 16 * count, 16)}
    (units_per_em,) = unpack_from(">H", data, at[b"head"] + 18)
    height = sum(unpack_from(">HH", data, at[b"OS/2"] + 74))  # usWinAscent, usWinDescent: what libass scales by
    (measured,) = unpack_from(">H", data, at[b"hhea"] + 34)
    widths = unpack_from(">" + "Hh" * measured, data, at[b"hmtx"])[::2]  # all later glyphs are as wide as the last
    glyphs = _character_map(data, at[b"cmap"])
    advances = {chr(code): widths[min(glyph, measured - 1)] / height for code, glyph in glyphs.items()}
    return Face(name, units_per_em / height, advances)


def _character_map(data: bytes, at: int) -> dict[int, int]:
    """Glyph numbers by code point."""
    (count,) = unpack_from(">H", data, at + 2)
    tables = {}
    for row in range(at + 4, at + 4 + 8 * count, 8):
        platform, encoding, offset = unpack_from(">HHI", data, row)
        tables[platform, encoding] = at + offset
    full = tables.get((3, 10))
    return _segments_32(data, full) if full is not None else _segments_16(data, tables[3, 1])


def _segments_16(data: bytes, at: int) -> dict[int, int]:
    """Format 4: the Basic Multilingual Plane in segments."""
    (double,) = unpack_from(">H", data, at + 6)
    row = f">{double // 2}H"
    ends = unpack_from(row, data, at + 14)
    starts = unpack_from(row, data, at + 16 + double)
    deltas = unpack_from(row, data, at + 16 + 2 * double)
    offsets = unpack_from(row, data, at + 16 + 3 * double)
    glyphs = {}
    for index, (start, end, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for code in range(start, min(end, 0xFFFE) + 1):
            glyph = code
            if offset:
                place = at + 16 + 3 * double + 2 * index  # an offset counts from its own position
                (glyph,) = unpack_from(">H", data, place + offset + 2 * (code - start))
            if glyph and (glyph + delta) & 0xFFFF:
                glyphs[code] = (glyph + delta) & 0xFFFF
    return glyphs


def _segments_32(data: bytes, at: int) -> dict[int, int]:
    """Format 12: all of Unicode in runs."""
    (count,) = unpack_from(">I", data, at + 12)
    glyphs: dict[int, int] = {}
    for row in range(at + 16, at + 16 + 12 * count, 12):
        start, end, glyph = unpack_from(">III", data, row)
        glyphs |= {code: glyph + code - start for code in range(start, end + 1)}
    return glyphs


def check_glyphs(texts: Iterable[tuple[str, Span]], face: Face, report: Report) -> None:
    """Warn of every text with characters that the face lacks, and name the fonts of this machine that replace them."""
    for text, span in texts:
        missing = face.missing(text)
        if not missing:
            continue
        for family, chars in _substitutes(frozenset(missing)).items():
            if family:
                message = f"{face.name} has no {_listed(chars)}: this machine's {family} will stand in"
                hint = "on another machine it may be another font, or none"
            elif shutil.which("fc-match"):
                message = f"neither {face.name} nor a font of this machine has {_listed(chars)}: boxes are drawn"
                hint = "install a font of that script, or use other characters"
            else:
                message = f"{face.name} has no {_listed(chars)}: whether a font of this machine has is not known"
                hint = "render it and look"
            report.add("title-glyphs", message, span, hint)


@cache
def _substitutes(chars: frozenset[str]) -> dict[str, set[str]]:
    """The characters by the font family that fontconfig takes them from, as libass does; "" for what no font has."""
    families: dict[str, set[str]] = {}
    left = set(chars)
    while left:
        char = min(left)
        family, covered = _match(char)
        drawable = {other for other in left if any(ord(other) in run for run in covered)}
        if char not in drawable:
            family, drawable = "", {char}
        families.setdefault(family, set()).update(drawable)
        left -= drawable
    return families


def _match(char: str) -> tuple[str, list[range]]:
    """The family that fontconfig suggests for a character, and the code points that it covers."""
    command = ["fc-match", "-f", "%{family[0]}\n%{charset}", f":charset={ord(char):x}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return "", []
    family, _, charset = done.stdout.decode(errors="replace").partition("\n")
    ends = ([int(end, 16) for end in run.split("-")] for run in charset.split())
    return family, [range(run[0], run[-1] + 1) for run in ends]


def _listed(chars: set[str]) -> str:
    """The first few characters, each with its code point."""
    shown = sorted(chars)[:8]
    return " ".join(f"{char} (U+{ord(char):04X})" for char in shown) + (" …" if len(chars) > len(shown) else "")


_WIDE, _NARROW = 1.0, 0.6  # assumed advances, in heights, of a glyph that a font of the system will supply


@dataclass(frozen=True, slots=True)
class Face:
    """A font's measures. Their unit is the height, ascent plus descent, which ASS calls the font's size."""

    name: str
    em: float
    advances: Mapping[str, float]

    def advance(self, char: str) -> float:
        """The advance width of a character; an estimate for one that another font must supply."""
        known = self.advances.get(char)
        if known is not None:
            return known
        if _is_invisible(char) or unicodedata.combining(char):
            return 0.0
        return _WIDE if unicodedata.east_asian_width(char) in "WF" else _NARROW

    def width(self, text: str) -> float:
        """The width of a text in one line, without kerning, which mostly makes it narrower."""
        return sum(map(self.advance, text))

    def missing(self, text: str) -> set[str]:
        """The characters of a text that this face cannot draw. White space and invisible ones need no glyph."""
        return {char for char in text if char not in self.advances and not char.isspace() and not _is_invisible(char)}


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf") or "\ufe00" <= char <= "\ufe0f"  # variation selectors
