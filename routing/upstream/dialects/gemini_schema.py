"""JSON Schemas in Gemini's own words: the ``Schema`` object of function parameters and of structured answers.

Gemini refuses every field it does not know (``$schema``, ``const``, ``additionalProperties``, type arrays: 1rgs PR#88,
llmgateway#1763), so nothing is handed on: each node is built anew from the fields below. What cannot be said is said
in the description, where the model reads it.

Source: https://ai.google.dev/api/caching#Schema; what it refuses beyond that: enums of anything but non-empty strings,
``required`` names that are no properties, arrays without ``items``, ``anyOf`` beside other fields, formats it does not
know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from ..events import JSON
from ..schemas import MAX_DEPTH, Schema, inlined, is_number, joined

_TYPES: Final = ("string", "integer", "number", "boolean", "object", "array")
_FORMATS: Final = {"string": ("date-time",), "integer": ("int32", "int64"), "number": ("float", "double")}
_CHOICES: Final = ("anyOf", "oneOf")
# Which keywords tell the type of a schema that names none.
_TELLING: Final = (
    ("object", ("properties", "required", "additionalProperties", "patternProperties", "minProperties")),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains")),
    ("string", ("pattern", "minLength", "maxLength", "format")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)
# Keywords without an equivalent, worded for the model; {} is the keyword's value.
_WORDED: Final = {
    "pattern": "must match {}",
    "multipleOf": "multiple of {}",
    "uniqueItems": "no two alike",
    "not": "not {}",
    "patternProperties": "properties by pattern: {}",
}
_NULL: Final[JSON] = {"type": "STRING", "nullable": True, "description": "always null"}  # there is no type for it
_MAX_WORDED: Final = 200  # characters of a keyword's value worth reading


def parameters(schema: Any) -> JSON | None:
    """A tool's ``input_schema`` as a declaration's ``parameters``; None for a tool that takes no arguments.

    Gemini wants an object at the top, with properties: a choice of objects becomes one that takes what any takes.
    """
    root = _flat(inlined(schema), 0)
    if isinstance(root, bool):
        return None
    object_ = _object({**_loosened(root), "type": "object"}, 0)
    return object_ if "properties" in object_ else None


def response_schema(schema: Any) -> JSON:
    """The schema of a structured answer (``output_config.format.schema``)."""
    return _converted(inlined(schema), 0) or _anything()


def _converted(schema: Schema, depth: int) -> JSON | None:
    """One node; None where nothing at all would be valid."""
    flat = _flat(schema, depth)
    if isinstance(flat, bool):
        return _anything() if flat else None
    if depth > MAX_DEPTH:
        return _anything()
    if choices := _choices(flat):
        if isinstance(flat.get("properties"), dict):
            return _typed({**_loosened(flat), "type": "object"}, "object", depth)
        base = {key: value for key, value in flat.items() if key not in _CHOICES}
        words = base.pop("description", None)
        return _any_of((_converted(joined(choice, base), depth + 1) for choice in choices), words)
    types, nullable = _types(flat)
    if types == ["null"]:
        return _NULL
    if not types:
        return _anything(flat.get("description"), nullable=nullable)
    nodes = [_typed(flat, type_, depth) for type_ in types]
    if nullable:
        nodes = [{**node, "nullable": True} for node in nodes]
    return _any_of(nodes, None)


def _flat(schema: Schema, depth: int) -> Schema:
    """The schema with its ``allOf`` joined into it."""
    if isinstance(schema, bool) or not isinstance(schema.get("allOf"), list):
        return schema
    result: Schema = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        if isinstance(part, dict | bool) and depth <= MAX_DEPTH:
            result = joined(result, _flat(part, depth + 1))
    return result


def _choices(schema: JSON) -> list[Schema]:
    for key in _CHOICES:
        if isinstance(choices := schema.get(key), list):
            return [choice for choice in choices if isinstance(choice, dict | bool)]
    return []


def _any_of(nodes: Iterable[JSON | None], words: Any) -> JSON | None:
    """A choice as ``anyOf`` and nothing beside it; a choice of one is that one. The words go to the first."""
    flat: list[JSON] = []
    nullable = False
    for node in nodes:
        for option in (node or {}).get("anyOf", [node]):
            if option is None:
                continue
            nullable = nullable or option.get("nullable") is True
            if option != _NULL and option not in flat:
                flat.append(option)
    if not flat:
        return _NULL if nullable else None
    if isinstance(words, str):
        own = flat[0].get("description")
        flat[0] = {**flat[0], "description": f"{words} ({own})" if own else words}
    if nullable:
        flat = [{**option, "nullable": True} for option in flat]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def _loosened(schema: JSON) -> JSON:
    """An object with a choice of further demands, as one object that takes what any of them takes."""
    options = [flat for choice in _choices(schema) if isinstance(flat := _flat(choice, 0), dict)]
    base = {key: value for key, value in schema.items() if key not in _CHOICES}
    objects = [_loosened(option) for option in options]
    if not objects:
        return base
    held = base.get("properties")
    properties: dict[str, Any] = dict(held) if isinstance(held, dict) else {}
    for option in objects:
        found = option.get("properties")
        for name, value in (found if isinstance(found, dict) else {}).items():
            if name not in properties:
                properties[name] = value
            elif properties[name] != value:
                properties[name] = {"anyOf": [properties[name], value]}
    needed = [set(_names(option.get("required"))) for option in objects]
    always = [name for name in _names(objects[0].get("required")) if all(name in names for names in needed)]
    return {**base, "properties": properties, "required": [*_names(base.get("required")), *always]}


def _types(schema: JSON) -> tuple[list[str], bool]:
    """The types a schema allows, and whether null is among them; no types where it allows any."""
    declared = schema.get("type")
    names = [name.lower() for name in (declared if isinstance(declared, list) else [declared]) if isinstance(name, str)]
    nullable = "null" in names or schema.get("nullable") is True
    types = [name for name in dict.fromkeys(names) if name in _TYPES]
    values = _values(schema)
    if values:
        nullable = nullable or (None in values and not types)
        found = list(dict.fromkeys(filter(None, map(_type_of, values))))
        types = [name for name in types if name in found or (name == "number" and "integer" in found)] or found or types
    if not types and not nullable:
        types = next(([name] for name, telling in _TELLING if any(key in schema for key in telling)), [])
    if "null" in names and not types:
        return ["null"], True
    return types, nullable


def _values(schema: JSON) -> list[Any]:
    """The only values a schema allows; empty where it does not say."""
    if "const" in schema:
        return [schema["const"]]
    return schema["enum"] if isinstance(schema.get("enum"), list) else []


def _type_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    for type_, name in ((str, "string"), (int, "integer"), (float, "number"), (dict, "object"), (list, "array")):
        if isinstance(value, type_):
            return name
    return None


def _typed(schema: JSON, type_: str, depth: int) -> JSON:
    node: JSON = {"type": type_.upper()}
    if type_ == "object":
        node = _object(schema, depth)
    elif type_ == "array":
        node |= _array(schema, depth)
    elif type_ == "string":
        node |= _sizes(schema, "minLength", "maxLength")
        if texts := [value for value in _values(schema) if isinstance(value, str) and value]:
            node["enum"] = list(dict.fromkeys(texts))
    elif type_ in ("integer", "number"):
        node |= _bounds(schema, type_)
    if schema.get("format") in _FORMATS.get(type_, ()):
        node["format"] = schema["format"]
    if words := _words(schema, type_):
        node["description"] = words
    return node


def _object(schema: JSON, depth: int) -> JSON:
    node: JSON = {"type": "OBJECT"}
    held = schema.get("properties")
    properties = {
        name: converted
        for name, value in (held if isinstance(held, dict) else {}).items()
        if (converted := _converted(value if isinstance(value, dict | bool) else True, depth + 1)) is not None
    }
    if properties:
        node["properties"] = properties
        if required := [name for name in dict.fromkeys(_names(schema.get("required"))) if name in properties]:
            node["required"] = required
    return node


def _array(schema: JSON, depth: int) -> JSON:
    """``items`` and the sizes; a tuple's items become a choice, for there is no word for their order."""
    found = schema.get("prefixItems", schema.get("items"))
    if isinstance(found, list):
        places = [_converted(item if isinstance(item, dict | bool) else True, depth + 1) for item in found]
        items = _any_of(places, None)
    else:
        items = _converted(found if isinstance(found, dict) else True, depth + 1)
    return {"items": items or _anything(), **_sizes(schema, "minItems", "maxItems")}


