"""OpenAI's rules for the messages of chat completions: roles, contents, and tool calls with their results.

Source: platform.openai.com/docs/api-reference/chat/create#chat-create-messages; wordings as the live API gives them,
quoted in public issues of langchain-ai/langchain, BerriAI/litellm and microsoft/autogen.
"""

from __future__ import annotations

from typing import Any

from ..dialect import Json
from .openai import array, bad, data_url, known, matches_name, need, one_of, typed
from .openai import text as bounded

_KEYS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "audio", "tool_calls", "function_call", "annotations"},
    "tool": {"role", "content", "tool_call_id"},
    "function": {"role", "content", "name"},
}
_COMPATIBLE = {"reasoning_content", "reasoning", "reasoning_details", "cache_control", "prefix"}
"""Further members of assistant messages at the servers that speak this dialect."""
_PART_KEYS = {
    "text": {"type", "text"},
    "image_url": {"type", "image_url"},
    "input_audio": {"type", "input_audio"},
    "file": {"type", "file"},
    "refusal": {"type", "refusal"},
}
_PARTS = ("text", "image_url", "input_audio", "refusal", "audio", "file")
_USER_PARTS = ("text", "image_url", "input_audio", "file")
_ID_LIMIT = 40


def check_messages(messages: Any, *, own: bool, model: str) -> None:
    """Judge all messages. ``own``: an OpenAI model, as against a compatible server's."""
    checked = array(messages, "messages", least=1)
    for number, message in enumerate(checked):
        _check_message(message, f"messages[{number}]", number, own)
    _check_pairs(checked)
    if "deepseek" in model:
        _check_deepseek(checked, thinks="reasoner" in model)


def _check_message(message: Any, path: str, number: int, own: bool) -> None:
    typed(message, path, dict, "an object")
    role = need(message, "role", f"{path}.role")
    one_of(role, f"{path}.role", tuple(_KEYS))
    known(message, _KEYS[role] if own else _KEYS[role] | _COMPATIBLE, path)
    if role == "assistant":
        _check_calls(message, path)
    content = message.get("content")
    if content is None:
        if role != "assistant" or not (message.get("tool_calls") or message.get("refusal")):
            raise bad("Invalid value for 'content': expected a string, got null.", param=f"messages.[{number}].content")
    elif isinstance(content, list):
        for at, part in enumerate(array(content, f"{path}.content", least=1)):
            _check_part(part, f"{path}.content[{at}]", path, role, own)
    else:
        typed(content, f"{path}.content", str, "one of a string or array of objects")
    if role == "tool" and not message.get("tool_call_id"):
        raise bad(
            "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'.",
            param=f"messages.[{number}].tool_call_id",
        )


def _check_part(part: Any, path: str, message: str, role: str, own: bool) -> None:
    typed(part, path, dict, "an object")
    kind = need(part, "type", f"{path}.type")
    one_of(kind, f"{path}.type", _PARTS)
    known(part, _PART_KEYS.get(kind, set(part)) | (set() if own else {"cache_control"}), path)
    if role != "user" and kind == "image_url":
        raise bad(
            f"Invalid '{message}'. Image URLs are only allowed for messages with role 'user', but this message with "
            f"role '{role}' contains an image URL.",
            param=message,
            code="invalid_value",
        )
    allowed = {"user": _USER_PARTS, "assistant": ("text", "refusal")}.get(role, ("text",))
    one_of(kind, f"{path}.type", allowed)
    match kind:
        case "text":
            bounded(need(part, "text", f"{path}.text"), f"{path}.text")
        case "image_url":
            image = need(part, "image_url", f"{path}.image_url")
            typed(image, f"{path}.image_url", dict, "an object")
            known(image, ("url", "detail"), f"{path}.image_url")
            data_url(need(image, "url", f"{path}.image_url.url"), f"{path}.image_url.url")
        case "file":
            file = need(part, "file", f"{path}.file")
            typed(file, f"{path}.file", dict, "an object")
            known(file, ("file_data", "file_id", "filename"), f"{path}.file")
            if "file_data" in file:
                need(file, "filename", f"{path}.file.filename")


def _check_calls(message: Json, path: str) -> None:
    if message.get("tool_calls") is None:
        return
    for number, call in enumerate(array(message["tool_calls"], f"{path}.tool_calls", least=1)):
        where = f"{path}.tool_calls[{number}]"
        typed(call, where, dict, "an object")
        known(call, ("id", "type", "function", "custom"), where)
        bounded(need(call, "id", f"{where}.id"), f"{where}.id", least=1, most=_ID_LIMIT)
        one_of(need(call, "type", f"{where}.type"), f"{where}.type", ("function", "custom"))
        function = need(call, "function", f"{where}.function")
        known(function, ("name", "arguments"), f"{where}.function")
        matches_name(need(function, "name", f"{where}.function.name"), f"{where}.function.name")
        bounded(need(function, "arguments", f"{where}.function.arguments"), f"{where}.function.arguments")


def _check_pairs(messages: list[Json]) -> None:
    """Calls are answered, all of them, before anything else is said; results answer a call."""
    open_ids: list[str] = []
    legal: set[str] = set()
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in legal:
                raise bad(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'.",
                    param=f"messages.[{number}].role",
                )
            open_ids = [one for one in open_ids if one != message["tool_call_id"]]
            continue
        _check_answered(open_ids, number)
        open_ids = [call["id"] for call in message.get("tool_calls") or []]
        legal = set(open_ids)
    _check_answered(open_ids, len(messages))


def _check_answered(open_ids: list[str], number: int) -> None:
    if open_ids:
        raise bad(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. The following tool_call_ids did not have response messages: " + ", ".join(open_ids),
            param=f"messages.[{number}].role",
        )


def _check_deepseek(messages: list[Json], *, thinks: bool) -> None:
    """DeepSeek's thinking mode wants the reasoning of a tool call back (api-docs.deepseek.com/guides/thinking_mode)."""
    users = [number for number, message in enumerate(messages) if message["role"] == "user"]
    for number, message in enumerate(messages):
        current = thinks and bool(users) and number > users[-1] and message.get("tool_calls")
        if current and not message.get("reasoning_content"):
            raise bad(f"Missing `reasoning_content` field in the assistant message at message index {number}")
