"""`cinecut` and `python -m cinecut`: the command line, on a system where it works."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Raises SystemExit with the command's status."""
    if os.name != "posix":
        sys.exit(
            "cinecut needs a POSIX system, Linux or macOS: its GPU lock is one of the kernel's on a file, which child "
            "processes inherit. On Windows it runs in WSL."
        )
    from cinecut.cli import main as run

    run()


if __name__ == "__main__":
    main()
