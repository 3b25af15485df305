"""The server's life: the real one over a model of one megabyte, and scripted ones for what it does not do on demand."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from effort import GIVE_UP
from scripted import HELP, MOOD, Scripted, alone, gguf, listens, local, lock_is_free, problem, program, runs, until

from cinecut.diagnostics import Stop
from cinecut.inference import server
from cinecut.inference.chat import NoAnswer
from cinecut.inference.models import ModelFiles
from cinecut.inference.server import Local, choose_models, find_server

_EXTRA = all(importlib.util.find_spec(name) for name in ("xllamacpp", "gguf"))
real = pytest.mark.skipif(not _EXTRA, reason="the extra `models` is not installed")


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def llava(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    from tiny_llava import write_tiny_llava

    return ModelFiles("llava", *write_tiny_llava(tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="session")
def picture() -> bytes:
    import cv2
    import numpy as np

    rows, columns = np.mgrid[0:360, 0:640]
    shown = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


# The real server.


@real
def test_a_picture_is_described_as_the_schema_says_and_nothing_is_left_behind(
    llava: ModelFiles, picture: bytes
) -> None:
    models = local(llava)
    with models.open("vision") as chat:
        assert not lock_is_free()
        first = chat.ask("What is seen?", MOOD, picture=picture)
        without = chat.ask("What is seen?", MOOD)
        again = chat.ask("What is seen?", MOOD, picture=picture)
    assert (chat.name, chat.slots, models.name("vision")) == ("llava", 1, "llava")
    assert first == again
    assert first != without  # so it did look
    assert not listens(chat.url)
    assert lock_is_free()


@real
def test_two_models_serve_by_turns_and_a_server_ends_when_asked_to(
    llava: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, send = list[int](), os.killpg

    def watched(group: int, signum: int) -> None:
        sent.append(signum)
        send(group, signum)

    monkeypatch.setattr(os, "killpg", watched)
    monkeypatch.setattr(server, "_GRACE", 60.0)  # a busy machine takes its time
    models = local(llava)
    for part in ("vision", "text", "vision"):
        with models.open(part) as chat:
            chat.ask("Well?", MOOD)
    assert set(sent) == {signal.SIGTERM}  # none had to be killed


@real
def test_a_picture_that_is_none_is_refused_and_the_next_one_is_described(llava: ModelFiles, picture: bytes) -> None:
    with local(llava).open("vision") as chat:
        with pytest.raises(NoAnswer, match="status 400: Failed to load image") as caught:
            chat.ask("What is seen?", MOOD, picture=b"\xff\xd8\xff no more")
        assert not caught.value.gone
        assert set(chat.ask("What is seen?", MOOD, picture=picture)) == {"mood", "day"}


@real
def test_a_port_that_is_taken_is_left_to_its_owner(llava: ModelFiles) -> None:
    with socket.socket() as owner:
        owner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            owner.bind(("127.0.0.1", 8089))
            owner.listen()
        except OSError:
            pass  # another owner, and as good
        with local(llava).open("vision") as chat:
            assert not chat.url.endswith(":8089")
            chat.ask("Well?", MOOD)


def test_two_servers_that_start_at_the_same_moment_get_two_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the first does not listen yet: the second has another lock, as another user has."""
    first = Scripted(tmp_path, "time.sleep(1)")
    (tmp_path / "b").mkdir()
    second = Scripted(tmp_path / "b")
    urls, both = [], threading.Event()

    def opened() -> None:
        with first.models().open("text") as chat:
            urls.append(chat.url)
            both.wait(GIVE_UP)

    thread = threading.Thread(target=opened, daemon=True)
    thread.start()
    until("the first to start", lambda: (tmp_path / "arguments").exists())
    monkeypatch.setenv("CINECUT_RUNTIME_DIR", str(tmp_path / "b"))
    with second.models().open("text") as chat:
        assert runs(second.pid)
        until("the first to be open", lambda: bool(urls))
        both.set()
        thread.join()
        assert chat.url not in urls
        assert chat.ask("Well?", MOOD)["mood"] == "calm"
    assert len(urls) == 1


