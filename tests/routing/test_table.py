"""The table in memory: loaded once, swapped when the generation moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries

from accounting.models import Generation
from routing import table as module
from routing.errors import TableUnavailable
from routing.gateway.errors import response
from routing.models import Provider, Tier
from routing.table import RoutingTable, Tables, load

from .mappings import ALL_KEYS, set_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _generation(transactional_db: None) -> None:
    Generation.objects.get_or_create(pk=1)


async def test_the_table_is_loaded_once_and_again_when_it_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    await database_sync_to_async(set_up)(**ALL_KEYS)
    loads: list[RoutingTable] = []

    def counted() -> RoutingTable:
        loads.append(load())
        return loads[-1]

    monkeypatch.setattr(module, "load", counted)
    tables = Tables()
    first, second = await asyncio.gather(tables.current(), tables.current())
    assert first is second
    assert await tables.current(first.generation) is first
    assert len(loads) == 1
    await database_sync_to_async(lambda: Tier.objects.update(model="gpt-4o"))()
    newer, same = await asyncio.gather(*[tables.current(first.generation + 1) for _ in range(2)])
    assert newer is same is not first
    assert newer.tiers["BIG"].model == "gpt-4o"
    assert first.tiers["BIG"].model != "gpt-4o", "a table never changes"
    assert len(loads) == 2
    await tables.close()


def test_rows_that_come_while_it_is_read_are_all_there_or_none(live_ledger: None) -> None:
    set_up(**ALL_KEYS)
    told: list[str] = []

    def add(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """After the providers were read, and before the tiers are."""
        found = execute(sql, *rest)
        if sql.startswith("SELECT") and 'FROM "routing_provider"' in sql and not told:
            told.append(sql)
            new = Provider.objects.create(name="new", dialect="openai_chat", base_url="http://new.example.com/v1")
            Tier.objects.create(name="NEW", provider=new, model="m")
        return found

    with connection.execute_wrapper(add):
        found = load()
    assert told
    assert found.tiers["NEW"].provider == "new"
    assert "new" in found.hosts


async def test_the_newest_is_what_the_database_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a name is refused: the way there may have been made a moment ago, and the watcher be still asleep."""
    await database_sync_to_async(set_up)(**ALL_KEYS)
    tables = Tables()
    first = await tables.current()
    assert await tables.newest() is first
    await database_sync_to_async(lambda: Provider.objects.filter(name="openai").update(enabled=False))()
    newer = await tables.newest()
    assert newer.generation > first.generation
    assert not newer.hosts["openai"].enabled

    def away() -> int:
        raise OperationalError("away")

    monkeypatch.setattr(Generation, "read", away)
    assert await tables.newest() is newer, "a database that does not answer leaves what is known"
    await tables.close()


async def test_a_table_that_cannot_be_read_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> RoutingTable:
        raise OperationalError("away")

    monkeypatch.setattr(module, "load", away)
    tables = Tables()
    with pytest.raises(TableUnavailable) as told:
        await tables.current()
    status, headers, _ = response(told.value, "req_1")
    assert (status, dict(headers)[b"retry-after"]) == (503, b"5")
    await tables.close()


async def test_the_watcher_follows_and_survives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    tables = Tables()
    first = await tables.current()
    real, failures = Generation.read, iter([True, True])

    def read() -> int:
        if next(failures, False):
            raise OperationalError("away")
        return real()

    monkeypatch.setattr(Generation, "read", read)
    await database_sync_to_async(Provider.objects.create)(name="groq", dialect="openai_chat")
    async with asyncio.timeout(5):
        while "groq" not in (await tables.current()).hosts:  # noqa: ASYNC110 - another task's poll is awaited
            await asyncio.sleep(0.005)
    assert "groq" not in first.hosts
    await tables.close()
    await tables.close()


def test_loading_takes_a_bounded_number_of_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    set_up(**ALL_KEYS)
    with django_assert_num_queries(8):
        load()
