"""What a trailer's file says of itself: the title as it was written, and the acts as chapters at their exact frames."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from oracle import Film, Sound
from test_deliverables import render_all

RATE = Fraction(24000, 1001)
TITLE = "A = b; #1 \\ [CHAPTER]\ntitle=None of yours 🎬"
SPEC = """cinecut: 1
film: {film}
effects: none
output: {{preset: ultrafast, size: 192x108{about}}}
deliverables:
  - {{name: web}}
  - {{name: plain, title: Another, chapters: false}}
  - {{name: archive, codec: ffv1}}
  - {{name: edit, codec: prores}}
timeline:
  - black: 5f
  - act: cold open; one
  - shot: {{in: 1s, for: 17f}}
  - {{shot: {{in: 3s, for: 12f}}, from: crossfade 6f}}
  - act: "#2"
  - {{shot: {{in: 4s, for: 23f}}, from: crossfade 8f, line: Run!}}
  - card: END
    for: 10f
"""
ACTS = [(0, "opening"), (5, "cold open; one"), (34, "#2")]
FRAMES = 67


@pytest.fixture
def film(films: Callable[[Film], Film], tmp_path: Path) -> Path:
    made = films(Film(Path("a.mp4"), RATE, 150, gop=12, sound=Sound()))
    shutil.copy(made.path, tmp_path / "film.mp4")
    return tmp_path / "film.mp4"


def told(file: Path) -> tuple[str | None, list[tuple[Fraction, Fraction, str]], list[int]]:
    """A file's title, its chapters in seconds, and how many frames and samples it has."""
    with av.open(str(file)) as container:
        spans = []
        for chapter in container.chapters():
            base = chapter["time_base"] or Fraction(0)
            start, end = (base * Fraction(chapter[key]) for key in ("start", "end"))
            spans.append((start, end, chapter["metadata"]["title"]))
        sizes = [sum(1 for _ in container.decode(video=0))]
    with av.open(str(file)) as container:
        sizes.append(sum(frame.samples for frame in container.decode(audio=0)))
        return container.metadata.get("title"), spans, sizes


def test_title_and_chapters_are_exact_in_every_container(film: Path, tmp_path: Path, ffmpeg: Path) -> None:
    about = f', chapters: true, subtitles: soft, title: "{TITLE}"'.replace("\\", "\\\\").replace("\n", "\\n")
    files = render_all(SPEC.format(film=film, about=about), tmp_path, ffmpeg)
    starts = [*(Fraction(frame) / RATE for frame, _ in ACTS), FRAMES / RATE]
    wanted = [(starts[n], starts[n + 1], name) for n, (_, name) in enumerate(ACTS)]
    for name, precision in (("web", Fraction(0)), ("edit", Fraction(0)), ("archive", Fraction(1, 10**9))):
        title, chapters, (frames, _) = told(files[name])
        assert title == TITLE.replace("\n", " "), name
        assert [text for *_, text in chapters] == [text for *_, text in wanted]
        for (start, end, _), (right, last, _) in zip(chapters, wanted, strict=True):
            assert abs(start - right) <= precision, name
            assert abs(end - last) <= precision, name
        assert frames == FRAMES
    assert told(files["plain"])[:2] == ("Another", [])


def test_a_file_says_nothing_unasked(film: Path, tmp_path: Path, bundled: Path) -> None:
    text = SPEC.format(film=film, about="").replace(", title: Another, chapters: false", "")
    silent = {name: told(file) for name, file in render_all(text, tmp_path, bundled).items()}
    assert all(each[:2] == (None, []) for each in silent.values())
    said = render_all(SPEC.format(film=film, about=", chapters: true"), tmp_path, bundled)
    assert {name: told(file)[2] for name, file in said.items()} == {name: each[2] for name, each in silent.items()}


def test_a_rating_card_comes_before_the_first_act(film: Path, tmp_path: Path, bundled: Path) -> None:
    rated = SPEC.format(film=film, about=", chapters: true").replace("  - black: 5f\n", "")
    rated = rated.replace("timeline:", "rating: {clip: film.mp4, for: 24f}\ntimeline:")
    _, chapters, _ = told(render_all(rated, tmp_path, bundled, only=["web"])["web"])
    begun = {name: start * RATE for start, _, name in chapters}
    assert begun == {"opening": 0, "cold open; one": 24, "#2": 24 + 29}
