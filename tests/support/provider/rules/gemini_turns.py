"""Google's rules for ``contents``: roles, parts, calls with their responses, thought signatures.

Source: ai.google.dev/gemini-api/docs/function-calling and /docs/thought-signatures; wordings as quoted in public issues
of google-gemini/gemini-cli.
"""

from __future__ import annotations

from typing import Any

from ..seal import Seal
from .gemini_proto import invalid

_DATA = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
)
_PLACEHOLDERS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
"""Signatures that Google documents for calls that Gemini did not make itself."""
_MIME_TYPES = ("image/", "audio/", "video/", "text/", "application/pdf", "application/json")

Content = dict[str, Any]


def check_contents(contents: list[Content], seal: Seal, *, needs_signatures: bool) -> None:
    """Judge the conversation; ``needs_signatures`` for the models of Gemini 3."""
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    for number, content in enumerate(contents):
        _check_content(content, f"GenerateContentRequest.contents[{number}]")
    _check_turns(contents)
    _check_signatures(contents, seal)
    if needs_signatures:
        _check_signed(contents)


def _check_content(content: Content, where: str) -> None:
    if content.get("role", "user") not in ("user", "model"):
        raise invalid("Please use a valid role: user, model.")
    parts = content.get("parts")
    if not parts:
        raise invalid(f"* {where}.parts: contents.parts must not be empty.\n")
    for number, part in enumerate(parts):
        _check_part(part, f"{where}.parts[{number}]")


def _check_part(part: Content, where: str) -> None:
    held = [name for name in _DATA if name in part]
    # An empty text counts as none; the model's own signature carriers are the exception.
    if held == ["text"] and part["text"] == "" and "thoughtSignature" not in part:
        held = []
    if not held:
        raise invalid(f"* {where}.data: required oneof field 'data' must have one initialized field\n")
    if len(held) > 1:
        raise invalid(f"Invalid value at '{where}' (oneof), oneof field 'data' is already set. Cannot set '{held[1]}'")
    for name in ("functionCall", "functionResponse"):
        if name in part and not part[name].get("name"):
            snake = "function_call" if name == "functionCall" else "function_response"
            raise invalid(f"* {where}.{snake}.name: Name cannot be empty.\n")
    blob = part.get("inlineData")
    if blob is not None and not str(blob.get("mimeType", "")).startswith(_MIME_TYPES):
        raise invalid(f"Unsupported MIME type: {blob.get('mimeType', '')}")


def _calls(content: Content | None, kind: str) -> list[Content]:
    if content is None:
        return []
    return [part[kind] for part in content["parts"] if kind in part]


def _check_turns(contents: list[Content]) -> None:
    """Calls come after the user or a response, responses right after their calls and in the same number."""
    for number, content in enumerate(contents):
        before = contents[number - 1] if number else None
        after = contents[number + 1] if number + 1 < len(contents) else None
        calls, responses = _calls(content, "functionCall"), _calls(content, "functionResponse")
        if calls and (before is None or before.get("role", "user") != "user"):
            raise invalid(
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            )
        if calls and after is not None and len(_calls(after, "functionResponse")) != len(calls):
            raise invalid(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        if responses and not _calls(before, "functionCall"):
            raise invalid("Please ensure that function response turn comes immediately after a function call turn.")
        if responses:
            _check_answers(_calls(before, "functionCall"), responses)


def _check_answers(calls: list[Content], responses: list[Content]) -> None:
    """Responses answer by id where calls have ids, else by name."""
    for key in ("id", "name"):
        asked, given = sorted(str(c.get(key)) for c in calls), sorted(str(r.get(key)) for r in responses)
        ids_missing = key == "id" and any("id" not in one for one in (*calls, *responses))
        if asked != given and not ids_missing:
            raise invalid(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )


def _check_signatures(contents: list[Content], seal: Seal) -> None:
    for content in contents:
        for part in content["parts"]:
            signature = part.get("thoughtSignature")
            if signature is None or signature in _PLACEHOLDERS:
                continue
            if not seal.wrote("gemini-thought", signature):
                raise invalid("Corrupted thought signature.")


def _check_signed(contents: list[Content]) -> None:
    """In the current turn the first call of every step is signed; earlier turns are not looked at.

    The current turn begins at the last user content that says something of its own.
    """
    start = 0
    for number, content in enumerate(contents):
        own = any("functionResponse" not in part for part in content["parts"])
        if content.get("role", "user") == "user" and own:
            start = number
    for number, content in enumerate(contents[start:], start):
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls and "thoughtSignature" not in calls[0]:
            raise invalid(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                "work correctly, and missing thought_signature may lead to degraded model performance. Additional "
                f"data, function call `default_api:{calls[0]['functionCall']['name']}` , position {number + 1}. Please "
                "refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
            )
