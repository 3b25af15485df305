"""Films whose packets say when they are decoded but not when they are shown: the decoder tells. AVI and bare streams
know nothing else; MXF and ASF may say it of pictures that are shown in another order.

A picture takes the place that it has in the order in which the decoder puts pictures out; that place's time is the
stamp of the packet that stands there in the file. Only the pictures around a shot are decoded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from functools import cache
from itertools import dropwhile, islice, pairwise, takewhile
from pathlib import Path
from statistics import median_low
from typing import Any, NamedTuple

from cinecut.diagnostics import Stop
from cinecut.graph.plan import Reel
from cinecut.language.facts import FilmFacts
from cinecut.media.bitstream import is_leading
from cinecut.media.frames import from_start, joined
from cinecut.media.open import open_media, packets_of, picture_stream, whole_packets
from cinecut.media.undecodable import check_pictures, pictures_of

_NO_STAMPS = 0x80  # AVFMT_NOTIMESTAMPS
_LOOKED_AT = 60  # packets: pictures that are shown in another order are soon among them
_AT_HEAD = (60, 600, 6000)  # packets of a film, among which its first key frame may be
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


def check_order(path: Path) -> None:
    """Raise Stop where pictures are put out in another order than their stamps have. Some encoders of MPEG-4 pack
    several into one packet, as AVI once needed it, and what writes these packets elsewhere takes their stamps awry, as
    do some that write each picture into a fragment of its own."""
    with open_media(path) as media:
        video = picture_stream(media, path)
        packed = video.codec_context.name == "mpeg4"
        if not (packed or video.codec_context.has_b_frames) or media.format.name in _UNTOLD or bare(media):
            return
        packets = list(islice(whole_packets(packets_of(media, video)), _LOOKED_AT))
        stamps = [packet.pts for packet in packets]
        shown = [stamp for n in _order(packets, video) if (stamp := stamps[n]) is not None]
    falls = sum(after < stamp for stamp, after in pairwise(shown))
    if falls > len(shown) // _FEW_FALLS:
        message = f"the times of the pictures of {path} contradict the order in which they are shown"
        cause = "its encoder packed B pictures, which only AVI can hold: get it as AVI" if packed else _NO_FRAGMENTS
        raise Stop("unreadable", message, f"{cause}, or encode it again")


_UNTOLD = ("avi", "mpeg")  # containers that do not say of each picture when it is shown
_FEW_FALLS = 16  # one of so many is where a recording ends or an edit list leads back
_NO_FRAGMENTS = "whatever wrote the file took them awry: write it once more, without fragments"


class Beginning(NamedTuple):
    """What a film begins with: how many packets come before the first one of which a picture is shown, how many of
    those after it show none, since they need what is not there; and when the first picture is shown by the stamps of
    those after it, in seconds, if any of them has one."""

    skipped: int = 0
    leading: int = 0
    stamp: Fraction | None = None


def beginning_of(path: Path, rate: Fraction) -> Beginning:
    """The head of a film of which not every packet says when it is shown: `rate` pictures a second."""
    return _beginning(path.absolute(), path.stat().st_mtime_ns, rate)


@cache
def _beginning(path: Path, changed: int, rate: Fraction) -> Beginning:
    for most in _AT_HEAD:
        with open_media(path) as media:
            video = picture_stream(media, path)
            packets = list(islice(whole_packets(packets_of(media, video)), most))
            stamps, base = [packet.pts for packet in packets], Fraction(video.time_base or 1)
            order = list(_order(packets, video))
        if len(packets) < most or min(order, default=most) < most // 2:
            break
    if not order:
        return Beginning()
    known = [stamps[n] * base - place / rate for place, n in enumerate(order) if stamps[n] is not None]
    # Of two stamps that contradict each other players believe the one that leaps ahead.
    begin = max(known[0], median_low(known)) if known else None
    return Beginning(min(order), _leading(len(packets), order), begin)


def _leading(count: int, order: Collection[int]) -> int:
    """Of how many packets right after the first one that decodes nothing is shown, since they need what came before."""
    return len(list(takewhile(lambda n: n not in order, range(min(order, default=0) + 1, count))))


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
    base, head = Fraction(video.time_base), Beginning()
    packets: Iterator[Any]
    if bare(media) or joined(media):
        head = beginning_of(Path(media.name.removeprefix("file:")), facts.rate)
        packets = islice(whole_packets(from_start(media, video)), head.skipped, None)
    else:
        media.seek(target, stream=video, backward=True)
        packets = dropwhile(lambda packet: not packet.is_keyframe, whole_packets(packets_of(media, video)))
    waiting: list[tuple[Any, int]] = []
    for n, packet in enumerate(packets, -head.leading):
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
    leading = _leading(len(packets), order)
    taken = sorted(place for n, place in enumerate(places) if n in order or 0 < n <= leading)
    return dict(zip(order, taken[leading:], strict=False))


class Tail:
    """The last packets of a film, from a key frame on. A file that breaks off, or has something else behind its last
    picture, ends with some of which nothing decodes."""

    def __init__(self) -> None:
        self._before, self._since = list[Any](), list[Any]()

    def seen(self, packet: Any) -> Any:
        """Take in a packet, and give it back."""
        if packet.is_keyframe:
            held = self._since if len(self._since) >= _LAST else [*self._before, *self._since][-2 * _LAST :]
            self._before = list(dropwhile(lambda each: not each.is_keyframe, held))
            self._since = []
        if len(self._since) <= _LONG:
            self._since.append(packet)
        return packet

    def undecoded(self, media: Any, video: Any) -> int:
        """Of how many packets at the end nothing decodes, where that may be: where a packet was read in part, or
        the container says of none where it ends. The packets lose their stamps."""
        packets = [*self._before, *self._since]
        unsure = bare(media) or media.format.name in _NO_END or any(packet.is_corrupt for packet in packets[-_LAST:])
        if not unsure or len(self._since) > _LONG:
            return 0
        order = _order(packets, video)
        count = len(list(takewhile(lambda n: n not in order, reversed(range(len(packets))))))
        return count if order and count <= _LAST else 0


_LAST, _LONG = 4, 600  # packets: as many may be no pictures; a group of more is not decoded for that
_NO_END = ("avi", "dv")  # containers that take what stands behind the last picture for one


def _order(packets: list[Any], video: Any) -> dict[int, None]:
    """The numbers of packets that decode, in the order in which their pictures are shown."""
    context = video.codec_context
    context.flush_buffers()
    order: dict[int, None] = {}
    for n, packet in enumerate(packets):
        packet.pts = n
    leading = list(takewhile(lambda packet: is_leading(packet, context.name), packets[1:]))
    for packet in [*packets[:1], *packets[1 + len(leading) :], None]:
        order |= {frame.pts: None for frame in pictures_of(packet, context) if frame.pts is not None}
    context.flush_buffers()
    return order
