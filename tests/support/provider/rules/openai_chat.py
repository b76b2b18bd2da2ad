"""OpenAI's rules for chat completions: the parameters. Messages are judged in :mod:`.openai_messages`.

Source: platform.openai.com/docs/api-reference/chat/create, the parameter models of openai-python, and live wordings
quoted in public issues.
"""

from __future__ import annotations

import orjson

from ..dialect import Asked, Json
from .openai import (
    array,
    bad,
    decimal,
    integer,
    known,
    matches_name,
    metadata,
    need,
    one_of,
    typed,
    unsupported,
    words,
)
from .openai import text as bounded
from .openai_messages import check_messages
from .openai_models import (
    check_effort,
    is_openai_model,
    is_reasoning_model,
    output_limit,
    refuses_tools_in_chat,
    samples,
)
from .openai_schema import check_format, check_function

__all__ = ["check", "is_openai_model", "is_reasoning_model"]

_PARAMETERS = words(
    "messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key "
    "prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed "
    "service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity "
    "web_search_options"
)
_COMPATIBLE = words(
    "top_k min_p top_a repetition_penalty thinking reasoning provider models transforms route plugins usage "
    "chat_template_kwargs enable_thinking include_reasoning cache_prompt id_slot"
)
"""Further parameters of the servers that speak this dialect (DeepSeek, OpenRouter, vLLM, llama.cpp)."""


def check(asked: Asked) -> None:
    """Raise :class:`~..dialect.Refused` where OpenAI would refuse."""
    body = asked.body
    own = is_openai_model(asked.model)
    unknown = [key for key in body if key not in _PARAMETERS and (own or key not in _COMPATIBLE)]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise bad(f"Unrecognized request argument{plural} supplied: {', '.join(unknown)}")
    bounded(need(body, "model", "model"), "model", least=1)
    _check_sampling(body)
    if own:
        _check_family(body, asked.model)
    _check_stream(body)
    _check_tools(body)
    _check_format(body)
    _check_labels(body)
    check_messages(need(body, "messages", "messages"), own=own, model=asked.model)


def _check_sampling(body: Json) -> None:
    for name, least, most in (
        ("temperature", 0, 2),
        ("top_p", 0, 1),
        ("presence_penalty", -2, 2),
        ("frequency_penalty", -2, 2),
    ):
        if body.get(name) is not None:
            decimal(body[name], name, least, most)
    for name in ("max_tokens", "max_completion_tokens", "n"):
        if body.get(name) is not None:
            integer(body[name], name, 1)
    stop = body.get("stop")
    if isinstance(stop, list):
        for number, sequence in enumerate(array(stop, "stop", most=4)):
            bounded(sequence, f"stop[{number}]", least=1)
    elif stop is not None:
        typed(stop, "stop", str, "one of a string or array of strings")


def _check_family(body: Json, model: str) -> None:
    """What depends on the model: token limit and its name, search, what only reasoning models take or lack."""
    limit = output_limit(model)
    for name in ("max_tokens", "max_completion_tokens"):
        asked = body.get(name)
        if limit is not None and asked is not None and asked > limit:
            raise bad(
                f"{name} is too large: {asked}. This model supports at most {limit} completion tokens, whereas you "
                f"provided {asked}.",
                param=name,
                code="invalid_value",
            )
    if "web_search_options" in body and "-search" not in model:
        raise bad("Web search options not supported with this model.", param="web_search_options")
    if is_reasoning_model(model):
        _check_reasoning(body, model)
    elif body.get("reasoning_effort") is not None:
        raise bad("Unrecognized request argument supplied: reasoning_effort")


