"""Tools: what is declared, what may be called, and what Anthropic's servers would have run."""

from __future__ import annotations

from typing import Any

import orjson

from tests.support.provider import Reply, Text, ToolCall, WebSearch
from tests.support.provider.record import Seen

from ..asking import TOOLS, text, user
from .cells import Check, Exchange, Feature, Section, absent, degraded, foreign, native, openai, refused

_LONG = "mcp__a_server_with_a_long_name__" + "x" * 60
_MANY = [TOOLS[0] | {"name": f"tool_{number}"} for number in range(129)]
_STRICT = [TOOLS[0] | {"strict": True}]
_SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
_ODD: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "format": {"type": ["string", "null"]},
        "$schema": {"const": 1},
        "thing": {"$ref": "#/$defs/thing"},
        "empty": {"enum": ["", "a"]},
        "above": {"type": "integer", "exclusiveMinimum": 0},
    },
    "$defs": {"thing": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"default": {}}}]}},
}
_NAMES = tuple(f'"{name}":' for name in ("format", "$schema", "thing", "empty", "above", "default"))


def functions(x: Exchange) -> list[dict[str, Any]]:
    """The declared functions, in any dialect."""
    return [
        function
        for tool in x.sent["tools"]
        for function in tool.get("functionDeclarations", [tool.get("function", tool)])
    ]


def _short(x: Exchange) -> bool:
    return 0 < len(functions(x)[0]["name"]) <= 64 and x.heard.tool_uses[0]["name"] == _LONG


def _found(x: Exchange) -> bool:
    blocks = [block for block in x.heard.content if block["type"] == "web_search_tool_result"]
    searches: int = x.heard.usage["server_tool_use"]["web_search_requests"]
    return searches >= 1 and blocks[0]["content"][0]["url"].startswith("https://")


def _failed(x: Exchange) -> bool:
    blocks = [block for block in x.heard.content if block["type"] == "web_search_tool_result"]
    return bool(blocks[0]["content"]["type"] == "web_search_tool_result_error")


def _all_named(x: Exchange) -> bool:
    written = orjson.dumps(x.sent["tools"]).decode()
    return all(name in written for name in _NAMES)


def _calls_first(seen: Seen) -> Reply:
    """A call of the first tool, under the name it was declared by."""
    declared = functions(Exchange.of(seen))
    return Reply([ToolCall(declared[0]["name"], {"path": "a"})])


def _searches(seen: Seen) -> Reply:
    """A search by the provider, and a call for one where the provider was only told of a function."""
    if seen.dialect == "openai_chat":
        return Reply([ToolCall("web_search", {"query": "who won"}), Text("I could not look.")])
    return Reply([WebSearch("who won"), Text("They did.", cites=(0,))])


def _typed(kind: str) -> Check:
    return lambda x: x.at("tools", 0, "type") == kind


_DECLARED = "declared as a function of that schema"

