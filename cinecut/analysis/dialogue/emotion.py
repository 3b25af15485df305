"""The value of a line of dialogue for a trailer: its emotion, whether it stands alone, whether it can be a voice-over.

>>> feeling("I will never stop hunting you!")
Feeling(emotion='intense', strength=0.67)
>>> stands_alone("He did it there.") < 0.3 < stands_alone("Every man dies, not every man really lives.")
True

The words in lexicon.yaml are English. In other languages only punctuation and capitals are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, get_args

from ruamel.yaml import YAML

Emotion = Literal["intense", "romantic", "comedic", "negative", "positive", "neutral"]
EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)


@dataclass(frozen=True, slots=True)
class Feeling:
    emotion: Emotion
    strength: float  # 0 to 1, low for a neutral line


@dataclass(frozen=True, slots=True)
class Lexicon:
    """lexicon.yaml: weights (0 to 1) of words and phrases by emotion, endings of words, and sets of words by name."""

    weights: dict[tuple[str, ...], dict[Emotion, float]]
    sets: dict[str, frozenset[str]]
    phrases: dict[str, int]  # by their first word: the number of words of the longest phrase
    endings: dict[str, list[str]]  # of inflected words, each with what may replace it


@cache
def lexicon() -> Lexicon:
    data = YAML(typ="safe", pure=True).load(Path(__file__).with_name("lexicon.yaml").read_text("utf-8"))
    weights: dict[tuple[str, ...], dict[Emotion, float]] = {}
    for emotion, levels in data.pop("emotions").items():
        for level, words in levels.items():
            for entry in words.split():
                known = weights.setdefault(tuple(entry.split("_")), {})
                known[emotion] = max(known.get(emotion, 0.0), level / 3)
    phrases: dict[str, int] = {}
    for words in weights:
        if len(words) > 1:
            phrases[words[0]] = max(len(words), phrases.get(words[0], 0))
    endings = data.pop("endings")
    return Lexicon(weights, {name: frozenset(words.split()) for name, words in data.items()}, phrases, endings)


# --- emotion ------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|\d+|[.!?;:,…—–]+")
_CLEAR = 0.36  # with a lower score the line is neutral
_NEGATED: dict[Emotion, tuple[Emotion, float]] = {  # the emotion after "not …", and the share of its weight
    "positive": ("negative", 0.7),
    "romantic": ("negative", 0.7),
    "negative": ("positive", 0.2),
    "intense": ("intense", 0.3),
    "comedic": ("comedic", 0.2),
}


def feeling(text: str, language: str | None = "en", all_capitals: bool = False) -> Feeling:
    """The emotion of one line. `all_capitals`: all subtitles are in capitals, so that capitals mean nothing.

    The weights of the words are summed for each emotion; a negation before a word changes its emotion, an intensifier
    scales it. Exclamation marks and capitals raise all emotions, and add to "intense".
    """
    scores: dict[Emotion, float] = dict.fromkeys(EMOTIONS[:-1], 0.0)
    words = _tokens(text)
    if language in ("en", None):
        for at, length, weights in _hits(words):
            factor, negated = _modifiers(words, at)
            negated = negated and length < 3  # "can't | live without you" is a phrase of its own
            for emotion, weight in weights.items():
                kind, left = _NEGATED[emotion] if negated else (emotion, 1.0)
                scores[kind] += weight * factor * left
        count = sum(word[0].isalnum() for word in words)
        for emotion in scores:
            scores[emotion] /= max(1.0, (count / 8) ** 0.5)
    exclaims, shouts = min(text.count("!") + text.count("！"), 3), not all_capitals and _shouts(text)
    if exclaims or shouts:
        for emotion in scores:
            scores[emotion] *= 1 + 0.15 * exclaims + 0.25 * shouts
        scores["intense"] += (0.1 + 0.1 * exclaims if exclaims else 0.0) + 0.35 * shouts
    if "..." in text or "…" in text:
        scores["intense"] *= 0.8
    top: Emotion = max(scores, key=lambda emotion: scores[emotion])
    score = scores[top]
    return Feeling(top if score >= _CLEAR else "neutral", round(1 - math.exp(-1.2 * score), 2))


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[str, ...]:
    """The words in lower case, with the punctuation between them."""
    return tuple(_TOKEN.findall(text.lower().replace("’", "'").replace("‘", "'")))


def _hits(words: tuple[str, ...]) -> Iterator[tuple[int, int, dict[Emotion, float]]]:
    """Position, length and weights of the lexicon's words and phrases in a line; the longest phrase is taken first."""
    known = lexicon()
    at = 0
    while at < len(words):
        for length in range(min(known.phrases.get(words[at], 0), len(words) - at), 1, -1):
            if weights := known.weights.get(words[at : at + length]):
                yield at, length, weights
                at += length
                break
        else:
            if weights := _weights(words[at]):
                yield at, 1, weights
            at += 1


@lru_cache(maxsize=20_000)
def _weights(word: str) -> dict[Emotion, float]:
    """The weights of a word, or of its base form if it has none itself."""
    known = lexicon().weights
    return next((known[(form,)] for form in _base_forms(word) if (form,) in known), {})


