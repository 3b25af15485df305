"""Film → Spec, as text. Each stage is a file of its own and a pure function over typed values; what takes long is kept
by content.

    film ─ probe ─ dialogue ─ music ─ shots ─ loudness ─ looks ─ scenes ─ signals ─ story ─ blueprint ─ arrange ─ score
    ─► write

What a user may have named wrongly is opened before anything that takes long. Models describe the scenes and choose the
story's turning points where there are some; what they cannot do is measured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from threading import Event

from cinecut.analysis.cache import Cache
from cinecut.analysis.dialogue.lines import Dialogue, Line, Spoken, read_dialogue
from cinecut.analysis.edit import blueprint, light
from cinecut.analysis.edit.arrange import Cut, Take, Tempo, arrange
from cinecut.analysis.edit.song_edit import first_bar
from cinecut.analysis.edit.sound import Song, compose
from cinecut.analysis.film import pictures, signals
from cinecut.analysis.film.loudness import LoudnessCurve, listen
from cinecut.analysis.film.screen import NO_BARS, Bars
from cinecut.analysis.film.shots import FilmShot, find_shots
from cinecut.analysis.report.credits import credits_text, own_credit
from cinecut.analysis.song.beats import Beats, analyse_music
from cinecut.analysis.song.levels import SongLevels, as_rendered, measure_song
from cinecut.analysis.story import arc
from cinecut.analysis.story.narrative import Told, tell
from cinecut.analysis.story.scenes import NOTHING, Described, describe
from cinecut.analysis.to_spec import spec_text
from cinecut.diagnostics import Diagnostic, Stop
from cinecut.files import fingerprint
from cinecut.inference.server import Models
from cinecut.language.facts import FilmFacts
from cinecut.language.grid import Grid
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media import probe
from cinecut.media.open import open_media, tags
from cinecut.vibes import Vibe

Progress = Callable[[str, float], None]  # a stage's name and its share done
_VERSION = 5  # of what the stages put out
_LONGEST_TAKE = Fraction(12)  # seconds; a longer shot is several takes


@dataclass(frozen=True, slots=True)
class Request:
    """What `analyze` is asked for. `target` is where the spec will lie; `models` help where they can."""

    film: Path
    target: Path
    vibe: Vibe
    subtitles: Path | None = None
    language: str | None = None
    music: Path | None = None
    credit: str | None = None  # of the music, as its licence wants it
    length: Fraction | None = None
    spoilers: bool = False
    match_light: bool = False  # of shots whose light differs much from that of their act
    models: Models | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """What analyze found and decided."""

    text: str
    facts: FilmFacts
    shots: tuple[FilmShot, ...]
    dialogue: Dialogue
    story: arc.Story
    beats: Beats | None
    tempo: Tempo
    cuts: tuple[Cut, ...]
    diagnostics: tuple[Diagnostic, ...]
    seen: Described = NOTHING
    bars: Bars = NO_BARS
    credits: str | None = None  # the text of a file that names whom the licences want named

    @property
    def seconds(self) -> Fraction:
        """The trailer's length."""
        return _length_of(self.cuts, self.tempo)


@dataclass(frozen=True, slots=True)
class _Shots:
    shots: tuple[FilmShot, ...]
    bars: Bars
    diagnostics: tuple[Diagnostic, ...]


_Looks = dict[int, signals.Appearance]  # by the index of their shot, as all of these
_Activities = dict[int, signals.Activity]


