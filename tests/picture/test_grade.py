"""The grade: what each figure does, the eighteen looks, and that FFmpeg shows what the formula says."""

from __future__ import annotations

import colorsys
import itertools
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cubes import apply_cube
from numpy.typing import NDArray

from cinecut.diagnostics import Stop
from cinecut.grade import Grade, Tone
from cinecut.grade.cube import Cube, cube_text, ffmpeg_text, lut_facts, read_cube, stages
from cinecut.grade.formula import SIZE, apply, lut, match_light
from cinecut.language.schema import definition
from cinecut.vibes import load_vibe, names, read_vibe

Colors = NDArray[np.float64]

GREYS: Colors = np.repeat(np.linspace(0, 1, 256)[:, None], 3, axis=1)
RANDOM: Colors = np.random.default_rng(7).random((10_000, 3))
LUMA = np.array([0.2126, 0.7152, 0.0722])
# Skin from very light to very dark, in and out of the sun.
SKIN = np.array([
    (255, 224, 196), (255, 205, 180), (241, 194, 167), (232, 190, 172), (224, 172, 140), (198, 134, 100),
    (180, 120, 90), (160, 110, 85), (141, 85, 60), (110, 70, 50), (92, 56, 40), (70, 45, 34),
]) / 255  # fmt: skip


def graded(rgb: tuple[float, float, float], **figures: Any) -> tuple[float, float, float]:
    red, green, blue = apply(Grade.of(figures), np.array(rgb)).tolist()
    return red, green, blue


def hue_and_saturation(color: Colors) -> tuple[float, float]:
    hue, saturation, _ = colorsys.rgb_to_hsv(*color.tolist())
    return hue * 360, saturation


GREY = (0.49, 0.49, 0.49)  # middle grey
ORANGE = (0.6, 0.35, 0.2)
BLUE = (0.2, 0.35, 0.6)


# What each figure does


def test_a_grade_of_nothing_changes_nothing() -> None:
    assert np.abs(apply(Grade(), RANDOM) - RANDOM).max() < 1e-12
    assert Grade().neutral
    assert Grade.of({"skin": 0}).neutral
    assert Grade.of({"contrast": 2, "strength": 0}).neutral
    assert not Grade.of({"contrast": Fraction(11, 10)}).neutral


def test_temperature_and_tint_move_grey() -> None:
    red, green, blue = graded(GREY, temperature=1)
    assert red - 0.49 == pytest.approx(0.1, abs=0.01)
    assert blue - 0.49 == pytest.approx(-0.1, abs=0.01)
    assert green == pytest.approx(0.49)
    red, green, blue = graded(GREY, tint=1)
    assert red == blue > 0.49 > green


def test_a_stop_doubles_the_light_in_the_dark() -> None:
    assert (graded((0.05, 0.05, 0.05), exposure=1)[0] / 0.05) ** 2.4 == pytest.approx(2, rel=0.1)
    assert (graded((0.05, 0.05, 0.05), exposure=-1)[0] / 0.05) ** 2.4 == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("contrast", ["0.5", "0.8", "1.3", "2"])
def test_contrast_is_the_steepness_at_middle_grey(contrast: str) -> None:
    below, above = (graded((value,) * 3, contrast=contrast)[0] for value in (0.499, 0.501))
    assert (above - below) / 0.002 == pytest.approx(float(contrast), rel=1e-3)


def test_saturation_is_a_factor_around_the_luma() -> None:
    for factor in (0, Fraction(1, 2), Fraction(3, 2)):
        color = np.array(graded(BLUE, saturation=factor))
        assert color @ LUMA == pytest.approx(np.array(BLUE) @ LUMA)
        assert np.ptp(color) == pytest.approx(0.4 * float(factor), rel=0.35, abs=1e-9)
    assert np.ptp(graded(ORANGE, saturation=0)) < 1e-9  # skin too


