"""Voices told apart by their sound, and what follows from it for the choice of lines."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from footage import RATE, encode

from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.analysis.dialogue.speakers import Turn, find_speakers, with_cast
from cinecut.analysis.dialogue.voice_activity import find_voices
from cinecut.analysis.edit.parts import line_worth
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts
from cinecut.vibes import load_vibe
from tools.spoken import RATE as SAMPLES
from tools.spoken import Utterance, babble, placed


def higher(voice: Utterance, by: float) -> Utterance:
    """Another person: pitch and formants are higher by a factor."""
    sound = np.interp(np.arange(0, len(voice.sound), by), np.arange(len(voice.sound)), voice.sound)
    return Utterance(sound.astype(np.float32))


def talk(path: Path, who: Sequence[int]) -> Path:
    """A film in which persons speak in turn, 2.4 s each, with a pause of 0.6 s after each."""
    said = [(3.0 * k, higher(babble(2.4 * (1, 1.5)[one], k), (1.0, 1.5)[one])) for k, one in enumerate(who)]
    sound = placed(said, 3.0 * len(who))
    return encode(path, np.zeros((round(len(sound) / SAMPLES * RATE), 32, 32, 3), np.uint8), sound)


def turns(path: Path) -> tuple[Turn, ...]:
    facts = film_facts(path)
    return find_speakers(path, facts, 0, find_voices(path, facts, 0, lambda done: None).phrases, lambda done: None)


def test_two_voices_are_told_apart_and_numbered_by_who_speaks_most(tmp_path: Path) -> None:
    who = (0, 1, 0, 0, 1, 0, 0, 1, 0, 1)
    found = turns(talk(tmp_path / "two.mkv", who))
    assert [turn.voice for turn in found] == [one + 1 for one in who]
    for k, turn in enumerate(found):
        assert abs(float(turn.range.start.seconds) - 3 * k) < 0.4


def test_too_little_speech_is_no_evidence(tmp_path: Path) -> None:
    assert turns(talk(tmp_path / "short.mkv", (0, 1))) == ()


def span(start: float, end: float) -> FilmRange:
    return FilmRange(FilmTime(Fraction(str(start))), FilmTime(Fraction(str(end))))


def line(number: int, speaker: str | None = None, text: str = "It was I.") -> Line:
    """The lines lie one behind the other, 2 s each."""
    return Line(number, span(2 * number, 2 * number + 1.8), text, speaker, "neutral", 0.2, 0.6, 0.6)


def cast(lines: Sequence[Line], voices: Sequence[int], protagonist: str | None = None) -> Dialogue:
    each = [Turn(span(2 * n, 2 * n + 2), voice) for n, voice in enumerate(voices) if voice]
    return with_cast(Dialogue(tuple(lines), protagonist), each)


def test_who_speaks_most_is_the_protagonist_and_has_the_better_lines() -> None:
    found = cast([line(n) for n in range(6)], (1, 2, 1, 1, 2, 1))
    assert found.protagonist == "voice 1"
    assert [(each.said_by, each.lead) for each in found.lines[:3]] == [
        ("voice 1", True),
        ("voice 2", False),
        ("voice 1", True),
    ]
    assert [name for name, _ in found.cast] == ["voice 1", "voice 2"]
    mine, other = found.lines[0], found.lines[1]
    assert mine.voice_over > 0.6 > other.voice_over
    vibe = load_vibe("drama")
    assert line_worth(mine, vibe) > line_worth(other, vibe)


def test_a_voice_that_subtitles_name_has_its_name_everywhere() -> None:
    names = (None, "ANN", None, "ANN", "ANN", "BEN", None)
    found = cast([line(n, name) for n, name in enumerate(names)], (1, 1, 2, 1, 1, 2, 0))
    assert [each.said_by for each in found.lines] == ["ANN", "ANN", "voice 2", "ANN", "ANN", "BEN", ""]


def test_nobody_leads_where_nobody_speaks_clearly_more_or_without_words() -> None:
    even = cast([line(n) for n in range(4)], (1, 2, 1, 2))
    assert even.protagonist is None
    assert not any(each.lead for each in even.lines)
    mute = cast([line(n, text="") for n in range(6)], (1, 2, 1, 1, 2, 1))
    assert (mute.protagonist, mute.lines[0].said_by) == (None, "voice 1")


def test_a_protagonist_of_the_subtitles_stays() -> None:
    found = cast([line(n, "TOM" if n == 1 else None) for n in range(6)], (1, 2, 1, 1, 2, 1), "TOM")
    assert found.protagonist == "TOM"
    assert [each.lead for each in found.lines] == [False, True, False, False, False, False]
