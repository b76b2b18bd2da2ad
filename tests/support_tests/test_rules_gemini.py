"""What Google refuses is refused, in its words; what it takes is taken."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.provider import Reply, ScriptedProvider, ToolCall
from tests.support_tests.asking import Ask

D = "gemini"
USER = {"role": "user", "parts": [{"text": "hi"}]}
CALL = {"functionCall": {"name": "Bash", "args": {"command": "ls"}}}
RESPONSE = {"functionResponse": {"name": "Bash", "response": {"output": "ok"}}}
P = "tools[0].function_declarations[0].parameters"


def tools(**parameters: Any) -> list[dict[str, Any]]:
    schema = {"type": "OBJECT", "properties": {"a": parameters}}
    return [{"functionDeclarations": [{"name": "Bash", "parameters": schema}]}]


def named(name: str) -> list[dict[str, Any]]:
    return [{"functionDeclarations": [{"name": name}]}]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stream": True}, 'Unknown name "stream": Cannot find field.'),
        ({"generationConfig": {"max_tokens": 1}}, "Unknown name \"max_tokens\" at 'generation_config': Cannot find"),
        ({"tools": tools(type="STRING", const="x")}, f"Unknown name \"const\" at '{P}.properties[0].value': Cannot"),
        ({"tools": tools(**{"type": "STRING", "$schema": "x"})}, 'Unknown name "$schema" at'),
        ({"tools": tools(type="OBJECT", additionalProperties=False)}, 'Unknown name "additionalProperties" at'),
        ({"tools": tools(type="NUMBER", exclusiveMinimum=0)}, 'Unknown name "exclusiveMinimum" at'),
        ({"tools": tools(type=["STRING", "NULL"])}, "Proto field is not repeating, cannot start list."),
        ({"tools": tools(type="text")}, 'v1beta.Type), "text"'),
        ({"tools": tools(type="STRING", enum=[1])}, "(TYPE_STRING), 1"),
        ({"tools": tools(type="INTEGER", enum=["1"])}, "properties[a].enum: only allowed for STRING type"),
        ({"tools": tools(type="STRING", enum=[""])}, "properties[a].enum[0]: cannot be empty"),
        ({"tools": tools(type="STRING", format="uri")}, "format: only 'enum' and 'date-time' are supported for STRING"),
        ({"tools": tools(type="ARRAY")}, "properties[a].items: missing field"),
        ({"tools": tools(type="OBJECT", required=["b"])}, "properties[a].required[0]: property is not defined"),
        ({"tools": tools(type="STRING", items={"type": "STRING"})}, "items: only allowed for ARRAY type"),
        ({"tools": named("1x")}, "Invalid function name. Must start with a letter or an underscore."),
        ({"tools": named("x" * 65)}, "with a maximum length of 64."),
        ({"tools": [{}]}, "required one_of 'tool_type' must have one initialized field"),
        ({"tools": [*named("a"), {"googleSearch": {}}]}, "Built-in tools ({google_search}) and Function Calling"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "set without function_declarations."),
        ({"generationConfig": {"stopSequences": ["a"] * 6}}, "must not exceed 5"),
        ({"generationConfig": {"temperature": 3}}, "temperature must be in the range [0.0, 2.0]."),
        ({"generationConfig": {"maxOutputTokens": 100_000}}, "has a maxOutputTokens value of 100000"),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 30_000}}}, "choose a value between 1 and 24576."),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}, "Thinking level is not supported"),
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "user", "parts": []}]}, "contents.parts must not be empty."),
        ({"contents": [{"role": "user", "parts": [{"text": ""}]}]}, "required oneof field 'data' must have one"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "Please use a valid role: user, model."),
        ({"contents": [{"role": "model", "parts": [CALL]}]}, "function call turn comes immediately after a user turn"),
        ({"contents": [USER, {"role": "user", "parts": [RESPONSE]}]}, "immediately after a function call turn."),
        (
            {"contents": [USER, {"role": "model", "parts": [CALL, CALL]}, {"role": "user", "parts": [RESPONSE]}]},
            "number of function response parts is equal to the number of function call parts",
        ),
        (
            {"contents": [USER, {"role": "model", "parts": [{**CALL, "thoughtSignature": "Zm9v"}]}]},
            "Corrupted thought signature.",
        ),
        (
            {"contents": [USER, {"role": "model", "parts": [{**CALL, "thoughtSignature": "?"}]}]},
            "(TYPE_BYTES), Base64 decoding failed",
        ),
        (
            {"contents": [USER, {"role": "user", "parts": [{"functionResponse": {"name": "x", "response": "y"}}]}]},
            '(type.googleapis.com/google.protobuf.Struct), "y"',
        ),
    ],
)
def test_refusals(ask: Ask, fields: dict[str, Any], message: str) -> None:
    assert message in ask.refused(D, **fields)


def test_all_complaints_come_at_once(ask: Ask) -> None:
    answer = ask.plain(D, a=1, b=2).json()["error"]
    assert answer["message"].count("Cannot find field.") == 2
    assert len(answer["details"][0]["fieldViolations"]) == 2


@pytest.mark.parametrize(
    ("model", "config", "message"),
    [
        ("gemini-2.5-pro", {"thinkingBudget": 0}, "Budget 0 is invalid. This model only works in thinking mode."),
        ("gemini-3-pro-preview", {"thinkingBudget": 9, "thinkingLevel": "LOW"}, "only one of thinking budget and"),
        ("gemini-3-pro-preview", {"thinkingLevel": "MINIMAL"}, "Thinking level MINIMAL is not supported"),
    ],
)
def test_thinking_by_model(ask: Ask, model: str, config: dict[str, Any], message: str) -> None:
    assert message in ask.refused(D, model, generationConfig={"thinkingConfig": config})


def test_gemini_3_wants_its_signature_back(ask: Ask, provider: ScriptedProvider) -> None:
    model = "gemini-3-pro-preview"
    provider.reply(Reply([ToolCall("Bash", {}), ToolCall("Read", {})]))
    parts = ask.accepted(D, model)["candidates"][0]["content"]["parts"]
    assert ["thoughtSignature" in part for part in parts] == [True, False]
    responses = [
        {"functionResponse": {**{k: p["functionCall"][k] for k in ("id", "name")}, "response": {}}} for p in parts
    ]
    turn = {"role": "user", "parts": responses}
    ask.accepted(D, model, contents=[USER, {"role": "model", "parts": parts}, turn])
    bare = [{"functionCall": part["functionCall"]} for part in parts]
    message = ask.refused(D, model, contents=[USER, {"role": "model", "parts": bare}, turn])
    assert "function call `default_api:Bash` , position 2." in message
    # Once the user has spoken again, the step belongs to the past and is not looked at.
    ask.accepted(D, model, contents=[USER, {"role": "model", "parts": bare}, turn, USER])
    dummy = [{**bare[0], "thoughtSignature": "skip_thought_signature_validator"}, bare[1]]
    ask.accepted(D, model, contents=[USER, {"role": "model", "parts": dummy}, turn])


def test_takes_what_google_takes(ask: Ask) -> None:
    model, user = {"role": "model", "parts": [CALL]}, {"role": "user", "parts": [RESPONSE, {"text": "go on"}]}
    ask.accepted(D, contents=[USER, model, user], tools=tools(type="object", properties={}, nullable=True))
    ask.accepted(D, system_instruction={"parts": [{"text": "x"}]}, generation_config={"top_k": 3, "topP": 1})
    ask.accepted(D, tools=[{"google_search": {}}], generationConfig={"thinkingConfig": {"thinkingBudget": -1}})
    anything = {"$schema": "x", "const": 1}
    ask.accepted(D, tools=[{"functionDeclarations": [{"name": "a", "parametersJsonSchema": anything}]}])


def test_count_tokens_has_a_shape_of_its_own(ask: Ask) -> None:
    url = "/v1beta/models/gemini-2.5-flash:countTokens"
    assert ask.client.post(url, json={"contents": [USER]}).json()["totalTokens"] > 0
    refused = ask.client.post(url, json={"contents": [USER], "tools": []})
    assert 'Unknown name "tools": Cannot find field.' in refused.json()["error"]["message"]
    inner = {"model": "models/gemini-2.5-flash", "contents": [USER], "tools": named("a")}
    assert ask.client.post(url, json={"generateContentRequest": inner}).status_code == 200
