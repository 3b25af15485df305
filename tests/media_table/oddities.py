"""What is odd about films as people have them, each oddity in the containers and codecs where it is met."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from boxes import edited
from lacing import laced
from making import Recipe, bytes_of, copied, in_segments, lost, skewed, with_cover, with_zeros
from recipes import PICTURES, film


def odd() -> list[Recipe]:
    """Films with one oddity each."""
    parts = (_order, _edits, _clock, _losses, _joins, _shapes, _colours, _sounds, _streams, _rates)
    return [recipe for part in parts for recipe in part()]


def _films(oddity: str, names: str, **changes: object) -> list[Recipe]:
    """One oddity in several films, each named by container, picture and sound."""
    recipes = []
    for name in names.split(", "):
        container, picture, *sound = name.split()
        recipes.append(film(container, picture, "".join(sound), oddity, **{"frames": 100, **changes}))
    return recipes


def _with(codec: str, *options: str) -> tuple[str, ...]:
    """The picture's codec with further options: the last one of a name counts."""
    return ("-c:v", *PICTURES[codec], *options)


_OPEN_H264 = _with("h264", "-x264-params", "open-gop=1:scenecut=0:keyint=12:min-keyint=12:b-pyramid=2")
_OPEN_HEVC = _with("hevc", "-x265-params", "log-level=error:open-gop=1:scenecut=0:keyint=12:min-keyint=12:b-pyramid=1")
_REFRESH = _with("h264", "-x264-params", "intra-refresh=1:bframes=0")
_REFRESH_B = _with("h264", "-g", "24", "-x264-params", "intra-refresh=1:bframes=2")
_LONG = _with("h264", "-g", "60")
_INTRA = _with("h264", "-g", "1")
_CUT = copied(before=("-ss", "1.3"))


def _order() -> list[Recipe]:
    """The order in which pictures are stored and shown."""
    h264 = "mkv h264 aac, mp4 h264 aac, mov h264 pcm_s16le, ts h264 mp2"
    hevc = "mkv hevc aac, mp4 hevc aac, mov hevc aac, ts hevc ac3"
    long = ("-c:v", "mpeg4", "-q:v", "2", "-g", "250", "-bf", "2")
    closed = _with("mpeg2", "-flags", "+cgop", "-sc_threshold", "1000000000")
    return [
        *_films("no B pictures", "mkv h264 aac, mp4 h264 aac, ts h264 mp2, avi h264 pcm_s16le",
                picture=_with("h264", "-bf", "0")),
        *_films("no B pictures", "vob mpeg2 ac3, ts mpeg2 mp2, mkv mpeg2 ac3", picture=_with("mpeg2", "-bf", "0")),
        *_films("B pictures", "avi mpeg4 mp3, mkv mpeg4 mp3, mp4 mpeg4 aac, mkv mpeg2 ac3"),
        *_films("packed B pictures", "avi mpeg4 mp3, mkv mpeg4 mp3", picture=_with("xvid", "-bf", "2")),
        *_films("long groups", "mkv mpeg4 ac3, avi mpeg4 pcm_s16le", picture=long),
        *_films("closed groups", "vob mpeg2 ac3, ts mpeg2 mp2, mkv mpeg2", picture=closed),
        *_films("open groups", f"{h264}, flv h264 aac, avi h264 pcm_s16le", picture=_OPEN_H264),
        *_films("open groups", hevc, picture=_OPEN_HEVC),
        *_films("open groups, cut without encoding", h264, picture=_OPEN_H264, steps=(_CUT,)),
        *_films("open groups, cut without encoding", hevc, picture=_OPEN_HEVC, steps=(_CUT,)),
        *_films("cut without encoding", "mkv mpeg2 ac3, ts mpeg2 mp2, vob mpeg2 ac3, mkv vp9 opus", steps=(_CUT,)),
        *_films("intra refresh", "mkv h264 aac, ts h264 mp2, mp4 h264 aac", picture=_REFRESH),
        *_films("intra refresh, B pictures", "mkv h264 aac, ts h264 mp2, mp4 h264 aac", picture=_REFRESH_B),
    ]  # fmt: skip


