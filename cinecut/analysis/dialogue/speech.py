"""From cues to speeches, each with its speaker: without markup, songs, remarks, advertisements and credits, with
damaged times repaired.

cues ─ plain text ─ in_order (times) ─ split (dashes, speakers) ─ joined (sentences over several cues) ─► Speech …
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.analysis.dialogue.emotion import lexicon
from cinecut.analysis.dialogue.subtitles.cues import SubtitleCue

MAX_TEXT = 500  # characters of one speech
_CHARS_PER_SECOND = 15  # brisk speech
_TOUCHING = Fraction(1, 20)  # seconds: captions that change at one frame
_SAME_SENTENCE = Fraction(6, 10)  # seconds of pause at most inside a sentence
_LONGEST_SENTENCE = Fraction(8)  # seconds


@dataclass(frozen=True, slots=True)
class Speech:
    """Words of one speaker, `start` to `end` in film seconds.

    `off_screen` if the subtitles say so; `replies` if a dash or a name shows that another speaker came before.
    """

    start: Fraction
    end: Fraction
    text: str
    speaker: str | None = None
    off_screen: bool = False
    replies: bool = False


def speeches(cues: Sequence[SubtitleCue], language: str | None) -> list[Speech]:
    """All speeches in `cues`, in order of time."""
    plain = [replace(cue, text=text) for cue in cues if (text := _plain(cue)) and cue.end > 0]
    spoken = [cue for i, cue in enumerate(plain) if not _is_notice(cue.text, min(i, len(plain) - 1 - i) < 5)]
    ordered = in_order(spoken)
    manner = _Manner.of(ordered)
    parts = (speech for cue in ordered for speech in _split(cue, manner, language))
    return joined(sorted(parts, key=lambda speech: speech.start))


# --- plain text ---------------------------------------------------------------------------------------------------

_UNSEEN = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), None),  # control characters
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C), None),  # direction
    **dict.fromkeys((0x200B, 0x2060, 0xFEFF, 0xFFFD, 0xAD, *range(0xE0000, 0xE0080), *range(0xD800, 0xE000)), None),
    **dict.fromkeys((ord("\t"), 0xA0, 0x2028, 0x2029, 0x85), " "),
    ord("\n"): "\n",
}
_BRACES = re.compile(r"(\{[^{}]*\})")
_DRAWING = re.compile(r"\\p(\d+)")
_KARAOKE = re.compile(r"\\[kK][fo]?\d")
_SUNG_STYLE = re.compile(
    r"\b(signs?|songs?|karaoke|kara|op|ed|opening|ending|credits?|titles?|lyrics|romaji|kanji|typeset\w*)\b", re.I
)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]{1,80})>")
_READING = re.compile(r"<(r[tp])\b[^<>]{0,300}>[^<>]{0,300}(?:</\1>)?", re.IGNORECASE)  # ruby: how signs are said
_BREAK = re.compile(r"<br\b[^<>]{0,30}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>|</?(?:[bius]|font)\s*(?=<|$)")
_VOICE_MARK = "\x02"  # not in the text itself: control characters have been removed


def _plain(cue: SubtitleCue) -> str:
    """The words of a cue without markup; empty if they are drawn, sung or on a sign. Speakers of VTT are marked."""
    if _SUNG_STYLE.search(cue.style.replace("_", " ")) or _KARAOKE.search(cue.text):
        return ""
    text = html.unescape(_without_overrides(cue.text)).translate(_UNSEEN)
    if "<" in text:
        text = _VOICE.sub(rf"\n{_VOICE_MARK}\1{_VOICE_MARK}", text)
        text = _TAG.sub("", _BREAK.sub("\n", _READING.sub("", text)))
    return _without_songs(text).strip()


def _without_overrides(text: str) -> str:
    """The text without ASS override blocks `{…}` and the drawings that `\\p1` starts."""
    if "{" not in text:
        return text
    kept: list[str] = []
    drawing = False
    for part in _BRACES.split(text):
        if part.startswith("{") and part.endswith("}"):
            if scales := _DRAWING.findall(part):
                drawing = int(scales[-1]) > 0
        elif not drawing:
            kept.append(part)
    return "".join(kept)


_NOTE = re.compile(r"[♪♫♬♩]")
_SONG = re.compile(r"[♪♫♬♩][^♪♫♬♩]*(?:[♪♫♬♩]+|$)")


def _without_songs(text: str) -> str:
    if _NOTE.search(text):
        text = _SONG.sub("", text)
    return "" if text.lstrip().startswith("#") else text


_NOTICE = re.compile(
    r"www\.|https?:|\b[\w-]+\.(?:com|org|net|info|tv)\b|opensubtitles|addic7ed|subscene|podnapisi|napiprojekt"
    r"|\b(?:subtitle[sd]?|caption(?:s|ed|ing)?|transcript|transcribed|translat(?:ed|ion)|sync(?:ed|hroni[sz]ed)?"
    r"|corrections?|corrected|resync(?:ed)?|ripped|encoded|timed|edited|proofread) (?:and \w+ |& \w+ )?(?:by|from|:)"
    r"|^sync and correct|advertise your product|become a? ?vip member|rate this subtitle"
    r"|^\W*(?:directed|written|produced|story|screenplay|music|edited|cinematography|casting) by\b"
    r"|^\W*(?:a film by|executive producers?|starring|based on the (?:novel|book|play))\b|©|\(c\) ?(?:19|20)\d\d",
    re.IGNORECASE,
)
# Words that people also speak: they count only at the start and end of a file, where its authors sign.
_SIGNATURE = re.compile(
    r"\b(?:napisy|tłumaczenie|synchro|titulky|překlad|preklad|felirat|fordít\w+|субтитры|перевод|субтитри|untertitel"
    r"|übersetzung|sous-titr\w+|traduction|traduction|traducción|subtítulos|legendas?|tradução|sottotitoli|traduzione"
    r"|ondertiteling|undertexter|undertekster|tekstitys|traducerea|subtitrare|prijevod|prevod|altyazı|çeviri|υπότιτλοι"
    r"|字幕|subtitles?|captions?)\b",
    re.IGNORECASE,
)


def _is_notice(text: str, at_an_end: bool) -> bool:
    """Whether it is an advertisement or a credit, which nobody speaks."""
    return bool(_NOTICE.search(text)) or (at_an_end and bool(_SIGNATURE.search(text)))


# --- times --------------------------------------------------------------------------------------------------------


def in_order(cues: Sequence[SubtitleCue]) -> list[SubtitleCue]:
    """Sorted, without duplicates, each with an end after its start, and before the next if no words are lost."""
    latest: dict[str, int] = {}
    kept: list[SubtitleCue] = []
    for cue in sorted(cues, key=lambda cue: (cue.start, cue.end)):
        last = latest.get(cue.text)
        if last is not None and cue.start <= max(kept[last].end, kept[last].start) + _TOUCHING:
            kept[last] = replace(kept[last], end=max(kept[last].end, cue.end))
            continue
        latest[cue.text] = len(kept)
        kept.append(replace(cue, start=max(cue.start, Fraction(0))))
    following = [*(cue.start for cue in kept[1:]), None]
    return [replace(cue, end=_mended_end(cue, after)) for cue, after in zip(kept, following, strict=False)]


def _mended_end(cue: SubtitleCue, following: Fraction | None) -> Fraction:
    end = cue.end
    if end > cue.start and (following is None or end <= following) and end - cue.start <= 12:
        return end
    spoken = max(Fraction(1), Fraction(len(cue.text), _CHARS_PER_SECOND))  # seconds needed to say it
    if end <= cue.start or end > cue.start + max(Fraction(12), 4 * spoken):
        end = cue.start + min(2 * spoken, Fraction(7))
        return min(end, following) if following is not None and following > cue.start else end
    if following is not None and following < end and following - cue.start >= spoken * 7 / 10:
        return following  # an overlap after the last word
    return end


# --- who says what ------------------------------------------------------------------------------------------------

_REMARK = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|\*[^*\n]{1,60}\*|（[^（）]*）|【[^【】]*】|[\[(][^\[\]()\n]*$")
_NAME = r"[^\W\d_][\w.'’&#-]*(?: (?:[^\W\d_]|\d)[\w.'’&#-]*){0,3}"
_PREFIX = re.compile(rf"^({_NAME})[ ]?((?:[\[(][^\])\n]{{0,30}}[\])])?)[ ]?:(?:\s+|$)")
_BRACKET_PREFIX = re.compile(rf"^[\[(]({_NAME})(?: (?:on|over|through|in) [\w ]{{1,20}})?[\])](:?)\s*(?=\S)")
_OFF_SCREEN = re.compile(r"v\.?\s?o\.?|voice.?over|narrat", re.IGNORECASE)
_DASH = r"[-–—‐‑‒―]"
_TURN = re.compile(
    rf"(?:^|\n)\s*(?:-+(?:\s+(?=\S)|(?=[^\s\d]))|(?!-){_DASH}+\s*(?=\S))|(?<=[.!?…\"”])\s+{_DASH}\s+(?=\S)"
)
_STARTS_TURN = re.compile(rf"\s*{_DASH}")


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a file names its speakers, judged from all of it: one `Word:` could be anything, but not two of them."""

    prefixes: frozenset[str]  # capitalised names before a colon, at least twice
    bracketed: bool  # `[John] Hello.`, in files with remarks in lower case

    @classmethod
    def of(cls, cues: Sequence[SubtitleCue]) -> _Manner:
        counts: Counter[str] = Counter()
        small = capital = 0
        for cue in cues:
            if ":" in cue.text:
                for line in cue.text.split("\n"):
                    if match := _PREFIX.match(line.lstrip("-–— ")):
                        counts[match[1]] += 1
            for bracket in re.findall(r"\[(\w)", cue.text):
                small += bracket.islower()
                capital += bracket.isupper()
        twice = frozenset(name for name, n in counts.items() if n >= 2 and name.istitle())
        return cls(twice, small > capital)

    def names(self, name: str) -> bool:
        words = name.casefold().replace(".", "").split()
        if lexicon().sets["before_colons"].issuperset(words) or len(name) > 40:
            return False
        return (name.isupper() and len(name) > 1) or name in self.prefixes


