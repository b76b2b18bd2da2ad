"""Anthropic's rules for the conversation: roles, blocks, tool results, thinking.

Source: docs.anthropic.com/en/api/messages, /en/docs/agents-and-tools/tool-use/implement-tool-use and
/en/docs/build-with-claude/extended-thinking; wordings as the live API gives them, quoted in public issues of
anthropics/claude-code, BerriAI/litellm and sst/opencode.
"""

from __future__ import annotations

import re
from typing import Any

from ..dialect import Json
from ..seal import Seal
from .anthropic_refusal import bad, expect, extra, field_required

_ALWAYS = {"type", "cache_control"}
_KEYS: dict[str, set[str]] = {
    "text": {"text", "citations"},
    "image": {"source"},
    "document": {"source", "title", "context", "citations"},
    "search_result": {"source", "title", "content", "citations"},
    "tool_use": {"id", "name", "input", "caller"},
    "tool_result": {"tool_use_id", "content", "is_error"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
    "server_tool_use": {"id", "name", "input", "caller"},
    "web_search_tool_result": {"tool_use_id", "content", "caller"},
    "web_fetch_tool_result": {"tool_use_id", "content", "caller"},
    "code_execution_tool_result": {"tool_use_id", "content"},
    "tool_reference": {"tool_name"},
    "container_upload": {"file_id"},
    "compaction": {"content"},
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "thinking": ("signature", "thinking"),
    "redacted_thinking": ("data",),
    "server_tool_use": ("id", "name", "input"),
    "web_search_tool_result": ("tool_use_id", "content"),
}
_OF_ASSISTANT = {"tool_use", "thinking", "redacted_thinking", "server_tool_use"}
_OF_USER = {"tool_result", "image", "document", "search_result"}
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,200}")
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def _blocks(message: Json) -> list[Json]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


