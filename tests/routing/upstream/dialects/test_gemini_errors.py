"""Google's errors."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from routing.upstream.dialects.gemini import Gemini
from routing.upstream.errors import (
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
from routing.upstream.target import Capabilities

from ..factories import a_request, a_target

KEY = "AIzaSy-secret"
TARGET = a_target("gemini", "gemini-x", api_key=KEY, capabilities=Capabilities(context_window=200_000))
HTML = b"<html><title>502 Bad Gateway</title></html>"


def refused(status: int, body: Any, *, listed: bool = False, headers: dict[str, str] | None = None) -> UpstreamError:
    written = body if isinstance(body, bytes) else orjson.dumps([{"error": body}] if listed else {"error": body})
    return Gemini().refusal(TARGET, a_request(), status, headers or {}, written)


def error(message: str = "", status: str = "", *details: Any) -> Any:
    return {"code": 400, "message": message, "status": status, "details": list(details)}


def info(reason: str) -> Any:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
            "prompt is too long: 1048577 tokens > 1048576 maximum",
        ),
        (
            "The input token count exceeds the maximum number of tokens allowed 1,048,576.",
            "prompt is too long: 1048577 tokens > 1048576 maximum",
        ),
        (
            "The input token count exceeds the maximum number of tokens allowed.",
            "prompt is too long: 200001 tokens > 200000 maximum",
        ),
    ],
)
def test_an_overflow_in_the_words_of_the_contract(message: str, shown: str) -> None:
    # claude-code-router#1799
    found = refused(400, error(message, "INVALID_ARGUMENT"))
    assert type(found) is ContextOverflow
    assert found.message == shown


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"), Misconfigured),
        (400, error("", "INVALID_ARGUMENT", info("API_KEY_INVALID")), Misconfigured),
        (400, error("User location is not supported for the API use.", "FAILED_PRECONDITION"), Misconfigured),
        (400, error("Request payload size exceeds the limit: 20971520 bytes.", "INVALID_ARGUMENT"), TooLarge),
        (400, error("Request contains an invalid argument.", "INVALID_ARGUMENT"), Refused),
        (400, {}, Refused),
        (401, error("", "UNAUTHENTICATED"), Misconfigured),
        (403, error("The caller does not have permission", "PERMISSION_DENIED"), Misconfigured),
        (404, error("models/gemini-x is not found for API version v1beta", "NOT_FOUND"), UnknownModel),
        (413, error("", ""), TooLarge),
        (429, error("You exceeded your current quota", "RESOURCE_EXHAUSTED"), Busy),
        (499, error("", "CANCELLED"), Unavailable),
        (500, error("An internal error has occurred.", "INTERNAL"), Unavailable),
        (502, HTML, Unavailable),
        (503, error("The model is overloaded.", "UNAVAILABLE"), Busy),
        (503, HTML, Unavailable),
        (504, error("Deadline expired", "DEADLINE_EXCEEDED"), TimedOut),
        (400, b'{"error": "a string"}', Refused),
        (400, b"[]", Refused),
        (404, b"not found", Misconfigured),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_each_failure_has_its_class(status: int, body: Any, kind: type, listed: bool) -> None:
    found = refused(status, body, listed=listed)
    assert type(found) is kind
    assert found.provider_status == status


def test_the_credential_is_never_quoted() -> None:
    quoting = error(f"Consumer 'api_key:{KEY}' has been suspended.", "PERMISSION_DENIED")
    for status in (400, 403):
        assert KEY not in refused(status, quoting).message


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (error("", "", {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}), {}, 34.07),
        (error("Quota exceeded.\nPlease retry in 7.5s."), {}, 7.5),
        (error("Quota exceeded."), {"retry-after": "3"}, 3.0),
        (error("Quota exceeded.", "", {"retryDelay": "soon"}, "nonsense"), {}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_when_to_come_back(body: Any, headers: dict[str, str], seconds: float | None, status: int) -> None:
    assert refused(status, body, headers=headers).retry_after == seconds


def test_the_counter() -> None:
    assert Gemini().count(b'{"totalTokens": 31, "cachedContentTokenCount": 3}') == 31


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"totalTokens": "31"}'])
def test_the_counter_answers_with_a_number_or_is_broken(payload: bytes) -> None:
    with pytest.raises(Broken):
        Gemini().count(payload)
