"""What differs between two specs is said in the words of a trailer, whole: of each kind of change one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commandline import cinecut

from cinecut.compiler.layout import Layout
from cinecut.diagnostics import Report
from cinecut.edits.changes.compare import Difference, differences
from cinecut.language.document import parse_document
from cinecut.language.read import fill_spec
from cinecut.render.check import layout_of

SPEC = """
cinecut: 1
film:
  file: film.mkv
  facts: {fingerprint: 4-0, size: 640x360, rate: 24, duration: 600, audio: [{rate: 48000, channels: 2, layout: stereo}]}
music: {file: song.ogg, gain: -3, beats: {tempo: 120},
        facts: {fingerprint: 4-1, duration: 60, rate: 44100, channels: 2}}
timeline:
  - act: one
  - shot: 0:10 - 0:12   # the door
    titles: [One last chance]
  - {shot: {in: 0:20, for: 4 beats}, gain: -2, why: quiet}
  - black: 1s
  - act: two
  - {shot: 0:40 - 0:42, from: crossfade 0.5s}
  - {shot: 0:50 - 0:52, alternatives: [{in: 8s}]}
  - card: THE END
"""


def layout(text: str) -> Layout:
    report = Report()
    spec = fill_spec(parse_document(Path("film.yaml"), text, report), report)
    assert spec is not None
    found = layout_of(spec, report)
    report.stop_on_error()
    return found


def said(*edits: tuple[str, str]) -> list[Difference]:
    text = SPEC
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return differences(layout(SPEC), layout(text))


DOOR = "  - shot: 0:10 - 0:12   # the door\n    titles: [One last chance]\n"
QUIET = "  - {shot: {in: 0:20, for: 4 beats}, gain: -2, why: quiet}\n"
CARD = "  - card: THE END\n"
CHANGES = {
    "trimmed at its head": (
        [("0:10 - 0:12", "0:10.5 - 0:12")], ["shot 1: trimmed, in 0:10.000 → 0:10.500, 48 → 36 frames"],
    ),
    "longer at its tail": ([("0:10 - 0:12", "0:10 - 0:13")], ["shot 1: longer, 48 → 72 frames"]),
    "slipped": ([("in: 0:20", "in: 0:30")], ["shot 2: slipped, in 0:20.000 → 0:30.000"]),
    "at another speed": ([("0:50 - 0:52,", "0:50 - 0:52, speed: 0.5,")],
                         ["shot 5: speed 1 → 0.5, longer, 48 → 96 frames"]),
    "of another tempo": ([("tempo: 120", "tempo: 60")],
                         ["music: beats.tempo 120 → 60", "shot 2: longer, 48 → 96 frames"]),
    "moved": ([(DOOR, ""), (CARD, CARD + DOOR)],
              ["shot 1 (now 6): moved, act one → two"]),
    "removed": ([(QUIET, "")], ["shot 2 is gone: 0:20.000 – 0:22.000, 48 frames"]),
    "added": ([(CARD, "  - shot: 1:00 - 1:01\n" + CARD)], ["shot 6 is new: 1:00.000 – 1:01.000, 24 frames"]),
    "retitled": ([("One last chance", "Run")], ["shot 1: 'One last chance' → 'Run'"]),
    "a title less": ([("\n    titles: [One last chance]", "")], ["shot 1: the title 'One last chance' is gone"]),
    "a title later": ([("[One last chance]", "[{text: One last chance, at: 1s}]")],
                      ["shot 1: the title 'One last chance': at 0s → 1s"]),
    "a card reworded": ([("THE END", "THE BEGINNING")], ["card 6: 'THE END' → 'THE BEGINNING'"]),
    "louder": ([("gain: -2", "gain: 1.5")], ["shot 2: gain -2 → 1.5 dB"]),
    "a voice": ([("gain: -2", "gain: -2, voice: 0:40 - 0:41")],
                ["shot 2: voice none → 0:40 - 0:41"]),
    "muted": ([("gain: -2", "gain: -2, mute: true")], ["shot 2: muted"]),
    "joined otherwise": ([(", from: crossfade 0.5s", "")], ["shot 4: enters by crossfade 0.5s → cut"]),
    "another key": ([("gain: -2", "gain: -2, snap: bar")], ["shot 2: snap none → bar"]),
    "an effect": ([("black: 1s", "{black: 1s, sound: whoosh}")], ["black 3: sound none → whoosh"]),
    "other notes": ([("why: quiet", "why: still")], ["shot 2: other notes (why)"]),
    "another song": ([("song.ogg, gain: -3", "other.ogg, gain: 0")],
                     ["music: file song.ogg → other.ogg, gain -3 → 0 dB"]),
    "no music": ([("music: {file: song.ogg, gain: -3, beats: {tempo: 120}", "music: {pulse: soft, beats: {tempo: 120}"),
                  (",\n        facts: {fingerprint: 4-1, duration: 60, rate: 44100, channels: 2}}", "}")],
                 ["music: file song.ogg → none, pulse none → soft, gain -3 → -6 dB, measured again"]),
    "a vibe": ([("timeline:", "vibe: {base: horror, loudness: -20}\ntimeline:")],
               ["vibe: none → {base: horror, loudness: -20}"]),
    "a mix": ([("timeline:", "mix: {music: -4}\ntimeline:")], ["mix: music 0 → -4 dB"]),
    "a size": ([("timeline:", "output: {size: 320x180}\ntimeline:")], ["output: size none → 320x180"]),
    "an act": ([("act: two", "act: three")], ["acts: one, two → one, three"]),
    "nothing that is seen": ([("   # the door", ""), ("gain: -2, why: quiet", "why:   'quiet', gain: -2.0")], []),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_said_in_words(name: str) -> None:
    edits, wanted = CHANGES[name]
    assert [each.text for each in said(*edits) if each.what != "trailer"] == wanted
    lengths = [each.text for each in said(*edits) if each.what == "trailer"]
    assert all(" frames (" in each for each in lengths)


def test_an_event_keeps_its_identity_by_its_id() -> None:
    one = SPEC.replace("why: quiet", "id: quiet")
    other = one.replace("{shot: {in: 0:20, for: 4 beats}, gain: -2, id: quiet}", "black: 2s").replace(
        CARD, "  - {shot: 8:20 - 8:22, id: quiet}\n" + CARD
    )
    found = differences(layout(one), layout(other))
    assert any(each.text.startswith("shot 2 (now 6): moved, slipped, in 0:20.000 → 8:20.000") for each in found)
    assert any(each.text.startswith("black 2 is new") for each in found)


def test_the_command_prints_what_programs_read(tmp_path: Path) -> None:
    before, after = tmp_path / "a.yaml", tmp_path / "b.yaml"
    before.write_text(SPEC, encoding="utf-8")
    after.write_text(SPEC.replace("THE END", "SOON"), encoding="utf-8")
    done = cinecut("diff", before, after, cwd=tmp_path)
    assert done.stdout == "card 6: 'THE END' → 'SOON'\n"
    found = json.loads(cinecut("diff", before, after, "--json", cwd=tmp_path).stdout)["differences"]
    assert found == [
        {"what": "card 6", "text": "card 6: 'THE END' → 'SOON'", "kinds": ["retitled"], "was": 6, "now": 6}
    ]
    assert "show the same" in cinecut("diff", before, before, cwd=tmp_path).stdout
