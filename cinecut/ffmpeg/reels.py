"""Reels: just the packets that each shot needs, copied out of the film into small NUT files, nothing re-encoded.

A graph over reels needs no film: FFmpeg neither loads the film's index once for each shot nor ever sees its name. NUT
keeps every time base exact. Stamps are shifted so that the film's first picture is at zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from cinecut.diagnostics import Stop
from cinecut.facts import FilmFacts
from cinecut.ffmpeg.plan import Reel
from cinecut.ffmpeg.probe import open_media, picture_stream
from cinecut.timebase import clock

_LOOKAHEAD = Fraction(2)  # seconds of decode order past a shot's end in which a picture of it may still come


def pull_reels(film: Path, facts: FilmFacts, reels: list[Reel], folder: Path, progress: Callable[[int], None]) -> None:
    """Write every reel of `reels` below `folder`. Raises Stop when the film breaks off before a shot's end, or the
    disk is full."""
    with open_media(film) as media:
        for done, reel in enumerate(reels):
            path = folder / reel.name
            path.parent.mkdir(parents=True, exist_ok=True)
            _pull(media, film, facts, reel, path)
            progress(done + 1)


def _pull(media: InputContainer, film: Path, facts: FilmFacts, reel: Reel, path: Path) -> None:
    video = picture_stream(media, film)
    audio: Any = media.streams.audio[reel.audio] if reel.audio is not None else None
    with av.open(str(path), "w", format="nut", options={"fflags": "bitexact"}) as out:
        targets = {video.index: out.add_stream_from_template(video, opaque=True)}
        if audio is not None:
            targets[audio.index] = out.add_stream_from_template(audio, opaque=True)
        shift = {s.index: round(facts.start / Fraction(s.time_base or 1)) for s in [video, audio] if s is not None}
        last = None
        for packet in _packets(media, facts, reel, video, audio):
            index = packet.stream_index
            if index == video.index:
                last = max(packet.pts, last) if last is not None else packet.pts
            packet.pts -= shift[index]
            packet.dts = packet.dts - shift[index] if packet.dts is not None else None
            packet.stream = targets[index]
            out.mux(packet)
    reached = Fraction(0) if last is None else last * Fraction(video.time_base or 1) - facts.start
    if last is None or (not facts.variable and reached < reel.seen.end.seconds - Fraction(3, 2) / facts.rate):
        message = f"{film} breaks off at {clock(reached)}; a shot needs it to {clock(reel.seen.end.seconds)}"
        raise Stop("unreadable", message, "the file is shorter than its own index says: get a complete copy of it")


def _packets(media: InputContainer, facts: FilmFacts, reel: Reel, video: Any, audio: Any) -> Iterator[Any]:
    """The packets of a reel: pictures from the key frame at or before its head to the last that may show it, sound
    from a run-up before to the end of what is heard."""
    head = _seek_key_frame(media, facts, reel, video)
    streams = [video] if audio is None else [video, audio]
    picture_end = reel.seen.end.seconds + facts.start
    sound_start = reel.heard.start.seconds + facts.start
    sound_end = reel.heard.end.seconds + facts.start
    open_streams = {stream.index for stream in streams}
    started = False
    for packet in media.demux(streams):
        if packet.pts is None or not packet.size:
            continue
        time = packet.pts * packet.time_base
        if packet.stream_index == video.index:
            started = started or (packet.is_keyframe and packet.pts >= head)
            decode_time = time if packet.dts is None else packet.dts * packet.time_base
            # Pictures come in decode order: one that is shown before the end may be stored after one that is not.
            if decode_time >= picture_end or time >= picture_end + _LOOKAHEAD:
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
    slack = Fraction(1, 2) / facts.rate  # stamps may be rounded
    wanted = int((reel.seen.start.seconds + facts.start + slack) / base)
    head = _key_frame_before(media, video, wanted, round(facts.start / base))
    if reel.audio is not None:
        sound = int((reel.heard.start.seconds + facts.start) / base)
        media.seek(max(0, min(head, sound)), stream=video, backward=True)
    else:
        media.seek(max(0, head), stream=video, backward=True)
    return head


def _key_frame_before(media: InputContainer, video: Any, wanted: int, first: int) -> int:
    """The stamp of the last key frame that is shown at or before a stamp. Containers seek by decode order, in which
    a key frame that is shown later may already have come: then look further back."""
    target, step = wanted, max(1, int(1 / Fraction(video.time_base)))
    while True:
        media.seek(max(target, min(first, 0)), stream=video, backward=True)
        found = next((p for p in media.demux(video) if p.pts is not None and p.size and p.is_keyframe), None)
        if found is not None and (found.pts <= wanted or target <= min(first, 0)):
            return int(found.pts)
        if target <= min(first, 0):
            raise Stop("unreadable", f"no key frame is to be found before {clock(wanted * video.time_base)}")
        target, step = target - step, step * 2
