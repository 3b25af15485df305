"""The sound, measured again in what was rendered: loudness of every vibe, effects on their frames, ducks, clicks; and
what it costs beside a render without any.

Its media are made here: a film of four half minutes, loud, dynamic, quiet, and a plain tone; and songs.
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, cycle
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import FFMPEG, Film, long_film
from bench.measure import MB, Command, Meter, interleaved, run
from bench.rendering.cutlist import CINECUT, COLD, SAMPLE_RATE, SHOTS, Shot, cut_list
from cinecut.compiler.layout.soundtrack import RISING
from cinecut.compiler.sound.effects import RECIPES
from cinecut.language.timebase import timecode
from cinecut.vibes import load_vibe, names

Samples = NDArray[np.float32]  # [shape=(samples, 2)]

PASSAGE = 30  # seconds of each kind of sound
TONE = 440  # Hz
_LOUD = "clip(1.6*sin(2*PI*110*t)*(0.6+0.4*sin(2*PI*4*t))+1.2*(2*random(0)-1)\\,-1\\,1)"
_DYNAMIC = "(0.03+0.03*sin(2*PI*3*t))*(2*random(0)-1)+0.9*exp(-30*mod(t\\,1.35))*(2*random(1)-1)"
_QUIET = "0.006*max(0\\,sin(2*PI*0.7*t))*(2*random(0)-1)"
_KICK = "0.7*exp(-12*mod(t\\,0.5))*sin(2*PI*60*t)"
_CHORD = "0.12*(sin(2*PI*220*t)+sin(2*PI*277.18*t)+sin(2*PI*329.63*t))*(0.7+0.3*sin(2*PI*0.25*t))"
_HAT = "0.1*(2*random(0)-1)*exp(-40*mod(t\\,0.25))"
_TINY = "output: {preset: ultrafast, crf: 40}"

_NEAR = 0.5  # dB from its level at which music counts as back
_CLICK = 1.5  # times the step of the tone itself: two tones that cross-fade at equal power may add up to 1.41


def table(film: Film, runs: int) -> list[Figure]:
    """All tables in turn; one that cannot be measured is said, and the next follows."""
    figures: list[Figure] = []
    for part in (_loudness, _effects, _ducks, _clicks, lambda: _cost(film, runs), lambda: _memory(film)):
        try:
            figures += part()
        except NotMeasuredError as error:
            figures.append(Figure("sound", None, 0, reason=str(error)))
    return figures


# Specs and media


def write_spec(path: Path, film: Path, head: Sequence[str], events: Sequence[str]) -> Path:
    """A spec with facts: what `cinecut link` measures is measured here, once."""
    rows = ["cinecut: 1", f'film: "{film}"', *head, "timeline:", *(f"  - {event}" for event in events)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    run(Command((CINECUT, "link", str(path))))
    return path


def shot_events(film: Film, shots: Sequence[Shot], more: Sequence[str] = ("",)) -> list[str]:
    """The cut list as events, with what `more` says of each in turn."""
    clips = [f'shot: {{in: "{timecode(shot.start / film.rate, film.rate)}", for: {shot.frames}f}}' for shot in shots]
    return [f"{{{clip}{extra}}}" for clip, extra in zip(clips, cycle(more), strict=False)]


def render(spec: Path, output: Path, *options: str) -> Command:
    return Command((CINECUT, "render", str(spec), "-o", str(output), *options), output, COLD)


def every_effect() -> list[str]:
    """One effect after another, for the cuts of a list."""
    return [f", sound: {name}" for name in RECIPES]


def song() -> Path:
    """A song of 100 s at 120 beats a minute, as an MP3, made once."""
    return _made("song.mp3", 100, f"{_KICK}+{_CHORD}+{_HAT}", "-b:a", "192k")


def _folder() -> Path:
    folder = work_folder() / "sound"
    folder.mkdir(exist_ok=True)
    return folder


def _made(name: str, seconds: float, expression: str, *encode: str) -> Path:
    path = _folder() / name
    if not path.exists():
        source = f"aevalsrc='{expression}':s={SAMPLE_RATE}:d={seconds}:c=mono"
        _ffmpeg("-f", "lavfi", "-i", source, "-ac", "2", *encode, str(path))
    return path


def _film() -> Path:
    """160x90 at 24 frames a second."""
    path = _folder() / "film.mp4"
    if not path.exists():
        kinds = [_LOUD, _DYNAMIC, _QUIET, f"0.5*sin(2*PI*{TONE}*t)"]
        sources = [f"aevalsrc='{kind}':s={SAMPLE_RATE}:d={PASSAGE}:c=mono[{i}]" for i, kind in enumerate(kinds)]
        pads = "".join(f"[{i}]" for i in range(len(kinds)))
        sound = f"{';'.join(sources)};{pads}concat=n={len(kinds)}:v=0:a=1[out0]"
        picture = f"testsrc2=size=160x90:rate=24:duration={PASSAGE * len(kinds)}"
        inputs = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound)
        encode = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-ac", "2", "-c:a", "aac", "-b:a", "256k")
        _ffmpeg(*inputs, *encode, str(path))
    return path


def _ffmpeg(*arguments: str) -> str:
    argv = [FFMPEG, "-nostdin", "-hide_banner", "-y", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasuredError(done.stderr[-300:])
    return done.stdout


def _stems(name: str, head: Sequence[str], events: Sequence[str]) -> dict[str, Samples]:
    """The stems of a trailer of the film here, by their names."""
    spec = write_spec(_folder() / f"{name}.yaml", _film(), [*head, _TINY], events)
    stems = _folder() / name
    run(render(spec, _folder() / f"{name}.mp4", "--force", "--stems", str(stems)))
    return {file.stem: soundfile.read(file, dtype="float32", always_2d=True)[0] for file in stems.iterdir()}


# Loudness


def _loudness() -> list[Figure]:
    """18 vibes, each over three cuts of 20 s: a wall of sound, hits out of near silence, and next to nothing."""
    music = f"music: {{file: {song().name}, gain: 0, beats: {{tempo: 120}}}}"
    cuts: dict[str, tuple[list[str], int]] = {
        "loud": ([music], 0),
        "dynamic": (["music: {beats: {tempo: 120}, pulse: steady, gain: -24}"], 1),
        "quiet": (["effects: none"], 2),
    }
    texts = {}
    for cut, (head, passage) in cuts.items():
        spec = write_spec(_folder() / f"{cut}.yaml", _film(), ["vibe: drama", *head, _TINY], _twenty(passage))
        texts[cut] = spec.read_text()
    rows, errors, overs = [], [], []
    for vibe in names():
        row = [vibe, f"{load_vibe(vibe).loudness}"]
        for cut, text in texts.items():
            spec, output = _folder() / f"{cut}.yaml", _folder() / f"{cut}.mp4"
            spec.write_text(text.replace("vibe: drama", f"vibe: {vibe}"))
            run(render(spec, output))
            loudness, peak = _metered(output)
            errors.append(abs(loudness - load_vibe(vibe).loudness))
            overs.append(peak + 1)  # the vibes' ceiling is -1 dBTP
            row.append(f"{loudness:.2f} {peak:.2f}")
        rows.append(row)
    print_rows(("LUFS and dBTP of the file", "target", *cuts), rows)
    print()
    return [
        Figure("loudness off its target, worst of 18 vibes × 3 cuts", max(errors), 0.3, " LU"),
        Figure("true peak of the file over its ceiling, worst of them", max(overs), 0, " dB"),
    ]


def _twenty(passage: int) -> list[str]:
    """20 s in nine events out of one passage of the film."""
    begin = passage * PASSAGE
    shots = [f"{{shot: {{in: {begin + 3 * index}s, for: {length}s}}" for index, length in enumerate((2, 3, 1, 2.5))]
    return [
        f"{shots[0]}}}",
        f"{shots[1]}, from: crossfade 0.5s}}",
        f"{shots[2]}}}",
        "{act: two}",
        f"{shots[3]}, from: dip to black 0.5s}}",
        "{black: 1.5s, silent: true}",
        f"{{shot: {{in: {begin + 14}s, for: 4s}}}}",
        f"{{shot: {{in: {begin + 20}s, for: 1s}}}}",
        f"{{shot: {{in: {begin + 22}s, for: 5s}}, to: fade out 0.5s}}",
    ]


def _metered(path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP, to a hundredth; in tenths of a second, so of whole ones."""
    meter = "ebur128=peak=true:metadata=1,ametadata=mode=print:file=-"
    said = _ffmpeg("-i", str(path), "-vn", "-af", meter, "-f", "null", "-")
    loudness = re.findall(r"r128\.I=(\S+)", said)[-1]
    peaks = [float(peak) for peak in re.findall(r"r128\.true_peaks_ch\d=(\S+)", said)]
    return float(loudness), 20 * math.log10(max(peaks))


