"""Film → Spec. `analyze.py` calls the stages in order; each subpackage holds the stages of one subject."""
