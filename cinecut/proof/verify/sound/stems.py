"""Whether everything is heard at its time and level: film, lines, effects, music.

The file's sound is a sum of the stems, each at some gain: least squares over a stretch tell the gains. What is left
without the other stems, correlated with one of them, tells when that one is heard.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cinecut.compiler.layout.soundtrack import RISING, PlacedEffect, Soundtrack
from cinecut.compiler.layout.timeline import PlacedShot
from cinecut.language.timebase import SAMPLE_RATE
from cinecut.proof.verify.findings import Events, Finding
from cinecut.proof.verify.sound.listening import RATE, FileSound, Floats

_REACH = 2 * RATE  # samples by which all of the sound may be off
_NEAR = round(0.3 * RATE)  # and one thing
_LATE = 0.008  # seconds: less nobody hears, and encoders differ by less
_SURE = 0.5  # correlation of what is found
_HEARD = 0.06  # and of what is somewhere in the whole
_MISSING = 0.3  # of its gain: less is as good as nothing
_AUDIBLE = 0.002  # share of the power of a stretch: below it nobody hears a thing
_CLEAR = 0.25  # seconds for which it stands out of what cannot be explained, as a ratio of powers, to be missed
_PLAIN = 8.0  # that ratio for its gain to be judged
_QUIET = 3e-4  # amplitude: below it there is nothing to compare
_STEM_GAIN = 1.5  # dB by which a stem may lie beside the others
_SILENT = 0.3  # seconds
_ASIDE = 6.0  # dB between the sides, other than the spec's
_WINDOW = RATE // 20
_LIMITED = 0.5  # share of the ceiling from which on a limiter may be at work: peaks are lower at RATE
_RELEASE = 6  # windows around a peak in which it may be
_PIECE = RATE // 6  # samples in which gains are taken as constant

_NAMES = {"film": "the film's own sound", "music": "the music", "effects": "all effects", "voice": "all lines"}


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
        return {name: part for name, part in parts.items() if _rms(part) > _QUIET} or dict(list(parts.items())[:1])

    @cached_property
    def mix(self) -> Floats:
        """The expected sound, before the master [2, samples]."""
        return np.asarray(sum(self.stems.values()), np.float32)

    @cached_property
    def _lags(self) -> dict[str, int]:
        """Samples by which each stem is late in the file, for stems where that is clear."""
        heard, found = _fitted(self.heard.sound.mean(0), self._length), dict[str, int]()
        for name, part in self._loud.items():
            lag, sure = _lag(heard, part, _REACH)
            if sure > _HEARD:
                found[name] = lag
        return found

    @cached_property
    def _common(self) -> int:
        """Samples by which the whole sound of the file is late, as most of the mix is."""
        agreed = [lag for lag in self._lags.values() if self._agrees(lag)]
        return round(float(np.median(agreed))) if agreed else 0

    def _agrees(self, lag: int) -> bool:
        """Whether all stems are late by about as much, so that the sound is late as a whole."""
        return all(abs(lag - other) < _LATE * RATE for other in self._lags.values())

    @property
    def late(self) -> float:
        """Seconds by which the whole sound of the file is late."""
        return self._common / RATE

    @cached_property
    def _parts(self) -> dict[str, Floats]:
        """The stems in one channel, at their places in the file after the whole sound is moved."""
        moves = {name: lag - self._common for name, lag in self._lags.items()}
        return {
            name: _moved(part, moves.get(name, 0) if abs(moves.get(name, 0)) > _LATE * RATE else 0)
            for name, part in self._loud.items()
        }

    @cached_property
    def _sound(self) -> Floats:
        """The file's sound on the trailer's clock [2, samples]."""
        sound = np.stack([_moved(_fitted(channel, self._length), -self._common) for channel in self.heard.sound])
        return np.asarray(sound / self._master(sound), np.float32)

    def _master(self, sound: Floats) -> Floats:
        """The master's gain at each sample: constant, and lower where a limiter acted, which is only near loud
        passages."""
        count = self._length // _WINDOW
        whole = (s.mean(0, dtype=np.float64)[: count * _WINDOW] for s in (sound, self.mix))
        heard, mix = (s.reshape(count, _WINDOW) for s in whole)
        power = np.square(mix).sum(1)
        gain = (heard * mix).sum(1) / np.maximum(power, 1e-9)
        present = power > power.max(initial=0) * 1e-4
        usual = float(np.median(gain[present])) if present.any() else 1.0
        if self.ceiling is None or usual <= 0:
            return np.full(self._length, max(usual, 1e-3), np.float32)
        peaks = np.abs(self.mix[:, : count * _WINDOW]).max(0).reshape(count, _WINDOW).max(1)
        for _ in range(2):
            near = np.convolve(peaks * usual > _LIMITED * self.ceiling, np.ones(2 * _RELEASE + 1), "same") > 0
            calm = present & ~near
            usual = float(np.median(gain[calm if calm.sum() > 0.1 * present.sum() else present]))
        held = np.where(near, np.clip(gain, 0.25 * usual, usual), usual)
        centres = (np.arange(count) + 0.5) * _WINDOW
        return np.maximum(np.interp(np.arange(self._length), centres, held), 1e-3).astype(np.float32)

    @cached_property
    def whole_gain(self) -> float:
        """The gain of the mix where no limiter acted."""
        sound = np.stack([_moved(_fitted(channel, self._length), -self._common) for channel in self.heard.sound])
        return float(self._master(sound).max(initial=1e-3))

    @cached_property
    def gains(self) -> dict[str, float]:
        """The gain of each stem in the whole file."""
        return self._gains(0, self._length)

    def _gains(self, start: int, end: int) -> dict[str, float]:
        """The gain of each stem that is heard in a stretch."""
        sounding = {name: part[start:end] for name, part in self._parts.items() if _rms(part[start:end]) > _QUIET}
        if not sounding:
            return {}
        rows = np.stack(list(sounding.values())).astype(np.float64)
        target = self._sound[:, start:end].mean(0).astype(np.float64)
        power = rows @ rows.T
        found = np.linalg.solve(power + 1e-4 * np.diag(np.diag(power)), rows @ target)
        return dict(zip(sounding, map(float, found), strict=True))

    def findings(self, elsewhere: Collection[str] = ()) -> list[Finding]:
        """`elsewhere`: the events that show something else, whose own sound differs too."""
        whole = list(self._whole())
        if any(each.code == "no-sound" for each in whole):
            return whole
        found_late = [
            self._finding("sound-late", f"{_NAMES[name]} is {abs(lag - self._common) / RATE * 1000:.0f} ms too "
                          f"{'late' if lag > self._common else 'early'}", 0, self._length)
            for name, lag in self._lags.items() if abs(lag - self._common) > _LATE * RATE
        ]  # fmt: skip
        missing = {name for name in self._parts if self._is_missing(name)}
        found = [*whole, *found_late, *self._stem_findings(missing), *self._sides(), *self._silences()]
        if "voice" not in missing:
            found += self._lines()
        if "effects" not in missing:
            found += self._effects()
        if "film" not in missing:
            found += self._shots(elsewhere)
        return found

    @cached_property
    def usual(self) -> float:
        """The gain of the whole: that of the dominant stem."""
        powers = {name: _rms(part) * max(0.0, self.gains[name]) for name, part in self._parts.items()}
        return max(1e-6, self.gains[max(powers, key=lambda name: powers[name])])

    def _whole(self) -> Iterator[Finding]:
        if _rms(self.mix) > _QUIET and (self.heard.sound.shape[1] == 0 or _rms(self.heard.sound) < 1e-5):
            yield self._finding("no-sound", "the file is silent from end to end", 0, self._length)
        elif abs(self.late) > _LATE:
            word = "late" if self.late > 0 else "early"
            message = f"all of the sound is {abs(self.late) * 1000:.0f} ms too {word}"
            yield self._finding("sound-late", message, 0, self._length)

    def _is_missing(self, name: str) -> bool:
        return (
            len(self._parts) > 1
            and self.gains[name] < _MISSING * self.usual
            and self._share(name, 0, self._length) > 0.003
        )

    def _share(self, name: str, start: int, end: int) -> float:
        """The share of a stem in the power of a stretch of the mix."""
        powers = {each: _rms(part[start:end]) ** 2 for each, part in self._parts.items()}
        return powers.get(name, 0.0) / (sum(powers.values()) or 1.0)

    def _stem_findings(self, missing: set[str]) -> Iterator[Finding]:
        for name in missing:
            code = {"music": "music-missing", "voice": "line-missing", "effects": "effect-missing"}.get(
                name, "shot-silent"
            )
            yield self._finding(code, f"{_NAMES[name]} cannot be heard", 0, self._length)
        present = {name: gain for name, gain in self.gains.items() if name not in missing and gain > 0}
        heard = {n: 20 * float(np.log10(g)) for n, g in present.items() if self._share(n, 0, self._length) > 0.003}
        for name, level in heard.items():
            others = [other for each, other in heard.items() if each != name]
            middle = float(np.median(others)) if others else level
            odd = max(heard, key=lambda each: abs(heard[each] - float(np.median(list(heard.values())))))
            if abs(level - middle) > _STEM_GAIN and (name == odd if len(heard) > 2 else name != "film"):
                message = f"{_NAMES[name]} is {level - middle:+.1f} dB beside the rest of the mix"
                yield self._finding("stem-gain", message, 0, self._length, "`mix` and `gain` say how loud each is")

    def _lines(self) -> Iterator[Finding]:
        for voice in self.track.voices:
            start, end = (self._at(sample) for sample in (voice.place.start, voice.place.end))
            line = f" ({voice.line})" if voice.line else ""
            yield from self._thing("voice", f"this line{line}", "line-missing", (start, end), voice.owner)

    def _effects(self) -> Iterator[Finding]:
        for effect in self.track.effects:
            start, end = self._effect_range(effect)
            yield from self._thing("effects", f"the {effect.name}", "effect-missing", (start, end), effect.owner)

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

    def _shots(self, elsewhere: Collection[str]) -> Iterator[Finding]:
        for placed in self.events.timeline.events:
            if isinstance(placed, PlacedShot) and not placed.event.mute and placed.name not in elsewhere:
                frames = placed.range.start.index, placed.range.end.index
                start, end = (self._frame(frame + self.events.opening) for frame in frames)
                yield from self._thing("film", "the sound of this shot", "shot-silent", (start, end), placed.label)

    def _thing(self, stem: str, what: str, code: str, place: tuple[int, int], owner: str) -> Iterator[Finding]:
        """Check whether one sound is heard in its stretch, and when."""
        start, end = place
        part = self._parts.get(stem)
        if part is None or end - start < RATE // 25 or self._share(stem, start, end) < _AUDIBLE:
            return
        gain, clear = self._gain_within(stem, start, end)
        lag, sure = self._when(stem, start, end)
        seconds = lag / RATE
        if sure > _SURE and abs(seconds) > _LATE and abs(lag) < _NEAR - 1:
            message = f"{what} is {abs(seconds) * 1000:.0f} ms too {'late' if seconds > 0 else 'early'}"
            yield self._owned("sound-late", message, start, end, owner)
        elif clear * (end - start) > _CLEAR * RATE and gain < _MISSING:
            yield self._owned(code, f"{what} cannot be heard", start, end, owner)
        elif clear > _PLAIN and sure > _SURE and not 0.6 < gain < 1.7:
            message = f"{what} is {20 * np.log10(max(gain, 1e-3)):+.0f} dB beside what it shall be"
            yield self._owned("stem-gain", message, start, end, owner)

    def _gain_within(self, stem: str, start: int, end: int) -> tuple[float, float]:
        """The gain of a stem in a stretch relative to the whole's, and how far it exceeds what no stem explains (a
        ratio of powers). In short pieces, since a missing sound also lowers nothing else."""
        gain, power, rest = 0.0, 1e-12, 1e-12
        for at in range(start, end - _PIECE // 2, _PIECE):
            piece = slice(at, min(at + _PIECE, end))
            heard = self._sound[:, piece].mean(0)
            gains = self._gains(piece.start, piece.stop)
            known = sum((each * self._parts[name][piece] for name, each in gains.items()), np.zeros_like(heard))
            own = float(np.square(self._parts[stem][piece], dtype=np.float64).sum()) * self.usual**2
            gain, power = gain + own * gains.get(stem, 0.0) / self.usual, power + own
            rest += float(np.square(heard - known, dtype=np.float64).sum())
        return gain / power, power / rest

    def _when(self, stem: str, start: int, end: int) -> tuple[int, float]:
        """How late (samples) a stem is in a stretch, and how sure that is, after subtracting the rest of the mix."""
        low, high = max(0, start - _NEAR), min(self._length, end + _NEAR)
        others = sum(
            (self.gains[name] * part[low:high] for name, part in self._parts.items() if name != stem),
            np.zeros(high - low, np.float32),
        )
        rest = self._sound[:, low:high].mean(0) - others
        return _lag_within(rest, self._parts[stem][start:end], start - low)

    def _sides(self) -> Iterator[Finding]:
        wanted, found = (np.sqrt(np.square(s, dtype=np.float64).mean(1)) + 1e-9 for s in (self.mix, self._sound))
        other = 20 * np.log10((found[0] / found[1]) / (wanted[0] / wanted[1]))
        if abs(other) > _ASIDE:
            side = "right" if other > 0 else "left"
            yield self._finding("one-sided", f"the {side} side is {abs(other):.0f} dB too soft", 0, self._length)
            return
        widths = [float(_rms(s[0] - s[1]) / (_rms(s.mean(0)) + 1e-9)) for s in (self.mix, self._sound)]
        if widths[0] > 0.03 and widths[1] < 0.15 * widths[0]:
            message = "both sides are the same: this is mono, and the mix is not"
            yield self._finding("one-sided", message, 0, self._length)

    def _silences(self) -> Iterator[Finding]:
        """Silent stretches where something should be heard."""
        wanted, found = _levels(self.mix), _levels(self._sound)
        usual = max(self.usual, 1e-3)
        quiet = (found < 0.02 * usual * wanted) & (wanted * usual > 0.003)
        for start, end in _stretches(quiet):
            if (end - start) * _WINDOW >= _SILENT * RATE:
                seconds = (end - start) * _WINDOW / RATE
                yield self._finding("silent", f"nothing is heard for {seconds:.2f} s", start * _WINDOW, end * _WINDOW)

    def level(self) -> float:
        """dB by which the whole is louder than it was mixed."""
        return 20 * float(np.log10(self.whole_gain * self.usual))

    # Places

    def _at(self, sample: int) -> int:
        """A sample of the timeline, on the trailer's clock at RATE."""
        return sample * RATE // SAMPLE_RATE + self._frame(self.events.opening)

    def _frame(self, frame: int) -> int:
        return round(frame / self.events.timeline.rate * RATE)

    def _finding(self, code: str, message: str, start: int, end: int, *hints: str) -> Finding:
        rate = self.events.timeline.rate
        frames = int(start / RATE * rate), max(int(start / RATE * rate) + 1, int(end / RATE * rate))
        if end - start >= self._length:
            return Finding(code, message, 0, frames[1], hints=hints)
        return self.events.finding(code, message, frames, *hints)

    def _owned(self, code: str, message: str, start: int, end: int, owner: str) -> Finding:
        rate, placed = self.events.timeline.rate, {e.label: e for e in self.events.timeline.events}.get(owner)
        frames = int(start / RATE * rate), max(int(start / RATE * rate) + 1, int(end / RATE * rate))
        name, span = (placed.name, placed.event.place.span) if placed is not None else ("", None)
        return Finding(code, message, *frames, name, span)


