"""Why each shot was chosen, in words: what tells it from the others that fit its slot, and how it follows.

candidates of a slot ─ ranks among them ─ what stands out, and is wanted ─ what the page rarely says ─► reasons
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.edit.blueprint import Slot, Want
from cinecut.analysis.edit.candidates import Candidate
from cinecut.analysis.edit.cuts import Take

_WORDS: Mapping[tuple[str, int], tuple[str, str]] = {  # by a signal and its direction: much of it, most of it
    ("motion", 1): ("much moves", "moves most of those that fit"),
    ("motion", -1): ("hardly a movement", "the stillest that fits"),
    ("emotion", 1): ("a strong line", "the strongest line"),
    ("contrast", 1): ("rich in contrast", "the richest in contrast"),
    ("contrast", -1): ("soft light", "the softest light"),
    ("uniqueness", 1): ("like no other shot", "the most unusual that fits"),
    ("face", 1): ("a face", "the largest face"),
    ("saturation", 1): ("strong colours", "the strongest colours"),
    ("saturation", -1): ("pale colours", "the palest that fits"),
    ("brightness", 1): ("bright", "the brightest that fits"),
    ("brightness", -1): ("dark", "the darkest that fits"),
    ("rise", 1): ("the sound swells", "its sound swells most"),
    ("loud", 1): ("loud", "the loudest that fits"),
    ("loud", -1): ("hushed", "the quietest that fits"),
    ("drama", 1): ("a dramatic scene", "the most dramatic that fits"),
}
_THAN: Mapping[tuple[str, int], str] = {  # how an alternative differs from the chosen shot
    ("motion", 1): "moves more",
    ("motion", -1): "stiller",
    ("emotion", 1): "a stronger line",
    ("contrast", 1): "more contrast",
    ("contrast", -1): "softer light",
    ("uniqueness", 1): "more unusual",
    ("face", 1): "a larger face",
    ("saturation", 1): "stronger colours",
    ("saturation", -1): "paler",
    ("brightness", 1): "brighter",
    ("brightness", -1): "darker",
    ("rise", 1): "its sound swells more",
    ("loud", 1): "louder",
    ("loud", -1): "quieter",
    ("drama", 1): "more dramatic",
    ("drama", -1): "less dramatic",
}
_FOR = {
    Want.STRONG: "a hit",
    Want.INTRODUCE: "an introduction",
    Want.QUESTION: "a question",
    Want.THREAT: "a threat",
    Want.RELEASE: "a release",
    Want.CALM: "a quiet moment",
    Want.STING: "a last fright",
    Want.GAG: "a last joke",
}
_STANDS_OUT, _RATHER = 0.6, 0.4  # least distance of a rank from the middle, as a share of the greatest; if none has it
_WISHED = 0.2  # added to the strength of what the slot or the genre wants
_OFTEN = 1.5  # what the share of the page's shots of which something is said already takes from its strength
_STILL = "motion -1"  # the reason that a shot hardly moves, which one with a moment of action does
_HEARD = ("emotion 1", "rise 1", "loud 1", "loud -1")  # the reasons that are heard, in the shot's own sound
_SAME, _OTHER = 0.5, 0.15  # likeness of subjects from which two are one, and below which they differ
_NEAR = 0.06  # of the picture: how close the eye stays over a cut
_NEW, _HOLDS, _CHANGES = 0.9, 0.7, 0.5  # the strength of these reasons: most cuts change the subject
_MOST = 2  # reasons of a shot
_DIFFERS = 0.15  # least difference of two ranks that is worth a word
_ALONE = 0.1  # share of the candidates with the same figure below which it is the most of all


@dataclass(slots=True)
class Page:
    """The reasons of a trailer's shots, in their order: what was said often is said more rarely."""

    subjects: NDArray[np.float64]  # how surely two takes show the same one [n x n]
    shown: list[Candidate] = field(default_factory=list)
    _said: Counter[str] = field(default_factory=Counter)

    def reason(self, chosen: Candidate, offered: Sequence[Candidate], wishes: Mapping[str, float]) -> str:
        """Why a slot shows a candidate rather than the others that were offered, and adds it to the page. `wishes` are
        the weights of the signals in the slot: a signal is no reason in the direction that is unwanted. A line of
        dialogue has a reason of its own."""
        if chosen.cut.why:
            self.shown.append(chosen)
            return chosen.cut.why
        assert chosen.cut.take is not None
        found = list(_outstanding(chosen.cut.take, [each.cut.take for each in offered if each.cut.take], wishes))
        if not chosen.cut.own_sound:
            found = [each for each in found if each[1] not in _HEARD]
        found = [each for each in found if each[0] >= _STANDS_OUT] or found
        found += self._following(chosen)
        if chosen.cut.sync is not None:
            found = [each for each in found if each[1] != _STILL]
            found.append((1.0, "sync", "its moment of action on the beat"))
        count = max(1, len(self.shown))
        found.sort(key=lambda each: (_OFTEN * self._said[each[1]] / count - each[0], each[1]))
        self.shown.append(chosen)
        self._said.update(kind for _, kind, _ in found[:_MOST])
        return _sentence(chosen.gap.slot, [words for _, _, words in found[:_MOST]])

    def _following(self, chosen: Candidate) -> Iterator[tuple[float, str, str]]:
        """How a shot follows those before it: a new subject, or another one; the eye stays."""
        if not self.shown:
            return
        alike = [float(self.subjects[chosen.number, each.number]) for each in self.shown]
        if max(alike) < _SAME:
            yield _NEW, "new", "not shown before"
        elif alike[-1] < _OTHER:
            yield _CHANGES, "other", "another subject than before"
        before, cut = self.shown[-1], chosen.cut
        assert before.cut.take is not None
        assert cut.take is not None
        _, *left = before.cut.take.sight(before.cut.in_ + before.gap.length)
        _, *right = cut.take.sight(cut.in_)
        if before.gap.slot.act == chosen.gap.slot.act and np.hypot(left[0] - right[0], left[1] - right[1]) < _NEAR:
            yield _HOLDS, "eye", "the eye stays where it was"


