from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator

import pytest

from routing.upstream import http
from tests.support.provider import ScriptedProvider


@pytest.fixture(scope="module")
def running_provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


@pytest.fixture
def provider(running_provider: ScriptedProvider) -> ScriptedProvider:
    """A scripted provider without script or memory."""
    running_provider.clear()
    return running_provider


def in_use() -> int:
    """Connections to providers that somebody holds."""
    connector = http.session().connector
    assert connector is not None
    return len(connector._acquired)


@pytest.fixture
async def no_leaks() -> AsyncIterator[None]:
    """Afterwards no task is left and no connection in use; what was never closed warns, and warnings are errors."""
    yield
    assert not in_use()
    await http.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect(1)  # what this test made; a full collection takes a quarter of a second