def _edits() -> list[Recipe]:
    """What mp4 and mov say of a film beside its pictures."""
    fragments = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")
    silent = "mp4 h264, mov h264"
    return [
        *_films("an edit list, cut without encoding", "mp4 h264 aac, mov h264 pcm_s16le, mp4 mpeg4 aac, mp4 hevc aac, "
                "mov prores pcm_s16le", steps=(copied(before=("-ss", "1.32")),)),
        *_films("an edit list of two pieces", silent, steps=(edited((Fraction(0), "1"), (Fraction(2), "1")),)),
        *_films("an edit list whose second piece is earlier", silent, frames=200, picture=_LONG,
                steps=(edited((Fraction(5), "1"), (Fraction(1), "1"), (Fraction(3), "2")),)),
        *_films("an edit list whose pieces overlap", silent, places=("1.6", "2.1"),
                steps=(edited((Fraction(2), "1"), (Fraction(1), "2"), (Fraction(3, 2), "1")),)),
        *_films("an edit list that begins late", silent, steps=(edited((Fraction(1, 2), "3")),)),
        *_films("an empty edit first", silent, steps=(edited((None, "1"), (Fraction(0), "3")),)),
        *_films("no edit list", "mp4 h264 aac, mov h264 aac", more=("-use_editlist", "0")),
        *_films("fragments", "mp4 h264 aac, mov hevc aac, mp4 av1 aac", more=fragments),
        *_films("fragments, broken off", "mp4 h264 aac, mp4 hevc aac, mp4 h264, mov prores pcm_s16le",
                steps=(bytes_of("0", "0.7"),), more=fragments),
        *_films("segments of a stream", "mp4 h264 aac, mp4 hevc aac, ts h264 aac", steps=(in_segments,)),
        *_films("the index first", "mp4 h264 aac", more=("-movflags", "faststart")),
        *_films("a coarse clock", "mp4 h264 aac, mov h264 pcm_s16le", rate="30000/1001",
                more=("-video_track_timescale", "600")),
        *_films("a picture on the cover", "mp4 h264 aac, mov h264 aac", steps=(with_cover,)),
        *_films("a start timecode", "mov prores pcm_s16le, mp4 h264 aac, mxf mpeg2 pcm_s16le",
                more=("-timecode", "00:00:02:00")),
    ]  # fmt: skip


def _clock() -> list[Recipe]:
    """Where stamps start, leap and are rounded."""
    containers = "mkv h264 aac, mp4 h264 aac, mov h264 pcm_s16le, ts h264 mp2, ts mpeg2 ac3, flv h264 aac"
    transport = "ts h264 mp2, ts mpeg2 ac3"
    return [
        *_films("starts at 10.5 s", f"{containers}, vob mpeg2 ac3, mkv mpeg2 ac3, wmv wmv2 wmav2, nut h264 pcm_s16le, "
                "mkv vp9 opus", more=("-output_ts_offset", "10.5")),
        *_films("starts before zero", "mov h264 pcm_s16le",
                more=("-output_ts_offset", "-1.2", "-avoid_negative_ts", "disabled")),
        *_films("stamps that run over", f"{transport}, vob mpeg2 ac3", places=("2",),
                more=("-output_ts_offset", "95441.7")),
        *_films("stamps of whole milliseconds", "mp4 h264 aac, mov h264 pcm_s16le, ts h264 mp2", rate="30000/1001",
                picture=_with("h264", "-bf", "0"), steps=(copied("-bsf:v", "setts=ts=round(TS*TB*1000)/1000/TB"),)),
        *_films("sound 0.3 s later", f"{containers}, mkv h264 flac, avi mjpeg pcm_s16le",
                sound_filters="asetpts=PTS+0.3/TB"),
        *_films("sound 0.2 s earlier", f"{containers}, mkv h264 flac, avi mjpeg pcm_s16le",
                sound_filters="asetpts=PTS-0.2/TB"),
        *_films("sound 0.2 s earlier", "ogv theora vorbis", before=("-itsoffset", "0.2")),
        *_films("several packets of sound in one block", "mkv h264 aac, mkv h264 flac, mkv h264 opus, mkv hevc eac3",
                steps=(laced,), repacked=True),
        *_films("several packets of sound in one block, 44100 Hz", "mkv h264 aac, mkv h264 mp3, mkv h264 ac3, "
                "mkv h264 vorbis", steps=(laced,), repacked=True, sample_rate=44100),
        *_films("sound stored 1.5 s before its picture", transport, steps=(skewed("1.5"),)),
        *_films("sound stored 1 s after its picture", transport, steps=(skewed("-1"),)),
    ]  # fmt: skip


