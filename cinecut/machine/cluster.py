"""Workers in other processes and on other machines, by Dask: an existing scheduler, or one on this machine.

Whoever reaches a scheduler has its workers do anything: it belongs on a network of one's own. A local one listens on
this machine only.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cinecut.diagnostics import Stop, excerpt

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
_PATIENCE = 20  # seconds that a scheduler may take to answer


@dataclass(frozen=True, slots=True)
class Where:
    """The scheduler: `local`, or an address such as tcp://host:8786. For a local one the number of `workers` and the
    `memory` of each (4GB)."""

    scheduler: str
    workers: int | None = None
    memory: str | None = None


@contextmanager
def client_of(where: Where, say: Callable[[str], None]) -> Iterator[Client]:
    """A scheduler's client; `say` is called with the dashboard's address. Raises Stop("option") without Dask, or if
    nothing answers."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise Stop("option", "--scheduler needs Dask", "python -m pip install 'cinecut[cluster]'") from None
    if where.scheduler != LOCAL and (where.workers or where.memory):
        raise Stop("option", "--workers and --memory are for a local cluster: a running one has its own")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its failures come back to us as exceptions
    with ExitStack() as stack:
        try:
            address = where.scheduler
            if address == LOCAL:
                address = stack.enter_context(_local(distributed, where))
            client = stack.enter_context(distributed.Client(address, timeout=_PATIENCE, set_as_default=False))
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise Stop("option", f"--scheduler {excerpt(where.scheduler)}: {excerpt(reason, 200)}") from None
        say(f"Dask's dashboard: {client.dashboard_link or 'none'}")
        yield client


def _local(distributed: Any, where: Where) -> Any:
    cores = os.cpu_count() or 1
    return distributed.LocalCluster(
        n_workers=where.workers or max(1, cores // 2),  # a film keeps two cores busy
        threads_per_worker=1,
        memory_limit=where.memory or "auto",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )
