"""Facts that a hand changed in a spec are no film's: every fact that moves, bends or colours something is compared."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from commandline import cinecut
from oracle import Film, Sound

from cinecut.diagnostics import Stop
from cinecut.graph.plan import Reel
from cinecut.language.facts import AudioFacts, Color
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.link import check_facts
from cinecut.media.probe import film_facts
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


@pytest.mark.parametrize(("was", "now"), [("rate: 24", "rate: 25"), ("size: 160x90", "size: 90x160")])
def test_a_render_says_it(films: Films, tmp_path: Path, was: str, now: str) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(f"cinecut: 1\nfilm: {films(FILM).path}\ntimeline: [shot: 0:01 - 0:02]\n", encoding="utf-8")
    assert cinecut("link", "a.yaml", cwd=tmp_path).returncode == 0
    text = spec.read_text(encoding="utf-8")
    assert was in text
    spec.write_text(text.replace(was, now), encoding="utf-8")
    done = cinecut("render", "a.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "which has another" in done.stderr
    assert "cinecut link" in done.stderr
    assert not list(tmp_path.glob("*.mp4"))