def _losses() -> list[Recipe]:
    """What is not there."""
    h264 = "mkv h264 aac, mp4 h264 aac, mov h264 pcm_s16le, ts h264 mp2, flv h264 aac"
    hole, around = (lost("1.35", "1.95"),), ("1", "1.6", "2.2")
    return [
        *_films("a gap in the sound", f"{h264}, mkv h264 flac, mkv h264 pcm_s16le, mkv vp8 opus, ts mpeg2 ac3, "
                "ts hevc aac, vob mpeg2 ac3", steps=(lost("1.5", "2.1", "a"),), places=("1.4", "2")),
        *_films("a gap in the sound", "mkv h264 truehd, mkv h264 mlp, mkv h264 vorbis, wmv wmv2 wmav2, "
                "m2ts h264 pcm_bluray", steps=(lost("1.5", "2.1", "a"),), places=("1.4", "2")),
        *_films("a hole in the picture", h264, steps=hole, places=around, picture=_INTRA),
        *_films("a hole in the picture", "mkv mjpeg flac, mov mjpeg pcm_s16le, nut png pcm_s16le, avi jpegls pcm_s16le",
                steps=hole, places=around),
        *_films("a long hole", "mkv h264 flac, ts h264 mp2, mov h264 pcm_s16le", steps=(lost("2", "6"),), frames=200,
                picture=_INTRA, places=("1.8", "4", "5.9")),
        *_films("begins between key frames", "ts h264 mp2, ts mpeg2 ac3, ts hevc aac, vob mpeg2 ac3, mpg mpeg1 mp2, "
                "ts mpeg4 mp2, h264 h264, hevc hevc, m2v mpeg2, mpg hevc mp2", steps=(bytes_of("0.31"),)),
        *_films("begins between key frames", "webm vp9 opus, avi vp9 pcm_s16le, mp4 av1 aac",
                steps=(lost("-1", "0.7"),)),
        *_films("begins between key frames", "ts vvc mp2, mpg h264 mp2, vob h264 ac3",
                steps=(bytes_of("0.31"),), frames=150),
        *_films("begins between key frames of a gradual refresh", "ts h264 mp2", steps=(bytes_of("0.31"),),
                picture=_REFRESH, frames=150),
        *_films("begins between two stamps", "vob mpeg2 ac3, mpg mpeg1 mp2", steps=(bytes_of("0.31"),), frames=200),
        *_films("broken off", f"{h264}, mkv mpeg2 ac3, webm vp9 opus, avi mjpeg pcm_s16le, avi mpeg4 mp3, "
                "vob mpeg2 ac3, wmv wmv2 wmav2, mxf mpeg2 pcm_s16le, ogv theora vorbis, nut h264 pcm_s16le",
                steps=(bytes_of("0", "0.7"),)),
        *_films("broken off", "hevc hevc, mjpeg mjpeg, apng apng, wmv h264 wmav2, gxf mpeg2 pcm_s16le, "
                "gxf mjpeg pcm_s16le, gxf dv pcm_s16le", steps=(bytes_of("0", "0.7"),)),
        *_films("zeros in front", "ts mpeg2 ac3, m2ts h264 ac3", steps=(with_zeros("0", 560_000),)),
        *_films("zeros behind", "avi mjpeg pcm_s16le", steps=(with_zeros("1", 300_000),)),
        *_films("zeros within", "ts h264 mp2, ts mpeg2 ac3", steps=(with_zeros("0.5", 300_000),)),
        *_films("zeros behind", "ts hevc aac, m2ts h264 ac3", steps=(with_zeros("1", 300_000),)),
        *_films("live: no length, no index", "mkv h264 aac, webm vp8 opus", more=("-live", "1")),
    ]  # fmt: skip


