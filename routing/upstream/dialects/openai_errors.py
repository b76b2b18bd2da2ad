"""Errors of OpenAI and of the many hosts that speak like it, in whichever of their shapes.

Source: https://platform.openai.com/docs/guides/error-codes, https://openrouter.ai/docs/api-reference/errors,
https://api-docs.deepseek.com/quick_start/error_codes, https://console.groq.com/docs/errors
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from ..errors import Broken, Busy, Misconfigured, Refused, TooLarge, Unavailable, UnknownModel, UpstreamError
from ..events import JSON
from ..messages import MessagesRequest
from ..overflow import overflow
from ..refusals import by_status, retry_after
from ..target import Target

MAX_MESSAGE: Final = 600  # characters of a provider's message that are handed on

# Codes and types, as they stand in ``error.code`` or ``error.type``.
_ACCOUNT: Final = frozenset(
    {
        *("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated"),
        *("invalid_api_key", "authentication_error", "permission_denied", "permission_error", "access_terminated"),
        *("insufficient_balance", "account_suspended", "unauthorized", "invalid_authentication", "no_such_key"),
    }
)
_BUSY: Final = frozenset(
    {
        *("rate_limit_exceeded", "rate_limit_error", "server_is_overloaded", "overloaded_error", "overloaded"),
        *("slow_down", "service_unavailable_error", "engine_overloaded", "capacity_exceeded", "tokens", "requests"),
        "too_many_requests",
    }
)
_NO_MODEL: Final = frozenset({"model_not_found", "invalid_model", "model_not_supported", "deploymentnotfound"})
# The model wrote a call that cannot be read (Groq): the same request may succeed.
_GLITCH: Final = frozenset({"tool_use_failed", "json_validate_failed"})
_REFUSED: Final = frozenset({"invalid_request_error", "badrequesterror", "invalid_prompt", "content_filter"})

_NO_MODEL_WORDS: Final = re.compile(
    r"model.{0,120}?(?:not found|does not exist|not exist|is not a valid model|not supported by any)"
    r"|not a valid model id|^invalid model\b|no such model|unknown model|try pulling it",
    re.IGNORECASE | re.DOTALL,
)
_OVERLOADED: Final = re.compile(r"overload|capacity|too busy|try again (?:later|in)|loading model", re.IGNORECASE)
_WAIT: Final = re.compile(
    r"(?:try again|retry) (?:in|after) (?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?"
    r"(?:(?P<s>\d+(?:\.\d+)?) ?(?P<unit>ms|s)\w*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider's error says: its message, codes and types (lower case), and the status it names itself."""

    message: str
    codes: frozenset[str]
    status: int | None


