"""A request for chat completions, written from Anthropic's.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from typing import Final

import orjson

from .. import parameters
from ..caching import mark
from ..carried import tag
from ..conversation import CONTINUE_PREFILL, Turn, normalise, tool_result
from ..errors import Unsupported
from ..events import JSON
from ..messages import MessagesRequest
from ..strict_schema import function_parameters, strict_schema
from ..target import Target
from ..toolnames import ToolNames
from ..tools import Choice, Function, Tools, check_number, choice, declared, written
from .openai_chat_state import extra_content, is_own, provider_id, returned

MAX_STOPS: Final = 4
# A host that cannot search is told of a search all the same: if the model wants one, the client learns that it failed
# (CLIProxyAPI#364), instead of reading an answer from memory as if it had been searched for.
SEARCH_NAME: Final = "web_search"
_SEARCH: Final = Function(
    SEARCH_NAME,
    "Searches the web for current information.",
    {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
# In place of the reasoning behind another provider's call, to a host that refuses a call without any.
_ANOTHERS_REASONING: Final = "(not recorded)"
# Said between results and what a person says beside them, to a host that wants it so.
_RECEIVED: Final = "I have the results."
_REMINDER: Final = "<system-reminder>\n{}\n</system-reminder>"
_SCHEMA_REQUEST: Final = "Answer with nothing but a JSON value that follows this JSON Schema:\n{}"


def chat_body(target: Target, request: MessagesRequest) -> JSON:
    """The request as an object for orjson, parts of it written already.

    Raises Unsupported, naming the block, where it cannot be said.
    """
    tools = declared(request)
    names = tool_names(tools)
    answer_format = _response_format(target, request)
    asked = parameters.json_schema(request) if answer_format is None else None
    messages = _Messages(target, names).write(request, asked)
    if target.quirks.cache_control:
        mark(messages, request)
    body: JSON = {"model": target.model, "messages": messages}
    _add_tools(body, target, tools, names, choice(request))
    _add_limits(body, target, request)
    _add_sampling(body, target, request)
    if answer_format is not None:
        body["response_format"] = answer_format
    _add_identity(body, target, request)
    if request.stream:
        body["stream"] = True
        if target.quirks.stream_usage:
            body["stream_options"] = {"include_usage": True}
    return body


def searches(target: Target) -> bool:
    """Whether the model behind this host searches the web by itself when asked to."""
    return target.capabilities.web_search and target.quirks.web_search_options


def cut_here(target: Target, request: MessagesRequest) -> bool:
    """Whether the text may have to be cut here, and its stream will say what it has cost so far as it was written."""
    quirks = target.quirks
    return not quirks.stop_sequences and quirks.stream_usage and bool(parameters.stop_sequences(request))


def tool_names(tools: Tools) -> ToolNames:
    return tools.once("openai_chat names", lambda: ToolNames(_declared_names(tools)))


def _declared_names(tools: Tools) -> tuple[str, ...]:
    searched = tools.web_search is not None and SEARCH_NAME not in tools.names
    return (*tools.names, SEARCH_NAME) if searched else tools.names


# --- messages -------------------------------------------------------------------------------------------------------


class _Messages:
    """Writes the messages of one request."""

    def __init__(self, target: Target, names: ToolNames) -> None:
        self._target = target
        self._names = names
        self._tag = tag(target)
        self._system_role = "developer" if target.quirks.developer_role else "system"
        self._written: list[JSON] = []

    def write(self, request: MessagesRequest, schema: JSON | None) -> list[JSON]:
        """``schema`` is what the answer must follow and nothing but the prompt can say."""
        conversation = normalise(request, keep_thinking=lambda block: is_own(self._target, block))
        system = list(conversation.system)
        if schema is not None:
            system.append(_SCHEMA_REQUEST.format(orjson.dumps(schema).decode()))
        if system:
            self._written.append({"role": self._system_role, "content": "\n\n".join(system)})
        for turn in conversation.turns:
            if turn.role == "user":
                self._user(turn)
            elif turn.role == "assistant":
                self._assistant(turn)
            else:
                self._system(turn)
        if conversation.prefilled:
            self._say([{"type": "text", "text": CONTINUE_PREFILL}])
        return self._written

    def _system(self, turn: Turn) -> None:
        """A system message in the middle: many hosts' templates take one only at the very beginning."""
        text = "\n\n".join(block["text"] for block in turn.blocks)
        if self._target.quirks.system_anywhere:
            self._written.append({"role": self._system_role, "content": text})
        else:
            self._say([{"type": "text", "text": _REMINDER.format(text)}])

    def _user(self, turn: Turn) -> None:
        parts: list[JSON] = []
        for block in turn.blocks:
            kind = block["type"]
            if kind == "tool_result":
                result = tool_result(block)
                call_id = self._call_id(str(block.get("tool_use_id", "")))
                self._written.append({"role": "tool", "tool_call_id": call_id, "content": result.said})
                # A tool message holds text alone: its pictures follow when all results are told (litellm#6953).
                for media in result.media:
                    parts += self._lifted(media, call_id)
            elif kind == "text":
                parts.append({"type": "text", "text": block["text"]})
            else:
                parts.append(self._media(block))
        if parts:
            self._say(parts)

    def _say(self, parts: list[JSON]) -> None:
        """A user message; one after another become one, for templates that want the roles to alternate."""
        last = self._written[-1] if self._written else {}
        if last.get("role") == "tool" and self._target.quirks.assistant_after_tools:
            self._written.append({"role": "assistant", "content": _RECEIVED})
        elif last.get("role") == "user":
            said = last["content"]
            parts = [*([{"type": "text", "text": said}] if isinstance(said, str) else said), *parts]
            self._written.pop()
        plain = all(part["type"] == "text" for part in parts)
        content = "\n\n".join(part["text"] for part in parts) if plain else parts
        self._written.append({"role": "user", "content": content})

    def _assistant(self, turn: Turn) -> None:
        texts: list[str] = []
        calls: list[JSON] = []
        thinking: list[JSON] = []
        for block in turn.blocks:
            kind = block["type"]
            if kind == "text":
                texts.append(block["text"])
            elif kind == "tool_use":
                arguments = orjson.dumps(block.get("input") or {}).decode()
                function = {"name": self._names.wire(str(block.get("name", ""))), "arguments": arguments}
                call_id = self._call_id(block["id"])
                call = {"id": call_id, "type": "function", "function": function}
                calls.append(call | extra_content(self._tag, block["id"]))
            else:
                thinking.append(block)
        message: JSON = {"role": "assistant", "content": "\n\n".join(texts) if texts else None if calls else ""}
        if calls:
            message["tool_calls"] = calls
        if thinking:
            message |= returned(self._target, thinking)
        field = self._target.quirks.reasoning_field
        if field and calls and not message.get(field):
            message[field] = _ANOTHERS_REASONING
        self._written.append(message)

    def _call_id(self, client_id: str) -> str:
        return provider_id(self._tag, client_id, self._target.quirks.tool_id_length)

    def _lifted(self, media: JSON, call_id: str) -> list[JSON]:
        """A picture or document from a tool's result. An agent must go on after one that its model cannot see."""
        kind = media["type"]
        if not self._takes(kind):
            return [{"type": "text", "text": f"[The result of {call_id} held a {kind}, which this model cannot read.]"}]
        return [{"type": "text", "text": f"[{kind} from the result of {call_id}]"}, self._media(media)]

    def _takes(self, kind: str) -> bool:
        capabilities = self._target.capabilities
        return capabilities.vision if kind == "image" else capabilities.pdf

    def _media(self, block: JSON) -> JSON:
        """An ``image_url`` or ``file`` part."""
        kind = block["type"]
        if not self._takes(kind):
            raise Unsupported(f"A content block of type `{kind}` was sent, which {self._target.model} cannot read.")
        source = block["source"]
        url = source["url"] if source["type"] == "url" else f"data:{source['media_type']};base64,{source['data']}"
        if kind == "image":
            return {"type": "image_url", "image_url": {"url": url}}
        if source["type"] == "url":
            raise Unsupported(
                "A content block of type `document` with a URL cannot be sent to this model's provider; "
                "send its content as base64 instead."
            )
        return {"type": "file", "file": {"filename": _filename(block), "file_data": url}}


