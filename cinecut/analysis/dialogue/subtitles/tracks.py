"""The subtitles of a film: the tracks beside it and in it, the order of preference, and their timed cues.

film ─ find_tracks ─ preferred ─► Track ─ read_cues ─► Cues
                                             └ cues.py: the text of a file of any kind, most through pysubs2
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.subtitles.stream import SubtitleStream

from cinecut.analysis.dialogue.subtitles.charset import decode
from cinecut.analysis.dialogue.subtitles.cues import Cues, SubtitleCue, parse_cues, unified, with_line_breaks
from cinecut.analysis.dialogue.subtitles.ebu_stl import is_stl
from cinecut.analysis.dialogue.subtitles.languages import codes_by_name
from cinecut.analysis.dialogue.subtitles.timed_text import kind_of
from cinecut.diagnostics import Stop
from cinecut.files import content_of, open_file
from cinecut.media.open import open_media, packets_of, tags

_HEAD = 65_536  # bytes at a file's start that are searched for zeros
_ZEROS = bytes(5)  # that no text contains: of UTF-32 up to four stand side by side
MAX_BYTES = 20_000_000  # the subtitles of a long film take about 200 kB
_TEXT_SUFFIXES = (".srt", ".ass", ".ssa", ".vtt", ".smi", ".sami", ".ttml", ".dfxp", ".sbv", ".mpl", ".stl", ".scc")
_OTHER_SUFFIXES = (".sub", ".txt", ".xml")  # which may as well be something else
_BITMAP_SUFFIXES = (".idx", ".sup")
_TEXT_CODECS = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
_BITMAP_CODECS = frozenset({"pgssub", "hdmv_pgs_subtitle", "dvdsub", "dvd_subtitle", "dvbsub", "dvb_subtitle", "xsub"})

# The full dialogue first; subtitles for the deaf have all of it too; forced ones only what is in another language.
_ROLES = ("full", "sdh", "forced", "commentary")
_WORDS_OF_ROLES = {
    "sdh": "sdh cc hi hearing deaf",
    "forced": "forced foreign signs songs",
    "commentary": "commentary comment comments director",
}
_ROLE_WORDS = {word: role for role, words in _WORDS_OF_ROLES.items() for word in words.split()}
_NEUTRAL_WORDS = frozenset({"full", "default", "dialogue", "subtitles", "subs", "sub", "utf8", "utf"})
_REGIONS = frozenset({"us", "gb", "uk", "br", "pt", "mx", "es", "419", "latin", "ca", "fr", "hans", "hant", "cn", "tw"})


@dataclass(frozen=True, slots=True)
class Track:
    """One subtitle track: a file beside the film (`path`) or a stream in it (`stream`, its index)."""

    source: str
    path: Path | None = None
    stream: int | None = None
    language: str | None = None  # ISO 639-1 if the name is known
    role: str = "full"  # full, sdh, forced, commentary
    default: bool = False


@dataclass(frozen=True, slots=True)
class SubtitleSource:
    """The `tracks` of text, the names of the unusable `bitmaps`, and the start of the film's clock.

    `container_start` is the time stamp in seconds that players show as 0:00, from which subtitle files count; None if
    the film could not be opened. `rate` is the film's, in pictures a second.
    """

    tracks: tuple[Track, ...]
    bitmaps: tuple[str, ...]
    container_start: Fraction | None
    rate: Fraction = Fraction(25)


def language_code(name: str | None) -> str | None:
    """The ISO 639-1 code of a tag, an ISO 639-2 code or a name. An unknown tag is kept; `und` becomes None.

    >>> language_code("ger"), language_code("pt-BR"), language_code("Polish"), language_code("und")
    ('de', 'pt', 'pl', None)
    """
    head = re.split(r"[-_]", (name or "").strip().casefold())[0]
    if head in ("", "und", "mis", "mul", "zxx", "unknown"):
        return None
    return codes_by_name().get(head, head)


def find_tracks(film: Path) -> SubtitleSource:
    """All text tracks beside `film` and in it, and the names of bitmap tracks; those in it only if it can be opened."""
    beside = list(_beside(film))
    bitmaps = [track.source for track in beside if track.path and track.path.suffix.casefold() in _BITMAP_SUFFIXES]
    tracks = [track for track in beside if track.source not in bitmaps]
    start, rate = None, Fraction(25)
    try:
        with open_media(film) as container:
            start = Fraction(container.start_time or 0, av.time_base)
            rate = next((Fraction(video.guessed_rate) for video in container.streams.video if video.guessed_rate), rate)
            for stream in container.streams.subtitles:
                codec = _codec(stream)
                track = _embedded(stream)
                if codec in _TEXT_CODECS:
                    tracks.append(track)
                elif codec in _BITMAP_CODECS:
                    bitmaps.append(track.source)
    except Stop:
        pass  # the film itself is checked elsewhere; the subtitle files beside it are still usable
    return SubtitleSource(tuple(tracks), tuple(bitmaps), start, rate)


def preferred(tracks: tuple[Track, ...], language: str | None) -> list[Track]:
    """The tracks, best first: by language, full dialogue, a file before a stream in the film, the default one."""
    wanted = language_code(language)

    def rank(track: Track) -> tuple[int, int, bool, bool, bool, str]:
        mismatch = 0
        if wanted is not None:
            mismatch = 0 if track.language == wanted else 1 if track.language is None else 2
        return (
            mismatch,
            _ROLES.index(track.role),
            track.path is None,
            not track.default,
            track.language not in (None, "en"),
            track.source,
        )

    return sorted(tracks, key=rank)


def read_cues(film: Path, track: Track, start: Fraction, source: SubtitleSource) -> Cues:
    """The cues of `track` in film time. `start` is the time stamp in seconds of the film's first picture.

    Raises Stop("missing-file") or Stop("unreadable").
    """
    if track.path is not None:
        late = start - source.container_start if source.container_start is not None else Fraction(0)
        return parse_cues(read_bytes(track.path), track.source, source.rate).shifted(-late)
    try:
        with open_media(film) as container:
            return _packets(container, track).shifted(-start)
    except Stop as stop:
        raise Stop("unreadable", f"the subtitles in {film.name}, {track.source}, cannot be read: {stop}") from None


def read_bytes(path: Path) -> bytes:
    """The bytes of a subtitle file. Raises Stop for anything that cannot be one."""
    try:
        with open_file(path) as file:
            data = file.read(MAX_BYTES + 1)
    except ValueError as error:  # the name contains a zero byte
        raise Stop("missing-file", f"{str(path)!r} is no file name") from error
    if len(data) > MAX_BYTES:
        raise Stop("unreadable", f"{path} is larger than {MAX_BYTES // 1_000_000} MB, so it is no subtitle file")
    if _ZEROS in data[:_HEAD] and not is_stl(data):
        raise Stop("unreadable", f"{path} is no text, so it holds no subtitles", "is it a film, or a picture?")
    return data


def _beside(film: Path) -> Iterator[Track]:
    """The tracks `film.srt`, `film.en.forced.ass` …: the film's name, followed only by languages and roles."""
    stem = _fold(film.stem)
    try:
        files = sorted(film.parent.iterdir())
    except OSError:
        return
    for path in files:
        name = _fold(path.stem)
        suffixes = (*_TEXT_SUFFIXES, *_BITMAP_SUFFIXES, *_OTHER_SUFFIXES)
        if path.suffix.casefold() not in suffixes or not name.startswith(stem):
            continue
        rest = name.removeprefix(stem)
        words = [word for word in re.split(r"[\W_]+", rest) if word]
        labels = _labels(words) if not rest or re.match(r"[\W_]", rest) else None  # film2.srt is another film's
        if labels is not None and not path.is_dir() and _may_be_subtitles(path):
            language, role = labels
            yield Track(path.name, path=path, language=language, role=role, default="default" in words)


