"""Series as charts and as tables: the same numbers, once for the eye and once for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.utils.formats import date_format

from accounting.reports import Totals
from accounting.reports.usage import Layer

NAMELESS: Final = "(none)"
REST: Final = "all others"
_MAX_TABLE_ROWS: Final = 400


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    values: tuple[Decimal | int, ...]
    total: Decimal | int


@dataclass(frozen=True, slots=True)
class Chart:
    """``data`` is what ``charts.js`` draws; ``columns`` and ``rows`` are the table, the latest first."""

    data: dict[str, Any]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    is_empty: bool


def measured(totals: Totals, measure: str) -> Decimal | int:
    figures: dict[str, Decimal | int] = {
        "cost": totals.cost,
        "tokens": totals.total_tokens,
        "requests": totals.requests,
    }
    return figures[measure]


def stacked(layers: Sequence[Layer], measure: str) -> Chart:
    """One stack a day, one colour a layer."""
    names = tuple(_name(layer) for layer in layers)
    points = [layer.points for layer in layers]
    days = [point.at for point in points[0]] if points else []
    values = [[measured(point.totals, measure) for point in series] for series in points]
    table = [
        Row(day.isoformat(), tuple(column[n] for column in values), sum((column[n] for column in values), Decimal(0)))
        for n, day in enumerate(days)
    ]
    data = {
        "unit": measure,
        "labels": [date_format(day, "D j M" if not isinstance(day, datetime) else "j M H:i") for day in days],
        "series": [
            {"name": name, "values": [float(value) for value in column]}
            for name, column in zip(names, values, strict=True)
        ],
    }
    is_empty = not any(point.totals.requests for series in points for point in series)
    return Chart(data, names, tuple(reversed(table[-_MAX_TABLE_ROWS:])), is_empty)


def _name(layer: Layer) -> str:
    return REST if layer.label is None else str(layer.label.name) or NAMELESS
