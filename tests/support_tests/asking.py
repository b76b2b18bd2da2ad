"""Requests in every dialect, legal by default."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]

MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "openai_chat": "gpt-4.1",
    "openai_responses": "gpt-5.1",
}
_PATHS = {
    "anthropic": "/v1/messages",
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
}


def body(dialect: str, text: str = "hi", **more: Any) -> Json:
    """The smallest legal request that says ``text``, and more fields beside it."""
    if dialect == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}
    model = more.pop("model", MODELS[dialect])
    if dialect == "openai_responses":
        return {"model": model, "input": text, **more}
    made: Json = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    if dialect == "anthropic":
        made.setdefault("max_tokens", 4_096)
    return made


@dataclass(frozen=True)
class Ask:
    """Sends requests over one client."""

    client: httpx.Client

    def url(self, dialect: str, model: str | None = None, *, stream: bool = False) -> str:
        """Where the dialect's inference is."""
        if dialect != "gemini":
            return _PATHS[dialect]
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1beta/models/{model or MODELS['gemini']}:{method}"

    def plain(self, dialect: str, model: str | None = None, **fields: Any) -> httpx.Response:
        """A plain answer to the smallest request with these fields."""
        more = {"model": model} if model is not None and dialect != "gemini" else {}
        return self.client.post(self.url(dialect, model), json=body(dialect, **more, **fields))

    def stream(self, dialect: str, model: str | None = None, **fields: Any) -> bytes:
        """The bytes of a streamed answer."""
        more: Json = {} if dialect == "gemini" else {"stream": True}
        if model is not None and dialect != "gemini":
            more["model"] = model
        response = self.client.post(self.url(dialect, model, stream=True), json=body(dialect, **more, **fields))
        assert response.status_code == 200, response.text
        return response.content

    def refused(self, dialect: str, model: str | None = None, **fields: Any) -> str:
        """The message of a 400."""
        response = self.plain(dialect, model, **fields)
        assert response.status_code == 400, response.text
        return str(response.json()["error"]["message"])

    def accepted(self, dialect: str, model: str | None = None, **fields: Any) -> Json:
        """The JSON of a 200."""
        response = self.plain(dialect, model, **fields)
        assert response.status_code == 200, response.text
        return dict(response.json())


def events(stream: bytes) -> list[Json]:
    """The JSON of every data line, end marks left out; any line end, with or without the space."""
    lines = stream.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    payloads = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [json.loads(payload) for payload in payloads if payload != "[DONE]"]
