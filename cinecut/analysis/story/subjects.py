"""Which shots show the same subject: a character, a group, a place. No model: by the colours of what stands out.

    colours before their ground ─ without those of the film's grounds ─► signatures ─ nearest ones, linked ─► likeness
    likeness ─ the most alike are joined, then groups of them ─► subjects ─ those of many takes ─► the main ones

A subject keeps its colours from one set-up to the next, where the whole picture changes. Colours that often lie at the
edges of the film's pictures (grass, sky, walls) count little. Two shots are as alike as the shots that they are linked
with: a white animal in the sun and in the shade is linked by the shots between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.signals import Appearance

Floats = NDArray[np.float32]

_FILM = 3  # power of a colour's share before the ground, over the whole film
_LINKS, _SHARE = 16, 8  # the most alike shots that each is linked with: so many, an eighth of few
_ONE = 0.2  # mean likeness of the shots of two groups from which they show one subject
_MAIN, _FEW = 0.1, 3  # of the shots: a subject that has so many is a main one; least number


def same_subject(looks: Sequence[Appearance]) -> Floats:
    """How surely two shots show the same subject, 0 to 1 [n x n]. A look that several takes share counts once."""
    known = {look: number for number, look in enumerate(dict.fromkeys(looks))}
    order = [known[look] for look in looks]
    return _linked(_signatures(list(known)))[np.ix_(order, order)]


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """The main subjects of a film: the number of the one that each shot shows [n], -1 for none; whether it surely shows
    that one; and the share of the film's shots that each subject has."""

    subject: NDArray[np.int_]
    sure: NDArray[np.bool_]
    shares: Sequence[float]

    @classmethod
    def of(cls, looks: Sequence[Appearance]) -> Cast:
        known = {look: number for number, look in enumerate(dict.fromkeys(looks))}
        signatures = _signatures(list(known))
        order = [known[look] for look in looks]
        groups = grouped(_linked(signatures), _ONE)
        near, subject = signatures @ signatures.T, np.full(len(known), -1)
        sure, shares = np.zeros(len(known), bool), list[float]()
        for group in groups:
            if len(group) >= max(_FEW, _MAIN * len(known)):
                others = np.setdiff1d(np.arange(len(known)), group)
                apart = near[np.ix_(group, group)].mean(axis=1)
                apart = apart - (near[np.ix_(group, others)].mean(axis=1) if len(others) else 0)
                subject[group] = len(shares)
                sure[group[np.argsort(-np.round(apart, 6), kind="stable")[: -(-len(group) // 2)]]] = True
                shares.append(len(group) / len(known))
        return cls(subject[order], sure[order], shares)


def grouped(alike: NDArray[np.floating[Any]], least: float) -> list[NDArray[np.int_]]:
    """The shots of each group, those of most shots first: two groups become one as long as their shots are alike by so
    much on average (average linkage)."""
    member, total, count = np.eye(len(alike), dtype=bool), alike.astype(np.float64), np.ones(len(alike))
    while len(total) > 1:
        mean = np.round(total / np.outer(count, count), 6)
        np.fill_diagonal(mean, -1)
        nearest, here = mean.argmax(axis=1), np.arange(len(mean))
        joined = here[(nearest[nearest] == here) & (here < nearest) & (mean.max(axis=1) >= least)]
        if not len(joined):
            break
        gone = nearest[joined]
        total[joined] += total[gone]
        total[:, joined] += total[:, gone]
        total = np.delete(np.delete(total, gone, axis=0), gone, axis=1)
        count[joined] += count[gone]
        member[:, joined] |= member[:, gone]
        count, member = np.delete(count, gone), np.delete(member, gone, axis=1)
    groups = [np.flatnonzero(each) for each in member.T]
    return sorted(groups, key=lambda group: (-len(group), int(group[0])))


def _signatures(looks: Sequence[Appearance]) -> Floats:
    """The root of each shot's colours, of length 1 [n x colours]; 0 if nothing stands out."""
    before, ground = (np.stack([look.subject[side] for look in looks]) for side in (0, 1))
    usual = before.mean(axis=0) / np.maximum(1e-9, before.mean(axis=0) + ground.mean(axis=0))
    root = np.sqrt(before * usual**_FILM)
    return np.asarray(root / np.maximum(1e-9, np.linalg.norm(root, axis=1, keepdims=True)), np.float32)


def _linked(signatures: Floats) -> Floats:
    """The likeness of shots by the shots that both are linked with, in two steps of a random walk (diffusion)."""
    count = len(signatures)
    alike = signatures @ signatures.T
    np.fill_diagonal(alike, 0)
    most = min(_LINKS, count // _SHARE)
    if not most:
        return alike
    links = np.zeros_like(alike)
    nearest = np.argsort(-np.round(alike, 6), axis=1, kind="stable")[:, :most]
    np.put_along_axis(links, nearest, np.take_along_axis(alike, nearest, 1), 1)
    links = np.maximum(links, links.T)
    np.fill_diagonal(links, max(1e-9, float(links.max())))
    amount = links.sum(axis=1)
    walk = links / amount[:, None]
    reached = (walk @ walk) / np.sqrt(amount)
    reached /= np.linalg.norm(reached, axis=1, keepdims=True)
    return np.asarray(reached @ reached.T, np.float32)