SECTION = Section(
    "Tools",
    (
        Feature(
            "JSON Schema of every kind",
            foreign(native(_all_named, "converted; names of properties survive")) | {"anthropic": native(_all_named)},
            body={"tools": [{"name": "odd", "description": "d", "input_schema": _ODD}]},
        ),
        Feature(
            "name of over 64 characters",
            foreign(native(_short, "shortened, and restored in the answer"))
            | {"anthropic": native(lambda x: x.heard.tool_uses[0]["name"] == _LONG)},
            body={"tools": [TOOLS[0] | {"name": _LONG}]},
            hook=_calls_first,
        ),
        Feature(
            "more than 128 tools",
            {
                "anthropic": native(lambda x: len(x.at("tools")) == len(_MANY)),
                "gemini": native(lambda x: len(x.at("tools", 0, "functionDeclarations")) == len(_MANY)),
                **openai(
                    refused("129 tools were sent, and this model's provider takes at most 128"),
                    refused("129 tools were sent, and this model's provider takes at most 128"),
                    absent("no limit of LiteLLM's own: the host's refusal is told"),
                ),
            },
            body={"tools": _MANY},
        ),
        Feature(
            "`strict`",
            {
                "anthropic": native(lambda x: x.at("tools", 0, "strict") is True),
                "gemini": degraded("not asked for: Gemini has no such word", lambda x: "strict" not in x.said),
                **openai(
                    native(lambda x: x.at("tools", 0, "function", "strict") is True),
                    native(lambda x: x.at("tools", 0, "strict") is True),
                    degraded("not asked for: few hosts know it", lambda x: "strict" not in x.said),
                ),
            },
            body={"tools": _STRICT},
        ),
        Feature(
            "`tool_choice` any",
            {
                "anthropic": native(lambda x: x.at("tool_choice", "type") == "any"),
                "gemini": native(lambda x: x.at("toolConfig", "functionCallingConfig", "mode") == "ANY"),
                **openai(*[native(lambda x: x.at("tool_choice") == "required")] * 2),
            },
            body={"tools": TOOLS, "tool_choice": {"type": "any"}},
        ),
        Feature(
            "`tool_choice` tool",
            {
                "anthropic": native(lambda x: x.at("tool_choice", "name") == "Read"),
                "gemini": native(
                    lambda x: x.at("toolConfig", "functionCallingConfig", "allowedFunctionNames") == ["Read"]
                ),
                **openai(
                    native(lambda x: x.at("tool_choice", "function", "name") == "Read"),
                    native(lambda x: x.at("tool_choice", "name") == "Read"),
                ),
            },
            body={"tools": TOOLS, "tool_choice": {"type": "tool", "name": "Read"}},
        ),
        Feature(
            "`tool_choice` none",
            {
                "anthropic": native(lambda x: x.at("tool_choice", "type") == "none"),
                "gemini": native(lambda x: x.at("toolConfig", "functionCallingConfig", "mode") == "NONE"),
                **openai(*[native(lambda x: x.at("tool_choice") == "none")] * 2),
            },
            body={"tools": TOOLS, "tool_choice": {"type": "none"}},
        ),
        Feature(
            "`disable_parallel_tool_use`",
            {
                "anthropic": native(lambda x: x.at("tool_choice", "disable_parallel_tool_use") is True),
                "gemini": degraded("not said: Gemini has no such word", lambda x: "arallel" not in x.said),
                **openai(*[native(lambda x: x.at("parallel_tool_calls") is False)] * 2),
            },
            body={"tools": TOOLS, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        Feature(
            "empty `tools`",
            foreign(native(lambda x: x.at("tools") is None and x.heard.text, "left out"))
            | {"anthropic": native(lambda x: x.at("tools") == [])},
            body={"tools": []},
        ),
        Feature(
            "`web_search`",
            {
                "anthropic": native(_found),
                "gemini": native(_found, "`googleSearch`"),
                **openai(
                    degraded("an error as the search's result: this model has none", _failed),
                    native(_found, "`web_search`"),
                ),
            },
            messages=(user(text("Perform a web search for: who won")),),
            body={"tools": [_SEARCH]},
            hook=_searches,
        ),
        Feature(
            "`bash`, `text_editor`, `memory` of the client",
            foreign(degraded(_DECLARED, lambda x: [each["name"] for each in functions(x)] == ["bash", "edit"]))
            | {"anthropic": native(lambda x: x.at("tools", 0, "type") == "bash_20250124")},
            body={
                "tools": [
                    {"type": "bash_20250124", "name": "bash"},
                    {"type": "text_editor_20250728", "name": "edit"},
                ]
            },
        ),
        Feature(
            "`tool_search`",
            foreign(degraded("left out: all tools are declared in full", lambda x: len(functions(x)) == 2))
            | {"anthropic": native(lambda x: len(x.at("tools")) == 3)},
            body={"tools": [*TOOLS, {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}]},
        ),
        *(
            Feature(
                f"`{kind.rpartition('_')[0]}`",
                foreign(refused(f"a tool of type `{kind}` is not to be had")) | {"anthropic": native(_typed(kind))},
                body={"tools": [{"type": kind, "name": name}]},
                headers={"anthropic-beta": "code-execution-2025-08-25,web-fetch-2025-09-10"},
            )
            for kind, name in (("code_execution_20250825", "code_execution"), ("web_fetch_20250910", "web_fetch"))
        ),
        Feature(
            "`mcp_servers`",
            foreign(refused("mcp_servers: this model's provider cannot connect to MCP servers"))
            | {"anthropic": native(lambda x: x.at("mcp_servers", 0, "name") == "m")},
            body={
                "mcp_servers": [{"type": "url", "url": "https://m.example", "name": "m"}],
                "tools": [{"type": "mcp_toolset", "mcp_server_name": "m"}],
            },
            headers={"anthropic-beta": "mcp-client-2025-11-20"},
        ),
    ),
)
