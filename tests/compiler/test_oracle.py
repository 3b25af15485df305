"""The oracle judges everything else, so it is judged first: what it says is right, and what is wrong it sees."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from correlation import sound_offset
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    Film,
    Shown,
    Sound,
    blend_of,
    contrast_of,
    draw_code,
    make_film,
    number_of,
    read_frames,
    read_pictures,
    read_sound,
    read_sound_start,
    read_stamps,
)

Films = Callable[[Film], Film]

RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001"]
NTSC_FILM = Fraction(24000, 1001)
SIZE = (640, 360)


def run(ffmpeg: Path, *arguments: str | Path) -> None:
    subprocess.run([ffmpeg, "-v", "error", "-y", *arguments], check=True)


def tick(film: Film) -> Fraction:
    """How far the container may round a stamp: mkv's time base is 1 ms, ts's 1/90000 s; the others' divides a frame."""
    return Fraction(1, {".mkv": 2000, ".ts": 180_000}.get(film.path.suffix, 10**9))


# Films


@pytest.mark.matrix
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".avi", ".ts"])
@pytest.mark.parametrize("rate", RATES)
def test_every_frame_of_every_rate_and_container(films: Films, rate: str, suffix: str) -> None:
    film = films(Film(Path(f"film{suffix}"), Fraction(rate), 60, gop=24))
    assert read_frames(film.path) == list(range(60))
    if suffix in (".mkv", ".mp4", ".mov"):
        assert all(abs(a - b) <= tick(film) for a, b in zip(read_stamps(film.path), film.stamps, strict=True))
    with av.open(str(film.path)) as container:
        assert abs(float(container.streams.video[0].average_rate or 0) / float(film.rate) - 1) < 1e-3