def reason_beside(other: Candidate, chosen: Candidate, subjects: NDArray[np.float64], said: set[str]) -> str:
    """In what an alternative differs most from the chosen shot, in words that none before it has; they are added to
    `said`."""
    assert other.cut.take is not None
    assert chosen.cut.take is not None
    found = [(_CHANGES, "another subject")] if subjects[other.number, chosen.number] < _OTHER else []
    for (name, direction), words in _THAN.items():
        more = direction * (getattr(other.cut.take.signals, name) - getattr(chosen.cut.take.signals, name))
        found += [(more, words)] if more >= _DIFFERS else []
    found.sort(key=lambda each: (-each[0], each[1]))
    several = [", ".join(words for _, words in each) for each in combinations(found, min(_MOST, len(found)))]
    why = next((words for words in several if words not in said), several[0]) or "much like the one that is shown"
    said.add(why)
    return why


def _sentence(slot: Slot, reasons: Sequence[str]) -> str:
    said = ", ".join(reasons) or "the best fit as a whole"
    return f"{_FOR[slot.want]}: {said}" if slot.want in _FOR else said


def _outstanding(take: Take, others: Sequence[Take], wishes: Mapping[str, float]) -> Iterator[tuple[float, str, str]]:
    """The signals by which a take stands out among others: how far, 0 to 1, more if that is wished for; which; and in
    words. To have little of something is no reason unless it is wished for."""
    for (name, direction), (much, most) in _WORDS.items():
        wish = wishes.get(name, 0.0) * direction
        if wish < 0 or (direction < 0 and not wish):
            continue
        values = direction * np.array([getattr(other.signals, name) for other in others])
        own = direction * getattr(take.signals, name)
        above, level = float((values > own).mean()), float((values == own).mean())
        far = 1 - 2 * (above + level / 2)
        if far >= _RATHER:
            words = most if not above and level < _ALONE else much
            yield far + _WISHED * (wish > 0), f"{name} {direction}", words
