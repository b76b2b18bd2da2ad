"""People, teams, limits, prices: the pages render with rows, and their actions act."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounting.admission import periods
from accounting.identity import find, mint
from accounting.models import Limit, LimitChange, LimitCounter, Membership, Team, User

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


def ask(client: Client, page: str, action: str, rows: list[Any]) -> str:
    """Chooses the rows in the list, and returns where the action leads."""
    answer = client.post(page, {"action": action, "_selected_action": [str(row.pk) for row in rows]})
    assert answer.status_code == 302
    return str(answer["location"])


def test_people_are_put_into_a_team(admin_client: Client, admin_user: User, anna: User) -> None:
    other = Team.objects.create(name="research")
    asked = ask(admin_client, "/admin/accounting/user/", "put_into_team", [anna, admin_user])
    assert "core (lead)" in admin_client.get(asked).content.decode()
    for role in ("member", "lead"):
        assert admin_client.post(asked, {"team": other.pk, "role": role}).status_code == 302
        assert set(other.memberships.values_list("user__username", "role")) == {("anna", role), ("admin", role)}
    assert anna.teams.count() == 2
    assert "Select a valid choice" in admin_client.post(asked, {"team": "0", "role": "lead"}).content.decode()


def test_all_keys_of_people_are_revoked_when_it_is_confirmed(
    admin_client: Client, admin_user: User, anna: User
) -> None:
    tokens = [mint(anna)[1] for _ in range(2)]
    asked = ask(admin_client, "/admin/accounting/user/", "revoke_keys", [anna, admin_user])
    assert "left as it is: no key" in admin_client.get(asked).content.decode()
    assert all(find(token) for token in tokens)
    admin_client.post(asked)
    assert not any(find(token) for token in tokens)


def test_the_start_page_leads_everywhere(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    for name in ("Mapping board", "Providers", "Keys", "Ledger", "Audit log"):
        assert name in page
