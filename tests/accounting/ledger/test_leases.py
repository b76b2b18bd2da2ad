"""Open rows of workers that have died are closed by those that live, and by nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounting.identity import Caller
from accounting.ledger import leases, rows, statistics
from accounting.ledger.booking import Booking, Row
from accounting.ledger.posting import Known, Opening, post
from accounting.models import LedgerEntry, ModelStatistics, Worker
from accounting.statements import fetch
from accounting.tokens import Tokens

pytestmark = pytest.mark.django_db

SECONDS = 60.0


def worker(**values: Any) -> Worker:
    now = datetime.now(UTC)
    defaults = {"id": uuid.uuid4(), "host": "elsewhere", "pid": 1, "started_at": now, "seen_at": now}
    return Worker.objects.create(**{**defaults, **values})


def open_row(of: Worker) -> None:
    caller = Caller(1, "laptop", 1, "ada", None, "")
    post(Known(worker=of.pk), [Opening(Row.new(caller, Booking(request_id=f"req_{of.pk}", input_estimate=7)), None)])


def tend() -> None:
    mine = uuid.uuid4()
    leases.Lease(mine, SECONDS).tend(Known(worker=mine))


def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({}, ""),  # of another host, heard of just now
        ({"seen_at": datetime.now(UTC) - timedelta(seconds=2 * SECONDS)}, "lost"),
        ({"host": leases.host(), "pid": ended_pid()}, "lost"),
        ({"host": leases.host(), "pid": os.getppid()}, ""),
        ({"host": leases.host(), "pid": os.getpid()}, "lost"),  # this process, and yet not one of its writers
    ],
)
def test_only_rows_of_the_dead_are_closed(values: dict[str, Any], outcome: str) -> None:
    other = worker(**values)
    open_row(other)
    tend()
    row = LedgerEntry.objects.get()
    assert row.outcome == outcome
    assert row.input_tokens == 7
    assert Worker.objects.filter(pk=other.pk).exists() == (not outcome)


def test_rows_of_a_worker_that_nobody_knows_are_closed() -> None:
    other = worker()
    open_row(other)
    other.delete()
    tend()
    assert LedgerEntry.objects.get().outcome == "lost"


def test_more_rows_than_one_transaction_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_BATCH", 3)
    other = worker()
    for _ in range(8):
        open_row(other)
    other.delete()
    tend()
    assert LedgerEntry.objects.filter(outcome="lost").count() == 8


def test_a_lease_is_renewed_and_given_up() -> None:
    mine = uuid.uuid4()
    lease = leases.Lease(mine, SECONDS)
    assert lease.pause == 0
    lease.tend(Known(worker=mine))
    assert SECONDS / 8 < lease.pause <= SECONDS / 4
    first = Worker.objects.get(pk=mine)
    lease.tend(Known(worker=mine))
    assert Worker.objects.get(pk=mine).seen_at > first.seen_at
    open_row(first)
    lease.give_up(Known(worker=mine))
    assert LedgerEntry.objects.get().outcome == "lost"
    assert not Worker.objects.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's planner sees the value in any case")
@pytest.mark.parametrize(("which", "workers"), [(rows.OF_NOBODY, []), (rows.OF_WORKER, ["0" * 32])])
def test_open_rows_are_found_by_their_own_index(which: str, workers: list[str]) -> None:
    plan = fetch(f"EXPLAIN QUERY PLAN {rows.select_open(which)}", workers)
    assert "accounting_ledgerentry USING INDEX ledger_open" in plan[0][3]


def test_what_was_learned_long_ago_fades() -> None:
    for key, requests in (("p/busy", 4000), ("p/quiet", 10)):
        ModelStatistics.objects.create(model_key=key, requests=requests, output_tokens=requests * 100)
    tend()
    found = ModelStatistics.objects.order_by("model_key").values_list("requests", "output_tokens")
    assert list(found) == [(2000, 200_000), (10, 1000)]


def test_an_answer_longer_than_any_is_teaches_no_more_than_the_longest() -> None:
    """Three times 2³¹ - 1 tokens, squared and added up, are more than the database's largest integer."""
    row = Row.new(Caller(1, "", None, "", None, ""), Booking(request_id="req_1", provider="p", model="odd"))
    row.tokens = Tokens(output=2**31 - 1)
    for _ in range(3):
        statistics.write([row])
    learned = ModelStatistics.objects.get(model_key="p/odd")
    assert (learned.requests, learned.output_squares) == (3, 3 * 10**12)
