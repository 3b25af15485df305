"""The sections of a song: intro, build, drop, break, end, each with its energy and the earlier one that it repeats.

    bars ─ harmony and sound ─ recurrence ─ agglomerative segmentation (librosa) ─► boundaries ─ energies ─► names

Only this module imports librosa, and only when sections are requested: see docs/decisions/beats.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.cache import Cache
from cinecut.analysis.song.bars import BeatSound, bar_means, beat_sound, timbre
from cinecut.analysis.song.beats import Beats
from cinecut.analysis.song.onsets import SongSound, listen
from cinecut.analysis.stage import Stage, StageRunner
from cinecut.files import fingerprint

Array = NDArray[np.float64]
Name = Literal["intro", "build", "drop", "main", "break", "end"]

_BARS = 8  # usual length of a section
_LEAST = 2  # bars of the shortest section
_MOST = 12  # sections of a song
_STEP = 0.1  # least difference in energy, 3 dB, between a louder and a softer section
_ALIKE = 0.5  # least affinity, 0..1, of two sections of which the later one repeats the earlier


@dataclass(frozen=True, slots=True)
class SongSection:
    """`bar` counts from 0 at the first downbeat; `energy` is the mean of its bars, 0..1; `repeats` is the index of the
    first section that it resembles."""

    name: Name
    start: Fraction  # seconds in the song
    bar: int
    bars: int
    energy: float
    repeats: int | None


def sections_of(song: Path, beats: Beats) -> tuple[SongSection, ...]:
    """The sections of a song, from the cache if possible. Raises Stop as `listen` does."""
    return StageRunner(Cache(fingerprint(song)), lambda stage, done: None).run(SECTIONS, song, beats)


SECTIONS = Stage("sections", tuple[SongSection, ...], lambda song, beats: find_sections(listen(song), beats))


def find_sections(sound: SongSound, beats: Beats) -> tuple[SongSection, ...]:
    """The sections, which cover all bars of `beats`; only one if a song is too short for several."""
    downbeats = beats.downbeats
    count = min(len(downbeats), len(beats.energy))
    if not count:
        return ()
    energy = np.array(beats.energy[:count])
    edges, alike = _segmented(_bars(sound, beats)[:count]) if count >= 2 * _BARS else ([0], np.ones((1, 1)))
    ends = [*edges, count]
    means = [float(energy[a:b].mean()) for a, b in pairwise(ends)]
    sections = []
    for index, (start, end) in enumerate(pairwise(ends)):
        middle = start + max(1, (end - start) // 2)
        slope = float(energy[middle:end].mean() - energy[start:middle].mean()) if middle < end else 0.0
        name, level = _name(index, means, slope), round(means[index], 3)
        repeats = next((other for other in range(index) if alike[index, other] >= _ALIKE), None)
        sections.append(SongSection(name, downbeats[start], start, end - start, level, repeats))
    return tuple(sections)


def _bars(sound: SongSound, beats: Beats) -> Array:
    """The sound of every bar [shape=(bars, 36)]: levels of the bands, and chroma, each scaled to unit deviation."""
    times = np.array([float(moment) for moment in beats.times[beats.times.index(beats.first) :]])
    times = np.append(times, 2 * times[-1] - times[-2])
    beat: BeatSound = beat_sound(timbre(sound), times)
    starts = np.arange(0, len(beat.bands), beats.metre)
    bands, chroma = (bar_means(part, starts) for part in (beat.bands, beat.chroma))
    centred = [part - part.mean(axis=0) for part in (bands, chroma)]
    return np.hstack([part / (part.std() + 1e-9) for part in centred])


def _segmented(bars: Array) -> tuple[list[int], Array]:
    """The first bar of each section, and the affinity of every two sections, 0..1."""
    import librosa.segment

    affinity = np.asarray(librosa.segment.recurrence_matrix(bars.T, mode="affinity", width=2, sym=True))
    number = int(np.clip(round(len(bars) / _BARS), 2, _MOST))
    place = np.hstack([bars, 2.0 * affinity / (affinity.max() + 1e-9)])  # its sound, and its recurrence
    edges = [0]
    for edge in sorted(int(edge) for edge in librosa.segment.agglomerative(place.T, number)):
        if edge - edges[-1] >= _LEAST and len(bars) - edge >= _LEAST:
            edges.append(edge)
    near = affinity > 0
    blocks = [range(a, b) for a, b in pairwise([*edges, len(bars)])]
    alike = np.array([[near[np.ix_(a, b)].any(axis=1).mean() for b in blocks] for a in blocks])
    return edges, alike


def _name(index: int, energies: Sequence[float], slope: float) -> Name:
    """The role of a section, from its energy and its neighbours'."""
    here, loudest, last = energies[index], max(energies), len(energies) - 1
    before = energies[index - 1] if index else 0.0
    after = energies[index + 1] if index < last else 0.0
    if index == 0 and here < loudest - _STEP:
        return "intro"
    if index == last and last and here < loudest - _STEP:
        return "end"
    if after > here + _STEP or slope > _STEP:
        return "build" if here > before - _STEP or slope > _STEP else "break"
    if here > before + _STEP and here > loudest - _STEP:
        return "drop"
    return "break" if here < before - _STEP else "main"
