"""The texts of a trailer's cards, read from its pictures where RapidOCR is installed (the extra `ocr`).

Its networks, PP-OCR's for finding and for reading lines, are files of the package `rapidocr` (Apache-2.0), run by
onnxruntime on the CPU. They are loaded only where there is a card to read.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from cinecut.language.facts import FilmFacts
from cinecut.language.timebase import FilmTime
from cinecut.media.frames import FrameReader, open_film
from cinecut.media.open import picture_stream
from cinecut.proof.conform.places.placing import Piece

_LOOKS = (Fraction(2, 5), Fraction(3, 5))  # of a card's length: its picture there must read the same
_SURE = 0.9  # confidence of a line from which on it is taken
_SAME_LINE = 0.5  # of a line's height by which the middles of its parts may lie apart
_LONGEST = 200  # signs of a card


def is_installed() -> bool:
    """Whether there is something that reads texts."""
    return all(importlib.util.find_spec(each) is not None for each in ("rapidocr", "onnxruntime"))


def read_cards(trailer: Path, facts: FilmFacts, cards: Sequence[Piece]) -> dict[Piece, str]:
    """The texts of those pieces of a trailer that can be read for certain."""
    if not cards or not is_installed():
        return {}
    from rapidocr import RapidOCR

    engine, read = RapidOCR(params={"Global.log_level": "critical"}), dict[Piece, str]()
    with open_film(trailer, facts) as media:
        reader = FrameReader(media, picture_stream(media, trailer), facts.start, rough=False)
        for card in sorted(cards, key=lambda piece: piece.start):
            moments = [(card.start + share * (card.end - card.start)) / facts.rate for share in _LOOKS]
            frames = [reader.at(FilmTime(moment)) for moment in moments]
            texts = {_text(engine, frame.to_ndarray(format="bgr24")) for frame in frames if frame is not None}
            if len(texts) == 1 and (text := texts.pop()):
                read[card] = text
    return read


def _text(engine: Any, picture: Any) -> str:
    """What is written in a picture, line by line; "" where that is not certain."""
    read = engine(picture, use_cls=False)
    if not read.txts or min(read.scores) < _SURE:
        return ""
    lines = list[tuple[float, list[tuple[float, str]]]]()  # the middle of each, and its parts from left to right
    for box, text in sorted(zip(read.boxes, read.txts, strict=True), key=lambda each: float(each[0][:, 1].mean())):
        middle, height = float(box[:, 1].mean()), float(box[:, 1].max() - box[:, 1].min())
        if not lines or middle - lines[-1][0] > _SAME_LINE * height:
            lines.append((middle, []))
        lines[-1][1].append((float(box[:, 0].min()), text))
    text = "\n".join(" ".join(part for _, part in sorted(parts)) for _, parts in lines)
    return text if len(text) <= _LONGEST else ""
