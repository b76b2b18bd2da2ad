"""Files that are written while they are read: a year is no more to hold than a day, whatever server asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from channels.db import database_sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def csv_file(request: HttpRequest, name: str, pieces: Iterator[bytes]) -> StreamingHttpResponse:
    """``pieces`` (from the database, a chunk of rows each) as the file ``name``.

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
