"""Anthropic's cache breakpoints for chat completions hosts that take them on the parts of a message.

OpenRouter hands ``cache_control`` to Claude, Gemini and Qwen, LiteLLM to Claude and Nova at other clouds. A breakpoint
caches all that stands before it, and the longest such beginning is found again; so what counts is that there is one
behind the system prompt (tools stand before it) and one behind what was said last, wherever the client put its own.

Source: https://openrouter.ai/docs/features/prompt-caching, https://docs.litellm.ai/docs/completion/prompt_caching
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .events import JSON
from .messages import MessagesRequest


def mark(messages: list[JSON], request: MessagesRequest) -> None:
    """Sets the request's breakpoints on the chat ``messages`` that it has become; none where it has none."""
    body = request.body
    whole = next(_found([body]), None)  # "cache what can be": Anthropic then marks the last block itself
    behind_system = next(_found(body.get("system")), None) or next(_found(body.get("tools")), None) or whole
    if behind_system is not None and messages and messages[0]["role"] in ("system", "developer"):
        _set(messages[0], behind_system)
    contents = (message.get("content") for message in reversed(body["messages"]))
    said_last = next((found for content in contents for found in _found(content)), None) or whole
    if said_last is not None and messages and messages[-1]["role"] in ("user", "tool"):
        _set(messages[-1], said_last)


def _found(blocks: Any) -> Iterator[JSON]:
    """The ``cache_control`` objects of ``blocks``, without what only Anthropic's own API knows (``scope``)."""
    for block in blocks if isinstance(blocks, list) else ():
        control = block.get("cache_control") if isinstance(block, dict) else None
        if isinstance(control, dict):
            yield {"type": "ephemeral"} | ({"ttl": control["ttl"]} if control.get("ttl") in ("5m", "1h") else {})


def _set(message: JSON, control: JSON) -> None:
    """On the last part of the message; one that is a plain text becomes a part."""
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())
    if parts:
        message["content"] = [*parts[:-1], parts[-1] | {"cache_control": control}]
