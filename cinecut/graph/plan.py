"""A run of FFmpeg: the graph, the files that it reads, and what it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain

from cinecut.graph.nodes import GraphError, Pad, filled, nodes_of
from cinecut.graph.script import print_script, sources_of
from cinecut.graph.verify import verify
from cinecut.language.facts import FilmFacts, LoudnessTarget, SongFacts, StillFacts
from cinecut.language.timebase import FilmRange, FilmTime

SCRIPT = "trailer.graph"
SOUND = "sound.graph"
UNDIPPED = "undipped.graph"
STEMS = "stems.graph"
REEL_EPOCH = 60  # seconds on a reel at which the film's first picture stands
PREROLL = Fraction(1, 2)  # seconds of sound before a shot: decoders of AAC, MP3 and Opus need a run-up
MARGIN = Fraction(1, 10)  # seconds after it, for stamps that jitter

# The demuxers that may open a user's file. None of them opens further files: a playlist, a concat list, an SDP or an
# SVG, whatever it is named, is refused. Both for measuring and for rendering.
MEDIA_FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h261,h263,h264,hevc,vvc,obu,av1,ivf,vc1,apv,dnxhd,asf,flv,live_flv,ogg,"
    "nut,mxf,gxf,lxf,dv,wtv,rm,nsv,swf,dhav,cavsvideo,dirac,mjpeg,mpjpeg,yuv4mpegpipe,gif,apng,"
    "aac,ac3,ac4,eac3,aiff,amr,ape,au,caf,dsf,dts,dtshd,flac,loas,mlp,mp3,mpc,mpc8,oma,sox,tak,truehd,tta,voc,w64,"
    "wav,wv"
)
PICTURE_FORMATS = (
    "png_pipe,apng,jpeg_pipe,jpegls_pipe,jpegxl_pipe,j2k_pipe,webp_pipe,tiff_pipe,bmp_pipe,gif,gif_pipe,qoi_pipe,"
    "exr_pipe,dpx_pipe,hdr_pipe,psd_pipe,pcx_pipe,sgi_pipe,sunrast_pipe,pam_pipe,pbm_pipe,pgm_pipe,ppm_pipe,mov"
)


def reading(formats: str) -> dict[str, str]:
    """FFmpeg's options that allow reading the named file and nothing else."""
    return {"format_whitelist": formats, "protocol_whitelist": "file"}


@dataclass(frozen=True, slots=True)
class Reel:
    """What one shot shows of the film, in a small file, stamps counted from the film's first picture.

    Picture and sound are files of their own: of one input with both, FFmpeg holds every decoded picture back until it
    has seen the first of the sound, which at 45 shots takes gigabytes.
    """

    name: str
    seen: FilmRange

    @property
    def film(self) -> str:
        return self.seen.film

    @property
    def content(self) -> object:
        """What it holds of its film."""
        return self.seen.start, self.seen.end

    def arguments(self, stream: str) -> list[str]:
        return ["-threads", "1", "-itsoffset", str(-REEL_EPOCH), "-i", self.name]


@dataclass(frozen=True, slots=True)
class SoundReel:
    """The film's sound `audio` (from 0) for one shot or voice, with timestamps as in a reel."""

    name: str
    heard: FilmRange
    audio: int

    @property
    def film(self) -> str:
        return self.heard.film

    @property
    def used(self) -> tuple[FilmTime, FilmTime]:
        """When what the trailer plays of it begins and ends in the film."""
        return FilmTime(self.heard.start.seconds + PREROLL), FilmTime(self.heard.end.seconds - MARGIN)

    @property
    def content(self) -> object:
        """What it holds of its film."""
        return self.heard.start, self.heard.end, self.audio

    def arguments(self, stream: str) -> list[str]:
        return ["-threads", "1", "-itsoffset", str(-REEL_EPOCH), "-i", self.name]


@dataclass(frozen=True, slots=True)
class UserFile:
    """A file of the user's under a name of ours. `file`: its name in the spec. `formats`: the demuxers that may open
    it. `facts`: what the spec says of it; of a song its sound alone is used."""

    name: str
    file: str
    formats: str
    facts: FilmFacts | SongFacts | StillFacts | None = None

    def arguments(self, stream: str) -> list[str]:
        only = [] if stream == "v" else ["-vn"]  # a song's cover is a picture that nobody asked for
        allowed = [part for key, value in reading(self.formats).items() for part in (f"-{key}", value)]
        return ["-threads", "1", *allowed, *only, "-i", self.name]


@dataclass(frozen=True, slots=True)
class LutFile:
    """A user's .cube, converted to the tables that FFmpeg reads: NAME.1d.cube, NAME.3d.m3d."""

    name: str
    file: str

    def arguments(self, stream: str) -> list[str]:
        raise GraphError(f"a LUT has no {stream} stream")


