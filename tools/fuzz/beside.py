"""The cases of what lies beside a spec and a film: looks, kits and skeletons, editors' projects, defaults of one's own,
records that cinecut keeps, and what programs ask of it."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cinecut.language.schema import KIT, SKELETON, VIBE, read_schema
from tools.fuzz.cases import KEYS, PLAIN, Commands, Setting, keys_of
from tools.fuzz.damage import VALUES, spoil_bytes, spoil_text, spoil_value
from tools.fuzz.media import CUBE
from tools.fuzz.media import VIBE as OWN_VIBE

_PACKAGE = Path(__file__).resolve().parents[2] / "cinecut"
_PROJECTS = {"otio": "otio", "resolve": "fcpxml", "premiere": "xml", "edl": "edl"}
"""Targets of `export` that `import` reads, and the suffixes of their files."""


def values_files(case: Setting) -> Commands:
    """A vibe, a kit or a skeleton of one's own, spoiled as text or as values."""
    kind, schema, folder = case.dice.choice(
        (("vibe", VIBE, "vibes"), ("kit", KIT, "kits"), ("skeleton", SKELETON, "vibes/skeletons"))
    )
    whole = case.dice.choice(sorted((_PACKAGE / folder).glob("*.yaml"))).read_text(encoding="utf-8")
    text = OWN_VIBE if kind == "vibe" and case.dice.random() < 0.3 else whole
    if case.dice.random() < 0.5:
        text = _of_values(text, sorted({*keys_of(read_schema(schema))}), case)
    else:
        text = spoil_text(text, case.dice)
    case.take("film.mp4", "film.mkv")
    _write(case, f"own.{kind}.yaml", text)
    name = f"own.{kind}.yaml"
    if kind == "kit":
        return [["kits", name], ["kits", name, "film.mp4"]]
    if kind == "skeleton":
        return [[*_ANALYZE, "--structure", name]]
    still = ["vibes", name, "--still", "film.mp4@0:02", "-o", "made.png"]
    return [["vibes", name], still if case.dice.random() < 0.7 else [*_ANALYZE, "--vibe", name]]


_ANALYZE = ["analyze", "film.mp4", "--length", "6s", "-o", "made.yaml", "--no-models"]


def _of_values(text: str, keys: list[str], case: Setting) -> str:
    tree: Any = YAML(typ="safe", pure=True).load(text)
    for _ in range(case.dice.choice((1, 1, 2, 3))):
        tree = spoil_value(copy.deepcopy(tree), keys, case.dice)
    out = io.StringIO()
    YAML(typ="safe", pure=True).dump(tree, out)
    return out.getvalue()


def _write(case: Setting, name: str, text: str) -> None:
    (case.folder / name).write_bytes(text.encode("utf-8", errors="surrogatepass"))


def pictures(case: Setting) -> Commands:
    """A LUT or a still, spoiled, in a spec that draws it."""
    case.take("film.mp4", "logo.png", "look.cube")
    wide = "\n".join(["LUT_1D_SIZE 4", "DOMAIN_MIN 0 0 0", "DOMAIN_MAX 1 1 1", *(f"{n / 3} 0 1" for n in range(4))])
    if case.dice.random() < 0.7:
        text = spoil_text(case.dice.choice((CUBE, wide)), case.dice)
        _write(case, "look.cube", text)
    else:
        (case.folder / "logo.png").write_bytes(spoil_bytes((case.media / "logo.png").read_bytes(), case.dice))
    text = PLAIN.replace("timeline:", "lut: look.cube\nrating: {still: logo.png, for: 1s}\ntimeline:")
    _write(case, "spec.yaml", text)
    return [["check", "spec.yaml"], ["link", "spec.yaml"], ["render", "spec.yaml", "--draft", "-o", "made.mp4"]]


