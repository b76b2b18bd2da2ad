"""A request for OpenAI's Responses, written from Anthropic's.

Source: https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from .. import parameters
from ..carried import tag
from ..conversation import CONTINUE_PREFILL, Turn, normalise, tool_result
from ..errors import Unsupported
from ..events import JSON
from ..messages import MessagesRequest
from ..strict_schema import function_parameters, strict_schema
from ..target import Target
from ..toolnames import ToolNames
from ..tools import Choice, Function, Tools, check_number, choice, declared, written
from ..websearch import NAME as SEARCH_NAME
from .openai_chat_state import provider_id
from .openai_responses_state import returned

MIN_OUTPUT: Final = 16  # less is refused
_SCHEMA_REQUEST: Final = "Answer with nothing but a JSON value that follows this JSON Schema:\n{}"
# Said to a model that cannot search: if it wants to, the client learns that the search failed (CLIProxyAPI#364).
_SEARCH: Final = Function(
    SEARCH_NAME,
    "Searches the web for current information.",
    {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)


def responses_body(target: Target, request: MessagesRequest) -> JSON:
    """The request as a JSON object. Raises Unsupported, naming the block, where it cannot be said."""
    tools = declared(request)
    names = tool_names(tools)
    conversation = normalise(request, keep_thinking=lambda block: returned(target, block) is not None)
    items = _Items(target, names)
    for turn in conversation.turns:
        items.write(turn)
    if conversation.prefilled:
        items.message("user", [_text(CONTINUE_PREFILL)])
    body: JSON = {"model": target.model, "input": items.written, "store": False, "stream": request.stream}
    if instructions := [*conversation.system, *_asked_format(target, request)]:
        body["instructions"] = "\n\n".join(instructions)
    body["max_output_tokens"] = max(parameters.max_output(request, target.capabilities), MIN_OUTPUT)
    _add_tools(body, target, tools, names, choice(request))
    _add_reasoning(body, target, request, searching=searches(target, tools))
    _add_sampling(body, target, request)
    _add_format(body, target, request)
    _add_identity(body, target, request)
    return body


def searches(target: Target, tools: Tools) -> bool:
    """Whether the request asks for a web search and the model can do it."""
    return tools.web_search is not None and target.capabilities.web_search


def search_fails(target: Target, tools: Tools) -> bool:
    """Whether a search was asked for that the model cannot do: then a call for one is answered with an error."""
    return tools.web_search is not None and not target.capabilities.web_search and SEARCH_NAME not in tools.names


def tool_names(tools: Tools) -> ToolNames:
    names = tools.names if tools.web_search is None else (*tools.names, SEARCH_NAME)
    return tools.once("openai_responses names", lambda: ToolNames(names))


# --- input ----------------------------------------------------------------------------------------------------------


class _Items:
    """Writes the turns of one request as input items."""

    def __init__(self, target: Target, names: ToolNames) -> None:
        self._target = target
        self._names = names
        self._tag = tag(target)
        self.written: list[JSON] = []

    def write(self, turn: Turn) -> None:
        if turn.role == "assistant":
            self._assistant(turn)
        elif turn.role == "system":
            self.message("developer", [_text(block["text"]) for block in turn.blocks])
        else:
            self._user(turn)

    def message(self, role: str, parts: list[JSON]) -> None:
        self.written.append({"type": "message", "role": role, "content": parts})

    def _user(self, turn: Turn) -> None:
        parts: list[JSON] = []
        for block in turn.blocks:
            kind = block["type"]
            if kind == "tool_result":
                self._result(block)
            else:
                parts.append(_text(block["text"]) if kind == "text" else self._media(block))
        if parts:
            self.message("user", parts)

    def _result(self, block: JSON) -> None:
        """A tool's result: text alone as a string, pictures and documents as the parts they are (litellm#6953)."""
        result = tool_result(block)
        output: str | list[JSON] = result.said
        if result.media:
            said = [_text(result.said)] if result.text or result.is_error else []
            output = [*said, *map(self._result_media, result.media)]
        call_id = provider_id(self._tag, str(block.get("tool_use_id", "")))
        self.written.append({"type": "function_call_output", "call_id": call_id, "output": output})

    def _assistant(self, turn: Turn) -> None:
        reasoning: list[JSON] = []
        texts: list[JSON] = []
        for block in turn.blocks:
            kind = block["type"]
            if kind == "text":
                # What leads to an item stands right before it; behind the last one it would lead nowhere.
                self._flush(reasoning)
                texts.append({"type": "output_text", "text": block["text"]})
                continue
            self._say(texts)
            if kind != "tool_use":
                if (item := returned(self._target, block)) is not None:
                    reasoning.append(item)
                continue
            self._flush(reasoning)
            self.written.append(
                {
                    "type": "function_call",
                    "call_id": provider_id(self._tag, block["id"]),
                    "name": self._names.wire(str(block.get("name", ""))),
                    "arguments": orjson.dumps(block.get("input") or {}).decode(),
                }
            )
        self._say(texts)

    def _flush(self, reasoning: list[JSON]) -> None:
        self.written += reasoning
        reasoning.clear()

    def _say(self, texts: list[JSON]) -> None:
        if texts:
            self.message("assistant", list(texts))
            texts.clear()

    def _result_media(self, block: JSON) -> JSON:
        """An agent must go on after a picture that its model cannot see."""
        if not self._takes(block["type"]):
            return _text(f"[The result held a {block['type']}, which this model cannot read.]")
        return self._media(block)

    def _takes(self, kind: str) -> bool:
        capabilities = self._target.capabilities
        return capabilities.vision if kind == "image" else capabilities.pdf

    def _media(self, block: JSON) -> JSON:
        kind, source = block["type"], block["source"]
        if not self._takes(kind):
            raise Unsupported(f"A content block of type `{kind}` was sent, which {self._target.model} cannot read.")
        by_url = source["type"] == "url"
        url = source["url"] if by_url else f"data:{source['media_type']};base64,{source['data']}"
        if kind == "image":
            return {"type": "input_image", "detail": "auto", "image_url": url}
        if by_url:
            return {"type": "input_file", "file_url": url}
        return {"type": "input_file", "filename": _filename(block), "file_data": url}


