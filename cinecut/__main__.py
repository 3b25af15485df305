"""`cinecut` and `python -m cinecut`: the command line, on a system where it works."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

_ROOM = 64 << 20  # bytes: all modules that a command loads, compiled


def main() -> None:
    """Raises SystemExit with the command's status."""
    if os.name != "posix":
        sys.exit(
            "cinecut needs a POSIX system, Linux or macOS: its GPU lock is one of the kernel's on a file, which child "
            "processes inherit. On Windows it runs in WSL."
        )
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the command line handles it: no traceback of imports
    _keep_modules_whole()
    from cinecut.cli import main as run

    run()


def _keep_modules_whole() -> None:
    """Have Python compile no modules to files where these may not fit: it keeps the first part of one, and from then on
    no command starts."""
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    with contextlib.suppress(OSError):
        disk = os.statvfs(__file__)
        if limit != resource.RLIM_INFINITY or disk.f_bavail * disk.f_frsize < _ROOM:
            sys.dont_write_bytecode = True
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # for child processes


if __name__ == "__main__":
    main()
