"""What the song's edit makes of songs of known form, in trailers of three lengths for every vibe."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import soundfile

from bench.figures import Figure, print_rows
from bench.song_analysis.forms import FormSong, form_song
from bench.song_analysis.songs import measured
from cinecut.analysis.edit.blueprint import Plan, Slot, draw
from cinecut.analysis.edit.score.song_edit import SongEdit, edit_song
from cinecut.analysis.song.beats import CountedSong, beats_in, counted
from cinecut.analysis.song.levels import SongLevels, measure_song
from cinecut.vibes import load_vibe, names
from cinecut.vibes.skeleton import load_skeleton

SONGS = range(12, 18)  # those before were chosen by
LENGTHS = (30, 60, 90)  # seconds of a trailer
_ON = 0.15  # seconds from a drop to a drop
_QUIETER = ("break", "build", "intro")

Played = list[tuple[str, bool, float, float]]
"""The slots of a trailer before its title: act, whether a shot is shown, first and last second of the song there."""


def figures() -> list[Figure]:
    """The bounds of the music edit."""
    rows, every = [], dict[str, list[float]]()
    songs = [_known(form_song(number)) for number in SONGS]
    for length in LENGTHS:
        found: dict[str, list[float]] = {"drop": [], "break": [], "quieter": [], "climax": [], "joints": []}
        for form, whole, levels in songs:
            for vibe in names():
                _judge(form, whole, levels, (vibe, length), found)
        for name, values in found.items():
            every.setdefault(name, []).extend(values)
        rows.append([f"{length} s", *(f"{np.mean(values):.3f}" for values in found.values())])
    print(f"\nthe music edit of {len(songs)} songs of known form in {len(names())} vibes\n")
    print_rows(["trailer", "drop on drop", "breath in break", "in a quieter part", "act 3 in drops", "joints"], rows)
    return [
        Figure("the song's drop on the trailer's", float(np.mean(every["drop"])), 0.95, at_least=True),
        Figure("breaths in the song's break", float(np.mean(every["break"])), 0.95, at_least=True),
        Figure("breaths in a break, a build or an intro", float(np.mean(every["quieter"])), 0.95, at_least=True),
        Figure("share of act 3 under the song's drops", float(np.mean(every["climax"])), 0.95, at_least=True),
    ]


def _known(form: FormSong) -> tuple[FormSong, CountedSong, SongLevels]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "song.wav")
        soundfile.write(path, form.song.sound, form.song.rate)
        return form, counted(measured(form.song)[1]), measure_song(path, lambda share: None)


def _judge(
    form: FormSong, whole: CountedSong, levels: SongLevels, trailer: tuple[str, int], found: dict[str, list[float]]
) -> None:
    """Adds the figures of one trailer: vibe and seconds."""
    vibe = load_vibe(trailer[0])
    beats = beats_in(whole, vibe.tempo, vibe.likely_tempo)
    if beats.tempo is None:
        return
    plan = Plan(
        load_skeleton(vibe.skeleton), vibe, Fraction(trailer[1]), beats.tempo, beats.metre, False, {"title": "A"}
    )
    slots = draw(plan)
    edit = edit_song(beats, slots, levels, Fraction(form.song.sound.size, form.song.rate), Fraction(0))
    played = _played(slots, edit, 60 / float(beats.tempo))
    drops = np.array([part.start for part in form.sections if part.name == "drop"])
    landed = [begin for act, shown, begin, _ in played if act == "beat drop" and shown]
    found["drop"] += [float(np.abs(drops - begin).min() <= _ON) for begin in landed[:1]]
    breath = [form.at(begin) for act, _, begin, _ in played if act == "breath"]
    if any(part.name == "break" for part in form.sections):
        found["break"] += [float(name == "break") for name in breath]
    found["quieter"] += [float(name in _QUIETER) for name in breath]
    third = [(begin, end) for act, shown, begin, end in played if act == "act 3" and shown]
    found["climax"] += [float(form.at(begin) == form.at(end) == "drop") for begin, end in third]
    found["joints"].append(float(max(0, len(edit.parts) - 1)))


def _played(slots: list[Slot], edit: SongEdit, beat: float) -> Played:
    played: Played = []
    for slot, at in zip(slots, accumulate((slot.beats for slot in slots), initial=0), strict=False):
        if slot.act == "title card":
            break
        begin, end = (_place(edit, second) for second in (at * beat + 0.05, (at + slot.beats) * beat - 0.05))
        played.append((slot.act, slot.want.shows, begin, end))
    return played


def _place(edit: SongEdit, second: float) -> float:
    """The second of the song that plays at a second of the trailer."""
    for begin, end in edit.parts:
        if second < end - begin:
            return float(begin) + second
        second -= float(end - begin)
    return float(edit.parts[-1][1] if edit.parts else edit.start) + (0 if edit.parts else second)
