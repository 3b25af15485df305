"""Spec → RenderPlan. Pure: no file, no process, no clock; the spec carries every fact of the media.

Spec ─ build_timeline ─► Timeline ─ place_sounds ─► Soundtrack ─ lower_picture + lower_texts + lower_stems ─► Graph
     ─ verify ─► RenderPlan
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cinecut.compiler.encode import Encoding, choose_encoding, float_sound, pcm_sound
from cinecut.compiler.inputs import Inputs
from cinecut.compiler.picture import texts
from cinecut.compiler.picture.captions import Caption, caption_text, captions, captions_text
from cinecut.compiler.picture.geometry import shown_size
from cinecut.compiler.picture.look import Look, look_of, lut_name
from cinecut.compiler.picture.lower import Canvas, lower_pictures, trailer_color
from cinecut.compiler.picture.rating import lower_rating, rating_frames, rating_source
from cinecut.compiler.sound.lower import Master, loudness_of, lower_masters, lower_stems
from cinecut.compiler.soundtrack import Soundtrack, place_sounds, sample_at
from cinecut.compiler.timeline import Text, Timeline, build_timeline
from cinecut.diagnostics import Report, Span
from cinecut.graph import filters, sounds
from cinecut.graph.nodes import Pad
from cinecut.graph.plan import CAPTIONS, PICTURE, SCRIPT, SOUND, STEMS, RenderPlan, Run, Target, assemble
from cinecut.graph.sounds import Laid
from cinecut.language.events import ActMarker, Still
from cinecut.language.facts import FilmFacts
from cinecut.language.spec import Output, Rating, Spec
from cinecut.language.timebase import TrailerFrame
from cinecut.vibes import Vibe, vibe_of
from cinecut.vibes.titles import PLAIN, TitleStyle


def compile_spec(spec: Spec, report: Report, masters: Mapping[str, Master] | None = None) -> RenderPlan | None:
    """The plan of a spec, or None and a report of what is wrong with it. Without `masters`, which only the measured
    mix can tell, its outputs sound as they are mixed."""
    facts = _linked_facts(spec, report)
    timeline, vibe = build_timeline(spec, report), vibe_of(spec.vibe)
    track = place_sounds(spec, timeline, vibe, report)
    if facts is None or not report.ok:
        return None
    inputs, look = Inputs(spec, timeline, track, facts), look_of(spec, vibe)
    outputs, color = spec.outputs, trailer_color(facts)
    encodings = {name: choose_encoding(output, facts, color, timeline.rate) for name, output in outputs.items()}
    canvases = {name: _canvas(spec, output, encodings[name], timeline, facts, look) for name, output in outputs.items()}
    opening = rating_frames(spec.rating, timeline.rate)
    pictures = lower_pictures(timeline, canvases, facts, inputs.picture, _openings(spec.rating, opening, canvases))
    heard, style = captions(timeline, track), vibe.titles if vibe is not None else PLAIN
    pictures, files = _overlay_texts(pictures, style, _shown(outputs, timeline, heard, opening), canvases)
    if any(output.subtitles in ("soft", "file") for output in outputs.values()):
        files[CAPTIONS] = captions_text(heard, opening / timeline.rate)
    stems = _after(opening, lower_stems(timeline, track, spec.mix, inputs.audio, inputs), timeline)
    targets = [_target(name, output, encodings[name], vibe) for name, output in outputs.items()]
    return RenderPlan(
        **_runs(pictures, stems, masters or {}, targets, inputs, _samples(timeline, opening)),
        inputs=tuple(inputs.items.values()),
        stem_names=tuple(stems),
        files=files,
        luts={lut_name(number): grade for number, grade in enumerate(look.files)},
        frames=timeline.frames + opening,
        samples=_samples(timeline, opening),
        rate=timeline.rate,
        places=_places(timeline, track),
    )


def _samples(timeline: Timeline, opening: int) -> int:
    """Of the whole trailer, its opening counted."""
    return sample_at(TrailerFrame(timeline.frames + opening), timeline.rate)


def _after(opening: int, stems: dict[str, Pad], timeline: Timeline) -> dict[str, Pad]:
    """The stems after so many silent frames."""
    if not opening:
        return stems
    whole, cut = _samples(timeline, opening), _samples(timeline, 0)
    return {name: sounds.lay([Laid(whole - cut, cut, pad)], whole, name) for name, pad in stems.items()}


def _runs(
    pictures: Mapping[str, Pad],
    stems: Mapping[str, Pad],
    masters: Mapping[str, Master],
    targets: Sequence[Target],
    inputs: Inputs,
    samples: int,
) -> dict[str, Run]:
    """The trailer's one graph, and the parts of it that are run by themselves."""
    mixed = sounds.mix(list(stems.values()), "mix")
    mastered = lower_masters(mixed, {name: masters.get(name) for name in pictures}, samples)
    shown = {_label("picture", name): pad for name, pad in pictures.items()}
    whole = {**shown, **{_label("sound", name): pad for name, pad in mastered.items()}}
    silent = [replace(target, maps=target.maps[:1]) for target in targets]
    return {
        "render": assemble(SCRIPT, whole, targets, inputs.items),
        "picture": Run(PICTURE, shown, tuple(silent), inputs.items),
        "sound": Run(SOUND, {"sound": mixed}, (float_sound("sound"),), inputs.items),
        "stems": Run(STEMS, stems, tuple(pcm_sound(name) for name in stems), inputs.items),
    }


