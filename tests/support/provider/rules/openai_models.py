"""Which parameters OpenAI's model families take, by name of the model.

Source: platform.openai.com/docs/guides/reasoning, /docs/guides/latest-model and the model pages.
"""

from __future__ import annotations

import re

from .openai import bad, listed

_OPENAI = re.compile(r"^(ft:)?(gpt-|chatgpt-|o\d|codex-|computer-use)")
_REASONING = re.compile(r"^(ft:)?(o\d|gpt-[5-9]|codex-)")
_GPT5 = re.compile(r"^gpt-5(?:\.(\d+))?(-[a-z]+)?")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_OUTPUT_LIMITS = (
    ("gpt-4o", 16_384),
    ("gpt-4.1", 32_768),
    ("gpt-4-turbo", 4_096),
    ("gpt-3.5", 4_096),
    ("gpt-4", 8_192),
    ("o1", 100_000),
    ("o3", 100_000),
    ("o4", 100_000),
    ("gpt-5-chat", 16_384),
    ("gpt-5", 128_000),
)
"""Most output tokens, by the first prefix that fits."""


def is_openai_model(model: str) -> bool:
    """Whether the name is one of OpenAI's own, as against a model behind a compatible server."""
    return _OPENAI.match(model) is not None


def is_reasoning_model(model: str) -> bool:
    """Whether the model reasons; ``gpt-5-chat`` alone of its family does not."""
    return _REASONING.match(model) is not None and "-chat" not in model


def output_limit(model: str) -> int | None:
    """Most output tokens of the model; None if it is not in the table."""
    return next((limit for prefix, limit in _OUTPUT_LIMITS if model.startswith(prefix)), None)


def _minor(model: str) -> int | None:
    found = _GPT5.match(model)
    return None if found is None else int(found[1] or 0)


def efforts(model: str) -> tuple[str, ...]:
    """The efforts that a reasoning model takes."""
    minor = _minor(model)
    if minor is None:
        return ("low", "medium", "high")
    if "-pro" in model:
        return ("high",) if minor == 0 else ("medium", "high", "xhigh")
    if "-codex" in model:
        return ("low", "medium", "high", "xhigh") if minor else ("low", "medium", "high")
    if minor == 0:
        return ("minimal", "low", "medium", "high")
    if minor == 1:
        return ("none", "low", "medium", "high")
    return (
        ("none", "low", "medium", "high", "xhigh") if minor < 6 else ("none", "low", "medium", "high", "xhigh", "max")
    )


def samples(model: str, effort: str | None) -> bool:
    """Whether temperature and top_p are taken: not while the model reasons. From 5.1 on it need not."""
    if not is_reasoning_model(model):
        return True
    allowed = efforts(model)
    return "none" in allowed and (effort or "none") == "none"


def refuses_tools_in_chat(model: str) -> bool:
    """Whether the model takes tools in chat completions only while it does not reason: from 5.4 on."""
    minor = _minor(model)
    return minor is not None and minor >= 4


def check_effort(model: str, effort: str, path: str, *, responses: bool) -> None:
    """An effort that exists, and that the model takes."""
    if effort not in _EFFORTS:
        message = f"Invalid value: '{effort}'. Supported values are: {listed(_EFFORTS)}."
        raise bad(message, param=path, code="invalid_value")
    allowed = efforts(model)
    if effort in allowed:
        return
    if responses:
        what = f"Unsupported value: '{effort}' is not supported with the '{model}' model."
    else:
        what = f"Unsupported value: '{path}' does not support '{effort}' with this model."
    raise bad(f"{what} Supported values are: {listed(allowed)}.", param=path, code="unsupported_value")
