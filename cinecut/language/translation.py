"""A trailer's words in another language: a YAML file from the spec's texts, or from events, to their translations.

"One last chance": Une dernière chance
ending: JAMAIS      # the event of that id; one without is `card 5`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from cinecut.diagnostics import Report, Span, Stop, excerpt
from cinecut.language.document import MapNode, Node, Scalar, read_document
from cinecut.language.formats import shown_text
from cinecut.language.read import check_comments, inside
from cinecut.language.spec import Spec
from cinecut.language.timebase import BadTimeError

_LONGEST = 500  # characters, as of a spec's own texts
_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Words:
    """A translation, and its place."""

    text: str
    span: Span


@dataclass(frozen=True)
class Translation:
    """The words of one language by their keys, with spaces and line ends folded; `places`: the places of the keys."""

    language: str
    file: str
    words: Mapping[str, Words]
    places: Mapping[str, Span]

    def of(self, text: str, event: str = "") -> Words | None:
        """The translation of a text; `event`: the one that shows it, if it shows only this text."""
        return self.words.get(event) or self.words.get(as_key(text))

    def check(self, shown: Iterable[tuple[str, str, Span]], known: Iterable[str], report: Report) -> None:
        """Report keys that match no `known` text or event, and shown texts without a translation, each with its event
        and place."""
        keys = {as_key(text) for text in known}
        for key, span in self.places.items():
            if key not in keys:
                close = get_close_matches(key, keys, n=1)
                hint = f"did you mean {excerpt(close[0])}?" if close else "a key is a text of the spec, or `card 5`"
                report.add("unknown-key", f"{excerpt(key)} is no text of this trailer", span, hint)
        for text, event, span in shown:
            if self.of(text, event) is None:
                message = f"{self.file} has no words for {excerpt(text)}: the spec's own are shown"
                report.add("untranslated", message, span, f"add them there: {excerpt(text)}: …")


def as_key(text: str) -> str:
    return " ".join(text.split())


def translations_of(spec: Spec, report: Report) -> dict[str, Translation]:
    """The translations that a spec names, by language; mistakes go into the report."""
    translations, folder = dict[str, Translation](), Path(spec.place.span.file).parent
    for language, file in (spec.languages or {}).items():
        place = spec.place.of("languages")
        if not _CODE.fullmatch(language):
            report.add("wrong-value", f"{excerpt(language)} is no code of a language", place, "such as fr or pt-BR")
            continue
        try:
            document = read_document(inside(folder, file), report)
        except Stop as stop:
            report.found += [replace(each, span=each.span or place) for each in stop.diagnostics]
            continue
        if document.root is None:
            translations[language] = Translation(language, file, {}, {})
        elif isinstance(document.root, MapNode):
            check_comments(document, document.root.keys, report)
            translations[language] = _read(language, file, document.root, report)
        else:
            report.add("wrong-type", f"{file} must be a mapping (text: words)", document.root.span)
    return translations


def _read(language: str, file: str, root: MapNode, report: Report) -> Translation:
    words = dict[str, Words]()
    for key, node in root.entries.items():
        if isinstance(node, Scalar) and node.value is None:
            continue  # a row that waits for its words
        if (text := _text(node, report)) is not None:
            words[as_key(key)] = Words(text, node.span)
    return Translation(language, file, words, {as_key(key): span for key, span in root.keys.items()})


def _text(node: Node, report: Report) -> str | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        hint = "in quotes it is a text" if isinstance(node, Scalar) else "one text for each key"
        report.add("wrong-type", "the words must be a text", node.span, hint)
    elif not node.value.strip() or len(node.value) > _LONGEST:
        what = "empty" if not node.value.strip() else f"longer than {_LONGEST} characters"
        report.add("wrong-value", f"these words are {what}", node.span)
    else:
        try:
            return shown_text(node.value)
        except BadTimeError as error:
            report.add("wrong-value", str(error), node.span)
    return None
