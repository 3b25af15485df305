"""Every delivery kit at once: one cut, rendered as all of them ask, and every figure measured from the files."""

from __future__ import annotations

import json
import random
import subprocess

from bench.figures import Figure, print_rows, work_folder
from bench.film import Film
from bench.measure import Command, run
from bench.rendering.cutlist import CINECUT, SEED, Shot, write_spec
from cinecut.kits import names

NAME = "figures of the kits that their files miss"
LOUD = ("-18", "-6", "0", "3")  # dB: a quiet beginning, and a loud end


def table(film: Film, runs: int) -> list[Figure]:
    """Twelve shots of two seconds, ever louder, under a synthesized music."""
    dice = random.Random(SEED)
    shots = [Shot(dice.randrange(1, film.frames - 49), 48) for _ in range(12)]
    spec = write_spec(film, shots, work_folder() / "kits.yaml")
    head, *events = spec.read_text().split("  - shot: ")
    gained = [f"{event.rstrip()[:-1]}}}\n    gain: {LOUD[at // 3]}\n" for at, event in enumerate(events)]
    kits = ", ".join(f"{{kit: {name}}}" for name in names())
    more = f"music: {{beats: {{tempo: 120}}, pulse: driving}}\nmix: {{music: -6}}\ndeliverables: [{kits}]\n"
    spec.write_text("  - shot: ".join([head.replace("timeline:", f"{more}timeline:"), *gained]))
    run(Command((CINECUT, "link", str(spec))))
    output = work_folder() / "kits.mp4"
    command = [CINECUT, "render", str(spec), "-o", str(output), "--force", "--json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    try:
        judged = json.loads(done.stdout)["kits"]
    except (json.JSONDecodeError, KeyError):
        return [Figure(NAME, None, 0, reason=" / ".join(done.stderr.strip().splitlines()[-3:]))]
    rows = [(each["file"].rpartition("/")[2], figure) for each in judged for figure in each["figures"]]
    print_rows(
        ("file", "figure", "asked", "found", ""),
        [(file, f["figure"], f["asked"], f["found"], "ok" if f["kept"] else "MISSED") for file, f in rows],
    )
    return [Figure(NAME, float(sum(not figure["kept"] for _, figure in rows)), 0)]
