"""Several films in one spec: each shot is of the film that it names, by frames, by samples and by colours."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from compiling import measured, plan_of, read_text
from correlation import sound_offset
from footage import encode
from numpy.typing import NDArray
from oracle import Film, Sound, read_pictures
from rendering import WINDOW, Look, Piece, Rendered, looks, nearest_sample, render_text, wrong_frames

from cinecut.compiler.plan import RenderPlan
from cinecut.diagnostics import Report
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.language.events import Shot
from cinecut.render.job import SILENT, prepare
from cinecut.render.pack import pack

Films = Callable[[Film], Film]
RATE = Fraction(24)
# No frame of one that is shown has a number that another one's has.
MAIN = Film(Path("a.mp4"), RATE, 80, size=(320, 180), gop=24, sound=Sound())
EXTRA = Film(Path("b.mov"), Fraction(30000, 1001), 200, size=(480, 270), gop=24, sound=Sound(44100, 1, "pcm_s16le"))
SILENT_ONE = Film(Path("c.avi"), Fraction(25), 300, size=(180, 240), codec="mjpeg", pix_fmt="yuvj420p")


def pieces() -> tuple[Piece, Piece, Piece, Piece]:
    first, extra = Piece(Fraction(1), 24), Piece(Fraction("4.25"), 30, Fraction(1, 2))
    return first, extra, Piece(Fraction("2.5"), 15), Piece(Fraction(10), 12)


@pytest.fixture(scope="module")
def spec(films: Films) -> str:
    first, extra, again, _ = pieces()
    return f"""
cinecut: 1
films:
  main: {films(MAIN).path}
  making-of: {films(EXTRA).path}
  third: {films(SILENT_ONE).path}
output: {{codec: ffv1}}
timeline:
  - {first.event}
  - {{shot: {{film: making-of, in: 4.25s, for: {extra.frames}f}}, speed: 0.5}}
  - {{shot: {{in: 2.5s, for: {again.frames}f}}, from: crossfade 8f}}
  - shot: third 0:10 - 0:10.5
  - shot: main 0:00.5 - 0:01
  - black: 1s
    voice: making-of 0:05 - 0:05.5
