"""The ASGI side of the line: Channels consumers that read a body, do the work, and end it when the client leaves."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

import orjson
from channels.generic.http import AsyncHttpConsumer
from django.conf import settings

from accounting import meters

from . import counting, errors, metrics, models, telemetry
from .arrival import Arrival
from .exchange import exchange
from .reply import send_response
from .traffic import traffic

logger = logging.getLogger(__name__)

Scope = dict[str, Any]

BODY_SECONDS = 300.0  # for a body to come whole; a slow line carries the largest in that time
_NOT_FOUND = "Not Found. This gateway serves /v1/messages, /v1/messages/count_tokens and /v1/models."


class ClientLeft(Exception):
    """The client closed its connection."""


class GatewayConsumer(AsyncHttpConsumer):
    """Reads the body, runs ``respond`` as a task, and cancels that task when the client leaves.

    The stock consumer runs ``handle`` inside the dispatch of ``http.request`` and so hears of ``http.disconnect`` only
    when the work is done (django/channels#1249); it also opens a channel per request, which nothing here listens to.
    """

    methods: ClassVar[tuple[str, ...]] = ("GET",)
    surface: ClassVar[str] = ""  # what it is called where requests are told of; "": it is not, as probes are not

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.scope = scope
        self.base_send = send
        self.begun = False
        self.arrival = Arrival.of(scope)
        try:
            await self._attend(receive)
        finally:
            if self.surface:
                telemetry.tell(self.arrival, self.surface)

    async def _attend(self, receive: Any) -> None:
        try:
            body = await self._body(receive)
        except ClientLeft:
            return
        except errors.InvalidRequest as error:
            await self.tell(error)
            return
        work = asyncio.ensure_future(self._guarded(body))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Whichever is left, ends here: the work because nobody is there to read it, or the wait for a farewell.
            gone.cancel()
            work.cancel()
            await asyncio.wait((work, gone))

    async def respond(self, body: bytes) -> None:
        """Does the work. Raises one of ``errors.Failure`` as long as nothing was sent."""
        raise NotImplementedError

    async def tell(self, error: Exception) -> None:
        """Tells the client of ``error``: by a status if none was sent yet, else by an ``error`` event that ends it."""
        self.arrival.passage.fail(error)
        if self.begun:
            data = errors.event(error, self.arrival.request_id).encode()
            await self.send({"type": "http.response.body", "body": data})
            return
        status, headers, body = errors.response(error, self.arrival.request_id)
        await send_response(self.send, status, headers, b"" if self.scope["method"] == "HEAD" else body)

    async def send(self, message: Scope) -> None:
        if not self.begun:
            self.begun = True
            self.arrival.passage.status = message["status"]
        await self.base_send(message)

    async def answer(self, body: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> None:
        """Answers with a JSON body."""
        ours = [(b"content-type", b"application/json"), (b"request-id", self.arrival.request_id.encode()), *headers]
        await send_response(self.send, status, ours, body)

    async def _guarded(self, body: bytes) -> None:
        try:
            if self.scope["method"] not in self.methods:
                raise errors.WrongMethod(self.methods)
            if (coding := self.arrival.headers.get("content-encoding", "identity")) not in ("", "identity"):
                raise errors.CodedBody(coding)
            await self.respond(body)
        except errors.Failure as error:
            await self.tell(error)
        except Exception as error:  # the outermost frame: a defect is logged with its id, and told as 500
            logger.exception("request failed", extra={"request_id": self.arrival.request_id})
            await self.tell(error)

    async def _body(self, receive: Any) -> bytes:
        """The whole body. Raises BodyTooLarge, having read on so far that the client can hear it; and ClientLeft.

        Raises BodyTooSlow where it has not come whole after ``BODY_SECONDS``.
        """
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self._read(receive)
        except TimeoutError:
            raise errors.BodyTooSlow from None

    async def _read(self, receive: Any) -> bytes:
        limit = settings.GATEWAY_MAX_BODY_BYTES
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            piece = message.get("body", b"")
            size += len(piece)
            if size <= limit:
                pieces.append(piece)
            else:
                pieces.clear()
            if not message.get("more_body", False) or size > 4 * limit:
                break
        if size > limit:
            raise errors.BodyTooLarge(f"Request exceeds the maximum size of {limit} bytes")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class MessagesConsumer(GatewayConsumer):
    """``POST /v1/messages``, streamed and not."""

    surface = "messages"
    methods = ("POST",)

    async def respond(self, body: bytes) -> None:
        with traffic.passing():
            await exchange(self.arrival, body, self.send)


class CountTokensConsumer(GatewayConsumer):
    """``POST /v1/messages/count_tokens``: never billed."""

    surface = "count_tokens"
    methods = ("POST",)

    async def respond(self, body: bytes) -> None:
        tokens = await counting.count_tokens(self.arrival, body)
        await self.answer(orjson.dumps({"input_tokens": tokens}))


class ModelsConsumer(GatewayConsumer):
    """``GET /v1/models`` and ``GET /v1/models/{id}``."""

    surface = "models"
    methods = ("GET", "HEAD")

    async def respond(self, body: bytes) -> None:
        model_id = self.scope["url_route"]["kwargs"].get("model_id", "")
        await self.answer(await models.show(self.arrival, model_id) if model_id else await models.page(self.arrival))


class UnknownConsumer(GatewayConsumer):
    """Anything else below ``/v1/``: a client must read JSON there, never a page or a redirect."""

    surface = "unknown"
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    async def respond(self, body: bytes) -> None:
        raise errors.NoSuchPath(_NOT_FOUND)


class ProbeConsumer(GatewayConsumer):
    """``HEAD /``, ``/api/hello`` and ``/healthz``: this process answers."""

    methods = ("GET", "HEAD")

    async def respond(self, body: bytes) -> None:
        await self.answer(b"" if self.scope["method"] == "HEAD" else b'{"status":"ok"}')


class ReadyConsumer(GatewayConsumer):
    """``/readyz``: this worker may be sent requests. 503 while it drains, or cannot read its database."""

    methods = ("GET", "HEAD")

    async def respond(self, body: bytes) -> None:
        reason = await traffic.unready()
        status = 503 if reason else 200
        await self.answer(orjson.dumps({"status": reason or "ready"}), status=status)


class MetricsConsumer(GatewayConsumer):
    """``/metrics``: the figures of all this host's workers, for those whom the settings let see them."""

    async def respond(self, body: bytes) -> None:
        metrics.admit(self.arrival)
        metrics.sampler.look()
        text = await asyncio.to_thread(meters.exposition)
        await send_response(self.send, 200, [(b"content-type", meters.CONTENT_TYPE)], text)
