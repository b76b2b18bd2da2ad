"""Roll-ups: what settled rows add to the hourly and daily sums, in the transaction that settles them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from . import summaries
from .models import DailyUsage, HourlyUsage
from .models.money import to_units
from .models.rollups import DIMENSIONS, MEASURES
from .statements import Upsert, adapt_ids

if TYPE_CHECKING:
    from .ledger.booking import Row

Dimensions = tuple[Any, ...]
Sums = dict[tuple[Any, Dimensions], list[int]]


class Rollups:
    """Gathers what a transaction's rows add, then adds it in one go."""

    def __init__(self) -> None:
        self._hours: Sums = {}
        self._days: Sums = {}

    def add(self, row: Row, sign: int = 1) -> None:
        """Counts a settled row; with ``sign`` -1, takes back what it counted for."""
        dimensions, measures = _dimensions(row), _measures(row)
        hour = row.started_at.replace(minute=0, second=0, microsecond=0)
        day = row.started_at.astimezone(timezone.get_default_timezone()).date()
        for sums, span in ((self._hours, hour), (self._days, day)):
            total = sums.setdefault((span, dimensions), [0] * len(MEASURES))
            for index, value in enumerate(measures):
                total[index] += sign * value

    def write(self) -> None:
        """Adds up in the database. Keys are taken in order, so that two workers never wait for each other."""
        _upsert(_HOURLY, connection.ops.adapt_datetimefield_value, self._hours)
        _upsert(_DAILY, connection.ops.adapt_datefield_value, self._days)
        summaries.reopen({day for day, _ in self._days})


def _dimensions(row: Row) -> Dimensions:
    caller, booking = row.caller, row.booking
    return (
        caller.user_id or 0,
        caller.user_name,
        caller.team_id or 0,
        caller.team_name,
        caller.key_id or 0,
        caller.key_name,
        booking.asked_model,
        booking.tier,
        booking.provider,
        booking.model,
        row.outcome,
    )


def _measures(row: Row) -> tuple[int, ...]:
    tokens = row.tokens
    return (
        1,
        int(not row.exact),
        int(row.cost is None),
        int(row.booking.streamed),
        tokens.input,
        tokens.cache_read,
        tokens.cache_write_5m,
        tokens.cache_write_1h,
        tokens.output,
        tokens.reasoning,
        tokens.web_searches,
        0 if row.cost is None else to_units(row.cost),
        int(row.first_byte_ms is not None),
        row.first_byte_ms or 0,
        row.duration_ms or 0,
    )


def rollup_id(span: datetime | date, dimensions: Dimensions) -> UUID:
    """The primary key of the sum of a ``span`` (the hour's start, or the day) for ``dimensions``."""
    text = "\x1f".join([span.isoformat(), *map(str, dimensions)])
    return UUID(bytes=hashlib.blake2b(text.encode(), digest_size=16).digest())


def _upsert_of(model: type[HourlyUsage] | type[DailyUsage], span: str) -> Upsert:
    return Upsert(model._meta.db_table, ("id", span, *DIMENSIONS, *MEASURES), conflict=("id",), sums=MEASURES)


_HOURLY: Final = _upsert_of(HourlyUsage, "hour")
_DAILY: Final = _upsert_of(DailyUsage, "day")


def _upsert(upsert: Upsert, adapt_span: Callable[[Any], Any], sums: Sums) -> None:
    keyed = sorted((rollup_id(span, by), span, by, values) for (span, by), values in sums.items())
    ids = adapt_ids([key for key, *_ in keyed])
    upsert.write([(key, adapt_span(span), *by, *values) for key, (_, span, by, values) in zip(ids, keyed, strict=True)])
