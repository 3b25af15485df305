"""A shot whose sound begins or ends while somebody speaks in the film is named, and no other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import soundfile
from footage import encode, scene
from oracle import BUNDLED

from cinecut.proof.verify.findings import Events
from cinecut.proof.verify.sound.speech import chopped
from cinecut.render.job import prepare
from tools.spoken import RATE, babble

SPEC = """cinecut: 1
film: film.mp4
output: {size: 256x144, preset: ultrafast}
timeline:
  - shot: {in: 0.2s, for: 25f}
  - shot: {in: 2.6s, for: 25f}
  - shot: {in: 2.6s, for: 25f}
    mute: true
  - shot: {in: 1.5s, for: 4s}
  - shot: {in: 3.1s, for: 2s}
  - shot: {in: 6s, for: 25f}
  - shot: {in: 7s, for: 25f}
"""  # somebody speaks from 2 s to 4.5 s


def test_who_is_cut_off_in_the_film(tmp_path: Path) -> None:
    sound = np.zeros(9 * RATE, np.float32)
    voice = babble(2.5).sound
    sound[2 * RATE : 2 * RATE + len(voice)] = voice
    soundfile.write(tmp_path / "voice.wav", sound, RATE)
    encode(tmp_path / "silent.mp4", scene(3, 9 * 25))
    media = ["-i", str(tmp_path / "silent.mp4"), "-i", str(tmp_path / "voice.wav")]
    film = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", str(tmp_path / "film.mp4")]
    subprocess.run([BUNDLED, "-v", "error", *media, *film], check=True)
    (tmp_path / "a.yaml").write_text(SPEC, encoding="utf-8")
    job = prepare(tmp_path / "a.yaml")
    found = list(chopped(job, Events(job.plan.timeline, job.plan.opening)))
    assert [(each.code, each.event, each.start) for each in found] == [
        ("chopped-line", "shot 2", 25),
        ("chopped-line", "shot 5", 175),
    ], found
    assert all(each.span is not None and each.hints for each in found)
