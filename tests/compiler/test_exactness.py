"""Every frame and every sample of a trailer is the one that the spec says, whatever the film is like."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from effort import mostly_slow
from oracle import Film, Sound
from rendering import Piece, looks, nearest_sample, render_text, shown_stamps, sound_errors, spec_text, up, wrong_frames

Films = Callable[[Film], Film]


def awkward(film: Film, rate: Fraction, seed: int = 1) -> list[Piece]:
    """A trailer of everything: the film's ends, key frames, single frames, both speeds, every transition."""
    dice = random.Random(seed)
    last = film.frames - 1
    stamps = [*shown_stamps(film), film.frames / film.rate]

    def at(frame: int, share: Fraction = Fraction(0)) -> Fraction:
        """A moment within a frame's time on screen."""
        return up(stamps[frame] + (stamps[frame + 1] - stamps[frame]) * share)

    def somewhere(frames: int) -> Fraction:
        return at(dice.randrange(0, last - frames), Fraction(dice.randrange(0, 9), 10))

    key = film.gop
    half, double = Fraction(1, 2), Fraction(2)
    return [
        Piece(at(0), 9, enter="fade in", over=6),
        Piece(at(last), 1),
        Piece(at(key - 1), 1),
        Piece(at(key), 1),
        Piece(at(key + 1), 2),
        Piece(somewhere(20), 12),
        Piece(at(key - 1, half), 14, enter="crossfade", over=8),
        Piece(somewhere(40), 16, double, "crossfade", 7),
        Piece(somewhere(20), 13, half, "dip to black", 8),
        Piece(at(key, half), 20, half, "crossfade", 6),
        Piece(somewhere(20), 12, enter="dip to white", over=6),
        Piece(somewhere(8), 1),
        Piece(somewhere(12), 8),
        Piece(up(stamps[last] - 11 / rate), 12, leave=5),
    ]


def check(
    film: Film,
    ffmpeg: Path,
    folder: Path,
    rate: Fraction | None = None,
    slack: float = 1.0,
    seed: int = 1,
    spread: float = 2.0,
) -> None:
    rate = rate or film.rate
    pieces = awkward(film, rate, seed)
    head = f"output: {{codec: ffv1, rate: {rate}}}"
    rendered = render_text(spec_text(film, [piece.event for piece in pieces], head), folder, ffmpeg)
    assert wrong_frames(rendered, looks(film, pieces, rate)) == []
    assert max(abs(stamp - k / rate) for k, stamp in enumerate(rendered.stamps)) <= Fraction(1, 2000)
    assert len(rendered.sound) == nearest_sample(sum(piece.frames for piece in pieces) / rate)
    if film.sound:
        errors = sound_errors(rendered, film, pieces, rate)
        assert max(map(abs, errors)) <= slack, errors
        assert max(errors) - min(errors) <= spread, errors
    else:
        assert not rendered.sound.any()


SMALL = (320, 180)
MKV = 24 + 1.0  # samples: of a codec that begins late, the first stamp too is one of whole milliseconds
PCM = Sound(codec="pcm_s16le")


def film_of(name: str, rate: str, **values: object) -> Film:
    wanted = {"frames": 120, "size": SMALL, "gop": 24, "sound": Sound(), **values}
    return Film(Path(name), Fraction(rate), **wanted)  # type: ignore[arg-type]


