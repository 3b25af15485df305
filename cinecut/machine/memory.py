"""Free memory of the GPU, by nvidia-smi. Without nvidia-smi it is unknown, and nothing is refused because of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from cinecut.diagnostics import Stop

LEAST = "CINECUT_GPU_MEMORY_MIB"
_LEAST_MIB = 6144  # a 7B model of 4 bits, its projector and its context
_QUERY = ["--query-gpu=memory.free", "--format=csv,noheader,nounits"]


def least_memory() -> int:
    """MiB that must be free before a server starts; 0 skips the check. Raises Stop if the variable is no number."""
    chosen = os.environ.get(LEAST, "").strip() or str(_LEAST_MIB)
    if not chosen.isdecimal():
        raise Stop("option", f"{LEAST} is {chosen!r}, not a whole number of MiB")
    return int(chosen)


def free_memory() -> int | None:
    """MiB free on the GPU with the most free memory; None without an NVIDIA GPU that reports it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        reply = subprocess.run([program, *_QUERY], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = reply.stdout.decode(errors="replace").split("\n") if reply.returncode == 0 else []
    return max((int(line) for line in lines if line.strip().isdecimal()), default=None)


def lacking_memory(least: int, patience: float) -> int | None:
    """Wait until `least` MiB are free, since a program that has just ended releases its memory a moment later.

    Returns None when they are free; after `patience` seconds, the MiB that are free.
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
