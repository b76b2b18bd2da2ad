"""Google's rules: the request as a whole, tools and generation settings.

Source: ai.google.dev/api/generate-content, /gemini-api/docs/thinking, /docs/function-calling; wordings as the live API
gives them, quoted in public issues of google-gemini/gemini-cli and BerriAI/litellm.
"""

from __future__ import annotations

import re
from typing import Any

from ..dialect import Asked
from ..seal import Seal
from .gemini_proto import Parser, invalid
from .gemini_schema import complaints
from .gemini_turns import check_contents

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_BUDGETS = (
    ("gemini-2.5-pro", 128, 32_768, False),
    ("gemini-2.5-flash-lite", 512, 24_576, True),
    ("gemini-2.5-flash", 1, 24_576, True),
    ("gemini-3", 1, 65_536, False),
)
"""Model prefix, least and most thinking budget, whether 0 (no thinking) is taken."""
_OUTPUT_LIMITS = (("gemini-1.5", 8_192), ("gemini-2.0", 8_192), ("gemini-", 65_536))
_BUILT_IN = {"googleSearch": "google_search", "codeExecution": "code_execution", "urlContext": "url_context"}
_MOST_STOPS = 5


def is_gemini_3(model: str) -> bool:
    """Whether the model is of the family that demands thought signatures."""
    return model.startswith("gemini-3")


def check(asked: Asked, seal: Seal) -> None:
    """Raise :class:`~..dialect.Refused` where Google would refuse."""
    parser = Parser()
    if asked.path.endswith(":countTokens"):
        count = parser.message("CountTokensRequest", asked.body, "")
        parser.finish()
        inner = count.get("generateContentRequest")
        if inner is None:
            check_contents(count.get("contents") or [], seal, needs_signatures=False)
            return
        if not str(inner.get("model", "")).startswith("models/"):
            raise invalid("* GenerateContentRequest.model: unexpected model name format\n")
        request = inner
    else:
        request = parser.message("GenerateContentRequest", asked.body, "")
        parser.finish()
    _check_tools(request, asked.model)
    _check_tool_config(request)
    _check_generation(request, asked.model)
    system = request.get("systemInstruction")
    if system is not None and not any(part.get("text") for part in system.get("parts") or []):
        raise invalid("* GenerateContentRequest.system_instruction.parts: contents.parts must not be empty.\n")
    check_contents(request.get("contents") or [], seal, needs_signatures=is_gemini_3(asked.model))


def _functions(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for tool in request.get("tools") or [] for one in tool.get("functionDeclarations") or []]


def _check_tools(request: dict[str, Any], model: str) -> None:
    lines: list[str] = []
    for number, tool in enumerate(request.get("tools") or []):
        where = f"GenerateContentRequest.tools[{number}]"
        if not tool:
            lines.append(f"* {where}.tool_type: required one_of 'tool_type' must have one initialized field")
        for at, function in enumerate(tool.get("functionDeclarations") or []):
            lines.extend(_function(function, f"{where}.function_declarations[{at}]"))
    if lines:
        raise invalid("\n".join(lines) + "\n")
    names = [one["name"] for one in _functions(request)]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise invalid(f"Duplicate function declaration found: {double}")
    built_in = [_BUILT_IN[key] for tool in request.get("tools") or [] for key in tool if key in _BUILT_IN]
    if names and built_in and not is_gemini_3(model):
        raise invalid(
            f"Built-in tools ({{{', '.join(built_in)}}}) and Function Calling cannot be combined in the same request. "
            "Please choose one to use."
        )


def _function(function: dict[str, Any], where: str) -> list[str]:
    lines: list[str] = []
    if _NAME.fullmatch(function.get("name", "")) is None:
        lines.append(
            f"* {where}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric "
            "(a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64."
        )
    if "parameters" in function and "parametersJsonSchema" in function:
        lines.append(f"* {where}: only one of parameters and parameters_json_schema may be set")
    for key in ("parameters", "response"):
        if isinstance(function.get(key), dict):
            lines.extend(complaints(function[key], f"{where}.{key}"))
    parameters = function.get("parameters")
    if isinstance(parameters, dict) and parameters.get("type") not in (None, "OBJECT"):
        lines.append(f"* {where}.parameters: parameters schema should be of type OBJECT.")
    return lines


