"""The demo film is fetched whole or not at all: from a host that breaks off, lies or is absent, and from a package."""

from __future__ import annotations

import hashlib
import http.server
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from talking import Handler, Loopback

from cinecut.diagnostics import Stop
from tools import demo_film

FILM = bytes(range(256)) * 4096  # 1 MiB
SMALL_FILM = b"the other encode" * 1000

BACKEND = """
from pathlib import Path


def prepare_metadata_for_build_wheel(directory, config_settings=None):
    folder = Path(directory, "moviepy-2.2.1.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: moviepy\\nVersion: 2.2.1\\n")
    return folder.name


def build_wheel(directory, config_settings=None, metadata_directory=None):
    raise NotImplementedError
"""


def known(name: str, data: bytes) -> demo_film.Download:
    return demo_film.Download(name, len(data), hashlib.sha256(data).hexdigest())


BLOCK = 1 << 16  # bytes


class Host(Loopback):
    """A loopback host of one file, which can break off, know no ranges or serve other bytes."""

    def __init__(self) -> None:
        self.data = FILM
        self.break_after: list[int] = []  # bytes of each of the first answers
        self.ranges = True
        self.starts: list[int] = []  # where each request began
        host = self

        class Serving(Handler):
            def do_HEAD(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(host.data)))
                self.end_headers()

            def do_GET(self) -> None:
                match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if host.ranges else None
                start = int(match[1]) if match else 0
                host.starts.append(start)
                body = host.data[start:]
                self.send_response(206 if match else 200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", '"film"')
                if match:
                    self.send_header("Content-Range", f"bytes {start}-{len(host.data) - 1}/{len(host.data)}")
                self.end_headers()
                self.wfile.write(body[: host.break_after.pop(0)] if host.break_after else body)

        super().__init__(Serving)
        self.url += "/film.mov"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host for the original; there is no package unless a test makes one."""
    host = Host()
    monkeypatch.delenv(demo_film.LOCAL_COPY, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(demo_film, "ORIGINAL_URL", host.url)
    monkeypatch.setattr(demo_film, "PAUSES", (0, 0))
    monkeypatch.setattr(demo_film, "ORIGINAL", known("film.mov", FILM))
    monkeypatch.setattr(demo_film, "TUTORIAL", known("small.mp4", SMALL_FILM))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    yield host
    host.close()


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source distribution built like the real one, where pip finds it."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        archive.writestr(demo_film.SDIST_FILM, SMALL_FILM)
    links = tmp_path / "links"
    links.mkdir()
    sdist = links / demo_film.SDIST.name
    with tarfile.open(sdist, "w:gz") as tar:
        build = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        add(tar, "moviepy-2.2.1/pyproject.toml", build)
        add(tar, "moviepy-2.2.1/backend.py", BACKEND.encode())
        add(tar, "moviepy-2.2.1/PKG-INFO", b"Metadata-Version: 2.1\nName: moviepy\nVersion: 2.2.1\n")
        add(tar, demo_film.SDIST_ARCHIVE, box.getvalue())
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    monkeypatch.setattr(demo_film, "SDIST", known(demo_film.SDIST.name, sdist.read_bytes()))
    return sdist


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_original_comes_first_and_once(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    seen: list[tuple[int, int]] = []
    film = demo_film.fetch_film(folder, lambda _what, done, total: seen.append((done, total)))
    assert film.read_bytes() == FILM
    assert seen[-1] == (len(FILM), len(FILM))
    assert seen == sorted(seen)
    assert demo_film.fetch_film(folder) == film
    assert host.starts == [0]
    assert names(folder) == ["film.mov"]


def test_a_broken_connection_goes_on_where_it_broke(host: Host, tmp_path: Path) -> None:
    host.break_after = [5 * BLOCK, 3 * BLOCK + 1]
    assert demo_film.fetch_film(tmp_path).read_bytes() == FILM
    assert host.starts == [0, 5 * BLOCK, 8 * BLOCK]


def test_the_next_run_goes_on_too(host: Host, tmp_path: Path) -> None:
    host.break_after = [5 * BLOCK, *[0] * len(demo_film.PAUSES)]
    with pytest.raises(Stop, match="broke off") as stop:
        demo_film.fetch_film(tmp_path)
    assert stop.value.diagnostics[0].code == "download"
    assert names(tmp_path) == ["film.mov.part", "film.mov.part.etag"]
    assert demo_film.fetch_film(tmp_path).read_bytes() == FILM
    assert host.starts[-1] == 5 * BLOCK


def test_a_host_without_ranges_starts_again(host: Host, tmp_path: Path) -> None:
    host.ranges = False
    host.break_after = [300_000]
    assert demo_film.fetch_film(tmp_path).read_bytes() == FILM
    assert host.starts == [0, 0]


def test_wrong_bytes_are_refused_and_removed(host: Host, tmp_path: Path) -> None:
    host.data = FILM[:-1] + b"!"
    with pytest.raises(Stop, match="has the checksum"):
        demo_film.fetch_film(tmp_path)
    assert names(tmp_path) == []


def test_a_file_of_another_size_is_not_downloaded(host: Host, tmp_path: Path) -> None:
    host.data = FILM + b"!"
    with pytest.raises(Stop, match="answers 200 with 1048577 bytes"):
        demo_film.fetch_film(tmp_path)
    assert host.starts == []


def test_a_damaged_cache_is_fetched_anew(host: Host, tmp_path: Path) -> None:
    (tmp_path / "film.mov").write_bytes(FILM[:-1] + b"!")
    assert demo_film.fetch_film(tmp_path).read_bytes() == FILM


def test_the_package_steps_in(host: Host, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host.break_after = [1000, *[0] * len(demo_film.PAUSES)]
    folder = tmp_path / "cache"
    film = demo_film.fetch_film(folder)
    assert film.read_bytes() == SMALL_FILM
    assert names(folder) == ["small.mp4"]
    monkeypatch.delenv("PIP_FIND_LINKS")
    assert demo_film.fetch_film(folder) == film
    assert demo_film.fetch_tutorial_film(folder) == film


def test_another_package_of_that_name_is_refused(host: Host, package: Path, tmp_path: Path) -> None:
    package.write_bytes(package.read_bytes() + b"!")
    with pytest.raises(Stop, match="pip could not download"):
        demo_film.fetch_tutorial_film(tmp_path / "cache")
    assert names(tmp_path / "cache") == []
    assert host.starts == []


@pytest.mark.parametrize("answer", ["nobody", "silence"])
def test_a_host_out_of_reach_is_given_up(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(demo_film, "HOST_ANSWERS", 0.3)
    silent = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)  # accepts, never serves
    port = silent.server_address[1]
    if answer == "nobody":
        silent.server_close()
    monkeypatch.setattr(demo_film, "ORIGINAL_URL", f"http://127.0.0.1:{port}/film.mov")
    monkeypatch.setattr(demo_film, "_from_sdist", lambda folder, progress: tmp_path / "the package")
    assert demo_film.fetch_film(tmp_path) == tmp_path / "the package"  # the silent one would never answer
    silent.server_close()


def test_a_local_copy_is_verified(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "mine.mp4"
    monkeypatch.setenv(demo_film.LOCAL_COPY, str(copy))
    with pytest.raises(Stop, match="no file"):
        demo_film.fetch_film(tmp_path)
    copy.write_bytes(SMALL_FILM)
    assert demo_film.fetch_film(tmp_path) == copy
    assert demo_film.fetch_tutorial_film(tmp_path) == copy
    copy.write_bytes(SMALL_FILM[:-1] + b"!")
    with pytest.raises(Stop) as stop:
        demo_film.fetch_film(tmp_path)
    assert stop.value.diagnostics[0].code == "other-file"
    assert host.starts == []


def test_an_unusable_folder_is_said(host: Host, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(Stop) as stop:
        demo_film.fetch_film(tmp_path / "file" / "cache")
    assert stop.value.diagnostics[0].code == "output"