def _joins() -> list[Recipe]:
    late = (*film("ts", "h264").options, "-output_ts_offset", "92")
    recordings = "ts h264 mp2, ts mpeg2 ac3, vob mpeg2 ac3, mpg mpeg2 mp2, mpg mpeg1 mp2, vob h264 ac3, mpg hevc mp2"
    films = "mkv h264 aac, mp4 h264 aac, mov h264 pcm_s16le, ts h264 mp2, mkv mpeg4 mp3"
    changing = "mkv h264 ac3, mkv h264 mp3, mkv h264 aac, ts h264 ac3, ts h264 aac, ts h264 mp3, vob mpeg2 ac3"
    return [
        *_joined("two recordings joined", recordings, {}, restarts=True),
        *_joined("two recordings joined", "mkv h264, mkv hevc, mkv mpeg4, webm vp9", {}, restarts=True),
        *_joined(
            "two recordings joined",
            "mkv h264 aac, mkv h264 mp3, mkv h264 opus, mkv hevc ac3, mkv h264 flac",
            {},
            restarts=True,
        ),
        *_joined(
            "two recordings joined, the second without B pictures",
            "ts h264, ts h264 mp2, m2ts h264 ac3",
            {"picture": _with("h264", "-bf", "0")},
            restarts=True,
        ),
        *_joined(
            "two recordings joined, the first without B pictures",
            "ts h264 mp2, m2ts h264 ac3",
            {"picture": _with("h264", "-bf", "3")},
            restarts=True,
            picture=_with("h264", "-bf", "0"),
        ),
        *_joined("two recordings joined, read as one", "avi mjpeg pcm_s16le, avi mpeg4 mp3, gif gif", {}),
        *_joined(
            "two recordings joined, the first alone readable",
            "ivf vp9, ogv theora vorbis, y4m rawvideo, "
            "mp4 h264 aac, mov prores pcm_s16le, flv h264 aac, wmv wmv2 wmav2, wtv mpeg2 mp2, mxf mpeg2 pcm_s16le, "
            "swf flv1, apng apng, nut mjpeg aac, rm rv10 ac3",
            {},
        ),
        *_joined(
            "two recordings joined, 48 kHz becomes 44.1",
            "ts mpeg2 mp2, vob mpeg2 mp2, ts h264 mp3",
            {"sample_rate": 44100},
            restarts=True,
        ),
        *_joined(
            "two recordings joined, 48 kHz becomes 32",
            "ts h264 ac3, ts h264 dts, ts h264 aac, m2ts h264 ac3, vob mpeg2 ac3, mpg h264 mp2",
            {"sample_rate": 32000},
            restarts=True,
        ),
        *_joined(
            "two recordings joined, 44.1 kHz becomes 48",
            "ts h264 aac",
            {"sample_rate": 48000},
            restarts=True,
            sample_rate=44100,
        ),
        *_joined(
            "two recordings joined, 25 pictures a second become 30",
            "vob mpeg2 ac3, mpg mpeg1 mp2, ts h264 aac",
            {"rate": "30"},
            restarts=True,
            variable=True,
        ),
        *_joined("two recordings joined, 90 s apart", "ts h264 mp2, ts mpeg2 ac3", {"options": late}),
        *_joined("two recordings joined, 90 s apart", "mkv h264 aac", {"more": late[-2:]}, restarts=True),
        *_joined("two films joined without encoding", films, {}, join="concat"),
        *_joined(
            "the picture grows",
            "ts h264 mp2, ts mpeg2 ac3, mkv h264 aac, webm vp8 opus, webm vp9 opus, "
            "mkv av1 opus, mkv mjpeg flac, mp4 h264 aac, mp4 av1 aac, flv h264 aac, avi png pcm_s16le, "
            "mov prores pcm_s16le, mkv j2k flac, flv flv1 mp3, ts vvc mp2",
            {"size": (512, 288)},
            join="concat",
        ),
        *_joined("stereo becomes 5.1", "ts mpeg2 ac3", {"layout": "5.1"}, join="concat"),
        *_joined("stereo becomes mono", "ts h264 aac", {"layout": "mono"}, join="concat"),
        *_joined("48 kHz becomes 44.1", "ts mpeg2 mp2", {"sample_rate": 44100}, join="concat"),
        *_joined("48 kHz becomes 44.1", f"{changing}, flv h264 mp3", {"sample_rate": 44100}, join="concat", places=()),
        *_joined("48 kHz becomes 32", changing, {"sample_rate": 32000}, join="concat", places=()),
    ]


def _joined(oddity: str, names: str, second: dict[str, object], **changes: object) -> list[Recipe]:
    firsts = _films(oddity, names, **{"frames": 50, "places": ("1.8",), **changes})
    return [replace(first, second=replace(first, **second)) for first in firsts]  # type: ignore[arg-type]


