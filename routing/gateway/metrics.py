"""Prometheus' figures of the line, and who may read them. A request is counted once, at its end, never by its deltas.

What is a state and not a count (requests in flight, the ledger's queue, the pool) is looked at once a second, and
whenever this worker is asked.
"""

from __future__ import annotations

import asyncio
import hmac
from ipaddress import ip_address, ip_network
from typing import Final

from django.conf import settings
from prometheus_client import Counter, Gauge, Histogram

from accounting import ledger
from accounting.errors import NotAuthenticated
from routing.table import tables
from routing.upstream.http import pool

from .arrival import Arrival
from .errors import NoSuchPath
from .passage import Passage
from .traffic import traffic

SAMPLE_SECONDS: Final = 1.0
_LATENCIES: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)
_DURATIONS: Final = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_OWN: Final = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1)

REQUESTS: Final = Counter(
    "tollgate_requests", "Requests to /v1/messages that have ended.", ["provider", "dialect", "tier", "outcome"]
)
UPSTREAM_ERRORS: Final = Counter(
    "tollgate_upstream_errors", "Failures of providers, by what went wrong.", ["provider", "dialect", "kind"]
)
FIRST_BYTE: Final = Histogram(
    "tollgate_first_byte_seconds",
    "From the open ledger row to the first content of the answer.",
    ["provider", "dialect"],
    buckets=_LATENCIES,
)
DURATION: Final = Histogram(
    "tollgate_request_seconds", "From the whole request's head to its end.", ["provider"], buckets=_DURATIONS
)
OWN_TIME: Final = Histogram(
    "tollgate_own_seconds", "The gateway's own time before the provider is asked.", buckets=_OWN
)
IN_FLIGHT: Final = Gauge("tollgate_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum")
WORKERS: Final = Gauge("tollgate_workers", "Worker processes that serve.", multiprocess_mode="livesum")
BACKLOG: Final = Gauge(
    "tollgate_ledger_backlog", "Orders that wait for the ledger's writer.", multiprocess_mode="livesum"
)
GENERATION: Final = Gauge(
    "tollgate_routing_generation",
    "The oldest state of the settings that a worker routes by.",
    multiprocess_mode="livemin",
)
POOL_IN_USE: Final = Gauge(
    "tollgate_upstream_connections_in_use", "Connections with a provider's answer on them.", multiprocess_mode="livesum"
)
POOL: Final = Counter("tollgate_upstream_connections", "How calls to providers got their connection.", ["how"])


def admit(arrival: Arrival) -> None:
    """Raises NotAuthenticated, and NoSuchPath where nobody may read."""
    token, networks = settings.METRICS_TOKEN, settings.METRICS_NETWORKS
    if not token and not networks:
        raise NoSuchPath("Not Found")
    scheme, _, shown = arrival.headers.get("authorization", "").partition(" ")
    if token and scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode()):
        return
    if not _is_within(arrival.client, networks):
        raise NotAuthenticated("/metrics wants METRICS_TOKEN as a bearer token, or a network of METRICS_NETWORKS.")


def _is_within(client: str, networks: list[str]) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    return any(address in ip_network(network, strict=False) for network in networks)


def count(passage: Passage) -> None:
    """Counts a request to ``/v1/messages`` that has ended."""
    REQUESTS.labels(passage.provider, passage.dialect, passage.tier, passage.outcome).inc()
    if passage.upstream_failure:
        UPSTREAM_ERRORS.labels(passage.provider, passage.dialect, passage.upstream_failure).inc()
    if passage.upstream_began:
        OWN_TIME.observe(passage.upstream_began - passage.began)
        DURATION.labels(passage.provider).observe(passage.total_ms / 1000)
    if passage.first_byte_ms is not None:
        FIRST_BYTE.labels(passage.provider, passage.dialect).observe(passage.first_byte_ms / 1000)


class Sampler:
    """Looks at this worker's state once a second, so that whichever worker is asked knows of all of them."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._opened = 0
        self._reused = 0

    def start(self) -> None:
        """From now on, on this event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="metrics sampler")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def look(self) -> None:
        """Takes over what is so now."""
        WORKERS.set(1)
        IN_FLIGHT.set(traffic.in_flight)
        BACKLOG.set(ledger.backlog())
        GENERATION.set(tables.generation)
        POOL_IN_USE.set(pool.in_use)
        opened, reused = pool.opened, pool.reused
        POOL.labels("opened").inc(opened - self._opened)
        POOL.labels("reused").inc(reused - self._reused)
        self._opened, self._reused = opened, reused

    async def _run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(SAMPLE_SECONDS)


sampler = Sampler()
