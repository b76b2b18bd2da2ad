"""Google's errors: ``{"error": {code, message, status, details}}``, alone, in a list, or in the middle of a stream.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting, google/rpc/error_details.proto
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from ..errors import (
    Broken,
    Busy,
    ContextOverflow,
    Misconfigured,
    Refused,
    TimedOut,
    TooLarge,
    Unavailable,
    UnknownModel,
    UpstreamError,
)
from ..events import JSON
from ..refusals import by_status, retry_after
from ..target import Target

_OVERFLOW: Final = re.compile(
    r"input token count(?: \((?P<tokens>[\d,]+)\))? exceeds the maximum number of tokens allowed[ (]*(?P<most>[\d,]+)?",
    re.IGNORECASE,
)
_TOO_LARGE: Final = re.compile(r"payload size exceeds|request (?:entity|body) (?:is )?too large", re.IGNORECASE)
_BAD_KEY: Final = frozenset(("API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED", "BILLING_DISABLED"))
_BAD_KEY_WORDS: Final = re.compile(r"API key (?:not valid|not found|expired)|User location is not supported")
_WAIT_WORDS: Final = re.compile(r"retry in (\d+(?:\.\d+)?)s")
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)s")
# For an error that names its status but no number.
_CODES: Final = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_MAX_WORDS: Final = 500


def refusal(target: Target, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error that a non-2xx answer stands for."""
    error = _error(body)
    return by_status(target, status, headers) if error is None else typed(target, error, status, headers)


def typed(target: Target, error: JSON, status: int | None, headers: Mapping[str, str]) -> UpstreamError:
    """The error that an ``error`` object stands for. ``status`` is the answer's own where it was not a 2xx."""
    code = error.get("code")
    if status is None:
        status = code if isinstance(code, int) and code >= 400 else _CODES.get(str(error.get("status")), 500)
    message = str(error.get("message") or "")
    name = f"Provider {target.provider}"
    if 400 <= status < 500 and (overflow := _OVERFLOW.search(message)):
        most = _number(overflow["most"])
        return ContextOverflow(
            tokens=_number(overflow["tokens"]),
            maximum=target.capabilities.context_window if most is None else most,
            provider_status=status,
        )
    if status == 400 and (_BAD_KEY & set(_reasons(error)) or _BAD_KEY_WORDS.search(message)):
        return Misconfigured(f"{name} refuses the gateway's credential or account.", provider_status=status)
    if status == 400 and _TOO_LARGE.search(message):
        return TooLarge(f"{name} takes no request of this size.", provider_status=status)
    if status == 404:
        return UnknownModel(f"{name} has no model `{target.model}`.", provider_status=status)
    if status == 400:
        return Refused(f"{name} refused the request: {_shown(target, message)}", provider_status=status)
    if status in (429, 503):
        wait = _wait(error, message)
        wait = retry_after(headers) if wait is None else wait
        why = "the rate limit or quota is used up" if status == 429 else "it is overloaded"
        return Busy(f"{name} is busy: {why}.", retry_after=wait, provider_status=status)
    if status == 499:
        return Unavailable(f"{name} cancelled the request.", provider_status=status)
    return by_status(target, status, headers)


def malformed(target: Target, reason: str) -> UpstreamError:
    """The error that an answer stands for which the model could not finish, so that the client asks again."""
    if reason == "TIMEOUT":
        return TimedOut(f"Provider {target.provider} did not finish its answer in time.")
    return Broken(f"Provider {target.provider} gave up its answer ({reason}); the same request may succeed.")


def _error(body: bytes) -> JSON | None:
    """The ``error`` object; answers asked for as a stream wrap it in a list."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if isinstance(data, list):
        data = next((item for item in data if isinstance(item, dict) and "error" in item), None)
    error = data.get("error") if isinstance(data, dict) else None
    return error if isinstance(error, dict) else None


def _details(error: JSON) -> Iterator[JSON]:
    details = error.get("details")
    yield from (detail for detail in details if isinstance(detail, dict)) if isinstance(details, list) else ()


def _reasons(error: JSON) -> Iterator[str]:
    yield from (str(detail["reason"]) for detail in _details(error) if "reason" in detail)


def _wait(error: JSON, message: str) -> float | None:
    """Seconds until the next try: in RetryInfo, or at the end of the message."""
    for detail in _details(error):
        if match := _SECONDS.fullmatch(str(detail.get("retryDelay", ""))):
            return float(match[1])
    match = _WAIT_WORDS.search(message)
    return float(match[1]) if match else None


def _number(digits: Any) -> int | None:
    return int(digits.replace(",", "")) if isinstance(digits, str) else None


def _shown(target: Target, message: str) -> str:
    """Google's words, cut, and without the credential in case they quote it."""
    words = message.replace(target.api_key, "[key]") if target.api_key else message
    return words[:_MAX_WORDS] or "it gives no reason."
