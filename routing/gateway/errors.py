"""The one table from what went wrong to what the client is told: status, Anthropic error type, headers.

Source: https://docs.anthropic.com/en/api/errors, and what Claude Code was seen to do with each
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import orjson

from accounting import errors as accounting
from routing import errors as routing
from routing.upstream import errors as upstream
from routing.upstream.events import Event

Headers = list[tuple[bytes, bytes]]


class InvalidRequest(Exception):
    """The request itself is wrong. The message begins with the field's path, in Anthropic's wording."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BodyTooLarge(InvalidRequest):
    """More bytes than the gateway takes."""


class BodyTooSlow(InvalidRequest):
    """The rest of the body did not come."""

    def __init__(self) -> None:
        super().__init__("The request body did not come in time")


class NoSuchPath(InvalidRequest):
    """There is nothing at this path."""


class WrongMethod(InvalidRequest):
    """The path is there, but not for this method; ``methods`` are those it takes."""

    def __init__(self, methods: tuple[str, ...]) -> None:
        super().__init__("Method Not Allowed")
        self.methods = methods


class CodedBody(InvalidRequest):
    """The body is compressed, which Anthropic's API does not take either."""

    def __init__(self, coding: str) -> None:
        super().__init__(f"content-encoding: '{coding[:40]}' is not taken here: send the body as it is")


class Crowded(Exception):
    """This worker has as many requests in flight as it takes."""

    message = "The gateway has reached its number of requests in flight. Try again in a moment."
    retry_after = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How a class of failures is told. ``retry``: the ``x-should-retry`` header, None leaves it to the client.

    ``outcome`` is what the ledger calls it.
    """

    status: int
    type: str
    retry: bool | None = None
    default_retry_after: float | None = None
    outcome: str = "rejected"


_TABLE: Final[dict[type[Exception], Answer]] = {
    InvalidRequest: Answer(400, "invalid_request_error"),
    BodyTooLarge: Answer(413, "request_too_large"),
    BodyTooSlow: Answer(408, "invalid_request_error"),
    NoSuchPath: Answer(404, "not_found_error"),
    WrongMethod: Answer(405, "invalid_request_error"),
    CodedBody: Answer(415, "invalid_request_error"),
    Crowded: Answer(429, "rate_limit_error", default_retry_after=1, outcome="crowded"),
    accounting.NotAuthenticated: Answer(401, "authentication_error", retry=False),
    accounting.NotPermitted: Answer(403, "permission_error"),
    accounting.LimitReached: Answer(429, "rate_limit_error", default_retry_after=5),
    # A spent budget is not mended by waiting out a back-off: the client is told to stop.
    accounting.BudgetSpent: Answer(429, "billing_error", retry=False, default_retry_after=3600),
    accounting.KeysUnavailable: Answer(503, "api_error", default_retry_after=5),
    accounting.LedgerUnavailable: Answer(503, "api_error", default_retry_after=5),
    routing.ModelUnknown: Answer(404, "not_found_error"),
    routing.ModelNotAllowed: Answer(403, "permission_error"),
    routing.TableUnavailable: Answer(503, "api_error", default_retry_after=5),
    routing.NotConfigured: Answer(503, "api_error", retry=False),
    upstream.Refused: Answer(400, "invalid_request_error", outcome="upstream_error"),
    upstream.TooLarge: Answer(413, "request_too_large", outcome="upstream_error"),
    upstream.UnknownModel: Answer(404, "not_found_error", outcome="upstream_error"),
    # 429, not 529: Claude Code gives up on 529 after two seconds, and obeys retry-after on 429 (measured).
    upstream.Busy: Answer(429, "rate_limit_error", default_retry_after=5, outcome="upstream_error"),
    upstream.Misconfigured: Answer(502, "api_error", retry=False, outcome="upstream_error"),
    upstream.Unavailable: Answer(503, "api_error", outcome="upstream_error"),
    upstream.TimedOut: Answer(504, "api_error", outcome="upstream_error"),
    upstream.Broken: Answer(502, "api_error", outcome="upstream_error"),
    upstream.UpstreamError: Answer(502, "api_error", outcome="upstream_error"),
}

# Every failure that is told to a client. Anything else is a defect: it is logged, and answered as 500.
Failure = (
    InvalidRequest,
    Crowded,
    accounting.AccountingError,
    routing.RoutingError,
    upstream.UpstreamError,
)


def answer_for(error: Exception) -> Answer:
    """The nearest row of the table, up the error's class tree; 500 ``api_error`` for what is in no tree."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind]
    return Answer(500, "api_error", outcome="gateway_error")


_KINDS: Final[dict[type[upstream.UpstreamError], str]] = {
    upstream.Refused: "refused",
    upstream.ContextOverflow: "context_overflow",
    upstream.TooLarge: "too_large",
    upstream.Unsupported: "unsupported",
    upstream.UnknownModel: "unknown_model",
    upstream.Busy: "busy",
    upstream.Misconfigured: "misconfigured",
    upstream.Unavailable: "unavailable",
    upstream.TimedOut: "timed_out",
    upstream.Broken: "broken",
}


def kind_of(error: upstream.UpstreamError) -> str:
    """One of a few words for what went wrong upstream, for figures. A refusal handed on is judged by its status."""
    if isinstance(error, upstream.Verbatim):
        if error.status in (401, 402, 403):
            return "misconfigured"
        if error.status in (429, 529):
            return "busy"
        return "unavailable" if error.status >= 500 else "refused"
    return next((_KINDS[kind] for kind in type(error).__mro__ if kind in _KINDS), "broken")


def _message(error: Exception) -> str:
    return str(getattr(error, "message", "")) or "Internal server error"


def envelope(error: Exception, request_id: str) -> bytes:
    """Anthropic's error object, as JSON."""
    told: dict[str, object] = {"type": answer_for(error).type, "message": _message(error)}
    if isinstance(error, upstream.Unsupported) and error.details is not None:
        told["details"] = error.details
    return orjson.dumps({"type": "error", "error": told, "request_id": request_id})


def response(error: Exception, request_id: str) -> tuple[int, Headers, bytes]:
    """Status, headers and body that tell a client of ``error`` while a status can still be chosen.

    Anthropic's own refusals keep Anthropic's ``request-id``, which its support asks for.
    """
    headers = [(b"content-type", b"application/json")]
    if isinstance(error, upstream.Verbatim):
        headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in error.headers.items()]
        if "request-id" not in error.headers:
            headers.append((b"request-id", request_id.encode()))
        return error.status, headers, error.body
    answer = answer_for(error)
    headers.append((b"request-id", request_id.encode()))
    if isinstance(error, BodyTooSlow):
        headers.append((b"connection", b"close"))
    if isinstance(error, WrongMethod):
        headers.append((b"allow", ", ".join(error.methods).encode()))
    if answer.retry is not None:
        headers.append((b"x-should-retry", b"true" if answer.retry else b"false"))
    seconds = getattr(error, "retry_after", None)
    if seconds is None:
        seconds = answer.default_retry_after
    if seconds is not None:
        headers.append((b"retry-after", str(max(1, math.ceil(seconds))).encode()))
    return answer.status, headers, envelope(error, request_id)


def event(error: Exception, request_id: str) -> Event:
    """The ``error`` event that tells of ``error`` once a stream has begun."""
    if isinstance(error, upstream.Verbatim):
        return Event("error", raw=error.body)
    return Event("error", raw=envelope(error, request_id))
