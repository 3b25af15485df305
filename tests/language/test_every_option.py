"""No option is accepted and then ignored: each one of the schema changes what comes out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from compiling import plan_of, read_text

from cinecut.diagnostics import Report, as_text
from cinecut.language.schema import TRAILER, read_schema
from cinecut.render.check import layout_of
from cinecut.review.explain import settings

BASE = """
cinecut: 1   #SPEC
film:   #FILM
  file: film.mp4
  facts:   #FACTS
    fingerprint: 4-0
    size: 640x480
    rate: 24
    duration: 600
    audio:
      - {rate: 48000, channels: 2, layout: stereo}
      - {rate: 44100, channels: 6, layout: "5.1"}
music:   #MUSIC
  file: song.ogg
  beats:
    tempo: 100   #BEATS
  facts: {fingerprint: 4-0, duration: 20, rate: 44100, channels: 2}
output:
  codec: h264   #OUTPUT
deliverables:
  - name: web
  - name: tall   #DELIVERABLE
    size: 320x480
timeline:
  - shot: {in: 0:16, for: 3 beats}   #SHOT
    sound_fade: {in: 3f, out: 3f}
    crop: {x: 0.1, y: 0.1, w: 0.8, h: 0.6}
    titles:
      - text: A title   #TITLE
        at: 2f
  - shot: 0:17 - 0:20
    sync: {at: 0:18}
  - shot: {out: 1:20, for: 3s}
    reframe: {}
    crop: {w: 0.9, h: 0.9}
  - black: 2.5s   #BLACK
  - card: WORDS   #CARD
    from: fade in 3f
  - still:
      file: logo.png   #PICTURE
      facts: {fingerprint: 4-0, size: 64x64}
    for: 1.2s
    from: fade in 3f   #STILL
  - act: last   #ACT
  - shot: 0:20 - 0:28.5
    line: Run!
  - {shot: {in: 1:30, for: 2s}, from: crossfade 4f}
  - {shot: {in: 1:40, for: 2s}, from: dip to white 4f, snap: beat}
  - shot: {in: 1:50, for: 1 beat}
  - black: 1 bar
    sound:
      effect: whoosh   #EFFECT
    voice:
      take: 1:00 - 1:02   #VOICE
    cue:
      file: other.ogg   #CUE
      facts: {fingerprint: 4-1, duration: 60, rate: 44100, channels: 2}