def _filename(block: JSON) -> str:
    title = block.get("title")
    name = title if isinstance(title, str) and title.strip() else "document"
    return name if name.lower().endswith(".pdf") else f"{name}.pdf"


# --- tools ----------------------------------------------------------------------------------------------------------


def _add_tools(body: JSON, target: Target, tools: Tools, names: ToolNames, chosen: Choice) -> None:
    functions = tools.functions
    if tools.web_search is not None:
        if searches(target):
            body["web_search_options"] = _search_options(tools.web_search)
        elif SEARCH_NAME not in tools.names:
            functions = (*functions, _SEARCH)
    if not functions:
        return  # an empty list is refused
    if not target.capabilities.tools:
        raise Unsupported(f"tools: {target.model} takes no tools.")
    check_number(target, len(functions))
    body["tools"] = tools.once(
        ("openai_chat", len(functions), target.quirks.strict_tools),  # with the search that fails it is one more
        lambda: written(_tool(function, names, target) for function in functions),
    )
    if chosen.kind == "any":
        body["tool_choice"] = "required"
    elif chosen.kind == "none":
        body["tool_choice"] = "none"
    elif chosen.kind == "tool" and any(function.name == chosen.name for function in functions):
        body["tool_choice"] = {"type": "function", "function": {"name": names.wire(chosen.name)}}
    if not chosen.parallel and target.capabilities.parallel_tools:
        body["parallel_tool_calls"] = False


