"""The master brings a mix to its loudness. Its values are known only after the mix is measured; until then the graph
has a hole in its place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from cinecut.graph import sounds
from cinecut.graph.nodes import Pad, split


@dataclass(frozen=True, slots=True)
class Master:
    """The last step of a mix: a gain in dB, the limiter's ceiling in dB if one is needed, and the level in dB above
    which loud passages are evened out, if they must be."""

    gain: Fraction
    ceiling: Fraction | None = None
    threshold: Fraction | None = None

    @property
    def linear(self) -> Master:
        """Its gain alone, for parts of the mix that must add up to the whole."""
        return Master(self.gain)


def lower_masters(mix: Pad, kinds: Mapping[str, Hashable]) -> dict[str, Pad]:
    """The mix of each output, by name, with a hole for its master. Outputs of one kind (loudness and encoder) share it;
    those of kind None stay as they are."""
    pads = dict[str, Pad]()
    wanted = list(dict.fromkeys(kinds.values()))
    for kind, copy in zip(wanted, split(mix, len(wanted), "mix"), strict=True):
        names = [name for name, other in kinds.items() if other == kind]
        mastered = copy if kind is None else sounds.hole(copy, hole_of(names[0]))
        pads |= dict(zip(names, split(mastered, len(names), "master"), strict=True))
    return pads


def hole_of(name: str) -> str:
    """The label of the hole for an output's master."""
    return f"master_{name}" if name else "master"


def lower_master(pad: Pad, master: Master | None, samples: int, rough: bool = False) -> Pad:
    """The mastered mix. A `rough` one is as loud in a third of the time, but some peaks pass the limiter."""
    if master is None:
        return pad
    pad = sounds.volume(pad, master.gain, "master")
    if master.threshold is not None:
        pad = sounds.even_out(pad, master.threshold, "master")
    return pad if master.ceiling is None else sounds.limit(pad, master.ceiling, samples, "master", 1 if rough else 4)
