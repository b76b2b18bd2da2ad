"""Where reports read: the database's read replica (``DATABASE_REPLICA_URL``), as long as it keeps up.

How far it is behind is measured by what the primary had written when, looked up every few seconds: PostgreSQL's own age
of the last replayed transaction grows whenever nothing is written, and says nothing of a connection that was cut. A
replica that is too far behind, or away, is left out, and reports come from the primary.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections

ALIAS: Final = "replica"
LOOK_SECONDS: Final = 5.0
_SAMPLES: Final = 1000
_log = logging.getLogger(__name__)

Positions = tuple[int, int]


def positions() -> Positions:
    """Of the write-ahead log, in bytes: what the primary has written, what the replica has replayed.

    A "replica" that is none (a copy, SQLite) is taken to be where the primary is. Raises django.db.Error.
    """
    replica = connections[ALIAS]
    with replica.cursor() as cursor:
        cursor.execute(_REPLAYED if replica.vendor == "postgresql" else "SELECT NULL")
        replayed = cursor.fetchone()[0]
    if replayed is None:
        return 0, 0
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0]), int(replayed)


_REPLAYED: Final = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0'::pg_lsn END"


class Replica:
    """Whether to read there, looked up every ``LOOK_SECONDS`` by whoever asks first. ``clock`` is in seconds."""

    def __init__(
        self,
        look: Callable[[], Positions] = positions,
        clock: Callable[[], float] = time.monotonic,
        is_set: Callable[[], bool] = lambda: ALIAS in settings.DATABASES,
    ) -> None:
        self._is_set = is_set
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._is_looking = False
        self._written: deque[tuple[float, int]] = deque(maxlen=_SAMPLES)
        self.lag: float | None = None  # seconds; None where it is not known

    def behind(self) -> timedelta:
        """How old the figures of a report are; zero where they are the primary's, or as new as can be told."""
        if self.alias() != ALIAS or not self.lag:
            return timedelta()
        return timedelta(seconds=self.lag + self._clock() - self._looked)

    def is_left_out(self) -> bool:
        """Whether there is one, and reports come from the primary nevertheless."""
        return self._is_set() and self.alias() != ALIAS

    @property
    def is_fresh(self) -> bool:
        return self.lag is not None and self.lag <= settings.DATABASE_REPLICA_MAX_LAG_SECONDS

    def alias(self) -> str:
        """The alias of the database that a report reads."""
        if not self._is_set():
            return DEFAULT_DB_ALIAS
        now = self._clock()
        with self._lock:
            is_due = not self._is_looking and now - self._looked >= LOOK_SECONDS
            if is_due:
                self._looked, self._is_looking = now, True
        if is_due:  # one looks, the others go by what was found last
            try:
                self._measure(now)
            finally:
                self._is_looking = False
        return ALIAS if self.is_fresh else DEFAULT_DB_ALIAS

    def _measure(self, now: float) -> None:
        was_fresh = self.is_fresh
        try:
            written, replayed = self._look()
        except (DatabaseError, InterfaceError) as error:
            connections[ALIAS].close()
            self.lag = None
            _log.warning("the read replica does not answer, reports come from the primary: %s", type(error).__name__)
            return
        self._written.append((now, written))
        reached = [moment for moment, position in self._written if position <= replayed]
        self.lag = now - reached[-1] if reached else None
        if was_fresh and not self.is_fresh:
            _log.warning("the read replica is %s s behind, reports come from the primary", self.lag)


replica = Replica()


def alias() -> str:
    """The alias of the database that a report reads now."""
    return replica.alias()
