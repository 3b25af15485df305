"""Reels and tables, written one after another while what uses the first ones runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from oracle import Film, Sound

from cinecut.diagnostics import Stop
from cinecut.graph.plan import Reel, SoundReel
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts
from cinecut.media.reels import Reels
from cinecut.render.folder import Materials
from cinecut.render.job import SILENT, prepare
from cinecut.render.segments.store import Store

Films = Callable[[Film], Film]
SMALL = Film(Path("a.mp4"), Fraction(24), 48, size=(160, 90), gop=24, sound=Sound())


def span(start: int, end: int) -> FilmRange:
    return FilmRange(FilmTime(Fraction(start)), FilmTime(Fraction(end)))


def write(film: Path, facts: FilmFacts, reels: Sequence[Reel | SoundReel], folder: Path) -> None:
    with closing(Reels(film, facts)) as made:
        made.write(reels, folder, lambda done: None)


def test_what_uses_the_first_reels_begins_while_others_are_made(films: Films, tmp_path: Path) -> None:
    film, told = films(SMALL).path, list[tuple[str, int, int]]()
    spec, folder = tmp_path / "a.yaml", tmp_path / "work"
    folder.mkdir()
    (tmp_path / "mine.cube").write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    spec.write_text(
        f"cinecut: 1\nfilm: {film}\nlut: mine.cube\ntimeline: [shot: 0:00 - 0:01, shot: 0:01 - 0:02]\n"
    )
    watch = replace(SILENT, stage=lambda name, done, total, speed: told.append((name, done, total)))
    job = prepare(spec)
    materials = Materials(job, folder, watch, Store(None))
    reels = sorted(item.name for item in job.plan.inputs if isinstance(item, Reel | SoundReel))
    tables = {name for name in job.plan.render.reads if name.endswith(".cube")}
    turns = materials.in_turn([{reels[0]}, {*reels[1:], *tables}])
    next(turns)
    assert [name for name in reels if (folder / name).exists()] == reels[:1]
    assert [*turns] == [None]
    assert all((folder / name).exists() for name in (*reels, *tables))
    assert tables == {"look.1d.cube"}
    assert told == [("reels", done, len(reels)) for done in range(1, len(reels) + 1)]


def test_a_film_that_breaks_off_is_one_message(films: Films, tmp_path: Path) -> None:
    film = films(SMALL).path
    with pytest.raises(Stop, match="breaks off at") as stop:
        write(film, film_facts(film), [Reel("a.nut", span(1, 9))], tmp_path)
    assert stop.value.diagnostics[0].code == "unreadable"


@pytest.mark.parametrize("codec", ["aac", "ac3", "eac3", "libopus"])
def test_a_shots_sound_is_the_same_whatever_was_read_before(bundled: Path, tmp_path: Path, codec: str) -> None:
    """Decoders put noise where a codec left something out; it must not go on from one shot to the next."""
    film = tmp_path / "film.mkv"
    source = ["-f", "lavfi", "-i", "testsrc=s=64x36:d=12:r=24", "-f", "lavfi", "-i", "anoisesrc=d=12:r=48000:seed=1"]
    encode = ["-ac", "2", "-c:a", codec, "-b:a", "48k" if codec != "ac3" else "96k", str(film)]
    subprocess.run([bundled, "-v", "error", *source, *encode], check=True)
    facts = film_facts(film)
    reels = [SoundReel(f"{k}.nut", span(k, k + 2), 0) for k in (1, 3, 7, 9)]
    write(film, facts, reels, tmp_path)
    for reel in reels:
        alone = tmp_path / f"alone{reel.name}"
        alone.mkdir()
        write(film, facts, [reel], alone)
        assert (alone / reel.name).read_bytes() == (tmp_path / reel.name).read_bytes()


def test_a_layout_that_there_is_not_is_one_message(films: Films, tmp_path: Path) -> None:
    """Facts may be edited by hand."""
    film = films(SMALL).path
    facts = film_facts(film)
    facts = replace(facts, audio=tuple(replace(sound, layout="1x1") for sound in facts.audio))
    with pytest.raises(Stop, match="no layout of channels"):
        write(film, facts, [SoundReel("a.nut", span(0, 1), 0)], tmp_path)
