"""Which stretch of text cites which search result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..script import Found, Part, Text, WebSearch


@dataclass(frozen=True, slots=True)
class Cite:
    """``start`` and ``end`` are characters in the joined text of the reply; ``text`` is the citing text."""

    start: int
    end: int
    text: str
    found: Found
    result: int
    """Index among all results found before."""


def cited(parts: Sequence[Part]) -> list[Cite]:
    """All citations of a reply in order."""
    found: list[Found] = []
    cites: list[Cite] = []
    at = 0
    for part in parts:
        if isinstance(part, WebSearch):
            found.extend(part.results)
        elif isinstance(part, Text):
            end = at + len(part.text)
            cites.extend(Cite(at, end, part.text, found[index], index) for index in part.cites)
            at = end
    return cites


def results(parts: Sequence[Part]) -> list[Found]:
    """All search results of a reply in order."""
    return [found for part in parts if isinstance(part, WebSearch) for found in part.results]
