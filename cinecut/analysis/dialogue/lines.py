"""The dialogue of a film: its best subtitle track as clean lines, each with speaker, emotion and use for a trailer.

subtitles (find, read) ─ timing ─ belonging (to this film?) ─ speech (who says what) ─ protagonist ─ emotion ─► Dialogue
                           └ voices: phrases without a subtitle become lines without words
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from cinecut.analysis.dialogue.emotion import feeling, lexicon, stands_alone, voice_over
from cinecut.analysis.dialogue.speech import Speech, speeches
from cinecut.analysis.dialogue.subtitles.cues import Cues, SubtitleCue
from cinecut.analysis.dialogue.subtitles.tracks import (
    SubtitleSource,
    Track,
    find_tracks,
    language_code,
    preferred,
    read_cues,
)
from cinecut.analysis.dialogue.timing import Correction, Timing, judge, judge_by_words
from cinecut.analysis.dialogue.voice_activity import Voices, find_voices
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.language.timebase import FilmRange, FilmTime, clock
from cinecut.media.probe import film_facts


@dataclass(frozen=True, slots=True)
class Line:
    """What one person says without a break; `text` is empty if speech was detected without known words: then `sure`
    tells speech from a possible bird call. `strength`, `standalone` and `voice_over` range from 0 to 1. `speaker` is a
    name, `voice` the number of an unnamed voice (0: unknown), `lead` whether the protagonist speaks."""

    index: int
    range: FilmRange
    text: str
    speaker: str | None
    emotion: str  # intense, romantic, comedic, negative, positive, neutral
    strength: float
    standalone: float
    voice_over: float  # 0: cannot be used over other pictures
    sure: bool = True
    voice: int = 0
    lead: bool = False

    @property
    def said_by(self) -> str:
        """The speaker, for messages; empty if unknown."""
        return self.speaker or (f"voice {self.voice}" if self.voice else "")

    @property
    def words(self) -> str:
        """The text without capitals and signs: two lines with the same ones say the same."""
        return " ".join(re.findall(r"\w+", self.text.casefold()))


class Spoken:
    """The lines sorted by time, for fast lookup: a long film has thousands, and every shot needs its own."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = sorted(lines, key=lambda line: line.range.start)
        self._starts = [line.range.start for line in self._lines]
        self._longest = max((line.range.duration for line in self._lines), default=Fraction(0))

    def within(self, range: FilmRange) -> list[Line]:
        """The lines that overlap a range, in order of their start."""
        first = bisect_left(self._starts, range.start - self._longest)
        last = bisect_left(self._starts, range.end)
        return [line for line in self._lines[first:last] if line.range.end > range.start]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`source` is the subtitle file's name or `stream 2 (eng)`; `confidence` (0 to 1) is the protagonist's. `cast` has
    the seconds that each speaker talks, the one who talks most first."""

    lines: tuple[Line, ...] = ()
    protagonist: str | None = None
    language: str | None = None
    source: str | None = None
    confidence: float = 0.0
    cast: tuple[tuple[str, Fraction], ...] = ()

    def voice_overs(self) -> list[Line]:
        """The lines that can be used over other pictures, best first."""
        return sorted((line for line in self.lines if line.voice_over > 0), key=lambda line: -line.voice_over)


@dataclass(frozen=True, slots=True)
class Hearing:
    """The dialogue as measured in a film's sound. `timing` is set if the user corrects the subtitles, else `voices`
    decide. `transcribe` returns the words of a film without subtitles, if it can."""

    voices: Voices
    timing: Timing | None = None
    transcribe: Callable[[], Cues | None] = lambda: None


def read_dialogue(
    film: Path,
    duration: Fraction,
    start: Fraction,
    subtitles: Path | None,
    language: str | None,
    hearing: Hearing | None = None,
) -> tuple[Dialogue, list[Diagnostic]]:
    """The dialogue of `film` from the file `subtitles`, else from the best track beside it or in it, else from its
    sound.

    `duration` is the film's length and `start` the time stamp of its first picture, both in seconds; `language` is
    preferred. Without `hearing` the film's sound is analysed here. If nothing is usable, the dialogue has only phrases
    without words, and a diagnostic says why. Raises Stop("missing-file") or Stop("unreadable") only for `subtitles`.
    """
    hearing = hearing or _listen(film)
    dialogue, warnings = _worded(film, (start, duration), subtitles, language, hearing)
    return with_phrases(dialogue, hearing.voices), warnings


def _listen(film: Path) -> Hearing:
    """The voices of a film; none if it cannot be opened, since the subtitle files beside it are still usable."""
    try:
        return Hearing(find_voices(film, film_facts(film), 0, lambda done: None))
    except Stop:
        return Hearing(Voices((), (), np.zeros(0, np.bool_)), Timing())


def with_phrases(dialogue: Dialogue, voices: Voices) -> Dialogue:
    """The dialogue, and a line without words for each phrase of which lines cover less than half."""
    spoken = Spoken(dialogue.lines)
    phrases = zip(voices.phrases, voices.sure, strict=True)
    more = [(p, sure) for p, sure in phrases if 2 * _covered(p, spoken.within(p)) < p.duration]
    mute = [Line(0, phrase, "", None, "neutral", 0.0, 0.0, 0.0, sure) for phrase, sure in more]
    ordered = sorted([*dialogue.lines, *mute], key=lambda line: line.range.start)
    return replace(dialogue, lines=tuple(replace(line, index=index) for index, line in enumerate(ordered)))


def _covered(phrase: FilmRange, lines: Sequence[Line]) -> Fraction:
    """Seconds of a phrase that the lines cover."""
    done, at = Fraction(0), phrase.start
    for line in sorted(lines, key=lambda line: line.range.start):
        end = min(phrase.end, line.range.end)
        done += max(Fraction(0), end - max(at, line.range.start))
        at = max(at, end)
    return done


def _worded(
    film: Path, span: tuple[Fraction, Fraction], subtitles: Path | None, language: str | None, hearing: Hearing
) -> tuple[Dialogue, list[Diagnostic]]:
    """The lines whose words are known. `span` is the time stamp of the first picture, and the film's length."""
    start, duration = span
    source = find_tracks(film)
    warnings: list[Diagnostic] = []
    if subtitles is not None:
        track = Track(subtitles.name, path=subtitles)
        named = read_cues(film, track, start, source)
        timed = _timed(track, named, hearing, warnings, wanted=True) or named
        return dialogue_of(track, timed, duration, warnings), warnings
    for track in preferred(source.tracks, language):
        if track.role == "commentary":
            warnings.append(_about(track, "is a commentary and not the film's dialogue: not used"))
            continue
        try:
            cues = _timed(track, read_cues(film, track, start, source), hearing, warnings)
            if cues is None:
                continue
        except Stop as stop:
            warnings += [Diagnostic("subtitles", d.message, None, d.hints) for d in stop.diagnostics]
            continue
        if (dialogue := dialogue_of(track, cues, duration, warnings)).lines:
            warnings += _reservations(track, dialogue, language)
            return dialogue, warnings
    try:
        if (words := hearing.transcribe()) is not None and words.cues:
            return dialogue_of(Track("the film's sound"), words, duration, warnings), warnings
    except Stop as stop:
        warnings += [Diagnostic("subtitles", d.message, None, d.hints) for d in stop.diagnostics]
    return Dialogue(), [*warnings, _no_subtitles(source)]


