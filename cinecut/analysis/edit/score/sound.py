"""The score: all sound fields of a spec, decided from the measurements of the film and the song.

cuts ─ voices ─ balance ─ the song's edit ─ effects, ducks, silence of each event ─► Score
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cinecut.analysis.edit.blueprint import Want
from cinecut.analysis.edit.cuts import Cut, Tempo
from cinecut.analysis.edit.score.ducks import UNDER_SPEECH, depth, pulse_levels, song_levels, under_voices
from cinecut.analysis.edit.score.song_edit import SongEdit, edit_song
from cinecut.analysis.edit.score.voices import SpokenSound, VoiceOver, audible_lines, choose_voices, placed
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.song.beats import Beats
from cinecut.analysis.song.levels import Balance, SongLevels, balance, effect_gain, gated, level_within, line_gain
from cinecut.analysis.story.arc import Story
from cinecut.language.facts import SongFacts
from cinecut.language.timebase import FilmRange
from cinecut.vibes import Vibe

_UNDER_FEELING = 6  # dB by which the music is lowered where nobody surely speaks
_VOICE_GAIN, _SHOT_GAIN = 18, 12  # most dB; less for a shot, since its whole scene gets louder with its line
_LOUD_SCENE, _ABOVE_WORDS = 6, 8  # most dB of a shot with a sound that would come so many dB above the dialogue
_TOP, _STRONG = 0.9, 0.5  # least rank of a shot's emotion, and least strength of its line, in a strong moment


@dataclass(frozen=True, slots=True)
class CutSong:
    """The user's music with its measurements."""

    file: Path
    facts: SongFacts
    beats: Beats
    levels: SongLevels
    credit: str | None = None
    start: Fraction = Fraction(0)  # start of the trailer in a song of changing tempo


@dataclass(frozen=True, slots=True)
class Sfx:
    """A sound effect in the spec: its name (None: the vibe's own effect), length and whole dB."""

    name: str | None = None
    lasts: str | None = None
    gain: int = 0


@dataclass(frozen=True, slots=True)
class LeveledVoice:
    over: VoiceOver
    gain: int


@dataclass(frozen=True, slots=True)
class Sounds:
    """The sound of an event. `cue`: `stop`, or `hit` for the song's own."""

    effects: tuple[Sfx, ...] = ()
    voices: tuple[LeveledVoice, ...] = ()
    gain: int = 0  # of the film's own sound
    why_gain: str = ""
    duck: int | None = None
    why_duck: str = ""
    silent: bool = False
    cue: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """`events` has one entry for each cut; `tempo` is in beats a minute, for a trailer without a song."""

    song: CutSong | None
    edit: SongEdit
    balance: Balance
    pulse: str
    tempo: Fraction
    events: tuple[Sounds, ...]


def compose(
    cuts: Sequence[Cut], tempo: Tempo, vibe: Vibe, song: CutSong | None, sound: SpokenSound, story: Story
) -> Score:
    """The sound of a trailer."""
    voices, film = choose_voices(cuts, tempo, sound, story), sound.levels
    slots = [cut.slot for cut in cuts]
    edit = edit_song(song.beats, slots, song.levels, song.facts.duration, song.start) if song else SongEdit()
    lines = [cut.line.range for cut in cuts if cut.line is not None] + [voice.line.range for voice in voices]
    heard = [part for cut, start, until in placed(cuts, tempo) if (part := cut.heard(until - start)) is not None]
    sure = {line.index for line in sound.dialogue.lines if line.sure}
    audible = placed(cuts, tempo) if sure else ()  # where no phrase is sure, all are birds and violins
    phrases = {number: _audible_phrases(*each) for number, each in enumerate(audible)}
    wordless = [phrase for each in phrases.values() for phrase in each]
    if not lines and 10 * _seconds(wordless) >= _seconds(heard):
        lines = wordless  # speech whose words are not known
    mix = balance(film, lines, heard, vibe, _song_level(song, edit))
    effects = _Effects(vibe, tempo.grid.metre, film, level_within(film, heard))
    speaks = audible_lines(cuts, tempo) if sure else {}
    music = _music_levels(cuts, tempo, vibe, song, edit)
    spans = [(start, end) for _, start, end in placed(cuts, tempo)]
    under = under_voices(voices, spans, music, mix)
    leveled = [LeveledVoice(v, line_gain(film, [v.line.range], mix.anchor, _VOICE_GAIN)) for v in voices]
    events = []
    for number, cut in enumerate(cuts):
        before = cuts[number - 1] if number else None
        said = phrases.get(number, []) if mix.spoken else []
        gain, why = _gain(cut, said, film, mix.anchor, cut.heard(spans[number][1] - spans[number][0]))
        level = level_within(film, said)
        deep = depth(music[number], level if level is None else level + gain, mix)
        duck = _duck(cut, number in speaks, mix.spoken or not sure.isdisjoint(speaks.get(number, ())), deep)
        events.append(
            Sounds(
                tuple(effects.of(cut, before)),
                tuple(voice for voice in leveled if voice.over.event == number),
                gain,
                why,
                *max(duck, under.get(number, duck), key=lambda each: each[0] or 0),
                _is_silent(cut),
                _cue(cut, before, edit),
            )
        )
    beat = tempo.grid.seconds_at(Fraction(1)) - tempo.grid.seconds_at(Fraction(0))
    return Score(song, edit, mix, vibe.pulse, 60 / beat, tuple(events))


