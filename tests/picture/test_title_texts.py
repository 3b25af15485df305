"""Whatever stands in a title is text: no command of ASS, no event of its own, never wider than the picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from oracle import Film, Luma, read_pictures
from rendering import write_spec

from cinecut.compiler.layout.timeline import PlacedText
from cinecut.compiler.picture.texts import Screen, lower_texts
from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.document.layout import scalar_text
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

_HARMLESS = "(fs200) Ag"
_TEXTS = [
    r"{\fs200} Ag",
    r"{\fs200 Ag",
    r"\{\fs200} Ag",
    r"\\{\fs200} Ag",
    r"{\pos(0,0)} Ag",
    r"{\an7} Ag",
    r"{\alpha&HFF&} Ag",
    r"{\1a&HFF&\3a&HFF&} Ag",
    r"{\p4}m 0 0 l 99 0 99 99 0 99",
    r"{\r} {\fad(0,0)}{\t(\fs99)}",
    r"one\Ntwo",
    r"one\ntwo",
    r"one\htwo",
    "a\\",
    "\\",
    "{",
    "}",
    "{}",
    ",,,",
    "0,0,0,,Ag",
    "100 % %d %{pts} %%",
    "$HOME `id` $(id)",
    'it\'s "quoted": [a], b; c=d',
    "/etc/passwd:1",
    "Dialogue: 0,0:00,9:00,card,Ag",
    "🎬 Ag",
    "مرحبا بالعالم",
    "שלום עולם",
    "\u202eAg\u202c",
    "  Ag  ",
    "\tAg",
    "Ag\r\n",
    "&H00FFFFFF& Ag",
    "<b>Ag</b> &amp;",
]


@pytest.fixture(scope="session")
def cards(films: Callable[[Film], Film], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec of cards, each followed by black; the first is the harmless one."""
    film = films(Film(Path("a.mkv"), Fraction(24), 48, (640, 360)))
    rows = [f"{{card: {scalar_text(text, flow=True)}, for: 2f}}\n  - black: 2f" for text in (_HARMLESS, *_TEXTS)]
    return write_spec(tmp_path_factory.mktemp("cards"), *rows, film=str(film.path), head="output: {crf: 8}")


def extents(picture: Luma) -> tuple[int, int, int, int]:
    """left, top, right, bottom of what is brighter than black."""
    rows, columns = np.nonzero(picture > 60)
    assert len(rows), "nothing is to be seen"
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_titles_hold_no_commands(cards: Path, tmp_path: Path, ffmpeg: Path) -> None:
    """Each text stands in one line in the middle, as high as letters are; nothing of it is left on the next frame."""
    render(prepare(cards), tmp_path / "out.mp4", find_ffmpeg(str(ffmpeg)), SILENT)
    pictures = list(read_pictures(tmp_path / "out.mp4"))
    assert len(pictures) == 4 * (1 + len(_TEXTS))
    _, top, _, bottom = extents(pictures[0])
    line = bottom - top
    for number, text in enumerate(_TEXTS, start=1):
        first, second, *after = pictures[4 * number : 4 * number + 4]
        assert all(picture.max() < 40 for picture in after), text
        for picture in (first, second):
            left, top, right, bottom = extents(picture)
            assert bottom - top < 1.7 * line, text
            assert abs((left + right) / 2 - 320) < 12, text
            assert abs((top + bottom) / 2 - 180) < line, text
            assert (picture > 128).sum() < 0.6 * line * (right - left) + 60, text


