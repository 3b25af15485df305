"""The only place where media are opened for reading: no URL and no second file is ever opened, whatever a file
contains."""

from __future__ import annotations

import codecs
import errno
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from cinecut.diagnostics import Diagnostic, Stop, as_word
from cinecut.files import open_file
from cinecut.graph.plan import MEDIA_FORMATS, PICTURE_FORMATS, reading
from cinecut.language.timebase import clock
from cinecut.media.bitstream import may_be_key
from cinecut.media.heads import boxes, check_no_zeros, check_single

_HEAD = 512  # bytes by which a file is taken for something else
_PICTURE = 1 << 28  # bytes; nothing larger is a picture
_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what only the caller's own output can have met
_ATTACHED_PICTURE = 0x400
_NOT_OPENED = (
    "playlists and all files that name more files are not opened, nor are rare kinds: if it is one of these and plays, "
    "ffmpeg -i FILE -c copy film.mkv brings it to Matroska"
)
_OF_STILLS = ("png", "mjpeg", "bmp", "webp", "tiff", "gif")


def open_container(path: Path, what: str = "film", *, decodes: bool = True) -> InputContainer:
    """A container opened for reading; the caller closes it. Without `decodes` it opens thirty times as fast, since no
    picture is decoded to find its format. Raises Stop for any fault of the file."""
    with open_file(path) as file:  # says what is wrong with the path in plain words
        # A picture goes by its bytes: as a name, logo%d.png would be a pattern over many files.
        formats = PICTURE_FORMATS if what == "picture" else MEDIA_FORMATS
        source: Any = io.BytesIO(file.read(_PICTURE)) if what == "picture" else f"file:{path.absolute()}"
    try:
        return _opened(source, formats, {} if decodes else {"codec_whitelist": "none"})
    except av.error.ArgumentError:
        hint = _taken_for(path) or _NOT_OPENED
        raise Stop("unreadable", f"{path} is no {what} that can be read", hint) from None
    except av.error.FFmpegError as error:
        raise unreadable(path, what, error) from None


def _opened(source: Any, formats: str, more: dict[str, str] = {}) -> InputContainer:  # noqa: B006 - never changed
    media: InputContainer = av.open(source, "r", options=reading(formats) | more, **_ANY_TAGS)
    _count_channels(media)
    return media


# Tags that are not UTF-8 are kept as surrogates, for `tags` to read. PyAV does that by itself from version 19 on.
_ANY_TAGS: dict[str, Any] = {"metadata_errors": "surrogateescape"} if int(av.__version__.split(".")[0]) < 19 else {}


@contextmanager
def open_media(path: Path, what: str = "film") -> Iterator[InputContainer]:
    """`open_container`, closed at the end; FFmpeg's errors while reading become a Stop too."""
    try:
        with open_container(path, what) as media:
            yield media
    except av.error.FFmpegError as error:
        if error.errno in _WRITING:
            raise OSError(error.errno, error.strerror) from None
        raise unreadable(path, what, error) from None


def open_behind(path: Path, place: int) -> InputContainer:
    """The recording that begins at a place of a file, as a container. Raises FFmpegError."""
    return _opened(_Behind(path, place), MEDIA_FORMATS)


class _Behind(io.FileIO):
    """A file without its first bytes."""

    def __init__(self, path: Path, place: int) -> None:
        super().__init__(path)
        self._place = place
        self.seek(0)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return super().seek(offset + self._place if whence == 0 else offset, whence) - self._place

    def tell(self) -> int:
        return super().tell() - self._place


def open_bytes(data: bytes) -> InputContainer:
    """A container in memory. Raises FFmpegError."""
    return _opened(io.BytesIO(data), MEDIA_FORMATS)


def unreadable(path: Path, what: str, error: av.error.FFmpegError) -> Stop:
    check_single(path)
    check_no_zeros(path)
    reason, hint = str(error.strerror), _taken_for(path) or "the file may be cut short or damaged; does it play?"
    if not path.stat().st_size:
        hint = "the file is empty"
    elif (kinds := {kind for kind, _ in boxes(path)}) and b"moov" not in kinds:
        reason = "the part (moov) is missing that says what is where in it"
        hint = "a recording that was cut off has none yet, nor a download that is not complete: get the whole file"
        if b"moof" in kinds:
            reason = "it is a segment of a stream, without the stream's head (moov)"
            hint = f"the head is a file of its own, often called init: cat INIT {as_word(path.name)} > film.mp4"
    return Stop("unreadable", f"{path} is no {what} that can be read: {reason}", hint)


