"""Replicas under load while everything changes: what clients saw against what the ledger says, exactly.

5,000 streamed requests while mappings change, keys are revoked, one gateway is drained and one is killed.
``REPLICA_REQUESTS`` makes it shorter or longer.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.crash.client import Call, stream
from tests.crash.test_crash import assert_books_balance
from tests.support.provider import Conversation, Reply, ScriptedProvider, Text, Usage

from .fleet import Fleet, fleet

REQUESTS: Final = int(os.environ.get("REPLICA_REQUESTS", "5000"))
AT_ONCE: Final = 32
KEYS, VICTIMS = 12, 3  # the last three keys are revoked on the way
MODELS: Final = ("gpt-4o", "gpt-4o-mini", "gpt-4.1")
SETTLED_WITHIN: Final = 60.0
FAIL_TIMEOUT: Final = 2.0  # seconds: nginx.conf


def answer(conversation: Conversation) -> Reply:
    """A streamed answer whose usage tells one call from another."""
    number = int(conversation.last_user_text.rpartition(" ")[2])
    return Reply([Text("word " * 24)], chunks=8, pace=0.01, usage=Usage(input=1000 + number, output=10 + number % 7))


@dataclass
class Change:
    """``sent`` and ``committed`` are monotonic seconds; in between it may or may not be in force."""

    what: str
    sent: float
    committed: float


@dataclass
class Attempt:
    call: Call
    key: int
    began: float
    ended: float


@dataclass
class Story:
    """What happened, told by those who did it."""

    attempts: list[Attempt] = field(default_factory=list)
    mappings: list[Change] = field(default_factory=list)
    revoked: dict[int, Change] = field(default_factory=dict)
    killed: float = 0.0
    survived: float = 0.0
    drain_status: int | None = None
    started: int = 0
    awaited: dict[int, asyncio.Event] = field(default_factory=dict)

    async def reached(self, share: float) -> None:
        """Returns when that share of the requests has begun."""
        number = int(share * REQUESTS)
        if self.started < number:
            await self.awaited.setdefault(number, asyncio.Event()).wait()

    def begin(self) -> None:
        self.started += 1
        if (event := self.awaited.get(self.started)) is not None:
            event.set()


async def _changed(what: str, change: Callable[[str], None]) -> Change:
    sent = time.monotonic()
    await asyncio.to_thread(change, what)
    return Change(what, sent, time.monotonic())


async def _crowd(running: Fleet, story: Story) -> None:
    """Clients that ask one after the other until all requests are spent."""
    numbers = iter(range(REQUESTS))
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(running.base_url, timeout=timeout) as session:

        async def client() -> None:
            for number in numbers:
                story.begin()
                key = number % KEYS
                began = time.monotonic()
                call = await stream(session, number, token=running.tokens[key], model="claude-opus-4-8")
                story.attempts.append(Attempt(call, key, began, time.monotonic()))

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(client())


async def _trouble(running: Fleet, story: Story, admin: asyncio.Lock) -> None:
    """Revocations all along; a drain, and the drained one comes back; a kill."""
    first, second = running.gateways
    for victim, share in zip(range(KEYS - VICTIMS, KEYS), (0.1, 0.4, 0.7), strict=True):
        await story.reached(share)
        async with admin:
            story.revoked[victim] = await _changed(f"key-{victim}", running.admin.revoke)
        if share == 0.1:
            story.drain_status = await asyncio.to_thread(first.stop)
            await asyncio.to_thread(first.start)
            await asyncio.sleep(FAIL_TIMEOUT + 1)  # until nginx asks it again: the kill must leave one that serves
        elif share == 0.7:
            story.killed = time.monotonic()
            await asyncio.to_thread(second.kill)
            story.survived = time.monotonic()


async def _happen(running: Fleet) -> Story:
    story, admin = Story(), asyncio.Lock()

    async def remap() -> None:
        for model in itertools.cycle(MODELS):
            async with admin:
                story.mappings.append(await _changed(model, running.admin.map))
            await asyncio.sleep(0.4)

    async with admin:
        story.mappings.append(await _changed(MODELS[-1], running.admin.map))
    changing = asyncio.create_task(remap())
    trouble = asyncio.create_task(_trouble(running, story, admin))
    await _crowd(running, story)
    await trouble
    changing.cancel()
    await asyncio.wait([changing])
    return story


@pytest.mark.replicas
@pytest.mark.timeout(600)
def test_replicas(tmp_path: Path) -> None:
    with ScriptedProvider(brain=answer, strict=False) as provider, fleet(tmp_path, provider.base_url, KEYS) as running:
        story = asyncio.run(_happen(running))
        _wait_until_nothing_is_open(running)
        rows = {row["request_id"]: row for row in running.ledger.rows("SELECT * FROM accounting_ledgerentry")}
        total = running.ledger.rows("SELECT count(*) AS count FROM accounting_ledgerentry")[0]["count"]

        assert len(rows) == total, "a request stands on the ledger twice"
        assert len(story.attempts) == REQUESTS
        assert story.drain_status == 0, running.gateways[0].log_text()[-4000:]
        _check_authority(story, rows)
        _check_availability(story)
        _check_ledger(story, rows)
        _check_mappings(story, rows)
        assert_books_balance(running.ledger)


def _wait_until_nothing_is_open(running: Fleet) -> None:
    deadline = time.monotonic() + SETTLED_WITHIN
    while running.ledger.rows("SELECT id FROM accounting_ledgerentry WHERE state = 'open'"):
        assert time.monotonic() < deadline, "rows stayed open"
        time.sleep(0.2)


def _check_authority(story: Story, rows: dict[str, Any]) -> None:
    """From the moment a revocation is committed, every worker of every host refuses the key's next request."""
    refused = 0
    for attempt in story.attempts:
        change = story.revoked.get(attempt.key)
        if change is not None and attempt.began >= change.committed:
            assert attempt.call.status != 200, attempt
            assert attempt.call.request_id not in rows
            refused += attempt.call.status == 401  # else its gateway was killed meanwhile
        elif change is None or attempt.ended <= change.sent:
            assert attempt.call.status != 401, attempt
    assert refused > REQUESTS // KEYS // 2, "too little was asked after the revocations to show anything"


