"""Titles and cards as one ASS file. A text is untrusted: nothing in it can become an override, a path or a command.

ASS counts centiseconds, and a text that moves would look otherwise wherever its frames fall between them. So its clock
counts frames: each lasts `TICKS`, and is drawn in its middle (`filters.subtitles`), whatever the trailer's rate.

Lines are broken here, from the face's own widths, so that they break at the same words with every libass.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.layout.timeline import PlacedText
from cinecut.compiler.picture.direction import directed, runs_from_the_right
from cinecut.fonts.glyphs import Face
from cinecut.graph.filters import TICKS
from cinecut.language.spec import Safe
from cinecut.language.timebase import TrailerFrame, nearest
from cinecut.vibes import PLAIN, TitleStyle

FONTS = "fonts"

_SIZES = {"card": Fraction(1, 7), "lower": Fraction(1, 18), "middle": Fraction(1, 14), "upper": Fraction(1, 18)}
_SIZES["caption"] = Fraction(1, 20)  # a line of dialogue, burned in
_SHARES = {
    "card": 0.8,
    "lower": 0.3,
    "middle": 0.6,
    "upper": 0.3,
    "caption": 0.2,
}  # of the frame's height that a text may take
_ALIGNMENTS = {"card": 5, "lower": 2, "middle": 5, "upper": 8, "caption": 2}
_SHADOW = {"card": 0, "lower": 1, "middle": 1, "upper": 1, "caption": 1}
_HALO = 1 / 240  # of the frame's height: width and blur of a soft shadow around the letters
_ALPHAS = {1: 0x00, 3: 0x40, 4: 0x80}  # of letters, outline and shadow, by their number in ASS; 0 is opaque
_SMALLEST = 8  # pixels
_UNBROKEN = 0.75  # share of the usual size down to which a line is set smaller rather than broken
_LEADING = 1.05  # line height, in sizes; of a cinecut face it is 1, a system's font may be a little higher
_HINTING = 0.98  # share of the room that may be filled: rasterizers round advances to pixels

_ENTRANCE = Fraction(1, 2)  # seconds in which a text comes, and goes
_RISE = 0.45  # sizes by which a rising text starts too low
_DRIFT = 0.12  # em by which the letters of a track-out part
_FLICKER_SECONDS = Fraction(13, 24)
_FLICKER = ((0, 0.5), (2, 0.08), (4, 0.8), (6, 0.15), (9, 0.9), (11, 0.35), (13, 1.0))  # opacity from each 24th on


@dataclass(frozen=True, slots=True)
class Screen:
    """What texts are set for: the rate and the size of the pictures, the style, the typefaces, the safe area."""

    rate: Fraction
    width: int
    height: int
    style: TitleStyle
    faces: Mapping[str, Face]
    safe: Safe

    def look(self, position: str) -> TitleStyle:
        """Captions get plain letters, whatever the genre's style."""
        return PLAIN if position == "caption" else self.style


def lower_texts(texts: Sequence[PlacedText], screen: Screen) -> bytes:
    """The ASS file of all texts."""
    width, height = screen.width, screen.height
    margin_x = round(width * screen.safe.sides)
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
    for position in _SIZES:
        look = screen.look(position)
        red, green, blue = (look.color[at : at + 2].upper() for at in (1, 3, 5))
        outline = round(height / 360) if _SHADOW[position] else 0
        margin_y = round(height * (screen.safe.top if position == "upper" else screen.safe.bottom))
        lines.append(
            f"Style: {position},{look.face},{_usual_size(position, height, look)},&H00{blue}{green}{red},"
            f"&H40000000,&H80000000,1,{outline},{outline},"
            f"{_ALIGNMENTS[position]},{margin_x},{margin_x},{margin_y},{_DIRECTION}"
        )
    lines += ["", "[Events]", "Format: Layer, Start, End, Style, Text"]
    lines += [_dialogue(text, screen) for text in texts]
    return ("\n".join(lines) + "\n").encode()


_DIRECTION = -1  # of writing: each line's own, so that Hebrew and Arabic end at the left


