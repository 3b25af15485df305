"""A lock: everything that a trailer was made of, and the result, by content, as a text to read and compare;
and rendering exactly what it says.

Job + FFmpeg ─ made_of ─► TrailerLock without results ─ results_of its files ─► TrailerLock ─ print_lock ─► SPEC.lock
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from cinecut import __version__
from cinecut.diagnostics import Report, Stop, as_word
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.files import check_writable, disk_errors, open_file, working_folder, write_beside
from cinecut.fonts.glyphs import FACES
from cinecut.fonts.glyphs import FOLDER as FONTS
from cinecut.language.document import parse_document, plain, read_document
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec
from cinecut.language.write import write_spec
from cinecut.machine.child import run_watched
from cinecut.media.link import assets_of
from cinecut.render.folder import Materials
from cinecut.render.job import SILENT, Job, Watch
from cinecut.render.master import sounds_of
from cinecut.render.segments.keys import Keys
from cinecut.render.segments.pictures import segments_of
from cinecut.render.store import Store, code
from cinecut.render.trailer import Effort, Rendered, render

_VERSION = 1
_NOTES = {"place", "zone", "beat_type", "score", "why", "by", "scene", "alternatives", "anchors", "protagonist"}


@dataclass(frozen=True, slots=True)
class LockedMedium:
    """A file that is read: its name in the spec, its size in bytes and its hash."""

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LockedSegment:
    """The frames [start, end) of an output, the key of their content, and the events in them."""

    start: int
    end: int
    key: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LockedOutput:
    """One file of the trailer: what it is made of and, once rendered, the result. `streams`: hashes of the decoded
    streams."""

    name: str
    about: str  # a hash of its title, its chapters and its subtitles
    segments: tuple[LockedSegment, ...]
    sound: str
    sha256: str = ""
    streams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrailerLock:
    """Everything that a trailer is made of. `spec_digest`: a digest of the spec's values, however they are written.
    `spec`: the spec's lines, with measured facts."""

    cinecut: str
    code: str
    spec_digest: str
    media: tuple[LockedMedium, ...]
    fonts: Mapping[str, str]
    looks: Mapping[str, str]
    ffmpeg: Mapping[str, str]
    outputs: tuple[LockedOutput, ...]
    spec: tuple[str, ...]


def made_of(job: Job, ffmpeg: FFmpeg) -> TrailerLock:
    """The lock of a job before rendering, without results. Reads every medium completely."""
    spec = job.spec
    materials = Materials(job, Path(), SILENT, Store(None)).keys
    faces = sorted(job.plan.layout.trailer.faces)
    return TrailerLock(
        cinecut=__version__,
        code=code(),
        spec_digest=hashlib.sha256(repr(_values(spec)).encode()).hexdigest(),
        media=tuple(_media(job)),
        fonts={face: _sha256(FONTS / FACES[face])[1] for face in faces},
        looks={name: materials[name] for name in sorted(job.plan.luts)},
        ffmpeg=_build(ffmpeg),
        outputs=tuple(_outputs(job, Keys(materials, ffmpeg))),
        spec=tuple(write_spec(spec).splitlines()),
    )


def with_results(lock: TrailerLock, files: Mapping[str, Path], ffmpeg: FFmpeg) -> TrailerLock:
    """The lock with the results of a render: `files` by output name."""
    done = (
        replace(output, sha256=_sha256(files[output.name])[1], streams=_streams(files[output.name], ffmpeg))
        for output in lock.outputs
    )
    return replace(lock, outputs=tuple(done))


def lock_file(spec: Path) -> Path:
    """The path of a spec's lock, beside it."""
    return spec.with_name(spec.name + ".lock")


def own_lock(spec: Path) -> Path:
    """The lock beside a spec. Raises Stop if there is none."""
    lock = lock_file(spec)
    if spec.suffix == ".lock":
        hint = f"cinecut why {as_word(spec)} SPEC, or a newer lock"
        raise Stop("option", f"{spec} is a lock: it takes two things to compare", hint)
    if spec.is_file() and not lock.is_file():
        raise Stop("missing-file", f"{spec} has no lock", f"cinecut lock {as_word(spec)} writes it")
    return lock


def _media(job: Job) -> Iterator[LockedMedium]:
    files = {str(asset.owner.file): asset.file for asset in assets_of(job.spec, job.folder)}
    for name, file in files.items():
        yield LockedMedium(name, *_sha256(file))


def _sha256(file: Path) -> tuple[int, str]:
    """A file's size in bytes, and its hash."""
    with open_file(file) as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]  # a file of bytes is one
        return content.tell(), digest


