"""Each genre's titles look as its file says: face, colour, tracking, movement; on their frames and inside the frame."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import numpy.typing as npt
import pytest

from cinecut.compiler.layout.timeline import PlacedText
from cinecut.compiler.picture.texts import Screen, lower_texts, typeset
from cinecut.diagnostics import Span
from cinecut.fonts.glyphs import FACES, FOLDER, load_face
from cinecut.language.read import make
from cinecut.language.schema import read_schema
from cinecut.language.spec import Safe
from cinecut.language.timebase import TrailerFrame, TrailerRange
from cinecut.vibes import PLAIN, TitleStyle, load_vibe, names

Pictures = npt.NDArray[np.uint8]  # [shape=(frames, height, width, 3)]

RATE = Fraction(24)
_DRAWN = "settb=1/50,setpts=2*N+1,ass=a.ass:fontsdir=fonts"  # as the graph has it: a text's clock counts frames


def drawn(
    ffmpeg: Path,
    folder: Path,
    style: TitleStyle,
    text: str = "A TITLE",
    *,
    position: Any = "card",
    frames: tuple[int, int] = (0, 3),
    fades: tuple[int, int] = (0, 0),
    rate: Fraction = RATE,
    size: tuple[int, int] = (640, 360),
    behind: str = "black",
) -> Pictures:
    """A text on its frames and two more, over one colour."""
    width, height = size
    span = TrailerRange(TrailerFrame(frames[0]), TrailerFrame(frames[1]))
    faces = {face: load_face(face) for face in (style.face, PLAIN.face)}
    screen = Screen(rate, width, height, style, faces, make(Safe))
    written = lower_texts([PlacedText(text, span, *fades, position, Span("", 0, 0, 0, 0))], screen)
    (folder / "a.ass").write_bytes(written)
    if not (folder / "fonts").exists():
        (folder / "fonts").symlink_to(FOLDER)
    source = f"color={behind}:size={width}x{height}:rate={rate},trim=end_frame={frames[1] + 2},format=gbrp"
    command = [str(ffmpeg), "-v", "error", "-f", "lavfi", "-i", source, "-vf", _DRAWN]
    output = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run([*command, *output], cwd=folder, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(frames[1] + 2, height, width, 3)


def box(picture: npt.NDArray[np.uint8], level: int = 60) -> tuple[int, int, int, int]:
    """left, top, right, bottom of what is brighter than black."""
    rows, columns = np.nonzero(picture.max(axis=2) > level)
    assert len(rows), "nothing is to be seen"
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def levels(pictures: Pictures) -> list[int]:
    """The brightest value of each picture."""
    return [int(picture.max()) for picture in pictures]


@pytest.mark.matrix(6)
@pytest.mark.parametrize("name", names())
def test_each_genres_card_is_on_its_frames_and_inside_the_safe_area(name: str, ffmpeg: Path, tmp_path: Path) -> None:
    style = load_vibe(name).titles
    pictures = drawn(ffmpeg, tmp_path, style, "The last of the giants", frames=(3, 40), size=(640, 360))
    assert [k for k, level in enumerate(levels(pictures)) if level > 0] == list(range(3, 40))
    for picture in (pictures[22], pictures[26]):
        left, top, right, bottom = box(picture)
        assert 64 <= left < right <= 576
        assert 36 <= top < bottom <= 324
        assert abs((left + right) / 2 - 320) <= 4
        assert abs((top + bottom) / 2 - 180) <= 18


@pytest.mark.matrix(8)
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("position", ["card", "lower"])
def test_long_texts_stay_inside_a_narrow_frame(name: str, position: str, bundled: Path, tmp_path: Path) -> None:
    text = "From the people who brought you nothing at all, an unforgettable\nDonaudampfschifffahrtsgesellschaft"
    pictures = drawn(
        bundled, tmp_path, load_vibe(name).titles, text, position=position, frames=(0, 30), size=(360, 640)
    )
    left, top, right, bottom = box(pictures[17])
    assert 33 <= left < right <= 327
    assert 60 <= top < bottom <= 580


def test_no_two_genres_write_alike() -> None:
    assert len({load_vibe(name).titles for name in names()}) == len(names())


def test_the_styles_use_what_there_is() -> None:
    styles = [load_vibe(name).titles for name in names()]
    hints = get_type_hints(TitleStyle)
    assert {style.face for style in styles} == set(FACES)
    for key in ("animation", "case", "edge"):
        assert {getattr(style, key) for style in styles} == set(get_args(hints[key]))


def test_the_schema_and_the_style_agree() -> None:
    properties = read_schema("vibe-1")["properties"]["titles"]["properties"]
    assert PLAIN.merged({key: part["default"] for key, part in properties.items()}) == PLAIN
    assert set(properties) == {item.name for item in dataclasses.fields(TitleStyle)}
    assert properties["face"]["enum"] == sorted(FACES)
    hints = get_type_hints(TitleStyle)
    for key in ("animation", "case", "edge"):
        assert tuple(properties[key]["enum"]) == get_args(hints[key])


@pytest.mark.parametrize("color", ["#D21F26", "#ffd23f", "#0080FF"])
def test_a_colour_is_that_colour(color: str, ffmpeg: Path, tmp_path: Path) -> None:
    pictures = drawn(ffmpeg, tmp_path, TitleStyle(color=color), "MMM", size=(640, 360))
    wanted = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    values, counts = np.unique(pictures[1].reshape(-1, 3), axis=0, return_counts=True)
    inked = np.argsort(counts)[-2]  # after the black
    assert np.abs(values[inked].astype(int) - wanted).max() <= 1


@pytest.mark.matrix(4)
@pytest.mark.parametrize("face", sorted(FACES))
def test_a_face_is_drawn_by_that_face(face: str, ffmpeg: Path, tmp_path: Path) -> None:
    left, _, right, _ = box(drawn(ffmpeg, tmp_path, TitleStyle(face), "HnHnHnHn", size=(1280, 720))[1])
    assert right - left == pytest.approx(load_face(face).width("HnHnHnHn") * round(720 / 7), rel=0.05)


def test_size_and_tracking(ffmpeg: Path, tmp_path: Path) -> None:
    def width(style: TitleStyle) -> int:
        left, _, right, _ = box(drawn(ffmpeg, tmp_path, style, "HHHHHH", size=(1280, 720))[1])
        assert abs((left + right) / 2 - 640) <= 2
        return right - left

    usual = width(PLAIN)
    assert width(TitleStyle(size=Fraction(3, 2))) / usual == pytest.approx(1.5, abs=0.02)
    em = load_face(PLAIN.face).em * round(720 / 7)
    assert width(TitleStyle(tracking=Fraction(3, 10))) - usual == pytest.approx(5 * 0.3 * em, abs=4)


def test_letters_that_join_are_never_parted(ffmpeg: Path, tmp_path: Path) -> None:
    """A script that the face lacks comes from another font, at that font's own spacing."""
    pair = [
        drawn(ffmpeg, tmp_path, TitleStyle(tracking=tracking), "مرحبا")[1] for tracking in (Fraction(0), Fraction(1))
    ]
    assert np.array_equal(*pair)