@real
def test_the_projector_of_another_model_ends_the_server_and_its_own_words_say_why(
    llava: ModelFiles, tmp_path: Path
) -> None:
    import numpy as np
    from tiny_llava import write_projector

    other = tmp_path / "mmproj.gguf"
    write_projector(other, lambda *shape: np.zeros(shape, np.float32), 32)
    with pytest.raises(Stop) as caught, local(ModelFiles("llava", llava.weights, other)).open("vision"):
        pass
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == (
        "model",
        "the server of the model llava ended with status 1 before it was ready",
    )
    # The server prints in a thread of its own; if it ends before that has printed all, only its last words are left.
    words = r"mismatch between text model \(n_embd = 64\) and mmproj \(n_embd = 32\)|Failed to init server"
    assert any(re.search(words, hint) for hint in found.hints), found.hints
    assert lock_is_free()


@real
@pytest.mark.parametrize("kept", [0, 1000, 300_000])
def test_weights_that_were_cut_short_are_an_error_before_any_server(
    llava: ModelFiles, tmp_path: Path, kept: int
) -> None:
    short = tmp_path / "llava.gguf"
    short.write_bytes(llava.weights.read_bytes()[:kept])
    with pytest.raises(Stop, match=r"llava\.gguf is "), local(ModelFiles("llava", short, llava.mmproj)).open("vision"):
        pass


@real
def test_the_module_itself_names_what_is_not_there(tmp_path: Path) -> None:
    command = find_server()
    assert command is not None
    command += ["--model", str(tmp_path / "no.gguf")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP)
    assert (said.returncode, said.stderr) == (1, f"error: there is no file {tmp_path / 'no.gguf'}\n")


@real
def test_ctrl_c_in_the_middle_leaves_no_server(llava: ModelFiles) -> None:
    urls = []

    def interrupted() -> None:
        with local(llava).open("vision") as chat:
            urls.append(chat.url)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not listens(urls[0])
    assert lock_is_free()


@real
def test_kill_9_of_the_holder_leaves_no_server_and_a_free_lock(llava: ModelFiles) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(llava.weights), str(llava.mmproj)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        url = holder.stdout.readline().strip()
        assert listens(url)
        assert not lock_is_free()
    finally:
        holder.kill()
        holder.communicate()
    until("the server to end", lambda: not listens(url))
    until("the lock to be free", lock_is_free)


_HOLDER = """
import sys, time
from pathlib import Path
from cinecut.inference.models import ModelFiles
from cinecut.inference.server import Local, find_server
files = ModelFiles("llava", Path(sys.argv[1]), Path(sys.argv[2]))
with Local(find_server(), print, lambda part: files).open("vision") as chat:
    print(chat.url, flush=True)
    time.sleep(60)
"""