def _usual_size(position: str, height: int, style: TitleStyle) -> int:
    return round(height * _SIZES[position] * style.size)


def _share(position: str, safe: Safe) -> float:
    """The share of the frame's height that a text may take; texts in the middle have equal room above and below."""
    free = 1 - (2 * max(safe.top, safe.bottom) if position in ("card", "middle") else safe.top + safe.bottom)
    return min(_SHARES[position], float(free))


def _dialogue(text: PlacedText, screen: Screen) -> str:
    rate, width, height, style = screen.rate, screen.width, screen.height, screen.look(text.position)
    face = screen.faces[style.face]
    words = style.cased(_printable(text.text)).strip("\n")
    tracking, drift = 0.0, 0.0
    if not face.missing(words) and not runs_from_the_right(words):  # letters that join are of another font: never part
        tracking = float(style.tracking) * face.em
        drift = _DRIFT * face.em if style.animation == "track-out" else 0.0
    usual = _usual_size(text.position, height, style)
    room = width * float(1 - 2 * screen.safe.sides) * _HINTING
    size, rows = typeset(words, usual, room, height * _share(text.position, screen.safe), face, tracking + drift)

    overrides = _fades(text, rate, style) + (rf"\fs{size}" if size != usual else "")
    if style.edge == "shadow" and _SHADOW[text.position]:
        overrides += rf"\bord{height * _HALO:g}\shad0\blur{height * _HALO:g}"
    if style.animation == "rise":
        overrides += _rise(text, screen, size)
    elif style.animation == "flicker":
        overrides += _flicker(text, rate)
    spacing = ""
    if tracking or drift:
        spacing = rf"\fsp{tracking * size:.2f}"
    if drift:
        spacing += rf"\t(0,{_milliseconds(text.range.length)},\fsp{(tracking + drift) * size:.2f})"
    head = f"{{{overrides}}}" if overrides else ""
    body = r"\N".join(_spaced(row, spacing) for row in rows)
    start, end = _clock(text.range.start), _clock(text.range.end)
    return f"Dialogue: 0,{start},{end},{text.position},{head}{body}"


def _spaced(row: str, spacing: str) -> str:
    """A row with its letter spacing. ASS adds spacing after each letter; after the last one it would shift the row."""
    if not spacing or not row:
        return escape(row)
    last = len(row) - 1
    while last > 0 and unicodedata.combining(row[last]):
        last -= 1
    return f"{{{spacing}}}{escape(row[:last])}{{\\fsp0}}{escape(row[last:])}"


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign == "\n" or unicodedata.category(sign) != "Cc")


def escape(text: str) -> str:
    """A text in which libass finds neither an override nor an escape, line breaks kept.

    >>> escape("{a}\\\\N b")
    '\\\\{a}\\\\\\u2060N b'
    """
    # A word joiner after a backslash keeps it from escaping what follows; it takes no room itself.
    safe = _printable(text).replace("\\", "\\\u2060").replace("{", "\\{")
    return safe.strip("\n").replace("\n", "\\N")


# Movement. Times in overrides are milliseconds from the event's own start.


def _milliseconds(frames: int) -> int:
    return frames * TICKS * 10


