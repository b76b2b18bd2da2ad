"""The surface over real HTTP: what is served, what is refused and how, and what stands on the ledger for it."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import orjson
import pytest

from tests.support.gateway import Gateway
from tests.support.grammar import check_message, check_stream
from tests.support.provider import Cut, Fail, Hang, Reply, ScriptedProvider, Text, ToolCall, Usage

from .asking import MODELS

DIALECTS = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))


def _body(model: str = "claude-sonnet-5", **more: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]} | more


def _row(gateway: Gateway, request_id: str) -> dict[str, Any]:
    """The settled ledger row of a request; a client that left is settled a moment later."""
    deadline = time.monotonic() + 5
    while True:
        rows = gateway.rows("SELECT * FROM accounting_ledgerentry WHERE request_id = ?", request_id)
        if rows and rows[0]["state"] == "settled":
            assert len(rows) == 1
            return rows[0]
        assert time.monotonic() < deadline, f"no settled row for {request_id}: {rows}"
        time.sleep(0.02)


def _stream(client: httpx.Client, body: dict[str, Any]) -> tuple[httpx.Response, bytes]:
    with client.stream("POST", "/v1/messages?beta=true", json=body | {"stream": True}) as response:
        return response, b"".join(response.iter_raw())


def _error(response: httpx.Response, status: int, kind: str) -> str:
    assert response.status_code == status, response.text
    body = response.json()
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert body["request_id"] == response.headers["request-id"]
    assert "Traceback" not in response.text
    return str(body["error"]["message"])


# --- what is served -------------------------------------------------------------------------------------------------


@DIALECTS
def test_a_streamed_answer(model: str, gateway: Gateway, client: httpx.Client, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("Hällo, wörld 🌍")], usage=Usage(input=120, cached=20, output=24)))
    response, raw = _stream(client, _body(model))
    assert response.headers["content-type"].startswith("text/event-stream")
    transcript = check_stream(raw, relaxed=model.startswith("anthropic"))
    assert transcript.text == "Hällo, wörld 🌍"
    assert transcript.stop_reason == "end_turn"
    assert provider.refusals == []
    row = _row(gateway, response.headers["request-id"])
    assert (row["outcome"], bool(row["exact"]), bool(row["streamed"])) == ("complete", True, True)
    assert (row["input_tokens"], row["cache_read_tokens"], row["output_tokens"]) == (100, 20, 24)
    assert row["first_byte_ms"] is not None


@DIALECTS
def test_a_plain_answer(model: str, gateway: Gateway, client: httpx.Client, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("hello"), ToolCall("Bash", {"command": "ls"})]))
    tools = [{"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}]
    response = client.post("/v1/messages?beta=true", json=_body(model, tools=tools))
    assert response.status_code == 200, response.text
    message = response.json()
    check_message(message, relaxed=model.startswith("anthropic"))
    assert [block["type"] for block in message["content"]] == ["text", "tool_use"]
    assert message["content"][1]["input"] == {"command": "ls"}
    assert message["stop_reason"] == "tool_use"
    row = _row(gateway, response.headers["request-id"])
    assert (row["outcome"], bool(row["streamed"])) == ("complete", False)


def test_the_asked_name_is_echoed_and_mapped(
    gateway: Gateway, client: httpx.Client, provider: ScriptedProvider
) -> None:
    for asked, tier, real in (
        ("claude-opus-4-8", "BIG", "gpt-4o"),
        ("claude-haiku-4-5-20251001", "SMALL", "gpt-4o-mini"),
        ("claude-fable-5", "BIG", "gpt-4o"),
    ):
        response = client.post("/v1/messages", json=_body(asked))
        assert response.json()["model"] == asked
        row = _row(gateway, response.headers["request-id"])
        assert (row["asked_model"], row["tier"], row["provider"], row["model"]) == (asked, tier, "openai", real)
        assert row["user_name"] == "admin"
        assert row["cost"] is not None


def test_session_and_agent_ids_stand_on_the_ledger(
    gateway: Gateway, client: httpx.Client, provider: ScriptedProvider
) -> None:
    ids = {"session": "s-1", "agent": "a-2", "parent-agent": "a-1"}
    headers = {f"x-claude-code-{name}-id": value for name, value in ids.items()}
    response = client.post("/v1/messages", json=_body(), headers=headers)
    row = _row(gateway, response.headers["request-id"])
    assert (row["session_id"], row["agent_id"], row["parent_agent_id"]) == ("s-1", "a-2", "a-1")


def test_the_official_sdk(gateway: Gateway, provider: ScriptedProvider) -> None:
    with anthropic.Anthropic(base_url=gateway.base_url, auth_token=gateway.token, api_key=None, max_retries=0) as sdk:
        provider.reply(Reply([Text("streamed")]), Reply([Text("plain")]))
        with sdk.messages.stream(**_body()) as stream:
            assert stream.get_final_text() == "streamed"
        assert sdk.messages.create(**_body()).content[0].text == "plain"
        assert sdk.messages.count_tokens(model="claude-x", messages=_body()["messages"]).input_tokens > 0
        ids = [model.id for model in sdk.models.list(limit=2)]
        assert any("claude" in model for model in ids)
        assert len(ids) > 2, "paging did not go on"
        assert sdk.models.retrieve(ids[0]).id == ids[0]
        with pytest.raises(anthropic.NotFoundError):
            sdk.messages.create(**_body("no-such-model"))
        provider.reply(Fail("rate_limit"))
        with pytest.raises(anthropic.RateLimitError):
            sdk.messages.create(**_body())


def test_models_in_anthropics_shape(client: httpx.Client, gateway: Gateway) -> None:
    """A client that reads one page finds Claude's names; a name that can be asked for can be looked up."""
    first = client.get("/v1/models").json()
    assert len(first["data"]) == 20
    assert all("claude" in model["id"] for model in first["data"])
    fields = set(anthropic.types.ModelInfo.model_fields)
    for model in first["data"]:
        assert set(model) == fields
        assert set(model["capabilities"]) == set(anthropic.types.ModelCapabilities.model_fields)
        anthropic.types.ModelInfo.model_validate(model, strict=False)
    for name in (*MODELS.values(), "claude-3-5-haiku-20241022", "claude-sonnet-5[1m]"):
        model = client.get(f"/v1/models/{name}").json()
        assert (model["id"], model["type"]) == (name, "model")
    reasons = client.get("/v1/models/openai/gpt-5.1").json()
    assert reasons["max_input_tokens"] >= 100_000
    assert reasons["max_tokens"] >= 100_000
    assert reasons["capabilities"]["thinking"]["supported"]
    assert not client.get("/v1/models/openai/gpt-4o").json()["capabilities"]["thinking"]["supported"]
    assert client.get("/v1/models/claude-opus-4-8").json()["display_name"] == "Claude Opus 4.8 → gpt-4o (openai)"
    _error(client.get("/v1/models/llama-of-nowhere"), 404, "not_found_error")


