"""The master: what brings a trailer's mix to its loudness, found by measuring the mix itself.

The mix is rendered once, sound alone, and measured (EBU R 128, by FFmpeg's own meter). Where its peaks leave no room
for the gain, the gain is solved with the limiter in it: gain first and limit after would end too soft. At last the
sound is encoded and measured as people will hear it: where the codec overshot, the ceiling is lowered, and where it
left out what it takes for inaudible (all above 17 kHz, which a meter does hear), the gain makes up for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cinecut.compiler.plan import RenderPlan
from cinecut.compiler.sound.master import Master, lower_master
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.graph import filters, sounds
from cinecut.graph.nodes import Audio, Pad, pruned
from cinecut.graph.plan import Run, Target, UserFile
from cinecut.language.facts import LoudnessTarget
from cinecut.language.timebase import SAMPLE_RATE

_CLOSE = 0.05  # LU: near enough for the mix
_NEAR = 0.15  # LU: near enough for the encoded sound, of which the meter tells tenths
_SOLVES = 5  # tries at most
_CORRECTIONS = 8  # for what the encoder does, at most; one or two are the rule
_OVERSHOOT = 1.0  # dB by which AAC may go beyond the peaks that it is given
_ROUNDED = 0.05  # dB that the meter's tenths may hide
_STEP = 0.1  # dB
_SILENCE = -70.0  # LUFS: the meter's gate
_MIX, _GRAPH = "mix.wav", "master.graph"


@dataclass(frozen=True, slots=True)
class Level:
    """Integrated loudness in LUFS and true peak in dBTP; None: silence."""

    loudness: float | None
    peak: float

    @property
    def lufs(self) -> float:
        """The loudness as a number, silence too."""
        return _SILENCE if self.loudness is None else self.loudness

    def __str__(self) -> str:
        return "silence" if self.loudness is None else f"{self.loudness:.1f} LUFS, {self.peak:.1f} dBTP"


@dataclass(frozen=True, slots=True)
class Mastered:
    """What brings a sound to its loudness (None: nothing, it is silent), and how it then measures."""

    master: Master | None
    level: Level


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound of a plan: the outputs whose it is, by their names, the run that makes it as it is mixed, and the target
    that says how it is encoded and what loudness it is brought to."""

    names: tuple[str, ...]
    run: Run
    target: Target

    @property
    def file(self) -> str:
        """In the working folder, encoded."""
        return f"{self.target.maps[1]}{self.target.suffix}"

    @property
    def notes(self) -> str:
        """The file of what was measured of it."""
        return f"{self.target.maps[1]}.json"


def sounds_of(plan: RenderPlan) -> list[Sound]:
    """All sounds of a plan: outputs of one loudness and one encoder share theirs."""
    kinds: dict[object, list[Target]] = {}
    for target in plan.targets:
        kinds.setdefault((target.loudness, target.sound), []).append(target)
    return [Sound(tuple(target.name for target in same), _mixed(plan, same[0]), same[0]) for same in kinds.values()]


def _mixed(plan: RenderPlan, target: Target) -> Run:
    label = target.maps[1]
    [pad] = pruned([plan.render.sinks[label]])
    return Run(f"{label}.graph", {label: pad}, (Target((label,), target.sound, target.suffix),), plan.render.items)


def make_sounds(
    plan: RenderPlan, wanted: Sequence[Sound], place: Workplace, progress: Callable[[float], None]
) -> dict[str, Mastered]:
    """Write the files of sounds into the working folder, which must be filled. Returns, by their outputs' names, how
    those are that are brought to a loudness."""
    desk, mix, found = _Desk(place, plan.samples), Level(None, 0), dict[str, Mastered]()
    if any(sound.target.loudness is not None for sound in wanted):
        run_graph(plan.sound, [_MIX], place)
        mix = desk.measured(_MIX)
    for done, sound in enumerate(wanted):
        goal = sound.target.loudness
        if goal is not None and mix.loudness is not None:
            mastered = desk.find_master(mix, goal, sound.target, sound.file)
        else:
            run_graph(sound.run, [sound.file], place)
            mastered = Mastered(None, mix)
        if goal is not None:
            found |= dict.fromkeys(sound.names, mastered)
        progress((done + 1) / len(wanted))
    return found


def masters_of(mastered: Mapping[str, Mastered]) -> dict[str, Master]:
    """The masters of the outputs that need one, by their names."""
    return {name: found.master for name, found in mastered.items() if found.master is not None}


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where a mix of so many samples is measured."""

    place: Workplace
    samples: int

    def find_master(self, mix: Level, goal: LoudnessTarget, target: Target, file: str) -> Mastered:
        """The master that brings a mix to a goal, and the sound encoded with it in a file of the working folder."""
        wanted, peak = float(goal.target), float(goal.peak)
        spare = _OVERSHOOT if "aac" in target.sound else _ROUNDED
        aim, ceiling = wanted, None  # of the sound before the encoder
        gain, step = aim - mix.lufs, _STEP
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
        return Mastered(master, heard)

    def _solve(self, gain: float, ceiling: float, wanted: float) -> float:
        """The gain with which the limited mix is as loud as wanted: by secants, from the gain without the limiter."""
        known: list[tuple[float, float]] = []
        for _ in range(_SOLVES):
            limited = self.measured(_MIX, Master(_hundredths(gain), _hundredths(ceiling)), rough=True).lufs
            if abs(limited - wanted) <= _CLOSE:
                break
            known.append((gain, limited))
            gain += (wanted - limited) * _slope(known)
        return gain

    def _encoded(self, master: Master, target: Target, file: str) -> Level:
        """How the sound measures after the output's own encoder."""
        pad = sounds.samples_as(lower_master(_source(_MIX), master, self.samples), target.samples, "master")
        self._run(_MIX, pad, Target(("sound",), target.sound, target.suffix), file)
        return self.measured(file)

    def measured(self, name: str, master: Master | None = None, rough: bool = False) -> Level:
        """How a file measures, mastered; of a `rough` measure the peaks are not known."""
        pad = sounds.meter(lower_master(_source(name), master, self.samples, rough), "meter", not rough)
        return read_level(
            "\n".join(self._run(name, pad, Target(("sound",), ("-c:a", "pcm_f64le", "-f", "null"), ""), "-"))
        )

    def _run(self, name: str, pad: Pad, target: Target, output: str) -> tuple[str, ...]:
        graph = Run(_GRAPH, {"sound": pad}, (target,), {name: UserFile(name, name, "wav,mov,matroska")})
        return run_graph(graph, [output], self.place, level="info").said


def _source(name: str) -> Pad:
    """The sound of a file of the working folder."""
    return sounds.stereo(filters.source(name, "a", Audio(SAMPLE_RATE, "stereo"), "mix"), "mix")


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
    return Level(heard if heard > _SILENCE else None, float(peak[-1]) if peak else float("-inf"))
