"""Roll-ups and budgets reckoned anew from what they sum: the proof that they are right, and the mend if they are not.

Each window of time is compared and mended in a transaction that keeps settlements waiting, for as long as one day's
rows take to add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Manager, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, TruncHour
from django.utils import timezone

from . import summaries
from .admission.counters import spent_in
from .admission.policies import Policies
from .models import DailyUsage, HourlyUsage, LedgerEntry, Limit, LimitCounter, MoneyField, Retention
from .models.money import from_units
from .models.rollups import DIMENSIONS, MEASURES
from .rollups import rollup_id

_SUMS: Final[dict[str, Any]] = {
    "requests": Count("pk"),
    "estimated": Count("pk", filter=Q(exact=False)),
    "unpriced": Count("pk", filter=Q(cost=None)),
    "streamed": Count("pk", filter=Q(streamed=True)),
    "cost": Coalesce(Sum("cost"), Value(0, output_field=MoneyField())),
    "first_bytes": Count("first_byte_ms"),
    **{
        name: Coalesce(Sum(name), 0) for name in MEASURES if name.endswith(("_tokens", "_ms")) or name == "web_searches"
    },
}
_IDS: Final = ("user_id", "team_id", "key_id")


@dataclass(frozen=True, slots=True)
class Window:
    """One day of one of the two roll-ups: hours are kept by the day of UTC, days by that of the settings."""

    model: type[HourlyUsage] | type[DailyUsage]
    day: date

    @property
    def zone(self) -> tzinfo:
        return UTC if self.model is HourlyUsage else timezone.get_default_timezone()

    @property
    def start(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=self.zone)

    @property
    def end(self) -> datetime:
        following = self.day + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=self.zone)

    @property
    def stored(self) -> QuerySet[Any]:
        if self.model is HourlyUsage:
            return HourlyUsage.objects.filter(hour__gte=self.start, hour__lt=self.end)
        return DailyUsage.objects.filter(day=self.day)


def windows(since: date | None = None, until: date | None = None) -> list[Window]:
    """Every day that the ledger or the roll-ups know, from ``since`` to ``until``, as far as the ledger is complete."""
    first, last = _known_days()
    if first is None or last is None:
        return []
    retention = Retention.objects.first()
    starts = [day for day in (since, retention.complete_since if retention else None) if day is not None]
    day = max([first, *starts])
    found: list[Window] = []
    while day <= min(last, until or last):
        found += [Window(HourlyUsage, day), Window(DailyUsage, day)]
        day += timedelta(days=1)
    return found


def _known_days() -> tuple[date | None, date | None]:
    rows = LedgerEntry.objects.order_by("pk")
    days = [
        timezone.localdate(moment) + margin
        for moment, margin in (
            (rows.values_list("started_at", flat=True).first(), -timedelta(days=1)),
            (rows.values_list("started_at", flat=True).last(), timedelta(days=1)),
        )
        if moment is not None
    ]
    kept = DailyUsage.objects.order_by("day").values_list("day", flat=True)
    days += [day for day in (kept.first(), kept.last()) if day is not None]
    return (min(days), max(days)) if days else (None, None)


def rebuild(window: Window, *, write: bool = True) -> int:
    """How many sums of a window differ from the ledger, its summaries included; with ``write`` they are mended."""
    with transaction.atomic():
        summaries.keep_settlements_waiting()
        expected = {row.pk: row for row in _expected(window)}
        stored = {row.pk: row for row in window.stored}
        wrong = [key for key, row in stored.items() if _measures(row) != _measures(expected.get(key))]
        missing = [row for key, row in expected.items() if key not in stored]
        if write:
            kept: Manager[Any] = window.model._default_manager
            kept.filter(pk__in=wrong).delete()
            mended = [expected[key] for key in wrong if key in expected]
            kept.bulk_create([*mended, *missing], batch_size=500)
        return len(wrong) + len(missing) + (0 if window.model is HourlyUsage else _mend_summaries(window.day, write))


def _mend_summaries(day: date, write: bool) -> int:
    """A day's summaries, and with the first of a month the month's."""
    different = summaries.mend(summaries.Grain.DAY, day, write=write)
    if day.day == 1:
        different += summaries.mend(summaries.Grain.MONTH, day, write=write)
    return different


def seal() -> int:
    """Seals every span that is over; returns how many it took."""
    return sum(summaries.seal(*span) for span in summaries.due())


def _expected(window: Window) -> Iterator[HourlyUsage | DailyUsage]:
    """The window's sums, as the ledger has them."""
    settled = LedgerEntry.objects.between(window.start, window.end).filter(state=LedgerEntry.State.SETTLED)
    # An id of 0 stands for nobody; the sums go by names of their own, for rows have fields of the same ones.
    ids = {f"by_{name}": Coalesce(F(name), 0) for name in _IDS}
    names = [name for name in DIMENSIONS if name not in _IDS]
    sums = {f"sum_{name}": expression for name, expression in _SUMS.items()}
    hourly = window.model is HourlyUsage
    spans = {"span": TruncHour("started_at", tzinfo=UTC)} if hourly else {}
    grouped = settled.order_by().annotate(**ids, **spans).values(*ids, *names, *spans).annotate(**sums)
    for group in grouped.iterator():
        dimensions = {name: group[f"by_{name}" if name in _IDS else name] for name in DIMENSIONS}
        measures = {name: group[f"sum_{name}"] for name in MEASURES}
        span = group["span"] if hourly else window.day
        key: UUID = rollup_id(span, tuple(dimensions[name] for name in DIMENSIONS))
        yield window.model(pk=key, **{"hour" if hourly else "day": span}, **dimensions, **measures)


def _measures(row: HourlyUsage | DailyUsage | None) -> tuple[Any, ...]:
    """A row's sums. One that has come to nothing, because what it counted was corrected, is as good as none."""
    return tuple(0 if row is None else getattr(row, name) for name in MEASURES)


def recount(*, write: bool = True) -> int:
    """How many budgets' counters differ from the roll-ups; with ``write`` they are mended."""
    policies = Policies.load()
    different = 0
    for key in LimitCounter.objects.filter(limit__kind=Limit.Kind.BUDGET).values_list("pk", flat=True):
        with transaction.atomic():
            counter = LimitCounter.objects.select_for_update().filter(pk=key).first()
            policy = policies.by_id.get(counter.limit_id) if counter else None
            if counter is None or policy is None:
                continue
            summaries.keep_settlements_waiting()
            spent = from_units(spent_in(policy, counter.window))
            if spent != counter.spent:
                different += 1
                if write:
                    LimitCounter.objects.filter(pk=key).update(spent=spent)
    return different
