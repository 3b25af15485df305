"""The master brings a trailer's mix to its loudness; it is found by measuring the mix itself.

The mix is rendered once, sound alone, and measured (EBU R 128, by FFmpeg's own meter). Where its peaks leave no room
for the gain, the gain is solved with the limiter in it: gain first and limit after would end too soft. Then the
sound is encoded and measured as people will hear it: where the codec overshot, the ceiling is lowered, and where it
left out what it takes for inaudible (all above 17 kHz, which a meter does hear), the gain makes up for that. Where its
loudest seconds are louder than they may be, loud passages are evened out from a level that is lowered until they fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from cinecut.compiler.encode import FLOAT_SAMPLES, float_sound
from cinecut.compiler.plan import RenderPlan
from cinecut.compiler.sound.master import Master, hole_of, lower_master
from cinecut.ffmpeg.meter import SILENCE, Level, level_of
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.graph import filters, sounds
from cinecut.graph.channels import USUAL, channels_of
from cinecut.graph.nodes import HOLE, Audio, Pad, nodes_of, pruned
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
_EVENINGS = 12  # levels at most from which loud passages are evened out
_GRAPH, _HEARD = "master.graph", "heard.wav"


@dataclass(frozen=True, slots=True)
class Mastered:
    """The master of a sound (None: it is silent), and its level with it (None: it is only a part of a mix)."""

    master: Master | None
    level: Level | None


@dataclass(frozen=True, slots=True)
class PlanSound:
    """A sound of a plan: the `names` of its outputs; the `run` that makes it without master; the `target` with encoder
    and loudness; and the `mix` that is measured for its gain, of which a stem is a part."""

    names: tuple[str, ...]
    run: Run
    target: Target
    mix: Run

    @property
    def file(self) -> str:
        """The encoded file in the working folder."""
        return f"{self.target.heard}{self.target.suffix}"

    @property
    def notes(self) -> str:
        """The file with its measured level."""
        return f"{self.target.heard}.json"


def sounds_of(plan: RenderPlan) -> list[PlanSound]:
    """All sounds of a plan: outputs with the same loudness and encoder share one. A stem has its own."""
    kinds: dict[object, list[Target]] = {}
    for target in plan.targets:
        kinds.setdefault((target.loudness, target.channels, target.sound, target.stem and target.name), []).append(
            target
        )
    return [_sound(plan, same) for same in kinds.values()]


def _sound(plan: RenderPlan, same: Sequence[Target]) -> PlanSound:
    target = same[0]
    mix = (plan.mixes if target.stem is None else plan.undipped)[target.channels]
    return PlanSound(tuple(each.name for each in same), _mixed(plan, target), target, mix)


def _mixed(plan: RenderPlan, target: Target) -> Run:
    label = target.heard
    [pad] = pruned([plan.render.sinks[label]])
    return Run(f"{label}.graph", {label: pad}, (Target((label,), target.sound, target.suffix),), plan.render.items)


def stems_of(sound: PlanSound) -> list[Run]:
    """The runs that make the stems of a live draft's sound."""
    nodes = [node for node in nodes_of(list(sound.run.sinks.values())) if node.filter == HOLE]
    return [_stem(node.ins[0], node.label, sound.run) for node in nodes]


def _stem(pad: Pad, label: str, whole: Run) -> Run:
    label_pad = sounds.samples_as(pad, FLOAT_SAMPLES, label)
    return Run(f"{label}.graph", {label: label_pad}, (float_sound(label),), whole.items)


def mixed_of_files(sound: PlanSound, stems: Sequence[Run]) -> PlanSound:
    """The same sound, mixed from its stems' files in the working folder."""
    items = {file_of(stem): UserFile(file_of(stem), file_of(stem), "wav") for stem in stems}
    fillings = {next(iter(stem.sinks)): partial(_instead, file_of(stem)) for stem in stems}
    return replace(sound, run=replace(sound.run.filled(fillings), items={**sound.run.items, **items}))


def _instead(file: str, pad: Pad) -> Pad:
    return _source(file, len(channels_of(pad.audio.layout)))


def file_of(stem: Run) -> str:
    """A stem's file in the working folder."""
    return f"{next(iter(stem.sinks))}.wav"


