"""Film → Spec, as text. Each stage is a module and a pure function over typed values; slow stages are cached.

    film ─ probe ─ dialogue ─ music ─ shots ─ loudness ─ looks ─ scenes ─ signals ─ story ─ blueprint ─ arrange ─ score
    ─► write

Files that the user may have named wrongly are opened before any slow stage. If there are models, they describe the
scenes and choose the story's turning points; whatever they cannot do is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

from cinecut.analysis.cache import Cache
from cinecut.analysis.decisions import Decisions
from cinecut.analysis.dialogue.lines import Dialogue
from cinecut.analysis.edit import blueprint, light
from cinecut.analysis.edit.arrange import arrange
from cinecut.analysis.edit.blocks import Block, draw_blocks
from cinecut.analysis.edit.cuts import Cut, Take, Tempo, last_length
from cinecut.analysis.edit.score.song_edit import first_bar
from cinecut.analysis.edit.score.sound import CutSong, Score, compose
from cinecut.analysis.edit.score.voices import SpokenSound
from cinecut.analysis.edit.takes import Measurements
from cinecut.analysis.episodes import Episode, united
from cinecut.analysis.film import signals
from cinecut.analysis.film.loudness import LoudnessCurve
from cinecut.analysis.film.screen import NO_BARS, Bars
from cinecut.analysis.film.shots import FilmShot
from cinecut.analysis.measure import Listened, listen, watch
from cinecut.analysis.plugged import Describing, beats_stage
from cinecut.analysis.programme import Programme
from cinecut.analysis.report.credits import credits_text, own_credit
from cinecut.analysis.request import Request
from cinecut.analysis.song.beats import Beats, octave_of
from cinecut.analysis.song.levels import LEVELS
from cinecut.analysis.stage import Progress, StageRunner
from cinecut.analysis.story import arc
from cinecut.analysis.story.meaning import DRAMA
from cinecut.analysis.story.narrative import Evidence, find_narrative
from cinecut.analysis.story.scenes import NOTHING, Described
from cinecut.analysis.title import common_title, film_title, is_doubtful
from cinecut.analysis.to_spec import to_spec
from cinecut.diagnostics import Diagnostic, Stop, excerpt
from cinecut.files import fingerprint
from cinecut.inference.server import Models
from cinecut.known.record import Known, KnownLine, KnownShot, KnownSong, films_print, keep, scored_acts, timeline_digest
from cinecut.language.document.layout import Remarks
from cinecut.language.facts import FilmFacts
from cinecut.language.grid import Grid
from cinecut.language.spec import Music, Spec
from cinecut.language.timebase import FilmTime
from cinecut.language.write import write_spec
from cinecut.media import probe

_MOST = Fraction(2, 5)  # of the shots that can be shown; a trailer with more is like that of any other vibe


@dataclass(frozen=True, slots=True, repr=False)
class Analysis:
    """The result of `analyze`."""

    spec: Spec
    remarks: Remarks  # for the spec's file
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
    credits: str | None = None  # the text of a file with the credits that the licences demand
    takes: tuple[Take, ...] = ()  # that could be chosen
    score: Score | None = None
    levels: LoudnessCurve | None = None
    episodes: tuple[Episode, ...] = ()  # the film, or several; shots and lines have their own film's times
    last: Fraction | None = None  # seconds of the last cut, where it ends off the beats for the requested length

    def __repr__(self) -> str:
        """Short, since the fields hold megabytes."""
        films = ", ".join(each.path.name for each in self.episodes)
        return f"<Analysis of {films}: {len(self.cuts)} events, {float(self.seconds):.1f} s>"

    @property
    def text(self) -> str:
        """The text of the spec's file."""
        return write_spec(self.spec, self.remarks)

    @property
    def seconds(self) -> Fraction:
        """The trailer's length."""
        return _length_of(self.cuts, self.tempo, self.last)


def analyze(request: Request, progress: Progress, cache: Cache | None = None) -> Analysis:
    """Analyse a film and write the spec of a trailer; the results are kept for `check`, `sheet` and `recut`. Raises
    Stop if no trailer can be made of the film."""
    analysis = _analyze(request, progress, cache)
    keep(known_about(analysis, request))
    return analysis


