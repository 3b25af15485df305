"""Which models lie on a disk, by whatever names, what their heads say, and a projector mended for real servers."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest
from commandline import cinecut, names

from cinecut.diagnostics import Stop
from cinecut.inference.gguf_files import NotGGUF, mend, needs_mending, read_head
from cinecut.inference.inventory import inventory
from cinecut.inference.models import ModelFiles, find_minilm, find_model, models_folder

gguf = pytest.importorskip("gguf", reason="the extra `models` is not installed")
from tiny_llava import write_tiny_llava  # noqa: E402 - needs gguf

LLAVA = ("llava-v1.5-7b-q4_k.gguf", "llava-v1.5-7b-mmproj-f16.gguf")
MISTRAL = "Mistral-7B-Instruct-v0.3-Q4_K_M.gguf"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models folder, empty."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("CINECUT_MODELS_DIR", str(folder))
    return folder


def lay(folder: Path, *files: str) -> None:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def without_type(source: Path, target: Path) -> Path:
    """The projector as it was first uploaded, written anew by the format's own library."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, "clip")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "clip.projector_type"):
            continue
        inner = field.types[-1] if field.types[0] is gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), field.types[0], inner)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


# Where models are


def test_the_chosen_folder_comes_first(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    lay(home / "models", MISTRAL)
    assert models_folder() == folder
    monkeypatch.delenv("CINECUT_MODELS_DIR")
    assert models_folder() == home / "models"
    (home / "models" / MISTRAL).rename(home / "models" / "notes.txt")
    assert models_folder() == home / "data" / "cinecut" / "models"


@pytest.mark.parametrize(
    ("files", "weights", "mmproj", "name"),
    [
        (LLAVA, *LLAVA, "llava"),
        (("ggml-model-q4_k.gguf", "mmproj-model-f16.gguf"), "ggml-model-q4_k.gguf", "mmproj-model-f16.gguf", "llava"),
        (("x/llava/weights.gguf", "a.gguf"), None, None, ""),  # two folders down
        (("llava/q4.gguf", "llava/mmproj.gguf", MISTRAL), "llava/q4.gguf", "llava/mmproj.gguf", "llava"),
        ((LLAVA[0],), None, None, ""),  # blind
        ((LLAVA[1], MISTRAL), None, None, ""),
        (("Qwen2-VL.gguf", "mmproj-Qwen2-VL.gguf"), "Qwen2-VL.gguf", "mmproj-Qwen2-VL.gguf", "qwen2-vl"),
        (("Aya.gguf", *LLAVA), *LLAVA, "llava"),
    ],
)
def test_what_sees_is_weights_with_a_projector(
    folder: Path, files: tuple[str, ...], weights: str | None, mmproj: str | None, name: str
) -> None:
    lay(folder, *files)
    expected = ModelFiles(name, folder / weights, folder / mmproj) if weights and mmproj else None
    assert find_model("vision") == expected


def test_each_of_two_models_gets_its_own_projector(folder: Path) -> None:
    lay(folder, *LLAVA, "llava-v1.6-vicuna-13b.gguf", "llava-v1.6-vicuna-13b-mmproj.gguf", "mmproj-other.gguf")
    assert find_model("vision") == ModelFiles("llava", folder / LLAVA[0], folder / LLAVA[1])
    (folder / LLAVA[0]).unlink()
    found = find_model("vision")
    assert found is not None
    assert found.mmproj == folder / "llava-v1.6-vicuna-13b-mmproj.gguf"


@pytest.mark.parametrize(
    ("files", "weights", "name"),
    [
        ((MISTRAL,), MISTRAL, "mistral"),
        (("mistral-7b-instruct-v0.2.Q4_K_M.gguf",), "mistral-7b-instruct-v0.2.Q4_K_M.gguf", "mistral"),
        (("SmolLM2-135M-Instruct.Q4_1.gguf", MISTRAL), MISTRAL, "mistral"),
        (("SmolLM2-135M-Instruct.Q4_1.gguf",), "SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct.q4_1"),
        (("gemma-3-4b-it-q4_0.gguf",), "gemma-3-4b-it-q4_0.gguf", "gemma-3-4b-it-q4_0"),
        (("llama-2-7b-chat/q4-00001-of-00002.gguf",), None, ""),  # the file itself does not say it
        (("an-it-00001-of-00002.gguf", "an-it-00002-of-00002.gguf"), "an-it-00001-of-00002.gguf", ""),
        (("mistral-7b-v0.1.gguf", "nomic-embed.gguf", *LLAVA), None, ""),  # none that follows instructions
        ((MISTRAL + ".part",), None, ""),
    ],
)  # fmt: skip
def test_what_reads_follows_instructions(folder: Path, files: tuple[str, ...], weights: str | None, name: str) -> None:
    lay(folder, *files)
    found = find_model("text")
    assert (found and found.weights) == (folder / weights if weights else None)
    assert found is None or found.name == name or not name


def test_an_unreadable_or_absent_folder_holds_no_model(folder: Path) -> None:
    folder.rmdir()
    assert find_model("vision") is None
    folder.write_text("a file", encoding="utf-8")
    assert find_model("text") is None


def test_a_folder_that_cannot_be_looked_into_holds_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINECUT_MODELS_DIR", str(tmp_path / ("long" * 100)))
    assert find_model("text") is None
    states = {held.name: held.state for held in inventory(models_folder(), verify=True)}
    assert states["llava"] == states["mistral"] == "not fetched"


def test_the_identity_of_a_model_changes_with_its_bytes(folder: Path) -> None:
    lay(folder, *LLAVA)
    found = find_model("vision")
    assert found is not None
    before = found.identity
    assert LLAVA[0] in before
    assert find_model("vision") == found
    assert found.identity == before
    (folder / LLAVA[1]).write_bytes(b"another projector")
    assert found.identity != before


def test_minilm_is_taken_from_the_models_folder_the_hubs_cache_or_the_package(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    packaged = find_minilm()
    assert packaged is None or "site-packages" in packaged.parts

    files = ("config.json", "modules.json", "tokenizer.json", "1_Pooling/config.json", "model.safetensors")
    cache = tmp_path / "hub-home" / "hub" / "models--sentence-transformers--all-MiniLM-L6-v2"
    lay(cache / "snapshots" / "abc", *files[:-1])
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc", encoding="utf-8")
    assert find_minilm() == packaged  # the weights are still lacking
    lay(cache / "snapshots" / "abc", files[-1])
    assert find_minilm() == cache / "snapshots" / "abc"
    lay(folder / "all-MiniLM-L6-v2", *files)
    assert find_minilm() == folder / "all-MiniLM-L6-v2"


# The heads of GGUF files


def test_a_head_is_read_as_the_formats_own_library_reads_it(tmp_path: Path) -> None:
    for path in write_tiny_llava(tmp_path):
        head, reader = read_head(path), gguf.GGUFReader(path)
        fields = {name: field for name, field in reader.fields.items() if not name.startswith("GGUF.")}
        assert head.metadata.keys() == fields.keys()
        for name, field in fields.items():
            expected = len(field.data) if field.types[0] is gguf.GGUFValueType.ARRAY else field.contents()
            assert head.metadata[name] == expected
        assert head.tensors == {tensor.name: tensor.data_offset for tensor in reader.tensors}
        assert not head.truncated


def test_a_file_cut_anywhere_is_noticed(tmp_path: Path) -> None:
    """Within the head as no GGUF, behind it as cut short; only the last tensor's own end is not looked at."""
    weights, _ = write_tiny_llava(tmp_path)
    data, head = weights.read_bytes(), read_head(weights)
    last = max(head.tensors.values())
    for length in [*range(0, head.infos_end, 97), head.infos_end - 1]:
        weights.write_bytes(data[:length])
        with pytest.raises(NotGGUF):
            read_head(weights)
    for length in (head.infos_end, head.data_start, (head.data_start + last) // 2, last):
        weights.write_bytes(data[:length])
        assert read_head(weights).truncated
        with pytest.raises(Stop, match="cut short"):
            ModelFiles("llava", weights).verify()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>not found</html>" * 9,
        struct.pack("<4sIQQ", b"GGUF", 1, 0, 0),
        struct.pack(">4sIQQ", b"GGUF", 3, 0, 0),
        struct.pack("<4sIQQ", b"GGUF", 3, 2**63, 2**63),
        struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, 2**62),
        struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 9, 2**40),  # an array of arrays
        struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 8, 2**62),  # an endless array of texts
        struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 10, 2**62),
        struct.pack("<4sIQQQ2sI", b"GGUF", 3, 0, 1, 2, b"\xff\xfe", 0),
        struct.pack("<4sIQQQ17sII", b"GGUF", 3, 0, 1, 17, b"general.alignment", 4, 0),
    ],
)
def test_what_is_no_gguf_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    with pytest.raises(NotGGUF):
        read_head(path)
    with pytest.raises(Stop, match=r"no GGUF file") as stop:
        ModelFiles("model", path).verify()
    assert stop.value.diagnostics[0].code == "model"