Input = Reel | SoundReel | UserFile | LutFile


@dataclass(frozen=True, slots=True)
class SegmentEncoding:
    """FFmpeg's arguments for pictures alone, whether the number of threads is set, and whether the files can be joined
    without encoding again."""

    arguments: tuple[str, ...] = ()
    threaded: bool = False
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One file that a run writes: the graph's outputs that go into it, and how they are encoded.

    What a trailer's file has besides: its name among several, the loudness it is brought to (None: as it is mixed), the
    channels of its sound, how its sound alone is encoded, how a part of its pictures is, FFmpeg's encoders that it
    needs, its subtitles: the codec of a track, or a file, and the working folder's file of them; the one that holds its
    title and chapters; where it is sound alone, which stem; and whether it is a live draft, whose stems are kept by
    themselves.
    """

    maps: tuple[str, ...]
    encode: tuple[str, ...]
    suffix: str
    name: str = ""
    loudness: LoudnessTarget | None = None
    channels: int = 2
    sound: tuple[str, ...] = ()
    segment: SegmentEncoding = SegmentEncoding()
    samples: str = "fltp"  # the format in which the encoder takes the sound's samples
    encoders: tuple[str, ...] = ()
    captions: str | None = None
    captions_file: bool = False
    dialogue: str = ""
    about: str | None = None
    stem: str | None = None
    live: bool = False

    @property
    def heard(self) -> str:
        """The label of its sound, the last of its streams."""
        return self.maps[-1]


@dataclass(frozen=True, eq=False)
class Run:
    """One FFmpeg process over one graph: `name` is the script's file, `sinks` the graph's outputs by label, `items` the
    files of the working folder. Its text is built only when needed: most commands need only one of a trailer's runs."""

    name: str
    sinks: Mapping[str, Pad] = field(repr=False)
    targets: tuple[Target, ...]
    items: Mapping[str, Input] = field(repr=False)

    def filled(self, fillings: Mapping[str, Callable[[Pad], Pad]]) -> Run:
        """The same run with its graph's holes filled."""
        pads = filled(list(self.sinks.values()), fillings)
        return replace(self, sinks=dict(zip(self.sinks, pads, strict=True)))

    @cached_property
    def script(self) -> str:
        """The graph as text, verified first."""
        verify(list(self.sinks.values()))
        return print_script(list(self.sinks.values()), list(self.sinks))

    @cached_property
    def inputs(self) -> tuple[tuple[str, ...], ...]:
        """The arguments that open each input that the graph reads."""
        opened = [dict(node.args) for node in sources_of(nodes_of(list(self.sinks.values())))]
        return tuple(tuple(self.items[str(source["file"])].arguments(str(source["stream"]))) for source in opened)

    @property
    def reads(self) -> set[str]:
        """The names of the media and tables that it reads in the working folder."""
        nodes = nodes_of(list(self.sinks.values()))
        return {str(value) for node in nodes for key, value in node.args if key == "file"}

    @cached_property
    def filters(self) -> frozenset[str]:
        """The FFmpeg filters that it needs."""
        return frozenset(node.filter for node in nodes_of(list(self.sinks.values()))) - {"input"}

    def __eq__(self, other: object) -> bool:
        """Runs are equal if they run the same."""
        return isinstance(other, Run) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)

    @property
    def _said(self) -> tuple[object, ...]:
        return self.name, self.script, self.inputs, self.targets

    def arguments(self, script_option: str, outputs: Sequence[str]) -> list[str]:
        """FFmpeg's arguments after its own name, for builds that take a graph by this option. Every file name is
        relative to the working folder."""
        # One thread for each decoder and filter: a thread pool for each of 45 shots costs memory and gains nothing.
        head = ["-hide_banner", "-nostdin", "-y", "-copyts", "-filter_complex_threads", "1"]
        inputs, written = list(self.inputs), list[str]()
        for target, output in zip(self.targets, outputs, strict=True):
            maps = [argument for label in target.maps for argument in ("-map", f"[{label}]")]
            if target.captions is not None:
                maps += ["-map", f"{len(inputs)}:s:0", "-c:s", target.captions]
                inputs.append(("-f", "srt", "-i", target.dialogue))
            encode = list(target.encode)
            if target.about is not None:
                encode[encode.index("-map_metadata") + 1] = str(len(inputs))  # instead of none
                encode += ["-map_chapters", str(len(inputs))]
                inputs.append(("-f", "ffmetadata", "-i", target.about))
            written += [*maps, *encode, output]
        graph = [script_option, self.name] if self.sinks else []
        return [*head, *chain.from_iterable(inputs), *graph, *written]
