"""What a request brings beside its body, read once from the ASGI scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from accounting.addresses import client_address
from routing.upstream.ids import fresh_id

from .passage import Passage

_HANDED_ON = ("anthropic-", "x-claude-code-", "x-app", "user-agent")  # what a provider of the same dialect may see
_MAX_ID = 128  # of an id in a client's header, which the ledger keeps as text


@dataclass(frozen=True, slots=True)
class Arrival:
    """``headers`` are lower case, the first of a name wins. ``client`` is the peer's IP address, "" if unknown.

    ``passage`` alone changes: the line notes there what is told of the request when it is over.
    """

    request_id: str
    path: str
    query: bytes
    headers: dict[str, str]
    client: str
    passage: Passage = field(default_factory=Passage, repr=False)

    @classmethod
    def of(cls, scope: dict[str, Any]) -> Arrival:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        return cls(
            request_id=fresh_id("req_"),
            path=scope["path"],
            query=scope.get("query_string", b""),
            headers=headers,
            client=client_address(str((scope.get("client") or ("", 0))[0]), headers.get("x-forwarded-for", "")),
        )

    @property
    def session_id(self) -> str:
        return self._id("x-claude-code-session-id")

    @property
    def agent_id(self) -> str:
        return self._id("x-claude-code-agent-id")

    @property
    def parent_agent_id(self) -> str:
        return self._id("x-claude-code-parent-agent-id")

    def handed_on(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.startswith(_HANDED_ON)}

    def _id(self, header: str) -> str:
        value = self.headers.get(header, "")[:_MAX_ID]
        return value if value.isprintable() else ""
