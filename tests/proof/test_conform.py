"""A finished trailer read back: each shot at its place in the film, whatever the trailer's size, rate and look are."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commandline import cinecut
from footage import Frames, encode, make_film, scene
from oracle import BUNDLED

from cinecut.diagnostics import Report
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.events import Black, Shot
from cinecut.language.read import load_spec
from cinecut.media.probe import film_facts
from cinecut.proof.conform.places import framing
from cinecut.proof.conform.places.closer import clear_place
from cinecut.proof.conform.places.film import FilmPictures
from cinecut.proof.conform.places.placing import Piece, Placer
from cinecut.proof.conform.places.vectors import View, alike, mirrored, vectors_of
from cinecut.proof.conform.reading import conform
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

SPEC = """cinecut: 1
film: film.mp4
vibe: thriller
effects: none
output: {size: 256x144, preset: ultrafast}
timeline:
  - shot: {in: 5.0s, for: 30f}
  - shot: {in: 12.4s, for: 40f}
  - black: 12f
  - shot: {in: 1.2s, for: 25f}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("conform")
    film = make_film(folder / "film.mp4", count=8, spoken=False)
    (folder / "edges.json").write_text(json.dumps(film.edges), encoding="utf-8")
    encode(folder / "other.mp4", np.concatenate([scene(100 + n, 40, speed=2) for n in range(4)]))
    (folder / "a.yaml").write_text(SPEC, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder / "runtime"))
        render(prepare(folder / "a.yaml"), folder / "clean.mp4", find_ffmpeg(), SILENT)
        yield folder


def test_a_trailer_encoded_again(folder: Path) -> None:
    """Each shot is found within a frame, its look and its size notwithstanding; and what comes out is a spec."""
    again = [
        "-i",
        str(folder / "clean.mp4"),
        "-vf",
        "scale=128:72",
        "-r",
        "30",
        "-crf",
        "24",
        str(folder / "again.mp4"),
    ]
    subprocess.run([BUNDLED, "-v", "error", *again], check=True)
    found = conform(
        folder / "again.mp4", [folder / "other.mp4", folder / "film.mp4"], folder / "b.yaml", lambda *_: None
    )
    (folder / "b.yaml").write_text(found.text, encoding="utf-8")
    report = Report()
    _, spec = load_spec(folder / "b.yaml", report)
    assert list(report) == []
    assert spec is not None
    assert spec.main_film.file == "film.mp4"
    shots = [entry for entry in spec.timeline if isinstance(entry, Shot)]
    starts = [shot.shot.in_.seconds for shot in shots if shot.shot.in_ is not None]
    wanted = [Fraction(5), Fraction(62, 5), Fraction(6, 5)]
    assert all(abs(one - other) <= Fraction(3, 50) for one, other in zip(starts, wanted, strict=True)), starts
    assert [type(entry) for entry in spec.timeline] == [Shot, Shot, Black, Shot]
    assert found.foreign == 0
    assert prepare(folder / "b.yaml").plan.frames == found.frames


def test_the_command(folder: Path) -> None:
    done = cinecut("conform", "clean.mp4", "film.mp4", "-o", "c.yaml", "--json", cwd=folder)
    assert (done.returncode, json.loads(done.stdout)["shots"]) == (0, 3), done.stderr
    assert cinecut("conform", "clean.mp4", "film.mp4", "-o", "c.yaml", cwd=folder).returncode == 1  # it is there
    nothing = cinecut("conform", "clean.mp4", "other.mp4", "-o", "d.yaml", cwd=folder)
    assert (nothing.returncode, "[no-material]" in nothing.stderr) == (1, True), nothing.stderr
    assert not (folder / "d.yaml").exists()


