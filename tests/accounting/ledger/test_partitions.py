"""Months of the ledger on PostgreSQL: made ahead, asked alone, dropped whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from accounting.identity import Caller
from accounting.ledger import partitions, rows
from accounting.ledger.booking import Booking, Row
from accounting.models import LedgerEntry
from accounting.uuids import first_of, uuid7

pytestmark = pytest.mark.django_db

only_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="partitions are PostgreSQL's")


def write(moment: datetime) -> UUID:
    row = Row(Caller(1, "", None, "", None, ""), Booking(request_id=f"req_{moment}"), uuid7(moment), moment)
    rows.insert([row], None)
    return row.id


@pytest.mark.parametrize(
    ("month", "following"), [(date(2026, 11, 1), date(2026, 12, 1)), (date(2026, 12, 1), date(2027, 1, 1))]
)
def test_months_follow_each_other(month: date, following: date) -> None:
    assert partitions.month_after(month) == following


def test_keys_sort_by_time_and_a_bound_lies_between() -> None:
    moment = datetime(2026, 12, 1, tzinfo=UTC)
    before, after = uuid7(moment - timedelta(milliseconds=1)), uuid7(moment)
    assert before < first_of(moment) <= after
    assert (before.version, after.version, first_of(moment).version) == (7, 7, 7)
    assert len({uuid7(moment) for _ in range(1000)}) == 1000


def test_between_finds_what_began_then() -> None:
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    write(start - timedelta(microseconds=1))
    first, last = write(start), write(end - timedelta(microseconds=1))
    write(end)
    assert set(LedgerEntry.objects.between(start, end).values_list("pk", flat=True)) == {first, last}


@only_postgresql
def test_the_migration_made_the_months_ahead() -> None:
    today = datetime.now(UTC).date()
    assert {partitions.name_of(today), f"{partitions.TABLE}_default"} <= partitions.existing()


@only_postgresql
def test_rows_go_to_their_month_and_old_months_are_dropped() -> None:
    partitions.make(date(2024, 11, 1), date(2025, 1, 31))
    partitions.make(date(2024, 11, 1), date(2025, 1, 31))  # again: nothing to do
    write(datetime(2024, 12, 15, tzinfo=UTC))
    kept = write(datetime(2025, 1, 15, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {partitions.name_of(date(2024, 12, 1))}")  # noqa: S608 - our own name
        assert cursor.fetchone() == (1,)
    dropped = partitions.drop_before(date(2025, 1, 20))
    assert dropped == [partitions.name_of(date(2024, 11, 1)), partitions.name_of(date(2024, 12, 1))]
    assert list(LedgerEntry.objects.values_list("pk", flat=True)) == [kept]


@only_postgresql
def test_rows_of_a_clock_that_was_ahead_move_to_their_month_when_it_is_made() -> None:
    early = write(datetime(2031, 5, 15, tzinfo=UTC))
    other = write(datetime(2031, 6, 1, tzinfo=UTC))
    partitions.make(date(2031, 5, 1), date(2031, 5, 31))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {partitions.name_of(date(2031, 5, 1))}")  # noqa: S608 - our own name
        assert cursor.fetchall() == [(early,)]
    assert set(LedgerEntry.objects.values_list("pk", flat=True)) == {early, other}


@only_postgresql
def test_a_question_about_a_month_reads_that_month_alone() -> None:
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    plan = LedgerEntry.objects.between(month, month + timedelta(days=20)).explain()
    assert partitions.name_of(month.date()) in plan
    assert "_default" in plan or plan.count("Scan") <= 2
    assert partitions.name_of(partitions.month_after(month.date())) not in plan


@only_postgresql
def test_a_partition_has_every_index_of_the_ledger() -> None:
    partitions.make(date(2024, 11, 1), date(2024, 11, 30))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = %s", [partitions.name_of(date(2024, 11, 1))])
        (count,) = cursor.fetchone() or (0,)
    assert count == len(LedgerEntry._meta.indexes) + 1
