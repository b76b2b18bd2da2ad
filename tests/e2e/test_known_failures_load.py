"""Rows 21 to 23 of the list of public complaints: what breaks in other gateways under load, over real HTTP.

What these only touch is held elsewhere: the budget race across processes in ``tests/accounting/ledger/test_race`` and
``tests/accounting/admission/test_gate``, books that balance in ``tests/accounting/ledger/test_posting``, how many
queries a report costs in ``tests/accounting/api/test_usage``, and hours under load in ``benchmarks``.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.support.gateway import Gateway
from tests.support.provider import Reply, ScriptedProvider, Text, Usage

from .asking import MODELS

MODEL = MODELS["openai_chat"]  # $2.50 and $10 for a million tokens
CALLS, ROOM = 24, 5
PRICE = 0.0025 + 0.0001  # of 1,000 tokens in and 10 out
_SPENDER = f"""
from decimal import Decimal
from accounting.identity import mint
from accounting.models import Limit, User
ada = User.objects.create(username="ada")
Limit.objects.create(name="Small", scope="user", user=ada, kind="budget", period="month",
                     amount=Decimal("{ROOM * PRICE:.4f}"))
print(mint(ada, name="race")[1])
"""
_BYTES = 300_000  # of one request: a gateway that keeps them shows it after a hundred


def _answers(client: httpx.Client, calls: int, prompt: str) -> list[httpx.Response]:
    body = {"model": MODEL, "max_tokens": 10, "messages": [{"role": "user", "content": prompt}], "stream": True}
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: client.post("/v1/messages", json=body), range(calls)))


def test_21_a_budget_is_never_overshot_by_concurrent_calls(gateway: Gateway, provider: ScriptedProvider) -> None:
    """litellm#23714, #26672, #34732, #40095; #22726 the reverse."""
    token = gateway.manage("shell", "-v", "0", "-c", _SPENDER).strip().splitlines()[-1]
    provider.on(lambda seen: Reply([Text("word " * 8)], usage=Usage(input=1000, output=10), pace=0.02))
    with gateway.client() as client:
        client.headers["x-api-key"] = token
        answers = _answers(client, CALLS, "word " * 1000)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 1 <= CALLS - len(refused) <= ROOM, "as many as the budget has room for, and no more"
    for answer in refused:
        assert answer.json()["error"]["type"] == "billing_error"
        assert answer.headers["x-should-retry"] == "false"
        assert "'Small'" in answer.json()["error"]["message"]
    counter = gateway.rows(
        "SELECT spent, reserved FROM accounting_limitcounter JOIN accounting_limit"
        " ON limit_id = accounting_limit.id WHERE accounting_limit.name = ?",
        "Small",
    )[0]
    assert counter["reserved"] == 0
    assert 0 < counter["spent"] <= ROOM * PRICE * 1e10, "in units of 1e-10 dollars"


def test_22_totals_are_rolled_up_and_never_summed_from_the_ledger(
    gateway: Gateway, client: httpx.Client, provider: ScriptedProvider
) -> None:
    """litellm#35766, #6895, #13182: the usage table slows the request path; deadlocks; pages take a minute."""
    _answers(client, 20, "hi")
    ledger = "SELECT input_tokens, output_tokens, cost, 1 AS requests FROM accounting_ledgerentry"
    booked = _sums(gateway.rows(ledger + " WHERE state = 'settled'"))
    assert booked["requests"] >= 20
    rolled_up = "SELECT input_tokens, output_tokens, cost, requests FROM "
    assert _sums(gateway.rows(rolled_up + "accounting_hourlyusage")) == booked, "in the rows' own transaction"
    assert _sums(gateway.rows(rolled_up + "accounting_dailyusage")) == booked


def _sums(rows: list[dict[str, Any]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums.update({name: value or 0 for name, value in row.items()})
    return sums


def test_23_memory_stays_flat(gateway: Gateway, client: httpx.Client, provider: ScriptedProvider) -> None:
    """litellm#12685, #27954, #25219, #21908: memory grows until killed."""
    _answers(client, 40, "x" * _BYTES)
    before = resident(gateway)
    _answers(client, 120, "x" * _BYTES)
    assert resident(gateway) - before < 120 * _BYTES / 3


def resident(gateway: Gateway) -> int:
    """Bytes of memory in use by the server's processes."""
    pages = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == gateway.pid:  # its process group
                pages += int((stat.parent / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # a process that has ended meanwhile
    return pages * 4096
