"""A spec's trailer as files that editing programs open, and the list of what those cannot hold.

The straight line:

    spec ─ examine ─► Layout ─ sequence_of ─► EditSequence ─ a target's writer ─► files
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from cinecut import plugins
from cinecut.compiler.layout import Layout
from cinecut.compiler.picture.look import lut_files, own_name
from cinecut.compiler.resolve import check_linked
from cinecut.diagnostics import Report, Stop
from cinecut.files import beside as beside_of
from cinecut.files import content_of, disk_errors, open_file, refuse_existing, together, write_beside
from cinecut.interchange.build import ExportOptions, cube_name, sequence_of
from cinecut.interchange.fidelity import unsupported
from cinecut.interchange.model import EditSequence, Unsupported, Written
from cinecut.language.read import inside
from cinecut.render.check import files_of, layout_at

# target: (module, function, the end of its file's name, the program)
TARGETS: dict[str, tuple[str, str, str, str]] = {
    "fcp": ("fcpxml", "write", ".fcpxml", "Final Cut Pro: FCPXML 1.11"),
    "resolve": ("fcpxml", "write_for_resolve", ".fcpxml", "DaVinci Resolve: FCPXML 1.11, and its markers as an EDL"),
    "premiere": ("xmeml", "write", ".xml", "Premiere Pro: xmeml 5, which Final Cut Pro 7 and Avid's tools read too"),
    "kdenlive": ("kdenlive", "write", ".kdenlive", "Kdenlive, Shotcut and melt: MLT"),
    "otio": ("otio_file", "write", ".otio", "OpenTimelineIO"),
    "edl": ("edl", "write", ".edl", "CMX 3600, a list for each further track of sound"),
    "markers": ("edl", "write_markers", ".edl", "DaVinci Resolve's timeline markers alone"),
}
REFUSED = {
    "avid": (
        "Media Composer links an AAF to its media by a description of each file's codec, which is known for QuickTime, "
        "MP4 and WAV alone, and for few codecs in them; without it every clip is offline",
        "--to edl for its pictures and sounds, or --to premiere, which Resolve turns into an AAF",
    )
}


@dataclass(frozen=True, slots=True)
class Exported:
    """The files of an export, the sequence in them, and what they do not carry."""

    files: list[Path]
    sequence: EditSequence
    unsupported: list[Unsupported]


def targets() -> list[str]:
    """What `--to` takes: our own targets and the exporters of plug-ins."""
    return [*TARGETS, *(name for name in plugins.names("exporters") if name not in TARGETS)]


def check_to(target: str) -> None:
    """Raise Stop for an unknown target."""
    if target in REFUSED:
        why, instead = REFUSED[target]
        raise Stop("option", f"--to {target}: {why}", instead)
    if target not in targets():
        raise Stop("option", f"--to cannot be {target!r}", ", ".join(targets()))


def default_path(spec: Path, target: str) -> Path:
    """The default target of an export: the current folder, under the spec's name."""
    return Path(spec.stem + ("_markers" if target == "markers" else "") + _end(target))


def _end(target: str) -> str:
    return TARGETS[target][2] if target in TARGETS else f".{target}"


def export(spec: Path, target: str, output: Path | None, wishes: ExportOptions, *, force: bool = False) -> Exported:
    """Write a spec's trailer for a target. Raises Stop with everything that is wrong."""
    check_to(target)
    layout = layout_for(spec)
    end = _end(target)
    path = output or default_path(spec, target)
    stem = path.name.removesuffix(path.suffix)
    beside = path.with_name(f"{stem}_")
    sequence = replace(sequence_of(layout, stem, wishes), beside=str(beside.absolute()))
    sources = [spec, *files_of(layout.trailer.spec, wishes.folder)]
    if target in TARGETS:
        made = written(target, sequence)
    else:
        refuse_existing([path], force, "--force replaces it, -o names another")
        made = _by_plugin(target, sequence, path, sources)
    files = {path if name == end else path.with_name(stem + name): data for name, data in made.files.items()}
    files |= {path.with_name(beside.name + name): data for name, data in _looks(layout, wishes.folder).items()}
    others = [file for file, data in files.items() if not _holds(file, data)]
    refuse_existing(others, force, "--force replaces it, -o names another")
    with together():
        for file, data in files.items():
            write_beside(file, data, never=sources)
    listed = [*files, *([path] if target not in TARGETS else [])]
    return Exported(listed, sequence, [*unsupported(sequence, target), *made.unsupported])


def layout_for(spec: Path) -> Layout:
    """The layout of a spec without mistakes, whose media are measured; they need not be there."""
    layout, report = layout_at(spec), Report()
    check_linked(layout.trailer.spec, report)
    report.stop_on_error()
    return layout


def _holds(file: Path, data: bytes) -> bool:
    """Whether a file, such as the look beside an export to another program, has these very bytes already."""
    with contextlib.suppress(OSError):
        return content_of(file, len(data) + 1) == data
    return False


def written(target: str, sequence: EditSequence) -> Written:
    """The files of one of TARGETS."""
    module, function, _, _ = TARGETS[target]
    written: Written = getattr(import_module(f"cinecut.interchange.writers.{module}"), function)(sequence)
    return written


def _by_plugin(target: str, sequence: EditSequence, path: Path, never: list[Path]) -> Written:
    plugin = plugins.find("exporters", target)
    with disk_errors(path.parent), beside_of(path, never) as part:
        lost = plugin(sequence, part)
        if not part.is_file() or not part.stat().st_size:
            raise plugin.failed("it wrote nothing")
        try:
            listed = tuple(Unsupported(*map(str, entry)) for entry in lost or ())
        except TypeError:
            raise plugin.failed("it returned no list of (event, what, instead)") from None
    return Written({}, listed)


def _looks(layout: Layout, folder: Path) -> dict[str, bytes]:
    """The looks of the trailer's shots as LUT files, by the names that the clips use."""
    trailer, looks = layout.trailer, dict[str, bytes]()
    grades = lut_files(trailer)
    if grades or trailer.lut is not None:
        from cinecut.grade.cube import cube_text, read_cube, stages
        from cinecut.grade.formula import lut

        looks = {cube_name(name): cube_text(lut([grade])) for name, grade in grades.items()}
        if trailer.lut is not None:
            file = inside(folder, trailer.lut.file)
            with open_file(file) as opened:
                cube = read_cube(opened.read(), str(file))
            tables = {own_name(kind.removeprefix("lut")): cube_text(values) for kind, values in stages(cube)}
            looks |= {cube_name(name): text for name, text in tables.items()}
    return looks
