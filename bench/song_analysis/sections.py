"""Songs by recipe whose sections are known: boundaries and drops."""

from __future__ import annotations

import numpy as np

from bench.figures import Figure
from bench.song_analysis.songs import MadeSong, make, measured, shaped
from cinecut.analysis.song.beats import beats_in, counted
from cinecut.analysis.song.sections import SongSection, find_sections

SONGS = 24


def figures() -> list[Figure]:
    """The bounds of sections."""
    hits, known, found, dropped = 0, 0, 0, 0
    for number in range(SONGS):
        song, sound = measured(make(shaped(number)))
        whole, tempo = counted(sound), song.recipe.tempo
        parts = find_sections(sound, beats_in(whole, (tempo * 0.9, tempo * 1.1), tempo))
        edges = np.array([float(part.start) for part in parts[1:]])
        hits += int((np.abs(song.sections[1:, None] - edges[None, :]) <= _bar(song)).any(axis=1).sum())
        known, found = known + len(song.sections) - 1, found + len(edges)
        dropped += _drops_found(song, parts)
    print(f"\nsections of {SONGS} songs: {known} boundaries known, {found} found, {hits} of the known ones")
    return [
        Figure("boundaries of sections found to a bar", hits / known, 0.8, at_least=True),
        Figure("boundaries that are none", 1 - hits / max(found, hits), 0.2),
        Figure("songs whose drops are all found", dropped / SONGS, 0.9, at_least=True),
    ]


def _bar(song: MadeSong) -> float:
    """A little more than a bar, in seconds."""
    return 1.1 * 60 / song.recipe.tempo * song.recipe.metre


def _drops_found(song: MadeSong, parts: tuple[SongSection, ...]) -> bool:
    """Whether a section called drop begins wherever the song jumps up to its loudest part."""
    levels, starts = song.recipe.levels, song.sections
    jumps = [starts[k] for k in range(1, len(levels)) if levels[k] == max(levels) and levels[k - 1] <= levels[k] / 2]
    drops = [float(part.start) for part in parts if part.name == "drop"]
    return all(any(abs(drop - jump) <= _bar(song) for drop in drops) for jump in jumps)
