from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounting.models import Generation, Limit, LimitChange
from tests.accounting.company import Company, settle

from .conftest import As

BUDGET = {"scope": "user", "user": "bob", "kind": "budget", "period": "month", "amount": "10.50", "reason": "new here"}


def test_a_budget_is_set_raised_granted_reset_and_removed_on_record(company: Company, as_: As) -> None:
    root = as_("root")
    settle(company, "bob", day=timezone.now().date(), cost=Decimal(4))
    made = root.post("/api/limits", BUDGET)
    assert made.status_code == 201
    limit = made.json()
    assert (limit["amount"], limit["fill"]["used"], limit["fill"]["left"]) == ("10.5", "4", "6.5")
    path = f"/api/limits/{limit['id']}"
    before = Generation.read()
    assert root.patch(path, {"amount": "20"}).json()["fill"]["left"] == "16"
    assert Generation.read() > before
    assert root.post(f"{path}/grant", {"amount": "5", "reason": "a busy week"}).json()["fill"]["allowed"] == "25"
    assert root.post(f"{path}/reset", {}).json()["fill"]["left"] == "25"
    assert root.delete(path).status_code == 204
    told = LimitChange.objects.order_by("id").values_list("action", "before", "after", "by_name", "reason")
    assert list(told) == [
        ("created", "", "$10.5 per month", "root", "new here"),
        ("changed", "$10.5 per month", "$20 per month", "root", ""),
        ("granted", "", "$5", "root", "a busy week"),
        ("reset", "$4", "$0", "root", ""),
        ("deleted", "$20 per month", "", "root", ""),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user": "nobody"}, "user"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "a lot"}, "amount"),
        ({"kind": "wishes"}, "kind"),
        ({"amount": None}, "non_field_errors"),
        ({"scope": "team"}, "non_field_errors"),
        ({"count": 3}, "non_field_errors"),
        ({"soft_percent": 101}, "soft_percent"),
    ],
)
def test_a_limit_that_makes_no_sense(as_: As, change: dict[str, Any], field: str) -> None:
    answer = as_("root").post("/api/limits", BUDGET | change)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_only_a_budget_is_granted_anything(company: Company, as_: As) -> None:
    limit = Limit.objects.create(scope="gateway", kind="concurrent_requests", count=5)
    answer = as_("root").post(f"/api/limits/{limit.pk}/grant", {"amount": "5"})
    assert answer.status_code == 400
    budget = as_("root").post("/api/limits", BUDGET).json()
    assert as_("root").post(f"/api/limits/{budget['id']}/grant", {"amount": "9999999"}).status_code == 400


def test_a_page_of_limits_says_how_full_each_is(company: Company, as_: As) -> None:
    as_("root").post("/api/limits", BUDGET)
    (limit,) = as_("bob").get("/api/limits").json()["results"]
    assert (limit["user"], limit["fill"]["left"]) == ("bob", "10.5")
    assert as_("carl").get("/api/limits").json()["results"] == []
