"""Reading the header of a GGUF file, and repairing a projector that does not state its type.

The layout, by the GGUF specification, versions 2 and 3, little-endian: magic, version, number of tensors, number of
metadata pairs, the pairs, the tensors' descriptions, padding, the tensors' data. Offsets of tensors count from the
start of the data, so that metadata can be added without changing anything behind it.
"""

from __future__ import annotations

import os
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cinecut.diagnostics import Stop
from cinecut.files import beside, disk_errors, open_file

MENDED = "mended"  # part of a repaired copy's name

_MAGIC = b"GGUF"
_HEAD = struct.Struct("<4sIQQ")  # magic, version, tensors, pairs
# value types: u8 i8 u16 i16 u32 i32 f32 bool, string, array, u64 i64 f64
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LONGEST = 1 << 24  # bytes of one string; chat templates are the longest
_PROJECTOR_TYPE = "clip.projector_type"


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a GGUF file. Positions are bytes from the start of the file."""

    version: int
    metadata: dict[str, object]  # numbers and strings; for an array, its length
    tensors: dict[str, int]  # position of each
    pairs_end: int
    infos_end: int
    data_start: int
    size: int

    @property
    def truncated(self) -> bool:
        """A tensor would begin after the end of the file, as after a broken download. A cut inside the last tensor is
        not noticed."""
        return any(position >= self.size for position in self.tensors.values())

    @property
    def lacks_projector_type(self) -> bool:
        """A projector that does not state its type, like the first uploads of LLaVA 1.5. Servers used to assume `mlp`
        and now refuse it."""
        types = (_PROJECTOR_TYPE, "clip.vision.projector_type", "clip.audio.projector_type")
        return self.metadata.get("general.architecture") == "clip" and not any(key in self.metadata for key in types)


def read_head(path: Path) -> Head:
    """Raises NotGGUF, and Stop if the file is missing or cannot be read."""
    with open_file(path) as file:
        try:
            return _head(_Reader(file, os.fstat(file.fileno()).st_size))
        except UnicodeDecodeError:
            raise NotGGUF("a name in it is not UTF-8") from None


class NotGGUF(Exception):  # noqa: N818 - a finding
    """The file breaks the specification or ends within its header; the message says how."""


@dataclass(slots=True)
class _Reader:
    """Reads numbers and strings from a file, and raises NotGGUF at the file's end."""

    file: BinaryIO
    size: int

    def take(self, count: int) -> bytes:
        if count > _LONGEST:
            raise NotGGUF("a string in it is too long")
        taken = self.file.read(count)
        if len(taken) < count:
            raise NotGGUF("it ends within its head")
        return taken

    def number(self, letter: str) -> int | float | bool:
        number: int | float | bool = struct.unpack("<" + letter, self.take(struct.calcsize("<" + letter)))[0]
        return number

    def count(self) -> int:
        return int(self.number("Q"))

    def text(self) -> str:
        return self.take(self.count()).decode()

    def skip(self, count: int) -> None:
        if self.file.tell() + count > self.size:
            raise NotGGUF("it ends within its head")
        self.file.seek(count, os.SEEK_CUR)

    def value(self) -> object:
        kind = int(self.number("I"))
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array()
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        raise NotGGUF(f"a value of the unknown type {kind}")

    def _array(self) -> int:
        """Skip the array; returns its length."""
        kind, length = int(self.number("I")), self.count()
        if kind in _SCALARS:
            self.skip(length * struct.calcsize("<" + _SCALARS[kind]))
        elif kind == _STRING:
            for _ in range(length):
                self.skip(self.count())
        else:
            raise NotGGUF(f"an array of the unknown type {kind}")
        return length


def _head(reader: _Reader) -> Head:
    magic, version, tensor_count, pair_count = _HEAD.unpack(reader.take(_HEAD.size))
    if magic != _MAGIC:
        raise NotGGUF("its first bytes are not GGUF")
    if version not in (2, 3):
        raise NotGGUF("its version or byte order is not supported")
    metadata: dict[str, object] = {}
    for _ in range(pair_count):
        key = reader.text()
        if key in metadata:
            raise NotGGUF(f"it has the key {key[:60]!r} twice")
        metadata[key] = reader.value()
    pairs_end = reader.file.tell()
    offsets: dict[str, int] = {}
    for _ in range(tensor_count):
        name, dimensions = reader.text(), int(reader.number("I"))
        reader.skip(8 * dimensions + 4)  # the extents and the type
        if name in offsets:
            raise NotGGUF(f"it has the tensor {name[:60]!r} twice")
        offsets[name] = reader.count()
    infos_end = reader.file.tell()
    data_start = _aligned(infos_end, metadata)
    tensors = {name: data_start + offset for name, offset in offsets.items()}
    return Head(version, metadata, tensors, pairs_end, infos_end, data_start, reader.size)


def _aligned(position: int, metadata: dict[str, object]) -> int:
    step = metadata.get("general.alignment", 32)
    if not isinstance(step, int) or step <= 0:
        raise NotGGUF("its alignment is not a number of bytes")
    return position + -position % step


def mended_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}.{MENDED}.gguf")


def needs_mending(path: Path) -> bool:
    """Whether this is a projector that does not state its type, without a repaired copy beside it."""
    if "mmproj" not in path.name.lower() or mended_path(path).exists():
        return False
    try:
        return read_head(path).lacks_projector_type
    except NotGGUF:
        return False


def mend(path: Path) -> Path:
    """Write a copy of a LLaVA 1.5 projector that states its type, `mlp`, beside it; returns the copy's path.

    Everything else stays the same, byte for byte. Raises Stop for any other file.
    """
    try:
        head = read_head(path)
    except NotGGUF as reason:
        raise Stop("unreadable", f"{path} is no GGUF file: {reason}") from None
    if not head.lacks_projector_type or not {"mm.0.weight", "mm.2.weight"} <= head.tensors.keys():
        raise Stop("other-file", f"{path} is no LLaVA 1.5 projector that lacks its type: there is nothing to repair")
    if head.truncated:
        raise Stop("unreadable", f"{path} is cut short", "fetch it again first")
    target = mended_path(path)
    with open_file(path) as source, disk_errors(target), beside(target) as part, part.open("wb") as copy:
        _copy_with_type(head, source, copy)
    return target


def _copy_with_type(head: Head, source: BinaryIO, copy: BinaryIO) -> None:
    copy.write(_HEAD.pack(_MAGIC, head.version, len(head.tensors), len(head.metadata) + 1))
    source.seek(_HEAD.size)
    copy.write(source.read(head.pairs_end - _HEAD.size))
    copy.write(_string(_PROJECTOR_TYPE) + struct.pack("<I", _STRING) + _string("mlp"))
    copy.write(source.read(head.infos_end - head.pairs_end))
    copy.write(bytes(_aligned(copy.tell(), head.metadata) - copy.tell()))
    source.seek(head.data_start)
    shutil.copyfileobj(source, copy, 1 << 20)


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()
