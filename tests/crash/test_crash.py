"""Workers killed at random moments under load: what clients saw against what the ledger says, exactly.

``CRASH_ROUNDS`` and ``CRASH_STREAMS`` make it longer; CI runs a few rounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gateway import Gateway, provider_environment, running_gateway
from tests.support.provider import Conversation, Reply, ScriptedProvider, Text, Usage

from .client import Call, crowd

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "3"))
STREAMS = int(os.environ.get("CRASH_STREAMS", "40"))
LEAVERS = 9
SETTLED_WITHIN = 20.0  # seconds
_LIMITS = """
from accounting.models import Limit
Limit.objects.create(scope="gateway", kind="budget", period="total", amount=1000)
Limit.objects.create(scope="gateway", kind="concurrent_requests", count=100_000)
"""


def slow(conversation: Conversation) -> Reply:
    """An answer of about half a second, whose usage tells one call from another."""
    number = int(conversation.last_user_text.rpartition(" ")[2])
    return Reply([Text("word " * 40)], chunks=12, pace=0.04, usage=Usage(input=1000 + number, output=10 + number % 7))


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(brain=slow) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(provider: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = provider_environment(provider.base_url) | {"LEDGER_LEASE_SECONDS": "4"}
    with running_gateway(tmp_path_factory.mktemp("crash"), environment, server="uvicorn", workers=2) as running:
        running.manage("shell", "-c", _LIMITS)
        yield running


def kill_a_worker(gateway: Gateway, chance: random.Random) -> None:
    pids = [int(row["pid"]) for row in gateway.rows("SELECT pid FROM accounting_worker")]
    if pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(pids), signal.SIGKILL)


def wait_until_nothing_is_open(gateway: Gateway) -> None:
    deadline = time.monotonic() + SETTLED_WITHIN
    while gateway.rows("SELECT id FROM accounting_ledgerentry WHERE state = 'open'"):
        assert time.monotonic() < deadline, f"rows stayed open:\n{gateway.log_text()}"
        time.sleep(0.2)


def test_the_ledger_says_what_clients_saw(gateway: Gateway, provider: ScriptedProvider) -> None:
    chance = random.Random(20261122)  # noqa: S311 (not a secret)
    calls: list[Call] = []
    for number in range(ROUNDS):
        killer = threading.Timer(0.15 + chance.random() * 0.6, kill_a_worker, [gateway, chance])
        killer.start()
        numbers = range(number * STREAMS, (number + 1) * STREAMS)
        calls += asyncio.run(crowd(gateway.base_url, gateway.token, numbers, leavers=LEAVERS))
        killer.join()
    wait_until_nothing_is_open(gateway)
    rows = {row["request_id"]: row for row in gateway.rows("SELECT * FROM accounting_ledgerentry")}
    total = gateway.rows("SELECT count(*) AS count FROM accounting_ledgerentry")[0]["count"]

    assert len(rows) == total, "a request stands on the ledger twice"
    finished = [call for call in calls if call.is_finished]
    broken = [call for call in calls if not call.is_finished]
    assert finished, "nothing was ever answered"
    assert any(call.number % LEAVERS for call in broken), "no worker was killed in the middle of anything"
    for call in finished:
        check_finished(call, rows[call.request_id])
    for call in broken:
        if call.request_id:
            check_broken(rows[call.request_id])
    assert total >= len(provider.inferences), "a call that reached the provider is missing"
    assert_books_balance(gateway)


def check_finished(call: Call, row: dict[str, Any]) -> None:
    assert (row["state"], row["outcome"], bool(row["exact"])) == ("settled", "complete", True)
    assert row["input_tokens"] == call.usage["input_tokens"] == 1000 + call.number
    assert row["output_tokens"] == call.usage["output_tokens"] == 10 + call.number % 7


def check_broken(row: dict[str, Any]) -> None:
    """Interrupted or lost, on an estimate; or complete, where the answer's last bytes alone were lost."""
    assert row["state"] == "settled"
    assert row["outcome"] in ("interrupted", "lost", "complete")
    assert bool(row["exact"]) == (row["outcome"] == "complete")
    assert row["input_tokens"] > 0
    assert row["cost"] is not None


def assert_books_balance(gateway: Gateway) -> None:
    budget, concurrent = gateway.rows("SELECT * FROM accounting_limitcounter ORDER BY limit_id")
    spent = gateway.rows("SELECT sum(cost) AS sum FROM accounting_ledgerentry")[0]["sum"]
    assert (budget["spent"], budget["reserved"]) == (spent, 0)
    assert concurrent["in_flight"] == 0
    assert "equal the ledger" in gateway.manage("rebuild_rollups", "--check")
