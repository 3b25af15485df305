"""Linking: the media that a spec names, measured, and their facts written into the spec, all else left as it is."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, fields, is_dataclass
from dataclasses import replace as changed
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Report, Span, Stop
from cinecut.document import Document, Mapping, Node, Scalar, end_of, resolve
from cinecut.facts import Color, FilmFacts, SongFacts, StillFacts
from cinecut.fingerprint import fingerprint
from cinecut.reading import inside, load_spec
from cinecut.spec import Film, Music, Picture, Spec, Still
from cinecut.timebase import rate_text

Facts = FilmFacts | SongFacts | StillFacts
TreePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a spec names: where in its tree, what it is, its facts so far."""

    path: TreePath
    file: Path
    owner: Film | Music | Picture


def assets_of(spec: Spec, folder: Path) -> list[Asset]:
    found = [Asset(("film",), inside(folder, spec.film.file), spec.film)]
    if spec.music is not None and spec.music.file is not None:
        found.append(Asset(("music",), inside(folder, spec.music.file), spec.music))
    for index, entry in enumerate(spec.timeline):
        if isinstance(entry, Still):
            found.append(Asset(("timeline", index, "still"), inside(folder, entry.still.file), entry.still))
    return found


def check_files(spec: Spec, folder: Path, report: Report) -> None:
    """Report every file that is not there, and every one whose fingerprint is not the spec's."""
    for asset in assets_of(spec, folder):
        span = asset.owner.place.of("file")
        if not asset.file.is_file():
            what = "a folder" if asset.file.is_dir() else "not there"
            hint = "relink a file that moved: cinecut link SPEC FILM" if isinstance(asset.owner, Film) else ""
            report.add("missing-file", f"{asset.file} is {what}", span, *([hint] if hint else []))
        elif asset.owner.facts is not None:
            _check_same(asset, report)


def _check_same(asset: Asset, report: Report) -> None:
    assert asset.owner.facts is not None
    known = asset.owner.facts.fingerprint
    try:
        found = fingerprint(asset.file)
    except Stop as stop:
        report.found += stop.diagnostics
        return
    if found != known:
        size, wanted = int(found.partition("-")[0]), known.partition("-")[0]
        difference = f"it has {size} bytes, not {wanted}" if str(size) != wanted else "the same size, other content"
        message = f"{asset.file} is not the file that this spec was made for: {difference}"
        hint = "if it is the right one now, measure it anew: cinecut link SPEC"
        report.add("other-file", message, asset.owner.place.of("file"), hint)


def measure(asset: Asset) -> Facts:
    """The facts of an asset's file. Raises Stop."""
    from cinecut.ffmpeg import probe

    match asset.owner:
        case Film():
            return probe.film_facts(asset.file)
        case Music():
            return probe.song_facts(asset.file)
        case Picture():
            return probe.still_facts(asset.file)


def linked(spec: Spec, folder: Path) -> Spec:
    """The spec with the facts that it lacks measured, for one run; the file is left as it is."""
    facts: dict[TreePath, Any] = {a.path: measure(a) for a in assets_of(spec, folder) if a.owner.facts is None}
    if not facts:
        return spec
    timeline = tuple(
        changed(entry, still=changed(entry.still, facts=facts[path]))
        if isinstance(entry, Still) and (path := ("timeline", index, "still")) in facts
        else entry
        for index, entry in enumerate(spec.timeline)
    )
    film = changed(spec.film, facts=facts.get(("film",), spec.film.facts))
    music = spec.music and changed(spec.music, facts=facts.get(("music",), spec.music.facts))
    return changed(spec, film=film, music=music, timeline=timeline)


def write_facts(document: Document, facts: dict[TreePath, Facts], files: dict[TreePath, str]) -> str:
    """The spec's text with facts (and new file names) put under their assets; nothing else changes."""
    edits: list[tuple[Span, str]] = []
    for path, measured in facts.items():
        node, file = _node(document.root, path), files.get(path)
        if isinstance(node, Scalar):
            edits.append(_long_form(document, path, node, measured, file))
        elif isinstance(node, Mapping):
            edits += [(node.entries["file"].span, quoted(file))] if file is not None else []
            edits.append(_facts_edit(document, node, measured))
    return document.replaced(edits)


def _node(node: Node | None, path: TreePath) -> Node:
    for step in path:
        node = node.entries[str(step)] if isinstance(node, Mapping) else node.items[int(step)]  # type: ignore
    assert node is not None
    return node


