"""The sound of a film: not a commentary, preferably the container's default, with all of its channels."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition

from cinecut.diagnostics import Stop
from cinecut.language.facts import AudioFacts, FilmFacts
from cinecut.media.frames import from_start
from cinecut.media.open import channel_of, check_sound, layout_of, open_media, sound_streams, start_of, tags
from cinecut.media.sound.unlabelled import layouts_heard

_ASIDE = Disposition.comment | Disposition.visual_impaired | Disposition.descriptions | Disposition.karaoke
_ASIDE_TITLE = re.compile(  # a commentary, a description for the blind, the music alone: in the languages of many discs
    r"comm?ent|[kc]omm?ent[aáā]|kommentti|yorum|iruzkin|bình luận|коммент|коментар|σχ[οό]λ|הערות|تعليق|نظرات"
    r"|コメンタリ|解説|副音声|评论|評論|讲评|講評|해설|코멘터리"
    r"|descri(b|pt|ç|c|z|tiv)|beskriv|audiod[ei]s[ck]|h(ö|oe)rfilm|sehbehind|blind|visual\w* impair|\bdvs\b|syns?tolk"
    r"|kuvailutulk|zvukový popis|betimleme|тифло|описан|дескрипц|незряч|слабовид|niewidom|nevidom|slabovid|slijep|slepe"
    r"|ciegos|aveugle|malvoyant|non vedenti|תיאור|وصف|音声ガイド|화면해설|口述影像"
    r"|karaoke|isolated|music only|score only|\bm ?[&+] ?e\b|music (&|and|\+) effects",
    re.IGNORECASE,
)
_SINGLE_CHANNELS = re.compile(r"mxf|mov|gxf|lxf")  # containers in which each channel of one sound may be a stream


def film_audio(media: InputContainer, start: Fraction) -> tuple[AudioFacts, ...]:
    """The sounds of a film, its own first; `start`: the timestamp of its first picture in seconds."""
    streams = sound_streams(media)
    streams_read = [_facts(media, stream, start, number) for number, stream in enumerate(streams, 1)]
    sounds = [facts for facts in streams_read if facts is not None]
    streams = [streams[sound.stream - 1] for sound in sounds]
    if _is_one_for_each_channel(media, streams):
        layouts = _labelled([channel_of(stream) for stream in streams]) or _unlabelled(media, streams)
        firsts = accumulate((size for _, size in layouts), initial=0)
        joined = [(sounds[first], layout, size) for first, (layout, size) in zip(firsts, layouts, strict=False)]
        return tuple(replace(one, channels=size, layout=layout, parts=size) for one, layout, size in joined)
    order = sorted(range(len(streams)), key=lambda at: (_is_aside(streams[at]), _later(streams[at]), at))
    if order == sorted(order) and len(sounds) == len(streams_read):
        return tuple(replace(sound, stream=0) for sound in sounds)
    return tuple(sounds[at] for at in order)


def with_first(film: Path, facts: FilmFacts, number: int) -> FilmFacts:
    """The facts with another sound as the film's own: `number` counts from 1. Raises Stop if there is none."""
    if number > len(facts.audio):
        known = {0: "no sound", 1: "one sound"}.get(len(facts.audio), f"{len(facts.audio)} sounds")
        raise Stop("option", f"--audio {number}: {film} has {known}")
    sounds = [replace(sound, stream=sound.stream or at) for at, sound in enumerate(facts.audio, 1)]
    return replace(facts, audio=(sounds.pop(number - 1), *sounds))


