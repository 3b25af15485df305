"""The cases, by kind: which files lie in the folder, spoiled how, and which commands run on them."""

from __future__ import annotations

import copy
import io
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cinecut.language.schema import TRAILER, read_schema
from tools.fuzz.damage import spoil_bytes, spoil_text, spoil_value
from tools.fuzz.media import FILMS, SONGS, SUBTITLES

Commands = list[list[str]]
"""The words of each command, as a shell takes them: NAME=value before them, <file behind them. SPOIL is none: it spoils
kept files."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a case is made: its folder, the media to take, this run's dice, the linked seed specs and the projects for
    editing programs by name, and the address of a server whose answers are nonsense."""

    folder: Path
    media: Path
    dice: random.Random
    seeds: dict[str, str]
    projects: dict[str, bytes]
    server: str

    def take(self, *names: str) -> None:
        for name in names:
            shutil.copyfile(self.media / name, self.folder / name)

    def guard(self, name: str) -> None:
        """Now and then a file is read-only, has a mode of its own, or lies elsewhere behind a link."""
        file = self.folder / name
        file.chmod(self.dice.choice((0o644, 0o644, 0o600, 0o664, 0o444)))
        if self.dice.random() < 0.3:
            (self.folder / "elsewhere").mkdir()
            file.rename(self.folder / "elsewhere" / name)
            file.symlink_to(Path("elsewhere") / name)


RICH = """cinecut: 1
film: {file: film.mkv, audio: 1, crop: {x: 0.1, w: 0.8}}
vibe: {base: horror, grade: {contrast: 1.2}, titles: {face: Roboto Mono, color: "#FFD23F"}, loudness: -20}
music: {file: song.wav, start: 0.5s, loop: true, beats: {tempo: 120, first: 0, metre: 4}, duck: 9, fade_out: 1s}
effects: {cut: tick, crossfade: whoosh, act: braam}
mix: {film: -3, music: -6, splice: 0.005s}
output: {size: 160x90, rate: 25, fit: blur, codec: h264, crf: 30, preset: ultrafast, loudness: web, subtitles: burned}
deliverables: [{name: a}, {name: b, size: 90x160, fit: crop}]
lut: look.cube
rating: {still: logo.png, for: 1s}
anchors: {begin: {at: 1s, why: it begins, by: me}, climax: {at: 0:06}}
timeline:
  - act: act 1
  - shot: 0:01 - 0:02
    from: fade in 4f
    titles: [Hello, {text: There, at: 6f, for: 12f, fade: 3f, position: upper}]
    sound: {effect: punch, gain: 3, at: 2f}
    line: Where were you?
  - shot: {in: 0:03, for: 2 beats}
    speed: 0.5
    sync: {at: 0:03.2, to: beat}
    from: crossfade 6f
    reframe: {x: 0, to: {x: 1}}
    sound: riser
  - black: 1 beat
    silent: true
  - card: THE END
    for: 1s
    voice: {take: 0:04 - 0:05, gain: 2}
    cue: {file: stop, fade: 6f}
  - still: logo.png
    for: 12f
    to: fade out 6f
"""
PLAIN = "cinecut: 1\nfilm: film.mp4\ntimeline:\n  - shot: 0:01 - 0:02\n  - shot: {in: 0:03, for: 1s}\n    mute: true\n"


def yaml_text(case: Setting) -> Commands:
    """A spec as text, spoiled."""
    case.take("film.mkv", "film.mp4", "song.wav", "logo.png", "look.cube")
    text = spoil_text(case.dice.choice(sorted(case.seeds.values())), case.dice)
    data = text.encode("utf-8", errors="surrogatepass")
    (case.folder / "spec.yaml").write_bytes(spoil_bytes(data, case.dice) if case.dice.random() < 0.2 else data)
    return _on_spec(case)


def yaml_values(case: Setting) -> Commands:
    """A spec as values: at one to three places of it, or of its schema, something else."""
    case.take("film.mkv", "film.mp4", "song.wav", "logo.png", "look.cube", "vibe.yaml")
    (case.folder / "list.ffconcat").write_text("ffconcat version 1.0\nfile secret.wav\n")
    os.mkfifo(case.folder / "pipe")
    tree: Any = YAML(typ="safe", pure=True).load(case.dice.choice(sorted(case.seeds.values())))
    for _ in range(case.dice.choice((1, 1, 2, 3))):
        tree = spoil_value(copy.deepcopy(tree), KEYS, case.dice)
    text = io.StringIO()
    if case.dice.random() < 0.3:
        text.write(json.dumps(tree))
    else:
        YAML(typ="safe", pure=True).dump(tree, text)
    (case.folder / "spec.yaml").write_bytes(text.getvalue().encode("utf-8", errors="surrogatepass"))
    return _on_spec(case)


def _on_spec(case: Setting) -> Commands:
    commands = [["check", "spec.yaml"]]
    match case.dice.randrange(10):
        case 0 | 1:
            commands.append(["explain", "spec.yaml", "--json"])
        case 2 | 3:
            commands.append(["compile", "spec.yaml", "-o", "made"])
        case 4:
            commands.append(["link", "spec.yaml"])
        case 5 | 6:
            commands.append(["render", "spec.yaml", "--draft", "-o", "made.mp4"])
        case 7:
            commands.append(["fmt", "spec.yaml"])
    return commands


