"""The picture: what a grade costs and how exact it is, the whole trailer against the way of the tool that cinecut
succeeds, and several files from one run.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import FFMPEG, Film
from bench.measure import measured
from bench.rendering.cutlist import SHOTS, cut_list, hand_graph
from bench.rendering.sound import every_effect, render, shot_events, song, write_spec
from bench.rivals.ancestor import ancestor
from cinecut.grade.cube import cube_text, ffmpeg_text
from cinecut.grade.formula import apply, lut
from cinecut.vibes import load_vibe, names

Colors = NDArray[np.float64]  # [shape=(n, 3)], red green blue, 0 to 1

VIBE = "action"
HAND, BARE, GRADED, WHOLE, ANCESTOR = "hand graph", "no grade", "graded", "grade, music, effects", "the ancestor's way"
_SETTINGS = "crf: 18, preset: veryfast, audio_bitrate: 192k"
_COLORS = 10_000
_WIDTH = 80  # pixels: some builds' `lut3d` spoils rows that are no multiple of eight long
_SHAPES = {"wide": "1280x720", "vertical": "720x1280", "square": "720x720"}


def table(film: Film, runs: int) -> list[Figure]:
    """All tables in turn; one that cannot be measured is said, and the next follows."""
    figures: list[Figure] = []
    for part in (_luts, lambda: _cost(film, runs), lambda: _deliverables(film, runs)):
        try:
            figures += part()
        except NotMeasuredError as error:
            figures.append(Figure("picture", None, 0, reason=str(error)))
    return figures


def _folder() -> Path:
    folder = work_folder() / "picture"
    folder.mkdir(exist_ok=True)
    return folder


# Costs


def _cost(film: Film, runs: int) -> list[Figure]:
    """The cut list by hand, by cinecut with more and more on it, and by one FFmpeg after another."""
    shots, folder = cut_list(film), _folder()
    plain, music = f"output: {{{_SETTINGS}, loudness: as mixed}}", f"music: {{file: {song()}}}"
    events = shot_events(film, shots)
    kinds = {
        BARE: ([f"vibe: {{base: {VIBE}, grade: {{strength: 0}}}}", "effects: none", plain], events),
        GRADED: ([f"vibe: {VIBE}", "effects: none", plain], events),
        WHOLE: ([f"vibe: {VIBE}", music, f"output: {{{_SETTINGS}}}"], shot_events(film, shots, every_effect())),
    }
    commands = {HAND: hand_graph(film, shots, folder / "hand.mp4")}
    for index, (name, (head, entries)) in enumerate(kinds.items()):
        spec = write_spec(folder / f"cost{index}.yaml", film.path, head, entries)
        commands[name] = render(spec, folder / f"cost{index}.mp4")
    table_file = folder / f"{VIBE}.cube"
    table_file.write_bytes(cube_text(lut([load_vibe(VIBE).grade])))
    commands[ANCESTOR] = ancestor(film, shots, table_file, song(), folder / "ancestor.mp4")
    meters = measured(commands, runs)
    hand = meters[HAND]
    rows = [
        (name, f"{m.wall:.2f}", f"{m.wall / hand.wall:.2f}", f"{m.cpu:.1f}", f"{m.cpu / hand.cpu:.2f}")
        for name, m in meters.items()
    ]
    print_rows((f"{SHOTS} shots", "wall s", "× hand", "CPU s", "× hand"), rows)
    print()
    whole, ancestors = (meters[name].wall / hand.wall for name in (WHOLE, ANCESTOR))
    return [
        Figure("grade on against off: render CPU", meters[GRADED].cpu / meters[BARE].cpu, 1.6),
        Figure("grade, music and effects: wall against the ancestor's way, both × hand", whole / ancestors, 0.42),
    ]


# LUTs


def _luts() -> list[Figure]:
    """Every vibe's grade on random colours: its LUT in FFmpeg, and what cheaper ways would make of it."""
    colors = np.random.default_rng(6).random((_COLORS, 3))
    ways: dict[str, list[float]] = {"16-bit RGB": [], "8-bit RGB": [], "lutyuv": []}
    worst = ""
    for name in names():
        grade = load_vibe(name).grade
        wanted = apply(grade, colors)
        table_file = _folder() / f"{name}.m3d"
        table_file.write_bytes(ffmpeg_text(lut([grade])))
        errors = [
            np.abs(_looked_up(colors, table_file, 65535) - wanted),
            np.abs(_looked_up(np.rint(colors * 255) / 255, table_file, 255) - wanted),
            np.abs(_by_planes(colors, wanted) - wanted),
        ]
        for found, error in zip(ways.values(), errors, strict=True):
            found += [float(error.max()) * 255, float(error.mean()) * 255]
        worst = name if max(ways["16-bit RGB"]) == ways["16-bit RGB"][-2] else worst
    rows = [(name, f"{max(e[::2]):.2f}", f"{max(e[1::2]):.2f}") for name, e in ways.items()]
    print_rows(("18 grades, levels of 255", "worst colour", "mean of the worst grade"), rows)
    print(f"16-bit RGB is how cinecut grades (worst: {worst}); lutyuv is the best curve there is for each plane\n")
    return [Figure("shipped LUTs against their formula, 10,000 colours", max(ways["16-bit RGB"]), 1, "/255")]


