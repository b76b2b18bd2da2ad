"""What OpenAI refuses in the Responses API is refused, in its words; what it takes is taken."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.provider import Reply, ScriptedProvider, Text, Thinking, ToolCall
from tests.support_tests.asking import Ask

D = "openai_responses"
USER = {"role": "user", "content": [{"type": "input_text", "text": "hi"}]}
CALL = {"type": "function_call", "call_id": "call_1", "name": "Bash", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def tool(name: str = "Bash", **more: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, "parameters": SCHEMA, **more}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"foo": 1}, "Unknown parameter: 'foo'."),
        ({"max_tokens": 9}, "this parameter has moved to 'max_output_tokens'"),
        ({"stop": ["x"]}, "Unknown parameter: 'stop'."),
        ({"max_output_tokens": 1}, "Expected a value >= 16, but got 1 instead."),
        ({"stream_options": {"include_obfuscation": False}}, "only allowed when 'stream' is enabled"),
        ({"stream": True, "stream_options": {"include_usage": True}}, "Unknown parameter: 'stream_options.include_us"),
        ({"reasoning": {"effort": "minimal"}}, "Unsupported value: 'minimal' is not supported with the 'gpt-5.1'"),
        ({"reasoning": {"effort": "low"}, "temperature": 0.2}, "Unsupported parameter: 'temperature'"),
        ({"include": ["x"]}, "Invalid value: 'x'."),
        ({"tools": [{"type": "function", "function": {"name": "x"}}]}, "Unknown parameter: 'tools[0].function'."),
        ({"tools": [tool("a b")]}, "string does not match pattern"),
        ({"tools": [tool(strict=True)]}, "'additionalProperties' is required"),
        ({"tools": [tool(cache_control={})]}, "Unknown parameter: 'tools[0].cache_control'."),
        ({"tool_choice": {"type": "function", "name": "X"}}, "Tool choice 'X' not found"),
        ({"previous_response_id": "resp_x"}, "Previous response with id 'resp_x' not found."),
        ({"prompt_cache_key": "x" * 65}, "Invalid 'prompt_cache_key': string too long."),
    ],
)
def test_parameters(ask: Ask, fields: dict[str, Any], message: str) -> None:
    assert message in ask.refused(D, **fields)


def test_models_that_do_not_reason(ask: Ask) -> None:
    message = ask.refused(D, "gpt-4.1", include=["reasoning.encrypted_content"])
    assert message == "Encrypted content is not supported with this model."
    message = ask.refused(D, "gpt-4.1", reasoning={"effort": "low"})
    assert message == "Unsupported parameter: 'reasoning.effort' is not supported with this model."


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([CALL], "No tool output found for function call call_1."),
        ([OUTPUT], "No tool call found for function call output with call_id call_1."),
        ([{**CALL, "id": "toolu_1"}, OUTPUT], "Expected an ID that begins with 'fc'."),
        ([{**CALL, "call_id": ""}, OUTPUT], "empty string"),
        ([{**CALL, "call_id": "x" * 65}], "maximum length 64"),
        ([{**USER, "cache_control": {}}], "Unknown parameter: 'input[0].cache_control'."),
        ([{"role": "user", "content": [{"type": "text", "text": "x"}]}], "Invalid value: 'text'."),
        ([{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}], "'output_text' and 'refusal'"),
        ([{"type": "tool_result"}], "Invalid value: 'tool_result'."),
        (
            [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAfooo"}, CALL, OUTPUT],
            "The encrypted content gAAA...fooo could not be verified.",
        ),
        ([{**OUTPUT, "output": []}], "empty array"),
    ],
)
def test_input(ask: Ask, items: list[Any], message: str) -> None:
    assert message in ask.refused(D, input=items)


def test_an_item_without_its_state_is_not_found(ask: Ask) -> None:
    answer = ask.plain(D, input=[{"type": "reasoning", "id": "rs_1", "summary": []}, CALL, OUTPUT])
    assert answer.status_code == 404
    assert "Items are not persisted when `store` is set to false." in answer.text


def test_own_reasoning_is_taken_back(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Thinking("hm"), ToolCall("Bash", {})]))
    said = ask.accepted(D, include=["reasoning.encrypted_content"], reasoning={"effort": "low", "summary": "auto"})
    reasoning, call = said["output"]
    assert reasoning["summary"] == [{"type": "summary_text", "text": "hm"}]
    output = {**OUTPUT, "call_id": call["call_id"]}
    ask.accepted(D, input=[USER, reasoning, call, output])
    message = ask.refused(D, input=[USER, reasoning, USER])
    assert message.endswith("of type 'reasoning' was provided without its required following item.")


def test_reasoning_is_only_shown_where_asked_for(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Thinking("hm"), Text("x")]), Reply([Thinking("hm"), Text("x")]))
    silent = ask.accepted(D)["output"][0]
    assert silent["summary"] == []
    assert "encrypted_content" not in silent
    assert [item["type"] for item in ask.accepted(D, "gpt-4.1")["output"]] == ["message"]
