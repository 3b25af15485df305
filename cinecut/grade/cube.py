"""LUTs in .cube files, read in the dialects of Adobe and Resolve, and written, for FFmpeg as .m3d.

FFmpeg reads plain 1D and 3D tables, supports no shaper, and scales a domain but does not shift it. So a file that was
read is passed on as one or two plain tables over 0 to 1 (`stages`). Nothing is resampled in three dimensions.
"""

from __future__ import annotations

from array import array
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cinecut.diagnostics import Span, Stop, excerpt
from cinecut.files import fingerprint, open_file
from cinecut.language.facts import LutFacts

Curve = NDArray[np.float64]  # [shape=(n, 3)]: the output of each channel, at even steps of its domain
Table = NDArray[np.float64]  # [shape=(size, size, size, 3)], indexed red, green, blue
Domain = tuple[tuple[float, float, float], tuple[float, float, float]]  # of red, green and blue: lowest, highest
Filter = Literal["lut1d", "lut3d"]

UNIT: Domain = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
_FINE = 4096  # points of a curve that is resampled from another domain to 0 to 1


@dataclass(frozen=True, slots=True)
class Cube:
    """A LUT file: a curve for each channel, a 3D table, or a curve (a shaper) followed by a table."""

    curve: Curve | None = None
    table: Table | None = None
    curve_domain: Domain = UNIT
    table_domain: Domain = UNIT


def lut_facts(path: Path) -> LutFacts:
    """Measure a LUT file. Raises Stop if it is not one."""
    with open_file(path) as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise Stop("unreadable", f"{path} is too large for a LUT: more than {_MOST_BYTES // 1_000_000} MB")
    tables = " ".join(kind.removeprefix("lut") for kind, _ in stages(read_cube(data, str(path))))
    return LutFacts(fingerprint(path), tables)


_MOST_BYTES = 100_000_000  # a table with 129 points to each side has 60 million


def cube_text(values: NDArray[np.float32] | Curve | Table) -> bytes:
    """The .cube file of a table [shape=(size, size, size, 3)] or a curve [shape=(n, 3)] over 0 to 1."""
    kind, rows = ("3D", values.transpose(2, 1, 0, 3)) if values.ndim == 4 else ("1D", values)
    micros = np.rint(np.asarray(rows, np.float64).reshape(-1, 3) * 1_000_000).astype(np.int64)  # no -0.000000
    lines = [f"{red:.6f} {green:.6f} {blue:.6f}\n" for red, green, blue in (micros / 1e6).tolist()]
    return f"LUT_{kind}_SIZE {len(values)}\n{''.join(lines)}".encode("ascii")


def ffmpeg_text(values: NDArray[np.float32] | Curve | Table) -> bytes:
    """The file by which FFmpeg knows a table or a curve. A table is an .m3d file of whole numbers, millionths: FFmpeg
    reads 33 points to each side in 4 ms, and in 22 as a .cube, for each shot."""
    if values.ndim == 2:
        return cube_text(values)
    rows = np.rint(np.asarray(values, np.float64).reshape(-1, 3) * 1_000_000).astype(np.int64)  # red runs slowest
    lines = [f"{red} {green} {blue}\n" for red, green, blue in rows.tolist()]
    return f"in {len(rows)}\nout 1000001\nvalues r g b\n{''.join(lines)}".encode("ascii")


def stages(cube: Cube) -> list[tuple[Filter, Curve | Table]]:
    """The LUT as plain tables over 0 to 1, to be applied in this order, each with FFmpeg's filter."""
    tables: list[tuple[Filter, Curve | Table]] = []
    if cube.curve is not None:
        shaped = _over_unit(cube.curve, cube.curve_domain)
        if cube.table is not None:
            shaped = _into_unit(shaped, cube.table_domain)
        tables.append(("lut1d", shaped))
    elif cube.table_domain != UNIT:
        even = np.repeat(np.linspace(0.0, 1.0, _FINE)[:, None], 3, axis=1)
        tables.append(("lut1d", _into_unit(even, cube.table_domain)))
    if cube.table is not None:
        tables.append(("lut3d", cube.table))
    return tables


def _over_unit(curve: Curve, domain: Domain) -> Curve:
    """The curve at even steps from 0 to 1; outside its domain it keeps the values of its ends."""
    if domain == UNIT:
        return curve
    even = np.linspace(0.0, 1.0, max(_FINE, len(curve)))
    own = zip(*domain, curve.T, strict=True)
    return np.stack([np.interp(even, np.linspace(low, high, len(curve)), values) for low, high, values in own], axis=1)


def _into_unit(values: Curve, domain: Domain) -> Curve:
    low, high = np.array(domain)
    placed: Curve = np.clip((values - low) / (high - low), 0.0, 1.0)
    return placed


# Reading

_MOST = {"LUT_1D_SIZE": 65536, "LUT_3D_SIZE": 256}  # what FFmpeg takes
_BRIGHTEST = 65504  # the largest half float, in which LUTs of light are made
_RANGES = {"LUT_1D_INPUT_RANGE": 2, "LUT_3D_INPUT_RANGE": 2, "DOMAIN_MIN": 3, "DOMAIN_MAX": 3}


