"""The filter graph as frozen values: nodes, pads and the formats that run between them.

A graph is its sinks: every node is reached from them through `ins`. What is legal `verify` states; a hole is the place
of filters that only a measurement can tell, and is filled when the script is printed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Video:
    """Pictures: size in pixels, frames per second (None: variable), pixel format, unit of the timestamps."""

    width: int
    height: int
    pix_fmt: str
    rate: Fraction | None = None
    time_base: Fraction | None = None
    sar: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound: samples per second, channel layout, unit of the timestamps, sample format (empty: unknown)."""

    rate: int
    layout: str
    time_base: Fraction | None = None
    sample_fmt: str = ""


Format = Video | Audio
Arg = str | int | Fraction
HOLE = "anull"  # what stands in a hole that nothing has filled: it passes sound on as it is


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One filter, or an input stream if `filter` is `input`. `label` connects FFmpeg's messages with the spec."""

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
    """The compiler built a graph that FFmpeg would refuse: an error in cinecut, never in a spec."""


def nodes_of(sinks: Sequence[Pad]) -> Iterator[Node]:
    """Every node once, each after its inputs; a chain without branches stays together. Iterative, since a chain may be
    thousands of nodes long."""
    done: set[Node] = set()
    stack: list[Node | None] = []  # None: the node below it has had all its inputs
    stack += [pad.node for pad in reversed(sinks)]
    while stack:
        node = stack.pop()
        if node is None:
            node = stack.pop()
            assert node is not None
            if node not in done:
                done.add(node)
                yield node
        elif node not in done:
            stack += [node, None]
            stack += [pad.node for pad in reversed(node.ins) if pad.node not in done]


def split(pad: Pad, copies: int, label: str) -> list[Pad]:
    """`copies` copies of a stream."""
    if copies == 1:
        return [pad]
    kind = "split" if isinstance(pad.format, Video) else "asplit"
    node = Node(kind, (pad,), (("outputs", copies),), (pad.format,) * copies, label)
    return [Pad(node, index) for index in range(copies)]


def filled(sinks: Sequence[Pad], fillings: Mapping[str, Callable[[Pad], Pad]]) -> list[Pad]:
    """The graph with its holes filled, by label: each filling turns the incoming sound into the outgoing one. Nodes
    that do not depend on a hole stay the same objects."""
    moved: dict[Pad, Pad] = {}
    for node in nodes_of(sinks):
        ins = tuple(moved.get(pad, pad) for pad in node.ins)
        if node.filter == HOLE and node.label in fillings:
            moved[Pad(node)] = fillings[node.label](ins[0])
        elif ins != node.ins:
            again = Node(node.filter, ins, node.args, node.outs, node.label)
            moved |= {Pad(node, index): Pad(again, index) for index in range(len(node.outs))}
    return [moved.get(pad, pad) for pad in sinks]


def pruned(sinks: Sequence[Pad]) -> list[Pad]:
    """The part of a graph that some of its sinks need: a split with unused copies gets fewer."""
    used = {*sinks, *(pad for node in nodes_of(sinks) for pad in node.ins)}
    moved: dict[Pad, Pad] = {}
    for node in nodes_of(sinks):
        ins = tuple(moved.get(pad, pad) for pad in node.ins)
        taken = [pad for index in range(len(node.outs)) if (pad := Pad(node, index)) in used]
        if len(taken) < len(node.outs):
            moved |= dict(zip(taken, split(ins[0], len(taken), node.label), strict=True))
        elif ins != node.ins:
            again = Node(node.filter, ins, node.args, node.outs, node.label)
            moved |= {pad: Pad(again, pad.index) for pad in taken}
    return [moved.get(pad, pad) for pad in sinks]


_OPENED = "use"  # how often a file is opened is not what it holds


def digest(sinks: Sequence[Pad]) -> str:
    """Forty hexadecimal digits of everything that the sinks show or play: filters, arguments, connections, and the
    names of the files read, which the working folder makes from their content."""
    known: dict[Node, str] = {}

    def named(pad: Pad) -> str:
        return f"{known[pad.node]}.{pad.index}"

    for node in nodes_of(sinks):
        args = [(key, value) for key, value in node.args if key != _OPENED]
        known[node] = _sum(node.filter, args, node.outs, *map(named, node.ins))
    return _sum(*map(named, sinks))


def _sum(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]
