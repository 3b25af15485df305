"""Where a film speaks: how much of its phrases is heard under music and effects, whose they are, what a trailer does
with them, what transcription finds and costs.

The phrases are espeak-ng's, so that every word's time is known, mixed over the film's own sound, which holds no speech;
the trailers are cut from the film's pictures with the mixture, without subtitles. Voices are told apart among recorded
ones where CINECUT_VOICES names a folder with a folder of sound files for each person, else among espeak-ng's, which
are more alike.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.figures import Figure, print_rows, work_folder
from bench.film import FFMPEG, Film
from bench.film_analysis.cut import shown_spans
from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.cache import Cache
from cinecut.analysis.dialogue.speakers import Turn, find_speakers
from cinecut.analysis.dialogue.transcribe import transcribe, usable_whisper
from cinecut.analysis.dialogue.voice_activity import find_voices
from cinecut.analysis.edit.score.voices import placed
from cinecut.analysis.request import Request
from cinecut.analysis.stage import StageRunner
from cinecut.language.timebase import FilmRange
from cinecut.media.probe import film_facts
from cinecut.vibes import load_vibe
from tools.spoken import RATE, Utterance, has_espeak, mixed, say
from tools.spoken import placed as on_silence

Floats = NDArray[np.float32]
Phrase = tuple[float, float]

VIBES = ("action", "drama", "horror")
ABOVE = (-5, 0, 5, 10, 20)  # dB of the voice over what lies under it
_VOICES = ("en-us", "en-gb+f2", "en-us+m3", "en-gb-scotland", "en-us+f4", "en-gb+m7")
_TEXTS = (
    "I told you never to come back here.",
    "The bridge is down and the river is rising.",
    "Who are you, and what do you want from my family?",
    "We have one hour left before the storm reaches the harbour.",
    "Everything we know is about to change, and nobody will believe us.",
    "Listen to me. There is no other way.",
    "My father built this house with his own hands.",
    "If you open that door, we will all die tonight.",
    "She left the letter on the kitchen table and took the last train.",
    "They told us the war was over.",
    "Run!",
    "I have been looking for you for a very long time.",
    "Do not look back, just keep running until you see the light.",
)


def table(film: Film, runs: int) -> list[Figure]:
    """All tables in turn."""
    if not has_espeak():
        return [Figure("speech", None, 0, reason="espeak-ng is not installed", needed=False)]
    with tempfile.TemporaryDirectory(dir=work_folder()) as folder:
        return [*_heard(film), *_speakers(film), *_trailers(film, Path(folder)), *_words(Path(folder))]


def _talk(seconds: float, seed: int, pause: float) -> tuple[Floats, list[Phrase], list[tuple[float, str]]]:
    """Sentences with pauses between them: the sound, where each is, and when each word begins."""
    dice, at, said = np.random.default_rng(seed), 2.0, list[tuple[float, Utterance]]()
    phrases: list[Phrase] = []
    words: list[tuple[float, str]] = []
    while True:
        text, voice = (str(dice.choice(each)) for each in (_TEXTS, _VOICES))
        spoken = say(text, voice, int(dice.integers(140, 180)))
        end = at + len(spoken.sound) / RATE
        if end + 2 > seconds:
            return on_silence(said, seconds), phrases, words
        said.append((at, spoken))
        phrases.append((at, end))
        words += [(at + begin, word) for begin, word in spoken.words]
        at = end + 0.5 + float(dice.exponential(pause))


def _samples(path: Path, start: float, seconds: float) -> Floats:
    argv = [FFMPEG, "-v", "error", "-ss", f"{start}", "-t", f"{seconds}", "-i", str(path)]
    raw = subprocess.run([*argv, "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.float32)


def _film(path: Path, pictures: Path | None, sound: Floats) -> Path:
    wav = path.with_suffix(".wav")
    soundfile.write(wav, sound, RATE)
    grey = ["-f", "lavfi", "-i", f"color=gray:s=64x36:r=25:d={len(sound) / RATE}"]
    argv = [FFMPEG, "-v", "error", "-y", *(["-i", str(pictures)] if pictures else grey), "-i", str(wav)]
    kept = ["-c:v", "copy"] if pictures else ["-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run([*argv, "-map", "0:v:0", "-map", "1:a", *kept, "-c:a", "aac", "-b:a", "160k", str(path)], check=True)
    return path


# --- heard -----------------------------------------------------------------------------------------------------------


def _heard(film: Film) -> Iterator[Figure]:
    """Phrases that lie inside a phrase that is heard, over what the film itself sounds like; and false alarms."""
    bed, rows = _samples(film.path, 60, 180), []
    for above in ABOVE:
        voice, phrases, _ = _talk(180, above + 10, 3.0)
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
        path = _film(Path(folder) / "film.mkv", None, sound)
        found = find_voices(path, film_facts(path), 0, lambda done: None).phrases
    return [(float(each.start.seconds), float(each.end.seconds)) for each in found]


# --- speakers --------------------------------------------------------------------------------------------------------

CASTS = (2, 3, 4, 5)  # persons in a film
_TALKS = 150.0  # seconds of each


def _speakers(film: Film) -> Iterator[Figure]:
    """The share of the speaking time that has the right speaker, by the best assignment of voices to persons."""
    people, bed = _people(), _samples(film.path, 60, _TALKS)
    rows, shares, used = list[list[str]](), dict[str, list[float]](), 0.0
    for count in CASTS:
        voice, said = _cast(people, count)
        for name, sound in (("clean", voice), ("+10 dB", mixed(voice, bed, 10)), ("+5 dB", mixed(voice, bed, 5))):
            with tempfile.TemporaryDirectory(dir=work_folder()) as folder:
                path = _film(Path(folder) / "film.mkv", None, sound)
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
        return [[say(text, voice).sound for text in _TEXTS] for voice in _VOICES[:5]]
    folders = sorted(each for each in Path(named).iterdir() if each.is_dir())
    files = [[file for file in sorted(each.rglob("*")) if file.is_file()] for each in folders]
    return [[_samples(file, 0.4, 4.0) for file in each] for each in files]


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
            return on_silence(placed_at, _TALKS), said
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


# --- trailers --------------------------------------------------------------------------------------------------------


def _trailers(film: Film, folder: Path) -> Iterator[Figure]:
    """Trailers of a film that speaks, without subtitles: chopped phrases, and the voice over music and effects."""
    seconds = film.frames / float(film.rate)
    voice, phrases, _ = _talk(seconds, 7, 6.0)
    sound = mixed(voice, np.resize(_samples(film.path, 0, seconds), len(voice)), 8)
    path = _film(folder / "talking.mkv", film.path, sound)
    rows, chopped, shown, levels = [], 0, 0, list[float]()
    for vibe in VIBES:
        target = folder / f"{vibe}.yaml"
        request = Request(path, target, load_vibe(vibe), length=Fraction(60), transcribes=False)
        found = analyze(request, lambda stage, done: None, Cache("speech", folder / "cache"))
        target.write_text(found.text, encoding="utf-8")
        here = [(cut, span, cut.heard(span.duration)) for cut, span in shown_spans(found)]
        bad = sum(heard is not None and _chops(heard, phrases) for _, _, heard in here)
        muted = sum(cut.silenced and bool(_inside(span, phrases)) for cut, span, _ in here)
        above = list(_above(found, target, phrases))
        rows.append([vibe, str(len(here)), str(bad), str(muted), str(len(above)), f"{np.median(above or [0]):+.1f} dB"])
        chopped, shown, levels = chopped + bad, shown + sum(heard is not None for *_, heard in here), levels + above
    print_rows(("vibe", "shots", "chopped", "mute while one speaks", "speaking", "voice above the rest"), rows)
    yield Figure("phrases chopped in unmuted shots", chopped / max(1, shown), 0.05)
    clear = sum(each >= 6 for each in levels) / max(1, len(levels))
    yield Figure("shots with the voice 6 dB above music and effects", clear, 0.95, at_least=True)


def _chops(span: FilmRange, phrases: Sequence[Phrase]) -> bool:
    edges = (float(span.start.seconds), float(span.end.seconds))
    return any(start + 0.1 < edge < end - 0.1 for start, end in phrases for edge in edges)


def _inside(span: FilmRange, phrases: Sequence[Phrase]) -> list[Phrase]:
    """What of the phrases sounds in a stretch of the film, in seconds from its start."""
    first, last = float(span.start.seconds), float(span.end.seconds)
    return [(max(a, first) - first, min(b, last) - first) for a, b in phrases if min(b, last) - max(a, first) > 0.3]


def _above(found: Analysis, spec: Path, phrases: Sequence[Phrase]) -> Iterator[float]:
    """dB of the film's stem over music and effects together, where a shot speaks."""
    stems = spec.with_suffix(".stems")
    argv = ["render", str(spec), "--draft", "--force", "--stems", str(stems), "-o", str(spec.with_suffix(".mp4"))]
    environment = {**os.environ, "CINECUT_RUNTIME_DIR": str(spec.parent)}
    subprocess.run([sys.executable, "-m", "cinecut", *argv], env=environment, check=True, stdout=subprocess.DEVNULL)
    read = {path.stem.split("_")[-1]: soundfile.read(path, dtype="float32") for path in stems.iterdir()}
    for cut, start, end in placed(found.cuts, found.tempo):
        if cut.take is None or not cut.own_sound:
            continue
        for a, b in _inside(FilmRange(cut.in_, cut.in_ + (end - start)), phrases):

            def power(name: str, a: float = a, b: float = b, start: Fraction = start) -> float:
                sound, rate = read.get(name, (np.zeros((1, 2), np.float32), 48_000))
                part = sound[int((float(start) + a) * rate) : int((float(start) + b) * rate)]
                return float(np.square(part).mean()) if len(part) else 0.0

            rest = power("music") + power("effects")
            yield 10 * float(np.log10((power("film") + 1e-9) / (rest + 1e-9)))


