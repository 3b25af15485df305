"""The demo film, fetched once: Big Buck Bunny, (c) 2008 Blender Foundation, peach.blender.org, CC BY 3.0.

    CINECUT_DEMO_FILM ─ or the folder's copy ─ or the original host ─ or a source distribution ─► checksum ─► film

Two encodes of the same 9:56 film at 24 frames/s are known by their checksums: every frame number means the same picture
in both, but their bytes differ, so a spec that was linked to one needs `cinecut link` before it renders the other.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs
import requests

from cinecut.diagnostics import Stop
from cinecut.download import FetchOptions, Progress, Source, fetch, sha256, silent, why

LOCAL_COPY = "CINECUT_DEMO_FILM"
HOST_ANSWERS = 5.0  # seconds until the original host counts as out of reach
PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before each new connection where one got no further


@dataclass(frozen=True, slots=True)
class Download:
    """A file known by its bytes."""

    name: str
    size: int
    sha256: str


# What the Blender Foundation itself offers at this size. The digest is the one that public copies of the file in
# Git LFS carry; size and CRC agree with the catalogues that list it.
ORIGINAL = Download(
    "big_buck_bunny_720p_h264.mov", 416_751_190, "45c8bafeb9a53df7f491198d2e71529701bcf1cd51805782089fac1d32869f9b"
)
ORIGINAL_URL = "https://download.blender.org/peach/bigbuckbunny_movies/big_buck_bunny_720p_h264.mov"

# A smaller encode that MoviePy's tutorial works with; it travels in the source distribution, in an archive within it.
TUTORIAL = Download(
    "big_buck_bunny_720p24.mp4", 50_195_281, "475fbbf34c4c367998f80c29ea03b15a743941179b12da3373fc6706e68621d0"
)
SDIST = Download("moviepy-2.2.1.tar.gz", 58_431_438, "c80cb56815ece94e5e3e2d361aa40070eeb30a09d23a24c4e684d03e16deacb1")
SDIST_REQUIREMENT = "moviepy==2.2.1"
SDIST_ARCHIVE = "moviepy-2.2.1/docs/_static/medias/getting_started/moviepy_10_minutes/moviepy_10_minutes.zip"
SDIST_FILM = "moviepy_10_minutes/resources/bbb.mp4"


class _SourceFailedError(Exception):
    """One source cannot give the film; the message says why, and the next one is asked."""


def fetch_film(folder: Path | None = None, progress: Progress = silent) -> Path:
    """The demo film in `folder` (default: the user's cache), fetched if it is not there yet.

    The environment variable CINECUT_DEMO_FILM names a local copy instead. The bytes are verified in every case.
    Raises Stop: `other-file` (the local copy is no known encode), `download`, `output`, `disk-full`.
    """
    if local := os.environ.get(LOCAL_COPY):
        return _local_copy(Path(local))
    folder = folder or Path(platformdirs.user_cache_dir("cinecut"))
    for known in (ORIGINAL, TUTORIAL):
        if _holds(folder / known.name, known):
            return folder / known.name
    return _from_sources(folder, progress, (_from_host, _from_sdist))


def fetch_tutorial_film(folder: Path, progress: Progress = silent) -> Path:
    """The encode of MoviePy's tutorial in `folder`, for figures that are stated for this very file.

    Raises Stop as `fetch_film` does; a local copy must be this encode.
    """
    if local := os.environ.get(LOCAL_COPY):
        return _local_copy(Path(local), TUTORIAL)
    if _holds(folder / TUTORIAL.name, TUTORIAL):
        return folder / TUTORIAL.name
    return _from_sources(folder, progress, (_from_sdist,))


def _local_copy(path: Path, *allowed: Download) -> Path:
    if not path.is_file():
        raise Stop("missing-file", f"{LOCAL_COPY} names {path}, which is no file")
    allowed = allowed or (ORIGINAL, TUTORIAL)
    if not any(_holds(path, known) for known in allowed):
        names = " or ".join(f"{known.name} (sha256 {known.sha256[:12]}…)" for known in allowed)
        raise Stop("other-file", f"{LOCAL_COPY} names {path}, whose bytes are not those of {names}")
    return path


def _from_sources(folder: Path, progress: Progress, sources: tuple[Callable[[Path, Progress], Path], ...]) -> Path:
    reasons: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            try:
                film = source(folder, progress)
            except _SourceFailedError as reason:
                reasons.append(str(reason))
                continue
            for left in folder.glob(f"{ORIGINAL.name}.part*"):
                left.unlink()  # nobody will go on with it
            return film
    except OSError as error:
        code = "disk-full" if error.errno == errno.ENOSPC else "output"
        raise Stop(code, f"the demo film cannot be written to {folder}: {error.strerror or error}") from error
    raise Stop(
        "download",
        "the demo film could not be fetched: " + "; ".join(reasons),
        f"set {LOCAL_COPY} to a copy of the film, or try again: a download goes on where it broke off",
    )


def _from_host(folder: Path, progress: Progress) -> Path:
    """Download the original; what has arrived stays beside it as `*.part`, and the next try goes on from there."""
    _ask_host(ORIGINAL_URL)
    source = Source(ORIGINAL_URL, ORIGINAL.name, ORIGINAL.sha256, ORIGINAL.size)
    try:
        fetch(source, folder / ORIGINAL.name, FetchOptions(progress, pauses=PAUSES))
    except Stop as stop:
        if stop.diagnostics[0].code != "download":
            raise
        raise _SourceFailedError(stop.diagnostics[0].message) from None
    return folder / ORIGINAL.name


def _ask_host(url: str) -> None:
    """Raise within HOST_ANSWERS seconds if the host cannot be reached or offers another file.

    In a thread of its own, because neither the resolver nor a host with many addresses keeps to a timeout.
    """
    answer: list[requests.Response | requests.RequestException] = []

    def ask() -> None:
        try:
            answer.append(requests.head(url, timeout=HOST_ANSWERS, allow_redirects=True))
        except requests.RequestException as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(HOST_ANSWERS)
    if not answer:
        raise _SourceFailedError(f"{url} did not answer within {HOST_ANSWERS:g} s")
    response = answer[0]
    if isinstance(response, requests.RequestException):
        raise _SourceFailedError(f"{url} cannot be reached: {why(response)}") from response
    size = response.headers.get("Content-Length")
    if not response.ok or (size is not None and int(size) != ORIGINAL.size):
        raise _SourceFailedError(f"{url} answers {response.status_code} with {size or 'no'} bytes")


def _from_sdist(folder: Path, progress: Progress) -> Path:
    """Take the film out of MoviePy's source distribution, which pip fetches from wherever it is configured to."""
    with tempfile.TemporaryDirectory(prefix="cinecut-demo-", dir=folder) as scratch:
        sdist = _pip_download(Path(scratch), progress)
        archive = Path(scratch) / "archive.zip"
        part = Path(scratch) / TUTORIAL.name
        try:
            with tarfile.open(sdist) as tar, archive.open("wb") as file:
                inner = tar.extractfile(SDIST_ARCHIVE)
                assert inner is not None  # the digest of the whole was verified
                shutil.copyfileobj(inner, file)
            with zipfile.ZipFile(archive) as box, box.open(SDIST_FILM) as film, part.open("wb") as file:
                shutil.copyfileobj(film, file)
        except (tarfile.TarError, zipfile.BadZipFile, KeyError) as error:
            raise _SourceFailedError(f"no film in {SDIST.name}: {error}") from error
        return _adopt(part, folder, TUTORIAL, SDIST.name)


def _pip_download(scratch: Path, progress: Progress) -> Path:
    """Let pip download and verify the source distribution into `scratch`, and return it.

    pip prepares the metadata of whatever it downloads, which runs the package's build backend; `--require-hashes` makes
    sure beforehand that it is the known package. pip is silent to a pipe, so progress is read off its temporary file.
    """
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{SDIST_REQUIREMENT} --hash=sha256:{SDIST.sha256}\n")
    options = ("--no-deps", "--no-binary=:all:", "--require-hashes", "--no-cache-dir", "--quiet", "--no-input")
    command = (sys.executable, "-m", "pip", "download", *options, "--dest", str(scratch), "-r", str(requirements))
    with tempfile.TemporaryFile() as log:
        environment = os.environ | {"TMPDIR": str(scratch)}
        with subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment) as pip:
            try:
                while pip.poll() is None:
                    _wait(pip, 0.2)
                    arrived = [path.stat().st_size for path in scratch.glob(f"pip-unpack-*/{SDIST.name}")]
                    if arrived:
                        progress(SDIST.name, min(max(arrived), SDIST.size), SDIST.size)
            except BaseException:
                pip.terminate()
                raise
        if pip.returncode != 0:
            raise _SourceFailedError(f"pip could not download {SDIST_REQUIREMENT}: {_last_error(log)}")
    return scratch / SDIST.name


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _last_error(log: IO[bytes]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no reason given"])[-1]


def _adopt(part: Path, folder: Path, wanted: Download, source: str) -> Path:
    """Give the complete file its name, or discard it when its bytes are not the wanted ones."""
    if not _holds(part, wanted):
        part.unlink()
        raise _SourceFailedError(f"{source} gave other bytes than those of {wanted.name}")
    return part.replace(folder / wanted.name)


def _holds(path: Path, wanted: Download) -> bool:
    """Whether `path` holds the wanted bytes (0.1 s for the small encode, 1 s for the original)."""
    if not path.is_file() or path.stat().st_size != wanted.size:
        return False
    return sha256(path) == wanted.sha256


def main() -> None:
    """`python -m tools.demo_film FOLDER`: fetch the film, print where it is."""
    from cinecut.cli.terminal import print_diagnostics, watch

    try:
        with watch("Fetching") as watching:
            film = fetch_film(Path(sys.argv[1]), lambda what, done, total: watching.stage(what, done, total, None))
    except Stop as stop:
        print_diagnostics(stop.diagnostics)
        sys.exit(1)
    print(film)


if __name__ == "__main__":
    main()