def _analyze(request: Request, progress: Progress, cache: Cache | None) -> Analysis:
    vibe, models = request.vibe, _models(request)
    _check_names(request)
    listened = [listen(each, line) for each, line in _each(request, progress, cache)]
    _check_twice(listened)
    song, song_warnings = _music(request, progress)
    parts = [watch(each, models) for each in listened]
    watched = united(parts, request.names)
    programme = Programme(parts, watched) if request.blocks else None
    line, facts, dialogue, usable = listened[0].line, watched.facts, watched.dialogue, watched.usable
    drama = {index: meaning[DRAMA] for index, meaning in watched.meanings.items()}
    measured = signals.measure(usable, watched.looks, watched.active, watched.levels, dialogue.lines, drama)
    evidence = Evidence(watched.shots, watched.levels, dialogue, watched.described, watched.meanings)
    narrative = find_narrative(evidence, models, line)
    heard = Dialogue() if watched.levels.silent else dialogue  # subtitles of a silent film are not heard
    texts, unsure = _texts(request)
    talks = any(line.standalone >= 0.5 for line in heard.lines)
    story, end = narrative.story, FilmTime(facts.duration)
    shown = usable if request.spoilers else arc.without_the_end(usable, story) or usable
    measurements = Measurements(
        watched.looks, measured, watched.active, narrative, heard.lines, watched.meanings, watched.pauses(heard)
    )
    takes = measurements.takes(shown, facts.rate)
    if programme is not None:
        takes = programme.takes(measurements, [each.line for each in listened], models, request.spoilers)
    blocks = programme.blocks() if programme is not None else ()
    wanted, length = _lengths(request, takes, facts)
    slots, song = _slots(replace(request, texts=texts), length, song, talks, blocks)
    tempo = _tempo(request, song, facts)
    bars = watched.episodes[0].bars
    cuts = _cuts(request, slots, takes, tempo, bars)
    sound = SpokenSound(watched.rendered, heard, end, end if request.spoilers else story.climax.at)
    score = compose(cuts, tempo, vibe, song, sound, story)
    decided = Decisions(watched, request.target, vibe, story, cuts, score, narrative.protagonist)
    last = _last(cuts, tempo, request.length, score)
    decided = replace(decided, spoilers=request.spoilers, plugins=request.plugins, last=last)
    length = _length_of(cuts, tempo, last)
    short = [*unsure, *_without_room(texts, cuts), *_too_short(request, length, wanted, tempo, score)]
    short += _little_choice(request.film, takes, cuts)
    said = (*watched.diagnostics, *song_warnings, *watched.described.diagnostics, *narrative.diagnostics, *short)
    return Analysis(
        *to_spec(decided),
        facts,
        tuple(replace(shot, range=watched.own(shot.range)) for shot in watched.shots),
        replace(dialogue, lines=tuple(replace(each, range=watched.own(each.range)) for each in dialogue.lines)),
        story,
        song.beats if song else None,
        tempo,
        tuple(cuts),
        said,
        watched.described,
        bars,
        credits_text(request.films, song.credit if song else None),
        tuple(takes),
        score,
        watched.rendered,
        watched.episodes,
        last,
    )


def _each(request: Request, progress: Progress, cache: Cache | None) -> Iterator[tuple[Request, StageRunner]]:
    """A request for each film, and the progress of its stages as a share of all."""
    count = len(request.films)
    for number, each in enumerate(request.each):

        def tell(stage: str, done: float, number: int = number) -> None:
            progress(stage, (number + done) / count)

        yield each, StageRunner(cache or Cache(fingerprint(each.film)), tell)


def _models(request: Request) -> Models | Describing | None:
    plugins = request.plugins
    return Describing(plugins["describe"], request.models) if "describe" in plugins else request.models


def _check_twice(films: Sequence[Listened]) -> None:
    known: dict[str, Path] = {}
    for each in films:
        other = known.setdefault(each.facts.fingerprint, each.request.film)
        if other is not each.request.film:
            raise Stop("option", f"{each.request.film} is the same film as {other}", "name each film once")


def _check_names(request: Request) -> None:
    """Raise Stop if a file's name is not UTF-8: the spec, which is UTF-8, could not contain it."""
    for file in (*request.films, request.music):
        # Bytes that are not UTF-8 are surrogates in Python's names.
        if file is not None and any("\ud800" <= char <= "\udfff" for char in str(file.absolute())):
            message = f"the name of {file} is not UTF-8, so a spec cannot name it"
            raise Stop("unreadable", message, "rename it, or make a link to it")


def _lengths(request: Request, takes: Sequence[Take], facts: FilmFacts) -> tuple[Fraction, Fraction]:
    """The wanted length of the trailer, and the length that the takes allow; both in seconds."""
    material = sum((take.range.duration for take in takes), Fraction(0))
    wanted = request.length or blueprint.trailer_length(facts.duration, material)
    return wanted, min(wanted, max(Fraction(blueprint.LEAST), material))


