"""Roll-ups equal the ledger, or the command says so and mends them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import LazySettings
from django.core.management import CommandError
from django.db.models import Sum

from accounting import rebuilding
from accounting.identity import Caller
from accounting.ledger.booking import Booking, End, Row
from accounting.ledger.posting import Known, Opening, Settlement, post
from accounting.models import DailyUsage, HourlyUsage, LedgerEntry, Limit, LimitCounter
from accounting.tokens import Tokens
from accounting.uuids import uuid7

from .usage import fill, run

pytestmark = pytest.mark.django_db


def test_sums_that_are_right_are_left_alone() -> None:
    fill()
    before = set(DailyUsage.objects.values_list("pk", "requests", "cost"))
    assert "equal the ledger" in run("rebuild_rollups")
    assert set(DailyUsage.objects.values_list("pk", "requests", "cost")) == before
    for model in (HourlyUsage, DailyUsage):
        total = model.objects.aggregate(Sum("cost"), Sum("requests"))
        assert total["requests__sum"] == LedgerEntry.objects.count() == 120
        assert total["cost__sum"] == LedgerEntry.objects.aggregate(Sum("cost"))["cost__sum"]


def test_sums_that_are_wrong_are_found_and_mended() -> None:
    fill()
    day, hour = DailyUsage.objects.order_by("pk")[0], HourlyUsage.objects.order_by("pk")[0]
    DailyUsage.objects.filter(pk=day.pk).update(cost=day.cost + 1)
    HourlyUsage.objects.filter(pk=hour.pk).delete()
    DailyUsage.objects.create(id=uuid.uuid4(), day=day.day, outcome="complete", requests=1)
    with pytest.raises(CommandError, match="3 sums differ"):
        run("rebuild_rollups", "--check")
    with pytest.raises(CommandError, match="3 sums differ"):
        run("rebuild_rollups", "--check")  # checking changes nothing
    assert "Mended 3 sums" in run("rebuild_rollups")
    assert "equal the ledger" in run("rebuild_rollups", "--check")


def test_a_budget_that_is_wrong_is_found_and_mended() -> None:
    fill()
    limit = Limit.objects.create(scope="gateway", kind="budget", period="total", amount=5)
    counter = LimitCounter.objects.create(limit=limit, window=0, spent=Decimal(99), reserved=Decimal(1))
    with pytest.raises(CommandError, match="1 budgets"):
        run("rebuild_rollups", "--check")
    run("rebuild_rollups")
    counter.refresh_from_db()
    assert counter.spent == LedgerEntry.objects.aggregate(Sum("cost"))["cost__sum"]
    assert counter.reserved == 1


def test_only_the_days_asked_for() -> None:
    fill()
    DailyUsage.objects.all().delete()
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    run("rebuild_rollups", "--since", f"{yesterday}", "--until", f"{yesterday}")
    assert set(DailyUsage.objects.values_list("day", flat=True)) == {yesterday}


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Pacific/Auckland"])
def test_what_settling_adds_up_is_what_rebuilding_finds_in_any_time_zone(settings: LazySettings, zone: str) -> None:
    settings.TIME_ZONE = zone
    known = Known(worker=None)
    for hours in range(0, 60, 5):
        moment = datetime(2026, 11, 20, 18, 40, tzinfo=UTC) + timedelta(hours=hours)
        row = Row(Caller(1, "k", 1, "ada", None, ""), Booking(request_id=f"req_{hours}"), uuid7(moment), moment)
        post(known, [Opening(row, None)])
        post(known, [Settlement(row, End("complete", Tokens(input=hours), exact=True, first_byte_ms=hours))])
    assert not any(rebuilding.rebuild(window, write=False) for window in rebuilding.windows())
    assert DailyUsage.objects.count() > 2
