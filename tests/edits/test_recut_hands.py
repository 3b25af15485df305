"""What hands do to a spec between two analyses: removed and renamed acts, moves, anchors, comments in brackets."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

from cinecut.diagnostics import Report
from cinecut.edits.recut.merging import Recut, RecutOptions, Version, recut
from cinecut.known.record import timeline_digest
from cinecut.language.document import parse_document, plain
from cinecut.language.document.edit import Edits

HEAD = """# Written by cinecut.

cinecut: 1
film:
  file: film.mp4
  facts:
    fingerprint: 7-f
    size: 640x360
    rate: 24
    duration: 600
    time_base: 1/24
    audio: [{rate: 48000, channels: 2, layout: stereo}]
vibe: thriller
music:
  file: %s.ogg
  beats: {tempo: %d, first: 0.25s}
  parts:
    - 0:00.25 - 1:%02d
"""


def written(song: str, tempo: int, acts: dict[str, list[str]], part: int = 5) -> str:
    """A spec as an analysis writes it: acts with the values of their entries."""
    rows = [f"  - act: {act}\n" + "".join(f"  - {entry}\n" for entry in entries) for act, entries in acts.items()]
    return HEAD % (song, tempo, part) + "\ntimeline:\n" + "\n".join(rows)


def shot(seconds: int, beats: int = 4, more: str = "") -> str:
    minutes = f"{seconds // 60}:{seconds % 60:02}"
    return f"shot: {{in: {minutes}, for: {beats} beats}}   # from {minutes}\n    zone: begin\n    score: 0.5{more}"


OFFERED = "\n    alternatives:\n      - {in: 8:20, why: calm}"
BASE = written(
    "old",
    120,
    {
        "act 1": [shot(10), shot(20, more=OFFERED), shot(30)],
        "act 2": [shot(40), "black: 2 beats", shot(50), shot(60)],
        "act 3": [shot(70), shot(80, 1), shot(90)],
        "title": ["card: FILM\n    for: 4 beats\n    cue: {file: stop, fade: 4 beats}"],
    },
)
NEW = written(
    "new",
    100,
    {
        "act 1": [shot(110), shot(120), shot(130)],
        "act 2": [shot(140), "black: 2 beats", shot(150), shot(160)],
        "act 3": [shot(170), shot(180, 1), shot(190)],
        "title": ["card: FILM\n    for: 3 beats\n    cue: {file: stop, fade: 3 beats}"],
    },
    20,
)
LATER = NEW.replace("new.ogg", "later.ogg").replace("in: 2:", "in: 7:").replace("in: 3:", "in: 8:")


def version(text: str, whole: bool = True) -> Version:
    return Version.of(parse_document(Path("spec.yaml"), text, Report()), whole)


def recut_of(text: str, base: str = BASE, new: str = NEW, wish: RecutOptions | None = None) -> Recut:
    return recut(version(base, whole=False), version(text), version(new), wish or RecutOptions())


def rows(text: str, act: str) -> list[str]:
    """The first rows of an act's entries, without comments."""
    return [item.rows.splitlines()[0].partition("   #")[0] for item in version(text).items if item.act == act]


def entry(text: str, time: str) -> str:
    """The rows of the entry that shows the film from a time on."""
    [found] = re.findall(rf"(?m)^  - shot: \{{in: {time},.*\n(?:    .*\n?)*", text)
    return str(found)


def test_what_a_hand_moved_and_took_out_is_so_after_every_later_recut() -> None:
    moved, gone = entry(BASE, "0:20"), entry(BASE, "1:20")
    text = BASE.replace(gone, "").replace(moved, "").replace(entry(BASE, "1:00"), entry(BASE, "1:00") + moved)
    first = recut_of(text)
    assert "- shot: {in: 0:20, for: 4 beats}" in rows(first.text, "act 2")
    second = recut_of(first.text, first.wrote, LATER)
    assert "- shot: {in: 0:20, for: 4 beats}" in rows(second.text, "act 2")
    third = recut_of(second.text, second.wrote, BASE)
    assert "- shot: {in: 0:20, for: 4 beats}" in rows(third.text, "act 2")
    assert "in: 1:20" not in third.text
    assert len(third.kept) == 1


def test_a_base_with_joints_that_cannot_be_is_a_base_all_the_same() -> None:
    """What a hand took out is noted behind a last event that fades out, where it may not enter with a dip."""
    base = BASE.replace("fade: 4 beats}", "fade: 4 beats}\n    to: fade out 1s")
    dip = entry(base, "1:20").rstrip() + "\n    from: dip to black 6 frames\n"
    base = base.replace(entry(base, "1:20"), dip)
    first = recut_of(base.replace(dip, ""), base)
    assert recut_of(first.text, first.wrote, LATER).kept == []


