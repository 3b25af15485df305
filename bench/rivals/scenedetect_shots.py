"""Run by the Python of PySceneDetect's own environment: FILM OUTPUT; writes the first frames of its scenes as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from scenedetect import AdaptiveDetector, detect


def main(film: str, output: str) -> None:
    scenes = detect(film, AdaptiveDetector())
    Path(output).write_text(json.dumps([start.frame_num for start, _ in scenes[1:]]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
