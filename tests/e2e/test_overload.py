"""More than a worker takes, and clients that do not read: neither hurts those who are served."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson

from tests.support.gateway import Gateway
from tests.support.grammar import check_stream
from tests.support.provider import ScriptedProvider

from .test_drain import eventually, serving, slow, stream
from .test_known_failures_load import resident

PLACES = 2
_MIB = 1024 * 1024
_PIECE = b"word " * 3200
_PIECES = 4_000  # of 16 KB: 64 MB in all


def test_beyond_its_places_a_worker_refuses_at_once_and_nobody_else_notices(tmp_path: Path) -> None:
    with (
        ScriptedProvider() as provider,
        serving(provider, tmp_path, GATEWAY_MAX_IN_FLIGHT=str(PLACES)) as gateway,
        gateway.client() as client,
        ThreadPoolExecutor(PLACES) as pool,
    ):
        provider.on(lambda seen: slow(3.0))
        begun = [threading.Event() for _ in range(PLACES)]
        running = [pool.submit(stream, gateway, event) for event in begun]
        assert all(event.wait(20) for event in begun)
        body = {"model": "openai/gpt-4o", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        refused = client.post("/v1/messages", json=body)
        assert not any(each.done() for each in running), "refused while the others were still running"
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["type"] == "rate_limit_error"
        for each in running:
            response, raw = each.result()
            assert response.status_code == 200
            assert check_stream(raw).stop_reason == "end_turn"
        assert client.post("/v1/messages", json=body).status_code == 200, "the places are free again"
        assert len(gateway.rows("SELECT id FROM accounting_ledgerentry")) == PLACES + 1


class Torrent:
    """A provider that writes an endless answer as fast as it is taken, and counts what it got rid of."""

    def __init__(self) -> None:
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            for frame in _frames():
                connection.sendall(frame)
                self.sent += len(frame)


def _frames() -> Iterator[bytes]:
    def frame(delta: dict[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [choice]}
        return b"data: " + orjson.dumps(chunk) + b"\n\n"

    piece = frame({"content": _PIECE.decode()})
    yield frame({"role": "assistant", "content": ""})
    for _ in range(_PIECES):
        yield piece
    yield frame({}, "stop")
    yield b"data: [DONE]\n\n"


@contextmanager
def _torrent() -> Iterator[Torrent]:
    running = Torrent()
    try:
        yield running
    finally:
        running.close()


def _stands_still(torrent: Torrent) -> int:
    """What was sent, once nothing has been for a second; 0 before."""
    before = torrent.sent
    time.sleep(1.0)
    return before if torrent.sent == before else 0


def test_a_client_that_does_not_read_slows_its_provider_and_memory_stays_flat(tmp_path: Path) -> None:
    with (
        _torrent() as torrent,
        ScriptedProvider() as provider,
        serving(provider, tmp_path, OPENAI_BASE_URL=f"{torrent.base_url}/v1") as gateway,
    ):
        _read_late(gateway, torrent)


def _read_late(gateway: Gateway, torrent: Torrent) -> None:
    body = {"model": "openai/gpt-4o", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    before = resident(gateway)
    with gateway.client() as client, client.stream("POST", "/v1/messages", json=body) as response:
        assert response.status_code == 200
        sent = eventually(lambda: torrent.sent and _stands_still(torrent))
        assert sent < _PIECES * len(_PIECE) / 2, "the provider was held back"
        assert resident(gateway) - before < 24 * _MIB
        size = sum(len(chunk) for chunk in response.iter_raw())
    assert size > _PIECES * len(_PIECE), "and the rest came when it was asked for"
    assert resident(gateway) - before < 24 * _MIB
    assert httpx.get(f"{gateway.base_url}/healthz").status_code == 200