def _timed(track: Track, cues: Cues, hearing: Hearing, warnings: list[Diagnostic], wanted: bool = False) -> Cues | None:
    """The cues at the times of the speech: corrected as the user asks, else by the film's voices, else by its words,
    with a warning. None if the words belong to another film, unless the user named the file."""
    timing = hearing.timing
    if timing is None:
        verdict = judge(cues.cues, hearing.voices)
        if verdict.doubtful:
            verdict = _by_words(cues, hearing) or verdict
        timing = verdict.timing
        if verdict.message:
            by_hand = () if verdict.foreign else ("--subtitles-shift and --subtitles-rate set it by hand",)
            warnings.append(_about(track, verdict.message, *by_hand))
        if verdict.foreign and not wanted:
            return None
    return replace(cues, cues=tuple(timing.of(cues.cues)))


def _by_words(cues: Cues, hearing: Hearing) -> Correction | None:
    """The verdict by the words of the film; None without Whisper, or if the words do not decide."""
    try:
        words = hearing.transcribe()
    except Stop:  # it is said where the words are needed
        return None
    return judge_by_words(cues.cues, words.cues) if words is not None else None


def _about(track: Track, message: str, *hints: str) -> Diagnostic:
    return Diagnostic("subtitles", f"{track.source} {message}", None, hints)


def _reservations(track: Track, dialogue: Dialogue, language: str | None) -> Iterator[Diagnostic]:
    if track.role == "forced":
        yield _about(track, "is marked as forced: it may hold only a part of the dialogue")
    wanted = language_code(language)
    if wanted is not None and dialogue.language not in (wanted, None):
        yield _about(track, f"is in {dialogue.language!r}; there are no usable subtitles in {wanted!r}")


def _no_subtitles(source: SubtitleSource) -> Diagnostic:
    hint = "put text subtitles beside the film, named as it is (FILM.srt), or name a file with --subtitles"
    if source.bitmaps:
        message = f"{', '.join(source.bitmaps)} are pictures of text, which cannot be read"
    else:
        usable = "usable " if source.tracks else ""
        message = f"the film has no {usable}subtitles: lines of dialogue are unknown"
    return Diagnostic("subtitles", message, None, (hint,))


LEADS, UNKNOWN, OTHERS = 1.0, 0.6, 0.4  # closeness to the story: of the protagonist, of nobody known, of others


