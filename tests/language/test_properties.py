"""What holds for every spec, every text and every time, tried on many of them."""

from __future__ import annotations

import math
import re
import subprocess
from fractions import Fraction
from pathlib import Path

from compiling import plan_of
from effort import rounds
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from cinecut.diagnostics import Report, as_json, as_text
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.graph.nodes import Node, Pad
from cinecut.graph.script import print_script, quote
from cinecut.graph.sounds import STEREO, exact_length, silence
from cinecut.language import schema
from cinecut.language.document import parse_document, plain
from cinecut.language.formats import formats
from cinecut.language.read import fill_spec
from cinecut.language.spec import Spec
from cinecut.language.timebase import (
    Length,
    Timecodes,
    clock,
    nearest,
    parse_length,
    parse_seconds,
    parse_span,
    seconds_text,
    timecode,
)
from cinecut.render.check import layout_of

# The same examples every time: a test that fails fails for everybody, and again after the mending.

RATES = [Fraction(24000, 1001), *map(Fraction, (24, 25)), Fraction(30000, 1001), Fraction(30), Fraction(60000, 1001)]

# Quoting

# Every sign that some level of FFmpeg's grammar knows, and some that none does.
texts = st.text(
    st.one_of(st.sampled_from("\\':=,;[]@%{}# \t\n\r"), st.characters(exclude_characters="\0", codec="utf-8"))
)


BLANKS = " \n\t\r"  # what FFmpeg trims


def _token(text: str, ends: str) -> tuple[str, str]:
    """A model of FFmpeg's av_get_token (libavutil/avstring.c): what it reads up to one of `ends`, and the rest."""
    text = text.lstrip(BLANKS)
    found, kept, at = "", 0, 0  # `kept`: so much of what was found is safe from the trimming at the end
    while at < len(text) and text[at] not in ends:
        if text[at] == "\\" and at + 1 < len(text):
            found += text[at + 1]
            at, kept = at + 2, len(found)
        elif text[at] == "'":
            close = text.find("'", at + 1)
            found += text[at + 1 : close if close >= 0 else None]
            at, kept = (close + 1 if close >= 0 else len(text)), len(found)
        else:
            found += text[at]
            at += 1
    return found[:kept] + found[kept:].rstrip(BLANKS), text[at:]


def survives(text: str) -> bool:
    """The text as a last option comes back from both levels, the graph's and the options'."""
    options, rest = _token(f"key={quote(text)},next", "[],;")
    return rest == ",next" and _token(options.removeprefix("key=") + ":more=1", ":") == (text, ":more=1")


@given(texts)
@settings(max_examples=500)
def test_quoting_survives_both_levels(text: str) -> None:
    assert survives(text)


def test_quoting_keeps_a_last_blank() -> None:
    assert survives("words ")


