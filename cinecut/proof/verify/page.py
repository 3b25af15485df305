"""The findings about a file as one page: the spec's pictures and the file's, side by side."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path

import cv2
import numpy as np

from cinecut.files import write_beside
from cinecut.language.timebase import clock
from cinecut.proof.verify.findings import Finding
from cinecut.proof.verify.judging import Verified
from cinecut.proof.verify.picture.strip import Thumbnails

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222 }
h1 { font-size: 1.4rem } article { border-top: 1px solid #ccc; padding: 1rem 0 }
code { background: #eee; padding: 0 .3em }
.pair { display: flex; gap: 1rem; flex-wrap: wrap } figure { margin: .5rem 0 } img { width: 320px; max-width: 100% }
figcaption { font-size: .85rem; color: #666 }
.error { color: #b00020 } .warning { color: #8a5a00 } .note { color: #456 }
"""
_LARGER = 2  # times a thumbnail's size


def write_page(path: Path, spec: str, file: str, verified: Verified, never: Iterable[Path]) -> None:
    """Write the page, which needs no other file. Raises Stop."""
    head = f"{file}: {len(verified.findings)} findings" if verified.findings else f"{file} is as {spec} says"
    articles = "\n".join(_article(each, verified) for each in verified.findings)
    title = f"<title>{escape(head)}</title><style>{_STYLE}</style>"
    body = f"<h1>{escape(head)}</h1>\n{articles}\n</html>\n"
    write_beside(path, f'<!doctype html>\n<html lang="en"><meta charset="utf-8">{title}\n{body}', never)


def _article(each: Finding, verified: Verified) -> str:
    said = each.diagnostic(verified.rate)
    where = f"{said.span.file}:{said.span.line + 1}:{said.span.column + 1}" if said.span else ""
    rows = [
        f'<p class="{said.severity}"><b>{escape(said.message)}</b> <code>{escape(said.code)}</code> {escape(where)}</p>'
    ]
    rows += [f"<p>{escape(hint)}</p>" for hint in said.hints]
    if each.frame is not None:
        wanted = min(int(verified.alignment.base[each.frame]), verified.reference.frames - 1)
        at = clock(verified.file.times[each.frame], 3)
        rows.append(
            f'<div class="pair">{_figure(verified.reference, wanted, "the spec")}'
            f"{_figure(verified.file, each.frame, f'the file at {at}')}</div>"
        )
    return f"<article>{''.join(rows)}</article>"


def _figure(strip: Thumbnails, frame: int, caption: str) -> str:
    height, width = strip.luma.shape[1:]
    planes = np.concatenate([strip.luma[frame].ravel(), strip.chroma[frame].ravel()]).reshape(height * 3 // 2, width)
    picture = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    larger = cv2.resize(picture, (_LARGER * width, _LARGER * height), interpolation=cv2.INTER_CUBIC)
    data = base64.b64encode(cv2.imencode(".jpg", larger)[1].tobytes()).decode()
    image = f'<img alt="" src="data:image/jpeg;base64,{data}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"
