"""Requests of the shape that Claude Code 2.1 sends: its fields, blocks and two dozen tools, filled with filler text.

The real prompts and tool descriptions are Anthropic's; sizes and structure are what costs time, and those are kept.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any, Final

import orjson

SIZES: Final = {"1 KB": 1_000, "76 KB": 76_000, "500 KB": 500_000}
SESSIONS: Final = 4  # different clients: each has system text and tool descriptions of its own
TURNS: Final = 4  # different bodies a session

_TOOL_NAMES: Final = (
    "Agent Bash CronCreate CronDelete CronList Edit EnterWorktree ExitWorktree NotebookEdit Read ReportFindings "
    "ScheduleWakeup SendMessage Skill TaskCreate TaskGet TaskList TaskOutput TaskStop TaskUpdate WebFetch WebSearch "
    "Workflow Write"
)
_FILLER: Final = (
    "the a file path of to use when command output line read write only never this that tool call with for you must "
    "should not user agent result if absolute relative directory search pattern before after and or in on it is are"
)
_WORDS: Final = _FILLER.split()
_TOOL_BYTES: Final = 64_000  # of the 76 KB


def requests(size: str, model: str, *, stream: bool) -> list[bytes]:
    """Bodies of about ``SIZES[size]`` bytes: ``SESSIONS`` conversations, in each ``TURNS`` that end differently."""
    return [
        orjson.dumps(_body(SIZES[size], model, stream, session, turn))
        for session, turn in itertools.product(range(SESSIONS), range(TURNS))
    ]


def _body(size: int, model: str, stream: bool, session: int, turn: int) -> dict[str, Any]:
    chance = random.Random(f"{size}/{session}")  # noqa: S311 - filler, the same in every run
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": [_text(f"Turn {turn}: say hi", cached=True)]}],
        "metadata": {"user_id": orjson.dumps({"session_id": f"session-{session}"}).decode()},
        "max_tokens": 32_000,
        "stream": stream,
    }
    if size < _TOOL_BYTES:
        body["messages"][0]["content"][0]["text"] += " " + _prose(chance, size - len(orjson.dumps(body)))
        return body
    body["tools"] = [_tool(name, chance) for name in _TOOL_NAMES.split()]
    body["system"] = [
        _text("x-anthropic-billing-header: cc_version=2.1.197.123; cc_entrypoint=cli;"),
        _text("You are a coding agent.", cached=True),
        _text(_prose(chance, 9_000), cached=True),
    ]
    body["messages"].append({"role": "system", "content": _prose(chance, 300)})
    body |= {
        "thinking": {"type": "adaptive"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
    }
    body["messages"][:0] = list(_history(chance, size - len(orjson.dumps(body))))
    return body


def _text(text: str, *, cached: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": text} | ({"cache_control": {"type": "ephemeral"}} if cached else {})


def _prose(chance: random.Random, size: int) -> str:
    words: list[str] = []
    length = 0
    while length < size:
        words.append(chance.choice(_WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)


def _tool(name: str, chance: random.Random) -> dict[str, Any]:
    properties: dict[str, Any] = {
        f"{chance.choice(_WORDS)}_{number}": {
            "type": chance.choice(["string", "number", "boolean"]),
            "description": _prose(chance, 90),
        }
        for number in range(5)
    }
    properties["mode"] = {"type": "string", "enum": ["content", "files_with_matches", "count"]}
    properties["items"] = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"content": {"type": "string", "minLength": 1}, "status": {"enum": ["pending", "completed"]}},
            "required": ["content", "status"],
            "additionalProperties": False,
        },
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": list(properties)[:2],
        "additionalProperties": False,
    }
    described = _TOOL_BYTES // len(_TOOL_NAMES.split()) - len(orjson.dumps(schema)) - 60
    return {"name": name, "description": _prose(chance, described), "input_schema": schema}


def _history(chance: random.Random, size: int) -> Iterator[dict[str, Any]]:
    """Turns of calls and results before the last message, of about ``size`` bytes; nothing where that is little."""
    for number in itertools.count():
        if size < 2_000:
            return
        call = {
            "type": "tool_use",
            "id": f"toolu_{number:024d}",
            "name": "Read",
            "input": {"file_path": f"/src/{number}.py"},
        }
        result = {
            "type": "tool_result",
            "tool_use_id": call["id"],
            "content": _prose(chance, min(6_000, size - 400)),
            "is_error": False,
        }
        turn = [
            {"role": "user", "content": [_text("Look further.")]},
            {"role": "assistant", "content": [_text("I read the next file."), call]},
            {"role": "user", "content": [result]},
            {"role": "assistant", "content": [_text("Done.")]},
        ]
        size -= len(orjson.dumps(turn))
        yield from turn
