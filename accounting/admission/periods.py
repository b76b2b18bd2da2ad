"""When a budget's period begins and ends, in the time zone of the settings."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from django.utils import timezone

from accounting.models import Limit

Period = Limit.Period
_QUARTER: Final = 900  # seconds: every zone's days begin on a quarter of an hour


def zone() -> tzinfo:
    return timezone.get_default_timezone()


def start(period: str, moment: datetime) -> int:
    """The start of the period that ``moment`` lies in, in seconds since 1970; 0 for a total, which has none."""
    if not period or period == Period.TOTAL:
        return 0
    return _start(period, int(moment.timestamp()) // _QUARTER)


def end(period: str, moment: datetime) -> datetime | None:
    """When the period that ``moment`` lies in ends; None for a total."""
    if not period or period == Period.TOTAL:
        return None
    # Not Django's current zone: in a request that is the viewer's.
    return datetime.fromtimestamp(_window(period, moment.astimezone(zone()).date())[1], zone())


def first_day(window: int) -> date | None:
    """The day a window begins with; None for a total."""
    if not window:
        return None
    return datetime.fromtimestamp(window, zone()).date()


@lru_cache(maxsize=64)
def _start(period: str, quarter: int) -> int:
    return _window(period, datetime.fromtimestamp(quarter * _QUARTER, zone()).date())[0]


@lru_cache(maxsize=64)
def _window(period: str, day: date) -> tuple[int, int]:
    match period:
        case Period.DAY:
            first, following = day, day + timedelta(days=1)
        case Period.WEEK:
            first = day - timedelta(days=day.weekday())
            following = first + timedelta(days=7)
        case Period.MONTH:
            first = day.replace(day=1)
            following = (first + timedelta(days=31)).replace(day=1)
        case _:
            raise ValueError(f"{period!r} is no period with an end")
    return _midnight(first), _midnight(following)


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone()).timestamp())
