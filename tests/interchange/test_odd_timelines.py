"""Timelines with what a trailer has no word for: it is listed, nothing is guessed, and the spec keeps what it has."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import opentimelineio as otio
import pytest
from commandline import cinecut
from oracle import BUNDLED, Film, make_film
from test_import import BEFORE, FORMATS, export

from cinecut.diagnostics import Stop
from cinecut.interchange.back.bring import Brought, bring
from cinecut.media.probe import film_facts


def brought(folder: Path, kind: str, change: Callable[[str], str]) -> Brought:
    """What comes back of a cut whose file somebody changed."""
    (folder / "spec.yaml").write_text(BEFORE)
    export(BEFORE, folder / "cut", kind)
    file = folder / f"cut{FORMATS[kind][0]}"
    text = change(file.read_text())
    assert text != file.read_text(), "nothing was changed"
    file.write_text(text)
    return bring(folder / "spec.yaml", file)


def renamed(text: str, number: int, tag: str) -> str:
    """FCPXML whose so-manieth clip of the storyline is another kind of item."""
    found = list(re.finditer(r"<asset-clip (?=[^>]*offset=).*?</asset-clip>", text, re.S))[number]
    item = found[0].replace("<asset-clip", f"<{tag}", 1).removesuffix("</asset-clip>") + f"</{tag}>"
    return text[: found.start()] + item + text[found.end() :]


def of_otio(change: Callable[[otio.schema.Timeline], None]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        timeline = otio.adapters.read_from_string(text, "otio_json")
        change(timeline)
        return str(otio.adapters.write_to_string(timeline, "otio_json"))

    return changed


def nested(timeline: otio.schema.Timeline) -> None:
    [track] = timeline.video_tracks()[:1]
    at = next(n for n, child in enumerate(track) if isinstance(child, otio.schema.Clip))
    inside = track[at].deepcopy()
    stack = otio.schema.Stack(name="a nest", children=[inside])
    track[at] = stack


def second(timeline: otio.schema.Timeline) -> None:
    [track] = timeline.video_tracks()[:1]
    clip = next(child for child in track if isinstance(child, otio.schema.Clip)).deepcopy()
    timeline.tracks.append(otio.schema.Track(name="V9", children=[clip], kind="Video"))


def ramped(timeline: otio.schema.Timeline) -> None:
    [track] = timeline.video_tracks()[:1]
    clip = next(child for child in track if isinstance(child, otio.schema.Clip))
    clip.effects.append(otio.schema.TimeEffect(name="ramp"))


def backwards(text: str) -> str:
    """FCPXML whose slow shot runs from its end to its start."""
    points = re.findall(r'<timept time="[^"]*" value="([^"]*)"', text)
    first, last = (f'value="{point}"' for point in points[:2])
    return text.replace(first, "LAST", 1).replace(last, first, 1).replace("LAST", last, 1)


def off(timeline: otio.schema.Timeline) -> None:
    """The first picture, which nobody sees or hears."""
    for track in (*timeline.video_tracks()[:1], *timeline.audio_tracks()):
        next(child for child in track if isinstance(child, otio.schema.Clip)).enabled = False


def unheard(timeline: otio.schema.Timeline) -> None:
    for track in timeline.audio_tracks():
        track.enabled = False


def blurred(timeline: otio.schema.Timeline) -> None:
    next(iter(timeline.find_clips())).effects.append(otio.schema.Effect(name="blur"))


def numbered(timeline: otio.schema.Timeline) -> None:
    """Such as a time in nanoseconds, by which nothing is cut."""
    next(iter(timeline.find_clips())).metadata["program"] = {"changed": 1_796_000_000_000_000_000}


def within(text: str, adjustment: str) -> str:
    """FCPXML with an adjustment of its first clip."""
    return re.sub(r"(<asset-clip [^>]*[^/]>)", rf"\1{adjustment}", text, count=1)


def filtered(text: str, name: str, id_: str, parameter: str) -> str:
    """xmeml with an effect on its first clip."""
    effect = f"<effect><name>{name}</name><effectid>{id_}</effectid><parameter>{parameter}</parameter></effect>"
    return text.replace("</enabled>", f"</enabled><filter>{effect}</filter>", 1)


def fileless(text: str, what: str) -> str:
    """xmeml whose second picture shows no file but something else."""
    return text.replace('<file id="file-1" />', what, 1)


def overlaid(text: str) -> str:
    """xmeml with the first track of pictures once more above itself."""
    track = re.search(r"<track>.*?</track>", text[text.index("<video>") :], re.S)
    assert track is not None
    again = re.sub(r'id="clipitem-\d+"', "", track[0])
    return text.replace(track[0], track[0] + again, 1)


def connected(text: str) -> str:
    """FCPXML with a picture connected over the first."""
    start = re.search(r'<asset-clip [^>]*start="([^"]+)"', text)
    assert start is not None
    over = re.search(r'<asset-clip ref="([^"]+)"', text)
    assert over is not None
    item = (
        f'<asset-clip ref="{over[1]}" lane="1" offset="{start[1]}" start="{start[1]}" duration="1s" srcEnable="video"/>'
    )
    return text.replace("<marker", f"{item}<marker", 1)


def twice_in(text: str) -> str:
    """An EDL whose last event lies over the one before it."""
    rows = text.splitlines()
    at = max(number for number, row in enumerate(rows) if re.match(r"\d{3} .* V ", row))
    return "\n".join([*rows[: at + 1], rows[at].replace(rows[at][:3], "900", 1), *rows[at + 1 :]])


CASES: dict[str, tuple[str, Callable[[str], str], str]] = {
    "nested in FCPXML": ("fcp", lambda text: renamed(text, 1, "ref-clip"), "what is in it is not read"),
    "multicam in FCPXML": ("fcp", lambda text: renamed(text, 1, "mc-clip"), "what is in it is not read"),
    "synchronized in FCPXML": ("fcp", lambda text: renamed(text, 1, "sync-clip"), "what is in it is not read"),
    "nested in xmeml": ("premiere", lambda text: fileless(text, "<sequence id='s9'/>"), "nested sequence"),
    "multicam in xmeml": ("premiere", lambda text: fileless(text, "<multiclip id='m9'/>"), "nested sequence"),
    "nested in OTIO": ("otio", of_otio(nested), "nested sequence"),
    "over it in FCPXML": ("fcp", connected, "lies over"),
    "over it in xmeml": ("premiere", overlaid, "lies over"),
    "over it in OTIO": ("otio", of_otio(second), "lies over"),
    "over it in an EDL": ("edl", twice_in, "lies over"),
    "a ramp in xmeml": (
        "premiere",
        lambda text: re.sub(r"(variablespeed</parameterid>.*?<value>)0", r"\g<1>1", text, count=1, flags=re.S),
        "its speed changes within it",
    ),
    "a ramp in OTIO": ("otio", of_otio(ramped), "its speed changes within it"),
    "another wipe in FCPXML": (
        "fcp",
        lambda text: text.replace('<transition name="Cross Dissolve"', '<transition name="Star"'),
        "Star at frame 90 is read as a cross-fade",
    ),
    "another wipe in xmeml": (
        "premiere",
        lambda text: text.replace("<effectid>Cross Dissolve<", "<effectid>Iris Round<"),
        "Iris Round at frame 96 is read as a cross-fade",
    ),
    "a filter in FCPXML": ("fcp", lambda text: within(text, '<filter-video name="Blur"/>'), "Blur is not brought back"),
    "a size in FCPXML": (
        "fcp",
        lambda text: within(text, '<adjust-conform type="fit"/><adjust-transform scale="2 2" position="0 0"/>'),
        "transform scale 2 2 is not brought back: shot 1",
    ),
    "a filter in xmeml": (
        "premiere",
        lambda text: filtered(text, "Blur", "blur", ""),
        "Blur is not brought back: shot 1",
    ),
    "a size in xmeml": (
        "premiere",
        lambda text: filtered(text, "Motion", "basic", "<parameterid>scale</parameterid><value>150</value>"),
        "Motion scale 150 is not brought back: shot 1",
    ),
    "an effect in OTIO": ("otio", of_otio(blurred), "blur is not brought back: shot 1"),
    "backwards in FCPXML": ("fcp", backwards, "runs backwards"),
    "backwards in xmeml": (
        "premiere",
        lambda text: text.replace("<value>50</value>", "<value>-50</value>"),
        "backwards",
    ),
    "backwards in OTIO": ("otio", lambda text: text.replace('scalar": 0.5', 'scalar": -0.5'), "runs backwards"),
    "backwards in an EDL": ("edl", lambda text: re.sub(r"(M2 +\S+ +)", r"\1-", text), "runs backwards"),
    "reversed in xmeml": (
        "premiere",
        lambda text: re.sub(r"(<parameterid>reverse<.*?<value>)FALSE", r"\1TRUE", text, flags=re.S),
        "runs backwards",
    ),
    "held in OTIO": ("otio", lambda text: text.replace('scalar": 0.5', 'scalar": 0.0'), "runs at 0 times its speed"),
    "held in an EDL": ("edl", lambda text: re.sub(r"(M2 +\S+ +)[0-9.]+", r"\g<1>0", text), "runs at 0 times"),
    "too fast in OTIO": ("otio", lambda text: text.replace('scalar": 0.5', 'scalar": 16.0'), "a shot's is 0.1 to 10"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_trailer_has_no_word_for_is_listed(case: str, tmp_path: Path) -> None:
    kind, change, word = CASES[case]
    found = brought(tmp_path, kind, change)
    assert any(word in each for each in found.by_hand), found.by_hand
    assert found.text.count("# this one is the best") == 1
    assert found.text == BEFORE, "something of the spec is lost"


OFF: dict[str, tuple[str, Callable[[str], str], str]] = {
    "a clip in FCPXML": (
        "fcp",
        lambda text: text.replace("<asset-clip ", '<asset-clip enabled="0" ', 1),
        "shot 1 is gone",
    ),
    "a clip in xmeml": (
        "premiere",
        lambda text: text.replace("TRUE</enabled>", "FALSE</enabled>", 1),
        "shot 1 is gone",
    ),
    "a clip in OTIO": ("otio", of_otio(off), "shot 1 is gone"),
    "the sound in xmeml": (
        "premiere",
        lambda text: text[: text.rindex("<audio>")] + text[text.rindex("<audio>") :].replace("TRUE</en", "FALSE</en"),
        "shot 1: muted",
    ),
    "the sound in OTIO": ("otio", of_otio(unheard), "shot 1: muted"),
}


USUAL: dict[str, tuple[str, Callable[[str], str]]] = {
    "numbers of a program's own": ("otio", of_otio(numbered)),
    "fcp": (
        "fcp",
        lambda text: within(text, '<adjust-conform type="fit"/><adjust-transform scale="1 1" anchor="0 0"/>'),
    ),
    "a filter switched off": ("fcp", lambda text: within(text, '<filter-video name="Blur" enabled="0"/>')),
    "premiere": (
        "premiere",
        lambda text: filtered(text, "Motion", "basic", "<parameterid>scale</parameterid><value>100</value>"),
    ),
}


@pytest.mark.parametrize("case", USUAL)
def test_what_a_program_writes_of_every_picture_is_passed_over(case: str, tmp_path: Path) -> None:
    found = brought(tmp_path, *USUAL[case])
    assert (found.said, found.by_hand) == ([], [])


@pytest.mark.parametrize("case", OFF)
def test_what_is_switched_off_is_neither_seen_nor_heard(case: str, tmp_path: Path) -> None:
    kind, change, word = OFF[case]
    found = brought(tmp_path, kind, change)
    assert word in found.said, found.said
    assert not found.by_hand


@pytest.mark.parametrize("channel", ["B", "AA/V", "A2/V", "VA1"])
def test_an_event_of_both_is_seen_and_heard(channel: str, tmp_path: Path) -> None:
    """An EDL that has each picture and its sound in one event; of the slow shot, which was mute, too."""

    def joined(text: str) -> str:
        rows = [row for row in text.splitlines() if not re.match(r"\d{3} .* AA ", row)]
        return "\n".join(re.sub(r"^(\d{3} +\S+ +)V ", rf"\g<1>{channel} ", row) for row in rows)

    found = brought(tmp_path, "edl", joined)
    assert (found.said, found.by_hand) == (["shot 5: with its sound"], [])


TIMES_TEN = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
BOMB = f'<!DOCTYPE x [<!ENTITY e0 "ha">{TIMES_TEN}]><xmeml>&e9;</xmeml>'


@pytest.mark.parametrize("data", [BOMB, '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><xmeml>&f;</xmeml>'])
def test_bombs_and_other_files_are_never_opened(data: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(BEFORE)
    for name in ("cut.xml", "cut.fcpxml"):
        (tmp_path / name).write_text(data)
        with pytest.raises(Stop, match="defines XML entities"):
            bring(tmp_path / "spec.yaml", tmp_path / name)


def test_a_film_without_timecode_counts_from_zero(tmp_path: Path) -> None:
    first = exported(make_film(Film(tmp_path / "film.mov", Fraction(25), 100, (160, 96))).path, tmp_path)
    assert first == "00:00:01:00"


def test_a_timecode_that_only_a_data_track_carries(tmp_path: Path) -> None:
    plain = make_film(Film(tmp_path / "plain.mov", Fraction(25), 100, (160, 96))).path
    film = tmp_path / "film.mov"
    command: list[str | Path] = [BUNDLED, "-v", "error", "-i", plain, "-c", "copy", "-timecode", "10:20:30:00", film]
    subprocess.run(command, check=True)
    film.write_bytes(film.read_bytes().replace(b"tref", b"free"))  # by which the picture's track names its timecode
    with av.open(str(film)) as media:
        assert [bool(stream.metadata.get("timecode")) for stream in (*media.streams.video, *media.streams.data)] == [
            False,
            True,
        ]
    assert film_facts(film).timecode == "10:20:30:00"
    assert exported(film, tmp_path) == "10:20:31:00"


def exported(film: Path, folder: Path) -> str:
    """The source timecode of the one shot of an EDL."""
    (folder / "spec.yaml").write_text(f"cinecut: 1\nfilm: {film.name}\ntimeline:\n  - shot: {{in: 1s, for: 1s}}\n")
    for words in (("link", "spec.yaml"), ("export", "spec.yaml", "--to", "edl", "-o", "cut.edl")):
        done = cinecut(*words, cwd=folder)
        assert done.returncode == 0, done.stderr
    [row] = [line for line in (folder / "cut.edl").read_text().splitlines() if " V " in line]
    return row.split()[4]
