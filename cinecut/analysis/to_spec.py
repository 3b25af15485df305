"""The decisions of an analysis as a Spec, with their reasons as comments for the reader of the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import takewhile
from typing import Any

from cinecut import __version__
from cinecut.analysis.decisions import Decisions
from cinecut.analysis.edit.blueprint import Want
from cinecut.analysis.edit.cuts import Cut, OtherTake
from cinecut.analysis.edit.score.sound import CutSong, LeveledVoice, Score, Sfx, Sounds
from cinecut.analysis.episodes import Episode
from cinecut.analysis.story.arc import SIGNALS, BeatType, TurningPoint
from cinecut.analysis.story.scenes import Described
from cinecut.language.document import NodePath
from cinecut.language.document.layout import Remark, comment, number_text
from cinecut.language.events import (
    ActMarker,
    Alternative,
    Black,
    Card,
    Clip,
    Crop,
    Cue,
    Effect,
    Entry,
    Event,
    Shot,
    Sync,
    Title,
    Transition,
    Voice,
)
from cinecut.language.read import make
from cinecut.language.schema import TRAILER
from cinecut.language.spec import Anchor, Anchors, BeatGrid, Effects, Film, Mix, Music, Part, Spec, VibeChoice
from cinecut.language.timebase import FilmRange, FilmTime, Length, nearest, parse_length, rounded
from cinecut.media.link import name_from
from cinecut.vibes import differences


def to_spec(decided: Decisions) -> tuple[Spec, dict[NodePath, Remark]]:
    """The spec, and the remarks for its file."""
    notes = _Notes()
    over = differences(decided.vibe)
    effects = over.pop("effects", {})
    spec = make(
        Spec,
        cinecut=1,
        **_films(decided, notes),
        vibe=make(VibeChoice, base=decided.vibe.base, **over),
        effects=make(Effects, **effects),
        music=_music(decided, notes),
        mix=_mix(decided.score, notes),
        anchors=_anchors(decided, notes),
        timeline=_timeline(decided, notes),
    )
    helped = [f"{group} by {plugin.by}" for group, plugin in decided.plugins.items()]
    names = [each.path.name for each in decided.watched.episodes]
    notes.above(
        (),
        f"yaml-language-server: $schema={TRAILER}.schema.json",
        f"Written by cinecut {__version__} from {', '.join(names)}.",
        f"It is yours now: edit it, then `cinecut render {decided.target.name}`.",
        *([f"Found by plug-ins: {', '.join(helped)}."] if helped else []),
    )
    return spec, notes.remarks


@dataclass(slots=True)
class _Notes:
    """The remarks collected so far."""

    remarks: dict[NodePath, Remark] = field(default_factory=dict)

    def above(self, path: NodePath, *rows: str) -> None:
        self.remarks[path] = Remark(above=tuple(map(comment, rows)))

    def beside(self, path: NodePath, text: str) -> None:
        self.remarks[path] = Remark(beside=comment(text))


def _time(seconds: Fraction) -> FilmTime:
    return FilmTime(rounded(seconds))


def _seconds(value: Fraction) -> Length:
    return Length(rounded(value), "s")


# The film and the story

_TINY = Fraction(1, 1_000_000)


def _films(decided: Decisions, notes: _Notes) -> dict[str, Any]:
    """The `film`, or the `films` by name."""
    first = decided.watched.episodes[0]
    if first.name is None:
        return {"film": _film(first, ("film",), decided, notes)}
    named = {
        each.name or "": _film(each, ("films", each.name or ""), decided, notes) for each in decided.watched.episodes
    }
    return {"film": None, "films": named}


def _film(film: Episode, where: NodePath, decided: Decisions, notes: _Notes) -> Film:
    name, by = (decided.protagonist if film is decided.watched.episodes[0] else None) or (None, "")
    if name is not None:
        notes.beside((*where, "protagonist"), f"by {by}")
    audio, why = film.audio
    if why:
        notes.beside((*where, "audio"), why)
    bars = film.bars.upright(film.facts.rotation, film.facts.mirrored)
    crop = None
    if bars:
        notes.beside((*where, "crop"), "without its bars")
        # A millionth less, so that no rounding goes outside the frame.
        width, height = 1 - bars.left - bars.right - _TINY, 1 - bars.top - bars.bottom - _TINY
        crop = Crop(x=rounded(bars.left), y=rounded(bars.top), w=rounded(width), h=rounded(height))
    file = name_from(decided.target.parent, film.path)
    return make(Film, file=file, audio=audio, crop=crop, protagonist=name and name[:100], facts=film.facts)


def _anchors(decided: Decisions, notes: _Notes) -> Anchors:
    notes.above(
        ("anchors",),
        "The turning points of the story"
        + ("." if decided.spoilers else "; what resolves the climax stays out, and the end."),
    )

    def anchor(point: TurningPoint) -> Anchor:
        film, span = decided.own(FilmRange(point.at, point.at))
        at = span.start
        at = at if (at.seconds * film.facts.rate).denominator == 1 else _time(at.seconds)
        return make(
            Anchor, film=film.name, at=at, why=point.why[:500], by=point.by[:60], line=point.line and point.line[:500]
        )

    story = decided.story
    return Anchors(begin=anchor(story.begin), escalation=anchor(story.escalation), climax=anchor(story.climax))


# The music and the mix


def _music(decided: Decisions, notes: _Notes) -> Music:
    score = decided.score
    notes.beside(("music", "gain"), f"as loud as {_anchor(score)}" if score.balance.measured else _SILENT)
    gain = Fraction(score.balance.gain)
    if score.song is None:
        words = f"No music was given: a synthesized pulse at the usual tempo of {decided.vibe.name}."
        notes.above(("music",), f"{words} `--music FILE` brings a song.")
        return make(Music, pulse=score.pulse, beats=make(BeatGrid, tempo=rounded(score.tempo)), gain=gain)
    song, edit = score.song, score.edit
    if edit.parts:
        end = "; the last ends on a hit, which the title card has" if edit.ending == "hit" else ""
        turns = f"Parts of the song, in time with its bars, so that it turns where the trailer does{end}."
        notes.above(("music", "parts"), turns)
    else:
        notes.beside(("music", "start"), "where in the song the trailer begins: a bar line")
        if song.beats.tempo is None:
            notes.beside(("music", "loop"), "the beats of its end do not lead on to those of its start")
    return make(
        Music,
        file=name_from(decided.target.parent, song.file),
        credit=song.credit and song.credit[:1000],
        beats=_beats(song, notes),
        start=_time(Fraction(0) if edit.parts else edit.start),
        parts=tuple(Part(in_=_time(begin), out=_time(until)) for begin, until in edit.parts),
        loop=bool(edit.parts) or song.beats.tempo is not None,
        gain=gain,
        facts=song.facts,
    )


def _beats(song: CutSong, notes: _Notes) -> BeatGrid:
    beats = song.beats
    others = " or ".join(number_text(rounded(other)) for other, _ in beats.octaves[:3])
    note = f"confidence {beats.confidence:.0%}" + (f"; it could also be counted at {others}" if others else "")
    if beats.tempo is not None:
        notes.above(("music", "beats"), note)
        return make(BeatGrid, tempo=rounded(beats.tempo), first=_time(beats.first), metre=beats.metre)
    notes.above(("music", "beats"), f"{note}; its tempo changes, or it was cut, so every beat is listed")
    times = tuple(rounded(time) for time in beats.times if time >= beats.first)
    return make(BeatGrid, metre=beats.metre, times=times)


_SILENT = "nothing is heard in the film"


def _anchor(score: Score) -> str:
    """What the mix levels are relative to."""
    return "the dialogue" if score.balance.spoken else "the film's own sound"


def _mix(score: Score, notes: _Notes) -> Mix:
    mix = score.balance
    below = f"{-mix.music} dB below" if mix.music < 0 else f"{mix.music} dB above" if mix.music else "beside"
    words = (
        f"{_anchor(score)} was measured at {mix.anchor} dB; the music stands {below} it, the effects below the music."
    )
    notes.above(("mix",), words[0].upper() + words[1:] if mix.measured else f"{_SILENT}: only music and effects.")
    film = Fraction(mix.film)
    voice = film if any(sounds.voices for sounds in score.events) else Fraction(0)
    levels = {"film": film, "music": Fraction(mix.music), "effects": Fraction(mix.effects), "voice": voice}
    return make(Mix, **levels, splice=_seconds(Fraction(5, 1000)))


# The timeline


def _timeline(decided: Decisions, notes: _Notes) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    act, said = "", ""
    for cut, sounds in zip(decided.cuts, decided.score.events, strict=True):
        if cut.slot.act != act:
            act = cut.slot.act
            # The hit of the drop is the place's, whichever shot stands there later.
            own = sounds.effects if act == "beat drop" and any(each.name for each in sounds.effects) else ()
            sounds = replace(sounds, effects=sounds.effects if not own else ())
            said = _of_act(act, decided)
            if said:
                notes.beside(("timeline", len(entries), "act"), said)
            entries.append(make(ActMarker, act=act, sound=tuple(map(_effect, own))))
        event, why = _event(cut, sounds, decided, cut is decided.cuts[-1])
        if why.get(("gain",)) == said:
            del why["gain",]
        for place, text in why.items():
            notes.beside(("timeline", len(entries), *place), text)
        entries.append(event)
    return tuple(entries)


def _of_act(act: str, decided: Decisions) -> str:
    """The reason for their gain that several shots of an act share; empty if none is said more than once."""
    both = zip(decided.cuts, decided.score.events, strict=True)
    said = Counter(sounds.why_gain for cut, sounds in both if cut.slot.act == act and sounds.gain)
    why, times = said.most_common(1)[0] if said else ("", 0)
    return why if times > 1 else ""


def _event(cut: Cut, sounds: Sounds, decided: Decisions, last: bool) -> tuple[Event, dict[NodePath, str]]:
    """An event, and the reasons for its values by their keys."""
    length = Length(Fraction(cut.slot.beats), "beats")
    if last and decided.last is not None:
        length = _seconds(decided.last)
    fade = Length(min(Fraction(1), Fraction(cut.slot.beats, 2 if cut.enters == "cut" else 4)), "beats")
    values: dict[str, Any] = _sound(cut, sounds, decided)
    if last:
        values["to"] = Transition(kind="fade out", length=fade)
    why = _reasons(sounds)
    if cut.slot.want is Want.BLACK:
        why["black",] = (
            "the silence before the last act" if cut.slot.act == "breath" else "a held breath before the hit"
        )
        return make(Black, black=length, silent=sounds.silent, **values), why
    if cut.slot.want is Want.CARD:
        return make(Card, card=cut.slot.text, for_=length, **values), why
    why["shot",] = cut.why
    film, in_ = _moment(cut.in_, decided)
    values |= _notes_of(cut, decided.watched.described)
    if cut.sync is not None:
        values["sync"] = make(Sync, at=_moment(cut.sync, decided)[1])
    if cut.grade:
        why["grade",] = "its light, brought to that of its act"
        values["grade"] = dict(cut.grade)
    for key, value, reason in _heard_otherwise(cut, decided):
        values[key], why[key,] = value, reason
    values["alternatives"] = tuple(_alternative(other, film, decided) for other in cut.others)
    if cut.slot.text:
        values["titles"] = (make(Title, text=cut.slot.text, at=fade, position="middle"),)
    clip = Clip(film=film, in_=in_, out=None, for_=length)
    enters = Transition.parse(cut.enters)
    return make(Shot, shot=clip, from_=enters, gain=Fraction(sounds.gain), **values), why


def _heard_otherwise(cut: Cut, decided: Decisions) -> Iterator[tuple[str, Any, str]]:
    """The keys of a shot that is not heard as it is, with their values and reasons."""
    if cut.mute:
        yield "mute", True, "a line would be chopped"
    if cut.tone is not None:
        tone = decided.own(FilmRange(cut.tone, cut.tone))[1].start
        yield "sound_in", _time(tone.seconds), "room tone from nearby: a line would be chopped"
    for key, over in (("sound_lead", cut.lead), ("sound_trail", cut.trail)):
        if over:
            yield key, Length(over * decided.watched.facts.rate, "f"), "so that a line is heard whole"


def _alternative(other: OtherTake, beside: str | None, decided: Decisions) -> Alternative:
    """Another take for an event; `beside` is the film of the event's own shot."""
    score = min(max(Fraction(f"{other.take.score:.2f}"), Fraction(0)), Fraction(1))
    film, in_ = _moment(other.in_, decided)
    return make(Alternative, film=None if film == beside else film, in_=in_, score=score, why=other.why)


