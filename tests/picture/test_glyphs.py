"""What the faces that come with cinecut have, and what is said of what they lack."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cinecut.diagnostics import Report, Span
from cinecut.fonts.glyphs import FACES, FOLDER, check_glyphs, load_face

HERE = Span("a.yaml", 3, 4, 3, 9)


def found(text: str, face: str = "Open Sans Semibold") -> list[str]:
    report = Report()
    check_glyphs([(text, HERE)], load_face(face), report)
    assert {(d.code, d.span) for d in report.found} <= {("title-glyphs", HERE)}
    return [d.message for d in report.found]


def test_every_font_file_has_a_name_and_a_licence() -> None:
    assert sorted(file.name for file in FOLDER.glob("*.ttf")) == sorted(FACES.values())
    notice = (FOLDER / "NOTICE.txt").read_text(encoding="utf-8")
    assert all(file in notice for file in FACES.values())
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 2_000_000


@pytest.mark.parametrize("face", FACES)
def test_every_face_writes_western_languages(face: str) -> None:
    text = "The quick brown fox — 1234567890 – “says”: ‘Ça, élève, Äpfel, år, ñandú, œ’! (it’s & co…) AVATAR?"
    assert not load_face(face).missing(text)


def test_the_faces_for_any_story_write_greek_and_cyrillic_too() -> None:
    for face in ("Open Sans Semibold", "Source Serif Pro", "Roboto Slab Bold", "Roboto Mono", "Manrope Light"):
        assert not load_face(face).missing("Ο δρόμος Έρχεται Привет Її Ўжо")
    assert load_face("League Gothic Regular").missing("Привет") == set("Привет")


@pytest.mark.matrix(6)
@pytest.mark.parametrize("face", FACES)
def test_a_width_is_the_width_that_is_drawn(face: str, ffmpeg: Path, tmp_path: Path) -> None:
    """The pen's way over eight signs, seen from where libass draws the ninth; hinting may round each to a pixel."""
    (tmp_path / "fonts").symlink_to(FOLDER)
    for sign in "Hne8":
        rows = [
            "[Script Info]\nPlayResX: 1600\nPlayResY: 200\nWrapStyle: 2\n[V4+ Styles]",
            "Format: Name, Fontname, Fontsize, PrimaryColour, BorderStyle, Outline, Shadow, Alignment",
            f"Style: a,{face},100,&H00FFFFFF,1,0,0,4\n[Events]\nFormat: Start, End, Style, Text",
            f"Dialogue: 0:00:00.00,0:00:00.05,a,{sign}",
            f"Dialogue: 0:00:00.05,0:00:00.10,a,{sign * 9}",
        ]
        (tmp_path / "a.ass").write_text("\n".join(rows) + "\n", encoding="utf-8")
        source = ["-f", "lavfi", "-i", "color=black:size=1600x200:rate=20:duration=0.1"]
        asked = ["-vf", "ass=a.ass:fontsdir=fonts", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
        done = subprocess.run(
            [str(ffmpeg), "-v", "error", *source, *asked], cwd=tmp_path, capture_output=True, check=True
        )
        pictures = np.frombuffer(done.stdout, np.uint8).reshape(2, 200, 1600)
        one, nine = (int(np.nonzero((picture > 100).any(axis=0))[0].max()) for picture in pictures)
        assert (nine - one) / 8 == pytest.approx(100 * load_face(face).advance(sign), rel=0.02, abs=0.6), sign


def test_what_is_never_seen_needs_no_glyph() -> None:
    assert not load_face("Open Sans Semibold").missing("A\u202eB\u202c\u200dC\ufe0f\n\t \u3000\x07")
    assert load_face("Open Sans Semibold").width("\u202e\u0301\ufe0f") == 0


def test_wide_signs_of_other_fonts_are_taken_for_wide() -> None:
    face = load_face("Open Sans Semibold")
    assert face.width("日本") == pytest.approx(2)
    assert 0.4 < face.width("م") < 0.8


def test_nothing_is_said_of_a_text_that_the_face_has() -> None:
    assert found("BIG BUCK BUNNY — A film for everybody…") == []


@pytest.mark.skipif(shutil.which("fc-list") is None, reason="no fontconfig on this machine")
@pytest.mark.parametrize("sign", ["日", "م", "ש", "\U0001f600", "म", "한", "Ꮳ", "\U00012000"])
def test_the_warning_tells_whether_this_machine_can_help(sign: str) -> None:
    """Judged by fontconfig's list of all fonts that have the sign, of which the warning must name one."""
    listed = subprocess.run(
        ["fc-list", f":charset={ord(sign):x}", "family"], capture_output=True, text=True, check=True
    ).stdout
    families = {family for row in listed.splitlines() for family in row.split(",")}
    [message] = found(f"ABC {sign}")
    assert f"{sign} (U+{ord(sign):04X})" in message
    if families:
        assert any(f"this machine's {family} will stand in" in message for family in families)
    else:
        assert "boxes are drawn" in message


def test_without_fontconfig_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    [message] = found("Ꮿ")
    assert "whether a font of this machine has is not known" in message
