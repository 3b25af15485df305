"""Clips on lines where none overlaps, for programs that cannot join two on one."""

from __future__ import annotations

from dataclasses import replace

from cinecut.interchange.model import Heard, SoundTrack, Words


def lines_of(words: tuple[Words, ...]) -> list[list[Words]]:
    """Texts on as many lines as they need, so that none overlaps on its line."""
    lines: list[list[Words]] = []
    for text in sorted(words, key=lambda text: text.start):
        line = next((line for line in lines if line[-1].end <= text.start), None)
        if line is None:
            lines.append([text])
        else:
            line.append(text)
    return lines


def checkered(track: SoundTrack) -> list[list[Heard]]:
    """A track's clips without cross-fades: where two are joined, both run through the joint and fade, each on a line of
    its own."""
    lines: list[list[Heard]] = []
    for number, clip in enumerate(track.clips):
        following = track.clips[number + 1] if number + 1 < len(track.clips) else None
        if clip.head is not None:
            before, after = clip.head
            source = clip.source - before * clip.speed / track.rate
            clip = replace(clip, start=clip.start - before, source=source, fade_in=before + after, head=None)
        if following is not None and following.head is not None:
            before, after = following.head
            clip = replace(clip, end=clip.end + after, fade_out=before + after)
        line = next((line for line in lines if line[-1].end <= clip.start), None)
        if line is None:
            lines.append([clip])
        else:
            line.append(clip)
    return lines
