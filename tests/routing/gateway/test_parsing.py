"""What the gate checks of a body, in Anthropic's wording, and what it leaves alone."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from routing.gateway.errors import InvalidRequest
from routing.gateway.parsing import parse
from routing.upstream.tokens import estimate

GOOD: dict[str, Any] = {"model": "claude-x", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


def _user(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "The request body is not valid JSON"),
        (b"{", "The request body is not valid JSON"),
        (b'{"model": "\xff"}', "The request body is not valid JSON"),
        (b'{"model": NaN}', "The request body is not valid JSON"),
        (b"[]", "Input should be a valid dictionary"),
        (b'"text"', "Input should be a valid dictionary"),
        (b"[" * 100_000, "The request body is not valid JSON"),
    ],
)
def test_what_is_not_an_object_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse(raw)


@pytest.mark.parametrize("missing", ["model", "max_tokens", "messages"])
def test_a_missing_field_is_named(missing: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(InvalidRequest, match=rf"^{missing}: Field required$"):
        parse(orjson.dumps(body))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": 7}, "model: Input should be a valid string"),
        ({"model": ""}, "model: String should have between 1 and 256 characters"),
        ({"model": "x" * 257}, "model: String should have between 1 and 256 characters"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": "10"}, "max_tokens: Input should be a valid integer"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": {}}, "messages: Input should be a valid list"),
        ({"messages": ["hi"]}, "messages.0: Input should be a valid dictionary"),
        ({"messages": [{"content": "hi"}]}, "messages.0.role: Field required"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role: Input should be 'user' or 'assistant'"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content: Input should be a valid list"),
        (_user("hi"), "messages.0.content.0: Input should be a valid dictionary"),
        (_user({"text": "hi"}), "messages.0.content.0.type: Field required"),
        (_user({"type": "text"}), "messages.0.content.0.text.text: Field required"),
        (_user({"type": "image"}), "messages.0.content.0.image.source: Field required"),
        (
            _user({"type": "image", "source": {"type": "base64", "media_type": "image/png"}}),
            "messages.0.content.0.image.source.data: Field required",
        ),
        (_user({"type": "tool_result"}), "messages.0.content.0.tool_result.tool_use_id: Field required"),
        (
            _user({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": 1}]}),
            "messages.0.content.0.tool_result.content.0.text.text: Input should be a valid string",
        ),
        (_user({"type": "tool_use", "id": "a", "name": "b", "input": []}), "input: Input should be a valid dictionary"),
        ({"system": 3}, "system: Input should be a valid list"),
        ({"system": [{"type": "text"}]}, "system.0.text.text: Field required"),
        ({"tools": {}}, "tools: Input should be a valid list"),
        ({"tools": [{}]}, "tools.0.custom.name: Field required"),
        ({"tools": [{"type": "bash_20250124", "name": 7}]}, "tools.0.name: Input should be a valid string"),
        ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
        ({"tool_choice": "auto"}, "tool_choice.type: Input should be"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
        ({"stream": "yes"}, "stream: Input should be a valid boolean"),
        ({"temperature": 1.5}, "temperature: range: 0..1"),
        ({"temperature": "hot"}, "temperature: Input should be a valid number"),
        ({"top_k": -1}, "top_k: Input should be greater than or equal to 0"),
        ({"stop_sequences": "x"}, "stop_sequences: Input should be a valid list"),
        ({"stop_sequences": [1]}, "stop_sequences.0: Input should be a valid string"),
        ({"thinking": {}}, "thinking.type: Field required"),
        ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(orjson.dumps(GOOD | change))
    assert message in caught.value.message


def test_what_is_unknown_is_kept() -> None:
    body = GOOD | {
        "messages": [{"role": "user", "content": [{"type": "of_tomorrow", "x": 1}], "note": 1}],
        "tools": [{"type": "server_tool_20300101", "name": "later"}],
        "context_management": {"edits": []},
        "of_tomorrow": {"deep": [1, 2]},
        "thinking": {"type": "of_tomorrow"},
    }
    assert parse(orjson.dumps(body)).body == body


def test_counting_needs_no_max_tokens() -> None:
    body = {name: value for name, value in GOOD.items() if name != "max_tokens"}
    assert parse(orjson.dumps(body), counting=True).max_tokens == 0


def test_media_is_reckoned_apart_from_text() -> None:
    data = base64.b64encode(bytes(300_000)).decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image]}
    parsed = parse(orjson.dumps(GOOD | _user(image, result)))
    assert parsed.text_bytes < 1000
    assert parsed.media_tokens == 3200


def test_results_within_results_are_refused_before_they_outgrow_the_stack() -> None:
    content = b'"x"'
    for _ in range(505):  # the JSON itself is good for a thousand levels, two of which a result takes
        content = b'[{"type":"tool_result","tool_use_id":"a","content":' + content + b"}]"
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        parse(b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":' + content + b"}]}")


def test_an_input_of_a_thousand_levels_is_counted() -> None:
    depth = 1000
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    block = b'[{"type":"tool_use","id":"toolu_1","name":"Read","input":' + nested + b"}]"
    parsed = parse(b'{"model":"m","max_tokens":5,"messages":[{"role":"assistant","content":' + block + b"}]}")
    assert estimate(parsed.body, 0) >= depth