def _shapes() -> list[Recipe]:
    """How pictures are stored and meant to be seen."""
    coded = ("-flags", "+ilme+ildct")
    films = []
    for order in ("tff", "bff"):
        films += _films(f"interlaced, {order}", "mkv h264 aac, mp4 h264 aac, ts h264 mp2", filters=f"setfield={order}",
                        picture=_with("h264", *coded, "-x264-params", f"{order}=1"))  # fmt: skip
        films += _films(f"interlaced, {order}", "ts mpeg2 mp2, vob mpeg2 ac3, mxf mpeg2 pcm_s16le",
                        filters=f"setfield={order}", picture=_with("mpeg2", *coded))  # fmt: skip
    films += _films("interlaced, bff", "dv dv pcm_s16le, avi dv pcm_s16le, mov dv pcm_s16le", filters="setfield=bff")
    ntsc = {"size": (720, 480), "rate": "30000/1001", "picture": ("-c:v", "dvvideo", "-pix_fmt", "yuv411p")}
    films += _films("NTSC", "dv dv pcm_s16le, avi dv pcm_s16le", **ntsc)
    for turn in ("90", "180", "270"):
        turned = ("-display_rotation", f"-{turn}")
        films += _films(f"turned by {turn}", "mp4 h264 aac, mov hevc aac, mkv h264 aac, mov prores pcm_s16le",
                        before=turned)  # fmt: skip
    films += _films("turned by 45", "mp4 h264 aac", before=("-display_rotation", "-45"))
    told = copied("-bsf:v", "h264_metadata=display_orientation=insert:rotate=90")
    films += _films("turned by what its pictures say", "mp4 h264 aac, ts h264 mp2", steps=(told,))
    films += _films("mirrored", "mp4 h264 aac, mov h264 aac", before=("-display_hflip",))
    films += _films("turned and mirrored", "mp4 h264 aac", before=("-display_rotation", "-90", "-display_hflip"))
    films += _films("anamorphic", "mkv h264 aac, mp4 h264 aac, vob mpeg2 ac3, avi mpeg4 pcm_s16le",
                    filters="setsar=16/11")  # fmt: skip
    films += _films("an odd size", "mkv ffv1 flac, mov png pcm_s16le, avi mjpeg pcm_s16le, mkv vp9 opus",
                    size=(257, 145))  # fmt: skip
    films += _films("cropped by its header", "mkv h264 aac, mp4 h264 aac", size=(262, 150))
    return films + _films("upright", "mp4 h264 aac", size=(180, 320))


