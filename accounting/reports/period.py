"""Which days a report is about, in which time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.utils import timezone

MAX_DAYS: Final = 3_660  # ten years
_EARLIEST: Final = date(2000, 1, 1)
_LATEST: Final = date(2100, 1, 1)


class InvalidPeriod(ValueError):
    """A period that ends before it begins, or is too long; a date out of range, or a time zone nobody knows."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in ``tz``, from ``first`` to ``last``, both included."""

    first: date
    last: date
    tz: ZoneInfo

    def __post_init__(self) -> None:
        if not _EARLIEST <= self.first <= self.last < _LATEST:
            raise InvalidPeriod(f"A period lies between {_EARLIEST} and {_LATEST} and does not end before it begins.")
        if (self.last - self.first).days >= MAX_DAYS:
            raise InvalidPeriod(f"A period has at most {MAX_DAYS} days.")

    @classmethod
    def today(cls, tz: ZoneInfo | None = None) -> Period:
        now = _today(tz)
        return cls(now, now, _zone(tz))

    @classmethod
    def last_days(cls, days: int, tz: ZoneInfo | None = None) -> Period:
        """Today and the days before it, ``days`` in all."""
        now = _today(tz)
        return cls(now - timedelta(days=days - 1), now, _zone(tz))

    @classmethod
    def month(cls, tz: ZoneInfo | None = None, *, of: date | None = None) -> Period:
        """The whole month that ``of`` (today) lies in."""
        first = (of or _today(tz)).replace(day=1)
        return cls(first, _next_month(first) - timedelta(days=1), _zone(tz))

    @property
    def start(self) -> datetime:
        """The first instant, in UTC."""
        return datetime.combine(self.first, time.min, self.tz).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it, in UTC."""
        return datetime.combine(self.last + timedelta(days=1), time.min, self.tz).astimezone(UTC)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_month(self) -> bool:
        return self.first.day == 1 and self.last == _next_month(self.first) - timedelta(days=1)

    @property
    def is_of_days_as_kept(self) -> bool:
        """Whether its days are those of the daily roll-up; else they are put together from hours."""
        return self.tz.key == str(settings.TIME_ZONE)

    def dates(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(self.days))

    def hours(self) -> Iterator[datetime]:
        """The hours of the hourly roll-up that lie in it, in UTC."""
        hour, end = whole_hour(self.start), self.end
        while hour < end:
            yield hour
            hour += timedelta(hours=1)

    def newest_first(self, days: int) -> Iterator[Period]:
        """Its last ``days`` days, then all before them."""
        cut = self.last - timedelta(days=days)
        yield Period(max(self.first, cut + timedelta(days=1)), self.last, self.tz)
        if cut >= self.first:
            yield Period(self.first, cut, self.tz)

    def previous(self) -> Period:
        """The month before a whole month; before anything else, as many days as it has."""
        last = self.first - timedelta(days=1)
        first = last.replace(day=1) if self.is_month else self.first - timedelta(days=self.days)
        return Period(first, last, self.tz)


def zone(name: str) -> ZoneInfo:
    """The time zone called ``name`` (IANA). Raises InvalidPeriod."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: the name of a directory of zones
        raise InvalidPeriod(f"There is no time zone {name[:64]!r}.") from error


def whole_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _zone(tz: ZoneInfo | None) -> ZoneInfo:
    return tz or ZoneInfo(settings.TIME_ZONE)


def _today(tz: ZoneInfo | None) -> date:
    return timezone.now().astimezone(_zone(tz)).date()


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)
