"""``python -m benchmarks``: the run.

    --full           every row, about a quarter of an hour; else the ones that the targets are about, about two minutes
    --seconds S      of each throughput figure
    --only WORD      rows with this word in their title alone
    --no-litellm     without LiteLLM's proxy
    --json PATH      where the figures go (benchmarks/results/latest.json)

The gateway's database is SQLite in a scratch folder, or a fresh one on the PostgreSQL server of ``DATABASE_URL``; with
``TEST_DATABASE_TEMPLATE`` a copy of that one, to see what a long ledger costs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from . import litellm_proxy, report, rows
from .columns import CHAT, DIALECTS, Direct, LiteLLM, Relay, Tollgate, use_load_core
from .rows import Case, Make, Row

_RESULTS = Path(__file__).parent / "results" / "latest.json"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What the gateway costs.")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-litellm", action="store_true")
    parser.add_argument("--json", type=Path, default=_RESULTS)
    return parser.parse_args()


def _cases(full: bool) -> list[Case]:
    modes = (True, False)
    if not full:
        return [Case(stream=stream) for stream in modes]
    others = [dialect for dialect in DIALECTS.values() if dialect is not CHAT]
    return [
        *(Case(size, stream) for size in ("1 KB", "76 KB", "500 KB") for stream in modes),
        *(Case(dialect=dialect, stream=stream) for dialect in others for stream in modes),
    ]


def _columns(arguments: argparse.Namespace, notes: list[str]) -> list[Make]:
    columns: list[Make] = [Direct, Relay, Tollgate]
    if not arguments.no_litellm:
        try:
            litellm_proxy.install()
            columns.append(LiteLLM)
        except litellm_proxy.NotInstalled as error:
            notes.append(f"No column for LiteLLM's proxy: {error}.")
    return columns


def _run(arguments: argparse.Namespace, columns: Sequence[Make], folder: Path) -> list[Row]:
    seconds = arguments.seconds or (5.0 if arguments.full else 4.0)
    cases = [case for case in _cases(arguments.full) if arguments.only in case.title]
    latencies = [Case(concurrency=at_once) for at_once in (1, 16)]
    found = rows.compare(columns, folder, cases, seconds, latencies=latencies)
    if arguments.full:
        two = partial(Tollgate, workers=2)
        for row in rows.compare([two], folder, [Case(), Case(stream=False)], seconds):
            found.append(row | {"column": "two workers"})
        for streams, per_second in ((500, 20.0), (3000, 1.0)):
            for make in (Direct, Tollgate):
                title = f"streams: {streams} at {per_second:g} deltas/s"
                found.append(
                    {"row": title, "column": make.name} | rows.many_streams(make, folder, streams, per_second, 15.0)
                )
    return found


def main() -> None:
    arguments = _arguments()
    use_load_core()
    notes = [f"database: {os.environ.get('DATABASE_URL', 'sqlite').partition(':')[0]}"]
    if template := os.environ.get("TEST_DATABASE_TEMPLATE"):
        notes.append(f"a copy of {template}")
    columns = _columns(arguments, notes)
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as scratch:
        found = report.document(_run(arguments, columns, Path(scratch)), notes)
    report.write(found, arguments.json)
    print(report.table(found["rows"]))
    print("\n\nThis gateway against the others")
    print(report.table(found["ratios"]))
    for note in notes:
        print(f"\n{note}")
    print(f"\n{arguments.json}", file=sys.stderr)


if __name__ == "__main__":
    main()
