"""The JSON Schemas, the only source of names, types, ranges, enums, defaults and descriptions; and the check against
them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinecut.diagnostics import Report, Span, Stop, excerpt
from cinecut.language.document import ListNode, MapNode, Node, head_span, odd_spaces, plain, read_document
from cinecut.language.document.accept import Acceptance

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

TRAILER, VIBE, KIT, SKELETON = "trailer-1", "vibe-1", "kit-1", "skeleton-1"
_ALL = (TRAILER, VIBE, KIT, SKELETON)


def schema_file(name: str) -> Path:
    """A schema's file, in the installed package or in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "schemas", package.parent / "schemas"):
        file = folder / f"{name}.schema.json"
        if file.is_file():
            return file
    raise FileNotFoundError(f"{name}.schema.json is not part of this installation")


@cache
def read_schema(name: str) -> dict[str, Any]:
    text = schema_file(name).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text, parse_float=Fraction, object_hook=_for_reading)  # 0.02 lets 0.02 in
    return schema


def _for_reading(part: dict[str, Any]) -> dict[str, Any]:
    """Patterns beside a format are for editors, which know no formats of ours: the format says more."""
    return {key: value for key, value in part.items() if key != "pattern" or "format" not in part}


def bundled() -> str:
    """The trailer's schema in one file, including the parts of the vibe's that it uses: for editors."""

    def moved(part: Any, inside: bool) -> Any:
        if isinstance(part, list):
            return [moved(each, inside) for each in part]
        if not isinstance(part, dict):
            return part
        schema = _for_editors({key: moved(value, inside) for key, value in part.items()})
        if isinstance(ref := part.get("$ref"), str):
            file, _, place = ref.partition("#")
            schema["$ref"] = f"#/$defs/{VIBE}{place}" if inside or file else ref
        return schema

    trailer, vibe = (json.loads(schema_file(name).read_text(encoding="utf-8")) for name in (TRAILER, VIBE))
    whole = moved(trailer, False)
    whole["$defs"][VIBE] = moved({k: v for k, v in vibe.items() if k not in ("$id", "$schema")}, True)
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _for_editors(part: dict[str, Any]) -> dict[str, Any]:
    """The schema without our own keywords, which strict validators refuse. Defaults become part of the description,
    since editors would write them into the file, as they do with a single example or 0 for a number without either."""
    schema = {key: value for key, value in part.items() if key not in ("format", "x-elsewhere", "default")}
    if "default" in part:
        default = json.dumps(part["default"], ensure_ascii=False).strip('"')
        schema["description"] = f"{part.get('description', '')} Default: {default}.".strip()
    values = part.get("examples", [part["default"]] if "default" in part and "enum" not in part else [])
    return {**schema, "examples": values if len(values) > 1 else 2 * values} if values else schema


def definition(schema: str, name: str) -> dict[str, Any]:
    """The part of a schema under `$defs/name`; the schema itself for an empty name."""
    whole = read_schema(schema)
    part: dict[str, Any] = whole["$defs"][name] if name else whole
    return part


# Data files that keep to one: vibes, kits, skeletons


def names_in(folder: Path) -> list[str]:
    """The names of the bundled files in a folder."""
    return sorted(file.stem for file in folder.glob("*.yaml"))


def chosen_file(choice: str, schema: str, folder: Path, own: Path) -> Path:
    """The bundled file of this name in `folder`; or `own` if the choice is a file, NAME.yaml. Raises Stop with the
    nearest name if it is neither."""
    names, kind = names_in(folder), schema.partition("-")[0]
    if choice in names:
        return folder / f"{choice}.yaml"
    if choice.lower().endswith((".yaml", ".yml")):
        return own
    close = get_close_matches(choice.lower(), names, n=1)
    known = f"there are {', '.join(names)}; a file of your own ends with .yaml"
    hint = f"did you mean {close[0]}?" if close else _FILES.get(kind, known) if Path(choice).suffix else known
    raise Stop("option", f"there is no {kind} {choice!r}", hint)


_FILES = {  # in the place of a name
    "kit": "cinecut kits KIT FILE tests a file against a kit",
    "vibe": "cinecut vibes VIBE --still FILM@TIME shows a frame in a vibe; a file of your own ends with .yaml",
}


def root_of(path: Path, schema: str, starter: str, report: Report) -> Node:
    """The tree of a file that follows a schema. Raises Stop if it is empty; `starter` shows how such a file begins."""
    root = read_document(path, report).root
    if root is None:
        if report.ok:
            report.add("missing-key", f"the {schema.partition('-')[0]} is empty", Span(str(path), 0, 0, 0, 1), starter)
        report.stop_on_error()
    assert root is not None  # or there was an error
    return root


# The check against them


Formats = Mapping[str, Callable[[str | int | Fraction], object]]