def analyze(request: Request, progress: Progress, cache: Cache | None = None) -> Analysis:
    """Look at a film and write a trailer of it as a spec. Raises Stop where nothing can be made of it."""
    film, vibe = request.film, request.vibe
    cache = cache or Cache(fingerprint(film))
    _check_names(request)
    facts = cache.stage("facts", _VERSION, None, FilmFacts, lambda: probe.film_facts(film))
    dialogue, said = read_dialogue(film, facts.duration, facts.start, request.subtitles, request.language)
    song, heard = _music(request, progress)
    beats = song.beats if song else None
    found = cache.stage("shots", _VERSION, None, _Shots, lambda: _find_shots(film, facts, progress))
    usable = _usable(film, found)
    levels = cache.stage("loudness", _VERSION, None, LoudnessCurve, lambda: _listen(film, facts, progress))
    moments = pictures.moments(usable, dialogue.lines)
    looks = cache.stage("looks", _VERSION, moments, _Looks, lambda: _look(film, facts, usable, moments, progress))
    active = cache.stage("activity", _VERSION, None, _Activities, lambda: signals.activity(film, facts, usable))
    seen = describe(film, facts, usable, request.models, cache.folder, partial(progress, "scenes"))
    measured = signals.measure(usable, looks, active, levels, dialogue.lines, seen.completeness)
    told = tell(request.models, cache, found.shots, levels, dialogue, seen, partial(progress, "story"))
    wanted, length = _lengths(request, usable, facts)
    slots, start = _laid_out(vibe, length, beats, _talks(dialogue))
    tempo = _tempo(vibe, beats, start, facts)
    shown = usable if request.spoilers else arc.before_the_climax(usable, told.story) or usable
    takes = _Known(looks, measured, active, told, dialogue.lines).takes(shown, facts.rate)
    cuts = _cuts(request, slots, takes, tempo, found.bars)
    mono, end = _as_rendered(levels, facts), FilmTime(facts.duration)
    score = compose(cuts, tempo, vibe, song, start, mono, dialogue, told.story, end, request.spoilers)
    text = spec_text(
        request.target,
        film,
        facts,
        found.bars,
        vibe,
        score,
        told.story,
        cuts,
        film_title(film),
        spoilers=request.spoilers,
        seen=seen,
        protagonist=told.protagonist,
    )
    short = _too_short(film, _length_of(cuts, tempo), wanted, tempo, song, score.edit.start)
    warnings = (*found.diagnostics, *said, *heard, *seen.diagnostics, *told.diagnostics, *short)
    named = credits_text(own_credit(film, "film"), song.credit if song else None)
    return Analysis(
        text, facts, found.shots, dialogue, told.story, beats, tempo, tuple(cuts), warnings, seen, found.bars, named
    )


def _check_names(request: Request) -> None:
    """A spec is UTF-8, and names its files."""
    for file in (request.film, request.music):
        if file is not None and _holds_other_bytes(str(file.absolute())):
            message = f"the name of {file} is not UTF-8, so a spec cannot name it"
            raise Stop("unreadable", message, "rename it, or make a link to it")


def _holds_other_bytes(name: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in name)  # how Python keeps what is not UTF-8


def _find_shots(film: Path, facts: FilmFacts, progress: Progress) -> _Shots:
    found = find_shots(film, facts, partial(progress, "shots"))
    return _Shots(found.shots, found.bars, found.diagnostics)


def _usable(film: Path, found: _Shots) -> list[FilmShot]:
    usable = [shot for shot in found.shots if shot.usable]
    if not usable:
        reasons = ", ".join(sorted({shot.why_not or "" for shot in found.shots}))
        raise Stop("no-material", f"nothing of {film} can be shown: all of it is {reasons or 'empty'}")
    return usable


def _listen(film: Path, facts: FilmFacts, progress: Progress) -> LoudnessCurve:
    return listen(film, facts, 0, partial(progress, "loudness"))


def _as_rendered(levels: LoudnessCurve, facts: FilmFacts) -> LoudnessCurve:
    return as_rendered(levels, facts.audio[0].layout) if facts.audio else levels


