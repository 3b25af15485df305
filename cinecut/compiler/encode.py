"""How the trailer is encoded: containers, codecs and their settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.compiler.deliveries import Delivery
from cinecut.graph.plan import SegmentEncoding, Target
from cinecut.language.facts import Color, FilmFacts

_X264_THREADS = 8  # x264's bytes depend on their number, so it is fixed; eight keep most machines busy
_X265 = "frame-threads=2:log-level=error"  # its bytes depend on how many frames it encodes at once
_DRAFT_HEIGHT = 360
_COARSEST = {"h264": 51, "hevc": 51, "av1": 63}  # the ends of their scales; x265 refuses what lies beyond
_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_SVT_PRESETS = dict(zip(_PRESETS, (12, 11, 10, 9, 8, 7, 6, 5, 4), strict=True))


def draft(file: Delivery, live: bool = False) -> Delivery:
    """A small and fast version for looking at the cut. A `live` one keeps the mix as it is, since a master takes
    several measurements."""
    width, height = file.size
    shorter = min(width, height)
    if shorter > _DRAFT_HEIGHT:
        width, height = (max(2, round(side * _DRAFT_HEIGHT / shorter / 2) * 2) for side in (width, height))
    quick = replace(
        file,
        codec="h264",
        hardware="none",
        crf=28,
        preset="ultrafast",
        audio_bitrate="96k" if file.channels == 2 else None,
    )
    if live:  # a page plays two channels
        quick = replace(quick, live=True, loudness=None, channels=2)
    return replace(quick, size=(width, height))


_PLAIN = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact")


@dataclass(frozen=True, slots=True)
class Encoding:
    """`segment`: how a part of the pictures is encoded. `sound`: the arguments for sound alone. `encoders`: the FFmpeg
    encoders that are needed. `captions`: the codec of a subtitle track."""

    suffix: str
    pix_fmt: str
    arguments: tuple[str, ...]
    segment: SegmentEncoding
    sound: tuple[str, ...]
    encoders: tuple[str, ...]
    captions: str
    samples: str  # the format in which the sound's encoder takes them


def choose_encoding(output: Delivery, facts: FilmFacts, color: Color, rate: Fraction) -> Encoding:
    """FFmpeg's output arguments for one output of a spec, including the trailer's colour tags."""
    stamps = ["-flags:v", "+bitexact", "-fps_mode", "passthrough"]
    stamps += ["-enc_time_base:v", f"{rate.denominator}/{rate.numerator}"]
    pix_fmt = {"ffv1": _lossless_format(facts), "prores": "yuv422p10le"}.get(output.codec, "yuv420p")
    encoder, settings, threads = _picture_encoder(output)
    tags = ["-pix_fmt", pix_fmt, *color_arguments(color)]
    video = [*stamps, "-c:v", encoder, *settings, *(["-threads:v", str(threads)] if threads else []), *tags]
    part = [*_PLAIN, *stamps, "-c:v", encoder, *settings, *_STITCHABLE.get(encoder, []), *tags]
    joins = not encoder.endswith(HARDWARE)
    segment = SegmentEncoding(tuple(part), threads is not None, joins)
    sound, samples = _sound_encoder(output)
    suffix = {"ffv1": ".mkv", "prores": ".mov"}.get(output.codec, ".mp4")
    # AAC ends within a sample only where the movie's clock counts samples.
    file = [] if suffix == ".mkv" else ["-movflags", "+faststart", "-movie_timescale", "48000"]
    captions = "srt" if suffix == ".mkv" else "mov_text"
    return Encoding(
        suffix=suffix,
        pix_fmt=pix_fmt,
        arguments=(*_PLAIN, *video, *sound, *file),
        segment=segment,
        sound=(*_PLAIN, *sound, *file),
        encoders=(encoder, sound[1]),
        captions=captions,
        samples=samples,
    )


def _sound_encoder(output: Delivery) -> tuple[list[str], str]:
    """The encoder's arguments, and the sample format that it takes."""
    if output.codec in ("ffv1", "prores"):
        return ["-c:a", "pcm_s24le"], PCM_SAMPLES
    if output.live:  # a sixth of the time of AAC, and every browser plays it
        return ["-c:a", "flac", "-compression_level", "0", "-strict", "experimental"], "s16"
    return ["-c:a", "aac", *_AAC, "-b:a", output.audio_bitrate or _BITRATES[output.channels]], "fltp"