def _check_reasoning(body: Json, model: str) -> None:
    effort = body.get("reasoning_effort")
    if body.get("max_tokens") is not None:
        raise bad(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
            "instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    if effort is not None:
        check_effort(model, effort, "reasoning_effort", responses=False)
    if effort not in (None, "none") and body.get("tools") and refuses_tools_in_chat(model):
        raise bad(
            f"Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions. To use "
            "function tools, use /v1/responses or set reasoning_effort to 'none'.",
            param="reasoning_effort",
        )
    if body.get("stop") is not None:
        raise unsupported("stop")
    if model.startswith("o") and "parallel_tool_calls" in body:
        raise unsupported("parallel_tool_calls")
    if samples(model, effort):
        return
    temperature = body.get("temperature")
    if temperature is not None and temperature != 1:
        raise bad(
            f"Unsupported value: 'temperature' does not support {temperature:g} with this model. Only the default (1) "
            "value is supported.",
            param="temperature",
            code="unsupported_value",
        )
    for name in ("top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias"):
        if body.get(name) is not None:
            raise unsupported(name)


def _check_stream(body: Json) -> None:
    if "stream" in body and body["stream"] is not None:
        typed(body["stream"], "stream", bool, "a boolean")
    options = body.get("stream_options")
    if options is None:
        return
    if body.get("stream") is not True:
        raise bad(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    typed(options, "stream_options", dict, "an object")
    known(options, ("include_usage", "include_obfuscation"), "stream_options")


def _check_tools(body: Json) -> None:
    names: list[str] = []
    if "tools" in body and body["tools"] is not None:
        for number, tool in enumerate(array(body["tools"], "tools", least=1, most=128)):
            names.append(_check_tool(tool, f"tools[{number}]"))
    else:
        for name in ("tool_choice", "parallel_tool_calls"):
            if body.get(name) is not None and body[name] != "none":
                raise bad(f"'{name}' is only allowed when 'tools' are specified.", param=name)
    choice = body.get("tool_choice")
    if isinstance(choice, str):
        one_of(choice, "tool_choice", ("none", "auto", "required"))
    elif choice is not None:
        typed(choice, "tool_choice", dict, "one of a string or object")
        one_of(choice.get("type"), "tool_choice.type", ("function", "allowed_tools", "custom"))
        if choice["type"] == "function":
            function = need(choice, "function", "tool_choice.function")
            name = need(function, "name", "tool_choice.function.name")
            if name not in names:
                raise bad(f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice")


def _check_tool(tool: Json, path: str) -> str:
    typed(tool, path, dict, "an object")
    one_of(need(tool, "type", f"{path}.type"), f"{path}.type", ("function", "custom"))
    if tool["type"] == "custom":
        return str(tool.get("custom", {}).get("name"))
    known(tool, ("type", "function"), path)
    function = need(tool, "function", f"{path}.function")
    typed(function, f"{path}.function", dict, "an object")
    known(function, ("name", "description", "parameters", "strict"), f"{path}.function")
    name = need(function, "name", f"{path}.function.name")
    matches_name(name, f"{path}.function.name")
    if function.get("description") is not None:
        bounded(function["description"], f"{path}.function.description")
    if function.get("parameters") is not None:
        typed(function["parameters"], f"{path}.function.parameters", dict, "an object")
        strict = function.get("strict") is True
        check_function(name, function["parameters"], strict, f"{path}.function.parameters")
    return str(name)


def _check_format(body: Json) -> None:
    form = body.get("response_format")
    if form is None:
        return
    typed(form, "response_format", dict, "an object")
    one_of(form.get("type"), "response_format.type", ("text", "json_object", "json_schema"))
    if form["type"] == "json_object" and b"json" not in orjson.dumps(body.get("messages")).lower():
        raise bad(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            param="messages",
        )
    if form["type"] == "json_schema":
        described = need(form, "json_schema", "response_format.json_schema")
        known(described, ("name", "description", "schema", "strict"), "response_format.json_schema")
        name = need(described, "name", "response_format.json_schema.name")
        matches_name(name, "response_format.json_schema.name")
        if "schema" in described:
            check_format(name, described["schema"], described.get("strict") is True, "response_format")


def _check_labels(body: Json) -> None:
    """Metadata and the short strings that only label a request."""
    if body.get("metadata") is not None:
        metadata(body["metadata"])
        if body.get("store") is not True:
            raise bad("The 'metadata' parameter is only allowed when 'store' is enabled.", param="metadata")
    for name in ("user", "safety_identifier", "prompt_cache_key"):
        if body.get(name) is not None:
            bounded(body[name], name, most=64)
    if body.get("service_tier") is not None:
        one_of(body["service_tier"], "service_tier", ("auto", "default", "flex", "scale", "priority", "fast"))
    if body.get("verbosity") is not None:
        one_of(body["verbosity"], "verbosity", ("low", "medium", "high"))
