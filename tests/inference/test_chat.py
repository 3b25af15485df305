"""One question and what can come back: each reply is scripted, over a real connection of this machine."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from effort import GIVE_UP
from talking import Handler, Loopback

from cinecut.diagnostics import Stop
from cinecut.inference import chat, remote
from cinecut.inference.chat import Chat, NoAnswer
from cinecut.inference.remote import KEY, Remote
from cinecut.inference.server import choose_models

Reply = tuple[int, str]
MOOD = {
    "type": "object",
    "properties": {"mood": {"type": "string", "minLength": 1, "maxLength": 20}},
    "required": ["mood"],
    "additionalProperties": False,
}
MODELS = {"/v1/models": (200, '{"data": [{"id": "Org/Some-Model-7B"}]}')}


def said(content: str, **choice: str) -> Reply:
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": content}, **choice}]})


class Serving(Loopback):
    """A server whose replies a test scripts. `asked` holds the questions, `seen` path and headers of each request."""

    def __init__(self, answer: Callable[[dict[str, Any], int], Reply], pages: dict[str, Reply]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        serving = self

        class Replying(Handler):
            def do_GET(self) -> None:
                serving.seen.append((self.path, dict(self.headers)))
                self._send(*pages.get(self.path, (404, "")))

            def do_POST(self) -> None:
                serving.seen.append((self.path, dict(self.headers)))
                serving.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._send(*answer(serving.asked[-1], len(serving.asked)))

            def _send(self, status: int, text: str) -> None:
                self.answer(status, text.encode(), **({"Location": text} if 300 <= status < 400 else {}))

        super().__init__(Replying)


@contextmanager
def serving(
    answer: Callable[[dict[str, Any], int], Reply] | Reply, pages: dict[str, Reply] = MODELS
) -> Iterator[Serving]:
    reply = answer if callable(answer) else lambda body, count: answer
    with closing(Serving(reply, pages)) as server:
        yield server


def refusal(reply: Reply | Callable[[dict[str, Any], int], Reply], patience: float = 5) -> NoAnswer:
    """The reason why a question with this reply has no answer."""
    with serving(reply) as server, pytest.raises(NoAnswer) as caught:
        Chat("some", server.url).ask("Which mood?", MOOD, patience=patience)
    return caught.value


def test_the_question_holds_prompt_picture_and_schema_and_asks_for_the_same_answer_each_time() -> None:
    with serving(said('{"mood": "calm"}')) as server:
        answer = Chat("some", server.url, model="m").ask("Which mood?", MOOD, picture=b"\xff\xd8jpeg", tokens=50)
    assert answer == {"mood": "calm"}
    (body,) = server.asked
    picture, text = body["messages"][0]["content"]
    assert base64.b64decode(picture["image_url"]["url"].removeprefix("data:image/jpeg;base64,")) == b"\xff\xd8jpeg"
    assert text == {"type": "text", "text": "Which mood?"}
    assert body["response_format"]["json_schema"]["schema"] == MOOD
    assert (body["temperature"], body["max_tokens"], body["cache_prompt"], body["model"]) == (0, 50, False, "m")
    assert isinstance(body["seed"], int)


def test_a_question_without_a_picture_is_plain_text() -> None:
    with serving(said('{"mood": "calm"}')) as server:
        Chat("some", server.url).ask("Which mood?", MOOD)
    assert server.asked[0]["messages"] == [{"role": "user", "content": "Which mood?"}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("The mood is calm, I would say.", "the answer is not a JSON object: The mood is calm"),
        ("", "the answer is not a JSON object: nothing"),
        ('["calm"]', "the answer is not a JSON object"),
        ('{"mood": ""}', "the answer does not follow its schema: mood: "),
        ('{"mood": 3}', "the answer does not follow its schema: mood: 3 is not of type 'string'"),
        ("{}", "the answer does not follow its schema: 'mood' is a required property"),
        ("{" * 100_000, "the answer is not a JSON object"),
        ('{"mood": ' * 5_000, "the answer is not a JSON object"),
    ],
)
def test_an_answer_that_is_no_use_is_refused_and_its_reason_is_short(content: str, reason: str) -> None:
    error = refusal(said(content))
    assert str(error).startswith(reason)
    assert len(str(error)) < 300
    assert not error.gone


def test_an_answer_that_was_cut_off_says_so() -> None:
    assert "cut off" in str(refusal(said('{"mood": "ca', finish_reason="length")))


@pytest.mark.parametrize("content", ['```json\n{"mood": "calm"}\n```', 'Here {it} is: {"mood": "calm"} I hope.'])
def test_an_object_in_the_midst_of_words_is_an_answer(content: str) -> None:
    with serving(said(content)) as server:
        assert Chat("some", server.url).ask("Which mood?", MOOD) == {"mood": "calm"}


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"choices": []}', '{"choices": [{"message": null}]}'])
def test_a_reply_that_is_not_of_a_chat_is_refused(text: str) -> None:
    assert str(refusal((200, text))).startswith("the server's reply is not a chat completion: ")


def test_a_refused_request_tells_the_servers_own_reason() -> None:
    error = refusal((400, '{"error": {"code": 400, "message": "Failed to load image"}}'))
    assert str(error) == "the server answers with status 400: Failed to load image"
    assert not error.gone
    assert refusal((401, "who are you")).gone


def test_a_servers_words_do_not_control_a_terminal() -> None:
    """Not its reasons, not its answers, not the name of its model."""
    assert str(refusal((400, '{"error": {"message": "\\u001b[2J\\nno\\u009b"}}'))).endswith(": [2J no")
    assert "\x1b" not in str(refusal(said("\x1b[31mred")))
    with serving(said("{}"), {"/v1/models": (200, '{"data": [{"id": "a\\u001bb"}]}')}) as server:
        assert Remote(server.url).name("text") == "a b"


@pytest.mark.parametrize("about", ["null", '"qwen2"', "[]", "{}"])
def test_a_server_may_say_what_it_likes_of_its_architecture(about: str) -> None:
    models = f'{{"data": [{{"id": "m", "architecture": {about}}}]}}'
    with serving(said("{}"), {"/v1/models": (200, models)}) as server:
        assert Remote(server.url).name("vision") == "m"


def test_a_reply_of_brackets_without_end_is_refused() -> None:
    assert "not a chat completion" in str(refusal((200, "[" * 200_000)))
    assert "status 400" in str(refusal((400, "[" * 200_000)))


def test_a_redirect_is_not_followed() -> None:
    with serving(said('{"mood": "stolen"}')) as other:
        error = refusal((307, other.url + "/v1/chat/completions"))
    assert "status 307" in str(error)
    assert not other.seen


def test_a_server_that_still_loads_is_asked_again_until_it_answers() -> None:
    def answer(body: dict[str, Any], count: int) -> Reply:
        return said('{"mood": "calm"}') if count == 4 else (503, '{"error": {"message": "Loading model"}}')

    with serving(answer) as server:
        assert Chat("some", server.url).ask("Which mood?", MOOD) == {"mood": "calm"}
    assert len(server.asked) == 4


@pytest.mark.parametrize("hangs", [False, True])
def test_a_server_that_loads_for_good_ends_patience_and_is_not_gone(hangs: bool) -> None:
    """Also where patience ends in the middle of a question: its last reply says more than that it had none."""
    release = threading.Event()

    def answer(body: dict[str, Any], count: int) -> Reply:
        if hangs and count > 1:
            release.wait(GIVE_UP)
        return 503, '{"error": {"message": "Loading model"}}'

    error = refusal(answer, patience=2)
    release.set()
    assert str(error) == "the server answers with status 503: Loading model"
    assert not error.gone


def test_a_question_on_which_the_server_hangs_ends_with_patience_and_the_next_is_answered() -> None:
    release = threading.Event()

    def answer(body: dict[str, Any], count: int) -> Reply:
        if count == 1:
            release.wait(GIVE_UP)
        return said('{"mood": "calm"}')

    with serving(answer) as server:
        chat = Chat("some", server.url)
        with pytest.raises(NoAnswer, match=r"no answer within \d+ s") as caught:
            chat.ask("Which mood?", MOOD, patience=1)
        assert not release.is_set()
        assert not caught.value.gone
        assert chat.ask("Which mood?", MOOD, patience=5) == {"mood": "calm"}
        release.set()


def test_a_server_that_is_not_there_is_gone() -> None:
    with serving(said("{}")) as server:
        pass
    with pytest.raises(NoAnswer, match="the server broke the connection") as caught:
        Chat("some", server.url).ask("Which mood?", MOOD)
    assert caught.value.gone


def test_what_a_server_refuses_by_name_is_left_out_and_the_schema_is_then_told_in_words() -> None:
    def answer(body: dict[str, Any], count: int) -> Reply:
        for key in ("cache_prompt", "response_format"):
            if key in body:
                return 400, json.dumps({"error": {"message": f"Unrecognized request argument: {key}"}})
        return said('{"mood": "calm"}')

    with serving(answer) as server:
        assert Chat("some", server.url).ask("Which mood?", MOOD) == {"mood": "calm"}
    assert len(server.asked) == 3
    assert "minLength" in server.asked[-1]["messages"][-1]["content"]


def test_the_environments_proxy_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(said('{"mood": "calm"}')) as server:
        assert Chat("some", server.url).ask("Which mood?", MOOD) == {"mood": "calm"}


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_a_running_server_serves_with_the_model_it_names(suffix: str) -> None:
    with serving(said('{"mood": "calm"}')) as server:
        models = choose_models(None, server.url + suffix, print)
        assert models is not None
        assert (models.name("vision"), models.identity("text")) == ("some-model-7b", "served:Org/Some-Model-7B")
        with models.open("vision") as chat:
            assert chat.slots == 4
            assert chat.ask("Which mood?", MOOD) == {"mood": "calm"}
    assert server.asked[0]["model"] == "Org/Some-Model-7B"


def test_a_llama_cpp_that_runs_says_how_many_it_serves_and_whether_it_sees() -> None:
    blind = '{"data": [{"id": "m.gguf", "architecture": {"input_modalities": ["text"]}}]}'
    with serving(said("{}"), {"/v1/models": (200, blind), "/props": (200, '{"total_slots": 2}')}) as server:
        models = Remote(server.url)
        assert (models.name("text"), models.name("vision"), models.identity("vision")) == ("m", None, None)
        with models.open("text") as chat:
            assert chat.slots == 2
        with pytest.raises(Stop, match="is not one for vision"), models.open("vision"):
            pass


def test_the_key_goes_to_the_server_and_into_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "secret")
    with serving(said('{"mood": "calm"}')) as server:
        with Remote(server.url).open("text") as chat:
            chat.ask("Which mood?", MOOD)
        assert "secret" not in repr(chat)
    assert server.seen
    assert all(headers["Authorization"] == "Bearer secret" for _, headers in server.seen)


def test_a_password_in_the_url_is_used_and_not_shown() -> None:
    with serving(said("{}"), {}) as server:
        url = server.url.replace("//", "//me:hidden@")
        with pytest.raises(Stop) as caught:
            choose_models(None, url, print)
    assert server.seen[0][1]["Authorization"] == "Basic " + base64.b64encode(b"me:hidden").decode()
    assert "hidden" not in str(caught.value.diagnostics)


@pytest.mark.parametrize(
    ("status", "text"), [(404, ""), (200, "<html>"), (200, '{"data": []}'), (200, '{"data": [{"id": 3}]}'), (401, "")]
)
def test_a_url_where_no_model_is_served_is_an_error_at_once(status: int, text: str) -> None:
    with serving(said("{}"), {"/v1/models": (status, text)}) as server, pytest.raises(Stop) as caught:
        choose_models(None, server.url, print)
    assert caught.value.diagnostics[0].code == "option"


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://a/", "http://", "http://a:b/", "http://a/?key=1"])
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(Stop, match="is not of the form http://host:port"):
        Remote(url)


def test_a_url_that_nobody_serves_is_an_error_at_once() -> None:
    with serving(said("{}")) as server:
        pass
    with pytest.raises(Stop, match=f"there is no server at {server.url}"):
        choose_models(None, server.url, print)


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["text", "head"])
def test_a_server_that_sends_a_byte_now_and_then_is_late(begins: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """No single wait for it is long."""
    stop = threading.Event()

    class Dripping(Handler):
        def do_GET(self) -> None:
            if begins:
                self.wfile.write(begins)
            else:
                self.send_response(200)
                self.end_headers()
            while not stop.wait(0.05):
                self.wfile.write(b" ")

        do_POST = do_GET

    monkeypatch.setattr(remote, "_PATIENCE", 1)
    with closing(Loopback(Dripping)) as server:
        with pytest.raises(Stop, match="does not answer within 1 s"):
            Remote(server.url).identity("text")
        monkeypatch.setattr(chat, "_ALIVE", 0.5)
        with pytest.raises(NoAnswer, match="no answer within"):
            Chat("some", server.url).ask("Which mood?", MOOD, patience=1)
        stop.set()


def test_a_server_that_sends_without_end_is_not_read_to_its_end() -> None:
    class Endless(Handler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b" " * 65536)

    with closing(Loopback(Endless)) as server, pytest.raises(Stop, match="the server's reply is too long"):
        Remote(server.url).identity("text")


@pytest.mark.parametrize(
    "content",
    [
        "{'mood': {1, 2}}",
        "{'mood': b'grim'}",
        "{'mood': 'grim'",
        "{mood: grim}",
        "{'mood': __import__('os')}",
        "{" * 5000,
    ],
)
def test_what_only_looks_like_an_answer(content: str) -> None:
    with serving(lambda question, count: said(content)) as server, pytest.raises(NoAnswer):
        Chat("m", server.url).ask("?", MOOD)