@pytest.mark.parametrize(
    ("film", "decoder"),
    [
        (Film(Path("film.avi"), Fraction(25), 60, codec="mpeg4"), "mpeg4"),
        (Film(Path("film.avi"), Fraction(25), 60, codec="mjpeg", pix_fmt="yuvj420p"), "mjpeg"),
        (Film(Path("film.mkv"), Fraction(25), 60, codec="ffv1"), "ffv1"),
        (Film(Path("film.mp4"), Fraction(25), 60, pix_fmt="yuv420p10le"), "h264"),
        (Film(Path("film.mov"), Fraction(25), 60, pix_fmt="yuv422p"), "h264"),
    ],
    ids=lambda value: f"{value.codec}-{value.pix_fmt}" if isinstance(value, Film) else "",
)
def test_codecs_and_pixel_formats(films: Films, film: Film, decoder: str) -> None:
    film = films(film)
    with av.open(str(film.path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == (decoder, film.pix_fmt)
    assert read_frames(film.path) == list(range(60))


@pytest.mark.parametrize("open_gop", [False, True])
def test_only_open_gops_have_leading_pictures(films: Films, open_gop: bool) -> None:
    film = films(Film(Path("film.mp4"), Fraction(24), 96, gop=24, open_gop=open_gop))
    with av.open(str(film.path)) as container:
        packets = [(p.pts, p.is_keyframe) for p in container.demux(video=0) if p.pts is not None]
    keys = [i for i, (_, key) in enumerate(packets) if key]
    assert len(keys) >= 4
    leading = [i for i in keys if any(stamp < packets[i][0] for stamp, _ in packets[i + 1 :])]
    assert bool(leading) is open_gop
    assert read_frames(film.path) == list(range(96))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_picture_starts_after_zero_and_sound_before_it(films: Films, suffix: str) -> None:
    sound = Sound(codec="flac", start=Fraction(-1, 10))
    film = films(Film(Path(f"film{suffix}"), Fraction(25), 50, start=Fraction(1, 2), sound=sound))
    with av.open(str(film.path)) as container:
        starts = [(s.start_time or 0) * (s.time_base or 0) for s in container.streams]
    assert starts == [Fraction(1, 2), Fraction(2, 5)]
    assert read_stamps(film.path)[0] == Fraction(1, 2)
    assert read_sound_start(film.path) == Fraction(2, 5)
    assert read_frames(film.path) == list(range(50))
    assert np.array_equal(read_sound(film.path), film.heard())


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_variable_rate_has_the_stamps_it_tells(films: Films, suffix: str) -> None:
    film = films(Film(Path(f"film{suffix}"), Fraction(30000, 1001), 60, variable=True))
    assert read_frames(film.path) == list(range(60))
    assert all(abs(a - b) <= tick(film) for a, b in zip(read_stamps(film.path), film.stamps, strict=True))
    steps = {b - a for a, b in zip(film.stamps, film.stamps[1:], strict=False)}
    assert len(steps) == 6
    assert [film.frame_at(s) for s in film.stamps] == list(range(60))
    assert film.frame_at(film.stamps[7] - Fraction(1, 10**9)) == 6


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_film_stands_upright_in_a_player(films: Films, bundled: Path, tmp_path: Path, rotation: int) -> None:
    film = films(Film(Path("film.mp4"), Fraction(24), 24, rotation=rotation))  # type: ignore[arg-type]
    assert read_frames(film.path) == list(range(24))
    run(bundled, "-i", film.path, tmp_path / "upright.mkv")
    assert read_frames(tmp_path / "upright.mkv") == list(range(24))
    run(bundled, "-noautorotate", "-i", film.path, "-c:v", "ffv1", tmp_path / "as_stored.avi")
    assert read_frames(tmp_path / "as_stored.avi") != list(range(24))


def test_anamorphic_and_interlaced(films: Films) -> None:
    film = films(Film(Path("film.mkv"), Fraction(25), 50, size=(720, 576), sar=Fraction(64, 45), interlaced=True))
    with av.open(str(film.path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(64, 45)
        assert all(frame.interlaced_frame for frame in container.decode(video=0))
    assert read_frames(film.path) == list(range(50))


def test_what_ffmpeg_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="nonsense"):
        make_film(Film(tmp_path / "film.mp4", Fraction(24), 24, options=("-profile:v", "nonsense")))


# The picture's code


@given(number=st.integers(0, 0xFFFF), width=st.integers(80, 400), height=st.integers(60, 400))
def test_every_number_at_every_size(number: int, width: int, height: int) -> None:
    assert number_of(draw_code(number, (width, height))) == number


@given(a=st.integers(0, 0xFFFF), b=st.integers(0, 0xFFFF), percent=st.integers(8, 92))
def test_a_blend_is_no_number_and_tells_its_weight(a: int, b: int, percent: int) -> None:
    weight = percent / 100
    mixed = np.rint(draw_code(a, SIZE) * (1 - weight) + draw_code(b, SIZE) * weight).astype(np.uint8)
    if a == b:
        assert number_of(mixed) == a
        return
    assert number_of(mixed) is Shown.BLEND
    told = blend_of(mixed, a, b)
    assert abs(told.weight - weight) < 0.01
    assert told.residual < 0.02
    assert blend_of(mixed, a, b ^ 0x0810).residual > 0.05


def test_a_torn_a_covered_and_an_empty_picture_are_unreadable() -> None:
    torn = draw_code(0x1234, SIZE)
    torn[:100] = draw_code(0x5678, SIZE)[:100]
    assert number_of(torn) is None
    covered = draw_code(0x1234, SIZE)
    covered[60:120, 100:400] = 235
    assert number_of(covered) is None
    card = np.full(SIZE[::-1], 16, np.uint8)
    card[150:200, 100:150] = card[150:200, 200:250] = 235
    assert number_of(card) is None
    with pytest.raises(LookupError):
        blend_of(card, 1, 2)


def test_woven_fields_of_two_frames_are_a_blend() -> None:
    woven = draw_code(7, SIZE)
    woven[1::2] = draw_code(8, SIZE)[1::2]
    assert number_of(woven) is Shown.BLEND


@pytest.mark.matrix(4)
@pytest.mark.parametrize(
    "filters",
    [
        "scale=320:180",
        "crop=iw*0.8:ih*0.8,scale=320:180",
        "scale=160:90,pad=160:160:0:35",
        "yadif",
        "bwdif=mode=send_frame,scale=480:270",
        "eq=contrast=0.7:brightness=0.1:gamma=0.8:saturation=0.5",
        "fade=out:s=0:n=60:alpha=0",
        "drawbox=x=60:y=270:w=500:h=40:color=white:t=fill",  # where titles stand
    ],
)
def test_the_code_survives(films: Films, bundled: Path, tmp_path: Path, filters: str) -> None:
    film = films(Film(Path("film.mkv"), Fraction(25), 50, (640, 360), interlaced="dif" in filters))
    run(bundled, "-i", film.path, "-vf", filters, "-preset", "veryfast", "-crf", "23", tmp_path / "a.mp4")
    assert read_frames(tmp_path / "a.mp4") == list(range(50))


def test_wrong_frames_blends_black_and_white_are_told_apart(films: Films, bundled: Path, tmp_path: Path) -> None:
    film = films(Film(Path("film.mkv"), NTSC_FILM, 48, (640, 360)))
    graph = (
        "[0]split=3[a][b][c];[a]trim=start_frame=3:end_frame=6,setpts=PTS-STARTPTS,settb=AVTB[one];"
        "[b]trim=start_frame=9:end_frame=12,tmix=frames=2,trim=start_frame=1,setpts=PTS-STARTPTS,settb=AVTB[mix];"
        "[c]trim=start_frame=20:end_frame=22,setpts=PTS-STARTPTS,settb=AVTB[two];"
        "color=black:s=640x360:r=24000/1001,trim=end_frame=1,settb=AVTB[k];"
        "color=white:s=640x360:r=24000/1001,trim=end_frame=1,settb=AVTB[w];"
        "[k]setsar=1[k1];[w]setsar=1[w1];[one][mix][k1][w1][two]concat=n=5"
    )
    out = tmp_path / "a.mkv"
    run(bundled, "-i", film.path, "-filter_complex", graph, "-fps_mode", "passthrough", "-crf", "18", out)
    blend = Shown.BLEND
    assert read_frames(out) == [3, 4, 5, blend, blend, Shown.BLACK, Shown.WHITE, 20, 21]
    pictures = list(read_pictures(out))
    assert blend_of(pictures[3], 9, 10) == pytest.approx((0.5, 0), abs=0.03)
    assert blend_of(pictures[3], 9, 11).residual > 0.4


def test_the_weights_of_a_crossfade(films: Films, ffmpeg: Path, tmp_path: Path) -> None:
    film = films(Film(Path("film.mkv"), Fraction(24), 72))
    # One frame more than the crossfade needs: where its first input ends with it, xfade of FFmpeg 5.1 shows no mixture
    # in its last frame, but the second input alone.
    graph = (
        "[0]split[a][b];[a]trim=end_frame=25,setpts=PTS-STARTPTS,fps=24,settb=1/24[x];"
        "[b]trim=start_frame=40:end_frame=64,setpts=PTS-STARTPTS,fps=24,settb=1/24[y];[x][y]xfade=duration=0.5:offset=0.5"
    )
    run(ffmpeg, "-i", film.path, "-filter_complex", graph, "-crf", "18", tmp_path / "a.mkv")
    pictures = list(read_pictures(tmp_path / "a.mkv"))
    assert [number_of(p) for p in pictures[:12] + pictures[24:]] == [*range(12), *range(52, 64)]
    for k in range(12):
        weight, residual = blend_of(pictures[12 + k], 12 + k, 40 + k)
        assert weight == pytest.approx(k / 12, abs=0.015)
        assert residual < 0.04


@pytest.mark.parametrize("color", ["black", "white"])
def test_a_dip_keeps_the_number_and_tells_its_depth(films: Films, ffmpeg: Path, tmp_path: Path, color: str) -> None:
    film = films(Film(Path("film.mkv"), Fraction(24), 72))
    run(ffmpeg, "-i", film.path, "-vf", f"fade=out:s=0:n=20:color={color}", "-crf", "18", tmp_path / "a.mkv")
    pictures = list(read_pictures(tmp_path / "a.mkv"))
    shown = [number_of(p) for p in pictures]
    assert shown[:18] == list(range(18))
    assert set(shown[20:]) == {Shown(color)}
    for k in range(16):
        assert contrast_of(pictures[k]) == pytest.approx(1 - k / 20, abs=0.06)


# The sound's code


def test_noise_is_one_function_of_time_at_every_rate() -> None:
    film = Film(Path("film.mkv"), Fraction(24), 48, sound=Sound(rate=44100))
    assert np.allclose(film.heard(44100)[::147], film.heard(48000)[::160], atol=1 / 32768)
    assert np.abs(np.corrcoef(film.heard().T) - np.eye(2)).max() < 0.05
    assert film.heard().std() == pytest.approx(0.1, rel=0.03)
    assert np.abs(film.heard()).max() < 0.6


@pytest.mark.parametrize(
    ("suffix", "sound"),
    [
        (".mkv", Sound(44100, 2, "pcm_s16le")),
        (".avi", Sound(48000, 2, "pcm_s16le")),
        (".mov", Sound(48000, 6, "pcm_s16le")),
        (".mp4", Sound(44100, 1, "flac")),
        (".mkv", Sound(48000, 6, "flac")),
    ],
)
def test_lossless_sound_to_the_bit(films: Films, suffix: str, sound: Sound) -> None:
    film = films(Film(Path(f"film{suffix}"), NTSC_FILM, 48, sound=sound))
    samples = read_sound(film.path)
    assert samples.shape == (round(48 / NTSC_FILM * sound.rate), sound.channels)
    assert np.array_equal(samples, film.heard())


@pytest.mark.matrix
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".ts"])
@pytest.mark.parametrize("start", [Fraction(0), Fraction(1, 32)])  # whole ticks of mp4's 1/12288
def test_aac_lies_where_the_stamps_say(films: Films, suffix: str, start: Fraction) -> None:
    film = films(Film(Path(f"film{suffix}"), Fraction(24), 96, start=start, sound=Sound(start=-start)))
    lead = read_sound_start(film.path) - read_stamps(film.path)[0]
    samples = read_sound(film.path)
    for at in (2000, 50_000, 150_000):
        place = sound_offset(samples, film.heard(), at)
        assert place == pytest.approx(at + float(lead + start) * 48000, abs=0.1 + 48000 * float(tick(film) * 2))


@pytest.mark.matrix
@pytest.mark.parametrize("codec", ["pcm_s16le", "aac"])
@pytest.mark.parametrize("trim", [0, 1, 12_345, 77_777])
def test_a_trim_is_measured(films: Films, ffmpeg: Path, tmp_path: Path, codec: str, trim: int) -> None:
    film = films(Film(Path("film.mov"), Fraction(24), 96, sound=Sound(codec="pcm_s16le")))
    out = tmp_path / ("a.wav" if codec == "pcm_s16le" else "a.m4a")
    cut = f"atrim=start_sample={trim},asetpts=N/SR/TB,volume=0.5"
    run(ffmpeg, "-i", film.path, "-vn", "-af", cut, "-c:a", codec, "-b:a", "192k", out)
    found = [sound_offset(read_sound(out), film.heard(), at) - at for at in (0, 30_000, 90_000)]
    assert found == pytest.approx([trim] * 3, abs=0.05)


def test_a_trim_is_measured_after_resampling_downmix_and_aac(films: Films, ffmpeg: Path, tmp_path: Path) -> None:
    film = films(Film(Path("film.mkv"), Fraction(24), 96, sound=Sound(44100, 6, "pcm_s16le")))
    cut = "atrim=start_sample=44100,asetpts=N/SR/TB,aresample=48000"
    run(ffmpeg, "-i", film.path, "-vn", "-af", cut, "-ac", "2", "-c:a", "aac", "-b:a", "192k", tmp_path / "a.m4a")
    samples = read_sound(tmp_path / "a.m4a")
    found = [sound_offset(samples, film.heard(48000), at, channel=c) - at for at in (0, 30_000, 90_000) for c in (0, 1)]
    assert found == pytest.approx([48000] * 6, abs=0.35)


def test_a_shift_of_one_sample_and_of_half_a_sample_shows() -> None:
    film = Film(Path("film.mkv"), Fraction(24), 96, sound=Sound())
    finer = film.heard(96000)
    assert sound_offset(film.heard(), film.heard(), 5001) == pytest.approx(5001, abs=0.01)
    assert sound_offset(finer[1::2], film.heard(), 5000) == pytest.approx(5000.5, abs=0.01)


def test_sound_of_another_film_silence_and_too_little_are_refused() -> None:
    film = Film(Path("film.mkv"), Fraction(24), 96, sound=Sound())
    other = Film(Path("film.mkv"), Fraction(24), 24 * 9, sound=Sound())
    for samples in (other.heard(), np.zeros((9000, 2), np.float32), film.heard()[:, ::-1], film.heard()[:4000]):
        with pytest.raises(LookupError):
            sound_offset(samples, film.heard(), 0)
    with pytest.raises(ValueError, match="no sound"):
        Film(Path("film.mkv"), Fraction(24), 96).heard()
