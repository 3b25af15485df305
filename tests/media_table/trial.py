"""One film's trial: link it, render a trailer of short shots from all over it, and compare with the plain decode."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

from effort import GIVE_UP
from judge import Decoded, Shot, Timeline, decode, joined, picture_faults, sound_faults
from making import Recipe, make
from rendering import up
from ruamel.yaml import YAML

from cinecut.cli import command_line
from cinecut.cli.terminal import print_diagnostics
from cinecut.diagnostics import Stop

_HEAD = """cinecut: 1
film: {film}
vibe: {{base: drama, grade: {{strength: 0}}}}
output: {{loudness: as mixed, codec: ffv1{rate}}}
mix: {{splice: 0s}}
effects: none
timeline:
"""
_FRAMES = 12  # of a shot
_BARE = (".h264", ".hevc", ".vvc", ".m1v", ".m2v", ".m4v", ".h261", ".h263", ".drc", ".obu", ".mjpeg", ".dnxhd")
_LONGEST = GIVE_UP  # seconds that a command may take; it takes two
_GOP = 12  # from key frame to key frame, in the recipes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a film: `faults` say what is wrong; without any, `text` stands in the table."""

    text: str = "exact"
    faults: tuple[str, ...] = ()
    plays: bool = True  # in FFmpeg


def try_film(recipe: Recipe, folder: Path) -> Outcome:
    """Make the film in a folder of its own and try it."""
    film, spec = folder / f"film{recipe.suffix}", folder / "spec.yaml"
    make(recipe, film)
    plain = _plain(recipe, film)
    head = _HEAD.format(film=film.name, rate=f", rate: {recipe.rate}" if recipe.variable else "")
    spec.write_text(head + "  - black: 1s\n", encoding="utf-8")
    status, said = _cinecut(folder, "link", spec.name)
    if status:
        faults = (f"link ends with {status}: {said[-300:]}",) if status != 1 else ()
        return Outcome(f"refused: {_reason(said, folder)}", faults, plain is not None)
    if plain is None:
        return Outcome(faults=("link takes what FFmpeg cannot play",), plays=False)
    facts = _facts(spec)
    rate = Fraction(recipe.rate)
    own = recipe.restarts or recipe.suffix in _BARE  # FFmpeg's clock is another one than the file's
    zero = plain.stamps[0] if own else Fraction(str(facts.get("start", 0)))
    times = Timeline.of(plain, zero, None if recipe.variable else rate)
    wrong = _wrong_facts(recipe, facts, times)
    shots = _shots(recipe, plain, times, Fraction(str(facts["duration"])))
    lines = [f"  - shot: {{in: {_decimal(shot.start)}s, for: {shot.frames}f}}\n" for shot in shots]
    spec.write_text(spec.read_text(encoding="utf-8").replace("  - black: 1s\n", "".join(lines)), encoding="utf-8")
    status, more = _cinecut(folder, "render", spec.name, "-f", "-o", "trailer.mkv")
    if status:
        return Outcome(faults=(*wrong, f"render ends with {status}: {_reason(more, folder)}"))
    trailer = decode(folder / "trailer.mkv", 0)
    wrong += picture_faults(plain, times, trailer, shots, rate)
    wrong += sound_faults(plain, zero, trailer, shots, rate)
    words = _messages(said + more)
    return Outcome(f"exact; {words[0]}" if words else "exact", tuple(wrong))


def _plain(recipe: Recipe, film: Path) -> Decoded | None:
    """What FFmpeg shows of the film, from its start; None where it shows nothing."""
    sound = recipe.film_sound if recipe.sound else None
    try:
        if recipe.repacked:
            make(replace(recipe, steps=()), whole := film.with_name(f"whole{recipe.suffix}"))
            return decode(whole, sound)
        if not recipe.restarts:
            return decode(film, sound, changing=recipe.second is not None)
        parts = [film.with_name(f"part{number}{recipe.suffix}") for number in (1, 2)]
        make(replace(recipe, second=None), parts[0])
        parts[1].write_bytes(film.read_bytes()[parts[0].stat().st_size :])
        first, second = (decode(part, sound) for part in parts)
        return joined(first, second, 1 / Fraction(recipe.rate))
    except LookupError:
        return None