def _another_render(folder: Path, edges: list[int]) -> list[int]:
    """A trailer of another transfer: cropped, letterboxed, graded, with a logo; one shot is mirrored, one slow, one
    under a title, one dissolves into the next. Returns the film frames with which its shots begin."""
    firsts = [edges[1] + 3, edges[3] + 2, edges[4] + 4, edges[2] + 5, edges[6] + 3, edges[5] + 12]
    lengths, ways = [24, 22, 12, 20, 28, 24], ["null", "hflip", "setpts=2*PTS", "null", "null", "null"]
    look = "crop=iw*0.94:ih*0.94,scale=256:144,crop=256:108,eq=gamma=1.3:saturation=0.7"
    title = "drawbox=40:50:170:18:white:fill,drawbox=60:74:120:10:white:fill"
    parts = [
        f"[0:v]trim=start_frame={first}:end_frame={first + length},setpts=PTS-STARTPTS,{way},fps=25,{look}"
        f"{',' + title if number == 3 else ''},settb=1/25[v{number}]"
        for number, (first, length, way) in enumerate(zip(firsts, lengths, ways, strict=True))
    ]
    logo = "pad=256:144:0:18,drawbox=232:22:16:8:gray:fill"
    joined = f"[v4][v5]xfade=duration=0.4:offset=0.72[v6];[v0][v1][v2][v3][v6]concat=n=5,{logo}[out]"
    files, graph = ["-i", str(folder / "film.mp4")], ["-filter_complex", ";".join([*parts, joined]), "-map", "[out]"]
    coding = ["-crf", "23", "-pix_fmt", "yuv420p", str(folder / "render.mp4")]
    subprocess.run([str(BUNDLED), "-v", "error", *files, *graph, *coding], check=True)
    return firsts


def test_a_trailer_of_another_render(folder: Path) -> None:
    """Every shot of a cropped and graded trailer is found, and how it was cropped, mirrored, slowed, blended."""
    firsts = _another_render(folder, json.loads((folder / "edges.json").read_text(encoding="utf-8")))
    found = conform(folder / "render.mp4", [folder / "film.mp4"], folder / "e.yaml", lambda *_: None)
    (folder / "e.yaml").write_text(found.text, encoding="utf-8")
    report = Report()
    _, spec = load_spec(folder / "e.yaml", report)
    assert list(report) == []
    assert spec is not None
    shots = [piece for piece in found.pieces if piece.film is not None]
    assert all(abs(piece.first - first) <= 1 for piece, first in zip(shots[:5], firsts[:5], strict=True)), shots
    assert [piece.flipped for piece in shots] == [False, True, False, False, False, False]
    assert [piece.speed for piece in shots] == [1, 1, Fraction(1, 2), 1, 1, 1]
    assert 8 <= shots[5].blend <= 12
    assert abs(shots[5].first - (firsts[5] + 5)) <= 2
    assert found.foreign == 0
    crop = spec.main_film.crop
    assert crop is not None
    assert [round(float(each), 1) for each in (crop.x, crop.y, crop.w, crop.h)] == [0.0, 0.1, 0.9, 0.7]
    assert [entry.mirror for entry in spec.timeline if isinstance(entry, Shot)] == [piece.flipped for piece in shots]
    assert "saturation × 0." in found.text
    assert prepare(folder / "e.yaml").plan.frames == found.frames


def test_a_picture_is_told_by_its_details_whatever_covers_it() -> None:
    """Another light makes it no other picture; most of its parts tell it where something lies over it."""
    dice = np.random.default_rng(5)
    luma = dice.integers(60, 180, (4, 45, 80)).astype(np.uint8)
    lighter = np.clip(255 * (luma[:1] / 255.0) ** 0.8 + 20 * np.linspace(0, 1, 80), 0, 255).astype(np.uint8)
    covered = luma[:1].copy()
    covered[:, 15:30, 10:70] = 235
    ones = vectors_of(np.concatenate([lighter, covered]))
    assert float(alike(ones[:1], vectors_of(luma))[0, 0]) > 0.95
    assert alike(ones[1:], vectors_of(luma))[0, 0] < 0.6
    assert alike(ones[1:], vectors_of(luma), covered=True)[0, 0] > 0.75
    assert alike(ones[1:], vectors_of(luma), covered=True)[0, 1:].max() < 0.5
    assert alike(mirrored(ones[:1]), vectors_of(lighter[:, :, ::-1]))[0, 0] > 0.99


