"""Why no trailer should use some shots: they are black, blank, or hold titles or credits."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.blends import PLAIN
from cinecut.analysis.film.gops import KeyFrame
from cinecut.analysis.film.gradual.outline import Outline, spreads
from cinecut.analysis.film.screen import is_black, is_card, is_text
from cinecut.language.timebase import FilmRange, FilmTime

_LETTERED = 0.4  # least share of key pictures with lettering in a shot of credits or titles
_CREDITS = Fraction(4, 5)  # of the film: lettering after this is credits
_OPENING = Fraction(1, 20)  # of the film: who presents it, and then its name


@dataclass(frozen=True, slots=True)
class Stretch:
    """A shot's range, and the places in the outline, half-open, of its pictures there."""

    range: FilmRange
    first: int
    last: int


def reasons(
    shots: Sequence[Stretch],
    keys: Sequence[KeyFrame],
    outline: Outline,
    supers: Sequence[FilmTime],
    black: int,
    duration: Fraction,
) -> list[str | None]:
    """For each shot "black", "blank", "title" or "credits", if it is one of these.

    keys : in order; supers : the times, in order, of pictures with small type over them; black : the level of black
    """
    times = [key.time for key in keys]
    plain = _plain(outline, black)
    found: list[str | None] = []
    for shot in shots:
        own = keys[bisect_left(times, shot.range.start) : bisect_left(times, shot.range.end)]
        late = shot.range.start.seconds > _CREDITS * duration
        found.append(_reason(own, plain[shot.first : shot.last], black, "credits" if late else "title"))
    lettered = [i for i, reason in enumerate(found) if reason == "credits"]
    if lettered:  # shots between credits belong to them
        for i in range(lettered[0], lettered[-1]):
            found[i] = "credits"
    titles = [i for i, reason in enumerate(found[:-1]) if reason == "title"]
    for following in (i + 1 for i in titles if shots[i + 1].range.start.seconds < _OPENING * duration):
        # The name comes over the shot after "presents", and often between two key pictures.
        found[following] = found[following] or "title"
    for i, shot in enumerate(shots):
        if bisect_left(supers, shot.range.start) < bisect_left(supers, shot.range.end):
            found[i] = found[i] or "title"  # and not credits, between which a shot without type may still be shown
    return found


def _plain(outline: Outline, black: int) -> NDArray[np.str_]:
    """For every picture of the outline, in order: "black", "blank", or neither."""
    dark = outline.luma.max(1, initial=0) <= black + 20
    return np.where(spreads(outline) < PLAIN, np.where(dark, "black", "blank"), "")


def _reason(keys: Sequence[KeyFrame], plain: NDArray[np.str_], black: int, lettering: str) -> str | None:
    """Why no trailer should use a shot, by its key pictures and its pictures in the outline; `lettering` is one."""
    lettered = sum(is_text(key.glance) or is_card(key.glance, black) for key in keys)
    if lettered and lettered >= _LETTERED * sum(not is_black(key.glance, black) for key in keys):
        return lettering
    return next((kind for kind in ("black", "blank") if (plain == kind).sum() > 0.8 * len(plain)), None)
