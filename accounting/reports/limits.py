"""How full limits are: what is used, what is left, and when it begins again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounting.admission import periods
from accounting.admission.counters import spent_in
from accounting.admission.policies import Policy
from accounting.models import Limit, LimitCounter
from accounting.models.money import from_units

from .viewer import Viewer

_MINUTE: Final = 60_000_000  # microseconds
Kind = Limit.Kind
_NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Fill:
    """One limit now. Of a budget the figures are US dollars, of the others requests or tokens.

    ``held`` is reserved by requests in flight, beside ``used``. ``allowed`` includes what was granted on top.
    """

    limit: Limit
    used: Decimal
    held: Decimal
    allowed: Decimal
    resets_at: datetime | None

    @property
    def left(self) -> Decimal:
        return max(self.allowed - self.used - self.held, _NONE)

    @property
    def percent(self) -> float:
        """How much of it is used, 0 to 100 and beyond; 100 of nothing at all."""
        return float(self.used * 100 / self.allowed) if self.allowed else 100.0

    @property
    def is_soft(self) -> bool:
        """Whether it is filled to its threshold."""
        return self.percent >= self.limit.soft_percent

    @property
    def is_budget(self) -> bool:
        return self.limit.kind == Kind.BUDGET


def seen_limits(viewer: Viewer) -> QuerySet[Limit]:
    """An admin sees all; others what holds them, their keys and teams, and what holds those they answer for."""
    limits: QuerySet[Limit] = Limit.objects.select_related("user", "team", "key").order_by("id")
    if viewer.is_admin:
        return limits
    return limits.filter(
        Q(user__in=viewer.seen_people()) | Q(team__in=viewer.seen_teams()) | Q(key__in=viewer.seen_keys())
    )


def fills(viewer: Viewer, *, limits: QuerySet[Limit] | None = None) -> tuple[Fill, ...]:
    """How full ``limits`` are, by default all that the viewer may see and that are enabled."""
    found = list(seen_limits(viewer).filter(enabled=True) if limits is None else limits)
    return measure(found)


def own_budgets(viewer: Viewer) -> tuple[Fill, ...]:
    """The budgets that hold the viewer's own requests, the least left first: their own, their teams'."""
    limits = seen_limits(viewer).filter(kind=Kind.BUDGET, enabled=True)
    if viewer.user_id is not None:
        own = Q(user=viewer.user_id) | Q(key__user=viewer.user_id) | Q(team__memberships__user=viewer.user_id)
        limits = limits.filter(own).distinct()
    return tuple(sorted(measure(list(limits)), key=lambda fill: (fill.left, fill.limit.pk)))


def measure(limits: list[Limit]) -> tuple[Fill, ...]:
    """How full ``limits`` are, in their order. One query, and one for each budget that no request has met so far."""
    now = timezone.now()
    windows = {limit.pk: periods.start(limit.period, now) for limit in limits}
    counters = LimitCounter.objects.filter(limit__in=limits, window__in=set(windows.values()))
    current = {counter.limit_id: counter for counter in counters if windows[counter.limit_id] == counter.window}
    return tuple(_fill(limit, current.get(limit.pk) or _unmet(limit, windows[limit.pk]), now) for limit in limits)


def _unmet(limit: Limit, window: int) -> LimitCounter:
    """What the counter is going to be when the first request makes it: a budget begins with its period's cost."""
    spent = from_units(spent_in(Policy.of(limit), window)) if limit.kind == Kind.BUDGET else _NONE
    return LimitCounter(limit=limit, window=window, spent=spent)


def _fill(limit: Limit, counter: LimitCounter, now: datetime) -> Fill:
    if limit.kind == Kind.BUDGET:
        spent, reserved, granted = (
            Decimal(amount or 0) for amount in (counter.spent, counter.reserved, counter.granted)
        )
        ends = periods.end(limit.period, now)
        return Fill(limit, spent, reserved, Decimal(limit.amount or 0) + granted, ends)
    count = limit.count or 0
    if limit.kind == Kind.CONCURRENT_REQUESTS:
        return Fill(limit, Decimal(counter.in_flight), _NONE, Decimal(count), None)
    backlog = max(counter.arrival - int(now.timestamp() * 1_000_000), 0)
    return Fill(limit, Decimal(min(backlog * count // _MINUTE, count)), _NONE, Decimal(count), None)
