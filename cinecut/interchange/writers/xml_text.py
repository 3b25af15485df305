"""Printing XML, and removing the characters that XML cannot hold."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

# What XML 1.0 cannot hold, nor YAML outside quotes.
_NONE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")


def document(root: ET.Element, doctype: str | None = None) -> bytes:
    ET.indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' + (f"<!DOCTYPE {doctype}>\n" if doctype else "")
    return f"{head}\n{ET.tostring(root, encoding='unicode')}\n".encode("utf-8", "replace")


def plain(text: str, lines: bool = False) -> str:
    """A text without characters that XML cannot hold; line breaks are kept if `lines`.

    >>> plain("one\\ntwo\\x00"), plain("one\\r\\ntwo", lines=True)
    ('one two ', 'one\\ntwo')
    """
    kept = _BREAKS.sub("\n", _NONE.sub(" ", text))
    return kept if lines else re.sub("[\t\n]", " ", kept)


def add(parent: ET.Element, tag: str, value: object = None, /, **attributes: str) -> ET.Element:
    """A new child element, with its text."""
    element = ET.SubElement(parent, tag, attributes)
    if value is not None:
        element.text = str(value)
    return element


def fill(parent: ET.Element, **values: object) -> ET.Element:
    """The parent with a new child for each value, named by its key; `in_` means `in`."""
    for tag, value in values.items():
        add(parent, tag.rstrip("_"), value)
    return parent
