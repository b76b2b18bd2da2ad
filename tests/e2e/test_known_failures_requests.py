"""What breaks in other gateways' requests, each as a test of its own over real HTTP, in every dialect concerned.

The numbers are those of the list of public complaints that the project keeps; each docstring names where it was seen.
"""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson
import pytest

from tests.support.provider import Fail, Reply, ScriptedProvider, Text, Thinking, ToolCall
from tests.support.provider.script import FailKind, Part

from .asking import (
    BOTH_MODES,
    DIALECTS,
    FOREIGN,
    FOREIGN_DIALECTS,
    MODELS,
    PNG,
    THINKING,
    TOOLS,
    Asker,
    assistant,
    call,
    result,
    text,
    user,
)


@DIALECTS
def test_05_tokens_are_counted_with_all_that_is_sent(model: str, client: httpx.Client) -> None:
    """litellm#13252, #15323, #29764, #37102: count_tokens missing, failing, or far too low."""

    def count(**more: Any) -> int:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]} | more
        response = client.post("/v1/messages/count_tokens?beta=true", json=body)
        assert response.status_code == 200, response.text
        tokens: int = response.json()["input_tokens"]
        return tokens

    alone = count()
    assert 0 < alone < 100
    assert count(system="You are kind. " * 100) > alone + 200
    tools = [TOOLS[0] | {"name": f"Read{number}"} for number in range(10)]
    assert count(tools=tools) > alone + 50
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    assert count(messages=[user(text("hi"), image)]) > alone + 20
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "word " * 400}}
    assert count(messages=[user(text("hi"), document)]) > alone + 300
    assert count(messages=[user(text("hi")), assistant(call("toolu_1")), user(result("toolu_1", "x " * 400))]) > 200


@DIALECTS
@pytest.mark.parametrize("kind", ["server", "rate_limit", "auth", "html"])
def test_05_a_counter_that_fails_is_no_failure(
    kind: FailKind, model: str, client: httpx.Client, provider: ScriptedProvider
) -> None:
    """litellm#13252, #15323: never a 500; what the provider does not count is estimated."""
    provider.counts(Fail(kind))
    body = {"model": model, "messages": [user(text("word " * 400))]}
    response = client.post("/v1/messages/count_tokens?beta=true", json=body)
    assert response.status_code == 200, response.text
    assert response.json()["input_tokens"] > 300


@DIALECTS
@BOTH_MODES
@pytest.mark.parametrize("kind", ["context", "context_with_max_tokens"])
def test_06_an_overflow_is_said_in_the_contracts_words(
    kind: FailKind, stream: bool, model: str, ask: Asker, provider: ScriptedProvider
) -> None:
    """claude-code-router#1799: overflow reported in the gateway's own words, session dead."""
    provider.reply(Fail(kind, tokens=210_000, limit=200_000))
    response = ask.post(model, stream=stream)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    if both := re.fullmatch(
        r"input length and `max_tokens` exceed context limit: (\d+) \+ (\d+) > (\d+), decrease input length or "
        r"`max_tokens` and try again",
        error["message"],
    ):
        assert kind == "context_with_max_tokens"
        assert int(both[1]) + int(both[2]) > int(both[3]) > 0
        return
    words = re.fullmatch(r"prompt is too long: (\d+) tokens > (\d+) maximum", error["message"])
    assert words is not None, error["message"]
    assert int(words[1]) > int(words[2]) > 0


@DIALECTS
@BOTH_MODES
def test_07_context_management_is_no_extra_input(
    stream: bool, model: str, ask: Asker, client: httpx.Client, provider: ScriptedProvider
) -> None:
    """litellm#26240, claude-code#21612: 400 `context_management: Extra inputs are not permitted`."""
    client.headers["anthropic-beta"] = "context-management-2025-06-27,effort-2025-11-24"
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    assert ask(model, context_management=edits, output_config={"effort": "high"}, stream=stream).text
    assert provider.refusals == []


@FOREIGN_DIALECTS
@BOTH_MODES
def test_08_what_the_next_release_sends_is_tolerated(
    stream: bool, model: str, ask: Asker, client: httpx.Client, provider: ScriptedProvider
) -> None:
    """litellm#20021, #26131: each client release breaks the gateway."""
    client.headers["anthropic-beta"] = "of-tomorrow-2030-01-01"
    block = {"type": "text", "text": "hi", "of_tomorrow": {"x": 1}}
    system = [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "2h", "scope": "x"}}]
    tools = [TOOLS[0] | {"eager": True, "defer_loading": True, "cache_control": {"type": "ephemeral"}}]
    assert ask(model, user(block), system=system, tools=tools, of_tomorrow=[1], speed="fast", stream=stream).text
    assert provider.refusals == []


