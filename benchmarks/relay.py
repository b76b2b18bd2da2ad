"""The bare relay: the same HTTP stack as the gateway (uvicorn, aiohttp) and nothing else. What it does is the limit.

``RELAY_TO`` is the base URL that every request goes to, path and body untouched.
"""

from __future__ import annotations

import os
from typing import Any

import aiohttp

_TO = os.environ.get("RELAY_TO", "")
_session: aiohttp.ClientSession | None = None


def _shared() -> aiohttp.ClientSession:
    global _session
    if _session is None:
        _session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False)
    return _session


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application."""
    assert scope["type"] == "http"
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = {"content-type": "application/json"}
    async with _shared().post(_TO + scope["path"], data=b"".join(pieces), headers=headers) as response:
        kept = [(b"content-type", response.headers["content-type"].encode())]
        await send({"type": "http.response.start", "status": response.status, "headers": kept})
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
