"""What can go wrong on the way to a provider, as one small tree.

Everything foreign (aiohttp's exceptions, HTTP statuses, each provider's error bodies, LiteLLM's exceptions) is turned
into one of these where it is first met; nothing above ``routing.upstream`` catches anything else.
``routing.gateway.errors`` holds the one table from class to status, Anthropic error type and headers.

::

    UpstreamError                the provider did not, or could not, answer
    ├── Refused                  it read the request and said no; the request must change
    │   ├── ContextOverflow      ... for the prompt is longer than the model takes
    │   ├── TooLarge             ... for the body has too many bytes
    │   ├── Unsupported          ... we know beforehand that it cannot be said in this dialect
    │   └── UnknownModel         ... for there is no such model there
    ├── Busy                     not now: rate limit, overload, no capacity; may carry retry_after
    ├── Misconfigured            it refuses the gateway's own credential or account; an admin must act
    ├── Unavailable              no connection, or a 5xx
    ├── TimedOut                 nothing came in time
    ├── Broken                   the answer broke off, or is not what the dialect allows
    └── Verbatim                 Anthropic's own refusal, handed on byte for byte
"""

from __future__ import annotations


class UpstreamError(Exception):
    """A provider did not, or could not, answer.

    ``message`` is written for the person at the client and never holds a credential or any part of a prompt.
    ``retry_after`` is in seconds, where the provider named a time. ``provider_status`` is the provider's own HTTP
    status, None where there was none. ``body`` is the beginning of its refusal as it came: see ``words``.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, provider_status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.provider_status = provider_status
        self.body = b""


class Refused(UpstreamError):
    """The provider read the request and refuses it as it stands."""


class ContextOverflow(Refused):
    """The prompt does not fit. The message carries the contract's wording, which Claude Code acts on.

    Source: Claude Code 2.1.197 was seen to compact on these words; claude-code-router#1799.
    """

    def __init__(
        self,
        *,
        tokens: int | None,
        maximum: int | None,
        max_tokens: int | None = None,
        provider_status: int | None = None,
    ) -> None:
        """``tokens`` of input against ``maximum``; ``max_tokens`` set when only input + output overflow."""
        if max_tokens is not None and tokens is not None and maximum is not None and tokens <= maximum:
            message = (
                f"input length and `max_tokens` exceed context limit: {tokens} + {max_tokens} > {maximum}, "
                "decrease input length or `max_tokens` and try again"
            )
        else:
            limit = maximum if maximum is not None else max((tokens or 1) - 1, 0)
            count = tokens if tokens is not None else limit + 1
            message = f"prompt is too long: {max(count, limit + 1)} tokens > {limit} maximum"
        super().__init__(message, provider_status=provider_status)


class TooLarge(Refused):
    """The body has more bytes than the provider takes."""


class Unsupported(Refused):
    """The request asks for what this provider cannot do; the message names the block or field.

    ``details`` is the error object's member of that name, which a client may act on; None for none.
    """

    def __init__(self, message: str, *, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.details = details


class UnknownModel(Refused):
    """The provider has no such model."""


class Busy(UpstreamError):
    """Rate limit, overload or no capacity: the same request may succeed later."""


class Misconfigured(UpstreamError):
    """The provider refuses the gateway's credential, permission or billing: an admin must act."""


class Unavailable(UpstreamError):
    """No connection could be made, or the provider failed by itself (5xx)."""


class TimedOut(UpstreamError):
    """Nothing came within the time allowed."""


class Broken(UpstreamError):
    """The answer broke off in the middle, or is not what its dialect allows."""


class Verbatim(UpstreamError):
    """Anthropic's own refusal: ``status``, ``headers`` (only those worth handing on) and ``body``, untouched."""

    def __init__(self, message: str, *, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(message, provider_status=status)
        self.status = status
        self.headers = headers
        self.body = body