def test_a_trailer_of_two_films(folder: Path) -> None:
    """Both are in the spec, and each shot says of which it is."""
    parts = "[0:v]trim=start_frame=110:end_frame=140,setpts=PTS-STARTPTS[a];[1:v]trim=start_frame=45:end_frame=65"
    graph = f"{parts},setpts=PTS-STARTPTS[b];[a][b]concat[out]"
    files = ["-i", str(folder / "film.mp4"), "-i", str(folder / "other.mp4")]
    command = [str(BUNDLED), "-v", "error", *files, "-filter_complex", graph, "-map", "[out]"]
    subprocess.run([*command, str(folder / "two.mp4")], check=True)
    found = conform(folder / "two.mp4", [folder / "other.mp4", folder / "film.mp4"], folder / "f.yaml", lambda *_: None)
    (folder / "f.yaml").write_text(found.text, encoding="utf-8")
    report = Report()
    _, spec = load_spec(folder / "f.yaml", report)
    assert list(report) == []
    assert spec is not None
    assert [film.file for film in spec.every_film.values()] == ["film.mp4", "other.mp4"]
    shots = [entry.shot for entry in spec.timeline if isinstance(entry, Shot)]
    assert [shot.film for shot in shots] == [None, "film-2"]
    assert found.foreign == 0
    assert prepare(folder / "f.yaml").plan.frames == 50


