"""A logo that lies over all of a trailer is taken away: over dark pictures it would be all that is compared.

one frame of each different picture ─ minus the light around each pixel ─► pixels that always stand out ─ filled in
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.proof.conform.places.vectors import vectors_of

_ALIKE = 0.6  # correlation from which on two frames show the same
_LOOKS = 200  # frames of a trailer
_FEWEST, _MOST = 12, 60  # different pictures by which a logo is told from what the pictures show; that are compared
_AROUND = 15  # pixels of a thumbnail: the window whose light is taken away
_STANDS_OUT = 8.0  # levels above or below that light
_LIGHT = 110  # levels: a bright logo shows over what is darker, a dark one over what is lighter
_ALWAYS = 0.9  # share of the pictures in which it does
_LARGEST = 0.05  # share of the picture: what is larger is no logo
_EDGE = 3  # pixels by which its blurred edge is taken away too
_FILLED = 2.0  # pixels around it that it is filled in from


def logo_in(luma: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels of a trailer's frames [n, 45, 80] are of a logo [45, 80]."""
    shown = _different(luma[:: max(1, len(luma) // _LOOKS)])
    nothing = np.zeros(luma.shape[1:], np.bool_)
    if len(shown) < _FEWEST:
        return nothing
    around = np.stack([cv2.blur(p, (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT) for p in shown]).astype(np.int16)
    stands, always = shown - around, np.zeros(nothing.shape, np.bool_)
    for out, contrary in ((stands > _STANDS_OUT, around < _LIGHT), (stands < -_STANDS_OUT, around > _LIGHT)):
        count = contrary.sum(0)
        always |= (count >= _FEWEST) & ((out & contrary).sum(0) >= _ALWAYS * count)
    logo = cv2.dilate(always.astype(np.uint8), np.ones((_EDGE, _EDGE), np.uint8)) > 0
    return nothing if logo.mean() > _LARGEST else np.asarray(logo, np.bool_)


def _different(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Some frames of which no two show the same."""
    vectors, kept = vectors_of(luma), list[int]()
    for row in range(len(luma)):
        if len(kept) < _MOST and (not kept or float((vectors[kept] @ vectors[row]).max()) < _ALIKE):
            kept.append(row)
    return luma[kept]


def without(luma: NDArray[np.uint8], logo: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The frames with what lies around a logo in its place."""
    if not logo.any():
        return luma
    return np.stack([cv2.inpaint(picture, logo.astype(np.uint8), _FILLED, cv2.INPAINT_TELEA) for picture in luma])