def _text(text: str) -> JSON:
    return {"type": "input_text", "text": text}


def _filename(block: JSON) -> str:
    title = block.get("title")
    name = title if isinstance(title, str) and title.strip() else "document"
    return name if name.lower().endswith(".pdf") else f"{name}.pdf"


# --- tools ----------------------------------------------------------------------------------------------------------


def _add_tools(body: JSON, target: Target, tools: Tools, names: ToolNames, chosen: Choice) -> None:
    functions = (*tools.functions, _SEARCH) if search_fails(target, tools) else tools.functions
    search = tools.web_search if searches(target, tools) else None
    if search is not None:
        body["include"] = ["web_search_call.action.sources"]
        if isinstance(uses := search.get("max_uses"), int) and uses > 0:
            body["max_tool_calls"] = uses  # counts the provider's own tools alone
    if not functions and search is None:
        return
    if not target.capabilities.tools:
        raise Unsupported(f"tools: {target.model} takes no tools.")
    check_number(target, len(functions) + (search is not None))
    body["tools"] = tools.once(
        ("openai_responses", search is not None, target.quirks.strict_tools),
        lambda: written(_declarations(functions, search, names, target)),
    )
    if (wanted := _tool_choice(chosen, names, functions, search)) is not None:
        body["tool_choice"] = wanted
    if not chosen.parallel and target.capabilities.parallel_tools:
        body["parallel_tool_calls"] = False


def _declarations(
    functions: tuple[Function, ...], search: JSON | None, names: ToolNames, target: Target
) -> Iterator[JSON]:
    for function in functions:
        yield _function(function, names, target)
    if search is not None:
        yield _web_search(search)


