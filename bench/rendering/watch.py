"""How long it takes from a value changed in the YAML until the page of `cinecut watch` plays it, in a real Chromium.

A cut of 45 shots with a vibe's grade, titles, effects and a song. Each edit is one that was never made before.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure, NotMeasuredError, print_rows, work_folder
from bench.film import FFMPEG, Film
from bench.measure import Command, run
from bench.rendering.cutlist import CINECUT, DRESSED, Shot, cut_list, write_song
from cinecut.files import write_beside
from cinecut.language.timebase import timecode
from cinecut.render.job import prepare_live

_ROUNDS = 5
_PATIENCE = 120  # seconds
_IN_POINT = re.compile(r'(in: "00:\d\d:)\d\d(:\d\d", for: 60f)')
_EDITS: dict[str, Callable[[str, int], str]] = {
    "a shot's in point": lambda text, k: _IN_POINT.sub(rf"\g<1>{10 + k}\2", text, count=1),
    "a title's text": lambda text, k: text.replace("Title number 21", f"Other words {k}"),
    "a stem's gain": lambda text, k: text.replace("music: -6", f"music: -{6 + k / 10}"),
}


def table(film: Film, runs: int) -> list[Figure]:
    """Medians of five edits of each kind."""
    spec = _written(film, cut_list(film))
    compiling = statistics.median(_timed(lambda: prepare_live(spec)) for _ in range(_ROUNDS))
    figures = [Figure("compile of an edit", compiling, 0.15, " s")]
    try:
        with _page(spec) as browser:
            for name, edit in _EDITS.items():
                waits = [_wait(browser, spec, edit, k) for k in range(1, _ROUNDS + 1)]
                print_rows(("edit", "s until it plays"), [(name, " ".join(f"{wait:.2f}" for wait in waits))])
                figures.append(Figure(f"{name} until it plays", statistics.median(waits), 1.0, " s"))
    except NotMeasuredError as error:
        figures.append(Figure("an edit until it plays", None, 1.0, " s", reason=str(error), needed=False))
    return figures


def _written(film: Film, shots: Sequence[Shot]) -> Path:
    folder = work_folder() / "watch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_song(folder)
    rows = "\n".join(["cinecut: 1", f'film: "{film.path}"', *DRESSED, "mix: {music: -6}", "timeline:", ""])
    for number, shot in enumerate(shots):
        rows += f'  - shot: {{in: "{timecode(shot.start / film.rate, film.rate)}", for: {shot.frames}f}}\n'
        rows += f"    titles: [Title number {number}]\n" if number % 6 == 3 else ""
    spec = folder / "trailer.yaml"
    spec.write_text(rows + "  - card: The End\n    for: 2s\n", encoding="utf-8")
    run(Command((CINECUT, "link", str(spec))))
    return spec


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


@contextlib.contextmanager
def _page(spec: Path) -> Iterator[Any]:
    """A browser that plays the first draft. Raises NotMeasuredError where there is none."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        raise NotMeasuredError("no Chromium with its driver on this system")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "disable-sync"):
        options.add_argument(f"--{word}")
    environment = {**os.environ, "CINECUT_FFMPEG": FFMPEG, "CINECUT_CACHE_DIR": str(spec.parent / "cache")}
    command = [CINECUT, "watch", str(spec), "--no-browser"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    browser = webdriver.Chrome(options=options, service=Service(driver, env=dict(os.environ)))
    try:
        assert process.stdout is not None
        browser.get(process.stdout.readline().strip())
        browser.execute_script(
            "window.seen = 0; new MutationObserver(() => { window.seen = Date.now(); })"
            ".observe(document.body, { attributeFilter: ['data-plays'] });"
        )
        _played(browser, spec)
        yield browser
    finally:
        browser.quit()
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _wait(browser: Any, spec: Path, edit: Callable[[str, int], str], k: int) -> float:
    """Seconds from an edit, as an editor writes it, until the page plays it."""
    before = spec.read_text(encoding="utf-8")
    after = edit(before, k)
    if after == before:
        raise NotMeasuredError("the edit changed nothing")
    began = time.time()
    write_beside(spec, after)
    shown = _played(browser, spec)
    write_beside(spec, before)
    _played(browser, spec)
    return shown - began


def _played(browser: Any, spec: Path) -> float:
    """When the page began to play a draft of the file as it is."""
    revision = hashlib.sha256(spec.read_bytes()).hexdigest()[:16]
    script = "return state.drafted === arguments[0] && document.body.dataset.plays === state.draft ? window.seen : 0"
    for _ in range(_PATIENCE * 20):
        if shown := browser.execute_script(script, revision):
            return float(shown) / 1000
        time.sleep(0.05)
    raise NotMeasuredError("the page never played the edit")
