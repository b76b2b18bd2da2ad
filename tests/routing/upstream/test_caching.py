from __future__ import annotations

from typing import Any

import pytest

from routing.upstream.dialects.openai_chat_request import chat_body
from routing.upstream.target import Quirks

from .factories import a_request, a_target

CONTROL = {"type": "ephemeral", "ttl": "1h"}
SYSTEM = [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be brief.", "cache_control": CONTROL}]
LAST: list[dict[str, Any]] = [
    {"type": "text", "text": "one"},
    {"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}},
]
CALL = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "found", "cache_control": CONTROL}


def written(*, taken: bool = True, **fields: Any) -> list[dict[str, Any]]:
    target = a_target("openai_chat", quirks=Quirks(cache_control=taken))
    messages: list[dict[str, Any]] = chat_body(target, a_request(**fields))["messages"]
    return messages


def test_behind_the_system_prompt_and_behind_what_was_said_last() -> None:
    system, user = written(system=SYSTEM, messages=[{"role": "user", "content": LAST}])
    assert system["content"] == [{"type": "text", "text": "Be kind.\n\nBe brief.", "cache_control": CONTROL}]
    assert user["content"] == [{"type": "text", "text": "one\n\ntwo", "cache_control": {"type": "ephemeral"}}]


def test_on_a_tools_result() -> None:
    said = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [CALL]},
        {"role": "user", "content": [RESULT]},
    ]
    assert written(messages=said)[-1]["content"] == [{"type": "text", "text": "found", "cache_control": CONTROL}]


def test_on_the_last_part_of_several() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}, "cache_control": CONTROL}
    (user,) = written(messages=[{"role": "user", "content": [LAST[0], picture]}])
    assert [part.get("cache_control") for part in user["content"]] == [None, CONTROL]


@pytest.mark.parametrize("where", ["tools", "top"])
def test_tools_stand_before_the_system_prompt_and_a_mark_on_all_is_one_on_both(where: str) -> None:
    tool = {"name": "Read", "input_schema": {"type": "object"}, "cache_control": CONTROL}
    fields: dict[str, Any] = {"tools": [tool]} if where == "tools" else {"cache_control": CONTROL}
    system, user = written(system="Be kind.", **fields)
    assert system["content"][0]["cache_control"] == CONTROL
    assert user["content"] == ("hi" if where == "tools" else [{"type": "text", "text": "hi", "cache_control": CONTROL}])


@pytest.mark.parametrize("fields", [{}, {"cache_control": None}, {"cache_control": "x"}, {"system": [{"text": "s"}]}])
def test_without_any_nothing_changes(fields: dict[str, Any]) -> None:
    assert written(**fields) == written(taken=False, **fields)


def test_what_only_anthropic_knows_of_a_breakpoint_stays_here() -> None:
    control: dict[str, Any] = {"type": "ephemeral", "ttl": "1h", "scope": "global", "later": 1}
    (user,) = written(messages=[{"role": "user", "content": [{**LAST[0], "cache_control": control}]}])
    assert user["content"][0]["cache_control"] == CONTROL
    (user,) = written(messages=[{"role": "user", "content": [{**LAST[0], "cache_control": {**control, "ttl": "1d"}}]}])
    assert user["content"][0]["cache_control"] == {"type": "ephemeral"}


def test_a_host_that_is_not_said_to_take_them_gets_none() -> None:
    assert "cache_control" not in str(written(taken=False, system=SYSTEM, messages=[{"role": "user", "content": LAST}]))
