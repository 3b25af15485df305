"""What all pages share: one file each, without a network, in which foreign text is only ever text."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from cinecut.language.timebase import clock

# A handler in an attribute, not an element: a page without any script element is plain to check for others' scripts.
_ON_CLICK = """
const time = event.target.closest("button.copy");
const byHand = () => {
  const range = document.createRange();
  range.selectNodeContents(time);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  document.execCommand("copy");
};
if (time) (navigator.clipboard?.writeText(time.textContent) ?? Promise.reject()).catch(byHand).then(() => {
  document.getElementById("copied").textContent = time.textContent + " is copied";
  for (const other of document.querySelectorAll("button.copied")) other.classList.remove("copied");
  time.classList.add("copied");
});
"""

COPYING = {
    "on_click": _ON_CLICK,
    "on_click_hash": base64.b64encode(hashlib.sha256(_ON_CLICK.encode()).digest()).decode("ascii"),
}
"""The handler that copies times, and its hash for the page's policy."""

_ILLEGIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@cache
def environment(folder: Path) -> jinja2.Environment:
    """The templates of a folder, each compiled once. Whatever they are given is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_legible,
    )
    made.filters["clock"] = lambda seconds, digits=2: clock(seconds, digits)
    made.filters["seconds"] = lambda seconds, digits=2: f"{float(seconds):.{digits}f} s"
    made.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    return made


def _legible(value: Any) -> Any:
    """Text without what UTF-8 or HTML cannot hold: lone surrogates of a file's name, control characters of a line."""
    if type(value) is not str:
        return value
    return _ILLEGIBLE.sub("\ufffd", value)
