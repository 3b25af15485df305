"""Whether the FFmpeg that renders can decode what the media room could read: their decoders differ, an old FFmpeg knows
no VVC.

Of a film only the pictures matter: its sound reaches FFmpeg decoded.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from cinecut.diagnostics import Stop
from cinecut.media.open import open_media, picture_stream, sound_streams


def check_decodes(file: Path, ffmpeg: str, what: str = "film") -> None:
    """Raise Stop if the FFmpeg at a path has no decoder for the pictures of a film or a "picture", or for the sound of
    a "song"."""
    heard = what == "song"
    with open_media(file, what) as media:
        stream = next(iter(sound_streams(media)), None) if heard else picture_stream(media, file)
        codec = stream.codec_context.codec.canonical_name if stream is not None else None
    if codec is not None and codec not in _decoded(ffmpeg):
        what = "sound" if heard else "pictures"
        message = f"{ffmpeg} has no decoder for the {what} of {file}, which is in {codec}"
        raise Stop("no-ffmpeg", message, NO_DECODER)


NO_DECODER = "without --ffmpeg and CINECUT_FFMPEG, the FFmpeg that comes with cinecut is used; or name a newer one"


@cache
def _decoded(path: str) -> frozenset[str]:
    """The names of the codecs that an FFmpeg decodes."""
    command = [path, "-hide_banner", "-codecs"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    rows = [line.split() for line in done.stdout.decode(errors="replace").splitlines()]
    return frozenset(words[1] for words in rows if len(words) > 1 and words[0].startswith("D"))