def test_lift_gamma_and_gain_work_on_their_part_of_the_range() -> None:
    assert graded((0, 0, 0), lift=[0, 0, "0.1"]) == pytest.approx((0, 0, 0.1))
    assert graded((1, 1, 1), lift="0.1") == pytest.approx((1, 1, 1))
    assert graded((0, 0, 0), lift="-0.1") == (0, 0, 0)
    assert graded((0.1,) * 3, lift="-0.1")[0] == pytest.approx(0.055)
    assert graded((1, 1, 1), gain=["0.9", 1, 1]) == pytest.approx((0.9, 1, 1))
    assert graded((0.01,) * 3, gain="1.2")[0] == pytest.approx(0.012, rel=0.01)
    assert graded((1, 1, 1), gain="1.2") == pytest.approx((1, 1, 1))
    assert graded((0, 1, 0.5), gamma=[2, 2, 2])[:2] == pytest.approx((0, 1))
    assert graded((0.5,) * 3, gamma=["1.2", "0.8", 1]) > (0.53, 0.4, 0.4)
    assert graded((0.5,) * 3, gamma="0.8")[0] < 0.45


def test_split_tones_colour_their_half() -> None:
    tones = {"shadows": {"hue": 180, "amount": "0.3"}, "highlights": {"hue": 30, "amount": "0.3"}}
    dark, bright = graded((0.2,) * 3, **tones), graded((0.8,) * 3, **tones)
    assert dark[0] < dark[1]
    assert dark[0] < dark[2]
    assert bright[0] > bright[1] > bright[2]
    for value in (0.2, 0.8):
        assert np.array(graded((value,) * 3, **tones)) @ LUMA == pytest.approx(value, abs=0.02)
    assert graded((0, 0, 0), **tones) == (0, 0, 0)
    assert graded((1, 1, 1), **tones) == pytest.approx((1, 1, 1))


def test_strength_and_skin_take_back() -> None:
    whole, half = graded(BLUE, temperature=1), graded(BLUE, temperature=1, strength="0.5")
    assert np.array(half) == pytest.approx((np.array(BLUE) + whole) / 2)
    spared, taken = graded(ORANGE, temperature=-1), graded(ORANGE, temperature=-1, skin=0)
    assert abs(spared[2] - ORANGE[2]) < abs(taken[2] - ORANGE[2]) / 2
    assert graded(GREY, temperature=1) == graded(GREY, temperature=1, skin=0)


def test_one_grade_lies_over_another() -> None:
    base = Grade.of({"contrast": Fraction(6, 5), "shadows": {"hue": 200, "amount": "0.2"}})
    over = base.merged({"saturation": 0, "shadows": {"amount": 0}, "gain": [1, 1, "0.9"]})
    assert (over.contrast, over.saturation) == (Fraction(6, 5), Fraction(0))
    assert over.shadows == Tone(Fraction(200), Fraction(0))
    assert over.gain == (Fraction(1), Fraction(1), Fraction(9, 10))


# The schema


PROPERTIES: dict[str, dict[str, Any]] = definition("vibe-1", "grade")["properties"]


def test_schema_and_grade_have_the_same_figures_and_defaults() -> None:
    assert set(PROPERTIES) == set(Grade.__dataclass_fields__)
    stated = {key: str(part["default"]) for key, part in PROPERTIES.items() if "default" in part}
    assert Grade.of(stated) == Grade()


def extremes() -> list[dict[str, Any]]:
    """Every figure at each end of its range; the tones at their full in six hues."""
    ends = [
        {key: str(part[end])} for key, part in PROPERTIES.items() if "minimum" in part for end in ("minimum", "maximum")
    ]
    return ends + [{key: {"hue": hue, "amount": 1}} for key in ("shadows", "highlights") for hue in range(0, 360, 60)]


@pytest.mark.parametrize("figures", extremes(), ids=str)
def test_even_the_ends_of_the_ranges_keep_to_the_range(figures: dict[str, Any]) -> None:
    grade = Grade.of(figures)
    for colors in (RANDOM, np.round(RANDOM)):
        found = apply(grade, colors)
        assert np.isfinite(found).all()
        assert found.min() >= -1e-9
        assert found.max() <= 1 + 1e-9
    assert np.diff(apply(grade, GREYS) @ LUMA).min() > 0


def test_a_range_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = (Path(__file__).parents[2] / "cinecut/vibes/drama.yaml").read_text(encoding="utf-8")
    head = text[: text.index("grade:")]
    file.write_text(
        head + "grade:\n  gain: [1, 1, 2]\n  contrast: 9\n  shadows: {hu: 3}\n  warmth: 1\n", encoding="utf-8"
    )
    with pytest.raises(Stop) as caught:
        read_vibe(file)
    start = head.count("\n") + 1
    found = {(d.code, d.span.line - start) for d in caught.value.diagnostics if d.span}
    assert found == {("wrong-value", 0), ("wrong-value", 1), ("unknown-key", 2), ("unknown-key", 3)}


