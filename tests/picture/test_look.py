"""The look of a trailer in pixels: each shot as its grade's formula says, and nothing else touched."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from rendering import Rendered, render_text

from cinecut.diagnostics import Stop
from cinecut.grade import NEUTRAL, Grade
from cinecut.grade.cube import read_cube
from cinecut.grade.formula import apply
from cinecut.render.job import prepare
from cinecut.vibes import load_vibe

Planes = NDArray[np.int64]  # [shape=(3, height, width)], coded values of 8 bits
Colors = NDArray[np.float64]  # [shape=(..., 3)], RGB from 0 to 1

PATCH = 12  # pixels, square
# BT.709: luma, and the two differences of colour, of red, green and blue.
MATRIX = np.array([[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]])
TAGS = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"


def coded(rgb: Colors) -> Colors:
    """The values [shape=(3, …)] of colours in limited range."""
    luma, blue, red = np.moveaxis(rgb @ MATRIX.T, -1, 0)
    return np.stack([16 + 219 * luma, 128 + 224 * blue, 128 + 224 * red])


def seen(planes: Planes) -> Colors:
    values = np.stack([(planes[0] - 16) / 219, (planes[1] - 128) / 224, (planes[2] - 128) / 224], axis=-1)
    rgb: Colors = values @ np.linalg.inv(MATRIX).T
    return rgb


def make_film(path: Path, ffmpeg: Path, width: int, pix_fmt: str = "yuv444p") -> Planes:
    """Patches of random colours; returns their planes."""
    columns, rows = -(-width // PATCH), 8
    colors = np.random.default_rng(5).uniform(0.06, 0.94, (rows, columns, 3))
    small = np.rint(coded(colors)).astype(np.uint8)
    planes = small.repeat(PATCH, axis=1).repeat(PATCH, axis=2)[:, :, :width]
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", f"{width}x{rows * PATCH}", "-r", "24", "-i", "-"]
    command: list[str | Path] = [ffmpeg, "-v", "error", *raw, "-vf", f"{TAGS},format={pix_fmt}", "-c:v", "ffv1", path]
    subprocess.run(command, input=planes.tobytes() * 12, check=True)
    return planes.astype(np.int64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("look")


@pytest.fixture(scope="module")
def film(bundled: Path, folder: Path) -> Planes:
    """`film.mkv`, of a width that is no multiple of eight."""
    return make_film(folder / "film.mkv", bundled, 214)


SHOT = "{shot: {in: 0s, for: 2f}}"


def shown(head: str, folder: Path, ffmpeg: Path, *events: str, name: str = "trailer") -> Rendered:
    rows = "".join(f"  - {event}\n" for event in events or (SHOT,))
    output = "" if "output:" in head else "output: {codec: ffv1}\n"
    text = f"cinecut: 1\nfilm: film.mkv\neffects: none\n{output}{head}timeline:\n{rows}"
    return render_text(text, folder, ffmpeg, name)


def planes_of(rendered: Rendered, frame: int = 0) -> Planes:
    with av.open(str(rendered.path)) as media:
        found = list(media.decode(video=0))[frame]
        assert found.format.name == "yuv444p"
        assert int(found.colorspace) == 1
        return found.to_ndarray().astype(np.int64)


def worst(found: Planes, film: Planes, grade: Grade | Callable[[Colors], Colors]) -> float:
    """The largest difference, in coded values, from the formula."""
    colors = np.clip(seen(film), 0, 1)
    wanted = grade(colors) if callable(grade) else apply(grade, colors)
    return float(np.abs(found - coded(wanted)).max())


NEAR = 1.6  # coded values: what rounding to 8 bits and the table's steps leave
WARM = "{temperature: 0.6, contrast: 1.3, saturation: 0.7, lift: 0.04, shadows: {hue: 200, amount: 0.5}}"
WARM_GRADE = Grade.of(
    {
        "temperature": "0.6",
        "contrast": "1.3",
        "saturation": "0.7",
        "lift": "0.04",
        "shadows": {"hue": 200, "amount": "0.5"},
    }
)


@pytest.mark.matrix(3)
@pytest.mark.parametrize("vibe", ["action", "horror", "romance", "war", "western"])
def test_a_genre_looks_as_its_formula_says(film: Planes, folder: Path, ffmpeg: Path, vibe: str) -> None:
    found = planes_of(shown(f"vibe: {vibe}\n", folder, ffmpeg))
    assert worst(found, film, load_vibe(vibe).grade) <= NEAR
    assert np.abs(found - film).max() > 8


def test_without_a_genre_the_film_is_as_it_was(film: Planes, folder: Path, ffmpeg: Path) -> None:
    assert np.array_equal(planes_of(shown("", folder, ffmpeg)), film)


def test_ones_own_look_over_a_genres(film: Planes, folder: Path, ffmpeg: Path) -> None:
    found = planes_of(shown("vibe: {base: drama, grade: {contrast: 1.4, tint: 0.5}}\n", folder, ffmpeg))
    grade = load_vibe("drama").grade
    assert worst(found, film, grade.merged({"contrast": "1.4", "tint": "0.5"})) <= NEAR
    assert worst(found, film, grade) > 5


def test_each_shot_has_its_own_look(film: Planes, folder: Path, ffmpeg: Path) -> None:
    """That of the trailer, what it wants otherwise, or with no strength none at all."""
    changes: list[dict[str, str]] = [{}, {"exposure": "0.7"}, {"strength": "0"}, {"strength": "0.5"}]
    events = [f"{SHOT[:-1]}, grade: {{{', '.join(f'{k}: {v}' for k, v in change.items())}}}}}" for change in changes]
    rendered = shown("vibe: war\n", folder, ffmpeg, *events)
    grade = load_vibe("war").grade
    for number, change in enumerate(changes):
        found = planes_of(rendered, 2 * number + 1)
        assert worst(found, film, grade.merged(change)) <= NEAR
        assert np.array_equal(found, film) == (change == {"strength": "0"})


def test_a_shot_is_graded_without_any_genre(film: Planes, folder: Path, ffmpeg: Path) -> None:
    rendered = shown("", folder, ffmpeg, f"{SHOT[:-1]}, grade: {WARM}}}", SHOT)
    assert worst(planes_of(rendered, 0), film, WARM_GRADE) <= NEAR
    assert np.array_equal(planes_of(rendered, 2), film)


FIGURES = {  # each figure of a look, as a spec writes it
    "temperature": "-0.7",
    "tint": "0.6",
    "exposure": "-0.8",
    "contrast": "0.7",
    "saturation": "0",
    "lift": "[0.1, 0, -0.1]",
    "gamma": "[1, 1.4, 0.8]",
    "gain": "0.7",
    "shadows": "{hue: 240, amount: 0.8}",
    "highlights": "{hue: 60, amount: 0.8}",
    "skin": "0",
    "strength": "0.4",
}


def test_every_figure_is_seen(film: Planes, folder: Path, ffmpeg: Path) -> None:
    """Alone, over a look that leaves room for it."""
    assert set(FIGURES) == {field.name for field in fields(Grade)}
    base = "{temperature: 1, skin: 1}"
    events = [f"{SHOT[:-1]}, grade: {{{key}: {value}}}}}" for key, value in FIGURES.items()]
    rendered = shown(f"vibe: {{base: documentary, grade: {base}}}\n", folder, ffmpeg, *events)
    whole = load_vibe("documentary").grade.merged({"temperature": "1", "skin": "1"})
    for number, (key, value) in enumerate(FIGURES.items()):
        found = planes_of(rendered, 2 * number)
        assert worst(found, film, whole.merged({key: plain(value)})) <= NEAR, key
        assert worst(found, film, whole) > 2 * NEAR, key


def plain(value: str) -> Any:
    """A figure's value, its numbers exact."""
    if value.startswith("["):
        return value.strip("[]").split(", ")
    if value.startswith("{"):
        return dict(part.split(": ") for part in value.strip("{}").split(", "))
    return value


