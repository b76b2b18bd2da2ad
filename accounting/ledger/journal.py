"""The journal: where the ledger is written while the database is away, if ``LEDGER_JOURNAL`` names a directory.

One file a process, one JSON object a line, on the disk before anybody goes on. It is replayed, in order, when the
database is back; what a dead process left is replayed by the next one that starts. A replay that is cut short may be
done again: rows are known by their ids.
"""

from __future__ import annotations

import fcntl
import logging
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from io import FileIO
from pathlib import Path
from typing import Any, Final

import orjson

from accounting.identity import Caller
from accounting.models import LedgerEntry
from accounting.tokens import Tokens

from .booking import Booking, End, Row
from .posting import Known, Opening, Rejection, Settlement, Work, post, unwritten

logger = logging.getLogger(__name__)

_BATCH: Final = 500
_CALLER: Final = ("key_id", "key_name", "user_id", "user_name", "team_id", "team_name")


class Journal:
    """This process's file in ``directory``; made when it is first needed, gone when it is replayed."""

    def __init__(self, directory: Path, worker: uuid.UUID) -> None:
        self._directory = directory
        self._path = directory / f"ledger-{worker}.jsonl"
        self._file: FileIO | None = None

    @property
    def is_empty(self) -> bool:
        return self._file is None

    def append(self, works: Iterable[Work]) -> None:
        """Keeps ``works``: they are on the disk when this returns. Raises OSError; then none of them is kept."""
        rest = memoryview(b"".join(orjson.dumps(_encode(work)) + b"\n" for work in works))
        if self._file is None:
            self._file = self._open()
        end = self._file.seek(0, os.SEEK_END)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            raise

    def _open(self) -> FileIO:
        """The file, locked. Until it is, a process that adopts what dead ones left may take it for theirs."""
        self._directory.mkdir(parents=True, exist_ok=True)
        while True:
            file = FileIO(self._path, "ab")
            fcntl.flock(file, fcntl.LOCK_EX)
            if self._path.exists() and os.path.samestat(self._path.stat(), os.fstat(file.fileno())):
                return file
            file.close()

    def replay(self, known: Known) -> None:
        """Writes what was kept, and forgets it. Raises django.db.Error; then all of it is still there."""
        if self._file is not None:
            _replay(known, _read(self._path))
            self._path.unlink()
            self.close()

    def close(self) -> None:
        """Lets go of the file. What it still holds, the next process to start will find."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def adopt(self, known: Known) -> int:
        """Replays what dead processes left, and closes the rows they cannot; returns how many files there were."""
        adopted = 0
        for path in sorted(self._directory.glob("ledger-*.jsonl")):
            with path.open("rb") as left:
                try:
                    fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # its process lives
                try:
                    works = list(_read(path))
                except (ValueError, TypeError, KeyError):
                    logger.exception("the ledger's journal %s cannot be read: it is kept, with another ending", path)
                    path.rename(path.with_suffix(".unreadable"))
                    continue
                ended = {work.row.id for work in works if isinstance(work, Settlement)}
                orphans = [work.row for work in works if isinstance(work, Opening) and work.row.id not in ended]
                _replay(known, works)
                post(known, [Settlement(row, End(LedgerEntry.Outcome.LOST, row.tokens)) for row in orphans])
                path.unlink()
                adopted += 1
        return adopted


def _replay(known: Known, works: Iterable[Work]) -> None:
    batch: list[Work] = []
    for work in works:
        batch.append(work)
        if len(batch) == _BATCH:
            post(known, unwritten(batch), forced=True)
            batch = []
    post(known, unwritten(batch), forced=True)


def _read(path: Path) -> Iterator[Work]:
    """What the file holds. A last line that was cut off was never acknowledged."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield _decode(orjson.loads(line))


def _encode(work: Work) -> dict[str, Any]:
    row = work.row
    kept: dict[str, Any] = {
        "kind": type(work).__name__,
        "id": row.id,
        "started_at": row.started_at,
        "caller": {name: getattr(row.caller, name) for name in _CALLER},
        "booking": asdict(row.booking),
    }
    if isinstance(work, Settlement):
        kept["end"] = asdict(work.end)
    elif isinstance(work, Rejection):
        kept["error"], kept["outcome"] = row.error, row.outcome
    return kept


def _decode(kept: dict[str, Any]) -> Work:
    row = Row(
        caller=Caller(**kept["caller"]),
        booking=Booking(**kept["booking"]),
        id=uuid.UUID(kept["id"]),
        started_at=datetime.fromisoformat(kept["started_at"]),
    )
    match kept["kind"]:
        case "Opening":
            return Opening(row, None)
        case "Settlement":
            end = kept["end"]
            return Settlement(row, End(**{**end, "tokens": Tokens(**end["tokens"])}))
        case _:
            row.end(End(kept["outcome"], Tokens(), exact=True, error=kept["error"], duration_ms=0))
            row.cost = Decimal(0)
            return Rejection(row)
