"""Fixtures that all tests share: the FFmpeg builds and the cache of generated films."""

from __future__ import annotations

import gc
import os

gc.set_threshold(500_000)  # as for every command, but before the tests are read
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of commands start here: none shall compile all anew
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as for every command; read when NumPy is loaded
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # threads that wait for each other give a busy machine's cores away

import fcntl
import hashlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from effort import as_few_as_hold_all
from hypothesis import HealthCheck, settings
from oracle import BUNDLED, Film, make_film

from cinecut.inference.models import find_onnx_minilm, is_installed

# Examples are the same each time, and a busy machine may take as long as it wants for them.
_PATIENT = settings(derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("patient", _PATIENT)
settings.load_profile("patient")

_SYSTEM = shutil.which("ffmpeg")
_NO_SYSTEM = pytest.mark.skipif(_SYSTEM is None, reason="no FFmpeg on this system")


@pytest.fixture(scope="session")
def bundled() -> Path:
    """The FFmpeg that comes with the package."""
    return BUNDLED


@pytest.fixture(scope="session")
def system() -> Path:
    """The system's FFmpeg, which is often older and made with other parts."""
    if _SYSTEM is None:
        pytest.skip("no FFmpeg on this system")
    return Path(_SYSTEM)


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(BUNDLED, id="bundled"),
        pytest.param(_SYSTEM, id="system", marks=_NO_SYSTEM),
    ],
)
def ffmpeg(request: pytest.FixtureRequest) -> Path:
    """Each FFmpeg in turn: the bundled one, and the system's where there is one."""
    return Path(request.param)


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Film], Film]:
    """Makes a film once for all tests and workers of a session; returns it with the path where it lies.

    Of the path asked for only the suffix matters: `films(Film(Path("a.mkv"), rate=Fraction(24), frames=48)).path`.
    """
    folder = _shared(tmp_path_factory) / "films"
    folder.mkdir(exist_ok=True)

    def film(wanted: Film) -> Film:
        recipe = replace(wanted, path=Path("film" + wanted.path.suffix))
        name = hashlib.sha256(repr(recipe).encode()).hexdigest()[:16] + wanted.path.suffix
        if not (folder / name).exists():
            made = make_film(replace(wanted, path=folder / f"{os.getpid()}-{name}"))
            made.path.replace(folder / name)  # whole at once: another worker may be looking
        return replace(wanted, path=folder / name)

    return film


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Makes a folder once for all tests and workers of a session, which only read it: `once("ramps", make).iterdir()`.

    The others wait meanwhile; what fails leaves nothing, and the next one tries again.
    """
    shared = _shared(tmp_path_factory) / "once"
    shared.mkdir(exist_ok=True)

    def folder(name: str, make: Callable[[Path], object]) -> Path:
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / name).exists():
                shutil.rmtree(shared / f"{name}.new", ignore_errors=True)
                (shared / f"{name}.new").mkdir()
                make(shared / f"{name}.new")
                (shared / f"{name}.new").rename(shared / name)
        return shared / name

    return folder


@pytest.fixture(scope="session")
def analyses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for CINECUT_CACHE_DIR that all tests and workers of a session share: an equal film is looked at once."""
    return _shared(tmp_path_factory) / "analyses"


