"""Unit vectors in a byte a number, and their products with a query: all of them, so that nothing is missed.

100,000 vectors of 384 numbers are 38 MB, read once from the disk's cache, in blocks that stay in the processor's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK = 2048  # rows at a time


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """`rows` [count x width], each times its own of `scales` [count]."""

    rows: NDArray[np.int8]
    scales: NDArray[np.float32]

    @classmethod
    def of(cls, exact: NDArray[np.float32]) -> Vectors:
        """Rounded to 255 steps of each row's own largest number."""
        largest = np.abs(exact).max(axis=1, initial=1e-12, keepdims=True)
        rows = np.rint(exact * (127 / largest)).astype(np.int8)
        return cls(rows, np.asarray(largest[:, 0] / 127, np.float32))

    @classmethod
    def empty(cls, width: int) -> Vectors:
        return cls(np.zeros((0, width), np.int8), np.zeros(0, np.float32))

    def products(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """[count x queries] of the rows with each of the queries [queries x width]."""
        found = np.empty((len(self.rows), len(queries)), np.float32)
        turned = np.ascontiguousarray(queries.T)
        block = np.empty((_BLOCK, self.rows.shape[1]), np.float32)
        for start in range(0, len(self.rows), _BLOCK):
            part = self.rows[start : start + _BLOCK]
            block[: len(part)] = part
            np.matmul(block[: len(part)], turned, out=found[start : start + len(part)])
        found *= self.scales[:, None]
        return found