def test_capitals(ffmpeg: Path, tmp_path: Path) -> None:
    upper = drawn(ffmpeg, tmp_path, PLAIN, "ÉLÈVE STRASSE Ω")
    lower = drawn(ffmpeg, tmp_path, TitleStyle(case="capitals"), "élève Straße ω")
    assert np.array_equal(upper, lower)


@pytest.mark.parametrize("position", ["lower", "middle", "upper"])
def test_a_shadow_is_soft_and_an_outline_hard(position: str, ffmpeg: Path, tmp_path: Path) -> None:
    """Rows through the letters, over white: an outline leaves few greys, a shadow many, and wider."""

    def darkened(style: TitleStyle) -> int:
        picture = drawn(ffmpeg, tmp_path, style, position=position, size=(1280, 720), behind="white")[1]
        return int(((picture[..., 1] > 120) & (picture[..., 1] < 250)).sum())

    assert darkened(TitleStyle(edge="shadow")) > 2 * darkened(TitleStyle(edge="outline"))


# Movement


def test_a_fade_comes_and_goes(ffmpeg: Path, tmp_path: Path) -> None:
    seen = levels(drawn(ffmpeg, tmp_path, TitleStyle(animation="fade"), frames=(2, 50)))
    assert seen[:2] == [0, 0]
    assert 0 < seen[2] < 30
    assert np.all(np.diff(seen[2:14]) > 0)
    assert set(seen[14:38]) == {255}
    assert np.all(np.diff(seen[38:50]) < 0)
    assert 0 < seen[49] < 30
    assert seen[50:] == [0, 0]


