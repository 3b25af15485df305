"""What is given to `analyze` is often odd or broken: it gives a usable spec, or one clear message and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from commandline import cinecut, names, needs_name
from effort import mostly_slow
from footage import HEIGHT, LINES, WIDTH, X264, Footage, Frames, encode, make_film, scene, song, srt, swelling

from cinecut.analysis.analyze import Analysis, analyze
from cinecut.analysis.request import Request
from cinecut.compiler.layout.timeline import PlacedShot, Timeline
from cinecut.diagnostics import Report, Stop
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.known.judge import chopped_lines
from cinecut.known.record import KnownLine
from cinecut.language.read import load_spec
from cinecut.media.probe import film_facts
from cinecut.render.check import check_spec, layout_of
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render
from cinecut.vibes import load_vibe
from cinecut.vibes import names as vibe_names


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, analyses: Path) -> Iterator[Footage]:
    """A good film of about a minute, whose analysis the tests of this file share."""
    folder = tmp_path_factory.mktemp("film")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_CACHE_DIR", str(analyses))
        yield make_film(folder / "film.mkv", 24)


def usable(
    film: Path,
    folder: Path,
    vibe: str = "thriller",
    length: Fraction | int | None = 12,
    subtitles: Path | None = None,
    music: Path | None = None,
) -> tuple[Analysis, Timeline]:
    """Analyze; the spec has no mistake, chops no line that was read, and no shot leaves a shot of the film."""
    target = folder / "spec.yaml"
    wanted = None if length is None else Fraction(length)
    request = Request(film, target, load_vibe(vibe), subtitles=subtitles, music=music, length=wanted)
    found = analyze(request, lambda stage, done: None)
    target.write_text(found.text, encoding="utf-8")
    assert list(check_spec(target)) == []
    report = Report()
    _, spec = load_spec(target, report)
    assert spec is not None
    layout = layout_of(spec, report)
    timeline = layout.timeline
    for placed in timeline.events:
        if isinstance(placed, PlacedShot):
            start = placed.film.start - placed.lead / timeline.rate
            end = placed.film.end + placed.lag / timeline.rate
            assert any(shot.range.start <= start and end <= shot.range.end for shot in found.shots if shot.usable)
    assert not list(chopped_lines(layout, [KnownLine(line.range, line.text) for line in found.dialogue.lines]))
    return found, timeline


def shots(*lengths: int) -> Frames:
    return np.concatenate([scene(seed, length) for seed, length in enumerate(lengths)])


def said(found: Analysis) -> str:
    return "\n".join(diagnostic.message for diagnostic in found.diagnostics)


# --- films ------------------------------------------------------------------------------------------------------------


@pytest.mark.matrix(2)
@pytest.mark.parametrize("vibe", vibe_names())
def test_a_film_of_three_seconds(vibe: str, film: Footage, tmp_path: Path) -> None:
    short = encode(tmp_path / "short.mkv", shots(40, 35), swelling(3))
    found, timeline = usable(short, tmp_path, vibe, None)
    assert timeline.shots
    assert found.seconds <= 8


def test_a_film_of_one_shot(film: Footage, tmp_path: Path) -> None:
    _, timeline = usable(encode(tmp_path / "one.mkv", shots(750), swelling(30)), tmp_path, "drama", None)
    assert len(timeline.shots) >= 2
    assert abs(timeline.frames / timeline.rate - 15) <= 3


@pytest.mark.parametrize("length", [5, 6, 7, 8, 60])
def test_a_trailer_that_is_longer_than_the_film_says_so(length: int, film: Footage, tmp_path: Path) -> None:
    """Also where it lacks less than a bar of what was asked for."""
    found, _ = usable(encode(tmp_path / "short.mkv", shots(60, 50, 70), swelling(7)), tmp_path, length=length)
    assert (f"has too little to show for {length} s" in said(found)) == (found.seconds < length - Fraction(1, 2))
    assert found.seconds <= min(9, length + 1)


def test_a_last_shot_of_a_beat_has_room_for_its_fade(film: Footage, tmp_path: Path) -> None:
    """It is cut short so that the trailer is as long as was asked for."""
    quick = encode(tmp_path / "q.mkv", shots(16, 16, 32, 32, 32, 31, 32, 32, 32, 32, 12), swelling(12))
    for eighths in range(20, 36):
        usable(quick, tmp_path, "drama", length=Fraction(eighths, 8))


def test_an_empty_film_is_refused(film: Footage, tmp_path: Path) -> None:
    black = encode(tmp_path / "black.mkv", np.zeros((250, HEIGHT, WIDTH, 3), np.uint8))
    for path, words in ((black, "all of it is black"), (encode(tmp_path / "still.mkv", shots(1)), "long enough")):
        with pytest.raises(Stop, match=words) as stopped:
            usable(path, tmp_path)
        assert stopped.value.diagnostics[0].code == "no-material"


def test_a_film_with_lettering_all_along_is_not_all_title(film: Footage, tmp_path: Path) -> None:
    lettered = tmp_path / "lettered.mkv"  # the clock of a test card
    source = "testsrc2=s=320x180:r=25:d=8"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        source,
        *X264.split(),
        str(lettered),
    ]
    subprocess.run(command, check=True)
    found, timeline = usable(lettered, tmp_path, length=4)
    assert "lettering in all that it shows" in said(found)
    assert timeline.shots


def test_a_film_without_sound_and_subtitles(film: Footage, tmp_path: Path) -> None:
    found, timeline = usable(encode(tmp_path / "mute.mkv", shots(*[50] * 8)), tmp_path, length=8)
    assert "has no subtitles" in said(found)
    assert len(timeline.shots) >= 4


def test_which_sound_is_heard_is_said_and_may_be_chosen(film: Footage, tmp_path: Path) -> None:
    """A commentary stands first in the file: it is not the film's sound, unless somebody wants it."""
    one = encode(tmp_path / "one.mkv", shots(60, 50, 70), swelling(7))
    two = tmp_path / "two.mkv"
    command = ["-i", str(one), "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", "-c:a:0", "flac"]
    command += [
        "-filter:a:0",
        "volume=0.001",
        "-metadata:s:a:0",
        "title=Commentary\x1b[2J",
        "-disposition:a:0",
        "comment",
    ]
    command += ["-disposition:a:1", "default", str(two)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *command], check=True)
    target = tmp_path / "spec.yaml"

    def analyzed(audio: int | None) -> Analysis:
        request = Request(two, target, load_vibe("drama"), length=Fraction(6), audio=audio)
        return analyze(request, lambda stage, done: None)

    own, other = analyzed(None), analyzed(2)
    assert (own.spec.main_film.audio, other.spec.main_film.audio) == (1, 2)
    remark = 'audio: 1   # mono: what the file marks as its own; 2 is mono "Commentary?[2J" (a commentary)'
    assert remark in own.text
    assert "audio: 2   # mono" in other.text
    assert "as asked for; 1 is mono" in other.text
    assert own.facts == other.facts
    with pytest.raises(Stop, match=r"--audio 3: .*two\.mkv has 2 sounds"):
        analyzed(3)


