"""Ledger rows in the database: the statements of the hot path, written once, and rows read back.

Plain SQL, because a row passes here twice a request and the ORM costs ten times the database's own work.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import orjson
from django.db import connection

from accounting.identity import Caller
from accounting.models import LedgerEntry, Worker
from accounting.models.money import to_units
from accounting.statements import Upsert, adapt_ids, fetch, lock, places, read_id
from accounting.tokens import Tokens

from .booking import Booking, Hold, Row

_TABLE: Final = LedgerEntry._meta.db_table
_FIXED: Final = (
    "id",
    "request_id",
    "user_id",
    "user_name",
    "team_id",
    "team_name",
    "key_id",
    "key_name",
    "asked_model",
    "tier",
    "provider",
    "model",
    "price_family",
    "streamed",
    "session_id",
    "agent_id",
    "parent_agent_id",
    "client",
    "worker",
    "started_at",
)
_FIGURES: Final = (
    "state",
    "outcome",
    "error",
    "exact",
    "service_tier",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "web_searches",
    "cost",
    "rate_card_id",
    "reserved",
    "holds",
    "attempts",
    "first_byte_ms",
    "duration_ms",
)
_COLUMNS: Final = (*_FIXED, *_FIGURES)
_INSERT: Final = Upsert(_TABLE, _COLUMNS, conflict=("id",))
COPY: Final = f"COPY {_TABLE} ({', '.join(_COLUMNS)}) FROM STDIN"
_OPEN: Final = f"SELECT id, holds FROM {_TABLE} WHERE state = 'open'"  # noqa: S608 (our own names)
# Conditions on open rows: those of one worker, and those of none that is known.
OF_WORKER: Final = "worker = %s"
OF_NOBODY: Final = f"(worker IS NULL OR worker NOT IN (SELECT id FROM {Worker._meta.db_table}))"  # noqa: S608 (our own names)
# Only rows that are locked are written again, so each of them is there, and nothing is ever inserted.
_UPDATE: Final = Upsert(_TABLE, _COLUMNS, conflict=("id",), replaced=_FIGURES)


def _fixed(row: Row) -> tuple[Any, ...]:
    caller, booking = row.caller, row.booking
    return (
        booking.request_id,
        caller.user_id,
        caller.user_name,
        caller.team_id,
        caller.team_name,
        caller.key_id,
        caller.key_name,
        booking.asked_model,
        booking.tier,
        booking.provider,
        booking.model,
        booking.price_family,
        booking.streamed,
        booking.session_id,
        booking.agent_id,
        booking.parent_agent_id,
        booking.client,
    )


def _figures(row: Row) -> tuple[Any, ...]:
    tokens = row.tokens
    is_open = not row.outcome
    return (
        "open" if is_open else "settled",
        row.outcome,
        row.error,
        row.exact,
        row.service_tier or row.booking.service_tier,
        tokens.input,
        tokens.cache_read,
        tokens.cache_write_5m,
        tokens.cache_write_1h,
        tokens.output,
        tokens.reasoning,
        tokens.web_searches,
        None if row.cost is None else to_units(row.cost),
        row.rate_card,
        to_units(row.reserved) if is_open else 0,
        orjson.dumps([tuple(hold) for hold in row.holds]).decode() if is_open and row.holds else None,
        row.attempts,
        row.first_byte_ms,
        row.duration_ms,
    )


def insert(rows: Sequence[Row], worker: uuid.UUID | None) -> None:
    """Writes new rows, open or settled as they are. A row that is there already stays as it is."""
    _INSERT.write(values(rows, worker))


def update(rows: Iterable[Row], worker: uuid.UUID | None) -> None:
    """Writes the figures of rows that the caller has locked. In order of id, as everybody does."""
    _UPDATE.write(values(sorted(rows, key=lambda row: row.id), worker))


def values(rows: Sequence[Row], worker: uuid.UUID | None) -> list[tuple[Any, ...]]:
    """Rows as the database takes them, in the order of ``COPY``."""
    if not rows:
        return []
    owner = None if worker is None else adapt_ids([worker])[0]
    moment = connection.ops.adapt_datetimefield_value
    ids = adapt_ids([row.id for row in rows])
    return [
        (key, *_fixed(row), owner, moment(row.started_at), *_figures(row)) for key, row in zip(ids, rows, strict=True)
    ]


def lock_open(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[Hold, ...]]:
    """Which of ``keys`` are open rows, and what they hold; locked until the transaction ends."""
    if not keys:
        return {}
    found = lock(f"{_OPEN} AND id IN ({places(len(keys))}) ORDER BY id", adapt_ids(keys))
    return {read_id(key): _holds(holds) for key, holds in found}


def select_open(which: str) -> str:
    """The query for open rows that meet a condition.

    The state is written out in it: SQLite takes the index of open rows only where it can see that. The plus keeps it
    from walking the whole primary key instead, in order to have the rows in order.
    """
    return f"{_OPEN} AND {which} ORDER BY +id" if connection.vendor == "sqlite" else f"{_OPEN} AND {which} ORDER BY id"


def open_rows(which: str, workers: Sequence[uuid.UUID], most: int) -> list[uuid.UUID]:
    """Up to ``most`` keys of the open rows that meet a condition, in order."""
    found = fetch(f"{select_open(which)} LIMIT {most}", adapt_ids(workers))
    return [read_id(key) for key, _ in found]


def lock_lost(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """Which of ``keys`` are rows that were given up for lost; locked until the transaction ends."""
    if not keys:
        return {}
    found = LedgerEntry.objects.select_for_update().filter(pk__in=keys, outcome=LedgerEntry.Outcome.LOST)
    return {entry.pk: restore(entry) for entry in found.order_by("pk")}


def _holds(text: str | None) -> tuple[Hold, ...]:
    return tuple(Hold(*hold) for hold in orjson.loads(text)) if text else ()


def restore(entry: LedgerEntry) -> Row:
    """The row as a process that opened it would know it."""
    return Row(
        id=entry.pk,
        started_at=entry.started_at,
        caller=Caller(
            key_id=entry.key_id or 0,
            key_name=entry.key_name,
            user_id=entry.user_id,
            user_name=entry.user_name,
            team_id=entry.team_id,
            team_name=entry.team_name,
        ),
        booking=Booking(
            request_id=entry.request_id,
            asked_model=entry.asked_model,
            tier=entry.tier,
            provider=entry.provider,
            model=entry.model,
            price_family=entry.price_family,
            streamed=entry.streamed,
            session_id=entry.session_id,
            agent_id=entry.agent_id,
            parent_agent_id=entry.parent_agent_id,
            client=entry.client,
            service_tier=entry.service_tier,
        ),
        tokens=Tokens(
            entry.input_tokens,
            entry.cache_read_tokens,
            entry.cache_write_5m_tokens,
            entry.cache_write_1h_tokens,
            entry.output_tokens,
            entry.reasoning_tokens,
            entry.web_searches,
        ),
        outcome=entry.outcome,
        error=entry.error,
        exact=entry.exact,
        service_tier=entry.service_tier,
        attempts=entry.attempts,
        first_byte_ms=entry.first_byte_ms,
        duration_ms=entry.duration_ms,
        cost=entry.cost,
        rate_card=entry.rate_card_id,
        reserved=entry.reserved,
        holds=_holds(entry.holds),
    )
