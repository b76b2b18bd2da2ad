"""Providers' own lists of models, in the three formats there are.

Source: https://platform.openai.com/docs/api-reference/models/list, https://docs.anthropic.com/en/api/models-list,
https://ai.google.dev/api/models#method:-models.list; OpenRouter and vLLM add sizes to OpenAI's format
(https://openrouter.ai/docs/api-reference/list-available-models).
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from ..dialect import Listed, ListPage
from ..errors import Broken

PAGE: Final = 1000  # the most that Anthropic and Google give at once
_GEMINI_PREFIX: Final = "models/"


def openai(payload: bytes) -> ListPage:
    """``{"object": "list", "data": [{"id", ...}]}``, all at once; some hosts send the bare list. Raises Broken."""
    data = _json(payload)
    rows = data.get("data") if isinstance(data, dict) else data
    return ListPage(
        tuple(
            Listed(
                name,
                _text(row.get("name")),
                _size(row.get("context_length")) or _size(row.get("max_model_len")),
            )
            for row in _rows(rows)
            if (name := _text(row.get("id")))
        )
    )


def anthropic(payload: bytes) -> ListPage:
    """``{"data": [{"id", "display_name", ...}], "has_more", "last_id"}``. Raises Broken."""
    data = _json(payload)
    if not isinstance(data, dict):
        raise Broken(_NOT_ONE)
    models = tuple(
        Listed(name, _text(row.get("display_name")), _size(row.get("max_input_tokens")), _size(row.get("max_tokens")))
        for row in _rows(data.get("data"))
        if (name := _text(row.get("id")))
    )
    return ListPage(models, _text(data.get("last_id")) if data.get("has_more") is True else "")


def gemini(payload: bytes) -> ListPage:
    """``{"models": [{"name": "models/...", ...}], "nextPageToken"}``; no ``models`` at all is none. Raises Broken."""
    data = _json(payload)
    if not isinstance(data, dict):
        raise Broken(_NOT_ONE)
    models = tuple(
        Listed(
            name.removeprefix(_GEMINI_PREFIX),
            _text(row.get("displayName")),
            _size(row.get("inputTokenLimit")),
            _size(row.get("outputTokenLimit")),
            converses="generateContent" in (row.get("supportedGenerationMethods") or ()),
        )
        for row in _rows(data.get("models", []))
        if (name := _text(row.get("name")))
    )
    return ListPage(models, _text(data.get("nextPageToken")))


_NOT_ONE: Final = "The provider's list of models is not one."


def _json(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Broken(_NOT_ONE) from None


def _rows(rows: Any) -> list[dict[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Broken(_NOT_ONE)
    return rows


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 < value < 2**31 else None
