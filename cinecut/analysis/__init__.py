"""Film → Spec: `analyze.py` is the line, each wing a stage or two of it. Whoever needs one part imports that part."""
