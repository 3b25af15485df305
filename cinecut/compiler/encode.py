"""What the trailer is written as: containers, codecs and their settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from cinecut.facts import Color, FilmFacts
from cinecut.spec import Output

# x264's bytes depend on its number of threads, so it is fixed; eight keep small and middling machines busy.
_X264_THREADS = 8
_DRAFT_HEIGHT = 360


def draft(output: Output, own: tuple[int, int]) -> Output:
    """Small and fast, for looking at the cut; `own` is the size without it."""
    width, height = output.size or own
    if height > _DRAFT_HEIGHT:
        width, height = max(2, round(width * _DRAFT_HEIGHT / height / 2) * 2), _DRAFT_HEIGHT
    return replace(output, size=(width, height), codec="h264", crf=28, preset="ultrafast", audio_bitrate="96k")


@dataclass(frozen=True, slots=True)
class Encoding:
    suffix: str
    pix_fmt: str
    arguments: tuple[str, ...]


def choose_encoding(output: Output, facts: FilmFacts, rate: Fraction) -> Encoding:
    """FFmpeg's output arguments for a spec's output, the film's colour tags carried."""
    common = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    common += ["-fps_mode", "passthrough", "-enc_time_base:v", f"{rate.denominator}/{rate.numerator}"]
    if output.codec == "ffv1":
        pix_fmt = _lossless_format(facts)
        video = ["-c:v", "ffv1", "-level", "3", "-slices", "4", "-threads:v", "4", "-pix_fmt", pix_fmt]
        sound = ["-c:a", "pcm_s24le"]
        return Encoding(".mkv", pix_fmt, tuple(common + video + color_arguments(facts.color) + sound))
    video = ["-c:v", "libx264", "-preset", output.preset, "-crf", str(output.crf), "-pix_fmt", "yuv420p"]
    video += ["-threads:v", str(_X264_THREADS)]
    sound = ["-c:a", "aac", "-b:a", output.audio_bitrate]
    # AAC ends within a sample only where the movie's clock counts samples.
    file = ["-movflags", "+faststart", "-movie_timescale", "48000"]
    return Encoding(".mp4", "yuv420p", tuple(common + video + color_arguments(facts.color) + sound + file))


def _lossless_format(facts: FilmFacts) -> str:
    return facts.pix_fmt.replace("yuvj", "yuv") if facts.pix_fmt.startswith("yuv") else "yuv420p"


def color_arguments(color: Color) -> list[str]:
    """The film's tags for the encoder. Full range was converted on the way, so the trailer is always limited."""
    tags = {"-colorspace": color.space, "-color_primaries": color.primaries, "-color_trc": color.transfer}
    found = [part for key, value in tags.items() if value != "unknown" for part in (key, value)]
    return [*found, "-color_range", "tv"] if found or color.range != "unknown" else []
