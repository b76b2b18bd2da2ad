"""Every page of the portal x anonymous, member, lead of another team, lead, admin: its status, and what it costs.

Rows that belong to somebody are eve's, of team red. A page that is added to the addresses and not to this table fails.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounting import rebuilding
from accounting.models import Limit
from accounting.pages.urls import urlpatterns
from tests.accounting.company import Company, record, settle

from .conftest import Browser

WHO: Final = ("anonymous", "bob", "grace", "ada", "root", "eve")
OWN: Final = (302, 200, 200, 200, 200, 200)  # everybody's own
EVES: Final = (302, 404, 404, 404, 404, 200)  # nobody else's, not even an admin's
SEEN: Final = (302, 404, 404, 200, 200, 200)  # whom it concerns
LEADS: Final = (302, 403, 403, 200, 200, 403)
ADMINS: Final = (302, 403, 403, 403, 200, 403)
SENT: Final = (302, 302, 302, 302, 302, 302)  # a form: to the sign-in, or back to the keys

REPORTS: Final = {"spend": 26, "speed": 7, "what_if": 12, "sessions": 7, "requests": 6, "month": 16}
PAGES: Final[dict[str, tuple[tuple[int, ...], int]]] = {
    # name: status by who asks, and the most queries that the page makes
    "start": (OWN, 8),
    "connection": (OWN, 4),
    "keys": (OWN, 6),
    "keys_create": (OWN, 6),
    "keys_first": (SENT, 8),
    "keys_rotate": (EVES, 8),
    "keys_revoke": (EVES, 4),
    "live": (OWN, 3),
    "account": (OWN, 5),
    "request": (SEEN, 5),
    "session": (SEEN, 5),
    **{f"my_{name}": (OWN, most + 4) for name, most in REPORTS.items()},
    **{f"team_{name}": (LEADS, most) for name, most in REPORTS.items()},
    **{f"all_{name}": (ADMINS, most) for name, most in REPORTS.items()},
}


@pytest.fixture
def busy(company: Company) -> Company:
    """Usage of everybody on days that are over and today, many models and sessions, a limit, and eve's own rows."""
    today = timezone.localdate()
    for number, who in enumerate(company.keys):
        for days in (0, 1, 35, 40):
            settle(company, who, day=today - timedelta(days=days), cost=Decimal(number), model=f"m{number}")
        for _ in range(15):
            record(company, who, started_at=timezone.now(), session_id=f"of {who} {_}", agent_id=f"a{_}")
    record(company, "eve", started_at=timezone.now(), request_id="req_eve", session_id="eves", agent_id="one")
    for name in ("bob", "eve"):
        Limit.objects.create(scope="user", user=company[name], kind="budget", period="day", amount=10)
    rebuilding.seal()
    return company


def _path(company: Company, name: str) -> str:
    given: dict[str, Any] = {
        "keys_rotate": [company.keys["eve"].pk],
        "keys_revoke": [company.keys["eve"].pk],
        "request": ["req_eve"],
        "session": ["eves"],
    }
    return reverse(name, args=given.get(name, [company.red.pk] if name.startswith("team_") else []))


def _ask(client: Client, company: Company, name: str) -> Any:
    path = _path(company, name)
    return client.post(path) if PAGES[name][0] is SENT else client.get(path)


def test_the_table_has_every_page() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_who_sees_it_and_what_it_costs(
    busy: Company, browse: Browser, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    statuses, most = PAGES[name]
    found = []
    for who in WHO:
        client = Client() if who == "anonymous" else browse(busy[who])
        with django_assert_max_num_queries(most if who != "anonymous" else 0):
            answer = _ask(client, busy, name)
        found.append(answer.status_code)
        if who == "anonymous":
            assert answer.headers["Location"].startswith("/accounts/login/?next=")
    assert tuple(found) == statuses


@pytest.mark.parametrize("name", ["keys_rotate", "keys_revoke"])
@pytest.mark.parametrize("who", ["bob", "grace", "ada", "root"])
def test_nobody_elses_key_is_touched(busy: Company, browse: Browser, name: str, who: str) -> None:
    before = list(type(busy.keys["eve"]).objects.order_by("pk").values_list("pk", "revoked_at", "expires_at"))
    assert browse(busy[who]).post(_path(busy, name), {"hours": 0}).status_code == 404
    assert list(type(busy.keys["eve"]).objects.order_by("pk").values_list("pk", "revoked_at", "expires_at")) == before


@pytest.mark.parametrize("who", WHO)
def test_what_does_not_exist_looks_like_what_is_not_yours(busy: Company, browse: Browser, who: str) -> None:
    client = Client() if who == "anonymous" else browse(busy[who])
    expected = 302 if who == "anonymous" else 404
    for path in ("/requests/req_none/", "/sessions/none/", "/keys/999999/rotate/", "/keys/999999/revoke/"):
        assert client.get(path).status_code == expected, path
