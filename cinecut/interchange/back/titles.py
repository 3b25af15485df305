"""The titles of a shot, compared with those in the file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from cinecut.edits.changes import words
from cinecut.interchange.back.amendments import Amended
from cinecut.interchange.readers.cut import EditorPicture, EditorText
from cinecut.language.events import Title
from cinecut.language.read import make
from cinecut.language.timebase import Length


def retitle(
    event: Amended, were: tuple[dict[str | int, EditorText], EditorPicture], now: tuple[list[EditorText], EditorPicture]
) -> None:
    """Amend a shot's titles: their texts, their times, and which there are. Times count from the shot's start."""
    (old, was), (lines, piece) = were, now
    left = [replace(line, start=line.start - piece.start, end=line.end - piece.start) for line in lines]
    kept: dict[int, Title] = {}
    waiting: list[tuple[int, Title, EditorText]] = []
    titles: tuple[Title, ...] = getattr(event.placed.event, "titles", ())
    for which, line in old.items():
        own = replace(line, start=line.start - was.start, end=line.end - was.start)
        if titles[int(which)].for_ is None and own.end == was.length:
            own = replace(own, end=piece.length)  # it lasts as long as its shot
        if own in left:
            left.remove(own)
            kept[int(which)] = titles[int(which)]
        else:
            waiting.append((int(which), titles[int(which)], own))
    if not waiting and not left:
        return
    whole = False
    for which, title, own in waiting:
        other = next((each for each in left if each.text == own.text), None) or next(
            (each for each in left if each.start == own.start), None
        )
        if other is None:
            event.said.append(words.title_gone(own.text))
            whole = True
            continue
        left.remove(other)
        if other.text != own.text:
            event.said.append(words.reworded(own.text, other.text))
            event.values["titles", which] = other.text
        if (other.start, other.end) != (own.start, own.end):
            event.said.append(words.title_moved(other.text, other.start, other.end))
            whole = True
        timed = _timed(title, own, other)
        kept[which] = replace(timed, text=other.text) if other.text != own.text else timed
    for line in left:
        event.said.append(words.title_new(line.text))
        kept[len(kept) + len(titles)] = _timed(make(Title, text=line.text), None, line)
        whole = True
    if whole:
        for key in [key for key in event.values if key[0] == "titles"]:
            del event.values[key]
        event.values["titles",] = tuple(kept[which] for which in sorted(kept)) or None


def _timed(title: Title, was: EditorText | None, now: EditorText) -> Title:
    """A title with new times in frames; a time that did not move stays as it was written."""
    if was is None or now.start != was.start:
        title = replace(title, at=Length(Fraction(now.start), "f"))
    if was is None or now.end - now.start != was.end - was.start:
        title = replace(title, for_=Length(Fraction(now.end - now.start), "f"))
    return title
