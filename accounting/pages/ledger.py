"""Single requests and sessions, as the ledger has them: who, where to, how long, what it cost; never what was said."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from accounting.models import LedgerEntry
from accounting.reports import Period, Selection
from accounting.reports.sessions import Agent, agents, sessions

from .access import signed_in, standing_of
from .question import Question, frame
from .scopes import Scope

_PAGE: Final = 50
_DEEPEST: Final = 8  # levels of indentation; deeper agents are told by their number


@dataclass(frozen=True, slots=True)
class Branch:
    """One agent, and how deep it is below the main one."""

    agent: Agent
    depth: int
    indent: int


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of token in a request: how many, at which price (US dollars a million), for how much."""

    title: str
    tokens: int
    rate: Decimal | None
    cost: Decimal | None


@require_safe
def requests(request: HttpRequest, scope: Scope) -> HttpResponse:
    question = Question.of(request, scope)
    rows = _after(question.selection.entries(), request.GET.get("after", ""))
    found = list(rows.order_by("-started_at", "-id")[: _PAGE + 1])
    shown = found[:_PAGE]
    more = question.address(after=_cursor(shown[-1])) if len(found) > _PAGE else ""
    context = {
        **frame(question, "requests"),
        "entries": shown,
        "more": more,
        "is_first": "after" not in request.GET,
        "outcomes": LedgerEntry.Outcome.choices,
        "csv": question.api("usage/records.csv"),
        "json": question.api("usage/records"),
    }
    return render(request, "portal/requests.html", context)


@require_safe
@signed_in
def request_detail(request: HttpRequest, request_id: str) -> HttpResponse:
    seen = LedgerEntry.objects.filter(standing_of(request).viewer.condition(), request_id=request_id)
    entry = seen.select_related("rate_card").order_by("-started_at").first()
    if entry is None:
        raise Http404
    return render(request, "portal/request.html", {"entry": entry, "parts": _parts(entry)})


@require_safe
def session_list(request: HttpRequest, scope: Scope) -> HttpResponse:
    question = Question.of(request, scope)
    before = _moment(request.GET.get("before", ""))
    found = sessions(question.selection, limit=_PAGE, before=before)
    more = question.address(before=found[-1].last_at.isoformat()) if len(found) == _PAGE else ""
    context = {
        **frame(question, "sessions"),
        "sessions": found,
        "more": more,
        "is_first": before is None,
        "csv": question.api("usage/sessions", format="csv"),
        "json": question.api("usage/sessions"),
    }
    return render(request, "portal/sessions.html", context)


@require_safe
@signed_in
def session_detail(request: HttpRequest, session_id: str) -> HttpResponse:
    selection = Selection(standing_of(request).viewer, Period.today())
    trees = agents(selection, session_id)
    if not trees:
        raise Http404
    entries = selection.session(session_id).order_by("-started_at", "-id")[:_PAGE]
    context = {
        "session_id": session_id,
        "branches": _branches(trees),
        "whole": sum((tree.whole for tree in trees[1:]), trees[0].whole),
        "entries": entries,
        "shown": _PAGE,
    }
    return render(request, "portal/session.html", context)


def _branches(trees: tuple[Agent, ...]) -> list[Branch]:
    """Parents before children, on a stack of our own: a chain of agents is as long as a client makes it."""
    found: list[Branch] = []
    stack = [(tree, 0) for tree in reversed(trees)]
    while stack:
        agent, depth = stack.pop()
        found.append(Branch(agent, depth, min(depth, _DEEPEST)))
        stack += [(child, depth + 1) for child in reversed(agent.children)]
    return found


def _cursor(entry: LedgerEntry) -> str:
    return f"{entry.started_at.isoformat()}~{entry.pk}"


def _after(rows: QuerySet[LedgerEntry], cursor: str) -> QuerySet[LedgerEntry]:
    """Rows behind the cursor, by index: the thousandth page costs what the first does. A bad cursor is no cursor."""
    text, _, key = cursor.partition("~")
    moment = _moment(text)
    try:
        last = uuid.UUID(key)
    except ValueError:
        return rows
    if moment is None:
        return rows
    return rows.filter(started_at__lte=moment).filter(Q(started_at__lt=moment) | Q(started_at=moment, id__lt=last))


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _parts(entry: LedgerEntry) -> list[Part]:
    rates = entry.rate_card.rates if entry.rate_card else {}
    own_rate = "reasoning" in rates
    counted = [
        ("Input", "input", entry.input_tokens),
        ("Read from cache", "cache_read", entry.cache_read_tokens),
        ("Written to cache for 5 minutes", "cache_write_5m", entry.cache_write_5m_tokens),
        ("Written to cache for an hour", "cache_write_1h", entry.cache_write_1h_tokens),
        ("Output", "output", entry.output_tokens - entry.reasoning_tokens),
        ("Reasoning", "reasoning" if own_rate else "output", entry.reasoning_tokens),
    ]
    return [_part(title, tokens, rates.get(name)) for title, name, tokens in counted if tokens]


def _part(title: str, tokens: int, rate: str | None) -> Part:
    if rate is None:
        return Part(title, tokens, None, None)
    each = Decimal(rate)
    return Part(title, tokens, each * 1_000_000, each * tokens)
