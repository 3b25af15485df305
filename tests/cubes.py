"""What a LUT file does to a colour, worked out apart from FFmpeg."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cinecut.grade.cube import Cube, Domain, Table

Colors = NDArray[np.float64]  # [shape=(n, 3)]


def apply_cube(cube: Cube, rgb: Colors) -> Colors:
    """Colours as the file shows them: linear in a curve, tetrahedral in a table."""
    colors = np.asarray(rgb, np.float64)
    if cube.curve is not None:
        steps = _shares(colors, cube.curve_domain) * (len(cube.curve) - 1)
        count = np.arange(len(cube.curve))
        colors = np.stack([np.interp(steps[:, k], count, cube.curve[:, k]) for k in range(3)], axis=1)
    if cube.table is not None:
        colors = _tetrahedral(cube.table, _shares(colors, cube.table_domain))
    return colors


def _shares(colors: Colors, domain: Domain) -> Colors:
    """Where colours lie in a domain, from 0 to 1; outside of it at its ends."""
    low, high = np.array(domain)
    shares: Colors = np.clip((colors - low) / (high - low), 0.0, 1.0)
    return shares


def _tetrahedral(table: Table, colors: Colors) -> Colors:
    """From the corner below a colour to the one above, along the edges in the order of the largest step."""
    places = colors * (len(table) - 1)
    corner = np.minimum(places.astype(np.int64), len(table) - 2)
    steps = places - corner
    order = np.argsort(-steps, axis=1, kind="stable")
    falling = np.take_along_axis(steps, order, axis=1)
    weights = -np.diff(falling, axis=1, prepend=1.0, append=0.0)
    found: Colors = weights[:, [0]] * table[tuple(corner.T)]
    for k in range(3):
        np.put_along_axis(corner, order[:, [k]], np.take_along_axis(corner, order[:, [k]], axis=1) + 1, axis=1)
        found += weights[:, [k + 1]] * table[tuple(corner.T)]
    return found
