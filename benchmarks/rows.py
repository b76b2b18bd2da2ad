"""What is measured, row by row. A row is a dictionary of plain figures: times in milliseconds, memory in MiB."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from . import load
from .bodies import requests
from .columns import CHAT, Column, Dialect, Direct, provider
from .load import quantile
from .processes import Server

Row = dict[str, Any]
Make = Callable[[int, Path], Column]
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Case:
    """One combination that throughput or latency is measured for."""

    size: str = "76 KB"
    stream: bool = True
    dialect: Dialect = CHAT
    concurrency: int = 32

    @property
    def title(self) -> str:
        way = "streamed" if self.stream else "plain"
        return f"{self.dialect.name}, {self.size}, {way}, {self.concurrency} at a time"


def throughput(column: Column, case: Case, seconds: float) -> Row:
    """Requests a second, what they cost in CPU time, and how long one takes under that load."""
    bodies = requests(case.size, case.dialect.model, stream=case.stream)
    way = column.way(case.dialect, stream=case.stream)
    uvloop.run(load.run(way, bodies, case.concurrency, seconds / 4))  # warm up
    before = _cpu(column.server)
    samples = uvloop.run(load.run(way, bodies, case.concurrency, seconds))
    spent = _cpu(column.server) - before
    return {
        "requests_per_second": round(samples.rate, 1),
        "requests": len(samples.answers),
        "failures": len(samples.failures),
        "cpu_seconds_per_1000": round(1000 * spent / max(len(samples.answers), 1), 3),
        "answer_ms_p50": _ms(samples.answers, 0.5),
        "answer_ms_p99": _ms(samples.answers, 0.99),
        "rss_mib": _mib(column.server),
    }


def first_delta(column: Column, case: Case, count: int) -> Row:
    """The time until the first delta, at ``case.concurrency``; at one it is the gateway's own, without queueing."""
    bodies = requests(case.size, case.dialect.model, stream=True)
    way = column.way(case.dialect, stream=True)
    uvloop.run(load.run(way, bodies, case.concurrency, 60.0, 20))
    samples = uvloop.run(load.run(way, bodies, case.concurrency, 60.0, count))
    return {
        "first_delta_ms_p50": _ms(samples.first_deltas, 0.5),
        "first_delta_ms_p99": _ms(samples.first_deltas, 0.99),
        "requests": len(samples.answers),
    }


def many_streams(make: Make, folder: Path, streams: int, per_second: float, seconds: float) -> Row:
    """``streams`` answers at once, each of ``per_second`` deltas a second: each delta's way, and the memory."""
    deltas = max(int(seconds * per_second), 1)
    with provider(folder, deltas=deltas, pace=1 / per_second) as upstream:
        column = make(upstream.port, folder)
        try:
            bodies = requests("76 KB", CHAT.model, stream=True)
            way = column.way(CHAT, stream=True)
            uvloop.run(load.run(way, requests("1 KB", CHAT.model, stream=False), 1, 1.0, 3))  # warm up
            idle = _mib(column.server)
            before, began = _cpu(column.server), time.monotonic()
            samples = uvloop.run(load.run(way, bodies, streams, 10 * seconds + 60, 1))
            busy = (_cpu(column.server) - before) / (time.monotonic() - began)
            return {
                "streams": streams,
                "deltas_per_second": per_second,
                "complete": len(samples.answers),
                "failures": len(samples.failures),
                "delta_ms_p50": _ms(samples.delta_delays, 0.5),
                "delta_ms_p99": _ms(samples.delta_delays, 0.99),
                "core_share": round(busy, 2),
                "rss_idle_mib": idle,
                "rss_peak_mib": round(column.server.peak_rss / _MIB, 1) if column.server else 0.0,
            }
        finally:
            column.stop()


def compare(
    makes: Sequence[Make], folder: Path, cases: Sequence[Case], seconds: float, *, latencies: Sequence[Case] = ()
) -> list[Row]:
    """Throughput of every case and first deltas of ``latencies``, in every column, on one provider."""
    rows: list[Row] = []
    with provider(folder) as upstream:
        for make in makes:
            column = make(upstream.port, folder)
            try:
                rows.append({"row": "start", "column": column.name} | _start(column))
                for case in latencies:
                    if _speaks(column, case):
                        figures = first_delta(column, case, 400 if case.concurrency == 1 else 100)
                        rows.append({"row": f"first delta: {case.title}", "column": column.name} | figures)
                for case in cases:
                    if _speaks(column, case):
                        figures = throughput(column, case, seconds)
                        rows.append({"row": f"throughput: {case.title}", "column": column.name} | figures)
            finally:
                column.stop()
    return rows


def _speaks(column: Column, case: Case) -> bool:
    """LiteLLM's proxy is compared where it is set up: chat completions."""
    return column.name != "LiteLLM's proxy" or case.dialect is CHAT


def _start(column: Column) -> Row:
    if column.server is None or isinstance(column, Direct):
        return {}
    time.sleep(1.0)
    return {"start_seconds": round(column.server.start_seconds, 2), "rss_idle_mib": _mib(column.server)}


def _cpu(server: Server | None) -> float:
    return server.cpu_seconds if server is not None else 0.0


def _mib(server: Server | None) -> float:
    return round(server.rss / _MIB, 1) if server is not None else 0.0


def _ms(values: Sequence[float], share: float) -> float:
    return round(quantile(values, share) * 1000, 2)