def _split(cue: SubtitleCue, manner: _Manner, language: str | None) -> Iterator[Speech]:
    """The speeches of one cue, one for each speaker; the cue's time is divided in proportion to their words."""
    turns: list[tuple[str, str | None, bool]] = []
    for turn in _turns(cue.text, manner):
        text, speaker, off_screen = _speaker(turn, manner)
        if text := _tidy(text, language):
            turns.append((text, speaker, off_screen))
    if len(turns) == 1:
        text, speaker, off_screen = turns[0]
        yield Speech(cue.start, cue.end, text, speaker or (_named(cue.name) if cue.name else None), off_screen)
        return
    total = sum(len(text) + 4 for text, _, _ in turns)
    begin, done = cue.start, 0
    for text, speaker, off_screen in turns:
        done += len(text) + 4
        end = cue.start + (cue.end - cue.start) * done / total
        end = cue.end if done == total else Fraction(round(end * 1000), 1000)
        if end > begin:
            yield Speech(begin, end, text, speaker, off_screen, replies=True)
        begin = end


def _turns(text: str, manner: _Manner) -> list[str]:
    """The text split where another person begins to speak: at a dash, a voice tag, a name at the start of a line."""
    text = text.replace(f"\n{_VOICE_MARK}", f"\n- {_VOICE_MARK}")
    parts = _TURN.split(text) if "\n" in text or _STARTS_TURN.match(text) else [text]
    turns: list[str] = []
    for part in parts:
        current: list[str] = []
        for line in part.split("\n"):
            match = _PREFIX.match(line) if ":" in line else None
            if current and match and manner.names(match[1]):
                turns.append("\n".join(current))
                current = []
            current.append(line)
        turns.append("\n".join(current))
    return turns