@pytest.mark.matrix
@pytest.mark.parametrize("signs", ["A\x1b[31mB \x07C", "\x9bA\x80B\x85C", "A\nB\tC", "A\u2028B\x7fC"])
@pytest.mark.parametrize("where", ["tag", "name"])
def test_a_title_is_shown_whatever_signs_are_in_it(where: str, signs: str, tmp_path: Path) -> None:
    """Control characters are in no title: a card that held one would be refused."""
    title = f"Night {signs} Harbour"
    tag = ("-metadata", f"title={title}") if where == "tag" else ()
    film = tmp_path / ("a.mkv" if where == "tag" else f"{title}.mkv")
    encode(tmp_path / "b.mkv", shots(40, 30, 50), swelling(5))
    command = ["-i", str(tmp_path / "b.mkv"), "-c", "copy", *tag, str(film)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *command], check=True)
    found, _ = usable(film, tmp_path, length=4)
    assert re.search(r'card: "?NIGHT A.*B C HARBOUR', found.text), found.text


def test_a_variable_frame_rate(film: Footage, tmp_path: Path) -> None:
    options = f"{X264} -vf settb=1/1000,setpts=N*40+mod(N*7\\,11) -fps_mode vfr -enc_time_base 1/1000"
    path = encode(tmp_path / "vfr.mkv", shots(*range(40, 80, 8)), swelling(12), options)
    assert film_facts(path).variable
    usable(path, tmp_path, length=5)


