"""The live page's socket, on whatever carries snapshots here: the database, or Redis where there is one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from accounting import live
from accounting.identity import Caller
from accounting.live import beat, carrier, consumer
from accounting.live.ending import end
from accounting.live.tally import Line, Whose
from accounting.models import LiveSnapshot
from proxysite.asgi import application
from tests.accounting.company import Company, found_company

from .test_tally import BOOKING

Opened = Callable[..., AbstractAsyncContextManager[Any]]
PATIENCE = 15  # seconds, for a machine that is busy
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "FRAME_SECONDS", 0.01)
    monkeypatch.setattr(carrier, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(beat, "BEAT_SECONDS", 0.02)


@pytest.fixture
async def people(live_ledger: None) -> Company:
    company: Company = await database_sync_to_async(found_company)()
    return company


def _cookie(company: Company, who: str) -> str:
    client = Client()
    client.force_login(company[who])
    return client.cookies["sessionid"].value


@asynccontextmanager
async def opened(company: Company, who: str) -> AsyncIterator[Any]:
    cookie = await database_sync_to_async(_cookie)(company, who)
    headers = [(b"cookie", f"sessionid={cookie}".encode()), (b"host", b"testserver"), (b"origin", b"http://testserver")]
    socket = WebsocketCommunicator(application, "/ws/live/", headers=headers)
    connected, _ = await socket.connect(timeout=PATIENCE)
    assert connected
    try:
        yield socket
    finally:
        await socket.disconnect()


class Streaming:
    """A request that has ten tokens more whenever it is looked at."""

    booking = BOOKING

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._tokens = itertools.count(0, 10)

    @property
    def output_so_far(self) -> int:
        return next(self._tokens)


@asynccontextmanager
async def another_worker(*lines: Line) -> AsyncIterator[None]:
    """Says ``lines`` again and again, as a worker does: pub/sub may lose a first word to a page just opened."""

    async def beat() -> None:
        worker, serial = uuid4(), 0
        while True:
            serial += 1
            await carrier.publish(worker, serial, list(lines))
            await asyncio.sleep(0.05)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        await end(task)


async def frame_where(socket: Any, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The next frame of which that holds."""
    while True:
        frame: dict[str, Any] = await socket.receive_json_from(timeout=PATIENCE)
        if true(frame):
            return frame


def _line(company: Company, who: str, in_flight: int) -> Line:
    team = company.red if who in ("ada", "bob", "eve") else company.blue
    return Line(Whose(company[who].pk, who, team.pk, team.name, "openai", "gpt-4o"), in_flight, 1.0)


@pytest.mark.parametrize(("who", "seen"), [("bob", 1), ("carl", 2), ("ada", 1), ("grace", 2), ("root", 3), ("eve", 0)])
async def test_a_frame_has_what_another_worker_carries_for_those_who_may_see_it(
    people: Company, who: str, seen: int
) -> None:
    async with opened(people, who) as socket:
        assert (await socket.receive_json_from(timeout=PATIENCE))["in_flight"] == 0
        async with another_worker(_line(people, "bob", 1), _line(people, "carl", 2)):
            frame = await frame_where(socket, lambda frame: frame["workers"] == 1)
        assert frame["in_flight"] == seen
        assert sum(person["in_flight"] for person in frame["people"]) == seen


async def test_requests_move_the_page_and_leave_it(people: Company) -> None:
    bob = people["bob"]
    passing = Streaming(Caller(1, "k", bob.pk, "bob", people.red.pk, "red"))
    async with opened(people, "ada") as socket:
        live.enter(passing)
        frame = await frame_where(socket, lambda frame: frame["in_flight"] == 1 and frame["tokens_per_second"] > 0)
        assert frame["people"][0]["user"] == "bob"
        assert frame["models"][0]["model"] == "gpt-4o"
        live.leave(passing)
        assert (await frame_where(socket, lambda frame: frame["workers"] == 0))["in_flight"] == 0


async def test_two_workers_add_up(people: Company) -> None:
    one, two = another_worker(_line(people, "bob", 1)), another_worker(_line(people, "bob", 2))
    async with opened(people, "root") as socket, one, two:
        assert (await frame_where(socket, lambda frame: frame["workers"] == 2))["in_flight"] == 3


async def test_who_is_not_signed_in_is_turned_away(people: Company) -> None:
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    socket = WebsocketCommunicator(application, "/ws/live/", headers=headers)
    assert await socket.connect(timeout=PATIENCE) == (False, consumer.NOT_SIGNED_IN)


async def test_there_is_nothing_at_other_paths(people: Company) -> None:
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    socket = WebsocketCommunicator(application, "/ws/elsewhere", headers=headers)
    assert await socket.connect(timeout=PATIENCE) == (False, consumer.NO_SUCH_PATH)


async def test_who_signs_out_is_shown_nothing_more(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "CHECK_SECONDS", 0.05)
    async with opened(people, "bob") as socket:
        await database_sync_to_async(type(people["bob"]).objects.filter(username="bob").update)(is_active=False)
        while (output := await socket.receive_output(timeout=PATIENCE))["type"] == "websocket.send":
            pass
        assert output == {"type": "websocket.close", "code": consumer.NOT_SIGNED_IN}


async def test_a_page_whose_rights_cannot_be_looked_up_is_closed_to_try_again(
    people: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(scope: object) -> Any:
        raise OperationalError("connection refused")

    monkeypatch.setattr(consumer, "CHECK_SECONDS", 0.05)
    async with opened(people, "bob") as socket:
        monkeypatch.setattr(consumer, "_viewer", away)
        while (output := await socket.receive_output(timeout=PATIENCE))["type"] == "websocket.send":
            pass
        assert output == {"type": "websocket.close", "code": consumer.TRY_AGAIN_LATER}


async def test_a_request_that_comes_with_the_last_word_of_a_beat_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The beat is about to end, for nothing was in flight when it looked."""
    passing = Streaming(Caller(1, "k", 7, "bob", None, ""))
    told = asyncio.Event()

    async def publish(worker: UUID, serial: int, lines: list[Line]) -> None:
        if serial == 1:
            live.enter(passing)
        if lines:
            told.set()

    monkeypatch.setattr(carrier, "publish", publish)
    beat.pulse.wake()
    async with asyncio.timeout(PATIENCE):
        await told.wait()
    live.leave(passing)
    await live.stop()


async def test_old_workers_rows_are_swept(people: Company) -> None:
    old = timezone.now() - timedelta(days=2)
    await LiveSnapshot.objects.acreate(worker=uuid4(), serial=9, at=old)
    await database_sync_to_async(carrier._store)(uuid4(), 1, [])
    assert await LiveSnapshot.objects.acount() == 1


@pytest.mark.parametrize("error", [RedisConnectionError("refused"), RuntimeError("refused: the handler is closed")])
async def test_redis_being_away_is_told_and_tried_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Away:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            raise error

    monkeypatch.setattr(carrier, "get_channel_layer", Away)
    for serial in (1, 2):
        await carrier.publish(uuid4(), serial, [])
    assert caplog.text.count("Redis does not answer: refused") == 2
