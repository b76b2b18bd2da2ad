from __future__ import annotations

import pytest

from accounting.models import Membership, User
from tests.accounting.company import Company

from .conftest import As


@pytest.mark.parametrize(
    ("who", "role"), [("bob", "member"), ("ada", "lead"), ("root", "admin"), ("red-service", "service")]
)
def test_me(company: Company, as_: As, who: str, role: str) -> None:
    me = as_(who).get("/api/me").json()
    assert me["role"] == role
    assert me["key"]["id"] == company.keys[who].public_id
    assert (me["person"] or {"username": "red-service"})["username"] == who


def test_a_lead_sees_their_members_places_in_their_own_team_alone(company: Company, as_: As) -> None:
    Membership.objects.create(user=company["bob"], team=company.blue)
    assert [place["team"] for place in as_("ada").get("/api/people/bob").json()["teams"]] == ["red"]
    assert [place["team"] for place in as_("bob").get("/api/people/bob").json()["teams"]] == ["red", "blue"]


def test_a_member_sees_their_own_place_in_a_team_alone(company: Company, as_: As) -> None:
    assert as_("bob").get(f"/api/teams/{company.red.pk}").json()["members"] == [{"user": "bob", "role": "member"}]
    members = as_("ada").get(f"/api/teams/{company.red.pk}").json()["members"]
    assert {member["user"] for member in members} == {"ada", "bob", "eve"}


def test_a_person_is_added_without_a_password_and_switched_off(company: Company, as_: As) -> None:
    root = as_("root")
    assert root.post("/api/people", {"username": "new", "email": "new@example.com"}).status_code == 201
    assert not User.objects.get(username="new").has_usable_password()
    assert root.post("/api/people", {"username": "new"}).status_code == 400
    assert root.patch("/api/people/bob", {"is_active": False}).status_code == 200
    assert as_("bob").get("/api/me").status_code == 401


def test_nobody_takes_away_their_own_rights(company: Company, as_: As) -> None:
    for change in ({"is_staff": False}, {"is_active": False}):
        assert as_("root").patch("/api/people/root", change).status_code == 409


def test_members_come_lead_and_go(company: Company, as_: As) -> None:
    path = f"/api/teams/{company.red.pk}/members/carl"
    root = as_("root")
    assert root.put(path, {"role": "member"}).json() == {"user": "carl", "role": "member"}
    assert root.put(path, {"role": "lead"}).json()["role"] == "lead"
    assert company["carl"].leads(company.red.pk)
    assert root.delete(path).status_code == 204
    assert root.delete(path).status_code == 404
    assert root.put(f"/api/teams/{company.red.pk}/members/nobody", {"role": "lead"}).status_code == 404


def test_what_a_key_changes_is_on_the_audit_log_by_name(company: Company, as_: As) -> None:
    """Where the model is registered with the log, as the admin does."""
    from auditlog.models import LogEntry
    from auditlog.registry import auditlog

    from accounting.models import Team

    registered = auditlog.contains(Team)
    if not registered:
        auditlog.register(Team)
    try:
        as_("root").post("/api/teams", {"name": "green"})
    finally:
        if not registered:
            auditlog.unregister(Team)
    entry = LogEntry.objects.get(object_repr="green")
    assert entry.actor == company["root"]
