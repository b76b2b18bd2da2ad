"""Ninety days of a small company on the ledger, the same at each run: something to look at for pages and screenshots.

Run inside a gateway (``manage.py shell``): rows and roll-ups are written by the ledger's own code.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from accounting.admission import periods
from accounting.admission.counters import spent_in
from accounting.admission.policies import Policy
from accounting.identity import Caller, mint
from accounting.ledger import cards, rows
from accounting.ledger.booking import Booking, Row
from accounting.models import Key, Limit, LimitCounter, Membership, Team, User
from accounting.models.money import from_units
from accounting.pricing import Rates
from accounting.rollups import Rollups
from accounting.tokens import Tokens
from accounting.uuids import uuid7

PASSWORD: Final = "correct horse battery"
DAYS: Final = 90
_MILLION: Final = Decimal(1_000_000)


def _rates(input: str, output: str, cached: str) -> Rates:
    price = {"input": input, "output": output, "cache_read": cached, "cache_write_5m": input}
    return Rates(**{name: Decimal(value) / _MILLION for name, value in price.items()}, source="LiteLLM's price list")


@dataclass(frozen=True, slots=True)
class _Model:
    asked: str
    tier: str
    provider: str
    name: str
    rates: Rates | None


_MODELS: Final = (
    _Model("claude-sonnet-4-5", "BIG", "openai", "gpt-5.1", _rates("1.25", "10", "0.125")),
    _Model("claude-haiku-4-5", "SMALL", "openai", "gpt-5-mini", _rates("0.25", "2", "0.025")),
    _Model("claude-opus-4-1", "BIG", "anthropic", "claude-opus-4-1", _rates("15", "75", "1.5")),
    _Model("gemini/gemini-2.5-pro", "", "gemini", "gemini-2.5-pro", _rates("1.25", "10", "0.31")),
    _Model("local/qwen3-coder", "", "local", "qwen3-coder", None),
)
_OUTCOMES: Final = ("complete", "interrupted", "upstream_error", "rejected")
_ERRORS: Final = {"upstream_error": "ProviderBusy", "rejected": "BudgetSpent"}


def fill() -> None:
    """lena leads Platform, in which max and tomoko are; sven and priya are Research; ada is an admin.

    All have ``PASSWORD``.
    """
    chance = random.Random(4)  # noqa: S311 - made-up usage
    now = datetime.now(UTC)
    callers = list(_people())
    cards.write([model.rates for model in _MODELS if model.rates], now)
    batch = [row for day in range(DAYS) for caller in callers for row in _day(chance, caller, now, day)]
    sums = Rollups()
    for row in batch:
        sums.add(row)
    rows.insert(batch, None)
    sums.write()
    for caller in callers:
        Key.objects.filter(pk=caller.key_id).update(last_used_at=now - timedelta(hours=chance.randint(0, 40)))
    _budgets(now)
    User.objects.create_superuser("ada", "ada@example.com", PASSWORD)


def _people() -> Iterator[Caller]:
    places = {"lena": ("Platform", "lead"), "max": ("Platform", "member"), "tomoko": ("Platform", "member")}
    places |= {"sven": ("Research", "lead"), "priya": ("Research", "member")}
    for name, (team_name, role) in places.items():
        team, _ = Team.objects.get_or_create(name=team_name)
        user = User(username=name, email=f"{name}@example.com")
        user.set_password(PASSWORD)
        user.save()
        Membership.objects.create(user=user, team=team, role=role)
        for key_name in ("laptop", "ci runner"):
            key, _ = mint(user, name=key_name)
            yield Caller(key.pk, key.name, user.pk, name, team.pk, team.name)


def _day(chance: random.Random, caller: Caller, now: datetime, day: int) -> Iterator[Row]:
    """A day's sessions of one key: few at weekends."""
    date = now - timedelta(days=day)
    for _ in range(chance.randint(0, 1) if date.weekday() >= 5 else chance.randint(1, 2)):
        at = date.replace(hour=chance.randint(7, 17), minute=chance.randint(0, 59))
        at = min(at, now - timedelta(minutes=chance.randint(1, 200)))
        yield from _session(chance, caller, at, now)


def _session(chance: random.Random, caller: Caller, at: datetime, now: datetime) -> Iterator[Row]:
    session_id = str(uuid.UUID(int=chance.getrandbits(128)))
    agents = [("", "")] + [(f"agent-{chance.getrandbits(24):06x}", "") for _ in range(chance.choice([0, 0, 1, 3]))]
    if len(agents) > 2:
        agents.append((f"agent-{chance.getrandbits(24):06x}", agents[1][0]))
    for number in range(chance.randint(3, 9)):
        at += timedelta(seconds=chance.randint(4, 90))
        if at > now:
            return
        agent, parent = chance.choice(agents) if number else agents[0]
        yield _request(chance, caller, at, (session_id, agent, parent))


def _request(chance: random.Random, caller: Caller, at: datetime, session: tuple[str, str, str]) -> Row:
    model = chance.choices(_MODELS, [50, 30, 9, 8, 3])[0]
    outcome = chance.choices(_OUTCOMES, [93, 3, 3, 1])[0]
    session_id, agent, parent = session
    booking = Booking(
        f"req_{chance.getrandbits(96):024x}",
        model.asked,
        model.tier,
        model.provider,
        model.name,
        streamed=True,
        session_id=session_id,
        agent_id=agent,
        parent_agent_id=parent,
        client="claude-cli/2.1.197 (external, cli)",
    )
    row = Row(caller, booking, uuid7(at), at)
    if outcome != "rejected":
        row.tokens = Tokens(
            input=chance.randint(300, 9000),
            cache_read=chance.randint(10_000, 90_000),
            cache_write_5m=chance.randint(0, 5000),
            output=chance.randint(60, 3500),
        )
        row.tokens.reasoning = row.tokens.output // 3 if model.provider == "openai" else 0
    row.outcome, row.exact, row.error = outcome, outcome == "complete", _ERRORS.get(outcome, "")
    row.first_byte_ms = chance.randint(280, 2600)
    row.duration_ms = row.first_byte_ms + chance.randint(900, 40_000)
    if model.rates:
        row.cost, row.rate_card = model.rates.cost(row.tokens), model.rates.digest
    return row


def _budgets(now: datetime) -> None:
    team, person = Team.objects.get(name="Platform"), User.objects.get(username="max")
    for limit in (
        Limit(name="Platform, month", scope="team", team=team, period="month", amount=60),
        Limit(name="Max, day", scope="user", user=person, period="day", amount=5),
    ):
        limit.kind = Limit.Kind.BUDGET
        limit.save()
        window = periods.start(limit.period, now)
        spent = from_units(spent_in(Policy.of(limit), window))
        LimitCounter.objects.create(limit=limit, window=window, spent=spent, reserved=Decimal("0.42"))
