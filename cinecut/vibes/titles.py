"""The style of a genre's texts: the face, colour and movement of its titles and cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

Animation = Literal["none", "fade", "track-out", "rise", "flicker"]


@dataclass(frozen=True, slots=True)
class TitleStyle:
    """The look of a trailer's texts. The defaults are those of schemas/vibe-1.schema.json."""

    face: str = "Open Sans Semibold"  # full name of a face that comes with cinecut
    size: Fraction = Fraction(1)  # a factor, since some faces look larger than others of the same height
    tracking: Fraction = Fraction(0)  # between letters, in em
    color: str = "#FFFFFF"
    case: Literal["as written", "capitals"] = "as written"
    edge: Literal["outline", "shadow"] = "outline"  # what separates the letters from the picture behind them
    animation: Animation = "none"

    def cased(self, text: str) -> str:
        """The text in the style's letter case."""
        return text.upper() if self.case == "capitals" else text

    def merged(self, over: Mapping[str, Any]) -> TitleStyle:
        """This style with the values of `over`, which the schema has checked, in place of its own."""
        exact = {key: Fraction(str(over[key])) for key in ("size", "tracking") if key in over}
        return replace(self, **{**over, **exact})


PLAIN = TitleStyle()
