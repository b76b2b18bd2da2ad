"""CSV: files that are written while they are read, whatever server asks, and cells that no spreadsheet runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from channels.db import database_sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def inert(cell: Any) -> Any:
    """``cell``, quoted where a spreadsheet would take it for a formula: names are people's to choose.

    Source: OWASP, "CSV Injection".
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def csv_file(request: HttpRequest, name: str, pieces: Iterator[bytes]) -> StreamingHttpResponse:
    """``pieces`` (from the database, a chunk of rows each) as the file ``name``: a year is no more to hold than a day.

    Between two pieces the connection to the database may be changed for another: no cursor outlives one.
    Django reads a plain iterator whole before it sends anything under ASGI, and an asynchronous one under WSGI by an
    event loop whose thread closes the request's own connection to the database: each server gets its own kind.
    """
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    content = _apart(pieces) if isinstance(request, ASGIRequest) else pieces
    return StreamingHttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


async def _apart(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece made in a thread, away from the event loop."""
    following = database_sync_to_async(next)
    while (piece := await following(pieces, None)) is not None:
        yield piece
