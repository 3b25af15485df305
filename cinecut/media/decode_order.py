"""Films whose packets say when they are decoded but not when they are shown: the decoder tells. AVI and bare streams
know nothing else; MXF and ASF may say it of pictures that are shown in another order.

A picture takes the place that it has in the order in which the decoder puts pictures out; that place's time is the
stamp of the packet that stands there in the file. Only the pictures around a shot are decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import dropwhile, islice, takewhile
from pathlib import Path
from typing import Any

import av.error

from cinecut.graph.plan import Reel
from cinecut.language.facts import FilmFacts
from cinecut.media.frames import from_start, joined, whole_packets
from cinecut.media.open import open_media, packets_of, picture_stream
from cinecut.media.undecodable import check_pictures

_NO_STAMPS = 0x80  # AVFMT_NOTIMESTAMPS
_LOOKED_AT = 60  # packets: pictures that are shown in another order are soon among them
_REORDER = 32  # pictures after a shot that are looked at: more than any decoder delays one


def bare(media: Any) -> bool:
    """Whether it is a stream without a container: what is said of its stamps, a parser has made up."""
    return bool(int(media.format.flags) & _NO_STAMPS)


def place_of(media: Any, packet: Any) -> int | None:
    """A packet's stamp. Of what libraries tell of AVI only the order of decoding is true."""
    if bare(media):
        return None
    stamp: int | None = packet.dts if media.format.name == "avi" else packet.pts
    return stamp


def in_decode_order(path: Path, delays: set[int | None], rounded: int) -> bool:
    """Whether a film's stamps are those of decoding. `delays`: how long after its decoding each picture is shown, by
    its packet, in ticks; `rounded`: by how many ticks roundings make equal ones differ. One delay for all, of pictures
    that change places when they are decoded, cannot be true."""
    known = [delay for delay in delays if delay is not None]
    if len(known) < len(delays) or (known and max(known) - min(known) > rounded):
        return False
    with open_media(path) as media:
        video = picture_stream(media, path)
        if media.format.name == "avi" or not video.codec_context.has_b_frames:
            return media.format.name == "avi"
        packets = [packet for packet in islice(packets_of(media, video), _LOOKED_AT) if packet.size]
        order = list(_order(packets, video))
        return order != sorted(order)


def restamped_packets(media: Any, facts: FilmFacts, reel: Reel, video: Any) -> Iterator[Any]:
    """The packets of a reel with the stamps at which their pictures are shown, in the order of decoding."""
    base = Fraction(video.time_base)
    wanted = int((reel.seen.start.seconds + facts.start) / base)
    end = int((reel.seen.end.seconds + facts.start + _REORDER / facts.rate) / base)
    target, step = wanted, max(1, int(1 / base))
    while True:
        pictures = _pictures(media, facts, video, target, end)
        shown = _shown([packet for packet, _ in pictures], [place for _, place in pictures], video)
        if target <= 0 or (0 in shown and shown[0] <= wanted):
            break
        target, step = max(0, min([target, *(place for _, place in pictures[:1])]) - step), step * 2
    packet_times, times = (
        [at * base - facts.start for at in stamps] for stamps in ([place for _, place in pictures], shown.values())
    )
    check_pictures(Path(media.name.removeprefix("file:")), reel.seen, packet_times, times)
    for n, (packet, _) in enumerate(pictures):
        if n in shown:
            packet.pts = shown[n]
            yield packet


def _pictures(media: Any, facts: FilmFacts, video: Any, target: int, end: int) -> list[tuple[Any, int]]:
    """The packets from the key frame at or before the place `target` to the place `end`, each with its place."""
    base = Fraction(video.time_base)
    if bare(media) or joined(media):
        packets = from_start(media, video)
    else:
        media.seek(target, stream=video, backward=True)
        packets = packets_of(media, video)
    waiting: list[tuple[Any, int]] = []
    for n, packet in enumerate(dropwhile(lambda packet: not packet.is_keyframe, whole_packets(packets))):
        stamp = place_of(media, packet) if media.format.name == "avi" or not joined(media) else None
        place = stamp if stamp is not None else round((facts.start + n / facts.rate) / base)
        if place >= end:
            break
        if packet.is_keyframe and place <= target and not facts.changes:
            waiting.clear()
        waiting.append((packet, place))
    return waiting


def _shown(packets: list[Any], places: list[int], video: Any) -> dict[int, int]:
    """For the number of each packet that decodes, the place at which its picture is shown."""
    order = _order(packets, video)
    # The pictures right after the first key frame that need what came before it take places too, before its own.
    leading = len(list(takewhile(lambda n: n not in order, range(1, len(packets)))))
    taken = sorted(place for n, place in enumerate(places) if n in order or 0 < n <= leading)
    return dict(zip(order, taken[leading:], strict=False))


def _order(packets: list[Any], video: Any) -> dict[int, None]:
    """The numbers of packets that decode, in the order in which their pictures are shown."""
    context = video.codec_context
    context.flush_buffers()
    order: dict[int, None] = {}
    for n, packet in enumerate([*packets, None]):
        if packet is not None:
            packet.pts = n
        try:
            order |= {frame.pts: None for frame in context.decode(packet) if frame.pts is not None}
        except av.error.InvalidDataError:
            continue
    context.flush_buffers()
    return order
