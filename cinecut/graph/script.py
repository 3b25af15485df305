"""The graph as FFmpeg's text. All quoting happens here, in one function.

One filter a line. Filters that follow each other need no names between them; where chains part and meet, a pad is
called by its node's label, so that a script of one event more differs by that event's lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

from cinecut.graph.nodes import Arg, Node, Pad, nodes_of

# How FFmpeg builds call the option that names a graph's script.
SCRIPT_OPTIONS = {
    "modern": "-/filter_complex",  # 7.0 and later
    "classic": "-filter_complex_script",  # up to 8
}


def quote(text: str) -> str:
    """A text as one option's value in a filter script, whatever signs it holds.

    >>> quote("a:b, [c]")
    'a\\\\\\\\:b\\\\, \\\\[c\\\\]'
    """
    if _PLAIN.fullmatch(text):
        return text
    option = re.sub(r"([\\':])", r"\\\1", text)
    option = re.sub(r"^\s|\s$", lambda blank: "\\" + blank[0], option)
    graph = re.sub(r"([\\'\[\],;])", r"\\\1", option)
    return re.sub(r"\s$", lambda blank: "\\" + blank[0], graph)  # the graph level trims its own end once more


_PLAIN = re.compile(r"[^\\':\[\],;\s]*")


def sources_of(nodes: Iterable[Node]) -> list[Node]:
    """The inputs of a graph in the order in which FFmpeg numbers them: by name, so that a new one shifts few."""
    return sorted((node for node in nodes if node.filter == "input"), key=lambda node: str(node.args))


def print_script(sinks: Sequence[Pad], names: Sequence[str]) -> str:
    """The script of a graph; `names` are the labels of the sinks."""
    labels, nodes = dict(zip(sinks, names, strict=True)), list(nodes_of(sinks))
    for number, node in enumerate(sources_of(nodes)):
        labels[Pad(node)] = f"{number}:{dict(node.args)['stream']}:0"
    counted: Counter[str] = Counter()
    text: list[str] = []
    last: Pad | None = None  # the end of the chain that is being written
    for node in nodes:
        if node.filter == "input":
            continue
        if last is not None and node.ins == (last,) and last not in labels:
            text.append(",\n")
        else:
            if last is not None:
                text.append(_open_end(last, labels, counted))
            text += [f"[{labels[pad]}]" for pad in node.ins]
        text.append(_written(node))
        last = None
        if len(node.outs) == 1:
            last = Pad(node)
        else:
            pads = [Pad(node, index) for index in range(len(node.outs))]
            text += [f"[{_label(pad, labels, counted)}]" for pad in pads] + [";\n"]
    if last is not None:
        text.append(_open_end(last, labels, counted))
    return "".join(text).removesuffix(";\n") + "\n"


def _open_end(pad: Pad, labels: dict[Pad, str], counted: Counter[str]) -> str:
    """The end of a chain, with the label by which another chain continues it."""
    return f"[{_label(pad, labels, counted)}];\n"


def _label(pad: Pad, labels: dict[Pad, str], counted: Counter[str]) -> str:
    if pad not in labels:
        counted[pad.node.label] += 1
        labels[pad] = f"{pad.node.label}.{counted[pad.node.label]}"
    return labels[pad]


def _written(node: Node) -> str:
    name = f"{node.filter}@{node.label}" if node.label else node.filter
    args = ":".join(f"{key}={_text(value)}" if key != "args" else _text(value) for key, value in node.args)
    return f"{name}={args}" if args else name


def _text(value: Arg) -> str:
    if isinstance(value, str):
        return quote(value)
    return f"{value.numerator}/{value.denominator}" if isinstance(value, Fraction) else str(value)
