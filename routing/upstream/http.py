"""The HTTP shell: one pooled aiohttp session per event loop, and the one place where its exceptions are translated."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace

from .dialect import Call, Dialect, Payloads, said
from .errors import Broken, Misconfigured, TimedOut, Unavailable, UpstreamError
from .messages import MessagesRequest
from .proxies import Proxy, proxy_for
from .sse import Decoder
from .target import Target

MAX_BODY_BYTES: Final = 64 * 1024 * 1024
MAX_REFUSAL_BYTES: Final = 1024 * 1024
_READ_BYTES: Final = 256 * 1024
# A pooled connection that the provider had closed says so at once; one that took longer may have been at work.
_STALE_SECONDS: Final = 1.0


@dataclass(slots=True)
class Timeouts:
    """In seconds. ``silence`` is between two reads, so a long answer is never cut while it is moving.

    ``refusal`` is for the body of an answer whose status has said already what it is.
    """

    connect: float = 10.0
    silence: float = 600.0
    refusal: float = 10.0


@dataclass(slots=True)
class Pool:
    """What the connections to providers do: those with a call on them now, and how each call got its own."""

    in_use: int = 0
    opened: int = 0
    reused: int = 0


timeouts = Timeouts()
pool = Pool()
_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


@dataclass(slots=True)
class _Attempt:
    """One try at sending a call. ``reused``: on a connection that an earlier answer left open."""

    reused: bool = True


_attempt: ContextVar[_Attempt] = ContextVar("attempt")


class _Connector(aiohttp.TCPConnector):
    """A pool of connections that notes which attempt needed a new one."""

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> ResponseHandler:
        _attempt.get().reused = False
        made = await super()._create_connection(req, traces, timeout)
        pool.opened += 1
        return made


def session() -> aiohttp.ClientSession:
    """This event loop's session: connections are pooled per host and kept warm between requests."""
    loop = asyncio.get_running_loop()
    found = _sessions.get(loop)
    if found is None or found.closed:
        found = _sessions[loop] = aiohttp.ClientSession(
            connector=_Connector(limit=0, keepalive_timeout=60, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            read_bufsize=_READ_BYTES,
        )
    return found


async def close() -> None:
    """Closes this event loop's session, if it has one."""
    if (found := _sessions.pop(asyncio.get_running_loop(), None)) is not None:
        await found.close()


@contextmanager
def translated(target: Target) -> Iterator[None]:
    """Turns aiohttp's exceptions into this package's tree. No message of theirs is shown: it may hold a URL's query."""
    name = f"Provider {target.provider}"
    try:
        yield
    except aiohttp.ClientHttpProxyError as error:
        raise Unavailable(f"{name} cannot be reached: the proxy on the way there answered {error.status}.") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise Misconfigured(f"{name} shows a certificate that is not trusted here.") from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Unavailable(f"{name} cannot be reached.") from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise Misconfigured(f"{name} has no usable base URL.") from error
    except TimeoutError as error:  # aiohttp's ServerTimeoutError is one
        raise TimedOut(f"{name} did not answer in time.") from error
    except (
        aiohttp.ClientPayloadError,
        aiohttp.ClientOSError,
        aiohttp.ServerDisconnectedError,
        ConnectionError,
    ) as error:
        raise Broken(f"{name} broke off the connection.") from error
    except aiohttp.ClientError as error:
        raise Broken(f"{name} answered with something that is not HTTP.") from error


async def _respond(target: Target, call: Call) -> aiohttp.ClientResponse:
    """The answer to ``call``, to be ``_held`` until it is read.

    A pooled connection that the provider had closed meanwhile is no answer: the call goes out again, until it has a
    fresh one.
    """
    loop = asyncio.get_running_loop()
    try:
        proxy = proxy_for(call.url)
    except ValueError:
        raise Misconfigured("HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not the URL of an HTTP proxy.") from None
    while True:
        attempt, started = _Attempt(), loop.time()
        _attempt.set(attempt)
        try:
            response = await _send(call, proxy)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not attempt.reused or loop.time() - started > _STALE_SECONDS:
                raise
        except ValueError as error:
            if isinstance(error, aiohttp.ClientError):
                raise
            raise Misconfigured(f"Provider {target.provider} has a key or header that HTTP cannot carry.") from None
        else:
            pool.reused += attempt.reused
            return response


@contextmanager
def _held(response: aiohttp.ClientResponse) -> Iterator[None]:
    """Whatever is left unread of ``response``, leaving the context ends it."""
    pool.in_use += 1
    try:
        yield
    finally:
        pool.in_use -= 1
        # An answer read to its end goes back to the pool; any other is closed, so the provider stops writing it.
        response.close() if not response.content.at_eof() else response.release()


async def _send(call: Call, proxy: Proxy | None) -> aiohttp.ClientResponse:
    # A proxy reads the request itself on the way to a plain host, and only CONNECT on the way to a secure one.
    plain = proxy is not None and call.url.startswith("http:")
    return await session().request(
        call.method,
        call.url,
        data=io.BytesIO(call.body) if call.body else None,  # written in pieces: a long prompt does not hold the loop up
        headers={**call.headers, **proxy.headers} if proxy and plain else call.headers,
        proxy=proxy.url if proxy else None,
        proxy_headers=proxy.headers if proxy and not plain else None,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(connect=timeouts.connect, sock_read=timeouts.silence),
    )


async def _bounded(response: aiohttp.ClientResponse, target: Target) -> bytes:
    """The whole body. Raises Broken beyond MAX_BODY_BYTES."""
    pieces: list[bytes] = []
    size = 0
    while piece := await response.content.readany():
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise Broken(f"Provider {target.provider} sent more than {MAX_BODY_BYTES} bytes.")
        pieces.append(piece)
    return b"".join(pieces)


async def _refusal(
    dialect: Dialect, target: Target, request: MessagesRequest, response: aiohttp.ClientResponse
) -> UpstreamError:
    """The error of a non-2xx answer. A body that breaks off, dawdles or never ends changes nothing about the status."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = bytearray()
    try:
        async with asyncio.timeout(timeouts.refusal):
            while piece := await response.content.readany():
                body += piece
                if len(body) > MAX_REFUSAL_BYTES:
                    break
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        pass  # what has come is what there is
    refused = bytes(body[:MAX_REFUSAL_BYTES])
    error = dialect.refusal(target, request, response.status, headers, refused)
    error.body = refused
    return error


@asynccontextmanager
async def shell(dialect: Dialect, target: Target, request: MessagesRequest) -> AsyncIterator[Payloads]:
    """The Shell (see ``stream``) of every dialect that speaks HTTP."""
    call = said(dialect.call, target, request)
    with translated(target):
        response = await _respond(target, call)
    del call  # a long answer does not keep the prompt that it is given to
    with _held(response):
        if not 200 <= response.status < 300:
            raise await _refusal(dialect, target, request, response)
        async with aclosing(_payloads(response, target, request.stream)) as payloads:
            yield payloads


async def _payloads(response: aiohttp.ClientResponse, target: Target, stream: bool) -> Payloads:
    with translated(target):
        # Some hosts answer whole where a stream was asked for, or the other way: what they say of it is believed.
        if not stream and response.content_type != "text/event-stream":
            yield [("", await _bounded(response, target))]
            return
        chunk = await response.content.readany()
        if response.content_type == "application/json" and chunk.lstrip().startswith((b"{", b"[")):
            yield [("", chunk + await _bounded(response, target))]
            return
        decoder = Decoder()
        while chunk:
            if pairs := decoder.feed(chunk):
                yield pairs
            chunk = await response.content.readany()
        if pairs := decoder.finish():
            yield pairs


async def fetch(dialect: Dialect, target: Target, request: MessagesRequest, call: Call) -> bytes:
    """The body of a 2xx answer to ``call``. Raises UpstreamError."""
    with translated(target):
        response = await _respond(target, call)
        with _held(response):
            if not 200 <= response.status < 300:
                raise await _refusal(dialect, target, request, response)
            return await _bounded(response, target)