# Effects


def _effects() -> list[Figure]:
    """Every effect once, well apart, at three rates."""
    worst, rows = 0.0, []
    for rate in ("24", "25", "30000/1001"):
        frames = round(6 * Fraction(rate)) + 1
        events = [f"{{black: {frames}f}}", *(f"{{black: {frames}f, sound: {name}}}" for name in RECIPES)]
        head = [f'output: {{rate: "{rate}", preset: ultrafast, crf: 40}}']
        spec = write_spec(_folder() / "effects.yaml", _film(), head, events)
        run(render(spec, _folder() / "effects.mp4", "--force", "--stems", str(_folder() / "effects")))
        stem = soundfile.read(_folder() / "effects" / "effects.wav", dtype="float32", always_2d=True)[0]
        late = {}
        for index, name in enumerate(RECIPES, start=1):
            cut = float(index * frames / Fraction(rate) * SAMPLE_RATE)
            late[name] = (_edge(stem, round(cut), name in RISING) - cut) / SAMPLE_RATE * 1000
        name = max(late, key=lambda name: abs(late[name]))
        rows.append((rate, f"{min(late.values()):+.3f}", f"{max(late.values()):+.3f}", name))
        worst = max(worst, abs(late[name]))
    print_rows(("frames a second", "earliest ms", "latest ms", "the worst"), rows)
    print()
    return [Figure("effects off their cut's frame, worst of all at three rates", worst, 1, " ms")]


