"""A worker of the race: opens as many calls at once as it is told, keeps them open, settles them.

``python -m tests.accounting.ledger.racer CALLS``: prints how many were admitted, and how many refused.
"""

from __future__ import annotations

import asyncio
import json
import sys

import django

django.setup()

from accounting import ledger
from accounting.errors import BudgetSpent
from accounting.identity import Caller
from accounting.models import User
from tests.accounting.ledger.events import end


async def call(caller: Caller, number: int) -> str:
    booking = ledger.Booking(
        request_id=f"req_{caller.key_name}_{number}",
        provider="openai",
        model="gpt-4o",
        price_family="openai",
        input_estimate=1000,
        max_tokens=100,
    )
    try:
        async with ledger.entry(caller, booking, generation=None) as entry:
            await asyncio.sleep(0.01)  # an answer takes its time
            entry.observe([end(input_tokens=1000, output_tokens=100)])
            await entry.settle()
    except BudgetSpent:
        return "refused"
    return "admitted"


async def race(calls: int, name: str) -> dict[str, int]:
    user = await User.objects.aget(username="ada")
    caller = Caller(0, name, user.pk, "ada", None, "")
    ends = await asyncio.gather(*(call(caller, number) for number in range(calls)))
    await ledger.stop()
    return {end: ends.count(end) for end in ("admitted", "refused")}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(race(int(sys.argv[1]), sys.argv[2]))))
