"""Whether the beats in a spec are those of its song, for a song that was replaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cinecut.analysis.cache import Cache
from cinecut.analysis.song.beats import BEATS, Beats
from cinecut.analysis.stage import StageRunner
from cinecut.diagnostics import Diagnostic
from cinecut.files import fingerprint
from cinecut.language.spec import BeatGrid, Music
from cinecut.language.timebase import clock

_SURE = 0.5  # confidence under which a measurement contradicts nobody
_ON = 0.05  # seconds between two beats that are one
_SHARE = 0.9  # of the beats of the slower grid that the faster one has, where both are of one song
_OCTAVE = (0.75, 1.4)  # of the spec's tempo: the range in which the song is counted like the spec


def other_beats(music: Music, song: Path) -> Diagnostic | None:
    """A warning where the beats under `music` are surely not those of its song, in no octave. Raises Stop as `listen`
    does."""
    written = music.beats
    if written is None or (written.tempo is None and len(written.times) < 2):
        return None
    tempo = float(written.tempo or 60 / np.median(np.diff([float(time) for time in written.times])))
    line = StageRunner(Cache(fingerprint(song)), lambda stage, done: None)
    found, _ = line.run(BEATS, song, (tempo * _OCTAVE[0], tempo * _OCTAVE[1]), tempo)
    if found.confidence < _SURE or _agree(written, found):
        return None
    measured = "a changing tempo" if found.tempo is None else f"{float(found.tempo):g} beats a minute"
    message = f"{song.name} has {measured} from {clock(found.first)} on, not the beats in the spec"
    beats = "" if found.tempo is None else f"`{{tempo: {float(found.tempo):g}, first: {float(found.first):g}s}}`, or "
    hint = f"write {beats}cut again to them: cinecut recut SPEC --music {music.file}"
    return Diagnostic("music", message, music.place.of("beats"), (hint,))


def _agree(written: BeatGrid, measured: Beats) -> bool:
    """Whether two grids are one, or one in two octaves."""
    theirs = np.array([float(time) for time in measured.times])
    if written.tempo is None:
        ours = np.array([float(time) for time in written.times])
    else:
        period, first = 60 / float(written.tempo), float(written.first.seconds)
        ours = np.arange(first % period, theirs[-1] + period, period)
    few, many = sorted((ours, theirs), key=len)
    near = np.abs(few[:, None] - many[None, :]).min(axis=1) <= _ON
    return bool(near.mean() >= _SHARE)
