"""`cinecut doctor` says what a machine can do: quickly, with a remedy for each gap, and with the right status."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import av
import pytest
from commandline import cinecut

from cinecut.doctor import Condition, examine


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without models, without anything on PATH; the folder that is its PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("CINECUT_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("CINECUT_CACHE_DIR", str(tmp_path / "cache" / "not yet"))
    monkeypatch.delenv("CINECUT_FFMPEG", raising=False)
    monkeypatch.delenv("CINECUT_GPU_MEMORY_MIB", raising=False)
    return programs


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def found(what: str) -> Condition:
    (finding,) = [finding for finding in examine() if finding.what.startswith(what)]
    return finding


def test_a_bare_machine_can_make_trailers_and_every_gap_has_a_remedy(bare: Path) -> None:
    findings = examine()
    assert findings[0].what == "FFmpeg"
    assert all(finding.state != "broken" for finding in findings)
    assert all(finding.remedy for finding in findings if finding.state == "gap")
    assert found("GPU").state == "gap"
    assert "cinecut models pull llava" in found("model, describes").remedy


def test_no_ffmpeg_is_the_only_thing_that_breaks(bare: Path, tmp_path: Path) -> None:
    done = cinecut("doctor", "--json", "--ffmpeg", tmp_path / "none", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    findings = json.loads(done.stdout)["findings"]
    assert [finding["what"] for finding in findings if finding["state"] == "broken"] == ["FFmpeg"]
    assert findings[0]["remedy"]


def test_versions_that_do_not_fit_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("films").state == "ok"
    monkeypatch.setattr(av, "open", lambda file, mode="r": None)
    seen = found("films")
    assert (seen.state, "TypeError" in seen.found, bool(seen.remedy)) == ("broken", True, True)


def test_a_gpu_is_described_with_its_free_memory(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = 'case "$*" in *name*) echo "NVIDIA Test" ;; *) echo 8192 ;; esac'
    program(bare / "nvidia-smi", answer)
    assert found("GPU") == Condition("GPU", "ok", "NVIDIA Test, 8.0 GiB free")
    assert "h264_nvenc" in found("encoders").found
    program(bare / "nvidia-smi", answer.replace("8192", "1024"))
    assert (found("GPU").state, found("GPU").found) == ("gap", "NVIDIA Test, 1.0 GiB free")
    monkeypatch.setenv("CINECUT_GPU_MEMORY_MIB", "512")
    assert found("GPU").state == "ok"


def test_a_gpu_tool_that_fails_counts_as_no_gpu(bare: Path) -> None:
    program(bare / "nvidia-smi", "echo no devices were found; exit 6")
    assert found("GPU").state == "gap"


def test_a_server_on_the_path_is_taken(bare: Path) -> None:
    program(bare / "llama-server", "exit 0")
    assert found("model server") == Condition("model server", "ok", str(bare / "llama-server"))


def test_models_and_half_models_are_told_apart(bare: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "smol-instruct.gguf").write_bytes(b"GGUF")
    (folder / "llava-v1.5-7b-q4_k.gguf.part").write_bytes(b"GG")
    reads, sees = found("model, finds"), found("model, describes")
    assert (reads.state, reads.remedy) == ("gap", "cinecut models pull mistral")
    assert "no GGUF" in reads.found
    assert (sees.state, sees.remedy) == ("gap", "cinecut models pull llava")
    assert "in part" in sees.found
    (folder / "smol-instruct.gguf").write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, 0))
    assert found("model, finds").state == "ok"


def test_doctor_loads_no_model(tmp_path: Path) -> None:
    done = cinecut("doctor", cwd=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert done.stdout.startswith("what\tstate\tfound\twhat to do\nFFmpeg\tok\t")
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "cinecut" in loaded
    assert loaded.isdisjoint({"torch", "sentence_transformers", "onnxruntime", "xllamacpp", "gguf", "librosa"})