# Half the time of the other coder and nearer to what it is given, unless one channel stands in for both (`aac_is`).
_AAC = ("-aac_coder", "fast", "-aac_is", "0")
_BITRATES = {2: "192k", 6: "448k"}  # of AAC, by the number of channels


# Headers that do not depend on what is encoded; and a better first picture: inside a stream the first one of a shot is
# better than those after it, but x264 gives that of a stream the quality of these (`b` is a zone's share of bits).
_STITCHABLE = {
    "libx264": ["-x264-params", "stitchable=1:zones=0,0,b=1.5"],
    "libx265": ["-x265-params", f"{_X265}:ipratio=1.7"],
}


def _picture_encoder(output: Delivery) -> tuple[str, list[str], int | None]:
    """The encoder, its settings, and its number of threads for the whole trailer if we set it."""
    crf = min(output.crf, _COARSEST.get(output.codec, output.crf))
    tag = ["-tag:v", "hvc1"] if output.codec == "hevc" else []  # the name by which Apple's players know it
    if output.codec in _COARSEST and output.hardware != "none":
        return f"{output.codec}_{output.hardware}", [*_HARDWARE[output.hardware](crf), *tag], None
    quality = ["-preset", output.preset, "-crf", str(crf)]
    return {
        "h264": ("libx264", quality, _X264_THREADS),
        "hevc": ("libx265", [*quality, *tag, "-x265-params", _X265], None),
        "av1": ("libsvtav1", ["-preset", str(_SVT_PRESETS[output.preset]), "-crf", str(crf)], None),
        "prores": ("prores_ks", ["-profile:v", "hq", "-vendor", "apl0"], 4),
        "ffv1": ("ffv1", ["-level", "3", "-slices", "4"], 4),
    }[output.codec]


_HARDWARE: dict[str, Callable[[int], list[str]]] = {
    "nvenc": lambda crf: ["-rc", "vbr", "-cq", str(crf), "-b:v", "0"],
    "qsv": lambda crf: ["-global_quality", str(crf)],
    "amf": lambda crf: ["-rc", "cqp", "-qp_i", str(crf), "-qp_p", str(crf)],
    "videotoolbox": lambda crf: ["-q:v", str(max(1, 100 - 2 * crf))],
}
HARDWARE = tuple(f"_{name}" for name in _HARDWARE)  # how the encoders of graphics hardware end


def _lossless_format(facts: FilmFacts) -> str:
    return facts.pix_fmt.replace("yuvj", "yuv") if facts.pix_fmt.startswith("yuv") else "yuv420p"


def color_arguments(color: Color) -> list[str]:
    """The trailer's tags for the encoder. Full range was converted on the way, so the trailer is always limited."""
    tags = {"-colorspace": color.space, "-color_primaries": color.primaries, "-color_trc": color.transfer}
    options = [part for key, value in tags.items() if value != "unknown" for part in (key, value)]
    return [*options, "-color_range", "tv"] if options or color.range != "unknown" else []


_PCM = ("-c:a", "pcm_s24le")
PCM_SAMPLES, FLOAT_SAMPLES = "s32", "flt"  # what FFmpeg's encoders of PCM take


def float_sound(label: str) -> Target:
    """A graph's sound as floats, for measuring: they neither clip nor round."""
    return Target((label,), (*_PLAIN, "-c:a", "pcm_f32le"), ".wav")


def pcm_sound(label: str) -> Target:
    """A stem for a mixing desk."""
    return Target((label,), (*_PLAIN, *_PCM), ".wav")


def stem_target(name: str, file: Delivery) -> Target:
    """A file of sound alone."""
    encode = (*_PLAIN, *_PCM)
    return Target(
        maps=(f"sound_{name}",),
        encode=encode,
        suffix=".wav",
        name=name,
        loudness=file.loudness,
        channels=file.channels,
        sound=encode,
        samples=PCM_SAMPLES,
        encoders=_PCM[1:],
        stem=file.stem,
    )
