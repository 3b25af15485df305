"""What an analysis knows of a film and of its song, and the spec that it wrote: a side file.

It is kept by content, in the cache: any spec of the film is checked by it, wherever the spec lies and whatever its name
is, and a copy or a renamed spec finds what it was made from. For another machine it also lies beside a spec, as
SPEC.known.json (`cinecut sheet --known` puts it there). A damaged or foreign file is as good as none.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut.files import beside, cache_folder, content_of, json_of, new_folder
from cinecut.language.document.layout import print_flow
from cinecut.language.events import ActMarker, Cue, Entry, Shot
from cinecut.language.spec import BeatGrid, Spec
from cinecut.language.timebase import FilmRange, FilmTime, rate_text
from cinecut.language.write import value_tree

_VERSION = 1
_KEPT = 400  # side files of one film, the newest ones: the specs of an editor's weeks
_KEPT_BYTES = 20_000_000  # of these
_KEPT_ALWAYS = 40  # of these, whatever their size
_OF_ANY_FILM = 100  # side files that are looked through for a film that was encoded anew
_BY_WORDS = 40  # side files that are compared word by word
_LARGEST = 20_000_000  # bytes


@dataclass(frozen=True, slots=True)
class KnownShot:
    """A shot of the film without the transitions at its ends: between two of them is a cut, a dissolve or a fade.
    `why_not`: why it should not be shown ("black", "title", "credits")."""

    range: FilmRange
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line of dialogue, or a phrase whose words are not known (text "")."""

    range: FilmRange
    text: str


@dataclass(frozen=True, slots=True)
class KnownSong:
    """The beats of a song: either a tempo and the first downbeat, or every beat."""

    fingerprint: str
    tempo: Fraction | None
    first: Fraction
    metre: int
    times: tuple[Fraction, ...]

    def has(self, beats: BeatGrid) -> bool:
        """Whether these are the beats in a spec."""
        return (beats.tempo, beats.first.seconds, beats.times) == (self.tempo, self.first, self.times)


@dataclass(frozen=True, slots=True)
class Known:
    """`film`: the fingerprint of the film, or of several. `wrote`: the spec's text as analyze or recut wrote it,
    without the user's edits; `text`: with them, if there were any. `asked`: the options of the analysis."""

    film: str
    shots: tuple[KnownShot, ...]
    lines: tuple[KnownLine, ...]
    song: KnownSong | None
    scored: tuple[str, ...]  # the acts to all of whose shots music plays, as analyze wrote them
    short: bool  # the song ends before the trailer that analyze made
    wrote: str
    timeline: str  # a digest of the timeline that analyze made
    asked: Mapping[str, str]
    text: str = ""


def keep(known: Known) -> None:
    """Write it into the cache, if the disk allows."""
    folder = _folder(known.film)
    name = hashlib.sha256((known.wrote + known.text).encode()).hexdigest()[:24]
    with contextlib.suppress(OSError):
        with new_folder(folder), beside(folder / f"{name}.json") as part:
            part.write_text(as_json(known), encoding="utf-8")
        total = 0
        for number, old in enumerate(_newest_first(folder)):
            total += old.stat().st_size
            if number >= _KEPT or (number >= _KEPT_ALWAYS and total > _KEPT_BYTES):
                old.unlink(missing_ok=True)


def known_of(spec: Spec, text: str, path: Path) -> Known | None:
    """What is known of the films of a spec at `path`; of several analyses the one whose spec is most like `text`.
    Separate analyses of single films are combined."""
    prints = {key: film.facts.fingerprint for key, film in spec.every_film.items() if film.facts is not None}
    if len(prints) < len(spec.every_film):
        return None
    whole = _most_like([films_print(list(prints.values()))], text, path)
    if whole is not None or len(prints) == 1:
        return whole
    parts = ((key, _most_like([each], text, path)) for key, each in prints.items())
    return _together([(key, part) for key, part in parts if part is not None])


