"""The dialogue of a film that has these subtitles beside it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from footage import dialogue_in

from cinecut.analysis.dialogue.lines import Dialogue, Line
from cinecut.diagnostics import Diagnostic

MINUTE = Fraction(60)
SAMPLES = {
    "pl": [
        "Nie wiem, co się stało z moją córką.",
        "Gdzie są wszyscy? Chodźmy już do domu.",
        "Książę żyje, bądź pewien.",
    ],
    "cs": ["Nevím, co se stalo s mou dcerou.", "Kde jsou všichni? Pojďme už domů.", "Řekl, že přijde až večer."],
    "hu": [
        "Nem tudom, mi történt a lányommal.",
        "Hol van mindenki? Menjünk már haza!",
        "Ő azt mondta, hogy később jön.",
    ],
    "ru": ["Я не знаю, что случилось с моей дочерью.", "Где все? Пойдём уже домой.", "Он сказал, что придёт вечером."],
    "de": [
        "Ich weiß nicht, was mit meiner Tochter passiert ist.",
        "Wo sind die anderen? Gehen wir nach Hause.",
        "Schön!",
    ],
    "fr": [
        "Je ne sais pas ce qui est arrivé à ma fille.",
        "Où sont-ils tous ? Rentrons à la maison.",
        "Ça va être long.",
    ],
}


def srt(*texts: str) -> str:
    """One cue of three seconds every four seconds for each text."""
    return "".join(f"{i + 1}\n{stamp(4 * i)} --> {stamp(4 * i + 3)}\n{text}\n\n" for i, text in enumerate(texts))


def stamp(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},000"


def read(folder: Path, data: bytes | str, name: str = "film.srt", duration: Fraction = 60 * MINUTE) -> Dialogue:
    """The dialogue of a film whose side-car subtitles hold `data`; nothing may be found wrong with them."""
    found, warnings = read_with_warnings(folder, data, name, duration)
    assert warnings == []
    return found


def read_with_warnings(
    folder: Path, data: bytes | str, name: str = "film.srt", duration: Fraction = 60 * MINUTE
) -> tuple[Dialogue, list[Diagnostic]]:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return dialogue_in(folder / "film.mkv", duration, Fraction(0), None, None)


def texts(found: Dialogue) -> list[str]:
    return [line.text for line in found.lines]


def span(line: Line) -> tuple[float, float]:
    return float(line.range.start.seconds), float(line.range.end.seconds)