def _taken_for(path: Path) -> str:
    """A hint for a spec, a picture or another text in a medium's place."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return f"is it a spec? cinecut render {as_word(path)} renders it"
    with open_file(path) as file:
        head = file.read(_HEAD)
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")):
        return "it is a picture: in a spec's timeline, `still: FILE` shows one"
    if head.startswith((b"ffconcat", b"#EXTM3U")):
        return ""  # what it names would have to be read
    with suppress(UnicodeDecodeError):
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut through
        return "it is a text" if text and all(sign.isprintable() or sign.isspace() for sign in text) else ""
    return ""


def tags(thing: Any) -> dict[str, str]:
    """The tags of a container or a stream, keys in lower case; what is not UTF-8 is read as Western European."""
    return {key.lower(): _text(value) for key, value in thing.metadata.items()}


def _text(tag: str) -> str:
    data = tag.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def packets_of(media: Any, *streams: Any) -> Iterator[Any]:
    """The packets of streams, and an empty one of each at the end. Streams that begin midway are none of a file's: PyAV
    fails at the end where there were some. Raises Stop where another recording follows that libraries do not read."""
    kind = media.format.name
    try:
        for packet in _packets_of(media, *streams):
            context = packet.stream.codec_context
            if packet.is_keyframe and context is not None and not may_be_key(packet, context.codec.name):
                packet.is_keyframe = False
            if kind == "dv" and packet.stream.type == "video" and _is_empty(packet, media):
                continue
            if kind == "gxf" and packet.pts is not None and packet.pts - 1 == packet.dts:
                packet.pts += 1  # its ticks are fields; of the last picture libraries guess that it lasts one
            yield packet
    except av.error.PatchWelcomeError:
        if kind != "ogg":
            raise
        name = Path(media.name.removeprefix("file:"))
        message = f"{name} holds several recordings one behind the other, of which the first alone can be read"
        raise Stop("unreadable", message, "divide it, or bring all to one codec and size in one file") from None


def _is_empty(packet: Any, media: Any) -> bool:
    """Whether what is taken for a picture of a DV stream is nothing but zeros. Raises Stop where it is something else
    that is none: all have one length, and behind anything of another one none is found any more."""
    data = memoryview(packet)
    if not data or bytes(data[:2]) == _DV:
        return False
    if any(data):
        name, at = media.name.removeprefix("file:"), clock(packet.pts * Fraction(packet.time_base))
        message = f"{name} is damaged at {at}: the pictures after it are not found"
        raise Stop("unreadable", message, "zeros or other data stand between its pictures: get another copy of it")
    return True


_DV = b"\x1f\x07"  # the header section that each picture begins with (IEC 61834-2)


def whole_packets(packets: Iterator[Any], diagnostics: list[Diagnostic] | None = None) -> Iterator[Any]:
    """Packets up to the end of the file; one that breaks off is noted."""
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            if diagnostics is not None:
                diagnostics.append(Diagnostic("film", f"the film breaks off: {error.strerror}"))
            return
        if packet is None:
            return
        if packet.size:
            yield packet


def _to_the_end(media: Any, *streams: Any) -> Iterator[Any]:
    """The packets of a transport stream. A stretch without any, as where disks or receivers left zeros, ends nothing:
    libraries only ask to be called again."""
    while True:
        try:
            yield from media.demux(*streams)
        except av.error.BlockingIOError:
            continue
        return


def _packets_of(media: Any, *streams: Any) -> Iterator[Any]:
    with suppress(IndexError):
        if isinstance(media, InputContainer) and media.format.name == "mpeg":
            yield from _first_key_apart(media.demux(*streams))
            return
        if not isinstance(media, InputContainer) or media.format.name != "mpegts":
            yield from media.demux(*streams)
            return
        first = _first_stamp(media)
        for packet in _to_the_end(media, *streams):
            packet.pts, packet.dts = _near(packet.pts, first), _near(packet.dts, first)
            yield packet


def _first_key_apart(packets: Iterator[Any]) -> Iterator[Any]:
    """The packets of a program stream, which does not say of each picture when it is shown. Where one begins between
    two that it tells, libraries guess the time of the first key frame as that of the next picture with which others are
    predicted; it is shown when that one is decoded."""
    key, held = None, list[Any]()
    for packet in packets:
        held.append(packet)
        if packet.stream.type != "video" or packet.pts is None:
            continue
        if key is None:
            key = packet if packet.is_keyframe else None
        elif packet.pts == key.pts and packet.dts is not None:
            key.pts = packet.dts
            break
        if len(held) > _FIRST:
            break
    else:  # all are read
        packets = iter(())
    yield from chain(held, packets)


_FIRST = 24  # packets: the next picture with which others are predicted is among them


def start_of(media: Any, stream: Any) -> Fraction:
    """The first timestamp of a stream in seconds; zero if it has none."""
    stamp = stream.start_time or 0
    stamp = _near(stamp, _first_stamp(media)) if media.format.name == "mpegts" else stamp
    return Fraction(stamp or 0) * Fraction(stream.time_base)


def _first_stamp(media: Any) -> int | None:
    return next((video.start_time for video in media.streams.video if video.start_time is not None), None)


def _near(stamp: int | None, first: int | None) -> int | None:
    """A stamp of a transport stream as that of its picture's first one goes on: they have 33 bits and start again at
    zero, once in 26 hours, of which FFmpeg does not know where a stream begins just before that."""
    if stamp is None or first is None:
        return stamp
    return (stamp - first + _TURN // 2) % _TURN - _TURN // 2 + first


_TURN = 1 << 33


def picture_stream(media: InputContainer, path: Path) -> VideoStream:
    """The first stream of moving pictures that can be decoded, ignoring cover art, which some files do not mark: of
    several streams those of codecs for stills come last."""
    moving = [stream for stream in media.streams.video if not int(stream.disposition) & _ATTACHED_PICTURE]
    for stream in sorted(moving, key=lambda each: _decodes(each) and each.codec_context.name in _OF_STILLS):
        if _decodes(stream) and stream.codec_context.width:
            return stream
    if any(not _decodes(stream) for stream in moving):
        raise Stop("unreadable", f"the picture of {path} is in a codec that cannot be decoded here")
    check_no_zeros(path)
    if moving:
        hint = "its head is missing, which says it: it was cut in the middle, or is damaged; get the whole file"
        raise Stop("unreadable", f"{path} does not say how large its picture is", hint)
    raise Stop("no-video", f"{path} has no picture", "is it a sound file? a trailer is cut from a film")


def sound_streams(media: InputContainer) -> list[Any]:
    """The streams of sound that can be decoded, in the order of the facts."""
    return [stream for stream in media.streams.audio if _decodes(stream)]


def layout_of(stream: Any) -> str:
    """The layout of a stream's channels; where they stand in an order of their own, their names, joined by +."""
    return str(stream.metadata.get(_ORDER) or stream.layout.name)


