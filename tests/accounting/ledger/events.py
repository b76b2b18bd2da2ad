"""Events of an answer, as the gateway shows them to the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass
class Event:
    type: str
    data: dict[str, Any]

    @property
    def json(self) -> bytes:
        return orjson.dumps(self.data)


def start(**usage: Any) -> Event:
    return Event("message_start", {"type": "message_start", "message": {"usage": usage}})


def delta(text: str) -> Event:
    content = {"type": "text_delta", "text": text}
    return Event("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": content})


def end(**usage: Any) -> Event:
    return Event("message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage})
