"""Tool names a provider takes: shortened on the way out, restored on the way back (litellm#17904).

Anthropic takes names of up to 128 characters; OpenAI and most others take 64 of ``[a-zA-Z0-9_-]``, and Gemini wants a
letter or an underscore first. MCP tools break all of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2s
from typing import Final

MAX_LENGTH: Final = 64
_HASH_DIGITS: Final = 10
_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9_-]")
_LEGAL: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LEGAL_LETTER_FIRST: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")


class ToolNames:
    """The names of one request's tools, in both directions.

    A name the provider takes stays as it is. Any other becomes its legal characters, cut, and a digest of the whole:
    the same in every request, so declarations, history, ``tool_choice`` and the provider's prompt cache agree.
    Two declared names never share a wire name.
    """

    __slots__ = ("_legal", "_original", "_wire")

    def __init__(self, declared: Iterable[str] = (), *, letter_first: bool = False) -> None:
        self._legal = _LEGAL_LETTER_FIRST if letter_first else _LEGAL
        self._wire: dict[str, str] = {}
        self._original: dict[str, str] = {}
        names = list(dict.fromkeys(declared))
        foreign = [name for name in names if not self._legal.fullmatch(name)]
        if not foreign:
            return
        taken = set(names)
        for name in foreign:
            wire = self._shorten(name)
            salt = 0
            while wire in taken:
                salt += 1
                wire = self._shorten(name, salt)
            taken.add(wire)
            self._wire[name] = wire
            self._original[wire] = name

    def wire(self, name: str) -> str:
        """The name as the provider sees it; also for names that only the history knows."""
        if (known := self._wire.get(name)) is not None:
            return known
        return name if self._legal.fullmatch(name) else self._shorten(name)

    def original(self, wire: str) -> str:
        """The name as the client declared it; a name nobody declared is handed on as it is."""
        return self._original.get(wire, wire)

    def _shorten(self, name: str, salt: int = 0) -> str:
        digest = blake2s(
            name.encode("utf-8", "surrogatepass"), digest_size=_HASH_DIGITS // 2, salt=salt.to_bytes(8, "big")
        ).hexdigest()
        stem = _FOREIGN.sub("_", name)
        if not self._legal.match(stem[:1]):
            stem = "_" + stem
        return f"{stem[: MAX_LENGTH - _HASH_DIGITS - 1]}_{digest}"
