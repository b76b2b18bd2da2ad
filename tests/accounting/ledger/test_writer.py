"""The writer when things go wrong: a database that is away, a journal, a defect, an end."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DataError, OperationalError, ProgrammingError

from accounting import ledger
from accounting.admission.gate import Soft
from accounting.errors import LedgerUnavailable
from accounting.identity import Caller
from accounting.ledger import Booking, journal, leases, partitions, posting, writer
from accounting.ledger.posting import Known, Work
from accounting.models import DailyUsage, LedgerEntry, Limit, LimitCounter, Worker

from .events import end

Make = Callable[..., Booking]


class Drawer:
    """Where journals lie."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def files(self) -> list[Path]:
        return sorted(self.path.glob("*.jsonl"))


@pytest.fixture
def drawer(tmp_path: Path, settings: LazySettings) -> Drawer:
    settings.LEDGER_JOURNAL = str(tmp_path)
    return Drawer(tmp_path)


class Outage:
    """A database that can be taken away from the ledger."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_on = False
        for module in (writer, journal, leases):
            monkeypatch.setattr(module, "post", self.post)

    def post(self, known: Known, batch: Sequence[Work], *, forced: bool = False) -> list[Soft]:
        if self.is_on:
            raise OperationalError("connection refused")
        return posting.post(known, batch, forced=forced)


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    return Outage(monkeypatch)


async def test_while_the_database_is_away_nothing_is_sent_on(caller: Caller, booking: Make, outage: Outage) -> None:
    outage.is_on = True
    with pytest.raises(LedgerUnavailable):
        async with ledger.entry(caller, booking(), generation=None):
            raise AssertionError("nothing may be sent")
    outage.is_on = False
    await asyncio.sleep(writer.RETRY_SECONDS)
    async with ledger.entry(caller, booking(), generation=None) as entry:
        await entry.settle()
    await ledger.drain()
    assert await LedgerEntry.objects.acount() == 1


async def test_a_database_that_is_silent_is_away(
    caller: Caller, booking: Make, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    settings.LEDGER_PATIENCE_SECONDS = 0.1
    answering = threading.Event()

    def post(known: Known, batch: Sequence[Work], *, forced: bool = False) -> list[Soft]:
        answering.wait(10)
        return posting.post(known, batch, forced=forced)

    monkeypatch.setattr(writer, "post", post)
    with pytest.raises(LedgerUnavailable):
        async with ledger.entry(caller, booking(), generation=None):
            raise AssertionError("nothing may be sent")
    answering.set()
    await ledger.drain()
    row = await LedgerEntry.objects.aget()
    assert (row.state, row.outcome, row.cost) == ("settled", "gateway_error", 0)


async def test_an_answer_under_way_waits_for_the_database(caller: Caller, booking: Make, outage: Outage) -> None:
    async with ledger.entry(caller, booking(), generation=None) as entry:
        outage.is_on = True
        entry.observe([end(input_tokens=10, output_tokens=5)])
        settling = asyncio.ensure_future(entry.settle())
        await asyncio.sleep(0.3)
        assert not settling.done()
        outage.is_on = False
        await settling
    row = await LedgerEntry.objects.aget()
    assert (row.state, row.input_tokens) == ("settled", 10)


async def test_patience_ends_but_the_row_is_settled_later(
    caller: Caller, booking: Make, outage: Outage, settings: LazySettings
) -> None:
    async with ledger.entry(caller, booking(), generation=None) as entry:
        outage.is_on = True
        settings.LEDGER_PATIENCE_SECONDS = 0.1
        entry.observe([end(input_tokens=10, output_tokens=5)])
        with pytest.raises(LedgerUnavailable):
            await entry.settle()
    outage.is_on = False
    await ledger.drain()
    row = await LedgerEntry.objects.aget()
    assert (row.state, row.outcome, row.input_tokens) == ("settled", "complete", 10)


async def test_with_a_journal_requests_are_served_and_written_later(
    caller: Caller, booking: Make, outage: Outage, drawer: Drawer
) -> None:
    limit = await Limit.objects.acreate(scope="gateway", kind="budget", period="total", amount=Decimal("0.000001"))
    outage.is_on = True
    async with ledger.entry(caller, booking(), generation=None) as entry:
        entry.observe([end(input_tokens=1000, output_tokens=100)])
        await entry.settle()
    await ledger.reject(caller, request_id="req_rejected", error="ModelUnknown")
    async with ledger.entry(caller, booking(), generation=None) as under_way:
        assert len(drawer.files) == 1
        outage.is_on = False
        await _replayed(drawer)
        under_way.observe([end(input_tokens=2000, output_tokens=200)])
        await under_way.settle()
    rows = [row async for row in LedgerEntry.objects.order_by("input_tokens")]
    assert [(row.outcome, row.input_tokens) for row in rows] == [
        ("rejected", 0),
        ("complete", 1000),
        ("complete", 2000),
    ]
    counter = await LimitCounter.objects.aget(limit=limit)
    assert counter.reserved == 0
    assert counter.spent == sum(row.cost for row in rows)
    assert sum([usage.requests async for usage in DailyUsage.objects.all()]) == 3


async def test_what_a_dead_process_left_in_its_journal_is_written_by_the_next(
    caller: Caller, booking: Make, outage: Outage, drawer: Drawer
) -> None:
    outage.is_on = True
    async with ledger.entry(caller, booking(), generation=None) as entry:
        entry.observe([end(input_tokens=1000, output_tokens=100)])
        await entry.settle()
    task = asyncio.ensure_future(_open_for_ever(caller, booking()))
    await asyncio.sleep(0.1)
    left = drawer.files[0].read_bytes()
    task.cancel()
    await asyncio.wait([task])
    await ledger.stop()
    drawer.files[0].unlink()
    (drawer.path / "ledger-dead.jsonl").write_bytes(left + b'{"kind": "Settlement", "cut o')
    outage.is_on = False
    await ledger.start()
    outcomes = [row.outcome async for row in LedgerEntry.objects.order_by("started_at")]
    assert outcomes == ["complete", "lost"]
    assert not drawer.files


async def test_what_the_journal_could_not_keep_is_not_written_later(
    caller: Caller, booking: Make, outage: Outage, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage.is_on = True
    async with ledger.entry(caller, booking(), generation=None) as entry:
        with monkeypatch.context() as disk:
            disk.setattr(os, "fsync", _full)
            with pytest.raises(LedgerUnavailable):
                async with ledger.entry(caller, booking(), generation=None):
                    raise AssertionError("nothing may be sent")
        entry.observe([end(input_tokens=1000, output_tokens=100)])
        await entry.settle()
    outage.is_on = False
    await _replayed(drawer)
    assert [row.outcome async for row in LedgerEntry.objects.all()] == ["complete"]


def _full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def _replayed(drawer: Drawer) -> None:
    while drawer.files:
        await asyncio.sleep(0.05)
        await ledger.drain()


async def test_a_journal_taken_for_a_dead_ones_before_it_was_locked_is_made_anew(
    caller: Caller, booking: Make, outage: Outage, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = fcntl.flock, list[Path]()

    def late(file: Any, operation: int) -> None:
        if not taken:
            taken.extend(drawer.files)
            for path in drawer.files:
                path.unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    outage.is_on = True
    async with ledger.entry(caller, booking(), generation=None) as entry:
        entry.observe([end(input_tokens=1000, output_tokens=100)])
        await entry.settle()
    assert taken == drawer.files
    outage.is_on = False
    await _replayed(drawer)
    assert [row.outcome async for row in LedgerEntry.objects.all()] == ["complete"]


async def test_a_damaged_journal_is_put_aside(
    caller: Caller, booking: Make, drawer: Drawer, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = drawer.path / "ledger-damaged.jsonl"
    damaged.write_bytes(b'{"kind": "Opening", "id":\n')
    async with ledger.entry(caller, booking(), generation=None) as entry:
        await entry.settle()
    assert not damaged.exists()
    assert damaged.with_suffix(".unreadable").exists()
    assert "cannot be read" in caplog.text


async def test_housekeeping_that_fails_stops_no_request(
    caller: Caller, booking: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(today: object) -> None:
        raise ProgrammingError("must be owner of table")

    await ledger.stop()
    monkeypatch.setattr(partitions, "make_ahead", refused)
    async with ledger.entry(caller, booking(), generation=None) as entry:
        await entry.settle()
    assert (await LedgerEntry.objects.aget()).outcome == "complete"
    assert "housekeeping failed" in caplog.text


class LostWord:
    """A connection that breaks off after a commit and before its word has come, ``times`` times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        monkeypatch.setattr(writer, "post", self.post)

    def post(self, known: Known, batch: Sequence[Work], **options: Any) -> list[Soft]:
        filled = posting.post(known, batch, **options)
        if self.times:
            self.times -= 1
            raise OperationalError("server closed the connection unexpectedly")
        return filled


