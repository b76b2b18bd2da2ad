"""Reasoning of chat completions: shown, carried, and returned to who wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from routing.upstream.dialects.openai_chat_request import chat_body
from tests.routing.upstream.factories import a_request, a_target

from .completions import JSON, TARGET, THINKING, TOOLS, chunk, message, piece


def round_trip(found: JSON, target: Any = TARGET) -> JSON:
    """The assistant message that goes back to the provider after the client returned ``found``."""
    history = [{"role": "user", "content": "go"}, {"role": "assistant", "content": found["content"]}]
    history += [{"role": "user", "content": "more"}]
    sent: JSON = chat_body(target, a_request(messages=history))["messages"][1]
    return sent


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_thinking_and_comes_back(field: str) -> None:
    found = message(
        chunk(**{field: "Let me"}),
        chunk(**{field: " see"}),
        chunk(content="So."),
        chunk("stop"),
        request=a_request(thinking=THINKING),
    )
    assert [block["type"] for block in found["content"]] == ["thinking", "text"]
    assert found["content"][0]["thinking"] == "Let me see"
    assert round_trip(found)[field] == "Let me see"
    assert field not in round_trip(found, a_target("openai_chat", provider="another"))


def test_openrouters_details_come_back_whole() -> None:
    def detail(**fields: Any) -> list[JSON]:
        return [{"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1", **fields}]

    encrypted = {"type": "reasoning.encrypted", "index": 1, "data": "E1", "id": "rs_1"}
    found = message(
        chunk(reasoning="Let", reasoning_details=detail(text="Let")),
        chunk(reasoning=" me", reasoning_details=detail(text=" me")),
        chunk(reasoning_details=detail(signature="SIG", text=None)),
        chunk(reasoning_details=[encrypted]),
        chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments="{}")]),
        chunk("tool_calls"),
        request=a_request(thinking=THINKING, tools=TOOLS),
    )
    assert [block["type"] for block in found["content"]] == ["thinking", "tool_use"]
    sent = round_trip(found)
    assert sent["reasoning_details"] == [*detail(text="Let me", signature="SIG"), encrypted]
    assert "reasoning" not in sent


def test_reasoning_nobody_asked_for_is_not_shown() -> None:
    found = message(chunk(reasoning_content="Hm"), chunk(content="So."), chunk("stop"))
    assert found["content"] == [{"type": "text", "text": "So."}]


def test_but_comes_back_where_a_call_followed() -> None:
    found = message(
        chunk(reasoning_content="Hm"),
        chunk(content="I look."),
        chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments="{}")]),
        chunk("tool_calls"),
    )
    assert [block["type"] for block in found["content"]] == ["text", "redacted_thinking", "tool_use"]
    assert round_trip(found)["reasoning_content"] == "Hm"


def test_mistrals_content_in_parts() -> None:
    thoughts = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    found = message(
        chunk(content=[thoughts]),
        chunk(content=[{"type": "text", "text": "So."}]),
        chunk("stop"),
        request=a_request(thinking=THINKING),
    )
    assert [block["type"] for block in found["content"]] == ["thinking", "text"]
