"""Summaries: the daily sums of days that are over, added up without people or without models, and by the month.

A company's day is thousands of daily sums, of which a report wants a few dozen. Nothing is added to a summary while
requests settle, where all workers would wait for one row: a day is *sealed* once it is over, and whatever changes one
of its daily sums later (a late settlement, a correction, a new price) breaks the seal in the same transaction. Readers
take sealed spans from the summaries and all else from the daily sums, so that a report is exact at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Min, Q
from django.utils import timezone

from . import replica
from .models import DailyUsage, HourlyUsage, Seal, Summary
from .models.rollups import DIMENSIONS, MEASURES

Cut, Grain = Summary.Cut, Summary.Grain
KEPT: Final[dict[Summary.Cut, tuple[str, ...]]] = {
    Cut.MODELS: ("team_id", "team_name", "asked_model", "tier", "provider", "model", "outcome"),
    Cut.PEOPLE: ("user_id", "user_name", "team_id", "team_name", "key_id", "key_name"),
}
"""The dimensions that each cut keeps."""
_PATIENCE: Final = timedelta(hours=1)  # workers' clocks may differ by so much
_DAILY: Final = DailyUsage._meta.db_table
_SUMMARY: Final = Summary._meta.db_table


@dataclass(frozen=True, slots=True)
class Spans:
    """A period in parts: whole months and days that are sealed, and days that are to be read from the daily sums."""

    months: tuple[date, ...]
    sealed: tuple[date, ...]
    open: tuple[date, ...]


class Seals:
    """Every seal there is, read once when first asked for: what one report page stands on."""

    def __init__(self) -> None:
        self._known: set[tuple[str, date]] | None = None
        self.alias = replica.alias()  # where the summaries are read too: another database may not have them yet

    def spans(self, first: date, last: date, *, by_day: bool) -> Spans:
        """The parts of ``first`` to ``last``; with ``by_day`` no days are put together to months."""
        if self._known is None:
            self._known = set(Seal.objects.using(self.alias).values_list("grain", "start"))
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        months = set() if by_day else {day for day in days if day.day == 1 and self._holds(day, last)}
        loose = [day for day in days if month_of(day) not in months]
        return Spans(
            tuple(sorted(months)),
            tuple(day for day in loose if (Grain.DAY, day) in self._known),
            tuple(day for day in loose if (Grain.DAY, day) not in self._known),
        )

    def _holds(self, month: date, last: date) -> bool:
        return (Grain.MONTH, month) in (self._known or ()) and following(Grain.MONTH, month) <= last + timedelta(days=1)


def reopen(days: Iterable[date]) -> None:
    """Breaks the seals of days whose sums were changed in this transaction. Costs nothing for today."""
    past = set(days) - {_local_day()}
    if past:
        months = {month_of(day) for day in past}
        Seal.objects.filter(Q(grain=Grain.DAY, start__in=past) | Q(grain=Grain.MONTH, start__in=months)).delete()


def due() -> list[tuple[Summary.Grain, date]]:
    """The spans that are over and not sealed: days, the latest first, then months."""
    first = DailyUsage.objects.aggregate(first=Min("day"))["first"]
    if first is None:
        return []
    sealed = set(Seal.objects.values_list("grain", "start"))
    last = _local_day(_PATIENCE) - timedelta(days=1)
    days = [last - timedelta(days=number) for number in range((last - first).days + 1)]
    months = sorted(month for month in {month_of(day) for day in days} if month < month_of(last + timedelta(days=1)))
    spans = [(Grain.DAY, day) for day in days] + [(Grain.MONTH, month) for month in months]
    return [span for span in spans if span not in sealed]


def seal(grain: Summary.Grain, start: date) -> bool:
    """Makes the summaries of a span and seals it. A month with days that are not sealed is let be: False.

    Settlements wait meanwhile: some milliseconds for a day.
    """
    if Seal.objects.filter(grain=grain, start=start).exists():
        return True
    with transaction.atomic():
        keep_settlements_waiting()
        if Seal.objects.filter(grain=grain, start=start).exists():
            return True
        if grain == Grain.MONTH and not _is_whole(start):
            return False
        Summary.objects.filter(grain=grain, start=start).delete()
        for cut in Cut:
            _write(cut, grain, start)
        Seal.objects.create(grain=grain, start=start)
    return True


def mend(grain: Summary.Grain, start: date, *, write: bool) -> int:
    """How many summaries of a sealed span differ from its daily sums; with ``write`` its seal is broken then.

    For a transaction that keeps settlements waiting.
    """
    if not Seal.objects.filter(grain=grain, start=start).exists():
        return 0
    different = 0
    for cut, kept in KEPT.items():
        expected = _fetch(kept, _DAILY, "day >= %s AND day < %s", [start, following(grain, start)])
        stored = _fetch(kept, _SUMMARY, "cut = %s AND grain = %s AND start = %s", [cut, grain, start])
        different += sum(expected.get(key) != stored.get(key) for key in expected.keys() | stored.keys())
    if write and different:
        Seal.objects.filter(Q(grain=grain, start=start) | Q(grain=Grain.MONTH, start=month_of(start))).delete()
    return different


def keep_settlements_waiting() -> None:
    """Nothing is added to the roll-ups until the transaction ends. On SQLite every transaction is alone anyway."""
    if connection.vendor == "postgresql":
        tables = f"{HourlyUsage._meta.db_table}, {_DAILY}"
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")


def following(grain: Summary.Grain, start: date) -> date:
    """The first day after a span."""
    return month_of(start + timedelta(days=32)) if grain == Grain.MONTH else start + timedelta(days=1)


def month_of(day: date) -> date:
    return day.replace(day=1)


def _local_day(earlier: timedelta = timedelta()) -> date:
    """Today in the time zone of the settings, as the daily sums have it."""
    return timezone.localdate(timezone.now() - earlier, timezone.get_default_timezone())


def _is_whole(month: date) -> bool:
    """Whether each of a month's days with usage is sealed."""
    end = following(Grain.MONTH, month)
    sealed = Seal.objects.filter(grain=Grain.DAY, start__gte=month, start__lt=end).values("start")
    return not DailyUsage.objects.filter(day__gte=month, day__lt=end).exclude(day__in=sealed).exists()


