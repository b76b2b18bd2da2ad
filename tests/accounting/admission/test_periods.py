"""When a budget's period begins and ends: in the gateway's time zone, wherever whoever looks at it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from accounting.admission import changes, periods
from accounting.models import DailyUsage, Limit, LimitCounter
from accounting.reports.limits import measure

ZONES = ("UTC", "America/New_York", "Asia/Tokyo")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("period", "following"), [("day", date(2026, 3, 11)), ("week", date(2026, 3, 16)), ("month", date(2026, 4, 1))]
)
@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_period_ends_for_everybody_at_once(zone: str, period: str, following: date, hour: int) -> None:
    with timezone.override(zone):
        ends = periods.end(period, datetime(2026, 3, 10, hour, tzinfo=UTC))
    assert ends == datetime(following.year, following.month, following.day, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ZONES)
def test_a_budget_begins_with_what_its_period_has_cost_wherever_it_is_changed_from(zone: str) -> None:
    """The first who looks at it, or grants to it, may be a day ahead of the gateway, or behind it."""
    limit = Limit.objects.create(scope="gateway", kind="budget", period="day", amount=Decimal(100))
    today = timezone.now().astimezone(UTC).date()
    DailyUsage.objects.create(id="00000000-0000-0000-0000-000000000001", day=today, outcome="complete", cost=Decimal(7))
    with timezone.override(zone):
        (fill,) = measure([limit])
        assert fill.used == 7
        changes.grant(limit, Decimal(1), None)
    assert LimitCounter.objects.get().spent == 7