def test_bars_are_cropped_away(film: Footage, tmp_path: Path) -> None:
    boxed = make_film(tmp_path / "boxed.mkv", 6, bars=20, spoken=False)
    _, timeline = usable(boxed.path, tmp_path, length=8)
    assert "crop: {" in (tmp_path / "spec.yaml").read_text(encoding="utf-8")
    job = prepare(tmp_path / "spec.yaml")
    render(job, tmp_path / "trailer.mp4", find_ffmpeg(None), SILENT)
    facts = film_facts(tmp_path / "trailer.mp4")
    assert facts.size == (WIDTH, HEIGHT - 40)
    assert facts.frames == timeline.frames


# --- subtitles --------------------------------------------------------------------------------------------------------

CZECH = "Nevíš, co přichází, příteli můj. Nikdo z nás neuteče."
RUSSIAN = "Ты не знаешь, что нас ждёт, друг мой. Никто не уйдёт живым."


def _every_four_seconds(*texts: str) -> str:
    return srt(tuple((2 + 4.0 * n, 4 + 4.0 * n, text) for n, text in enumerate(texts)))


SUBTITLES: dict[str, tuple[bytes, str]] = {
    "cp1250": (_every_four_seconds(*[CZECH] * 8).encode("cp1250"), CZECH),
    "cp1251": (_every_four_seconds(*[RUSSIAN] * 8).encode("cp1251"), RUSSIAN),
    "utf-16": (_every_four_seconds(*LINES).encode("utf-16"), LINES[0]),
    "no last newline": (_every_four_seconds(*LINES).rstrip("\n").encode(), LINES[-1]),
    "before the film": (
        srt(((-5, -3, "Before it all."), (-1, 1, "Half in it."), (9, 11, LINES[0]))).encode(),
        LINES[0],
    ),
    "overlaps": (
        srt(tuple((5 + n / 2, 9 + n / 2, f"Line number {n} stands.") for n in range(70))).encode(),
        "Line number",
    ),
    "600 lines": (
        srt(tuple((n * 0.1, n * 0.1 + 1, f"Line {n} stands.") for n in range(600))).encode(),
        "Line",
    ),
}


# Encodings and damage of all kinds are read in `story/`.
@pytest.mark.parametrize("kind", mostly_slow(SUBTITLES, ("before the film", "overlaps", "600 lines")))
def test_odd_subtitles_are_read(kind: str, film: Footage, tmp_path: Path) -> None:
    data, text = SUBTITLES[kind]
    (tmp_path / "odd.srt").write_bytes(data)
    found, _ = usable(film.path, tmp_path, subtitles=tmp_path / "odd.srt")
    spoken = " ".join(line.text for line in found.dialogue.lines)
    assert text.split(". ")[0] in spoken
    assert all(0 <= line.range.start.seconds < line.range.end.seconds for line in found.dialogue.lines)


def test_another_films_subtitles_are_not_used(film: Footage, tmp_path: Path) -> None:
    lines = tuple((60.0 * n, 60.0 * n + 2, LINES[n % 12]) for n in range(90))
    (tmp_path / "other.srt").write_text(srt(lines), encoding="utf-8")
    found, _ = usable(film.path, tmp_path, subtitles=tmp_path / "other.srt")
    assert found.dialogue.lines == ()
    assert "belongs to another film, not used" in said(found)


# --- music ------------------------------------------------------------------------------------------------------------


def _noise(path: Path) -> Path:
    """Syllables of noise without a metre, as speech has them."""
    dice = np.random.default_rng(3)
    lengths = dice.integers(2000, 9000, 150)
    sound = np.concatenate([np.hanning(n) * dice.uniform(0.1, 1) * dice.standard_normal(n) for n in lengths])
    soundfile.write(path, 0.1 * sound, 22_050)
    return path


def _silence(path: Path) -> Path:
    soundfile.write(path, np.zeros(22_050 * 10), 22_050)
    return path


