from __future__ import annotations

import asyncio
import gzip
import itertools
from typing import Any

import pytest

from routing.upstream import http, stream
from routing.upstream.errors import (
    Broken,
    Verbatim,
)
from tests.routing.upstream.conftest import in_use
from tests.routing.upstream.factories import a_request, a_target
from tests.routing.upstream.hosts import TEXT, WHOLE, all_events, read_request, response, serving, target
from tests.routing.upstream.transcripts import judged
from tests.support.grammar import check_message
from tests.support.provider import Cut, Fail, Hang, Reply, ScriptedProvider, Text, ToolCall, Wire

pytestmark = pytest.mark.usefixtures("no_leaks")

EVENTS = [
    b'{"type":"message_start","message":{"id":"msg_1","content":[],"usage":{}}}',
    b'{"type":"message_delta","delta":{},"usage":{}}',
    b'{"type":"message_stop"}',
]


class TestAnswers:
    @pytest.mark.parametrize(
        "wire",
        [Wire(), Wire(newline="\r\n"), Wire(newline="\r"), Wire(space=False, comments=True), Wire(bunch=99)]
        + [Wire(dribble=size) for size in (1, 3, 7)],
        ids=str,
    )
    async def test_however_the_bytes_fall(self, provider: ScriptedProvider, wire: Wire) -> None:
        provider.reply(Reply([Text(TEXT), ToolCall("Bash", {"command": "ls"})], wire=wire))
        transcript = judged(await all_events(target(provider.base_url)))
        assert transcript.text == TEXT
        assert transcript.tool_uses[0]["input"] == {"command": "ls"}

    @pytest.mark.parametrize("encoding", ["identity", "gzip"])
    async def test_a_whole_answer(self, provider: ScriptedProvider, encoding: Any) -> None:
        provider.reply(Reply([Text(TEXT)], wire=Wire(encoding=encoding)))
        (event,) = await all_events(target(provider.base_url), stream=False)
        assert check_message(event.data).text == TEXT

    async def test_a_compressed_stream(self) -> None:
        body = gzip.compress(b"".join(b"data: " + event + b"\n\n" for event in EVENTS))

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(response(body, "content-encoding: gzip"))
            await writer.drain()

        async with serving(handle) as address:
            events = await all_events(target(address))
        assert [event.type for event in events] == ["message_start", "message_delta", "message_stop"]

    @pytest.mark.parametrize("stream", [True, False])
    @pytest.mark.parametrize("whole", [True, False])
    async def test_a_host_that_answers_in_the_other_mode(self, stream: bool, whole: bool) -> None:
        said = b'{"choices":[{"%b":{"content":"Hello"},"finish_reason":"stop"}]}' % (b"message" if whole else b"delta")
        body = said if whole else b"data: " + said + b"\n\ndata: [DONE]\n\n"

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(response(body, f"content-type: {'application/json' if whole else 'text/event-stream'}"))
            await writer.drain()

        async with serving(handle) as address:
            host = a_target("openai_chat", base_url=address)
            assert judged(await all_events(host, stream=stream)).text == "Hello"

    async def test_a_stream_that_calls_itself_json_streams(self) -> None:
        body = b"".join(b"data: " + event + b"\n\n" for event in EVENTS)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(response(body, "content-type: application/json"))
            await writer.drain()

        async with serving(handle) as address:
            assert [event.json for event in await all_events(target(address))] == EVENTS

    async def test_what_comes_in_one_read_is_one_batch(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Text(TEXT)], delta=1, wire=Wire(bunch=1000)))
        async with stream.open_answer(target(provider.base_url), a_request(stream=True)) as answer:
            batches = [batch async for batch in answer]
        assert len(batches) < 5 < len(TEXT)

    async def test_a_long_prompt_goes_out_whole(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Text("ok")]))
        await all_events(target(provider.base_url), messages=[{"role": "user", "content": "x" * 5_000_000}])
        assert len(provider.requests[0].raw) > 5_000_000

    async def test_connections_are_used_again(self, provider: ScriptedProvider) -> None:
        connections: set[tuple[str, int]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.add(writer.get_extra_info("peername"))
            for _ in range(3):
                await read_request(reader)
                writer.write(response(WHOLE))

        async with serving(handle) as address:
            for _ in range(3):
                await all_events(target(address), stream=False)
            assert len(connections) == 1

    async def test_streams_give_their_connections_back_too(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Text(TEXT)]), Reply([Text(TEXT)]))
        for _ in range(2):
            await all_events(target(provider.base_url))
            connector = http.session().connector
            assert connector is not None
            assert [len(idle) for idle in connector._conns.values()] == [1]