def channel_of(stream: Any) -> str:
    """Which channel a stream of a single one is: FL, LFE; FC also where a container does not say it."""
    return str(stream.metadata.get(_CHANNEL) or "FC")


def _count_channels(media: InputContainer) -> None:
    """Leave decoders no more than the number of channels where a container (QuickTime, CAF, MXF) lists them one by one.
    PyAV shares that list with every frame and frees it with each: the process would crash. The names stay as a tag. Of
    three channels that nobody named the third is the centre."""
    for stream in media.streams.audio:
        stream.metadata.pop(_ORDER, None)
        stream.metadata.pop(_CHANNEL, None)
        if (context := stream.codec_context) is None:
            continue
        layout = context.layout  # asked once: each that is asked for frees the list
        if layout.name == "3 channels":
            context.layout = "3.0"  # libraries take the third one for low effects, which no mix to stereo has
        if not re.match(r"\d+ channels \(", layout.name):
            continue
        order = "+".join(channel.name.split("@")[0] for channel in layout.channels)
        context.layout = f"{layout.nb_channels} channels"  # from here on the list is `layout`'s alone
        if layout.nb_channels == 1:
            stream.metadata[_CHANNEL] = order
        elif len(order) <= _LONGEST_LAYOUT:
            stream.metadata[_ORDER] = order


_ORDER, _CHANNEL = "cinecut: order of channels", "cinecut: channel"
_LONGEST_LAYOUT = 200  # characters; the schema takes no longer one


def _decodes(stream: Any) -> bool:
    """A stream whose codec is unknown to the libraries has no context."""
    return stream.codec_context is not None


def check_sound(path: Path, rate: int, channels: int) -> None:
    """Raise Stop if this cannot be real sound: a damaged header, or other data mistaken for sound."""
    if rate not in _RATES or not 1 <= channels <= _CHANNELS:
        message = f"the sound of {path} has {rate} samples a second in {channels} channels"
        limits = f"{_RATES.start} to {_RATES.stop - 1} samples in up to {_CHANNELS} channels are read"
        raise Stop("unreadable", message, f"{limits}; is the file damaged?")


_RATES = range(1000, 768_001)  # samples per second, up to what the schema takes
_CHANNELS = 64  # of which the resampler takes no more
