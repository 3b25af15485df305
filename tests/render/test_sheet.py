"""The contact sheet of a spec: what it shows of the film, what it says, and that nothing on it is markup or runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from commandline import cinecut
from effort import GIVE_UP
from numpy.typing import NDArray
from oracle import Film, number_of

from cinecut.diagnostics import Diagnostic, Report, Stop
from cinecut.known.record import Known, KnownShot
from cinecut.language.document import parse_document
from cinecut.language.document.layout import print_flow
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.language.write import value_tree
from cinecut.media.probe import film_facts
from cinecut.render.check import laid_out
from cinecut.review.sheet import Subject, write_sheet

RATE = Fraction(24)
FILM = Film(Path("a.mp4"), rate=RATE, frames=240, size=(640, 360))
HOSTILE = '<script>Alert(\'1\')</script>" onload="x" &amp; {{ 7 * 7 }} \u202e'
Films = Callable[[Film], Film]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stills from another test."""
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


def quoted(text: str) -> str:
    return json.dumps(text)


def shots(ends: Sequence[int] = (0, 40, 80, 120, 160, 200, 240)) -> tuple[KnownShot, ...]:
    times = [FilmTime(frame / RATE) for frame in ends]
    reasons = [None] * (len(times) - 2) + ["credits"]
    return tuple(KnownShot(FilmRange(a, b), why) for a, b, why in zip(times, times[1:], reasons, strict=False))


SHOTS = shots()
TEMPO = "{tempo: 120}"


def event(frame: int, beats: int, line: str = "", more: str = "") -> str:
    """A shot that begins on a frame of the film."""
    said = f"\n    line: {quoted(line)}" if line else ""
    return (
        f"  - shot: {{in: {frame}/24s, for: {beats} beats}}   # much moves\n"
        f"    zone: begin\n    beat_type: money shot\n    score: 0.5{said}{more}\n"
    )


LINE = "Who <i>goes</i>\nthere?"
EVENTS = (
    "  - act: cold open\n" + event(44, 2, LINE),
    "  - act: beat drop\n  - black: 1 beat\n",
    "  - act: act 3\n" + event(124, 2, more="\n    sync: {at: 136/24s}"),
    event(3, 1),
    "  - act: title card\n  - {card: THE FILM, for: 4 beats}\n",
)


def subject(
    film: Path, events: Sequence[str] = EVENTS, beats: str = TEMPO, crop: str = "", why: str = "", known: bool = True
) -> Subject:
    """A spec of the film, laid out, and what is known of it."""
    facts = film_facts(film)
    name = "film.mp4" if "\udcff" in str(film) else str(film)
    text = f"cinecut: 1\nfilm:\n  file: {quoted(name)}\n{crop}  facts: {print_flow(value_tree(facts))}\n"
    text += f"music: {{beats: {beats}}}\nanchors:\n"
    for number, point in enumerate(("begin", "escalation", "climax")):
        reason, line = why or f"why {number}", why or "A <b>line</b>"
        text += f"  {point}: {{at: {80 * number}/24s, why: {quoted(reason)}, by: signals, line: {quoted(line)}}}\n"
    text += "timeline:\n" + "".join(events)
    layout = laid_out(document := parse_document(Path("spec.yaml"), text, Report()))
    found = Known(facts.fingerprint, SHOTS, (), None, (), False, "", "", {})
    return Subject(layout, document, {"": film}, found if known else None)


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

    def stills(self, of: str = "Still of event") -> list[NDArray[np.uint8]]:
        """[uint8, height x width], in the order of the page: those of the events, or others."""
        images = [image for image in self.all("img") if image["alt"].startswith(of)]
        texts = [image["src"].removeprefix("data:image/jpeg;base64,") for image in images]
        buffers = [np.frombuffer(base64.b64decode(text), np.uint8) for text in texts]
        return [np.asarray(cv2.imdecode(buffer, cv2.IMREAD_GRAYSCALE), np.uint8) for buffer in buffers]


def page_of(found: Subject, folder: Path) -> Page:
    write_sheet(found, folder / "sheet.html", lambda _: None)
    return Page(folder / "sheet.html")