@pytest.mark.matrix(3)
@pytest.mark.parametrize("width", [96, 98, 100, 102, 104])
def test_at_any_width(bundled: Path, ffmpeg: Path, tmp_path: Path, width: int) -> None:
    """FFmpeg 9.0 spoils rows that are no multiple of eight long."""
    film = make_film(tmp_path / "film.mkv", bundled, width)
    assert worst(planes_of(shown("vibe: western\n", tmp_path, ffmpeg)), film, load_vibe("western").grade) <= NEAR


@pytest.mark.parametrize(
    "output", ["{codec: ffv1, size: 854x96}", "{codec: h264, crf: 1, size: 854x480, preset: ultrafast}"]
)
def test_at_the_width_of_dvds(film: Planes, folder: Path, ffmpeg: Path, output: str) -> None:
    """The middles of the patches, resized."""
    rendered = shown(f"vibe: western\noutput: {output}\n", folder, ffmpeg)
    with av.open(str(rendered.path)) as media:
        frame = next(media.decode(video=0))
        found = frame.to_ndarray(format="rgb24", src_colorspace="ITU709").astype(np.int64)
    rows = np.nonzero(found.max(axis=(1, 2)) > 40)[0]
    columns = np.nonzero(found.max(axis=(0, 2)) > 40)[0]
    top, left, factor = rows.min(), columns.min(), (columns.max() + 1 - columns.min()) / 214
    wanted = 255 * np.clip(apply(load_vibe("western").grade, np.clip(seen(film), 0, 1)), 0, 1)
    for row in range(1, 7):
        for column in range(17):
            y, x = PATCH * row + PATCH // 2, PATCH * column + PATCH // 2
            assert np.abs(found[int(top + y * factor), int(left + x * factor)] - wanted[y, x]).max() <= 8