def check_document(root: Node, schema: str, formats: Formats, report: Report) -> None:
    """Report every place where the tree violates the schema. `formats` parse the schema's named formats; a ValueError's
    text is the message."""
    data = plain(root)
    if keeps(data, schema, formats):
        return
    seen: set[tuple[str, Span]] = set()
    errors = list(_validator(schema, tuple(formats.items())).iter_errors(data))
    told = [error.absolute_path for error in errors if error.validator == "format"]  # which say what is wanted
    for error in errors:
        if error.validator == "type" and error.absolute_path in told:
            continue
        for code, message, span, hints in _explain(error, root):
            once = "wrong-value" if code in _OF_VALUES else code
            if (once, span) not in seen:  # one mistake under two branches is one mistake, and so is one wrong value
                seen.add((once, span))
                report.add(code, message, span, *filter(None, (_odd_spaces(error),)), *hints)


def keeps(data: object, schema: str, formats: Formats) -> bool:
    """Whether plain data conforms to a schema."""
    schemas = {name: read_schema(name) for name in _ALL}
    return Acceptance(schemas, formats).keeps(data, schemas[schema], schema)


@cache
def _validator(schema: str, formats: tuple[tuple[str, Callable[[Any], object]], ...]) -> Draft202012Validator:
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry, Resource

    checker = FormatChecker(formats=())
    for name, parse in formats:

        def accepts(value: object, parse: Callable[[Any], object] = parse) -> bool:
            if isinstance(value, str | int | Fraction) and not isinstance(value, bool):
                parse(value)
            return True

        checker.checks(name, raises=ValueError)(accepts)
    # The schemas by the names by which they refer to each other.
    files = {f"{name}.schema.json": Resource.from_contents(read_schema(name)) for name in _ALL}
    registry: Registry[Any] = Registry().with_resources(files.items())
    return Draft202012Validator(read_schema(schema), format_checker=checker, registry=registry)


def _odd_spaces(error: ValidationError) -> str:
    """A hint about characters in the value that only look like spaces."""
    words = list(error.instance) if isinstance(error.instance, dict) else [error.instance]
    return next((hint for word in words if isinstance(word, str) and (hint := odd_spaces(word))), "")


_TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping (key: value)",
    "array": "a list (- item)",
    "null": "nothing",
}

_FORMAT_CODES = {
    **dict.fromkeys(
        ("film-time", "film-span", "song-span", "trailer-length", "trailer-offset", "trailer-shift"), "bad-time"
    ),
    **dict.fromkeys(("transition-from", "transition-to"), "transition"),
}

_OF_VALUES = frozenset(_FORMAT_CODES.values())

Finding = tuple[str, str, Span, tuple[str, ...]]


def _explain(error: ValidationError, root: Node) -> Iterator[Finding]:
    """A finding of jsonschema in plain words, at its place in the file."""
    schema: Any = error.schema
    wanted: Any = error.validator_value
    value: Any = error.instance
    node, name = _find(root, list(error.absolute_path))
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(error, node)
        case "required":
            for key in wanted:
                if key not in value and not _misspelled(key, value, schema):
                    yield "missing-key", f"`{key}` is missing in {name}", head_span(node), _about(schema, key)
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            message = f"{name} must be {' or '.join(_TYPES[kind] for kind in kinds)}, not {_describe(value)}"
            yield "wrong-type", message, head_span(node), (*_rewritten(kinds, value), *_about(schema))
        case "enum" | "const":
            allowed = wanted if error.validator == "enum" else [wanted]
            yield from _not_allowed(error, node, name, allowed)
        case "anyOf":
            for inner in _branch(error):
                yield from _explain(inner, root)
        case "format":
            yield _FORMAT_CODES.get(str(wanted), "wrong-value"), f"{name}: {error.cause}", node.span, ()
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            word = {"m": "at least", "e": "more than"}[str(error.validator)[0]]
            if "aximum" in str(error.validator):
                word = "at most" if error.validator == "maximum" else "less than"
            message = f"{name} must be {word} {_describe(wanted)}, not {_describe(value)}"
            yield "wrong-value", message, node.span, _about(schema)
        case "minLength" | "minItems":
            message = f"{name} has {len(value)} entries; {wanted} is the least" if value else f"{name} is empty"
            yield "wrong-value", message, head_span(node), _about(schema)
        case "maxLength" | "maxItems":
            size, most = len(value), wanted
            kind = "characters" if error.validator == "maxLength" else "entries"
            yield "wrong-value", f"{name} has {size} {kind}; {most} is the most", head_span(node), ()
        case "pattern":
            yield "wrong-value", f"{name} cannot be {_describe(value)}", node.span, _about(schema)
        case _:
            yield "wrong-value", f"{name}: {error.message}", node.span, _about(schema)


