"""OpenAI's rules for the input items of the Responses API.

Source: platform.openai.com/docs/api-reference/responses/create#responses-create-input and
/docs/guides/reasoning ("Keeping reasoning items in context"); wordings quoted in public issues of openai/codex,
openai/openai-agents-python and vercel/ai. Nothing is persisted here, as with ``store: false``.
"""

from __future__ import annotations

from typing import Any

from ..dialect import Json
from ..seal import Seal
from .openai import array, bad, data_url, known, matches_name, need, one_of, typed
from .openai import text as bounded

_KEYS: dict[str, set[str]] = {
    "message": {"type", "role", "content", "id", "status", "phase"},
    "reasoning": {"type", "id", "summary", "encrypted_content", "content", "status"},
    "function_call": {"type", "id", "call_id", "name", "arguments", "status", "namespace"},
    "function_call_output": {"type", "id", "call_id", "output", "status"},
    "web_search_call": {"type", "id", "status", "action"},
    "item_reference": {"type", "id"},
}
_OTHER = (
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "image_generation_call",
    "code_interpreter_call",
    "custom_tool_call",
    "custom_tool_call_output",
    "compaction",
)
_PREFIX = {"reasoning": "rs", "function_call": "fc", "message": "msg", "web_search_call": "ws"}
_GIVEN = ("input_text", "input_image", "input_file")
_SAID = ("output_text", "refusal")
_PART_KEYS = {
    "input_text": {"type", "text"},
    "input_image": {"type", "image_url", "file_id", "detail"},
    "input_file": {"type", "file_data", "file_id", "file_url", "filename", "detail"},
    "output_text": {"type", "text", "annotations", "logprobs"},
    "refusal": {"type", "refusal"},
}
_ID_LIMIT = 64


def check_input(given: Any, seal: Seal) -> None:
    """Judge ``input``, a string or a list of items."""
    if isinstance(given, str):
        return
    typed(given, "input", list, "one of a string or array of objects")
    for number, item in enumerate(given):
        _check_item(item, f"input[{number}]", seal)
    _check_pairs(given)
    _check_followed(given)


def _kind(item: Json) -> str:
    return str(item.get("type", "message"))


def _check_item(item: Any, path: str, seal: Seal) -> None:
    typed(item, path, dict, "an object")
    kind = _kind(item)
    one_of(kind, f"{path}.type" if "type" in item else path, (*_KEYS, *_OTHER))
    known(item, _KEYS.get(kind, set(item)), path)
    prefix = _PREFIX.get(kind)
    if item.get("id") is not None and prefix is not None and not str(item["id"]).startswith(prefix):
        raise bad(
            f"Invalid '{path}.id': '{item['id']}'. Expected an ID that begins with '{prefix}'.",
            param=f"{path}.id",
            code="invalid_value",
        )
    match kind:
        case "message":
            _check_message(item, path)
        case "function_call":
            bounded(need(item, "call_id", f"{path}.call_id"), f"{path}.call_id", least=1, most=_ID_LIMIT)
            matches_name(need(item, "name", f"{path}.name"), f"{path}.name")
            bounded(need(item, "arguments", f"{path}.arguments"), f"{path}.arguments")
        case "function_call_output":
            bounded(need(item, "call_id", f"{path}.call_id"), f"{path}.call_id", least=1, most=_ID_LIMIT)
            _check_output(need(item, "output", f"{path}.output"), f"{path}.output")
        case "reasoning":
            _check_reasoning(item, path, seal)
        case "item_reference":
            raise _not_found(str(item.get("id")))


def _check_message(item: Json, path: str) -> None:
    role = need(item, "role", f"{path}.role")
    one_of(role, f"{path}.role", ("assistant", "system", "developer", "user"))
    content = need(item, "content", f"{path}.content")
    if isinstance(content, str):
        return
    typed(content, f"{path}.content", list, "one of a string or array of objects")
    for number, part in enumerate(content):
        _check_part(part, f"{path}.content[{number}]", _SAID if role == "assistant" else _GIVEN)


def _check_output(output: Any, path: str) -> None:
    if isinstance(output, str):
        return
    typed(output, path, list, "one of a string or array of objects")
    for number, part in enumerate(array(output, path, least=1)):
        _check_part(part, f"{path}[{number}]", _GIVEN)


def _check_part(part: Any, path: str, allowed: tuple[str, ...]) -> None:
    typed(part, path, dict, "an object")
    kind = need(part, "type", f"{path}.type")
    one_of(kind, path, allowed)
    known(part, _PART_KEYS[kind], path)
    if kind in ("input_text", "output_text"):
        bounded(need(part, "text", f"{path}.text"), f"{path}.text")
    if kind == "input_image" and part.get("image_url") is not None:
        data_url(part["image_url"], f"{path}.image_url")
    if kind == "input_file" and part.get("file_data") is not None:
        need(part, "filename", f"{path}.filename")


def _check_reasoning(item: Json, path: str, seal: Seal) -> None:
    bounded(need(item, "id", f"{path}.id"), f"{path}.id", least=1)
    array(need(item, "summary", f"{path}.summary"), f"{path}.summary")
    for number, part in enumerate(item["summary"]):
        one_of(part.get("type"), f"{path}.summary[{number}]", ("summary_text",))
    sealed = item.get("encrypted_content")
    if sealed is None:
        raise _not_found(item["id"])
    if not isinstance(sealed, str) or not seal.wrote("openai-reasoning", sealed):
        head = f"{str(sealed)[:4]}...{str(sealed)[-4:]}"
        raise bad(
            f"The encrypted content {head} could not be verified. Reason: Encrypted content could not be decrypted or "
            "parsed.",
            code="invalid_encrypted_content",
        )


def _not_found(identifier: str) -> Exception:
    return bad(
        f"Item with id '{identifier}' not found. Items are not persisted when `store` is set to false. Try again with "
        "`store` set to true, or remove this item from your input.",
        param="input",
        status=404,
    )


def _check_pairs(items: list[Json]) -> None:
    """Every call has its output after it, every output its call before it."""
    called: set[str] = set()
    open_ids: dict[str, None] = {}
    for item in items:
        if _kind(item) == "function_call":
            called.add(item["call_id"])
            open_ids[item["call_id"]] = None
        elif _kind(item) == "function_call_output":
            if item["call_id"] not in called:
                message = f"No tool call found for function call output with call_id {item['call_id']}."
                raise bad(message, param="input")
            open_ids.pop(item["call_id"], None)
    for call_id in open_ids:
        raise bad(f"No tool output found for function call {call_id}.", param="input")


def _check_followed(items: list[Json]) -> None:
    """A reasoning item goes with the output item that it led to."""
    for number, item in enumerate(items):
        if _kind(item) != "reasoning":
            continue
        after = items[number + 1] if number + 1 < len(items) else {"type": "end"}
        said = _kind(after) == "message" and after.get("role") == "assistant"
        if not said and _kind(after) not in ("reasoning", "function_call", "web_search_call", "custom_tool_call"):
            raise bad(
                f"Item '{item['id']}' of type 'reasoning' was provided without its required following item.",
                param="input",
            )
