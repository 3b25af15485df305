"""What a part of a graph is, as a short text: the same wherever it stands, whatever its labels are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cinecut.graph.nodes import Node, Pad, nodes_of

_OPENED = "use"  # how often a file is opened is not what it holds


def digest(sinks: Sequence[Pad]) -> str:
    """Forty hexadecimal signs of all that the sinks show or sound like: filters, their arguments, how they hang
    together, and the names of the files that they read, which in a working folder are made of what they hold."""
    known: dict[Node, str] = {}

    def named(pad: Pad) -> str:
        return f"{known[pad.node]}.{pad.index}"

    for node in nodes_of(sinks):
        args = [(key, value) for key, value in node.args if key != _OPENED]
        known[node] = _sum(node.filter, args, node.outs, *map(named, node.ins))
    return _sum(*map(named, sinks))


def _sum(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]
