"""Facts that a hand changed in a spec are not the medium's: all that move, bend or colour something are compared."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from commandline import cinecut
from oracle import BUNDLED, Film, Sound

from cinecut.diagnostics import Stop
from cinecut.graph.plan import Reel
from cinecut.language.facts import AudioFacts, Color
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.link import check_facts
from cinecut.media.probe import film_facts, song_facts, still_facts
from cinecut.media.reels import Reels
from cinecut.media.sound.film_audio import with_first

Films = Callable[[Film], Film]
FILM = Film(Path("a.mp4"), Fraction(24), 72, size=(160, 90), gop=24, sound=Sound())
SOUND = AudioFacts(48000, 2, "stereo")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", (90, 160)),
        ("start", Fraction(1, 24)),
        ("time_base", Fraction(1, 25)),
        ("sar", Fraction(4, 3)),
        ("rotation", 90),
        ("mirrored", True),
        ("field_order", "tff"),
        ("pix_fmt", "yuv422p"),
        ("color", Color("pc")),
        ("audio", ()),
        ("audio", (replace(SOUND, rate=44100),)),
        ("audio", (replace(SOUND, start=Fraction(1, 2)),)),
        ("audio", (SOUND, SOUND)),
    ],
)
def test_what_its_head_and_its_first_picture_tell(films: Films, name: str, value: Any) -> None:
    film = films(FILM).path
    facts = film_facts(film)
    check_facts(film, facts)
    check_facts(film, with_first(film, facts, 1))
    assert getattr(facts, name) != value
    with pytest.raises(Stop, match=f"another {name}$"):
        check_facts(film, replace(facts, **{name: value}))


@pytest.mark.parametrize("variable", [False, True])
def test_a_film_that_would_be_longer(films: Films, variable: bool) -> None:
    """Beyond its end a variable film would show its last picture."""
    film = films(FILM).path
    facts = replace(film_facts(film), variable=variable)
    check_facts(film, facts)
    with pytest.raises(Stop, match=r"another duration$"):
        check_facts(film, replace(facts, duration=facts.duration + 5))


@pytest.mark.parametrize("kind", ["wav", "mp3", "m4a", "ogg", "opus", "flac"])
def test_a_song(kind: str, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "sine=d=3:r=48000"]
    subprocess.run([BUNDLED, "-v", "error", *source, song := tmp_path / f"song.{kind}"], check=True)
    facts = song_facts(song)
    check_facts(song, facts)
    others: dict[str, Any] = {"duration": facts.duration + 1, "rate": 44100, "channels": 2, "layout": "5.1"}
    for name, value in others.items():
        with pytest.raises(Stop, match=f"another {name}$"):
            check_facts(song, replace(facts, **{name: value}))


def test_a_still(tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "color=red:s=64x48"]
    subprocess.run([BUNDLED, "-v", "error", *source, "-frames:v", "1", still := tmp_path / "still.png"], check=True)
    facts = still_facts(still)
    check_facts(still, facts)
    others: dict[str, Any] = {"size": (48, 64), "alpha": True}
    for name, value in others.items():
        with pytest.raises(Stop, match=f"another {name}$"):
            check_facts(still, replace(facts, **{name: value}))


@pytest.mark.parametrize("rate", ["25", "24000/1001", "48", "12", "1000"])
@pytest.mark.parametrize("changes", [False, True], ids=["copied", "decoded"])
def test_its_rate_is_that_of_its_pictures(films: Films, tmp_path: Path, rate: str, changes: bool) -> None:
    film = films(FILM).path
    facts = replace(film_facts(film), changes=changes)
    reel = Reel("0.nut", FilmRange(FilmTime(Fraction(1)), FilmTime(Fraction(2))))
    with closing(Reels(film, facts)) as reels:
        reels.write([reel], tmp_path, lambda done: None)
    with closing(Reels(film, replace(facts, rate=Fraction(rate)))) as reels, pytest.raises(Stop, match="another rate"):
        reels.write([reel], tmp_path, lambda done: None)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("rate: 24", "rate: 25"), ("size: 160x90", "size: 90x160"), ("duration: 3", "duration: 33"),
        ("rate: 8000", "rate: 44100"), ("size: 64x48", "size: 48x64"),
    ],
)  # fmt: skip
def test_a_render_says_it(films: Films, tmp_path: Path, was: str, now: str) -> None:
    spec = tmp_path / "a.yaml"
    own = "-f lavfi -i sine=d=2:r=8000 -f lavfi -i color=red:s=64x48 -map 0 song.wav -map 1 -frames:v 1 still.png"
    subprocess.run([BUNDLED, "-v", "error", *own.split()], check=True, cwd=tmp_path)
    head = f"cinecut: 1\nfilm: {films(FILM).path}\nmusic: song.wav\n"
    timeline = "timeline:\n  - shot: 0:01 - 0:02\n  - still: still.png\n    for: 1s\n"
    spec.write_text(head + timeline, encoding="utf-8")
    assert cinecut("link", "a.yaml", cwd=tmp_path).returncode == 0
    text = spec.read_text(encoding="utf-8")
    assert was in text
    spec.write_text(text.replace(was, now), encoding="utf-8")
    done = cinecut("render", "a.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "which has another" in done.stderr
    assert "cinecut link" in done.stderr
    assert not list(tmp_path.glob("*.mp4"))
