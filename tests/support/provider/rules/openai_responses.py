"""OpenAI's rules for Responses: the parameters. Input items are judged in :mod:`.openai_input`.

Source: platform.openai.com/docs/api-reference/responses/create, the parameter models of openai-python, and live
wordings quoted in public issues.
"""

from __future__ import annotations

from ..dialect import Asked, Json
from ..seal import Seal
from .openai import array, bad, decimal, integer, known, matches_name, metadata, need, one_of, typed, unsupported, words
from .openai import text as bounded
from .openai_input import check_input
from .openai_models import check_effort, is_reasoning_model, output_limit, samples
from .openai_schema import check_format, check_function

__all__ = ["check", "is_reasoning_model"]

_PARAMETERS = words(
    "background context_management conversation include input instructions max_output_tokens max_tool_calls "
    "metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key "
    "prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream "
    "stream_options temperature text tool_choice tools top_logprobs top_p truncation user"
)
_MOVED = {
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "messages": "input",
    "verbosity": "text.verbosity",
}
_INCLUDE = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
_SEARCH = ("web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11")
_TOOL_KEYS = {
    "function": {"type", "name", "description", "parameters", "strict", "defer_loading"},
    **{
        name: {"type", "filters", "search_context_size", "user_location", "external_web_access", "search_content_types"}
        for name in _SEARCH
    },
}
_OTHER_TOOLS = ("file_search", "computer_use_preview", "mcp", "code_interpreter", "image_generation", "custom", "shell")
_LEAST_OUTPUT = 16


