"""The rhythm of a trailer as a skeleton: its acts between black and cards, which analyze can draw a trailer from."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from cinecut.analysis.edit.blueprint import Plan, Want, draw
from cinecut.proof.conform.places.placing import Piece
from cinecut.proof.conform.template import template
from cinecut.vibes import load_vibe
from cinecut.vibes.skeleton import read_skeleton


def _pieces(*rows: tuple[str, int, int]) -> tuple[list[Piece], list[Piece]]:
    """Pieces by their kinds, lengths and places in a film of 10,000 frames; and those of them that are cards."""
    found, cards, at = list[Piece](), list[Piece](), 0
    for kind, length, place in rows:
        film = 0 if kind == "shot" else None
        found.append(Piece(at, at + length, film, Fraction(place), black=kind == "black"))
        cards += [found[-1]] if kind == "card" else []
        at += length
    return found, cards


def test_a_trailer_of_acts(tmp_path: Path) -> None:
    calm = [("shot", 96, 500 + 100 * n) for n in range(5)]
    middle = [("shot", 48, 5000 + 100 * n) for n in range(10)]
    montage = [("shot", length, 9000 + 10 * n) for n, length in enumerate((36, 36, 30, 30, 24, 18, 12, 12, 12, 12))]
    pieces, cards = _pieces(
        *calm, ("black", 24, 0), *middle, ("card", 48, 0), *montage, ("black", 12, 0),
        ("card", 72, 0), ("shot", 48, 700), ("card", 48, 0), ("black", 48, 0),
    )  # fmt: skip
    file = tmp_path / "rhythm.yaml"
    file.write_text(template('An "old" trailer', pieces, cards, [10_000]), encoding="utf-8")
    skeleton = read_skeleton(file)
    assert [(part.act, part.kind, part.text) for part in skeleton.parts] == [
        ("act 1", "shots", ""),
        ("act 2", "black", ""),
        ("act 2", "shots", ""),
        ("act 3", "card", "tagline"),
        ("act 3", "shots", ""),
        ("title card", "black", ""),
        ("title card", "card", "title"),
        ("button", "shots", ""),
        ("title card", "card", "release"),
    ]
    shots = [part for part in skeleton.parts if part.kind == "shots"]
    assert [(part.shape, part.pace, part.zones[0]) for part in shots] == [
        ("even", 0, "begin"),
        ("even", 1, "escalation"),
        ("quickening", 2, "climax"),
        ("one", 1, "begin"),
    ]
    assert float(skeleton.order) > 0.8
    texts = {"title": "A Film", "tagline": "Soon.", "release": "In May"}
    slots = draw(Plan(skeleton, load_vibe("drama"), Fraction(60), Fraction(120), 4, False, texts))
    assert {slot.act for slot in slots} >= {"act 1", "act 2", "act 3", "title card"}
    assert any(slot.want is Want.CARD and "A Film" in slot.text for slot in slots)


def test_a_trailer_without_black_or_cards_has_three_acts(tmp_path: Path) -> None:
    pieces, cards = _pieces(("shot", 50, 100), ("shot", 50, 5000), ("black", 2, 0), ("shot", 50, 200))
    file = tmp_path / "rhythm.yaml"
    file.write_text(template("a", pieces, cards, [10_000]), encoding="utf-8")
    assert [part.act for part in read_skeleton(file).parts] == ["act 1", "act 2", "act 3"]
