"""Spec + vibe + faces → Trailer: the compiler's first pass decides, once, all that a spec leaves open.

What the spec says holds; then what its vibe says; then what the film is; then the language's defaults, which reading
has filled in. No pass after this one asks whether something is there: what has not been measured has facts that stand
in for it, with which everything can be checked but nothing be rendered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.compiler.deliveries import Delivery, deliveries, rate_for
from cinecut.diagnostics import Report, Span, as_word
from cinecut.fonts.glyphs import Face
from cinecut.grade import NEUTRAL, Grade
from cinecut.kits import Kit
from cinecut.language.events import ActMarker, Effect, Event, Picture, Recorded, Still
from cinecut.language.facts import AudioFacts, FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.language.grid import Grid, grid_of, measure
from cinecut.language.spec import Film, Music, Rating, Spec
from cinecut.language.timebase import nearest
from cinecut.language.translation import Translation
from cinecut.vibes import PLAIN, TitleStyle, Vibe

CUTS = ("cut", "beat_cut", "crossfade", "dip_to_black", "dip_to_white", "act")  # the kinds that have a sound effect

_ENDLESS = Fraction(10**6)  # seconds: longer than any medium
_UNMEASURED_FILM = FilmFacts(
    "", size=(1920, 1080), rate=Fraction(24), duration=_ENDLESS, audio=(AudioFacts(48000, 2, "stereo"),)
)
_UNMEASURED_SONG = SongFacts("", duration=_ENDLESS, rate=48000, channels=2)
_UNMEASURED_STILL = StillFacts("", size=(1920, 1080))
_UNMEASURED_LUT = LutFacts("", tables="3d")

_RATING = Fraction(5)  # seconds that a rating card takes where nothing else is said


@dataclass(frozen=True, slots=True)
class Song:
    """A song file and its facts."""

    file: str
    facts: SongFacts


@dataclass(frozen=True, slots=True)
class Opening:
    """The rating card before the trailer: its file, the file's facts, and for how many frames it is shown."""

    file: str
    facts: FilmFacts | StillFacts
    frames: int


@dataclass(frozen=True, slots=True)
class OwnLut:
    """A .cube file of the user's."""

    file: str
    facts: LutFacts


@dataclass(frozen=True, slots=True)
class Footage:
    """A film that the trailer is cut from: its entry in the spec, its facts, and the audio stream used, if any."""

    film: Film
    facts: FilmFacts
    audio: AudioFacts | None

    @classmethod
    def of(cls, film: Film, facts: FilmFacts) -> Footage:
        return cls(film, facts, facts.audio[min(film.audio, len(facts.audio)) - 1] if facts.audio else None)


@dataclass(frozen=True, kw_only=True)
class Trailer:
    """A spec with everything decided. A remaining None has a meaning: a film without sound has no `audio`."""

    spec: Spec  # as it was written: where each value stands
    vibe: Vibe | None
    measured: bool  # every film; otherwise facts stand in
    footage: Mapping[str, Footage]  # by the films' names in a `FilmRange`: the first one's is empty
    rate: Fraction
    grid: Grid | None
    events: tuple[tuple[int, str | None, Event], ...]  # number from 1 without act markers, act, event
    effects: Mapping[str, str]  # of each of CUTS; "none": none
    grade: Grade
    style: TitleStyle
    faces: Mapping[str, Face]  # that titles and captions are set in, by their names
    lut: OwnLut | None
    song: Song | None  # the music's own
    opening: Opening | None
    outputs: Mapping[str, Delivery]
    translations: Mapping[str, Translation]  # by language

    def translation(self, file: Delivery) -> Translation | None:
        """The words of a file; None: the spec's own."""
        return self.translations.get(file.language or "")

    @property
    def film(self) -> FilmFacts:
        """The first film, as which the trailer looks: its rate, size and colours."""
        return self.footage[""].facts

    @property
    def music(self) -> Music | None:
        return self.spec.music

    @property
    def splice(self) -> Fraction:
        """Seconds by which hard cuts of the film's sound are softened."""
        return measure(self.spec.mix.splice, Fraction(0), self.rate, None) or Fraction(0)

    def picture_of(self, still: Picture) -> StillFacts:
        return still.facts or _UNMEASURED_STILL


def resolve(
    spec: Spec,
    vibe: Vibe | None,
    kits: Mapping[str, Kit],
    faces: Mapping[str, Face],
    translations: Mapping[str, Translation] | None = None,
) -> Trailer:
    """The trailer that a spec describes. `vibe`: the chosen one. `kits`: those that deliverables name. `faces`: those
    of `faces_of`. `translations`: by language."""
    films = spec.every_film
    film = films[""].facts or _unmeasured(spec)
    rate = rate_for(spec, film.rate, kits)
    music = spec.music
    return Trailer(
        spec=spec,
        vibe=vibe,
        measured=all(each.facts is not None for each in films.values()),
        footage={name: Footage.of(each, each.facts or _unmeasured(spec)) for name, each in films.items()},
        rate=rate,
        grid=grid_of(music),
        events=_events(spec),
        effects={kind: _effect(spec, vibe, kind) for kind in CUTS},
        grade=vibe.grade if vibe is not None and spec.lut is None else NEUTRAL,
        style=style_of(vibe),
        faces=faces,
        lut=OwnLut(spec.lut.file, spec.lut.facts or _UNMEASURED_LUT) if spec.lut is not None else None,
        song=Song(music.file, music.facts or _UNMEASURED_SONG) if music is not None and music.file else None,
        opening=_opening(spec.rating, rate),
        outputs=deliveries(spec, film, vibe, kits, translations or {}),
        translations=translations or {},
    )


