"""A Messages request in Gemini's words: everything of ``generateContent`` but the contents.

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from ..conversation import Conversation, normalise
from ..errors import Unsupported
from ..events import JSON
from ..messages import MessagesRequest
from ..parameters import (
    effort,
    json_schema,
    max_output,
    nearest,
    output_config,
    thinking,
    thinking_shown,
)
from ..target import Target
from ..toolnames import ToolNames
from ..tools import Function, Tools, choice, declared, written
from .gemini_content import Contents, Signatures
from .gemini_schema import parameters, response_schema

# The budgets that every model thinking in budgets takes (Flash-Lite: 512 to 24,576, Flash: 0 to 24,576, Pro: 128 to
# 32,768), for a model whose own range is not known. https://ai.google.dev/gemini-api/docs/thinking#set-budget
_COMMON_BUDGETS: Final = (512, 24576)
_DYNAMIC: Final = -1
_LEVELS: Final = ("minimal", "low", "medium", "high")
_EFFORT_BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192}  # above these the model decides


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The request's tools as Gemini gets them: functions for the client to run, and what becomes of a web search.

    ``declared``: what they were made of. ``search``: Google's is on. ``search_refused``: one was declared that cannot
    be had here; the answer says so.
    """

    declared: Tools
    functions: tuple[Function, ...]
    names: ToolNames
    search: JSON | None = None
    search_refused: JSON | None = None


def toolbox(target: Target, request: MessagesRequest) -> Toolbox:
    """Raises Unsupported for another server tool, by its name.

    Gemini takes its search or functions, not both ("Built-in tools and Function Calling cannot be combined in the
    same request"; where Gemini 3 can, it wants the search's own parts back, which no client keeps). So functions win,
    unless ``tool_choice`` names the search.
    """
    tools = declared(request)
    functions, search = tools.functions, tools.web_search
    if functions and not target.capabilities.tools:
        raise Unsupported("tools: this model calls no functions.")
    wanted = choice(request)
    if search is not None and wanted.kind == "tool" and wanted.name == search.get("name"):
        functions = ()
    names = tools.once("gemini names", lambda: ToolNames(tools.names, letter_first=True))
    searches = search is not None and not functions and target.capabilities.web_search
    return Toolbox(tools, functions, names, search if searches else None, None if searches else search)


def body(target: Target, request: MessagesRequest) -> bytes:
    """The body of ``generateContent`` and ``streamGenerateContent``. Raises Unsupported and Refused."""
    tools = toolbox(target, request)
    said = _said(target, request, tools)
    said["generationConfig"] = _generation_config(target, request, tools)
    return orjson.dumps(said)


def counted(target: Target, request: MessagesRequest) -> bytes:
    """The body of ``countTokens``: all that costs input, nothing that shapes the answer."""
    said = _said(target, request, toolbox(target, request))
    return orjson.dumps({"generateContentRequest": {"model": f"models/{target.model}", **said}})


def _said(target: Target, request: MessagesRequest, tools: Toolbox) -> JSON:
    """Instruction, tools and contents, the steadiest first: Gemini caches the longest common beginning."""
    conversation = normalise(request, keep_thinking=Signatures(target).kept)
    said: JSON = {}
    if instruction := _instruction(target, request, conversation, tools):
        said["systemInstruction"] = {"parts": [{"text": text} for text in instruction]}
    if tools.functions:
        declarations = tools.declared.once(
            "gemini", lambda: written(_declaration(function, tools.names) for function in tools.functions)
        )
        said["tools"] = [{"functionDeclarations": declarations}]
        if calling := _calling(request, tools.names):
            said["toolConfig"] = {"functionCallingConfig": calling}
    elif tools.search is not None:
        said["tools"] = [{"googleSearch": {}}]
    said["contents"] = Contents(target, tools.names).of(conversation)
    return said


def _instruction(target: Target, request: MessagesRequest, conversation: Conversation, tools: Toolbox) -> list[str]:
    """The system prompt, and what Gemini has no field for."""
    texts = list(conversation.system)
    for field, words in (("allowed_domains", "only these sites"), ("blocked_domains", "none of these sites")):
        if tools.search is not None and (domains := tools.search.get(field)):
            texts.append(f"When you search the web, use {words}: {', '.join(map(str, domains))}.")
    if (schema := json_schema(request)) is not None and not _formats(target, tools):
        written = orjson.dumps(schema).decode()
        texts.append(f"Give your final answer as JSON, without a code fence, that matches this JSON Schema:\n{written}")
    return texts


def _declaration(function: Function, names: ToolNames) -> JSON:
    declaration: JSON = {"name": names.wire(function.name), "description": function.description}
    if (said := parameters(function.schema)) is not None:
        declaration["parameters"] = said
    return declaration


def _calling(request: MessagesRequest, names: ToolNames) -> JSON:
    """``tool_choice``; ``disable_parallel_tool_use`` has no counterpart here."""
    wanted = choice(request)
    match wanted.kind:
        case "any":
            return {"mode": "ANY"}
        case "tool":
            return {"mode": "ANY", "allowedFunctionNames": [names.wire(wanted.name)]}
        case "none":
            return {"mode": "NONE"}
    return {}


def _generation_config(target: Target, request: MessagesRequest, tools: Toolbox) -> JSON:
    config: JSON = {"maxOutputTokens": max_output(request, target.capabilities)}
    if target.capabilities.sampling:
        for field, name in (("temperature", "temperature"), ("top_p", "topP"), ("top_k", "topK")):
            if request.body.get(field) is not None:
                config[name] = request.body[field]
        if config.get("topK") == 0:  # Anthropic's word for any number
            del config["topK"]
    if thought := _thinking(target, request):
        config["thinkingConfig"] = thought
    if (schema := json_schema(request)) is not None and _formats(target, tools):
        config["responseMimeType"] = "application/json"
        config["responseSchema"] = response_schema(schema)
    return config


def _formats(target: Target, tools: Toolbox) -> bool:
    """Whether Gemini holds an answer to a schema: it does so only beside no tool at all."""
    return target.capabilities.structured_output and not tools.functions and tools.search is None


def _thinking(target: Target, request: MessagesRequest) -> JSON:
    """``thinkingConfig``; a model that cannot stop thinking does as little of it as it can where none is asked for."""
    can = target.capabilities
    if can.reasoning == "none":
        return {}
    config: JSON = {}
    if can.reasoning == "budget":
        if (budget := _budget(request, can.thinking_budget)) is not None:
            config["thinkingBudget"] = budget
    elif level := nearest(effort(request, can) or "none", tuple(word for word in can.efforts if word in _LEVELS)):
        config["thinkingLevel"] = level.upper()
    if thinking_shown(request):
        config["includeThoughts"] = True
    return config


def _budget(request: MessagesRequest, known: tuple[int, int] | None) -> int | None:
    """Tokens to think with, in the model's range; None leaves it to the model's own default."""
    least, most = known or _COMMON_BUDGETS
    asked = thinking(request)
    if asked.get("type") not in ("adaptive", "enabled"):
        return least if known else None
    budget = asked.get("budget_tokens")
    if not isinstance(budget, int):
        budget = _EFFORT_BUDGETS.get(str(output_config(request).get("effort")), _DYNAMIC)
    return _DYNAMIC if budget == _DYNAMIC else min(max(budget, least), most)