def _check_availability(story: Story) -> None:
    """Nothing fails but what was on its way when a gateway was killed: not during the drain, not afterwards."""
    failed = [each for each in story.attempts if not each.call.is_finished and each.call.status != 401]
    assert len(failed) <= AT_ONCE
    for attempt in failed:
        assert attempt.began <= story.survived, attempt
        assert attempt.ended >= story.killed, attempt


def _check_ledger(story: Story, rows: dict[str, Any]) -> None:
    finished = {each.call.request_id: each.call for each in story.attempts if each.call.is_finished}
    for request_id, call in finished.items():
        row = rows[request_id]
        assert (row["state"], row["outcome"], bool(row["exact"])) == ("settled", "complete", True)
        assert row["input_tokens"] == call.usage["input_tokens"] == 1000 + call.number
        assert row["output_tokens"] == call.usage["output_tokens"] == 10 + call.number % 7
    others = [row for request_id, row in rows.items() if request_id not in finished]
    outcomes = Counter(row["outcome"] for row in others)
    assert len(others) <= AT_ONCE, outcomes
    assert set(outcomes) <= {"lost", "interrupted", "complete"}, outcomes
    for row in others:
        assert row["state"] == "settled"
        assert bool(row["exact"]) == (row["outcome"] == "complete")


def _check_mappings(story: Story, rows: dict[str, Any]) -> None:
    """A request that began after a change was committed goes where that says, or where a later one does."""
    used = set()
    for attempt in story.attempts:
        if not attempt.call.is_finished:
            continue
        before = [change for change in story.mappings if change.committed <= attempt.began]
        during = [
            change for change in story.mappings if change.committed > attempt.began and change.sent < attempt.ended
        ]
        allowed = {change.what for change in (*before[-1:], *during)}
        model = rows[attempt.call.request_id]["model"]
        assert model in allowed, (attempt, model, allowed)
        used.add(model)
    assert used == set(MODELS)