def test_probes(gateway: Gateway) -> None:
    for method, path in (("HEAD", "/"), ("HEAD", "/api/hello"), ("GET", "/healthz"), ("GET", "/readyz")):
        response = httpx.request(method, gateway.base_url + path, follow_redirects=False)
        assert response.status_code == 200, path


# --- what is refused ------------------------------------------------------------------------------------------------


def test_without_a_good_key(gateway: Gateway) -> None:
    for headers in ({}, {"x-api-key": "wrong"}, {"authorization": "Bearer tg_000000000000_" + "0" * 40}):
        for method, path in (("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models")):
            response = httpx.request(method, gateway.base_url + path, headers=headers)
            _error(response, 401, "authentication_error")


@pytest.mark.parametrize("header", ["x-api-key", "authorization", "both"])
def test_either_header_carries_the_key(header: str, gateway: Gateway, provider: ScriptedProvider) -> None:
    shown = {"x-api-key": gateway.token, "authorization": f"Bearer {gateway.token}"}
    if header == "both":
        shown["x-api-key"] = "of-another-service"
    else:
        shown = {header: shown[header]}
    response = httpx.post(f"{gateway.base_url}/v1/messages", headers=shown, json=_body())
    assert response.status_code == 200


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'{"model":"\xff"}', b"[" * 50_000 + b"]" * 50_000, b'{"model":"claude-x"}'],
    ids=["empty", "cut", "list", "utf8", "deep", "fields"],
)
def test_a_bad_body(raw: bytes, gateway: Gateway, client: httpx.Client) -> None:
    response = client.post("/v1/messages", content=raw, headers={"content-type": "application/json"})
    _error(response, 400, "invalid_request_error")
    assert _row(gateway, response.headers["request-id"])["outcome"] == "rejected"


def test_a_deeply_nested_schema(client: httpx.Client, provider: ScriptedProvider) -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(400):
        schema = {"type": "object", "properties": {"a": schema}}
    for model in MODELS.values():
        response = client.post("/v1/messages", json=_body(model, tools=[{"name": "deep", "input_schema": schema}]))
        assert response.status_code in (200, 400), response.text


def test_a_body_of_forty_megabytes(client: httpx.Client) -> None:
    body = _body(system="x" * 40_000_000)
    _error(client.post("/v1/messages", content=orjson.dumps(body)), 413, "request_too_large")