class MessageRules:
    """The rules under one request's settings: ``thinks`` (budgeted thinking is on), ``prefills`` (the model may)."""

    def __init__(self, seal: Seal, betas: tuple[str, ...], *, thinks: bool, prefills: bool) -> None:
        self._seal = seal
        self._mid_system = any(beta.startswith("mid-conversation-system-") for beta in betas)
        self._thinks = thinks
        self._prefills = prefills

    def check_system(self, system: Any) -> None:
        """``system``: a string or text blocks."""
        if system is None or isinstance(system, str):
            return
        expect(isinstance(system, list), "system: Input should be a valid list")
        for number, block in enumerate(system):
            expect(block.get("type") == "text", f"system.{number}.type: Input should be 'text'")
            self._fields(block, f"system.{number}")
            expect(block["text"] != "", "system: text content blocks must be non-empty")

    def check(self, messages: Any) -> None:
        """The conversation."""
        expect(isinstance(messages, list), "messages: Input should be a valid list")
        expect(bool(messages), "messages: at least one message is required")
        for number, message in enumerate(messages):
            self._message(message, number, last=number == len(messages) - 1)
        self._pairs(messages)
        self._last(messages)

    def _message(self, message: Any, number: int, *, last: bool) -> None:
        where = f"messages.{number}"
        expect(isinstance(message, dict), f"{where}: Input should be a valid dictionary")
        for key in ("role", "content"):
            if key not in message:
                raise field_required(f"{where}.{key}")
        for key in message:
            if key not in ("role", "content"):
                raise extra(f"{where}.{key}")
        role = message["role"]
        if role == "system" and not self._mid_system:
            raise bad(
                'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not '
                '"system" as an input message role.'
            )
        expect(role in ("user", "assistant", "system"), f"{where}.role: Input should be 'user' or 'assistant'")
        content = message["content"]
        expect(isinstance(content, str | list), f"{where}.content: Input should be a valid list")
        if not content and not (last and role == "assistant"):
            raise bad(
                f"{where}: all messages must have non-empty content except for the optional final assistant message"
            )
        for at, block in enumerate(_blocks(message)):
            self._block(block, f"{where}.content.{at}", role)

    def _block(self, block: Any, where: str, role: str) -> None:
        expect(isinstance(block, dict), f"{where}: Input should be a valid dictionary")
        self._fields(block, where)
        kind = block["type"]
        if role == "user" and kind in _OF_ASSISTANT:
            raise bad(f"{where}: `{kind}` blocks can only be in `assistant` messages")
        if role == "assistant" and kind in _OF_USER:
            raise bad(f"{where}: `{kind}` blocks can only be in `user` messages")
        match kind:
            case "text":
                expect(isinstance(block["text"], str), f"{where}.text.text: Input should be a valid string")
                expect(block["text"] != "", "messages: text content blocks must be non-empty")
                expect(bool(block["text"].strip()), "messages: text content blocks must contain non-whitespace text")
            case "tool_use" | "server_tool_use":
                self._tool_use(block, f"{where}.{kind}")
            case "tool_result":
                self._tool_result(block, where)
            case "thinking":
                own = self._seal.wrote("anthropic-thinking", str(block["signature"]), str(block["thinking"]))
                expect(own, f"{where}: Invalid `signature` in `thinking` block")
            case "redacted_thinking":
                own = self._seal.wrote("anthropic-thinking", str(block["data"]))
                expect(own, f"{where}: Invalid `data` in `redacted_thinking` block")
            case "image":
                self._image(block["source"], f"{where}.image.source")

    def _fields(self, block: Json, where: str) -> None:
        kind = block.get("type")
        if kind not in _KEYS:
            tags = ", ".join(f"'{tag}'" for tag in sorted(_KEYS))
            raise bad(f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}")
        for key in _REQUIRED.get(kind, ()):
            if key not in block:
                raise field_required(f"{where}.{kind}.{key}")
        for key in block:
            if key not in _KEYS[kind] | _ALWAYS:
                raise extra(f"{where}.{kind}.{key}")
        if kind in ("thinking", "redacted_thinking") and "cache_control" in block:
            raise extra(f"{where}.{kind}.cache_control")

    def _tool_use(self, block: Json, where: str) -> None:
        good = isinstance(block["id"], str) and _ID.fullmatch(block["id"]) is not None
        expect(good, f"{where}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        named = isinstance(block["name"], str) and _NAME.fullmatch(block["name"]) is not None
        expect(named, f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,200}}$'")
        expect(isinstance(block["input"], dict), f"{where}.input: Input should be a valid dictionary")

    def _tool_result(self, block: Json, where: str) -> None:
        content = block.get("content")
        if content is None or isinstance(content, str):
            return
        expect(isinstance(content, list), f"{where}.tool_result.content: Input should be a valid list")
        for number, part in enumerate(content):
            allowed = part.get("type") in ("text", "image", "document", "search_result", "tool_reference")
            expect(allowed, f"{where}.tool_result.content.{number}: Input tag '{part.get('type')}' is not allowed")
            self._block(part, f"{where}.tool_result.content.{number}", "user")

    def _image(self, source: Any, where: str) -> None:
        kind = source.get("type")
        expect(kind in ("base64", "url", "file"), f"{where}: Input tag '{kind}' found using 'type' does not match")
        if kind == "base64":
            expect(
                source.get("media_type") in _IMAGES,
                f"{where}.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
            )
            expect(bool(source.get("data")), f"{where}.base64: image cannot be empty")

    def _pairs(self, messages: list[Json]) -> None:
        """Every call is answered at the start of the next turn; neighbouring messages of a role are one turn."""
        turns: list[tuple[int, str, list[Json]]] = []
        for number, message in enumerate(messages):
            if turns and turns[-1][1] == message["role"]:
                turns[-1][2].extend(_blocks(message))
            else:
                turns.append((number, message["role"], _blocks(message)))
        seen: set[str] = set()
        asked: list[str] = []
        for at, (number, _, blocks) in enumerate(turns):
            self._answers(asked, number, blocks)
            asked = [block["id"] for block in blocks if block["type"] == "tool_use"]
            for call in asked:
                expect(call not in seen, f"messages.{number}: `tool_use` ids must be unique")
                seen.add(call)
            if asked:
                self._answered(asked, number, turns[at + 1][2] if at + 1 < len(turns) else [])

    def _answered(self, asked: list[str], number: int, following: list[Json]) -> None:
        answered: set[str] = set()
        for block in following:
            if block["type"] != "tool_result":
                break
            answered.add(block["tool_use_id"])
        missing = [call for call in asked if call not in answered]
        if missing:
            raise bad(
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )

    def _answers(self, asked: list[str], number: int, blocks: list[Json]) -> None:
        given: set[str] = set()
        for at, block in enumerate(blocks):
            if block["type"] != "tool_result":
                continue
            call = block["tool_use_id"]
            if call not in asked:
                raise bad(
                    f"messages.{number}.content.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {call}. "
                    "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                )
            if call in given:
                raise bad(
                    f"messages.{number}.content.{at}: each tool_use must have a single result. Found multiple "
                    f"`tool_result` blocks with id: {call}"
                )
            given.add(call)

    def _last(self, messages: list[Json]) -> None:
        """Rules for the last assistant message: prefill, thinking."""
        final = messages[-1]
        if final["role"] == "assistant":
            if not self._prefills:
                raise bad(
                    "This model does not support assistant message prefill. The conversation must end with a user "
                    "message."
                )
            text = _blocks(final)[-1].get("text", "") if final["content"] else ""
            expect(text == text.rstrip(), "messages: final assistant content cannot end with trailing whitespace")
        for number, message in enumerate(messages):
            blocks = _blocks(message) if message["role"] == "assistant" else []
            if blocks and blocks[-1]["type"] in ("thinking", "redacted_thinking"):
                raise bad(f"messages.{number}: The final block in an assistant message cannot be `thinking`.")
        self._starts_with_thinking(messages)

    def _starts_with_thinking(self, messages: list[Json]) -> None:
        """With budgeted thinking, the assistant message of an open tool loop starts with its thinking."""
        results = any(block["type"] == "tool_result" for block in _blocks(messages[-1]))
        if not self._thinks or not results:
            return
        number = max(at for at, message in enumerate(messages) if message["role"] == "assistant")
        found = _blocks(messages[number])[0]["type"]
        if found not in ("thinking", "redacted_thinking"):
            raise bad(
                f"messages.{number}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. "
                "When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding "
                "the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks "
                "from previous turns. To avoid this requirement, disable `thinking`. Please consult our documentation "
                "at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
            )