def check(asked: Asked, seal: Seal) -> None:
    """Raise :class:`~..dialect.Refused` where OpenAI would refuse."""
    body = asked.body
    for key in body:
        if key in _MOVED:
            raise bad(
                f"Unsupported parameter: '{key}'. In the Responses API, this parameter has moved to '{_MOVED[key]}'. "
                "Try again with the new parameter. See the API documentation for more information: "
                "https://platform.openai.com/docs/api-reference/responses/create.",
                param=key,
                code="unsupported_parameter",
            )
    known(body, _PARAMETERS, "")
    bounded(need(body, "model", "model"), "model", least=1)
    _check_limits(body, asked.model)
    _check_reasoning(body, asked.model)
    _check_include(body, asked.model)
    _check_stream(body)
    _check_tools(body)
    _check_text(body)
    _check_labels(body)
    if body.get("previous_response_id") is not None:
        raise bad(
            f"Previous response with id '{body['previous_response_id']}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    if body.get("instructions") is not None:
        typed(body["instructions"], "instructions", str, "a string")
    check_input(need(body, "input", "input"), seal)


def _check_limits(body: Json, model: str) -> None:
    asked = body.get("max_output_tokens")
    if asked is not None:
        integer(asked, "max_output_tokens", _LEAST_OUTPUT)
        limit = output_limit(model)
        if limit is not None and asked > limit:
            raise bad(
                f"Invalid 'max_output_tokens': integer above maximum value. Expected a value <= {limit}, but got "
                f"{asked} instead.",
                param="max_output_tokens",
                code="integer_above_max_value",
            )
    for name, most in (("temperature", 2), ("top_p", 1)):
        if body.get(name) is not None:
            decimal(body[name], name, 0, most)


def _check_reasoning(body: Json, model: str) -> None:
    reasoning = body.get("reasoning")
    effort = None
    if reasoning is not None:
        typed(reasoning, "reasoning", dict, "an object")
        known(reasoning, ("effort", "summary", "generate_summary", "context", "mode"), "reasoning")
        effort = reasoning.get("effort")
        if not is_reasoning_model(model):
            for key in ("effort", "summary"):
                if reasoning.get(key) is not None:
                    raise unsupported(f"reasoning.{key}")
            return
        if effort is not None:
            check_effort(model, effort, "reasoning.effort", responses=True)
        if reasoning.get("summary") is not None:
            one_of(reasoning["summary"], "reasoning.summary", ("auto", "concise", "detailed"))
    if not samples(model, effort):
        for name in ("temperature", "top_p"):
            if body.get(name) is not None and body[name] != 1:
                # Without a code, unlike in chat completions.
                raise bad(f"Unsupported parameter: '{name}' is not supported with this model.", param=name)
    _check_minimal(body, effort)


def _check_minimal(body: Json, effort: str | None) -> None:
    if effort == "minimal":
        for tool in body.get("tools") or []:
            if tool.get("type") in _SEARCH:
                raise bad(
                    f"The following tools cannot be used with reasoning.effort 'minimal': {tool['type']}.",
                    param="tools",
                )


def _check_include(body: Json, model: str) -> None:
    for number, name in enumerate(array(body.get("include") or [], "include")):
        one_of(name, f"include[{number}]", _INCLUDE)
        if name == "reasoning.encrypted_content" and not is_reasoning_model(model):
            raise bad("Encrypted content is not supported with this model.", param="include")


def _check_stream(body: Json) -> None:
    options = body.get("stream_options")
    if options is None:
        return
    if body.get("stream") is not True:
        raise bad("The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options")
    known(options, ("include_obfuscation",), "stream_options")


def _check_tools(body: Json) -> None:
    names: list[str] = []
    for number, tool in enumerate(array(body.get("tools") or [], "tools", most=128)):
        path = f"tools[{number}]"
        typed(tool, path, dict, "an object")
        type_ = need(tool, "type", f"{path}.type")
        one_of(type_, f"{path}.type", (*_TOOL_KEYS, *_OTHER_TOOLS))
        known(tool, _TOOL_KEYS.get(type_, set(tool)), path)
        if type_ == "function":
            names.append(_check_function(tool, path))
    choice = body.get("tool_choice")
    if isinstance(choice, str):
        one_of(choice, "tool_choice", ("none", "auto", "required"))
        if choice == "required" and not body.get("tools"):
            raise bad("Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice")
    elif choice is not None:
        typed(choice, "tool_choice", dict, "one of a string or object")
        one_of(choice.get("type"), "tool_choice.type", ("function", "allowed_tools", *_SEARCH, *_OTHER_TOOLS))
        if choice["type"] == "function":
            known(choice, ("type", "name"), "tool_choice")
            name = need(choice, "name", "tool_choice.name")
            if name not in names:
                raise bad(f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice")


def _check_function(tool: Json, path: str) -> str:
    name = need(tool, "name", f"{path}.name")
    matches_name(name, f"{path}.name")
    if tool.get("description") is not None:
        bounded(tool["description"], f"{path}.description")
    parameters = need(tool, "parameters", f"{path}.parameters")
    if parameters is not None:
        typed(parameters, f"{path}.parameters", dict, "an object")
        # Left out, strict means "if it can be": only an explicit true refuses.
        check_function(name, parameters, tool.get("strict") is True, f"{path}.parameters")
    return str(name)


def _check_text(body: Json) -> None:
    text = body.get("text")
    if text is None:
        return
    typed(text, "text", dict, "an object")
    known(text, ("format", "verbosity"), "text")
    if text.get("verbosity") is not None:
        one_of(text["verbosity"], "text.verbosity", ("low", "medium", "high"))
    form = text.get("format")
    if form is None:
        return
    one_of(form.get("type"), "text.format.type", ("text", "json_object", "json_schema"))
    if form["type"] == "json_schema":
        known(form, ("type", "name", "description", "schema", "strict"), "text.format")
        name = need(form, "name", "text.format.name")
        matches_name(name, "text.format.name")
        schema = need(form, "schema", "text.format.schema")
        check_format(name, schema, form.get("strict") is True, "text.format.schema")


def _check_labels(body: Json) -> None:
    if body.get("metadata") is not None:
        metadata(body["metadata"])
    for name in ("user", "safety_identifier", "prompt_cache_key"):
        if body.get(name) is not None:
            bounded(body[name], name, most=64)
    if body.get("service_tier") is not None:
        one_of(body["service_tier"], "service_tier", ("auto", "default", "flex", "scale", "priority", "fast"))
    if body.get("truncation") is not None:
        one_of(body["truncation"], "truncation", ("auto", "disabled"))
