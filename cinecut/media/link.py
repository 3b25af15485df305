"""Linking: the media that a spec names are measured, and their facts written into the spec; everything else stays."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from dataclasses import replace as changed
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinecut.diagnostics import Report, Span, Stop
from cinecut.files import fingerprint, near, write_beside
from cinecut.language.document import Document, MapNode, Node, NodePath, odd_spaces, repeated
from cinecut.language.events import ActMarker, Cue, Entry, Picture, Recorded, Still
from cinecut.language.facts import AudioFacts, FilmFacts, LutFacts, SongFacts, StillFacts
from cinecut.language.read import ABSENT, ANY_RATE, inside, load_spec
from cinecut.language.spec import Film, Lut, Music, RatingClip, Spec
from cinecut.language.timebase import FILM_NAME, clock, rate_text

if TYPE_CHECKING:
    from cinecut.language.document.edit import Edits

Facts = FilmFacts | SongFacts | StillFacts | LutFacts


@dataclass(frozen=True, slots=True)
class NamedMedium:
    """A file that a spec names: its place in the tree, its record, its facts so far."""

    path: NodePath
    file: Path
    owner: Film | Music | Cue | Recorded | Picture | RatingClip | Lut


def assets_of(spec: Spec, folder: Path) -> list[NamedMedium]:
    assets = [NamedMedium(path, inside(folder, film.file), film) for path, film in _films(spec).items()]
    if spec.music is not None and spec.music.file is not None:
        assets.append(NamedMedium(("music",), inside(folder, spec.music.file), spec.music))
    if spec.lut is not None:
        assets.append(NamedMedium(("lut",), inside(folder, spec.lut.file), spec.lut))
    for kind, owner in _rating_parts(spec).items():
        assets.append(NamedMedium(("rating", kind), inside(folder, owner.file), owner))
    for index, entry in enumerate(spec.timeline):
        if isinstance(entry, Still):
            assets.append(NamedMedium(("timeline", index, "still"), inside(folder, entry.still.file), entry.still))
        if not isinstance(entry, ActMarker) and entry.cue is not None and not entry.cue.stops:
            assets.append(NamedMedium(("timeline", index, "cue"), inside(folder, entry.cue.file), entry.cue))
        for path, sound in _recorded(entry, index).items():
            assert sound.file is not None
            assets.append(NamedMedium(path, inside(folder, sound.file), sound))
    return assets


def _recorded(entry: Entry, index: int) -> dict[NodePath, Recorded]:
    """The voices and effects of an entry that come from files, by their place in the tree."""
    voices = () if isinstance(entry, ActMarker) else entry.voice
    kinds: tuple[tuple[str, tuple[Recorded, ...]], ...] = (("voice", voices), ("sound", entry.sound))
    several = [(("timeline", index, kind, n), each) for kind, sounds in kinds for n, each in enumerate(sounds)]
    return {path: each for path, each in several if each.file is not None}


def _films(spec: Spec) -> dict[NodePath, Film]:
    """The films by their place in the tree, the first one first."""
    if spec.film is not None:
        return {("film",): spec.film}
    return {("films", name): film for name, film in (spec.films or {}).items()}


def _rating_parts(spec: Spec) -> dict[str, Picture | RatingClip]:
    parts = {"still": spec.rating.still, "clip": spec.rating.clip} if spec.rating is not None else {}
    return {kind: part for kind, part in parts.items() if part is not None}


def check_files(spec: Spec, folder: Path, report: Report) -> None:
    """Report every missing file, and every one with another fingerprint than the spec's."""
    for asset in assets_of(spec, folder):
        if asset.owner.file != ABSENT and is_there(asset, report) and asset.owner.facts is not None:
            _check_same(asset, report)


def is_there(asset: NamedMedium, report: Report) -> bool:
    """Whether a spec's medium is a file; if not, that is reported, with what to do about it."""
    if os.path.isfile(asset.file):  # noqa: PTH113 - Path's own raises where a name is too long
        return True
    special = "a device or a pipe" if os.path.exists(asset.file) else "not there"  # noqa: PTH110
    what = "a folder" if os.path.isdir(asset.file) else special  # noqa: PTH112
    alike = near(asset.file) if what == "not there" else []
    hints = [*filter(None, [odd_spaces(str(asset.owner.file))]), *alike]
    if isinstance(asset.owner, Film):
        name = f" --name {asset.path[1]}" if len(asset.path) > 1 else ""
        hints.append(f"relink a film that moved: cinecut link SPEC FILM{name}")
    report.add("missing-file", f"{asset.file} is {what}", asset.owner.place.of("file"), *hints)
    return False


