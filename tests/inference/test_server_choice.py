"""Before a server starts: which one that is, and whether there is memory for its model."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import MOOD, Scripted, alone, problem, program

from cinecut.diagnostics import Stop
from cinecut.inference import server
from cinecut.inference.chat import NoAnswer
from cinecut.inference.server import Local, choose_models, find_server
from cinecut.machine.gpu import LEAST, free_memory


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(tmp_path, monkeypatch)


# Memory, by an nvidia-smi that says what a file holds.


@pytest.fixture
def free(tmp_path: Path) -> Callable[[int | str], None]:
    """Sets what is free on the GPU, in MiB."""
    figure = tmp_path / "free"
    program(tmp_path / "bin" / "nvidia-smi", f'#!/bin/sh\ncat "{figure}"\n')

    def set_free(mib: int | str) -> None:
        beside = figure.with_suffix(".new")
        beside.write_text(f"{mib}\n", encoding="utf-8")
        beside.replace(figure)

    return set_free


def test_free_memory_is_that_of_the_roomiest_gpu_and_unknown_where_none_tells(
    free: Callable[[int | str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for said, known in (("120\n7000", 7000), ("[N/A]", None), ("No devices were found", None), ("", None)):
        free(said)
        assert free_memory() == known
    monkeypatch.setenv("PATH", "/nowhere")
    assert free_memory() is None


def test_too_little_free_memory_starts_nothing_and_tells_the_figures(
    tmp_path: Path, free: Callable[[int | str], None]
) -> None:
    free(6143)
    server = Scripted(tmp_path)
    message, hints = problem(server.models(memory_within=0.3))
    assert message == "the model llava needs 6144 MiB of GPU memory, and 6143 MiB are free"
    assert f"{LEAST} changes what must be free" in hints
    assert not (tmp_path / "pid").exists()


def test_memory_that_is_given_back_after_a_moment_is_waited_for(
    tmp_path: Path, free: Callable[[int | str], None]
) -> None:
    free(100)
    began = time.monotonic()
    later = threading.Timer(1, free, [6144])
    later.start()
    with Scripted(tmp_path).models().open("vision") as chat:
        assert time.monotonic() - began >= 1
        chat.ask("Well?", MOOD)
    later.join()


def test_the_environment_says_how_much_memory_must_be_free(
    tmp_path: Path, free: Callable[[int | str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(100)
    monkeypatch.setenv(LEAST, "100")
    server = Scripted(tmp_path)
    with server.models().open("vision") as chat:
        chat.ask("Well?", MOOD)
    assert server.arguments[-2:] == ["--n-gpu-layers", "999"]
    monkeypatch.setenv(LEAST, "much")
    with pytest.raises(Stop, match="not a whole number of MiB"), server.models().open("vision"):
        pass


def test_memory_is_looked_at_again_before_each_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: Callable[[int | str], None]
) -> None:
    free(8000)
    with Scripted(tmp_path).models().open("vision") as chat:
        chat.ask("Well?", MOOD)
        free(10)
        later = threading.Timer(0.4, free, [2000])
        later.start()
        began = time.monotonic()
        chat.ask("Well?", MOOD)  # pauses
        assert time.monotonic() - began >= 0.3
        later.join()
        free(10)
        monkeypatch.setattr(server, "_PAUSE", 0.3)
        with pytest.raises(NoAnswer, match="needs 256 MiB of free GPU memory, and 10 MiB are free") as caught:
            chat.ask("Well?", MOOD)
        assert not caught.value.gone


# Which server.


def test_a_server_on_the_path_comes_before_the_packaged_one(tmp_path: Path) -> None:
    packaged = find_server()
    assert not packaged or packaged[0] == sys.executable
    server = program(tmp_path / "bin" / "llama-server", "#!/bin/sh\n")
    assert find_server() == [str(server)]


def test_without_model_files_there_are_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINECUT_MODELS_DIR", str(tmp_path))
    assert choose_models(None, None, print) is None
    named = choose_models(str(program(tmp_path / "bin" / "mine", "#!/bin/sh\n")), None, print)
    assert isinstance(named, Local)
    assert (named.name("vision"), named.identity("text")) == (None, None)
    with pytest.raises(Stop, match="there is no model for text on this disk"), named.open("text"):
        pass


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:1"])
def test_a_server_that_the_user_named_and_that_is_not_there_is_an_error(url: str | None) -> None:
    with pytest.raises(Stop) as caught:
        choose_models("/nowhere/llama-server", url, print)
    assert caught.value.diagnostics[0].code == "option"