"""


RECORDED = "{fingerprint: 4-2, duration: 2, rate: 48000, channels: 1, layout: mono}"


def row(mark: str, text: str) -> tuple[str, str]:
    """A row below the marked one."""
    return f"#{mark}\n", f"#{mark}\n{text}\n"


LAST = BASE[BASE.index("  - black: 1 bar") :]
RATING = "rating: {still: {file: r.png, facts: {fingerprint: 4-0, size: 64x64}}}"
DELIVERABLE = ("fit", "codec", "hardware", "preset", "loudness", "subtitles", "channels")  # as in `output` by default
MUSIC = {
    **{"start": "0:10", "gain": "-12", "fade_out": "2s", "parts": "[0:02 - 0:10, 0:12 - 0:18]"},
    **{"loop": "false", "join": "1s", "duck": "6"},
}
KINDS = ("cut", "beat_cut", "crossfade", "dip_to_black", "dip_to_white", "act")  # of a cut, with an effect each

# What to write in BASE to set a property to another value, or, for `{}`, to each value of its enum.
CHANGES: dict[str, tuple[str, str]] = {
    "film.audio": row("FILM", "  audio: 2"),
    "film_facts.size": ("size: 640x480", "size: 320x240"),
    "film_facts.rate": ("rate: 24\n", "rate: 25\n"),
    "film_facts.time_base": row("FACTS", "    time_base: 1/90000\n    variable: true"),
    "film_facts.variable": row("FACTS", "    variable: true"),
    "film_facts.gaps": row("FACTS", "    gaps: true"),
    "film_facts.sar": row("FACTS", "    sar: 4/3"),
    "film_facts.rotation": row("FACTS", "    rotation: {}"),
    "film_facts.mirrored": row("FACTS", "    mirrored: true"),
    "film_facts.field_order": row("FACTS", "    field_order: {}"),
    "film_facts.pix_fmt": row("FACTS", "    pix_fmt: yuv422p10le"),
    "film_facts.color": row("FACTS", "    color: {space: bt709}"),
    "film_facts.color.range": row("FACTS", "    color: {range: pc}"),
    "film_facts.color.space": row("FACTS", "    color: {space: bt709}"),
    "film_facts.color.primaries": row("FACTS", "    color: {primaries: bt709}"),
    "film_facts.color.transfer": row("FACTS", "    color: {transfer: bt709}"),
    "film_facts.audio": ("    audio:\n      - {rate: 48000, channels: 2, layout: stereo}\n", "    audio:\n"),
    "film_facts.audio.channels": ("channels: 2, layout: stereo", "channels: 1, layout: mono"),
    "film_facts.audio.layout": ("layout: stereo", "layout: mono"),
    "film_facts.audio.start": ("layout: stereo", "layout: stereo, start: 17"),
    "music.file": ("  file: song.ogg\n", ""),
    **{f"music.{key}": row("MUSIC", f"  {key}: {value}") for key, value in MUSIC.items()},
    "part.in": row("MUSIC", "  parts: [0:03 - 0:20]"),
    "part.out": row("MUSIC", "  parts: [0 - 0:12]"),
    "music.pulse": ("  file: song.ogg\n", "  pulse: {}\n"),
    "cue.file": ("file: other.ogg", "file: another.ogg"),
    "cue.start": row("CUE", "      start: 0:10"),
    "cue.gain": row("CUE", "      gain: -3"),
    "cue.fade": row("CUE", "      fade: 1s"),
    "effect.effect": (
        LAST,
        f"  - act: finale\n{LAST.replace('whoosh', '{}')}effects: {{dip_to_black: tick, act: braam}}\n",
    ),
    **{
        f"effect.{key}": row("EFFECT", f"      {key}: {value}")
        for key, value in {"at": "3f", "for": "1s", "gain": "-3", "from_hz": "100", "to_hz": "2000"}.items()
    },
    "act.sound": row("ACT", "    sound: punch"),
    "effect.file": ("effect: whoosh   #EFFECT", f"file: a.wav\n      facts: {RECORDED}"),
    "effect.start": ("effect: whoosh   #EFFECT", f"file: a.wav\n      facts: {RECORDED}\n      start: 1"),
    "voice.file": ("take: 1:00 - 1:02   #VOICE", f"file: a.wav\n      facts: {RECORDED}"),
    "voice.start": ("take: 1:00 - 1:02   #VOICE", f"file: a.wav\n      facts: {RECORDED}\n      start: 1"),
    "voice.for": ("take: 1:00 - 1:02   #VOICE", f"file: a.wav\n      facts: {RECORDED}\n      for: 1s"),
    "voice.take": ("take: 1:00 - 1:02", "take: 1:00 - 1:02.1"),
    "voice.at": row("VOICE", "      at: 3f"),
    "voice.gain": row("VOICE", "      gain: -3"),
    "effects.usual": row("SPEC", "vibe: war\neffects: {usual: {}}"),
    **{f"effects.{kind}": row("SPEC", f"effects: {{{kind}: {{}}}}") for kind in KINDS},
    **{f"mix.{stem}": row("SPEC", f"mix: {{{stem}: 3}}") for stem in ("film", "music", "effects", "voice")},
    "mix.splice": row("SPEC", "mix: {splice: 0.005s}"),
    **{
        f"{mark.lower()}.{key}": row(mark, f"    {key}: {value}")
        for mark in ("SHOT", "BLACK", "CARD", "STILL")
        for key, value in (("sound", "tick"), ("voice", "1:10 - 1:11"), ("cue", "stop"))
    },
    "black.silent": row("BLACK", "    silent: true"),
    "shot.duck": row("SHOT", "    duck: 6"),
    "shot.sound_in": row("SHOT", "    sound_in: 0:41"),
    "shot.sound_lead": ("0:20 - 0:28.5", "0:20 - 0:28.5\n    sound_lead: 3f"),
    "shot.sound_trail": row("SHOT", "    sound_trail: 3f"),
    "output.loudness": ("codec: h264   #OUTPUT", "codec: h264\n  loudness: {}\nvibe: war"),
    "song_facts.channels": ("channels: 2}\noutput", "channels: 6, layout: '5.1'}\noutput"),
    "song_facts.layout": ("channels: 2}\noutput", "channels: 2, layout: '5.1'}\noutput"),
    "beats.tempo": ("tempo: 100", "tempo: 110"),
    "beats.first": row("BEATS", "    first: 0.2\n    metre: 4"),
    "beats.metre": ("for: 3 beats", "for: 1 bar"),
    "beats.times": ("tempo: 100", "times: [0, 0.5, 1, 1.6, 2.2]"),
    "output.size": row("OUTPUT", "  size: 320x240"),
    "output.rate": row("OUTPUT", "  rate: 25"),
    "output.codec": ("codec: h264", "codec: {}"),
    "output.crf": row("OUTPUT", "  crf: 30"),
    "output.preset": row("OUTPUT", "  preset: {}"),
    "output.audio_bitrate": row("OUTPUT", "  audio_bitrate: 96k"),
    "output.channels": row("OUTPUT", "  channels: {}"),
    "output.title": row("OUTPUT", "  title: A film"),
    "output.chapters": row("OUTPUT", "  chapters: true"),
    "output.fit": row("OUTPUT", "  fit: {}"),
    "output.hardware": row("OUTPUT", "  hardware: {}"),
    "output.subtitles": row("OUTPUT", "  subtitles: {}"),
    "deliverable.name": ("name: tall", "name: vertical"),
    "deliverable.size": ("size: 320x480", "size: 480x640"),
    "deliverable.loudness": ("size: 320x480\n", "size: 320x480\n    loudness: {}\nvibe: war\n"),
    "deliverable.audio_bitrate": row("DELIVERABLE", "    audio_bitrate: 96k"),
    "deliverable.title": row("DELIVERABLE", "    title: A film"),
    "deliverable.chapters": row("DELIVERABLE", "    chapters: true"),
    "deliverable.crf": row("DELIVERABLE", "    crf: 30"),
    "deliverable.kit": row("DELIVERABLE", "    kit: broadcast-atsc"),
    "deliverable.texts": row("DELIVERABLE", "    texts: false"),
    "deliverable.safe": row("DELIVERABLE", "    safe: {sides: 0.2}"),
    "deliverable.stem": row("DELIVERABLE", "    stem: {}"),
    "output.texts": row("OUTPUT", "  texts: false"),
    "output.safe": row("OUTPUT", "  safe: {top: 0.2, bottom: 0.2}"),
    **{f"safe.{key}": row("OUTPUT", f"  safe: {{{key}: 0.3}}") for key in ("top", "bottom", "sides")},
    **{
        f"deliverable.{key}": row("DELIVERABLE", f"    {key}: {{}}")
        for key in ("fit", "codec", "hardware", "preset", "subtitles", "channels")
    },
    "vibe.base": row("SPEC", "vibe: {}"),
    "vibe.grade": row("SPEC", "vibe: {base: war, grade: {exposure: 0.7}}"),
    "vibe.loudness": row("SPEC", "vibe: {base: war, loudness: -31}"),
    "vibe.titles": row("SPEC", "vibe: {base: war, titles: {face: Roboto Mono}}"),
    "lut.file": row("SPEC", "lut: {file: look.cube, facts: {fingerprint: 4-0, tables: 3d}}"),
    "lut.facts.tables": row("SPEC", "lut: {file: look.cube, facts: {fingerprint: 4-0, tables: {}}}"),
    "rating.still": row("SPEC", RATING),
    "rating.for": row("SPEC", RATING.replace("}}}", "}}, for: 3s}")),
    "rating.clip": row(
        "SPEC", "rating: {clip: {file: r.mp4, facts: {fingerprint: 4-0, size: 640x480, rate: 24, duration: 4}}}"
    ),
    "shot.grade": row("SHOT", "    grade: {exposure: 0.7}"),
    "shot.shot": ("0:20 - 0:28.5", "0:21 - 0:28.5"),
    "shot.speed": row("SHOT", "    speed: 0.5"),
    "shot.sync": ("    sync: {at: 0:18}\n", ""),
    "shot.snap": ("0:20 - 0:28.5", "0:20 - 0:28.5\n    snap: {}"),
    "shot.from": row("SHOT", "    from: fade in 5f"),
    "shot.to": row("SHOT", "    to: fade out 5f"),
    "shot.gain": row("SHOT", "    gain: -3"),
    "shot.mute": row("SHOT", "    mute: true"),
    "shot.sound_fade": ("    sound_fade: {in: 3f, out: 3f}\n", ""),
    "shot.sound_fade.in": ("{in: 3f, out", "{in: 4f, out"),
    "shot.sound_fade.out": ("out: 3f}", "out: 4f}"),
    "film.crop": row("FILM", "  crop: {x: 0.2, w: 0.6}"),
    "shot.crop": ("    crop: {x: 0.1, y: 0.1, w: 0.8, h: 0.6}\n", ""),
    "shot.mirror": row("SHOT", "    mirror: true"),
    "crop.x": ("x: 0.1, y", "x: 0.2, y"),
    "crop.y": ("y: 0.1, w", "y: 0.2, w"),
    "crop.w": ("w: 0.8", "w: 0.7"),
    "crop.h": ("h: 0.6", "h: 0.5"),
    "shot.reframe": ("    reframe: {}\n    crop: {w: 0.9, h: 0.9}\n", "    crop: {w: 0.5, h: 0.9}\n    reframe: {}\n"),
    "shot.reframe.x": ("reframe: {}\n    crop: {w: 0.9, h: 0.9}", "reframe: {x: 0}\n    crop: {w: 0.9, h: 0.7}"),
    "shot.reframe.y": ("reframe: {}\n    crop: {w: 0.9, h: 0.9}", "reframe: {y: 1}\n    crop: {w: 0.7, h: 0.9}"),
    "shot.reframe.to": (
        "reframe: {}\n    crop: {w: 0.9, h: 0.9}",
        "reframe: {to: {x: 0.9}}\n    crop: {w: 0.9, h: 0.7}",
    ),
    "shot.reframe.to.x": (
        "reframe: {}\n    crop: {w: 0.9, h: 0.9}",
        "reframe: {x: 0.5, to: {x: 1}}\n    crop: {w: 0.9, h: 0.7}",
    ),
    "shot.reframe.to.y": (
        "reframe: {}\n    crop: {w: 0.9, h: 0.9}",
        "reframe: {y: 0.5, to: {y: 1}}\n    crop: {w: 0.7, h: 0.9}",
    ),
    "shot.titles": ("      - text: A title   #TITLE\n", "      - text: Before\n      - text: A title   #TITLE\n"),
    "clip.in": ("in: 0:16,", "in: 0:15,"),
    "clip.out": ("out: 1:20", "out: 1:19"),
    "clip.for": ("for: 3 beats", "for: 4 beats"),
    "sync.at": ("sync: {at: 0:18}", "sync: {at: 0:18.3}"),
    "sync.to": ("sync: {at: 0:18}", "sync: {at: 0:18, to: {}}"),
    "title.text": ("A title", "Another"),
    "title.at": ("at: 2f", "at: 4f"),
    "title.for": row("TITLE", "        for: 12f"),
    "title.fade": row("TITLE", "        fade: 3f"),
    "title.position": row("TITLE", "        position: {}"),
    "black.black": ("black: 2.5s", "black: 3s"),
    "black.snap": row("BLACK", "    snap: {}"),
    "black.from": row("BLACK", "    from: dip to white 5f"),
    "black.to": row("BLACK", "    to: fade out 5f"),
    "black.titles": row("BLACK", "    titles: [Words]"),
    "card.card": ("WORDS", "OTHERS"),
    "card.for": row("CARD", "    for: 3s"),
    "card.snap": row("CARD", "    snap: {}"),
    "card.from": ("WORDS   #CARD\n    from: fade in 3f", "WORDS\n    from: fade in 5f"),
    "card.to": row("CARD", "    to: fade out 5f"),
    "still.still": ("    file: logo.png", "    file: logo.webp"),
    "still.for": ("for: 1.2s", "for: 3s"),
    "still.scale": row("STILL", "    scale: 0.5"),
    "still.snap": row("STILL", "    snap: {}"),
    "still.from": ("from: fade in 3f   #STILL", "from: fade in 5f"),
    "still.to": row("STILL", "    to: fade out 5f"),
    "still.titles": row("STILL", "    titles: [Words]"),
    "picture.file": ("    file: logo.png", "    file: logo.webp"),
    "picture.facts.size": ("size: 64x64", "size: 640x64"),
    "picture.facts.alpha": ("size: 64x64", "size: 64x64, alpha: true"),
}

# Kept beside an event for people and for analyze, shown by `explain`; the name of the output file comes from `vibe`.
NOTES: dict[str, tuple[str, str]] = {
    **{
        f"anchors.{name}": row("SPEC", f"anchors: {{{name}: {{at: 1:00}}}}")
        for name in ("begin", "escalation", "climax")
    },
    **{
        f"anchor.{key}": row("SPEC", f"anchors: {{climax: {{at: 1:00, {key}: some}}}}") for key in ("why", "by", "line")
    },
    "anchor.at": row("SPEC", "anchors: {climax: {at: 1:00}}"),
    "music.credit": row("MUSIC", "  credit: Somebody"),
    **{f"voice.{key}": row("VOICE", f"      {key}: some") for key in ("line", "why", "by")},
    "film.protagonist": row("FILM", "  protagonist: Anna"),
    "shot.scene": row("SHOT", "    scene: A house in the rain."),
    "shot.alternatives": row("SHOT", "    alternatives: [{in: 9s}]"),
    "alternative.in": row("SHOT", "    alternatives: [{in: 8s}]"),
    "alternative.score": row("SHOT", "    alternatives: [{in: 9s, score: 0.4}]"),
    "alternative.why": row("SHOT", "    alternatives: [{in: 9s, why: some}]"),
    **{f"act.{key}": row("ACT", f"    {key}: some") for key in ("why", "by")},
    "act.act": ("act: last", "act: next"),
    **{
        f"{mark.lower()}.{key}": row(mark, f"    {key}: {value}")
        for mark in ("SHOT", "BLACK", "CARD", "STILL")
        for key, value in {
            **dict.fromkeys(("id", "act", "why", "by", "line"), "some"),
            "score": "0.5",
            "keep": "true",
            **dict.fromkeys(("zone", "beat_type"), "{}"),
        }.items()
    },
}

# Of these enums BASE itself has a value.
OWN_VALUE = {
    "effect.effect",
    "lut.facts.tables",
    *(f"deliverable.{key}" for key in DELIVERABLE),
    *(f"effects.{kind}" for kind in KINDS),
}

# What stands for a whole that is tried by its parts, or tells which file is meant: link, check and render use it.
ELSEWHERE = {
    *("cinecut", "film", "films", "clip.film", "alternative.film", "anchor.film", "music", "output", "anchors"),
    *("timeline", "music.beats", "effects", "mix", "deliverables", "languages", "vibe"),
    *("lut", "lut.facts", "lut.facts.fingerprint", "rating", "rating.clip.file", "rating.clip.facts"),
    *("film.file", "film.facts", "music.facts", "picture.facts", "cue.facts", "voice.facts", "effect.facts"),
    *("film_facts.fingerprint", "song_facts.fingerprint", "picture.facts.fingerprint"),
    "film_facts.timecode",  # how the spec writes times, not which
    *("film_facts.start", "film_facts.stamps", "film_facts.joined", "film_facts.changes"),  # for whoever pulls reels
    *("film_facts.audio.stream", "film_facts.audio.parts"),
    *("film_facts.duration", "song_facts.duration", "film_facts.audio.language"),
    *("film_facts.audio.rate", "song_facts.rate"),  # FFmpeg resamples whatever comes
}


def properties(part: Any, path: str = "") -> dict[str, dict[str, Any]]:
    """All properties of the schema by their path; definitions begin with their name."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in part.get("properties", {}).items():
        name = f"{path}.{key}".lstrip(".")
        found |= {name: value} | properties(value, name) | properties(value.get("items", {}), name)
    for key, value in part.get("$defs", {}).items():
        found |= properties(value, key)
    return found


