"""A RenderPlan: all that one FFmpeg run needs, decided without looking at any media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cinecut.diagnostics import Span
from cinecut.ffmpeg.script import Build
from cinecut.timebase import FilmRange

SCRIPT = "trailer.graph"
REEL_EPOCH = 60  # seconds on a reel at which the film's first picture stands

# The demuxers that may open a user's file. None of them opens further files: a playlist, a concat list, an SDP or an
# SVG, whatever it is named, is refused. Both for measuring and for rendering.
MEDIA_FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,obu,av1,ivf,vc1,asf,flv,live_flv,ogg,nut,mxf,gxf,lxf,dv,"
    "wtv,rm,nsv,swf,dhav,cavsvideo,dirac,mjpeg,yuv4mpegpipe,gif,apng,"
    "aac,ac3,ac4,eac3,aiff,amr,ape,au,caf,dsf,dts,dtshd,flac,loas,mp3,mpc,mpc8,oma,sox,tak,truehd,tta,voc,w64,wav,wv"
)
PICTURE_FORMATS = (
    "png_pipe,apng,jpeg_pipe,jpegls_pipe,jpegxl_pipe,j2k_pipe,webp_pipe,tiff_pipe,bmp_pipe,gif,gif_pipe,qoi_pipe,"
    "exr_pipe,dpx_pipe,hdr_pipe,psd_pipe,pcx_pipe,sgi_pipe,sunrast_pipe,pam_pipe,pbm_pipe,pgm_pipe,ppm_pipe,mov"
)


def reading(formats: str) -> dict[str, str]:
    """FFmpeg's options for reading nothing but the file that is named."""
    return {"format_whitelist": formats, "protocol_whitelist": "file"}


def _reading_arguments(formats: str) -> list[str]:
    return [part for key, value in reading(formats).items() for part in (f"-{key}", value)]


@dataclass(frozen=True, slots=True)
class Reel:
    """The film's packets around one shot, copied into a small file of their own, stamps counted from the film's first
    picture: the pictures of `seen`, and of sound stream `audio` (from 0; None: mute) what is heard in `heard`."""

    name: str
    seen: FilmRange
    heard: FilmRange
    audio: int | None

    def arguments(self) -> list[str]:
        """Picture and sound are opened by themselves: of one input with both, FFmpeg holds every decoded picture back
        until it has seen the first of the sound, which at 45 shots takes gigabytes."""
        opened = ["-threads", "1", "-itsoffset", str(-REEL_EPOCH)]
        picture = [*opened, "-an", "-i", self.name]
        return picture if self.audio is None else [*picture, *opened, "-vn", "-i", self.name]

    @property
    def inputs(self) -> int:
        """How many of FFmpeg's inputs it is: the picture, and the sound where it is heard."""
        return 1 if self.audio is None else 2


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the user's, taken along under a name of ours. `file` is what the spec calls it, `formats` the
    demuxers that may open it."""

    name: str
    file: str
    formats: str

    def arguments(self) -> list[str]:
        return ["-threads", "1", *_reading_arguments(self.formats), "-i", self.name]


Input = Reel | Asset


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """`files` are generated ones by their names in the working folder; `places` lead from a label to the spec."""

    inputs: tuple[Input, ...]
    script: str
    maps: tuple[str, ...]
    encode: tuple[str, ...]
    files: Mapping[str, bytes]
    frames: int
    samples: int
    rate: Fraction
    suffix: str  # of the output file
    places: Mapping[str, Span]

    def arguments(self, build: Build, output: str) -> list[str]:
        """FFmpeg's arguments after its own name; every file name is relative to the working folder."""
        # One thread for each decoder and filter: a thread pool for each of 45 shots costs memory and gains nothing.
        head = ["-hide_banner", "-nostdin", "-y", "-copyts", "-filter_complex_threads", "1"]
        inputs = [argument for item in self.inputs for argument in item.arguments()]
        maps = [argument for label in self.maps for argument in ("-map", f"[{label}]")]
        return [*head, *inputs, build.script_option, SCRIPT, *maps, *self.encode, output]