@pytest.mark.parametrize("animation", ["fade", "rise", "track-out"])
def test_the_specs_own_fades_come_first(animation: Any, ffmpeg: Path, tmp_path: Path) -> None:
    seen = levels(drawn(ffmpeg, tmp_path, TitleStyle(animation=animation), frames=(3, 43), fades=(4, 2)))
    assert [k for k, level in enumerate(seen) if 0 < level < 250] == [3, 4, 5, 6, 41, 42]


@pytest.mark.matrix
@pytest.mark.parametrize("animation", ["none", "fade", "rise", "track-out", "flicker"])
@pytest.mark.parametrize("length", [1, 2, 5, 11])
def test_even_the_shortest_text_is_seen_on_all_its_frames(
    animation: Any, length: int, ffmpeg: Path, tmp_path: Path
) -> None:
    seen = levels(drawn(ffmpeg, tmp_path, TitleStyle(animation=animation), frames=(3, 3 + length)))
    assert [k for k, level in enumerate(seen) if level > 0] == list(range(3, 3 + length))
    assert max(seen) == 255


@pytest.mark.parametrize("position", ["card", "lower", "middle", "upper"])
def test_a_rising_text_comes_to_rest_where_a_still_one_stands(position: str, ffmpeg: Path, tmp_path: Path) -> None:
    still = drawn(ffmpeg, tmp_path, PLAIN, "A\nTITLE", position=position, frames=(0, 30))
    rising = drawn(ffmpeg, tmp_path, TitleStyle(animation="rise"), "A\nTITLE", position=position, frames=(0, 30))
    assert np.abs(rising[14].astype(int) - still[14]).max() <= 2
    tops = [box(picture, 12)[1] for picture in rising[2:11]]
    assert tops == sorted(tops, reverse=True)
    assert tops[0] > tops[-1]