def _check_same(asset: NamedMedium, report: Report) -> None:
    assert asset.owner.facts is not None
    known = asset.owner.facts.fingerprint
    try:
        present = fingerprint(asset.file)
    except Stop as stop:
        report.found += [changed(d, span=asset.owner.place.of("file")) for d in stop.diagnostics]
        return
    if present != known:
        size, wanted = int(present.partition("-")[0]), known.partition("-")[0]
        difference = f"it has {size} bytes, not {wanted}" if str(size) != wanted else "the same size, other content"
        message = f"{asset.file} is not the file that this spec was made for: {difference}"
        hint = "if it is the right one now, measure it again: cinecut link SPEC"
        report.add("other-file", message, asset.owner.place.of("file"), hint)


@lru_cache(maxsize=32)  # while a page shows what is edited, each edit asks; the fingerprint is one of the facts
def check_facts(file: Path, facts: FilmFacts | SongFacts | StillFacts) -> None:
    """Raise Stop where the facts of a medium are not those of its file: every time of the spec is counted by them, and
    a hand may have changed them. What its head and its first picture tell is compared, and the length where the head
    tells another one; a film's rate is with its pictures."""
    from cinecut.media import probe

    if isinstance(facts, FilmFacts):
        _check_film_facts(file, facts)
        return
    own: SongFacts | StillFacts
    own = probe.still_facts(file) if isinstance(facts, StillFacts) else _song_at_once(file, facts)
    _compare(file, facts, own)


def _check_film_facts(film: Path, facts: FilmFacts) -> None:
    from cinecut.media import probe
    from cinecut.media.first_picture import first_picture
    from cinecut.media.open import open_media, picture_stream
    from cinecut.media.sound.film_audio import film_audio

    first = first_picture(film, later=facts.field_order != "progressive")
    with open_media(film) as media:
        own = changed(facts, **probe.told_at_once(picture_stream(media, film), first))
        if facts.stamps and not facts.joined and first.stamp is not None:
            own = changed(own, start=first.stamp * own.time_base)
        own = changed(own, audio=film_audio(media, own.start))
        told = _told_length(media)
    if told is not None and facts.duration > told + _LONGER and not facts.joined:
        own = changed(own, duration=probe.film_facts(film).duration)
    _compare(film, *(changed(each, audio=_as_stored(each.audio)) for each in (facts, own)))


def _song_at_once(song: Path, facts: SongFacts) -> SongFacts:
    """The facts of a song of which these are said; only where its head tells another length, all of it is measured."""
    from cinecut.media import probe
    from cinecut.media.open import layout_of, open_media, sound_streams

    with open_media(song, "song") as media:
        stream, told = next(iter(sound_streams(media)), None), _told_length(media)
        if stream is None or told is None or abs(told - facts.duration) > _PADDED:
            return probe.song_facts(song)
        return changed(facts, rate=stream.rate, channels=stream.channels, layout=layout_of(stream))


def _told_length(media: Any) -> Fraction | None:
    """How long a file is by its head, in seconds; None where that is not said."""
    return None if media.duration is None else Fraction(media.duration, 1_000_000)


_PADDED = Fraction(1, 4)  # seconds by which a song may be shorter than its packets
_LONGER = 1  # seconds that a film may be longer than its container says


def _compare(file: Path, said: Any, true: Any) -> None:
    others = [field.name for field in fields(said) if getattr(said, field.name) != getattr(true, field.name)]
    if others:
        raise other_facts(file, *others)


def _as_stored(sounds: Sequence[AudioFacts]) -> tuple[AudioFacts, ...]:
    """The sounds as their file has them, whichever is the film's own. What a language is called is no matter."""
    numbered = (changed(sound, stream=sound.stream or at, language=None) for at, sound in enumerate(sounds, 1))
    return tuple(sorted(numbered, key=lambda sound: sound.stream))


def other_facts(film: Path, *names: str) -> Stop:
    """What is said of a medium of which some facts in the spec are not its own."""
    message = f"the facts in the spec are not those of {film}, which has another {', '.join(names)}"
    return Stop("other-file", message, "they are not meant for editing: cinecut link SPEC measures them again")


