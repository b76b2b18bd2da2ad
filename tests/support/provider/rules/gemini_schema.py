"""Google's rules for a Schema beyond its shape.

Source: ai.google.dev/api/caching#Schema; wordings as the live API gives them (``GenerateContentRequest.tools[0]...``),
quoted in public issues of google-gemini/gemini-cli, vercel/ai and langchain-ai/langchain-google.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_FORMATS = {
    "STRING": ("enum", "date-time"),
    "NUMBER": ("float", "double"),
    "INTEGER": ("int32", "int64"),
}
_ONLY = {
    "properties": "OBJECT",
    "required": "OBJECT",
    "propertyOrdering": "OBJECT",
    "items": "ARRAY",
    "enum": "STRING",
}
_SNAKE = {"propertyOrdering": "property_ordering", "anyOf": "any_of"}


def complaints(schema: dict[str, Any], where: str) -> Iterator[str]:
    """Everything wrong with a parsed schema, as lines of Google's message."""
    kind = schema.get("type")
    if kind is None and not schema.get("anyOf"):
        yield f"* {where}.type: must be specified"
        return
    for key, only in _ONLY.items():
        if schema.get(key) and kind != only:
            yield f"* {where}.{_SNAKE.get(key, key)}: only allowed for {only} type"
    if kind == "ARRAY" and "items" not in schema:
        yield f"* {where}.items: missing field"
    form = schema.get("format")
    if form and kind in _FORMATS and form not in _FORMATS[kind]:
        allowed = " and ".join(f"'{one}'" for one in _FORMATS[kind])
        yield f"* {where}.format: only {allowed} are supported for {kind} type"
    for number, value in enumerate(schema.get("enum") or []):
        if value == "":
            yield f"* {where}.enum[{number}]: cannot be empty"
    properties = schema.get("properties") or {}
    for number, name in enumerate(schema.get("required") or []):
        if kind == "OBJECT" and name not in properties:
            yield f"* {where}.required[{number}]: property is not defined"
    for child, place in _children(schema, where):
        yield from complaints(child, place)


def _children(schema: dict[str, Any], where: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Subschemas with their places."""
    for name, child in (schema.get("properties") or {}).items():
        yield child, f"{where}.properties[{name}]"
    if isinstance(schema.get("items"), dict):
        yield schema["items"], f"{where}.items"
    for number, child in enumerate(schema.get("anyOf") or []):
        yield child, f"{where}.any_of[{number}]"
