"""Descriptions of the shots by a vision model.

    shots ─ the picture in the middle of each ─ JPEG ─ question ─► Scene ─ stored in film.scenes.msgpack

A film of two hours has 1,500 shots and a model takes seconds for a picture, so only one picture of each shot is
described. A shot without a description is still used, with its measured signals.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.stage import Advance
from cinecut.analysis.story.scene_store import NAME, Scene, SceneStore
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.inference.chat import Chat, NoAnswer, in_background, printable
from cinecut.inference.server import Models
from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream
from cinecut.plugins import PluginStop

_PROMPT = (
    "This is a picture of a film. Say only what can be seen, in English. "
    "visual_content: who and what is seen, in one sentence. mood: the feeling, in one to three words. "
    "action: what happens, in a few words. setting: where it is, in a few words. Answer with JSON."
)
_AGAIN = " Keep it short: one JSON object with these four texts, none of them empty, and nothing else."
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        name: {"type": "string", "minLength": 1, "maxLength": length}
        for name, length in (("visual_content", 200), ("mood", 40), ("action", 120), ("setting", 80))
    },
    "required": ["visual_content", "mood", "action", "setting"],
    "additionalProperties": False,
}
_SIDE = 512  # pixels of a picture's longer side; LLaVA uses 336
_QUALITY = 80  # of JPEG
# The version of the questions: a digest of all that can change an answer.
QUESTIONS = int.from_bytes(hashlib.sha256(repr((_PROMPT, _AGAIN, _SCHEMA, _SIDE, _QUALITY)).encode()).digest()[:6])
SAVE_COUNT, SAVE_SECONDS = 8, 5.0  # the most scenes, and seconds, that a killed run loses
_HOPELESS = 5  # failures in a row after which no further picture is tried


@dataclass(frozen=True, slots=True)
class Described:
    """The scenes of a film by their shot's index, described by the model `by`; `kept` of them are from the file."""

    scenes: Mapping[int, Scene] = field(default_factory=dict)
    by: str = ""
    kept: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def note(self) -> str | None:
        """A message on the reused descriptions, if there are any."""
        if not self.kept:
            return None
        share = str(self.kept) if self.kept == len(self.scenes) else f"{self.kept} of {len(self.scenes)}"
        return f"Cache hit: {share} scene descriptions from {NAME}"


NOTHING = Described()


def describe(
    film: Path,
    facts: FilmFacts,
    shots: Sequence[FilmShot],
    models: Models | None,
    folder: Path,
    progress: Advance,
) -> Described:
    """The scenes of `shots`: those stored in `folder`, and the others from the vision model, which is started only if
    there are others. Its failure is a warning. `progress` is called with the share done, 0..1."""
    try:
        identity = models.identity("vision") if models is not None else None
    except Stop as stop:
        return Described(diagnostics=without_model(stop))
    if models is None or identity is None:
        return NOTHING
    store = SceneStore(folder, film, facts.fingerprint, identity, QUESTIONS)
    middles = {shot.index: _middle(shot.range) for shot in shots}
    known, warnings = store.read()
    kept = sum(at in known for at in middles.values())
    missing = [shot.range for shot in shots if middles[shot.index] not in known]
    if missing:
        work = _Work(known, store, len(missing), lambda done: progress((kept + done) / len(shots)))
        try:
            with open_film(film, facts) as media, models.open("vision") as chat:
                work.describe(chat, _pictures(media, film, facts, missing))
        except PluginStop:
            raise
        except Stop as stop:
            warnings += without_model(stop)
        warnings += work.warnings()
    scenes = {index: known[at] for index, at in middles.items() if at in known}
    return Described(scenes, models.name("vision") or "", kept, tuple(warnings))


def without_model(stop: Stop) -> tuple[Diagnostic, ...]:
    """The reasons why a model cannot be used, as warnings: the analysis goes on without it."""
    return tuple(Diagnostic("model", diagnostic.message, None, diagnostic.hints) for diagnostic in stop.diagnostics)


def _middle(range: FilmRange) -> FilmTime:
    return FilmTime((range.start.seconds + range.end.seconds) / 2)


