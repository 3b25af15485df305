"""The descriptions of a film's scenes, and their file, so that a killed run does not lose an hour of a model's work.

`film.scenes.msgpack` in the film's cache folder is for one state of the film (its size, modification time and
fingerprint). It has the answers of each model to one version of the questions, and a checksum.
"""

from __future__ import annotations

import hashlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import msgpack

from cinecut.analysis.cache import packed, unpacked
from cinecut.diagnostics import Diagnostic
from cinecut.files import beside, content_of, new_folder
from cinecut.language.timebase import FilmTime

NAME = "film.scenes.msgpack"
_KIND, _FORMAT = "cinecut scenes", 1


@dataclass(frozen=True, slots=True)
class Scene:
    """A model's description of one picture. No field is empty."""

    visual_content: str
    mood: str
    action: str
    setting: str

    @property
    def text(self) -> str:
        """The description in one line of at most 450 characters."""
        return f"{self.visual_content} ({self.setting}; {self.action}; {self.mood})"


@dataclass(frozen=True, slots=True)
class _Answers:
    """The answers of one model; times in seconds."""

    model: str
    questions: int
    times: tuple[Fraction, ...]
    scenes: tuple[Scene, ...]


@dataclass(frozen=True, slots=True)
class _Content:
    size: int
    changed: int  # nanoseconds
    fingerprint: str
    answers: tuple[_Answers, ...]


class SceneStore:
    """The file in `folder` with the scenes of `film` that `model` described.

    `fingerprint` is the film's, `model` the model's identity, `questions` the version of the questions.
    """

    def __init__(self, folder: Path, film: Path, fingerprint: str, model: str, questions: int) -> None:
        state = film.stat()
        self.path = folder / NAME
        self._empty = _Content(state.st_size, state.st_mtime_ns, fingerprint, ())
        self._model, self._questions = model, questions

    def read(self) -> tuple[dict[FilmTime, Scene], list[Diagnostic]]:
        """The stored scenes by their time. An unusable file is ignored, with a warning that says why."""
        content, why_not = self._content()
        warnings = [Diagnostic("model", f"{NAME} {why_not}: the scenes are described again")] if why_not else []
        mine = next((answers for answers in content.answers if self._is_mine(answers)), None)
        if mine is None:
            return {}, warnings
        return {FilmTime(at): scene for at, scene in zip(mine.times, mine.scenes, strict=True)}, warnings

    def write(self, scenes: Mapping[FilmTime, Scene]) -> None:
        """Store these scenes, and keep the other models' answers. The file is always complete. Raises OSError."""
        content, _ = self._content()
        others = tuple(
            answers
            for answers in content.answers
            if answers.questions == self._questions and not self._is_mine(answers)
        )
        times = sorted(scenes)
        mine = _Answers(
            self._model, self._questions, tuple(at.seconds for at in times), tuple(scenes[at] for at in times)
        )
        data = packed(replace(self._empty, answers=(*others, mine)))
        with new_folder(self.path.parent), beside(self.path) as part:
            part.write_bytes(packed([_KIND, _FORMAT, hashlib.sha256(data).digest(), data]))

    def _is_mine(self, answers: _Answers) -> bool:
        return (answers.model, answers.questions) == (self._model, self._questions)

    def _content(self) -> tuple[_Content, str]:
        """The file's content for this state of the film, and the reason if an existing file cannot be used."""
        try:
            content = _opened(content_of(self.path))
        except FileNotFoundError:
            return self._empty, ""
        except OSError as error:
            return self._empty, f"cannot be read ({error.strerror})"
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
            return self._empty, "is of another version" if isinstance(error, _OtherVersionError) else "is damaged"
        if replace(content, answers=()) != self._empty:
            return self._empty, "was made before the film changed"
        return content, ""


class _OtherVersionError(ValueError):
    pass


def _opened(data: bytes) -> _Content:
    """The content of a file's bytes. Raises ValueError, TypeError or others if it is not such a file."""
    kind, version, digest, inner = msgpack.unpackb(data)
    if kind != _KIND:
        raise ValueError("a foreign file")
    if version != _FORMAT:
        raise _OtherVersionError
    if hashlib.sha256(inner).digest() != digest:
        raise ValueError("its checksum is wrong")
    return typing.cast(_Content, unpacked(_Content, inner))