def dialogue_of(track: Track, cues: Cues, duration: Fraction, warnings: list[Diagnostic]) -> Dialogue:
    """The lines of one track; empty, with a warning, if it belongs to another film or nobody speaks in it."""
    language = cues.language or track.language
    inside, warning = belonging(track, cues.cues, duration)
    if warning is not None:
        warnings.append(warning)
    spoken = [replace(s, end=min(s.end, duration)) for s in speeches(inside, language) if s.start < duration]
    if not spoken:
        if inside:
            warnings.append(_about(track, "holds no spoken line"))
        return Dialogue()
    name, confidence = protagonist(spoken)
    # Old closed captions are all in capitals, which are then no sign of shouting.
    all_capitals = sum(speech.text.isupper() for speech in spoken) > len(spoken) / 2
    lines = tuple(_line(i, speech, name, language, all_capitals) for i, speech in enumerate(spoken))
    return Dialogue(lines, name, language, track.source, confidence)


_STRAY_SHARE = 0.1  # of the cues may follow the film's end, as an advertisement or a longer version's credits


def belonging(
    track: Track, cues: Sequence[SubtitleCue], duration: Fraction
) -> tuple[list[SubtitleCue], Diagnostic | None]:
    """The cues inside the film; none, with a warning, if so many follow its end that they belong to another film."""
    inside = [cue for cue in cues if cue.start < duration]
    outside = len(cues) - len(inside)
    if outside == 0:
        return inside, None
    last = max(cue.start for cue in cues)
    if outside > 1 and outside > _STRAY_SHARE * len(cues):
        message = (
            f"runs to {clock(last, 0)} and the film only to {clock(duration, 0)}: belongs to another film, not used"
        )
        return [], _about(track, message, "name the right file with --subtitles")
    plural = "cue lies" if outside == 1 else "cues lie"
    return inside, _about(track, f"fits, but {outside} {plural} after the film's end ({clock(duration, 0)}): left out")


def _line(index: int, speech: Speech, hero: str | None, language: str | None, all_capitals: bool) -> Line:
    felt = feeling(speech.text, language, all_capitals)
    alone = stands_alone(speech.text, language)
    carries = voice_over(speech.text, speech.end - speech.start, _closeness(speech, hero), alone, language)
    span = FilmRange(FilmTime(speech.start), FilmTime(speech.end))
    return Line(index, span, speech.text, speech.speaker, felt.emotion, felt.strength, alone, carries)


def _closeness(speech: Speech, hero: str | None) -> float:
    """How central the speaker is to the story, for voice-overs: 1 for the protagonist and a narrator."""
    if speech.speaker is None:
        return UNKNOWN
    if speech.off_screen or (hero is not None and hero in speech.speaker.split()):
        return LEADS
    return OTHERS


# --- the protagonist ----------------------------------------------------------------------------------------------

_WORD = r"[^\W\d_][\w'’-]*"
_ADDRESS = re.compile(rf", ({_WORD})(?=[.,!?…;]|$)|(?:^|[.!?…] )({_WORD})(?=[,!?])")
_ANY_WORD = re.compile(_WORD)
_FEWEST = 3  # times that the protagonist must be named


def protagonist(spoken: Sequence[Speech]) -> tuple[str | None, float]:
    """The name that is addressed and speaks most, or None, with a confidence from 0 to 1.

    An address is a capitalised word between commas or before an exclamation mark, which is hardly ever in lower case,
    and is neither a title nor a common start of a sentence.
    """
    words = Counter(word for speech in spoken for word in _ANY_WORD.findall(speech.text))
    counts = Counter(name for speech in spoken for name in _speaker_names(speech))
    addressed = Counter(first or second for speech in spoken for first, second in _ADDRESS.findall(speech.text))
    counts.update({name: n for name, n in addressed.items() if _is_name(name, words)})
    if not counts:
        return None, 0.0
    (name, most), (_, next_most) = [*counts.most_common(2), ("", 0)][:2]
    lead = 1 - next_most / most
    if most < _FEWEST or lead == 0:
        return None, 0.0
    return name, round(min(1.0, most / 12) * (0.4 + 0.6 * lead), 2)


def _speaker_names(speech: Speech) -> Iterator[str]:
    """The name of a speaker without titles and surname; none for `Man 2`, `All` and the like."""
    sets = lexicon().sets
    words = [word.strip(".#") for word in (speech.speaker or "").split()]
    plain = [word.casefold() for word in words]
    if any(word in sets["anonymous"] for word in plain):
        return
    for word, small in zip(words, plain, strict=True):
        if small.isalpha() and len(small) > 1 and small not in sets["titles"]:
            yield word
            return


def _is_name(word: str, words: Counter[str]) -> bool:
    sets = lexicon().sets
    small = word.casefold().replace("’", "'")
    if (
        not word[0].isupper()
        or word.isupper()
        or len(word) < 2
        or small in sets["titles"]
        or small in sets["not_names"]
    ):
        return False
    return words[small] * 5 <= words[word]
