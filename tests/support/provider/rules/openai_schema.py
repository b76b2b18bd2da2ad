"""OpenAI's rules for JSON Schemas of functions and structured output.

Source: platform.openai.com/docs/guides/structured-outputs ("Supported schemas") and the live wordings quoted in public
issues of openai-python, langchain and vercel/ai. OpenAI's complaints about malformed schemas are those of the Python
package ``jsonschema``, so that is what speaks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]

from .openai import bad

Path: TypeAlias = tuple[str, ...]

_TOP = ("oneOf", "anyOf", "allOf", "enum", "not")
_NOT_STRICT = ("oneOf", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "default")
_CHILDREN = ("properties", "$defs", "definitions")


def _walk(schema: Any, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every subschema with its context, as OpenAI names it."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for key in _CHILDREN:
        for name, child in (schema.get(key) or {}).items():
            yield from _walk(child, (*path, key, name))
    for key in ("items", "additionalProperties"):
        yield from _walk(schema.get(key), (*path, key))
    for key in ("anyOf", "oneOf", "allOf"):
        for number, child in enumerate(schema.get(key) or []):
            yield from _walk(child, (*path, key, str(number)))


def _context(path: Path) -> str:
    return f"In context={path}, "


def _complaint(schema: dict[str, Any], strict: bool) -> str | None:
    """What is wrong with a schema, in OpenAI's words."""
    if schema.get("type") != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    if any(key in schema for key in _TOP):
        return "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
    if "properties" not in schema:
        return f"{_context(())}object schema missing properties."
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"{error.message}."
    for path, sub in _walk(schema):
        if sub.get("type") == "array" and "items" not in sub and "prefixItems" not in sub:
            return f"{_context(path)}array schema missing items."
        if strict and (complaint := _strict(path, sub)) is not None:
            return complaint
    return None


def _strict(path: Path, schema: dict[str, Any]) -> str | None:
    for key in _NOT_STRICT:
        if key in schema:
            return f"{_context(path)}'{key}' is not permitted."
    if not any(key in schema for key in ("type", "anyOf", "$ref", "enum", "const")):
        return f"{_context(path)}schema must have a 'type' key."
    if schema.get("type") != "object" and "properties" not in schema:
        return None
    if schema.get("additionalProperties") is not False:
        return f"{_context(path)}'additionalProperties' is required to be supplied and to be false."
    named, required = list(schema.get("properties") or {}), schema.get("required") or []
    for name in named:
        if name not in required:
            return (
                f"{_context(path)}'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{name}'."
            )
    for name in required:
        if name not in named:
            return (
                f"{_context(path)}'required' is required to be supplied and to be an array including every key in "
                f"properties. Extra required key '{name}' supplied."
            )
    return None


def check_function(name: str, schema: dict[str, Any], strict: bool, param: str) -> None:
    """The parameters of a function."""
    if (complaint := _complaint(schema, strict)) is not None:
        message = f"Invalid schema for function '{name}': {complaint}"
        raise bad(message, param=param, code="invalid_function_parameters")


def check_format(name: str, schema: dict[str, Any], strict: bool, param: str) -> None:
    """The schema of a structured answer."""
    if (complaint := _complaint(schema, strict)) is not None:
        message = f"Invalid schema for response_format '{name}': {complaint}"
        raise bad(message, param=param, code="invalid_json_schema")
