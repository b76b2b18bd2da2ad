"""People, teams, limits, prices: the pages render with rows, and their actions act."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounting.admission import periods
from accounting.identity import find, mint
from accounting.models import Limit, LimitChange, LimitCounter, Membership, Price, Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    user: User = User.objects.create_user("anna", first_name="Anna", last_name="Example")
    Membership.objects.create(user=user, team=Team.objects.create(name="core"), role="lead")
    return user


def test_people_with_teams_and_keys(admin_client: Client, anna: User) -> None:
    mint(anna)
    page = admin_client.get("/admin/accounting/user/?q=core").content.decode()
    assert "core (lead)" in page
    assert "Anna Example" in page
    for url in (f"/admin/accounting/user/{anna.pk}/change/", "/admin/accounting/user/add/", "/admin/accounting/team/"):
        assert admin_client.get(url).status_code == 200


def test_shutting_out_refuses_the_keys_but_never_oneself(admin_client: Client, admin_user: User, anna: User) -> None:
    _, token = mint(anna)
    chosen = [str(anna.pk), str(admin_user.pk)]
    admin_client.post("/admin/accounting/user/", {"action": "deactivate", "_selected_action": chosen})
    assert find(token) is None
    admin_user.refresh_from_db()
    assert admin_user.is_active


def test_limits_show_their_fill_and_record_who_changed_them(admin_client: Client, anna: User) -> None:
    team = anna.teams.get()
    data = {
        "name": "Core", "enabled": "on", "scope": "team", "team": str(team.pk), "kind": "budget", "amount": "500",
        "period": "month", "soft_percent": "80", "reason": "a new team",
        "changes-TOTAL_FORMS": "0", "changes-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert admin_client.post("/admin/accounting/limit/add/", data).status_code == 302
    limit = Limit.objects.get()
    window = periods.start("month", timezone.now())
    LimitCounter.objects.create(limit=limit, window=window, spent=Decimal("312.44"), granted=Decimal(100))
    page = admin_client.get("/admin/accounting/limit/").content.decode()
    assert "$312.44 of $600.00" in page
    data["changes-TOTAL_FORMS"] = data["changes-INITIAL_FORMS"] = "1"
    data["changes-0-id"], data["changes-0-limit"] = str(LimitChange.objects.get().pk), str(limit.pk)
    assert admin_client.post(f"/admin/accounting/limit/{limit.pk}/change/", data | {"amount": "700"}).status_code == 302
    change = LimitChange.objects.filter(action="changed").get()
    assert (change.by_name, change.before, change.after) == ("admin", "$500 per month", "$700 per month")


def test_prices(admin_client: Client) -> None:
    Price.objects.create(provider="openai", model="gpt-5.1", input=1, output=8)
    assert "openai/gpt-5.1" in admin_client.get("/admin/accounting/price/").content.decode()


def test_the_start_page_leads_everywhere(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    for name in ("Mapping board", "Providers", "Keys", "Ledger", "Audit log"):
        assert name in page
