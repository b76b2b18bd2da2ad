"""Sessions and their agents: what one task's whole fan-out has cost. Read from the ledger, by index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Max, Min, Sum

from .measures import ENTRY_SUMS, Totals
from .selection import Selection

LOOK_BACK: Final = 5_000  # rows that are searched for the latest sessions
MAX_AGENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Session:
    """``agents`` counts the main one too. ``totals`` are of the period that was asked for."""

    session_id: str
    user_id: int | None
    user_name: str
    team_name: str
    first_at: datetime
    last_at: datetime
    agents: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent of a session; ``agent_id`` is "" for the main one. ``whole`` includes all agents it started."""

    agent_id: str
    parent_agent_id: str
    first_at: datetime
    last_at: datetime
    own: Totals
    whole: Totals
    children: tuple[Agent, ...]


def sessions(selection: Selection, *, limit: int = 50, before: datetime | None = None) -> tuple[Session, ...]:
    """At most ``limit`` of the latest sessions, the latest first. Two queries, and one more where it goes on.

    ``before`` goes on from the last one's ``last_at``; a session that was still at work then is not told again.
    """
    rows = selection.entries().exclude(session_id="")
    recent = rows if before is None else rows.filter(started_at__lt=before)
    found = dict.fromkeys(recent.order_by("-started_at").values_list("session_id", flat=True)[:LOOK_BACK])
    if before is not None:
        for told in rows.filter(started_at__gte=before, session_id__in=list(found)).values_list(
            "session_id", flat=True
        ):
            found.pop(told, None)
    names = list(found)[:limit]
    if not names:
        return ()
    grouped: Any = rows.filter(session_id__in=names).values("session_id").annotate(**_SPAN, **_WHO, **ENTRY_SUMS)
    return tuple(sorted(map(_session, grouped), key=lambda one: (one.last_at, one.session_id), reverse=True))


def agents(selection: Selection, session_id: str) -> tuple[Agent, ...]:
    """The session's agents as trees, whenever they worked; usually one tree, below the main agent. One query."""
    rows: Any = selection.session(session_id).values("agent_id", "parent_agent_id").annotate(**_SPAN, **ENTRY_SUMS)
    return grow(rows.order_by("first_at", "agent_id")[:MAX_AGENTS])


def cost_of(selection: Selection, session_id: str) -> Decimal:
    """US dollars that a session has cost so far, the estimates of open requests included. One query."""
    return selection.session(session_id).aggregate(cost=Sum("cost"))["cost"] or Decimal(0)


_SPAN: Final[dict[str, Any]] = {"first_at": Min("started_at"), "last_at": Max("started_at")}
_WHO: Final[dict[str, Any]] = {
    "who": Max("user_id"),
    "who_name": Max("user_name"),
    "whose_team": Max("team_name"),
    "agent_count": Count("agent_id", distinct=True),
}


def _session(row: dict[str, Any]) -> Session:
    return Session(
        session_id=row["session_id"],
        user_id=row["who"],
        user_name=row["who_name"],
        team_name=row["whose_team"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        agents=row["agent_count"],
        totals=Totals.of(row),
    )


def grow(rows: Iterable[dict[str, Any]]) -> tuple[Agent, ...]:
    """Trees from rows that name their parents. Ids are the client's: a parent may be unknown, or in a circle.

    An agent with several parents in the ledger belongs to the first.
    """
    first: dict[str, dict[str, Any]] = {}
    own: dict[str, Totals] = defaultdict(Totals)
    for row in rows:
        known = first.setdefault(row["agent_id"], dict(row))
        known["last_at"] = max(known["last_at"], row["last_at"])
        own[row["agent_id"]] += Totals.of(row)
    children: dict[str, list[str]] = defaultdict(list)
    roots: list[str] = []
    for name, row in first.items():
        parent = row["parent_agent_id"]
        # An agent whose parent is not named was started by the main one, where that has a row.
        is_root = name == "" or parent not in first or _is_circular(name, first)
        (roots if is_root else children[parent]).append(name)
    return tuple(_agent(name, first, own, children) for name in roots)


def _is_circular(name: str, first: dict[str, dict[str, Any]]) -> bool:
    seen, at = {name}, first[name]["parent_agent_id"]
    while at in first and at != "":
        if at in seen:
            return True
        seen.add(at)
        at = first[at]["parent_agent_id"]
    return False


def _agent(
    name: str, first: dict[str, dict[str, Any]], own: dict[str, Totals], children: dict[str, list[str]]
) -> Agent:
    """Leaves first, on a stack of our own: a chain of agents may be longer than Python's."""
    made: dict[str, Agent] = {}
    stack = [(name, False)]
    while stack:
        at, ready = stack.pop()
        if not ready:
            stack.append((at, True))
            stack += [(child, False) for child in children[at]]
            continue
        below = tuple(made.pop(child) for child in children[at])
        row = first[at]
        whole = sum((child.whole for child in below), own[at])
        made[at] = Agent(at, row["parent_agent_id"], row["first_at"], row["last_at"], own[at], whole, below)
    return made[name]
