"""What this machine can do for a trailer, and how to fix what is missing. No model is loaded and no server started. One
second of film is encoded and opened, since only that proves that FFmpeg, PyAV and cinecut fit together."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from cinecut.diagnostics import Stop
from cinecut.ffmpeg.builds import FFmpeg, find_ffmpeg
from cinecut.files import cache_folder, free_bytes, temporary_folder
from cinecut.inference.inventory import NEEDS_REPAIR, inventory
from cinecut.inference.models import WITH_TORCH, WITHOUT_TORCH, is_installed, models_folder
from cinecut.inference.server import find_server
from cinecut.machine.gpu import free_memory, least_memory, lock_path

State = Literal["ok", "gap", "broken"]  # gap: only the named feature is missing; broken: cinecut cannot work

_MODELS_EXTRA = "python -m pip install 'cinecut[models]'"
_ENCODERS = {  # besides libx264, which every usable build has
    "libx265": "H.265",
    "libsvtav1": "AV1",
    "prores_ks": "ProRes",
    "h264_nvenc": "H.264 on an NVIDIA GPU",
}
_LEAST_DISK = 2 << 30  # bytes that an analysis and a render of a long film may need


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of one part of the machine, and what to do if something is missing."""

    what: str
    state: State
    found: str
    remedy: str = ""


def examine(ffmpeg: str | None = None) -> list[Condition]:
    """Everything that cinecut uses; what it cannot work without comes first."""
    return [
        *_ffmpeg(ffmpeg),
        _server(),
        *_models(),
        _sentences(),
        _speech(),
        _gpu(),
        _memory(),
        _lock(),
        _disk("disk, caches", cache_folder()),
        _disk("disk, models", models_folder()),
    ]


def _ffmpeg(choice: str | None) -> Iterator[Condition]:
    try:
        ffmpeg = find_ffmpeg(choice)
    except Stop as stop:
        reason = stop.diagnostics[0]
        yield Condition("FFmpeg", "broken", reason.message, "; ".join(reason.hints))
        return
    yield Condition("FFmpeg", "ok", f"{_version(ffmpeg.path)}, {ffmpeg.path}")
    yield _encoders(ffmpeg, shutil.which("nvidia-smi") is not None)
    yield _films(ffmpeg)


def _encoders(ffmpeg: FFmpeg, nvidia: bool) -> Condition:
    wanted = {name: what for name, what in _ENCODERS.items() if nvidia or not name.endswith("_nvenc")}
    present = ["libx264", *(name for name in wanted if name in ffmpeg.encoders)]
    missing = [f"{what} ({name})" for name, what in wanted.items() if name not in ffmpeg.encoders]
    remedy = f"without {', '.join(missing)}; another FFmpeg: --ffmpeg PATH"
    return _ok_or_gap("encoders", not missing, ", ".join(present), remedy)


def _ok_or_gap(what: str, ok: bool, found: str, remedy: str) -> Condition:
    return Condition(what, "ok", found) if ok else Condition(what, "gap", found, remedy)


def _films(ffmpeg: FFmpeg) -> Condition:
    """Whether a film that FFmpeg has just made can be opened and its sound decoded."""
    with temporary_folder() as folder:
        film = folder / "film.mkv"
        picture, sound = ["-f", "lavfi", "-i", "testsrc=d=1:r=24"], ["-f", "lavfi", "-i", "sine=d=1"]
        codecs = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-c:a", "aac", "-metadata", "title=a film"]
        _output([ffmpeg.path, "-v", "error", *picture, *sound, *codecs, str(film)])
        try:
            import av

            from cinecut.analysis.song.onsets import listen
            from cinecut.media.probe import film_facts

            rate = film_facts(film).rate
            listen(film)
        except Exception as failure:  # mismatched versions fail in many ways
            reason = " ".join(f"{type(failure).__name__}: {failure}".split())
            remedy = "python -m pip install --upgrade cinecut brings packages that fit"
            return Condition("films", "broken", f"a film that FFmpeg made cannot be opened: {reason}", remedy)
    return Condition("films", "ok" if rate == 24 else "broken", f"PyAV {av.__version__} opens what FFmpeg makes")


def _version(path: str) -> str:
    words = _output([path, "-version"]).split()[:3]
    return words[2] if words[:2] == ["ffmpeg", "version"] else "of an unknown version"


def _server() -> Condition:
    command = find_server()
    if command is None:
        remedy = f"llama.cpp's llama-server on PATH, or {_MODELS_EXTRA}; without it no model describes or reads"
        return Condition("model server", "gap", "none", remedy)
    packaged = command[-1].endswith("llama_server.py")
    return Condition("model server", "ok", "the packaged llama.cpp (xllamacpp)" if packaged else command[0])


def _models() -> Iterator[Condition]:
    for held in inventory(models_folder()):
        what = f"model, {held.purpose}"
        if held.ready:
            yield Condition(what, "ok", f"{held.title}, in {held.where}")
        elif held.state.endswith(NEEDS_REPAIR):
            yield Condition(what, "gap", held.state, "cinecut models repair")
        else:
            yield Condition(what, "gap", f"{held.title}: {held.state}", f"cinecut models pull {held.known}")


def _sentences() -> Condition:
    if is_installed("sentence_transformers", "torch"):
        return Condition("MiniLM's engine", "ok", f"sentence-transformers on torch {metadata.version('torch')}")
    if is_installed("onnxruntime", "tokenizers"):
        return Condition("MiniLM's engine", "ok", f"onnxruntime {metadata.version('onnxruntime')}")
    return Condition("MiniLM's engine", "gap", "neither torch nor onnxruntime", f"{WITH_TORCH}; or {WITHOUT_TORCH}")


def _speech() -> Condition:
    if is_installed("faster_whisper"):
        return Condition("Whisper's engine", "ok", f"faster-whisper {metadata.version('faster-whisper')}")
    remedy = "python -m pip install 'cinecut[speech]'; without it a film without subtitles has no words"
    return Condition("Whisper's engine", "gap", "none", remedy)


def _gpu() -> Condition:
    free = _unless_stopped(free_memory)
    if free is None:
        return Condition("GPU", "gap", "no NVIDIA GPU", "models run on the processor, many times slower")
    least = _unless_stopped(least_memory) or 0
    name = _output(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]).partition("\n")[0].strip()
    remedy = f"models want {least / 1024:.1f} GiB: end what else uses the GPU"
    return _ok_or_gap("GPU", free >= least, f"{name or 'NVIDIA'}, {free / 1024:.1f} GiB free", remedy)


def _unless_stopped(question: Callable[[], int | None]) -> int | None:
    try:
        return question()
    except Stop:
        return None


def _memory(least: int = 8 << 30) -> Condition:
    """A model of 7 billion weights on the processor takes about 6 GB, besides the analysis itself."""
    try:
        rows = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(row.split()[1]) * 1024 for row in rows if row.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return Condition("memory", "ok", "this system does not tell")
    remedy = "a 7B model on the processor wants about 8 GiB; on a GPU, less"
    return _ok_or_gap("memory", free >= least, f"{free / 2**30:.1f} GiB free", remedy)


def _lock() -> Condition:
    try:
        return Condition("lock", "ok", f"one render at a time: {lock_path()}")
    except Stop as stop:
        return Condition("lock", "broken", stop.diagnostics[0].message, "; ".join(stop.diagnostics[0].hints))


def _disk(what: str, folder: Path) -> Condition:
    free = free_bytes(folder)
    found = f"{free / 2**30:.1f} GiB free in {folder}"
    return _ok_or_gap(what, free >= _LEAST_DISK, found, "make room: a full disk ends a render")


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")
