"""A body becomes a request: what the gateway acts on is checked, everything else is kept as it came.

Wordings follow Anthropic's own (a dotted path, then what is wrong there), since clients show them to people.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from routing.upstream.events import JSON
from routing.upstream.toolset import Toolset, Toolsets

from .errors import InvalidRequest

MAX_MODEL_NAME = 256
_ROLES: Final = ("user", "assistant", "system")  # system: mid-conversation, beta of 2026-04-07
_CHOICES: Final = ("auto", "any", "tool", "none")
_IMAGE_TOKENS = 1600  # Anthropic's figure for the largest image it does not scale down
_BYTES_PER_DOCUMENT_TOKEN = 10  # base64 of a PDF against the tokens of its pages: a rough, high reckoning
_toolsets = Toolsets()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A checked body. ``text_bytes`` is its size without media; ``media_tokens`` is what those are reckoned at."""

    body: JSON
    model: str
    stream: bool
    max_tokens: int
    text_bytes: int
    media_tokens: int


def parse(raw: bytes, *, counting: bool = False, sender: Hashable = None) -> Parsed:
    """Checks the body of ``/v1/messages`` (``counting``: of ``/v1/messages/count_tokens``). Raises InvalidRequest.

    ``sender`` is whose tools may be remembered from one request to the next (see ``toolset``), None: nobody's.
    """
    try:
        body = (sender and _toolsets.read(raw, sender)) or orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The request body is not valid JSON: {error.msg}") from error
    if not isinstance(body, dict):
        raise InvalidRequest("Input should be a valid dictionary or object to extract fields from")
    model = _required(body, "model", str, "string", "")
    if not 0 < len(model) <= MAX_MODEL_NAME:
        raise InvalidRequest(f"model: String should have between 1 and {MAX_MODEL_NAME} characters")
    max_tokens = 0 if counting else _max_tokens(body)
    media = _Media()
    try:
        _check_messages(body, media)
        if (system := body.get("system")) is not None:
            _check_content(system, "system", media)
    except RecursionError:
        raise InvalidRequest("messages: The content is nested too deeply") from None
    tools = body.get("tools")
    if tools is not None and not isinstance(tools, Toolset):
        _check_tools(tools)
        if tools and sender:
            body["tools"] = _toolsets.shared(tools, sender)
    _check_tool_choice(body.get("tool_choice"))
    _check_parameters(body)
    return Parsed(
        body=body,
        model=model,
        stream=body.get("stream") is True,
        max_tokens=max_tokens,
        text_bytes=max(len(raw) - media.bytes, 1),
        media_tokens=media.tokens,
    )


