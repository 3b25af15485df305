"""The first stage: a film's metadata."""

from __future__ import annotations

from cinecut.analysis.stage import Stage
from cinecut.language.facts import FilmFacts
from cinecut.media.probe import film_facts

FACTS = Stage("facts", FilmFacts, film_facts)
