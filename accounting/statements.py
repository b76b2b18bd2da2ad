"""Plain SQL for the hot path, the same on every database: many rows to a statement, and rows locked as they are read.

The ORM costs ten times the database's own work here. A statement also costs two hand-overs of the interpreter's lock
to the busy event loop, so what counts is how few they are. They go to the driver in its own words: Django and psycopg
read each statement's placeholders anew, which took a third of all that a request costs on PostgreSQL.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import count
from typing import Any, Final

from django.db import connection

_MOST: Final = 32  # rows to a statement


class Upsert:
    """``INSERT`` of many rows, with what happens where a key of ``conflict`` is there already.

    ``sums`` are added to what is there, ``replaced`` put in its place; without either, the row there stays as it is.
    All names are those of our own columns.
    """

    def __init__(
        self,
        table: str,
        columns: Sequence[str],
        *,
        conflict: Sequence[str],
        sums: Sequence[str] = (),
        replaced: Sequence[str] = (),
    ) -> None:
        changes = [f"{name} = {table}.{name} + excluded.{name}" for name in sums]
        changes += [f"{name} = excluded.{name}" for name in replaced]
        action = f"DO UPDATE SET {', '.join(changes)}" if changes else "DO NOTHING"
        self._insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608 (our own names)
        self._places = f"({places(len(columns))})"
        self._conflict = f" ON CONFLICT ({', '.join(conflict)}) {action}"

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Writes ``rows`` in their order; of a key there is at most one. Raises django.db.Error."""
        if not rows:
            return
        with _cursor() as cursor:
            start = 0
            while start < len(rows):
                # By powers of two, so that the database meets few different statements and keeps them prepared.
                size = min(_MOST, 1 << ((len(rows) - start).bit_length() - 1))
                some = rows[start : start + size]
                cursor.execute(_native(self._text(size), connection.vendor), [value for row in some for value in row])
                start += size

    def _text(self, rows: int) -> str:
        return self._insert + ", ".join([self._places] * rows) + self._conflict


@lru_cache(maxsize=1024)
def places(count: int) -> str:
    return ", ".join(["%s"] * count)


def lock(select: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of ``select``, locked until the transaction ends (SQLite's writer has locked everything)."""
    suffix = " FOR UPDATE" if connection.features.has_select_for_update else ""
    return fetch(select + suffix, parameters)


def fetch(select: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with _cursor() as cursor:
        cursor.execute(_native(select, connection.vendor), parameters)
        return list(cursor.fetchall())


@contextmanager
def _cursor() -> Iterator[Any]:
    """The driver's own cursor on Django's connection, in whose transaction it is. Raises django.db.Error."""
    connection.ensure_connection()
    with connection.wrap_database_errors, closing(_driver_cursor(connection.connection)) as cursor:
        yield cursor


def _driver_cursor(driver: Any) -> Any:
    if connection.vendor == "sqlite":
        return driver.cursor()
    from psycopg import RawCursor  # not imported where SQLite is used

    return RawCursor(driver)


@lru_cache(maxsize=512)
def _native(statement: str, vendor: str) -> str:
    """``statement`` with the driver's own placeholders: "?" for SQLite, "$1" and so on for PostgreSQL."""
    if vendor == "sqlite":
        return statement.replace("%s", "?")
    numbers = count(1)
    return re.sub("%s", lambda _: f"${next(numbers)}", statement)


def adapt_ids(keys: Collection[uuid.UUID]) -> list[Any]:
    """UUIDs as the database in use takes them."""
    return list(keys) if connection.features.has_native_uuid_field else [key.hex for key in keys]


def read_id(value: Any) -> uuid.UUID:
    """A UUID as the database in use gives it."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(hex=value)
