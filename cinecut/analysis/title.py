"""The title of a film for its card, from its tags or its file name, and whether it is a title at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from cinecut.compiler.names import on_one_line
from cinecut.media.open import open_media, tags

LONGEST = 60  # letters of a title

_RELEASE = re.compile(
    r"(?i)\b(?:\d{3,4}[pi]\d*|[xh]\.?26[45]|hevc|avc|av1|xvid|divx|blu-?ray|b[dr]rip|web-?(?:dl|rip)?|dvd(?:rip)?|hdtv|"
    r"remux|proper|extended|uncut|multi|dts|aac|ac3|10bit|hdr|uhd|4k|trailer)\b.*"
)
_WORK = frozenset(
    """
    final finale finished version ver rev edit edited cut rough fine export exported render rendered master
    mastered draft copy untitled sequence timeline project output proxy test new old temp tmp clip comp conform
    screener vts vob img dsc dscn dscf mvi mov gopr gh gx vid pxl cam rec recording capture screen track chapter
    disc cd dvd week day part reel mp mkv avi mpg unnamed noname default stream
    """.split()  # noqa: SIM905 - a list would be longer than a screen
)
_NUMBER = re.compile(r"v?\d+[a-z]?", re.I)
_HASH = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


def film_title(film: Path) -> str:
    """The film's title: from its tags, else its file name without release tags (year, codec, group)."""
    with open_media(film) as media:
        title = on_one_line(tags(media).get("title", ""))
    if 0 < len(title) <= LONGEST and not is_doubtful(title):
        return title.upper()
    name = re.sub(r"[._]+|\s*[\[(].*?[\])]", " ", on_one_line(film.stem))
    plain = _RELEASE.sub("", name).strip(" -")
    plain = re.sub(r"\b(19|20)\d\d$", "", plain).strip(" -") or on_one_line(film.stem)
    return plain.upper()[:LONGEST]


def common_title(films: Sequence[Path]) -> str:
    """The words that the titles of several films begin with: the series' name, without number and name of the episode.
    Empty if they have none in common."""
    words = [film_title(film).split() for film in films]
    first = [row[0] for row in takewhile(lambda row: len(set(row)) == 1, zip(*words, strict=False))]
    while first and re.fullmatch(r"[\W_]*|PARTS?|EPISODES?|SEASON|[ES]|S?\d+|S\d+E\d*", first[-1]):
        first.pop()
    title = " ".join(first).strip(" -:,–—")
    return "" if is_doubtful(title) else title


def is_doubtful(title: str) -> bool:
    """Whether a title is only a file name: numbers, dates, hashes, and words of the cutting room (VTS_01_1, FINAL_v3,
    2024-05-01, IMG_0042)."""
    if _HASH.fullmatch(title.strip()):
        return True
    words = [word for word in re.split(r"[\W_]+", re.sub(r"(?<=[a-zA-Z])(?=\d)", " ", title)) if word]
    named = [word for word in words if word.lower() not in _WORK and not _NUMBER.fullmatch(word) and len(word) > 1]
    return not named
