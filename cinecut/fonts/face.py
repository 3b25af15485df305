"""A font face as the layout of titles needs it: which characters it has, and how wide they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

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
