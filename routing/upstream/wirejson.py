"""A provider's JSON, read with patience for its text: half a character costs that character, not the answer.

Hosts cut text into deltas by bytes or by UTF-16 units, so that half an emoji arrives as bytes that are not UTF-8 or as
a lone surrogate's escape. orjson takes neither.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from .errors import Broken
from .target import Target

# Pairs and all other escapes are matched too, and kept, so that what is left of `\u` is half a pair.
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"


def loads(payload: bytes, target: Target) -> Any:
    """The value of ``payload``, U+FFFD for each half of a character. Raises Broken for what is not JSON."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        text = payload.decode(errors="replace")
    try:
        return orjson.loads(_ESCAPE.sub(lambda found: _UNKNOWN if found["half"] else found[0], text))
    except orjson.JSONDecodeError:
        raise Broken(f"Provider {target.provider} sent something that is not JSON.") from None
