"""Summaries: whatever is sealed, reports say the same; and whatever changes a day's sums breaks its seal."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from accounting import rebuilding, summaries
from accounting.identity import Caller
from accounting.ledger.booking import Booking, End, Row
from accounting.ledger.leases import Lease
from accounting.ledger.posting import Known
from accounting.models import DailyUsage, Seal, Summary
from accounting.reports import Filters, Period, Selection, Viewer
from accounting.reports.repricing import unpriced
from accounting.reports.usage import Dimension, breakdown, layers, series, totals
from accounting.rollups import Rollups
from accounting.summaries import Grain
from accounting.tokens import Tokens
from accounting.uuids import uuid7
from tests.accounting.company import Company, settle
from tests.accounting.management.commands.usage import fill, run

pytestmark = pytest.mark.django_db
TODAY = datetime.now(UTC).date()
MONTH = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)  # the last that is over
PERIOD = Period(MONTH - timedelta(days=3), TODAY, ZoneInfo("UTC"))


@pytest.fixture
def busy(company: Company) -> Company:
    """Usage of everybody on days before, in and after the month, today too."""
    for number, who in enumerate(company.keys):
        for day in (MONTH - timedelta(days=2), MONTH, MONTH + timedelta(days=number), MONTH.replace(day=28), TODAY):
            settle(company, who, day=day, cost=Decimal(number), model=f"model-{number % 3}", unpriced=number % 2)
            settle(company, who, day=day, hour=1, outcome="interrupted", requests=2)
    return company


def _row(day: date) -> Row:
    at = datetime.combine(day, time(12), UTC)
    row = Row(Caller(0, "", 1, "someone", 1, "some"), Booking("req_1", model="m", provider="p"), uuid7(at), at)
    row.end(End("complete", Tokens(input=7)))
    return row


def _settle(day: date) -> None:
    sums = Rollups()
    sums.add(_row(day))
    with transaction.atomic():
        sums.write()


def _said(company: Company, who: str, **filters: Any) -> list[Any]:
    """Everything that reports on the roll-ups say."""
    selection = Selection(Viewer.of_user(company[who]), PERIOD, Filters(**filters))
    pairs = [(Dimension.TEAM, Dimension.MODEL), (Dimension.USER, Dimension.MODEL), (Dimension.DAY, Dimension.USER)]
    return [
        totals(selection),
        series(selection),
        unpriced(selection),
        *(breakdown(selection, (one,)) for one in Dimension),
        *(breakdown(selection, pair, limit=limit) for pair in pairs for limit in (5, 1000)),
        *(layers(selection, one, top=2) for one in Dimension if one is not Dimension.DAY),
    ]


@pytest.mark.parametrize("sealed", ["days", "months", "some"])
@pytest.mark.parametrize(
    ("who", "team"), [("root", None), ("root", "red"), ("ada", "red"), ("ada", None), ("bob", None)]
)
def test_reports_say_the_same_whatever_is_sealed(busy: Company, who: str, team: str | None, sealed: str) -> None:
    filters = {"team_id": getattr(busy, team).pk} if team else {}
    before = _said(busy, who, **filters)
    for number, (grain, start) in enumerate(summaries.due()):
        if grain == Grain.DAY and (sealed != "some" or number % 2):
            assert summaries.seal(grain, start)
        if grain == Grain.MONTH and sealed == "months":
            assert summaries.seal(grain, start)
    assert Summary.objects.exists()
    assert _said(busy, who, **filters) == before
    assert _said(busy, who, model="model-1", **filters) == _said_unsealed(busy, who, model="model-1", **filters)


def _said_unsealed(company: Company, who: str, **filters: Any) -> list[Any]:
    Seal.objects.all().delete()
    return _said(company, who, **filters)


def test_reports_read_summaries_of_what_is_sealed(busy: Company) -> None:
    rebuilding.seal()
    Summary.objects.filter(grain=Grain.DAY).update(requests=1000)
    Summary.objects.filter(grain=Grain.MONTH).update(requests=5000)
    selection = Selection(Viewer.of_user(busy["root"]), Period(MONTH, MONTH + timedelta(days=1), PERIOD.tz))
    assert totals(selection).requests % 1000 == 0
    month = selection.during(Period.month(PERIOD.tz, of=MONTH))
    assert totals(month).requests % 5000 == 0


def test_a_day_is_due_once_it_is_over_for_every_clock(busy: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour, due in ((0, False), (1, True)):
        now = datetime.combine(TODAY + timedelta(days=1), time(hour, 30), UTC)
        monkeypatch.setattr("django.utils.timezone.now", lambda now=now: now)
        assert ((Grain.DAY, TODAY) in summaries.due()) is due


def test_a_month_waits_for_its_days(busy: Company) -> None:
    assert not summaries.seal(Grain.MONTH, MONTH)
    rebuilding.seal()
    assert set(Seal.objects.filter(grain=Grain.MONTH).values_list("start", flat=True)) >= {MONTH}
    assert summaries.due() == []
    assert summaries.seal(Grain.MONTH, MONTH)  # again: nothing happens


def test_a_late_settlement_breaks_the_seals_of_its_day_and_month(busy: Company) -> None:
    rebuilding.seal()
    _settle(MONTH)
    open_again = summaries.due()
    assert open_again == [(Grain.DAY, MONTH), (Grain.MONTH, MONTH)]
    selection = Selection(Viewer.of_user(busy["root"]), Period(MONTH, MONTH, PERIOD.tz))
    assert totals(selection).input_tokens == sum(
        DailyUsage.objects.filter(day=MONTH).values_list("input_tokens", flat=True)
    )
    rebuilding.seal()
    assert summaries.mend(Grain.DAY, MONTH, write=False) == summaries.mend(Grain.MONTH, MONTH, write=False) == 0


def test_todays_settlements_pay_nothing_for_it(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        summaries.reopen({TODAY})


def test_rebuilding_proves_summaries(busy: Company) -> None:
    fill(days=40)
    run("rebuild_rollups")
    assert "equal the ledger" in run("rebuild_rollups", "--check")
    one = Summary.objects.filter(grain=Grain.DAY, cut="people", start__gt=TODAY - timedelta(days=20)).order_by("pk")[0]
    Summary.objects.filter(pk=one.pk).update(cost=one.cost + 1)
    with pytest.raises(CommandError, match="1 sums differ"):
        run("rebuild_rollups", "--check")
    assert "Mended 1 sums" in run("rebuild_rollups")
    assert "equal the ledger" in run("rebuild_rollups", "--check")
    assert summaries.due() == []


def test_a_worker_seals_one_span_a_beat(busy: Company) -> None:
    lease = Lease(uuid7(datetime.now(UTC)), 60)
    waiting = len(summaries.due())
    for beat in (1, 2, 3):
        lease.tend(Known(None))
        assert len(summaries.due()) == waiting - beat


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one transaction after the other")
@pytest.mark.django_db(transaction=True)
def test_a_settlement_in_flight_is_in_the_summary_or_breaks_the_seal(company: Company) -> None:
    settle(company, "bob", day=MONTH)
    sealing = threading.Thread(target=_seal_elsewhere)
    with transaction.atomic():
        _settle(MONTH)
        sealing.start()
        sealing.join(0.5)
        assert sealing.is_alive()  # it waits for what is not committed yet
    sealing.join(30)
    assert Seal.objects.filter(grain=Grain.DAY, start=MONTH).exists()
    assert summaries.mend(Grain.DAY, MONTH, write=False) == 0
    assert sum(Summary.objects.filter(cut="models").values_list("requests", flat=True)) == 2


def _seal_elsewhere() -> None:
    try:
        summaries.seal(Grain.DAY, MONTH)
    finally:
        connection.close()
