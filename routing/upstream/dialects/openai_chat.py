"""OpenAI's chat completions, as OpenAI and the many hosts that speak like it take them.

``openai_chat_request`` writes the request, ``openai_chat_answer`` reads the answer, ``openai_errors`` the errors. What
a host or a model departs from is data (``Target.quirks``, ``Target.capabilities``).

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from ..dialect import Call, ListPage, Translator
from ..errors import Broken, UpstreamError
from ..messages import MessagesRequest
from ..target import Target
from . import listing, openai_errors
from .openai_chat_answer import ChatAnswer
from .openai_chat_request import chat_body, cut_here


class OpenAIChat:
    """The chat completions dialect."""

    def call(self, target: Target, request: MessagesRequest) -> Call:
        body = orjson.dumps(chat_body(target, request))
        return Call(target.url("/chat/completions"), headers(target), body)

    def streams(self, target: Target, request: MessagesRequest) -> bool:
        return request.stream or cut_here(target, request)

    def translator(self, target: Target, request: MessagesRequest) -> Translator:
        return ChatAnswer(target, request)

    def refusal(
        self, target: Target, request: MessagesRequest, status: int, headers: Mapping[str, str], body: bytes
    ) -> UpstreamError:
        return openai_errors.refusal(target, request, status, headers, body)

    def count_call(self, target: Target, request: MessagesRequest) -> Call | None:
        return None  # chat completions have no token counter

    def count(self, payload: bytes) -> int:
        raise Broken("Chat completions have no token counter.")

    def list_call(self, target: Target, after: str) -> Call:
        return Call(target.url("/models"), headers(target), b"", "GET")

    def listed(self, payload: bytes) -> ListPage:
        return listing.openai(payload)


def headers(target: Target) -> dict[str, str]:
    """The credential where the host wants it, and what the provider's row adds."""
    found = {"content-type": "application/json"}
    if target.api_key:
        name = target.quirks.auth_header.lower() or "authorization"
        found[name] = f"Bearer {target.api_key}" if name == "authorization" else target.api_key
    return found | {name.lower(): value for name, value in target.headers.items()}