@pytest.fixture
def lost_word(monkeypatch: pytest.MonkeyPatch) -> LostWord:
    return LostWord(monkeypatch)


async def _limits() -> None:
    await Limit.objects.acreate(scope="gateway", kind="budget", period="total", amount=Decimal(100))
    await Limit.objects.acreate(scope="gateway", kind="concurrent_requests", count=10)


async def _assert_counted_once() -> None:
    """Everything is settled, nothing is held, and the sums are the rows'."""
    rows = [row async for row in LedgerEntry.objects.all()]
    assert {row.state for row in rows} == {"settled"}
    assert [(one.reserved, one.in_flight) async for one in LimitCounter.objects.all()] == [(0, 0), (0, 0)]
    cost = sum(row.cost or 0 for row in rows)
    assert (await LimitCounter.objects.aget(limit__kind="budget")).spent == cost
    days = [usage async for usage in DailyUsage.objects.all()]
    assert (sum(day.requests for day in days), sum(day.cost for day in days)) == (len(rows), cost)


async def test_a_commit_whose_word_was_lost_counts_once(caller: Caller, booking: Make, lost_word: LostWord) -> None:
    await _limits()
    lost_word.times = 1
    async with ledger.entry(caller, booking(), generation=None) as entry:
        entry.observe([end(input_tokens=1000, output_tokens=100)])
        lost_word.times = 1
        await entry.settle()
    lost_word.times = 1
    await ledger.reject(caller, request_id="req_rejected", error="ModelUnknown")
    await ledger.drain()
    assert sorted([row.outcome async for row in LedgerEntry.objects.all()]) == ["complete", "rejected"]
    await _assert_counted_once()