@dataclass(slots=True)
class _Reading:
    """What was read so far, with the line of each keyword."""

    name: str
    sizes: dict[str, int] = field(default_factory=dict)
    ranges: dict[str, list[float]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    values: array[float] = field(default_factory=lambda: array("d"))  # of the rows of colours, three each

    def refuse(self, line: int, text: str) -> Stop:
        return Stop("unreadable", text, span=Span(self.name, line, 0, line, 1))

    @property
    def rows(self) -> int:
        return len(self.values) // 3

    @property
    def wanted(self) -> int:
        """How many rows the sizes promise."""
        return self.sizes.get("LUT_1D_SIZE", 0) + self.sizes.get("LUT_3D_SIZE", 0) ** 3


def read_cube(data: bytes, name: str) -> Cube:
    """The LUT in a .cube file's bytes. Raises Stop with the malformed line."""
    reading = _Reading(name)
    last = 0
    for last, words in _words(data):
        if not _is_level(words[0]) and (words[0][0].isalpha() or words[0][0] == "_"):
            _read_keyword(reading, last, words)
        else:
            _read_row(reading, last, words)
    if not reading.sizes:
        raise Stop("unreadable", f"{name} is no .cube file: it has neither a LUT_1D_SIZE nor a LUT_3D_SIZE")
    if reading.rows < reading.wanted:
        raise reading.refuse(last, f"the file ends after {reading.rows} of {reading.wanted} rows of colours")
    return _assemble(reading)


def _words(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The words of each line that is neither empty nor a comment, without a comment at its end, with the line's number
    from 0."""
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    text = data.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n")):
        words = list(takewhile(lambda word: not word.startswith("#"), line.split()))
        if words:
            yield number, words


def _read_keyword(reading: _Reading, line: int, words: list[str]) -> None:
    key, values = words[0], words[1:]
    if key == "TITLE":
        return
    if key in reading.lines:
        raise reading.refuse(line, f"{key} appears twice, first in line {reading.lines[key] + 1}")
    if reading.rows:
        raise reading.refuse(line, f"{key} must come before the colours")
    reading.lines[key] = line
    if key in _MOST:
        if len(values) != 1 or not values[0].isdecimal() or not 2 <= int(values[0]) <= _MOST[key]:
            raise reading.refuse(line, f"{key} must be a whole number from 2 to {_MOST[key]}")
        reading.sizes[key] = int(values[0])
    elif key in _RANGES:
        reading.ranges[key] = _numbers(reading, line, values, _RANGES[key])
    else:
        raise reading.refuse(line, f"{key[:40]!r} is no keyword of .cube files that cinecut knows")


def _read_row(reading: _Reading, line: int, words: list[str]) -> None:
    if not reading.sizes and _is_level(words[0]):
        raise reading.refuse(line, "colours come before LUT_1D_SIZE or LUT_3D_SIZE")
    if not reading.sizes:
        raise reading.refuse(line, f"{excerpt(' '.join(words))} does not belong into a .cube file")
    if reading.rows == reading.wanted:
        raise reading.refuse(line, f"more than the {reading.wanted} rows of colours that the size asks for")
    reading.values.extend(_numbers(reading, line, words, 3))


def _is_level(word: str) -> bool:
    """Whether a word is written as a number, if one that is no level of light."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def _numbers(reading: _Reading, line: int, words: list[str], count: int) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(abs(number) <= _BRIGHTEST for number in numbers):  # nan is not either
        raise reading.refuse(
            line, f"{' '.join(words)[:40]!r} is not {'two' if count == 2 else 'three'} levels of light"
        )
    return numbers


def _assemble(reading: _Reading) -> Cube:
    length, size = reading.sizes.get("LUT_1D_SIZE", 0), reading.sizes.get("LUT_3D_SIZE", 0)
    rows = np.array(reading.values).reshape(-1, 3)
    curve = rows[:length] if length else None
    table = rows[length:].reshape(size, size, size, 3).transpose(2, 1, 0, 3) if size else None
    whole = _domain(reading)
    first = _input_range(reading, "LUT_1D_INPUT_RANGE")
    second = _input_range(reading, "LUT_3D_INPUT_RANGE")
    if curve is None:
        return Cube(None, table, UNIT, second or whole)
    return Cube(curve, table, first or whole, second or UNIT)


def _domain(reading: _Reading) -> Domain:
    low, high = reading.ranges.get("DOMAIN_MIN", [0.0] * 3), reading.ranges.get("DOMAIN_MAX", [1.0] * 3)
    if not all(a < b for a, b in zip(low, high, strict=True)):
        line = max(reading.lines.get(key, 0) for key in ("DOMAIN_MIN", "DOMAIN_MAX"))
        raise reading.refuse(line, "the domain ends where it begins, or before")
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _input_range(reading: _Reading, key: str) -> Domain | None:
    if key not in reading.ranges:
        return None
    low, high = reading.ranges[key]
    if not low < high:
        raise reading.refuse(reading.lines[key], "the range ends where it begins, or before")
    return (low,) * 3, (high,) * 3
