"""Making a trailer's files: stored parts are reused, new ones made in parallel, and all of them joined.

plan ─┬─ segments ─ those that are new ─┬─ materials ─ workers ─► join ─► files of the working folder
      └─ sounds ─── those that are new ─┘
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from importlib import import_module
from threading import Thread

from cinecut.compiler.picture.assembly import label_of
from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Diagnostic
from cinecut.ffmpeg.meter import Level
from cinecut.ffmpeg.run import Workplace, run_graph
from cinecut.graph.plan import Run, Target
from cinecut.render.folder import Materials, write_texts
from cinecut.render.job import Watch
from cinecut.render.master import PlanSound, excess, file_of, make_sounds, mixed_of_files, sounds_of, stems_of
from cinecut.render.segments.keys import Keys
from cinecut.render.segments.pictures import HeadersDifferError, Segment, Shooting, run_of, segments_of, together
from cinecut.render.segments.workers import run_all, workers_for
from cinecut.render.store import Store


@dataclass
class Studio:
    """Renders a plan: in `place`, with the media of `materials`, and with what the store has of earlier renders.

    Its results: `levels` of sounds by the outputs' names, `warnings`, `parts` (all segments, each with its key in the
    store), and `new` (the segments that the store did not have).
    """

    plan: RenderPlan
    place: Workplace
    materials: Materials
    store: Store
    watch: Watch
    levels: dict[str, Level] = field(default_factory=dict)
    warnings: list[Diagnostic] = field(default_factory=list)
    parts: list[tuple[Segment, str]] = field(default_factory=list)
    new: list[Segment] = field(default_factory=list)

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.materials.keys, self.place.ffmpeg)

    def make(self, jobs: int | None) -> dict[str, str]:
        """The trailer's files in the working folder, by output name, made by `jobs` FFmpegs at a time (None: as many as
        the machine serves)."""
        self._warn_of_whole()
        Thread(target=import_module, args=("cinecut.media.reels",), daemon=True).start()  # while the store is read
        segments = segments_of(self.plan)
        self._make(segments, sounds_of(self.plan), jobs)
        self._warn_of_loud()
        try:
            return self._joined(segments)
        except HeadersDifferError:
            message = "this FFmpeg's segments have headers of their own: the trailer is rendered in one piece"
            self.warnings.append(Diagnostic("segments", message, None))
            segments = segments_of(self.plan, whole=True)
            self._make(segments, [], jobs)
            return self._joined(segments)

    def _warn_of_whole(self) -> None:
        for target in self.plan.targets:
            if not target.segment.joins and target.stem is None:
                message = f"what {target.encoders[0]} encodes cannot be joined: its trailer is rendered in one piece"
                self.warnings.append(Diagnostic("segments", message, None))

    def _warn_of_loud(self) -> None:
        for target in self.plan.targets:
            level, goal = self.levels.get(target.name), target.loudness
            if level is not None and goal is not None and (over := excess(level, goal)) > 0:
                name = target.name or "the trailer"
                message = f"{name}: its loudest seconds are {over:.1f} LU louder than they may be"
                hint = "they were evened out as far as that goes: turn the loudest shots or effects down by `gain`"
                self.warnings.append(Diagnostic("loud-seconds", message, None, (hint,)))

    def _make(self, segments: Sequence[Segment], sounds: Sequence[PlanSound], jobs: int | None) -> None:
        """Bring all segments and sounds into the working folder."""
        keys = {segment.file: self.keys.segment(segment) for segment in segments}
        once = {key: file for file, key in reversed(keys.items())}
        alone = [each for each in segments if once[keys[each.file]] == each.file]
        stored = self.store.take_all({each.file: keys[each.file] for each in alone}, self.place.folder)
        new = [each for each in alone if each.file not in stored]
        new_sounds = [sound for sound in sounds if not self._take(sound)]
        shots = together(new)
        runs = [run_of(shot, self.plan.render.items) for shot in shots]
        reads = {name for sound in new_sounds for run in (sound.run, sound.mix) for name in run.reads}
        for segment in new:
            write_texts(segment.texts, self.place.folder)

        meter = _Meter(self.watch, self.plan, {shot[0].file: 0 for shot in shots})
        meter.stored = sum(shot[0].frames for shot in together(alone)) - sum(shot[0].frames for shot in shots)
        shooting = Shooting(self.plan, self.place, lambda each: self._keep(keys[each.file], each.file), meter.tell)
        tasks = [(partial(shooting.make, shot), run.reads) for shot, run in zip(shots, runs, strict=True)]
        if new_sounds:  # early, since it is one piece of work; but a first segment can run while its reels are made
            tasks.insert(1 if len(tasks) > 1 else 0, (partial(self._record, new_sounds), reads))
        with closing(self.materials.in_turn([reads for _, reads in tasks])) as brought:
            ready = (task for (task, _), _ in zip(tasks, brought, strict=False))
            run_all(ready, workers_for(runs, jobs), self.place.running.end)
        for segment in segments:  # segments that are the same in several outputs were made once
            if (made := once[keys[segment.file]]) != segment.file:
                (self.place.folder / segment.file).unlink(missing_ok=True)
                (self.place.folder / segment.file).symlink_to(made)
        self.warnings += shooting.warnings
        self.parts = [(segment, keys[segment.file]) for segment in segments]
        self.new += new

    def _record(self, sounds: Sequence[PlanSound]) -> None:
        def progress(done: float) -> None:
            self.watch.share("mix", done)

        mastered = make_sounds(self.plan, [*map(self._of_kept_stems, sounds)], self.place, progress)
        self.levels |= {name: each.level for name, each in mastered.items() if each.level is not None}
        for sound in sounds:
            level = self.levels.get(sound.names[0])
            (self.place.folder / sound.notes).write_text(json.dumps(level and asdict(level)))
            if not self.materials.damaged:  # they are said again
                self._keep(self.keys.sound(sound), sound.file)
                self._keep(self.keys.sound(sound, "notes"), sound.notes)

    def _of_kept_stems(self, sound: PlanSound) -> PlanSound:
        """A live draft's sound, mixed from stored stems: moving a fader makes no stem again, and new stems are made in
        parallel."""
        if not sound.target.live:
            return sound
        stems = {file_of(stem): stem for stem in stems_of(sound)}
        keys = {file: self.keys.run(stem) for file, stem in stems.items()}
        new = [file for file in stems if not self.store.take(keys[file], self.place.folder / file)]

        def make(file: str) -> None:
            run_graph(stems[file], [file], self.place)
            self._keep(keys[file], file)

        with ThreadPoolExecutor(max(1, len(new))) as pool:
            for _ in pool.map(make, new):
                pass
        return mixed_of_files(sound, list(stems.values()))

    def _take(self, sound: PlanSound) -> bool:
        """Whether the store has a sound, and its measured level."""
        folder, keys = self.place.folder, [self.keys.sound(sound), self.keys.sound(sound, "notes")]
        if not all(map(self.store.take, keys, [folder / sound.file, folder / sound.notes])):
            return False
        level = json.loads((folder / sound.notes).read_text())
        self.levels |= dict.fromkeys(sound.names, Level(**level)) if level else {}
        return True

    def _keep(self, key: str, file: str) -> None:
        self.store.keep(key, self.place.folder / file)

    def _joined(self, segments: Sequence[Segment]) -> dict[str, str]:
        """Join each output's segments, sound and captions into one file."""
        from cinecut.render.segments.join import join  # it loads a decoder, which needs no memory while FFmpeg runs

        folder, joined = self.place.folder, dict[str, str]()
        sounds = {name: sound.file for sound in sounds_of(self.plan) for name in sound.names}
        for target in self.plan.targets:
            if target.stem is not None:
                joined[target.name] = sounds[target.name]
                continue
            beside = [sounds[target.name], *([self._captions(target)] if target.captions else [])]
            joined[target.name] = f"{label_of('trailer', target.name)}{target.suffix}"
            parts = [folder / segment.file for segment in segments if segment.output == target.name]
            join(
                parts,
                [folder / file for file in beside],
                folder / joined[target.name],
                self.plan.rate,
                self.plan.about[target.name],
            )
        return joined

    def _captions(self, target: Target) -> str:
        """The captions as a track, in a file of the working folder."""
        (self.place.folder / target.dialogue).write_bytes(self.plan.files[target.dialogue])
        encode = ("-map_metadata", "-1", "-fflags", "+bitexact")
        track = Target((), encode, target.suffix, captions=target.captions, dialogue=target.dialogue)
        file = f"{label_of('captions', target.name)}{target.suffix}"
        run_graph(Run("captions.graph", {}, (track,), {}), [file], self.place)
        return file


@dataclass
class _Meter:
    """Reports the progress of all segments together: the frames of each that are `done`, and the `stored` ones."""

    watch: Watch
    plan: RenderPlan
    done: dict[str, int]
    stored: int = 0
    began: float = field(default_factory=time.monotonic)

    def tell(self, segment: Segment, frames: int) -> None:
        self.done[segment.file] = frames
        now = sum(self.done.values())
        speed = float(now / self.plan.rate) / max(0.001, time.monotonic() - self.began)
        self.watch.stage("render", self.stored + now, self.plan.frames, speed)