def _check_tool_config(request: dict[str, Any]) -> None:
    config = (request.get("toolConfig") or {}).get("functionCallingConfig")
    if not config:
        return
    names = {one["name"] for one in _functions(request)}
    if not names and config.get("mode", "AUTO") not in ("AUTO", "NONE"):
        raise invalid("Function calling config is set without function_declarations.")
    allowed = config.get("allowedFunctionNames") or []
    if allowed and config.get("mode") not in ("ANY", "VALIDATED"):
        raise invalid("Allowed function names can only be set when function calling mode is ANY.")
    for name in allowed:
        if name not in names:
            raise invalid(f"Function name {name} in allowed_function_names is not in function_declarations.")


def _check_generation(request: dict[str, Any], model: str) -> None:
    config = request.get("generationConfig") or {}
    where = "* GenerateContentRequest.generation_config"
    for key, name, most in (("temperature", "temperature", 2.0), ("topP", "top_p", 1.0)):
        if key in config and not 0 <= config[key] <= most:
            raise invalid(f"{where}.{name}: {name} must be in the range [0.0, {most}].\n")
    if "topK" in config and int(config["topK"]) < 1:
        raise invalid(f"{where}.top_k: top_k must be positive.\n")
    if len(config.get("stopSequences") or []) > _MOST_STOPS:
        raise invalid(f"{where}.stop_sequences: the number of stop_sequences must not exceed {_MOST_STOPS}.\n")
    if any(not sequence for sequence in config.get("stopSequences") or []):
        raise invalid(f"{where}.stop_sequences: stop_sequences must not be empty.\n")
    limit = next((most for prefix, most in _OUTPUT_LIMITS if model.startswith(prefix)), None)
    asked = config.get("maxOutputTokens")
    if asked is not None and (int(asked) < 1 or (limit is not None and int(asked) > limit)):
        raise invalid(
            f"Unable to submit request because it has a maxOutputTokens value of {asked} but the supported range is "
            f"from 1 (inclusive) to {(limit or 65_536) + 1} (exclusive). Update the value and try again."
        )
    if isinstance(config.get("responseSchema"), dict):
        lines = list(complaints(config["responseSchema"], "GenerateContentRequest.generation_config.response_schema"))
        if lines:
            raise invalid("\n".join(lines) + "\n")
    mime = config.get("responseMimeType")
    if mime == "application/json" and _functions(request) and not is_gemini_3(model):
        raise invalid("Function calling with a response mime type: 'application/json' is unsupported")
    if config.get("thinkingConfig"):
        _check_thinking(config["thinkingConfig"], model)


def _check_thinking(config: dict[str, Any], model: str) -> None:
    budget, level = config.get("thinkingBudget"), config.get("thinkingLevel")
    if budget is not None and level is not None:
        raise invalid("You can only set only one of thinking budget and thinking level.")
    if model.startswith(("gemini-1", "gemini-2.0")):
        raise invalid("Unable to submit request because thinking is not supported by this model.")
    if level is not None:
        if not is_gemini_3(model):
            raise invalid("Thinking level is not supported for this model.")
        if "-pro" in model and level == "MINIMAL":
            raise invalid(
                f"Thinking level {level} is not supported for this model. Please retry with other thinking level."
            )
    row = next((row for row in _BUDGETS if model.startswith(row[0])), None)
    if budget is None or row is None or int(budget) == -1:
        return
    _, least, most, zero = row
    if int(budget) == 0:
        if not zero:
            raise invalid("Budget 0 is invalid. This model only works in thinking mode.")
    elif not least <= int(budget) <= most:
        raise invalid(f"The thinking budget {budget} is invalid. Please choose a value between {least} and {most}.")
