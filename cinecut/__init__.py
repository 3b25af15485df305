"""cinecut: a declarative compiler from a YAML trailer spec to one FFmpeg graph.

Two straight lines meet at one type, `Spec`:

    analyze   film ─ probe ─ dialogue ─ song ─ shots ─ signals ─ scenes ─ story ─ edit ─► Spec ─ write ─► film.yaml
    render    film.yaml ─ read ─ check ─► Spec ─ resolve ─► Trailer ─ timeline + soundtrack ─ lower ─► Graph
                        ─ verify ─► RenderPlan ─ segments ─ reels ─ run (GPU lock) ─ join ─► film_trailer.mp4

Programs use `load`, `check`, `compile`, `edit`, `render` and `analyze`, each imported when it is first asked for.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"
__all__ = ["Diagnostic", "Spec", "Stop", "analyze", "check", "compile", "edit", "load", "render"]

if TYPE_CHECKING:
    from cinecut.api import analyze as analyze
    from cinecut.api import check as check
    from cinecut.api import compile as compile
    from cinecut.api import edit as edit
    from cinecut.api import load as load
    from cinecut.api import render as render
    from cinecut.diagnostics import Diagnostic as Diagnostic
    from cinecut.diagnostics import Stop as Stop
    from cinecut.language.spec import Spec as Spec

_HOMES = {"Diagnostic": "diagnostics", "Stop": "diagnostics", "Spec": "language.spec"}


class _Package(ModuleType):
    """The package itself; it keeps `render` the function even after the room of that name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):  # as an import sets them
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"cinecut has no {name}")
    from importlib import import_module

    return getattr(import_module(f"cinecut.{_HOMES.get(name, 'api')}"), name)