def projects(case: Setting) -> Commands:
    """A project for an editing program, spoiled, and brought back."""
    case.take("film.mkv", "film.mp4", "song.wav", "logo.png", "look.cube")
    name = case.dice.choice(sorted(case.projects))
    data = case.projects[name]
    if case.dice.random() < 0.7:
        text = spoil_text(data.decode("utf-8"), case.dice)
        if case.dice.random() < 0.3:
            text = _number_replaced(text, case)
        data = text.encode("utf-8", errors="surrogatepass")
    else:
        data = spoil_bytes(data, case.dice)
    (case.folder / name).write_bytes(data)
    _write(case, "spec.yaml", case.seeds["plain linked"])
    case.guard("spec.yaml")
    if case.dice.random() < 0.6:
        return [["import", "spec.yaml", name], ["check", "spec.yaml"]]
    return [["import", name, "--new", "made.yaml", "--film", "film.mp4"], ["check", "made.yaml"]]


def _number_replaced(text: str, case: Setting) -> str:
    numbers = list(re.finditer(r"-?\d[\d.:/]*", text))
    if not numbers:
        return text
    place = case.dice.choice(numbers)
    return text[: place.start()] + str(case.dice.choice(VALUES)) + text[place.end() :]


_SETTINGS = (
    "CINECUT_VIBE", "CINECUT_OUTPUT", "CINECUT_MUSIC", "CINECUT_JOBS", "CINECUT_LANGUAGE", "CINECUT_FFMPEG",
    "CINECUT_STORE_GB", "CINECUT_GPU_MEMORY_MIB", "CINECUT_CONFIG", "CINECUT_LLM_KEY", "COLUMNS", "LINES", "TERM",
    "NO_COLOR", "LANG", "LC_ALL", "TZ", "SOURCE_DATE_EPOCH", "GITHUB_ACTIONS", "CI", "PYTHONUTF8",
)  # fmt: skip
_TOML = (
    'vibe = "horror"\noutput = "made"\nmusic = "."\njobs = 2\nlanguage = "en"\n',
    '[tool.cinecut]\nvibe = "drama"\njobs = 1\n',
)


def settings(case: Setting) -> Commands:
    """Defaults of one's own: files of TOML, spoiled, and absurd values in the environment."""
    case.take("film.mp4", "song.wav")
    _write(case, "spec.yaml", case.seeds["plain linked"])
    text = case.dice.choice(_TOML)
    if case.dice.random() < 0.6:
        text = spoil_text(text, case.dice)
        _write(case, "pyproject.toml" if "[tool" in text else "cinecut.toml", text)
    said = [f"{case.dice.choice(_SETTINGS)}={word_of(case)}" for _ in range(case.dice.choice((0, 1, 1, 2)))]
    command = case.dice.choice(
        (
            ["config"], ["check", "spec.yaml"], ["explain", "spec.yaml"], ["doctor"], ["vibes"],
            ["render", "spec.yaml", "--draft", "-o", "made.mp4"], _ANALYZE, ["beats", "song.wav"],
        )
    )  # fmt: skip
    return [[*said, *command]]


def word_of(case: Setting) -> str:
    """A value as a word of a command line, or of the environment."""
    word = str(case.dice.choice(VALUES)).replace("\0", "")
    return word.encode("utf-8", "replace").decode("utf-8")[:100_000]


_VERBS = {
    "trim": 1, "slip": 2, "replace": 2, "swap": 2, "move": 2, "remove": 1, "duplicate": 1, "insert": 2, "retitle": 2,
    "retime": 2, "sync": 2, "set": 2,
}  # fmt: skip
_PLACES = ("1", "2", "3", "shot 1", "act 1/1", "end", "mix.music", "timeline.0.shot.in", "vibe.grade.contrast", "film")
_AMOUNTS = ("12f", "-12f", "0:02", "0:02 - 0:03", "0.5", "1s", "card: X", "shot: 0:04 - 0:05", "2 beats", "beat")


