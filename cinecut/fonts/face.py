"""A face as the setting of titles sees it: which characters it has, and how wide they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

_WIDE, _NARROW = 1.0, 0.6  # advances, in heights, of a glyph that a font of the system will supply


@dataclass(frozen=True, slots=True)
class Face:
    """A font's measures, in heights: one height is ascent and descent together, which is what ASS calls its size."""

    name: str
    em: float
    advances: Mapping[str, float]

    def advance(self, sign: str) -> float:
        """How far a sign moves the pen; an estimate for one that another font must supply."""
        known = self.advances.get(sign)
        if known is not None:
            return known
        if _is_unseen(sign) or unicodedata.combining(sign):
            return 0.0
        return _WIDE if unicodedata.east_asian_width(sign) in "WF" else _NARROW

    def width(self, text: str) -> float:
        """Of a text in one line. Kerning is left out: it mostly narrows."""
        return sum(map(self.advance, text))

    def missing(self, text: str) -> set[str]:
        """The signs of a text that this face cannot draw. White space and what is never seen need no glyph."""
        return {sign for sign in text if sign not in self.advances and not sign.isspace() and not _is_unseen(sign)}


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf") or "\ufe00" <= sign <= "\ufe0f"  # variation selectors
