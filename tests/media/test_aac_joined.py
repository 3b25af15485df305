"""Films joined without encoding, whose header tells how the AAC of the first one is: all are heard as they are."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from oracle import BUNDLED

from cinecut.media.probe import film_facts
from cinecut.media.sound.film_samples import film_sounds, stretch

HERTZ = (440, 1234, 660, 90, 2000, 3000)  # of the channels of each layout, in its order
LAYOUTS = {"mono": 1, "stereo": 2, "5.1": 6}
KINDS = {
    "stereo, then mono": (("stereo", 48000), ("mono", 48000), "mkv mp4 flv"),
    "stereo, then 5.1": (("stereo", 48000), ("5.1", 48000), "mkv mp4"),
    "5.1, then stereo": (("5.1", 48000), ("stereo", 48000), "mkv mp4"),
    "mono, then stereo": (("mono", 48000), ("stereo", 48000), "mkv mp4 flv"),
    "48, then 44.1 kHz": (("stereo", 48000), ("stereo", 44100), "mkv flv"),
    "44.1, then 48 kHz": (("stereo", 44100), ("stereo", 48000), "mkv flv"),
    "48, then 24 kHz": (("stereo", 48000), ("stereo", 24000), "mkv"),
    "both": (("stereo", 48000), ("mono", 32000), "mkv"),
}


def joined(folder: Path, kind: str, container: str) -> Path:
    for number, (layout, rate) in enumerate(KINDS[kind][:2]):
        tones = "|".join(f"0.2*sin(2*PI*{hertz}*t)" for hertz in HERTZ[: LAYOUTS[layout]])
        sound = f"aevalsrc={tones}:c={layout}:s={rate}:d=2"
        picture = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2")
        command: list[str | Path] = [BUNDLED, "-v", "error", *picture, "-f", "lavfi", "-i", sound]
        coded = "-c:v libx264 -preset ultrafast -c:a aac -b:a 256k"
        subprocess.run([*command, *coded.split(), folder / f"{number}.{container}"], check=True)
    (folder / "list.txt").write_text(f"file 0.{container}\nfile 1.{container}\n", encoding="utf-8")
    film = folder / f"film.{container}"
    listed: list[str | Path] = ["-f", "concat", "-i", folder / "list.txt", "-c", "copy"]
    subprocess.run([BUNDLED, "-v", "error", *listed, film], check=True)
    return film


def heard(film: Path, start: str, end: str) -> list[set[int]]:
    """The tones of each channel between two times, in Hz; with 0 where something else is heard too."""
    facts = film_facts(film)
    rate = facts.audio[0].rate
    with film_sounds(film, facts, 0) as sounds:
        parts = stretch(sounds, facts.audio[0], facts.start + Fraction(start), facts.start + Fraction(end))
        sound = np.concatenate(list(parts), 1).astype(float)
    found = []
    for channel in sound:
        power = np.abs(np.fft.rfft(channel * np.hanning(channel.size))) ** 2 + 1e-9
        at = {hertz: round(hertz * channel.size / rate) for hertz in HERTZ}
        shares = {hertz: power[place - 4 : place + 5].sum() / power.sum() for hertz, place in at.items()}
        tones = {hertz for hertz, share in shares.items() if share > 0.05} if channel.std() > 0.001 else set[int]()
        found.append(tones | ({0} if tones and sum(shares.values()) < 0.95 else set()))
    return found


@pytest.mark.parametrize(("kind", "container"), [(kind, each) for kind in KINDS for each in KINDS[kind][2].split()])
def test_both_parts_are_heard_as_they_are(kind: str, container: str, tmp_path: Path) -> None:
    one, other = (LAYOUTS[layout] for layout, _ in KINDS[kind][:2])
    film = joined(tmp_path, kind, container)
    assert heard(film, "0.6", "1.6") == [{hertz} for hertz in HERTZ[:one]]
    mixed = [{*HERTZ[:other]}] if one == 1 else [{HERTZ[0]}] * 2 if other == 1 else None
    second = heard(film, "2.8", "3.8")
    if mixed:
        assert second == mixed
    else:
        assert [HERTZ[n] in tones and 0 not in tones for n, tones in enumerate(second[:2])] == [True, True]
        assert not any(second[2:])
