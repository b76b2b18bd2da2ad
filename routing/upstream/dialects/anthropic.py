"""Anthropic's own API: passed through, both ways.

The request goes on as the client wrote it (its very bytes where the model's name stays) and every event of the answer
comes back as Anthropic wrote it. Changed is only what must be: the model's name where the mapping changes it, with
what that other model takes otherwise (``anthropic_mapped``), and what other providers left in the history
(``anthropic_history``).

Source: https://docs.anthropic.com/en/api/messages, .../messages-count-tokens, .../errors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ..dialect import Call, ListPage, Translator
from ..errors import Broken, UpstreamError, Verbatim
from ..events import JSON, Event
from ..messages import MessagesRequest
from ..refusals import by_status
from ..target import Target
from . import listing
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
_STATUSES: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_KEPT_HEADERS: Final = frozenset({"retry-after", "retry-after-ms", "x-should-retry", "request-id"})
_KEPT_PREFIX: Final = "anthropic-"


class Anthropic:
    """The pass-through dialect."""

    def call(self, target: Target, request: MessagesRequest) -> Call:
        return Call(target.url("/v1/messages"), _headers(target, request.headers), _body(target, request))

    def streams(self, target: Target, request: MessagesRequest) -> bool:
        return request.stream

    def translator(self, target: Target, request: MessagesRequest) -> Translator:
        return _PassThrough(target, request)

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
        return Verbatim(_message(target, data), status=status, headers=kept, body=body)

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


class _PassThrough:
    """Hands on what comes; reads each payload only to know that it is JSON and of which type."""

    __slots__ = ("_asked", "_ended", "_started", "_stream", "_target")
    cut = False  # Anthropic stops by itself, and says at which sequence

    def __init__(self, target: Target, request: MessagesRequest) -> None:
        self._target = target
        self._asked = request.model  # the name that the client reads, mapped or dated as the answer's may be
        self._stream = request.stream
        self._started = False
        self._ended = False

    def opening(self) -> list[Event]:
        return []  # Anthropic begins at once, with the true message_start

    def feed(self, name: str, payload: bytes) -> list[Event]:
        if self._ended:
            return []
        try:
            data = orjson.loads(payload)
            kind = data["type"]
        except (orjson.JSONDecodeError, TypeError, KeyError):
            raise Broken("The provider sent an event that is not one of Anthropic's.") from None
        if kind == "content_block_delta" and self._started and b"\n" not in payload:
            return [Event(kind, data, payload)]
        return self._rare(kind, data, payload)

    def finish(self) -> list[Event]:
        if not self._ended:
            raise Broken("The provider ended its answer too early.")
        return []

    def _rare(self, kind: Any, data: JSON, payload: bytes) -> list[Event]:
        """Any event but a delta."""
        if kind == "error":
            return self._error(data, payload)
        if not self._stream:
            return self._whole(kind, data, payload)
        if kind == "message_start":
            self._started = True
            if not isinstance(message := data.get("message"), dict):
                raise Broken("The provider's answer begins with a message_start that has no message.")
            if message.get("model", self._asked) != self._asked:
                message["model"] = self._asked
                return [Event(kind, data)]
        elif kind == "ping" and not self._started:
            return []  # nothing has begun: the status is still open
        elif not self._started:
            raise Broken("The provider's answer does not begin with message_start.")
        self._ended = kind == "message_stop"
        return [Event(str(kind), data, _one_line(payload))]

    def _whole(self, kind: Any, data: JSON, payload: bytes) -> list[Event]:
        if kind != "message":
            raise Broken("The provider's answer is not a message.")
        self._ended = True
        if data.get("model", self._asked) != self._asked:
            return [Event("message", data | {"model": self._asked})]
        return [Event("message", data, payload)]

    def _error(self, data: JSON, payload: bytes) -> list[Event]:
        """An error said with a 200: a status while there is none yet, afterwards the stream's own last event."""
        self._ended = True
        if self._started:
            return [Event("error", data, _one_line(payload))]
        error = data.get("error")
        kind = error.get("type") if isinstance(error, dict) else None
        raise Verbatim(_message(self._target, data), status=_STATUSES.get(str(kind), 500), headers={}, body=payload)


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


def _one_line(payload: bytes) -> bytes:
    """``payload`` fit for one ``data:`` line: a host that spreads its JSON over several gets it written anew."""
    return orjson.dumps(orjson.loads(payload)) if b"\n" in payload else payload


def _object(body: bytes) -> JSON | None:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None


def _message(target: Target, data: JSON) -> str:
    """What the log says of an error: its type. Its words are the client's, and may quote the prompt."""
    error = data.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    return f"Provider {target.provider} refused: {kind}."
