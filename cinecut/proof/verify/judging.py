"""The steps of `verify`: a file, its spec, and all differences between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cinecut.delivery.meters import Measured, measure
from cinecut.diagnostics import Severity, Stop
from cinecut.ffmpeg.builds import FFmpeg
from cinecut.ffmpeg.run import Workplace
from cinecut.files import disk_errors, fingerprint, staying_same, temporary_folder
from cinecut.language.facts import LoudnessTarget
from cinecut.language.timebase import clock
from cinecut.machine.gpu import gpu_lock
from cinecut.media.probe import film_facts
from cinecut.proof.verify.findings import Events, Finding
from cinecut.proof.verify.picture.alignment import Alignment, align
from cinecut.proof.verify.picture.flashes import flashing
from cinecut.proof.verify.picture.framing import framed
from cinecut.proof.verify.picture.shots import PicturePair
from cinecut.proof.verify.picture.strip import Thumbnails, read_strip
from cinecut.proof.verify.picture.texts import Cover, Texts
from cinecut.proof.verify.reference import Reference
from cinecut.proof.verify.sound.listening import FileSound, listen
from cinecut.proof.verify.sound.sides import FOLDED, mixed_down
from cinecut.proof.verify.sound.speech import chopped
from cinecut.proof.verify.sound.stems import SoundPair
from cinecut.proof.verify.wrapping import wrapping
from cinecut.render.folder import Materials
from cinecut.render.job import SILENT, Job, alone, prepare
from cinecut.render.store import usual_store

_LOUDNESS, _PEAK = 0.4, 1.5  # LU beside the target; dB above the ceiling: encoders differ by less
_LAME = 0.45  # dB by which the usual encoder of MP3 lowers what it is given
_DULL = 1.5  # LU that a file may lose with its high tones
_DOWN = 1.0  # LU within which the loudness of one channel made of two is known
_BEGINS = 0.002  # seconds beside the first picture
_CLIPPED = 20  # samples

_WHOLE = {"swapped-shot", "wrong-picture", "black-frame", "wrong-speed"}  # of an event: no text in it can be judged


@dataclass(frozen=True)
class Verified:
    """The result: the findings in order, both strips, and the reference frame that each frame shows."""

    findings: list[Finding]
    file: Thumbnails
    reference: Thumbnails
    alignment: Alignment
    measured: Measured
    rate: Fraction
    beats: tuple[int, float] | None  # cuts on the grid of the music, and the seconds by which the worst lies beside it

    @property
    def ok(self) -> bool:
        return not any(each.diagnostic(self.rate).severity is Severity.ERROR for each in self.findings)


def deliverable_of(spec: Path, file: Path, only: str | None) -> Job:
    """The job of the deliverable that a file is: the named one, else the one with its name or its shape. Raises Stop if
    the spec or the file cannot be read."""
    job = prepare(spec, only=[only] if only else ())
    outputs = {name: output for name, output in job.plan.layout.trailer.outputs.items() if output.stem is None}
    if not outputs:
        raise Stop("option", f"{spec} has no such deliverable with a picture", "`cinecut kits` measures stems")
    if len(job.plan.targets) < 2:
        return job
    named = [name for name in outputs if name and file.stem.endswith(f"_{name}")]
    if only in outputs or named:
        return alone(job, only if only is not None and only in outputs else max(named, key=len))
    width, height = film_facts(file).display_size
    shapes = {name: abs(width / height - each.size[0] / each.size[1]) for name, each in outputs.items()}
    return alone(job, min(shapes, key=lambda name: shapes[name]))


def verify(job: Job, file: Path, ffmpeg: FFmpeg, waiting: Callable[[str], None]) -> Verified:
    """Check a file against the first output of a job. Raises Stop if it cannot be read at all."""
    with (
        staying_same(file, fingerprint(file)),
        temporary_folder() as folder,
        gpu_lock(f"verifying {file.name}", waiting) as lock,
        disk_errors(folder),
    ):
        store = usual_store()
        materials = Materials(job, folder, SILENT, store)
        reference = Reference(job, Workplace(ffmpeg, folder, lock, job.plan.places), materials, store)
        window = framed(file, reference.output.size)
        with ThreadPoolExecutor(2) as pool:  # the file's pictures are read in one thread, all else in another
            strip = pool.submit(read_strip, file, reference.size, window, reference.matrix)
            heard = pool.submit(_hear, file, ffmpeg)
            kept = reference.sound_is_kept(file)
            listened, measured = heard.result()
            stems = None if kept and listened is not None and abs(listened.begins) < _BEGINS else _stems(reference)
            soft = -_DULL < _away(measured, reference.output.loudness) < -_LOUDNESS
            rendered = listen(reference.sound()) if soft and stems is not None else None
            wanted = reference.pictures(file, strip.result)
            shown = strip.result()
            covers = reference.covers() if not shown.same_as(wanted) else []
            judging = _Found(job, file, shown, wanted, covers, stems, listened, measured, rendered, window is not None)
    return judging.verified()


def _hear(file: Path, ffmpeg: FFmpeg) -> tuple[FileSound | None, Measured]:
    return listen(file), measure(file, ffmpeg, leq=False)


def _away(measured: Measured, goal: LoudnessTarget | None) -> float:
    """LU by which a file is louder than it shall be; 0 where nothing says how loud, or there is no sound."""
    if goal is None or goal.target is None or measured.level.loudness is None:
        return 0.0
    return measured.level.loudness - float(goal.target)


def _stems(reference: Reference) -> dict[str, FileSound]:
    heard = {name: listen(file) for name, file in reference.stems().items()}
    return {name: each for name, each in heard.items() if each is not None}


@dataclass(frozen=True)
class _Found:
    """Everything that was read."""

    job: Job
    path: Path
    strip: Thumbnails
    reference: Thumbnails
    covers: list[Cover]
    stems: Mapping[str, FileSound] | None  # None: the file's sound is the very one that was rendered
    heard: FileSound | None
    measured: Measured
    rendered: FileSound | None  # the sound as it is rendered, where the file is somewhat softer than that shall be
    barred: bool  # a site put bars around its picture

    def verified(self) -> Verified:
        if not self.strip.frames:
            raise Stop("unreadable", f"{self.path}: none of its pictures can be decoded")
        plan = self.job.plan
        events = Events(plan.timeline, plan.opening)
        alignment = align(self.strip, self.reference, plan.rate)
        pictures = PicturePair(self.strip, self.reference, alignment, events)
        seen = pictures.findings()
        wrong = {name for each in seen if each.code in _WHOLE and each.end - each.start > 2 for name in each.events}
        written = list(plan.pictures[plan.targets[0].name].texts)
        picture = self.measured.picture
        wanted = next(iter(plan.layout.trailer.outputs.values())).size[1]
        rows = picture.size[1] if picture else 0
        seen += Texts(written, self.covers, self.strip, self.reference, alignment, events, rows, wanted).findings(wrong)
        sound = self._sound(events)
        findings = [*seen, *self._sound_findings(sound, seen), *self._flashes(events, alignment), *self._figures(sound)]
        if self.heard is not None and self.heard.sound.any():
            findings += chopped(self.job, events)
        findings += wrapping(self.job, self.path, self.measured, self.barred)
        findings.sort(key=lambda each: (each.start, each.end, each.code))
        beats = _on_beats(events, alignment, sound)
        return Verified(findings, self.strip, self.reference, alignment, self.measured, plan.rate, beats)

    def _sound(self, events: Events) -> SoundPair | None:
        if self.heard is None or not self.stems:
            return None
        stems = {name: heard.sound for name, heard in self.stems.items()}
        goal = next(iter(self.job.plan.layout.trailer.outputs.values())).loudness
        ceiling = 10 ** (float(goal.peak) / 20) if goal is not None else None
        return SoundPair(self.heard, stems, self.job.plan.layout.track, events, ceiling)

    def _sound_findings(self, sound: SoundPair | None, seen: Sequence[Finding]) -> list[Finding]:
        if sound is not None:
            codes = (*_WHOLE, "shifted-shot")
            return sound.findings({name for each in seen if each.code in codes for name in each.events})
        if not self.stems or self.heard is not None:
            return []
        return [Finding("no-sound", "the file has no sound", 0, self.job.plan.frames)]

    def _flashes(self, events: Events, alignment: Alignment) -> Iterator[Finding]:
        """Flashing stretches, and whether the spec has them too."""
        asked = flashing(self.reference.luma, self.reference.times)
        for start, end in flashing(self.strip.luma, self.strip.times):
            first, last = int(alignment.base[start]), int(alignment.base[end - 1]) + 1
            own = any(a < last and first < b for a, b in asked)
            message = "more than three flashes within a second: this can harm people" + (
                "; the spec has it so" if own else ""
            )
            yield events.finding("flashes" if own else "flashing", message, (first, last), frame=start)

    def _figures(self, sound: SoundPair | None) -> Iterator[Finding]:
        """Loudness, true peak, clipping."""
        plan, frames = self.job.plan, self.job.plan.frames
        goal = next(iter(plan.layout.trailer.outputs.values())).loudness
        if sound is None or self.heard is None:
            return
        folded = self.heard.channels < plan.targets[0].channels
        if folded and plan.targets[0].channels > 2:
            return  # each program folds surround at levels of its own
        away, asked = _away(self.measured, goal), "as it is mixed"
        if goal is not None and goal.target is not None:
            asked = f"{float(goal.target):g} LUFS"
        elif goal is None:
            away = sound.level()
        lame = _LAME if self.heard.codec == "mp3" else 0.0
        if self.heard.channels == 1:
            aimed = goal is not None and goal.target is not None  # else the gain alone is known, not the loudness
            downs = mixed_down(sound.mix) if aimed else (0.0, FOLDED)
            away = min((away - each for each in downs), key=abs)
            away = 0.0 if abs(away) < _DOWN else away
        elif self.rendered is not None:
            away = max(away, sound.beside(self.rendered))
        if min(abs(away), abs(away + lame)) > _LOUDNESS:
            message = f"the file is {abs(away):.1f} LU too {'loud' if away > 0 else 'soft'}; it shall be {asked}"
            yield Finding("loudness", message, 0, frames)
        peak = self.measured.level.peak
        if goal is not None and peak > float(goal.peak) + _PEAK + (FOLDED if folded else 0):
            yield Finding("true-peak", f"peaks of {peak:.1f} dBTP; {float(goal.peak):g} is the most", 0, frames)
        expected = float(abs(sound.mix).max()) * sound.whole_gain if sound.mix.size else 0.0
        if self.heard.clipped > _CLIPPED and (goal is not None or expected < 1):
            yield Finding("clipped", f"the sound is clipped: {self.heard.clipped} samples at full scale", 0, frames)


def _on_beats(events: Events, alignment: Alignment, sound: SoundPair | None) -> tuple[int, float] | None:
    """How far the file's cuts are from the beats heard in it, for cuts that the spec puts on a beat."""
    grid, rate = events.timeline.grid, events.timeline.rate
    if grid is None:
        return None
    late, distances = sound.late if sound is not None else 0.0, list[float]()
    for start, _, placed in events.ranges()[1:]:
        beat = grid.nearest_line(placed.start, "beat")
        if placed.head.kind == "cut" and abs(beat - placed.start) <= Fraction(1, 2) / rate:
            rows = [row for row in range(len(alignment.base)) if alignment.base[row] + alignment.offset[row] >= start]
            if rows:
                shown = float(start - int(alignment.offset[rows[0]])) / float(rate)
                distances.append(abs(shown - float(beat) - float(Fraction(events.opening) / rate) - late))
    return (len(distances), max(distances)) if distances else None


def summary(verified: Verified) -> dict[str, object]:
    """The measurements, for programs."""
    beats = {"cuts": verified.beats[0], "worst_ms": round(1000 * verified.beats[1], 1)} if verified.beats else None
    measured = verified.measured.level
    return {
        "frames": verified.file.frames,
        "reference_frames": verified.reference.frames,
        "seconds": clock(Fraction(verified.reference.frames) / verified.rate, 3),
        "loudness": measured.loudness,
        "short_term": measured.short_term,
        "true_peak": measured.peak if measured.loudness is not None else None,
        "on_beats": beats,
    }