def keys_of(part: Any) -> Iterator[str]:
    """The names of all properties in a schema."""
    if isinstance(part, dict):
        yield from part.get("properties", {})
        for value in part.values():
            yield from keys_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from keys_of(value)


KEYS = sorted({*keys_of(read_schema(TRAILER)), "<<", "fade_in", "start", "end"})
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "cp1251", "cp932", "gb18030", "euc_kr", "cp874", "mac_roman", "utf-32")


def subtitles(case: Setting) -> Commands:
    """Subtitles spoiled as text, as bytes, or of another kind than their name says."""
    case.take("film.mp4")
    kinds = (SUBTITLES, "WEBVTT\n\n" + SUBTITLES.replace(",", "."), _ASS, _MICRODVD, _MPL2, _SAMI, _TTML, _STL)
    text = spoil_text(case.dice.choice(kinds), case.dice)
    data = text.encode(case.dice.choice(_ENCODINGS), errors="replace")
    name = case.dice.choice(("subs.srt", "subs.ass", "subs.vtt", "subs.sub", "film.txt", "film.smi", "film.stl"))
    (case.folder / name).write_bytes(spoil_bytes(data, case.dice) if case.dice.random() < 0.5 else data)
    return [_analyze("film.mp4", "--subtitles", name)]


_ASS = (
    "[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:03.00,Default,ANNA,0,0,0,,{\\b1}Where{\\b0} were you?\n"
)
_MPL2 = "[10][25]Where were you?\n[30][50]/Nowhere.|Do not lie!\n"
_SAMI = "<SAMI><BODY>\n<SYNC Start=1000><P Class=EN>Where were you?\n<SYNC Start=3000><P Class=EN>&nbsp;\n</SAMI>\n"
_TTML = (
    '<tt frameRate="25"><p begin="00:00:01:05" end="3.5s">Where<br/>were you?</p><p begin="90f" dur="2s">No</p></tt>'
)
_STL = "850STL25.0110009".ljust(1024) + "\0\1\0\xff\0\0\0\1\0\0\0\3\0\x14\2\0Where were you?".ljust(128, "\x8f")
_MICRODVD = "{1}{1}25.000\n{25}{60}Where were you?\n{70}{110}Nowhere.|Do not lie!\n"


def _analyze(film: str, *words: str) -> list[str]:
    return ["analyze", film, "--vibe", "drama", "--length", "6s", "-o", "made.yaml", *(words or ()), *_alone(words)]


def _alone(words: tuple[str, ...]) -> tuple[str, ...]:
    return () if "--llm-url" in words else ("--no-models",)


def songs(case: Setting) -> Commands:
    """A song spoiled, or something else under a song's name."""
    name = case.dice.choice(sorted(SONGS))
    data = (case.media / name).read_bytes()
    spoiled = spoil_bytes(data, case.dice)
    if case.dice.random() < 0.15:
        spoiled = case.dice.choice(
            (b"ffconcat version 1.0\nfile secret.wav\n", b"#EXTM3U\nsecret.wav\n", b"v=0\n", b"")
        )
        shutil.copyfile(case.media / "song.wav", case.folder / "secret.wav")
    (case.folder / name).write_bytes(spoiled)
    case.take("film.mp4")
    one = ["beats", name, "--json", "--click", "made.wav"]
    return [one if case.dice.random() < 0.8 else _analyze("film.mp4", "--music", name)]


def films(case: Setting) -> Commands:
    """A film spoiled: linked, rendered or analyzed."""
    name = case.dice.choice(sorted(FILMS))
    (case.folder / name).write_bytes(spoil_bytes((case.media / name).read_bytes(), case.dice))
    (case.folder / "spec.yaml").write_text(PLAIN.replace("film.mp4", name))
    if case.dice.random() < 0.4:
        return [_analyze(name)]
    return [["link", "spec.yaml"], ["render", "spec.yaml", "--draft", "-o", "made.mp4"]]


def caches(case: Setting) -> Commands:
    """Kept results of an earlier run, spoiled, before the same run again."""
    case.take("film.mp4")
    return [_analyze("film.mp4"), ["SPOIL", "own/cache"], [*_analyze("film.mp4"), "--force"]]


def answers(case: Setting) -> Commands:
    """Models that answer anything at all."""
    case.take("film.mp4")
    (case.folder / "subs.srt").write_text(SUBTITLES)
    return [_analyze("film.mp4", "--subtitles", "subs.srt", "--llm-url", case.server)]


KINDS: dict[str, tuple[Callable[[Setting], Commands], int]] = {  # and how often each is drawn
    "yaml_text": (yaml_text, 30),
    "yaml_values": (yaml_values, 30),
    "subtitles": (subtitles, 10),
    "songs": (songs, 10),
    "films": (films, 14),
    "caches": (caches, 3),
    "answers": (answers, 3),
}
