"""What breaks in other gateways' answers, each as a test of its own over real HTTP, in every dialect it can happen in.

The numbers are those of the list of public complaints that the project keeps; each docstring names where it was seen.
Every stream is judged by the strict grammar, and the scripted provider refuses what the real one would. Requests are
in ``test_known_failures_requests``, money and load in ``test_known_failures_load``.
"""

from __future__ import annotations

import time
from http.client import HTTPConnection
from typing import Any

import httpx
import orjson
import pytest

from tests.support.gateway import Gateway
from tests.support.grammar import check_stream
from tests.support.provider import Hang, Reply, ScriptedProvider, Text, Thinking, ToolCall, Usage, WebSearch, Wire
from tests.support.provider.script import Part

from .asking import (
    BOTH_MODES,
    DIALECTS,
    FOREIGN_DIALECTS,
    MODELS,
    THINKING,
    TOOLS,
    Asker,
    assistant,
    result,
    text,
    user,
)


@DIALECTS
def test_01_one_message_start_and_sequential_indices(model: str, ask: Asker, provider: ScriptedProvider) -> None:
    """litellm#13373, #14315: "Content block not found"."""
    provider.reply(Reply([Thinking("hm"), Text("I read."), ToolCall("Read", {"path": "a"})]))
    response = ask.post(model, tools=TOOLS, thinking=THINKING)
    assert response.content.count(b"event: message_start") == 1
    assert b"[DONE]" not in response.content
    assert check_stream(response.content, relaxed=model.startswith("anthropic")).stop_reason == "tool_use"


@DIALECTS
@BOTH_MODES
@pytest.mark.parametrize("merge", [1, 4])
def test_02_the_delta_that_opens_a_block_is_kept(
    merge: int, stream: bool, model: str, ask: Asker, provider: ScriptedProvider
) -> None:
    """litellm#30765, #32357, #30043: the delta that opens a new block is lost."""
    parts: list[Part] = [Thinking("first thought"), Text("ABCDEFGHIJ"), ToolCall("Read", {"path": "xyz"})]
    provider.reply(Reply(parts, delta=3, wire=Wire(merge=merge)))
    heard = ask(model, tools=TOOLS, thinking=THINKING, stream=stream)
    assert heard.text == "ABCDEFGHIJ"
    assert heard.tool_uses[0]["input"] == {"path": "xyz"}
    assert heard.thinking in ("first thought", "")


@DIALECTS
@BOTH_MODES
@pytest.mark.parametrize("interleave", [False, True])
def test_03_parallel_calls_stay_apart(
    interleave: bool, stream: bool, model: str, ask: Asker, provider: ScriptedProvider
) -> None:
    """litellm#15307, new-api#3040: parallel tool calls merged; results sent as separate turns."""
    calls = [ToolCall("Read", {"path": f"file-{number}"}) for number in range(3)]
    provider.reply(Reply(calls, delta=4, wire=Wire(interleave=interleave)), Reply([Text("ok")]))
    heard = ask(model, tools=TOOLS, stream=stream)
    assert [use["input"]["path"] for use in heard.tool_uses] == ["file-0", "file-1", "file-2"]
    assert len({use["id"] for use in heard.tool_uses}) == 3
    results = [result(use["id"], f"text {use['input']['path']}") for use in reversed(heard.tool_uses)]
    ask(model, user(text("go")), assistant(*heard.content), user(*results), tools=TOOLS, stream=stream)
    assert provider.refusals == []


@DIALECTS
def test_04_usage_is_never_zero_while_streaming(
    model: str, ask: Asker, gateway: Gateway, provider: ScriptedProvider
) -> None:
    """litellm#24176, CLIProxyAPI#1700, new-api#4760: usage 0, so auto-compaction never fires."""
    provider.reply(Reply([Text("hello")], usage=Usage(input=5000, cached=3000, output=7)))
    heard = ask(model, user(text("word " * 4000)))
    start = next(event for event in heard.events if event.name == "message_start")
    first = start.data["message"]["usage"]["input_tokens"]
    assert first > (1500 if model.startswith("anthropic") else 2500)
    assert (heard.usage["input_tokens"], heard.usage["cache_read_input_tokens"]) == (2000, 3000)
    assert heard.usage["output_tokens"] == 7


@FOREIGN_DIALECTS
@BOTH_MODES
def test_16_empty_text_never_comes_or_goes(stream: bool, model: str, ask: Asker, provider: ScriptedProvider) -> None:
    """litellm#22930: empty text block refused; session dead."""
    provider.reply(Reply([Text(""), ToolCall("Read", {"path": "a"})]))
    messages = [user(text(""), text("hi")), assistant(text("")), user(text("  "), text("again"))]
    heard = ask(model, *messages, tools=TOOLS, stream=stream)
    assert provider.refusals == []
    assert [block["type"] for block in heard.content if block["type"] != "thinking"] == ["tool_use"]


