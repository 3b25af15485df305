"""The graph as FFmpeg's text, and the plan as FFmpeg's arguments. All quoting happens here, in one function."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cinecut.graph.nodes import Arg, Node, Pad, nodes_of


@dataclass(frozen=True, slots=True)
class Build:
    """How one FFmpeg build wants things spelled."""

    script_option: str


BUILDS = {
    "modern": Build("-/filter_complex"),  # 7.0 and later
    "classic": Build("-filter_complex_script"),  # up to 8
}


def quote(text: str) -> str:
    """A text as one option's value in a filter script, whatever signs it holds.

    >>> quote("a:b, [c]")
    'a\\\\\\\\:b\\\\, \\\\[c\\\\]'
    """
    option = re.sub(r"([\\':])", r"\\\1", text)
    option = re.sub(r"^\s|\s$", lambda blank: "\\" + blank[0], option)
    graph = re.sub(r"([\\'\[\],;])", r"\\\1", option)
    return re.sub(r"\s$", lambda blank: "\\" + blank[0], graph)  # the graph level trims its own end once more


def sources_of(sinks: Sequence[Pad]) -> list[Node]:
    """What a graph reads, in the order in which FFmpeg numbers its inputs."""
    return [node for node in nodes_of(sinks) if node.filter == "input"]


def print_script(sinks: Sequence[Pad], names: Sequence[str]) -> str:
    """One filter a line; `names` are the labels of the sinks."""
    labels = dict(zip(sinks, names, strict=True))
    lines = []
    for number, node in enumerate(sources_of(sinks)):
        labels[Pad(node)] = f"{number}:{dict(node.args)['stream']}:0"
    for node in nodes_of(sinks):
        if node.filter == "input":
            continue
        for index in range(len(node.outs)):
            labels.setdefault(Pad(node, index), f"p{len(labels)}")
        lines.append(_line(node, labels))
    return ";\n".join(lines) + "\n"


def _line(node: Node, labels: dict[Pad, str]) -> str:
    ins = "".join(f"[{labels[pad]}]" for pad in node.ins)
    outs = "".join(f"[{labels[Pad(node, index)]}]" for index in range(len(node.outs)))
    name = f"{node.filter}@{node.label}" if node.label else node.filter
    args = ":".join(f"{key}={_text(value)}" if key != "args" else _text(value) for key, value in node.args)
    return f"{ins}{name}{'=' + args if args else ''}{outs}"


def _text(value: Arg) -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return str(value) if isinstance(value, int) else quote(value)
