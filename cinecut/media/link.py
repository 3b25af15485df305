"""Linking: the media that a spec names, measured, and their facts written into the spec, all else left as it is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping as Records
from dataclasses import dataclass, fields, is_dataclass
from dataclasses import replace as changed
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Report, Span, Stop
from cinecut.language.document import Document, Mapping, Node, Scalar, end_of, near, resolve
from cinecut.language.facts import Color, FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.files import fingerprint, write_beside
from cinecut.language.read import ABSENT, ANY_RATE, inside, load_spec
from cinecut.language.events import ActMarker, Cue, Entry, Picture, Still
from cinecut.language.spec import Film, Lut, Music, RatingClip, Spec
from cinecut.language.timebase import clock, rate_text

Facts = FilmFacts | SongFacts | StillFacts | LutFacts
TreePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class NamedMedium:
    """A file that a spec names: where in its tree, what it is, its facts so far."""

    path: TreePath
    file: Path
    owner: Film | Music | Cue | Picture | RatingClip | Lut


def assets_of(spec: Spec, folder: Path) -> list[NamedMedium]:
    found = [NamedMedium(("film",), inside(folder, spec.film.file), spec.film)]
    if spec.music is not None and spec.music.file is not None:
        found.append(NamedMedium(("music",), inside(folder, spec.music.file), spec.music))
    if spec.lut is not None:
        found.append(NamedMedium(("lut",), inside(folder, spec.lut.file), spec.lut))
    for kind, owner in _rating_parts(spec).items():
        found.append(NamedMedium(("rating", kind), inside(folder, owner.file), owner))
    for index, entry in enumerate(spec.timeline):
        if isinstance(entry, Still):
            found.append(NamedMedium(("timeline", index, "still"), inside(folder, entry.still.file), entry.still))
        if not isinstance(entry, ActMarker) and entry.cue is not None and not entry.cue.stops:
            found.append(NamedMedium(("timeline", index, "cue"), inside(folder, entry.cue.file), entry.cue))
    return found


def _rating_parts(spec: Spec) -> dict[str, Picture | RatingClip]:
    parts = {"still": spec.rating.still, "clip": spec.rating.clip} if spec.rating is not None else {}
    return {kind: part for kind, part in parts.items() if part is not None}


def check_files(spec: Spec, folder: Path, report: Report) -> None:
    """Report every file that is not there, and every one whose fingerprint is not the spec's."""
    for asset in assets_of(spec, folder):
        span = asset.owner.place.of("file")
        if asset.owner.file == ABSENT:
            continue
        if not os.path.isfile(asset.file):  # noqa: PTH113 - Path's own raises where a name is too long
            what = "a folder" if os.path.isdir(asset.file) else "not there"  # noqa: PTH112
            hints = near(asset.file) if what == "not there" else []
            if isinstance(asset.owner, Film):
                hints.append("relink a film that moved: cinecut link SPEC FILM")
            report.add("missing-file", f"{asset.file} is {what}", span, *hints)
        elif asset.owner.facts is not None:
            _check_same(asset, report)


def _check_same(asset: NamedMedium, report: Report) -> None:
    assert asset.owner.facts is not None
    known = asset.owner.facts.fingerprint
    try:
        found = fingerprint(asset.file)
    except Stop as stop:
        report.found += [changed(d, span=asset.owner.place.of("file")) for d in stop.diagnostics]
        return
    if found != known:
        size, wanted = int(found.partition("-")[0]), known.partition("-")[0]
        difference = f"it has {size} bytes, not {wanted}" if str(size) != wanted else "the same size, other content"
        message = f"{asset.file} is not the file that this spec was made for: {difference}"
        hint = "if it is the right one now, measure it anew: cinecut link SPEC"
        report.add("other-file", message, asset.owner.place.of("file"), hint)


def measure(asset: NamedMedium) -> Facts:
    """The facts of an asset's file. Raises Stop."""
    from cinecut.media import probe

    match asset.owner:
        case Lut():
            from cinecut.grade.cube import lut_facts

            return lut_facts(asset.file)
        case Film() | RatingClip():
            return probe.film_facts(asset.file)
        case Music() | Cue():
            return probe.song_facts(asset.file)
        case Picture():
            return probe.still_facts(asset.file)


