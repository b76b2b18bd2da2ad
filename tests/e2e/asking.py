"""How the tests ask: a client that judges every answer it gets, and the blocks that requests are made of."""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest

from tests.support.grammar import Transcript, check_message, check_stream

# A model of each dialect, by the name a client asks for.
MODELS: Final = {
    "anthropic": "anthropic/claude-sonnet-5",
    "openai_chat": "openai/gpt-4o",
    "openai_responses": "openai/gpt-5.1",
    "gemini": "gemini/gemini-2.5-pro",
    "litellm": "hosted_vllm/qwen3-32b",
}
FOREIGN: Final = {name: model for name, model in MODELS.items() if name != "anthropic"}
DIALECTS: Final = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
FOREIGN_DIALECTS: Final = pytest.mark.parametrize("model", FOREIGN.values(), ids=list(FOREIGN))
BOTH_MODES: Final = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "plain"])

TOOLS: Final = [
    {
        "name": name,
        "description": f"{name} something",
        "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    }
    for name in ("Read", "Write")
]
THINKING: Final = {"type": "enabled", "budget_tokens": 2048}
PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Asker:
    """Sends requests through the gateway and judges every answer."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def post(self, model: str, *messages: Any, stream: bool = True, **more: Any) -> httpx.Response:
        body = {
            "model": model,
            "max_tokens": 4096,
            "messages": list(messages) or [{"role": "user", "content": "hi"}],
            "stream": stream,
        }
        return self._client.post("/v1/messages?beta=true", json=body | more)

    def count(self, body: dict[str, Any]) -> httpx.Response:
        return self._client.post("/v1/messages/count_tokens?beta=true", json=body)

    def __call__(self, model: str, *messages: Any, stream: bool = True, **more: Any) -> Transcript:
        response = self.post(model, *messages, stream=stream, **more)
        assert response.status_code == 200, response.text
        relaxed = model.startswith("anthropic")
        if stream:
            return check_stream(response.content, relaxed=relaxed)
        return check_message(response.json(), relaxed=relaxed)


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def result(call_id: str, content: Any = "done", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content} | more


def call(call_id: str, name: str = "Read") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": {"path": "a"}}
