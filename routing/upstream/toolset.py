"""Lists of tools that came before, known again by their bytes: read, checked and translated once, then shared.

Tools are most of what a coding agent sends (64 of Claude Code's 76 KB) and the same in every request of a session.
Where a sender's last lists stand in its next body, they are cut out before it is parsed.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

import orjson

from .events import JSON

if TYPE_CHECKING:
    from .tools import Tools

_KEY: Final = b'"tools":'
_PLACES: Final = 8  # of the key in one body that are looked at: tools may have an argument of that name
_LISTS: Final = 4  # a sender's own: an agent, its helpers
_SENDERS: Final = 10_000


class Toolset(list[Any]):
    """``tools`` of a request, and of others with the same: read it, never write it.

    ``source`` is its plain JSON; ``declared`` is kept here by ``tools.declared``.
    """

    __slots__ = ("__weakref__", "declared", "source")

    def __init__(self, tools: list[Any], source: bytes) -> None:
        super().__init__(tools)
        self.source = source
        self.declared: Tools | None = None


class Toolsets:
    """The sets seen lately, ``max_bytes`` of JSON at the most (in memory some six times that): for one event loop.

    The whole JSON is the key, so no two sets are ever mixed up; what was not sent for longest goes first, and one that
    would push out most of the rest is not kept (litellm#12685).
    """

    def __init__(self, max_bytes: int = 4 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[bytes, Toolset] = OrderedDict()
        self._senders: OrderedDict[Hashable, list[ref[Toolset]]] = OrderedDict()
        # Nobody can guess it: where it stands for the tools, it was put there by ``read``.
        self._mark = f"tools {secrets.token_hex(16)}"
        self._marked = orjson.dumps(self._mark)
        self.bytes = 0

    def read(self, raw: bytes, sender: Hashable) -> JSON | None:
        """The body, parsed, with its shared ``tools``; None where it has none of the sender's last, or is not JSON.

        The same as parsing all of it: what is cut out is one whole JSON value, and that it is the value of the
        outermost ``tools`` shows in what is left.
        """
        for tools, start in self._found(raw, self._senders.get(sender, [])):
            try:
                body = orjson.loads(b"".join((raw[:start], self._marked, raw[start + len(tools.source) :])))
            except orjson.JSONDecodeError:
                return None
            if isinstance(body, dict) and body.get("tools") == self._mark:
                body["tools"] = tools
                return body
        return None

    def shared(self, tools: list[Any], sender: Hashable) -> list[Any]:
        """``tools`` that were checked, or the same that came before; ``read`` finds them from now on."""
        try:
            source = orjson.dumps(tools)
        except orjson.JSONEncodeError:  # nested too deeply for any provider, which is told where it is translated
            return tools
        known = self._kept.get(source)
        if known is not None:
            self._kept.move_to_end(source)
        elif len(source) > self._max_bytes // 8:
            return tools
        else:
            source = bytes(memoryview(source))  # a copy: what orjson wrote keeps the whole buffer it was written in
            known = self._kept[source] = Toolset(tools, source)
            self.bytes += len(source)
            while self.bytes > self._max_bytes:
                self.bytes -= len(self._kept.popitem(last=False)[0])
        self._remember(known, sender)
        return known

    def _remember(self, tools: Toolset, sender: Hashable) -> None:
        earlier = self._senders.pop(sender, [])
        others = [each for each in earlier if each() is not None and each() is not tools]
        self._senders[sender] = [ref(tools), *others[: _LISTS - 1]]
        if len(self._senders) > _SENDERS:
            self._senders.popitem(last=False)

    def _found(self, raw: bytes, last: list[ref[Toolset]]) -> Iterator[tuple[Toolset, int]]:
        """Which of ``last`` stand behind a ``tools`` key, and where."""
        start = 0
        for _ in range(_PLACES if last else 0):
            start = raw.find(_KEY, start) + len(_KEY)
            if start < len(_KEY):
                return
            for each in last:
                tools = each()
                if tools is not None and raw.startswith(tools.source, start):
                    if tools.source in self._kept:
                        self._kept.move_to_end(tools.source)
                    yield tools, start