def test_still_reframed_quick_and_foreign_shots(tmp_path: Path) -> None:
    """What cannot be told is said; a shot with a part of the picture of its own is found with it; four frames are
    enough; what is of no film is nowhere."""
    speeds = [0, 3, 2, 4, 3]
    scenes = [scene(n, 60, speed) // 2 + scene(n + 20, 60, 0) // 2 for n, speed in enumerate(speeds)]
    film = encode(tmp_path / "film.mp4", np.concatenate(scenes))
    foreign = encode(tmp_path / "foreign.mp4", scene(50, 30, 2))
    cuts = [(0, 10, 24, "null"), (0, 130, 20, "null"), (0, 70, 24, "crop=iw*0.75:ih*0.75:0:ih*0.25,scale=256:144"),
            (0, 200, 4, "null"), (0, 260, 24, "null"), (1, 0, 24, "null")]  # fmt: skip
    parts = [
        f"[{medium}:v]trim=start_frame={first}:end_frame={first + length},setpts=PTS-STARTPTS,{way}[v{number}]"
        for number, (medium, first, length, way) in enumerate(cuts)
    ]
    graph = f"{';'.join(parts)};{''.join(f'[v{n}]' for n in range(len(cuts)))}concat=n={len(cuts)}[out]"
    files = ["-i", str(film), "-i", str(foreign), "-filter_complex", graph, "-map", "[out]", "-crf", "20"]
    subprocess.run([str(BUNDLED), "-v", "error", *files, str(tmp_path / "trailer.mp4")], check=True)
    found = conform(tmp_path / "trailer.mp4", [film], tmp_path / "a.yaml", lambda *_: None)
    still, plain, part, quick, last, other = found.pieces
    assert (still.film, still.certain, plain.certain, last.certain) == (0, False, True, True)
    assert 0 <= still.first <= 36
    assert "not certain" in found.text
    assert all(
        abs(piece.first - first) <= 1 for piece, (_, first, *_) in zip(found.pieces[1:5], cuts[1:5], strict=True)
    )
    assert part.view is not None
    assert part.view.differs(View(0, 0.25, 0.75, 1)) < 0.02
    assert (quick.film, quick.end - quick.start) == (0, 4)
    assert other.film is None
    (tmp_path / "a.yaml").write_text(found.text, encoding="utf-8")
    assert prepare(tmp_path / "a.yaml").plan.frames == found.frames


def _rolling(length: int) -> Frames:
    """Names that roll up over black, as at the end of a film: many small lines, 2 pixels a frame."""
    dice = np.random.default_rng(8)
    page = np.zeros((144 + 2 * length, 256), np.uint8)
    for top in range(4, len(page) - 4, 8):
        page[top : top + 4, 20:236] = 230 * np.repeat(dice.random(72) < 0.6, 3) * (dice.random() < 0.9)
    rolled = np.stack([page[2 * n : 2 * n + 144] for n in range(length)])
    return rolled[..., None].repeat(3, axis=-1)


def test_names_that_roll(tmp_path: Path) -> None:
    """Shots of rolling text are found at their frames in another render, also under a title. A closer look tells the
    right place from a rough one, and says nothing where only wrong ones are asked about."""
    scenes = [scene(n, 50, 2 + n) for n in range(3)]
    film = encode(tmp_path / "film.mp4", np.concatenate([*scenes, _rolling(260)]))
    cuts = [(20, 24), (190, 24), (70, 24), (320, 30), (250, 24)]
    title = "drawbox=60:50:136:5:white:fill,drawbox=80:62:96:20:white:fill"
    parts = [
        f"[0:v]trim=start_frame={first}:end_frame={first + length},setpts=PTS-STARTPTS,"
        f"crop=iw*0.96:ih*0.96,scale=384:216{',' + title if number == 4 else ''}[v{number}]"
        for number, (first, length) in enumerate(cuts)
    ]
    graph = f"{';'.join(parts)};{''.join(f'[v{n}]' for n in range(len(cuts)))}concat=n={len(cuts)},eq=gamma=1.2[out]"
    files = ["-i", str(film), "-filter_complex", graph, "-map", "[out]", "-crf", "18", "-pix_fmt", "yuv420p"]
    subprocess.run([str(BUNDLED), "-v", "error", *files, str(tmp_path / "trailer.mp4")], check=True)
    found = conform(tmp_path / "trailer.mp4", [film], tmp_path / "a.yaml", lambda *_: None)
    assert found.foreign == 0, found.pieces
    start = 0
    for first, length in cuts:
        middle = start + length // 2
        piece = next(each for each in found.pieces if each.start <= middle < each.end)
        assert abs(piece.first + (middle - piece.start) - (first + length // 2)) <= 1, (first, found.pieces)
        start += length
    everything = slice(0, 45), slice(0, 80)
    with FilmPictures.open(film, lambda done: None) as pictures:
        pictures.view = View(0.02, 0.02, 0.98, 0.98)
        trailer = tmp_path / "trailer.mp4"
        placer = Placer(trailer, film_facts(trailer), np.zeros((1, 3, 45, 80), np.uint8), everything, [pictures])
        right, wrong = (Piece(72, 102, 0, Fraction(first)) for first in (327, 200))
        clear = clear_place([right, wrong], placer)
        assert clear is not None
        assert (clear.first, clear.speed) == (Fraction(320), Fraction(1))
        assert clear_place([wrong], placer) is None


def test_what_stands_twice_in_a_film_is_decoded_once(folder: Path, tmp_path: Path) -> None:
    """By packets copied behind each other; pictures of the copies are those of the first, each at its own rank."""
    (tmp_path / "list.txt").write_text(f"file '{folder / 'film.mp4'}'\n" * 3)
    copy = ["-f", "concat", "-safe", "0", "-i", str(tmp_path / "list.txt"), "-map", "0:v", "-c", "copy"]
    subprocess.run([BUNDLED, "-v", "error", *copy, str(tmp_path / "thrice.mp4")], check=True)
    with (
        FilmPictures.open(folder / "film.mp4", lambda done: None) as once,
        FilmPictures.open(tmp_path / "thrice.mp4", lambda done: None) as thrice,
    ):
        count = len(once.starts)
        assert len(thrice.starts) == 3 * count
        assert thrice.distinct[:count] == list(range(count))
        assert len(thrice.distinct) <= count + 1  # what follows the last group counts too
        for group in range(count - 1):
            assert np.array_equal(thrice.block(2 * count + group), once.block(group))
        asked = thrice.asked
        assert asked == int(once.starts[-1])
        thrice.block(0), thrice.block(count)
        assert thrice.asked == asked


def test_a_picture_like_a_thread_is_looked_for_nowhere() -> None:
    """Of 8000 x 16: smaller, it has no row left."""
    luma = np.random.default_rng(1).integers(0, 255, (45, 80), np.uint8)
    thread = View(0.0, 0.497, 1.0, 0.503)
    assert framing._sought(luma, luma, thread) == (0.0, thread)
    assert framing._sought(luma, luma, View())[0] > 0


_MOVING = [(10, 24), (60, 24), (110, 24), (160, 24)], [(310, 24), (360, 24), (410, 24), (460, 24)]


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param([*_MOVING[0], (225, 36), (255, 36), *_MOVING[1]], id="most-certain", marks=pytest.mark.slow),
        pytest.param([(60, 24), (225, 36), (255, 36), (410, 24), (510, 24)], id="few-certain"),
    ],
)
def test_a_fading_still_under_a_logo_is_told_by_its_light_whatever_is_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: list[tuple[int, int]]
) -> None:
    """Pictures that stand still and fade, twice in a row without a visible cut; a logo lies over all of the trailer,
    also over black; perhaps too few pieces are certain by their motion. The second run, with everything decoded before,
    finds the same."""
    still = np.repeat(scene(40, 1), 100, axis=0).astype(np.float32)
    fade = np.interp(np.arange(100), [0, 10, 50, 70, 95, 99], [0, 0, 1, 1, 0, 0])[:, None, None, None]
    moving = [scene(n, 50, 2 + n) for n in range(8)]
    shots = [*moving[:4], (still * fade).astype(np.uint8), *moving[4:], np.repeat(scene(41, 1), 50, axis=0)]
    film = encode(tmp_path / "film.mp4", np.concatenate(shots))
    parts = [
        f"[0:v]trim=start_frame={first}:end_frame={first + length},setpts=PTS-STARTPTS[v{number}]"
        for number, (first, length) in enumerate(cuts)
    ]
    logo = "eq=gamma=1.2,drawbox=216:12:26:14:white@0.6:fill"
    graph = f"{';'.join(parts)};{''.join(f'[v{n}]' for n in range(len(cuts)))}concat=n={len(cuts)},{logo}[out]"
    command = ["-i", str(film), "-filter_complex", graph, "-map", "[out]", "-crf", "18", "-pix_fmt", "yuv420p"]
    subprocess.run([str(BUNDLED), "-v", "error", *command, str(tmp_path / "trailer.mp4")], check=True)
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "cache"))
    found = conform(tmp_path / "trailer.mp4", [film], tmp_path / "a.yaml", lambda *_: None)
    again = conform(tmp_path / "trailer.mp4", [film], tmp_path / "a.yaml", lambda *_: None)
    assert again.text == found.text
    start = 0
    for first, length in cuts:
        middle = start + length // 2
        piece = next(each for each in found.pieces if each.start <= middle < each.end)
        off = abs(piece.first + (middle - piece.start) * piece.speed - (first + length // 2))
        assert off <= (2 if first < 500 else 50), (first, found.pieces)  # nobody knows which frame of a still it is
        start += length


def test_what_was_decoded_for_another_trailer_changes_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that holds every picture of the film gives the places that an empty one does."""
    cuts = "".join(f"  - shot: {{in: {at}s, for: 20f}}\n" for at in ("2.0", "9.0", "14.0"))
    head = SPEC.split("timeline:")[0].replace("film.mp4", str(folder / "film.mp4"))
    (tmp_path / "a.yaml").write_text(f"{head}timeline:\n{cuts}")
    render(prepare(tmp_path / "a.yaml"), tmp_path / "a.mp4", find_ffmpeg(), SILENT)
    texts = list[str]()
    for cache in ("empty", "full"):
        monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / cache))
        if cache == "full":
            with FilmPictures.open(folder / "film.mp4", lambda done: None) as pictures:
                for group in range(len(pictures.starts)):
                    pictures.block(group)
                    pictures.outline(group, whole=False)
        texts.append(conform(tmp_path / "a.mp4", [folder / "film.mp4"], tmp_path / "b.yaml", lambda *_: None).text)
    assert texts[0] == texts[1]
