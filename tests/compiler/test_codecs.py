"""What a trailer is written as: each codec's file is playable and tagged, has every frame, and is always the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from commandline import cinecut, names
from oracle import Film, Sound
from rendering import Piece, Rendered, looks, nearest_sample, render_text, sound_errors, spec_text, wrong_frames

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

Films = Callable[[Film], Film]

RATE = Fraction(24)
PIECES = (
    Piece(Fraction(1), 20),
    Piece(Fraction(5, 2), 16, enter="crossfade", over=6),
    Piece(Fraction(7, 2), 14, enter="dip to black", over=4, leave=4),
)
TAGS = ("-bsf:v", "h264_metadata=colour_primaries=1:transfer_characteristics=1:matrix_coefficients=1")  # BT.709

# codec: suffix, FFmpeg's name, the tag in the file, pixel format, codec of the sound
CODECS = {
    "h264": (".mp4", "h264", "avc1", "yuv420p", "aac"),
    "hevc": (".mp4", "hevc", "hvc1", "yuv420p", "aac"),
    "av1": (".mp4", "av1", "av01", "yuv420p", "aac"),
    "prores": (".mov", "prores", "apch", "yuv422p10le", "pcm_s24le"),
    "ffv1": (".mkv", "ffv1", None, "yuv420p", "pcm_s24le"),
}


@pytest.fixture(scope="module")
def film(films: Films) -> Film:
    return films(Film(Path("a.mp4"), RATE, 120, (320, 180), gop=24, sound=Sound(), options=TAGS))


def text_of(film: Film, codec: str, more: str = "") -> str:
    return spec_text(film, [piece.event for piece in PIECES], f"output: {{codec: {codec}, preset: ultrafast{more}}}")


@pytest.fixture(scope="module", params=CODECS)
def codec(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def rendered(film: Film, ffmpeg: Path, codec: str, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render_text(text_of(film, codec, ", crf: 12"), tmp_path_factory.mktemp(codec), ffmpeg)


def test_a_file_is_what_it_should_be(rendered: Rendered, codec: str) -> None:
    suffix, name, tag, pix_fmt, sound = CODECS[codec]
    assert rendered.path.suffix == suffix
    with av.open(str(rendered.path)) as media:
        video, audio = media.streams.video[0], media.streams.audio[0]
        decoder = "libdav1d" if name == "av1" else name
        assert video.codec_context.name in (name, decoder)
        assert tag in (None, video.codec_context.codec_tag)
        assert (audio.codec_context.name, audio.rate, audio.channels) == (sound, 48000, 2)
        assert video.average_rate == RATE
        frame = next(media.decode(video))
        assert frame.format.name == pix_fmt
        found = (int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range))
        assert found == (1, 1, 1, 1)  # BT.709, in the range of video


def test_no_frame_and_no_sample_is_wrong(film: Film, rendered: Rendered, codec: str) -> None:
    assert wrong_frames(rendered, looks(film, PIECES, RATE)) == []
    assert max(abs(stamp - k / RATE) for k, stamp in enumerate(rendered.stamps)) <= Fraction(1, 2000)
    assert max(map(abs, sound_errors(rendered, film, PIECES, RATE))) <= 1
    if CODECS[codec][4] != "aac":
        assert len(rendered.sound) == nearest_sample(sum(piece.frames for piece in PIECES) / RATE)


def test_the_same_spec_gives_the_same_bytes(
    film: Film, rendered: Rendered, ffmpeg: Path, codec: str, tmp_path: Path
) -> None:
    again = render_text(text_of(film, codec, ", crf: 12"), tmp_path, ffmpeg)
    assert again.path.read_bytes() == rendered.path.read_bytes()


@pytest.mark.parametrize("kind", ["h264", "hevc", pytest.param("av1", marks=pytest.mark.slow)])
def test_a_lower_crf_is_nearer_to_the_film(film: Film, bundled: Path, tmp_path: Path, kind: str) -> None:
    exact = luma(render_text(text_of(film, "ffv1"), tmp_path, bundled, "exact"))
    files = [render_text(text_of(film, kind, f", crf: {crf}"), tmp_path, bundled, f"crf{crf}") for crf in (10, 63)]
    near, far = (float(np.abs(luma(file) - exact).mean()) for file in files)
    assert near < 0.6 * far
    assert files[0].path.stat().st_size > files[1].path.stat().st_size


def luma(rendered: Rendered) -> Any:
    return np.array(rendered.pictures[:12], np.int64)


def test_ten_bits_stay_ten_for_editing(films: Films, ffmpeg: Path, tmp_path: Path) -> None:
    film = films(Film(Path("a.mkv"), RATE, 24, (320, 180), gop=12, pix_fmt="yuv420p10le"))
    formats = {}
    for codec in ("prores", "ffv1"):
        rendered = render_text(
            spec_text(film, [Piece(Fraction(0), 4).event], f"output: {{codec: {codec}}}"), tmp_path, ffmpeg
        )
        with av.open(str(rendered.path)) as media:
            formats[codec] = media.streams.video[0].codec_context.pix_fmt
        assert rendered.numbers == [0, 1, 2, 3]
    assert formats == {"prores": "yuv422p10le", "ffv1": "yuv420p10le"}


@pytest.mark.matrix
@pytest.mark.parametrize("kind", ["h264", "hevc", "av1"])
@pytest.mark.parametrize("hardware", ["nvenc", "qsv", "amf", "videotoolbox"])
def test_hardware_that_is_not_there(film: Film, ffmpeg: Path, tmp_path: Path, hardware: str, kind: str) -> None:
    """One message before any work is done, and nothing left behind: the build has no such encoder, or the machine."""
    encoder = f"{kind}_{hardware}"
    if encodes(ffmpeg, encoder):
        pytest.skip("this machine has the hardware")
    (tmp_path / "spec.yaml").write_text(text_of(film, kind, f", hardware: {hardware}"), encoding="utf-8")
    job = prepare(tmp_path / "spec.yaml")
    with pytest.raises(Stop, match=f"has no encoder {encoder}|{encoder} does not work here") as caught:
        render(job, tmp_path / "out.mp4", find_ffmpeg(str(ffmpeg)), SILENT)
    assert [(d.code, len(d.hints)) for d in caught.value.diagnostics] == [("no-ffmpeg", 1)]
    assert names(tmp_path) == ["spec.yaml"]


def encodes(ffmpeg: Path, encoder: str) -> bool:
    plain: list[str | Path] = [ffmpeg, "-v", "quiet", "-f", "lavfi", "-i", "color=s=256x256:d=0.2"]
    return subprocess.run([*plain, "-c:v", encoder, "-f", "null", "-"], check=False).returncode == 0


def test_the_command_says_what_is_not_there(film: Film, tmp_path: Path) -> None:
    """No FFmpeg for Linux has Apple's encoder."""
    (tmp_path / "spec.yaml").write_text(text_of(film, "hevc", ", hardware: videotoolbox"), encoding="utf-8")
    done = cinecut("render", "spec.yaml", "-o", "out.mp4", cwd=tmp_path)
    assert done.returncode != 0
    assert "has no encoder hevc_videotoolbox" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == ["spec.yaml"]


@pytest.mark.parametrize(("kind", "name"), [("prores", "out.mp4"), ("ffv1", "out.mov"), ("hevc", "out.mkv")])
def test_a_file_that_is_named_as_another_kind_is_refused(film: Film, tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / "spec.yaml").write_text(text_of(film, kind), encoding="utf-8")
    done = cinecut("render", "spec.yaml", "-o", name, cwd=tmp_path)
    assert done.returncode != 0
    assert f"this trailer is a {CODECS[kind][0]} file; {name} ends otherwise" in done.stderr
    assert f"-o {Path(name).with_suffix(CODECS[kind][0])} fits" in done.stderr
    assert names(tmp_path) == ["spec.yaml"]
