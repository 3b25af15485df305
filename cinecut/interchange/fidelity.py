"""What each target keeps of a trailer: a row per feature, a column per target; a cell that is not "kept" says what the
editor shows instead. `docs/handoff.md` prints this table."""

from __future__ import annotations

from collections.abc import Iterator

from cinecut.interchange.model import EditSequence, Unsupported

TARGETS = ("fcp", "resolve", "premiere", "kdenlive", "otio", "edl")
"""Those that carry a cut; `markers` carries the markers alone."""

_SILENT = "silence there; --stems renders it as a sound track"
_LUT_BESIDE = "the film's own colours; its look lies beside the file, as a .cube to be applied"
_WHOLE = "the whole picture, centred"
_WORDS = "the words alone"
_BARE = "the levels as they are mixed"

# feature: {target: what is shown instead}; targets that are not named keep it.
ROWS: dict[str, dict[str, str]] = {
    "start timecode": {"kdenlive": "a timeline that counts from 00:00:00:00"},
    "reel": {"kdenlive": "media known by their files alone", "resolve": "the reel that Resolve reads out of the file"},
    "drop frame": {"kdenlive": "non-drop timecode"},
    "handles": {target: "all that the media have" for target in TARGETS if target != "otio"},
    "exact rate": {},
    "variable rate": dict.fromkeys(TARGETS, "pictures counted at the nominal rate: a picture may be off by some; "
                                                "convert the film to a constant rate first"),
    "joined times": dict.fromkeys(TARGETS, "what the program finds after the moment at which they start again; "
                                               "convert the film first"),
    "interlaced": {"otio": "the fields as the program finds them", "edl": "the fields as the program finds them"},
    "HDR": dict.fromkeys(TARGETS, "the film's own colours, as the program brings them to its timeline"),
    "other rate": {
        "kdenlive": "pictures and sounds up to a frame off, as MLT counts",
        "edl": "source timecodes at the film's own rate, and an M2 line for the difference"},
    "surround": {"premiere": "the first two channels", "edl": "the first two channels"},
    "other sound": dict.fromkeys(TARGETS, "the file's first sound"),
    "sound in streams": {"kdenlive": "the first of them"},
    "sound in step": {"kdenlive": "as early or as late as MLT 7.12 seeks; convert the film to .mov that starts at 0"},
    "surround mix": dict.fromkeys(TARGETS, "a stereo mix"),
    "retime": {},
    "crossfade": {},
    "dip to black": {"otio": "a transition of a kind that few programs know, mostly a cut"},
    "dip to white": {"otio": "a transition of a kind that few programs know, mostly a cut", "edl": "a dip to black",
                     "fcp": "a dip to black", "resolve": "a dip to black", "kdenlive": "a dip to black"},
    "fade": {"otio": "a transition of a kind that few programs know, mostly a cut"},
    "J/L cut": {},
    "sound of another moment": {},
    "gain": {"otio": "unity; the gain is in its metadata", "edl": "unity; a comment names the gain"},
    "sound fade": {"otio": "no fade; it is in its metadata"},
    "mute": {},
    "title": {"otio": "an empty clip that names the text", "edl": "nothing; a comment names the text"},
    "card": {"otio": "an empty clip that names the text", "edl": "black; a comment names the text"},
    "title style": {**dict.fromkeys(TARGETS, "plain letters"), "otio": _WORDS, "edl": _WORDS},
    "textless": dict.fromkeys(TARGETS, "its titles and cards too"),
    "still": {},
    "still size": dict.fromkeys(TARGETS, "the picture fitted to the frame"),
    "black": {},
    "rating": {},
    "held picture": dict.fromkeys(TARGETS, "black"),
    "music": {},
    "music cue": {},
    "music edit": {},
    "pulse": dict.fromkeys(TARGETS, _SILENT),
    "voice": {},
    "effect": dict.fromkeys(TARGETS, _SILENT),
    "duck": {"otio": "one level; the ramps are in its metadata", "edl": "one level"},
    "splice": dict.fromkeys(TARGETS, "hard cuts of the sound"),
    "loudness": dict.fromkeys(TARGETS, _BARE),
    "subtitles": dict.fromkeys(TARGETS, "none; a render with `subtitles: file` writes them"),
    "deliverable": dict.fromkeys(TARGETS, "the first file alone"),
    "marker": {},
    "act": {},
    "marker color": {"fcp": "blue markers", "premiere": "green markers"},
    "turning point": dict.fromkeys(TARGETS, "no marker: the moment is not in the cut"),
    "grade": {target: _LUT_BESIDE for target in TARGETS if target != "kdenlive"},
    "filled frame": {"otio": _WHOLE, "edl": _WHOLE},
    "blurred bars": dict.fromkeys(TARGETS, "black bars"),
    "reframe": {**dict.fromkeys(TARGETS, "the frame filled, the picture's middle in sight"),
                "otio": _WHOLE, "edl": _WHOLE},
    "crop": dict.fromkeys(TARGETS, "the whole picture"),
    "mirror": dict.fromkeys(TARGETS, "the picture as the film has it"),
}  # fmt: skip


def unsupported(sequence: EditSequence, target: str) -> Iterator[Unsupported]:
    """What a target does not carry of a sequence, in the sequence's order."""
    for feature in sequence.features:
        instead = ROWS[feature.kind].get(target)
        if instead is not None:
            yield Unsupported(feature.event, feature.detail, instead)