def _rms(sound: NDArray[np.floating]) -> float:
    rows = sound if sound.ndim > 1 else sound[None]
    return float(np.sqrt(sum(float(np.dot(row, row)) for row in rows) / sound.size)) if sound.size else 0.0


def _moved(channel: Floats, samples: int) -> Floats:
    """A channel moved later by these samples, at the same length."""
    if not samples:
        return channel
    rest = np.zeros(min(abs(samples), len(channel)), np.float32)
    return np.concatenate([rest, channel[:-samples]] if samples > 0 else [channel[-samples:], rest])


def _fitted(channel: Floats, length: int) -> Floats:
    return np.pad(channel, (0, length - len(channel))) if len(channel) < length else channel[:length]


def _lag(sound: Floats, wanted: Floats, reach: int) -> tuple[int, float]:
    """Samples by which a sound is later than the expected one of the same length, and how similar they are then."""
    size = 1 << (len(sound) + reach).bit_length()
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size)), size)
    near = np.concatenate([product[-reach:], product[: reach + 1]])
    norm = np.sqrt(np.square(sound, dtype=np.float64).sum() * np.square(wanted, dtype=np.float64).sum()) + 1e-9
    best = int(near.argmax())
    return best - reach, float(near[best] / norm)


def _lag_within(sound: Floats, wanted: Floats, at: int) -> tuple[int, float]:
    """Where in a sound a shorter one is heard: samples after `at`, and their correlation there."""
    size = 1 << (len(sound) + len(wanted)).bit_length()
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size)), size)
    places = max(1, len(sound) - len(wanted) + 1)
    energy = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    power = energy[len(wanted) : len(wanted) + places] - energy[:places]
    norm = np.sqrt(np.maximum(power, 1e-9) * (np.square(wanted, dtype=np.float64).sum() + 1e-9))
    like = product[:places] / norm
    best = int(like.argmax())
    return best - at, float(like[best])


def _levels(sound: Floats) -> NDArray[np.float64]:
    """Amplitude in windows of a twentieth of a second."""
    count = sound.shape[1] // _WINDOW
    parts = sound[:, : count * _WINDOW].reshape(2, count, _WINDOW)
    return np.asarray(np.sqrt(np.square(parts, dtype=np.float64).mean((0, 2))))


def _stretches(marked: NDArray[np.bool_]) -> Sequence[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
