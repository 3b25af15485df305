"""Where a film speaks: how much of its phrases is heard under music and effects, whose they are, what a trailer does
with them, what transcription finds and costs.

The phrases are espeak-ng's, mixed over the film's own sound, which holds no speech. Voices are told apart among
recorded ones where CINECUT_VOICES names a folder with a folder of sound files for each person, else among
espeak-ng's, which are more alike.
"""

from __future__ import annotations

import difflib
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure, print_rows, work_folder
from bench.film import Film
from bench.speech.talk import TEXTS, VOICES, Phrase, grey_film, samples, talk
from bench.speech.trailers import trailers
from cinecut.analysis.cache import Cache
from cinecut.analysis.dialogue.speakers import Turn, find_speakers
from cinecut.analysis.dialogue.transcribe import transcribe, usable_whisper
from cinecut.analysis.dialogue.voice_activity import find_voices
from cinecut.analysis.stage import StageRunner
from cinecut.media.probe import film_facts
from tools.spoken import RATE, Utterance, has_espeak, mixed, placed, say

Floats = NDArray[np.float32]

ABOVE = (-5, 0, 5, 10, 20)  # dB of the voice over what lies under it


def table(film: Film, runs: int) -> list[Figure]:
    """All tables in turn."""
    if not has_espeak():
        return [Figure("speech", None, 0, reason="espeak-ng is not installed", needed=False)]
    with tempfile.TemporaryDirectory(dir=work_folder()) as folder:
        return [*_heard(film), *_speakers(film), *trailers(film), *_words(Path(folder))]


# --- heard -----------------------------------------------------------------------------------------------------------


def _heard(film: Film) -> Iterator[Figure]:
    """Phrases that lie inside a phrase that is heard, over what the film itself sounds like; and false alarms."""
    bed, rows = samples(film.path, 60, 180), []
    for above in ABOVE:
        voice, said = talk(180, above + 10, 3.0)
        phrases = [each.phrase for each in said]
        found = _voices(mixed(voice, bed, above))
        whole = sum(any(a <= start + 0.15 and end - 0.15 <= b for a, b in found) for start, end in phrases)
        rows.append([f"{above:+d} dB", str(len(phrases)), f"{whole / len(phrases):.0%}"])
        if above == 5:
            yield Figure("phrases heard whole, 5 dB above", whole / len(phrases), 0.95, at_least=True)
    alone = sum(b - a for a, b in _voices(bed))
    rows.append(["film alone", "0", f"{alone / 180:.1%} of the time"])
    print_rows(("voice above the film's sound", "phrases", "heard whole"), rows)
    yield Figure("heard where nobody speaks", alone / 180, 0.05)


def _voices(sound: Floats) -> list[Phrase]:
    with tempfile.TemporaryDirectory(dir=work_folder()) as folder:
        path = grey_film(Path(folder) / "film.mkv", sound)
        found = find_voices(path, film_facts(path), 0, lambda done: None).phrases
    return [(float(each.start.seconds), float(each.end.seconds)) for each in found]


# --- speakers --------------------------------------------------------------------------------------------------------

CASTS = (2, 3, 4, 5)  # persons in a film
_TALKS = 150.0  # seconds of each


def _speakers(film: Film) -> Iterator[Figure]:
    """The share of the speaking time that has the right speaker, by the best assignment of voices to persons."""
    people, bed = _people(), samples(film.path, 60, _TALKS)
    rows, shares, used = list[list[str]](), dict[str, list[float]](), 0.0
    for count in CASTS:
        voice, said = _cast(people, count)
        for name, sound in (("clean", voice), ("+10 dB", mixed(voice, bed, 10)), ("+5 dB", mixed(voice, bed, 5))):
            with tempfile.TemporaryDirectory(dir=work_folder()) as folder:
                path = grey_film(Path(folder) / "film.mkv", sound)
                facts = film_facts(path)
                phrases = find_voices(path, facts, 0, lambda done: None).phrases
                begun = time.process_time()
                turns = find_speakers(path, facts, 0, phrases, lambda done: None)
                used += time.process_time() - begun
            share, lead = _right(turns, said, count)
            shares.setdefault(name, []).append(share)
            voices = len({turn.voice for turn in turns})
            rows.append([str(count), name, str(voices), f"{share:.0%}", "yes" if lead else "no"])
    print_rows(("persons", "above the film's sound", "voices", "time right", "who speaks most right"), rows)
    recorded = "CINECUT_VOICES" in os.environ
    for name, each in shares.items():
        least = 0.8 if recorded else 0.6
        yield Figure(f"speaking time with the right speaker, {name}", float(np.mean(each)), least, at_least=True)
    minutes = len(CASTS) * len(shares) * _TALKS / 60
    yield Figure("telling voices apart, CPU seconds for a minute of film", used / minutes, 2.0)