def edits(case: Setting) -> Commands:
    """Edits with words of any kind, taken back and made again; their journal is spoiled between."""
    case.take("film.mkv", "film.mp4", "song.wav", "logo.png", "look.cube")
    _write(case, "spec.yaml", case.dice.choice(sorted(case.seeds.values())))
    case.guard("spec.yaml")

    def word(usual: tuple[str, ...]) -> str:
        return case.dice.choice(usual) if case.dice.random() < 0.7 else word_of(case)

    commands: Commands = []
    for _ in range(case.dice.choice((1, 2))):
        verb = case.dice.choice(sorted(_VERBS))
        words = [word(_PLACES), *(word(_AMOUNTS) for _ in range(_VERBS[verb] - 1))]
        options = [case.dice.choice(("--in", "--out", "--for")), word(_AMOUNTS)] if verb == "trim" else []
        commands.append(["edit", "spec.yaml", verb, *options, "--", *words])
    if case.dice.random() < 0.5:
        commands.append(["SPOIL", "own/state"])
    return [*commands, ["log", "spec.yaml"], ["undo", "spec.yaml"], ["redo", "spec.yaml"], ["check", "spec.yaml"]]


def records(case: Setting) -> Commands:
    """What cinecut keeps or gives out, spoiled before it is read again: a lock, segments, a catalogue, a trailer."""
    case.take("film.mp4")
    _write(case, "spec.yaml", case.seeds["plain linked"])
    render = ["render", "spec.yaml", "--draft", "-o", "made.mp4"]
    match case.dice.randrange(4):
        case 0:
            return [["lock", "spec.yaml"], ["SPOIL", "case/*.lock"], ["why", "spec.yaml"], [*render, "--locked"]]
        case 1:
            return [render, ["SPOIL", "own/cache"], [*render, "--force"]]
        case 2:
            index = ["index", "film.mp4", "--catalogue", "made"]
            return [index, ["SPOIL", "case/made"], ["find", "night, loud", "--catalogue", "made"], index]
        case _:
            return [render, ["SPOIL", "case/made.mp4"], ["verify", "spec.yaml", "made.mp4"]]


def asked(case: Setting) -> Commands:
    """A program that speaks the Model Context Protocol, and does not keep to it."""
    case.take("film.mp4")
    _write(case, "spec.yaml", case.seeds["plain linked"])
    _write(case, "secret.yaml", case.seeds["plain linked"])
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    lines = [_request(1, "initialize", hello), json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})]
    for number in range(2, 6):
        tool = case.dice.choice(_TOOLS)
        values = {case.dice.choice((*_ARGUMENTS, *KEYS)): case.dice.choice(VALUES) for _ in range(3)}
        values |= {"spec": case.dice.choice(("spec.yaml", "spec.yaml", "secret.yaml", *VALUES))}
        if tool == "edit_spec":
            values |= {"verb": case.dice.choice(sorted(_VERBS)), "event": case.dice.choice((1, 2, "end", *VALUES))}
        lines.append(_request(number, "tools/call", {"name": tool, "arguments": values}))
    text = "\n".join(lines)
    if case.dice.random() < 0.5:
        text = spoil_text(text, case.dice)
    _write(case, "requests", text + "\n")
    return [["mcp", "spec.yaml", "--allow-edits", "<requests"]]


_TOOLS = ("specs", "timeline", "values", "check", "language", "history", "stills", "edit_spec", "undo_edit")
_ARGUMENTS = (
    "in_point",
    "length",
    "by",
    "film",
    "to",
    "what",
    "text",
    "number",
    "speed",
    "at",
    "path",
    "value",
    "first",
    "below",
    "part",
    "revision",
)


def _request(number: int, method: str, parameters: dict[str, Any]) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})


def exported(link: Callable[[list[str]], Any], folder: Path, seed: str) -> dict[str, bytes]:
    """The projects to spoil: a linked spec as each editor gets it. `link` runs a command in `folder`."""
    (folder / "seed.yaml").write_text(seed, encoding="utf-8")
    projects = {}
    for target, suffix in _PROJECTS.items():
        link(["export", "seed.yaml", "--to", target, "-o", f"cut.{suffix}"])
        projects[f"cut.{suffix}"] = (folder / f"cut.{suffix}").read_bytes()
    return projects


GOES_ON = ("edits", "records", "asked")
"""Kinds whose next command is run also where one ended with a mistake."""
KINDS: dict[str, tuple[Callable[[Setting], Commands], int]] = {  # and how often each is drawn
    "values_files": (values_files, 12),
    "pictures": (pictures, 5),
    "projects": (projects, 14),
    "settings": (settings, 10),
    "edits": (edits, 12),
    "records": (records, 4),
    "asked": (asked, 4),
}