def _look(
    film: Path, facts: FilmFacts, shots: Sequence[FilmShot], moments: Sequence[pictures.Moment], progress: Progress
) -> _Looks:
    """How each shot looks, from the pictures at its moments; two halves of the film at once."""
    middle = len(moments) // 2
    halves = [half for half in (moments[:middle], moments[middle:]) if half]
    done, stopped = [0.0] * len(halves), Event()

    def look(number: int) -> list[signals.Appearance]:
        def heard(share: float) -> None:
            if stopped.is_set():
                raise CancelledError
            done[number] = share
            progress("looks", sum(done) / len(done))

        return [signals.observe(p) for p in pictures.look(film, facts, shots, halves[number], heard)]

    found: dict[int, list[signals.Appearance]] = {}
    with ThreadPoolExecutor(2) as pool:
        try:
            for seen in chain.from_iterable(pool.map(look, range(len(halves)))):
                found.setdefault(seen.shot, []).append(seen)
        except BaseException:  # an interrupt, say: the threads shall not finish their films first
            stopped.set()
            raise
    return {index: signals.together(seen) for index, seen in found.items()}


def _lengths(request: Request, usable: Sequence[FilmShot], facts: FilmFacts) -> tuple[Fraction, Fraction]:
    """Seconds of a trailer that are wanted, and that there can be: no more than can be shown of the film."""
    material = sum((shot.range.duration for shot in usable), Fraction(0))
    wanted = request.length or blueprint.trailer_length(min(facts.duration, 4 * material))
    return wanted, min(wanted, max(Fraction(blueprint.LEAST), material))


def _talks(dialogue: Dialogue) -> bool:
    return any(line.standalone >= 0.5 for line in dialogue.lines)


def _music(request: Request, progress: Progress) -> tuple[Song | None, list[Diagnostic]]:
    if request.music is None:
        return None, []
    vibe, file = request.vibe, request.music
    facts = probe.song_facts(file)
    cache = Cache(facts.fingerprint)
    beats, warnings = cache.stage(
        "beats",
        _VERSION,
        (vibe.tempo, vibe.likely_tempo),
        tuple[Beats, tuple[Diagnostic, ...]],
        lambda: _beats(file, vibe, progress),
    )
    levels = cache.stage("levels", _VERSION, None, SongLevels, lambda: measure_song(file, partial(progress, "music")))
    return Song(file, facts, beats, levels, request.credit or own_credit(file, "song")), list(warnings)


def _beats(song: Path, vibe: Vibe, progress: Progress) -> tuple[Beats, tuple[Diagnostic, ...]]:
    beats, warnings = analyse_music(song, vibe.tempo, vibe.likely_tempo, partial(progress, "music"))
    return beats, tuple(warnings)


def _laid_out(vibe: Vibe, length: Fraction, beats: Beats | None, talks: bool) -> tuple[list[blueprint.Slot], Fraction]:
    """The slots of the trailer, and where in a song of changing tempo it begins: the tempo there counts."""
    metre = beats.metre if beats else 4
    slots = blueprint.draw(vibe, length, _mean_tempo(vibe, beats), metre, talks)
    if beats is None or beats.tempo is not None:
        return slots, Fraction(0)
    start = first_bar(beats, slots)
    grid = _grid(vibe, beats, start)
    return blueprint.draw(vibe, length, grid.beat_at(length) * 60 / length, metre, talks), start


def _mean_tempo(vibe: Vibe, beats: Beats | None) -> Fraction:
    if beats is None:
        return Fraction(vibe.likely_tempo)
    return beats.tempo or 60 * (len(beats.times) - 1) / (beats.times[-1] - beats.times[0])


def _grid(vibe: Vibe, beats: Beats | None, start: Fraction) -> Grid:
    """The trailer's beats; beat 0 is its first frame."""
    if beats is not None and beats.tempo is None:
        return Grid(beats.metre, times=tuple(time - start for time in beats.times if time >= start))
    return Grid(beats.metre if beats else 4, Fraction(0), 60 / _mean_tempo(vibe, beats))


def _tempo(vibe: Vibe, beats: Beats | None, start: Fraction, facts: FilmFacts) -> Tempo:
    grid = _grid(vibe, beats, start)
    longest = max((right - left for left, right in pairwise(grid.times)), default=grid.period)
    fades = "crossfade" in (vibe.usual, vibe.acts)
    return Tempo(grid, facts.rate, facts.rate, longest / 2 + 2 / facts.rate if fades else Fraction(0))


