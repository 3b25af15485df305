"""The score: what analyze writes about sound, read back and heard in the stems."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from commandline import cinecut
from footage import Footage, make_film, song
from jamendo_host import Host
from numpy.typing import NDArray

from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.report.credits import credits_text, own_credit, write_credits
from cinecut.analysis.request import Request
from cinecut.compiler.layout.timeline import Placed
from cinecut.diagnostics import Report
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.events import Black, Card, Shot
from cinecut.language.read import load_spec
from cinecut.language.spec import Spec
from cinecut.library.jamendo import CLIENT_ID, HOST
from cinecut.render.check import check_spec, layout_of
from cinecut.render.job import SILENT, prepare
from cinecut.render.stems import render_stems
from cinecut.vibes import load_vibe, names
from cinecut.vibes.skeleton import load_skeleton

Sound = NDArray[np.float64]  # [samples, 2]

RATE = 48_000


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, analyses: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("studio")
    song(folder / "song.wav", np.arange(0.4, 100, 0.5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        yield folder


@pytest.fixture(scope="module")
def film(studio: Path) -> Footage:
    return make_film(studio / "film.mkv")


def analysed(
    film: Path, target: Path, vibe: str, music: Path | None = None, credit: str | None = None, length: int = 16
) -> Analysis:
    request = Request(film, target, load_vibe(vibe), music=music, credit=credit, length=Fraction(length))
    found = analyze(request, lambda stage, done: None)
    target.write_text(found.text, encoding="utf-8")
    assert [str(d) for d in check_spec(target)] == []
    return found


def read(path: Path) -> tuple[Spec, tuple[Placed, ...]]:
    report = Report()
    _, spec = load_spec(path, report)
    assert spec is not None
    return spec, tuple(layout_of(spec, report).timeline.events)


def _holds_its_breath(vibe: str) -> bool:
    return any(part.silent for part in load_skeleton(load_vibe(vibe).skeleton).parts)


def level(sound: Sound, start: Fraction, end: Fraction) -> float:
    part = sound[round(start * RATE) : round(end * RATE)]
    return float(10 * np.log10(np.mean(np.square(part)) + 1e-12))


def test_music_stops_for_the_breath_rings_under_the_title_and_goes_down_for_voices(
    film: Footage, studio: Path, tmp_path: Path
) -> None:
    analysed(film.path, tmp_path / "spec.yaml", "sci-fi", studio / "song.wav", length=36)
    files = render_stems(prepare(tmp_path / "spec.yaml"), tmp_path / "stems", find_ffmpeg(None), SILENT)
    stems = {file.stem: soundfile.read(file)[0] for file in files}
    events = read(tmp_path / "spec.yaml")[1]
    (breath,) = [placed for placed in events if isinstance(placed.event, Black) and placed.event.silent]
    (card,) = [placed for placed in events if isinstance(placed.event, Card)]
    for name in ("film", "music"):
        assert level(stems[name], breath.start + Fraction(1, 2), breath.end) < -110, name
        assert level(stems[name], breath.end, card.start) > -60
    assert level(stems["music"], card.start, card.end) > -60, "the music rings under the title"
    assert level(stems["music"], card.end, events[-1].end) < -110, "the button is without music"
    assert level(stems["effects"], card.start, card.start + 1) > level(stems["effects"], card.start - 1, card.start)
    voices = [(placed, voice) for placed in events for voice in placed.event.voice]
    assert 1 <= len(voices) <= 3
    for placed, voice in voices:
        start = placed.start + voice.at.amount
        assert voice.take is not None
        assert voice.take.in_ is not None
        assert voice.take.out is not None
        end = start + (voice.take.out - voice.take.in_)
        assert level(stems["voice"], start, end) > level(stems["music"], start + Fraction(1, 5), end) + 3


@pytest.mark.matrix(3)
@pytest.mark.parametrize("name", names())
def test_every_vibe_gets_a_pulse_a_drop_and_an_end(name: str, film: Footage, tmp_path: Path) -> None:
    analysed(film.path, tmp_path / "spec.yaml", name, length=24)
    spec, events = read(tmp_path / "spec.yaml")
    assert spec.music is not None
    assert spec.music.pulse == load_vibe(name).pulse
    (card,) = [placed for placed in events if isinstance(placed.event, Card)]
    assert card.event.cue is not None
    assert card.event.cue.stops
    drop = next(p.event for p in events if p.act == "beat drop" and isinstance(p.event, Shot))
    assert drop.sound[0].effect in ("riser", "reverse swell")
    assert drop.sound[0].for_ is not None
    assert all(-12 <= effect.gain <= 6 for placed in events for effect in placed.event.sound)
    assert sum(isinstance(p.event, Black) and p.event.silent for p in events) <= 1
    assert any(isinstance(p.event, Black) and p.event.silent for p in events) == _holds_its_breath(name)


def test_the_credit_is_in_the_spec_and_in_a_file(film: Footage, studio: Path, tmp_path: Path) -> None:
    licence = "“Drums” by Nobody: #1 (https://example.org), CC BY 4.0"
    found = analysed(film.path, tmp_path / "spec.yaml", "drama", studio / "song.wav", licence)
    spec, _ = read(tmp_path / "spec.yaml")
    assert spec.music is not None
    assert spec.music.credit == licence
    assert found.credits is not None
    assert write_credits(tmp_path / "spec.credits.txt", found.credits) == []
    assert f"Music: {licence}" in (tmp_path / "spec.credits.txt").read_text(encoding="utf-8")
    assert write_credits(tmp_path / "spec.credits.txt", found.credits) == [], "one of ours is replaced"


def test_a_fetched_song_is_named_in_the_spec_with_its_credit(film: Footage, own_analyses: Path, tmp_path: Path) -> None:
    """The second run asks nobody."""
    host = Host()
    host.add("7", license_ccurl="https://creativecommons.org/licenses/by-nc-sa/4.0/")
    known = {
        CLIENT_ID: "my-id",
        HOST: f"{host.url}/v3.0",
        "NO_PROXY": "127.0.0.1",
        "CINECUT_CACHE_DIR": str(own_analyses),
    }
    arguments = ("analyze", film.path, "--vibe", "drama", "--music", "jamendo", "--length", "12s", "-o", "spec.yaml")
    first = cinecut(*arguments, cwd=tmp_path, **known)
    host.close()
    assert first.returncode == 0, first.stderr
    assert "not for commercial use" in first.stderr
    spec, _ = read(tmp_path / "spec.yaml")
    assert spec.music is not None
    assert spec.music.file == "cache/music/drama/7-song-7.mp3"
    assert spec.music.facts is not None
    assert spec.music.credit is not None
    assert spec.music.credit.startswith("“Song 7” by Somebody")
    assert spec.music.credit in (tmp_path / "spec.credits.txt").read_text(encoding="utf-8")
    text = (tmp_path / "spec.yaml").read_bytes()
    again = cinecut(*arguments, "--force", cwd=tmp_path, **known)
    assert (again.returncode, (tmp_path / "spec.yaml").read_bytes()) == (0, text)


def test_without_a_network_the_trailer_is_cut_to_a_pulse(film: Footage, tmp_path: Path) -> None:
    known = {CLIENT_ID: "my-id", HOST: "http://127.0.0.1:9/v3.0", "NO_PROXY": "127.0.0.1"}
    arguments = ("analyze", film.path, "--vibe", "drama", "--music", "jamendo", "--length", "12s", "-o", "spec.yaml")
    found = cinecut(*arguments, cwd=tmp_path, **known)
    assert found.returncode == 0, found.stderr
    assert "no music from Jamendo" in found.stderr
    spec, _ = read(tmp_path / "spec.yaml")
    assert spec.music is not None
    assert (spec.music.file, spec.music.pulse) == (None, "soft")
    assert not (tmp_path / "spec.credits.txt").exists()


def test_a_file_of_somebody_else_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "spec.credits.txt"
    file.write_text("My own credits", encoding="utf-8")
    (warning,) = write_credits(file, credits_text([], "“A” by B"))
    assert "not ours" in warning.message
    assert file.read_text(encoding="utf-8") == "My own credits"
    assert write_credits(tmp_path / "none.txt", credits_text([], None)) == []
    assert not (tmp_path / "none.txt").exists()


def test_what_a_file_says_of_itself_is_credited_without_control_signs(tmp_path: Path) -> None:
    path = tmp_path / "song.mka"
    with av.open(str(path), "w") as media:
        media.metadata.update({"title": "A\x1b[31m\nB", "artist": "C", "copyright": "CC BY 3.0"})
        stream = media.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    credit = own_credit(path, "song")
    assert credit is not None
    assert "\x1b" not in credit
    assert "\n" not in credit
    assert credit.endswith("by C, CC BY 3.0")


def test_a_file_that_names_nobody_needs_no_credit(studio: Path) -> None:
    assert own_credit(studio / "song.wav", "song") is None
