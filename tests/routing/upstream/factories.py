"""Requests, targets and whole answers for the tests of this room."""

from __future__ import annotations

from typing import Any

import orjson

from routing.upstream.dialect import Translator
from routing.upstream.events import JSON, Event
from routing.upstream.messages import MessagesRequest
from routing.upstream.target import Target

MESSAGE_ID = "msg_0123456789abcdef"


def a_request(
    *, headers: dict[str, str] | None = None, session_id: str = "", estimate: int = 10, **fields: Any
) -> MessagesRequest:
    """A MessagesRequest whose body has ``fields`` and what every request has."""
    body: JSON = {"model": "claude-opus-4-8", "max_tokens": 1024, "messages": [{"role": "user", "content": "hi"}]}
    body |= fields
    return MessagesRequest(
        body=body,
        raw=orjson.dumps(body),
        model=body["model"],
        stream=body.get("stream", False),
        max_tokens=body["max_tokens"],
        headers=headers or {},
        session_id=session_id,
        message_id=MESSAGE_ID,
        input_estimate=estimate,
    )


def a_target(dialect: str, model: str = "a-model", **fields: Any) -> Target:
    fields = {"provider": "acme", "base_url": "http://127.0.0.1:9", "api_key": "key-of-acme"} | fields
    return Target(dialect=dialect, model=model, **fields)


def told(translator: Translator, *payloads: bytes, names: bool = False) -> list[Event]:
    """All events of an answer that comes as ``payloads``; ``names`` gives each its JSON ``type`` as SSE event name."""
    events: list[Event] = []
    for payload in payloads:
        events += translator.feed(orjson.loads(payload)["type"] if names else "", payload)
    return events + translator.finish()
