"""A trailer delivered as kits ask: every file is measured anew, the stems add up, the papers lead to the film."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from commandline import cinecut, names
from editors import read_edl
from oracle import Film, Sound
from rendering import Rendered

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.ffmpeg.meter import level_of
from cinecut.render.job import prepare

HEAD = """cinecut: 1
film: {film}
output: {{size: 160x96, preset: ultrafast}}
{more}
timeline:
"""
SPOKEN = """  - {shot: 0:01 - 0:03, line: "Who are you?"}
  - {card: NEVER, for: 1s, voice: {take: 0:06 - 0:06.5, line: Nobody}, sound: sub drop}
  - {shot: 0:04 - 0:06, titles: [ALONE]}
"""
MUSIC = "music: {beats: {tempo: 120}, pulse: driving, duck: 12}\nmix: {music: -6}\n"


@pytest.fixture(scope="module")
def film(films: Callable[[Film], Film]) -> Film:
    return films(Film(Path("a.mp4"), Fraction(25), 250, (160, 96), gop=12, sound=Sound(codec="flac")))


def spec(folder: Path, film: Film, more: str, events: str = SPOKEN) -> Path:
    path = folder / "trailer.yaml"
    path.write_text(HEAD.format(film=film.path, more=more) + events, encoding="utf-8")
    return path


def deliver(folder: Path, film: Film, more: str, events: str = SPOKEN, status: int = 0) -> dict[str, Any]:
    """What `render --json` says of a spec, and the status that it must have."""
    spec(folder, film, more, events)
    done = cinecut("render", "trailer.yaml", "-o", "t.mov", "--json", cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def streamed(film: Film, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("streamed")
    return folder, deliver(folder, film, MUSIC + "deliverables: [kit: netflix-product-trailer]")


NAME = "t_netflix-product-trailer_"


def test_a_kit_is_all_its_files_and_papers(streamed: tuple[Path, dict[str, Any]]) -> None:
    folder, said = streamed
    parts = {"texted.mov", "textless.mov", "printmaster.wav", "dialogue.wav", "music.wav", "effects.wav"}
    papers = {"dialogue_list.txt"}
    edl = "t_netflix-product-trailer.edl"
    assert set(names(folder)) == {"trailer.yaml", edl, *(NAME + end for end in parts | papers)}
    assert {Path(paper).name for paper in said["papers"]} == {NAME + "dialogue_list.txt", edl}
    figures = [figure for kit in said["kits"] for figure in kit["figures"]]
    assert len(said["kits"]) == 6
    assert len(figures) > 20
    assert all(figure["kept"] for figure in figures)


def test_textless_is_the_same_picture_without_words(streamed: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = streamed
    texted, textless = (Rendered(folder / f"{NAME}{kind}.mov").pictures for kind in ("texted", "textless"))
    assert len(texted) == len(textless) == 125
    assert texted[62].max() > 150  # the card
    assert textless[62].max() < 30
    assert np.abs(texted[20].astype(int) - textless[20]).max() == 0
    assert np.abs(texted[100].astype(int) - textless[100]).max() > 60  # the title


def test_the_stems_add_up_to_the_printmaster_and_nothing_is_dipped(streamed: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = streamed
    stems = {n: soundfile.read(folder / f"{NAME}{n}.wav")[0] for n in ("printmaster", "dialogue", "music", "effects")}
    assert {part.shape for part in stems.values()} == {(5 * 48000, 2)}
    whole = stems.pop("printmaster")
    assert np.abs(sum(stems.values()) - whole).max() < 1e-5
    assert all(np.abs(part).max() > 0.001 for part in stems.values())
    bars = stems["music"][: 4 * 48000].reshape(2, 2 * 48000, 2)  # only the first is under a line
    loud = np.sqrt((bars**2).mean(axis=(1, 2)))
    assert loud[0] == pytest.approx(loud[1], rel=0.3)  # and not 12 dB below


def test_the_papers_lead_back_to_the_film(streamed: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = streamed
    rows = (folder / f"{NAME}dialogue_list.txt").read_text(encoding="utf-8").split("\n")
    lines = [row.split("\t") for row in rows[3:] if row]
    assert lines == [
        ["1", "01:00:00:00", "01:00:02:00", "00:00:01:00", "00:00:03:00", "Who are you?"],
        ["2", "01:00:02:00", "01:00:02:13", "00:00:06:00", "00:00:06:13", "Nobody"],
    ]
    cut = read_edl((folder / "t_netflix-product-trailer.edl").read_bytes(), Fraction(25), "01:00:00:00")
    assert [(clip.source, clip.start) for clip in cut.pictures() if clip.medium] == [
        (Fraction(1), Fraction(0)),
        (Fraction(4), Fraction(75)),
    ]


def test_a_cinema_gets_24_frames_and_leq_m_of_85(film: Film, tmp_path: Path) -> None:
    """The film has 25, and nobody says how many the trailer has."""
    said = deliver(tmp_path, film, "deliverables: [kit: cinema]", SPOKEN)
    file = tmp_path / "t.mov"
    assert [figure["figure"] for figure in said["kits"][0]["figures"] if not figure["kept"]] == []
    with av.open(str(file)) as media:
        assert media.streams.video[0].average_rate == 24
        assert media.streams.video[0].codec_context.name == "prores"
    level = level_of(file, find_ffmpeg(), leq=2)
    assert level.leq_m == pytest.approx(85, abs=0.2)


LOUD = "  - {shot: 0:01 - 0:04}\n" + "".join(
    f"  - {{shot: 0:0{second} - 0:0{second + 3}, gain: -10}}\n" for second in (4, 5, 6, 2, 3, 5)
)


def test_loud_seconds_are_evened_out_where_a_kit_asks(film: Film, tmp_path: Path) -> None:
    """By nature they would be 6 LU above the whole, and 5 are the most."""
    deliverables = "deliverables: [{name: plain, loudness: r128}, {name: even, kit: broadcast-r128-s1}]"
    said = deliver(tmp_path, film, deliverables, LOUD)
    plain, even = (level_of(tmp_path / f"t_{name}.mp4", find_ffmpeg()) for name in ("plain", "even"))
    assert plain.short_term is not None
    assert even.short_term is not None
    assert plain.short_term > -17.5
    assert even.short_term <= -17.95
    assert even.loudness == pytest.approx(-23, abs=0.5)
    assert all(figure["kept"] for figure in said["kits"][0]["figures"])


def test_a_kit_of_ones_own_is_asked_and_missed(film: Film, tmp_path: Path) -> None:
    """The file is there, what it misses is said, and the status is 1."""
    (tmp_path / "kits").mkdir()
    (tmp_path / "kits" / "Mine.yaml").write_text(
        "kit: 1\nabout: my channel\nsound: {rate: 44100, peak: -6}\noutputs:\n  - {name: wide, texts: false}\n"
        "  - {name: tall, size: 96x160, fit: crop, safe: {bottom: 0.3}}\n"
    )
    said = deliver(tmp_path, film, "deliverables: [{kit: kits/Mine.yaml, codec: ffv1}]", SPOKEN, status=1)
    missed = {figure["figure"] for kit in said["kits"] for figure in kit["figures"] if not figure["kept"]}
    assert missed == {"sample rate"}
    assert set(names(tmp_path)) == {"kits", "trailer.yaml", "t_mine_wide.mkv", "t_mine_tall.mkv"}
    assert level_of(tmp_path / "t_mine_wide.mkv", find_ffmpeg()).peak <= -5.95


def test_texts_keep_off_the_edges_as_far_as_is_asked(film: Film, tmp_path: Path) -> None:
    """Lower titles, upper ones and cards, each as large as there is room for."""
    words = "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG AND ON"
    events = "".join(
        f"  - {{black: 2f, titles: [{{text: {words}, position: {place}}}]}}\n" for place in ("upper", "middle", "lower")
    )
    more = "output: {size: 216x384, codec: ffv1, safe: {top: 0.14, bottom: 0.35, sides: 0.06}}"
    text = HEAD.format(film=film.path, more=more).replace("output: {size: 160x96, preset: ultrafast}\n", "")
    (tmp_path / "trailer.yaml").write_text(text + events + f"  - {{card: {words}, for: 2f}}\n")
    assert cinecut("render", "trailer.yaml", "-o", "t.mkv", cwd=tmp_path).returncode == 0
    for picture in Rendered(tmp_path / "t.mkv").pictures[1::2]:
        rows, columns = np.nonzero(picture > 100)
        assert 0.14 * 384 - 1 <= rows.min() < rows.max() < 0.65 * 384 + 1
        assert 0.06 * 216 - 1 <= columns.min() < columns.max() < 0.94 * 216 + 1


def test_only_a_kit_or_one_of_its_files(film: Film, tmp_path: Path) -> None:
    path = spec(tmp_path, film, "deliverables: [{name: web}, {kit: social}]")
    assert [*prepare(path, only=["social"]).files(Path("a.mp4"))] == [
        f"social_{n}" for n in ("16x9", "9x16", "1x1", "4x5")
    ]
    assert [*prepare(path, only=["social_1x1", "web"]).files(Path("a.mp4"))] == ["web", "social_1x1"]
    with pytest.raises(Stop, match="no deliverable of this name"):
        prepare(path, only=["cinema"])


def test_the_rate_is_one_that_all_kits_take(film: Film, tmp_path: Path) -> None:
    def rate(more: str) -> Fraction:
        return prepare(spec(tmp_path, film, more)).plan.rate

    assert rate("deliverables: [kit: festival]") == 25
    assert rate("deliverables: [{kit: festival}, {kit: netflix-product-trailer}, {kit: cinema}]") == 24
    (tmp_path / "other.yaml").write_text("kit: 1\nabout: my channel\npicture: {rates: [25]}\n")
    with pytest.raises(Stop, match="cinema takes 24 as its frames a second, and cinema has 25"):
        rate("deliverables: [{kit: other.yaml}, {kit: cinema}]")


def test_a_paper_is_not_replaced_unasked(film: Film, tmp_path: Path) -> None:
    spec(tmp_path, film, "deliverables: [kit: netflix-product-trailer]")
    (tmp_path / "t_netflix-product-trailer.edl").write_text("precious")
    refused = cinecut("render", "trailer.yaml", "-o", "t.mov", cwd=tmp_path)
    assert refused.returncode == 1
    assert "t_netflix-product-trailer.edl is there already" in refused.stderr
    assert names(tmp_path) == ["t_netflix-product-trailer.edl", "trailer.yaml"]
