"""A month in one piece: what finance asks for, as a page or by mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .repricing import Unpriced, unpriced
from .selection import Selection
from .usage import Comparison, Dimension, Group, breakdown, compare

TOP: Final = 50
_DIMENSIONS: Final = (Dimension.TEAM, Dimension.USER, Dimension.MODEL)


@dataclass(frozen=True, slots=True)
class Section:
    """Usage by one dimension, the costliest first; ``truncated`` says that there are more than ``TOP``."""

    dimension: Dimension
    groups: tuple[Group, ...]
    truncated: bool

    @property
    def title(self) -> str:
        return "person" if self.dimension is Dimension.USER else self.dimension.value

    @property
    def rows(self) -> list[tuple[str, Group]]:
        """Each group behind its name; what belongs to nobody, or went to no model, says so."""
        return [(str(group.labels[self.dimension].name) or "(none)", group) for group in self.groups]


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """``selection.period`` is the month. ``comparison`` is with the month before."""

    selection: Selection
    comparison: Comparison
    sections: tuple[Section, ...]
    unpriced: tuple[Unpriced, ...]


def monthly(selection: Selection) -> MonthlyReport:
    """At most a dozen queries, whatever the month holds."""
    found = {one: breakdown(selection, (one,), limit=TOP) for one in _DIMENSIONS}
    return MonthlyReport(
        selection,
        compare(selection),
        tuple(Section(one, part.groups, part.truncated) for one, part in found.items()),
        unpriced(selection),
    )
