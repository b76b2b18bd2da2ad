"""JSON Schemas in Gemini's words: named cases, and any schema at all against Gemini's rules."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.upstream.dialects.gemini_schema import parameters, response_schema

FIELDS = {
    "STRING": {"minLength", "maxLength", "enum", "format"},
    "NUMBER": {"minimum", "maximum", "format"},
    "INTEGER": {"minimum", "maximum", "format"},
    "BOOLEAN": set(),
    "ARRAY": {"items", "minItems", "maxItems"},
    "OBJECT": {"properties", "required"},
}
FORMATS = {"STRING": {"date-time"}, "NUMBER": {"float", "double"}, "INTEGER": {"int32", "int64"}}


def check(node: Any) -> None:
    """Google's rules for one Schema object."""
    assert isinstance(node, dict)
    if "anyOf" in node:
        assert node.keys() == {"anyOf"}
        assert len(node["anyOf"]) > 1
        for option in node["anyOf"]:
            assert "anyOf" not in option
            check(option)
        return
    type_ = node["type"]
    assert node.keys() <= FIELDS[type_] | {"type", "description", "nullable"}
    if "enum" in node:
        assert node["enum"]
        assert all(isinstance(value, str) and value for value in node["enum"])
    if "format" in node:
        assert node["format"] in FORMATS[type_]
    for key in ("minLength", "maxLength", "minItems", "maxItems"):
        assert isinstance(node.get(key, 0), int)
    assert isinstance(node.get("description", ""), str)
    if type_ == "ARRAY":
        check(node["items"])
    if "properties" in node:
        assert node["properties"]
        for value in node["properties"].values():
            check(value)
        assert set(node.get("required", ())) <= node["properties"].keys()
        assert "required" not in node or len(set(node["required"])) == len(node["required"])


def of(schema: Any) -> Any:
    """One property's schema, converted."""
    converted = parameters({"type": "object", "properties": {"p": schema}})
    assert converted is not None
    check(converted)
    return converted["properties"]["p"]


ANY = [
    {"type": "STRING"},
    {"type": "NUMBER"},
    {"type": "BOOLEAN"},
    {"type": "OBJECT"},
    {"type": "ARRAY", "items": {"type": "STRING"}},
]


@pytest.mark.parametrize(
    ("schema", "converted"),
    [
        ({"type": "string", "$schema": "x", "title": "T", "examples": ["a"]}, {"type": "STRING"}),
        ({"const": "a"}, {"type": "STRING", "enum": ["a"]}),
        ({"const": 3}, {"type": "INTEGER", "minimum": 3, "maximum": 3, "description": "always 3"}),
        ({"const": True}, {"type": "BOOLEAN", "description": "always true"}),
        ({"type": "string", "enum": []}, {"type": "STRING"}),
        (
            {"enum": ["a", "", "a", "b"]},
            {"type": "STRING", "enum": ["a", "b"], "description": 'one of ["a","","a","b"]'},
        ),
        ({"enum": ["a", None]}, {"type": "STRING", "enum": ["a"], "nullable": True}),
        ({"enum": [1, 5]}, {"type": "INTEGER", "minimum": 1, "maximum": 5, "description": "one of [1,5]"}),
        (
            {"type": "number", "enum": [1, 2]},
            {"type": "NUMBER", "minimum": 1, "maximum": 2, "description": "one of [1,2]"},
        ),
        ({"type": ["string", "null"]}, {"type": "STRING", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}),
        ({"type": "null"}, {"type": "STRING", "nullable": True, "description": "always null"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "STRING", "nullable": True}),
        (
            {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9},
            {"type": "INTEGER", "minimum": 1, "maximum": 8},
        ),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "NUMBER", "minimum": 0, "description": "greater than 0"}),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}),
        (
            {"type": "string", "format": "uri", "description": "A link"},
            {"type": "STRING", "description": "A link (format: uri)"},
        ),
        ({"type": "string", "pattern": "^(?=a)"}, {"type": "STRING", "description": "must match ^(?=a)"}),
        ({"type": "integer", "format": "int64", "default": 3}, {"type": "INTEGER", "format": "int64"}),
        ({"type": "array"}, {"type": "ARRAY", "items": {"anyOf": ANY}}),
        ({"type": "array", "items": {}}, {"type": "ARRAY", "items": {"anyOf": ANY}}),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "maxItems": 2},
            {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}, "maxItems": 2},
        ),
        ({"type": "object"}, {"type": "OBJECT"}),
        ({"type": "object", "properties": {}, "additionalProperties": False}, {"type": "OBJECT"}),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"type": "OBJECT", "description": 'further properties: {"type":"string"}'},
        ),
        (
            {"properties": {"a": {"minLength": 1}}},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING", "minLength": 1}}},
        ),
        ({"not": {"type": "string"}, "type": "integer"}, {"type": "INTEGER", "description": 'not {"type":"string"}'}),
        (True, {"anyOf": ANY}),
        ({}, {"anyOf": ANY}),
        (
            {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"required": ["a"]}]},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]},
        ),
        (
            {"description": "Either", "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            {"anyOf": [{"type": "STRING", "description": "Either"}, {"type": "ARRAY", "items": {"type": "STRING"}}]},
        ),
        (
            {"properties": {"a": {}}, "type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"type": "OBJECT", "properties": {"a": {"anyOf": ANY}}},
        ),
        ({"type": "STRING", "nullable": True}, {"type": "STRING", "nullable": True}),
    ],
)  # fmt: skip
def test_one_keyword(schema: Any, converted: Any) -> None:
    assert of(schema) == converted