@dataclass(slots=True)
class _Media:
    bytes: int = 0
    tokens: int = 0

    def add(self, kind: str, size: int) -> None:
        self.bytes += size
        self.tokens += _IMAGE_TOKENS if kind == "image" else max(size // _BYTES_PER_DOCUMENT_TOKEN, _IMAGE_TOKENS)


def _required(holder: Mapping[str, Any], name: str, kind: type, called: str, path: str) -> Any:
    if name not in holder:
        raise InvalidRequest(f"{path}{name}: Field required")
    value = holder[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidRequest(f"{path}{name}: Input should be a valid {called}")
    return value


def _max_tokens(body: JSON) -> int:
    value = _required(body, "max_tokens", int, "integer", "")
    if value < 1:
        raise InvalidRequest("max_tokens: Input should be greater than or equal to 1")
    return int(value)


def _check_messages(body: JSON, media: _Media) -> None:
    messages = _required(body, "messages", list, "list", "")
    if not messages:
        raise InvalidRequest("messages: at least one message is required")
    for position, message in enumerate(messages):
        path = f"messages.{position}"
        if not isinstance(message, dict):
            raise InvalidRequest(f"{path}: Input should be a valid dictionary or object to extract fields from")
        if _required(message, "role", str, "string", path + ".") not in _ROLES:
            raise InvalidRequest(f"{path}.role: Input should be 'user' or 'assistant'")
        if "content" not in message:
            raise InvalidRequest(f"{path}.content: Field required")
        _check_content(message["content"], f"{path}.content", media)


def _check_content(content: Any, path: str, media: _Media) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise InvalidRequest(f"{path}: Input should be a valid list")
    for position, block in enumerate(content):
        if not isinstance(block, dict):
            raise InvalidRequest(f"{path}.{position}: Input should be a valid dictionary")
        kind = block.get("type")
        if not isinstance(kind, str):
            raise InvalidRequest(f"{path}.{position}.type: Field required")
        if (check := _BLOCKS.get(kind)) is not None:
            check(block, f"{path}.{position}.{kind}.", media)


def _check_text(block: JSON, path: str, media: _Media) -> None:
    _required(block, "text", str, "string", path)


def _check_thinking(block: JSON, path: str, media: _Media) -> None:
    _required(block, "thinking", str, "string", path)
    if not isinstance(block.get("signature", ""), str):
        raise InvalidRequest(f"{path}signature: Input should be a valid string")


def _check_redacted(block: JSON, path: str, media: _Media) -> None:
    _required(block, "data", str, "string", path)


def _check_tool_use(block: JSON, path: str, media: _Media) -> None:
    _required(block, "id", str, "string", path)
    _required(block, "name", str, "string", path)
    _required(block, "input", dict, "dictionary", path)


def _check_tool_result(block: JSON, path: str, media: _Media) -> None:
    _required(block, "tool_use_id", str, "string", path)
    if (content := block.get("content")) is not None:
        _check_content(content, path + "content", media)


def _check_media(block: JSON, path: str, media: _Media) -> None:
    source = _required(block, "source", dict, "dictionary", path)
    kind = _required(source, "type", str, "string", path + "source.")
    if kind in ("base64", "text"):
        data = _required(source, "data", str, "string", path + "source.")
        if kind == "base64":
            _required(source, "media_type", str, "string", path + "source.")
            media.add(block["type"], len(data))
    elif kind in ("url", "file"):
        _required(source, "url" if kind == "url" else "file_id", str, "string", path + "source.")
    elif kind == "content":
        _check_content(source.get("content", ""), path + "source.content", media)


_BLOCKS: Final[dict[str, Callable[[JSON, str, _Media], None]]] = {
    "text": _check_text,
    "thinking": _check_thinking,
    "redacted_thinking": _check_redacted,
    "tool_use": _check_tool_use,
    "tool_result": _check_tool_result,
    "image": _check_media,
    "document": _check_media,
}


def _check_tools(tools: Any) -> None:
    if not isinstance(tools, list):
        raise InvalidRequest("tools: Input should be a valid list")
    for position, tool in enumerate(tools):
        if not isinstance(tool, dict):
            raise InvalidRequest(f"tools.{position}: Input should be a valid dictionary")
        if tool.get("type") in (None, "custom"):
            _required(tool, "name", str, "string", f"tools.{position}.custom.")
            _required(tool, "input_schema", dict, "dictionary", f"tools.{position}.custom.")
        elif "name" in tool:  # an `mcp_toolset` has none
            _required(tool, "name", str, "string", f"tools.{position}.")


def _check_tool_choice(choice: Any) -> None:
    if choice is None:
        return
    if not isinstance(choice, dict) or choice.get("type") not in _CHOICES:
        raise InvalidRequest("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    if choice["type"] == "tool":
        _required(choice, "name", str, "string", "tool_choice.tool.")


def _check_parameters(body: JSON) -> None:
    for name, kind, called in (
        ("stream", bool, "boolean"),
        ("metadata", dict, "dictionary"),
        ("thinking", dict, "dictionary"),
        ("output_config", dict, "dictionary"),
        ("stop_sequences", list, "list"),
        ("top_k", int, "integer"),
        ("service_tier", str, "string"),
    ):
        if body.get(name) is not None:
            _required(body, name, kind, called, "")
    if (body.get("top_k") or 0) < 0:
        raise InvalidRequest("top_k: Input should be greater than or equal to 0")
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidRequest(f"{name}: Input should be a valid number")
        if not 0 <= value <= 1:
            raise InvalidRequest(f"{name}: range: 0..1")
    for position, sequence in enumerate(body.get("stop_sequences") or ()):
        if not isinstance(sequence, str):
            raise InvalidRequest(f"stop_sequences.{position}: Input should be a valid string")
    thinking = body.get("thinking")
    if thinking is not None:
        kind = _required(thinking, "type", str, "string", "thinking.")
        if kind == "enabled":
            _required(thinking, "budget_tokens", int, "integer", "thinking.enabled.")
