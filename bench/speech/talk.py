"""Films in which somebody speaks, by recipe: sentences of espeak-ng over the sound of another film, so that the time of
every word is known."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile

from bench.figures import work_folder
from bench.film import FFMPEG, Film
from tools.spoken import RATE, Floats, Utterance, mixed, placed, say

Phrase = tuple[float, float]

VOICES = ("en-us", "en-gb+f2", "en-us+m3", "en-gb-scotland", "en-us+f4", "en-gb+m7")
TEXTS = (
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


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, `begin` seconds from the film's start."""

    begin: float
    text: str
    utterance: Utterance

    @property
    def phrase(self) -> Phrase:
        return self.begin, self.begin + len(self.utterance.sound) / RATE

    @property
    def words(self) -> list[tuple[float, str]]:
        """Each word with the second of the film at which it begins."""
        return [(self.begin + at, word) for at, word in self.utterance.words]


def talk(seconds: float, seed: int, pause: float, uneven: int = 0) -> tuple[Floats, list[Said]]:
    """Sentences with pauses between them, `pause` seconds longer than half a second in the mean; each up to `uneven` dB
    louder or softer than usual."""
    dice, at, said = np.random.default_rng(seed), 2.0, list[Said]()
    loud = np.random.default_rng([seed, 1])
    while True:
        text, voice = (str(dice.choice(each)) for each in (TEXTS, VOICES))
        utterance = say(text, voice, int(dice.integers(140, 180)))
        gain = np.float32(10 ** (loud.uniform(-uneven, uneven) / 20))
        each = Said(at, text, replace(utterance, sound=utterance.sound * gain))
        if each.phrase[1] + 2 > seconds:
            return placed([(one.begin, one.utterance) for one in said], seconds), said
        said.append(each)
        at = each.phrase[1] + 0.5 + float(dice.exponential(pause))


def samples(path: Path, start: float, seconds: float) -> Floats:
    """A part of a film's sound, mixed to one channel."""
    argv = [FFMPEG, "-v", "error", "-ss", f"{start}", "-t", f"{seconds}", "-i", str(path)]
    raw = subprocess.run([*argv, "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.float32)


def grey_film(path: Path, sound: Floats) -> Path:
    """A film of one grey with this sound."""
    wav = path.with_suffix(".wav")
    soundfile.write(wav, sound, RATE)
    grey = ["-f", "lavfi", "-i", f"color=gray:s=64x36:r=25:d={len(sound) / RATE}"]
    argv = [FFMPEG, "-v", "error", "-y", *grey, "-i", str(wav), "-map", "0:v:0", "-map", "1:a"]
    kept = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-b:a", "160k"]
    subprocess.run([*argv, *kept, str(path)], check=True)
    return path


@dataclass(frozen=True, slots=True)
class Talkie:
    """A film of pieces of another one in an order of its seed, with sentences over it. `above`: dB of the voice over
    what lies under it; `pause`: mean seconds between sentences; `down`: dB by which all is quieter; `uneven`: by which
    a sentence is louder or softer at most."""

    seed: int
    above: int
    pause: float
    channels: int = 2
    down: int = 0
    subtitled: bool = False
    uneven: int = 0

    @property
    def name(self) -> str:
        kind = f"{self.above}_{self.pause:g}_{self.channels}_{self.down}_{self.uneven}{'_subtitled' * self.subtitled}"
        return f"talkie_{self.seed}_{kind}"


_PIECE, _PIECES = 13.0, 14  # seconds of each, and how many


def talkie(film: Film, recipe: Talkie) -> tuple[Path, list[Said]]:
    """The film, made once, and what is said in it."""
    voice, said = talk(_PIECE * _PIECES, recipe.seed, recipe.pause, recipe.uneven)
    path = work_folder() / f"{recipe.name}_{film.path.stem}.mkv"
    if not path.exists():
        places = _places(film, recipe.seed)
        bed = [np.resize(samples(film.path, at, _PIECE), round(_PIECE * RATE)) for at in places]
        wav, half_made = path.with_suffix(".wav"), path.with_stem(path.stem + ".part")
        soundfile.write(wav, _in_channels(voice, np.concatenate(bed), recipe), RATE)
        _write(half_made, film.path, places, wav)
        wav.unlink()
        half_made.replace(path)
    if recipe.subtitled:
        cues = [_cue(number, each) for number, each in enumerate(said, 1)]
        path.with_suffix(".srt").write_text("\n".join(cues), encoding="utf-8")
    return path, said


def _places(film: Film, seed: int) -> list[float]:
    """Where the pieces begin: one in each part of the film, in an order without the film's."""
    dice, part = np.random.default_rng(seed), (film.frames / float(film.rate) - 30) / _PIECES
    return [float(15 + part * k + dice.uniform(0, part - _PIECE)) for k in dice.permutation(_PIECES)]


def _in_channels(voice: Floats, bed: Floats, recipe: Talkie) -> Floats:
    """The mixture [shape=(samples, channels)]; in 5.1 the voice is in the centre, the rest beside and behind it."""
    together = mixed(voice, bed, recipe.above)
    parts = [together] * recipe.channels
    if recipe.channels == 6:
        voice = voice * np.float32(0.5)  # so that nothing clips
        rest = mixed(voice, bed, recipe.above + 3) - voice  # in two speakers
        parts = [rest, rest, voice, np.zeros_like(voice), *[rest * np.float32(0.5)] * 2]
    return np.asarray(np.stack(parts, 1) * 10 ** (-recipe.down / 20), np.float32)


def _write(path: Path, film: Path, places: Sequence[float], wav: Path) -> None:
    inputs = [part for at in places for part in ("-ss", f"{at:.3f}", "-t", f"{_PIECE}", "-i", str(film))]
    made = "scale=320:180:force_original_aspect_ratio=increase,crop=320:180,fps=24,setsar=1,format=yuv420p"
    scaled = "".join(f"[{n}:v:0]hflip,{made}[v{n}];" for n in range(len(places)))
    joined = "".join(f"[v{n}]" for n in range(len(places))) + f"concat=n={len(places)}:v=1[v]"
    argv = [FFMPEG, "-nostdin", "-v", "error", "-y", *inputs, "-i", str(wav), "-filter_complex", scaled + joined]
    argv += ["-map", "[v]", "-map", f"{len(places)}:a:0", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20"]
    subprocess.run([*argv, "-c:a", "aac", "-b:a", "192k", str(path)], check=True)


def _cue(number: int, said: Said) -> str:
    start, end = map(_stamp, said.phrase)
    return f"{number}\n{start} --> {end}\n{said.text}\n"


def _stamp(seconds: float) -> str:
    millis = round(Fraction(seconds) * 1000)
    return f"{millis // 3600000:02d}:{millis // 60000 % 60:02d}:{millis // 1000 % 60:02d},{millis % 1000:03d}"
