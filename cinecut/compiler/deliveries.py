"""The files of a trailer: those of the spec's output and deliverables, and those that a kit asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cinecut.compiler.picture.geometry import shown_size
from cinecut.diagnostics import Report, Span
from cinecut.kits import Kit
from cinecut.language.facts import FilmFacts, LoudnessTarget
from cinecut.language.spec import Codec, Fit, Hardware, Output, Profile, Safe, Spec, Stem, Subtitles
from cinecut.language.timebase import clock, rate_text
from cinecut.vibes import Vibe

_CRF = {"h264": 18, "hevc": 22, "av1": 30}  # where the spec leaves it open: about the same to the eye
_PEAK = Fraction(-1)  # dBTP, where nobody says
_PROFILES = {
    "web": LoudnessTarget(Fraction(-14), _PEAK),
    "r128": LoudnessTarget(Fraction(-23), _PEAK),
    "r128-s1": LoudnessTarget(Fraction(-23), _PEAK, short_term=Fraction(-18)),
    "atsc": LoudnessTarget(Fraction(-24), Fraction(-2)),
    "streaming": LoudnessTarget(Fraction(-27), Fraction(-2)),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file of the trailer. `loudness`: its target, None keeps the mix as it is. `stem`: the file holds this sound
    alone. `group`: the name of its deliverable. `kit`: what it is checked against. `live`: a draft for a page that
    plays it at once, so that speed counts more than size."""

    size: tuple[int, int]
    fit: Fit
    codec: Codec
    hardware: Hardware
    crf: int
    preset: str
    loudness: LoudnessTarget | None
    subtitles: Subtitles
    channels: int
    audio_bitrate: str | None
    title: str | None
    chapters: bool
    texts: bool
    safe: Safe
    stem: Stem | None = None
    group: str = ""
    language: str | None = None  # of its words; None: the spec's own
    kit: Kit | None = None
    place: Span | None = None
    live: bool = False


def deliveries(
    spec: Spec, film: FilmFacts, vibe: Vibe | None, kits: Mapping[str, Kit], languages: Iterable[str]
) -> dict[str, Delivery]:
    """The files by their names; a spec without deliverables has one file with an empty name, that of `output`. Each
    file with words is followed by its other languages."""
    files = dict[str, Delivery]()
    for own, file in _asked(spec, shown_size(spec.main_film, film), vibe, kits):
        files[own] = file
        if file.stem is None and (file.texts or file.subtitles != "none"):
            for language in languages:
                files[f"{own}_{language}" if own else language] = replace(file, language=language)
    return files


def _asked(
    spec: Spec, size: tuple[int, int], vibe: Vibe | None, kits: Mapping[str, Kit]
) -> Iterator[tuple[str, Delivery]]:
    """The files by their names. `size` is the film's own."""
    if not spec.deliverables:
        loudness = _profile(spec.output.loudness, vibe)
        yield "", _delivery(spec.output, None, size, loudness=loudness, place=spec.output.place.span)
    for item in spec.deliverables:
        kit = kits.get(item.kit or "")
        group = item.name or (kit.name if kit is not None else "kit")
        place = item.place.of("kit" if item.kit else "name")
        parts = kit.outputs if kit is not None else ()
        for part in parts or (None,):
            asked = [item] if part is None else [item, part]
            output = item.over(spec.output if part is None else part.over(spec.output))
            named = kit is None or not kit.levels or any(each.loudness is not None for each in asked)
            loudness = _of_kit(kit) if kit is not None and not named else _profile(output.loudness, vibe)
            stem = next((each.stem for each in asked if each.stem is not None), None)
            name = f"{group}_{part.name}" if part is not None and len(parts) > 1 else group
            yield name, _delivery(output, stem, size, group=group, loudness=loudness, kit=kit, place=place)


def _delivery(output: Output, stem: Stem | None, size: tuple[int, int], **more: Any) -> Delivery:
    alone = stem is not None
    return Delivery(
        size=output.size or size,
        fit=output.fit,
        codec=output.codec,
        hardware=output.hardware,
        crf=output.crf if output.crf is not None else _CRF.get(output.codec, 0),
        preset=output.preset,
        subtitles="none" if alone else output.subtitles,
        channels=output.channels,
        audio_bitrate=output.audio_bitrate,
        title=None if alone else output.title,
        chapters=output.chapters and not alone,
        texts=output.texts,
        safe=output.safe,
        stem=stem,
        **more,
    )


def _profile(profile: Profile, vibe: Vibe | None) -> LoudnessTarget | None:
    if profile == "vibe":
        return LoudnessTarget(Fraction(vibe.loudness), _PEAK) if vibe is not None else None
    return _PROFILES.get(profile)


def _of_kit(kit: Kit) -> LoudnessTarget:
    def level(value: float | None) -> Fraction | None:
        return None if value is None else Fraction(str(value))

    return LoudnessTarget(
        target=level(kit.loudness[0]) if kit.loudness is not None else None,
        peak=_PEAK if kit.peak is None else Fraction(str(kit.peak)),
        short_term=level(kit.short_term),
        momentary=level(kit.momentary),
        leq_m=level(kit.leq_m),
    )


def rate_for(spec: Spec, film: Fraction, kits: Mapping[str, Kit]) -> Fraction:
    """Frames a second: the spec's, else the film's; if a kit does not take it, the nearest that all kits take."""
    if spec.output.rate is not None:
        return spec.output.rate
    asked = [kit.rates for kit in kits.values() if kit.rates]
    shared = [rate for rate in (asked[0] if asked else ()) if all(rate in rates for rates in asked)]
    return min(shared, key=lambda rate: abs(rate - film), default=film)


def check_kits(outputs: Mapping[str, Delivery], rate: Fraction, frames: int, report: Report) -> None:
    """Report, before rendering, where a file cannot be what its kit asks for."""
    for name, file in outputs.items():
        kit = file.kit
        if kit is None or file.stem is not None:
            continue
        figures = {
            "rates": ("frames a second", [rate_text(each) for each in kit.rates], rate_text(rate)),
            "codecs": ("codec", list(kit.codecs), file.codec),
            "sizes": ("size", [_size(each) for each in kit.sizes], _size(file.size)),
            "channels": ("channels", [str(each) for each in kit.channels], str(file.channels)),
        }
        for what, taken, own in figures.values():
            if taken and own not in taken:
                message = f"{kit.name} takes {' or '.join(taken)} as its {what}, and {name} has {own}"
                report.add("kit", message, file.place, "give the deliverable or `output` one of these")
        if kit.seconds is not None and frames / rate > kit.seconds:
            most, have = clock(Fraction(kit.seconds)), clock(frames / rate)
            message = f"{kit.name} takes {most} at most, and this trailer runs {have}"
            report.add("kit", message, file.place, "shorten it, or leave the kit out")


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
