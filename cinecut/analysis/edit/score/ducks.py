"""How far the music goes down under a shot: far enough for what is said in it, however loud the music is there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby

import numpy as np

from cinecut.analysis.edit.cuts import Cut, Tempo
from cinecut.analysis.edit.score.voices import VoiceOver, placed
from cinecut.analysis.song.levels import PULSE_STAGES, Balance, SongLevels, gated
from cinecut.compiler.sound.pulse import stage_of
from cinecut.language.grid import SongPart

UNDER_SPEECH, _DEEPEST = 12, 20  # dB by which the music is lowered, usually and at most
_CLEAR = 12  # dB of what is said above the lowered music


def depth(music: float | None, said: float | None, mix: Balance) -> int:
    """The whole dB by which music of a level goes down under words of a level in the film, before the mix; None: of the
    usual level."""
    if music is None:
        return UNDER_SPEECH
    words = (mix.anchor if said is None else said) + mix.film
    return min(_DEEPEST, max(UNDER_SPEECH, math.ceil(music + mix.gain + mix.music + _CLEAR - words)))


def under_voices(
    voices: Sequence[VoiceOver],
    spans: Sequence[tuple[Fraction, Fraction]],
    music: Sequence[float | None],
    mix: Balance,
) -> dict[int, tuple[int, str]]:
    """By cut, how far the music goes down for a voice that begins in it, and why, where that is more than usual.
    `spans`: the start and end of each cut."""
    depths = dict[int, tuple[int, str]]()
    for voice in voices:
        start = spans[voice.event][0] + voice.at
        end = start + voice.take.duration
        levels = [level for level, (a, b) in zip(music, spans, strict=True) if a < end and start < b]
        deep = max(depth(level, None, mix) for level in levels)
        if deep > UNDER_SPEECH:
            depths[voice.event] = deep, "the music is loud under the voice"
    return depths


def song_levels(
    cuts: Sequence[Cut], tempo: Tempo, levels: SongLevels, parts: Sequence[SongPart]
) -> Iterator[float | None]:
    """The level of a song's parts under each cut, with the time that its sound leads and trails; None: it is silent."""
    for cut, start, end in placed(cuts, tempo):
        heard, at = list[float](), Fraction(0)
        for begin, until in parts:
            first, last = max(start - cut.lead, at), min(end + cut.trail, at + until - begin)
            if first < last:
                heard += levels.loudness(begin + first - at, begin + last - at).tolist()
            at += until - begin
        yield gated(np.array(heard, np.float32))


def pulse_levels(cuts: Sequence[Cut], style: str) -> Iterator[float]:
    """The level of the synthesized music under each cut."""
    acts = [list(run) for _, run in groupby(cuts, key=lambda cut: cut.slot.act)]
    for number, run in enumerate(acts):
        for _ in run:
            yield PULSE_STAGES[stage_of(number, len(acts), style)]