def test_measure_of_titles_sees_commands(cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with the escapes taken away, so that the test above is known to see what it looks for."""

    def bare(texts: Sequence[PlacedText], screen: Screen) -> bytes:
        return lower_texts(texts, screen).replace(rb"\{", b"{").replace("\u2060".encode(), b"")

    monkeypatch.setattr("cinecut.compiler.segments.lower_texts", bare)
    render(prepare(cards), tmp_path / "out.mp4", find_ffmpeg(), SILENT)
    pictures = list(read_pictures(tmp_path / "out.mp4"))
    _, top, _, bottom = extents(pictures[0])
    _, high, _, low = extents(pictures[4])
    assert low - high > 3 * (bottom - top)
    left, high, *_ = extents(pictures[4 * (1 + _TEXTS.index(r"{\an7} Ag"))])
    assert (left, high) < (100, 100)


def test_line_breaks_and_injected_events(films: Callable[[Film], Film], tmp_path: Path, ffmpeg: Path) -> None:
    film = films(Film(Path("a.mkv"), Fraction(24), 48, (640, 360)))
    injected = "Ag\nDialogue: 0,0:00:00.00,9:00:00.00,card,Ag\n[Fonts]\nfontname: x"
    rows = [f"{{card: {json.dumps(text)}, for: 2f}}" for text in ("Ag", "Ag\nAg", injected, "Ag\u2028Ag\x85Ag")]
    spec = write_spec(tmp_path, *rows, "black: 2f", film=str(film.path), head="output: {crf: 8}")
    render(prepare(spec), tmp_path / "out.mp4", find_ffmpeg(str(ffmpeg)), SILENT)
    pictures = list(read_pictures(tmp_path / "out.mp4"))
    heights = [bottom - top for _, top, _, bottom in map(extents, pictures[0:8:2])]
    assert 1.7 * heights[0] < heights[1] < 3 * heights[0]
    assert heights[2] > 2.5 * heights[0]  # all four lines, as text; a little smaller, for the longest word
    assert pictures[8].max() < 40
    assert pictures[9].max() < 40


def test_long_titles(films: Callable[[Film], Film], tmp_path: Path, ffmpeg: Path) -> None:
    """The longest ones stand inside the picture; longer ones are refused."""
    film = films(Film(Path("a.mkv"), Fraction(24), 48, (640, 360)))
    texts = (("a word " * 100)[:500], "\n".join("g" * 20), ("Donaudampfschifffahrt " * 30)[:500])
    rows = [f"{{card: {scalar_text(text, flow=True)}, for: 2f}}" for text in texts]
    spec = write_spec(tmp_path, *rows, film=str(film.path), head="output: {crf: 8}")
    render(prepare(spec), tmp_path / "out.mp4", find_ffmpeg(str(ffmpeg)), SILENT)
    pictures = list(read_pictures(tmp_path / "out.mp4"))
    assert len(pictures) == 6
    for picture in pictures[::2]:
        left, top, right, bottom = extents(picture)
        assert 0 < left < right < 640
        assert 0 < top < bottom < 360
    write_spec(tmp_path, f"{{card: {'x' * 10_000}, for: 2f}}", film=str(film.path))
    with pytest.raises(Stop) as stop:
        prepare(spec)
    (found,) = stop.value.diagnostics
    assert (found.code, found.message) == ("wrong-value", "`card` has 10000 characters; 500 is the most")


def test_a_line_runs_in_the_direction_of_its_first_letter(
    films: Callable[[Film], Film], tmp_path: Path, ffmpeg: Path
) -> None:
    """Or as a mark of direction before it says (UAX #9)."""
    film = films(Film(Path("a.mkv"), Fraction(24), 48, (640, 360)))
    rows = [f"{{card: {json.dumps(text)}, for: 2f}}" for text in ("W ו", "ו W", "\u200fW ו", "\u200eו W")]
    spec = write_spec(tmp_path, *rows, film=str(film.path), head="output: {crf: 8}")
    render(prepare(spec), tmp_path / "out.mp4", find_ffmpeg(str(ffmpeg)), SILENT)
    wide = []  # where the W is
    for picture in list(read_pictures(tmp_path / "out.mp4"))[0:8:2]:
        columns = np.flatnonzero((picture > 100).any(0))
        letters = np.split(columns, np.flatnonzero(np.diff(columns) > 3) + 1)
        wide.append("left" if len(letters[0]) > len(letters[-1]) else "right")
    assert wide == ["left", "left", "right", "right"]
