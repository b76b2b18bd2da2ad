"""What Prometheus is shown of this worker: where all figures are kept, and those that the ledger counts.

Below a supervisor each worker keeps its figures in files of the directory that ``PROMETHEUS_MULTIPROC_DIR`` names, and
whichever worker is asked adds all of them up. The files carry the worker's slot, not its process number: a successor
goes on counting where the worker before it ended, so no counter ever falls and no file outlives its use.

Labels are bounded: names of providers, dialects and tiers from the routing table, and words of this program. No person,
no key, no model as a client typed it.
"""

from __future__ import annotations

import os
from collections import Counter as Sums
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest, multiprocess, values

from .tokens import Tokens

if TYPE_CHECKING:
    from .ledger.booking import Row

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
SLOT_VARIABLE: Final = "TOLLGATE_WORKER_SLOT"
CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"

# What is ignored below: prometheus_client's part for several processes has no annotations.
if DIRECTORY_VARIABLE in os.environ:
    _slot = os.environ.get(SLOT_VARIABLE) or str(os.getpid())
    values.ValueClass = values.MultiProcessValue(lambda: _slot)  # type: ignore[no-untyped-call]

TOKENS: Final = Counter("tollgate_tokens", "Tokens on the ledger.", ["provider", "kind"])
COST: Final = Counter("tollgate_cost_dollars", "Cost on the ledger, in US dollars.", ["provider"])
UNPRICED: Final = Counter("tollgate_unpriced_requests", "Settled requests whose price is not known.", ["provider"])
ROWS: Final = Counter("tollgate_ledger_rows", "Rows settled on the ledger, by how they ended.", ["outcome"])

_KINDS: Final = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")


def count(rows: Iterable[Row]) -> None:
    """Counts rows that have just been settled, a transaction at a time. Called on the ledger's thread."""
    tokens, unpriced, ended = Sums[tuple[str, str]](), Sums[str](), Sums[str]()
    cost: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        provider = row.booking.provider
        ended[str(row.outcome)] += 1
        for kind, amount in _amounts(row.tokens):
            tokens[provider, kind] += amount
        if row.cost is None:
            unpriced[provider] += 1
        elif row.cost:
            cost[provider] += row.cost
    for labels, amount in tokens.items():
        TOKENS.labels(*labels).inc(amount)
    for provider, dollars in cost.items():
        COST.labels(provider).inc(float(dollars))
    for provider, requests in unpriced.items():
        UNPRICED.labels(provider).inc(requests)
    for outcome, number in ended.items():
        ROWS.labels(outcome).inc(number)


def _amounts(tokens: Tokens) -> list[tuple[str, int]]:
    return [(kind, amount) for kind in _KINDS if (amount := getattr(tokens, kind))]


def exposition() -> bytes:
    """All figures in Prometheus' text format: of this worker, or of all below the same supervisor. Reads files."""
    if DIRECTORY_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    everybody = CollectorRegistry()
    multiprocess.MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
    return generate_latest(everybody)


def retire(slot: int, directory: str) -> None:
    """Forgets what worker ``slot`` was doing, for it has ended; what it has counted stays."""
    multiprocess.mark_process_dead(slot, directory)  # type: ignore[no-untyped-call]
