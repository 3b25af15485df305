"""Stamps of a transport stream have 33 bits: where they start again at zero, picture and sound stay what they are."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import BUNDLED

from cinecut.language.timebase import FilmTime
from cinecut.media.frames import FrameReader, contents
from cinecut.media.open import open_media, picture_stream, start_of
from cinecut.media.probe import film_facts
from cinecut.media.sound.film_samples import film_sounds, stretch

TURN = 1 << 33


@pytest.fixture(scope="module", params=["0.8", "-0.8"])  # which of both begins, in the file too
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.ts"
    picture = f"-itsoffset {request.param} -f lavfi -i testsrc2=s=192x108:r=25:d=4"
    sound = "-f lavfi -i aevalsrc=sin(2*PI*t*(300+100*t)):s=48000:d=4"
    coded = "-c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a mp2 -muxdelay 0 -output_ts_offset 10"
    command = [str(BUNDLED), "-v", "error", "-y", *f"{picture} {sound} {coded}".split(), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def moved(source: Path, target: Path, ticks: int) -> None:
    """The film with so much added to every stamp, as far as its bits go."""
    data = bytearray(source.read_bytes())

    def add(at: int) -> None:
        bits = f"{int.from_bytes(data[at : at + 5], 'big'):040b}"
        stamp = (int(bits[4:7] + bits[8:23] + bits[24:39], 2) + ticks) % TURN
        new = f"{stamp:033b}"
        data[at : at + 5] = int(f"{bits[:4]}{new[:3]}1{new[3:18]}1{new[18:]}1", 2).to_bytes(5, "big")

    for at in range(0, len(data), 188):
        start = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        if data[at + 1] & 0x40 and data[start : start + 3] == b"\0\0\1":
            for n in range({2: 1, 3: 2}.get(data[start + 7] >> 6, 0)):
                add(start + 9 + 5 * n)
    target.write_bytes(data)


def shown_and_heard(film: Path) -> tuple[list[object], list[NDArray[np.int16]]]:
    facts = film_facts(film)
    found: list[object] = [facts.duration, facts.rate, facts.joined, facts.gaps, round(facts.audio[0].start, 6)]
    heard = list[NDArray[np.int16]]()
    with open_media(film) as media:
        reader = FrameReader(media, picture_stream(media, film), facts.start, rough=False)
        for moment in ("0", "0.2", "1", "3.2"):
            frame = reader.at(FilmTime(Fraction(moment)))
            assert frame is not None
            found.append(contents(frame))
    with film_sounds(film, facts, 0) as sounds:
        for at in (0, 1, 3):
            parts = stretch(sounds, facts.audio[0], facts.start + at, facts.start + at + Fraction(1, 2))
            heard.append(np.concatenate(list(parts), axis=1))
    return found, heard


def test_stamps_that_start_again_change_nothing(film: Path, tmp_path: Path) -> None:
    with open_media(film) as media:
        picture, sound = (round(start_of(media, s) * 90000) for s in (media.streams.video[0], media.streams.audio[0]))
    shown, heard = shown_and_heard(film)
    # Between both beginnings, just before and after each, and in the middle.
    for at in ((picture + sound) // 2, picture + 1800, picture - 1800, sound + 1800, sound - 1800, picture + 2 * 90000):
        moved(film, tmp_path / "film.ts", TURN - at)
        found, sounds = shown_and_heard(tmp_path / "film.ts")
        assert found == shown, at
        for was, now in zip(heard, sounds, strict=True):  # a clock of 90000 ticks is no whole number of samples off
            assert was[:, 1:-1].any()
            assert any(np.array_equal(was[:, 1:-1], now[:, n : was.shape[1] - 2 + n]) for n in range(3)), at
