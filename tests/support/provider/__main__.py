"""``python -m tests.support.provider``: the provider as a process.

    --port N            port on 127.0.0.1 (0: a free one)
    --brain WHICH       echo | tool-task | tool-task-parallel | tool-task-thinking
    --pace S            seconds between deltas (tool-task, baked)
    --state-dir DIR     writes DIR/port when it listens, one JSON line a request to DIR/requests.jsonl
    --lenient           does not apply the vendors' rules
    --baked N           benchmarks: N pre-encoded deltas to whatever is asked, nothing checked or recorded

Prints ``listening on http://127.0.0.1:PORT`` when it does.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import uvloop

from .baked import serve_baked
from .brains import Brain, ToolTask, echo
from .desk import Desk
from .server import serving


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.provider", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--brain", default="echo", choices=["echo", "tool-task", "tool-task-parallel", "tool-task-thinking"]
    )
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--state-dir", type=Path)
    parser.add_argument("--lenient", action="store_true")
    parser.add_argument("--baked", type=int)
    arguments = parser.parse_args()
    if arguments.state_dir is not None:
        arguments.state_dir.mkdir(parents=True, exist_ok=True)
    return arguments


def _brain(name: str, pace: float) -> Brain:
    if name == "echo":
        return echo
    return ToolTask(parallel=name.endswith("parallel"), thinking=name.endswith("thinking"), pace=pace)


def _announce(port: int, state: Path | None) -> None:
    if state is not None:
        (state / "port").write_text(f"{port}\n")
    print(f"listening on http://127.0.0.1:{port}", flush=True)


async def _main(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    state: Path | None = arguments.state_dir
    if arguments.baked is not None:
        async with serve_baked(arguments.port, arguments.baked, arguments.pace) as port:
            _announce(port, state)
            await stop.wait()
        return
    log = None if state is None else state / "requests.jsonl"
    desk = Desk(_brain(arguments.brain, arguments.pace), strict=not arguments.lenient, log=log)
    async with serving(desk, arguments.port) as port:
        _announce(port, state)
        await stop.wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        arguments = _arguments()
        (uvloop.run if arguments.baked is not None else asyncio.run)(_main(arguments))
