"""The vendors' HTTP errors: status, headers, wording.

Sources: the error tables of platform.openai.com/docs/guides/error-codes, ai.google.dev/gemini-api/docs/troubleshooting
and docs.anthropic.com/en/api/errors; wordings that only live traffic shows (rate limits, overflow, overload) as quoted
in public issues of openai/codex, google-gemini/gemini-cli and anthropics/claude-code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .dialect import Whole
from .script import Fail, FailKind

_HTML = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Wording:
    """One row of a vendor's error table. ``text`` may name ``{model}``, ``{tokens}``, ``{limit}``, ``{wait}``."""

    status: int
    type: str
    text: str
    code: str | None = None
    param: str | None = None


_OPENAI: dict[FailKind, Wording] = {
    "rate_limit": Wording(
        429,
        "tokens",
        "Rate limit reached for {model} in organization org-scripted on tokens per min (TPM): Limit 30000, Used 29600, "
        "Requested 1000. Please try again in {wait}s. "
        "Visit https://platform.openai.com/account/rate-limits to learn more.",
        "rate_limit_exceeded",
    ),
    "quota": Wording(
        429,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "insufficient_quota",
    ),
    "overloaded": Wording(
        503,
        "service_unavailable_error",
        "Our servers are currently overloaded. Please try again later.",
        "server_is_overloaded",
    ),
    "context": Wording(
        400,
        "invalid_request_error",
        "This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} tokens. "
        "Please reduce the length of the messages.",
        "context_length_exceeded",
        "messages",
    ),
    "context_with_max_tokens": Wording(
        400,
        "invalid_request_error",
        "This model's maximum context length is {limit} tokens. However, you requested {tokens} tokens ({messages} in "
        "the messages, {completion} in the completion). Please reduce the length of the messages or completion.",
        "context_length_exceeded",
        "messages",
    ),
    "auth": Wording(
        401,
        "invalid_request_error",
        "Incorrect API key provided: sk-scrip*****ovider. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        "invalid_api_key",
    ),
    "permission": Wording(
        403,
        "invalid_request_error",
        "Project `proj_scripted` does not have access to model `{model}`",
        "model_not_found",
    ),
    "model": Wording(
        404,
        "invalid_request_error",
        "The model `{model}` does not exist or you do not have access to it.",
        "model_not_found",
    ),
    "bad_request": Wording(400, "invalid_request_error", "Invalid request."),
    "too_large": Wording(413, "invalid_request_error", "Request body too large."),
    "server": Wording(500, "server_error", "The server had an error while processing your request. Sorry about that!"),
    "timeout": Wording(504, "server_error", "The server took too long to respond."),
}

_RESPONSES: dict[FailKind, Wording] = _OPENAI | {
    "context": Wording(
        400,
        "invalid_request_error",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "context_length_exceeded",
        "input",
    ),
    "model": Wording(
        400,
        "invalid_request_error",
        "The requested model '{model}' does not exist.",
        "model_not_found",
        "model",
    ),
}

