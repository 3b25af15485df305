"""Twenty styles of songs, as data for `styles`.

Grooves are strings of a character for each step of a bar: `X` accented, `x` plain, `.` soft, `-` nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Groove = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Style:
    """`grooves` to choose from, `steps` a beat; tempo's range in beats a minute. `chords`: bars of a chord; `pad`: how
    it sounds; `head`: how the song begins; `tempo`: how the player keeps it."""

    grooves: tuple[Groove, ...]
    tempo: tuple[float, float]
    metre: int = 4
    steps: int = 4
    chords: tuple[float, ...] = (1.0,)
    head: str = ""  # "", "silence", "fade", "pick-up", "pads"
    keeps: str = ""  # "", "loose", "ramp", "rubato"
    seconds: float = 36.0
    swing: float = 0.5
    held: bool = True  # whether chords are held under the groove


_BACKBEAT = "----X-------X---"
STYLES: Mapping[str, Style] = {
    "half-time": Style(
        (
            {
                "low": "X-----x---x-----",
                "clap": "--------X-------",
                "tick": "x-x-x-x-x-x-x-x-",
                "sub": "X-----x---x-----",
            },
            {
                "low": "X--x------x-----",
                "clap": "--------X-------",
                "tick": "x-x-xxx-x-x-x.x.",
                "sub": "X--x------x-----",
            },
        ),
        (120, 180),
        chords=(1, 2),
    ),
    "syncopated": Style(
        (
            {"low": "X--x--x---x--x--", "clap": _BACKBEAT, "tick": "x.x.x.x.x.x.x.x.", "sub": "X--x--x---x--x--"},
            {
                "low": "X-x---.--xx-----",
                "clap": "----X--.-.--X--.",
                "tick": "x-x-x-x-x-x-x-x-",
                "sub": "X-x----x--x---x-",
            },
            {
                "low": "X---x---x---x---",
                "clap": "---x--x----x--x-",
                "tick": "x-x-x-x-x-x-x-x-",
                "sub": "X--x--x-X--x--x-",
            },
            {"low": "x------xx-------", "clap": _BACKBEAT, "string": "x--x--x-x--x--x-", "sub": "x--x---xx--x--x-"},
        ),
        (80, 130),
    ),
    "breakbeat": Style(
        (
            {
                "low": "X-X-------xx----",
                "clap": "----X--.-x.-X--x",
                "tick": "x-x-x-x-x-x-x-x-",
                "sub": "X-X-------xx----",
            },
            {
                "low": "X---------X-----",
                "clap": "----X--.-.--X--.",
                "tick": "xxxxxxxxxxxxxxxx",
                "sub": "X-----------x---",
            },
        ),
        (100, 180),
        held=False,
    ),
    "ostinato": Style(
        (
            {"string": "X-x-x-X-x-x-X-x-", "boom": "X---------------", "sub": "X-------X-------"},
            {"string": "XxxxXxxxXxxxXxxx", "boom": "X-----X-----X---"},
            {"string": "X-x-x-x-X-x-x-x-", "boom": "X-------x-----xx", "bell": "X-------x-------"},
        ),
        (80, 150),
        chords=(1, 2),
    ),
    "four to the floor": Style(
        (
            {
                "low": "X---X---X---X---",
                "tick": "--x---x---x---x-",
                "sub": "--x---x---x---x-",
                "bell": "x--x--x--x--x-x-",
            },
            {"low": "X---X---X---X---", "clap": _BACKBEAT, "tick": "--X---X---X---X-", "sub": "xxxxxxxxxxxxxxxx"},
        ),
        (115, 140),
        chords=(1, 2, 4),
    ),
    "trap": Style(
        (
            {
                "low": "X-----x-----x---",
                "clap": "--------X-------",
                "tick": "x-x-x-x-xxx-x-xx",
                "sub": "X-----x---------",
            },
            {
                "low": "X------x--x-----",
                "clap": "--------X------.",
                "tick": "x-xxx-x-x-x-xxxx",
                "bell": "x-----x-----x---",
            },
        ),
        (130, 160),
        chords=(2, 1),
    ),
    "shuffle": Style(
        (
            {"low": "X-----x-----", "clap": "---X-----X--", "tick": "x-xx-xx-xx-x", "sub": "X-xx-xx-xx-x"},
            {"low": "X--x--x--x--", "clap": "---X-----X--", "tick": "xxxxxxxxxxxx", "string": "x-xx-xx-xx-x"},
            {"string": "X-xx-xx-xx-x", "sub": "X--x--X--x--"},
        ),
        (75, 160),
        steps=3,
        chords=(1, 2),
    ),
    "swung sixteenths": Style(
        ({"low": "X--x---x-xx-----", "clap": _BACKBEAT, "tick": "xxxxxxxxxxxxxxxx", "sub": "X--x---x-x------"},),
        (80, 105),
        swing=0.62,
    ),
    "waltz": Style(
        (
            {"sub": "X-----", "string": "--x-x-", "bell": "x---x-"},
            {"low": "X-----", "clap": "--x-x-", "string": "x-x-x-"},
            {"low": "X----x", "tick": "x-x-x-", "clap": "----X-", "sub": "X-----"},
        ),
        (85, 190),
        metre=3,
        steps=2,
    ),
    "five": Style(
        (
            {"low": "X---x-----", "clap": "----X---x-", "tick": "x-x-x-x-x-", "sub": "X---x-----"},
            {"string": "X-x-X-x-x-", "sub": "X---X-----"},
            {"low": "X--x--x-x-", "clap": "------X---", "tick": "xxxxxxxxxx", "sub": "X--x--x-x-"},
        ),
        (90, 180),
        metre=5,
        steps=2,
    ),
    "seven": Style(
        (
            {"low": "X-----x---x---", "clap": "----x-----X---", "tick": "x-x-x-x-x-x-x-", "sub": "X-----x---x---"},
            {"low": "X---x-----x---", "clap": "----X-----X---", "tick": "x-x-x-x-x-x-x-", "sub": "X---x-----x---"},
            {"string": "X-x-X-x-X-x-x-", "low": "X---X---X-----"},
        ),
        (120, 200),
        metre=7,
        steps=2,
    ),
    "six": Style(
        (
            {"string": "X-x-x-X-x-x-", "sub": "X-----x-----"},
            {"low": "X-------x---", "clap": "------X-----", "tick": "x-x-x-x-x-x-", "sub": "X---x-x-----"},
            {"low": "X---------x-", "clap": "------X-----", "string": "x-x-x-x-x-x-"},
        ),
        (120, 200),
        metre=6,
        steps=2,
    ),
    "piano": Style(
        (
            {"keys": "X---x---x---x---", "bass": "X-------x-------"},
            {"keys": "x-x-x-x-x-x-x-x-", "bass": "X---------------"},
            {"keys": "X-----x-x---x-x-", "bass": "X-------X-------"},
        ),
        (65, 120),
        held=False,
        keeps="loose",
    ),
    "pads": Style(({},), (60, 120), chords=(1, 0.5)),
    "rubato": Style(
        (
            {"keys": "X---x---x---x---", "bass": "X---------------"},
            {"keys": "x-x-x-x-x-x-x-x-", "bass": "X-------x-------"},
        ),
        (60, 100),
        held=False,
        keeps="rubato",
    ),
    "ramp": Style(
        ({"low": "X-----x-x-------", "clap": _BACKBEAT, "tick": "x-x-x-x-x-x-x-x-", "sub": "X-----x-x-----x-"},),
        (90, 150),
        keeps="ramp",
    ),
    "pick-up": Style(
        (
            {"low": "X-------x-x-----", "clap": _BACKBEAT, "string": "x-x-x-x-x-x-x-x-", "sub": "X-------x-------"},
            {"keys": "X---x---x---x---", "sub": "X-------x-------"},
        ),
        (80, 150),
        head="pick-up",
        chords=(1, 2),
    ),
    "late": Style(
        (
            {"low": "X-------x-x-----", "clap": _BACKBEAT, "tick": "x-x-x-x-x-x-x-x-", "sub": "X-----x-x-------"},
            {"low": "X---X---X---X---", "clap": _BACKBEAT, "keys": "x--x--x-x--x--x-"},
        ),
        (80, 150),
        head="silence",
    ),
    "fade": Style(
        (
            {"low": "X-------x-x-----", "clap": _BACKBEAT, "tick": "x-x-x-x-x-x-x-x-", "sub": "X-----x-x-------"},
            {"string": "x-x-x-x-x-x-x-x-", "sub": "X-------x---x---"},
        ),
        (80, 150),
        head="fade",
    ),
    "intro of pads": Style(
        (
            {"low": "X-------x-x-----", "clap": _BACKBEAT, "tick": "x-x-x-x-x-x-x-x-", "sub": "X-----x-x-------"},
            {"string": "X-x-x-X-x-x-X-x-", "boom": "X-------X-------"},
        ),
        (80, 150),
        head="pads",
        seconds=48.0,
    ),
}
