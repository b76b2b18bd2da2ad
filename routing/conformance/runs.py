"""A run of all checks: at once where they do not depend on each other, on the ledger, and kept."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Final

from django.db.models import Max

from accounting.identity import Caller
from accounting.models import LedgerEntry, User
from routing import calls
from routing.models import Conformance
from routing.resolution import Resolution, resolve
from routing.table import RoutingTable

from .checks import CHECKS, CLIENT, Bench, Check, Failed

__all__ = ["CLIENT", "Result", "latest", "run", "target_of"]

_AT_ONCE: Final = 4
_USAGE: Final = ("usage", "Usage with every answer")


@dataclass(slots=True)
class Result:
    """What came of one check: ``passed``, ``failed`` or ``skipped``. ``cost`` in US dollars, "" where not known."""

    name: str
    said: str
    outcome: str
    detail: str
    duration_ms: int = 0
    cost: str = ""


def target_of(table: RoutingTable, caller: Caller | None, name: str) -> Resolution:
    """Where a tier (``BIG``) or a model's name leads. A tier that hands names on is named by one. Raises RoutingError.

    The ledger then knows the calls by the tier, as it knows those of clients.
    """
    goal = table.tiers.get(name)
    if goal is None or not goal.model:
        return resolve(table, caller, name)
    return replace(resolve(table, caller, str(goal)), tier=name)


def run(resolution: Resolution, caller: Caller, by: User | None) -> Conformance:
    """Runs every check and keeps the results. Blocking: for a thread of its own, never for an event loop's."""
    began = time.perf_counter()
    found = calls.run(_all(resolution, caller))
    rows = {
        row.request_id: row
        for row in LedgerEntry.objects.filter(request_id__in=[name for _, bench in found for name in bench.request_ids])
    }
    results = [_priced(result, [rows[one] for one in bench.request_ids if one in rows]) for result, bench in found]
    results.append(_usage([row for row in rows.values() if row.outcome == LedgerEntry.Outcome.COMPLETE]))
    outcomes = [result.outcome for result in results]
    return Conformance.objects.create(
        provider=resolution.target.provider,
        model=resolution.target.model,
        asked_model=resolution.asked_model,
        tier=resolution.tier,
        by=by,
        by_name=by.get_username() if by else "",
        duration_ms=round((time.perf_counter() - began) * 1000),
        cost=_sum([row.cost for row in rows.values()]),
        passed=outcomes.count("passed"),
        failed=outcomes.count("failed"),
        skipped=outcomes.count("skipped"),
        results=[asdict(result) for result in results],
    )


def latest() -> dict[tuple[str, str], Conformance]:
    """The newest run of each provider's model, by (provider, model)."""
    newest = Conformance.objects.order_by().values("provider", "model").annotate(newest=Max("id"))
    runs = Conformance.objects.filter(pk__in=[row["newest"] for row in newest]).order_by("id")
    return {(run.provider, run.model): run for run in runs}


async def _all(resolution: Resolution, caller: Caller) -> list[tuple[Result, Bench]]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(check: Check) -> tuple[Result, Bench]:
        bench = Bench(resolution, caller)
        async with gate:
            return await _checked(check, bench), bench

    return await asyncio.gather(*(one(check) for check in CHECKS))


async def _checked(check: Check, bench: Bench) -> Result:
    if not check.needs(bench.resolution.target.capabilities):
        return Result(check.name, check.said, "skipped", "The model is not known to do this.")
    began = time.perf_counter()
    try:
        outcome, detail = "passed", await check.ask(bench)
    except Failed as error:
        outcome, detail = "failed", str(error)[:1000]
    return Result(check.name, check.said, outcome, detail, round((time.perf_counter() - began) * 1000))


def _usage(rows: list[LedgerEntry]) -> Result:
    """Whether the provider said what each complete answer took; of the others the ledger holds estimates."""
    if not rows:
        return Result(*_USAGE, "failed", "There was no complete answer.")
    estimated = sum(not row.exact for row in rows)
    if estimated:
        return Result(*_USAGE, "failed", f"{estimated} of {len(rows)} answers came without: they are estimated.")
    return Result(*_USAGE, "passed", f"{len(rows)} answers, all counted by the provider")


def _priced(result: Result, rows: list[LedgerEntry]) -> Result:
    cost = _sum([row.cost for row in rows])
    result.cost = f"{cost.normalize():f}" if rows and cost is not None else ""
    return result


def _sum(costs: list[Decimal | None]) -> Decimal | None:
    """None where one of them is not known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None
