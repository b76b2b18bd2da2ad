"""The built-in provider of a fresh install: no network, no key and no model, only the way through the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Final

from ..composer import Composer
from ..dialect import Call, Dialect, ListPage, Payloads, Translator
from ..errors import Broken, Unavailable, UpstreamError
from ..events import Event
from ..messages import MessagesRequest
from ..target import Target

PACE: Final = 0.03  # seconds between two deltas: enough to be seen as a stream
_DELTAS: Final = 8
_TEXT: Final = (
    "Tollgate demo provider: no model is behind this answer.\n\n"
    "Your request arrived: model {model}, about {tokens} input tokens, {tools} tools. It was authenticated, routed and "
    "counted like any other, so everything up to the provider works.\n\n"
    "To get real answers, sign in to the gateway's admin, open Providers, add one (OpenAI, Gemini, Anthropic or any "
    "compatible host) with its API key, and enable it. The next request goes there and this provider steps aside."
)


class Demo:
    """Answers every request with the same labelled text. What the shell carries is that text itself."""

    def call(self, target: Target, request: MessagesRequest) -> Call:
        tools = request.body.get("tools") or []
        text = _TEXT.format(model=request.model, tokens=request.input_estimate, tools=len(tools))
        return Call("demo:", {}, text.encode())

    def streams(self, target: Target, request: MessagesRequest) -> bool:
        return request.stream

    def translator(self, target: Target, request: MessagesRequest) -> Translator:
        return _Translator(request)

    def refusal(
        self, target: Target, request: MessagesRequest, status: int, headers: Mapping[str, str], body: bytes
    ) -> UpstreamError:
        return Unavailable("The demo provider never refuses.", provider_status=status)

    def count_call(self, target: Target, request: MessagesRequest) -> None:
        return None

    def count(self, payload: bytes) -> int:
        raise Broken("The demo provider has no token counter.")

    def list_call(self, target: Target, after: str) -> None:
        return None  # there is no model behind it

    def listed(self, payload: bytes) -> ListPage:
        raise Broken("The demo has no list of models.")


class _Translator:
    cut = False

    def __init__(self, request: MessagesRequest) -> None:
        self._composer = Composer(request)

    def opening(self) -> list[Event]:
        self._composer.start()
        return self._composer.take()

    def feed(self, name: str, payload: bytes) -> list[Event]:
        self._composer.text(payload.decode())
        return self._composer.take()

    def finish(self) -> list[Event]:
        self._composer.end("end_turn")
        return self._composer.take()


@asynccontextmanager
async def shell(dialect: Dialect, target: Target, request: MessagesRequest) -> AsyncIterator[Payloads]:
    """Carries nothing anywhere: plays the text back, in a few paced pieces where the request streams."""
    body = dialect.call(target, request).body
    async with aclosing(_played(body, _DELTAS if request.stream else 1)) as payloads:
        yield payloads


async def _played(body: bytes, count: int) -> Payloads:
    text = body.decode()
    size = -(-len(text) // count)
    for start in range(0, len(text), size):
        if start:
            await asyncio.sleep(PACE)
        yield [("", text[start : start + size].encode())]
