"""A process that looks at films one after another, so that a film at which it dies costs no more than that film.

{"film": …, "folder": …} on stdin ─► {"stage": …, "share": …} … {"entry": …} on stdout, a line each
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from cinecut.catalogue.look import LookOptions
from cinecut.catalogue.task import Asked, look_into


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(**values: object) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    for line in sys.stdin:
        task = json.loads(line)
        asked = Asked(**{**task["asked"], "wish": LookOptions(**task["asked"]["wish"])})

        def progress(stage: str, share: float) -> None:
            answer(stage=stage, share=share)

        answer(entry=asdict(look_into(Path(task["film"]), Path(task["folder"]), asked, progress)))


if __name__ == "__main__":
    main()
