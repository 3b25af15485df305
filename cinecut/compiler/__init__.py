"""Spec → RenderPlan. Pure: no file, no process, no clock; a spec carries every fact of its media, and what else is read
(vibes, fonts) is read before.

    Spec ─ resolve ─► Trailer ─ lay_out ─► Layout (timeline + soundtrack) ─ compile_layout ─► RenderPlan
"""
