"""Whether `verify` finds what is wrong with a file and nothing else: faults planted in clean renders, and clean files
encoded again."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, print_rows, work_folder
from bench.film import FFMPEG, Film
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.proof.verify.judging import verify
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

# Two trailers: lengths in frames at 24 a second, times in seconds of the film. Each has what the other has not.
FIRST = """cinecut: 1
film: "{film}"
vibe: thriller
music: {{file: "{song}", beats: {{tempo: 95, first: 0.5}}}}
output: {{size: 640x360, preset: superfast}}
timeline:
  - shot: {{in: 335.95s, for: 36f}}
  - shot: {{in: 213.47s, for: 36f}}
    voice: [{{take: {{in: 309.88s, out: 310.88s}}}}]
  - shot: {{in: 343.08s, for: 24f}}
    from: crossfade 12f
  - shot: {{in: 152.64s, for: 48f}}
    titles: [One last chance]
  - black: 12f
  - shot: {{in: 228.42s, for: 48f}}
    from: dip to black 12f
  - shot: {{in: 115.46s, for: 36f}}
  - card: The end is near
    for: 36f
  - shot: {{in: 175.69s, for: 24f}}
  - shot: {{in: 462.96s, for: 36f}}
"""
SECOND = """cinecut: 1
film: "{film}"
vibe: action
music: {{file: "{song}", start: 20s, beats: {{tempo: 135, first: 0.4}}}}
output: {{size: 480x270, preset: superfast, loudness: r128, subtitles: burned}}
timeline:
  - shot: {{in: 60.5s, for: 30f}}
    from: fade in 10f
  - shot: {{in: 131.2s, for: 40f}}
    line: Come here at once
  - shot: {{in: 401.3s, for: 24f}}
  - shot: {{in: 255.1s, for: 40f}}
    titles: [{{text: This summer, at: 6f, for: 30f, fade: 4f}}]
  - shot: {{in: 88.9s, for: 30f}}
    from: crossfade 8f
  - black: {{for: 10f}}
  - shot: {{in: 300.2s, for: 48f}}
    speed: 0.5
  - shot: {{in: 521.7s, for: 36f}}
    voice: [{{take: {{in: 45.0s, out: 46.0s}}, line: Never again}}]
    to: fade out 12f
""".replace("black: {{for: 10f}}", "black: 10f")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault by its name, the codes that name it rightly, and how it is planted: in the spec (old, new), or by
    FFmpeg's filters of picture and sound."""

    name: str
    codes: tuple[str, ...]
    edits: tuple[tuple[str, str], ...] = ()
    picture: str = ""
    sound: str = ""
    more: tuple[str, ...] = ()


def _spec(name: str, codes: str, *edits: tuple[str, str]) -> Fault:
    return Fault(name, tuple(codes.split()), edits)


def _picture(name: str, codes: str, filters: str) -> Fault:
    return Fault(name, tuple(codes.split()), picture=filters)


def _sound(name: str, codes: str, filters: str) -> Fault:
    return Fault(name, tuple(codes.split()), sound=filters)


def _under(event: str, line: str) -> tuple[str, str]:
    """An edit that gives an event a line more."""
    return event, f"{event}\n    {line}"