def _base_forms(word: str) -> Iterator[str]:
    yield word
    word = word.removesuffix("'s").removesuffix("in'")
    for ending, replacements in lexicon().endings.items():
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            yield from (stem + replacement for replacement in replacements)
            if len(stem) > 3 and stem[-1] == stem[-2]:
                yield stem[:-1]
    if len(word) > 4 and word[-1] == word[-2] == word[-3]:
        yield word.rstrip(word[-1]) + word[-1]  # nooooo


def _modifiers(words: tuple[str, ...], at: int) -> tuple[float, bool]:
    """The factor that the words before the word at `at` give it, and whether they negate it."""
    sets = lexicon().sets
    factor, negated, superlative = 1.0, False, words[at].endswith("er")
    for back, word in enumerate(reversed(words[max(0, at - 4) : at])):
        if not word[0].isalnum():
            break
        if word in ("so", "more"):
            superlative = True  # "never felt so alone", "never been happier" are no negations
        if word in sets["negators"]:
            reaches = back < 2 or word not in ("no", "nothing", "nobody")
            negated ^= reaches and not (word == "never" and superlative)
        elif word in sets["intensifiers"] and back < 2:
            factor *= 1.35
        elif word in sets["softeners"] and back < 2:
            factor *= 0.7
    return factor, negated


def _shouts(text: str) -> bool:
    """A word of four letters in capitals, or a short line all in capitals that is no abbreviation."""
    if text.isupper():
        return sum(char.isalpha() for char in text) >= 2 and ("!" in text or len(text.split()) > 1)
    return any(len(word) >= 4 and word.isupper() and word.isalpha() for word in re.findall(r"\w+", text))


# --- lines that stand alone ---------------------------------------------------------------------------------------

_SENTENCE_END = re.compile(r"[.!?。！？؟][\"'”’»)]*$")
_TRAILING_OFF = re.compile(r"(?:\.\.+|…|[,\-–—])[\"'”’»]*$")
_LEADING_ON = re.compile(r"^(?:\.\.+|…|[\-–—,])")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def word_count(text: str) -> int:
    """The number of words; in scripts without blanks between them, two characters count as one word."""
    ideographs = len(_IDEOGRAPH.findall(text))
    return (ideographs + 1) // 2 if ideographs else sum(token[0].isalnum() for token in _tokens(text))


def stands_alone(text: str, language: str | None = "en") -> float:
    """0 to 1: how well the line is understood without the lines around it.

    Best is a complete sentence of 3 to 12 words that does not continue an earlier one, is not just a greeting or an
    answer, and has more words with a meaning of their own than pronouns (the last two are tested in English only).
    """
    score = _length_factor(word_count(text))
    first = text.lstrip("\"'“‘«¿¡ ")[:1]
    if _LEADING_ON.match(text) or first.islower():
        score *= 0.2
    if _TRAILING_OFF.search(text):
        score *= 0.4
    elif not _SENTENCE_END.search(text):
        score *= 0.6
    if "?" in text:
        score *= 0.85
    if language in ("en", None):
        score *= _own_meaning([token for token in _tokens(text) if token[0].isalnum()])
    return round(score, 2)


def _length_factor(words: int) -> float:
    if words < 3:
        return (0.0, 0.1, 0.35)[words]
    return 1.0 if words <= 12 else max(0.2, 1 - 0.1 * (words - 12))


def _own_meaning(words: list[str]) -> float:
    """How well English words are understood alone: 0.05 for a greeting, less with each pronoun or other reference."""
    sets = lexicon().sets
    if not words or all(word in sets["greetings"] for word in words):
        return 0.05
    parts = [part for word in words for part in (word.split("'")[:1] if word in sets["function_words"] else [word])]
    references = sum(part.removesuffix("'s") in sets["references"] for part in parts)
    content = sum(
        part not in sets["references"] and word not in sets["function_words"]
        for part, word in zip(parts, words, strict=True)
    )
    share = 1.0 if references == 0 else (content + 0.5) / (content + references)
    if content == 0:
        share *= 0.5
    return share * (0.6 if words[0] in sets["openers_of_answers"] else 1.0)


# --- voice-overs --------------------------------------------------------------------------------------------------


_SHORTEST, _LONGEST = Fraction(8, 10), Fraction(6)  # seconds


def voice_over(text: str, seconds: Fraction, closeness: float, alone: float, language: str | None = "en") -> float:
    """0 to 1: how well the line works over other pictures; 0 is unusable.

    `seconds` is its time on screen (usable from 0.8 to 6), `closeness` how central its speaker is to the story (1: the
    protagonist or a narrator), `alone` the value of `stands_alone`. Calm statements about life are better than
    questions and shouts.
    """
    if not _SHORTEST <= seconds <= _LONGEST:
        return 0.0
    pace = word_count(text) / float(seconds)  # people speak 2 to 3 words a second
    speakable = max(0.0, min(1.0, (4.6 - pace) / 1.2, (pace - 0.2) / 0.8))
    manner = 0.5 if "!" in text or "?" in text else 1.0
    if language in ("en", None):
        words = set(_tokens(text))
        about = len(words & lexicon().sets["reflection"])
        personal = bool(words & {"i", "i'm", "i'll", "i've", "i'd", "my", "me", "we", "we're", "our", "us"})
        manner *= min(1.0, 0.6 + 0.15 * about + 0.15 * personal)
    return round(closeness * alone * speakable * manner, 2)