class TestLeaving:
    @pytest.mark.parametrize("deltas", [0, 1, 3])
    async def test_closes_the_connection_within_a_second(self, provider: ScriptedProvider, deltas: int) -> None:
        provider.reply(Reply([Text("x" * 1600)], pace=0.05))
        async with stream.open_answer(target(provider.base_url), a_request(stream=True)) as answer:
            seen = 0
            async for batch in answer:
                seen += sum(event.type == "content_block_delta" for event in batch)
                if seen >= deltas:
                    break
        left = asyncio.get_running_loop().time()
        await provider.disconnected(timeout=1.0)
        assert asyncio.get_running_loop().time() - left < 1.0

    async def test_an_error_in_the_consumer_closes_it_too(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Text("x" * 1600)], pace=0.05))

        async def consume() -> None:
            async with stream.open_answer(target(provider.base_url), a_request(stream=True)) as answer:
                async for _ in answer:
                    raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await consume()
        await provider.disconnected(timeout=1.0)

    @pytest.mark.parametrize("answer", [Hang(), Reply([Text(TEXT)], fault=Hang(after=1))], ids=["headers", "body"])
    @pytest.mark.parametrize("streamed", [True, False])
    async def test_a_cancelled_wait_closes_it(self, provider: ScriptedProvider, answer: Any, streamed: bool) -> None:
        provider.reply(answer)
        task = asyncio.create_task(all_events(target(provider.base_url), stream=streamed))
        await provider.arrived()
        await asyncio.sleep(0.05)  # wherever it may be by then: every such place must be safe
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await provider.disconnected(timeout=1.0)

    async def test_nothing_is_sent_before_the_first_event_is_asked_for(self, provider: ScriptedProvider) -> None:
        async with stream.open_answer(target(provider.base_url), a_request(stream=True)):
            pass
        assert provider.requests == []

    async def test_cancelled_after_any_number_of_steps(self) -> None:
        """Cancels the exchange at every one of its waits in turn: none leaves a task or a connection behind."""
        chunks = [b"data: " + frame + b"\n\n" for frame in [EVENTS[0], *[EVENTS[1]] * 3, EVENTS[2]]]

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for chunk in chunks:
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(b"0\r\n\r\n")

        async with serving(handle) as address:
            for steps in itertools.count():
                task = asyncio.create_task(all_events(target(address)))
                for _ in range(steps):
                    await asyncio.sleep(0)
                if task.done():
                    break
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()
                assert not in_use(), steps
            assert task.result()[-1].type == "message_stop"
            assert steps > 10


class TestStaleConnections:
    @staticmethod
    async def _warm(address: str) -> None:
        await all_events(target(address), stream=False)

    async def test_a_closed_pooled_connection_is_no_answer(self) -> None:
        """A provider that closes idle connections as the next request comes in: each still gets its answer."""
        requests = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            await read_request(reader)
            requests += 1
            writer.write(response(WHOLE))
            await writer.drain()
            await reader.read(1)  # the next request: the connection closes in its face

        async with serving(handle) as address:
            for _ in range(4):
                await self._warm(address)
        assert requests == 4

    async def test_all_pooled_connections_may_be_stale(self) -> None:
        together = asyncio.Barrier(3)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            if warming:
                await together.wait()
            writer.write(response(WHOLE))
            await writer.drain()
            await reader.read(1)

        warming = True
        async with serving(handle) as address:
            await asyncio.gather(*(self._warm(address) for _ in range(3)))
            warming = False
            await self._warm(address)

    async def test_a_fresh_connection_that_closes_is_not_tried_again(self, provider: ScriptedProvider) -> None:
        provider.reply(Cut(), Reply([Text("too late")]))
        with pytest.raises(Broken):
            await all_events(target(provider.base_url))
        assert len(provider.requests) == 1

    async def test_one_that_worked_for_a_while_is_not_tried_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It may have been billed."""
        monkeypatch.setattr(http, "_STALE_SECONDS", 0.05)
        requests = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            await read_request(reader)
            requests += 1
            writer.write(response(WHOLE))
            await writer.drain()
            await read_request(reader)
            requests += 1
            await asyncio.sleep(0.1)

        async with serving(handle) as address:
            await self._warm(address)
            with pytest.raises(Broken):
                await self._warm(address)
        assert requests == 2


class TestLinger:
    async def test_a_stream_left_open_after_its_end_is_closed(self, provider: ScriptedProvider) -> None:
        body = b"".join(b"data: " + event + b"\n\n" for event in EVENTS)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body))
            await writer.drain()
            assert await reader.read(1) == b""

        async with serving(handle) as address, asyncio.timeout(1):
            told = await all_events(target(address))
        assert [event.json for event in told] == EVENTS


class TestCount:
    async def test_asks_the_providers_own_counter(self, provider: ScriptedProvider) -> None:
        provider.counts(4711)
        assert await stream.count_tokens(target(provider.base_url), a_request()) == 4711
        assert provider.requests[0].path == "/v1/messages/count_tokens"

    async def test_its_refusal_is_an_error(self, provider: ScriptedProvider) -> None:
        provider.counts(Fail("overloaded"))
        with pytest.raises(Verbatim):
            await stream.count_tokens(target(provider.base_url), a_request())


async def test_the_session_is_one_per_loop_and_made_anew_when_closed() -> None:
    first = http.session()
    assert http.session() is first
    await http.close()
    await http.close()
    assert http.session() is not first
