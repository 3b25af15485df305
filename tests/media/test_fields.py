"""Films of fields: which comes first, how long each picture stands, and what rate that is."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from test_odd_films import made

from cinecut.media.first_picture import first_picture
from cinecut.media.probe import film_facts


@pytest.mark.parametrize(("plain", "order"), [(1, "tff"), (8, "progressive")])
@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_fields_that_begin_later(bundled: Path, tmp_path: Path, suffix: str, plain: int, order: str) -> None:
    """A recording begins with what came before it on air: what most of its pictures are, counts."""
    codec = "-c:v mpeg2video -q:v 4 -g 12"
    parts = {"plain": f"-t {plain} {codec}", "fields": f"-t 3 -vf tinterlace=4 -flags +ilme+ildct {codec}"}
    odd = tmp_path / "odd.ts"
    for name, options in parts.items():
        rate, later = (25, 0) if name == "plain" else (50, plain)
        source = ["-f", "lavfi", "-i", f"testsrc2=s=180x144:r={rate}"]
        part = tmp_path / f"{name}.ts"
        subprocess.run(
            [bundled, "-v", "error", *source, *options.split(), "-output_ts_offset", str(later), part], check=True
        )
        with odd.open("ab") as file:
            file.write(part.read_bytes())
    film = odd if suffix == "ts" else made(odd, tmp_path / "odd.mkv", "-c copy")
    assert first_picture(film).field_order == order


@pytest.mark.parametrize(
    ("fields", "rate"), [("60000/1001", Fraction(24000, 1001)), ("60", Fraction(24))], ids=["of 59.94", "of 60"]
)
@pytest.mark.parametrize(("kind", "longer"), [("ts", 0), ("ts", 1), ("mkv", 1)])
def test_pictures_of_two_and_three_fields_are_of_one_film(
    fields: str, rate: Fraction, kind: str, longer: int, tmp_path: Path
) -> None:
    """A film as discs have it, however short: its rate is that of its fields, not merely the nearest to its average."""
    film, base = tmp_path / f"film.{kind}", "/".join(reversed([*fields.split("/"), "1"][:2]))
    source = f"testsrc2=s=64x36:r=25,settb={base},setpts=floor((5*N+{longer})/2)"
    options = f"-frames:v 50 -fps_mode passthrough -enc_time_base {base} -c:v libx264 -preset ultrafast"
    made(Path(source), film, options, "-f lavfi")
    facts = film_facts(film)
    assert facts.variable
    assert facts.rate == rate


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("mkv", "mpeg2video"), ("mkv", "ffv1"), ("mkv", "huffyuv"), ("mkv", "utvideo"), ("mov", "prores_ks"),
        ("mov", "v210"), ("mp4", "libx264"), ("avi", "mpeg4"), ("mxf", "mpeg2video"), ("ts", "libx264"),
    ],
)  # fmt: skip
def test_which_field_is_first_is_what_the_pictures_say(bundled: Path, tmp_path: Path, suffix: str, codec: str) -> None:
    """And where they do not say it, what the container says of pictures whose lines stand between each other."""
    coded = {"libx264": "-flags +ilme+ildct -x264-params {}=1", "mpeg2video": "-flags +ilme+ildct -q:v 4"}
    for order, weave in {"tff": "interleave_top", "bff": "interleave_bottom"}.items():
        film = tmp_path / f"{order}.{suffix}"
        source = f"testsrc2=s=320x240:r=50:d=0.4,tinterlace={weave},setfield={order}"
        options = coded.get(codec, "-flags +ilme+ildct").format(order).split()
        command = [str(bundled), "-v", "error", "-f", "lavfi", "-i", source, "-c:v", codec, *options, str(film)]
        subprocess.run(command, check=True)
        assert first_picture(film).field_order == order
