"""python -m tools.fuzz: draw cases until the time is up; print and keep those in which a rule was broken."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from tools.fuzz import beside, cases, places, visits
from tools.fuzz.cases import PLAIN, RICH, Setting
from tools.fuzz.damage import spoil_bytes
from tools.fuzz.media import make_media
from tools.fuzz.nonsense import start_server
from tools.fuzz.watched import Outcome, run_watched

KINDS = cases.KINDS | beside.KINDS | places.KINDS | visits.KINDS
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class _Run:
    media: Path
    seeds: dict[str, str]
    projects: dict[str, bytes]
    server: str
    kept: Path


def main() -> int:
    options = _options()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    media = options.out / "media"
    make_media(media)
    server, url = start_server(options.seed)
    try:
        with tempfile.TemporaryDirectory(prefix="cinecut-fuzz-") as folder:
            seeds, projects = _linked_seeds(media, Path(folder))
            run = _Run(media, seeds, projects, url, options.out)
            _preload()
            return _draw(run, options)
    finally:
        server.kill()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kinds", nargs="*", choices=sorted(KINDS), default=sorted(KINDS))
    parser.add_argument("--case", type=int, help="only this one, as its number was printed")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "fuzz")
    return parser.parse_args()


def _draw(run: _Run, options: argparse.Namespace) -> int:
    end, drawn, broken = time.monotonic() + 60 * options.minutes, Counter[str](), 0
    peak = 0
    number = options.case or 0
    while time.monotonic() < end:
        kind = random.Random(f"{options.seed} {number}").choices(
            options.kinds, [KINDS[name][1] for name in options.kinds]
        )[0]
        outcomes = _run_case(run, kind, f"{options.seed}-{number}")
        drawn[kind] += 1
        peak = max([peak, *(outcome.memory for outcome in outcomes)])
        broken += any(outcome.faults for outcome in outcomes)
        number += 1
        if options.case is not None:
            break
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(drawn.items()))
    print(f"seed {options.seed}: {counts}; peak {peak >> 20} MB; {broken} broke a rule")
    return 1 if broken else 0


def _run_case(run: _Run, kind: str, name: str) -> list[Outcome]:
    """Make one case and run its commands; keep its folder where a rule was broken."""
    base = Path(tempfile.mkdtemp(prefix=f"fuzz-{kind}-"))
    folder, own = base / "case", base / "own"
    folder.mkdir()
    _at_home_in(own)
    dice = random.Random(name)
    commands = KINDS[kind][0](Setting(folder, run.media, dice, run.seeds, run.projects, run.server))
    outcomes = []
    for words in commands:
        if words[0] == "SPOIL":
            _spoil_kept(base, words[1], dice)
            continue
        outcome = _visit(folder / words[1], own, dice) if words[0] == "VISIT" else run_watched(words, folder, (own,))
        outcomes.append(outcome)
        if outcome.faults:
            kept = run.kept / f"{name}-{kind}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(base, kept, symlinks=True, ignore=lambda _, names: {"pipe"} & set(names))
            print(
                f"case {name} ({kind}): cinecut {' '.join(words)}\n  {'; '.join(outcome.faults)}\n  kept in {kept}",
                flush=True,
            )
            break
        if outcome.status != 0 and kind not in beside.GOES_ON:
            break
    shutil.rmtree(base, ignore_errors=True)
    return outcomes


def _visit(spec: Path, own: Path, dice: random.Random) -> Outcome:
    """Watch a spec, and ask its page for anything."""
    visitor = visits.Visitor(spec, dice, [])
    outcome = run_watched(["watch", spec.name, "--no-browser"], spec.parent, (own,), visitor)
    return replace(outcome, faults=(*outcome.faults, *visitor.faults))


def _spoil_kept(base: Path, pattern: str, dice: random.Random) -> None:
    """Spoil about half of the files that a pattern names, or that lie in folders that it names."""
    named = sorted(base.glob(pattern))
    for file in [*named, *(below for folder in named if folder.is_dir() for below in sorted(folder.rglob("*.*")))]:
        if file.is_file() and dice.random() < 0.5:
            file.write_bytes(spoil_bytes(file.read_bytes(), dice))


def _at_home_in(own: Path) -> None:
    """Have the commands keep their caches, lock, models and temporary files in a new folder."""
    (own / "tmp").mkdir(parents=True)
    os.environ.update(
        CINECUT_CACHE_DIR=str(own / "cache"),
        CINECUT_RUNTIME_DIR=str(own / "runtime"),
        CINECUT_MODELS_DIR=str(own / "models"),
        XDG_STATE_HOME=str(own / "state"),
        TMPDIR=str(own / "tmp"),
    )


def _linked_seeds(media: Path, folder: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    """The specs to spoil, as they are and with the facts of their media; and projects for editing programs."""
    seeds = {"rich": RICH, "plain": PLAIN}
    for name in ("film.mkv", "film.mp4", "song.wav", "logo.png", "look.cube"):
        shutil.copyfile(media / name, folder / name)
    _at_home_in(folder / "own")

    def run(words: list[str]) -> None:
        outcome = run_watched(words, folder, (folder / "own",))
        if outcome.status != 0 or outcome.faults:
            sys.exit(f"a seed cannot be made: cinecut {' '.join(words)}: {outcome.printed} {outcome.faults}")

    for name in ("rich", "plain"):
        spec = folder / f"{name}.yaml"
        spec.write_text(seeds[name], encoding="utf-8")
        run(["link", spec.name])
        seeds[f"{name} linked"] = spec.read_text(encoding="utf-8")
    return seeds, beside.exported(run, folder, seeds["rich linked"])


def _preload() -> None:
    """What most commands import, once; every case then starts from here."""
    import cinecut.analysis.analyze
    import cinecut.compiler
    import cinecut.media.link
    import cinecut.render.job  # noqa: F401
    from cinecut.cli import command_line

    command_line()


if __name__ == "__main__":
    sys.exit(main())
