"""The spec as a person would want to find it: in reading order, decisions as data, reasons as comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut import __version__
from cinecut.analysis.edit.arrange import Cut
from cinecut.analysis.edit.blueprint import Want
from cinecut.analysis.edit.sound import Score
from cinecut.analysis.film.screen import Bars
from cinecut.analysis.story.arc import SIGNALS, Story, TurningPoint
from cinecut.analysis.story.scenes import NOTHING, Described
from cinecut.analysis.to_spec_sound import event_rows, mix_rows, music_rows, number
from cinecut.language.facts import FilmFacts
from cinecut.language.schema import TRAILER, schema_file
from cinecut.language.timebase import FilmTime, clock, timecode
from cinecut.media.link import facts_block, name_from, quoted
from cinecut.vibes import Vibe, otherwise


def spec_text(
    target: Path,
    film: Path,
    facts: FilmFacts,
    bars: Bars | None,
    vibe: Vibe,
    score: Score,
    story: Story,
    cuts: Sequence[Cut],
    title: str,
    spoilers: bool = False,
    seen: Described = NOTHING,
    protagonist: tuple[str, str] | None = None,
) -> str:
    """The YAML of a spec that will lie at `target`; `protagonist` is a name and who found it."""
    folder = target.parent
    lines = [
        f"# yaml-language-server: $schema={name_from(folder, schema_file(TRAILER))}",
        f"# Written by cinecut {__version__} from {_plain(film.name)}.",
        f"# It is yours now: edit it, then `cinecut render {_plain(target.name)}`.",
        "",
        "cinecut: 1",
        "film:",
        f"  file: {quoted(name_from(folder, film))}",
        *_crop(bars.upright(facts.rotation) if bars else None),
        *_protagonist(protagonist),
        "  facts:" + facts_block(facts, "  "),
        *_vibe(vibe),
        "",
        *music_rows(folder, score, vibe.name),
        *mix_rows(score),
        "",
        "# The turning points of the story" + ("." if spoilers else "; nothing from after the climax is shown."),
        "anchors:",
        *[_anchor(name, getattr(story, name)) for name in ("begin", "escalation", "climax")],
        "",
        "timeline:",
        *_timeline(cuts, facts, title, seen, score, folder),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _vibe(vibe: Vibe) -> list[str]:
    """The genre; of a vibe of one's own its base, and all that it has otherwise."""
    over = otherwise(vibe)
    effects = over.pop("effects", {})
    rows = [f"vibe: {vibe.base}"]
    if over:
        rows = ["vibe:", f"  base: {vibe.base}", *[f"  {key}: {_flow(value)}" for key, value in over.items()]]
    return rows + ([f"effects: {_flow(effects)}"] if effects else [])


def _flow(value: Any) -> str:
    """A plain value on one line of YAML."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{key}: {_flow(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(_flow(part) for part in value) + "]"
        case Fraction():
            return number(value)
        case str():
            return quoted(value)
        case _:
            return str(value)


_TINY = Fraction(1, 1_000_000)


def _crop(bars: Bars | None) -> list[str]:
    """What lies inside the bars that are burned into the film."""
    if bars is None or not any((bars.left, bars.top, bars.right, bars.bottom)):
        return []
    # A millionth less, so that no rounding leaves the frame.
    width, height = 1 - bars.left - bars.right - _TINY, 1 - bars.top - bars.bottom - _TINY
    sides = {"x": bars.left, "y": bars.top, "w": width, "h": height}
    return ["  crop: {" + ", ".join(f"{key}: {number(side)}" for key, side in sides.items()) + "}   # without its bars"]


def _protagonist(found: tuple[str, str] | None) -> list[str]:
    return [] if found is None else [f"  protagonist: {quoted(found[0][:100])}   # by {_plain(found[1])}"]


def _plain(name: str) -> str:
    """A file's name for a comment: on one line, whatever signs it holds."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def _anchor(name: str, anchor: TurningPoint) -> str:
    line = f", line: {quoted(anchor.line)}" if anchor.line else ""
    return f'  {name}: {{at: "{clock(anchor.at.seconds)}", by: {_by(anchor.by)}, why: {quoted(anchor.why)}{line}}}'


def _by(name: str) -> str:
    """Who decided: a server calls its model whatever it likes."""
    return quoted(name[:60])


def _timeline(
    cuts: Sequence[Cut], facts: FilmFacts, title: str, seen: Described, score: Score, folder: Path
) -> list[str]:
    rows: list[str] = []
    act = ""
    for place, (cut, sounds) in enumerate(zip(cuts, score.events, strict=True)):
        if cut.slot.act != act:
            act = cut.slot.act
            rows += [""] if rows else []
            rows.append(f"  - act: {act}")
        last = place == len(cuts) - 1
        length = f"{cut.slot.beats} beat{'s' if cut.slot.beats > 1 else ''}"
        ending = [f"    to: fade out {'1' if cut.slot.beats > 1 else '1/2'} beat"] if last else []
        heard = event_rows(sounds, score, folder, length)
        rows += [*_event(cut, facts, title, length), *ending, *heard, *_notes(cut, seen)]
    return rows


def _event(cut: Cut, facts: FilmFacts, title: str, length: str) -> list[str]:
    """What is seen."""
    if cut.slot.want is Want.BLACK:
        why = "the silence before the last act" if cut.slot.act == "breath" else "a held breath before the hit"
        return [f"  - black: {length}   # {why}"]
    if cut.slot.want is Want.CARD:
        return [f"  - card: {quoted(title)}", f"    for: {length}"]
    rows = [f'  - shot: {{in: "{_film_time(cut.in_, facts)}", for: {length}}}   # {cut.why}']
    if cut.sync is not None:
        rows.append(f'    sync: {{at: "{_film_time(cut.sync, facts)}"}}')
    rows += [f"    from: {cut.enters}"] if cut.enters != "cut" else []
    rows += [f"    grade: {_flow(cut.grade)}   # its light, brought to that of its act"] if cut.grade else []
    return rows + (["    mute: true   # a line would be chopped"] if cut.mute else [])


def _notes(cut: Cut, seen: Described) -> list[str]:
    """What is known of the shot."""
    if cut.take is None:
        return []
    scene = seen.scenes.get(cut.take.shot)
    rows = [
        f"    zone: {cut.take.zone}",
        f"    beat_type: {cut.take.beat_type}",
        f"    score: {cut.take.score:.2f}",
        f"    by: {SIGNALS if scene is None else _by(seen.by)}",
    ]
    rows += [f"    line: {quoted(cut.line.text)}"] if cut.line is not None else []
    return rows if scene is None else [*rows, f"    scene: {quoted(scene.text)}"]


def _film_time(time: FilmTime, facts: FilmFacts) -> str:
    """Exact for a constant rate: timecode; of a variable one, seconds."""
    return f"{number(time.seconds)}s" if facts.variable else timecode(time.seconds, facts.rate)
