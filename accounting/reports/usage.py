"""Usage from the roll-ups: totals, groups, series, and one period beside another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.db.models import Case, F, Max, QuerySet, When

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

_DAYS_AT_ONCE: Final = 7
_NOTHING: Final = Totals()


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
    """One query, and one for the days that are not sealed yet."""
    parts = [Totals.of(rows.aggregate(**SUMS)) for rows in selection.parts(())]
    return sum(parts[1:], parts[0]) if parts else Totals()


def compare(selection: Selection) -> Comparison:
    """The selection's period and the one before it."""
    return Comparison(totals(selection), totals(selection.during(selection.period.previous())))


def breakdown(selection: Selection, by: tuple[Dimension, ...], *, limit: int = 1000) -> Breakdown:
    """Sums by every combination of ``by``; the newest day first where there is one, then the costliest."""
    if Dimension.DAY not in by:
        found = _groups(selection, by, limit)
    else:
        found = []
        for period in selection.period.newest_first(_DAYS_AT_ONCE):  # a list that is full asks for no earlier days
            found += _groups(selection.during(period), by, limit - len(found))
            if len(found) > limit:
                break
    return Breakdown(tuple(found[:limit]), truncated=len(found) > limit)


def series(selection: Selection, *, hourly: bool = False) -> tuple[Point, ...]:
    """A point for each day (or hour) of the period, those without usage too."""
    found = {slot: sums for (slot,), sums in _sums(selection, (_slot(hourly),), hourly=hourly).items()}
    return tuple(Point(slot, found.get(slot, _NOTHING)) for slot in _slots(selection, hourly))


def layers(selection: Selection, by: Dimension, *, top: int = 6, hourly: bool = False) -> tuple[Layer, ...]:
    """A series for each of the ``top`` costliest groups, and one for the rest together."""
    leaders = [group.labels[by] for group in breakdown(selection, (by,), limit=top).groups]
    if not leaders:
        return ()
    column = f"{by}_id" if by in _IDENTIFIED else str(by)
    wanted = [(label.id or 0) if by in _IDENTIFIED else label.name for label in leaders]
    told_apart = {"layer": Case(When(**{f"{column}__in": wanted}, then=F(column)), default=None)}
    found = _sums(selection, ("layer", _slot(hourly)), hourly=hourly, reads=(column,), **told_apart)
    slots = _slots(selection, hourly)
    shown: list[tuple[Label | None, Any]] = list(zip(leaders, wanted, strict=True))
    if any(key is None for key, _ in found):
        shown.append((None, None))
    return tuple(
        Layer(label, tuple(Point(slot, found.get((key, slot), _NOTHING)) for slot in slots)) for label, key in shown
    )


def _groups(selection: Selection, by: tuple[Dimension, ...], limit: int) -> list[Group]:
    """The first ``limit`` + 1 at least, in order."""
    columns, dated = _columns(by), Dimension.DAY in by
    parts = selection.parts(columns, by_day=dated)
    # Parts have no day in common, so that what is grouped by day is whole in its part.
    most = limit + 1 if dated or len(parts) == 1 else None
    order = [F("date").desc()] if dated else []
    found: dict[tuple[Any, ...], Group] = {}
    for part in parts:
        rows = _grouped(part, by).order_by(*order, F("sum_cost").desc(), F("sum_requests").desc(), *columns)
        for row in rows[:most]:
            key, sums = tuple(row[column] for column in columns), Totals.of(row)
            if key in found:
                sums += found[key].totals
            found[key] = Group({one: _label(row, one) for one in by}, sums)
    if len(parts) == 1:
        return list(found.values())
    newest = [columns.index("date")] if dated else []

    def place(key: tuple[Any, ...]) -> tuple[Any, ...]:
        sums = found[key].totals
        return (*(-key[index].toordinal() for index in newest), -sums.cost, -sums.requests, key)

    return [found[key] for key in sorted(found, key=place)]


def _sums(
    selection: Selection, columns: tuple[str, ...], *, hourly: bool, reads: tuple[str, ...] = (), **made: Any
) -> dict[tuple[Any, ...], Totals]:
    """By ``columns``, of which those in ``made`` are annotations that read ``reads``."""
    parts = (selection.hours(),) if hourly else selection.parts((*reads, "date"), by_day=True)
    found: dict[tuple[Any, ...], Totals] = {}
    for part in parts:
        for row in part.annotate(**made).values(*columns).annotate(**SUMS):
            key, sums = tuple(row[column] for column in columns), Totals.of(row)
            found[key] = found[key] + sums if key in found else sums
    return found


def _slot(hourly: bool) -> str:
    return "hour" if hourly else "date"


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
