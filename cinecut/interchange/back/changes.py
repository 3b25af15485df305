"""What a changed file means for the spec: new values of events, the new order, and what is to be done by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.timeline import Placed, PlacedShot
from cinecut.edits.changes import words
from cinecut.edits.changes.words import Said, Times
from cinecut.interchange.back.amendments import Amended, Changes, New
from cinecut.interchange.back.matching import gaps_of, pictures_matched
from cinecut.interchange.back.titles import retitle
from cinecut.interchange.readers.cut import EditorCut, EditorPicture, EditorText
from cinecut.language.events import Shot, Still
from cinecut.language.grid import Grid
from cinecut.language.timebase import FilmTime, Length, clock, nearest
from cinecut.language.write import length_text

_NAMED = 5  # events with an effect, before they are only counted


@dataclass(frozen=True, slots=True)
class FilmNamed:
    """A film of the spec: its name there, if any, and its first timecode in seconds."""

    name: str | None
    first: Fraction


class Comparison:
    """A changed cut compared with the spec's export of today, both read by the same reader."""

    def __init__(self, layout: Layout, before: EditorCut, after: EditorCut, films: Mapping[str, FilmNamed]) -> None:
        """`films` by what their media are called in the cuts."""
        self.layout, self.before, self.after, self.films = layout, before, after, films
        self.later = layout.trailer.opening.frames if layout.trailer.opening is not None else 0  # the rating card
        self.rate = layout.timeline.rate
        self.known, self.placed = self._known()
        self.events = {placed.number: Amended(placed) for placed in layout.timeline.events}
        self.changes = Changes(by_hand=list(dict.fromkeys(each for each in after.odd if each not in before.odd)))

    def _known(self) -> tuple[list[EditorPicture], list[Placed]]:
        """The pictures of the export and their events; a picture belongs to the event whose middle it covers."""
        pairs, at, pieces = [], 0, self.before.pieces
        for placed in self.layout.timeline.events:
            middle = placed.middle + self.later
            while at < len(pieces) and pieces[at].end <= middle:
                at += 1
            if isinstance(placed.event, Shot | Still) and at < len(pieces) and pieces[at].start <= middle:
                pairs.append((pieces[at], placed))
        return [piece for piece, _ in pairs], [placed for _, placed in pairs]

    def changed(self) -> Changes:
        pieces = self._shown([piece for piece in self.after.pieces if piece.start >= self.later])
        were = pictures_matched(self.known, pieces, self.rate)
        self._arrange(pieces, were)
        self._texts(pieces, were)
        for piece, was in zip(pieces, were, strict=True):
            if was is not None:
                self._amend(self.events[self.placed[was].number], self.known[was], piece)
        for event in self.events.values():
            if event.said:
                self.changes.said.append(words.of(event.placed.name, event.said))
        self._effects(pieces, were)
        self._marks(pieces, were)
        self._sounds()
        return self.changes

    def _shown(self, pieces: Sequence[EditorPicture]) -> list[EditorPicture]:
        """The pictures that the spec can show: those of its films, and those that are one of its events."""
        were = pictures_matched(self.known, pieces, self.rate)
        odd = [p for p, was in zip(pieces, were, strict=True) if was is None and p.medium not in self.films]
        for piece in odd:
            self._hand(f"{piece.medium} at frame {piece.start} is no film of this spec: black stays in its place")
        return [piece for piece in pieces if piece not in odd]

    def _hand(self, text: str) -> None:
        self.changes.by_hand.append(text)

    def _effects(self, pieces: Sequence[EditorPicture], were: Sequence[int | None]) -> None:
        """List the effects that the editing program put on pictures, each with the events that have it."""
        having: dict[str, list[str]] = {}
        for piece, was in zip(pieces, were, strict=True):
            name = self.placed[was].name if was is not None else f"the new shot at frame {piece.start}"
            for effect in dict.fromkeys(piece.effects):
                if was is None or effect not in self.known[was].effects:
                    having.setdefault(effect, []).append(name)
        for effect, names in having.items():
            more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
            self._hand(f"{effect} is not brought back: {', '.join([*names[:_NAMED], *more])}")

    # The order

    def _arrange(self, pieces: Sequence[EditorPicture], were: Sequence[int | None]) -> None:
        """Events in the order of the pictures, and between them the spec's black events, or new ones."""
        between, black = self._between(), dict(enumerate(gaps_of(self.later, self.known)))
        used: set[int] = set()
        order, above = self.changes.order, -1  # the number of the known picture before
        for gap, piece, was in zip(gaps_of(self.later, pieces), pieces, were, strict=True):
            near = [k for k in (was, above + 1) if k is not None and k not in used and between.get(k)]
            fits = [k for k in near if black.get(k) == gap]
            group = (fits or near or [-1])[0]
            if gap:
                used.add(group)
                self._fill(order, between.get(group, []), black.get(group, 0), gap, piece)
            if was is None:
                film = self.films[piece.medium]
                source = piece.source - film.first
                order.append(New(piece.length, source, film.name, piece.speed))
                named = f"{film.name} " if film.name is not None else ""
                self.changes.said.append(words.new(f"a shot from {named}{clock(source)} for {piece.length} frames"))
            else:
                order.append(self.events[self.placed[was].number])
            above = was if was is not None else above
        order += [self.events[placed.number] for placed in between.get(len(self.known), [])]
        there = {each.placed.number for each in order if isinstance(each, Amended)}
        for number, event in self.events.items():
            if number not in there:
                self.changes.removed.append(event.placed)
                self.changes.said.append(words.gone(event.placed.name))
        numbers = [each.placed.number for each in order if isinstance(each, Amended)]
        if numbers != sorted(numbers):
            self.changes.said.append("the events stand in another order")

    def _between(self) -> dict[int, list[Placed]]:
        """The events without a medium, by the number of the picture that follows them."""
        between: dict[int, list[Placed]] = {}
        numbers = {placed.number: at for at, placed in enumerate(self.placed)}
        waiting: list[Placed] = []
        for placed in self.layout.timeline.events:
            if placed.number in numbers:
                between[numbers[placed.number]] = waiting
                waiting = []
            else:
                waiting.append(placed)
        between[len(self.placed)] = waiting
        return between

    def _fill(
        self, order: list[Amended | New], group: list[Placed], whole: int, frames: int, piece: EditorPicture
    ) -> None:
        """The black before a picture: the events that were there, at their new length."""
        order += [self.events[placed.number] for placed in group]
        if not group:
            order.append(New(frames))
            self.changes.said.append(f"{words.new(f'black of {frames} frames')}, before frame {piece.start}")
        elif whole != frames and len(group) == 1:
            event, length = self.events[group[0].number], group[0].range.length + frames - whole
            self._length(event, max(1, length), ("black",) if group[0].name.startswith("black") else ("for",))
        elif whole != frames:
            names = ", ".join(placed.name for placed in group)
            self._hand(f"{names} last {frames} frames together now, not {whole}: which of them is not said")

    # An event

    def _amend(self, event: Amended, was: EditorPicture, now: EditorPicture) -> None:
        placed = event.placed
        if isinstance(placed, PlacedShot):
            self._times(event, placed, was, now)
            self._sound(event, placed, was, now)
        elif was.length != now.length:
            self._length(event, now.length, ("for",))
        self._joints(event, was, now)

    def _times(self, event: Amended, placed: PlacedShot, was: EditorPicture, now: EditorPicture) -> None:
        shift, shot, clip = now.source - was.source, placed.event, placed.event.shot
        speed = now.speed if now.speed != was.speed else shot.speed
        if speed != shot.speed:
            event.values["speed",] = speed
        if not shift and was.length == now.length and speed == shot.speed:
            return
        start = FilmTime(max(Fraction(0), placed.film.start.seconds + shift))
        before = Times(placed.film.start, placed.film.end, was.length, shot.speed)
        event.said += words.retimed(before, Times(start, start + now.length * speed / self.rate, now.length, speed))
        if clip.out is not None and clip.in_ is not None:
            span = placed.film.duration if was.length == now.length and speed == shot.speed else None
            clip = replace(clip, in_=start, out=start + (span or now.length * speed / self.rate))
        else:
            length = clip.for_
            if was.length != now.length or length is None:
                length = self._span(now.start, now.length, clip.for_)
            clip = replace(clip, in_=start, out=None, for_=length)
        event.values["shot",] = clip
        self._unbind(event, placed, shift, was.length != now.length)

    def _unbind(self, event: Amended, placed: Placed, shift: Fraction, longer: bool) -> None:
        """Remove keys that would move an event back to a beat: the editor placed it elsewhere on purpose."""
        shot = placed.event
        if isinstance(shot, Shot) and shot.sync is not None and (shift or longer):
            event.values["sync",] = None
            event.said.append(Said("changed", "no longer in sync with a beat"))
        if shot.snap is not None and longer:
            event.values["snap",] = None
            event.said.append(Said("changed", "no longer snapped"))

    def _length(self, event: Amended, frames: int, path: tuple[str | int, ...]) -> None:
        written: Length | None = getattr(event.placed.event, "black" if path == ("black",) else "for_", None)
        start = event.placed.range.start.index + self.later
        length = self._span(start, frames, written)
        event.values[path] = length_text(length)
        event.said.append(words.relengthened(event.placed.range.length, frames))
        self._unbind(event, event.placed, Fraction(0), True)

    def _span(self, start: int, frames: int, written: Length | None) -> Length:
        """A length of `frames`; in beats if it was written so and beats fit exactly."""
        grid = self.layout.timeline.grid
        if written is not None and grid is not None and written.unit in ("beats", "bars"):
            beats = _beats(grid, start - self.later, frames, self.rate)
            if beats is not None:
                whole = beats / grid.metre
                fits = written.unit == "bars" and whole.denominator == 1
                return Length(whole, "bars") if fits else Length(beats, "beats")
        return Length(Fraction(frames), "f")

    def _sound(self, event: Amended, placed: PlacedShot, was: EditorPicture, now: EditorPicture) -> None:
        shot = placed.event
        if was.gain is not None and now.gain is None:
            event.values["mute",] = True
            event.said.append(words.silenced(True))
        elif was.gain is None and now.gain is not None and (shot.mute or shot.sound_in is not None):
            event.values["mute",] = event.values["sound_in",] = None
            event.said.append(words.silenced(False))
        elif was.gain is not None and now.gain is not None:
            if abs(now.gain - was.gain) > 0.05:
                gain = Fraction(str(round(float(shot.gain) + now.gain - was.gain, 1)))
                event.values["gain",] = gain
                event.said.append(words.turned("gain", words.figure(shot.gain), words.figure(gain), "dB"))
            for key, old, new in zip(("sound_lead", "sound_trail"), was.over, now.over, strict=True):
                if old != new and new >= 0:
                    event.values[key,] = f"{new}f" if new else None
                    event.said.append(words.turned(key, str(old), str(new), "frames"))
                elif old != new:
                    self._hand(f"{placed.name}: its sound is shorter than its picture by {-new} frames")

    def _joints(self, event: Amended, was: EditorPicture, now: EditorPicture) -> None:
        head, tail = event.placed.head.kind, event.placed.tail.kind
        if was.joint != now.joint:
            frames = sum(now.joint)
            fade = f"fade in {now.fades[0]}f" if now.fades[0] else None
            event.values["from",] = f"crossfade {frames}f" if frames else fade
            event.said.append(words.joined("crossfade", sum(was.joint), frames))
        for key, old, new, kind, own in (
            ("from", was.fades[0], now.fades[0], "fade in", head),
            ("to", was.fades[1], now.fades[1], "fade out", tail),
        ):
            if old == new or (key == "from" and was.joint != now.joint):
                continue
            if own.startswith("dip"):
                self._hand(f"{event.placed.name}: its {own} is {new} frames on this side now, not {old}")
            else:
                event.values[key,] = f"{kind} {new}f" if new else None
                event.said.append(words.joined(kind, old, new))

    # Texts, markers, sounds

    def _texts(self, pieces: Sequence[EditorPicture], were: Sequence[int | None]) -> None:
        """Match titles by the shots over which they begin; cards, and titles over black, by their text."""
        owners = self._owners()
        gone, new = _apart(self.before.lines, self.after.lines)
        for piece, was in zip(pieces, were, strict=True):
            if was is None:
                continue
            known, event = self.known[was], self.events[self.placed[was].number]
            old = {
                keys[1]: line
                for line in self.before.lines
                for number, keys in [owners.get((line.text, line.start), (0, ("",)))]
                if number == event.placed.number and keys[0] == "titles"
            }
            others = [line for line in self.before.lines if known.start <= line.start < known.end]
            others = [line for line in others if line not in old.values()]  # a card's that a crossfade begins earlier
            inside = [line for line in self.after.lines if piece.start <= line.start < piece.end]
            here = _apart(others, inside)[1]
            retitle(event, (old, known), (here, piece))
            gone = [line for line in gone if line not in old.values()]
            new = [line for line in new if line not in here]
        self._cards(gone, new, owners)

    def _cards(
        self,
        gone: list[EditorText],
        new: list[EditorText],
        owners: dict[tuple[str, int], tuple[int, tuple[str | int, ...]]],
    ) -> None:
        for line in list(gone):
            alone = new[0] if len(gone) == 1 and len(new) == 1 else None
            other = next((each for each in new if abs(each.start - line.start) <= 12), alone)
            path = owners.get((line.text, line.start))
            if other is not None and path is not None:
                event, keys = path
                self.events[event].values[keys] = other.text
                self.events[event].said.append(words.reworded(line.text, other.text))
                gone.remove(line)
                new.remove(other)
        self.changes.by_hand += [f"the title {line.text!r} is gone" for line in gone if self._stays(line, owners)]
        self.changes.by_hand += [f"the title {line.text!r} at frame {line.start} is new" for line in new]

    def _stays(self, line: EditorText, owners: dict[tuple[str, int], tuple[int, tuple[str | int, ...]]]) -> bool:
        """Whether the event that a title belongs to still exists."""
        path = owners.get((line.text, line.start))
        return path is None or path[0] not in {placed.number for placed in self.changes.removed}

    def _owners(self) -> dict[tuple[str, int], tuple[int, tuple[str | int, ...]]]:
        """The event and the key of each text in the export."""
        owners: dict[tuple[str, int], tuple[int, tuple[str | int, ...]]] = {}
        texts, cased = iter(self.layout.timeline.texts), self.layout.trailer.style.cased
        for placed in self.layout.timeline.events:
            titles = getattr(placed.event, "titles", None)
            for which in range(1 if titles is None else len(titles)):
                text = next(texts)
                keys: tuple[str | int, ...] = ("card",) if titles is None else ("titles", which)
                start = text.range.start.index + self.later
                owners[cased(text.text).strip(), start] = (placed.number, keys)
                owners.setdefault(
                    (cased(text.text).strip(), 0), (placed.number, keys)
                )  # of an EDL, which has no places
        return owners

    def _marks(self, pieces: Sequence[EditorPicture], were: Sequence[int | None]) -> None:
        """New markers become comments above the event in which they stand."""
        there = {mark.text for mark in self.before.marks}
        for mark in self.after.marks:
            if mark.text in there:
                continue
            owner = next(
                (was for piece, was in zip(pieces, were, strict=True) if piece.start <= mark.frame < piece.end), None
            )
            if owner is None:
                self._hand(f"the marker {mark.text!r} at frame {mark.frame} stands in no event of the spec")
                continue
            event = self.events[self.placed[owner].number]
            event.remarks.append(" ".join(mark.text.split()))
            self.changes.said.append(f"{event.placed.name}: a comment from the marker {mark.text!r}")

    def _sounds(self) -> None:
        """Report songs and other sounds that moved: the spec's music has to be edited by hand."""
        old, new = (
            {(s.medium, s.start, s.end, s.source, round(s.gain, 1)) for s in cut.sounds if s.medium not in self.films}
            for cut in (self.before, self.after)
        )
        new = {each for each in new if each[0] not in _STEMS or any((each[1], *each[3:]))}
        names = [{name for name, *_ in sounds} for sounds in (old, new)]
        for name in sorted({name for name, *_ in old ^ new}):
            if name not in names[0]:
                self._hand(f"{name} is heard in it, and is not in the spec")
            elif name not in names[1]:
                self._hand(f"{name} is no longer heard in it")
            else:
                self._hand(f"{name} is heard elsewhere, or at another level")


_STEMS = ("effects.wav", "music.wav")  # as `export --stems` puts them there, from the first frame on


def _beats(grid: Grid, start: int, frames: int, rate: Fraction) -> Fraction | None:
    """A length in quarters of a beat that ends exactly on a frame; None if there is none."""
    begin, end = start / rate, (start + frames) / rate
    exact = grid.beat_at(end) - grid.beat_at(begin)
    beats = Fraction(nearest(exact * 4), 4)
    return beats if beats > 0 and nearest(grid.after(begin, beats) * rate) == start + frames else None


def _apart(before: Sequence[EditorText], after: Sequence[EditorText]) -> tuple[list[EditorText], list[EditorText]]:
    """The texts that were removed and those that were added, compared by their words."""
    texts = [line.text for line in before]
    new = []
    for line in after:
        if line.text in texts:
            texts.remove(line.text)
        else:
            new.append(line)
    gone = []
    for line in before:
        if line.text in texts:
            texts.remove(line.text)
            gone.append(line)
    return gone, new