def test_an_act_that_a_hand_removed_stays_out_and_is_said_once() -> None:
    begin, end = BASE.index("  - act: act 2"), BASE.index("  - act: act 3")
    result = recut_of(BASE[:begin] + BASE[end:])
    assert rows(result.text, "act 2") == []
    assert rows(result.text, "act 3")[1:] == rows(NEW, "act 3")[1:]
    assert result.kept == ["act 'act 2' of the new analysis stays out, since you removed it"]
    marker_alone = recut_of(BASE.replace("  - act: act 2\n", ""))
    assert rows(marker_alone.text, "act 1")[1:] == [*rows(NEW, "act 1")[1:], *rows(NEW, "act 2")[1:]]


def test_a_card_that_a_hand_put_at_the_end_of_an_act_stays_there() -> None:
    result = recut_of(BASE.replace("\n  - act: act 2\n", "  - card: MINE\n    for: 1 beat\n\n  - act: act 2\n"))
    assert rows(result.text, "act 1")[-1] == "- card: MINE"
    assert [len(rows(result.text, act)) for act in ("act 1", "act 2")] == [
        len(rows(NEW, "act 1")) + 1,
        len(rows(NEW, "act 2")),
    ]


def test_what_is_kept_is_said_with_its_length() -> None:
    result = recut_of(BASE.replace(shot(20), shot(20, more="\n    gain: -3")))
    assert result.kept == ["shot 2 (0:20.000 for 2.00 s) is kept"]


def test_a_setting_that_a_hand_removed_is_said_to_be_as_usual() -> None:
    base, new = (f"{text}mix: {{music: {gain}}}\n" for text, gain in ((BASE, -3), (NEW, -6)))
    result = recut_of(BASE, base, new)
    assert result.conflicts == ["mix.music: yours is as usual, the new analysis says '-6': yours stays"]


def test_a_silence_that_a_hand_removed_stays_out_and_the_end_of_the_music_comes_back() -> None:
    text = BASE.replace("  - black: 2 beats\n", "")
    assert "black" not in recut_of(text).text
    cut = recut_of(BASE[: BASE.index("  - act: title")])
    assert "card: FILM" in cut.text
    assert any("you removed it, but there the music changes" in each for each in cut.conflicts)


def test_an_act_of_another_name_is_the_same_act() -> None:
    text = BASE.replace("act: act 2", "act: the fight   # mine").replace("# from 0:50", "# mine too")
    result = recut_of(text)
    assert rows(result.text, "the fight")[1:] == [
        "- shot: {in: 2:20, for: 4 beats}",
        "- black: 2 beats",
        "- shot: {in: 0:50, for: 4 beats}",
        "- shot: {in: 2:40, for: 4 beats}",
    ]
    for name in ("act 2", "the fight"):
        alone = recut_of(text, wish=RecutOptions(act=name))
        assert rows(alone.text, "the fight")[1:] == rows(result.text, "the fight")[1:]
        assert rows(alone.text, "act 1") == rows(BASE, "act 1")


def test_an_alternative_of_ones_own_is_an_edit() -> None:
    mine = "      - {in: 8:20, why: calm}\n      - {in: 9:01, why: mine}"
    text = BASE.replace("      - {in: 8:20, why: calm}", mine)
    assert mine in recut_of(text).text
    assert len(recut_of(text).kept) == 1
    assert recut_of(BASE.replace(OFFERED, "")).kept == []


def test_anchors_and_aliases_go_on_meaning_the_same() -> None:
    text = BASE.replace("in: 0:20, for: 4 beats", "in: 0:20, for: &long 5 beats")
    text = text.replace("{in: 0:50, for: 4 beats}", "{in: 0:50, for: *long }").replace(
        "{in: 1:10, for: 4 beats}", "{in: 1:10, for: *long }"
    )
    result = recut_of(text)  # all of them touched: they stay as they are
    assert "for: &long 5 beats" in result.text
    assert "{in: 0:50, for: *long }" in result.text
    text = BASE.replace("in: 0:20, for: 4 beats", "in: 0:20, for: &long 4 beats")
    text = text.replace("{in: 0:50, for: 4 beats}   # from 0:50", "{in: 0:51, for: *long }   # mine")
    result = recut_of(text)  # the first one goes
    assert "- shot: {in: 0:51, for: 4 beats}   # mine" in result.text
    text = BASE.replace("  - " + shot(10), "  - &first\n    " + shot(10)).replace(
        "  - act: act 3", "  - *first\n\n  - act: act 3"
    )
    assert "- shot: {in: 0:10, for: 4 beats}" in rows(recut_of(text).text, "act 2")


