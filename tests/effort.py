"""How much work something is, counted rather than timed; and how much of all that could be tried `make test` tries."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Container, Iterable, Mapping, Set
from typing import Any, TypeVar

import pytest

GIVE_UP = 600  # seconds after which a test waits no longer: a hang has an end, and nothing must be done by then


def effort(work: Callable[[], object]) -> int:
    """The function calls that a piece of work makes, those into C included."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


Case = TypeVar("Case")


def as_few_as_hold_all(cases: Mapping[Case, Set[object]]) -> list[Case]:
    """A few of the cases that together have everything that any of them has."""
    chosen, wanted = list[Case](), set[object]().union(*cases.values())
    while wanted:
        chosen.append(max(cases, key=lambda case: len(cases[case] & wanted)))
        wanted -= cases[chosen[-1]]
    return chosen


def mostly_slow(cases: Iterable[Case], quick: Container[Case]) -> list[Any]:
    """Cases of which `make test` runs the `quick` ones, and `make test-slow` the others."""
    return [case if case in quick else pytest.param(case, marks=pytest.mark.slow) for case in cases]


rounds = pytest.mark.parametrize("go", [0, *(pytest.param(go, marks=pytest.mark.slow) for go in range(1, 10))])
"""Of a test of random examples: `make test` makes one round of them, `make test-slow` nine more."""
