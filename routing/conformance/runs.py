"""A run of all checks: at once where they do not depend on each other, on the ledger, and kept.

A run takes as long as a provider does, so it is begun in one request and looked at by others, in whichever worker. It
is a row from its beginning on, and a thread of the worker where it was begun moves it forward; the row of a worker
that dies stops moving, and is then said to be interrupted.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.db import Error, IntegrityError, connection, transaction
from django.db.models import Max
from django.db.models.functions import Now

from accounting.identity import Caller
from accounting.models import LedgerEntry, User
from routing import calls
from routing.models import Conformance
from routing.resolution import Resolution, resolve
from routing.table import RoutingTable

from .checks import CHECKS, CLIENT, Bench, Check, Failed

__all__ = ["CLIENT", "Result", "UnderWay", "bury", "latest", "run", "start", "target_of"]

_AT_ONCE: Final = 4
_USAGE: Final = ("usage", "Usage with every answer")
_BEAT_SECONDS: Final = 1.0  # between two looks at how far a run has come
_LEASE: Final = timedelta(seconds=30)  # a run that has not moved for so long has nobody who makes it
_END: Final = ("state", "duration_ms", "cost", "passed", "failed", "skipped", "results")  # what the end of a run says
_here: set[int] = set()  # the runs that this process makes
logger = logging.getLogger(__name__)


class UnderWay(Exception):
    """The same model is being checked right now, by ``run``."""

    def __init__(self, run: Conformance) -> None:
        super().__init__(f"{run.provider}/{run.model} is being checked right now.")
        self.run = run


@dataclass(slots=True)
class Result:
    """What came of one check: ``passed``, ``failed`` or ``skipped``, and ``waiting`` and ``running`` before.

    ``cost`` in US dollars, "" where not known.
    """

    name: str
    said: str
    outcome: str = "waiting"
    detail: str = ""
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


def start(resolution: Resolution, caller: Caller, by: User | None) -> Conformance:
    """Begins a run, and returns while a thread makes it. A run of the model that is under way is returned instead."""
    try:
        begun = _begin(resolution, by)
    except UnderWay as found:
        return found.run

    def whole() -> None:
        try:
            _make(begun, resolution, caller)
        finally:
            connection.close()

    threading.Thread(target=whole, name=f"conformance-{begun.pk}", daemon=True).start()
    return begun


def run(resolution: Resolution, caller: Caller, by: User | None) -> Conformance:
    """Runs every check and keeps the results. Raises UnderWay.

    Blocking: for a thread of its own, never for an event loop's.
    """
    begun = _begin(resolution, by)
    _make(begun, resolution, caller)
    return begun


def bury() -> None:
    """Says of runs which nobody makes any more that they were interrupted."""
    silent = Conformance.objects.filter(state=Conformance.State.RUNNING, seen_at__lt=Now() - _LEASE)
    silent.update(state=Conformance.State.INTERRUPTED)


def _begin(resolution: Resolution, by: User | None) -> Conformance:
    bury()
    target = resolution.target
    try:
        with transaction.atomic():
            return Conformance.objects.create(
                state=Conformance.State.RUNNING,
                seen_at=Now(),
                provider=target.provider,
                model=target.model,
                asked_model=resolution.asked_model,
                tier=resolution.tier,
                by=by,
                by_name=by.get_username() if by else "",
                results=[asdict(result) for result in _blank()],
            )
    except IntegrityError:
        running = Conformance.objects.filter(state=Conformance.State.RUNNING)
        found = running.filter(provider=target.provider, model=target.model).first()
        if found is None:
            raise
        raise UnderWay(found) from None


def _blank() -> list[Result]:
    return [*(Result(check.name, check.said) for check in CHECKS), Result(*_USAGE)]


def _make(begun: Conformance, resolution: Resolution, caller: Caller) -> None:
    """Moves ``begun`` to its end; whatever ends it earlier leaves it interrupted."""
    began = time.perf_counter()
    results = _blank()
    _here.add(begun.pk)
    try:
        with _told(begun, results):
            benches = calls.run(_all(resolution, caller, results))
        _sum_up(begun, results, benches)
        begun.duration_ms = round((time.perf_counter() - began) * 1000)
        begun.state = Conformance.State.FINISHED
        begun.save(update_fields=_END)
    finally:
        _here.discard(begun.pk)
        if begun.state != Conformance.State.FINISHED:
            _interrupt([begun.pk])


def _interrupt(runs: Iterable[int]) -> None:
    of_ours = Conformance.objects.filter(pk__in=runs, state=Conformance.State.RUNNING)
    of_ours.update(state=Conformance.State.INTERRUPTED)


@atexit.register
def _leave() -> None:
    """The process ends: what it has begun will not be finished."""
    try:
        if _here:
            _interrupt(tuple(_here))
    except Error as error:  # their leases run out soon
        logger.warning("Conformance runs that end with this process are not marked: %s", type(error).__name__)


@contextmanager
def _told(begun: Conformance, results: list[Result]) -> Iterator[None]:
    """Keeps the row at what ``results`` say, and alive, until the block is left."""
    over = threading.Event()

    def tell() -> None:
        row = Conformance.objects.filter(pk=begun.pk)
        while not over.wait(_BEAT_SECONDS):
            try:
                row.update(seen_at=Now(), results=[asdict(result) for result in results])
            except Error as error:  # the next beat tells it all; a run that stays silent counts as interrupted
                logger.warning("Progress of conformance run %s was not kept: %s", begun.pk, type(error).__name__)
        connection.close()

    thread = threading.Thread(target=tell, name=f"conformance-{begun.pk}-told", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _sum_up(begun: Conformance, results: list[Result], benches: list[Bench]) -> None:
    """What the ledger knows of the calls, and how many checks have passed."""
    names = [name for bench in benches for name in bench.request_ids]
    rows = {row.request_id: row for row in LedgerEntry.objects.filter(request_id__in=names)}
    for result, bench in zip(results, benches, strict=False):  # the last result, usage, has no calls of its own
        _price(result, [rows[one] for one in bench.request_ids if one in rows])
    results[-1] = _usage([row for row in rows.values() if row.outcome == LedgerEntry.Outcome.COMPLETE])
    outcomes = [result.outcome for result in results]
    begun.cost = _sum([row.cost for row in rows.values()])
    begun.passed, begun.failed, begun.skipped = (outcomes.count(one) for one in ("passed", "failed", "skipped"))
    begun.results = [asdict(result) for result in results]


def latest() -> dict[tuple[str, str], Conformance]:
    """The newest finished run of each provider's model, by (provider, model)."""
    finished = Conformance.objects.filter(state=Conformance.State.FINISHED)
    newest = finished.order_by().values("provider", "model").annotate(newest=Max("id"))
    runs = Conformance.objects.filter(pk__in=[row["newest"] for row in newest]).order_by("id")
    return {(run.provider, run.model): run for run in runs}