@DIALECTS
@BOTH_MODES
def test_19_counters_are_disjoint_and_each_is_priced(
    stream: bool, model: str, ask: Asker, gateway: Gateway, provider: ScriptedProvider
) -> None:
    """litellm#11364, #11973, #11935: cached tokens billed twice, or not."""
    reasoning = 0 if model in ("openai/gpt-4o", MODELS["anthropic"]) else 40
    provider.reply(Reply([Text("hello")], usage=Usage(input=1000, cached=600, output=100, reasoning=reasoning)))
    response = ask.post(model, stream=stream, thinking=THINKING)
    rows = gateway.rows("SELECT * FROM accounting_ledgerentry WHERE request_id = ?", response.headers["request-id"])
    row = rows[0]
    assert (row["input_tokens"], row["cache_read_tokens"]) == (400, 600)
    assert (row["output_tokens"], row["reasoning_tokens"]) == (100, reasoning)
    dollars: dict[str, tuple[str | float, ...]] = {  # per million tokens: input, cache read, output
        "anthropic": (2, "0.2", 10),
        "openai/gpt-4o": ("2.5", "1.25", 10),
        "openai/gpt-5.1": ("1.25", "0.125", 10),
        "gemini": ("1.25", "0.125", 10),
    }
    per = next((prices for name, prices in dollars.items() if model.startswith(name)), None)
    if per is None:
        assert row["cost"] is None, "a price that nobody knows is not zero"
    else:
        cost = 400 * float(per[0]) + 600 * float(per[1]) + 100 * float(per[2])
        assert row["cost"] == round(cost * 10_000), "in units of 1e-10 dollars"


@DIALECTS
def test_20_an_interrupted_call_is_on_the_ledger(
    model: str, client: httpx.Client, gateway: Gateway, provider: ScriptedProvider
) -> None:
    """litellm#14457, #13245: Esc in the client, no usage row. The rest is in test_surface."""
    provider.reply(Reply([Text("word " * 100)], pace=0.05))
    body = {"model": model, "max_tokens": 100, "messages": [user(text("hi"))], "stream": True}
    with client.stream("POST", "/v1/messages", json=body) as response:
        next(line for line in response.iter_lines() if "content_block_delta" in line)
    provider.wait_for_disconnect()
    row = _settled(gateway, response.headers["request-id"])
    assert (row["outcome"], bool(row["exact"])) == ("interrupted", False)
    assert row["input_tokens"] > 0
    assert row["output_tokens"] > 0


@DIALECTS
def test_20_a_client_that_leaves_before_a_plain_answer_is_on_the_ledger_too(
    model: str, gateway: Gateway, provider: ScriptedProvider
) -> None:
    provider.reply(Hang())
    body = {"model": model, "max_tokens": 100, "messages": [user(text("hi"))]}
    session = f"left-{model}"
    connection = HTTPConnection("127.0.0.1", gateway.port)
    headers = {"x-api-key": gateway.token, "x-claude-code-session-id": session}
    connection.request("POST", "/v1/messages", orjson.dumps(body), headers)
    provider.wait_for_request(timeout=30)
    connection.close()
    provider.wait_for_disconnect(timeout=30)
    row = _settled(gateway, session, column="session_id")
    assert (row["outcome"], bool(row["exact"])) == ("interrupted", False)
    assert row["input_tokens"] > 0


def _settled(gateway: Gateway, value: str, column: str = "request_id") -> dict[str, Any]:
    """The one row of a request, as soon as it is settled."""
    deadline = time.monotonic() + 20
    while True:
        rows = gateway.rows(f"SELECT * FROM accounting_ledgerentry WHERE {column} = ?", value)  # noqa: S608 - our own name
        if [row["state"] for row in rows] == ["settled"]:
            return rows[0]
        assert time.monotonic() < deadline, rows
        time.sleep(0.05)


@DIALECTS
def test_24_a_silent_model_is_bridged_by_pings(
    model: str, ask: Asker, gateway: Gateway, provider: ScriptedProvider
) -> None:
    """litellm PR#36024, claude-code#25979: long thinking = silent stream = abort."""
    provider.reply(Reply([Text("one two three four five six")], delta=4, fault=Hang(after=2, seconds=1.6)))
    response = ask.post(model)
    assert response.content.count(b"event: ping") >= 2
    assert check_stream(response.content, relaxed=model.startswith("anthropic")).text == "one two three four five six"


@FOREIGN_DIALECTS
@BOTH_MODES
def test_25_a_web_search_is_made_or_said_to_have_failed(
    stream: bool, model: str, ask: Asker, provider: ScriptedProvider
) -> None:
    """CLIProxyAPI#364, hebo-platform#451: WebSearch "0 searches" or 400."""
    found = WebSearch("who won"), Text("They did.", cites=(0,))
    searching = "gpt-5" in model or "gemini" in model
    provider.reply(Reply(found if searching else [Text("They did, as far as I remember.")]))
    tools = [{"type": "web_search_20250305", "name": "web_search", "max_uses": 8}]
    heard = ask(model, user(text("Perform a web search for: who won")), tools=tools, stream=stream)
    results = [block for block in heard.content if block["type"] == "web_search_tool_result"]
    assert results
    if isinstance(results[0]["content"], list):
        assert heard.usage["server_tool_use"]["web_search_requests"] >= 1
        assert results[0]["content"][0]["url"].startswith("https://")
    else:
        assert results[0]["content"]["type"] == "web_search_tool_result_error"
    assert provider.refusals == []