def _entrance(text: PlacedText, rate: Fraction) -> int:
    """Frames in which a text appears, and disappears: together at most two thirds of its time."""
    return min(nearest(_ENTRANCE * rate), text.range.length // 3)


def _fades(text: PlacedText, rate: Fraction, style: TitleStyle) -> str:
    usual = _entrance(text, rate) if style.animation in ("fade", "track-out", "rise") else 0
    fade_in, fade_out = text.fade_in or usual, text.fade_out or usual
    return rf"\fad({_milliseconds(fade_in)},{_milliseconds(fade_out)})" if fade_in or fade_out else ""


def _rise(text: PlacedText, screen: Screen, size: int) -> str:
    duration, width, height = _milliseconds(_entrance(text, screen.rate)), screen.width, screen.height
    if not duration:  # to ASS, 0 is the whole event
        return ""
    top, bottom = round(height * screen.safe.top), round(height * screen.safe.bottom)
    x, y = Fraction(width, 2), {2: Fraction(height - bottom), 5: Fraction(height, 2), 8: Fraction(top)}
    rest = float(y[_ALIGNMENTS[text.position]])
    return rf"\move({float(x):g},{rest + _RISE * size:g},{float(x):g},{rest:g},0,{duration})"


def _flicker(text: PlacedText, rate: Fraction) -> str:
    """Steps of opacity, each on a frame boundary; none if the text is too short."""
    frames = min(nearest(_FLICKER_SECONDS * rate), text.range.length // 2)
    if frames < len(_FLICKER):
        return ""
    tags = ""
    for share, level in _FLICKER:
        at = _milliseconds(nearest(Fraction(share, _FLICKER[-1][0]) * frames))
        alphas = "".join(rf"\{n}a&H{255 - round((255 - base) * level):02X}&" for n, base in _ALPHAS.items())
        tags += rf"\t({at},{at},{alphas})" if share else alphas
    return tags


def _clock(boundary: TrailerFrame) -> str:
    seconds, hundredths = divmod(boundary.index * TICKS, 100)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}.{hundredths:02d}"


# Setting: the size and the rows of a text


@dataclass(frozen=True, slots=True)
class _Word:
    """A part after which a line can break. Widths in sizes: `advance` with the blanks that follow, `ink` without."""

    text: str
    advance: float
    ink: float


def typeset(text: str, usual: int, width: float, height: float, face: Face, tracking: float) -> tuple[int, list[str]]:
    """The usual size, or the largest at which the text fits a room of width x height pixels, and the rows it makes.

    `tracking` is in sizes. A line is rather set somewhat smaller than broken; its rows are about equally long.
    """
    lines = [_words(line, face, tracking) for line in text.split("\n")]
    longest = max((word.ink for line in lines for word in line), default=0.0)  # a line breaks only between words

    def fits(size: int, most: float) -> bool:
        count = sum(len(_fill(line, width / size)) for line in lines)
        return count <= most and count * _LEADING * size <= height and longest * size <= width

    unbroken = (size for size in range(usual, math.ceil(usual * _UNBROKEN) - 1, -1) if fits(size, len(lines)))
    broken = (size for size in range(usual, _SMALLEST, -1) if fits(size, math.inf))
    size = next(unbroken, None) or next(broken, _SMALLEST)
    rows = ((line, _even(words, width / size)) for line, words in zip(text.split("\n"), lines, strict=True))
    return size, [row for line, parts in rows for row in directed(line, parts)]


def _words(line: str, face: Face, tracking: float) -> list[_Word]:
    """Words with the blanks after them. Between wide signs (Chinese, Japanese, Korean) a line may break too, but not
    before punctuation."""
    parts: list[str] = []
    for word in re.findall(r" +|[^ ]+ *", line):
        start = 0
        for at in range(1, len(word)):
            wide = any(unicodedata.east_asian_width(sign) in "WF" for sign in word[at - 1 : at + 1])
            if wide and unicodedata.category(word[at])[0] not in "PMZC":
                parts.append(word[start:at])
                start = at
        parts.append(word[start:])
    each = [(part, face.width(part), face.width(part.rstrip(" ")), len(part.rstrip(" "))) for part in parts]
    return [_Word(p, full + tracking * len(p), ink + tracking * max(0, seen - 1)) for p, full, ink, seen in each]


def _fill(words: Sequence[_Word], room: float) -> list[str]:
    """As many words per row as fit `room`, in sizes; a longer word has its own row."""
    rows, at = [""], 0.0
    for word in words:
        if rows[-1] and at + word.ink > room:
            rows[-1] = rows[-1].rstrip(" ")
            rows.append("")
            at = 0.0
        rows[-1] += word.text
        at += word.advance
    return rows


def _even(words: Sequence[_Word], room: float) -> list[str]:
    """As few rows as possible, then as evenly filled as possible."""
    rows = _fill(words, room)
    low, high = 0.0, room
    for _ in range(12 if len(rows) > 1 else 0):
        middle = (low + high) / 2
        if len(_fill(words, middle)) > len(rows):
            low = middle
        else:
            high = middle
    return _fill(words, high)
