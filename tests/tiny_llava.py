"""A LLaVA of one megabyte, made by recipe: random weights in the files of a real one. It loads in every llama.cpp
server and sees pictures; what it says is nonsense, in the form that a schema asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

_WIDTH, _BLOCKS, _HEADS, _FEED = 64, 2, 4, 128  # of the text model; the vision model has the same
_IMAGE, _PATCH = 112, 14  # pixels

Draw = Callable[..., NDArray[np.float32]]


def write_tiny_llava(folder: Path, seed: int = 1) -> tuple[Path, Path]:
    """Weights and projector in `folder`, under names by which a LLaVA is recognised."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 0.3, shape).astype(np.float32)

    weights, mmproj = folder / "llava-tiny.gguf", folder / "llava-tiny-mmproj.gguf"
    _write_text(weights, draw)
    write_projector(mmproj, draw, _WIDTH)
    return weights, mmproj


def _write_text(path: Path, draw: Draw) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_BLOCKS)
    writer.add_feed_forward_length(_FEED)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = _add_vocabulary(writer)
    output = draw(tokens, _WIDTH)
    output[3 : 3 + 256] = 0  # bytes: else it would say what is no text
    tensors = {"token_embd": draw(tokens, _WIDTH), "output_norm": np.ones(_WIDTH, np.float32), "output": output}
    for block in range(_BLOCKS):
        at = f"blk.{block}."
        tensors |= {at + name: np.ones(_WIDTH, np.float32) for name in ("attn_norm", "ffn_norm")}
        tensors |= {at + f"attn_{name}": draw(_WIDTH, _WIDTH) for name in ("q", "k", "v", "output")}
        tensors |= {at + f"ffn_{name}": draw(_FEED, _WIDTH) for name in ("gate", "up")}
        tensors[at + "ffn_down"] = draw(_WIDTH, _FEED)
    _write(writer, {f"{name}.weight": tensor for name, tensor in tensors.items()})


def _add_vocabulary(writer: gguf.GGUFWriter) -> int:
    """Bytes and ASCII; how many tokens that makes."""
    kinds = gguf.TokenType
    special = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    single = [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    signs = [(chr(code), kinds.NORMAL) for code in range(33, 127)] + [("▁", kinds.NORMAL)]
    tokens = special + single + signs
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:")
    return len(tokens)


def write_projector(path: Path, draw: Draw, text_width: int) -> None:
    """The vision half; `text_width` says whose text model it fits."""
    writer = gguf.GGUFWriter(path, "clip")
    for key in ("clip.has_vision_encoder", "clip.has_llava_projector", "clip.use_gelu"):
        writer.add_bool(key, True)
    writer.add_string("clip.projector_type", "mlp")
    whole = {"image_size": _IMAGE, "patch_size": _PATCH, "embedding_length": _WIDTH, "feed_forward_length": _FEED}
    whole |= {"projection_dim": _WIDTH, "block_count": _BLOCKS, "attention.head_count": _HEADS}
    for key, number in whole.items():
        writer.add_uint32(f"clip.vision.{key}", number)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    writer.add_array("clip.vision.image_mean", [0.48, 0.46, 0.41])
    writer.add_array("clip.vision.image_std", [0.27, 0.26, 0.28])
    patches = (_IMAGE // _PATCH) ** 2
    tensors = {
        "v.class_embd": draw(_WIDTH),
        "v.patch_embd.weight": draw(_WIDTH, 3, _PATCH, _PATCH),
        "v.position_embd.weight": draw(patches + 1, _WIDTH),
        "mm.0.weight": draw(text_width, _WIDTH),
        "mm.0.bias": draw(text_width),
        "mm.2.weight": draw(text_width, text_width),
        "mm.2.bias": draw(text_width),
    }
    shapes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_out"), (_WIDTH, _WIDTH))
    shapes |= {"ffn_up": (_FEED, _WIDTH), "ffn_down": (_WIDTH, _FEED)}
    norms = ["v.pre_ln", *(f"v.blk.{block}.{name}" for block in range(_BLOCKS) for name in ("ln1", "ln2"))]
    for name in norms:
        tensors |= {f"{name}.weight": np.ones(_WIDTH, np.float32), f"{name}.bias": np.zeros(_WIDTH, np.float32)}
    for block in range(_BLOCKS):
        for name, shape in shapes.items():
            tensors |= {f"v.blk.{block}.{name}.weight": draw(*shape), f"v.blk.{block}.{name}.bias": draw(shape[0])}
    _write(writer, tensors)


def _write(writer: gguf.GGUFWriter, tensors: dict[str, NDArray[np.float32]]) -> None:
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
