"""OpenAI's encrypted reasoning, carried in what the client returns: nothing is stored, here or there.

A reasoning item comes back as it was, right before the item it led to, and only to the model that wrote it: another
model, or another account, cannot read it and would refuse the whole request.

Source: https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items
"""

from __future__ import annotations

import orjson

from ..carried import seal, tag, unseal
from ..events import JSON
from ..target import Target


def sealed(target: Target, item: JSON) -> str | None:
    """What brings a ``reasoning`` item back; None where it holds nothing to bring."""
    encrypted = item.get("encrypted_content")
    if not isinstance(encrypted, str) or not encrypted:
        return None
    state = {"model": target.model, "id": item.get("id"), "encrypted_content": encrypted}
    return seal(tag(target), orjson.dumps(state))


def returned(target: Target, block: JSON) -> JSON | None:
    """The ``reasoning`` item of a ``thinking`` or ``redacted_thinking`` block; None where it is not this model's."""
    payload = unseal(tag(target), block.get("signature") or block.get("data"))
    state = orjson.loads(payload) if payload else {}
    if state.get("model") != target.model:
        return None
    thinking = block.get("thinking")
    summary = [{"type": "summary_text", "text": thinking}] if thinking else []
    item: JSON = {"type": "reasoning", "summary": summary, "encrypted_content": state["encrypted_content"]}
    return item | {"id": state["id"]} if state["id"] else item