MUSIC: dict[str, tuple[Callable[[Path], Path], str]] = {
    "silence": (_silence, "is silent"),
    "speech": (_noise, "has no steady pulse"),
    "five seconds": (lambda path: song(path, np.arange(0.2, 5, 0.5)), "so short"),
    "waltz": (lambda path: song(path, np.arange(0.2, 25, 0.5), metre=3), ""),
    "changing": (
        lambda path: song(path, np.append(np.arange(0.2, 20, 0.6), np.arange(20.3, 60, 0.45))),
        "tempo changes",
    ),
    "too short": (lambda path: song(path, np.arange(0.2, 9, 0.5)), "before the trailer does"),
}


@pytest.mark.matrix(4)
@pytest.mark.parametrize("kind", MUSIC)
def test_odd_music_is_cut_to(kind: str, film: Footage, tmp_path: Path) -> None:
    make, words = MUSIC[kind]
    found, timeline = usable(film.path, tmp_path, length=14, music=make(tmp_path / "song.wav"))
    assert words in said(found)
    assert found.beats is not None
    assert timeline.grid is not None
    metre = timeline.grid.metre
    assert metre in {"waltz": (3,), "five seconds": (2, 4)}.get(
        kind, (4,)
    )  # two bars and a half tell fours not from twos
    assert abs(found.seconds - 14) <= metre * Fraction(60, 100)


# --- what is typed ----------------------------------------------------------------------------------------------------

TYPED: dict[str, tuple[list[str], str]] = {
    "a missing film": (["none.mkv"], "there is no file none.mkv"),
    "a folder": (["folder.mkv"], "is a folder"),
    "a text": (["text.mkv"], "no film that can be read"),
    "an empty file": (["empty.mkv"], "the file is empty"),
    "a name of other bytes": (["film\udcff.mkv"], "is not UTF-8"),
    "an option-like film": (["-film.mkv"], "No such option"),
    "too short": (["film.mkv", "--length", "1s"], "3 seconds to 10 minutes"),
    "too long": (["film.mkv", "--length", "2000s"], "3 seconds to 10 minutes"),
    "no length": (["film.mkv", "--length", "nonsense"], "--length cannot be 'nonsense'"),
    "no vibe": (["film.mkv", "--vibe", "thriler"], "did you mean thriller?"),
    "an empty vibe": (["film.mkv", "--vibe", ""], "there is no vibe ''"),
    "missing subtitles": (["film.mkv", "--subtitles", "none.srt"], "there is no file none.srt"),
    "a folder of subtitles": (["film.mkv", "--subtitles", "folder.mkv"], "is a folder, not a file"),
    "binary subtitles": (["film.mkv", "--subtitles", "noise.srt"], "no text subtitle"),
    "missing music": (["film.mkv", "--music", "none.ogg"], "there is no file none.ogg"),
    "text for music": (["film.mkv", "--music", "text.mkv"], "no song that can be read"),
}


@pytest.mark.parametrize("kind", TYPED)
def test_a_mistake_is_one_message_and_nothing_is_left(kind: str, film: Footage, tmp_path: Path) -> None:
    arguments, words = TYPED[kind]
    (tmp_path / "folder.mkv").mkdir()
    (tmp_path / "text.mkv").write_text("this is no film\n" * 50, encoding="utf-8")
    (tmp_path / "film\udcff.mkv").symlink_to(film.path)
    (tmp_path / "noise.srt").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "empty.mkv").touch()
    shutil.copy(film.path, tmp_path / "film.mkv")
    before = names(tmp_path)
    run = cinecut("analyze", *arguments, cwd=tmp_path)
    assert run.returncode in (1, 2), run.stderr
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stderr.count("error:") <= 1
    assert names(tmp_path) == before


@pytest.mark.matrix(2)
@pytest.mark.parametrize("name", ['it\'s "the" #1: film', "Žluťoučký 電影", "-dash", "new\nline [x] {y} %d $HOME"])
def test_any_name_of_a_film(name: str, film: Footage, tmp_path: Path) -> None:
    needs_name(name)
    shutil.copy(film.path, tmp_path / f"{name}.mkv")
    run = cinecut("analyze", "--length", "15", "--", f"{name}.mkv", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert names(tmp_path / "specs") == [f"{name}.html", f"{name}.yaml"]
    found = check_spec(tmp_path / "specs" / f"{name}.yaml")
    assert [finding for finding in found if finding.code != "title-glyphs"] == []  # of which the machine's fonts decide
