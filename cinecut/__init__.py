"""cinecut: a declarative compiler from a YAML trailer spec to one FFmpeg graph.

Two straight lines meet at one type, `Spec`:

    analyze   film ─ probe ─ dialogue ─ music ─ shots ─ loudness ─ looks ─ scenes ─ signals ─ story ─ blueprint
                   ─ arrange ─ score ─ write ─► specs/film.yaml
    render    specs/film.yaml ─ read ─ check ─► Spec ─ timeline + soundtrack ─► picture + texts + stems ─► Graph
                   ─ verify ─ script ─► RenderPlan ─ pull (reels) ─ measure ─ run (GPU lock) ─► film_trailer.mp4
"""

__version__ = "0.1.0"
