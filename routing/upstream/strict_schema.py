"""JSON Schemas for OpenAI's parameters, tools and structured output.

Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
"""

from __future__ import annotations

from typing import Any, Final

from .events import JSON

# Constraints that strict mode cannot take and without which the rest still holds.
_DROPPED: Final = frozenset(
    {
        *("$schema", "$id", "$comment", "default", "examples", "deprecated", "readOnly", "writeOnly"),
        *("minLength", "maxLength", "uniqueItems", "minProperties", "maxProperties", "contentEncoding"),
        *("contentMediaType", "discriminator"),
    }
)
# Keywords that carry the meaning itself: without them another thing would be enforced.
_UNKNOWN: Final = frozenset(
    {
        *("allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties"),
        *("propertyNames", "unevaluatedProperties", "unevaluatedItems", "contains", "prefixItems", "additionalItems"),
    }
)
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"},
)
# Where schemas stand below a schema: by name, or alone or in a list. What stands elsewhere (``default``) is data.
_SCHEMA_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_SCHEMAS: Final = frozenset({"items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf", "not"})
_COMBINATIONS: Final = ("anyOf", "oneOf", "allOf")


class _NotStrict(Exception):
    """The schema says something that strict mode cannot enforce."""


def strict_schema(schema: JSON) -> JSON | None:
    """``schema`` as strict mode takes it; None where it would have to mean something else.

    Objects are closed (what is then allowed was allowed before). A schema with an optional or a free-form property
    cannot be strict: strict mode would send ``null`` for what the client expects to be missing.
    """
    try:
        strict = _strict(schema)
    except _NotStrict:
        return None
    return strict if strict.get("type") == "object" and "anyOf" not in strict else None


def _strict(schema: Any) -> JSON:
    if not isinstance(schema, dict) or not _UNKNOWN.isdisjoint(schema):
        raise _NotStrict
    kept = {key: value for key, value in schema.items() if key not in _DROPPED}
    if kept.get("format") not in _FORMATS:
        kept.pop("format", None)
    for key in ("$defs", "definitions"):
        if isinstance(kept.get(key), dict):
            kept[key] = {name: _strict(inner) for name, inner in kept[key].items()}
    branches = [*kept.pop("anyOf", ()), *kept.pop("oneOf", ())]
    if branches:
        kept["anyOf"] = [_strict(branch) for branch in branches]
    if "items" in kept:
        kept["items"] = _strict(kept["items"])
    kind = kept.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in kept:
        _close(kept)
    elif kind is None and not {"anyOf", "$ref", "enum", "const"} & kept.keys():
        raise _NotStrict  # anything at all
    return kept


def _close(schema: JSON) -> None:
    properties = schema.get("properties", {})
    if schema.get("additionalProperties", False) not in (False, None) or not isinstance(properties, dict):
        raise _NotStrict
    if set(schema.get("required", ())) != set(properties) or not properties:
        raise _NotStrict
    schema.setdefault("type", "object")
    schema["properties"] = {name: _strict(inner) for name, inner in properties.items()}
    schema["additionalProperties"] = False


def function_parameters(schema: JSON) -> JSON:
    """A tool's schema with the root that OpenAI demands: an object with ``properties``, no combination of schemas.

    Combined schemas at the root become one object that takes what any of them takes, and every array says what it
    holds ("array schema missing items").
    """
    schema = _with_items(schema)
    combined = [key for key in _COMBINATIONS if isinstance(schema.get(key), list)]
    if schema.get("type") == "object" and "properties" in schema and not combined:
        return schema
    flat = {key: value for key, value in schema.items() if key not in combined}
    properties = dict(flat.get("properties") or {})
    required = set(flat.get("required") or ())
    for key in combined:
        branches = [branch for branch in schema[key] if isinstance(branch, dict)]
        for branch in branches:
            properties = dict(branch.get("properties") or {}) | properties
        needs = [set(branch.get("required") or ()) for branch in branches]
        if needs:
            required |= set.union(*needs) if key == "allOf" else set.intersection(*needs)
    flat |= {"type": "object", "properties": properties}
    if required:
        flat["required"] = [name for name in properties if name in required]
    return flat


def _with_items(schema: Any) -> Any:
    """``schema`` itself, or a copy in which each array without ``items`` holds anything."""
    if not isinstance(schema, dict):
        return schema
    changed: JSON = {}
    for key, value in schema.items():
        if key in _SCHEMA_MAPS and isinstance(value, dict):
            below: Any = {name: _with_items(inner) for name, inner in value.items()}
            same = all(below[name] is inner for name, inner in value.items())
        elif key in _SCHEMAS and isinstance(value, list):
            below = [_with_items(inner) for inner in value]
            same = all(made is inner for made, inner in zip(below, value, strict=True))
        elif key in _SCHEMAS:
            below = _with_items(value)
            same = below is value
        else:
            continue
        if not same:
            changed[key] = below
    kind = schema.get("type")
    if (kind == "array" or (isinstance(kind, list) and "array" in kind)) and "items" not in schema:
        changed["items"] = {}
    return schema | changed if changed else schema
