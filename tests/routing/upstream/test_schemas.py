"""References written out, schemas joined, conversions remembered."""

from __future__ import annotations

from typing import Any

import pytest

from routing.upstream.schemas import MAX_DEPTH, inlined, joined


def depth(node: Any) -> int:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return 1 + max(map(depth, children), default=0)


def test_a_reference_becomes_what_it_names_and_the_definitions_go() -> None:
    schema = {
        "type": "object",
        "properties": {"where": {"$ref": "#/$defs/a~1place%20x"}},
        "$defs": {"a/place x": {"type": "string", "description": "A place"}},
    }
    assert inlined(schema) == {"type": "object", "properties": {"where": {"type": "string", "description": "A place"}}}


def test_what_stands_beside_a_reference_is_kept_and_its_description_has_the_word() -> None:
    schema = {
        "definitions": {"n": {"type": "integer", "description": "a number", "minimum": 0}},
        "$ref": "#/definitions/n",
        "description": "an age",
        "minimum": 18,
    }
    assert inlined(schema) == {"type": "integer", "description": "an age", "minimum": 18}


def test_properties_named_like_keywords_are_properties() -> None:
    schema = {"type": "object", "properties": {"$ref": {"type": "string"}, "$defs": {"type": "array", "items": {}}}}
    assert inlined(schema) == schema


@pytest.mark.parametrize(
    ("ref", "found"),
    [
        ("#here", {"type": "integer"}),
        ("https://example.com/there", {"type": "boolean"}),
        ("bare", {"type": "null"}),
        ("#/nowhere", {}),
        ("#/anyOf/0", {"type": "string"}),
        ("#/anyOf/7", {}),
        ("https://example.com/unknown#/a", {}),
    ],
)
def test_every_form_of_reference(ref: str, found: Any) -> None:
    schema = {
        "properties": {"p": {"$ref": ref}},
        "anyOf": [{"type": "string"}],
        "$defs": {
            "x": {"$anchor": "here", "type": "integer"},
            "y": {"$id": "https://example.com/there", "type": "boolean"},
            "bare": {"type": "null"},
        },
    }
    result = inlined(schema)
    assert isinstance(result, dict)
    value = {key: item for key, item in result["properties"]["p"].items() if not key.startswith("$")}
    assert value == found


def test_a_recursive_schema_is_written_out_twice_and_then_cut_to_its_type() -> None:
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    result = inlined({"$ref": "#/$defs/tree", "$defs": {"tree": tree}})
    assert isinstance(result, dict)
    child = result["properties"]["children"]["items"]
    assert child["properties"]["children"]["items"] == {"type": "object"}


def test_a_reference_to_itself_allows_anything() -> None:
    assert inlined({"$ref": "#"}) == {}
    assert inlined({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}) == {}


def test_mutual_recursion_stays_bounded() -> None:
    names = [f"n{number}" for number in range(12)]
    everybody = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    schema = {"$ref": "#/$defs/n0", "$defs": {name: {"type": "object", "properties": everybody} for name in names}}
    result = inlined(schema)
    assert len(repr(result)) < 3_000_000
    assert depth(result) < 4 * MAX_DEPTH


def test_a_schema_nested_beyond_all_measure_is_cut() -> None:
    schema: Any = {"type": "string"}
    for _ in range(400):
        schema = {"type": "array", "items": schema}
    assert depth(inlined(schema)) <= MAX_DEPTH + 3


@pytest.mark.parametrize("nonsense", [None, 3, "string", [], [{}]])
def test_what_is_no_schema_allows_anything(nonsense: Any) -> None:
    assert inlined(nonsense) == {}


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (True, {"type": "string"}, {"type": "string"}),
        ({"type": "string"}, False, False),
        ({"type": ["string", "null"]}, {"type": "string"}, {"type": "string"}),
        ({"type": "number"}, {"type": "integer"}, {"type": "integer"}),
        ({"enum": [1, 2, 3]}, {"enum": [3, 2]}, {"enum": [2, 3]}),
        ({"minimum": 1, "maximum": 9}, {"minimum": 3, "maximum": 12}, {"minimum": 3, "maximum": 9}),
        ({"required": ["a"]}, {"required": ["b", "a"]}, {"required": ["a", "b"]}),
        ({"description": "mine"}, {"description": "other", "title": "T"}, {"description": "mine", "title": "T"}),
        (
            {"properties": {"a": {"type": "string"}, "b": True}},
            {"properties": {"a": {"minLength": 2}, "c": False}},
            {"properties": {"a": {"type": "string", "minLength": 2}, "b": True, "c": False}},
        ),
    ],
)
def test_joined_allows_what_both_allow(first: Any, second: Any, both: Any) -> None:
    assert joined(first, second) == both
