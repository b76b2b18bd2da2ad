"""The provider's HTTP surface: which path speaks which dialect, and how an answer is played on a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiohttp import web

from . import listing
from .desk import Desk
from .dialect import Asked, Dialect, Refused, Turn, Whole
from .dialects import DIALECTS
from .record import Purpose, Seen
from .rules.access import check_access
from .script import Answer, Cut, ErrorEvent, Fail, Hang, Raw, Reply
from .wire import Action, Close, Pause, Send, actions, raw_actions

_MAX_BODY = 64 * 1024 * 1024

_PATHS: dict[tuple[str, str], tuple[str, Purpose]] = {
    ("POST", "/v1/chat/completions"): ("openai_chat", "inference"),
    ("POST", "/v1/responses"): ("openai_responses", "inference"),
    ("POST", "/v1/responses/input_tokens"): ("openai_responses", "count"),
    ("POST", "/v1/messages"): ("anthropic", "inference"),
    ("POST", "/v1/messages/count_tokens"): ("anthropic", "count"),
    ("GET", "/v1beta/models"): ("gemini", "models"),
}
_GEMINI_METHODS: dict[str, Purpose] = {
    "generateContent": "inference",
    "streamGenerateContent": "inference",
    "countTokens": "count",
}


def _route(method: str, path: str, headers: Mapping[str, str]) -> tuple[str | None, Purpose]:
    """Dialect and purpose of a request. OpenAI and Anthropic share ``GET /v1/models``: the version header decides."""
    if (method, path) == ("GET", "/v1/models"):
        return ("anthropic" if "anthropic-version" in headers else "openai_chat"), "models"
    if method == "POST" and path.startswith("/v1beta/models/"):
        return "gemini", _GEMINI_METHODS.get(path.rpartition(":")[2], "other")
    return _PATHS.get((method, path), (None, "other"))


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return None


class Surface:
    """Handles every request of one provider."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.closing = asyncio.Event()
        """Set when the provider stops: ends every silence, so that nothing hangs the shutdown."""

    def application(self) -> web.Application:
        """The aiohttp application: one catch-all, for the record must hold strays too."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Record the request, answer it, record how that ended."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        name, purpose = _route(request.method, request.path, headers)
        raw = await request.read()
        seen = self._desk.record.add(
            dialect=name,
            purpose=purpose,
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=headers,
            raw=raw,
            body=_parsed(raw),
        )
        try:
            response = await self._exchange(request, seen)
        except (asyncio.CancelledError, ConnectionResetError):
            # Both mean that the client is gone, unless it is the provider itself that stops.
            self._desk.record.ended(seen, disconnected=not self.closing.is_set())
            raise
        self._desk.record.ended(seen, disconnected=False)
        return response

    async def _exchange(self, request: web.Request, seen: Seen) -> web.StreamResponse:
        if seen.dialect is None or seen.purpose == "other":
            return await self._whole(request, seen, listing.not_found(seen))
        dialect = DIALECTS[seen.dialect]
        body = seen.body if isinstance(seen.body, dict) else {}
        asked = dialect.asked(seen.path, seen.query, seen.headers, body)
        try:
            self._check(seen, dialect, asked)
        except Refused as refused:
            return await self._whole(request, seen, refused.answer, refusal=True)
        if seen.purpose == "models":
            return await self._whole(request, seen, listing.models(seen, self._desk.known, self._desk.page))
        if seen.purpose == "count":
            count = self._desk.count(seen)
            if isinstance(count, Fail):
                return await self._whole(request, seen, dialect.fail(count, asked.model))
            return await self._whole(request, seen, listing.counted(seen, count))
        return await self._play(request, seen, dialect, asked, self._desk.answer(seen, dialect, asked))

    def _check(self, seen: Seen, dialect: Dialect, asked: Asked) -> None:
        check_access(seen, dialect, asked, self._desk.api_key, self._desk.known)
        if self._desk.strict and seen.purpose != "models":
            try:
                dialect.check(asked, self._desk.seal)
            except RecursionError as error:
                # The vendors' own limits on nesting differ and lie far below this one.
                deep = Fail("bad_request", message="The request exceeds the maximum allowed nesting depth.")
                raise Refused(dialect.fail(deep, asked.model)) from error

    async def _play(
        self, request: web.Request, seen: Seen, dialect: Dialect, asked: Asked, answer: Answer
    ) -> web.StreamResponse:
        match answer:
            case Fail():
                return await self._whole(request, seen, dialect.fail(answer, asked.model))
            case Hang(seconds=seconds):
                await self._pause(seconds)
                after = self._desk.brain(dialect.conversation(asked))
                return await self._play(request, seen, dialect, asked, after)
            case Cut(reset=reset):
                return self._closed(request, web.StreamResponse(), reset)
            case Raw():
                head = {"content-type": answer.content_type, **answer.headers}
                return await self._stream(request, seen, answer.status, head, raw_actions(answer))
            case Reply():
                return await self._reply(request, seen, dialect, asked, answer)

    async def _reply(
        self, request: web.Request, seen: Seen, dialect: Dialect, asked: Asked, reply: Reply
    ) -> web.StreamResponse:
        turn = Turn(reply, asked.body, asked.model, seen.index, self._desk.seal)
        if asked.stream:
            head = {"content-type": "text/event-stream", "cache-control": "no-cache", **reply.headers}
            return await self._stream(request, seen, 200, head, actions(dialect, turn))
        match reply.fault:
            case Hang(seconds=seconds):
                await self._pause(seconds)
            case Cut(reset=reset):
                return self._closed(request, web.StreamResponse(), reset)
            case ErrorEvent(fail=fail):
                return await self._whole(request, seen, dialect.fail(fail, asked.model))
        if reply.pace:
            await self._pause(reply.pace * sum(frame.delta for frame in dialect.frames(turn)))
        whole = Whole.json(200, dialect.whole(turn), reply.headers)
        return await self._whole(request, seen, whole, gzip=reply.wire.encoding == "gzip")

    async def _whole(
        self, request: web.Request, seen: Seen, whole: Whole, *, refusal: bool = False, gzip: bool = False
    ) -> web.StreamResponse:
        self._desk.record.answered(seen, whole.status, whole.body.decode() if refusal else None)
        head = {"content-type": whole.content_type, **whole.headers}
        response = web.Response(body=whole.body, status=whole.status, headers=head)
        if gzip:
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        await response.write_eof()
        return response

    async def _stream(
        self, request: web.Request, seen: Seen, status: int, head: Mapping[str, str], plan: Iterable[Action]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=dict(head))
        self._desk.record.answered(seen, status)
        await response.prepare(request)
        for action in plan:
            match action:
                case Send(data=data):
                    await response.write(data)
                case Pause(seconds=seconds):
                    await self._pause(seconds)
                case Close(reset=reset):
                    return self._closed(request, response, reset)
        await response.write_eof()
        return response

    async def _pause(self, seconds: float | None) -> None:
        """Silence that ends early when the provider stops (the connection is then cut by the shutdown)."""
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return
        raise ConnectionResetError("the provider stops")

    def _closed(self, request: web.Request, response: web.StreamResponse, reset: bool) -> web.StreamResponse:
        """Close under the response: FIN after what was written, or RST at once."""
        response.force_close()
        if request.transport is not None:
            if reset:
                request.transport.abort()
            else:
                request.transport.close()
        return response