def _looked_up(colors: Colors, table_file: Path, most: int) -> Colors:
    """Colours through FFmpeg's `lut3d`, in RGB whose highest level is `most`."""
    kind, form = (np.dtype("<u2"), "gbrp16le") if most > 255 else (np.dtype("u1"), "gbrp")
    planes = np.rint(colors[:, [1, 2, 0]].T * most).astype(kind)
    shape = ("-f", "rawvideo", "-pix_fmt", form, "-s", f"{_WIDTH}x{_COLORS // _WIDTH}")
    look = ("-vf", f"lut3d=file={table_file.name}:interp=tetrahedral", "-pix_fmt", form, "-f", "rawvideo", "-")
    argv = [FFMPEG, "-nostdin", "-v", "error", *shape, "-i", "-", *look]
    done = subprocess.run(argv, input=planes.tobytes(), capture_output=True, cwd=table_file.parent, check=False)
    if done.returncode:
        raise NotMeasuredError(done.stderr.decode(errors="replace")[-300:])
    made = np.frombuffer(done.stdout, kind).reshape(3, -1).T[:, [2, 0, 1]]
    return made.astype(np.float64) / most


def _by_planes(colors: Colors, wanted: Colors) -> Colors:
    """The wanted colours as far as one curve for each of Y, U and V gets: the mean of all that share a level."""
    given, aim = _yuv(colors), _yuv(wanted)
    found = np.empty_like(aim)
    for plane in range(3):
        levels = np.rint((given[:, plane] + (0.5 if plane else 0)) * 255).astype(np.int64)
        count = np.bincount(levels, minlength=256)
        found[:, plane] = (np.bincount(levels, aim[:, plane], 256) / np.maximum(count, 1))[levels]
    return np.clip(_rgb(found), 0, 1)


_LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709


def _yuv(rgb: Colors) -> Colors:
    luma = rgb @ _LUMA
    return np.stack([luma, (rgb[:, 2] - luma) / 1.8556, (rgb[:, 0] - luma) / 1.5748], axis=1)


def _rgb(yuv: Colors) -> Colors:
    luma, blue, red = yuv[:, 0], yuv[:, 0] + 1.8556 * yuv[:, 1], yuv[:, 0] + 1.5748 * yuv[:, 2]
    green = (luma - _LUMA[0] * red - _LUMA[2] * blue) / _LUMA[1]
    return np.stack([red, green, blue], axis=1)


# Deliverables


def _deliverables(film: Film, runs: int) -> list[Figure]:
    """The cut list as 16:9, 9:16 and 1:1: all in one run, and each in its own."""
    folder = _folder()
    items = ", ".join(f"{{name: {name}, size: {size}, fit: crop}}" for name, size in _SHAPES.items())
    head = [f"output: {{{_SETTINGS}, loudness: as mixed}}", f"deliverables: [{items}]"]
    spec = write_spec(folder / "three.yaml", film.path, head, shot_events(film, cut_list(film)))
    commands = {"three in one run": render(spec, folder / "three.mp4", "--force")}
    for name in _SHAPES:
        commands[name] = render(spec, folder / f"{name}.mp4", "--only", name)
    meters = measured(commands, runs)
    print_rows(
        (f"{SHOTS} shots", "wall s", "CPU s"), [(name, f"{m.wall:.2f}", f"{m.cpu:.1f}") for name, m in meters.items()]
    )
    apart = sum(meters[name].cpu for name in _SHAPES)
    return [Figure("three H.264 files in one run against three: CPU", meters["three in one run"].cpu / apart, 0.90)]
