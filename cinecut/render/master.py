"""The master: what brings a trailer's mix to its loudness, found by measuring the mix itself.

The mix is rendered once, sound alone, and measured (EBU R 128, by FFmpeg's own meter). Where its peaks leave no room
for the gain, the gain is solved with the limiter in it: gain first and limit after would end too soft. At last the
sound is encoded and measured as people will hear it: where the codec overshot, the ceiling is lowered, and where it
left out what it takes for inaudible (all above 17 kHz, which a meter does hear), the gain makes up for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cinecut.compiler.sound.lower import Master, lower_master
from cinecut.ffmpeg import run
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.graph import filters, sounds
from cinecut.graph.nodes import Audio, Pad
from cinecut.graph.plan import RenderPlan, Target, UserFile, assemble
from cinecut.machine.gpu import Lock

_CLOSE = 0.05  # LU: near enough for the mix
_NEAR = 0.15  # LU: near enough for the encoded sound, of which the meter tells tenths
_SOLVES = 5  # tries at most
_CORRECTIONS = 8  # for what the encoder does, at most; one or two are the rule
_OVERSHOOT = 1.0  # dB by which AAC may go beyond the peaks that it is given
_ROUNDED = 0.05  # dB that the meter's tenths may hide
_STEP = 0.1  # dB
_MIX, _GRAPH = "mix.wav", "master.graph"


@dataclass(frozen=True, slots=True)
class Level:
    """Integrated loudness in LUFS and true peak in dBTP; None: silence."""

    loudness: float | None
    peak: float

    def __str__(self) -> str:
        return "silence" if self.loudness is None else f"{self.loudness:.1f} LUFS, {self.peak:.1f} dBTP"


@dataclass(frozen=True, slots=True)
class Mastered:
    """What an output's sound needs (None: it is silent), how it then measures, and the file of the working folder that
    holds it, encoded: the very sound that the trailer's graph would make again."""

    master: Master | None
    level: Level
    file: str | None = None


Ran = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the sound of a plan is measured: its working folder, filled, and who runs FFmpeg there."""

    plan: RenderPlan
    ffmpeg: FFmpeg
    folder: Path
    lock: Lock

    def find_masters(self, progress: Ran) -> dict[str, Mastered]:
        """By their names, the masters that bring the plan's outputs to their loudness."""
        wanted = {target.name: target for target in self.plan.targets if target.loudness is not None}
        if not wanted:
            return {}
        run.run_graph(self.plan.sound, self.plan.places, self.ffmpeg, self.folder, [_MIX], self.lock, lambda _: None)
        progress(0.4)
        mix, found = self._measured(_MIX), dict[str, Mastered]()
        known: dict[object, Mastered] = {}
        for name, target in wanted.items():
            kind = (target.loudness, target.sound)
            if kind not in known:
                file = f"master{len(known)}{target.suffix}"
                known[kind] = self._find_master(mix, target, file) if mix.loudness is not None else Mastered(None, mix)
            found[name] = known[kind]
            progress(0.4 + 0.6 * len(found) / len(wanted))
        return found

    def _find_master(self, mix: Level, target: Target, file: str) -> Mastered:
        assert target.loudness is not None
        assert mix.loudness is not None
        wanted, peak = float(target.loudness.target), float(target.loudness.peak)
        spare = _OVERSHOOT if "aac" in target.sound else _ROUNDED
        aim, ceiling = wanted, None  # of the sound before the encoder
        gain, step = aim - mix.loudness, _STEP
        for _ in range(_CORRECTIONS):
            if ceiling is None and mix.peak + gain > peak - spare:
                ceiling = peak - spare
            if ceiling is not None:
                gain = self._solve(gain, ceiling, aim)
            master = Master(_hundredths(gain), None if ceiling is None else _hundredths(ceiling))
            heard = self._encoded(master, target, file)
            over = heard.peak - (peak - _ROUNDED)
            lost = 0.0 if heard.loudness is None else wanted - heard.loudness
            if over <= 0 and abs(lost) <= _NEAR:
                break
            if over > 0:  # what the encoder adds changes with every ceiling: go further each time
                ceiling = min(peak if ceiling is None else ceiling, peak) - over - step
                step *= 2
            aim, gain = aim + lost, gain + lost
        return Mastered(master, heard, file)

    def _solve(self, gain: float, ceiling: float, wanted: float) -> float:
        """The gain with which the limited mix is as loud as wanted: by secants, from the gain without the limiter."""
        known: list[tuple[float, float]] = []
        for _ in range(_SOLVES):
            limited = self._measured(_MIX, Master(_hundredths(gain), _hundredths(ceiling)), rough=True).loudness
            assert limited is not None
            if abs(limited - wanted) <= _CLOSE:
                break
            known.append((gain, limited))
            gain += (wanted - limited) * _slope(known)
        return gain

    def _encoded(self, master: Master, target: Target, file: str) -> Level:
        """How the sound measures after the output's own encoder."""
        pad = lower_master(_source(_MIX), master, self.plan.samples)
        self._run(_MIX, pad, Target(("sound",), target.sound, target.suffix), file)
        return self._measured(file)

    def _measured(self, name: str, master: Master | None = None, rough: bool = False) -> Level:
        """How a file measures, mastered; of a `rough` measure the peaks are not known."""
        pad = sounds.meter(lower_master(_source(name), master, self.plan.samples, rough), "meter", not rough)
        return read_level("\n".join(self._run(name, pad, Target(("sound",), ("-f", "null"), ""), "-")))

    def _run(self, name: str, pad: Pad, target: Target, output: str) -> tuple[str, ...]:
        graph = assemble(_GRAPH, {"sound": pad}, [target], {name: UserFile(name, name, "wav,mov,matroska")})
        done = run.run_graph(graph, {}, self.ffmpeg, self.folder, [output], self.lock, lambda _: None, "info")
        return done.said


def _source(name: str) -> Pad:
    """The sound of a file of the working folder."""
    return sounds.stereo(filters.source(name, "a", Audio(sounds.SAMPLE_RATE, "stereo"), "mix"), "mix")


def _slope(known: list[tuple[float, float]]) -> float:
    """dB of gain for each LU that is missing."""
    if len(known) < 2 or abs(known[-1][1] - known[-2][1]) < 1e-6:
        return 1.2
    (gain, loud), (later_gain, later_loud) = known[-2:]
    return min(10.0, max(1.0, (later_gain - gain) / (later_loud - loud)))


def _hundredths(value: float) -> Fraction:
    return Fraction(round(value * 100), 100)


def read_level(said: str) -> Level:
    """What FFmpeg's meter said last."""
    loudness = re.findall(r"\bI:\s+(-?[\d.]+|-?inf|nan) LUFS", said)
    peak = re.findall(r"\bPeak:\s+(-?[\d.]+|-?inf|nan) dBFS", said)
    heard = float(loudness[-1]) if loudness else float("-inf")
    return Level(heard if heard > -70 else None, float(peak[-1]) if peak else float("-inf"))