@pytest.fixture
def own_analyses(analyses: Path, tmp_path: Path) -> Path:
    """A cache for CINECUT_CACHE_DIR of the test's own, in which all lies that the shared one holds by now."""
    for file in analyses.rglob("*.msgpack"):  # whole ones: others may be written meanwhile
        own = tmp_path / "cache" / file.relative_to(analyses)
        own.parent.mkdir(parents=True, exist_ok=True)
        own.hardlink_to(file)
    return tmp_path / "cache"


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], Path]]:
    """Mounts a disk of so many kB; skips where that isn't allowed."""
    mounted: list[Path] = []

    def mount(kilobytes: int) -> Path:
        place = Path(tempfile.mkdtemp())
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            place.rmdir()
            pytest.skip("no disk can be mounted here")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", place], check=True)
        place.rmdir()


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of a session see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell in the background has its children ignore some
    if signal.getsignal(signum) == signal.SIG_IGN:
        signal.signal(signum, signal.default_int_handler if signum == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user's is read or touched: a home of its own, with caches, lock, models and settings.

    Where both of MiniLM's engines are there, the one that starts in a tenth of the time; torch has tests of its own.
    """
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("CINECUT_", "XDG_", "HF_", "LC_")) or name in ("LANG", "LANGUAGE", "TZ"):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("CINECUT_CACHE_DIR", str(home / "cache"))
        patch.setenv("CINECUT_RUNTIME_DIR", str(home / "runtime"))
        patch.setenv("CINECUT_STORE_GB", "0")  # a render makes all of it, but where a test is about the store
        patch.setenv("CINECUT_MODELS_DIR", str(home / "models"))
        if find_onnx_minilm() and is_installed("onnxruntime"):
            patch.setitem(sys.modules, "sentence_transformers", None)
        patch.setattr("footage.KEPT", _shared(tmp_path_factory) / "footage")
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="Write the golden texts anew; then read the diff.")


def pytest_collection_finish() -> None:
    gc.freeze()  # all that is loaded by now stays: it is not looked through for garbage again and again


_SYSTEM_CASES = 64  # one in so many cases also runs with the system's FFmpeg in `make test`


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What `make test` leaves to `make test-slow`.

    Of the goldens, which are every feature of the language, the bundled build runs as few as say to FFmpeg all that
    goldens say and put every filter behind every other that any does; the system's build as few as say all. Of the
    other tests that runs a sample: the first case of each room, and others that depend on their names alone. Of a test
    that is marked as a `matrix` a part of the cases is run.

    Long ones come first.
    """
    rooms: set[Path] = set()
    matrices: dict[str, list[pytest.Item]] = {}
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is None:
            continue
        if _SYSTEM is not None and callspec.params.get("ffmpeg") == _SYSTEM:
            if item.path.parent in rooms and hashlib.sha256(item.nodeid.encode()).digest()[0] % _SYSTEM_CASES:
                item.add_marker("slow")
            rooms.add(item.path.parent)
        elif item.get_closest_marker("matrix"):
            matrices.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in matrices.values():
        for item in _rest_of_matrix(cases):
            item.add_marker("slow")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _rest_of_matrix(cases: list[pytest.Item]) -> list[pytest.Item]:
    """All but those that `make test` runs: so many as the mark says, from the first to the last; where it says
    nothing, as few as hold every value of every argument."""
    mark = cases[0].get_closest_marker("matrix")
    if mark is not None and mark.args:
        steps = mark.args[0] - 1
        chosen = {round(n * (len(cases) - 1) / steps) for n in range(steps + 1)}
        return [item for n, item in enumerate(cases) if n not in chosen]
    fewest = as_few_as_hold_all({n: _values(item) for n, item in enumerate(cases)})
    return [item for n, item in enumerate(cases) if n not in fewest]


def _values(item: Any) -> set[tuple[str, str]]:
    return {(name, repr(value)) for name, value in item.callspec.params.items()}


@pytest.fixture
def browser(a_browser: Any) -> Iterator[Any]:
    """A real browser with a page of the test's own."""
    first = a_browser.current_window_handle
    a_browser.switch_to.new_window("tab")
    a_browser.set_window_size(1200, 1000)
    a_browser.get_log("browser")  # what other pages have said
    yield a_browser
    a_browser.close()
    a_browser.switch_to.window(first)


@pytest.fixture(scope="session")
def a_browser() -> Iterator[Any]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium with its driver on this system (Debian: chromium, chromium-driver)")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
                 "disable-background-networking", "disable-component-update",
                 "autoplay-policy=no-user-gesture-required"):  # fmt: skip
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(options=options, service=Service(driver, env=dict(os.environ)))
    yield running
    running.quit()
