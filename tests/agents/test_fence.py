"""Every file that a spec can name is known: those that an edit names must lie inside the fence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compiling import read_text

from cinecut.language.schema import TRAILER, read_schema
from cinecut.render.check import files_of

SPEC = """
cinecut: 1
films: {one: one.mkv, two: ../two.mkv}
music: song.ogg
lut: look.cube
rating: {clip: rating.mov}
languages: {fr: french.yaml}
deliverables: [{kit: own.yml}, {name: web, kit: social}]
timeline:
  - still: logo.png
    for: 2s
    cue: cue.ogg
  - shot: {film: one, in: 0:16, for: 3s}
    voice: [{file: said.wav, at: 1s}]
    sound: [{file: bang.wav, at: 1s}]
    cue: stop
"""
NAMED = """one.mkv ../two.mkv song.ogg look.cube rating.mov french.yaml own.yml logo.png cue.ogg said.wav
bang.wav"""
PLACES = """cue cue.file effect.file film film.file languages lut lut.file music music.file picture picture.file
deliverable.kit rating.clip rating.clip.file voice.file"""


def test_every_file_that_a_spec_names_is_known(tmp_path: Path) -> None:
    spec = read_text(SPEC)
    assert set(files_of(spec, tmp_path)) == {tmp_path / name for name in NAMED.split()}


def test_the_schema_names_no_other_files() -> None:
    """A new key for a file needs its place in `files_of`."""
    assert set(_places(read_schema(TRAILER), "")) == set(PLACES.split())


def _places(part: Any, path: str) -> Iterator[str]:
    for key, inner in part.items() if isinstance(part, dict) else ():
        if key == "format" and inner == "file-name":
            yield path
        own = key in ("properties", "$defs", "additionalProperties")
        yield from _places(inner, path if own else f"{path}.{key}".strip("."))