def _edge(stem: Samples, cut: int, rises: bool) -> int:
    """The first sample of the effect around a cut, or the one after its last where it rises to the cut."""
    start = cut - 3 * SAMPLE_RATE
    heard = np.flatnonzero(np.abs(stem[start : cut + 3 * SAMPLE_RATE]).max(axis=1))
    if not heard.size:
        raise NotMeasuredError("an effect is not heard")
    return start + int(heard[-1] + 1 if rises else heard[0])


# Music under voices


def _ducks() -> list[Figure]:
    """A song that is one constant, so that each of its samples says how far the music is down."""
    level, seconds = 0.25, 20
    constant = _folder() / "constant.wav"
    soundfile.write(constant, np.full((seconds * SAMPLE_RATE, 2), level, np.float32), SAMPLE_RATE, subtype="FLOAT")
    lines = ((2.0, 0.8), (6.0, 1.5), (11.0, 3.0))  # when each begins and how long it is
    voices = ", ".join(f"{{take: {31 + 5 * i} - {31 + 5 * i + long}, at: {at}s}}" for i, (at, long) in enumerate(lines))
    music = f"music: {{file: {constant.name}, gain: 0, fade_out: 1f}}"
    stem = _stems("ducks", [music], [f"{{black: {seconds - 1}s, voice: [{voices}]}}"])["music"]
    down = 20 * np.log10(np.maximum(np.abs(stem[:, 0]), 1e-9) / level)
    depth, gone, back, rows = [], [], [], []
    for at, long in lines:
        start, end = round(at * SAMPLE_RATE), round((at + long) * SAMPLE_RATE)
        depth.append(-float(down[start + round(0.15 * SAMPLE_RATE) : end].max()))
        gone.append(_milliseconds(int(np.argmax(down[start:end] <= -9))))
        back.append(_milliseconds(int(np.argmax(down[end:] >= -_NEAR))))
        rows.append((f"{long} s", f"{depth[-1]:.1f}", f"{gone[-1]:.0f}", f"{back[-1]:.0f}"))
    print_rows(("voice of", "music down dB", "9 dB down after ms", "back after ms"), rows)
    print()
    return [
        Figure("music under a voice, from 150 ms on: down at least", min(depth), 9, " dB", at_least=True),
        Figure("music 9 dB down after a voice's start", max(gone), 150, " ms"),
        Figure("music back after a voice's end", max(back), 600, " ms"),
    ]


def _milliseconds(samples: int) -> float:
    return samples / SAMPLE_RATE * 1000


# Clicks


