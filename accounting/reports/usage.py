"""Usage from the roll-ups: totals, groups, series, and one period beside another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.db.models import F, Max, QuerySet

from .measures import SUMS, Totals
from .selection import Selection


class Dimension(StrEnum):
    """What usage may be grouped by."""

    DAY = "day"
    USER = "user"
    TEAM = "team"
    KEY = "key"
    ASKED_MODEL = "asked_model"
    TIER = "tier"
    PROVIDER = "provider"
    MODEL = "model"
    OUTCOME = "outcome"


_IDENTIFIED: Final = frozenset({Dimension.USER, Dimension.TEAM, Dimension.KEY})
"""These are grouped by id, so that who was renamed stays one; the name shown is one that they bore."""


@dataclass(frozen=True, slots=True)
class Label:
    """One group's value in one dimension: a name (a date for ``day``), and its id where it has one."""

    name: str | date
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    labels: dict[Dimension, Label]
    totals: Totals


@dataclass(frozen=True, slots=True)
class Breakdown:
    """``truncated`` says that there are more groups than were asked for; ``groups`` are the first of their order."""

    groups: tuple[Group, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Point:
    """``at`` is a date, or the beginning of an hour in UTC."""

    at: date | datetime
    totals: Totals


@dataclass(frozen=True, slots=True)
class Layer:
    """One group's part of a series; the group of all that are too small to be told apart has no ``label``."""

    label: Label | None
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two periods beside each other."""

    now: Totals
    before: Totals

    def change(self, measure: str) -> float | None:
        """The change of ``measure`` as a fraction (0.25: a quarter more); None where there was nothing before."""
        before = Decimal(getattr(self.before, measure))
        return float((Decimal(getattr(self.now, measure)) - before) / before) if before else None


def totals(selection: Selection) -> Totals:
    """One query."""
    return Totals.of(selection.days().aggregate(**SUMS))


def compare(selection: Selection) -> Comparison:
    """The selection's period and the one before it. Two queries."""
    return Comparison(totals(selection), totals(selection.during(selection.period.previous())))


def breakdown(selection: Selection, by: tuple[Dimension, ...], *, limit: int = 1000) -> Breakdown:
    """Sums by every combination of ``by``; the newest day first where there is one, then the costliest. One query."""
    rows = _grouped(selection.days(), by)
    order = [F("date").desc()] if Dimension.DAY in by else []
    rows = rows.order_by(*order, F("sum_cost").desc(), F("sum_requests").desc(), *_columns(by))
    found = list(rows[: limit + 1])
    return Breakdown(
        tuple(Group({one: _label(row, one) for one in by}, Totals.of(row)) for row in found[:limit]),
        truncated=len(found) > limit,
    )


def series(selection: Selection, *, hourly: bool = False) -> tuple[Point, ...]:
    """A point for each day (or hour) of the period, those without usage too. One query."""
    column = "hour" if hourly else "date"
    rows = _rows(selection, hourly).values(column).annotate(**SUMS)
    found = {row[column]: Totals.of(row) for row in rows}
    return tuple(Point(slot, found.get(slot, Totals())) for slot in _slots(selection, hourly))


def layers(selection: Selection, by: Dimension, *, top: int = 6, hourly: bool = False) -> tuple[Layer, ...]:
    """A series for each of the ``top`` costliest groups, and one for the rest together. Three queries."""
    leaders = [group.labels[by] for group in breakdown(selection, (by,), limit=top).groups]
    identified = by in _IDENTIFIED
    value, column = f"{by}_id" if identified else str(by), "hour" if hourly else "date"
    wanted = [(label.id or 0) if identified else label.name for label in leaders]
    rows = _rows(selection, hourly).filter(**{f"{value}__in": wanted}).values(value, column).annotate(**SUMS)
    found = {(row[value], row[column]): Totals.of(row) for row in rows}
    rest = {point.at: point.totals for point in series(selection, hourly=hourly)}
    for (_, slot), part in found.items():
        rest[slot] -= part
    slots = _slots(selection, hourly)
    shown = [
        Layer(label, tuple(Point(slot, found.get((key, slot), Totals())) for slot in slots))
        for label, key in zip(leaders, wanted, strict=True)
    ]
    if any(part.requests for part in rest.values()):
        shown.append(Layer(None, tuple(Point(slot, rest[slot]) for slot in slots)))
    return tuple(shown)


def _rows(selection: Selection, hourly: bool) -> QuerySet[Any]:
    return selection.hours() if hourly else selection.days()


def _slots(selection: Selection, hourly: bool) -> list[date] | list[datetime]:
    return list(selection.period.hours()) if hourly else list(selection.period.dates())


def _columns(by: tuple[Dimension, ...]) -> list[str]:
    return ["date" if one is Dimension.DAY else f"{one}_id" if one in _IDENTIFIED else str(one) for one in by]


def _grouped(rows: QuerySet[Any], by: tuple[Dimension, ...]) -> QuerySet[Any]:
    names = {f"name_of_{one}": Max(f"{one}_name") for one in by if one in _IDENTIFIED}
    grouped: QuerySet[Any] = rows.values(*_columns(by)).annotate(**names, **SUMS)
    return grouped


def _label(row: dict[str, Any], dimension: Dimension) -> Label:
    if dimension is Dimension.DAY:
        return Label(row["date"])
    if dimension in _IDENTIFIED:
        return Label(row[f"name_of_{dimension}"], row[f"{dimension}_id"] or None)
    return Label(row[str(dimension)])
