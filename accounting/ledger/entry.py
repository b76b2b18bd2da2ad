"""A request's place on the ledger: opened before its first byte, settled before its last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Protocol

from django.conf import settings

from accounting import live
from accounting.errors import LedgerUnavailable
from accounting.identity import Caller
from accounting.models import LedgerEntry
from accounting.tokens import Tokens, is_count

from .booking import Booking, End, Row
from .lifecycle import current
from .posting import Headers, Opening, Rejection, Settlement
from .writer import UNAVAILABLE

Outcome = LedgerEntry.Outcome

_ENVELOPE: Final = 80  # bytes of a content delta's event that are not content
_MESSAGE: Final = 250  # bytes of a whole message that are not content
_BYTES_PER_TOKEN: Final = 4
_UNSETTLED: Final = "The gateway could not record this answer on its ledger, so it is not delivered."


class Event(Protocol):
    """An event of Anthropic's stream, as ``routing.upstream.events.Event`` is one."""

    @property
    def type(self) -> str: ...

    @property
    def data(self) -> Mapping[str, Any]: ...

    @property
    def json(self) -> bytes: ...


class Entry:
    """What the ledger sees of one answer while it passes."""

    def __init__(self, row: Row) -> None:
        self.headers: Headers = []
        self._row = row
        self._began = time.perf_counter()
        self._first_byte: float | None = None
        self._tokens = Tokens(input=row.booking.input_estimate)
        self._service_tier = ""
        self._exact = False
        self._input_told = False
        self._seen = False
        self._content_bytes = 0
        self._outcome = ""
        self._error = ""
        self.attempts = 1
        self.is_settled = False
        self.end: End | None = None  # how it ended, as soon as that is known

    @property
    def caller(self) -> Caller:
        return self._row.caller

    @property
    def booking(self) -> Booking:
        return self._row.booking

    @property
    def output_so_far(self) -> int:
        """Tokens: the provider's own count where it has come, else what the bytes seen so far suggest."""
        return max(self._tokens.output, -(-self._content_bytes // _BYTES_PER_TOKEN))

    def observe(self, events: Iterable[Event]) -> None:
        """Takes in a batch of events as they pass. A content delta is only measured, never parsed."""
        for event in events:
            kind = event.type
            if kind == "content_block_delta":
                if self._first_byte is None:
                    self._first_byte = time.perf_counter()
                content = event.json
                if b'"signature_delta"' not in content[:_ENVELOPE]:
                    self._content_bytes += max(len(content) - _ENVELOPE, 1)
            elif kind == "message_delta":
                self._read(event.data.get("usage"), final=True)
            elif kind == "message_start":
                self._seen = True
                self._read(_object(event.data.get("message")).get("usage"), final=False)
            elif kind == "message":
                self._seen = True
                self._first_byte = self._first_byte or time.perf_counter()
                self._read(event.data.get("usage"), final=True)
                if not self._exact:
                    self._content_bytes = max(len(event.json) - _MESSAGE, 1)
            elif kind == "error":
                self.fail(Outcome.UPSTREAM_ERROR, str(_object(event.data.get("error")).get("type", "")))

    def fail(self, outcome: str, message_class: str) -> None:
        """Says how the request ended otherwise than well; the first to say so is heard."""
        if not self._outcome:
            self._outcome, self._error = str(outcome), message_class

    async def settle(self) -> None:
        """Settles the row; it is committed when this returns. A second call does nothing.

        Raises LedgerUnavailable after ``LEDGER_PATIENCE_SECONDS``; the row is then settled when the database is back.
        """
        if self.is_settled:
            return
        committed = current().ask(self._settlement(self._outcome or Outcome.COMPLETE))
        committed.add_done_callback(_retrieve)
        try:
            async with asyncio.timeout(settings.LEDGER_PATIENCE_SECONDS):
                await asyncio.shield(committed)
        except TimeoutError:
            raise LedgerUnavailable(_UNSETTLED) from None

    def interrupt(self, outcome: str, error: str = "") -> None:
        """Orders the row settled as ``outcome``, without waiting: safe while a task is being cancelled."""
        if not self.is_settled:
            self.fail(outcome, error)
            current().put(self._settlement(self._outcome))

    def withdraw(self, outcome: str, error: str = "") -> None:
        """Nobody waits for the row to be open any more, so nothing was sent on, and it cost nothing."""
        self._tokens, self._exact = Tokens(), True
        self.interrupt(outcome, error)

    def _settlement(self, outcome: str) -> Settlement:
        self.is_settled = True
        now = time.perf_counter()
        tokens, exact = self._figures(outcome)
        self.end = End(
            outcome=outcome,
            tokens=tokens,
            exact=exact,
            error=self._error,
            service_tier=self._service_tier,
            attempts=self.attempts,
            first_byte_ms=None if self._first_byte is None else round((self._first_byte - self._began) * 1000),
            duration_ms=round((now - self._began) * 1000),
        )
        return Settlement(self._row, self.end)

    def _figures(self, outcome: str) -> tuple[Tokens, bool]:
        """What the row is settled with: the provider's last word, or what was seen of the answer so far.

        A call that failed before any of its answer came is taken to cost nothing; one that a client left has cost its
        input at least.
        """
        if self._exact:
            return self._tokens, True
        if not self._seen and not self._content_bytes and outcome != Outcome.INTERRUPTED:
            return Tokens(), False
        return replace(self._tokens, output=self.output_so_far), False

    def _read(self, usage: object, *, final: bool) -> None:
        if not isinstance(usage, Mapping):
            return
        self._seen = True
        self._tokens.read(usage)
        tier = usage.get("service_tier")
        self._service_tier = tier if isinstance(tier, str) else self._service_tier
        self._input_told = self._input_told or is_count(usage.get("input_tokens"))
        if final:
            told = self._input_told and is_count(usage.get("output_tokens"))
            self._exact = told and not usage.get("tollgate_estimated")


@asynccontextmanager
async def entry(
    caller: Caller, booking: Booking, *, generation: int | None, is_live: bool = True
) -> AsyncIterator[Entry]:
    """Opens a row with its reservation, and sees that it is settled, however the block is left.

    ``generation`` is that of the table the request was decided on; None goes on whatever it is. Raises Stale where it
    has moved, LimitReached, BudgetSpent and LedgerUnavailable; nothing is reserved then. Left without ``settle``, the
    row is interrupted (the task was cancelled) or failed (any other exception), on an estimate. ``is_live``: shown on
    live pages; not for what runs in another event loop than the worker's, which alone keeps count of those.
    """
    row = Row.new(caller, booking)
    opened = Entry(row)
    asked = current().ask(Opening(row, generation))
    asked.add_done_callback(_retrieve)
    try:
        # A database that does not even refuse (a lock that stays, a host that is silent) is away too.
        async with asyncio.timeout(settings.LEDGER_PATIENCE_SECONDS):
            opened.headers = await asyncio.shield(asked)
    except asyncio.CancelledError:
        opened.withdraw(Outcome.INTERRUPTED)
        raise
    except TimeoutError:
        opened.withdraw(Outcome.GATEWAY_ERROR, LedgerUnavailable.__name__)
        raise LedgerUnavailable(UNAVAILABLE) from None
    if is_live:
        live.enter(opened)
    try:
        yield opened
    except (asyncio.CancelledError, GeneratorExit):
        opened.interrupt(Outcome.INTERRUPTED)
        raise
    except BaseException as error:
        await _finish(opened, Outcome.GATEWAY_ERROR, type(error).__name__)
        raise
    finally:
        if is_live:
            live.leave(opened)
    await _finish(opened, Outcome.GATEWAY_ERROR, "unsettled")


async def _finish(opened: Entry, outcome: str, error: str) -> None:
    """Settles an entry that was left unsettled. The database being away does not hide why it was left."""
    if not opened.is_settled:
        opened.fail(outcome, error)
        try:
            await opened.settle()
        except LedgerUnavailable:
            return


async def reject(
    caller: Caller,
    *,
    request_id: str,
    asked_model: str = "",
    error: str = "",
    session_id: str = "",
    client: str = "",
) -> None:
    """Orders a row for a request that a valid key sent and that leads nowhere. Returns at once."""
    row = Row.new(caller, Booking(request_id=request_id, asked_model=asked_model, session_id=session_id, client=client))
    row.end(End(Outcome.REJECTED, Tokens(), exact=True, error=error, duration_ms=0))
    row.cost = Decimal(0)
    current().put(Rejection(row))


def _object(value: object) -> Mapping[str, Any]:
    """What should be a JSON object; a provider whose events are passed on may have sent anything."""
    return value if isinstance(value, Mapping) else {}


def _retrieve(committed: asyncio.Future[Any]) -> None:
    """Nobody waits any more: what became of it is on the ledger, and an exception counts as seen."""
    if not committed.cancelled():
        committed.exception()
