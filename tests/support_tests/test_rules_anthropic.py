"""What Anthropic refuses is refused, in its words; what it takes is taken."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.provider import Reply, ScriptedProvider, Text, Thinking, ToolCall
from tests.support_tests.asking import Ask, body

D = "anthropic"
USER = {"role": "user", "content": "hi"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
TEXT = {"type": "text", "text": "x"}
TOOL = {"name": "Bash", "input_schema": {"type": "object", "properties": {}}}


def said(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def told(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"foo": 1}, "foo: Extra inputs are not permitted"),
        ({"context_management": {}}, "context_management: Extra inputs are not permitted"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"max_tokens": 65_000}, "max_tokens: 65000 > 64000, which is the maximum allowed number of output tokens"),
        ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
        ({"temperature": 1, "top_p": 1}, "`temperature` and `top_p` cannot both be specified"),
        ({"metadata": {"a": "b"}}, "metadata.a: Extra inputs are not permitted"),
        ({"stop_sequences": [" "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        ({"tools": [{**TOOL, "name": "a b"}]}, "tools.0.custom.name: String should match pattern"),
        ({"tools": [{"name": "a", "input_schema": {}}]}, "tools.0.custom.input_schema.type: Field required"),
        ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
        ({"tools": [{**TOOL, "x": 1}]}, "tools.0.custom.x: Extra inputs are not permitted"),
        ({"tools": [{"name": "a", "type": "strange_2025"}]}, "tools.0: Input tag 'strange_2025' found using 'type'"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice may only be specified while providing tools."),
        ({"thinking": {"type": "adaptive"}}, "adaptive thinking is not supported on this model"),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "greater than or equal to 1024"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, "`max_tokens` must be greater than `thinking.bud"),
        ({"system": [{"type": "text", "text": ""}]}, "system: text content blocks must be non-empty"),
    ],
)
def test_parameters(ask: Ask, fields: dict[str, Any], message: str) -> None:
    assert message in ask.refused(D, **fields)


def test_max_tokens_is_required(ask: Ask) -> None:
    asked = body(D)
    del asked["max_tokens"]
    assert ask.client.post("/v1/messages", json=asked).json()["error"]["message"] == "max_tokens: Field required"


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "messages: at least one message is required"),
        ([told(), USER], "messages.0: all messages must have non-empty content"),
        ([told({"type": "text", "text": ""})], "messages: text content blocks must be non-empty"),
        ([told({"type": "text", "text": " \n"})], "must contain non-whitespace text"),
        ([told({**TEXT, "foo": 1})], "messages.0.content.0.text.foo: Extra inputs are not permitted"),
        ([told({"type": "strange"})], "messages.0.content.0: Input tag 'strange' found using 'type'"),
        ([{"role": "system", "content": "x"}, USER], 'messages: Unexpected role "system".'),
        ([USER, said(CALL), USER], "messages.1: `tool_use` ids were found without `tool_result` blocks"),
        ([USER, said(CALL), told(TEXT, RESULT)], "`tool_use` ids were found without `tool_result` blocks"),
        ([told(RESULT)], "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
        ([USER, said(CALL), told(RESULT, RESULT)], "each tool_use must have a single result."),
        ([USER, said({**CALL, "id": "a.b"}), told(RESULT)], "tool_use.id: String should match pattern"),
        ([USER, said({**CALL, "input": "x"}), told(RESULT)], "tool_use.input: Input should be a valid dictionary"),
        (
            [USER, said({"type": "thinking", "thinking": "x", "signature": "y"}, TEXT), USER],
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
        ([USER, said({"type": "redacted_thinking", "data": "y"}, TEXT), USER], "Invalid `data` in `redacted_thinking`"),
        ([USER, {"role": "assistant", "content": "x "}], "final assistant content cannot end with trailing whitespace"),
        ([told(*[{**TEXT, "cache_control": {"type": "ephemeral"}}] * 5)], "A maximum of 4 blocks with cache_control"),
    ],
)
def test_messages(ask: Ask, messages: list[Any], message: str) -> None:
    assert message in ask.refused(D, messages=messages)


def test_newer_models_take_no_prefill(ask: Ask) -> None:
    message = ask.refused(D, "claude-sonnet-5", messages=[USER, {"role": "assistant", "content": "x"}])
    assert message.startswith("This model does not support assistant message prefill.")
    ask.accepted(D, messages=[USER, {"role": "assistant", "content": "x"}])


def test_betas_open_fields(ask: Ask) -> None:
    betas = "context-management-2025-06-27,mid-conversation-system-2026-04-07"
    asked = body(D, context_management={"edits": []}, messages=[USER, {"role": "system", "content": "x"}])
    answer = ask.client.post("/v1/messages", json=asked, headers={"anthropic-beta": betas})
    assert answer.status_code == 200, answer.text


def test_own_thinking_is_taken_back_unchanged(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Thinking("hm"), Thinking("", redacted=True), ToolCall("Bash", {})]))
    thinking = {"type": "enabled", "budget_tokens": 1_024}
    blocks = ask.accepted(D, thinking=thinking)["content"]
    assert [block["type"] for block in blocks] == ["thinking", "redacted_thinking", "tool_use"]
    result = {**RESULT, "tool_use_id": blocks[2]["id"]}
    ask.accepted(D, thinking=thinking, messages=[USER, said(*blocks), told(result)])
    changed = {**blocks[0], "thinking": "other"}
    assert "Invalid `signature`" in ask.refused(D, messages=[USER, said(changed, blocks[2]), told(result)])
    message = ask.refused(D, thinking=thinking, messages=[USER, said(blocks[2]), told(result)])
    assert message.startswith("messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found")


def test_thinking_is_only_shown_where_asked_for(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Thinking("hm"), Text("x")]))
    assert [block["type"] for block in ask.accepted(D)["content"]] == ["text"]


def test_claude_codes_own_request_is_taken(ask: Ask) -> None:
    asked = body(
        D,
        model="claude-opus-4-8",
        max_tokens=64_000,
        thinking={"type": "adaptive"},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        output_config={"effort": "high"},
        metadata={"user_id": '{"device_id":"d","account_uuid":"","session_id":"s"}'},
        system=[TEXT, {**TEXT, "cache_control": {"type": "ephemeral"}}],
        tools=[{**TOOL, "input_schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}}],
        messages=[USER, {"role": "system", "content": "x"}],
    )
    betas = "claude-code-20250219,context-management-2025-06-27,mid-conversation-system-2026-04-07,effort-2025-11-24"
    answer = ask.client.post("/v1/messages?beta=true", json=asked, headers={"anthropic-beta": betas})
    assert answer.status_code == 200, answer.text