def measure(asset: NamedMedium) -> Facts:
    """The facts of a file. Raises Stop."""
    from cinecut.media import probe

    match asset.owner:
        case Lut():
            from cinecut.grade.cube import lut_facts

            return lut_facts(asset.file)
        case Film() | RatingClip():
            return probe.film_facts(asset.file)
        case Music() | Cue() | Recorded():
            return probe.song_facts(asset.file)
        case Picture():
            return probe.still_facts(asset.file)


def linked(spec: Spec, folder: Path) -> Spec:
    """The spec with its missing facts measured, for one run; the file stays as it is."""
    facts: dict[NodePath, Any] = {a.path: measure(a) for a in assets_of(spec, folder) if a.owner.facts is None}
    if not facts:
        return spec
    timeline = tuple(_linked_entry(entry, index, facts) for index, entry in enumerate(spec.timeline))
    films = {path: changed(film, facts=facts.get(path, film.facts)) for path, film in _films(spec).items()}
    several = {str(path[1]): film for path, film in films.items() if len(path) > 1}
    music = spec.music and changed(spec.music, facts=facts.get(("music",), spec.music.facts))
    rating = spec.rating
    if rating is not None:
        still = rating.still and changed(rating.still, facts=facts.get(("rating", "still"), rating.still.facts))
        clip = rating.clip and changed(rating.clip, facts=facts.get(("rating", "clip"), rating.clip.facts))
        rating = changed(rating, still=still, clip=clip)
    lut = spec.lut and changed(spec.lut, facts=facts.get(("lut",), spec.lut.facts))
    whole = changed(spec, music=music, lut=lut, rating=rating, timeline=timeline)
    return changed(whole, film=films.get(("film",)), films=several or None)


def _linked_entry(entry: Entry, index: int, facts: dict[NodePath, Any]) -> Entry:
    if isinstance(entry, Still) and (path := ("timeline", index, "still")) in facts:
        entry = changed(entry, still=changed(entry.still, facts=facts[path]))
    if not isinstance(entry, ActMarker) and (path := ("timeline", index, "cue")) in facts:
        assert entry.cue is not None
        entry = changed(entry, cue=changed(entry.cue, facts=facts[path]))
    if any(path in facts for path in _recorded(entry, index)):
        at = ("timeline", index)
        sound = (changed(each, facts=facts.get((*at, "sound", n), each.facts)) for n, each in enumerate(entry.sound))
        entry = changed(entry, sound=tuple(sound))
        if not isinstance(entry, ActMarker):
            own = (changed(each, facts=facts.get((*at, "voice", n), each.facts)) for n, each in enumerate(entry.voice))
            entry = changed(entry, voice=tuple(own))
    return entry


def write_facts(document: Document, facts: Mapping[NodePath, Facts], files: Mapping[NodePath, str]) -> str:
    """The spec's text with facts (and new file names) written under their media; everything else stays. A medium that
    is repeated by an alias gets its facts where it is written. Raises Stop if there is no such place."""
    from cinecut.language.document.edit import Edits
    from cinecut.language.write import value_tree  # `check` writes nothing, and need not load them

    edits, written = Edits(document), dict[Span, NodePath]()
    facts = {_as_written(edits, path): found for path, found in facts.items()}
    for path in facts:
        parent, node = edits.node(path[:-1]), edits.node(path)
        owner = written.setdefault(node.span, path)
        if facts[owner] != facts[path] or files.get(owner) != files.get(path):
            message = "this is a different file from the value it repeats: write it out"
            raise Stop("yaml", message, span=node.span)
        if not _is_alias(parent, path[-1]):
            written[node.span] = path
    for path in written.values():
        if path in files:
            edits.fill(path, "file", {"file": value_tree(files[path]), "facts": value_tree(facts[path])})
        else:
            edits.fill(path, "file", {"facts": value_tree(facts[path])})
    return edits.text()


def named_from(document: Document, spec: Spec, folder: Path, other: Path) -> str:
    """The text of a spec in `folder` as it names the same media, kits and translations from another folder."""
    from cinecut.language.document.edit import Edits
    from cinecut.language.write import value_tree

    edits = Edits(document)
    for asset in assets_of(spec, folder):
        edits.fill(_as_written(edits, asset.path), "file", {"file": value_tree(name_from(other, asset.file))})
    for path, name in own_files(spec).items():
        edits.set(path, value_tree(name_from(other, inside(folder, name))))
    return edits.text()