def written_before(spec: Spec, text: str, path: Path) -> Known | None:
    """What the analysis knew that wrote the spec: of all its films, or of the first ones, before more were added; or of
    the same film in another file, if most of the spec is as it was written."""
    prints = [film.facts.fingerprint for film in spec.every_film.values() if film.facts is not None]
    films = [films_print(prints[:count]) for count in range(len(prints), 0, -1)]
    return _most_like(films, text, path) or _most_like(None, text, path)


def films_print(prints: Sequence[str]) -> str:
    """The fingerprint of several films together."""
    return "+".join(prints)


def _most_like(films: Sequence[str] | None, text: str, path: Path) -> Known | None:
    """Of the records of these films, or groups of films, the one of which the text is most like what was written. None:
    of any film, if three quarters of the text are the same."""
    files = [path.with_suffix(".known.json")]
    if films is None:
        files += _newest_first(cache_folder() / "known", "*/*.json")[:_OF_ANY_FILM]
    else:
        files += [file for film in films for file in _newest_first(_folder(film))]
    records = [record for record in map(_read, files) if films is None or record.get("film") in films]
    for record in _by_likeness(records, text, 0.75 if films is None else 0):
        with contextlib.suppress(ValueError, TypeError, KeyError, ZeroDivisionError):
            return _known(record)
    return None


def _by_likeness(records: Sequence[dict[str, Any]], text: str, least: float) -> list[dict[str, Any]]:
    """The records of which at least this share of the text comes, the likest first: compared by rows, or by words where
    another program has laid out the text anew. That takes long, so it is done of those that are likest by rows."""
    ranked = [(0, 0, record) for record in records]
    for parts, most in ((_rows, None), (_words, _BY_WORDS)):
        own = parts(text)
        written = ((record, parts(str(record.get("text") or record.get("wrote")))) for *_, record in ranked[:most])
        shared = [(record, (own & theirs).total(), theirs.total()) for record, theirs in written]
        ranked = [(common, 2 * common - whole, record) for record, common, whole in shared]
        ranked.sort(key=lambda each: each[1], reverse=True)
        if 4 * max((common for common, *_ in ranked), default=0) > 3 * own.total():
            break
    return [record for common, _, record in ranked if common >= least * own.total()]


def _rows(text: str) -> Counter[str]:
    return Counter(map(str.strip, text.splitlines()))


def _words(text: str) -> Counter[str]:
    """Without comments and the signs of YAML, of which programs write others."""
    plain = re.sub(r"(?m)(^|\s)#.*$", "", text)
    return Counter(word.rstrip(":") for word in re.findall(r"[^\s,{}\[\]\"':-][^\s,{}\[\]\"']*", plain))


def _together(parts: Sequence[tuple[str, Known]]) -> Known | None:
    """The knowledge of separately analysed films, by their names: only shots and lines, since none was cut with the
    others."""
    if not parts:
        return None
    shots, lines = list[KnownShot](), list[KnownLine]()
    for key, part in parts:
        shots += [dataclasses.replace(each, range=dataclasses.replace(each.range, film=key)) for each in part.shots]
        lines += [dataclasses.replace(each, range=dataclasses.replace(each.range, film=key)) for each in part.lines]
    film = films_print([part.film for _, part in parts])
    return Known(film, tuple(shots), tuple(lines), None, (), True, "", "", {})


def was_analysed(spec: Spec) -> bool:
    """Whether an analysis wrote the spec, so that there was a side file."""
    return spec.anchors is not None and any(isinstance(e, Shot) and e.score is not None for e in spec.timeline)


def _folder(film: str) -> Path:
    return cache_folder() / "known" / hashlib.sha256(film.encode()).hexdigest()[:24]