# Mending


def test_a_mended_projector_is_the_original_and_its_type(tmp_path: Path) -> None:
    _, whole = write_tiny_llava(tmp_path)
    old = without_type(whole, tmp_path / "old-mmproj.gguf")
    before = old.read_bytes()
    assert needs_mending(old)
    mended = mend(old)
    assert mended == tmp_path / "old-mmproj.mended.gguf"
    assert old.read_bytes() == before
    assert not needs_mending(old)
    assert not needs_mending(mended)

    original, copy = gguf.GGUFReader(old), gguf.GGUFReader(mended)
    assert copy.fields["clip.projector_type"].contents() == "mlp"
    fields = [name for name in original.fields if not name.startswith("GGUF.")]
    assert [name for name in copy.fields if not name.startswith("GGUF.")] == [*fields, "clip.projector_type"]
    assert all(copy.fields[name].contents() == original.fields[name].contents() for name in fields)
    assert [t.name for t in copy.tensors] == [t.name for t in original.tensors]
    assert all((a.data == b.data).all() for a, b in zip(copy.tensors, original.tensors, strict=True))


def test_a_mended_copy_is_preferred_and_an_unmended_one_refused(folder: Path) -> None:
    _, whole = write_tiny_llava(folder)
    without_type(whole, folder / "old.gguf").replace(whole)
    found = find_model("vision")
    assert found is not None
    with pytest.raises(Stop) as stop:
        found.verify()
    assert stop.value.diagnostics[0].hints == ("cinecut models repair writes a repaired copy beside it",)
    mended = mend(whole)
    found = find_model("vision")
    assert found is not None
    assert found.mmproj == mended
    found.verify()