@given(st.lists(texts, min_size=120, max_size=120, unique=True))
@settings(max_examples=3, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_quoting_survives_ffmpeg(values: list[str]) -> None:
    """A few hundred texts through the printer and FFmpeg's own parser, and back by what it prints."""
    pad = exact_length(silence("source"), 1, "one")
    for number, value in enumerate(values):
        args = (("mode", "add"), ("key", f"key{number}"), ("value", value))
        pad = Pad(Node("ametadata", (pad,), args, (STEREO,), f"add{number}"))
    pad = Pad(Node("ametadata", (pad,), (("mode", "print"), ("file", "-")), (STEREO,)))
    ffmpeg = find_ffmpeg()
    script = print_script([pad], ["sound"])
    command = [ffmpeg.path, "-v", "error", ffmpeg.script_option, "/dev/stdin", "-map", "[sound]"]
    command += ["-frames:a", "1", "-f", "null", "-"]
    done = subprocess.run(command, input=script.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    printed = re.split(r"\nkey\d+=", done.stdout.decode().removesuffix("\n"))
    assert printed[1:] == values


# Times

seconds = st.fractions(min_value=0, max_value=4 * 3600, max_denominator=100_000)
rates = st.sampled_from(RATES)


@given(seconds)
def test_a_printed_clock_reads_back(time: Fraction) -> None:
    """To the millisecond that it prints."""
    assert parse_seconds(clock(time)) == Fraction(nearest(time * 1000), 1000)
    assert parse_seconds(seconds_text(time)) == Fraction(nearest(time * 1_000_000), 1_000_000)


@given(st.integers(0, 10**6), rates)
def test_a_printed_timecode_reads_back(frame: int, rate: Fraction) -> None:
    assert parse_seconds(timecode(frame / rate, rate), Timecodes(rate)) == frame / rate


@given(st.fractions(0, 10**4), rates)
def test_a_timecode_names_the_frame_on_screen(time: Fraction, rate: Fraction) -> None:
    assert parse_seconds(timecode(time, rate), Timecodes(rate)) == math.floor(time * rate) / rate


@given(seconds, seconds, st.sampled_from([" - ", " – ", "–", " to ", "  -  "]))
def test_a_printed_span_reads_back(start: Fraction, end: Fraction, sign: str) -> None:
    parts = clock(start), clock(end)
    assert parse_span(sign.join(parts)) == (parse_seconds(parts[0]), parse_seconds(parts[1]))


@given(st.decimals(0, 1000, places=3), st.sampled_from(["", "s", " s", "f", " frames", " beats", "beat", " bars"]))
def test_a_length_reads_back(amount: object, unit: str) -> None:
    found = parse_length(f"{amount}{unit}")
    name = unit.strip() or "s"
    assert found == Length(Fraction(str(amount)), "bars" if name == "bars" else "beats" if name[0] == "b" else name[0])  # type: ignore[arg-type]


# Specs

HEAD = """
cinecut: 1
film:
  file: film.mp4
  facts:
    {{fingerprint: 4-0, size: 1280x720, rate: {rate}, duration: 600,
     audio: [{{rate: 48000, channels: 2, layout: stereo}}]}}
music: {{beats: {{tempo: {tempo}, first: {first}, metre: {metre}}}}}
output: {{rate: {out}}}
timeline:
"""


@st.composite
def lengths(draw: st.DrawFn, least: int = 1) -> str:
    unit, amounts = draw(
        st.sampled_from([("s", st.decimals(least, 5, places=2)), ("f", st.integers(30 * least, 120))])
        | st.sampled_from([(" beats", st.sampled_from(["3", "4", "5.5", "25/3"])), (" bars", st.integers(1, 3))])
    )
    return f"{draw(amounts)}{unit}"


@st.composite
def events(draw: st.DrawFn) -> list[str]:
    kind = draw(st.sampled_from(["shot", "shot", "shot", "shot", "black", "card", "still", "act"]))
    if kind == "act":
        return ["act: next"]
    in_ = draw(st.decimals(10, 500, places=3))
    first = {
        "shot": draw(st.sampled_from([f"{in_} - {in_ + 2}", f"{{in: {in_}, for: {draw(lengths())}}}"])),
        "black": draw(lengths()),
        "card": "WORDS",
        "still": "{file: logo.png, facts: {fingerprint: 4-0, size: 64x64, alpha: true}}",
    }[kind]
    rows = [f"{kind}: {first}"]
    options = {
        "snap": st.sampled_from(["beat", "bar"]),
        "from": st.sampled_from(["cut", "crossfade 0.5s", "dip to black 12f", "dip to white 0.4s", "fade in 0.3s"]),
        "to": st.sampled_from(["cut", "fade out 6f"]),
    }
    if kind == "shot":
        options |= {
            "speed": st.sampled_from(["0.5", "1", "2", "1.37"]),
            "sync": st.just(f"{{at: {in_ + 1}}}"),
            "mute": st.sampled_from(["true", "false"]),
            "gain": st.integers(-20, 6).map(str),
            "crop": st.just("{x: 0.1, w: 0.7}"),
            "reframe": st.just("{y: 1}"),
            "mirror": st.sampled_from(["true", "false"]),
            "sound_fade": st.just("{in: 3f, out: 3f}"),
            "titles": st.just("[Over it]"),
        }
    for key, values in options.items():
        if draw(st.integers(0, 3)) == 0:
            rows.append(f"{key}: {draw(values)}")
    return rows


@st.composite
def specs(draw: st.DrawFn) -> str:
    head = HEAD.format(
        rate=draw(rates),
        out=draw(rates),
        tempo=draw(st.decimals(60, 180, places=2)),
        first=draw(st.decimals(0, 2, places=3)),
        metre=draw(st.sampled_from([3, 4])),
    )
    found = draw(st.lists(events(), min_size=1, max_size=12))
    return head + "".join("  - " + "\n    ".join(rows) + "\n" for rows in found)


def load(text: str) -> Spec:
    report = Report()
    spec = fill_spec(parse_document(Path("spec.yaml"), text, report), report)
    assert report.ok, "\n".join(as_text(d, text.splitlines()) for d in report) + "\n" + text
    assert spec is not None
    return spec


@rounds
@given(specs())
@settings(max_examples=25)
def test_events_tile_the_trailer(go: int, text: str) -> None:
    spec = load(text)
    report = Report()
    timeline = layout_of(spec, report).timeline
    assume(timeline.events)
    position = 0
    for placed in timeline.events:
        assert placed.range.start.index == position
        assert placed.range.length >= 1
        position = placed.range.end.index
    if not any(d.code == "empty-event" for d in report):
        assert timeline.frames == nearest(timeline.events[-1].end * timeline.rate)
        assert all(abs(p.range.end.index - p.end * timeline.rate) <= Fraction(1, 2) for p in timeline.events)


@rounds
@given(specs())
@settings(max_examples=25)
def test_what_has_no_mistakes_compiles(go: int, text: str) -> None:
    """Compiling verifies the graph: it raises where that is not legal."""
    spec = load(text)
    report = Report()
    plan = plan_of(spec, report)
    assert (plan is None) == (not report.ok)
    if plan is not None:
        assert plan == plan_of(spec, Report())
        assert plan.samples == nearest(plan.frames * 48000 / plan.rate)


# Whatever is written: findings, never a traceback

SAMPLE = """
cinecut: 1
film:
  file: film.mp4   # a film
  facts:
    {fingerprint: 4-0, size: 1280x720, rate: 24, duration: 600, variable: false, time_base: 1/12288, sar: 1,
     rotation: 0, color: {space: bt709}, audio: [{rate: 44100, channels: 2, layout: stereo, start: 0}]}
music: {beats: {tempo: 120, first: 0.5, metre: 4}, start: 0:01}
output: {size: 640x360, rate: 24000/1001, codec: ffv1}
anchors: {climax: {at: 1:00}}
timeline:
  - act: opening
  - shot: 0:16 - 0:20
    from: fade in 1s
    crop: {x: 0.1, y: 0, w: 0.5, h: 0.5}
    sound_fade: {in: 1s, out: 12f}
    titles:
      - {text: An unlucky bird, at: 1s, for: 2 beats, fade: 0.5s, position: middle}
  - shot: {in: "00:00:30:00", for: 2 bars}
    speed: 0.5
    snap: bar
    sync: {at: 0:32, to: beat}
    from: crossfade 1.5s
    to: fade out 1s
  - black: 4 beats
  - card: "THE: FILM"
    for: 2s
  - still: {file: logo.png, facts: {fingerprint: 4-0, size: 64x64, alpha: true}}
    scale: 0.5
"""
PIECES = st.sampled_from(
    [
        "",
        " ",
        "  ",
        "\n",
        "\t",
        ":",
        ": ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "'",
        '"',
        "#",
        "&a ",
        "*a",
        "!x ",
        "|",
        ">",
        "~",
        "0",
    ]
) | st.sampled_from(
    ["\u2028", "\x85", "\r", "\u3000", "\x07", "\ufeff", "1e99", "-1", ".5", "null", "true", "film", "for", "%"]
)


@rounds
@given(st.lists(st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 6), PIECES), min_size=1, max_size=6))
@settings(max_examples=50)
def test_a_damaged_spec_gives_findings(go: int, damages: list[tuple[int, int, str]]) -> None:
    text = SAMPLE
    for place, removed, added in damages:
        text = text[:place] + added + text[place + removed :]
    _judge(text)