def _branch(error: ValidationError) -> list[ValidationError]:
    """The errors of the alternative that the value was meant as: for a list that of lists."""
    alternatives: Any = error.validator_value
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(int(inner.schema_path[0]), []).append(inner)
    lists = [number for number, part in enumerate(alternatives) if part.get("type") == "array"]
    wanted = [n for n in branches if (n in lists) == isinstance(error.instance, list)]
    fitting = [n for n in wanted if not any(each.validator == "type" and not each.path for each in branches[n])]
    return branches[(fitting or wanted or list(branches))[0]]


def _close(typed: str, words: list[str]) -> list[str]:
    """The word that was meant, if there is one: two letters in each other's place are the commonest slip."""
    return [word for word in words if sorted(word) == sorted(typed)][:1] or get_close_matches(typed, words, n=1)


def _unknown_keys(error: ValidationError, node: Node) -> Iterator[Finding]:
    known = list(error.schema["properties"])  # type: ignore[index]
    elsewhere: dict[str, str] = error.schema.get("x-elsewhere", {})  # type: ignore[union-attr]
    assert isinstance(node, MapNode)
    for key in node.entries:
        if key in known:
            continue
        close = _close(key, known)
        if key == "<<":
            hint = "merge keys are no part of YAML 1.2: repeat a value with &name and *name"
        elif key in elsewhere:
            hint = elsewhere[key]
        elif " " in key:
            hint = "a text with a colon and a space needs quotes"
        else:
            hint = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"
        yield "unknown-key", f"`{excerpt(key)[1:-1]}` is not known here", node.keys[key], (hint,)


def _misspelled(missing: str, value: dict[str, object], schema: Mapping[str, Any]) -> bool:
    """Whether an unknown key stands for the missing one: one mistake, reported already."""
    unknown = [key for key in value if key not in schema.get("properties", {})]
    return any(" " in key or get_close_matches(key, [missing]) for key in unknown)


def _rewritten(kinds: list[str], value: object) -> tuple[str, ...]:
    """How a value of the wrong type would be written correctly."""
    if kinds == ["array"] and isinstance(value, str):
        return (f"a list, be it of one: [{excerpt(value)[1:-1]}]",)
    if "string" in kinds and isinstance(value, int | Fraction):
        return ("in quotes it is a text",)
    if kinds == ["boolean"] and (word := _BOOLEANS.get(str(value).strip().lower())):
        return (f"write {word}",)
    if "number" in kinds and isinstance(value, str) and (match := _NUMBER.fullmatch(value.strip())):
        number = (f"{match[1]}.{match[2]}" if match[2] else match[1]).replace("\u2212", "-")
        return (f"write {float(number) / 100:g}" if match[3] == "%" else f"write {number}",)
    return ()


_NUMBER = re.compile(
    r"([-+\u2212]?\d{1,9})(?:[.,](\d{1,9}))?\s*(%|[a-zA-Z]{0,3})[,;]?"
)  # as people write it: -2,5 dB, 50 %
_BOOLEANS = {  # as people and YAML 1.1 write them
    **dict.fromkeys(("true", "yes", "on", "y", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "n", "0"), "false"),
}


def _not_allowed(error: ValidationError, node: Node, name: str, allowed: list[object]) -> Iterator[Finding]:
    if error.validator == "const" and error.absolute_path and error.absolute_path[-1] == "cinecut":
        message = f"version {_describe(error.instance)} of the language; this cinecut reads version {allowed[0]}"
        right = str(error.instance).strip().removesuffix(".0") == str(allowed[0])
        yield "version", message, node.span, (f"write cinecut: {allowed[0]}",) if right else ()
        return
    words = [str(word) for word in allowed]
    said = str(error.instance).lower()
    several, close = re.split(r"\s*,\s*", said), _close(said, words)
    if len(several) > 1 and set(several) <= set(words):
        hint = f"several stand in brackets: [{', '.join(several)}]"
    else:
        no_file = "no file has a place here; " if said.endswith((".yaml", ".yml")) else ""
        hint = f"did you mean {close[0]}?" if close else f"{no_file}one of: {', '.join(words)}"
    yield "wrong-value", f"{name} cannot be {_describe(error.instance)}", node.span, (hint,)


def _find(root: Node, path: list[str | int]) -> tuple[Node, str]:
    """The node at a path, and its name in messages."""
    node, name = root, "this file"
    for step in path:
        if isinstance(node, MapNode) and isinstance(step, str):
            node, name = node.entries[step], f"`{step}`"
        elif isinstance(node, ListNode) and isinstance(step, int):
            node, name = node.items[step], "this entry"
    return node, name


def _about(schema: Mapping[str, Any], key: str = "") -> tuple[str, ...]:
    part = schema.get("properties", {}).get(key, {}) if key else schema
    if "$ref" in part and "description" not in part:
        part = definition(TRAILER, part["$ref"].rsplit("/", 1)[1])
    return (str(part["description"]),) if "description" in part else ()


def _describe(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else excerpt(value)