LOOK = "{saturation: 1.4, exposure: 0.5}"
FAULTS: Mapping[str, tuple[Fault, ...]] = {
    "first": (
        _spec("a shot one frame late", "shifted-shot", ("in: 213.47s", "in: 213.52s")),
        _spec("a shot one frame early", "shifted-shot", ("in: 115.46s", "in: 115.42s")),
        _spec("two shots swapped", "swapped-shot", ("213.47s", "X"), ("115.46s", "213.47s"), ("in: X", "in: 115.46s")),
        _spec("a line dropped", "line-missing", ("    voice: [{take: {in: 309.88s, out: 310.88s}}]\n", "")),
        _spec("another look", "wrong-look", ("vibe: thriller", f"vibe: {{base: thriller, grade: {LOOK}}}")),
        _spec("a title 8 frames late", "title-time", ("[One last chance]", "[{text: One last chance, at: 8f}]")),
        _spec("a title missing", "title-missing", ("    titles: [One last chance]\n", "")),
        _spec("a cut for a crossfade", "wrong-transition stray-frame", ("    from: crossfade 12f\n", "")),
        _spec("an effect missing", "effect-missing", _under("in: 115.46s, for: 36f}", "sound: [none]")),
        _spec("a crop", "wrong-crop", _under("in: 228.42s, for: 48f}", "crop: {x: 0.1, y: 0.1, w: 0.8, h: 0.8}")),
        _spec("the music missing", "music-missing", ("file: \"{song}\", ", "")),
        _spec("the music 4 dB up", "stem-gain", ("output:", "mix: {music: 4}\noutput:")),
        _spec("another picture", "wrong-picture", ("in: 152.64s", "in: 28s")),
        _picture("a black frame", "black-frame", "drawbox=t=fill:c=black:enable='eq(n,50)'"),
        _picture("a frame shown twice", "doubled-frame", "loop=loop=1:size=1:start=52,setpts=N/24/TB"),
        _picture("a mirrored shot", "flipped", "split[a][b];[b]hflip[c];[a][c]overlay=enable='between(n,204,239)'"),
        _sound("half a LU too soft", "loudness", "volume=-0.5dB"),
        _sound("22 ms late", "sound-late", "adelay=22:all=1"),
        _sound("one side only", "one-sided", "pan=stereo|c0=c0"),
        _sound("clipped", "clipped", "volume=18dB,asoftclip=type=hard,volume=-0.01dB"),
    ),
    "second": (
        _spec("a shot two frames late", "shifted-shot", ("in: 401.3s", "in: 401.39s")),
        _spec("a caption missing", "caption-missing", ("    line: Come here at once\n", "    duck: 9\n")),
        _spec("a shot too slow", "wrong-speed", _under("in: 131.2s, for: 40f}", "speed: 0.8")),
        _spec("a shot too fast", "wrong-speed", ("speed: 0.5", "speed: 0.65")),
        _spec("a title goes too early", "title-time", ("at: 6f, for: 30f", "at: 6f, for: 20f")),
        _spec("one shot's look", "wrong-look", _under("in: 88.9s, for: 30f}", "grade: {exposure: -0.5}")),
        _spec("a shot mute", "shot-silent", _under("in: 131.2s, for: 40f}", "mute: true")),
        _spec("the music 22 ms late", "sound-late", ("start: 20s", "start: 19.978s")),
        _spec("a shot off its place", "wrong-crop",
              _under("in: 401.3s, for: 24f}", "crop: {x: 0, y: 0, w: 0.85, h: 0.85}")),
        _spec("a line 6 dB up", "stem-gain", ("line: Never again", "gain: 6, line: Never again")),
        _picture("a frame lost", "lost-frame", "select='not(eq(n,45))',setpts=N/24/TB"),
        _picture("frozen", "frozen", "loop=loop=9:size=1:start=120,select='not(between(n,130,138))',setpts=N/24/TB"),
        _picture("a white frame", "stray-frame", "drawbox=t=fill:c=white:enable='eq(n,110)'"),
        _picture("flashing", "flashing", "drawbox=t=fill:c=white:enable='between(n,70,93)*lt(mod(n,4),2)'"),
        _picture("darker", "wrong-look", "eq=brightness=-0.04"),
        _picture("another shape", "file-shape", "scale=480:360,setsar=1"),
        _sound("mono", "one-sided", "pan=stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0+0.5*c1"),
        _sound("silence", "silent", "volume=0:enable='between(t,4,4.6)'"),
        Fault("the end cut off", ("file-length",), picture="null", more=("-t", "9.5")),
        _sound("2 LU too loud", "loudness", "volume=2dB"),
    ),
}  # fmt: skip

# How clean files are encoded again: FFmpeg's arguments, and the suffix.
AGAIN: tuple[tuple[str, str], ...] = (
    ("-c copy", ".mp4"),
    ("-vf scale=iw/2:-2 -crf 28 -c:a aac -b:a 96k", ".mp4"),
    ("-r 25 -crf 23 -c:a aac -b:a 128k", ".mp4"),
    ("-r 30 -crf 23 -c:a aac -b:a 128k", ".mkv"),
    ("-vf scale=iw/2:-2 -r 25 -crf 30 -c:a libopus -b:a 64k", ".mkv"),
    ("-vf scale=iw/2:-2 -r 30 -crf 26 -c:a libopus -b:a 96k", ".mkv"),
    ("-c:v libx265 -x265-params log-level=error -crf 30 -preset ultrafast -c:a ac3", ".mp4"),
    ("-c:v mpeg4 -q:v 6 -c:a libmp3lame", ".mkv"),
    ("-c:v libvpx-vp9 -b:v 0 -crf 40 -deadline realtime -cpu-used 8 -c:a libopus", ".webm"),
    ("-crf 35 -preset veryfast -c:a copy", ".mov"),
)


