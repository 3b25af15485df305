"""The commands about models and this machine: models list, models pull, models repair, doctor."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cinecut.cli.parameters import FFmpegOption, JsonOption, argument, completing, flag
from cinecut.cli.terminal import print_json, print_table, remark, show, watch
from cinecut.diagnostics import Stop

app = typer.Typer()
models = typer.Typer(no_args_is_help=True, help="The models that analyze can use: list, pull, repair.")
app.add_typer(models, name="models")


@models.command("list")
def list_models(
    verify: Annotated[bool, flag("--verify", "Read every file and compare its checksum.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the models: whether they are installed and intact, where, their licences and sizes.

    Models are searched in CINECUT_MODELS_DIR, else in ~/models if it has any, else in the user's data folder.

    Example: cinecut models list --verify
    """
    from cinecut.inference.inventory import inventory
    from cinecut.inference.models import models_folder

    folder = models_folder()
    with _progress("models list") as progress:
        contents = inventory(folder, verify, progress)
    if as_json:
        rows = [{**asdict(held), "where": str(held.where) if held.where else None} for held in contents]
        print_json({"folder": str(folder), "models": rows})
    else:
        head = ["model", "file", "licence", "state", "size", "checksum", "where"]
        body = [[h.name, h.title, h.licence, h.state, _size(h.size), h.checksum, str(h.where or "")] for h in contents]
        print_table(head, body)
        _say_engine()
    raise typer.Exit(1 if any(held.state == "damaged" for held in contents) else 0)


@models.command()
def pull(
    names: Annotated[
        list[str] | None,
        argument(
            "[NAME]...",
            "llava, mistral or minilm. Default: those that are missing.",
            autocompletion=completing(("llava", "mistral", "minilm")),
        ),
    ] = None,
    force: Annotated[bool, flag("--force -f", "Replace damaged or different files of these names.")] = False,
) -> None:
    """Download models from their hub; no other command downloads them.

    Checksums are verified; an interrupted download continues where it stopped. LLaVA takes 4.7 GB, Mistral 4.4 GB,
    MiniLM 92 MB.

    Example: cinecut models pull llava
    """
    from cinecut.inference.download import pull as fetch
    from cinecut.inference.inventory import inventory
    from cinecut.inference.models import KNOWN, models_folder

    known = {model.name: model for model in KNOWN}
    if unknown := [name for name in names or () if name not in known]:
        raise Stop("option", f"no model is called {unknown[0]!r}", f"known: {', '.join(known)}")
    folder = models_folder()
    ready = set() if names else {held.name for held in inventory(folder) if held.ready}
    for name in dict.fromkeys(names or known):
        model = known[name]
        if name in ready:
            show(f"{name}: there already")
            continue
        with _progress(f"models pull {name}") as progress:
            fetched = fetch(model, folder, progress, force=force)
        show(f"{name}: {'fetched' if fetched else 'there already'}, {model.licence}, in {folder}")
        _mend_all([folder / file.name for file in model.files])
    if "minilm" in (names or known):
        _say_engine()


@models.command()
def repair(
    files: Annotated[list[Path] | None, argument("[MMPROJ]...", "Default: those in the models folder.")] = None,
) -> None:
    """Write a repaired copy of a LLaVA 1.5 projector that lacks its type, which servers now require.

    The copy is put beside the original and used instead of it; the original is not changed.

    Example: cinecut models repair
    """
    from cinecut.inference.gguf_files import mend
    from cinecut.inference.models import models_folder, projectors

    if files:
        for path in files:
            show(f"{path}: repaired copy {mend(path).name}")
    elif not _mend_all(projectors(models_folder())):
        print("nothing to repair")


def _say_engine() -> None:
    """What MiniLM lacks to run, if anything."""
    from cinecut.inference.models import WITH_TORCH, WITHOUT_TORCH, is_installed

    if not is_installed("sentence_transformers", "torch") and not is_installed("onnxruntime", "tokenizers"):
        remark(f"MiniLM has no engine here: {WITH_TORCH}; or {WITHOUT_TORCH}")


def _mend_all(paths: list[Path]) -> int:
    """Mend what needs it; how many did."""
    from cinecut.inference.gguf_files import mend, needs_mending

    broken = [path for path in paths if needs_mending(path)]
    for path in broken:
        show(f"{path}: did not say its type; repaired copy {mend(path).name}")
    return len(broken)


@app.command()
def doctor(ffmpeg: FFmpegOption = None, as_json: JsonOption = False) -> None:
    """Show what this machine can do, and how to install what is missing.

    The exit status is 1 only if something is missing without which no trailer can be made.

    Example: cinecut doctor
    """
    from cinecut.doctor import examine

    findings = examine(ffmpeg)
    if as_json:
        print_json({"findings": [asdict(each) for each in findings]})
    else:
        print_table(["what", "state", "found", "what to do"], [[e.what, e.state, e.found, e.remedy] for e in findings])
    raise typer.Exit(1 if any(each.state == "broken" for each in findings) else 0)


@contextlib.contextmanager
def _progress(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Progress in bytes."""
    with watch(title) as bar:
        yield lambda what, done, total: bar.stage(what, done, max(total, 1), None)


def _size(size: int) -> str:
    if not size:
        return ""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