def _colours() -> list[Recipe]:
    """Pixel formats and tags."""
    films = []
    for pixels in ("yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "gray", "yuvj420p"):
        films += _films(pixels, "mkv h264 flac", picture=_with("h264", "-pix_fmt", pixels))
    for pixels in ("yuv410p", "yuv411p", "yuv440p", "yuva420p", "bgr0", "gray10le", "gbrp16le", "yuv444p12le"):
        films += _films(pixels, "mkv ffv1 flac", picture=_with("ffv1", "-pix_fmt", pixels))
    for pixels in ("yuv420p10le", "yuv422p12le", "gray"):
        films += _films(pixels, "mp4 hevc aac", picture=_with("hevc", "-pix_fmt", pixels))
    alpha = ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le")
    films += _films("with alpha", "mov prores pcm_s16le", picture=alpha)
    films += _films("pal8", "mkv png flac", picture=_with("png", "-pix_fmt", "pal8"))
    films += _films("gray", "mov qtrle pcm_s16le", picture=_with("qtrle", "-pix_fmt", "gray"))
    films += _films("with alpha", "mov png pcm_s16le", picture=_with("png", "-pix_fmt", "rgba"))
    for name, tag in {"PAL": "bt470bg", "NTSC": "smpte170m", "SMPTE 240M": "smpte240m"}.items():
        tags = f"colorprim={tag}:transfer={tag}:colormatrix={tag}"
        films += _films(f"{name} colours", "mkv h264 flac", picture=_with("h264", "-x264-params", tags))
    return films


def _sounds() -> list[Recipe]:
    """Layouts and rates of sound."""
    films = []
    for layout in ("mono", "3.0", "3.0(back)", "4.0", "quad", "5.0", "5.0(side)", "5.1", "5.1(side)", "6.1"):
        films += _films(layout, "mkv h264 flac", layout=layout)
    for layout in ("2.1", "4.1", "7.1", "hexagonal"):
        films += _films(layout, "mov h264 pcm_s16le", layout=layout)
    films += _films("7.1(wide-side)", "mov h264 pcm_s16le", layout="7.1(wide-side)")
    films += _films("22.2", "mov h264 pcm_s16le", layout="22.2")
    films += _films("channels in an order of their own", "mov h264 pcm_s16le", layout="FC+FR+FL+LFE")
    for layout in ("mono", "5.1", "7.1"):
        films += _films(f"{layout}, of no stated order", "mkv h264 pcm_s16le, avi mjpeg pcm_s16le", layout=layout)
    films += _films("3.0, of no stated order", "mkv h264 pcm_s16le", layout="3.0")
    for layout in ("mono", "5.1"):
        films += _films(layout, "mp4 h264 aac, ts mpeg2 ac3, mkv h264 dts, webm vp8 opus", layout=layout)
    films += _films("6.1", "mkv h264 opus, mkv h264 alac", layout="6.1")
    films += _films("7.1", "mkv h264 truehd, mp4 h264 aac", layout="7.1")
    for rate in (8000, 32000, 96000, 192000):
        films += _films(f"{rate} Hz", "mkv h264 flac", sample_rate=rate)
    for rate in (11025, 88200):
        films += _films(f"{rate} Hz", "mov h264 pcm_s16le", sample_rate=rate)
    films += _films("44100 Hz", "mkv h264 aac, mp4 h264 aac, ts h264 mp2, flv h264 mp3, avi mpeg4 mp3, "
                    "mkv h264 pcm_s16le, wmv wmv2 wmav2", sample_rate=44100)  # fmt: skip
    return films + _films("22050 Hz", "mp4 h264 aac, avi mjpeg mp3", sample_rate=22050)


def _streams() -> list[Recipe]:
    """Several streams of sound: the other one is silent."""
    comment = ("-map", "1:a", "-filter:a:0", "volume=0", "-disposition:a:0", "comment", "-disposition:a:1", "default")
    second = ("-map", "1:a", "-filter:a:1", "volume=0")
    return [
        *_films("a commentary before the film's sound", "mkv h264 aac, mp4 h264 aac", film_sound=1,
                more=(*comment, "-metadata:s:a:0", "title=Commentary")),
        *_films("a second language", "mkv h264 aac, mp4 h264 aac, ts h264 mp2", more=second),
    ]  # fmt: skip


_RATES = {
    "24000/1001": "mkv h264 flac, mp4 h264 aac, ts h264 mp2, avi mjpeg pcm_s16le, avi h263p pcm_s16le, vob mpeg2 ac3, "
    "wmv wmv2 wmav2",
    "24": "mp4 h264 aac, flv h264 aac",
    "30000/1001": "mkv h264 aac, mp4 hevc aac, ts mpeg2 ac3, vob mpeg2 ac3, mxf mpeg2 pcm_s16le, flv h264 aac",
    "30": "mkv h264 flac, avi mpeg4 pcm_s16le",
    "48": "mov prores pcm_s16le",
    "50": "ts h264 mp2, mkv hevc aac",
    "60000/1001": "mkv h264 flac, mp4 h264 aac, ts h264 mp2, mov mjpeg pcm_s16le",
    "60": "mp4 h264 aac, flv h264 aac",
    "10": "mkv h264 flac",
    "12": "avi cinepak pcm_s16le",
    "25/2": "mp4 h264 aac",
    "15": "mkv vp8 opus, mov svq1 pcm_s16le",
    "18": "mov mjpeg pcm_s16le",
    "100": "mkv h264 flac",
    "120": "mp4 h264 aac",
}


def _rates() -> list[Recipe]:
    """Rates of pictures, and pictures that come irregularly."""
    films = []
    for rate, names in _RATES.items():
        films += _films(f"{round(float(Fraction(rate)), 3)} pictures a second", names, rate=rate)
    uneven = "settb=1/600,setpts=N*24+mod(N\\,3)*7"
    films += _films("a variable rate", "mkv h264 aac, mp4 h264 aac, mov hevc aac", filters=uneven, variable=True,
                    more=("-enc_time_base:v", "1:600"))  # fmt: skip
    fewer = "select='not(eq(mod(n,7),3))'"
    return films + _films("every seventh picture left out", "webm vp8 opus, mkv vp9 opus", filters=fewer)
