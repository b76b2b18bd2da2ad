"""Requests as a client sends them, while a page is looked at."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from tests.support.gateway import Gateway


def ask(gateway: Gateway, token: str, **fields: Any) -> httpx.Response:
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "Say hello."}],
    } | fields
    return httpx.post(f"{gateway.base_url}/v1/messages", json=body, headers={"x-api-key": token}, timeout=30)


def keep_asking(gateway: Gateway, token: str, over: threading.Event) -> None:
    while not over.is_set():
        ask(gateway, token, stream=True)
