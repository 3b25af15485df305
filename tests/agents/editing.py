"""Ten editing tasks: for the official client, and for a model that is told them in words (`python -m bench agents`)."""

from __future__ import annotations

from typing import Any

SPEC = """# ours
cinecut: 1
film:
  file: {film}
  facts: {facts}
timeline:
  - act: one
  - shot: 0:00 - 0:01   # the door
    titles: [One last chance]
  - {{shot: {{in: 0:02, for: 1s}}, gain: -2, why: quiet}}
  - black: 1s
  - act: two
  - {{shot: 0:04 - 0:05, alternatives: [{{in: 6s, why: a face}}]}}
  - shot: 0:06 - 0:07
  - card: THE END
"""

# the task in words, the values of `edit_spec`, and the row of the spec that becomes another
TASKS: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "Let the first shot end at 0:00.5 of the film.",
        {"verb": "trim", "event": 1, "out_point": "0:00.5"},
        "shot: 0:00 - 0:01 ",
        "shot: 0:00 - 0:00.5 ",
    ),
    (
        "Let shot 2 show the film half a second later, and last as long as now.",
        {"verb": "slip", "event": "act 1/2", "by": "12f"},
        "in: 0:02,",
        "in: 0:02.5,",
    ),
    (
        "Let shot 5 show the film from 0:08 on instead.",
        {"verb": "replace", "event": "shot 5", "film": "0:08"},
        "  - shot: 0:06 - 0:07\n",
        "  - shot: 0:08 - 0:09\n    by: user\n",
    ),
    (
        "Shot 4 has an alternative: take it.",
        {"verb": "swap", "event": "two/1"},
        "{shot: 0:04 - 0:05, alternatives: [{in: 6s, why: a face}]}",
        "{shot: 0:06 - 0:07, alternatives: [{in: 00:00:04:00}], why: a face, by: user}",
    ),
    ("Take out the black.", {"verb": "remove", "event": "black 3"}, "  - black: 1s\n", ""),
    (
        "Put a card that says SOON and lasts 1s before the first event.",
        {"verb": "insert", "event": 1, "what": "{card: SOON, for: 1s}"},
        "  - shot: 0:00 - 0:01 ",
        "  - {card: SOON, for: 1s}\n  - shot: 0:00 - 0:01 ",
    ),
    (
        "Change the title of shot 1 to Run.",
        {"verb": "retitle", "event": 1, "text": "Run"},
        "[One last chance]",
        "[Run]",
    ),
    (
        "Play shot 5 at half its speed.",
        {"verb": "retime", "event": 5, "speed": 0.5},
        "  - shot: 0:06 - 0:07\n",
        "  - shot: 0:06 - 0:07\n    speed: 0.5\n",
    ),
    (
        "Set the level of the film in the mix to -6 dB.",
        {"verb": "set", "path": "mix.film", "value": -6},
        "  - card: THE END\n",
        "  - card: THE END\nmix: {film: -6}\n",
    ),
    (
        "Move the card to the place of shot 5.",
        {"verb": "move", "event": 6, "to": 5},
        "  - shot: 0:06 - 0:07\n  - card: THE END\n",
        "  - card: THE END\n  - shot: 0:06 - 0:07\n",
    ),
]
