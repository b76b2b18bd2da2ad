"""Limits as an admin sees, raises, grants and begins them anew: each with a reason, each on record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.utils import timezone

from accounting.models import Limit, LimitChange, LimitCounter, User
from accounting.reports.limits import measure
from tests.accounting.company import Company, settle

pytestmark = pytest.mark.django_db
LIST = "/admin/accounting/limit/"


@pytest.fixture
def purse(company: Company) -> Limit:
    """bob's, of which he has spent 4 of 10 dollars this month."""
    settle(company, "bob", day=timezone.now().date(), cost=Decimal(4))
    return budget(user=company["bob"], name="Bob's purse")


def budget(**fields: Any) -> Limit:
    given = {"scope": "user", "kind": "budget", "period": "month", "amount": Decimal(10)}
    return Limit.objects.create(**given | fields)


def left(limit: Limit) -> Decimal:
    return measure([Limit.objects.get(pk=limit.pk)])[0].left


def test_the_list_shows_how_full_each_is(admin_client: Client, purse: Limit) -> None:
    Limit.objects.create(scope="gateway", kind="requests_per_minute", count=1200, tier="BIG")
    page = admin_client.get(LIST).content.decode()
    for said in ("$4.00 of $10.00", "40 % filled", "$10.00 per month", "0 of 1,200", "BIG"):
        assert said in page
    page = admin_client.get(f"{LIST}{purse.pk}/change/").content.decode()
    assert "$4.00 of $10.00" in page
    assert f"{LIST}grant/?id={purse.pk}" in page


def test_many_budgets_are_granted_extra_with_one_reason(admin_client: Client, purse: Limit, company: Company) -> None:
    other = budget(user=company["eve"])
    rate = Limit.objects.create(scope="gateway", kind="requests_per_minute", count=60)
    chosen = [str(one.pk) for one in (purse, other, rate)]
    asked = admin_client.post(LIST, {"action": "grant_selected", "_selected_action": chosen})
    page = admin_client.get(asked.headers["Location"])
    assert "left as it is: not a budget" in page.content.decode()
    admin_client.post(asked.headers["Location"], {"amount": "5", "reason": "a busy week"})
    assert (left(purse), left(other)) == (11, 15)
    told = list(LimitChange.objects.values_list("limit", "action", "after", "by_name", "reason").order_by("limit"))
    assert told == [(one.pk, "granted", "$5", "admin", "a busy week") for one in (purse, other)]


def test_a_budget_begins_anew_and_it_is_in_the_audit_log(admin_client: Client, purse: Limit) -> None:
    admin_client.post(f"{LIST}reset/?id={purse.pk}", {"reason": "a runaway loop"})
    assert left(purse) == 10
    assert LimitCounter.objects.get().spent == 4, "what was spent stays said"
    noted = LogEntry.objects.get(content_type__model="limitchange")
    assert noted.object_repr == "Bob's purse: reset $4 ⇒ $0"
    assert noted.actor == User.objects.get(username="admin")
    assert noted.changes_dict["reason"][1] == "a runaway loop"


@pytest.mark.parametrize(("how", "value", "after"), [("to", "25", 25), ("by", "-2.5", "7.5"), ("percent", "20", 12)])
def test_a_limit_is_raised(admin_client: Client, purse: Limit, how: str, value: str, after: Any) -> None:
    admin_client.post(f"{LIST}raise/?id={purse.pk}", {"how": how, "value": value, "reason": "grown"})
    purse.refresh_from_db()
    assert purse.amount == Decimal(after)
    assert LimitChange.objects.get().reason == "grown"


@pytest.mark.parametrize(
    ("what", "data", "said"),
    [
        ("grant", {"amount": "5"}, "This field is required"),
        ("grant", {"amount": "much", "reason": "x"}, "Enter a number"),
        ("grant", {"amount": "9999999", "reason": "x"}, "less than a million"),
        ("raise", {"how": "by", "value": "-11", "reason": "x"}, "cannot be -1"),
        ("raise", {"how": "away", "value": "1", "reason": "x"}, "not one of the available choices"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    admin_client: Client, purse: Limit, company: Company, what: str, data: dict[str, str], said: str
) -> None:
    before = budget(user=company["eve"], amount=Decimal(500))
    page = admin_client.post(f"{LIST}{what}/?id={purse.pk}&id={before.pk}", data)
    assert page.status_code == 200
    assert said in page.content.decode()
    assert not LimitChange.objects.exists()
    assert left(before) == 500


def test_kinds_are_raised_together_by_per_cent_alone(admin_client: Client, purse: Limit) -> None:
    rate = Limit.objects.create(scope="gateway", kind="requests_per_minute", count=60)
    url = f"{LIST}raise/?id={purse.pk}&id={rate.pk}"
    page = admin_client.post(url, {"how": "to", "value": "100", "reason": "x"}).content.decode()
    assert "several kinds" in page
    admin_client.post(url, {"how": "percent", "value": "50", "reason": "x"})
    rate.refresh_from_db()
    assert rate.count == 90


def test_the_form_asks_why_and_keeps_it(admin_client: Client, purse: Limit) -> None:
    url = f"{LIST}{purse.pk}/change/"
    data = {"name": "Purse", "enabled": "on", "amount": "30", "soft_percent": "80"}
    inline = {"changes-TOTAL_FORMS": "0", "changes-INITIAL_FORMS": "0"}
    assert "This field is required" in admin_client.post(url, data | inline).content.decode()
    assert admin_client.post(url, data | inline | {"reason": "agreed"}).status_code == 302
    told = LimitChange.objects.values_list("action", "before", "after", "reason").get()
    assert told == ("changed", "$10 per month", "$30 per month", "agreed")


def test_who_may_only_look_changes_nothing(client: Client, purse: Limit) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    client.force_login(clerk)
    assert client.post(f"{LIST}reset/?id={purse.pk}", {"reason": "x"}).status_code == 403
    assert not LimitChange.objects.exists()


@pytest.mark.parametrize("ids", ["", "?id=x&id=-1", "?id=99999999999999999999"])
def test_nothing_chosen(admin_client: Client, ids: str) -> None:
    page = admin_client.get(f"{LIST}grant/{ids}")
    assert "None is chosen" in page.content.decode()
