"""Films looked at by the workers of a Dask scheduler, a task each; they see the films and the catalogue where we do.

A worker writes its results itself, so what is done is done, whatever becomes of the worker. A film whose worker dies is
looked at by another, from the stages on that are kept.

Where workers are tagged with a resource GPU (`dask worker --resources GPU=1`) and models are wanted, films go to those,
so many at a time as each has GPUs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinecut.catalogue.store import Catalogue, CatalogueEntry
from cinecut.catalogue.task import Asked, look_into

if TYPE_CHECKING:
    from distributed import Client

_RETRIES = 2  # of a task that failed by itself; a worker that died is the scheduler's matter, which tries three more


class Cluster:
    """Analyses films for a catalogue."""

    def __init__(self, client: Client, folder: Path, asked: Asked) -> None:
        self._client, self._folder, self._asked = client, folder.absolute(), asked

    def each(self, films: Sequence[Path]) -> Iterator[CatalogueEntry]:
        """The entry of each film as it is done. If workers die at a film, its entry says so."""
        distributed: Any = import_module("distributed")
        resources = self.resources()
        futures = {self._submitted(film, resources): film for film in films}
        for future, entry in distributed.as_completed(
            list(futures), loop=self._client.loop, with_results=True, raise_errors=False
        ):
            film = futures.pop(future)
            if future.status != "finished":
                reason = str(future.exception()).partition("\n")[0] or type(future.exception()).__name__
                yield CatalogueEntry(str(film), failed=f"the cluster gave it up: {reason[:300]}")
            elif not entry.failed and not Catalogue(self._folder).has(entry.fingerprint, entry.key):
                yield CatalogueEntry(
                    str(film), failed="its worker wrote elsewhere: the catalogue must be on storage that all share"
                )
            else:
                yield entry
            del future  # its result may go

    def resources(self) -> dict[str, int] | None:
        """A worker's resources that a film takes; None if no worker is tagged, or no model is used."""
        if self._asked.no_models:
            return None
        listing: Any = self._client.scheduler_info
        every = {"n_workers": -1} if "n_workers" in signature(listing).parameters else {}  # else it lists but a few
        workers = listing(**every)["workers"].values()
        return {"GPU": 1} if any("GPU" in worker["resources"] for worker in workers) else None

    def _submitted(self, film: Path, resources: dict[str, int] | None) -> Any:
        name = hashlib.sha256(str(film).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        task = str(film), str(self._folder), self._asked
        return self._client.submit(_look, *task, key=f"look-{name}", pure=False, retries=_RETRIES, resources=resources)


def _look(film: str, folder: str, asked: Asked) -> CatalogueEntry:
    """The task that a worker runs."""
    with without_profile():
        return look_into(Path(film), Path(folder), asked, lambda stage, share: None)


@contextmanager
def without_profile() -> Iterator[None]:
    """Switch off Dask's profiler of this worker, which samples its threads a hundred times a second."""
    distributed: Any = import_module("distributed")
    worker = distributed.get_worker()
    profile = worker.periodic_callbacks.get("profile")
    if profile is None or not profile.is_running():
        yield
        return
    worker.loop.add_callback(profile.stop)
    try:
        yield
    finally:
        worker.loop.add_callback(profile.start)