def _write(cut: Summary.Cut, grain: Summary.Grain, start: date) -> None:
    """One statement: a day's from its daily sums, a month's from the summaries of its days."""
    kept = KEPT[cut]
    empty = {name: "0" if name.endswith("_id") else "''" for name in DIMENSIONS if name not in kept}
    parameters: list[Any] = [cut, grain, start]
    if grain == Grain.DAY:
        source, condition = _DAILY, "day = %s"
        parameters += [start]
    else:
        source, condition = _SUMMARY, "cut = %s AND grain = %s AND start >= %s AND start < %s"
        parameters += [cut, Grain.DAY, start, following(grain, start)]
    columns = ", ".join(("cut", "grain", "start", *kept, *MEASURES, *empty))
    chosen = ", ".join((*kept, *MEASURES, *empty.values()))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_SUMMARY} ({columns}) SELECT %s, %s, %s, {chosen} "  # noqa: S608 (our own names)
            f"FROM ({_sums(kept, source, condition)}) AS sums",
            _adapted(parameters),
        )


def _sums(kept: tuple[str, ...], table: str, condition: str) -> str:
    by = ", ".join(kept)
    sums = ", ".join(f"SUM({name}) AS {name}" for name in MEASURES)
    return f"SELECT {by}, {sums} FROM {table} WHERE {condition} GROUP BY {by}"  # noqa: S608 (our own names)


def _fetch(
    kept: tuple[str, ...], table: str, condition: str, parameters: list[Any]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Sums by the dimensions of a cut. What has come to nothing, because it was corrected, is as good as none."""
    with connection.cursor() as cursor:
        cursor.execute(_sums(kept, table, condition), _adapted(parameters))
        rows = cursor.fetchall()
    return {row[: len(kept)]: row[len(kept) :] for row in rows if any(row[len(kept) :])}


def _adapted(parameters: list[Any]) -> list[Any]:
    adapt = connection.ops.adapt_datefield_value
    return [adapt(value) if isinstance(value, date) else str(value) for value in parameters]
