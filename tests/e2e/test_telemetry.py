"""Seen from outside: the figures of two workers, the log's lines, traces; and that none of them tells secrets."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from tests.support.gateway import SECRETS, Gateway, provider_environment, running_gateway
from tests.support.provider import Fail, Reply, ScriptedProvider, Text, Usage

from .asking import DIALECTS, MODELS
from .test_drain import eventually, workers_of

CANARY = "canary-7f3a-the-quick-brown-prompt"
METRICS_TOKEN = "for-prometheus-alone"
LABELS = {"provider", "dialect", "tier", "outcome", "kind", "le", "how"}
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Collector:
    """Takes OpenTelemetry's spans, as a collector does."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                told = ExportTraceServiceRequest.FromString(body)
                collector.spans += [s for r in told.resource_spans for scope in r.scope_spans for s in scope.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


@pytest.fixture(scope="module")
def observed(
    scripted: ScriptedProvider, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    environment = provider_environment(scripted.base_url) | {
        "PREFERRED_PROVIDER": "openai",
        "LOG_FORMAT": "json",
        "METRICS_TOKEN": METRICS_TOKEN,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    folder = tmp_path_factory.mktemp("observed")
    with running_gateway(folder, environment, server="uvicorn", workers=2) as running:
        running.treat_as_vendors(scripted.base_url)
        yield running


def ask(gateway: Gateway, model: str, **headers: str) -> httpx.Response:
    message = {"role": "user", "content": CANARY}
    body = {"model": model, "max_tokens": 99, "system": CANARY, "messages": [message], "stream": True}
    with gateway.client() as client:  # a connection of its own: whichever worker takes it
        return client.post("/v1/messages", json=body, headers=headers, timeout=90)


def figures(gateway: Gateway) -> Series:
    shown = httpx.get(f"{gateway.base_url}/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})
    assert shown.status_code == 200
    assert shown.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(shown.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def total(series: Series, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (found, theirs), value in series.items() if found == name and wanted <= theirs)


def lines(gateway: Gateway) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in gateway.log_text().splitlines() if line.startswith("{")]


def test_figures_are_for_those_alone_who_may_see_them(observed: Gateway, gateway: Gateway) -> None:
    assert httpx.get(f"{observed.base_url}/metrics").status_code == 401
    wrong = httpx.get(f"{observed.base_url}/metrics", headers={"authorization": "Bearer " + observed.token})
    assert wrong.status_code == 401
    assert httpx.get(f"{gateway.base_url}/metrics").status_code == 404, "nobody was named"


def test_figures_are_of_all_workers_and_never_fall(observed: Gateway, provider: ScriptedProvider) -> None:
    provider.on(lambda seen: Reply([Text("word " * 8)], usage=Usage(input=1000, output=10)))
    before = figures(observed)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(observed, MODELS["openai_chat"]), range(24)))
    assert {answer.status_code for answer in answers} == {200}

    def grown(name: str, **labels: str) -> float:
        return total(figures(observed), name, **labels) - total(before, name, **labels)

    complete = {"provider": "openai", "dialect": "openai_chat", "outcome": "complete"}
    eventually(lambda: grown("tollgate_requests_total", **complete) == 24)
    assert grown("tollgate_tokens_total", provider="openai", kind="input") == 24_000
    assert grown("tollgate_tokens_total", provider="openai", kind="output") == 240
    assert grown("tollgate_cost_dollars_total", provider="openai") == pytest.approx(24 * (0.0025 + 0.0001))
    assert grown("tollgate_first_byte_seconds_count", provider="openai") == 24
    eventually(lambda: total(figures(observed), "tollgate_workers") == 2)
    eventually(lambda: total(figures(observed), "tollgate_requests_in_flight") == 0)

    killed = workers_of(observed.pid)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(workers_of(observed.pid) - killed) == 2)
    eventually(observed.is_ready)
    assert ask(observed, MODELS["openai_chat"]).status_code == 200
    eventually(lambda: grown("tollgate_requests_total", **complete) == 25)
    eventually(lambda: total(figures(observed), "tollgate_workers") == 2)


def test_a_failing_provider_shows(observed: Gateway, provider: ScriptedProvider) -> None:
    before = total(figures(observed), "tollgate_upstream_errors_total", provider="gemini", kind="unavailable")
    provider.on(lambda seen: Fail("server"))
    assert ask(observed, MODELS["gemini"]).status_code >= 500
    began = time.monotonic()
    name = "tollgate_upstream_errors_total"
    eventually(lambda: total(figures(observed), name, provider="gemini", kind="unavailable") > before)
    assert time.monotonic() - began < 60


def test_labels_are_bounded(observed: Gateway, provider: ScriptedProvider) -> None:
    ask(observed, CANARY)
    names = {label for _, labels in figures(observed) for label, _ in labels}
    values = {value for _, labels in figures(observed) for _, value in labels}
    assert names <= LABELS
    assert not {CANARY, "gpt-4o", "admin"} & values


@DIALECTS
def test_a_line_a_request_without_secrets(model: str, observed: Gateway, provider: ScriptedProvider) -> None:
    provider.on(lambda seen: Reply([Text(CANARY)], usage=Usage(input=7, output=3)))
    good = ask(observed, model)
    line = _line(observed, good)
    assert (line["status"], line["outcome"], line["surface"]) == (200, "complete", "messages")
    assert line["key"] == observed.token.split("_")[1]
    assert (line["input_tokens"], line["output_tokens"]) == (7, 3)
    assert 0 <= line["first_byte_ms"] <= line["total_ms"]
    assert {"provider", "model", "time", "level"} <= set(line)
    before = len(lines(observed))
    provider.on(lambda seen: Fail("bad_request", message=CANARY))
    ask(observed, model)
    (line,) = eventually(lambda: [one for one in lines(observed)[before:] if one["logger"] == "tollgate.access"])
    assert line["status"] >= 400
    assert (line["outcome"], line["error"]) == ("upstream_error", "refused")
    logged = observed.log_text()
    for secret in (CANARY, observed.token, METRICS_TOKEN, *SECRETS):
        assert secret not in logged


def _line(gateway: Gateway, response: httpx.Response) -> dict[str, Any]:
    request_id = response.headers["request-id"]

    def mine() -> list[dict[str, Any]]:
        return [line for line in lines(gateway) if line.get("request_id") == request_id]

    (line,) = eventually(mine)
    return dict(line)


def test_traces_continue_the_clients(observed: Gateway, provider: ScriptedProvider, collector: Collector) -> None:
    provider.on(lambda seen: Reply([Text("hello")]))
    answer = ask(observed, MODELS["openai_chat"], traceparent=f"00-{TRACE_ID}-00f067aa0ba902b7-01")
    assert answer.status_code == 200

    def mine() -> list[Span]:
        found = [span for span in collector.spans if span.trace_id.hex() == TRACE_ID]
        return found if len(found) == 2 else []

    upstream, request = sorted(eventually(mine), key=lambda span: span.name == "/v1 messages")
    assert request.parent_span_id.hex() == "00f067aa0ba902b7"
    assert upstream.parent_span_id == request.span_id
    assert upstream.name == "openai gpt-4o"
    assert request.start_time_unix_nano <= upstream.start_time_unix_nano <= request.end_time_unix_nano
    assert CANARY not in str(collector.spans)
