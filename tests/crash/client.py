"""A client that keeps a transcript: what it was promised, what it saw, and whether it saw the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

MODEL = "openai/gpt-4o"


@dataclass
class Call:
    """One request as its client saw it. ``request_id`` is empty where no response came."""

    number: int
    request_id: str = ""
    status: int = 0
    usage: dict[str, int] = field(default_factory=dict)
    is_finished: bool = False


async def stream(
    session: aiohttp.ClientSession, number: int, *, leave_after: int = 0, token: str = "", model: str = MODEL
) -> Call:
    """One streamed request, read until its end or until it breaks; a client may also leave after some events.

    ``token`` where the session has none.
    """
    call = Call(number)
    headers = {"x-api-key": token} if token else {}
    body = {
        "model": model,
        "max_tokens": 200,
        "stream": True,
        "messages": [{"role": "user", "content": f"call {number}"}],
    }
    try:
        async with session.post("/v1/messages?beta=true", json=body, headers=headers) as response:
            call.status = response.status
            call.request_id = response.headers.get("request-id", "")
            seen = 0
            async for line in response.content:
                if not line.startswith(b"data: "):
                    continue
                event: dict[str, Any] = orjson.loads(line[6:])
                seen += 1
                if event["type"] == "message_delta":
                    call.usage = event["usage"]
                elif event["type"] == "message_stop":
                    call.is_finished = True
                if seen == leave_after:
                    return call
    except (aiohttp.ClientError, ConnectionError, TimeoutError):
        pass  # the worker was killed: the transcript says so
    return call


async def crowd(base_url: str, token: str, numbers: range, *, leavers: int) -> list[Call]:
    """Many requests at once; every ``leavers``-th client leaves in the middle."""
    headers = {"x-api-key": token, "anthropic-version": "2023-06-01"}
    connector = aiohttp.TCPConnector(limit=0, force_close=True)  # spread over the workers
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(base_url, headers=headers, connector=connector, timeout=timeout) as session:
        calls = (stream(session, number, leave_after=4 if number % leavers == 0 else 0) for number in numbers)
        return await asyncio.gather(*calls)