def _cuts(
    request: Request, slots: Sequence[blueprint.Slot], takes: Sequence[Take], tempo: Tempo, bars: Bars
) -> list[Cut]:
    cuts = arrange(slots, takes, request.vibe, tempo)
    if not any(cut.take for cut in cuts):
        raise Stop("no-material", f"no part of {request.film} is long enough to be shown")
    return light.match(cuts, request.vibe.grade, bars) if request.match_light else cuts


def _length_of(cuts: Sequence[Cut], tempo: Tempo) -> Fraction:
    return tempo.grid.seconds_at(Fraction(sum(cut.slot.beats for cut in cuts)))


def _too_short(
    film: Path, seconds: Fraction, wanted: Fraction, tempo: Tempo, song: Song | None, start: Fraction
) -> list[Diagnostic]:
    """What runs out before the trailer is as long as it should be: the film or the song."""
    found = []
    if seconds < wanted - tempo.grid.seconds_at(Fraction(tempo.grid.metre)):
        message = (
            f"{film.name} has too little to show for {float(wanted):.0f} s: the trailer takes {float(seconds):.0f} s"
        )
        found.append(Diagnostic("film", message))
    if song is not None and (missing := seconds - (song.facts.duration - start)) > 0:
        message = f"{song.file.name} ends {float(missing):.1f} s before the trailer does"
        message += ": parts of it are heard again" if song.beats.tempo is not None else ""
        found.append(Diagnostic("music", message, None, ("take a longer song, or a shorter trailer with --length",)))
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What the stages know of each shot, by its index."""

    looks: _Looks
    measured: dict[int, signals.Signals]
    active: _Activities
    told: Told
    lines: Sequence[Line]

    def takes(self, shots: Sequence[FilmShot], rate: Fraction) -> list[Take]:
        """What may be shown of these shots: of each one take, of a long one several."""
        types = arc.beat_types(shots, self.measured, self.told.story, self.lines, self.told.zones)
        spoken = Spoken(self.lines)
        known = (shot for shot in shots if shot.index in self.measured)
        return [take for shot in known for take in self._takes_of(shot, types[shot.index], spoken, rate)]

    def _takes_of(self, shot: FilmShot, kind: arc.BeatType, spoken: Spoken, rate: Fraction) -> Iterator[Take]:
        whole, index = arc.clean_range(shot, rate), shot.index
        if whole.duration <= 0:
            return
        count = -(-whole.duration // _LONGEST_TAKE)
        peak = self.active[index].peak if index in self.active else None
        for k in range(count):
            start = whole.start + whole.duration * k / count
            part = FilmRange(start, start + whole.duration / count)
            lines = tuple(spoken.within(part))
            here = peak if peak is not None and part.start <= peak < part.end else None
            zone = self.told.zones.get(index, self.told.story.zone(part.start))
            yield Take(index, part, self.measured[index], self.looks[index], zone, kind, lines, here)


_RELEASE = re.compile(
    r"(?i)\b(?:\d{3,4}[pi]\d*|[xh]\.?26[45]|hevc|avc|av1|xvid|divx|blu-?ray|b[dr]rip|web-?(?:dl|rip)?|dvd(?:rip)?|hdtv|"
    r"remux|proper|extended|uncut|multi|dts|aac|ac3|10bit|hdr|uhd|4k|trailer)\b.*"
)


def film_title(film: Path) -> str:
    """The film's title: the container's own, else its file name without what releases add to it."""
    with open_media(film) as media:
        given = " ".join(tags(media).get("title", "").split())
    if 0 < len(given) <= 60:
        return given.upper()
    name = re.sub(r"[._]+|\s*[\[(].*?[\])]", " ", film.stem)
    plain = _RELEASE.sub("", name).strip(" -")
    plain = re.sub(r"\b(19|20)\d\d$", "", plain).strip(" -") or film.stem
    return plain.upper()[:60]