def _people() -> list[list[Floats]]:
    """What each person says, in pieces of some seconds."""
    named = os.environ.get("CINECUT_VOICES")
    if named is None:
        return [[say(text, voice).sound for text in TEXTS] for voice in VOICES[:5]]
    folders = sorted(each for each in Path(named).iterdir() if each.is_dir())
    files = [[file for file in sorted(each.rglob("*")) if file.is_file()] for each in folders]
    return [[samples(file, 0.4, 4.0) for file in each] for each in files]


def _cast(people: Sequence[Sequence[Floats]], count: int) -> tuple[Floats, list[tuple[float, float, int]]]:
    """A film's sound in which some people talk, the first ones more than the later ones, and who speaks when."""
    dice, at, placed_at = np.random.default_rng(count), 1.0, list[tuple[float, Utterance]]()
    said = list[tuple[float, float, int]]()
    weights = np.arange(count + 1, 1, -1, dtype=np.float64)
    who = dice.permutation(len(people))[:count]
    while True:
        k = int(dice.choice(count, p=weights / weights.sum()))
        pieces = people[who[k]]
        sound = pieces[int(dice.integers(len(pieces)))]
        sound = np.asarray(sound * (0.06 / np.sqrt(np.square(sound).mean())), np.float32)
        end = at + len(sound) / RATE
        if end + 1 > _TALKS:
            return placed(placed_at, _TALKS), said
        placed_at.append((at, Utterance(sound)))
        said.append((at, end, k))
        at = end + 0.3 + float(dice.exponential(1.0))


def _right(turns: Sequence[Turn], said: Sequence[tuple[float, float, int]], count: int) -> tuple[float, bool]:
    """The share of the time that is right, and whether voice 1 is who speaks most."""
    voices = max((turn.voice for turn in turns), default=0)
    common = np.zeros((count, max(count, voices)))
    for start, end, person in said:
        for turn in turns:
            both = min(end, float(turn.range.end.seconds)) - max(start, float(turn.range.start.seconds))
            common[person, turn.voice - 1] += max(0.0, both)
    best = max(sum(common[k, v] for k, v in enumerate(each)) for each in permutations(range(common.shape[1]), count))
    seconds = np.bincount([person for *_, person in said], [end - start for start, end, _ in said])
    return best / float(seconds.sum()), int(common[:, 0].argmax()) == int(seconds.argmax())


# --- words -----------------------------------------------------------------------------------------------------------


def _words(folder: Path) -> Iterator[Figure]:
    """Ten minutes of speech: time against the film's own, words that begin where they are said."""
    model = usable_whisper()
    if model is None:
        yield Figure("transcription", None, 0.4, reason="Whisper is not installed", needed=False)
        return
    voice, said = talk(600, 3, 1.0)
    truth = [word for each in said for word in each.words]
    path = grey_film(folder / "words.mkv", voice)
    facts, line = film_facts(path), StageRunner(Cache("words", folder / "cache"), lambda stage, done: None)
    begun, used = time.perf_counter(), time.process_time()
    voices = find_voices(path, facts, 0, lambda done: None)
    heard = time.process_time() - used
    found = transcribe(path, facts, voices, model, line)
    took, used = time.perf_counter() - begun, time.process_time() - used
    words = [(float(word.start), _plain(word.text)) for each in found.lines for word in each]
    spoken = [_plain(word) for _, word in truth]
    matched = difflib.SequenceMatcher(None, spoken, [word for _, word in words], autojunk=False).get_matching_blocks()
    off = [abs(words[m.b + k][0] - truth[m.a + k][0]) for m in matched for k in range(m.size)]
    near = sum(each <= 0.12 for each in off) / max(1, len(off))
    row = [str(len(spoken)), f"{1 - len(off) / len(spoken):.1%}", f"{near:.1%}", f"{np.quantile(off, 0.9):.3f} s"]
    print_rows(
        ("words", "wrong", "within 120 ms", "90 % within", "CPU: voices", "CPU: all", "wall"),
        [[*row, f"{heard:.1f} s", f"{used:.1f} s", f"{took:.1f} s"]],
    )
    yield Figure("transcription against the film's own time, CPU", used / 600, 0.4)
    yield Figure("words that begin within 120 ms", near, 0.9, at_least=True)


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9']", "", word.lower())