def _gain(
    cut: Cut, phrases: Sequence[FilmRange], film: LoudnessCurve, anchor: int, heard: FilmRange | None
) -> tuple[int, str]:
    """The gain of the film's own sound, and the reason: the speech in it, else its part in the trailer."""
    if phrases:
        what = "the line" if cut.line is not None else "what is said"
        loudest = max((film.within(heard) if heard is not None else ()), default=anchor)
        most = min(_SHOT_GAIN, max(_LOUD_SCENE, int(anchor + _ABOVE_WORDS - loudest)))
        return min(most, line_gain(film, phrases, anchor, _SHOT_GAIN)), f"{what} to the level of the dialogue"
    level = cut.slot.level
    why = "softer, so that the last act can rise" if level < 0 else "louder: the trailer rises"
    return level, f"the film's sound is {why}"


def _audible_phrases(cut: Cut, start: Fraction, end: Fraction) -> list[FilmRange]:
    """The parts of a cut with its line, or if it has none, with any speech."""
    heard = cut.heard(end - start)
    if cut.take is None or heard is None or cut.tone is not None:
        return []
    lines = [cut.line] if cut.line is not None else cut.take.lines
    parts = [FilmRange(max(heard.start, line.range.start), min(heard.end, line.range.end)) for line in lines]
    return [part for part in parts if part.duration > 0]


def _seconds(ranges: Sequence[FilmRange]) -> Fraction:
    return sum((each.duration for each in ranges), Fraction(0))


def _music_levels(
    cuts: Sequence[Cut], tempo: Tempo, vibe: Vibe, song: CutSong | None, edit: SongEdit
) -> list[float | None]:
    """The level of the music under each cut, at a gain of 0 dB."""
    if song is None:
        return [*pulse_levels(cuts, vibe.pulse)]
    return [*song_levels(cuts, tempo, song.levels, edit.parts or ((edit.start, song.facts.duration),))]


def _song_level(song: CutSong | None, edit: SongEdit) -> float | None:
    """The level of the song at a gain of 0 dB, in the loudest of its used parts; None without a song, or if silent."""
    if song is None:
        return None
    parts = edit.parts or ((edit.start, song.facts.duration),)
    levels = [gated(song.levels.loudness(begin, end)) for begin, end in parts]
    return max((level for level in levels if level is not None), default=None)


# Each event


def _is_silent(cut: Cut) -> bool:
    return cut.slot.silent


def _is_title(cut: Cut) -> bool:
    return cut.slot.want is Want.CARD and cut.slot.act == "title card"


def _opens(cut: Cut, before: Cut | None) -> bool:
    """Whether an act begins with this cut, not counting its black."""
    return before is None or before.slot.act != cut.slot.act or before.slot.want is Want.BLACK


