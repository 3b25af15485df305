"""Three-way merging of the parts of a spec around its timeline: film, music, mix, vibe, outputs.

base (as analyze wrote it) ─┬─ ours (the file) ─────┐
                            └─ theirs (analyzed now) ┴─► what the file becomes, and the conflicts
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from cinecut.diagnostics import excerpt
from cinecut.language.document import Document, MapNode, Node, Scalar, end_of
from cinecut.language.document.comments import remarks_of
from cinecut.language.document.edit import Edits
from cinecut.language.document.layout import print_flow
from cinecut.language.spec import Film, Spec
from cinecut.language.write import spec_tree

_NOT_MERGED = ("cinecut", "timeline")
_OF_THE_FILE = ("file", "facts")  # where a film lies is no matter of taste
SONG = ("file", "beats", "start", "parts", "loop", "credit", "facts", "pulse")  # what comes with another song


@dataclass(frozen=True, slots=True)
class MergedValue:
    """A value that the file gets (None: the default). `path`: of a part, or of a key in a part."""

    path: tuple[str, ...]
    value: Node | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that both the user and the new analysis changed, differently; the user's stays."""

    path: tuple[str, ...]
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: yours is {self.ours}, the new analysis says {self.theirs}: yours stays"


def merged(
    base: Spec | None, ours: Spec, theirs: Spec, asked: Collection[tuple[str, ...]]
) -> tuple[list[MergedValue], list[Conflict]]:
    """The values that the file takes from the new analysis. `asked`: the paths that the command itself changes."""
    settings, conflicts = list[MergedValue](), list[Conflict]()
    own, new_tree = (spec_tree(spec, {}) for spec in (ours, theirs))
    for part in (item.name for item in fields(Spec) if item.name not in (*_NOT_MERGED, "place")):
        values = [_part(spec, part, ours) if spec is not None else None for spec in (base, ours, theirs)]
        for path, was, mine, new in _leaves(part, *values):
            if (part in ("film", "films") and path[-1] in _OF_THE_FILE) or mine == new:
                continue
            if path in asked or (base is not None and mine == was):
                settings.append(MergedValue(path, _written(theirs, new_tree, path)))
            elif base is not None and new != was:
                shown = (_shown(_written(ours, own, path)), _shown(_written(theirs, new_tree, path)))
                conflicts.append(Conflict(path, *shown))
    return settings, conflicts


def _part(spec: Spec, part: str, ours: Spec) -> Any:
    """A part of a spec; a single film is treated as the first of several if there are several now."""
    if part == "films" and spec.film is not None and ours.films is not None:
        return {ours.name_of(""): spec.film}
    return getattr(spec, part)


def _leaves(part: str, was: Any, mine: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any, Any]]:
    """A part's keys with their values in the three versions; for films those of each film; the whole part if one of the
    last two versions lacks it."""
    if part == "films" and mine is not None and new is not None:
        for name in (each for each in mine if each in new):
            for path, *values in _leaves(name, (was or {}).get(name), mine[name], new[name]):
                yield (part, *path), *values
        return
    if not is_dataclass(mine) or not is_dataclass(new) or part == "rating":
        yield (part,), was, mine, new
        return
    for item in fields(mine):
        if item.name != "place":
            before = getattr(was, item.name) if was is not None else None
            key = item.name.rstrip("_")
            yield (part, key), before, getattr(mine, item.name), getattr(new, item.name)


def _written(spec: Spec, tree: MapNode, path: tuple[str, ...]) -> Node | None:
    """The node of a value in a spec; None for the default."""
    node, value = tree.get(path[0]), getattr(spec, path[0])
    for key in path[1:]:
        if not isinstance(node, MapNode):
            return node if node is not None and key == getattr(type(value), "short", "") else None
        node, value = node.get(key), value[key] if isinstance(value, Mapping) else value
    return node


def _shown(node: Node | None) -> str:
    return "as usual" if node is None else excerpt(print_flow(node), 80)


@dataclass(frozen=True, slots=True)
class Versions:
    """The three versions as documents; `base` is None if what analyze wrote is not known."""

    base: Document | None
    ours: Document
    theirs: Document