def test_with_half_the_colours_of_most_films(bundled: Path, ffmpeg: Path, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", bundled, 216, "yuv420p")
    rendered = shown("vibe: war\n", tmp_path, ffmpeg)
    with av.open(str(rendered.path)) as media:
        frame = next(media.decode(video=0))
        assert frame.format.name == "yuv420p"
        found = frame.to_ndarray(format="rgb24", src_colorspace="ITU709").astype(np.int64)
    wanted = 255 * np.clip(apply(load_vibe("war").grade, np.clip(seen(film), 0, 1)), 0, 1)
    middles = np.s_[PATCH // 2 :: PATCH, PATCH // 2 :: PATCH]
    assert np.abs(found[middles] - wanted[middles]).max() <= 5


# LUTs of the user's own


def curve_rows(power: float) -> str:
    steps = np.linspace(0, 1, 65) ** power
    return "LUT_1D_SIZE 65\n" + "".join(f"{step:.6f} {step:.6f} {step:.6f}\n" for step in steps)


def table_rows() -> str:
    """Red and blue change places; red first in a file's rows."""
    steps = np.linspace(0, 1, 9)
    rows = [f"{b:.6f} {g:.6f} {r:.6f}\n" for b in steps for g in steps for r in steps]
    return "LUT_3D_SIZE 9\n" + "".join(rows)


CUBES: dict[str, tuple[str, Callable[[Colors], Colors]]] = {
    "1D": (curve_rows(1.4), lambda colors: colors**1.4),
    "3D": (table_rows(), lambda colors: colors[..., ::-1]),
    "shaper": (
        curve_rows(1.4).splitlines(keepends=True)[0]
        + table_rows().splitlines(keepends=True)[0]
        + "".join(curve_rows(1.4).splitlines(keepends=True)[1:] + table_rows().splitlines(keepends=True)[1:]),
        lambda colors: colors[..., ::-1] ** 1.4,
    ),
}


@pytest.mark.parametrize("kind", CUBES)
def test_ones_own_lut(film: Planes, folder: Path, ffmpeg: Path, kind: str) -> None:
    """Instead of the genre's look; a shot's own comes after it."""
    text, formula = CUBES[kind]
    (folder / "mine.cube").write_text(text, encoding="utf-8")
    rendered = shown("vibe: war\nlut: mine.cube\n", folder, ffmpeg, SHOT, f"{SHOT[:-1]}, grade: {WARM}}}")
    assert worst(planes_of(rendered, 0), film, formula) <= NEAR
    assert worst(planes_of(rendered, 2), film, lambda colors: apply(WARM_GRADE, formula(colors))) <= 2 * NEAR


def test_a_malformed_lut_is_refused_with_its_line(film: Planes, folder: Path) -> None:
    (folder / "bad.cube").write_text("TITLE x\nLUT_1D_SIZE 3\n0 0 0\n0.5 half 0.5\n1 1 1\n", encoding="utf-8")
    (folder / "bad.yaml").write_text(
        f"cinecut: 1\nfilm: film.mkv\nlut: bad.cube\ntimeline:\n  - {SHOT}\n", encoding="utf-8"
    )
    with pytest.raises(Stop) as caught:
        prepare(folder / "bad.yaml")
    [found] = caught.value.diagnostics
    assert found.code == "unreadable"
    assert found.span is not None
    assert found.span.file.endswith("bad.cube")
    assert found.span.line == 3  # the fourth


# What is not the film's


def test_bars_cards_and_stills_keep_their_colours(film: Planes, folder: Path, ffmpeg: Path) -> None:
    """Even where the look lifts black and dims white."""
    cv2.imwrite(str(folder / "still.png"), np.full((96, 214, 3), (200, 120, 40), np.uint8))
    look = "vibe: {base: war, grade: {lift: 0.2, gain: 0.7, temperature: 1}}\noutput: {codec: ffv1, size: 214x120}\n"
    events = (SHOT, "{black: 2f}", "{card: WORDS, for: 2f}", "{still: still.png, for: 2f}")
    graded = shown(look, folder, ffmpeg, *events, name="graded")
    none = look.replace("lift: 0.2", "strength: 0")
    plain = shown(none, folder, ffmpeg, *events, name="plain")
    shot = planes_of(graded, 0)
    bars = np.concatenate([shot[:, :12], shot[:, -12:]], axis=1)
    assert [np.unique(plane).tolist() for plane in bars] == [[16], [128], [128]]
    assert shot[0, 12:-12].min() > 30  # the look did lift
    assert np.array_equal(planes_of(plain, 0)[:, 12:-12], film)
    for frame in (3, 5, 7):
        assert np.array_equal(planes_of(graded, frame), planes_of(plain, frame))


def test_the_same_spec_gives_the_same_bytes(film: Planes, folder: Path, ffmpeg: Path) -> None:
    """From a LUT that is made and from one that is found again."""
    head = f"vibe: {{base: fantasy, grade: {WARM}}}\noutput: {{preset: ultrafast}}\n"
    one, other = (shown(head, folder, ffmpeg, name=name).path.read_bytes() for name in ("one", "other"))
    assert one == other


def test_a_grade_that_changes_nothing_costs_nothing(film: Planes, folder: Path) -> None:
    assert Grade.of({}) == NEUTRAL
    text = f"cinecut: 1\nfilm: film.mkv\ntimeline:\n  - {SHOT[:-1]}, grade: {{contrast: 1}}}}\n"
    (folder / "neutral.yaml").write_text(text, encoding="utf-8")
    plan = prepare(folder / "neutral.yaml").plan
    assert "lut3d" not in plan.render.filters
    assert plan.luts == {}


ROWS = "0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n"
CUBE = 'TITLE "a # b"\nLUT_3D_SIZE 2\n' + ROWS


@pytest.mark.parametrize(
    "data",
    [
        CUBE.encode("utf-16"),  # as Windows' editors save what they call Unicode
        CUBE.replace("SIZE 2", "SIZE 2 # points").replace("1 1 0", "1 1 0\t# yellow").encode(),
    ],
    ids=["UTF-16", "comments at the end of lines"],
)
def test_a_table_as_people_save_it(data: bytes) -> None:
    table = read_cube(data, "mine.cube").table
    assert table is not None
    assert table[1, 1, 0].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("LUT_3D_SIZE 2\n" + ROWS.replace("1 0 0", "nan 0 0"), "'nan 0 0' is not three levels of light"),
        ("LUT_3D_SIZE 2\n" + ROWS.replace("1 0 0", "Infinity 0 0"), "'Infinity 0 0' is not three levels of light"),
        ("0 0 0\nLUT_1D_SIZE 2\n", "colours come before LUT_1D_SIZE"),
        ("%PDF-1.7\n", "does not belong into a .cube file"),
    ],
)
def test_a_table_that_is_none_is_refused_for_the_right_reason(text: str, reason: str) -> None:
    with pytest.raises(Stop, match=reason):
        read_cube(text.encode(), "mine.cube")
