"""The filter graph as frozen values: nodes, pads and the formats that run between them.

A graph is its sinks: every node is reached from them through `ins`. `verify` states what is legal: every input pad has
the kind and format its filter takes, and every output pad is consumed exactly once (a split is a node, never assumed).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Video:
    """Pictures: size in pixels, frames per second (None: as they come), pixel format, unit of the stamps."""

    width: int
    height: int
    pix_fmt: str
    rate: Fraction | None = None
    time_base: Fraction | None = None
    sar: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound: samples per second, channel layout, unit of the stamps."""

    rate: int
    layout: str
    time_base: Fraction | None = None


Format = Video | Audio
Arg = str | int | Fraction


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One filter, or an input stream where `filter` is `input`. `label` leads from FFmpeg's words to the spec."""

    filter: str
    ins: tuple[Pad, ...]
    args: tuple[tuple[str, Arg], ...]
    outs: tuple[Format, ...]
    label: str = ""

    def __repr__(self) -> str:  # the default one would print the whole graph behind it
        return f"Node({self.filter}@{self.label})"


@dataclass(frozen=True, slots=True)
class Pad:
    """One output of a node."""

    node: Node
    index: int = 0

    @property
    def format(self) -> Format:
        return self.node.outs[self.index]

    @property
    def video(self) -> Video:
        if not isinstance(self.format, Video):
            raise GraphError(f"{self.node!r} puts out sound where a picture is needed")
        return self.format

    @property
    def audio(self) -> Audio:
        if not isinstance(self.format, Audio):
            raise GraphError(f"{self.node!r} puts out pictures where sound is needed")
        return self.format


class GraphError(Exception):
    """The compiler built a graph that FFmpeg would refuse: a defect of cinecut, never of a spec."""


def nodes_of(sinks: Sequence[Pad]) -> Iterator[Node]:
    """Every node once, each after the nodes it reads from. Iterative: a chain may be thousands of nodes long."""
    done: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(pad.node, False) for pad in reversed(sinks)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done.add(node)
            yield node
        else:
            stack.append((node, True))
            stack += [(pad.node, False) for pad in reversed(node.ins)]


def verify(sinks: Sequence[Pad]) -> None:
    """Raise GraphError where the graph is not legal."""
    consumed: dict[Pad, str] = dict.fromkeys(sinks, "the output")
    if len(consumed) != len(sinks):
        raise GraphError("one pad feeds two outputs")
    nodes = list(nodes_of(sinks))
    for node in nodes:
        for pad in node.ins:
            if pad in consumed:
                raise GraphError(f"{pad.node!r} output {pad.index} feeds both {consumed[pad]} and {node!r}")
            consumed[pad] = repr(node)
        _check_equal(node)
    for node in nodes:
        for index in range(len(node.outs)):
            if Pad(node, index) not in consumed:
                raise GraphError(f"{node!r} output {index} goes nowhere")


_SAME_FORMAT = {"concat", "blend", "acrossfade", "amix"}


def _check_equal(node: Node) -> None:
    """Filters that join streams take only streams of one format."""
    if node.filter in _SAME_FORMAT and len({pad.format for pad in node.ins}) > 1:
        formats = ", ".join(str(pad.format) for pad in node.ins)
        raise GraphError(f"{node!r} joins unlike streams: {formats}")
