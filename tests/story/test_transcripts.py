"""What a film's sound says, in words: how it is transcribed, kept as subtitles and read again."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commandline import cinecut, names
from footage import LINES, dialogue_in
from test_speech import chords, dialogue, film, voices

from cinecut.analysis.dialogue import transcribe as whisper
from cinecut.analysis.dialogue.lines import Hearing, read_dialogue
from cinecut.analysis.dialogue.timing import Timing
from cinecut.analysis.dialogue.transcribe import Transcript, Word
from cinecut.cli.terminal import print_diagnostics
from cinecut.diagnostics import Stop
from cinecut.inference.whisper import find_whisper
from cinecut.media.probe import film_facts
from tools.spoken import has_espeak, mixed, say
from tools.spoken import placed as on_silence


def test_blocks_leave_nothing_out_and_end_in_pauses() -> None:
    spans = dialogue(300, 3)
    bounds = whisper._bounds(voices(spans, 300), Fraction(300))
    assert bounds[0] == 0
    assert bounds[-1] == 300
    assert all(0 < b - a <= 28 for a, b in pairwise(bounds))
    assert not [bound for bound in bounds[1:-1] for a, b in spans if a < bound < b]


def test_words_begin_where_the_voice_does() -> None:
    line = (Word(Fraction(45, 10), Fraction(51, 10), " Who"), Word(Fraction(51, 10), Fraction(53, 10), " goes"))
    (found,) = whisper._snapped([line], voices([(4.88, 6.12)], 10), Fraction(5, 100))
    assert found[0].start == 5
    assert found[-1].end == 6
    assert found[0].end < found[1].end


def test_a_transcript_becomes_subtitles_that_are_read_again(tmp_path: Path) -> None:
    words = [word for line in LINES for word in line.split()]
    line = tuple(Word(Fraction(k, 2), Fraction(k + 1, 2), f" {word}") for k, word in enumerate(words))
    transcript = Transcript((line,), "en")
    assert all(len(cue.text) <= 84 and cue.end - cue.start <= 6 for cue in transcript.cues().cues)
    path = tmp_path / "film.srt"
    path.write_text(transcript.srt(), encoding="utf-8")
    nothing = Hearing(voices((), 100), Timing())
    found, _ = read_dialogue(tmp_path / "film.mkv", Fraction(100), Fraction(0), path, None, nothing)
    assert " ".join(line.text for line in found.lines).split() == words


def test_without_whisper_transcribe_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(whisper, "find_whisper", lambda: None)
    from cinecut.cli.films.speech import transcribe

    with pytest.raises(Stop, match="no Whisper here") as stop:
        transcribe(tmp_path / "film.mkv")
    assert "cinecut[speech]" in stop.value.diagnostics[0].hints[0]
    print_diagnostics(stop.value.ending)  # as what ends any command
    assert capsys.readouterr().err.startswith("error: there is no Whisper here")  # elsewhere it is a warning


def test_transcribe_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "film.srt").write_text("mine")
    for arguments in (("film.mkv",), ("film.mkv", "-o", "film.mkv")):
        run = cinecut("transcribe", *arguments, cwd=tmp_path)
        assert run.returncode == 1
        assert run.stderr.startswith("error: film.")
    assert names(tmp_path) == ["film.srt"]


def test_whisper_is_found_in_the_models_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CINECUT_MODELS_DIR", str(tmp_path))
    for name, size in (("faster-whisper-base", 10), ("whisper-small", 20), ("whisper-part", 30)):
        (tmp_path / name).mkdir()
        for file in ("model.bin", "config.json", "tokenizer.json")[: 1 if name == "whisper-part" else 3]:
            (tmp_path / name / file).write_bytes(b"x" * size)
    found = find_whisper()
    assert found is not None
    assert found.folder.name == "whisper-small"


@pytest.mark.skipif(not has_espeak(), reason="espeak-ng is not installed")
def test_a_spoken_sentence_is_the_same_whatever_was_said_before() -> None:
    """A film of a recipe is then the same in every run."""
    first = say(LINES[0])
    say("They told us the war was over.", "en-gb+f2", 140)
    again = say(LINES[0])
    assert np.array_equal(first.sound, again.sound)
    assert first.words == again.words


@pytest.mark.slow
@pytest.mark.skipif(not has_espeak(), reason="espeak-ng is not installed")
def test_a_spoken_film_is_transcribed(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    texts = ("Who are you, and what do you want from my family?", "They told us the war was over.", LINES[0])
    said = [(2.0 + 6 * k, say(text)) for k, text in enumerate(texts)]
    path = film(tmp_path / "film.mkv", mixed(on_silence(said, 22), chords(22), 15))
    run = cinecut("transcribe", "film.mkv", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["language"] == "en"
    true = [(at + begin, word.lower()) for at, each in said for begin, word in each.words]
    words = [(start, word.lower().strip(".,?!")) for line in found["lines"] for start, _, word in line]
    right = [word for word in words if any(word[1] == w and abs(word[0] - s) <= 0.2 for s, w in true)]
    assert len(right) >= 0.8 * len(true)
    assert path.with_suffix(".srt").is_file()
    again, _ = dialogue_in(path, film_facts(path).duration, Fraction(0), None, None)
    assert len([line for line in again.lines if line.text]) >= 3


@pytest.mark.slow
def test_whisper_invents_nothing_under_music(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    path = film(tmp_path / "film.mkv", chords(60))
    soundfile.write(tmp_path / "x.wav", chords(1), 16_000)
    run = cinecut("transcribe", str(path), "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["lines"] == []
