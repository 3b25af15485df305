"""The subtitles of a film: which there are, what encoding and format they have, and their timed cues."""
