"""Tool calls of chat completions, from deltas that not every host writes alike.

By OpenAI's rule a call's ``index`` names it, and its id and name come once, with its first delta. Hosts are known
that repeat both on every delta, change the id from delta to delta, leave out the index, the id or both, give every
call index 0, or send arguments as an object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from ..composer import Composer
from ..errors import Broken
from ..events import JSON
from ..toolnames import ToolNames
from ..websearch import searched
from .openai_chat_state import client_id


@dataclass(slots=True)
class _Call:
    """``key`` is its handle at the composer. Announced once its name is known; until then pieces wait here."""

    key: int
    index: int | None
    id: str = ""
    name: str = ""
    announced: bool = False
    pieces: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the arguments so far are a whole JSON value."""
        try:
            orjson.loads("".join(self.pieces))
        except orjson.JSONDecodeError:
            return False
        return True


class Calls:
    """All calls of one answer. ``failing_search`` is the name of a search that nobody here can do, "" for none."""

    def __init__(self, composer: Composer, names: ToolNames, tag: str, failing_search: str) -> None:
        self._composer = composer
        self._names = names
        self._tag = tag
        self._failing_search = failing_search
        self._calls: list[_Call] = []
        self._searches: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def searched(self) -> bool:
        """Whether the model wanted the search that nobody can do."""
        return bool(self._searches)

    def read(self, items: Any, *, whole: bool) -> None:
        """The ``tool_calls`` of one delta, or of a ``whole`` message."""
        for item in items if isinstance(items, list) else ():
            if not isinstance(item, dict):
                continue
            function = item.get("function")
            function = function if isinstance(function, dict) else {}
            name, arguments = function.get("name"), function.get("arguments")
            given = item.get("id")
            call = self._call(
                None if whole else item.get("index"),
                given if isinstance(given, str) else "",
                name if isinstance(name, str) else "",
                item.get("extra_content"),
                new=whole,
            )
            if arguments:
                piece = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
                self._say(call, piece)

    def finish(self) -> None:
        """Ends the calls. Raises Broken for one whose name never came."""
        for call in self._calls:
            if not call.announced:
                raise Broken("The provider sent a tool call without a name.")
        for call in self._searches:
            searched(self._composer, _query(call), (), failed=True)

    def _call(self, index: Any, given_id: str, name: str, extra: Any, *, new: bool) -> _Call:
        """The call that an item speaks of; a new one is announced as soon as it has a name."""
        index = index if isinstance(index, int) else None
        call = None if new else self._find(index, given_id, name)
        if call is None:
            call = _Call(len(self._calls), index, given_id)
            self._calls.append(call)
        if name and not call.announced:
            self._announce(call, given_id, name, extra)
        return call

    def _find(self, index: int | None, given_id: str, name: str) -> _Call | None:
        if index is not None:
            known = next((call for call in reversed(self._calls) if call.index == index), None)
            # Another id *and* a name under an index in use is another call; another id alone is a whim.
            if known is not None and given_id and name and known.id and given_id != known.id:
                return next((call for call in self._calls if call.id == given_id), None)
            return known
        if given_id:
            return next((call for call in self._calls if call.id == given_id), None)
        last = self._calls[-1] if self._calls else None
        if last is not None and name and (name != self._names.wire(last.name) or last.complete):
            return None
        return last

    def _announce(self, call: _Call, given_id: str, name: str, extra: Any) -> None:
        call.id = call.id or given_id
        call.name = self._names.original(name)
        call.announced = True
        if call.name == self._failing_search:
            self._searches.append(call)
            return
        self._composer.tool(call.key, client_id(self._tag, call.id, extra), call.name)
        if call.pieces:
            self._composer.arguments(call.key, "".join(call.pieces))

    def _say(self, call: _Call, piece: str) -> None:
        if not call.pieces and piece.strip() in ("", "null"):
            return  # as good as none: what some models write for a tool without arguments
        if call.pieces and call.pieces[-1].rstrip().endswith("}") and call.complete:
            return  # nothing can follow them: some hosts say them all once more at the end
        call.pieces.append(piece)
        if call.announced and call.name != self._failing_search:
            self._composer.arguments(call.key, piece)


def _query(call: _Call) -> str:
    try:
        arguments: JSON = orjson.loads("".join(call.pieces) or "{}")
    except orjson.JSONDecodeError:
        return ""
    return str(arguments.get("query", "")) if isinstance(arguments, dict) else ""