@pytest.mark.parametrize("second", MODELS.values(), ids=list(MODELS))
@DIALECTS
@BOTH_MODES
def test_09_a_conversation_changes_provider_at_any_turn(
    stream: bool, model: str, second: str, ask: Asker, provider: ScriptedProvider
) -> None:
    """sub2api#2380, CLIProxyAPI#2172: "Invalid signature in thinking block" after a switch of provider."""
    step: list[Part] = [Thinking("I think"), ToolCall("Read", {"path": "a"})]
    provider.reply(Reply(step), Reply(step), Reply([Thinking("so"), Text("done")]))
    messages = [user(text("go"))]
    for turn in (model, second):
        heard = ask(turn, *messages, tools=TOOLS, thinking=THINKING, stream=stream)
        messages += [assistant(*heard.content), user(result(heard.tool_uses[0]["id"]))]
    assert ask(model, *messages, tools=TOOLS, thinking=THINKING, stream=stream).text == "done"
    assert provider.refusals == []


@BOTH_MODES
@pytest.mark.parametrize("model", ["gemini/gemini-2.5-pro", "gemini/gemini-3.1-pro-preview"])
def test_10_thought_signatures_travel_with_the_client(
    model: str, stream: bool, ask: Asker, provider: ScriptedProvider
) -> None:
    """claude-code-router#1032, #1057, #1431: function call without `thought_signature`."""
    step: list[Part] = [Thinking("hm"), ToolCall("Read", {"path": "a"}), ToolCall("Read", {"path": "a"})]
    provider.reply(Reply(step), Reply([Text("ok")]))
    heard = ask(model, tools=TOOLS, stream=stream, thinking=THINKING)
    results = [result(use["id"]) for use in heard.tool_uses]
    # What Claude Code returns: the known keys of a tool_use and no other.
    calls = [{key: use[key] for key in ("type", "id", "name", "input")} for use in heard.tool_uses]
    assert (
        ask(
            model,
            user(text("go")),
            assistant(*calls),
            user(*results),
            tools=TOOLS,
            stream=stream,
            thinking=THINKING,
        ).text
        == "ok"
    )
    assert provider.refusals == []
    sent = provider.inferences[-1].body["contents"]
    first = next(part for turn in sent for part in turn["parts"] if "functionCall" in part)
    assert provider.seal.wrote("gemini-thought", first["thoughtSignature"])


@FOREIGN_DIALECTS
@BOTH_MODES
def test_11_schemas_are_converted_and_names_survive(
    stream: bool, model: str, ask: Asker, provider: ScriptedProvider
) -> None:
    """1rgs PR#88, llmgateway#1763: 400 on `$schema`, `const`, `exclusiveMinimum`, type arrays."""
    properties: dict[str, Any] = {
        "format": {"type": "string", "format": "uri"},
        "properties": {"type": ["object", "null"], "additionalProperties": False},
        "default": {"const": "x"},
        "$schema": {"type": "integer", "exclusiveMinimum": 0},
        "one": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "ref": {"$ref": "#/$defs/thing"},
        "empty": {"enum": ["", "a"]},
        "list": {"type": "array"},
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": ["format", "properties"],
        "$defs": {"thing": {"type": "object", "properties": {"self": {"$ref": "#/$defs/thing"}}}},
    }
    assert ask(model, tools=[{"name": "odd", "description": "d", "input_schema": schema}], stream=stream).text
    assert provider.refusals == []
    sent = orjson.dumps(provider.inferences[-1].body["tools"]).decode()
    for name in properties:
        assert f'"{name}":' in sent


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o", "openai/o3-mini", "openai/gpt-5.1", "openai/gpt-4.1-mini", "gemini/gemini-2.5-pro"]
)
@BOTH_MODES
def test_12_the_output_limit_has_the_name_and_size_the_model_takes(
    stream: bool, model: str, ask: Asker, provider: ScriptedProvider
) -> None:
    """fuergaosi233 PR#35, copilot-api#222: `max_tokens` refused, wants `max_completion_tokens`."""
    ask(model, max_tokens=10_000_000, temperature=0.5, top_p=0.9, stream=stream)
    assert provider.refusals == []
    body = provider.inferences[-1].body
    sent = body.get("generationConfig", body)
    names = [
        name for name in ("maxOutputTokens", "max_tokens", "max_completion_tokens", "max_output_tokens") if name in sent
    ]
    assert len(names) == 1
    assert 1000 < sent[names[0]] <= 200_000


