"""Titles and cards as one ASS file. A text is untrusted: nothing in it can become an override, a path or a command."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from fractions import Fraction

from cinecut.compiler.timeline import Text
from cinecut.timebase import TrailerFrame, nearest

FILE = "titles.ass"
FONTS = "fonts"
FACE = "Open Sans Semibold"

_SAFE = Fraction(1, 10)  # of each side: the action-safe area of SMPTE ST 2046 and some more
_SIZES = {"card": Fraction(1, 7), "lower": Fraction(1, 18), "middle": Fraction(1, 14), "upper": Fraction(1, 18)}
_SHARES = {"card": 0.8, "lower": 0.3, "middle": 0.6, "upper": 0.3}  # of the frame's height that a text may take
_ALIGNMENTS = {"card": 5, "lower": 2, "middle": 5, "upper": 8}
_SHADOW = {"card": 0, "lower": 1, "middle": 1, "upper": 1}
_GLYPH = 0.56  # average advance of a Latin letter, in heights of the type
_LEADING = 1.36  # line height, in heights of the type


def lower_texts(texts: Sequence[Text], rate: Fraction, width: int, height: int) -> bytes:
    """The ASS file of all texts, for pictures of width x height pixels."""
    margin_x, margin_y = round(width * _SAFE), round(height * _SAFE)
    lines = [
        "[Script Info]",
        "ScriptType: v4.00+",
        f"PlayResX: {width}",
        f"PlayResY: {height}",
        "WrapStyle: 0",
        "ScaledBorderAndShadow: yes",
        "YCbCr Matrix: None",
        "",
        "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, BorderStyle, Outline, Shadow, "
        "Alignment, MarginL, MarginR, MarginV, Encoding",
    ]
    for position, size in _SIZES.items():
        outline = round(height / 360) if _SHADOW[position] else 0
        lines.append(
            f"Style: {position},{FACE},{round(height * size)},&H00FFFFFF,&H40000000,&H80000000,1,{outline},{outline},"
            f"{_ALIGNMENTS[position]},{margin_x},{margin_x},{margin_y},1"
        )
    lines += ["", "[Events]", "Format: Layer, Start, End, Style, Text"]
    lines += [_dialogue(text, rate, width, height) for text in texts]
    return ("\n".join(lines) + "\n").encode()


def _dialogue(text: Text, rate: Fraction, width: int, height: int) -> str:
    start, end = _centiseconds(text.range.start, rate), _centiseconds(text.range.end, rate)
    fades = ""
    if text.fade_in or text.fade_out:
        # In milliseconds from the event's own start and end.
        fades = rf"\fad({nearest(text.fade_in * 1000 / rate)},{nearest(text.fade_out * 1000 / rate)})"
    usual = round(height * _SIZES[text.position])
    size = _fitting_size(text.text, usual, width * float(1 - 2 * _SAFE), height * _SHARES[text.position])
    overrides = fades + (rf"\fs{size}" if size != usual else "")
    head = f"{{{overrides}}}" if overrides else ""
    return f"Dialogue: 0,{start},{end},{text.position},{head}{escape(text.text)}"


def escape(text: str) -> str:
    """A text in which libass finds neither an override nor an escape, line breaks kept.

    >>> escape("{a}\\\\N b")
    '\\\\{a}\\\\\\u2060N b'
    """
    kept = "".join(sign for sign in text if sign == "\n" or unicodedata.category(sign) != "Cc")
    # A word joiner after a backslash keeps it from escaping what follows; it takes no room itself.
    safe = kept.replace("\\", "\\\u2060").replace("{", "\\{")
    return safe.strip("\n").replace("\n", "\\N")


def _fitting_size(text: str, usual: int, width: float, height: float) -> int:
    """The usual size, or the largest that lets the text, broken into lines, fit the room."""
    for size in range(usual, 7, -1):
        per_line = max(1.0, width / (_GLYPH * size))
        rows = sum(max(1, math.ceil(len(line) / per_line)) for line in text.split("\n"))
        longest = max((len(word) for word in text.split()), default=0)  # a line breaks only between words
        if rows * _LEADING * size <= height and longest <= per_line:
            return size
    return 8


def _centiseconds(boundary: TrailerFrame, rate: Fraction) -> str:
    """ASS counts centiseconds: aim half a frame before the boundary's frame, so that rounding cannot cross it."""
    ticks = max(0, nearest((boundary.index - Fraction(1, 2)) * 100 / rate))
    seconds, hundredths = divmod(ticks, 100)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}.{hundredths:02d}"