def test_comments_between_brackets_are_kept() -> None:
    tree = plain(parse_document(Path("spec.yaml"), BASE, Report()).root)["timeline"]
    listed = [json.dumps(each, default=float) for each in tree]
    listed[2] += ",   # mine beside"
    listed[5] = f"# mine above\n  {listed[5]},"
    inside = ",\n  ".join(listed).replace("beside,", "beside").replace(",,", ",")
    text = BASE[: BASE.index("timeline:")] + f"timeline: [\n  {inside}\n  # mine below\n]\n"
    result = recut_of(text)
    assert [result.text.count(f"# mine {where}") for where in ("beside", "above", "below")] == [1, 1, 1]
    assert len(result.kept) == 2


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_comments_on_values_of_the_old_song_are_kept(ends: str) -> None:
    text = BASE.replace("- 0:00.25 - 1:05", "- 0:00.25 - 1:05   # mine: the part with the choir")
    text = text.replace("  beats: {", "  # mine: the drummer's\n  beats: {").replace("\n", ends)
    result = recut_of(text)
    assert "1:20" in result.text
    assert f"# mine: the part with the choir{ends}music:" in result.text
    assert "  # mine: the drummer's" in result.text


def test_a_joint_that_cannot_stay_is_said_of_every_entry_that_is_kept() -> None:
    base = BASE.replace(entry(BASE, "0:40"), entry(BASE, "0:40").rstrip() + "\n    from: dip to black 6 frames\n")
    text = base.replace("# from 0:40", "# from 0:40\n    keep: true")
    new = NEW.replace(NEW[NEW.index("  - act: act 1") : NEW.index("  - act: act 2")], "")
    result = recut_of(text, base, new)
    assert "keep: true" in result.text
    assert "dip to black" not in result.text
    assert any("its `from` cannot be where it stands now" in each for each in result.conflicts)


def test_a_length_in_seconds_moves_no_later_cut_off_the_beats_though_nothing_else_is_new() -> None:
    text = BASE.replace("  - act: act 2\n", "  - act: act 2\n  - card: WHO\n    for: 1.1s\n")
    wish = RecutOptions(before=timeline_digest(version(BASE).spec.timeline))
    result = recut_of(text, new=BASE, wish=wish)
    layout = version(result.text).layout
    assert layout.timeline.grid is not None
    beats = [layout.timeline.grid.beat_at(placed.start) for placed in layout.timeline.events]
    assert sum((beat - beats[0]).denominator != 1 for beat in beats) == 1, "the card itself"


def test_a_shot_that_must_stay_shows_nothing_twice() -> None:
    """A voice lies over it, it has no alternatives, and the rest of the trailer shows its moment already."""
    spoken = "\n    voice: {take: 4:00 - 4:02, at: 0s, line: Run}"
    new = NEW.replace(shot(150), shot(72, more=spoken))
    result = recut_of(BASE, new=new, wish=RecutOptions(act="act 2"))
    ranges = [item.film for item in version(result.text).items if item.film is not None]
    assert "line: Run" in result.text
    assert not any(a.shared(b) > Fraction(1, 10) for n, a in enumerate(ranges) for b in ranges[:n])


def test_the_first_key_of_a_file_can_be_removed() -> None:
    document = parse_document(Path("spec.yaml"), "vibe: thriller\ncinecut: 1\n", Report())
    edits = Edits(document)
    edits.remove(("vibe",))
    assert edits.text() == "cinecut: 1\n"


@pytest.mark.parametrize(
    ("key", "stays"), [("sound_lead: 12f", False), ("sound_trail: 12f", True), ("sound_fade: {in: 3f, out: 3f}", True)]
)
def test_sound_that_has_no_room_at_the_trailers_start_is_taken_out_and_said(key: str, stays: bool) -> None:
    base = BASE.replace("# from 0:40", f"# from 0:40\n    {key}")
    new = NEW.replace(NEW[NEW.index("  - act: act 1") : NEW.index("  - act: act 2")], "")
    result = recut_of(base.replace("# from 0:40", "# from 0:40\n    keep: true"), base, new)
    assert "keep: true" in result.text
    assert (key in result.text) is stays
    assert any("`sound_lead` cannot be" in each for each in result.conflicts) is not stays


@pytest.mark.parametrize("mine", [True, False])
def test_of_a_trail_and_a_crossfade_after_it_the_hands_stays(mine: bool) -> None:
    """Both cannot be: the sound cross-fades with the picture."""
    trail, fade = "\n    sound_trail: 6f", "\n    from: crossfade 6f"
    base = BASE.replace("# from 0:50", "# from 0:50" + ("" if mine else trail))
    text = base.replace("# from 0:50", "# mine" + (trail if mine else ""))
    if not mine:
        text = text.replace(trail, trail + "\n    keep: true")
    new = NEW.replace("# from 2:40", "# from 2:40" + fade)
    result = recut_of(text, base, new)
    assert "sound_trail: 6f" in result.text
    assert "crossfade" not in result.text


def test_fades_of_sound_that_a_faster_song_has_no_room_for_are_taken_out() -> None:
    base = BASE.replace("# from 0:50", "# from 0:50\n    sound_fade: {in: 24f, out: 24f}")
    result = recut_of(base.replace("# from 0:50", "# mine"), base, NEW.replace("tempo: 100", "tempo: 200"))
    assert "# mine" in result.text
    assert "sound_fade" not in result.text
    assert any("`sound_fade` cannot be" in each for each in result.conflicts)
