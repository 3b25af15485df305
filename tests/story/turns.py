"""A dialogue that turns at three of its lines, and a scripted model that is asked where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction

from talking import Question, Reply, Talker, talker

from cinecut.analysis.dialogue.lines import Line
from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.story.arc import SIGNALS, Story, TurningPoint
from cinecut.analysis.story.ask_anchors import ModelStory, ask_anchors
from cinecut.inference.chat import Chat
from cinecut.language.timebase import FilmRange, FilmTime

HOUR = 3600
SMALL_TALK = (
    "Pass me the bread, would you?",
    "I saw Anna at the market yesterday, with Tom.",
    "It is going to rain again.",
    "Nobody has written to me, Tom, not once.",
    "You know that Anna never forgets a thing.",
    "Close the door. It's cold.",
)
TURNS = {
    0.14: "The letter says that my father is not dead.",
    0.55: "I have burned the bridge behind us.",
    0.90: "So it ends here, between the two of us.",
}


def at(seconds: Fraction | float) -> FilmTime:
    return FilmTime(Fraction(seconds))


def line(index: int, seconds: Fraction, text: str, speaker: str | None = None) -> Line:
    return Line(index, FilmRange(FilmTime(seconds), FilmTime(seconds + 2)), text, speaker, "neutral", 0, 0, 0)


def dialogue(count: int, seconds: int, texts: Sequence[str] = SMALL_TALK) -> list[Line]:
    """Small talk throughout, and among it three lines on which the story turns."""
    found = [line(i, Fraction(seconds * i, count), texts[i % len(texts)]) for i in range(count)]
    for share, text in TURNS.items():
        found[int(share * count)] = replace(found[int(share * count)], text=text)
    return found


def shots(seconds: int, length: int = 7) -> list[FilmShot]:
    starts = range(0, seconds, length)
    return [FilmShot(i, FilmRange(at(s), at(min(s + length, seconds))), GradualCut.CUT) for i, s in enumerate(starts)]


def by_signals(seconds: int) -> Story:
    first, middle, last = (
        TurningPoint(at(Fraction(seconds) * share / 10), "it is loud", SIGNALS) for share in (1, 5, 9)
    )
    return Story(first, middle, last, at(seconds))


Mind = Callable[[Question], Reply]


def of_time(question: Question) -> bool:
    return "time" in question.schema["properties"]


def choices(question: Question) -> list[str]:
    return list(question.schema["properties"]["time" if of_time(question) else "name"]["enum"])


def rows(question: Question) -> dict[str, str]:
    """What is said, by its time."""
    return dict(re.findall(r"^([\d:.]+) (.*)$", question.prompt, re.MULTILINE))


def answer(question: Question, choice: str, reason: str) -> dict[str, str]:
    return {"reason": reason, "time" if of_time(question) else "name": choice}


@dataclass(frozen=True)
class Model:
    """A scripted server as a model of this name, and what it was asked."""

    server: Talker
    slots: int

    @property
    def asked(self) -> list[Question]:
        return self.server.asked

    @property
    def chat(self) -> Chat:
        return Chat("mistral", self.server.url, self.slots)

    def plot(self, lines: Sequence[Line], seconds: int = 2 * HOUR) -> ModelStory:
        heard: list[float] = []
        found = ask_anchors(self.chat, lines, shots(seconds), by_signals(seconds), heard.append)
        assert all(0 <= share <= 1 for share in heard)
        assert found.story.begin.at < found.story.escalation.at < found.story.climax.at
        return found


@contextmanager
def served(mind: Mind, slots: int = 1) -> Iterator[Model]:
    with talker(mind) as server:
        yield Model(server, slots)


def sensible(question: Question) -> dict[str, str]:
    """Knows a turning point when it is shown one, and else takes some line or other."""
    if not of_time(question):
        return answer(question, "Anna", "everybody speaks of her")
    for time, text in rows(question).items():
        if any(turn in text for turn in TURNS.values()):
            return answer(question, time, f"Anna hears this: {text[:20]}")
    some = choices(question)[sum(map(ord, question.prompt)) % len(choices(question))]
    return answer(question, some, f"Tom speaks at {some}")
