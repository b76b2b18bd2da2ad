"""What every operation of the OpenAPI document has in common: who is asking, and how it refuses."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from .authentication import KeyAuthentication
from .errors import TYPES

_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"type": "string", "enum": ["error"]},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {
                "type": {"type": "string", "enum": sorted(set(TYPES.values()))},
                "message": {"type": "string"},
                "fields": {"type": "object", "description": "Field -> messages.", "additionalProperties": True},
            },
        },
    },
}
_REFUSALS: Final = {
    "400": "A parameter or the body is wrong; `fields` says which.",
    "401": "No key, or none that is known, live and allowed from here.",
    "403": "Not for this key or person.",
    "404": "There is nothing by this name, or not for you.",
    "405": "Not with this method.",
    "406": "Not in this media type.",
}
_CHANGING: Final = {"409": "What stands in the database does not allow it now."}
_WITH_BODY: Final = {"413": "More than the gateway takes.", "415": "The body is not JSON."}
_METHODS: Final = ("get", "post", "put", "patch", "delete")


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers it
    """How the OpenAPI document tells of it."""

    target_class = KeyAuthentication
    name = ["bearer", "x-api-key"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "A gateway key, tg_…"},
            {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The same key."},
        ]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        return [{"bearer": []}, {"x-api-key": []}]  # either


def document_refusals(result: dict[str, Any], generator: SchemaGenerator, **_: Any) -> dict[str, Any]:
    """A drf-spectacular postprocessing hook: the errors that any operation may answer with, in their one shape."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    result["components"]["schemas"]["Error"] = _ERROR
    for operations in result["paths"].values():
        for method in _METHODS:
            operation = operations.get(method)
            if operation is None:
                continue
            refusals = _REFUSALS if method == "get" else _REFUSALS | _CHANGING
            if "requestBody" in operation:
                refusals = refusals | _WITH_BODY
            for status, why in refusals.items():
                operation["responses"].setdefault(status, {"description": why})
            for status, answer in operation["responses"].items():
                if status >= "400":
                    answer.setdefault("content", content)
    return result
