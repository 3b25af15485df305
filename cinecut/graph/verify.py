"""The rules of a graph: a table of what each filter takes and gives, and the check against it.

FFmpeg puts conversions of its own where two filters do not fit, and says nothing. So everything fits here: each format
is one in which its filter works, what joins streams gets streams alike, and a filter changes what it is there for and
nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cinecut.graph.nodes import HOLE, Format, GraphError, Node, Pad, Video, nodes_of

_YUV = r"yuv[aj]?4\w+"
PLANAR = re.compile(rf"{_YUV}|gbra?p(\d+le)?")  # formats that keep each plane by itself
_DRAWN = re.compile(rf"{_YUV}|gbra?p(\d+le)?|rgb24|rgba|gray")  # on which FFmpeg can draw
_FADED = re.compile(rf"{_YUV}|gbrp|rgb24|rgba")
_ALL = re.compile(r"\w*")


@dataclass(frozen=True, slots=True)
class Rule:
    """One filter: the kinds of its input and output pads (`v` pictures, `a` sound, `+` one or more of the last), the
    formats that it works in, and the properties that it changes. Several inputs must be alike."""

    takes: str
    gives: str
    formats: re.Pattern[str] = _ALL
    changes: tuple[str, ...] = ()


_PICTURE, _SOUND = ("v", "v"), ("a", "a")
_FLOATS = re.compile("fltp")

RULES: dict[str, Rule] = {
    # pictures: stamps
    "settb": Rule(*_PICTURE, changes=("time_base",)),
    "setpts": Rule(*_PICTURE, changes=("rate",)),
    "trim": Rule(*_PICTURE),
    "tpad": Rule(*_PICTURE),
    "fps": Rule(*_PICTURE, changes=("rate", "time_base")),
    # pictures: shape
    "bwdif": Rule(*_PICTURE, PLANAR, changes=("time_base",)),
    "hflip": Rule(*_PICTURE),
    "vflip": Rule(*_PICTURE),
    "transpose": Rule(*_PICTURE, changes=("width", "height", "sar", "pix_fmt")),
    "crop": Rule(*_PICTURE, changes=("width", "height")),
    "pad": Rule(*_PICTURE, _DRAWN, changes=("width", "height")),
    "scale": Rule(*_PICTURE, changes=("width", "height", "pix_fmt", "sar")),
    "setsar": Rule(*_PICTURE, changes=("sar",)),
    "boxblur": Rule(*_PICTURE, PLANAR),
    # pictures: colour. `zscale` and `color` put out what the `format` behind them says.
    "zscale": Rule(*_PICTURE, re.compile(rf"{PLANAR.pattern}|gbrpf32le"), changes=("pix_fmt",)),
    "format": Rule(*_PICTURE),
    "setparams": Rule(*_PICTURE),
    "tonemap": Rule(*_PICTURE, re.compile("gbrpf32le")),
    "lut1d": Rule(*_PICTURE, re.compile("gbrp16le")),
    "lut3d": Rule(*_PICTURE, re.compile("gbrp16le")),
    "fade": Rule(*_PICTURE, _FADED),
    "ass": Rule(*_PICTURE, _DRAWN),
    # pictures: joined, parted, made
    "blend": Rule("vv", "v", PLANAR),
    "overlay": Rule("vv", "v", re.compile(r"yuva?4\w+")),  # see `_check_overlay`
    "split": Rule("v", "v+"),
    "color": Rule("", "v"),
    # sound
    "pan": Rule(*_SOUND, changes=("layout",)),
    "aresample": Rule(*_SOUND, changes=("rate", "sample_fmt", "time_base")),
    "asettb": Rule(*_SOUND, changes=("time_base",)),
    "asetpts": Rule(*_SOUND),
    "atrim": Rule(*_SOUND),
    "apad": Rule(*_SOUND),
    "adelay": Rule(*_SOUND, _FLOATS),
    "afade": Rule(*_SOUND, _FLOATS),
    "atempo": Rule(*_SOUND, re.compile("flt")),
    "volume": Rule(*_SOUND, _FLOATS),
    "acompressor": Rule(*_SOUND, re.compile("dbl")),
    "alimiter": Rule(*_SOUND, re.compile("dbl")),
    "ebur128": Rule(*_SOUND, re.compile("dbl")),
    HOLE: Rule(*_SOUND, _FLOATS),
    "acrossfade": Rule("aa", "a", _FLOATS),
    "amultiply": Rule("aa", "a", _FLOATS),
    "amix": Rule("a+", "a", _FLOATS),
    "asplit": Rule("a", "a+"),
    "aevalsrc": Rule("", "a"),
    "anullsrc": Rule("", "a"),
}
_CONCAT = {"v": Rule("v+", "v", changes=("time_base", "rate")), "a": Rule("a+", "a", changes=("time_base",))}


def verify(sinks: Sequence[Pad]) -> None:
    """Raise GraphError for a graph that breaks a rule, has a pad that feeds two filters, or a pad that leads
    nowhere."""
    consumed: dict[Pad, Node | None] = dict.fromkeys(sinks)
    if len(consumed) != len(sinks):
        raise GraphError("one pad feeds two outputs")
    nodes = list(nodes_of(sinks))
    for node in nodes:
        for pad in node.ins:
            if pad in consumed:
                raise GraphError(
                    f"{pad.node!r} output {pad.index} feeds both {consumed[pad] or 'the output'} and {node!r}"
                )
            consumed[pad] = node
        _check(node)
    if len(consumed) == sum(len(node.outs) for node in nodes):
        return
    for node in nodes:
        for index in range(len(node.outs)):
            if Pad(node, index) not in consumed:
                raise GraphError(f"{node!r} output {index} goes nowhere")


def _check(node: Node) -> None:
    if node.filter == "input":
        return
    ins = [pad.node.outs[pad.index] for pad in node.ins]
    rule = _CONCAT[_kind(ins[0])] if node.filter == "concat" else RULES.get(node.filter)
    if rule is None:
        raise GraphError(f"{node!r} is in no table: nothing is known of what it takes")
    if not _fits(ins, rule.takes) or not _fits(node.outs, rule.gives):
        raise GraphError(f"{node!r} takes {rule.takes or 'nothing'} and gives {rule.gives}: not {ins}, {node.outs}")
    for format in ins:
        if not rule.formats.fullmatch(_format_name(format)):
            raise GraphError(f"{node!r} does not work in {_format_name(format) or 'whatever comes'}")
    if node.filter == "overlay":
        _check_overlay(node)
    elif len(ins) > 1 and any(format != ins[0] for format in ins[1:]):
        raise GraphError(f"{node!r} joins unlike streams: {', '.join(map(str, ins))}")
    if ins:
        _check_changes(node, ins[0], rule)


def _kind(format: Format) -> str:
    return "v" if isinstance(format, Video) else "a"


def _fits(formats: Sequence[Format], kinds: str) -> bool:
    letters = "".join(map(_kind, formats))
    return letters == kinds or (kinds.endswith("+") and bool(letters) and set(letters) == {kinds[0]})


def _format_name(format: Format) -> str:
    return format.pix_fmt if isinstance(format, Video) else format.sample_fmt


def _check_changes(node: Node, before: Format, rule: Rule) -> None:
    for after in node.outs:
        if after == before:
            continue
        for name in before.__match_args__:
            if name not in rule.changes and getattr(before, name) != getattr(after, name):
                raise GraphError(f"{node!r} cannot change `{name}`: {before} to {after}")


OVERLAYS = {  # what `overlay` calls the formats in which it can lay one picture over another, and the upper one's
    "yuv420p": ("yuv420", "yuva420p"),
    "yuv422p": ("yuv422", "yuva422p"),
    "yuv444p": ("yuv444", "yuva444p"),
    "yuv420p10le": ("yuv420p10", "yuva420p10le"),
    "yuv422p10le": ("yuv422p10", "yuva422p10le"),
}


def _check_overlay(node: Node) -> None:
    """The upper picture must have the lower one's format with transparency."""
    below, above = (pad.video.pix_fmt for pad in node.ins)
    if OVERLAYS.get(below, ("", ""))[1] != above:
        raise GraphError(f"{node!r} cannot lay {above} over {below}")
