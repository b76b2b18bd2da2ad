from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from accounting.api.statusline import line
from accounting.models import Limit
from accounting.reports import Totals
from tests.accounting.company import Company, record, settle

from .conftest import As


def test_spend_today_and_what_is_left(company: Company, as_: As) -> None:
    settle(company, "bob", day=timezone.now().date(), cost=Decimal("1.236"))
    settle(company, "eve", day=timezone.now().date(), cost=Decimal(5))
    record(company, "bob", session_id="s", cost=Decimal("0.31"))
    Limit.objects.create(scope="team", team=company.red, kind="budget", period="month", amount=Decimal(1000))
    Limit.objects.create(scope="user", user=company["bob"], kind="budget", period="month", amount=Decimal(20))
    found = as_("bob").get("/api/statusline", {"session_id": "s"}).json()
    assert found["line"] == "$1.24 today · $0.31 session · $18.76 of $20.00 left this month"
    assert (found["today"], found["session"], found["budget"]["left"]) == ("1.236", "0.31", "18.764")
    text = as_("bob").get("/api/statusline", {"format": "txt"})
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert text.content.decode() == "$1.24 today · $18.76 of $20.00 left this month\n"


def test_a_service_key_tells_of_its_team(company: Company, as_: As) -> None:
    settle(company, "eve", day=timezone.now().date(), cost=Decimal(5))
    assert as_("red-service").get("/api/statusline").json()["today"] == "5"


def test_a_refusal_is_a_line_too(company: Company, as_: As) -> None:
    answer = as_("anonymous").get("/api/statusline", {"format": "txt"})
    assert (answer.status_code, answer.content.decode()) == (401, "Authentication credentials were not provided.\n")


@pytest.mark.parametrize(("unpriced", "told"), [(0, "$0.00 today"), (2, "$0.00+ today")])
def test_what_is_not_known_is_not_nothing(unpriced: int, told: str) -> None:
    assert line(Totals(unpriced=unpriced), None, None) == told
