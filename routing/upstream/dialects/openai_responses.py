"""OpenAI's Responses: the API in which OpenAI's own models reason across tool calls.

``openai_responses_request`` writes the request, ``openai_responses_answer`` reads the answer,
``openai_responses_state`` carries encrypted reasoning between the two; errors are those of chat completions. Nothing
is stored at OpenAI (``store: false``).

Source: https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from ..dialect import Call, ListPage, Translator
from ..errors import Broken, UpstreamError
from ..messages import MessagesRequest
from ..parameters import stop_sequences
from ..target import Target
from . import listing, openai_errors
from .openai_chat import headers as openai_headers
from .openai_responses_answer import ResponsesAnswer
from .openai_responses_request import responses_body


class OpenAIResponses:
    """The Responses dialect."""

    def call(self, target: Target, request: MessagesRequest) -> Call:
        body = orjson.dumps(responses_body(target, request))
        return Call(target.url("/responses"), openai_headers(target), body)

    def streams(self, target: Target, request: MessagesRequest) -> bool:
        return request.stream or bool(stop_sequences(request))

    def translator(self, target: Target, request: MessagesRequest) -> Translator:
        return ResponsesAnswer(target, request)

    def refusal(
        self, target: Target, request: MessagesRequest, status: int, headers: Mapping[str, str], body: bytes
    ) -> UpstreamError:
        return openai_errors.refusal(target, request, status, headers, body)

    def count_call(self, target: Target, request: MessagesRequest) -> None:
        return None  # one exists (/responses/input_tokens), but at OpenAI alone: the gateway's own works everywhere

    def count(self, payload: bytes) -> int:
        raise Broken("Responses are not counted by the provider.")

    def list_call(self, target: Target, after: str) -> Call:
        return Call(target.url("/models"), openai_headers(target), b"", "GET")

    def listed(self, payload: bytes) -> ListPage:
        return listing.openai(payload)
