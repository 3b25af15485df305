"""Every code of a finding, with its cause and its cure. `cinecut check --explain CODE` prints them."""

from __future__ import annotations

# code: (cause, cure)
CODES: dict[str, tuple[str, str]] = {
    "yaml": (
        "The file is not YAML: a bracket or quote is never closed, a tab indents, a value holds `: ` unquoted.",
        "Look at the place and just before it. Texts with signs go in quotes; indent by spaces.",
    ),
    "not-text": (
        "The file is no UTF-8 text, or far too large for a spec.",
        "Save it as UTF-8; name the spec, not the film.",
    ),
    "comment": (
        "Words after a # are a comment to YAML, though they look like a part of the text before them.",
        'Put the whole text in quotes: card: "We are #1". A comment has a space after its #.',
    ),
    "duplicate-key": (
        "A key stands twice in one mapping; only one of them could count.",
        "Remove or rename one of them.",
    ),
    "unknown-key": ("The language has no such key at this place.", "Follow the hint; the reference lists every key."),
    "missing-key": ("Something that must be said is not.", "Add the key that the message names."),
    "wrong-type": (
        "A value is of another kind than its key takes: a list for a text, say.",
        "Write it as the hint shows.",
    ),
    "wrong-value": (
        "A value is of the right kind, but not one of those allowed.",
        "Choose one that the message names.",
    ),
    "bad-time": (
        "A time, a range or a length cannot be read, or is not possible.",
        "Times: 1:02:11.5, 62.5s, 1m30s, 01:02:11:12. Lengths: 1.5s, 36f, 4 beats, 2 bars. Ranges: 0:16 - 0:20.",
    ),
    "over-determined": ("Two values say the same thing, so they could contradict each other.", "Remove one of them."),
    "under-determined": ("Too little is said: a shot with an in point alone, say.", "Add what the hint names."),
    "version": (
        "The spec is of another version of the language.",
        "Write cinecut: 1, or use the cinecut that it asks for.",
    ),
    "empty-event": (
        "An event is shorter than one frame of the trailer.",
        "Make it longer; look at its times and its speed.",
    ),
    "order": ("An out point is not after its in point.", "Exchange them, or correct one."),
    "past-end": ("A time lies after the end of the film or song.", "Correct it; `cinecut link` measures a file again."),
    "no-handle": (
        "A crossfade needs pictures from beyond a shot's points, and the film has none there.",
        "Move the point away from the film's edge, shorten the crossfade, or use a dip.",
    ),
    "transition": (
        "A transition stands where there can be none, is longer than its shots, or is not known.",
        "Shorten it, or choose cut, crossfade, dip to black, dip to white, fade in, fade out.",
    ),
    "no-grid": (
        "Beats or bars are asked for, and the music has no beats.",
        "Add music: {beats: {tempo: 120}}, or use seconds.",
    ),
    "sync": (
        "The moment of a `sync` does not lie inside its shot as shown.",
        "Choose a moment between the shot's points.",
    ),
    "outside-frame": ("A crop leaves the picture.", "Keep x + w and y + h at 1 or less."),
    "title-outside": ("A title is not over before its event is.", "Shorten it, or begin it earlier."),
    "sound-outside": ("A sound would begin before the trailer does, or end after it.", "Move it, or shorten it."),
    "title-glyphs": ("A typeface has no sign for a letter of a text.", "Choose another `face`, or other words."),
    "untranslated": (
        "A file of another language has no words for a text of the trailer, so the spec's own are shown.",
        "Add the text and its words there.",
    ),
    "no-facts": ("The film has not been measured, so its end is unknown.", "Run `cinecut link SPEC` once."),
    "not-linked": ("What is asked for needs the facts of a file.", "Run `cinecut link SPEC`."),
    "missing-file": ("A file that is named is not there.", "Correct its name; paths are relative to the spec."),
    "unreadable": (
        "A file is there, but cannot be opened or is damaged.",
        "Try it in a player; fetch or convert it again.",
    ),
    "no-video": ("A file holds no moving picture.", "Name the film itself."),
    "no-audio": ("A file holds no sound, or not the stream that is asked for.", "Choose another stream or file."),
    "no-material": ("Nothing of the film can be shown: it is black, titles or too short.", "Choose another film."),
    "other-file": ("A file is not the one that the spec was made for.", "If it is right now: `cinecut link SPEC`."),
    "output": ("A file cannot or must not be written there.", "Choose another place with -o; --force replaces a file."),
    "disk-full": ("The disk is full.", "Make room, or choose another disk with -o."),
    "subtitles": (
        "Subtitles are missing, doubtful or unreadable; the analysis goes on.",
        "Name a file with --subtitles.",
    ),
    "music": ("Something about the music is worth knowing; the work goes on.", "Read the message."),
    "film": ("Something about the film is worth knowing; the work goes on.", "Read the message."),
    "store": (
        "Something that was rendered before is damaged; it is rendered again.",
        "Look at the disk if it comes again; `cinecut cache` shows and clears what is kept.",
    ),
    "segments": (
        "This encoder's parts cannot be joined exactly, so the trailer is rendered in one piece.",
        "Nothing to do; another codec renders edits faster.",
    ),
    "loud-seconds": (
        "The loudest seconds of a trailer are louder than its delivery may be.",
        "Turn the loudest shots or effects down by `gain`, or choose another loudness.",
    ),
    "kit": (
        "A delivery kit does not take the trailer as it is: its rate, size, codec or length.",
        "Give `output` or the deliverable what the message names; `cinecut kits KIT` shows all that it asks.",
    ),
    "model": ("A model could not help; what it would have said was measured.", "`cinecut doctor` says what it lacks."),
    "no-side-file": (
        "An analysis wrote this spec, but what it knew of the film and its song is not on this machine: whether shots "
        "cross cuts of the film or chop lines is not checked, and recut takes every event for one that a hand touched.",
        "Put the SPEC.known.json of whoever sent the spec beside it (`cinecut sheet SPEC --known` writes one), or "
        "analyze the film here.",
    ),
    "film-cut": (
        "A shot crosses a cut or a dissolve of the film, so that a piece of another picture flashes up.",
        "Move its in or out point as the hint says; `keep: true` on the event if it is meant.",
    ),
    "chopped-line": (
        "A shot that is heard begins or ends while somebody speaks.",
        "Move its in or out point; let the sound lead or trail (`sound_lead`, `sound_trail`); or `mute: true`.",
    ),
    "off-grid": (
        "A cut lies off the beats while the trailer's music plays, or the beats are those of another song.",
        "Give the event a length in beats, or `snap: beat`. `cinecut beats SONG` finds a song's beats.",
    ),
    "no-music": (
        "The music that analyze gave to an act does not reach it any more, or the song ends too soon.",
        "Look for the `cue` that ends it (a title card has one); or let the song loop, or list more parts of it.",
    ),
    "same-shot": (
        "Two shots show the same moment of the film.",
        "Choose another moment; `cinecut swap` takes an alternative; `keep: true` if it is meant.",
    ),
    "no-ffmpeg": (
        "No FFmpeg was found, or it is too old.",
        "Install the bundled one again, or name one with --ffmpeg.",
    ),
    "ffmpeg": ("FFmpeg failed.", "Read what it said; try the bundled one."),
    "option": ("An option of the command makes no sense.", "See the command's --help."),
    "download": ("Something could not be fetched.", "Try again later; what came stays."),
    "locked": (
        "What would be rendered is not what the spec's lock says, or the lock cannot be read.",
        "`cinecut why SPEC` says what differs; undo it, or accept it with `cinecut lock SPEC`.",
    ),
    "plugin": ("A plug-in failed.", "Leave it out, or ask whoever made it."),
    "shifted-shot": (
        "In a file, a shot begins at another frame of the film than the spec has it.",
        "Render it again; of an edit elsewhere, move the in point, or change the spec.",
    ),
    "swapped-shot": (
        "In a file, one of the trailer's other events stands where the spec has this one.",
        "Put them back into the spec's order, or bring the spec to the file's.",
    ),
    "wrong-picture": (
        "In a file, an event shows something that the spec does not have.",
        "Render it again; look whether the film is the one of the spec.",
    ),
    "wrong-look": (
        "In a file, the light, contrast or colours are others than the spec's grade gives.",
        "Look for another LUT or vibe, and for a colour matrix that a program changed.",
    ),
    "wrong-crop": (
        "In a file, a picture is framed otherwise: cropped, scaled or moved.",
        "Look at `crop`, `reframe`, `fit`, and at what the program that wrote the file did.",
    ),
    "wrong-speed": (
        "In a file, an event runs faster or slower than the spec has it.",
        "Look at `speed`, and at how the program changed the rate.",
    ),
    "wrong-transition": (
        "In a file, two events pass into each other otherwise than the spec has it.",
        "Make it the transition that `from` names.",
    ),
    "flipped": ("In a file, a picture is mirrored, or is not and shall be.", "Turn it back; or write `mirror: true`."),
    "black-frame": (
        "In a file, frames are black that the spec has not black.",
        "Render it again; look at the joins of an edit.",
    ),
    "stray-frame": (
        "In a file, frames of something else stand within an event.",
        "Render it again; look at the joins of an edit.",
    ),
    "doubled-frame": (
        "In a file, a frame is shown twice where the spec moves on.",
        "Render it again; look whether the rate was changed on the way.",
    ),
    "lost-frame": (
        "In a file, frames are missing within an event.",
        "Render it again; look whether the rate was changed on the way.",
    ),
    "frozen": ("In a file, the picture stands still where the spec moves on.", "Render it again."),
    "flashing": (
        "A file flashes more than three times within a second (ITU-R BT.1702), and its spec does not.",
        "Take the flashes out: they can harm people.",
    ),
    "flashes": (
        "The trailer flashes more than three times within a second (ITU-R BT.1702), as its spec has it.",
        "Put fewer cuts between dark and light there: broadcasters refuse it, and it can harm people.",
    ),
    "title-missing": (
        "In a file, a title or a card is not there.",
        "Render it again; set it again in an edit.",
    ),
    "title-time": (
        "In a file, a text comes or goes at another time than the spec has it.",
        "Move it to its frames.",
    ),
    "title-wrong": (
        "In a file, a title, a card or a caption reads otherwise than the spec has it, or is set otherwise.",
        "Render it again; look at the face and at the language.",
    ),
    "title-short": (
        "A text is seen for less time than reading it takes.",
        "Show it longer (`for`), or say it in fewer words.",
    ),
    "title-unsafe": (
        "A text reaches into the edge of the picture that some screens cut off.",
        "Make it smaller, or break it.",
    ),
    "caption-missing": (
        "In a file, a line of the subtitles is not there.",
        "Render it again, or take the subtitles along.",
    ),
    "sound-late": (
        "In a file, a sound is heard earlier or later than the spec has it.",
        "Move it; look whether a program took an encoder's delay for sound.",
    ),
    "sound-extra": (
        "In a file, something is heard that no part of the spec's mix explains.",
        "Look for a shot that shall be mute, another song, or a track that an editing program added.",
    ),
    "line-missing": (
        "In a file, a line that the spec lets hear cannot be heard.",
        "Look at its gain, and whether a stem was lost.",
    ),
    "effect-missing": (
        "In a file, an effect of the spec cannot be heard.",
        "Look at its gain, and whether a stem was lost.",
    ),
    "music-missing": ("In a file, the music of the spec cannot be heard.", "Take the music's stem along."),
    "shot-silent": (
        "In a file, the film's own sound of a shot cannot be heard.",
        "Take the film's stem along; or say `mute: true`.",
    ),
    "stem-gain": (
        "In a file, one part of the mix is louder or softer beside the others than the spec has it.",
        "Bring `mix` and `gain` of spec and file together.",
    ),
    "silent": ("In a file, nothing is heard where the spec lets something be heard.", "Render it again."),
    "no-sound": ("A file has no sound, or only silence.", "Take the sound along."),
    "one-sided": (
        "A file's sound is on one side, or the same on both, and the spec's mix is not.",
        "Look at how the program mapped the channels.",
    ),
    "loudness": (
        "A file is louder or softer than the spec's loudness.",
        "Bring it to the loudness; `output: {loudness: …}` chooses another.",
    ),
    "true-peak": ("The peaks of a file are higher than the spec allows.", "Lower them by a limiter of true peaks."),
    "clipped": ("The sound of a file is cut off at full scale.", "Lower it before it is encoded."),
    "file-length": (
        "A file is shorter or longer than the trailer of its spec.",
        "Render it again; look for a damaged upload.",
    ),
    "file-shape": (
        "The pictures of a file have another shape than the spec's.",
        "Render it in the right shape; add bars instead of stretching.",
    ),
    "file-tags": (
        "The title or the chapters of a file are not those of the spec.",
        "Programs drop them when they encode again: take them along.",
    ),
}