@pytest.mark.matrix(4)
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
    page = page_of(subject(made.path), tmp_path)
    stills = page.stills()
    assert [still.shape for still in stills] == [size] * 3
    for still, first, frames in zip(stills, (44, 124, 3), (24, 24, 12), strict=True):
        number = number_of(still)
        assert number in range(first + frames // 3, first + frames // 3 + 4)  # those that no other needs are skipped
    whole = page.stills("Still of shot")
    for number, still in enumerate(whole):
        assert number_of(still) in range(40 * number, 40 * number + 40)
    assert len(whole) == 6


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_stills_have_no_burned_in_bars(films: Films, rotation: Literal[0, 90, 180, 270], tmp_path: Path) -> None:
    film = films(replace(FILM, rotation=rotation)).path
    whole = page_of(subject(film), tmp_path).stills()
    shares = (Fraction(1, 8), Fraction(1, 4), Fraction(0), Fraction(1, 10))
    bars = dict(zip(_turned(rotation), shares, strict=True))
    x, y = bars["left"], bars["top"]
    w, h = 1 - x - bars["right"], 1 - y - bars["bottom"]
    crop = f"  crop: {{x: {float(x)}, y: {float(y)}, w: {float(w)}, h: {float(h)}}}\n"
    for still, full in zip(page_of(subject(film, crop=crop), tmp_path).stills(), whole, strict=True):
        stored = np.rot90(full, rotation // 90)
        inside = np.rot90(stored[45:162, 40:320], -rotation // 90)
        assert still.shape == inside.shape
        assert np.abs(still.astype(int) - inside).mean() < 4  # two JPEGs of one picture


def test_stills_of_a_mirrored_shot_are_mirrored(films: Films, tmp_path: Path) -> None:
    film, other = films(FILM).path, "\n    alternatives: [{in: 4s}]"
    plain, turned = (
        page_of(subject(film, [event(44, 2, more=other + more)]), tmp_path) for more in ("", "\n    mirror: true")
    )
    for kind in ("Still of event", "Still of alternative"):
        (one,), (back,) = plain.stills(kind), turned.stills(kind)
        assert np.abs(one.astype(int) - back[:, ::-1]).mean() < 4 < np.abs(one.astype(int) - back).mean()


def _turned(rotation: int) -> list[str]:
    """Where the stored left, top, right and bottom are as displayed."""
    sides = ["left", "top", "right", "bottom"]
    return [sides[(number + rotation // 90) % 4] for number in range(4)]


def test_every_event_has_its_card(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    page = page_of(subject(film), tmp_path)
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
    page = page_of(subject(film), tmp_path)
    strip = {shot["x"]: shot["class"] for shot in page.all("rect") if shot.get("height") == "48"}
    assert len([kind for kind in strip.values() if kind.startswith("zone-")]) == 5
    assert [kind for kind in strip.values() if kind == "hatched"] == ["hatched"]
    assert "Shot 6, 0:08.33 – 0:10.00: credits" in page.text
    used = [(float(rect["x"]), float(rect["width"])) for rect in page.all("rect", "used")]
    across = 1152 / 10  # of the drawing, for a second of the film
    expected = [(24 + across * first / 24, across * length) for first, length in ((44, 1), (124, 1), (3, 0.5))]
    assert np.allclose(used, expected, atol=0.02)


@pytest.mark.parametrize("times", [(), tuple((n * n + 20 * n) / 40 for n in range(12))])
def test_cuts_and_hits_stand_on_the_drawn_beats(films: Films, times: Sequence[float], tmp_path: Path) -> None:
    film = films(FILM).path
    found = subject(film, beats=f"{{metre: 3, times: {[*times]}}}" if times else TEMPO)
    page = page_of(found, tmp_path)
    beats, bars = (
        {float(x) for x in re.findall(r"M([\d.]+)", page.all("path", name)[0]["d"])} for name in ("beat", "bar")
    )
    assert (len(bars), len(beats)) == ((4, 7) if times else (3, 8))
    end = max(bars | beats)
    frame = 1152 / found.layout.timeline.frames
    cuts = [float(block["x"]) for block in page.all("rect", "block") if block["height"] == "40"]
    hits = [float(re.findall(r"M([\d.]+)", path["d"])[0]) for path in page.all("path", "hit")[:1]]
    assert len(cuts) == 3
    assert max(cuts + hits) < end
    for x in cuts + ([] if times else hits):
        assert min(abs(x - line) for line in beats | bars) <= frame / 2 + 0.02


def test_what_others_wrote_stays_text(films: Films, tmp_path: Path) -> None:
    """A title, a line, a reason or a name of a file is never markup, and no byte of it breaks the page."""
    film = tmp_path / "<img src=x onerror=1>\udcff'.mp4"
    film.symlink_to(films(FILM).path)
    first = "  - act: cold open\n" + event(
        44, 2, HOSTILE, f"\n    why: {quoted(HOSTILE)}\n    scene: {quoted(HOSTILE)}"
    )
    first += f"    titles: [{quoted(HOSTILE)}]\n    alternatives: [{{in: 130/24s, why: {quoted(HOSTILE)}}}]\n"
    found = subject(film, [first, *EVENTS[1:]], why=HOSTILE)
    known = replace(found.known, shots=(replace(SHOTS[0], why_not=HOSTILE), *SHOTS[1:])) if found.known else None
    page = page_of(replace(found, known=known, warnings=(Diagnostic("film", HOSTILE),)), tmp_path)
    assert page.text.count(HOSTILE) >= 13
    assert "<img src=x onerror=1>\ufffd'.mp4" in page.text
    [handler] = [value for _, found in page.elements for name, value in found.items() if name.startswith("on")]
    digest = base64.b64encode(hashlib.sha256(str(handler).encode()).digest()).decode()
    [policy] = [meta["content"] for meta in page.all("meta") if "default-src" in meta.get("content", "")]
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'unsafe-hashes' 'sha256-{digest}'" in policy
    assert page.all("script") == []


def test_a_click_copies_a_time(browser: Any, films: Films, tmp_path: Path) -> None:
    page_of(subject(films(FILM).path), tmp_path)
    [sheet] = tmp_path.glob("*.html")
    browser.get(sheet.as_uri())
    time = browser.find_element("css selector", "button.copy")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", time)
    time.click()
    deadline = monotonic() + GIVE_UP
    while not (copied := browser.find_element("id", "copied").get_attribute("textContent")) and monotonic() < deadline:
        sleep(0.05)
    assert copied == f"{time.get_attribute('textContent')} is copied"
    assert [line["message"] for line in browser.get_log("browser") if "favicon" not in line["message"]] == []


def test_the_page_needs_nothing_beside_it(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    page = page_of(subject(film), tmp_path)
    places = [found[name] for _, found in page.elements for name in ("src", "href", "xlink:href") if name in found]
    ids = {found["id"] for _, found in page.elements if "id" in found}
    assert places
    assert all(place.startswith("data:") or place.removeprefix("#") in ids for place in places)
    assert set(re.findall(r"url\(([^)]*)\)|@import", page.source)) == {"#hatch"}


def test_sixty_restless_shots_stay_under_two_megabytes(films: Films, tmp_path: Path) -> None:
    """Noise is what JPEG can do least about."""
    film = films(replace(FILM, path=Path("a.mkv"), codec="mjpeg", options=("-vf", "noise=alls=90:allf=t"))).path
    events = [event(40 * (index % 5) + 2 + index // 5, 2) for index in range(60)]
    page = page_of(subject(film, events), tmp_path)
    assert len(page.stills()) == 60
    assert len(page.source) < 2_000_000


def test_damage_costs_a_still_and_not_the_sheet(films: Films, tmp_path: Path) -> None:
    film = films(replace(FILM, path=Path("a.mkv"), gop=12)).path
    whole = subject(film)
    torn = tmp_path / "torn.mkv"
    torn.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 5])
    page = page_of(replace(whole, films={"": torn}), tmp_path)
    assert 1 <= len(page.stills()) < 3
    assert "could not be decoded" in page.text
    assert len(page.all("article", "event")) == 5


def test_a_sheet_that_cannot_be_written_leaves_nothing(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    (tmp_path / "sheet.html").mkdir()
    with pytest.raises(Stop) as stop:
        write_sheet(subject(film), tmp_path / "sheet.html", lambda _: None)
    assert stop.value.diagnostics[0].code == "output"
    assert [entry.name for entry in tmp_path.iterdir()] == ["sheet.html"]


def test_progress_rises_to_the_end(films: Films, tmp_path: Path) -> None:
    film, heard = films(FILM).path, list[float]()
    write_sheet(subject(film), tmp_path / "sheet.html", heard.append)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)


def test_a_second_sheet_decodes_nothing(films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = films(FILM).path
    write_sheet(subject(film), tmp_path / "sheet.html", lambda _: None)
    first = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    monkeypatch.setattr("cinecut.review.sheet.stills.open_film", None)
    write_sheet(subject(film), tmp_path / "sheet.html", lambda _: None)
    assert (tmp_path / "sheet.html").read_text(encoding="utf-8") == first


def test_another_trailer_of_a_film_draws_none_of_its_shots_anew(
    films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = films(FILM).path
    write_sheet(subject(film), tmp_path / "sheet.html", lambda _: None)
    monkeypatch.setattr("cinecut.review.sheet.stills._any", None)  # draws a shot's
    page = page_of(subject(film, [event(44, 2), event(130, 2)]), tmp_path)
    assert len(page.stills()) == 2
    assert len(page.stills("Still of shot")) == 6


def test_every_shot_and_alternative_has_times_to_copy(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    more = "\n    alternatives:\n      - {in: 84/24s, score: 0.4, why: calm}\n      - {in: 4s}"
    page = page_of(subject(film, [event(44, 2, more=more), event(130, 2)]), tmp_path)
    times = re.findall(r'class="copy"[^>]*>([^<]+)</button>', page.source)
    assert times[:4] == ["00:00:01:20", "00:00:03:12", "00:00:04:00", "00:00:05:10"]
    ends = ["00:00:00:00", "00:00:01:16", "00:00:03:08", "00:00:05:00", "00:00:06:16", "00:00:08:08", "00:00:10:00"]
    assert times[4:] == [time for pair in pairwise(ends) for time in pair]
    first, second = page.stills("Still of alternative")
    assert number_of(first) in range(92, 96)
    assert number_of(second) in range(104, 108)
    assert "prefers-color-scheme: light" in page.source


def test_a_page_without_what_analyze_knew(films: Films, tmp_path: Path) -> None:
    film = films(FILM).path
    page = page_of(subject(film, known=False), tmp_path)
    assert len(page.stills()) == 3
    assert "not on this machine" in page.text


def test_the_command_makes_the_page_of_the_spec_as_it_is(films: Films, tmp_path: Path) -> None:
    shutil.copy(films(FILM).path, tmp_path / "film.mp4")
    spec = tmp_path / "spec.yaml"
    spec.write_text("cinecut: 1\nfilm: film.mp4\ntimeline: [shot: 0:01 - 0:02, {card: A, for: 1s}]\n", encoding="utf-8")
    assert cinecut("link", "spec.yaml", cwd=tmp_path).returncode == 0
    (tmp_path / "spec.html").write_text("somebody's", encoding="utf-8")
    refused = cinecut("sheet", "spec.yaml", cwd=tmp_path)
    assert refused.returncode == 1
    assert "no contact sheet" in refused.stderr
    assert cinecut("sheet", "spec.yaml", "-o", "page.html", cwd=tmp_path).stdout == "page.html\n"
    spec.write_text(spec.read_text(encoding="utf-8").replace("0:01 - 0:02", "0:03 - 0:04"), encoding="utf-8")
    done = cinecut("sheet", "spec.yaml", "-o", "page.html", "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"spec": "spec.yaml", "files": ["page.html"]}
    page = Page(tmp_path / "page.html")
    [still] = page.stills()
    assert number_of(still) in range(80, 84)
    assert cinecut("sheet", "spec.yaml", "-o", "spec.yaml", cwd=tmp_path).returncode == 1
    assert cinecut("sheet", "spec.yaml", "-o", "page.html", "--known", cwd=tmp_path).returncode == 1