# The eighteen looks


@pytest.mark.parametrize("name", names())
def test_a_look_clips_nothing(name: str) -> None:
    grade = load_vibe(name).grade
    greys = apply(grade, GREYS)
    assert np.diff(greys, axis=0).min() > 0  # each of 256 steps is still a step
    inner = apply(grade, 1 / 255 + RANDOM * 253 / 255)
    assert inner.min() > 0
    assert inner.max() < 1
    assert greys[0].max() < 0.045  # black, a little raised at most
    assert greys[-1].min() > 0.97


@pytest.mark.parametrize("name", names())
def test_more_of_a_channel_is_never_less(name: str) -> None:
    for channel in range(3):
        colors = np.repeat(RANDOM[:300, None], 65, axis=1)
        colors[..., channel] = np.linspace(0, 1, 65)
        assert np.diff(apply(load_vibe(name).grade, colors)[..., channel], axis=1).min() > 0


@pytest.mark.parametrize("name", names())
def test_skin_stays_skin(name: str) -> None:
    for before, after in zip(SKIN, apply(load_vibe(name).grade, SKIN), strict=True):
        hue, saturation = hue_and_saturation(before)
        graded_hue, graded_saturation = hue_and_saturation(after)
        assert abs(graded_hue - hue) < 6, before * 255
        assert 0.75 < graded_saturation / saturation < 1.25, before * 255


def test_every_look_is_its_own() -> None:
    """On colours as films have them, most of them pale: no two looks closer than what one sees side by side."""
    dice = np.random.default_rng(3)
    colors = np.clip(dice.uniform(0.05, 0.95, (4000, 1)) + dice.normal(0, 0.08, (4000, 3)), 0, 1)
    looks = {name: apply(load_vibe(name).grade, colors) for name in names()}
    looks["none"] = colors
    for one, other in itertools.combinations(looks, 2):
        apart = np.sqrt(((looks[one] - looks[other]) ** 2).sum(axis=1).mean()) * 255
        assert apart > (2.5 if {one, other} == {"documentary", "none"} else 5), (one, other)


# Light


def test_light_is_matched_within_bounds() -> None:
    reference, mean = np.array([0.45, 0.44, 0.42]), np.array([0.36, 0.38, 0.41])
    assert apply(match_light(mean, reference), mean) == pytest.approx(reference, abs=0.002)
    assert match_light(mean, mean) == Grade(skin=Fraction(0))
    wall = match_light(np.array([0.7, 0.1, 0.1]), reference)
    assert abs(wall.temperature) <= Fraction(6, 10)
    night = match_light(np.array([0.0, 0.0, 0.0]), reference)
    assert night.exposure == Fraction(3, 2)


# Through FFmpeg


def through(ffmpeg: Path, chain: str, rgb: Colors, pix_fmt: str, folder: Path, width: int = 80) -> Colors:
    """Colours [shape=(n, 3)], in rows of `width`, as a chain of filters shows them."""
    kind, scale = ("<u2", 65535) if "16" in pix_fmt else ("<f4", 1)
    planes = rgb[:, [1, 2, 0]].T * scale
    raw = (np.rint(planes) if scale > 1 else planes).astype(kind)
    size = f"{width}x{len(rgb) // width}"
    command: list[str | Path] = [ffmpeg, "-v", "error", "-f", "rawvideo", "-pix_fmt", pix_fmt, "-s", size, "-i", "-",
                                 "-vf", chain, "-f", "rawvideo", "-pix_fmt", pix_fmt, "-"]  # fmt: skip
    done = subprocess.run(command, input=raw.tobytes(), cwd=folder, stdout=subprocess.PIPE, check=True)
    found: Colors = np.frombuffer(done.stdout, kind).astype(np.float64).reshape(3, -1)[[2, 0, 1]].T / scale
    return found


FORMATS = ["gbrp16le", "gbrpf32le"]


@pytest.mark.matrix(6)
@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("name", names())
def test_ffmpeg_shows_a_look_as_its_formula_says(name: str, pix_fmt: str, ffmpeg: Path, tmp_path: Path) -> None:
    grade = load_vibe(name).grade
    (tmp_path / "look.m3d").write_bytes(ffmpeg_text(lut([grade])))
    found = through(ffmpeg, "lut3d=look.m3d:interp=tetrahedral", RANDOM, pix_fmt, tmp_path)
    assert np.abs(found - apply(grade, RANDOM)).max() <= 1 / 255


