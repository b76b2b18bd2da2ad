"""A body that does not come whole is not waited for for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from routing.gateway import consumers


async def test_a_body_that_does_not_come_is_told_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "BODY_SECONDS", 0.1)
    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": [], "client": ("127.0.0.1", 1)}
    pieces = [{"type": "http.request", "body": b'{"model":', "more_body": True}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return pieces.pop() if pieces else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await consumers.MessagesConsumer()(scope, receive, send)
    start, body = sent
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert orjson.loads(body["body"])["error"]["type"] == "invalid_request_error"
