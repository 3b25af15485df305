"""Reading XML from untrusted files: no entities, no external files, bounded size."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from cinecut.diagnostics import Stop
from cinecut.interchange.readers.cut import not_utf_8

_MOST = 200_000_000  # bytes
_DEPTH = 200


def root_of(data: bytes, name: str) -> ET.Element:
    """The root of a document. Raises Stop where it is no XML, or could be an attack."""
    if len(data) > _MOST:
        raise Stop("unreadable", f"{name} is far larger than any timeline")
    if re.search(rb"<!\s*ENTITY|<!DOCTYPE[^>\[]*\[", data.replace(b"\0", b""), re.I):
        raise Stop("unreadable", f"{name} defines XML entities, which no timeline needs", "export it again")
    if re.search(rb"<\?xml[^>]*encoding=[\"'](?!utf-?8[\"'])", data[:200], re.I) or data[:2] in (
        b"\xff\xfe",
        b"\xfe\xff",
    ):
        raise not_utf_8(name)
    depth = 0
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("start", "end"))
    try:
        for at in range(0, len(data), 65536):
            parser.feed(data[at : at + 65536])
            for event in parser.read_events():
                depth += 1 if event[0] == "start" else -1
                if depth > _DEPTH:
                    raise Stop("unreadable", f"{name} is nested more deeply than any timeline")
        parser.close()
        return ET.fromstring(data)
    except ET.ParseError as error:
        line, column = error.position
        raise Stop(
            "unreadable",
            f"{name} is no XML: {error.msg.partition(':')[0]}, line {line}, column {column + 1}",
            "export it again",
        ) from None
