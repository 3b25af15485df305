"""The sound of a spec as a person would want to find it: the music, the mix, and what sounds at an event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from cinecut.analysis.edit.sound import LeveledVoice, Score, Sfx, Song, Sounds
from cinecut.analysis.story.arc import SIGNALS
from cinecut.language.timebase import clock, seconds_text
from cinecut.media.link import facts_block, name_from, quoted


def number(value: Fraction) -> str:
    """A number without needless zeros."""
    return seconds_text(value).rstrip("0").rstrip(".") or "0"


def music_rows(folder: Path, score: Score, vibe: str) -> list[str]:
    """`music:` of a spec that lies in `folder`."""
    gain = score.balance.gain
    if score.song is None:
        return [
            f"# No music was given: a synthesized pulse at the usual tempo of {vibe}. `--music FILE` brings a song.",
            "music:",
            f"  pulse: {score.pulse}",
            f"  beats: {{tempo: {number(score.tempo)}, metre: 4}}",
            f"  gain: {gain}   # as loud as {_anchor(score)}",
        ]
    song = score.song
    return [
        "music:",
        f"  file: {quoted(name_from(folder, song.file))}",
        *([f"  credit: {quoted(song.credit[:1000])}"] if song.credit else []),
        *_beats(song),
        *_edit(score, song),
        f"  gain: {gain}   # as loud as {_anchor(score)}",
        "  facts:" + facts_block(song.facts, "  "),
    ]


def _anchor(score: Score) -> str:
    return "the dialogue" if score.balance.spoken else "the film's own sound"


def _beats(song: Song) -> Iterator[str]:
    beats = song.beats
    others = " or ".join(number(other) for other, _ in beats.octaves[:3])
    note = f"  # confidence {beats.confidence:.0%}" + (f"; it could also be counted at {others}" if others else "")
    if beats.tempo is not None:
        yield note
        yield f"  beats: {{tempo: {number(beats.tempo)}, first: {number(beats.first)}, metre: {beats.metre}}}"
        return
    yield f"{note}; its tempo changes, so every beat is listed"
    yield "  beats:"
    yield f"    metre: {beats.metre}"
    yield f"    times: [{', '.join(number(time) for time in beats.times if time >= beats.first)}]"


def _edit(score: Score, song: Song) -> Iterator[str]:
    edit = score.edit
    if not edit.parts:
        yield f"  start: {number(edit.start)}s   # where in the song the trailer begins: a bar line"
        if song.beats.tempo is None:
            yield "  loop: false   # the beats of its end do not lead on to those of its start"
        return
    end = "; the last ends on a hit, which the title card has" if edit.ending == "hit" else ""
    yield f"  # Whole bars of the song, one part after another{end}."
    yield "  parts:"
    yield from (f'    - "{clock(begin, 6)} - {clock(until, 6)}"' for begin, until in edit.parts)


def mix_rows(score: Score) -> list[str]:
    """`mix:`, with what was measured for it."""
    mix = score.balance
    what = "Dialogue" if mix.spoken else "The film's own sound"
    voice = f"voice: {mix.film}, " if any(sounds.voices for sounds in score.events) else ""
    film = f"film: {mix.film}, {voice}" if mix.film else ""
    below = f"{-mix.music} dB below" if mix.music < 0 else f"{mix.music} dB above" if mix.music else "beside"
    return [
        f"# {what} was measured at {mix.anchor} dB; the music stands {below} it, the effects below the music.",
        f"mix: {{{film}music: {mix.music}, effects: {mix.effects}, splice: 0.005s}}",
    ]


def event_rows(sounds: Sounds, score: Score, folder: Path, length: str) -> list[str]:
    """What an event of `length` says about its sound."""
    rows = ["    silent: true"] if sounds.silent else []
    rows += [f"    gain: {sounds.gain}   # the line to the level of the dialogue"] if sounds.gain else []
    rows += [f"    duck: {sounds.duck}   # {sounds.why_duck}"] if sounds.duck is not None else []
    if sounds.effects:
        texts = [_effect(effect) for effect in sounds.effects]
        softer = "   # the vibe's own, softer: a quiet scene" if _only_softer(sounds.effects) else ""
        rows.append(f"    sound: {texts[0] if len(texts) == 1 else '[' + ', '.join(texts) + ']'}{softer}")
    rows += _cue(sounds, score, folder, length)
    if sounds.voices:
        rows.append("    voice:")
        rows += [row for voice in sounds.voices for row in _voice(voice)]
    return rows


def _only_softer(effects: Sequence[Sfx]) -> bool:
    return len(effects) == 1 and effects[0].name is None and effects[0].gain < 0


def _effect(effect: Sfx) -> str:
    given = {"effect": effect.name, "for": effect.lasts, "gain": effect.gain or None}
    said = {key: value for key, value in given.items() if value is not None} or {"gain": 0}
    if list(said) == ["effect"]:
        return str(effect.name)
    return "{" + ", ".join(f"{key}: {value}" for key, value in said.items()) + "}"


def _cue(sounds: Sounds, score: Score, folder: Path, length: str) -> list[str]:
    if sounds.cue is None:
        return []
    if sounds.cue == "hit" and score.song is not None:
        return [
            "    cue:",
            f"      file: {quoted(name_from(folder, score.song.file))}",
            f"      start: {number(score.edit.cue)}s   # a hit of the song",
            f"      gain: {score.balance.gain}",
            "      fade: 0.1s",
            "      facts:" + facts_block(score.song.facts, "      "),
        ]
    fade = {"hit": length, "cue": "0.1s", "stop": "1 beat"}[score.edit.ending]
    return [f"    cue: {{file: stop, fade: {fade}}}   # the music ends here"]


def _voice(voice: LeveledVoice) -> Iterator[str]:
    take, line = voice.over.take, voice.over.line
    yield f'      - take: "{clock(take.start.seconds)} - {clock(take.end.seconds)}"'
    yield f"        at: {number(voice.over.at)}s"
    if voice.gain:
        yield f"        gain: {voice.gain}   # to the level of the dialogue"
    yield f"        line: {quoted(line.text[:500])}"
    yield f"        why: {quoted(voice.over.why)}"
    yield f"        by: {SIGNALS}"
