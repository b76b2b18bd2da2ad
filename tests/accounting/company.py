"""A small company for tests: two teams with a lead and members, an admin, and usage that was settled."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from accounting.identity import SCOPES, mint
from accounting.models import DailyUsage, HourlyUsage, Key, LedgerEntry, Membership, Team, User
from accounting.uuids import uuid7

DAY = date(2026, 3, 10)


@dataclass
class Company:
    """``tokens`` and ``keys`` are by user name; ``red-service`` is a service key of team red."""

    red: Team
    blue: Team
    people: dict[str, User]
    keys: dict[str, Key] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> User:
        return self.people[name]


def found_company() -> Company:
    """ada leads red, in which bob and eve are; grace leads blue, in which carl is; root is an admin in no team."""
    red, blue = Team.objects.create(name="red"), Team.objects.create(name="blue")
    people = {name: User.objects.create_user(name) for name in ("ada", "bob", "eve", "grace", "carl")}
    people["root"] = User.objects.create_user("root", is_staff=True, is_superuser=True)
    for name, team, role in (
        ("ada", red, "lead"),
        ("bob", red, "member"),
        ("eve", red, "member"),
        ("grace", blue, "lead"),
        ("carl", blue, "member"),
    ):
        Membership.objects.create(user=people[name], team=team, role=role)
    company = Company(red, blue, people)
    for name, person in people.items():
        company.keys[name], company.tokens[name] = mint(person, name=f"{name}'s", scopes=list(SCOPES))
    company.keys["red-service"], company.tokens["red-service"] = mint(
        None, team=red, name="red-service", scopes=list(SCOPES)
    )
    return company


def settle(company: Company, who: str, *, day: date = DAY, hour: int = 12, **sums: Any) -> None:
    """Rows of the roll-ups as settling requests of ``who`` (a person or ``red-service``) leaves them."""
    key = company.keys[who]
    person = company.people.get(who)
    membership = person.memberships.select_related("team").first() if person else None
    team = membership.team if membership else key.team
    row = {
        "user_id": person.pk if person else 0,
        "user_name": person.username if person else "",
        "team_id": team.pk if team else 0,
        "team_name": team.name if team else "",
        "key_id": key.pk,
        "key_name": key.name,
        "asked_model": "claude-sonnet-4-5",
        "tier": "BIG",
        "provider": "openai",
        "model": "gpt-4o",
        "outcome": "complete",
        "requests": 1,
        "streamed": 1,
        "input_tokens": 100,
        "cache_read_tokens": 300,
        "output_tokens": 50,
        "cost": Decimal("0.25"),
        "first_bytes": 1,
        "first_byte_ms": 400,
        "duration_ms": 2000,
    } | sums
    at = datetime.combine(day, time(hour), UTC)
    HourlyUsage.objects.create(id=uuid.uuid4(), hour=at, **row)
    DailyUsage.objects.create(id=uuid.uuid4(), day=day, **row)


def record(company: Company, who: str, **values: Any) -> LedgerEntry:
    """A settled row of the ledger, of a request of ``who`` at noon of DAY; no roll-up knows of it."""
    key = company.keys[who]
    person = company.people.get(who)
    membership = person.memberships.select_related("team").first() if person else None
    team = membership.team if membership else key.team
    at = values.pop("started_at", datetime.combine(DAY, time(12), UTC))
    row = {
        "id": uuid7(at),
        "request_id": f"req_{uuid.uuid4().hex}",
        "state": "settled",
        "outcome": "complete",
        "exact": True,
        "user": person,
        "user_name": person.username if person else "",
        "team": team,
        "team_name": team.name if team else "",
        "key": key,
        "key_name": key.name,
        "asked_model": "claude-sonnet-4-5",
        "tier": "BIG",
        "provider": "openai",
        "model": "gpt-4o",
        "streamed": True,
        "input_tokens": 100,
        "output_tokens": 50,
        "cost": Decimal("0.25"),
        "started_at": at,
        "first_byte_ms": 400,
        "duration_ms": 2000,
    }
    return LedgerEntry.objects.create(**row | values)


def days_before(days: int) -> date:
    return DAY - timedelta(days=days)
