"""Where media are: paths as file URLs."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit


def file_url(path: str) -> str:
    """An absolute path as a URL that editors on every system read.

    >>> file_url("/films/Aliens #2 100%.mkv"), file_url("D:/films/a.mkv")
    ('file:///films/Aliens%20%232%20100%25.mkv', 'file:///D:/films/a.mkv')
    """
    drive = re.fullmatch(r"([A-Za-z]:)(/.*)", path.replace("\\", "/"))
    if drive is not None:
        return f"file:///{drive[1]}{quote(drive[2])}"
    return "file://" + quote(path, errors="surrogateescape")


def path_of(url: str) -> str:
    """The path of a file URL, or of what is one already.

    >>> path_of("file://localhost/D%3A/a%20b.mkv"), path_of("file:///films/a.mkv"), path_of("/films/a%20b.mkv")
    ('D:/a b.mkv', '/films/a.mkv', '/films/a%20b.mkv')
    """
    if not url.startswith("file:"):
        return url
    path = unquote(urlsplit(url).path, errors="surrogateescape")
    return path[1:] if re.match(r"/[A-Za-z]:/", path) else path
