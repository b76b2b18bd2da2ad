"""The small answers: model lists, token counts, unknown paths."""

from __future__ import annotations

from collections.abc import Sequence

from .desk import MODELS
from .dialect import CREATED, Json, Whole
from .record import Seen


def models(seen: Seen, known: Sequence[str] | None) -> Whole:
    """The model list of the request's dialect (OpenAI ``list``, Anthropic page, Gemini ``models``)."""
    names = known if known is not None else MODELS
    if seen.dialect == "gemini":
        return Whole.json(200, {"models": [_gemini(name) for name in names if name.startswith("gemini")]})
    if seen.dialect == "anthropic":
        data = [_anthropic(name) for name in names if name.startswith("claude")]
        page: Json = {"data": data, "has_more": False, "first_id": None, "last_id": None}
        if data:
            page |= {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
        return Whole.json(200, page)
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "system"} for name in names]
    return Whole.json(200, {"object": "list", "data": data})


def counted(seen: Seen, tokens: int) -> Whole:
    """A token count in the request's dialect."""
    if seen.dialect == "gemini":
        details = [{"modality": "TEXT", "tokenCount": tokens}]
        return Whole.json(200, {"totalTokens": tokens, "promptTokensDetails": details})
    if seen.dialect == "openai_responses":
        return Whole.json(200, {"object": "response.input_tokens", "input_tokens": tokens})
    return Whole.json(200, {"input_tokens": tokens})


def not_found(seen: Seen) -> Whole:
    """An unknown path, in OpenAI's words under /v1, Google's under /v1beta."""
    if seen.path.startswith("/v1beta"):
        return Whole(404, b"", content_type="text/html; charset=UTF-8")
    message = f"Invalid URL ({seen.method} {seen.path})"
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Whole.json(404, {"error": error})


def _gemini(name: str) -> Json:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.replace("-", " ").title(),
        "description": f"Scripted {name}",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def _anthropic(name: str) -> Json:
    return {
        "type": "model",
        "id": name,
        "display_name": name.replace("-", " ").title(),
        "created_at": "2025-11-24T00:00:00Z",
    }