def own_files(spec: Spec) -> dict[NodePath, str]:
    """The data files of the user's own that a spec names, as it names them, by their place in the tree: kits and
    translations."""
    kits = {("deliverables", n, "kit"): item.kit or "" for n, item in enumerate(spec.deliverables)}
    files: dict[NodePath, str] = {path: kit for path, kit in kits.items() if kit.lower().endswith((".yaml", ".yml"))}
    return files | {("languages", language): file for language, file in (spec.languages or {}).items()}


def _as_written(edits: Edits, path: NodePath) -> NodePath:
    """The path of one thing that stands for a list has no number."""
    return path[:-1] if isinstance(path[-1], int) and isinstance(edits.node(path[:-1]), MapNode) else path


def _is_alias(parent: Node, step: str | int) -> bool:
    return parent.is_alias(str(step)) if isinstance(parent, MapNode) else repeated(parent)[int(step)]


def relink(
    path: Path,
    film: Path | None,
    force: bool = False,
    name: str | None = None,
    check: Callable[[NamedMedium], None] = lambda asset: None,
) -> list[Path]:
    """Measure all media of a spec again and write the facts into it; with `film`, make the spec name that file, which
    must be the same film unless `force`; `name` chooses one of several films; `check` may refuse a medium. Returns the
    measured files. Raises Stop; the spec is replaced completely or not at all."""
    report = Report()
    document, read = load_spec(path, report, unmeasured=ANY_RATE)
    spec = report.require(read)
    assets = assets_of(spec, path.parent)
    films, files = _films(spec), dict[NodePath, str]()
    moved = _moved(spec, film, name)
    if film is not None:
        files[moved] = name_from(path.parent, film)
        assets = [changed(asset, file=film) if asset.path == moved else asset for asset in assets]
    facts = dict[NodePath, Facts]()
    for asset in assets:
        if asset.path not in files and asset.owner.file != ABSENT:
            is_there(asset, report)
    report.stop_on_error()
    for asset in assets:
        facts[asset.path] = measure(asset)
        check(asset)
    for where, known in films.items():
        if known.facts is not None and isinstance(found := facts[where], FilmFacts):
            facts[where] = changed(found, timecode=known.facts.timecode)  # the spec's times were written by it
    if film is not None and not force:
        _check_film(film, films[moved].facts, facts[moved])
    measured = list(dict.fromkeys(asset.file for asset in assets))
    write_beside(path, write_facts(document, facts, files), measured, document.mark + document.text)
    return measured


def _moved(spec: Spec, film: Path | None, name: str | None) -> NodePath:
    """The place of the film that got another file. Raises Stop if that is ambiguous."""
    films = _films(spec)
    if name is not None and ("films", name) not in films:
        names = ", ".join(spec.films or {})
        raise Stop("option", f"the spec has no film {name}", f"it has {names}" if names else "its one film has no name")
    if name is None and film is not None and len(films) > 1:
        raise Stop("option", f"the spec has several films: which of them is {film}?", "say so: --name NAME")
    return ("films", name) if name is not None else next(iter(films))


def _check_film(film: Path, known: FilmFacts | None, now: Facts) -> None:
    """A moved or re-encoded film must have the length and the rate that the spec's times were taken from."""
    if known is None or not isinstance(now, FilmFacts):
        return
    if known.rate != now.rate or abs(known.duration - now.duration) > 1:
        is_, was = (f"{clock(facts.duration)} at {rate_text(facts.rate)} frames/s" for facts in (now, known))
        message = f"{film} is not the film that this spec was made for: it is {is_}, that was {was}"
        raise Stop("other-file", message, "--force uses it anyway; every time in the spec then refers to it")


def name_from(folder: Path, file: Path) -> str:
    """The name of a file in a spec in `folder`: relative if it is below or near it, else absolute."""
    target = file.absolute()
    relative = os.path.relpath(target, folder.absolute())
    return relative if relative.count("..") <= 2 else str(target)


def film_names(films: Sequence[Path]) -> list[str]:
    """A name for each film, made from its file name, that a spec accepts."""
    names = list[str]()
    for film in films:
        plain = unicodedata.normalize("NFC", film.stem)
        name = re.sub(r"[^\w.-]+", "-", plain).strip("-._")[:30]
        name = name if FILM_NAME.fullmatch(name) else f"film-{name}".rstrip("-")
        taken = [each for each in names if each == name or each.rpartition("-")[0] == name]
        names.append(f"{name}-{len(taken) + 1}" if name in names else name)
    return names