@real
def test_a_models_folder_is_all_that_it_takes(
    llava: ModelFiles, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINECUT_MODELS_DIR", str(llava.weights.parent))
    models = choose_models(None, None, print)
    assert models is not None
    assert models.identity("vision") == llava.identity
    with models.open("vision") as chat:
        assert chat.ask("What is seen?", MOOD, picture=picture)["day"] in ("day", "night")


# Scripted servers.


def test_an_old_build_gets_only_the_options_that_it_knows(tmp_path: Path) -> None:
    server = Scripted(tmp_path, options="-m --model --mmproj --host --port -c --ctx-size")
    with server.models().open("vision") as chat:
        assert chat.ask("What is seen?", MOOD) == {"mood": "calm", "day": "day"}
    options = [word for word in server.arguments if word.startswith("-")]
    assert options == ["--model", "--host", "--port", "--mmproj", "--ctx-size"]
    assert not runs(server.pid)


def test_a_model_that_does_not_say_its_form_is_asked_in_llavas_own(tmp_path: Path) -> None:
    server = Scripted(tmp_path, options=HELP + " --jinja --chat-template")
    with server.models().open("vision"):
        pass
    assert server.arguments[server.arguments.index("--chat-template") + 1].startswith("A chat between a curious human")
    server.files.weights.write_bytes(gguf(tokenizer__chat_template="{{ messages }}"))
    with server.models().open("vision"):
        pass
    assert "--chat-template" not in server.arguments


def test_a_build_without_pictures_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    message, _ = problem(Scripted(tmp_path, options="--model --host --port").models())
    assert message == "this llama-server cannot show pictures to a model"
    broken = program(tmp_path / "broken", "#!/nowhere\n")
    message, _ = problem(local(Scripted(tmp_path).files, [str(broken)]))
    assert message == f"{broken} does not run here"


def test_a_server_that_never_gets_healthy_is_ended_and_quoted(tmp_path: Path) -> None:
    server = Scripted(tmp_path, "health = 503")
    speaks = f'[ "$1" = --help ] || {{ echo "warming up, unable to hurry"; echo $$ > "{tmp_path}/pid"; }}'
    early = program(tmp_path / "early", f'#!/bin/sh\n{speaks}\nexec "{server.path}" "$@"\n')
    message, hints = problem(local(server.files, [str(early)], healthy_within=1))
    assert message == "the server of the model llava was not ready within 1 s"
    assert hints == ("warming up, unable to hurry",)
    assert not runs(server.pid)


def test_a_server_that_exits_at_the_start_is_quoted_at_once(tmp_path: Path) -> None:
    lines = "print('loading'); print('0.00.1 E cuda: error: no kernel image'); print('bye'); sys.exit(3)"
    message, hints = problem(Scripted(tmp_path, lines).models())
    assert message == "the server of the model llava ended with status 3 before it was ready"
    assert hints == ("cuda: error: no kernel image",)


def test_a_server_that_dies_between_two_frames_is_gone_and_said_why(tmp_path: Path) -> None:
    death = "\n if count == 2:\n  print('CUDA error: out of memory', flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    server = Scripted(tmp_path, f'def answer(body):{death}\n return 200, \'{{"mood": "calm", "day": "day"}}\'')
    with server.models().open("vision") as chat:
        assert chat.ask("What is seen?", MOOD)["mood"] == "calm"
        with pytest.raises(NoAnswer) as caught:
            chat.ask("What is seen?", MOOD)
        assert str(caught.value) == "the server was ended by SIGKILL; CUDA error: out of memory"
        assert caught.value.gone
        with pytest.raises(NoAnswer, match="was ended by SIGKILL"):
            chat.ask("What is seen?", MOOD)
    assert lock_is_free()


_HANG = 'def answer(body):\n if count == 1: time.sleep(60)\n return 200, \'{"mood": "calm", "day": "day"}\'\n'


def test_a_server_that_hangs_on_one_frame_answers_the_next(tmp_path: Path) -> None:
    with Scripted(tmp_path, _HANG).models().open("vision") as chat:
        with pytest.raises(NoAnswer, match=r"no answer within \d+ s") as caught:
            chat.ask("What is seen?", MOOD, patience=1)
        assert not caught.value.gone
        assert chat.ask("What is seen?", MOOD, patience=GIVE_UP)["mood"] == "calm"


def test_a_server_that_hangs_as_a_whole_is_gone_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cinecut.inference.chat._ALIVE", 0.5)
    server = Scripted(tmp_path, _HANG + "Server = HTTPServer")
    with server.models().open("vision") as chat:
        with pytest.raises(NoAnswer, match=r"no answer within \d+ s") as caught:
            chat.ask("What is seen?", MOOD, patience=1)
        assert caught.value.gone
    assert not runs(server.pid)
    assert lock_is_free()


def test_a_server_that_does_not_end_when_asked_to_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_GRACE", 0.5)
    deaf = Scripted(tmp_path, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    with deaf.models().open("vision"):
        assert runs(deaf.pid)
    assert not runs(deaf.pid)


def test_what_a_server_starts_ends_with_it(tmp_path: Path) -> None:
    server = Scripted(tmp_path)
    wrapper = program(tmp_path / "wrapper", f'#!/bin/sh\n"{server.path}" "$@"\nexit 0\n')
    with local(server.files, [str(wrapper)]).open("vision"):
        assert runs(server.pid)
    until("the inner server to end", lambda: not runs(server.pid))
    until("the lock to be free", lock_is_free)


def test_a_second_analyze_waits_for_the_first_and_says_for_whom(tmp_path: Path) -> None:
    server = Scripted(tmp_path)
    told: list[str] = []
    second = Local([str(server.path)], told.append, lambda part: server.files)
    with server.models().open("vision"):
        waiting = threading.Thread(target=_open_and_close, args=(second,))
        waiting.start()
        until("the second to wait", lambda: bool(told))
        assert waiting.is_alive()
    waiting.join(30)
    assert not waiting.is_alive()
    assert told[0].startswith(f"process {os.getpid()}: asking the model llava, since ")


def _open_and_close(models: Local) -> None:
    with models.open("vision"):
        pass