def _speaker(turn: str, manner: _Manner) -> tuple[str, str | None, bool]:
    """The turn without its speaker's name and without remarks; the name; whether the speaker is off screen."""
    turn = turn.strip()
    if turn.startswith(_VOICE_MARK):
        _, name, text = turn.split(_VOICE_MARK, 2)
        return _REMARK.sub("", text), _named(name), bool(_OFF_SCREEN.search(name))
    speaker, off_screen = None, False
    match = _BRACKET_PREFIX.match(turn) if turn[:1] in ("[", "(") else None
    if match and (match[2] or (manner.bracketed and match[1].istitle())):
        speaker, off_screen, turn = _named(match[1]), bool(_OFF_SCREEN.search(match[0])), turn[match.end() :]
    if "[" in turn or "(" in turn or "*" in turn or "（" in turn or "【" in turn:
        match = _PREFIX.match(turn)
        off_screen = off_screen or bool(match and _OFF_SCREEN.fullmatch(match[2].strip("[]() ")))
        turn = _REMARK.sub(" ", turn).strip()
    match = _PREFIX.match(re.sub(r"\s+:", ":", turn)) if ":" in turn else None
    if match and manner.names(match[1]):
        speaker, turn = _named(match[1]), turn[turn.index(":") + 1 :]
    off_screen = off_screen or bool(speaker and _OFF_SCREEN.search(speaker))
    return turn, speaker, off_screen


