"""Which sound is the film's: not a commentary, the one that its container prefers, and each with all of its channels."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.stream import Disposition

from cinecut.language.facts import AudioFacts
from cinecut.media.open import sound_streams, tags

_ASIDE = Disposition.comment | Disposition.visual_impaired | Disposition.descriptions
_ASIDE_TITLE = re.compile(r"comment|descri(b|pt|ç|c)|karaoke|kommentar|audiodesk", re.IGNORECASE)
_SINGLE_CHANNELS = re.compile(r"mxf|mov|gxf|lxf")  # containers in which each channel of one sound may be a stream


def film_audio(media: InputContainer, start: Fraction) -> tuple[AudioFacts, ...]:
    """The sounds of a film whose first picture has the stamp `start` (seconds), its own first."""
    streams = sound_streams(media)
    sounds = [_facts(stream, start, number) for number, stream in enumerate(streams, 1)]
    if _is_one_for_each_channel(media, streams):
        size = 6 if len(streams) == 6 else 2
        joined = [(group[0], len(group)) for group in _groups(sounds, size)]
        return tuple(replace(one, channels=n, layout=_LAYOUTS[n], parts=n) for one, n in joined)
    order = sorted(range(len(streams)), key=lambda at: (_is_aside(streams[at]), not _is_preferred(streams[at]), at))
    if order == sorted(order):
        return tuple(replace(sound, stream=0) for sound in sounds)
    return tuple(sounds[at] for at in order)


_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def _groups(sounds: list[AudioFacts], size: int) -> list[list[AudioFacts]]:
    groups = [sounds[at : at + size] for at in range(0, len(sounds), size)]
    return [part for group in groups for part in ([group] if len(group) == size else [[one] for one in group])]


def _facts(stream: Any, start: Fraction, number: int) -> AudioFacts:
    begins = Fraction(stream.start_time or 0) * Fraction(stream.time_base)
    language = stream.language if stream.language not in (None, "und") else None
    if language is not None and not re.fullmatch("[A-Za-z-]{2,12}", language):
        language = None
    return AudioFacts(stream.rate, stream.channels, stream.layout.name, begins - start, language, number)


def _is_aside(stream: Any) -> bool:
    return bool(stream.disposition & _ASIDE) or bool(_ASIDE_TITLE.search(tags(stream).get("title", "")))


def _is_preferred(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.default)


def _is_one_for_each_channel(media: InputContainer, streams: list[Any]) -> bool:
    """As broadcasts and editing systems store their sound."""
    if len(streams) < 2 or not _SINGLE_CHANNELS.search(media.format.name):
        return False
    like = {(stream.rate, stream.codec_context.name, stream.language) for stream in streams}
    return len(like) == 1 and all(stream.channels == 1 and not _is_aside(stream) for stream in streams)
