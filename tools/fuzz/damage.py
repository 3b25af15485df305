"""Ways of spoiling what is right: bytes, texts, and values of YAML."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

Tree = Any


def spoil_bytes(data: bytes, dice: random.Random) -> bytes:
    """Bits flipped, a piece cut out, doubled, zeroed, moved or replaced; or the end cut off."""
    spoiled = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        if not spoiled:
            break
        start = dice.randrange(len(spoiled))
        end = min(len(spoiled), start + dice.choice((1, 4, 64, 1024, len(spoiled) // 3 + 1)))
        match dice.randrange(7):
            case 0:
                spoiled[start] ^= 1 << dice.randrange(8)
            case 1:
                del spoiled[start:end]
            case 2:
                spoiled[start:start] = spoiled[start:end]
            case 3:
                spoiled[start:end] = bytes(end - start)
            case 4:
                spoiled[start:end] = dice.randbytes(end - start)
            case 5:
                del spoiled[start:]
            case 6:
                spoiled[start : start + 4] = dice.choice((b"\xff" * 4, b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0"))
    return bytes(spoiled)


_SIGNS = (
    "\t", "-", ":", ": ", "#", " #", "'", '"', "[", "]", "{", "}", "&a ", "*a", "!!", "|", ">", "%", "@", "`", "\n",
    "\x00", "\x1b[31m", "\u00a0", "\u200b", "\u202e", "\ufeff", "\u0085", "\u2028", "<<: ", "? ", ", ",
    "---\n", "...\n", "é", "😀", "\ud83d", "0", "1e309", "~",
)  # fmt: skip


def spoil_text(text: str, dice: random.Random) -> str:
    """Signs put in, taken out or swapped; lines doubled, dropped, indented or moved."""
    for _ in range(dice.choice((1, 1, 2, 5))):
        lines = text.split("\n")
        row = dice.randrange(len(lines))
        at = dice.randrange(len(text) + 1)
        match dice.randrange(8):
            case 0 | 1:
                text = text[:at] + dice.choice(_SIGNS) + text[at:]
            case 2:
                text = text[:at] + text[at + dice.choice((1, 2, 20)) :]
            case 3:
                lines.insert(row, lines[dice.randrange(len(lines))])
                text = "\n".join(lines)
            case 4:
                del lines[row]
                text = "\n".join(lines)
            case 5:
                lines[row] = dice.choice((" ", "  ", "\t", "- ")) + lines[row]
                text = "\n".join(lines)
            case 6:
                lines[row] = lines[row].lstrip()
                text = "\n".join(lines)
            case 7:
                head, sign, tail = lines[row].partition(":")
                lines[row] = head + sign + " " + str(dice.choice(VALUES)) if sign else tail
                text = "\n".join(lines)
    return text


VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e308, 1e309, -1e309, float("nan"), 10**400, -(10**400), 2**63,
    "", " ", "\n", "0", "1/0", "24000/1001", "0:16 - 0:20", "0:20 - 0:16", "-0:01", "1e309", "1e9999999", "0x10",
    "1_000", "1:2:3:4:5",
    "99999999:00:00", "01:00:12;05", "1m30s", "4 beats", "-4 beats", "1e999 bars", "9" * 5000, "a" * 10_000, "é" * 3000,
    "\x1b[31mred\x1b[0m", "\u202eevil", "\x00", "\x07", "%s%n{0}", "a:b[c]'d\\", "$(touch x)", "; rm -rf",
    "../../../etc/passwd",
    "/dev/zero", "/dev/stdin", "/dev/null", "/proc/self/mem", ".", "/", "a/" * 200, "file:film.mkv", "concat:film.mkv",
    "http://127.0.0.1:9/x", "film.mkv", "song.wav", "logo.png", "look.cube", "list.ffconcat", "pipe", "vibe.yaml",
    "riser",
    "cut", "crossfade 1s", "crossfade 0s", "fade in 99999999s", "1x1", "16x16", "16384x16384", "99999x99999", "16x4000",
    [], [[]], {}, {"": ""}, {"in": 0}, {"file": "film.mkv"}, ["a"] * 50, [[[[[[[[[[1]]]]]]]]]], {"a": {"a": {"a": {}}}},
)  # fmt: skip


def spoil_value(tree: Tree, keys: list[str], dice: random.Random) -> Tree:
    """A tree of YAML values with one of them replaced, dropped, doubled, or put under another key."""
    places = list(_places(tree))
    parent, key = dice.choice(places)
    match dice.randrange(6):
        case 0 | 1 | 2:
            parent[key] = dice.choice(VALUES)
        case 3 if isinstance(parent, dict):
            parent[dice.choice(keys)] = dice.choice(VALUES)
        case 4:
            other, at = dice.choice(places)
            parent[key] = other[at] if other[at] is not parent and not _holds(other[at], parent) else None
        case 5:
            del parent[key]
    return tree


def _places(tree: Tree) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield tree, key
            yield from _places(value)


def _holds(tree: Tree, part: Tree) -> bool:
    return any(parent[key] is part for parent, key in _places(tree))
