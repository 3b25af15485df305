"""Which shots show the same subject: a character, a group, a place. No model: by the colours of what stands out.

    colours before their ground ─ without those of the film's grounds ─► signatures ─ nearest ones, linked ─► likeness

A subject keeps its colours from one set-up to the next, where the whole picture changes. Colours that often lie at the
edges of the film's pictures (grass, sky, walls) count little. Two shots are as alike as the shots that they are linked
with: a white animal in the sun and in the shade is linked by the shots between.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cinecut.analysis.film.signals import Appearance

Floats = NDArray[np.float32]

_FILM = 3  # power of a colour's share before the ground, over the whole film
_LINKS, _SHARE = 16, 8  # the most alike shots that each is linked with: so many, an eighth of few


def same_subject(looks: Sequence[Appearance]) -> Floats:
    """How surely two shots show the same subject, 0 to 1 [n x n]. A look that several takes share counts once."""
    known = {look: number for number, look in enumerate(dict.fromkeys(looks))}
    order = [known[look] for look in looks]
    return _linked(_signatures(list(known)))[np.ix_(order, order)]


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
