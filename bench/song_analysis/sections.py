"""Songs by recipe whose sections are known: boundaries, drops, and what the song's edit makes of them in a trailer."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.figures import Figure
from bench.song_analysis.songs import MadeSong, make, measured, shaped
from cinecut.analysis.edit.blueprint import Plan, Want, draw
from cinecut.analysis.edit.score.song_edit import SongEdit, beat_of, edit_song
from cinecut.analysis.song.beats import Beats, beats_in, counted
from cinecut.analysis.song.levels import SongLevels, measure_song
from cinecut.analysis.song.sections import SongSection, find_sections
from cinecut.vibes import Vibe, load_vibe
from cinecut.vibes.skeleton import load_skeleton

Array = NDArray[np.float64]

SONGS = 24
VIBES = ("action", "drama", "sci-fi")
LENGTH = Fraction(60)  # seconds of a trailer
_LOUD = 0.9  # level of a section, 0..1, from which on it is one of the loudest


def figures() -> list[Figure]:
    """The bounds of sections and edits."""
    hits, known, found, dropped = 0, 0, 0, 0
    landed: list[bool] = []
    climax: list[float] = []
    for number in range(SONGS):
        song, sound = measured(make(shaped(number)))
        whole, tempo = counted(sound), song.recipe.tempo
        parts = find_sections(sound, beats_in(whole, (tempo * 0.9, tempo * 1.1), tempo))
        edges = np.array([float(part.start) for part in parts[1:]])
        hits += int((np.abs(song.sections[1:, None] - edges[None, :]) <= _bar(song)).any(axis=1).sum())
        known, found = known + len(song.sections) - 1, found + len(edges)
        dropped += _drops_found(song, parts)
        levels = _levels(song)
        for vibe in map(load_vibe, VIBES):
            edited = _edited(song, levels, beats_in(whole, vibe.tempo, vibe.likely_tempo), vibe)
            if edited is not None:
                landed.append(edited[0])
                climax.append(edited[1])
    print(f"\nsections of {SONGS} songs: {known} boundaries known, {found} found, {hits} of the known ones")
    return [
        Figure("boundaries of sections found to a bar", hits / known, 0.8, at_least=True),
        Figure("boundaries that are none", 1 - hits / max(found, hits), 0.2),
        Figure("songs whose drops are all found", dropped / SONGS, 0.9, at_least=True),
        Figure("edits whose drop is a rise of the song", float(np.mean(landed)), 0.9, at_least=True),
        Figure("share of act 3 under the song's loudest parts", float(np.mean(climax)), 0.9, at_least=True),
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


def _levels(song: MadeSong) -> SongLevels:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "song.wav")
        soundfile.write(path, song.sound, song.rate)
        return measure_song(path, lambda share: None)


def _edited(song: MadeSong, levels: SongLevels, beats: Beats, vibe: Vibe) -> tuple[bool, float] | None:
    """Whether the song rises where the trailer drops, and the share of act 3 that its loudest parts play to; None for a
    trailer without these."""
    if beats.tempo is None:
        return None
    skeleton = load_skeleton(vibe.skeleton)
    slots = draw(Plan(skeleton, vibe, LENGTH, beats.tempo, beats.metre, False, {"title": "A"}))
    drop, third, card = beat_of(slots, "beat drop"), beat_of(slots, "act 3"), beat_of(slots, "title card", Want.CARD)
    if drop is None or third is None or card is None:
        return None
    edit = edit_song(beats, slots, levels, Fraction(len(song.sound), song.rate), Fraction(0))
    beat = 60 / float(beats.tempo)
    at = _place(edit, drop * beat)
    rises = [start for start, before, after in _turns(song) if after > before]
    act = [_level(song, _place(edit, second)) for second in np.linspace(third * beat, card * beat - 0.1, 40)]
    return any(abs(at - rise) <= _bar(song) for rise in rises), float(np.mean(np.array(act) >= _LOUD))


def _turns(song: MadeSong) -> list[tuple[float, float, float]]:
    """The seconds of each section's start, the level before and the level from there on."""
    levels = song.recipe.levels
    return [(float(song.sections[k]), levels[k - 1], levels[k]) for k in range(1, len(levels))]


def _level(song: MadeSong, second: float) -> float:
    return song.recipe.levels[max(0, int(np.searchsorted(song.sections, second + 0.05, side="right")) - 1)]


def _place(edit: SongEdit, second: float) -> float:
    """The second of the song that plays at a second of the trailer."""
    for begin, end in edit.parts:
        if second < end - begin:
            return float(begin) + second
        second -= float(end - begin)
    return float(edit.parts[-1][1] if edit.parts else edit.start) + (0 if edit.parts else second)