def test_a_server_takes_the_mended_copy_and_not_the_original(tmp_path: Path) -> None:
    """Said by llama.cpp itself."""
    server = pytest.importorskip("cinecut.inference.server", reason="no server")
    pytest.importorskip("xllamacpp", reason="the extra `models` is not installed")
    weights, whole = write_tiny_llava(tmp_path)
    without_type(whole, tmp_path / "old.gguf").replace(whole)

    def serve(files: ModelFiles) -> str:
        local = server.Local(server.find_server() or [], lambda holder: None, lambda part: files)
        with local.open("vision") as chat:
            return str(chat.name)

    class Unchecked(ModelFiles):
        def verify(self) -> None:
            pass

    with pytest.raises(Stop):
        serve(Unchecked("llava", weights, whole))
    assert serve(ModelFiles("llava", weights, mend(whole))) == "llava"


def test_only_a_llava_projector_is_mended(tmp_path: Path) -> None:
    weights, whole = write_tiny_llava(tmp_path)
    for path in (weights, whole):
        with pytest.raises(Stop, match="nothing to repair"):
            mend(path)
    other = without_type(whole, tmp_path / "other-mmproj.gguf")
    other.write_bytes(other.read_bytes().replace(b"mm.2.weight", b"mm.9.weight"))
    with pytest.raises(Stop, match="nothing to repair"):
        mend(other)
    old = without_type(whole, tmp_path / "cut-mmproj.gguf")
    os.truncate(old, read_head(old).data_start)
    with pytest.raises(Stop, match="cut short"):
        mend(old)
    assert not any("mended" in name for name in names(tmp_path))


def test_repair_mends_what_needs_it_once(folder: Path, tmp_path: Path) -> None:
    _, whole = write_tiny_llava(folder)
    assert cinecut("models", "repair", cwd=tmp_path).stdout == "nothing to repair\n"
    without_type(whole, tmp_path / "old.gguf").replace(whole)
    done = cinecut("models", "repair", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "llava-tiny-mmproj.mended.gguf" in done.stdout
    assert cinecut("models", "repair", cwd=tmp_path).stdout == "nothing to repair\n"
    done = cinecut("models", "repair", tmp_path / "absent.gguf", cwd=tmp_path)
    assert done.returncode == 1
    assert "there is no file" in done.stderr


# What is there


def test_the_inventory_shows_models_under_other_names(folder: Path) -> None:
    weights, whole = write_tiny_llava(folder)
    lay(folder, MISTRAL + ".part")
    found = {held.name: held for held in inventory(folder)}
    assert (found["llava"].title, found["llava"].state) == ("llava-tiny.gguf", "ready")
    assert found["llava"].size == sum(path.stat().st_size for path in folder.glob("llava*"))
    assert found["mistral"].state == "fetched in part"
    without_type(whole, folder / "old.gguf").replace(whole)
    assert state_of("llava", folder) == (False, "llava-tiny-mmproj.gguf needs models repair")
    os.truncate(whole, read_head(whole).data_start)
    assert state_of("llava", folder) == (False, "llava-tiny-mmproj.gguf is cut short")
    weights.write_text("not found", encoding="utf-8")
    assert state_of("llava", folder) == (False, "llava-tiny.gguf is no GGUF file")


def state_of(name: str, folder: Path) -> tuple[bool, str]:
    (held,) = [held for held in inventory(folder) if held.name == name]
    return held.ready, held.state


def test_the_list_is_for_people_and_for_programs(folder: Path, tmp_path: Path) -> None:
    write_tiny_llava(folder)
    done = cinecut("models", "list", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0][0] == "model"
    assert ["mistral", "Apache-2.0", "not fetched"] in [[row[0], row[2], row[3]] for row in rows]
    said = json.loads(cinecut("models", "list", "--json", "--verify", cwd=tmp_path).stdout)
    assert said["folder"] == str(folder)
    (llava,) = [model for model in said["models"] if model["name"] == "llava"]
    assert (llava["ready"], llava["checksum"], llava["where"]) == (True, "unknown", str(folder))