def make_sounds(
    plan: RenderPlan, wanted: Sequence[PlanSound], place: Workplace, progress: Callable[[float], None]
) -> dict[str, Mastered]:
    """Encode sounds in the working folder, which holds their inputs. Returns the masters of sounds with a target
    loudness, by output name."""
    masterings, made = dict[str, _Mastering](), dict[str, Mastered]()
    for done, sound in enumerate(wanted):
        goal, run = sound.target.loudness, sound.mix
        if goal is None:
            run_graph(sound.run, [sound.file], place)
        else:
            if run.name not in masterings:
                masterings[run.name] = _Mastering(place, plan.samples, f"{run.name}.wav", sound.target.channels)
                run_graph(run, [masterings[run.name].mix], place)
            mastered = masterings[run.name].bring(sound, goal)
            made |= dict.fromkeys(sound.names, mastered)
        progress((done + 1) / len(wanted))
    return made


def masters_of(mastered: Mapping[str, Mastered]) -> dict[str, Master]:
    """The masters of the outputs that need one, by name."""
    return {name: each.master for name, each in mastered.items() if each.master is not None}


def excess(level: Level, goal: LoudnessTarget) -> float:
    """LU by which a sound's loudest seconds exceed their limit; 0 or less if they do not."""
    pairs = ((level.short_term, goal.short_term), (level.momentary, goal.momentary))
    over = [have - float(most) - _ROUNDED for have, most in pairs if have is not None and most is not None]
    return max(over, default=0.0)


@dataclass(frozen=True)
class _Mastering:
    """Measures a mix, a file of the working folder, and encodes sounds with the gain that it needs."""

    place: Workplace
    samples: int
    mix: str
    channels: int

    def bring(self, sound: PlanSound, goal: LoudnessTarget) -> Mastered:
        """Bring a sound to a goal, and encode it. A part of the mix gets the gain of the whole."""
        split = sound.target.stem not in (None, "printmaster")
        mastered = self.found(goal, sound.target, "split.wav" if split else sound.file)
        if split:
            master = mastered.master and mastered.master.linear
            filling = {hole_of(sound.names[0]): lambda pad: lower_master(pad, master, self.samples)}
            run_graph(sound.run.filled(filling), [sound.file], self.place)
            return Mastered(master, None)
        if mastered.master is None:
            run_graph(sound.run, [sound.file], self.place)
        return mastered

    def found(self, goal: LoudnessTarget, target: Target, file: str) -> Mastered:
        """The master that brings the mix to a goal, and the sound encoded with it."""
        mix = self.measured(self.mix, goal)
        if mix.loudness is None:
            return Mastered(None, mix)
        master, level = self._brought(goal, target, file, mix, None)
        for _ in range(_EVENINGS):
            over = excess(level, goal)
            if over <= 0:
                break
            most = [level for level in (goal.short_term, goal.momentary) if level is not None]
            threshold = (master.threshold or max(most)) - _hundredths(1 + 2 * over)
            master, level = self._brought(goal, target, file, mix, threshold)
        return Mastered(master, level)

    def _brought(
        self, goal: LoudnessTarget, target: Target, file: str, mix: Level, threshold: Fraction | None
    ) -> tuple[Master, Level]:
        """The same with loud passages evened out above a threshold, unless it is None."""
        wanted, peak = _wanted(goal, mix), float(goal.peak)
        spare = _OVERSHOOT if "aac" in target.sound else _ROUNDED
        aim, ceiling = wanted, None  # of the sound before the encoder
        gain, step = aim - _loudness(mix, goal), _STEP
        for _ in range(_CORRECTIONS):
            if ceiling is None and mix.peak + gain > peak - spare:
                ceiling = peak - spare
            if ceiling is not None or threshold is not None:
                gain = self._solve(gain, ceiling, aim, goal, threshold)
            master = Master(_hundredths(gain), None if ceiling is None else _hundredths(ceiling), threshold)
            heard = self._encoded(master, target, file, goal)
            over = heard.peak - (peak - _ROUNDED)
            lost = 0.0 if heard.loudness is None else wanted - _loudness(heard, goal)
            if over <= 0 and abs(lost) <= _NEAR:
                break
            if over > 0:  # what the encoder adds changes with every ceiling: go further each time
                ceiling = min(peak if ceiling is None else ceiling, peak) - over - step
                step *= 2
            aim, gain = aim + lost, gain + lost
        return master, heard

    def _solve(
        self, gain: float, ceiling: float | None, wanted: float, goal: LoudnessTarget, threshold: Fraction | None
    ) -> float:
        """The gain with which the limited mix reaches its loudness: by secants, from the gain without a limiter."""
        known: list[tuple[float, float]] = []
        for _ in range(_SOLVES):
            master = Master(_hundredths(gain), None if ceiling is None else _hundredths(ceiling), threshold)
            limited = _loudness(self.measured(self.mix, goal, master, rough=True), goal)
            if abs(limited - wanted) <= _CLOSE:
                break
            known.append((gain, limited))
            gain += (wanted - limited) * _slope(known)
        return gain

    def _encoded(self, master: Master, target: Target, file: str, goal: LoudnessTarget) -> Level:
        """The level of the sound after the output's own encoder."""
        pad = sounds.samples_as(
            lower_master(_source(self.mix, self.channels), master, self.samples), target.samples, "master"
        )
        self._run(self.mix, pad, Target(("sound",), target.sound, target.suffix), file)
        return self.measured(file, goal)

    def measured(self, name: str, goal: LoudnessTarget, master: Master | None = None, rough: bool = False) -> Level:
        """The level of a file with a master; a `rough` measurement has no peaks."""
        pad = lower_master(_source(name, self.channels), master, self.samples, rough)
        if goal.plain or (rough and goal.leq_m is None):
            pad = sounds.meter(pad, "meter", not rough)
            nowhere = Target(("sound",), ("-c:a", "pcm_f64le", "-f", "null"), "")
            return read_level("\n".join(self._run(name, pad, nowhere, "-")))
        if master is not None:
            self._run(name, pad, Target(("sound",), ("-c:a", "pcm_f32le"), ".wav"), _HEARD)
            name = _HEARD
        return level_of(self.place.folder / name, self.place.ffmpeg, leq=self.channels if goal.leq_m is not None else 0)

    def _run(self, name: str, pad: Pad, target: Target, output: str) -> tuple[str, ...]:
        graph = Run(_GRAPH, {"sound": pad}, (target,), {name: UserFile(name, name, "wav,mov,matroska")})
        return run_graph(graph, [output], self.place, level="info").log