def _tool_choice(chosen: Choice, names: ToolNames, functions: tuple[Function, ...], search: JSON | None) -> Any:
    if chosen.kind in ("any", "none"):
        return "required" if chosen.kind == "any" else "none"
    if chosen.kind == "auto":
        return None
    if any(function.name == chosen.name for function in functions):
        return {"type": "function", "name": names.wire(chosen.name)}
    if search is None or chosen.name != search.get("name", SEARCH_NAME):
        return None
    # The search itself cannot be named; it can be all that is allowed.
    if not functions:
        return "required"
    return {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}


def _function(function: Function, names: ToolNames, target: Target) -> JSON:
    written: JSON = {
        "type": "function",
        "name": names.wire(function.name),
        "parameters": function_parameters(function.schema),
        "strict": False,  # left out, it would mean True
    }
    if function.description:
        written["description"] = function.description
    if function.strict and target.quirks.strict_tools and (strict := strict_schema(function.schema)) is not None:
        written |= {"parameters": strict, "strict": True}
    return written


def _web_search(tool: JSON) -> JSON:
    """Source: https://platform.openai.com/docs/guides/tools-web-search"""
    written: JSON = {"type": "web_search"}
    filters = {
        key: [str(domain).partition("://")[2] or str(domain) for domain in tool[key]]
        for key in ("allowed_domains", "blocked_domains")
        if tool.get(key)
    }
    if filters:
        written["filters"] = filters
    place = tool.get("user_location")
    if isinstance(place, dict):
        known = {key: place[key] for key in ("city", "country", "region", "timezone") if place.get(key)}
        written["user_location"] = {"type": "approximate"} | known
    return written


# --- parameters -----------------------------------------------------------------------------------------------------


def _add_reasoning(body: JSON, target: Target, request: MessagesRequest, *, searching: bool) -> None:
    if target.capabilities.reasoning == "none":
        return  # encrypted content is refused by models that do not reason
    reasoning: JSON = {}
    if (effort := parameters.effort(request, target.capabilities)) is not None:
        # "The following tools cannot be used with reasoning.effort 'minimal': web_search"
        reasoning["effort"] = "low" if searching and effort == "minimal" else effort
    if parameters.thinking_shown(request):
        reasoning["summary"] = "auto"
    if reasoning:
        body["reasoning"] = reasoning
    body["include"] = [*body.get("include", ()), "reasoning.encrypted_content"]


def _add_sampling(body: JSON, target: Target, request: MessagesRequest) -> None:
    for name in ("temperature", "top_p") if target.capabilities.sampling else ():
        if request.body.get(name) is not None:
            body[name] = request.body[name]


def _add_format(body: JSON, target: Target, request: MessagesRequest) -> None:
    schema = parameters.json_schema(request)
    if schema is None or not _takes_schema(target, schema):
        return  # where it cannot be said so, the instructions ask for it
    strict = strict_schema(schema)
    asked = {"type": "json_schema", "name": "answer", "schema": strict or schema, "strict": strict is not None}
    body["text"] = {"format": asked}


def _takes_schema(target: Target, schema: JSON) -> bool:
    """Only models that know structured output, and only an object at the top: OpenAI refuses any other."""
    return target.capabilities.structured_output and schema.get("type", "object") == "object"


def _asked_format(target: Target, request: MessagesRequest) -> list[str]:
    schema = parameters.json_schema(request)
    if schema is None or _takes_schema(target, schema):
        return []
    return [_SCHEMA_REQUEST.format(orjson.dumps(schema).decode())]


def _add_identity(body: JSON, target: Target, request: MessagesRequest) -> None:
    if key := parameters.cache_key(request):
        body["prompt_cache_key"] = key
    if target.quirks.end_user_field and (user := parameters.end_user(request)):
        body[target.quirks.end_user_field] = user
    if target.quirks.service_tier and request.body.get("service_tier") == "standard_only":
        body["service_tier"] = "default"
