"""The one vocabulary between a provider and a client: Anthropic's stream events.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any, Final

import orjson

JSON = dict[str, Any]


class Event:
    """One event of an answer.

    ``type`` is Anthropic's event name, or ``message`` for a whole, non-streamed answer passed on as it came. An event
    is made either from ``data``, its JSON object, or from ``raw``, that object's bytes as a provider wrote them, which
    are then sent on untouched and parsed only if somebody asks.
    """

    __slots__ = ("_data", "_raw", "type")

    def __init__(self, type: str, data: JSON | None = None, raw: bytes | None = None) -> None:
        self.type: Final = type
        self._data = data
        self._raw = raw

    @property
    def data(self) -> JSON:
        if self._data is None:
            self._data = orjson.loads(self._raw or b"{}")
        return self._data

    @property
    def json(self) -> bytes:
        """The event's JSON object, as bytes: the provider's own where there are any. From then on ``data`` is fixed."""
        if self._raw is None:
            self._raw = orjson.dumps(self._data)
        return self._raw

    def encode(self) -> bytes:
        """The event as one server-sent event."""
        return b"event: %b\ndata: %b\n\n" % (self.type.encode(), self.json)

    def __repr__(self) -> str:
        return f"Event({self.type})"  # never the content: an event may end in a log


PING = Event("ping", raw=b'{"type": "ping"}')
