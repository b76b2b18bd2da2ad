"""What a request declares as tools, told apart for providers that are not Anthropic."""

from __future__ import annotations

import pytest

from routing.upstream.errors import Unsupported
from routing.upstream.target import Quirks
from routing.upstream.tools import Choice, Function, check_number, choice, declared

from .factories import a_request, a_target

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}}


def test_functions_keep_their_order_schema_and_strictness() -> None:
    found = declared(
        a_request(
            tools=[
                {"name": "B", "description": "does b", "input_schema": SCHEMA},
                {"type": "custom", "name": "A", "input_schema": SCHEMA, "strict": True, "defer_loading": True},
            ]
        )
    )
    assert found.functions == (Function("B", "does b", SCHEMA), Function("A", "", SCHEMA, True))
    assert found.web_search is None
    assert found.names == ("B", "A")


def test_web_search_is_told_apart_and_tool_search_falls_away() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
    found = declared(a_request(tools=[search, {"type": "tool_search_tool_regex_20251119", "name": "tool_search"}]))
    assert found.web_search == search
    assert found.functions == ()


@pytest.mark.parametrize(
    ("kind", "name", "parameter"),
    [
        ("bash_20250124", "bash", "command"),
        ("text_editor_20250728", "str_replace_based_edit_tool", "old_str"),
        ("memory_20250818", "memory", "old_path"),
    ],
)
def test_tools_the_client_runs_get_the_schema_anthropic_keeps_to_itself(kind: str, name: str, parameter: str) -> None:
    (function,) = declared(a_request(tools=[{"type": kind, "name": name}])).functions
    assert function.name == name
    assert function.description
    assert parameter in function.schema["properties"]


@pytest.mark.parametrize("kind", ["code_execution_20250825", "web_fetch_20250910", "computer_20250124"])
def test_tools_only_anthropic_has_are_refused_by_name(kind: str) -> None:
    with pytest.raises(Unsupported, match=kind):
        declared(a_request(tools=[{"type": kind, "name": "n"}]))


def test_mcp_servers_are_refused_by_name() -> None:
    with pytest.raises(Unsupported, match="mcp_servers"):
        declared(a_request(mcp_servers=[{"type": "url", "url": "https://x.test", "name": "x"}]))


def test_choice() -> None:
    assert choice(a_request()) == Choice()
    assert choice(a_request(tool_choice={"type": "any", "disable_parallel_tool_use": True})) == Choice("any", "", False)
    assert choice(a_request(tool_choice={"type": "tool", "name": "A"})) == Choice("tool", "A")


def test_more_tools_than_the_provider_takes_are_refused_by_number() -> None:
    target = a_target("openai_chat", quirks=Quirks(max_tools=2))
    check_number(target, 2)
    check_number(a_target("openai_chat"), 500)
    with pytest.raises(Unsupported, match="3 tools were sent, and this model's provider takes at most 2"):
        check_number(target, 3)
