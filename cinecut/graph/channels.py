"""Channels of a sound: FFmpeg's layouts, and the mix from any of them to stereo or 5.1."""

from __future__ import annotations

import re
from functools import cache

_LAYOUTS = {  # FFmpeg's names and the channels behind them, in their order
    "mono": "FC", "stereo": "FL FR", "2.1": "FL FR LFE", "3.0": "FL FR FC", "3.0(back)": "FL FR BC",
    "4.0": "FL FR FC BC", "quad": "FL FR BL BR", "quad(side)": "FL FR SL SR", "3.1": "FL FR FC LFE",
    "5.0": "FL FR FC BL BR", "5.0(side)": "FL FR FC SL SR", "4.1": "FL FR FC LFE BC", "5.1": "FL FR FC LFE BL BR",
    "5.1(side)": "FL FR FC LFE SL SR", "6.0": "FL FR FC BC SL SR", "6.0(front)": "FL FR FLC FRC SL SR",
    "3.1.2": "FL FR FC LFE TFL TFR", "hexagonal": "FL FR FC BL BR BC", "6.1": "FL FR FC LFE BC SL SR",
    "6.1(back)": "FL FR FC LFE BL BR BC", "6.1(front)": "FL FR LFE FLC FRC SL SR", "7.0": "FL FR FC BL BR SL SR",
    "7.0(front)": "FL FR FC FLC FRC SL SR", "7.1": "FL FR FC LFE BL BR SL SR",
    "7.1(wide)": "FL FR FC LFE BL BR FLC FRC",
    "7.1(wide-side)": "FL FR FC LFE FLC FRC SL SR", "7.1(top)": "FL FR FC LFE BL BR TFL TFR",
    "5.1.2": "FL FR FC LFE SL SR TFL TFR", "5.1.2(back)": "FL FR FC LFE BL BR TFL TFR",
    "octagonal": "FL FR FC BL BR BC SL SR", "cube": "FL FR BL BR TFL TFR TBL TBR",
    "5.1.4": "FL FR FC LFE SL SR TFL TFR TBL TBR", "5.1.4(back)": "FL FR FC LFE BL BR TFL TFR TBL TBR",
    "7.1.2": "FL FR FC LFE BL BR SL SR TFL TFR", "7.1.4": "FL FR FC LFE BL BR SL SR TFL TFR TBL TBR",
    "7.1.4(back)": "FL FR FC LFE BL BR SL SR TFL TFR TBL TBR", "7.2.3": "FL FR FC LFE BL BR SL SR TFL TFR TBC LFE2",
    "9.1.4": "FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR", "downmix": "DL DR", "binaural": "BIL BIR",
    "9.1.6": "FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR TSL TSR",
    "hexadecagonal": "FL FR FC BL BR BC SL SR TFL TFC TFR TBL TBC TBR WL WR",
    "22.2": "FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR LFE2 TSL TSR BFC BFL BFR",
}  # fmt: skip
USUAL = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}  # of so many channels
_MANY = {10: "5.1.4", 12: "7.1.4", 14: "9.1.4", 16: "hexadecagonal", 24: "22.2"}
_FRONT = {"FL": "L", "DL": "L", "BIL": "L", "FR": "R", "DR": "R", "BIR": "R"}
_SURROUND = {  # where channels of other layouts go in 5.1, if not to the front of their side or to the centre
    "LFE": ("LFE",), "LFE2": ("LFE",), "BL": ("BL",), "SL": ("BL",), "TBL": ("BL",), "TSL": ("BL",), "BR": ("BR",),
    "SR": ("BR",), "TBR": ("BR",), "TSR": ("BR",), "BC": ("BL", "BR"), "TBC": ("BL", "BR"),
}  # fmt: skip
_MINUS_3_DB, _MINUS_6_DB = 0.7071, 0.5


def channels_of(layout: str) -> list[str]:
    """The channels of a layout, by FFmpeg's names for both; `6 channels` and the like get the usual ones. A channel of
    unknown place is treated as a centre."""
    if names := re.search(r"([A-Z][A-Z0-9]*(?:\+[A-Z][A-Z0-9]*)+|(?<=\()[A-Z]+(?=\)))\)?$", layout):
        return names[1].split("+")
    if match := re.fullmatch(r"(\d+) channels", layout):
        usual = (USUAL | _MANY).get(int(match[1]))
        return channels_of(usual) if usual else ["FC"] * int(match[1])
    return _LAYOUTS.get(layout, "FC").split()


@cache
def downmix(layout: str) -> str:
    """The arguments of `pan` from a layout to stereo, after ITU-R BS.775: centre and surrounds at -3 dB (several per
    side at -6 each), no LFE. `<` scales the sum so that nothing clips."""
    names = channels_of(layout)
    if len(names) == 1:
        return "stereo|c0=c0|c1=c0"
    left, right = _sides(names)
    sign = "<" if max(len(left), len(right)) > 1 else "="
    return f"stereo|c0{sign}{_sum(left)}|c1{sign}{_sum(right)}"


@cache
def surround(layout: str) -> str:
    """The arguments of `pan` from a layout to 5.1: each channel at its place, or at the nearest one; a mono sound at
    the front. The film keeps the loudness of its stereo mix, so that music and effects balance with it alike."""
    names = channels_of(layout)
    if len(names) == 1:
        return "5.1|c0=c0|c1=c0"
    scale = 1 / max(sum(weight for weight, _ in side) for side in _sides(names))
    places: dict[str, list[tuple[float, int]]] = {place: [] for place in channels_of("5.1")}
    for number, name in enumerate(names):
        targets = _SURROUND.get(name) or ({"L": "FL", "R": "FR"}.get(name[-1], "FC"),)
        for target in targets:
            places[target].append((scale * (1 if len(targets) == 1 else _MINUS_3_DB), number))
    return "|".join(["5.1", *(f"c{at}={_sum(terms)}" for at, terms in enumerate(places.values()) if terms)])


def _sides(names: list[str]) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
    """The left and the right side of a downmix: weight and number of each channel."""
    beside = [name for name in names if (name not in _FRONT and name[-1] in "LR") or name in ("FLC", "FRC")]
    weight = _MINUS_3_DB if len(beside) <= 2 else _MINUS_6_DB
    left, right = list[tuple[float, int]](), list[tuple[float, int]]()
    for number, name in enumerate(names):
        if name in _FRONT:
            (left if _FRONT[name] == "L" else right).append((1, number))
        elif name in beside:
            (right if "R" in name else left).append((weight, number))
        elif not name.startswith("LFE"):
            for side in (left, right):
                side.append((_MINUS_3_DB if name == "FC" else _MINUS_6_DB, number))
    return left, right


def _sum(terms: list[tuple[float, int]]) -> str:
    """Weighted channels in the syntax of `pan`."""
    return "+".join(f"c{number}" if weight == 1 else f"{weight:.4g}*c{number}" for weight, number in terms) or "0*c0"