# --- questions ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Work:
    """Describing `total` pictures; the results are added to `known`, which is stored every few pictures."""

    known: dict[FilmTime, Scene]
    store: SceneStore
    total: int
    progress: Callable[[int], None]
    done: int = 0
    unsaved: int = 0
    saved_at: float = field(default_factory=time.monotonic)
    failed: int = 0
    in_a_row: int = 0
    reason: str = ""  # of the first picture that failed
    end: str = ""  # why the other pictures were not tried
    unwritten: str = ""  # why the file cannot be written

    def describe(self, chat: Chat, pictures: Iterator[tuple[FilmTime, bytes | None]]) -> None:
        """Ask about each picture, `chat.slots` at a time, while the next one is decoded. Results are taken in order."""
        asked: deque[tuple[FilmTime, Future[Scene]]] = deque()
        try:
            for at, jpeg in pictures:
                if len(asked) >= chat.slots:
                    self._take(*asked.popleft())
                if self.end:
                    break
                if jpeg is None:
                    self._fail("there is no picture to decode")
                else:
                    asked.append((at, in_background(partial(describe_picture, chat, jpeg))))
            while asked:
                self._take(*asked.popleft())
        finally:
            self._save()

    def _take(self, at: FilmTime, future: Future[Scene]) -> None:
        try:
            self.known[at] = future.result()
        except NoAnswer as failure:
            self._fail(str(failure))
            self.in_a_row += 1
            if failure.gone or self.in_a_row >= _HOPELESS:
                self.end = self.end or str(failure)
            return
        self.in_a_row = 0
        self.unsaved += 1
        if self.unsaved >= SAVE_COUNT or time.monotonic() - self.saved_at >= SAVE_SECONDS:
            self._save()
        self._step()

    def _fail(self, reason: str) -> None:
        self.failed += 1
        self.reason = self.reason or reason
        self._step()

    def _step(self) -> None:
        self.done += 1
        self.progress(self.done)

    def _save(self) -> None:
        if self.unsaved:
            try:
                self.store.write(self.known)
            except OSError as error:
                self.unwritten = error.strerror or str(error)
        self.unsaved, self.saved_at = 0, time.monotonic()

    def warnings(self) -> Iterator[Diagnostic]:
        if self.unwritten:
            yield Diagnostic("model", f"{NAME} cannot be written: {self.unwritten}; a second run asks again")
        if self.end:
            message = f"the vision model was abandoned after {self.done} of {self.total} pictures: {self.end}"
            yield Diagnostic(
                "model", message, None, ("a second run continues with the pictures that were not described",)
            )
        elif self.failed:
            message = f"{self.failed} of {self.total} pictures were not described: {self.reason}"
            yield Diagnostic("model", message)


def describe_picture(chat: Chat, jpeg: bytes) -> Scene:
    """The description of a picture, asked for at most twice. Raises NoAnswer."""
    try:
        return _ask(chat, _PROMPT, jpeg)
    except NoAnswer as failure:
        if failure.gone:
            raise
        return _ask(chat, _PROMPT + _AGAIN, jpeg)


def _ask(chat: Chat, prompt: str, jpeg: bytes) -> Scene:
    answer = chat.ask(prompt, _SCHEMA, picture=jpeg)
    texts = {name: printable(answer[name]) for name in _SCHEMA["required"]}
    if not all(texts.values()):
        raise NoAnswer("the answer holds empty texts")
    return Scene(**texts)


# --- pictures -------------------------------------------------------------------------------------------------------


def _pictures(
    media: Any, film: Path, facts: FilmFacts, ranges: Sequence[FilmRange]
) -> Iterator[tuple[FilmTime, bytes | None]]:
    """The middle of each range and the picture there as a JPEG, None if it cannot be decoded."""
    reader = FrameReader(media, picture_stream(media, film), facts.start)
    for range in ranges:
        frame = reader.at(_middle(range), range.end)
        yield _middle(range), None if frame is None else jpeg(frame, facts)


def jpeg(frame: VideoFrame, facts: FilmFacts) -> bytes:
    """A picture as a small JPEG for a model."""
    return cv2.imencode(".jpg", upright(frame, facts, _SIDE), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def upright(frame: VideoFrame, facts: FilmFacts, side: int) -> NDArray[np.uint8]:
    """[uint8, height x width x 3] BGR as displayed: rotated, with square pixels, its longer side `side` pixels."""
    width, height = facts.display_size
    scale = side / max(width, height)
    size = [max(1, round(length * scale)) for length in (width, height)]
    if facts.rotation % 180:
        size.reverse()
    small = frame.reformat(width=size[0], height=size[1], format="bgr24", interpolation="AREA").to_ndarray()
    turned = np.rot90(small, -facts.rotation // 90)
    return (turned[:, ::-1] if facts.mirrored else turned).astype(np.uint8)
