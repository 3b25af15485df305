"""What each verb takes, by the names of its values."""

from __future__ import annotations

WORDS: dict[str, tuple[str, ...]] = {
    "swap": ("event", "[number]"),
    "replace": ("event", "with"),
    "trim": ("event",),
    "slip": ("event", "by"),
    "move": ("event", "to"),
    "insert": ("event", "what"),
    "remove": ("event",),
    "duplicate": ("event",),
    "retitle": ("event", "text", "[title]"),
    "retime": ("event", "speed"),
    "sync": ("event", "at"),
    "set": ("path", "[value]"),
}
"""What follows a verb on a command line; what stands in brackets may be left out."""

_OPTIONS = {"trim": ("in", "out", "for")}

TAKES = {verb: (*(word.strip("[]") for word in words), *_OPTIONS.get(verb, ())) for verb, words in WORDS.items()}
"""All that a verb takes; `entry`, an index in the timeline, stands for an event."""
