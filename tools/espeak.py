"""One sentence by espeak-ng: JSON with library, text, voice and speed in; JSON with the sample rate and the words, a
new line, and samples of 16 bits out.

It is a program of its own, since the library's noise goes on from sentence to sentence and cannot be set back: in one
process, a sentence's sound depends on what was said before it.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_WORD, _SYNCHRONOUS, _SPEED = 1, 2, 1  # an event; samples before the call returns; a parameter


def speak(library: str, text: str, voice: str, speed: int) -> tuple[int, bytes, list[tuple[float, str]]]:
    """The sample rate, the samples, and the words with the seconds at which they begin."""
    espeak = ctypes.CDLL(library)
    rate = espeak.espeak_Initialize(_SYNCHRONOUS, 0, None, 0)
    parts: list[bytes] = []
    words: list[tuple[float, str]] = []

    def heard(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            parts.append(ctypes.string_at(samples, 2 * count))
        for number in range(1000):
            event = events[number]
            if not event.type:
                break
            if event.type == _WORD:
                begin = event.text_position - 1
                words.append((event.sample / rate, text[begin : begin + event.length]))
        return 0

    kept = _CALLBACK(heard)
    espeak.espeak_SetSynthCallback(kept)
    espeak.espeak_SetVoiceByName(voice.encode())
    espeak.espeak_SetParameter(_SPEED, speed, 0)
    data = text.encode() + b"\0"
    espeak.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, 0, None, None)
    return rate, b"".join(parts), words


if __name__ == "__main__":
    rate, samples, words = speak(**json.load(sys.stdin))
    sys.stdout.buffer.write(json.dumps({"rate": rate, "words": words}).encode() + b"\n" + samples)
