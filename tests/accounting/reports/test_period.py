from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from accounting.reports.period import InvalidPeriod, Period, zone

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def test_a_day_has_23_hours_when_the_clocks_go_forward() -> None:
    period = Period(date(2026, 3, 29), date(2026, 3, 29), BERLIN)
    assert period.start == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert period.end == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert len(list(period.hours())) == 23


def test_the_period_before_a_month_is_a_month_and_before_days_as_many_days() -> None:
    march = Period.month(UTC_ZONE, of=date(2026, 3, 17))
    assert (march.first, march.last) == (date(2026, 3, 1), date(2026, 3, 31))
    assert (march.previous().first, march.previous().last) == (date(2026, 2, 1), date(2026, 2, 28))
    week = Period(date(2026, 3, 10), date(2026, 3, 16), UTC_ZONE)
    assert (week.previous().first, week.previous().last) == (date(2026, 3, 3), date(2026, 3, 9))


def test_only_the_gateways_own_days_are_kept() -> None:
    assert Period.today(UTC_ZONE).is_of_days_as_kept
    assert not Period.today(BERLIN).is_of_days_as_kept


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-03-02", "2026-03-01"),
        ("1970-01-01", "1970-01-02"),
        ("2001-01-01", "2020-01-01"),
        ("2099-12-31", "2100-01-01"),
    ],
)
def test_what_is_no_period(first: str, last: str) -> None:
    with pytest.raises(InvalidPeriod):
        Period(date.fromisoformat(first), date.fromisoformat(last), UTC_ZONE)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "\x00", "a" * 300])
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(InvalidPeriod):
        zone(name)