def test_a_table_is_exact_at_any_width_that_is_padded_to_eights(ffmpeg: Path, tmp_path: Path) -> None:
    """FFmpeg 9.0.2 spoils the first width mod 8 pixels of every row where the processor has AVX."""
    grade = load_vibe("war").grade
    (tmp_path / "look.m3d").write_bytes(ffmpeg_text(lut([grade])))
    chain = "pad=ceil(iw/8)*8:ih,lut3d=look.m3d:interp=tetrahedral,crop=50:200:0:0:exact=1"
    found = through(ffmpeg, chain, RANDOM, "gbrp16le", tmp_path, width=50)
    assert np.abs(found - apply(grade, RANDOM)).max() <= 1 / 255


def test_grades_follow_one_another() -> None:
    first, second = match_light(np.array([0.3, 0.3, 0.4]), np.array([0.4, 0.4, 0.4])), load_vibe("horror").grade
    both = lut([first, second])
    assert both.shape == (SIZE, SIZE, SIZE, 3)
    assert both[20, 8, 30] == pytest.approx(apply(second, apply(first, np.array([20, 8, 30]) / (SIZE - 1))), abs=1e-6)


def file_of(*lines: str, rows: Colors | None = None) -> bytes:
    numbers = (
        [] if rows is None else [" ".join(f"{value:.7f}" for value in row) for row in rows.reshape(-1, 3).tolist()]
    )
    return "\n".join([*lines, *numbers, ""]).encode()


def bent(values: Colors) -> Colors:
    """A curve for each channel."""
    result: Colors = np.stack([values[:, 0] ** 0.8, values[:, 1] ** 1.2, 1 - values[:, 2]], axis=1)
    return result


def table_rows(size: int) -> Colors:
    """The rows of a 3D file, red fastest, of a table that mixes the channels."""
    blue, green, red = np.meshgrid(*[np.linspace(0, 1, size)] * 3, indexing="ij")
    rows: Colors = np.stack([red * 0.9 + 0.1 * green, green**2, 0.5 * blue + 0.5 * red * green], axis=-1).reshape(-1, 3)
    return rows


STEPS = np.repeat(np.linspace(0, 1, 64)[:, None], 3, axis=1)
CUBES = {
    "curve": file_of("LUT_1D_SIZE 64", rows=bent(STEPS)),
    "curve over a wider domain": file_of(
        "TITLE x", "LUT_1D_SIZE 64", "DOMAIN_MIN -0.5 0 0", "DOMAIN_MAX 1.5 1 2", rows=bent(STEPS)
    ),
    "curve over a range": file_of("LUT_1D_SIZE 64", "LUT_1D_INPUT_RANGE 0.1 0.9", rows=bent(STEPS)),
    "table": file_of("# by hand", "LUT_3D_SIZE 9", "", rows=table_rows(9)),
    "table with other line ends": b"\xef\xbb\xbf"
    + file_of("LUT_3D_SIZE 9", rows=table_rows(9)).replace(b"\n", b"\r\n"),
    "table over a domain": file_of(
        "LUT_3D_SIZE 9", "DOMAIN_MIN 0.1 0 -0.2", "DOMAIN_MAX 0.9 1 1.2", rows=table_rows(9)
    ),
    "shaper and table": file_of(
        *("LUT_1D_SIZE 64", "LUT_1D_INPUT_RANGE 0 1", "LUT_3D_SIZE 5", "LUT_3D_INPUT_RANGE 0 1.1"),
        rows=np.concatenate([STEPS**0.5, table_rows(5)]),
    ),
}


@pytest.mark.matrix
@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("name", CUBES)
def test_ffmpeg_shows_a_read_file_as_it_says(name: str, pix_fmt: str, ffmpeg: Path, tmp_path: Path) -> None:
    cube = read_cube(CUBES[name], "mine.cube")
    chain = []
    for number, (kind, values) in enumerate(stages(cube)):
        file = tmp_path / f"{number}.{'m3d' if kind == 'lut3d' else 'cube'}"
        file.write_bytes(ffmpeg_text(values))
        chain.append(f"{kind}={file.name}")
    wanted = np.clip(apply_cube(cube, RANDOM), 0, 1)
    found = np.clip(through(ffmpeg, ",".join(chain), RANDOM, pix_fmt, tmp_path), 0, 1)
    assert np.abs(found - wanted).max() < 0.5 / 255
    assert np.abs(wanted - RANDOM).max() > 0.1


