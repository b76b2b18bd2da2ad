"""Months of the ledger: on PostgreSQL each is a partition, made ahead of its first row, dropped whole when it is old.

The table is partitioned by range of its primary key: a UUIDv7 begins with the time. A default partition takes what no
month does, so that no row is ever refused.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from django.db import connection, transaction

from accounting.models import LedgerEntry
from accounting.uuids import first_of

TABLE: Final = LedgerEntry._meta.db_table
DEFAULT: Final = f"{TABLE}_default"
_AHEAD: Final = 2  # months
_LOCK: Final = 0x7011_6A7E  # of this work, among PostgreSQL's advisory locks


def are_used() -> bool:
    return connection.vendor == "postgresql"


def month_after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def name_of(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def make_ahead(today: date | None = None) -> None:
    """Makes the partitions of this month and the next ones."""
    first = (today or datetime.now(UTC).date()).replace(day=1)
    last = first
    for _ in range(_AHEAD):
        last = month_after(last)
    make(first, last)


def make(first: date, last: date) -> None:
    """Makes the partitions of the months from ``first`` to ``last`` that are missing. Nothing on other databases."""
    if not are_used():
        return
    month = first.replace(day=1)
    missing: list[date] = []
    present = existing()
    while month <= last:
        if name_of(month) not in present:
            missing.append(month)
        month = month_after(month)
    for month in missing:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            if name_of(month) not in existing():
                _make(cursor, month)


def existing() -> set[str]:
    """The names of all partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = %s::regclass",
            [TABLE],
        )
        return {name for (name,) in cursor.fetchall()}


def _make(cursor: Any, month: date) -> None:
    """Attached, not created as a partition: that way requests go on meanwhile.

    A clock that was ahead has left rows of the month in the default partition, which then must give them up.
    """
    name = name_of(month)
    begins, ends = (first_of(datetime(day.year, day.month, 1, tzinfo=UTC)) for day in (month, month_after(month)))
    cursor.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING ALL) WITH (fillfactor = 80)")
    cursor.execute(
        f"WITH early AS (DELETE FROM {DEFAULT} WHERE id >= %s AND id < %s RETURNING *)"  # noqa: S608 (our own names)
        f" INSERT INTO {name} SELECT * FROM early",
        [begins, ends],
    )
    cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM ('{begins}') TO ('{ends}')")


def drop_before(day: date) -> list[str]:
    """Drops the months that end on ``day`` or before; returns their partitions' names."""
    dropped: list[str] = []
    if not are_used():
        return dropped
    for name in sorted(existing()):
        year, _, month = name.removeprefix(f"{TABLE}_").partition("_")
        if year.isdigit() and month_after(date(int(year), int(month), 1)) <= day:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {name}")
            dropped.append(name)
    return dropped