def _openings(rating: Rating | None, frames: int, canvases: Mapping[str, Canvas]) -> dict[str, Pad]:
    """The rating card on each canvas."""
    if rating is None:
        return {}
    copies = filters.split(rating_source(rating), len(canvases), "rating")
    pads = zip(canvases.items(), copies, strict=True)
    return {name: lower_rating(rating, pad, frames, canvas) for (name, canvas), pad in pads}


def _label(kind: str, name: str) -> str:
    """Of one of the graph's outputs."""
    return f"{kind}_{name}" if name else kind


def _canvas(spec: Spec, output: Output, encoding: Encoding, timeline: Timeline, facts: FilmFacts, look: Look) -> Canvas:
    width, height = output.size or shown_size(spec.film, facts)
    color = trailer_color(facts)
    return Canvas(width, height, timeline.rate, encoding.pix_fmt, color, output.fit, spec.film.crop, look)


def _target(name: str, output: Output, encoding: Encoding, vibe: Vibe | None) -> Target:
    return Target(
        maps=(_label("picture", name), _label("sound", name)),
        encode=encoding.arguments,
        suffix=encoding.suffix,
        name=name,
        loudness=loudness_of(output, vibe),
        sound=encoding.sound,
        encoders=encoding.encoders,
        captions=encoding.captions if output.subtitles == "soft" else None,
        captions_file=output.subtitles == "file",
    )


def _places(timeline: Timeline, track: Soundtrack) -> dict[str, Span]:
    """Where in the spec what FFmpeg complains of was asked for, by the graph's labels."""
    events = {placed.label: placed.event.place.span for placed in timeline.events}
    labels = [item.label for items in (track.effects, track.voices, track.songs) for item in items]
    owned = {label: events[owner] for label in labels if (owner := label.partition("_")[0]) in events}
    return {**events, **owned}


def _linked_facts(spec: Spec, report: Report) -> FilmFacts | None:
    """The film's facts; reports every asset that has none."""
    hint = f"run `cinecut link {spec.place.span.file}`"
    facts = spec.film.facts
    if facts is None:
        report.add("not-linked", "the film has not been measured yet", spec.film.place.span, hint)
    if spec.music is not None and spec.music.file is not None and spec.music.facts is None:
        report.add("not-linked", "the song has not been measured yet", spec.music.place.of("file"), hint)
    if spec.lut is not None and spec.lut.facts is None:
        report.add("not-linked", "the LUT has not been measured yet", spec.lut.place.span, hint)
    card = (spec.rating.still or spec.rating.clip) if spec.rating is not None else None
    if card is not None and card.facts is None:
        report.add("not-linked", "the rating card has not been measured yet", card.place.span, hint)
    for entry in spec.timeline:
        cue = None if isinstance(entry, ActMarker) else entry.cue
        if cue is not None and not cue.stops and cue.facts is None:
            report.add("not-linked", "this song has not been measured yet", cue.place.span, hint)
        if isinstance(entry, Still) and entry.still.facts is None:
            report.add("not-linked", "this picture has not been measured yet", entry.still.place.span, hint)
    return facts


def _shown(
    outputs: Mapping[str, Output], timeline: Timeline, heard: Sequence[Caption], opening: int
) -> dict[str, list[Text]]:
    """What is written on each output: titles and cards, and the lines that are heard where they shall be burned in."""
    read = [caption_text(line, timeline.rate) for line in heard]
    found = {}
    for name, output in outputs.items():
        written = [*timeline.texts, *(read if output.subtitles == "burned" else [])]
        found[name] = [replace(text, range=text.range.later(opening)) for text in written]
    return found


def _overlay_texts(
    pictures: dict[str, Pad], style: TitleStyle, shown: Mapping[str, Sequence[Text]], canvases: Mapping[str, Canvas]
) -> tuple[dict[str, Pad], dict[str, bytes]]:
    """The texts over each output, laid out for its shape; and their files."""
    found, files = dict(pictures), dict[str, bytes]()
    for name, written in shown.items():
        if written:
            canvas, file = canvases[name], f"{name}.ass" if name else texts.FILE
            files[file] = texts.lower_texts(written, canvas.rate, canvas.width, canvas.height, style)
            found[name] = filters.subtitles(pictures[name], file, texts.FONTS, "titles")
    return found, files
