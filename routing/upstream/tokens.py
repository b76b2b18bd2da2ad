"""An input's size in tokens without asking its provider: OpenAI's public tokenizer, and constants for media.

Accurate for OpenAI's models; for others an estimate, raised by a margin so that a client compacts too early rather than
too late (litellm#29764, #37102). Works offline: the vocabulary comes with LiteLLM's package.
"""

from __future__ import annotations

import importlib.util
import math
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .events import JSON

if TYPE_CHECKING:
    import tiktoken

_MARGIN = 1.05
_PER_MESSAGE = 4  # role and separators, as OpenAI reckons them
_PER_TOOL = 8
_PIECE = 20_000  # characters at a time: one piece of a long unbroken text costs the tokenizer its square


@cache
def _encoding() -> tiktoken.Encoding:
    """The o200k tokenizer, from the copy that LiteLLM's package carries; nothing of LiteLLM is imported."""
    spec = importlib.util.find_spec("litellm")
    if spec is not None and spec.submodule_search_locations:
        bundled = Path(spec.submodule_search_locations[0]) / "litellm_core_utils" / "tokenizers"
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(bundled))
    import tiktoken

    return tiktoken.get_encoding("o200k_base")


def estimate(body: JSON, media_tokens: int) -> int:
    """Tokens of a request's system, messages and tools, rounded up; at least 1. Takes milliseconds: not for the loop.

    ``media_tokens`` stands for the images and documents, whose bytes are not counted as text.
    """
    pieces: list[str] = []
    overhead = 0
    _gather(body.get("system"), pieces)
    for message in body["messages"]:
        overhead += _PER_MESSAGE
        _gather(message["content"], pieces)
    for tool in body.get("tools") or ():
        overhead += _PER_TOOL
        _gather(tool, pieces)
    encoding = _encoding()
    counted = sum(
        len(encoding.encode_ordinary(text[start : start + _PIECE]))
        for text in pieces
        for start in range(0, len(text), _PIECE)
    )
    return max(1, math.ceil(counted * _MARGIN) + overhead + media_tokens)


def _gather(value: Any, pieces: list[str]) -> None:
    """Every string and number below ``value``, keys included, in any order; base64 sources are left out.

    On a list of our own: a tool's input may be nested more deeply than Python's calls.
    """
    rest = [value]
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            pieces.append(value)
        elif isinstance(value, dict):
            if value.get("type") == "base64" and "data" in value:
                continue
            pieces.extend(value)
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
        elif value is not None:
            pieces.append(str(value))