def _values(value: Any) -> Any:
    """The values of a part of a spec, without places and without notes that do not affect the trailer."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [item.name for item in fields(value) if item.name not in _NOTES]
        return type(value).__name__, [(name, _values(getattr(value, name))) for name in names]
    if isinstance(value, tuple):
        return [_values(item) for item in value]
    if isinstance(value, Mapping):
        return sorted((key, _values(item)) for key, item in value.items())
    return value


def _build(ffmpeg: FFmpeg) -> dict[str, str]:
    """The first lines of a build's version text, and its hash."""
    said = ffmpeg.identity.partition(" ")[2].splitlines()
    configuration = next((line.partition(":")[2].strip() for line in said if line.startswith("configuration")), "")
    version = said[0].partition(" Copyright")[0] if said else ""
    return {"version": version, "configuration": configuration, "sha256": _sha256(Path(ffmpeg.path))[1]}


def _outputs(job: Job, keys: Keys) -> Iterator[LockedOutput]:
    plan = job.plan
    sounds = {name: keys.sound(sound) for sound in sounds_of(plan) for name in sound.names}
    segments = segments_of(plan)
    for target in plan.targets:
        own = [
            LockedSegment(each.start, each.end, keys.segment(each), _events(job, each.start, each.end))
            for each in segments
            if each.output == target.name
        ]
        said = plan.files.get(target.dialogue, b"") if target.captions else b""
        about = hashlib.sha256(repr((plan.about.get(target.name), said)).encode()).hexdigest()
        yield LockedOutput(target.name, about, tuple(own), sounds[target.name])


def _events(job: Job, start: int, end: int) -> tuple[str, ...]:
    """The names of the events between two frames of the file."""
    opening = job.plan.opening
    events = [e.name for e in job.plan.timeline.events if e.extent.start.index + opening < end]
    before = [e.name for e in job.plan.timeline.events if e.extent.end.index + opening <= start]
    return (*(["rating"] if start < opening else []), *events[len(before) :])


def _streams(file: Path, ffmpeg: FFmpeg) -> tuple[str, ...]:
    """A hash of each decoded stream of a file, by FFmpeg's `streamhash`: `0,v,SHA256=…`."""
    command = [ffmpeg.path, "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe", "-bitexact"]
    command += ["-i", f"file:{file.absolute()}", "-map", "0:v?", "-map", "0:a?", "-map", "0:s?", "-c:s", "copy"]
    command += ["-f", "streamhash", "-hash", "sha256", "-"]
    done = run_watched(command, str(file))
    if done.returncode:
        raise Stop("ffmpeg", f"{file} cannot be decoded", *done.stderr.decode(errors="replace").splitlines()[-2:])
    return tuple(done.stdout.decode().split())


# As a text


def print_lock(lock: TrailerLock, name: str) -> str:
    """A lock as YAML, one value per line, always in the same order. `name`: the spec's file."""
    command = f"cinecut render {as_word(name)} --locked"
    head = f"# What the trailer of {name} is made of, and what came of it: `{command}` makes exactly"
    head = "".join(sign if sign.isprintable() else " " for sign in head)
    rows = [head, "# this; `cinecut why` says what differs. Made by `cinecut lock`."]
    rows += [f"lock: {_VERSION}", *_rows(asdict(lock))]
    return "\n".join(rows) + "\n"


def _rows(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_text(key)}:"
            yield from _rows(value, indent + "  ")
        elif isinstance(value, tuple) and value and key != "events":
            yield f"{indent}{key}:"
            for item in value:
                yield from _item(item, indent + "  ")
        else:
            yield f"{indent}{_text(key)}: {_json(value)}"


def _item(item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, Mapping):
        first, *others = _rows(item, indent + "  ")
        yield f"{indent}- {first.strip()}"
        yield from others
    else:
        yield f"{indent}- {_json(item)}"


def _text(key: str) -> str:
    return key if re.fullmatch(r"[a-z_][a-z0-9_]*", key) else _json(key)


def _json(value: Any) -> str:
    """JSON that is YAML too, which takes some signs only as escapes."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def read_lock(path: Path) -> TrailerLock:
    """A lock from its file. Raises Stop if it is not one, or of another version."""
    report = Report()
    document = read_document(path, report)
    report.stop_on_error()
    values = plain(document.root)
    hint = f"write it again: cinecut lock {as_word(path.name.removesuffix('.lock'))}"
    if not isinstance(values, dict) or values.get("lock") != _VERSION:
        raise Stop("locked", f"{path} is no lock that this cinecut reads", hint)
    try:
        return TrailerLock(
            **{key: values[key] for key in ("cinecut", "code", "spec_digest", "fonts", "looks", "ffmpeg")},
            media=tuple(LockedMedium(**each) for each in values["media"]),
            outputs=tuple(map(_output, values["outputs"])),
            spec=tuple(values["spec"]),
        )
    except (KeyError, TypeError):
        raise Stop("locked", f"{path} is damaged: a part of it is missing", hint) from None


def _output(values: Mapping[str, Any]) -> LockedOutput:
    segments = tuple(LockedSegment(**{**each, "events": tuple(each["events"])}) for each in values["segments"])
    return LockedOutput(**{**values, "segments": segments, "streams": tuple(values["streams"])})


def spec_of(lock: TrailerLock, path: Path) -> Spec:
    """The spec inside a lock; places refer to the lock's copy. Raises Stop."""
    report = Report()
    spec = fill_spec(parse_document(path, "\n".join(lock.spec) + "\n", report), report)
    report.stop_on_error()
    if spec is None:
        raise Stop("locked", f"{path} holds no spec", "write it again: cinecut lock SPEC")
    return spec


