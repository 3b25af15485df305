"""Layout → RenderPlan: pictures, texts and stems become one graph, which is verified, and the files beside it.

Layout ─ lower_pictures + texts ─► PictureTrack ─┐
       ─ lower_stems ─ mix ──────────────────────┴─► Graph ─ verify ─► RenderPlan
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from cinecut.compiler.about import about_file, about_of, about_text
from cinecut.compiler.deliveries import Delivery
from cinecut.compiler.encode import (
    FLOAT_SAMPLES,
    PCM_SAMPLES,
    Encoding,
    choose_encoding,
    float_sound,
    pcm_sound,
    stem_target,
)
from cinecut.compiler.inputs import Inputs, SoundInputs
from cinecut.compiler.layout import Layout
from cinecut.compiler.layout.ruler import sample_at
from cinecut.compiler.layout.timeline import PlacedText, translated
from cinecut.compiler.picture.assembly import label_of, lower_pictures
from cinecut.compiler.picture.canvas import Canvas
from cinecut.compiler.picture.captions import Caption, caption_text, captions, captions_text
from cinecut.compiler.picture.color import trailer_color
from cinecut.compiler.picture.look import look_of, lut_files
from cinecut.compiler.picture.rating import lower_rating, rating_source
from cinecut.compiler.picture.texts import Screen
from cinecut.compiler.plan import RenderPlan
from cinecut.compiler.resolve import Opening, Trailer
from cinecut.compiler.segments import PictureTrack
from cinecut.compiler.sound.master import lower_masters
from cinecut.compiler.sound.stems import lower_splits, lower_stems
from cinecut.diagnostics import Diagnostic, Span
from cinecut.graph import sounds
from cinecut.graph.nodes import Pad, split
from cinecut.graph.plan import SCRIPT, SOUND, STEMS, UNDIPPED, Run, Target
from cinecut.graph.sounds import Laid
from cinecut.language.timebase import TrailerFrame


def compile_layout(layout: Layout, diagnostics: Sequence[Diagnostic] = ()) -> RenderPlan:
    """The plan of a layout without mistakes, whose films are measured; `diagnostics` are passed on in it."""
    trailer, timeline, track = layout.trailer, layout.timeline, layout.track
    inputs, film = Inputs(layout), trailer.film
    outputs = {name: file for name, file in trailer.outputs.items() if file.stem is None}
    encodings = {n: choose_encoding(file, film, trailer_color(film), trailer.rate) for n, file in outputs.items()}
    canvases = {name: _canvas(trailer, file, encodings[name]) for name, file in outputs.items()}
    opening = trailer.opening.frames if trailer.opening is not None else 0
    spoken = {file.language: captions(timeline, track, trailer.translation(file)) for file in outputs.values()}
    pictures = _pictures(layout, canvases, inputs, _shown(layout, spoken, opening))
    shown, files = dict[str, Pad](), dict[str, bytes]()
    for name, each in pictures.items():
        label = label_of("picture", name)
        shown[label], texts = each.part(0, each.frames, label)
        files |= texts
    for file in outputs.values():
        if file.subtitles in ("soft", "file"):
            files[_dialogue_file(file)] = captions_text(spoken[file.language], opening / timeline.rate)
    about = {name: about_of(timeline, file, opening) for name, file in outputs.items()}
    for name, file in outputs.items():
        if (about_name := about_file(name, file)) is not None:
            files[about_name] = about_text(about[name], timeline.rate)
    samples = sample_at(TrailerFrame(timeline.frames + opening), timeline.rate)
    mixed = {file.channels: _stems(layout, SoundInputs(inputs, file.channels), samples) for file in outputs.values()}
    stems = mixed or {2: _stems(layout, SoundInputs(inputs, 2), samples)}
    alone = {file.channels for file in trailer.outputs.values() if file.stem is not None}
    undipped = {each: _stems(layout, SoundInputs(inputs, each), samples, dipped=False) for each in sorted(alone)}
    targets = [
        stem_target(name, file) if file.stem else _target(name, file, encodings[name])
        for name, file in trailer.outputs.items()
    ]
    return RenderPlan(
        layout=layout,
        **_runs(shown, stems, undipped, targets, inputs, samples),
        pictures=pictures,
        about=about,
        inputs=tuple(inputs.items[name] for name in sorted(inputs.items)),
        stem_names=tuple(next(iter(stems.values()))),
        files=files,
        luts=lut_files(trailer),
        frames=timeline.frames + opening,
        samples=samples,
        places=_places(layout),
        diagnostics=tuple(diagnostics),
    )


def _runs(
    shown: Mapping[str, Pad],
    stems: Mapping[int, Mapping[str, Pad]],
    undipped: Mapping[int, Mapping[str, Pad]],
    targets: Sequence[Target],
    inputs: Inputs,
    samples: int,
) -> dict[str, Any]:
    """The trailer's one graph, and the parts of it that also run alone. `stems` and `undipped` are keyed by channel
    count."""
    mixes = {channels: sounds.mix(list(parts.values()), "mix") for channels, parts in stems.items()}
    mastered = dict[str, Pad]()
    for channels, mixed in mixes.items():
        same = [t for t in targets if t.stem is None and t.channels == channels]
        mastered |= lower_masters(mixed, {t.name: t.loudness and (t.loudness, t.sound) for t in same})
    for channels, whole in undipped.items():
        same = [t for t in targets if t.stem is not None and t.channels == channels]
        splits = {t.name: (t.stem, t.loudness is not None) for t in same if t.stem is not None}
        mastered |= lower_splits(whole, splits, samples)
    for target in targets:
        if target.live:  # as mixed, and never beyond full scale
            mastered[target.name] = sounds.limit(mastered[target.name], Fraction(-1), samples, "master", 1)
    heard = {t.heard: sounds.samples_as(mastered[t.name], t.samples, t.heard) for t in targets}
    parts = {name: sounds.samples_as(pad, PCM_SAMPLES, name) for name, pad in next(iter(stems.values())).items()}
    unheard = {channels: sounds.mix(list(whole.values()), "mix") for channels, whole in undipped.items()}
    return {
        "render": Run(SCRIPT, {**shown, **heard}, tuple(targets), inputs.items),
        "mixes": {channels: _measured(SOUND, channels, mixed, inputs) for channels, mixed in mixes.items()},
        "undipped": {channels: _measured(UNDIPPED, channels, mixed, inputs) for channels, mixed in unheard.items()},
        "stems": Run(STEMS, parts, tuple(pcm_sound(name) for name in parts), inputs.items),
    }


def _measured(script: str, channels: int, mixed: Pad, inputs: Inputs) -> Run:
    """A mix before its master; a mix of six channels has a script of its own."""
    floats = sounds.samples_as(mixed, FLOAT_SAMPLES, "sound")
    return Run(
        script if channels == 2 else f"surround_{script}", {"sound": floats}, (float_sound("sound"),), inputs.items
    )


def _pictures(
    layout: Layout, canvases: Mapping[str, Canvas], inputs: Inputs, written: Mapping[str, Sequence[PlacedText]]
) -> dict[str, PictureTrack]:
    """For each output all pictures, after the rating card if there is one, and the texts over them."""
    trailer, timeline, opening = layout.trailer, layout.timeline, layout.trailer.opening
    if not canvases:
        return {}
    cards, later = _openings(opening, canvases), opening.frames if opening is not None else 0
    marks = {placed.range.start.index + later: placed.label for placed in timeline.events}
    by_output = {}
    for name, stretches in lower_pictures(trailer, timeline, canvases, inputs.picture).items():
        after = {start + later: pads for start, pads in stretches.items()}
        whole = {0: [cards[name]], **after} if name in cards else after
        file = trailer.outputs[name]
        screen = Screen(trailer.rate, *file.size, trailer.style, trailer.faces, file.safe)
        by_output[name] = PictureTrack(timeline.frames + later, whole, written[name], screen, marks)
    return by_output


def _stems(layout: Layout, heard: SoundInputs, samples: int, *, dipped: bool = True) -> dict[str, Pad]:
    """The stems at their levels in the mix, each after the silence of a rating card. Stems of a live draft pass through
    a hole, so that a stored file can replace them."""
    trailer, timeline, track = layout.trailer, layout.timeline, layout.track
    parts = lower_stems(trailer, timeline, track, heard, dipped=dipped)
    parts = _after(samples - track.samples, parts, samples)
    if any(file.live for file in trailer.outputs.values()):
        parts = {name: sounds.hole(pad, label_of("stem", name)) for name, pad in parts.items()}
    return {name: sounds.volume(pad, getattr(trailer.spec.mix, name), name) for name, pad in parts.items()}


def _after(silent: int, stems: dict[str, Pad], samples: int) -> dict[str, Pad]:
    """The stems after `silent` silent samples."""
    if not silent:
        return stems
    return {name: sounds.lay([Laid(silent, samples - silent, pad)], samples, name) for name, pad in stems.items()}


def _openings(opening: Opening | None, canvases: Mapping[str, Canvas]) -> dict[str, Pad]:
    """The rating card on each canvas."""
    if opening is None:
        return {}
    copies = split(rating_source(opening), len(canvases), "rating")
    return {name: lower_rating(opening, pad, canvases[name]) for name, pad in zip(canvases, copies, strict=True)}


def _canvas(trailer: Trailer, file: Delivery, encoding: Encoding) -> Canvas:
    color, look = trailer_color(trailer.film), look_of(trailer)
    return Canvas(*file.size, trailer.rate, encoding.pix_fmt, color, file.fit, look)


def _target(name: str, file: Delivery, encoding: Encoding) -> Target:
    return Target(
        maps=(label_of("picture", name), label_of("sound", name)),
        encode=encoding.arguments,
        segment=encoding.segment,
        suffix=encoding.suffix,
        name=name,
        loudness=file.loudness,
        channels=file.channels,
        sound=encoding.sound,
        samples=encoding.samples,
        encoders=encoding.encoders,
        captions=encoding.captions if file.subtitles == "soft" else None,
        captions_file=file.subtitles == "file",
        dialogue=_dialogue_file(file) if file.subtitles in ("soft", "file") else "",
        about=about_file(name, file),
        live=file.live,
    )


def _dialogue_file(file: Delivery) -> str:
    """The name of the subtitle file in the working folder, in this file's language."""
    return f"dialogue{'.' * bool(file.language)}{file.language or ''}.srt"


def _places(layout: Layout) -> dict[str, Span]:
    """The place in the spec for each label of the graph, so that FFmpeg's messages can point there."""
    events = {placed.label: placed.event.place.span for placed in layout.timeline.events}
    track = layout.track
    owners = {sound.label: sound.owner for sound in track.effects}
    owners |= {sound.label: sound.owner for sound in track.voices}
    owners |= {sound.label: sound.owner for sound in track.songs if sound.owner}
    owners |= {each.song.label: each.song.owner for each in track.recordings}
    return {**events, **{label: events[owner] for label, owner in owners.items()}}


def _shown(layout: Layout, spoken: Mapping[str | None, Sequence[Caption]], opening: int) -> dict[str, list[PlacedText]]:
    """The texts on each output: titles and cards, and the dialogue where it is burned in."""
    timeline, trailer, by_output = layout.timeline, layout.trailer, {}
    for name, file in trailer.outputs.items():
        if file.stem is not None:
            continue
        written = translated(timeline.texts, trailer.translation(file)) if file.texts else []
        if file.subtitles == "burned":
            written += [caption_text(line, timeline.rate) for line in spoken[file.language]]
        by_output[name] = [replace(text, range=text.range.later(opening)) for text in written]
    return by_output
