"""Counters of limits, locked for the length of a transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Sum

from accounting import statements
from accounting.models import DailyUsage, Limit, LimitCounter
from accounting.models.money import to_units
from accounting.statements import Upsert, places

from . import periods
from .policies import Policies, Policy

Key = tuple[int, int]  # limit, window

_TABLE: Final = LimitCounter._meta.db_table
_MADE: Final = Upsert(
    _TABLE,
    ("limit_id", '"window"', "spent", "reserved", "granted", "in_flight", "arrival"),
    conflict=("limit_id", '"window"'),
)
_CHANGED: Final = ("spent", "reserved", "in_flight", "arrival", "warned_at")
# Only rows that are locked are written back, so each of them is there, and nothing is ever inserted.
_WRITTEN: Final = Upsert(
    _TABLE, ("id", "limit_id", '"window"', "granted", *_CHANGED), conflict=("id",), replaced=_CHANGED
)
_FIELDS: Final = ("id", "limit_id", '"window"', "spent", "reserved", "granted", "in_flight", "arrival", "warned_at")
_READ: Final = f"SELECT {', '.join(_FIELDS)} FROM {_TABLE}"  # noqa: S608 (our own names)
_SUBJECTS: Final = {
    Limit.Scope.TEAM.value: "team_id",
    Limit.Scope.USER.value: "user_id",
    Limit.Scope.KEY.value: "key_id",
}


@dataclass(slots=True)
class Counter:
    """A locked counter. Money in units of 1e-10 dollars; ``arrival`` in microseconds since 1970.

    ``warned_at`` is as the database gives it, or a new moment; that there is one is all that is asked here.
    """

    id: int
    spent: int
    reserved: int
    granted: int
    in_flight: int
    arrival: int
    warned_at: Any


class Counters:
    """Counters as they stand in the current transaction. ``lock`` once, change at will, ``write`` once."""

    def __init__(self) -> None:
        self._held: dict[Key, Counter] = {}

    def get(self, limit_id: int, window: int) -> Counter | None:
        """None where the limit is gone."""
        return self._held.get((limit_id, window))

    def lock(self, keys: Iterable[Key], policies: Policies) -> None:
        """Locks the counters of ``keys``, in order, and makes those that are missing.

        A budget's new counter begins with what its period has already cost, so that a budget made in the middle of a
        month counts the whole month.
        """
        wanted = set(keys)
        if not wanted:
            return
        self._read(wanted)
        missing = sorted(key for key in wanted - set(self._held) if key[0] in policies.by_id)
        if not missing:
            return
        _MADE.write([(*key, 0, 0, 0, 0, 0) for key in missing])
        self._read(wanted)
        for limit_id, window in missing:
            counter, policy = self._held[limit_id, window], policies.by_id[limit_id]
            if policy.is_budget and not counter.spent:
                counter.spent = spent_in(policy, window)

    def write(self) -> None:
        _WRITTEN.write(
            [
                (
                    *(each.id, *key, each.granted),
                    *(each.spent, each.reserved, each.in_flight, each.arrival, _moment(each.warned_at)),
                )
                for key, each in sorted(self._held.items())
            ]
        )

    def _read(self, wanted: set[Key]) -> None:
        limits, windows = sorted({limit for limit, _ in wanted}), sorted({window for _, window in wanted})
        found = statements.lock(
            f'{_READ} WHERE limit_id IN ({places(len(limits))}) AND "window" IN ({places(len(windows))})'
            ' ORDER BY limit_id, "window"',
            (*limits, *windows),
        )
        for pk, limit_id, window, *figures in found:
            if (limit_id, window) in wanted:
                self._held[limit_id, window] = Counter(pk, *figures)


def _moment(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def spent_in(policy: Policy, window: int) -> int:
    """What the roll-ups say a budget's window has cost, in units of 1e-10 dollars."""
    usage = DailyUsage.objects.all()
    first = periods.first_day(window)
    if first is not None:
        last = periods.end(policy.period, datetime.fromtimestamp(window, periods.zone()))
        usage = usage.filter(day__gte=first) if last is None else usage.filter(day__gte=first, day__lt=last.date())
    if policy.scope in _SUBJECTS:
        usage = usage.filter(**{_SUBJECTS[policy.scope]: policy.subject_id})
    sums = usage.order_by().values_list("asked_model", "tier", "model").annotate(total=Sum("cost"))
    return sum(to_units(total) for asked, tier, model, total in sums if policy.covers(asked, tier, model))