# What differs


def other_than(locked: TrailerLock, now: TrailerLock) -> Iterator[str]:
    """The differences from the lock, in words: what the trailer is made of, and results that both have."""
    if locked.cinecut != now.cinecut or locked.code != now.code:
        yield f"cinecut {locked.cinecut} made it, this is {now.cinecut}" + (
            "" if locked.cinecut != now.cinecut else " with other code"
        )
    for part, was in locked.ffmpeg.items():
        if part != "configuration" and now.ffmpeg[part] != was:
            yield f"FFmpeg's {part} was {was}, is {now.ffmpeg[part]}"
    yield from _others("the medium", {m.file: m.sha256 for m in locked.media}, {m.file: m.sha256 for m in now.media})
    yield from _others("the font", locked.fonts, now.fonts)
    yield from _others("the look", locked.looks, now.looks)
    if locked.spec_digest != now.spec_digest:
        yield "the spec says something else (`cinecut why` says what)"
    outputs = {output.name: output for output in now.outputs}
    for output in locked.outputs:
        present = outputs.get(output.name)
        yield from _other_output(output, present) if present is not None else [f"there is no {output.name} now"]


def _other_output(was: LockedOutput, now: LockedOutput) -> Iterator[str]:
    name = f" of {was.name}" if was.name else ""
    keys = {segment.key for segment in was.segments}
    new = [segment for segment in now.segments if segment.key not in keys]
    if new:
        events = ", ".join(dict.fromkeys(event for segment in new for event in segment.events))
        yield f"{len(new)} of {len(now.segments)} segments{name} are made of something else: {events}"
    if was.sound != now.sound:
        yield f"the sound{name} is made of something else"
    if was.about != now.about:
        yield f"title, chapters or subtitles{name} are others"
    if was.streams and now.streams and was.streams != now.streams:
        kinds = {"v": "pictures", "a": "sound", "s": "subtitles"}
        others = [kinds.get(each.split(",")[1], "data") for each in now.streams if each not in was.streams]
        yield f"what came out{name} decodes to other {' and '.join(others) or 'streams'}"
    elif was.sha256 and now.sha256 and was.sha256 != now.sha256:
        yield f"the file{name} has other bytes, though it decodes to the same"


def _others(what: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterable[str]:
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name):
            state = "is new" if name not in was else "is gone" if name not in now else "is another"
            yield f"{what} {name} {state}"


# Rendering

_NAMED = 12  # differences


def write_lock(job: Job, spec: Path, output: Path | None, ffmpeg: FFmpeg, watch: Watch, *, force: bool) -> Rendered:
    """Render a job and write the spec's lock beside it. Without `output` only the lock stays. Raises Stop."""
    check_writable(target := lock_file(spec))
    lock = rendered = made_of(job, ffmpeg)

    def note(files: Mapping[str, Path]) -> None:
        nonlocal rendered
        rendered = with_results(lock, files, ffmpeg)

    effort = Effort(accept=note)
    if output is not None:
        done = render(job, output, ffmpeg, watch, force=force, effort=effort)
    else:
        with disk_errors(target), working_folder(target) as folder:
            done = render(job, folder / f"trailer{job.plan.suffix}", ffmpeg, watch, effort=effort)
    write_beside(
        target, print_lock(rendered, spec.name), [spec, *(asset.file for asset in assets_of(job.spec, job.folder))]
    )
    return done


def only_as_locked(job: Job, spec: Path, ffmpeg: FFmpeg, only: Sequence[str]) -> Callable[[Mapping[str, Path]], None]:
    """Raises Stop if a job differs from its lock. Returns a check for `Effort.accept`, which refuses files that still
    came out differently."""
    path = own_lock(spec)
    locked = _only(read_lock(path), [target.name for target in job.plan.targets] if only else ())
    now = made_of(job, ffmpeg)
    _refuse(path, list(other_than(locked, now)))

    def accept(files: Mapping[str, Path]) -> None:
        _refuse(path, list(other_than(locked, with_results(now, files, ffmpeg))))

    return accept


def _only(lock: TrailerLock, names: Sequence[str]) -> TrailerLock:
    return replace(lock, outputs=tuple(o for o in lock.outputs if o.name in names)) if names else lock


def _refuse(path: Path, differences: Sequence[str]) -> None:
    if differences:
        more = [f"and {len(differences) - _NAMED} more"] if len(differences) > _NAMED else []
        hint = f"`cinecut why` says what changes; `cinecut lock` accepts it: {path}"
        raise Stop("locked", "the result would differ from the locked trailer", *differences[:_NAMED], *more, hint)