def _named(name: str) -> str | None:
    """A speaker's name in usual spelling: `JOHN (V.O.)` becomes John."""
    name = " ".join(re.sub(r"[\[(].*", "", name.translate(_UNSEEN)).split())[:40].strip(" :")
    if not name or name.casefold() in ("default", "ntp", "unknown") or not any(c.isalpha() for c in name):
        return None
    return name.title().replace("’S", "’s").replace("'S", "'s") if name.isupper() else name


_OCR = (
    (re.compile(r"\bl(?='(?:m|ll|d|ve|II)\b)"), "I"),
    (re.compile(r"\bl(?= [a-z])"), "I"),
    (re.compile(r"'II\b"), "'ll"),
)


def _tidy(text: str, language: str | None) -> str:
    """One line of text without dashes or blanks at its ends, at most MAX_TEXT characters; empty without any letter."""
    text = " ".join(re.sub(r"(?<=\w)-\n(?=\w)", "-", text).split())
    text = re.sub(rf"^(?:-+(?![\d-])|(?!-){_DASH}|[>:,;_|~\s])+|\s+{_DASH}+$|[_|~\s]+$", "", text)
    if language == "en" and ("l" in text or "II" in text):
        for pattern, right in _OCR:
            text = pattern.sub(right, text)
    if len(text) > MAX_TEXT:
        text = text[: MAX_TEXT - 1].rsplit(" ", 1)[0].rstrip() + "…"
    return text if any(char.isalnum() for char in text) else ""


# --- sentences ----------------------------------------------------------------------------------------------------

_FULL_STOP = re.compile(r"(?<!\.)[.!?。！？][\"'”’)»]*$")
_ELLIPSIS = re.compile(r"^(?:\.\.+|…)\s*|\s*(?:\.\.+|…)$")


def joined(parts: Sequence[Speech]) -> list[Speech]:
    """Joins sentences that run over several cues into one speech each, since half a sentence is useless."""
    done: list[Speech] = []
    for part in parts:
        if done and _goes_on(done[-1], part):
            first, second = done[-1], part
            ragged = bool(_ELLIPSIS.search(first.text[-4:])) and bool(_ELLIPSIS.match(second.text))
            head = re.sub(r"\s*(?:\.\.+|…)$", "", first.text) if ragged else first.text
            tail = re.sub(r"^(?:\.\.+|…)\s*", "", second.text)
            done[-1] = replace(first, end=second.end, text=f"{head} {tail}")
        else:
            done.append(part)
    return done


def _goes_on(first: Speech, second: Speech) -> bool:
    if not _ELLIPSIS.sub("", second.text)[:1].islower() or _FULL_STOP.search(first.text):
        return False
    if second.start - first.end > _SAME_SENTENCE or second.start < first.start or second.end <= first.end:
        return False
    if second.end - first.start > _LONGEST_SENTENCE or len(first.text) + len(second.text) >= MAX_TEXT:
        return False
    return not second.replies and second.speaker in (None, first.speaker)