def with_settings(versions: Versions, ours: Spec, theirs: Spec, settings: list[MergedValue]) -> str:
    """The text of the file with the merged values. A part that comes entirely from the new analysis, and has no comment
    of the user's, is written as analyze writes it, with its reasons."""
    edits, root = Edits(versions.ours), versions.ours.root
    assert isinstance(root, MapNode)
    for part in dict.fromkeys(setting.path[0] for setting in settings):
        own = [setting for setting in settings if setting.path[0] == part]
        if not root.flow and part in root.entries and _same(ours, theirs, part, own) and not _commented(versions, part):
            first, last = _rows(versions.ours, part)
            begin, end = _rows(versions.theirs, part)
            text = "\n".join(versions.theirs.lines[begin : end + 1])
            edits.put(first, 0, last, len(edits.lines[last]), text)
            continue
        for setting in own:
            _set(edits, setting, Film if part == "films" else type(getattr(theirs, part)))
        _keep_comments(edits, versions, own)
    return edits.text()


def _rows(document: Document, part: str) -> tuple[int, int]:
    """The first and last row of a part, with the comments right above it."""
    assert isinstance(document.root, MapNode)
    first, last = document.root.keys[part].line, end_of(document.root.entries[part])[0]
    while first and document.lines[first - 1].startswith("#"):
        first -= 1
    return first, last


def _same(ours: Spec, theirs: Spec, part: str, own: list[MergedValue]) -> bool:
    """Whether a part equals the new analysis's after the merge."""
    changed = {setting.path[-1].rstrip("_") for setting in own if len(setting.path) > 1}
    mine, new = getattr(ours, part), getattr(theirs, part)
    if new is None or not is_dataclass(mine):
        return False
    names = (item.name for item in fields(mine) if item.name != "place")
    return all(name.rstrip("_") in changed or getattr(mine, name) == getattr(new, name) for name in names)


def _commented(versions: Versions, part: str) -> bool:
    """Whether the user wrote a comment in a part."""
    return versions.base is None or not _comments(versions.ours, part) <= _comments(versions.base, part)


def _keep_comments(edits: Edits, versions: Versions, settings: Sequence[MergedValue]) -> None:
    """Put the user's comments in values that are replaced above the part."""
    part, root = settings[0].path[0], versions.ours.root
    written = _comments(versions.base, part) if versions.base is not None else set()
    lost = list[str]()
    for path, remark in remarks_of(versions.ours).items():
        for setting in settings:
            gone = setting.value is None and path == setting.path
            inside = path[: len(setting.path)] == setting.path and len(path) > len(setting.path)
            texts = (*(remark.above if inside else ()), remark.beside if inside or gone else "", *remark.below)
            lost += [text for text in texts if text and text not in written and (inside or gone)]
    if lost and isinstance(root, MapNode) and part in root.keys:
        line = 0 if root.flow else root.keys[part].line
        edits.put(line, 0, line, 0, "".join(f"{text}\n" for text in lost))


def _comments(document: Document, part: str) -> set[str]:
    remarks = [remark for path, remark in remarks_of(document).items() if path[:1] == (part,)]
    return {text for each in remarks for text in (*each.above, each.beside, *each.below) if text}


def _set(edits: Edits, setting: MergedValue, cls: type) -> None:
    """`cls`: the record that the key belongs to, if it belongs to one."""
    where, key, value = setting.path[:-1], setting.path[-1], setting.value
    root, short = edits.node(where[:-1]), getattr(cls, "short", "")
    assert isinstance(root, MapNode)
    if not where:
        if value is not None:
            edits.set((key,), value)
        elif key in root.entries:
            edits.remove((key,))
        return
    node = root.get(where[-1])
    if isinstance(node, Scalar) and key == short:
        edits.set(where, value or node)
    elif value is not None and node is None:
        edits.set(where, MapNode.of({key: value}, flow=False))
    elif value is not None:
        edits.fill(where, short, {key: value})
    elif isinstance(node, MapNode) and key in node.entries and len(node.entries) > 1:
        edits.remove((*where, key))
    elif isinstance(node, MapNode) and key in node.entries:
        edits.remove(where)
