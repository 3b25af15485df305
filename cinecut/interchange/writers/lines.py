"""Clips on lines without overlap, for programs that cannot join two clips on one line."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from cinecut.interchange.model import SoundClip, SoundTrack, TextClip

T = TypeVar("T", TextClip, SoundClip)


def lines_of(words: tuple[TextClip, ...]) -> list[list[TextClip]]:
    """Texts on as many lines as needed so that none overlap."""
    lines: list[list[TextClip]] = []
    for text in sorted(words, key=lambda text: text.start):
        _lay(text, lines)
    return lines


def checkered(track: SoundTrack) -> list[list[SoundClip]]:
    """A track's clips without cross-fades: two joined clips both run through the joint and fade, on separate lines."""
    lines: list[list[SoundClip]] = []
    for number, clip in enumerate(track.clips):
        following = track.clips[number + 1] if number + 1 < len(track.clips) else None
        if clip.head is not None:
            before, after = clip.head
            source = clip.source - before * clip.speed / track.rate
            clip = replace(clip, start=clip.start - before, source=source, fade_in=before + after, head=None)
        if following is not None and following.head is not None:
            before, after = following.head
            clip = replace(clip, end=clip.end + after, fade_out=before + after)
        _lay(clip, lines)
    return lines


def _lay(item: T, lines: list[list[T]]) -> None:
    """Put an item on the first line that is free there, or on a new one."""
    line = next((line for line in lines if line[-1].end <= item.start), None)
    if line is None:
        lines.append([item])
    else:
        line.append(item)