def _moment(time: FilmTime, decided: Decisions) -> tuple[str | None, FilmTime]:
    """A film's name, and a time in it: exact for a picture at a constant frame rate, else rounded."""
    film, span = decided.own(FilmRange(time, time))
    if film.facts.variable:
        return film.name, _time(span.start.seconds)
    if film.name is None:
        return None, span.start
    return film.name, FilmTime(nearest(span.start.seconds * film.facts.rate) / film.facts.rate)


def _notes_of(cut: Cut, described: Described) -> dict[str, Any]:
    """The analysis's remarks on a shot; the commonest kind of beat is not written."""
    if cut.take is None:
        return {}
    scene = described.scenes.get(cut.take.shot)
    return {
        "zone": str(cut.take.zone),
        "beat_type": None if cut.take.beat_type is BeatType.ESCALATION else str(cut.take.beat_type),
        "score": Fraction(f"{cut.take.score:.2f}"),
        "by": SIGNALS if scene is None else described.by[:60],
        "line": cut.line and cut.line.text[:500],
        "scene": scene and scene.text,
    }


def _sound(cut: Cut, sounds: Sounds, decided: Decisions) -> dict[str, Any]:
    """The sound fields of an event, other than the film's own sound."""
    values: dict[str, Any] = {
        "sound": tuple(map(_effect, sounds.effects)),
        "voice": tuple(_voice(voice, decided) for voice in sounds.voices),
        "cue": _cue(sounds, decided, _rings(cut, decided)),
    }
    return values if sounds.duck is None else {**values, "duck": Fraction(sounds.duck)}


