"""What trailers do with speech: phrases that are chopped, and how far voices stand above what sounds with them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.figures import Figure, print_rows, work_folder
from bench.film import FFMPEG, Film
from bench.film_analysis.cut import shown_spans
from bench.song_analysis.songs import make, shaped
from bench.speech.talk import Phrase, Said, Talkie, talkie
from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.cache import Cache
from cinecut.analysis.request import Request
from cinecut.compiler.layout.timeline import is_heard
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.timebase import SAMPLE_RATE, FilmRange
from cinecut.render.job import SILENT, Job, prepare
from cinecut.render.stems import render_stems
from cinecut.vibes import load_vibe

HALVES = ("choose", "judge")
VIBES = ("action", "drama", "horror", "thriller", "fantasy", "crime")
_KINDS = ((8, 4.0, 2, 0, False, 0), (12, 2.0, 1, 0, True, 8), (6, 3.0, 6, 0, False, 0), (16, 1.5, 2, 20, True, 8))
"""Of the films: above, pause, channels, down, subtitled, uneven; one of each in each half."""

Stems = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Heard:
    """A phrase as far as a trailer has it: samples of the trailer, dB of its sound (full scale), and of it above the
    rest. `stem`: film, or voice where it lies over other pictures."""

    stem: str
    start: int
    end: int
    level: float
    above: float


@dataclass(frozen=True, slots=True)
class _Trailer:
    """How many shots a trailer shows, how many of them with sound, how many chop a phrase, how many are mute while
    somebody speaks; and what is said in it."""

    half: str
    name: str
    shots: int
    unmuted: int
    chopped: int
    muted: int
    heard: list[Heard]

    @property
    def row(self) -> list[str]:
        least = f"{min((each.above for each in self.heard), default=0):+.1f} dB"
        return [f"{self.half} {self.name}", *map(str, (self.shots, self.chopped, self.muted, len(self.heard))), least]

    def of(self, stem: str) -> list[Heard]:
        return [each for each in self.heard if each.stem == stem]

    @property
    def uneven(self) -> list[float]:
        """dB by which the phrases differ from the middle one, of a second and more."""
        levels = np.array([each.level for each in self.heard if each.end - each.start >= SAMPLE_RATE])
        return np.abs(levels - np.median(levels)).tolist() if len(levels) else []


def trailers(film: Film) -> Iterator[Figure]:
    """Trailers of films that speak, in two halves: one to choose by, and one to judge by. The figures are those of the
    half that judges."""
    made = list(_made(film))
    head = ("film, vibe", "shots", "chopped", "mute while one speaks", "phrases", "least above the rest")
    print_rows(head, [each.row for each in made])
    rows = [
        [half, stem, *_clear([each for trailer in made if trailer.half == half for each in trailer.of(stem)])]
        for half in HALVES
        for stem in ("film", "voice")
    ]
    print()
    print_rows(("half", "stem", "phrases", "6 dB above the rest", "least", "median"), rows)
    judged = [each for each in made if each.half == HALVES[1]]
    chopped = sum(each.chopped for each in judged) / max(1, sum(each.unmuted for each in judged))
    yield Figure("phrases chopped in unmuted shots", chopped, 0.05)
    for stem, what in (("film", "phrases of shots"), ("voice", "voices over other pictures")):
        above = [each.above >= 6 for trailer in judged for each in trailer.of(stem)]
        yield Figure(f"{what} 6 dB above all else", float(np.mean(above or [False])), 0.95, at_least=True)
    near = [far <= 3 for trailer in judged for far in trailer.uneven]
    yield Figure("phrases within 3 dB of their trailer's median", float(np.mean(near or [False])), 0.95, at_least=True)


def _made(film: Film) -> Iterator[_Trailer]:
    for half, name in enumerate(HALVES):
        for recipe, path, said in films(film, half):
            phrases = [each.phrase for each in said]
            for vibe, music in songs(recipe.seed):
                with tempfile.TemporaryDirectory(dir=work_folder()) as folder:
                    found, heard = of_vibe(path, (vibe, music), phrases, Path(folder))
                here = [(cut, span, cut.heard(span.duration)) for cut, span in shown_spans(found)]
                yield _Trailer(
                    name,
                    f"{recipe.name} {vibe}{' with a song' * bool(music)}",
                    len(here),
                    sum(part is not None for *_, part in here),
                    sum(bool(part and _chops(part, phrases)) for *_, part in here),
                    sum(cut.silenced and bool(_inside(span, phrases)) for cut, span, _ in here),
                    heard,
                )


def films(film: Film, half: int) -> Iterator[tuple[Talkie, Path, list[Said]]]:
    """The films of a half."""
    for number, kind in enumerate(_KINDS):
        recipe = Talkie(100 + 2 * number + half, *kind)
        yield recipe, *talkie(film, recipe)


def songs(seed: int) -> Iterator[tuple[str, Path | None]]:
    """The vibes, every other one with a song of the film's seed."""
    path = work_folder() / f"song_{seed}.wav"
    if not path.exists():
        song = make(shaped(seed))
        soundfile.write(path, song.sound, song.rate)
    for number, vibe in enumerate(VIBES, seed // 2):
        yield vibe, path if number % 2 else None


def _clear(heard: Sequence[Heard]) -> list[str]:
    above = np.array([each.above for each in heard] or [0.0])
    share = f"{np.mean(above >= 6):.1%}"
    return [str(len(heard)), share, f"{above.min():+.1f} dB", f"{np.median(above):+.1f} dB"]


def of_vibe(
    film: Path, vibe: tuple[str, Path | None], phrases: Sequence[Phrase], folder: Path
) -> tuple[Analysis, list[Heard]]:
    """A trailer of a film by a vibe and its song, and what is said in it."""
    spec = folder / "trailer.yaml"
    name, music = vibe
    request = Request(film, spec, load_vibe(name), length=Fraction(60), transcribes=False, music=music)
    found = analyze(request, lambda stage, done: None, Cache("speech", work_folder() / "speech_cache"))
    spec.write_text(found.text, encoding="utf-8")
    job = prepare(spec)
    with mock.patch.dict(os.environ, CINECUT_RUNTIME_DIR=str(folder)):
        files = render_stems(job, folder / "stems", find_ffmpeg(FFMPEG), SILENT)
    stems = {file.stem: soundfile.read(file, dtype="float32", always_2d=True)[0] for file in files}
    return found, list(heard_in(job, stems, phrases))


def heard_in(job: Job, stems: Stems, phrases: Sequence[Phrase]) -> Iterator[Heard]:
    """The phrases that a trailer has, with at least .3 s each."""
    layout = job.plan.layout
    for placed in layout.timeline.events:
        if is_heard(placed, layout.trailer):
            lead, trail = (frames / layout.timeline.rate for frames in placed.sound_over)
            range_ = FilmRange(placed.heard.start - lead, placed.heard.end + trail)
            yield from _heard("film", range_, placed.start - lead, stems, phrases)
    for voice in layout.track.voices:
        yield from _heard("voice", voice.film, Fraction(voice.place.start, SAMPLE_RATE), stems, phrases)


def _heard(stem: str, film: FilmRange, at: Fraction, stems: Stems, phrases: Sequence[Phrase]) -> Iterator[Heard]:
    """`at`: the second of the trailer at which this part of the film is heard."""
    rest = [name for name in stems if name != stem and (name != "film" or stem == "voice")]
    for a, b in _inside(film, phrases):
        start, end = (round((float(at) + each) * SAMPLE_RATE) for each in (a, b))
        power = {name: float(np.square(sound[start:end]).sum(1).mean()) + 1e-12 for name, sound in stems.items()}
        level = 10 * float(np.log10(power[stem]))
        yield Heard(stem, start, end, level, level - 10 * float(np.log10(sum(map(power.__getitem__, rest)) + 1e-12)))


def _inside(film: FilmRange, phrases: Sequence[Phrase]) -> list[Phrase]:
    """What of the phrases sounds in a stretch of the film, in seconds from its start."""
    first, last = float(film.start.seconds), float(film.end.seconds)
    return [(max(a, first) - first, min(b, last) - first) for a, b in phrases if min(b, last) - max(a, first) > 0.3]


def _chops(film: FilmRange, phrases: Sequence[Phrase]) -> bool:
    edges = (float(film.start.seconds), float(film.end.seconds))
    return any(start + 0.1 < edge < end - 0.1 for start, end in phrases for edge in edges)