CASES = {
    "mkv 23.976": film_of("a.mkv", "24000/1001"),
    "mp4 24": film_of("a.mp4", "24"),
    "mov 25": film_of("a.mov", "25", sound=PCM),
    "mp4 29.97": film_of("a.mp4", "30000/1001"),
    "ts 30": film_of("a.ts", "30"),
    "mkv 50": film_of("a.mkv", "50"),
    "mp4 59.94": film_of("a.mp4", "60000/1001"),
    "mp4 23.976 open GOP": film_of("a.mp4", "24000/1001", open_gop=True),
    "mkv 24 open GOP": film_of("a.mkv", "24", open_gop=True),
    "ts 25 open GOP": film_of("a.ts", "25", open_gop=True),
    "mp4 25 no B": film_of("a.mp4", "25", bframes=0),
    "avi mpeg4": film_of("a.avi", "25", codec="mpeg4", sound=PCM),
    "avi mpeg4 B": film_of("a.avi", "24000/1001", codec="mpeg4", sound=PCM, bframes=2),
    "avi mpeg4 no B": film_of("a.avi", "24", codec="mpeg4", sound=PCM, bframes=0),
    "avi mjpeg": film_of("a.avi", "30000/1001", codec="mjpeg", pix_fmt="yuvj420p", sound=PCM),
    "avi x264": film_of("a.avi", "25", sound=PCM),
    "avi x264 no B": film_of("a.avi", "25", sound=PCM, bframes=0),
    "mp4 late": film_of("a.mp4", "25", start=Fraction(1, 2)),
    "mkv late": film_of("a.mkv", "24", start=Fraction(1, 2), sound=Sound(codec="flac")),
    "mp4 sound first": film_of("a.mp4", "25", start=Fraction(1, 2), sound=Sound(codec="flac", start=Fraction(-1, 10))),
    "mkv sound later": film_of("a.mkv", "25", sound=Sound(codec="flac", start=Fraction(1, 5))),
    "mp4 sound later": film_of("a.mp4", "24", sound=Sound(start=Fraction(1, 4))),
    "mkv 44.1": film_of("a.mkv", "24", sound=Sound(44100)),
    "mp4 44.1": film_of("a.mp4", "24000/1001", sound=Sound(44100)),
    "mp4 5.1": film_of("a.mp4", "25", sound=Sound(channels=6)),
    "mov mono": film_of("a.mov", "25", sound=Sound(44100, 1, "pcm_s16le")),
    "mp4 no sound": film_of("a.mp4", "30", sound=None),
    "mkv variable": film_of("a.mkv", "30000/1001", variable=True),
    "mp4 variable": film_of("a.mp4", "24", variable=True),
    "mp4 90": film_of("a.mp4", "24", rotation=90),
    "mov 180": film_of("a.mov", "24", rotation=180),
    "mp4 270": film_of("a.mp4", "25", rotation=270),
    "mkv anamorphic": film_of("a.mkv", "25", size=(360, 288), sar=Fraction(64, 45)),
    "mkv interlaced": film_of("a.mkv", "25", interlaced=True),
    "mp4 interlaced": film_of("a.mp4", "30000/1001", interlaced=True),
    "ts interlaced": film_of("a.ts", "25", interlaced=True),
    "mp4 10 bit": film_of("a.mp4", "24", pix_fmt="yuv420p10le"),
    "mov prores": film_of("a.mov", "24", codec="prores_ks", pix_fmt="yuv422p10le", sound=PCM),
    "mov prores 23.976": film_of("p.mov", "24000/1001", codec="prores_ks", pix_fmt="yuv422p10le", sound=PCM),
    "mkv ffv1 422": film_of("a.mkv", "24", codec="ffv1", pix_fmt="yuv422p"),
}


QUICK = (
    "ts 25 open GOP", "avi mpeg4 B", "mp4 sound first", "mov mono", "mp4 no sound",
    "mkv variable", "mp4 90", "mkv anamorphic", "ts interlaced", "mov prores 23.976",
)  # fmt: skip


@pytest.mark.parametrize("case", mostly_slow(CASES, QUICK))
def test_every_frame_and_sample(films: Films, ffmpeg: Path, tmp_path: Path, case: str) -> None:
    film = films(CASES[case])
    check(film, ffmpeg, tmp_path, slack=MKV if film.path.suffix == ".mkv" else 1.0)


@pytest.mark.matrix
@pytest.mark.parametrize("to", ["24000/1001", "25", "30000/1001", "60"])
@pytest.mark.parametrize("case", ["mp4 24", "mp4 59.94", "mkv 23.976", "mkv variable"])
def test_a_trailer_of_another_rate(films: Films, ffmpeg: Path, tmp_path: Path, case: str, to: str) -> None:
    film = films(CASES[case])
    check(film, ffmpeg, tmp_path, Fraction(to), slack=MKV if film.path.suffix == ".mkv" else 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("open_gop", [False, True])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".ts", ".avi"])
@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001"])
def test_every_rate_and_container(
    films: Films, ffmpeg: Path, tmp_path: Path, rate: str, suffix: str, open_gop: bool, seed: int
) -> None:
    sound = PCM if suffix == ".avi" else Sound()
    film = films(film_of("a" + suffix, rate, sound=sound, open_gop=open_gop, gop=20 + seed))
    check(film, ffmpeg, tmp_path, slack=MKV if suffix == ".mkv" else 1.0, seed=seed)


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_a_few_silent_frames_from_a_key_frame_on(films: Films, ffmpeg: Path, tmp_path: Path, frames: int) -> None:
    """Matroska gives the first packets after a seek no time of decoding."""
    film = films(film_of("silent.mkv", "25", sound=None))
    pieces = [Piece(up(Fraction(key, 25)), frames) for key in (0, film.gop, 2 * film.gop)]
    rendered = render_text(spec_text(film, [piece.event for piece in pieces]), tmp_path, ffmpeg)
    assert wrong_frames(rendered, looks(film, pieces, film.rate)) == []