def _reasons(sounds: Sounds) -> dict[NodePath, str]:
    why: dict[NodePath, str] = {("gain",): sounds.why_gain} if sounds.gain else {}
    if sounds.duck is not None:
        why["duck",] = sounds.why_duck
    if len(sounds.effects) == 1 and sounds.effects[0].name is None and sounds.effects[0].gain < 0:
        why["sound",] = "the vibe's own, softer: the film is quiet here"
    if sounds.cue is not None:
        hit = sounds.cue == "hit"
        why[("cue", "start") if hit else ("cue",)] = "a hit of the song" if hit else "the music ends here"
    for number, voice in enumerate(sounds.voices):
        if voice.gain:
            why["voice", number, "gain"] = "to the level of the dialogue"
    return why


def _effect(effect: Sfx) -> Effect:
    lasts = parse_length(effect.lasts) if effect.lasts else None
    return make(Effect, effect=effect.name or "usual", for_=lasts, gain=Fraction(effect.gain))


def _cue(sounds: Sounds, decided: Decisions, rings: Length) -> Cue | None:
    score = decided.score
    if sounds.cue is None:
        return None
    tenth = _seconds(Fraction(1, 10))
    if sounds.cue == "hit" and score.song is not None:
        file = name_from(decided.target.parent, score.song.file)
        start, gain = _time(score.edit.cue), Fraction(score.balance.gain)
        return make(Cue, file=file, start=start, gain=gain, fade=tenth, facts=score.song.facts)
    # A hit from elsewhere was set before, and ends here.
    return make(Cue, file="stop", fade=tenth if score.edit.ending == "cue" else rings)


def _rings(cut: Cut, decided: Decisions) -> Length:
    """From a card to the end of the last of the cards that follow it directly."""
    at = next(number for number, each in enumerate(decided.cuts) if each is cut)
    cards = list(takewhile(lambda each: each.slot.want is Want.CARD, decided.cuts[at:]))
    if len(cards) == 1 and cut is decided.cuts[-1] and decided.last is not None:
        return _seconds(decided.last)
    return Length(Fraction(sum(each.slot.beats for each in cards)), "beats")


def _voice(voice: LeveledVoice, decided: Decisions) -> Voice:
    over = voice.over
    film, take = decided.own(over.take)
    return make(
        Voice,
        take=Clip(film=film.name, in_=_time(take.start.seconds), out=_time(take.end.seconds), for_=None),
        at=_seconds(over.at),
        gain=Fraction(voice.gain),
        line=over.line.text[:500],
        why=over.why,
        by=SIGNALS,
    )
