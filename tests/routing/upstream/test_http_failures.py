from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from routing.upstream import http, sse
from routing.upstream.errors import (
    Broken,
    Busy,
    Misconfigured,
    TimedOut,
    Unavailable,
    UpstreamError,
    Verbatim,
)
from tests.routing.upstream.hosts import TEXT, all_events, own_certificate, read_request, response, serving, target
from tests.routing.upstream.transcripts import judged
from tests.support.provider import Cut, Fail, Hang, Raw, Reply, ScriptedProvider, Text, Wire

pytestmark = pytest.mark.usefixtures("no_leaks")


class TestFailures:
    async def test_silence_before_the_headers(
        self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http.timeouts, "silence", 0.1)
        provider.reply(Hang())
        with pytest.raises(TimedOut):
            await all_events(target(provider.base_url))
        await provider.disconnected(timeout=1.0)

    async def test_silence_in_the_middle(self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http.timeouts, "silence", 0.1)
        provider.reply(Reply([Text(TEXT)], fault=Hang(after=1)))
        with pytest.raises(TimedOut):
            await all_events(target(provider.base_url))

    async def test_a_slow_answer_that_moves_is_not_cut(
        self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http.timeouts, "silence", 0.2)
        provider.reply(Reply([Text("x" * 160)], pace=0.05))
        assert judged(await all_events(target(provider.base_url))).text == "x" * 160

    @pytest.mark.parametrize("reset", [False, True])
    async def test_a_cut_before_the_headers(self, provider: ScriptedProvider, reset: bool) -> None:
        provider.reply(Cut(reset=reset))
        with pytest.raises(Broken, match="broke off the connection"):
            await all_events(target(provider.base_url))
        assert len(provider.requests) == 1

    @pytest.mark.parametrize("reset", [False, True])
    @pytest.mark.parametrize("streamed", [True, False])
    async def test_a_cut_in_the_middle(self, provider: ScriptedProvider, reset: bool, streamed: bool) -> None:
        provider.reply(Reply([Text(TEXT)], fault=Cut(after=1, reset=reset)))
        with pytest.raises(Broken):
            await all_events(target(provider.base_url), stream=streamed)

    async def test_an_end_without_message_stop(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Text(TEXT)], wire=Wire(done=False)))
        with pytest.raises(Broken):
            await all_events(target(provider.base_url))

    async def test_nobody_listens(self) -> None:
        async with serving(lambda *_: asyncio.sleep(0)) as address:
            pass
        with pytest.raises(Unavailable):
            await all_events(target(address))

    @pytest.mark.parametrize("base_url", ["", "no url", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"])
    async def test_no_usable_address(self, base_url: str) -> None:
        with pytest.raises((Misconfigured, Unavailable)):
            await all_events(target(base_url))

    async def test_a_key_that_is_no_header(self, provider: ScriptedProvider) -> None:
        with pytest.raises(Misconfigured) as caught:
            await all_events(target(provider.base_url, api_key="secret\r\nx-evil: 1"))
        assert "secret" not in str(caught.value)
        assert provider.requests == []

    async def test_a_certificate_that_nobody_has_signed(self, tmp_path: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*own_certificate(tmp_path))
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(Misconfigured, match="a certificate that is not trusted"):
                await all_events(target(f"https://127.0.0.1:{port}"))

    async def test_what_is_not_http(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
            await writer.drain()

        async with serving(handle) as address:
            with pytest.raises(Broken):
                await all_events(target(address))

    @pytest.mark.parametrize("body", [b"", b'{"type": "error", "error": {"type": "api_error", "message": "moved"}}'])
    async def test_a_redirect_is_neither_followed_nor_handed_on(self, provider: ScriptedProvider, body: bytes) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(response(body, f"location: {provider.base_url}/v1/messages", status="307 Temporary Redirect"))
            await writer.drain()

        async with serving(handle) as address:
            with pytest.raises(Misconfigured):
                await all_events(target(address))
        assert provider.requests == []

    async def test_an_event_too_long_is_bounded(
        self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 10_000)
        provider.reply(Raw(b"data: " + b"x" * 100_000))
        with pytest.raises(Broken):
            await all_events(target(provider.base_url))

    async def test_a_body_too_long_is_bounded(
        self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "MAX_BODY_BYTES", 10_000)
        provider.reply(Raw(b'{"x": "' + b"x" * 100_000, content_type="application/json"))
        with pytest.raises(Broken):
            await all_events(target(provider.base_url), stream=False)

    async def test_compression_that_is_none(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(response(b"not gzip at all", "content-encoding: gzip"))
            await writer.drain()

        async with serving(handle) as address:
            with pytest.raises(Broken):
                await all_events(target(address))


class TestRefusals:
    async def test_comes_before_the_first_event(self, provider: ScriptedProvider) -> None:
        provider.reply(Fail("rate_limit", retry_after=7))
        with pytest.raises(Verbatim) as caught:
            await all_events(target(provider.base_url))
        assert caught.value.status == 429
        assert caught.value.headers["retry-after"] == "7"
        assert orjson.loads(caught.value.body)["error"]["type"] == "rate_limit_error"

    async def test_a_page_of_a_proxy(self, provider: ScriptedProvider) -> None:
        provider.reply(Fail("html"))
        with pytest.raises(Unavailable):
            await all_events(target(provider.base_url))

    async def _refused(self, rest: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]) -> Any:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 99999999\r\nretry-after: 3\r\n\r\n<html>")
            await rest(reader, writer)

        async with serving(handle) as address:
            with pytest.raises(UpstreamError) as caught:
                await all_events(target(address))
            return caught.value

    async def test_a_body_that_breaks_off(self) -> None:
        error = await self._refused(lambda _, writer: writer.drain())
        assert isinstance(error, Busy)
        assert error.retry_after == 3

    async def test_a_body_that_dawdles(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http.timeouts, "refusal", 0.05)
        assert isinstance(await self._refused(lambda reader, _: reader.read(1)), Busy)

    async def test_a_body_that_never_ends(self) -> None:
        async def forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while not writer.is_closing():
                writer.write(b"x" * 65536)
                await writer.drain()

        assert isinstance(await self._refused(forever), Busy)
