"""The graph's values: what is legal in one, what one is called, and what is printed of it."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from compiling import compiled
from effort import GIVE_UP

from cinecut.graph import filters, sounds
from cinecut.graph.nodes import Audio, GraphError, Node, Pad, Video, digest, filled, split
from cinecut.graph.script import print_script
from cinecut.graph.sounds import STEREO
from cinecut.graph.verify import RULES, verify
from cinecut.language.facts import Color

RATE = Fraction(24)


def picture(pix_fmt: str = "yuv420p", width: int = 64) -> Pad:
    return filters.plain("black", width, 64, RATE, pix_fmt, "a")


def sound() -> Pad:
    return sounds.exact_length(sounds.silence("s"), 100, "s")


def forced(name: str, ins: list[Pad], out: Video | Audio, **args: str | int) -> Pad:
    return Pad(Node(name, tuple(ins), tuple(args.items()), (out,), "x"))


ILLEGAL = {
    "one pad for two filters": lambda: [filters.run([(pad := picture()), pad], RATE, "x")],
    "a pad that goes nowhere": lambda: split(picture(), 2, "x")[:1],
    "one pad for two outputs": lambda: [(pad := picture()), pad],
    "an unknown filter": lambda: [forced("hue", [picture()], picture().video)],
    "sound into a filter of pictures": lambda: [forced("hflip", [sound()], STEREO)],
    "pictures into a filter of sound": lambda: [forced("volume", [picture()], picture().video)],
    "too few inputs": lambda: [forced("overlay", [picture()], picture().video)],
    "unlike sizes joined": lambda: [filters.run([picture(), picture(width=32)], RATE, "x")],
    "unlike time bases joined": lambda: [
        filters.run([picture(), filters.settb(picture(), Fraction(1, 25), "x")], RATE, "x")
    ],
    "unlike pixels joined": lambda: [
        filters.run([picture(), filters.tag_color(picture("yuv444p"), Color(), "x")], RATE, "x")
    ],
    "a format that the filter does not know": lambda: [filters.blur(picture("rgb24"), 2, "x")],
    "an upper picture without transparency": lambda: [forced("overlay", [picture(), picture()], picture().video)],
    "samples that the filter does not know": lambda: [forced("alimiter", [sound()], STEREO)],
    "a change that the filter cannot make": lambda: [forced("setsar", [picture()], picture(width=32).video)],
    "unlike sounds mixed": lambda: [sounds.mix([sound(), sounds.samples_as(sound(), "flt", "x")], "x")],
}


@pytest.mark.parametrize("case", ILLEGAL)
def test_what_is_not_legal_is_found_before_ffmpeg_runs(case: str) -> None:
    with pytest.raises(GraphError):
        verify(ILLEGAL[case]())


def test_what_is_legal_passes() -> None:
    verify([filters.run([picture(), picture()], RATE, "x"), sounds.mix([sound(), sound()], "x")])


# The table is FFmpeg's own word

FORMATS = (
    "yuv420p", "yuv422p", "yuv444p", "yuva420p", "yuva444p", "gbrp", "yuv420p10le", "yuv422p10le", "yuv444p10le",
    "yuv420p12le", "gbrp10le", "gbrp16le", "gbrpf32le", "rgb24",
)  # fmt: skip
SAMPLES = ("fltp", "flt", "dbl")
ARGUMENTS = {
    "settb": "expr=1/25", "setpts": "expr=N", "trim": "end_frame=2", "tpad": "stop=1", "fps": "fps=25",
    "crop": "w=32:h=32", "pad": "w=96:h=96", "scale": "w=32:h=32", "setsar": "sar=1", "boxblur": "luma_radius=2",
    "setparams": "range=tv", "fade": "nb_frames=2", "ass": "filename={folder}/a.ass", "lut1d": "file={folder}/1d.cube",
    "lut3d": "file={folder}/3d.cube", "tonemap": "tonemap=hable", "transpose": "dir=clock", "blend": "all_expr=A",
    "asettb": "expr=1/48000", "asetpts": "expr=N", "atrim": "end_sample=9", "apad": "pad_len=9",
    "adelay": "delays=9S:all=1", "afade": "nb_samples=9", "atempo": "tempo=0.9", "volume": "volume=3dB",
    "alimiter": "latency=1", "pan": "stereo|c0=c0|c1=c1", "amix": "inputs=2", "acrossfade": "nb_samples=9",
}  # fmt: skip
# Of 4:2:2 a turned picture is 4:4:0; and nothing that is in floats is padded.
UNTRIED = {("tpad", "gbrpf32le"), ("transpose", "yuv422p"), ("transpose", "yuv422p10le")}
MAKES_FORMATS = {"zscale", "format", "aresample", "split", "asplit", "overlay", "color", "aevalsrc", "anullsrc"}


def test_ffmpeg_works_in_the_formats_of_the_table(ffmpeg: Path, tmp_path: Path) -> None:
    """Each filter in each of its formats, in one graph: nothing is put between."""
    (tmp_path / "a.ass").write_text("[Script Info]\n[V4+ Styles]\n[Events]\n")
    (tmp_path / "1d.cube").write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    rows = [f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1)]
    (tmp_path / "3d.cube").write_text("LUT_3D_SIZE 2\n" + "\n".join(rows) + "\n")
    chains, tried = ["color=size=64x64:duration=0.1[out]"], 0
    for name, rule in RULES.items():
        if name in MAKES_FORMATS:
            continue
        of_pictures = "v" in rule.takes
        for form in FORMATS if of_pictures else SAMPLES:
            if not rule.formats.fullmatch(form) or (name, form) in UNTRIED:
                continue
            tried += 1
            one = (
                f"color=size=64x64:duration=0.1,format=yuv420p,scale,format={form}"
                if of_pictures
                else f"anullsrc=duration=0.1,aresample=osf={form}"
            )
            call = f"{name}@{name}_{form}" + (f"={ARGUMENTS[name]}" if name in ARGUMENTS else "")
            sink = "nullsink" if of_pictures else "anullsink"
            last = f"format={form}" if of_pictures else f"aformat={form}"
            if len(rule.takes) == 2:
                chains += [f"{one}[{tried}a]", f"{one}[{tried}b]", f"[{tried}a][{tried}b]{call},{last},{sink}"]
            else:
                chains.append(f"{one},{call},{last},{sink}")
    graph = ";".join(chains).format(folder=tmp_path)
    command = [str(ffmpeg), "-v", "verbose", "-filter_complex", graph, "-map", "[out]", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=GIVE_UP)
    assert "Error" not in done.stderr, done.stderr[-2000:]
    between = re.findall(r"between the filter '(\S+)' and the filter '(\S+)'", done.stderr)
    assert between == []
    assert tried > 150


# Digests and scripts

FACTS = "{fingerprint: 4-0, size: 640x360, rate: 24, duration: 60, audio: [{rate: 48000, channels: 2, layout: stereo}]}"
HEAD = f"cinecut: 1\nfilm: {{file: film.mp4, facts: {FACTS}}}\n"


def parts(*events: str) -> list[str]:
    """The digests of what is joined to a trailer's picture, in order."""
    plan = compiled(HEAD + "timeline:\n" + "".join(f"  - {event}\n" for event in events))
    node = plan.render.sinks["picture"].node
    while len(node.ins) == 1 and node.filter != "concat":
        node = node.ins[0].node
    return [digest([pad]) for pad in node.ins]