def _music(request: Request, progress: Progress) -> tuple[CutSong | None, list[Diagnostic]]:
    if request.music is None:
        return None, []
    vibe, file = request.vibe, request.music
    facts = probe.song_facts(file)
    line = StageRunner(Cache(facts.fingerprint), progress)
    stage = beats_stage(request.plugins.get("beats"))
    expected, likely = octave_of(request.tempo) if request.tempo else (vibe.tempo, vibe.likely_tempo)
    beats, warnings = line.run(stage, file, expected, likely)
    return CutSong(file, facts, beats, line.run(LEVELS, file), request.credit or own_credit(file, "song")), warnings


def _slots(
    request: Request, length: Fraction, song: CutSong | None, talks: bool, films: Sequence[Block]
) -> tuple[list[blueprint.Slot], CutSong | None]:
    """The slots of the trailer (for a programme, a block for each film), and the song, with a start if its tempo
    changes."""
    vibe, beats = request.vibe, song.beats if song else None
    metre = beats.metre if beats else 4
    plan = blueprint.Plan(
        request.skeleton, vibe, length, _mean_tempo(request.pulse, beats), metre, talks, request.texts
    )
    draw = partial(draw_blocks, blocks=films) if films else blueprint.draw
    slots = draw(plan)
    if song is None or song.beats.tempo is not None:
        return slots, song
    song = replace(song, start=first_bar(song.beats, slots))
    grid = _grid(request.pulse, song)
    return draw(replace(plan, tempo=grid.beat_at(length) * 60 / length)), song


def _texts(request: Request) -> tuple[Mapping[str, str], list[Diagnostic]]:
    """The texts of the cards, with the film's own title if the request has none. A doubtful title is left out; a
    programme takes no title from its films."""
    if "title" in request.texts or request.blocks:
        return request.texts, []
    title = common_title(request.films) if request.others else film_title(request.film)
    if request.others and not title:
        message = "the films' titles have nothing in common: the trailer has none"
        hint = "analyze --title gives them a common title"
        return request.texts, [Diagnostic("film", message, None, (hint,))]
    if is_doubtful(title):
        message = f"{excerpt(title)} is no title for a card: the trailer has none"
        return request.texts, [Diagnostic("film", message, None, ("--title sets the film's title",))]
    return {"title": title, **request.texts}, []


def _without_room(texts: Mapping[str, str], cuts: Sequence[Cut]) -> list[Diagnostic]:
    """A warning for each text that has no place in the trailer."""
    shown = " ".join(cut.slot.text for cut in cuts).split()
    gone = [name for name, text in texts.items() if text and not set(text.split()) <= set(shown)]
    message = "there is no room for the {}: black and cards take a tenth of a trailer at most"
    return [Diagnostic("film", message.format(name), None, ("take a longer trailer with --length",)) for name in gone]


def _mean_tempo(pulse: Fraction, beats: Beats | None) -> Fraction:
    if beats is None:
        return pulse
    return beats.tempo or 60 * (len(beats.times) - 1) / (beats.times[-1] - beats.times[0])


def _grid(pulse: Fraction, song: CutSong | None) -> Grid:
    """The trailer's beats; beat 0 is its first frame."""
    if song is not None and song.beats.tempo is None:
        start = song.start
        return Grid(song.beats.metre, times=tuple(time - start for time in song.beats.times if time >= start))
    beats = song.beats if song else None
    return Grid(beats.metre if beats else 4, Fraction(0), 60 / _mean_tempo(pulse, beats))


def _tempo(request: Request, song: CutSong | None, facts: FilmFacts) -> Tempo:
    grid, vibe = _grid(request.pulse, song), request.vibe
    longest = max((right - left for left, right in pairwise(grid.times)), default=grid.period)
    fades = "crossfade" in (vibe.usual, vibe.acts)
    return Tempo(grid, facts.rate, facts.rate, longest / 2 + 2 / facts.rate if fades else Fraction(0))


def _cuts(
    request: Request, slots: Sequence[blueprint.Slot], takes: Sequence[Take], tempo: Tempo, bars: Bars
) -> list[Cut]:
    cuts = arrange(slots, takes, request.vibe, tempo, float(request.skeleton.order))
    if not any(cut.take for cut in cuts):
        raise Stop("no-material", f"no part of {request.film} is long enough to be shown")
    return light.match(cuts, request.vibe.grade, bars) if request.match_light else cuts