@dataclass(frozen=True, slots=True)
class _Effects:
    """A genre's effects for a film with these levels; `usual` is the level of all shown parts."""

    vibe: Vibe
    metre: int
    film: LoudnessCurve
    usual: float | None

    def of(self, cut: Cut, before: Cut | None) -> Iterator[Sfx]:
        """The effects that differ from the vibe's own: hits at the drop and the title, softer ones in quiet scenes."""
        heavy = self.vibe.effects["beat_cut"] in ("punch", "heartbeat")
        if _is_title(cut) and _opens(cut, before):
            yield from _title_hit(self.vibe, heavy)
        elif cut.slot.want is Want.CARD and not _is_title(cut):
            yield from _card_hit(self.vibe)
        elif cut.take is not None:
            gain = effect_gain(self.film, cut.in_, self.usual)
            if cut.slot.act == "beat drop" and before is not None and _opens(cut, before):
                yield from _drop_hit(self.vibe, heavy, gain, self.metre)
            elif gain and _has_effect(cut, before, self.vibe):
                yield Sfx(gain=gain)


def _title_hit(vibe: Vibe, heavy: bool) -> Iterator[Sfx]:
    """The hit on the title, by the genre's character; some genres only have their usual effect."""
    if heavy:
        yield Sfx("braam", gain={"driving": 6, "steady": 4, "soft": 2}[vibe.pulse])
        yield Sfx("sub drop", gain=4)
    elif vibe.effects["beat_cut"] != "none":
        yield Sfx()
        yield Sfx("sub drop", gain=-6)


def _card_hit(vibe: Vibe) -> Iterator[Sfx]:
    """A soft hit on a card between the acts."""
    hit = next(
        (vibe.effects[kind] for kind in ("act", "beat_cut", "dip_to_black") if vibe.effects[kind] != "none"), None
    )
    if hit is not None:
        yield Sfx(hit, gain=-4)


def _drop_hit(vibe: Vibe, heavy: bool, gain: int, metre: int) -> Iterator[Sfx]:
    """A rising sound over the black, and the genre's own hit at the drop."""
    hit = vibe.effects["beat_cut"]
    if heavy:
        yield Sfx("riser", f"{metre} beats", gain)
        yield Sfx(hit, gain=gain)
    else:
        yield Sfx("reverse swell", "2 beats", max(-12, gain - 6))
        yield Sfx(None if hit == "none" else hit, gain=gain)


def _has_effect(cut: Cut, before: Cut | None, vibe: Vibe) -> bool:
    """Whether the vibe has an effect for the cut into this shot."""
    if before is None:
        return False
    kind = cut.enters.rstrip("0123456789./ beats").strip().replace(" ", "_")
    if kind == "cut":
        kind = "beat_cut" if cut.slot.beats <= 2 or _is_silent(before) else "cut"
    acts = vibe.effects["act"] if before.slot.act != cut.slot.act else "none"
    return vibe.effects.get(kind, "none") != "none" or acts != "none"


def _duck(cut: Cut, speaks: bool, sure: bool, deep: int) -> tuple[int | None, str]:
    """How much the music is lowered in a cut, `deep` where somebody speaks, and the reason; None: as the spec's `duck`
    says. In a film with hardly any speech, a phrase that is not `sure` may be a bird, and the music is lowered less."""
    if cut.take is None or not cut.own_sound:
        return None, ""
    if cut.line is not None or (speaks and sure):
        why = [] if cut.line is not None else ["somebody speaks"]
        why += ["the music is loud here"] if deep > UNDER_SPEECH else []
        return (deep, ", and ".join(why)) if why else (None, "")
    if speaks:
        return _UNDER_FEELING, "somebody may speak"
    strong = any(line.strength >= _STRONG for line in cut.take.lines)
    return (_UNDER_FEELING, "a strong moment") if strong and cut.take.signals.emotion >= _TOP else (None, "")


def _cue(cut: Cut, before: Cut | None, edit: SongEdit) -> str | None:
    """The music ends on the title card and rings until the card ends."""
    if _is_title(cut) and _opens(cut, before):
        return "hit" if edit.ending == "cue" else "stop"
    after_card = before is not None and _is_title(before) and not _is_title(cut)
    return "stop" if edit.ending == "cue" and after_card else None
