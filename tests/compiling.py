"""Compiling in tests: a spec's text or a read spec becomes a timeline, a plan, or findings."""

from __future__ import annotations

from pathlib import Path

from cinecut.compiler.compile import compile_layout
from cinecut.compiler.layout import Layout
from cinecut.compiler.plan import RenderPlan
from cinecut.compiler.resolve import check_linked
from cinecut.diagnostics import Report, as_text
from cinecut.language.document import parse_document
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec
from cinecut.render.check import layout_of


def read_text(text: str) -> Spec:
    """A spec that must have no mistakes."""
    report = Report()
    spec = fill_spec(parse_document(Path("spec.yaml"), text, report), report)
    assert report.ok, "\n".join(as_text(d, text.splitlines()) for d in report)
    assert spec is not None
    return spec


def laid_out(text: str) -> Layout:
    """The layout of a spec's text, which must have no mistakes."""
    report = Report()
    layout = layout_of(read_text(text), report)
    assert report.ok, "\n".join(as_text(d, text.splitlines()) for d in report)
    return layout


def plan_of(spec: Spec, report: Report) -> RenderPlan | None:
    """The plan of a spec; None where it has mistakes, which are in the report."""
    layout = layout_of(spec, report)
    check_linked(spec, report)
    return compile_layout(layout, tuple(report)) if report.ok else None


def compiled(text: str) -> RenderPlan:
    """The plan of a spec's text, which must have no mistakes."""
    return compile_layout(laid_out(text))
