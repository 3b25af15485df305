"""The request to an analysis."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from cinecut.diagnostics import Stop, excerpt
from cinecut.inference.server import Models
from cinecut.language.formats import exact
from cinecut.language.schema import TRAILER, definition
from cinecut.language.timebase import BadTimeError, parse_seconds
from cinecut.plugins import Plugin
from cinecut.vibes import Vibe
from cinecut.vibes.skeleton import Skeleton, load_skeleton


@dataclass(frozen=True, slots=True)
class Request:
    """The request to `analyze`. `target` is the spec's future path; `models` are optional."""

    film: Path
    target: Path
    vibe: Vibe
    subtitles: Path | None = None
    language: str | None = None
    shift: Fraction | None = None  # seconds by which the subtitles are moved; None: judged by the film's sound
    rate: Fraction | None = None  # frames a second of the film that the subtitles were made for; None: the same
    transcribes: bool = True  # if there are no subtitles, and Whisper is installed
    audio: int | None = None  # which of the film's sounds is heard, from 1; None: its own
    music: Path | None = None
    credit: str | None = None  # of the music, as its licence demands
    tempo: Fraction | None = None  # of the music, in beats a minute; None: found, in the octave that the vibe expects
    length: Fraction | None = None
    spoilers: bool = False
    match_light: bool = False  # of shots whose light differs much from their act's
    models: Models | None = None
    plugins: Mapping[str, Plugin] = field(default_factory=dict)  # by their group
    structure: Skeleton | None = None  # None: the vibe's
    texts: Mapping[str, str] = field(default_factory=dict)  # of cards: title, tagline, release, credits
    others: tuple[Path, ...] = ()  # films that follow the first one, as episodes do
    names: tuple[str, ...] = ()  # of the films in the spec, in their order; none: by their files
    blocks: bool = False  # each film in a part of its own, after a card with its title
    audios: tuple[int | None, ...] = ()  # `audio` of each film, where they differ

    @property
    def films(self) -> tuple[Path, ...]:
        return self.film, *self.others

    @property
    def each(self) -> list[Request]:
        """A request for each film."""
        audios = self.audios or (self.audio,) * len(self.films)
        alone = replace(self, others=(), names=(), audios=(), blocks=False)
        return [replace(alone, film=film, audio=audio) for film, audio in zip(self.films, audios, strict=True)]

    @property
    def pulse(self) -> Fraction:
        """The tempo of music that is synthesized, in beats a minute."""
        return Fraction(self.vibe.likely_tempo) if self.tempo is None else self.tempo

    @property
    def skeleton(self) -> Skeleton:
        return self.structure or load_skeleton(self.vibe.skeleton)


def music_tempo(asked: Fraction | float | str, name: str) -> Fraction:
    """Beats a minute, from a number or a text such as 96; `name` is the option's name for the message. Raises Stop."""
    limits = definition(TRAILER, "beats")["properties"]["tempo"]
    least, most = limits["minimum"], limits["maximum"]
    with contextlib.suppress(BadTimeError):
        if least <= (tempo := exact(asked)) <= most:
            return tempo
    hint = f"write beats a minute, from {least} to {most}, such as 96"
    raise Stop("option", f"{name} cannot be {excerpt(asked)}", hint)


def trailer_length(asked: Fraction | float | str, name: str) -> Fraction:
    """Seconds, from a number or a text such as 1:30; `name` is the option's name for the message. Raises Stop."""
    try:
        seconds = parse_seconds(asked) if isinstance(asked, str) else Fraction(asked)
    except (BadTimeError, ValueError, TypeError, OverflowError):
        raise Stop("option", f"{name} cannot be {excerpt(asked)}", "write 90s, 1:30 or 1m30s") from None
    if not 3 <= seconds <= 600:
        raise Stop("option", f"{name} cannot be {excerpt(asked)}: a trailer takes 3 seconds to 10 minutes")
    return seconds
