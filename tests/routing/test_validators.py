"""What a routing row's columns may hold."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from routing.validators import validate_capabilities, validate_headers, validate_quirks, validate_slug, validate_url


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"reasoning": "budget", "efforts": ["low"], "context_window": 1, "max_output": None, "vision": False},
    ],
)
def test_good_capabilities(value: object) -> None:
    validate_capabilities(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "JSON object"),
        ({"speed": 1}, "no field 'speed'"),
        ({"vision": 1}, "'vision' does not take 1: bool"),
        ({"reasoning": "deep"}, "'none' or 'effort'"),
        ({"efforts": "low"}, "a list of str"),
        ({"context_window": "1"}, "int or None"),
    ],
)
def test_bad_capabilities(value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        validate_capabilities(value)


def test_quirks() -> None:
    validate_quirks({"query": {"api-version": "2024-10-21"}, "auth_header": "api-key", "stream_usage": False})
    with pytest.raises(ValidationError, match="an object of str"):
        validate_quirks({"query": {"api-version": 1}})


def test_headers() -> None:
    validate_headers({"x-a": "b", "HTTP-Referer": "https://example.org/?a=b"})
    for bad, said in (
        ({"x-a": 1}, "header names and texts"),
        (["x-a"], "header names and texts"),
        ({"x a": "b"}, "cannot carry"),
        ({"": "b"}, "cannot carry"),
        ({"x-a": "b\r\nx-b: c"}, "cannot carry"),
        ({"Authorization": "Bearer k"}, "store it as the key"),
        ({"x-api-key": "k"}, "store it as the key"),
    ):
        with pytest.raises(ValidationError, match=said):
            validate_headers(bad)


@pytest.mark.parametrize(
    "good", ["https://api.openai.com/v1", "http://vllm:8000/v1", "http://[::1]:11434", "http://127.0.0.1"]
)
def test_good_urls(good: str) -> None:
    validate_url(good)


@pytest.mark.parametrize(
    "bad",
    [
        "api.openai.com/v1",
        "htp://x",
        "http://",
        "http://h:99999",
        "http://h:x",
        "http://a b",
        "http://u:p@h",
        "http://h?q",
    ],
)
def test_bad_urls(bad: str) -> None:
    with pytest.raises(ValidationError):
        validate_url(bad)


def test_slugs() -> None:
    validate_slug("my-host_2.eu")
    for bad in ("My", "a/b", "-a", ""):
        with pytest.raises(ValidationError):
            validate_slug(bad)
