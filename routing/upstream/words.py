"""A provider's own words, for the admin who asked: never for a client or a log, for they may quote a prompt."""

from __future__ import annotations

import re
from typing import Final

import orjson

from .dialects.openai_errors import understood
from .errors import UpstreamError
from .target import Target

_MOST: Final = 2000  # characters
_RUN: Final = 8  # as many characters of a key in a row give too much of it away
_WORD: Final = re.compile(r"[^\s\"'`<>(){}\[\],;]+")


def own_words(error: UpstreamError, target: Target) -> str:
    """What the provider said, in its words; ours where it said nothing that can be read. No part of a key is shown."""
    try:
        said = understood(orjson.loads(error.body)).message if error.body else ""
    except orjson.JSONDecodeError:
        said = error.body.decode(errors="replace")
        if said.lstrip().startswith("<"):  # some proxy's page
            said = ""
    return without_key(said.strip()[:_MOST] or error.message, target.api_key)


def without_key(text: str, key: str) -> str:
    """``text`` with every word blotted out that shares a run of characters with ``key``."""
    if len(key) < _RUN:
        return _WORD.sub(lambda found: "…" if found[0] == key else found[0], text) if key else text
    runs = {key[start : start + _RUN] for start in range(len(key) - _RUN + 1)}
    return _WORD.sub(lambda found: "…" if any(run in found[0] for run in runs) else found[0], text)
