"""The films of the table as data: every container × the codecs that the bundled FFmpeg writes into it and reads again.

What is odd about films (gaps, joins, edit lists, layouts, rates …) is in `oddities`.
"""

from __future__ import annotations

from dataclasses import replace

from making import Recipe

_GROUP = ("-g", "12")
_FINE = ("-q:v", "2")
_SOFT = ("-q:v", "6")  # finer, a coefficient of these codecs cannot hold a change from black to white
PICTURES: dict[str, tuple[str, ...]] = {
    "h264": ("libx264", "-preset", "veryfast", "-crf", "12", *_GROUP, "-bf", "3"),
    "hevc": ("libx265", "-preset", "ultrafast", "-crf", "12", *_GROUP, "-x265-params", "log-level=error"),
    "av1": ("libsvtav1", "-preset", "12", "-crf", "20", *_GROUP, "-svtav1-params", "lp=1"),
    "vp8": ("libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "3M", *_GROUP),
    "vp9": ("libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "3M", *_GROUP),
    "vvc": ("libvvenc", "-preset", "faster", "-qp", "20", *_GROUP),
    "avs2": ("libxavs2", *_GROUP),
    "mpeg1": ("mpeg1video", *_SOFT, *_GROUP, "-bf", "2"),
    "mpeg2": ("mpeg2video", *_FINE, *_GROUP, "-bf", "2"),
    "mpeg4": ("mpeg4", *_FINE, *_GROUP, "-bf", "2"),
    "xvid": ("libxvid", *_FINE, *_GROUP),
    "msmpeg4v2": ("msmpeg4v2", *_SOFT, *_GROUP),
    "msmpeg4v3": ("msmpeg4", *_SOFT, *_GROUP),
    "wmv1": ("wmv1", *_SOFT, *_GROUP),
    "wmv2": ("wmv2", *_SOFT, *_GROUP),
    "h261": ("h261", *_SOFT, *_GROUP),
    "h263": ("h263", *_SOFT, *_GROUP),
    "h263p": ("h263p", *_SOFT, *_GROUP),
    "flv1": ("flv", *_SOFT, *_GROUP),
    "rv10": ("rv10", *_SOFT, *_GROUP),
    "rv20": ("rv20", *_SOFT, *_GROUP),
    "theora": ("libtheora", "-q:v", "9", *_GROUP),
    "mjpeg": ("mjpeg", *_FINE, "-pix_fmt", "yuvj420p"),
    "prores": ("prores_ks", "-profile:v", "1"),
    "dnxhr": ("dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p"),
    "snow": ("snow", *_FINE, *_GROUP),
    "svq1": ("svq1", *_FINE, *_GROUP),
    "cinepak": ("cinepak", *_FINE, *_GROUP),
    "asv1": ("asv1", "-qmin", "2", "-qmax", "2"),
    "asv2": ("asv2", "-qmin", "2", "-qmax", "2"),
    "speedhq": ("speedhq", *_FINE),
    "rgb": ("rawvideo", "-pix_fmt", "bgr24"),
    "dv": ("dvvideo", "-pix_fmt", "yuv420p"),
    "apv": ("liboapv",),
    "j2k": ("libopenjpeg",),
    **{
        name: (name, *_GROUP)
        for name in ("rpza", "smc", "msvideo1", "msrle", "qtrle", "ffv1", "zmbv", "flashsv", "flashsv2")
    },
    **{
        name: (name,)
        for name in (
            "ljpeg", "jpegls", "cfhd", "vc2", "png", "tiff", "targa", "utvideo", "huffyuv", "ffvhuff", "magicyuv",
            "zlib", "v210", "r210", "r10k", "yuv4", "y41p", "rawvideo", "cljr", "hap", "dxv", "exr", "dpx", "sgi",
            "gif", "apng", "amv", "avrp", "avui",
        )
    },
}  # fmt: skip
SIZES = {"h261": (352, 288), "h263": (352, 288), "dv": (720, 576), "avui": (720, 576)}

SOUNDS: dict[str, tuple[str, ...]] = {
    "aac": ("aac", "-b:a", "192k"),
    "mp2": ("mp2", "-b:a", "256k"),
    "mp3": ("libmp3lame", "-b:a", "192k"),
    "ac3": ("ac3", "-b:a", "256k"),
    "dts": ("dca", "-b:a", "768k"),
    "opus": ("libopus", "-b:a", "192k"),
    "vorbis": ("libvorbis", "-q:a", "8"),
    "amr": ("libopencore_amrnb", "-b:a", "12.2k"),
    **{name: (name,) for name in ("eac3", "flac", "alac", "wavpack", "tta", "truehd", "mlp", "wmav1", "wmav2")},
    **{name: (name,) for name in ("g722", "g726", "nellymoser", "real_144", "s302m")},
    **{f"pcm_{kind}": (f"pcm_{kind}",) for kind in ("s16le", "s16be", "s24le", "s24be", "s32le", "u8", "s8")},
    **{f"pcm_{kind}": (f"pcm_{kind}",) for kind in ("f32le", "f64le", "alaw", "mulaw", "bluray", "dvd")},
    **{f"adpcm_{kind}": (f"adpcm_{kind}",) for kind in ("ima_wav", "ima_qt", "ms", "swf", "yamaha")},
}
# What some codecs take alone: layout and rate.
_SPEECH = {
    "amr": ("mono", 8000), "g726": ("mono", 8000), "real_144": ("mono", 8000), "g722": ("mono", 16000),
    "nellymoser": ("mono", 44100), "adpcm_swf": ("stereo", 44100),
}  # fmt: skip

# container: how FFmpeg names it where its suffix does not say
_FORMATS = {"mkv": "matroska", "ts": "mpegts", "m2ts": "mpegts", "ipod .m4v": "ipod", "dvd .vob": "dvd"}
_FORMATS |= {"dnxhd": "dnxhd", "multipart .mjpg": "mpjpeg"}
_FORMATS |= {"svcd .mpg": "svcd", "vcd .mpg": "vcd", "f4v": "f4v", "d10 .mxf": "mxf_d10", "rm": "rm"}
_OPTIONS = {"m2ts": ("-mpegts_m2ts_mode", "1")}
_STUDIO = {"gxf": {"size": (720, 576), "layout": "mono"}}  # all that it takes
_STUDIO |= {"h261": {"rate": "30000/1001"}, "h263": {"rate": "30000/1001"}}  # the rate that these streams mean


def film(container: str, picture: str, sound: str = "", oddity: str = "", /, **changes: object) -> Recipe:
    """The recipe of a film by the names of its parts; `changes` are further fields of it."""
    layout, rate = _SPEECH.get(sound, ("stereo", 48000))
    form = _FORMATS.get(container)
    made = Recipe(
        container,
        f"{picture} + {sound}" if sound else picture,
        oddity,
        picture=("-c:v", *PICTURES[picture]),
        sound=("-c:a", *SOUNDS[sound]) if sound else (),
        options=(*(("-f", form) if form else ()), *_OPTIONS.get(container, ())),
        frames=75,
        size=SIZES.get(picture, (256, 144)),
        layout=layout,
        sample_rate=rate,
    )
    return replace(made, **{**_STUDIO.get(container, {}), **changes})  # type: ignore[arg-type]


# Each container's usual sound, and the codecs of pictures that the bundled FFmpeg writes into it.
_PICTURES_IN = {
    ("mkv", "flac"): "h264 hevc av1 vp8 vp9 vvc mpeg1 mpeg2 mpeg4 msmpeg4v3 wmv2 h263 theora mjpeg j2k prores dnxhr vc2"
    " snow png utvideo huffyuv ffv1 magicyuv v210 rawvideo rgb hap speedhq apv avs2 gif dv cinepak amv",
    ("webm", "opus"): "vp8 vp9 av1",
    ("mp4", "aac"): "h264 hevc av1 vp9 vvc mpeg1 mpeg2 mpeg4 mjpeg j2k vc2 png ffv1 apv",
    ("ipod .m4v", "aac"): "h264 mpeg4",
    ("3gp", "aac"): "h264 h263 mpeg4",
    ("f4v", "aac"): "h264",
    (
        "mov",
        "pcm_s16le",
    ): "h264 hevc mpeg1 mpeg2 mpeg4 h261 h263 flv1 mjpeg prores dnxhr cfhd svq1 cinepak rpza smc qtrle"
    " png tiff targa ffv1 v210 r210 r10k yuv4 rawvideo hap dxv apv exr dpx sgi gif dv avrp avui",
    ("avi", "pcm_s16le"): "h264 vp8 vp9 mpeg1 mpeg2 mpeg4 xvid msmpeg4v2 msmpeg4v3 wmv1 h263p flv1 mjpeg ljpeg jpegls"
    " prores cfhd vc2 snow cinepak asv1 asv2 msvideo1 msrle png utvideo huffyuv ffvhuff ffv1 magicyuv zlib zmbv flashsv"
    " v210 y41p rawvideo cljr dv",
    ("ts", "mp2"): "h264 hevc vvc mpeg1 mpeg2 mpeg4 vc2",
    ("m2ts", "ac3"): "h264 hevc mpeg2",
    ("mpg", "mp2"): "h264 hevc mpeg1 mpeg2",
    ("vob", "ac3"): "mpeg2 h264",
    ("dvd .vob", "ac3"): "mpeg2",
    ("svcd .mpg", "mp2"): "mpeg2",
    ("vcd .mpg", "mp2"): "mpeg1",
    ("mxf", "pcm_s16le"): "h264 mpeg2 j2k prores dnxhr ffv1 dv",
    ("nut", "pcm_s16le"): "h264 hevc av1 vp9 mpeg2 mpeg4 theora mjpeg ffv1 utvideo rgb",
    ("flv", "aac"): "h264 hevc av1 vp9 flv1",
    ("wmv", "wmav2"): "wmv1 wmv2 msmpeg4v3 mpeg4 h264 vp9 mjpeg",
    ("dv", "pcm_s16le"): "dv",
    ("ogv", "vorbis"): "theora vp8",
    ("rm", "ac3"): "rv10 rv20",
    ("wtv", "mp2"): "mpeg2 h264 mpeg4",
    ("gxf", "pcm_s16le"): "mpeg2 mjpeg dv",
}
_SILENT = {"avi": "h264 mpeg4 mjpeg", "mkv": "h264 mpeg2 mpeg4", "mp4": "h264", "ts": "h264 mpeg2", "vob": "mpeg2"}
_SILENT |= {"gif": "gif", "apng": "apng", "y4m": "rawvideo", "mjpeg": "mjpeg", "ivf": "vp8 vp9 av1", "obu": "av1"}
_SILENT |= {"h264": "h264", "hevc": "hevc", "vvc": "vvc", "m2v": "mpeg2", "m1v": "mpeg1", "m4v": "mpeg4"}
_SILENT |= {"dnxhd": "dnxhr", "multipart .mjpg": "mjpeg"}
_SILENT |= {"h261": "h261", "h263": "h263", "drc": "vc2", "swf": "flv1", "flv": "h264", "wmv": "wmv2"}

# Each container with a light picture, and the codecs of sound that the bundled FFmpeg writes into it.
_SOUNDS_IN = {
    ("mkv", "h264"): "aac mp2 mp3 ac3 eac3 dts opus vorbis alac wavpack tta truehd mlp wmav2 pcm_s16le pcm_s24be pcm_u8"
    " pcm_f32le pcm_alaw adpcm_ima_wav adpcm_ms adpcm_yamaha g722 g726 amr",
    ("mp4", "h264"): "mp3 ac3 eac3 dts opus flac alac truehd pcm_s16le pcm_f32le",
    ("mov", "h264"): "aac mp3 ac3 alac pcm_s16be pcm_s24le pcm_u8 pcm_f32le pcm_mulaw adpcm_ima_wav adpcm_ima_qt"
    " adpcm_ms nellymoser",
    ("avi", "mjpeg"): "mp2 mp3 ac3 aac pcm_s24le pcm_f32le pcm_mulaw adpcm_ima_wav adpcm_ms wmav2 flac",
    ("ts", "h264"): "aac mp3 ac3 eac3 dts opus s302m",
    ("m2ts", "h264"): "dts pcm_bluray",
    ("vob", "mpeg2"): "mp2 dts",
    ("flv", "flv1"): "mp3 nellymoser adpcm_swf",
    ("wmv", "wmv2"): "wmav1 mp3 ac3 pcm_s16le",
    ("mxf", "mpeg2"): "pcm_s24le",
    ("nut", "mjpeg"): "aac mp3 flac vorbis",
    ("3gp", "h263"): "amr",
}


def ordinary() -> list[Recipe]:
    """Films with nothing odd about them."""
    films = [
        film(container, picture, sound)
        for (container, sound), pictures in _PICTURES_IN.items()
        for picture in pictures.split()
    ]
    films += [film(container, picture) for container, pictures in _SILENT.items() for picture in pictures.split()]
    films += [
        film(container, picture, sound)
        for (container, picture), sounds in _SOUNDS_IN.items()
        for sound in sounds.split()
    ]
    return list({recipe.name: recipe for recipe in films}.values())