def table(film: Film, runs: int) -> list[Figure]:
    """Plants every fault once; `runs` changes nothing."""
    folder = work_folder() / "proof"
    folder.mkdir(exist_ok=True)
    found, false, rows = 0, 0, list[tuple[str, str, str]]()
    for name, text in (("first", FIRST), ("second", SECOND)):
        spec, clean = _clean(film, folder, name, text)
        for number, (arguments, suffix) in enumerate(AGAIN):
            again = _ffmpeg(clean, folder / f"{name}_{number}{suffix}", arguments.split())
            codes = _codes(spec, again)
            false += bool(codes)
            rows.append((f"{name}: {arguments}", " ".join(codes), "FALSE" if codes else "ok"))
        for fault in FAULTS[name]:
            codes = _codes(spec, plant(fault, spec, clean, folder / "fault.mp4"))
            right = bool(set(codes) & set(fault.codes))
            found += right
            rows.append((f"{name}: {fault.name}", " ".join(codes), "ok" if right else "MISSED"))
    print_rows(("file", "findings", ""), rows)
    faults = sum(map(len, FAULTS.values()))
    return [
        Figure(f"faults found and named, of {faults}", found, 38, at_least=True),
        Figure(f"clean files with findings, of {2 * len(AGAIN)}", false, 0),
    ]


def _clean(film: Film, folder: Path, name: str, text: str) -> tuple[Path, Path]:
    spec = folder / f"{name}.yaml"
    spec.write_text(text.format(film=film.path, song=song(folder, name)), encoding="utf-8")
    return spec, _render(spec, folder / f"{name}.mp4")


def song(folder: Path, name: str) -> Path:
    """A plain song of so many beats a minute, made once."""
    path, tempo = folder / f"{name}.wav", {"first": 95, "second": 135}[name]
    if not path.exists():
        beat = f"exp(-14*mod(t*{tempo}/60,1))*sin(2*PI*70*t)"
        chord = "0.1*sin(2*PI*220*t)+0.08*sin(2*PI*277.2*t+0.4*sin(t))+0.07*sin(2*PI*(330+20*sin(0.7*t))*t)"
        right = "0.12*sin(2*PI*165*t)+0.08*sin(2*PI*415.3*t)"
        source = f"aevalsrc='0.6*{beat}+{chord}|0.6*{beat}+{right}':s=44100:d=60"
        _run(["-f", "lavfi", "-i", source, "-c:a", "pcm_s16le", str(path)])
    return path


def plant(fault: Fault, spec: Path, clean: Path, target: Path) -> Path:
    """A file with a fault."""
    if fault.edits:
        text, values = spec.read_text(encoding="utf-8"), {"{song}": str(song(clean.parent, spec.stem))}
        for old, new in fault.edits:
            old = old.replace("{song}", values["{song}"])
            assert old in text, (fault.name, old)
            text = text.replace(old, new, 1)
        other = spec.with_name("fault.yaml")
        other.write_text(text, encoding="utf-8")
        return _render(other, target)
    arguments = ["-filter_complex", f"[0:v]{fault.picture}[v]", "-map", "[v]", "-map", "0:a"] if fault.picture else []
    arguments += ["-af", fault.sound, "-c:v", "copy", "-b:a", "192k"] if fault.sound else ["-c:a", "copy"]
    return _ffmpeg(
        clean, target, [*arguments, *(["-crf", "14", "-preset", "veryfast"] if fault.picture else []), *fault.more]
    )


def _render(spec: Path, target: Path) -> Path:
    render(prepare(spec), target, find_ffmpeg(FFMPEG), SILENT, force=True)
    return target


def _ffmpeg(source: Path, target: Path, arguments: list[str]) -> Path:
    _run(["-i", str(source), *arguments, str(target)])
    return target


def _run(arguments: list[str]) -> None:
    subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *arguments], check=True)


def _codes(spec: Path, file: Path) -> list[str]:
    """The codes of all findings."""
    return list(dict.fromkeys(each.code for each in verify(prepare(spec), file, find_ffmpeg(FFMPEG), print).findings))