async def test_an_opening_that_was_written_and_not_served_is_closed(
    caller: Caller, booking: Make, lost_word: LostWord
) -> None:
    await _limits()
    lost_word.times = 4  # as often as it is tried
    with pytest.raises(LedgerUnavailable):
        async with ledger.entry(caller, booking(), generation=None):
            raise AssertionError("nothing may be sent")
    await asyncio.sleep(writer.RETRY_SECONDS)
    await ledger.drain()
    row = await LedgerEntry.objects.aget()
    assert (row.state, row.outcome, row.error, row.cost) == ("settled", "gateway_error", "LedgerUnavailable", 0)
    await _assert_counted_once()


async def test_a_database_that_goes_while_rows_are_written_one_by_one_loses_none(
    caller: Caller, booking: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = []

    def post(known: Known, batch: Sequence[Work], **options: Any) -> list[Soft]:
        if failures:
            raise failures.pop(0)
        return posting.post(known, batch, **options)

    monkeypatch.setattr(writer, "post", post)
    async with ledger.entry(caller, booking(), generation=None) as entry:
        entry.observe([end(input_tokens=1000, output_tokens=100)])
        failures += [DataError("a bad row"), *(OperationalError("gone") for _ in range(4))]
        await entry.settle()
    row = await LedgerEntry.objects.aget()
    assert (row.state, row.outcome) == ("settled", "complete")


async def test_a_defect_in_the_writer_keeps_nobody_waiting(
    caller: Caller, booking: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(known: Known, batch: Sequence[Work], **_: Any) -> list[Soft]:
        raise TypeError("a defect")

    monkeypatch.setattr(writer, "post", broken)
    with caplog.at_level(logging.CRITICAL), pytest.raises(LedgerUnavailable):
        async with ledger.entry(caller, booking(), generation=None):
            raise AssertionError("nothing may be sent")
    assert "a defect" in caplog.text
    monkeypatch.setattr(writer, "post", posting.post)
    async with ledger.entry(caller, booking(), generation=None) as entry:
        await entry.settle()


async def test_the_end_of_a_process_leaves_nothing_open(caller: Caller, booking: Make) -> None:
    task = asyncio.ensure_future(_open_for_ever(caller, booking()))
    await ledger.start()
    await asyncio.sleep(0.1)
    await ledger.stop()
    row = await LedgerEntry.objects.aget()
    assert (row.state, row.outcome) == ("settled", "lost")
    assert not await Worker.objects.aexists()
    task.cancel()
    await asyncio.wait([task])


async def _open_for_ever(caller: Caller, booking: Booking) -> None:
    async with ledger.entry(caller, booking, generation=None):
        await asyncio.Future()