def _may_be_subtitles(path: Path) -> bool:
    """Whether a file is of text that is shown at times, where its name alone does not say so."""
    if path.suffix.casefold() not in _OTHER_SUFFIXES:
        return True
    try:
        head = decode(content_of(path, _HEAD)).text
    except OSError:
        return False
    return kind_of(unified(head)) is not None


def _labels(words: list[str]) -> tuple[str | None, str] | None:
    """The language and role in the words of a file's name; None if a word is neither."""
    language, role = None, "full"
    for word in words:
        if language is None and word in codes_by_name() and not (word == "hi" and len(words) > 1):
            language = codes_by_name()[word]
        elif word in _ROLE_WORDS:
            role = max(role, _ROLE_WORDS[word], key=_ROLES.index)
        elif word not in _NEUTRAL_WORDS and not (language is not None and word in _REGIONS):
            return None
    return language, role


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _codec(stream: SubtitleStream) -> str:
    context = stream.codec_context
    return context.name if context is not None else ""


def _embedded(stream: SubtitleStream) -> Track:
    title = _fold(tags(stream).get("title", ""))
    flags = stream.disposition
    role = "full"
    for word in re.split(r"[\W_]+", title):
        role = max(role, _ROLE_WORDS.get(word, "full") if word != "hi" else "full", key=_ROLES.index)
    if flags & Disposition.hearing_impaired:
        role = max(role, "sdh", key=_ROLES.index)
    if flags & Disposition.forced:
        role = max(role, "forced", key=_ROLES.index)
    if flags & Disposition.comment:
        role = "commentary"
    return Track(
        f"stream {stream.index} ({stream.language or 'und'})",
        stream=stream.index,
        language=language_code(stream.language),
        role=role,
        default=bool(flags & Disposition.default),
    )


def _packets(container: InputContainer, track: Track) -> Cues:
    """The cues of one embedded stream in container time. The demuxer skips all other streams."""
    assert track.stream is not None
    chosen = container.streams[track.stream]
    for stream in container.streams:
        stream.discard = Discard.default if stream.index == track.stream else Discard.all
    assert isinstance(chosen, SubtitleStream)
    codec = _codec(chosen)
    times: list[tuple[Fraction, Fraction]] = []
    payloads: list[bytes] = []
    for packet in packets_of(container, chosen):
        if packet.pts is None or packet.size == 0 or packet.time_base is None:
            continue
        payload = bytes(packet)
        if codec == "mov_text":  # a 16-bit length, the text, then style boxes
            payload = payload[2 : 2 + int.from_bytes(payload[:2], "big")]
        begin = packet.pts * packet.time_base
        times.append((begin, begin + (packet.duration or 0) * packet.time_base))
        payloads.append(payload.replace(b"\x1e", b" "))
    decoded = decode(b"\x1e".join(payloads))
    texts = decoded.text.split("\x1e") if payloads else []
    fields = _ass_fields if codec in ("ass", "ssa") else _plain
    cues = (SubtitleCue(begin, end, *fields(text)) for (begin, end), text in zip(times, texts, strict=True))
    return Cues(tuple(cue for cue in cues if cue.text), decoded.language)


def _plain(text: str) -> tuple[str, str | None, str]:
    return text.replace("\r\n", "\n").strip("\0\n "), None, ""


def _ass_fields(text: str) -> tuple[str, str | None, str]:
    """Text, name and style of a packet: ReadOrder, Layer, Style, Name, three margins, Effect, Text."""
    fields = text.split(",", 8)
    if len(fields) < 9:
        return "", None, ""
    return with_line_breaks(fields[8].strip("\0\r\n")), fields[3].strip() or None, fields[2].strip()
