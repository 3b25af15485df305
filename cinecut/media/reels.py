"""Reels: just the packets that each shot needs, copied out of the film into small NUT files, nothing re-encoded.

A graph over reels needs no film: FFmpeg neither loads the film's index once for each shot nor ever sees its name. NUT
keeps every time base exact. It has no negative stamps, which decoding order needs before a film's first picture: on a
reel that picture is at `REEL_EPOCH`, and the plan's arguments take it back to zero.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from cinecut.diagnostics import Stop
from cinecut.language.facts import FilmFacts
from cinecut.media.decode_order import restamped_packets
from cinecut.graph.plan import REEL_EPOCH, Reel
from cinecut.media.open import open_media, picture_stream, sound_streams
from cinecut.language.timebase import clock

_CONVERTED = (
    "make a copy that keeps its quality: ffmpeg -i FILM -map 0:v:0 -map 0:a? -c:v ffv1 -c:a flac COPY.mkv",
    "or choose another stream of sound: film: {file: …, audio: 2}",
)
_LOOKAHEAD = Fraction(2)  # seconds of decode order past a shot's end in which a picture of it may still come


def pull_reels(film: Path, facts: FilmFacts, reels: list[Reel], folder: Path, progress: Callable[[int], None]) -> None:
    """Write every reel of `reels` below `folder`. Raises Stop when the film breaks off before a shot's end, or the
    disk is full."""
    with open_media(film) as media:
        for done, reel in enumerate(reels):
            path = folder / reel.name
            path.parent.mkdir(parents=True, exist_ok=True)
            if reel.heard.start.seconds <= 0 or not facts.stamps:
                # A seek to the start can leave out what lies before the first picture, and bare streams cannot seek.
                with open_media(film) as anew:
                    _pull(anew, film, facts, reel, path)
            else:
                _pull(media, film, facts, reel, path)
            progress(done + 1)


def _pull(media: InputContainer, film: Path, facts: FilmFacts, reel: Reel, path: Path) -> None:
    video = picture_stream(media, film)
    audio: Any = sound_streams(media)[reel.audio] if reel.audio is not None else None
    streams = [video] if audio is None else [video, audio]
    with av.open(str(path.absolute()), "w", format=_container(streams), options={"fflags": "bitexact"}) as out:
        targets = {stream.index: _add_stream(out, stream) for stream in streams}
        shift = {s.index: round((facts.start - REEL_EPOCH) / Fraction(s.time_base or 1)) for s in streams}
        last = None
        decoded: dict[int, int] = {}  # stream: the last stamp of decoding
        read = _packets if facts.stamps else restamped_packets
        for packet in read(media, facts, reel, video, audio):
            index = packet.stream_index
            if index == video.index:
                last = max(packet.pts, last) if last is not None else packet.pts
            packet.pts -= shift[index]
            if packet.dts is not None:
                packet.dts -= shift[index]
            else:  # matroska, after a seek into an open GOP: any stamp will do that keeps the order
                early = packet.pts - round(_LOOKAHEAD / packet.time_base)
                packet.dts = decoded[index] + 1 if index in decoded else early
            decoded[index] = packet.dts
            packet.stream = targets[index]
            out.mux(packet)
    reached = Fraction(0) if last is None else last * Fraction(video.time_base or 1) - facts.start
    if last is None or (not facts.variable and reached < reel.seen.end.seconds - Fraction(3, 2) / facts.rate):
        message = f"{film} breaks off at {clock(reached)}; a shot needs it to {clock(reel.seen.end.seconds)}"
        raise Stop("unreadable", message, "the file is shorter than its own index says: get a complete copy of it")


def _container(streams: list[Any]) -> str:
    """NUT, unless it has no name for a codec (ProRes, TrueHD, ALAC): then Matroska, whose stamps are whole
    milliseconds. FFmpeg goes by what is in a file, not by its name."""
    for name in ("nut", "matroska"):
        trial = av.open(io.BytesIO(), "w", format=name)
        try:
            for stream in streams:
                _add_stream(trial, stream)
        except ValueError:
            continue
        return name
    names = " and ".join(stream.codec_context.name for stream in streams)
    raise Stop("unreadable", f"no shots can be copied out of a film of {names}", *_CONVERTED)


def _add_stream(out: Any, stream: Any) -> Any:
    """The same stream, its clock in ticks of which a second holds a whole number: every shift by seconds is exact."""
    target = out.add_stream_from_template(stream, opaque=True)
    target.time_base = Fraction(1, Fraction(stream.time_base).denominator)
    return target


def _packets(media: InputContainer, facts: FilmFacts, reel: Reel, video: Any, audio: Any) -> Iterator[Any]:
    """The packets of a reel: pictures from the key frame at or before its head to the last that may show it, sound
    from a run-up before to the end of what is heard."""
    head = _seek_key_frame(media, facts, reel, video) if reel.heard.start.seconds > 0 else None
    streams = [video] if audio is None else [video, audio]
    picture_end = reel.seen.end.seconds + facts.start
    # Sound comes from the key frame on, though it is heard later: FFmpeg holds every decoded picture of an input back
    # until it has seen the first of its sound, which at 45 inputs took gigabytes.
    sound_start = reel.heard.start.seconds + facts.start
    if head is not None:
        sound_start = min(sound_start, head * Fraction(video.time_base))
    sound_end = reel.heard.end.seconds + facts.start
    open_streams = {stream.index for stream in streams}
    started = False
    for packet in media.demux(streams):
        if packet.pts is None or not packet.size:
            continue
        time = packet.pts * packet.time_base
        if packet.stream_index == video.index:
            started = started or (packet.is_keyframe and (head is None or packet.pts >= head))
            # Matroska knows none of the first packets.
            decode_time = None if packet.dts is None else packet.dts * packet.time_base
            # Pictures come in decode order: one that is shown before the end may be stored after one that is not.
            decoded = decode_time is not None and decode_time >= picture_end
            if decoded or time >= picture_end + _LOOKAHEAD:
                open_streams.discard(video.index)
            elif started and not packet.is_discard:
                yield packet
        elif time >= sound_end:
            open_streams.discard(packet.stream_index)
        elif time + (packet.duration or 0) * packet.time_base > sound_start:
            yield packet
        if not open_streams:
            return


def _seek_key_frame(media: InputContainer, facts: FilmFacts, reel: Reel, video: Any) -> int:
    """Go to where both picture and sound of a reel can be read; returns the stamp of its first key frame."""
    base = Fraction(video.time_base)
    slack = Fraction(0) if facts.variable else Fraction(1, 2) / facts.rate  # stamps of a constant rate may be rounded
    wanted = int((reel.seen.start.seconds + facts.start + slack) / base)
    earliest = min(round(facts.start / base), 0)
    head = _key_frame_before(media, video, wanted, earliest)
    # Some containers seek by the order of decoding, to any packet.
    target = head.pts if head.dts is None else min(head.pts, head.dts)
    if reel.audio is not None:
        target = min(target, int((reel.heard.start.seconds + facts.start) / base))
    media.seek(max(target, earliest), stream=video, backward=True)
    return int(head.pts)


def _key_frame_before(media: InputContainer, video: Any, wanted: int, earliest: int) -> Any:
    """The last key frame that is shown at or before a stamp. A container may seek to a key frame that is shown later,
    or to none: then look further back."""
    target, step = wanted, max(1, int(1 / Fraction(video.time_base)))
    while True:
        media.seek(max(target, earliest), stream=video, backward=True)
        found = next((p for p in media.demux(video) if p.pts is not None and p.size and p.is_keyframe), None)
        if found is not None and (found.pts <= wanted or target <= earliest):
            return found
        if target <= earliest:
            raise Stop("unreadable", f"no key frame is to be found before {clock(wanted * video.time_base)}")
        target, step = target - step, step * 2
