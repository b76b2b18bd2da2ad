"""``python -m benchmarks.soak``: hours under a steady load; memory, open files and latency must stay flat.

    --minutes M    20 unless told
    --streams N    answers at a time, 8 unless told: a low rate, so that a machine in use can take it
    --json PATH    where the samples go (benchmarks/results/soak.json)

Everything stays on the loopback interface. A sample is taken twice a minute: resident memory and open files of the
gateway, requests so far, and the time to the first delta of the requests in between. At the end the last third is
compared with the second: the first third is warming up (allocator, caches of tools and callers).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import uvloop

from . import load
from .bodies import requests
from .columns import CHAT, Tollgate, provider, use_load_core
from .load import quantile

SAMPLE_SECONDS: Final = 30.0
_DELTAS, _PACE = 32, 0.02  # an answer of about two thirds of a second
_RESULTS = Path(__file__).parent / "results" / "soak.json"
_MIB: Final = 1024 * 1024
_FIGURES: Final = ("rss_mib", "open_files", "first_delta_ms_p50", "first_delta_ms_p99")

Sample = dict[str, Any]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Memory, files, latency: flat?")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--json", type=Path, default=_RESULTS)
    return parser.parse_args()


def soak(gateway: Tollgate, minutes: float, streams: int) -> list[Sample]:
    """The samples of a run. Raises RuntimeError where a request fails."""
    assert gateway.server is not None
    bodies = requests("76 KB", CHAT.model, stream=True)
    way = gateway.way(CHAT, stream=True)
    began, samples, answered = time.monotonic(), list[Sample](), 0
    while time.monotonic() - began < minutes * 60:
        seen = uvloop.run(load.run(way, bodies, streams, SAMPLE_SECONDS))
        answered += len(seen.answers)
        samples.append(
            {
                "minute": round((time.monotonic() - began) / 60, 1),
                "requests": answered,
                "failures": len(seen.failures),
                "rss_mib": round(gateway.server.rss / _MIB, 1),
                "open_files": gateway.server.open_files,
                "first_delta_ms_p50": round(quantile(seen.first_deltas, 0.5) * 1000, 2),
                "first_delta_ms_p99": round(quantile(seen.first_deltas, 0.99) * 1000, 2),
            }
        )
        print("  ".join(f"{name} {value}" for name, value in samples[-1].items()), flush=True)
    return samples


def drift(samples: Sequence[Sample]) -> Sample:
    """The median of each figure in the second and in the last third of the run."""
    third = len(samples) // 3
    second, last = samples[third : 2 * third], samples[2 * third :]

    def medians(part: Sequence[Sample]) -> Sample:
        return {name: round(statistics.median(each[name] for each in part), 2) for name in _FIGURES} if part else {}

    return {"second_third": medians(second), "last_third": medians(last)}


def main() -> None:
    arguments = _arguments()
    use_load_core()
    with tempfile.TemporaryDirectory(prefix="tollgate-soak-") as scratch:
        folder = Path(scratch)
        with provider(folder, deltas=_DELTAS, pace=_PACE) as upstream:
            gateway = Tollgate(upstream.port, folder)
            try:
                samples = soak(gateway, arguments.minutes, arguments.streams)
            finally:
                gateway.stop()
    found = {"samples": samples, "drift": drift(samples)}
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    print(found["drift"])
    print(arguments.json, file=sys.stderr)


if __name__ == "__main__":
    main()
