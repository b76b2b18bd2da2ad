"""What a routing row's columns may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from .upstream.target import Capabilities, Quirks

validate_slug = RegexValidator(
    r"^[a-z0-9][a-z0-9_.-]*$", "Lower-case letters, digits, '-', '_' and '.': it is what stands before the '/'."
)
# https://www.rfc-editor.org/rfc/rfc9110#section-5
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_TEXT: Final = re.compile(r"[\t\x20-\x7e]*")
_CREDENTIALS: Final = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"}
)


def validate_url(value: str) -> None:
    """An absolute http(s) URL; a host may be a bare name (``http://vllm:8000/v1``), as inside a container network."""
    try:
        parts = urlsplit(value)
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well = False
    if not well or "?" in value or "#" in value or re.search(r"[\s<>\"'{}]", value):
        raise ValidationError("A URL such as https://host/v1 is wanted, without a query.")
    if parts.username or parts.password:
        raise ValidationError("No user name or password in the URL: the key is stored by itself, sealed.")


def validate_capabilities(value: object) -> None:
    """Some fields of ``routing.upstream.target.Capabilities``, as JSON."""
    _validate_fields(Capabilities, value)


def validate_quirks(value: object) -> None:
    """Some fields of ``routing.upstream.target.Quirks``, as JSON."""
    _validate_fields(Quirks, value)


def validate_headers(value: object) -> None:
    """A JSON object of header names and their values, as HTTP can carry them. No credential: these are shown."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValidationError('A JSON object of header names and texts is wanted, such as {"x-team": "core"}.')
    for name, text in value.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_TEXT.fullmatch(text):
            raise ValidationError(f"HTTP cannot carry the header {name!r}.")
        if name.lower() in _CREDENTIALS:
            raise ValidationError(f"'{name}' holds a credential: store it as the key, where it is sealed.")


def _validate_fields(dataclass: type[Any], value: object) -> None:
    """Raises ValidationError unless ``value`` is a JSON object of known, rightly typed fields of ``dataclass``."""
    if not isinstance(value, dict):
        raise ValidationError("A JSON object is wanted, such as {}.")
    hints = get_type_hints(dataclass)
    for name, given in value.items():
        if name not in hints:
            raise ValidationError(f"There is no field '{name}'. Known: {', '.join(sorted(hints))}.")
        if not _fits(given, hints[name]):
            raise ValidationError(f"'{name}' does not take {given!r}: {_said(hints[name])} is wanted.")


def _fits(value: object, hint: Any) -> bool:
    """Whether a JSON value fits an annotation: a plain type, union, literal, tuple[x, ...] or Mapping[str, x]."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None:
        return type(value) is hint
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(_fits(item, arguments[1]) for item in value.values())
    return any(_fits(value, one) for one in arguments)


def _said(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is tuple:
        return f"a list of {arguments[0].__name__}"
    if origin is Mapping:
        return f"an object of {arguments[1].__name__}"
    return hint.__name__ if isinstance(hint, type) else str(hint).replace(" | ", " or ")