def _newest_first(folder: Path, names: str = "*.json") -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(folder.glob(names), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return []


def _read(file: Path) -> dict[str, Any]:
    """The record in a side file; an empty one if it is damaged, foreign or of another version."""
    with contextlib.suppress(OSError, ValueError):
        if file.stat().st_size <= _LARGEST:
            record = json_of(content_of(file))
            if isinstance(record, dict) and record.get("cinecut_known") == _VERSION:
                return record
    return {}


def shots_with_music(spec: Spec) -> Iterator[tuple[str, int, bool]]:
    """Each shot's act, its place in the timeline, and whether music plays then, from the order of events and cues."""
    playing, act = spec.music is not None, ""
    for number, entry in enumerate(spec.timeline):
        if isinstance(entry, ActMarker):
            act = entry.act
            continue
        playing = playing if entry.cue is None else not entry.cue.stops
        if isinstance(entry, Shot):
            yield entry.act or act, number, playing


def scored_acts(spec: Spec) -> tuple[str, ...]:
    """The acts with music under all of their shots."""
    shots = list(shots_with_music(spec))
    bare = {act for act, _, playing in shots if not playing}
    return tuple(dict.fromkeys(act for act, _, _ in shots if act not in bare))


# As text: times are exact, `41/24`


def as_json(known: Known) -> str:
    record = {
        "cinecut_known": _VERSION,
        "film": known.film,
        "shots": [[*_ends(shot.range), shot.why_not, *_film(shot.range)] for shot in known.shots],
        "lines": [[*_ends(line.range), line.text, *_film(line.range)] for line in known.lines],
        "song": known.song and _song_record(known.song),
        "scored": list(known.scored),
        "short": known.short,
        "asked": dict(known.asked),
        "text": known.text,
        "wrote": known.wrote,
        "timeline": known.timeline,
    }
    return json.dumps(record, ensure_ascii=False)


def _song_record(song: KnownSong) -> dict[str, Any]:
    record = dataclasses.asdict(song)
    record["tempo"] = song.tempo and rate_text(song.tempo)
    return {**record, "first": rate_text(song.first), "times": list(map(rate_text, song.times))}


def _ends(range: FilmRange) -> list[str]:
    return [rate_text(range.start.seconds), rate_text(range.end.seconds)]


def _film(range: FilmRange) -> list[str]:
    """The film's name, if there are several."""
    return [range.film] if range.film else []


def _known(record: dict[str, Any]) -> Known:
    """Raises ValueError, TypeError, KeyError or ZeroDivisionError where the record is damaged."""
    return Known(
        str(record["film"]),
        tuple(KnownShot(_range(start, end, *film), why and str(why)) for start, end, why, *film in record["shots"]),
        tuple(KnownLine(_range(start, end, *film), str(text)) for start, end, text, *film in record["lines"]),
        record["song"] and _song(record["song"]),
        tuple(map(str, record["scored"])),
        bool(record["short"]),
        str(record["wrote"]),
        str(record["timeline"]),
        {str(key): str(value) for key, value in dict(record["asked"]).items()},
        str(record.get("text", "")),
    )


def _range(start: str, end: str, film: str = "") -> FilmRange:
    range = FilmRange(FilmTime(_fraction(start)), FilmTime(_fraction(end)), str(film))
    if range.duration < 0:
        raise ValueError("a range ends before it begins")
    return range


def _fraction(text: str) -> Fraction:
    top, _, bottom = text.partition("/")
    return Fraction(int(top), int(bottom or 1))


def _song(record: dict[str, Any]) -> KnownSong:
    tempo, metre = record["tempo"] and _fraction(record["tempo"]), int(record["metre"])
    times = tuple(map(_fraction, record["times"]))
    return KnownSong(str(record["fingerprint"]), tempo, _fraction(record["first"]), metre, times)


def key_of(entry: Entry) -> str:
    """The whole content of an entry as one text, without alternatives and measured facts."""
    if isinstance(entry, Shot):
        entry = replace(entry, alternatives=())
    cue: Cue | None = getattr(entry, "cue", None)
    if cue is not None and not isinstance(entry, ActMarker):
        entry = replace(entry, cue=replace(cue, facts=None))
    entry = replace(entry, sound=tuple(replace(each, facts=None) for each in entry.sound))
    if not isinstance(entry, ActMarker):
        entry = replace(entry, voice=tuple(replace(each, facts=None) for each in entry.voice))
    return print_flow(value_tree(entry))


def timeline_digest(timeline: Sequence[Entry]) -> str:
    """A digest that is equal for timelines of the same content."""
    return hashlib.sha256("\n".join(map(key_of, timeline)).encode()).hexdigest()[:24]
