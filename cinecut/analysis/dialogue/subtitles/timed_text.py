"""Subtitles of other kinds than SRT, ASS and VTT, recognised by their text, whatever the file's name.

    text ─ kind_of ─► a kind ─ read_rows ─► rows: when each is shown, until when (None: not said), its text

MicroDVD and Spruce's STL count frames, MPL2 tenths of a second, TMPlayer whole seconds; SubViewer and YouTube's own
kind (SBV) have clocks in one line, SAMI and TTML are pages of marks.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice, pairwise

Row = tuple[Fraction, Fraction | None, str]

_LOOKED_AT = 8000  # characters at a file's start by which its kind is known
_MOST = 100_000  # rows; a long film has some thousands
_LONGEST = Fraction(5)  # seconds that a row is shown of which no end is said
_A_LETTER = Fraction(1, 15)  # seconds of that for each letter, after a first one
_CLOCK = r"(\d{1,3}):(\d\d):(\d\d)"


def kind_of(text: str) -> str | None:
    """The kind of subtitles that a text is; None where it is none of these."""
    head = text[:_LOOKED_AT]
    counts = {kind: len(pattern.findall(head)) for kind, (pattern, _) in _KINDS.items()}
    kind, count = max(counts.items(), key=lambda item: item[1])
    lines = sum(bool(line.strip()) for line in head.splitlines())
    least = lines // 2 if kind in _A_ROW_A_LINE else 1
    return kind if count >= max(1, least) else None


def read_rows(text: str, kind: str, rate: Fraction) -> list[tuple[Fraction, Fraction, str]]:
    """The rows in order. `rate`: the film's, where the file counts frames and does not say how many a second has."""
    rows = sorted(islice(_KINDS[kind][1](text, rate), _MOST), key=lambda row: row[0])
    ends = [min(end, row[0] + _seconds_for(row[2])) for row, (end, *_) in pairwise(rows)]
    ends += [rows[-1][0] + _seconds_for(rows[-1][2])] if rows else []
    return [(start, given or end, words) for (start, given, words), end in zip(rows, ends, strict=True) if words]


def _seconds_for(words: str) -> Fraction:
    return min(_LONGEST, 1 + len(words) * _A_LETTER)


def _microdvd(text: str, rate: Fraction) -> Iterator[Row]:
    """`{25}{60}Where were you?|Speak!`; the first row may say the rate."""
    for start, end, words in map(re.Match.groups, _MICRODVD.finditer(text)):
        if int(start) <= 1 and (said := re.fullmatch(r"\s*([1-9]\d{1,2}(?:[.,]\d{1,6})?)\s*", words)):
            rate = _usual_rate(Fraction(said[1].replace(",", ".")))
            continue
        yield int(start) / rate, int(end) / rate if end else None, _plain(words)


def _usual_rate(said: Fraction) -> Fraction:
    """A rate of which three decimals are said: 23.976 is 24000/1001."""
    exact = round(said) * Fraction(1000, 1001)
    return exact if abs(exact - said) < Fraction(1, 1000) else said


def _mpl2(text: str, rate: Fraction) -> Iterator[Row]:
    """`[12][34]Where were you?|/Speak!`, in tenths of a second."""
    for start, end, words in map(re.Match.groups, _MPL2.finditer(text)):
        yield Fraction(int(start), 10), Fraction(int(end), 10) if end else None, _plain(words)


def _tmplayer(text: str, rate: Fraction) -> Iterator[Row]:
    """`00:00:12:Where were you?`; `00:00:12,1=` where rows are numbered."""
    for hours, minutes, seconds, words in map(re.Match.groups, _TMPLAYER.finditer(text)):
        yield _seconds(hours, minutes, seconds), None, _plain(words)


def _clocks(text: str, rate: Fraction) -> Iterator[Row]:
    """`0:00:12.50,0:00:15.10`, and below it the words: SubViewer and SBV."""
    marks = list(islice(_CLOCKS.finditer(text), _MOST))
    for mark, following in zip(marks, [*(mark.start() for mark in marks[1:]), len(text)], strict=True):
        words = re.split(r"\n[ \t]*\n", text[mark.end() : following].strip("\n"), maxsplit=1)[0]
        start, end = mark[0].split(",", 1)
        yield _moment(start, rate), _moment(end, rate), _plain(words)


def _spruce(text: str, rate: Fraction) -> Iterator[Row]:
    """`00:00:01:00 , 00:00:03:12 , Where were you?|Speak!`, in frames: Spruce's STL."""
    for start, end, words in map(re.Match.groups, _SPRUCE.finditer(text)):
        yield _moment(start, rate), _moment(end, rate), _plain(re.sub(r"\^[IBU]", "", words))


def _sami(text: str, rate: Fraction) -> Iterator[Row]:
    """`<SYNC Start=1200><P Class=ENCC>Where were you?`; of several languages the one with most rows."""
    matches = islice(_SAMI_BLOCKS.finditer(text), _MOST)
    blocks = [(int(each[1]), re.split(r"<P\b([^<>]*)>", each[2], flags=re.I)) for each in matches]
    tracks = Counter(_class(tag) for _, parts in blocks for tag in parts[1::2])
    chosen = tracks.most_common(1)[0][0] if tracks else ""
    shown = list[tuple[int, str]]()
    for start, parts in blocks:
        said = [words for tag, words in zip(parts[1::2], parts[2::2], strict=True) if _class(tag) == chosen]
        shown += [(start, _plain(_without_marks(" ".join(said))))] if said or not tracks else []
    for (start, words), (end, _) in pairwise([*shown, (shown[-1][0] + 5000 if shown else 0, "")]):
        yield Fraction(start, 1000), Fraction(end, 1000), words


