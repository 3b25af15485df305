"""The cut list by MoviePy, run by the Python of MoviePy's own environment: cut list as JSON, output."""

import json
import sys
from pathlib import Path

from moviepy import VideoFileClip, concatenate_videoclips

task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
film = VideoFileClip(task["film"])
clips = [film.subclipped(start, end) for start, end in task["seconds"]]
concatenate_videoclips(clips).write_videofile(
    sys.argv[2],
    codec="libx264",
    preset="veryfast",
    ffmpeg_params=["-crf", "18"],
    audio_codec="aac",
    audio_bitrate="192k",
    audio_fps=48000,
    logger=None,
)