async def _all(resolution: Resolution, caller: Caller, results: list[Result]) -> list[Bench]:
    """Asks every check, and writes into its result, in their order. Returns where each has asked from."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(check: Check, result: Result) -> Bench:
        bench = Bench(resolution, caller)
        if not check.needs(resolution.target.capabilities):
            result.outcome, result.detail = "skipped", "The model is not known to do this."
            return bench
        async with gate:
            await _ask(check, bench, result)
        return bench

    return await asyncio.gather(*map(one, CHECKS, results))


async def _ask(check: Check, bench: Bench, result: Result) -> None:
    result.outcome = "running"
    began = time.perf_counter()
    try:
        outcome, detail = "passed", await check.ask(bench)
    except Failed as error:
        outcome, detail = "failed", str(error)[:1000]
    result.outcome, result.detail = outcome, detail
    result.duration_ms = round((time.perf_counter() - began) * 1000)


def _usage(rows: list[LedgerEntry]) -> Result:
    """Whether the provider said what each complete answer took; of the others the ledger holds estimates."""
    if not rows:
        return Result(*_USAGE, "failed", "There was no complete answer.")
    estimated = sum(not row.exact for row in rows)
    if estimated:
        return Result(*_USAGE, "failed", f"{estimated} of {len(rows)} answers came without: they are estimated.")
    return Result(*_USAGE, "passed", f"{len(rows)} answers, all counted by the provider")


def _price(result: Result, rows: list[LedgerEntry]) -> None:
    cost = _sum([row.cost for row in rows])
    result.cost = f"{cost.normalize():f}" if rows and cost is not None else ""


def _sum(costs: list[Decimal | None]) -> Decimal | None:
    """None where one of them is not known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None