def _wanted(goal: LoudnessTarget, mix: Level) -> float:
    """The goal of a sound: a loudness, or Leq(m); without either it stays as mixed."""
    wanted = goal.target if goal.target is not None else goal.leq_m
    return float(wanted) if wanted is not None else mix.lufs


def _loudness(level: Level, goal: LoudnessTarget) -> float:
    """The figure that the goal is about."""
    if goal.target is None and goal.leq_m is not None and level.leq_m is not None:
        return level.leq_m
    return level.lufs


def _source(name: str, channels: int) -> Pad:
    """The sound of a file in the working folder with this number of channels."""
    return sounds.on_grid(filters.source(name, "a", Audio(SAMPLE_RATE, USUAL[channels]), "mix"), "mix")


def _slope(known: list[tuple[float, float]]) -> float:
    """dB of gain for each missing LU."""
    if len(known) < 2 or abs(known[-1][1] - known[-2][1]) < 1e-6:
        return 1.2
    (gain, loud), (later_gain, later_loud) = known[-2:]
    return min(10.0, max(1.0, (later_gain - gain) / (later_loud - loud)))


def _hundredths(value: float) -> Fraction:
    return Fraction(round(value * 100), 100)


def read_level(log: str) -> Level:
    """The last level in the log of FFmpeg's meter."""
    loudness = re.findall(r"\bI:\s+(-?[\d.]+|-?inf|nan) LUFS", log)
    peak = re.findall(r"\bPeak:\s+(-?[\d.]+|-?inf|nan) dBFS", log)
    heard = float(loudness[-1]) if loudness else float("-inf")
    return Level(heard if heard > SILENCE else None, float(peak[-1]) if peak else float("-inf"))