# --- words -----------------------------------------------------------------------------------------------------------


def _words(folder: Path) -> Iterator[Figure]:
    """Ten minutes of speech: time against the film's own, words that begin where they are said."""
    model = usable_whisper()
    if model is None:
        yield Figure("transcription", None, 0.4, reason="Whisper is not installed", needed=False)
        return
    voice, _, truth = _talk(600, 3, 1.0)
    path = _film(folder / "words.mkv", None, voice)
    facts, line = film_facts(path), StageRunner(Cache("words", folder / "cache"), lambda stage, done: None)
    begun, used = time.perf_counter(), time.process_time()
    voices = find_voices(path, facts, 0, lambda done: None)
    heard = time.process_time() - used
    found = transcribe(path, facts, voices, model, line)
    took, used = time.perf_counter() - begun, time.process_time() - used
    words = [(float(word.start), _plain(word.text)) for each in found.lines for word in each]
    said = [_plain(word) for _, word in truth]
    matched = difflib.SequenceMatcher(None, said, [word for _, word in words], autojunk=False).get_matching_blocks()
    off = [abs(words[m.b + k][0] - truth[m.a + k][0]) for m in matched for k in range(m.size)]
    near = sum(each <= 0.12 for each in off) / max(1, len(off))
    row = [str(len(said)), f"{1 - len(off) / len(said):.1%}", f"{near:.1%}", f"{np.quantile(off, 0.9):.3f} s"]
    print_rows(
        ("words", "wrong", "within 120 ms", "90 % within", "CPU: voices", "CPU: all", "wall"),
        [[*row, f"{heard:.1f} s", f"{used:.1f} s", f"{took:.1f} s"]],
    )
    yield Figure("transcription against the film's own time, CPU", used / 600, 0.4)
    yield Figure("words that begin within 120 ms", near, 0.9, at_least=True)


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9']", "", word.lower())