def test_a_files_rows_run_through_red_first() -> None:
    table = read_cube(file_of("LUT_3D_SIZE 9", rows=table_rows(9)), "mine.cube").table
    assert table is not None
    assert table[8, 0, 0] == pytest.approx((0.9, 0, 0))
    assert table[0, 8, 0] == pytest.approx((0.1, 1, 0))


def test_what_is_written_is_read() -> None:
    table = lut([load_vibe("western").grade], 5)
    found = read_cube(cube_text(table), "mine.cube")
    assert found.curve is None
    assert found.table == pytest.approx(table, abs=1e-6)
    curve = read_cube(cube_text(bent(STEPS)), "mine.cube").curve
    assert curve == pytest.approx(bent(STEPS), abs=1e-6)
    assert cube_text(np.array([[0, -0.0, -1e-9], [1, 1, 1]])) == (
        b"LUT_1D_SIZE 2\n0.000000 0.000000 0.000000\n1.000000 1.000000 1.000000\n"
    )


def test_a_shaper_is_linear_and_a_table_tetrahedral() -> None:
    cube = Cube(np.array([[0.0] * 3, [1.0] * 3]), table_rows(2).reshape(2, 2, 2, 3).transpose(2, 1, 0, 3))
    assert apply_cube(cube, np.array([[0.5, 0.25, 0.75]]))[0] == pytest.approx((0.475, 0.25, 0.5 * 0.75 + 0.5 * 0.25))


def test_a_file_is_as_large_as_luts_are_and_no_larger(tmp_path: Path) -> None:
    """A table of 33 to each side, as most have, is a megabyte; what has a hundred is something else."""
    file = tmp_path / "mine.cube"
    file.write_bytes(cube_text(lut([load_vibe("western").grade])))
    assert lut_facts(file).tables == "3d"
    with file.open("r+b") as grown:
        grown.truncate(100_000_001)
    with pytest.raises(Stop, match="too large for a LUT: more than 100 MB"):
        lut_facts(file)


TWO = "0 0 0\n1 1 1\n"
BROKEN = {
    "": None,
    "\x00\x01\x02 RIFF": 1,
    "0 0 0\n": 1,
    "LUT_1D_SIZE two\n": 1,
    "LUT_1D_SIZE 1\n0 0 0\n": 1,
    "LUT_3D_SIZE 999\n": 1,
    "TITLE a\nLUT_1D_SIZE 2\nLUT_1D_SIZE 2\n" + TWO: 3,
    "LUT_1D_SIZE 2\n0 0 0\n1 1\n": 3,
    "LUT_1D_SIZE 2\n0 0 0\n1 1 1 1\n": 3,
    "LUT_1D_SIZE 2\n0 0 0\n1 nan 1\n": 3,
    "LUT_1D_SIZE 2\n0 0 0\n1 1e9 1\n": 3,
    "LUT_1D_SIZE 2\n0 0 0\n1,0 1,0 1,0\n": 3,
    "LUT_1D_SIZE 3\n" + TWO: 3,
    "LUT_1D_SIZE 2\n" + TWO + "1 1 1\n": 4,
    "LUT_1D_SIZE 2\n0 0 0\nDOMAIN_MIN 0 0 0\n1 1 1\n": 3,
    "LUT_1D_SIZE 2\nDOMAIN_MIN 0 0\n" + TWO: 2,
    "DOMAIN_MIN 0 0 1\nLUT_1D_SIZE 2\nDOMAIN_MAX 1 1 1\n" + TWO: 3,
    "LUT_1D_SIZE 2\nLUT_1D_INPUT_RANGE 1 0\n" + TWO: 2,
    "LUT_IN_VIDEO_RANGE\nLUT_1D_SIZE 2\n" + TWO: 1,
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: repr(text[:40]))
def test_a_malformed_file_is_refused_with_the_line(text: str) -> None:
    with pytest.raises(Stop) as caught:
        read_cube(text.encode(), "mine.cube")
    found = caught.value.diagnostics[0]
    assert found.code == "unreadable"
    assert found.message.isprintable()
    assert (found.span.line + 1 if found.span else None) == BROKEN[text]
