"""Schemas as OpenAI takes them, without a change of meaning."""

from __future__ import annotations

from typing import Any

import pytest

from routing.upstream.strict_schema import function_parameters, strict_schema

STRING = {"type": "string"}


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def test_objects_are_closed_at_every_depth() -> None:
    strict = strict_schema(an_object(a=an_object(b=STRING), c={"type": "array", "items": an_object(d=STRING)}))
    assert strict is not None
    assert strict["additionalProperties"] is False
    assert strict["properties"]["a"]["additionalProperties"] is False
    assert strict["properties"]["c"]["items"]["additionalProperties"] is False


def test_constraints_strict_mode_lacks_are_dropped_but_not_properties_named_like_them() -> None:
    schema = an_object(default={"type": "string", "default": "x", "minLength": 3, "format": "uri"}, format=STRING)
    strict = strict_schema(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
    assert strict == an_object(default=STRING, format=STRING) | {"additionalProperties": False}


def test_one_of_becomes_any_of_and_references_stay() -> None:
    schema = an_object(a={"oneOf": [STRING, {"type": "null"}]}, b={"$ref": "#/$defs/x"}) | {"$defs": {"x": STRING}}
    strict = strict_schema(schema)
    assert strict is not None
    assert strict["properties"]["a"] == {"anyOf": [STRING, {"type": "null"}]}
    assert strict["properties"]["b"] == {"$ref": "#/$defs/x"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": STRING}},  # optional: strict mode would send null
        {"type": "object"},
        an_object(a={"type": "object", "additionalProperties": STRING}),
        an_object(a={}),
        an_object(a={"allOf": [STRING]}),
        an_object(a={"not": STRING}),
        {"type": "array", "items": STRING},
        {"anyOf": [an_object(a=STRING)]},
    ],
)
def test_what_strict_mode_would_change_is_not_strict(schema: dict[str, Any]) -> None:
    assert strict_schema(schema) is None


def test_a_schema_is_never_changed_in_place() -> None:
    schema = an_object(a={"type": "string", "default": "x"})
    strict_schema(schema)
    assert schema == an_object(a={"type": "string", "default": "x"})


def test_a_tools_root_is_an_object_with_properties() -> None:
    whole = an_object(a=STRING)
    assert function_parameters(whole) is whole
    assert function_parameters({"type": "object"}) == {"type": "object", "properties": {}}
    assert function_parameters({}) == {"type": "object", "properties": {}}


def test_combinations_at_a_tools_root_become_one_object() -> None:
    either = {"anyOf": [an_object(a=STRING, b=STRING), an_object(a=STRING, c=STRING)]}
    assert function_parameters(either) == {
        "type": "object",
        "properties": {"a": STRING, "b": STRING, "c": STRING},
        "required": ["a"],
    }
    both = {"type": "object", "allOf": [an_object(a=STRING), an_object(b=STRING)]}
    assert set(function_parameters(both)["required"]) == {"a", "b"}
