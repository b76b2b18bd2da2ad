"""The small answers: model lists, token counts, unknown paths."""

from __future__ import annotations

from collections.abc import Sequence

from .desk import MODELS
from .dialect import CREATED, Json, Whole
from .record import Seen


def models(seen: Seen, known: Sequence[str] | None, most: int) -> Whole:
    """The model list of the request's dialect: OpenAI's whole, Anthropic's and Gemini's a page of at most ``most``.

    Source: https://docs.anthropic.com/en/api/models-list, https://ai.google.dev/api/models#method:-models.list
    """
    names = known if known is not None else MODELS
    if seen.dialect == "gemini":
        return _gemini_page(seen, [name for name in names if name.startswith("gemini")], most)
    if seen.dialect == "anthropic":
        return _anthropic_page(seen, [name for name in names if name.startswith("claude")], most)
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


def _gemini_page(seen: Seen, names: list[str], most: int) -> Whole:
    start = int(seen.query.get("pageToken") or 0)
    end = start + min(int(seen.query.get("pageSize", 50)), most)
    page: Json = {"models": [_gemini(name) for name in names[start:end]]}
    return Whole.json(200, page | ({"nextPageToken": str(end)} if end < len(names) else {}))


def _anthropic_page(seen: Seen, names: list[str], most: int) -> Whole:
    limit = int(seen.query.get("limit", 20))
    if not 1 <= limit <= 1000:
        error = {"type": "invalid_request_error", "message": "limit: Input should be between 1 and 1000"}
        return Whole.json(400, {"type": "error", "error": error})
    after = seen.query.get("after_id")
    start = names.index(after) + 1 if after in names else 0
    end = start + min(limit, most)
    data = [_anthropic(name) for name in names[start:end]]
    page: Json = {"data": data, "has_more": end < len(names), "first_id": None, "last_id": None}
    if data:
        page |= {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
    return Whole.json(200, page)


def _gemini(name: str) -> Json:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.replace("-", " ").title(),
        "description": f"Scripted {name}",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["embedContent"] if "embedding" in name else ["generateContent", "countTokens"],
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