PROPERTIES = properties(read_schema(TRAILER))


def variants(path: str, change: tuple[str, str]) -> list[str]:
    """BASE with a property set to another value, or to each value of its enum."""
    old, new = change
    assert BASE.count(old) == 1, f"{old!r} is not once in BASE"
    values = PROPERTIES[path].get("enum")
    assert (values is not None) == ("{}" in new.replace("{}\n", "", 1) if "reframe" in path else "{}" in new), path
    return [BASE.replace(old, new.replace("{}", str(value)) if values else new) for value in values or [None]]


@lru_cache(maxsize=1)
def default_outcome() -> object:
    return outcome(BASE)


def outcome(text: str) -> object:
    """All that a render does: FFmpeg's graph, inputs and settings, and the files beside them."""
    report = Report()
    plan = plan_of(read_text(text), report)
    assert plan is not None, "\n".join(as_text(d, text.splitlines()) for d in report)
    return plan.render, plan.inputs, dict(plan.files), dict(plan.luts)


def differ(outcomes: list[object]) -> bool:
    return all(one != other for number, one in enumerate(outcomes) for other in outcomes[:number])


@pytest.mark.parametrize("path", CHANGES)
def test_an_option_changes_the_render(path: str) -> None:
    """And no two values of an enum do the same."""
    changed = [outcome(text) for text in variants(path, CHANGES[path])]
    default = PROPERTIES[path].get("default")
    values = PROPERTIES[path].get("enum") or []
    assert differ(changed if default in values or path in OWN_VALUE else [default_outcome(), *changed])


@pytest.mark.parametrize("path", NOTES)
def test_a_note_is_explained(path: str) -> None:
    shown = [
        {(s.path, s.value) for s in settings(layout_of(read_text(text), Report()).trailer)}
        for text in [BASE, *variants(path, NOTES[path])]
    ]
    assert differ(list(shown))


def test_all_options_are_tried() -> None:
    assert set(CHANGES) | set(NOTES) | ELSEWHERE == set(PROPERTIES)
