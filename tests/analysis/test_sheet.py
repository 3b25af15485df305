"""The contact sheet of an analysis made by hand over films whose pictures tell their own number."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import Film, number_of

from cinecut.analysis import Analysis
from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.analysis.edit.arrange import Cut, Take, Tempo
from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.screen import Bars
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.film.signals import Appearance, Signals
from cinecut.analysis.report.sheet import write_sheet
from cinecut.analysis.story.arc import BeatType, Story, TurningPoint, Zone
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.language.grid import Grid
from cinecut.language.read import make
from cinecut.language.spec import Spec
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.probe import film_facts

RATE = Fraction(24)
FILM = Film(Path("a.mp4"), rate=RATE, frames=240)
HOSTILE = '<script>Alert(\'1\')</script>" onload="x" &amp; {{ 7 * 7 }} \x07\u202e'
BEAT = Fraction(1, 2)  # seconds: 120 beats a minute
Films = Callable[[Film], Film]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stills from another test."""
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


def at(frame: int) -> FilmTime:
    return FilmTime(frame / RATE)


SHOTS = tuple(
    FilmShot(index, FilmRange(at(40 * index), at(40 * index + 40)), GradualCut.CUT, "credits" if index == 5 else None)
    for index in range(6)
)
SIGNALS = Signals(*[0.5] * 10)
LOOK = Appearance(
    0, np.zeros(512, np.float32), np.zeros((9, 16), np.float32), 0.0, 0.0, 0.0, 0.0, np.zeros(3, np.float32)
)
LINE = Line(0, FilmRange(at(50), at(60)), "Who <i>goes</i>\nthere?", None, "neutral", 0.5, 1.0, 0.0)


def shot(
    index: int, in_: int, beats: int, act: str = "act 1", sync: int | None = None, line: Line | None = None
) -> Cut:
    take = Take(index, SHOTS[index].range, SIGNALS, LOOK, Zone.BEGIN, BeatType.MONEY, (), None)
    hit = None if sync is None else at(sync)
    return Cut(Slot(act, beats, Want.SHOT), take, at(in_), "cut", False, line, hit, "much moves")


CUTS = (
    shot(1, 44, 2, "cold open", line=LINE),
    Cut(Slot("beat drop", 1, Want.BLACK)),
    shot(3, 124, 2, "act 3", sync=136),
    shot(0, 3, 1, "act 3"),
    Cut(Slot("title card", 4, Want.CARD)),
)


def analysis(film: Path, cuts: Sequence[Cut] = CUTS, grid: Grid | None = None) -> Analysis:
    anchors = [TurningPoint(at(40 * index), f"why {index}", "signals", "A <b>line</b>") for index in (0, 2, 4)]
    return Analysis(
        spec=make(Spec),
        remarks={},
        facts=film_facts(film),
        shots=SHOTS,
        dialogue=Dialogue(),
        story=Story(anchors[0], anchors[1], anchors[2], at(200)),
        beats=None,
        tempo=Tempo(grid or Grid(4, Fraction(0), BEAT), RATE, RATE, Fraction(0)),
        cuts=tuple(cuts),
        diagnostics=(),
    )


class Page(HTMLParser):
    """A page's elements and text; it fails on a tag that is not closed in its turn."""

    VOID = frozenset({"meta", "link", "img"})

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open += [] if tag in self.VOID else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, kind: str = "") -> list[dict[str, str]]:
        return [found for name, found in self.elements if name == tag and kind in ("", *found.get("class", "").split())]

    @property
    def stills(self) -> list[NDArray[np.uint8]]:
        """[uint8, height x width], in the order of the page."""
        texts = [image["src"].removeprefix("data:image/jpeg;base64,") for image in self.all("img")]
        buffers = [np.frombuffer(base64.b64decode(text), np.uint8) for text in texts]
        return [np.asarray(cv2.imdecode(buffer, cv2.IMREAD_GRAYSCALE), np.uint8) for buffer in buffers]


def page_of(found: Analysis, film: Path, folder: Path) -> Page:
    write_sheet(found, film, folder / "sheet.html", lambda _: None)
    return Page(folder / "sheet.html")