def _long_form(document: Document, path: TreePath, node: Scalar, facts: Facts, file: str | None) -> tuple[Span, str]:
    """`film: film.mp4` becomes `file` and `facts` below `film`; a comment stays with the name."""
    span, line = node.span, document.lines[node.span.line]
    own = line[span.column : span.end_column] if span.end_line == span.line else quoted(str(node.value))
    name = own if file is None else quoted(file)
    parent = _node(document.root, path[:-1])
    assert isinstance(parent, Mapping)
    if parent.flow:
        return span, f"{{file: {name}, facts: {_flow(facts)}}}"
    indent = " " * (parent.keys[str(path[-1])].column + 2)
    last = document.lines[span.end_line]
    start = len(line[: span.column].rstrip())  # right after the colon
    whole = Span(span.file, span.line, start, span.end_line, len(last))
    return whole, f"\n{indent}file: {name}{last[span.end_column :]}\n{indent}facts:{_block(facts, indent)}"


def _facts_edit(document: Document, node: Mapping, facts: Facts) -> tuple[Span, str]:
    """Facts in the place of the old ones, or after the last key."""
    file, old = node.span.file, node.get("facts")
    if node.flow:
        if old is not None:
            return old.span, _flow(facts)
        line, column = node.span.end_line, node.span.end_column - 1  # before the closing brace
        return Span(file, line, column, line, column), f", facts: {_flow(facts)}"
    if old is not None:
        key = node.keys["facts"]
        return Span(file, key.line, key.end_column, *end_of(old)), ":" + _block(facts, " " * key.column)
    line = max(end_of(child)[0] for child in node.entries.values())
    column = len(document.lines[line])
    indent = " " * next(iter(node.keys.values())).column
    return Span(file, line, column, line, column), f"\n{indent}facts:{_block(facts, indent)}"


def quoted(text: str) -> str:
    """A text as a YAML scalar: plain where that is safe, else in quotes with everything escaped."""
    plain = text.replace("/", "").replace("_", "").replace("-", "").replace(".", "").replace(" ", "")
    safe = plain.isalnum() and plain.isascii() and text == text.strip() and text[0] != "-"
    if safe and isinstance(resolve(text), str):
        return text
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    body = "".join(escapes.get(c, c if c.isprintable() else f"\\U{ord(c):08X}") for c in text)
    return f'"{body}"'


def _block(facts: Facts, indent: str) -> str:
    """Facts as a block mapping below `facts`; inner records as one line each."""
    rows = []
    for key, value in _shown(facts).items():
        if isinstance(value, list):
            rows.append(f"\n{indent}  {key}:" + "".join(f"\n{indent}    - {_flow(item)}" for item in value))
        else:
            rows.append(f"\n{indent}  {key}: {_scalar(value)}")
    return "".join(rows)


def _flow(record: Any) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in _shown(record).items()) + "}"


def _shown(record: Any) -> dict[str, Any]:
    """The fields of a record that differ from their defaults; what is always asked for stays."""
    found = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if value != item.default and value != ():
            found[item.name] = list(value) if isinstance(value, tuple) and value and is_dataclass(value[0]) else value
    return found


def _scalar(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Color():
            return _flow(value)
        case Fraction():
            return rate_text(value)
        case (int(width), int(height)):
            return f"{width}x{height}"
        case list():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
        case _:
            return quoted(str(value))


def relink(path: Path, film: Path | None) -> str:
    """Measure every asset of a spec anew and write the facts into it; with `film`, make the spec name that file.
    Returns what was done, in words. Raises Stop; the spec is replaced at once or not at all."""
    report = Report()
    document, spec = load_spec(path, report)
    report.stop_on_error()
    assert spec is not None
    assets = assets_of(spec, path.parent)
    files: dict[TreePath, str] = {}
    if film is not None:
        files["film",] = name_from(path.parent, film)
        assets[0] = changed(assets[0], file=film)
    facts = {asset.path: measure(asset) for asset in assets}
    write_beside(path, write_facts(document, facts, files))
    return f"{len(facts)} file{'s' if len(facts) > 1 else ''} measured"


def name_from(folder: Path, file: Path) -> str:
    """How a spec in `folder` names a file: relative where it lies below it or near it, else absolute."""
    target = file.absolute()
    relative = os.path.relpath(target, folder.absolute())
    return relative if relative.count("..") <= 2 else str(target)


def write_beside(path: Path, text: str) -> None:
    """Replace a text file at once: write beside it, then rename. A symbolic link stays one."""
    target = path.resolve()
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        with contextlib.suppress(OSError):
            shutil.copymode(target, part)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Stop("output", f"{path} cannot be written: {error.strerror}") from None