def cue_song(event: Event) -> Song | None:
    """The song that starts with an event; None if the event starts none."""
    cue = event.cue
    return None if cue is None or cue.stops else Song(cue.file, cue.facts or _UNMEASURED_SONG)


def recording(sound: Recorded) -> Song | None:
    """The file that a voice or an effect comes from; None if it comes from none."""
    return None if sound.file is None else Song(sound.file, sound.facts or _UNMEASURED_SONG)


def faces_of(spec: Spec, vibe: Vibe | None, kits: Mapping[str, Kit]) -> set[str]:
    """The names of the typefaces that a spec's texts use."""
    files = [*spec.deliverables, *(part for kit in kits.values() for part in kit.outputs)]
    subtitles = [spec.output.subtitles, *(item.subtitles for item in files)]
    burned = {PLAIN.face} if "burned" in subtitles else set()
    written = any(getattr(entry, "titles", ()) or hasattr(entry, "card") for entry in spec.timeline)
    return burned | ({style_of(vibe).face} if written else set())


def style_of(vibe: Vibe | None) -> TitleStyle:
    return vibe.titles if vibe is not None else PLAIN


def _unmeasured(spec: Spec) -> FilmFacts:
    return replace(_UNMEASURED_FILM, rate=spec.output.rate or _UNMEASURED_FILM.rate)


def _events(spec: Spec) -> tuple[tuple[int, str | None, Event], ...]:
    """The events with their numbers and the acts that they belong to. The sounds of an act are heard with its first
    event, before that one's own."""
    numbered: list[tuple[int, str | None, Event]] = []
    act: str | None = None
    opening: tuple[Effect, ...] = ()
    for entry in spec.timeline:
        if isinstance(entry, ActMarker):
            act, opening = entry.act, entry.sound
        else:
            event = replace(entry, sound=(*opening, *entry.sound)) if opening else entry
            numbered.append((len(numbered) + 1, entry.act or act, event))
            opening = ()
    return tuple(numbered)


def _effect(spec: Spec, vibe: Vibe | None, kind: str) -> str:
    """The sound effect for a kind of cut: the spec's, else the vibe's."""
    named: str | None = getattr(spec.effects, kind)
    if named is None and spec.effects.usual == "vibe" and vibe is not None:
        named = vibe.effects[kind]
    return named or "none"


def _opening(rating: Rating | None, rate: Fraction) -> Opening | None:
    asset = (rating.clip or rating.still) if rating is not None else None
    if rating is None or asset is None:
        return None
    facts = asset.facts or (_UNMEASURED_FILM if rating.clip is not None else _UNMEASURED_STILL)
    seconds = facts.duration if isinstance(facts, FilmFacts) and asset.facts is not None else _RATING
    if rating.for_ is not None:
        seconds = measure(rating.for_, Fraction(0), rate, None) or _RATING  # there are no beats yet: the rules say so
    return Opening(asset.file, facts, max(1, nearest(seconds * rate)))


def check_linked(spec: Spec, report: Report) -> None:
    """Report every file whose facts a render needs but the spec lacks."""
    hint = f"run `cinecut link {as_word(spec.place.span.file)}`"
    music, rating, lut = spec.music, spec.rating, spec.lut
    card = (rating.still or rating.clip) if rating is not None else None
    wanted: list[tuple[str, object, Span]] = [
        (f"the film {name}".rstrip(), film.facts, film.place.span)
        for name, film in (spec.films or {"": spec.main_film}).items()
    ]
    wanted += [("the song", music.facts, music.place.of("file"))] if music is not None and music.file else []
    wanted += [("the LUT", lut.facts, lut.place.span)] if lut is not None else []
    wanted += [("the rating card", card.facts, card.place.span)] if card is not None else []
    for entry in spec.timeline:
        cue = None if isinstance(entry, ActMarker) else entry.cue
        wanted += [("this song", cue.facts, cue.place.span)] if cue is not None and not cue.stops else []
        own = [each for each in (*getattr(entry, "voice", ()), *entry.sound) if each.file]
        wanted += [("this sound", each.facts, each.place.span) for each in own]
        wanted += [("this picture", entry.still.facts, entry.still.place.span)] if isinstance(entry, Still) else []
    for what, facts, span in wanted:
        if facts is None:
            report.add("not-linked", f"{what} has not been measured yet", span, hint)
