"""cinecut: a declarative compiler from a YAML trailer spec to one FFmpeg graph.

Two straight lines meet at one type, `Spec`:

    analyze   film ─ probe ─ dialogue ─ music ─ shots ─ loudness ─ looks ─ signals ─ story ─ blueprint ─ arrange
                   ─ write ─► specs/film.yaml
    render    specs/film.yaml ─ read ─ check ─► Spec ─ timeline ─► Timeline ─ picture + sound ─► Graph
                   ─ verify ─ script ─► RenderPlan ─ pull (reels) ─ run (GPU lock) ─► film_trailer.mp4
"""

__version__ = "0.1.0"
