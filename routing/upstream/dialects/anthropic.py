"""Anthropic's own API: passed through, both ways.

The request goes on as the client wrote it (its very bytes where the model's name stays) and every event of the answer
comes back as Anthropic wrote it (``anthropic_answer``). Changed is only what must be: the model's name where the
mapping changes it, with what that other model takes otherwise (``anthropic_mapped``), and what other providers left in
the history (``anthropic_history``).

Source: https://docs.anthropic.com/en/api/messages, .../messages-count-tokens, .../errors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from ..dialect import Call, ListPage, Translator
from ..errors import Broken, UpstreamError
from ..events import JSON
from ..messages import MessagesRequest
from ..refusals import by_status
from ..target import Target
from . import listing
from .anthropic_answer import PassThrough, refused
from .anthropic_history import without_foreign
from .anthropic_mapped import for_model

VERSION: Final = "2023-06-01"
_OAUTH_PREFIX: Final = "sk-ant-oat"
_OAUTH_BETA: Final = "oauth-2025-04-20"

# What a message takes and the token counter does not; everything else, known or not, goes to both.
_NOT_COUNTED: Final = frozenset(
    {
        *("max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata", "service_tier"),
        *("container", "inference_geo", "fallbacks"),
    }
)
_KEPT_HEADERS: Final = frozenset({"retry-after", "retry-after-ms", "x-should-retry", "request-id"})
_KEPT_PREFIX: Final = "anthropic-"


class Anthropic:
    """The pass-through dialect."""

    def call(self, target: Target, request: MessagesRequest) -> Call:
        return Call(target.url("/v1/messages"), _headers(target, request.headers), _body(target, request))

    def streams(self, target: Target, request: MessagesRequest) -> bool:
        return request.stream

    def translator(self, target: Target, request: MessagesRequest) -> Translator:
        return PassThrough(target, request)

    def refusal(
        self, target: Target, request: MessagesRequest, status: int, headers: Mapping[str, str], body: bytes
    ) -> UpstreamError:
        """Verbatim for an error in Anthropic's envelope; a redirect, or a proxy's page, is judged by its status."""
        data = _object(body)
        if status < 400 or data is None or data.get("type") != "error" or not isinstance(data.get("error"), dict):
            return by_status(target, status, headers)
        kept = {
            name: value for name, value in headers.items() if name in _KEPT_HEADERS or name.startswith(_KEPT_PREFIX)
        }
        return refused(target, data, status, kept, body)

    def count_call(self, target: Target, request: MessagesRequest) -> Call:
        kept = request.body | _changes(target, request) | {"model": target.model}
        body = orjson.dumps({name: value for name, value in kept.items() if name not in _NOT_COUNTED})
        return Call(target.url("/v1/messages/count_tokens"), _headers(target, request.headers), body)

    def count(self, payload: bytes) -> int:
        match _object(payload):
            case {"input_tokens": int(tokens)}:
                return tokens
        raise Broken("The provider's token counter answered with something else than a count.")

    def list_call(self, target: Target, after: str) -> Call:
        query = {"limit": str(listing.PAGE)} | ({"after_id": after} if after else {})
        return Call(target.url("/v1/models", **query), _headers(target, {}), b"", "GET")

    def listed(self, payload: bytes) -> ListPage:
        return listing.anthropic(payload)


def _headers(target: Target, own: Mapping[str, str]) -> dict[str, str]:
    """The client's own headers, Anthropic's credential and what the provider's row adds."""
    headers = {"anthropic-version": VERSION, **own, "content-type": "application/json"}
    if target.quirks.auth_header:
        name = target.quirks.auth_header.lower()
        headers[name] = f"Bearer {target.api_key}" if name == "authorization" else target.api_key
    elif target.api_key.startswith(_OAUTH_PREFIX):
        headers["authorization"] = f"Bearer {target.api_key}"
        betas = [beta for beta in headers.get("anthropic-beta", "").split(",") if beta.strip()]
        if _OAUTH_BETA not in map(str.strip, betas):
            headers["anthropic-beta"] = ",".join([*betas, _OAUTH_BETA])
    elif target.api_key:
        headers["x-api-key"] = target.api_key
    return headers | {name.lower(): value for name, value in target.headers.items()}


def _body(target: Target, request: MessagesRequest) -> bytes:
    """The client's bytes; written anew only where a value must change.

    A new name in place of the old is not spliced into the bytes: ``"model"`` may also stand in a tool's schema, and
    twice at the top, where which of the two counts is the reader's choice.
    """
    changes = _changes(target, request)
    return orjson.dumps(request.body | changes) if changes else request.raw


def _changes(target: Target, request: MessagesRequest) -> JSON:
    """The top-level fields that must not go on as the client wrote them."""
    changes: JSON = {}
    if request.body.get("model") != target.model:
        changes = {"model": target.model} | for_model(request.body, target.capabilities)
    return changes | without_foreign(request.body | changes)


def _object(body: bytes) -> JSON | None:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None