def test_a_digest_says_what_is_shown_and_not_where() -> None:
    one, two = "shot: 0:01 - 0:02", "{shot: 0:04 - 0:06, grade: {saturation: 0}}"
    assert parts(one, two) == parts("black: 1s", one, two)[1:]
    assert parts(one, two)[::-1] == parts(two, one)
    assert parts(one, one, two)[0] == parts(one, one, two)[1]  # the same again, under another label
    changed = [
        "{shot: 0:01 - 0:02, speed: 0.5}",
        "shot: 0:01 - 0:03",
        "{shot: 0:01 - 0:02, crop: {x: 0.5, y: 0, w: 0.5, h: 1}}",
    ]
    digests = [parts(other, two)[0] for other in (one, *changed)]
    assert len(set(digests)) == len(digests)


def test_filling_a_hole_leaves_the_rest_alone() -> None:
    before = sound()
    left, right = split(sounds.hole(before, "master"), 2, "x")
    loud = filled([left, right], {"master": lambda pad: sounds.volume(pad, Fraction(3), "master")})
    script = print_script(loud, ["l", "r"])
    assert "volume@master=volume=3dB" in script
    assert "anull@" not in script
    assert loud[0].node.ins[0].node.ins[0] is before
    assert filled([left, right], {}) == [left, right]


def test_chains_need_no_names_and_joins_have_them() -> None:
    script = print_script([filters.run([picture(), filters.square_pixels(picture(), "b")], RATE, "x")], ["out"])
    assert script == (
        "color@a=color=black:size=64x64:rate=24,\nformat@a=pix_fmts=yuv420p[a.1];\n"
        "color@a=color=black:size=64x64:rate=24,\nformat@a=pix_fmts=yuv420p,\nsetsar@b=sar=1[b.1];\n"
        "[a.1][b.1]concat@x=n=2:v=1:a=0,\nsettb@x=expr=1/24,\nsetpts@x=expr=N,\n"
        "fps@x=fps=24:start_time=0:eof_action=pass[out]\n"
    )
