"""``python -m benchmarks.ledger``: what the ledger's own steps take, on the database in use, however full it is.

Each step is a real, committed transaction, as the writer makes it: a key looked up, a batch of requests admitted under
a budget, a rate and a concurrency limit and opened, the same batch settled. Batches of one are a quiet gateway's, of
32 a busy one's. The made-up caller, key and limits are removed afterwards; the rows and their sums stay, so run it on a
database made for measuring (``manage.py migrate``, then ``manage.py generate_usage`` for a full one).
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import quantiles
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxysite.settings")
django.setup()  # before anything that imports models, hence E402

from django.db import connection

from accounting import identity
from accounting.identity import Caller
from accounting.ledger import partitions
from accounting.ledger.booking import Booking, End, Row
from accounting.ledger.posting import Known, Opening, Settlement, post
from accounting.models import LedgerEntry, Limit, User
from accounting.tokens import Tokens
from routing.gateway.lifespan import tune_interpreter

_NAME = "benchmark-ledger"
_ENDED = End(LedgerEntry.Outcome.COMPLETE, Tokens(input=12_000, output=300), exact=True, duration_ms=4000)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="Of each step.")
    rounds = parser.parse_args().rounds
    tune_interpreter()  # as a worker does
    today = datetime.now(UTC).date()
    partitions.make(today, today)
    print(f"{today}, {platform.machine()}, {os.cpu_count()} cores, {connection.vendor}")
    print(f"{LedgerEntry.objects.count():,} ledger rows; milliseconds")
    print(f"{'step':34} {'p50':>8} {'p99':>8}")
    with _caller() as (caller, token):
        _report("key looked up", [_timed(lambda: identity.find(token)) for _ in range(rounds)])
        for size in (1, 32):
            known = Known(None)
            _round(known, caller, size)  # reads policies and prices, which is done once a generation
            times = [_round(known, caller, size) for _ in range(rounds)]
            _report(f"{size} admitted and opened", [opening for opening, _ in times])
            _report(f"{size} settled", [settling for _, settling in times])


@contextmanager
def _caller() -> Iterator[tuple[Caller, str]]:
    user = User.objects.create(username=_NAME)
    try:
        _, token = identity.mint(user)
        Limit.objects.create(scope="user", user=user, kind="budget", period="month", amount=1_000_000)
        Limit.objects.create(scope="user", user=user, kind="requests_per_minute", count=10_000_000)
        Limit.objects.create(scope="user", user=user, kind="concurrent_requests", count=10_000)
        caller = identity.find(token)
        assert caller is not None
        yield caller, token
    finally:
        LedgerEntry.objects.filter(user=user).update(user=None, key=None)
        user.delete()


def _round(known: Known, caller: Caller, size: int) -> tuple[float, float]:
    """Seconds to open ``size`` requests in one transaction, and to settle them in another."""
    rows = [Row.new(caller, _booking(number)) for number in range(size)]
    openings = [Opening(row, None) for row in rows]
    opening = _timed(lambda: post(known, openings))
    assert all(isinstance(work.result, list) for work in openings), openings[0].result
    return opening, _timed(lambda: post(known, [Settlement(row, _ENDED) for row in rows]))


def _booking(number: int) -> Booking:
    return Booking(
        request_id=f"req_benchmark_{number}",
        asked_model="claude-sonnet-4-5",
        tier="big",
        provider="openai",
        model="gpt-4.1",
        price_family="openai",
        streamed=True,
        input_estimate=12_000,
        max_tokens=32_000,
    )


def _timed(step: Callable[[], object]) -> float:
    began = perf_counter()
    step()
    return perf_counter() - began


def _report(step: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=100)
    print(f"{step:34} {cuts[49] * 1000:8.2f} {cuts[98] * 1000:8.2f}", flush=True)


if __name__ == "__main__":
    main()
