"""Whether everything is heard at its time and level: film, lines, effects, music.

The file's sound is a sum of the stems, each at some gain: least squares over a stretch tell the gains. What is left
without the other stems, correlated with one of them, tells when that one is heard.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cinecut.compiler.layout.ruler import Sounding
from cinecut.compiler.layout.soundtrack import RISING, PlacedEffect, Soundtrack
from cinecut.compiler.layout.timeline import PlacedShot
from cinecut.language.timebase import SAMPLE_RATE
from cinecut.proof.verify.findings import Events, Finding
from cinecut.proof.verify.sound.listening import RATE, FileSound, Floats
from cinecut.proof.verify.sound.sides import exchanged, uneven
from cinecut.proof.verify.sound.signals import WINDOW, fitted, lag_between, lag_within, levels, moved, rms, stretches

_REACH = 2 * RATE  # samples by which all of the sound may be off
_NEAR = round(0.3 * RATE)  # and one thing
_LATE = 0.008  # seconds: less nobody hears, and encoders differ by less
_SURE = 0.5  # correlation of what is found
_HEARD = 0.06  # and of what is somewhere in the whole
_MISSING = 0.3  # of its gain: less is as good as nothing
_PRESENT = 0.003  # share of the power of the whole from which a stem can be judged
_AUDIBLE = 0.002  # share of the power of a stretch: below it nobody hears a thing
_CLEAR = 0.25  # seconds for which it stands out of what cannot be explained, as a ratio of powers, to be missed
_PLAIN = 8.0  # that ratio for its gain to be judged
_QUIET = 3e-4  # amplitude: below it there is nothing to compare
_STEM_GAIN = 1.5  # dB by which a stem may lie beside the others
_SILENT = 0.3  # seconds
_LIMITED = 0.5  # share of the ceiling from which on a limiter may be at work: peaks are lower at RATE
_RELEASE = 6  # windows around a peak in which it may be
_PIECE = RATE // 6  # samples in which gains are taken as constant

_PHRASE = RATE // 2  # samples of music that are judged at once
_CARRIES = 0.1  # share of the mix from which on music is judged by itself
_UNKNOWN, _NOTICED = 0.5, 0.004  # share of the power that no stem explains, and amplitude, of what is strange
_NOTICEABLE = 3  # pieces in a row

_Thing = tuple[str, Finding]  # a stem, and what is wrong with one thing in it

_NAMES = {"film": "the film's own sound", "music": "the music", "effects": "all effects", "voice": "all lines"}
_GONE = {"film": "shot-silent", "music": "music-missing", "effects": "effect-missing", "voice": "line-missing"}


@dataclass(frozen=True)
class SoundPair:
    """A file's sound and the stems of the mix, each [2, samples] at RATE from the trailer's first frame on."""

    heard: FileSound
    stems: Mapping[str, Floats]
    track: Soundtrack
    events: Events
    ceiling: float | None  # amplitude above which the master's limiter lets nothing pass; None: there is none

    @cached_property
    def _length(self) -> int:
        return int(next(iter(self.stems.values())).shape[1])

    @cached_property
    def _loud(self) -> dict[str, Floats]:
        """The stems in one channel, without silent ones."""
        parts = {name: sound.mean(0) for name, sound in self.stems.items()}
        return {name: part for name, part in parts.items() if rms(part) > _QUIET} or dict(list(parts.items())[:1])

    @cached_property
    def mix(self) -> Floats:
        """The expected sound, before the master [2, samples]."""
        return np.asarray(sum(self.stems.values()), np.float32)

    @cached_property
    def _lags(self) -> dict[str, int]:
        """Samples by which each stem is late in the file, of those that can be told."""
        heard, lags = self._fitted.mean(0), dict[str, int]()
        for name, part in self._loud.items():
            lag, sure = lag_between(heard, part, _REACH)
            if sure > _HEARD:
                lags[name] = lag
        return lags

    @cached_property
    def _common(self) -> int:
        """Samples by which the whole sound of the file is late, as most of the mix is."""
        lags = self._lags.values()
        agreed = [lag for lag in lags if all(abs(lag - other) < _LATE * RATE for other in lags)]
        return round(float(np.median(agreed))) if agreed else 0

    @property
    def late(self) -> float:
        """Seconds by which the whole sound of the file is late."""
        return self._common / RATE

    @cached_property
    def _parts(self) -> dict[str, Floats]:
        """The stems in one channel, at their places in the file after the whole sound is moved."""
        moves = {name: lag - self._common for name, lag in self._lags.items()}
        return {
            name: moved(part, moves.get(name, 0) if abs(moves.get(name, 0)) > _LATE * RATE else 0)
            for name, part in self._loud.items()
        }

    @cached_property
    def _fitted(self) -> Floats:
        """The file's sound, of the mix's length [2, samples]."""
        return np.stack([fitted(channel, self._length) for channel in self.heard.sound])

    @cached_property
    def _mastered(self) -> Floats:
        """The file's sound on the trailer's clock, as it is heard [2, samples]."""
        return np.stack([moved(channel, -self._common) for channel in self._fitted])

    @cached_property
    def _sound(self) -> Floats:
        """The file's sound on the trailer's clock, without what the master did [2, samples]."""
        return np.asarray(self._mastered / self._master, np.float32)

    @cached_property
    def _master(self) -> Floats:
        """What the master did to the mix, as a gain at each sample: the same everywhere, and less where a limiter held
        the peaks down, which it can only have done near loud ones."""
        count = self._length // WINDOW
        whole = (s.mean(0, dtype=np.float64)[: count * WINDOW] for s in (self._mastered, self.mix))
        heard, mix = (s.reshape(count, WINDOW) for s in whole)
        power = np.square(mix).sum(1)
        gain = (heard * mix).sum(1) / np.maximum(power, 1e-9)
        present = power > power.max(initial=0) * 1e-4
        usual = float(np.median(gain[present])) if present.any() else 1.0
        if self.ceiling is None or usual <= 0:
            return np.full(self._length, max(usual, 1e-3), np.float32)
        peaks = np.abs(self.mix[:, : count * WINDOW]).max(0).reshape(count, WINDOW).max(1)
        for _ in range(2):
            near = np.convolve(peaks * usual > _LIMITED * self.ceiling, np.ones(2 * _RELEASE + 1), "same") > 0
            calm = present & ~near
            usual = float(np.median(gain[calm if calm.sum() > 0.1 * present.sum() else present]))
        held = np.where(near, np.clip(gain, 0.25 * usual, usual), usual)
        centres = (np.arange(count) + 0.5) * WINDOW
        return np.maximum(np.interp(np.arange(self._length), centres, held), 1e-3).astype(np.float32)

    @cached_property
    def whole_gain(self) -> float:
        """Of the mix where no limiter held it down."""
        return float(self._master.max(initial=1e-3))

    @cached_property
    def gains(self) -> dict[str, float]:
        """The gain of each stem in the whole file."""
        return self._gains(0, self._length)

    def _gains(self, start: int, end: int) -> dict[str, float]:
        """Of each stem in a stretch, of those that are heard there."""
        sounding = {name: part[start:end] for name, part in self._parts.items() if rms(part[start:end]) > _QUIET}
        if not sounding:
            return {}
        rows = np.stack(list(sounding.values())).astype(np.float64)
        target = self._sound[:, start:end].mean(0).astype(np.float64)
        power = rows @ rows.T
        gains = np.linalg.solve(power + 1e-4 * np.diag(np.diag(power)), rows @ target)
        return dict(zip(sounding, map(float, gains), strict=True))

    def _explained(self, start: int, end: int) -> tuple[Floats, dict[str, float], Floats]:
        """The sound of a stretch in one channel, the gains of its stems, and what none of them explains."""
        heard, gains = self._sound[:, start:end].mean(0), self._gains(start, end)
        known = sum((gain * self._parts[name][start:end] for name, gain in gains.items()), np.zeros_like(heard))
        return heard, gains, heard - known

    def findings(self, elsewhere: Collection[str] = ()) -> list[Finding]:
        """`elsewhere`: the events that show something else, whose own sound differs too."""
        whole = list(self._whole())
        if any(each.code in ("one-sided", "no-sound") for each in whole):
            return whole
        found_late = [
            self._finding("sound-late", f"{_NAMES[name]} is {abs(lag - self._common) / RATE * 1000:.0f} ms too "
                          f"{'late' if lag > self._common else 'early'}", 0, self._length)
            for name, lag in self._lags.items() if abs(lag - self._common) > _LATE * RATE
        ]  # fmt: skip
        missing = {
            name for name, gain in self.gains.items()
            if len(self._parts) > 1 and gain < _MISSING * self.usual and self._share(name, 0, self._length) > _PRESENT
        }  # fmt: skip
        things = list(self._music()) if "music" not in missing else []
        if "voice" not in missing:
            things += self._lines()
        if "effects" not in missing:
            things += self._effects()
        if "film" not in missing:
            things += self._shots(elsewhere)
        apart = {stem for stem, each in things if each.code != "stem-gain"}  # their gain says when, not how loud
        other_music = "music" in apart | missing
        findings = [each for _, each in things if not (other_music and each.code == "stem-gain")]
        findings += [*whole, *found_late, *self._stem_findings(missing, apart), *self._sides(), *self._silences()]
        return [*findings, *self._strange(elsewhere, findings)]

    @cached_property
    def usual(self) -> float:
        """The gain of the whole: that of the stem that carries most."""
        powers = {name: rms(part) * max(0.0, self.gains[name]) for name, part in self._parts.items()}
        return max(1e-6, self.gains[max(powers, key=lambda name: powers[name])])

    def _whole(self) -> Iterator[Finding]:
        if rms(self.mix) > _QUIET and (self.heard.sound.shape[1] == 0 or rms(self.heard.sound) < 1e-5):
            yield self._finding("no-sound", "the file is silent from end to end", 0, self._length)
        elif self.heard.channels > 1 and (message := exchanged(self._fitted, self.mix)):
            yield self._finding("one-sided", message, 0, self._length)  # then nothing else can be judged
        elif abs(self.late) > _LATE:
            word = "late" if self.late > 0 else "early"
            message = f"all of the sound is {abs(self.late) * 1000:.0f} ms too {word}"
            yield self._finding("sound-late", message, 0, self._length)

    def _share(self, name: str, start: int, end: int) -> float:
        """The share of a stem in the power of a stretch of the mix."""
        powers = {each: rms(part[start:end]) ** 2 for each, part in self._parts.items()}
        return powers.get(name, 0.0) / (sum(powers.values()) or 1.0)

    def _stem_findings(self, missing: set[str], apart: set[str]) -> Iterator[Finding]:
        """Stems that are missing, or not as loud as they shall be; the loudness of those in `apart` cannot be told."""
        for name in missing:
            yield self._finding(_GONE[name], f"{_NAMES[name]} cannot be heard", 0, self._length)
        present = {name: gain for name, gain in self.gains.items() if name not in missing and gain > 0}
        heard = {n: 20 * float(np.log10(g)) for n, g in present.items() if self._share(n, 0, self._length) > _PRESENT}
        for name, level in heard.items():
            others = [other for each, other in heard.items() if each != name]
            middle = float(np.median(others)) if others else level
            odd = max(heard, key=lambda each: abs(heard[each] - float(np.median(list(heard.values())))))
            if (
                name not in apart
                and abs(level - middle) > _STEM_GAIN
                and (name == odd if len(heard) > 2 else name != "film")
            ):
                message = f"{_NAMES[name]} is {level - middle:+.1f} dB beside the rest of the mix"
                yield self._finding("stem-gain", message, 0, self._length, "`mix` and `gain` say how loud each is")

    def _music(self) -> Iterator[_Thing]:
        """Where the music is another, or cannot be heard: by pieces, for an edit of it may go on elsewhere."""
        part = self._parts.get("music", np.zeros(0, np.float32))
        gone = np.zeros(len(part) // _PHRASE, bool)
        for number in range(len(gone)):
            start, end = number * _PHRASE, (number + 1) * _PHRASE
            if self._share("music", start, end) > _CARRIES and rms(part[start:end]) > _QUIET:
                gain, clear = self._gain_within("music", start, end)
                gone[number] = gain < _MISSING and clear * _PHRASE > _CLEAR * RATE
        for first, last in stretches(gone):
            if last - first > 1:
                message = (
                    f"the music cannot be heard for {(last - first) * _PHRASE / RATE:.1f} s: there is none, or another"
                )
                yield "music", self._finding("music-missing", message, first * _PHRASE, last * _PHRASE)

    def _strange(self, elsewhere: Collection[str], findings: Collection[Finding]) -> Iterator[Finding]:
        """Stretches in which something is heard that no stem has. Where something else is wrong, that is why."""
        count = self._length // _PIECE
        strange = np.zeros(count, bool)
        for number in range(count):
            heard, _, rest = self._explained(number * _PIECE, (number + 1) * _PIECE)
            strange[number] = rms(heard) > _NOTICED and rms(rest) ** 2 > _UNKNOWN * rms(heard) ** 2
        wrong = [(each.start, each.end) for each in findings if each.code not in ("one-sided", "silent")]
        wrong += [(start, end) for start, end, placed in self.events.ranges() if placed.name in elsewhere]
        for first, last in stretches(strange):
            each = self._finding("sound-extra", "something is heard that the spec does not have", first * _PIECE,
                                 last * _PIECE)  # fmt: skip
            if last - first >= _NOTICEABLE and not any(a < each.end and each.start < b for a, b in wrong):
                yield each

    def _lines(self) -> Iterator[_Thing]:
        for voice in self.track.voices:
            line = f" ({voice.line})" if voice.line else ""
            yield from self._thing("voice", f"this line{line}", self._stretch(voice.place), voice.owner)
        yield from self._recordings("voice")

    def _effects(self) -> Iterator[_Thing]:
        for effect in self.track.effects:
            yield from self._thing("effects", f"the {effect.name}", self._effect_range(effect), effect.owner)
        yield from self._recordings("effects")

    def _recordings(self, stem: str) -> Iterator[_Thing]:
        for each in self.track.recordings:
            if each.stem == stem:
                yield from self._thing(stem, each.name, self._stretch(each.song.place), each.song.owner)

    def _effect_range(self, effect: PlacedEffect) -> tuple[int, int]:
        """The range with most of an effect."""
        at, part = self._at(effect.anchor), self._parts.get("effects", np.zeros(self._length, np.float32))
        length = effect.length * RATE // SAMPLE_RATE if effect.length else RATE
        length = min(max(length, RATE // 5), 2 * RATE)
        start, end = (max(0, at - length), at) if effect.name in RISING else (at, min(len(part), at + length))
        power = np.cumsum(np.square(part[start:end], dtype=np.float64))
        if not len(power) or power[-1] <= 0:
            return start, end
        first, last = np.searchsorted(power, (0.02 * power[-1], 0.95 * power[-1]))
        return start + int(first), max(start + int(first) + RATE // 20, start + int(last) + 1)

    def _shots(self, elsewhere: Collection[str]) -> Iterator[_Thing]:
        for placed in self.events.timeline.events:
            if isinstance(placed, PlacedShot) and not placed.event.mute and placed.name not in elsewhere:
                frames = placed.range.start.index, placed.range.end.index
                start, end = (self._frame(frame + self.events.opening) for frame in frames)
                yield from self._thing("film", "the sound of this shot", (start, end), placed.label)

    def _thing(self, stem: str, what: str, place: tuple[int, int], owner: str) -> Iterator[_Thing]:
        """Whether one thing is heard in its stretch, and when; a finding with its stem."""
        start, end = place
        part = self._parts.get(stem)
        if part is None or end - start < RATE // 25 or self._share(stem, start, end) < _AUDIBLE:
            return
        gain, clear = self._gain_within(stem, start, end)
        lag, sure = self._when(stem, start, end)
        seconds = lag / RATE
        if sure > _SURE and abs(seconds) > _LATE and abs(lag) < _NEAR - 1:
            message = f"{what} is {abs(seconds) * 1000:.0f} ms too {'late' if seconds > 0 else 'early'}"
            yield stem, self._owned("sound-late", message, start, end, owner)
        elif clear * (end - start) > _CLEAR * RATE and gain < _MISSING:
            yield stem, self._owned(_GONE[stem], f"{what} cannot be heard", start, end, owner)
        elif clear > _PLAIN and sure > _SURE and not 0.6 < gain < 1.7:
            message = f"{what} is {20 * np.log10(max(gain, 1e-3)):+.0f} dB beside what it shall be"
            yield stem, self._owned("stem-gain", message, start, end, owner)

    def _gain_within(self, stem: str, start: int, end: int) -> tuple[float, float]:
        """The gain of a stem in a stretch relative to the whole's, and how far it exceeds what no stem explains (a
        ratio of powers). In short pieces, since a missing sound also lowers nothing else."""
        gain, power, rest = 0.0, 1e-12, 1e-12
        for at in range(start, end - _PIECE // 2, _PIECE):
            piece = slice(at, min(at + _PIECE, end))
            _, gains, unknown = self._explained(piece.start, piece.stop)
            own = float(np.square(self._parts[stem][piece], dtype=np.float64).sum()) * self.usual**2
            gain, power = gain + own * gains.get(stem, 0.0) / self.usual, power + own
            rest += float(np.square(unknown, dtype=np.float64).sum())
        return gain / power, power / rest

    def _when(self, stem: str, start: int, end: int) -> tuple[int, float]:
        """How late (samples) a stem is in a stretch, and how sure that is, after subtracting the rest of the mix."""
        low, high = max(0, start - _NEAR), min(self._length, end + _NEAR)
        others = sum(
            (self.gains[name] * part[low:high] for name, part in self._parts.items() if name != stem),
            np.zeros(high - low, np.float32),
        )
        rest = self._sound[:, low:high].mean(0) - others
        return lag_within(rest, self._parts[stem][start:end], start - low)

    def _sides(self) -> Iterator[Finding]:
        if self.heard.channels > 1 and (message := uneven(self.mix, self._sound)):
            yield self._finding("one-sided", message, 0, self._length)

    def _silences(self) -> Iterator[Finding]:
        """Stretches in which nothing is heard, though something shall be."""
        wanted, own = levels(self.mix), levels(self._sound)
        usual = max(self.usual, 1e-3)
        quiet = (own < 0.02 * usual * wanted) & (wanted * usual > 0.003)
        for start, end in stretches(quiet):
            if (end - start) * WINDOW >= _SILENT * RATE:
                seconds = (end - start) * WINDOW / RATE
                yield self._finding("silent", f"nothing is heard for {seconds:.2f} s", start * WINDOW, end * WINDOW)

    def beside(self, rendered: FileSound) -> float:
        """dB by which the file is louder than the trailer as it was rendered: of what both hold, for encoders take away
        what is high."""
        own = fitted(rendered.sound.mean(0), self._length)
        lag, _ = lag_between(heard := self._fitted.mean(0), own, _REACH)
        heard = moved(heard, -lag)
        return 20 * float(np.log10(max(1e-3, float(heard @ own) / max(1e-9, float(own @ own)))))

    def level(self) -> float:
        """dB by which the whole is louder than it was mixed: what both hold, or all of it, whichever is nearer to 0.
        Encoders put noise in the place of what they take away."""
        held = self.whole_gain * self.usual
        power = rms(self._fitted.mean(0)) / max(1e-9, rms(self.mix.mean(0)))
        first, second = (20 * float(np.log10(max(1e-6, each))) for each in (held, power))
        return 0.0 if first * second < 0 else min(first, second, key=abs)

    # Places

    def _at(self, sample: int) -> int:
        """A sample of the timeline, on the trailer's clock at RATE."""
        return sample * RATE // SAMPLE_RATE + self._frame(self.events.opening)

    def _stretch(self, place: Sounding) -> tuple[int, int]:
        return self._at(place.start), self._at(place.end)

    def _frame(self, frame: int) -> int:
        return round(frame / self.events.timeline.rate * RATE)

    def _frames(self, start: int, end: int) -> tuple[int, int]:
        rate = self.events.timeline.rate
        return int(start / RATE * rate), max(int(start / RATE * rate) + 1, int(end / RATE * rate))

    def _finding(self, code: str, message: str, start: int, end: int, *hints: str) -> Finding:
        first, last = self._frames(start, end)
        if end - start >= self._length:
            return Finding(code, message, 0, last, hints=hints)
        return self.events.finding(code, message, (first, last), *hints)

    def _owned(self, code: str, message: str, start: int, end: int, owner: str) -> Finding:
        placed = {e.label: e for e in self.events.timeline.events}.get(owner)
        name, span = (placed.name, placed.event.place.span) if placed is not None else ("", None)
        return Finding(code, message, *self._frames(start, end), name, span)