def test_properties_named_like_keywords_survive() -> None:
    # 1rgs PR#88, llmgateway#1763
    names = (
        "format",
        "properties",
        "default",
        "const",
        "$schema",
        "$ref",
        "type",
        "enum",
        "anyOf",
        "required",
        "items",
    )
    converted = parameters(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {name: {"type": "string", "default": "x"} for name in names},
            "required": list(names),
            "additionalProperties": False,
        }
    )
    assert converted == {
        "type": "OBJECT",
        "properties": {name: {"type": "STRING"} for name in names},
        "required": list(names),
    }


def test_a_property_that_can_never_be_is_left_out_with_its_demand() -> None:
    schema = {"type": "object", "properties": {"a": False, "b": {"type": "string"}}, "required": ["a", "b", "c", "b"]}
    assert parameters(schema) == {"type": "OBJECT", "properties": {"b": {"type": "STRING"}}, "required": ["b"]}


@pytest.mark.parametrize(
    "schema", [None, {}, True, False, {"type": "object"}, {"type": "object", "properties": {}}, {"properties": ["a"]}]
)
def test_a_tool_without_arguments_has_no_parameters(schema: Any) -> None:
    assert parameters(schema) is None


def test_a_choice_of_objects_at_the_top_becomes_one_object() -> None:
    schema = {
        "oneOf": [
            {
                "type": "object",
                "properties": {"kind": {"const": "file"}, "path": {"type": "string"}},
                "required": ["kind", "path"],
            },
            {
                "type": "object",
                "properties": {"kind": {"const": "url"}, "url": {"type": "string"}},
                "required": ["kind", "url"],
            },
        ]
    }
    assert parameters(schema) == {
        "type": "OBJECT",
        "properties": {
            "kind": {"anyOf": [{"type": "STRING", "enum": ["file"]}, {"type": "STRING", "enum": ["url"]}]},
            "path": {"type": "STRING"},
            "url": {"type": "STRING"},
        },
        "required": ["kind"],
    }


def test_references_and_recursion() -> None:
    schema = {
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/tree"}},
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                },
            }
        },
    }
    converted = parameters(schema)
    check(converted)
    assert converted is not None
    child = converted["properties"]["tree"]["properties"]["children"]["items"]
    assert child["properties"]["name"] == {"type": "STRING"}
    assert child["properties"]["children"]["items"] == {"type": "OBJECT"}


def test_a_structured_answer_may_be_of_any_type() -> None:
    assert response_schema({"type": "array", "items": {"type": "integer"}}) == {
        "type": "ARRAY",
        "items": {"type": "INTEGER"},
    }
    assert response_schema(False) == {"anyOf": ANY}


NAMES = st.sampled_from(["a", "format", "properties", "$ref", "enum", "type", "items", "default", ""])
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.sampled_from(["", "a", "b"])
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null", "any", "STRING"])
JSON_VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)
REFS = st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "#/properties/a", "#gone", "x", "#/anyOf/0"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    maps = st.dictionaries(NAMES, inner, max_size=4)
    lists = st.lists(inner, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, max_size=3),
            "properties": maps,
            "required": st.lists(NAMES, max_size=3),
            "items": inner | lists,
            "prefixItems": lists,
            "anyOf": lists,
            "oneOf": lists,
            "allOf": lists,
            "not": inner,
            "additionalProperties": inner,
            "patternProperties": maps,
            "$defs": maps,
            "$ref": REFS,
            "enum": st.lists(JSON_VALUES, max_size=4),
            "const": JSON_VALUES,
            "default": JSON_VALUES,
            "description": st.text(max_size=5),
            "format": st.sampled_from(["uri", "date-time", "int32", "double", "enum"]),
            "minimum": SCALARS,
            "exclusiveMaximum": SCALARS,
            "minLength": SCALARS,
            "maxItems": SCALARS,
            "pattern": st.text(max_size=3),
            "uniqueItems": st.booleans(),
            "nullable": st.booleans(),
        },
    )


SCHEMAS = st.recursive(st.booleans() | JSON_VALUES, _schemas, max_leaves=12)


@settings(max_examples=300, deadline=None)
@given(SCHEMAS)
def test_any_schema_becomes_one_that_gemini_takes(schema: Any) -> None:
    converted = parameters(schema)
    if converted is not None:
        check(converted)
        assert converted["type"] == "OBJECT"
        assert converted["properties"]
    check(response_schema(schema))
    orjson.dumps([converted, response_schema(schema)])
