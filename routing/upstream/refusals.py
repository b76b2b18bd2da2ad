"""What a non-2xx answer means by its status alone: the last word where a provider's body says nothing we know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .errors import Busy, Misconfigured, Refused, TimedOut, TooLarge, Unavailable, UpstreamError
from .target import Target

_BUSY = frozenset({425, 429, 529})
_ACCOUNT = frozenset({401, 402, 403, 407})
_TIMEOUT = frozenset({408, 504, 524})


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the provider wants to be asked again, None where it names no time.

    ``headers`` are lower case. Reads ``retry-after-ms`` (OpenAI, Azure) and ``retry-after``, in seconds or as an HTTP
    date. Source: RFC 9110, 10.2.3.
    """
    if (seconds := _number(headers.get("retry-after-ms"))) is not None:
        return seconds / 1000
    value = headers.get("retry-after")
    if value is None or (seconds := _number(value)) is not None:
        return seconds if value is not None else None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000" means UTC (RFC 5322)
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _number(value: str | None) -> float | None:
    """``value`` as a finite number of at least 0."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def by_status(target: Target, status: int, headers: Mapping[str, str]) -> UpstreamError:
    """The error that ``status`` stands for. ``headers`` are lower case; the body is never shown: it may be a page."""
    name = f"Provider {target.provider}"
    said = f"(HTTP {status})"
    if status in _BUSY:
        return Busy(f"{name} is busy {said}.", retry_after=retry_after(headers), provider_status=status)
    if status in _ACCOUNT:
        return Misconfigured(f"{name} refuses the gateway's credential or account {said}.", provider_status=status)
    if status == 413:
        return TooLarge(f"{name} takes no request of this size {said}.", provider_status=status)
    if status in _TIMEOUT:
        return TimedOut(f"{name} did not answer in time {said}.", provider_status=status)
    if status < 400 or status in (404, 405, 410):
        return Misconfigured(f"{name} has nothing at its base URL {said}.", provider_status=status)
    if status >= 500:
        return Unavailable(f"{name} failed {said}.", retry_after=retry_after(headers), provider_status=status)
    return Refused(f"{name} refused the request {said}.", provider_status=status)