def _sizes(schema: JSON, *keys: str) -> JSON:
    return {key: int(schema[key]) for key in keys if is_number(schema.get(key)) and 0 <= schema[key] < 2**63}


def _bounds(schema: JSON, type_: str) -> JSON:
    """``minimum`` and ``maximum``; of whole numbers also the exclusive ones, moved by one."""
    bounds = {key: schema[key] for key in ("minimum", "maximum") if is_number(schema.get(key))}
    for key, exclusive, step in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        limit = schema.get(exclusive)
        if is_number(limit) and key not in bounds:
            bounds[key] = limit + step if type_ == "integer" and isinstance(limit, int) else limit
    if numbers := [value for value in _values(schema) if is_number(value)]:
        bounds = {"minimum": min(numbers), "maximum": max(numbers)}
    return bounds


def _words(schema: JSON, type_: str) -> str:
    """The description, and after it what the other fields cannot say."""
    own = schema.get("description")
    notes = "; ".join(_notes(schema, type_))
    if not isinstance(own, str) or not own:
        return notes
    return f"{own} ({notes})" if notes else own


def _notes(schema: JSON, type_: str) -> Iterator[str]:
    values = _values(schema)
    if values and (type_ != "string" or "" in values):
        yield f"one of {_short(values)}" if len(values) > 1 else f"always {_short(values[0])}"
    for key, words in _WORDED.items():
        if schema.get(key) not in (None, False, {}):
            yield words.format(_short(schema[key]))
    if type_ == "string" and isinstance(format_ := schema.get("format"), str) and format_ not in _FORMATS[type_]:
        yield f"format: {format_}"
    if type_ == "number":
        for key, relation in (("exclusiveMinimum", "greater than"), ("exclusiveMaximum", "less than")):
            if is_number(schema.get(key)):
                yield f"{relation} {schema[key]}"
    if type_ == "object" and isinstance(extra := schema.get("additionalProperties"), dict) and extra:
        yield f"further properties: {_short(extra)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text if len(text) <= _MAX_WORDED else text[:_MAX_WORDED] + "…"


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _anything(description: Any = None, *, nullable: bool = False) -> JSON:
    """Any JSON value: Gemini has no schema without a type."""
    nodes: list[JSON] = [{"type": name.upper()} for name in ("string", "number", "boolean", "object")]
    nodes.append({"type": "ARRAY", "items": {"type": "STRING"}})
    if isinstance(description, str) and description:
        nodes[0]["description"] = description
    return {"anyOf": [{**node, "nullable": True} for node in nodes] if nullable else nodes}
