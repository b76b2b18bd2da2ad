"""What the month is going to cost: what it has cost so far, and days to come like the same weekdays of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from statistics import fmean, pstdev
from typing import Final
from zoneinfo import ZoneInfo

from .period import Period
from .selection import Selection
from .usage import series

HISTORY_DAYS: Final = 28  # four of each weekday


@dataclass(frozen=True, slots=True)
class Forecast:
    """US dollars. ``low`` to ``high`` is where the month ends in about four cases of five, if days stay as they were.

    ``days_known`` are the days of history it stands on: 0 where there are none, and then nothing more is expected.
    """

    month: Period
    so_far: Decimal
    expected: Decimal
    low: Decimal
    high: Decimal
    days_known: int


def forecast(selection: Selection, *, tz: ZoneInfo | None = None) -> Forecast:
    """Of the month that today lies in, whatever the selection's period is."""
    today = Period.today(tz or selection.period.tz).last
    month = Period.month(tz or selection.period.tz, of=today)
    history = Period(min(today - timedelta(days=HISTORY_DAYS), month.first), today, month.tz)
    spent = {point.at: point.totals.cost for point in series(selection.during(history)) if isinstance(point.at, date)}
    return project(month, today, spent)


def project(month: Period, today: date, spent: dict[date, Decimal]) -> Forecast:
    """``spent`` by day, today's included; days before the first with spend are not history but a time before use."""
    so_far = sum((cost for day, cost in spent.items() if month.first <= day <= today), Decimal(0))
    past = sorted(day for day in spent if today - timedelta(days=HISTORY_DAYS) <= day < today)
    first = next((n for n, day in enumerate(past) if spent[day]), len(past))
    known = past[first:]
    if not known:
        return Forecast(month, so_far, so_far, so_far, so_far, 0)
    typical = {weekday: _typical(weekday, known, spent) for weekday in range(7)}
    rest = [today + timedelta(days=n) for n in range(1, (month.last - today).days + 1)]
    still_today = max(typical[today.weekday()] - float(spent.get(today, 0)), 0.0)
    more = still_today + sum(typical[day.weekday()] for day in rest)
    # Days differ from their weekday's mean independently: the error of a sum grows with the root of their number.
    spread = 1.28 * pstdev([float(spent[day]) - typical[day.weekday()] for day in known]) * sqrt(len(rest) + 1)
    return Forecast(
        month,
        so_far,
        so_far + _cents(more),
        so_far + _cents(max(more - spread, 0.0)),
        so_far + _cents(more + spread),
        len(known),
    )


def _typical(weekday: int, known: Sequence[date], spent: dict[date, Decimal]) -> float:
    """The weekday's mean; the mean of all days where that weekday has not been seen yet."""
    alike = [day for day in known if day.weekday() == weekday] or known
    return fmean(float(spent[day]) for day in alike)


def _cents(amount: float) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"))
