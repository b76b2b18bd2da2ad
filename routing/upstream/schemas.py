"""JSON Schema as clients write it, made plain for providers that understand less of it.

Here are the parts that no dialect owns: references written out, schemas joined.
Source: https://json-schema.org/draft/2020-12/json-schema-core (and the older drafts' ``definitions``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from .events import JSON

Schema: TypeAlias = JSON | bool

MAX_DEPTH: Final = 32  # levels of nesting that are kept; below them a schema says its type alone
_MAX_NODES: Final = 4096  # schemas written out for references: mutual recursion must not grow without end
_UNROLLED: Final = 2  # how often a schema may stand inside itself before it is cut
_SUBSCHEMA: Final = frozenset(
    ("additionalProperties", "items", "contains", "not", "if", "then", "else", "propertyNames", "additionalItems")
)
_SUBSCHEMA_LIST: Final = frozenset(("anyOf", "oneOf", "allOf", "prefixItems", "items"))
_SUBSCHEMA_MAP: Final = frozenset(("properties", "patternProperties", "dependentSchemas"))
_DEFINITIONS: Final = ("$defs", "definitions")
_ANNOTATIONS: Final = frozenset(("description", "title", "default", "examples", "deprecated", "$comment"))


def inlined(root: Any) -> Schema:
    """``root`` without ``$ref``: what a reference names stands in its place.

    A schema that holds itself is written out twice and then cut to its type; so is whatever would make the result
    grow beyond measure. A reference to nothing in the document allows anything. Never raises.
    """
    return _Inliner(root).schema(root, (), 0)


class _Inliner:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._nodes = 0

    def schema(self, node: Any, inside: tuple[str, ...], depth: int) -> Schema:
        if not isinstance(node, dict):
            return node if isinstance(node, bool) else {}
        if depth > MAX_DEPTH:
            return outline(node)
        self._nodes += 1
        if isinstance(ref := node.get("$ref"), str):
            return self._referred(ref, {key: node[key] for key in node if key != "$ref"}, inside, depth)
        return {key: self._value(key, node[key], inside, depth + 1) for key in node if key not in _DEFINITIONS}

    def _referred(self, ref: str, beside: JSON, inside: tuple[str, ...], depth: int) -> Schema:
        found = self._find(ref)
        target = (
            outline(found)
            if inside.count(ref) >= _UNROLLED or self._nodes > _MAX_NODES
            else self.schema(found, (*inside, ref), depth + 1)
        )
        rest = self.schema(beside, inside, depth + 1)
        # What stands beside a reference restricts it further; a description there is the more precise one.
        return joined(rest, target) if rest else target

    def _value(self, key: str, value: Any, inside: tuple[str, ...], depth: int) -> Any:
        if isinstance(value, list):
            return [self.schema(item, inside, depth) for item in value] if key in _SUBSCHEMA_LIST else value
        if isinstance(value, dict):
            if key in _SUBSCHEMA_MAP:
                return {name: self.schema(item, inside, depth) for name, item in value.items()}
            if key in _SUBSCHEMA:
                return self.schema(value, inside, depth)
        return value

    def _find(self, ref: str) -> Any:
        path, _, fragment = ref.partition("#")
        if not path and (not fragment or fragment.startswith("/")):
            return _pointed(self._root, fragment)
        for name, definition in self._definitions():
            if isinstance(definition, dict) and (
                ref in (name, definition.get("$id")) or (not path and fragment == definition.get("$anchor"))
            ):
                return definition
        return {}

    def _definitions(self) -> Iterator[tuple[str, Any]]:
        for key in _DEFINITIONS:
            held = self._root.get(key) if isinstance(self._root, dict) else None
            yield from held.items() if isinstance(held, dict) else ()


def _pointed(root: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) leads to; a schema that allows anything where it leads nowhere."""
    node = root
    for step in pointer.split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            return {}
    return node


def outline(schema: Any) -> Schema:
    """The schema's outermost say: its type, its words and, of a plain value, which values it may have."""
    if not isinstance(schema, dict):
        return schema if isinstance(schema, bool) else {}
    kept = {key: schema[key] for key in ("type", "description", "enum", "const") if key in schema}
    if "type" not in kept and "properties" in schema:
        kept["type"] = "object"
    return kept


def joined(first: Schema, second: Schema) -> Schema:
    """One schema for what both allow (``allOf``), as near as one schema can say it.

    Where only one can be said (a description, a choice of schemas) ``first`` has the word.
    """
    if isinstance(first, bool):
        return second if first else False
    if isinstance(second, bool):
        return first if second else False
    result = {**second, **first}
    for key in first.keys() & second.keys():
        if key not in _ANNOTATIONS and first[key] != second[key] and (join := _JOINS.get(key)) is not None:
            result[key] = join(first[key], second[key])
    return result


def _join_properties(first: Any, second: Any) -> Any:
    if not isinstance(first, dict) or not isinstance(second, dict):
        return first if isinstance(first, dict) else second
    both = {**second, **first}
    for name in first.keys() & second.keys():
        one, other = first[name], second[name]
        if isinstance(one, dict | bool) and isinstance(other, dict | bool):
            both[name] = joined(one, other)
    return both


def _join_required(first: Any, second: Any) -> list[Any]:
    names = [name for part in (first, second) if isinstance(part, list) for name in part if isinstance(name, str)]
    return list(dict.fromkeys(names))


def _join_types(first: Any, second: Any) -> Any:
    one, other = _listed(first), _listed(second)
    shared = [name for name in one if name in other or (name == "integer" and "number" in other)]
    shared += [name for name in other if name == "integer" and "number" in one and name not in shared]
    if not shared:
        return first
    return shared[0] if len(shared) == 1 else shared


def _join_enums(first: Any, second: Any) -> Any:
    if not isinstance(first, list) or not isinstance(second, list):
        return first if isinstance(first, list) else second
    return [value for value in first if value in second] or first


def _join_lower_bounds(first: Any, second: Any) -> Any:
    return max((bound for bound in (first, second) if is_number(bound)), default=first)


def _join_upper_bounds(first: Any, second: Any) -> Any:
    return min((bound for bound in (first, second) if is_number(bound)), default=first)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_JOINS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "properties": _join_properties,
    "required": _join_required,
    "type": _join_types,
    "enum": _join_enums,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), _join_lower_bounds),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), _join_upper_bounds),
}