"""


@pytest.fixture(scope="module")
def rendered(spec: str, tmp_path_factory: pytest.TempPathFactory, bundled: Path) -> Rendered:
    return render_text(spec, tmp_path_factory.mktemp("films"), bundled)


def test_every_frame_is_of_its_film(rendered: Rendered) -> None:
    first, extra, again, third = pieces()
    shown = [(MAIN, first), (EXTRA, extra), (MAIN, again), (SILENT_ONE, third), (MAIN, Piece(Fraction(1, 2), 12))]
    wanted = [look for film, piece in shown for look in looks(film, [piece], RATE)]
    cut = first.frames + extra.frames
    for j in range(8):  # the crossfade from one film into another
        left = EXTRA.frame_at(extra.in_ + (extra.frames - 4 + j) * extra.speed / RATE)
        right = MAIN.frame_at(again.in_ + (j - 4) / RATE)
        wanted[cut - 4 + j] = Look(left, right, Fraction(j, 8))
    black = Look(0, 0, contrast=Fraction(0))
    assert wrong_frames(rendered, wanted + [black] * 24) == []
    assert rendered.pictures[0].shape == (180, 320), "as the first film is"
    with av.open(str(rendered.path)) as media:
        assert media.streams.video[0].average_rate == RATE


def test_every_sample_is_of_its_film(rendered: Rendered) -> None:
    cut = 24 + 30 + 15 + 12
    for film, at, in_ in ((MAIN, 0, Fraction(1)), (MAIN, cut, Fraction(1, 2)), (EXTRA, cut + 12, Fraction(5))):
        start = nearest_sample(at / RATE) + 1000
        wanted = nearest_sample(in_) + 1000
        assert abs(sound_offset(rendered.sound, film.heard(48000), start) - wanted) < 1
    quiet = slice(nearest_sample((cut - 12) / RATE) + 500, nearest_sample(cut / RATE) - 500)
    assert not rendered.sound[quiet].any(), "that film has no sound"
    assert quiet.stop - quiet.start > WINDOW


def test_a_pack_holds_reels_of_all(spec: str, tmp_path: Path, bundled: Path, rendered: Rendered) -> None:
    (tmp_path / "spec.yaml").write_text(spec)
    pack(prepare(tmp_path / "spec.yaml"), tmp_path / "pack", find_ffmpeg(str(bundled)), SILENT)
    out = tmp_path / "out.mkv"
    environment = {"FFMPEG": str(bundled), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", tmp_path / "pack" / "render.sh", out], check=True, env=environment, capture_output=True)
    ours = [picture.tobytes() for picture in rendered.pictures]
    assert [picture.tobytes() for picture in read_pictures(out)] == ours


def planned(text: str) -> RenderPlan:
    plan = plan_of(measured(read_text(text)), Report())
    assert plan is not None
    return plan


def test_one_film_with_a_name_is_the_film() -> None:
    """The very same graph, whether a shot names it or not."""
    events = "timeline:\n  - {shot: SHOT, sound: whoosh}\n  - {black: 1s, voice: VOICE}\n"
    plain = "cinecut: 1\nfilm: film.mkv\n" + events.replace("SHOT", "0:16 - 0:20").replace("VOICE", "0:30 - 0:31")
    bare = plain.replace("film: film.mkv", "films: {main: film.mkv, other: b.mkv}")
    named = bare.replace("0:16", "main 0:16").replace("0:30", "main 0:30")
    plans = [planned(text) for text in (plain, bare, named)]
    assert plans[0].render == plans[1].render == plans[2].render
    assert plans[0].inputs == plans[1].inputs == plans[2].inputs
    other = planned(named.replace("main 0:16", "other 0:16"))
    assert other.render.script != plans[0].render.script
    reels = [[item.name for item in plan.inputs] for plan in (plans[0], other)]
    assert len({*reels[0]} & {*reels[1]}) == 1, "the voice's alone"


def test_colours_come_to_those_of_the_first_film(bundled: Path, tmp_path: Path) -> None:
    """A picture looks alike, whether it is stored by BT.709, by BT.601, in full range or as RGB."""
    down, across = np.mgrid[0:180, 0:320]
    picture = np.stack([across * 255 // 319, down * 255 // 179, 255 - across * 255 // 319], axis=2).astype(np.uint8)
    frames = np.repeat(picture[None], 25, axis=0)
    to = "-vf scale=out_color_matrix={}:out_range={}:flags=accurate_rnd,setparams=colorspace={}:range={}"
    yuv = " -c:v ffv1 -pix_fmt yuv444p -colorspace {} -color_range {}"
    kinds = {
        "main": (to + yuv).format("bt709", "tv", "bt709", "tv", "bt709", "tv"),
        "old": (to + yuv).format("smpte170m", "tv", "smpte170m", "tv", "smpte170m", "tv"),
        "full": (to + yuv).format("bt709", "pc", "bt709", "pc", "bt709", "pc"),
        "rgb": "-c:v png -pix_fmt rgb24",
    }
    rows = []
    for name, options in kinds.items():
        encode(tmp_path / f"{name}.mkv", frames, options=options)
        rows.append(f"  {name}: {name}.mkv")
    events = "\n".join(f"  - shot: {name} 0:00 - 0:00.5" for name in kinds)
    text = "\n".join(["cinecut: 1", "films:", *rows, "output: {codec: ffv1}", "timeline:", events]) + "\n"
    found = planes(render_text(text, tmp_path, bundled).path)
    for number in range(1, 4):
        assert np.abs(found[12 * number + 5] - found[5]).max() <= 3, list(kinds)[number]


def planes(file: Path) -> list[NDArray[np.int16]]:
    with av.open(str(file)) as media:
        return [frame.to_ndarray().astype(np.int16) for frame in media.decode(video=0)]


def test_what_a_film_has_not_is_said(films: Films, tmp_path: Path) -> None:
    """Of the film that is named, not of the first one."""
    text = f"""
cinecut: 1
films: {{main: {films(EXTRA).path}, silent: {films(SILENT_ONE).path}, short: {films(MAIN).path}}}
timeline:
  - shot: short 0:02 - 0:05
  - {{black: 1s, voice: silent 0:01 - 0:02}}
  - {{shot: short 0:00.1 - 0:02, from: crossfade 1s}}
"""
    from cinecut.render.check import examine

    (tmp_path / "spec.yaml").write_text(text)
    report = Report()
    layout = examine(tmp_path / "spec.yaml", report, files=True, link=True)
    assert layout is not None
    assert sorted(found.code for found in report) == ["no-audio", "no-handle", "past-end"]
    assert "the film ends at 0:03.333" in next(found.message for found in report if found.code == "past-end")
    assert [event.shot.film for _, _, event in layout.trailer.events if isinstance(event, Shot)] == ["short", "short"]