VALUES = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1e30",
        ".nan",
        "2 bars",
        "0:16 - 0:20",
        "beat",
        "true",
        "[]",
        "{}",
        "[1]",
        "{a: 1}",
        "'\\'",
        '"\\0"',
    ]
)
PLACES = [match.span(1) for match in re.finditer(r": ([^\s{[,}\]]+)", SAMPLE)]


@rounds
@given(st.sampled_from(PLACES), VALUES)
@settings(max_examples=50)
def test_any_value_anywhere_gives_findings(go: int, place: tuple[int, int], value: str) -> None:
    _judge(SAMPLE[: place[0]] + value + SAMPLE[place[1] :])


def _judge(text: str) -> None:
    report = Report()
    spec = fill_spec(parse_document(Path("spec.yaml"), text, report), report)
    if spec is not None:
        plan_of(spec, report)
    for finding in report:
        assert as_text(finding, text.splitlines())
    as_json(report).encode()


# Whether a spec keeps to the schema is answered twice: quickly, and by jsonschema with reasons


@rounds
@given(st.sampled_from(PLACES), VALUES)
@settings(max_examples=60)
def test_the_quick_answer_is_jsonschemas(go: int, place: tuple[int, int], value: str) -> None:
    text = SAMPLE[: place[0]] + value + SAMPLE[place[1] :]
    root = parse_document(Path("spec.yaml"), text, Report()).root
    if root is not None:
        _agree(plain(root))


@rounds
@given(specs())
@settings(max_examples=25)
def test_the_quick_answer_is_jsonschemas_for_specs(go: int, text: str) -> None:
    root = parse_document(Path("spec.yaml"), text, Report()).root
    assert root is not None
    _agree(plain(root))


def _agree(data: object) -> None:
    parsers = formats(Timecodes(Fraction(24)))
    reasons = list(schema._validator(schema.TRAILER, tuple(parsers.items())).iter_errors(data))
    assert schema.keeps(data, schema.TRAILER, parsers) == (not reasons)