def _tool(function: Function, names: ToolNames, target: Target) -> JSON:
    declaration: JSON = {"name": names.wire(function.name), "parameters": function_parameters(function.schema)}
    if function.description:
        declaration["description"] = function.description
    if function.strict and target.quirks.strict_tools and (strict := strict_schema(function.schema)) is not None:
        declaration |= {"parameters": strict, "strict": True}
    return {"type": "function", "function": declaration}


def _search_options(search: JSON) -> JSON:
    place = search.get("user_location")
    if not isinstance(place, dict):
        return {}
    approximate = {key: place[key] for key in ("city", "country", "region", "timezone") if place.get(key)}
    return {"user_location": {"type": "approximate", "approximate": approximate}}


# --- parameters -----------------------------------------------------------------------------------------------------


def _add_limits(body: JSON, target: Target, request: MessagesRequest) -> None:
    capabilities = target.capabilities
    reasons = capabilities.reasoning != "none"
    field = target.quirks.max_tokens_field or ("max_completion_tokens" if reasons else "max_tokens")
    body[field] = parameters.max_output(request, capabilities)
    if (effort := parameters.effort(request, capabilities)) is not None:
        body["reasoning_effort"] = effort


def _add_sampling(body: JSON, target: Target, request: MessagesRequest) -> None:
    if not target.capabilities.sampling:
        return
    for name in ("temperature", "top_p", *(("top_k",) if target.quirks.top_k else ())):
        if request.body.get(name) is not None:
            body[name] = request.body[name]
    if target.quirks.stop_sequences and (stops := parameters.stop_sequences(request)):
        body["stop"] = stops[:MAX_STOPS]


def _response_format(target: Target, request: MessagesRequest) -> JSON | None:
    """None where no schema is asked for, or none that the model takes: then the system prompt asks for it."""
    schema = parameters.json_schema(request)
    if schema is None or not target.capabilities.structured_output or schema.get("type", "object") != "object":
        return None
    strict = strict_schema(schema)
    asked: JSON = {"name": "answer", "schema": strict or function_parameters(schema), "strict": strict is not None}
    return {"type": "json_schema", "json_schema": asked}


def _add_identity(body: JSON, target: Target, request: MessagesRequest) -> None:
    """Cache key, pseudonym and tier: each only where the host is known to take it, for others refuse what is new."""
    quirks = target.quirks
    if quirks.prompt_cache_key and (key := parameters.cache_key(request)):
        body["prompt_cache_key"] = key
    if quirks.end_user_field and (user := parameters.end_user(request)):
        body[quirks.end_user_field] = user
    if quirks.service_tier and request.body.get("service_tier") == "standard_only":
        body["service_tier"] = "default"