def test_an_unknown_model(gateway: Gateway, client: httpx.Client) -> None:
    response = client.post("/v1/messages", json=_body("llama-of-nowhere"))
    assert "llama-of-nowhere" in _error(response, 404, "not_found_error")
    assert _row(gateway, response.headers["request-id"])["outcome"] == "rejected"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_compressed_body_is_refused_by_name(coding: str, client: httpx.Client) -> None:
    body = gzip.compress(orjson.dumps(_body()))
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        refused = client.post(path, content=body, headers={"content-encoding": coding})
        assert coding in _error(refused, 415, "invalid_request_error")
    plain = client.post("/v1/messages", json=_body("openai/gpt-4o"), headers={"content-encoding": "identity"})
    assert plain.status_code == 200


def test_what_is_not_served_is_said(gateway: Gateway) -> None:
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.token, max_retries=0) as sdk:
        with pytest.raises(anthropic.NotFoundError, match="serves /v1/messages"):
            sdk.messages.batches.list()
        with pytest.raises(anthropic.NotFoundError, match="serves /v1/messages"):
            sdk.beta.files.list()


def test_unknown_paths_and_methods_answer_in_json(client: httpx.Client) -> None:
    _error(client.get("/v1/nothing/here"), 404, "not_found_error")
    wrong = client.get("/v1/messages")
    _error(wrong, 405, "invalid_request_error")
    assert wrong.headers["allow"] == "POST"
    assert client.post("/v1/messages/", json={}).status_code == 400, "a trailing slash is met, not redirected"


# --- a provider that fails --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [MODELS["openai_chat"], MODELS["gemini"]])
@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("rate_limit", 429, "rate_limit_error"),
        ("overloaded", 429, "rate_limit_error"),
        ("context", 400, "invalid_request_error"),
        ("auth", 502, "api_error"),
        ("model", 404, "not_found_error"),
        ("bad_request", 400, "invalid_request_error"),
        ("server", 503, "api_error"),
        ("html", 503, "api_error"),
    ],
)
def test_a_providers_refusal(
    kind: Any, status: int, error: str, model: str, gateway: Gateway, client: httpx.Client, provider: ScriptedProvider
) -> None:
    for stream in (False, True):
        provider.reply(Fail(kind))
        response = client.post("/v1/messages", json=_body(model, stream=stream))
        message = _error(response, status, error)
        if kind == "context":
            assert message.startswith("prompt is too long: ")
        if status == 429:
            assert int(response.headers["retry-after"]) >= 1
        row = _row(gateway, response.headers["request-id"])
        assert (row["outcome"], row["output_tokens"]) == ("upstream_error", 0)


def test_anthropics_own_refusal_is_forwarded_unmodified(client: httpx.Client, provider: ScriptedProvider) -> None:
    provider.reply(Fail("overloaded"))
    response = client.post("/v1/messages", json=_body(MODELS["anthropic"]))
    assert response.status_code == 529
    assert response.json()["error"]["type"] == "overloaded_error"


@DIALECTS
def test_a_provider_that_breaks_in_the_middle(
    model: str, gateway: Gateway, client: httpx.Client, provider: ScriptedProvider
) -> None:
    provider.reply(Reply([Text("one two three four five six seven")], fault=Cut(after=3)))
    response, raw = _stream(client, _body(model))
    transcript = check_stream(raw, relaxed=model.startswith("anthropic"))
    assert transcript.error is not None
    assert b"message_stop" not in raw
    row = _row(gateway, response.headers["request-id"])
    assert (row["outcome"], bool(row["exact"])) == ("upstream_error", False)


@DIALECTS
def test_a_provider_that_hangs(model: str, gateway: Gateway, client: httpx.Client, provider: ScriptedProvider) -> None:
    provider.reply(Hang())
    response, raw = _stream(client, _body(model))
    assert raw.count(b"event: ping") >= 2, "silence before the first event is bridged"
    assert b"event: error" in raw
    assert _row(gateway, response.headers["request-id"])["outcome"] == "upstream_error"


@DIALECTS
def test_a_client_that_leaves(model: str, gateway: Gateway, client: httpx.Client, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("word " * 200)], pace=0.05))
    with client.stream("POST", "/v1/messages", json=_body(model, stream=True)) as response:
        lines: Iterator[str] = response.iter_lines()
        for line in lines:
            if "content_block_delta" in line:
                break
    left = time.monotonic()
    seen = provider.wait_for_disconnect()
    assert time.monotonic() - left < 1.0, seen
    row = _row(gateway, response.headers["request-id"])
    assert (row["outcome"], bool(row["exact"])) == ("interrupted", False)
    assert row["output_tokens"] > 0
