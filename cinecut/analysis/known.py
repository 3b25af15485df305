"""What an analysis found out of the film and its song, for `check`, `sheet` and `recut`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinecut.known.record import Known, KnownLine, KnownShot, KnownSong, films_print, scored_acts
from cinecut.known.timeline import timeline_digest
from cinecut.language.spec import Music

if TYPE_CHECKING:
    from cinecut.analysis.analyze import Analysis
    from cinecut.analysis.request import Request


def known_about(analysis: Analysis, request: Request) -> Known:
    """The side file of an analysis."""
    music = analysis.spec.music
    return Known(
        films_print([each.facts.fingerprint for each in analysis.episodes]),
        tuple(KnownShot(shot.range, shot.why_not) for shot in analysis.shots),
        tuple(KnownLine(line.range, line.text) for line in analysis.dialogue.lines),
        _song(music) if music is not None else None,
        scored_acts(analysis.spec),
        music is not None and _ends_early(music, analysis),
        analysis.text,
        timeline_digest(analysis.spec.timeline),
        _asked(request),
    )


def _song(music: Music) -> KnownSong | None:
    beats = music.beats
    if music.facts is None or beats is None:
        return None
    return KnownSong(music.facts.fingerprint, beats.tempo, beats.first.seconds, beats.metre, beats.times)


def _ends_early(music: Music, analysis: Analysis) -> bool:
    """Whether the song is over before the trailer is."""
    if music.facts is None or music.loop:
        return False
    return music.facts.duration - music.start.seconds < analysis.seconds


def _asked(request: Request) -> dict[str, str]:
    """The options that a new analysis of the film takes over."""
    asked = {
        "subtitles": request.subtitles and str(request.subtitles.absolute()),
        "language": request.language,
        "shift": request.shift,
        "rate": request.rate,
        "length": request.length,
        "spoilers": request.spoilers or None,
        "match_light": request.match_light or None,
        "measured": not request.transcribes or None,
        "blocks": request.blocks or None,
        "structure": request.structure and request.structure.choice,
        **{f"text.{name}": text for name, text in request.texts.items()},
    }
    return {key: str(value) for key, value in asked.items() if value is not None}
