"""The schema in the editors' own language server, and in the validators that others run over specs."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commandline import cinecut

from cinecut.language.schema import bundled, schema_file

pytestmark = pytest.mark.slow

EDITOR = Path(sys.prefix) / "editor" / "node_modules"  # where `make test-slow` puts it
HEAD = "# yaml-language-server: $schema={schema}\ncinecut: 1\nfilm: film.mp4\n"
SETTINGS = {"schemaStore": {"enable": False}, "completion": True, "validate": True}
RIGHT = "timeline: [black: 1s]\n"


class Server:
    """A yaml-language-server, spoken to as an editor does."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.folder, self.calls, self.files = folder, 0, 0
        completion = {"completionItem": {"snippetSupport": True}}
        capabilities = {"textDocument": {"completion": completion}, "workspace": {"configuration": True}}
        self.call("initialize", processId=None, rootUri=folder.as_uri(), capabilities=capabilities)
        self.send({"method": "initialized", "params": {}})

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        size = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        assert size, "the server ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(size))
        if "method" in message and "id" in message:  # it asks for settings, and to be told of changes
            items = message["params"].get("items", [])
            self.send({"id": message["id"], "result": [SETTINGS if i.get("section") == "yaml" else {} for i in items]})
        return message

    def call(self, method: str, **params: Any) -> Any:
        self.calls += 1
        self.send({"method": method, "params": params, "id": self.calls})
        while (message := self.read()).get("id") != self.calls or "method" in message:
            pass
        return message["result"]

    def open(self, text: str) -> tuple[str, dict[int, str]]:
        """A new file's address, and what is flagged in it, by lines from 0."""
        self.files += 1
        uri = (self.folder / f"{self.files}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while (message := self.read()).get("method") != "textDocument/publishDiagnostics":
            pass
        return uri, {each["range"]["start"]["line"]: each["message"] for each in message["params"]["diagnostics"]}

    def offered(self, text: str) -> dict[str, str]:
        """What completes at the place of `|`: the label, and what is typed for it."""
        before, _, after = text.partition("|")
        uri, _ = self.open(before + after)
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        found = self.call("textDocument/completion", textDocument={"uri": uri}, position=place)
        return {item["label"]: item.get("insertText", item["label"]) for item in found["items"]}


@pytest.fixture(scope="module", params=["bundled", "checkout"])
def editor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """The server, and the first lines of a spec: beside the schema that `cinecut schema` writes, or in a checkout."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = EDITOR / "yaml-language-server" / "bin" / "yaml-language-server"
    if not script.is_file():
        pytest.skip("yaml-language-server is not installed; `make test-slow` does that where npm is")
    folder = tmp_path_factory.mktemp("specs")
    schema = "trailer-1.schema.json"
    if request.param == "bundled":
        assert cinecut("schema", "-o", schema, cwd=folder).returncode == 0
    else:
        schema = str(schema_file("trailer-1"))
    server = Server([node, str(script), "--stdio"], folder)
    yield server, HEAD.format(schema=schema)
    server.process.kill()
    server.process.communicate()


def test_words_complete(editor: tuple[Server, str]) -> None:
    server, head = editor
    assert {"thriller", "drama"} <= server.offered(f"{head}vibe: |\n{RIGHT}").keys()
    assert {"braam", "riser"} <= server.offered(f"{head}timeline:\n  - black: 1s\n    sound: |\n").keys()
    assert {"braam", "riser"} <= server.offered(f"{head}timeline:\n  - black: 1s\n    sound:\n      - |\n").keys()
    assert {"braam", "riser"} <= server.offered(f"{head}timeline:\n  - black: 1s\n    sound: {{effect: |}}\n").keys()
    assert {"vibe", "none"} <= server.offered(f"{head}effects: |\n{RIGHT}").keys()
    assert {"cut", "crossfade 1.5s"} <= server.offered(f"{head}timeline:\n  - black: 1s\n    from: |\n").keys()
    assert {"h264", "prores"} <= server.offered(f"{head}output:\n  codec: |\n{RIGHT}").keys()


@pytest.mark.parametrize(
    "place",
    [
        "output:\n  |\ntimeline: [black: 1s]\n",
        "mix:\n  |\ntimeline: [black: 1s]\n",
        "music:\n  |\ntimeline: [black: 1s]\n",
        "timeline:\n  - shot: 0 - 1\n    |\n",
        "timeline:\n  - black: 1s\n    sound:\n      - |\n",
        "|",
    ],
)
def test_no_key_brings_a_value_that_nobody_typed(editor: tuple[Server, str], place: str) -> None:
    server, head = editor
    found = server.offered(head + place)
    assert found
    if "schema=trailer" in head:
        typed = {key: text.partition(":")[2] for key, text in found.items() if ":" in text}
        assert typed
        assert not [key for key, text in typed.items() if re.search(r"(?<![$\d])\d", text)]
    else:
        assert found.get("crf", "crf: ") == "crf: "


@pytest.mark.parametrize(
    "wrong",
    [
        "timeline:\n  - shot: 0:16 to\n",
        "timeline:\n  - black: 1 hour\n",
        "timeline:\n  - card: A\n    for: 2 betas\n",
        "timeline:\n  - black: 1s\n    from: crossfad 1s\n",
        "timeline:\n  - black: 1s\n    sound: brahm\n",
        "timeline:\n  - black: 1s\n    spede: 2\n",
        "timeline: [black: 1s]\noutput: {size: '1280'}\n",
        "timeline: [black: 1s]\noutput: {rate: 24 fps}\n",
        "timeline: [black: 1s]\nvibe: thriler\n",
    ],
)
def test_mistakes_are_flagged_at_their_line(editor: tuple[Server, str], wrong: str) -> None:
    server, head = editor
    _, flagged = server.open(head + wrong)
    assert list(flagged) == [(head + wrong).count("\n") - 1]


def test_nothing_right_is_flagged(editor: tuple[Server, str]) -> None:
    server, head = editor
    for spec in sorted((Path(__file__).parents[2] / "specs").glob("*.yaml")):
        text = "".join(line for line in spec.read_text(encoding="utf-8").splitlines(True) if "$schema" not in line)
        assert server.open(head.partition("\n")[0] + "\n" + text)[1] == {}, spec


def test_a_strict_validator_takes_the_schema(editor: tuple[Server, str], tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(bundled(), encoding="utf-8")
    (tmp_path / "try.js").write_text(
        "const Ajv = require(process.argv[2] + '/ajv/dist/2020').default;\n"
        "const valid = new Ajv().compile(require('./schema.json'));\n"
        "const spec = black => ({cinecut: 1, film: 'film.mp4', timeline: [{black}]});\n"
        "console.log(valid(spec('1s')), valid(spec('1 hour')));\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["node", "try.js", str(EDITOR)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    assert done.stdout == b"true false\n"


def test_check_jsonschema_takes_it_too(tmp_path: Path) -> None:
    if importlib.util.find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema is not installed; `make test-slow` does that")
    (tmp_path / "schema.json").write_text(bundled(), encoding="utf-8")
    for length, status in (("1s", 0), ("1 hour", 1)):
        spec = f"cinecut: 1\nfilm: film.mp4\ntimeline: [black: {length}]\n"
        (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", "--schemafile", "schema.json", "spec.yaml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "Schema validation errors" in done.stdout) == (status, bool(status)), done.stdout
