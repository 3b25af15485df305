"""Free memory of the GPU, by nvidia-smi; where there is none, nothing is known and nothing is in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from cinecut.diagnostics import Stop

LEAST = "CINECUT_GPU_MEMORY_MIB"
_LEAST_MIB = 6144  # a 7B model of 4 bits, its projector and its context
_QUESTION = ["--query-gpu=memory.free", "--format=csv,noheader,nounits"]


def least_memory() -> int:
    """MiB that must be free before a server starts; 0 verifies nothing. Raises Stop for a value that is no number."""
    chosen = os.environ.get(LEAST, "").strip() or str(_LEAST_MIB)
    if not chosen.isdecimal():
        raise Stop("option", f"{LEAST} is {chosen!r}, not a whole number of MiB")
    return int(chosen)


def free_memory() -> int | None:
    """MiB free on the GPU that has most; None where no NVIDIA GPU, or none that tells."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        said = subprocess.run([program, *_QUESTION], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = said.stdout.decode(errors="replace").split("\n") if said.returncode == 0 else []
    return max((int(line) for line in lines if line.strip().isdecimal()), default=None)


def lacking_memory(least: int, patience: float) -> int | None:
    """Wait until `least` MiB are free: what ended just now gives its memory back a moment later.

    None when they are; after `patience` seconds in vain the MiB that are free.
    """
    end = time.monotonic() + patience
    while least:
        free = free_memory()
        if free is None or free >= least:
            break
        if time.monotonic() >= end:
            return free
        time.sleep(0.2)
    return None
