"""The small laws of Anthropic's answers: ids, usage, errors, stop reasons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

STOP_REASONS = frozenset(
    {
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
    }
)
ERROR_TYPES = frozenset(
    {
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "request_too_large",
        "rate_limit_error",
        "timeout_error",
        "api_error",
        "overloaded_error",
    }
)
_ID = re.compile(r"[A-Za-z0-9_-]{8,}")
_COUNTERS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class GrammarError(AssertionError):
    """The answer is not one that Anthropic could have given."""


@dataclass(frozen=True, slots=True)
class Laws:
    """What is insisted on beyond the grammar. ``ids``: the shapes of ids; ``sequence``: signature last in thinking."""

    ids: bool = True
    sequence: bool = True


def expect(holds: bool, message: str) -> None:
    """Raise :class:`GrammarError` unless it holds."""
    if not holds:
        raise GrammarError(message)


def check_id(where: str, value: Any, prefix: str, laws: Laws) -> None:
    """A non-empty string; by the strict laws ``prefix`` and at least 8 of ``[A-Za-z0-9_-]``."""
    expect(isinstance(value, str) and value != "", f"{where}: id is {value!r}")
    if laws.ids:
        good = value.startswith(prefix) and _ID.fullmatch(value.removeprefix(prefix)) is not None
        expect(good, f"{where}: id {value!r} has not the shape {prefix}…")


def check_usage(where: str, usage: Any, *, opening: bool) -> None:
    """Counters are non-negative integers. ``opening``: input and output are there and the whole input is not zero."""
    expect(isinstance(usage, dict), f"{where}: usage is not an object: {usage!r}")
    for name in _COUNTERS:
        value = usage.get(name)
        if value is not None or (name in usage and name in ("input_tokens", "output_tokens")):
            expect(type(value) is int and value >= 0, f"{where}: usage.{name} is {value!r}")
    expect("output_tokens" in usage, f"{where}: usage lacks output_tokens")
    searches = usage.get("server_tool_use")
    if searches is not None:
        for name, value in searches.items():
            expect(type(value) is int and value >= 0, f"{where}: usage.server_tool_use.{name} is {value!r}")
    split = usage.get("cache_creation")
    if split is not None:
        total = split["ephemeral_5m_input_tokens"] + split["ephemeral_1h_input_tokens"]
        said = usage.get("cache_creation_input_tokens")
        expect(total == said, f"{where}: cache_creation adds up to {total}, cache_creation_input_tokens is {said}")
    if opening:
        expect("input_tokens" in usage, f"{where}: usage lacks input_tokens")
        whole = sum(usage.get(name) or 0 for name in _COUNTERS if name != "output_tokens")
        expect(whole > 0, f"{where}: the input counts zero tokens: {usage}")


def check_error(where: str, data: Any, laws: Laws) -> None:
    """The error envelope, in a stream or as a body. A passed-through provider may have types of its own."""
    error = data.get("error")
    expect(isinstance(error, dict), f"{where}: error is not an object: {data!r}")
    known = error.get("type") in ERROR_TYPES or not laws.ids
    expect(known, f"{where}: error.type {error.get('type')!r} is not one of {sorted(ERROR_TYPES)}")
    message = error.get("message")
    expect(isinstance(message, str) and message != "", f"{where}: error.message is {message!r}")
