"""What a request declares as tools: functions the client runs, and tools Anthropic's servers would run.

Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, TypeVar

import orjson

from .errors import Unsupported
from .events import JSON
from .messages import MessagesRequest
from .target import Target
from .toolset import Toolset

T = TypeVar("T")

_EMPTY: Final[JSON] = {"type": "object", "properties": {}}
_STRING: Final[JSON] = {"type": "string"}
_INTEGER: Final[JSON] = {"type": "integer"}
_RANGE: Final[JSON] = {"type": "array", "items": _INTEGER}
_PATH: Final[JSON] = {"type": "string", "description": "Absolute path"}


def _object(required: tuple[str, ...], **properties: JSON) -> JSON:
    return {"type": "object", "properties": properties, "required": list(required)}


def _commands(*names: str) -> JSON:
    return {"type": "string", "enum": list(names)}


# Tools that the client runs and whose schema only Anthropic's models know by heart, by the type's undated name.
_KNOWN: Final[dict[str, tuple[str, JSON]]] = {
    "bash": (
        "Runs a command in a persistent bash session and gives its output. `restart` starts the session anew.",
        _object((), command=_STRING, restart={"type": "boolean"}),
    ),
    "text_editor": (
        "Views, creates and edits text files. `view` takes view_range; `create` takes file_text; `str_replace` takes "
        "old_str, which must occur exactly once, and new_str; `insert` takes insert_line and new_str.",
        _object(
            ("command", "path"),
            command=_commands("view", "create", "str_replace", "insert"),
            path=_PATH,
            view_range=_RANGE,
            file_text=_STRING,
            old_str=_STRING,
            new_str=_STRING,
            insert_line=_INTEGER,
        ),
    ),
    "memory": (
        "Keeps notes in files under /memories: view, create (file_text), str_replace (old_str, new_str), insert "
        "(insert_line, insert_text), delete, rename (old_path, new_path).",
        _object(
            ("command",),
            command=_commands("view", "create", "str_replace", "insert", "delete", "rename"),
            path=_PATH,
            view_range=_RANGE,
            file_text=_STRING,
            old_str=_STRING,
            new_str=_STRING,
            insert_line=_INTEGER,
            insert_text=_STRING,
            old_path=_PATH,
            new_path=_PATH,
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Function:
    """A tool the client runs. ``schema`` is the client's own object: read it, never write it.

    ``strict`` is whether the client asked that the arguments be held to the schema.
    """

    name: str
    description: str
    schema: JSON
    strict: bool = False


@dataclass(frozen=True)
class Tools:
    """What a request declares; shared by requests that declare the same, so nothing of it is ever written.

    ``web_search`` is the declaration of Anthropic's search tool (``max_uses``, ``allowed_domains``,
    ``blocked_domains``, ``user_location``), None where it was not declared.
    """

    functions: tuple[Function, ...] = ()
    web_search: JSON | None = None
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(function.name for function in self.functions)

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gave when it was first asked for as ``name``, a dialect's own word: shared too."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made


@dataclass(frozen=True, slots=True)
class Choice:
    """``tool_choice``: ``name`` is set for kind ``tool``; ``parallel`` is False where one call at a time is wanted."""

    kind: Literal["auto", "any", "tool", "none"] = "auto"
    name: str = ""
    parallel: bool = True


def declared(request: MessagesRequest) -> Tools:
    """The request's tools in its own order. Raises Unsupported, naming it, for a tool that only Anthropic has.

    A ``tool_search_*`` tool falls away: all tools are declared in full, which is what it searches for.
    """
    if request.body.get("mcp_servers"):
        raise Unsupported("mcp_servers: this model's provider cannot connect to MCP servers.")
    tools = request.body.get("tools") or ()
    if not isinstance(tools, Toolset):
        return _read(tools)
    if tools.declared is None:
        tools.declared = _read(tools)
    return tools.declared


def _read(tools: Iterable[JSON]) -> Tools:
    functions: list[Function] = []
    web_search: JSON | None = None
    for tool in tools:
        kind = str(tool.get("type") or "custom")
        if kind == "custom":
            functions.append(_function(tool))
        elif kind.startswith("web_search_"):
            web_search = tool
        elif (known := _KNOWN.get(kind.rpartition("_")[0])) is not None:
            functions.append(Function(str(tool.get("name") or kind.rpartition("_")[0]), *known))
        elif not kind.startswith("tool_search_"):
            raise Unsupported(f"tools: a tool of type `{kind}` is not to be had from this model's provider.")
    return Tools(tuple(functions), web_search)


def written(declarations: Iterable[JSON]) -> orjson.Fragment:
    """A provider's form of all tools as JSON, to be kept (``Tools.once``) and put into each request's body."""
    # A copy: what orjson wrote keeps the whole buffer it was written in.
    return orjson.Fragment(bytes(memoryview(orjson.dumps(list(declarations)))))


def check_number(target: Target, number: int) -> None:
    """Raises Unsupported for more tools than the provider takes: none is left out behind the client's back."""
    most = target.quirks.max_tools
    if most is not None and number > most:
        raise Unsupported(f"tools: {number} tools were sent, and this model's provider takes at most {most}.")


def choice(request: MessagesRequest) -> Choice:
    asked = request.body.get("tool_choice")
    if not isinstance(asked, dict):
        return Choice()
    kind = asked.get("type")
    parallel = asked.get("disable_parallel_tool_use") is not True
    return Choice(kind if kind in ("any", "tool", "none") else "auto", str(asked.get("name", "")), parallel)


def _function(tool: JSON) -> Function:
    schema: Any = tool.get("input_schema")
    description = tool.get("description")
    return Function(
        str(tool.get("name", "")),
        description if isinstance(description, str) else "",
        schema if isinstance(schema, dict) and schema else _EMPTY,
        tool.get("strict") is True,
    )
