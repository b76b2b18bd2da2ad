"""The loop itself, over a shell that plays payloads; over real HTTP it is tested in ``test_http``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from routing.upstream import stream
from routing.upstream.dialect import Dialect, Payloads
from routing.upstream.dialects import SHELLS
from routing.upstream.errors import Broken
from routing.upstream.messages import MessagesRequest
from routing.upstream.target import Target
from tests.routing.upstream.factories import a_request, a_target

START = b'{"type":"message_start","message":{"id":"msg_1","content":[],"usage":{}}}'
DELTA = b'{"type":"message_delta","delta":{},"usage":{}}'
STOP = b'{"type":"message_stop"}'
TARGET = a_target("anthropic", "claude-opus-4-8")


class _Played:
    """A shell that gives ``reads``, payloads that come together, and notes how it was left."""

    def __init__(self, *reads: list[bytes], hangs: bool = False) -> None:
        self.reads = reads
        self.hangs = hangs
        self.given = 0
        self.closed = False

    @asynccontextmanager
    async def __call__(self, dialect: Dialect, target: Target, request: MessagesRequest) -> AsyncIterator[Payloads]:
        async with aclosing(self._payloads()) as payloads:
            try:
                yield payloads
            finally:
                self.closed = True

    async def _payloads(self) -> Payloads:
        for read in self.reads:
            self.given += 1
            yield [("", payload) for payload in read]
        if self.hangs:
            await asyncio.Event().wait()


Play = Callable[[_Played], _Played]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Puts a shell in HTTP's place."""

    def play(shell: _Played) -> _Played:
        monkeypatch.setitem(SHELLS, "anthropic", shell)
        return shell

    return play


async def _batches() -> list[list[str]]:
    async with stream.open_answer(TARGET, a_request(stream=True)) as answer:
        return [[event.type for event in batch] async for batch in answer]


async def _collect(told: list[str]) -> None:
    async with stream.open_answer(TARGET, a_request(stream=True)) as answer:
        async for batch in answer:
            told += [event.type for event in batch]


async def test_one_batch_a_read(play: Play) -> None:
    shell = play(_Played([START], [b'{"type":"x"}', DELTA], [DELTA, STOP]))
    assert await _batches() == [
        ["message_start"],
        ["x", "message_delta"],
        ["message_delta", "message_stop"],
    ]
    assert shell.closed


async def test_a_read_that_says_nothing_is_no_batch(play: Play) -> None:
    play(_Played([b'{"type":"ping"}'], [START, DELTA, STOP]))
    assert await _batches() == [["message_start", "message_delta", "message_stop"]]


async def test_an_end_without_the_last_event_is_broken(play: Play) -> None:
    shell = play(_Played([START]))
    with pytest.raises(Broken):
        await _batches()
    assert shell.closed


async def test_what_comes_with_an_error_is_told_before_it(play: Play) -> None:
    play(_Played([START], [DELTA, b"no JSON", STOP]))
    told: list[str] = []
    with pytest.raises(Broken):
        await _collect(told)
    assert told == ["message_start", "message_delta"]


async def test_an_error_in_the_first_read_can_still_be_a_status(play: Play) -> None:
    play(_Played([START, DELTA, b"no JSON"]))
    told: list[str] = []
    with pytest.raises(Broken):
        await _collect(told)
    assert told == []


@pytest.mark.parametrize("last", [STOP, b'{"type":"error","error":{"type":"api_error","message":"no"}}'])
async def test_a_provider_that_stays_after_the_last_event_is_left(play: Play, last: bytes) -> None:
    shell = play(_Played([START, DELTA, last], hangs=True))
    async with asyncio.timeout(1):
        await _batches()
    assert shell.closed


async def test_what_follows_the_last_event_is_read_and_dropped(play: Play) -> None:
    shell = play(_Played([START, DELTA, STOP], [DELTA], [DELTA]))
    assert await _batches() == [["message_start", "message_delta", "message_stop"]]
    assert shell.given == 3


async def test_leaving_early_closes_the_shell(play: Play) -> None:
    shell = play(_Played([START], [DELTA], [DELTA, STOP]))
    async with stream.open_answer(TARGET, a_request(stream=True)) as answer:
        async for _ in answer:
            break
        assert not shell.closed
    assert (shell.closed, shell.given) == (True, 1)


async def test_an_answer_nobody_reads_is_never_asked_for(play: Play) -> None:
    shell = play(_Played([START, DELTA, STOP]))
    async with stream.open_answer(TARGET, a_request(stream=True)) as answer:
        assert answer.opening() == []
    assert shell.given == 0
