"""Sentences as vectors, by all-MiniLM-L6-v2 (Reimers & Gurevych 2019, Sentence-BERT) on the CPU, loaded at first use.

    texts ─ sentence-transformers on torch ─ or, without torch, onnxruntime ─► unit vectors

The ONNX copy has 8-bit weights and takes 52 MB; torch takes 0.7 GB or more. `minilm_vocab.txt` is BERT's vocabulary
(uncased, Apache-2.0), which that copy lacks.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cinecut.diagnostics import Stop
from cinecut.download import sha256
from cinecut.inference.models import (
    ONNX_SHA256,
    WITH_TORCH,
    WITHOUT_TORCH,
    find_minilm,
    find_onnx_minilm,
    minilm_engine,
)

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]  # [shape=(texts, 384)], each row of length 1

_THREADS = 2  # more do not make so small a model faster
_BATCH = 32  # texts
_WORDS = 256  # word pieces of a text that are used, as in the model's own configuration


def encode(texts: Sequence[str]) -> Vectors:
    """The texts as unit vectors. Raises Stop("model")."""
    match minilm_engine():
        case "sentence-transformers":
            return _by_torch(texts)
        case "onnxruntime":
            return _onnx_model()(list(texts))
    if find_minilm() is None:
        raise Stop("model", "MiniLM is not on this machine", "`cinecut models pull minilm` fetches it", WITHOUT_TORCH)
    raise Stop("model", "MiniLM is there, but sentence-transformers is not installed", WITH_TORCH, WITHOUT_TORCH)


def _by_torch(texts: Sequence[str]) -> Vectors:
    model = torch_model()
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(min(_THREADS, os.cpu_count() or 1, len(texts)))  # a question alone waits for no second one
    try:
        vectors = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    finally:
        torch.set_num_threads(threads)
    return np.asarray(vectors, np.float32)


@cache
def torch_model() -> SentenceTransformer:
    """The model from its folder on this disk, never from the network. Raises Stop("model")."""
    folder = find_minilm()
    try:
        with _quiet():
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except Exception as failure:  # a broken folder can fail in any of three libraries
        raise _not_loaded(folder, failure) from failure


def _not_loaded(place: Path | None, failure: Exception) -> Stop:
    reason = str(failure).partition("\n")[0] or type(failure).__name__
    return Stop("model", f"MiniLM cannot be loaded from {place}: {reason}")


@cache
def _onnx_model() -> Callable[[list[str]], Vectors]:
    """The packaged ONNX copy as a function. Raises Stop("model")."""
    import onnxruntime
    from tokenizers import BertWordPieceTokenizer

    weights = find_onnx_minilm()
    assert weights is not None  # `minilm_engine` has checked it
    if sha256(weights) != ONNX_SHA256:
        raise Stop("model", f"{weights} is not the file that cinecut knows", "reinstall 'cinecut[models-onnx]'")
    try:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(_THREADS, os.cpu_count() or 1)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leave the cores to others
        session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    except Exception as failure:  # its exceptions have no common type
        raise _not_loaded(weights, failure) from failure
    tokenizer = BertWordPieceTokenizer(str(Path(__file__).with_name("minilm_vocab.txt")), lowercase=True)
    tokenizer.enable_truncation(_WORDS)
    tokenizer.enable_padding()

    def batch(texts: list[str]) -> Vectors:
        """The mean over the words of each text, normalised to length 1."""
        encodings = tokenizer.encode_batch(texts)
        ids = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        words = np.asarray(session.run(None, inputs)[0])  # [shape=(texts, words, 384)]
        means = (words * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)

    def model(texts: list[str]) -> Vectors:
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # so that little padding is needed
        vectors = np.empty((len(texts), 384), np.float32)
        for start in range(0, len(texts), _BATCH):
            part = order[start : start + _BATCH]
            vectors[part] = batch([texts[index] for index in part])
        return vectors

    return model


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the libraries' log lines and progress bars."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        bars = importlib.import_module("transformers.utils.logging")
        shown = bars.is_progress_bar_enabled()
        bars.disable_progress_bar()
        try:
            yield
        finally:
            if shown:
                bars.enable_progress_bar()
    finally:
        logging.disable(before)