_GEMINI: dict[FailKind, Wording] = {
    "rate_limit": Wording(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: "
        "generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 10\nPlease retry in {wait}s.",
    ),
    "quota": Wording(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
    ),
    "overloaded": Wording(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "context": Wording(
        400,
        "INVALID_ARGUMENT",
        "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit}).",
    ),
    "context_with_max_tokens": Wording(
        400,
        "INVALID_ARGUMENT",
        "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit}).",
    ),
    "auth": Wording(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "permission": Wording(403, "PERMISSION_DENIED", "The caller does not have permission"),
    "model": Wording(
        404,
        "NOT_FOUND",
        "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels "
        "to see the list of available models and their supported methods.",
    ),
    "bad_request": Wording(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "too_large": Wording(
        400,
        "INVALID_ARGUMENT",
        "Request payload size exceeds the limit: 20971520 bytes.",
    ),
    "server": Wording(
        500,
        "INTERNAL",
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
    ),
    "timeout": Wording(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}

_ANTHROPIC: dict[FailKind, Wording] = {
    "rate_limit": Wording(
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 40,000 input tokens per minute (org: "
        "00000000-0000-4000-8000-000000000000, model: {model}). For details, refer to: "
        "https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage.",
    ),
    "quota": Wording(
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
        "purchase credits.",
    ),
    "overloaded": Wording(529, "overloaded_error", "Overloaded"),
    "context": Wording(400, "invalid_request_error", "prompt is too long: {tokens} tokens > {limit} maximum"),
    "context_with_max_tokens": Wording(
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: {messages} + {completion} > {limit}, decrease input "
        "length or `max_tokens` and try again",
    ),
    "auth": Wording(401, "authentication_error", "invalid x-api-key"),
    "permission": Wording(403, "permission_error", "Your API key does not have permission to use this model."),
    "model": Wording(404, "not_found_error", "model: {model}"),
    "bad_request": Wording(400, "invalid_request_error", "Invalid request."),
    "too_large": Wording(413, "request_too_large", "Request exceeds the maximum size"),
    "server": Wording(500, "api_error", "Internal server error"),
    "timeout": Wording(504, "timeout_error", "Request timed out"),
}


def _text(wording: Wording, fail: Fail, model: str) -> str:
    if fail.message is not None:
        return fail.message
    completion = min(32_000, fail.tokens // 2)
    return wording.text.format(
        model=model,
        tokens=fail.tokens,
        limit=fail.limit,
        messages=fail.tokens - completion,
        completion=completion,
        wait=f"{fail.retry_after if fail.retry_after is not None else 7:g}",
    )


def _answer(status: int, body: Any, headers: dict[str, str], fail: Fail) -> Whole:
    merged = {**headers, **fail.headers}
    status = fail.status or status
    if fail.body is not None:
        return Whole(status, fail.body, merged)
    return Whole.json(status, body, merged)


def _html(fail: Fail) -> Whole:
    body = fail.body if fail.body is not None else _HTML.encode()
    return Whole(fail.status or 502, body, dict(fail.headers), "text/html; charset=UTF-8")


def _retry_after(fail: Fail) -> dict[str, str]:
    return {} if fail.retry_after is None else {"retry-after": str(math.ceil(fail.retry_after))}


def openai_error(fail: Fail, model: str, *, responses: bool) -> dict[str, Any]:
    """The ``error`` object of OpenAI: ``{message, type, param, code}``."""
    wording = (_RESPONSES if responses else _OPENAI)[fail.kind]
    return {
        "message": _text(wording, fail, model),
        "type": wording.type,
        "param": wording.param,
        "code": wording.code,
    }


def openai(fail: Fail, model: str, *, responses: bool) -> Whole:
    """OpenAI's answer; ``responses`` chooses the wording of the Responses API where it differs."""
    if fail.kind == "html":
        return _html(fail)
    headers = {"x-request-id": "req_scripted", **_retry_after(fail)}
    if fail.retry_after is not None:
        headers["retry-after-ms"] = str(math.ceil(fail.retry_after * 1000))
    table = _RESPONSES if responses else _OPENAI
    return _answer(table[fail.kind].status, {"error": openai_error(fail, model, responses=responses)}, headers, fail)


def gemini_error(fail: Fail, model: str) -> dict[str, Any]:
    """Google's ``google.rpc.Status`` as JSON: ``{code, message, status, details?}``."""
    wording = _GEMINI[fail.kind]
    error: dict[str, Any] = {
        "code": fail.status or wording.status,
        "message": _text(wording, fail, model),
        "status": wording.type,
    }
    if fail.kind in ("rate_limit", "quota"):
        error["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    {
                        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                        "quotaDimensions": {"model": model, "location": "global"},
                        "quotaValue": "10",
                    }
                ],
            },
        ]
        if fail.retry_after is not None:
            # Google says when to come back in the body, never in a header.
            error["details"].append(
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{fail.retry_after:g}s"}
            )
    if fail.kind == "auth":
        error["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
        ]
    return error


def gemini(fail: Fail, model: str) -> Whole:
    """Google's answer."""
    if fail.kind == "html":
        return _html(fail)
    return _answer(_GEMINI[fail.kind].status, {"error": gemini_error(fail, model)}, {}, fail)


def anthropic_error(fail: Fail, model: str) -> dict[str, Any]:
    """Anthropic's envelope: ``{type: error, error: {type, message}, request_id}``."""
    wording = _ANTHROPIC[fail.kind]
    return {
        "type": "error",
        "error": {"type": wording.type, "message": _text(wording, fail, model)},
        "request_id": "req_011Scripted",
    }


def anthropic(fail: Fail, model: str) -> Whole:
    """Anthropic's answer."""
    if fail.kind == "html":
        return _html(fail)
    headers = {"request-id": "req_011Scripted", **_retry_after(fail)}
    return _answer(_ANTHROPIC[fail.kind].status, anthropic_error(fail, model), headers, fail)