@pytest.mark.parametrize(
    ("film", "size"),
    [
        (FILM, (180, 320)),
        (replace(FILM, path=Path("a.mkv"), start=Fraction(3, 2), gop=240), (180, 320)),
        (replace(FILM, path=Path("a.ts"), open_gop=True), (180, 320)),
        (replace(FILM, rotation=90), (320, 180)),
        (replace(FILM, rotation=180), (180, 320)),
        (replace(FILM, size=(480, 480), sar=Fraction(4, 3)), (240, 320)),
    ],
    ids=["mp4", "late start, one key frame", "ts", "portrait", "upside down", "anamorphic"],
)
def test_stills_show_what_the_events_show(films: Films, film: Film, size: tuple[int, int], tmp_path: Path) -> None:
    made = films(film)
    stills = page_of(analysis(made.path), made.path, tmp_path).stills
    assert [still.shape for still in stills] == [size] * 3
    for still, first, frames in zip(stills, (44, 124, 3), (24, 24, 12), strict=True):
        number = number_of(still)
        assert number in range(first + frames // 3, first + frames // 3 + 4)  # those that no other needs are skipped


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_stills_have_no_burned_in_bars(films: Films, rotation: Literal[0, 90, 180, 270], tmp_path: Path) -> None:
    film = films(replace(FILM, rotation=rotation)).path
    whole = page_of(analysis(film), film, tmp_path).stills
    found = replace(analysis(film), bars=Bars(left=Fraction(1, 8), top=Fraction(1, 4), bottom=Fraction(1, 10)))
    for still, full in zip(page_of(found, film, tmp_path).stills, whole, strict=True):
        stored = np.rot90(full, rotation // 90)
        inside = np.rot90(stored[45:162, 40:320], -rotation // 90)
        assert still.shape == inside.shape
        assert np.abs(still.astype(int) - inside).mean() < 4  # two JPEGs of one picture


def test_every_event_has_its_card(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    page = page_of(analysis(film), film, tmp_path)
    assert [card["id"] for card in page.all("article", "event")] == [f"event-{n}" for n in range(1, 6)]
    words = " ".join(page.text.split())
    for told in (
        "0:01.50 – 0:02.50",
        "0:05.17 – 0:06.17",
        "00:00:05:04",
        "score 0.50",
        "Much moves",
        "Who <i>goes</i>",
    ):
        assert told in words
    assert all(image["alt"] for image in page.all("img"))


def test_the_strip_tells_chosen_unused_and_unusable_shots_apart(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    page = page_of(analysis(film), film, tmp_path)
    strip = {shot["x"]: shot["class"] for shot in page.all("rect") if shot.get("height") == "48"}
    assert len([kind for kind in strip.values() if kind.startswith("zone-")]) == 5
    assert [kind for kind in strip.values() if kind == "hatched"] == ["hatched"]
    assert "Shot 6, 0:08.33 – 0:10.00: credits" in page.text
    used = [(float(rect["x"]), float(rect["width"])) for rect in page.all("rect", "used")]
    across = 1152 / 10  # of the drawing, for a second of the film
    expected = [(24 + across * first / 24, across * length) for first, length in ((44, 1), (124, 1), (3, 0.5))]
    assert np.allclose(used, expected, atol=0.02)


@pytest.mark.parametrize("grid", [None, Grid(3, times=tuple(Fraction(n * n + 20 * n, 40) for n in range(12)))])
def test_cuts_and_hits_stand_on_the_drawn_beats(films: Films, grid: Grid | None, tmp_path: Path) -> None:
    film = films(FILM).path
    page = page_of(analysis(film, grid=grid), film, tmp_path)
    beats, bars = (
        {float(x) for x in re.findall(r"M([\d.]+)", page.all("path", name)[0]["d"])} for name in ("beat", "bar")
    )
    assert (len(bars), len(beats)) == ((3, 8) if grid is None else (4, 7))
    end = max(bars | beats)
    frame = 1152 / float((grid or Grid(4, Fraction(0), BEAT)).seconds_at(Fraction(10)) * RATE)
    cuts = [float(block["x"]) for block in page.all("rect", "block") if block["height"] == "40"]
    hits = [float(re.findall(r"M([\d.]+)", path["d"])[0]) for path in page.all("path", "hit")[:1]]
    assert len(cuts) == 3
    assert max(cuts + hits) < end
    for x in cuts + (hits if grid is None else []):
        assert min(abs(x - line) for line in beats | bars) <= frame / 2 + 0.02


def test_what_others_wrote_stays_text(films: Films, tmp_path: Path) -> None:
    """A title, a line, a reason or a name of a file is never markup, and no byte of it breaks the page."""
    film = tmp_path / "<img src=x onerror=1>\udcff'.mp4"
    film.symlink_to(films(FILM).path)
    found = analysis(film, [replace(CUTS[0], why=HOSTILE, line=replace(LINE, text=HOSTILE)), *CUTS[1:]])
    anchor = replace(found.story.begin, why=HOSTILE, line=HOSTILE)
    shots = (replace(SHOTS[0], why_not=HOSTILE), *SHOTS[1:])
    page = page_of(
        replace(
            found,
            shots=shots,
            story=replace(found.story, begin=anchor),
            diagnostics=(Diagnostic("film", HOSTILE),),
        ),
        film,
        tmp_path,
    )
    assert page.text.count(HOSTILE.replace("\x07", "\ufffd")) == 7
    assert "<img src=x onerror=1>\ufffd'.mp4" in page.text
    assert not page.all("script")
    assert len(page.all("img")) == 3
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]


def test_the_page_needs_nothing_beside_it(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    page = page_of(analysis(film), film, tmp_path)
    places = [found[name] for _, found in page.elements for name in ("src", "href", "xlink:href") if name in found]
    ids = {found["id"] for _, found in page.elements if "id" in found}
    assert places
    assert all(place.startswith("data:") or place.removeprefix("#") in ids for place in places)
    assert set(re.findall(r"url\(([^)]*)\)|@import", page.source)) == {"#hatch"}


def test_sixty_restless_shots_stay_under_two_megabytes(films: Films, tmp_path: Path) -> None:
    """Noise is what JPEG can do least about."""
    film = films(replace(FILM, path=Path("a.mkv"), codec="mjpeg", options=("-vf", "noise=alls=90:allf=t"))).path
    cuts = [shot(index % 5, 40 * (index % 5) + 2 + index // 5, 2) for index in range(60)]
    page = page_of(analysis(film, cuts), film, tmp_path)
    assert len(page.stills) == 60
    assert len(page.source) < 2_000_000


def test_damage_costs_a_still_and_not_the_sheet(films: Films, tmp_path: Path) -> None:
    film = films(replace(FILM, path=Path("a.mkv"), gop=12)).path
    whole = analysis(film)
    torn = tmp_path / "torn.mkv"
    torn.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 5])
    page = page_of(whole, torn, tmp_path)
    assert 1 <= len(page.all("img")) < 3
    assert "could not be decoded" in page.text
    assert len(page.all("article", "event")) == 5


def test_a_sheet_that_cannot_be_written_leaves_nothing(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    (tmp_path / "sheet.html").mkdir()
    with pytest.raises(Stop) as stop:
        write_sheet(analysis(film), film, tmp_path / "sheet.html", lambda _: None)
    assert stop.value.diagnostics[0].code == "output"
    assert [entry.name for entry in tmp_path.iterdir()] == ["sheet.html"]


def test_progress_rises_to_the_end(films: Films, tmp_path: Path) -> None:
    film, heard = films(FILM).path, list[float]()
    write_sheet(analysis(film), film, tmp_path / "sheet.html", heard.append)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)


def test_a_second_sheet_decodes_nothing(films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = films(FILM).path
    write_sheet(analysis(film), film, tmp_path / "sheet.html", lambda _: None)
    first = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    monkeypatch.setattr("cinecut.analysis.report.sheet.open_film", None)
    write_sheet(analysis(film), film, tmp_path / "sheet.html", lambda _: None)
    assert (tmp_path / "sheet.html").read_text(encoding="utf-8") == first
