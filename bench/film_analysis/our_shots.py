"""Run as a program of its own: FILM OUTPUT; writes the first frames of the shots that begin with a cut, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.shots import find_shots
from cinecut.media.probe import film_facts


def main(film: Path, output: Path) -> None:
    facts = film_facts(film)
    found = find_shots(film, facts, lambda share: None)
    starts = [shot.range.start.seconds for shot in found.shots[1:] if shot.begins is GradualCut.CUT]
    output.write_text(json.dumps([round(start * facts.rate) for start in starts]), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
