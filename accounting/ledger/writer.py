"""The writer: one thread a process that writes what all requests in flight ask for, many to a transaction.

While one transaction commits, the next batch gathers: a request waits for two commits at the most, and the busier the
worker, the cheaper each row. Waiters are woken by one call into their event loop a batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import Error, IntegrityError, InterfaceError, OperationalError, connection

from accounting.admission import notices
from accounting.errors import LedgerUnavailable
from accounting.models import LedgerEntry
from accounting.tokens import Tokens

from . import leases
from .booking import End
from .journal import Journal
from .posting import Known, Opening, Settlement, Work, post, unwritten

logger = logging.getLogger(__name__)

_BATCH: Final = 500  # works to a transaction, at the most
# As PostgreSQL's commit_delay and commit_siblings: where several requests wait at a time, the next will be along, and a
# transaction shared by more of them is cheaper for each. A lone request never waits.
_BUSY: Final = 4  # works in the batch before
_LINGER_SECONDS: Final = 0.002
_BACKLOG: Final = 100_000  # settlements kept in memory while the database is away
RETRY_SECONDS: Final = 0.5  # between two tries while the database is away
_TRIES: Final = 4  # of a batch that met a deadlock, a lock or a broken connection
UNAVAILABLE: Final = "The gateway cannot write its ledger at the moment. Try again shortly."
_PASSING = (OperationalError, InterfaceError)
"""What may go by itself: the database away, a deadlock, a lock held too long."""


@dataclass(slots=True, eq=False)
class Order:
    """A work and who waits for it. ``waiter`` is None where nobody does."""

    work: Work | None
    waiter: asyncio.Future[Any] | None = None
    failure: Exception | None = None


class Writer:
    """Orders go in from any thread or event loop; they are written in the order they came."""

    def __init__(self) -> None:
        self.id = uuid.uuid4()
        self._pid = os.getpid()
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._in_hand: list[Order] = []
        self._kept: list[Order] = []  # settlements that wait for the database to come back
        self._known = Known(worker=self.id)
        self._journal = Journal(Path(settings.LEDGER_JOURNAL), self.id) if settings.LEDGER_JOURNAL else None
        self._away_until = 0.0  # monotonic; not 0 while the database is away
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._stopping = False
        self._is_busy = False
        self._is_in_doubt = False  # whether the last try was written, though it failed

    @property
    def is_usable(self) -> bool:
        """Whether orders given now will be written: not after ``stop``, and not in a forked child."""
        return self._thread.is_alive() and not self._stopping and self._pid == os.getpid()

    @property
    def backlog(self) -> int:
        """Orders that wait to be written."""
        return self._orders.qsize() + len(self._kept)

    def start(self) -> None:
        self._thread.start()

    def put(self, work: Work) -> None:
        """Orders ``work``; nobody waits."""
        self._put(Order(work))

    def ask(self, work: Work | None) -> asyncio.Future[Any]:
        """Orders ``work``; the future is done when it is committed. Without work: when all before it is."""
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._put(Order(work, waiter))
        return waiter

    def stop(self) -> None:
        """Writes what was ordered, gives up the worker's lease and ends the thread. Waits for it."""
        self._stopping = True
        self._orders.put(None)
        self._thread.join()

    def _put(self, order: Order) -> None:
        self._orders.put(order)
        if not self._thread.is_alive():
            self._abandon()  # it ended between the caller's look and now

    # --- the thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        lease = leases.Lease(self.id, settings.LEDGER_LEASE_SECONDS)
        try:
            running = True
            while running:
                self._tend(lease)
                self._in_hand, running = self._gather(RETRY_SECONDS if self._away_until else lease.pause)
                self._write()
            self._end(lease)
        except Exception:
            logger.critical("the ledger's writer met a defect and ended", exc_info=True)
        finally:
            connection.close()
            if self._journal is not None:
                self._journal.close()
            self._abandon()

    def _abandon(self) -> None:
        """Nobody may wait for a thread that has ended, whether it was told to or met a defect."""
        self._stopping = True
        orders, self._in_hand, self._kept = [*self._in_hand, *self._kept], [], []
        with contextlib.suppress(queue.Empty):
            while True:
                orders.append(self._orders.get_nowait() or Order(None))
        for order in orders:
            order.failure = order.failure or LedgerUnavailable(UNAVAILABLE)
        _wake(orders)

    def _tend(self, lease: leases.Lease) -> None:
        if lease.pause > 0:
            return
        try:
            lease.tend(self._known)
            if self._journal is not None:
                self._journal.adopt(self._known)
        except _PASSING as error:
            connection.close()
            logger.warning("the ledger's lease could not be renewed: %s", type(error).__name__)
        except (Error, OSError):
            connection.close()
            logger.exception("the ledger's housekeeping failed; requests go on")

    def _end(self, lease: leases.Lease) -> None:
        if self._away_until:
            logger.error("the database is away: what is not in a journal stays open until the lease ends")
            return
        try:
            lease.give_up(self._known)
        except _PASSING as error:
            logger.warning("the ledger's lease could not be given up: %s", type(error).__name__)

    def _gather(self, patience: float) -> tuple[list[Order], bool]:
        """The orders that are there, after waiting for a first one; and whether more may come."""
        orders: list[Order] = []
        try:
            order = self._orders.get(timeout=patience)
            if self._is_busy:
                time.sleep(_LINGER_SECONDS)
            while order is not None:
                orders.append(order)
                if len(orders) == _BATCH:
                    return orders, True
                order = self._orders.get_nowait()
        except queue.Empty:
            return orders, True
        return orders, False

    def _write(self) -> None:
        """Writes what is in hand, and what was kept before it."""
        self._in_hand, self._kept = [*self._kept, *self._in_hand], []
        self._is_busy = len(self._in_hand) >= _BUSY
        began = time.monotonic()
        if began < self._away_until:
            self._suspend()
            return
        chunk: list[Order] = []
        try:
            if self._journal is not None:
                self._journal.replay(self._known)
            while self._in_hand:
                chunk = self._in_hand[:_BATCH]
                self._write_chunk(chunk)
                self._in_hand = self._in_hand[len(chunk) :]
                _wake(chunk)
        except _PASSING as error:
            connection.close()
            logger.error("the ledger's database is away: %s", type(error).__name__)  # noqa: TRY400 (no traceback)
            # As long again as it took to find out: a host that does not answer must not take all the time there is.
            self._away_until = time.monotonic() + max(time.monotonic() - began, RETRY_SECONDS)
            self._suspend(chunk)
        else:
            self._away_until = 0.0

    def _write_chunk(self, chunk: list[Order]) -> None:
        """Writes some orders together, or one by one where one of them is bad. Raises one of ``_PASSING``."""
        works = [order.work for order in chunk if order.work is not None]
        try:
            self._post(works)
        except _PASSING:
            raise
        except Error:
            logger.exception("a batch of %d ledger rows was refused; writing them one by one", len(works))
            self._write_singly(chunk)

    def _post(self, works: list[Work]) -> None:
        """Posts ``works``, trying again where that may help. Raises django.db.Error."""
        if not works:
            return
        tries = 1 if self._away_until else _TRIES
        for attempt in range(1, tries + 1):
            try:
                notices.announce(post(self._known, unwritten(works) if self._is_in_doubt else works))
            except (*_PASSING, IntegrityError):
                # IntegrityError: a limit was deleted meanwhile. Its change of generation shows at the next try.
                connection.close()
                self._is_in_doubt = True
                if attempt == tries:
                    raise
                time.sleep(0.05 * attempt)
            else:
                self._is_in_doubt = False
                return

    def _write_singly(self, orders: list[Order]) -> None:
        """One bad row must not take the others with it. Raises one of ``_PASSING``."""
        for order in orders:
            if order.work is None:
                continue
            try:
                self._post([order.work])
            except _PASSING:
                raise
            except Error as error:
                logger.exception("a ledger row could not be written")
                order.failure = LedgerUnavailable(UNAVAILABLE)
                order.failure.__cause__ = error

    def _suspend(self, tried: Sequence[Order] = ()) -> None:
        """The database is away: all in hand goes to the journal. Without one, openings fail, and the rest is kept.

        An opening that was ``tried`` may have been written all the same: it is closed later, for it was never served.
        """
        orders, self._in_hand = self._in_hand, []
        if self._journal is not None:
            try:
                self._journal.append([order.work for order in orders if order.work is not None])
            except OSError:
                logger.exception("the ledger's journal cannot be written")
            else:
                for order in orders:
                    if isinstance(order.work, Opening):
                        order.work.result = []
                _wake(orders)
                return
        failed = [order for order in orders if isinstance(order.work, Opening)]
        kept = [order for order in orders if not isinstance(order.work, Opening)]
        kept += [Order(Settlement(order.work.row, _unserved())) for order in tried if isinstance(order.work, Opening)]
        self._kept, failed = kept[:_BACKLOG], failed + kept[_BACKLOG:]
        for order in failed:
            order.failure = LedgerUnavailable(UNAVAILABLE)
        _wake(failed)


def _unserved() -> End:
    error = LedgerUnavailable.__name__
    return End(LedgerEntry.Outcome.GATEWAY_ERROR, Tokens(), exact=True, error=error, duration_ms=0)


def _wake(orders: Iterable[Order]) -> None:
    """Tells every waiter of every order that is through, with one call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Order]] = {}
    for order in orders:
        if isinstance(order.waiter, asyncio.Future):
            by_loop.setdefault(order.waiter.get_loop(), []).append(order)
    for loop, through in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody is left to wait
            loop.call_soon_threadsafe(_resolve, through)


def _resolve(orders: list[Order]) -> None:
    for order in orders:
        waiter = order.waiter
        if waiter is None or waiter.done():
            continue
        result = order.failure or (order.work.result if isinstance(order.work, Opening) else None)
        if isinstance(result, Exception):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)
