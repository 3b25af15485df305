"""The cache of the stages' results: the same film, code and inputs give the same file.

The files are msgpack, never executable. Damaged, foreign and older files are ignored. Each file is written completely
or not at all, so that after a killed run the finished stages are reused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import hashlib
import types
import typing
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgpack
import numpy as np

from cinecut.files import beside, cache_folder, content_of, new_folder

T = TypeVar("T")
_FRACTION, _ARRAY = 1, 2
_HEAD = b"cinecut stage 1\n"  # the version of the file format


class Cache:
    """The cached stages of one film, in one folder."""

    def __init__(self, fingerprint: str, folder: Path | None = None) -> None:
        base = folder or cache_folder()
        self.folder = base / "analysis" / hashlib.sha256(fingerprint.encode()).hexdigest()[:24]

    def kept(self, name: str, key: str, kind: type[T], work: Callable[[], T]) -> T:
        """A result: from its file, or computed and then written to it. If the disk fails, the result is not cached. A
        damaged or foreign file is replaced."""
        path = self.folder / f"{name}-{key}.msgpack"
        with contextlib.suppress(OSError, ValueError, TypeError, LookupError, ArithmeticError):
            return typing.cast(T, unpacked(kind, opened(content_of(path))))
        result = work()
        with contextlib.suppress(OSError), new_folder(self.folder), beside(path) as part:
            part.write_bytes(sealed(packed(result)))
        return result


def sealed(data: bytes) -> bytes:
    """The content of a file that holds these data."""
    return _HEAD + hashlib.sha256(data).digest() + data


def opened(content: bytes) -> bytes:
    """The data in a file's content. Raises ValueError if it is damaged or of another program."""
    head, data = content[: len(_HEAD) + 32], content[len(_HEAD) + 32 :]
    if head != _HEAD + hashlib.sha256(data).digest():
        raise ValueError("not one of ours, or damaged")
    return data


def packed(value: object) -> bytes:
    return typing.cast(bytes, msgpack.packb(_plain(value), use_bin_type=True))


def unpacked(kind: Any, data: bytes) -> object:
    """The value of a type from its bytes. Raises ValueError, TypeError, KeyError or IndexError if they are invalid."""
    return _typed(kind, msgpack.unpackb(data, raw=False, ext_hook=_extension, strict_map_key=False))


def _plain(value: Any) -> Any:
    match value:
        case enum.Enum():
            return value.value
        case Fraction():
            return msgpack.ExtType(_FRACTION, f"{value.numerator}/{value.denominator}".encode())
        case np.ndarray():
            head = msgpack.packb([value.dtype.str, list(value.shape)])
            return msgpack.ExtType(_ARRAY, head + np.ascontiguousarray(value).tobytes())
        case np.generic():
            return value.item()
        case tuple() | list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _ if dataclasses.is_dataclass(value):
            return [_plain(getattr(value, item.name)) for item in dataclasses.fields(value)]
        case _:
            return value


def _extension(code: int, data: bytes) -> object:
    if code == _FRACTION:
        return Fraction(data.decode())
    if code == _ARRAY:
        unpacker = msgpack.Unpacker()
        unpacker.feed(data)
        dtype, shape = unpacker.unpack()
        return np.frombuffer(data, np.dtype(dtype), offset=unpacker.tell()).reshape(shape).copy()
    raise ValueError(f"extension {code} is not one of ours")


_SAME: tuple[type, ...] = (list, dict, np.ndarray, str)
_STORED_AS: dict[Any, type] = {tuple: list, **{kind: kind for kind in _SAME}}


def _check(kind: Any, data: object) -> None:
    """Raise ValueError where data are plainly of another kind."""
    stored = list if dataclasses.is_dataclass(kind) else _STORED_AS.get(typing.get_origin(kind) or kind, object)
    if not isinstance(data, stored):
        raise ValueError(f"it is no {kind}")


def _typed(kind: Any, data: Any) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, types.UnionType) or origin is typing.Union:
        rest = [option for option in inner if option is not types.NoneType]
        return None if data is None else _typed(rest[0], data)
    _check(kind, data)
    if origin is tuple:
        if inner[1:] == (Ellipsis,):
            return tuple(_typed(inner[0], item) for item in data)
        return tuple(_typed(each, item) for each, item in zip(inner, data, strict=True))
    if origin is list:
        return [_typed(inner[0], item) for item in data]
    if origin is dict:
        return {key: _typed(inner[1], item) for key, item in data.items()}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(data)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(*[_typed(hint, item) for hint, item in zip(hints, data, strict=True)])
    return data


@cache
def _hints(kind: type) -> tuple[Any, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(hints[item.name] for item in dataclasses.fields(kind))