def test_the_letters_of_a_track_out_drift_apart(ffmpeg: Path, tmp_path: Path) -> None:
    """Evenly, to the last frame, about the middle, and never to another row."""
    style = TitleStyle(animation="track-out", tracking=Fraction(1, 10))
    pictures = drawn(ffmpeg, tmp_path, style, "THE LONG WAY HOME, AND BACK", frames=(0, 72), size=(640, 360))
    boxes = [box(picture, 12) for picture in pictures[1:71]]
    widths = [right - left for left, _, right, _ in boxes]
    assert widths[-1] > widths[len(widths) // 2] + 2 > widths[0] + 5
    assert all(b >= a - 1 for a, b in itertools.pairwise(widths))
    centres = [(left + right) / 2 for left, _, right, _ in boxes]
    assert max(centres) - min(centres) <= 1.5
    assert abs(centres[0] - 320) <= 3  # H stands further from its edge than K
    assert len({bottom - top for _, top, _, bottom in boxes[10:60]}) == 1


@pytest.mark.matrix
@pytest.mark.parametrize("rate", ["24", "30000/1001", "60000/1001"])
@pytest.mark.parametrize("start", [0, 7])
def test_a_flicker_changes_between_frames(rate: str, start: int, ffmpeg: Path, tmp_path: Path) -> None:
    """Each frame has one of the lamp's levels, and each level lasts as many frames as it should at that rate."""
    exact = Fraction(rate)
    style = TitleStyle(animation="flicker")
    seen = levels(drawn(ffmpeg, tmp_path, style, "MMM", frames=(start, start + 80), rate=exact, size=(320, 180)))
    steps = [(0, 128), (2, 20), (4, 204), (6, 38), (9, 230), (11, 89), (13, 255)]
    frames = round(Fraction(13, 24) * exact)
    bounds = [round(Fraction(24 * at, 24 * 13) * frames) for at, _ in steps]
    for k in range(80):
        wanted = [level for (_, level), bound in zip(steps, bounds, strict=True) if bound <= k][-1]
        assert abs(seen[start + k] - wanted) <= 3, k


# Lines


def test_a_line_breaks_into_even_rows() -> None:
    face = load_face("Open Sans Semibold")
    text = "a house that is far too long for only one line and for two"
    size, rows = typeset(text, 50, 700, 400, face, 0)
    widths = [face.width(row) * size for row in rows]
    assert size == 50
    assert " ".join(rows) == text
    assert len(rows) == 2
    assert max(widths) <= 700
    assert min(widths) > 0.85 * max(widths)


def test_a_line_is_set_a_little_smaller_rather_than_broken() -> None:
    face = load_face("Open Sans Semibold")
    width = face.width("SOME WORDS") * 50
    assert typeset("SOME WORDS", 50, width + 1, 400, face, 0) == (50, ["SOME WORDS"])
    size, rows = typeset("SOME WORDS", 50, width * 0.8, 400, face, 0)
    assert (size, rows) == (40, ["SOME WORDS"])
    assert typeset("SOME WORDS", 50, width * 0.7, 400, face, 0) == (50, ["SOME", "WORDS"])


def test_a_no_break_space_holds_its_words_together() -> None:
    face = load_face("Open Sans Semibold")
    width = face.width("ONE TWO") * 50 + 1
    assert typeset("ONE TWO FOUR", 50, width, 400, face, 0)[1] == ["ONE TWO", "FOUR"]
    assert typeset("ONE TWO\u00a0FOUR", 50, width * 1.2, 400, face, 0)[1] == ["ONE", "TWO\u00a0FOUR"]


def test_chinese_breaks_between_its_signs_but_not_before_a_stop() -> None:
    face = load_face("Open Sans Semibold")
    text = "他们说世界已经结束了。可是我们还在这里，等待黎明的到来。"
    size, rows = typeset(text, 50, 420, 400, face, 0)
    assert size == 50
    assert "".join(rows) == text
    assert len(rows) > 3
    assert all(len(row) <= 8 and row[0] not in "。，" for row in rows)


@pytest.mark.parametrize("name", ["western", "sci-fi", "horror"])
def test_both_builds_break_the_same_lines(name: str, bundled: Path, ffmpeg: Path, tmp_path: Path) -> None:
    text = "Nobody in this town has ever seen what lies behind the mountains"
    pair = [drawn(build, tmp_path, load_vibe(name).titles, text, frames=(0, 40))[22] for build in (bundled, ffmpeg)]
    inked = [(picture.max(axis=2) > 100).any(axis=1) for picture in pair]
    assert np.count_nonzero(inked[0] != inked[1]) <= 4
    assert np.diff(inked[0].astype(int)).clip(0).sum() >= 2


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["sci-fi", "crime", "adventure"])
@pytest.mark.parametrize("text", ["{\\an7\\fs90}x", "a\\Nb", "\\{\\fs90}a", "x\\h}{\\pos(0,0)}"])
def test_a_styled_text_holds_no_commands(name: str, text: str, ffmpeg: Path, tmp_path: Path) -> None:
    """One row in the middle, as high as its letters are."""
    style = load_vibe(name).titles
    _, top, _, bottom = box(drawn(ffmpeg, tmp_path, style, text, frames=(0, 40))[22])
    assert abs((top + bottom) / 2 - 180) < 20
    assert bottom - top < round(360 / 7) * style.size


def test_a_plain_title_is_a_plain_line() -> None:
    text = PlacedText("A", TrailerRange(TrailerFrame(2), TrailerFrame(9)), 0, 0, "lower", Span("", 0, 0, 0, 0))
    screen = Screen(RATE, 1280, 720, PLAIN, {PLAIN.face: load_face(PLAIN.face)}, make(Safe))
    assert lower_texts([text], screen).decode().splitlines()[-1] == "Dialogue: 0,0:00:00.08,0:00:00.36,lower,A"
