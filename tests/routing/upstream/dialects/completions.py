"""Chat completions as hosts write them, and answers made of them."""

from __future__ import annotations

from typing import Any

import orjson

from routing.upstream.dialects.openai_chat_answer import ChatAnswer
from routing.upstream.events import Event
from routing.upstream.messages import MessagesRequest
from tests.routing.upstream.factories import a_request, a_target
from tests.routing.upstream.transcripts import judged
from tests.support.grammar import Transcript

JSON = dict[str, Any]
TARGET = a_target("openai_chat", provider="deepseek")
THINKING = {"type": "adaptive"}
DONE = b"[DONE]"
TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in ("Bash", "Read")]
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def chunk(finish: str | None = None, *, choice: Any = None, **delta: Any) -> bytes:
    return orjson.dumps(
        {
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **(choice or {})}],
        }
    )


def usage(**fields: Any) -> bytes:
    return orjson.dumps({"object": "chat.completion.chunk", "choices": [], "usage": fields})


def whole(message: JSON, finish: str | None = "stop", **fields: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return orjson.dumps({"object": "chat.completion", "choices": [choice], **fields})


def piece(index: int | None = 0, *, id: str | None = None, name: str | None = None, arguments: Any = None) -> JSON:
    item: JSON = {"type": "function", "function": {}}
    if index is not None:
        item["index"] = index
    if id is not None:
        item["id"] = id
    if name is not None:
        item["function"]["name"] = name
    if arguments is not None:
        item["function"]["arguments"] = arguments
    return item


def feed(*payloads: bytes, request: MessagesRequest | None = None, target: Any = TARGET) -> list[Event]:
    answer = ChatAnswer(target, request or a_request(tools=TOOLS))
    events: list[Event] = []
    for payload in payloads:
        events += answer.feed("", payload)
    return events + answer.finish()


def told(*payloads: bytes, **options: Any) -> Transcript:
    return judged(feed(*payloads, **options))


def message(*payloads: bytes, **options: Any) -> JSON:
    found = told(*payloads, **options).message
    assert found is not None
    return found
