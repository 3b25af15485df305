"""Pictures for the page: frames of the draft and of the film as JPEG, and the outline of the draft's sound."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.story.scenes import upright
from cinecut.diagnostics import Stop
from cinecut.language.facts import FilmFacts
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import open_media, picture_stream
from cinecut.media.sound.samples import counted, mono

_SIDE = 320  # pixels of the longer side
_RATE = 8000  # samples a second that the outline is made of
_STEPS = 50  # of the outline, a second


class FilmStills:
    """Pictures of a film for its page, one at a time; it stays open between them."""

    def __init__(self, film: Path, facts: FilmFacts) -> None:
        self.facts = facts
        self._lock = threading.Lock()
        self._stack = ExitStack()
        media = self._stack.enter_context(open_film(film, facts))
        self._reader = FrameReader(media, picture_stream(media, film), facts.start, rough=False)
        self.jpeg = lru_cache(maxsize=400)(self._jpeg)

    def _jpeg(self, frame: int) -> bytes | None:
        """The film's picture with this number; None if there is none."""
        with self._lock:
            picture = self._reader.numbered(frame, self.facts.rate)
            return None if picture is None else _encoded(upright(picture, self.facts, _SIDE))

    def close(self) -> None:
        with self._lock:
            self._stack.close()


def draft_jpeg(draft: Path, frame: int, rate: Fraction) -> bytes | None:
    """A frame of a draft. Raises Stop."""
    with open_media(draft) as media:
        reader = FrameReader(media, picture_stream(media, draft), Fraction(0), rough=False)
        picture = reader.numbered(frame, rate)
        return None if picture is None else _encoded(np.asarray(picture.to_ndarray(format="bgr24"), np.uint8))


def _encoded(image: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        raise Stop("unreadable", "a picture cannot be shown")
    return data.tobytes()


def outline(draft: Path) -> list[int]:
    """How loud the draft is, 0 to 100, fifty times a second."""
    with open_media(draft) as media:
        if not media.streams.audio:
            return []
        sounds = list(mono(counted(media.decode(media.streams.audio[0])), _RATE))
    sound = np.abs(np.concatenate(sounds)) if sounds else np.zeros(0)
    step = _RATE // _STEPS
    rows = sound[: len(sound) // step * step].reshape(-1, step)
    return [int(value) for value in np.minimum(100, rows.max(axis=1, initial=0) * 100)]
