"""A file against its spec: clean ones have no findings, however encoded; what is wrong is named, at its place.
`python -m bench proof` plants forty faults; here are those of a handful of files."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from commandline import cinecut
from footage import make_film, song
from numpy.typing import NDArray
from oracle import BUNDLED

from cinecut.compiler.layout.soundtrack import Soundtrack
from cinecut.diagnostics import CODES
from cinecut.ffmpeg.builds import find_ffmpeg
from cinecut.proof.verify.findings import Events
from cinecut.proof.verify.judging import Verified, verify
from cinecut.proof.verify.picture.alignment import align
from cinecut.proof.verify.picture.flashes import flashing
from cinecut.proof.verify.picture.framing import Coding, recoded
from cinecut.proof.verify.picture.strip import Thumbnails
from cinecut.proof.verify.sound.listening import RATE, FileSound
from cinecut.proof.verify.sound.sides import exchanged, uneven
from cinecut.proof.verify.sound.stems import SoundPair
from cinecut.render.job import SILENT, prepare
from cinecut.render.trailer import render

SPEC = """cinecut: 1
film: film.mp4
vibe: {base: thriller, loudness: -16}
music: {file: song.wav, beats: {tempo: 120, first: 0}}
output: {size: 256x144, preset: ultrafast, title: A trailer}
timeline:
  - shot: {in: SHOT4, for: 25f}
  - shot: {in: SHOT3, for: 25f}
    titles: [Now or never]
  - black: 25f
  - shot: {in: SHOT2, for: 25f}
  - shot: {in: SHOT1, for: 30f}
    from: crossfade 10f
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A film, a song, a spec and its clean render."""
    folder = tmp_path_factory.mktemp("verify")
    film, text = make_film(folder / "film.mp4", count=6, spoken=False), SPEC
    for number in range(1, 5):  # the later ones move faster
        text = text.replace(f"SHOT{number}", f"{film.edges[number] / 25 + 0.24:.2f}s")
    song(folder / "song.wav", np.arange(0, 9, 0.5))
    (folder / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINECUT_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("CINECUT_CACHE_DIR", str(folder / "cache"))
        patch.setenv("CINECUT_STORE_GB", "1")  # what each file is compared with is made once
        rendered(folder, "a.yaml", "clean.mp4")
        yield folder


def rendered(folder: Path, spec_name: str, name: str) -> Path:
    spec = folder / spec_name
    render(prepare(spec), folder / name, find_ffmpeg(), SILENT, force=True)
    return folder / name


def encoded(folder: Path, name: str, *arguments: str) -> Path:
    source = ["-i", str(folder / "clean.mp4")]
    subprocess.run([BUNDLED, "-v", "error", "-y", *source, *arguments, str(folder / name)], check=True)
    return folder / name


def judged(folder: Path, file: Path) -> Verified:
    return verify(prepare(folder / "a.yaml"), file, find_ffmpeg(), lambda holder: None)


def findings(found: Verified) -> dict[str, tuple[int, str]]:
    """Of each code the first finding: its frame, and its event."""
    return {each.code: (each.start, each.event) for each in reversed(found.findings)}


def test_the_render_itself_and_the_same_encoded_again(folder: Path) -> None:
    assert findings(judged(folder, folder / "clean.mp4")) == {}
    again = encoded(
        folder, "again.mkv", "-r", "30", "-vf", "scale=128:72", "-crf", "26", "-c:a", "libopus", "-b:a", "96k"
    )
    found = judged(folder, again)
    assert findings(found) == {}
    assert found.file.frames != found.reference.frames
    assert found.beats is not None
    assert found.beats[1] < 0.03


@pytest.mark.parametrize(
    "arguments",
    [
        ("-vf", "scale=out_range=full,pad=256:192:0:24", "-color_range", "pc", "-ac", "1", "-c:a", "flac"),
        pytest.param(("-r", "12.5", "-crf", "20", "-c:a", "copy"), marks=pytest.mark.slow),
        ("-vf", "scale=480:270,telecine", "-r", "125/4", "-crf", "20", "-c:a", "aac", "-b:a", "96k"),
    ],
    ids=["bars, full range, one channel", "half the rate", "fields of two pictures"],
)
def test_what_a_site_makes_of_it_is_no_fault(folder: Path, arguments: tuple[str, ...]) -> None:
    assert findings(judged(folder, encoded(folder, "site.mkv", *arguments))) == {}


def test_other_words(folder: Path) -> None:
    text = (folder / "a.yaml").read_text(encoding="utf-8").replace("Now or never", "Never or now")
    (folder / "words.yaml").write_text(text, encoding="utf-8")
    assert findings(judged(folder, rendered(folder, "words.yaml", "words.mp4"))) == {"title-wrong": (25, "shot 2")}


def test_what_another_cut_has(folder: Path) -> None:
    text = (folder / "a.yaml").read_text(encoding="utf-8").replace("    titles: [Now or never]\n", "")
    [first, third] = re.findall(r"in: ([\d.]+)s", text)[0:3:2]
    text = text.replace(f"in: {first}s", f"in: {float(first) + 0.04:.2f}s")
    text = text.replace(f"in: {third}s, for: 25f}}", f"in: {third}s, for: 25f}}\n    grade: {{exposure: 0.7}}")
    (folder / "cut.yaml").write_text(text, encoding="utf-8")
    found = findings(judged(folder, rendered(folder, "cut.yaml", "cut.mp4")))
    expected = {"shifted-shot": (0, "shot 1"), "title-missing": (25, "shot 2"), "wrong-look": (75, "shot 4")}
    assert expected.items() <= found.items()
    assert not set(found) & {"wrong-picture", "swapped-shot", "file-length", "loudness", "black-frame"}


def test_what_an_editing_program_does(folder: Path) -> None:
    pictures = (
        "drawbox=t=fill:c=black:enable='eq(n,40)',split[a][b];[b]hflip[c];[a][c]overlay=enable='between(n,75,99)'"
    )
    graph = ["-filter_complex", f"[0:v]{pictures}[v]", "-map", "[v]", "-map", "0:a"]
    sound = ["-af", "adelay=22:all=1,volume=-1.5dB", "-crf", "14", "-map_metadata", "-1", "-t", "4.8"]
    found = judged(folder, encoded(folder, "edit.mp4", *graph, *sound))
    named = findings(found)
    assert {
        "black-frame": (40, "shot 2"),
        "flipped": (75, "shot 4"),
        "file-length": (120, "shot 5"),
    }.items() <= named.items()
    assert {"sound-late", "loudness", "file-tags"} <= set(named)
    late = next(each.message for each in found.findings if each.code == "sound-late")
    assert "22 ms too late" in late
    assert not set(named) & {"wrong-picture", "shifted-shot", "title-missing", "line-missing", "wrong-look"}


def test_the_command(folder: Path, tmp_path: Path) -> None:
    """Its status, its forms, and a page that holds what it shows and no markup of others."""
    file = encoded(
        folder, "<b>.mp4", "-vf", "drawbox=t=fill:c=white:enable='between(n,30,33)'", "-crf", "14", "-c:a", "copy"
    )
    done = cinecut("verify", str(folder / "a.yaml"), str(file), "--json", "--page", "look.html", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    [one] = json.loads(done.stdout)["diagnostics"]
    assert one["code"] == "stray-frame"
    assert one["trailer"] == {"start": 30, "end": 34, "at": "0:01.200", "event": "shot 2"}
    assert one["place"]["line"] == 8
    page = (tmp_path / "look.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 2
    assert "&lt;b&gt;.mp4" in page
    assert "<b>.mp4" not in page
    sarif = cinecut("verify", str(folder / "a.yaml"), str(file), "--format", "sarif", cwd=tmp_path)
    assert json.loads(sarif.stdout)["runs"][0]["results"][0]["ruleId"] == "stray-frame"
    assert cinecut("verify", str(folder / "a.yaml"), str(folder / "clean.mp4"), cwd=tmp_path).returncode == 0


def test_what_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    for file, code in (
        ("no.mp4", "unreadable"),
        ("nowhere.mp4", "missing-file"),
        (str(folder / "song.wav"), "no-video"),
    ):
        done = cinecut("verify", str(folder / "a.yaml"), file, cwd=tmp_path)
        assert (done.returncode, f"[{code}]" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize(("every", "harm"), [(2, True), (3, True), (12, False), (100, False)])
def test_flashes(every: int, harm: bool) -> None:
    """Between black and white every so many frames of 25 a second: more than three pairs within a second harm."""
    dark = np.arange(75) // every % 2 == 0
    luma = np.where(dark, 16, 235).astype(np.uint8)[:, None, None] * np.ones((90, 160), np.uint8)
    assert bool(flashing(luma, tuple(Fraction(n, 25) for n in range(75)))) is harm
    luma[:, :, 30:] = 16  # less than a quarter of the screen
    assert flashing(luma, tuple(Fraction(n, 25) for n in range(75))) == []


def _moving(*parts: int) -> NDArray[np.uint8]:
    """Pictures [n, 90, 160] of a texture that moves by four pixels a frame, or flat ones of a level above 0."""
    texture = cv2.GaussianBlur(np.random.default_rng(1).random((90, 800), np.float32), (0, 0), 3)
    texture = 40 + 160 * (texture - texture.min()) / np.ptp(texture)
    rolled = [np.roll(texture, 4 * number, 1)[:, :160] if not level else np.full((90, 160), level)
              for number, level in enumerate(parts)]  # fmt: skip
    return np.stack(rolled).astype(np.uint8)


@pytest.mark.parametrize(
    ("pictures", "rate", "behind"),
    [
        (_moving(*[0] * 100), 50, [5] * 24),
        (_moving(*[0] * 20, *range(16, 236, 20), *[0] * 29), 24, [0] * 10 + [1] * 5 + [0] * 15),
    ],
    ids=["pictures that stay long come late", "a fade over one colour"],
)
def test_which_picture_is_shown_at_another_rate(pictures: NDArray[np.uint8], rate: int, behind: list[int]) -> None:
    shown = np.maximum(np.arange(len(behind)) * rate // 12 - behind, 0)
    file, reference = (
        Thumbnails(luma, np.zeros((len(luma), 2, 45, 80), np.uint8), tuple(Fraction(n, at) for n in range(len(luma))))
        for luma, at in ((pictures[shown], 12), (pictures, rate))
    )
    found = align(file, reference, Fraction(rate))
    assert not found.offset[2:].any()
    assert list(found.shown[2:]) == list(shown[2:])


def test_another_matrix_is_brought_to_the_trailers() -> None:
    """Red, green and blue stay what they were, whichever matrix they are coded by."""
    dice = np.random.default_rng(0)
    colors = np.asarray(dice.uniform(0.2, 0.8, (3, 6, 6)))

    def coded(red: float, blue: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        luma = red * colors[0] + (1 - red - blue) * colors[1] + blue * colors[2]
        chroma = [(colors[2] - luma) / (2 - 2 * blue), (colors[0] - luma) / (2 - 2 * red)]
        return (
            np.kron((16.5 + 219 * luma).astype(np.uint8), np.ones((2, 2), np.uint8))[None],
            np.stack([(128.5 + 224 * each).astype(np.uint8) for each in chroma])[None],
        )

    wanted, found = coded(0.2126, 0.0722), recoded(*coded(0.299, 0.114), Coding(matrix="bt470bg"), "bt709")
    for one, other in zip(wanted, found, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 2
    assert np.abs(wanted[0].astype(int) - coded(0.299, 0.114)[0]).max() > 5
    unknown = coded(0.299, 0.114)
    assert all(map(np.array_equal, recoded(*unknown, Coding(), "bt709"), unknown))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1, 0], [0, 1]], ""),
        ([[0, 1], [1, 0]], "left and right are exchanged"),
        ([[1, 0], [0, -1]], "the right side is turned over"),
        ([[1, 0], [0, 0.5]], "the right side is 6 dB too soft"),
        ([[0.5, 0.5], [0.5, 0.5]], "both sides are the same"),
    ],
)
def test_sides(rows: list[list[float]], words: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 24_000))
    mix = np.asarray(noise + noise.mean(0), np.float32)
    heard = np.asarray(np.array(rows) @ mix, np.float32)
    said = exchanged(heard, mix) or uneven(mix, heard)
    assert said.startswith(words)
    assert bool(said) == bool(words)


@pytest.mark.parametrize(
    ("kept", "noise", "decibels"),
    [(0.8, 0.6, 0.0), (0.7, 0.0, -3.1), (0.7, 0.3, -2.35), (1.4, 0.0, 2.9)],
    ids=["noise for what was taken away", "softer", "softer, with some noise", "louder"],
)
def test_how_loud_a_mix_without_a_goal_is(kept: float, noise: float, decibels: float) -> None:
    mix, other = np.random.default_rng(2).standard_normal((2, 2, 4 * RATE)).astype(np.float32) / 10
    heard = FileSound((kept * mix + noise * other).astype(np.float32), "opus", 2, 0.0, 0)
    pair = SoundPair(heard, {"film": mix}, cast(Soundtrack, None), cast(Events, None), None)
    assert pair.level() == pytest.approx(decibels, abs=0.15)


def test_every_code_of_a_finding_is_known() -> None:
    """A finding with a code that no table has could not be printed."""
    sources = (Path(__file__).parents[2] / "cinecut" / "proof" / "verify").rglob("*.py")
    used = {code for file in sources for code in re.findall(r'"([a-z]+-[a-z]+)"', file.read_text(encoding="utf-8"))}
    assert {code for code in used if not code.startswith(("no-", "cinecut-"))} <= set(CODES)
