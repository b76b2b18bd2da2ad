"""What OpenAI refuses in chat completions is refused, in its words; what it takes is taken."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support_tests.asking import Ask

D = "openai_chat"
CALL = {"id": "call_1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
ASSISTANT = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}
USER = {"role": "user", "content": "hi"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
STRICT = {**SCHEMA, "additionalProperties": False}


def tool(name: str = "Bash", parameters: Any = SCHEMA, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters, **more}}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"thinking": {}}, "Unrecognized request argument supplied: thinking"),
        ({"a": 1, "b": 2}, "Unrecognized request arguments supplied: a, b"),
        ({"stream_options": {"include_usage": True}}, "only allowed when 'stream' is enabled"),
        ({"tools": []}, "Invalid 'tools': empty array."),
        ({"tool_choice": "auto"}, "'tool_choice' is only allowed when 'tools' are specified."),
        ({"parallel_tool_calls": False}, "'parallel_tool_calls' is only allowed when 'tools' are specified."),
        ({"tools": [tool("x" * 65)]}, "string too long. Expected a string with maximum length 64"),
        ({"tools": [tool("a.b")]}, "string does not match pattern"),
        ({"tools": [tool(parameters={})]}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'"),
        ({"tools": [tool(parameters={"type": "object"})]}, "In context=(), object schema missing properties."),
        ({"tools": [tool(parameters={**SCHEMA, "required": True})]}, "True is not of type 'array'."),
        (
            {"tools": [tool(parameters={"type": "object", "properties": {"l": {"type": "array"}}})]},
            "In context=('properties', 'l'), array schema missing items.",
        ),
        ({"tools": [tool(parameters={**SCHEMA, "anyOf": []})]}, "at the top level"),
        ({"tools": [tool(strict=True)]}, "'additionalProperties' is required to be supplied and to be false."),
        ({"tools": [tool(parameters={**STRICT, "required": []}, strict=True)]}, "Missing 'a'."),
        ({"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "X"}}}, "Tool choice 'X' not"),
        ({"stop": ["a"] * 5}, "Expected an array with maximum length 4, but got an array with length 5 instead."),
        ({"temperature": 3}, "Expected a value <= 2, but got 3 instead."),
        ({"max_tokens": 64_000}, "max_tokens is too large: 64000. This model supports at most 32768"),
        ({"reasoning_effort": "high"}, "Unrecognized request argument supplied: reasoning_effort"),
        ({"metadata": {"a": "b"}}, "The 'metadata' parameter is only allowed when 'store' is enabled."),
        ({"user": "x" * 65}, "Invalid 'user': string too long."),
        ({"prompt_cache_key": "x" * 65}, "Invalid 'prompt_cache_key': string too long."),
        ({"response_format": {"type": "json_object"}}, "must contain the word 'json'"),
    ],
)
def test_parameters(ask: Ask, fields: dict[str, Any], message: str) -> None:
    assert message in ask.refused(D, **fields)


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "Invalid 'messages': empty array."),
        ([{"role": "user"}], "Invalid value for 'content': expected a string, got null."),
        ([{"role": "bot", "content": "x"}], "Invalid value: 'bot'."),
        ([{"role": "user", "content": 3}], "expected one of a string or array of objects, but got an integer"),
        ([{**USER, "cache_control": {}}], "Unknown parameter: 'messages[0].cache_control'."),
        ([{"role": "assistant", "content": "x", "reasoning_content": "y"}], "messages[0].reasoning_content"),
        ([{"role": "user", "content": [{"type": "tool_result"}]}], "Invalid value: 'tool_result'."),
        ([USER, ASSISTANT], "did not have response messages: call_1"),
        ([USER, ASSISTANT, USER, RESULT], "did not have response messages: call_1"),
        ([USER, RESULT], "must be a response to a preceeding message with 'tool_calls'"),
        ([USER, ASSISTANT, {"role": "tool", "content": "x"}], "Missing parameter 'tool_call_id'"),
        ([USER, {"role": "assistant", "content": "x", "tool_calls": []}], "messages[1].tool_calls': empty array"),
        ([USER, {**ASSISTANT, "tool_calls": [{**CALL, "id": ""}]}], "tool_calls[0].id': empty string"),
        ([USER, {**ASSISTANT, "tool_calls": [{**CALL, "id": "x" * 41}]}], "maximum length 40"),
        (
            [
                USER,
                ASSISTANT,
                {**RESULT, "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]},
            ],
            "Image URLs are only allowed for messages with role 'user'",
        ),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:application/pdf;base64,aa"}}],
                }
            ],
            "unsupported image",
        ),
    ],
)
def test_messages(ask: Ask, messages: list[Any], message: str) -> None:
    assert message in ask.refused(D, messages=messages)


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        ("gpt-5", {"max_tokens": 9}, "Unsupported parameter: 'max_tokens' is not supported with this model."),
        ("o3", {"temperature": 0.5}, "'temperature' does not support 0.5 with this model."),
        ("gpt-5", {"top_p": 0.5}, "Unsupported parameter: 'top_p' is not supported with this model."),
        ("gpt-5.1", {"reasoning_effort": "high", "top_p": 0.5}, "Unsupported parameter: 'top_p'"),
        ("gpt-5.1", {"stop": ["x"]}, "Unsupported parameter: 'stop'"),
        ("gpt-5.1", {"reasoning_effort": "minimal"}, "Supported values are: 'none', 'low', 'medium', and 'high'."),
        ("gpt-5.1", {"reasoning_effort": "huge"}, "Invalid value: 'huge'."),
        ("gpt-5.4", {"reasoning_effort": "high", "tools": [tool()]}, "To use function tools, use /v1/responses"),
        ("o4-mini", {"tools": [tool()], "parallel_tool_calls": True}, "Unsupported parameter: 'parallel_tool_calls'"),
    ],
)
def test_model_families(ask: Ask, model: str, fields: dict[str, Any], message: str) -> None:
    assert message in ask.refused(D, model, **fields)


def test_takes_what_openai_takes(ask: Ask) -> None:
    ask.accepted(D, messages=[USER, ASSISTANT, RESULT, USER], tools=[tool(), tool("S", STRICT, strict=True)])
    ask.accepted(D, "gpt-5.1", temperature=0.5, max_completion_tokens=128_000)
    ask.accepted(D, "gpt-4.1", tools=[tool()], tool_choice="required", parallel_tool_calls=False, stop=["a"])
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aa", "detail": "low"}}
    ask.accepted(D, messages=[{"role": "user", "content": [{"type": "text", "text": "x"}, image]}])


def test_other_servers_take_more(ask: Ask) -> None:
    history = [USER, {"role": "assistant", "content": "x", "reasoning_content": "y"}, USER]
    ask.accepted(D, "deepseek-chat", messages=history, thinking={"type": "enabled"}, max_tokens=9)


def test_deepseek_wants_the_reasoning_of_a_call_back(ask: Ask) -> None:
    message = ask.refused(D, "deepseek-reasoner", messages=[USER, ASSISTANT, RESULT])
    assert message.startswith("Missing `reasoning_content` field in the assistant message at message index 1")
    ask.accepted(D, "deepseek-reasoner", messages=[USER, {**ASSISTANT, "reasoning_content": "y"}, RESULT])