def linked(spec: Spec, folder: Path) -> Spec:
    """The spec with the facts that it lacks measured, for one run; the file is left as it is."""
    facts: dict[TreePath, Any] = {a.path: measure(a) for a in assets_of(spec, folder) if a.owner.facts is None}
    if not facts:
        return spec
    timeline = tuple(_linked_entry(entry, index, facts) for index, entry in enumerate(spec.timeline))
    film = changed(spec.film, facts=facts.get(("film",), spec.film.facts))
    music = spec.music and changed(spec.music, facts=facts.get(("music",), spec.music.facts))
    rating = spec.rating
    if rating is not None:
        still = rating.still and changed(rating.still, facts=facts.get(("rating", "still"), rating.still.facts))
        clip = rating.clip and changed(rating.clip, facts=facts.get(("rating", "clip"), rating.clip.facts))
        rating = changed(rating, still=still, clip=clip)
    lut = spec.lut and changed(spec.lut, facts=facts.get(("lut",), spec.lut.facts))
    return changed(spec, film=film, music=music, lut=lut, rating=rating, timeline=timeline)


def _linked_entry(entry: Entry, index: int, facts: dict[TreePath, Any]) -> Entry:
    if isinstance(entry, Still) and (path := ("timeline", index, "still")) in facts:
        entry = changed(entry, still=changed(entry.still, facts=facts[path]))
    if not isinstance(entry, ActMarker) and (path := ("timeline", index, "cue")) in facts:
        assert entry.cue is not None
        entry = changed(entry, cue=changed(entry.cue, facts=facts[path]))
    return entry


def write_facts(document: Document, facts: Records[TreePath, Facts], files: Records[TreePath, str]) -> str:
    """The spec's text with facts (and new file names) put under their assets; nothing else changes. An asset that
    stands in several places by an alias gets its facts where it is written. Raises Stop where there is no such place.
    """
    written: dict[Span, TreePath] = {}
    for path in facts:
        _, parent, node = _asset(document, path)
        owner = written.setdefault(node.span, path)
        if facts[owner] != facts[path] or files.get(owner) != files.get(path):
            message = "this is another file than what it repeats: write it out"
            raise Stop("yaml", message, span=parent.keys[str(path[-1])])
        if not parent.is_alias(str(path[-1])):
            written[node.span] = path
    edits: list[tuple[Span, str]] = []
    for path in written.values():
        key, parent, node = _asset(document, path)
        if parent.is_alias(key):
            raise Stop("yaml", "facts have no place below an alias: write it out", span=parent.keys[key])
        edits += _edits(document, parent, key, facts[path], files.get(path))
    return document.replaced(edits)


def _asset(document: Document, path: TreePath) -> tuple[str, Mapping, Node]:
    """An asset's key, the mapping that it stands in, and its node."""
    node = document.root
    for step in path[:-1]:
        node = node.entries[str(step)] if isinstance(node, Mapping) else node.items[int(step)]  # type: ignore
    assert isinstance(node, Mapping)
    key = str(path[-1])
    return key, node, node.entries[key]


def _edits(document: Document, parent: Mapping, key: str, facts: Facts, file: str | None) -> list[tuple[Span, str]]:
    node = parent.entries[key]
    if isinstance(node, Scalar):
        return [_long_form(document, parent, key, node, facts, file)]
    assert isinstance(node, Mapping)
    for name in ("file", "facts"):
        if name in node.entries and node.is_alias(name):
            raise Stop("yaml", f"`{name}` is an alias here: write it out", span=node.keys[name])
    edits = [_facts_edit(document, node, facts)]
    if file is not None:
        edits.append((node.entries["file"].span, quoted(file)))
    return edits


