"""Where a film speaks, heard from its sound alone; subtitles' times judged by it; words put to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from commandline import cinecut
from footage import RATE, Footage, dialogue_in, encode, make_film, srt, swelling
from numpy.typing import NDArray

from cinecut.analysis.analyze import analyze
from cinecut.analysis.cache import Cache
from cinecut.analysis.dialogue import voice_activity, voice_networks
from cinecut.analysis.dialogue.lines import Hearing, read_dialogue
from cinecut.analysis.dialogue.subtitles.cues import Cues, SubtitleCue
from cinecut.analysis.dialogue.timing import Timing, judge, judge_by_words
from cinecut.analysis.dialogue.voice_activity import Voices, find_voices
from cinecut.analysis.edit.score.voices import audible_lines, placed
from cinecut.analysis.request import Request
from cinecut.diagnostics import Stop
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts
from cinecut.vibes import load_vibe
from tools.spoken import babble, mixed
from tools.spoken import placed as on_silence

Spans = Sequence[tuple[float, float]]
SPOKEN: Spans = ((2.0, 4.2), (6.0, 9.0), (13.5, 14.7), (20.0, 25.0))


def chords(seconds: float) -> NDArray[np.float32]:
    """Music without a voice: chords, a bass, a drum."""
    t = np.arange(round(seconds * 16_000)) / 16_000
    tones = sum(np.sin(2 * np.pi * f * t + k) for k, f in enumerate((110, 220, 277.2, 329.6, 440)))
    drum = np.random.default_rng(3).normal(0, 1, len(t)) * np.exp(-30 * (t % 0.5))
    return (0.05 * tones + 0.1 * drum).astype(np.float32)


def spoken(spans: Spans, seconds: float) -> NDArray[np.float32]:
    voice = on_silence([(start, babble(end - start, k)) for k, (start, end) in enumerate(spans)], seconds)
    return np.asarray(voice, np.float32)


def film(path: Path, sound: NDArray[np.float32], options: str = "-c:v libx264 -preset ultrafast") -> Path:
    return encode(path, np.zeros((round(len(sound) / 16_000 * RATE), 32, 32, 3), np.uint8), sound, options)


def heard(path: Path) -> list[tuple[float, float]]:
    voices = find_voices(path, film_facts(path), 0, lambda done: None)
    return [(float(p.start.seconds), float(p.end.seconds)) for p in voices.phrases]


def test_phrases_are_heard_with_both_their_ends(tmp_path: Path) -> None:
    found = heard(film(tmp_path / "a.mkv", spoken(SPOKEN, 30)))
    assert len(found) == len(SPOKEN)
    for (start, end), (first, last) in zip(SPOKEN, found, strict=True):
        assert start - 0.4 < first <= start
        assert end <= last < end + 0.4


@pytest.mark.parametrize("above", [10, 0])
def test_music_under_the_voice_fools_nobody(above: int, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", mixed(spoken(SPOKEN, 30), chords(30), above))
    voices = find_voices(path, film_facts(path), 0, lambda done: None)
    assert any(voices.sure)
    for start, end in SPOKEN:
        found = [(float(p.start.seconds), float(p.end.seconds)) for p in voices.phrases]
        assert any(first <= start + 0.15 and last >= end - 0.15 for first, last in found)


def test_music_alone_is_no_voice_and_neither_is_silence(tmp_path: Path) -> None:
    assert heard(film(tmp_path / "music.mkv", chords(20))) == []
    assert heard(film(tmp_path / "silence.mkv", np.zeros(20 * 16_000, np.float32))) == []


def test_phrases_of_a_long_film_do_not_depend_on_where_it_is_cut_into_pieces(tmp_path: Path) -> None:
    spans = [(start, start + 3.0) for start in (55.0, 58.5)]  # about the end of a minute
    found = heard(film(tmp_path / "a.mkv", spoken(spans, 70)))
    assert len(found) == len(spans)
    assert all(abs(a - c) < 0.4 and abs(b - d) < 0.4 for (a, b), (c, d) in zip(spans, found, strict=True))


def test_no_network_hears_the_silence_after_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for a margin of some seconds; what is found is what they find in all of it."""
    path, asked = film(tmp_path / "a.mkv", spoken(SPOKEN[:2], 10)), list[int]()
    detect = voice_networks.detect_voice

    def noted(sound: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        asked.append(len(sound))
        return detect(sound)

    monkeypatch.setattr(voice_activity, "detect_voice", noted)
    found = heard(path)
    assert sum(asked) < 20 * 16_000
    monkeypatch.setattr(voice_activity, "detect_voice", lambda sound: detect(np.pad(sound, (0, 50 * 16_000))))
    assert heard(path) == found


def test_what_is_heard_is_counted_from_the_first_picture(tmp_path: Path) -> None:
    """Of a container whose clock starts late."""
    path = film(tmp_path / "a.ts", spoken(SPOKEN, 30), "-c:v libx264 -preset ultrafast -output_ts_offset 50")
    assert film_facts(path).start > 50
    assert abs(heard(path)[0][0] - SPOKEN[0][0]) < 0.4


@pytest.mark.parametrize(
    ("file", "sound"),
    [
        (voice_networks._SILERO, lambda: voice_networks.silero(np.zeros(1024, np.float32))),
        (
            voice_networks._ENCODER,
            lambda: voice_networks.voiceprints(np.zeros((1, voice_networks.WINDOW), np.float32)),
        ),
    ],
)
def test_damaged_weights_are_said(file: str, sound: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(voice_networks._SHA256, file, "0" * 64)
    voice_networks._weights.cache_clear()
    with pytest.raises(Stop, match=f"{file} of this installation is damaged"):
        sound()


# --- the times of subtitles ------------------------------------------------------------------------------------------


def dialogue(seconds: int, seed: int = 0) -> list[tuple[float, float]]:
    dice, at, spans = np.random.default_rng(seed), 4.0, []
    while at < seconds - 8:
        long = float(dice.uniform(0.8, 3.5))
        spans.append((at, at + long))
        at += long + 0.4 + float(dice.exponential(2.0)) + (float(dice.uniform(5, 40)) if dice.random() < 0.06 else 0)
    return spans


def voices(spans: Spans, seconds: int) -> Voices:
    phrases = [
        FilmRange(FilmTime(Fraction(round(a * 100), 100)), FilmTime(Fraction(round(b * 100), 100))) for a, b in spans
    ]
    return Voices(tuple(phrases), (True,) * len(phrases), np.zeros(seconds * 100, np.bool_))


def cues(spans: Spans, seed: int = 1) -> list[SubtitleCue]:
    """As people write them: now and then one is missing, they begin about when the voice does, and stay longer."""
    dice = np.random.default_rng(seed)
    kept = [span for span in spans if dice.random() > 0.1]
    starts = [max(0.0, start + float(dice.normal(0, 0.15))) for start, _ in kept]
    ends = [end + float(dice.uniform(0, 0.8)) for _, end in kept]
    return [
        SubtitleCue(Fraction(round(a * 1000), 1000), Fraction(round(b * 1000), 1000), f"Line number {n}.")
        for n, (a, b) in enumerate(zip(starts, ends, strict=True))
    ]


WRONG = {
    "right": Timing(),
    "23.976 in a film of 25": Timing(Fraction(25025, 24000)),
    "25 in a film of 23.976": Timing(Fraction(24000, 25025)),
    "24 in a film of 25": Timing(Fraction(25, 24)),
    "8 s late": Timing(shift=Fraction(8)),
    "45 s early": Timing(shift=Fraction(-45)),
    "25 in a film of 23.976, and late": Timing(Fraction(24000, 25025), Fraction(5)),
}


@pytest.mark.matrix
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("seconds", [400, 2400])
def test_subtitles_of_another_rate_or_offset_are_put_right(wrong: Timing, seconds: int) -> None:
    spans = dialogue(seconds, seconds)
    true = [cue for cue in cues(spans) if cue.start * wrong.scale + wrong.shift > 0]
    verdict = judge(wrong.of(true), voices(spans, seconds))
    put = verdict.timing.of(wrong.of(true))
    assert max(abs(a.start - b.start) for a, b in zip(true, put, strict=True)) < Fraction(1, 2)
    assert bool(verdict.message) == (wrong != Timing())


def test_another_films_subtitles_are_left_as_they_are_and_doubted() -> None:
    verdict = judge(cues(dialogue(1200, 5)), voices(dialogue(1200, 6), 1200))
    assert verdict.timing == Timing()
    assert "rate" in verdict.message


# What is said, in words, for subtitles that the voices alone cannot judge

_SYLLABLES = [first + vowel for first in "bdfghklmnprstvw" for vowel in "aeiou"]


def sentences(count: int, seed: int, language: int = 0) -> list[str]:
    """Of one film; another seed has other sentences of the same words, of which few are frequent and many are rare."""
    dice, alphabet = np.random.default_rng(seed), np.random.default_rng(language)
    words = ["".join(alphabet.choice(_SYLLABLES, 2)) for _ in range(800)]
    often = 1 / np.arange(1, 801)
    return [" ".join(dice.choice(words, int(dice.integers(3, 10)), p=often / often.sum())) + "." for _ in range(count)]


def transcript_of(spans: Spans, texts: Sequence[str]) -> Cues:
    """As Whisper writes it: a seventh of the words is wrong."""
    dice, heard = np.random.default_rng(4), list[SubtitleCue]()
    for (start, end), text in zip(spans, texts, strict=True):
        words = [word if dice.random() > 1 / 7 else "umbrella" for word in text.split()]
        heard.append(SubtitleCue(Fraction(round(start * 100), 100), Fraction(round(end * 100), 100), " ".join(words)))
    return Cues(tuple(heard), "en")


def worded(spans: Spans, texts: Sequence[str]) -> list[SubtitleCue]:
    return [replace(cue, text=texts[spans.index(span)]) for cue, span in zip(cues(spans), kept(spans), strict=True)]


def kept(spans: Spans) -> list[tuple[float, float]]:
    """Those of which `cues` has one."""
    dice = np.random.default_rng(1)
    return [span for span in spans if dice.random() > 0.1]


@pytest.mark.parametrize("wrong", [*WRONG.values(), Timing(shift=Fraction(700))], ids=[*WRONG, "700 s late"])
@pytest.mark.parametrize("share", [1, 2], ids=["whole", "half of the film"])
def test_words_put_subtitles_right(wrong: Timing, share: int) -> None:
    spans = dialogue(1200, 8)
    texts = sentences(len(spans), 1)
    true = [cue for cue in worded(spans, texts) if cue.start * wrong.scale + wrong.shift > 0]
    true = true[: len(true) // share]
    verdict = judge_by_words(wrong.of(true), transcript_of(spans, texts).cues)
    assert verdict is not None
    put = verdict.timing.of(wrong.of(true))
    assert max(abs(a.start - b.start) for a, b in zip(true, put, strict=True)) < Fraction(1, 2)
    assert bool(verdict.message) == (wrong != Timing())


def test_words_tell_another_films_subtitles_and_not_another_languages() -> None:
    spans = dialogue(1200, 8)
    heard = transcript_of(spans, sentences(len(spans), 1)).cues
    other = judge_by_words(worded(spans, sentences(len(spans), 2)), heard)
    assert other is not None
    assert other.foreign
    assert judge_by_words(worded(spans, sentences(len(spans), 1, language=1)), heard) is None


def test_another_films_subtitles_make_room_for_the_words_that_are_heard(tmp_path: Path) -> None:
    spans = dialogue(1200, 8)
    texts = sentences(len(spans), 1)
    rows = [(float(cue.start), float(cue.end), cue.text) for cue in worded(dialogue(1200, 5), sentences(999, 2))]
    (tmp_path / "film.srt").write_text(srt(tuple(rows)), encoding="utf-8")
    hearing = Hearing(voices(spans, 1200), None, lambda: transcript_of(spans, texts))
    found, said = read_dialogue(tmp_path / "film.mkv", Fraction(1200), Fraction(0), None, None, hearing)
    assert found.source == "the film's sound"
    assert [each.message for each in said if "another film's" in each.message]
    found, said = read_dialogue(
        tmp_path / "film.mkv", Fraction(1200), Fraction(0), tmp_path / "film.srt", None, hearing
    )
    assert found.source == "film.srt"  # who names a file means it
    assert [each.message for each in said if "another film's" in each.message]


@pytest.mark.parametrize("count", [1, 3, 11])
def test_few_cues_are_doubted_where_nobody_begins_to_speak(count: int) -> None:
    spans = dialogue(1200)
    few = cues(spans)[:count]
    assert judge(few, voices(spans, 1200)).message == ""
    for wrong in (Timing(shift=Fraction(5)), Timing(Fraction(25, 24), Fraction(2))):
        verdict = judge(wrong.of(few), voices(spans, 1200))
        assert verdict.timing == Timing()
        assert "late or early" in verdict.message
    assert judge(few, voices((), 1200)).doubtful


@pytest.mark.parametrize("by", [20, -7])
@pytest.mark.parametrize("share", [3, 2])
def test_subtitles_of_another_cut_are_said(by: int, share: int) -> None:
    """From some place on they are late, or early: a scene more, or one less."""
    spans = dialogue(1200, 8)
    other = [cue if cue.start < 1200 / share else Timing(shift=Fraction(by)).of([cue])[0] for cue in cues(spans)]
    assert "another cut" in judge(other, voices(spans, 1200)).message


def test_a_silent_film_says_that_nothing_tells(tmp_path: Path) -> None:
    verdict = judge(cues(dialogue(1200)), voices((), 1200))
    assert "too little speech" in verdict.message


def test_the_films_own_sound_shifts_its_subtitles(tmp_path: Path) -> None:
    spans = dialogue(110, 2)
    path = film(tmp_path / "film.mkv", spoken(spans, 110))
    late = [(start + 6, end + 6, f"This is what is said in line {n}.") for n, (start, end) in enumerate(spans)]
    path.with_suffix(".srt").write_text(srt(tuple(late)), encoding="utf-8")
    found, said = dialogue_in(path, film_facts(path).duration, Fraction(0), None, None)
    assert [diagnostic.message for diagnostic in said if "late" in diagnostic.message]
    worded = [line for line in found.lines if line.text]
    assert all(
        abs(float(line.range.start.seconds) - start) < 0.5 for line, (start, _) in zip(worded, spans, strict=True)
    )
    by_hand = Hearing(voices(spans, 110), Timing(shift=Fraction(1)))
    kept, said = read_dialogue(path, film_facts(path).duration, Fraction(0), None, None, by_hand)
    assert float(kept.lines[0].range.start.seconds) == pytest.approx(late[0][0] + 1, abs=0.01) or not kept.lines[0].text
    assert not said


def test_the_users_rate_and_shift_are_numbers(tmp_path: Path) -> None:
    for option, value in (("--subtitles-rate", "0"), ("--subtitles-rate", "pal"), ("--subtitles-shift", "soon")):
        run = cinecut("analyze", "film.mkv", option, value, cwd=tmp_path)
        assert run.returncode == 1
        assert f"error: {option} {value}" in run.stderr


# --- the cut ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> tuple[Footage, Spans]:
    """A film without subtitles in which somebody speaks half of the time, over its own sound."""
    path = tmp_path_factory.mktemp("talking") / "film.mkv"
    made = make_film(path.with_name("silent.mkv"), 14, spoken=False)
    seconds, spans, at = float(film_facts(made.path).duration), list[tuple[float, float]](), 2.0
    dice = np.random.default_rng(9)
    while at < seconds - 4:
        spans.append((at, at + float(dice.uniform(0.8, 2.2))))
        at = spans[-1][1] + float(dice.uniform(0.6, 3))
    soundfile.write(path.with_suffix(".wav"), mixed(spoken(spans, seconds), swelling(seconds), 10), 16_000)
    files = ["-i", str(made.path), "-i", str(path.with_suffix(".wav")), "-map", "0:v", "-map", "1:a", "-c:v", "copy"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *files, "-c:a", "aac", str(path)], check=True)
    return replace(made, path=path), spans


def test_no_phrase_is_chopped_where_it_can_be_heard(talking: tuple[Footage, Spans], tmp_path: Path) -> None:
    footage, spans = talking
    request = Request(footage.path, tmp_path / "a.yaml", load_vibe("thriller"), length=Fraction(22), transcribes=False)
    found = analyze(request, lambda stage, done: None, Cache("x", tmp_path / "cache"))
    chopped, shown, muted = [], 0, 0
    for cut, start, end in placed(found.cuts, found.tempo):
        if cut.take is None:
            continue
        first, last = float(cut.in_.seconds), float((cut.in_ + (end - start)).seconds)
        talks = any(a < last and first < b for a, b in spans)
        muted += cut.silenced and talks
        shown += 1
        heard = cut.heard(end - start)
        edges = [] if heard is None else [float(heard.start.seconds), float(heard.end.seconds)]
        if any(a + 0.1 < edge < b - 0.1 for a, b in spans for edge in edges):
            chopped.append(first)
    assert not chopped
    assert muted <= shown / 5
    speaking = audible_lines(found.cuts, found.tempo)
    ducked = {number for number, event in enumerate(found.spec.timeline) if getattr(event, "duck", None) is not None}
    assert len(speaking) >= 2
    assert len(ducked) >= len(speaking) / 2
