"""Leases: an open row belongs to a living worker, or it is closed by another.

Each writer renews its ``Worker`` row. Open rows of a worker that has been silent for a lease, or that is known to be
dead (its process is gone from this host), are settled as ``lost`` with the estimate they were opened with, and what
they reserved is given back. A worker that was only asleep corrects them when it settles them after all.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from django.db.models import Q
from django.db.models.functions import Now

from accounting import summaries
from accounting.calibration import calibration
from accounting.models import LedgerEntry, ModelStatistics, Summary, Worker

from . import partitions, rows, statistics
from .booking import End
from .posting import Known, Settlement, post

_BATCH: Final = 500
_BEATS: Final = 4  # renewals a lease
_here: set[uuid.UUID] = set()  # the writers of this process


class Lease:
    """One writer's lease. All moments are the database's, so hosts need not agree on the time."""

    def __init__(self, worker: uuid.UUID, seconds: float) -> None:
        self._worker = worker
        self._length = timedelta(seconds=seconds)
        self._interval = seconds / _BEATS
        self._due = time.monotonic()
        self._seen_to: date | None = None  # the day on which what is due once a day was last seen to
        self._looked_at: datetime | None = None  # the hour in which it was last asked what is to be sealed
        self._unsealed: list[tuple[Summary.Grain, date]] = []
        _here.add(worker)

    @property
    def pause(self) -> float:
        """Seconds until ``tend`` is due."""
        return max(self._due - time.monotonic(), 0.0)

    def tend(self, known: Known) -> None:
        """Renews the lease, closes what the dead left open, does what is due once a day. Raises django.db.Error."""
        self._due = time.monotonic() + self._interval
        self._renew()
        self._bury(known)
        today = datetime.now(UTC).date()
        if today != self._seen_to:
            partitions.make_ahead(today)
            statistics.fade()
            self._seen_to = today
        self._seal()
        calibration.learn(ModelStatistics.objects.all())

    def _seal(self) -> None:
        """Once an hour looks for days that are over; seals one a beat, so that no settlement waits for many."""
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        if hour != self._looked_at:
            self._unsealed, self._looked_at = summaries.due(), hour
        if self._unsealed:
            summaries.seal(*self._unsealed.pop(0))

    def give_up(self, known: Known) -> None:
        """Closes whatever this worker left open, and leaves."""
        _here.discard(self._worker)
        expire(known, rows.OF_WORKER, [self._worker])
        Worker.objects.filter(pk=self._worker).delete()

    def _renew(self) -> None:
        mine = Worker(pk=self._worker, host=host(), pid=os.getpid(), started_at=Now(), seen_at=Now())
        Worker.objects.bulk_create([mine], update_conflicts=True, update_fields=["seen_at"], unique_fields=["id"])

    def _bury(self, known: Known) -> None:
        living = Worker.objects.filter(seen_at__gte=Now() - self._length)
        neighbours = living.filter(host=host()).exclude(pk=self._worker)
        dead = [worker.pk for worker in neighbours if not _is_running(worker)]
        Worker.objects.filter(Q(pk__in=dead) | ~Q(pk__in=living.values("pk"))).delete()
        expire(known, rows.OF_NOBODY)


def expire(known: Known, which: str, workers: Sequence[uuid.UUID] = ()) -> int:
    """Settles open rows as lost, on the estimate they hold; returns how many. ``which`` is a condition of ``rows``."""
    closed = 0
    # By id: two workers that bury the same dead take the same rows in the same order, and the second finds none.
    while keys := rows.open_rows(which, workers, _BATCH):
        lost = [rows.restore(entry) for entry in LedgerEntry.objects.filter(pk__in=keys).order_by("pk")]
        post(known, [Settlement(row, End(LedgerEntry.Outcome.LOST, row.tokens, attempts=row.attempts)) for row in lost])
        closed += len(lost)
    return closed


def host() -> str:
    """Where a process id means something: this boot of this machine, in this namespace of processes."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()} {boot} {namespace}"


def _is_running(worker: Worker) -> bool:
    if worker.pid == os.getpid():
        return worker.pk in _here
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
