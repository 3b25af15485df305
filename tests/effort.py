"""How much work something is, counted rather than timed: the same on a slow machine and on a busy one."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable


def effort(work: Callable[[], object]) -> int:
    """The function calls that a piece of work makes, those into C included."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]
