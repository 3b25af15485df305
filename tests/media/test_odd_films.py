"""Films as people have them: every picture and sample of a trailer is the one that decoding the whole film shows."""

from __future__ import annotations

import subprocess
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from effort import mostly_slow
from oracle import BUNDLED, Film, Sound, read_frames, read_stamps
from rendering import Piece, render_text, sound_errors, spec_text
from test_exactness import check

from cinecut.analysis.film.blends import GradualCut
from cinecut.analysis.film.pictures import Moment, key_pictures
from cinecut.analysis.film.shots import FilmShot, find_shots
from cinecut.language.timebase import FilmRange, FilmTime
from cinecut.media.frames import open_film
from cinecut.media.probe import film_facts

Films = Callable[[Film], Film]
PCM = Sound(codec="pcm_s16le")
BASE = Film(Path("base.mkv"), Fraction(25), 200, (320, 180), gop=50, bframes=2, sound=PCM)
FIELDS = "-vf setfield=tff -c:v mpeg4 -flags +ildct -bf 2 -g 15 -q:v 2"
X264 = "-c:v libx264 -preset veryfast -x264-params"


def made(source: Path, target: Path, options: str, before: str = "") -> Path:
    command = [str(BUNDLED), "-v", "error", "-y", *before.split(), "-i", str(source), *options.split(), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target


# How a film is stored: file name, and FFmpeg's options to make it of the base.
STORED = {
    "H.264 with intra refresh": ("a.mkv", f"{X264} intra-refresh=1:bframes=0:keyint=50 -c:a copy"),
    "H.264 with intra refresh, transport stream": ("a.ts", f"{X264} intra-refresh=1:bframes=0:keyint=50 -c:a aac"),
    "MPEG-1 with B pictures": ("a.mkv", "-c:v mpeg1video -bf 2 -g 15 -q:v 3 -c:a mp2 -b:a 256k"),
    "MPEG-2 with B pictures": ("a.mkv", "-c:v mpeg2video -bf 2 -g 15 -q:v 3 -c:a ac3 -b:a 256k"),
    "MPEG-4 with B pictures": ("a.mkv", "-c:v mpeg4 -bf 2 -g 100 -q:v 3 -c:a libmp3lame -b:a 256k"),
    "MPEG-4 of two fields": ("a.mkv", f"{FIELDS} -c:a libmp3lame -b:a 256k"),
    "MPEG-4 of two fields in AVI": ("a.avi", f"{FIELDS} -c:a pcm_s16le"),
    "PAL's tags": ("a.mkv", f"{X264} colormatrix=bt470bg:colorprim=bt470bg:transfer=bt470bg -c:a copy"),
    "NTSC's first tags": ("a.mkv", f"{X264} colormatrix=fcc:colorprim=bt470m:transfer=bt470m -c:a copy"),
    "PCM in Matroska": ("a.mkv", "-c:v copy -c:a pcm_s24le"),
    "FLAC in Matroska": ("a.mkv", "-c:v copy -c:a flac -frame_size 1000"),
    "Vorbis in WebM": ("a.webm", "-c:v libvpx -b:v 2M -deadline realtime -cpu-used 8 -c:a libvorbis -q:a 9"),
    "AAC in FLV": ("a.flv", "-c:v libx264 -preset veryfast -c:a aac -b:a 256k"),
    "ProRes": ("a.mov", "-c:v prores_ks -profile:v 0 -c:a pcm_s16le"),
    "DNxHR": ("a.mov", "-vf scale=640:360:flags=neighbor -c:v dnxhd -profile:v dnxhr_hq -pix_fmt yuv422p -c:a copy"),
    "uncompressed RGB": ("a.avi", "-c:v rawvideo -pix_fmt bgr24 -c:a pcm_s16le"),
    "Ut Video": ("a.avi", "-c:v utvideo -pix_fmt yuv422p -c:a pcm_s16le"),
    "HuffYUV": ("a.avi", "-c:v huffyuv -pix_fmt yuv422p -c:a pcm_s16le"),
    "Windows Media": ("a.wmv", "-c:v wmv2 -q:v 2 -g 25 -c:a wmav2 -b:a 256k"),
    "Blu-ray's PCM": ("a.m2ts", "-c:v libx264 -preset veryfast -c:a pcm_bluray -mpegts_m2ts_mode 1"),
    "program stream": ("a.vob", "-c:v mpeg2video -b:v 3M -g 12 -bf 0 -c:a mp2 -b:a 256k -f vob"),
    "program stream with B pictures": ("a.mpg", "-c:v mpeg2video -b:v 3M -g 12 -bf 2 -c:a ac3 -b:a 256k"),
}
ENCODER_DELAY = 2500  # samples, at most: of lossy codecs it is the same in every shot


@pytest.mark.matrix(5)
@pytest.mark.parametrize("name", STORED)
def test_however_it_is_stored(films: Films, bundled: Path, tmp_path: Path, name: str) -> None:
    base = films(BASE)
    file, options = STORED[name]
    odd = replace(base, path=made(base.path, tmp_path / file, options))
    lossless = any(codec in options for codec in ("copy", "pcm", "flac"))
    check(odd, bundled, tmp_path, slack=1 if lossless else ENCODER_DELAY, spread=0.6)


def without(source: Path, target: Path, start: float, end: float) -> Path:
    """A copy without the packets of the picture between two moments, as a lost signal leaves it."""
    with av.open(str(source)) as media, av.open(str(target), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in media.streams}
        video = media.streams.video[0]
        zero = (video.start_time or 0) * Fraction(video.time_base or 1)
        for packet in media.demux():
            if packet.size and packet.pts is not None:
                at = packet.pts * Fraction(packet.time_base or 1) - zero
                lost = packet.stream is video and start <= at < end
                packet.stream = streams[packet.stream.index]
                if not lost:
                    out.mux(packet)
    return target


def beheaded(source: Path, target: Path) -> Path:
    """A transport stream that somebody began to record in the middle."""
    data = source.read_bytes()
    target.write_bytes(data[int(len(data) * 0.31) // 188 * 188 :])
    return target


ALL_KEYS = "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p -c:a pcm_s16le"
OPEN = "open-gop=1:keyint=30:min-keyint=30:scenecut=0:bframes=4"
X265 = f"-c:v libx265 -preset ultrafast -x265-params log-level=error:{OPEN}"
OPEN_H264 = f"{X264} {OPEN}:b-pyramid=2"
Cutter = Callable[[Path, Path], Path]
CUT: dict[str, tuple[str, str, Cutter]] = {  # name: what is made of the base, and how that is cut
    "mp4 cut by an edit list": ("a.mp4", "-c:v copy -c:a aac", lambda a, b: made(a, b, "-c copy", "-ss 3.32")),
    "mov cut by an edit list": ("a.mov", "-c:v copy -c:a pcm_s16le", lambda a, b: made(a, b, "-c copy", "-ss 1.5")),
    "HEVC's open groups cut": ("a.mkv", f"{X265} -c:a aac", lambda a, b: made(a, b, "-c copy", "-ss 2.6")),
    "H.264's open groups cut": ("a.mkv", f"{OPEN_H264} -c:a aac", lambda a, b: made(a, b, "-c copy", "-ss 2.6")),
    "a recording without its start": ("a.ts", f"{X264} keyint=50 -c:a mp2 -b:a 192k", beheaded),
    "lost pictures, all key frames": ("a.mov", ALL_KEYS, lambda a, b: without(a, b, 2.9, 3.5)),
    "lost pictures": ("a.ts", f"{X264} keyint=10:bframes=0 -c:a mp2", lambda a, b: without(a, b, 2.9, 3.6)),
    "no signal for a while": ("a.ts", f"{X264} keyint=10:bframes=0 -c:a mp2", lambda a, b: without(a, b, 2.0, 6.0)),
}


@pytest.mark.matrix(4)
@pytest.mark.parametrize("name", CUT)
def test_however_it_was_cut(films: Films, bundled: Path, tmp_path: Path, name: str) -> None:
    """Shots at the head, on and around holes, on key frames and between, and at the tail."""
    file, options, cut = CUT[name]
    odd = cut(made(films(BASE).path, tmp_path / f"whole-{file}", options), tmp_path / file)
    assert_shown(odd, tmp_path, bundled)


def assert_shown(odd: Path, tmp_path: Path, bundled: Path) -> None:
    """A trailer shows what a plain decode of the whole film shows at the same moments."""
    scaled = "-vf scale=320:180:flags=neighbor"
    exact = "-fps_mode passthrough -enc_time_base 1:90000 -c:v ffv1"
    whole = made(odd, tmp_path / "decoded.nut", f"-map 0:v:0 -an {scaled} {exact}")
    numbers, times = read_frames(whole), read_stamps(whole)
    stamps = [time - times[0] for time in times]
    facts = film_facts(odd)
    assert facts.rate == 25
    last = int(facts.duration * 25)
    places = sorted({0, 1, 10, 71, 72, 80, 84, last // 2, last - 9} & set(range(last - 8)))
    shots = [f"shot: {{in: {place / 25}s, for: 9f}}" for place in places]
    text = spec_text(replace(BASE, path=odd), shots)
    shown = render_text(text, tmp_path, bundled).numbers
    moments = [Fraction(place + k, 25) + Fraction(1, 10_000) for place in places for k in range(9)]
    assert shown == [numbers[bisect_right(stamps, moment) - 1] for moment in moments]


@pytest.mark.parametrize("late", [-1, 1, 2])
def test_sound_that_lies_elsewhere_in_the_file(films: Films, bundled: Path, tmp_path: Path, late: int) -> None:
    """As a remux with a shift leaves it: stored a second or two before its picture, or after it."""
    base = films(BASE)
    made(base.path, tmp_path / "whole.ts", f"{X264} keyint=25 -c:a mp2 -b:a 256k")
    odd = tmp_path / "odd.ts"
    _shift_sound(tmp_path / "whole.ts", odd, late)
    with av.open(str(tmp_path / "whole.ts")) as media:
        video, audio = media.streams.video[0], media.streams.audio[0]
        begins = Fraction(0)
        for sign, stream in ((1, audio), (-1, video)):
            begins += sign * (stream.start_time or 0) * Fraction(stream.time_base or 1)
    moved = replace(base, path=odd, sound=replace(PCM, start=Fraction(late) + begins))
    pieces = [Piece(Fraction(4), 25), Piece(Fraction(11, 2), 20)]
    rendered = render_text(spec_text(moved, [piece.event for piece in pieces]), tmp_path, bundled)
    late_by = sound_errors(rendered, moved, pieces, base.rate)
    assert max(late_by) - min(late_by) < 0.5  # whatever the encoder's own delay is
    assert max(map(abs, late_by)) < 1200


def _shift_sound(source: Path, target: Path, seconds: int) -> None:
    """Add to the stamps of the sound (PID 0x101) of a transport stream, and move no byte."""
    data = bytearray(source.read_bytes())
    for at in range(0, len(data) - 187, 188):
        if (data[at + 1] & 31) << 8 | data[at + 2] != 0x101 or not data[at + 1] & 0x40:
            continue
        pes = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        if data[pes : pes + 3] != b"\0\0\1" or not data[pes + 7] & 0x80:
            continue
        x = data[pes + 9 : pes + 14]
        stamp = ((x[0] >> 1) & 7) << 30 | x[1] << 22 | (x[2] >> 1) << 15 | x[3] << 7 | x[4] >> 1
        stamp += seconds * 90_000
        head, middle, tail = stamp >> 30 & 7, stamp >> 15 & 127 << 0, stamp & 127
        data[pes + 9 : pes + 14] = bytes(
            [x[0] & 0xF0 | head << 1 | 1, stamp >> 22 & 255, middle << 1 & 254 | 1, stamp >> 7 & 255, tail << 1 | 1]
        )
    target.write_bytes(data)


def test_gaps_in_the_sound_are_silent(films: Films, bundled: Path, tmp_path: Path) -> None:
    """What follows stays in step with the picture, as the stamps say."""
    base = films(BASE)
    odd = made(base.path, tmp_path / "gap.mkv", "-c:v copy -af aselect=not(between(t\\,3\\,4.99)) -c:a flac")
    film = replace(base, path=odd)
    pieces = [Piece(Fraction(1), 100)]
    rendered = render_text(spec_text(film, [pieces[0].event]), tmp_path, bundled)
    assert not rendered.sound[100_000:188_000].any()
    after = [Piece(Fraction(11, 2), 20)]
    rendered = render_text(spec_text(film, [after[0].event]), tmp_path, bundled, "after")
    assert max(map(abs, sound_errors(rendered, film, after, base.rate))) <= 48


def test_gaps_in_joined_recordings_are_whole_frames(films: Films, bundled: Path, tmp_path: Path) -> None:
    """Though stamps of whole milliseconds say half of one more or less."""
    base = films(BASE)
    options = "-c:v copy -c:a flac -frame_size 1000 -bsf:a noise=drop=between(pts*tb\\,{0}\\,{0}+1)"
    parts = [made(base.path, tmp_path / f"{at}.mkv", options.format(at)).read_bytes() for at in (3, 5)]
    odd = tmp_path / "joined.mkv"
    odd.write_bytes(b"".join(parts))
    assert film_facts(odd).joined
    for at in (Fraction(9, 2), Fraction(13, 2)):
        rendered = render_text(spec_text(replace(base, path=odd), [Piece(at, 20).event]), tmp_path, bundled)
        assert max(map(abs, sound_errors(rendered, base, [Piece(at, 20)], base.rate))) <= 1


def test_a_film_that_changes_midway(films: Films, bundled: Path, tmp_path: Path) -> None:
    """Size of the picture and number of channels: all is brought to what it begins with."""
    base = films(BASE)
    one = made(base.path, tmp_path / "1.ts", f"{X264} keyint=50 -c:a ac3 -ac 2", "-t 4")
    grown = "-vf scale=640:360:flags=neighbor -af pan=5.1|FL=c0|FR=c1|FC=c0"
    two = made(base.path, tmp_path / "2.ts", f"{grown} {X264} keyint=50 -c:a ac3 -output_ts_offset 4", "-ss 4")
    (tmp_path / "list.txt").write_text(f"file '{one}'\nfile '{two}'\n")
    odd = made(tmp_path / "list.txt", tmp_path / "odd.ts", "-c copy", "-f concat -safe 0")
    facts = film_facts(odd)
    assert facts.changes
    assert (facts.size, facts.audio[0].channels) == ((320, 180), 2)
    assert_shown(odd, tmp_path, bundled)
    rendered = render_text(spec_text(replace(base, path=odd), ["shot: 0:03.5 - 0:05"]), tmp_path, bundled)
    assert rendered.pictures[0].shape == (180, 320)
    assert all(abs(rendered.sound[at : at + 4000]).max() > 0.05 for at in range(0, 70_000, 5_000))


JOINED = {"ts": f"{X264} keyint=50 -c:a aac -f mpegts", "vob": "-c:v mpeg2video -b:v 3M -g 12 -c:a ac3 -f vob"}


@pytest.mark.parametrize("suffix", JOINED)
def test_two_recordings_in_one_file(films: Films, bundled: Path, tmp_path: Path, suffix: str) -> None:
    """As `cat` joins them, or a disc's cells: the times start again, the film goes on."""
    base = films(BASE)
    cuts = ("-t 4", "-ss 4")
    parts = [made(base.path, tmp_path / f"{n}.{suffix}", JOINED[suffix], cut) for n, cut in enumerate(cuts)]
    odd = tmp_path / f"joined.{suffix}"
    odd.write_bytes(b"".join(part.read_bytes() for part in parts))
    facts = film_facts(odd)
    assert facts.joined
    assert (facts.rate, facts.duration) == (Fraction(25), Fraction(8))
    places = (0, 60, 95, 100, 130, 190)
    text = spec_text(replace(base, path=odd), [f"shot: {{in: {place / 25}s, for: 10f}}" for place in places])
    rendered = render_text(text, tmp_path, bundled)
    assert rendered.numbers == [place + k for place in places for k in range(10)]
    assert rendered.sound[: 48_000 * 2].any()
    shots = find_shots(odd, facts, lambda share: None).shots
    assert shots[-1].range.end.seconds == 8
    wanted = [Moment(FilmTime(Fraction(place, 25)), 0) for place in places]
    whole = [FilmShot(0, FilmRange(FilmTime(Fraction(0)), FilmTime(Fraction(8))), GradualCut.CUT)]
    assert len(list(key_pictures(odd, facts, whole, wanted, lambda share: None))) >= 3


def test_small_pictures_in_a_joined_program_stream(bundled: Path, tmp_path: Path) -> None:
    """Of several pictures in one packet of the stream only the first has a stamp. Libraries guess the others', and that
    of the last one before the joint as if more of its group were to follow: there the next recording's picture is."""
    odd = tmp_path / "joined.mpg"
    for pictures in (35, 47):
        part = tmp_path / f"{pictures}.mpg"
        sources = ["-f", "lavfi", "-i", "color=gray:s=64x36:r=25", "-f", "lavfi", "-i", "sine=r=48000"]
        options = ["-t", str(pictures / 25), "-c:v", "mpeg1video", "-q:v", "3", "-g", "12", "-bf", "2", "-c:a", "mp2"]
        subprocess.run([bundled, "-v", "error", *sources, *options, part], check=True)
        with odd.open("ab") as file:
            file.write(part.read_bytes())
    with open_film(odd, film_facts(odd)) as media:
        stamps = sorted(packet.pts for packet in media.demux(media.streams.video[0]) if packet.size)
    assert {after - stamp for stamp, after in pairwise(stamps)} == {90_000 // 25}
    assert len(stamps) == 35 + 47


MATRICES = {"hflip": (-1, 0, 0, 1), "vflip": (1, 0, 0, -1), "transpose": (0, 1, 1, 0), "anti": (0, -1, -1, 0)}


@pytest.mark.parametrize("name", MATRICES)
def test_mirrored_pictures(bundled: Path, tmp_path: Path, name: str) -> None:
    """The light quarter stands where FFmpeg, as players do, shows it."""
    import struct

    box = "drawbox=w=iw/2:h=ih/2:color=white:t=fill"
    command = [str(BUNDLED), "-v", "error", "-y", "-f", "lavfi", "-i", f"color=black:s=64x32:r=25:d=1,{box}"]
    subprocess.run([*command, "-c:v", "libx264", str(tmp_path / "plain.mp4")], check=True)
    data = bytearray((tmp_path / "plain.mp4").read_bytes())
    a, b, c, d = MATRICES[name]
    width, height = 64, 32
    x = width * (a < 0) + height * (c < 0)
    y = width * (b < 0) + height * (d < 0)
    at = data.find(b"tkhd") + 44
    one = 1 << 16
    data[at : at + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, x * one, y * one, 1 << 30)
    odd = tmp_path / "odd.mp4"
    odd.write_bytes(data)
    shown = made(odd, tmp_path / "shown.mkv", "-frames:v 1 -c:v ffv1")
    text = f"cinecut: 1\nfilm: {odd.name}\noutput: {{codec: ffv1}}\ntimeline:\n  - shot: {{in: 0s, for: 2f}}\n"
    rendered = render_text(text, tmp_path, bundled).pictures[0]
    from oracle import read_pictures

    assert (rendered > 128).tolist() == (next(iter(read_pictures(shown))) > 128).tolist()


@pytest.mark.parametrize("size", ["16x4000", "4000x16", "2x2", "320x180"])
def test_a_picture_of_any_shape_is_small_where_it_is_measured(tmp_path: Path, size: str) -> None:
    """However tall a film is, no picture of it takes more memory than one of 320x640 pixels."""
    film = tmp_path / "film.mkv"
    source = ["-f", "lavfi", "-i", f"color=red:s={size}:r=4:d=1"]
    subprocess.run([str(BUNDLED), "-v", "error", *source, "-c:v", "ffv1", str(film)], check=True)
    facts = film_facts(film)
    shot = FilmShot(0, FilmRange(FilmTime(Fraction(0)), FilmTime(Fraction(1))), GradualCut.CUT)
    (picture,) = key_pictures(film, facts, [shot], [Moment(FilmTime(Fraction(1, 2)), 0)], lambda _: None)
    assert picture.bgr.shape[1] <= 320
    assert picture.bgr.shape[0] <= 640
    assert facts.size == tuple(int(side) for side in size.split("x"))


@pytest.mark.parametrize("size", ["2x2", "4x2"])
def test_a_film_of_a_few_pixels_is_rendered_larger(bundled: Path, tmp_path: Path, size: str) -> None:
    film = tmp_path / "film.mkv"
    source = ["-f", "lavfi", "-i", f"color=red:s={size}:r=24:d=1"]
    subprocess.run([str(BUNDLED), "-v", "error", *source, "-c:v", "ffv1", str(film)], check=True)
    text = f"cinecut: 1\nfilm: {film.name}\ntimeline:\n  - shot: {{in: 0s, for: 2f}}\n  - {{card: A, for: 2f}}\n"
    pictures = render_text(text, tmp_path, bundled).pictures
    assert len(pictures) == 4
    assert min(pictures[0].shape) == 16


ASIDE = (
    "Director's Commentary", "Comentario del director", "Kommentar des Regisseurs", "Комментарии", "コメンタリー",
    "Hörfilmfassung", "Audiodeskrypcja", "Audiodescription", "Тифлокомментарий", "Isolated Score", "M&E",
    "Music and Effects", "Yönetmen yorumu", "Σχόλια", "導演講評", "komentārs", "bình luận", "DVS",
    "for the visually impaired", "Synstolkning", "Kuvailutulkkaus", "Sesli betimleme", "Аудиодескрипция",
    "Opis za slijepe", "תיאור שמע", "وصف صوتي",
)  # fmt: skip


@pytest.mark.parametrize(("suffix", "key"), [("mkv", "title"), ("mp4", "handler_name")])
def test_no_commentary_is_the_films_sound(bundled: Path, tmp_path: Path, suffix: str, key: str) -> None:
    """Most files say by a title alone what a sound is, in any language; the one without such a title is the film's."""
    titles = {f"-metadata:s:a:{n}": f"{key}={title}" for n, title in enumerate(ASIDE)}
    film = several_sounds(bundled, tmp_path / f"film.{suffix}", len(ASIDE) + 1, titles)
    assert film_facts(film).audio[0].stream == len(ASIDE) + 1


@pytest.mark.parametrize(("flags", "own"), [("0 0 0", 1), ("0 default 0", 2), ("dub 0 0", 2), ("dub dub original", 3)])
def test_which_of_several_sounds_is_the_films(bundled: Path, tmp_path: Path, flags: str, own: int) -> None:
    """The one that its container prefers, or else no translation."""
    options = {f"-disposition:a:{n}": flag for n, flag in enumerate(flags.split())}
    film = several_sounds(bundled, tmp_path / "film.mkv", len(options), options)
    assert (film_facts(film).audio[0].stream or 1) == own


def several_sounds(bundled: Path, film: Path, count: int, options: dict[str, str]) -> Path:
    """A film with so many sounds, none of them preferred, and further options of FFmpeg."""
    sources = ["-f", "lavfi", "-i", "color=gray:s=64x36:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1", "-map", "0:v"]
    streams = [part for n in range(count) for part in ("-map", "1:a", f"-disposition:a:{n}", "0")]
    more = [part for option in options.items() for part in option]
    codecs = ["-c:a", "aac" if film.suffix == ".mp4" else "pcm_s16le"]
    subprocess.run([bundled, "-v", "error", *sources, *streams, *more, *codecs, film], check=True)
    return film


def test_a_larger_picture_and_sound_begin_midway_a_little_early(films: Films, bundled: Path, tmp_path: Path) -> None:
    """As a receiver's parts may overlap: times are there twice, and the header knows nothing of the sound."""
    base = films(BASE)
    codec = "-c:v mpeg2video -q:v 3 -g 12"
    odd = tmp_path / "odd.ts"
    cuts = {"-t 4": "-an", "-ss 4": "-vf scale=640:360:flags=neighbor -c:a ac3 -output_ts_offset 3.96"}
    parts = (made(base.path, tmp_path / "part.ts", f"{codec} {options}", cut) for cut, options in cuts.items())
    odd.write_bytes(b"".join(part.read_bytes() for part in parts))
    text = spec_text(replace(base, path=odd), ["shot: {in: 3.8s, for: 10f}", "shot: {in: 6s, for: 10f}"])
    rendered = render_text(text, tmp_path, bundled)
    shown = [number for number in rendered.numbers if isinstance(number, int)]
    assert len(shown) == 20
    assert shown == sorted(set(shown))
    assert shown[10:] == [*range(shown[10], shown[10] + 10)]
    assert not rendered.sound[:4_000].any()
    assert rendered.sound[20_000:].any()


NEAR = [
    f"{suffix} {rate}"
    for suffix in ("mp4", "mkv")
    for rate in ("2997/100", "2997/125", "30000/1001", "24000/1001", "119/4")
]


@pytest.mark.parametrize("kind", mostly_slow(NEAR, ["mkv 2997/100", "mkv 30000/1001", "mp4 2997/125"]))
def test_a_rate_near_a_standard_one_is_constant_however_long_the_film(kind: str, tmp_path: Path) -> None:
    """After ten minutes stamps of 29.97 pictures a second lie a millisecond off those of 30000/1001."""
    suffix, rate = kind.split()
    film = tmp_path / f"film.{suffix}"
    source = ["-f", "lavfi", "-i", f"color=s=16x16:r={rate}:d=900"]
    subprocess.run([BUNDLED, "-v", "error", *source, "-c:v", "mpeg4", "-g", "300", film], check=True)
    facts = film_facts(film)
    assert (facts.rate, facts.variable) == (Fraction(rate), False)
