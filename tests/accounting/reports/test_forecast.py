from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounting.reports import Period, Selection
from accounting.reports.forecast import forecast, project
from tests.accounting.company import Company, settle

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31), ZoneInfo("UTC"))
TODAY = date(2026, 3, 18)  # a Wednesday


def _days(back: int) -> list[date]:
    return [TODAY - timedelta(days=n) for n in range(1, back + 1)]


def test_weekends_are_expected_to_be_weekends() -> None:
    spent = {day: Decimal(10 if day.weekday() < 5 else 0) for day in _days(28)} | {TODAY: Decimal(4)}
    found = project(MARCH, TODAY, spent)
    assert found.so_far == 12 * 10 + 4
    assert found.expected == found.so_far + 6 + 9 * 10  # the rest of today, and nine weekdays to come
    assert found.low == found.high == found.expected
    assert found.days_known == 28


def test_days_before_the_first_use_are_no_history() -> None:
    spent = dict.fromkeys(_days(28), Decimal(0)) | {day: Decimal(10) for day in _days(2)}
    found = project(MARCH, TODAY, spent)
    assert found.days_known == 2
    assert found.expected == 20 + 14 * 10


def test_the_spread_holds_the_expectation() -> None:
    spent = {day: Decimal(day.day * 3 % 11) for day in _days(28)}
    found = project(MARCH, TODAY, spent)
    assert found.so_far <= found.low < found.expected < found.high


def test_without_history_nothing_is_made_up() -> None:
    found = project(MARCH, TODAY, {TODAY: Decimal(3)})
    assert (found.expected, found.low, found.high, found.days_known) == (3, 3, 3, 0)


def test_forecast_is_of_this_month(
    company: Company, everything: Selection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    today = timezone.now().date()
    settle(company, "bob", day=today, cost=Decimal(7))
    with django_assert_num_queries(2):  # the seals, the sums
        found = forecast(everything)
    assert found.month.first <= today <= found.month.last
    assert found.so_far == 7
    assert found.expected == pytest.approx(7)
