"""The page of a watched spec: what its server gives away, and the page itself in a real browser."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from commandline import start
from effort import GIVE_UP
from watching import SMALL, Films, wait_for, written

from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.render.job import prepare_live
from cinecut.watch.server import _Page

# The server


@pytest.fixture
def page(films: Films, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a running `cinecut watch`, and its spec."""
    spec = written(tmp_path, films(SMALL).path)
    process = start("watch", str(spec), "--no-browser", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    yield process.stdout.readline().strip(), spec
    process.send_signal(signal.SIGINT)
    assert process.wait(GIVE_UP) == 130
    assert process.stderr.read().strip().endswith("nothing was left behind")


def ask(address: str, path: str, method: str = "GET", body: str = "", **headers: str) -> tuple[int, bytes]:
    """A request below the page's address; of a path that begins with a slash below the server's."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=GIVE_UP)
    connection.request(method, path if path.startswith("/") else parts.path + path, body or None, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def state_of(address: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(ask(address, "state")[1])
    return state


def test_the_server_gives_nothing_away(page: tuple[str, Path]) -> None:
    address, spec = page
    own = address[: address.index("/", 8)]
    host = urlsplit(address).netloc
    assert ask(address, "")[0] == 200
    assert ask(address, "/")[0] == 404  # without the secret
    assert ask(address, "/x" * 3)[0] == 404
    for name in ("../a.yaml", "..%2fa.yaml", "a.yaml", "server.py", "%2fetc%2fpasswd", "//etc/passwd"):
        assert ask(address, name)[0] == 404, name
        assert ask(address, f"draft/{name}")[0] == 404, name
    assert ask(address, "", Host="cinecut.example")[0] == 403  # a rebound domain
    assert ask(address, "state", Origin="http://evil.example")[0] == 403
    delete = json.dumps({"do": "remove", "entry": 3, "revision": state_of(address)["revision"]})
    before = spec.read_bytes()
    for origin in ({"Origin": "http://evil.example"}, {}, {"Origin": "null"}):
        assert ask(address, "edit", "POST", delete, **origin)[0] == 403
    assert spec.read_bytes() == before
    for body in ("", "[]", "[" * 50_000, "{", '{"do": "remove"}', json.dumps({"do": "x" * 200_000, "revision": ""})):
        assert ask(address, "edit", "POST", body, Origin=own)[0] == 400
    assert ask(address, "edit", "POST", '{"do": "undo", "revision": "old"}', Origin=own)[0] == 409
    assert host.startswith("127.0.0.1:")


def test_the_page_gets_its_draft_its_pictures_and_its_sound(page: tuple[str, Path]) -> None:
    address, spec = page
    wait_for(lambda: state_of(address)["drafted"])
    state = state_of(address)
    draft = f"draft/{state['draft']}"
    status, data = ask(address, draft, Range="bytes=4-7")  # as a player seeks
    assert (status, data) == (206, b"ftyp")
    assert len(state["stills"]) == len(set(state["stills"])) == len(state["trailer"]["events"])
    for picture in (f"still/{state['stills'][0]}.jpg", "film/0/100.jpg"):
        assert ask(address, picture)[1].startswith(b"\xff\xd8"), picture
    assert ask(address, "still/other_1.jpg")[0] == 404
    assert ask(address, "film/0/100000.jpg")[0] == 404
    levels = json.loads(ask(address, f"{draft}/outline")[1])
    assert len(levels) == pytest.approx(state["trailer"]["frames"] / 24 * 50, abs=3)
    assert max(levels) > 5
    # A medium that is replaced is seen, too
    film = Path(spec.read_text().split("film: ")[1].split("\n")[0])
    own = spec.with_name("own.mp4")
    shutil.copy(film, own)
    spec.write_text(spec.read_text().replace(str(film), str(own)))
    wait_for(lambda: state_of(address)["drafted"] not in ("", state["drafted"]))
    time.sleep(1.5)
    own.unlink()
    wait_for(lambda: state_of(address)["broken"])
    shutil.copy(film, own)
    wait_for(lambda: not state_of(address)["broken"])
    # What another program changes is seen
    spec.write_text(spec.read_text().replace("12f", "24f"))
    wait_for(lambda: state_of(address)["trailer"]["frames"] == state["trailer"]["frames"] + 12)


# The browser


def plays(browser: Any) -> str:
    found = browser.execute_script("return document.body.dataset.plays || ''")
    return str(found)


def at_rest(browser: Any, spec: Path) -> bool:
    """The page shows and plays the file as it is."""
    script = (
        "return state.described === arguments[0] && state.drafted === arguments[0]"
        " && document.body.dataset.plays === state.draft"
    )
    return bool(browser.execute_script(script, hashlib.sha256(spec.read_bytes()).hexdigest()[:16]))


def test_the_page_plays_edits_and_shows_mistakes(page: tuple[str, Path], browser: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    address, spec = page
    browser.get(address)
    wait_for(lambda: plays(browser))
    body = browser.find_element(By.TAG_NAME, "body")

    # Every control has a name, and nothing is wider than a telephone
    for control in browser.find_elements(By.CSS_SELECTOR, "button, input, select"):
        assert control.accessible_name, control.get_attribute("outerHTML")
    browser.set_window_size(400, 900)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    browser.set_window_size(1200, 1000)

    # Playing, and the keys
    body.send_keys(" ")
    wait_for(lambda: browser.execute_script("return frame() > 3"))
    body.send_keys(" ")
    body.send_keys(Keys.SHIFT, Keys.ARROW_RIGHT)
    body.send_keys(Keys.NULL)
    assert browser.execute_script("return [selected, frame()]") == [1, 24]
    body.send_keys(Keys.ARROW_RIGHT)
    wait_for(lambda: browser.execute_script("return frame()") == 25)

    # An in point by a key on the film's own picture: the file changes, the new draft plays from there on
    before = plays(browser)
    browser.execute_script("document.getElementById('film-frame').value = 96; showFilm()")
    body.send_keys("i")
    wait_for(lambda: "      in: 4s   # a note" in spec.read_text())
    wait_for(lambda: plays(browser) not in ("", before))
    assert browser.execute_script("return frame()") == 24
    body.send_keys(Keys.CONTROL, "z")
    body.send_keys(Keys.NULL)
    wait_for(lambda: "      in: 3s   # a note" in spec.read_text())

    wait_for(lambda: at_rest(browser, spec))

    # A title's text, whatever signs are in it, is text
    browser.execute_script("select(3)")
    field = browser.find_element(By.ID, "text-0")
    field.clear()
    field.send_keys("<b>It's: #1</b>", Keys.ENTER)
    wait_for(lambda: "<b>It's: #1</b>" in spec.read_text())
    wait_for(lambda: at_rest(browser, spec))
    assert not browser.find_elements(By.CSS_SELECTOR, ".lane b, #texts b")

    # Mistakes are shown as `check` prints them, while the last good draft stays
    good = plays(browser)
    spec.write_text(spec.read_text().replace("12f", "12 parsecs"))
    box = browser.find_element(By.ID, "mistakes")
    wait_for(box.is_displayed)
    assert "bad-time" in box.text
    assert plays(browser) == good
    severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [entry for entry in severe if "409" not in entry["message"]]


def test_the_page_goes_on_where_somebody_is(page: tuple[str, Path], browser: Any) -> None:
    """What is selected stays so while the file changes; the pointer leaves the keys to the player; a loop ends nowhere;
    what happens is said in few words."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    address, spec = page
    browser.get(address)
    wait_for(lambda: plays(browser) and at_rest(browser, spec))
    script = browser.execute_script

    assert script("return lane('ruler').innerText.split('\\n')[0]") == "0:00"

    # One stop of the tabulator for all events, and nothing that is read out while it plays
    tabs = script("return [...document.querySelectorAll('.lane.events > button')].map((button) => button.tabIndex)")
    assert tabs == [0, -1, -1, -1, -1]
    assert script("return [...document.querySelectorAll('output')].map((each) => each.ariaLive)") == ["off", "off"]

    browser.find_elements(By.CSS_SELECTOR, ".lane.events > button")[3].click()
    ActionChains(browser).send_keys(" ").perform()
    wait_for(lambda: script("return frame() > events()[3].start"))
    ActionChains(browser).send_keys("k").perform()
    assert script("return selected") == 3

    spec.write_text(spec.read_text().replace("  # the opening\n", "  - black: 6f\n"))
    wait_for(lambda: at_rest(browser, spec))
    assert script("return [events().length, selected, events()[selected].card]") == [6, 4, "The End"]

    script("select(5); seek(events()[5].end - 3); actions.loop(); play(true)")
    for _ in range(2):  # the last event ends where the draft does
        wait_for(lambda: script("return moving() && frame() > events()[5].start + 4"))
        wait_for(lambda: script("return moving() && frame() < events()[5].start + 4"))
    script("actions.loop(); play(false)")

    assert script("return [document.body.dataset.state, $('status').textContent]") == ["ready", "ready"]
    spec.write_text(spec.read_text().replace("black: 6f", "balck: 6f"))
    wait_for(lambda: script("return document.body.dataset.state") == "broken")
    assert script("return $('status').textContent") == "mistakes: the last good draft plays"
    script("changes.onerror()")
    assert script("return document.body.dataset.state") == "lost"
    script("changes.onopen()")
    assert script("return document.body.dataset.state") == "broken"
    script("changes.close(); changes.onerror()")  # as where another server answers, which does not know this address
    assert "started again" in script("return $('status').textContent")


def test_two_films_at_a_time(films: Films, tmp_path: Path) -> None:
    """A page asks for the pictures of several alternatives at once, each of its film."""
    other = films(replace(SMALL, path=Path("b.mp4"), gop=12)).path
    spec = written(tmp_path, films(SMALL).path)
    spec.write_text(spec.read_text().replace("film: ", f"films: {{b: {other}, a: ").replace(".mp4\n", ".mp4}\n", 1))
    shown = _Page(spec, tmp_path, find_ffmpeg(None), 1)
    shown.session.job = prepare_live(spec)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: shown._film_jpeg(number % 2, 10 * (number // 2)), range(40)))
    assert all(picture is not None and picture.startswith(b"\xff\xd8") for picture in found)
    assert shown._film_jpeg(2, 0) is None


def test_edits_in_a_row_are_all_made(page: tuple[str, Path], browser: Any) -> None:
    """Each on what the one before left: faster than they are drafted, and from keys or buttons."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    address, spec = page
    before = spec.read_text()
    browser.get(address)
    wait_for(lambda: plays(browser))

    def press(key: str, held: str, times: int) -> None:
        chain = ActionChains(browser).key_down(held)
        for _ in range(times):
            chain.send_keys(key)
        chain.key_up(held).perform()

    def rows() -> list[str]:
        return [row.strip() for row in spec.read_text().splitlines() if row.startswith("  - ")]

    def written_down(words: str) -> Callable[[], bool]:
        return lambda: words in spec.read_text()

    # The mark on the film and the length are those of the event that is selected
    assert browser.execute_script("return document.getElementById('film-frame').value") == "24"
    browser.execute_script("select(1)")
    assert browser.execute_script("return [$('film-frame').value, $('amount').value, $('unit').value]") == [
        "72",
        "4",
        "beats",
    ]

    browser.execute_script("select(0)")
    press(Keys.ARROW_RIGHT, Keys.ALT, 3)
    wait_for(lambda: "- shot: 0:01" in rows()[-2])
    wait_for(lambda: browser.execute_script("return selected") == 3)  # the page hears of what the file holds
    press("z", Keys.CONTROL, 3)
    wait_for(lambda: spec.read_text() == before)
    wait_for(lambda: at_rest(browser, spec))

    # A stem that is muted comes back at the level that it had
    level = browser.find_element(By.ID, "mix-music")
    level.clear()
    level.send_keys("-6.5", Keys.ENTER)
    wait_for(written_down("music: -6.5"))
    for wanted in ("music: -60", "music: -6.5"):
        wait_for(lambda: at_rest(browser, spec))
        browser.find_element(By.ID, "mute-music").click()
        wait_for(written_down(f"{wanted}}}"))
    wait_for(lambda: at_rest(browser, spec))

    # J goes back, K stops it
    browser.execute_script("document.activeElement.blur(); seek(60)")
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys("j")
    wait_for(lambda: browser.execute_script("return frame()") < 55)
    body.send_keys("k")
    assert browser.execute_script("return [moving(), video.paused]") == [False, True]

    # Why an edit is refused stays readable
    browser.execute_script("edit(() => ({ do: 'trim', entry: 1, in: 10 ** 9 }))")
    wait_for(lambda: browser.find_element(By.ID, "status").text.startswith("not done: "))
