"""OpenAI's way of refusing: one error object, and the recurring kinds of complaint.

Wordings as the live API gives them, quoted in public issues and tests (openai/openai-python, openai/codex,
langchain-ai/langchain, BerriAI/litellm).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..dialect import Refused, Whole

_NAMES: dict[type, str] = {str: "a string", int: "an integer", float: "a decimal number", bool: "a boolean"}
_COMPOUND = {list: "an array", dict: "an object", type(None): "null"}


def words(text: str) -> frozenset[str]:
    """Names written in a row, as a set."""
    return frozenset(text.split())


def bad(message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> Refused:
    """A refusal, to be raised."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refused(Whole.json(status, {"error": error}, {"x-request-id": "req_scripted"}))


def kind(value: object) -> str:
    """The value's JSON type with its article."""
    return (_NAMES | _COMPOUND).get(type(value), "an object")


def listed(values: Sequence[str]) -> str:
    """``'a', 'b', and 'c'``."""
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def need(holder: Mapping[str, Any], key: str, path: str) -> Any:
    """A member that must be there. ``path`` is the member's."""
    if key not in holder:
        raise bad(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")
    return holder[key]


def typed(value: Any, path: str, types: type | tuple[type, ...], expected: str) -> None:
    """A value of a JSON type; ``expected`` is how OpenAI names what it wants."""
    kinds = types if isinstance(types, tuple) else (types,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        message = f"Invalid type for '{path}': expected {expected}, but got {kind(value)} instead."
        raise bad(message, param=path, code="invalid_type")


def text(value: Any, path: str, *, least: int = 0, most: int | None = None) -> str:
    """A string within bounds, counted in characters."""
    typed(value, path, str, "a string")
    if least and not value:
        raise bad(
            f"Invalid '{path}': empty string. Expected a string with minimum length {least}, but got an empty string "
            "instead.",
            param=path,
            code="empty_string",
        )
    if most is not None and len(value) > most:
        raise bad(
            f"Invalid '{path}': string too long. Expected a string with maximum length {most}, but got a string with "
            f"length {len(value)} instead.",
            param=path,
            code="string_above_max_length",
        )
    return str(value)


def array(value: Any, path: str, *, least: int = 0, most: int | None = None) -> list[Any]:
    """An array within bounds."""
    typed(value, path, list, "an array of objects")
    if len(value) < least:
        raise bad(
            f"Invalid '{path}': empty array. Expected an array with minimum length {least}, but got an empty array "
            "instead.",
            param=path,
            code="empty_array",
        )
    if most is not None and len(value) > most:
        raise bad(
            f"Invalid '{path}': array too long. Expected an array with maximum length {most}, but got an array with "
            f"length {len(value)} instead.",
            param=path,
            code="array_above_max_length",
        )
    return list(value)


def known(holder: Mapping[str, Any], allowed: Collection[str], path: str) -> None:
    """No member but the allowed ones; ``path`` is the holder's, empty at the top."""
    for key in holder:
        if key not in allowed:
            where = f"{path}.{key}" if path else key
            raise bad(f"Unknown parameter: '{where}'.", param=where, code="unknown_parameter")


def one_of(value: Any, path: str, values: Sequence[str]) -> None:
    """A string from a list."""
    if value not in values:
        message = f"Invalid value: '{value}'. Supported values are: {listed(values)}."
        raise bad(message, param=path, code="invalid_value")


def integer(value: Any, path: str, least: int) -> None:
    """An integer of at least ``least``."""
    typed(value, path, int, "an integer")
    if value < least:
        raise bad(
            f"Invalid '{path}': integer below minimum value. Expected a value >= {least}, but got {value} instead.",
            param=path,
            code="integer_below_min_value",
        )


def decimal(value: Any, path: str, least: float, most: float) -> None:
    """A number within bounds."""
    typed(value, path, (int, float), "a decimal")
    if value < least:
        raise bad(
            f"Invalid '{path}': decimal below minimum value. Expected a value >= {least:g}, but got {value} instead.",
            param=path,
            code="decimal_below_min_value",
        )
    if value > most:
        raise bad(
            f"Invalid '{path}': decimal above maximum value. Expected a value <= {most:g}, but got {value} instead.",
            param=path,
            code="decimal_above_max_value",
        )


def unsupported(param: str) -> Refused:
    """A parameter that exists, but not for this model."""
    message = f"Unsupported parameter: '{param}' is not supported with this model."
    return bad(message, param=param, code="unsupported_parameter")


def matches_name(value: Any, path: str) -> None:
    """A function name: 1 to 64 of ``[a-zA-Z0-9_-]``."""
    text(value, path, least=1, most=64)
    if not all(char.isascii() and (char.isalnum() or char in "_-") for char in value):
        raise bad(
            f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'.",
            param=path,
            code="invalid_value",
        )


def metadata(value: Any) -> None:
    """At most 16 pairs of strings, 64 and 512 characters long."""
    typed(value, "metadata", dict, "an object")
    if len(value) > 16:
        raise bad(
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
            f"with {len(value)} properties instead.",
            param="metadata",
            code="object_above_max_properties",
        )
    for key, member in value.items():
        text(member, f"metadata.{key}", most=512)


def data_url(url: Any, path: str) -> None:
    """An image address: http(s), or a data URL of a format that OpenAI reads."""
    text(url, path, least=1)
    if url.startswith(("http://", "https://")):
        return
    head, _, payload = url.partition(";base64,")
    if not url.startswith("data:") or not payload:
        raise bad(
            f"Invalid '{path}'. Expected a valid URL, but got a value with an invalid format.",
            param=path,
            code="invalid_value",
        )
    if head.removeprefix("data:") not in ("image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"):
        raise bad(
            "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
            "['png', 'jpeg', 'gif', 'webp'].",
            code="invalid_image_format",
        )
