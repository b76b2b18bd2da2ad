"""How the server leaves, and what it survives: SIGTERM, SIGHUP, dead workers, a dead supervisor."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.gateway import Gateway, provider_environment, running_gateway
from tests.support.grammar import check_stream
from tests.support.provider import Reply, ScriptedProvider, Text

MODEL = "openai/gpt-4o"
SETTLED = "SELECT outcome, state FROM accounting_ledgerentry"


@contextmanager
def serving(provider: ScriptedProvider, folder: Path, *, workers: int = 1, **settings: str) -> Iterator[Gateway]:
    environment = provider_environment(provider.base_url) | {"PREFERRED_PROVIDER": "openai"} | settings
    with running_gateway(folder, environment, server="uvicorn", workers=workers) as gateway:
        yield gateway


def slow(seconds: float) -> Reply:
    return Reply([Text("word " * 10)], delta=5, pace=seconds / 10)


def stream(gateway: Gateway, begun: threading.Event | None = None) -> tuple[httpx.Response, bytes]:
    body = {"model": MODEL, "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    with gateway.client() as client, client.stream("POST", "/v1/messages", json=body) as response:
        raw = b""
        for chunk in response.iter_raw():
            raw += chunk
            if begun is not None:
                begun.set()
        return response, raw


@contextmanager
def while_streaming(gateway: Gateway) -> Iterator[Future[tuple[httpx.Response, bytes]]]:
    """A stream that has begun, read on in a thread."""
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(stream, gateway, begun)
        assert begun.wait(20)
        yield running


def workers_of(pid: int) -> set[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return set(map(int, children.split()))


def eventually(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture
def own_provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.mark.parametrize("workers", [1, 2])
def test_running_answers_finish(own_provider: ScriptedProvider, tmp_path: Path, workers: int) -> None:
    own_provider.reply(slow(2.0))
    with serving(own_provider, tmp_path, workers=workers) as gateway, while_streaming(gateway) as running:
        assert gateway.stop() == 0, gateway.log_text()
        response, raw = running.result()
        assert response.status_code == 200
        assert check_stream(raw).stop_reason == "end_turn"
        assert gateway.rows(SETTLED) == [{"outcome": "complete", "state": "settled"}]


def test_a_worker_may_be_told_to_leave_before_it_serves(own_provider: ScriptedProvider, tmp_path: Path) -> None:
    with serving(own_provider, tmp_path, workers=2) as gateway:
        before = workers_of(gateway.pid)
        os.kill(min(before), signal.SIGKILL)
        eventually(lambda: len(workers_of(gateway.pid)) == 2 and workers_of(gateway.pid) != before)
        assert gateway.stop() == 0, gateway.log_text()


def test_says_that_it_leaves_while_it_still_serves(own_provider: ScriptedProvider, tmp_path: Path) -> None:
    with serving(own_provider, tmp_path, DRAIN_NOTICE_SECONDS="1.5") as gateway, gateway.client() as client:
        assert client.get("/readyz").status_code == 200
        os.kill(gateway.pid, signal.SIGTERM)
        refused = eventually(lambda: (r := client.get("/readyz")).status_code == 503 and r)
        assert refused.json() == {"status": "draining"}
        served = client.get("/v1/models")
        assert served.status_code == 200
        assert served.headers["connection"] == "close"
        assert gateway.stop() == 0


def test_a_connection_just_taken_is_heard_out(own_provider: ScriptedProvider, tmp_path: Path) -> None:
    with serving(own_provider, tmp_path) as gateway, socket.create_connection(("127.0.0.1", gateway.port)) as taken:
        assert gateway.is_ready()  # by a later connection: the first one is taken too
        os.kill(gateway.pid, signal.SIGTERM)
        eventually(lambda: is_refused(gateway.port))
        taken.sendall(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n")
        assert b" 200 " in taken.recv(4096).partition(b"\r\n")[0]
        assert gateway.stop() == 0


def is_refused(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) != 0


def test_an_answer_that_outlasts_the_drain_is_cut_and_settled(own_provider: ScriptedProvider, tmp_path: Path) -> None:
    own_provider.reply(slow(60.0))
    with serving(own_provider, tmp_path, DRAIN_SECONDS="1") as gateway, while_streaming(gateway) as running:
        assert gateway.stop() == 0, gateway.log_text()
        with pytest.raises(httpx.RemoteProtocolError):
            running.result()
        assert gateway.rows(SETTLED) == [{"outcome": "interrupted", "state": "settled"}]


def test_a_dead_worker_is_replaced(own_provider: ScriptedProvider, tmp_path: Path) -> None:
    own_provider.reply(slow(60.0))
    with serving(own_provider, tmp_path, workers=2) as gateway, while_streaming(gateway) as running:
        before = workers_of(gateway.pid)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            running.result()
        assert len(eventually(lambda: len(new := workers_of(gateway.pid) - before) == 2 and new)) == 2
        own_provider.reply(Reply([Text("again")]))
        eventually(gateway.is_ready)
        assert check_stream(stream(gateway)[1]).text == "again"
        rows = eventually(lambda: len(rows := gateway.rows(SETTLED + " WHERE state = 'settled'")) == 2 and rows)
        assert sorted(row["outcome"] for row in rows) == ["complete", "lost"]


def test_workers_are_replaced_one_by_one_without_a_failed_request(
    own_provider: ScriptedProvider, tmp_path: Path
) -> None:
    with serving(own_provider, tmp_path, workers=2, DRAIN_NOTICE_SECONDS="0.3") as gateway:
        before = workers_of(gateway.pid)
        stop = threading.Event()

        def keep_asking() -> int:
            asked = 0
            while not stop.is_set():
                response, raw = stream(gateway)
                assert response.status_code == 200
                check_stream(raw)
                asked += 1
            return asked

        with ThreadPoolExecutor(3) as pool:
            asking = [pool.submit(keep_asking) for _ in range(3)]
            os.kill(gateway.pid, signal.SIGHUP)
            try:
                eventually(lambda: not workers_of(gateway.pid) & before and len(workers_of(gateway.pid)) == 2, 60.0)
            finally:
                stop.set()
            counts = [each.result() for each in asking]
        complete = gateway.rows(SETTLED + " WHERE outcome = 'complete'")
        assert len(complete) == sum(counts)


def test_workers_leave_when_their_supervisor_is_gone(own_provider: ScriptedProvider, tmp_path: Path) -> None:
    with serving(own_provider, tmp_path, workers=2) as gateway:
        workers = workers_of(gateway.pid)
        os.kill(gateway.pid, signal.SIGKILL)
        eventually(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers))
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{gateway.base_url}/healthz")
