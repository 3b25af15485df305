"""The cases of what stands where something else is meant: no file in a file's place, words for a language's own, an
analysis's side file that is spoiled, and options of any value."""

from __future__ import annotations

import os
from collections.abc import Callable

from tools.fuzz.beside import word_of
from tools.fuzz.cases import PLAIN, RICH, Commands, Setting
from tools.fuzz.damage import spoil_bytes, spoil_text
from tools.fuzz.media import SUBTITLES, VIBE

_TOML = 'vibe = "horror"\njobs = 1\n'
_WORDS = "Hello: Bonjour\nThere: Là\nTHE END: FIN   # the last\ncard 4: ''\n"
_ANALYZE = ["analyze", "film.mp4", "--length", "6s", "-o", "made.yaml", "--no-models"]
_RENDER = ["render", "spec.yaml", "--draft", "-o", "made.mp4"]
# What is read by its name or found beside another file, and a command that reads it.
_READ: dict[str, list[str]] = {
    "film.mp4": _ANALYZE,
    "film.mkv": ["link", "spec.yaml"],
    "song.wav": ["beats", "song.wav"],
    "logo.png": ["check", "spec.yaml"],
    "look.cube": _RENDER,
    "film.srt": _ANALYZE,
    "mine.srt": [*_ANALYZE, "--subtitles", "mine.srt"],
    "own.yaml": [*_ANALYZE, "--vibe", "own.yaml"],
    "words.yaml": ["explain", "spec.yaml"],
    "cinecut.toml": ["config"],
    "spec.yaml": ["edit", "spec.yaml", "slip", "1", "1f"],
    "spec.yaml.lock": ["why", "spec.yaml"],
    "spec.known.json": ["check", "spec.yaml"],
    "cut.edl": ["import", "spec.yaml", "cut.edl"],
    "still.png": ["find", "--like", "still.png", "--catalogue", "made"],
    "made.html": [*_ANALYZE, "--force"],
    "made.credits.txt": [*_ANALYZE, "--force"],
    "made.mp4": ["verify", "spec.yaml", "made.mp4"],
    "trailer-1.schema.json": _ANALYZE,
}


def places(case: Setting) -> Commands:
    """A pipe, a folder, a dead link, a link to itself or a device in the place of one of the files."""
    _all_files(case)
    name = case.dice.choice(sorted(_READ))
    place = case.folder / name
    place.unlink(missing_ok=True)
    match case.dice.randrange(6):
        case 0:
            os.mkfifo(place)
        case 1:
            place.mkdir()
        case 2:
            place.symlink_to("nowhere")
        case 3:
            place.symlink_to(name)
        case 4:
            place.symlink_to(case.dice.choice(("/dev/zero", "/dev/full", "/proc/self/mem", "/")))
        case 5:
            place.write_bytes(b"")
    return [_READ[name]]


def _all_files(case: Setting) -> None:
    case.take("film.mkv", "film.mp4", "song.wav", "logo.png", "look.cube")
    languages = "languages: {fr: words.yaml}\n"
    texts = {"spec.yaml": case.seeds["rich linked"].replace("timeline:", f"{languages}timeline:", 1)}
    texts |= {"film.srt": SUBTITLES, "mine.srt": SUBTITLES, "own.yaml": VIBE, "words.yaml": _WORDS}
    for name, text in texts.items():
        (case.folder / name).write_text(text, encoding="utf-8")
    (case.folder / "cut.edl").write_bytes(case.projects["cut.edl"])


_ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32")


def encodings(case: Setting) -> Commands:
    """A file of text, spoiled and in any encoding: words of a language, defaults of one's own, a vibe, a project."""
    _all_files(case)
    texts = {"words.yaml": _WORDS, "cinecut.toml": _TOML, "own.yaml": VIBE, "cut.edl": "", "spec.yaml": PLAIN}
    texts |= {name: data.decode("utf-8") for name, data in case.projects.items()}
    name = case.dice.choice(sorted(texts))
    text = texts[name] if case.dice.random() < 0.4 else spoil_text(texts[name], case.dice)
    data = text.encode(case.dice.choice(_ENCODINGS), errors="replace")
    (case.folder / name).write_bytes(data)
    if name in case.projects:
        return [["import", "spec.yaml", name], ["log", "spec.yaml"], ["undo", "spec.yaml"]]
    return [_READ[name]]


def known(case: Setting) -> Commands:
    """What analyze knows beside a spec, spoiled, before the spec is checked, shown and cut again."""
    case.take("film.mp4")
    words = case.dice.choice((["check"], ["sheet", "-o", "made.html"], ["recut", "--length", "5s", "--no-models"]))
    known = ["sheet", "made.yaml", "--known", "--force"]
    return [_ANALYZE, known, ["SPOIL", "case/made.known.json"], [words[0], "made.yaml", *words[1:]]]


# Options that take a value, of commands that otherwise do.
_OPTIONS: tuple[tuple[list[str], tuple[str, ...]], ...] = (
    (
        _ANALYZE,
        (
            "--vibe", "--structure", "--length", "--tempo", "--title", "--tagline", "--release", "--credits",
            "--subtitles", "--subtitles-rate", "--subtitles-shift", "--language", "--audio", "--music", "--shots",
        ),
    ),
    (_RENDER, ("--jobs", "--only", "--ffmpeg", "--scheduler")),
    (["beats", "song.wav"], ("--vibe", "--tempo", "--click")),
    (["recut", "spec.yaml", "--no-models"], ("--length", "--vibe", "--music", "--act", "--structure", "--subtitles")),
    (["export", "spec.yaml", "-o", "made.fcpxml"], ("--to", "--media-root")),
    (["import", "cut.edl", "--new", "made.yaml"], ("--film",)),
    (["link", "spec.yaml"], ("--name",)),
    (["vibes", "horror"], ("--still",)),
    (["shots", "film.mp4"], ("--stills",)),
    (["check", "spec.yaml"], ("--format", "--explain")),
    (["find", "night"], ("--catalogue", "--like", "--films", "-n")),
    (["swap", "spec.yaml", "1"], ("--revision",)),
    (["cache"], ("--clear",)),
    (["compile", "spec.yaml", "-o", "made"], ("--syntax",)),
)  # fmt: skip


def options(case: Setting) -> Commands:
    """An option, or the word before it, of any value."""
    _all_files(case)
    words, names = case.dice.choice(_OPTIONS)
    value = word_of(case)
    if case.dice.random() < 0.2:
        value = spoil_bytes(RICH[:80].encode(), case.dice).decode("utf-8", "replace").replace("\0", "")
    if case.dice.random() < 0.15:
        return [[words[0], "--", value]]
    return [[*words, f"{case.dice.choice(names)}={value}"]]


KINDS: dict[str, tuple[Callable[[Setting], Commands], int]] = {  # and how often each is drawn
    "places": (places, 10),
    "encodings": (encodings, 10),
    "known": (known, 2),
    "options": (options, 12),
}
