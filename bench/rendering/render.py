"""`cinecut render` against the graph that a person would write, and against other tools, on one cut list."""

from __future__ import annotations

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import Film
from bench.judge import Verdict, judge, sound_of
from bench.measure import MB, Command, Meter, interleaved
from bench.rendering.cutlist import FRAMES, SHOTS, cinecut_render, cut_list, hand_graph
from bench.rivals.rendering import RIVALS

HAND, OURS = "hand graph", "cinecut"
BOUNDS = {"moviepy 2.2.1": 0.50, "melt": 0.75, "ges": 0.90}  # of the rival's wall time
RENDERERS = {HAND: hand_graph, OURS: cinecut_render, **RIVALS}


def table(film: Film, runs: int) -> list[Figure]:
    """Render the cut list by everything that is installed, `runs` times in turn; print the table, return the bounds."""
    shots = cut_list(film)
    print(f"{SHOTS} shots, {FRAMES} frames of {film.path.name}; x264 veryfast crf 18, AAC 192k; median of {runs}\n")
    commands: dict[str, Command] = {}
    failed: dict[str, str] = {}
    for name, renderer in RENDERERS.items():
        try:
            commands[name] = renderer(film, shots, work_folder() / f"render_{name.split()[0]}.mp4")
        except NotMeasuredError as error:
            failed[name] = str(error)
    meters: dict[str, Meter] = {}
    for name, result in interleaved(commands, runs).items():
        if isinstance(result, Meter):
            meters[name] = result
        else:
            failed[name] = str(result)
    sound = sound_of(film.path)
    outputs = {name: command.output for name, command in commands.items() if name in meters}
    verdicts = {name: judge(output, film, shots, sound) for name, output in outputs.items() if output}
    _print_costs(meters)
    _print_verdicts(verdicts)
    return [*_cost_bounds(meters, failed), *_right_bounds(verdicts, failed)]


def _print_costs(meters: dict[str, Meter]) -> None:
    rows = []
    for name, meter in meters.items():
        row = [name, f"{meter.wall:.2f}", "", f"{meter.cpu:.1f}", f"{meter.peak / MB:.0f}", ""]
        if hand := meters.get(HAND):
            row[2], row[5] = f"{meter.wall / hand.wall:.2f}", f"{meter.peak / hand.peak:.2f}"
        rows.append(row)
    print_rows(("render", "wall s", "× hand", "CPU s", "peak MB", "× hand"), rows)
    print()


def _print_verdicts(verdicts: dict[str, Verdict]) -> None:
    rows = []
    for name, v in verdicts.items():
        psnr = " ".join(f"{value:.2f}" for value in v.psnr)
        late = " ".join(f"{value:+.2f}" for value in v.sound)
        tags = ", ".join(v.tags) or "none"
        ends = f"{v.picture_end:.3f} {v.sound_end:.3f}"
        rows.append((name, str(v.frames), str(v.wrong), psnr, f"{v.shift:.2f}", late, ends, tags))
    head = ("output", "frames", "wrong", "PSNR Y U V", "shift", "sound late ms", "ends s", "colour tags lost")
    print_rows(head, rows)
    print(
        "shift: largest mean difference of a frame's Y, U or V, in levels; sound late: least, median, most of the shots"
    )
    print()


def _cost_bounds(meters: dict[str, Meter], failed: dict[str, str]) -> list[Figure]:
    ours, hand = meters.get(OURS), meters.get(HAND)
    wall = ours.wall / hand.wall if ours and hand else None
    peak = ours.peak / hand.peak if ours and hand else None
    reason = failed.get(OURS) or failed.get(HAND) or ""
    figures = [
        Figure("wall against the hand graph", wall, 1.10, reason=reason),
        Figure("peak memory against the hand graph", peak, 1.10, reason=reason),
    ]
    for name, bound in BOUNDS.items():
        rival = meters.get(name)
        measured = ours.wall / rival.wall if ours and rival else None
        reason = failed.get(OURS) or failed.get(name) or ""
        figures.append(Figure(f"wall against {name}", measured, bound, reason=reason, needed=OURS in failed))
    return figures


def _right_bounds(verdicts: dict[str, Verdict], failed: dict[str, str]) -> list[Figure]:
    ours, hand = verdicts.get(OURS), verdicts.get(HAND)
    if ours is None or hand is None:
        return [Figure("output right", None, 0, reason=failed.get(OURS) or failed.get(HAND) or "")]
    below = max(theirs - mine for theirs, mine in zip(hand.psnr, ours.psnr, strict=True))
    return [
        Figure("wrong or missing frames", ours.wrong, 0),
        Figure("colour tags lost", len(ours.tags), 0),
        Figure("PSNR below the hand graph's, worst of Y, U, V", below, 0.1, " dB"),
        Figure("colour shift beyond the hand graph's, worst frame", ours.shift - hand.shift, 0.1, " levels"),
        Figure("sound off its picture, worst shot", max(map(abs, ours.sound)), 0.05, " ms"),
        Figure(
            "sound's end against picture's, one AAC frame",
            abs(ours.sound_end - ours.picture_end) * 1000,
            1000 * 1024 / 48_000,
            " ms",
        ),
    ]