def _length_of(cuts: Sequence[Cut], tempo: Tempo, last: Fraction | None) -> Fraction:
    """Seconds of the trailer; `last`: of its last cut, if that is not as long as its slot."""
    ends = [tempo.grid.seconds_at(Fraction(sum(cut.slot.beats for cut in each))) for each in (cuts, cuts[:-1])]
    return ends[0] if last is None else ends[1] + last


def _last(cuts: Sequence[Cut], tempo: Tempo, wanted: Fraction | None, score: Score) -> Fraction | None:
    """The seconds of the last cut with which the trailer is as long as requested."""
    if wanted is None:
        return None
    starts = [tempo.grid.seconds_at(Fraction(sum(cut.slot.beats for cut in cuts[:n]))) for n in range(len(cuts))]
    voices = [(starts[n], voice.over) for n, sounds in enumerate(score.events) for voice in sounds.voices]
    spoken = max((start + over.at + over.take.duration for start, over in voices), default=Fraction(0))
    return last_length(cuts, tempo, wanted, spoken - starts[-1])


def _little_choice(film: Path, takes: Sequence[Take], cuts: Sequence[Cut]) -> list[Diagnostic]:
    """A warning if the trailer shows so many of the film's shots that other vibes can hardly show others."""
    shots, shown = ({each.shot for each in some} for some in (takes, (cut.take for cut in cuts if cut.take)))
    if len(shown) < _MOST * len(shots):
        return []
    message = f"the trailer shows {len(shown)} of the {len(shots)} shots of {film.name} that can be shown"
    hint = "a shorter trailer with --length leaves more choice"
    return [Diagnostic("film", f"{message}: other vibes will show mostly the same", None, (hint,))]


def _too_short(request: Request, seconds: Fraction, wanted: Fraction, tempo: Tempo, score: Score) -> list[Diagnostic]:
    """Warnings if the film or the song is too short for the trailer."""
    song, shortages = score.song, []
    bar = tempo.grid.seconds_at(Fraction(tempo.grid.metre))
    if seconds < wanted - (bar if request.length is None else min(bar, Fraction(1, 2))):
        needed = f"{float(wanted):g} s: the trailer takes {float(seconds):.1f} s"
        shortages.append(Diagnostic("film", f"{request.film.name} has too little to show for {needed}"))
    if song is not None and (missing := seconds - (song.facts.duration - score.edit.start)) > 0:
        message = f"{song.file.name} ends {float(missing):.1f} s before the trailer does"
        message += ": parts of it are heard again" if song.beats.tempo is not None else ""
        shortages.append(
            Diagnostic("music", message, None, ("take a longer song, or a shorter trailer with --length",))
        )
    return shortages


# For `check`, `sheet` and `recut`


def known_about(analysis: Analysis, request: Request) -> Known:
    """The side file of an analysis."""
    music = analysis.spec.music
    return Known(
        films_print([each.facts.fingerprint for each in analysis.episodes]),
        tuple(KnownShot(shot.range, shot.why_not) for shot in analysis.shots),
        tuple(KnownLine(line.range, line.text) for line in analysis.dialogue.lines),
        _known_song(music) if music is not None else None,
        scored_acts(analysis.spec),
        music is not None and _ends_early(music, analysis),
        analysis.text,
        timeline_digest(analysis.spec.timeline),
        _asked(request),
    )


def _known_song(music: Music) -> KnownSong | None:
    beats = music.beats
    if music.facts is None or beats is None:
        return None
    return KnownSong(music.facts.fingerprint, beats.tempo, beats.first.seconds, beats.metre, beats.times)


def _ends_early(music: Music, analysis: Analysis) -> bool:
    """Whether the song ends before the trailer does."""
    if music.facts is None or music.loop:
        return False
    return music.facts.duration - music.start.seconds < analysis.seconds


def _asked(request: Request) -> dict[str, str]:
    """The options of this request that a later analysis of the film reuses."""
    asked = {
        "subtitles": request.subtitles and str(request.subtitles.absolute()),
        "language": request.language,
        "shift": request.shift,
        "rate": request.rate,
        "length": request.length,
        "tempo": request.tempo,
        "spoilers": request.spoilers or None,
        "match_light": request.match_light or None,
        "measured": not request.transcribes or None,
        "blocks": request.blocks or None,
        "structure": request.structure and request.structure.choice,
        **{f"text.{name}": text for name, text in request.texts.items()},
    }
    return {key: str(value) for key, value in asked.items() if value is not None}
