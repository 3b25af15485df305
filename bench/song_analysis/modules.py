"""Tracker modules, whose beats libopenmpt tells to the sample: songs that nobody made for a test.

Debian has some eighty of them, in packages of games (pingus-data, tecnoballz-data, heroes-sound-tracks, gl-117-data,
freedroid-data, biniax2-data, flobopuyo). A beat is four rows of a pattern, as trackers count; not every composer did,
so that the octave of their beats means little, and a few truths are wrong.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from bench.song_analysis.songs import MadeSong, Recipe

RATE = 24_000
_SECONDS = 40
_STEP = 48  # samples from one look at the row to the next: 2 ms
_ROWS = 4  # rows of a beat
_LONGEST = 0.4  # seconds of a row in a module that is played through


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mod", ".xm", ".it", ".s3m"))


def module(path: Path) -> MadeSong | None:
    """A module's first seconds and beats; None where its patterns have several lengths or it is too short."""
    library = _library()
    data = path.read_bytes()
    song = library.openmpt_module_create_from_memory(data, len(data), None, None, None)
    if not song:
        return None
    buffer, sound, rows = np.zeros(_STEP, np.int16), [], [(0.0, -1, -1, 64)]
    for step in range(_SECONDS * RATE // _STEP):
        if library.openmpt_module_read_mono(song, RATE, _STEP, buffer.ctypes.data) < _STEP:
            break
        sound.append(buffer / 32768)
        order, row = library.openmpt_module_get_current_order(song), library.openmpt_module_get_current_row(song)
        if (order, row) != rows[-1][1:3]:
            pattern = library.openmpt_module_get_current_pattern(song)
            length = library.openmpt_module_get_pattern_num_rows(song, pattern)
            rows.append((step * _STEP / RATE, order, row, length))
    library.openmpt_module_destroy(song)
    times, numbers = np.array([row[0] for row in rows[1:]]), np.array([row[2] for row in rows[1:]])
    metre = 3 if rows[-1][3] in (48, 96) else 4
    on = numbers % _ROWS == 0
    down = np.flatnonzero(numbers[on] % (_ROWS * metre) == 0)
    if len({row[3] for row in rows[1:]}) > 1 or len(rows) < 60 or np.diff(times).max() > _LONGEST or not down.size:
        return None
    recipe = Recipe("module", 0, 60 / float(np.median(np.diff(times[on]))), metre)
    return MadeSong(recipe, np.concatenate(sound), times[on], int(down[0]), times[:1], RATE)


def _library() -> ctypes.CDLL:
    """libopenmpt, which FFmpeg of Debian brings along. Raises OSError without it."""
    library = ctypes.CDLL("libopenmpt.so.0")
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int32
    for name, result, arguments in (
        ("create_from_memory", pointer, [ctypes.c_char_p, size, pointer, pointer, pointer]),
        ("read_mono", size, [pointer, number, size, pointer]),
        ("get_current_row", number, [pointer]),
        ("get_current_order", number, [pointer]),
        ("get_current_pattern", number, [pointer]),
        ("get_pattern_num_rows", number, [pointer, number]),
        ("destroy", None, [pointer]),
    ):
        function = getattr(library, f"openmpt_module_{name}")
        function.restype, function.argtypes = result, arguments
    return library
