"""The spec as a person would want to find it: in reading order, decisions as data, reasons as comments."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from cinecut import __version__
from cinecut.analysis.arrange import Cut
from cinecut.analysis.blueprint import Want
from cinecut.analysis.music import Beats
from cinecut.analysis.screen import Crop
from cinecut.analysis.story import SIGNALS, Anchor, Story
from cinecut.facts import FilmFacts, SongFacts
from cinecut.link import facts_block, name_from, quoted
from cinecut.schema import TRAILER, schema_file
from cinecut.timebase import FilmTime, clock, seconds_text, timecode


def spec_text(
    target: Path,
    film: Path,
    facts: FilmFacts,
    bars: Crop | None,
    vibe: str,
    song: tuple[Path, SongFacts] | None,
    beats: Beats | None,
    tempo: Fraction,
    start: Fraction,
    story: Story,
    cuts: Sequence[Cut],
    title: str,
    spoilers: bool = False,
) -> str:
    """The YAML of a spec that will lie at `target`. `tempo` is the vibe's, for a trailer without a song."""
    folder = target.parent
    lines = [
        f"# yaml-language-server: $schema={name_from(folder, schema_file(TRAILER))}",
        f"# Written by cinecut {__version__} from {_plain(film.name)}.",
        f"# It is yours now: edit it, then `cinecut render {_plain(target.name)}`.",
        "",
        "cinecut: 1",
        "film:",
        f"  file: {quoted(name_from(folder, film))}",
        *_crop(bars),
        "  facts:" + facts_block(facts, "  "),
        f"vibe: {vibe}",
        "",
        *_music(folder, song, beats, tempo, start, vibe),
        "",
        "# The turning points of the story" + ("." if spoilers else "; nothing from after the climax is shown."),
        "anchors:",
        *[_anchor(name, getattr(story, name)) for name in ("begin", "escalation", "climax")],
        "",
        "timeline:",
        *_timeline(cuts, facts, title),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


_TINY = Fraction(1, 1_000_000)


def _crop(bars: Crop | None) -> list[str]:
    """What lies inside the bars that are burned into the film."""
    if bars is None or not any((bars.left, bars.top, bars.right, bars.bottom)):
        return []
    # A millionth less, so that no rounding leaves the frame.
    width, height = 1 - bars.left - bars.right - _TINY, 1 - bars.top - bars.bottom - _TINY
    sides = {"x": bars.left, "y": bars.top, "w": width, "h": height}
    return [
        "  crop: {" + ", ".join(f"{key}: {_number(side)}" for key, side in sides.items()) + "}   # without its bars"
    ]


def _music(
    folder: Path, song: tuple[Path, SongFacts] | None, beats: Beats | None, tempo: Fraction, start: Fraction, vibe: str
) -> list[str]:
    if song is None or beats is None:
        return [
            f"# No music was given: the cuts lie on the usual tempo of {vibe}. `--music FILE` brings a song.",
            "music:",
            f"  beats: {{tempo: {_number(tempo)}, metre: 4}}",
        ]
    path, facts = song
    others = " or ".join(_number(other) for other, _ in beats.octaves[:3])
    note = f"  # confidence {beats.confidence:.0%}" + (f"; it could also be counted at {others}" if others else "")
    rows = ["music:", f"  file: {quoted(name_from(folder, path))}"]
    if beats.tempo is None:
        times = ", ".join(_number(time) for time in beats.times if time >= beats.first)
        rows += [f"{note}; its tempo changes, so every beat is listed", "  beats:", f"    metre: {beats.metre}"]
        rows += [f"    times: [{times}]"]
    else:
        rows += [
            note,
            f"  beats: {{tempo: {_number(beats.tempo)}, first: {_number(beats.first)}, metre: {beats.metre}}}",
        ]
    rows.append(
        f"  start: {seconds_text(start).rstrip('0').rstrip('.')}s   # where in the song the trailer begins: a bar line"
    )
    return [*rows, "  facts:" + facts_block(facts, "  ")]


def _plain(name: str) -> str:
    """A file's name for a comment: on one line, whatever signs it holds."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def _number(value: Fraction) -> str:
    return seconds_text(value).rstrip("0").rstrip(".") or "0"


def _anchor(name: str, anchor: Anchor) -> str:
    line = f", line: {quoted(anchor.line)}" if anchor.line else ""
    return f'  {name}: {{at: "{clock(anchor.at.seconds)}", by: {anchor.by}, why: {quoted(anchor.why)}{line}}}'


def _timeline(cuts: Sequence[Cut], facts: FilmFacts, title: str) -> list[str]:
    rows: list[str] = []
    act = ""
    for place, cut in enumerate(cuts):
        if cut.slot.act != act:
            act = cut.slot.act
            rows += [""] if rows else []
            rows.append(f"  - act: {act}")
        last = place == len(cuts) - 1
        rows += _event(cut, facts, title, last)
    return rows


def _event(cut: Cut, facts: FilmFacts, title: str, last: bool) -> list[str]:
    length = f"{cut.slot.beats} beat{'s' if cut.slot.beats > 1 else ''}"
    ending = [f"    to: fade out {'1' if cut.slot.beats > 1 else '1/2'} beat"] if last else []
    if cut.slot.want is Want.BLACK:
        why = "the silence before the last act" if cut.slot.act == "breath" else "a held breath before the hit"
        return [f"  - black: {length}   # {why}"]
    if cut.slot.want is Want.CARD:
        return [f"  - card: {quoted(title)}", f"    for: {length}", *ending]
    take = cut.take
    assert take is not None
    rows = [f'  - shot: {{in: "{_film_time(cut.in_, facts)}", for: {length}}}   # {cut.why}']
    if cut.sync is not None:
        rows.append(f'    sync: {{at: "{_film_time(cut.sync, facts)}"}}')
    rows += [f"    from: {cut.enters}"] if cut.enters != "cut" else []
    rows += ["    mute: true   # a line would be chopped"] if cut.mute else []
    rows += ending
    rows += [
        f"    zone: {take.zone}",
        f"    beat_type: {take.beat_type}",
        f"    score: {take.score:.2f}",
        f"    by: {SIGNALS}",
    ]
    return [*rows, f"    line: {quoted(cut.line.text)}"] if cut.line is not None else rows


def _film_time(time: FilmTime, facts: FilmFacts) -> str:
    """Exact for a constant rate: timecode; of a variable one, seconds."""
    return f"{_number(time.seconds)}s" if facts.variable else timecode(time.seconds, facts.rate)
