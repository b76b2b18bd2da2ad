"""Request parameters in the terms that several providers share; each dialect gives them their names."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import orjson

from .events import JSON
from .messages import MessagesRequest
from .target import Capabilities

# OpenAI's scale, which OpenRouter, Groq, xAI, DeepSeek and Anthropic's own ``output_config.effort`` share.
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Thinking budgets up to these many tokens are that effort; Claude Code's own steps are 4,000, 10,000 and 31,999.
_LOW_BUDGET: Final = 4_096
_MEDIUM_BUDGET: Final = 16_384


def max_output(request: MessagesRequest, capabilities: Capabilities) -> int:
    """``max_tokens``, cut to what the model can really write."""
    limit = capabilities.max_output
    return request.max_tokens if limit is None else min(request.max_tokens, limit)


def thinking(request: MessagesRequest) -> JSON:
    """The request's ``thinking`` object, empty where it has none."""
    asked = request.body.get("thinking")
    return asked if isinstance(asked, dict) else {}


def thinking_shown(request: MessagesRequest) -> bool:
    """Whether the client expects thinking in the answer: many read ``content[0].text`` unless they asked for it."""
    asked = thinking(request)
    return asked.get("type") in ("enabled", "adaptive") and asked.get("display") != "omitted"


def output_config(request: MessagesRequest) -> JSON:
    asked = request.body.get("output_config")
    return asked if isinstance(asked, dict) else {}


def effort(request: MessagesRequest, capabilities: Capabilities) -> str | None:
    """The reasoning effort, in the model's own words (``capabilities.efforts``); None leaves it to the provider.

    ``thinking: disabled`` is the least the model knows. ``output_config.effort`` outranks a budget: it is the newer
    word for the same wish. ``adaptive`` alone is Anthropic's default effort, ``high``.
    """
    if capabilities.reasoning not in ("effort", "level"):
        return None
    asked = thinking(request)
    kind = asked.get("type")
    said = output_config(request).get("effort")
    if kind == "disabled":
        return nearest("none", capabilities.efforts)
    if isinstance(said, str) and said in EFFORTS:
        return nearest(said, capabilities.efforts)
    if kind == "adaptive":
        return nearest("high", capabilities.efforts)
    if kind == "enabled":
        budget = asked.get("budget_tokens")
        budget = budget if isinstance(budget, int) else _MEDIUM_BUDGET
        word = "low" if budget <= _LOW_BUDGET else "medium" if budget <= _MEDIUM_BUDGET else "high"
        return nearest(word, capabilities.efforts)
    return None


def nearest(asked: str, known: tuple[str, ...]) -> str | None:
    """``asked``, else the next lesser effort that is known, else the least of all."""
    ranks = sorted(EFFORTS.index(word) for word in known if word in EFFORTS)
    lesser = [rank for rank in ranks if rank <= EFFORTS.index(asked)]
    return EFFORTS[lesser[-1] if lesser else ranks[0]] if ranks else None


def json_schema(request: MessagesRequest) -> JSON | None:
    """The schema that the answer must follow: ``output_config.format``, formerly ``output_format``."""
    asked: Any = output_config(request).get("format") or request.body.get("output_format")
    if not isinstance(asked, dict) or asked.get("type") != "json_schema" or not isinstance(asked.get("schema"), dict):
        return None
    schema: JSON = asked["schema"]
    return schema


def stop_sequences(request: MessagesRequest) -> list[str]:
    """Without those that are empty, which no provider takes."""
    return [sequence for sequence in request.body.get("stop_sequences") or () if isinstance(sequence, str) and sequence]


def end_user(request: MessagesRequest) -> str:
    """A pseudonym for the person behind the request, 32 hexadecimal digits; "" where the client names nobody.

    Claude Code's ``metadata.user_id`` is a JSON string of device, account and session: the account, else the device,
    is the person, and only a digest of it leaves the house.
    """
    metadata = request.body.get("metadata")
    user_id = metadata.get("user_id") if isinstance(metadata, dict) else None
    if not isinstance(user_id, str) or not user_id:
        return ""
    try:
        parts = orjson.loads(user_id)
    except orjson.JSONDecodeError:
        parts = None
    if isinstance(parts, dict):
        user_id = str(parts.get("account_uuid") or parts.get("device_id") or user_id)
    return _pseudonym("user", user_id)


def cache_key(request: MessagesRequest) -> str:
    """What keeps one session's requests on one prompt cache, 32 hexadecimal digits; "" without a session id."""
    return _pseudonym("session", request.session_id) if request.session_id else ""


def _pseudonym(kind: str, value: str) -> str:
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16, person=kind.encode()).hexdigest()
