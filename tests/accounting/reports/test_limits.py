from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounting.admission import periods
from accounting.models import Limit, LimitCounter
from accounting.reports import Viewer
from accounting.reports.limits import fills, own_budgets
from tests.accounting.company import Company, settle


def _budget(amount: int, *, period: str = "month", **values: Any) -> Limit:
    return Limit.objects.create(kind="budget", period=period, amount=Decimal(amount), **values)


@pytest.fixture
def limits(company: Company) -> dict[str, Limit]:
    return {
        "gateway": _budget(1000, scope="gateway"),
        "red": _budget(100, scope="team", team=company.red),
        "blue": _budget(100, scope="team", team=company.blue),
        "bob": _budget(10, scope="user", user=company["bob"], period="day"),
        "bob's": _budget(5, scope="key", key=company.keys["bob"], period="total"),
        "carl": _budget(10, scope="user", user=company["carl"]),
    }


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("bob", {"red", "bob", "bob's"}),
        ("eve", {"red"}),
        ("ada", {"red", "bob", "bob's"}),
        ("grace", {"blue", "carl"}),
        ("root", {"gateway", "red", "blue", "bob", "bob's", "carl"}),
    ],
)
def test_who_sees_which_limits(company: Company, limits: dict[str, Limit], who: str, seen: set[str]) -> None:
    names = {limit.pk: name for name, limit in limits.items()}
    assert {names[fill.limit.pk] for fill in fills(Viewer.of_user(company[who]))} == seen


def test_a_budget_counts_in_its_current_window(
    company: Company, limits: dict[str, Limit], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    window = periods.start("day", now)
    LimitCounter.objects.create(
        limit=limits["bob"], window=window, spent=Decimal(9), reserved=Decimal("0.5"), granted=Decimal(2)
    )
    LimitCounter.objects.create(limit=limits["bob"], window=window - 86_400, spent=Decimal(99))
    viewer = Viewer.of_user(company["bob"])
    with django_assert_num_queries(4):  # two budgets have met no request yet
        found = {fill.limit.pk: fill for fill in fills(viewer)}
    fill = found[limits["bob"].pk]
    assert (fill.used, fill.held, fill.allowed, fill.left) == (9, Decimal("0.5"), 12, Decimal("2.5"))
    assert (fill.percent, fill.is_soft) == (75, False)
    assert fill.resets_at is not None
    assert fill.resets_at > now
    assert found[limits["bob's"].pk].resets_at is None
    assert own_budgets(viewer)[0] == fill


def test_own_budgets_are_those_that_hold_oneself(company: Company, limits: dict[str, Limit]) -> None:
    found = [fill.limit for fill in own_budgets(Viewer.of_user(company["ada"]))]
    assert found == [limits["red"]]
    service = Viewer(None, frozenset({company.red.pk}))
    assert limits["red"] in [fill.limit for fill in own_budgets(service)]


def test_rates_and_requests_in_flight(company: Company) -> None:
    rate = Limit.objects.create(scope="user", user=company["bob"], kind="requests_per_minute", count=60)
    flight = Limit.objects.create(scope="user", user=company["bob"], kind="concurrent_requests", count=4)
    LimitCounter.objects.create(limit=rate, arrival=int((time.time() + 30) * 1_000_000))
    LimitCounter.objects.create(limit=flight, in_flight=4)
    found = {fill.limit.pk: fill for fill in fills(Viewer.of_user(company["bob"]))}
    assert 28 <= found[rate.pk].used <= 30
    assert (found[flight.pk].used, found[flight.pk].left, found[flight.pk].percent) == (4, 0, 100)
    assert not found[rate.pk].is_budget


def test_a_limit_of_nothing_is_full(company: Company) -> None:
    _budget(0, scope="user", user=company["bob"])
    (fill,) = fills(Viewer.of_user(company["bob"]))
    assert (fill.percent, fill.left) == (100, 0)


def test_a_budget_that_no_request_has_met_begins_with_what_its_period_has_cost(company: Company) -> None:
    _budget(10, scope="user", user=company["bob"])
    settle(company, "bob", day=timezone.now().date(), cost=Decimal(3))
    (fill,) = fills(Viewer.of_user(company["bob"]))
    assert fill.left == 7
