"""python -m tools.tour: walks docs/tour.md, and writes what its commands print and show; `--check` says what is stale.

The tour's film is the demo's. `$ cinecut …` in a console block is run, on a terminal of 80 columns; a diff is applied
to the spec; a block of YAML must stand in the spec as it is by then. Pictures need Chromium; `--check` makes none.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

from tools.demo_film import fetch_tutorial_film

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tour.md"
PICTURES = ROOT / "docs" / "pictures"
SPEC = Path("specs/bunny.yaml")
BLOCK = re.compile(r"^```(console|diff|yaml)\n(.*?)^```$", re.M | re.S)
_WIDTH = 960  # pixels of a picture

# Each picture of the page, and what it is made from: a file that the tour has made by its end.
_MADE_FROM = {
    "tour_sheet.jpg": "specs/bunny.html",
    "tour_trailer.jpg": "bunny_trailer_animation_draft.sheet.jpg",
    "tour_watch.jpg": "specs/bunny.yaml",
    "tour_look.jpg": "bunny_horror_0.50.png",
}


def retold(page: str, folder: Path) -> str:
    """The page with what its commands print now, run one after the other in a folder with the film, bunny.mp4."""

    def block(found: re.Match[str]) -> str:
        kind, text = found[1], found[2]
        if kind == "diff":
            _apply(text, folder / SPEC)
        elif kind == "yaml" and text not in (folder / SPEC).read_text(encoding="utf-8"):
            raise SystemExit(f"this does not stand in the spec any more:\n{text}")
        elif kind == "console":
            commands = [line for line in text.splitlines() if line.startswith("$ cinecut ")]
            text = "\n".join(f"{each}\n{_printed(shlex.split(each)[2:], folder)}" for each in commands)
        return f"```{kind}\n{text}```"

    return BLOCK.sub(block, page)


def _apply(diff: str, spec: Path) -> None:
    """Change a spec as a diff without line numbers says."""
    old = "".join(f"{line[1:]}\n" for line in diff.splitlines() if line[0] != "+")
    new = "".join(f"{line[1:]}\n" for line in diff.splitlines() if line[0] != "-")
    text = spec.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise SystemExit(f"this does not stand once in the spec:\n{old}")
    spec.write_text(text.replace(old, new), encoding="utf-8")


def _printed(words: list[str], folder: Path) -> str:
    """What a command prints on a terminal, its progress left out."""
    master, slave = pty.openpty()
    plain = {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "80", "CINECUT_RUNTIME_DIR": str(folder / "runtime")}
    command = [sys.executable, "-m", "cinecut", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **plain}
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=env):
        os.close(slave)
        with os.fdopen(master, "rb") as terminal:
            said = b"".join(iter(lambda: _read(terminal.fileno()), b""))
    return said.decode().replace("\r\n", "\n").strip("\n") + "\n"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody writes to it any more
        return b""


def _draw(folder: Path) -> None:
    """Make the page's pictures from what the tour has made."""
    PICTURES.mkdir(exist_ok=True)
    for name, source in _MADE_FROM.items():
        file = folder / source
        if file.suffix == ".html":
            shot = folder / "page.png"
            window = ["--window-size=1180,1480", f"--screenshot={shot}", file.as_uri()]
            command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *window]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=120)
            file = shot
        elif file.suffix == ".yaml":
            file = _watched(folder, file)
        picture = cv2.imread(str(file))
        assert picture is not None, f"{file} was not made"
        height, width = picture.shape[:2]
        size = (_WIDTH, round(height * _WIDTH / width))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(PICTURES / name), small, [cv2.IMWRITE_JPEG_QUALITY, 82])


def _watched(folder: Path, spec: Path) -> Path:
    """The page of `cinecut watch`, its draft rendered and a shot of it selected."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.wait import WebDriverWait

    options = webdriver.ChromeOptions()
    for word in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars", "window-size=1280,1080"):
        options.add_argument(f"--{word}")
    command = [sys.executable, "-m", "cinecut", "watch", str(spec), "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as page:
        browser = webdriver.Chrome(options, Service(shutil.which("chromedriver")))  # found here, never fetched
        try:
            assert page.stdout is not None
            browser.get(page.stdout.readline().strip())
            ready = WebDriverWait(browser, 300)
            ready.until(lambda each: each.execute_script("return document.body.dataset.plays"))
            browser.execute_script("rescale(0.5); select(5); seek(events()[5].start + 40)")
            ready.until(lambda each: each.execute_script("return [...document.images].every((one) => one.complete)"))
            time.sleep(2)  # its stills are backgrounds, of which a page cannot say that they came
            browser.save_screenshot(str(folder / "watch.png"))
        finally:
            browser.quit()
            page.send_signal(signal.SIGINT)
    return folder / "watch.png"


def main() -> None:
    check = "--check" in sys.argv[1:]
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(fetch_tutorial_film(ROOT / "media"), folder / "bunny.mp4")
        now = retold(page, folder)
        if not check:
            _draw(folder)
    if check and now != page:
        raise SystemExit(f"{PAGE} is stale: run python -m tools.tour")
    if now != page:
        PAGE.write_text(now, encoding="utf-8")


if __name__ == "__main__":
    main()
