"""The cut list by GStreamer Editing Services, run by the Python that has gi: cut list as JSON, output."""

import json
import sys
from pathlib import Path

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstPbutils", "1.0")
gi.require_version("GES", "1.0")
from gi.repository import GES, Gst, GstPbutils  # type: ignore[import-not-found]  # noqa: E402

Gst.init(None)
GES.init()
task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
(width, height), (numerator, denominator) = task["size"], task["rate"]


def clock(frame: int) -> int:
    """Nanoseconds of a frame's start."""
    return int(Gst.util_uint64_scale_round(frame, denominator * Gst.SECOND, numerator))


def with_properties(made: GstPbutils.EncodingProfile, properties: str) -> GstPbutils.EncodingProfile:
    made.set_element_properties(Gst.Structure.from_string(properties)[0])
    return made


timeline = GES.Timeline.new_audio_video()
picture, sound = timeline.get_tracks()
if picture.get_property("track-type") != GES.TrackType.VIDEO:
    picture, sound = sound, picture
frame_caps = f"video/x-raw,width={width},height={height},framerate={numerator}/{denominator}"
picture.update_restriction_caps(Gst.Caps.from_string(frame_caps))
sound.update_restriction_caps(Gst.Caps.from_string("audio/x-raw,rate=48000,channels=2"))
picture.set_mixing(False)  # straight cuts need no compositor: a third quicker
sound.set_mixing(False)
layer = timeline.append_layer()
asset = GES.UriClipAsset.request_sync(Path(task["film"]).as_uri())
position = 0
for start, frames in task["frames"]:
    first, last = clock(position), clock(position + frames)
    layer.add_asset(asset, first, clock(start), last - first, GES.TrackType.UNKNOWN)
    position += frames

container = GstPbutils.EncodingContainerProfile.new("mp4", None, Gst.Caps.from_string("video/quicktime,variant=iso"))
# constant quality as crf does it, without the rate cap that the element sets by itself
Gst.ElementFactory.make("x264enc", None)  # makes its enumerations known
x264 = (
    "element-properties-map, map={[x264enc, pass=(GstX264EncPass)qual, quantizer=(uint)18, vbv-buf-capacity=(uint)0, "
    "speed-preset=(GstX264EncPreset)veryfast]}"
)
aac = (
    "element-properties-map, map={[avenc_aac, bitrate=192000], [voaacenc, bitrate=192000], [fdkaacenc, bitrate=192000]}"
)
h264 = GstPbutils.EncodingVideoProfile.new(Gst.Caps.from_string("video/x-h264,profile=high"), None, None, 0)
mp4a = GstPbutils.EncodingAudioProfile.new(Gst.Caps.from_string("audio/mpeg,mpegversion=4"), None, None, 0)
container.add_profile(with_properties(h264, x264))
container.add_profile(with_properties(mp4a, aac))
pipeline = GES.Pipeline()
pipeline.set_timeline(timeline)
pipeline.set_render_settings(Path(sys.argv[2]).absolute().as_uri(), container)
pipeline.set_mode(GES.PipelineFlags.RENDER)
timeline.commit_sync()
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(600 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
if message is None or message.type == Gst.MessageType.ERROR:
    sys.exit("GES: " + ("took over 600 s" if message is None else message.parse_error()[0].message))
