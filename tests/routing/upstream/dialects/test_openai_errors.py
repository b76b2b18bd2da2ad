"""Errors of OpenAI and its many likes, each in the one tree."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from routing.upstream import errors
from routing.upstream.dialects.openai_errors import MAX_MESSAGE, in_stream, refusal
from tests.routing.upstream.factories import a_request, a_target

TARGET = a_target("openai_chat", model="gpt-5.1")


def judged(status: int, body: Any, **headers: str) -> errors.UpstreamError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return refusal(TARGET, a_request(), status, named, raw)


def openai(message: str, code: str | None = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


CASES = {
    "overflow": (400, openai("too long", "context_length_exceeded"), errors.ContextOverflow),
    "overflow as 500": (500, {"error": "the input length exceeds the context length"}, errors.ContextOverflow),
    "overflow as 413": (
        413,
        openai("Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9123", "tokens"),
        errors.ContextOverflow,
    ),
    "wrong key": (401, openai("Incorrect API key provided: sk-x", "invalid_api_key"), errors.Misconfigured),
    "no money": (402, openai("Insufficient Balance", "invalid_request_error"), errors.Misconfigured),
    "quota": (429, openai("You exceeded your current quota", "insufficient_quota"), errors.Misconfigured),
    "no access": (
        403,
        openai("Project `p` does not have access to model `m`", "model_not_found"),
        errors.Misconfigured,
    ),
    "forbidden": (403, openai("no"), errors.Misconfigured),
    "a call that cannot be read (groq)": (
        400,
        openai("Failed to call a function. Please adjust your prompt.", "tool_use_failed"),
        errors.Broken,
    ),
    "no model": (404, openai("The model `m` does not exist", "model_not_found"), errors.UnknownModel),
    "no model (vllm)": (
        404,
        {"object": "error", "message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404},
        errors.UnknownModel,
    ),
    "no model (ollama)": (
        404,
        {"error": {"message": 'model "m" not found, try pulling it first'}},
        errors.UnknownModel,
    ),
    "no model (openrouter)": (
        400,
        {"error": {"message": "m is not a valid model ID", "code": 400}},
        errors.UnknownModel,
    ),
    "no path": (404, {"detail": "Not Found"}, errors.Misconfigured),
    "no path, html": (404, b"<html>", errors.Misconfigured),
    "too large": (413, openai("Request body too large."), errors.TooLarge),
    "rate": (429, openai("Rate limit reached", "rate_limit_exceeded", "tokens"), errors.Busy),
    "overloaded": (503, openai("Our servers are currently overloaded.", "server_is_overloaded"), errors.Busy),
    "loading (llama.cpp)": (503, {"error": {"message": "Loading model", "code": 503}}, errors.Busy),
    "down": (503, b"<html>503</html>", errors.Unavailable),
    "failed": (500, openai("The server had an error", "server_error"), errors.Unavailable),
    "timeout": (504, openai("too long to respond", "server_error"), errors.TimedOut),
    "refused": (400, openai("Invalid value"), errors.Refused),
    "unprocessable": (422, {"detail": [{"loc": ["body", "x"], "msg": "extra", "input": "SECRET"}]}, errors.Refused),
    "html": (502, b"<html>bad gateway</html>", errors.Unavailable),
    "empty": (500, b"", errors.Unavailable),
    "a number": (400, b"7", errors.Refused),
    "a list (google)": (400, [openai("Invalid JSON payload")], errors.Refused),
}


@pytest.mark.parametrize("case", CASES)
def test_class(case: str) -> None:
    status, body, kind = CASES[case]
    found = judged(status, body)
    assert type(found) is kind
    assert found.provider_status == status


def test_a_refusal_hands_on_the_providers_words_but_no_input() -> None:
    assert (
        judged(400, openai("Invalid value: 'x'.")).message == "Provider acme refused the request: Invalid value: 'x'."
    )
    said = judged(422, {"detail": [{"loc": ["body", "temperature"], "msg": "too hot", "input": "SECRET"}]}).message
    assert said == "Provider acme refused the request: body.temperature: too hot"


def test_a_long_message_is_cut_and_the_credential_taken_out() -> None:
    said = judged(400, openai("key-of-acme " + "x" * 2000)).message
    assert "key-of-acme" not in said
    assert len(said) < MAX_MESSAGE + 100
    assert "sk-" not in judged(401, openai("Incorrect API key provided: sk-x", "invalid_api_key")).message


def test_openrouter_tells_what_the_provider_behind_it_said() -> None:
    raw = orjson.dumps(openai("maximum context length is 8192 tokens, contains 9000 tokens")).decode()
    body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}}
    assert judged(400, body).message == "prompt is too long: 9000 tokens > 8192 maximum"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Please try again in 1.2s.", 1.2),
        ("Please try again in 20ms. Visit", 0.02),
        ("Please try again in 6m0s", 360.0),
        ("Please try again in 1h2m3.5s", 3723.5),
        ("Please retry in 7 seconds", 7.0),
        ("Please try again later", None),
    ],
)
def test_the_wait_is_read_from_the_words_where_no_header_names_it(said: str, seconds: float | None) -> None:
    body = openai(said, "rate_limit_exceeded")
    assert judged(429, body).retry_after == seconds
    assert judged(429, body, retry_after="3").retry_after == 3
    assert judged(429, body, retry_after_ms="250", retry_after="3").retry_after == 0.25


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "Provider disconnected", "code": 502}, errors.Unavailable),
        ({"message": "slow down", "code": "rate_limit_exceeded"}, errors.Busy),
        ({"message": "overloaded", "code": 429}, errors.Busy),
        ({"message": "The server had an error", "type": "server_error"}, errors.Unavailable),
        ({"message": "maximum context length exceeded"}, errors.ContextOverflow),
        ({"message": "Invalid prompt", "type": "invalid_request_error"}, errors.Refused),
        ("something broke", errors.Unavailable),
    ],
)
def test_an_error_in_the_stream_has_a_class_too(error: Any, kind: type[errors.UpstreamError]) -> None:
    assert type(in_stream(TARGET, a_request(), error)) is kind
