"""What a child process says."""

from __future__ import annotations

import collections
import io

from cinecut.machine.child import drain


def test_the_last_lines_are_kept_without_what_controls_a_terminal() -> None:
    last: collections.deque[str] = collections.deque(maxlen=2)
    drain(io.BytesIO(b"gone\n  \x1b[31mT\xc3\xbcr\tauf \r\n\xff\n"), last)
    assert list(last) == ["   [31mT\u00fcr auf", "\ufffd"]
