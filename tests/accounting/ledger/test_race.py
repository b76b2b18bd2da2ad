"""200 calls at once, from several processes, on a budget for 20."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal

from accounting.models import LedgerEntry, Limit, LimitCounter, User
from tests.support.database import ROOT, environment

WORKERS = 2
CALLS = 200
ROOM = 20
PRICE = Decimal("0.0035")  # of 1000 tokens in and 100 out


def test_a_budget_is_never_overshot(live_ledger: None) -> None:
    ada = User.objects.create(username="ada")
    limit = Limit.objects.create(scope="user", user=ada, kind="budget", period="month", amount=ROOM * PRICE)
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.accounting.ledger.racer", str(CALLS // WORKERS), f"worker-{number}"],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WORKERS)
    ]
    printed = [racer.communicate(timeout=60)[0] for racer in racers]
    ends = [json.loads(each) for each in printed]
    assert sum(end["admitted"] for end in ends) == ROOM
    assert sum(end["refused"] for end in ends) == CALLS - ROOM
    counter = LimitCounter.objects.get(limit=limit)
    assert (counter.spent, counter.reserved) == (ROOM * PRICE, 0)
    rows = LedgerEntry.objects.all()
    assert rows.filter(outcome="complete", cost=PRICE).count() == ROOM
    assert rows.filter(outcome="rejected", cost=0).count() == CALLS - ROOM
