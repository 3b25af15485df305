"""A finished trailer read back into a spec: for each of its shots the film and the frame it begins with.

trailer ─ cuts ─► stretches ─┐
film ─ key pictures ─────────┴─ candidates ─ decode around them ─ align ─► pieces ─► Spec
"""