def refusal(
    target: Target, request: MessagesRequest, status: int, headers: Mapping[str, str], body: bytes
) -> UpstreamError:
    """The error of a non-2xx answer. ``headers`` are lower case. A body that is no JSON is judged by its status."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return by_status(target, status, headers)
    said = understood(data)
    return judged(target, request, said, status, headers) if said.message else by_status(target, status, headers)


def in_stream(target: Target, request: MessagesRequest, error: Any) -> UpstreamError:
    """The error of an ``error`` object said in the middle of a stream, with no status but what it names itself."""
    said = understood({"error": error})
    status = said.status if said.status is not None and 400 <= said.status < 600 else None
    return judged(target, request, said, status, {})


def understood(data: Any) -> Said:
    """Reads an error body in any of the shapes in use.

    ``{"error": {"message", "code", "type"}}`` (OpenAI), ``{"error": "text"}`` (Ollama), ``{"message", "code"}``
    (vLLM, Mistral), ``{"detail": "text" | [{"loc", "msg"}]}`` (FastAPI), a list with one of these (Google), and
    OpenRouter's ``error.metadata.raw``, the body of the provider behind it.
    """
    if isinstance(data, list):
        data = data[0] if data else {}
    if not isinstance(data, dict):
        return Said("", frozenset(), None)
    error = data.get("error") or data.get("errors") or data
    if isinstance(error, list):
        error = error[0] if error else {}
    if isinstance(error, str):
        error = {**data, "message": error}
    if not isinstance(error, dict):
        return Said("", frozenset(), None)
    codes = [error.get(key) for key in ("code", "type", "status")]
    status = next((code for code in codes if isinstance(code, int)), None)
    message = "; ".join(filter(None, _messages(error)))
    return Said(message, frozenset(code.lower() for code in codes if isinstance(code, str)), status)


def _messages(error: JSON) -> Iterator[str]:
    message = error.get("message") or error.get("detail") or error.get("msg")
    if isinstance(message, dict):
        message = message.get("message") or message.get("detail") or message.get("msg")
    if isinstance(message, str):
        yield message
    for item in message if isinstance(message, list) else ():
        # A validation error: where and what, never its ``input``, which is the prompt.
        if isinstance(item, dict) and isinstance(item.get("msg"), str):
            place = item.get("loc")
            yield f"{'.'.join(map(str, place))}: {item['msg']}" if isinstance(place, list) else item["msg"]
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str) and raw:
        try:
            behind = understood(orjson.loads(raw)).message
        except orjson.JSONDecodeError:
            behind = raw if not raw.lstrip().startswith("<") else ""
        yield behind


def judged(
    target: Target, request: MessagesRequest, said: Said, status: int | None, headers: Mapping[str, str]
) -> UpstreamError:
    """The one decision on an error: overflow first, then account, pace, model, and what its status says."""
    # Its codes stand before the message: some hosts name overflow there alone.
    words = " ".join([*sorted(said.codes), said.message])
    if status not in (401, 403) and (found := overflow(words, target, request, status)) is not None:
        return found
    name = f"Provider {target.provider}"
    if said.codes & _ACCOUNT or status in (401, 402):
        return Misconfigured(f"{name} refuses the gateway's credential or account.", provider_status=status)
    if said.codes & _NO_MODEL and status == 403:
        return Misconfigured(f"{name} gives this account no access to {target.model}.", provider_status=status)
    if status == 429 or status == 529 or (said.codes & _BUSY and (status is None or status >= 429)):
        return _busy(target, said, status, headers)
    if said.codes & _NO_MODEL or (status in (400, 404, None) and _NO_MODEL_WORDS.search(said.message)):
        return UnknownModel(f"{name} has no model {target.model}.", provider_status=status)
    if said.codes & _GLITCH:
        return Broken(f"{name} gave up its answer; the same request may succeed.", provider_status=status)
    if status == 413:
        return TooLarge(f"{name} takes no request of this size.", provider_status=status)
    if status in (498, 503) and _OVERLOADED.search(said.message):
        return _busy(target, said, status, headers)
    if status in (400, 409, 415, 422, 451) or (status is None and said.codes & _REFUSED):
        return Refused(f"{name} refused the request: {_fit(said.message, target)}", provider_status=status)
    if status is None:
        return Unavailable(f"{name} failed: {_fit(said.message, target)}")
    return by_status(target, status, headers)


def _busy(target: Target, said: Said, status: int | None, headers: Mapping[str, str]) -> Busy:
    wait = retry_after(headers)
    return Busy(
        f"Provider {target.provider} is busy: {_fit(said.message, target)}",
        retry_after=wait if wait is not None else _wait(said.message),
        provider_status=status,
    )


def _wait(message: str) -> float | None:
    """Seconds, from "try again in 1m2.5s", "in 20ms" or "after 7 seconds"."""
    match = _WAIT.search(message)
    if match is None or not any(match.group("h", "m", "s")):
        return None
    seconds = float(match["s"] or 0) / (1000 if (match["unit"] or "").lower() == "ms" else 1)
    return int(match["h"] or 0) * 3600 + int(match["m"] or 0) * 60 + seconds


def _fit(message: str, target: Target) -> str:
    """A provider's message, cut, on one line and without the gateway's own credential."""
    if target.api_key:
        message = message.replace(target.api_key, "…")
    message = " ".join(message.split())
    return message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "…"
