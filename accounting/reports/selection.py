"""What somebody asks to see: the only way from a report to the tables, so that no query can forget who is asking.

``tests/accounting/reports/test_selection.py`` holds that no other module here touches those tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import TruncDate

from accounting import replica
from accounting.models import DailyUsage, HourlyUsage, LedgerEntry, Summary
from accounting.summaries import KEPT, Seals, Spans

from .period import Period, whole_hour
from .viewer import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Narrows to one person, team, key, model and so on; None does not narrow. The models are exact names."""

    user_id: int | None = None
    team_id: int | None = None
    key_id: int | None = None
    asked_model: str | None = None
    tier: str | None = None
    provider: str | None = None
    model: str | None = None
    outcome: str | None = None

    def as_lookups(self) -> dict[str, Any]:
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}


@dataclass(frozen=True, slots=True)
class Selection:
    """What ``viewer`` may see of ``period``, narrowed by ``filters``."""

    viewer: Viewer
    period: Period
    filters: Filters = Filters()
    seals: Seals = field(default_factory=Seals, compare=False, repr=False)

    def during(self, period: Period) -> Selection:
        return replace(self, period=period)

    def narrowed(self, **filters: Any) -> Selection:
        return replace(self, filters=replace(self.filters, **filters))

    def days(self) -> QuerySet[Any]:
        """Roll-up rows with ``date``, the day they belong to in the period's time zone.

        In another time zone than the settings' an hour belongs to the day it begins in: where the zone's offset is
        not of whole hours, the part of an hour at midnight counts for the day before.
        """
        if self.period.is_of_days_as_kept:
            rows = DailyUsage.objects.filter(day__gte=self.period.first, day__lte=self.period.last)
            kept: QuerySet[Any] = self._seen(rows).annotate(date=F("day"))
            return kept
        made: QuerySet[Any] = self.hours().annotate(date=TruncDate("hour", tzinfo=self.period.tz))
        return made

    def parts(self, columns: Iterable[str], *, by_day: bool = False) -> tuple[QuerySet[Any], ...]:
        """Rows to be summed by ``columns``: their sums together are the period's, and no day is in two of them.

        Those of ``days``, or summaries for what is sealed and ``days`` for the rest; ``date`` is good with ``by_day``.
        """
        cut = self._cut({*columns, *self.filters.as_lookups()} - {"date"})
        if cut is None:
            return (self.days(),)
        spans = self.seals.spans(self.period.first, self.period.last, by_day=by_day)
        parts = []
        if spans.months or spans.sealed:
            rows = Summary.objects.using(self.seals.alias).filter(_within(cut, spans), **self.filters.as_lookups())
            parts.append(rows.order_by().annotate(date=F("start")))
        if spans.open:
            parts.append(self.days().filter(_among("day", spans.open)))
        return tuple(parts)

    def _cut(self, needed: set[str]) -> Summary.Cut | None:
        """The summaries that have all that is ``needed``, and for this viewer; None where none have."""
        if not self.period.is_of_days_as_kept:
            return None
        if not self.viewer.sees_all_of(self.filters.user_id, self.filters.team_id):
            return None  # what they may see of it depends on columns that summaries do not have together
        return next((cut for cut, kept in KEPT.items() if needed.issubset(kept)), None)

    def hours(self) -> QuerySet[Any]:
        """Roll-up rows with ``hour``, in UTC, as the hourly roll-up keeps them."""
        return self._seen(HourlyUsage.objects.filter(hour__gte=whole_hour(self.period.start), hour__lt=self.period.end))

    def entries(self) -> QuerySet[LedgerEntry]:
        """Ledger rows by the time they began, open ones included; to be read by index, a bounded number at a time."""
        return self._seen(LedgerEntry.objects.filter(started_at__gte=self.period.start, started_at__lt=self.period.end))

    def ever(self) -> QuerySet[LedgerEntry]:
        """Ledger rows of any time; for one that is named."""
        return self._seen(LedgerEntry.objects.all())

    def session(self, session_id: str) -> QuerySet[LedgerEntry]:
        """Ledger rows of one session, whenever they began; read by index."""
        # The index holds rows with a session alone, and a database uses it where a query says as much.
        return self._seen(LedgerEntry.objects.filter(session_id=session_id).exclude(session_id=""))

    def latest(self, count: int) -> QuerySet[LedgerEntry]:
        """The ``count`` latest settled rows of the period, for what only a sample can tell."""
        entries: QuerySet[LedgerEntry] = self.entries().filter(state=LedgerEntry.State.SETTLED)
        return entries.order_by("-started_at")[:count]

    def _seen(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.using(replica.alias()).filter(self.viewer.condition(), **self.filters.as_lookups()).order_by()


def _within(cut: Summary.Cut, spans: Spans) -> Q:
    """Each alternative with all that an index takes: PostgreSQL finds no way to one from a condition outside."""
    found = Q(cut=cut, grain=Summary.Grain.MONTH, start__in=spans.months) if spans.months else Q()
    for first, last in _ranges(spans.sealed):
        found |= Q(cut=cut, grain=Summary.Grain.DAY, start__range=(first, last))
    return found


def _among(column: str, days: tuple[date, ...]) -> Q:
    found = Q()
    for first, last in _ranges(days):
        found |= Q(**{f"{column}__range": (first, last)})
    return found


def _ranges(days: tuple[date, ...]) -> list[tuple[date, date]]:
    """Days in order, as the unbroken ranges that they make: usually one."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
