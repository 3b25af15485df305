"""How the shots of a film look: the pictures at their moments, measured by two threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from threading import Event

from cinecut.analysis.film.pictures import Moment
from cinecut.analysis.film.pictures import look as look_at
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Appearance, observe, together
from cinecut.analysis.stage import Stage
from cinecut.language.facts import FilmFacts


def appearances(
    film: Path,
    facts: FilmFacts,
    shots: Sequence[FilmShot],
    moments: Sequence[Moment],
    progress: Callable[[float], None],
) -> dict[int, Appearance]:
    """How each shot looks, by its index, from the pictures at its moments; two halves of the film at once."""
    middle = len(moments) // 2
    halves = [half for half in (moments[:middle], moments[middle:]) if half]
    done, stopped = [0.0] * len(halves), Event()

    def observed(number: int) -> list[Appearance]:
        def heard(share: float) -> None:
            if stopped.is_set():
                raise CancelledError
            done[number] = share
            progress(sum(done) / len(done))

        return [observe(p) for p in look_at(film, facts, shots, halves[number], heard)]

    found: dict[int, list[Appearance]] = {}
    with ThreadPoolExecutor(2) as pool:
        try:
            for seen in chain.from_iterable(pool.map(observed, range(len(halves)))):
                found.setdefault(seen.shot, []).append(seen)
        except BaseException:  # an interrupt, say: the threads shall not finish their films first
            stopped.set()
            raise
    return {index: together(seen) for index, seen in found.items()}


LOOKS = Stage("looks", dict[int, Appearance], appearances)
