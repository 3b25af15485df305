"""Whether a file contains the very packets that were rendered, so that decoding and comparing can be skipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from cinecut.diagnostics import Stop
from cinecut.media.frames import whole_packets
from cinecut.media.open import open_media, packets_of


def held(file: Path, parts: Sequence[tuple[Path, int | None]], kind: str) -> list[bool]:
    """For each part of a stream (`video` or `audio`), a file and its packets, whether the tested file has it at its
    place; None: all packets to the end."""
    with ExitStack() as stack:
        header, packets = _stream(stack, file, kind)
        return [_same(header, packets, part, count, kind) for part, count in parts]


def _same(header: bytes | None, packets: Iterator[bytes], part: Path, count: int | None, kind: str) -> bool:
    with ExitStack() as stack:
        try:
            own, wanted = _stream(stack, part, kind)
        except Stop:
            return False
        known = list(wanted)
        return own == header and list(islice(packets, count)) == known


def _stream(stack: ExitStack, file: Path, kind: str) -> tuple[bytes | None, Iterator[bytes]]:
    """The header of a file's first stream of a kind, and its packets. Raises Stop."""
    media: Any = stack.enter_context(open_media(file))
    streams = getattr(media.streams, kind)
    if not streams:
        return None, iter(())
    packets = whole_packets(packets_of(media, streams[0]))
    return streams[0].codec_context.extradata, (bytes(packet) for packet in packets)