def _clicks() -> list[Figure]:
    """A tone that loops, a tone in parts, and one that the film plays on through 40 cuts."""
    tone = _made("tone.wav", 3.3, f"0.5*sin(2*PI*{TONE}*t)", "-c:a", "pcm_f32le")
    plain = f"file: {tone.name}, gain: 0, fade_out: 1f"
    loops = _stems("loops", [f"music: {{{plain}, beats: {{tempo: 97, first: 0.21}}}}"], ["{black: 20s}"])["music"]
    parts = ", ".join(f"{begin / 100} - {begin / 100 + 0.7}" for begin in range(0, 260, 13))
    edited = _stems("parts", [f"music: {{{plain}, parts: [{parts}]}}"], ["{black: 13s}"])["music"]
    lengths = [7 + index % 11 for index in range(40)]
    starts = accumulate(lengths[:-1], initial=3 * PASSAGE * 24 + 24)
    shots = [
        f"shot: {{in: {float(Fraction(at, 24)):.6f}s, for: {long}f}}" for at, long in zip(starts, lengths, strict=True)
    ]
    joined = _stems("joins", [], shots)["film"]
    clicks = {
        "music that loops": _steps(loops),
        "music in 20 parts": _steps(edited),
        "the film's at 39 joins": _steps(joined),
    }
    print_rows(("a plain tone", "clicks"), [(name, str(count)) for name, count in clicks.items()])
    print()
    return [Figure("clicks at joins and loops of a tone", sum(clicks.values()), 0)]


def _steps(stem: Samples) -> int:
    """Steps from sample to sample beyond the tone's own, in all but the last tenth of a second, where music fades."""
    sound = stem[: -SAMPLE_RATE // 10, 0]
    own = 0.5 * 2 * math.pi * TONE / SAMPLE_RATE
    tenths = np.abs(sound[: len(sound) // 4800 * 4800]).reshape(-1, 4800).max(axis=1)
    if tenths.min() < 0.3:
        raise NotMeasuredError("the tone is not heard throughout")
    return int(np.count_nonzero(np.abs(np.diff(sound)) > _CLICK * own))


# Costs


def _cost(film: Film, runs: int) -> list[Figure]:
    """The cut list without any sound, and with more and more of it."""
    shots, folder = cut_list(film), _folder()
    picture = "output: {crf: 18, preset: veryfast, audio_bitrate: 192k, loudness: LOUDNESS}"
    plain, loud = (picture.replace("LOUDNESS", name) for name in ("as mixed", "web"))
    music = f"music: {{file: {song().name}}}"
    full = shot_events(film, shots, every_effect())
    kinds: dict[str, tuple[list[str], list[str]]] = {
        "mute": ([plain], shot_events(film, shots, (", mute: true",))),
        "film": ([plain], shot_events(film, shots)),
        "film, music, effects": ([music, plain], full),
        "the same, to -14 LUFS": ([music, loud], full),
    }
    commands = {}
    for index, (name, (head, events)) in enumerate(kinds.items()):
        spec = write_spec(folder / f"cost{index}.yaml", film.path, head, events)
        commands[name] = render(spec, folder / f"cost{index}.mp4")
    meters: dict[str, Meter] = {}
    for name, result in interleaved(commands, runs).items():
        if isinstance(result, NotMeasuredError):
            raise result
        meters[name] = result
    mute, *_, whole = meters.values()
    cells = [(name, f"{m.wall:.2f}", f"{m.cpu:.2f}", f"{m.cpu / mute.cpu:.3f}") for name, m in meters.items()]
    print_rows((f"{SHOTS} shots, sound", "wall s", "CPU s", "× mute"), cells)
    print()
    return [Figure("the whole sound: render CPU against a mute render", whole.cpu / mute.cpu, 1.25)]


def _memory(film: Film) -> list[Figure]:
    """What packs a trailer of a two-hour film does all that a render does but the render: reels, measuring, master."""
    long, folder = long_film(film), _folder()
    head = [f"music: {{file: {song().name}}}", "output: {loudness: web}"]
    spec = write_spec(folder / "memory.yaml", long.path, head, shot_events(long, cut_list(long), every_effect()))
    packed = folder / "memory.pack"
    shutil.rmtree(packed, ignore_errors=True)
    meter = run(Command((CINECUT, "pack", str(spec), "-o", str(packed)), None, {"CINECUT_FFMPEG": FFMPEG}))
    shutil.rmtree(packed)
    print_rows(("measuring", "wall s", "CPU s", "peak MB"), [
        (f"{SHOTS} shots of two hours", f"{meter.wall:.2f}", f"{meter.cpu:.2f}", f"{meter.peak / MB:.0f}")
    ])  # fmt: skip
    return [Figure("peak memory of the measuring pass, 45 shots of two hours", meter.peak / MB, 300, " MB")]