def _long_form(
    document: Document, parent: Mapping, key: str, node: Scalar, facts: Facts, file: str | None
) -> tuple[Span, str]:
    """`film: film.mp4` becomes `file` and `facts` below `film`. A comment stays with the name, an anchor above."""
    span, line = node.span, document.lines[node.span.line]
    own = line[span.column : span.end_column] if span.end_line == span.line else quoted(str(node.value))
    anchor = re.match(r"&\S+", line[span.column :])
    mark = anchor[0] if anchor else ""
    name = own.removeprefix(mark).lstrip() if file is None else quoted(file)
    if parent.flow:
        return span, f"{mark} {{file: {name}, facts: {_flow(facts)}}}".lstrip()
    last = document.lines[span.end_line]
    before = line[: span.column]
    if before.strip():
        indent = " " * (parent.keys[key].column + 2)
        start, head = len(before.rstrip()), f" {mark}".rstrip() + f"\n{indent}"  # right after the colon
    else:  # the name stands below its key already
        indent, start, head = before, span.column, f"{mark}\n{before}" if mark else ""
    whole = Span(span.file, span.line, start, span.end_line, len(last))
    return whole, f"{head}file: {name}{last[span.end_column :]}\n{indent}facts:{facts_block(facts, indent)}"


def _facts_edit(document: Document, node: Mapping, facts: Facts) -> tuple[Span, str]:
    """Facts in the place of the old ones, or after the last key."""
    file, old = node.span.file, node.get("facts")
    if node.flow:
        if old is not None:
            return old.span, _flow(facts)
        line, column = end_of(node.entries["file"])
        return Span(file, line, column, line, column), f", facts: {_flow(facts)}"
    if old is not None:
        key = node.keys["facts"]
        return Span(file, key.line, key.end_column, *end_of(old)), ":" + facts_block(facts, " " * key.column)
    line = end_of(node)[0]
    column = len(document.lines[line])
    indent = " " * next(iter(node.keys.values())).column
    return Span(file, line, column, line, column), f"\n{indent}facts:{facts_block(facts, indent)}"


def quoted(text: str) -> str:
    """A text as a YAML scalar: plain where that is safe, else in quotes with everything escaped."""
    plain = text.replace("/", "").replace("_", "").replace("-", "").replace(".", "").replace(" ", "")
    safe = plain.isalnum() and plain.isascii() and text == text.strip() and text[0] != "-"
    if safe and isinstance(resolve(text), str):
        return text
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    body = "".join(escapes.get(c, c if c.isprintable() else f"\\U{ord(c):08X}") for c in text)
    return f'"{body}"'


def facts_block(facts: Facts, indent: str) -> str:
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


def relink(path: Path, film: Path | None, force: bool = False) -> str:
    """Measure every asset of a spec anew and write the facts into it; with `film`, make the spec name that file, which
    must be the same film unless `force`. Returns what was done, in words. Raises Stop; the spec is replaced at once or
    not at all."""
    report = Report()
    document, spec = load_spec(path, report, unmeasured=ANY_RATE)
    report.stop_on_error()
    assert spec is not None
    assets = assets_of(spec, path.parent)
    files: dict[TreePath, str] = {}
    if film is not None:
        files["film",] = name_from(path.parent, film)
        assets[0] = changed(assets[0], file=film)
    facts = {asset.path: measure(asset) for asset in assets}
    if film is not None and not force:
        _check_film(film, spec.film.facts, facts["film",])
    write_beside(path, write_facts(document, facts, files), [asset.file for asset in assets])
    return f"{len(facts)} file{'s' if len(facts) > 1 else ''} measured"


def _check_film(film: Path, known: FilmFacts | None, found: Facts) -> None:
    """A film that moved, or another encode of it, has the length and the rate that the spec's times were taken from."""
    if known is None or not isinstance(found, FilmFacts):
        return
    if known.rate != found.rate or abs(known.duration - found.duration) > 1:
        is_, was = (f"{clock(facts.duration)} at {rate_text(facts.rate)} frames/s" for facts in (found, known))
        message = f"{film} is not the film that this spec was made for: it is {is_}, that was {was}"
        raise Stop("other-file", message, "--force takes it all the same; every time of the spec then means it")


def name_from(folder: Path, file: Path) -> str:
    """How a spec in `folder` names a file: relative where it lies below it or near it, else absolute."""
    target = file.absolute()
    relative = os.path.relpath(target, folder.absolute())
    return relative if relative.count("..") <= 2 else str(target)
