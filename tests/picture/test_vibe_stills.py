"""`cinecut vibes --still`: the frame that a time names, as it is and as the look has it, in the colours of a render."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import cinecut, names
from footage import encode
from numpy.typing import NDArray

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.grade import Grade
from cinecut.grade.formula import apply
from cinecut.media.probe import film_facts
from cinecut.review.still import draw_still
from cinecut.vibes import load_vibe
from cinecut.vibes import names as vibe_names

COLORS = [(200, 60, 40), (60, 160, 70), (70, 90, 190), (120, 120, 120)]  # of the film's seconds, red green blue
LOSSLESS = "-c:v ffv1 -pix_fmt yuv444p -vf scale=out_color_matrix=bt709:out_range=tv -colorspace bt709"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at 25 frames/s, each of one colour."""
    frames = np.zeros((100, 90, 160, 3), np.uint8)
    for second, color in enumerate(COLORS):
        frames[25 * second : 25 * second + 25] = color
    return encode(tmp_path_factory.mktemp("still") / "film.mkv", frames, options=LOSSLESS)


def draw(film: Path, at: str, grades: dict[str, Grade], target: Path, ffmpeg: Path) -> NDArray[np.uint8]:
    """The page [height, width, 3], RGB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(target.parent / "runtime"))
        draw_still(film, at, grades, target, find_ffmpeg(str(ffmpeg)), lambda holder: None)
    return picture(target)


def picture(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def cells(page: NDArray[np.uint8], count: int, columns: int) -> list[NDArray[np.uint8]]:
    """The middle of each picture of 160x90 on a page."""
    places = [(8 + n // columns * (90 + 24 + 8), 8 + n % columns * (160 + 8)) for n in range(count)]
    return [page[top + 45, left + 80] for top, left in places]


@pytest.mark.matrix(3)
@pytest.mark.parametrize(("at", "second"), [("0", 0), ("0.999", 0), ("1", 1), ("0:02.5", 2), ("00:00:03:24", 3)])
def test_the_frame_at_the_time_stands_before_and_after(
    film: Path, ffmpeg: Path, tmp_path: Path, at: str, second: int
) -> None:
    grade = load_vibe("western").grade
    before, after = cells(draw(film, at, {"western": grade}, tmp_path / "still.png", ffmpeg), 2, 2)
    wanted = np.array(COLORS[second])
    assert np.abs(before.astype(int) - wanted).max() <= 2
    assert np.abs(after - 255 * apply(grade, before / 255)).max() <= 3


def test_a_shot_of_a_neutral_look_is_left_alone(film: Path, bundled: Path, tmp_path: Path) -> None:
    before, after = cells(draw(film, "1.5", {"before": Grade()}, tmp_path / "still.png", bundled), 2, 2)
    assert (before == after).all()


def test_many_looks_are_a_sheet(film: Path, tmp_path: Path) -> None:
    done = cinecut("vibes", "--still", f"{film}@2.5", "-o", "sheet.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "sheet.png\n"), done.stderr
    shown = cells(picture(tmp_path / "sheet.png"), 1 + len(vibe_names()), 5)
    assert len({tuple(color) for color in shown}) >= 17, "looks are told apart"


def test_an_untagged_film_is_drawn_as_it_is_rendered(bundled: Path, tmp_path: Path) -> None:
    """A still is small; the film is not, and by its own size its colours are BT.709."""
    frames = np.full((2, 720, 1280, 3), (40, 170, 60), np.uint8)
    untagged = "scale=out_color_matrix=bt709,setparams=colorspace=unknown"
    hd = encode(tmp_path / "hd.mkv", frames, options=f"-c:v ffv1 -pix_fmt yuv444p -vf {untagged}")
    assert film_facts(hd).color.space == "unknown"
    page = draw(hd, "0", {"none": Grade()}, tmp_path / "still.png", bundled)
    assert np.abs(page[8 + 270, 8 + 480].astype(int) - (40, 170, 60)).max() <= 2


def test_what_is_there_is_not_replaced_unasked(film: Path, tmp_path: Path) -> None:
    still = ("vibes", "drama", "--still", f"{film}@0:01.5")
    first = cinecut(*still, cwd=tmp_path)
    assert first.stdout == "film_drama_0.01.5.png\n", first.stderr
    again = cinecut(*still, cwd=tmp_path)
    assert (again.returncode, "--force" in again.stderr) == (1, True)
    assert cinecut(*still, "--force", cwd=tmp_path).returncode == 0
    assert names(tmp_path) == ["film_drama_0.01.5.png"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("drama", "--still", "film.mkv"), "it takes a film and a time"),
        (("drama", "--still", "FILM@soon"), "'soon' is no time"),
        (("drama", "--still", "FILM@0:04"), "film.mkv has no frame at 0:04: it ends at 0:04.000"),
        (("drama", "--still", "none.mkv@1"), "there is no file none.mkv"),
        (("drama", "--still", "FILM@1", "-o", "still.gif"), "ends with .png, .jpg or .jpeg"),
        (("drama", "--still", "FILM@1", "-o", "no/still.png"), "there is no folder no"),
        (("drama", "-o", "still.png"), "--still FILM@TIME asks for one"),
        (("drama", "--still", "FILM@1", "--ffmpeg", "/no/such"), "there is no FFmpeg at"),
    ],
)
def test_what_cannot_be_drawn_is_said(film: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = cinecut("vibes", *(argument.replace("FILM", str(film)) for argument in arguments), cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert names(tmp_path) == []


def test_past_the_end_is_an_error_of_its_own(film: Path, bundled: Path, tmp_path: Path) -> None:
    with pytest.raises(Stop) as caught:
        draw(film, str(float(Fraction(100, 25))), {}, tmp_path / "still.png", bundled)
    assert caught.value.diagnostics[0].code == "past-end"
