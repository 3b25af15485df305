"""How much work something is, counted rather than timed; and how much of all that could be tried `make test` tries."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Container, Iterable
from typing import Any

import pytest

GIVE_UP = 600  # seconds after which a test waits no longer: a hang has an end, and nothing must be done by then


def effort(work: Callable[[], object]) -> int:
    """The function calls that a piece of work makes, those into C included."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def mostly_slow(cases: Iterable[str], quick: Container[str]) -> list[Any]:
    """Cases of which `make test` runs the `quick` ones, and `make test-slow` the others."""
    return [case if case in quick else pytest.param(case, marks=pytest.mark.slow) for case in cases]


rounds = pytest.mark.parametrize("go", [0, *(pytest.param(go, marks=pytest.mark.slow) for go in range(1, 6))])
"""Of a test of random examples: `make test` makes one round of them, `make test-slow` five more."""