def _cinecut(folder: Path, *arguments: str) -> tuple[int, str]:
    """The status of a command and what it says on stderr, in this process: hundreds of starts would take longest."""
    said = io.StringIO()
    os.environ["CINECUT_RUNTIME_DIR"] = str(folder)  # a lock of its own
    silent = contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO())
    with silent[0], silent[1], contextlib.chdir(folder):
        try:
            with _bounded():
                command_line(arguments[0])(list(arguments), standalone_mode=True)
        except _Endless:
            return 2, f"{arguments[0]} does not end"
        except Stop as stop:
            print_diagnostics(stop.diagnostics)
            return 1, said.getvalue()
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
        except Exception:
            return 2, f"Traceback: {traceback.format_exc(limit=-2)}"
    return 0, said.getvalue()


class _Endless(BaseException):
    """No Exception, which the command might take for one of its own."""


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    def stop(signum: int, frame: object) -> None:
        raise _Endless

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _facts(spec: Path) -> dict[str, Any]:
    read: Any = YAML(typ="base").load(spec.read_text(encoding="utf-8"))  # numbers stay as they are written
    return dict(read["film"]["facts"])


def _wrong_facts(recipe: Recipe, facts: dict[str, Any], times: Timeline) -> list[str]:
    wrong, wanted = [], Fraction(recipe.rate)
    rate, period = Fraction(str(facts["rate"])), 1 / wanted
    if rate != wanted and not recipe.variable:
        wrong.append(f"rate {rate} for {wanted}")
    variable = recipe.variable or any(time % period for time in times.times)
    if "variable" in facts and not variable:
        wrong.append("taken for variable")
    end = times.times[-1] + period
    if abs(Fraction(str(facts["duration"])) - end) > (period if recipe.variable else period / 4):
        wrong.append(f"duration {facts['duration']} for {float(end):.3f}")
    if not -period / 4 <= times.times[0] <= 2:  # pictures that cannot be decoded may come before the first one
        wrong.append(f"the first picture is at {float(times.times[0]):.3f}")
    return wrong


def _shots(recipe: Recipe, plain: Decoded, times: Timeline, duration: Fraction) -> list[Shot]:
    """Head, key frame, between key frames, middle, the recipe's own places, tail; where in a picture's time varies."""
    rate, last = Fraction(recipe.rate), len(times.times) - 1
    half = 1 / rate / 2
    key = next((n for n in range(min(20, last), last) if _number(plain, n) % _GOP == 0), last // 3)
    shots = [
        Shot("head", Fraction(0), _FRAMES),
        Shot("key frame", up(times.times[key]), _FRAMES),
        Shot("before a key frame", times.times[min(key + _GOP - 1, last)] + half, _FRAMES),
        Shot("middle", times.times[last // 2 + 3] + half, _FRAMES),
        *(Shot(f"at {place} s", Fraction(place), _FRAMES) for place in recipe.places),
        Shot("tail", up(duration - _FRAMES / rate), _FRAMES),
    ]
    return [Shot(shot.what, floor(shot.start * 10**7) / Fraction(10**7), shot.frames) for shot in shots]


def _number(plain: Decoded, index: int) -> int:
    text = plain.number(index)
    return int(text) if text.isdigit() else -1


def _decimal(time: Fraction) -> str:
    return f"{floor(time * 10**7) / 10**7:.7f}"


def _messages(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith((" ", "\t"))]


def _reason(text: str, folder: Path) -> str:
    """The first message of a refusal, without this run's paths."""
    lines = _messages(text) or ["nothing is said"]
    return lines[0].replace(f"{folder}/", "").removeprefix("error: ")
