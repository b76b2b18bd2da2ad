"""A request for a message, as the gateway hands it to a dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .events import JSON


@dataclass(frozen=True, slots=True)
class MessagesRequest:
    """An Anthropic ``/v1/messages`` request whose acted-on fields were checked by ``routing.gateway.parsing``.

    ``body`` is the whole JSON object, unknown fields included; a translator reads it and never changes it.
    ``raw`` is the body as the client sent it. ``headers`` are the client's own that a provider of the same dialect
    should see, lower case (``anthropic-version``, ``anthropic-beta``, ``user-agent`` and their like), never a
    credential. ``input_estimate`` is the input's size in tokens, at least 1, as estimated without a tokenizer.
    """

    body: JSON
    raw: bytes = field(repr=False)
    model: str
    stream: bool
    max_tokens: int
    headers: Mapping[str, str] = field(default_factory=dict)
    session_id: str = ""
    agent_id: str = ""
    parent_agent_id: str = ""
    message_id: str = "msg_"
    input_estimate: int = 1