def choice(film: Path, facts: FilmFacts, asked: int | None) -> str:
    """Why one of several sounds is the film's, and which others there are; empty for a single one."""
    if len(facts.audio) < 2:
        return ""
    with open_media(film) as media:
        streams = sound_streams(media)
        kinds = [_in_words(sound, streams[(sound.stream or at) - 1]) for at, sound in enumerate(facts.audio, 1)]
    first = facts.audio[0].stream or 1
    own = "the first of the file" if first == 1 else "what the file marks as its own"
    chosen = asked or 1
    others = [f"{at} is {kind}" for at, kind in enumerate(kinds, 1) if at != chosen]
    why = "as asked for" if asked else own
    return f"{kinds[chosen - 1]}: {why}; {', '.join(others[:_NAMED])}{' …' if len(others) > _NAMED else ''}"


_NAMED = 4  # other sounds


def _in_words(sound: AudioFacts, stream: Any) -> str:
    title = tags(stream).get("title", "")[:40]
    words = [sound.layout, *filter(None, [sound.language, f'"{title}"' if title else None])]
    return " ".join([*words, *(["(a commentary)"] if _is_aside(stream) else [])])


def _labelled(channels: list[str]) -> list[tuple[str, int]]:
    """The layouts of sounds whose streams are a channel each, and of how many; empty where they are not labelled. Where
    a channel comes again, or a mix of two for matrix decoders, another sound begins: eight are often 5.1 and stereo."""
    groups = list[list[str]]()
    for channel in channels:
        if not groups or channel in groups[-1] or channel == "DL" or groups[-1][-1] == "DR":
            groups.append([])
        groups[-1].append(channel)
    if not any({"FL", "FR"} <= set(group) for group in groups):
        return []
    return [(_layout("+".join(group)), len(group)) for group in groups]


def _layout(order: str) -> str:
    """The name of a layout by the order of its channels; where it has none, the order."""
    if order == "DL+DR":
        return "stereo"
    name = str(av.AudioLayout(order).name)
    return order if " channels" in name else name


def _unlabelled(media: InputContainer, streams: list[Any]) -> list[tuple[str, int]]:
    """The same of streams without labels: six are 5.1, eight what they sound like, others pairs."""
    if len(streams) == 8:
        return layouts_heard(Path(media.name.removeprefix("file:")), [stream.index for stream in streams])
    count = len(streams)
    return [("5.1", 6)] if count == 6 else [("stereo", 2)] * (count // 2) + [("mono", 1)] * (count % 2)


def _facts(media: InputContainer, stream: Any, start: Fraction, number: int) -> AudioFacts | None:
    """None for a stream of which nothing decodes."""
    language = stream.language if stream.language not in (None, "und") else None
    if language is not None and not re.fullmatch("[A-Za-z-]{2,12}", language):
        language = None
    rate, channels, layout = stream.rate, stream.channels, layout_of(stream)
    if not rate or not channels:  # what the header leaves out a decoded block tells
        frame = next((frame for packet in from_start(media, stream) for frame in packet.decode()), None)
        if frame is None:
            return None
        rate, channels, layout = frame.sample_rate, frame.layout.nb_channels, frame.layout.name
    check_sound(Path(media.name.removeprefix("file:")), rate, channels)
    return AudioFacts(rate, channels, layout, start_of(media, stream) - start, language, number)


def _is_aside(stream: Any) -> bool:
    """Whether its flags, or its title (in MP4 the name of its handler), say that it is a commentary."""
    named = " ".join(tags(stream).get(key, "") for key in ("title", "handler_name"))
    return bool(stream.disposition & _ASIDE) or bool(_ASIDE_TITLE.search(named))


def _later(stream: Any) -> tuple[bool, bool]:
    """The one that its container prefers comes first, a translation after the original."""
    return not stream.disposition & Disposition.default, bool(stream.disposition & Disposition.dub)


def _is_one_for_each_channel(media: InputContainer, streams: list[Any]) -> bool:
    """Whether each stream is one channel, as broadcasts and editing systems store sound."""
    if len(streams) < 2 or not _SINGLE_CHANNELS.search(media.format.name):
        return False
    like = {(stream.rate, stream.codec_context.name, stream.language) for stream in streams}
    return len(like) == 1 and all(stream.channels == 1 and not _is_aside(stream) for stream in streams)
