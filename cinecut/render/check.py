"""From a spec's file to its layout, in one order of checking, so that `check`, `explain`, `compile`, `render` and
`pack` report the same mistakes.

    file ─ read ─► Spec ─ files, facts ─ vibe, faces ─ resolve ─► Trailer ─ lay_out ─► Layout
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cinecut.compiler.deliveries import check_kits
from cinecut.compiler.layout import Layout, lay_out
from cinecut.compiler.layout.timeline import translated
from cinecut.compiler.resolve import check_linked, faces_of, resolve
from cinecut.diagnostics import Report, Severity, Span, Stop, as_word
from cinecut.files import content_of
from cinecut.fonts.glyphs import check_glyphs, load_face
from cinecut.kits import kits_of
from cinecut.known.judge import judge
from cinecut.known.record import Known, known_of, was_analysed
from cinecut.language.document import STDIN, Document, MapNode
from cinecut.language.read import fill_spec, inside, load_spec
from cinecut.language.rules import check_rules
from cinecut.language.spec import Spec
from cinecut.language.translation import translations_of
from cinecut.vibes import vibe_of

if TYPE_CHECKING:
    from cinecut.compiler.plan import RenderPlan


def examine(path: Path, report: Report, *, files: bool = False, link: bool = False) -> Layout | None:
    """The layout of a spec, with all that is wrong in the report; None where nothing can be made of the file.

    `files` looks at the files that it names, too; `link` measures those without facts. Raises Stop where the spec or a
    medium cannot be read at all.
    """
    document, spec = load_spec(path, report)
    if spec is None:
        return None
    if files:
        from cinecut.media.link import check_files, linked

        check_files(spec, path.parent, report)
        if link and report.ok:
            spec = linked(spec, path.parent)
            check_rules(spec, report)  # once more, now that all is measured
    layout = layout_of(spec, report)
    if _music_is_wrong(document, report):
        report.found = [each for each in report.found if each.code != "no-grid"]  # it follows from that mistake
    return layout


def _music_is_wrong(document: Document, report: Report) -> bool:
    music = document.root.entries.get("music") if isinstance(document.root, MapNode) else None
    if music is None:
        return False
    errors = [each.span for each in report if each.severity is Severity.ERROR and each.code != "no-grid" and each.span]
    first, last = (music.span.line, music.span.column), (music.span.end_line, music.span.end_column)
    return any(first <= (span.line, span.column) < last for span in errors)


def files_of(spec: Spec, folder: Path) -> list[Path]:
    """All files that a spec in a folder names: its media, and data files of the user's own."""
    from cinecut.media.link import assets_of, own_files

    own = (inside(folder, name) for name in own_files(spec).values())
    return [*(each.file for each in assets_of(spec, folder)), *own]


def layout_at(path: Path) -> Layout:
    """The layout of a spec without mistakes; the files that it names need not exist. Raises Stop."""
    report = Report()
    return report.require(examine(path, report))


def layout_of(spec: Spec, report: Report) -> Layout:
    """The layout of a spec; reads its vibe and the typefaces of its texts."""
    vibe, kits = vibe_of(spec.vibe), kits_of(spec.deliverables, Path(spec.place.span.file).parent, report)
    faces = {name: load_face(name) for name in faces_of(spec, vibe, kits)}
    layout = lay_out(resolve(spec, vibe, kits, faces, translations_of(spec, report)), report)
    opening = layout.trailer.opening.frames if layout.trailer.opening is not None else 0
    check_kits(layout.trailer.outputs, layout.timeline.rate, layout.timeline.frames + opening, report)
    _check_words(layout, report)
    _check_sounds(layout, report)
    return layout


def _check_sounds(layout: Layout, report: Report) -> None:
    """Warn of sounds of one channel each that nothing tells apart: they may be the channels of one."""
    for film, facts in ((each.film, each.facts) for each in layout.trailer.footage.values()):
        kinds = {(sound.rate, sound.channels, sound.parts, sound.stream, sound.language) for sound in facts.audio}
        single = len(kinds) == 1 and facts.audio[0].channels == 1
        if single and len(facts.audio) > 1 and "audio" not in film.place.given:
            message = f"{film.file} has {len(facts.audio)} sounds of one channel each: only the first is heard"
            join = f"ffmpeg -i FILE -filter_complex join=inputs={len(facts.audio)} -c:v copy film.mkv"
            hint = f"channels of one sound are put together by {join}; `audio: 1` says that they are none"
            report.add("film", message, film.place.of("file"), hint)


def _check_words(layout: Layout, report: Report) -> None:
    """Check that every language has all shown texts, and that the typeface has all of their characters."""
    trailer, texts, style = layout.trailer, layout.timeline.texts, layout.trailer.style
    written, lines = [*texts], list(_lines(layout))
    for translation in trailer.translations.values():
        files = [file for file in trailer.outputs.values() if file.language == translation.language]
        shown = [(text.text, text.event, text.span) for text in texts if any(file.texts for file in files)]
        shown += [(line, "", span) for line, span in lines if any(file.subtitles != "none" for file in files)]
        known = {text.event for text in texts} | {text.text for text in texts} | {line for line, _ in lines}
        translation.check(shown, known, report)
        written += translated(texts, translation)
    if texts:
        check_glyphs(((style.cased(text.text), text.span) for text in written), trailer.faces[style.face], report)


def _lines(layout: Layout) -> Iterator[tuple[str, Span]]:
    """The lines that may be heard, each with its place."""
    for placed in layout.timeline.events:
        for spoken in (placed.event, *placed.event.voice):
            if spoken.line:
                yield spoken.line, spoken.place.of("line")


def laid_out(document: Document) -> Layout:
    """The layout of a document without mistakes. Raises Stop."""
    report = Report()
    layout = layout_of(report.require(fill_spec(document, report)), report)
    return report.require(layout)


def plan_of(layout: Layout, report: Report) -> RenderPlan:
    """The plan of a layout, with its findings. Raises Stop if anything is wrong or not measured."""
    from cinecut.compiler.compile import compile_layout

    check_linked(layout.trailer.spec, report)
    report.stop_on_error()
    return compile_layout(layout, tuple(report))


def check_spec(path: Path) -> Report:
    """All findings about a spec and the files that it names. A spec that cannot be read is a finding too."""
    report = Report()
    try:
        layout = examine(path, report, files=True)
    except Stop as stop:
        report.found += stop.diagnostics
        return report
    if layout is not None and report.ok and not layout.trailer.measured:
        hint = f"cinecut link {as_word(path)} measures it and writes the facts into the spec"
        message = "the film has not been measured: its end and its handles are unchecked"
        for film in layout.trailer.spec.every_film.values():
            if film.facts is None:
                report.add("no-facts", message, film.place.of("file"), hint)
    if layout is not None and report.ok:
        warn(layout, path, report)
    return report


def warn(layout: Layout, path: Path, report: Report) -> None:
    """Add warnings about edits of the spec at a path, from what the analysis knows; or a note that this is missing."""
    spec = layout.trailer.spec
    known = known_at(spec, path)
    if known is None and was_analysed(spec):
        message = "the results of analyze for the film are not on this machine: its cuts and lines are unchecked"
        hint = f"put {path.stem}.known.json beside the spec, or analyze the film here"
        report.add("no-side-file", message, spec.main_film.place.of("file"), hint)
    judge(layout, known, report)


def known_at(spec: Spec, path: Path) -> Known | None:
    """What the analysis knows of the film and the song of the spec at a path."""
    text = content_of(path).decode("utf-8", "replace") if path != STDIN and path.is_file() else ""
    return known_of(spec, text, path)
