"""The first stage: what a film's file says of itself."""

from __future__ import annotations

from cinecut.analysis.stage import Stage
from cinecut.language.facts import FilmFacts
from cinecut.media.probe import film_facts

FACTS = Stage("facts", FilmFacts, film_facts)
