"""Gemini's native API: ``generateContent``, ``streamGenerateContent`` and ``countTokens``.

Source: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/tokens
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import orjson

from ..dialect import Call, ListPage, Translator
from ..errors import Broken, UpstreamError
from ..messages import MessagesRequest
from ..parameters import stop_sequences
from ..target import Target
from . import gemini_errors, gemini_request, listing
from .gemini_answer import GeminiTranslator

_KEY_HEADER: Final = "x-goog-api-key"


class Gemini:
    """The Gemini dialect. A target's ``base_url`` is the host root."""

    def call(self, target: Target, request: MessagesRequest) -> Call:
        url = _url(target, "streamGenerateContent", alt="sse") if request.stream else _url(target, "generateContent")
        return Call(url, _headers(target), gemini_request.body(target, request))

    def streams(self, target: Target, request: MessagesRequest) -> bool:
        return request.stream or bool(stop_sequences(request))

    def translator(self, target: Target, request: MessagesRequest) -> Translator:
        return GeminiTranslator(target, request)

    def refusal(
        self, target: Target, request: MessagesRequest, status: int, headers: Mapping[str, str], body: bytes
    ) -> UpstreamError:
        return gemini_errors.refusal(target, status, headers, body)

    def count_call(self, target: Target, request: MessagesRequest) -> Call:
        return Call(_url(target, "countTokens"), _headers(target), gemini_request.counted(target, request))

    def count(self, payload: bytes) -> int:
        try:
            data = orjson.loads(payload)
        except orjson.JSONDecodeError:
            data = None
        match data:
            case {"totalTokens": int(tokens)}:
                return tokens
        raise Broken("The provider's token counter answered with something else than a count.")

    def list_call(self, target: Target, after: str) -> Call:
        query = {"pageSize": str(listing.PAGE)} | ({"pageToken": after} if after else {})
        return Call(target.url("/v1beta/models", **query), _headers(target), b"", "GET")

    def listed(self, payload: bytes) -> ListPage:
        return listing.gemini(payload)


def _url(target: Target, method: str, **query: str) -> str:
    return target.url(f"/v1beta/models/{quote(target.model, safe='')}:{method}", **query)


def _headers(target: Target) -> dict[str, str]:
    """The credential, and what the provider's row adds."""
    headers = {"content-type": "application/json"}
    if target.api_key:
        name = target.quirks.auth_header.lower() or _KEY_HEADER
        headers[name] = f"Bearer {target.api_key}" if name == "authorization" else target.api_key
    return headers | {name.lower(): value for name, value in target.headers.items()}