@FOREIGN_DIALECTS
@BOTH_MODES
def test_13_long_tool_names_are_shortened_and_restored(
    stream: bool, model: str, ask: Asker, provider: ScriptedProvider
) -> None:
    """litellm#17904: tool name over 64 characters refused."""
    names = ["mcp__a_server_with_a_long_name__" + "x" * 60 + str(number) for number in range(2)]
    tools = [TOOLS[0] | {"name": name} for name in names]
    provider.on(lambda seen: Reply([ToolCall(_declared(seen.body)[1], {"path": "a"})]) if not _answered(seen) else None)
    choice = {"type": "tool", "name": names[1]}
    heard = ask(model, tools=tools, tool_choice=choice, stream=stream)
    assert heard.tool_uses[0]["name"] == names[1]
    turn = assistant(*heard.content), user(result(heard.tool_uses[0]["id"]))
    assert ask(model, user(text("go")), *turn, tools=tools, stream=stream).text
    assert provider.refusals == []


def _declared(body: dict[str, Any]) -> list[str]:
    """The names of the declared functions, in any dialect."""
    return [
        function["name"]
        for tool in body["tools"]
        for function in tool.get("functionDeclarations", [tool.get("function", tool)])
    ]


def _answered(seen: Any) -> bool:
    return b"done" in orjson.dumps(seen.body)


# Anthropic judges its own requests: they pass untouched, so of these only the legal one goes there.
HISTORIES = ("interrupted", "orphan", "text first", "twice", "in the middle")
REPAIRED = [(model, case) for model in FOREIGN.values() for case in HISTORIES] + [(MODELS["anthropic"], "text first")]


@pytest.mark.parametrize(("model", "case"), REPAIRED)
@BOTH_MODES
def test_14_orphans_are_repaired(stream: bool, model: str, case: str, ask: Asker, provider: ScriptedProvider) -> None:
    """litellm#19061, #22946: tool_use without tool_result after an interrupt; user text between tool messages."""
    histories = {
        "interrupted": [assistant(call("toolu_1")), user(text("stop"))],
        "orphan": [assistant(text("x")), user(result("toolu_nowhere"), text("go on"))],
        "text first": [assistant(call("toolu_1")), user(result("toolu_1"), text("and then"))],
        "twice": [assistant(call("toolu_1")), user(result("toolu_1")), user(result("toolu_1"), text("x"))],
        "in the middle": [
            assistant(call("toolu_1"), call("toolu_2")),
            user(text("between"), result("toolu_2"), text("more"), result("toolu_1")),
        ],
    }
    assert ask(model, user(text("go")), *histories[case], tools=TOOLS, stream=stream).text
    assert provider.refusals == []


@FOREIGN_DIALECTS
@BOTH_MODES
def test_15_images_in_tool_results_arrive(stream: bool, model: str, ask: Asker, provider: ScriptedProvider) -> None:
    """litellm#6953, fuergaosi233#13: images inside a tool_result lost."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    turn = (
        assistant(call("toolu_1"), call("toolu_2")),
        user(result("toolu_1", [text("seen"), image]), result("toolu_2")),
    )
    assert ask(model, user(text("look")), *turn, tools=TOOLS, stream=stream).text
    assert provider.refusals == []
    assert PNG in orjson.dumps(provider.inferences[-1].body).decode()


@pytest.mark.parametrize("model", ["openai/gpt-4o", "gemini/gemini-2.5-pro", MODELS["litellm"]])
@BOTH_MODES
def test_17_stop_sequences_stay_a_list(stream: bool, model: str, ask: Asker, provider: ScriptedProvider) -> None:
    """new-api#7175: one-element `stop_sequences` turned into a string."""
    for count in (1, 9):
        provider.reply(Reply([Text("one END0 two")]))
        heard = ask(model, stop_sequences=[f"END{number}" for number in range(count)], stream=stream)
        assert heard.message is not None
        assert (heard.text, heard.stop_reason, heard.message["stop_sequence"]) == ("one ", "stop_sequence", "END0")
    assert provider.refusals == []


@FOREIGN_DIALECTS
@BOTH_MODES
def test_18_the_attribution_line_never_spoils_the_prompt_cache(
    stream: bool, model: str, ask: Asker, client: httpx.Client, provider: ScriptedProvider
) -> None:
    """claude-code-router#1372, 1rgs#99: attribution nonce defeats the prompt cache."""
    client.headers["x-claude-code-session-id"] = "session-1"
    sent = []
    for nonce in ("123", "456"):
        line = f"x-anthropic-billing-header: cc_version=2.1.197.{nonce}; cc_entrypoint=sdk-cli;"
        ask(model, system=[text(line), text("You are kind.")], stream=stream)
        sent.append(provider.inferences[-1].body)
    assert sent[0] == sent[1]
    assert "billing-header" not in orjson.dumps(sent[0]).decode()