def _class(tag: str) -> str:
    match = re.search(r"class\s*=\s*[\"']?([\w-]+)", tag, re.I)
    return match[1].casefold() if match else ""


def _ttml(text: str, rate: Fraction) -> Iterator[Row]:
    """`<p begin="00:00:12.500" end="15.1s">Where were you?</p>`"""
    told = {name: _number(value) for name, value in re.findall(r"(frameRate|tickRate)\s*=\s*[\"'](\d{1,9})[\"']", text)}
    frames = told.get("frameRate") or rate
    if match := re.search(r"frameRateMultiplier\s*=\s*[\"'](\d{1,6})[ :](\d{1,6})[\"']", text):
        frames *= Fraction(int(match[1]) or 1, int(match[2]) or 1)
    ticks = told.get("tickRate") or frames
    begun = {"body": Fraction(0), "div": Fraction(0)}  # the times of a paragraph count from where these begin
    for outer, its, attributes, body in map(re.Match.groups, _TTML.finditer(text)):
        times = dict(re.findall(r"\b(begin|end|dur)\s*=\s*[\"']([^\"']{1,40})[\"']", attributes or its or ""))
        moments = {name: _moment(value, frames, ticks) for name, value in times.items()}
        start = moments.get("begin")
        if outer:
            begun[outer.casefold()] = start or Fraction(0)
        elif start is not None:
            end = moments.get("end", start + moments["dur"] if "dur" in moments else None)
            later = sum(begun.values())
            yield start + later, None if end is None else end + later, _plain(_without_marks(body))


def _moment(said: str, frames: Fraction, ticks: Fraction = Fraction(1)) -> Fraction:
    """Seconds of a time as clocks, offsets and frames are written: 0:00:12.5, 00:00:12:13, 12.5s, 300f, 90000t."""
    if match := re.fullmatch(rf"\s*{_CLOCK}(?:([.,:;])(\d{{1,9}}))?\s*", said):
        part = Fraction(int(match[5] or 0)) / (frames if match[4] in (":", ";") else 10 ** len(match[5] or ""))
        return _seconds(*match.groups()[:3]) + part
    if match := re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)\s*", said):
        unit = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}
        return Fraction(match[1]) * (unit | {"f": 1 / frames, "t": 1 / ticks})[match[2]]
    return Fraction(0)


def _number(value: str) -> Fraction:
    return Fraction(int(value))


def _seconds(hours: str, minutes: str, seconds: str) -> Fraction:
    return Fraction(int(hours) * 3600 + int(minutes) * 60 + int(seconds))


def _without_marks(text: str) -> str:
    text = re.sub(r"\s+", " ", re.sub(r"<!--(?:(?!<!--).)*?-->", "", text, flags=re.S))
    return html.unescape(re.sub(r"<[^<>]*>", "", re.sub(r"<(?:\w{1,20}:)?br\b[^<>]*>", "|", text, flags=re.I)))


def _plain(words: str) -> str:
    """Without the marks of how it is shown: {y:i}, a / that slants a line, | and [br] between lines."""
    lines = re.split(r"\||\[br\]|\n", re.sub(r"\{[a-zA-Z]:[^{}]*\}", "", words))
    return "\n".join(line.replace("\xa0", " ").strip().removeprefix("/") for line in lines).strip()


_MICRODVD = re.compile(r"^[ \t]*\{(\d{1,9})\}[ \t]*\{(\d{0,9})\}(.*)$", re.MULTILINE)
_MPL2 = re.compile(r"^[ \t]*\[(\d{1,9})\][ \t]*\[(\d{0,9})\](.*)$", re.MULTILINE)
_TMPLAYER = re.compile(rf"^[ \t]*{_CLOCK}(?:,\d)?[:=](.*)$", re.MULTILINE)
_SPRUCE = re.compile(
    r"^[ \t]*(\d\d:\d\d:\d\d[:;.]\d\d)[ \t]*,[ \t]*(\d\d:\d\d:\d\d[:;.]\d\d)[ \t]*,[ \t]*(.*)$", re.MULTILINE
)
_CLOCKS = re.compile(rf"^{_CLOCK}\.\d{{1,3}},{_CLOCK}\.\d{{1,3}}[ \t]*$", re.MULTILINE)
_SAMI_BLOCKS = re.compile(r"<SYNC\s+Start\s*=\s*[\"']?-?(\d{1,9})[^<>]*>(.*?)(?=<SYNC\b|</BODY|\Z)", re.I | re.S)
_SAMI = re.compile(r"<SYNC\s+Start\s*=", re.I)
_TTML = re.compile(
    r"<(?:\w{1,20}:)?(?:(body|div)\b([^<>]*)>|p\b([^<>]*)>((?:(?!<(?:\w{1,20}:)?p\b).)*?)</(?:\w{1,20}:)?p>)", re.S
)
_TTML_SIGN = re.compile(r"<(?:\w{1,20}:)?p\b[^<>]*?\bbegin\s{0,9}=")
_KINDS: dict[str, tuple[re.Pattern[str], Callable[[str, Fraction], Iterator[Row]]]] = {
    "MicroDVD": (_MICRODVD, _microdvd),
    "MPL2": (_MPL2, _mpl2),
    "Spruce STL": (_SPRUCE, _spruce),  # before TMPlayer, which its lines are, too: of equal counts the first wins
    "TMPlayer": (_TMPLAYER, _tmplayer),
    "SubViewer": (_CLOCKS, _clocks),
    "SAMI": (_SAMI, _sami),
    "TTML": (_TTML_SIGN, _ttml),
}
_A_ROW_A_LINE = ("MicroDVD", "MPL2", "TMPlayer")
